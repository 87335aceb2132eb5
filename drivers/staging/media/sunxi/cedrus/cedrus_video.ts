// SPDX-License-Identifier: GPL-2.0-only
// The video engine's formats, ioctls and buffer queues.
// Linux 6.12: drivers/staging/media/sunxi/cedrus/cedrus_video.c
// Left out: MPEG-2, H.264, H.265, VP8; media requests (the source queue of 6.12's codecs requires them, JPEG has
// no controls to carry); events, decoder commands, poll.

import { vb2_dma_contig_memops } from '#drivers/media/common/videobuf2/videobuf2-dma-contig.js';
import {
	vb2_ops_wait_finish,
	vb2_ops_wait_prepare,
	vb2_queue_init,
} from '#drivers/media/common/videobuf2/videobuf2-v4l2.js';
import {
	v4l2_m2m_buf_done,
	v4l2_m2m_buf_queue,
	v4l2_m2m_dst_buf_remove,
	v4l2_m2m_get_vq,
	v4l2_m2m_ioctl_create_bufs,
	v4l2_m2m_ioctl_dqbuf,
	v4l2_m2m_ioctl_expbuf,
	v4l2_m2m_ioctl_prepare_buf,
	v4l2_m2m_ioctl_qbuf,
	v4l2_m2m_ioctl_querybuf,
	v4l2_m2m_ioctl_reqbufs,
	v4l2_m2m_ioctl_streamoff,
	v4l2_m2m_ioctl_streamon,
	v4l2_m2m_src_buf_remove,
} from '#drivers/media/v4l2-core/v4l2-mem2mem.js';
import { cedrus_dec_ops_jpeg } from '#drivers/staging/media/sunxi/cedrus/cedrus_jpeg.js';
import {
	CEDRUS_CAPABILITY_JPEG_DEC,
	CEDRUS_CAPABILITY_UNTILED,
	CEDRUS_NAME,
	cedrus_buffer,
	cedrus_ctx,
	cedrus_is_capable,
} from '#drivers/staging/media/sunxi/cedrus/cedrus_types.js';
import type { v4l2_fh } from '#include/media/v4l2-fh.js';
import type { v4l2_ioctl_ops } from '#include/media/v4l2-ioctl.js';
import {
	VB2_BUF_STATE_ERROR,
	VB2_BUF_STATE_QUEUED,
	VB2_DMABUF,
	VB2_MMAP,
	type vb2_buffer,
	type vb2_buffer_state,
	vb2_get_drv_priv,
	vb2_is_busy,
	vb2_is_streaming,
	type vb2_ops,
	vb2_plane_size,
	type vb2_queue,
	vb2_set_plane_payload,
} from '#include/media/videobuf2-core.js';
import {
	to_vb2_v4l2_buffer,
	VB2_V4L2_FL_SUPPORTS_M2M_HOLD_CAPTURE_BUF,
} from '#include/media/videobuf2-v4l2.js';
import {
	V4L2_BUF_FLAG_TIMESTAMP_COPY,
	V4L2_BUF_TYPE_VIDEO_CAPTURE,
	V4L2_BUF_TYPE_VIDEO_OUTPUT,
	V4L2_FIELD_NONE,
	V4L2_PIX_FMT_JPEG,
	V4L2_PIX_FMT_NV12,
	V4L2_PIX_FMT_NV12_32L32,
	V4L2_TYPE_IS_CAPTURE,
	V4L2_TYPE_IS_OUTPUT,
	type v4l2_capability,
	type v4l2_fmtdesc,
	type v4l2_format,
	type v4l2_pix_format,
} from '#include/uapi/linux/videodev2.js';
import { ALIGN } from '#linux/align.js';
import { BIT } from '#linux/bits.js';
import type { device } from '#linux/device.js';
import { EBUSY, EINVAL } from '#linux/errno.js';
import type { file } from '#linux/fs.js';
import { clamp, max } from '#linux/minmax.js';
import { pm_runtime_put, pm_runtime_resume_and_get } from '#linux/pm_runtime.js';
import { SZ_1K } from '#linux/sizes.js';
import { container_of, type int, type ref, type u32, type unsigned_int } from '#linux/types.js';

