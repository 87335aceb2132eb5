// SPDX-License-Identifier: GPL-2.0-only
// Another handler in place of an IOMMU driver's, to do what no driver should.

import type { Machine } from '#hw/core/machine.js';
import { irq_to_desc, NR_IRQS } from '#kernel/irq/irqdesc.js';
import type { irq_handler_t, irqaction } from '#linux/irqhandler.js';

/** The action for the interrupt of the device called @name. */
export function actionOf(machine: Machine, name: string): irqaction {
	const { line } = machine.wires.find((wire) => wire.name === name)!;
	for (let irq = 0; irq < NR_IRQS; irq++) {
		const desc = irq_to_desc(irq);
		if (desc?.irq_data.hwirq !== line.intid) continue;
		for (let action = desc.action; action !== null; action = action.next)
			if (action.name === name) return action;
	}
	throw new Error(`nobody has requested the interrupt of ${name}`);
}

/** Have @make's handler, which is given the driver's, answer in its place. */
export function replaceHandler(
	machine: Machine,
	name: string,
	make: (driver: irq_handler_t) => irq_handler_t,
): void {
	const action = actionOf(machine, name);
	action.handler = make(action.handler!);
}
