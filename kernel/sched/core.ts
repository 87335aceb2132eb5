// SPDX-License-Identifier: GPL-2.0-only
// Sleeping, waking, and whose turn it is.
// Linux 6.12: kernel/sched/core.c, kernel/sched/idle.c
//
// There is one stack. A task that sleeps calls schedule(), which runs the tasks that are ready on top of it,
// and lets the machine run when none is. So a task goes on only when those that it let in before have
// finished or sleep no more; if they wait for it, that is a hang, and it is reported as one.
// Left out: scheduling classes, priorities, migration
import { machine } from '#arch/arm64/kernel/setup.js';
import { cpu_context } from '#asm/current.js';
import { caller_site, kernel_report, panic } from '#kernel/panic.js';
import { sched_clock } from '#kernel/time/sched_clock.js';
import { boot_data } from '#linux/init.js';
import { irqs_disabled, local_irq_enable } from '#linux/irqflags.js';
import { debug_kernel } from '#linux/kconfig.js';
import {
	list_add_tail,
	list_count_nodes,
	list_del_init,
	list_empty,
	list_first_entry,
	list_head,
} from '#linux/list.js';
import { __once_lite, type once_site } from '#linux/once_lite.js';
import { rb_root } from '#linux/rbtree_types.js';
import { TASK_NORMAL, TASK_RUNNING, type task_struct, type thread_fn_t } from '#linux/sched/task.js';
import type { bool, int, unsigned_int } from '#linux/types.js';

/** kernel/hung_task.c: how long a task may sleep for an event, in virtual time. */
const HUNG_TASK_TIMEOUT_NS = 120_000_000_000;

const state = boot_data(() => ({
	rq: { queue: new list_head<task_struct>() },
	next_pid: 2 as int,
	nr_switches: 0 as int,
	/** Interrupts taken: how schedule() knows that the machine did something. */
	irq_seq: 0 as int,
	/** system_state is SYSTEM_BOOTING: nothing else could run, so sleeping calls are let through. */
	booting: true as bool,
	/** Where a sleep in atomic context was reported. */
	warned_atomic: new rb_root<once_site>(),
}));

/** A process number (kernel/pid.c: alloc_pid()). */
export function alloc_pid_nr(): int {
	return state.next_pid++;
}

/** irq_enter() counts here. */
export function account_hardirq_enter(): void {
	state.irq_seq++;
}

/** The tasks that have run (kernel/sched/core.c: nr_context_switches()). */
export function nr_context_switches(): int {
	return state.nr_switches;
}

/**
 * __might_sleep - Report a sleep where none is allowed, in a debug kernel (kernel/sched/core.c: __might_sleep())
 * @what: the function that may sleep
 */
export function __might_sleep(what: string): void {
	if (!debug_kernel.on) return;
	const task = cpu_context.current;
	const masked = irqs_disabled();
	if (!masked) state.booting = false;
	if ((task.preempt_count === 0 && !masked) || state.booting) return;
	const site = caller_site();
	if (!__once_lite(state.warned_atomic, site)) return;
	kernel_report(3, [
		`BUG: sleeping function called from invalid context at ${site}`,
		`in_atomic(): ${task.preempt_count !== 0 ? 1 : 0}, irqs_disabled(): ${irqs_disabled() ? 1 : 0}, non_block: 0, pid: ${task.pid}, name: ${task.comm}`,
		`preempt_count: ${task.preempt_count.toString(16)}, expected: 0 (${what})`,
	]);
}

function schedule_debug(task: task_struct): void {
	if (task.preempt_count === 0) {
		// Linux switches with interrupts off and the next task enables them; a sleeper here needs them too.
		if (irqs_disabled()) {
			__might_sleep('schedule');
			local_irq_enable();
		}
		return;
	}
	kernel_report(3, [
		`BUG: scheduling while atomic: ${task.comm}/${task.pid}/0x${task.preempt_count.toString(16).padStart(8, '0')}`,
	]);
	panic('scheduling while atomic: %s', task.comm);
}

