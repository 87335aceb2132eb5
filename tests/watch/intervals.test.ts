// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import fc from 'fast-check';
import { type Interval, Intervals } from '#watch/intervals.js';

describe('watch/intervals', () => {
	it('find what a search of all finds, whatever overlaps, however long it is', () => {
		const range = fc
			.tuple(fc.nat(300_000), fc.oneof(fc.nat(300), fc.nat(200_000)))
			.map(([first, length]) => ({ first, last: first + length }));
		fc.assert(
			fc.property(fc.array(range, { maxLength: 30 }), fc.array(range, { maxLength: 10 }), (items, asked) => {
				const intervals = new Intervals<Interval>();
				for (const item of items) intervals.add(item);
				for (const item of items.filter((_, i) => i % 3 === 0)) intervals.delete(item);
				const left = items.filter((_, i) => i % 3 !== 0);
				expect(intervals.size).to.equal(left.length);
				expect([...intervals.all()]).to.have.members(left);
				for (const { first, last } of asked) {
					const meant = left.filter((item) => item.first <= last && item.last >= first);
					const seen: Interval[] = [];
					intervals.find(first, last, (item) => seen.push(item) === 0);
					expect(seen).to.have.members(meant);
					expect(intervals.find(first, last) === null).to.equal(meant.length === 0);
				}
			}),
			{ seed: 7, numRuns: 100 },
		);
	});
});
