// SPDX-License-Identifier: GPL-2.0-only
// Kernel threads.
// Linux 6.12: include/linux/kthread.h
// Left out: parking, kthread workers, binding to a CPU
export {
	kthread_create,
	kthread_run,
	kthread_run_again,
	kthread_should_stop,
	kthread_stop,
} from '#kernel/kthread.js';
