// SPDX-License-Identifier: GPL-2.0-only
// Failure injection: one allocation after the other, until none can fail.
import { fail_page_alloc } from '#mm/fail_page_alloc.js';
import { slab_fault } from '#mm/failslab.js';

/** Without memory dma-debug switches itself off; it shall watch what fails. */
export const DMA_DEBUG = /\/kernel\/dma\/debug\.[jt]s/;

/**
 * Call @run with its first, second, ... allocation of each kind made to fail, @times in a row.
 * @run is told which one, for its messages; it must leave everything as it was. How many calls had a failure.
 */
export function failEach(run: (what: string) => void, times = 1): number {
	let failures = 0;
	slab_fault.reject = DMA_DEBUG;
	for (const fault of [slab_fault, fail_page_alloc]) {
		for (let nth = 1; ; nth++) {
			const before = fault.failed;
			fault.nth = nth;
			fault.times = times;
			try {
				run(`${fault === slab_fault ? 'slab' : 'page'} allocation ${nth}`);
			} finally {
				fault.nth = 0;
				fault.times = 1;
			}
			if (fault.failed === before) break;
			failures++;
		}
	}
	return failures;
}
