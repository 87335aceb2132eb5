// SPDX-License-Identifier: GPL-2.0-only
// For the examples: test masters m0, m1, m2 behind an IOMMU, m3 without; or another of the project's boards.
import '#init/vmlinux.js';
import '#tools/lost-output.js';
import { readFileSync } from 'node:fs';
import { Machine } from '#hw/core/machine.js';
import type { TestMaster } from '#hw/misc/test-master.js';
import { start_kernel } from '#init/main.js';
import { dev_name, type device } from '#linux/device.js';
import { platform_driver, platform_driver_register } from '#linux/platform_device.js';
import { projectFile } from '#tools/project.js';

export interface Bench {
	readonly machine: Machine;
	/** What a driver has: its struct device. */
	device(name: string): device;
	/** What the hardware does: reads and writes at DMA addresses. */
	master(name: string): TestMaster;
}

/** Boot the board of @tree; kernel messages of level @level and below are printed. */
export function boot(level = 4, commandLine = '', tree = 'tests/golden/vectors/boards/main.dtb'): Bench {
	const machine = new Machine(readFileSync(projectFile(tree)), {
		commandLine,
		onConsole: (l, line) => l <= level && console.log(line),
	});
	start_kernel(machine);
	const devices = new Map<string, device>();
	const probe = (pdev: { dev: device }): number => {
		devices.set(dev_name(pdev.dev), pdev.dev);
		return 0;
	};
	const driver = { name: 'example', of_match_table: [{ compatible: 'oracle,master' }] };
	platform_driver_register(new platform_driver({ probe, driver }));
	return {
		machine,
		device: (name) => devices.get(name)!,
		master: (name) => machine.model(name) as TestMaster,
	};
}
