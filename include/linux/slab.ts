// SPDX-License-Identifier: GPL-2.0-only
// Kernel memory: structs, arrays, and bytes that a device can see.
// Linux 6.12: include/linux/slab.h
//
// kmalloc(type, gfp) makes a struct, kmalloc(bytes, gfp) a view on simulated RAM.
// Left out: NUMA placement, memcg accounting, call-site tracking of the _noprof family

import { WARN_ON_ONCE } from '#linux/bug.js';
import { __GFP_NOWARN, __GFP_ZERO } from '#linux/gfp_types.js';
import { array_size } from '#linux/overflow.js';
import {
	type gfp_t,
	INT_MAX,
	type int,
	type size_t,
	type slab_flags_t,
	type unsigned_int,
} from '#linux/types.js';
import type { kmem_cache } from '#mm/slab.js';
import { __kmem_cache_create } from '#mm/slab_common.js';
import {
	__kmalloc_bytes,
	kmalloc_array_of,
	kmalloc_struct,
	kmem_cache_alloc_obj,
	kmem_cache_free,
	kzalloc_struct,
} from '#mm/slub.js';

export {
	ARCH_DMA_MINALIGN,
	ARCH_KMALLOC_MINALIGN,
	KMALLOC_MAX_CACHE_SIZE,
	KMALLOC_MAX_SIZE,
	KMALLOC_MIN_SIZE,
	kmem_cache,
	SLAB_ACCOUNT,
	SLAB_CACHE_DMA,
	SLAB_CACHE_DMA32,
	SLAB_CONSISTENCY_CHECKS,
	SLAB_HWCACHE_ALIGN,
	SLAB_PANIC,
	SLAB_POISON,
	SLAB_RECLAIM_ACCOUNT,
	SLAB_RED_ZONE,
	SLAB_STORE_USER,
	SLAB_TYPESAFE_BY_RCU,
	ZERO_SIZE_PTR,
} from '#mm/slab.js';
export {
	kfree_sensitive,
	kmalloc_size_roundup,
	kmem_cache_destroy,
	kmem_cache_reuse,
	kmem_cache_shrink,
	krealloc,
} from '#mm/slab_common.js';
export { kfree, kmem_cache_free, ksize, slab_leaks, slab_live } from '#mm/slub.js';
export { kfree_const, kmemdup, kmemdup_array, kstrdup, kstrdup_const, kstrndup, kvfree } from '#mm/util.js';

type struct_type<T> = new () => T;

/** A struct of @size_or_type, or that many bytes; contents are what they are (include/linux/slab.h: kmalloc()). */
export function kmalloc(size: size_t, flags: gfp_t): Uint8Array | null;
export function kmalloc<T extends object>(type: struct_type<T>, flags: gfp_t): T | null;
export function kmalloc<T extends object>(
	what: size_t | struct_type<T>,
	flags: gfp_t,
): Uint8Array | T | null {
	return typeof what === 'number' ? __kmalloc_bytes(what, flags) : kmalloc_struct(what, flags);
}

/** kmalloc() with all bytes 0, all fields initial (include/linux/slab.h: kzalloc()). */
export function kzalloc(size: size_t, flags: gfp_t): Uint8Array | null;
export function kzalloc<T extends object>(type: struct_type<T>, flags: gfp_t): T | null;
export function kzalloc<T extends object>(
	what: size_t | struct_type<T>,
	flags: gfp_t,
): Uint8Array | T | null {
	return typeof what === 'number' ? __kmalloc_bytes(what, flags | __GFP_ZERO) : kzalloc_struct(what, flags);
}

/** An array of @n: bytes of @size each, structs of a type, or, with null, pointers (include/linux/slab.h: kcalloc()). */
export function kcalloc(n: size_t, size: size_t, flags: gfp_t): Uint8Array | null;
export function kcalloc<T extends object>(n: size_t, type: struct_type<T>, flags: gfp_t): T[] | null;
export function kcalloc<T extends object>(n: size_t, type: null, flags: gfp_t): (T | null)[] | null;
export function kcalloc<T extends object>(
	n: size_t,
	what: size_t | struct_type<T> | null,
	flags: gfp_t,
): Uint8Array | T[] | (T | null)[] | null {
	if (typeof what === 'number') return __kmalloc_bytes(array_size(n, what), flags | __GFP_ZERO);
	// More pointers than kmalloc() and kvmalloc() have bytes for.
	if (n > INT_MAX / 8) {
		WARN_ON_ONCE((flags & __GFP_NOWARN) === 0);
		return null;
	}
	return kmalloc_array_of(n, what, flags);
}

export const kmalloc_array = kcalloc;
export const kvcalloc = kcalloc;
export const kvmalloc_array = kcalloc;
export const kvmalloc = kmalloc;
export const kvzalloc = kzalloc;
/** kmalloc() near a memory node; there is one (include/linux/slab.h: kmalloc_node()). */
export const kmalloc_node = kmalloc;
export const kzalloc_node = kzalloc;
export const kcalloc_node = kcalloc;

/** A cache of structs of one type, called as the type (include/linux/slab.h: KMEM_CACHE()). */
export function KMEM_CACHE<T extends object>(
	type: struct_type<T>,
	flags: slab_flags_t,
): kmem_cache<T> | null {
	return __kmem_cache_create<T>(type.name, 0, 0, flags, null, type);
}

/**
 * kmem_cache_create - Make a cache of equal objects of device-visible bytes (include/linux/slab.h: kmem_cache_create())
 * @name: as it stands in the list of caches
 * @size: of an object in bytes
 * @align: of an object; 0: as the size needs it
 * @flags: SLAB_*
 * @ctor: called on each object when its slab is made
 */
export function kmem_cache_create(
	name: string,
	size: unsigned_int,
	align: unsigned_int,
	flags: slab_flags_t,
	ctor: ((obj: Uint8Array) => void) | null,
): kmem_cache<Uint8Array> | null {
	return __kmem_cache_create<Uint8Array>(name, size, align, flags, ctor, null);
}

/** An object of @cachep (include/linux/slab.h: kmem_cache_alloc()). */
export function kmem_cache_alloc<T extends object>(cachep: kmem_cache<T>, flags: gfp_t): T | null {
	return kmem_cache_alloc_obj(cachep, flags);
}

/** kmem_cache_alloc() with all bytes 0 (include/linux/slab.h: kmem_cache_zalloc()). */
export function kmem_cache_zalloc<T extends object>(k: kmem_cache<T>, flags: gfp_t): T | null {
	return kmem_cache_alloc_obj(k, flags | __GFP_ZERO);
}

/** Fill @p with @size objects, or none: the number made (include/linux/slab.h: kmem_cache_alloc_bulk()). */
export function kmem_cache_alloc_bulk<T extends object>(
	s: kmem_cache<T>,
	flags: gfp_t,
	size: size_t,
	p: (T | null)[],
): int {
	for (let i = 0; i < size; i++) {
		const obj = kmem_cache_alloc_obj(s, flags);
		if (obj === null) {
			while (i-- > 0) {
				kmem_cache_free(s, p[i] as T);
				p[i] = null;
			}
			return 0;
		}
		p[i] = obj;
	}
	return size;
}

/** Free @size objects (mm/slub.c: kmem_cache_free_bulk()). */
export function kmem_cache_free_bulk<T extends object>(
	s: kmem_cache<T>,
	size: size_t,
	p: (T | null)[],
): void {
	for (let i = 0; i < size; i++) kmem_cache_free(s, p[i] as T);
}
