// SPDX-License-Identifier: GPL-2.0-only
// Devices: their life, their place in sysfs, and consumer-supplier links.
// Linux 6.12: drivers/base/core.c
//
// Links that firmware implies (fw_devlink) stand in drivers/base/fw_devlink.ts.
//
// Left out: uevents (the files are there), the power/ directories, CPU hot-plug beyond online, shutdown's PM,
// device_move(), physical location, the order of dpm_list.

import type { subsys_private } from '#drivers/base/base.js';
import { device_private } from '#drivers/base/base.js';
import {
	bus_add_device,
	bus_notify,
	bus_probe_device,
	bus_remove_device,
	subsys_put,
} from '#drivers/base/bus.js';
import { class_register, class_to_subsys } from '#drivers/base/class.js';
import {
	device_block_probing,
	device_release_driver_internal,
	driver_deferred_probe_add,
	driver_deferred_probe_del,
	wait_for_device_probe,
} from '#drivers/base/dd.js';
import { devres_release_all } from '#drivers/base/devres.js';
import {
	fw_devlink_device_added,
	fw_devlink_device_bound,
	fw_devlink_is_on,
	fwnode_links_check_suppliers,
} from '#drivers/base/fw_devlink.js';
import {
	device_pm_add,
	device_pm_init,
	device_pm_initialized,
	device_pm_lock,
	device_pm_move_last,
	device_pm_remove,
	device_pm_unlock,
} from '#drivers/base/power/main.js';
import { dev_fwnode } from '#drivers/base/property.js';
import {
	sysfs_create_bin_file,
	sysfs_create_file,
	sysfs_emit,
	sysfs_remove_bin_file,
	sysfs_remove_file,
	sysfs_remove_file_self,
} from '#fs/sysfs/file.js';
import {
	sysfs_create_group,
	sysfs_create_groups,
	sysfs_remove_group,
	sysfs_remove_groups,
} from '#fs/sysfs/group.js';
import { sysfs_create_link, sysfs_delete_link, sysfs_remove_link } from '#fs/sysfs/symlink.js';
import { swiotlb_dev_init } from '#kernel/dma/swiotlb.js';
import { workqueue_struct } from '#kernel/workqueue.js';
import {
	klist_add_tail,
	klist_del,
	klist_init,
	klist_iter_exit,
	klist_iter_init,
	klist_next,
	klist_node_attached,
	klist_prev,
} from '#lib/klist.js';
import {
	kobject_add,
	kobject_create_and_add,
	kobject_del,
	kobject_get,
	kobject_init,
	kobject_put,
	kobject_rename,
	kobject_set_name,
	kset_create_and_add,
	kset_unregister,
} from '#lib/kobject.js';
import { kstrtobool } from '#lib/kstrtox.js';
import { WARN, WARN_ON } from '#linux/bug.js';
import { dev_dbg, dev_err_probe, dev_warn } from '#linux/dev_printk.js';
import type { class_ } from '#linux/device.js';
import {
	BUS_NOTIFY_ADD_DEVICE,
	BUS_NOTIFY_DEL_DEVICE,
	BUS_NOTIFY_REMOVED_DEVICE,
	DEVICE_ATTR_RO,
	DEVICE_ATTR_RW,
	DL_DEV_DRIVER_BOUND,
	DL_DEV_NO_DRIVER,
	DL_DEV_PROBING,
	DL_DEV_UNBINDING,
	DL_FLAG_AUTOPROBE_CONSUMER,
	DL_FLAG_AUTOREMOVE_CONSUMER,
	DL_FLAG_AUTOREMOVE_SUPPLIER,
	DL_FLAG_CYCLE,
	DL_FLAG_INFERRED,
	DL_FLAG_MANAGED,
	DL_FLAG_PM_RUNTIME,
	DL_FLAG_RPM_ACTIVE,
	DL_FLAG_STATELESS,
	DL_FLAG_SYNC_STATE_ONLY,
	DL_STATE_ACTIVE,
	DL_STATE_AVAILABLE,
	DL_STATE_CONSUMER_PROBE,
	DL_STATE_DORMANT,
	DL_STATE_NONE,
	DL_STATE_SUPPLIER_UNBIND,
	dev_name,
	dev_set_ready_to_probe,
	dev_to_node,
	device,
	device_attribute,
	device_is_registered,
	device_link,
	device_lock,
	device_set_pm_not_required,
	device_unlock,
	kobj_to_dev,
	set_dev_node,
} from '#linux/device.js';
import type { err_ptr } from '#linux/err.js';
import { ERR_PTR, IS_ERR } from '#linux/err.js';
import { EINVAL, EIO, ENODEV, ENOMEM, EPROBE_DEFER } from '#linux/errno.js';
import type { fwnode_handle } from '#linux/fwnode.js';
import { GFP_KERNEL } from '#linux/gfp_types.js';
import { boot_data, late_initcall } from '#linux/init.js';
import type { klist_node } from '#linux/klist.js';
import { klist_iter } from '#linux/klist.js';
import type { kobj_type, kset } from '#linux/kobject.js';
import { kobject } from '#linux/kobject.js';
import type { kref } from '#linux/kref.js';
import { kref_get, kref_init, kref_put } from '#linux/kref.js';
import {
	INIT_LIST_HEAD,
	list_add_tail,
	list_del,
	list_del_init,
	list_empty,
	list_for_each_entry,
	list_for_each_entry_safe,
	list_head,
	list_last_entry,
	list_move_tail,
} from '#linux/list.js';
import { mutex, mutex_init, mutex_lock, mutex_unlock } from '#linux/mutex.js';
import { NUMA_NO_NODE } from '#linux/numa.js';
import type { device_node } from '#linux/of.js';
import {
	pm_request_idle,
	pm_runtime_barrier,
	pm_runtime_drop_link,
	pm_runtime_get_noresume,
	pm_runtime_get_sync,
	pm_runtime_new_link,
	pm_runtime_put,
	pm_runtime_put_noidle,
	pm_runtime_release_supplier,
	pm_runtime_resume,
} from '#linux/pm_runtime.js';
import type { printk_arg } from '#linux/printk.js';
import { pr_debug } from '#linux/printk.js';
import { refcount_inc, refcount_set } from '#linux/refcount.js';
import { kfree, kzalloc } from '#linux/slab.js';
import { spin_lock, spin_lock_init, spin_unlock } from '#linux/spinlock.js';
import type { attribute, attribute_group, bin_attribute, sysfs_buf, sysfs_ops } from '#linux/sysfs.js';
import type { bool, dev_t, int, ref, size_t, ssize_t, u32, unsigned_int } from '#linux/types.js';
import { container_of } from '#linux/types.js';
import { flush_workqueue, INIT_WORK, queue_work, type work_struct } from '#linux/workqueue.js';

/** Linux: devices_kset, dev_kobj and the rest of drivers/base/core.c's .bss. */
export const core_state = boot_data(() => ({
	devices_kset: null as kset | null,
	dev_kobj: null as kobject | null,
	sysfs_dev_char_kobj: null as kobject | null,
	sysfs_dev_block_kobj: null as kobject | null,
	virtual_dir: null as kobject | null,
	device_links_lock: new mutex('device_links_lock'),
	gdp_mutex: new mutex('gdp_mutex'),
	deferred_sync: new list_head<device>(),
	defer_sync_state_count: 1,
	/** Where links end; there from the start (C makes it in devlink_class_init()). */
	device_link_wq: new workqueue_struct('device_link_wq'),
}));

// ---- device links --------------------------------------------------------------------------------------------

const DL_MANAGED_LINK_FLAGS =
	DL_FLAG_AUTOREMOVE_CONSUMER |
	DL_FLAG_AUTOREMOVE_SUPPLIER |
	DL_FLAG_AUTOPROBE_CONSUMER |
	DL_FLAG_SYNC_STATE_ONLY |
	DL_FLAG_INFERRED |
	DL_FLAG_CYCLE;
const DL_ADD_VALID_FLAGS =
	DL_MANAGED_LINK_FLAGS | DL_FLAG_STATELESS | DL_FLAG_PM_RUNTIME | DL_FLAG_RPM_ACTIVE;

/** drivers/base/core.c: device_links_write_lock(). */
export function device_links_write_lock(): void {
	mutex_lock(core_state.device_links_lock);
}

/** drivers/base/core.c: device_links_write_unlock(). */
export function device_links_write_unlock(): void {
	mutex_unlock(core_state.device_links_lock);
}

