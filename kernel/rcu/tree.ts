// SPDX-License-Identifier: GPL-2.0-only
// Grace periods.
// Linux 6.12: kernel/rcu/tree.c
// Left out: nearly all of it. There is one stack: once no reader is on it, a grace period has passed.
import { __might_sleep } from '#kernel/sched/core.js';
import { WARN_ON } from '#linux/bug.js';
import { boot_data } from '#linux/init.js';
import type { int } from '#linux/types.js';
import { kfree } from '#mm/slub.js';

interface rcu_callback {
	readonly func: () => void;
}

const state = boot_data(() => ({
	/** Read-side critical sections on the stack. */
	nesting: 0 as int,
	callbacks: [] as rcu_callback[],
}));

export function __rcu_read_lock(): void {
	state.nesting++;
}

export function __rcu_read_unlock(): void {
	WARN_ON(state.nesting === 0);
	state.nesting--;
	if (state.nesting === 0) rcu_do_batch();
}

function rcu_do_batch(): void {
	while (state.nesting === 0) {
		const cb = state.callbacks.shift();
		if (cb === undefined) return;
		cb.func();
	}
}

export function rcu_read_lock_held(): int {
	return state.nesting > 0 ? 1 : 0;
}

/** Wait until all readers that are in now have left (kernel/rcu/tree.c: synchronize_rcu()). */
export function synchronize_rcu(): void {
	__might_sleep('synchronize_rcu');
	WARN_ON(state.nesting !== 0);
	rcu_do_batch();
}

/** Call @func with @head after a grace period (kernel/rcu/tree.c: call_rcu()). */
export function call_rcu<T>(head: T, func: (head: T) => void): void {
	state.callbacks.push({ func: () => func(head) });
	rcu_do_batch();
}

/** kfree() after a grace period (include/linux/rcupdate.h: kfree_rcu()). */
export function kfree_rcu(ptr: object | null): void {
	if (ptr !== null) call_rcu(ptr, kfree);
}

/** Wait until all callbacks have run (kernel/rcu/tree.c: rcu_barrier()). */
export function rcu_barrier(): void {
	synchronize_rcu();
}