interface cedrus_format {
	readonly pixelformat: u32;
	readonly directions: u32;
	readonly capabilities: unsigned_int;
}

const CEDRUS_DECODE_SRC = BIT(0);
const CEDRUS_DECODE_DST = BIT(1);

const CEDRUS_MIN_WIDTH = 16;
const CEDRUS_MIN_HEIGHT = 16;
const CEDRUS_MAX_WIDTH = 4096;
const CEDRUS_MAX_HEIGHT = 2304;

const cedrus_formats: readonly cedrus_format[] = [
	{
		pixelformat: V4L2_PIX_FMT_JPEG,
		directions: CEDRUS_DECODE_SRC,
		capabilities: CEDRUS_CAPABILITY_JPEG_DEC,
	},
	{
		pixelformat: V4L2_PIX_FMT_NV12,
		directions: CEDRUS_DECODE_DST,
		capabilities: CEDRUS_CAPABILITY_UNTILED,
	},
	{
		pixelformat: V4L2_PIX_FMT_NV12_32L32,
		directions: CEDRUS_DECODE_DST,
		capabilities: 0,
	},
];

function cedrus_file2ctx(file: file): cedrus_ctx {
	return container_of(file.private_data as v4l2_fh, cedrus_ctx);
}

/** The format of that name, or else the first one of that direction; null when there is none. */
function cedrus_find_format(ctx: cedrus_ctx, pixelformat: u32, directions: u32): cedrus_format | null {
	let first_valid_fmt: cedrus_format | null = null;

	for (const fmt of cedrus_formats) {
		if (!cedrus_is_capable(ctx, fmt.capabilities) || !(fmt.directions & directions)) continue;
		if (fmt.pixelformat === pixelformat) return fmt;
		if (!first_valid_fmt) first_valid_fmt = fmt;
	}
	return first_valid_fmt;
}

/** Sizes and strides that the engine can do, for what @pix_fmt asks. Linux: cedrus_prepare_format() */
export function cedrus_prepare_format(pix_fmt: v4l2_pix_format): void {
	const width = clamp(pix_fmt.width, CEDRUS_MIN_WIDTH, CEDRUS_MAX_WIDTH);
	let height = clamp(pix_fmt.height, CEDRUS_MIN_HEIGHT, CEDRUS_MAX_HEIGHT);
	let { sizeimage, bytesperline } = pix_fmt;

	pix_fmt.field = V4L2_FIELD_NONE;
	switch (pix_fmt.pixelformat) {
		case V4L2_PIX_FMT_JPEG:
			bytesperline = 0;
			sizeimage = max(SZ_1K, sizeimage);
			break;
		case V4L2_PIX_FMT_NV12_32L32:
			bytesperline = ALIGN(width, 32);
			height = ALIGN(height, 32);
			sizeimage = (bytesperline * height) >>> 0;
			sizeimage = (sizeimage + Math.floor(((bytesperline * ALIGN(height, 64)) >>> 0) / 2)) >>> 0;
			break;
		case V4L2_PIX_FMT_NV12:
			bytesperline = ALIGN(width, 16);
			height = ALIGN(height, 16);
			sizeimage = (bytesperline * height) >>> 0;
			sizeimage = (sizeimage + Math.floor(((bytesperline * height) >>> 0) / 2)) >>> 0;
			break;
	}
	pix_fmt.width = width;
	pix_fmt.height = height;
	pix_fmt.bytesperline = bytesperline;
	pix_fmt.sizeimage = sizeimage;
}

function cedrus_querycap(_file: file, _priv: unknown, cap: v4l2_capability): int {
	cap.driver = CEDRUS_NAME;
	cap.card = CEDRUS_NAME;
	cap.bus_info = `platform:${CEDRUS_NAME}`;
	return 0;
}

function cedrus_enum_fmt(file: file, f: v4l2_fmtdesc, direction: u32): int {
	const ctx = cedrus_file2ctx(file);
	let index: u32 = 0;

	for (const fmt of cedrus_formats) {
		if (!cedrus_is_capable(ctx, fmt.capabilities) || !(fmt.directions & direction)) continue;
		if (index === f.index) {
			f.pixelformat = fmt.pixelformat;
			return 0;
		}
		index++;
	}
	return -EINVAL;
}

