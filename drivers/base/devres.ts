// SPDX-License-Identifier: GPL-2.0-only
// Managed resources: what a driver got is given back when it goes, last first.
// Linux 6.12: drivers/base/devres.c
//
// Left out: per-CPU memory, pages, devm_krealloc().

import { deref } from '#arch/arm64/mm/fault.js';
import { sprintf } from '#lib/vsprintf.js';
import { WARN_ON } from '#linux/bug.js';
import type { device } from '#linux/device.js';
import { ENOENT, ENOMEM } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp_types.js';
import { boot_data } from '#linux/init.js';
import {
	list_add_tail,
	list_del_init,
	list_empty,
	list_for_each_entry_reverse,
	list_head,
} from '#linux/list.js';
import { NUMA_NO_NODE } from '#linux/numa.js';
import type { printk_arg } from '#linux/printk.js';
import { kfree, kmalloc, kzalloc } from '#linux/slab.js';
import { spin_lock_irqsave, spin_unlock_irqrestore } from '#linux/spinlock.js';
import type { bool, gfp_t, int, size_t, unsigned_long } from '#linux/types.js';

/** Ends the life of a resource; @res is its data. */
export type dr_release_t = (dev: device, res: unknown) => void;
/** Whether @res is the one that is looked for. */
export type dr_match_t = (dev: device, res: unknown, match_data: unknown) => int | bool;

export class devres_node {
	entry: list_head<devres_node> = new list_head<devres_node>(this);
	release: dr_release_t | null = null;
	name: string = '';
	size: size_t = 0;
}

/** A resource with its data; callers see only the data. */
class devres extends devres_node {
	data: object | null = null;
}

/** A pair of marks around the resources of a group. */
class devres_group {
	node: [devres_node, devres_node] = [new devres_node(), new devres_node()];
	id: unknown = this;
	closed: bool = false;
}

function group_open_release(dev: device, res: unknown): void {}
function group_close_release(dev: device, res: unknown): void {}

/** The group that @node opens or closes; null when it is a resource. Groups are found by their marks. */
class group_mark extends devres_node {
	grp: devres_group | null = null;
}

function node_to_group(node: devres_node): devres_group | null {
	return node instanceof group_mark ? node.grp : null;
}

/** Resources that are made and not added to a device; in C the node stands right before the data. */
const state = boot_data(() => ({
	unattached: new list_head<devres_node>(),
}));

function unattached_node(res: object): devres | null {
	for (const node of list_for_each_entry_reverse(state.unattached))
		if (node instanceof devres && node.data === res) return node;
	return null;
}

/**
 * Make a resource that @release will end (include/linux/device/devres.h: devres_alloc()).
 *
 * @type: the struct of its data
 * Returns the data, which is what devres_add(), devres_find() and the rest are given; null: no memory.
 */
export function devres_alloc<T extends object>(
	release: dr_release_t,
	type: new () => T,
	gfp: gfp_t,
): T | null {
	return __devres_alloc_node(release, type, gfp, NUMA_NO_NODE, release.name);
}

/**
 * devres_alloc() near a node, and by a name for debugging (drivers/base/devres.c: __devres_alloc_node()).
 * There is one node, and nothing here prints the name.
 */
export function __devres_alloc_node<T extends object>(
	release: dr_release_t,
	type: new () => T,
	gfp: gfp_t,
	nid: int,
	name: string,
): T | null {
	const dr = kzalloc(devres, gfp);
	if (dr === null) return null;
	const data = kzalloc(type, gfp);
	if (data === null) {
		kfree(dr);
		return null;
	}
	dr.release = release;
	dr.data = data;
	list_add_tail(dr.entry, state.unattached);
	return data;
}

/** Free a resource that was never added (drivers/base/devres.c: devres_free()). */
export function devres_free(res: object | null): void {
	if (res === null) return;
	const dr = unattached_node(res);
	if (WARN_ON(dr === null) || dr === null) return;
	list_del_init(dr.entry);
	kfree(res);
	kfree(dr);
}

