// SPDX-License-Identifier: GPL-2.0-only
// Nanoseconds since power-on.
// Linux 6.12: kernel/time/sched_clock.c
import { machine } from '#arch/arm64/kernel/setup.js';
import type { u64 } from '#linux/types.js';

/** Nanoseconds since power-on, the time of the log (kernel/time/sched_clock.c: sched_clock()). */
export function sched_clock(): u64 {
	return machine.now();
}
