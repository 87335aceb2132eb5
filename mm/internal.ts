// SPDX-License-Identifier: GPL-2.0-only
// What files of mm/ share.
// Linux 6.12: mm/internal.h
import { PAGE_SHIFT } from '#asm/page-def.js';
import type { unsigned_long } from '#linux/types.js';

/** @x pages in KiB (mm/internal.h: K()). */
export function K(x: unsigned_long): unsigned_long {
	return x * 2 ** (PAGE_SHIFT - 10);
}
