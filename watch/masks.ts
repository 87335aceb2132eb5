// SPDX-License-Identifier: GPL-2.0-only
// INV-RANGE of dma_set_mask(): a driver promises no more address lines than its device has, as it is bound.
//
// A part of a display has its mask set by its driver, and another device may map for it: mappings tell of those that map
// (buffer-views.ts).

import { bus_register_notifier, bus_unregister_notifier } from '#drivers/base/bus.js';
import { platform_bus_type } from '#drivers/base/platform.js';
import { hex } from '#hw/core/register-file.js';
import {
	BUS_NOTIFY_BIND_DRIVER,
	BUS_NOTIFY_BOUND_DRIVER,
	BUS_NOTIFY_UNBOUND_DRIVER,
	dev_name,
	type device,
} from '#linux/device.js';
import { DMA_BIT_MASK, dma_get_mask } from '#linux/dma-mapping.js';
import { notifier_block } from '#linux/notifier.js';
import { asReturns } from './report.js';
import type { Watched, Watcher } from './watcher.js';

export class Masks implements Watcher {
	/** Devices with a driver, and a model that says how many lines it has. */
	readonly #bound = new Map<device, number>();
	readonly #notifier = new notifier_block((_nb, event, data) => {
		this.#notified(event, data as device);
		return 0;
	});

	constructor(readonly watched: Watched) {}

	watchKernel(): () => void {
		this.#bound.clear();
		this.busesStand();
		return () => {
			bus_unregister_notifier(platform_bus_type, this.#notifier);
		};
	}

	/** A kernel that boots has none before. */
	busesStand(): void {
		bus_unregister_notifier(platform_bus_type, this.#notifier);
		bus_register_notifier(platform_bus_type, this.#notifier);
	}

	#notified(event: number, dev: device): void {
		const lines = this.watched.machine.models.get(dev_name(dev))?.addressLines;
		if (event === BUS_NOTIFY_UNBOUND_DRIVER) this.#bound.delete(dev);
		else if (event === BUS_NOTIFY_BIND_DRIVER && lines !== undefined) this.#bound.set(dev, lines);
		// A part's driver may get to it only when the whole is bound.
		else if (event === BUS_NOTIFY_BOUND_DRIVER)
			for (const [part, most] of this.#bound) this.#judge(part, most);
	}

	#judge(dev: device, lines: number): void {
		const mask = dma_get_mask(dev);
		if (mask <= DMA_BIT_MASK(lines)) return;
		const driver = dev.driver?.name ?? 'its driver';
		this.watched.find({
			invariant: 'INV-RANGE',
			kind: 'mask-too-wide',
			device: dev_name(dev),
			...asReturns('dma_set_mask', dev_name(dev)),
			details: [
				`The DMA mask of ${dev_name(dev)} is ${hex(mask)}, and the device has ${lines} address lines`,
			],
			advice: `${driver} calls dma_set_mask() (or dma_set_mask_and_coherent()) with more bits than its device has, in its probe() or bind(): DMA_BIT_MASK(${lines}); addresses above would be cut`,
		});
	}
}
