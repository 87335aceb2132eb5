// SPDX-License-Identifier: GPL-2.0-only
// Time in nanoseconds.
// Linux 6.12: include/linux/ktime.h
import type { bool, int, s64, u64 } from '#linux/types.js';

export {
	ktime_get,
	ktime_get_boottime,
	ktime_get_mono_fast_ns,
	ktime_get_ns,
	ktime_get_raw,
} from '#kernel/time/timekeeping.js';

export type ktime_t = s64;
export const KTIME_MAX: ktime_t = Number.MAX_SAFE_INTEGER;

/** A time of whole seconds and nanoseconds (include/linux/ktime.h: ktime_set()). */
export function ktime_set(secs: s64, nsecs: u64): ktime_t {
	return secs * 1_000_000_000 + nsecs;
}

/** The sum of two times (include/linux/ktime.h: ktime_add()). */
export function ktime_add(lhs: ktime_t, rhs: ktime_t): ktime_t {
	return lhs + rhs;
}

/** @lhs less @rhs (include/linux/ktime.h: ktime_sub()). */
export function ktime_sub(lhs: ktime_t, rhs: ktime_t): ktime_t {
	return lhs - rhs;
}

/** @kt and @nsval nanoseconds (include/linux/ktime.h: ktime_add_ns()). */
export function ktime_add_ns(kt: ktime_t, nsval: u64): ktime_t {
	return kt + nsval;
}

/** @kt and @usec microseconds (include/linux/ktime.h: ktime_add_us()). */
export function ktime_add_us(kt: ktime_t, usec: u64): ktime_t {
	return kt + usec * 1000;
}

/** @kt and @msec milliseconds (include/linux/ktime.h: ktime_add_ms()). */
export function ktime_add_ms(kt: ktime_t, msec: u64): ktime_t {
	return kt + msec * 1_000_000;
}

/** Below, at or above 0, as @a is before, at or after @b (include/linux/ktime.h: ktime_compare()). */
export function ktime_compare(a: ktime_t, b: ktime_t): int {
	return a < b ? -1 : a > b ? 1 : 0;
}

/** Whether @a is later than @b (include/linux/ktime.h: ktime_after()). */
export function ktime_after(a: ktime_t, b: ktime_t): bool {
	return a > b;
}

/** Whether @a is earlier than @b (include/linux/ktime.h: ktime_before()). */
export function ktime_before(a: ktime_t, b: ktime_t): bool {
	return a < b;
}

/** @kt in nanoseconds (include/linux/ktime.h: ktime_to_ns()). */
export function ktime_to_ns(kt: ktime_t): s64 {
	return kt;
}

/** @kt in whole microseconds (include/linux/ktime.h: ktime_to_us()). */
export function ktime_to_us(kt: ktime_t): s64 {
	return Math.floor(kt / 1000);
}

/** @kt in whole milliseconds (include/linux/ktime.h: ktime_to_ms()). */
export function ktime_to_ms(kt: ktime_t): s64 {
	return Math.floor(kt / 1_000_000);
}

/** Whole microseconds from @earlier to @later (include/linux/ktime.h: ktime_us_delta()). */
export function ktime_us_delta(later: ktime_t, earlier: ktime_t): s64 {
	return ktime_to_us(later - earlier);
}

/** Whole milliseconds from @earlier to @later (include/linux/ktime.h: ktime_ms_delta()). */
export function ktime_ms_delta(later: ktime_t, earlier: ktime_t): s64 {
	return ktime_to_ms(later - earlier);
}

/** A time of @ns nanoseconds (include/linux/ktime.h: ns_to_ktime()). */
export function ns_to_ktime(ns: u64): ktime_t {
	return ns;
}

/** A time of @us microseconds (include/linux/ktime.h: us_to_ktime()). */
export function us_to_ktime(us: u64): ktime_t {
	return us * 1000;
}

/** A time of @ms milliseconds (include/linux/ktime.h: ms_to_ktime()). */
export function ms_to_ktime(ms: u64): ktime_t {
	return ms * 1_000_000;
}
