// SPDX-License-Identifier: GPL-2.0-only
// What an interrupt controller's driver gives to the interrupt core.
// Linux 6.12: include/linux/irq.h
//
// Left out: affinity, wake-up, hierarchies (a parent irq_data), generic chips.
import type { irq_data, irq_desc } from '#linux/irqdesc.js';
import type { int, u32, unsigned_int, unsigned_long } from '#linux/types.js';

export type { irq_data, irq_desc };
export type irq_flow_handler_t = (desc: irq_desc) => void;

export interface irq_chip {
	readonly name: string;
	irq_startup?: (data: irq_data) => unsigned_int;
	irq_shutdown?: (data: irq_data) => void;
	irq_enable?: (data: irq_data) => void;
	irq_disable?: (data: irq_data) => void;
	irq_ack?: (data: irq_data) => void;
	irq_mask?: (data: irq_data) => void;
	irq_mask_ack?: (data: irq_data) => void;
	irq_unmask?: (data: irq_data) => void;
	irq_eoi?: (data: irq_data) => void;
	irq_set_type?: (data: irq_data, flow_type: unsigned_int) => int;
	readonly flags?: unsigned_long;
}

export const IRQ_TYPE_NONE = 0x00000000;
export const IRQ_TYPE_EDGE_RISING = 0x00000001;
export const IRQ_TYPE_EDGE_FALLING = 0x00000002;
export const IRQ_TYPE_EDGE_BOTH = IRQ_TYPE_EDGE_FALLING | IRQ_TYPE_EDGE_RISING;
export const IRQ_TYPE_LEVEL_HIGH = 0x00000004;
export const IRQ_TYPE_LEVEL_LOW = 0x00000008;
export const IRQ_TYPE_LEVEL_MASK = IRQ_TYPE_LEVEL_LOW | IRQ_TYPE_LEVEL_HIGH;
export const IRQ_TYPE_SENSE_MASK = 0x0000000f;
export const IRQ_LEVEL = 1 << 8;
export const IRQ_PER_CPU = 1 << 9;
export const IRQ_NOPROBE = 1 << 10;
export const IRQ_NOREQUEST = 1 << 11;
export const IRQ_NOAUTOEN = 1 << 12;
export const IRQ_NOTHREAD = 1 << 16;
export const IRQ_PER_CPU_DEVID = 1 << 17;
export const IRQ_DISABLE_UNLAZY = 1 << 19;

// Bits of irq_common_data.state_use_accessors.
export const IRQD_TRIGGER_MASK = 0xf;
export const IRQD_ACTIVATED = 1 << 9;
export const IRQD_LEVEL = 1 << 13;
export const IRQD_IRQ_DISABLED = 1 << 16;
export const IRQD_IRQ_MASKED = 1 << 17;
export const IRQD_IRQ_INPROGRESS = 1 << 18;
export const IRQD_IRQ_STARTED = 1 << 22;

export const IRQCHIP_SET_TYPE_MASKED = 1 << 0;
export const IRQCHIP_EOI_IF_HANDLED = 1 << 1;
export const IRQCHIP_MASK_ON_SUSPEND = 1 << 2;
export const IRQCHIP_SKIP_SET_WAKE = 1 << 4;

/** The trigger type that is set (include/linux/irq.h: irqd_get_trigger_type()). */
export function irqd_get_trigger_type(d: irq_data): u32 {
	return d.common.state_use_accessors & IRQD_TRIGGER_MASK;
}

/** Note the trigger type that the controller was set to (include/linux/irq.h: irqd_set_trigger_type()). */
export function irqd_set_trigger_type(d: irq_data, type: u32): void {
	d.common.state_use_accessors =
		(d.common.state_use_accessors & ~IRQD_TRIGGER_MASK) | (type & IRQD_TRIGGER_MASK);
}

/** Whether the interrupt is disabled, be it masked or not yet (include/linux/irq.h: irqd_irq_disabled()). */
export function irqd_irq_disabled(d: irq_data): boolean {
	return (d.common.state_use_accessors & IRQD_IRQ_DISABLED) !== 0;
}

/** Whether it is masked at the controller (include/linux/irq.h: irqd_irq_masked()). */
export function irqd_irq_masked(d: irq_data): boolean {
	return (d.common.state_use_accessors & IRQD_IRQ_MASKED) !== 0;
}

/** Whether its handlers run (include/linux/irq.h: irqd_irq_inprogress()). */
export function irqd_irq_inprogress(d: irq_data): boolean {
	return (d.common.state_use_accessors & IRQD_IRQ_INPROGRESS) !== 0;
}

/** Whether it was started up (include/linux/irq.h: irqd_is_started()). */
export function irqd_is_started(d: irq_data): boolean {
	return (d.common.state_use_accessors & IRQD_IRQ_STARTED) !== 0;
}

/** The chip's data of @d (include/linux/irq.h: irq_data_get_irq_chip_data()). */
export function irq_data_get_irq_chip_data<T>(d: irq_data): T {
	return d.chip_data as T;
}

/** The number at the controller (include/linux/irq.h: irqd_to_hwirq()). */
export function irqd_to_hwirq(d: irq_data): unsigned_long {
	return d.hwirq;
}
