// SPDX-License-Identifier: GPL-2.0-only

import { expect } from 'chai';
import jpeg from 'jpeg-js';
import { Clock } from '#hw/core/clock.js';
import { DmaPort, type Translator, WRITE } from '#hw/core/dma-port.js';
import type { ModelContext } from '#hw/core/model.js';
import type { Ram } from '#hw/core/ram.js';
import { CedrusVe, veRegisters } from '#hw/video/cedrus-ve.js';
import { type EncodeOptions, encodeJpeg, FACTORS, type RgbImage } from '#tools/jpeg-encode.js';

// Register offsets: cedrus_regs.h and, for JPEG, the patch that the model's head names.
const MODE = 0x00;
const FB_LINE_STRIDE = 0xc8;
const OUT_FMT = 0xec;
const CTRL = 0x114;
const TRIGGER = 0x118;
const STATUS = 0x11c;
const VLD_ADDR = 0x128;
const VLD_OFFSET = 0x12c;
const VLD_LEN = 0x130;
const VLD_END = 0x134;
const IQMINPUT = 0x180;
const JPEG_SIZE = 0x1b8;
const RES_INT = 0x1c0;
const ROT_LUMA = 0x1cc;
const ROT_CHROMA = 0x1d0;
const SRAM_OFFSET = 0x1e0;
const SRAM_DATA = 0x1e4;

const SUCCESS = 1;
const ERROR = 2;
const DATA_REQ = 4;
const IRQ_EN = 0x38;
const FORCE_420 = 1 << 18;

const SRC = 0x4020_0000;
const DST = 0x4400_0000;
const MEM_BASE = 0x4000_0000;

/** A flat memory with the device's half of Ram. */
class FlatMemory {
	readonly bytes = new Uint8Array(0x0800_0000 / 4);
	#at(phys: number, size: number): number {
		const at = phys >= DST ? phys - DST + 0x0100_0000 : phys - MEM_BASE - 0x0020_0000;
		return at >= 0 && at + size <= this.bytes.length ? at : -1;
	}
	deviceRead(phys: number, out: Uint8Array): boolean {
		const at = this.#at(phys, out.length);
		if (at < 0) return false;
		out.set(this.bytes.subarray(at, at + out.length));
		return true;
	}
	deviceWrite(phys: number, src: Uint8Array): boolean {
		const at = this.#at(phys, src.length);
		if (at < 0) return false;
		this.bytes.set(src, at);
		return true;
	}
	view(phys: number, size: number): Uint8Array {
		const at = this.#at(phys, size);
		return this.bytes.subarray(at, at + size);
	}
}

interface Bench {
	readonly ve: CedrusVe;
	readonly memory: FlatMemory;
	readonly clock: Clock;
	readonly notes: string[];
	readonly irq: { level: boolean };
	w(offset: number, value: number): void;
	r(offset: number): number;
}

function bench(translator: Translator | null = null): Bench {
	const memory = new FlatMemory();
	const clock = new Clock();
	const notes: string[] = [];
	const irq = {
		intid: 121,
		level: false,
		raise: () => irq.set(true),
		lower: () => irq.set(false),
		set: (level: boolean) => {
			irq.level = level;
		},
	};
	const port = new DmaPort(memory as unknown as Ram, 've', 3, translator, false);
	const ctx = {
		machine: { note: (_who: string, text: string) => notes.push(text) },
		name: '1c0e000.video-codec',
		irq: () => irq,
		dma: () => port,
		after: (ns: number, fn: () => void) => clock.after(ns, fn),
	} as unknown as ModelContext;
	const ve = new CedrusVe(ctx);
	return {
		ve,
		memory,
		clock,
		notes,
		irq,
		w: (offset, value) => ve.write(offset, 4, value),
		r: (offset) => ve.read(offset, 4),
	};
}

/** The tables and sizes of a stream that encodeJpeg() made; a parser of the test's own. */
function headers(stream: Uint8Array): {
	quant: Uint8Array[];
	huffman: Map<number, Uint8Array>;
	width: number;
	height: number;
	interval: number;
	scan: number;
} {
	const out = {
		quant: [] as Uint8Array[],
		huffman: new Map<number, Uint8Array>(),
		width: 0,
		height: 0,
		interval: 0,
		scan: 0,
	};
	for (let at = 2; ; ) {
		const marker = stream[at + 1];
		const end = at + 2 + stream[at + 2] * 256 + stream[at + 3];
		const body = stream.subarray(at + 4, end);
		if (marker === 0xdb) out.quant[body[0]] = body.subarray(1);
		if (marker === 0xc4) out.huffman.set(body[0], body.subarray(1));
		if (marker === 0xdd) out.interval = body[0] * 256 + body[1];
		if (marker === 0xc0) {
			out.height = body[1] * 256 + body[2];
			out.width = body[3] * 256 + body[4];
		}
		at = end;
		if (marker === 0xda) {
			out.scan = end;
			return out;
		}
	}
}