/** Whether nothing but sync_state() is said by @flags (drivers/base/core.c: device_link_flag_is_sync_state_only()). */
export function device_link_flag_is_sync_state_only(flags: u32): bool {
	return (flags & ~(DL_FLAG_INFERRED | DL_FLAG_CYCLE)) === (DL_FLAG_SYNC_STATE_ONLY | DL_FLAG_MANAGED);
}

function device_link_test(link: device_link, flags: u32): bool {
	return (link.flags & flags) !== 0;
}

/** Whether @target depends on @dev: is it, is below it, or consumes it (drivers/base/core.c: device_is_dependent()). */
export function device_is_dependent(dev: device, target: device): bool {
	if (dev === target) return true;
	for (let pos = target.parent; pos !== null; pos = pos.parent) if (pos === dev) return true;
	if (device_for_each_child(dev, target, (child, t) => (device_is_dependent(child, t as device) ? 1 : 0)))
		return true;
	for (const link of list_for_each_entry(dev.links.consumers)) {
		if (device_link_flag_is_sync_state_only(link.flags)) continue;
		if (link.consumer === target || device_is_dependent(link.consumer, target)) return true;
	}
	return false;
}

function devices_kset_move_last(dev: device): void {
	const kset = core_state.devices_kset;
	if (kset === null) return;

	pr_debug('devices_kset: Moving %s to end of list', dev_name(dev));
	spin_lock(kset.list_lock);
	list_move_tail(dev.kobj.entry, kset.list);
	spin_unlock(kset.list_lock);
}

/** Have @dev, and what needs it, resumed last and shut down first. */
function device_reorder_to_tail(dev: device): int {
	// What is not registered yet comes to the end when it is.
	if (device_is_registered(dev)) devices_kset_move_last(dev);
	if (device_pm_initialized(dev)) device_pm_move_last(dev);

	device_for_each_child(dev, null, device_reorder_to_tail);
	for (const link of list_for_each_entry(dev.links.consumers))
		if (!device_link_flag_is_sync_state_only(link.flags)) device_reorder_to_tail(link.consumer);
	return 0;
}

/** The same, with the locks (drivers/base/core.c: device_pm_move_to_tail()). */
export function device_pm_move_to_tail(dev: device): void {
	device_links_write_lock();
	device_pm_lock();
	device_reorder_to_tail(dev);
	device_pm_unlock();
	device_links_write_unlock();
}

function device_link_reorder(link: device_link): void {
	device_reorder_to_tail(link.consumer);
	dev_dbg(link.consumer, 'Linked as a consumer to %s', dev_name(link.supplier));
}

function device_link_init_status(link: device_link, consumer: device, supplier: device): void {
	switch (supplier.links.status) {
		case DL_DEV_PROBING:
			// A driver that links a consumer before it is bound itself: the consumer must be probing now.
			link.status = consumer.links.status === DL_DEV_PROBING ? DL_STATE_CONSUMER_PROBE : DL_STATE_DORMANT;
			break;
		case DL_DEV_DRIVER_BOUND:
			if (consumer.links.status === DL_DEV_PROBING) link.status = DL_STATE_CONSUMER_PROBE;
			else if (consumer.links.status === DL_DEV_DRIVER_BOUND) link.status = DL_STATE_ACTIVE;
			else link.status = DL_STATE_AVAILABLE;
			break;
		case DL_DEV_UNBINDING:
			link.status = DL_STATE_SUPPLIER_UNBIND;
			break;
		default:
			link.status = DL_STATE_DORMANT;
	}
}

const auto_remove_on = (flags: u32): string => {
	if (flags & DL_FLAG_AUTOREMOVE_SUPPLIER) return 'supplier unbind';
	return flags & DL_FLAG_AUTOREMOVE_CONSUMER ? 'consumer unbind' : 'never';
};

const status_name = (link: device_link): string => {
	switch (link.status) {
		case DL_STATE_NONE:
			return 'not tracked';
		case DL_STATE_DORMANT:
			return 'dormant';
		case DL_STATE_AVAILABLE:
			return 'available';
		case DL_STATE_CONSUMER_PROBE:
			return 'consumer probing';
		case DL_STATE_ACTIVE:
			return 'active';
		case DL_STATE_SUPPLIER_UNBIND:
			return 'supplier unbinding';
		default:
			return 'unknown';
	}
};

/** The link that embeds @dev (drivers/base/core.c: to_devlink()). */
export function to_devlink(dev: device): device_link {
	return dev.container as device_link;
}

const devlink_group: attribute_group = {
	attrs: [
		DEVICE_ATTR_RO('auto_remove_on', (dev, _attr, buf) =>
			sysfs_emit(buf, '%s\n', auto_remove_on(to_devlink(dev).flags)),
		),
		DEVICE_ATTR_RO('runtime_pm', (dev, _attr, buf) =>
			sysfs_emit(buf, '%d\n', device_link_test(to_devlink(dev), DL_FLAG_PM_RUNTIME) ? 1 : 0),
		),
		DEVICE_ATTR_RO('status', (dev, _attr, buf) => sysfs_emit(buf, '%s\n', status_name(to_devlink(dev)))),
		DEVICE_ATTR_RO('sync_state_only', (dev, _attr, buf) =>
			sysfs_emit(buf, '%d\n', device_link_test(to_devlink(dev), DL_FLAG_SYNC_STATE_ONLY) ? 1 : 0),
		),
	],
};

/** Where @dev lives: its bus, else its class, else nowhere (include/linux/device.h: dev_bus_name()). */
export function dev_bus_name(dev: device): string {
	if (dev.bus !== null) return dev.bus.name;
	return dev.class !== null ? dev.class.name : '';
}

function devlink_names(dev: device): readonly [string, string] {
	const link = to_devlink(dev);
	return [
		`consumer:${dev_bus_name(link.consumer)}:${dev_name(link.consumer)}`,
		`supplier:${dev_bus_name(link.supplier)}:${dev_name(link.supplier)}`,
	];
}

function devlink_add_symlinks(dev: device): int {
	const link = to_devlink(dev);
	const [con_name, sup_name] = devlink_names(dev);
	let ret = sysfs_create_link(link.link_dev.kobj, link.supplier.kobj, 'supplier');
	if (ret) return ret;
	err_supplier: {
		ret = sysfs_create_link(link.link_dev.kobj, link.consumer.kobj, 'consumer');
		if (ret) break err_supplier;
		err_consumer: {
			ret = sysfs_create_link(link.supplier.kobj, link.link_dev.kobj, con_name);
			if (ret) break err_consumer;
			ret = sysfs_create_link(link.consumer.kobj, link.link_dev.kobj, sup_name);
			if (!ret) return 0;
			sysfs_remove_link(link.supplier.kobj, con_name);
		}
		sysfs_remove_link(link.link_dev.kobj, 'consumer');
	}
	sysfs_remove_link(link.link_dev.kobj, 'supplier');
	return ret;
}

function devlink_remove_symlinks(dev: device): void {
	const link = to_devlink(dev);
	const [con_name, sup_name] = devlink_names(dev);
	sysfs_remove_link(link.link_dev.kobj, 'consumer');
	sysfs_remove_link(link.link_dev.kobj, 'supplier');
	if (device_is_registered(link.consumer)) sysfs_remove_link(link.consumer.kobj, sup_name);
	sysfs_remove_link(link.supplier.kobj, con_name);
}

/** The end of a link, later: the devices that it lets go may be on the releaser's stack. */
function device_link_release_fn(work: work_struct): void {
	const link = container_of(work, device_link);

	pm_runtime_release_supplier(link);
	// Dropped in the middle of the consumer's probe, which had woken the supplier for itself.
	if (link.supplier_preactivated) pm_runtime_put_noidle(link.supplier);
	pm_request_idle(link.supplier);
	put_device(link.consumer);
	put_device(link.supplier);
	kfree(link);
}

function devlink_dev_release(dev: device): void {
	const link = to_devlink(dev);

	INIT_WORK(link.rm_work, device_link_release_fn);
	queue_work(core_state.device_link_wq, link.rm_work);
}

/** Wait until no link is on its way out (drivers/base/core.c: device_link_wait_removal()). */
export function device_link_wait_removal(): void {
	flush_workqueue(core_state.device_link_wq);
}

/** /sys/class/devlink. */
export const devlink_class: class_ = {
	name: 'devlink',
	dev_groups: [devlink_group],
	dev_release: devlink_dev_release,
};

/**
 * device_link_add - Say that @consumer needs @supplier (drivers/base/core.c: device_link_add())
 * @consumer: the device that needs the other
 * @supplier: the device that is needed; registered
 * @flags: DL_FLAG_*
 *
 * Without DL_FLAG_STATELESS the core owns the link: the consumer is probed after the supplier and unbound before.
 * Null when the flags make no sense, the supplier is not registered, or it depends on the consumer.
 */
