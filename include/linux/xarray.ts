// SPDX-License-Identifier: GPL-2.0-only
// Arrays that are sparse: from an index to a pointer.
// Linux 6.12: include/linux/xarray.h
// Left out: the advanced interface (xas_*), value entries, entries that span several indices
import {
	_raw_spin_lock,
	_raw_spin_lock_irqsave,
	_raw_spin_unlock,
	_raw_spin_unlock_irqrestore,
} from '#kernel/locking/spinlock.js';
import { type gfp_t, U32_MAX, type u32, type unsigned_long } from '#linux/types.js';
import { XA_FLAGS_ALLOC, XA_FLAGS_ALLOC1, xa_limit, xarray } from '#linux/xarray_types.js';

export {
	__xa_cmpxchg,
	__xa_erase,
	__xa_insert,
	__xa_store,
	XA_ZERO_ENTRY,
	xa_alloc,
	xa_alloc_cyclic,
	xa_clear_mark,
	xa_cmpxchg,
	xa_destroy,
	xa_empty,
	xa_erase,
	xa_err,
	xa_find,
	xa_find_after,
	xa_for_each,
	xa_for_each_marked,
	xa_for_each_range,
	xa_for_each_start,
	xa_get_mark,
	xa_insert,
	xa_is_err,
	xa_load,
	xa_marked,
	xa_release,
	xa_reserve,
	xa_set_mark,
	xa_store,
} from '#lib/xarray.js';
export {
	XA_FLAGS_ALLOC,
	XA_FLAGS_ALLOC1,
	XA_FLAGS_LOCK_BH,
	XA_FLAGS_LOCK_IRQ,
	XA_MARK_0,
	XA_MARK_1,
	XA_MARK_2,
	XA_PRESENT,
	xa_limit,
	type xa_mark_t,
	xarray,
} from '#linux/xarray_types.js';

export const xa_limit_32b = new xa_limit(0, U32_MAX);
export const xa_limit_31b = new xa_limit(0, 0x7fff_ffff);
export const xa_limit_16b = new xa_limit(0, 0xffff);

/** A range of indices (include/linux/xarray.h: XA_LIMIT()). */
export function XA_LIMIT(min: u32, max: u32): xa_limit {
	return new xa_limit(min, max);
}

/** A new array; make it inside boot_data() (include/linux/xarray.h: DEFINE_XARRAY()). */
export function DEFINE_XARRAY<T>(): xarray<T> {
	return new xarray<T>();
}

/** A new array for xa_alloc() from 0 on; make it inside boot_data() (include/linux/xarray.h: DEFINE_XARRAY_ALLOC()). */
export function DEFINE_XARRAY_ALLOC<T>(): xarray<T> {
	return new xarray<T>(XA_FLAGS_ALLOC);
}

/** A new array for xa_alloc() from 1 on; make it inside boot_data() (include/linux/xarray.h: DEFINE_XARRAY_ALLOC1()). */
export function DEFINE_XARRAY_ALLOC1<T>(): xarray<T> {
	return new xarray<T>(XA_FLAGS_ALLOC1);
}

/** Make @xa empty (include/linux/xarray.h: xa_init_flags()). */
export function xa_init_flags<T>(xa: xarray<T>, flags: gfp_t): void {
	xa.xa_flags = flags;
	xa.xa_head = null;
}

/** Make @xa an empty array without flags (include/linux/xarray.h: xa_init()). */
export function xa_init<T>(xa: xarray<T>): void {
	xa_init_flags(xa, 0);
}

/** Take the lock that the stores take (include/linux/xarray.h: xa_lock()). */
export function xa_lock<T>(xa: xarray<T>): void {
	_raw_spin_lock(xa.xa_lock);
}

/** Let the lock go (include/linux/xarray.h: xa_unlock()). */
export function xa_unlock<T>(xa: xarray<T>): void {
	_raw_spin_unlock(xa.xa_lock);
}

/** xa_lock() with interrupts off (include/linux/xarray.h: xa_lock_irqsave()). */
export function xa_lock_irqsave<T>(xa: xarray<T>): unsigned_long {
	return _raw_spin_lock_irqsave(xa.xa_lock);
}

/** xa_unlock(), and interrupts as @flags say (include/linux/xarray.h: xa_unlock_irqrestore()). */
export function xa_unlock_irqrestore<T>(xa: xarray<T>, flags: unsigned_long): void {
	_raw_spin_unlock_irqrestore(xa.xa_lock, flags);
}
