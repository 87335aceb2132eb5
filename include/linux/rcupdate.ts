// SPDX-License-Identifier: GPL-2.0-only
// Read-copy-update.
// Linux 6.12: include/linux/rcupdate.h
// A grace period ends when the running task sleeps: readers do not, and there is one stack.
import { preempt_disable, preempt_enable } from '#linux/preempt.js';

export { call_rcu, kfree_rcu, rcu_barrier, rcu_read_lock_held, synchronize_rcu } from '#kernel/rcu/tree.js';

import { __rcu_read_lock, __rcu_read_unlock } from '#kernel/rcu/tree.js';

/** Used to be the two pointers that call_rcu() needs in the struct. */
export class rcu_head {}

export function rcu_read_lock(): void {
	preempt_disable();
	__rcu_read_lock();
}

export function rcu_read_unlock(): void {
	__rcu_read_unlock();
	preempt_enable();
}

export function rcu_dereference<T>(p: T): T {
	return p;
}

export const rcu_access_pointer = rcu_dereference;
export const rcu_dereference_protected = rcu_dereference;
