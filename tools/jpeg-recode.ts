// SPDX-License-Identifier: GPL-2.0-only
// Coefficients as they are, written in the order of blocks that the video engine knows.

import { type CodedPart, FACTORS, writeJpeg } from './jpeg-encode.js';
import type { Frame } from './jpeg-frame.js';

/** The largest difference of two DC values of 8-bit samples (T.81 table F.1). */
const MAX_DC_DIFFERENCE = 2047;

/**
 * The picture of @frame, whose blocks are all read, as one scan of the plain factors; @damaged is called when it holds
 * what no picture of 8-bit samples has.
 */
export function recode(
	{ width, height, subsampling, components }: Frame,
	damaged: (what: string) => never,
): Uint8Array {
	const parts = components.map(({ id, blocks, across }, i): CodedPart => {
		let [least, most] = [0, 0];
		for (let dc = 0; dc < blocks!.length; dc += 64) {
			least = Math.min(least, blocks![dc]);
			most = Math.max(most, blocks![dc]);
		}
		if (most - least > MAX_DC_DIFFERENCE) damaged(`DC values from ${least} to ${most} in component ${id}`);
		const [h, v] = i === 0 ? FACTORS[subsampling] : [1, 1];
		return {
			h,
			v,
			blockAt: (bx, by) => blocks!.subarray((by * across + bx) * 64, (by * across + bx + 1) * 64),
		};
	});
	return writeJpeg({
		width,
		height,
		quant: components.map(({ weights }) => weights!),
		parts,
		restartInterval: 0,
	});
}
