// SPDX-License-Identifier: GPL-2.0-only
// Waiting for something to be done.
// Linux 6.12: include/linux/completion.h
import { swait_queue_head } from '#linux/swait.js';
import type { unsigned_int } from '#linux/types.js';

export {
	complete,
	complete_all,
	completion_done,
	try_wait_for_completion,
	wait_for_completion,
	wait_for_completion_interruptible,
	wait_for_completion_interruptible_timeout,
	wait_for_completion_killable,
	wait_for_completion_timeout,
} from '#kernel/sched/completion.js';

export class completion {
	/** How many waiters may pass; UINT_MAX: all of them, for ever. */
	done: unsigned_int = 0;
	readonly wait = new swait_queue_head();
}

/** Make @x one that nobody has completed (include/linux/completion.h: init_completion()). */
export function init_completion(x: completion): void {
	x.done = 0;
}

/** Make a used completion fit for another round (include/linux/completion.h: reinit_completion()). */
export function reinit_completion(x: completion): void {
	x.done = 0;
}

/** A new completion (include/linux/completion.h: DECLARE_COMPLETION(), DECLARE_COMPLETION_ONSTACK()). */
export function DECLARE_COMPLETION(): completion {
	return new completion();
}

export const DECLARE_COMPLETION_ONSTACK = DECLARE_COMPLETION;
