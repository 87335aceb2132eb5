// SPDX-License-Identifier: GPL-2.0-only
// Counting and finding bits in a word, and bits of a bitmap.
// Linux 6.12: include/linux/bitops.h, include/asm-generic/bitops/
//
// A bitmap (C: unsigned long *) is a Uint32Array here; bit n is bit n % 32 of word n / 32.
import { schedule_point } from '#arch/arm64/kernel/setup.js';
import type { bool, int, u32, unsigned_int, unsigned_long } from '#linux/types.js';

export { __ffs64, fls64, hweight64 } from '#linux/math64.js';

import { __ffs64, fls64, hweight64 } from '#linux/math64.js';

/** The width of one word of a bitmap. */
export const BITS_PER_WORD = 32;

/** The words that @nr bits take (include/linux/bitops.h: BITS_TO_LONGS()). */
export function BITS_TO_LONGS(nr: unsigned_int): unsigned_int {
	return (nr + 31) >>> 5;
}

/** One plus the highest set bit; 0 for 0 (asm-generic/bitops/fls.h: fls()). */
export function fls(x: u32): int {
	return 32 - Math.clz32(x);
}

/** One plus the lowest set bit; 0 for 0 (asm-generic/bitops/ffs.h: ffs()). */
export function ffs(x: u32): int {
	return x === 0 ? 0 : 32 - Math.clz32(x & -x);
}

/** The highest set bit of a long that is not 0 (asm-generic/bitops/__fls.h: __fls()). */
export function __fls(word: unsigned_long): unsigned_long {
	return fls64(word) - 1;
}

/** The lowest set bit of a long that is not 0 (asm-generic/bitops/__ffs.h: __ffs()). */
export function __ffs(word: unsigned_long): unsigned_long {
	return __ffs64(word);
}

/** fls() of a long (include/linux/bitops.h: fls_long()). */
export function fls_long(l: unsigned_long): unsigned_int {
	return fls64(l);
}

/** The number of set bits (include/linux/bitops.h: hweight32()). */
export function hweight32(w: u32): unsigned_int {
	let v = w - ((w >>> 1) & 0x5555_5555);
	v = (v & 0x3333_3333) + ((v >>> 2) & 0x3333_3333);
	return Math.imul((v + (v >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}

/** The number of set bits of a long (include/linux/bitops.h: hweight_long()). */
export function hweight_long(w: unsigned_long): unsigned_long {
	return hweight64(w);
}

/** @value with its sign bit @index spread upwards (include/linux/bitops.h: sign_extend32()). */
export function sign_extend32(value: u32, index: int): int {
	const shift = 31 - index;
	return (value << shift) >> shift;
}

/** Rotate left (include/linux/bitops.h: rol32()). */
export function rol32(word: u32, shift: unsigned_int): u32 {
	return ((word << (shift & 31)) | (word >>> (-shift & 31))) >>> 0;
}

/** Set bit @nr of @addr (asm-generic/bitops/atomic.h: set_bit()). */
export function set_bit(nr: unsigned_int, addr: Uint32Array): void {
	addr[nr >>> 5]! |= 1 << (nr & 31);
}

/** Clear bit @nr of @addr (asm-generic/bitops/atomic.h: clear_bit()). */
export function clear_bit(nr: unsigned_int, addr: Uint32Array): void {
	addr[nr >>> 5]! &= ~(1 << (nr & 31));
}

/** Flip bit @nr of @addr (asm-generic/bitops/atomic.h: change_bit()). */
export function change_bit(nr: unsigned_int, addr: Uint32Array): void {
	addr[nr >>> 5]! ^= 1 << (nr & 31);
}

/** Whether bit @nr of @addr is set (include/linux/bitops.h: test_bit()). */
export function test_bit(nr: unsigned_int, addr: Uint32Array): bool {
	return ((addr[nr >>> 5]! >>> (nr & 31)) & 1) !== 0;
}

/** test_and_set_bit() by one who knows that nobody else is at it (asm-generic/bitops/non-atomic.h). */
export function __test_and_set_bit(nr: unsigned_int, addr: Uint32Array): bool {
	const old = test_bit(nr, addr);
	set_bit(nr, addr);
	return old;
}

/** test_and_clear_bit() by one who knows that nobody else is at it (asm-generic/bitops/non-atomic.h). */
export function __test_and_clear_bit(nr: unsigned_int, addr: Uint32Array): bool {
	const old = test_bit(nr, addr);
	clear_bit(nr, addr);
	return old;
}

/** Set bit @nr and answer what it was (asm-generic/bitops/atomic.h: test_and_set_bit()). */
export function test_and_set_bit(nr: unsigned_int, addr: Uint32Array): bool {
	schedule_point('xchg', 0);
	return __test_and_set_bit(nr, addr);
}

/** Clear bit @nr and answer what it was (asm-generic/bitops/atomic.h: test_and_clear_bit()). */
export function test_and_clear_bit(nr: unsigned_int, addr: Uint32Array): bool {
	schedule_point('xchg', 0);
	return __test_and_clear_bit(nr, addr);
}

export const __set_bit = set_bit;
export const __clear_bit = clear_bit;
