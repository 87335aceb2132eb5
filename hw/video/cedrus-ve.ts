// SPDX-License-Identifier: GPL-2.0-only
// The Allwinner video engine: its MPEG decoder, as far as it decodes JPEG.
//
// Where the facts are from, by their short names in the register table below:
//   regs     Linux 6.12, drivers/staging/media/sunxi/cedrus/cedrus_regs.h
//   list     "media: cedrus: Add JPEG decoder", linux-media, 31 July 2024 (Emmanuel Gil Peyrot): the JPEG registers
//   wiki     linux-sunxi.org, "CedarX/JPEG-MJPEG Decoding": order of programming, tables, chroma formats
//   jt       jpeg-test of Jens Kuske's "cedrus" (2013): the layout of the Huffman tables in SRAM
//
// A job: the driver writes the quantisation tables through one port and the Huffman tables through another,
// the picture's size in MCUs, the chroma format, where the entropy-coded data begins and ends, and where the
// picture is to go; then it triggers. The engine fetches the data by DMA, decodes, writes rows of NV12 by DMA,
// and raises its interrupt. The headers of the JPEG file never reach it, so the model makes a stream of its own
// from the registers and the fetched data and gives that to jpeg-js.
//
// Assumptions, where no source says: a DMA access that the IOMMU refuses is never answered, and so the engine
// stays busy, without an interrupt, until it is reset. Chroma is reduced to 4:2:0 by the mean of the samples.
// 6 ns a pixel are a guess of the right order.
//
// Not modelled: MPEG-2, MPEG-4, VP6 and H.26x; rotation and scaling; tiled output; 4:1:1; SRAM read-back.

import jpeg from 'jpeg-js';
import type { DmaPort } from '#hw/core/dma-port.js';
import type { DeviceModel, DmaTarget, IrqLine, ModelContext, Models } from '#hw/core/model.js';
import { fieldOf, hex, RegisterFile, type RegisterSpec } from '#hw/core/register-file.js';

/** Chroma formats of TRIGGER; MCU size in blocks of 8x8. */
const FORMATS: Readonly<Record<number, { name: string; h: number; v: number; components: 1 | 3 }>> = {
	0: { name: '420', h: 2, v: 2, components: 3 },
	2: { name: '422', h: 2, v: 1, components: 3 },
	3: { name: '444', h: 1, v: 1, components: 3 },
	4: { name: '422T', h: 1, v: 2, components: 3 },
	5: { name: '400', h: 1, v: 1, components: 1 },
};

const STATUS_SUCCESS = 1 << 0;
const STATUS_ERROR = 1 << 1;
const STATUS_VLD_DATA_REQ = 1 << 2;
const STATUS_W1C = 0xf;
const STATUS_BUSY = (1 << 13) | (1 << 11) | (1 << 10) | (1 << 8);
const CTRL_FORCE_420 = 1 << 18;
const MODE_DEC_MPEG = 0;
const OUT_FMT_NV12 = 4;
const SRAM_BYTES = 2048;

const TRIGGER_JPEG = 3;
const TRIGGER_HW_JPEG_VLD = 0xe;

const NS_PER_PIXEL = 6;
/** From the trigger to the first fetch. */
const START_NS = 2000;
/** The bitstream is fetched in bursts of this size. */
const FETCH = 1024;

