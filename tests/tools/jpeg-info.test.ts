// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import jpeg from 'jpeg-js';
import { random } from '#tests/random.js';
import { encodeJpeg, type Subsampling } from '#tools/jpeg-encode.js';
import { inspectJpeg, JpegError } from '#tools/jpeg-info.js';

const image = {
	width: 40,
	height: 24,
	data: Uint8Array.from({ length: 40 * 24 * 3 }, (_, i) => (i * 37) & 0xff),
};

function at(data: Uint8Array, marker: number): number {
	for (let i = 0; i + 1 < data.length; i++) if (data[i] === 0xff && data[i + 1] === marker) return i;
	throw new Error(`no marker ${marker}`);
}

/** A copy with some bytes at @offset replaced. */
function patched(data: Uint8Array, offset: number, ...bytes: number[]): Uint8Array {
	const copy = data.slice();
	copy.set(bytes, offset);
	return copy;
}

/** The bytes @bytes put in at @offset. */
function inserted(data: Uint8Array, offset: number, ...bytes: number[]): Uint8Array {
	return Uint8Array.from([...data.subarray(0, offset), ...bytes, ...data.subarray(offset)]);
}

/** The samples, by a decoder outside the machine. */
function samples(data: Uint8Array): Uint8Array {
	return jpeg.decode(data, { useTArray: true, formatAsRGBA: false, colorTransform: false }).data;
}

function problem(data: Uint8Array): string {
	try {
		inspectJpeg('p.jpg', data);
	} catch (e) {
		if (e instanceof JpegError) return e.message;
		throw e;
	}
	return '';
}

