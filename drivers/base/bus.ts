// SPDX-License-Identifier: GPL-2.0-only
// Buses: their devices, their drivers, and the files that bind and unbind them.
// Linux 6.12: drivers/base/bus.c
//
// Left out: uevents (the files take any text), system subsystems with a root device (subsys_system_register()).

import type { device_private, subsys_interface } from '#drivers/base/base.js';
import { driver_private, subsys_private } from '#drivers/base/base.js';
import {
	device_add_group,
	device_add_groups,
	device_match_fwnode,
	device_match_name,
	device_match_of_node,
	device_remove_group,
	device_remove_groups,
	get_device,
	put_device,
} from '#drivers/base/core.js';
import {
	__device_set_driver_override,
	device_attach,
	device_driver_attach,
	device_driver_detach,
	device_initial_probe,
	device_release_driver,
	driver_attach,
	driver_detach,
	driver_match_device,
} from '#drivers/base/dd.js';
import {
	driver_add_groups,
	driver_create_file,
	driver_remove_file,
	driver_remove_groups,
} from '#drivers/base/driver.js';
import { module_add_driver, module_remove_driver } from '#drivers/base/module.js';
import { sysfs_create_file, sysfs_emit, sysfs_remove_file } from '#fs/sysfs/file.js';
import { sysfs_create_groups } from '#fs/sysfs/group.js';
import { sysfs_create_link, sysfs_remove_link } from '#fs/sysfs/symlink.js';
import {
	blocking_notifier_call_chain,
	blocking_notifier_chain_register,
	blocking_notifier_chain_unregister,
} from '#kernel/notifier.js';
import {
	klist_add_tail,
	klist_del,
	klist_init,
	klist_iter_exit,
	klist_iter_init_node,
	klist_next,
	klist_node_attached,
	klist_remove,
} from '#lib/klist.js';
import {
	kobject_init_and_add,
	kobject_put,
	kobject_set_name,
	kset_create_and_add,
	kset_get,
	kset_put,
	kset_register,
	kset_unregister,
} from '#lib/kobject.js';
import type { bus_type, device_match_t } from '#linux/device/bus.js';
import { bus_attribute } from '#linux/device/bus.js';
import type { device_driver } from '#linux/device/driver.js';
import { driver_attribute } from '#linux/device/driver.js';
import type { device } from '#linux/device.js';
import { DEVICE_ATTR_RW, dev_name } from '#linux/device.js';
import { EINVAL, EIO, ENODEV, ENOMEM } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp_types.js';
import { boot_data } from '#linux/init.js';
import type { klist_node } from '#linux/klist.js';
import { klist_iter } from '#linux/klist.js';
import type { kobj_type, kobject, kset } from '#linux/kobject.js';
import { kobject_name, to_kset } from '#linux/kobject.js';
import { list_add_tail, list_del_init, list_for_each_entry } from '#linux/list.js';
import { mutex_init, mutex_lock, mutex_unlock } from '#linux/mutex.js';
import type { notifier_block } from '#linux/notifier.js';
import { BLOCKING_INIT_NOTIFIER_HEAD } from '#linux/notifier.js';
import { pr_debug, pr_err } from '#linux/printk.js';
import { kfree, kzalloc } from '#linux/slab.js';
import { spin_lock, spin_unlock } from '#linux/spinlock.js';
import type { attribute, attribute_group, sysfs_buf, sysfs_ops } from '#linux/sysfs.js';
import type { int, size_t, ssize_t, unsigned_long } from '#linux/types.js';

/** Linux: bus_kset, /sys/bus. */
export const bus_state = boot_data(() => ({
	bus_kset: null as kset | null,
}));

/** Take a reference (drivers/base/base.h: subsys_get()). */
export function subsys_get<T extends subsys_private | null>(sp: T): T {
	if (sp !== null) kset_get(sp.subsys);
	return sp;
}

/** Drop a reference (drivers/base/base.h: subsys_put()). */
export function subsys_put(sp: subsys_private | null): void {
	if (sp !== null) kset_put(sp.subsys);
}

/** The core's half that @obj is the kobject of (drivers/base/base.h: to_subsys_private()). */
export function to_subsys_private(obj: kobject): subsys_private {
	return to_kset(obj)?.container as subsys_private;
}

