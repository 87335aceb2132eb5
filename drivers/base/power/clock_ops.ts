// SPDX-License-Identifier: GPL-2.0-only
// Clocks that run while their device is up.
// Linux 6.12: drivers/base/power/clock_ops.c
//
// Left out: clocks by connection id, and those that are enabled when they are prepared.

import { dev_pm_get_subsys_data, dev_pm_put_subsys_data } from '#drivers/base/power/common.js';
import { type clk, clk_disable, clk_enable, clk_prepare, clk_put, clk_unprepare } from '#drivers/clk/clk.js';
import { dev_dbg, dev_err } from '#linux/dev_printk.js';
import type { device } from '#linux/device.js';
import { EINVAL, ENOMEM } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp_types.js';
import {
	list_add_tail,
	list_del,
	list_for_each_entry,
	list_for_each_entry_reverse,
	list_for_each_entry_safe,
	list_head,
} from '#linux/list.js';
import type { pm_subsys_data } from '#linux/pm.js';
import { kfree, kzalloc } from '#linux/slab.js';
import { spin_lock_irqsave, spin_unlock_irqrestore } from '#linux/spinlock.js';
import type { int } from '#linux/types.js';

enum pce_status {
	PCE_STATUS_NONE = 0,
	PCE_STATUS_PREPARED,
	PCE_STATUS_ENABLED,
	PCE_STATUS_ERROR,
}

export class pm_clock_entry {
	readonly node = new list_head<pm_clock_entry>(this);
	clk: clk | null = null;
	status: pce_status = pce_status.PCE_STATUS_NONE;
}

function dev_to_psd(dev: device): pm_subsys_data | null {
	return dev.power.subsys_data;
}

function __pm_clk_enable(dev: device, ce: pm_clock_entry): void {
	if (ce.status !== pce_status.PCE_STATUS_PREPARED) return;
	const ret = clk_enable(ce.clk);
	if (ret === 0) ce.status = pce_status.PCE_STATUS_ENABLED;
	else dev_err(dev, '%s: failed to enable clk %p, error %d', '__pm_clk_enable', ce.clk, ret);
}

function __pm_clk_remove(ce: pm_clock_entry): void {
	if (ce.status === pce_status.PCE_STATUS_ENABLED) clk_disable(ce.clk);
	if (ce.status === pce_status.PCE_STATUS_ENABLED || ce.status === pce_status.PCE_STATUS_PREPARED) {
		clk_unprepare(ce.clk);
		clk_put(ce.clk);
	}
	kfree(ce);
}

/** An empty list of clocks for @dev: 0 or -ENOMEM (drivers/base/power/clock_ops.c: pm_clk_create()). */
export function pm_clk_create(dev: device): int {
	return dev_pm_get_subsys_data(dev);
}

/** Have @clk, which is the list's from here on, run while @dev is up; 0 or a negative errno (drivers/base/power/clock_ops.c: pm_clk_add_clk()). */
export function pm_clk_add_clk(dev: device, clk: clk): int {
	const psd = dev_to_psd(dev);
	if (psd === null) return -EINVAL;

	const ce = kzalloc(pm_clock_entry, GFP_KERNEL);
	if (ce === null) return -ENOMEM;
	ce.clk = clk;
	if (clk_prepare(clk) !== 0) {
		ce.status = pce_status.PCE_STATUS_ERROR;
		dev_err(dev, 'clk_prepare() failed');
	} else {
		ce.status = pce_status.PCE_STATUS_PREPARED;
		dev_dbg(dev, 'Clock %p managed by runtime PM.', clk);
	}

	const flags = spin_lock_irqsave(psd.lock);
	list_add_tail(ce.node, psd.clock_list);
	spin_unlock_irqrestore(psd.lock, flags);
	return 0;
}

/** Give the clocks back, and the list (drivers/base/power/clock_ops.c: pm_clk_destroy()). */
export function pm_clk_destroy(dev: device): void {
	const psd = dev_to_psd(dev);
	if (psd === null) return;

	for (const ce of list_for_each_entry_safe(psd.clock_list)) {
		list_del(ce.node);
		__pm_clk_remove(ce);
	}
	dev_pm_put_subsys_data(dev);
}

/** Stop @dev's clocks (drivers/base/power/clock_ops.c: pm_clk_suspend()). */
export function pm_clk_suspend(dev: device): int {
	const psd = dev_to_psd(dev);

	dev_dbg(dev, '%s()', 'pm_clk_suspend');
	if (psd === null) return 0;

	const flags = spin_lock_irqsave(psd.lock);
	for (const ce of list_for_each_entry_reverse(psd.clock_list)) {
		if (ce.status !== pce_status.PCE_STATUS_ENABLED) continue;
		clk_disable(ce.clk);
		ce.status = pce_status.PCE_STATUS_PREPARED;
	}
	spin_unlock_irqrestore(psd.lock, flags);
	return 0;
}

/** Start them (drivers/base/power/clock_ops.c: pm_clk_resume()). */
export function pm_clk_resume(dev: device): int {
	const psd = dev_to_psd(dev);

	dev_dbg(dev, '%s()', 'pm_clk_resume');
	if (psd === null) return 0;

	const flags = spin_lock_irqsave(psd.lock);
	for (const ce of list_for_each_entry(psd.clock_list)) __pm_clk_enable(dev, ce);
	spin_unlock_irqrestore(psd.lock, flags);
	return 0;
}
