// SPDX-License-Identifier: GPL-2.0-only
// The list of devices in the order in which they may be resumed.
// Linux 6.12: drivers/base/power/main.c, power.h
//
// Left out: asynchronous suspend and resume, wake-up sources, watchdogs, syscore operations.

import { pm_runtime_init, pm_runtime_remove } from '#drivers/base/power/runtime.js';
import { dev_dbg, dev_warn } from '#linux/dev_printk.js';
import { dev_name, type device } from '#linux/device.js';
import { boot_data } from '#linux/init.js';
import { INIT_LIST_HEAD, list_add_tail, list_del_init, list_head, list_move_tail } from '#linux/list.js';
import { mutex, mutex_lock, mutex_unlock } from '#linux/mutex.js';
import { dev_pm_info } from '#linux/pm.js';
import type { bool } from '#linux/types.js';

export const dpm_state = boot_data(() => ({
	/** Who is needed stands before who needs it. */
	dpm_list: new list_head<dev_pm_info>(),
	dpm_list_mtx: new mutex('dpm_list_mtx'),
}));

/** Whether @dev is in the list (drivers/base/power/power.h: device_pm_initialized()). */
export function device_pm_initialized(dev: device): bool {
	return dev.power.in_dpm_list;
}

/** Runtime PM and system sleep of a new device (drivers/base/power/power.h: device_pm_init()). */
export function device_pm_init(dev: device): void {
	const no_pm = dev.power.no_pm;

	dev.power = new dev_pm_info(dev);
	dev.power.no_pm = no_pm;
	INIT_LIST_HEAD(dev.power.entry);
	pm_runtime_init(dev);
}

/** Hold the list still (drivers/base/power/main.c: device_pm_lock()). */
export function device_pm_lock(): void {
	mutex_lock(dpm_state.dpm_list_mtx);
}

/** Let it go (drivers/base/power/main.c: device_pm_unlock()). */
export function device_pm_unlock(): void {
	mutex_unlock(dpm_state.dpm_list_mtx);
}

/** Put @dev at the end of the list (drivers/base/power/main.c: device_pm_add()). */
export function device_pm_add(dev: device): void {
	if (dev.power.no_pm) return;

	dev_dbg(dev, 'Adding info for %s:%s', dev.bus?.name ?? 'No Bus', dev_name(dev));
	device_pm_lock();
	if (dev.parent?.power.is_prepared === true)
		dev_warn(dev, 'parent %s should not be sleeping', dev_name(dev.parent));
	list_add_tail(dev.power.entry, dpm_state.dpm_list);
	dev.power.in_dpm_list = true;
	device_pm_unlock();
}

/** Take @dev from it, and end its runtime PM (drivers/base/power/main.c: device_pm_remove()). */
export function device_pm_remove(dev: device): void {
	if (dev.power.no_pm) return;

	dev_dbg(dev, 'Removing info for %s:%s', dev.bus?.name ?? 'No Bus', dev_name(dev));
	device_pm_lock();
	list_del_init(dev.power.entry);
	dev.power.in_dpm_list = false;
	device_pm_unlock();
	pm_runtime_remove(dev);
}

/** Move @dev to the end; the lock is held (drivers/base/power/main.c: device_pm_move_last()). */
export function device_pm_move_last(dev: device): void {
	dev_dbg(dev, 'Moving %s:%s to end of list', dev.bus?.name ?? 'No Bus', dev_name(dev));
	list_move_tail(dev.power.entry, dpm_state.dpm_list);
}