describe('jpeg_info', () => {
	for (const subsampling of ['420', '422', '444', '422T', '400'] as Subsampling[])
		for (const restartInterval of [0, 2])
			it(`reads size and format of ${subsampling}, restart interval ${restartInterval}`, () => {
				const data = encodeJpeg(image, { subsampling, restartInterval });
				const info = inspectJpeg('a.jpg', data);
				expect(info).to.include({ width: 40, height: 24, subsampling, restartInterval });
				expect(info.scanEnd).to.equal(data.length - 2);
			});

	it('accepts the default picture', () => {
		const info = inspectJpeg('picture.jpg', readFileSync('examples/picture.jpg'));
		expect(info).to.include({ width: 800, height: 608, subsampling: '420' });
	});

	const good = encodeJpeg(image, { subsampling: '420' });
	const sof = at(good, 0xc0);
	const dqt = at(good, 0xdb);
	/** Without its DHT segments, as in an MJPEG film. */
	function withoutTables(data: Uint8Array): Uint8Array {
		const dht = at(data, 0xc4);
		return Uint8Array.from([...data.subarray(0, dht), ...data.subarray(at(data, 0xda))]);
	}
	/** With other names for its components, and without JFIF. */
	function named(data: Uint8Array, names: string): Uint8Array {
		const out = patched(data, at(data, 0xe0) + 4, 0x4b);
		[...names].forEach((name, i) => {
			out[sof + 10 + 3 * i] = name.charCodeAt(0);
			out[at(data, 0xda) + 5 + 2 * i] = name.charCodeAt(0);
		});
		return out;
	}
	const bad: [string, Uint8Array, RegExp][] = [
		['an empty file', new Uint8Array(0), /^p\.jpg: offset 0x0: the file is empty/],
		[
			'a PNG',
			Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10),
			/not a JPEG file: it begins with 0x89 0x50; expected 0xff 0xd8/,
		],
		['no more than a beginning', Uint8Array.of(0xff, 0xd8), /^p\.jpg: offset 0x2: truncated/],
		[
			'a progressive one',
			patched(good, sof, 0xff, 0xc2),
			/SOF2 \(progressive\) is not supported by the engine; expected SOF0 \(baseline\)/,
		],
		['arithmetic coding', patched(good, sof, 0xff, 0xc9), /SOF9 \(arithmetic coding\)/],
		['12-bit samples', patched(good, sof + 4, 12), /12-bit samples are not supported/],
		['a size of zero', patched(good, sof + 5, 0, 0), /picture of 40x0; expected at least 1x1/],
		[
			'one too large',
			patched(good, sof + 5, 0x10, 0),
			/40x4096 is too large for the engine; expected at most 2048x2048/,
		],
		[
			'odd sampling factors',
			patched(good, sof + 11, 0x41),
			/sampling factors 4x1,1x1,1x1 are not supported by the engine \(4:1:1\); expected 4:2:0, 4:2:2, 4:4:0, 4:4:4 or grey$/,
		],
		['16-bit quantization', patched(good, dqt + 4, 0x10), /bad quantization table/],
		['no marker where one must be', patched(good, 2, 0), /offset 0x2: found 0x00; expected a marker/],
		['a file without EOI', good.slice(0, -2), /truncated/],
		[
			'a file cut in its data',
			good.slice(0, -100),
			/truncated: the picture data ends after \d+ of 6 MCUs, without EOI/,
		],
		[
			'a file cut in its data and closed with EOI',
			Uint8Array.from([...good.slice(0, -100), 0xff, 0xd9]),
			/the picture data is damaged or was cut short: it ends after \d+ of 6 MCUs, at EOI$/,
		],
		[
			'Cb and Cr of different factors',
			patched(good, sof + 14, 0x12),
			/sampling factors 2x2,1x2,1x1 are not supported/,
		],
		[
			'chroma that is finer than luma',
			patched(good, sof + 11, 0x11, 0, 2, 0x22, 1, 3, 0x22),
			/1x1,2x2,2x2 are not/,
		],
		[
			'a factor of zero',
			patched(good, sof + 11, 0x20),
			/sampling factors 2x0,1x1,1x1; expected 1 to 4 each way/,
		],
		[
			'no Huffman tables',
			withoutTables(good),
			/Huffman tables 0x00 are missing; expected DHT before SOS \(.*MJPEG/,
		],
		[
			'components named R, G and B',
			named(good, 'RGB'),
			/the components are named R, G and B; expected YCbCr/,
		],
		['a height that comes later', patched(good, sof + 5, 0, 0), /\(a height by DNL is not supported\)/],
		[
			'quantization tables that differ between Cb and Cr',
			patched(good, sof + 4 + 14, 0),
			/different quantization tables; the engine has one for both/,
		],
		[
			'a table all of whose codes are used',
			patched(good, at(good, 0xc4) + 5, 2),
			/Huffman table has too many codes of 1 bits/,
		],
		['a file cut in its headers', good.slice(0, sof + 3), /truncated/],
	];
	for (const [what, data, message] of bad)
		it(`refuses ${what} with one line`, () => {
			expect(() => inspectJpeg('p.jpg', data))
				.to.throw(JpegError)
				.with.property('message')
				.that.matches(message)
				.and.does.not.include('\n');
		});

	it('notices a cut at every 7th byte', () => {
		for (let size = 0; size < good.length; size += 7)
			expect(() => inspectJpeg('p.jpg', good.slice(0, size)), `${size}`).to.throw(JpegError);
	});

	const scales: [Subsampling, [number, number], string][] = [
		['444', [1, 2], '1x2,1x2,1x2'],
		['444', [2, 1], '2x1,2x1,2x1'],
		['444', [3, 1], '3x1,3x1,3x1'],
		['422', [1, 2], '2x2,1x2,1x2'],
		['422', [2, 1], '4x1,2x1,2x1'],
		['422T', [2, 1], '2x2,2x1,2x1'],
		['422T', [1, 2], '1x4,1x2,1x2'],
		['420', [2, 1], '4x2,2x1,2x1'],
	];
	for (const [subsampling, scale, factors] of scales)
		for (const restartInterval of [0, 2])
			it(`takes sampling factors as ratios: ${factors}, restart interval ${restartInterval}, is ${subsampling}`, () => {
				// A size that no MCU divides.
				const odd = { ...image, width: 37, height: 21 };
				const file = encodeJpeg(odd, { subsampling, scale, restartInterval });
				const info = inspectJpeg('a.jpg', file);
				expect(info).to.include({ width: 37, height: 21, subsampling });
				expect(info.recoded!.why).to.equal(`sampling factors ${factors}`);
				expect(samples(info.recoded!.bytes)).to.deep.equal(samples(encodeJpeg(odd, { subsampling })));
				expect(inspectJpeg('again.jpg', info.recoded!.bytes)).to.include({ subsampling, recoded: null });
			});

	it('does not mind the factors of a picture of one component', () => {
		const grey = encodeJpeg(image, { subsampling: '400' });
		const odd = patched(grey, at(grey, 0xc0) + 11, 0x22);
		expect(inspectJpeg('a.jpg', odd)).to.include({ subsampling: '400', recoded: null });
	});

	const files: [string, Subsampling, RegExp][] = [
		['444-as-1x2', '444', /^sampling factors 1x2,1x2,1x2$/],
		['420-three-scans', '420', /^more than one scan$/],
		['444-two-scans', '444', /^sampling factors 2x1,2x1,2x1$/],
	];
	for (const [name, subsampling, why] of files)
		it(`writes ${name}.jpg again, and no coefficient is another`, () => {
			const file = new Uint8Array(readFileSync(`tests/tools/jpeg/${name}.jpg`));
			const info = inspectJpeg(name, file);
			expect(info).to.include({ width: 32, height: 32, subsampling });
			expect(info.recoded!.why).to.match(why);
			expect(samples(info.recoded!.bytes)).to.deep.equal(samples(file));
		});

	it('says which component has no scan, and when one has two', () => {
		const file = new Uint8Array(readFileSync('tests/tools/jpeg/420-three-scans.jpg'));
		const scans = [...file.keys()].filter((i) => file[i] === 0xff && file[i + 1] === 0xda);
		expect(scans).to.have.lengthOf(3);
		const short = Uint8Array.from([...file.subarray(0, scans[2]), 0xff, 0xd9]);
		expect(problem(short)).to.match(/EOI before the scan of component 3; expected SOS$/);
		const twice = Uint8Array.from([...file.subarray(0, -2), ...file.subarray(scans[2])]);
		expect(problem(twice)).to.match(/a second scan of component 3; expected EOI$/);
	});

	it('takes chroma tables of two numbers for one when they are alike', () => {
		const dht = at(good, 0xc4);
		// Cr quantised by a copy of table 1.
		const table = good.subarray(dqt + 69 + 5, dqt + 69 + 69);
		const copy = inserted(good, dht, 0xff, 0xdb, 0, 67, 2, ...table);
		const cr = at(copy, 0xc0) + 18;
		expect(copy[cr]).to.equal(1);
		expect(inspectJpeg('a.jpg', patched(copy, cr, 2))).to.include({ recoded: null });
	});

	it('writes a picture again whose weights have 16 bits and need but 8', () => {
		const table = good.subarray(dqt + 5, dqt + 69);
		const wide = Uint8Array.from([
			...good.subarray(0, dqt),
			...[0xff, 0xdb, 0, 131, 0x10, ...[...table].flatMap((weight) => [0, weight])],
			...good.subarray(dqt + 69),
		]);
		const info = inspectJpeg('a.jpg', wide);
		expect(info.recoded!.why).to.match(/16-bit/);
		expect(samples(info.recoded!.bytes)).to.deep.equal(samples(good));
		const large = wide.slice();
		large[dqt + 5 + 10] = 1;
		expect(problem(large)).to.match(
			/quantization table of 16-bit elements, \d+ among them, is not supported/,
		);
	});

	it('writes a picture again that brings tables of numbers which the engine has not, used or not', () => {
		const dht = at(good, 0xc4);
		const size = good[dht + 2]! * 256 + good[dht + 3]!;
		const more = inserted(good, dht, ...patched(good.subarray(dht, dht + 2 + size), 4, 0x13));
		expect(inspectJpeg('a.jpg', more).recoded!.why).to.equal('Huffman tables of numbers 2 or 3');
		expect(samples(inspectJpeg('a.jpg', more).recoded!.bytes)).to.deep.equal(samples(good));
	});

	it('refuses a table behind the last scan, as the driver does', () => {
		const table = good.subarray(dqt, dqt + 69);
		expect(problem(inserted(good, good.length - 2, ...table))).to.match(
			/a table behind the last scan; expected EOI$/,
		);
	});

	it('takes extended sequential frames of 8 bits for what they are: baseline', () => {
		expect(inspectJpeg('a.jpg', patched(good, sof, 0xff, 0xc1))).to.include({ recoded: null });
	});

	it('skips fill bytes before a restart marker, before EOI and in front of a stuffed zero', () => {
		const file = encodeJpeg(image, { subsampling: '420', restartInterval: 2 });
		const { scanStart } = inspectJpeg('a.jpg', file);
		const stuffed = [...file.keys()].find((i) => i >= scanStart && file[i] === 0xff && file[i + 1] === 0)!;
		for (const place of [at(file, 0xd0), at(file, 0xd1), at(file, 0xd9), stuffed])
			for (const fill of [[0xff], [0xff, 0xff, 0xff]])
				expect(inspectJpeg('a.jpg', inserted(file, place, ...fill)), `${place}`).to.include({ surplus: 0 });
	});

	it('lets trailing bytes, comments behind the scan and pictures inside of APP segments be', () => {
		const inner = [0xff, 0xe1, 0, 2 + 6, 0xff, 0xd8, 0xff, 0xda, 0xff, 0xd9];
		const full = inserted(inserted(good, good.length, 1, 2, 0xff, 0xd8), 2, ...inner);
		const end = inspectJpeg('a.jpg', full).scanEnd;
		expect(inspectJpeg('a.jpg', inserted(full, end, 0xff, 0xfe, 0, 3, 0x41))).to.include({
			width: 40,
			surplus: 0,
		});
	});

	it('counts the bytes that nobody needs behind the last MCU', () => {
		const { scanEnd } = inspectJpeg('a.jpg', good);
		expect(inspectJpeg('a.jpg', inserted(good, scanEnd, 1, 2, 0xff, 0, 3)).surplus).to.equal(4);
	});

	it('calls no file truncated that has its EOI, whatever byte of its data is wrong', () => {
		const file = encodeJpeg(image, { subsampling: '420', restartInterval: 2 });
		const { scanStart, scanEnd } = inspectJpeg('a.jpg', file);
		const next = random(1);
		let damaged = 0;
		for (let place = scanStart; place < scanEnd; place++) {
			const wrong = patched(file, place, file[place]! ^ (1 + Math.floor(next() * 255)));
			const said = problem(wrong);
			expect(said, `byte ${place}`).not.to.match(/truncated/);
			if (said === '') continue;
			damaged++;
			expect(said, `byte ${place}`).to.match(/^p\.jpg: offset 0x[0-9a-f]+: the picture data is damaged/);
		}
		expect(damaged).to.be.greaterThan(20);
	});
});
