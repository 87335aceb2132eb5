// SPDX-License-Identifier: GPL-2.0-only
// The job: a JPEG file through the video engine onto the screen.

import { close_fd } from '#fs/file.js';
import { monitorOf, type Raster } from '#hw/monitor.js';
import type { JpegInfo } from '#tools/jpeg-info.js';
import { VideoDevice } from '#tools/v4l2.js';
import { Board, type Mapped } from './board.js';
import { Display } from './display.js';
import { UserError } from './user-error.js';

/** What one buffer is made of. */
export interface BufferFacts {
	readonly bytes: number;
	/** Pieces of physically contiguous memory; null where no IOMMU maps it. */
	readonly mapped: Mapped | null;
}

export interface JobResult {
	readonly bitstream: BufferFacts;
	readonly picture: BufferFacts;
	/** Most bytes of CMA in use for the job. */
	readonly cmaBytes: number;
	readonly raster: Raster | null;
	/** Virtual time of the decoding, ns. */
	readonly decodeNs: number;
	readonly mapped: Mapped;
	readonly unmapped: Mapped;
	/** What @meanwhile answered. */
	readonly aside: unknown;
}

function facts(bytes: number, mapped: Mapped): BufferFacts {
	return { bytes, mapped: mapped.pieces === 0 ? null : mapped };
}

/** The upper left @width x @height of a raster. */
function cropped(raster: Raster | null, width: number, height: number): Raster | null {
	if (raster === null || (raster.width === width && raster.height === height)) return raster;
	const rgb = new Uint8Array(width * height * 3);
	for (let y = 0; y < height; y++) {
		const from = y * raster.width * 3;
		rgb.set(raster.rgb.subarray(from, from + width * 3), y * width * 3);
	}
	return { width, height, rgb };
}

/**
 * Decode @jpeg and show it; where @info has it recoded for the engine, that is what the engine gets. @meanwhile is called while the picture is on the screen and the engine still streams.
 * Everything is closed at the end. The system calls' errors come as SyscallError.
 */
export function runJob(
	board: Board,
	jpeg: Uint8Array,
	info: JpegInfo,
	meanwhile: () => unknown = () => null,
): JobResult {
	const stream = info.recoded?.bytes ?? jpeg;
	const cmaBefore = Board.cmaBytes().now;
	const sum = { mapped: { pieces: 0, bytes: 0 }, unmapped: { pieces: 0, bytes: 0 } };
	const traced = <T>(what: () => T): { result: T; mapped: Mapped } => {
		const t = Board.traced(what);
		for (const key of ['mapped', 'unmapped'] as const) {
			sum[key].pieces += t[key].pieces;
			sum[key].bytes += t[key].bytes;
		}
		return t;
	};
	const video = traced(() => new VideoDevice()).result;
	const format = traced(() => video.setJpegFormat(info.width, info.height, stream.length)).result;
	const bitstream = traced(() => video.requestBuffers('output', 1)).mapped;
	const picture = traced(() => video.requestBuffers('capture', 1)).mapped;
	const { raster, decodeNs, aside, bitstreamBytes } = traced(() => {
		const mapping = video.map('output');
		mapping.bytes.set(stream);
		const bitstreamBytes = mapping.bytes.length;
		mapping.unmap();
		video.queue('output', 0, stream.length);
		video.queue('capture');
		const start = board.machine.now();
		video.streamOn('output');
		video.streamOn('capture');
		const done = video.dequeue('capture');
		video.dequeue('output');
		const decodeNs = board.machine.now() - start;
		if (done.failed)
			throw new UserError(`${info.file}: the engine could not decode the picture: its data is damaged`);
		const fd = video.export('capture');
		const display = Display.open();
		// NV12: the rows of luma, then those of chroma. The display takes pairs of pixels, and the engine made them.
		display.show(fd, {
			width: info.width + (info.width % 2),
			height: info.height + (info.height % 2),
			pitch: format.bytesperline,
			offsets: [0, format.bytesperline * format.height],
		});
		const raster = cropped(monitorOf(board.machine).capture(), info.width, info.height);
		const aside = meanwhile();
		display.close();
		close_fd(fd);
		video.streamOff('output');
		video.streamOff('capture');
		return { raster, decodeNs, aside, bitstreamBytes };
	}).result;
	const cmaMost = Board.cmaBytes().most;
	traced(() => {
		video.requestBuffers('capture', 0);
		video.requestBuffers('output', 0);
		video.close();
	});
	return {
		bitstream: facts(bitstreamBytes, bitstream),
		picture: facts(format.sizeimage, picture),
		cmaBytes: Math.max(0, cmaMost - cmaBefore),
		raster,
		decodeNs,
		mapped: sum.mapped,
		unmapped: sum.unmapped,
		aside,
	};
}
