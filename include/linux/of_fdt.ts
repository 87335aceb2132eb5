// SPDX-License-Identifier: GPL-2.0-only
// The flattened device tree at boot.
// Linux 6.12: include/linux/of_fdt.h
import { boot_data } from '#linux/init.js';
import { type int, U64_MAX } from '#linux/types.js';

/** What the boot blob and its root node say. */
export const of_fdt = boot_data(() => ({
	initial_boot_params: null as Uint8Array | null,
	dt_root_addr_cells: 1 as int,
	dt_root_size_cells: 1 as int,
}));

/** No address of memory is above this. */
export const MAX_MEMBLOCK_ADDR = U64_MAX;
