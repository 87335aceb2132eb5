// SPDX-License-Identifier: GPL-2.0-only
// Binding drivers to devices: matching, probing, deferring, unbinding.
// Linux 6.12: drivers/base/dd.c
//
// Left out: pin control, asynchronous probing (every probe runs at once), state_synced and coredump files,
// the test that removes and probes again.

import { PAGE_SIZE } from '#asm/page-def.js';
import type { device_private } from '#drivers/base/base.js';
import {
	bus_for_each_dev,
	bus_for_each_drv,
	bus_notify,
	bus_probe_device,
	bus_to_subsys,
	subsys_put,
} from '#drivers/base/bus.js';
import {
	device_add_groups,
	device_links_busy,
	device_links_check_suppliers,
	device_links_driver_bound,
	device_links_driver_cleanup,
	device_links_force_bind,
	device_links_no_driver,
	device_links_unbind_consumers,
	device_pm_move_to_tail,
	device_remove_groups,
	get_device,
	put_device,
} from '#drivers/base/core.js';
import { devres_release_all } from '#drivers/base/devres.js';
import { fw_devlink_drivers_done } from '#drivers/base/fw_devlink.js';
import { debugfs_create_file } from '#fs/debugfs/inode.js';
import { DEFINE_SHOW_ATTRIBUTE, seq_printf } from '#fs/seq_file.js';
import { sysfs_create_link, sysfs_remove_link } from '#fs/sysfs/symlink.js';
import { klist_add_tail, klist_node_attached, klist_remove } from '#lib/klist.js';
import { kstrtoint } from '#lib/kstrtox.js';
import { dev_crit, dev_dbg, dev_err, dev_err_probe, dev_warn } from '#linux/dev_printk.js';
import type { device_driver } from '#linux/device/driver.js';
import type { device } from '#linux/device.js';
import {
	BUS_NOTIFY_BIND_DRIVER,
	BUS_NOTIFY_BOUND_DRIVER,
	BUS_NOTIFY_DRIVER_NOT_BOUND,
	BUS_NOTIFY_UNBIND_DRIVER,
	BUS_NOTIFY_UNBOUND_DRIVER,
	dev_name,
	dev_ready_to_probe,
	dev_set_drvdata,
	device_is_registered,
	device_lock,
	device_unlock,
} from '#linux/device.js';
import { EAGAIN, EBUSY, EINVAL, ENODEV, ENXIO, EPROBE_DEFER, ETIMEDOUT } from '#linux/errno.js';
import { __setup, boot_data, late_initcall } from '#linux/init.js';
import { HZ } from '#linux/jiffies.js';
import { kobject_name } from '#linux/kobject.js';
import {
	list_add_tail,
	list_del_init,
	list_empty,
	list_first_entry,
	list_for_each_entry,
	list_head,
	list_last_entry,
	list_splice_tail_init,
} from '#linux/list.js';
import { mutex, mutex_lock, mutex_unlock } from '#linux/mutex.js';
import {
	pm_request_idle,
	pm_runtime_barrier,
	pm_runtime_get_suppliers,
	pm_runtime_get_sync,
	pm_runtime_put,
	pm_runtime_put_suppliers,
	pm_runtime_put_sync,
	pm_runtime_reinit,
} from '#linux/pm_runtime.js';
import type { seq_file } from '#linux/seq_file.js';
import { kfree } from '#linux/slab.js';
import { spin_lock, spin_unlock } from '#linux/spinlock.js';
import { type bool, type int, ref, type size_t } from '#linux/types.js';
import {
	DECLARE_DELAYED_WORK,
	DECLARE_WORK,
	delayed_work_pending,
	flush_work,
	mod_delayed_work,
	queue_work,
	schedule_delayed_work,
	system_unbound_wq,
	system_wq,
} from '#linux/workqueue.js';

