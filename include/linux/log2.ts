// SPDX-License-Identifier: GPL-2.0-only
// Powers of two.
// Linux 6.12: include/linux/log2.h
import { fls64 } from '#linux/math64.js';
import {
	type bool,
	type int,
	U32_MAX,
	U64_MAX,
	type u64,
	type unsigned_int,
	type unsigned_long,
} from '#linux/types.js';

/** Whether @n is a power of two; 0 is none (include/linux/log2.h: is_power_of_2()). */
export function is_power_of_2(n: unsigned_long): bool {
	if (n <= U32_MAX) return n !== 0 && (n & (n - 1)) === 0;
	return n < U64_MAX && 2 ** (fls64(n) - 1) === n;
}

/** The highest set bit of @n; -1 for 0 (include/linux/log2.h: ilog2()). */
export function ilog2(n: u64): int {
	return n <= U32_MAX ? 31 - Math.clz32(n) : fls64(n) - 1;
}

/** The least power of two that is not less than @n (include/linux/log2.h: roundup_pow_of_two()). */
export function roundup_pow_of_two(n: unsigned_long): unsigned_long {
	if (n <= 1) return 1;
	return n <= 0x4000_0000 ? 1 << (32 - Math.clz32(n - 1)) : 2 ** (ilog2(n - 1) + 1);
}

/** The greatest power of two that is not greater than @n (include/linux/log2.h: rounddown_pow_of_two()). */
export function rounddown_pow_of_two(n: unsigned_long): unsigned_long {
	return 2 ** ilog2(n);
}

/** The order of the least power of two that is not less than @n; 0 for 0 and 1 (include/linux/log2.h: order_base_2()). */
export function order_base_2(n: unsigned_long): int {
	return n > 1 ? ilog2(n - 1) + 1 : 0;
}

/** The bits that a number up to @n needs, at least 1 (include/linux/log2.h: bits_per()). */
export function bits_per(n: unsigned_long): unsigned_int {
	return n < 2 ? 1 : ilog2(n) + 1;
}