/** The core's half of @bus, with a reference; null when it is not registered (drivers/base/bus.c: bus_to_subsys()). */
export function bus_to_subsys(bus: bus_type | null): subsys_private | null {
	const bus_kset = bus_state.bus_kset;
	if (bus === null || bus_kset === null) return null;
	let found: subsys_private | null = null;
	spin_lock(bus_kset.list_lock);
	for (const kobj of list_for_each_entry(bus_kset.list)) {
		const sp = to_subsys_private(kobj);
		if (sp.bus === bus) {
			found = subsys_get(sp);
			break;
		}
	}
	spin_unlock(bus_kset.list_lock);
	return found;
}

function to_driver(kobj: kobject): driver_private {
	return kobj.container as driver_private;
}

const driver_sysfs_ops: sysfs_ops = {
	show: (kobj: kobject, attr: attribute, buf: sysfs_buf): ssize_t => {
		if (!(attr instanceof driver_attribute) || attr.show === null) return -EIO;
		return attr.show(to_driver(kobj).driver, buf);
	},
	store: (kobj: kobject, attr: attribute, buf: string, count: size_t): ssize_t => {
		if (!(attr instanceof driver_attribute) || attr.store === null) return -EIO;
		return attr.store(to_driver(kobj).driver, buf, count);
	},
};

function driver_release(kobj: kobject): void {
	pr_debug("driver: '%s': %s", kobject_name(kobj), 'driver_release');
	kfree(to_driver(kobj));
}

const driver_ktype: kobj_type = { sysfs_ops: driver_sysfs_ops, release: driver_release };

const bus_sysfs_ops: sysfs_ops = {
	show: (kobj: kobject, attr: attribute, buf: sysfs_buf): ssize_t => {
		const bus = to_subsys_private(kobj).bus;
		if (!(attr instanceof bus_attribute) || attr.show === null || bus === null) return -EIO;
		return attr.show(bus, buf);
	},
	store: (kobj: kobject, attr: attribute, buf: string, count: size_t): ssize_t => {
		const bus = to_subsys_private(kobj).bus;
		if (!(attr instanceof bus_attribute) || attr.store === null || bus === null) return -EIO;
		return attr.store(bus, buf, count);
	},
};

/** A file in the bus's directory (drivers/base/bus.c: bus_create_file()). */
export function bus_create_file(bus: bus_type, attr: bus_attribute): int {
	const sp = bus_to_subsys(bus);
	if (sp === null) return -EINVAL;
	const error = sysfs_create_file(sp.subsys.kobj, attr);
	subsys_put(sp);
	return error;
}

/** drivers/base/bus.c: bus_remove_file(). */
export function bus_remove_file(bus: bus_type, attr: bus_attribute): void {
	const sp = bus_to_subsys(bus);
	if (sp === null) return;
	sysfs_remove_file(sp.subsys.kobj, attr);
	subsys_put(sp);
}

const bus_ktype: kobj_type = {
	sysfs_ops: bus_sysfs_ops,
	release: (kobj: kobject): void => kfree(to_subsys_private(kobj)),
};

function unbind_store(drv: device_driver, buf: string, count: size_t): ssize_t {
	const sp = bus_to_subsys(drv.bus);
	const dev = drv.bus === null ? null : bus_find_device_by_name(drv.bus, null, buf);
	let err: ssize_t = -ENODEV;
	if (dev !== null && dev.driver === drv) {
		device_driver_detach(dev);
		err = count;
	}
	put_device(dev);
	subsys_put(sp);
	return err;
}
const driver_attr_unbind = new driver_attribute('unbind', 0o200, null, unbind_store);

function bind_store(drv: device_driver, buf: string, count: size_t): ssize_t {
	const sp = bus_to_subsys(drv.bus);
	const dev = drv.bus === null ? null : bus_find_device_by_name(drv.bus, null, buf);
	let err: ssize_t = -ENODEV;
	if (dev !== null && driver_match_device(drv, dev)) {
		err = device_driver_attach(drv, dev);
		if (!err) err = count;
	}
	put_device(dev);
	subsys_put(sp);
	return err;
}
const driver_attr_bind = new driver_attribute('bind', 0o200, null, bind_store);

const bus_attr_drivers_autoprobe = new bus_attribute(
	'drivers_autoprobe',
	0o644,
	(bus, buf) => {
		const sp = bus_to_subsys(bus);
		if (sp === null) return -EINVAL;
		const ret = sysfs_emit(buf, '%d\n', sp.drivers_autoprobe ? 1 : 0);
		subsys_put(sp);
		return ret;
	},
	(bus, buf, count) => {
		const sp = bus_to_subsys(bus);
		if (sp === null) return -EINVAL;
		sp.drivers_autoprobe = buf[0] !== '0';
		subsys_put(sp);
		return count;
	},
);

