// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import { type Failure, failAllocation, type Phase } from '#tests/fuzz/allocations.js';

/** The whole sweep is `make fuzz`; here are every so many allocations of each phase, from a fixed one on. */
const SAMPLES: readonly { phase: Phase; kind: Failure['kind']; from: number; step: number; count: number }[] =
	[
		{ phase: 'boot', kind: 'slab', from: 11, step: 149, count: 8 },
		{ phase: 'boot', kind: 'page', from: 2, step: 3, count: 2 },
		{ phase: 'bind', kind: 'slab', from: 3, step: 61, count: 4 },
		{ phase: 'decode', kind: 'slab', from: 2, step: 9, count: 3 },
		{ phase: 'decode', kind: 'page', from: 1, step: 2, count: 1 },
		{ phase: 'display', kind: 'slab', from: 2, step: 7, count: 2 },
	];

describe('allocations', () => {
	for (const { phase, kind, from, step, count } of SAMPLES)
		it(`copes with a ${kind} allocation that fails at ${phase}, and works with memory again`, () => {
			for (let i = 0; i < count; i++) {
				const failure: Failure = { phase, kind, nth: from + i * step, times: 1 };
				expect(failAllocation(failure), JSON.stringify(failure)).to.equal(true);
			}
		});

	it('copes with several in a row', () => {
		for (const nth of [71, 640])
			expect(failAllocation({ phase: 'boot', kind: 'slab', nth, times: 5 })).to.equal(true);
	});
});
