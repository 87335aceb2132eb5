// SPDX-License-Identifier: GPL-2.0-only
// A mutex.
// Linux 6.12: include/linux/mutex_types.h
import { list_head } from '#linux/list.js';
import type { task_struct } from '#linux/sched/task.js';
import type { embedded } from '#linux/types.js';

/** One who waits for a mutex. */
export class mutex_waiter implements embedded {
	readonly list = new list_head<mutex_waiter>(this);
	readonly container = null;
	constructor(readonly task: task_struct) {}
}

export class mutex {
	name: string;
	owner: task_struct | null = null;
	readonly wait_list = new list_head<mutex_waiter>();
	constructor(name: string = 'mutex') {
		this.name = name;
	}
}
