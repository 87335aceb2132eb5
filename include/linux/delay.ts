// SPDX-License-Identifier: GPL-2.0-only
// Waiting for time to pass: spinning and sleeping.
// Linux 6.12: include/linux/delay.h
import { machine } from '#arch/arm64/kernel/setup.js';
import { usleep_range_state } from '#kernel/time/timer.js';
import { TASK_UNINTERRUPTIBLE } from '#linux/sched/task.js';
import type { unsigned_long } from '#linux/types.js';

export { msleep, msleep_interruptible } from '#kernel/time/timer.js';

import { msleep } from '#kernel/time/timer.js';

/** Spin for @nsecs; any context (include/linux/delay.h: ndelay()). */
export function ndelay(nsecs: unsigned_long): void {
	machine.advance(nsecs);
}

/** Spin for @usecs; any context (include/asm-generic/delay.h: udelay()). */
export function udelay(usecs: unsigned_long): void {
	machine.advance(usecs * 1000);
}

/** Spin for @msecs; any context (include/linux/delay.h: mdelay()). */
export function mdelay(msecs: unsigned_long): void {
	machine.advance(msecs * 1_000_000);
}

/** Sleep between @min and @max microseconds (include/linux/delay.h: usleep_range()). */
export function usleep_range(min: unsigned_long, max: unsigned_long): void {
	usleep_range_state(min, max, TASK_UNINTERRUPTIBLE);
}

/** Sleep for @usecs or a bit more, by the cheapest means (include/linux/delay.h: fsleep()). */
export function fsleep(usecs: unsigned_long): void {
	if (usecs <= 10) udelay(usecs);
	else if (usecs <= 20000) usleep_range(usecs, 2 * usecs);
	else msleep(Math.ceil(usecs / 1000));
}

/** Sleep for @seconds (include/linux/delay.h: ssleep()). */
export function ssleep(seconds: unsigned_long): void {
	msleep(seconds * 1000);
}
