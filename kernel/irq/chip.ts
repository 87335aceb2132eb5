// SPDX-License-Identifier: GPL-2.0-only
// Talking to an interrupt controller's chip, and the flow handlers.
// Linux 6.12: kernel/irq/chip.c
//
// Left out: hierarchies, per-CPU interrupts, nested threads, resending in software.
import { handle_bad_irq, handle_irq_event } from '#kernel/irq/handle.js';
import { irq_to_desc, with_irq_desc } from '#kernel/irq/irqdesc.js';
import { __irq_set_trigger } from '#kernel/irq/manage.js';
import {
	IRQS_ONESHOT,
	IRQS_PENDING,
	irq_settings_can_autoenable,
	irq_settings_disable_unlazy,
	irqd_clear,
	irqd_has_set,
	irqd_set,
} from '#kernel/irq/settings.js';
import {
	IRQCHIP_EOI_IF_HANDLED,
	IRQD_IRQ_DISABLED,
	IRQD_IRQ_INPROGRESS,
	IRQD_IRQ_MASKED,
	IRQD_IRQ_STARTED,
	type irq_chip,
	type irq_flow_handler_t,
	irqd_get_trigger_type,
	irqd_irq_disabled,
	irqd_irq_masked,
} from '#linux/irq.js';
import type { irq_data, irq_desc } from '#linux/irqdesc.js';
import { spin_lock, spin_unlock } from '#linux/spinlock.js';
import type { bool, int, u32, unsigned_int } from '#linux/types.js';

/** Give @irq its controller (kernel/irq/chip.c: irq_set_chip()). */
export function irq_set_chip(irq: unsigned_int, chip: irq_chip | null): int {
	return with_irq_desc(irq, (desc) => {
		desc.irq_data.chip = chip;
		return 0;
	});
}

/** Keep the chip's own @data for @irq; 0, or -EINVAL without descriptor (kernel/irq/chip.c: irq_set_chip_data()). */
export function irq_set_chip_data(irq: unsigned_int, data: unknown): int {
	return with_irq_desc(irq, (desc) => {
		desc.irq_data.chip_data = data;
		return 0;
	});
}

/**
 * Keep the flow handler's own @data for @irq; 0, or -EINVAL without descriptor
 * (kernel/irq/chip.c: irq_set_handler_data()).
 */
export function irq_set_handler_data(irq: unsigned_int, data: unknown): int {
	return with_irq_desc(irq, (desc) => {
		desc.irq_common_data.handler_data = data;
		return 0;
	});
}

/** The data of a chained handler (include/linux/irqdesc.h: irq_desc_get_handler_data()). */
export function irq_desc_get_handler_data<T>(desc: irq_desc): T {
	return desc.irq_common_data.handler_data as T;
}

/** The chip's view of @irq, or null (kernel/irq/chip.c: irq_get_irq_data()). */
export function irq_get_irq_data(irq: unsigned_int): irq_data | null {
	return irq_to_desc(irq)?.irq_data ?? null;
}

/** The trigger type of @irq, 0: not known (include/linux/irq.h: irq_get_trigger_type()). */
export function irq_get_trigger_type(irq: unsigned_int): u32 {
	const d = irq_get_irq_data(irq);
	return d === null ? 0 : irqd_get_trigger_type(d);
}

/** Set how @irq is triggered (kernel/irq/chip.c: irq_set_irq_type()). */
export function irq_set_irq_type(irq: unsigned_int, type: unsigned_int): int {
	return with_irq_desc(irq, (desc) => __irq_set_trigger(desc, type));
}

/** Give @irq its flow handler; a chained one is started at once (kernel/irq/chip.c: __irq_set_handler()). */
export function __irq_set_handler(
	irq: unsigned_int,
	handle: irq_flow_handler_t | null,
	is_chained: bool,
	name: string | null,
): void {
	with_irq_desc(irq, (desc) => {
		desc.handle_irq = handle ?? handle_bad_irq;
		desc.name = name;
		if (handle !== null && is_chained) {
			desc.depth = 0;
			irq_startup(desc);
		}
		return 0;
	});
}

