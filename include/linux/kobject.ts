// SPDX-License-Identifier: GPL-2.0-only
// Kernel objects: a name, a parent, a reference count and a directory in sysfs.
// Linux 6.12: include/linux/kobject.h, include/linux/kobject_ns.h
//
// Left out: uevents to user space, namespaces, ownership (every file belongs to root).
import type { kernfs_node } from '#linux/kernfs.js';
import { kref } from '#linux/kref.js';
import { list_head } from '#linux/list.js';
import { spinlock_t } from '#linux/spinlock.js';
import type { attribute_group, sysfs_ops } from '#linux/sysfs.js';
import { attribute, type sysfs_buf } from '#linux/sysfs.js';
import type { bool, size_t, ssize_t, umode_t } from '#linux/types.js';

export class kobject {
	name: string | null = null;
	entry: list_head<kobject> = new list_head<kobject>(this);
	parent: kobject | null = null;
	kset: kset | null = null;
	ktype: kobj_type | null = null;
	/** The directory in sysfs; null while there is none. */
	sd: kernfs_node | null = null;
	kref: kref = new kref(this);
	state_initialized: bool = false;
	state_in_sysfs: bool = false;
	state_add_uevent_sent: bool = false;
	state_remove_uevent_sent: bool = false;
	uevent_suppress: bool = false;
	/** The embedding struct; null for a kobject of its own. */
	readonly container: object | null;
	constructor(container: object | null = null) {
		this.container = container;
	}
}

export interface kobj_type {
	/** Ends the life of the embedding struct; called once, with the last reference. */
	release?: (kobj: kobject) => void;
	sysfs_ops?: sysfs_ops | null;
	default_groups?: readonly attribute_group[];
}

/** An attribute of a bare kobject, served through kobj_sysfs_ops. */
export class kobj_attribute extends attribute {
	show: ((kobj: kobject, attr: kobj_attribute, buf: sysfs_buf) => ssize_t) | null;
	store: ((kobj: kobject, attr: kobj_attribute, buf: string, count: size_t) => ssize_t) | null;
	constructor(
		name: string,
		mode: umode_t,
		show: kobj_attribute['show'] = null,
		store: kobj_attribute['store'] = null,
	) {
		super(name, mode);
		this.show = show;
		this.store = store;
	}
}

/** Whether and under which name a kset's members announce themselves; no uevent is sent here. */
export interface kset_uevent_ops {
	filter?: (kobj: kobject) => number;
	name?: (kobj: kobject) => string;
}

export class kset {
	list: list_head<kobject> = new list_head<kobject>();
	list_lock: spinlock_t = new spinlock_t('kset.list_lock');
	kobj: kobject = new kobject(this);
	uevent_ops: kset_uevent_ops | null = null;
	readonly container: object | null;
	constructor(container: object | null = null) {
		this.container = container;
	}
}

/** The name of @kobj (include/linux/kobject.h: kobject_name()). */
export function kobject_name(kobj: kobject): string {
	return kobj.name ?? '(null)';
}

/** The kset that embeds @kobj, or null (include/linux/kobject.h: to_kset()). */
export function to_kset(kobj: kobject | null): kset | null {
	return kobj !== null && kobj.container instanceof kset ? kobj.container : null;
}

/** The type of @kobj (include/linux/kobject.h: get_ktype()). */
export function get_ktype(kobj: kobject): kobj_type | null {
	return kobj.ktype;
}
