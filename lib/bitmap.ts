// SPDX-License-Identifier: GPL-2.0-only
// Bitmaps: searching, runs of bits, comparing.
// Linux 6.12: lib/bitmap.c, lib/find_bit.c
// Left out: parsing and printing, regions, remapping
import { hweight32 } from '#linux/bitops.js';
import type { bool, int, unsigned_int, unsigned_long } from '#linux/types.js';

// The first bit at or after @start whose word, exclusive-or @invert, has it set.
function find_next(addr: Uint32Array, size: unsigned_long, start: unsigned_long, invert: int): unsigned_long {
	if (start >= size) return size;
	let i = start >>> 5;
	let word = (addr[i]! ^ invert) & (-1 << (start & 31));
	while (word === 0) {
		i++;
		if (i * 32 >= size) return size;
		word = addr[i]! ^ invert;
	}
	const bit = i * 32 + 31 - Math.clz32(word & -word);
	return bit < size ? bit : size;
}

/** The first set bit at or after @offset, @size when none is (include/linux/find.h: find_next_bit()). */
export function find_next_bit(addr: Uint32Array, size: unsigned_long, offset: unsigned_long): unsigned_long {
	return find_next(addr, size, offset, 0);
}

/** The first clear bit at or after @offset, @size when none is (include/linux/find.h: find_next_zero_bit()). */
export function find_next_zero_bit(
	addr: Uint32Array,
	size: unsigned_long,
	offset: unsigned_long,
): unsigned_long {
	return find_next(addr, size, offset, -1);
}

/** The first set bit, @size when none is (include/linux/find.h: find_first_bit()). */
export function find_first_bit(addr: Uint32Array, size: unsigned_long): unsigned_long {
	return find_next(addr, size, 0, 0);
}

/** The first clear bit, @size when none is (include/linux/find.h: find_first_zero_bit()). */
export function find_first_zero_bit(addr: Uint32Array, size: unsigned_long): unsigned_long {
	return find_next(addr, size, 0, -1);
}

/** The last set bit below @size, @size when none is (include/linux/find.h: find_last_bit()). */
export function find_last_bit(addr: Uint32Array, size: unsigned_long): unsigned_long {
	for (let i = ((size + 31) >>> 5) - 1; i >= 0; i--) {
		let word = addr[i]! | 0;
		if ((i + 1) * 32 > size) word &= ~(-1 << (size & 31));
		if (word !== 0) return i * 32 + 31 - Math.clz32(word);
	}
	return size;
}

/** Each set bit (include/linux/find.h: for_each_set_bit()). */
export function* for_each_set_bit(addr: Uint32Array, size: unsigned_long): Iterable<unsigned_long> {
	for (let bit = find_first_bit(addr, size); bit < size; bit = find_next_bit(addr, size, bit + 1)) yield bit;
}

/** Each clear bit (include/linux/find.h: for_each_clear_bit()). */
export function* for_each_clear_bit(addr: Uint32Array, size: unsigned_long): Iterable<unsigned_long> {
	for (let bit = find_first_zero_bit(addr, size); bit < size; bit = find_next_zero_bit(addr, size, bit + 1))
		yield bit;
}

/** Each run of clear bits as [first, end) (include/linux/find.h: for_each_clear_bitrange()). */
export function* for_each_clear_bitrange(
	addr: Uint32Array,
	size: unsigned_long,
): Iterable<[unsigned_long, unsigned_long]> {
	for (let b = find_first_zero_bit(addr, size); b < size; ) {
		const e = find_next_bit(addr, size, b + 1);
		yield [b, e];
		b = find_next_zero_bit(addr, size, e + 1);
	}
}

/** Set bits [start, start + len) (lib/bitmap.c: __bitmap_set()). */
export function __bitmap_set(map: Uint32Array, start: unsigned_int, len: unsigned_int): void {
	const end = start + len;
	for (let bit = start; bit < end; ) {
		const i = bit >>> 5;
		const n = Math.min(32 - (bit & 31), end - bit);
		map[i]! |= n === 32 ? -1 : ((1 << n) - 1) << (bit & 31);
		bit += n;
	}
}

