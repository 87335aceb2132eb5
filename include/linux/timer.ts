// SPDX-License-Identifier: GPL-2.0-only
// Timers in ticks; their functions run in softirq context.
// Linux 6.12: include/linux/timer.h
import { __timer_init } from '#kernel/time/timer.js';
import type { timer_list } from '#linux/timer_types.js';
import { container_of, type unsigned_int } from '#linux/types.js';

export {
	add_timer,
	del_timer,
	del_timer_sync,
	mod_timer,
	mod_timer_pending,
	timer_delete,
	timer_delete_sync,
	timer_pending,
	timer_reduce,
	timer_shutdown,
	timer_shutdown_sync,
} from '#kernel/time/timer.js';

export const TIMER_DEFERRABLE = 0x0008_0000;
export const TIMER_PINNED = 0x0010_0000;
export const TIMER_IRQSAFE = 0x0020_0000;

export { timer_list } from '#linux/timer_types.js';

/** Give @timer its function (include/linux/timer.h: timer_setup()). */
export function timer_setup(
	timer: timer_list,
	callback: (timer: timer_list) => void,
	flags: unsigned_int,
): void {
	__timer_init(timer, callback, flags);
}

export const timer_setup_on_stack = timer_setup;

/** The struct that embeds @timer (include/linux/timer.h: from_timer()). */
export function from_timer<T extends object>(timer: timer_list, type: new (...args: never[]) => T): T {
	return container_of(timer, type);
}
