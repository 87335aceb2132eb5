// SPDX-License-Identifier: GPL-2.0-only
// The lesser, the greater, and what lies between.
// Linux 6.12: include/linux/minmax.h
// C's macros take any integer type, so here the parameters are plain numbers.

/** The lesser of two (include/linux/minmax.h: min()). */
export function min(x: number, y: number): number {
	return Math.min(x, y);
}

/** The greater of two (include/linux/minmax.h: max()). */
export function max(x: number, y: number): number {
	return Math.max(x, y);
}

/** The least of three (include/linux/minmax.h: min3()). */
export function min3(x: number, y: number, z: number): number {
	return min(min(x, y), z);
}

/** The greatest of three (include/linux/minmax.h: max3()). */
export function max3(x: number, y: number, z: number): number {
	return max(max(x, y), z);
}

function as_type(type: string, x: number): number {
	switch (type) {
		case 'u8':
			return x & 0xff;
		case 'u16':
			return x & 0xffff;
		case 'u32':
		case 'unsigned_int':
		case 'unsigned int':
			return x >>> 0;
		case 'int':
		case 's32':
			return x | 0;
		default:
			return x;
	}
}

/** The lesser of two, both taken as @type (include/linux/minmax.h: min_t()). */
export function min_t(type: string, x: number, y: number): number {
	return min(as_type(type, x), as_type(type, y));
}

/** The greater of two, both taken as @type (include/linux/minmax.h: max_t()). */
export function max_t(type: string, x: number, y: number): number {
	return max(as_type(type, x), as_type(type, y));
}

/** The lesser of two that is not 0; 0 when both are (include/linux/minmax.h: min_not_zero()). */
export function min_not_zero(x: number, y: number): number {
	if (x === 0) return y;
	return y === 0 ? x : min(x, y);
}

/** @val, but not below @lo nor above @hi (include/linux/minmax.h: clamp()). */
export function clamp(val: number, lo: number, hi: number): number {
	return Math.min(Math.max(val, lo), hi);
}

/** clamp() with all three taken as @type (include/linux/minmax.h: clamp_t()). */
export function clamp_t(type: string, val: number, lo: number, hi: number): number {
	return clamp(as_type(type, val), as_type(type, lo), as_type(type, hi));
}
