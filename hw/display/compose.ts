// SPDX-License-Identifier: GPL-2.0-only
// What a mixer (DE3) makes of the layers that it fetched: samples, converts, blends.
import type { Raster } from './monitor.js';

interface RgbFormat {
	readonly bytes: number;
	/** Where R, G, B and A stand in a pixel's bytes; -1: no alpha. */
	readonly at: readonly [number, number, number, number];
}

/** FBFMT of RGB layers (sun8i_mixer.h, SUN8I_MIXER_FBFMT_*); pixels are little-endian words. */
export const RGB_FORMATS: Readonly<Record<number, RgbFormat>> = {
	0: { bytes: 4, at: [2, 1, 0, 3] },
	1: { bytes: 4, at: [0, 1, 2, 3] },
	4: { bytes: 4, at: [2, 1, 0, -1] },
	5: { bytes: 4, at: [0, 1, 2, -1] },
	8: { bytes: 3, at: [2, 1, 0, -1] },
	9: { bytes: 3, at: [0, 1, 2, -1] },
};
export const FBFMT_NV12 = 8;
export const FBFMT_NV21 = 9;

/** One layer as it was when its frame was fetched. */
export interface Layer {
	readonly width: number;
	readonly height: number;
	readonly outWidth: number;
	readonly outHeight: number;
	readonly x: number;
	readonly y: number;
	readonly format: number;
	readonly rgb: boolean;
	readonly alphaMode: number;
	readonly alpha: number;
	/** The conversion's twelve words, or null when it is off. */
	readonly csc: Int32Array | null;
	readonly planes: readonly Uint8Array[];
	/** Rows that were fetched whole; those below are black. */
	readonly rows: number;
}

export interface Frame {
	readonly width: number;
	readonly height: number;
	readonly background: number;
	readonly layers: readonly Layer[];
}

/** The offset that a CSC row's fourth word adds to its input (10 bits, two's complement). */
const inputOffset = (word: number): number => word >> 16;
const outputOffset = (word: number): number => (word << 16) >> 16;

/**
 * What each value of each input adds to each output of the colour conversion: 256 numbers for each of three inputs of
 * each of three outputs. 8-bit inputs are taken as 10 bits, as DE3 does; nothing of it is rounded, in a double.
 */
function contributions(csc: Int32Array | null): Float64Array {
	const table = new Float64Array(3 * 3 * 256);
	for (let output = 0; output < 3; output++)
		for (let input = 0; input < 3; input++)
			for (let value = 0; value < 256; value++) {
				let sum = output === input ? value : 0;
				if (csc !== null) {
					sum = (csc[output * 4 + input] * (4 * value + inputOffset(csc[input * 4 + 3]))) / 0x8_0000;
					if (input === 0) sum += outputOffset(csc[output * 4 + 3]) / 4;
				}
				table[(output * 3 + input) * 256 + value] = sum;
			}
	return table;
}

/** R, G, B and alpha of one row of a layer's samples, those in @columns, into @line. */
type Sampler = (layer: Layer, y: number, columns: Int32Array, line: Uint8Array) => void;

function sampleRgb(layer: Layer, y: number, columns: Int32Array, line: Uint8Array): void {
	const { bytes, at } = RGB_FORMATS[layer.format];
	const [r, g, b, a] = at;
	const plane = layer.planes[0];
	for (let i = 0; i < columns.length; i++) {
		const from = (y * layer.width + columns[i]) * bytes;
		line[i * 4] = plane[from + r];
		line[i * 4 + 1] = plane[from + g];
		line[i * 4 + 2] = plane[from + b];
		line[i * 4 + 3] = a < 0 ? 255 : plane[from + a];
	}
}

/** Of NV12 and NV21. */
function yuvSampler(csc: Int32Array | null): Sampler {
	const table = contributions(csc);
	return (layer, y, columns, line) => {
		const [luma, chroma] = layer.planes;
		const row = (y >> 1) * 2 * Math.ceil(layer.width / 2);
		const first = layer.format === FBFMT_NV12 ? 0 : 1;
		for (let i = 0; i < columns.length; i++) {
			const pair = row + (columns[i] & ~1);
			const yAt = luma[y * layer.width + columns[i]];
			const uAt = 256 + chroma[pair + first];
			const vAt = 512 + chroma[pair + 1 - first];
			for (let output = 0; output < 3; output++) {
				const at = output * 768;
				const value = Math.round(table[at + yAt] + table[at + uAt] + table[at + vAt]);
				line[i * 4 + output] = Math.min(Math.max(value, 0), 255);
			}
			line[i * 4 + 3] = 255;
		}
	};
}

function sampleBlack(_layer: Layer, _y: number, columns: Int32Array, line: Uint8Array): void {
	for (let i = 0; i < columns.length; i++) line.set([0, 0, 0, 255], i * 4);
}

/** Give the pixels of @line the alpha that they have by the layer's mode. */
function applyAlpha({ alphaMode, alpha }: Layer, line: Uint8Array): void {
	if (alphaMode === 1) for (let at = 3; at < line.length; at += 4) line[at] = alpha;
	else if (alphaMode === 2)
		for (let at = 3; at < line.length; at += 4) line[at] = Math.round((line[at] * alpha) / 255);
}

/** Source over. */
function blend(line: Uint8Array, rgb: Uint8Array, to: number): void {
	for (let at = 0; at < line.length; at += 4, to += 3) {
		const alpha = line[at + 3];
		for (let i = 0; i < 3; i++)
			rgb[to + i] =
				alpha === 255 ? line[at + i] : Math.round((line[at + i] * alpha + rgb[to + i] * (255 - alpha)) / 255);
	}
}

function compose({ width, height, background, layers }: Frame): Uint8Array {
	const rgb = new Uint8Array(width * height * 3);
	for (let i = 0; i < rgb.length; i += 3) {
		rgb[i] = (background >>> 16) & 255;
		rgb[i + 1] = (background >>> 8) & 255;
		rgb[i + 2] = background & 255;
	}
	for (const layer of layers) {
		const sample = layer.rgb ? sampleRgb : yuvSampler(layer.csc);
		const columns = new Int32Array(Math.max(0, Math.min(layer.outWidth, width - layer.x)));
		for (let x = 0; x < columns.length; x++) columns[x] = Math.floor((x * layer.width) / layer.outWidth);
		const line = new Uint8Array(columns.length * 4);
		for (let y = 0; y < layer.outHeight && layer.y + y < height; y++) {
			const row = Math.floor((y * layer.height) / layer.outHeight);
			(row < layer.rows ? sample : sampleBlack)(layer, row, columns, line);
			applyAlpha(layer, line);
			blend(line, rgb, ((layer.y + y) * width + layer.x) * 3);
		}
	}
	return rgb;
}

/** The picture of a frame: its colours are worked out when somebody looks. */
export class Picture implements Raster {
	#rgb: Uint8Array | null = null;

	constructor(private readonly frame: Frame) {}

	get width(): number {
		return this.frame.width;
	}

	get height(): number {
		return this.frame.height;
	}

	get rgb(): Uint8Array {
		this.#rgb ??= compose(this.frame);
		return this.#rgb;
	}
}
