// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import { int_sqrt, int_sqrt64 } from '#lib/math/int_sqrt.js';

describe('int_sqrt', () => {
	for (const [x, root] of [
		[0, 0],
		[1, 1],
		[3, 1],
		[4, 2],
		[99, 9],
		[2 ** 52 - 1, 2 ** 26 - 1],
		// The square root of a double rounds these up.
		[94906265 ** 2 - 1, 94906264],
		[94906265 ** 2, 94906265],
	] as const)
		it(`of ${x} is ${root}`, () => {
			expect(int_sqrt(x)).to.equal(root);
			expect(int_sqrt64(x)).to.equal(root);
		});
});
