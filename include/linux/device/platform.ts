// SPDX-License-Identifier: GPL-2.0-only
// struct platform_device and struct platform_driver.
// Linux 6.12: include/linux/platform_device.h
//
// A file of its own so that drivers/base/platform.ts can use the structs and the header's macros that file.

import { device_driver, type device_driver_init } from '#linux/device/driver.js';
import { dev_get_drvdata, dev_set_drvdata, device, device_dma_parameters } from '#linux/device.js';
import type { fwnode_handle } from '#linux/fwnode.js';
import type { resource } from '#linux/ioport.js';
import type { platform_device_id } from '#linux/mod_devicetable.js';
import type { pm_message_t } from '#linux/pm.js';
import type { property_entry } from '#linux/property.js';
import { type bool, container_of, type int, ref, type size_t, type u32, type u64 } from '#linux/types.js';

export const PLATFORM_DEVID_NONE = -1;
export const PLATFORM_DEVID_AUTO = -2;

export class platform_device {
	name: string = '';
	id: int = PLATFORM_DEVID_NONE;
	id_auto: bool = false;
	dev: device = new device(this);
	platform_dma_mask: ref<u64> = new ref<u64>(0);
	dma_parms: device_dma_parameters = new device_dma_parameters();
	num_resources: u32 = 0;
	resource: resource[] = [];
	id_entry: platform_device_id | null = null;
	mfd_cell: object | null = null;
}

export interface platform_device_info {
	parent?: device | null;
	fwnode?: fwnode_handle | null;
	of_node_reused?: bool;
	name: string;
	id: int;
	res?: readonly resource[] | null;
	data?: unknown;
	dma_mask?: u64;
	properties?: readonly property_entry[] | null;
	size_data?: size_t;
}

/** What a platform driver's author fills in. */
export interface platform_driver_init {
	probe?: (pdev: platform_device) => int;
	remove?: (pdev: platform_device) => void;
	shutdown?: (pdev: platform_device) => void;
	suspend?: (pdev: platform_device, state: pm_message_t) => int;
	resume?: (pdev: platform_device) => int;
	driver: device_driver_init;
	id_table?: readonly platform_device_id[];
	prevent_deferred_probe?: bool;
	driver_managed_dma?: bool;
}

/** Filled like an ops table: `new platform_driver({ probe, driver: { name, of_match_table } })`. */
export class platform_driver {
	probe: ((pdev: platform_device) => int) | null;
	remove: ((pdev: platform_device) => void) | null;
	shutdown: ((pdev: platform_device) => void) | null;
	suspend: ((pdev: platform_device, state: pm_message_t) => int) | null;
	resume: ((pdev: platform_device) => int) | null;
	driver: device_driver;
	id_table: readonly platform_device_id[] | null;
	/** Set by platform_driver_probe(): a probe that cannot be repeated cannot be deferred. */
	prevent_deferred_probe: bool;
	/** The driver does its own DMA set-up and ownership (VFIO and the like). */
	driver_managed_dma: bool;
	constructor(init: platform_driver_init) {
		this.probe = init.probe ?? null;
		this.remove = init.remove ?? null;
		this.shutdown = init.shutdown ?? null;
		this.suspend = init.suspend ?? null;
		this.resume = init.resume ?? null;
		this.driver = new device_driver(this, init.driver);
		this.id_table = init.id_table ?? null;
		this.prevent_deferred_probe = init.prevent_deferred_probe ?? false;
		this.driver_managed_dma = init.driver_managed_dma ?? false;
	}
}

/** The platform device that embeds @dev (include/linux/platform_device.h: to_platform_device()). */
export function to_platform_device(dev: device): platform_device {
	return container_of(dev, platform_device);
}

/** The platform driver that embeds @drv (include/linux/platform_device.h: to_platform_driver()). */
export function to_platform_driver(drv: device_driver): platform_driver {
	return container_of(drv, platform_driver);
}

/** The entry of the id table that matched, null without one (include/linux/platform_device.h: platform_get_device_id()). */
export function platform_get_device_id(pdev: platform_device): platform_device_id | null {
	return pdev.id_entry;
}

/** The driver's data (include/linux/platform_device.h: platform_get_drvdata()). */
export function platform_get_drvdata<T = unknown>(pdev: platform_device): T {
	return dev_get_drvdata<T>(pdev.dev);
}

/** Set the driver's data (include/linux/platform_device.h: platform_set_drvdata()). */
export function platform_set_drvdata(pdev: platform_device, data: unknown): void {
	dev_set_drvdata(pdev.dev, data);
}
