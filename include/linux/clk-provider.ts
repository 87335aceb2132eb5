// SPDX-License-Identifier: GPL-2.0-only
// Clocks, for those who provide them.
// Linux 6.12: include/linux/clk-provider.h
//
// Left out: phase, duty cycle, accuracy, notifiers, debugfs.
import type { clk, clk_core } from '#drivers/clk/clk.js';
import type { err_ptr } from '#linux/err.js';
import type { device_node, of_init_fn_1, of_phandle_args } from '#linux/of.js';
import type { int, long, ref, u8, unsigned_int, unsigned_long } from '#linux/types.js';

export const CLK_SET_RATE_GATE = 1 << 0;
export const CLK_SET_PARENT_GATE = 1 << 1;
/** A new rate is asked of the parent. */
export const CLK_SET_RATE_PARENT = 1 << 2;
/** clk_disable_unused() leaves it on. */
export const CLK_IGNORE_UNUSED = 1 << 3;
export const CLK_GET_RATE_NOCACHE = 1 << 6;
export const CLK_SET_RATE_NO_REPARENT = 1 << 7;
/** On as soon as it is registered, and never off. */
export const CLK_IS_CRITICAL = 1 << 11;

export interface clk_ops {
	prepare?: (hw: clk_hw) => int;
	unprepare?: (hw: clk_hw) => void;
	enable?: (hw: clk_hw) => int;
	disable?: (hw: clk_hw) => void;
	is_enabled?: (hw: clk_hw) => int;
	recalc_rate?: (hw: clk_hw, parent_rate: unsigned_long) => unsigned_long;
	round_rate?: (hw: clk_hw, rate: unsigned_long, parent_rate: ref<unsigned_long>) => long;
	set_parent?: (hw: clk_hw, index: u8) => int;
	get_parent?: (hw: clk_hw) => u8;
	set_rate?: (hw: clk_hw, rate: unsigned_long, parent_rate: unsigned_long) => int;
	init?: (hw: clk_hw) => int;
}

/** How a parent is found: by hardware, by the name in `clock-names`, by index, by global name. */
export interface clk_parent_data {
	readonly hw?: clk_hw;
	readonly fw_name?: string;
	readonly name?: string;
	readonly index?: int;
}

export interface clk_init_data {
	readonly name: string;
	readonly ops: clk_ops;
	readonly parent_names?: readonly string[];
	readonly parent_data?: readonly clk_parent_data[];
	readonly parent_hws?: readonly clk_hw[];
	readonly flags?: unsigned_long;
}

/** A clock as its provider sees it; providers' structs extend it. */
export class clk_hw {
	core: clk_core | null = null;
	clk: clk | null = null;
	init: clk_init_data | null;
	constructor(init: clk_init_data | null = null) {
		this.init = init;
	}
}

export class clk_hw_onecell_data {
	num: unsigned_int = 0;
	hws: (clk_hw | err_ptr | null)[] = [];
}

export type of_clk_get_hw = (clkspec: of_phandle_args, data: unknown) => clk_hw | err_ptr;

export interface clk_of_entry {
	readonly name: string;
	readonly compatible: string;
	readonly fn: of_init_fn_1;
}

/** Every early clock provider of the image. */
export const __clk_of_table: clk_of_entry[] = [];

/** Have of_clk_init() call @fn for nodes that are compatible with @compat. */
export function CLK_OF_DECLARE(name: string, compat: string, fn: of_init_fn_1): void {
	__clk_of_table.push({ name, compatible: compat, fn });
}

export type { device_node };