/** Linux: drivers/base/dd.c's .bss. */
const state = boot_data(() => ({
	deferred_probe_mutex: new mutex('deferred_probe_mutex'),
	deferred_probe_pending_list: new list_head<device_private>(),
	deferred_probe_active_list: new list_head<device_private>(),
	deferred_probe_work: DECLARE_WORK(deferred_probe_work_func),
	deferred_probe_timeout_work: DECLARE_DELAYED_WORK(deferred_probe_timeout_work_func),
	/** How often the pending list was set going; a probe that sees it change must not miss the news. */
	deferred_trigger_count: 0,
	driver_deferred_probe_enable: false,
	initcalls_done: false,
	defer_all_probes: false,
	/** Seconds; with modules Linux waits 10, without it does not wait. Everything is built in here. */
	driver_deferred_probe_timeout: 0,
	/** A timeout was asked for, and has expired. */
	deferred_probe_timed_out: false as bool,
	probe_count: 0,
}));

function deferred_probe_timeout_setup(str: string | null): int {
	const timeout = new ref<int>(0);
	if (str !== null && !kstrtoint(str, 10, timeout)) state.driver_deferred_probe_timeout = timeout.value;
	return 1;
}
__setup('deferred_probe_timeout', deferred_probe_timeout_setup);

function deferred_probe_work_func(): void {
	mutex_lock(state.deferred_probe_mutex);
	while (!list_empty(state.deferred_probe_active_list)) {
		const p = list_first_entry(state.deferred_probe_active_list);
		const dev = p.device;
		list_del_init(p.deferred_probe);
		get_device(dev);
		p.deferred_probe_reason = null;
		// The probe may change the lists.
		mutex_unlock(state.deferred_probe_mutex);
		// Its suppliers were bound meanwhile: it is to sleep before them.
		device_pm_move_to_tail(dev);
		dev_dbg(dev, 'Retrying from deferred list');
		bus_probe_device(dev);
		mutex_lock(state.deferred_probe_mutex);
		put_device(dev);
	}
	mutex_unlock(state.deferred_probe_mutex);
}

/** Keep @dev for another try (drivers/base/dd.c: driver_deferred_probe_add()). */
export function driver_deferred_probe_add(dev: device): void {
	if (!dev.can_match || dev.p === null) return;
	mutex_lock(state.deferred_probe_mutex);
	if (list_empty(dev.p.deferred_probe)) {
		dev_dbg(dev, 'Added to deferred list');
		list_add_tail(dev.p.deferred_probe, state.deferred_probe_pending_list);
	}
	mutex_unlock(state.deferred_probe_mutex);
}

/** Do not try @dev again (drivers/base/dd.c: driver_deferred_probe_del()). */
export function driver_deferred_probe_del(dev: device): void {
	if (dev.p === null) return;
	mutex_lock(state.deferred_probe_mutex);
	if (!list_empty(dev.p.deferred_probe)) {
		dev_dbg(dev, 'Removed from deferred list');
		list_del_init(dev.p.deferred_probe);
		dev.p.deferred_probe_reason = null;
	}
	mutex_unlock(state.deferred_probe_mutex);
}

/**
 * driver_deferred_probe_trigger - Try every deferred device again (drivers/base/dd.c)
 *
 * Something was bound, so what the others wait for may be there. Does nothing before late_initcall time.
 */
export function driver_deferred_probe_trigger(): void {
	if (!state.driver_deferred_probe_enable) return;
	mutex_lock(state.deferred_probe_mutex);
	state.deferred_trigger_count++;
	list_splice_tail_init(state.deferred_probe_pending_list, state.deferred_probe_active_list);
	mutex_unlock(state.deferred_probe_mutex);
	queue_work(system_unbound_wq, state.deferred_probe_work);
}

/** Defer all probes from now on (drivers/base/dd.c: device_block_probing()). */
export function device_block_probing(): void {
	state.defer_all_probes = true;
	wait_for_device_probe();
}

/** Let them go (drivers/base/dd.c: device_unblock_probing()). */
export function device_unblock_probing(): void {
	state.defer_all_probes = false;
	driver_deferred_probe_trigger();
}

/** Say why @dev waits (drivers/base/dd.c: device_set_deferred_probe_reason()). */
export function device_set_deferred_probe_reason(dev: device, reason: string): void {
	if (dev.p !== null) dev.p.deferred_probe_reason = reason;
}

