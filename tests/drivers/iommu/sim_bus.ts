// SPDX-License-Identifier: GPL-2.0-only
// A bus in the manner of PCI, of devices only; on request it is the one that the kernel takes for PCI.
// Each has a requester id (slot * 8 + function), and some of them reach the IOMMU under another device's id.
import sinon from 'sinon';
import { bus_find_device, bus_register } from '#drivers/base/bus.js';
import { dev_set_name, device_add, device_del, device_initialize, put_device } from '#drivers/base/core.js';
import {
	iommu_device_register_bus,
	iommu_device_unregister_bus,
	iommu_group_alloc,
	iommu_group_get,
} from '#drivers/iommu/iommu.js';
import { iommu_device_sysfs_add, iommu_device_sysfs_remove } from '#drivers/iommu/iommu-sysfs.js';
import type { bus_type } from '#linux/device/bus.js';
import { device } from '#linux/device.js';
import { ERR_PTR } from '#linux/err.js';
import { ENODEV } from '#linux/errno.js';
import type { iommu_group, iommu_ops } from '#linux/iommu.js';
import { notifier_block } from '#linux/notifier.js';
import { pci_bus_type, pci_dev } from '#linux/pci.js';
import { ref } from '#linux/types.js';
import { TestDriver } from './test_driver.js';

export class SimBus {
	readonly bus: bus_type;
	readonly nb = new notifier_block();
	readonly driver: TestDriver;
	/** The id that an id appears as at the IOMMU, where that is another one. */
	readonly alias = new Map<number, number>();
	/** Slots whose functions can reach each other past the IOMMU. */
	readonly leaky = new Set<number>();

	constructor(over: Partial<iommu_ops> = {}, bus: bus_type = { name: 'simpci' }) {
		this.bus = bus;
		this.driver = new TestDriver('simmmu', {
			// An IOMMU without a node of its own is asked about every device that names no other.
			probe_device: sinon.spy((dev: device) => (dev.bus === this.bus ? this.driver.iommu : ERR_PTR(-ENODEV))),
			device_group: sinon.spy((dev: device) => this.#group(dev)),
			...over,
		});
		this.driver.iommu.fwnode = null;
		const ret = bus_register(this.bus);
		if (ret !== 0) throw new Error(`cannot register the bus: ${ret}`);
	}

	register(): number {
		const ret = iommu_device_sysfs_add(this.driver.iommu, null, null, this.driver.name);
		if (ret !== 0) return ret;
		return iommu_device_register_bus(this.driver.iommu, this.driver.ops, this.bus, this.nb);
	}

	unregister(): void {
		iommu_device_unregister_bus(this.driver.iommu, this.bus, this.nb);
		this.forget();
	}

	/** The part in sysfs, which is left when register() fails. */
	forget(): void {
		iommu_device_sysfs_remove(this.driver.iommu);
	}

	/** The device of id @id, which the bus has found. */
	add(id: number, name?: string): device {
		return this.#add(id, name, this.bus === pci_bus_type ? new pci_dev().dev : new device());
	}

	/** A PCI device, as @set makes it before the kernel sees it. */
	addPci(id: number, set: (pdev: pci_dev) => void): device {
		const pdev = new pci_dev();
		set(pdev);
		return this.#add(id, undefined, pdev.dev);
	}

	#add(id: number, name = `0:${id >> 3}.${id & 7}`, dev: device): device {
		device_initialize(dev);
		dev_set_name(dev, '%s', name);
		dev.bus = this.bus;
		dev.id = id;
		dev.dma_mask = new ref(0xffff_ffff);
		dev.coherent_dma_mask = 0xffff_ffff;
		dev.release = () => {};
		const ret = device_add(dev);
		if (ret !== 0) throw new Error(`cannot add ${name}: ${ret}`);
		return dev;
	}

	remove(dev: device): void {
		device_del(dev);
		put_device(dev);
	}

	#find(wanted: (id: number) => boolean): iommu_group | null {
		const dev = bus_find_device(this.bus, null, null, (d) =>
			d.iommu_group !== null && wanted(d.id) ? 1 : 0,
		);
		return dev !== null ? iommu_group_get(dev) : null;
	}

	/** The group of a device that the IOMMU cannot tell from @dev, or a new one. */
	#group(dev: device): ReturnType<typeof iommu_group_alloc> {
		const seen = (id: number): number => this.alias.get(id) ?? id;
		const slot = dev.id >> 3;
		return (
			this.#find((id) => seen(id) === seen(dev.id)) ??
			(this.leaky.has(slot) ? this.#find((id) => id >> 3 === slot) : null) ??
			iommu_group_alloc()
		);
	}
}
