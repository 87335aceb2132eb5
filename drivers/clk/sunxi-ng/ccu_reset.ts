// SPDX-License-Identifier: GPL-2.0-only
// Reset bits in a clock unit: a set bit is a released line.
// Linux 6.12: drivers/clk/sunxi-ng/ccu_reset.c
import { udelay } from '#linux/delay.js';
import { ENOENT } from '#linux/errno.js';
import { readl, writel } from '#linux/io.js';
import { type reset_control_ops, reset_controller_dev } from '#linux/reset-controller.js';
import { spin_lock_irqsave, spin_unlock_irqrestore, spinlock_t } from '#linux/spinlock.js';
import {
	type __iomem,
	type bool,
	container_of,
	type int,
	type u32,
	type unsigned_long,
} from '#linux/types.js';

export interface ccu_reset_map {
	readonly reg: u32;
	readonly bit: u32;
}

export class ccu_reset {
	base: __iomem = 0;
	reset_map: readonly (ccu_reset_map | undefined)[] = [];
	lock: spinlock_t = new spinlock_t('ccu_reset.lock');
	rcdev: reset_controller_dev = new reset_controller_dev(this);
}

function rcdev_to_ccu_reset(rcdev: reset_controller_dev): ccu_reset {
	return container_of(rcdev, ccu_reset);
}

function ccu_reset_update(rcdev: reset_controller_dev, id: unsigned_long, release: bool): int {
	const ccu = rcdev_to_ccu_reset(rcdev);
	const map = ccu.reset_map[id];
	if (map === undefined) return -ENOENT;
	const flags = spin_lock_irqsave(ccu.lock);
	const reg = readl(ccu.base + map.reg);
	writel((release ? reg | map.bit : reg & ~map.bit) >>> 0, ccu.base + map.reg);
	spin_unlock_irqrestore(ccu.lock, flags);
	return 0;
}

function ccu_reset_reset(rcdev: reset_controller_dev, id: unsigned_long): int {
	const ret = ccu_reset_update(rcdev, id, false);
	if (ret !== 0) return ret;
	udelay(10);
	return ccu_reset_update(rcdev, id, true);
}

function ccu_reset_status(rcdev: reset_controller_dev, id: unsigned_long): int {
	const ccu = rcdev_to_ccu_reset(rcdev);
	const map = ccu.reset_map[id];
	if (map === undefined) return -ENOENT;
	return (readl(ccu.base + map.reg) & map.bit) !== 0 ? 0 : 1;
}

export const ccu_reset_ops: reset_control_ops = {
	assert: (rcdev, id) => ccu_reset_update(rcdev, id, false),
	deassert: (rcdev, id) => ccu_reset_update(rcdev, id, true),
	reset: ccu_reset_reset,
	status: ccu_reset_status,
};
