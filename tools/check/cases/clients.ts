// SPDX-License-Identifier: GPL-2.0-only
// Clients on a whole board: a picture decoded and shown, frames that go out and come back, every byte by DMA.

import { readFileSync } from 'node:fs';
import jpeg from 'jpeg-js';
import { dev_close } from '#linux/netdevice.js';
import { frame, Port, packet } from '#tests/drivers/net/ethernet/stmicro/stmmac/port.js';
import { watched } from '#tests/machine.js';
import { encodeJpeg } from '#tools/jpeg-encode.js';
import { inspectJpeg } from '#tools/jpeg-info.js';
import { BOARD_DTB, NO_IOMMU_DTB } from '#tools/project.js';
import { Board } from '#tools/run/board.js';
import { runJob } from '#tools/run/job.js';
import { type Case, CLIENTS } from '../case.js';
import type { Rig } from '../rig.js';

const group = 'clients';

/** How far the colours on the screen may be from those of another decoder: fixed-point arithmetic, chroma by halves. */
const COLOUR = 40;

function picture(width: number, height: number): Uint8Array {
	const data = Uint8Array.from(
		{ length: width * height * 3 },
		(_x, i) => 60 + ((((i / 3) % width) * 2 + Math.floor(i / (3 * width))) % 130),
	);
	return encodeJpeg({ width, height, data }, { subsampling: '420' });
}

/** Decode and show a picture of @width x @height on a board. */
function job(rig: Rig, dtb: string, commandLine: string, width: number, height: number): void {
	const data = picture(width, height);
	const board = rig.elsewhere(
		(options) =>
			new Board(
				dtb,
				new Uint8Array(readFileSync(dtb)),
				watched({ ...options, commandLine: `page_placement=scattered,1 ${commandLine}` }),
			),
		({ machine }) => machine,
	);
	for (let round = 0; round < 2; round++) {
		const { raster } = runJob(board, data, inspectJpeg('picture.jpg', data));
		rig.holds('nothing is on the screen', raster !== null);
		rig.equal('the size of what is shown', [raster!.width, raster!.height], [width, height]);
		const wanted = jpeg.decode(data, { useTArray: true }).data;
		let worst = 0;
		for (let i = 0; i < width * height; i++)
			for (let c = 0; c < 3; c++)
				worst = Math.max(worst, Math.abs(wanted[4 * i + c] - raster!.rgb[3 * i + c]));
		rig.holds(
			`the colours on the screen are up to ${worst} of 255 from those of the picture`,
			worst <= COLOUR,
		);
	}
}

const SHAPES: readonly (readonly [size: number, linear: number, frags: number])[] = [
	[60, 60, 0],
	[64, 20, 1],
	[255, 255, 0],
	[256, 256, 0],
	[900, 1, 2],
	[1514, 1514, 0],
	[1514, 66, 3],
	[1514, 14, 17],
];

function loop(rig: Rig, narrow: boolean): void {
	const port = rig.elsewhere(
		(options) => new Port(narrow, 'swiotlb=1024', options),
		({ machine }) => machine,
	);
	for (let round = 0; round < 2; round++) {
		rig.equal('dev_open()', port.open(), 0);
		let left = port.leakCheck();
		for (let turn = 0; turn < 5; turn++) {
			// What is kept is kept from the first frames on.
			if (turn === 1) left = port.leakCheck();
			port.received.length = 0;
			for (const [i, [size, linear, frags]] of SHAPES.entries())
				rig.equal(
					`sending ${size} bytes in ${frags} fragments`,
					port.send(packet(frame(size, i + turn), linear, frags)),
					0,
				);
			port.settle();
			rig.equal('frames that came back', port.received.length, SHAPES.length);
			for (const [i, [size]] of SHAPES.entries())
				rig.holds(
					`frame ${i} came back as another`,
					Buffer.compare(port.received[i], frame(size, i + turn)) === 0,
				);
		}
		rig.equal(
			'what is left of frames',
			left().filter((line) => !/pages$/.test(line)),
			[],
		);
		// With frames under way.
		for (let i = 0; i < 5; i++) port.send(packet(frame(1200, i), 200, 2));
		dev_close(port.net);
	}
}

const needs = [CLIENTS];

export const clients: readonly Case[] = [
	{
		group,
		says: 'a picture is decoded and shown through the IOMMU, from memory in pieces',
		blames: 'client',
		needs,
		elsewhere: true,
		run: (rig) => job(rig, BOARD_DTB, 'cma=0', 48, 32),
	},
	{
		group,
		says: 'a picture is decoded and shown with deferred flushes asked for',
		blames: 'client',
		needs,
		elsewhere: true,
		run: (rig) => job(rig, BOARD_DTB, 'cma=0 iommu.strict=0', 48, 32),
	},
	{
		group,
		says: 'a picture is decoded and shown, passed through',
		blames: 'client',
		needs,
		elsewhere: true,
		run: (rig) => job(rig, BOARD_DTB, 'cma=16M iommu.passthrough=1', 48, 32),
	},
	{
		group,
		says: 'a picture is decoded and shown without an IOMMU',
		blames: 'client',
		needs,
		elsewhere: true,
		run: (rig) => job(rig, NO_IOMMU_DTB, 'cma=16M', 48, 32),
	},
	{
		group,
		says: 'frames come back by the loop as they went out',
		blames: 'client',
		needs,
		elsewhere: true,
		run: (rig) => loop(rig, false),
	},
	{
		group,
		says: 'frames come back by the loop as they went out, bounced',
		blames: 'client',
		needs,
		elsewhere: true,
		run: (rig) => loop(rig, true),
	},
];
