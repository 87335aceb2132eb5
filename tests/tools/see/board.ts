// SPDX-License-Identifier: GPL-2.0-only
// A prompt on one of the project's boards.
import { boardBlob } from '#tests/boot.js';
import { Interpreter } from '#tools/see/interpreter.js';
import type { Scenario } from '#tools/see/session.js';
import { CommandError } from '#tools/see/words.js';

export function scenario(board = 'edu-board', append = ''): Scenario {
	const picture = { file: 'none', bytes: () => new Uint8Array() };
	return { board, dtb: boardBlob(board), append, seed: 1, picture };
}

export class Prompt {
	readonly interpreter: Interpreter;

	constructor(board?: string, append?: string) {
		this.interpreter = new Interpreter(scenario(board, append));
	}

	/** The answers of @lines, the last one's alone. */
	do(...lines: string[]): string[] {
		let answer: string[] = [];
		for (const line of lines) answer = this.interpreter.exec(line);
		return answer;
	}

	/** The message of the command that fails; what it had said before it. */
	refused(line: string): string {
		try {
			this.interpreter.exec(line);
		} catch (e) {
			if (e instanceof CommandError) return e.message;
			throw e;
		}
		throw new Error(`${line} was done`);
	}
}
