// SPDX-License-Identifier: GPL-2.0-only
// Allwinner's SRAM controller: which block is the CPU's, which a device's.
// Linux 6.12: drivers/soc/sunxi/sunxi_sram.c
// Left out: the regmap for the Ethernet clock and the LDOs, the debugfs file, the A10's sections A3-A4 and D.
import { devm_platform_ioremap_resource } from '#drivers/base/platform.js';
import { __of_parse_phandle_with_args, of_device_is_available, of_match_node } from '#drivers/of/base.js';
import { of_device_get_match_data } from '#drivers/of/device.js';
import { of_platform_populate } from '#drivers/of/platform.js';
import { GENMASK } from '#linux/bits.js';
import { dev_set_drvdata, type device } from '#linux/device.js';
import { ERR_PTR, type err_ptr, IS_ERR, PTR_ERR } from '#linux/err.js';
import { EBUSY, EINVAL, EPROBE_DEFER } from '#linux/errno.js';
import { boot_data } from '#linux/init.js';
import { readl, writel } from '#linux/io.js';
import type { of_device_id } from '#linux/mod_devicetable.js';
import { type device_node, of_node_put, of_phandle_args } from '#linux/of.js';
import {
	builtin_platform_driver_probe,
	type platform_device,
	platform_driver,
} from '#linux/platform_device.js';
import { DEFINE_SPINLOCK, spin_lock, spin_unlock } from '#linux/spinlock.js';
import {
	type __iomem,
	type bool,
	type int,
	ref,
	type u8,
	type u32,
	type unsigned_int,
} from '#linux/types.js';

interface sunxi_sram_func {
	readonly func: string;
	/** What the tree writes behind the phandle. */
	readonly val: u8;
	readonly reg_val: u32;
}

interface sunxi_sram_data {
	readonly name: string;
	readonly reg: u8;
	readonly offset: u8;
	readonly width: u8;
	readonly func: readonly sunxi_sram_func[];
	/** Place in state.claimed (C: struct sunxi_sram_desc, around this one). */
	readonly desc: unsigned_int;
}

const sun4i_a10_sram_c1: sunxi_sram_data = {
	name: 'C1',
	reg: 0x0,
	offset: 0x0,
	width: 31,
	func: [
		{ func: 'cpu', val: 0, reg_val: 0 },
		{ func: 've', val: 1, reg_val: 0x7fff_ffff },
	],
	desc: 0,
};

const sun50i_a64_sram_c: sunxi_sram_data = {
	name: 'C',
	reg: 0x4,
	offset: 24,
	width: 1,
	func: [
		{ func: 'cpu', val: 0, reg_val: 1 },
		{ func: 'de2', val: 1, reg_val: 0 },
	],
	desc: 1,
};

const sunxi_sram_dt_ids: readonly of_device_id[] = [
	{ compatible: 'allwinner,sun4i-a10-sram-c1', data: sun4i_a10_sram_c1 },
	{ compatible: 'allwinner,sun50i-a64-sram-c', data: sun50i_a64_sram_c },
];

const state = boot_data(() => ({
	base: null as __iomem | null,
	sram_lock: DEFINE_SPINLOCK('sram_lock'),
	claimed: [false, false] as bool[],
}));

function sunxi_sram_of_parse(node: device_node, reg_value: ref<u32> | null): sunxi_sram_data | err_ptr {
	const args = new of_phandle_args();
	const ret = __of_parse_phandle_with_args(node, 'allwinner,sram', null, 1, 0, args);
	if (ret) return ERR_PTR(ret);

	let err: int = -EBUSY;
	const np = args.np!;
	if (of_device_is_available(np)) {
		const match = of_match_node(sunxi_sram_dt_ids, np);
		const data = match ? (match.data as sunxi_sram_data) : null;
		const func = data?.func.find((f) => f.val === args.args[0]);
		if (data && func) {
			if (reg_value) reg_value.value = func.reg_val;
			of_node_put(np);
			return data;
		}
		err = -EINVAL;
	}
	of_node_put(np);
	return ERR_PTR(err);
}