/** Clear bits [start, start + len) (lib/bitmap.c: __bitmap_clear()). */
export function __bitmap_clear(map: Uint32Array, start: unsigned_int, len: unsigned_int): void {
	const end = start + len;
	for (let bit = start; bit < end; ) {
		const i = bit >>> 5;
		const n = Math.min(32 - (bit & 31), end - bit);
		map[i]! &= ~(n === 32 ? -1 : ((1 << n) - 1) << (bit & 31));
		bit += n;
	}
}

/**
 * bitmap_find_next_zero_area_off - Find a run of zeros (lib/bitmap.c: bitmap_find_next_zero_area_off())
 * @map: the bitmap
 * @size: its bits
 * @start: where to begin
 * @nr: the length of the run
 * @align_mask: a power of two less one: index + @align_offset is a multiple of the power
 * @align_offset: see there
 *
 * Return: the run's first bit; a value above @size - @nr when there is none.
 */
export function bitmap_find_next_zero_area_off(
	map: Uint32Array,
	size: unsigned_long,
	start: unsigned_long,
	nr: unsigned_int,
	align_mask: unsigned_long,
	align_offset: unsigned_long,
): unsigned_long {
	const align = align_mask + 1;
	for (let from = start; ; ) {
		const free = find_next_zero_bit(map, size, from);
		const index = Math.ceil((free + align_offset) / align) * align - align_offset;
		const end = index + nr;
		if (end > size) return end;
		const used = find_next_bit(map, end, index);
		if (used >= end) return index;
		from = used + 1;
	}
}

function tail_mask(nbits: unsigned_int): int {
	return (nbits & 31) === 0 ? -1 : (1 << (nbits & 31)) - 1;
}

// Whether @fn is 0 for each word, the bits past @nbits not counted.
function all_zero(nbits: unsigned_int, fn: (i: int) => int): bool {
	const words = (nbits + 31) >>> 5;
	for (let i = 0; i < words; i++) {
		const w = fn(i);
		if ((i === words - 1 ? w & tail_mask(nbits) : w) !== 0) return false;
	}
	return true;
}

/** Whether no bit is set (include/linux/find.h: bitmap_empty()). */
export function bitmap_empty(src: Uint32Array, nbits: unsigned_int): bool {
	return all_zero(nbits, (i) => src[i]!);
}

/** Whether all bits are set (include/linux/find.h: bitmap_full()). */
export function bitmap_full(src: Uint32Array, nbits: unsigned_int): bool {
	return all_zero(nbits, (i) => ~src[i]!);
}

/** Whether the same bits are set (include/linux/find.h: bitmap_equal()). */
export function bitmap_equal(a: Uint32Array, b: Uint32Array, nbits: unsigned_int): bool {
	return all_zero(nbits, (i) => a[i]! ^ b[i]!);
}

/** Whether any bit is set in both (include/linux/find.h: bitmap_intersects()). */
export function bitmap_intersects(a: Uint32Array, b: Uint32Array, nbits: unsigned_int): bool {
	return !all_zero(nbits, (i) => a[i]! & b[i]!);
}

/** Whether @b has every bit of @a (include/linux/find.h: bitmap_subset()). */
export function bitmap_subset(a: Uint32Array, b: Uint32Array, nbits: unsigned_int): bool {
	return all_zero(nbits, (i) => a[i]! & ~b[i]!);
}

/** dst = a & b; whether anything is left (include/linux/bitmap.h: bitmap_and()). */
export function bitmap_and(dst: Uint32Array, a: Uint32Array, b: Uint32Array, nbits: unsigned_int): bool {
	for (let i = 0; i < (nbits + 31) >>> 5; i++) dst[i] = a[i]! & b[i]!;
	return !bitmap_empty(dst, nbits);
}

/** dst = a  ( b: bitmap_or()). */
export function bitmap_or(dst: Uint32Array, a: Uint32Array, b: Uint32Array, nbits: unsigned_int): void {
	for (let i = 0; i < (nbits + 31) >>> 5; i++) dst[i] = a[i]! | b[i]!;
}

/** The number of set bits (include/linux/bitmap.h: bitmap_weight()). */
export function bitmap_weight(src: Uint32Array, nbits: unsigned_int): unsigned_int {
	let n = 0;
	const words = nbits >>> 5;
	for (let i = 0; i < words; i++) n += hweight32(src[i]!);
	if ((nbits & 31) !== 0) n += hweight32((src[words]! & tail_mask(nbits)) >>> 0);
	return n;
}
