// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import { type BlockState, type HuffmanDecoder, huffmanDecoder, ScanReader } from '#tools/jpeg-scan.js';

function table(counts: readonly number[], ...symbols: number[]): HuffmanDecoder {
	const sixteen = new Uint8Array(16);
	sixteen.set(counts);
	const made = huffmanDecoder(sixteen, Uint8Array.from(symbols));
	if (typeof made === 'number') throw new Error(`too many codes of ${made} bits`);
	return made;
}

function reader(bits: string, mcus = 1): ScanReader {
	const bytes = (bits.replaceAll(' ', '').match(/.{1,8}/g) ?? [])
		.map((byte) => Number.parseInt(byte.padEnd(8, '1'), 2))
		.flatMap((byte) => (byte === 0xff ? [byte, 0] : [byte]));
	return new ScanReader(Uint8Array.from([...bytes, 0xff, 0xd9]), 0, mcus, (at, problem) => {
		throw new Error(`${at}: ${problem}`);
	});
}

// DC: 0 -> 0 bits, 10 -> 3 bits, 110 -> 12 bits. AC: 0 -> end, 10 -> one zero and a value of 2 bits, 110 -> 16 zeros,
// 1110 -> a value of 11 bits.
const dc = table([1, 1, 1], 0, 3, 12);
const ac = table([1, 1, 1, 1], 0x00, 0x12, 0xf0, 0x0b);
const state = (): BlockState => ({ dc, ac, pred: 0 });

describe('jpeg_scan', () => {
	it('reads a DC difference, runs of zeros, and negative values', () => {
		const out = new Int16Array(64);
		const s = state();
		s.pred = 7;
		// 7 + 5; one zero, then -2; 16 zeros and one more, then 3; end.
		reader('10 101  10 01  110 10 11  0').block(s, out, 0);
		const want = new Int16Array(64);
		want[0] = 12;
		want[2] = -2;
		want[20] = 3;
		expect(out).to.deep.equal(want);
		expect(s.pred).to.equal(12);
	});

	for (const [what, bits, message] of [
		['a code that the table lacks', '1'.repeat(16), /4: .*MCU 1 of 1: no such Huffman code/],
		['a DC difference that 8-bit samples have not', '110', /a DC difference of 12 bits/],
		['a coefficient that 8-bit samples have not', '0 1110', /a coefficient of 11 bits/],
		['a run beyond the block', '0 110 110 110 110', /more than 64 coefficients/],
		['data that ends within a block', '0', /damaged or was cut short: it ends after 0 of 1 MCUs, at EOI/],
	] as const)
		it(`names ${what}`, () => {
			expect(() => reader(bits).block(state(), null, 0)).to.throw(message);
		});

	it('refuses a table one of whose codes would be all ones', () => {
		expect(huffmanDecoder(Uint8Array.of(1, 2), Uint8Array.of(0, 1, 2))).to.equal(2);
		expect(huffmanDecoder(Uint8Array.of(1, 1), Uint8Array.of(0, 1))).to.not.be.a('number');
	});

	it('wants the restart marker whose turn it is', () => {
		const at = (marker: number): ScanReader =>
			new ScanReader(Uint8Array.of(0xff, 0xff, marker, 0xff, 0xd9), 0, 9, (_at, problem) => {
				throw new Error(problem);
			});
		expect(() => at(0xd1).restart(9)).to.not.throw();
		expect(() => at(0xd2).restart(9)).to.throw(/found 0xff 0xd2; expected restart marker 0xff 0xd1/);
		expect(() => at(0xd9).restart(9)).to.throw(/ends after 0 of 9 MCUs, at EOI/);
	});
});