export const veRegisters: readonly RegisterSpec[] = [
	{
		name: 'MODE',
		offset: 0x00,
		access: 'RW',
		reset: 7,
		mask: 0x0073_0007,
		fields: [
			{ name: 'ENGINE', bits: [2, 0], values: { 0: 'MPEG', 1: 'H264', 4: 'H265', 7: 'off' } },
			{ name: 'DDR_MODE', bits: [17, 16] },
			{ name: 'REC_WR_MODE', bits: [20, 20] },
			{ name: 'MORE_2048', bits: [21, 21] },
			{ name: 'IS_4096', bits: [22, 22] },
		],
		doc: 'Which decoder runs (regs, VE_MODE)',
	},
	{ name: 'PRIMARY_CHROMA_BUF_LEN', offset: 0xc4, access: 'RW', doc: 'Bytes of one chroma plane (regs)' },
	{
		name: 'PRIMARY_FB_LINE_STRIDE',
		offset: 0xc8,
		access: 'RW',
		fields: [
			{ name: 'CHROMA', bits: [31, 16] },
			{ name: 'LUMA', bits: [15, 0] },
		],
		doc: 'Bytes from row to row; CHROMA counts one of the two interleaved planes (regs; cedrus_dst_format_set)',
	},
	{
		name: 'CHROMA_BUF_LEN',
		offset: 0xe8,
		access: 'RW',
		doc: 'Format of the second output (regs, VE_CHROMA_BUF_LEN)',
	},
	{
		name: 'PRIMARY_OUT_FMT',
		offset: 0xec,
		access: 'RW',
		mask: 0x77,
		fields: [
			{
				name: 'FMT',
				bits: [6, 4],
				values: { 0: 'TILED_32_NV12', 1: 'TILED_128_NV12', 2: 'YU12', 3: 'YV12', 4: 'NV12', 5: 'NV21' },
			},
		],
		doc: 'Layout of the output picture (regs)',
	},
	{
		name: 'MPEG_PICCODEDSIZE',
		offset: 0x108,
		access: 'RW',
		doc: 'MPEG picture in macroblocks; JPEG ignores it (regs)',
	},
	{
		name: 'MPEG_PICBOUNDSIZE',
		offset: 0x10c,
		access: 'RW',
		doc: 'MPEG picture in pixels; JPEG ignores it (regs)',
	},
	{
		name: 'MPEG_CTRL',
		offset: 0x114,
		access: 'RW',
		fields: [
			{ name: 'FORCE_420', bits: [18, 18] },
			{ name: 'ROTATE_IRQ_EN', bits: [6, 6] },
			{ name: 'VLD_DATA_REQ_IRQ_EN', bits: [5, 5] },
			{ name: 'ERROR_IRQ_EN', bits: [4, 4] },
			{ name: 'FINISH_IRQ_EN', bits: [3, 3] },
		],
		doc: 'Interrupt enables (regs); JPEG_FORCE_420 (list)',
	},
	{
		name: 'MPEG_TRIGGER',
		offset: 0x118,
		access: 'RW',
		fields: [
			{
				name: 'CHROMA_FMT',
				bits: [29, 27],
				values: { 0: '420', 1: '411', 2: '422', 3: '444', 4: '422T', 5: '400' },
			},
			{ name: 'CODEC', bits: [26, 24], values: { 1: 'MPEG1', 2: 'MPEG2', 3: 'JPEG', 4: 'MPEG4', 5: 'VP62' } },
			{ name: 'START', bits: [3, 0], values: { 14: 'HW_JPEG_VLD', 15: 'HW_MPEG_VLD' } },
		],
		doc: 'Codec, chroma format and start (regs, VE_DEC_MPEG_TRIGGER; 4:0:0: list)',
	},
	{
		name: 'MPEG_STATUS',
		offset: 0x11c,
		access: 'W1C',
		mask: STATUS_W1C,
		fields: [
			{ name: 'VE_BUSY', bits: [13, 13] },
			{ name: 'VLD_BUSY', bits: [8, 8] },
			{ name: 'VLD_DATA_REQ', bits: [2, 2] },
			{ name: 'ERROR', bits: [1, 1] },
			{ name: 'SUCCESS', bits: [0, 0] },
		],
		doc: 'How the job ended, and what is busy (regs, VE_DEC_MPEG_STATUS)',
	},
	{
		name: 'MPEG_VLD_ADDR',
		offset: 0x128,
		access: 'RW',
		fields: [
			{ name: 'FIRST', bits: [30, 30] },
			{ name: 'LAST', bits: [29, 29] },
			{ name: 'VALID', bits: [28, 28] },
			{ name: 'ADDR_27_4', bits: [27, 4] },
			{ name: 'ADDR_31_28', bits: [3, 0] },
		],
		doc: 'DMA address of the bitstream buffer, 16-byte aligned, its top four bits at the bottom (regs)',
	},
	{
		name: 'MPEG_VLD_OFFSET',
		offset: 0x12c,
		access: 'RW',
		doc: 'Where the data begins, bits from VLD_ADDR (jt)',
	},
	{ name: 'MPEG_VLD_LEN', offset: 0x130, access: 'RW', doc: 'How many bits there are at most (jt)' },
	{
		name: 'MPEG_VLD_END',
		offset: 0x134,
		access: 'RW',
		doc: 'DMA address of the end of the buffer (regs, VLD_END_ADDR)',
	},
	{
		name: 'MPEG_IQMINPUT',
		offset: 0x180,
		access: 'WO',
		fields: [
			{ name: 'INTRA', bits: [14, 14] },
			{ name: 'INDEX', bits: [13, 8] },
			{ name: 'WEIGHT', bits: [7, 0] },
		],
		doc: 'One quantisation weight: INTRA is luma, INDEX in zigzag order (regs; wiki)',
	},
	{
		name: 'MPEG_JPEG_SIZE',
		offset: 0x1b8,
		access: 'RW',
		mask: 0x07ff_07ff,
		fields: [
			{ name: 'HEIGHT', bits: [26, 16] },
			{ name: 'WIDTH', bits: [10, 0] },
		],
		doc: 'Picture in MCUs, less one (wiki; list)',
	},
	{
		name: 'MPEG_JPEG_MCU',
		offset: 0x1bc,
		access: 'RO',
		doc: 'MCUs decoded so far (list names it; the meaning is assumed)',
	},
	{
		name: 'MPEG_JPEG_RES_INT',
		offset: 0x1c0,
		access: 'RW',
		mask: 0xffff,
		doc: 'MCUs from restart marker to restart marker; 0: none (wiki)',
	},
	{ name: 'MPEG_ERROR', offset: 0x1c4, access: 'RW', doc: 'What was wrong (regs); the model leaves it zero' },
	{ name: 'MPEG_CRTMBADDR', offset: 0x1c8, access: 'RW', doc: 'MPEG: the last correct macroblock (regs)' },
	{
		name: 'MPEG_ROT_LUMA',
		offset: 0x1cc,
		access: 'RW',
		doc: 'DMA address of the luma output: JPEG leaves by the rotate/scale path (wiki; list)',
	},
	{
		name: 'MPEG_ROT_CHROMA',
		offset: 0x1d0,
		access: 'RW',
		doc: 'DMA address of the chroma output (wiki; list)',
	},
	{
		name: 'MPEG_SD_ROT_DBLK_CTL',
		offset: 0x1d4,
		access: 'RW',
		doc: 'Rotation and scaling; 0 for JPEG (wiki; list)',
	},
	{
		name: 'MPEG_SRAM_RW_OFFSET',
		offset: 0x1e0,
		access: 'RW',
		mask: SRAM_BYTES - 4,
		doc: 'Where the next SRAM word goes, in bytes (jt; list)',
	},
	{
		name: 'MPEG_SRAM_RW_DATA',
		offset: 0x1e4,
		access: 'WO',
		doc: 'A word for the SRAM; the offset moves on (jt; list)',
	},
];

