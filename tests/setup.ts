// SPDX-License-Identifier: GPL-2.0-only
// Root hooks of every test: a WARN, or a finding of DMASAN, that the test did not expect fails it.
// First, so that initcalls run in link order whatever else is imported.
import '#init/vmlinux.js';

import { config } from 'chai';
import sinon from 'sinon';
import { panic_state } from '#kernel/panic.js';
import { checkAtEnd, findings } from '#tests/sanitiser.js';

// A name that an assertion does not have is refused as the tests are compiled: not once more with each.
config.useProxy = false;

/** Somebody whose word fails a test that does not expect it. */
interface Witness {
	readonly what: string;
	readonly said: () => string[];
	expected: RegExp[];
}

const warnings: Witness = { what: 'WARN', said: () => panic_state.warnings, expected: [] };
const sanitiser: Witness = { what: 'finding', said: () => findings, expected: [] };
const WITNESSES = [warnings, sanitiser];

/** Have this test expect a WARN whose text matches @pattern. */
export function expectWarning(pattern: RegExp): void {
	warnings.expected.push(pattern);
}

/** Have this test expect DMASAN to report what matches @pattern. */
export function expectFinding(pattern: RegExp): void {
	sanitiser.expected.push(pattern);
}

function forget(): void {
	for (const witness of WITNESSES) {
		witness.said().length = 0;
		witness.expected = [];
	}
}

/** @texts, but of those with the same first two lines, as of one fault that is made again and again, only the first. */
function distinct(texts: readonly string[]): string[] {
	const first = new Map<string, { text: string; count: number }>();
	for (const text of texts) {
		const key = text.split('\n').slice(0, 2).join('\n');
		const old = first.get(key);
		if (old === undefined) first.set(key, { text, count: 1 });
		else old.count++;
	}
	return [...first.values()].map(({ text, count }) => (count === 1 ? text : `${text}\n(${count} of these)`));
}

/** What was said that is not what was expected, and that is done with. */
function problems(): string[] {
	checkAtEnd();
	const wrong: string[] = [];
	for (const { what, said, expected } of WITNESSES) {
		const unexpected = said().filter((text) => !expected.some((e) => e.test(text)));
		const missing = expected.filter((e) => !said().some((text) => e.test(text)));
		if (unexpected.length > 0) wrong.push(`unexpected ${what}: ${distinct(unexpected).join('\n')}`);
		if (missing.length > 0) wrong.push(`expected a ${what} like ${missing.join(', ')}`);
	}
	forget();
	return wrong;
}

/** Throw when there is such. */
function check(): void {
	const wrong = problems();
	if (wrong.length > 0) throw new Error(wrong.join('\n'));
}

/** A test has failed by itself: what was found may well be why. */
function explain(e: unknown): unknown {
	const wrong = problems().filter((text) => text.startsWith('unexpected'));
	if (e instanceof Error && wrong.length > 0) e.message = `${wrong.join('\n')}\n${e.message}`;
	return e;
}

export const mochaHooks = {
	beforeEach(this: Mocha.Context): void {
		forget();
		// As a part of the test: mocha ends the whole run when a root hook fails.
		const test = this.currentTest;
		const run = test?.fn as (() => unknown) | undefined;
		if (test === undefined || run === undefined || run.length > 0) return;
		test.fn = function (this: Mocha.Context): PromiseLike<void> | undefined {
			let result: unknown;
			try {
				result = run.call(this);
			} catch (e) {
				throw explain(e);
			}
			if (result instanceof Promise)
				return result.then(check, (e: unknown) => {
					throw explain(e);
				});
			check();
			return undefined;
		};
	},
	afterEach(this: Mocha.Context): void {
		// Sinon keeps each fake, and with it the machine of its arguments, until it is told.
		sinon.restore();
		// A test that failed has said enough.
		if (this.currentTest?.state === 'failed') forget();
		else check();
	},
};
