// SPDX-License-Identifier: GPL-2.0-only
// Bounce buffers for devices that cannot reach, or must not see, a buffer.
// Linux 6.12: include/linux/swiotlb.h
// The inlines that look a pool up and go on into kernel/dma/swiotlb.c stand there; what they look up with,
// __swiotlb_find_pool(), stands here. CONFIG_SWIOTLB_DYNAMIC is a word on the command line (kernel/dma/swiotlb.ts).
import type { atomic_long_t } from '#linux/atomic.js';
import type { dentry } from '#linux/debugfs.js';
import type { device } from '#linux/device.js';
import { boot_data } from '#linux/init.js';
import { list_for_each_entry_rcu, list_head } from '#linux/list.js';
import { rcu_head, rcu_read_lock, rcu_read_unlock } from '#linux/rcupdate.js';
import { spinlock_t } from '#linux/spinlock.js';
import type { bool, phys_addr_t, u64, unsigned_int, unsigned_long, void_ptr } from '#linux/types.js';
import { work_struct } from '#linux/workqueue.js';

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
	/** In the list of the allocator, or, when transient, of the device. */
	readonly node: list_head<io_tlb_pool> = new list_head<io_tlb_pool>(this);
	readonly rcu: rcu_head = new rcu_head(this);
	/** Made for one mapping, and gone with it. */
	transient: bool = false;
}

/** An allocator of bounce buffers (include/linux/swiotlb.h: struct io_tlb_mem). */
export class io_tlb_mem {
	readonly defpool = new io_tlb_pool();
	/** Slots of all pools, the transient ones aside. */
	nslabs: unsigned_long = 0;
	debugfs: dentry | null = null;
	force_bounce: bool = false;
	/** A restricted pool: dma_alloc_*() takes from it too. */
	for_alloc: bool = false;
	/** More pools may be made; never, unless swiotlb_dynamic is on. */
	can_grow: bool = false;
	/** The last address that those pools may have. */
	phys_limit: u64 = 0;
	/** For changes of the list. */
	readonly lock = new spinlock_t('io_tlb_mem->lock');
	readonly pools: list_head<io_tlb_pool> = new list_head<io_tlb_pool>();
	readonly dyn_alloc: work_struct = new work_struct(this);
	/** Slots taken in all areas. */
	readonly total_used: atomic_long_t = { counter: 0 };
	readonly used_hiwater: atomic_long_t = { counter: 0 };
	/** Slots of all transient pools. */
	readonly transient_nslabs: atomic_long_t = { counter: 0 };
}

/** What is a matter of configuration in C. */
export const swiotlb_config = boot_data(() => ({
	/** CONFIG_SWIOTLB_DYNAMIC: on with swiotlb_dynamic=on. */
	dynamic: false as bool,
}));

/** Whether everything of @dev bounces (include/linux/swiotlb.h: is_swiotlb_force_bounce()). */
export function is_swiotlb_force_bounce(dev: device): bool {
	return dev.dma_io_tlb_mem?.force_bounce ?? false;
}

/** Whether @dev allocates from its restricted pool (include/linux/swiotlb.h: is_swiotlb_for_alloc()). */
export function is_swiotlb_for_alloc(dev: device): bool {
	return dev.dma_io_tlb_mem?.for_alloc ?? false;
}

/**
 * The pool that @paddr points into, null for none, among those of @dev's allocator and @dev's transient ones; for a
 * device that is known to bounce. Linux: kernel/dma/swiotlb.c: __swiotlb_find_pool()
 */
export function __swiotlb_find_pool(dev: device, paddr: phys_addr_t): io_tlb_pool | null {
	const mem = dev.dma_io_tlb_mem as io_tlb_mem;
	rcu_read_lock();
	const pool = pool_around(mem.pools, paddr) ?? pool_around(dev.dma_io_tlb_pools, paddr);
	rcu_read_unlock();
	return pool;
}

function pool_around(pools: list_head<io_tlb_pool>, paddr: phys_addr_t): io_tlb_pool | null {
	for (const pool of list_for_each_entry_rcu(pools)) {
		if (paddr >= pool.start && paddr < pool.end) return pool;
	}
	return null;
}

/** The pool that @paddr points into, or null (include/linux/swiotlb.h: swiotlb_find_pool()). */
export function swiotlb_find_pool(dev: device, paddr: phys_addr_t): io_tlb_pool | null {
	const mem = dev.dma_io_tlb_mem;
	if (mem === null) return null;
	// A device that never bounced need not look at lists.
	if (swiotlb_config.dynamic) return dev.dma_uses_io_tlb ? __swiotlb_find_pool(dev, paddr) : null;
	return paddr >= mem.defpool.start && paddr < mem.defpool.end ? mem.defpool : null;
}
