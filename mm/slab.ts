// SPDX-License-Identifier: GPL-2.0-only
// Slab caches: what the allocator keeps of them, and the limits of kmalloc().
// Linux 6.12: mm/slab.h, include/linux/slab.h (the SLAB_* flags), include/linux/poison.h
// The flags stand here, below both the allocator and the header that offers it.
import { PAGE_SHIFT } from '#asm/page-def.js';
import { list_head } from '#linux/list.js';
import { MAX_PAGE_ORDER } from '#linux/mmzone.js';
import { spinlock_t } from '#linux/spinlock_types.js';
import type { int, phys_addr_t, slab_flags_t, unsigned_int } from '#linux/types.js';

export { ARCH_DMA_MINALIGN, ARCH_KMALLOC_MINALIGN } from '#asm/cache.js';

export const SLAB_CONSISTENCY_CHECKS: slab_flags_t = 1 << 0;
export const SLAB_RED_ZONE: slab_flags_t = 1 << 1;
export const SLAB_POISON: slab_flags_t = 1 << 2;
export const SLAB_KMALLOC: slab_flags_t = 1 << 3;
export const SLAB_HWCACHE_ALIGN: slab_flags_t = 1 << 4;
export const SLAB_CACHE_DMA: slab_flags_t = 1 << 5;
export const SLAB_CACHE_DMA32: slab_flags_t = 1 << 6;
export const SLAB_STORE_USER: slab_flags_t = 1 << 7;
export const SLAB_PANIC: slab_flags_t = 1 << 8;
export const SLAB_TYPESAFE_BY_RCU: slab_flags_t = 1 << 9;
export const SLAB_ACCOUNT: slab_flags_t = 1 << 15;
export const SLAB_RECLAIM_ACCOUNT: slab_flags_t = 1 << 20;

export const KMALLOC_SHIFT_LOW = 3;
export const KMALLOC_SHIFT_HIGH = PAGE_SHIFT + 1;
export const KMALLOC_MIN_SIZE = 1 << KMALLOC_SHIFT_LOW;
/** Greater requests go to the page allocator. */
export const KMALLOC_MAX_CACHE_SIZE = 1 << KMALLOC_SHIFT_HIGH;
/** The greatest block that the page allocator has. */
export const KMALLOC_MAX_SIZE = 1 << (MAX_PAGE_ORDER + PAGE_SHIFT);

/** What kmalloc(0) answers: not null, and it reaches nothing. */
export const ZERO_SIZE_PTR = new Uint8Array(0);

export const POISON_FREE = 0x6b;

/** What a freed struct carries in place of its cache: who freed it. */
export class freed_object {
	constructor(
		readonly cache: kmem_cache<never>,
		readonly site: string,
	) {}
}

/** A record of one live object, kept with slab_debug=U. */
export class slab_track {
	readonly node = new list_head<slab_track>(this);
	constructor(
		readonly obj: object,
		readonly site: string,
	) {}
}

/** A block of pages that is cut into the objects of one cache. */
export class slab {
	readonly list = new list_head<slab>(this);
	/** Free objects by number, as a stack. */
	readonly freelist: Uint16Array;
	nr_free: unsigned_int;
	/** For each object: 0 when free, else the bytes that were asked for, plus one. */
	readonly in_use: Uint32Array;
	/** With slab_debug=U: who allocated, or freed, each object last. */
	readonly sites: string[] | null;
	constructor(
		readonly slab_cache: kmem_cache<Uint8Array>,
		/** The linear address of the whole block. */
		readonly base: Uint8Array,
		readonly phys: phys_addr_t,
		readonly order: unsigned_int,
		readonly objects: unsigned_int,
		store_user: boolean,
	) {
		this.freelist = new Uint16Array(objects);
		this.in_use = new Uint32Array(objects);
		this.sites = store_user ? new Array<string>(objects).fill('') : null;
		this.nr_free = objects;
		for (let i = 0; i < objects; i++) this.freelist[i] = objects - 1 - i;
	}
}

/** A kmalloc() of more than KMALLOC_MAX_CACHE_SIZE: pages of its own. */
export class large_kmalloc {
	constructor(
		readonly phys: phys_addr_t,
		readonly order: unsigned_int,
		readonly size: unsigned_int,
		readonly site: string,
	) {}
}

export class kmem_cache<T extends object> {
	/** In the list of all caches. */
	readonly list = new list_head<kmem_cache<never>>(this as unknown as kmem_cache<never>);
	/** Slabs that have a free object. */
	readonly partial = new list_head<slab>();
	/** One slab without any live object that is kept for the next allocation. */
	empty: slab | null = null;
	readonly list_lock = new spinlock_t('&n->list_lock');
	/** What an object takes; 0 in a cache of structs. */
	size: unsigned_int = 0;
	object_size: unsigned_int = 0;
	align: unsigned_int = 0;
	oo_order: unsigned_int = 0;
	flags: slab_flags_t = 0;
	refcount: int = 1;
	/** Objects now, and ever. */
	live: unsigned_int = 0;
	allocated: unsigned_int = 0;
	nr_slabs: unsigned_int = 0;
	/** The boot that made it; a class remembers its cache across boots. */
	boot: object | null = null;
	ctor: ((obj: T) => void) | null = null;
	/**
	 * What memset() does to a struct in C. A cache that has it gives freed structs out again, the last one first, as
	 * C's do; without it each struct is a new one.
	 */
	zero: ((obj: T) => void) | null = null;
	readonly free_structs: T[] = [];
	/** With slab_debug=U: the live structs. */
	readonly tracked = new list_head<slab_track>();
	/** What freed structs carry when nobody asked who freed them. */
	readonly freed: freed_object;
	constructor(
		readonly name: string,
		/** The struct; null in a cache of bytes. */
		readonly type: (new () => T) | null,
	) {
		this.freed = new freed_object(this as unknown as kmem_cache<never>, '');
	}
}
