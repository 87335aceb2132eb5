// SPDX-License-Identifier: GPL-2.0-only
// Bounce buffers for devices that cannot reach, or must not see, a buffer.
// Linux 6.12: include/linux/swiotlb.h
// Left out: CONFIG_SWIOTLB_DYNAMIC (one pool per io_tlb_mem, as in Debian's configuration). The inlines that look
// a pool up and go on into kernel/dma/swiotlb.c stand there.
import type { atomic_long_t } from '#linux/atomic.js';
import type { dentry } from '#linux/debugfs.js';
import type { device } from '#linux/device.js';
import { spinlock_t } from '#linux/spinlock.js';
import type { bool, phys_addr_t, unsigned_int, unsigned_long, void_ptr } from '#linux/types.js';

/** Say what was set up. */
export const SWIOTLB_VERBOSE = 1 << 0;
/** Bounce everything. */
export const SWIOTLB_FORCE = 1 << 1;
/** The pool may lie anywhere. */
export const SWIOTLB_ANY = 1 << 2;

/** The most slots in one mapping; must be a power of two. */
export const IO_TLB_SEGSIZE = 128;
/** log2 of a slot's size. */
export const IO_TLB_SHIFT = 11;
export const IO_TLB_SIZE = 1 << IO_TLB_SHIFT;
/** The pool's size unless the command line says otherwise. */
export const IO_TLB_DEFAULT_SIZE = 64 << 20;

/** One slot of a pool (kernel/dma/swiotlb.c: struct io_tlb_slot). */
export class io_tlb_slot {
	orig_addr: phys_addr_t = 0;
	/** Bytes of the mapping from this slot on. */
	alloc_size: unsigned_long = 0;
	/** Free slots from here to the end of the segment; 0 when taken. */
	list: unsigned_int = 0;
	/** Slots in front of the mapping's first that belong to its alignment. */
	pad_slots: unsigned_int = 0;
}

/** A part of a pool with a lock of its own (kernel/dma/swiotlb.c: struct io_tlb_area). */
export class io_tlb_area {
	used: unsigned_long = 0;
	/** Where the next search starts. */
	index: unsigned_int = 0;
	readonly lock = new spinlock_t('io_tlb_area');
}

/** A contiguous stretch of slots (include/linux/swiotlb.h: struct io_tlb_pool). */
export class io_tlb_pool {
	start: phys_addr_t = 0;
	end: phys_addr_t = 0;
	vaddr: void_ptr | null = null;
	nslabs: unsigned_long = 0;
	late_alloc: bool = false;
	nareas: unsigned_int = 0;
	area_nslabs: unsigned_int = 0;
	areas: io_tlb_area[] | null = null;
	slots: io_tlb_slot[] | null = null;
}

/** An allocator of bounce buffers (include/linux/swiotlb.h: struct io_tlb_mem). */
export class io_tlb_mem {
	readonly defpool = new io_tlb_pool();
	nslabs: unsigned_long = 0;
	debugfs: dentry | null = null;
	force_bounce: bool = false;
	/** A restricted pool: dma_alloc_*() takes from it too. */
	for_alloc: bool = false;
	/** Slots taken in all areas. */
	readonly total_used: atomic_long_t = { counter: 0 };
	readonly used_hiwater: atomic_long_t = { counter: 0 };
}

/** Whether everything of @dev bounces (include/linux/swiotlb.h: is_swiotlb_force_bounce()). */
export function is_swiotlb_force_bounce(dev: device): bool {
	return dev.dma_io_tlb_mem?.force_bounce ?? false;
}

/** Whether @dev allocates from its restricted pool (include/linux/swiotlb.h: is_swiotlb_for_alloc()). */
export function is_swiotlb_for_alloc(dev: device): bool {
	return dev.dma_io_tlb_mem?.for_alloc ?? false;
}

/** The pool that @paddr points into, or null (include/linux/swiotlb.h: swiotlb_find_pool()). */
export function swiotlb_find_pool(dev: device, paddr: phys_addr_t): io_tlb_pool | null {
	const mem = dev.dma_io_tlb_mem;
	if (mem === null) return null;
	return paddr >= mem.defpool.start && paddr < mem.defpool.end ? mem.defpool : null;
}
