// SPDX-License-Identifier: GPL-2.0-only
// Sparse arrays: a tree of nodes with 64 slots.
// Linux 6.12: lib/xarray.c
// Left out: the advanced interface (xas_*), value entries, entries that span several indices

import { _raw_spin_lock_irqsave, _raw_spin_unlock_irqrestore } from '#kernel/locking/spinlock.js';
import { ERR_PTR, err_ptr } from '#linux/err.js';
import { EBUSY, EINVAL, ENOMEM } from '#linux/errno.js';
import { __GFP_DIRECT_RECLAIM } from '#linux/gfp_types.js';
import {
	type bool,
	type gfp_t,
	type int,
	type ref,
	U32_MAX,
	ULONG_MAX,
	type u32,
	type unsigned_long,
} from '#linux/types.js';
import {
	XA_CHUNK_SHIFT,
	XA_CHUNK_SIZE,
	XA_FLAGS_ALLOC,
	XA_MARK_0,
	XA_MAX_MARKS,
	XA_PRESENT,
	type xa_limit,
	type xa_mark_t,
	xa_node,
	type xarray,
} from '#linux/xarray_types.js';
import { kfree, kzalloc_struct } from '#mm/slub.js';

const XA_FLAGS_TRACK_FREE = XA_FLAGS_ALLOC;
const XA_FLAGS_ZERO_BUSY = 0x8;

/** What a reserved index holds; xa_load() answers null for it. */
export const XA_ZERO_ENTRY = new err_ptr(0);

type entry<T> = T | err_ptr;

function offset_of<T>(node: xa_node<T>, index: unsigned_long): int {
	return node.shift < 31 && index <= 0x7fff_ffff
		? (index >>> node.shift) & (XA_CHUNK_SIZE - 1)
		: Math.floor(index / 2 ** node.shift) % XA_CHUNK_SIZE;
}

function max_index<T>(node: xa_node<T>): unsigned_long {
	return 2 ** (node.shift + XA_CHUNK_SHIFT) - 1;
}

function get_mark<T>(node: xa_node<T>, mark: xa_mark_t, offset: int): bool {
	return ((node.marks[2 * mark + (offset >>> 5)]! >>> (offset & 31)) & 1) !== 0;
}

function put_mark<T>(node: xa_node<T>, mark: xa_mark_t, offset: int, on: bool): void {
	if (on) node.marks[2 * mark + (offset >>> 5)]! |= 1 << (offset & 31);
	else node.marks[2 * mark + (offset >>> 5)]! &= ~(1 << (offset & 31));
}

function any_mark<T>(node: xa_node<T>, mark: xa_mark_t): bool {
	return (node.marks[2 * mark]! | node.marks[2 * mark + 1]!) !== 0;
}

function track_free<T>(xa: xarray<T>): bool {
	return (xa.xa_flags & XA_FLAGS_TRACK_FREE) !== 0;
}

function new_node<T>(xa: xarray<T>, shift: int, gfp: gfp_t): xa_node<T> | null {
	// Under the array's lock: the caller's permission to sleep is for outside of it (C: xas_nomem()).
	const node = kzalloc_struct<xa_node<T>>(xa_node, gfp & ~__GFP_DIRECT_RECLAIM);
	if (node === null) return null;
	node.shift = shift;
	// In an allocating array a slot that nobody uses is a free one.
	if (track_free(xa)) node.marks.fill(0xffff_ffff, 0, 2);
	return node;
}

function load<T>(xa: xarray<T>, index: unsigned_long): entry<T> | null {
	let node = xa.xa_head;
	if (node === null || index > max_index(node)) return null;
	for (;;) {
		const next: xa_node<T> | T | null = node.slots[offset_of(node, index)]!;
		if (node.shift === 0 || next === null) return next as entry<T> | null;
		node = next as xa_node<T>;
	}
}

