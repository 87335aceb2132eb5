// SPDX-License-Identifier: GPL-2.0-only
// Circular doubly linked lists; an entry knows the struct that embeds it.
// Linux 6.12: include/linux/list.h
//
// A list head is `new list_head<T>()`, a member is `new list_head<T>(this)`;
// list_entry() answers the embedding struct.
import type { bool, size_t } from '#linux/types.js';

export class list_head<T> {
	next: list_head<T> = this;
	prev: list_head<T> = this;
	/** The embedding struct; null in the head of a list. */
	readonly container: T | null;
	constructor(container: T | null = null) {
		this.container = container;
	}
}

/** Make @list an empty list (include/linux/list.h: INIT_LIST_HEAD()). */
export function INIT_LIST_HEAD<T>(list: list_head<T>): void {
	list.next = list;
	list.prev = list;
}

function __list_add<T>(entry: list_head<T>, prev: list_head<T>, next: list_head<T>): void {
	next.prev = entry;
	entry.next = next;
	entry.prev = prev;
	prev.next = entry;
}

function __list_del<T>(prev: list_head<T>, next: list_head<T>): void {
	next.prev = prev;
	prev.next = next;
}

/** Insert @entry right after @head (include/linux/list.h: list_add()). */
export function list_add<T>(entry: list_head<T>, head: list_head<T>): void {
	__list_add(entry, head, head.next);
}

/** Insert @entry right before @head, the end of the list (include/linux/list.h: list_add_tail()). */
export function list_add_tail<T>(entry: list_head<T>, head: list_head<T>): void {
	__list_add(entry, head.prev, head);
}

/** Unlink @entry; it must not be used as a list again before INIT (include/linux/list.h: list_del()). */
export function list_del<T>(entry: list_head<T>): void {
	__list_del(entry.prev, entry.next);
	// An entry linked to itself stands for the kernel's poison: deleting twice does no harm, walking from it ends.
	entry.next = entry;
	entry.prev = entry;
}

/** Unlink @entry and make it an empty list (include/linux/list.h: list_del_init()). */
export function list_del_init<T>(entry: list_head<T>): void {
	list_del(entry);
}

/** Move @entry to the front of @head (include/linux/list.h: list_move()). */
export function list_move<T>(entry: list_head<T>, head: list_head<T>): void {
	__list_del(entry.prev, entry.next);
	list_add(entry, head);
}

/** Move @entry to the end of @head (include/linux/list.h: list_move_tail()). */
export function list_move_tail<T>(entry: list_head<T>, head: list_head<T>): void {
	__list_del(entry.prev, entry.next);
	list_add_tail(entry, head);
}

/** Whether @head has no entries (include/linux/list.h: list_empty()). */
export function list_empty<T>(head: list_head<T>): bool {
	return head.next === head;
}

/** Whether @head has exactly one entry (include/linux/list.h: list_is_singular()). */
export function list_is_singular<T>(head: list_head<T>): bool {
	return head.next !== head && head.next === head.prev;
}

/** Whether @entry is the last of @head (include/linux/list.h: list_is_last()). */
export function list_is_last<T>(entry: list_head<T>, head: list_head<T>): bool {
	return entry.next === head;
}

/** Move all of @list to the front of @head (include/linux/list.h: list_splice()). */
export function list_splice<T>(list: list_head<T>, head: list_head<T>): void {
	if (list_empty(list)) return;
	const first = list.next;
	const last = list.prev;
	const at = head.next;
	first.prev = head;
	head.next = first;
	last.next = at;
	at.prev = last;
}

/** list_splice(), then @list is empty (include/linux/list.h: list_splice_init()). */
export function list_splice_init<T>(list: list_head<T>, head: list_head<T>): void {
	list_splice(list, head);
	INIT_LIST_HEAD(list);
}

/** Move all of @list to the end of @head (include/linux/list.h: list_splice_tail()). */
export function list_splice_tail<T>(list: list_head<T>, head: list_head<T>): void {
	list_splice(list, head.prev);
}

