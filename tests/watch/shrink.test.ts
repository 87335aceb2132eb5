// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import fc from 'fast-check';
import { shrink } from '#watch/shrink.js';

const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

describe('shrink', () => {
	it('keeps the parts that are needed, whichever they are', () => {
		fc.assert(
			fc.property(fc.integer({ min: 1, max: 60 }), fc.array(fc.nat(59), { maxLength: 5 }), (n, wanted) => {
				const needed = [...new Set(wanted.filter((part) => part < n))].sort((a, b) => a - b);
				const left = shrink(upTo(n), (parts) => needed.every((part) => parts.includes(part)));
				expect(left).to.deep.equal(needed);
			}),
			{ numRuns: 60, seed: 1 },
		);
	});

	it('ends where not one more can go, though two together could', () => {
		const fails = (parts: readonly number[]): boolean =>
			parts.includes(3) === parts.includes(4) && parts.includes(9);
		const left = shrink(upTo(10), fails);
		for (const part of left) expect(fails(left.filter((p) => p !== part))).to.equal(false);
	});

	it('asks no more often than it may', () => {
		let asked = 0;
		const left = shrink(upTo(100), () => ++asked > 1, 3);
		expect(asked).to.equal(3);
		expect(left.length).to.be.within(1, 99);
	});
});
