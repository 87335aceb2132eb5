// SPDX-License-Identifier: GPL-2.0-only
// Looks at a JPEG before the video engine does, and says what is wrong with it.
//
// The driver checks the same (cedrus_jpeg.ts) and answers -EINVAL; this is for people. Entropy-coded data is
// read block by block, so that a file which was cut and closed again with an EOI is noticed too.
//
// The engine knows one scan, one order of blocks for each format, and one set of tables for both chroma components.
// T.81 has more ways to write the same picture: sampling factors are ratios, so that 1x2 thrice is 4:4:4, in another
// order of blocks. No register says so to the engine; such a file is written again, without loss, as a user program
// would do it.

import type { Subsampling } from './jpeg-encode.js';
import { type Component, type Frame, readFrame } from './jpeg-frame.js';
import { recode } from './jpeg-recode.js';
import { type BlockState, type HuffmanDecoder, huffmanDecoder, ScanReader } from './jpeg-scan.js';

/** One line that names the file, the place, and what was expected there. */
export class JpegError extends Error {
	constructor(
		readonly file: string,
		/** Byte offset of what is wrong. */
		readonly offset: number,
		readonly problem: string,
	) {
		super(`${file}: offset 0x${offset.toString(16)}: ${problem}`);
		this.name = 'JpegError';
	}
}

/** A picture whose file is not as the engine wants it: the same coefficients, written again. */
export interface Recoded {
	readonly bytes: Uint8Array;
	/** What of the file the engine does not take. */
	readonly why: string;
}

export interface JpegInfo {
	/** What messages call the file. */
	readonly file: string;
	readonly width: number;
	readonly height: number;
	readonly subsampling: Subsampling;
	readonly restartInterval: number;
	/** Where the entropy-coded data of the last scan begins, and where the marker behind it stands. */
	readonly scanStart: number;
	readonly scanEnd: number;
	/** Bytes of entropy-coded data that stand behind the last MCU of their scan: most often a sign of damage. */
	readonly surplus: number;
	/** What to give to the engine in place of the file; null: the file is fine. */
	readonly recoded: Recoded | null;
}

const FRAME_NAMES: Readonly<Record<number, string>> = {
	194: 'SOF2 (progressive)',
	195: 'SOF3 (lossless)',
	197: 'SOF5 (differential sequential)',
	198: 'SOF6 (differential progressive)',
	199: 'SOF7 (differential lossless)',
	200: 'JPG (reserved)',
	201: 'SOF9 (arithmetic coding)',
	202: 'SOF10 (arithmetic coding, progressive)',
	203: 'SOF11 (arithmetic coding, lossless)',
	205: 'SOF13 (arithmetic coding, differential)',
	206: 'SOF14 (arithmetic coding, differential progressive)',
	207: 'SOF15 (arithmetic coding, differential lossless)',
};

function hex(value: number, digits = 2): string {
	return `0x${value.toString(16).padStart(digits, '0')}`;
}

class Inspector {
	readonly #quant = new Map<number, Uint8Array>();
	readonly #huffman = new Map<number, { decoder: HuffmanDecoder; body: Uint8Array }>();
	#frame: Frame | null = null;
	#interval = 0;
	/** Where an Adobe marker stands, and its transform: 0 is RGB; -1: none. */
	#adobe = { at: -1, transform: -1 };
	#jfif = false;
	/** Some quantisation table has elements of 16 bits. */
	#wide = false;
	/** Where a table stands that no scan came after; -1: nowhere. */
	#unused = -1;
	#why = '';
	#surplus = 0;

	constructor(
		private readonly file: string,
		private readonly data: Uint8Array,
	) {}

