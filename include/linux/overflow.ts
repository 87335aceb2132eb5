// SPDX-License-Identifier: GPL-2.0-only
// Arithmetic that says when it does not fit.
// Linux 6.12: include/linux/overflow.h
// 64-bit results are exact to 2^53 - 1 (DESIGN.md, "Numbers"): a greater one counts as an overflow.
// C's macros take any integer type, so here the parameters are plain numbers.
import { type bool, type ref, SIZE_MAX, type s64, type size_t, U32_MAX } from '#linux/types.js';

/** a + b into @d; true when it does not fit (include/linux/overflow.h: check_add_overflow()). */
export function check_add_overflow(
	a: number,
	b: number,
	d: ref<number>,
	limit: number = Number.MAX_SAFE_INTEGER,
): bool {
	d.value = a + b;
	return d.value > limit;
}

/** a - b into @d; true when it is below 0 (include/linux/overflow.h: check_sub_overflow()). */
export function check_sub_overflow(a: number, b: number, d: ref<number>): bool {
	d.value = a - b;
	return d.value < 0;
}

/** a * b into @d; true when it does not fit (include/linux/overflow.h: check_mul_overflow()). */
export function check_mul_overflow(
	a: number,
	b: number,
	d: ref<number>,
	limit: number = Number.MAX_SAFE_INTEGER,
): bool {
	d.value = a * b;
	return d.value > limit;
}

/** a * b, or SIZE_MAX when that does not fit (include/linux/overflow.h: array_size()). */
export function array_size(a: size_t, b: size_t): size_t {
	const n = a * b;
	return n > Number.MAX_SAFE_INTEGER ? SIZE_MAX : n;
}

export const size_mul = array_size;

/** a + b, or SIZE_MAX when that does not fit (include/linux/overflow.h: size_add()). */
export function size_add(a: size_t, b: size_t): size_t {
	const n = a + b;
	return n > Number.MAX_SAFE_INTEGER ? SIZE_MAX : n;
}

/** Whether @n fits 32 bits unsigned. */
export function overflows_u32(n: s64): bool {
	return n > U32_MAX || n < 0;
}
