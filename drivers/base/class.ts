// SPDX-License-Identifier: GPL-2.0-only
// Device classes: /sys/class, with links to devices wherever they are.
// Linux 6.12: drivers/base/class.c
//
// Left out: interfaces with a class's own struct (subsys_interface serves), compat classes.

import type { device_private } from '#drivers/base/base.js';
import { subsys_private } from '#drivers/base/base.js';
import { subsys_get, subsys_put, to_subsys_private } from '#drivers/base/bus.js';
import {
	device_match_devt,
	device_match_name,
	device_unregister,
	get_device,
	put_device,
} from '#drivers/base/core.js';
import { sysfs_create_file, sysfs_remove_file } from '#fs/sysfs/file.js';
import { sysfs_create_groups, sysfs_remove_groups } from '#fs/sysfs/group.js';
import { klist_init, klist_iter_exit, klist_iter_init_node, klist_next } from '#lib/klist.js';
import {
	kobject_del,
	kobject_set_name,
	kset_create_and_add,
	kset_init,
	kset_register,
	kset_unregister,
} from '#lib/kobject.js';
import { WARN } from '#linux/bug.js';
import type { device_match_t } from '#linux/device/bus.js';
import type { class_ } from '#linux/device/class.js';
import { class_attribute } from '#linux/device/class.js';
import type { device } from '#linux/device.js';
import type { err_ptr } from '#linux/err.js';
import { ERR_PTR } from '#linux/err.js';
import { EINVAL, EIO, ENOMEM } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp_types.js';
import { boot_data } from '#linux/init.js';
import type { klist_node } from '#linux/klist.js';
import { klist_iter } from '#linux/klist.js';
import type { kobj_type, kobject, kset } from '#linux/kobject.js';
import { INIT_LIST_HEAD, list_for_each_entry } from '#linux/list.js';
import { mutex_init } from '#linux/mutex.js';
import { pr_debug } from '#linux/printk.js';
import { kfree, kzalloc } from '#linux/slab.js';
import { spin_lock, spin_unlock } from '#linux/spinlock.js';
import type { attribute, sysfs_buf, sysfs_ops } from '#linux/sysfs.js';
import type { dev_t, int, size_t, ssize_t } from '#linux/types.js';

/** Linux: class_kset, /sys/class. */
export const class_state = boot_data(() => ({
	class_kset: null as kset | null,
}));

/** The core's half of @cls, with a reference; null when it is not registered (drivers/base/class.c: class_to_subsys()). */
export function class_to_subsys(cls: class_ | null): subsys_private | null {
	const class_kset = class_state.class_kset;
	if (cls === null || class_kset === null) return null;
	let found: subsys_private | null = null;
	spin_lock(class_kset.list_lock);
	for (const kobj of list_for_each_entry(class_kset.list)) {
		const sp = to_subsys_private(kobj);
		if (sp.class === cls) {
			found = subsys_get(sp);
			break;
		}
	}
	spin_unlock(class_kset.list_lock);
	return found;
}

const class_sysfs_ops: sysfs_ops = {
	show: (kobj: kobject, attr: attribute, buf: sysfs_buf): ssize_t => {
		const cls = to_subsys_private(kobj).class;
		if (!(attr instanceof class_attribute) || attr.show === null || cls === null) return -EIO;
		return attr.show(cls, attr, buf);
	},
	store: (kobj: kobject, attr: attribute, buf: string, count: size_t): ssize_t => {
		const cls = to_subsys_private(kobj).class;
		if (!(attr instanceof class_attribute) || attr.store === null || cls === null) return -EIO;
		return attr.store(cls, attr, buf, count);
	},
};

function class_release(kobj: kobject): void {
	const sp = to_subsys_private(kobj);
	const cls = sp.class;
	pr_debug("class '%s': release.", cls?.name ?? '');
	cls?.class_release?.(cls);
	kfree(sp);
}

const class_ktype: kobj_type = { sysfs_ops: class_sysfs_ops, release: class_release };

/** drivers/base/class.c: class_create_file_ns(). */
export function class_create_file(cls: class_, attr: class_attribute): int {
	const sp = class_to_subsys(cls);
	if (sp === null) return -EINVAL;
	const error = sysfs_create_file(sp.subsys.kobj, attr);
	subsys_put(sp);
	return error;
}

/** drivers/base/class.c: class_remove_file_ns(). */
export function class_remove_file(cls: class_, attr: class_attribute): void {
	const sp = class_to_subsys(cls);
	if (sp === null) return;
	sysfs_remove_file(sp.subsys.kobj, attr);
	subsys_put(sp);
}

