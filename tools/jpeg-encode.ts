// SPDX-License-Identifier: GPL-2.0-only
// A small baseline JPEG encoder, for what jpeg-js's encoder leaves out.
// That is every subsampling but 4:4:4, grey, restart markers, and blocks that are quantised already. Slow and plain;
// for the default picture, for tests, and for pictures whose blocks the engine wants in another order.
//
// ITU-T T.81: annex A (blocks and the DCT), F.1.2 (Huffman coding), K.3.3 (the example tables).

export type Subsampling = '420' | '422' | '444' | '422T' | '400';

export interface EncodeOptions {
	readonly subsampling: Subsampling;
	/** 1 (small) to 100 (good). */
	readonly quality?: number;
	/** MCUs between restart markers; 0: none. */
	readonly restartInterval?: number;
	/** What all sampling factors are multiplied by: the same picture, its blocks in another order. */
	readonly scale?: readonly [number, number];
}

/** The red, green and blue bytes of a picture, row by row, three bytes a pixel. */
export interface RgbImage {
	readonly width: number;
	readonly height: number;
	readonly data: Uint8Array;
}

/** Luma sampling factors of each format. */
export const FACTORS: Readonly<Record<Subsampling, readonly [number, number]>> = {
	'420': [2, 2],
	'422': [2, 1],
	'444': [1, 1],
	'422T': [1, 2],
	'400': [1, 1],
};

// biome-ignore format: the zigzag as T.81 figure A.6 draws it
const ZIGZAG = [
	0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
	35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47,
	55, 62, 63,
];

/** A table that grows with the frequency, in zigzag order; not that of annex K. */
function quantTable(quality: number, chroma: boolean): Uint8Array {
	const scale = quality < 50 ? 50 / quality : 2 - quality / 50;
	const table = new Uint8Array(64);
	for (let i = 0; i < 64; i++) {
		const [u, v] = [ZIGZAG[i] % 8, ZIGZAG[i] >> 3];
		const weight = (chroma ? 14 : 10) + (u + v) * (chroma ? 9 : 6) + u * v;
		table[i] = Math.min(255, Math.max(1, Math.round(weight * scale)));
	}
	return table;
}

interface HuffmanTable {
	readonly counts: readonly number[];
	readonly symbols: readonly number[];
	/** Code and its length, by symbol. */
	readonly codes: ReadonlyMap<number, readonly [number, number]>;
}

function huffmanTable(counts: readonly number[], symbols: readonly number[]): HuffmanTable {
	const codes = new Map<number, readonly [number, number]>();
	let code = 0;
	let next = 0;
	counts.forEach((count, i) => {
		for (let k = 0; k < count; k++) codes.set(symbols[next++], [code++, i + 1]);
		code *= 2;
	});
	return { counts, symbols, codes };
}

/** A table of ours for the 162 AC symbols (run << 4 | size): short codes for short runs of small values. */
function acTable(): HuffmanTable {
	const all: { symbol: number; weight: number }[] = [
		{ symbol: 0x00, weight: 0 },
		{ symbol: 0xf0, weight: 10 },
	];
	for (let run = 0; run < 16; run++)
		for (let size = 1; size <= 10; size++)
			all.push({ symbol: (run << 4) | size, weight: run * 0.8 + size * 1.6 });
	all.sort((a, b) => a.weight - b.weight || a.symbol - b.symbol);
	// How many codes of each length: as in T.81 table K.5, which fits photographs.
	const counts = [0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 125];
	return huffmanTable(
		counts,
		all.map(({ symbol }) => symbol),
	);
}

const DC = huffmanTable(
	[0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0],
	[2, 0, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11],
);
const AC = acTable();

/** cos((2x + 1) u pi / 16) c(u) / 2, at [u * 8 + x]. */
const COSINES = Float64Array.from({ length: 64 }, (_, i) => {
	const [u, x] = [i >> 3, i % 8];
	return (Math.cos(((2 * x + 1) * u * Math.PI) / 16) * (u === 0 ? Math.SQRT1_2 : 1)) / 2;
});

class BitWriter {
	readonly bytes: number[] = [];
	#acc = 0;
	#count = 0;