function deferred_devs_show(s: seq_file): int {
	mutex_lock(state.deferred_probe_mutex);
	for (const p of list_for_each_entry(state.deferred_probe_pending_list))
		seq_printf(s, '%s\t%s\n', dev_name(p.device), p.deferred_probe_reason ?? '');
	mutex_unlock(state.deferred_probe_mutex);
	return 0;
}
const deferred_devs_fops = DEFINE_SHOW_ATTRIBUTE(deferred_devs_show);

/**
 * driver_deferred_probe_check_state - Whether waiting for a supplier still makes sense (drivers/base/dd.c)
 * @dev: who waits
 *
 * -EPROBE_DEFER while it does; -ENODEV once all drivers of the image had their chance; -ETIMEDOUT instead when that
 * was given more time (deferred_probe_timeout=), and in vain.
 */
export function driver_deferred_probe_check_state(dev: device): int {
	// Linux without CONFIG_MODULES: nothing can come that is not here.
	// Below 0 it never expires.
	if (!state.initcalls_done || state.driver_deferred_probe_timeout !== 0) return -EPROBE_DEFER;
	if (state.deferred_probe_timed_out) {
		dev_warn(dev, 'deferred probe timeout, ignoring dependency');
		return -ETIMEDOUT;
	}
	dev_warn(dev, 'ignoring dependency for device, assuming no driver');
	return -ENODEV;
}

function deferred_probe_timeout_work_func(): void {
	fw_devlink_drivers_done();
	state.driver_deferred_probe_timeout = 0;
	state.deferred_probe_timed_out = true;
	driver_deferred_probe_trigger();
	flush_work(state.deferred_probe_work);
	mutex_lock(state.deferred_probe_mutex);
	for (const p of list_for_each_entry(state.deferred_probe_pending_list))
		dev_warn(p.device, 'deferred probe pending: %s', p.deferred_probe_reason ?? '(reason unknown)');
	mutex_unlock(state.deferred_probe_mutex);
}

/** A driver came: wait the whole time again (drivers/base/dd.c: deferred_probe_extend_timeout()). */
export function deferred_probe_extend_timeout(): void {
	if (delayed_work_pending(state.deferred_probe_timeout_work))
		mod_delayed_work(system_wq, state.deferred_probe_timeout_work, state.driver_deferred_probe_timeout * HZ);
}

function deferred_probe_initcall(): int {
	debugfs_create_file('devices_deferred', 0o444, null, null, deferred_devs_fops);
	state.driver_deferred_probe_enable = true;
	driver_deferred_probe_trigger();
	flush_work(state.deferred_probe_work);
	state.initcalls_done = true;
	fw_devlink_drivers_done();
	// Once more: nobody waits for what is optional now.
	driver_deferred_probe_trigger();
	flush_work(state.deferred_probe_work);
	if (state.driver_deferred_probe_timeout > 0)
		schedule_delayed_work(state.deferred_probe_timeout_work, state.driver_deferred_probe_timeout * HZ);
	return 0;
}
late_initcall(deferred_probe_initcall);

/** Say which driver @dev is to have, an empty line for any (drivers/base/dd.c: __device_set_driver_override()). */
export function __device_set_driver_override(dev: device, s: string, len: size_t): int {
	if (len >= PAGE_SIZE - 1) return -EINVAL;
	const name = s.split('\n')[0] ?? '';
	dev.driver_override = name === '' ? null : name;
	return 0;
}

/** Whether @dev may have @drv: -1 when no override says (include/linux/device.h: device_match_driver_override()). */
export function device_match_driver_override(dev: device, drv: device_driver): int {
	if (dev.driver_override === null) return -1;
	return dev.driver_override === drv.name ? 1 : 0;
}

/** Whether @drv fits @dev; negative errno when that cannot be said (drivers/base/base.h: driver_match_device()). */
export function driver_match_device(drv: device_driver, dev: device): int {
	return drv.bus?.match !== undefined ? drv.bus.match(dev, drv) : 1;
}

/** Whether a probe of @dev has succeeded (drivers/base/dd.c: device_is_bound()). */
export function device_is_bound(dev: device): bool {
	return dev.p !== null && klist_node_attached(dev.p.knode_driver);
}