// Make the nodes down to @index; null when memory ran out (what was made stays, empty nodes are no harm).
function expand<T>(xa: xarray<T>, index: unsigned_long, gfp: gfp_t): xa_node<T> | null {
	if (xa.xa_head === null) {
		let shift = 0;
		while (index > 2 ** (shift + XA_CHUNK_SHIFT) - 1) shift += XA_CHUNK_SHIFT;
		xa.xa_head = new_node(xa, shift, gfp);
		if (xa.xa_head === null) return null;
	}
	while (index > max_index(xa.xa_head)) {
		const old: xa_node<T> = xa.xa_head;
		const top: xa_node<T> | null = new_node(xa, old.shift + XA_CHUNK_SHIFT, gfp);
		if (top === null) return null;
		top.slots[0] = old;
		top.count = 1;
		for (let mark = 0; mark < XA_MAX_MARKS; mark++) put_mark(top, mark, 0, any_mark(old, mark));
		xa.xa_head = top;
	}
	let node = xa.xa_head;
	while (node.shift > 0) {
		const offset = offset_of(node, index);
		let next: xa_node<T> | null = node.slots[offset] as xa_node<T> | null;
		if (next === null) {
			next = new_node(xa, node.shift - XA_CHUNK_SHIFT, gfp);
			if (next === null) return null;
			node.slots[offset] = next;
			node.count++;
		}
		node = next;
	}
	return node;
}

// Carry a mark of @index from the leaf to the top.
function update_mark<T>(
	xa: xarray<T>,
	node: xa_node<T>,
	index: unsigned_long,
	mark: xa_mark_t,
	on: bool,
): bool {
	const offset = offset_of(node, index);
	const up = node.shift === 0 ? on : update_mark(xa, node.slots[offset] as xa_node<T>, index, mark, on);
	put_mark(node, mark, offset, up);
	return any_mark(node, mark);
}

// Free the nodes on the way to @index that hold nothing; true when @node is gone itself.
function shrink<T>(node: xa_node<T>, index: unsigned_long): bool {
	if (node.shift > 0) {
		const offset = offset_of(node, index);
		const next = node.slots[offset] as xa_node<T> | null;
		if (next !== null && shrink(next, index)) {
			node.slots[offset] = null;
			node.count--;
		}
	}
	if (node.count !== 0) return false;
	kfree(node);
	return true;
}

function trim<T>(xa: xarray<T>, index: unsigned_long): void {
	if (xa.xa_head !== null && index <= max_index(xa.xa_head) && shrink(xa.xa_head, index)) xa.xa_head = null;
}

function store<T>(xa: xarray<T>, index: unsigned_long, val: entry<T> | null, gfp: gfp_t): entry<T> | null {
	if (val === null) {
		const old = load(xa, index);
		if (old === null) return null;
		const leaf = expand(xa, index, gfp) as xa_node<T>;
		leaf.slots[offset_of(leaf, index)] = null;
		leaf.count--;
		const head = xa.xa_head as xa_node<T>;
		for (let mark = 0; mark < XA_MAX_MARKS; mark++)
			update_mark(xa, head, index, mark, mark === XA_MARK_0 && track_free(xa));
		trim(xa, index);
		return old;
	}
	const leaf = expand(xa, index, gfp);
	if (leaf === null) {
		trim(xa, index);
		return ERR_PTR(-ENOMEM);
	}
	const offset = offset_of(leaf, index);
	const old = leaf.slots[offset] as entry<T> | null;
	leaf.slots[offset] = val as T;
	if (old === null) leaf.count++;
	if (track_free(xa)) update_mark(xa, xa.xa_head as xa_node<T>, index, XA_MARK_0, false);
	return old;
}

function visible<T>(e: entry<T> | null): T | err_ptr | null {
	return e === XA_ZERO_ENTRY ? null : e;
}

/** The errno in what a store answered; 0 without one (include/linux/xarray.h: xa_err()). */
export function xa_err(e: unknown): int {
	return e instanceof err_ptr ? e.errno : 0;
}

/** Whether a store answered an error (include/linux/xarray.h: xa_is_err()). */
export function xa_is_err(e: unknown): e is err_ptr {
	return e instanceof err_ptr && e.errno !== 0;
}

/** What is at @index, or null (lib/xarray.c: xa_load()). */
export function xa_load<T>(xa: xarray<T>, index: unsigned_long): T | null {
	return visible(load(xa, index)) as T | null;
}

/** xa_store() by a caller that holds the lock (lib/xarray.c: __xa_store()). */
export function __xa_store<T>(
	xa: xarray<T>,
	index: unsigned_long,
	val: T | null,
	gfp: gfp_t,
): T | err_ptr | null {
	return visible(store(xa, index, val === null && track_free(xa) ? XA_ZERO_ENTRY : val, gfp));
}

/**
 * xa_store - Put a pointer at an index (lib/xarray.c: xa_store())
 * @xa: the array
 * @index: where
 * @val: what; null erases, but leaves the index of an allocating array taken
 * @gfp: how to allocate nodes
 *
 * Return: what was there before, or an error that xa_is_err() knows.
 */
