// SPDX-License-Identifier: GPL-2.0-only
// The entropy-coded data of a sequential JPEG: ITU-T T.81, F.2.2 (Huffman decoding) and B.1.1.5 (markers in it).

/** Ends the reading: what is wrong, and at which byte of the file. */
export type Fail = (offset: number, problem: string) => never;

/** A Huffman table for decoding: a code shorter than @limit of its length stands for symbol @base + code. */
export interface HuffmanDecoder {
	readonly limit: Int32Array;
	readonly base: Int32Array;
	readonly symbols: Uint8Array;
}

/** The table of a DHT segment; a length in bits when more codes have it than fit (T.81: none is all ones). */
export function huffmanDecoder(counts: Uint8Array, symbols: Uint8Array): HuffmanDecoder | number {
	const limit = new Int32Array(17);
	const base = new Int32Array(17);
	let code = 0;
	let used = 0;
	for (let length = 1; length <= 16; length++) {
		base[length] = used - code;
		code += counts[length - 1];
		used += counts[length - 1];
		if (code >= 2 ** length) return length;
		limit[length] = code;
		code *= 2;
	}
	return { limit, base, symbols };
}

/** The tables of one component, and its last DC value. */
export interface BlockState {
	readonly dc: HuffmanDecoder;
	readonly ac: HuffmanDecoder;
	pred: number;
}

/** What 8-bit samples need at most (T.81 tables F.1 and F.2), in bits. */
const MAX_DC_SIZE = 11;
const MAX_AC_SIZE = 10;
const MAX_DC = 2047;
const BLOCK = 64;

const EOI = 0xd9;

function hex(value: number): string {
	return `0x${value.toString(16).padStart(2, '0')}`;
}

function isRestart(marker: number): boolean {
	return marker >= 0xd0 && marker <= 0xd7;
}

/** Reads a scan block by block, and says where and how it is damaged or cut. */
export class ScanReader {
	#at: number;
	#byte = 0;
	#bits = 0;
	#mcu = 0;

	constructor(
		private readonly data: Uint8Array,
		start: number,
		private readonly mcus: number,
		private readonly fail: Fail,
	) {
		this.#at = start;
	}

	#damaged(what: string): never {
		return this.fail(
			this.#at,
			`the picture data is damaged in MCU ${this.#mcu + 1} of ${this.mcus}: ${what}`,
		);
	}

	/** Past the 0xff bytes that may stand before a marker: where the last of them is. */
	#lastFill(at: number): number {
		let last = at;
		while (this.data[last + 1] === 0xff) last++;
		return last;
	}

	/** There is no more data at this place. */
	#starved(): never {
		const { data } = this;
		const ends = `ends after ${this.#mcu} of ${this.mcus} MCUs`;
		if (this.#at + 1 >= data.length)
			return this.fail(data.length, `truncated: the picture data ${ends}, without EOI`);
		const marker = data[this.#at + 1];
		if (marker === EOI)
			return this.fail(this.#at, `the picture data is damaged or was cut short: it ${ends}, at EOI`);
		return this.#damaged(`marker 0xff ${hex(marker)} stands within it`);
	}

	#bit(): number {
		if (this.#bits === 0) {
			const { data } = this;
			if (this.#at >= data.length) this.#starved();
			this.#byte = data[this.#at];
			if (this.#byte === 0xff) {
				this.#at = this.#lastFill(this.#at);
				if (data[this.#at + 1] !== 0) this.#starved();
				this.#at++;
			}
			this.#at++;
			this.#bits = 8;
		}
		return (this.#byte >> --this.#bits) & 1;
	}

	#symbol({ limit, base, symbols }: HuffmanDecoder): number {
		let code = 0;
		for (let length = 1; length <= 16; length++) {
			code = code * 2 + this.#bit();
			if (code < limit[length]) return symbols[base[length] + code];
		}
		return this.#damaged('no such Huffman code');
	}

	/** A value of @size bits, negative ones as T.81 F.2.2.1 has them. */
	#value(size: number): number {
		let value = 0;
		for (let i = 0; i < size; i++) value = value * 2 + this.#bit();
		return size === 0 || value >= 2 ** (size - 1) ? value : value - 2 ** size + 1;
	}

	/** The next block; its quantised coefficients go to @out at @to, in zigzag order, zeros left out. */
	block(state: BlockState, out: Int16Array | null, to: number): void {
		const dcSize = this.#symbol(state.dc);
		if (dcSize > MAX_DC_SIZE) this.#damaged(`a DC difference of ${dcSize} bits`);
		state.pred += this.#value(dcSize);
		if (Math.abs(state.pred) > MAX_DC) this.#damaged(`a DC value of ${state.pred}`);
		if (out !== null) out[to] = state.pred;
		for (let k = 1; k < BLOCK; k++) {
			const symbol = this.#symbol(state.ac);
			const size = symbol & 15;
			const run = symbol >> 4;
			if (size === 0 && run !== 15) break;
			if (size > MAX_AC_SIZE) this.#damaged(`a coefficient of ${size} bits`);
			k += run;
			if (k >= BLOCK) this.#damaged(`more than ${BLOCK} coefficients in a block`);
			const value = this.#value(size);
			if (out !== null) out[to + k] = value;
		}
	}

	/** One MCU is whole. */
	next(): void {
		this.#mcu++;
	}

	/** Go behind restart marker number @number, which must be the next thing. */
	restart(number: number): void {
		const { data } = this;
		const want = 0xd0 + (number % 8);
		this.#bits = 0;
		if (this.#at + 1 >= data.length) this.#starved();
		if (data[this.#at] === 0xff) this.#at = this.#lastFill(this.#at);
		const [first, marker] = [data[this.#at], data[this.#at + 1]];
		if (first === 0xff && (marker === EOI || marker === undefined)) this.#starved();
		if (first !== 0xff || marker !== want)
			this.#damaged(`found ${hex(first)} ${hex(marker)}; expected restart marker 0xff ${hex(want)}`);
		this.#at += 2;
	}

	/** Behind the last MCU: where the next marker is, and how many bytes of data stand before it that nobody needs. */
	finish(): { end: number; surplus: number } {
		const { data } = this;
		let surplus = 0;
		for (let at = this.#at; at + 1 < data.length; at++) {
			if (data[at] !== 0xff) {
				surplus++;
				continue;
			}
			at = this.#lastFill(at);
			const marker = data[at + 1];
			if (marker === undefined) break;
			if (marker !== 0 && !isRestart(marker)) return { end: at, surplus };
			if (marker === 0) surplus++;
			at++;
		}
		return this.fail(data.length, 'truncated: no EOI at the end of the file');
	}
}