function driver_bound(dev: device, drv: device_driver): void {
	if (device_is_bound(dev)) {
		dev_warn(dev, '%s: device already bound', 'driver_bound');
		return;
	}
	if (dev.p === null || drv.p === null) return;
	dev_dbg(dev, "driver: '%s': %s: bound to device", drv.name, 'driver_bound');
	klist_add_tail(dev.p.knode_driver, drv.p.klist_devices);
	device_links_driver_bound(dev);
	driver_deferred_probe_del(dev);
	driver_deferred_probe_trigger();
	bus_notify(dev, BUS_NOTIFY_BOUND_DRIVER);
}

function driver_sysfs_add(dev: device): int {
	bus_notify(dev, BUS_NOTIFY_BIND_DRIVER);
	const p = dev.driver?.p;
	if (p == null) return -EINVAL;
	let ret = sysfs_create_link(p.kobj, dev.kobj, kobject_name(dev.kobj));
	if (ret) return ret;
	ret = sysfs_create_link(dev.kobj, p.kobj, 'driver');
	if (ret) sysfs_remove_link(p.kobj, kobject_name(dev.kobj));
	return ret;
}

function driver_sysfs_remove(dev: device): void {
	const p = dev.driver?.p;
	if (p == null) return;
	sysfs_remove_link(p.kobj, kobject_name(dev.kobj));
	sysfs_remove_link(dev.kobj, 'driver');
}

/** Bind @dev to the driver that it names, without a probe (drivers/base/dd.c: device_bind_driver()). */
export function device_bind_driver(dev: device): int {
	const ret = driver_sysfs_add(dev);
	if (!ret && dev.driver !== null) {
		device_links_force_bind(dev);
		driver_bound(dev, dev.driver);
	} else {
		bus_notify(dev, BUS_NOTIFY_DRIVER_NOT_BOUND);
	}
	return ret;
}

function device_unbind_cleanup(dev: device): void {
	devres_release_all(dev);
	kfree(dev.dma_range_map as object | null);
	dev.dma_range_map = null;
	dev.driver = null;
	dev_set_drvdata(dev, null);
	dev.pm_domain?.dismiss?.(dev);
	pm_runtime_reinit(dev);
	dev.power.driver_flags = 0;
}

function device_remove(dev: device): void {
	device_remove_groups(dev, dev.driver?.dev_groups);
	if (dev.bus?.remove !== undefined) dev.bus.remove(dev);
	else if (dev.driver !== null && dev.driver.remove !== null) dev.driver.remove(dev);
}

function call_driver_probe(dev: device, drv: device_driver): int {
	const probe = dev.bus?.probe ?? drv.probe;
	const ret = probe !== null ? probe(dev) : 0;

	// To wait, and not to want the device, is a driver's good right.
	if (ret === -EPROBE_DEFER) dev_dbg(dev, 'Driver %s requests probe deferral', drv.name);
	else if (ret === -ENODEV || ret === -ENXIO)
		dev_dbg(dev, 'probe with driver %s rejects match %d', drv.name, ret);
	else if (ret !== 0) dev_err(dev, 'probe with driver %s failed with error %d', drv.name, ret);
	return ret;
}

/** The probe itself. Errors of the driver's own come positive, those of the core negative. */
function really_probe(dev: device, drv: device_driver): int {
	if (state.defer_all_probes) {
		dev_dbg(dev, 'Driver %s force probe deferral', drv.name);
		return -EPROBE_DEFER;
	}
	const link_ret = device_links_check_suppliers(dev);
	if (link_ret === -EPROBE_DEFER) return link_ret;

	dev_dbg(dev, "bus: '%s': %s: probing driver %s with device", drv.bus?.name ?? '', 'really_probe', drv.name);
	if (!list_empty(dev.devres_head)) {
		dev_crit(dev, 'Resources present before probing');
		return -EBUSY;
	}

	let ret: int;
	dev.driver = drv;
	dma_configure_failed: {
		if (dev.bus?.dma_configure !== undefined) {
			ret = dev.bus.dma_configure(dev);
			if (ret) break dma_configure_failed;
		}
		sysfs_failed: {
			ret = driver_sysfs_add(dev);
			if (ret) {
				dev_err(dev, '%s: driver_sysfs_add failed', 'really_probe');
				break sysfs_failed;
			}
			probe_failed: {
				if (dev.pm_domain?.activate !== undefined) {
					ret = dev.pm_domain.activate(dev);
					if (ret) break probe_failed;
				}
				ret = call_driver_probe(dev, drv);
				if (ret) {
					ret = link_ret === -EAGAIN ? EPROBE_DEFER : -ret;
					break probe_failed;
				}
				ret = device_add_groups(dev, drv.dev_groups);
				if (ret) {
					dev_err(dev, 'device_add_groups() failed');
					device_remove(dev);
					break probe_failed;
				}
				dev.pm_domain?.sync?.(dev);
				driver_bound(dev, drv);
				dev_dbg(
					dev,
					"bus: '%s': %s: bound device to driver %s",
					drv.bus?.name ?? '',
					'really_probe',
					drv.name,
				);
				return 0;
			}
			driver_sysfs_remove(dev);
		}
		bus_notify(dev, BUS_NOTIFY_DRIVER_NOT_BOUND);
		dev.bus?.dma_cleanup?.(dev);
	}
	device_links_no_driver(dev);
	device_unbind_cleanup(dev);
	return ret;
}

