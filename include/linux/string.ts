// SPDX-License-Identifier: GPL-2.0-only
// Strings and bytes. A C string is a JavaScript string.
// Linux 6.12: include/linux/string.h, lib/string_helpers.c
// Left out: what JavaScript's strings have themselves
import { machine } from '#arch/arm64/kernel/setup.js';
import { __fortify_panic } from '#lib/string_helpers.js';
import type { bool, int, size_t } from '#linux/types.js';

export { match_string, sysfs_match_string, sysfs_streq } from '#lib/string_helpers.js';

/** Below, at or above 0, as @a sorts before, with or after @b (include/linux/string.h: strcmp()). */
export function strcmp(a: string, b: string): int {
	return a < b ? -1 : a > b ? 1 : 0;
}

/** strcmp() of at most @n letters (include/linux/string.h: strncmp()). */
export function strncmp(a: string, b: string, n: size_t): int {
	return strcmp(a.slice(0, n), b.slice(0, n));
}

/** strcmp() that takes small and capital letters for the same (include/linux/string.h: strcasecmp()). */
export function strcasecmp(a: string, b: string): int {
	return strcmp(a.toLowerCase(), b.toLowerCase());
}

/** Whether @str begins with @prefix (include/linux/string.h: strstarts()). */
export function strstarts(str: string, prefix: string): bool {
	return str.startsWith(prefix);
}

/** The part after the last slash (include/linux/string.h: kbasename()). */
export function kbasename(path: string): string {
	return path.slice(path.lastIndexOf('/') + 1);
}

/** Fill @n bytes with @c; zeros are made line by line where @s is cacheable (include/linux/string.h: memset()). */
export function memset<T extends Uint8Array>(s: T, c: int, n: size_t = s.length): T {
	if (n > s.length) __fortify_panic('memset', true, s.length, n);
	const phys = c === 0 && n > 0 ? machine.memory.phys_of(s) : -1;
	// Zeros over zeros make a cache line dirty as any store does.
	if (phys >= 0 && !machine.memory.is_vmap(s)) machine.memory.zero(phys, n);
	else s.fill(c, 0, n);
	return s;
}

/** Copy @n bytes; the two may overlap (include/linux/string.h: memcpy()). */
export function memcpy(dest: Uint8Array, src: Uint8Array, n: size_t = src.length): Uint8Array {
	if (n > dest.length) __fortify_panic('memcpy', true, dest.length, n);
	if (n > src.length) __fortify_panic('memcpy', false, src.length, n);
	dest.set(n === src.length ? src : src.subarray(0, n));
	return dest;
}

export const memmove = memcpy;

/** Below, at or above 0, by the first byte of @n that differs (include/linux/string.h: memcmp()). */
export function memcmp(a: Uint8Array, b: Uint8Array, n: size_t): int {
	for (let i = 0; i < n; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
	return 0;
}

/** The first byte that is not @c; null when all are (lib/string.c: memchr_inv()). */
export function memchr_inv(start: Uint8Array, c: int, bytes: size_t): Uint8Array | null {
	for (let i = 0; i < bytes; i++) if (start[i] !== c) return start.subarray(i);
	return null;
}