function add_dr(dev: device, node: devres_node): void {
	WARN_ON(!list_empty(node.entry));
	list_add_tail(node.entry, dev.devres_head);
}

/** Tie @res to @dev (drivers/base/devres.c: devres_add()). */
export function devres_add(dev: device, res: object): void {
	const dr = unattached_node(res);
	if (WARN_ON(dr === null) || dr === null) return;
	const flags = spin_lock_irqsave(dev.devres_lock);
	list_del_init(dr.entry);
	add_dr(dev, dr);
	spin_unlock_irqrestore(dev.devres_lock, flags);
}

function find_dr(
	dev: device,
	release: dr_release_t,
	match: dr_match_t | null,
	match_data: unknown,
): devres | null {
	for (const node of list_for_each_entry_reverse(dev.devres_head)) {
		if (!(node instanceof devres) || node.release !== release) continue;
		if (match !== null && !match(dev, node.data, match_data)) continue;
		return node;
	}
	return null;
}

/** The last resource with that release that @match takes (drivers/base/devres.c: devres_find()). */
export function devres_find<T extends object>(
	dev: device,
	release: dr_release_t,
	match: dr_match_t | null,
	match_data: unknown,
): T | null {
	const flags = spin_lock_irqsave(dev.devres_lock);
	const dr = find_dr(dev, release, match, match_data);
	spin_unlock_irqrestore(dev.devres_lock, flags);
	return dr === null ? null : (dr.data as T);
}

/** Untie a resource, without its release; the caller owns it (drivers/base/devres.c: devres_remove()). */
export function devres_remove<T extends object>(
	dev: device,
	release: dr_release_t,
	match: dr_match_t | null,
	match_data: unknown,
): T | null {
	const flags = spin_lock_irqsave(deref(dev).devres_lock);
	const dr = find_dr(dev, release, match, match_data);
	if (dr !== null) {
		list_del_init(dr.entry);
		list_add_tail(dr.entry, state.unattached);
	}
	spin_unlock_irqrestore(dev.devres_lock, flags);
	return dr === null ? null : (dr.data as T);
}

/** Untie and free a resource, without its release (drivers/base/devres.c: devres_destroy()). */
export function devres_destroy(
	dev: device,
	release: dr_release_t,
	match: dr_match_t | null,
	match_data: unknown,
): int {
	const res = devres_remove<object>(dev, release, match, match_data);
	if (res === null) return -ENOENT;
	devres_free(res);
	return 0;
}

/** Untie, release and free a resource (drivers/base/devres.c: devres_release()). */
export function devres_release(
	dev: device,
	release: dr_release_t,
	match: dr_match_t | null,
	match_data: unknown,
): int {
	const res = devres_remove<object>(dev, release, match, match_data);
	if (res === null) return -ENOENT;
	release(dev, res);
	devres_free(res);
	return 0;
}

function release_nodes(dev: device, todo: list_head<devres_node>): void {
	while (!list_empty(todo)) {
		const node = todo.prev.container as devres_node;
		list_del_init(node.entry);
		if (node instanceof devres) {
			node.release?.(dev, node.data);
			kfree(node.data);
			kfree(node);
		} else {
			const grp = node_to_group(node);
			// The opening mark comes last, with the group.
			if (grp !== null && node === grp.node[0]) kfree(grp);
		}
	}
}

/** Release all of @dev's resources, the last first: how many (drivers/base/devres.c: devres_release_all()). */
export function devres_release_all(dev: device): int {
	let cnt = 0;
	const todo = new list_head<devres_node>();
	if (list_empty(dev.devres_head)) return 0;
	const flags = spin_lock_irqsave(dev.devres_lock);
	while (!list_empty(dev.devres_head)) {
		const node = dev.devres_head.next.container as devres_node;
		list_del_init(node.entry);
		list_add_tail(node.entry, todo);
		if (node instanceof devres) cnt++;
	}
	spin_unlock_irqrestore(dev.devres_lock, flags);
	release_nodes(dev, todo);
	return cnt;
}

