// SPDX-License-Identifier: GPL-2.0-only
// The main job with a small picture, and who records it.
import type { Machine, MachineSummary } from '#hw/core/machine.js';
import { boardBlob } from '#tests/boot.js';
import { encodeJpeg } from '#tools/jpeg-encode.js';
import { inspectJpeg } from '#tools/jpeg-info.js';
import { type JobResult, runJob } from '#tools/run/job.js';
import { bootFor } from '#tools/run/setup.js';
import { Recorder, type RecorderOptions, type Step } from '#watch/recorder.js';

const PICTURE = encodeJpeg(
	{ width: 128, height: 64, data: new Uint8Array(128 * 64 * 3).map((_, i) => i * 7) },
	{ subsampling: '420' },
);

export interface RecordedJob {
	readonly machine: Machine;
	readonly stats: MachineSummary;
	readonly recorder: Recorder;
	readonly steps: readonly Step[];
}

/** Run it, with @watch called for the machine that stands: it may come with somebody who watches, too. */
export function jobOn(watch: (machine: Machine) => void): { machine: Machine; job: JobResult } {
	const dtb = boardBlob('sun50i-h6-orangepi-3');
	const board = bootFor({ path: 'board.dtb', dtb, mem: null, append: '', watch });
	return { machine: board.machine, job: runJob(board, PICTURE, inspectJpeg('test.jpg', PICTURE)) };
}

/** Run it recorded. */
export function recordJob(
	options: RecorderOptions | ((machine: Machine) => RecorderOptions) = {},
): RecordedJob {
	let recorder: Recorder | null = null;
	const { machine } = jobOn((made) => {
		recorder = new Recorder(made, typeof options === 'function' ? options(made) : options);
	});
	const made = recorder as Recorder | null;
	if (made === null) throw new Error('nobody records');
	made.stop();
	return { machine, stats: machine.stats(), recorder: made, steps: made.steps };
}