/** Wait until nothing probes or is about to (drivers/base/dd.c: wait_for_device_probe()). */
export function wait_for_device_probe(): void {
	flush_work(state.deferred_probe_work);
}

/** Whether nothing probes (drivers/base/dd.c: driver_probe_done()). */
export function driver_probe_done(): bool {
	return state.probe_count === 0;
}

function __driver_probe_device(drv: device_driver, dev: device): int {
	if (dev.p === null || dev.p.dead || !device_is_registered(dev)) return -ENODEV;
	if (dev.driver !== null) return -EBUSY;
	if (!dev_ready_to_probe(dev)) return dev_err_probe(dev, -EPROBE_DEFER, 'Device not ready to probe');

	dev.can_match = true;
	dev_dbg(
		dev,
		"bus: '%s': %s: matched device with driver %s",
		drv.bus?.name ?? '',
		'__driver_probe_device',
		drv.name,
	);
	pm_runtime_get_suppliers(dev);
	if (dev.parent !== null) pm_runtime_get_sync(dev.parent);
	pm_runtime_barrier(dev);
	const ret = really_probe(dev, drv);
	pm_request_idle(dev);
	if (dev.parent !== null) pm_runtime_put(dev.parent);
	pm_runtime_put_suppliers(dev);
	return ret;
}

function driver_probe_device(drv: device_driver, dev: device): int {
	const trigger_count = state.deferred_trigger_count;
	state.probe_count++;
	const ret = __driver_probe_device(drv, dev);
	if (ret === -EPROBE_DEFER || ret === EPROBE_DEFER) {
		driver_deferred_probe_add(dev);
		// What it waits for may have come while it probed.
		if (trigger_count !== state.deferred_trigger_count && !state.defer_all_probes)
			driver_deferred_probe_trigger();
	}
	state.probe_count--;
	return ret;
}

function __device_attach_driver(drv: device_driver, dev: device): int {
	let ret = driver_match_device(drv, dev);
	if (ret === 0) return 0;
	if (ret === -EPROBE_DEFER) {
		dev_dbg(dev, 'Device match requests probe deferral');
		dev.can_match = true;
		driver_deferred_probe_add(dev);
		// No other driver either: this one may turn out to be the right one.
		return ret;
	}
	if (ret < 0) {
		dev_dbg(dev, 'Bus failed to match device: %d', ret);
		return ret;
	}
	// An error of the driver's own lets the next one try.
	ret = driver_probe_device(drv, dev);
	if (ret < 0) return ret;
	return ret === 0 ? 1 : 0;
}

function __device_attach(dev: device): int {
	let ret = 0;
	device_lock(dev);
	if (dev.p === null || dev.p.dead) {
		// Going away.
	} else if (dev.driver !== null) {
		if (device_is_bound(dev)) {
			ret = 1;
		} else {
			ret = device_bind_driver(dev);
			if (ret === 0) {
				ret = 1;
			} else {
				dev.driver = null;
				ret = 0;
			}
		}
	} else {
		if (dev.parent !== null) pm_runtime_get_sync(dev.parent);
		if (dev.bus !== null) ret = bus_for_each_drv(dev.bus, null, dev, __device_attach_driver);
		pm_request_idle(dev);
		if (dev.parent !== null) pm_runtime_put(dev.parent);
	}
	device_unlock(dev);
	return ret;
}

