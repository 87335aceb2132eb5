// SPDX-License-Identifier: GPL-2.0-only
// What time it is.
// Linux 6.12: kernel/time/timekeeping.c
// Left out: the wall clock, NTP: time is the machine's virtual time
import { machine } from '#arch/arm64/kernel/setup.js';
import type { s64, u64 } from '#linux/types.js';

/** Nanoseconds since power-on (kernel/time/timekeeping.c: ktime_get()). */
export function ktime_get(): s64 {
	return machine.now();
}

/** ktime_get() in nanoseconds (include/linux/timekeeping.h: ktime_get_ns()). */
export function ktime_get_ns(): u64 {
	return machine.now();
}

export const ktime_get_raw = ktime_get;
export const ktime_get_boottime = ktime_get;
export const ktime_get_mono_fast_ns = ktime_get_ns;

/** ktime_get() in whole seconds (include/linux/timekeeping.h: ktime_get_seconds()). */
export function ktime_get_seconds(): s64 {
	return Math.floor(machine.now() / 1_000_000_000);
}
