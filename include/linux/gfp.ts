// SPDX-License-Identifier: GPL-2.0-only
// Requests to the page allocator: what their flags mean for zone and context.
// Linux 6.12: include/linux/gfp.h
// The allocating calls are in mm/page_alloc.ts; C's alloc_pages(), __get_free_pages() ... are macros over
// *_noprof() functions there, and so are imported from there under their usual names.

import { dump_stack } from '#lib/dump_stack.js';
import {
	__GFP_DIRECT_RECLAIM,
	__GFP_DMA,
	__GFP_DMA32,
	__GFP_HIGHMEM,
	__GFP_MOVABLE,
	__GFP_NOWARN,
	__GFP_THISNODE,
} from '#linux/gfp_types.js';
import { ZONE_DMA, ZONE_DMA32, ZONE_MOVABLE, ZONE_NORMAL, type zone_type } from '#linux/mmzone.js';
import { pr_warn } from '#linux/printk.js';
import type { bool, gfp_t, int } from '#linux/types.js';

export * from '#linux/gfp_types.js';

/** Whether the caller may sleep (include/linux/gfp.h: gfpflags_allow_blocking()). */
export function gfpflags_allow_blocking(gfp_flags: gfp_t): bool {
	return (gfp_flags & __GFP_DIRECT_RECLAIM) !== 0;
}

/** The highest zone that @flags allow; lower ones are fallbacks (include/linux/gfp.h: gfp_zone()). */
export function gfp_zone(flags: gfp_t): zone_type {
	if (flags & __GFP_DMA) return ZONE_DMA;
	if (flags & __GFP_DMA32) return ZONE_DMA32;
	if ((flags & (__GFP_MOVABLE | __GFP_HIGHMEM)) === (__GFP_MOVABLE | __GFP_HIGHMEM)) return ZONE_MOVABLE;
	return ZONE_NORMAL;
}

/**
 * Say so when memory was to be had from @this_node only, which is not there; __GFP_NOWARN must be set, too
 * (include/linux/gfp.h: warn_if_node_offline()). Node 0, the only one, is always there.
 */
export function warn_if_node_offline(this_node: int, gfp_mask: gfp_t): void {
	const both = __GFP_THISNODE | __GFP_NOWARN;
	if ((gfp_mask & both) !== both || this_node === 0) return;
	pr_warn('%pGg allocation from offline node %d', gfp_mask, this_node);
	dump_stack();
}
