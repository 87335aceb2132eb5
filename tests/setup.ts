// SPDX-License-Identifier: GPL-2.0-only
// Root hooks of every test: a WARN that the test did not expect fails it.
// First, so that initcalls run in link order whatever else is imported.
import '#init/vmlinux.js';

import { panic_state } from '#kernel/panic.js';

let expected: RegExp[] = [];

/** Have this test expect a WARN whose text matches @pattern. */
export function expectWarning(pattern: RegExp): void {
	expected.push(pattern);
}

/** Throw when the warnings are not those that were expected; either way they are done with. */
function checkWarnings(): void {
	const unexpected = panic_state.warnings.filter((w) => !expected.some((e) => e.test(w)));
	const missing = expected.filter((e) => !panic_state.warnings.some((w) => e.test(w)));
	panic_state.warnings.length = 0;
	expected = [];
	if (unexpected.length > 0) throw new Error(`unexpected WARN: ${unexpected.join('; ')}`);
	if (missing.length > 0) throw new Error(`expected a WARN like ${missing.join(', ')}`);
}

export const mochaHooks = {
	beforeEach(this: Mocha.Context): void {
		expected = [];
		panic_state.warnings.length = 0;
		// As a part of the test: mocha ends the whole run when a root hook fails.
		const test = this.currentTest;
		const run = test?.fn as (() => unknown) | undefined;
		if (test === undefined || run === undefined || run.length > 0) return;
		test.fn = function (this: Mocha.Context): PromiseLike<void> | undefined {
			const result = run.call(this);
			if (result instanceof Promise) return result.then(checkWarnings);
			checkWarnings();
			return undefined;
		};
	},
	afterEach(this: Mocha.Context): void {
		// A test that failed has said enough.
		if (this.currentTest?.state === 'failed') panic_state.warnings.length = 0;
		else checkWarnings();
	},
};
