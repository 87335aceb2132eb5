// SPDX-License-Identifier: GPL-2.0-only
// A record as a line, and the values in it as text.
// Linux 6.12: kernel/trace/trace_output.c
// Left out: other outputs (raw, hex, binary, fields), latency format, stacks.
import type { trace_entry } from '#linux/trace_events.js';
import { type int, U64_MAX, type u64, type unsigned_long } from '#linux/types.js';

/** A bit or some bits, and their name. */
export type trace_print_flags = readonly [mask: unsigned_long, name: string];

/** The names of the bits of @flags, each bit once; what is left in hex (kernel/trace/trace_output.c). */
export function trace_print_flags_seq(
	delim: string,
	flags: unsigned_long,
	flag_array: readonly trace_print_flags[],
): string {
	const out: string[] = [];
	for (const [mask, name] of flag_array) {
		if (flags === 0) break;
		if ((flags & mask) !== mask) continue;
		out.push(name);
		flags &= ~mask;
	}
	if (flags !== 0) out.push(`0x${(flags >>> 0).toString(16)}`);
	return out.join(delim);
}

/** The name of @val, else its number in hex (kernel/trace/trace_output.c: trace_print_symbols_seq()). */
export function trace_print_symbols_seq(val: unsigned_long, symbol_array: readonly string[]): string {
	return symbol_array[val] ?? `0x${val.toString(16)}`;
}

/** kernel/trace/trace_output.c: trace_print_array_seq() */
export function trace_print_array_seq(values: readonly number[]): string {
	const hex = (v: number): string => (v >= U64_MAX ? 'ffffffffffffffff' : v.toString(16));
	return `{${values.map((v) => `0x${hex(v)}`).join(',')}}`;
}

/** @nsec in microseconds, rounded (kernel/trace/trace.c: ns2usecs()). */
function ns2usecs(nsec: u64): u64 {
	return Math.floor((nsec + 500) / 1000);
}

/** The name of the task @e is of (kernel/trace/trace_sched_switch.c: trace_find_cmdline()). */
function trace_find_cmdline(e: trace_entry): string {
	return e.pid === 0 ? '<idle>' : e.comm.slice(0, 15);
}

/** Who, where, in which context, when (kernel/trace/trace_output.c: trace_print_context()). */
function trace_print_context(e: trace_entry): string {
	const us = ns2usecs(e.ts);
	const task = `${trace_find_cmdline(e).padStart(16)}-${String(e.pid).padEnd(7)}`;
	const time = `${String(Math.floor(us / 1_000_000)).padStart(5)}.${String(us % 1_000_000).padStart(6, '0')}`;
	return `${task} [${String(e.cpu).padStart(3, '0')}] ${e.irq_flags} ${time}: `;
}

/** A record as a line of /sys/kernel/tracing/trace (kernel/trace/trace.c: print_trace_line()). */
export function trace_line(e: trace_entry): string {
	const name = e.event === 'bprint' ? '' : `${e.event.slice(e.event.indexOf(':') + 1)}: `;
	return `${trace_print_context(e)}${name}${e.text}`;
}

/** The flags column: irqs off, hard or soft interrupt, how deep preemption is disabled. */
export function trace_print_lat_fmt(irqs_off: boolean, hard: boolean, soft: boolean, depth: int): string {
	const context = hard && soft ? 'H' : hard ? 'h' : soft ? 's' : '.';
	return `${irqs_off ? 'd' : '.'}.${context}${depth === 0 ? '.' : depth.toString(16)}.`;
}
