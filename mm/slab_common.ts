// SPDX-License-Identifier: GPL-2.0-only
// What is common to slab allocators: making and destroying caches, sizes.
// Linux 6.12: mm/slab_common.c
// Left out: merging of caches, /proc/slabinfo, user-copy regions

import { phys_to_virt, virt_to_phys } from '#asm/memory.js';
import { PAGE_SIZE } from '#asm/page-def.js';
import { get_order } from '#include/asm-generic/getorder.js';
import { panic } from '#kernel/panic.js';
import { dump_stack } from '#lib/dump_stack.js';
import { WARN } from '#linux/bug.js';
import { ENOMEM } from '#linux/errno.js';
import { __GFP_ZERO } from '#linux/gfp_types.js';
import { list_del, list_empty } from '#linux/list.js';
import { pr_warn } from '#linux/printk.js';
import type { gfp_t, int, size_t, slab_flags_t, unsigned_int } from '#linux/types.js';
import { should_failslab } from '#mm/failslab.js';
import {
	KMALLOC_MAX_CACHE_SIZE,
	KMALLOC_MAX_SIZE,
	type kmem_cache,
	SLAB_PANIC,
	ZERO_SIZE_PTR,
} from '#mm/slab.js';
import {
	__kmalloc_bytes,
	__kmem_cache_shrink,
	do_kmem_cache_create,
	kfree,
	kmalloc_slab,
	ksize,
	slab_state,
} from '#mm/slub.js';

/** A cache could not be made. */
function cache_create_failed(name: string, flags: unsigned_int): void {
	const err = -ENOMEM;
	if ((flags & SLAB_PANIC) !== 0)
		panic("%s: Failed to create slab '%s'. Error %d", '__kmem_cache_create_args', name, err);
	pr_warn('%s(%s) failed with error %d', '__kmem_cache_create_args', name, err);
	dump_stack();
}

/** include/linux/slab.h: kmem_cache_create(), KMEM_CACHE(); @type: of structs, null: bytes (__kmem_cache_create_args()). */
export function __kmem_cache_create<T extends object>(
	name: string,
	size: unsigned_int,
	align: unsigned_int,
	flags: slab_flags_t,
	ctor: ((obj: T) => void) | null,
	type: (new () => T) | null,
): kmem_cache<T> | null {
	if (should_failslab('kmem_cache', size, 0) || size > KMALLOC_MAX_SIZE) {
		cache_create_failed(name, flags);
		return null;
	}
	return do_kmem_cache_create(name, size, align, flags, ctor, type);
}

/**
 * Have @s give its freed structs out again: @zero does to one what memset() does to C's memory. With slab_debug a freed
 * struct is watched, and never comes back.
 *
 * Linux has no such function: its caches do.
 */
export function kmem_cache_reuse<T extends object>(s: kmem_cache<T>, zero: (obj: T) => void): void {
	if (!slab_state.store_user && !slab_state.check_use) s.zero = zero;
}

/** The end of a cache; live objects are reported, and keep it alive (mm/slab_common.c: kmem_cache_destroy()). */
export function kmem_cache_destroy<T extends object>(s: kmem_cache<T> | null): void {
	if (s === null || --s.refcount > 0) return;
	__kmem_cache_shrink(s as unknown as kmem_cache<never>);
	WARN(s.live !== 0, '%s %s: Slab cache still has objects when called', 'kmem_cache_destroy', s.name);
	if (s.live === 0 && !list_empty(s.list)) list_del(s.list);
}

/** Give back what is empty: 0 when nothing else is there (mm/slab_common.c: kmem_cache_shrink()). */
export function kmem_cache_shrink<T extends object>(s: kmem_cache<T>): int {
	return __kmem_cache_shrink(s as unknown as kmem_cache<never>) ? 0 : 1;
}

/** The bytes that kmalloc(@size) sets aside (mm/slab_common.c: kmalloc_size_roundup()). */
export function kmalloc_size_roundup(size: size_t): size_t {
	if (size === 0 || size > KMALLOC_MAX_SIZE) return size;
	if (size <= KMALLOC_MAX_CACHE_SIZE) return kmalloc_slab(size, 0).object_size;
	return PAGE_SIZE * 2 ** get_order(size);
}

/**
 * krealloc - Another size for bytes (mm/slab_common.c: krealloc())
 * @p: what kmalloc() gave, or null
 * @new_size: 0 frees
 * @flags: with __GFP_ZERO what is added is 0
 *
 * Return: the bytes, maybe elsewhere; null when memory ran out, and @p is as it was.
 */
export function krealloc(p: Uint8Array | null, new_size: size_t, flags: gfp_t): Uint8Array | null {
	if (new_size === 0) {
		kfree(p);
		return ZERO_SIZE_PTR;
	}
	if (p !== null && p !== ZERO_SIZE_PTR && ksize(p) >= new_size) {
		const same = phys_to_virt(virt_to_phys(p), new_size);
		if ((flags & __GFP_ZERO) !== 0 && new_size > p.length) same.fill(0, p.length);
		return same;
	}
	const ret = __kmalloc_bytes(new_size, flags);
	if (ret === null || p === null) return ret;
	ret.set(p);
	kfree(p);
	return ret;
}

/** kfree() that leaves nothing to read (mm/slab_common.c: kfree_sensitive()). */
export function kfree_sensitive(p: Uint8Array | null): void {
	if (p !== null) p.fill(0);
	kfree(p);
}
