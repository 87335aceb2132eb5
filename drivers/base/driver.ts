// SPDX-License-Identifier: GPL-2.0-only
// Drivers: registering them, their files, walking their devices.
// Linux 6.12: drivers/base/driver.c

import type { device_private, driver_private } from '#drivers/base/base.js';
import { bus_add_driver, bus_remove_driver, bus_to_subsys, subsys_put } from '#drivers/base/bus.js';
import { get_device } from '#drivers/base/core.js';
import { deferred_probe_extend_timeout } from '#drivers/base/dd.js';
import { sysfs_create_file, sysfs_remove_file } from '#fs/sysfs/file.js';
import { sysfs_create_groups, sysfs_remove_groups } from '#fs/sysfs/group.js';
import { klist_iter_exit, klist_iter_init_node, klist_next } from '#lib/klist.js';
import { kobject_put, kset_find_obj } from '#lib/kobject.js';
import { WARN } from '#linux/bug.js';
import type { bus_type, device_match_t } from '#linux/device/bus.js';
import type { device_driver, driver_attribute } from '#linux/device/driver.js';
import type { device } from '#linux/device.js';
import { EBUSY, EINVAL } from '#linux/errno.js';
import { klist_iter } from '#linux/klist.js';
import { pr_err, pr_warn } from '#linux/printk.js';
import type { attribute_group } from '#linux/sysfs.js';
import type { int } from '#linux/types.js';

/** Call @fn for each device bound to @drv until it answers something else than 0 (drivers/base/driver.c). */
export function driver_for_each_device<D>(
	drv: device_driver,
	start: device | null,
	data: D,
	fn: (dev: device, data: D) => int,
): int {
	if (drv.p === null) return -EINVAL;
	const i = new klist_iter<device_private>();
	let error = 0;
	klist_iter_init_node(drv.p.klist_devices, i, start?.p?.knode_driver ?? null);
	for (let n = klist_next(i); n !== null; n = error ? null : klist_next(i))
		error = fn(n.container.device, data);
	klist_iter_exit(i);
	return error;
}

/** The first device bound to @drv that @match takes, with a reference (drivers/base/driver.c: driver_find_device()). */
export function driver_find_device(
	drv: device_driver,
	start: device | null,
	data: unknown,
	match: device_match_t,
): device | null {
	if (drv.p === null) return null;
	const i = new klist_iter<device_private>();
	let dev: device | null = null;
	klist_iter_init_node(drv.p.klist_devices, i, start?.p?.knode_driver ?? null);
	for (let n = klist_next(i); n !== null && dev === null; n = klist_next(i))
		if (match(n.container.device, data)) dev = get_device(n.container.device);
	klist_iter_exit(i);
	return dev;
}

/** drivers/base/driver.c: driver_create_file(). */
export function driver_create_file(drv: device_driver, attr: driver_attribute): int {
	return drv.p === null ? -EINVAL : sysfs_create_file(drv.p.kobj, attr);
}

/** drivers/base/driver.c: driver_remove_file(). */
export function driver_remove_file(drv: device_driver, attr: driver_attribute): void {
	if (drv.p !== null) sysfs_remove_file(drv.p.kobj, attr);
}

/** drivers/base/driver.c: driver_add_groups(). */
export function driver_add_groups(
	drv: device_driver,
	groups: readonly attribute_group[] | null | undefined,
): int {
	return drv.p === null ? -EINVAL : sysfs_create_groups(drv.p.kobj, groups);
}

/** drivers/base/driver.c: driver_remove_groups(). */
export function driver_remove_groups(
	drv: device_driver,
	groups: readonly attribute_group[] | null | undefined,
): void {
	if (drv.p !== null) sysfs_remove_groups(drv.p.kobj, groups);
}

/**
 * driver_register - Put @drv on its bus (drivers/base/driver.c: driver_register())
 *
 * -EINVAL when the bus is not there, -EBUSY when it has a driver of that name.
 */
export function driver_register(drv: device_driver): int {
	const bus = drv.bus;
	const sp = bus_to_subsys(bus);
	if (sp === null || bus === null) {
		pr_err(
			"Driver '%s' was unable to register with bus_type '%s' because the bus was not initialized.",
			drv.name,
			bus?.name ?? '(null)',
		);
		return -EINVAL;
	}
	subsys_put(sp);
	if (
		(bus.probe !== undefined && drv.probe !== null) ||
		(bus.remove !== undefined && drv.remove !== null) ||
		(bus.shutdown !== undefined && drv.shutdown !== null)
	)
		pr_warn("Driver '%s' needs updating - please use bus_type methods", drv.name);
	const other = driver_find(drv.name, bus);
	if (other !== null) {
		pr_err("Error: Driver '%s' is already registered, aborting...", drv.name);
		return -EBUSY;
	}
	let ret = bus_add_driver(drv);
	if (ret) return ret;
	ret = driver_add_groups(drv, drv.groups);
	if (ret) {
		bus_remove_driver(drv);
		return ret;
	}
	deferred_probe_extend_timeout();
	return ret;
}

/** Unbind @drv's devices and take it from its bus (drivers/base/driver.c: driver_unregister()). */
export function driver_unregister(drv: device_driver): void {
	if (drv.p === null) {
		WARN(true, 'Unexpected driver unregister!');
		return;
	}
	driver_remove_groups(drv, drv.groups);
	bus_remove_driver(drv);
}

/** The driver @name of @bus, without a reference (drivers/base/driver.c: driver_find()). */
export function driver_find(name: string, bus: bus_type): device_driver | null {
	const sp = bus_to_subsys(bus);
	if (sp === null) return null;
	let drv: device_driver | null = null;
	const k = sp.drivers_kset === null ? null : kset_find_obj(sp.drivers_kset, name);
	if (k !== null) {
		drv = (k.container as driver_private).driver;
		kobject_put(k);
	}
	subsys_put(sp);
	return drv;
}
