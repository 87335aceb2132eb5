// SPDX-License-Identifier: GPL-2.0-only
// A booted board whose "oracle,master" nodes have a driver.
import { bus_find_device_by_name } from '#drivers/base/bus.js';
import {
	platform_bus_type,
	platform_device_unregister,
	platform_driver_unregister,
} from '#drivers/base/platform.js';
import type { Machine } from '#hw/core/machine.js';
import type { TestMaster } from '#hw/misc/test-master.js';
import { start_kernel } from '#init/main.js';
import { dev_name, type device } from '#linux/device.js';
import type { device_node } from '#linux/of_node.js';
import { platform_driver, platform_driver_register, to_platform_device } from '#linux/platform_device.js';

/** The devices of the test masters by name, bound to a driver that does nothing. */
export class Masters {
	readonly devices = new Map<string, device>();
	/** What switches a device on (less than 0: it does not), and off: its driver, and whoever has taken that away. */
	power: { on(dev: device): number; off(dev: device): void } | null = null;
	/** Those that the driver has switched on; the others somebody else has. */
	readonly #on = new Set<device>();
	readonly #driver: platform_driver;

	constructor(readonly machine: Machine) {
		start_kernel(machine);
		this.#driver = new platform_driver({
			probe: (pdev) => {
				this.devices.set(dev_name(pdev.dev), pdev.dev);
				if (this.power !== null && this.power.on(pdev.dev) >= 0) this.#on.add(pdev.dev);
				return 0;
			},
			remove: (pdev) => {
				this.devices.delete(dev_name(pdev.dev));
				if (this.#on.delete(pdev.dev)) this.power?.off(pdev.dev);
			},
			driver: { name: 'test-masters', of_match_table: [{ compatible: 'oracle,master' }] },
		});
		platform_driver_register(this.#driver);
	}

	/** Take the driver away; the devices stay known. */
	unbind(): void {
		const devices = [...this.devices];
		const on = [...this.#on];
		platform_driver_unregister(this.#driver);
		for (const dev of on) this.power?.on(dev);
		for (const [name, dev] of devices) this.devices.set(name, dev);
	}

	/** And give it back. */
	bind(): void {
		for (const dev of this.devices.values()) this.power?.off(dev);
		platform_driver_register(this.#driver);
	}

	/** Take the device @name away. */
	remove(name: string): void {
		const dev = this.device(name);
		if (!this.#on.has(dev)) this.power?.off(dev);
		platform_device_unregister(to_platform_device(dev));
	}

	/** The tree's node of the IOMMU whose device is called @name. */
	iommuNode(name: string): device_node {
		const dev = bus_find_device_by_name(platform_bus_type, null, name);
		if (dev?.of_node == null) throw new Error(`there is no ${name}`);
		return dev.of_node;
	}

	device(name: string): device {
		const dev = this.devices.get(name);
		if (dev === undefined) throw new Error(`${name} is not bound`);
		return dev;
	}

	model(name: string): TestMaster {
		return this.machine.model(name) as TestMaster;
	}
}
