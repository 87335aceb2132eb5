// SPDX-License-Identifier: GPL-2.0-only
// Tasks and sleeping.
// Linux 6.12: include/linux/sched.h
import { get_current } from '#asm/current.js';
import { __cond_resched, __might_sleep } from '#kernel/sched/core.js';
import type { task_struct } from '#linux/sched/task.js';
import type { bool, int, unsigned_int } from '#linux/types.js';

export { get_current } from '#asm/current.js';
export { schedule, wake_up_process } from '#kernel/sched/core.js';
export {
	schedule_timeout,
	schedule_timeout_interruptible,
	schedule_timeout_uninterruptible,
} from '#kernel/time/timer.js';
export {
	MAX_SCHEDULE_TIMEOUT,
	PF_KTHREAD,
	PF_WQ_WORKER,
	TASK_INTERRUPTIBLE,
	TASK_KILLABLE,
	TASK_NORMAL,
	TASK_RUNNING,
	TASK_UNINTERRUPTIBLE,
	task_struct,
} from '#linux/sched/task.js';

/** The running task goes to sleep at its next schedule() (include/linux/sched.h: set_current_state()). */
export function set_current_state(state: unsigned_int): void {
	get_current().__state = state;
}

export const __set_current_state = set_current_state;

/** Let others run if the context allows it; 1 when some did (include/linux/sched.h: cond_resched()). */
export function cond_resched(): int {
	__might_sleep('cond_resched');
	return __cond_resched();
}

/** The task's process number (include/linux/pid.h: task_pid_nr()). */
export function task_pid_nr(tsk: task_struct): int {
	return tsk.pid;
}

/** Whether a signal waits for @p; there is no user space that could send one (include/linux/sched/signal.h: signal_pending()). */
export function signal_pending(_p: task_struct): bool {
	return false;
}

export const fatal_signal_pending = signal_pending;
