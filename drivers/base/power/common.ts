// SPDX-License-Identifier: GPL-2.0-only
// What is kept of a device for its PM domain.
// Linux 6.12: drivers/base/power/common.c (the way into a domain: domain.ts)
import { WARN } from '#linux/bug.js';
import { DL_DEV_DRIVER_BOUND, type device } from '#linux/device.js';
import { ENOMEM } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp_types.js';
import { INIT_LIST_HEAD } from '#linux/list.js';
import { type dev_pm_domain, pm_subsys_data } from '#linux/pm.js';
import { kfree, kzalloc } from '#linux/slab.js';
import { spin_lock_init, spin_lock_irq, spin_unlock_irq } from '#linux/spinlock.js';
import type { int } from '#linux/types.js';

/** One more user of @dev's subsystem data, which comes with the first: 0 or -ENOMEM (drivers/base/power/common.c: dev_pm_get_subsys_data()). */
export function dev_pm_get_subsys_data(dev: device): int {
	const psd = kzalloc(pm_subsys_data, GFP_KERNEL);
	if (psd === null) return -ENOMEM;

	spin_lock_irq(dev.power.lock);
	const old = dev.power.subsys_data;
	if (old !== null) {
		old.refcount++;
	} else {
		spin_lock_init(psd.lock);
		psd.refcount = 1;
		INIT_LIST_HEAD(psd.clock_list);
		dev.power.subsys_data = psd;
	}
	spin_unlock_irq(dev.power.lock);

	if (old !== null) kfree(psd);
	return 0;
}

/** One user less; the last one frees it (drivers/base/power/common.c: dev_pm_put_subsys_data()). */
export function dev_pm_put_subsys_data(dev: device): void {
	spin_lock_irq(dev.power.lock);
	const psd = dev.power.subsys_data;
	const last = psd !== null && --psd.refcount === 0;
	if (last) dev.power.subsys_data = null;
	spin_unlock_irq(dev.power.lock);

	if (last) kfree(psd);
}

/** Set @dev's PM domain; only while it is bound to no driver (drivers/base/power/common.c: dev_pm_domain_set()). */
export function dev_pm_domain_set(dev: device, pd: dev_pm_domain | null): void {
	if (dev.pm_domain === pd) return;
	WARN(
		pd !== null && dev.links.status === DL_DEV_DRIVER_BOUND,
		'PM domains can only be changed for unbound devices',
	);
	dev.pm_domain = pd;
}