function cedrus_enum_fmt_vid_cap(file: file, _priv: unknown, f: v4l2_fmtdesc): int {
	return cedrus_enum_fmt(file, f, CEDRUS_DECODE_DST);
}

function cedrus_enum_fmt_vid_out(file: file, _priv: unknown, f: v4l2_fmtdesc): int {
	return cedrus_enum_fmt(file, f, CEDRUS_DECODE_SRC);
}

function cedrus_g_fmt_vid_cap(file: file, _priv: unknown, f: v4l2_format): int {
	Object.assign(f.fmt.pix, cedrus_file2ctx(file).dst_fmt);
	return 0;
}

function cedrus_g_fmt_vid_out(file: file, _priv: unknown, f: v4l2_format): int {
	Object.assign(f.fmt.pix, cedrus_file2ctx(file).src_fmt);
	return 0;
}

function cedrus_try_fmt_vid_cap_p(ctx: cedrus_ctx, pix_fmt: v4l2_pix_format): int {
	const fmt = cedrus_find_format(ctx, pix_fmt.pixelformat, CEDRUS_DECODE_DST);
	if (!fmt) return -EINVAL;

	pix_fmt.pixelformat = fmt.pixelformat;
	pix_fmt.width = ctx.src_fmt.width;
	pix_fmt.height = ctx.src_fmt.height;
	cedrus_prepare_format(pix_fmt);
	if (ctx.current_codec?.extra_cap_size)
		pix_fmt.sizeimage = (pix_fmt.sizeimage + ctx.current_codec.extra_cap_size(ctx, pix_fmt)) >>> 0;
	return 0;
}

function cedrus_try_fmt_vid_cap(file: file, _priv: unknown, f: v4l2_format): int {
	return cedrus_try_fmt_vid_cap_p(cedrus_file2ctx(file), f.fmt.pix);
}

function cedrus_try_fmt_vid_out_p(ctx: cedrus_ctx, pix_fmt: v4l2_pix_format): int {
	const fmt = cedrus_find_format(ctx, pix_fmt.pixelformat, CEDRUS_DECODE_SRC);
	if (!fmt) return -EINVAL;

	pix_fmt.pixelformat = fmt.pixelformat;
	cedrus_prepare_format(pix_fmt);
	return 0;
}

function cedrus_try_fmt_vid_out(file: file, _priv: unknown, f: v4l2_format): int {
	return cedrus_try_fmt_vid_out_p(cedrus_file2ctx(file), f.fmt.pix);
}

function cedrus_s_fmt_vid_cap(file: file, priv: unknown, f: v4l2_format): int {
	const ctx = cedrus_file2ctx(file);

	const vq = v4l2_m2m_get_vq(ctx.fh.m2m_ctx!, f.type);
	if (vb2_is_busy(vq)) return -EBUSY;
	const ret = cedrus_try_fmt_vid_cap(file, priv, f);
	if (ret) return ret;
	Object.assign(ctx.dst_fmt, f.fmt.pix);
	return 0;
}

/** The capture format that follows from the source format. Linux: cedrus_reset_cap_format() */
export function cedrus_reset_cap_format(ctx: cedrus_ctx): void {
	ctx.dst_fmt.pixelformat = 0;
	cedrus_try_fmt_vid_cap_p(ctx, ctx.dst_fmt);
}

function cedrus_s_fmt_vid_out_p(ctx: cedrus_ctx, pix_fmt: v4l2_pix_format): int {
	const ret = cedrus_try_fmt_vid_out_p(ctx, pix_fmt);
	if (ret) return ret;

	if (pix_fmt !== ctx.src_fmt) Object.assign(ctx.src_fmt, pix_fmt);
	const vq = v4l2_m2m_get_vq(ctx.fh.m2m_ctx!, V4L2_BUF_TYPE_VIDEO_OUTPUT);
	vq.subsystem_flags = (vq.subsystem_flags & ~VB2_V4L2_FL_SUPPORTS_M2M_HOLD_CAPTURE_BUF) >>> 0;
	switch (ctx.src_fmt.pixelformat) {
		case V4L2_PIX_FMT_JPEG:
			ctx.current_codec = cedrus_dec_ops_jpeg;
			break;
	}

	// What the source says of its colours is true of the picture as well.
	ctx.dst_fmt.colorspace = pix_fmt.colorspace;
	ctx.dst_fmt.xfer_func = pix_fmt.xfer_func;
	ctx.dst_fmt.ycbcr_enc = pix_fmt.ycbcr_enc;
	ctx.dst_fmt.quantization = pix_fmt.quantization;
	cedrus_reset_cap_format(ctx);
	return 0;
}

