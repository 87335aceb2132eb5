// SPDX-License-Identifier: GPL-2.0-only
// A user program's side of /dev/videoN: the calls that a JPEG player makes.

import { close_fd } from '#fs/file.js';
import { do_sys_open, ksys_ioctl } from '#fs/open.js';
import { VIDEO_MAJOR } from '#include/media/v4l2-dev.js';
import {
	V4L2_BUF_FLAG_ERROR,
	V4L2_BUF_TYPE_VIDEO_CAPTURE,
	V4L2_BUF_TYPE_VIDEO_OUTPUT,
	V4L2_MEMORY_DMABUF,
	V4L2_MEMORY_MMAP,
	V4L2_PIX_FMT_JPEG,
	V4L2_PIX_FMT_NV12,
	VIDIOC_DQBUF,
	VIDIOC_EXPBUF,
	VIDIOC_G_FMT,
	VIDIOC_QBUF,
	VIDIOC_QUERYBUF,
	VIDIOC_REQBUFS,
	VIDIOC_S_FMT,
	VIDIOC_STREAMOFF,
	VIDIOC_STREAMON,
	v4l2_buf_type_arg,
	v4l2_buffer,
	v4l2_exportbuffer,
	v4l2_format,
	type v4l2_pix_format,
	v4l2_requestbuffers,
} from '#include/uapi/linux/videodev2.js';
import { IS_ERR } from '#linux/err.js';
import { errname } from '#linux/errno.js';
import { O_RDWR } from '#linux/fs.js';
import { MKDEV } from '#linux/kdev_t.js';
import type { vm_area_struct } from '#linux/mm_types.js';
import { vma_user_view } from '#mm/memory.js';
import { ksys_mmap, ksys_munmap, MAP_SHARED, PROT_READ, PROT_WRITE } from '#mm/mmap.js';

/** A system call that failed; @errno is negative, as the kernel returned it. */
export class SyscallError extends Error {
	constructor(
		readonly call: string,
		readonly errno: number,
	) {
		super(`${call}: ${errname(errno)}`);
		this.name = 'SyscallError';
	}
}

/** `output` is what the user gives (the bitstream), `capture` what he gets (the picture): V4L2's words. */
export type Side = 'output' | 'capture';

function typeOf(side: Side): number {
	return side === 'output' ? V4L2_BUF_TYPE_VIDEO_OUTPUT : V4L2_BUF_TYPE_VIDEO_CAPTURE;
}

/** Memory of a buffer in the user program, until unmap(). */
export interface Mapping {
	readonly bytes: Uint8Array;
	unmap(): void;
}

/** Map @length bytes of the open file @fd from @offset on. */
export function mapFile(fd: number, length: number, offset: number): Mapping {
	const vma: vm_area_struct | { errno: number } = ksys_mmap(
		fd,
		length,
		PROT_READ | PROT_WRITE,
		MAP_SHARED,
		offset,
	);
	if (IS_ERR(vma)) throw new SyscallError('mmap', vma.errno);
	const view = vma_user_view(vma);
	if (view === null) {
		ksys_munmap(vma);
		throw new SyscallError('mmap', -14);
	}
	return {
		bytes: view.subarray(0, length),
		unmap: () => {
			ksys_munmap(vma);
		},
	};
}

/** One open /dev/videoN. */
export class VideoDevice {
	readonly fd: number;
	/** Whether what is queued there are dma-bufs of others. */
	readonly #foreign = { output: false, capture: false };

	constructor(minor = 0) {
		this.fd = do_sys_open(MKDEV(VIDEO_MAJOR, minor), O_RDWR);
		if (this.fd < 0) throw new SyscallError(`open /dev/video${minor}`, this.fd);
	}

	/** Any ioctl, by number; @name is for the message. */
	ioctl(name: string, cmd: number, arg: object): void {
		const ret = ksys_ioctl(this.fd, cmd, arg);
		if (ret < 0) throw new SyscallError(name, ret);
	}

