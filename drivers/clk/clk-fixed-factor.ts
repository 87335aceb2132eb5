// SPDX-License-Identifier: GPL-2.0-only
// Clocks that run at a fixed fraction of their parent.
// Linux 6.12: drivers/clk/clk-fixed-factor.c
//
// Left out: passing rates up, accuracy.
import { of_clk_add_hw_provider, of_clk_hw_register, of_clk_hw_simple_get } from '#drivers/clk/clk.js';
import { of_property_read_string, of_property_read_u32 } from '#drivers/of/property.js';
import { CLK_OF_DECLARE, clk_hw, type clk_ops } from '#linux/clk-provider.js';
import { GFP_KERNEL } from '#linux/gfp_types.js';
import type { device_node } from '#linux/of_node.js';
import { pr_err } from '#linux/printk.js';
import { kfree, kzalloc } from '#linux/slab.js';
import { ref, type u32, type unsigned_int } from '#linux/types.js';

export class clk_fixed_factor extends clk_hw {
	mult: unsigned_int = 1;
	div: unsigned_int = 1;
}

export const clk_fixed_factor_ops: clk_ops = {
	recalc_rate: (hw, parent_rate) => {
		const fix = hw as clk_fixed_factor;
		return Math.floor((parent_rate * fix.mult) / fix.div);
	},
};

/** Set up a "fixed-factor-clock" node (drivers/clk/clk-fixed-factor.c: of_fixed_factor_clk_setup()). */
export function of_fixed_factor_clk_setup(node: device_node): void {
	const div = new ref<u32>(1);
	const mult = new ref<u32>(1);
	const name = new ref<string>(node.name);
	if (of_property_read_u32(node, 'clock-div', div) !== 0 || div.value === 0) {
		pr_err('%s Fixed factor clock <%pOFn> must have a clock-div property', 'of_fixed_factor_clk_setup', node);
		return;
	}
	if (of_property_read_u32(node, 'clock-mult', mult) !== 0) {
		pr_err(
			'%s Fixed factor clock <%pOFn> must have a clock-mult property',
			'of_fixed_factor_clk_setup',
			node,
		);
		return;
	}
	of_property_read_string(node, 'clock-output-names', name);
	const fix = kzalloc(clk_fixed_factor, GFP_KERNEL);
	if (fix === null) return;
	fix.mult = mult.value;
	fix.div = div.value;
	fix.init = { name: name.value, ops: clk_fixed_factor_ops, parent_data: [{ index: 0 }] };
	if (of_clk_hw_register(node, fix) !== 0) {
		kfree(fix);
		return;
	}
	of_clk_add_hw_provider(node, of_clk_hw_simple_get, fix);
}
CLK_OF_DECLARE('fixed_factor_clk', 'fixed-factor-clock', of_fixed_factor_clk_setup);
