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
/** So many calls of one function for one device have a stack each; of those that follow one in so many. */
const EACH = 64;
const ONE_IN = 32;

/** Who was at work in the kernel as the event @number came. */
interface Stack {
	readonly number: number;
	/** Asked for its text only when somebody wants to read it. */
	readonly error: Error;
}

/** The calls of one function for one device. */
interface Calls {
	count: number;
	stack: Stack | null;
}

export class JournalEvent {
	constructor(
		readonly number: number,
		/** Virtual time. */
		readonly time: number,
		/** `iommu_map`, `dma_unmap_page`. */
		readonly what: string,
		readonly device: string,
		/** Its own, or that of the last of its kind that has one. */
		readonly stack: Stack,
	) {}

	/** The kernel's functions at that moment, innermost first. */
	trace(): string[] {
		return kernel_frames((this.stack.error.stack ?? '').split('\n')).map(frame_text);
	}

	/** The event as a line of a report, and its trace. */
	lines(verb: string): string[] {
		const when = (this.time / 1e9).toFixed(6);
		const { number } = this.stack;
		const whose = number === this.number ? '' : `, as event ${number} was`;
		return [
			`${verb} by ${this.what} at ${when} (event ${this.number})${whose}:`,
			...this.trace().map((l) => ` ${l}`),
		];
	}
}

/** A stack costs as much as a mapping: who calls often has the same one mostly, and not each of his calls has its own. */
export class Journal {
	#number = 0;
	readonly #calls = new Map<string, Map<string, Calls>>();

	constructor(readonly clock: { readonly now: number }) {}

	record(what: string, device: string): JournalEvent {
		const calls = this.#callsOf(what, device);
		const number = ++this.#number;
		if (calls.stack === null || calls.count++ < EACH || calls.count % ONE_IN === 0)
			calls.stack = { number, error: stackNow() };
		return new JournalEvent(number, this.clock.now, what, device, calls.stack);
	}

	#callsOf(what: string, device: string): Calls {
		let devices = this.#calls.get(what);
		if (devices === undefined) {
			devices = new Map();
			this.#calls.set(what, devices);
		}
		let calls = devices.get(device);
		if (calls === undefined) {
			calls = { count: 0, stack: null };
			devices.set(device, calls);
		}
		return calls;
	}
}

function stackNow(): Error {
	const limit = Error.stackTraceLimit;
	Error.stackTraceLimit = DEPTH;
	const error = new Error();
	Error.stackTraceLimit = limit;
	return error;
}
