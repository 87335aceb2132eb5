// SPDX-License-Identifier: GPL-2.0-only
// Lists that may change while somebody walks them.
// Linux 6.12: lib/klist.c
//
// Left out: waiting in klist_remove() (nobody else can be walking when it is called, or it warns).

import { WARN_ON } from '#linux/bug.js';
import type { klist, klist_iter } from '#linux/klist.js';
import { klist_node } from '#linux/klist.js';
import type { kref } from '#linux/kref.js';
import { kref_get, kref_init, kref_put } from '#linux/kref.js';
import type { list_head } from '#linux/list.js';
import { INIT_LIST_HEAD, list_add, list_add_tail, list_del_init, list_empty } from '#linux/list.js';
import { spin_lock, spin_unlock } from '#linux/spinlock.js';
import type { bool } from '#linux/types.js';
import { container_of } from '#linux/types.js';

/** Make @k an empty list; @get and @put hold what a node stands for (lib/klist.c: klist_init()). */
export function klist_init<T>(
	k: klist<T>,
	get: ((node: klist_node<T>) => void) | null,
	put: ((node: klist_node<T>) => void) | null,
): void {
	INIT_LIST_HEAD(k.k_list);
	k.get = get;
	k.put = put;
}

function klist_node_init<T>(k: klist<T>, n: klist_node<T>): void {
	INIT_LIST_HEAD(n.n_node);
	kref_init(n.n_ref);
	n.n_klist = k;
	n.dead = false;
	k.get?.(n);
}

/** Put @n first (lib/klist.c: klist_add_head()). */
export function klist_add_head<T>(n: klist_node<T>, k: klist<T>): void {
	klist_node_init(k, n);
	spin_lock(k.k_lock);
	list_add(n.n_node, k.k_list);
	spin_unlock(k.k_lock);
}

/** Put @n last (lib/klist.c: klist_add_tail()). */
export function klist_add_tail<T>(n: klist_node<T>, k: klist<T>): void {
	klist_node_init(k, n);
	spin_lock(k.k_lock);
	list_add_tail(n.n_node, k.k_list);
	spin_unlock(k.k_lock);
}

function klist_release(ref: kref): void {
	const n = container_of(ref, klist_node);
	WARN_ON(!n.dead);
	list_del_init(n.n_node);
	n.n_klist = null;
}

function klist_put<T>(n: klist_node<T>, kill: bool): void {
	const k = n.n_klist;
	if (k === null) {
		WARN_ON(true);
		return;
	}
	let put = k.put;
	spin_lock(k.k_lock);
	// A node is taken off at most once, whoever else still stands on it.
	if (kill && !WARN_ON(n.dead)) n.dead = true;
	if (!kref_put(n.n_ref, klist_release)) put = null;
	spin_unlock(k.k_lock);
	put?.(n);
}

/** Take @n off; it goes when the last walker has left it (lib/klist.c: klist_del()). */
export function klist_del<T>(n: klist_node<T>): void {
	klist_put(n, true);
}

/** Take @n off for good (lib/klist.c: klist_remove()). */
export function klist_remove<T>(n: klist_node<T>): void {
	klist_del(n);
	WARN_ON(n.n_klist !== null);
}

/** Whether @n is on a list (lib/klist.c: klist_node_attached()). */
export function klist_node_attached<T>(n: klist_node<T>): bool {
	return n.n_klist !== null;
}

/** Start walking @k after @n, or at its head (lib/klist.c: klist_iter_init_node()). */
export function klist_iter_init_node<T>(k: klist<T>, i: klist_iter<T>, n: klist_node<T> | null): void {
	i.i_klist = k;
	i.i_cur = null;
	if (n !== null && n.n_klist === k) {
		kref_get(n.n_ref);
		i.i_cur = n;
	}
}

/** Start walking @k (lib/klist.c: klist_iter_init()). */
export function klist_iter_init<T>(k: klist<T>, i: klist_iter<T>): void {
	klist_iter_init_node(k, i, null);
}

/** Stop walking, and let go of the node (lib/klist.c: klist_iter_exit()). */
export function klist_iter_exit<T>(i: klist_iter<T>): void {
	if (i.i_cur !== null) {
		klist_put(i.i_cur, false);
		i.i_cur = null;
	}
}

function klist_step<T>(i: klist_iter<T>, forward: bool): klist_node<T> | null {
	const k = i.i_klist;
	if (k === null) return null;
	const last = i.i_cur;
	const from: list_head<klist_node<T>> = last !== null ? last.n_node : k.k_list;
	let pos = forward ? from.next : from.prev;
	spin_lock(k.k_lock);
	i.i_cur = null;
	while (pos !== k.k_list) {
		const n = pos.container;
		if (n !== null && !n.dead) {
			kref_get(n.n_ref);
			i.i_cur = n;
			break;
		}
		pos = forward ? pos.next : pos.prev;
	}
	spin_unlock(k.k_lock);
	if (last !== null) klist_put(last, false);
	return i.i_cur;
}

/** The next node, held until the step after (lib/klist.c: klist_next()). */
export function klist_next<T>(i: klist_iter<T>): klist_node<T> | null {
	return klist_step(i, true);
}

/** The node before (lib/klist.c: klist_prev()). */
export function klist_prev<T>(i: klist_iter<T>): klist_node<T> | null {
	return klist_step(i, false);
}

/** Whether nothing is on @k (not in Linux: there callers peek at k_list). */
export function klist_empty<T>(k: klist<T>): bool {
	return list_empty(k.k_list);
}
