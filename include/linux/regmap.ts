// SPDX-License-Identifier: GPL-2.0-only
// One way to reach the registers of a device, whatever they hang on.
// Linux 6.12: include/linux/regmap.h
//
// Left out: caches, paging, interrupts, fields, every bus but MMIO.
import type { bool, int, unsigned_int } from '#linux/types.js';

export type { regmap } from '#drivers/base/regmap/regmap.js';

export interface regmap_config {
	readonly name?: string;
	readonly reg_bits: int;
	/** Bytes from one register to the next; 0 is taken as 1. */
	readonly reg_stride?: int;
	readonly val_bits: int;
	/** The offset of the last register; 0 or absent: no limit. */
	readonly max_register?: unsigned_int;
	readonly fast_io?: bool;
}

export interface reg_sequence {
	readonly reg: unsigned_int;
	readonly def: unsigned_int;
	readonly delay_us?: unsigned_int;
}
