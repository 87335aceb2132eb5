// SPDX-License-Identifier: GPL-2.0-only
// Requesting interrupts.
// Linux 6.12: include/linux/interrupt.h
//
// Left out: affinity, NMIs, per-CPU interrupts, wake-up. Tasklets and softirqs are kernel/softirq.ts.
import { devm_request_threaded_irq } from '#kernel/irq/devres.js';
import { request_threaded_irq } from '#kernel/irq/manage.js';
import type { device } from '#linux/device.js';
import type { irq_handler_t } from '#linux/irqhandler.js';
import type { int, unsigned_int, unsigned_long } from '#linux/types.js';

export * from '#linux/irqhandler.js';
export * from '#linux/irqreturn.js';

/**
 * Have @handler called, in hard-irq context, for each interrupt @irq (include/linux/interrupt.h: request_irq()).
 *
 * @irq: a Linux interrupt number, as platform_get_irq() gives it
 * @dev_id: handed to @handler, and tells the users of a shared line apart
 * Returns 0, -EINVAL for a number or combination that cannot be, -EBUSY when somebody else has the line.
 */
export function request_irq(
	irq: unsigned_int,
	handler: irq_handler_t,
	flags: unsigned_long,
	name: string,
	dev_id: unknown,
): int {
	return request_threaded_irq(irq, handler, null, flags, name, dev_id);
}

/** request_irq() that ends when @dev is unbound (include/linux/interrupt.h: devm_request_irq()). */
export function devm_request_irq(
	dev: device,
	irq: unsigned_int,
	handler: irq_handler_t,
	irqflags: unsigned_long,
	devname: string | null,
	dev_id: unknown,
): int {
	return devm_request_threaded_irq(dev, irq, handler, null, irqflags, devname, dev_id);
}
