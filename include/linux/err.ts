// SPDX-License-Identifier: GPL-2.0-only
// Error pointers: a pointer result that can carry an errno instead.
// Linux 6.12: include/linux/err.h
import type { bool, int, long, unsigned_long } from '#linux/types.js';

export const MAX_ERRNO = 4095;

/** What ERR_PTR() makes; the type of a function that can fail so names it. */
export class err_ptr {
	constructor(readonly errno: int) {}
}

const pool: err_ptr[] = [];

/** An error pointer for @error, a negative errno (include/linux/err.h: ERR_PTR()). */
export function ERR_PTR(error: long): err_ptr {
	let e = pool[-error];
	if (e === undefined) {
		e = new err_ptr(error);
		pool[-error] = e;
	}
	return e;
}

/** The negative errno in @ptr; 0 for a real pointer (include/linux/err.h: PTR_ERR()). */
export function PTR_ERR(ptr: unknown): long {
	return ptr instanceof err_ptr ? ptr.errno : 0;
}

/** Whether @ptr is an error pointer (include/linux/err.h: IS_ERR()). */
export function IS_ERR(ptr: unknown): ptr is err_ptr {
	return ptr instanceof err_ptr;
}

/** Whether @ptr is null or an error pointer (include/linux/err.h: IS_ERR_OR_NULL()). */
export function IS_ERR_OR_NULL(ptr: unknown): ptr is err_ptr | null {
	return ptr === null || ptr instanceof err_ptr;
}

/** 0 for a real pointer, the errno otherwise (include/linux/err.h: PTR_ERR_OR_ZERO()). */
export function PTR_ERR_OR_ZERO(ptr: unknown): int {
	return ptr instanceof err_ptr ? ptr.errno : 0;
}

/** Whether @x is a negative errno (include/linux/err.h: IS_ERR_VALUE()). */
export function IS_ERR_VALUE(x: unsigned_long): bool {
	return x < 0 && x >= -MAX_ERRNO;
}
