// SPDX-License-Identifier: GPL-2.0-only
// make run: boot, decode a picture, show it, show what the IOMMU is for.
import '#init/vmlinux.js';
import '#tools/lost-output.js';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { printk_state } from '#kernel/printk/printk.js';
import { msleep } from '#kernel/time/timer.js';
import { inspectJpeg, JpegError, type JpegInfo } from '#tools/jpeg-info.js';
import { BOARD_DTB } from '#tools/project.js';
import { Dmasan, type DmasanReport } from '#watch/dmasan.js';
import { Board, BootError } from './board.js';
import { readInput } from './files.js';
import { JobError, type JobResult, runJob } from './job.js';
import { DEFAULT_OUT, HELP, parseOptions, type RunOptions } from './options.js';
import { Output } from './output.js';
import { pngOf } from './png.js';
import {
	bufferLine,
	comparison,
	exposureLines,
	figures,
	leaks,
	pictureLines,
	rogueLines,
	sanitiserLines,
	told,
	type Variant,
} from './report.js';
import { engineIsTranslated, type RogueFacts, readSecret, writeReadOnly, writeSecret } from './rogue.js';
import { bootFor, type Setup, withoutIommus } from './setup.js';
import { complain, oneLine, UserError } from './user-error.js';

const PM_DELAY_MS = 20;
const WITHOUT = 'tree without iommus';

/** The kernel's own switch for debug messages, and their level. */
const DYNDBG = 'dyndbg';
const LOGLEVEL_DEBUG = 7;

/** Who watches the boards, one after the other. */
const sanitisers: Dmasan[] = [];

let print = console.log;
const say = (...lines: string[]): void => {
	for (const line of lines) print(oneLine(line));
};

/** What came of an attempt, and what the sanitiser has to say of it. */
interface Attempt {
	readonly facts: RogueFacts;
	readonly found: readonly DmasanReport[];
}

/** Have the engine make an attempt. What the sanitiser says of it is what was to be shown, and no failure. */
function attempt(board: Board, rogue: (board: Board) => RogueFacts): Attempt {
	const reports = sanitisers.at(-1)?.reports ?? [];
	const before = reports.length;
	const facts = rogue(board);
	return { facts, found: reports.splice(before) };
}

/** What the engine can get at where nothing is in its way. */
function unstopped(board: Board): Attempt[] {
	return [readSecret, writeSecret].map((rogue) => attempt(board, rogue));
}

const linesOf = (attempts: readonly Attempt[]): string[] =>
	attempts.flatMap(({ facts, found }) => rogueLines(facts, found));

/** The same job on another set-up, for comparison; @meanwhile as runJob() has it. */
function variant(
	name: string,
	setup: Setup,
	jpeg: Uint8Array,
	info: JpegInfo,
	meanwhile?: (board: Board) => void,
): Variant {
	const board = bootFor(setup);
	const made = { name, ways: Board.ways(), reserved: Board.cmaReserved() };
	try {
		const job = runJob(board, jpeg, info, () => meanwhile?.(board));
		sanitisers.at(-1)?.quiet('the job');
		return { ...made, job };
	} catch (e) {
		if (!(e instanceof JobError)) throw e;
		return { ...made, job: e };
	}
}

/** That a board has no device for a part of the job, by its node in /dev; and what the kernel said of it, if it tried. */
function lacks(node: string, said: readonly string[]): string[] {
	const what = node.includes('video') ? 'video engine' : 'display';
	if (said.length === 0)
		return [`This board has no ${node}: its tree puts no ${what} where this kernel has a driver for it.`];
	return [
		`This board has no ${node}: its ${what} did not get its driver.`,
		...said.map((line) => `  ${line}`),
	];
}

