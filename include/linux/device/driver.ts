// SPDX-License-Identifier: GPL-2.0-only
// Device drivers, as every bus embeds them.
// Linux 6.12: include/linux/device/driver.h
//
// Left out: ACPI match tables.

import type { driver_private } from '#drivers/base/base.js';
import type { bus_type } from '#linux/device/bus.js';
import type { device } from '#linux/device.js';
import type { of_device_id } from '#linux/mod_devicetable.js';
import type { module } from '#linux/module.js';
import type { dev_pm_ops, pm_message_t } from '#linux/pm.js';
import { attribute, type attribute_group, type sysfs_buf } from '#linux/sysfs.js';
import type { bool, int, size_t, ssize_t, umode_t } from '#linux/types.js';

export enum probe_type {
	PROBE_DEFAULT_STRATEGY = 0,
	PROBE_PREFER_ASYNCHRONOUS = 1,
	PROBE_FORCE_SYNCHRONOUS = 2,
}
export const { PROBE_DEFAULT_STRATEGY, PROBE_PREFER_ASYNCHRONOUS, PROBE_FORCE_SYNCHRONOUS } = probe_type;

/** What a driver's author fills in. */
export interface device_driver_init {
	name?: string;
	bus?: bus_type | null;
	owner?: module | null;
	mod_name?: string | null;
	suppress_bind_attrs?: bool;
	probe_type?: probe_type;
	of_match_table?: readonly of_device_id[] | null;
	probe?: ((dev: device) => int) | null;
	sync_state?: ((dev: device) => void) | null;
	remove?: ((dev: device) => int) | null;
	shutdown?: ((dev: device) => void) | null;
	suspend?: ((dev: device, state: pm_message_t) => int) | null;
	resume?: ((dev: device) => int) | null;
	groups?: readonly attribute_group[] | null;
	dev_groups?: readonly attribute_group[] | null;
	pm?: dev_pm_ops | null;
}

export class device_driver {
	name: string = '';
	bus: bus_type | null = null;
	owner: module | null = null;
	mod_name: string | null = null;
	/** No bind and unbind files in sysfs. */
	suppress_bind_attrs: bool = false;
	probe_type: probe_type = PROBE_DEFAULT_STRATEGY;
	of_match_table: readonly of_device_id[] | null = null;
	probe: ((dev: device) => int) | null = null;
	sync_state: ((dev: device) => void) | null = null;
	remove: ((dev: device) => int) | null = null;
	shutdown: ((dev: device) => void) | null = null;
	suspend: ((dev: device, state: pm_message_t) => int) | null = null;
	resume: ((dev: device) => int) | null = null;
	groups: readonly attribute_group[] | null = null;
	dev_groups: readonly attribute_group[] | null = null;
	pm: dev_pm_ops | null = null;
	coredump: ((dev: device) => void) | null = null;
	p: driver_private | null = null;
	/** The bus's own driver struct. */
	readonly container: object | null;
	constructor(container: object | null = null, init: device_driver_init = {}) {
		this.container = container;
		Object.assign(this, init);
	}
}

export class driver_attribute extends attribute {
	show: ((driver: device_driver, buf: sysfs_buf) => ssize_t) | null;
	store: ((driver: device_driver, buf: string, count: size_t) => ssize_t) | null;
	constructor(
		name: string,
		mode: umode_t,
		show: driver_attribute['show'] = null,
		store: driver_attribute['store'] = null,
	) {
		super(name, mode);
		this.show = show;
		this.store = store;
	}
}