	#fail(offset: number, problem: string): never {
		throw new JpegError(this.file, offset, problem);
	}

	#u16(at: number): number {
		return this.data[at] * 256 + this.data[at + 1];
	}

	inspect(): JpegInfo {
		const { data } = this;
		if (data.length === 0) this.#fail(0, 'the file is empty; expected a JPEG picture');
		if (data.length < 2 || this.#u16(0) !== 0xffd8) {
			const start = [...data.subarray(0, 2)].map((byte) => hex(byte)).join(' ');
			this.#fail(0, `not a JPEG file: it begins with ${start}; expected 0xff 0xd8 (SOI)`);
		}
		let scan: { start: number; end: number } | null = null;
		for (let at = 2; ; ) {
			if (scan !== null && data[at] === 0xff && data[at + 1] === 0xd9) return this.#picture(at, scan);
			if (at + 4 > data.length)
				this.#fail(
					data.length,
					scan === null
						? 'truncated: the file ends before the scan; expected SOS'
						: 'truncated: no EOI at the end of the file',
				);
			if (data[at] !== 0xff) this.#fail(at, `found ${hex(data[at])}; expected a marker (0xff)`);
			const marker = data[at + 1];
			if (marker === 0xff) {
				at++;
				continue;
			}
			if (marker === 0xd8 || marker === 0x01 || marker === 0 || (marker >= 0xd0 && marker <= 0xd7))
				this.#fail(at, `unexpected marker ${hex(0xff00 + marker, 4)}; expected a segment`);
			if (marker === 0xd9) this.#fail(at, 'EOI before any scan; expected SOS');
			const from = at + 4;
			const end = at + 2 + this.#u16(at + 2);
			if (end < from) this.#fail(at + 2, `segment length ${this.#u16(at + 2)}; expected at least 2`);
			if (end > data.length)
				this.#fail(
					at,
					`truncated, or a wrong length: the segment ends at ${hex(end)}; the file has ${hex(data.length)} bytes`,
				);
			if (marker === 0xda) {
				scan = { start: end, end: this.#scan(at, from, end) };
				at = scan.end;
			} else {
				this.#segment(marker, at, from, end);
				at = end;
			}
		}
	}

	#segment(marker: number, at: number, from: number, end: number): void {
		if (marker === 0xdb || marker === 0xc4) this.#unused = at;
		if (marker === 0xdb) this.#dqt(from, end);
		else if (marker === 0xc4) this.#dht(from, end);
		else if (marker === 0xc0 || marker === 0xc1) {
			if (this.#frame !== null) this.#fail(from, 'a second frame; expected one');
			this.#frame = readFrame(this.data, from, end, (offset, problem) => this.#fail(offset, problem));
		} else if (marker === 0xcc)
			this.#fail(at, 'DAC (arithmetic coding) is not supported by the engine; expected DHT');
		else if (FRAME_NAMES[marker] !== undefined)
			this.#fail(at, `${FRAME_NAMES[marker]} is not supported by the engine; expected SOF0 (baseline)`);
		else if (marker === 0xdd) {
			if (end - from !== 2) this.#fail(at, `DRI of ${end - from} bytes; expected 2`);
			this.#interval = this.#u16(from);
		} else if (marker === 0xdc) {
			if (end - from !== 2 || this.#u16(from) !== this.#frame?.height)
				this.#fail(
					at,
					`DNL (number of lines) differs from the frame header; expected ${this.#frame?.height ?? 'none'}`,
				);
		} else if (marker === 0xee && end - from >= 12 && this.#text(from, 5) === 'Adobe')
			this.#adobe = { at, transform: this.data[from + 11] };
		else if (marker === 0xe0 && end - from >= 5 && this.#text(from, 4) === 'JFIF') this.#jfif = true;
	}

	#text(at: number, length: number): string {
		return String.fromCharCode(...this.data.subarray(at, at + length));
	}

	#dqt(from: number, end: number): void {
		for (let at = from; at < end; ) {
			const [id, wide] = [this.data[at] & 15, this.data[at] >> 4];
			const next = at + 1 + 64 * (wide + 1);
			if (id > 3 || wide > 1 || next > end)
				this.#fail(at, 'bad quantization table; expected a number 0 to 3 and 64 elements');
			const weights = new Uint8Array(64);
			for (let i = 0; i < 64; i++) {
				const weight = wide === 0 ? this.data[at + 1 + i] : this.#u16(at + 1 + 2 * i);
				if (weight > 255)
					this.#fail(
						at,
						`quantization table of 16-bit elements, ${weight} among them, is not supported by the engine; expected 8-bit`,
					);
				weights[i] = weight;
			}
			if (wide !== 0) this.#wide = true;
			this.#quant.set(id, weights);
			at = next;
		}
	}

	#dht(from: number, end: number): void {
		const { data } = this;
		for (let at = from; at < end; ) {
			const id = data[at];
			if ((id & 0xec) !== 0)
				this.#fail(
					at,
					`bad Huffman table number ${hex(id)}; expected 0x00 to 0x03 (DC) or 0x10 to 0x13 (AC)`,
				);
			const counts = data.subarray(at + 1, at + 17);
			const next = at + 17 + counts.reduce((sum, count) => sum + count, 0);
			const decoder = huffmanDecoder(counts, data.subarray(at + 17, next));
			if (typeof decoder === 'number') this.#fail(at, `Huffman table has too many codes of ${decoder} bits`);
			if (next > end) this.#fail(at, 'Huffman table is longer than its segment');
			if (next > at + 17 + 256)
				this.#fail(at, `Huffman table has ${next - at - 17} symbols; expected at most 256`);
			this.#huffman.set(id, { decoder, body: data.subarray(at + 1, next) });
			at = next;
		}
	}

	/** The components that a scan names, in the order of the frame. */
	#named(from: number, end: number, components: readonly Component[]): Component[] {
		const { data } = this;
		const count = data[from];
		if (count < 1 || count > components.length || end - from !== 4 + 2 * count)
			this.#fail(from, `scan of ${count} components; expected at most ${components.length}`);
		let next = 0;
		return Array.from({ length: count }, (_, i) => {
			const at = from + 1 + 2 * i;
			while (next < components.length && components[next].id !== data[at]) next++;
			if (next === components.length)
				this.#fail(
					at,
					`scan names component ${data[at]}; expected those of the frame (${components.map(({ id }) => id).join(', ')}), in their order`,
				);
			const component = components[next++];
			if (component.weights !== null)
				this.#fail(at, `a second scan of component ${component.id}; expected EOI`);
			component.select = data[at + 1];
			return component;
		});
	}

	#scan(at: number, from: number, end: number): number {
		const { data } = this;
		const frame = this.#frame;
		if (frame === null) this.#fail(at, 'SOS before the frame header; expected SOF0');
		this.#unused = -1;
		const parts = this.#named(from, end, frame.components);
		if (data[end - 3] !== 0 || data[end - 2] !== 63 || data[end - 1] !== 0)
			this.#fail(end - 3, 'part of a progressive scan; expected a whole baseline scan (0, 63, 0)');
		const states = parts.map((component, i): BlockState => {
			const { select } = component;
			const dc = this.#huffman.get(select >> 4)?.decoder;
			const ac = this.#huffman.get(0x10 | (select & 15))?.decoder;
			if (dc === undefined || ac === undefined)
				this.#fail(
					from + 2 + 2 * i,
					`Huffman tables ${hex(select)} are missing; expected DHT before SOS (the frames of an MJPEG film leave it out)`,
				);
			component.weights = this.#quant.get(component.quant) ?? null;
			if (component.weights === null)
				this.#fail(
					from + 1 + 2 * i,
					`quantization table ${component.quant} is missing; expected DQT before SOS`,
				);
			return { dc, ac, pred: 0 };
		});
		this.#checkColour(from, frame);
		if (this.#why === '') this.#why = this.#whyRecode(parts, frame);
		if (this.#why !== '')
			for (const part of parts) part.blocks = new Int16Array(part.across * part.down * 64);
		const { end: scanEnd, surplus } = this.#blocks(end, parts, states, frame);
		this.#surplus += surplus;
		return scanEnd;
	}

	#checkColour(from: number, { components }: Frame): void {
		if (components.length !== 3) return;
		const { at, transform } = this.#adobe;
		if (transform === 0) this.#fail(at, 'Adobe marker says RGB; expected YCbCr');
		if (
			transform < 0 &&
			!this.#jfif &&
			components.map(({ id }) => String.fromCharCode(id)).join('') === 'RGB'
		)
			this.#fail(from, 'the components are named R, G and B; expected YCbCr');
		const [, cb, cr] = components.map(({ weights }) => weights);
		if (cb !== null && cr !== null && cb.some((weight, i) => weight !== cr[i]))
			this.#fail(
				from,
				'the two chroma components have different quantization tables; the engine has one for both',
			);
	}

	/** What of the frame and its scan the engine does not take as it is; empty: nothing. */
	#whyRecode(parts: readonly Component[], { components, factors }: Frame): string {
		if (components.length === 3 && components[1].h * components[1].v !== 1)
			return `sampling factors ${factors}`;
		if (parts.length !== components.length) return 'more than one scan';
		if (this.#wide) return 'a quantization table of 16-bit elements';
		if ([...this.#huffman.keys()].some((id) => (id & 0xee) !== 0)) return 'Huffman tables of numbers 2 or 3';
		if (parts.length === 1) return '';
		const [, cb, cr] = parts.map(({ select }) =>
			[select >> 4, 0x10 | (select & 15)].map((id) => this.#huffman.get(id)?.body.join()).join(';'),
		);
		return cb === cr ? '' : 'Huffman tables that differ between the chroma components';
	}

	/** Read the blocks of a scan; answers where its data ends, at a marker that must be there. */
	#blocks(
		start: number,
		parts: readonly Component[],
		states: readonly BlockState[],
		{ width, height, hMax, vMax }: Frame,
	): { end: number; surplus: number } {
		const single = parts.length === 1;
		// A component alone has as many blocks as it needs; together they fill whole MCUs (T.81 A.2).
		const across = single
			? Math.ceil(Math.ceil((width * parts[0].h) / hMax) / 8)
			: Math.ceil(width / (8 * hMax));
		const down = single
			? Math.ceil(Math.ceil((height * parts[0].v) / vMax) / 8)
			: Math.ceil(height / (8 * vMax));
		const interval = this.#interval;
		const reader = new ScanReader(this.data, start, across * down, (at, problem) => this.#fail(at, problem));
		for (let mcu = 0; mcu < across * down; mcu++, reader.next()) {
			if (interval !== 0 && mcu !== 0 && mcu % interval === 0) {
				reader.restart(mcu / interval - 1);
				for (const state of states) state.pred = 0;
			}
			const [mx, my] = [mcu % across, Math.floor(mcu / across)];
			for (const [i, part] of parts.entries()) {
				const [h, v] = single ? [1, 1] : [part.h, part.v];
				for (let by = my * v; by < (my + 1) * v; by++)
					for (let bx = mx * h; bx < (mx + 1) * h; bx++)
						reader.block(states[i], part.blocks, (by * part.across + bx) * 64);
			}
		}
		return reader.finish();
	}

	/** All is read, up to EOI at @at. */
	#picture(at: number, scan: { start: number; end: number }): JpegInfo {
		const frame = this.#frame!;
		const { width, height, subsampling, components } = frame;
		const damaged = (what: string): never => this.#fail(at, `the picture data is damaged: ${what}`);
		const missing = components.find(({ weights }) => weights === null);
		if (missing !== undefined) this.#fail(at, `EOI before the scan of component ${missing.id}; expected SOS`);
		if (this.#unused >= 0) this.#fail(this.#unused, 'a table behind the last scan; expected EOI');
		return {
			file: this.file,
			width,
			height,
			subsampling,
			restartInterval: this.#interval,
			scanStart: scan.start,
			scanEnd: scan.end,
			surplus: this.#surplus,
			recoded: this.#why === '' ? null : { bytes: recode(frame, damaged), why: this.#why },
		};
	}
}

/**
 * What the engine will have to decode; throws JpegError when @data is no JPEG, is damaged or cut short, or is of a
 * kind that the engine does not do. @file is only for the message.
 */
export function inspectJpeg(file: string, data: Uint8Array): JpegInfo {
	return new Inspector(file, data).inspect();
}
