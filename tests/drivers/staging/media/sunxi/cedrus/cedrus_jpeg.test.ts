// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import {
	cedrus_jpeg_header,
	cedrus_jpeg_parse_header,
} from '#drivers/staging/media/sunxi/cedrus/cedrus_jpeg.js';
import { device } from '#linux/device.js';
import { EINVAL } from '#linux/errno.js';
import { bootFake } from '#tests/fake-machine.js';
import { encodeJpeg } from '#tools/jpeg-encode.js';

const image = {
	width: 40,
	height: 24,
	data: Uint8Array.from({ length: 40 * 24 * 3 }, (_, i) => (i * 37) & 0xff),
};
const good = encodeJpeg(image, { subsampling: '422', restartInterval: 2 });

function parse(data: Uint8Array): { ret: number; hdr: cedrus_jpeg_header } {
	const hdr = new cedrus_jpeg_header();
	return { ret: cedrus_jpeg_parse_header(new device(), data, data.length, hdr), hdr };
}

function at(marker: number): number {
	for (let i = 0; i + 1 < good.length; i++) if (good[i] === 0xff && good[i + 1] === marker) return i;
	throw new Error(`no marker ${marker}`);
}

function patched(offset: number, ...bytes: number[]): Uint8Array {
	const copy = good.slice();
	copy.set(bytes, offset);
	return copy;
}

describe('cedrus_jpeg', () => {
	beforeEach(() => {
		bootFake();
	});

	it('reads size, factors, tables and where the data begins', () => {
		const { ret, hdr } = parse(good);
		expect(ret).to.equal(0);
		expect(hdr).to.include({ width: 40, height: 24, num_components: 3, restart_interval: 2 });
		expect(hdr.components.map(({ h, v, quant, dc, ac }) => [h, v, quant, dc, ac])).to.deep.equal([
			[2, 1, 0, 0, 0],
			[1, 1, 1, 1, 1],
			[1, 1, 1, 1, 1],
		]);
		// SOS: marker, length 12, 10 bytes of header
		expect(hdr.ecs_offset).to.equal(at(0xda) + 2 + 12);
		// DQT and DHT: marker, length, number; then the table
		expect(hdr.quant[0]).to.equal(at(0xdb) + 5);
		expect(hdr.huffman[0]).to.equal(at(0xc4) + 5);
	});

	const sof = at(0xc0);
	/** Cr by Huffman tables 0, the first of which has two symbols the other way round. */
	function otherTable(): Uint8Array {
		const out = patched(at(0xda) + 10, 0x00);
		const symbols = at(0xc4) + 5 + 16;
		[out[symbols], out[symbols + 1]] = [out[symbols + 1]!, out[symbols]!];
		return out;
	}
	const bad: [string, Uint8Array][] = [
		['no SOI', patched(0, 0x89)],
		['a progressive frame', patched(sof, 0xff, 0xc2)],
		['arithmetic coding', patched(sof, 0xff, 0xc9)],
		['12-bit samples', patched(sof + 4, 12)],
		['4 components', patched(sof + 9, 4)],
		['2 components', patched(sof + 9, 2)],
		['a width of zero', patched(sof + 7, 0, 0)],
		['a picture that is too wide', patched(sof + 7, 0x08, 0x01)],
		['a quantization table of 16 bits', patched(at(0xdb) + 4, 0x10)],
		['a Huffman table with too many codes', patched(at(0xc4) + 5, 3)],
		['a Huffman table that leaves no code free', patched(at(0xc4) + 5, 2)],
		['a component without tables', patched(at(0xda) + 6, 0x22)],
		['different weights for Cb and Cr', patched(sof + 18, 0)],
		['different Huffman tables for Cb and Cr', otherTable()],
		['part of a progressive scan', patched(at(0xda) + 11, 1)],
		['no EOI', good.slice(0, -2)],
	];
	for (const [what, data] of bad)
		it(`refuses ${what}`, () => {
			expect(parse(data).ret).to.equal(-EINVAL);
		});

	it('takes an extended sequential frame of 8 bits, which is coded as baseline', () => {
		expect(parse(patched(sof, 0xff, 0xc1)).ret).to.equal(0);
	});

	it('takes tables of two numbers for Cb and Cr when they are alike', () => {
		const dqt = at(0xdb) + 69;
		const copy = Uint8Array.from([
			...good.slice(0, sof),
			0xff,
			0xdb,
			0,
			67,
			2,
			...good.slice(dqt + 5, dqt + 69),
			...good.slice(sof),
		]);
		const cr = sof + 69 + 18;
		expect(copy[cr]).to.equal(1);
		copy[cr] = 2;
		expect(parse(copy).ret).to.equal(0);
		copy[sof + 5]! ^= 1;
		expect(parse(copy).ret).to.equal(-EINVAL);
	});

	it('refuses the stream cut at any place, and reads nothing behind the cut', () => {
		for (let size = 0; size < good.length; size++) {
			const data = good.slice(0, size);
			const guarded = new Proxy(data, {
				get: (target, key) => {
					if (typeof key === 'string' && /^\d+$/.test(key) && Number(key) >= size)
						throw new Error(`read at ${key}`);
					const value: unknown = Reflect.get(target, key, target);
					return typeof value === 'function' ? value.bind(target) : value;
				},
			});
			expect(
				cedrus_jpeg_parse_header(new device(), guarded, size, new cedrus_jpeg_header()),
				`${size} bytes`,
			).to.equal(-EINVAL);
		}
	});
});
