// SPDX-License-Identifier: GPL-2.0-only
// make run: boot, decode a picture, show it, show what the IOMMU is for.
import '#init/vmlinux.js';
import '#tools/lost-output.js';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { encode } from 'fast-png';
import type { Raster } from '#hw/monitor.js';
import { msleep } from '#kernel/time/timer.js';
import { inspectJpeg, JpegError, type JpegInfo } from '#tools/jpeg-info.js';
import { NO_IOMMU_DTB } from '#tools/project.js';
import { SyscallError } from '#tools/v4l2.js';
import { Board } from './board.js';
import { readInput } from './files.js';
import { type JobResult, runJob } from './job.js';
import { DEFAULT_OUT, HELP, parseOptions, type RunOptions } from './options.js';
import { Output } from './output.js';
import { bufferLine, comparison, figures, leaks, pictureLines, rogueLines, type Variant } from './report.js';
import { engineIsTranslated, type RogueFacts, readNowhere, writeReadOnly } from './rogue.js';
import { complain, oneLine, UserError } from './user-error.js';

/** Pages come from all over the memory, as after months of uptime. */
const FRAGMENTED = 'page_placement=scattered,1';
const PM_DELAY_MS = 20;
const CMA = '64M';

/** The kernel's own switch for debug messages, and their level. */
const DYNDBG = 'dyndbg';
const LOGLEVEL_DEBUG = 7;

let print = console.log;
const say = (...lines: string[]): void => {
	for (const line of lines) print(oneLine(line));
};

function pngOf(raster: Raster): Uint8Array {
	return encode({ width: raster.width, height: raster.height, data: raster.rgb, channels: 3 });
}

function boot(path: string, dtb: Uint8Array, options: RunOptions, commandLine: string): Board {
	return new Board(path, dtb, { commandLine, ...(options.mem === null ? {} : { memSize: options.mem }) });
}

/** The same job on another set-up, for comparison. */
function variant(
	name: string,
	path: string,
	dtb: Uint8Array,
	options: RunOptions,
	jpeg: Uint8Array,
	info: JpegInfo,
	commandLine: string,
): Variant {
	let reserved = 0;
	try {
		const board = boot(path, dtb, options, `cma=${CMA} ${FRAGMENTED} ${commandLine}`.trim());
		reserved = Board.cmaReserved();
		return { name, reserved, job: runJob(board, jpeg, info) };
	} catch (e) {
		if (!(e instanceof SyscallError)) throw e;
		return { name, reserved, job: null, why: e.message };
	}
}

/** Whether a device of the board can do a part of the job, by its node in /dev. */
function missing(e: unknown): string | null {
	return e instanceof SyscallError && /^open /.test(e.call) ? e.call.replace(/^open /, '') : null;
}

function showBoard(
	options: RunOptions,
	dtb: Uint8Array,
	jpeg: Uint8Array,
	info: JpegInfo,
	output: Output,
): { job: JobResult | null; translated: boolean; reserved: number; failed: boolean } {
	const { model, compatible, translated } = Board.describe(options.dtb, dtb);
	say(`${model} (${compatible}), from ${options.dtb}`, '');
	// What an IOMMU makes needless, the others cannot do without.
	const commandLine =
		`cma=${translated ? '0' : CMA} ${FRAGMENTED} ${options.verbose ? DYNDBG : ''} ${options.append}`.trim();
	const board = boot(options.dtb, dtb, options, commandLine);
	const guarded = engineIsTranslated();
	const reserved = Board.cmaReserved();
	say(
		...Board.log(0, options.verbose ? LOGLEVEL_DEBUG : undefined),
		'',
		`booted in ${board.bootMs.toFixed(0)} ms`,
		'',
	);
	const before = Board.allocated();
	let job: JobResult;
	try {
		job = runJob(board, jpeg, info);
	} catch (e) {
		const node = missing(e);
		if (node === null) throw e;
		say(
			`This board has no ${node}: its tree puts no ${node.includes('video') ? 'video engine' : 'display'} where this kernel has a driver for it.`,
			'Nothing to decode and show; what there is was probed.',
			'',
			...figures(board.machine.stats(), null),
		);
		return { job: null, translated, reserved, failed: false };
	}
	say(
		...pictureLines(options.picture, jpeg.length, info, job),
		bufferLine('bitstream buffer', job.bitstream),
		bufferLine('picture buffer', job.picture),
		`  CMA: ${job.cmaBytes} bytes`,
	);
	if (job.raster !== null) {
		output.write(pngOf(job.raster));
		say(`Shown: ${job.raster.width}x${job.raster.height} on the monitor, captured to ${options.out}`);
	}
	const rogues = (guarded ? [readNowhere, writeReadOnly] : []).map((rogue) => {
		const facts = runJob(board, jpeg, info, () => rogue(board)).aside as RogueFacts;
		// The engine hangs; it is reset when it is put to sleep, and that is not at once.
		msleep(PM_DELAY_MS);
		return facts;
	});
	say('', 'A device that goes astray:', ...rogues.flatMap(rogueLines));
	if (!guarded) say('  no IOMMU is in the way of any device: nothing would stop it, so it is not tried');
	const { lines, leaked } = leaks(before, Board.allocated(), job);
	say('', 'Figures:', ...figures(board.machine.stats(), job), '', ...lines);
	const failed = leaked || rogues.some((r) => !r.stopped || r.written > 0 || r.changed > 0);
	return { job, translated, reserved, failed };
}

function main(): number {
	const options = parseOptions(process.argv.slice(2), process.env);
	if (options === null) {
		console.log(HELP);
		return 0;
	}
	const jpeg = readInput('PICTURE', options.picture);
	const info = inspectJpeg(options.picture, jpeg);
	const dtb = readInput('DTB', options.dtb);
	if (options.out === DEFAULT_OUT) mkdirSync(dirname(DEFAULT_OUT), { recursive: true });
	const output = Output.open('OUT', options.out, [
		['PICTURE', options.picture],
		['DTB', options.dtb],
		['the board without IOMMUs', NO_IOMMU_DTB],
	]);
	// The result goes where the text would go.
	if (output.isStdout) print = console.error;
	const { job, translated, reserved, failed } = showBoard(options, dtb, jpeg, info, output);
	if (job !== null) {
		const noIommu = readInput('the board without IOMMUs', NO_IOMMU_DTB);
		const variants: Variant[] = [
			{ name: translated ? 'IOMMU' : 'as booted', reserved, job },
			variant('iommu.passthrough=1', options.dtb, dtb, options, jpeg, info, 'iommu.passthrough=1'),
			variant('tree without iommus', NO_IOMMU_DTB, noIommu, options, jpeg, info, ''),
		];
		say(
			'',
			'The same job with and without translation, memory fragmented each time:',
			...comparison(variants),
		);
	}
	return failed ? 1 : 0;
}

try {
	process.exitCode = main();
} catch (e) {
	if (e instanceof SyscallError) e.message = `the job failed on this board: ${e.message}`;
	else if (!(e instanceof UserError || e instanceof JpegError)) throw e;
	process.exitCode = complain(e);
}