export function device_link_add(
	consumer: device | null,
	supplier: device | null,
	flags: u32,
): device_link | null {
	if (
		consumer === null ||
		supplier === null ||
		consumer === supplier ||
		flags & ~DL_ADD_VALID_FLAGS ||
		(flags & DL_FLAG_STATELESS && flags & DL_MANAGED_LINK_FLAGS) ||
		(flags & DL_FLAG_AUTOPROBE_CONSUMER &&
			flags & (DL_FLAG_AUTOREMOVE_CONSUMER | DL_FLAG_AUTOREMOVE_SUPPLIER))
	)
		return null;

	const active = (flags & DL_FLAG_PM_RUNTIME) !== 0 && (flags & DL_FLAG_RPM_ACTIVE) !== 0;
	if (active && pm_runtime_get_sync(supplier) < 0) {
		pm_runtime_put_noidle(supplier);
		return null;
	}
	let want = flags;
	if (!(want & DL_FLAG_STATELESS)) want |= DL_FLAG_MANAGED;
	if (want & DL_FLAG_SYNC_STATE_ONLY && !device_link_flag_is_sync_state_only(want)) return null;

	device_links_write_lock();
	device_pm_lock();
	const link = __device_link_add(consumer, supplier, want);
	device_pm_unlock();
	device_links_write_unlock();
	if (active && link === null) pm_runtime_put(supplier);
	return link;
}

function __device_link_add(consumer: device, supplier: device, want: u32): device_link | null {
	let flags = want;
	if (!device_pm_initialized(supplier)) return null;
	if (!(flags & DL_FLAG_SYNC_STATE_ONLY) && device_is_dependent(consumer, supplier)) return null;
	// A link that only holds sync_state() back is of no use to a consumer that is bound.
	if (
		flags & DL_FLAG_SYNC_STATE_ONLY &&
		consumer.links.status !== DL_DEV_NO_DRIVER &&
		consumer.links.status !== DL_DEV_PROBING
	)
		return null;
	if (flags & DL_FLAG_AUTOREMOVE_SUPPLIER) flags &= ~DL_FLAG_AUTOREMOVE_CONSUMER;

	for (const link of list_for_each_entry(supplier.links.consumers)) {
		if (link.consumer !== consumer) continue;
		if (device_link_test(link, DL_FLAG_INFERRED) && !(flags & DL_FLAG_INFERRED))
			link.flags &= ~DL_FLAG_INFERRED;
		if (flags & DL_FLAG_PM_RUNTIME) {
			if (!device_link_test(link, DL_FLAG_PM_RUNTIME)) {
				pm_runtime_new_link(consumer);
				link.flags |= DL_FLAG_PM_RUNTIME;
			}
			if (flags & DL_FLAG_RPM_ACTIVE) refcount_inc(link.rpm_active);
		}
		if (flags & DL_FLAG_STATELESS) {
			kref_get(link.kref);
			const reorder =
				device_link_test(link, DL_FLAG_SYNC_STATE_ONLY) && !device_link_test(link, DL_FLAG_STATELESS);
			link.flags |= DL_FLAG_STATELESS;
			if (reorder) device_link_reorder(link);
			return link;
		}
		// The longer life wins.
		if (flags & DL_FLAG_AUTOREMOVE_SUPPLIER) {
			if (device_link_test(link, DL_FLAG_AUTOREMOVE_CONSUMER)) {
				link.flags &= ~DL_FLAG_AUTOREMOVE_CONSUMER;
				link.flags |= DL_FLAG_AUTOREMOVE_SUPPLIER;
			}
		} else if (!(flags & DL_FLAG_AUTOREMOVE_CONSUMER)) {
			link.flags &= ~(DL_FLAG_AUTOREMOVE_CONSUMER | DL_FLAG_AUTOREMOVE_SUPPLIER);
		}
		if (!device_link_test(link, DL_FLAG_MANAGED)) {
			kref_get(link.kref);
			link.flags |= DL_FLAG_MANAGED;
			device_link_init_status(link, consumer, supplier);
		}
		if (device_link_test(link, DL_FLAG_SYNC_STATE_ONLY) && !(flags & DL_FLAG_SYNC_STATE_ONLY)) {
			link.flags &= ~DL_FLAG_SYNC_STATE_ONLY;
			device_link_reorder(link);
		}
		return link;
	}

	const link = kzalloc(device_link, GFP_KERNEL);
	if (link === null) return null;
	refcount_set(link.rpm_active, 1);
	get_device(supplier);
	link.supplier = supplier;
	INIT_LIST_HEAD(link.s_node);
	get_device(consumer);
	link.consumer = consumer;
	INIT_LIST_HEAD(link.c_node);
	link.flags = flags;
	kref_init(link.kref);

	link.link_dev.class = devlink_class;
	device_set_pm_not_required(link.link_dev);
	dev_set_name(
		link.link_dev,
		'%s:%s--%s:%s',
		dev_bus_name(supplier),
		dev_name(supplier),
		dev_bus_name(consumer),
		dev_name(consumer),
	);
	if (device_register(link.link_dev)) {
		put_device(link.link_dev);
		return null;
	}
	// Nobody needs them (Linux: the class's interface; what that answers is ignored).
	devlink_add_symlinks(link.link_dev);

	if (flags & DL_FLAG_PM_RUNTIME) {
		if (flags & DL_FLAG_RPM_ACTIVE) refcount_inc(link.rpm_active);
		pm_runtime_new_link(consumer);
	}
	if (flags & DL_FLAG_STATELESS) link.status = DL_STATE_NONE;
	else device_link_init_status(link, consumer, supplier);
	// A driver that links its supplier in probe expects it powered.
	if (link.status === DL_STATE_CONSUMER_PROBE && flags & DL_FLAG_PM_RUNTIME) pm_runtime_resume(supplier);

	list_add_tail(link.s_node, supplier.links.consumers);
	list_add_tail(link.c_node, consumer.links.suppliers);
	if (flags & DL_FLAG_SYNC_STATE_ONLY)
		dev_dbg(consumer, 'Linked as a sync state only consumer to %s', dev_name(supplier));
	else device_link_reorder(link);
	return link;
}

function __device_link_del(ref: kref): void {
	const link = container_of(ref, device_link);
	dev_dbg(link.consumer, 'Dropping the link to %s', dev_name(link.supplier));
	pm_runtime_drop_link(link);
	list_del(link.s_node);
	list_del(link.c_node);
	devlink_remove_symlinks(link.link_dev);
	device_unregister(link.link_dev);
}

function device_link_put_kref(link: device_link): void {
	if (device_link_test(link, DL_FLAG_STATELESS)) kref_put(link.kref, __device_link_del);
	else if (!device_is_registered(link.consumer)) __device_link_del(link.kref);
	else WARN(true, 'Unable to drop a managed device link reference');
}

/** Drop a stateless link (drivers/base/core.c: device_link_del()). */
export function device_link_del(link: device_link): void {
	device_links_write_lock();
	device_link_put_kref(link);
	device_links_write_unlock();
}

/** Drop the stateless link between two devices (drivers/base/core.c: device_link_remove()). */
export function device_link_remove(consumer: device, supplier: device): void {
	if (WARN_ON(consumer === supplier)) return;
	device_links_write_lock();
	for (const link of list_for_each_entry(supplier.links.consumers)) {
		if (link.consumer === consumer) {
			device_link_put_kref(link);
			break;
		}
	}
	device_links_write_unlock();
}

function device_links_missing_supplier(dev: device): void {
	for (const link of list_for_each_entry(dev.links.suppliers)) {
		if (link.status !== DL_STATE_CONSUMER_PROBE) continue;
		if (link.supplier.links.status === DL_DEV_DRIVER_BOUND) {
			link.status = DL_STATE_AVAILABLE;
		} else {
			WARN_ON(!device_link_test(link, DL_FLAG_SYNC_STATE_ONLY));
			link.status = DL_STATE_DORMANT;
		}
	}
}

/** 0 when every supplier of @dev is there, else -EPROBE_DEFER (drivers/base/core.c: device_links_check_suppliers()). */
export function device_links_check_suppliers(dev: device): int {
	const sup_fw = fwnode_links_check_suppliers(dev.fwnode);
	if (sup_fw !== null) return dev_err_probe(dev, -EPROBE_DEFER, 'wait for supplier %s', fwnode_label(sup_fw));

	let ret = 0;
	device_links_write_lock();
	for (const link of list_for_each_entry(dev.links.suppliers)) {
		if (!device_link_test(link, DL_FLAG_MANAGED)) continue;
		if (link.status !== DL_STATE_AVAILABLE && !device_link_test(link, DL_FLAG_SYNC_STATE_ONLY)) {
			device_links_missing_supplier(dev);
			ret = dev_err_probe(dev, -EPROBE_DEFER, 'supplier %s not ready', dev_name(link.supplier));
			break;
		}
		link.status = DL_STATE_CONSUMER_PROBE;
	}
	dev.links.status = DL_DEV_PROBING;
	device_links_write_unlock();
	return ret;
}

