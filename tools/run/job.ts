// SPDX-License-Identifier: GPL-2.0-only
// The job: a JPEG file through the video engine onto the screen.

import { close_fd } from '#fs/file.js';
import { type Machine, MachineHang } from '#hw/core/machine.js';
import { monitorOf, type Raster } from '#hw/display/monitor.js';
import type { v4l2_pix_format } from '#include/uapi/linux/videodev2.js';
import { kernel_bug } from '#kernel/panic.js';
import { printk_state } from '#kernel/printk/printk.js';
import type { JpegInfo } from '#tools/jpeg-info.js';
import { SyscallError, VideoDevice } from '#tools/v4l2.js';
import { Board, type Mapped } from './board.js';
import { Display } from './display.js';

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

/** No system call failed, and still the picture is not there: the engine said so, or a device got no answer. */
class PictureError extends Error {}

/** The board that a job runs on. */
export interface JobBoard {
	readonly machine: Machine;
	/** The machine's remarks from note @from on. */
	remarks(from?: number): string[];
	/** Called before each step of the job. */
	begins?(step: string): void;
}

/** A job that a board could not do: at which step, and what kernel and machine said since that began. */
export class JobError extends Error {
	override readonly name = 'JobError';
	constructor(
		readonly step: string,
		override readonly cause: Error,
		readonly log: readonly string[],
		readonly remarks: readonly string[],
	) {
		super(`${step}: ${cause.message}`);
	}

	/** The device file that the board has not, when it is that. */
	get missing(): string | null {
		const { cause } = this;
		return cause instanceof SyscallError && cause.call.startsWith('open ') ? cause.call.slice(5) : null;
	}
}

function isOfTheBoard(e: unknown): e is Error {
	return [SyscallError, PictureError, MachineHang, kernel_bug].some((kind) => e instanceof kind);
}

/** Do one step of the job; when it fails, that is told with all that was said meanwhile. */
function step<T>(board: JobBoard, name: string, what: () => T): T {
	const from = printk_state.next_seq;
	const notes = board.machine.notes.length;
	board.begins?.(name);
	try {
		return what();
	} catch (e) {
		if (!isOfTheBoard(e)) throw e;
		throw new JobError(name, e, Board.log(from), board.remarks(notes));
	}
}

/** Accesses that were refused so far, by whose they were. */
function refusals(board: JobBoard): Map<string, number> {
	const refused = new Map<string, number>();
	for (const { name, stats } of board.machine.ports)
		refused.set(name, (refused.get(name) ?? 0) + stats.refused);
	return refused;
}

/** Whoever got no answer since @before shows something else. */
function checkAnswered(board: JobBoard, before: ReadonlyMap<string, number>): void {
	for (const [name, count] of refusals(board)) {
		const more = count - (before.get(name) ?? 0);
		if (more > 0) throw new PictureError(`${more} of the accesses of ${name} were refused`);
	}
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

/** What the monitor has of the NV12 picture in the dma-buf @fd. */
function shownOn(
	display: Display,
	board: JobBoard,
	fd: number,
	{ width, height }: JpegInfo,
	format: v4l2_pix_format,
): Raster | null {
	const before = refusals(board);
	// The rows of luma, then those of chroma. The display takes pairs of pixels, and the engine made them.
	display.show(fd, {
		width: width + (width % 2),
		height: height + (height % 2),
		pitch: format.bytesperline,
		offsets: [0, format.bytesperline * format.height],
	});
	const raster = cropped(monitorOf(board.machine).capture(), width, height);
	checkAnswered(board, before);
	return raster;
}

/**
 * Decode @jpeg, and show it where the board has a display; where @info has it recoded for the engine, that is what the
 * engine gets. @meanwhile is called while the picture is on the screen and the engine still streams.
 * Everything is closed at the end. What the board cannot do comes as JobError.
 */
export function runJob(
	board: JobBoard,
	jpeg: Uint8Array,
	info: JpegInfo,
	meanwhile: () => unknown = () => null,
): JobResult {
	const stream = info.recoded?.bytes ?? jpeg;
	const cmaBefore = Board.cmaBytes().now;
	const sum = { mapped: { pieces: 0, bytes: 0 }, unmapped: { pieces: 0, bytes: 0 } };
	const traced = <T>(name: string, what: () => T): { result: T; mapped: Mapped } => {
		const t = step(board, name, () => Board.traced(what));
		for (const key of ['mapped', 'unmapped'] as const) {
			sum[key].pieces += t[key].pieces;
			sum[key].bytes += t[key].bytes;
		}
		return t;
	};
	const { engine, display: shows } = Board.ways();
	// The engine takes pages from anywhere; a display that sees them so cannot show them, so the memory is the display's.
	const borrowed = engine === 'translated' && shows === 'direct';
	const video = traced('opening the video engine', () => new VideoDevice()).result;
	const format = traced('setting the format', () =>
		video.setJpegFormat(info.width, info.height, stream.length),
	).result;
	const display = shows === null ? null : traced('opening the display', () => Display.open()).result;
	const bitstream = traced('making the bitstream buffer', () => video.requestBuffers('output', 1)).mapped;
	const bitstreamBytes = traced('filling the bitstream buffer', () => {
		const mapping = video.map('output');
		mapping.bytes.set(stream);
		mapping.unmap();
		return mapping.bytes.length;
	}).result;
	const { result: lent, mapped: picture } = traced('making the picture buffer', () => {
		if (display === null || !borrowed) {
			video.requestBuffers('capture', 1);
			return null;
		}
		const fd = display.lend(format.bytesperline, Math.ceil(format.sizeimage / format.bytesperline));
		video.requestBuffers('capture', 1, true);
		return fd;
	});
	const { result: decodeNs, mapped: mappedForIt } = traced('decoding', () => {
		const before = refusals(board);
		video.queue('output', 0, stream.length);
		video.queue('capture', 0, 0, lent);
		const start = board.machine.now();
		video.streamOn('output');
		video.streamOn('capture');
		const done = video.dequeue('capture');
		video.dequeue('output');
		if (done.failed) {
			checkAnswered(board, before);
			throw new PictureError(`${info.file}: the engine could not decode the picture: its data is damaged`);
		}
		return board.machine.now() - start;
	});
	const { raster, aside } = traced('showing the picture', () => {
		const fd = lent ?? video.export('capture');
		const raster = display === null ? null : shownOn(display, board, fd, info, format);
		const aside = meanwhile();
		display?.close();
		close_fd(fd);
		video.streamOff('output');
		video.streamOff('capture');
		return { raster, aside };
	}).result;
	const cmaMost = Board.cmaBytes().most;
	traced('giving everything back', () => {
		video.requestBuffers('capture', 0);
		video.requestBuffers('output', 0);
		video.close();
	});
	return {
		bitstream: facts(bitstreamBytes, bitstream),
		// Memory that the display has lent is mapped for the engine when it is queued.
		picture: facts(format.sizeimage, lent === null ? picture : mappedForIt),
		cmaBytes: Math.max(0, cmaMost - cmaBefore),
		raster,
		decodeNs,
		mapped: sum.mapped,
		unmapped: sum.unmapped,
		aside,
	};
}
