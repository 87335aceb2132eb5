// SPDX-License-Identifier: GPL-2.0-only
// Read-copy-update.
// Linux 6.12: include/linux/rcupdate.h
// A grace period ends when the running task sleeps: readers do not, and there is one stack.
import { preempt_disable, preempt_enable } from '#linux/preempt.js';
import type { embedded } from '#linux/types.js';

export { call_rcu, kfree_rcu, rcu_barrier, rcu_read_lock_held, synchronize_rcu } from '#kernel/rcu/tree.js';

import { __rcu_read_lock, __rcu_read_unlock } from '#kernel/rcu/tree.js';

/** What call_rcu() gives a function (include/linux/types.h: rcu_callback_t). */
export type rcu_callback_t = (head: rcu_head) => void;

/** A callback's place in the queue, embedded in what it will free (include/linux/types.h: struct callback_head). */
export class rcu_head implements embedded {
	next: rcu_head | null = null;
	func: rcu_callback_t | null = null;
	constructor(readonly container: object | null = null) {}
}

/** A reader begins: what it reaches through RCU pointers stays alive (include/linux/rcupdate.h: rcu_read_lock()). */
export function rcu_read_lock(): void {
	preempt_disable();
	__rcu_read_lock();
}

/** A reader ends (include/linux/rcupdate.h: rcu_read_unlock()). */
export function rcu_read_unlock(): void {
	__rcu_read_unlock();
	preempt_enable();
}

/** Read an RCU pointer; in C the read is ordered (include/linux/rcupdate.h: rcu_dereference()). */
export function rcu_dereference<T>(p: T): T {
	return p;
}

export const rcu_access_pointer = rcu_dereference;
export const rcu_dereference_protected = rcu_dereference;
