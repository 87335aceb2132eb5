// SPDX-License-Identifier: GPL-2.0-only
// The kinds of interrupt handler, and one driver's hold on an interrupt.
// Linux 6.12: include/linux/irqhandler.h; IRQF_* and struct irqaction are from include/linux/interrupt.h
//
// They stand here so that the inlines of interrupt.ts can call kernel/irq without a cycle of imports;
// interrupt.ts hands them on.
import type { irqreturn_t } from '#linux/irqreturn.js';
import type { int, unsigned_int } from '#linux/types.js';
import { work_struct } from '#linux/workqueue.js';

export type irq_handler_t = (irq: int, dev_id: unknown) => irqreturn_t;

export const IRQF_TRIGGER_NONE = 0x00000000;
export const IRQF_TRIGGER_RISING = 0x00000001;
export const IRQF_TRIGGER_FALLING = 0x00000002;
export const IRQF_TRIGGER_HIGH = 0x00000004;
export const IRQF_TRIGGER_LOW = 0x00000008;
export const IRQF_TRIGGER_MASK =
	IRQF_TRIGGER_HIGH | IRQF_TRIGGER_LOW | IRQF_TRIGGER_RISING | IRQF_TRIGGER_FALLING;
/** Several devices may use the interrupt, if all agree. */
export const IRQF_SHARED = 0x00000080;
export const IRQF_PROBE_SHARED = 0x00000100;
export const __IRQF_TIMER = 0x00000200;
export const IRQF_PERCPU = 0x00000400;
export const IRQF_NOBALANCING = 0x00000800;
export const IRQF_IRQPOLL = 0x00001000;
/** Keep the interrupt masked until the thread has run. */
export const IRQF_ONESHOT = 0x00002000;
export const IRQF_NO_SUSPEND = 0x00004000;
export const IRQF_NO_THREAD = 0x00010000;
/** Do not enable the interrupt when it is requested. */
export const IRQF_NO_AUTOEN = 0x00080000;
export const IRQF_TIMER = __IRQF_TIMER | IRQF_NO_SUSPEND | IRQF_NO_THREAD;

/** One handler of an interrupt. */
export class irqaction {
	handler: irq_handler_t | null = null;
	dev_id: unknown = null;
	next: irqaction | null = null;
	thread_fn: irq_handler_t | null = null;
	/** Runs thread_fn: a work item stands for C's kernel thread. */
	thread: work_struct = new work_struct(this);
	irq: unsigned_int = 0;
	flags: unsigned_int = 0;
	name: string | null = null;
}
