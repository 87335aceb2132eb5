// SPDX-License-Identifier: GPL-2.0-only
// Bus types: which devices and drivers fit, and what surrounds a probe.
// Linux 6.12: include/linux/device/bus.h

import type { device_driver } from '#linux/device/driver.js';
import type { device } from '#linux/device.js';
import type { dev_pm_ops, pm_message_t } from '#linux/pm.js';
import { attribute, type attribute_group, type sysfs_buf } from '#linux/sysfs.js';
import type { bool, int, size_t, ssize_t, umode_t } from '#linux/types.js';

export interface bus_type {
	readonly name: string;
	readonly dev_name?: string;
	readonly bus_groups?: readonly attribute_group[];
	readonly dev_groups?: readonly attribute_group[];
	readonly drv_groups?: readonly attribute_group[];

	/** Positive when @drv may drive @dev; -EPROBE_DEFER when that cannot be said yet. */
	match?: (dev: device, drv: device_driver) => int;
	probe?: (dev: device) => int;
	sync_state?: (dev: device) => void;
	remove?: (dev: device) => void;
	shutdown?: (dev: device) => void;

	online?: (dev: device) => int;
	offline?: (dev: device) => int;

	suspend?: (dev: device, state: pm_message_t) => int;
	resume?: (dev: device) => int;

	/** Sets the device's DMA operations up before probe, and undoes it after remove. */
	dma_configure?: (dev: device) => int;
	dma_cleanup?: (dev: device) => void;

	readonly pm?: dev_pm_ops;
	readonly driver_override?: bool;
}

export class bus_attribute extends attribute {
	show: ((bus: bus_type, buf: sysfs_buf) => ssize_t) | null;
	store: ((bus: bus_type, buf: string, count: size_t) => ssize_t) | null;
	constructor(
		name: string,
		mode: umode_t,
		show: bus_attribute['show'] = null,
		store: bus_attribute['store'] = null,
	) {
		super(name, mode);
		this.show = show;
		this.store = store;
	}
}

/** Says whether @dev is the one that is looked for. */
export type device_match_t = (dev: device, data: unknown) => int;

/** What a bus tells its notifiers. */
export type bus_notifier_event = int;
export const BUS_NOTIFY_ADD_DEVICE = 0;
export const BUS_NOTIFY_DEL_DEVICE = 1;
export const BUS_NOTIFY_REMOVED_DEVICE = 2;
export const BUS_NOTIFY_BIND_DRIVER = 3;
export const BUS_NOTIFY_BOUND_DRIVER = 4;
export const BUS_NOTIFY_UNBIND_DRIVER = 5;
export const BUS_NOTIFY_UNBOUND_DRIVER = 6;
export const BUS_NOTIFY_DRIVER_NOT_BOUND = 7;