/**
 * Give @dev the SRAM that its node's `allwinner,sram` names.
 * Linux: drivers/soc/sunxi/sunxi_sram.c: sunxi_sram_claim()
 *
 * -EPROBE_DEFER before the controller has probed, -EBUSY when another device has it, -EINVAL.
 */
export function sunxi_sram_claim(dev: device | null): int {
	if (state.base === null) return -EPROBE_DEFER;
	if (!dev?.of_node) return -EINVAL;

	const device = new ref<u32>(0);
	const sram_data = sunxi_sram_of_parse(dev.of_node, device);
	if (IS_ERR(sram_data)) return PTR_ERR(sram_data);

	spin_lock(state.sram_lock);
	if (state.claimed[sram_data.desc]) {
		spin_unlock(state.sram_lock);
		return -EBUSY;
	}
	const mask = GENMASK(sram_data.offset + sram_data.width - 1, sram_data.offset);
	const addr = state.base + sram_data.reg;
	const val = readl(addr) & ~mask;
	writel((val | ((device.value << sram_data.offset) & mask)) >>> 0, addr);
	state.claimed[sram_data.desc] = true;
	spin_unlock(state.sram_lock);
	return 0;
}

/** The claim ends; the SRAM stays switched as it is. Linux: sunxi_sram_release() */
export function sunxi_sram_release(dev: device | null): void {
	if (!dev?.of_node) return;
	const sram_data = sunxi_sram_of_parse(dev.of_node, null);
	if (IS_ERR(sram_data)) return;

	spin_lock(state.sram_lock);
	state.claimed[sram_data.desc] = false;
	spin_unlock(state.sram_lock);
}

interface sunxi_sramc_variant {
	readonly num_emac_clocks: int;
}

const sun4i_a10_sramc_variant: sunxi_sramc_variant = { num_emac_clocks: 0 };
const sun8i_h3_sramc_variant: sunxi_sramc_variant = { num_emac_clocks: 1 };
const sun50i_a64_sramc_variant: sunxi_sramc_variant = { num_emac_clocks: 1 };
const sun50i_h616_sramc_variant: sunxi_sramc_variant = { num_emac_clocks: 2 };

function sunxi_sram_probe(pdev: platform_device): int {
	const variant = of_device_get_match_data(pdev.dev);
	if (!variant) return -EINVAL;
	dev_set_drvdata(pdev.dev, variant);

	const base = devm_platform_ioremap_resource(pdev, 0);
	if (IS_ERR(base)) return PTR_ERR(base);
	state.base = base;

	of_platform_populate(pdev.dev.of_node, [], null, pdev.dev);
	return 0;
}

const sunxi_sram_dt_match: readonly of_device_id[] = [
	{ compatible: 'allwinner,sun4i-a10-sram-controller', data: sun4i_a10_sramc_variant },
	{ compatible: 'allwinner,sun4i-a10-system-control', data: sun4i_a10_sramc_variant },
	{ compatible: 'allwinner,sun5i-a13-system-control', data: sun4i_a10_sramc_variant },
	{ compatible: 'allwinner,sun8i-a23-system-control', data: sun4i_a10_sramc_variant },
	{ compatible: 'allwinner,sun8i-h3-system-control', data: sun8i_h3_sramc_variant },
	{ compatible: 'allwinner,sun50i-a64-sram-controller', data: sun50i_a64_sramc_variant },
	{ compatible: 'allwinner,sun50i-a64-system-control', data: sun50i_a64_sramc_variant },
	{ compatible: 'allwinner,sun50i-h5-system-control', data: sun50i_a64_sramc_variant },
	{ compatible: 'allwinner,sun50i-h616-system-control', data: sun50i_h616_sramc_variant },
];

const sunxi_sram_driver = new platform_driver({
	driver: { name: 'sunxi-sram', of_match_table: sunxi_sram_dt_match },
});
builtin_platform_driver_probe(sunxi_sram_driver, sunxi_sram_probe);
