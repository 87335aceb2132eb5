// SPDX-License-Identifier: GPL-2.0-only
// The frame header of a JPEG: ITU-T T.81, B.2.2, and what of it the video engine takes.

import { FACTORS, type Subsampling } from './jpeg-encode.js';
import type { Fail } from './jpeg-scan.js';

/** What the engine takes at most, in pixels each way. */
export const MAX_SIZE = 2048;

export interface Component {
	readonly id: number;
	readonly h: number;
	readonly v: number;
	readonly quant: number;
	/** Blocks of it in the MCUs of the whole picture, across and down. */
	readonly across: number;
	readonly down: number;
	/** The table that is in force when its scan begins; null until then. */
	weights: Uint8Array | null;
	/** Numbers of its Huffman tables: DC << 4 | AC. */
	select: number;
	/** Coefficients of the blocks, when they have to be written again. */
	blocks: Int16Array | null;
}

export interface Frame {
	readonly width: number;
	readonly height: number;
	readonly hMax: number;
	readonly vMax: number;
	readonly components: readonly Component[];
	/** Sampling factors as the file has them. */
	readonly factors: string;
	readonly subsampling: Subsampling;
}

/** What the engine makes NV12 of. */
const SUPPORTED = '4:2:0, 4:2:2, 4:4:0, 4:4:4 or grey';

/** Ratios that have a name, but are not for this engine's NV12. */
const REFUSED: Readonly<Record<string, string>> = { '4x1': ' (4:1:1)', '4x2': ' (4:1:0)' };

/** Luma samples a chroma sample, across and down; null where chroma components differ or the ratio is no whole number. */
function ratio(components: readonly { h: number; v: number }[]): readonly [number, number] | null {
	const [luma, cb, cr] = components;
	if (cb.h !== cr.h || cb.v !== cr.v || luma.h % cb.h !== 0 || luma.v % cb.v !== 0) return null;
	return [luma.h / cb.h, luma.v / cb.v];
}

/** The format of these ratios. */
function formatOf(
	from: number,
	components: readonly { h: number; v: number }[],
	factors: string,
	fail: Fail,
): Subsampling {
	if (components.length === 1) return '400';
	const found = ratio(components);
	const name = (['420', '422', '422T', '444'] as const).find(
		(format) => found?.[0] === FACTORS[format][0] && found[1] === FACTORS[format][1],
	);
	return (
		name ??
		fail(
			from + 6,
			`sampling factors ${factors} are not supported by the engine${REFUSED[found?.join('x') ?? ''] ?? ''}; expected ${SUPPORTED}`,
		)
	);
}

/** Read the header between @from and @end; calls @fail for what the engine does not take. */
export function readFrame(data: Uint8Array, from: number, end: number, fail: Fail): Frame {
	const count = data[from + 5];
	if (end - from < 6 || end - from !== 6 + 3 * count) fail(from, 'frame header of the wrong length');
	if (data[from] !== 8)
		fail(from, `${data[from]}-bit samples are not supported by the engine; expected 8-bit`);
	const height = data[from + 1] * 256 + data[from + 2];
	const width = data[from + 3] * 256 + data[from + 4];
	if (width === 0 || height === 0)
		fail(
			from + 1,
			`picture of ${width}x${height}; expected at least 1x1${height === 0 ? ' (a height by DNL is not supported)' : ''}`,
		);
	if (width > MAX_SIZE || height > MAX_SIZE)
		fail(
			from + 1,
			`picture of ${width}x${height} is too large for the engine; expected at most ${MAX_SIZE}x${MAX_SIZE}`,
		);
	if (count === 4) fail(from + 5, '4 components (CMYK) are not supported by the engine; expected 1 or 3');
	if (count !== 1 && count !== 3) fail(from + 5, `${count} components; expected 1 or 3`);
	const read = Array.from({ length: count }, (_, i) => ({
		id: data[from + 6 + 3 * i],
		h: data[from + 7 + 3 * i] >> 4,
		v: data[from + 7 + 3 * i] & 15,
		quant: data[from + 8 + 3 * i],
	}));
	const factors = read.map(({ h, v }) => `${h}x${v}`).join(',');
	read.forEach(({ h, v }, i) => {
		if (h < 1 || h > 4 || v < 1 || v > 4)
			fail(from + 7 + 3 * i, `sampling factors ${factors}; expected 1 to 4 each way`);
	});
	const subsampling = formatOf(from, read, factors, fail);
	// Of one component the data is in plain rows of blocks, whatever the factors say (T.81 A.2.2).
	const hMax = count === 1 ? 1 : read[0].h;
	const vMax = count === 1 ? 1 : read[0].v;
	const components = read.map((component) => ({
		...component,
		...(count === 1 ? { h: 1, v: 1 } : {}),
		across: Math.ceil(width / (8 * hMax)) * (count === 1 ? 1 : component.h),
		down: Math.ceil(height / (8 * vMax)) * (count === 1 ? 1 : component.v),
		weights: null,
		select: 0,
		blocks: null,
	}));
	return { width, height, hMax, vMax, components, factors, subsampling };
}
