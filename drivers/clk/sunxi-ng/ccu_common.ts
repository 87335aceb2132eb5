// SPDX-License-Identifier: GPL-2.0-only
// What the Allwinner clock units share: clocks by number, resets by number.
// Linux 6.12: drivers/clk/sunxi-ng/ccu_common.c, ccu_common.h
//
// Left out: PLLs, dividers and multiplexers. A clock that has them gates for real, and takes any rate.
import {
	clk_hw_unregister,
	of_clk_add_hw_provider,
	of_clk_del_provider,
	of_clk_hw_onecell_get,
	of_clk_hw_register,
} from '#drivers/clk/clk.js';
import { clk_fixed_rate, clk_fixed_rate_ops } from '#drivers/clk/clk-fixed-rate.js';
import { ccu_gate, ccu_gate_ops } from '#drivers/clk/sunxi-ng/ccu_gate.js';
import { ccu_reset, type ccu_reset_map, ccu_reset_ops } from '#drivers/clk/sunxi-ng/ccu_reset.js';
import { reset_controller_register } from '#drivers/reset/core.js';
import { type clk_hw, clk_hw_onecell_data } from '#linux/clk-provider.js';
import type { device } from '#linux/device.js';
import { ENOMEM } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp_types.js';
import type { device_node } from '#linux/of_node.js';
import { pr_err } from '#linux/printk.js';
import { kfree, kzalloc } from '#linux/slab.js';
import type { spinlock_t } from '#linux/spinlock.js';
import type { __iomem, int, u32, unsigned_int, unsigned_long } from '#linux/types.js';

/** A clock with a gate bit: its number in the device tree, name, parent, register, bit. */
export interface ccu_gate_desc {
	readonly id: unsigned_int;
	readonly name: string;
	readonly parent: string;
	readonly reg: u32;
	readonly enable: u32;
	readonly flags?: unsigned_long;
	/** Has a divider or multiplexer: takes a rate of its own. */
	readonly rate?: unsigned_long;
}

export interface sunxi_ccu_desc {
	readonly gates: readonly ccu_gate_desc[];
	readonly resets: readonly (ccu_reset_map | undefined)[];
	/** One more than the last clock number. */
	readonly num: unsigned_int;
	/** Rate of the buses that gates hang on. */
	readonly fixed: readonly {
		readonly id: unsigned_int;
		readonly name: string;
		readonly rate: unsigned_long;
	}[];
}

/** Linux prints this for a clock that fails. */
function report(node: device_node, id: unsigned_int, name: string): void {
	pr_err("Couldn't register clock %d - %s on %pOF", id, name, node);
}

function add_fixed(
	node: device_node,
	data: clk_hw_onecell_data,
	id: unsigned_int,
	name: string,
	rate: unsigned_long,
): int {
	const fixed = kzalloc(clk_fixed_rate, GFP_KERNEL);
	if (fixed === null) return -ENOMEM;
	data.hws[id] = fixed;
	fixed.fixed_rate = rate;
	fixed.init = { name, ops: clk_fixed_rate_ops };
	const ret = of_clk_hw_register(node, fixed);
	if (ret !== 0) report(node, id, name);
	return ret;
}

function add_gate(
	node: device_node,
	data: clk_hw_onecell_data,
	reg: __iomem,
	lock: spinlock_t,
	g: ccu_gate_desc,
): int {
	const gate = kzalloc(ccu_gate, GFP_KERNEL);
	if (gate === null) return -ENOMEM;
	data.hws[g.id] = gate;
	gate.base = reg;
	gate.reg = g.reg;
	gate.enable = g.enable;
	gate.lock = lock;
	gate.own_rate = g.rate ?? 0;
	gate.init = { name: g.name, ops: ccu_gate_ops, parent_names: [g.parent], flags: g.flags ?? 0 };
	const ret = of_clk_hw_register(node, gate);
	if (ret !== 0) report(node, g.id, g.name);
	return ret;
}

function add_resets(
	dev: device | null,
	node: device_node,
	reg: __iomem,
	lock: spinlock_t,
	desc: sunxi_ccu_desc,
): int {
	const reset = kzalloc(ccu_reset, GFP_KERNEL);
	if (reset === null) return -ENOMEM;
	reset.base = reg;
	reset.reset_map = desc.resets;
	reset.lock = lock;
	reset.rcdev.of_node = node;
	reset.rcdev.ops = ccu_reset_ops;
	reset.rcdev.dev = dev;
	reset.rcdev.nr_resets = desc.resets.length;
	const ret = reset_controller_register(reset.rcdev);
	if (ret !== 0) kfree(reset);
	return ret;
}

/**
 * Register a unit's clocks and resets, all or none (drivers/clk/sunxi-ng/ccu_common.c: of_sunxi_ccu_probe()).
 *
 * A number without a table entry is an always-on clock named "clock@3001000-dummy-4", so that drivers find it.
 */
export function sunxi_ccu_probe(
	dev: device | null,
	node: device_node,
	reg: __iomem,
	lock: spinlock_t,
	desc: sunxi_ccu_desc,
): int {
	const data = kzalloc(clk_hw_onecell_data, GFP_KERNEL);
	if (data === null) return -ENOMEM;
	data.num = desc.num;
	data.hws = new Array<clk_hw | null>(desc.num).fill(null);

	let ret: int = 0;
	for (const { id, name, rate } of desc.fixed) ret ||= add_fixed(node, data, id, name, rate);
	for (const gate of desc.gates) ret ||= add_gate(node, data, reg, lock, gate);
	for (let id = 0; id < desc.num; id++)
		if (data.hws[id] === null) ret ||= add_fixed(node, data, id, `${node.full_name}-dummy-${id}`, 24000000);

	if (ret === 0) {
		ret = of_clk_add_hw_provider(node, of_clk_hw_onecell_get, data);
		if (ret === 0) {
			ret = add_resets(dev, node, reg, lock, desc);
			if (ret === 0) return 0;
			of_clk_del_provider(node);
		}
	}
	for (const hw of data.hws as (clk_hw | null)[]) {
		if (hw === null) continue;
		clk_hw_unregister(hw);
		kfree(hw);
	}
	kfree(data);
	return ret;
}
