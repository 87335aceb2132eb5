// SPDX-License-Identifier: GPL-2.0-only
// Mutexes.
// Linux 6.12: kernel/locking/mutex.c, kernel/locking/mutex-debug.c
// Left out: spinning on the owner, hand-off, wait/wound mutexes
import { schedule_point } from '#arch/arm64/kernel/setup.js';
import { cpu_context } from '#asm/current.js';
import { kernel_report, panic } from '#kernel/panic.js';
import { __might_sleep, schedule, wake_up_process } from '#kernel/sched/core.js';
import { list_add_tail, list_del, list_empty, list_first_entry } from '#linux/list.js';
import { type mutex, mutex_waiter } from '#linux/mutex_types.js';
import { HARDIRQ_MASK } from '#linux/preempt.js';
import { TASK_UNINTERRUPTIBLE } from '#linux/sched/task.js';
import type { int } from '#linux/types.js';

function mutex_lock_slowpath(lock: mutex): void {
	const task = cpu_context.current;
	const owner = lock.owner;
	if (owner === task) {
		kernel_report(4, [
			'WARNING: possible recursive locking detected',
			`${task.comm}/${task.pid} is trying to acquire lock: ${lock.name}`,
			'but task is already holding lock',
		]);
		panic('mutex recursion: %s', lock.name);
	}
	const waiter = new mutex_waiter(task);
	list_add_tail(waiter.list, lock.wait_list);
	while (lock.owner !== null) {
		task.__state = TASK_UNINTERRUPTIBLE;
		task.wchan = `mutex ${lock.name}, held by ${lock.owner.comm}/${lock.owner.pid}`;
		schedule();
	}
	list_del(waiter.list);
}

/** Take the mutex, sleeping while another has it (kernel/locking/mutex.c: mutex_lock()). */
export function mutex_lock(lock: mutex): void {
	__might_sleep('mutex_lock');
	schedule_point('lock', 0);
	if (lock.owner !== null) mutex_lock_slowpath(lock);
	lock.owner = cpu_context.current;
	cpu_context.current.lockdep_depth++;
}

/** mutex_lock() that a signal could end; 0, as none comes (kernel/locking/mutex.c: mutex_lock_interruptible()). */
export function mutex_lock_interruptible(lock: mutex): int {
	mutex_lock(lock);
	return 0;
}

export const mutex_lock_killable = mutex_lock_interruptible;

/** mutex_lock() under another mutex of its class (kernel/locking/mutex.c: mutex_lock_nested()). */
export function mutex_lock_nested(lock: mutex, _subclass: int): void {
	mutex_lock(lock);
}

/** Take the mutex if it is free: 1 then (kernel/locking/mutex.c: mutex_trylock()). */
export function mutex_trylock(lock: mutex): int {
	schedule_point('lock', 0);
	if (lock.owner !== null) return 0;
	lock.owner = cpu_context.current;
	cpu_context.current.lockdep_depth++;
	return 1;
}

/** Let go; only its owner may, and not in an interrupt (kernel/locking/mutex.c: mutex_unlock()). */
export function mutex_unlock(lock: mutex): void {
	const task = cpu_context.current;
	if (lock.owner !== task || (task.preempt_count & HARDIRQ_MASK) !== 0) bad_unlock(lock);
	if (lock.owner !== null) lock.owner.lockdep_depth--;
	lock.owner = null;
	if (!list_empty(lock.wait_list)) wake_up_process(list_first_entry(lock.wait_list).task);
	schedule_point('unlock', 0);
}

function bad_unlock(lock: mutex): void {
	const task = cpu_context.current;
	const owner = lock.owner;
	const why =
		owner === null
			? 'it is not locked'
			: owner === task
				? 'in an interrupt'
				: `it belongs to ${owner.comm}/${owner.pid}`;
	kernel_report(4, [
		`WARNING: bad unlock balance detected: mutex ${lock.name}`,
		`${task.comm}/${task.pid} is trying to release it, but ${why}`,
	]);
}