	/** VIDIOC_S_FMT on both sides, for a JPEG of @bytes bytes; answers the format of the picture to come. */
	setJpegFormat(width: number, height: number, bytes: number): v4l2_pix_format {
		const source = new v4l2_format();
		source.type = typeOf('output');
		Object.assign(source.fmt.pix, { width, height, pixelformat: V4L2_PIX_FMT_JPEG, sizeimage: bytes });
		this.ioctl('VIDIOC_S_FMT', VIDIOC_S_FMT, source);
		const picture = new v4l2_format();
		picture.type = typeOf('capture');
		this.ioctl('VIDIOC_G_FMT', VIDIOC_G_FMT, picture);
		picture.fmt.pix.pixelformat = V4L2_PIX_FMT_NV12;
		this.ioctl('VIDIOC_S_FMT', VIDIOC_S_FMT, picture);
		return picture.fmt.pix;
	}

	/** VIDIOC_REQBUFS; answers how many there are. 0 frees them. @foreign: the memory comes from elsewhere, as dma-bufs. */
	requestBuffers(side: Side, count: number, foreign = false): number {
		const req = new v4l2_requestbuffers();
		const memory = foreign ? V4L2_MEMORY_DMABUF : V4L2_MEMORY_MMAP;
		Object.assign(req, { type: typeOf(side), memory, count });
		this.ioctl('VIDIOC_REQBUFS', VIDIOC_REQBUFS, req);
		return req.count;
	}

	#buffer(side: Side, index: number): v4l2_buffer {
		return Object.assign(new v4l2_buffer(), { type: typeOf(side), memory: V4L2_MEMORY_MMAP, index });
	}

	/** VIDIOC_QUERYBUF and mmap(). */
	map(side: Side, index = 0): Mapping {
		const b = this.#buffer(side, index);
		this.ioctl('VIDIOC_QUERYBUF', VIDIOC_QUERYBUF, b);
		return mapFile(this.fd, b.length, b.m.offset);
	}

	/** VIDIOC_QBUF; @fd: the dma-buf of a foreign buffer. */
	queue(side: Side, index = 0, bytesused = 0, fd: number | null = null): void {
		const b = Object.assign(this.#buffer(side, index), { bytesused });
		if (fd !== null) {
			b.memory = V4L2_MEMORY_DMABUF;
			b.m.fd = fd;
		}
		this.#foreign[side] = fd !== null;
		this.ioctl('VIDIOC_QBUF', VIDIOC_QBUF, b);
	}

	/** VIDIOC_DQBUF: waits, in virtual time; `failed` when the driver could not do the job. */
	dequeue(side: Side): { index: number; bytesused: number; failed: boolean } {
		const b = this.#buffer(side, 0);
		if (this.#foreign[side]) b.memory = V4L2_MEMORY_DMABUF;
		this.ioctl('VIDIOC_DQBUF', VIDIOC_DQBUF, b);
		return { index: b.index, bytesused: b.bytesused, failed: (b.flags & V4L2_BUF_FLAG_ERROR) !== 0 };
	}

	/** VIDIOC_EXPBUF: a dma-buf's file descriptor. */
	export(side: Side, index = 0): number {
		const e = Object.assign(new v4l2_exportbuffer(), { type: typeOf(side), index, flags: O_RDWR });
		this.ioctl('VIDIOC_EXPBUF', VIDIOC_EXPBUF, e);
		return e.fd;
	}

	streamOn(side: Side): void {
		this.ioctl('VIDIOC_STREAMON', VIDIOC_STREAMON, new v4l2_buf_type_arg(typeOf(side)));
	}

	streamOff(side: Side): void {
		this.ioctl('VIDIOC_STREAMOFF', VIDIOC_STREAMOFF, new v4l2_buf_type_arg(typeOf(side)));
	}

	close(): void {
		close_fd(this.fd);
	}
}
