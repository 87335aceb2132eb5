// SPDX-License-Identifier: GPL-2.0-only
// How events are declared: TRACE_EVENT() and what stands in it.
// Linux 6.12: include/trace/trace_events.h, include/trace/stages/*.h, include/linux/tracepoint.h
//
// An event is declared by its record's fields and by TP_printk(): a format, and the C of what fills it. Both are
// what events/SYSTEM/EVENT/format shows; trace_event() prints with the same format.
import {
	__register_event,
	trace_event_call,
	trace_event_class,
	trace_event_fields,
} from '#linux/trace_events.js';
import type { bool, int } from '#linux/types.js';

/** sizeof() and is_signed_type() of what fields are made of, on arm64. */
const c_types: Record<string, readonly [size: int, is_signed: bool]> = {
	u32: [4, false],
	u64: [8, false],
	size_t: [8, false],
	dma_addr_t: [8, false],
	'unsigned long': [8, false],
	'void *': [8, false],
	int: [4, true],
	gfp_t: [4, false],
	'enum dma_data_direction': [4, false],
	bool: [1, false],
};

/** A scalar (include/trace/stages/stage4_event_fields.h: __field()). */
export function __field(type: string, item: string): trace_event_fields {
	const [size, is_signed] = c_types[type]!;
	return new trace_event_fields(type, item, size, size, is_signed, `REC->${item}`);
}

function __data_loc(type: string, item: string, expr: string): trace_event_fields {
	return new trace_event_fields(`__data_loc ${type}[]`, item, 4, 4, false, expr);
}

/** Something of any length: its place in the record is a field (include/trace/stages/stage4_event_fields.h: __dynamic_array()). */
export function __dynamic_array(type: string, item: string): trace_event_fields {
	const bytes = `__get_dynamic_array_len(${item})`;
	return __data_loc(
		type,
		item,
		`__print_array(__get_dynamic_array(${item}), ${bytes} / sizeof(${type}), sizeof(${type}))`,
	);
}

/** A text (include/trace/stages/stage4_event_fields.h: __string()). */
export function __string(item: string): trace_event_fields {
	return __data_loc('char', item, `__get_str(${item})`);
}

/** The C of one field by its name: what TP_printk() says for it. */
function expression(fields: readonly trace_event_fields[], arg: string): string {
	return fields.find((f) => f.name === arg)?.expr ?? arg;
}

/**
 * What several events share (include/trace/trace_events.h: DECLARE_EVENT_CLASS()).
 *
 * @args: what fills @format: a field's name, or C
 */
export function DECLARE_EVENT_CLASS(
	system: string,
	fields: readonly trace_event_fields[],
	format: string,
	args: readonly string[],
): trace_event_class {
	return new trace_event_class(
		system,
		fields,
		format,
		args.map((arg) => expression(fields, arg)),
	);
}

/** An event of a class; use it at module top level (include/trace/trace_events.h: DEFINE_EVENT()). */
export function DEFINE_EVENT(template: trace_event_class, name: string): trace_event_call {
	return __register_event(new trace_event_call(template, name));
}

/** An event with a class of its own (include/trace/trace_events.h: TRACE_EVENT()). */
export function TRACE_EVENT(
	system: string,
	name: string,
	fields: readonly trace_event_fields[],
	format: string,
	args: readonly string[],
): trace_event_call {
	return DEFINE_EVENT(DECLARE_EVENT_CLASS(system, fields, format, args), name);
}

/** The C of __print_symbolic() for @item. */
export function __print_symbolic(item: string, names: readonly string[]): string {
	const pairs = names.map((name, value) => `{ ${value}, "${name}" }`);
	return `__print_symbolic(REC->${item}, ${pairs.join(', ')})`;
}
