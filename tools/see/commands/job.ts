// SPDX-License-Identifier: GPL-2.0-only
// What takes time: the main job, a picture through the video engine onto the screen; and sleeping.

import { msleep } from '#kernel/time/timer.js';
import { trace_set_clr_event } from '#kernel/trace/trace_events.js';
import { inspectJpeg, JpegError } from '#tools/jpeg-info.js';
import { type JobBoard, JobError, type JobResult, runJob } from '#tools/run/job.js';
import { bufferLine, pictureLines } from '#tools/run/report.js';
import { seconds } from '#watch/report.js';
import type { Command } from '../command.js';
import type { Session } from '../session.js';
import { CommandError, expected, numberOf } from '../words.js';

/** Decode the picture and show it; @begins is called before each step. What came of it, as lines. */
export function doJob(session: Session, begins: (step: string) => void): string[] {
	const { machine, scenario } = session;
	const { file, bytes } = scenario.picture;
	const board: JobBoard = {
		machine,
		remarks: (from = 0) => machine.notes.slice(from).map(({ who, text }) => `${who}: ${text}`),
		begins,
	};
	// How much is mapped for what is counted by these.
	trace_set_clr_event('iommu', null, true);
	const jpeg = bytes();
	try {
		const info = inspectJpeg(file, jpeg);
		return resultLines(file, jpeg.length, runJob(board, jpeg, info), info);
	} catch (e) {
		if (e instanceof JobError || e instanceof JpegError)
			throw new CommandError(`expected a board that can do the job, got ${e.message}`);
		throw e;
	}
}

function resultLines(
	file: string,
	bytes: number,
	job: JobResult,
	info: Parameters<typeof pictureLines>[2],
): string[] {
	const { raster } = job;
	return [
		...pictureLines(file, bytes, info, job),
		bufferLine('bitstream buffer', job.bitstream),
		bufferLine('picture buffer', job.picture),
		raster === null ? 'The monitor shows nothing.' : `Shown: ${raster.width}x${raster.height} on the monitor`,
	];
}

const run: Command = {
	name: 'run',
	args: '',
	does: 'the main job: a picture is decoded and shown',
	effect: 'change',
	run(session) {
		const steps: string[] = [];
		const lines = doJob(session, (step) => steps.push(step));
		return [...steps.map((step) => `  ${step}`), ...lines];
	},
};

const MOST_MS = 60_000;

const sleep: Command = {
	name: 'sleep',
	args: 'MS',
	does: 'time goes on: timers, interrupts and devices do what they do',
	effect: 'change',
	run(session, args) {
		const ms = args[0] === undefined ? null : numberOf(args[0].word);
		if (ms === null || ms > MOST_MS) return expected(`milliseconds, 0 to ${MOST_MS}`, args[0]?.word);
		msleep(ms);
		return [`at ${seconds(session.machine.now())}`];
	},
};

export const JOB: readonly Command[] = [run, sleep];
