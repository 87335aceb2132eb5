// SPDX-License-Identifier: GPL-2.0-only
// Atomic counters and exchanges. Each exchange is a scheduling point.
// Linux 6.12: include/linux/atomic.h, include/linux/atomic/atomic-instrumented.h
import { schedule_point } from '#arch/arm64/kernel/setup.js';
import { type atomic_t, type bool, type int, type long, ref } from '#linux/types.js';

export type { atomic_t };
export type atomic_long_t = atomic_t;
export type atomic64_t = atomic_t;

/** An atomic counter that starts at @i (include/linux/types.h: ATOMIC_INIT()). */
export function ATOMIC_INIT(i: int): atomic_t {
	return { counter: i };
}

/** The counter (include/linux/atomic/atomic-instrumented.h: atomic_read()). */
export function atomic_read(v: atomic_t): int {
	return v.counter;
}

/** Set the counter (include/linux/atomic/atomic-instrumented.h: atomic_set()). */
export function atomic_set(v: atomic_t, i: int): void {
	v.counter = i;
}

/** Add @i (include/linux/atomic/atomic-instrumented.h: atomic_add()). */
export function atomic_add(i: int, v: atomic_t): void {
	v.counter += i;
}

/** Take off @i (include/linux/atomic/atomic-instrumented.h: atomic_sub()). */
export function atomic_sub(i: int, v: atomic_t): void {
	v.counter -= i;
}

/** Add 1 (include/linux/atomic/atomic-instrumented.h: atomic_inc()). */
export function atomic_inc(v: atomic_t): void {
	v.counter++;
}

/** Take off 1 (include/linux/atomic/atomic-instrumented.h: atomic_dec()). */
export function atomic_dec(v: atomic_t): void {
	v.counter--;
}

/** Add @i; what it is then (include/linux/atomic/atomic-instrumented.h: atomic_add_return()). */
export function atomic_add_return(i: int, v: atomic_t): int {
	v.counter += i;
	return v.counter;
}

/** Take off @i; what it is then (include/linux/atomic/atomic-instrumented.h: atomic_sub_return()). */
export function atomic_sub_return(i: int, v: atomic_t): int {
	v.counter -= i;
	return v.counter;
}

/** Add 1; what it is then (include/linux/atomic/atomic-instrumented.h: atomic_inc_return()). */
export function atomic_inc_return(v: atomic_t): int {
	return ++v.counter;
}

/** Take off 1; what it is then (include/linux/atomic/atomic-instrumented.h: atomic_dec_return()). */
export function atomic_dec_return(v: atomic_t): int {
	return --v.counter;
}

/** Add 1; what it was before (include/linux/atomic/atomic-instrumented.h: atomic_fetch_inc()). */
export function atomic_fetch_inc(v: atomic_t): int {
	return v.counter++;
}

/** Add @i; what it was before (include/linux/atomic/atomic-instrumented.h: atomic_fetch_add()). */
export function atomic_fetch_add(i: int, v: atomic_t): int {
	const old = v.counter;
	v.counter += i;
	return old;
}

/** Take off 1; whether it is 0 then (include/linux/atomic/atomic-instrumented.h: atomic_dec_and_test()). */
export function atomic_dec_and_test(v: atomic_t): bool {
	return --v.counter === 0;
}

/** Add 1; whether it is 0 then (include/linux/atomic/atomic-instrumented.h: atomic_inc_and_test()). */
export function atomic_inc_and_test(v: atomic_t): bool {
	return ++v.counter === 0;
}

/** Take off @i; whether it is 0 then (include/linux/atomic/atomic-instrumented.h: atomic_sub_and_test()). */
export function atomic_sub_and_test(i: int, v: atomic_t): bool {
	v.counter -= i;
	return v.counter === 0;
}

/** Add @a unless the counter is @u; whether it was added (atomic_add_unless()). */
export function atomic_add_unless(v: atomic_t, a: int, u: int): bool {
	if (v.counter === u) return false;
	v.counter += a;
	return true;
}

/** Add 1 unless it is 0; whether it was added (include/linux/atomic/atomic-instrumented.h: atomic_inc_not_zero()). */
export function atomic_inc_not_zero(v: atomic_t): bool {
	return atomic_add_unless(v, 1, 0);
}

/** Exchange the counter; what it was (atomic_xchg()). */
export function atomic_xchg(v: atomic_t, i: int): int {
	schedule_point('xchg', 0);
	const old = v.counter;
	v.counter = i;
	return old;
}

/** Set to @i if it is @old; what it was (atomic_cmpxchg()). */
export function atomic_cmpxchg(v: atomic_t, old: int, i: int): int {
	schedule_point('xchg', 0);
	const seen = v.counter;
	if (seen === old) v.counter = i;
	return seen;
}

/** atomic_cmpxchg() that says whether it did, and leaves in @old what it saw (atomic_try_cmpxchg()). */
export function atomic_try_cmpxchg(v: atomic_t, old: ref<int>, i: int): bool {
	const seen = atomic_cmpxchg(v, old.value, i);
	if (seen === old.value) return true;
	old.value = seen;
	return false;
}

export const atomic_long_read: (v: atomic_long_t) => long = atomic_read;
export const atomic_long_set: (v: atomic_long_t, i: long) => void = atomic_set;
export const atomic_long_add: (i: long, v: atomic_long_t) => void = atomic_add;
export const atomic_long_sub: (i: long, v: atomic_long_t) => void = atomic_sub;
export const atomic_long_inc: (v: atomic_long_t) => void = atomic_inc;
export const atomic_long_dec: (v: atomic_long_t) => void = atomic_dec;
export const atomic_long_add_return: (i: long, v: atomic_long_t) => long = atomic_add_return;
export const atomic_long_try_cmpxchg: (v: atomic_long_t, old: ref<long>, i: long) => bool =
	atomic_try_cmpxchg;
export const atomic64_read = atomic_read;
export const atomic64_set = atomic_set;
export const atomic64_add = atomic_add;
export const atomic64_inc = atomic_inc;
export const atomic64_inc_return = atomic_inc_return;
export const atomic64_add_return = atomic_add_return;

/** Anything that an index reaches a word of: an array of device-visible words, or of pointers. */
interface words<T> {
	[index: number]: T;
}

/**
 * cmpxchg - Set a word if it is as expected (include/linux/atomic: cmpxchg())
 * @ptr: the array that the word is in
 * @index: its place there
 * @old: what is expected
 * @val: what to set
 *
 * Return: what the word was.
 */
export function cmpxchg<T>(ptr: words<T>, index: int, old: T, val: T): T {
	schedule_point('xchg', 0);
	const seen = ptr[index] as T;
	if (seen === old) ptr[index] = val;
	return seen;
}

/** cmpxchg() that says whether it did, and leaves in @old what it saw (try_cmpxchg()). */
export function try_cmpxchg<T>(ptr: words<T>, index: int, old: ref<T>, val: T): bool {
	const seen = cmpxchg(ptr, index, old.value, val);
	if (seen === old.value) return true;
	old.value = seen;
	return false;
}

/** Set a word, and answer what it was (xchg()). */
export function xchg<T>(ptr: words<T>, index: int, val: T): T {
	schedule_point('xchg', 0);
	const seen = ptr[index] as T;
	ptr[index] = val;
	return seen;
}

export const cmpxchg64 = cmpxchg;
export const cmpxchg64_relaxed = cmpxchg;
export const cmpxchg_relaxed = cmpxchg;
export const try_cmpxchg64 = try_cmpxchg;
export { ref };
