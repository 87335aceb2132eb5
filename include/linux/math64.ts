// SPDX-License-Identifier: GPL-2.0-only
// 64-bit values as plain numbers: masks and shifts beyond 32 bits.
// Linux 6.12: include/linux/math64.h; the helpers' names are ours, C writes the operators.
import { type int, U32_MAX, U64_MAX, type u32, type u64, type unsigned_int } from '#linux/types.js';

const TWO_32 = 0x1_0000_0000;

// Most values fit 32 bits, where the operators do; the division and the modulo of doubles cost ten times as much.

/** Bits 63:32 of @v. */
export function upper_32_bits(v: u64): u32 {
	if (v <= U32_MAX) return 0;
	return v >= U64_MAX ? 0xffff_ffff : Math.floor(v / TWO_32) >>> 0;
}

/** Bits 31:0 of @v. */
export function lower_32_bits(v: u64): u32 {
	if (v <= U32_MAX) return v;
	return v >= U64_MAX ? 0xffff_ffff : v % TWO_32;
}

/** @hi and @lo as one 64-bit value; all ones is U64_MAX. */
export function make_u64(hi: u32, lo: u32): u64 {
	return hi * TWO_32 + lo;
}

/** a & b. */
export function and64(a: u64, b: u64): u64 {
	if (a <= U32_MAX && b <= U32_MAX) return (a & b) >>> 0;
	return make_u64((upper_32_bits(a) & upper_32_bits(b)) >>> 0, (lower_32_bits(a) & lower_32_bits(b)) >>> 0);
}

/** a | b. */
export function or64(a: u64, b: u64): u64 {
	if (a <= U32_MAX && b <= U32_MAX) return (a | b) >>> 0;
	return make_u64((upper_32_bits(a) | upper_32_bits(b)) >>> 0, (lower_32_bits(a) | lower_32_bits(b)) >>> 0);
}

/** a ^ b. */
export function xor64(a: u64, b: u64): u64 {
	if (a <= U32_MAX && b <= U32_MAX) return (a ^ b) >>> 0;
	return make_u64((upper_32_bits(a) ^ upper_32_bits(b)) >>> 0, (lower_32_bits(a) ^ lower_32_bits(b)) >>> 0);
}

/** ~a. */
export function not64(a: u64): u64 {
	return make_u64(~upper_32_bits(a) >>> 0, ~lower_32_bits(a) >>> 0);
}

/** a << n, cut to 64 bits. */
export function shl64(a: u64, n: unsigned_int): u64 {
	if (n >= 64) return 0;
	if (n >= 32) return make_u64((lower_32_bits(a) << (n - 32)) >>> 0, 0);
	if (n === 0) return a;
	const lo = lower_32_bits(a);
	return make_u64(((upper_32_bits(a) << n) | (lo >>> (32 - n))) >>> 0, (lo << n) >>> 0);
}

/** a >> n, unsigned. */
export function shr64(a: u64, n: unsigned_int): u64 {
	if (a <= U32_MAX && n < 32) return a >>> n;
	if (n >= 64) return 0;
	if (n >= 32) return upper_32_bits(a) >>> (n - 32);
	if (n === 0) return a;
	const hi = upper_32_bits(a);
	return make_u64(hi >>> n, ((lower_32_bits(a) >>> n) | (hi << (32 - n))) >>> 0);
}

/** The number of the highest set bit plus one; 0 for 0 (include/linux/bitops.h: fls64()). */
export function fls64(a: u64): int {
	if (a <= U32_MAX) return 32 - Math.clz32(a);
	const hi = upper_32_bits(a);
	return hi !== 0 ? 64 - Math.clz32(hi) : 32 - Math.clz32(lower_32_bits(a));
}

/** The number of the lowest set bit; 64 for 0 (include/linux/bitops.h: __ffs64()). */
export function __ffs64(a: u64): int {
	const lo = lower_32_bits(a);
	if (lo !== 0) return 31 - Math.clz32(lo & -lo);
	const hi = upper_32_bits(a);
	return hi !== 0 ? 63 - Math.clz32(hi & -hi) : 64;
}

/** The number of set bits (include/linux/bitops.h: hweight64()). */
export function hweight64(a: u64): int {
	let n = 0;
	for (let w = lower_32_bits(a); w !== 0; w = (w & (w - 1)) >>> 0) n++;
	for (let w = upper_32_bits(a); w !== 0; w = (w & (w - 1)) >>> 0) n++;
	return n;
}
