// SPDX-License-Identifier: GPL-2.0-only
// Kernel objects: names, parents, reference counts, and sets of them.
// Linux 6.12: lib/kobject.c
//
// Left out: uevents, namespaces, moving between parents.

import {
	sysfs_create_dir_ns,
	sysfs_get,
	sysfs_put,
	sysfs_remove_dir,
	sysfs_rename_dir_ns,
} from '#fs/sysfs/dir.js';
import { sysfs_create_groups, sysfs_remove_groups } from '#fs/sysfs/group.js';
import { dump_stack } from '#lib/dump_stack.js';
import { sprintf } from '#lib/vsprintf.js';
import { WARN, WARN_ON } from '#linux/bug.js';
import { EEXIST, EINVAL, EIO } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp_types.js';
import type { kobj_type, kset_uevent_ops } from '#linux/kobject.js';
import { kobj_attribute, kobject, kobject_name, kset, to_kset } from '#linux/kobject.js';
import type { kref } from '#linux/kref.js';
import { kref_get, kref_get_unless_zero, kref_init, kref_put } from '#linux/kref.js';
import { INIT_LIST_HEAD, list_add_tail, list_del_init, list_for_each_entry } from '#linux/list.js';
import type { printk_arg } from '#linux/printk.js';
import { pr_debug, pr_err } from '#linux/printk.js';
import { kfree, kzalloc } from '#linux/slab.js';
import { spin_lock, spin_lock_init, spin_unlock } from '#linux/spinlock.js';
import type { attribute, sysfs_buf, sysfs_ops } from '#linux/sysfs.js';
import type { int, size_t, ssize_t } from '#linux/types.js';
import { container_of } from '#linux/types.js';

function create_dir(kobj: kobject): int {
	let error = sysfs_create_dir_ns(kobj);
	if (error) return error;
	error = sysfs_create_groups(kobj, kobj.ktype?.default_groups);
	if (error) {
		sysfs_remove_dir(kobj);
		return error;
	}
	// Held until __kobject_del(), which removes the directory only after the groups.
	sysfs_get(kobj.sd);
	return 0;
}

/** The path of @kobj from the top of sysfs, "/devices/platform/…" (lib/kobject.c: kobject_get_path()). */
export function kobject_get_path(kobj: kobject): string {
	let path = '';
	for (let pos: kobject | null = kobj; pos !== null; pos = pos.parent) path = `/${kobject_name(pos)}${path}`;
	return path;
}

function kobj_kset_join(kobj: kobject): void {
	if (kobj.kset === null) return;
	kset_get(kobj.kset);
	spin_lock(kobj.kset.list_lock);
	list_add_tail(kobj.entry, kobj.kset.list);
	spin_unlock(kobj.kset.list_lock);
}

function kobj_kset_leave(kobj: kobject): void {
	if (kobj.kset === null) return;
	spin_lock(kobj.kset.list_lock);
	list_del_init(kobj.entry);
	spin_unlock(kobj.kset.list_lock);
	kset_put(kobj.kset);
}

function kobject_init_internal(kobj: kobject): void {
	kref_init(kobj.kref);
	INIT_LIST_HEAD(kobj.entry);
	kobj.state_in_sysfs = false;
	kobj.state_add_uevent_sent = false;
	kobj.state_remove_uevent_sent = false;
	kobj.state_initialized = true;
}

function kobject_add_internal(kobj: kobject): int {
	if (kobj.name === null || kobj.name === '') {
		WARN(true, 'kobject: (%p): attempted to be registered with empty name!', kobj);
		return -EINVAL;
	}

	let parent = kobject_get(kobj.parent);
	if (kobj.kset !== null) {
		if (parent === null) parent = kobject_get(kobj.kset.kobj);
		kobj_kset_join(kobj);
		kobj.parent = parent;
	}

	const error = create_dir(kobj);
	if (error) {
		kobj_kset_leave(kobj);
		kobject_put(parent);
		kobj.parent = null;
		if (error === -EEXIST)
			pr_err(
				"kobject: %s failed for %s with -EEXIST, don't try to register things with the same name in the same directory.",
				'kobject_add_internal',
				kobject_name(kobj),
			);
		else
			pr_err(
				'kobject: %s failed for %s (error: %d parent: %s)',
				'kobject_add_internal',
				kobject_name(kobj),
				error,
				parent !== null ? kobject_name(parent) : "'none'",
			);
	} else {
		kobj.state_in_sysfs = true;
	}
	return error;
}