function klist_class_dev_get(n: klist_node<device_private>): void {
	get_device(n.container.device);
}

function klist_class_dev_put(n: klist_node<device_private>): void {
	put_device(n.container.device);
}

/** Register a class: /sys/class/NAME (drivers/base/class.c: class_register()). */
export function class_register(cls: class_): int {
	pr_debug("device class '%s': registering", cls.name);
	const cp = kzalloc(subsys_private, GFP_KERNEL);
	if (cp === null) return -ENOMEM;
	klist_init(cp.klist_devices, klist_class_dev_get, klist_class_dev_put);
	INIT_LIST_HEAD(cp.interfaces);
	kset_init(cp.glue_dirs);
	mutex_init(cp.mutex);
	let error = kobject_set_name(cp.subsys.kobj, '%s', cls.name);
	if (!error) {
		cp.subsys.kobj.kset = class_state.class_kset;
		cp.subsys.kobj.ktype = class_ktype;
		cp.class = cls;
		error = kset_register(cp.subsys);
	}
	if (error) {
		kfree(cp);
		return error;
	}
	error = sysfs_create_groups(cp.subsys.kobj, cls.class_groups);
	if (error) {
		kobject_del(cp.subsys.kobj);
		kfree(cp);
		return error;
	}
	return 0;
}

/** Remove a class (drivers/base/class.c: class_unregister()). */
export function class_unregister(cls: class_): void {
	const sp = class_to_subsys(cls);
	if (sp === null) return;
	pr_debug("device class '%s': unregistering", cls.name);
	sysfs_remove_groups(sp.subsys.kobj, cls.class_groups);
	kset_unregister(sp.subsys);
	subsys_put(sp);
}

/** A class made at run time, the release frees it (drivers/base/class.c: class_create()). */
export function class_create(name: string): class_ | err_ptr {
	const cls: class_ = { name };
	const retval = class_register(cls);
	return retval ? ERR_PTR(retval) : cls;
}

/** drivers/base/class.c: class_destroy(). */
export function class_destroy(cls: class_): void {
	class_unregister(cls);
}

/** Call @fn for each device of @cls until it answers something else than 0 (drivers/base/class.c). */
export function class_for_each_device<D>(
	cls: class_,
	start: device | null,
	data: D,
	fn: (dev: device, data: D) => int,
): int {
	const sp = class_to_subsys(cls);
	if (sp === null) {
		WARN(true, '%s called for class %s before it was initialized', 'class_for_each_device', cls.name);
		return -EINVAL;
	}
	const i = new klist_iter<device_private>();
	let error = 0;
	klist_iter_init_node(sp.klist_devices, i, start?.p?.knode_class ?? null);
	for (let n = klist_next(i); n !== null; n = error ? null : klist_next(i)) {
		const dev = n.container.device;
		get_device(dev);
		error = fn(dev, data);
		put_device(dev);
	}
	klist_iter_exit(i);
	subsys_put(sp);
	return error;
}

/** The first device of @cls that @match takes, with a reference (drivers/base/class.c: class_find_device()). */
export function class_find_device(
	cls: class_,
	start: device | null,
	data: unknown,
	match: device_match_t,
): device | null {
	const sp = class_to_subsys(cls);
	if (sp === null) {
		WARN(true, '%s called for class %s before it was initialized', 'class_find_device', cls.name);
		return null;
	}
	const i = new klist_iter<device_private>();
	let dev: device | null = null;
	klist_iter_init_node(sp.klist_devices, i, start?.p?.knode_class ?? null);
	for (let n = klist_next(i); n !== null && dev === null; n = klist_next(i))
		if (match(n.container.device, data)) dev = get_device(n.container.device);
	klist_iter_exit(i);
	subsys_put(sp);
	return dev;
}

/** include/linux/device/class.h: class_find_device_by_name(). */
export function class_find_device_by_name(cls: class_, name: string): device | null {
	return class_find_device(cls, null, name, device_match_name);
}

/** Unregister the device of @cls with the number @devt (drivers/base/core.c: device_destroy()). */
export function device_destroy(cls: class_, devt: dev_t): void {
	const dev = class_find_device(cls, null, devt, device_match_devt);
	if (dev !== null) {
		put_device(dev);
		device_unregister(dev);
	}
}

/** Make /sys/class (drivers/base/class.c: classes_init()). */
export function classes_init(): int {
	class_state.class_kset = kset_create_and_add('class', null, null);
	return class_state.class_kset === null ? -ENOMEM : 0;
}
