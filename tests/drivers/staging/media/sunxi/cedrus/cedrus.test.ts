// SPDX-License-Identifier: GPL-2.0-only
// The whole path: user program, videobuf2, DMA API, IOMMU, the engine's model.
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { bus_find_device_by_name } from '#drivers/base/bus.js';
import { platform_bus_type } from '#drivers/base/platform.js';
import { close_fd } from '#fs/file.js';
import { sysfs_write } from '#fs/sysfs/user.js';
import type { Machine } from '#hw/core/machine.js';
import { decodeYCbCr, interleaveChroma } from '#hw/video/cedrus-ve.js';
import {
	V4L2_BUF_TYPE_VIDEO_CAPTURE,
	V4L2_BUF_TYPE_VIDEO_OUTPUT,
	V4L2_MEMORY_DMABUF,
	V4L2_PIX_FMT_NV12,
	VIDIOC_ENUM_FMT,
	VIDIOC_QBUF,
	VIDIOC_QUERYCAP,
	VIDIOC_REQBUFS,
	v4l2_buffer,
	v4l2_capability,
	v4l2_fmtdesc,
	v4l2_requestbuffers,
} from '#include/uapi/linux/videodev2.js';
import { start_kernel } from '#init/main.js';
import { dma_unmap_single } from '#kernel/dma/mapping.js';
import { DMA_TO_DEVICE } from '#linux/dma-direction.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { kfree, kzalloc, slab_leaks, slab_live } from '#linux/slab.js';
import { slab_fault } from '#mm/failslab.js';
import { nr_free_pages } from '#mm/page_alloc.js';
import { slab_shrink_all } from '#mm/slub.js';
import { failEach } from '#tests/fail-each.js';
import { dma_map_single } from '#tests/kernel/dma/client.js';
import { testMachine } from '#tests/machine.js';
import { expectFinding, expectWarning } from '#tests/setup.js';
import { rogueRead, rogueWrite } from '#tools/cedrus-rogue.js';
import { encodeJpeg } from '#tools/jpeg-encode.js';
import { mapFile, SyscallError, VideoDevice } from '#tools/v4l2.js';

const VE_BASE = 0x01c0_e000;
const BOARD = 'arch/arm64/boot/dts/allwinner/sun50i-h6-orangepi-3.dtb';

interface Bench {
	readonly machine: Machine;
	readonly log: string[];
	said(text: string): boolean;
}

function boot(board = BOARD): Bench {
	const log: string[] = [];
	const machine = testMachine(readFileSync(board), {
		memSize: 0x1000_0000,
		onConsole: (_level, line) => log.push(line),
	});
	start_kernel(machine);
	return { machine, log, said: (text) => log.some((line) => line.includes(text)) };
}

const image = {
	width: 96,
	height: 80,
	data: Uint8Array.from({ length: 96 * 80 * 3 }, (_, i) => (i * 7 + ((i / 288) | 0) * 3) & 0xff),
};
const stream = encodeJpeg(image, { subsampling: '420' });

/** A device with one buffer on each side, both mapped, streaming. */
function ready(file: Uint8Array, width = image.width, height = image.height) {
	const video = new VideoDevice(0);
	const pix = video.setJpegFormat(width, height, file.length);
	video.requestBuffers('output', 1);
	video.requestBuffers('capture', 1);
	const source = video.map('output');
	const picture = video.map('capture');
	source.bytes.set(file);
	video.streamOn('output');
	video.streamOn('capture');
	return {
		video,
		pix,
		source,
		picture,
		decode: () => {
			video.queue('output', 0, file.length);
			video.queue('capture', 0);
			const done = video.dequeue('capture');
			expect(video.dequeue('output').failed).to.equal(done.failed);
			return done;
		},
		close: () => {
			video.streamOff('output');
			video.streamOff('capture');
			source.unmap();
			picture.unmap();
			video.close();
		},
	};
}

/** Freed IOVAs stay in the per-CPU caches of their domain: no leak. */
function leaks(before: Record<string, number>): string[] {
	return slab_leaks(before).filter((line) => !line.startsWith('iova:'));
}