/** Make a task ready; false when it was (kernel/sched/core.c: try_to_wake_up()). */
export function try_to_wake_up(p: task_struct, st: unsigned_int): bool {
	if (p.thread_fn !== null && !p.on_stack) {
		if (!list_empty(p.run_node)) return false;
		p.__state = TASK_RUNNING;
		list_add_tail(p.run_node, state.rq.queue);
		return true;
	}
	if ((p.__state & st) === 0) return false;
	p.__state = TASK_RUNNING;
	return true;
}

/** Make a sleeping task ready: 1, or 0 when it was not asleep (kernel/sched/core.c: wake_up_process()). */
export function wake_up_process(p: task_struct): int {
	return try_to_wake_up(p, TASK_NORMAL) ? 1 : 0;
}

// Run the next ready task on top of the stack until it is done; false when none is ready.
function run_next_task(): bool {
	const queue = state.rq.queue;
	if (list_empty(queue)) return false;
	const next = list_first_entry(queue);
	list_del_init(next.run_node);
	const prev = cpu_context.current;
	state.nr_switches++;
	next.on_stack = true;
	next.run_again = false;
	cpu_context.current = next;
	try {
		(next.thread_fn as thread_fn_t)(next.thread_data);
	} finally {
		cpu_context.current = prev;
		next.on_stack = false;
	}
	if (next.run_again) list_add_tail(next.run_node, queue);
	return true;
}

function hang(task: task_struct, why: string): never {
	kernel_report(3, [
		`INFO: task ${task.comm}:${task.pid} blocked for ever.`,
		`      waiting for ${task.wchan === '' ? 'an event' : task.wchan}; ${why}`,
	]);
	panic('hung_task: %s:%d waits for %s', task.comm, task.pid, task.wchan === '' ? 'an event' : task.wchan);
}

/**
 * schedule - Give way until woken (kernel/sched/core.c: schedule())
 *
 * A task in TASK_RUNNING lets the others that are ready run, and goes on.
 */
export function schedule(): void {
	const task = cpu_context.current;
	schedule_debug(task);
	task.sleep_start = sched_clock();
	// Someone who sleeps for a time only, with locks held, keeps the others out: they would meet the locks.
	const alone = task.timed_sleep && task.lockdep_depth > 0;
	do {
		if (!alone && run_next_task()) continue;
		if (task.__state === TASK_RUNNING) break;
		const before = sched_clock();
		const seq = state.irq_seq;
		machine.wait_for_interrupt(Number.POSITIVE_INFINITY);
		if (state.irq_seq !== seq || !list_empty(state.rq.queue)) {
			if (!task.timed_sleep && sched_clock() - task.sleep_start > HUNG_TASK_TIMEOUT_NS)
				hang(task, 'nothing woke it in 120 seconds');
			continue;
		}
		if (task.__state !== TASK_RUNNING && sched_clock() === before)
			hang(task, 'no event is left that could wake it');
	} while (task.__state !== TASK_RUNNING);
	task.wchan = '';
}

/** Let the tasks that are ready run, without sleeping (kernel/sched/core.c: __cond_resched()). */
export function __cond_resched(): int {
	if (cpu_context.current.preempt_count !== 0 || irqs_disabled()) return 0;
	let ran = 0;
	// Those that are ready now: who wants one turn after the other must not keep this task away for ever.
	for (let turns = list_count_nodes(state.rq.queue); turns > 0; turns--) {
		if (cpu_context.current.lockdep_depth !== 0 || !run_next_task()) break;
		ran = 1;
	}
	return ran;
}

/** Run all that is ready: what the idle task's CPU does before it waits for an interrupt (kernel/sched/idle.c: do_idle()). */
export function do_idle(): void {
	schedule_debug(cpu_context.current);
	while (run_next_task());
}

/** Whether a task waits for its turn (kernel/sched/core.c: need_resched() of the idle task). */
export function need_resched(): bool {
	return !list_empty(state.rq.queue);
}

/** Let the tasks that are ready run (include/linux/sched.h: yield()). */
export function yield_(): void {
	__cond_resched();
}
