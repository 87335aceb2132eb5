// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
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
	const bad: [string, Uint8Array, RegExp][] = [
		['an empty file', new Uint8Array(0), /^p\.jpg: offset 0x0: the file is empty/],
		[
			'a PNG',
			Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10),
			/not a JPEG file: it begins with 0x89 0x50; expected 0xff 0xd8/,
		],
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
		['odd sampling factors', patched(good, sof + 11, 0x41), /sampling factors 4x1,1x1,1x1 are not supported/],
		['16-bit quantization', patched(good, dqt + 4, 0x10), /quantization table of 16-bit elements/],
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
			/truncated: the picture data ends after \d+ of 6 MCUs$/,
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
});
