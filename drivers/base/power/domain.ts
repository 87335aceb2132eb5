// SPDX-License-Identifier: GPL-2.0-only
// The way into a PM domain.
// Linux 6.12: drivers/base/power/common.c (that half of it)
//
// Left out: ACPI, attaching by name or number, lists of domains.
import { genpd_dev_pm_attach } from '#drivers/pmdomain/core.js';
import type { device } from '#linux/device.js';
import type { bool, int } from '#linux/types.js';

/** Put @dev into the PM domain that the firmware names, which is switched on if @power_on: 0 (also without one) or a negative errno (drivers/base/power/common.c: dev_pm_domain_attach()). */
export function dev_pm_domain_attach(dev: device, power_on: bool): int {
	if (dev.pm_domain !== null) return 0;
	const ret = genpd_dev_pm_attach(dev, power_on);
	return ret < 0 ? ret : 0;
}

/** Take it out again (drivers/base/power/common.c: dev_pm_domain_detach()). */
export function dev_pm_domain_detach(dev: device, power_off: bool): void {
	dev.pm_domain?.detach?.(dev, power_off);
}
