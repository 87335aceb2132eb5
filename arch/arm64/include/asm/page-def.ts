// SPDX-License-Identifier: GPL-2.0-only
// The page size: 4 KiB.
// Linux 6.12: arch/arm64/include/asm/page-def.h

export const PAGE_SHIFT = 12;
export const PAGE_SIZE = 4096;
/** For 32-bit values; a wider one goes through round_down() or math64. */
export const PAGE_MASK = ~(PAGE_SIZE - 1);
