// SPDX-License-Identifier: GPL-2.0-only
// From a PCI bus to the host bridge above it.
// Linux 6.12: drivers/pci/host-bridge.c
// Left out: all but pci_find_host_bridge().
import type { device } from '#linux/device.js';
import { type pci_bus, type pci_host_bridge, pci_is_root_bus, to_pci_host_bridge } from '#linux/pci.js';

/** The host bridge of @bus (drivers/pci/host-bridge.c: pci_find_host_bridge()). */
export function pci_find_host_bridge(bus: pci_bus): pci_host_bridge {
	let root = bus;
	while (!pci_is_root_bus(root)) root = root.parent as pci_bus;
	return to_pci_host_bridge(root.bridge as device);
}