function fwnode_label(fwnode: fwnode_handle): string {
	return fwnode.ops?.get_name?.(fwnode) ?? '?';
}

/** Whether somebody wants to hear that all consumers are bound (drivers/base/base.h: dev_has_sync_state()). */
export function dev_has_sync_state(dev: device | null): bool {
	if (dev === null) return false;
	if (dev.driver !== null && dev.driver.sync_state !== null) return true;
	return dev.bus !== null && dev.bus.sync_state !== undefined;
}

/** Tell it (drivers/base/base.h: dev_sync_state()). */
export function dev_sync_state(dev: device): void {
	if (dev.bus !== null && dev.bus.sync_state !== undefined) dev.bus.sync_state(dev);
	else if (dev.driver !== null && dev.driver.sync_state !== null) dev.driver.sync_state(dev);
}

function consumers_all_bound(dev: device): bool {
	for (const link of list_for_each_entry(dev.links.consumers))
		if (device_link_test(link, DL_FLAG_MANAGED) && link.status !== DL_STATE_ACTIVE) return false;
	return true;
}

function __device_links_queue_sync_state(dev: device, list: list_head<device>): void {
	if (dev.state_synced || !dev_has_sync_state(dev) || !consumers_all_bound(dev)) return;

	// Set now, so that it is queued but once.
	dev.state_synced = true;
	if (WARN_ON(!list_empty(dev.links.defer_sync))) return;
	get_device(dev);
	list_add_tail(dev.links.defer_sync, list);
}

function device_links_flush_sync_list(list: list_head<device>, dont_lock_dev: device | null): void {
	for (const dev of list_for_each_entry_safe(list)) {
		list_del_init(dev.links.defer_sync);
		if (dev !== dont_lock_dev) device_lock(dev);
		dev_sync_state(dev);
		if (dev !== dont_lock_dev) device_unlock(dev);
		put_device(dev);
	}
}

/** Hold sync_state() calls back (drivers/base/core.c: device_links_supplier_sync_state_pause()). */
export function device_links_supplier_sync_state_pause(): void {
	device_links_write_lock();
	core_state.defer_sync_state_count++;
	device_links_write_unlock();
}

/** Let them go (drivers/base/core.c: device_links_supplier_sync_state_resume()). */
export function device_links_supplier_sync_state_resume(): void {
	const sync_list = new list_head<device>();
	device_links_write_lock();
	if (core_state.defer_sync_state_count === 0) {
		WARN(true, 'Unmatched sync_state pause/resume!');
	} else if (--core_state.defer_sync_state_count === 0) {
		for (const dev of list_for_each_entry_safe(core_state.deferred_sync)) {
			list_del_init(dev.links.defer_sync);
			__device_links_queue_sync_state(dev, sync_list);
		}
	}
	device_links_write_unlock();
	device_links_flush_sync_list(sync_list, null);
}

function sync_state_resume_initcall(): int {
	device_links_supplier_sync_state_resume();
	return 0;
}
late_initcall(sync_state_resume_initcall);

function supplier_sync(sup: device, sync_list: list_head<device>): void {
	if (core_state.defer_sync_state_count) {
		if (list_empty(sup.links.defer_sync) && dev_has_sync_state(sup))
			list_add_tail(sup.links.defer_sync, core_state.deferred_sync);
	} else {
		__device_links_queue_sync_state(sup, sync_list);
	}
}

function device_link_drop_managed(link: device_link): void {
	link.flags &= ~DL_FLAG_MANAGED;
	link.status = DL_STATE_NONE;
	kref_put(link.kref, __device_link_del);
}

/** @dev is bound without probing (drivers/base/core.c: device_links_force_bind()). */
export function device_links_force_bind(dev: device): void {
	device_links_write_lock();
	for (const link of list_for_each_entry_safe(dev.links.suppliers)) {
		if (!device_link_test(link, DL_FLAG_MANAGED)) continue;
		if (link.status !== DL_STATE_AVAILABLE) {
			device_link_drop_managed(link);
			continue;
		}
		link.status = DL_STATE_CONSUMER_PROBE;
	}
	dev.links.status = DL_DEV_PROBING;
	device_links_write_unlock();
}

/** @dev is bound: its consumers may probe (drivers/base/core.c: device_links_driver_bound()). */
export function device_links_driver_bound(dev: device): void {
	const sync_list = new list_head<device>();
	fw_devlink_device_bound(dev);
	device_remove_file(dev, dev_attr_waiting_for_supplier);

	device_links_write_lock();
	for (const link of list_for_each_entry(dev.links.consumers)) {
		if (!device_link_test(link, DL_FLAG_MANAGED)) continue;
		// Made by a consumer that probed while this device still did.
		if (link.status === DL_STATE_CONSUMER_PROBE || link.status === DL_STATE_ACTIVE) continue;
		WARN_ON(link.status !== DL_STATE_DORMANT);
		link.status = DL_STATE_AVAILABLE;
		if (device_link_test(link, DL_FLAG_AUTOPROBE_CONSUMER)) driver_deferred_probe_add(link.consumer);
	}
	supplier_sync(dev, sync_list);

	for (const link of list_for_each_entry_safe(dev.links.suppliers)) {
		if (!device_link_test(link, DL_FLAG_MANAGED)) continue;
		const supplier = link.supplier;
		if (device_link_test(link, DL_FLAG_SYNC_STATE_ONLY)) {
			device_link_drop_managed(link);
		} else {
			WARN_ON(link.status !== DL_STATE_CONSUMER_PROBE);
			link.status = DL_STATE_ACTIVE;
		}
		supplier_sync(supplier, sync_list);
	}
	dev.links.status = DL_DEV_DRIVER_BOUND;
	device_links_write_unlock();
	device_links_flush_sync_list(sync_list, dev);
}

function __device_links_no_driver(dev: device): void {
	let link_node = dev.links.suppliers.prev;
	while (link_node !== dev.links.suppliers) {
		const link = link_node.container as device_link;
		link_node = link_node.prev;
		if (!device_link_test(link, DL_FLAG_MANAGED)) continue;
		if (device_link_test(link, DL_FLAG_AUTOREMOVE_CONSUMER)) {
			device_link_drop_managed(link);
			continue;
		}
		if (link.status !== DL_STATE_CONSUMER_PROBE && link.status !== DL_STATE_ACTIVE) continue;
		if (link.supplier.links.status === DL_DEV_DRIVER_BOUND) {
			link.status = DL_STATE_AVAILABLE;
		} else {
			WARN_ON(
				link.supplier.links.status !== DL_DEV_UNBINDING && !device_link_test(link, DL_FLAG_SYNC_STATE_ONLY),
			);
			link.status = DL_STATE_DORMANT;
		}
	}
	dev.links.status = DL_DEV_NO_DRIVER;
}

/** The probe of @dev failed (drivers/base/core.c: device_links_no_driver()). */
export function device_links_no_driver(dev: device): void {
	device_links_write_lock();
	for (const link of list_for_each_entry(dev.links.consumers)) {
		if (!device_link_test(link, DL_FLAG_MANAGED)) continue;
		if (link.status === DL_STATE_CONSUMER_PROBE || link.status === DL_STATE_ACTIVE)
			link.status = DL_STATE_DORMANT;
	}
	__device_links_no_driver(dev);
	device_links_write_unlock();
}

/** @dev is unbound (drivers/base/core.c: device_links_driver_cleanup()). */
export function device_links_driver_cleanup(dev: device): void {
	device_links_write_lock();
	for (const link of list_for_each_entry_safe(dev.links.consumers)) {
		if (!device_link_test(link, DL_FLAG_MANAGED)) continue;
		WARN_ON(device_link_test(link, DL_FLAG_AUTOREMOVE_CONSUMER));
		WARN_ON(link.status !== DL_STATE_SUPPLIER_UNBIND);
		const drop =
			link.status === DL_STATE_SUPPLIER_UNBIND && device_link_test(link, DL_FLAG_AUTOREMOVE_SUPPLIER);
		link.status = DL_STATE_DORMANT;
		if (drop) device_link_drop_managed(link);
	}
	list_del_init(dev.links.defer_sync);
	__device_links_no_driver(dev);
	device_links_write_unlock();
}

