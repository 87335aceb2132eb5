// SPDX-License-Identifier: GPL-2.0-only
// The driver core comes up: /sys/devices, /sys/bus, /sys/class, platform bus.
// Linux 6.12: drivers/base/init.c
//
// Left out: devtmpfs, firmware, hypervisor, CPU and memory devices.

import { buses_init } from '#drivers/base/bus.js';
import { classes_init } from '#drivers/base/class.js';
import { devices_init, devlink_class_init } from '#drivers/base/core.js';
import { platform_bus_init } from '#drivers/base/platform.js';
import { sysfs_init } from '#fs/sysfs/mount.js';

/** Called once, before the first initcall that touches a device (drivers/base/init.c: driver_init()). */
export function driver_init(): void {
	// Linux mounts it with the first file systems, long before (fs/namespace.c: mnt_init()).
	sysfs_init();
	devices_init();
	buses_init();
	classes_init();
	devlink_class_init();
	platform_bus_init();
}