const bus_attr_drivers_probe = new bus_attribute('drivers_probe', 0o200, null, (bus, buf, count) => {
	const dev = bus_find_device_by_name(bus, null, buf);
	if (dev === null) return -ENODEV;
	const err = bus_rescan_devices_helper(dev) === 0 ? count : -EINVAL;
	put_device(dev);
	return err;
});

const bus_attr_uevent = new bus_attribute('uevent', 0o200, null, (_bus, _buf, count) => count);
const driver_attr_uevent = new driver_attribute('uevent', 0o200, null, (_drv, _buf, count) => count);

/** Call @fn for each device of @bus until it answers something else than 0 (drivers/base/bus.c: bus_for_each_dev()). */
export function bus_for_each_dev<D>(
	bus: bus_type,
	start: device | null,
	data: D,
	fn: (dev: device, data: D) => int,
): int {
	const sp = bus_to_subsys(bus);
	if (sp === null) return -EINVAL;
	const i = new klist_iter<device_private>();
	let error = 0;
	klist_iter_init_node(sp.klist_devices, i, start?.p?.knode_bus ?? null);
	for (let n = klist_next(i); n !== null; n = error ? null : klist_next(i))
		error = fn(n.container.device, data);
	klist_iter_exit(i);
	subsys_put(sp);
	return error;
}

/** The first device that @match takes, with a reference (drivers/base/bus.c: bus_find_device()). */
export function bus_find_device(
	bus: bus_type,
	start: device | null,
	data: unknown,
	match: device_match_t,
): device | null {
	const sp = bus_to_subsys(bus);
	if (sp === null) return null;
	const i = new klist_iter<device_private>();
	let dev: device | null = null;
	klist_iter_init_node(sp.klist_devices, i, start?.p?.knode_bus ?? null);
	for (let n = klist_next(i); n !== null && dev === null; n = klist_next(i))
		if (match(n.container.device, data)) dev = get_device(n.container.device);
	klist_iter_exit(i);
	subsys_put(sp);
	return dev;
}

/** include/linux/device/bus.h: bus_find_device_by_name(). */
export function bus_find_device_by_name(bus: bus_type, start: device | null, name: string): device | null {
	return bus_find_device(bus, start, name, device_match_name);
}

/** include/linux/device/bus.h: bus_find_device_by_of_node(). */
export function bus_find_device_by_of_node(bus: bus_type, np: unknown): device | null {
	return bus_find_device(bus, null, np, device_match_of_node);
}

/** include/linux/device/bus.h: bus_find_device_by_fwnode(). */
export function bus_find_device_by_fwnode(bus: bus_type, fwnode: unknown): device | null {
	return bus_find_device(bus, null, fwnode, device_match_fwnode);
}

/** Call @fn for each driver of @bus until it answers something else than 0 (drivers/base/bus.c: bus_for_each_drv()). */
export function bus_for_each_drv<D>(
	bus: bus_type,
	start: device_driver | null,
	data: D,
	fn: (drv: device_driver, data: D) => int,
): int {
	const sp = bus_to_subsys(bus);
	if (sp === null) return -EINVAL;
	const i = new klist_iter<driver_private>();
	let error = 0;
	klist_iter_init_node(sp.klist_drivers, i, start?.p?.knode_bus ?? null);
	for (let n = klist_next(i); n !== null && !error; n = klist_next(i)) error = fn(n.container.driver, data);
	klist_iter_exit(i);
	subsys_put(sp);
	return error;
}

const driver_override_dev_group: attribute_group = {
	attrs: [
		DEVICE_ATTR_RW(
			'driver_override',
			(dev, _attr, buf) => sysfs_emit(buf, '%s\n', dev.driver_override ?? '(null)'),
			(dev, _attr, buf, count) => {
				const ret = __device_set_driver_override(dev, buf, count);
				return ret ? ret : count;
			},
		),
	],
};

