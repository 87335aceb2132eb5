// SPDX-License-Identifier: GPL-2.0-only
// Calls that run on another CPU.
// Linux 6.12: kernel/smp.c
// Left out: the cross-CPU call queue. run_on_cpu() has no twin: it is how a scheduling point runs another
// CPU's pending call to completion in the midst of this one's.
import { cpu_context } from '#asm/current.js';
import { task_struct } from '#linux/sched/task.js';
import type { int } from '#linux/types.js';

/**
 * run_on_cpu - Run @fn as if on another CPU, while this one stands still
 * @cpu: the CPU
 * @fn: the call; it must not need a lock that this CPU holds, or the lock-up is reported
 *
 * It has a task, a preemption count and an interrupt mask of its own (open, but nothing is delivered to it).
 */
export function run_on_cpu<T>(cpu: int, fn: () => T): T {
	const { cpu: old_cpu, current: old_task, borrowed_irqs } = cpu_context;
	const task = new task_struct(900 + cpu, `cpu${cpu}/call`);
	task.on_stack = true;
	cpu_context.cpu = cpu;
	cpu_context.current = task;
	cpu_context.borrowed_irqs = true;
	try {
		return fn();
	} finally {
		cpu_context.cpu = old_cpu;
		cpu_context.current = old_task;
		cpu_context.borrowed_irqs = borrowed_irqs;
	}
}

/** Run @func on this CPU and, in effect, on the others (kernel/smp.c: on_each_cpu()). */
export function on_each_cpu(func: (info: object | null) => void, info: object | null, _wait: int): void {
	func(info);
}
