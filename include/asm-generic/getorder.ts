// SPDX-License-Identifier: GPL-2.0-only
// The page-allocation order of a size.
// Linux 6.12: include/asm-generic/getorder.h
import { PAGE_SHIFT } from '#asm/page-def.js';
import { fls64 } from '#linux/math64.js';
import type { int, unsigned_long } from '#linux/types.js';

/** The least order whose pages hold @size bytes; a size of 0 gives 64 - PAGE_SHIFT (include/asm-generic/getorder.h: get_order()). */
export function get_order(size: unsigned_long): int {
	if (size === 0) return 64 - PAGE_SHIFT;
	return fls64(Math.floor((size - 1) / 2 ** PAGE_SHIFT));
}
