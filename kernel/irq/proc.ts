// SPDX-License-Identifier: GPL-2.0-only
// The text of /proc/interrupts.
// Linux 6.12: kernel/irq/proc.c
//
// Left out: /proc/irq, the lines of interprocessor interrupts.
import { irq_get_next_irq, irq_to_desc, NR_IRQS } from '#kernel/irq/irqdesc.js';
import { irqd_has_set } from '#kernel/irq/settings.js';
import { IRQD_LEVEL } from '#linux/irq.js';

/** The lines of /proc/interrupts (kernel/irq/proc.c: show_interrupts()). */
export function show_interrupts(): string {
	const prec = 3;
	let text = `${' '.repeat(prec + 8)}CPU0       \n`;
	for (let i = irq_get_next_irq(1); i < NR_IRQS; i = irq_get_next_irq(i + 1)) {
		const desc = irq_to_desc(i);
		if (desc === null || (desc.action === null && desc.tot_count === 0)) continue;
		const d = desc.irq_data;
		text += `${String(i).padStart(prec)}: ${String(desc.tot_count).padStart(10)} `;
		text += d.chip === null ? ' None    ' : ` ${d.chip.name.padStart(8)}`;
		text += d.domain === null ? ` ${''.padEnd(prec)}` : ` ${String(d.hwirq).padStart(prec)}`;
		text += ` ${(irqd_has_set(d, IRQD_LEVEL) ? 'Level' : 'Edge').padEnd(8)}`;
		if (desc.name !== null) text += `-${desc.name.padEnd(8)}`;
		for (let action = desc.action; action !== null; action = action.next)
			text += `${action === desc.action ? '  ' : ', '}${action.name ?? ''}`;
		text += '\n';
	}
	return text;
}
