// SPDX-License-Identifier: GPL-2.0-only
// A recording as /sys/kernel/tracing/trace prints its own: tracepoints as they are, other steps as events of their kind.

import { print_func_help_header_irq, tracing_generic_entry } from '#kernel/trace/trace.js';
import { trace_line } from '#kernel/trace/trace_output.js';
import type { trace_entry } from '#linux/trace_events.js';
import type { Step } from '#watch/recorder.js';
import type { TraceWriter } from './writer.js';

/** Free text: no name stands before it. */
const BPRINT = 'bprint';

function textOf({ kind, who, text }: Step): string {
	return kind === 'trace' || kind === 'irq' ? text : `${kind}: ${who} ${text}`;
}

export class FtraceWriter implements TraceWriter {
	/** Whom each step has interrupted, in which context. */
	readonly #entries: trace_entry[] = [];

	step(_step: Step): void {
		this.#entries.push(tracing_generic_entry(BPRINT, ''));
	}

	done(steps: readonly Step[]): Uint8Array {
		const lines = print_func_help_header_irq(steps.length, steps.length);
		for (const [i, step] of steps.entries())
			lines.push(trace_line({ ...(this.#entries[i] as trace_entry), text: textOf(step), ts: step.time }));
		return new TextEncoder().encode(`${lines.join('\n')}\n`);
	}
}
