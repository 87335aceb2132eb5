// SPDX-License-Identifier: GPL-2.0-only
// Single bits and contiguous bit masks, up to 64 bits wide.
// Linux 6.12: include/linux/bits.h, include/vdso/bits.h
import type { u64, unsigned_int, unsigned_long } from '#linux/types.js';

export const BITS_PER_BYTE = 8;
export const BITS_PER_LONG = 64;
export const BITS_PER_LONG_LONG = 64;

/** Bit @nr alone, 0 to 63 (include/vdso/bits.h: BIT()). */
export function BIT(nr: unsigned_int): unsigned_long {
	return nr < 32 ? (1 << nr) >>> 0 : 2 ** nr;
}

/** Bit @nr alone, 0 to 63 (include/vdso/bits.h: BIT_ULL()). */
export function BIT_ULL(nr: unsigned_int): u64 {
	return BIT(nr);
}

/** Bits @h down to @l, both included (include/linux/bits.h: GENMASK()). A mask that does not fit a double exactly is rounded as U64_MAX is. */
export function GENMASK(h: unsigned_int, l: unsigned_int): unsigned_long {
	return h < 32 ? ((2 << h) - (1 << l)) >>> 0 : 2 ** (h + 1) - 2 ** l;
}

/** GENMASK() of a 64-bit value (include/linux/bits.h: GENMASK_ULL()). */
export function GENMASK_ULL(h: unsigned_int, l: unsigned_int): u64 {
	return GENMASK(h, l);
}