export function xa_store<T>(
	xa: xarray<T>,
	index: unsigned_long,
	val: T | null,
	gfp: gfp_t,
): T | err_ptr | null {
	const flags = _raw_spin_lock_irqsave(xa.xa_lock);
	const old = __xa_store(xa, index, val, gfp);
	_raw_spin_unlock_irqrestore(xa.xa_lock, flags);
	return old;
}

/** xa_erase() by a caller that holds the lock (lib/xarray.c: __xa_erase()). */
export function __xa_erase<T>(xa: xarray<T>, index: unsigned_long): T | null {
	return visible(store(xa, index, null, 0)) as T | null;
}

/** Empty an index; what was there (lib/xarray.c: xa_erase()). */
export function xa_erase<T>(xa: xarray<T>, index: unsigned_long): T | null {
	const flags = _raw_spin_lock_irqsave(xa.xa_lock);
	const old = __xa_erase(xa, index);
	_raw_spin_unlock_irqrestore(xa.xa_lock, flags);
	return old;
}

/** xa_cmpxchg() by a caller that holds the lock (lib/xarray.c: __xa_cmpxchg()). */
export function __xa_cmpxchg<T>(
	xa: xarray<T>,
	index: unsigned_long,
	old: T | null,
	val: T | null,
	gfp: gfp_t,
): T | err_ptr | null {
	const seen = visible(load(xa, index));
	if (seen !== old) return seen;
	const was = __xa_store(xa, index, val, gfp);
	return xa_is_err(was) ? was : seen;
}

/** Store @val if @old is there; what was there (include/linux/xarray.h: xa_cmpxchg()). */
export function xa_cmpxchg<T>(
	xa: xarray<T>,
	index: unsigned_long,
	old: T | null,
	val: T | null,
	gfp: gfp_t,
): T | err_ptr | null {
	const flags = _raw_spin_lock_irqsave(xa.xa_lock);
	const seen = __xa_cmpxchg(xa, index, old, val, gfp);
	_raw_spin_unlock_irqrestore(xa.xa_lock, flags);
	return seen;
}

/** xa_insert() by a caller that holds the lock (lib/xarray.c: __xa_insert()). */
export function __xa_insert<T>(xa: xarray<T>, index: unsigned_long, val: T | null, gfp: gfp_t): int {
	if (load(xa, index) !== null) return -EBUSY;
	return xa_err(store(xa, index, val === null ? XA_ZERO_ENTRY : val, gfp));
}

/** Store at an index that is free: 0, -EBUSY or -ENOMEM (include/linux/xarray.h: xa_insert()). */
export function xa_insert<T>(xa: xarray<T>, index: unsigned_long, val: T | null, gfp: gfp_t): int {
	const flags = _raw_spin_lock_irqsave(xa.xa_lock);
	const ret = __xa_insert(xa, index, val, gfp);
	_raw_spin_unlock_irqrestore(xa.xa_lock, flags);
	return ret;
}

/** Make sure that a later store at @index needs no memory (include/linux/xarray.h: xa_reserve()). */
export function xa_reserve<T>(xa: xarray<T>, index: unsigned_long, gfp: gfp_t): int {
	const flags = _raw_spin_lock_irqsave(xa.xa_lock);
	const ret = load(xa, index) === null ? xa_err(store(xa, index, XA_ZERO_ENTRY, gfp)) : 0;
	_raw_spin_unlock_irqrestore(xa.xa_lock, flags);
	return ret;
}

/** Give up a reservation that was not used (include/linux/xarray.h: xa_release()). */
export function xa_release<T>(xa: xarray<T>, index: unsigned_long): void {
	const flags = _raw_spin_lock_irqsave(xa.xa_lock);
	if (load(xa, index) === XA_ZERO_ENTRY) store(xa, index, null, 0);
	_raw_spin_unlock_irqrestore(xa.xa_lock, flags);
}

// The first index in [from, max] below @node (whose slot 0 is @base) that is free; -1 when none is.
function first_free<T>(
	node: xa_node<T> | null,
	base: unsigned_long,
	from: unsigned_long,
	max: unsigned_long,
): unsigned_long {
	if (node === null) return from <= max ? from : -1;
	const step = 2 ** node.shift;
	for (let offset = from > base ? Math.floor((from - base) / step) : 0; offset < XA_CHUNK_SIZE; offset++) {
		const start = base + offset * step;
		if (start > max) return -1;
		if (!get_mark(node, XA_MARK_0, offset)) continue;
		if (node.shift === 0) return start;
		const found = first_free(
			node.slots[offset] as xa_node<T> | null,
			start,
			Math.max(from, start),
			Math.min(max, start + step - 1),
		);
		if (found >= 0) return found;
	}
	return -1;
}