/** A decoded picture: luma of width x height, and chroma planes of one sample a luma sample (null: grey). */
export interface YCbCr {
	readonly width: number;
	readonly height: number;
	readonly y: Uint8Array;
	readonly cb: Uint8Array | null;
	readonly cr: Uint8Array | null;
}

/** Interleaved Cb and Cr rows at half width, and at half height when @half: the mean of the samples they stand for. */
export function interleaveChroma(picture: YCbCr, half: boolean): Uint8Array {
	const { width, height, cb, cr } = picture;
	const rows = half ? (height + 1) >> 1 : height;
	const out = new Uint8Array(rows * width).fill(128);
	if (cb === null || cr === null) return out;
	for (let row = 0; row < rows; row++) {
		const top = (half ? row * 2 : row) * width;
		const bottom = half && row * 2 + 1 < height ? top + width : top;
		for (let x = 0; x < width; x += 2) {
			const right = x + 1 < width ? x + 1 : x;
			out[row * width + x] = (cb[top + x] + cb[top + right] + cb[bottom + x] + cb[bottom + right] + 2) >> 2;
			out[row * width + x + 1] =
				(cr[top + x] + cr[top + right] + cr[bottom + x] + cr[bottom + right] + 2) >> 2;
		}
	}
	return out;
}