function showBoard(
	options: RunOptions,
	setup: Setup,
	jpeg: Uint8Array,
	info: JpegInfo,
	output: Output,
): { shown: Variant | null; failed: boolean } {
	const { model, compatible } = Board.describe(setup.path, setup.dtb);
	say(`${model} (${compatible}), from ${setup.path}`, '');
	const board = bootFor(options.verbose ? { ...setup, append: `${DYNDBG} ${setup.append}`.trim() } : setup);
	const guarded = engineIsTranslated();
	const ways = Board.ways();
	const reserved = Board.cmaReserved();
	say(
		...Board.log(0, options.verbose ? LOGLEVEL_DEBUG : undefined),
		'',
		`booted in ${board.bootMs.toFixed(0)} ms`,
		'',
	);
	const exceptions = [...Board.exceptions(), ...board.remarks().filter((text) => /\biommu/i.test(text))];
	if (exceptions.length > 0)
		say('Not translated, or not as the tree says:', ...exceptions.map((line) => `  ${line}`), '');
	const before = Board.allocated();
	const from = printk_state.next_seq;
	let job: JobResult;
	try {
		job = runJob(board, jpeg, info);
	} catch (e) {
		if (!(e instanceof JobError) || e.missing === null) throw e;
		const said = e.missing.includes('video') ? Board.saidOf('engine') : Board.saidOf('display');
		say(
			...lacks(e.missing, said),
			'Nothing to decode and show; what there is was probed.',
			'',
			...figures(board.machine.stats(), null),
		);
		return { shown: null, failed: said.length > 0 };
	}
	say(
		...pictureLines(options.picture, jpeg.length, info, job),
		bufferLine('bitstream buffer', job.bitstream),
		bufferLine('picture buffer', job.picture),
		`  CMA: ${job.cmaBytes} bytes`,
		...Board.log(from).map((line) => `  ${line}`),
	);
	if (job.raster !== null) {
		output.write(pngOf(job.raster));
		say(`Shown: ${job.raster.width}x${job.raster.height} on the monitor, captured to ${options.out}`);
	} else if (ways.display === null)
		say(...lacks('/dev/dri/card0', Board.saidOf('display')), 'The picture is decoded, and not shown.');
	else say('The monitor shows nothing.');
	const attempts = guarded
		? [readSecret, writeSecret, writeReadOnly].map((rogue) => {
				const stopped = runJob(board, jpeg, info, () => attempt(board, rogue)).aside as Attempt;
				// The engine hangs; it is reset when it is put to sleep, and that is not at once.
				msleep(PM_DELAY_MS);
				return stopped;
			})
		: (runJob(board, jpeg, info, () => unstopped(board)).aside as Attempt[]);
	say('', 'A device that goes astray:', ...linesOf(attempts));
	if (!guarded) say(`  no IOMMU is in the way of the video engine; one that is stops both: DTB=${BOARD_DTB}`);
	const { lines, leaked } = leaks(
		before,
		Board.allocated(),
		job,
		board.machine.iommus.map(({ name }) => name),
	);
	say('', 'Figures:', ...figures(board.machine.stats(), job), '', ...lines);
	const sanitiser = sanitisers.at(-1);
	sanitiser?.quiet('the job');
	if (sanitiser !== undefined) say('', ...exposureLines(sanitiser));
	const failed =
		leaked ||
		(guarded && attempts.some(({ facts }) => !facts.stopped || facts.written > 0 || facts.changed > 0));
	const name = ways.engine === 'translated' && ways.display === 'translated' ? 'IOMMU' : 'as booted';
	return { shown: { name, ways, reserved, job }, failed };
}

/** The project's own folder for results, which a fresh clone has not. */
function makeOutFolder(): void {
	try {
		mkdirSync(dirname(DEFAULT_OUT));
	} catch {
		// It is there, or who opens a file in it says what is wrong.
	}
}

function main(): number {
	const options = parseOptions(process.argv.slice(2), process.env);
	if (options === null) {
		console.log(HELP);
		return 0;
	}
	const jpeg = readInput('PICTURE', options.picture);
	const info = inspectJpeg(options.picture, jpeg);
	const setup: Setup = {
		path: options.dtb,
		dtb: readInput('DTB', options.dtb),
		mem: options.mem,
		append: options.append,
		watch: options.sanitise ? (machine) => sanitisers.push(new Dmasan(machine)) : null,
	};

	if (options.out === DEFAULT_OUT) makeOutFolder();
	const output = Output.open('OUT', options.out, [
		['PICTURE', options.picture],
		['DTB', options.dtb],
	]);
	// The result goes where the text would go.
	if (output.isStdout) print = console.error;
	const { shown, failed } = showBoard(options, setup, jpeg, info, output);
	if (shown !== null) {
		const passthrough = { ...setup, append: `${setup.append} iommu.passthrough=1`.trim() };
		const bare = { ...setup, dtb: withoutIommus(setup.dtb) };
		let attempts: Attempt[] = [];
		const variants: Variant[] = [
			shown,
			variant('iommu.passthrough=1', passthrough, jpeg, info),
			variant(WITHOUT, bare, jpeg, info, (board) => {
				// Where nothing was in its way before, this was shown.
				if (shown.ways.engine === 'translated') attempts = unstopped(board);
			}),
		];
		say(
			'',
			'The same job with and without translation, memory fragmented each time:',
			...comparison(variants),
		);
		if (attempts.length > 0) say('', `The same device on the ${WITHOUT}:`, ...linesOf(attempts));
	}
	if (options.sanitise) say('', ...sanitiserLines(sanitisers));
	return failed || sanitisers.some(({ reports }) => reports.length > 0) ? 1 : 0;
}

try {
	process.exitCode = main();
} catch (e) {
	if (e instanceof JobError) {
		say(...told(e.log, e.remarks), '');
		e.message = `the job failed on this board: ${e.message}`;
	} else if (e instanceof BootError) say(...told(e.log, []), '');
	else if (!(e instanceof UserError || e instanceof JpegError)) throw e;
	process.exitCode = complain(e);
}