/** Start a group named @id, or by itself; the group's name, null without memory (drivers/base/devres.c). */
export function devres_open_group(dev: device, id: unknown, gfp: gfp_t): unknown {
	const grp = kmalloc(devres_group, gfp);
	if (grp === null) return null;
	for (const i of [0, 1] as const) {
		const mark = new group_mark();
		mark.grp = grp;
		mark.release = i === 0 ? group_open_release : group_close_release;
		grp.node[i] = mark;
	}
	grp.id = id ?? grp;
	const flags = spin_lock_irqsave(dev.devres_lock);
	add_dr(dev, grp.node[0]);
	spin_unlock_irqrestore(dev.devres_lock, flags);
	return grp.id;
}

/** The group @id; null: the last that is still open. */
function find_group(dev: device, id: unknown): devres_group | null {
	for (const node of list_for_each_entry_reverse(dev.devres_head)) {
		const grp = node_to_group(node);
		if (grp === null || node !== grp.node[0]) continue;
		if (id !== null ? grp.id === id : list_empty(grp.node[1].entry)) return grp;
	}
	return null;
}

/** End a group (drivers/base/devres.c: devres_close_group()). */
export function devres_close_group(dev: device, id: unknown): void {
	const flags = spin_lock_irqsave(dev.devres_lock);
	const grp = find_group(dev, id);
	if (grp !== null) add_dr(dev, grp.node[1]);
	else WARN_ON(true);
	spin_unlock_irqrestore(dev.devres_lock, flags);
}

/** Forget a group, its resources stay (drivers/base/devres.c: devres_remove_group()). */
export function devres_remove_group(dev: device, id: unknown): void {
	const flags = spin_lock_irqsave(dev.devres_lock);
	const grp = find_group(dev, id);
	if (grp !== null) {
		list_del_init(grp.node[0].entry);
		list_del_init(grp.node[1].entry);
	} else {
		WARN_ON(true);
	}
	spin_unlock_irqrestore(dev.devres_lock, flags);
	kfree(grp);
}

/** Release the resources of a group, the last first: how many (drivers/base/devres.c: devres_release_group()). */
export function devres_release_group(dev: device, id: unknown): int {
	const todo = new list_head<devres_node>();
	let cnt = 0;
	const flags = spin_lock_irqsave(dev.devres_lock);
	const grp = find_group(dev, id);
	if (grp !== null) {
		const end = list_empty(grp.node[1].entry) ? dev.devres_head : grp.node[1].entry.next;
		for (let pos: list_head<devres_node> = grp.node[0].entry; pos !== end; ) {
			const node = pos.container as devres_node;
			pos = pos.next;
			list_del_init(node.entry);
			list_add_tail(node.entry, todo);
			if (node instanceof devres) cnt++;
		}
	} else if (list_empty(dev.devres_head)) {
		// The device is being released, and all of it with it.
	} else {
		WARN_ON(true);
	}
	spin_unlock_irqrestore(dev.devres_lock, flags);
	release_nodes(dev, todo);
	return cnt;
}

class action_devres {
	data: unknown = null;
	action: ((data: unknown) => void) | null = null;
}

function devm_action_release(dev: device, res: unknown): void {
	const devres = res as action_devres;
	devres.action?.(devres.data);
}

function devm_action_match(dev: device, res: unknown, p: unknown): int {
	const devres = res as action_devres;
	const target = p as action_devres;
	return devres.action === target.action && devres.data === target.data ? 1 : 0;
}

/** Have @action called with @data when the driver is unbound (include/linux/device.h: devm_add_action()). */
export function devm_add_action<T>(dev: device, action: (data: T) => void, data: T): int {
	const devres = devres_alloc(devm_action_release, action_devres, GFP_KERNEL);
	if (devres === null) return -ENOMEM;
	devres.data = data;
	devres.action = action as (data: unknown) => void;
	devres_add(dev, devres);
	return 0;
}

