// SPDX-License-Identifier: GPL-2.0-only
// Wait queues.
// Linux 6.12: kernel/sched/wait.c
import { cpu_context } from '#asm/current.js';
import { _raw_spin_lock_irqsave, _raw_spin_unlock_irqrestore } from '#kernel/locking/spinlock.js';
import { __might_sleep, try_to_wake_up } from '#kernel/sched/core.js';
import { schedule_timeout } from '#kernel/time/timer.js';
import { list_add, list_add_tail, list_del_init, list_empty, list_for_each_entry_safe } from '#linux/list.js';
import { TASK_RUNNING, type task_struct } from '#linux/sched/task.js';
import type { bool, int, long, unsigned_int } from '#linux/types.js';
import type { wait_queue_entry, wait_queue_head } from '#linux/wait.js';

const WQ_FLAG_EXCLUSIVE = 0x01;

/** Wake the entry's task (kernel/sched/core.c: default_wake_function()). */
export function default_wake_function(
	curr: wait_queue_entry,
	mode: unsigned_int,
	_flags: int,
	_key: unknown,
): int {
	return curr.private_ !== null && try_to_wake_up(curr.private_, mode) ? 1 : 0;
}

/** default_wake_function() that takes the entry off the queue (kernel/sched/wait.c: autoremove_wake_function()). */
export function autoremove_wake_function(
	entry: wait_queue_entry,
	mode: unsigned_int,
	sync: int,
	key: unknown,
): int {
	const ret = default_wake_function(entry, mode, sync, key);
	if (ret !== 0) list_del_init(entry.entry);
	return ret;
}

/** __wake_up() by a caller that holds the lock (kernel/sched/wait.c: __wake_up_locked()). */
export function __wake_up_locked(
	wq_head: wait_queue_head,
	mode: unsigned_int,
	nr: int,
	key: unknown = null,
): int {
	let left = nr;
	for (const curr of list_for_each_entry_safe(wq_head.head)) {
		const exclusive = (curr.flags & WQ_FLAG_EXCLUSIVE) !== 0;
		const ret = curr.func(curr, mode, 0, key);
		if (ret < 0) break;
		if (ret !== 0 && exclusive && --left === 0) break;
	}
	return nr - left;
}

/** Wake the sleepers, of the exclusive ones @nr (0: all): how many of those were (kernel/sched/wait.c: __wake_up()). */
export function __wake_up(wq_head: wait_queue_head, mode: unsigned_int, nr: int, key: unknown): int {
	if (list_empty(wq_head.head)) return 0;
	const flags = _raw_spin_lock_irqsave(wq_head.lock);
	const woken = __wake_up_locked(wq_head, mode, nr, key);
	_raw_spin_unlock_irqrestore(wq_head.lock, flags);
	return woken;
}

function prepare(wq_head: wait_queue_head, entry: wait_queue_entry, st: unsigned_int, exclusive: bool): void {
	const flags = _raw_spin_lock_irqsave(wq_head.lock);
	if (exclusive) entry.flags |= WQ_FLAG_EXCLUSIVE;
	else entry.flags &= ~WQ_FLAG_EXCLUSIVE;
	if (list_empty(entry.entry)) {
		if (exclusive) list_add_tail(entry.entry, wq_head.head);
		else list_add(entry.entry, wq_head.head);
	}
	cpu_context.current.__state = st;
	_raw_spin_unlock_irqrestore(wq_head.lock, flags);
}

/** Queue the running task; the next schedule() sleeps (kernel/sched/wait.c: prepare_to_wait()). */
export function prepare_to_wait(
	wq_head: wait_queue_head,
	wq_entry: wait_queue_entry,
	st: unsigned_int,
): void {
	prepare(wq_head, wq_entry, st, false);
}

/** prepare_to_wait() of one who is woken alone (kernel/sched/wait.c: prepare_to_wait_exclusive()). */
export function prepare_to_wait_exclusive(
	wq_head: wait_queue_head,
	wq_entry: wait_queue_entry,
	st: unsigned_int,
): void {
	prepare(wq_head, wq_entry, st, true);
}

/** No longer wait (kernel/sched/wait.c: finish_wait()). */
export function finish_wait(wq_head: wait_queue_head, wq_entry: wait_queue_entry): void {
	(wq_entry.private_ as task_struct).__state = TASK_RUNNING;
	if (list_empty(wq_entry.entry)) return;
	const flags = _raw_spin_lock_irqsave(wq_head.lock);
	list_del_init(wq_entry.entry);
	_raw_spin_unlock_irqrestore(wq_head.lock, flags);
}

/** The loop of the wait_event() family: what is left of @timeout, at least 1; 0 when it ran out. */
export function wait_event_common(
	wq_head: wait_queue_head,
	define_wait: () => wait_queue_entry,
	condition: () => bool,
	st: unsigned_int,
	timeout: long,
): long {
	__might_sleep('wait_event');
	let left = timeout;
	if (condition()) return left > 0 ? left : 1;
	const entry = define_wait();
	for (;;) {
		prepare_to_wait(wq_head, entry, st);
		if (condition()) {
			if (left === 0) left = 1;
			break;
		}
		if (left === 0) break;
		cpu_context.current.wchan = 'wait_event';
		left = schedule_timeout(left);
	}
	finish_wait(wq_head, entry);
	return left;
}
