// SPDX-License-Identifier: GPL-2.0-only
// make check: whether an IOMMU driver does what an IOMMU driver has to do.
import '#tools/lost-output.js';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { complain, quoted, UsageError, UserError } from '#tools/run/user-error.js';
import { type CheckOptions, moduleOf, parseCheck, USAGE } from './options.js';
import { KtapOutput, type Output, PlainOutput } from './output.js';
import type { Job, Message } from './worker.js';

const WORKER = fileURLToPath(new URL('worker.js', import.meta.url));
/** What cases of failures and of interleavings need is probed in the kernel's code. */
const PRELOAD = new URL('../instrument/preload.js', import.meta.url).href;
/** A case takes some milliseconds; one that takes longer than this never ends. */
const CASE_LIMIT_MS = 30_000;
const HEAP_MB = 2048;

/** @text for a shell. */
const shellQuoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** What came of a thread: which cases it has done, and of the last why it ended in the middle. */
interface Turn {
	readonly done: number;
	readonly failed: number;
	readonly interrupted: boolean;
}

/** Run the cases from @job.from on in a thread, until they are done or one does not end. */
function turn(job: Job, output: Output): Promise<Turn> {
	return new Promise((resolve, reject) => {
		const worker = new Worker(WORKER, {
			workerData: job,
			execArgv: [...process.execArgv, '--import', PRELOAD],
			resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
		});
		let done = 0;
		let failed = 0;
		let at: { name: string; blames: string } | null = null;
		let timer: NodeJS.Timeout | undefined;
		const end = (why: string | null): void => {
			clearTimeout(timer);
			if (at !== null && why !== null) {
				output.done({ ...at, lack: null, problems: [why] });
				failed++;
				done++;
			}
			resolve({ done, failed, interrupted: at !== null });
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
					done++;
					if (message.outcome.problems.length > 0) failed++;
					output.done(message.outcome);
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
		worker.on('exit', () => end(null));
	});
}

async function check(options: CheckOptions): Promise<number> {
	const { driver, only, seed, ktap } = options;
	const again = (name: string): string =>
		`make check DRIVER=${shellQuoted(driver)} SEED=${seed} ONLY=${shellQuoted(name)}`;
	const output = new (ktap ? KtapOutput : PlainOutput)((line) => console.log(line), again);
	const module = moduleOf(driver);
	let from = 0;
	let failed = 0;
	for (;;) {
		const result = await turn({ module, only, seed, from }, output);
		from += result.done;
		failed += result.failed;
		if (!result.interrupted) break;
	}
	output.end();
	return failed === 0 ? 0 : 1;
}

/** The verb `check`: @args is the driver, and options. The exit status: 1 when a case failed, 2 for a command line that is none. */
export async function main(args: readonly string[]): Promise<number> {
	try {
		const options = parseCheck(args);
		if (options !== null) return await check(options);
		console.log(USAGE);
		return 0;
	} catch (e) {
		if (!(e instanceof UserError)) throw e;
		return complain(e);
	}
}
