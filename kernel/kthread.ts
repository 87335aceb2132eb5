// SPDX-License-Identifier: GPL-2.0-only
// Kernel threads.
// Linux 6.12: kernel/kthread.c
// Left out: parking, kthread workers. A thread runs from its first turn to its end, or asks for another turn
// (kthread_run_again()); what it sleeps for must come from outside the code that it was let in by.
import { cpu_context } from '#asm/current.js';
import { alloc_pid_nr, schedule, wake_up_process } from '#kernel/sched/core.js';
import { kasprintf_va, type printk_arg } from '#lib/vsprintf.js';
import type { err_ptr } from '#linux/err.js';
import { EINTR } from '#linux/errno.js';
import { PF_KTHREAD, TASK_UNINTERRUPTIBLE, task_struct } from '#linux/sched/task.js';
import type { bool, int } from '#linux/types.js';

class kthread extends task_struct {
	threadfn: ((data: never) => int) | null = null;
	data: unknown = null;
	should_stop: bool = false;
	started: bool = false;
	done: bool = false;
	result: int = -EINTR;
	waiter: task_struct | null = null;
}

// What each thread runs first (kernel/kthread.c: kthread()).
function kthread_main(data: unknown): void {
	const k = data as kthread;
	if (k.done) return;
	if ((!k.should_stop || k.started) && k.threadfn !== null) {
		k.started = true;
		k.result = k.threadfn(k.data as never);
	}
	if (k.run_again) return;
	k.done = true;
	if (k.waiter !== null) wake_up_process(k.waiter);
}

/** A thread that wake_up_process() will start (include/linux/kthread.h: kthread_create()). */
export function kthread_create<T>(
	threadfn: (data: T) => int,
	data: T,
	namefmt: string,
	...args: printk_arg[]
): task_struct | err_ptr {
	const k = new kthread(alloc_pid_nr(), kasprintf_va(namefmt, args));
	k.flags = PF_KTHREAD;
	k.threadfn = threadfn;
	k.data = data;
	k.thread_fn = kthread_main;
	k.thread_data = k;
	return k;
}

/** A thread that is ready at once (include/linux/kthread.h: kthread_run()). */
export function kthread_run<T>(
	threadfn: (data: T) => int,
	data: T,
	namefmt: string,
	...args: printk_arg[]
): task_struct | err_ptr {
	const k = kthread_create(threadfn, data, namefmt, ...args);
	if (k instanceof task_struct) wake_up_process(k);
	return k;
}

/** Whether the running thread was told to end (kernel/kthread.c: kthread_should_stop()). */
export function kthread_should_stop(): bool {
	const task = cpu_context.current;
	return task instanceof kthread && task.should_stop;
}

/**
 * Have the running thread's function called once more, at its next turn. It stands for C's loop around cond_resched():
 * there is one stack, and on it a thread that loops would never let go on those that it runs on top of.
 */
export function kthread_run_again(): void {
	cpu_context.current.run_again = true;
}

/** Tell @k to end and wait: what its function answered, -EINTR when it never ran (kernel/kthread.c: kthread_stop()). */
export function kthread_stop(k: task_struct): int {
	const t = k as kthread;
	t.should_stop = true;
	const self = cpu_context.current;
	t.waiter = self;
	wake_up_process(t);
	while (!t.done) {
		self.__state = TASK_UNINTERRUPTIBLE;
		self.wchan = `thread ${t.comm}`;
		schedule();
	}
	return t.result;
}
