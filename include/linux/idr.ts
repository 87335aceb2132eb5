// SPDX-License-Identifier: GPL-2.0-only
// Allocators of small numbers, with and without a pointer for each.
// Linux 6.12: include/linux/idr.h
// Linux keeps 128 numbers in each entry of an ida's xarray; here each has an entry of its own.
import { ida_alloc_range, ida_free } from '#lib/idr.js';
import { type bool, type gfp_t, INT_MAX, type int, type unsigned_int } from '#linux/types.js';
import { XA_FLAGS_ALLOC, xarray } from '#linux/xarray_types.js';

export {
	ida_alloc_range,
	ida_destroy,
	ida_free,
	idr_alloc,
	idr_alloc_cyclic,
	idr_destroy,
	idr_find,
	idr_for_each_entry,
	idr_get_next,
	idr_remove,
	idr_replace,
} from '#lib/idr.js';

export class ida {
	readonly xa = new xarray<object>(XA_FLAGS_ALLOC);
}

export class idr<T> {
	readonly idr_rt = new xarray<T>(XA_FLAGS_ALLOC);
	idr_base: unsigned_int = 0;
	idr_next: unsigned_int = 0;
}

/** A new ida; make it inside boot_data() (include/linux/idr.h: DEFINE_IDA()). */
export function DEFINE_IDA(): ida {
	return new ida();
}

/** A new idr; make it inside boot_data() (include/linux/idr.h: DEFINE_IDR()). */
export function DEFINE_IDR<T>(): idr<T> {
	return new idr<T>();
}

/** Make @ida empty (include/linux/idr.h: ida_init()). */
export function ida_init(ida: ida): void {
	ida.xa.xa_head = null;
}

/** Make @idr empty (include/linux/idr.h: idr_init()). */
export function idr_init<T>(idr: idr<T>): void {
	idr.idr_rt.xa_head = null;
	idr.idr_next = 0;
}

/** The lowest free number, -ENOMEM or -ENOSPC (include/linux/idr.h: ida_alloc()). */
export function ida_alloc(ida: ida, gfp: gfp_t): int {
	return ida_alloc_range(ida, 0, INT_MAX, gfp);
}

/** The lowest free number that is at least @min (include/linux/idr.h: ida_alloc_min()). */
export function ida_alloc_min(ida: ida, min: unsigned_int, gfp: gfp_t): int {
	return ida_alloc_range(ida, min, INT_MAX, gfp);
}

/** The lowest free number that is at most @max (include/linux/idr.h: ida_alloc_max()). */
export function ida_alloc_max(ida: ida, max: unsigned_int, gfp: gfp_t): int {
	return ida_alloc_range(ida, 0, max, gfp);
}

export const ida_simple_remove = ida_free;

/** Whether no number is taken (include/linux/idr.h: ida_is_empty()). */
export function ida_is_empty(ida: ida): bool {
	return ida.xa.xa_head === null;
}

/** Whether no number is taken (include/linux/idr.h: idr_is_empty()). */
export function idr_is_empty<T>(idr: idr<T>): bool {
	return idr.idr_rt.xa_head === null;
}
