// SPDX-License-Identifier: GPL-2.0-only
// The verb boot: a board, and a prompt on it, or the commands of a script.
import '#tools/lost-output.js';
import { createInterface } from 'node:readline';
import { oneLine, statusOf, UsageError } from '#tools/run/user-error.js';
import { Interpreter } from './interpreter.js';
import { parse, SCENARIO, SCENARIO_HELP, scenarioOf, scriptOf } from './options.js';
import { runScript } from './script.js';
import type { Scenario } from './session.js';
import { CommandError } from './words.js';

const USAGE = [
	'usage: linux-iommu boot [BOARD] [--append TEXT] [--seed N] [--script FILE] [--no-dmasan]',
	'boots the board, then takes commands (help lists them)',
	SCENARIO_HELP,
	'  --no-dmasan      what the sanitiser finds does not count',
	'A script ends with status 1 where a command fails, or DMASAN has found something.',
].join('\n');

const OPTIONS = { ...SCENARIO, 'no-dmasan': { type: 'boolean', default: false } } as const;
const PROMPT = '> ';

const say = (lines: readonly string[]): void => {
	for (const line of lines) console.log(oneLine(line));
};

/** Take commands until the input ends. */
function prompt(interpreter: Interpreter): Promise<void> {
	const terminal = process.stdin.isTTY === true && process.stdout.isTTY === true;
	const input = createInterface({
		input: process.stdin,
		output: process.stdout,
		terminal,
		prompt: PROMPT,
		completer: (line: string) => [interpreter.complete(line), line.split(/\s+/).at(-1) ?? ''],
	});
	return new Promise((resolve) => {
		const next = (): void => {
			if (terminal) input.prompt();
		};
		input.on('line', (line) => {
			if (line.trim() === 'exit') {
				input.close();
				return;
			}
			try {
				say(interpreter.exec(line));
			} catch (e) {
				if (!(e instanceof CommandError)) throw e;
				say(e.said);
				console.error(e.message);
			}
			next();
		});
		input.on('close', resolve);
		next();
	});
}

/** A prompt on @scenario's board; of one that does not come up its log is said. */
function booted(scenario: Scenario): Interpreter {
	try {
		return new Interpreter(scenario);
	} catch (e) {
		if (e instanceof CommandError) say(e.said);
		throw e;
	}
}

async function boot(args: readonly string[]): Promise<number> {
	const { values, positionals } = parse(args, OPTIONS, USAGE);
	if (values.help === true) {
		console.log(USAGE);
		return 0;
	}
	if (positionals.length > 1 || (positionals.length === 1 && values.board !== undefined))
		throw new UsageError(
			`expected one board, got ${positionals.length + Number(values.board !== undefined)}`,
			USAGE,
		);
	const script = scriptOf(values.script as string | undefined);
	const interpreter = booted(scenarioOf({ ...values, board: values.board ?? positionals[0] }, USAGE));
	say(interpreter.greeting);
	if (script === null) await prompt(interpreter);
	else runScript(interpreter, script, say);
	return values['no-dmasan'] !== true && interpreter.found > 0 ? 1 : 0;
}

/** The verb `boot`. The exit status: 1 when a command of a script failed or the sanitiser has found something. */
export function main(args: readonly string[]): Promise<number> {
	return statusOf(() => boot(args));
}
