// SPDX-License-Identifier: GPL-2.0-only
// The thread that runs cases, and tells main.ts of each: a case that never ends must not keep the others back.
// First, so that initcalls run in link order whatever else is imported.
import '#init/vmlinux.js';
import { parentPort, workerData } from 'node:worker_threads';
import { CASES } from './cases/index.js';
import type { Description } from './description.js';
import { type Outcome, runOne, runsOf, select } from './runner.js';

export interface Job {
	/** What exports the description. */
	readonly module: string;
	readonly only: string;
	readonly seed: number;
	/** Of those that are selected every @step-th, from @from on. */
	readonly from: number;
	readonly step: number;
}

/** What the thread says: which case it begins, what came of it, that there are no more, or why it cannot begin. */
export type Message =
	| { readonly kind: 'begins'; readonly index: number; readonly name: string; readonly blames: string }
	| { readonly kind: 'done'; readonly index: number; readonly outcome: Outcome }
	| { readonly kind: 'none'; readonly names: readonly string[] }
	| { readonly kind: 'unusable'; readonly why: string };

function tell(message: Message): void {
	parentPort?.postMessage(message);
}

const isDescription = (value: unknown): value is Description =>
	typeof value === 'object' && value !== null && 'board' in value && 'masters' in value;

async function work({ module, only, seed, from, step }: Job): Promise<void> {
	let exported: Record<string, unknown>;
	try {
		exported = await import(module);
	} catch (e) {
		tell({ kind: 'unusable', why: (e as Error).message });
		return;
	}
	const { description } = exported;
	if (!isDescription(description)) {
		tell({ kind: 'unusable', why: 'expected it to export a description: Description' });
		return;
	}
	const all = runsOf(CASES, description);
	const runs = select(all, only);
	if (runs.length === 0) tell({ kind: 'none', names: [...new Set(all.map((run) => run.case.group))] });
	for (let index = from; index < runs.length; index += step) {
		const run = runs[index];
		tell({ kind: 'begins', index, name: run.name, blames: run.case.blames });
		tell({ kind: 'done', index, outcome: runOne(run, seed) });
	}
}

await work(workerData as Job);
