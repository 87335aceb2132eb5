// SPDX-License-Identifier: GPL-2.0-only
// Bits of an interrupt descriptor that only the core uses.
// Linux 6.12: kernel/irq/settings.h, kernel/irq/internals.h
import { IRQ_DISABLE_UNLAZY, IRQ_LEVEL, IRQ_NOAUTOEN, IRQ_NOREQUEST } from '#linux/irq.js';
import type { irq_data, irq_desc } from '#linux/irqdesc.js';
import type { bool, unsigned_int } from '#linux/types.js';

export const IRQS_SPURIOUS_DISABLED = 0x00000002;
export const IRQS_ONESHOT = 0x00000020;
/** An interrupt came while it was disabled. */
export const IRQS_PENDING = 0x00000200;

/** Whether drivers may ask for it (kernel/irq/settings.h: irq_settings_can_request()). */
export function irq_settings_can_request(desc: irq_desc): bool {
	return (desc.status_use_accessors & IRQ_NOREQUEST) === 0;
}

/** Whether a request enables it (kernel/irq/settings.h: irq_settings_can_autoenable()). */
export function irq_settings_can_autoenable(desc: irq_desc): bool {
	return (desc.status_use_accessors & IRQ_NOAUTOEN) === 0;
}

/**
 * Whether disabling masks it at once, not at the next interrupt
 * (kernel/irq/settings.h: irq_settings_disable_unlazy()).
 */
export function irq_settings_disable_unlazy(desc: irq_desc): bool {
	return (desc.status_use_accessors & IRQ_DISABLE_UNLAZY) !== 0;
}

/** Whether it is level-triggered (kernel/irq/settings.h: irq_settings_is_level()). */
export function irq_settings_is_level(desc: irq_desc): bool {
	return (desc.status_use_accessors & IRQ_LEVEL) !== 0;
}

/** Set bits of its state (kernel/irq/internals.h: irqd_set()). */
export function irqd_set(d: irq_data, mask: unsigned_int): void {
	d.common.state_use_accessors |= mask;
}

/** Clear bits of its state (kernel/irq/internals.h: irqd_clear()). */
export function irqd_clear(d: irq_data, mask: unsigned_int): void {
	d.common.state_use_accessors &= ~mask;
}

/** Whether any of these bits of its state is set (kernel/irq/internals.h: irqd_has_set()). */
export function irqd_has_set(d: irq_data, mask: unsigned_int): bool {
	return (d.common.state_use_accessors & mask) !== 0;
}
