// SPDX-License-Identifier: GPL-2.0-only
// Division and rounding.
// Linux 6.12: include/linux/math.h
import { ALIGN, ALIGN_DOWN } from '#linux/align.js';
import type { int, u64 } from '#linux/types.js';

/** @n / @d, rounded up (include/uapi/linux/const.h: __KERNEL_DIV_ROUND_UP()). */
export function DIV_ROUND_UP(n: u64, d: u64): u64 {
	return Math.floor((n + d - 1) / d);
}

export const DIV_ROUND_UP_ULL = DIV_ROUND_UP;

/** @n / @d, rounded to the nearest, halves up (include/linux/math.h: DIV_ROUND_CLOSEST()). */
export function DIV_ROUND_CLOSEST(n: u64, d: u64): u64 {
	return Math.floor((n + Math.floor(d / 2)) / d);
}

/** @x rounded up to a multiple of @y, a power of two (include/linux/math.h: round_up()). */
export function round_up(x: u64, y: u64): u64 {
	return ALIGN(x, y);
}

/** @x rounded down to a multiple of @y, a power of two (include/linux/math.h: round_down()). */
export function round_down(x: u64, y: u64): u64 {
	return ALIGN_DOWN(x, y);
}

/** @x rounded up to a multiple of any @y (include/linux/math.h: roundup()). */
export function roundup(x: u64, y: u64): u64 {
	return Math.floor((x + y - 1) / y) * y;
}

/** @x rounded down to a multiple of any @y (include/linux/math.h: rounddown()). */
export function rounddown(x: u64, y: u64): u64 {
	return x - (x % y);
}

/** The distance from 0 (include/linux/math.h: abs()). */
export function abs(x: int): int {
	return x < 0 ? -x : x;
}

/** a * b / c without losing bits between (include/linux/math64.h: mul_u64_u32_div()); exact while a * b < 2^53. */
export function mult_frac(x: u64, n: u64, d: u64): u64 {
	const q = Math.floor(x / d);
	return q * n + Math.floor(((x % d) * n) / d);
}
