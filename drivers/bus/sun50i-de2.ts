// SPDX-License-Identifier: GPL-2.0-only
// The bus of the display engine: its devices exist once the SRAM is its own.
// Linux 6.12: drivers/bus/sun50i-de2.c
import { of_platform_populate } from '#drivers/of/platform.js';
import { sunxi_sram_claim, sunxi_sram_release } from '#drivers/soc/sunxi/sunxi_sram.js';
import { dev_err_probe } from '#linux/dev_printk.js';
import type { of_device_id } from '#linux/mod_devicetable.js';
import type { device_node } from '#linux/of_node.js';
import { builtin_platform_driver, type platform_device, platform_driver } from '#linux/platform_device.js';
import type { int } from '#linux/types.js';

function sun50i_de2_bus_probe(pdev: platform_device): int {
	const ret = sunxi_sram_claim(pdev.dev);
	if (ret !== 0) return dev_err_probe(pdev.dev, ret, "Couldn't map SRAM to device");
	of_platform_populate(pdev.dev.of_node as device_node, [], null, pdev.dev);
	return 0;
}

function sun50i_de2_bus_remove(pdev: platform_device): void {
	sunxi_sram_release(pdev.dev);
}

const sun50i_de2_bus_of_match: readonly of_device_id[] = [{ compatible: 'allwinner,sun50i-a64-de2' }];

builtin_platform_driver(
	new platform_driver({
		probe: sun50i_de2_bus_probe,
		remove: sun50i_de2_bus_remove,
		driver: { name: 'sun50i-de2-bus', of_match_table: sun50i_de2_bus_of_match },
	}),
);
