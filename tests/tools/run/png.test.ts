// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import fc from 'fast-check';
import { decode } from 'fast-png';
import { pngOf } from '#tools/run/png.js';

describe('tools_run_png', () => {
	it('is a PNG of 8 bits a colour with just these pixels', () => {
		const side = fc.integer({ min: 1, max: 9 });
		const pixels = fc.uint8Array({ minLength: 243, maxLength: 243 });
		fc.assert(
			fc.property(side, side, pixels, (width, height, bytes) => {
				const rgb = bytes.slice(0, width * height * 3);
				const png = decode(pngOf({ width, height, rgb }));
				expect(png).to.include({ width, height, channels: 3, depth: 8 });
				expect([...png.data]).to.deep.equal([...rgb]);
			}),
			{ seed: 12, numRuns: 50 },
		);
	});
});
