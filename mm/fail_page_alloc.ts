// SPDX-License-Identifier: GPL-2.0-only
// Fault injection: page allocations that fail because someone said so.
// Linux 6.12: mm/fail_page_alloc.c
// Left out: probability, task filters, the debugfs directory; what is kept is "the n-th call fails".
import { __GFP_NOFAIL } from '#linux/gfp_types.js';
import { boot_data } from '#linux/init.js';
import type { bool, gfp_t, u32, unsigned_int } from '#linux/types.js';

/** Set nth, and the nth matching call from then on fails; then every interval-th, until times are used up. */
export const fail_page_alloc = boot_data(() => ({
	/** Counts down; 0: nothing fails. */
	nth: 0 as u32,
	/** Calls between two failures after the first. */
	interval: 1 as u32,
	/** How many failures there will be. */
	times: 1 as u32,
	/** Only calls of at least this order count. */
	min_order: 0 as u32,
	/** Calls that counted, and those that failed. */
	calls: 0,
	failed: 0,
}));

/** Whether this allocation is to fail (mm/fail_page_alloc.c: should_fail_alloc_page()). */
export function should_fail_alloc_page(gfp_mask: gfp_t, order: unsigned_int): bool {
	const attr = fail_page_alloc;
	if (order < attr.min_order || gfp_mask & __GFP_NOFAIL) return false;
	attr.calls++;
	if (attr.nth === 0 || --attr.nth > 0) return false;
	attr.failed++;
	if (--attr.times > 0) attr.nth = attr.interval;
	else attr.times = 1;
	return true;
}
