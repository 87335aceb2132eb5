// SPDX-License-Identifier: GPL-2.0-only
// The whole job: a JPEG file in, a raster out; and a device that goes astray.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { decode, encode } from 'fast-png';
import jpeg from 'jpeg-js';
import type { Raster } from '#hw/display/monitor.js';
import { boardBlob } from '#tests/boot.js';
import { watched } from '#tests/machine.js';
import { sanitiserOf } from '#tests/sanitiser.js';
import { expectFinding } from '#tests/setup.js';
import { encodeJpeg } from '#tools/jpeg-encode.js';
import { inspectJpeg } from '#tools/jpeg-info.js';
import { PROJECT } from '#tools/project.js';
import { Board } from '#tools/run/board.js';
import { JobError, type JobResult, runJob } from '#tools/run/job.js';
import { leaks, pictureLines } from '#tools/run/report.js';
import {
	engineIsTranslated,
	type RogueFacts,
	readSecret,
	SECRET,
	writeReadOnly,
	writeSecret,
} from '#tools/run/rogue.js';

const H6 = 'sun50i-h6-orangepi-3';
/** The video engine's registers (sun50i-h6.dtsi), and its bus gate and reset (ccu-sun50i-h6.c). */
const VIDEO_ENGINE = 0x1c0_e000;
const VIDEO_ENGINE_GATE = 0x300_169c;
const FRAGMENTED = 'cma=0 page_placement=scattered,1';

/** Full-range BT.601 as the mixer has it: factors in 1/2^17 (Linux 6.12, sun8i_csc.c: yuv2rgb_de3). */
const ONE = 0x20000;
const [RV, GU, GV, BU] = [0x2cdd2, -0xb032, -0x16da3, 0x38b43];

const clamp = (v: number): number => Math.min(255, Math.max(0, Math.round(v)));

/** What the monitor must show: @data decoded by the library alone, one pixel at a time. */
function expected(data: Uint8Array): Uint8Array {
	const { width, height, data: ycc } = jpeg.decode(data, { colorTransform: false, useTArray: true });
	const out = new Uint8Array(width * height * 3);
	for (let i = 0; i < width * height; i++) {
		const [y, u, v] = [ycc[4 * i]!, ycc[4 * i + 1]! - 128, ycc[4 * i + 2]! - 128];
		out[3 * i] = clamp((ONE * y + RV * v) / ONE);
		out[3 * i + 1] = clamp((ONE * y + GU * u + GV * v) / ONE);
		out[3 * i + 2] = clamp((ONE * y + BU * u) / ONE);
	}
	return out;
}

/** The raster as a reader of the PNG file gets it. */
function throughPng(raster: Raster): Uint8Array {
	const png = decode(encode({ width: raster.width, height: raster.height, data: raster.rgb, channels: 3 }));
	return new Uint8Array(png.data.buffer, png.data.byteOffset, png.data.byteLength);
}

function picture(width: number, height: number): Uint8Array {
	const data = Uint8Array.from(
		{ length: width * height * 3 },
		(_, i) => (i * 5 + ((i / (3 * width)) | 0) * 7) & 0xff,
	);
	return encodeJpeg({ width, height, data }, { subsampling: '420' });
}

function run(board: Board, data: Uint8Array, meanwhile?: () => unknown): JobResult {
	return runJob(board, data, inspectJpeg('test.jpg', data), meanwhile);
}