/** devm_add_action(), or call it now when that fails (include/linux/device.h: devm_add_action_or_reset()). */
export function devm_add_action_or_reset<T>(dev: device, action: (data: T) => void, data: T): int {
	const ret = devm_add_action(dev, action, data);
	if (ret) action(data);
	return ret;
}

function action_of<T>(action: (data: T) => void, data: T): action_devres {
	const devres = new action_devres();
	devres.action = action as (data: unknown) => void;
	devres.data = data;
	return devres;
}

/** Take an action back, without calling it (drivers/base/devres.c: devm_remove_action()). */
export function devm_remove_action<T>(dev: device, action: (data: T) => void, data: T): void {
	WARN_ON(devres_destroy(dev, devm_action_release, devm_action_match, action_of(action, data)));
}

/** Call an action now, not later (drivers/base/devres.c: devm_release_action()). */
export function devm_release_action<T>(dev: device, action: (data: T) => void, data: T): void {
	WARN_ON(devres_release(dev, devm_action_release, devm_action_match, action_of(action, data)));
}

class kmalloc_devres {
	mem: object | null = null;
}

function devm_kmalloc_release(dev: device, res: unknown): void {
	kfree((res as kmalloc_devres).mem);
}

function devm_kmalloc_match(dev: device, res: unknown, data: unknown): int {
	return (res as kmalloc_devres).mem === data ? 1 : 0;
}

/** kzalloc() that ends with the driver (include/linux/device.h: devm_kzalloc()). */
export function devm_kzalloc<T extends object>(dev: device, type: new () => T, gfp: gfp_t): T | null;
export function devm_kzalloc(dev: device, size: size_t, gfp: gfp_t): Uint8Array | null;
export function devm_kzalloc<T extends object>(
	dev: device,
	what: size_t | (new () => T),
	gfp: gfp_t,
): Uint8Array | T | null {
	const dr = devres_alloc(devm_kmalloc_release, kmalloc_devres, gfp);
	if (dr === null) return null;
	const mem = typeof what === 'number' ? kzalloc(what, gfp) : kzalloc(what, gfp);
	if (mem === null) {
		devres_free(dr);
		return null;
	}
	dr.mem = mem;
	devres_add(dev, dr);
	return mem;
}

/** drivers/base/devres.c: devm_kmalloc(). Memory comes zeroed. */
export const devm_kmalloc = devm_kzalloc;

/** An array of @n structs, or, with null, of addresses, that ends with the driver (include/linux/device.h: devm_kcalloc()). */
export function devm_kcalloc<T extends object>(
	dev: device,
	n: size_t,
	type: new () => T,
	gfp: gfp_t,
): T[] | null;
export function devm_kcalloc<T = unsigned_long>(dev: device, n: size_t, type: null, gfp: gfp_t): T[] | null;
export function devm_kcalloc<T extends object>(
	dev: device,
	n: size_t,
	type: (new () => T) | null,
	gfp: gfp_t,
): T[] | unsigned_long[] | null {
	if (type === null) {
		if (devm_kzalloc(dev, n * 8, gfp) === null) return null;
		return new Array<unsigned_long>(n).fill(0);
	}
	const array: T[] = [];
	for (let i = 0; i < n; i++) {
		const mem = devm_kzalloc(dev, type, gfp);
		if (mem === null) {
			for (const m of array) devm_kfree(dev, m);
			return null;
		}
		array.push(mem);
	}
	return array;
}

/** Free it before (drivers/base/devres.c: devm_kfree()). */
export function devm_kfree(dev: device, p: object | null): void {
	if (p === null) return;
	WARN_ON(devres_release(dev, devm_kmalloc_release, devm_kmalloc_match, p));
}

/** drivers/base/devres.c: devm_kstrdup(). Strings need no memory of their own here. */
export function devm_kstrdup(dev: device, s: string | null, gfp: gfp_t): string | null {
	return s;
}

/** drivers/base/devres.c: devm_kasprintf(). */
export function devm_kasprintf(dev: device, gfp: gfp_t, fmt: string, ...args: printk_arg[]): string | null {
	return sprintf(fmt, ...args);
}
