// SPDX-License-Identifier: GPL-2.0-only
// The trace: a ring of events as lines of text.
// Linux 6.12: kernel/trace/trace.c, kernel/trace/trace_events.c
// Left out: per-CPU buffers, filters, triggers, tracers, the binary format
import { cpu_context } from '#asm/current.js';
import { sched_clock } from '#kernel/time/sched_clock.js';
import { type printk_arg, vsnprintf_text } from '#lib/vsprintf.js';
import { __setup, boot_data } from '#linux/init.js';
import { irqs_disabled } from '#linux/irqflags.js';
import { HARDIRQ_MASK, PREEMPT_MASK, SOFTIRQ_OFFSET } from '#linux/preempt.js';
import type { bool, int, size_t, u64 } from '#linux/types.js';

/** One event of the ring. */
export interface trace_entry {
	/** `system:event`; bprint for trace_printk(). */
	readonly event: string;
	/** The text after the event's name. */
	readonly text: string;
	readonly ts: u64;
	readonly cpu: int;
	readonly pid: int;
	readonly comm: string;
	readonly irq_flags: string;
}

/** An event that can be switched on; `enabled` is all that a disabled one costs to ask. */
export class trace_event_call {
	enabled: bool = false;
	constructor(
		readonly system: string,
		readonly name: string,
	) {}
}

const RING_ENTRIES = 65536;

/** Every event of the image, registered at import. */
const events: trace_event_call[] = [];

const ring = boot_data(() => {
	for (const call of events) call.enabled = false;
	return {
		entries: [] as trace_entry[],
		/** Where the oldest stands once the ring is full. */
		head: 0,
		written: 0,
		tracing_on: true as bool,
		size: RING_ENTRIES as size_t,
	};
});

/** Register an event of the image; use it at module top level (include/trace/trace_events.h: TRACE_EVENT()). */
export function DEFINE_TRACE_EVENT(system: string, name: string): trace_event_call {
	const call = new trace_event_call(system, name);
	events.push(call);
	return call;
}

function irq_flags_text(): string {
	const task = cpu_context.current;
	const hard = (task.preempt_count & HARDIRQ_MASK) !== 0;
	const soft = (task.preempt_count & SOFTIRQ_OFFSET) !== 0;
	const depth = task.preempt_count & PREEMPT_MASK;
	return `${irqs_disabled() ? 'd' : '.'}.${hard && soft ? 'H' : hard ? 'h' : soft ? 's' : '.'}${depth === 0 ? '.' : depth.toString(16)}.`;
}

function trace_store(event: string, text: string): void {
	if (!ring.tracing_on) return;
	const task = cpu_context.current;
	const e: trace_entry = {
		event,
		text,
		ts: sched_clock(),
		cpu: cpu_context.cpu,
		pid: task.pid,
		comm: task.comm,
		irq_flags: irq_flags_text(),
	};
	ring.written++;
	if (ring.entries.length < ring.size) {
		ring.entries.push(e);
	} else {
		ring.entries[ring.head] = e;
		ring.head = (ring.head + 1) % ring.size;
	}
}

/** Record @call with its printed fields, if it is on (include/trace/trace_events.h: trace_event_raw_event_*). */
export function trace_event(call: trace_event_call, fmt: string, ...args: printk_arg[]): void {
	if (call.enabled) trace_store(`${call.system}:${call.name}`, vsnprintf_text(fmt, args));
}

/** A line of free text (kernel/trace/trace.c: trace_printk()). */
export function trace_printk(fmt: string, ...args: printk_arg[]): int {
	const text = vsnprintf_text(fmt, args);
	trace_store('bprint', text);
	return text.length;
}

/** Switch events on or off: `iommu:map`, `iommu:*`, `map`, `*`; whether any matched (kernel/trace/trace_events.c: trace_set_clr_event()). */
export function trace_set_clr_event(match: string, set: bool): bool {
	let any = false;
	const [system, name] = match.includes(':') ? (match.split(':') as [string, string]) : [null, match];
	for (const call of events) {
		if (system !== null && system !== '*' && system !== '' && system !== call.system) continue;
		if (name !== '*' && name !== '' && name !== call.name && !(system === null && name === call.system))
			continue;
		call.enabled = set;
		any = true;
	}
	return any;
}

/** All events, as /sys/kernel/tracing/available_events lists them. */
export function available_events(): string[] {
	return events.map((c) => `${c.system}:${c.name}`);
}

/** Start or stop recording (kernel/trace/trace.c: tracing_on(), tracing_off()). */
export function tracing_on(): void {
	ring.tracing_on = true;
}

export function tracing_off(): void {
	ring.tracing_on = false;
}

/** Forget what was recorded (kernel/trace/trace.c: tracing_reset_online_cpus()). */
export function tracing_reset(): void {
	ring.entries = [];
	ring.head = 0;
	ring.written = 0;
}

/** The recorded events, the oldest first. */
export function trace_entries(): trace_entry[] {
	return [...ring.entries.slice(ring.head), ...ring.entries.slice(0, ring.head)];
}

/** An event as a line of /sys/kernel/tracing/trace. */
export function trace_line(e: trace_entry): string {
	const us = Math.floor(e.ts / 1000);
	const task = `${e.comm.slice(0, 16).padStart(16)}-${String(e.pid).padEnd(7)}`;
	const time = `${String(Math.floor(us / 1_000_000)).padStart(5)}.${String(us % 1_000_000).padStart(6, '0')}`;
	const name = e.event === 'bprint' ? '' : `${e.event.slice(e.event.indexOf(':') + 1)}: `;
	return `${task} [${String(e.cpu).padStart(3, '0')}] ${e.irq_flags} ${time}: ${name}${e.text}`;
}

/** The whole of /sys/kernel/tracing/trace. */
export function trace_lines(): string[] {
	return [
		'# tracer: nop',
		'#',
		`# entries-in-buffer/entries-written: ${ring.entries.length}/${ring.written}   #P:1`,
		'#',
		'#                                _-----=> irqs-off/BH-disabled',
		'#                               / _----=> need-resched',
		'#                              | / _---=> hardirq/softirq',
		'#                              || / _--=> preempt-depth',
		'#                              ||| / _-=> migrate-disable',
		'#                              |||| /     delay',
		'#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION',
		'#              | |         |   |||||     |         |',
		...trace_entries().map(trace_line),
	];
}

__setup('trace_event', (val) => {
	for (const match of (val ?? '').split(',')) if (match !== '') trace_set_clr_event(match, true);
	return 0;
});
