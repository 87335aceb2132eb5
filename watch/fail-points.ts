// SPDX-License-Identifier: GPL-2.0-only
// The n-th call that can fail does (Linux: Documentation/fault-injection, fail-nth), of one kind after the other: slab
// objects, pages, and functions whose entries are probed.

import { frame_text, kernel_frames } from '#arch/arm64/kernel/stacktrace.js';
import { DMA_MAPPING_ERROR } from '#linux/dma-mapping.js';
import { ERR_PTR } from '#linux/err.js';
import { ENOMEM } from '#linux/errno.js';
import { fail_page_alloc } from '#mm/fail_page_alloc.js';
import { slab_fault } from '#mm/failslab.js';
import { FALLIBLE, type Fallible } from './fallible.js';
import { probes } from './probes.js';

/** Without memory dma-debug switches itself off; it shall watch what fails. */
export const DMA_DEBUG = /\/kernel\/dma\/debug\.[jt]s/;

/** What can fail. */
export const KINDS = ['slab', 'page', 'function'] as const;
export type Kind = (typeof KINDS)[number];

/** The call that failed. */
export interface Failure {
	readonly kind: Kind;
	readonly nth: number;
	/** `slab allocation 3`, `clk_enable() (call 7)`. */
	readonly text: string;
	/** What the caller is to be told, negative. */
	readonly error: number;
	/** The kernel's functions at that moment, innermost first; empty for memory. */
	readonly trace: readonly string[];
}

/** What a call of @fallible returns that fails. */
function failureOf({ how, errno }: Fallible): unknown {
	switch (how) {
		case 'errno':
			return -errno;
		case 'err_ptr':
			return ERR_PTR(-errno);
		case 'null':
			return null;
		case 'zero':
			return 0;
		case 'dma':
			return DMA_MAPPING_ERROR;
	}
}

const byName = new Map(FALLIBLE.map((f) => [f.name, f]));

/** As deep as a probe of a bus in a boot. */
const DEPTH = 40;

function stackText(): string {
	const limit = Error.stackTraceLimit;
	Error.stackTraceLimit = DEPTH;
	const { stack } = new Error();
	Error.stackTraceLimit = limit;
	return stack ?? '';
}

/**
 * Call @run with the @nth call of @kind made to fail: which one that was; null: there were not so many. Those do not count,
 * but for pages, whose stack trace matches @except. A boot forgets what it was told before: @run can call @again.
 */
export function failNth(
	kind: Kind,
	nth: number,
	run: (again: () => void) => void,
	except?: RegExp,
): Failure | null {
	if (kind === 'function') return failFunction(nth, () => run(() => {}), except);
	const fault = kind === 'slab' ? slab_fault : fail_page_alloc;
	const arm = (): void => {
		slab_fault.reject = except === undefined ? DMA_DEBUG : new RegExp(`${DMA_DEBUG.source}|${except.source}`);
		fault.failed = 0;
		fault.nth = nth;
	};
	arm();
	try {
		run(arm);
	} finally {
		fault.nth = 0;
		slab_fault.reject = null;
	}
	if (fault.failed === 0) return null;
	return { kind, nth, text: `${kind} allocation ${nth}`, error: -ENOMEM, trace: [] };
}

/** The callers of each call of a function that can fail, in the order of @run's calls. */
export function functionCalls(run: () => void, except?: RegExp): string[] {
	const calls: string[] = [];
	const stackOf = (): undefined => {
		const stack = stackText();
		if (!DMA_DEBUG.test(stack) && !except?.test(stack)) calls.push(stack);
	};
	probes.kprobe = stackOf;
	try {
		run();
	} finally {
		probes.kprobe = undefined;
	}
	return calls;
}

function failFunction(nth: number, run: () => void, except?: RegExp): Failure | null {
	let calls = 0;
	let failure: Failure | null = null;
	probes.kprobe = (name) => {
		const stack = stackText();
		if (DMA_DEBUG.test(stack) || except?.test(stack) || ++calls !== nth) return undefined;
		const fallible = byName.get(name);
		if (fallible === undefined) throw new Error(`${name}() is probed; expected it in watch/fallible.ts`);
		const text = `${name}() (call ${nth})`;
		const trace = kernel_frames(stack.split('\n')).map(frame_text);
		failure = { kind: 'function', nth, text, error: -fallible.errno, trace };
		return { ret: failureOf(fallible) };
	};
	try {
		run();
	} finally {
		probes.kprobe = undefined;
	}
	return failure;
}
