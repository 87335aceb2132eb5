// SPDX-License-Identifier: GPL-2.0-only
// The space of DMA addresses of an IOMMU domain, in page frames.
// Linux 6.12: include/linux/iova.h

import type { iova_rcache } from '#drivers/iommu/iova.js';
import { ALIGN, ALIGN_DOWN } from '#linux/align.js';
import { hlist_node } from '#linux/list.js';
import { __ffs64 } from '#linux/math64.js';
import { rb_node, rb_root } from '#linux/rbtree.js';
import { spinlock_t } from '#linux/spinlock.js';
import type { dma_addr_t, size_t, unsigned_long } from '#linux/types.js';

/**
 * An allocated or reserved range of page frames (include/linux/iova.h: struct iova).
 * C's first member `node` is what this extends.
 */
export class iova extends rb_node<iova> {
	/** The last frame. */
	pfn_hi: unsigned_long = 0;
	/** The first frame. */
	pfn_lo: unsigned_long = 0;

	constructor() {
		super(null);
		// Readonly to everyone else: rb_entry() finds the struct here.
		(this as { container: iova }).container = this;
	}
}

/**
 * A range above all others. A class of its own only for speed: V8 stores a field alike in all objects of a class,
 * and frames beyond 32 bits in one would put a box around the frames of each.
 */
export class iova_anchor extends iova {}

/** All ranges of a domain (include/linux/iova.h: struct iova_domain). */
export class iova_domain {
	readonly iova_rbtree_lock = new spinlock_t('iova_rbtree_lock');
	readonly rbroot = new rb_root<iova>();
	/** Where the last search above 4 GiB ended. */
	cached_node: rb_node<iova> | null = null;
	/** Where the last search below 4 GiB ended. */
	cached32_node: rb_node<iova> | null = null;
	/** Bytes in a page frame. */
	granule: unsigned_long = 0;
	/** The lowest frame that may be given away. */
	start_pfn: unsigned_long = 0;
	/** The first frame above 4 GiB. */
	dma_32bit_pfn: unsigned_long = 0;
	/** A size that did not fit below 4 GiB: nothing as large is tried until something is freed there. */
	max32_alloc_size: unsigned_long = 0;
	/** Sits above everything, so that a search has where to start. */
	readonly anchor: iova = new iova_anchor();
	rcaches: iova_rcache[] | null = null;
	readonly cpuhp_dead = new hlist_node<iova_domain>(this);
}

/** Frames in @iova (include/linux/iova.h: iova_size()). */
export function iova_size(iova: iova): unsigned_long {
	return iova.pfn_hi - iova.pfn_lo + 1;
}

/** log2 of the granule (include/linux/iova.h: iova_shift()). */
export function iova_shift(iovad: iova_domain): unsigned_long {
	return __ffs64(iovad.granule);
}

/** The address bits inside a frame (include/linux/iova.h: iova_mask()). */
export function iova_mask(iovad: iova_domain): unsigned_long {
	return iovad.granule - 1;
}

/** @iova's bytes past its frame's start (include/linux/iova.h: iova_offset()). */
export function iova_offset(iovad: iova_domain, iova: dma_addr_t): size_t {
	return iova & (iovad.granule - 1);
}

/** @size up to whole frames (include/linux/iova.h: iova_align()). */
export function iova_align(iovad: iova_domain, size: size_t): size_t {
	return ALIGN(size, iovad.granule);
}

/** @size down to whole frames (include/linux/iova.h: iova_align_down()). */
export function iova_align_down(iovad: iova_domain, size: size_t): size_t {
	return ALIGN_DOWN(size, iovad.granule);
}

/** The first address of @iova (include/linux/iova.h: iova_dma_addr()). */
export function iova_dma_addr(iovad: iova_domain, iova: iova): dma_addr_t {
	return iova.pfn_lo * iovad.granule;
}

/** The frame of an address (include/linux/iova.h: iova_pfn()). */
export function iova_pfn(iovad: iova_domain, iova: dma_addr_t): unsigned_long {
	return Math.floor(iova / iovad.granule);
}
