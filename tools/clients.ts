// SPDX-License-Identifier: GPL-2.0-only
// The devices of the main job, by the drivers that make them what they are: the one place that names them.
import { bus_find_device_by_name } from '#drivers/base/bus.js';
import { platform_bus_type } from '#drivers/base/platform.js';
import { sysfs_readdir } from '#fs/sysfs/user.js';
import type { device } from '#linux/device.js';
import { IS_ERR } from '#linux/err.js';

/** Whoever decodes, whoever shows, and whose accesses the latter's are. */
export const DRIVERS = { engine: 'cedrus', display: 'sun4i-drm', mixer: 'sun8i-mixer' } as const;

/** The platform devices that are bound to @driver. */
export function devicesOf(driver: string): string[] {
	const names = sysfs_readdir(`/sys/bus/platform/drivers/${driver}`);
	return IS_ERR(names) ? [] : names.filter((name) => deviceOf(name) !== null);
}

/** The platform device @name of the board that runs; null without one. */
export function deviceOf(name: string): device | null {
	return bus_find_device_by_name(platform_bus_type, null, name);
}

/** The video engine's device; null: this board has none, or none with a driver. */
export function videoEngine(): device | null {
	const [name] = devicesOf(DRIVERS.engine);
	return name === undefined ? null : deviceOf(name);
}