/** What is alive for good after a first job: page tables and cached IOVAs, which the drivers keep. */
function liveAfterOneJob(): Record<string, number> {
	const first = ready(stream);
	first.decode();
	first.close();
	return slab_live();
}

function expectPicture(bytes: Uint8Array, stride: number, rows: number, file: Uint8Array): void {
	const ref = decodeYCbCr(file);
	const chroma = interleaveChroma(ref, true);
	for (let y = 0; y < ref.height; y++)
		expect(bytes.slice(y * stride, y * stride + ref.width), `luma row ${y}`).to.deep.equal(
			ref.y.slice(y * ref.width, (y + 1) * ref.width),
		);
	for (let y = 0; y < ref.height / 2; y++) {
		const at = stride * rows + y * stride;
		expect(bytes.slice(at, at + ref.width), `chroma row ${y}`).to.deep.equal(
			chroma.slice(y * ref.width, (y + 1) * ref.width),
		);
	}
}

describe('cedrus', () => {
	it('probes, and says where it is', () => {
		const { said } = boot();
		expect(said('cedrus 1c0e000.video-codec: Device registered as /dev/video0')).to.equal(true);
		const video = new VideoDevice(0);
		const cap = new v4l2_capability();
		video.ioctl('VIDIOC_QUERYCAP', VIDIOC_QUERYCAP, cap);
		expect(cap).to.include({ driver: 'cedrus', card: 'cedrus', bus_info: 'platform:cedrus' });
		const format = new v4l2_fmtdesc();
		format.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
		video.ioctl('VIDIOC_ENUM_FMT', VIDIOC_ENUM_FMT, format);
		expect(format.pixelformat).to.equal(V4L2_PIX_FMT_NV12);
		video.close();
	});

	for (const subsampling of ['420', '422', '444', '400'] as const)
		it(`decodes a ${subsampling} JPEG into the user's mapping, by DMA through the IOMMU`, () => {
			const { machine } = boot();
			const file = encodeJpeg(image, { subsampling });
			const job = ready(file);
			expect(job.decode()).to.deep.equal({ index: 0, bytesused: 96 * 80 * 1.5, failed: false });
			expectPicture(job.picture.bytes, job.pix.bytesperline, job.pix.height, file);
			const ve = machine.stats().dma.find(({ name }) => name === '1c0e000.video-codec');
			expect(ve?.writeBytes).to.equal(96 * 80 * 1.5);
			expect(ve?.refused).to.equal(0);
			job.close();
		});

	it('decodes the default picture', () => {
		boot();
		const file = readFileSync('examples/picture.jpg');
		const job = ready(file, 800, 608);
		expect(job.decode().failed).to.equal(false);
		expectPicture(job.picture.bytes, 800, 608, file);
		job.close();
	});

	it('does one job after another, and leaves nothing behind', () => {
		boot();
		const before = liveAfterOneJob();
		const job = ready(stream);
		for (let i = 0; i < 3; i++) expect(job.decode().failed, `job ${i}`).to.equal(false);
		job.close();
		expect(leaks(before)).to.deep.equal([]);
	});

	it('frees everything at close, whatever the user left standing', () => {
		boot();
		const before = liveAfterOneJob();
		const video = new VideoDevice(0);
		video.setJpegFormat(96, 80, stream.length);
		video.requestBuffers('output', 3);
		video.requestBuffers('capture', 2);
		video.queue('output', 1, 100);
		video.queue('capture', 1);
		video.streamOn('output');
		video.close();
		expect(leaks(before)).to.deep.equal([]);
	});

	it('keeps an exported buffer for as long as the dma-buf lives', () => {
		boot();
		const before = liveAfterOneJob();
		const job = ready(stream);
		job.decode();
		const fd = job.video.export('capture');
		job.close();
		const mapping = mapFile(fd, 96 * 80 * 1.5, 0);
		expectPicture(mapping.bytes, 96, 80, stream);
		mapping.unmap();
		expect(leaks(before)).to.not.deep.equal([]);
		close_fd(fd);
		expect(leaks(before)).to.deep.equal([]);
	});

	it('decodes from an imported dma-buf', () => {
		boot();
		const before = liveAfterOneJob();
		const owner = ready(stream);
		const fd = owner.video.export('output');
		const video = new VideoDevice(0);
		const pix = video.setJpegFormat(96, 80, stream.length);
		const req = Object.assign(new v4l2_requestbuffers(), {
			type: V4L2_BUF_TYPE_VIDEO_OUTPUT,
			memory: V4L2_MEMORY_DMABUF,
			count: 1,
		});
		video.ioctl('VIDIOC_REQBUFS', VIDIOC_REQBUFS, req);
		video.requestBuffers('capture', 1);
		const picture = video.map('capture');
		const b = Object.assign(new v4l2_buffer(), {
			type: V4L2_BUF_TYPE_VIDEO_OUTPUT,
			memory: V4L2_MEMORY_DMABUF,
			bytesused: stream.length,
		});
		b.m.fd = fd;
		video.ioctl('VIDIOC_QBUF', VIDIOC_QBUF, b);
		video.queue('capture');
		video.streamOn('output');
		video.streamOn('capture');
		expect(video.dequeue('capture').failed).to.equal(false);
		expectPicture(picture.bytes, pix.bytesperline, pix.height, stream);
		picture.unmap();
		video.close();
		close_fd(fd);
		owner.close();
		expect(leaks(before)).to.deep.equal([]);
	});

	it('fails a job that is no JPEG, says so, and does the next one', () => {
		const { said } = boot();
		const job = ready(stream);
		job.source.bytes[0] = 0;
		expect(job.decode().failed).to.equal(true);
		expect(said('Failed to setup decoding job: -22')).to.equal(true);
		job.source.bytes[0] = 0xff;
		expect(job.decode().failed).to.equal(false);
		job.close();
	});

	it('fails a job whose picture is larger than its buffer', () => {
		boot();
		const job = ready(stream, 48, 48);
		expect(job.decode().failed).to.equal(true);
		job.close();
	});

	it('fails a job whose data ends early', () => {
		boot();
		const short = Uint8Array.from([...stream.slice(0, stream.length / 2), 0xff, 0xd9]);
		const job = ready(short);
		expect(job.decode().failed).to.equal(true);
		job.close();
	});

	it('gives up on an engine that does not answer, after two seconds, and resets it', () => {
		expectFinding(/never-mapped in read by 1c0e000\.video-codec/);
		const { machine, said } = boot();
		const job = ready(stream);
		job.decode();
		expect(rogueRead(machine, VE_BASE, 0x0300_0000)).to.equal(true);
		const start = machine.now();
		expect(job.decode().failed).to.equal(true);
		expect(machine.now() - start).to.be.within(1.9e9, 2.2e9);
		expect(said('frame processing timed out!')).to.equal(true);
		expect(job.decode().failed, 'the next job').to.equal(false);
		job.close();
	});

	it('is stopped when it reads what nobody mapped: the fault is in the log', () => {
		expectFinding(/never-mapped in read by 1c0e000\.video-codec/);
		const { machine, log } = boot();
		const job = ready(stream);
		job.decode();
		expect(rogueRead(machine, VE_BASE, 0x0300_0000)).to.equal(true);
		// sun50i-iommu.c, sun50i_iommu_report_fault(); the data would begin right behind the headers.
		expect(log.filter((line) => line.includes('Page fault'))).to.have.lengthOf(1);
		expect(log.at(-1)).to.match(
			/sun50i-iommu 30f0000.iommu: Page fault for 0x0000000003000[0-9a-f]{3} \(master 3, dir rd\)$/,
		);
		job.close();
	});

	it('is stopped when it writes what was mapped for reading: no byte changes', () => {
		expectFinding(/wrong-direction in write by 1c0e000\.video-codec/);
		const { machine, log } = boot();
		const dev = bus_find_device_by_name(platform_bus_type, null, '1c0e000.video-codec')!;
		const secret = kzalloc(4096, GFP_KERNEL)!;
		secret.fill(0x5a);
		const addr = dma_map_single(dev, secret, 4096, DMA_TO_DEVICE);
		const job = ready(stream);
		job.decode();
		const lines = log.length;
		expect(rogueWrite(machine, VE_BASE, addr)).to.equal(true);
		expect(log.length).to.be.above(lines);
		dma_unmap_single(dev, addr, 4096, DMA_TO_DEVICE);
		expect(secret.every((byte) => byte === 0x5a)).to.equal(true);
		expect(
			machine.memory.peekMemory(machine.memory.phys_of(secret), 4096).every((byte) => byte === 0x5a),
		).to.equal(true);
		kfree(secret);
		job.close();
	});

	it('leaks nothing and crashes nothing whichever allocation of a job fails', () => {
		boot();
		const before = liveAfterOneJob();
		slab_shrink_all();
		const pages = nr_free_pages();
		// vb2_dc_get_dmabuf() warns when it gets no scatterlist: Linux does.
		expectWarning(/vb2_dc_get_dmabuf/);
		const errors: string[] = [];
		failEach((where) => {
			try {
				const video = new VideoDevice(0);
				try {
					video.setJpegFormat(96, 80, stream.length);
					video.requestBuffers('output', 1);
					video.requestBuffers('capture', 1);
					video.map('capture').unmap();
					close_fd(video.export('capture'));
				} finally {
					video.close();
				}
			} catch (error) {
				expect(error).to.be.instanceOf(SyscallError);
				errors.push(where);
			}
			expect(leaks(before), where).to.deep.equal([]);
			slab_shrink_all();
			expect(nr_free_pages(), where).to.equal(pages);
		});
		expect(errors.filter((where) => where.startsWith('slab')).length).to.be.above(5);
		expect(errors.filter((where) => where.startsWith('page')).length).to.be.above(0);
	});

	it('unbinds and binds again, and takes the node away in between', () => {
		boot();
		const drv = '/sys/bus/platform/drivers/cedrus';
		const before = slab_live();
		expect(sysfs_write(`${drv}/unbind`, '1c0e000.video-codec')).to.be.above(0);
		expect(() => new VideoDevice(0)).to.throw(SyscallError, 'ENXIO');
		expect(sysfs_write(`${drv}/bind`, '1c0e000.video-codec')).to.be.above(0);
		expect(leaks(before)).to.deep.equal([]);
		const job = ready(stream);
		expect(job.decode().failed).to.equal(false);
		job.close();
	});

	it('leaks nothing whichever struct allocation of a probe fails', () => {
		boot();
		const drv = '/sys/bus/platform/drivers/cedrus';
		sysfs_write(`${drv}/unbind`, '1c0e000.video-codec');
		const before = slab_live();
		let failures = 0;
		for (let nth = 1; nth <= 60; nth++) {
			slab_fault.nth = nth;
			slab_fault.times = 1;
			const ret = sysfs_write(`${drv}/bind`, '1c0e000.video-codec');
			slab_fault.nth = 0;
			if (ret > 0) sysfs_write(`${drv}/unbind`, '1c0e000.video-codec');
			else failures++;
			expect(leaks(before), `allocation ${nth}`).to.deep.equal([]);
		}
		expect(failures).to.be.above(5);
	});

	it('answers -ENOMEM for a buffer that does not fit in memory, and goes on', () => {
		const { said } = boot();
		const before = liveAfterOneJob();
		const video = new VideoDevice(0);
		video.setJpegFormat(96, 80, 0x2000_0000);
		expect(() => video.requestBuffers('output', 1)).to.throw(SyscallError, 'ENOMEM');
		expect(said(`dma alloc of size ${0x2000_0000} failed`)).to.equal(true);
		video.close();
		expect(leaks(before)).to.deep.equal([]);
		const job = ready(stream);
		expect(job.decode().failed).to.equal(false);
		job.close();
	});

	it('decodes without an IOMMU too, from contiguous memory', () => {
		boot('arch/arm64/boot/dts/allwinner/sun50i-h6-orangepi-3-noiommu.dtb');
		const job = ready(stream);
		expect(job.decode().failed).to.equal(false);
		expectPicture(job.picture.bytes, 96, 80, stream);
		job.close();
	});
});
