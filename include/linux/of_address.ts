// SPDX-License-Identifier: GPL-2.0-only
// Addresses in the device tree.
// Linux 6.12: include/linux/of_address.h
import type { device_node } from '#linux/of.js';
import type { dma_addr_t, int, phys_addr_t, u64, unsigned_int } from '#linux/types.js';

/** The state of a walk through `ranges` or `dma-ranges`. */
export class of_pci_range_parser {
	node: device_node | null = null;
	/** What is left of the property. */
	range: Uint8Array = new Uint8Array(0);
	/** Address cells of the bus that has the property. */
	na: int = 0;
	ns: int = 0;
	/** Address cells of the bus above it. */
	pna: int = 0;
	dma: boolean = false;
}
export { of_pci_range_parser as of_range_parser };

export class of_pci_range {
	bus_addr: u64 = 0;
	/** OF_BAD_ADDR when the address has no CPU address. */
	cpu_addr: u64 = 0;
	size: u64 = 0;
	flags: unsigned_int = 0;
}

export type { dma_addr_t, phys_addr_t };
export { of_pci_range as of_range };
