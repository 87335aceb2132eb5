// SPDX-License-Identifier: GPL-2.0-only
// The size of a CPU page: 4 KiB, or 16 KiB in a kernel that was built so.
// Linux 6.12: arch/arm64/include/asm/page-def.h
import { CONFIG_PAGE_SHIFT } from '#linux/kconfig.js';
import type { int, unsigned_long } from '#linux/types.js';

export const PAGE_SHIFT: int = CONFIG_PAGE_SHIFT;
export const PAGE_SIZE: unsigned_long = 2 ** PAGE_SHIFT;
/** For 32-bit values; a wider one goes through round_down() or math64. */
export const PAGE_MASK: int = ~(PAGE_SIZE - 1);
