// SPDX-License-Identifier: GPL-2.0-only
// What the Rockchip clock units share: gates by number.
// Linux 6.12: drivers/clk/rockchip/clk.c, clk.h
//
// Left out: PLLs, dividers, multiplexers, phases, CPU clocks, critical clocks, the restart notifier. A branch that has
// a divider or a multiplexer stands here with its gate alone, and its parent is the crystal, or the one that Linux
// names when it can have but one; no rate is right.
import { of_clk_add_hw_provider, of_clk_hw_onecell_get, of_clk_hw_register } from '#drivers/clk/clk.js';
import { clk_fixed_rate, clk_fixed_rate_ops } from '#drivers/clk/clk-fixed-rate.js';
import {
	CLK_GATE_HIWORD_MASK,
	CLK_GATE_SET_TO_DISABLE,
	clk_gate,
	clk_gate_ops,
} from '#drivers/clk/clk-gate.js';
import { type clk_hw, clk_hw_onecell_data } from '#linux/clk-provider.js';
import { ERR_PTR, type err_ptr, IS_ERR } from '#linux/err.js';
import { ENOENT, ENOMEM } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp_types.js';
import type { device_node } from '#linux/of_node.js';
import { pr_err } from '#linux/printk.js';
import { kfree, kzalloc } from '#linux/slab.js';
import { spin_lock_init, spinlock_t } from '#linux/spinlock.js';
import type { __iomem, int, u8, u32, unsigned_int, unsigned_long } from '#linux/types.js';

export const RK3399_CLKGATE_CON = (x: int): u32 => x * 4 + 0x300;
export const RK3399_SOFTRST_CON = (x: int): u32 => x * 4 + 0x400;
export const RK3399_PMU_SOFTRST_CON = (x: int): u32 => x * 4 + 0x110;
export const RK3568_CLKGATE_CON = (x: int): u32 => x * 4 + 0x300;
export const RK3568_SOFTRST_CON = (x: int): u32 => x * 4 + 0x400;
export const RK3568_PMU_SOFTRST_CON = (x: int): u32 => x * 4 + 0x200;

const GFLAGS = CLK_GATE_HIWORD_MASK | CLK_GATE_SET_TO_DISABLE;
/** Of what has no gate here. */
const CRYSTAL: unsigned_long = 24000000;

export interface rockchip_clk_branch {
	/** 0: nobody looks it up. */
	readonly id: unsigned_int;
	readonly name: string;
	readonly parent: string;
	/** -1: no gate of its own. */
	readonly gate_offset: int;
	readonly gate_shift: u8;
}

export class rockchip_clk_provider {
	reg_base: __iomem = 0;
	clk_data: clk_hw_onecell_data | null = null;
	cru_node: device_node | null = null;
	readonly lock: spinlock_t = new spinlock_t('rockchip_clk_provider.lock');
}

/** A branch, as Linux's tables have them (drivers/clk/rockchip/clk.h: GATE()). */
export function GATE(
	id: unsigned_int,
	name: string,
	parent: string,
	gate_offset: u32,
	gate_shift: u8,
): rockchip_clk_branch {
	return { id, name, parent, gate_offset, gate_shift };
}

/** A multiplexer, by its first parent (drivers/clk/rockchip/clk.h: MUX()). */
export function MUX(id: unsigned_int, name: string, parent: string): rockchip_clk_branch {
	return { id, name, parent, gate_offset: -1, gate_shift: 0 };
}

/** Room for @nr_clks clocks of the unit at @base, or ERR_PTR(-ENOMEM) (drivers/clk/rockchip/clk.c: rockchip_clk_init()). */
export function rockchip_clk_init(
	np: device_node,
	base: __iomem,
	nr_clks: unsigned_long,
): rockchip_clk_provider | err_ptr {
	const ctx = kzalloc(rockchip_clk_provider, GFP_KERNEL);
	if (ctx === null) return ERR_PTR(-ENOMEM);
	const data = kzalloc(clk_hw_onecell_data, GFP_KERNEL);
	if (data === null) {
		kfree(ctx);
		return ERR_PTR(-ENOMEM);
	}
	data.num = nr_clks;
	data.hws = new Array<clk_hw | err_ptr>(nr_clks).fill(ERR_PTR(-ENOENT));
	ctx.reg_base = base;
	ctx.clk_data = data;
	ctx.cru_node = np;
	spin_lock_init(ctx.lock);
	return ctx;
}

function register_gate(ctx: rockchip_clk_provider, list: rockchip_clk_branch): clk_hw | null {
	const gate = kzalloc(clk_gate, GFP_KERNEL);
	if (gate === null) return null;
	gate.reg = ctx.reg_base + list.gate_offset;
	gate.bit_idx = list.gate_shift;
	gate.flags = GFLAGS;
	gate.lock = ctx.lock;
	gate.init = { name: list.name, ops: clk_gate_ops, parent_names: [list.parent] };
	return gate;
}

function register_fixed(name: string, parent: string | null): clk_hw | null {
	const fixed = kzalloc(clk_fixed_rate, GFP_KERNEL);
	if (fixed === null) return null;
	fixed.fixed_rate = CRYSTAL;
	fixed.init = { name, ops: clk_fixed_rate_ops, parent_names: parent === null ? [] : [parent] };
	return fixed;
}

/** Register @hw under @id; on failure Linux says so and goes on. */
function add_lookup(ctx: rockchip_clk_provider, id: unsigned_int, name: string, hw: clk_hw | null): void {
	const ret = hw === null ? -ENOMEM : of_clk_hw_register(ctx.cru_node, hw);
	if (ret !== 0 || hw === null) {
		pr_err('%s: failed to register clock %s: %d', 'rockchip_clk_register_branches', name, ret);
		kfree(hw);
		return;
	}
	if (id !== 0 && ctx.clk_data !== null) ctx.clk_data.hws[id] = hw;
}

/** Register the clocks of @list (drivers/clk/rockchip/clk.c: rockchip_clk_register_branches()). */
export function rockchip_clk_register_branches(
	ctx: rockchip_clk_provider,
	list: readonly rockchip_clk_branch[],
): void {
	for (const branch of list)
		add_lookup(
			ctx,
			branch.id,
			branch.name,
			branch.gate_offset < 0 ? register_fixed(branch.name, branch.parent) : register_gate(ctx, branch),
		);
}

/** Have drivers find the clocks by number (drivers/clk/rockchip/clk.c: rockchip_clk_of_add_provider()). One that is not in the tables is an always-on dummy. */
export function rockchip_clk_of_add_provider(np: device_node, ctx: rockchip_clk_provider): void {
	const data = ctx.clk_data as clk_hw_onecell_data;
	for (let id = 0; id < data.num; id++) {
		if (!IS_ERR(data.hws[id]!)) continue;
		const name = `${np.full_name}-dummy-${id}`;
		add_lookup(ctx, id, name, register_fixed(name, null));
	}
	if (of_clk_add_hw_provider(np, of_clk_hw_onecell_get, data) !== 0)
		pr_err('%s: could not register clk provider', 'rockchip_clk_of_add_provider');
}
