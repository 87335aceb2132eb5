// SPDX-License-Identifier: GPL-2.0-only
// Simple wait queues.
// Linux 6.12: kernel/sched/swait.c

import { wake_up_process } from '#kernel/sched/core.js';
import { list_del_init, list_empty, list_first_entry } from '#linux/list.js';
import type { swait_queue_head } from '#linux/swait.js';

/** Wake the first; the caller holds the lock (kernel/sched/swait.c: swake_up_locked()). */
export function swake_up_locked(q: swait_queue_head): void {
	if (list_empty(q.task_list)) return;
	const curr = list_first_entry(q.task_list);
	wake_up_process(curr.task);
	list_del_init(curr.task_list);
}

/** Wake all; the caller holds the lock (kernel/sched/swait.c: swake_up_all_locked()). */
export function swake_up_all_locked(q: swait_queue_head): void {
	while (!list_empty(q.task_list)) swake_up_locked(q);
}