/** Set the name; a slash in it becomes '!' (lib/kobject.c: kobject_set_name()). */
export function kobject_set_name(kobj: kobject, fmt: string, ...args: printk_arg[]): int {
	kobj.name = sprintf(fmt, ...args).replaceAll('/', '!');
	return 0;
}

/** Make @kobj ready for use, with one reference (lib/kobject.c: kobject_init()). */
export function kobject_init(kobj: kobject, ktype: kobj_type | null): void {
	if (ktype === null) {
		pr_err('kobject: kobject (%p): %s', kobj, 'must have a ktype to be initialized properly!');
		dump_stack();
		return;
	}
	if (kobj.state_initialized) {
		pr_err('kobject: kobject (%p): tried to init an initialized object, something is seriously wrong.', kobj);
		dump_stack();
	}
	kobject_init_internal(kobj);
	kobj.ktype = ktype;
}

/** Name @kobj and put it below @parent (lib/kobject.c: kobject_add()). After a failure: kobject_put(). */
export function kobject_add(
	kobj: kobject,
	parent: kobject | null,
	fmt: string | null,
	...args: printk_arg[]
): int {
	if (!kobj.state_initialized) {
		pr_err(
			"kobject: kobject '%s' (%p): tried to add an uninitialized object, something is seriously wrong.",
			kobject_name(kobj),
			kobj,
		);
		dump_stack();
		return -EINVAL;
	}
	if (fmt !== null) {
		const retval = kobject_set_name(kobj, fmt, ...args);
		if (retval) return retval;
	}
	kobj.parent = parent;
	return kobject_add_internal(kobj);
}

/** kobject_init() and kobject_add() (lib/kobject.c: kobject_init_and_add()). */
export function kobject_init_and_add(
	kobj: kobject,
	ktype: kobj_type,
	parent: kobject | null,
	fmt: string,
	...args: printk_arg[]
): int {
	kobject_init(kobj, ktype);
	return kobject_add(kobj, parent, fmt, ...args);
}

/** Give @kobj another name (lib/kobject.c: kobject_rename()). */
export function kobject_rename(kobj: kobject, new_name: string): int {
	if (kobj.parent === null) return -EINVAL;
	const error = sysfs_rename_dir_ns(kobj, new_name);
	if (!error) kobj.name = new_name;
	return error;
}

function __kobject_del(kobj: kobject): void {
	const sd = kobj.sd;
	sysfs_remove_groups(kobj, kobj.ktype?.default_groups);
	sysfs_remove_dir(kobj);
	sysfs_put(sd);
	kobj.state_in_sysfs = false;
	kobj_kset_leave(kobj);
	kobj.parent = null;
}

/** Take @kobj out of sysfs; its references stay (lib/kobject.c: kobject_del()). */
export function kobject_del(kobj: kobject | null): void {
	if (kobj === null) return;
	const parent = kobj.parent;
	__kobject_del(kobj);
	kobject_put(parent);
}

/** Take a reference (lib/kobject.c: kobject_get()). */
export function kobject_get<T extends kobject | null>(kobj: T): T {
	if (kobj !== null) {
		if (!kobj.state_initialized)
			WARN(
				true,
				"kobject: '%s' (%p): is not initialized, yet kobject_get() is being called.",
				kobject_name(kobj),
				kobj,
			);
		kref_get(kobj.kref);
	}
	return kobj;
}

/** Take a reference if there is one left (lib/kobject.c: kobject_get_unless_zero()). */
export function kobject_get_unless_zero(kobj: kobject | null): kobject | null {
	if (kobj === null) return null;
	return kref_get_unless_zero(kobj.kref) ? kobj : null;
}

function kobject_cleanup(kobj: kobject): void {
	let parent = kobj.parent;
	const t = kobj.ktype;
	if (t !== null && t.release === undefined)
		pr_debug(
			"kobject: '%s' (%p): does not have a release() function, it is broken and must be fixed. See Documentation/core-api/kobject.rst.",
			kobject_name(kobj),
			kobj,
		);
	if (kobj.state_in_sysfs) __kobject_del(kobj);
	else parent = null;
	t?.release?.(kobj);
	kobject_put(parent);
}

function kobject_release(ref: kref): void {
	kobject_cleanup(container_of(ref, kobject));
}

/** Drop a reference; the last one releases (lib/kobject.c: kobject_put()). */
export function kobject_put(kobj: kobject | null): void {
	if (kobj === null) return;
	if (!kobj.state_initialized)
		WARN(
			true,
			"kobject: '%s' (%p): is not initialized, yet kobject_put() is being called.",
			kobject_name(kobj),
			kobj,
		);
	kref_put(kobj.kref, kobject_release);
}

