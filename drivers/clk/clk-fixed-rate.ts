// SPDX-License-Identifier: GPL-2.0-only
// Clocks that always run, at one rate.
// Linux 6.12: drivers/clk/clk-fixed-rate.c
//
// Left out: accuracy, the platform driver for clocks that appear late.
import {
	clk_hw_register,
	of_clk_add_hw_provider,
	of_clk_hw_register,
	of_clk_hw_simple_get,
} from '#drivers/clk/clk.js';
import { of_property_read_string, of_property_read_u32 } from '#drivers/of/property.js';
import { CLK_OF_DECLARE, clk_hw, type clk_init_data, type clk_ops } from '#linux/clk-provider.js';
import type { device } from '#linux/device.js';
import { ERR_PTR, type err_ptr, IS_ERR } from '#linux/err.js';
import { EIO, ENOMEM } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp_types.js';
import type { device_node } from '#linux/of_node.js';
import { kfree, kzalloc } from '#linux/slab.js';
import { ref, type u32, type unsigned_long } from '#linux/types.js';

export class clk_fixed_rate extends clk_hw {
	fixed_rate: unsigned_long = 0;
}

export const clk_fixed_rate_ops: clk_ops = {
	recalc_rate: (hw) => (hw as clk_fixed_rate).fixed_rate,
};

function make(
	dev: device | null,
	node: device_node | null,
	init: clk_init_data,
	fixed_rate: unsigned_long,
): clk_hw | err_ptr {
	const fixed = kzalloc(clk_fixed_rate, GFP_KERNEL);
	if (fixed === null) return ERR_PTR(-ENOMEM);
	fixed.init = init;
	fixed.fixed_rate = fixed_rate;
	const ret = node !== null ? of_clk_hw_register(node, fixed) : clk_hw_register(dev, fixed);
	if (ret !== 0) {
		kfree(fixed);
		return ERR_PTR(ret);
	}
	return fixed;
}

/** A clock of @fixed_rate Hz (drivers/clk/clk-fixed-rate.c: clk_hw_register_fixed_rate()). */
export function clk_hw_register_fixed_rate(
	dev: device | null,
	name: string,
	parent_name: string | null,
	flags: unsigned_long,
	fixed_rate: unsigned_long,
): clk_hw | err_ptr {
	const init: clk_init_data = {
		name,
		ops: clk_fixed_rate_ops,
		flags,
		parent_names: parent_name === null ? [] : [parent_name],
	};
	return make(dev, null, init, fixed_rate);
}

function _of_fixed_clk_setup(node: device_node): clk_hw | err_ptr {
	const rate = new ref<u32>(0);
	const name = new ref<string>(node.name);
	if (of_property_read_u32(node, 'clock-frequency', rate) !== 0) return ERR_PTR(-EIO);
	of_property_read_string(node, 'clock-output-names', name);
	const hw = make(null, node, { name: name.value, ops: clk_fixed_rate_ops }, rate.value);
	if (IS_ERR(hw)) return hw;
	const ret = of_clk_add_hw_provider(node, of_clk_hw_simple_get, hw);
	return ret !== 0 ? ERR_PTR(ret) : hw;
}

/** Set up a "fixed-clock" node (drivers/clk/clk-fixed-rate.c: of_fixed_clk_setup()). */
export function of_fixed_clk_setup(node: device_node): void {
	_of_fixed_clk_setup(node);
}
CLK_OF_DECLARE('fixed_clk', 'fixed-clock', of_fixed_clk_setup);