/** Decode a baseline JPEG stream to its components, without a detour over RGB. Throws on a bad stream. */
export function decodeYCbCr(stream: Uint8Array): YCbCr {
	const image = jpeg.decode(stream, {
		useTArray: true,
		formatAsRGBA: false,
		colorTransform: false,
		maxMemoryUsageInMB: 4096,
	});
	const { width, height, data } = image;
	// Of a grey picture jpeg-js answers three times luma.
	const grey = componentsOf(stream) === 1;
	const pixels = width * height;
	const y = new Uint8Array(pixels);
	const cb = grey ? null : new Uint8Array(pixels);
	const cr = grey ? null : new Uint8Array(pixels);
	for (let i = 0; i < pixels; i++) {
		y[i] = data[i * 3];
		if (cb !== null) cb[i] = data[i * 3 + 1];
		if (cr !== null) cr[i] = data[i * 3 + 2];
	}
	return { width, height, y, cb, cr };
}

/** What was decoded last, by whichever engine: the same picture comes again and again. */
let last: { readonly stream: Uint8Array; readonly picture: YCbCr } | null = null;

function isLast(stream: Uint8Array): boolean {
	return last?.stream.length === stream.length && last.stream.every((byte, i) => byte === stream[i]);
}

function decoded(stream: Uint8Array): YCbCr {
	if (last === null || !isLast(stream)) last = { stream, picture: decodeYCbCr(stream) };
	return last.picture;
}

/** How many components the frame header names; 0 without one. */
function componentsOf(stream: Uint8Array): number {
	for (let at = 2; at + 9 < stream.length; at += 2 + stream[at + 2] * 256 + stream[at + 3])
		if (stream[at + 1] >= 0xc0 && stream[at + 1] <= 0xc2) return stream[at + 9];
	return 0;
}

function segment(marker: number, body: readonly number[]): number[] {
	return [0xff, marker, (body.length + 2) >> 8, (body.length + 2) & 0xff, ...body];
}

interface Job {
	readonly format: (typeof FORMATS)[number];
	readonly mcusAcross: number;
	readonly mcusDown: number;
	picture: YCbCr | null;
	chroma: Uint8Array;
	/** Chroma rows that go with one row of MCUs. */
	chromaRows: number;
}

/** The video engine: its MPEG unit decodes one JPEG a job. */
export class CedrusVe implements DeviceModel {
	readonly name: string;
	readonly registers = new RegisterFile(veRegisters);
	readonly addressLines = 32;
	onTold: ((write: boolean | null) => void) | null = null;
	/** Jobs that ended well, that ended in an error, and that never end. */
	readonly stats = { done: 0, failed: 0, hung: 0 };

	readonly #ctx: ModelContext;
	readonly #irq: IrqLine;
	readonly #dma: DmaPort;
	readonly #sram = new Uint8Array(SRAM_BYTES);
	/** Weights in zigzag order: [0] chroma, [1] luma. */
	readonly #weights = [new Uint8Array(64), new Uint8Array(64)];
	#cancel: (() => void) | null = null;
	/** The last that was begun. */
	#job: Job | null = null;

	constructor(ctx: ModelContext) {
		this.name = ctx.name;
		this.#ctx = ctx;
		this.#irq = ctx.irq();
		this.#dma = ctx.dma();
		this.registers.onWrite = (name, _index, value) => this.#written(name, value);
		this.registers.onHole = (offset, write, value) =>
			ctx.machine.note(
				this.name,
				`Unimplemented ${write ? `write of ${hex(value)} to` : 'read of'} ${hex(offset, 3)}`,
			);
	}

	read(offset: number, width: number): number {
		return this.registers.read(offset, width);
	}

	write(offset: number, width: number, value: number): void {
		this.registers.write(offset, value, width);
	}

