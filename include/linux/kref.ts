// SPDX-License-Identifier: GPL-2.0-only
// A reference count with a release function.
// Linux 6.12: include/linux/kref.h
import {
	refcount_dec_and_test,
	refcount_inc,
	refcount_inc_not_zero,
	refcount_read,
	refcount_set,
	refcount_t,
} from '#linux/refcount.js';
import type { embedded, int, unsigned_int } from '#linux/types.js';

export class kref implements embedded {
	readonly refcount = new refcount_t();
	readonly container: object | null;
	constructor(container: object | null = null) {
		this.container = container;
	}
}

/** One reference (include/linux/kref.h: kref_init()). */
export function kref_init(ref: kref): void {
	refcount_set(ref.refcount, 1);
}

/** The number of references (include/linux/kref.h: kref_read()). */
export function kref_read(ref: kref): unsigned_int {
	return refcount_read(ref.refcount);
}

/** One more reference; the caller has one already (include/linux/kref.h: kref_get()). */
export function kref_get(ref: kref): void {
	refcount_inc(ref.refcount);
}

/** One reference fewer; 1 when that was the last and @release was called (include/linux/kref.h: kref_put()). */
export function kref_put(ref: kref, release: (ref: kref) => void): int {
	if (!refcount_dec_and_test(ref.refcount)) return 0;
	release(ref);
	return 1;
}

/** A reference unless the object is on its way out; 0 then (include/linux/kref.h: kref_get_unless_zero()). */
export function kref_get_unless_zero(ref: kref): int {
	return refcount_inc_not_zero(ref.refcount) ? 1 : 0;
}
