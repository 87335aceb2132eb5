// SPDX-License-Identifier: GPL-2.0-only
// A picture as a PNG file (ISO/IEC 15948), by the zlib that Node has.
import { crc32, deflateSync } from 'node:zlib';
import type { Raster } from '#hw/display/monitor.js';

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const DEPTH = 8;
const TRUECOLOUR = 2;
/** Of filters, the difference to the pixel at the left; of levels, one that is quick: a third smaller than unfiltered. */
const SUB = 1;
const LEVEL = 3;

function chunk(type: string, data: Uint8Array): Buffer {
	const out = Buffer.alloc(data.length + 12);
	out.writeUInt32BE(data.length, 0);
	out.write(type, 4, 'latin1');
	out.set(data, 8);
	out.writeUInt32BE(crc32(out.subarray(4, data.length + 8)), data.length + 8);
	return out;
}

export function pngOf({ width, height, rgb }: Raster): Uint8Array {
	const head = Buffer.alloc(13);
	head.writeUInt32BE(width, 0);
	head.writeUInt32BE(height, 4);
	head.set([DEPTH, TRUECOLOUR], 8);
	const pitch = width * 3;
	const rows = new Uint8Array(height * (pitch + 1));
	for (let y = 0; y < height; y++) {
		const to = y * (pitch + 1) + 1;
		rows[to - 1] = SUB;
		for (let i = 0; i < pitch; i++) rows[to + i] = rgb[y * pitch + i] - (i < 3 ? 0 : rgb[y * pitch + i - 3]);
	}
	return Buffer.concat([
		Buffer.from(SIGNATURE),
		chunk('IHDR', head),
		chunk('IDAT', deflateSync(rows, { level: LEVEL })),
		chunk('IEND', Buffer.alloc(0)),
	]);
}
