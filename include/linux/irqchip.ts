// SPDX-License-Identifier: GPL-2.0-only
// Interrupt controllers that are set up early, from the device tree.
// Linux 6.12: include/linux/irqchip.h
import type { of_irq_init_cb_t } from '#linux/of_irq.js';

export interface irqchip_entry {
	readonly name: string;
	readonly compatible: string;
	readonly fn: of_irq_init_cb_t;
}

/** Every early controller of the image. */
export const __irqchip_of_table: irqchip_entry[] = [];

/** Have irqchip_init() call @fn for nodes that are compatible with @compat. */
export function IRQCHIP_DECLARE(name: string, compat: string, fn: of_irq_init_cb_t): void {
	__irqchip_of_table.push({ name, compatible: compat, fn });
}
