// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import { insertAt, takeAt } from '#watch/lists.js';

describe('lists', () => {
	it('take an item in at any place, its end among them', () => {
		const list = ['b'];
		insertAt(list, 0, 'a');
		insertAt(list, 2, 'd');
		insertAt(list, 2, 'c');
		expect(list).to.deep.equal(['a', 'b', 'c', 'd']);
	});

	it('give one up at any place, its end among them', () => {
		const list = ['a', 'b', 'c', 'd'];
		takeAt(list, 3);
		takeAt(list, 1);
		takeAt(list, 0);
		expect(list).to.deep.equal(['c']);
	});
});