/** Put @dev on its bus: files, links, the list (drivers/base/bus.c: bus_add_device()). */
export function bus_add_device(dev: device): int {
	if (dev.bus === null) return 0;
	const bus = dev.bus;
	const sp = bus_to_subsys(bus);
	if (sp === null) {
		pr_err("%s: cannot add device '%s' to unregistered bus '%s'", 'bus_add_device', dev_name(dev), bus.name);
		return -EINVAL;
	}
	// This reference is dropped when the device leaves the bus.
	pr_debug("bus: '%s': add device %s", bus.name, dev_name(dev));
	const devices = sp.devices_kset as unknown as kset;
	let error: int;
	out_put: {
		error = device_add_groups(dev, bus.dev_groups);
		if (error) break out_put;
		out_groups: {
			if (bus.driver_override) {
				error = device_add_group(dev, driver_override_dev_group);
				if (error) break out_groups;
			}
			out_override: {
				error = sysfs_create_link(devices.kobj, dev.kobj, dev_name(dev));
				if (error) break out_override;
				error = sysfs_create_link(dev.kobj, sp.subsys.kobj, 'subsystem');
				if (!error) {
					if (dev.p !== null) klist_add_tail(dev.p.knode_bus, sp.klist_devices);
					return 0;
				}
				sysfs_remove_link(devices.kobj, dev_name(dev));
			}
			if (bus.driver_override) device_remove_group(dev, driver_override_dev_group);
		}
		device_remove_groups(dev, bus.dev_groups);
	}
	subsys_put(sp);
	return error;
}

/** Look for a driver for @dev (drivers/base/bus.c: bus_probe_device()). */
export function bus_probe_device(dev: device): void {
	const sp = bus_to_subsys(dev.bus);
	if (sp === null) return;
	device_initial_probe(dev);
	mutex_lock(sp.mutex);
	for (const sif of list_for_each_entry(sp.interfaces)) sif.add_dev?.(dev, sif);
	mutex_unlock(sp.mutex);
	subsys_put(sp);
}

/** Take @dev from its bus, and its driver from it (drivers/base/bus.c: bus_remove_device()). */
export function bus_remove_device(dev: device): void {
	const sp = bus_to_subsys(dev.bus);
	if (sp === null || dev.bus === null) return;
	mutex_lock(sp.mutex);
	for (const sif of list_for_each_entry(sp.interfaces)) sif.remove_dev?.(dev, sif);
	mutex_unlock(sp.mutex);

	sysfs_remove_link(dev.kobj, 'subsystem');
	if (sp.devices_kset !== null) sysfs_remove_link(sp.devices_kset.kobj, dev_name(dev));
	if (dev.bus.driver_override) device_remove_group(dev, driver_override_dev_group);
	device_remove_groups(dev, dev.bus.dev_groups);
	if (dev.p !== null && klist_node_attached(dev.p.knode_bus)) klist_del(dev.p.knode_bus);
	pr_debug("bus: '%s': remove device %s", dev.bus.name, dev_name(dev));
	device_release_driver(dev);
	// One for bus_to_subsys() above, one for bus_add_device().
	subsys_put(sp);
	subsys_put(sp);
}

function add_bind_files(drv: device_driver): int {
	let ret = driver_create_file(drv, driver_attr_unbind);
	if (ret === 0) {
		ret = driver_create_file(drv, driver_attr_bind);
		if (ret) driver_remove_file(drv, driver_attr_unbind);
	}
	return ret;
}

function remove_bind_files(drv: device_driver): void {
	driver_remove_file(drv, driver_attr_bind);
	driver_remove_file(drv, driver_attr_unbind);
}

/** Put @drv on its bus, and let it have the devices that fit (drivers/base/bus.c: bus_add_driver()). */
export function bus_add_driver(drv: device_driver): int {
	const sp = bus_to_subsys(drv.bus);
	if (sp === null || sp.bus === null) return -EINVAL;
	pr_debug("bus: '%s': add driver %s", sp.bus.name, drv.name);
	let error = 0;
	out_put_bus: {
		const priv = kzalloc(driver_private, GFP_KERNEL);
		if (priv === null) {
			error = -ENOMEM;
			break out_put_bus;
		}
		klist_init(priv.klist_devices, null, null);
		priv.driver = drv;
		drv.p = priv;
		priv.kobj.kset = sp.drivers_kset;
		out_unregister: {
			error = kobject_init_and_add(priv.kobj, driver_ktype, null, '%s', drv.name);
			if (error) break out_unregister;
			klist_add_tail(priv.knode_bus, sp.klist_drivers);
			out_del_list: {
				if (sp.drivers_autoprobe) {
					error = driver_attach(drv);
					if (error) break out_del_list;
				}
				error = module_add_driver(drv.owner, drv);
				if (error) {
					pr_err('%s: failed to create module links for %s', 'bus_add_driver', drv.name);
					driver_detach(drv);
					break out_del_list;
				}
				error = driver_create_file(drv, driver_attr_uevent);
				if (error) pr_err('%s: uevent attr (%s) failed', 'bus_add_driver', drv.name);
				error = driver_add_groups(drv, sp.bus.drv_groups);
				if (error) pr_err('%s: driver_add_groups(%s) failed', 'bus_add_driver', drv.name);
				if (!drv.suppress_bind_attrs) {
					error = add_bind_files(drv);
					if (error) pr_err('%s: add_bind_files(%s) failed', 'bus_add_driver', drv.name);
				}
				return 0;
			}
			klist_del(priv.knode_bus);
		}
		kobject_put(priv.kobj);
		drv.p = null;
	}
	subsys_put(sp);
	return error;
}

