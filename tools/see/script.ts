// SPDX-License-Identifier: GPL-2.0-only
// A script's commands, one after the other: a bug report is one.

import { UserError } from '#tools/run/user-error.js';
import type { Interpreter } from './interpreter.js';
import { CommandError } from './words.js';

export interface Script {
	/** For messages. */
	readonly file: string;
	readonly lines: readonly string[];
}

/** Do the commands of @script, and @say each with its answer. Throws where one fails: the rest is not done. */
export function runScript(
	interpreter: Interpreter,
	{ file, lines }: Script,
	say: (lines: readonly string[]) => void,
): void {
	for (const [i, line] of lines.entries()) {
		if (line.trim() === '') continue;
		say([`> ${line}`]);
		try {
			say(interpreter.exec(line));
		} catch (e) {
			if (!(e instanceof CommandError)) throw e;
			say(e.said);
			throw new UserError(`${file}:${i + 1}: ${e.message}`);
		}
	}
}
