// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import fc from 'fast-check';
import { list_sort } from '#lib/list_sort.js';
import { list_add_tail, list_entry, list_for_each_entry, list_head } from '#linux/list.js';

class item {
	readonly node = new list_head<item>(this);
	constructor(
		readonly key: number,
		readonly nr: number,
	) {}
}

describe('list_sort', () => {
	it('sorts as an array is sorted: what is equal keeps its order', () => {
		fc.assert(
			fc.property(fc.array(fc.nat(5), { maxLength: 30 }), (keys) => {
				const head = new list_head<item>();
				const items = keys.map((key, nr) => new item(key, nr));
				for (const i of items) list_add_tail(i.node, head);
				const priv = {};
				list_sort(priv, head, (p, a, b) => {
					expect(p).to.equal(priv);
					return list_entry(a).key > list_entry(b).key ? 1 : 0;
				});
				expect([...list_for_each_entry(head)]).to.deep.equal(items.toSorted((a, b) => a.key - b.key));
			}),
		);
	});
});
