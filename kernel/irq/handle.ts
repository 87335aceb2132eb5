// SPDX-License-Identifier: GPL-2.0-only
// Calling the handlers of an interrupt, and the entry from the CPU.
// Linux 6.12: kernel/irq/handle.c

import { trace_irq_handler_entry, trace_irq_handler_exit } from '#include/trace/events/irq.js';
import { IRQS_PENDING, irqd_clear, irqd_set } from '#kernel/irq/settings.js';
import { note_interrupt } from '#kernel/irq/spurious.js';
import { irq_enter, irq_exit } from '#kernel/softirq.js';
import { WARN_ONCE } from '#linux/bug.js';
import { EBUSY } from '#linux/errno.js';
import { boot_data } from '#linux/init.js';
import { IRQD_IRQ_INPROGRESS } from '#linux/irq.js';
import type { irq_desc } from '#linux/irqdesc.js';
import { irqs_disabled, local_irq_disable } from '#linux/irqflags.js';
import type { irqaction } from '#linux/irqhandler.js';
import { IRQ_NONE, IRQ_WAKE_THREAD, type irqreturn_t } from '#linux/irqreturn.js';
import { pr_err } from '#linux/printk.js';
import { spin_lock, spin_unlock } from '#linux/spinlock.js';
import type { int, unsigned_int } from '#linux/types.js';
import { schedule_work } from '#linux/workqueue.js';

const state = boot_data(() => ({
	/** The root interrupt controller's driver. */
	handle_arch_irq: null as (() => void) | null,
}));

/** Name the root controller's handler; -EBUSY when there is one (kernel/irq/handle.c: set_handle_irq()). */
export function set_handle_irq(handle_irq: () => void): int {
	if (state.handle_arch_irq !== null) return -EBUSY;
	state.handle_arch_irq = handle_irq;
	return 0;
}

/** The CPU has taken an interrupt (kernel/irq/handle.c: generic_handle_arch_irq()). */
export function generic_handle_arch_irq(): void {
	irq_enter();
	state.handle_arch_irq?.();
	irq_exit();
}

/** An interrupt that nobody expected (kernel/irq/handle.c: handle_bad_irq()). */
export function handle_bad_irq(desc: irq_desc): void {
	desc.tot_count++;
	pr_err('unexpected IRQ trap at vector %02x', desc.irq_data.irq);
}

function __irq_wake_thread(desc: irq_desc, action: irqaction): void {
	// Woken once more while it waits to run, it runs once.
	if (schedule_work(action.thread)) desc.threads_active++;
}

/** Call every handler of @desc; the answers are or-ed (kernel/irq/handle.c: __handle_irq_event_percpu()). */
export function __handle_irq_event_percpu(desc: irq_desc): irqreturn_t {
	const irq: unsigned_int = desc.irq_data.irq;
	let retval: irqreturn_t = IRQ_NONE;
	for (let action = desc.action; action !== null; action = action.next) {
		trace_irq_handler_entry(irq, action);
		const res = action.handler === null ? IRQ_NONE : action.handler(irq, action.dev_id);
		trace_irq_handler_exit(irq, action, res);
		if (WARN_ONCE(!irqs_disabled(), 'irq %u handler %ps enabled interrupts', irq, action.handler))
			local_irq_disable();
		if (res === IRQ_WAKE_THREAD) {
			if (action.thread_fn === null)
				pr_err(
					'IRQ %d device %s returned IRQ_WAKE_THREAD but no thread function available.',
					irq,
					action.name,
				);
			else __irq_wake_thread(desc, action);
		}
		retval |= res;
	}
	return retval;
}

/** Handle @desc, whose lock is held; it is let go while the handlers run (kernel/irq/handle.c: handle_irq_event()). */
export function handle_irq_event(desc: irq_desc): irqreturn_t {
	desc.core_internal_state__do_not_mess_with_it &= ~IRQS_PENDING;
	irqd_set(desc.irq_data, IRQD_IRQ_INPROGRESS);
	spin_unlock(desc.lock);
	const ret = __handle_irq_event_percpu(desc);
	note_interrupt(desc, ret);
	spin_lock(desc.lock);
	irqd_clear(desc.irq_data, IRQD_IRQ_INPROGRESS);
	return ret;
}
