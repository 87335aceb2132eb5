// SPDX-License-Identifier: GPL-2.0-only
// make c-check: emitted C against an unmodified kernel, and against the TypeScript that it came from.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { quoted, statusOf, UsageError, UserError } from '#tools/run/user-error.js';
import { type Board, boards, KIT } from './board.js';
import { compareRuns, type Expected, reportOf } from './compare.js';
import { readRun, type Step } from './run.js';
import { playTwin } from './twin.js';

const USAGE = 'usage: make c-check [DRIVER=sun50i-iommu] [C=out/c/drivers/iommu] [CKIT=out/c-kit]';

interface Deviation extends Expected {
	readonly boards: readonly string[];
}

interface Options {
	/** The folder of the C files. */
	readonly c: string;
	/** What is fetched, built and run. */
	readonly kit: string;
	/** Drivers by name; none: all. */
	readonly only: string;
}

/** The script has said why. */
class KitFailed extends Error {}

/** The clients' folders, beside that of the IOMMU drivers: compiled, not run. */
const COMPILED = ['../staging/media/sunxi/cedrus', '../gpu/drm/sun4i'];

/** Run kit.sh. */
const kit = (options: Options, ...args: string[]): void => script(options, 'kit.sh', args);

function script(options: Options, name: string, args: readonly string[]): void {
	const path = join(KIT, name);
	const done = spawnSync(path, args, {
		stdio: ['ignore', 'inherit', 'inherit'],
		env: { ...process.env, CKIT: options.kit },
	});
	if (done.error !== undefined) throw new UserError(`${path}: ${done.error.message}`);
	if (done.status !== 0) throw new KitFailed(args.join(' '));
}

/** Run @board with the driver that the kernel has built in or the module, unless @key says that it was done. */
function boot(options: Options, board: Board, which: 'builtin' | 'module', key: string): Step[] {
	const folder = join(options.kit, board.name, which);
	const stamp = join(folder, 'done');
	const kept = existsSync(stamp) && readFileSync(stamp, 'utf8') === key;
	if (!kept) {
		kit(options, 'run', board.name, which);
		writeFileSync(stamp, key);
	}
	const data = join(folder, 'data.txt');
	return readRun(board.scripts, readFileSync(data, 'utf8'), data);
}

function hashOf(...files: string[]): string {
	const hash = createHash('sha256');
	for (const file of files) hash.update(readFileSync(file));
	return hash.digest('hex');
}

/** Whether the two runs are the same; says what it found. */
function equal(name: string, a: Step[], b: Step[], board: Board, expected: readonly Expected[]): boolean {
	const comparison = compareRuns(a, b, board.tables, expected);
	console.log(reportOf(name, comparison).join('\n'));
	return comparison.differences.length === 0;
}

/** Whether @driver does on all of its boards what it has to. */
function check(
	options: Options,
	driver: string,
	all: readonly Board[],
	known: readonly Deviation[],
): boolean {
	const file = join(options.c, `${driver}.c`);
	kit(options, 'build', file);
	kit(options, 'style', file);
	const verdicts = all
		.filter((board) => board.driver === driver)
		.map((board) => {
			const kitFiles = hashOf(
				...['kit.sh', 'init.sh', 'sh.sh', 'board.dts.in', `boards/${board.name}`].map((f) => join(KIT, f)),
				...['main.c', 'player.c'].map((f) => join(KIT, 'exerciser', f)),
			);
			const scripts = createHash('sha256').update(JSON.stringify(board.scripts)).digest('hex');
			const ours = boot(options, board, 'module', `${kitFiles} ${scripts} ${hashOf(file)}`);
			const dtb = join(options.kit, `${board.name}.dtb`);
			kit(options, 'dtb', board.name, dtb);
			const twin = playTwin(board, dtb, board.scripts);
			const here = equal(`${driver} on ${board.name}, TypeScript and C`, twin, ours, board, []);
			if (!board.builtin) return here;
			const theirs = boot(options, board, 'builtin', `${kitFiles} ${scripts}`);
			const expected = known.filter((d) => d.boards.includes(board.name));
			return equal(`${driver} on ${board.name}, Linux and C`, theirs, ours, board, expected) && here;
		});
	return verdicts.every(Boolean);
}

function parse(args: readonly string[]): Options {
	try {
		const text = { type: 'string', default: '' } as const;
		const { values } = parseArgs({ args: [...args], options: { c: text, kit: text, only: text } });
		return {
			c: values.c || 'out/c/drivers/iommu',
			kit: values.kit || 'out/c-kit',
			only: values.only,
		};
	} catch (e) {
		throw new UsageError((e as Error).message, USAGE);
	}
}

function main(args: readonly string[]): number {
	const options = parse(args);
	const all = boards();
	const names = [...new Set(all.map(({ driver }) => driver))];
	const drivers = names.filter((driver) => options.only === '' || driver === options.only);
	if (drivers.length === 0)
		throw new UsageError(`DRIVER: expected ${names.join(', ')}, got ${quoted(options.only)}`, USAGE);
	const missing = drivers.map((driver) => join(options.c, `${driver}.c`)).find((file) => !existsSync(file));
	if (missing !== undefined) throw new UserError(`${missing} is not there: make c writes it`);
	kit(options, 'need');
	const known = JSON.parse(readFileSync(join(KIT, 'deviations.json'), 'utf8')) as Deviation[];
	const verdicts = drivers.map((driver) => check(options, driver, all, known));
	if (options.only === '')
		script(
			options,
			'syntax.sh',
			COMPILED.map((folder) => join(options.c, folder)),
		);
	return verdicts.every(Boolean) ? 0 : 1;
}

try {
	process.exitCode = await statusOf(() => main(process.argv.slice(2)));
} catch (e) {
	if (!(e instanceof KitFailed)) throw e;
	process.exitCode = 1;
}
