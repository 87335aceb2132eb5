// SPDX-License-Identifier: GPL-2.0-only
// Boards with all of an IOMMU, a part of it, or none: what they are given, and that the job runs.
import { expect } from 'chai';
import { encodeJpeg } from '#tools/jpeg-encode.js';
import { inspectJpeg } from '#tools/jpeg-info.js';
import { Board, BootError } from '#tools/run/board.js';
import { JobError, type JobResult, runJob } from '#tools/run/job.js';
import { comparison, leaks } from '#tools/run/report.js';
import { bootFor, withoutIommus } from '#tools/run/setup.js';
import { CCU, ENGINE, IOMMU, MIXER, Tree } from './trees.js';

const MIB = 2 ** 20;
const picture = (width: number, height: number, step: number): Uint8Array =>
	encodeJpeg(
		{ width, height, data: new Uint8Array(width * height * 3).map((_, i) => i * step) },
		{ subsampling: '420' },
	);
const PICTURE = picture(128, 64, 7);

function boot(dtb: Uint8Array, append = '', mem: number | null = null): Board {
	return bootFor({
		path: 'board.dtb',
		dtb,
		mem,
		append: `dma_debug=all dma_debug_entries=512 ${append}`,
		watch: null,
	});
}

const job = (board: Board, jpeg = PICTURE): JobResult => runJob(board, jpeg, inspectJpeg('test.jpg', jpeg));

function failure(board: Board, jpeg = PICTURE): JobError {
	try {
		job(board, jpeg);
	} catch (e) {
		expect(e, String(e)).to.be.instanceOf(JobError);
		return e as JobError;
	}
	throw new Error('the job did not fail');
}

/** The picture that a sound board shows. */
let shown: Uint8Array;