/** Chip, flow handler and its name for @irq at once (kernel/irq/chip.c: irq_set_chip_and_handler_name()). */
export function irq_set_chip_and_handler_name(
	irq: unsigned_int,
	chip: irq_chip,
	handle: irq_flow_handler_t,
	name: string | null,
): void {
	irq_set_chip(irq, chip);
	__irq_set_handler(irq, handle, false, name);
}

/**
 * Have @handle run for @irq with @data, below another controller
 * (kernel/irq/chip.c: irq_set_chained_handler_and_data()).
 */
export function irq_set_chained_handler_and_data(
	irq: unsigned_int,
	handle: irq_flow_handler_t,
	data: unknown,
): void {
	irq_set_handler_data(irq, data);
	__irq_set_handler(irq, handle, true, null);
}

/** Have the chip hold @desc back; nothing when it does already (kernel/irq/chip.c: mask_irq()). */
export function mask_irq(desc: irq_desc): void {
	if (irqd_irq_masked(desc.irq_data)) return;
	const mask = desc.irq_data.chip?.irq_mask;
	if (mask === undefined) return;
	mask(desc.irq_data);
	irqd_set(desc.irq_data, IRQD_IRQ_MASKED);
}

/** Have the chip let @desc through; nothing when it does already (kernel/irq/chip.c: unmask_irq()). */
export function unmask_irq(desc: irq_desc): void {
	if (!irqd_irq_masked(desc.irq_data)) return;
	const unmask = desc.irq_data.chip?.irq_unmask;
	if (unmask === undefined) return;
	unmask(desc.irq_data);
	irqd_clear(desc.irq_data, IRQD_IRQ_MASKED);
}

/** Let @desc's interrupts through; its lock is held (kernel/irq/chip.c: irq_enable()). */
export function irq_enable(desc: irq_desc): void {
	const d = desc.irq_data;
	if (!irqd_irq_disabled(d)) {
		unmask_irq(desc);
		return;
	}
	irqd_clear(d, IRQD_IRQ_DISABLED);
	if (d.chip?.irq_enable !== undefined) {
		d.chip.irq_enable(d);
		irqd_clear(d, IRQD_IRQ_MASKED);
	} else {
		unmask_irq(desc);
	}
}

/**
 * Hold @desc's interrupts back; its lock is held (kernel/irq/chip.c: irq_disable()).
 *
 * A chip without irq_disable is masked only when an interrupt does come.
 */
export function irq_disable(desc: irq_desc): void {
	const d = desc.irq_data;
	if (irqd_irq_disabled(d)) {
		if (irq_settings_disable_unlazy(desc)) mask_irq(desc);
		return;
	}
	irqd_set(d, IRQD_IRQ_DISABLED);
	if (d.chip?.irq_disable !== undefined) {
		d.chip.irq_disable(d);
		irqd_set(d, IRQD_IRQ_MASKED);
	} else if (irq_settings_disable_unlazy(desc)) {
		mask_irq(desc);
	}
}

/** Start @desc for the first time since it was requested (kernel/irq/chip.c: irq_startup()). */
export function irq_startup(desc: irq_desc): int {
	const d = desc.irq_data;
	let ret = 0;
	desc.depth = 0;
	if (irqd_has_set(d, IRQD_IRQ_STARTED)) {
		irq_enable(desc);
	} else {
		if (d.chip?.irq_startup !== undefined) {
			ret = d.chip.irq_startup(d);
			irqd_clear(d, IRQD_IRQ_DISABLED | IRQD_IRQ_MASKED);
		} else {
			irq_enable(desc);
		}
		irqd_set(d, IRQD_IRQ_STARTED);
	}
	// What came while it was disabled and lazily masked: a level comes again by itself, an edge is run now.
	desc.core_internal_state__do_not_mess_with_it &= ~IRQS_PENDING;
	return ret;
}

/** irq_startup() unless it must be enabled by hand (kernel/irq/chip.c: irq_activate_and_startup()). */
export function irq_autostart(desc: irq_desc): void {
	if (irq_settings_can_autoenable(desc)) irq_startup(desc);
	else desc.depth = 1;
}

