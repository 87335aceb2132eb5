// SPDX-License-Identifier: GPL-2.0-only
// What the kernel knows of a task.
// Linux 6.12: include/linux/sched.h (struct task_struct), include/linux/sched/task.h
// Left out: everything that scheduling classes, memory maps and credentials need
import { list_head } from '#linux/list.js';
import type { bool, int, long, u64, unsigned_int } from '#linux/types.js';

export const TASK_RUNNING = 0;
export const TASK_INTERRUPTIBLE = 1;
export const TASK_UNINTERRUPTIBLE = 2;
export const TASK_DEAD = 0x80;
export const TASK_WAKEKILL = 0x100;
export const TASK_KILLABLE = TASK_WAKEKILL | TASK_UNINTERRUPTIBLE;
export const TASK_NORMAL = TASK_INTERRUPTIBLE | TASK_UNINTERRUPTIBLE;

export const PF_WQ_WORKER = 0x20;
export const PF_KTHREAD = 0x200000;

export const TASK_COMM_LEN = 16;

/** No time-out. */
export const MAX_SCHEDULE_TIMEOUT: long = Number.MAX_SAFE_INTEGER;

/** What a thread runs, and is given. */
export type thread_fn_t = (data: unknown) => void;

export class task_struct {
	__state: unsigned_int = TASK_RUNNING;
	flags: unsigned_int = 0;
	pid: int;
	comm: string;
	/** thread_info.preempt_count: preemption depth, softirq and hard-irq nesting (linux/preempt.h). */
	preempt_count: int = 0;
	/** What the task runs on each activation; null for the task that booted. */
	thread_fn: thread_fn_t | null = null;
	thread_data: unknown = null;
	/** In the run queue, until its turn comes. */
	readonly run_node = new list_head<task_struct>(this);
	/** It has a frame on the one stack that there is: it runs, or others run on top of it. */
	on_stack: bool = false;
	/** It wants another turn: thread_fn is called anew. */
	run_again: bool = false;
	/** What it waits for, for a hang report; and since when (virtual ns). */
	wchan: string = '';
	sleep_start: u64 = 0;
	/** The number of locks that it holds. */
	lockdep_depth: int = 0;
	/** It sleeps for a time only: nothing but the clock can wake it. */
	timed_sleep: bool = false;
	constructor(pid: int = 0, comm: string = '') {
		this.pid = pid;
		this.comm = comm;
	}
}
