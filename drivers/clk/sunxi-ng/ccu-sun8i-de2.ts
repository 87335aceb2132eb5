// SPDX-License-Identifier: GPL-2.0-only
// The display engine's clock unit: gates and resets of mixers, write-back.
// Linux 6.12: drivers/clk/sunxi-ng/ccu-sun8i-de2.c
//
// Left out: the dividers (a mixer's clock takes any rate), every SoC but the H6 (and H616, which is alike).
import { devm_platform_ioremap_resource } from '#drivers/base/platform.js';
import { clk_disable_unprepare, clk_prepare_enable } from '#drivers/clk/clk.js';
import { devm_clk_get } from '#drivers/clk/clk-devres.js';
import {
	type ccu_gate_desc,
	type sunxi_ccu_desc,
	sunxi_ccu_probe,
} from '#drivers/clk/sunxi-ng/ccu_common.js';
import type { ccu_reset_map } from '#drivers/clk/sunxi-ng/ccu_reset.js';
import { reset_control_assert, reset_control_deassert } from '#drivers/reset/core.js';
import * as clk from '#include/dt-bindings/clock/sun8i-de2.js';
import * as rst from '#include/dt-bindings/reset/sun8i-de2.js';
import { BIT } from '#linux/bits.js';
import { dev_err, dev_err_probe } from '#linux/dev_printk.js';
import { IS_ERR, PTR_ERR } from '#linux/err.js';
import type { of_device_id } from '#linux/mod_devicetable.js';
import type { device_node } from '#linux/of_node.js';
import { module_platform_driver, type platform_device, platform_driver } from '#linux/platform_device.js';
import { devm_reset_control_get_exclusive } from '#linux/reset.js';
import { spinlock_t } from '#linux/spinlock.js';
import type { int } from '#linux/types.js';

const CLK_NUMBER = clk.CLK_ROT + 1;
/** What a mixer's divider starts with: that of the display clock. */
const DE_RATE = 600000000;

const gates: readonly ccu_gate_desc[] = [
	{ id: clk.CLK_BUS_MIXER0, name: 'bus-mixer0', parent: 'bus-de', reg: 0x04, enable: BIT(0) },
	{ id: clk.CLK_BUS_MIXER1, name: 'bus-mixer1', parent: 'bus-de', reg: 0x04, enable: BIT(1) },
	{ id: clk.CLK_BUS_WB, name: 'bus-wb', parent: 'bus-de', reg: 0x04, enable: BIT(2) },
	{ id: clk.CLK_BUS_ROT, name: 'bus-rot', parent: 'bus-de', reg: 0x04, enable: BIT(3) },
	{ id: clk.CLK_MIXER0, name: 'mixer0', parent: 'de', reg: 0x00, enable: BIT(0), rate: DE_RATE },
	{ id: clk.CLK_MIXER1, name: 'mixer1', parent: 'de', reg: 0x00, enable: BIT(1), rate: DE_RATE },
	{ id: clk.CLK_WB, name: 'wb', parent: 'de', reg: 0x00, enable: BIT(2), rate: DE_RATE },
	{ id: clk.CLK_ROT, name: 'rot', parent: 'de', reg: 0x00, enable: BIT(3), rate: DE_RATE },
];

const resets: (ccu_reset_map | undefined)[] = [];
resets[rst.RST_MIXER0] = { reg: 0x08, bit: BIT(0) };
resets[rst.RST_MIXER1] = { reg: 0x08, bit: BIT(1) };
resets[rst.RST_WB] = { reg: 0x08, bit: BIT(2) };
resets[rst.RST_ROT] = { reg: 0x08, bit: BIT(3) };

const sun50i_h6_de3_clk_desc: sunxi_ccu_desc = { gates, resets, fixed: [], num: CLK_NUMBER };

function sunxi_de2_clk_probe(pdev: platform_device): int {
	const dev = pdev.dev;
	const reg = devm_platform_ioremap_resource(pdev, 0);
	if (IS_ERR(reg)) return PTR_ERR(reg);
	const bus_clk = devm_clk_get(dev, 'bus');
	if (IS_ERR(bus_clk)) return dev_err_probe(dev, PTR_ERR(bus_clk), "Couldn't get bus clk");
	const mod_clk = devm_clk_get(dev, 'mod');
	if (IS_ERR(mod_clk)) return dev_err_probe(dev, PTR_ERR(mod_clk), "Couldn't get mod clk");
	const rstc = devm_reset_control_get_exclusive(dev, null);
	if (IS_ERR(rstc)) return dev_err_probe(dev, PTR_ERR(rstc), "Couldn't get reset control");

	// The registers of this unit answer only with the engine's bus clock on and its reset released.
	let ret = clk_prepare_enable(bus_clk);
	if (ret !== 0) {
		dev_err(dev, "Couldn't enable bus clk: %d", ret);
		return ret;
	}
	ret = clk_prepare_enable(mod_clk);
	if (ret !== 0) {
		dev_err(dev, "Couldn't enable mod clk: %d", ret);
		clk_disable_unprepare(bus_clk);
		return ret;
	}
	ret = reset_control_deassert(rstc);
	if (ret !== 0) {
		dev_err(dev, "Couldn't deassert reset control: %d", ret);
		clk_disable_unprepare(mod_clk);
		clk_disable_unprepare(bus_clk);
		return ret;
	}
	const lock = new spinlock_t('sunxi-de2-clks');
	ret = sunxi_ccu_probe(dev, dev.of_node as device_node, reg, lock, sun50i_h6_de3_clk_desc);
	if (ret !== 0) {
		reset_control_assert(rstc);
		clk_disable_unprepare(mod_clk);
		clk_disable_unprepare(bus_clk);
	}
	return ret;
}

const sunxi_de2_clk_ids: readonly of_device_id[] = [
	{ compatible: 'allwinner,sun50i-h6-de3-clk', data: sun50i_h6_de3_clk_desc },
	{ compatible: 'allwinner,sun50i-h616-de33-clk', data: sun50i_h6_de3_clk_desc },
];

const sunxi_de2_clk_driver = new platform_driver({
	probe: sunxi_de2_clk_probe,
	driver: { name: 'sunxi-de2-clks', of_match_table: sunxi_de2_clk_ids },
});
module_platform_driver(sunxi_de2_clk_driver);