	reset(): void {
		this.#cancel?.();
		this.#cancel = null;
		this.registers.reset();
		this.#sram.fill(0);
		for (const table of this.#weights) table.fill(0);
		this.#irq.lower();
	}

	/** While a job runs: the buffer of its data, and both planes of its picture. */
	targets(): DmaTarget[] {
		const job = this.#job;
		if (job === null || !this.busy || !this.#ctx.powered()) return [];
		const { registers } = this;
		const { h, v } = job.format;
		const [width, rows] = [job.mcusAcross * h * 8, job.mcusDown * v * 8];
		const stride = registers.get('PRIMARY_FB_LINE_STRIDE');
		const plane = (by: string, pitch: number, count: number): DmaTarget => ({
			port: this.#dma,
			addr: registers.get(by),
			size: (count - 1) * pitch + (pitch === 0 ? width : Math.min(width, pitch)),
			write: true,
			by: `${by}, ${count} rows, each ${pitch} bytes behind the last`,
		});
		const base = this.#base();
		return [
			{
				port: this.#dma,
				addr: base,
				size: registers.get('MPEG_VLD_END') - base,
				write: false,
				by: 'MPEG_VLD_ADDR and MPEG_VLD_END',
			},
			plane('MPEG_ROT_LUMA', fieldOf(stride, [15, 0]), rows),
			plane(
				'MPEG_ROT_CHROMA',
				fieldOf(stride, [31, 16]) * 2,
				this.#halves(job.format) ? job.mcusDown * v * 4 : rows,
			),
		];
	}

	get busy(): boolean {
		return (this.registers.get('MPEG_STATUS') & STATUS_BUSY) !== 0;
	}

	#written(name: string, value: number): void {
		switch (name) {
			case 'MPEG_IQMINPUT':
				this.#weights[fieldOf(value, [14, 14])][fieldOf(value, [13, 8])] = value & 0xff;
				break;
			case 'MPEG_SRAM_RW_DATA': {
				const at = this.registers.get('MPEG_SRAM_RW_OFFSET');
				new DataView(this.#sram.buffer).setUint32(at, value, true);
				this.registers.set('MPEG_SRAM_RW_OFFSET', (at + 4) % SRAM_BYTES);
				break;
			}
			case 'MPEG_CTRL':
			case 'MPEG_STATUS':
				this.#updateIrq();
				break;
			case 'MPEG_TRIGGER':
				if (fieldOf(value, [3, 0]) !== 0) this.#trigger(value);
				break;
		}
	}

	/** Level: a reason that stands in STATUS and is enabled in CTRL (bit n of the one, n + 3 of the other). */
	#updateIrq(): void {
		const reasons = this.registers.get('MPEG_STATUS') & (STATUS_SUCCESS | STATUS_ERROR | STATUS_VLD_DATA_REQ);
		this.#irq.set((reasons & (this.registers.get('MPEG_CTRL') >>> 3)) !== 0);
	}

	#trigger(value: number): void {
		const { registers } = this;
		const note = (text: string): void => this.#ctx.machine.note(this.name, text);
		if (fieldOf(registers.get('MODE'), [2, 0]) !== MODE_DEC_MPEG) {
			note('trigger of the MPEG engine while MODE selects another: ignored');
			return;
		}
		if (this.busy) {
			note('trigger while busy: ignored');
			this.onTold?.(null);
			return;
		}
		if (fieldOf(value, [26, 24]) !== TRIGGER_JPEG || fieldOf(value, [3, 0]) !== TRIGGER_HW_JPEG_VLD) {
			note(`Unimplemented trigger ${hex(value)}: only JPEG is modelled`);
			return;
		}
		const format = FORMATS[fieldOf(value, [29, 27])];
		if (format === undefined) {
			note(`Unimplemented chroma format ${fieldOf(value, [29, 27])}`);
			this.#finish(STATUS_ERROR);
			return;
		}
		if (fieldOf(registers.get('PRIMARY_OUT_FMT'), [6, 4]) !== OUT_FMT_NV12) {
			note(`Unimplemented output format ${hex(registers.get('PRIMARY_OUT_FMT'))}: only NV12 is modelled`);
			this.#finish(STATUS_ERROR);
			return;
		}
		const size = registers.get('MPEG_JPEG_SIZE');
		const job: Job = {
			format,
			mcusAcross: fieldOf(size, [10, 0]) + 1,
			mcusDown: fieldOf(size, [26, 16]) + 1,
			picture: null,
			chroma: new Uint8Array(0),
			chromaRows: 0,
		};
		registers.set('MPEG_JPEG_MCU', 0);
		registers.set('MPEG_STATUS', (registers.get('MPEG_STATUS') | STATUS_BUSY) >>> 0);
		this.#job = job;
		this.onTold?.(null);
		this.#after(START_NS, () => this.#decode(job));
	}

