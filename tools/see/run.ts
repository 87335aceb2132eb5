// SPDX-License-Identifier: GPL-2.0-only
// The verb run: what make run does, or the job alone, step by step.
import '#tools/lost-output.js';
import { readSync } from 'node:fs';
import { oneLine, statusOf, UsageError } from '#tools/run/user-error.js';
import { seconds } from '#watch/report.js';
import { doJob } from './commands/job.js';
import { parse, pictureOf, SCENARIO, scenarioOf } from './options.js';
import { Session, stopping } from './session.js';
import { CommandError } from './words.js';

const USAGE = [
	'usage: linux-iommu run [options of make run; --help lists them]',
	'   or: linux-iommu run --step [--board BOARD] [--append TEXT] [--seed N] [PICTURE]',
	'       the job alone, and before each of its steps a pause until Enter, on a terminal',
].join('\n');

const { board, append, seed, help } = SCENARIO;
const OPTIONS = { board, append, seed, help, step: { type: 'boolean', default: false } } as const;
const STDIN = 0;
const LINE_END = 0x0a;

const say = (lines: readonly string[]): void => {
	for (const line of lines) console.log(oneLine(line));
};

/** Wait for a line on a terminal. */
function pause(): void {
	if (process.stdin.isTTY !== true) return;
	process.stderr.write('Enter goes on ');
	const byte = new Uint8Array(1);
	while (readSync(STDIN, byte) === 1 && byte[0] !== LINE_END);
}

function stepwise(args: readonly string[]): number {
	const { values, positionals } = parse(args, OPTIONS, USAGE);
	if (values.help === true) {
		console.log(USAGE);
		return 0;
	}
	if (positionals.length > 1) throw new UsageError(`expected one picture, got ${positionals.length}`, USAGE);
	const scenario = scenarioOf(values, USAGE);
	const [file] = positionals;
	const session = new Session(file === undefined ? scenario : { ...scenario, picture: pictureOf(file) });
	session.boot();
	let from = session.logEnd;
	/** What was said, and how far time has gone, since the last step began. */
	const told = (): void => {
		say([...session.log(from), `  at ${seconds(session.machine.now())}`]);
		from = session.logEnd;
	};
	say(session.log());
	try {
		const lines = stopping(() =>
			doJob(session, (step) => {
				told();
				say([`${step} …`]);
				pause();
			}),
		);
		told();
		say(lines);
	} catch (e) {
		if (e instanceof CommandError) told();
		throw e;
	}
	const { reports } = session.dmasan;
	say(reports.flatMap(({ text }) => text.split('\n')));
	return reports.length === 0 ? 0 : 1;
}

/** The verb `run`. The exit status: 1 when the job failed or something was found, 2 for a command line that is none. */
export async function main(args: readonly string[]): Promise<number> {
	if (args.includes('--step')) return statusOf(() => stepwise(args));
	if (args.includes('--help')) console.log(`${USAGE}\n`);
	// That program reads the command line itself.
	process.argv.splice(2, Number.POSITIVE_INFINITY, ...args);
	await import('#tools/run/main.js');
	return Number(process.exitCode ?? 0);
}
