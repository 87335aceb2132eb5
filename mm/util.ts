// SPDX-License-Identifier: GPL-2.0-only
// Copies in new memory.
// Linux 6.12: mm/util.c
// Left out: user space, mmap layout, overcommit. A string is the language's: its copy needs no memory.
import type { gfp_t, size_t } from '#linux/types.js';
import { __kmalloc_bytes, kfree } from '#mm/slub.js';

/** A copy of @len bytes (mm/util.c: kmemdup()). */
export function kmemdup(src: Uint8Array, len: size_t, gfp: gfp_t): Uint8Array | null {
	const p = __kmalloc_bytes(len, gfp);
	if (p !== null) p.set(src.subarray(0, len));
	return p;
}

/** A copy of @count elements of @element_size bytes (mm/util.c: kmemdup_array()). */
export function kmemdup_array(
	src: Uint8Array,
	count: size_t,
	element_size: size_t,
	gfp: gfp_t,
): Uint8Array | null {
	return kmemdup(src, count * element_size, gfp);
}

/** A copy of a string; strings are the language's, so only null makes it fail (mm/util.c: kstrdup()). */
export function kstrdup(s: string, _gfp: gfp_t): string;
export function kstrdup(s: string | null, _gfp: gfp_t): string | null;
export function kstrdup(s: string | null, _gfp: gfp_t): string | null {
	return s;
}

export const kstrdup_const = kstrdup;

/** At most @max letters (mm/util.c: kstrndup()). */
export function kstrndup(s: string | null, max: size_t, _gfp: gfp_t): string | null {
	return s === null ? null : s.slice(0, max);
}

/** The end of a kstrdup_const() (mm/util.c: kfree_const()). */
export function kfree_const(_x: string | null): void {}

/** kfree(), or vfree() of what kvmalloc() got there; here it never does (mm/util.c: kvfree()). */
export function kvfree(addr: object | null): void {
	kfree(addr);
}
