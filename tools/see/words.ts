// SPDX-License-Identifier: GPL-2.0-only
// A command's line: words, texts in quotes, numbers.

import { oneLine, quoted, UserError } from '#tools/run/user-error.js';

/** A command that could not be done: one line, `expected …, got …`. The session goes on. */
export class CommandError extends UserError {
	override readonly name = 'CommandError';
	constructor(
		message: string,
		/** What kernel and sanitiser had said by then. */
		readonly said: readonly string[] = [],
	) {
		super(oneLine(message));
	}
}

/** Throw that @what was expected; @got: what was there, null where nothing was. */
export function expected(what: string, got: string | null | undefined): never {
	throw new CommandError(
		`expected ${what}, got ${got === null || got === undefined ? 'nothing' : quoted(got)}`,
	);
}

/** A word; @text: it stood in quotes. */
export interface Word {
	readonly word: string;
	readonly text: boolean;
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', '0': '\0', '"': '"', '\\': '\\' };

function unescaped(text: string): string {
	return text.replace(/\\(x[\da-fA-F]{2}|.)/g, (whole, what: string) =>
		what.length === 3 ? String.fromCharCode(Number.parseInt(what.slice(1), 16)) : (ESCAPES[what] ?? whole),
	);
}

/** The words of @line; what follows a # that begins a word is a remark. */
export function wordsOf(line: string): Word[] {
	const words: Word[] = [];
	const pattern = /\s*(?:(#.*)|"((?:[^"\\]|\\.)*)"(?=\s|$)|([=>])|([^\s"=>]+))/y;
	for (let at = 0; at < line.trimEnd().length; at = pattern.lastIndex) {
		pattern.lastIndex = at;
		const found = pattern.exec(line);
		if (found === null) return expected('words, or a text in "quotes"', line.slice(at).trim());
		const [, remark, text, sign, word] = found;
		if (remark !== undefined) break;
		if (text !== undefined) words.push({ word: unescaped(text), text: true });
		else words.push({ word: sign ?? word, text: false });
	}
	return words;
}

const UNITS: Readonly<Record<string, number>> = { '': 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3 };

/** `4096`, `0x1000`, `4K`: a number of bytes, or an address; null: it is none. */
export function numberOf(word: string): number | null {
	const found = /^(0x[\da-fA-F]{1,14}|\d{1,15})([KMG]?)$/.exec(word);
	if (found === null) return null;
	const value = Number(found[1]) * UNITS[found[2]];
	return Number.isSafeInteger(value) ? value : null;
}
