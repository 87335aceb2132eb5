// SPDX-License-Identifier: GPL-2.0-only
// Interrupt descriptors: from a controller's number to the handlers.
// Linux 6.12: kernel/irq/irqdesc.c
//
// Left out: sysfs and procfs folders per interrupt, statistics per CPU, NMIs.
import { __irq_resolve_mapping } from '#kernel/irq/irqdomain.js';
import { WARN_ON_ONCE } from '#linux/bug.js';
import { EEXIST, EINVAL, ENOMEM } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp_types.js';
import { in_hardirq } from '#linux/hardirq.js';
import { boot_data } from '#linux/init.js';
import { IRQD_IRQ_DISABLED, IRQD_IRQ_MASKED } from '#linux/irq.js';
import { type irq_data, irq_desc } from '#linux/irqdesc.js';
import type { irq_domain } from '#linux/irqdomain.js';
import { kfree, kzalloc } from '#linux/slab.js';
import { spin_lock_irqsave, spin_unlock_irqrestore } from '#linux/spinlock.js';
import type { int, unsigned_int } from '#linux/types.js';

/** As many numbers as arm64 starts with (arch/arm64: NR_IRQS). */
export const NR_IRQS = 1024;

const state = boot_data(() => ({
	/** By Linux number; 0 is no interrupt. */
	irq_desc: new Array<irq_desc | null>(NR_IRQS).fill(null),
}));

/** How many numbers there can be (kernel/irq/irqdesc.c: irq_get_nr_irqs()). */
export function irq_get_nr_irqs(): unsigned_int {
	return NR_IRQS;
}

/** The descriptor of @irq, or null (kernel/irq/irqdesc.c: irq_to_desc()). */
export function irq_to_desc(irq: unsigned_int): irq_desc | null {
	return state.irq_desc[irq] ?? null;
}

/** The descriptor that @data belongs to (include/linux/irqdesc.h: irq_data_to_desc()). */
export function irq_data_to_desc(data: irq_data): irq_desc {
	return irq_to_desc(data.irq) as irq_desc;
}

/**
 * Make @cnt descriptors with consecutive numbers (kernel/irq/irqdesc.c: __irq_alloc_descs()).
 *
 * @irq: the first number, -1: any from @from on
 * Returns the first number, -EEXIST, -ENOMEM, -EINVAL.
 */
export function irq_alloc_descs(irq: int, from: unsigned_int, cnt: unsigned_int): int {
	if (cnt === 0) return -EINVAL;
	if (irq >= 0 && from > irq) return -EINVAL;
	let start = irq >= 0 ? irq : from;
	for (let i = 0; i < cnt; i++) {
		if (start + i >= NR_IRQS) return -ENOMEM;
		if (state.irq_desc[start + i] === null) continue;
		if (irq >= 0) return -EEXIST;
		start += i + 1;
		i = -1;
	}
	for (let i = 0; i < cnt; i++) {
		const desc = kzalloc(irq_desc, GFP_KERNEL);
		if (desc === null) {
			irq_free_descs(start, i);
			return -ENOMEM;
		}
		desc.irq_data.irq = start + i;
		desc.irq_common_data.state_use_accessors = IRQD_IRQ_DISABLED | IRQD_IRQ_MASKED;
		state.irq_desc[start + i] = desc;
	}
	return start;
}

/** Free descriptors (kernel/irq/irqdesc.c: irq_free_descs()). */
export function irq_free_descs(from: unsigned_int, cnt: unsigned_int): void {
	for (let i = 0; i < cnt; i++) {
		const desc = irq_to_desc(from + i);
		state.irq_desc[from + i] = null;
		kfree(desc);
	}
}

/**
 * The first number from @offset on that has a descriptor; NR_IRQS when none
 * (kernel/irq/irqdesc.c: irq_get_next_irq()).
 */
export function irq_get_next_irq(offset: unsigned_int): unsigned_int {
	let irq = offset;
	while (irq < NR_IRQS && state.irq_desc[irq] === null) irq++;
	return irq;
}

/** Run @desc's flow handler (kernel/irq/irqdesc.c: handle_irq_desc()). */
export function handle_irq_desc(desc: irq_desc | null): int {
	if (desc === null || desc.handle_irq === null) return -EINVAL;
	if (WARN_ON_ONCE(!in_hardirq())) return -EINVAL;
	desc.handle_irq(desc);
	return 0;
}

/** An interrupt by its Linux number has come; hard-irq context (kernel/irq/irqdesc.c: generic_handle_irq()). */
export function generic_handle_irq(irq: unsigned_int): int {
	return handle_irq_desc(irq_to_desc(irq));
}

/**
 * An interrupt by its controller's number has come; -EINVAL when nobody maps it
 * (kernel/irq/irqdesc.c: generic_handle_domain_irq()).
 */
export function generic_handle_domain_irq(domain: irq_domain, hwirq: unsigned_int): int {
	return handle_irq_desc(__irq_resolve_mapping(domain, hwirq));
}

/** How often @irq has come (kernel/irq/irqdesc.c: kstat_irqs_usr()). */
export function kstat_irqs_usr(irq: unsigned_int): unsigned_int {
	return irq_to_desc(irq)?.tot_count ?? 0;
}

/** Run @fn on @irq's locked descriptor; -EINVAL without one (kernel/irq/internals.h: irq_get_desc_buslock()). */
export function with_irq_desc(irq: unsigned_int, fn: (desc: irq_desc) => int): int {
	const desc = irq_to_desc(irq);
	if (desc === null) return -EINVAL;
	const flags = spin_lock_irqsave(desc.lock);
	const ret = fn(desc);
	spin_unlock_irqrestore(desc.lock, flags);
	return ret;
}
