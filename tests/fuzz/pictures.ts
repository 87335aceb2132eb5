// SPDX-License-Identifier: GPL-2.0-only
// Pictures that somebody, or something, has spoilt: the end is a picture, or one line that says what is wrong.

import { boardBlob } from '#tests/boot.js';
import { type FuzzTarget, pick } from '#tests/fuzz/fuzz.js';
import { type EncodeOptions, encodeJpeg, type RgbImage } from '#tools/jpeg-encode.js';
import { inspectJpeg, JpegError, type JpegInfo } from '#tools/jpeg-info.js';
import { Board } from '#tools/run/board.js';
import { VideoDevice } from '#tools/v4l2.js';

type Random = () => number;

const FILE = 'fuzz.jpg';
/** Two seconds are what the driver's watchdog waits; no picture of these takes a tenth of that. */
const MOST_NS = 3e9;

const below = (random: Random, n: number): number => Math.floor(random() * n);

function image(width: number, height: number): RgbImage {
	const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * 7 + (i >> 6) * 31) & 0xff);
	return { width, height, data };
}

const OPTIONS: readonly EncodeOptions[] = [
	{ subsampling: '420' },
	{ subsampling: '420', restartInterval: 2 },
	{ subsampling: '422', restartInterval: 1 },
	{ subsampling: '422', scale: [1, 2] },
	{ subsampling: '444' },
	{ subsampling: '444', scale: [2, 1], restartInterval: 3 },
	{ subsampling: '422T', scale: [2, 1] },
	{ subsampling: '400', restartInterval: 5 },
];

/** A segment: where its marker and its end are; the last one is the scan with its data, up to EOI. */
interface Segment {
	readonly marker: number;
	readonly start: number;
	readonly end: number;
}

function segmentsOf(data: Uint8Array): Segment[] {
	const out: Segment[] = [];
	for (let start = 2; start + 4 <= data.length && data[start] === 0xff; ) {
		const marker = data[start + 1]!;
		const end = marker === 0xda ? data.length - 2 : start + 2 + data[start + 2]! * 256 + data[start + 3]!;
		out.push({ marker, start, end });
		start = end;
	}
	return out;
}