/** Take @drv from its bus; its devices are unbound (drivers/base/bus.c: bus_remove_driver()). */
export function bus_remove_driver(drv: device_driver): void {
	const sp = bus_to_subsys(drv.bus);
	if (sp === null || sp.bus === null || drv.p === null) {
		subsys_put(sp);
		return;
	}
	pr_debug("bus: '%s': remove driver %s", sp.bus.name, drv.name);
	if (!drv.suppress_bind_attrs) remove_bind_files(drv);
	driver_remove_groups(drv, sp.bus.drv_groups);
	driver_remove_file(drv, driver_attr_uevent);
	klist_remove(drv.p.knode_bus);
	driver_detach(drv);
	module_remove_driver(drv);
	const priv = drv.p;
	drv.p = null;
	kobject_put(priv.kobj);
	subsys_put(sp);
	subsys_put(sp);
}

function bus_rescan_devices_helper(dev: device): int {
	const ret = dev.driver === null ? device_attach(dev) : 0;
	return Math.min(ret, 0);
}

/** Look again for drivers of the devices that have none (drivers/base/bus.c: bus_rescan_devices()). */
export function bus_rescan_devices(bus: bus_type): int {
	return bus_for_each_dev(bus, null, null, bus_rescan_devices_helper);
}

/** Unbind @dev, then look for a driver again (drivers/base/bus.c: device_reprobe()). */
export function device_reprobe(dev: device): int {
	if (dev.driver !== null) device_driver_detach(dev);
	return bus_rescan_devices_helper(dev);
}

function klist_devices_get(n: klist_node<device_private>): void {
	get_device(n.container.device);
}

function klist_devices_put(n: klist_node<device_private>): void {
	put_device(n.container.device);
}

/** Register a bus: /sys/bus/NAME with devices, drivers and its files (drivers/base/bus.c: bus_register()). */
export function bus_register(bus: bus_type): int {
	const priv = kzalloc(subsys_private, GFP_KERNEL);
	if (priv === null) return -ENOMEM;
	priv.bus = bus;
	BLOCKING_INIT_NOTIFIER_HEAD(priv.bus_notifier);
	let retval = kobject_set_name(priv.subsys.kobj, '%s', bus.name);
	out: {
		if (retval) break out;
		priv.subsys.kobj.kset = bus_state.bus_kset;
		priv.subsys.kobj.ktype = bus_ktype;
		priv.drivers_autoprobe = true;
		retval = kset_register(priv.subsys);
		if (retval) break out;
		bus_uevent_fail: {
			retval = bus_create_file(bus, bus_attr_uevent);
			if (retval) break bus_uevent_fail;
			bus_devices_fail: {
				priv.devices_kset = kset_create_and_add('devices', null, priv.subsys.kobj);
				if (priv.devices_kset === null) {
					retval = -ENOMEM;
					break bus_devices_fail;
				}
				bus_drivers_fail: {
					priv.drivers_kset = kset_create_and_add('drivers', null, priv.subsys.kobj);
					if (priv.drivers_kset === null) {
						retval = -ENOMEM;
						break bus_drivers_fail;
					}
					mutex_init(priv.mutex);
					klist_init(priv.klist_devices, klist_devices_get, klist_devices_put);
					klist_init(priv.klist_drivers, null, null);
					bus_probe_files_fail: {
						retval = bus_create_file(bus, bus_attr_drivers_probe);
						if (retval) break bus_probe_files_fail;
						retval = bus_create_file(bus, bus_attr_drivers_autoprobe);
						if (retval) {
							bus_remove_file(bus, bus_attr_drivers_probe);
							break bus_probe_files_fail;
						}
						retval = sysfs_create_groups(priv.subsys.kobj, bus.bus_groups);
						if (!retval) {
							pr_debug("bus: '%s': registered", bus.name);
							return 0;
						}
						bus_remove_file(bus, bus_attr_drivers_autoprobe);
						bus_remove_file(bus, bus_attr_drivers_probe);
					}
					kset_unregister(priv.drivers_kset);
				}
				kset_unregister(priv.devices_kset);
			}
			bus_remove_file(bus, bus_attr_uevent);
		}
		// The release frees priv.
		kset_unregister(priv.subsys);
		return retval;
	}
	kfree(priv);
	return retval;
}

