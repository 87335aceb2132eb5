// SPDX-License-Identifier: GPL-2.0-only
// Grace periods.
// Linux 6.12: kernel/rcu/tree.c
// Left out: nearly all of it. There is one stack: once no reader is on it, a grace period has passed.
import { __might_sleep } from '#kernel/sched/core.js';
import { WARN_ON } from '#linux/bug.js';
import { boot_data } from '#linux/init.js';
import type { rcu_callback_t, rcu_head } from '#linux/rcupdate.js';
import type { int } from '#linux/types.js';
import { kfree } from '#mm/slub.js';

const state = boot_data(() => ({
	/** Read-side critical sections on the stack. */
	nesting: 0 as int,
	/** Callbacks in the order in which they came (C: struct rcu_cblist). */
	cblist: { head: null as rcu_head | null, tail: null as rcu_head | null },
}));

/** A reader begins (kernel/rcu/tree_plugin.h: __rcu_read_lock()). */
export function __rcu_read_lock(): void {
	state.nesting++;
}

/** A reader ends; the last one's end is the end of the grace period (kernel/rcu/tree_plugin.h: __rcu_read_unlock()). */
export function __rcu_read_unlock(): void {
	WARN_ON(state.nesting === 0);
	state.nesting--;
	rcu_do_batch();
}

// Run what waits, one by one: a callback may read, or call for another.
function rcu_do_batch(): void {
	const list = state.cblist;
	while (state.nesting === 0 && list.head !== null) {
		const rhp = list.head;
		list.head = rhp.next;
		if (list.head === null) list.tail = null;
		rhp.next = null;
		const func = rhp.func as rcu_callback_t;
		rhp.func = null;
		func(rhp);
	}
}

/** Whether the running code is a reader (include/linux/rcupdate.h: rcu_read_lock_held()). */
export function rcu_read_lock_held(): int {
	return state.nesting > 0 ? 1 : 0;
}

/** Wait until all readers that are in now have left (kernel/rcu/tree.c: synchronize_rcu()). */
export function synchronize_rcu(): void {
	__might_sleep('synchronize_rcu');
	WARN_ON(state.nesting !== 0);
	rcu_do_batch();
}

/** Call @func with @head after a grace period (kernel/rcu/tree.c: call_rcu()). @head must not be waiting already. */
export function call_rcu(head: rcu_head, func: rcu_callback_t): void {
	if (WARN_ON(head.func !== null)) return;
	head.func = func;
	head.next = null;
	const list = state.cblist;
	if (list.tail === null) list.head = head;
	else list.tail.next = head;
	list.tail = head;
	rcu_do_batch();
}

function kfree_rcu_cb(rhp: rcu_head): void {
	kfree(rhp.container);
}

/** kfree() of @ptr, which embeds @rhf, after a grace period (include/linux/rcupdate.h: kfree_rcu()). */
export function kfree_rcu(ptr: object | null, rhf: rcu_head): void {
	if (ptr !== null && !WARN_ON(rhf.container !== ptr)) call_rcu(rhf, kfree_rcu_cb);
}

/** Wait until all callbacks have run (kernel/rcu/tree.c: rcu_barrier()). */
export function rcu_barrier(): void {
	synchronize_rcu();
}