/** Whether a consumer is bound or probing (drivers/base/core.c: device_links_busy()). */
export function device_links_busy(dev: device): bool {
	let busy = false;

	device_links_write_lock();
	dev.links.status = DL_DEV_UNBINDING;
	for (const link of list_for_each_entry(dev.links.consumers)) {
		if (!device_link_test(link, DL_FLAG_MANAGED)) continue;
		busy = link.status === DL_STATE_CONSUMER_PROBE || link.status === DL_STATE_ACTIVE;
		if (busy) break;
		// Nobody is to bind through it any more.
		link.status = DL_STATE_SUPPLIER_UNBIND;
	}
	device_links_write_unlock();
	return busy;
}

/** Unbind every consumer of @dev (drivers/base/core.c: device_links_unbind_consumers()). */
export function device_links_unbind_consumers(dev: device): void {
	for (let again = true; again; ) {
		again = false;
		device_links_write_lock();
		let consumer: device | null = null;
		for (const link of list_for_each_entry(dev.links.consumers)) {
			if (!device_link_test(link, DL_FLAG_MANAGED) || device_link_test(link, DL_FLAG_SYNC_STATE_ONLY))
				continue;
			const status = link.status;
			if (status === DL_STATE_CONSUMER_PROBE) {
				again = true;
				break;
			}
			link.status = DL_STATE_SUPPLIER_UNBIND;
			if (status === DL_STATE_ACTIVE) {
				consumer = get_device(link.consumer);
				again = true;
				break;
			}
		}
		device_links_write_unlock();
		if (consumer !== null) {
			device_release_driver_internal(consumer, null, consumer.parent);
			put_device(consumer);
		} else if (again) {
			wait_for_device_probe();
		}
	}
}

function device_links_purge(dev: device): void {
	if (dev.class === devlink_class) return;
	device_links_write_lock();
	while (!list_empty(dev.links.suppliers)) {
		const link = dev.links.suppliers.prev.container as device_link;
		WARN_ON(link.status === DL_STATE_ACTIVE);
		__device_link_del(link.kref);
	}
	while (!list_empty(dev.links.consumers)) {
		const link = dev.links.consumers.prev.container as device_link;
		WARN_ON(link.status !== DL_STATE_DORMANT && link.status !== DL_STATE_NONE);
		__device_link_del(link.kref);
	}
	device_links_write_unlock();
}

// ---- attributes ----------------------------------------------------------------------------------------------

function dev_attr_show(kobj: kobject, attr: attribute, buf: sysfs_buf): ssize_t {
	if (!(attr instanceof device_attribute) || attr.show === null) return -EIO;
	return attr.show(kobj_to_dev(kobj), attr, buf);
}

function dev_attr_store(kobj: kobject, attr: attribute, buf: string, count: size_t): ssize_t {
	if (!(attr instanceof device_attribute) || attr.store === null) return -EIO;
	return attr.store(kobj_to_dev(kobj), attr, buf, count);
}

const dev_sysfs_ops: sysfs_ops = { show: dev_attr_show, store: dev_attr_store };

function device_release(kobj: kobject): void {
	const dev = kobj_to_dev(kobj);
	const p = dev.p;
	// Managed resources of a device that no driver drove.
	devres_release_all(dev);
	kfree(dev.dma_range_map as object | null);
	dev.dma_range_map = null;
	dev.driver_override = null;
	if (dev.release !== null) dev.release(dev);
	else if (dev.type?.release !== undefined) dev.type.release(dev);
	else if (dev.class?.dev_release !== undefined) dev.class.dev_release(dev);
	else
		WARN(
			true,
			"Device '%s' does not have a release() function, it is broken and must be fixed. See Documentation/core-api/kobject.rst.",
			dev_name(dev),
		);
	kfree(p);
}

const device_ktype: kobj_type = { release: device_release, sysfs_ops: dev_sysfs_ops };

const dev_attr_uevent = DEVICE_ATTR_RW(
	'uevent',
	(dev, _attr, buf) => {
		let text = '';
		if (MAJOR(dev.devt)) text += `MAJOR=${MAJOR(dev.devt)}\nMINOR=${MINOR(dev.devt)}\n`;
		if (dev.type?.name !== undefined) text += `DEVTYPE=${dev.type.name}\n`;
		if (dev.driver !== null) text += `DRIVER=${dev.driver.name}\n`;
		return sysfs_emit(buf, '%s', text);
	},
	(_dev, _attr, _buf, count) => count,
);

const dev_attr_online = DEVICE_ATTR_RW(
	'online',
	(dev, _attr, buf) => {
		device_lock(dev);
		const val = !dev.offline;
		device_unlock(dev);
		return sysfs_emit(buf, '%u\n', val ? 1 : 0);
	},
	(dev, _attr, buf, count) => {
		const val: ref<bool> = { value: false };
		const ret = kstrtobool(buf, val);
		if (ret < 0) return ret;
		const err = val.value ? device_online(dev) : device_offline(dev);
		return err < 0 ? err : count;
	},
);

const dev_attr_dev = DEVICE_ATTR_RO('dev', (dev, _attr, buf) =>
	sysfs_emit(buf, '%u:%u\n', MAJOR(dev.devt), MINOR(dev.devt)),
);

const dev_attr_waiting_for_supplier = DEVICE_ATTR_RO('waiting_for_supplier', (dev, _attr, buf) => {
	device_lock(dev);
	const val = fwnode_links_check_suppliers(dev.fwnode) !== null;
	device_unlock(dev);
	return sysfs_emit(buf, '%u\n', val ? 1 : 0);
});

/** The major number (include/linux/kdev_t.h: MAJOR()). */
export function MAJOR(dev: dev_t): unsigned_int {
	return dev >>> 20;
}

/** The minor number (include/linux/kdev_t.h: MINOR()). */
export function MINOR(dev: dev_t): unsigned_int {
	return dev & 0xfffff;
}

/** Both in one (include/linux/kdev_t.h: MKDEV()). */
export function MKDEV(ma: unsigned_int, mi: unsigned_int): dev_t {
	return ((ma << 20) | mi) >>> 0;
}

/** drivers/base/core.c: device_add_groups(). */
export function device_add_groups(dev: device, groups: readonly attribute_group[] | null | undefined): int {
	return sysfs_create_groups(dev.kobj, groups);
}

/** drivers/base/core.c: device_remove_groups(). */
export function device_remove_groups(
	dev: device,
	groups: readonly attribute_group[] | null | undefined,
): void {
	sysfs_remove_groups(dev.kobj, groups);
}

/** include/linux/device.h: device_add_group(). */
export function device_add_group(dev: device, grp: attribute_group): int {
	return sysfs_create_group(dev.kobj, grp);
}

/** include/linux/device.h: device_remove_group(). */
export function device_remove_group(dev: device, grp: attribute_group): void {
	sysfs_remove_group(dev.kobj, grp);
}

function device_supports_offline(dev: device): bool {
	return dev.bus?.offline !== undefined && dev.bus.online !== undefined;
}

function device_add_attrs(dev: device): int {
	let error = 0;
	const cls = dev.class;
	const type = dev.type;

	if (cls !== null) {
		error = device_add_groups(dev, cls.dev_groups);
		if (error) return error;
	}
	err_remove_class_groups: {
		if (type !== null) {
			error = device_add_groups(dev, type.groups);
			if (error) break err_remove_class_groups;
		}
		err_remove_type_groups: {
			error = device_add_groups(dev, dev.groups);
			if (error) break err_remove_type_groups;
			err_remove_dev_groups: {
				if (device_supports_offline(dev) && !dev.offline_disabled) {
					error = device_create_file(dev, dev_attr_online);
					if (error) break err_remove_dev_groups;
				}
				if (fw_devlink_is_on() && dev.fwnode !== null) {
					error = device_create_file(dev, dev_attr_waiting_for_supplier);
					if (error) {
						device_remove_file(dev, dev_attr_online);
						break err_remove_dev_groups;
					}
				}
				return 0;
			}
			device_remove_groups(dev, dev.groups);
		}
		if (type !== null) device_remove_groups(dev, type.groups);
	}
	if (cls !== null) device_remove_groups(dev, cls.dev_groups);
	return error;
}

function device_remove_attrs(dev: device): void {
	device_remove_file(dev, dev_attr_waiting_for_supplier);
	device_remove_file(dev, dev_attr_online);
	device_remove_groups(dev, dev.groups);
	if (dev.type !== null) device_remove_groups(dev, dev.type.groups);
	if (dev.class !== null) device_remove_groups(dev, dev.class.dev_groups);
}