function find_free<T>(xa: xarray<T>, min: unsigned_long, max: unsigned_long): unsigned_long {
	const from = min === 0 && (xa.xa_flags & XA_FLAGS_ZERO_BUSY) !== 0 ? 1 : min;
	const head = xa.xa_head;
	if (head === null) return from <= max ? from : -1;
	const top = max_index(head);
	if (from <= top) {
		const found = first_free(head, 0, from, Math.min(max, top));
		if (found >= 0) return found;
	}
	const past = Math.max(from, top + 1);
	return past <= max ? past : -1;
}

/**
 * xa_alloc - Store at the lowest free index of a range (include/linux/xarray.h: xa_alloc())
 * @xa: an array with XA_FLAGS_ALLOC
 * @id: gets the index
 * @entry: what to store; null reserves
 * @limit: the range
 * @gfp: how to allocate nodes
 *
 * Return: 0, -EBUSY when the range is full, -ENOMEM.
 */
export function xa_alloc<T>(xa: xarray<T>, id: ref<u32>, entry: T | null, limit: xa_limit, gfp: gfp_t): int {
	if (!track_free(xa)) return -EINVAL;
	const flags = _raw_spin_lock_irqsave(xa.xa_lock);
	const index = find_free(xa, limit.min, limit.max);
	let ret = -EBUSY;
	if (index >= 0) {
		ret = xa_err(store(xa, index, entry === null ? XA_ZERO_ENTRY : entry, gfp));
		if (ret === 0) id.value = index;
	}
	_raw_spin_unlock_irqrestore(xa.xa_lock, flags);
	return ret;
}

/** xa_alloc() that goes on after @next and starts over; 1 when it did (include/linux/xarray.h: xa_alloc_cyclic()). */
export function xa_alloc_cyclic<T>(
	xa: xarray<T>,
	id: ref<u32>,
	entry: T | null,
	limit: xa_limit,
	next: ref<u32>,
	gfp: gfp_t,
): int {
	if (!track_free(xa)) return -EINVAL;
	const flags = _raw_spin_lock_irqsave(xa.xa_lock);
	let wrapped = 0;
	let index = find_free(xa, Math.max(limit.min, next.value), limit.max);
	if (index < 0) {
		wrapped = 1;
		index = find_free(xa, limit.min, limit.max);
	}
	let ret = -EBUSY;
	if (index >= 0) {
		ret = xa_err(store(xa, index, entry === null ? XA_ZERO_ENTRY : entry, gfp));
		if (ret === 0) {
			id.value = index;
			next.value = index >= U32_MAX ? 0 : index + 1;
			ret = wrapped;
		}
	}
	_raw_spin_unlock_irqrestore(xa.xa_lock, flags);
	return ret;
}

/** Whether nothing is stored (include/linux/xarray.h: xa_empty()). */
export function xa_empty<T>(xa: xarray<T>): bool {
	return xa.xa_head === null;
}

// The first index >= @from that is in use and has @filter; -1 when none is.
function next_index<T>(
	node: xa_node<T>,
	base: unsigned_long,
	from: unsigned_long,
	filter: xa_mark_t,
): unsigned_long {
	const step = 2 ** node.shift;
	for (let offset = from > base ? Math.floor((from - base) / step) : 0; offset < XA_CHUNK_SIZE; offset++) {
		const slot = node.slots[offset]!;
		if (slot === null || (filter < XA_MAX_MARKS && !get_mark(node, filter, offset))) continue;
		const start = base + offset * step;
		if (node.shift === 0) {
			if ((slot as unknown) !== XA_ZERO_ENTRY) return start;
			continue;
		}
		const found = next_index(slot as xa_node<T>, start, Math.max(from, start), filter);
		if (found >= 0) return found;
	}
	return -1;
}

/** The first entry at or after @index, which moves there (lib/xarray.c: xa_find()). */
export function xa_find<T>(
	xa: xarray<T>,
	index: ref<unsigned_long>,
	max: unsigned_long,
	filter: xa_mark_t,
): T | null {
	const head = xa.xa_head;
	if (head === null || index.value > max_index(head)) return null;
	const found = next_index(head, 0, index.value, filter);
	if (found < 0 || found > max) return null;
	index.value = found;
	return xa_load(xa, found);
}

