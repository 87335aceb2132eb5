// SPDX-License-Identifier: GPL-2.0-only
// Setting up the interrupt controllers at boot.
// Linux 6.12: drivers/irqchip/irqchip.c
//
// Left out: controllers as platform drivers; ACPI. A controller without a driver here (allwinner r-intc) is left
// alone, and whoever needs an interrupt of it gets -EPROBE_DEFER.
import { of_irq_init } from '#drivers/of/irq.js';
import { __irqchip_of_table } from '#linux/irqchip.js';

/** Set up the controllers of the tree (drivers/irqchip/irqchip.c: irqchip_init()). */
export function irqchip_init(): void {
	of_irq_init(__irqchip_of_table);
}
