// SPDX-License-Identifier: GPL-2.0-only
// Wait queues.
// Linux 6.12: include/linux/wait.h
//
// The condition of wait_event() is a function here: C's macro evaluates its text anew after each wake-up.
// Left out: wait_event_lock_irq() and friends, bit waits, exclusive waits on an event
import { get_current } from '#asm/current.js';
import {
	__wake_up,
	__wake_up_locked,
	autoremove_wake_function,
	wait_event_common,
} from '#kernel/sched/wait.js';
import { INIT_LIST_HEAD, list_add, list_add_tail, list_del, list_empty, list_head } from '#linux/list.js';
import {
	MAX_SCHEDULE_TIMEOUT,
	TASK_INTERRUPTIBLE,
	TASK_NORMAL,
	TASK_UNINTERRUPTIBLE,
	type task_struct,
} from '#linux/sched/task.js';
import { spinlock_t } from '#linux/spinlock_types.js';
import type { bool, int, long, unsigned_int } from '#linux/types.js';

export {
	autoremove_wake_function,
	default_wake_function,
	finish_wait,
	prepare_to_wait,
	prepare_to_wait_exclusive,
} from '#kernel/sched/wait.js';

export const WQ_FLAG_EXCLUSIVE = 0x01;

export type wait_queue_func_t = (
	wq_entry: wait_queue_entry,
	mode: unsigned_int,
	flags: int,
	key: unknown,
) => int;

export class wait_queue_entry {
	flags: unsigned_int = 0;
	private_: task_struct | null = null;
	func: wait_queue_func_t = autoremove_wake_function;
	readonly entry = new list_head<wait_queue_entry>(this);
}

export class wait_queue_head {
	readonly lock = new spinlock_t('&wq_head->lock');
	readonly head = new list_head<wait_queue_entry>();
}

export type wait_queue_head_t = wait_queue_head;

/** Make @wq_head an empty queue (include/linux/wait.h: init_waitqueue_head()). */
export function init_waitqueue_head(wq_head: wait_queue_head): void {
	INIT_LIST_HEAD(wq_head.head);
}

/** A new queue (include/linux/wait.h: DECLARE_WAIT_QUEUE_HEAD()). */
export function DECLARE_WAIT_QUEUE_HEAD(): wait_queue_head {
	return new wait_queue_head();
}

/** An entry for the running task (include/linux/wait.h: DEFINE_WAIT()). */
export function DEFINE_WAIT(): wait_queue_entry {
	const wait = new wait_queue_entry();
	wait.private_ = get_current();
	return wait;
}

/** Whether anyone waits (include/linux/wait.h: waitqueue_active(), wq_has_sleeper()). */
export function waitqueue_active(wq_head: wait_queue_head): bool {
	return !list_empty(wq_head.head);
}

export const wq_has_sleeper = waitqueue_active;

/** Put an entry first; the lock is held (include/linux/wait.h: __add_wait_queue()). */
export function __add_wait_queue(wq_head: wait_queue_head, wq_entry: wait_queue_entry): void {
	list_add(wq_entry.entry, wq_head.head);
}

/** Put an entry last; the lock is held (include/linux/wait.h: __add_wait_queue_entry_tail()). */
export function __add_wait_queue_entry_tail(wq_head: wait_queue_head, wq_entry: wait_queue_entry): void {
	list_add_tail(wq_entry.entry, wq_head.head);
}

/** Take an entry off; the lock is held (include/linux/wait.h: __remove_wait_queue()). */
export function __remove_wait_queue(_wq_head: wait_queue_head, wq_entry: wait_queue_entry): void {
	list_del(wq_entry.entry);
}

/** Wake all sleepers, of the exclusive ones the first (include/linux/wait.h: wake_up()). */
export function wake_up(x: wait_queue_head): int {
	return __wake_up(x, TASK_NORMAL, 1, null);
}

/** Wake all sleepers, the exclusive ones too (include/linux/wait.h: wake_up_all()). */
export function wake_up_all(x: wait_queue_head): int {
	return __wake_up(x, TASK_NORMAL, 0, null);
}

/** wake_up() of those that a signal could wake (include/linux/wait.h: wake_up_interruptible()). */
export function wake_up_interruptible(x: wait_queue_head): int {
	return __wake_up(x, TASK_INTERRUPTIBLE, 1, null);
}

/** wake_up_all() of those that a signal could wake (include/linux/wait.h: wake_up_interruptible_all()). */
export function wake_up_interruptible_all(x: wait_queue_head): int {
	return __wake_up(x, TASK_INTERRUPTIBLE, 0, null);
}

/** wake_up_interruptible() that tells pollers which events @m came (include/linux/wait.h: wake_up_interruptible_poll()). */
export function wake_up_interruptible_poll(x: wait_queue_head, m: unsigned_int): int {
	return __wake_up(x, TASK_INTERRUPTIBLE, 1, m);
}

/** wake_up() by a caller that holds the lock (include/linux/wait.h: wake_up_locked()). */
export function wake_up_locked(x: wait_queue_head): void {
	__wake_up_locked(x, TASK_NORMAL, 1);
}

/** Sleep until @condition holds (include/linux/wait.h: wait_event()). */
export function wait_event(wq_head: wait_queue_head, condition: () => bool): void {
	wait_event_common(wq_head, DEFINE_WAIT, condition, TASK_UNINTERRUPTIBLE, MAX_SCHEDULE_TIMEOUT);
}

/** wait_event() for at most @timeout jiffies: 0 when it ran out, else what is left, at least 1 (wait_event_timeout()). */
export function wait_event_timeout(wq_head: wait_queue_head, condition: () => bool, timeout: long): long {
	return wait_event_common(wq_head, DEFINE_WAIT, condition, TASK_UNINTERRUPTIBLE, timeout);
}

/** wait_event() that a signal could end; 0, as none comes (include/linux/wait.h: wait_event_interruptible()). */
export function wait_event_interruptible(wq_head: wait_queue_head, condition: () => bool): int {
	wait_event_common(wq_head, DEFINE_WAIT, condition, TASK_INTERRUPTIBLE, MAX_SCHEDULE_TIMEOUT);
	return 0;
}

/** wait_event_timeout() that a signal could end; none comes (include/linux/wait.h: wait_event_interruptible_timeout()). */
export function wait_event_interruptible_timeout(
	wq_head: wait_queue_head,
	condition: () => bool,
	timeout: long,
): long {
	return wait_event_common(wq_head, DEFINE_WAIT, condition, TASK_INTERRUPTIBLE, timeout);
}

export const wait_event_killable = wait_event_interruptible;