function joined(...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array {
	return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function withByte(data: Uint8Array, at: number, byte: number): Uint8Array {
	const out = data.slice();
	if (at >= 0 && at < out.length) out[at] = byte;
	return out;
}

/** Bytes at which something changes. */
const EDGES = [0, 1, 2, 3, 4, 0x11, 0x12, 0x21, 0x22, 0x41, 0x7f, 0x80, 0xfe, 0xff];
const MARKERS = [
	0x00, 0x01, 0xc0, 0xc1, 0xc2, 0xc4, 0xc8, 0xc9, 0xcc, 0xd0, 0xd7, 0xd8, 0xd9, 0xda, 0xdb, 0xdc, 0xdd, 0xe0,
	0xee, 0xfe, 0xff,
];

/** One change; @whole is a picture to take parts of. */
type Mutation = (random: Random, data: Uint8Array, whole: Uint8Array) => Uint8Array;

const anySegment = (random: Random, data: Uint8Array): Segment =>
	pick(random, [...segmentsOf(data), { marker: 0, start: 0, end: data.length }]);

const MUTATIONS: readonly Mutation[] = [
	function flip(random, data) {
		const at = below(random, data.length);
		return withByte(data, at, data[at]! ^ (1 << below(random, 8)));
	},
	function header(random, data) {
		const { start, end } = anySegment(random, data);
		return withByte(data, start + 4 + below(random, Math.min(end - start, 24)), pick(random, EDGES));
	},
	function factors(random, data) {
		const frame = segmentsOf(data).find(({ marker }) => marker === 0xc0);
		if (frame === undefined) return data;
		const at = frame.start + 11 + 3 * below(random, 3);
		return withByte(data, at, ((1 + below(random, 4)) << 4) | (1 + below(random, 4)));
	},
	function marker(random, data) {
		return withByte(data, anySegment(random, data).start + 1, pick(random, MARKERS));
	},
	function length(random, data) {
		return withByte(data, anySegment(random, data).start + 2 + below(random, 2), pick(random, EDGES));
	},
	function cut(random, data) {
		return data.slice(0, below(random, data.length + 1));
	},
	function cutAndClosed(random, data) {
		return joined(data.slice(0, below(random, data.length + 1)), [0xff, 0xd9]);
	},
	function dropped(random, data) {
		const { start, end } = anySegment(random, data);
		return joined(data.slice(0, start), data.slice(end));
	},
	function twice(random, data) {
		const { start, end } = anySegment(random, data);
		return joined(data.slice(0, end), data.slice(start, end), data.slice(end));
	},
	function spliced(random, data, whole) {
		const [from, to] = [pick(random, segmentsOf(whole)), anySegment(random, data)];
		return joined(data.slice(0, to.start), whole.slice(from.start, from.end), data.slice(to.end));
	},
	function inserted(random, data) {
		const at = below(random, data.length + 1);
		const bytes = pick(random, [[0xff], [0xff, 0xff], [0xff, pick(random, MARKERS)], [pick(random, EDGES)]]);
		return joined(data.slice(0, at), bytes, data.slice(at));
	},
	function removed(random, data) {
		const at = below(random, data.length);
		return joined(data.slice(0, at), data.slice(at + 1 + below(random, 8)));
	},
];

function inspected(data: Uint8Array): JpegInfo | null {
	try {
		return inspectJpeg(FILE, data);
	} catch (e) {
		if (!(e instanceof JpegError)) throw e;
		if (!/^fuzz\.jpg: offset 0x[0-9a-f]+: [\x20-\x7e]+$/.test(e.message))
			throw new Error(`no clear line: ${e.message}`);
		return null;
	}
}

/** Whether the driver and the engine made a picture of @data. They may refuse; they may not be silent. */
function decoded(board: Board, data: Uint8Array, width: number, height: number): boolean {
	const start = board.machine.now();
	const video = new VideoDevice();
	video.setJpegFormat(width, height, Math.max(data.length, 1));
	video.requestBuffers('output', 1);
	video.requestBuffers('capture', 1);
	const mapping = video.map('output');
	mapping.bytes.set(data);
	mapping.unmap();
	video.queue('output', 0, data.length);
	video.queue('capture');
	video.streamOn('output');
	video.streamOn('capture');
	const { failed } = video.dequeue('capture');
	video.dequeue('output');
	video.streamOff('output');
	video.streamOff('capture');
	video.close();
	const took = board.machine.now() - start;
	if (took > MOST_NS) throw new Error(`the engine was busy for ${took} ns`);
	return !failed;
}

/** Spoilt pictures through the check of the file, the driver and the engine's model, on one machine. */
export function pictureFuzzer(): FuzzTarget {
	let board: Board | null = null;
	const size = { width: 40, height: 24 };
	const pictures = OPTIONS.map((options) => encodeJpeg(image(size.width, size.height), options));
	return {
		name: 'pictures',
		step(random) {
			board ??= new Board('fuzz', boardBlob('sun50i-h6-orangepi-3'), { commandLine: 'cma=0' });
			const whole = pick(random, pictures);
			let data = pick(random, pictures);
			for (let n = 1 + below(random, 3); n > 0; n--) data = pick(random, MUTATIONS)(random, data, whole);
			try {
				const info = inspected(data);
				// A tool that does not look first: whatever comes of it, it comes.
				if (info === null && data.length > 0) decoded(board, data, size.width, size.height);
				if (info === null) return;
				// Data that nobody needs is a sign of damage: the engine may refuse it, too.
				const { width, height, surplus, recoded } = info;
				if (!decoded(board, recoded?.bytes ?? data, width, height) && surplus === 0)
					throw new Error('the engine refused what the check of the file had accepted');
			} catch (e) {
				board = null;
				const text = e instanceof Error ? (e.stack ?? e.message) : String(e);
				throw new Error(`${text}\npicture: ${Buffer.from(data).toString('base64')}`);
			}
		},
	};
}

/** The one that `make fuzz` takes; a test makes its own, since its machine is not the only one there. */
export const pictures = pictureFuzzer();
