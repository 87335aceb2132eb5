// SPDX-License-Identifier: GPL-2.0-only
// Allocators of small numbers.
// Linux 6.12: lib/idr.c

import {
	xa_alloc,
	xa_alloc_cyclic,
	xa_destroy,
	xa_erase,
	xa_find,
	xa_for_each,
	xa_load,
	xa_store,
} from '#lib/xarray.js';
import { WARN } from '#linux/bug.js';
import { ERR_PTR, type err_ptr } from '#linux/err.js';
import { EBUSY, EINVAL, ENOENT, ENOSPC } from '#linux/errno.js';
import type { ida, idr } from '#linux/idr.js';
import {
	type gfp_t,
	INT_MAX,
	type int,
	ref,
	type u32,
	type unsigned_int,
	type unsigned_long,
} from '#linux/types.js';
import { XA_PRESENT, xa_limit } from '#linux/xarray_types.js';

/** The lowest free number in a range; -ENOSPC, -ENOMEM (lib/idr.c: ida_alloc_range()). */
export function ida_alloc_range(ida: ida, min: unsigned_int, max: unsigned_int, gfp: gfp_t): int {
	if (min > INT_MAX) return -ENOSPC;
	const id = new ref<u32>(0);
	const ret = xa_alloc(ida.xa, id, ida, new xa_limit(min, max > INT_MAX ? INT_MAX : max), gfp);
	if (ret === 0) return id.value;
	return ret === -EBUSY ? -ENOSPC : ret;
}

/** Give @id back (lib/idr.c: ida_free()). */
export function ida_free(ida: ida, id: unsigned_int): void {
	if (id > INT_MAX) return;
	if (xa_erase(ida.xa, id) === null) WARN(true, 'ida_free called for id=%d which is not allocated.', id);
}

/** Give all back (lib/idr.c: ida_destroy()). */
export function ida_destroy(ida: ida): void {
	xa_destroy(ida.xa);
}

/** A number in [start, end) for @ptr; end <= 0: no end (lib/idr.c: idr_alloc()). */
export function idr_alloc<T>(idr: idr<T>, ptr: T | null, start: int, end: int, gfp: gfp_t): int {
	if (start < 0) return -EINVAL;
	const id = new ref<u32>(0);
	const ret = xa_alloc(idr.idr_rt, id, ptr, new xa_limit(start, end > 0 ? end - 1 : INT_MAX), gfp);
	if (ret === 0) return id.value;
	return ret === -EBUSY ? -ENOSPC : ret;
}

/** idr_alloc() that goes on after the last one given (lib/idr.c: idr_alloc_cyclic()). */
export function idr_alloc_cyclic<T>(idr: idr<T>, ptr: T | null, start: int, end: int, gfp: gfp_t): int {
	const id = new ref<u32>(0);
	const next = new ref<u32>(idr.idr_next);
	const ret = xa_alloc_cyclic(
		idr.idr_rt,
		id,
		ptr,
		new xa_limit(start, end > 0 ? end - 1 : INT_MAX),
		next,
		gfp,
	);
	if (ret < 0) return ret === -EBUSY ? -ENOSPC : ret;
	idr.idr_next = next.value;
	return id.value;
}

/** The pointer of @id, or null (lib/idr.c: idr_find()). */
export function idr_find<T>(idr: idr<T>, id: unsigned_long): T | null {
	return xa_load(idr.idr_rt, id);
}

/** Free @id; its pointer (lib/idr.c: idr_remove()). */
export function idr_remove<T>(idr: idr<T>, id: unsigned_long): T | null {
	return xa_erase(idr.idr_rt, id);
}

/** Another pointer for @id; the old one, or -ENOENT (lib/idr.c: idr_replace()). */
export function idr_replace<T>(idr: idr<T>, ptr: T | null, id: unsigned_long): T | err_ptr | null {
	const old = xa_load(idr.idr_rt, id);
	if (old === null) return ERR_PTR(-ENOENT);
	xa_store(idr.idr_rt, id, ptr, 0);
	return old;
}

/** The first pointer whose number is at least @nextid, which moves there (lib/idr.c: idr_get_next()). */
export function idr_get_next<T>(idr: idr<T>, nextid: ref<int>): T | null {
	return xa_find(idr.idr_rt, nextid, INT_MAX, XA_PRESENT);
}

/** Each [number, pointer] (include/linux/idr.h: idr_for_each_entry()). */
export function idr_for_each_entry<T>(idr: idr<T>): Iterable<[unsigned_long, T]> {
	return xa_for_each(idr.idr_rt);
}

/** Free all numbers (lib/idr.c: idr_destroy()). */
export function idr_destroy<T>(idr: idr<T>): void {
	xa_destroy(idr.idr_rt);
}
