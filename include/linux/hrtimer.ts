// SPDX-License-Identifier: GPL-2.0-only
// Timers in nanoseconds; their functions run in hard-irq context.
// Linux 6.12: include/linux/hrtimer.h
// Left out: all clocks but the monotonic one, soft and pinned timers
import type { ktime_t } from '#linux/ktime.js';
import { rb_node } from '#linux/rbtree_types.js';
import type { bool, embedded, int } from '#linux/types.js';

export {
	hrtimer_cancel,
	hrtimer_forward,
	hrtimer_forward_now,
	hrtimer_init,
	hrtimer_start,
	hrtimer_try_to_cancel,
} from '#kernel/time/hrtimer.js';

export const HRTIMER_NORESTART = 0;
export const HRTIMER_RESTART = 1;
export type hrtimer_restart = int;

export const HRTIMER_MODE_ABS = 0;
export const HRTIMER_MODE_REL = 1;
export type hrtimer_mode = int;

export const CLOCK_MONOTONIC = 1;

export class hrtimer implements embedded {
	readonly node = new rb_node<hrtimer>(this);
	queued: bool = false;
	expires: ktime_t = 0;
	function: ((timer: hrtimer) => hrtimer_restart) | null = null;
	readonly container: object | null;
	constructor(container: object | null = null) {
		this.container = container;
	}
}

/** Whether @timer is armed (include/linux/hrtimer.h: hrtimer_is_queued(), hrtimer_active()). */
export function hrtimer_active(timer: hrtimer): bool {
	return timer.queued;
}

/** When @timer will fire, or has fired, in nanoseconds (include/linux/hrtimer.h: hrtimer_get_expires()). */
export function hrtimer_get_expires(timer: hrtimer): ktime_t {
	return timer.expires;
}
