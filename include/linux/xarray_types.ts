// SPDX-License-Identifier: GPL-2.0-only
// The node and the head of an xarray.
// Linux 6.12: include/linux/xarray.h
import { spinlock_t } from '#linux/spinlock_types.js';
import type { gfp_t, int, u32, unsigned_int } from '#linux/types.js';

export const XA_CHUNK_SHIFT = 6;
export const XA_CHUNK_SIZE = 1 << XA_CHUNK_SHIFT;
export const XA_MAX_MARKS = 3;

export type xa_mark_t = int;
export const XA_MARK_0: xa_mark_t = 0;
export const XA_MARK_1: xa_mark_t = 1;
export const XA_MARK_2: xa_mark_t = 2;
export const XA_PRESENT: xa_mark_t = 8;

/** The array allocates indices: XA_MARK_0 marks those that are free. */
export const XA_FLAGS_ALLOC: gfp_t = 0x4;
/** As XA_FLAGS_ALLOC, and 0 is never given out. */
export const XA_FLAGS_ALLOC1: gfp_t = 0x1c;
export const XA_FLAGS_LOCK_IRQ: gfp_t = 0x1;
export const XA_FLAGS_LOCK_BH: gfp_t = 0x2;

/** The range that xa_alloc() takes an index from. */
export class xa_limit {
	constructor(
		public min: u32,
		public max: u32,
	) {}
}

export class xa_node<T> {
	/** Bits of the index that the nodes below this one's slots resolve. */
	shift: unsigned_int = 0;
	count: unsigned_int = 0;
	readonly slots: (xa_node<T> | T | null)[] = new Array(XA_CHUNK_SIZE).fill(null);
	/** Two words for each mark: the slots that have it, or whose subtree does. */
	readonly marks = new Uint32Array(2 * XA_MAX_MARKS);
}

export class xarray<T> {
	readonly xa_lock: spinlock_t;
	xa_flags: gfp_t;
	xa_head: xa_node<T> | null = null;
	constructor(flags: gfp_t = 0) {
		this.xa_flags = flags;
		this.xa_lock = new spinlock_t('&xa->xa_lock');
	}
}
