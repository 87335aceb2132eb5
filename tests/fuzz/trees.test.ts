// SPDX-License-Identifier: GPL-2.0-only
import { runSteps } from '#tests/fuzz/fuzz.js';
import { trees } from '#tests/fuzz/trees.js';

describe('trees', () => {
	it('boot, or say in one line why they do not, however they are spoilt', () => {
		runSteps(trees, 20_000, 150);
	});
});
