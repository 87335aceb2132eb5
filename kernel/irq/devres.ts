// SPDX-License-Identifier: GPL-2.0-only
// Interrupts that are freed when their device is unbound.
// Linux 6.12: kernel/irq/devres.c
import { devres_add, devres_alloc, devres_destroy, devres_free } from '#drivers/base/devres.js';
import { free_irq, request_threaded_irq } from '#kernel/irq/manage.js';
import { WARN_ON } from '#linux/bug.js';
import { dev_name, type device } from '#linux/device.js';
import { ENOMEM } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp_types.js';
import type { irq_handler_t } from '#linux/irqhandler.js';
import type { int, unsigned_int, unsigned_long } from '#linux/types.js';

class irq_devres {
	irq: unsigned_int = 0;
	dev_id: unknown = null;
}

function devm_irq_release(_dev: device, data: unknown): void {
	const res = data as irq_devres;
	free_irq(res.irq, res.dev_id);
}

function devm_irq_match(_dev: device, data: unknown, match_data: unknown): int {
	const res = data as irq_devres;
	const match = match_data as irq_devres;
	return res.irq === match.irq && res.dev_id === match.dev_id ? 1 : 0;
}

/** request_threaded_irq() that ends with @dev's binding (kernel/irq/devres.c: devm_request_threaded_irq()). */
export function devm_request_threaded_irq(
	dev: device,
	irq: unsigned_int,
	handler: irq_handler_t | null,
	thread_fn: irq_handler_t | null,
	irqflags: unsigned_long,
	devname: string | null,
	dev_id: unknown,
): int {
	const dr = devres_alloc(devm_irq_release, irq_devres, GFP_KERNEL);
	if (dr === null) return -ENOMEM;
	const rc = request_threaded_irq(irq, handler, thread_fn, irqflags, devname ?? dev_name(dev), dev_id);
	if (rc !== 0) {
		devres_free(dr);
		return rc;
	}
	dr.irq = irq;
	dr.dev_id = dev_id;
	devres_add(dev, dr);
	return 0;
}

/** Give an interrupt back before its time (kernel/irq/devres.c: devm_free_irq()). */
export function devm_free_irq(dev: device, irq: unsigned_int, dev_id: unknown): void {
	const match_data = new irq_devres();
	match_data.irq = irq;
	match_data.dev_id = dev_id;
	WARN_ON(devres_destroy(dev, devm_irq_release, devm_irq_match, match_data) !== 0);
	free_irq(irq, dev_id);
}
