// SPDX-License-Identifier: GPL-2.0-only
// The kernel's devices behind IOMMUs, by name: looked up at moments when no lock of the kernel may be taken.

import { bus_for_each_dev } from '#drivers/base/bus.js';
import { platform_bus_type } from '#drivers/base/platform.js';
import { dev_name, type device } from '#linux/device.js';
import type { iommu_domain } from '#linux/iommu.js';
import { attachProbes } from './kernel.js';
import type { Watcher } from './watcher.js';

export class Devices implements Watcher {
	readonly #byName = new Map<string, device>();

	watchKernel(): () => void {
		this.#byName.clear();
		bus_for_each_dev(platform_bus_type, null, null, (dev) => {
			if (dev.iommu_group !== null) this.#byName.set(dev_name(dev), dev);
			return 0;
		});
		return attachProbes({
			add_device_to_group: (_data: unknown, _group: number, dev: device) =>
				this.#byName.set(dev_name(dev), dev),
			remove_device_from_group: (_data: unknown, _group: number, dev: device) =>
				this.#byName.delete(dev_name(dev)),
		});
	}

	/** All of them. */
	all(): Iterable<device> {
		return this.#byName.values();
	}

	find(name: string): device | null {
		return this.#byName.get(name) ?? null;
	}

	/** The domain that the core has the device called @name in; null: none. */
	domainOf(name: string): iommu_domain | null {
		return this.find(name)?.iommu_group?.domain ?? null;
	}
}
