// SPDX-License-Identifier: GPL-2.0-only
// linux-iommu trace: the main job, recorded.
import '#init/vmlinux.js';
import '#tools/lost-output.js';
import type { Machine } from '#hw/core/machine.js';
import { inspectJpeg, JpegError } from '#tools/jpeg-info.js';
import { Board } from '#tools/run/board.js';
import { readInput } from '#tools/run/files.js';
import { JobError, runJob } from '#tools/run/job.js';
import { Output } from '#tools/run/output.js';
import { bootFor } from '#tools/run/setup.js';
import { complain, quoted, UsageError, UserError } from '#tools/run/user-error.js';
import { Recorder } from '#watch/recorder.js';
import { FtraceWriter } from './ftrace.js';
import { JsonlWriter } from './jsonl.js';
import { type Format, HELP, parseTrace, type TraceOptions } from './options.js';
import { PerfettoWriter } from './perfetto.js';
import type { TraceWriter } from './writer.js';

const WRITERS: Readonly<Record<Format, (machine: Machine) => TraceWriter>> = {
	ftrace: () => new FtraceWriter(),
	jsonl: () => new JsonlWriter(),
	perfetto: (machine) => new PerfettoWriter(machine),
};

/** A machine that is recorded, and by whom. */
interface Recording {
	readonly recorder: Recorder;
	readonly writer: TraceWriter;
}

function record(machine: Machine, { format, kinds }: TraceOptions): Recording {
	const writer = WRITERS[format](machine);
	const recorder = new Recorder(machine, { kinds, onStep: (step) => writer.step?.(step) });
	return { recorder, writer };
}

/** Whether @e is what a board, or a picture, lacks or does wrong: the trace up to there is worth having. */
function isToBeSeen(e: unknown): e is Error {
	return e instanceof UserError || e instanceof JobError || e instanceof JpegError;
}

function trace(options: TraceOptions): number {
	const { board, append, seed, out, picture } = options;
	const jpeg = readInput('PICTURE', picture);
	const info = inspectJpeg(picture, jpeg);
	const dtb = readInput('--board', board);
	const output = Output.open('--out', out ?? '/dev/stdout', [
		['PICTURE', picture],
		['--board', board],
	]);
	let recording: Recording | null = null;
	let failure: Error | null = null;
	try {
		const watch = (machine: Machine): void => {
			// Where memory has to be set aside, the board is booted again.
			recording = record(machine, options);
		};
		runJob(bootFor({ path: board, dtb, mem: null, append, seed, watch }), jpeg, info);
	} catch (e) {
		if (!isToBeSeen(e)) throw e;
		failure = e;
	}
	const made = recording as Recording | null;
	if (made !== null) output.write(made.writer.done(made.recorder.steps));
	if (failure === null) return 0;
	if (failure instanceof JobError && failure.missing !== null && Board.saidOf('engine').length === 0) {
		console.error(`This board has no ${failure.missing}: what is traced is its boot.`);
		return 0;
	}
	return complain(failure);
}

/** The verb `trace`. The exit status: 1 when the job fails, 2 for a command line that is none. */
export async function main(args: readonly string[]): Promise<number> {
	try {
		const options = parseTrace(args);
		if (options === null) {
			console.log(HELP);
			return 0;
		}
		if (options.format === 'perfetto' && options.out === null && process.stdout.isTTY)
			throw new UsageError(`--out: expected a file for the ${quoted(options.format)} format, got a terminal`);
		return trace(options);
	} catch (e) {
		if (!isToBeSeen(e)) throw e;
		return complain(e);
	}
}
