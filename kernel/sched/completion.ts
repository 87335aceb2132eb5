// SPDX-License-Identifier: GPL-2.0-only
// Waiting for something to be done.
// Linux 6.12: kernel/sched/completion.c
import { cpu_context } from '#asm/current.js';
import {
	_raw_spin_lock_irq,
	_raw_spin_lock_irqsave,
	_raw_spin_unlock_irq,
	_raw_spin_unlock_irqrestore,
} from '#kernel/locking/spinlock.js';
import { __might_sleep } from '#kernel/sched/core.js';
import { swake_up_all_locked, swake_up_locked } from '#kernel/sched/swait.js';
import { schedule_timeout } from '#kernel/time/timer.js';
import type { completion } from '#linux/completion.js';
import { list_add_tail, list_del_init, list_empty } from '#linux/list.js';
import { MAX_SCHEDULE_TIMEOUT, TASK_INTERRUPTIBLE, TASK_UNINTERRUPTIBLE } from '#linux/sched/task.js';
import { swait_queue } from '#linux/swait.js';
import {
	type bool,
	type int,
	type long,
	UINT_MAX,
	type unsigned_int,
	type unsigned_long,
} from '#linux/types.js';

/** One waiter may pass (kernel/sched/completion.c: complete()). */
export function complete(x: completion): void {
	const flags = _raw_spin_lock_irqsave(x.wait.lock);
	if (x.done !== UINT_MAX) x.done++;
	swake_up_locked(x.wait);
	_raw_spin_unlock_irqrestore(x.wait.lock, flags);
}

/** All waiters may pass, now and until reinit_completion() (kernel/sched/completion.c: complete_all()). */
export function complete_all(x: completion): void {
	const flags = _raw_spin_lock_irqsave(x.wait.lock);
	x.done = UINT_MAX;
	swake_up_all_locked(x.wait);
	_raw_spin_unlock_irqrestore(x.wait.lock, flags);
}

// What is left of @timeout, at least 1 when the wait ended in time; 0 when it ran out.
function wait_for_common(x: completion, timeout: long, st: unsigned_int): long {
	__might_sleep('wait_for_completion');
	let left = timeout;
	_raw_spin_lock_irq(x.wait.lock);
	if (x.done === 0) {
		const task = cpu_context.current;
		const wait = new swait_queue(task);
		do {
			if (list_empty(wait.task_list)) list_add_tail(wait.task_list, x.wait.task_list);
			task.__state = st;
			task.wchan = 'a completion';
			_raw_spin_unlock_irq(x.wait.lock);
			left = schedule_timeout(left);
			_raw_spin_lock_irq(x.wait.lock);
		} while (x.done === 0 && left > 0);
		list_del_init(wait.task_list);
		if (x.done === 0) {
			_raw_spin_unlock_irq(x.wait.lock);
			return left;
		}
	}
	if (x.done !== UINT_MAX) x.done--;
	_raw_spin_unlock_irq(x.wait.lock);
	return left > 0 ? left : 1;
}

/** Sleep until the completion lets one pass (kernel/sched/completion.c: wait_for_completion()). */
export function wait_for_completion(x: completion): void {
	wait_for_common(x, MAX_SCHEDULE_TIMEOUT, TASK_UNINTERRUPTIBLE);
}

/** Wait for at most @timeout ticks: 0 when it ran out, else what is left (wait_for_completion_timeout()). */
export function wait_for_completion_timeout(x: completion, timeout: unsigned_long): unsigned_long {
	return wait_for_common(x, timeout, TASK_UNINTERRUPTIBLE);
}

/** A wait that a signal could end; 0, as none comes (wait_for_completion_interruptible()). */
export function wait_for_completion_interruptible(x: completion): int {
	wait_for_common(x, MAX_SCHEDULE_TIMEOUT, TASK_INTERRUPTIBLE);
	return 0;
}

export const wait_for_completion_killable = wait_for_completion_interruptible;

/** wait_for_completion_timeout() that a signal could end; none comes (kernel/sched/completion.c: wait_for_completion_interruptible_timeout()). */
export function wait_for_completion_interruptible_timeout(x: completion, timeout: unsigned_long): long {
	return wait_for_common(x, timeout, TASK_INTERRUPTIBLE);
}

/** Pass without waiting, if one may (kernel/sched/completion.c: try_wait_for_completion()). */
export function try_wait_for_completion(x: completion): bool {
	if (x.done === 0) return false;
	const flags = _raw_spin_lock_irqsave(x.wait.lock);
	const ret = x.done !== 0;
	if (ret && x.done !== UINT_MAX) x.done--;
	_raw_spin_unlock_irqrestore(x.wait.lock, flags);
	return ret;
}

/** Whether a waiter would pass (kernel/sched/completion.c: completion_done()). */
export function completion_done(x: completion): bool {
	return x.done !== 0;
}
