// SPDX-License-Identifier: GPL-2.0-only
// Timers in ticks, and sleeping for a time.
// Linux 6.12: kernel/time/timer.c
// Left out: the wheel and its coarse far slots (a tree sorted by expiry is exact), deferrable timers, migration
import { machine } from '#arch/arm64/kernel/setup.js';
import { cpu_context } from '#asm/current.js';
import { __might_sleep, schedule, wake_up_process } from '#kernel/sched/core.js';
import { open_softirq, raise_softirq_irqoff, TIMER_SOFTIRQ } from '#kernel/softirq.js';
import { tick_program_event } from '#kernel/time/hrtimer.js';
import { WARN_ON, WARN_ONCE } from '#linux/bug.js';
import { boot_data } from '#linux/init.js';
import { local_irq_restore, local_irq_save } from '#linux/irqflags.js';
import { INITIAL_JIFFIES, jiffies, msecs_to_jiffies, TICK_NSEC } from '#linux/jiffies.js';
import { rb_add_cached, rb_erase_cached, rb_root_cached } from '#linux/rbtree.js';
import {
	MAX_SCHEDULE_TIMEOUT,
	TASK_INTERRUPTIBLE,
	TASK_RUNNING,
	TASK_UNINTERRUPTIBLE,
	type task_struct,
} from '#linux/sched/task.js';
import { timer_list } from '#linux/timer_types.js';
import type { int, long, unsigned_int, unsigned_long } from '#linux/types.js';

const base = boot_data(() => ({
	pending: new rb_root_cached<timer_list>(),
	running: null as timer_list | null,
}));

function timer_expired(): void {
	open_softirq(TIMER_SOFTIRQ, run_timer_softirq);
	raise_softirq_irqoff(TIMER_SOFTIRQ);
}

function program_next(): void {
	const node = base.pending.rb_leftmost;
	const deadline =
		node === null
			? Number.POSITIVE_INFINITY
			: Math.max(0, ((node.container as timer_list).expires - INITIAL_JIFFIES) * TICK_NSEC);
	tick_program_event(deadline, timer_expired);
}

function detach_timer(timer: timer_list): void {
	rb_erase_cached(timer.entry, base.pending);
	timer.pending = false;
}

function run_timer_softirq(): void {
	for (;;) {
		const flags = local_irq_save();
		const node = base.pending.rb_leftmost;
		const timer = node === null ? null : (node.container as timer_list);
		if (timer === null || timer.expires > jiffies()) {
			program_next();
			local_irq_restore(flags);
			return;
		}
		detach_timer(timer);
		base.running = timer;
		local_irq_restore(flags);
		const count = cpu_context.current.preempt_count;
		if (timer.function !== null) timer.function(timer);
		if (cpu_context.current.preempt_count !== count) {
			WARN_ONCE(
				true,
				'timer: %pS preempt leak: %08x -> %08x',
				timer.function,
				count,
				cpu_context.current.preempt_count,
			);
			cpu_context.current.preempt_count = count;
		}
		base.running = null;
	}
}

/** Make @timer one that calls @func and is not armed (include/linux/timer.h: __timer_init()). */
export function __timer_init(
	timer: timer_list,
	func: (timer: timer_list) => void,
	flags: unsigned_int,
): void {
	timer.pending = false;
	timer.function = func;
	timer.flags = flags;
}

/** Whether @timer is armed (include/linux/timer.h: timer_pending()). */
export function timer_pending(timer: timer_list): int {
	return timer.pending ? 1 : 0;
}

function __mod_timer(timer: timer_list, expires: unsigned_long): int {
	if (timer.function === null) return 0;
	const was = timer.pending;
	if (was && timer.expires === expires) return 1;
	const flags = local_irq_save();
	if (was) detach_timer(timer);
	timer.expires = expires;
	timer.pending = true;
	rb_add_cached(
		timer.entry,
		base.pending,
		(a, b) => (a.container as timer_list).expires < (b.container as timer_list).expires,
	);
	program_next();
	local_irq_restore(flags);
	return was ? 1 : 0;
}

/** Arm, or arm anew, for tick @expires: 1 when it was armed (kernel/time/timer.c: mod_timer()). */
export function mod_timer(timer: timer_list, expires: unsigned_long): int {
	return __mod_timer(timer, expires);
}

/** mod_timer() of an armed timer only (kernel/time/timer.c: mod_timer_pending()). */
export function mod_timer_pending(timer: timer_list, expires: unsigned_long): int {
	return timer.pending ? __mod_timer(timer, expires) : 0;
}

