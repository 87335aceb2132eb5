// SPDX-License-Identifier: GPL-2.0-only
// A thread of its own for each kernel: in one, the machine code for a kernel without checks would have been made for one with.
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import '#init/vmlinux.js';
import type { Kernel } from '#tools/bench/boards.js';
import { CASES, type CaseKey } from '#tools/bench/cases.js';
import { type Figure, time } from '#tools/bench/measure.js';

interface Question {
	readonly key: CaseKey;
	readonly ms: number;
}

/** Measures on one kernel. */
export interface KernelThread {
	time(key: CaseKey, ms: number): Promise<Figure>;
	end(): Promise<unknown>;
}

export function startKernel(kernel: Kernel): KernelThread {
	const worker = new Worker(fileURLToPath(import.meta.url), { workerData: kernel });
	return {
		time: async (key, ms) => {
			worker.postMessage({ key, ms } satisfies Question);
			const [figure] = (await once(worker, 'message')) as [Figure];
			return figure;
		},
		end: () => worker.terminate(),
	};
}

if (!isMainThread)
	parentPort!.on('message', async ({ key, ms }: Question) => {
		const { name, batch, prepare } = CASES[key];
		parentPort!.postMessage(await time(name, prepare(workerData as Kernel), batch, ms));
	});