/** list_splice_tail(), then @list is empty (include/linux/list.h: list_splice_tail_init()). */
export function list_splice_tail_init<T>(list: list_head<T>, head: list_head<T>): void {
	list_splice_tail(list, head);
	INIT_LIST_HEAD(list);
}

/** The struct that embeds @ptr (include/linux/list.h: list_entry()). */
export function list_entry<T>(ptr: list_head<T>): T {
	return ptr.container as T;
}

/** The first struct of a list that is not empty (include/linux/list.h: list_first_entry()). */
export function list_first_entry<T>(head: list_head<T>): T {
	return head.next.container as T;
}

/** The first struct, or null (include/linux/list.h: list_first_entry_or_null()). */
export function list_first_entry_or_null<T>(head: list_head<T>): T | null {
	return head.next === head ? null : head.next.container;
}

/** The last struct of a list that is not empty (include/linux/list.h: list_last_entry()). */
export function list_last_entry<T>(head: list_head<T>): T {
	return head.prev.container as T;
}

/** One walk through a list. Not a generator: all of the kernel walks lists, and this allocates next to nothing. */
class list_walk<T> implements Iterator<T>, Iterable<T> {
	/** The entry that the caller has. */
	pos: list_head<T>;
	/** The one after it, when it was looked up before the caller got this one. */
	n: list_head<T> | null = null;
	/** The same object each time. */
	readonly result: { done: boolean; value: T } = { done: false, value: undefined as T };
	constructor(
		readonly head: list_head<T>,
		readonly safe: bool,
	) {
		this.pos = head;
	}
	[Symbol.iterator](): this {
		return this;
	}
	next(): IteratorResult<T> {
		const { head, result } = this;
		this.pos = this.n ?? this.pos.next;
		if (this.safe) this.n = this.pos.next;
		result.done = this.pos === head;
		result.value = this.pos.container as T;
		return result as IteratorResult<T>;
	}
}

/** Each struct of @head in order; the current one may be unlinked (include/linux/list.h: list_for_each_entry_safe()). */
export function list_for_each_entry_safe<T>(head: list_head<T>): Iterable<T> {
	return new list_walk(head, true);
}

/** Each struct of @head in order (include/linux/list.h: list_for_each_entry()). */
export function list_for_each_entry<T>(head: list_head<T>): Iterable<T> {
	return new list_walk(head, false);
}

/** Each struct of @head from the end (include/linux/list.h: list_for_each_entry_reverse()). */
export function* list_for_each_entry_reverse<T>(head: list_head<T>): Iterable<T> {
	for (let pos = head.prev; pos !== head; pos = pos.prev) yield pos.container as T;
}

/** The number of entries (include/linux/list.h: list_count_nodes()). */
export function list_count_nodes<T>(head: list_head<T>): size_t {
	let count = 0;
	for (let pos = head.next; pos !== head; pos = pos.next) count++;
	return count;
}

/** Whether @entry is the first of @head (include/linux/list.h: list_is_first()). */
export function list_is_first<T>(entry: list_head<T>, head: list_head<T>): bool {
	return entry.prev === head;
}

/** Whether @entry is the head itself (include/linux/list.h: list_is_head(), list_entry_is_head()). */
export function list_is_head<T>(entry: list_head<T>, head: list_head<T>): bool {
	return entry === head;
}

/** Put @entry where @old was (include/linux/list.h: list_replace()). */
export function list_replace<T>(old: list_head<T>, entry: list_head<T>): void {
	entry.next = old.next;
	entry.next.prev = entry;
	entry.prev = old.prev;
	entry.prev.next = entry;
}

/** The struct after @pos's, null at the end of @head (include/linux/list.h: list_next_entry() with its check). */
export function list_next_entry<T>(pos: list_head<T>, head: list_head<T>): T | null {
	return pos.next === head ? null : pos.next.container;
}

