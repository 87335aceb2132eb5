// SPDX-License-Identifier: GPL-2.0-only
// Rounding to a power of two.
// Linux 6.12: include/linux/align.h
import { type bool, U64_MAX, type u64 } from '#linux/types.js';

/** @x's bits below @a; JavaScript's & takes a double modulo 2^32, which is all that counts here. */
function below(x: u64, a: u64): u64 {
	return a <= 0x4000_0000 ? x & (a - 1) : x % a;
}

/** @x rounded down to a multiple of @a, a power of two (include/linux/align.h: ALIGN_DOWN()). */
export function ALIGN_DOWN(x: u64, a: u64): u64 {
	if (x >= U64_MAX) return U64_MAX - (a <= 2048 ? 2048 : a);
	return x - below(x, a);
}

/** @x rounded up to a multiple of @a, a power of two (include/linux/align.h: ALIGN()). */
export function ALIGN(x: u64, a: u64): u64 {
	const rest = below(x, a);
	return rest === 0 ? x : x - rest + a;
}

/** Whether @x is a multiple of @a, a power of two (include/linux/align.h: IS_ALIGNED()). */
export function IS_ALIGNED(x: u64, a: u64): bool {
	return x < U64_MAX ? below(x, a) === 0 : a === 1;
}
