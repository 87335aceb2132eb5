// SPDX-License-Identifier: GPL-2.0-only
// Mapping and copying single pages; each has its linear address already.
// Linux 6.12: include/linux/highmem.h and highmem-internal.h
import { page_address } from '#linux/mm.js';
import type { page } from '#linux/mm_types.js';
import type { size_t, unsigned_int, void_ptr } from '#linux/types.js';

/** A linear address of @page (include/linux/highmem.h: kmap_local_page()). */
export function kmap_local_page(page: page): void_ptr {
	return page_address(page);
}

/** End a kmap_local_page(): nothing to do without high memory (include/linux/highmem.h: kunmap_local()). */
export function kunmap_local(_addr: void_ptr): void {}

export const kmap = kmap_local_page;
export const kmap_atomic = kmap_local_page;
export const kunmap_atomic = kunmap_local;

/** End a kmap(): nothing to do without high memory (include/linux/highmem.h: kunmap()). */
export function kunmap(_page: page): void {}

/** Zero one page through the cache (include/linux/highmem.h: clear_highpage()). */
export function clear_highpage(page: page): void {
	page_address(page).fill(0);
}

/** Copy @len bytes from @page (include/linux/highmem.h: memcpy_from_page()). */
export function memcpy_from_page(to: void_ptr, page: page, offset: size_t, len: size_t): void {
	to.set(page_address(page).subarray(offset, offset + len));
}

/** Copy @len bytes into @page (include/linux/highmem.h: memcpy_to_page()). */
export function memcpy_to_page(page: page, offset: size_t, from: void_ptr, len: size_t): void {
	page_address(page).set(from.subarray(0, len), offset);
}

/** Zero bytes start..end of @page (include/linux/highmem.h: zero_user_segment()). */
export function zero_user_segment(page: page, start: unsigned_int, end: unsigned_int): void {
	page_address(page).fill(0, start, end);
}
