// SPDX-License-Identifier: GPL-2.0-only
// Reset bits in a Rockchip clock unit: sixteen in a word, in the order of their numbers.
// Linux 6.12: drivers/clk/rockchip/softrst.c
//
// Left out: tables of numbers, words without a mask in their upper half.
import { reset_controller_register } from '#drivers/reset/core.js';
import { BIT } from '#linux/bits.js';
import { GFP_KERNEL } from '#linux/gfp_types.js';
import { writel } from '#linux/io.js';
import type { device_node } from '#linux/of_node.js';
import { pr_err } from '#linux/printk.js';
import { type reset_control_ops, reset_controller_dev } from '#linux/reset-controller.js';
import { kfree, kzalloc } from '#linux/slab.js';
import { type __iomem, container_of, type int, type unsigned_int, type unsigned_long } from '#linux/types.js';

const NUM_PER_REG = 16;

class rockchip_softrst {
	readonly rcdev: reset_controller_dev = new reset_controller_dev(this);
	reg_base: __iomem = 0;
}

function rockchip_softrst_reg(rcdev: reset_controller_dev, id: unsigned_long): __iomem {
	const softrst = container_of(rcdev, rockchip_softrst);
	return softrst.reg_base + 4 * Math.floor(id / NUM_PER_REG);
}

function rockchip_softrst_assert(rcdev: reset_controller_dev, id: unsigned_long): int {
	const offset = id % NUM_PER_REG;
	writel((BIT(offset) | BIT(offset + 16)) >>> 0, rockchip_softrst_reg(rcdev, id));
	return 0;
}

function rockchip_softrst_deassert(rcdev: reset_controller_dev, id: unsigned_long): int {
	writel(BIT((id % NUM_PER_REG) + 16), rockchip_softrst_reg(rcdev, id));
	return 0;
}

const rockchip_softrst_ops: reset_control_ops = {
	assert: rockchip_softrst_assert,
	deassert: rockchip_softrst_deassert,
};

/** Provide the resets of @num_regs words at @base to users of @np (drivers/clk/rockchip/softrst.c: rockchip_register_softrst()). */
export function rockchip_register_softrst(np: device_node, num_regs: unsigned_int, base: __iomem): void {
	const softrst = kzalloc(rockchip_softrst, GFP_KERNEL);
	if (softrst === null) return;

	softrst.reg_base = base;
	softrst.rcdev.nr_resets = num_regs * NUM_PER_REG;
	softrst.rcdev.ops = rockchip_softrst_ops;
	softrst.rcdev.of_node = np;
	const ret = reset_controller_register(softrst.rcdev);
	if (ret !== 0) {
		pr_err('%s: could not register reset controller, %d', 'rockchip_register_softrst_lut', ret);
		kfree(softrst);
	}
}
