// SPDX-License-Identifier: GPL-2.0-only
import { runSteps } from '#tests/fuzz/fuzz.js';
import { pictureFuzzer } from '#tests/fuzz/pictures.js';

describe('fuzz_pictures', () => {
	it('ends every spoilt picture in a picture or in one line', () => {
		runSteps(pictureFuzzer(), 1, 600);
	});
});
