// SPDX-License-Identifier: GPL-2.0-only
// Lock-less singly linked lists; each change is an atomic exchange.
// Linux 6.12: include/linux/llist.h
import { schedule_point } from '#arch/arm64/kernel/setup.js';
import type { bool } from '#linux/types.js';

export class llist_node<T> {
	next: llist_node<T> | null = null;
	constructor(readonly container: T | null = null) {}
}

export class llist_head<T> {
	first: llist_node<T> | null = null;
}

/** Make @list empty (include/linux/llist.h: init_llist_head()). */
export function init_llist_head<T>(list: llist_head<T>): void {
	list.first = null;
}

/** Whether nothing is on @head (include/linux/llist.h: llist_empty()). */
export function llist_empty<T>(head: llist_head<T>): bool {
	return head.first === null;
}

/** Add in front; whether the list was empty (include/linux/llist.h: llist_add()). */
export function llist_add<T>(node: llist_node<T>, head: llist_head<T>): bool {
	schedule_point('xchg', 0);
	node.next = head.first;
	head.first = node;
	return node.next === null;
}

/** Take all, the newest first (include/linux/llist.h: llist_del_all()). */
export function llist_del_all<T>(head: llist_head<T>): llist_node<T> | null {
	schedule_point('xchg', 0);
	const first = head.first;
	head.first = null;
	return first;
}

/** Take the newest (lib/llist.c: llist_del_first()). */
export function llist_del_first<T>(head: llist_head<T>): llist_node<T> | null {
	schedule_point('xchg', 0);
	const first = head.first;
	if (first !== null) head.first = first.next;
	return first;
}

/** Each struct from @node on; the current one may be freed (include/linux/llist.h: llist_for_each_entry_safe()). */
export function* llist_for_each_entry_safe<T>(node: llist_node<T> | null): Iterable<T> {
	for (let pos = node; pos !== null; ) {
		const next: llist_node<T> | null = pos.next;
		yield pos.container as T;
		pos = next;
	}
}
