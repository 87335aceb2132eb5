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
		['a component without tables', patched(at(0xda) + 6, 0x22)],
		['different tables for Cb and Cr', patched(at(0xda) + 10, 0x00)],
		['part of a progressive scan', patched(at(0xda) + 11, 1)],
		['no EOI', good.slice(0, -2)],
	];
	for (const [what, data] of bad)
		it(`refuses ${what}`, () => {
			expect(parse(data).ret).to.equal(-EINVAL);
		});

	it('refuses the stream cut at any place, and reads nothing behind the cut', () => {
		for (let size = 0; size < good.length; size++) {
			const data = good.slice(0, size);
			const guarded = new Proxy(data, {
				get: (target, key) => {
					if (typeof key === 'string' && /^\d+$/.test(key) && Number(key) >= size)
						throw new Error(`read at ${key}`);
					return Reflect.get(target, key, target);
				},
			});
			expect(
				cedrus_jpeg_parse_header(new device(), guarded, size, new cedrus_jpeg_header()),
				`${size} bytes`,
			).to.equal(-EINVAL);
		}
	});
});
