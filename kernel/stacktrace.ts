// SPDX-License-Identifier: GPL-2.0-only
// Stack traces that are kept, and printed when someone wants them.
// Linux 6.12: kernel/stacktrace.c
//
// The stack is JavaScript's: what is kept is an Error, which makes its text only when asked. Best effort elsewhere
// than in V8. Left out: traces of other tasks, user stacks, stack_trace_snprint().
import { frame_text, unwind_frame } from '#arch/arm64/kernel/stacktrace.js';
import { printk } from '#linux/printk.js';
import type { int, unsigned_int } from '#linux/types.js';

/** What stack_trace_save() keeps: C's array of addresses. */
export class stack_trace {
	constructor(
		readonly trace: Error,
		readonly nr: unsigned_int,
		readonly skipnr: unsigned_int,
	) {}
}

/**
 * stack_trace_save - Keep the caller's stack (kernel/stacktrace.c: stack_trace_save())
 * @size: how many entries at most
 * @skipnr: how many to leave out: 1 is the caller itself
 *
 * Return: the trace; C fills an array and answers how much of it.
 */
export function stack_trace_save(size: unsigned_int, skipnr: unsigned_int): stack_trace {
	const limit = Error.stackTraceLimit;
	Error.stackTraceLimit = size + skipnr + 1;
	const trace = new Error();
	Error.stackTraceLimit = limit;
	return new stack_trace(trace, size, skipnr);
}

/** Log what @t holds, a line an entry, after @spaces blanks (kernel/stacktrace.c: stack_trace_print()). */
export function stack_trace_print(t: stack_trace, spaces: int): void {
	const lines = (t.trace.stack ?? '').split('\n').slice(2 + t.skipnr, 2 + t.skipnr + t.nr);
	for (const line of lines) {
		const frame = unwind_frame(line);
		printk('%s%s', ' '.repeat(1 + spaces), frame === null ? line.trim() : frame_text(frame));
	}
}
