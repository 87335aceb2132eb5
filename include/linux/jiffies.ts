// SPDX-License-Identifier: GPL-2.0-only
// Time in ticks.
// Linux 6.12: include/linux/jiffies.h
//
// C's variable `jiffies` is the function jiffies() here: time passes without a tick that could count it.
import { machine } from '#arch/arm64/kernel/setup.js';
import {
	type bool,
	INT_MAX,
	type long,
	type u64,
	type unsigned_int,
	type unsigned_long,
} from '#linux/types.js';

export const HZ = 250;
export const NSEC_PER_SEC = 1_000_000_000;
export const NSEC_PER_MSEC = 1_000_000;
export const NSEC_PER_USEC = 1000;
export const USEC_PER_SEC = 1_000_000;
export const USEC_PER_MSEC = 1000;
export const MSEC_PER_SEC = 1000;
export const TICK_NSEC = NSEC_PER_SEC / HZ;
/** Five minutes before 32 bits wrap, so that a driver which minds the wrap meets it. */
export const INITIAL_JIFFIES: unsigned_long = 2 ** 32 - 300 * HZ;
/** The longest time-out in jiffies that arithmetic is safe with. */
export const MAX_JIFFY_OFFSET: unsigned_long = Number.MAX_SAFE_INTEGER / 4;

/** The ticks since five minutes before the 32-bit wrap (include/linux/jiffies.h: jiffies). */
export function jiffies(): unsigned_long {
	return INITIAL_JIFFIES + Math.floor(machine.now() / TICK_NSEC);
}

/** The ticks; they never wrap here (include/linux/jiffies.h: get_jiffies_64()). */
export function get_jiffies_64(): u64 {
	return jiffies();
}

/** Whether tick @a is later than tick @b (include/linux/jiffies.h: time_after()). */
export function time_after(a: unsigned_long, b: unsigned_long): bool {
	return a > b;
}

/** Whether tick @a is earlier than tick @b (include/linux/jiffies.h: time_before()). */
export function time_before(a: unsigned_long, b: unsigned_long): bool {
	return a < b;
}

/** Whether tick @a is @b or later (include/linux/jiffies.h: time_after_eq()). */
export function time_after_eq(a: unsigned_long, b: unsigned_long): bool {
	return a >= b;
}

/** Whether tick @a is @b or earlier (include/linux/jiffies.h: time_before_eq()). */
export function time_before_eq(a: unsigned_long, b: unsigned_long): bool {
	return a <= b;
}

/** Whether tick @a has passed (include/linux/jiffies.h: time_is_before_jiffies()). */
export function time_is_before_jiffies(a: unsigned_long): bool {
	return jiffies() > a;
}

/** Whether tick @a is yet to come (include/linux/jiffies.h: time_is_after_jiffies()). */
export function time_is_after_jiffies(a: unsigned_long): bool {
	return jiffies() < a;
}

/** Milliseconds in ticks, rounded up (kernel/time/time.c: msecs_to_jiffies()). */
export function msecs_to_jiffies(m: unsigned_int): unsigned_long {
	return m > INT_MAX ? MAX_JIFFY_OFFSET : Math.ceil((m * HZ) / MSEC_PER_SEC);
}

/** Microseconds in ticks, rounded up (kernel/time/time.c: usecs_to_jiffies()). */
export function usecs_to_jiffies(u: unsigned_int): unsigned_long {
	return Math.ceil((u * HZ) / USEC_PER_SEC);
}

/** Nanoseconds in ticks, rounded down (kernel/time/time.c: nsecs_to_jiffies()). */
export function nsecs_to_jiffies(n: u64): unsigned_long {
	return Math.floor(n / TICK_NSEC);
}

/** Ticks in milliseconds (include/linux/jiffies.h: jiffies_to_msecs()). */
export function jiffies_to_msecs(j: unsigned_long): unsigned_int {
	return (j * MSEC_PER_SEC) / HZ;
}

/** Ticks in microseconds (include/linux/jiffies.h: jiffies_to_usecs()). */
export function jiffies_to_usecs(j: unsigned_long): unsigned_int {
	return (j * USEC_PER_SEC) / HZ;
}

/** Round up to a full second (kernel/time/timer.c: round_jiffies_relative()). */
export function round_jiffies_relative(j: unsigned_long): long {
	const now = jiffies();
	return Math.ceil((now + j) / HZ) * HZ - now;
}