/** The first entry after @index, which moves there (lib/xarray.c: xa_find_after()). */
export function xa_find_after<T>(
	xa: xarray<T>,
	index: ref<unsigned_long>,
	max: unsigned_long,
	filter: xa_mark_t,
): T | null {
	index.value++;
	const found = xa_find(xa, index, max, filter);
	if (found === null) index.value--;
	return found;
}

/** Each [index, entry] from @start to @last; the current one may be erased (include/linux/xarray.h: xa_for_each_range()). */
export function* xa_for_each_range<T>(
	xa: xarray<T>,
	start: unsigned_long,
	last: unsigned_long,
): Iterable<[unsigned_long, T]> {
	for (let at = start; ; at++) {
		const head = xa.xa_head;
		if (head === null || at > max_index(head)) return;
		at = next_index(head, 0, at, XA_PRESENT);
		if (at < 0 || at > last) return;
		yield [at, xa_load(xa, at) as T];
	}
}

/** Each [index, entry] (include/linux/xarray.h: xa_for_each()). */
export function xa_for_each<T>(xa: xarray<T>): Iterable<[unsigned_long, T]> {
	return xa_for_each_range(xa, 0, ULONG_MAX);
}

/** Each [index, entry] from @start on (include/linux/xarray.h: xa_for_each_start()). */
export function xa_for_each_start<T>(xa: xarray<T>, start: unsigned_long): Iterable<[unsigned_long, T]> {
	return xa_for_each_range(xa, start, ULONG_MAX);
}

/** Each [index, entry] that has the mark (include/linux/xarray.h: xa_for_each_marked()). */
export function* xa_for_each_marked<T>(xa: xarray<T>, filter: xa_mark_t): Iterable<[unsigned_long, T]> {
	for (const [index, e] of xa_for_each(xa)) if (xa_get_mark(xa, index, filter)) yield [index, e];
}

/** Whether any entry has @mark (include/linux/xarray.h: xa_marked()). */
export function xa_marked<T>(xa: xarray<T>, mark: xa_mark_t): bool {
	return xa.xa_head !== null && any_mark(xa.xa_head, mark);
}

/** Whether the entry at @index has @mark (lib/xarray.c: xa_get_mark()). */
export function xa_get_mark<T>(xa: xarray<T>, index: unsigned_long, mark: xa_mark_t): bool {
	let node = xa.xa_head;
	if (node === null || index > max_index(node)) return false;
	for (;;) {
		const offset = offset_of(node, index);
		if (!get_mark(node, mark, offset)) return false;
		const next: xa_node<T> | T | null = node.slots[offset]!;
		if (node.shift === 0) return next !== null;
		if (next === null) return false;
		node = next as xa_node<T>;
	}
}

/** Mark the entry at @index, if there is one (lib/xarray.c: xa_set_mark()). */
export function xa_set_mark<T>(xa: xarray<T>, index: unsigned_long, mark: xa_mark_t): void {
	const flags = _raw_spin_lock_irqsave(xa.xa_lock);
	if (load(xa, index) !== null) update_mark(xa, xa.xa_head as xa_node<T>, index, mark, true);
	_raw_spin_unlock_irqrestore(xa.xa_lock, flags);
}

/** Unmark the entry at @index (lib/xarray.c: xa_clear_mark()). */
export function xa_clear_mark<T>(xa: xarray<T>, index: unsigned_long, mark: xa_mark_t): void {
	const flags = _raw_spin_lock_irqsave(xa.xa_lock);
	if (load(xa, index) !== null) update_mark(xa, xa.xa_head as xa_node<T>, index, mark, false);
	_raw_spin_unlock_irqrestore(xa.xa_lock, flags);
}

function free_nodes<T>(node: xa_node<T>): void {
	if (node.shift > 0) for (const slot of node.slots) if (slot !== null) free_nodes(slot as xa_node<T>);
	kfree(node);
}

/** Forget all entries (lib/xarray.c: xa_destroy()). */
export function xa_destroy<T>(xa: xarray<T>): void {
	const flags = _raw_spin_lock_irqsave(xa.xa_lock);
	if (xa.xa_head !== null) free_nodes(xa.xa_head);
	xa.xa_head = null;
	_raw_spin_unlock_irqrestore(xa.xa_lock, flags);
}