/** Stop @desc: its last handler is gone (kernel/irq/chip.c: irq_shutdown()). */
export function irq_shutdown(desc: irq_desc): void {
	const d = desc.irq_data;
	if (!irqd_has_set(d, IRQD_IRQ_STARTED)) return;
	desc.depth = 1;
	if (d.chip?.irq_shutdown !== undefined) {
		d.chip.irq_shutdown(d);
		irqd_set(d, IRQD_IRQ_DISABLED | IRQD_IRQ_MASKED);
	} else {
		// For good: not lazily.
		irqd_set(d, IRQD_IRQ_DISABLED);
		if (d.chip?.irq_disable !== undefined) {
			d.chip.irq_disable(d);
			irqd_set(d, IRQD_IRQ_MASKED);
		} else {
			mask_irq(desc);
		}
	}
	irqd_clear(d, IRQD_IRQ_STARTED);
}

function irq_may_run(desc: irq_desc): bool {
	return !irqd_has_set(desc.irq_data, IRQD_IRQ_INPROGRESS);
}

/** Whether there is somebody to call; what comes for nobody is pending. */
function irq_can_handle(desc: irq_desc): bool {
	if (desc.action !== null && !irqd_irq_disabled(desc.irq_data)) return true;
	desc.core_internal_state__do_not_mess_with_it |= IRQS_PENDING;
	return false;
}

/** The end of an interrupt: unmask what a thread does not keep masked, and tell the chip. */
function cond_unmask_eoi_irq(desc: irq_desc): void {
	const d = desc.irq_data;
	if ((desc.core_internal_state__do_not_mess_with_it & IRQS_ONESHOT) === 0) {
		d.chip?.irq_eoi?.(d);
		return;
	}
	d.chip?.irq_eoi?.(d);
	if (!irqd_irq_disabled(d) && irqd_irq_masked(d) && desc.threads_active === 0) unmask_irq(desc);
}

/** Flow of a chip that only wants to be told the end (kernel/irq/chip.c: handle_fasteoi_irq()). */
export function handle_fasteoi_irq(desc: irq_desc): void {
	const d = desc.irq_data;
	spin_lock(desc.lock);
	if (!irq_may_run(desc)) {
		desc.core_internal_state__do_not_mess_with_it |= IRQS_PENDING;
		spin_unlock(desc.lock);
		return;
	}
	if (!irq_can_handle(desc)) {
		mask_irq(desc);
		if (((d.chip?.flags ?? 0) & IRQCHIP_EOI_IF_HANDLED) === 0) d.chip?.irq_eoi?.(d);
		spin_unlock(desc.lock);
		return;
	}
	desc.tot_count++;
	if ((desc.core_internal_state__do_not_mess_with_it & IRQS_ONESHOT) !== 0) mask_irq(desc);
	handle_irq_event(desc);
	cond_unmask_eoi_irq(desc);
	spin_unlock(desc.lock);
}

/** Flow of a level-triggered line that is masked while it is handled (kernel/irq/chip.c: handle_level_irq()). */
export function handle_level_irq(desc: irq_desc): void {
	const d = desc.irq_data;
	spin_lock(desc.lock);
	if (d.chip?.irq_mask_ack !== undefined) {
		d.chip.irq_mask_ack(d);
		irqd_set(d, IRQD_IRQ_MASKED);
	} else {
		mask_irq(desc);
		d.chip?.irq_ack?.(d);
	}
	if (irq_may_run(desc) && irq_can_handle(desc)) {
		desc.tot_count++;
		handle_irq_event(desc);
		if (!irqd_irq_disabled(d) && irqd_irq_masked(d) && desc.threads_active === 0) unmask_irq(desc);
	}
	spin_unlock(desc.lock);
}

/** Flow of an interrupt without a chip to tell (kernel/irq/chip.c: handle_simple_irq()). */
export function handle_simple_irq(desc: irq_desc): void {
	spin_lock(desc.lock);
	if (irq_may_run(desc) && irq_can_handle(desc)) {
		desc.tot_count++;
		handle_irq_event(desc);
	}
	spin_unlock(desc.lock);
}