/** Look for a driver: 1 when bound, 0 when there is none (drivers/base/dd.c: device_attach()). */
export function device_attach(dev: device): int {
	return __device_attach(dev);
}

/** The first look, unless the bus was told not to (drivers/base/dd.c: device_initial_probe()). */
export function device_initial_probe(dev: device): void {
	const sp = bus_to_subsys(dev.bus);
	if (sp === null) return;
	if (sp.drivers_autoprobe) __device_attach(dev);
	subsys_put(sp);
}

/** Bind @dev to @drv, as asked (drivers/base/dd.c: device_driver_attach()). */
export function device_driver_attach(drv: device_driver, dev: device): int {
	device_lock(dev);
	let ret = __driver_probe_device(drv, dev);
	device_unlock(dev);
	if (ret > 0) ret = -ret;
	return ret === -EPROBE_DEFER ? -EAGAIN : ret;
}

function __driver_attach(dev: device, drv: device_driver): int {
	const ret = driver_match_device(drv, dev);
	if (ret === 0) return 0;
	if (ret === -EPROBE_DEFER) {
		dev_dbg(dev, 'Device match requests probe deferral');
		dev.can_match = true;
		driver_deferred_probe_add(dev);
		return 0;
	}
	if (ret < 0) {
		dev_dbg(dev, 'Bus failed to match device: %d', ret);
		return 0;
	}
	// Its error is its own affair: the other devices still want to be tried.
	device_lock(dev);
	driver_probe_device(drv, dev);
	device_unlock(dev);
	return 0;
}

/** Offer @drv every device of its bus (drivers/base/dd.c: driver_attach()). */
export function driver_attach(drv: device_driver): int {
	return drv.bus === null ? -EINVAL : bus_for_each_dev(drv.bus, null, drv, __driver_attach);
}

function __device_release_driver(dev: device): void {
	const drv = dev.driver;
	if (drv === null) return;
	pm_runtime_get_sync(dev);
	while (device_links_busy(dev)) {
		// The consumers go first, and each takes its own lock.
		device_unlock(dev);
		device_links_unbind_consumers(dev);
		device_lock(dev);
		if (dev.driver !== drv) {
			pm_runtime_put(dev);
			return;
		}
	}
	driver_sysfs_remove(dev);
	bus_notify(dev, BUS_NOTIFY_UNBIND_DRIVER);
	pm_runtime_put_sync(dev);
	device_remove(dev);
	dev.bus?.dma_cleanup?.(dev);
	device_unbind_cleanup(dev);
	device_links_driver_cleanup(dev);
	if (dev.p !== null) klist_remove(dev.p.knode_driver);
	bus_notify(dev, BUS_NOTIFY_UNBOUND_DRIVER);
}

/** Unbind @dev, if from @drv or whatever it is bound to (drivers/base/dd.c: device_release_driver_internal()). */
export function device_release_driver_internal(
	dev: device,
	drv: device_driver | null,
	parent: device | null,
): void {
	device_lock(dev);
	if (drv === null || drv === dev.driver) __device_release_driver(dev);
	device_unlock(dev);
}

/** Unbind @dev (drivers/base/dd.c: device_release_driver()). */
export function device_release_driver(dev: device): void {
	device_release_driver_internal(dev, null, null);
}

/** drivers/base/dd.c: device_driver_detach(). */
export function device_driver_detach(dev: device): void {
	device_release_driver_internal(dev, null, dev.parent);
}

/** Unbind every device of @drv, the last bound first (drivers/base/dd.c: driver_detach()). */
export function driver_detach(drv: device_driver): void {
	const p = drv.p;
	if (p === null) return;
	for (;;) {
		spin_lock(p.klist_devices.k_lock);
		if (list_empty(p.klist_devices.k_list)) {
			spin_unlock(p.klist_devices.k_lock);
			break;
		}
		const dev = list_last_entry(p.klist_devices.k_list).container.device;
		get_device(dev);
		spin_unlock(p.klist_devices.k_lock);
		device_release_driver_internal(dev, drv, dev.parent);
		put_device(dev);
	}
}
