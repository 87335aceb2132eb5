// SPDX-License-Identifier: GPL-2.0-only
// Looks at a JPEG before the video engine does, and says what is wrong with it.
//
// The driver checks the same (cedrus_jpeg.ts) and answers -EINVAL; this is for people. Entropy-coded data is
// checked by counting blocks, so that a file which was cut and closed again with an EOI is noticed too.

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

export interface JpegInfo {
	readonly width: number;
	readonly height: number;
	readonly subsampling: '420' | '422' | '444' | '422T' | '400';
	readonly restartInterval: number;
	/** Where the entropy-coded data begins, and where the marker behind it stands. */
	readonly scanStart: number;
	readonly scanEnd: number;
}

/** What the engine takes at most, in pixels each way. */
export const MAX_SIZE = 2048;

const FRAME_NAMES: Readonly<Record<number, string>> = {
	193: 'SOF1 (extended sequential)',
	194: 'SOF2 (progressive)',
	195: 'SOF3 (lossless)',
	197: 'SOF5 (differential sequential)',
	198: 'SOF6 (differential progressive)',
	199: 'SOF7 (differential lossless)',
	201: 'SOF9 (arithmetic coding)',
	202: 'SOF10 (arithmetic coding, progressive)',
	203: 'SOF11 (arithmetic coding, lossless)',
	205: 'SOF13 (arithmetic coding, differential)',
	206: 'SOF14 (arithmetic coding, differential progressive)',
	207: 'SOF15 (arithmetic coding, differential lossless)',
};

interface Component {
	readonly id: number;
	readonly h: number;
	readonly v: number;
	readonly quant: number;
}

interface Frame {
	readonly width: number;
	readonly height: number;
	readonly components: readonly Component[];
	readonly subsampling: JpegInfo['subsampling'];
}

/** Codes of up to 16 bits: symbol + 1 by (length << 16 | code), 0 for none. */
type Codes = ReadonlyMap<number, number>;

function hex(value: number, digits = 2): string {
	return `0x${value.toString(16).padStart(digits, '0')}`;
}