	#after(ns: number, fn: () => void): void {
		this.#cancel = this.#ctx.after(ns, fn);
	}

	#finish(status: number): void {
		const { registers } = this;
		this.#cancel = null;
		if (status === STATUS_SUCCESS) this.stats.done++;
		else this.stats.failed++;
		registers.set('MPEG_STATUS', ((registers.get('MPEG_STATUS') & ~STATUS_BUSY) | status) >>> 0);
		this.#updateIrq();
	}

	/** The bus does not answer: busy for ever. */
	#hang(): void {
		this.#cancel = null;
		this.stats.hung++;
	}

	#decode(job: Job): void {
		const data = this.#fetch();
		if (data === null) {
			this.#hang();
			return;
		}
		try {
			job.picture = decoded(this.#stream(job, scanOf(data)));
		} catch (error) {
			// jpeg-js met the EOI that #stream() put behind the data: there was too little.
			const starved = error instanceof Error && /marker/.test(error.message);
			this.#finish(starved ? STATUS_VLD_DATA_REQ : STATUS_ERROR);
			return;
		}
		const half = this.#halves(job.format);
		job.chroma = interleaveChroma(job.picture, half);
		job.chromaRows = half ? job.format.v * 4 : job.format.v * 8;
		this.#row(job, 0);
	}

	/** Whether two rows of luma have one of chroma. */
	#halves({ name }: Job['format']): boolean {
		const forced = (this.registers.get('MPEG_CTRL') & CTRL_FORCE_420) !== 0;
		return forced || name === '420' || name === '422T' || name === '400';
	}

	/** Where the buffer of the data begins. */
	#base(): number {
		const packed = this.registers.get('MPEG_VLD_ADDR');
		return (packed & 0x0fff_fff0) + fieldOf(packed, [3, 0]) * 0x1000_0000;
	}

	/** The entropy-coded data by DMA, in bursts; null when one was refused. */
	#fetch(): Uint8Array | null {
		const { registers } = this;
		const base = this.#base();
		const offset = registers.get('MPEG_VLD_OFFSET') >>> 3;
		const length = Math.min(
			registers.get('MPEG_VLD_LEN') >>> 3,
			registers.get('MPEG_VLD_END') - base - offset,
		);
		const data = new Uint8Array(Math.max(length, 0));
		for (let at = 0; at < data.length; at += FETCH)
			if (!this.#dma.read(base + offset + at, data.subarray(at, at + FETCH))) return null;
		return data;
	}

	/** A baseline JPEG stream of what the registers say and the DMA brought. */
	#stream(job: Job, scan: Uint8Array): Uint8Array {
		const { format } = job;
		const width = job.mcusAcross * format.h * 8;
		const height = job.mcusDown * format.v * 8;
		const interval = this.registers.get('MPEG_JPEG_RES_INT');
		const components =
			format.components === 1 ? [1, 0x11, 0] : [1, (format.h << 4) | format.v, 0, 2, 0x11, 1, 3, 0x11, 1];
		const head = [
			0xff,
			0xd8,
			...segment(0xdb, [0, ...this.#weights[1]]),
			...segment(0xdb, [1, ...this.#weights[0]]),
			...segment(0xc0, [
				8,
				height >> 8,
				height & 0xff,
				width >> 8,
				width & 0xff,
				format.components,
				...components,
			]),
			...this.#huffman(0, 0x00),
			...this.#huffman(1, 0x10),
			...(format.components === 1 ? [] : [...this.#huffman(2, 0x01), ...this.#huffman(3, 0x11)]),
			...(interval === 0 ? [] : segment(0xdd, [interval >> 8, interval & 0xff])),
			...segment(0xda, [
				format.components,
				...(format.components === 1 ? [1, 0x00] : [1, 0x00, 2, 0x11, 3, 0x11]),
				0,
				63,
				0,
			]),
		];
		const stream = new Uint8Array(head.length + scan.length + 2);
		stream.set(head);
		stream.set(scan, head.length);
		stream.set([0xff, 0xd9], head.length + scan.length);
		return stream;
	}

	/**
	 * The DHT segment of SRAM table @index (DC luma, AC luma, DC chroma, AC chroma), as table @id. In the SRAM:
	 * at 64 * index, for each code length the first code (16 bits, 0xffff above the longest) and then the number
	 * of shorter codes (8 bits); at 1024 + 256 * index the symbols in order of their codes.
	 */
	#huffman(index: number, id: number): number[] {
		const view = new DataView(this.#sram.buffer);
		const before = (length: number): number => this.#sram[64 * index + 32 + length];
		const counts: number[] = [];
		for (let length = 0; length < 15; length++) counts.push((before(length + 1) - before(length)) & 0xff);
		// How many codes have 16 bits stands nowhere: as many as fit.
		const first = view.getUint16(64 * index + 30, true);
		counts.push(first === 0xffff ? 0 : Math.min(256 - before(15), 0xffff - first));
		const total = counts.reduce((sum, count) => sum + count, 0);
		const symbols = this.#sram.subarray(1024 + 256 * index, 1024 + 256 * index + Math.min(total, 256));
		return segment(0xc4, [id, ...counts, ...symbols]);
	}

	/** Write the rows of MCU row @mcuRow, then the next one after its time. */
	#row(job: Job, mcuRow: number): void {
		const { registers } = this;
		const picture = job.picture!;
		if (mcuRow === job.mcusDown) {
			this.#finish(STATUS_SUCCESS);
			return;
		}
		const stride = registers.get('PRIMARY_FB_LINE_STRIDE');
		const rows = job.format.v * 8;
		const luma = { at: registers.get('MPEG_ROT_LUMA'), stride: fieldOf(stride, [15, 0]) };
		const chroma = { at: registers.get('MPEG_ROT_CHROMA'), stride: fieldOf(stride, [31, 16]) * 2 };
		if (
			!this.#write(luma, picture.y, picture.width, mcuRow * rows, rows) ||
			!this.#write(chroma, job.chroma, picture.width, mcuRow * job.chromaRows, job.chromaRows)
		) {
			this.#hang();
			return;
		}
		registers.set('MPEG_JPEG_MCU', (mcuRow + 1) * job.mcusAcross);
		this.#after(picture.width * rows * NS_PER_PIXEL, () => this.#row(job, mcuRow + 1));
	}

	#write(
		to: { at: number; stride: number },
		plane: Uint8Array,
		width: number,
		first: number,
		count: number,
	): boolean {
		const used = to.stride === 0 ? width : Math.min(width, to.stride);
		for (let row = first; row < first + count; row++)
			if (!this.#dma.write(to.at + row * to.stride, plane.subarray(row * width, row * width + used)))
				return false;
		return true;
	}
}

/**
 * The entropy-coded data, up to the first marker that is not a restart marker. Of the 0xff bytes that may stand before
 * any marker one is left (T.81 B.1.1.2): jpeg-js does not know them.
 */
function scanOf(data: Uint8Array): Uint8Array {
	const out = new Uint8Array(data.length);
	let size = 0;
	for (let at = 0; at < data.length; at++) {
		if (data[at] === 0xff) {
			while (data[at + 1] === 0xff) at++;
			const next = data[at + 1];
			if (next !== 0 && (next < 0xd0 || next > 0xd7)) break;
		}
		out[size++] = data[at];
	}
	return out.subarray(0, size);
}

/** For the table of models. */

export const cedrusModels: Models = { 'allwinner,sun50i-h6-video-engine': (ctx) => new CedrusVe(ctx) };
