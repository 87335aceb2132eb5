// SPDX-License-Identifier: GPL-2.0-only
// What happened, in order: events with a number each, and who was at work in the kernel.

import { frame_text, kernel_frames, save_stack_lines } from '#arch/arm64/kernel/stacktrace.js';

/** The way from the kernel to us, and no news. */
const OWN_FRAMES = /^(?:do_trace|trace_\w+) /;

function traceOf(lines: readonly string[]): string[] {
	const frames = kernel_frames(lines);
	return (
		frames
			// Who is probed (core-calls.ts) calls itself.
			.filter(({ func, file }, i) => func !== frames[i - 1]?.func || file !== frames[i - 1]?.file)
			.map(frame_text)
			.filter((text) => !OWN_FRAMES.test(text))
	);
}

/** The kernel's functions that have not returned, innermost first, of @depth of all. */
export function kernelTrace(depth: number): string[] {
	return traceOf(save_stack_lines(depth));
}

/** Deep enough for an interrupt in a system call. */
const DEPTH = 16;
/** Of what happens often so many have a stack each, more than a test does; of those that follow one in so many. */
const EACH = 2048;
const ONE_IN = 1024;

/** Who was at work in the kernel as the event @number came. */
export interface Stack {
	readonly number: number;
	/** Asked for its text only when somebody wants to read it. */
	readonly error: Error;
}

export const NO_STACK: Stack = { number: 0, error: new Error() };

/**
 * Stacks of what happens often: each costs as much as a mapping. The first of them are taken, and then one of many: what
 * comes again and again comes from the same place.
 */
export class Sampler {
	#count = 0;
	#stack: Stack | null = null;

	/** @depth: how many functions, of all that have not returned; @each: how many are taken; @oneIn: of how many one, then. */
	constructor(
		readonly depth = DEPTH,
		readonly each = EACH,
		readonly oneIn = ONE_IN,
	) {}

	/** The stack of the event @number, or the last one that was taken. */
	take(number: number): Stack {
		if (this.#stack === null || this.#count++ < this.each || this.#count % this.oneIn === 0)
			this.#stack = { number, error: stackNow(this.depth) };
		return this.#stack;
	}
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
		return traceOf(linesOf(this.stack));
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

/** Those of one kind of event, by device. */
class Samplers {
	readonly #devices = new Map<string, Sampler>();
	#last = '';
	#its: Sampler | null = null;

	of(device: string): Sampler {
		if (this.#its !== null && this.#last === device) return this.#its;
		let sampler = this.#devices.get(device);
		if (sampler === undefined) {
			sampler = new Sampler();
			this.#devices.set(device, sampler);
		}
		this.#last = device;
		this.#its = sampler;
		return sampler;
	}
}

export class Journal {
	#number = 0;
	readonly #samplers = new Map<string, Samplers>();

	constructor(readonly clock: { readonly now: number }) {}

	record(what: string, device: string): JournalEvent {
		const number = ++this.#number;
		return new JournalEvent(number, this.clock.now, what, device, { number, error: stackNow(DEPTH) });
	}

	/** The same for what a device may have done in great numbers: not each has a stack of its own. */
	sample(what: string, device: string): JournalEvent {
		const number = ++this.#number;
		const stack = this.#samplerOf(what, device).take(number);
		return new JournalEvent(number, this.clock.now, what, device, stack);
	}

	#samplerOf(what: string, device: string): Sampler {
		let samplers = this.#samplers.get(what);
		if (samplers === undefined) {
			samplers = new Samplers();
			this.#samplers.set(what, samplers);
		}
		return samplers.of(device);
	}
}

function stackNow(depth: number): Error {
	const limit = Error.stackTraceLimit;
	Error.stackTraceLimit = depth;
	const error = new Error();
	Error.stackTraceLimit = limit;
	return error;
}

function linesOf({ error }: Stack): string[] {
	return (error.stack ?? '').split('\n');
}

/** The kernel's functions of @stack, innermost first, with their files. */
export function functionsOf(stack: Stack): { readonly name: string; readonly file: string }[] {
	return kernel_frames(linesOf(stack)).map(({ func, file }) => ({ name: func ?? '', file }));
}
