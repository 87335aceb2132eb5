// SPDX-License-Identifier: GPL-2.0-only
// Read a register again and again until a condition holds or time is up.
// Linux 6.12: include/linux/iopoll.h
//
// C gives the macros an expression over @val; here @cond is a function of the value just read.

import { ktime_get } from '#kernel/time/timekeeping.js';
import { udelay, usleep_range } from '#linux/delay.js';
import { ETIMEDOUT } from '#linux/errno.js';
import { readl, readl_relaxed } from '#linux/io.js';
import type { __iomem, bool, int, ref, u32, u64, unsigned_long } from '#linux/types.js';

const NSEC_PER_USEC = 1000;

/** What a poll without delays costs on the CPU, so that time goes on: about one uncached read. */
const POLL_NS = 1;

/**
 * Poll with sleeps; process context only (include/linux/iopoll.h: read_poll_timeout()).
 *
 * @op: reads the value
 * @val: gets the value last read
 * @sleep_us: the longest sleep between two reads; 0 polls without a pause
 * @timeout_us: 0 polls for ever
 * Returns 0, or -ETIMEDOUT when @cond did not hold in time, nor in one last read.
 */
export function read_poll_timeout<A, V>(
	op: (addr: A) => V,
	val: ref<V>,
	cond: (val: V) => bool,
	sleep_us: unsigned_long,
	timeout_us: u64,
	sleep_before_read: bool,
	addr: A,
): int {
	const timeout = ktime_get() + timeout_us * NSEC_PER_USEC;
	if (sleep_before_read && sleep_us !== 0) usleep_range((sleep_us >> 2) + 1, sleep_us);
	for (;;) {
		val.value = op(addr);
		if (cond(val.value)) return 0;
		if (timeout_us !== 0 && ktime_get() > timeout) {
			val.value = op(addr);
			return cond(val.value) ? 0 : -ETIMEDOUT;
		}
		// A poll without a pause must let time pass, or a machine in virtual time would never answer.
		if (sleep_us !== 0) usleep_range((sleep_us >> 2) + 1, sleep_us);
		else udelay(1);
	}
}

/**
 * Poll with busy waits, in any context (include/linux/iopoll.h: read_poll_timeout_atomic()).
 *
 * Time is counted by the delays and one nanosecond a read, since the clock may be stopped here.
 */
export function read_poll_timeout_atomic<A, V>(
	op: (addr: A) => V,
	val: ref<V>,
	cond: (val: V) => bool,
	delay_us: unsigned_long,
	timeout_us: u64,
	delay_before_read: bool,
	addr: A,
): int {
	let left_ns = timeout_us * NSEC_PER_USEC;
	if (delay_before_read && delay_us !== 0) {
		udelay(delay_us);
		left_ns -= delay_us * NSEC_PER_USEC;
	}
	for (;;) {
		val.value = op(addr);
		if (cond(val.value)) return 0;
		if (timeout_us !== 0 && left_ns < 0) {
			val.value = op(addr);
			return cond(val.value) ? 0 : -ETIMEDOUT;
		}
		if (delay_us !== 0) {
			udelay(delay_us);
			left_ns -= delay_us * NSEC_PER_USEC;
		}
		if (timeout_us !== 0) left_ns -= POLL_NS;
	}
}

/** read_poll_timeout() with C's order of arguments for an op that takes an address (include/linux/iopoll.h). */
export function readx_poll_timeout<A, V>(
	op: (addr: A) => V,
	addr: A,
	val: ref<V>,
	cond: (val: V) => bool,
	sleep_us: unsigned_long,
	timeout_us: u64,
): int {
	return read_poll_timeout(op, val, cond, sleep_us, timeout_us, false, addr);
}

/** The same with busy waits, in any context (include/linux/iopoll.h: readx_poll_timeout_atomic()). */
export function readx_poll_timeout_atomic<A, V>(
	op: (addr: A) => V,
	addr: A,
	val: ref<V>,
	cond: (val: V) => bool,
	delay_us: unsigned_long,
	timeout_us: u64,
): int {
	return read_poll_timeout_atomic(op, val, cond, delay_us, timeout_us, false, addr);
}

/** Poll a 32-bit register, sleeping between reads (include/linux/iopoll.h: readl_poll_timeout()). */
export function readl_poll_timeout(
	addr: __iomem,
	val: ref<u32>,
	cond: (val: u32) => bool,
	delay_us: unsigned_long,
	timeout_us: u64,
): int {
	return read_poll_timeout(readl, val, cond, delay_us, timeout_us, false, addr);
}

/** Poll a 32-bit register in any context (include/linux/iopoll.h: readl_poll_timeout_atomic()). */
export function readl_poll_timeout_atomic(
	addr: __iomem,
	val: ref<u32>,
	cond: (val: u32) => bool,
	delay_us: unsigned_long,
	timeout_us: u64,
): int {
	return read_poll_timeout_atomic(readl, val, cond, delay_us, timeout_us, false, addr);
}

export const readl_relaxed_poll_timeout = (
	addr: __iomem,
	val: ref<u32>,
	cond: (val: u32) => bool,
	delay_us: unsigned_long,
	timeout_us: u64,
): int => read_poll_timeout(readl_relaxed, val, cond, delay_us, timeout_us, false, addr);