describe('tools_run_job', () => {
	it('has the sanitiser watch it, which would speak and does not', () => {
		const board = new Board('board', boardBlob(H6), watched());
		const san = sanitiserOf(board.machine);
		run(board, picture(64, 48));
		expect(san.check('the job')).to.equal(0);
		expect(san.text()).to.equal('');
		expectFinding(/unpowered-access in 1c0e000\.video-codec/);
		board.machine.mmio_write(VIDEO_ENGINE_GATE, 4, 0);
		board.machine.mmio_read(VIDEO_ENGINE, 4);
	});

	it('shows the default picture pixel by pixel as a decoder outside the machine has it', () => {
		const data = new Uint8Array(readFileSync(join(PROJECT, 'examples/picture.jpg')));
		const { raster } = run(new Board('board', boardBlob(H6), watched({ commandLine: FRAGMENTED })), data);
		expect([raster!.width, raster!.height]).to.deep.equal([800, 608]);
		expect(Buffer.compare(throughPng(raster!), expected(data))).to.equal(0);
	});

	it('does so with odd sizes and no IOMMU', () => {
		const data = picture(97, 55);
		const { raster, cmaBytes } = run(new Board('board', boardBlob(`${H6}-noiommu`), watched()), data);
		expect(cmaBytes).to.be.greaterThan(0);
		expect(Buffer.compare(throughPng(raster!), expected(data))).to.equal(0);
	});

	it('shows 4:4:4 in whatever sampling factors, as ffmpeg writes it, and says what became of it', () => {
		const data = new Uint8Array(readFileSync(join(PROJECT, 'tests/tools/jpeg/444-as-1x2.jpg')));
		const info = inspectJpeg('a.jpg', data);
		const board = new Board('board', boardBlob(H6), watched({ commandLine: FRAGMENTED }));
		const job = runJob(board, data, info);
		const { data: ycc } = jpeg.decode(data, { colorTransform: false, useTArray: true });
		for (let i = 0; i < 32 * 32; i++) {
			// Green is that of the mean of 2 x 2 chroma samples.
			const at = (dx: number, dy: number): number => 4 * (((i >> 5) & ~1) + dy) * 32 + 4 * ((i & 30) + dx);
			const mean = (c: number): number =>
				((ycc[at(0, 0) + c]! + ycc[at(1, 0) + c]! + ycc[at(0, 1) + c]! + ycc[at(1, 1) + c]! + 2) >> 2) - 128;
			const green = clamp((ONE * ycc[4 * i]! + GU * mean(1) + GV * mean(2)) / ONE);
			expect(job.raster!.rgb[3 * i + 1], `pixel ${i}`).to.equal(green);
		}
		expect(pictureLines('a.jpg', data.length, info, job).slice(1)).to.deep.equal([
			'  coded again for the engine, without loss: the file has sampling factors 1x2,1x2,1x2',
			'  colour halved in width and height: the engine writes NV12, which is 4:2:0',
		]);
	});

	it('says of what nothing is lost nothing', () => {
		for (const subsampling of ['420', '400'] as const) {
			const data = encodeJpeg({ width: 16, height: 16, data: new Uint8Array(768) }, { subsampling });
			const board = new Board('board', boardBlob(H6), watched({ commandLine: FRAGMENTED }));
			const info = inspectJpeg('a.jpg', data);
			expect(pictureLines('a.jpg', data.length, info, runJob(board, data, info))).to.have.lengthOf(1);
		}
	});

	it('ends in one line when the engine cannot decode what it got', () => {
		const data = picture(32, 32);
		const info = inspectJpeg('a.jpg', data);
		const board = new Board('board', boardBlob(H6), watched({ commandLine: FRAGMENTED }));
		expect(() => runJob(board, data.fill(0x55, info.scanStart, info.scanEnd), info)).to.throw(
			JobError,
			/^decoding: a\.jpg: the engine could not decode the picture: its data is damaged$/,
		);
	});

	it('makes its buffers of scattered pages without a byte of CMA, and gives all back', () => {
		const board = new Board('board', boardBlob(H6), watched({ commandLine: FRAGMENTED }));
		const before = Board.allocated();
		const job = run(board, picture(320, 240));
		expect(job.cmaBytes).to.equal(0);
		expect(job.picture.mapped!.pieces).to.be.greaterThan(20);
		expect(job.unmapped.bytes).to.equal(job.mapped.bytes);
		expect(leaks(before, Board.allocated(), job, ['30f0000.iommu']).leaked).to.equal(false);
	});

	it('needs CMA for the same with translation off', () => {
		const commandLine = 'cma=64M iommu.passthrough=1 page_placement=scattered,1';
		const board = new Board('board', boardBlob(H6), watched({ commandLine }));
		const job = run(board, picture(320, 240));
		expect(job.cmaBytes).to.be.greaterThan(320 * 240 * 1.5);
		expect(job.mapped.pieces).to.equal(0);
	});

	for (const [name, rogue, line] of [
		[
			'reads what the kernel keeps to itself',
			readSecret,
			/Page fault for 0x[0-9a-f]{13}000 \(master 3, dir rd\)/,
		],
		[
			'writes what the kernel keeps to itself',
			writeSecret,
			// Where nothing is mapped the driver does not know the direction (sun50i_iommu_handle_pt_irq()).
			/Page fault for 0x[0-9a-f]{13}000 \(master 3, dir rd\)/,
		],
		[
			'writes what is mapped for reading only',
			writeReadOnly,
			/Page fault for 0x[0-9a-f]{16} \(master 3, dir wr\)/,
		],
	] as const)
		it(`stops an engine that ${name}, says so, and changes no byte`, () => {
			expectFinding(/(never-mapped in (read|write)|wrong-direction in write) by 1c0e000\.video-codec/);
			const board = new Board('board', boardBlob(H6), watched({ commandLine: FRAGMENTED }));
			const facts = run(board, picture(64, 48), () => rogue(board)).aside as RogueFacts;
			expect(facts).to.include({ stopped: true, written: 0, changed: 0, overwritten: null });
			expect(facts.stolen).to.have.lengthOf(0);
			expect(facts.log.filter((l) => line.test(l))).to.have.lengthOf(1);
		});

	it('has the engine get at the secret, byte for byte, where nothing is in its way, and harms nothing else', () => {
		expectFinding(/never-mapped in (read|write) by 1c0e000\.video-codec/);
		const board = new Board('board', boardBlob(`${H6}-noiommu`), watched({ commandLine: 'cma=64M' }));
		const before = Board.allocated();
		const job = run(board, picture(64, 48), () => [readSecret(board), writeSecret(board)]);
		const [read, write] = job.aside as [RogueFacts, RogueFacts];
		expect(read).to.include({ stopped: false, written: 0, changed: 0, overwritten: null });
		expect(new TextDecoder().decode(read.stolen)).to.equal(SECRET);
		expect(write).to.include({ stopped: false, written: 384 });
		expect(write.changed).to.be.within(1, 384);
		expect(new TextDecoder().decode(write.overwritten!.before)).to.equal(SECRET);
		expect(write.overwritten!.after).not.to.deep.equal(write.overwritten!.before);
		expect(run(board, picture(64, 48)).raster, 'the next job').to.deep.equal(job.raster);
		expect(leaks(before, Board.allocated(), job, []).leaked).to.equal(false);
	});

	it('knows whether anything is in the way of the engine', () => {
		for (const [commandLine, translated] of [
			['', true],
			['iommu.passthrough=1', false],
		] as const) {
			new Board(H6, boardBlob(H6), watched({ commandLine }));
			expect(engineIsTranslated()).to.equal(translated);
		}
	});
});
