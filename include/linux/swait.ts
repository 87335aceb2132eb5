// SPDX-License-Identifier: GPL-2.0-only
// Simple wait queues: tasks in a row, woken in order.
// Linux 6.12: include/linux/swait.h
import { list_head } from '#linux/list.js';
import type { task_struct } from '#linux/sched/task.js';
import { raw_spinlock_t } from '#linux/spinlock_types.js';

export class swait_queue {
	readonly task_list = new list_head<swait_queue>(this);
	constructor(public task: task_struct) {}
}

export class swait_queue_head {
	readonly lock = new raw_spinlock_t('&x->wait');
	readonly task_list = new list_head<swait_queue>();
}
