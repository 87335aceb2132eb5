// SPDX-License-Identifier: GPL-2.0-only
// The square root of a whole number, rounded down.
// Linux 6.12: lib/math/int_sqrt.c
import type { u32, u64, unsigned_long } from '#linux/types.js';

/** The greatest number whose square is not above @x (lib/math/int_sqrt.c: int_sqrt()). */
export function int_sqrt(x: unsigned_long): unsigned_long {
	const root = Math.floor(Math.sqrt(x));
	// The square root of a double is rounded: near a square of more than 52 bits that may be upwards.
	return root * root > x ? root - 1 : root;
}

/** int_sqrt() of 64 bits (lib/math/int_sqrt.c: int_sqrt64()). */
export function int_sqrt64(x: u64): u32 {
	return int_sqrt(x);
}
