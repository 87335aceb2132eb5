// SPDX-License-Identifier: GPL-2.0-only
// Memory that the device tree sets aside, and who takes care of it.
// Linux 6.12: include/linux/of_reserved_mem.h
import type { device } from '#linux/device.js';
import type { int, phys_addr_t, unsigned_long } from '#linux/types.js';

export class reserved_mem {
	name = '';
	/** Offset of the node in the flattened tree. */
	fdt_node: unsigned_long = 0;
	ops: reserved_mem_ops | null = null;
	base: phys_addr_t = 0;
	size: phys_addr_t = 0;
	priv: object | null = null;
}

export interface reserved_mem_ops {
	device_init?: (rmem: reserved_mem, dev: device) => int;
	device_release?: (rmem: reserved_mem, dev: device) => void;
}

export type reservedmem_of_init_fn = (rmem: reserved_mem) => int;

interface reservedmem_of_entry {
	readonly name: string;
	readonly compatible: string;
	readonly init: reservedmem_of_init_fn;
}

/** The image's __reservedmem_of_table section, in link order. */
export const __reservedmem_of_table: reservedmem_of_entry[] = [];

/** Have @init look at every reserved region of @compat (include/linux/of_reserved_mem.h: RESERVEDMEM_OF_DECLARE()). */
export function RESERVEDMEM_OF_DECLARE(name: string, compat: string, init: reservedmem_of_init_fn): void {
	__reservedmem_of_table.push({ name, compatible: compat, init });
}
