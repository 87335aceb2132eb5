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

export const mochaHooks = {
	beforeEach(): void {
		expected = [];
		panic_state.warnings.length = 0;
	},
	afterEach(): void {
		const unexpected = panic_state.warnings.filter((w) => !expected.some((e) => e.test(w)));
		const missing = expected.filter((e) => !panic_state.warnings.some((w) => e.test(w)));
		panic_state.warnings.length = 0;
		if (unexpected.length > 0) throw new Error(`unexpected WARN: ${unexpected.join('; ')}`);
		if (missing.length > 0) throw new Error(`expected a WARN like ${missing.join(', ')}`);
	},
};