class Inspector {
	readonly #quant = new Set<number>();
	readonly #huffman = new Map<number, Codes>();
	#frame: Frame | null = null;
	#interval = 0;
	#rgb = -1;

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
		if (data.length < 4 || this.#u16(0) !== 0xffd8) {
			const start = [...data.subarray(0, 2)].map((byte) => hex(byte)).join(' ');
			this.#fail(0, `not a JPEG file: it begins with ${start}; expected 0xff 0xd8 (SOI)`);
		}
		for (let at = 2; ; ) {
			if (at + 4 > data.length)
				this.#fail(data.length, 'truncated: the file ends before the scan; expected SOS');
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
				this.#fail(at, `truncated: the segment ends at ${hex(end)}; the file has ${hex(data.length)} bytes`);
			if (marker === 0xda) return this.#scan(at, from, end);
			this.#segment(marker, at, from, end);
			at = end;
		}
	}

	#segment(marker: number, at: number, from: number, end: number): void {
		const { data } = this;
		if (marker === 0xdb) this.#dqt(from, end);
		else if (marker === 0xc4) this.#dht(from, end);
		else if (marker === 0xc0) this.#sof0(from, end);
		else if (marker === 0xcc)
			this.#fail(at, 'DAC (arithmetic coding) is not supported by the engine; expected DHT');
		else if (FRAME_NAMES[marker] !== undefined)
			this.#fail(at, `${FRAME_NAMES[marker]} is not supported by the engine; expected SOF0 (baseline)`);
		else if (marker === 0xdd) {
			if (end - from !== 2) this.#fail(at, `DRI of ${end - from} bytes; expected 2`);
			this.#interval = this.#u16(from);
		} else if (
			marker === 0xee &&
			end - from >= 12 &&
			String.fromCharCode(...data.subarray(from, from + 5)) === 'Adobe'
		)
			this.#rgb = data[from + 11] === 0 ? at : -1;
	}

	#dqt(from: number, end: number): void {
		for (let at = from; at < end; at += 65) {
			const id = this.data[at];
			if (id >> 4 !== 0)
				this.#fail(
					at,
					'quantization table of 16-bit elements is not supported by the engine; expected 8-bit',
				);
			if (id > 3 || at + 65 > end)
				this.#fail(at, 'bad quantization table; expected a number 0 to 3 and 64 bytes');
			this.#quant.add(id);
		}
	}

	#dht(from: number, end: number): void {
		const { data } = this;
		for (let at = from; at < end; ) {
			const id = data[at];
			if ((id & 0xee) !== 0)
				this.#fail(at, `Huffman table ${hex(id)} is not baseline; expected 0x00, 0x01, 0x10 or 0x11`);
			const codes = new Map<number, number>();
			let code = 0;
			let symbol = at + 17;
			for (let length = 1; length <= 16; length++) {
				for (let i = 0; i < data[at + length]; i++) codes.set(length * 0x10000 + code++, data[symbol++] + 1);
				if (code > 2 ** length) this.#fail(at, `Huffman table has too many codes of ${length} bits`);
				code *= 2;
			}
			if (symbol > end) this.#fail(at, 'Huffman table is longer than its segment');
			this.#huffman.set(id, codes);
			at = symbol;
		}
	}

	#sof0(from: number, end: number): void {
		const { data } = this;
		if (this.#frame !== null) this.#fail(from, 'a second frame; expected one');
		const count = data[from + 5];
		if (end - from < 6 || end - from !== 6 + 3 * count) this.#fail(from, 'frame header of the wrong length');
		if (data[from] !== 8)
			this.#fail(from, `${data[from]}-bit samples are not supported by the engine; expected 8-bit`);
		const height = this.#u16(from + 1);
		const width = this.#u16(from + 3);
		if (width === 0 || height === 0)
			this.#fail(from + 1, `picture of ${width}x${height}; expected at least 1x1`);
		if (width > MAX_SIZE || height > MAX_SIZE)
			this.#fail(
				from + 1,
				`picture of ${width}x${height} is too large for the engine; expected at most ${MAX_SIZE}x${MAX_SIZE}`,
			);
		if (count === 4)
			this.#fail(from + 5, '4 components (CMYK) are not supported by the engine; expected 1 or 3');
		if (count !== 1 && count !== 3) this.#fail(from + 5, `${count} components; expected 1 or 3`);
		const components = Array.from({ length: count }, (_, i) => ({
			id: data[from + 6 + 3 * i],
			h: data[from + 7 + 3 * i] >> 4,
			v: data[from + 7 + 3 * i] & 15,
			quant: data[from + 8 + 3 * i],
		}));
		const factors = components.map(({ h, v }) => `${h}x${v}`).join(',');
		const known: Readonly<Record<string, JpegInfo['subsampling']>> = {
			'2x2,1x1,1x1': '420',
			'2x1,1x1,1x1': '422',
			'1x1,1x1,1x1': '444',
			'1x2,1x1,1x1': '422T',
		};
		const subsampling = count === 1 ? '400' : known[factors];
		if (subsampling === undefined)
			this.#fail(
				from + 6,
				`sampling factors ${factors} are not supported by the engine; expected 4:2:0, 4:2:2 or 4:4:4`,
			);
		this.#frame = { width, height, components, subsampling };
	}

	#scan(at: number, from: number, end: number): JpegInfo {
		const { data } = this;
		const frame = this.#frame;
		if (frame === null) this.#fail(at, 'SOS before the frame header; expected SOF0');
		const { components, width, height, subsampling } = frame;
		if (data[from] !== components.length || end - from !== 4 + 2 * components.length)
			this.#fail(from, `scan of ${data[from]} components; expected all ${components.length} in one scan`);
		const tables = components.map((component, i) => {
			const [id, select] = [data[from + 1 + 2 * i], data[from + 2 + 2 * i]];
			if (id !== component.id)
				this.#fail(from + 1 + 2 * i, `scan names component ${id}; expected ${component.id}`);
			const dc = this.#huffman.get(select >> 4);
			const ac = this.#huffman.get(0x10 | (select & 15));
			if (dc === undefined || ac === undefined)
				this.#fail(from + 2 + 2 * i, `Huffman tables ${hex(select)} are missing; expected DHT before SOS`);
			if (!this.#quant.has(component.quant))
				this.#fail(
					from + 1 + 2 * i,
					`quantization table ${component.quant} is missing; expected DQT before SOS`,
				);
			return { dc, ac, select, ...component };
		});
		if (tables.length === 3 && (tables[1].select !== tables[2].select || tables[1].quant !== tables[2].quant))
			this.#fail(from, 'the two chroma components use different tables; the engine has one set for both');
		if (this.#rgb >= 0 && tables.length === 3) this.#fail(this.#rgb, 'Adobe marker says RGB; expected YCbCr');
		if (data[end - 3] !== 0 || data[end - 2] !== 63 || data[end - 1] !== 0)
			this.#fail(end - 3, 'part of a progressive scan; expected a whole baseline scan (0, 63, 0)');

		const one = tables.length === 1;
		const [h, v] = one ? [1, 1] : [tables[0].h, tables[0].v];
		const mcus = Math.ceil(width / (8 * h)) * Math.ceil(height / (8 * v));
		const scanEnd = this.#entropy(
			end,
			mcus,
			tables.map((t) => ({ dc: t.dc, ac: t.ac, blocks: one ? 1 : t.h * t.v })),
		);
		return { width, height, subsampling, restartInterval: this.#interval, scanStart: end, scanEnd };
	}

	/** Count the blocks of the scan; answers where its data ends, at a marker that must be there. */
	#entropy(start: number, mcus: number, parts: readonly { dc: Codes; ac: Codes; blocks: number }[]): number {
		const { data } = this;
		let at = start;
		let bitsLeft = 0;
		let byte = 0;
		let mcu = 0;
		const short = (): never =>
			this.#fail(
				Math.min(at, data.length),
				`truncated: the picture data ends after ${mcu} of ${mcus} MCUs${at >= data.length ? ', without EOI' : ''}`,
			);
		const bit = (): number => {
			if (bitsLeft === 0) {
				if (at >= data.length) short();
				byte = data[at++];
				if (byte === 0xff) {
					if (at < data.length && data[at] !== 0) at--;
					if (at >= data.length || data[at] !== 0) short();
					at++;
				}
				bitsLeft = 8;
			}
			return (byte >> --bitsLeft) & 1;
		};
		const symbol = (codes: Codes): number => {
			let code = 0;
			for (let length = 1; length <= 16; length++) {
				code = code * 2 + bit();
				const found = codes.get(length * 0x10000 + code);
				if (found !== undefined) return found - 1;
			}
			return this.#fail(at, `picture data is damaged in MCU ${mcu} of ${mcus}: no such Huffman code`);
		};
		const skip = (bits: number): void => {
			for (let i = 0; i < bits; i++) bit();
		};
		for (; mcu < mcus; mcu++) {
			if (this.#interval !== 0 && mcu !== 0 && mcu % this.#interval === 0) {
				bitsLeft = 0;
				const want = 0xd0 + ((mcu / this.#interval - 1) % 8);
				if (at + 1 >= data.length) short();
				if (data[at] !== 0xff || data[at + 1] !== want)
					this.#fail(
						at,
						`found ${hex(data[at])} ${hex(data[at + 1])}; expected restart marker 0xff ${hex(want)}`,
					);
				at += 2;
			}
			for (const { dc, ac, blocks } of parts)
				for (let block = 0; block < blocks; block++) {
					skip(symbol(dc));
					for (let k = 1; k < 64; ) {
						const value = symbol(ac);
						if (value === 0) break;
						skip(value & 15);
						k += (value >> 4) + 1;
					}
				}
		}
		while (at < data.length && data[at] !== 0xff) at++;
		if (at + 1 >= data.length) this.#fail(data.length, 'truncated: no EOI at the end of the file');
		let end = at;
		while (end + 1 < data.length && data[end + 1] === 0xff) end++;
		if (data[end + 1] === 0xda || data[end + 1] === 0xc4 || data[end + 1] === 0xdb)
			this.#fail(end, 'a second scan follows; expected EOI');
		if (end + 1 >= data.length) this.#fail(data.length, 'truncated: no EOI at the end of the file');
		if (data[end + 1] !== 0xd9)
			this.#fail(end, `found marker ${hex(0xff00 + data[end + 1], 4)} behind the scan; expected EOI`);
		return end;
	}
}

/**
 * What the engine will have to decode; throws JpegError when @data is no JPEG, is damaged or cut short, or is of a
 * kind that the engine does not do. @file is only for the message.
 */
export function inspectJpeg(file: string, data: Uint8Array): JpegInfo {
	return new Inspector(file, data).inspect();
}