/** Remove a bus that has no devices and drivers left (drivers/base/bus.c: bus_unregister()). */
export function bus_unregister(bus: bus_type): void {
	const sp = bus_to_subsys(bus);
	if (sp === null) return;
	pr_debug("bus: '%s': unregistering", bus.name);
	bus_remove_file(bus, bus_attr_drivers_autoprobe);
	bus_remove_file(bus, bus_attr_drivers_probe);
	kset_unregister(sp.drivers_kset);
	kset_unregister(sp.devices_kset);
	bus_remove_file(bus, bus_attr_uevent);
	kset_unregister(sp.subsys);
	subsys_put(sp);
}

/** Be told what happens to @bus's devices, BUS_NOTIFY_* (drivers/base/bus.c: bus_register_notifier()). */
export function bus_register_notifier(bus: bus_type, nb: notifier_block): int {
	const sp = bus_to_subsys(bus);
	if (sp === null) return -EINVAL;
	const retval = blocking_notifier_chain_register(sp.bus_notifier, nb);
	subsys_put(sp);
	return retval;
}

/** drivers/base/bus.c: bus_unregister_notifier(). */
export function bus_unregister_notifier(bus: bus_type, nb: notifier_block): int {
	const sp = bus_to_subsys(bus);
	if (sp === null) return -EINVAL;
	const retval = blocking_notifier_chain_unregister(sp.bus_notifier, nb);
	subsys_put(sp);
	return retval;
}

/** Tell the notifiers of @dev's bus (drivers/base/bus.c: bus_notify()). */
export function bus_notify(dev: device, value: unsigned_long): void {
	const sp = bus_to_subsys(dev.bus);
	if (sp === null) return;
	blocking_notifier_call_chain(sp.bus_notifier, value, dev);
	subsys_put(sp);
}

/** The kset of a bus, which sits in /sys/bus (drivers/base/bus.c: bus_get_kset()). */
export function bus_get_kset(bus: bus_type): kset | null {
	const sp = bus_to_subsys(bus);
	if (sp === null) return null;
	const k = sp.subsys;
	subsys_put(sp);
	return k;
}

/** See each device of a bus, also those that are there (drivers/base/bus.c: subsys_interface_register()). */
export function subsys_interface_register(bus: bus_type, sif: subsys_interface): int {
	const sp = bus_to_subsys(bus);
	if (sp === null) return -ENODEV;
	mutex_lock(sp.mutex);
	list_add_tail(sif.node, sp.interfaces);
	mutex_unlock(sp.mutex);
	bus_for_each_dev(bus, null, sif, (dev, s) => {
		s.add_dev?.(dev, s);
		return 0;
	});
	return 0;
}

/** drivers/base/bus.c: subsys_interface_unregister(). */
export function subsys_interface_unregister(bus: bus_type, sif: subsys_interface): void {
	const sp = bus_to_subsys(bus);
	if (sp === null) return;
	mutex_lock(sp.mutex);
	list_del_init(sif.node);
	mutex_unlock(sp.mutex);
	bus_for_each_dev(bus, null, sif, (dev, s) => {
		s.remove_dev?.(dev, s);
		return 0;
	});
	// One for bus_to_subsys() above, one for the registration.
	subsys_put(sp);
	subsys_put(sp);
}

/** Make /sys/bus (drivers/base/bus.c: buses_init()). */
export function buses_init(): int {
	bus_state.bus_kset = kset_create_and_add('bus', null, null);
	return bus_state.bus_kset === null ? -ENOMEM : 0;
}