/** A file for @attr; 0 or an errno, and 0 without a device (drivers/base/core.c: device_create_file()). */
export function device_create_file(dev: device | null, attr: device_attribute): int {
	if (dev === null) return 0;
	WARN(
		(attr.mode & 0o200) !== 0 && attr.store === null,
		"Attribute %s: write permission without 'store'",
		attr.name,
	);
	WARN(
		(attr.mode & 0o444) !== 0 && attr.show === null,
		"Attribute %s: read permission without 'show'",
		attr.name,
	);
	return sysfs_create_file(dev.kobj, attr);
}

/** Remove the file of @attr (drivers/base/core.c: device_remove_file()). */
export function device_remove_file(dev: device, attr: device_attribute): void {
	if (dev.kobj.sd !== null) sysfs_remove_file(dev.kobj, attr);
}

/** Remove it from within its store() (drivers/base/core.c: device_remove_file_self()). */
export function device_remove_file_self(dev: device, attr: device_attribute): bool {
	return sysfs_remove_file_self(dev.kobj, attr);
}

/** drivers/base/core.c: device_create_bin_file(). */
export function device_create_bin_file(dev: device, attr: bin_attribute): int {
	return sysfs_create_bin_file(dev.kobj, attr);
}

/** drivers/base/core.c: device_remove_bin_file(). */
export function device_remove_bin_file(dev: device, attr: bin_attribute): void {
	sysfs_remove_bin_file(dev.kobj, attr);
}

// ---- the life of a device ------------------------------------------------------------------------------------

function klist_children_get(n: klist_node<device_private>): void {
	get_device(n.container.device);
}

function klist_children_put(n: klist_node<device_private>): void {
	put_device(n.container.device);
}

/**
 * device_initialize - Make @dev ready for use, with one reference (drivers/base/core.c: device_initialize())
 *
 * From here on it goes by put_device(), which calls its release().
 */
export function device_initialize(dev: device): void {
	dev.kobj.kset = core_state.devices_kset;
	kobject_init(dev.kobj, device_ktype);
	INIT_LIST_HEAD(dev.dma_pools);
	mutex_init(dev.mutex);
	spin_lock_init(dev.devres_lock);
	INIT_LIST_HEAD(dev.devres_head);
	device_pm_init(dev);
	set_dev_node(dev, NUMA_NO_NODE);
	INIT_LIST_HEAD(dev.links.consumers);
	INIT_LIST_HEAD(dev.links.suppliers);
	INIT_LIST_HEAD(dev.links.defer_sync);
	dev.links.status = DL_DEV_NO_DRIVER;
	// arm64: dma_default_coherent is false.
	dev.dma_coherent = false;
	swiotlb_dev_init(dev);
}

function virtual_device_parent(): kobject | null {
	core_state.virtual_dir ??= kobject_create_and_add('virtual', core_state.devices_kset?.kobj ?? null);
	return core_state.virtual_dir;
}

/** The directory of a class below a device that is of another. */
class class_dir {
	kobj: kobject = new kobject(this);
	class: class_ | null = null;
}

function class_dir_release(kobj: kobject): void {
	kfree(kobj.container);
}

const class_dir_ktype: kobj_type = { release: class_dir_release };

function class_dir_create_and_add(sp: subsys_private, parent_kobj: kobject | null): kobject | err_ptr {
	const dir = kzalloc(class_dir, GFP_KERNEL);
	if (dir === null) return ERR_PTR(-ENOMEM);
	const { kobj } = dir;

	dir.class = sp.class;
	kobject_init(kobj, class_dir_ktype);
	kobj.kset = sp.glue_dirs;
	const err = kobject_add(kobj, parent_kobj, '%s', sp.class?.name ?? '');
	if (err === 0) return kobj;
	kobject_put(kobj);
	return ERR_PTR(err);
}

function get_device_parent(dev: device, parent: device | null): kobject | null | err_ptr {
	const sp = class_to_subsys(dev.class);
	if (sp === null) return parent !== null ? parent.kobj : null;

	// No parent: below "virtual". A parent that is of a class: below it. Else in a directory of the class's name.
	if (parent?.class != null) {
		subsys_put(sp);
		return parent.kobj;
	}
	const parent_kobj = parent === null ? virtual_device_parent() : parent.kobj;
	let kobj: kobject | null | err_ptr = null;
	mutex_lock(core_state.gdp_mutex);
	spin_lock(sp.glue_dirs.list_lock);
	for (const k of list_for_each_entry(sp.glue_dirs.list)) {
		if (k.parent === parent_kobj) {
			kobj = kobject_get(k);
			break;
		}
	}
	spin_unlock(sp.glue_dirs.list_lock);
	if (kobj === null) kobj = class_dir_create_and_add(sp, parent_kobj);
	mutex_unlock(core_state.gdp_mutex);
	subsys_put(sp);
	return kobj;
}

function live_in_glue_dir(kobj: kobject | null, dev: device): bool {
	const sp = class_to_subsys(dev.class);
	if (sp === null || kobj === null) {
		subsys_put(sp);
		return false;
	}
	const retval = kobj.kset === sp.glue_dirs;
	subsys_put(sp);
	return retval;
}

function cleanup_glue_dir(dev: device, glue_dir: kobject | null): void {
	if (glue_dir === null || !live_in_glue_dir(glue_dir, dev)) return;
	mutex_lock(core_state.gdp_mutex);
	// The last device in it takes it along: one reference of its own, one of get_device_parent().
	if ((glue_dir.sd?.subdirs ?? 0) === 0) kobject_del(glue_dir);
	kobject_put(glue_dir);
	mutex_unlock(core_state.gdp_mutex);
}

function of_node_kobj(np: device_node): kobject | null {
	const kobj: unknown = (np as { kobj?: unknown }).kobj;
	return kobj instanceof kobject && kobj.sd !== null ? kobj : null;
}

function device_add_class_symlinks(dev: device): int {
	if (dev.of_node !== null) {
		const kobj = of_node_kobj(dev.of_node);
		if (kobj !== null) {
			const err = sysfs_create_link(dev.kobj, kobj, 'of_node');
			if (err) dev_warn(dev, 'Error %d creating of_node link', err);
		}
	}
	const sp = class_to_subsys(dev.class);
	if (sp === null) return 0;
	let error = 0;
	exit: {
		out_devnode: {
			error = sysfs_create_link(dev.kobj, sp.subsys.kobj, 'subsystem');
			if (error) break out_devnode;
			out_subsys: {
				if (dev.parent !== null) {
					error = sysfs_create_link(dev.kobj, dev.parent.kobj, 'device');
					if (error) break out_subsys;
				}
				error = sysfs_create_link(sp.subsys.kobj, dev.kobj, dev_name(dev));
				if (!error) break exit;
				if (dev.parent !== null) sysfs_remove_link(dev.kobj, 'device');
			}
			sysfs_remove_link(dev.kobj, 'subsystem');
		}
		if (dev.of_node !== null) sysfs_remove_link(dev.kobj, 'of_node');
	}
	subsys_put(sp);
	return error;
}

function device_remove_class_symlinks(dev: device): void {
	if (dev.of_node !== null) sysfs_remove_link(dev.kobj, 'of_node');
	const sp = class_to_subsys(dev.class);
	if (sp === null) return;
	if (dev.parent !== null) sysfs_remove_link(dev.kobj, 'device');
	sysfs_remove_link(dev.kobj, 'subsystem');
	sysfs_delete_link(sp.subsys.kobj, dev.kobj, dev_name(dev));
	subsys_put(sp);
}

/** Name @dev (drivers/base/core.c: dev_set_name()). */
export function dev_set_name(dev: device, fmt: string, ...args: printk_arg[]): int {
	return kobject_set_name(dev.kobj, fmt, ...args);
}

function device_to_dev_kobj(dev: device): kobject | null {
	return core_state.sysfs_dev_char_kobj;
}

function device_create_sys_dev_entry(dev: device): int {
	const kobj = device_to_dev_kobj(dev);
	if (kobj === null) return 0;
	return sysfs_create_link(kobj, dev.kobj, `${MAJOR(dev.devt)}:${MINOR(dev.devt)}`);
}

function device_remove_sys_dev_entry(dev: device): void {
	const kobj = device_to_dev_kobj(dev);
	if (kobj !== null) sysfs_remove_link(kobj, `${MAJOR(dev.devt)}:${MINOR(dev.devt)}`);
}

function device_private_init(dev: device): int {
	const p = kzalloc(device_private, GFP_KERNEL);
	if (p === null) return -ENOMEM;
	dev.p = p;
	p.device = dev;
	klist_init(p.klist_children, klist_children_get, klist_children_put);
	INIT_LIST_HEAD(p.deferred_probe);
	return 0;
}