const CHROMA_FMT = { '420': 0, '422': 2, '444': 3, '422T': 4, '400': 5 } as const;

/** Do what a driver does, up to the trigger. */
function program(b: Bench, stream: Uint8Array, { subsampling }: EncodeOptions, stride: number): number {
	const hdr = headers(stream);
	b.memory.view(SRC, stream.length).set(stream);
	b.w(MODE, 0x0013_0000);
	b.w(OUT_FMT, 4 << 4);
	b.w(FB_LINE_STRIDE, ((stride / 2) << 16) | stride);
	const trigger = ((3 << 24) | (CHROMA_FMT[subsampling] << 27)) >>> 0;
	b.w(TRIGGER, trigger);
	b.w(RES_INT, hdr.interval);
	const [h, v] = FACTORS[subsampling];
	b.w(JPEG_SIZE, ((Math.ceil(hdr.height / (8 * v)) - 1) << 16) | (Math.ceil(hdr.width / (8 * h)) - 1));
	for (let i = 0; i < 64; i++) {
		b.w(IQMINPUT, (1 << 14) | (i << 8) | hdr.quant[0][i]);
		b.w(IQMINPUT, (i << 8) | (hdr.quant[1] ?? hdr.quant[0])[i]);
	}
	const sram = new Uint8Array(2048);
	const view = new DataView(sram.buffer);
	[0x00, 0x10, 0x01, 0x11].forEach((id, index) => {
		const table = hdr.huffman.get(id) ?? hdr.huffman.get(id & 0x10)!;
		const longest = table.subarray(0, 16).findLastIndex((count) => count !== 0);
		for (let i = 0, code = 0, count = 0; i < 16; i++) {
			view.setUint16(64 * index + 2 * i, i > longest ? 0xffff : code, true);
			sram[64 * index + 32 + i] = count;
			count += table[i];
			code = (code + table[i]) * 2;
		}
		sram.set(table.subarray(16), 1024 + 256 * index);
	});
	b.w(SRAM_OFFSET, 0);
	for (let i = 0; i < 2048; i += 4) b.w(SRAM_DATA, view.getUint32(i, true));
	b.w(ROT_LUMA, DST);
	b.w(ROT_CHROMA, DST + 0x10_0000);
	b.w(VLD_OFFSET, hdr.scan * 8);
	b.w(VLD_LEN, stream.length * 8);
	b.w(VLD_ADDR, ((SRC & 0x0fff_fff0) | (SRC >>> 28) | 0x7000_0000) >>> 0);
	b.w(VLD_END, SRC + stream.length);
	b.w(CTRL, IRQ_EN | FORCE_420);
	return (trigger | 0xe) >>> 0;
}

function picture(width: number, height: number): RgbImage {
	const data = new Uint8Array(width * height * 3);
	for (let y = 0; y < height; y++)
		for (let x = 0; x < width; x++) {
			const at = (y * width + x) * 3;
			data[at] = (x * 255) / width;
			data[at + 1] = (y * 255) / height;
			data[at + 2] = (Math.hypot(x - width / 2, y - height / 2) * 9) & 0xff;
		}
	return { width, height, data };
}

/** Y, and the mean of Cb and Cr over 2 x 2 pixels, of what jpeg-js makes of the whole file. */
function reference(stream: Uint8Array): {
	width: number;
	height: number;
	y: Uint8Array;
	c: (x: number, y: number) => number[];
} {
	const { width, height, data } = jpeg.decode(stream, {
		useTArray: true,
		formatAsRGBA: false,
		colorTransform: false,
	});
	const y = new Uint8Array(width * height);
	for (let i = 0; i < y.length; i++) y[i] = data[i * 3];
	return {
		width,
		height,
		y,
		c: (x, row) =>
			[1, 2].map((plane) => {
				let sum = 2;
				for (const [i, j] of [
					[0, 0],
					[1, 0],
					[0, 1],
					[1, 1],
				])
					sum += data[((row + j) * width + x + i) * 3 + plane];
				return sum >> 2;
			}),
	};
}