function dynamic_kobj_release(kobj: kobject): void {
	kfree(kobj);
}

function kobj_attr_show(kobj: kobject, attr: attribute, buf: sysfs_buf): ssize_t {
	if (!(attr instanceof kobj_attribute) || attr.show === null) return -EIO;
	return attr.show(kobj, attr, buf);
}

function kobj_attr_store(kobj: kobject, attr: attribute, buf: string, count: size_t): ssize_t {
	if (!(attr instanceof kobj_attribute) || attr.store === null) return -EIO;
	return attr.store(kobj, attr, buf, count);
}

/** For kobjects whose attributes are kobj_attributes. */
export const kobj_sysfs_ops: sysfs_ops = { show: kobj_attr_show, store: kobj_attr_store };

const dynamic_kobj_ktype: kobj_type = { release: dynamic_kobj_release, sysfs_ops: kobj_sysfs_ops };

/** A kobject of its own, freed with its last reference (lib/kobject.c: kobject_create()). */
function kobject_create(): kobject | null {
	const kobj = kzalloc(kobject, GFP_KERNEL);
	if (kobj === null) return null;
	kobject_init(kobj, dynamic_kobj_ktype);
	return kobj;
}

/** A directory @name below @parent (lib/kobject.c: kobject_create_and_add()). */
export function kobject_create_and_add(name: string, parent: kobject | null): kobject | null {
	const kobj = kobject_create();
	if (kobj === null) return null;
	const retval = kobject_add(kobj, parent, '%s', name);
	if (retval) {
		pr_err('kobject: %s: kobject_add error: %d', 'kobject_create_and_add', retval);
		kobject_put(kobj);
		return null;
	}
	return kobj;
}

/** Make @k an empty set (lib/kobject.c: kset_init()). */
export function kset_init(k: kset): void {
	kobject_init_internal(k.kobj);
	INIT_LIST_HEAD(k.list);
	spin_lock_init(k.list_lock);
}

/** Take a reference to a set (include/linux/kobject.h: kset_get()). */
export function kset_get(k: kset | null): kset | null {
	if (k !== null) kobject_get(k.kobj);
	return k;
}

/** Drop a reference to a set (include/linux/kobject.h: kset_put()). */
export function kset_put(k: kset | null): void {
	if (k !== null) kobject_put(k.kobj);
}

/** kset_init(), and its directory; its kobject has a name and a ktype (lib/kobject.c: kset_register()). */
export function kset_register(k: kset): int {
	if (k.kobj.ktype === null) {
		pr_err('kobject: must have a ktype to be initialized properly!');
		return -EINVAL;
	}
	kset_init(k);
	const err = kobject_add_internal(k.kobj);
	if (err) k.kobj.name = null;
	return err;
}

/** Remove a set (lib/kobject.c: kset_unregister()). */
export function kset_unregister(k: kset | null): void {
	if (k === null) return;
	kobject_del(k.kobj);
	kobject_put(k.kobj);
}

/** The member @name of @kset, with a reference (lib/kobject.c: kset_find_obj()). */
export function kset_find_obj(kset: kset, name: string): kobject | null {
	let ret: kobject | null = null;
	spin_lock(kset.list_lock);
	for (const k of list_for_each_entry(kset.list)) {
		if (kobject_name(k) === name) {
			ret = kobject_get_unless_zero(k);
			break;
		}
	}
	spin_unlock(kset.list_lock);
	return ret;
}

function kset_release(kobj: kobject): void {
	const k = to_kset(kobj);
	WARN_ON(k === null);
	kfree(k);
}

const kset_ktype: kobj_type = { sysfs_ops: kobj_sysfs_ops, release: kset_release };

/** A set @name below @parent_kobj (lib/kobject.c: kset_create_and_add()). */
export function kset_create_and_add(
	name: string,
	uevent_ops: kset_uevent_ops | null,
	parent_kobj: kobject | null,
): kset | null {
	const k = kzalloc(kset, GFP_KERNEL);
	if (k === null) return null;
	if (kobject_set_name(k.kobj, '%s', name)) {
		kfree(k);
		return null;
	}
	k.uevent_ops = uevent_ops;
	k.kobj.parent = parent_kobj;
	k.kobj.ktype = kset_ktype;
	// It is a set, not the member of one.
	k.kobj.kset = null;
	const error = kset_register(k);
	if (error) {
		kfree(k);
		return null;
	}
	return k;
}
