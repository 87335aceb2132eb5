// SPDX-License-Identifier: GPL-2.0-only
// make check: whether an IOMMU driver does what an IOMMU driver has to do.
import '#tools/lost-output.js';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { quoted, statusOf, UsageError, UserError } from '#tools/run/user-error.js';
import { againText, type CheckOptions, moduleOf, parseCheck, USAGE } from './options.js';
import { KtapOutput, type Output, PlainOutput } from './output.js';
import type { Outcome } from './runner.js';
import type { Job, Message } from './worker.js';

const WORKER = fileURLToPath(new URL('worker.js', import.meta.url));
/** What cases of failures and of interleavings need is probed in the kernel's code. */
const PRELOAD = new URL('../instrument/preload.js', import.meta.url).href;
/** A case takes some milliseconds; one that takes longer than this never ends. */
const CASE_LIMIT_MS = 30_000;
/** After so many of those, the rest would not end either. */
const MOST_HUNG = 3;
const HEAP_MB = 2048;
/** Bytes of code that a function runs before it is compiled: by default what is compiled in seconds is not used for as long. */
const INTERRUPT_BUDGET = 1_000_000;
/** Each loads the kernel anew: more are not faster, nor is more than one for the few cases that somebody selects. */
const MOST_THREADS = 4;

/** Outcomes as they come from several threads, in the order of their cases. */
class InOrder {
	failed = 0;
	/** Cases that did not end. */
	hung = 0;
	readonly #waiting = new Map<number, Outcome>();
	#next = 0;

	constructor(readonly output: Output) {}

	/** There are no more: those behind a gap, too. */
	end(): void {
		for (const [, outcome] of [...this.#waiting].sort(([a], [b]) => a - b)) this.output.done(outcome);
		this.output.end();
	}

	put(index: number, outcome: Outcome): void {
		if (outcome.problems.length > 0) this.failed++;
		this.#waiting.set(index, outcome);
		for (;;) {
			const next = this.#waiting.get(this.#next);
			if (next === undefined) return;
			this.#waiting.delete(this.#next++);
			this.output.done(next);
		}
	}
}

/**
 * Run every @job.step-th case from @job.from on in a thread, until they are done or one does not end. The one to go on
 * from; null: none is left.
 */
function turn(job: Job, results: InOrder): Promise<number | null> {
	return new Promise((resolve, reject) => {
		const worker = new Worker(WORKER, {
			workerData: job,
			execArgv: [...process.execArgv, '--import', PRELOAD],
			resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
		});
		let at: { index: number; name: string; blames: string } | null = null;
		let timer: NodeJS.Timeout | undefined;
		const end = (why: string): void => {
			clearTimeout(timer);
			if (at === null) {
				resolve(null);
				return;
			}
			const { index, name, blames } = at;
			results.hung++;
			results.put(index, { name, blames, lack: null, problems: [why] });
			resolve(results.hung < MOST_HUNG ? index + job.step : null);
			void worker.terminate();
		};
		worker.on('message', (message: Message) => {
			switch (message.kind) {
				case 'begins':
					at = message;
					timer = setTimeout(() => end(`it has not ended in ${CASE_LIMIT_MS / 1000} s`), CASE_LIMIT_MS);
					break;
				case 'done':
					clearTimeout(timer);
					at = null;
					results.put(message.index, message.outcome);
					break;
				case 'none':
					reject(
						new UsageError(
							`ONLY: no case has ${quoted(job.only)} in its name; there are ${message.names.join(', ')}`,
						),
					);
					break;
				case 'unusable':
					reject(new UserError(`${fileURLToPath(job.module)}: ${message.why}`));
					break;
			}
		});
		worker.on('error', (e) => {
			if (at === null) reject(e);
			else end(e.stack ?? e.message);
		});
		worker.on('exit', () => end('its thread has ended'));
	});
}

async function check(options: CheckOptions): Promise<number> {
	const { driver, only, seed, ktap } = options;
	const again = (name: string): string => againText(options, name);
	const output = new (ktap ? KtapOutput : PlainOutput)((line) => console.log(line), again);
	const results = new InOrder(output);
	const module = moduleOf(driver);
	const step = only === '' ? Math.min(MOST_THREADS, availableParallelism()) : 1;
	setFlagsFromString(`--interrupt-budget=${INTERRUPT_BUDGET}`);
	await Promise.all(
		Array.from({ length: step }, async (_x, first) => {
			for (let from: number | null = first; from !== null; )
				from = await turn({ module, only, seed, from, step }, results);
		}),
	);
	if (results.hung >= MOST_HUNG)
		console.error(`${results.hung} cases did not end: what comes after them is not run`);
	results.end();
	return results.failed === 0 ? 0 : 1;
}

/** The verb `check`. The exit status: 1 when a case failed, 2 for a command line that is none. */
export function main(args: readonly string[]): Promise<number> {
	return statusOf(() => {
		const options = parseCheck(args);
		if (options !== null) return check(options);
		console.log(USAGE);
		return 0;
	});
}
