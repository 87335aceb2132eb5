// SPDX-License-Identifier: GPL-2.0-only
// Wires mixers, timing controllers and HDMI together; gates the clocks of the TV paths.
// Linux 6.12: drivers/gpu/drm/sun4i/sun8i_tcon_top.c
// Left out: the second TV path and DSI of other chips; drivers/clk/clk-gate.c (its few lines stand here).
import { component_add, component_del } from '#drivers/base/component.js';
import { devm_kzalloc } from '#drivers/base/devres.js';
import { devm_platform_ioremap_resource } from '#drivers/base/platform.js';
import {
	clk_hw_register,
	clk_hw_unregister,
	of_clk_add_hw_provider,
	of_clk_del_provider,
	of_clk_hw_onecell_get,
} from '#drivers/clk/clk.js';
import { devm_clk_get } from '#drivers/clk/clk-devres.js';
import { of_match_node } from '#drivers/of/base.js';
import { of_property_read_string_index } from '#drivers/of/property.js';
import { reset_control_assert, reset_control_deassert } from '#drivers/reset/core.js';
import { type clk, clk_disable_unprepare, clk_prepare_enable } from '#linux/clk.js';
import { CLK_SET_RATE_PARENT, clk_hw, clk_hw_onecell_data, type clk_ops } from '#linux/clk-provider.js';
import type { component_ops } from '#linux/component.js';
import { dev_err } from '#linux/dev_printk.js';
import { dev_get_drvdata, dev_set_drvdata, type device } from '#linux/device.js';
import { IS_ERR, PTR_ERR } from '#linux/err.js';
import { EINVAL, ENOMEM } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { readl, writel } from '#linux/io.js';
import type { of_device_id } from '#linux/mod_devicetable.js';
import { module_platform_driver, platform_driver, to_platform_device } from '#linux/platform_device.js';
import { devm_reset_control_get, type reset_control } from '#linux/reset.js';
import { spin_lock_irqsave, spin_unlock_irqrestore, spinlock_t } from '#linux/spinlock.js';
import { type __iomem, type int, ref } from '#linux/types.js';

const TCON_TOP_PORT_SEL_REG = 0x1c;
const TCON_TOP_PORT_DE0_MSK = 0x3;
const TCON_TOP_PORT_DE1_MSK = 0x30;
const TCON_TOP_GATE_SRC_REG = 0x20;
const TCON_TOP_HDMI_SRC_MSK = 0x30000000;
const TCON_TOP_TCON_TV0_GATE = 20;

class tcon_top_gate extends clk_hw {
	top!: sun8i_tcon_top;
	bit_idx: int = 0;
}

class sun8i_tcon_top {
	bus!: clk;
	readonly clk_data = new clk_hw_onecell_data();
	readonly gate = new tcon_top_gate();
	regs: __iomem = 0;
	rst!: reset_control;
	/** Gates and multiplexers share a register. */
	readonly reg_lock = new spinlock_t('sun8i_tcon_top.reg_lock');
}

function gate_set(hw: clk_hw, enable: boolean): void {
	const { top, bit_idx } = hw as tcon_top_gate;
	const flags = spin_lock_irqsave(top.reg_lock);
	const reg = readl(top.regs + TCON_TOP_GATE_SRC_REG);
	const bit = 1 << bit_idx;
	writel((enable ? reg | bit : reg & ~bit) >>> 0, top.regs + TCON_TOP_GATE_SRC_REG);
	spin_unlock_irqrestore(top.reg_lock, flags);
}

const clk_gate_ops: clk_ops = {
	enable: (hw) => {
		gate_set(hw, true);
		return 0;
	},
	disable: (hw) => gate_set(hw, false),
	is_enabled: (hw) => {
		const { top, bit_idx } = hw as tcon_top_gate;
		return (readl(top.regs + TCON_TOP_GATE_SRC_REG) >>> bit_idx) & 1;
	},
};

export const sun8i_tcon_top_of_table: readonly of_device_id[] = [
	{ compatible: 'allwinner,sun50i-h6-tcon-top' },
];

/**
 * Which timing controller HDMI shows. -EINVAL.
 * Linux: drivers/gpu/drm/sun4i/sun8i_tcon_top.c: sun8i_tcon_top_set_hdmi_src()
 */
export function sun8i_tcon_top_set_hdmi_src(dev: device, tcon: int): int {
	const tcon_top = dev_get_drvdata<sun8i_tcon_top>(dev);
	if (!of_match_node(sun8i_tcon_top_of_table, dev.of_node!)) {
		dev_err(dev, 'Device is not TCON TOP!');
		return -EINVAL;
	}
	if (tcon < 2 || tcon > 3) {
		dev_err(dev, 'TCON index must be 2 or 3!');
		return -EINVAL;
	}
	const flags = spin_lock_irqsave(tcon_top.reg_lock);
	const val = readl(tcon_top.regs + TCON_TOP_GATE_SRC_REG) & ~TCON_TOP_HDMI_SRC_MSK;
	writel((val | ((tcon - 1) << 28)) >>> 0, tcon_top.regs + TCON_TOP_GATE_SRC_REG);
	spin_unlock_irqrestore(tcon_top.reg_lock, flags);
	return 0;
}