describe('tools_run_setup', () => {
	before(() => {
		shown = job(boot(new Tree().blob())).raster!.rgb;
	});

	const phandle = new Tree().phandle(IOMMU);
	for (const [what, tree, engine, display, cma] of [
		['the IOMMU in front of both', new Tree(), 'translated', 'translated', 0],
		['a disabled IOMMU', new Tree().set(IOMMU, 'status', 'disabled'), 'direct', 'direct', 64],
		['an IOMMU that is not there', new Tree().remove(IOMMU), 'direct', 'direct', 64],
		['an IOMMU of another kind', new Tree().set(IOMMU, 'compatible', 'nobody,iommu'), 'direct', 'direct', 64],
		['an IOMMU without its clock', new Tree().set(IOMMU, 'clocks', null), 'direct', 'direct', 64],
		['a direct engine', new Tree().set(ENGINE, 'iommus', null), 'direct', 'translated', 64],
		['a direct display', new Tree().set(MIXER, 'iommus', null), 'translated', 'direct', 64],
		['too many #iommu-cells', new Tree().set(IOMMU, '#iommu-cells', [2]), 'direct', 'direct', 64],
		['no #iommu-cells', new Tree().set(IOMMU, '#iommu-cells', null), 'direct', 'direct', 64],
		['a phandle of nobody', new Tree().set(ENGINE, 'iommus', [0x777, 3]), 'direct', 'translated', 64],
		[
			'iommus that name a clock',
			new Tree().set(ENGINE, 'iommus', [new Tree().phandle(CCU), 3]),
			'direct',
			'translated',
			64,
		],
		['a CMA area of its own', new Tree().withCma(32 * MIB), 'translated', 'translated', 32],
		[
			'a CMA area of its own and no IOMMU',
			new Tree().set(IOMMU, 'status', 'disabled').withCma(32 * MIB),
			'direct',
			'direct',
			32,
		],
	] as const)
		it(`runs the job with ${what}`, () => {
			const board = boot(tree.blob());
			expect(Board.ways()).to.deep.equal({ engine, display });
			expect(Board.cmaReserved()).to.equal(cma * MIB);
			const before = Board.allocated();
			const done = job(board);
			expect(Buffer.compare(done.raster!.rgb, shown)).to.equal(0);
			expect(done.cmaBytes > 0).to.equal(engine === 'direct' || display === 'direct');
			expect(done.bitstream.mapped === null).to.equal(engine === 'direct');
			expect(leaks(before, Board.allocated(), done, ['30f0000.iommu']).leaked).to.equal(false);
		});

	it('leaves cma= to the user', () => {
		boot(new Tree().withCma(32 * MIB).blob(), 'cma=16M');
		expect(Board.cmaReserved()).to.equal(16 * MIB);
	});

	it('sets aside for CMA no more than a quarter of the memory', () => {
		const board = boot(new Tree().blob(), 'iommu.passthrough=1', 64 * MIB);
		expect(Board.cmaReserved()).to.equal(16 * MIB);
		expect(job(board).mapped.pieces).to.equal(0);
	});

	it('takes every device from behind its IOMMU', () => {
		boot(withoutIommus(new Tree().blob()));
		expect(Board.ways()).to.deep.equal({ engine: 'direct', display: 'direct' });
		expect(Board.exceptions()[0]).to.equal('1c0e000.video-codec: direct: its node has no iommus');
	});

	it('decodes where nothing shows', () => {
		const board = boot(new Tree().set('/display-engine', 'status', 'disabled').blob());
		expect(Board.ways()).to.deep.equal({ engine: 'translated', display: null });
		expect(job(board)).to.include({ raster: null, cmaBytes: 0 });
	});

	it('decodes where the display waits for a part that never comes', () => {
		const board = boot(new Tree().set('/soc/hdmi@6000000', 'compatible', 'foo,bar').blob());
		expect(Board.ways()).to.deep.equal({ engine: 'translated', display: null });
		expect(job(board)).to.include({ raster: null });
	});

	it('knows which device is missing', () => {
		const board = boot(new Tree().set(ENGINE, 'status', 'disabled').blob());
		expect(failure(board).missing).to.equal('/dev/video0');
	});

	it('knows what the kernel said of an engine that did not get its driver, and nothing of one that is not there', () => {
		boot(new Tree().set(ENGINE, 'status', 'disabled').blob());
		expect(Board.saidOf('engine')).to.deep.equal([]);
		boot(new Tree().set(ENGINE, 'clocks', [0x99, 0, 0x99, 0, 0x99, 0]).blob());
		expect(Board.saidOf('engine').at(-1)).to.match(
			/1c0e000\.video-codec: probe with driver cedrus failed with error -22$/,
		);
	});

	describe('a job that fails', () => {
		for (const [what, path, master, wrong] of [
			['engine', ENGINE, 7, /^decoding: \d+ of the accesses of 1c0e000\.video-codec were refused$/],
			['engine', ENGINE, 0xffff_ffff, /^decoding: \d+ of the accesses of 1c0e000\.video-codec were refused$/],
			['display', MIXER, 9, /^showing the picture: \d+ of the accesses of 1100000\.mixer were refused$/],
		] as const)
			it(`says that the IOMMU has no master ${master} for the ${what}`, () => {
				const board = boot(new Tree().set(path, 'iommus', [phandle, master]).blob());
				expect(board.remarks().join('\n')).to.contain(`this IOMMU has 0 to 5; DMA is refused`);
				expect(failure(board).message).to.match(wrong);
			});

		it('ends with the lines of the kernel since its step began, and no others', () => {
			const { log, message } = failure(
				boot(new Tree().blob(), 'cma=0 iommu.passthrough=1'),
				picture(640, 480, 0),
			);
			expect(message).to.match(/^making the picture buffer: VIDIOC_REQBUFS: -ENOMEM$/);
			expect(log.at(-1)).to.match(/cedrus 1c0e000\.video-codec: dma alloc of size \d+ failed$/);
			expect(log.filter((line) => line.includes('registered'))).to.have.lengthOf(0);
		});

		it('is told in its column and below', () => {
			const ways = { engine: 'direct', display: null } as const;
			const refused = new JobError('decoding', new Error('no'), ['[    1.0] a line'], []);
			const lines = comparison([{ name: 'here', ways, reserved: 0, job: refused }]);
			expect(lines).to.include('  CMA used by the job              failed');
			expect(lines.slice(-2)).to.deep.equal(['  failed with here: decoding: no', '    [    1.0] a line']);
			expect(lines).to.include("  the engine's DMA                 direct");
			expect(lines).to.include("  the display's DMA                  none");
		});
	});

	it('shows what the kernel had said when it stops at boot', () => {
		const e = new BootError('it stopped');
		expect(e.log).to.deep.equal(Board.log());
	});
});
