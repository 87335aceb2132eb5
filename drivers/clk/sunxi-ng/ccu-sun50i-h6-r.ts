// SPDX-License-Identifier: GPL-2.0-only
// The clock unit of the always-on part of the H6 and H616: its resets.
// Linux 6.12: drivers/clk/sunxi-ng/ccu-sun50i-h6-r.c
//
// Left out: every clock is an always-on dummy.
import { devm_platform_ioremap_resource } from '#drivers/base/platform.js';
import { type sunxi_ccu_desc, sunxi_ccu_probe } from '#drivers/clk/sunxi-ng/ccu_common.js';
import type { ccu_reset_map } from '#drivers/clk/sunxi-ng/ccu_reset.js';
import { BIT } from '#linux/bits.js';
import { IS_ERR, PTR_ERR } from '#linux/err.js';
import type { of_device_id } from '#linux/mod_devicetable.js';
import type { device_node } from '#linux/of_node.js';
import { module_platform_driver, type platform_device, platform_driver } from '#linux/platform_device.js';
import { spinlock_t } from '#linux/spinlock.js';
import type { int } from '#linux/types.js';

/** One more than the last number in include/dt-bindings/clock/sun50i-h6-r-ccu.h. */
const CLK_NUMBER = 15;

/** By number: timer, watchdog, PWM, UART, I2C, infrared, one-wire, RSB. */
const resets: readonly ccu_reset_map[] = [
	{ reg: 0x11c, bit: BIT(16) },
	{ reg: 0x12c, bit: BIT(16) },
	{ reg: 0x13c, bit: BIT(16) },
	{ reg: 0x18c, bit: BIT(16) },
	{ reg: 0x19c, bit: BIT(16) },
	{ reg: 0x1cc, bit: BIT(16) },
	{ reg: 0x1ec, bit: BIT(16) },
	{ reg: 0x1bc, bit: BIT(16) },
];

const sun50i_h6_r_ccu_desc: sunxi_ccu_desc = { gates: [], resets, fixed: [], num: CLK_NUMBER };

function sun50i_h6_r_ccu_probe(pdev: platform_device): int {
	const reg = devm_platform_ioremap_resource(pdev, 0);
	if (IS_ERR(reg)) return PTR_ERR(reg);
	const lock = new spinlock_t('sun50i-h6-r-ccu');

	const node = pdev.dev.of_node as device_node;
	return sunxi_ccu_probe(pdev.dev, node, reg, lock, sun50i_h6_r_ccu_desc);
}

const sun50i_h6_r_ccu_ids: readonly of_device_id[] = [
	{ compatible: 'allwinner,sun50i-h6-r-ccu' },
	{ compatible: 'allwinner,sun50i-h616-r-ccu' },
];

const sun50i_h6_r_ccu_driver = new platform_driver({
	probe: sun50i_h6_r_ccu_probe,
	driver: { name: 'sun50i-h6-r-ccu', suppress_bind_attrs: true, of_match_table: sun50i_h6_r_ccu_ids },
});
module_platform_driver(sun50i_h6_r_ccu_driver);
