// SPDX-License-Identifier: GPL-2.0-only
// Fault injection: slab allocations that fail because someone said so.
// Linux 6.12: mm/failslab.c
// Left out: probability, task filters, the debugfs directory; what is kept is "the n-th call fails", and of the
// stack trace filter what is rejected.
import { __GFP_NOFAIL } from '#linux/gfp_types.js';
import { boot_data } from '#linux/init.js';
import type { bool, gfp_t, size_t, u32 } from '#linux/types.js';

/** Set nth, and the nth matching call from then on fails; then every interval-th, until times are used up. */
export const slab_fault = boot_data(() => ({
	/** Counts down; 0: nothing fails. */
	nth: 0 as u32,
	/** Calls between two failures after the first. */
	interval: 1 as u32,
	/** How many failures there will be. */
	times: 1 as u32,
	/** Only the cache or struct of this name counts; empty: all. */
	name: '',
	/** Only calls for at least this many bytes count; structs have 0. */
	min_size: 0 as size_t,
	/** Calls whose stack trace matches do not count (C: fault_attr.reject_start and reject_end); null: all do. */
	reject: null as RegExp | null,
	/** Calls that counted, and those that failed. */
	calls: 0,
	failed: 0,
}));

/** Whether this allocation is to fail (mm/failslab.c: should_failslab()). */
export function should_failslab(name: string, size: size_t, gfpflags: gfp_t): bool {
	const attr = slab_fault;
	if (attr.nth === 0) return false;
	if ((attr.name !== '' && attr.name !== name) || size < attr.min_size || (gfpflags & __GFP_NOFAIL) !== 0)
		return false;
	if (attr.reject?.test(new Error().stack ?? '')) return false;
	attr.calls++;
	if (--attr.nth > 0) return false;
	attr.failed++;
	if (--attr.times > 0) attr.nth = attr.interval;
	else attr.times = 1;
	return true;
}