/**
 * device_add - Put an initialised device into the hierarchy, and let a driver have it (drivers/base/core.c: device_add())
 *
 * After a failure the device is as before, and is to be dropped with put_device().
 */
export function device_add(dev: device): int {
	get_device(dev);
	let error = __device_add(dev);
	if (error > 0) error = 0;
	put_device(dev);
	return error;
}

function __device_add(dev: device): int {
	let error = -EINVAL;
	if (dev.p === null) {
		error = device_private_init(dev);
		if (error) return error;
	}
	const p = dev.p as unknown as device_private;

	name_error: {
		if (dev.init_name !== null) {
			error = dev_set_name(dev, '%s', dev.init_name);
			dev.init_name = null;
		}
		if (dev.kobj.name !== null && dev.kobj.name !== '') error = 0;
		else if (dev.bus?.dev_name !== undefined) error = dev_set_name(dev, '%s%u', dev.bus.dev_name, dev.id);
		else error = -EINVAL;
		if (error) break name_error;

		pr_debug("device: '%s': %s", dev_name(dev), 'device_add');
		const parent = get_device(dev.parent);
		parent_error: {
			const kobj = get_device_parent(dev, parent);
			if (IS_ERR(kobj)) {
				error = kobj.errno;
				break parent_error;
			}
			if (kobj !== null) dev.kobj.parent = kobj;
			if (parent !== null && dev_to_node(dev) === NUMA_NO_NODE) set_dev_node(dev, dev_to_node(parent));

			let glue_dir: kobject | null = null;
			Error: {
				error = kobject_add(dev.kobj, dev.kobj.parent, null);
				if (error) {
					glue_dir = kobj;
					break Error;
				}
				attrError: {
					error = device_create_file(dev, dev_attr_uevent);
					if (error) break attrError;
					SymlinkError: {
						error = device_add_class_symlinks(dev);
						if (error) break SymlinkError;
						AttrsError: {
							error = device_add_attrs(dev);
							if (error) break AttrsError;
							BusError: {
								error = bus_add_device(dev);
								if (error) break BusError;
								device_pm_add(dev);
								DevAttrError: {
									if (MAJOR(dev.devt)) {
										error = device_create_file(dev, dev_attr_dev);
										if (error) break DevAttrError;
										error = device_create_sys_dev_entry(dev);
										if (error) {
											device_remove_file(dev, dev_attr_dev);
											break DevAttrError;
										}
									}
									device_add_finish(dev, p, parent);
									return 0;
								}
								device_pm_remove(dev);
								dev.driver = null;
								bus_remove_device(dev);
							}
							device_remove_attrs(dev);
						}
						device_remove_class_symlinks(dev);
					}
					device_remove_file(dev, dev_attr_uevent);
				}
				glue_dir = live_in_glue_dir(dev.kobj.parent, dev) ? dev.kobj.parent : null;
				kobject_del(dev.kobj);
			}
			cleanup_glue_dir(dev, glue_dir);
		}
		put_device(parent);
	}
	kfree(p);
	dev.p = null;
	return error;
}

/** The part of device_add() that cannot fail: tell, probe, link into lists. */
function device_add_finish(dev: device, p: device_private, parent: device | null): void {
	bus_notify(dev, BUS_NOTIFY_ADD_DEVICE);
	// Consumers that wait for this supplier must be linked before its driver is bound.
	if (dev.fwnode !== null && dev.fwnode.dev === null) {
		dev.fwnode.dev = dev;
		fw_devlink_device_added(dev);
	}
	// The bus has known @dev for a while; a driver that came meanwhile was told to wait.
	device_lock(dev);
	dev_set_ready_to_probe(dev);
	device_unlock(dev);

	bus_probe_device(dev);
	if (parent?.p != null) klist_add_tail(p.knode_parent, parent.p.klist_children);
	const sp = class_to_subsys(dev.class);
	if (sp !== null) {
		mutex_lock(sp.mutex);
		klist_add_tail(p.knode_class, sp.klist_devices);
		for (const sif of list_for_each_entry(sp.interfaces)) sif.add_dev?.(dev, sif);
		mutex_unlock(sp.mutex);
		subsys_put(sp);
	}
}

/** device_initialize() and device_add(); after a failure: put_device() (drivers/base/core.c: device_register()). */
export function device_register(dev: device): int {
	device_initialize(dev);
	return device_add(dev);
}

/** Take a reference (drivers/base/core.c: get_device()). */
export function get_device<T extends device | null>(dev: T): T {
	if (dev !== null) kobject_get(dev.kobj);
	return dev;
}

/** Drop a reference; the last one releases (drivers/base/core.c: put_device()). */
export function put_device(dev: device | null): void {
	if (dev !== null) kobject_put(dev.kobj);
}

/** Forbid @dev to be probed again; false when it was dead already (drivers/base/core.c: kill_device()). */
export function kill_device(dev: device): bool {
	if (dev.p === null || dev.p.dead) return false;
	dev.p.dead = true;
	return true;
}

/** Undo device_add() (drivers/base/core.c: device_del()). */
export function device_del(dev: device): void {
	const parent = dev.parent;
	const p = dev.p;
	if (p === null || !device_is_registered(dev)) {
		WARN(true, "Device '%s' is not registered, yet device_del() is being called.", dev_name(dev));
		return;
	}
	device_lock(dev);
	kill_device(dev);
	device_unlock(dev);

	if (dev.fwnode !== null && dev.fwnode.dev === dev) dev.fwnode.dev = null;
	bus_notify(dev, BUS_NOTIFY_DEL_DEVICE);
	if (klist_node_attached(p.knode_parent)) klist_del(p.knode_parent);
	if (MAJOR(dev.devt)) {
		device_remove_sys_dev_entry(dev);
		device_remove_file(dev, dev_attr_dev);
	}
	const sp = class_to_subsys(dev.class);
	device_remove_class_symlinks(dev);
	if (sp !== null) {
		mutex_lock(sp.mutex);
		for (const sif of list_for_each_entry(sp.interfaces)) sif.remove_dev?.(dev, sif);
		if (klist_node_attached(p.knode_class)) klist_del(p.knode_class);
		mutex_unlock(sp.mutex);
		subsys_put(sp);
	}
	device_remove_file(dev, dev_attr_uevent);
	device_remove_attrs(dev);
	bus_remove_device(dev);
	device_pm_remove(dev);
	driver_deferred_probe_del(dev);
	device_links_purge(dev);
	// A managed resource may hold the device itself, so they cannot wait for its release.
	devres_release_all(dev);
	bus_notify(dev, BUS_NOTIFY_REMOVED_DEVICE);
	const glue_dir = live_in_glue_dir(dev.kobj.parent, dev) ? dev.kobj.parent : null;
	kobject_del(dev.kobj);
	cleanup_glue_dir(dev, glue_dir);
	put_device(parent);
}

/** device_del() and put_device() (drivers/base/core.c: device_unregister()). */
export function device_unregister(dev: device): void {
	pr_debug("device: '%s': %s", dev_name(dev), 'device_unregister');
	device_del(dev);
	put_device(dev);
}

// ---- walking children ----------------------------------------------------------------------------------------

type child_fn_t = (dev: device, data: unknown) => int;

/** Call @fn for the children of @parent, one @step after the other, until it answers something else than 0. */
function for_each_child(
	parent: device,
	data: unknown,
	fn: child_fn_t,
	step: (i: klist_iter<device_private>) => klist_node<device_private> | null,
): int {
	if (parent.p === null) return 0;
	const i = new klist_iter<device_private>();
	let error = 0;
	klist_iter_init(parent.p.klist_children, i);
	for (let n = step(i); n !== null; n = error ? null : step(i)) error = fn(n.container.device, data);
	klist_iter_exit(i);
	return error;
}

/** Call @fn for each child until it answers something else than 0 (drivers/base/core.c: device_for_each_child()). */
export function device_for_each_child(parent: device, data: unknown, fn: child_fn_t): int {
	return for_each_child(parent, data, fn, klist_next);
}

/** The same from the last one (drivers/base/core.c: device_for_each_child_reverse()). */
export function device_for_each_child_reverse(parent: device, data: unknown, fn: child_fn_t): int {
	return for_each_child(parent, data, fn, klist_prev);
}

/** The first child that @match takes, with a reference (drivers/base/core.c: device_find_child()). */
export function device_find_child(
	parent: device | null,
	data: unknown,
	match: (dev: device, data: unknown) => int,
): device | null {
	if (parent === null || parent.p === null) return null;
	const i = new klist_iter<device_private>();
	let found: device | null = null;
	klist_iter_init(parent.p.klist_children, i);
	for (let n = klist_next(i); n !== null && found === null; n = klist_next(i))
		if (match(n.container.device, data)) found = get_device(n.container.device);
	klist_iter_exit(i);
	return found;
}

