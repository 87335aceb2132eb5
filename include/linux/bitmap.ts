// SPDX-License-Identifier: GPL-2.0-only
// Bitmaps in words of 32 bits.
// Linux 6.12: include/linux/bitmap.h, include/linux/find.h
import { __bitmap_clear, __bitmap_set, bitmap_find_next_zero_area_off, find_next_bit } from '#lib/bitmap.js';
import { BITS_TO_LONGS } from '#linux/bitops.js';
import { EBUSY, ENOMEM } from '#linux/errno.js';
import { __GFP_ZERO } from '#linux/gfp_types.js';
import type { gfp_t, int, unsigned_int, unsigned_long } from '#linux/types.js';
import { kmalloc_array_of_words } from '#mm/slub.js';

export {
	bitmap_and,
	bitmap_empty,
	bitmap_equal,
	bitmap_find_next_zero_area_off,
	bitmap_full,
	bitmap_intersects,
	bitmap_or,
	bitmap_subset,
	bitmap_weight,
	find_first_bit,
	find_first_zero_bit,
	find_last_bit,
	find_next_bit,
	find_next_zero_bit,
	for_each_clear_bit,
	for_each_clear_bitrange,
	for_each_set_bit,
} from '#lib/bitmap.js';
export { kfree as bitmap_free } from '#mm/slub.js';

/** A map of bits: `unsigned long *` in C. */
export type bitmap = Uint32Array;

/** A bitmap inside a struct (include/linux/types.h: DECLARE_BITMAP()). */
export function DECLARE_BITMAP(bits: unsigned_int): Uint32Array {
	return new Uint32Array(BITS_TO_LONGS(bits));
}

/** A bitmap of @nbits, or null (lib/bitmap.c: bitmap_alloc()). */
export function bitmap_alloc(nbits: unsigned_int, flags: gfp_t): Uint32Array | null {
	return kmalloc_array_of_words(BITS_TO_LONGS(nbits), flags);
}

/** A bitmap of @nbits zeros, or null (lib/bitmap.c: bitmap_zalloc()). */
export function bitmap_zalloc(nbits: unsigned_int, flags: gfp_t): Uint32Array | null {
	return bitmap_alloc(nbits, flags | __GFP_ZERO);
}

/** Clear all bits (include/linux/bitmap.h: bitmap_zero()). */
export function bitmap_zero(dst: Uint32Array, nbits: unsigned_int): void {
	dst.fill(0, 0, BITS_TO_LONGS(nbits));
}

/** Set all bits, to the end of the last word (include/linux/bitmap.h: bitmap_fill()). */
export function bitmap_fill(dst: Uint32Array, nbits: unsigned_int): void {
	dst.fill(0xffff_ffff, 0, BITS_TO_LONGS(nbits));
}

/** Copy the words that hold @nbits (include/linux/bitmap.h: bitmap_copy()). */
export function bitmap_copy(dst: Uint32Array, src: Uint32Array, nbits: unsigned_int): void {
	dst.set(src.subarray(0, BITS_TO_LONGS(nbits)));
}

/** Set @nbits bits from @start on (include/linux/bitmap.h: bitmap_set()). */
export function bitmap_set(map: Uint32Array, start: unsigned_int, nbits: unsigned_int): void {
	__bitmap_set(map, start, nbits);
}

/** Clear @nbits bits from @start on (include/linux/bitmap.h: bitmap_clear()). */
export function bitmap_clear(map: Uint32Array, start: unsigned_int, nbits: unsigned_int): void {
	__bitmap_clear(map, start, nbits);
}

/** The first aligned run of @nr zeros at or after @start; >= @size when there is none (include/linux/bitmap.h: bitmap_find_next_zero_area()). */
export function bitmap_find_next_zero_area(
	map: Uint32Array,
	size: unsigned_long,
	start: unsigned_long,
	nr: unsigned_int,
	align_mask: unsigned_long,
): unsigned_long {
	return bitmap_find_next_zero_area_off(map, size, start, nr, align_mask, 0);
}

/** Take an aligned run of 2^@order zero bits (include/linux/bitmap.h: bitmap_find_free_region()); -ENOMEM without one. */
export function bitmap_find_free_region(bitmap: Uint32Array, bits: unsigned_int, order: int): int {
	const nr = 2 ** order;
	for (let pos = 0; pos + nr <= bits; pos += nr) {
		if (bitmap_allocate_region(bitmap, pos, order) === 0) return pos;
	}
	return -ENOMEM;
}

/** Clear the 2^@order bits from @pos on (include/linux/bitmap.h: bitmap_release_region()). */
export function bitmap_release_region(bitmap: Uint32Array, pos: unsigned_int, order: int): void {
	bitmap_clear(bitmap, pos, 2 ** order);
}

/** Set the 2^@order bits from @pos on; -EBUSY when one of them is set (include/linux/bitmap.h: bitmap_allocate_region()). */
export function bitmap_allocate_region(bitmap: Uint32Array, pos: unsigned_int, order: int): int {
	const len = 2 ** order;
	if (find_next_bit(bitmap, pos + len, pos) < pos + len) return -EBUSY;
	bitmap_set(bitmap, pos, len);
	return 0;
}
