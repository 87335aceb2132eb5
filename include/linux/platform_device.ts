// SPDX-License-Identifier: GPL-2.0-only
// Devices that sit at an address and are found by no enumeration.
// Linux 6.12: include/linux/platform_device.h
import { __platform_driver_probe, __platform_driver_register } from '#drivers/base/platform.js';
import type { platform_device, platform_driver } from '#linux/device/platform.js';
import { device_initcall } from '#linux/init.js';
import type { int } from '#linux/types.js';

export * from '#linux/device/platform.js';

/** Register @drv (include/linux/platform_device.h: platform_driver_register()). */
export function platform_driver_register(drv: platform_driver): int {
	return __platform_driver_register(drv, null);
}

/** Register @drv for the devices that are there now (include/linux/platform_device.h: platform_driver_probe()). */
export function platform_driver_probe(drv: platform_driver, probe: (pdev: platform_device) => int): int {
	return __platform_driver_probe(drv, probe, null);
}

/** Register @drv at device_initcall time (include/linux/platform_device.h: module_platform_driver()). */
export function module_platform_driver(drv: platform_driver): void {
	device_initcall(() => platform_driver_register(drv));
}

/** Register @drv at device_initcall time, for good (include/linux/platform_device.h: builtin_platform_driver()). */
export function builtin_platform_driver(drv: platform_driver): void {
	device_initcall(() => platform_driver_register(drv));
}

/** Register @platform_driver at boot, for devices that are there by then (include/linux/platform_device.h: builtin_platform_driver_probe()). */
export function builtin_platform_driver_probe(
	platform_driver: platform_driver,
	platform_probe: (pdev: platform_device) => int,
): void {
	device_initcall(() => platform_driver_probe(platform_driver, platform_probe));
}

/** Register @drv at boot, for devices that are there by then (include/linux/platform_device.h: module_platform_driver_probe()). */
export const module_platform_driver_probe = builtin_platform_driver_probe;
