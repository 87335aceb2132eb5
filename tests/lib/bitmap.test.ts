// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import fc from 'fast-check';
import {
	__bitmap_clear,
	__bitmap_set,
	bitmap_empty,
	bitmap_find_next_zero_area_off,
	bitmap_full,
	bitmap_weight,
	find_last_bit,
	find_next_bit,
	find_next_zero_bit,
	for_each_clear_bitrange,
} from '#lib/bitmap.js';

const SIZE = 100;
const bits = fc.array(fc.boolean(), { minLength: SIZE, maxLength: SIZE });

function mapOf(model: boolean[]): Uint32Array {
	// Bits past the size must never be seen: the first is clear, the others are set.
	const map = new Uint32Array(4).fill(0xffffffff);
	map[3]! &= ~(1 << 4);
	model.forEach((on, i) => {
		if (!on) map[i >>> 5]! &= ~(1 << (i & 31));
	});
	return map;
}

describe('bitmap', () => {
	it('finds bits as a search through an array of booleans does', () => {
		fc.assert(
			fc.property(bits, fc.nat(SIZE), (model, from) => {
				const map = mapOf(model);
				const at = (v: boolean): number => {
					const i = model.indexOf(v, from);
					return i < 0 ? SIZE : i;
				};
				expect(find_next_bit(map, SIZE, from)).to.equal(at(true));
				expect(find_next_zero_bit(map, SIZE, from)).to.equal(at(false));
				const last = model.lastIndexOf(true);
				expect(find_last_bit(map, SIZE)).to.equal(last < 0 ? SIZE : last);
				expect(bitmap_weight(map, SIZE)).to.equal(model.filter((b) => b).length);
				expect(bitmap_empty(map, SIZE)).to.equal(last < 0);
				expect(bitmap_full(map, SIZE)).to.equal(!model.includes(false));
			}),
		);
	});

	it('sets and clears runs across words', () => {
		fc.assert(
			fc.property(bits, fc.nat(SIZE - 1), fc.nat(SIZE), fc.boolean(), (model, start, length, set) => {
				const len = Math.min(length, SIZE - start);
				const map = mapOf(model);
				if (set) __bitmap_set(map, start, len);
				else __bitmap_clear(map, start, len);
				const after = [...model];
				after.fill(set, start, start + len);
				expect([...map]).to.deep.equal([...mapOf(after)]);
			}),
		);
	});

	it('finds the first aligned run of zeros, or answers past the end', () => {
		fc.assert(
			fc.property(
				bits,
				fc.nat(20),
				fc.integer({ min: 1, max: 12 }),
				fc.nat(3),
				fc.nat(7),
				(model, start, nr, shift, off) => {
					const align = 1 << shift;
					let want = -1;
					for (let i = start; i + nr <= SIZE && want < 0; i++)
						if ((i + off) % align === 0 && !model.slice(i, i + nr).includes(true)) want = i;
					const got = bitmap_find_next_zero_area_off(mapOf(model), SIZE, start, nr, align - 1, off);
					if (want >= 0) expect(got).to.equal(want);
					else expect(got + nr).to.be.above(SIZE);
				},
			),
		);
	});

	it('lists runs of clear bits', () => {
		const map = new Uint32Array([0b1001]);
		expect([...for_each_clear_bitrange(map, 6)]).to.deep.equal([
			[1, 3],
			[4, 6],
		]);
	});
});
