// SPDX-License-Identifier: GPL-2.0-only
// make fuzz: each fuzzer in turn, in a thread of its own, so that a step that never ends is seen.
// First, so that initcalls run in link order whatever else is imported.
import '#init/vmlinux.js';
import '#tools/lost-output.js';

import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { type FuzzTarget, runSteps, seedOf } from '#tests/fuzz/fuzz.js';

const USAGE = 'usage: make fuzz [SEED=number] [SECONDS=60] [ONLY="a part of a fuzzer\'s name"]';
/** A step that takes longer never ends, or may as well not. */
const STEP_LIMIT_MS = 60_000;
const HEAP_MB = 1024;

interface Turn {
	readonly name: string;
	readonly seed: number;
	readonly ms: number;
	/** How many steps are done, for who watches. */
	readonly done: Int32Array;
}

const isTarget = (value: unknown): value is FuzzTarget =>
	typeof value === 'object' && value !== null && 'name' in value && 'step' in value;

/** What the files beside this one export. */
async function targets(): Promise<FuzzTarget[]> {
	const own = ['main.js', 'fuzz.js'];
	const files = readdirSync(new URL('.', import.meta.url))
		.filter((file) => file.endsWith('.js') && !file.endsWith('.test.js') && !own.includes(file))
		.sort();
	const found: FuzzTarget[] = [];
	for (const file of files) {
		const exported: Record<string, unknown> = await import(`./${file}`);
		found.push(...Object.values(exported).filter(isTarget));
	}
	return found;
}

/** The thread: steps until the time is up. */
async function work({ name, seed, ms, done }: Turn): Promise<void> {
	const target = (await targets()).find((t) => t.name === name);
	if (target === undefined) throw new Error(`no fuzzer ${name}`);
	const end = performance.now() + ms;
	while (performance.now() < end) {
		runSteps(target, seedOf(seed, Atomics.load(done, 0)), 1);
		Atomics.add(done, 0, 1);
	}
}

/** Run one fuzzer; what fell over, or null. */
function watch(turn: Turn): Promise<string | null> {
	return new Promise((resolve) => {
		const worker = new Worker(fileURLToPath(import.meta.url), {
			workerData: turn,
			resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
		});
		let last = -1;
		let since = performance.now();
		const timer = setInterval(() => {
			const now = Atomics.load(turn.done, 0);
			if (now !== last) [last, since] = [now, performance.now()];
			else if (performance.now() - since > STEP_LIMIT_MS)
				end(`a step that did not end in ${STEP_LIMIT_MS / 1000} s`);
		}, 500);
		const end = (failure: string | null): void => {
			clearInterval(timer);
			resolve(failure);
			void worker.terminate();
		};
		worker.on('message', (failure: string) => end(failure));
		worker.on('error', (e) => end(e.stack ?? e.message));
		worker.on('exit', () => end(null));
	});
}

function number(name: string, fallback: number): number {
	const text = process.env[name] ?? '';
	if (text === '') return fallback;
	if (!/^\d{1,9}$/.test(text)) throw new Error(`${name}: expected a whole number, got "${text}"`);
	return Number(text);
}

async function main(): Promise<number> {
	let seed: number;
	let seconds: number;
	try {
		seed = number('SEED', Date.now() % 1_000_000_000);
		seconds = number('SECONDS', 60);
	} catch (e) {
		console.error(`${(e as Error).message}\n${USAGE}`);
		return 2;
	}
	const only = process.env['ONLY'] ?? '';
	const all = await targets();
	const chosen = all.filter(({ name }) => name.includes(only));
	if (chosen.length === 0) {
		console.error(`ONLY: expected a part of ${all.map(({ name }) => name).join(', ')}; got "${only}"`);
		return 2;
	}
	let failed = 0;
	for (const { name } of chosen) {
		const done = new Int32Array(new SharedArrayBuffer(4));
		const failure = await watch({ name, seed, ms: (seconds * 1000) / chosen.length, done });
		const steps = Atomics.load(done, 0);
		if (failure === null) {
			console.log(`${name}: ${steps.toLocaleString('en-US')} steps from seed ${seed}`);
			continue;
		}
		failed++;
		console.error(`${name}: FAILED after ${steps.toLocaleString('en-US')} steps: ${failure}`);
		console.error(`  once more: make fuzz ONLY=${name} SEED=${seedOf(seed, steps)}`);
	}
	return failed === 0 ? 0 : 1;
}

if (isMainThread) process.exitCode = await main();
else
	await work(workerData as Turn).catch((e: Error) =>
		parentPort?.postMessage(e.cause instanceof Error ? `${e.message}\n${e.cause.stack}` : e.message),
	);
