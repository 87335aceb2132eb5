// SPDX-License-Identifier: GPL-2.0-only
// Reset lines that are one bit each in a row of registers.
// Linux 6.12: drivers/reset/reset-simple.c

import { devm_kzalloc } from '#drivers/base/devres.js';
import { devm_platform_get_and_ioremap_resource } from '#drivers/base/platform.js';
import { of_device_get_match_data } from '#drivers/of/device.js';
import { devm_reset_controller_register } from '#drivers/reset/core.js';
import { IS_ERR, PTR_ERR } from '#linux/err.js';
import { ENOMEM, ENOTSUPP } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp_types.js';
import { readl, writel } from '#linux/io.js';
import { type resource, resource_size } from '#linux/ioport.js';
import type { of_device_id } from '#linux/mod_devicetable.js';
import { builtin_platform_driver, type platform_device, platform_driver } from '#linux/platform_device.js';
import { type reset_control_ops, reset_controller_dev } from '#linux/reset-controller.js';
import { spin_lock_init, spin_lock_irqsave, spin_unlock_irqrestore, spinlock_t } from '#linux/spinlock.js';
import {
	type __iomem,
	type bool,
	container_of,
	type int,
	ref,
	type u32,
	type unsigned_long,
} from '#linux/types.js';

const BITS_PER_BYTE = 8;

class reset_simple_data {
	lock: spinlock_t = new spinlock_t('reset_simple_data.lock');
	membase: __iomem = 0;
	rcdev: reset_controller_dev = new reset_controller_dev(this);
	/** A set bit is a released line. */
	active_low: bool = false;
	status_active_low: bool = false;
}

interface reset_simple_devdata {
	readonly reg_offset?: u32;
	readonly nr_resets?: u32;
	readonly active_low?: bool;
	readonly status_active_low?: bool;
}

function to_reset_simple_data(rcdev: reset_controller_dev): reset_simple_data {
	return container_of(rcdev, reset_simple_data);
}

function reset_simple_update(rcdev: reset_controller_dev, id: unsigned_long, assert: bool): int {
	const data = to_reset_simple_data(rcdev);
	const reg_width = 4;
	const bank = Math.floor(id / (reg_width * BITS_PER_BYTE));
	const bit = 1 << (id % (reg_width * BITS_PER_BYTE));
	const flags = spin_lock_irqsave(data.lock);
	let reg: u32 = readl(data.membase + bank * reg_width);
	if (assert !== data.active_low) reg |= bit;
	else reg &= ~bit;
	writel(reg >>> 0, data.membase + bank * reg_width);
	spin_unlock_irqrestore(data.lock, flags);
	return 0;
}

function reset_simple_status(rcdev: reset_controller_dev, id: unsigned_long): int {
	const data = to_reset_simple_data(rcdev);
	const reg = readl(data.membase + Math.floor(id / 32) * 4);
	const set = (reg & (1 << (id % 32))) !== 0;
	return set !== data.status_active_low ? 1 : 0;
}

const reset_simple_ops: reset_control_ops = {
	assert: (rcdev, id) => reset_simple_update(rcdev, id, true),
	deassert: (rcdev, id) => reset_simple_update(rcdev, id, false),
	// The length of a pulse is known to the few who set it, and none of ours does.
	reset: () => -ENOTSUPP,
	status: reset_simple_status,
};

const SOCFPGA_NR_BANKS = 8;
const reset_simple_socfpga: reset_simple_devdata = {
	reg_offset: 0x20,
	nr_resets: SOCFPGA_NR_BANKS * 32,
	status_active_low: true,
};
const reset_simple_active_low: reset_simple_devdata = { active_low: true, status_active_low: true };

const reset_simple_dt_ids: readonly of_device_id[] = [
	{ compatible: 'altr,stratix10-rst-mgr', data: reset_simple_socfpga },
	{ compatible: 'st,stm32-rcc' },
	{ compatible: 'allwinner,sun6i-a31-clock-reset', data: reset_simple_active_low },
	{ compatible: 'snps,dw-high-reset' },
	{ compatible: 'snps,dw-low-reset', data: reset_simple_active_low },
];

function reset_simple_probe(pdev: platform_device): int {
	const dev = pdev.dev;
	const devdata = of_device_get_match_data(dev) as reset_simple_devdata | null;
	const data = devm_kzalloc(dev, reset_simple_data, GFP_KERNEL);
	if (data === null) return -ENOMEM;
	const res = new ref<resource | null>(null);
	const membase = devm_platform_get_and_ioremap_resource(pdev, 0, res);
	if (IS_ERR(membase)) return PTR_ERR(membase);

	spin_lock_init(data.lock);
	data.membase = membase + (devdata?.reg_offset ?? 0);
	data.rcdev.nr_resets = resource_size(res.value as resource) * BITS_PER_BYTE;
	data.rcdev.ops = reset_simple_ops;
	data.rcdev.of_node = dev.of_node;
	if (devdata !== null) {
		if (devdata.nr_resets !== undefined) data.rcdev.nr_resets = devdata.nr_resets;
		data.active_low = devdata.active_low ?? false;
		data.status_active_low = devdata.status_active_low ?? false;
	}
	return devm_reset_controller_register(dev, data.rcdev);
}

builtin_platform_driver(
	new platform_driver({
		probe: reset_simple_probe,
		driver: { name: 'simple-reset', of_match_table: reset_simple_dt_ids },
	}),
);
