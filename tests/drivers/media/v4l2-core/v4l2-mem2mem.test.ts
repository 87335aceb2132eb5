// SPDX-License-Identifier: GPL-2.0-only
// Jobs, ioctl numbers and mappings, from user space; errors of Linux 6.12.
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { close_fd } from '#fs/file.js';
import { do_sys_open, ksys_ioctl } from '#fs/open.js';
import type { Machine } from '#hw/core/machine.js';
import {
	V4L2_BUF_TYPE_VIDEO_CAPTURE,
	VIDIOC_DQBUF,
	VIDIOC_QBUF,
	VIDIOC_S_FMT,
	v4l2_buffer,
	v4l2_format,
} from '#include/uapi/linux/videodev2.js';
import { start_kernel } from '#init/main.js';
import { PTR_ERR } from '#linux/err.js';
import { EACCES, EBADF, EBUSY, EFAULT, EINVAL, ENOTTY, ENXIO } from '#linux/errno.js';
import { O_RDONLY, O_RDWR } from '#linux/fs.js';
import { MKDEV } from '#linux/kdev_t.js';
import { ksys_mmap, MAP_SHARED, mm_map_count, PROT_READ, PROT_WRITE } from '#mm/mmap.js';
import { testMachine } from '#tests/machine.js';
import { encodeJpeg } from '#tools/jpeg-encode.js';
import { VideoDevice } from '#tools/v4l2.js';

const VIDEO0 = MKDEV(81, 0);
const RW = PROT_READ | PROT_WRITE;
const image = { width: 32, height: 32, data: new Uint8Array(32 * 32 * 3).fill(90) };
const stream = encodeJpeg(image, { subsampling: '420' });

function boot(): Machine {
	const machine = testMachine(readFileSync('arch/arm64/boot/dts/allwinner/sun50i-h6-orangepi-3.dtb'), {
		memSize: 0x1000_0000,
	});
	start_kernel(machine);
	return machine;
}

function player(): VideoDevice {
	const video = new VideoDevice(0);
	video.setJpegFormat(32, 32, stream.length);
	video.requestBuffers('output', 1);
	video.requestBuffers('capture', 1);
	const source = video.map('output');
	source.bytes.set(stream);
	source.unmap();
	video.queue('output', 0, stream.length);
	video.queue('capture', 0);
	return video;
}

describe('v4l2_mem2mem', () => {
	it('lets two programs take turns at the engine', () => {
		boot();
		const [a, b] = [player(), player()];
		for (const video of [a, b]) for (const side of ['output', 'capture'] as const) video.streamOn(side);
		expect(b.dequeue('capture').failed).to.equal(false);
		expect(a.dequeue('capture').failed).to.equal(false);
		a.close();
		b.close();
	});

	it('runs nothing before both sides stream', () => {
		const machine = boot();
		const video = player();
		video.streamOn('capture');
		machine.advance(100e6);
		expect(machine.stats().dma.every(({ writeBytes }) => writeBytes === 0)).to.equal(true);
		video.streamOn('output');
		expect(video.dequeue('capture').failed).to.equal(false);
		video.close();
	});

	it('waits at STREAMOFF for the job that runs', () => {
		const machine = boot();
		const video = player();
		video.streamOn('output');
		video.streamOn('capture');
		video.streamOff('output');
		const ve = machine.stats().dma.find(({ name }) => name === '1c0e000.video-codec');
		expect(ve?.writeBytes).to.equal(32 * 32 * 1.5);
		video.close();
	});

	it('answers -EBUSY to a new format while there are buffers', () => {
		boot();
		const video = player();
		const format = new v4l2_format();
		format.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
		expect(ksys_ioctl(video.fd, VIDIOC_S_FMT, format)).to.equal(-EBUSY);
		video.close();
	});

	it('answers -ENOTTY, -EFAULT and -EBADF to ioctls that cannot be', () => {
		boot();
		const video = player();
		expect(ksys_ioctl(video.fd, 0x1234, {})).to.equal(-ENOTTY);
		expect(ksys_ioctl(video.fd, VIDIOC_QBUF, new v4l2_format())).to.equal(-EFAULT);
		expect(ksys_ioctl(video.fd, VIDIOC_DQBUF, new v4l2_buffer())).to.equal(-EINVAL);
		expect(ksys_ioctl(17, VIDIOC_QBUF, new v4l2_buffer())).to.equal(-EBADF);
		video.close();
		expect(ksys_ioctl(video.fd, VIDIOC_QBUF, new v4l2_buffer())).to.equal(-EBADF);
	});

	it('answers -ENXIO to the open of a node that is not there', () => {
		boot();
		expect(do_sys_open(MKDEV(81, 1), O_RDWR)).to.equal(-ENXIO);
		expect(do_sys_open(VIDEO0, O_RDWR), 'and gives the descriptor back').to.equal(0);
		close_fd(0);
	});

	it('refuses mappings that are too long, of no buffer, of the wrong kind, or not allowed', () => {
		boot();
		const video = player();
		expect(PTR_ERR(ksys_mmap(video.fd, 1 << 20, RW, MAP_SHARED, 0))).to.equal(-EINVAL);
		expect(PTR_ERR(ksys_mmap(video.fd, 4096, RW, MAP_SHARED, 7 << 15))).to.equal(-EINVAL);
		expect(PTR_ERR(ksys_mmap(video.fd, 4096, RW, MAP_SHARED, 100))).to.equal(-EINVAL);
		expect(PTR_ERR(ksys_mmap(video.fd, 4096, RW, 2, 0))).to.equal(-EINVAL);
		expect(PTR_ERR(ksys_mmap(video.fd, 4096, PROT_READ, MAP_SHARED, 0)), 'output needs writing').to.equal(
			-EINVAL,
		);
		expect(PTR_ERR(ksys_mmap(9, 4096, RW, MAP_SHARED, 0))).to.equal(-EBADF);
		const reader = do_sys_open(VIDEO0, O_RDONLY);
		expect(PTR_ERR(ksys_mmap(reader, 4096, RW, MAP_SHARED, 0))).to.equal(-EACCES);
		close_fd(reader);
		expect(mm_map_count()).to.equal(0);
		video.close();
	});
});
