// SPDX-License-Identifier: GPL-2.0-only
// Video for Linux Two: what a user process and a driver say to each other.
// Linux 6.12: include/uapi/linux/videodev2.h
// Left out: all but single-planar video capture and output, MMAP and DMABUF memory, and the ioctls of a codec.
import type { bool, int, s32, u8, u32, u64 } from '#linux/types.js';

export const VIDEO_MAX_FRAME = 32;
export const VIDEO_MAX_PLANES = 8;

/** A four-character code, as the V4L2_PIX_FMT_ constants are made of. */
export function v4l2_fourcc(a: string, b: string, c: string, d: string): u32 {
	return (a.charCodeAt(0) | (b.charCodeAt(0) << 8) | (c.charCodeAt(0) << 16) | (d.charCodeAt(0) << 24)) >>> 0;
}

// enum v4l2_field
export const V4L2_FIELD_ANY = 0;
export const V4L2_FIELD_NONE = 1;
export const V4L2_FIELD_ALTERNATE = 7;

// enum v4l2_buf_type
export type v4l2_buf_type = u32;
export const V4L2_BUF_TYPE_VIDEO_CAPTURE = 1;
export const V4L2_BUF_TYPE_VIDEO_OUTPUT = 2;

/** Whether user space brings the data of this buffer type (include/uapi/linux/videodev2.h: V4L2_TYPE_IS_OUTPUT()). */
export function V4L2_TYPE_IS_OUTPUT(type: v4l2_buf_type): bool {
	return type === V4L2_BUF_TYPE_VIDEO_OUTPUT;
}

/** Whether user space gets the data of this buffer type (include/uapi/linux/videodev2.h: V4L2_TYPE_IS_CAPTURE()). */
export function V4L2_TYPE_IS_CAPTURE(type: v4l2_buf_type): bool {
	return !V4L2_TYPE_IS_OUTPUT(type);
}

// enum v4l2_memory
export type v4l2_memory = u32;
export const V4L2_MEMORY_MMAP = 1;
export const V4L2_MEMORY_USERPTR = 2;
export const V4L2_MEMORY_DMABUF = 4;

export const V4L2_MEMORY_FLAG_NON_COHERENT = 0x1;

// enum v4l2_colorspace
export const V4L2_COLORSPACE_DEFAULT = 0;
export const V4L2_COLORSPACE_JPEG = 7;

// struct v4l2_capability.capabilities
export const V4L2_CAP_VIDEO_M2M = 0x0000_8000;
export const V4L2_CAP_EXT_PIX_FORMAT = 0x0020_0000;
export const V4L2_CAP_STREAMING = 0x0400_0000;
export const V4L2_CAP_DEVICE_CAPS = 0x8000_0000;

export class v4l2_capability {
	driver = '';
	card = '';
	bus_info = '';
	version: u32 = 0;
	capabilities: u32 = 0;
	device_caps: u32 = 0;
}

// Pixel formats
export const V4L2_PIX_FMT_NV12 = v4l2_fourcc('N', 'V', '1', '2');
export const V4L2_PIX_FMT_NV12_32L32 = v4l2_fourcc('S', 'T', '1', '2');
export const V4L2_PIX_FMT_JPEG = v4l2_fourcc('J', 'P', 'E', 'G');

export const V4L2_PIX_FMT_PRIV_MAGIC = 0xfeed_cafe;

export class v4l2_pix_format {
	width: u32 = 0;
	height: u32 = 0;
	pixelformat: u32 = 0;
	field: u32 = 0;
	bytesperline: u32 = 0;
	sizeimage: u32 = 0;
	colorspace: u32 = 0;
	priv: u32 = 0;
	flags: u32 = 0;
	ycbcr_enc: u32 = 0;
	quantization: u32 = 0;
	xfer_func: u32 = 0;
}

export const V4L2_FMT_FLAG_COMPRESSED = 0x0001;

export class v4l2_fmtdesc {
	index: u32 = 0;
	type: v4l2_buf_type = 0;
	flags: u32 = 0;
	description = '';
	pixelformat: u32 = 0;
	mbus_code: u32 = 0;
}

export class v4l2_format {
	type: v4l2_buf_type = 0;
	readonly fmt = { pix: new v4l2_pix_format() };
}

export class v4l2_requestbuffers {
	count: u32 = 0;
	type: v4l2_buf_type = 0;
	memory: v4l2_memory = 0;
	capabilities: u32 = 0;
	flags: u8 = 0;
}

