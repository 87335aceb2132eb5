// SPDX-License-Identifier: GPL-2.0-only
// Trace events of interrupts.
// Linux 6.12: include/trace/events/irq.h
// Left out: those of softirqs and tasklets.
import { __field, __string, TRACE_EVENT } from '#include/trace/trace_events.js';
import { trace_event } from '#kernel/trace/trace.js';
import { do_trace } from '#kernel/tracepoint.js';
import type { irqaction } from '#linux/irqhandler.js';
import type { irqreturn_t } from '#linux/irqreturn.js';
import type { int } from '#linux/types.js';

const irq_handler_entry = TRACE_EVENT(
	'irq',
	'irq_handler_entry',
	[__field('int', 'irq'), __string('name')],
	'irq=%d name=%s',
	['irq', 'name'],
);
const irq_handler_exit = TRACE_EVENT(
	'irq',
	'irq_handler_exit',
	[__field('int', 'irq'), __field('int', 'ret')],
	'irq=%d ret=%s',
	['irq', 'REC->ret ? "handled" : "unhandled"'],
);

export function trace_irq_handler_entry(irq: int, action: irqaction): void {
	if (irq_handler_entry.probes.length !== 0) do_trace(irq_handler_entry, irq, action);
	if (!irq_handler_entry.enabled) return;
	trace_event(irq_handler_entry, irq, action.name);
}

export function trace_irq_handler_exit(irq: int, action: irqaction, ret: irqreturn_t): void {
	if (irq_handler_exit.probes.length !== 0) do_trace(irq_handler_exit, irq, action, ret);
	if (!irq_handler_exit.enabled) return;
	trace_event(irq_handler_exit, irq, ret !== 0 ? 'handled' : 'unhandled');
}