/** The source format of a file that was just opened. Linux: cedrus_reset_out_format() */
export function cedrus_reset_out_format(ctx: cedrus_ctx): void {
	ctx.src_fmt.pixelformat = 0;
	cedrus_s_fmt_vid_out_p(ctx, ctx.src_fmt);
}

function cedrus_s_fmt_vid_out(file: file, _priv: unknown, f: v4l2_format): int {
	const ctx = cedrus_file2ctx(file);
	const m2m_ctx = ctx.fh.m2m_ctx!;

	// Another size is fine between streams, another codec is not while there are buffers.
	const vq = v4l2_m2m_get_vq(m2m_ctx, f.type);
	if (vb2_is_streaming(vq) || (vb2_is_busy(vq) && f.fmt.pix.pixelformat !== ctx.src_fmt.pixelformat))
		return -EBUSY;
	// The capture format is reset, so it must not have buffers.
	if (vb2_is_busy(v4l2_m2m_get_vq(m2m_ctx, V4L2_BUF_TYPE_VIDEO_CAPTURE))) return -EBUSY;
	return cedrus_s_fmt_vid_out_p(ctx, f.fmt.pix);
}

export const cedrus_ioctl_ops: v4l2_ioctl_ops = {
	vidioc_querycap: cedrus_querycap,

	vidioc_enum_fmt_vid_cap: cedrus_enum_fmt_vid_cap,
	vidioc_g_fmt_vid_cap: cedrus_g_fmt_vid_cap,
	vidioc_try_fmt_vid_cap: cedrus_try_fmt_vid_cap,
	vidioc_s_fmt_vid_cap: cedrus_s_fmt_vid_cap,

	vidioc_enum_fmt_vid_out: cedrus_enum_fmt_vid_out,
	vidioc_g_fmt_vid_out: cedrus_g_fmt_vid_out,
	vidioc_try_fmt_vid_out: cedrus_try_fmt_vid_out,
	vidioc_s_fmt_vid_out: cedrus_s_fmt_vid_out,

	vidioc_reqbufs: v4l2_m2m_ioctl_reqbufs,
	vidioc_querybuf: v4l2_m2m_ioctl_querybuf,
	vidioc_qbuf: v4l2_m2m_ioctl_qbuf,
	vidioc_dqbuf: v4l2_m2m_ioctl_dqbuf,
	vidioc_prepare_buf: v4l2_m2m_ioctl_prepare_buf,
	vidioc_create_bufs: v4l2_m2m_ioctl_create_bufs,
	vidioc_expbuf: v4l2_m2m_ioctl_expbuf,

	vidioc_streamon: v4l2_m2m_ioctl_streamon,
	vidioc_streamoff: v4l2_m2m_ioctl_streamoff,
};

/** The format of the queue's side. */
function cedrus_queue_format(vq: vb2_queue): v4l2_pix_format {
	const ctx = vb2_get_drv_priv(vq) as cedrus_ctx;
	return V4L2_TYPE_IS_OUTPUT(vq.type) ? ctx.src_fmt : ctx.dst_fmt;
}

function cedrus_queue_setup(
	vq: vb2_queue,
	_nbufs: ref<unsigned_int>,
	nplanes: ref<unsigned_int>,
	sizes: Uint32Array,
	_alloc_devs: (device | null)[],
): int {
	const pix_fmt = cedrus_queue_format(vq);

	if (nplanes.value) return sizes[0] < pix_fmt.sizeimage ? -EINVAL : 0;
	sizes[0] = pix_fmt.sizeimage;
	nplanes.value = 1;
	return 0;
}