// struct v4l2_requestbuffers.capabilities
export const V4L2_BUF_CAP_SUPPORTS_MMAP = 1 << 0;
export const V4L2_BUF_CAP_SUPPORTS_USERPTR = 1 << 1;
export const V4L2_BUF_CAP_SUPPORTS_DMABUF = 1 << 2;
export const V4L2_BUF_CAP_SUPPORTS_REQUESTS = 1 << 3;
export const V4L2_BUF_CAP_SUPPORTS_ORPHANED_BUFS = 1 << 4;
export const V4L2_BUF_CAP_SUPPORTS_M2M_HOLD_CAPTURE_BUF = 1 << 5;
export const V4L2_BUF_CAP_SUPPORTS_MMAP_CACHE_HINTS = 1 << 6;
export const V4L2_BUF_CAP_SUPPORTS_MAX_NUM_BUFFERS = 1 << 7;

export class v4l2_timecode {
	type: u32 = 0;
	flags: u32 = 0;
	frames: u8 = 0;
	seconds: u8 = 0;
	minutes: u8 = 0;
	hours: u8 = 0;
}

export class v4l2_buffer {
	index: u32 = 0;
	type: v4l2_buf_type = 0;
	bytesused: u32 = 0;
	flags: u32 = 0;
	field: u32 = 0;
	/** Nanoseconds; in C a struct timeval. */
	timestamp: u64 = 0;
	timecode = new v4l2_timecode();
	sequence: u32 = 0;
	memory: v4l2_memory = 0;
	/** A union in C: the offset for MMAP, the descriptor for DMABUF. */
	readonly m = { offset: 0 as u32, fd: 0 as s32 };
	length: u32 = 0;
	request_fd: s32 = 0;
}

// struct v4l2_buffer.flags
export const V4L2_BUF_FLAG_MAPPED = 0x0000_0001;
export const V4L2_BUF_FLAG_QUEUED = 0x0000_0002;
export const V4L2_BUF_FLAG_DONE = 0x0000_0004;
export const V4L2_BUF_FLAG_KEYFRAME = 0x0000_0008;
export const V4L2_BUF_FLAG_PFRAME = 0x0000_0010;
export const V4L2_BUF_FLAG_BFRAME = 0x0000_0020;
export const V4L2_BUF_FLAG_ERROR = 0x0000_0040;
export const V4L2_BUF_FLAG_IN_REQUEST = 0x0000_0080;
export const V4L2_BUF_FLAG_TIMECODE = 0x0000_0100;
export const V4L2_BUF_FLAG_M2M_HOLD_CAPTURE_BUF = 0x0000_0200;
export const V4L2_BUF_FLAG_PREPARED = 0x0000_0400;
export const V4L2_BUF_FLAG_NO_CACHE_INVALIDATE = 0x0000_0800;
export const V4L2_BUF_FLAG_NO_CACHE_CLEAN = 0x0000_1000;
export const V4L2_BUF_FLAG_TIMESTAMP_MASK = 0x0000_e000;
export const V4L2_BUF_FLAG_TIMESTAMP_UNKNOWN = 0x0000_0000;
export const V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC = 0x0000_2000;
export const V4L2_BUF_FLAG_TIMESTAMP_COPY = 0x0000_4000;
export const V4L2_BUF_FLAG_TSTAMP_SRC_MASK = 0x0007_0000;
export const V4L2_BUF_FLAG_LAST = 0x0010_0000;
export const V4L2_BUF_FLAG_REQUEST_FD = 0x0080_0000;

export class v4l2_exportbuffer {
	type: v4l2_buf_type = 0;
	index: u32 = 0;
	plane: u32 = 0;
	flags: u32 = 0;
	fd: s32 = 0;
}

export class v4l2_create_buffers {
	index: u32 = 0;
	count: u32 = 0;
	memory: v4l2_memory = 0;
	readonly format = new v4l2_format();
	capabilities: u32 = 0;
	flags: u32 = 0;
	max_num_buffers: u32 = 0;
}

/** The argument of VIDIOC_STREAMON and VIDIOC_STREAMOFF: in C a pointer to an int. */
export class v4l2_buf_type_arg {
	constructor(public value: int) {}
}

// ioctl numbers, for arm64
export const VIDIOC_QUERYCAP = 0x8068_5600;
export const VIDIOC_ENUM_FMT = 0xc040_5602;
export const VIDIOC_G_FMT = 0xc0d0_5604;
export const VIDIOC_S_FMT = 0xc0d0_5605;
export const VIDIOC_REQBUFS = 0xc014_5608;
export const VIDIOC_QUERYBUF = 0xc058_5609;
export const VIDIOC_QBUF = 0xc058_560f;
export const VIDIOC_EXPBUF = 0xc040_5610;
export const VIDIOC_DQBUF = 0xc058_5611;
export const VIDIOC_STREAMON = 0x4004_5612;
export const VIDIOC_STREAMOFF = 0x4004_5613;
export const VIDIOC_TRY_FMT = 0xc0d0_5640;
export const VIDIOC_CREATE_BUFS = 0xc100_565c;
export const VIDIOC_PREPARE_BUF = 0xc058_565d;
