// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import { randomStream } from '#hw/core/random.js';
import { Ranges } from '#watch/ranges.js';

const spans = (ranges: Ranges<string>): string[] =>
	ranges.all().map((r) => `${r.first}-${r.last} ${r.value}`);

describe('ranges', () => {
	it('cut what they replace', () => {
		const ranges = new Ranges<string>();
		ranges.set(10, 99, 'a');
		ranges.set(20, 29, 'b');
		expect(spans(ranges)).to.deep.equal(['10-19 a', '20-29 b', '30-99 a']);
		expect(ranges.remove(15, 24).map((r) => `${r.first}-${r.last} ${r.value}`)).to.deep.equal([
			'15-19 a',
			'20-24 b',
		]);
		expect(spans(ranges)).to.deep.equal(['10-14 a', '25-29 b', '30-99 a']);
	});

	it('know who is next to an address that is in none', () => {
		const ranges = new Ranges<string>();
		ranges.set(10, 19, 'a');
		ranges.set(30, 39, 'b');
		expect(ranges.find(25)).to.equal(null);
		expect(ranges.nearest(25).map((r) => r.value)).to.deep.equal(['a', 'b']);
		expect(ranges.nearest(5).map((r) => r.value)).to.deep.equal(['a']);
	});

	it('say what an array of as many elements says, for random operations', () => {
		const random = randomStream(11);
		const pick = (n: number): number => Math.floor(random() * n);
		const ranges = new Ranges<number>();
		const plain = new Array<number>(200).fill(-1);
		for (let step = 0; step < 2000; step++) {
			const first = pick(200);
			const last = Math.min(199, first + pick(20));
			if (pick(2) === 0) {
				ranges.set(first, last, step);
				plain.fill(step, first, last + 1);
			} else {
				const cut = ranges.remove(first, last).reduce((sum, r) => sum + r.last - r.first + 1, 0);
				expect(cut).to.equal(plain.slice(first, last + 1).filter((v) => v >= 0).length);
				plain.fill(-1, first, last + 1);
			}
			const at = pick(200);
			expect(ranges.find(at)?.value ?? -1, `step ${step}`).to.equal(plain[at]);
			const met = plain.slice(at, at + 5).find((v) => v >= 0);
			expect(ranges.first(at, at + 4)?.value, `step ${step}`).to.equal(met);
			const values = ranges.overlapping(at, at + 4).map(({ value }) => value);
			expect(new Set(values)).to.deep.equal(new Set(plain.slice(at, at + 5).filter((v) => v >= 0)));
		}
	});
});
