// SPDX-License-Identifier: GPL-2.0-only
// One interrupt: its descriptor, its chip's data.
// Linux 6.12: include/linux/irqdesc.h; struct irq_data and irq_common_data are from include/linux/irq.h
//
// Left out: affinity, threads of nested chips, power management, MSI.
import type { irq_chip, irq_flow_handler_t } from '#linux/irq.js';
import type { irq_domain } from '#linux/irqdomain.js';
import type { irqaction } from '#linux/irqhandler.js';
import { spinlock_t } from '#linux/spinlock.js';
import type { unsigned_int, unsigned_long } from '#linux/types.js';

export class irq_common_data {
	/** IRQD_* */
	state_use_accessors: unsigned_int = 0;
	handler_data: unknown = null;
}

export class irq_data {
	/** The Linux number. */
	irq: unsigned_int = 0;
	/** The number at the interrupt controller. */
	hwirq: unsigned_long = 0;
	common: irq_common_data;
	chip: irq_chip | null = null;
	domain: irq_domain | null = null;
	chip_data: unknown = null;
	constructor(common: irq_common_data) {
		this.common = common;
	}
}

export class irq_desc {
	irq_common_data: irq_common_data = new irq_common_data();
	irq_data: irq_data = new irq_data(this.irq_common_data);
	handle_irq: irq_flow_handler_t | null = null;
	action: irqaction | null = null;
	/** IRQ_* settings. */
	status_use_accessors: unsigned_int = 0;
	/** IRQS_* of the core. */
	core_internal_state__do_not_mess_with_it: unsigned_int = 0;
	/** How many times disable_irq() is ahead of enable_irq(). */
	depth: unsigned_int = 1;
	irq_count: unsigned_int = 0;
	irqs_unhandled: unsigned_int = 0;
	/** When the last unhandled one came, in jiffies. */
	last_unhandled: unsigned_long = 0;
	/** How many came, for /proc/interrupts. */
	tot_count: unsigned_int = 0;
	/** Threads that have been woken and have not finished; a ONESHOT interrupt stays masked for them. */
	threads_active: unsigned_int = 0;
	lock: spinlock_t = new spinlock_t('irq_desc.lock');
	name: string | null = null;
}
