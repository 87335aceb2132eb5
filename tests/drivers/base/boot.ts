// SPDX-License-Identifier: GPL-2.0-only
// A driver core on a machine that has nothing; a bus and devices to try it.

import { dev_set_name, device_register } from '#drivers/base/core.js';
import { driver_init } from '#drivers/base/init.js';
import '#drivers/base/dd.js';
import '#fs/debugfs/inode.js';
import '#kernel/ksysfs.js';
import type { bus_type } from '#linux/device/bus.js';
import { device_driver, type device_driver_init } from '#linux/device/driver.js';
import { device } from '#linux/device.js';
import { GFP_KERNEL } from '#linux/gfp_types.js';
import { __initcalls } from '#linux/init.js';
import { kfree, kzalloc } from '#linux/slab.js';
import { bootFake, type FakeMachine } from '#tests/fake-machine.js';

/** Run the initcall @name of the image. */
export function runInitcall(name: string): void {
	const call = __initcalls.find((c) => c.fn.name === name);
	if (call === undefined) throw new Error(`no initcall ${name}`);
	call.fn();
}

/** A kernel as it is when the first driver registers. */
export function bootDriverCore(): FakeMachine {
	const machine = bootFake();
	driver_init();
	runInitcall('ksysfs_init');
	runInitcall('debugfs_init');
	return machine;
}

/** Late initcall time: deferred devices are tried from now on. */
export function lateInit(): void {
	runInitcall('deferred_probe_initcall');
}

/** A bus whose devices match the driver that their name starts with. */
export function nameBus(extra: Partial<bus_type> = {}): bus_type {
	return { name: 'test', match: (dev, drv) => (dev.kobj.name?.startsWith(drv.name) ? 1 : 0), ...extra };
}

/** A device of @bus, counted in @released when it goes. */
export function makeDevice(name: string, bus: bus_type | null, released: string[] = []): device {
	const dev = kzalloc(device, GFP_KERNEL);
	if (dev === null) throw new Error('no memory');
	dev.bus = bus;
	dev.release = (d): void => {
		released.push(d.kobj.name ?? '');
		kfree(d);
	};
	dev_set_name(dev, '%s', name);
	return dev;
}

export function addDevice(name: string, bus: bus_type | null, released: string[] = []): device {
	const dev = makeDevice(name, bus, released);
	const err = device_register(dev);
	if (err) throw new Error(`device_register: ${err}`);
	return dev;
}

export function makeDriver(name: string, bus: bus_type, init: device_driver_init = {}): device_driver {
	return new device_driver(null, { name, bus, ...init });
}

/** 0 after @effect: for callbacks that only note that they were called. */
export function ok(_effect: unknown): 0 {
	return 0;
}