	put(value: number, bits: number): void {
		for (let i = bits - 1; i >= 0; i--) {
			this.#acc = (this.#acc << 1) | ((value >> i) & 1);
			if (++this.#count === 8) this.#byte();
		}
	}

	/** Fill the last byte with ones. */
	flush(): void {
		while (this.#count !== 0) this.put(1, 1);
	}

	#byte(): void {
		this.bytes.push(this.#acc);
		if (this.#acc === 0xff) this.bytes.push(0);
		this.#acc = 0;
		this.#count = 0;
	}
}

interface Plane {
	readonly width: number;
	readonly height: number;
	readonly data: Float64Array;
}

function toYCbCr({ width, height, data }: RgbImage): Plane[] {
	const planes = [0, 1, 2].map(() => ({ width, height, data: new Float64Array(width * height) }));
	for (let i = 0; i < width * height; i++) {
		const [r, g, b] = data.subarray(i * 3, i * 3 + 3);
		planes[0].data[i] = 0.299 * r + 0.587 * g + 0.114 * b;
		planes[1].data[i] = 128 - 0.168736 * r - 0.331264 * g + 0.5 * b;
		planes[2].data[i] = 128 + 0.5 * r - 0.418688 * g - 0.081312 * b;
	}
	return planes;
}

/** The mean of h x v samples each. */
function shrink(plane: Plane, h: number, v: number): Plane {
	const width = Math.ceil(plane.width / h);
	const height = Math.ceil(plane.height / v);
	const data = new Float64Array(width * height);
	for (let y = 0; y < height; y++)
		for (let x = 0; x < width; x++) {
			let sum = 0;
			for (let j = 0; j < v; j++)
				for (let i = 0; i < h; i++) {
					const at =
						Math.min(plane.height - 1, y * v + j) * plane.width + Math.min(plane.width - 1, x * h + i);
					sum += plane.data[at];
				}
			data[y * width + x] = sum / (h * v);
		}
	return { width, height, data };
}

/** Quantised coefficients, in zigzag order, of the block at (bx, by); the edge repeats beyond the picture. */
function block(plane: Plane, bx: number, by: number, quant: Uint8Array): Int32Array {
	const rows = new Float64Array(64);
	for (let y = 0; y < 8; y++)
		for (let u = 0; u < 8; u++) {
			let sum = 0;
			for (let x = 0; x < 8; x++) {
				const at =
					Math.min(plane.height - 1, by * 8 + y) * plane.width + Math.min(plane.width - 1, bx * 8 + x);
				sum += (plane.data[at] - 128) * COSINES[u * 8 + x];
			}
			rows[y * 8 + u] = sum;
		}
	const out = new Int32Array(64);
	for (let i = 0; i < 64; i++) {
		const [u, v] = [ZIGZAG[i] % 8, ZIGZAG[i] >> 3];
		let sum = 0;
		for (let y = 0; y < 8; y++) sum += rows[y * 8 + u] * COSINES[v * 8 + y];
		out[i] = Math.round(sum / quant[i]);
	}
	return out;
}

function putValue(bits: BitWriter, value: number, size: number): void {
	bits.put(value < 0 ? value + 2 ** size - 1 : value, size);
}

function sizeOf(value: number): number {
	return value === 0 ? 0 : Math.floor(Math.log2(Math.abs(value))) + 1;
}

function putBlock(bits: BitWriter, zz: ArrayLike<number>, lastDc: number): void {
	const diff = zz[0] - lastDc;
	const dcSize = sizeOf(diff);
	bits.put(...DC.codes.get(dcSize)!);
	putValue(bits, diff, dcSize);
	let run = 0;
	for (let k = 1; k < 64; k++) {
		if (zz[k] === 0) {
			run++;
			continue;
		}
		for (; run > 15; run -= 16) bits.put(...AC.codes.get(0xf0)!);
		const size = sizeOf(zz[k]);
		bits.put(...AC.codes.get((run << 4) | size)!);
		putValue(bits, zz[k], size);
		run = 0;
	}
	if (run > 0) bits.put(...AC.codes.get(0x00)!);
}

function segment(marker: number, body: readonly number[]): number[] {
	return [0xff, marker, (body.length + 2) >> 8, (body.length + 2) & 0xff, ...body];
}

/** A component of a picture to be written. */
export interface CodedPart {
	/** Blocks in an MCU, across and down. */
	readonly h: number;
	readonly v: number;
	/** Quantised coefficients, in zigzag order, of the block at (bx, by); asked for beyond the picture, too. */
	blockAt(bx: number, by: number): ArrayLike<number>;
}

export interface CodedPicture {
	readonly width: number;
	readonly height: number;
	/** Weights in zigzag order: of the first component, and of the others. */
	readonly quant: readonly Uint8Array[];
	/** One, or three. */
	readonly parts: readonly CodedPart[];
	readonly restartInterval: number;
}

/** Write a baseline JPEG (JFIF) of blocks that are quantised already. */
export function writeJpeg({ width, height, quant, parts, restartInterval }: CodedPicture): Uint8Array {
	const table = (part: number): number => Math.min(part, 1);
	const tables = parts.length === 1 ? [0] : [0, 1];
	const head = [
		...[0xff, 0xd8],
		...segment(0xe0, [0x4a, 0x46, 0x49, 0x46, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0]),
		...tables.flatMap((id) => segment(0xdb, [id, ...quant[id]])),
		...segment(0xc0, [
			...[8, height >> 8, height & 0xff, width >> 8, width & 0xff, parts.length],
			...parts.flatMap(({ h, v }, i) => [i + 1, (h << 4) | v, table(i)]),
		]),
		...tables.flatMap((id) => [
			...segment(0xc4, [id, ...DC.counts, ...DC.symbols]),
			...segment(0xc4, [0x10 | id, ...AC.counts, ...AC.symbols]),
		]),
		...(restartInterval === 0 ? [] : segment(0xdd, [restartInterval >> 8, restartInterval & 0xff])),
		...segment(0xda, [
			parts.length,
			...parts.flatMap((_, i) => [i + 1, (table(i) << 4) | table(i)]),
			...[0, 63, 0],
		]),
	];

	const bits = new BitWriter();
	const across = Math.ceil(width / (8 * parts[0].h));
	const down = Math.ceil(height / (8 * parts[0].v));
	const lastDc = [0, 0, 0];
	for (let mcu = 0; mcu < across * down; mcu++) {
		if (restartInterval !== 0 && mcu !== 0 && mcu % restartInterval === 0) {
			bits.flush();
			bits.bytes.push(0xff, 0xd0 + ((mcu / restartInterval - 1) % 8));
			lastDc.fill(0);
		}
		const [mx, my] = [mcu % across, Math.floor(mcu / across)];
		parts.forEach((part, i) => {
			for (let by = 0; by < part.v; by++)
				for (let bx = 0; bx < part.h; bx++) {
					const zz = part.blockAt(mx * part.h + bx, my * part.v + by);
					putBlock(bits, zz, lastDc[i]);
					lastDc[i] = zz[0];
				}
		});
	}
	bits.flush();
	const out = new Uint8Array(head.length + bits.bytes.length + 2);
	out.set(head);
	out.set(bits.bytes, head.length);
	out.set([0xff, 0xd9], out.length - 2);
	return out;
}

/** Encode @image as a baseline JPEG (JFIF). */
export function encodeJpeg(image: RgbImage, options: EncodeOptions): Uint8Array {
	const { subsampling, quality = 85, restartInterval = 0, scale = [1, 1] } = options;
	const [h, v] = FACTORS[subsampling];
	const [y, cb, cr] = toYCbCr(image);
	const quant = [quantTable(quality, false), quantTable(quality, true)];
	const part = (plane: Plane, h: number, v: number, weights: Uint8Array): CodedPart => ({
		h: h * scale[0],
		v: v * scale[1],
		blockAt: (bx, by) => block(plane, bx, by, weights),
	});
	const luma = part(y, h, v, quant[0]);
	const parts =
		subsampling === '400'
			? [luma]
			: [luma, ...[cb, cr].map((plane) => part(shrink(plane, h, v), 1, 1, quant[1]))];
	return writeJpeg({ width: image.width, height: image.height, quant, parts, restartInterval });
}
