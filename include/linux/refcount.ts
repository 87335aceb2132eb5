// SPDX-License-Identifier: GPL-2.0-only
// Reference counters that saturate, and say so, instead of wrapping.
// Linux 6.12: include/linux/refcount.h, lib/refcount.c
// Left out: the variants that take a lock at zero, except refcount_dec_and_mutex_lock()
import { mutex_lock, mutex_unlock } from '#kernel/locking/mutex.js';
import { WARN_ONCE } from '#linux/bug.js';
import type { mutex } from '#linux/mutex_types.js';
import type { bool, int, unsigned_int } from '#linux/types.js';

export const REFCOUNT_SATURATED: int = -0x4000_0000;

export class refcount_t {
	counter: int;
	constructor(n: int = 0) {
		this.counter = n;
	}
}

/** A counter that starts at @n (include/linux/refcount.h: REFCOUNT_INIT()). */
export function REFCOUNT_INIT(n: int): refcount_t {
	return new refcount_t(n);
}

/** Set the counter, before anybody else sees it (include/linux/refcount.h: refcount_set()). */
export function refcount_set(r: refcount_t, n: int): void {
	r.counter = n;
}

/** The number of references (include/linux/refcount.h: refcount_read()). */
export function refcount_read(r: refcount_t): unsigned_int {
	return r.counter;
}

function saturate(r: refcount_t, what: string): void {
	r.counter = REFCOUNT_SATURATED;
	WARN_ONCE(true, 'refcount_t: %s', what);
}

/** Add @i (include/linux/refcount.h: refcount_add()). */
export function refcount_add(i: int, r: refcount_t): void {
	const old = r.counter;
	r.counter = old + i;
	if (old === 0) saturate(r, 'addition on 0; use-after-free.');
	else if (old < 0 || r.counter > 0x7fff_ffff) saturate(r, 'saturated; leaking memory.');
}

/** One reference more (include/linux/refcount.h: refcount_inc()). */
export function refcount_inc(r: refcount_t): void {
	refcount_add(1, r);
}

/** One reference more unless there is none (include/linux/refcount.h: refcount_inc_not_zero()). */
export function refcount_inc_not_zero(r: refcount_t): bool {
	if (r.counter === 0) return false;
	refcount_add(1, r);
	return true;
}

/** @i references fewer; true when none is left (include/linux/refcount.h: refcount_sub_and_test()). */
export function refcount_sub_and_test(i: int, r: refcount_t): bool {
	const old = r.counter;
	if (old === i) {
		r.counter = 0;
		return true;
	}
	r.counter = old - i;
	if (old < 0 || old - i < 0) saturate(r, 'underflow; use-after-free.');
	return false;
}

/** One reference fewer; true when it was the last (include/linux/refcount.h: refcount_dec_and_test()). */
export function refcount_dec_and_test(r: refcount_t): bool {
	return refcount_sub_and_test(1, r);
}

/** One reference fewer, which must not be the last (include/linux/refcount.h: refcount_dec()). */
export function refcount_dec(r: refcount_t): void {
	if (--r.counter <= 0) saturate(r, 'decrement hit 0; leaking memory.');
}

/** One reference fewer, unless it is the last: then false (lib/refcount.c: refcount_dec_not_one()). */
export function refcount_dec_not_one(r: refcount_t): bool {
	if (r.counter === REFCOUNT_SATURATED) return true;
	if (r.counter === 1) return false;
	if (WARN_ONCE(r.counter < 1, 'refcount_t: underflow; use-after-free.')) return true;
	r.counter--;
	return true;
}

/** refcount_dec_and_test(), with @lock held when it answers true (lib/refcount.c: refcount_dec_and_mutex_lock()). */
export function refcount_dec_and_mutex_lock(r: refcount_t, lock: mutex): bool {
	if (r.counter !== 1) {
		refcount_sub_and_test(1, r);
		return false;
	}
	mutex_lock(lock);
	if (refcount_dec_and_test(r)) return true;
	mutex_unlock(lock);
	return false;
}
