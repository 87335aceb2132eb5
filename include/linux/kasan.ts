// SPDX-License-Identifier: GPL-2.0-only
// What the allocators tell a checker of memory: bytes and pages that begin and end.
// Linux 6.12: include/linux/kasan.h
// Left out: shadow memory, tags, quarantine, stacks (kernel/kasan/): the checker is a tool of the machine. Structs have
// checks of their own (mm/slub.ts, slab_debug).

import { boot_data } from '#linux/init.js';
import type { page } from '#linux/mm_types.js';
import type { bool, gfp_t, size_t, unsigned_int, void_ptr } from '#linux/types.js';
import type { kmem_cache } from '#mm/slab.js';

/** Who hears of them. */
export interface kasan_checker {
	kmalloc(s: kmem_cache<Uint8Array>, object: void_ptr, size: size_t): void;
	/** Comes before the object is poisoned. */
	slab_free(s: kmem_cache<Uint8Array>, object: ArrayBufferView): void;
	kmalloc_large(ptr: void_ptr, size: size_t): void;
	kfree_large(ptr: ArrayBufferView): void;
	unpoison_pages(page: page, order: unsigned_int): void;
	poison_pages(page: page, order: unsigned_int): void;
}

/** In C a matter of configuration: CONFIG_KASAN. */
export const kasan = boot_data(() => ({ checker: null as kasan_checker | null }));

/** @object of @s is the caller's, @size bytes of it; null is none (include/linux/kasan.h: kasan_kmalloc()). */
export function kasan_kmalloc(
	s: kmem_cache<Uint8Array>,
	object: void_ptr | null,
	size: size_t,
	_flags: gfp_t,
): void_ptr | null {
	if (kasan.checker !== null && object !== null) kasan.checker.kmalloc(s, object, size);
	return object;
}

/** @object is nobody's any more; false: it is not kept back (include/linux/kasan.h: kasan_slab_free()). */
export function kasan_slab_free(s: kmem_cache<Uint8Array>, object: ArrayBufferView, _init: bool): bool {
	kasan.checker?.slab_free(s, object);
	return false;
}

/** The pages at @ptr are the caller's, @size bytes of them (include/linux/kasan.h: kasan_kmalloc_large()). */
export function kasan_kmalloc_large(ptr: void_ptr, size: size_t, _flags: gfp_t): void_ptr {
	kasan.checker?.kmalloc_large(ptr, size);
	return ptr;
}

/** They are nobody's any more (include/linux/kasan.h: kasan_kfree_large()). */
export function kasan_kfree_large(ptr: ArrayBufferView): void {
	kasan.checker?.kfree_large(ptr);
}

/** 2^@order pages are somebody's from now on (include/linux/kasan.h: kasan_unpoison_pages()). */
export function kasan_unpoison_pages(page: page, order: unsigned_int, init: bool): bool {
	kasan.checker?.unpoison_pages(page, order);
	return init;
}

/** They are free (include/linux/kasan.h: kasan_poison_pages()). */
export function kasan_poison_pages(page: page, order: unsigned_int, _init: bool): void {
	kasan.checker?.poison_pages(page, order);
}