describe('cedrus_ve', () => {
	it('starts with every engine off and nothing busy', () => {
		const b = bench();
		expect(b.r(MODE)).to.equal(7);
		expect(b.r(STATUS)).to.equal(0);
		expect(b.ve.busy).to.equal(false);
	});

	it('has each register once, with a source', () => {
		for (const spec of veRegisters) expect(spec.doc, spec.name).to.not.equal('');
		expect(new Set(veRegisters.map((spec) => spec.offset)).size).to.equal(veRegisters.length);
	});

	it('reads write-only ports as zero, and says so once when a register is not modelled', () => {
		const b = bench();
		b.w(IQMINPUT, 0x4123);
		expect(b.r(IQMINPUT)).to.equal(0);
		b.w(0x204, 1);
		expect(b.notes).to.deep.equal(['Unimplemented write of 0x1 to 0x204']);
	});

	it('ignores a trigger while MODE selects another engine', () => {
		const b = bench();
		b.w(TRIGGER, 0x0300_000e);
		b.clock.advance(1e9);
		expect(b.r(STATUS)).to.equal(0);
		expect(b.notes[0]).to.match(/while MODE selects another/);
	});

	it('decodes a stream again as before, whatever was decoded meanwhile: one that differs in a weight alone', () => {
		const b = bench();
		const stream = encodeJpeg(picture(16, 16), { subsampling: '420' });
		const lumaOf = (firstWeight: number | null): Uint8Array => {
			const trigger = program(b, stream, { subsampling: '420' }, 16);
			if (firstWeight !== null) b.w(IQMINPUT, 0x4000 | firstWeight);
			b.w(TRIGGER, trigger);
			b.clock.advance(1e9);
			b.w(STATUS, SUCCESS);
			return b.memory.view(DST, 256).slice();
		};
		const first = lumaOf(null);
		expect(lumaOf(1)).not.to.deep.equal(first);
		expect(lumaOf(null)).to.deep.equal(first);
		expect(lumaOf(null)).to.deep.equal(first);
	});

	const cases: { options: EncodeOptions; width: number; height: number }[] = [
		{ options: { subsampling: '420' }, width: 64, height: 48 },
		{ options: { subsampling: '420' }, width: 77, height: 35 },
		{ options: { subsampling: '420', restartInterval: 3 }, width: 80, height: 50 },
		{ options: { subsampling: '422' }, width: 64, height: 48 },
		{ options: { subsampling: '422' }, width: 51, height: 17 },
		{ options: { subsampling: '422T' }, width: 40, height: 40 },
		{ options: { subsampling: '444' }, width: 64, height: 48 },
		{ options: { subsampling: '444', restartInterval: 1 }, width: 33, height: 31 },
		{ options: { subsampling: '400' }, width: 64, height: 48 },
		{ options: { subsampling: '400', restartInterval: 4 }, width: 19, height: 27 },
		{ options: { subsampling: '400', restartInterval: 5 }, width: 19, height: 27 },
	];
	for (const { options, width, height } of cases)
		it(`decodes ${options.subsampling} of ${width}x${height}${options.restartInterval ? ' with restart markers' : ''} as jpeg-js does, pixel by pixel`, () => {
			const b = bench();
			const stream = encodeJpeg(picture(width, height), options);
			const stride = Math.ceil(width / 16) * 16;
			b.w(TRIGGER, program(b, stream, options, stride));
			expect(b.ve.busy).to.equal(true);
			b.clock.advance(1e9);
			expect(b.r(STATUS) & 7).to.equal(SUCCESS);
			expect(b.irq.level).to.equal(true);

			const ref = reference(stream);
			const luma = b.memory.view(DST, stride * (height + 16));
			for (let y = 0; y < height; y++)
				expect(luma.slice(y * stride, y * stride + width), `row ${y}`).to.deep.equal(
					ref.y.slice(y * width, (y + 1) * width),
				);
			// The last odd row and column mix with what lies beyond the picture: not compared.
			const chroma = b.memory.view(DST + 0x10_0000, stride * (height + 16));
			for (let y = 0; y + 1 < height; y += 2)
				for (let x = 0; x + 1 < width; x += 2) {
					const at = (y / 2) * stride + x;
					const want = options.subsampling === '400' ? [128, 128] : ref.c(x, y);
					expect([chroma[at], chroma[at + 1]], `chroma ${x},${y}`).to.deep.equal(want);
				}
		});

	it('skips the fill bytes before a restart marker and before EOI', () => {
		const options: EncodeOptions = { subsampling: '420', restartInterval: 2 };
		const stream = encodeJpeg(picture(48, 48), options);
		const filled: number[] = [];
		for (let i = 0; i < stream.length; i++) {
			const marker = stream[i] === 0xff && stream[i + 1] >= 0xd0 && stream[i + 1] <= 0xd9 && i > 0;
			if (marker) filled.push(0xff, 0xff);
			filled.push(stream[i]);
		}
		expect(filled.length).to.equal(stream.length + 2 * 5);
		const luma = [stream, Uint8Array.from(filled)].map((data) => {
			const b = bench();
			b.w(TRIGGER, program(b, data, options, 48));
			b.clock.advance(1e9);
			expect(b.r(STATUS) & 7).to.equal(SUCCESS);
			return b.memory.view(DST, 48 * 48).slice();
		});
		expect(luma[1]).to.deep.equal(luma[0]);
	});

	it('lowers its interrupt when the driver clears STATUS, and raises none that is not enabled', () => {
		const b = bench();
		const options: EncodeOptions = { subsampling: '420' };
		const stream = encodeJpeg(picture(32, 32), options);
		const go = program(b, stream, options, 32);
		b.w(TRIGGER, go);
		b.clock.advance(1e9);
		expect(b.irq.level).to.equal(true);
		b.w(STATUS, 7);
		expect(b.irq.level).to.equal(false);
		expect(b.r(STATUS)).to.equal(0);
		b.w(CTRL, FORCE_420);
		b.w(TRIGGER, go);
		b.clock.advance(1e9);
		expect(b.r(STATUS) & 7).to.equal(SUCCESS);
		expect(b.irq.level).to.equal(false);
	});

	it('takes time: busy until the last row is written', () => {
		const b = bench();
		const options: EncodeOptions = { subsampling: '420' };
		b.w(TRIGGER, program(b, encodeJpeg(picture(64, 64), options), options, 64));
		b.clock.advance(1000);
		expect(b.ve.busy).to.equal(true);
		expect(b.irq.level).to.equal(false);
		b.clock.advance(1e6);
		expect(b.ve.busy).to.equal(false);
	});

	it('asks for data when the stream is too short', () => {
		const b = bench();
		const options: EncodeOptions = { subsampling: '420' };
		const stream = encodeJpeg(picture(64, 64), options);
		const go = program(b, stream, options, 64);
		b.w(VLD_END, SRC + stream.length - 200);
		b.w(TRIGGER, go);
		b.clock.advance(1e9);
		expect(b.r(STATUS) & 7).to.equal(DATA_REQ);
		expect(b.irq.level).to.equal(true);
	});

	it('reports an error for a layout that it does not write', () => {
		const b = bench();
		const options: EncodeOptions = { subsampling: '420' };
		const go = program(b, encodeJpeg(picture(16, 16), options), options, 16);
		b.w(OUT_FMT, 0);
		b.w(TRIGGER, go);
		b.clock.advance(1e9);
		expect(b.r(STATUS) & 7).to.equal(ERROR);
	});

	it('stays busy for ever, and silent, when the read is refused; reset brings it back', () => {
		const b = bench({ reach: 0, translate: () => -1 });
		const options: EncodeOptions = { subsampling: '420' };
		b.w(TRIGGER, program(b, encodeJpeg(picture(16, 16), options), options, 16));
		b.clock.advance(1e10);
		expect(b.ve.busy).to.equal(true);
		expect(b.irq.level).to.equal(false);
		expect(b.ve.stats.hung).to.equal(1);
		b.ve.reset();
		expect(b.ve.busy).to.equal(false);
		expect(b.r(MODE)).to.equal(7);
	});

	it('writes no byte when the write is refused', () => {
		const b = bench({ reach: 4096, translate: (_stream, addr, access) => (access === WRITE ? -1 : addr) });
		const options: EncodeOptions = { subsampling: '420' };
		b.w(TRIGGER, program(b, encodeJpeg(picture(64, 48), options), options, 64));
		b.clock.advance(1e10);
		expect(b.ve.busy).to.equal(true);
		expect(b.irq.level).to.equal(false);
		expect(b.memory.view(DST, 64 * 48).every((byte) => byte === 0)).to.equal(true);
	});
});
