// SPDX-License-Identifier: GPL-2.0-only
// The verbs that do one command on a board: behind its boot, or behind a script.
import '#tools/lost-output.js';
import { oneLine, statusOf, UsageError } from '#tools/run/user-error.js';
import { argsOf, Interpreter } from './interpreter.js';
import { parse, SCENARIO, SCENARIO_HELP, scenarioOf, scriptOf } from './options.js';
import { runScript } from './script.js';
import { CommandError } from './words.js';

const OPTIONS = { ...SCENARIO, json: { type: 'boolean', default: false } } as const;
/** Those that have their answer as data, too. */
const WITH_JSON: ReadonlySet<string> = new Set(['maps', 'walk', 'why']);
const SPACES = 2;

/** @word as a word of a command's line. */
function asWord(word: string): string {
	if (/^[^\s"#=>]+$/.test(word) || word === '>') return word;
	return `"${word.replace(/["\\]/g, '\\$&').replaceAll('\n', '\\n')}"`;
}

/** The line of the command @name with @words; a shell has taken the > of an echo. */
function lineOf(name: string, words: readonly string[]): string {
	const arrow = name === 'echo' && words.length > 1 && !words.includes('>');
	const all = arrow ? [...words.slice(0, -1), '>', ...words.slice(-1)] : words;
	return [name, ...all.map(asWord)].join(' ');
}

function look(name: string, args: readonly string[]): number {
	const json = WITH_JSON.has(name);
	const usage = [
		`usage: linux-iommu ${name} [--board BOARD] [--script FILE]${json ? ' [--json]' : ''} ${name === 'echo' ? 'TEXT PATH' : argsOf(name)}`,
		'boots the board, does the commands of the script, and then this one',
		SCENARIO_HELP,
		...(json ? ['  --json           the answer as JSON'] : []),
	].join('\n');
	const { values, positionals } = parse(args, OPTIONS, usage);
	if (values.help === true) {
		console.log(usage);
		return 0;
	}
	if (values.json === true && !json)
		throw new UsageError(`--json: expected none, as ${name} has text alone`, usage);
	const script = scriptOf(values.script as string | undefined);
	const interpreter = new Interpreter(scenarioOf(values, usage));
	if (script !== null) runScript(interpreter, script, () => {});
	const line = lineOf(name, positionals);
	try {
		if (values.json === true) console.log(JSON.stringify(interpreter.json(line), null, SPACES));
		else for (const text of interpreter.exec(line)) console.log(oneLine(text));
	} catch (e) {
		// What it was asked for is the command line's.
		if (e instanceof CommandError) throw new UsageError(e.message);
		throw e;
	}
	return 0;
}

/** The verb @name. The exit status: 1 when the script failed, 2 for a command line that is none. */
export function lookVerb(name: string): { main(args: readonly string[]): Promise<number> } {
	return { main: (args) => statusOf(() => look(name, args)) };
}
