// SPDX-License-Identifier: GPL-2.0-only
// A booted board whose "oracle,master" nodes have a driver, and what a test of the H6's own driver asks of it.
import type { Machine } from '#hw/machine.js';
import type { TestMaster } from '#hw/test-master.js';
import { start_kernel } from '#init/main.js';
import { dev_name, type device } from '#linux/device.js';
import { platform_driver, platform_driver_register } from '#linux/platform_device.js';

/** The devices of the test masters by name, bound to a driver that does nothing. */
export class Masters {
	readonly devices = new Map<string, device>();

	constructor(readonly machine: Machine) {
		start_kernel(machine);
		platform_driver_register(
			new platform_driver({
				probe: (pdev) => {
					this.devices.set(dev_name(pdev.dev), pdev.dev);
					return 0;
				},
				remove: (pdev) => {
					this.devices.delete(dev_name(pdev.dev));
				},
				driver: { name: 'test-masters', of_match_table: [{ compatible: 'oracle,master' }] },
			}),
		);
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