/**
 * Which timing controller @mixer feeds. -EINVAL.
 * Linux: drivers/gpu/drm/sun4i/sun8i_tcon_top.c: sun8i_tcon_top_de_config()
 */
export function sun8i_tcon_top_de_config(dev: device, mixer: int, tcon: int): int {
	const tcon_top = dev_get_drvdata<sun8i_tcon_top>(dev);
	if (!of_match_node(sun8i_tcon_top_of_table, dev.of_node!)) {
		dev_err(dev, 'Device is not TCON TOP!');
		return -EINVAL;
	}
	if (mixer > 1) {
		dev_err(dev, 'Mixer index is too high!');
		return -EINVAL;
	}
	if (tcon > 3) {
		dev_err(dev, 'TCON index is too high!');
		return -EINVAL;
	}
	const flags = spin_lock_irqsave(tcon_top.reg_lock);
	const reg = readl(tcon_top.regs + TCON_TOP_PORT_SEL_REG);
	const val =
		mixer === 0 ? (reg & ~TCON_TOP_PORT_DE0_MSK) | tcon : (reg & ~TCON_TOP_PORT_DE1_MSK) | (tcon << 4);
	writel(val >>> 0, tcon_top.regs + TCON_TOP_PORT_SEL_REG);
	spin_unlock_irqrestore(tcon_top.reg_lock, flags);
	return 0;
}

function sun8i_tcon_top_bind(dev: device, _master: device, _data: unknown): int {
	const tcon_top = devm_kzalloc(dev, sun8i_tcon_top, GFP_KERNEL);
	if (!tcon_top) return -ENOMEM;
	const rst = devm_reset_control_get(dev, null);
	if (IS_ERR(rst)) {
		dev_err(dev, "Couldn't get our reset line");
		return PTR_ERR(rst);
	}
	tcon_top.rst = rst;
	const bus = devm_clk_get(dev, 'bus');
	if (IS_ERR(bus)) {
		dev_err(dev, "Couldn't get the bus clock");
		return PTR_ERR(bus);
	}
	tcon_top.bus = bus;
	const regs = devm_platform_ioremap_resource(to_platform_device(dev), 0);
	if (IS_ERR(regs)) return PTR_ERR(regs);
	tcon_top.regs = regs;

	let ret = reset_control_deassert(rst);
	if (ret) {
		dev_err(dev, 'Could not deassert ctrl reset control');
		return ret;
	}
	ret = clk_prepare_enable(bus);
	if (ret) {
		dev_err(dev, 'Could not enable bus clock');
		reset_control_assert(rst);
		return ret;
	}
	// The boot loader, or the reset, may have left bits set.
	writel(0, regs + TCON_TOP_PORT_SEL_REG);
	writel(0, regs + TCON_TOP_GATE_SRC_REG);

	const clk_name = new ref<string | null>(null);
	ret = of_property_read_string_index(dev.of_node, 'clock-output-names', 0, clk_name);
	if (!ret) {
		tcon_top.gate.top = tcon_top;
		tcon_top.gate.bit_idx = TCON_TOP_TCON_TV0_GATE;
		tcon_top.gate.init = {
			name: clk_name.value!,
			ops: clk_gate_ops,
			parent_data: [{ fw_name: 'tcon-tv0' }],
			flags: CLK_SET_RATE_PARENT,
		};
		ret = clk_hw_register(dev, tcon_top.gate);
	}
	if (!ret) {
		tcon_top.clk_data.num = 1;
		tcon_top.clk_data.hws = [tcon_top.gate];
		ret = of_clk_add_hw_provider(dev.of_node, of_clk_hw_onecell_get, tcon_top.clk_data);
		if (!ret) {
			dev_set_drvdata(dev, tcon_top);
			return 0;
		}
		clk_hw_unregister(tcon_top.gate);
	}
	clk_disable_unprepare(bus);
	reset_control_assert(rst);
	return ret;
}

function sun8i_tcon_top_unbind(dev: device, _master: device, _data: unknown): void {
	const tcon_top = dev_get_drvdata<sun8i_tcon_top>(dev);
	of_clk_del_provider(dev.of_node!);
	clk_hw_unregister(tcon_top.gate);
	clk_disable_unprepare(tcon_top.bus);
	reset_control_assert(tcon_top.rst);
}

const sun8i_tcon_top_ops: component_ops = { bind: sun8i_tcon_top_bind, unbind: sun8i_tcon_top_unbind };

const sun8i_tcon_top_platform_driver = new platform_driver({
	probe: (pdev) => component_add(pdev.dev, sun8i_tcon_top_ops),
	remove: (pdev) => component_del(pdev.dev, sun8i_tcon_top_ops),
	driver: { name: 'sun8i-tcon-top', of_match_table: sun8i_tcon_top_of_table },
});
module_platform_driver(sun8i_tcon_top_platform_driver);
