// SPDX-License-Identifier: GPL-2.0-only
// What the IOMMU layer asks of a PCI device, its bus and its host bridge.
// Linux 6.12: include/linux/pci.h
// Left out: all the rest. No board here has PCI; a simulated bus that registers pci_bus_type gets what PCI gets.
import type { bus_type } from '#linux/device/bus.js';
import { device } from '#linux/device.js';
import { list_head } from '#linux/list.js';
import type { resource_entry } from '#linux/resource_ext.js';
import { type bool, container_of, type unsigned_int } from '#linux/types.js';

/** A bus; its parent is nearer to the CPU (include/linux/pci.h: struct pci_bus). */
export class pci_bus {
	/** Null: the root bus. */
	parent: pci_bus | null = null;
	/** On the root bus the host bridge's device. */
	bridge: device | null = null;
}

/** Where PCI meets the CPU's bus (include/linux/pci.h: struct pci_host_bridge). */
export class pci_host_bridge {
	readonly dev = new device(this);
	/** What the CPU sees of the devices: in front of them these bus addresses never reach memory. */
	readonly windows = new list_head<resource_entry>();
	/** What the devices see of memory; empty: all of it. */
	readonly dma_ranges = new list_head<resource_entry>();
}

/** A function of a device on a bus (include/linux/pci.h: struct pci_dev). */
export class pci_dev {
	readonly dev = new device(this);
	bus: pci_bus | null = null;
	/** It sits where a stranger can plug in what he likes. */
	untrusted: unsigned_int = 0;
}

/** The bus of every PCI device (drivers/pci/pci-driver.c: pci_bus_type). */
export const pci_bus_type: bus_type = { name: 'pci' };

/** Whether @d is a PCI device (include/linux/pci.h: dev_is_pci()). */
export function dev_is_pci(d: device): bool {
	return d.bus === pci_bus_type;
}

/** The PCI device that embeds @n (include/linux/pci.h: to_pci_dev()). */
export function to_pci_dev(n: device): pci_dev {
	return container_of(n, pci_dev);
}

/** The host bridge that embeds @n (include/linux/pci.h: to_pci_host_bridge()). */
export function to_pci_host_bridge(n: device): pci_host_bridge {
	return container_of(n, pci_host_bridge);
}

/** Whether @pbus has no bus above it (include/linux/pci.h: pci_is_root_bus()). */
export function pci_is_root_bus(pbus: pci_bus): bool {
	return pbus.parent === null;
}
