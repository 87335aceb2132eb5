// SPDX-License-Identifier: GPL-2.0-only
// Trace events as the tracer knows them: their fields, and how they print.
// Linux 6.12: include/linux/trace_events.h
// Left out: filters, triggers, probes, registration at run time (events of the image only).
import { ALIGN } from '#linux/align.js';
import type { bool, int, u64 } from '#linux/types.js';

/** A field of an event's record; where it lies follows from those before it. */
export class trace_event_fields {
	constructor(
		readonly type: string,
		readonly name: string,
		readonly size: int,
		readonly align: int,
		readonly is_signed: bool,
		/** The C that TP_printk() has for it, as `format` shows it. */
		readonly expr: string,
	) {}
}

/** What events with the same record share. */
export class trace_event_class {
	constructor(
		readonly system: string,
		readonly fields_array: readonly trace_event_fields[],
		/** A printk format, and in C what fills it. */
		readonly print_format: string,
		readonly print_args: readonly string[],
	) {}
}

/** A function at a tracepoint: what it was registered with, then the event's arguments. */
export type tracepoint_probe<A extends unknown[] = unknown[]> = (data: unknown, ...args: A) => void;

/** One of an event's functions (include/linux/tracepoint-defs.h: struct tracepoint_func). */
export interface tracepoint_func {
	readonly func: tracepoint_probe;
	readonly data: unknown;
}

/** An event that can be switched on; `enabled` is all that a disabled one costs to ask. */
export class trace_event_call {
	enabled: bool = false;
	/** Who else wants to know; see kernel/tracepoint.ts. */
	probes: tracepoint_func[] = [];
	/** Linux: event.type; the number that records of it carry. */
	type: int = 0;
	constructor(
		readonly class_: trace_event_class,
		readonly name: string,
	) {}
}

/** One record of the ring, already printed. */
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

/** The types below this one are the tracers' own (kernel/trace/trace.h: __TRACE_LAST_TYPE). */
const __TRACE_LAST_TYPE = 20;

/** All events of the image, in link order (Linux: a section of the image). */
export const __start_ftrace_events: trace_event_call[] = [];

/** Put @call among them; at module top level. */
export function __register_event(call: trace_event_call): trace_event_call {
	call.type = __TRACE_LAST_TYPE + __start_ftrace_events.length;
	__start_ftrace_events.push(call);
	return call;
}

/** The name of @call (include/linux/trace_events.h: trace_event_name()). */
export function trace_event_name(call: trace_event_call): string {
	return call.name;
}

/** What every record begins with (include/linux/trace_events.h: struct trace_entry). */
export const trace_common_fields: readonly trace_event_fields[] = [
	new trace_event_fields('unsigned short', 'common_type', 2, 2, false, ''),
	new trace_event_fields('unsigned char', 'common_flags', 1, 1, false, ''),
	new trace_event_fields('unsigned char', 'common_preempt_count', 1, 1, false, ''),
	new trace_event_fields('int', 'common_pid', 4, 4, true, ''),
];

/** Where each of @fields lies when the first may begin at @offset: C's layout of a struct. */
export function trace_event_offsets(fields: readonly trace_event_fields[], offset: int): int[] {
	const offsets: int[] = [];
	for (const f of fields) {
		offset = ALIGN(offset, f.align);
		offsets.push(offset);
		offset += f.size;
	}
	return offsets;
}
