// SPDX-License-Identifier: GPL-2.0-only
// What the user can mend: one clear line, a non-zero exit, no stack trace.

/** The message names the file or option, the place, and what was expected. */
export class UserError extends Error {}

/** The command line is not one: exit status 2. With @usage, that is said too. */
export class UsageError extends UserError {
	constructor(
		message: string,
		readonly usage: string | null = null,
	) {
		super(message);
	}
}

const CONTROLS = /(?!\t)[\p{Cc}\p{Zl}\p{Zp}]/gu;

/** @text as one line, whatever a name in it is made of. */
export function oneLine(text: string): string {
	return text.replace(CONTROLS, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** What a user gave, in quotes, and not for pages. */
export function quoted(text: string): string {
	return text.length > 60 ? `"${text.slice(0, 60)}..." (${text.length} characters)` : `"${text}"`;
}

/** What @name says in @text, or @fallback where it says nothing. */
export function wholeNumber(name: string, text: string, fallback: number, least = 0): number {
	if (text === '') return fallback;
	if (!/^\d{1,9}$/.test(text) || Number(text) < least)
		throw new UsageError(
			`${name}: expected a whole number ${least === 0 ? '' : `from ${least} on `}of up to nine digits, got ${quoted(text)}`,
		);
	return Number(text);
}

/** The exit status of @program: its answer, or that of what the user can mend, which is said. */
export async function statusOf(program: () => number | Promise<number>): Promise<number> {
	try {
		return await program();
	} catch (e) {
		if (!(e instanceof UserError)) throw e;
		return complain(e);
	}
}

/** Say on standard error what went wrong; the exit status for it. */
export function complain(e: Error): number {
	console.error(oneLine(e.message));
	if (!(e instanceof UsageError)) return 1;
	if (e.usage !== null) console.error(e.usage);
	return 2;
}
