// SPDX-License-Identifier: GPL-2.0-only
// Interrupts that no handler wants.
// Linux 6.12: kernel/irq/spurious.c
//
// Left out: polling (irqpoll, irqfixup), threaded handlers that report late.
import { irq_disable } from '#kernel/irq/chip.js';
import { IRQS_SPURIOUS_DISABLED } from '#kernel/irq/settings.js';
import { dump_stack } from '#lib/dump_stack.js';
import type { irq_desc } from '#linux/irqdesc.js';
import { IRQ_HANDLED, IRQ_NONE, IRQ_WAKE_THREAD, type irqreturn_t } from '#linux/irqreturn.js';
import { HZ, jiffies, time_after } from '#linux/jiffies.js';
import { pr_emerg, pr_err } from '#linux/printk.js';
import { spin_lock_irqsave, spin_unlock_irqrestore } from '#linux/spinlock.js';

/** Of so many interrupts ... */
const CHECKED = 100000;
/** ... so many unhandled ones end the line. */
const TOO_MANY = 99900;

function report_bad_irq(desc: irq_desc, action_ret: irqreturn_t): void {
	const irq = desc.irq_data.irq;
	if (action_ret > (IRQ_HANDLED | IRQ_WAKE_THREAD))
		pr_err('irq event %d: bogus return value %x', irq, action_ret);
	else pr_err('irq %d: nobody cared (try booting with the "irqpoll" option)', irq);
	dump_stack();
	pr_err('handlers:');
	const flags = spin_lock_irqsave(desc.lock);
	for (let action = desc.action; action !== null; action = action.next) {
		if (action.thread_fn !== null)
			pr_err(
				'[<%p>] %ps threaded [<%p>] %ps',
				action.handler,
				action.handler,
				action.thread_fn,
				action.thread_fn,
			);
		else pr_err('[<%p>] %ps', action.handler, action.handler);
	}
	spin_unlock_irqrestore(desc.lock, flags);
}

/**
 * Count what the handlers answered; a line on which nearly all of 100000 interrupts were nobody's is disabled
 * (kernel/irq/spurious.c: note_interrupt()).
 */
export function note_interrupt(desc: irq_desc, action_ret: irqreturn_t): void {
	if (action_ret > (IRQ_HANDLED | IRQ_WAKE_THREAD)) {
		report_bad_irq(desc, action_ret);
		return;
	}
	if (action_ret === IRQ_NONE) {
		// A stray one now and then is no trouble: after a tenth of a second of peace the count starts again.
		const now = jiffies();
		if (time_after(now, desc.last_unhandled + HZ / 10)) desc.irqs_unhandled = 1;
		else desc.irqs_unhandled++;
		desc.last_unhandled = now;
	}
	if (desc.irqs_unhandled === 0) return;
	desc.irq_count++;
	if (desc.irq_count < CHECKED) return;
	desc.irq_count = 0;
	if (desc.irqs_unhandled > TOO_MANY) {
		report_bad_irq(desc, action_ret);
		pr_emerg('Disabling IRQ #%d', desc.irq_data.irq);
		const flags = spin_lock_irqsave(desc.lock);
		desc.core_internal_state__do_not_mess_with_it |= IRQS_SPURIOUS_DISABLED;
		desc.depth++;
		irq_disable(desc);
		spin_unlock_irqrestore(desc.lock, flags);
	}
	desc.irqs_unhandled = 0;
}
