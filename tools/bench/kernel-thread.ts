// SPDX-License-Identifier: GPL-2.0-only
// A thread for each measurement, where a kernel boots once, as in any other program: machine code that was made for another
// kernel, or for objects of an earlier boot, is slower.
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import '#init/vmlinux.js';
import type { Kernel } from '#tools/bench/boards.js';
import { CASES, type CaseKey } from '#tools/bench/cases.js';
import { type Figure, time } from '#tools/bench/measure.js';

interface Question {
	readonly key: CaseKey;
	readonly kernel: Kernel;
	readonly ms: number;
}

/** Time the case @key on a @kernel of its own for @ms. */
export async function timeAlone(key: CaseKey, kernel: Kernel, ms: number): Promise<Figure> {
	const workerData: Question = { key, kernel, ms };
	const [figure] = (await once(new Worker(fileURLToPath(import.meta.url), { workerData }), 'message')) as [
		Figure,
	];
	return figure;
}

if (!isMainThread) {
	const { key, kernel, ms } = workerData as Question;
	const { name, batch, prepare } = CASES[key];
	parentPort!.postMessage(await time(name, prepare(kernel), batch, ms));
}
