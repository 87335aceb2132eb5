// SPDX-License-Identifier: GPL-2.0-only
// What happened, in order: events with a number each, and who was at work in the kernel.

import { frame_text, kernel_frames, save_stack_lines } from '#arch/arm64/kernel/stacktrace.js';

/** The way from the kernel to us, and no news. */
const OWN_FRAMES = /^(?:do_trace|trace_\w+) /;

function traceOf(lines: readonly string[]): string[] {
	return kernel_frames(lines)
		.map(frame_text)
		.filter((text) => !OWN_FRAMES.test(text));
}

/** The kernel's functions that have not returned, innermost first, of @depth of all. */
export function kernelTrace(depth: number): string[] {
	return traceOf(save_stack_lines(depth));
}

/** Deep enough for an interrupt in a system call. */
const DEPTH = 16;

export class JournalEvent {
	constructor(
		readonly number: number,
		/** Virtual time. */
		readonly time: number,
		/** `iommu_map`, `dma_unmap_page`. */
		readonly what: string,
		readonly device: string,
		/** Asked for its text only when somebody wants to read it. */
		readonly stack: Error,
	) {}

	/** The kernel's functions at that moment, innermost first. */
	trace(): string[] {
		return traceOf((this.stack.stack ?? '').split('\n'));
	}

	/** The event as a line of a report, and its trace. */
	lines(verb: string): string[] {
		const when = (this.time / 1e9).toFixed(6);
		return [
			`${verb} by ${this.what} at ${when} (event ${this.number}):`,
			...this.trace().map((l) => ` ${l}`),
		];
	}
}

export class Journal {
	#number = 0;

	constructor(readonly clock: { readonly now: number }) {}

	record(what: string, device: string): JournalEvent {
		const limit = Error.stackTraceLimit;
		Error.stackTraceLimit = DEPTH;
		const stack = new Error();
		Error.stackTraceLimit = limit;
		return new JournalEvent(++this.#number, this.clock.now, what, device, stack);
	}
}