/** mod_timer() that never puts the expiry off (kernel/time/timer.c: timer_reduce()). */
export function timer_reduce(timer: timer_list, expires: unsigned_long): int {
	return timer.pending && timer.expires <= expires ? 1 : __mod_timer(timer, expires);
}

/** Arm for timer.expires; it must not be armed (kernel/time/timer.c: add_timer()). */
export function add_timer(timer: timer_list): void {
	if (WARN_ON(timer.pending)) return;
	__mod_timer(timer, timer.expires);
}

/** Disarm: 1 when it was armed (kernel/time/timer.c: timer_delete()). */
export function timer_delete(timer: timer_list): int {
	if (!timer.pending) return 0;
	const flags = local_irq_save();
	detach_timer(timer);
	program_next();
	local_irq_restore(flags);
	return 1;
}

/** Disarm, and wait until its function has returned (kernel/time/timer.c: timer_delete_sync()). */
export function timer_delete_sync(timer: timer_list): int {
	// On one stack a function that runs is below us: to wait for it would be for ever.
	WARN_ON(base.running === timer);
	return timer_delete(timer);
}

/** timer_delete_sync(), and it cannot be armed again (kernel/time/timer.c: timer_shutdown_sync()). */
export function timer_shutdown_sync(timer: timer_list): int {
	const ret = timer_delete_sync(timer);
	timer.function = null;
	return ret;
}

/** timer_delete(), and it cannot be armed again (kernel/time/timer.c: timer_shutdown()). */
export function timer_shutdown(timer: timer_list): int {
	const ret = timer_delete(timer);
	timer.function = null;
	return ret;
}

export const del_timer = timer_delete;
export const del_timer_sync = timer_delete_sync;

function process_timeout(timer: timer_list): void {
	wake_up_process(timer.container as task_struct);
}

/**
 * schedule_timeout - Sleep until woken, at most for a time (kernel/time/timer.c: schedule_timeout())
 * @timeout: ticks; MAX_SCHEDULE_TIMEOUT: no limit
 *
 * The caller has set the task's state. Return: the ticks that were left, 0 when they ran out.
 */
export function schedule_timeout(timeout: long): long {
	if (timeout >= MAX_SCHEDULE_TIMEOUT) {
		schedule();
		return MAX_SCHEDULE_TIMEOUT;
	}
	const task = cpu_context.current;
	if (WARN_ON(timeout < 0)) {
		task.__state = TASK_RUNNING;
		return 0;
	}
	const expire = jiffies() + timeout;
	const timer = new timer_list(task);
	__timer_init(timer, process_timeout, 0);
	__mod_timer(timer, expire);
	schedule();
	timer_delete(timer);
	return Math.max(0, expire - jiffies());
}

function timed_sleep(timeout: long, st: unsigned_int): long {
	const task = cpu_context.current;
	const outer = task.timed_sleep;
	task.timed_sleep = st === TASK_UNINTERRUPTIBLE;
	task.__state = st;
	const left = schedule_timeout(timeout);
	task.timed_sleep = outer;
	return left;
}

/** Sleep for @timeout ticks, whatever wakes (kernel/time/timer.c: schedule_timeout_uninterruptible()). */
export function schedule_timeout_uninterruptible(timeout: long): long {
	__might_sleep('schedule_timeout');
	return timed_sleep(timeout, TASK_UNINTERRUPTIBLE);
}

/** schedule_timeout_uninterruptible() that a signal could end (kernel/time/timer.c: schedule_timeout_interruptible()). */
export function schedule_timeout_interruptible(timeout: long): long {
	__might_sleep('schedule_timeout');
	return timed_sleep(timeout, TASK_INTERRUPTIBLE);
}

/** Sleep for @msecs, rounded up to ticks, and one more (kernel/time/timer.c: msleep()). */
export function msleep(msecs: unsigned_int): void {
	__might_sleep('msleep');
	let timeout = msecs_to_jiffies(msecs) + 1;
	while (timeout > 0) timeout = timed_sleep(timeout, TASK_UNINTERRUPTIBLE);
}

/** msleep() that a signal could end; 0 (kernel/time/timer.c: msleep_interruptible()). */
export function msleep_interruptible(msecs: unsigned_int): unsigned_long {
	msleep(msecs);
	return 0;
}

/** Sleep for @min microseconds; @max is how late it may get, which an idle machine never needs (usleep_range_state()). */
export function usleep_range_state(min: unsigned_long, _max: unsigned_long, _st: unsigned_int): void {
	__might_sleep('usleep_range');
	const task = cpu_context.current;
	const end = machine.now() + min * 1000;
	if (task.lockdep_depth === 0) {
		task.__state = TASK_RUNNING;
		schedule();
	}
	const left = end - machine.now();
	if (left > 0) machine.advance(left);
}
