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

export function ktime_set(secs: s64, nsecs: u64): ktime_t {
	return secs * 1_000_000_000 + nsecs;
}

export function ktime_add(lhs: ktime_t, rhs: ktime_t): ktime_t {
	return lhs + rhs;
}

export function ktime_sub(lhs: ktime_t, rhs: ktime_t): ktime_t {
	return lhs - rhs;
}

export function ktime_add_ns(kt: ktime_t, nsval: u64): ktime_t {
	return kt + nsval;
}

export function ktime_add_us(kt: ktime_t, usec: u64): ktime_t {
	return kt + usec * 1000;
}

export function ktime_add_ms(kt: ktime_t, msec: u64): ktime_t {
	return kt + msec * 1_000_000;
}

export function ktime_compare(a: ktime_t, b: ktime_t): int {
	return a < b ? -1 : a > b ? 1 : 0;
}

export function ktime_after(a: ktime_t, b: ktime_t): bool {
	return a > b;
}

export function ktime_before(a: ktime_t, b: ktime_t): bool {
	return a < b;
}

export function ktime_to_ns(kt: ktime_t): s64 {
	return kt;
}

export function ktime_to_us(kt: ktime_t): s64 {
	return Math.floor(kt / 1000);
}

export function ktime_to_ms(kt: ktime_t): s64 {
	return Math.floor(kt / 1_000_000);
}

export function ktime_us_delta(later: ktime_t, earlier: ktime_t): s64 {
	return ktime_to_us(later - earlier);
}

export function ktime_ms_delta(later: ktime_t, earlier: ktime_t): s64 {
	return ktime_to_ms(later - earlier);
}

export function ns_to_ktime(ns: u64): ktime_t {
	return ns;
}

export function us_to_ktime(us: u64): ktime_t {
	return us * 1000;
}

export function ms_to_ktime(ms: u64): ktime_t {
	return ms * 1_000_000;
}
