// SPDX-License-Identifier: GPL-2.0-only
// Drivers of the test masters: DMA-API users, or managing DMA themselves.
// No twin in Linux: it answers to the module that captured the golden vectors.
import { of_property_read_u32 } from '#drivers/of/property.js';
import type { device } from '#linux/device.js';
import { boot_data } from '#linux/init.js';
import type { of_device_id } from '#linux/mod_devicetable.js';
import { module } from '#linux/module.js';
import { type platform_device, platform_driver, platform_driver_register } from '#linux/platform_device.js';
import { pm_runtime_disable, pm_runtime_enable } from '#linux/pm_runtime.js';
import { type bool, type int, ref } from '#linux/types.js';

const oracle = boot_data(() => ({
	/** The devices by "oracle,index". */
	devices: [] as (device | null)[],
	/** Their drivers enable runtime PM. */
	runtime_pm: false as bool,
	/** Told of each bind(n) and unbind(n). */
	log: null as ((text: string) => void) | null,
}));

function oracle_index(dev: device): int {
	const index = new ref<int>(-1);
	of_property_read_u32(dev.of_node!, 'oracle,index', index);
	return index.value;
}

function oracle_probe(pdev: platform_device): int {
	const index = oracle_index(pdev.dev);
	oracle.devices[index] = pdev.dev;
	if (oracle.runtime_pm) pm_runtime_enable(pdev.dev);
	oracle.log?.(`bind(${index})`);
	return 0;
}

function oracle_remove(pdev: platform_device): void {
	oracle.log?.(`unbind(${oracle_index(pdev.dev)})`);
	if (oracle.runtime_pm) pm_runtime_disable(pdev.dev);
}

const oracle_of_match: readonly of_device_id[] = [{ compatible: 'oracle,master' }];

const THIS_MODULE = new module('oracle');

const drivers = boot_data(() => ({
	dma_api: new platform_driver({
		probe: oracle_probe,
		remove: oracle_remove,
		driver: { name: 'oracle', owner: THIS_MODULE, of_match_table: oracle_of_match },
	}),
	managed: new platform_driver({
		probe: oracle_probe,
		remove: oracle_remove,
		driver: { name: 'oracle-managed', owner: THIS_MODULE, of_match_table: oracle_of_match },
		driver_managed_dma: true,
	}),
}));

/** Load the module: its driver binds to every master. @log is told of each bind and unbind. */
export function load_oracle(log: (text: string) => void, runtime_pm: bool): int {
	oracle.log = log;
	oracle.runtime_pm = runtime_pm;
	return platform_driver_register(drivers.dma_api);
}

/** Register the driver that manages DMA itself; it binds to the masters that are free. */
export function use_managed_driver(): int {
	return platform_driver_register(drivers.managed);
}

/** The masters that were ever bound, by "oracle,index". */
export function oracle_devices(): readonly (device | null | undefined)[] {
	return oracle.devices;
}
