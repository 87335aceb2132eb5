// SPDX-License-Identifier: GPL-2.0-only
// The command lines of boot, and of the verbs that look at a board.
import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { BOARD_DTB, PROJECT, projectFile } from '#tools/project.js';
import { readInput } from '#tools/run/files.js';
import { quoted, UsageError, wholeNumber } from '#tools/run/user-error.js';
import type { Script } from './script.js';
import type { Picture, Scenario } from './session.js';

/** Options that say which run it is. */
export const SCENARIO = {
	board: { type: 'string' },
	append: { type: 'string', default: '' },
	seed: { type: 'string', default: '' },
	script: { type: 'string' },
	help: { type: 'boolean', default: false, short: 'h' },
} as const;

export const SCENARIO_HELP = [
	'  --board BOARD    a .dtb file, or a tree of arch/arm64/boot/dts by its name',
	'  --append TEXT    the kernel command line',
	'  --seed N         of what the hardware decides by itself; 1',
	'  --script FILE    commands, one a line; # begins a remark',
].join('\n');

type Values<T> = { -readonly [K in keyof T]?: string | boolean };

/** @args as @options have them; throws a UsageError with @usage. */
export function parse<T extends NonNullable<Parameters<typeof parseArgs>[0]>['options'] & object>(
	args: readonly string[],
	options: T,
	usage: string,
): { readonly values: Values<T>; readonly positionals: readonly string[] } {
	try {
		const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options });
		return { values: values as Values<T>, positionals };
	} catch (e) {
		throw new UsageError((e as Error).message, usage);
	}
}

const TREES = join(PROJECT, 'arch/arm64/boot/dts');

/** The project's boards, by name. */
export function boards(): Map<string, string> {
	const files = readdirSync(TREES, { recursive: true, encoding: 'utf8' });
	return new Map(
		files
			.filter((file) => file.endsWith('.dtb'))
			.sort()
			.map((file) => [basename(file, '.dtb'), join(TREES, file)]),
	);
}

/** The file of the board that the user calls @name. */
export function boardFile(name: string | undefined, usage: string): string {
	if (name === undefined) return BOARD_DTB;
	const own = boards().get(name);
	if (own !== undefined) return own;
	if (existsSync(name)) return name;
	throw new UsageError(
		`expected a board, a .dtb file or ${[...boards().keys()].sort().join(', ')}, got ${quoted(name)}`,
		usage,
	);
}

/** The run that @values ask for. */
export function scenarioOf(values: Values<typeof SCENARIO>, usage: string): Scenario {
	const file = boardFile(values.board as string | undefined, usage);
	return {
		board: file,
		dtb: readInput('BOARD', file),
		append: String(values.append),
		seed: wholeNumber('--seed', String(values.seed), 1),
		picture: pictureOf(projectFile('examples/picture.jpg')),
	};
}

/** The picture in @file, for the main job. */
export function pictureOf(file: string): Picture {
	return { file, bytes: () => readInput('PICTURE', file) };
}

/** The script @file; null: none is asked for. */
export function scriptOf(file: string | undefined): Script | null {
	if (file === undefined) return null;
	return { file, lines: new TextDecoder().decode(readInput('--script', file)).split('\n') };
}
