// SPDX-License-Identifier: GPL-2.0-only
// Freezing tasks for a sleep of the system.
// Linux 6.12: kernel/power/process.c
//
// There is one thread of user space's, the caller, and kernel threads that only run when they are given work: nobody
// has to be frozen. What is said is Linux's.
import { pr_info } from '#linux/printk.js';
import type { int } from '#linux/types.js';

function try_to_freeze_tasks(what: string): int {
	pr_info('Freezing %s', what);
	pr_info('Freezing %s completed (elapsed %d.%03d seconds)', what, 0, 0);
	return 0;
}

/** Stop user space (kernel/power/process.c: freeze_processes()). */
export function freeze_processes(): int {
	const error = try_to_freeze_tasks('user space processes');
	if (error === 0) pr_info('OOM killer disabled.');
	return error;
}

/** Stop the kernel's threads that can be (kernel/power/process.c: freeze_kernel_threads()). */
export function freeze_kernel_threads(): int {
	return try_to_freeze_tasks('remaining freezable tasks');
}

/** Let all go on (kernel/power/process.c: thaw_processes()). */
export function thaw_processes(): void {
	pr_info('OOM killer enabled.');
	pr_info('Restarting tasks ... done.');
}