/** drivers/base/core.c: device_find_child_by_name(). */
export function device_find_child_by_name(parent: device, name: string): device | null {
	return device_find_child(parent, name, device_match_name);
}

// ---- matching ------------------------------------------------------------------------------------------------

/** drivers/base/core.c: device_match_name(). A newline at the end does not count. */
export function device_match_name(dev: device, name: unknown): int {
	const n = typeof name === 'string' && name.endsWith('\n') ? name.slice(0, -1) : name;
	return dev_name(dev) === n ? 1 : 0;
}

/** drivers/base/core.c: device_match_of_node(). */
export function device_match_of_node(dev: device, np: unknown): int {
	return np !== null && dev.of_node === np ? 1 : 0;
}

/** drivers/base/core.c: device_match_fwnode(). */
export function device_match_fwnode(dev: device, fwnode: unknown): int {
	return fwnode !== null && dev_fwnode(dev) === fwnode ? 1 : 0;
}

/** drivers/base/core.c: device_match_devt(). */
export function device_match_devt(dev: device, pdevt: unknown): int {
	return dev.devt === pdevt ? 1 : 0;
}

/** drivers/base/core.c: device_match_any(). */
export function device_match_any(dev: device, unused: unknown): int {
	return 1;
}

// ---- names, nodes, online ------------------------------------------------------------------------------------

/** What messages call @dev's driver: the driver, else the bus, else the class (drivers/base/core.c: dev_driver_string()). */
export function dev_driver_string(dev: device): string {
	return dev.driver !== null ? dev.driver.name : dev_bus_name(dev);
}

/** drivers/base/core.c: set_primary_fwnode(), device_set_node(). */
export function device_set_node(dev: device, fwnode: fwnode_handle | null): void {
	dev.fwnode = fwnode;
	dev.of_node = fwnode !== null ? (fwnode.container as device_node | null) : null;
}

/** Use @dev2's tree node for @dev too; the first still owns it (drivers/base/core.c: device_set_of_node_from_dev()). */
export function device_set_of_node_from_dev(dev: device, dev2: device): void {
	dev.of_node = dev2.of_node;
	dev.of_node_reused = true;
}

/** drivers/base/core.c: device_offline(). */
export function device_offline(dev: device): int {
	if (dev.offline_disabled) return -EINVAL;
	let ret = 0;
	device_lock(dev);
	if (device_supports_offline(dev)) {
		if (dev.offline) {
			ret = 1;
		} else {
			ret = dev.bus?.offline?.(dev) ?? 0;
			if (!ret) dev.offline = true;
		}
	}
	device_unlock(dev);
	return ret;
}

/** drivers/base/core.c: device_online(). */
export function device_online(dev: device): int {
	let ret = 0;
	device_lock(dev);
	if (device_supports_offline(dev)) {
		if (dev.offline) {
			ret = dev.bus?.online?.(dev) ?? 0;
			if (!ret) dev.offline = false;
		} else {
			ret = 1;
		}
	}
	device_unlock(dev);
	return ret;
}

/** Rename @dev and its links (drivers/base/core.c: device_rename()). */
export function device_rename(dev: device, new_name: string): int {
	const old_device_name = dev_name(dev);
	const sp = class_to_subsys(dev.class);
	if (sp !== null) {
		sysfs_remove_link(sp.subsys.kobj, old_device_name);
		const error = sysfs_create_link(sp.subsys.kobj, dev.kobj, new_name);
		subsys_put(sp);
		if (error) return error;
	}
	return kobject_rename(dev.kobj, new_name);
}

// ---- devices made by class drivers ---------------------------------------------------------------------------

function device_create_release(dev: device): void {
	kfree(dev);
}

/** A device of @cls without a driver (drivers/base/core.c: device_create_with_groups()). */
export function device_create_with_groups(
	cls: class_ | null,
	parent: device | null,
	devt: dev_t,
	drvdata: unknown,
	groups: readonly attribute_group[] | null,
	fmt: string,
	...args: printk_arg[]
): device | err_ptr {
	if (cls === null) return ERR_PTR(-ENODEV);
	const dev = kzalloc(device, GFP_KERNEL);
	if (dev === null) return ERR_PTR(-ENOMEM);
	device_initialize(dev);
	dev.devt = devt;
	dev.class = cls;
	dev.parent = parent;
	dev.groups = groups;
	dev.release = device_create_release;
	dev.driver_data = drvdata;
	let retval = dev_set_name(dev, fmt, ...args);
	if (!retval) retval = device_add(dev);
	if (retval) {
		put_device(dev);
		return ERR_PTR(retval);
	}
	return dev;
}

/** drivers/base/core.c: device_create(). */
export function device_create(
	cls: class_ | null,
	parent: device | null,
	devt: dev_t,
	drvdata: unknown,
	fmt: string,
	...args: printk_arg[]
): device | err_ptr {
	return device_create_with_groups(cls, parent, devt, drvdata, null, fmt, ...args);
}

function root_device_release(dev: device): void {
	kfree(dev);
}

/** A device that only groups others (drivers/base/core.c: __root_device_register()). */
export function root_device_register(name: string): device | err_ptr {
	const root = kzalloc(device, GFP_KERNEL);
	if (root === null) return ERR_PTR(-ENOMEM);
	let err = dev_set_name(root, '%s', name);
	if (err) {
		kfree(root);
		return ERR_PTR(err);
	}
	root.release = root_device_release;
	err = device_register(root);
	if (err) {
		put_device(root);
		return ERR_PTR(err);
	}
	return root;
}

/** drivers/base/core.c: root_device_unregister(). */
export function root_device_unregister(dev: device): void {
	device_unregister(dev);
}

/**
 * Shut every device down, the last one first: it was there after all that it needs
 * (drivers/base/core.c: device_shutdown()). Nothing is probed any more.
 */
export function device_shutdown(): void {
	wait_for_device_probe();
	device_block_probing();

	const devices_kset = core_state.devices_kset as kset;
	spin_lock(devices_kset.list_lock);
	while (!list_empty(devices_kset.list)) {
		const dev = kobj_to_dev(list_last_entry(devices_kset.list));
		const parent = get_device(dev.parent);
		get_device(dev);
		list_del_init(dev.kobj.entry);
		spin_unlock(devices_kset.list_lock);

		if (parent !== null) device_lock(parent);
		device_lock(dev);

		// No runtime suspends from now on.
		pm_runtime_get_noresume(dev);
		pm_runtime_barrier(dev);

		dev.class?.shutdown_pre?.(dev);
		if (dev.bus?.shutdown !== undefined) dev.bus.shutdown(dev);
		else dev.driver?.shutdown?.(dev);

		device_unlock(dev);
		if (parent !== null) device_unlock(parent);

		put_device(dev);
		put_device(parent);
		spin_lock(devices_kset.list_lock);
	}
	spin_unlock(devices_kset.list_lock);
}

/** Make /sys/devices and /sys/dev (drivers/base/core.c: devices_init()). */
export function devices_init(): int {
	const devices_kset = kset_create_and_add('devices', null, null);
	if (devices_kset === null) return -ENOMEM;
	core_state.devices_kset = devices_kset;
	const dev_kobj = kobject_create_and_add('dev', null);
	if (dev_kobj !== null) {
		core_state.dev_kobj = dev_kobj;
		core_state.sysfs_dev_block_kobj = kobject_create_and_add('block', dev_kobj);
		core_state.sysfs_dev_char_kobj = kobject_create_and_add('char', dev_kobj);
		if (core_state.sysfs_dev_block_kobj !== null && core_state.sysfs_dev_char_kobj !== null) return 0;
		kobject_put(core_state.sysfs_dev_char_kobj);
		kobject_put(core_state.sysfs_dev_block_kobj);
		kobject_put(dev_kobj);
	}
	kset_unregister(devices_kset);
	// DEVIATION: Linux keeps the pointers, and goes on with what is freed.
	core_state.devices_kset = null;
	core_state.dev_kobj = null;
	core_state.sysfs_dev_block_kobj = null;
	core_state.sysfs_dev_char_kobj = null;
	return -ENOMEM;
}

/** Register the class of the links; once classes are there (drivers/base/core.c: devlink_class_init()). */
export function devlink_class_init(): int {
	return class_register(devlink_class);
}

export { dev_err_probe, dev_warn_probe } from '#linux/dev_printk.js';