/** Hand the buffers of a queue that no job will take back to videobuf2. */
function cedrus_queue_cleanup(vq: vb2_queue, state: vb2_buffer_state): void {
	const ctx = vb2_get_drv_priv(vq) as cedrus_ctx;
	const m2m_ctx = ctx.fh.m2m_ctx!;

	for (;;) {
		const vbuf = V4L2_TYPE_IS_OUTPUT(vq.type)
			? v4l2_m2m_src_buf_remove(m2m_ctx)
			: v4l2_m2m_dst_buf_remove(m2m_ctx);
		if (!vbuf) return;
		v4l2_m2m_buf_done(vbuf, state);
	}
}

function cedrus_buf_out_validate(vb: vb2_buffer): int {
	to_vb2_v4l2_buffer(vb).field = V4L2_FIELD_NONE;
	return 0;
}

function cedrus_buf_prepare(vb: vb2_buffer): int {
	const vq = vb.vb2_queue!;
	const pix_fmt = cedrus_queue_format(vq);

	if (vb2_plane_size(vb, 0) < pix_fmt.sizeimage) return -EINVAL;
	// User space says how much of a source is used, the driver how much of a picture.
	if (V4L2_TYPE_IS_CAPTURE(vq.type)) vb2_set_plane_payload(vb, 0, pix_fmt.sizeimage);
	return 0;
}

function cedrus_start_streaming(vq: vb2_queue, _count: unsigned_int): int {
	const ctx = vb2_get_drv_priv(vq) as cedrus_ctx;
	const { dev } = ctx.dev;

	if (!V4L2_TYPE_IS_OUTPUT(vq.type)) return 0;
	let ret = pm_runtime_resume_and_get(dev);
	if (ret >= 0) {
		ret = ctx.current_codec!.start ? ctx.current_codec!.start(ctx) : 0;
		if (!ret) return 0;
		pm_runtime_put(dev);
	}
	cedrus_queue_cleanup(vq, VB2_BUF_STATE_QUEUED);
	return ret;
}

function cedrus_stop_streaming(vq: vb2_queue): void {
	const ctx = vb2_get_drv_priv(vq) as cedrus_ctx;

	if (V4L2_TYPE_IS_OUTPUT(vq.type)) {
		if (ctx.current_codec!.stop) ctx.current_codec!.stop(ctx);
		pm_runtime_put(ctx.dev.dev);
	}
	cedrus_queue_cleanup(vq, VB2_BUF_STATE_ERROR);
}

function cedrus_buf_queue(vb: vb2_buffer): void {
	const ctx = vb2_get_drv_priv(vb.vb2_queue!) as cedrus_ctx;
	v4l2_m2m_buf_queue(ctx.fh.m2m_ctx!, to_vb2_v4l2_buffer(vb));
}

const cedrus_qops: vb2_ops = {
	queue_setup: cedrus_queue_setup,
	buf_prepare: cedrus_buf_prepare,
	buf_queue: cedrus_buf_queue,
	buf_out_validate: cedrus_buf_out_validate,
	start_streaming: cedrus_start_streaming,
	stop_streaming: cedrus_stop_streaming,
	wait_prepare: vb2_ops_wait_prepare,
	wait_finish: vb2_ops_wait_finish,
};

function cedrus_fill_queue(vq: vb2_queue, ctx: cedrus_ctx): int {
	vq.io_modes = VB2_MMAP | VB2_DMABUF;
	vq.drv_priv = ctx;
	vq.buf_struct_size = cedrus_buffer;
	vq.ops = cedrus_qops;
	vq.mem_ops = vb2_dma_contig_memops;
	vq.timestamp_flags = V4L2_BUF_FLAG_TIMESTAMP_COPY;
	vq.lock = ctx.dev.dev_mutex;
	vq.dev = ctx.dev.dev;
	return vb2_queue_init(vq);
}

/** Fill in both queues of an instance. Linux: cedrus_queue_init() */
export function cedrus_queue_init(priv: unknown, src_vq: vb2_queue, dst_vq: vb2_queue): int {
	const ctx = priv as cedrus_ctx;

	src_vq.type = V4L2_BUF_TYPE_VIDEO_OUTPUT;
	const ret = cedrus_fill_queue(src_vq, ctx);
	if (ret) return ret;
	dst_vq.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
	return cedrus_fill_queue(dst_vq, ctx);
}
