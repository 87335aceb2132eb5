// SPDX-License-Identifier: GPL-2.0-only
// Which faults a case comes to: where it does not come, it cannot see.
import { type Profiler, Session } from 'node:inspector';
import { applyEdits } from '#tools/instrument/edits.js';
import { PROBED } from '#tools/instrument/probed.js';
import type { Fault } from './fault.js';
import { codeOf, functionOf, offsetOf } from './fault.js';

const sizeOf = ({ startOffset, endOffset }: Profiler.CoverageRange): number => endOffset - startOffset;

/** Whether the smallest of @script's ranges around @offset, which is in a function, was run. */
function wasRun(script: Profiler.ScriptCoverage, offset: number): boolean {
	let around: Profiler.CoverageRange | null = null;
	// The module's own code is around all others; a function that has not been called since is not there.
	for (const { functionName, ranges } of script.functions)
		for (const range of ranges)
			if (functionName !== '' && range.startOffset <= offset && offset < range.endOffset)
				if (around === null || sizeOf(range) <= sizeOf(around)) around = range;
	return around !== null && around.count > 0;
}

interface Place {
	readonly name: string;
	readonly url: string;
	/** -1: what it is in runs once, before all cases: each comes to it. */
	readonly offset: number;
}

const MARK = '/*@*/';

/** Where in the code as it is probed the place of @fault is. */
function probedOffsetOf(fault: Fault): number {
	const [code, at] = [codeOf(fault), offsetOf(fault)];
	return applyEdits(fault.file, code.slice(0, at) + MARK + code.slice(at), PROBED).indexOf(MARK);
}

/** Counts what runs in this process from now on, where @faults would be. */
export class Coverage {
	readonly #session = new Session();
	readonly #places: readonly Place[];

	constructor(faults: readonly Fault[]) {
		this.#places = faults.map((fault) => ({
			name: fault.name,
			url: `/build/${fault.file}.js`,
			offset: functionOf(fault) === '' ? -1 : probedOffsetOf(fault),
		}));
		this.#session.connect();
		this.#session.post('Profiler.enable');
		this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
	}

	/** The names of the faults whose places were run since the last call. */
	take(): string[] {
		let scripts: readonly Profiler.ScriptCoverage[] = [];
		this.#session.post('Profiler.takePreciseCoverage', (e, { result }) => {
			if (e !== null) throw e;
			scripts = result;
		});
		return this.#places
			.filter(({ url, offset }) => {
				const script = scripts.find((one) => one.url.endsWith(url));
				return offset < 0 || (script !== undefined && wasRun(script, offset));
			})
			.map(({ name }) => name);
	}
}