/** The struct before @pos's, null at the start of @head (include/linux/list.h: list_prev_entry() with its check). */
export function list_prev_entry<T>(pos: list_head<T>, head: list_head<T>): T | null {
	return pos.prev === head ? null : pos.prev.container;
}

/** Each struct after @pos (include/linux/list.h: list_for_each_entry_continue()). */
export function* list_for_each_entry_continue<T>(pos: list_head<T>, head: list_head<T>): Iterable<T> {
	for (let p = pos.next; p !== head; p = p.next) yield p.container as T;
}

/** Each struct before @pos, backwards: undoing (include/linux/list.h: list_for_each_entry_continue_reverse()). */
export function* list_for_each_entry_continue_reverse<T>(pos: list_head<T>, head: list_head<T>): Iterable<T> {
	for (let p = pos.prev; p !== head; p = p.prev) yield p.container as T;
}

/** Each struct from @pos on (include/linux/list.h: list_for_each_entry_from()). */
export function* list_for_each_entry_from<T>(pos: list_head<T>, head: list_head<T>): Iterable<T> {
	for (let p = pos; p !== head; p = p.next) yield p.container as T;
}

export const list_add_rcu = list_add;
export const list_add_tail_rcu = list_add_tail;
export const list_del_rcu = list_del;
export const list_for_each_entry_rcu = list_for_each_entry;

/** The bucket of a hash table: a list with a single pointer in its head. */
export class hlist_head<T> {
	first: hlist_node<T> | null = null;
}

/** A member of a bucket; `head` stands for the first node's way back (C: pprev). */
export class hlist_node<T> {
	next: hlist_node<T> | null = null;
	prev: hlist_node<T> | null = null;
	head: hlist_head<T> | null = null;
	/** The embedding struct. */
	readonly container: T | null;
	constructor(container: T | null = null) {
		this.container = container;
	}
}

/** Whether the bucket is empty (include/linux/list.h: hlist_empty()). */
export function hlist_empty<T>(h: hlist_head<T>): bool {
	return h.first === null;
}

/** Whether @n is in no bucket (include/linux/list.h: hlist_unhashed()). */
export function hlist_unhashed<T>(n: hlist_node<T>): bool {
	return n.head === null;
}

/** Insert @n at the front of @h (include/linux/list.h: hlist_add_head()). */
export function hlist_add_head<T>(n: hlist_node<T>, h: hlist_head<T>): void {
	const first = h.first;
	n.next = first;
	n.prev = null;
	n.head = h;
	if (first !== null) first.prev = n;
	h.first = n;
}

/** Insert @n after @prev (include/linux/list.h: hlist_add_behind()). */
export function hlist_add_behind<T>(n: hlist_node<T>, prev: hlist_node<T>): void {
	n.next = prev.next;
	n.prev = prev;
	n.head = prev.head;
	prev.next = n;
	if (n.next !== null) n.next.prev = n;
}

/** Unlink @n and mark it unhashed; harmless when it already is (include/linux/list.h: hlist_del_init()). */
export function hlist_del_init<T>(n: hlist_node<T>): void {
	if (n.head === null) return;
	if (n.prev !== null) n.prev.next = n.next;
	else n.head.first = n.next;
	if (n.next !== null) n.next.prev = n.prev;
	n.next = null;
	n.prev = null;
	n.head = null;
}

export const hlist_del = hlist_del_init;

/** Each struct of the bucket; the current one may be unlinked (include/linux/list.h: hlist_for_each_entry_safe()). */
export function* hlist_for_each_entry_safe<T>(h: hlist_head<T>): Iterable<T> {
	for (let pos = h.first; pos !== null; ) {
		const next: hlist_node<T> | null = pos.next;
		yield pos.container as T;
		pos = next;
	}
}

/** Each struct of the bucket (include/linux/list.h: hlist_for_each_entry()). */
export function* hlist_for_each_entry<T>(h: hlist_head<T>): Iterable<T> {
	for (let pos = h.first; pos !== null; pos = pos.next) yield pos.container as T;
}
