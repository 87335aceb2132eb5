// SPDX-License-Identifier: GPL-2.0-only
// The video engine's driver: what its files share.
// Linux 6.12: drivers/staging/media/sunxi/cedrus/cedrus.h
// C's cedrus.h and cedrus.c have one name less their endings; here the header is cedrus_types.ts.
// Left out: controls, and the state of codecs other than JPEG.

import type { v4l2_m2m_dev } from '#drivers/media/v4l2-core/v4l2-mem2mem.js';
import { media_device } from '#include/media/media-device.js';
import { v4l2_ctrl_handler } from '#include/media/v4l2-ctrls.js';
import { video_device } from '#include/media/v4l2-dev.js';
import { v4l2_device } from '#include/media/v4l2-device.js';
import { v4l2_fh } from '#include/media/v4l2-fh.js';
import { v4l2_m2m_buffer } from '#include/media/v4l2-mem2mem.js';
import type { vb2_buffer } from '#include/media/videobuf2-core.js';
import { vb2_dma_contig_plane_dma_addr } from '#include/media/videobuf2-dma-contig.js';
import type { vb2_v4l2_buffer } from '#include/media/videobuf2-v4l2.js';
import { v4l2_pix_format } from '#include/uapi/linux/videodev2.js';
import { BIT } from '#linux/bits.js';
import type { clk } from '#linux/clk.js';
import type { device } from '#linux/device.js';
import { readl, writel } from '#linux/io.js';
import { mutex } from '#linux/mutex.js';
import type { platform_device } from '#linux/platform_device.js';
import type { reset_control } from '#linux/reset.js';
import type { __iomem, bool, dma_addr_t, int, u32, unsigned_int } from '#linux/types.js';
import { delayed_work } from '#linux/workqueue.js';

export const CEDRUS_NAME = 'cedrus';

export const CEDRUS_CAPABILITY_UNTILED = BIT(0);
export const CEDRUS_CAPABILITY_H265_DEC = BIT(1);
export const CEDRUS_CAPABILITY_H264_DEC = BIT(2);
export const CEDRUS_CAPABILITY_MPEG2_DEC = BIT(3);
export const CEDRUS_CAPABILITY_VP8_DEC = BIT(4);
export const CEDRUS_CAPABILITY_H265_10_DEC = BIT(5);
export const CEDRUS_CAPABILITY_JPEG_DEC = BIT(6);

// enum cedrus_irq_status
export type cedrus_irq_status = unsigned_int;
export const CEDRUS_IRQ_NONE = 0;
export const CEDRUS_IRQ_ERROR = 1;
export const CEDRUS_IRQ_OK = 2;

/** The buffers of one job. */
export class cedrus_run {
	src!: vb2_v4l2_buffer;
	dst!: vb2_v4l2_buffer;
}

/** A buffer of either queue. */
export class cedrus_buffer extends v4l2_m2m_buffer {}

/** What a picture's scan needs of its headers. */
export class cedrus_jpeg_ctx {
	subsampling: u32 = 0;
}

/** An open file: two queues and their formats. */
export class cedrus_ctx {
	readonly fh = new v4l2_fh(this);
	dev!: cedrus_dev;
	src_fmt = new v4l2_pix_format();
	dst_fmt = new v4l2_pix_format();
	current_codec: cedrus_dec_ops | null = null;
	bit_depth: unsigned_int = 0;
	readonly hdl = new v4l2_ctrl_handler();
	readonly codec = { jpeg: new cedrus_jpeg_ctx() };
}

export interface cedrus_dec_ops {
	readonly irq_clear: (ctx: cedrus_ctx) => void;
	readonly irq_disable: (ctx: cedrus_ctx) => void;
	readonly irq_status: (ctx: cedrus_ctx) => cedrus_irq_status;
	readonly setup: (ctx: cedrus_ctx, run: cedrus_run) => int;
	readonly start?: (ctx: cedrus_ctx) => int;
	readonly stop?: (ctx: cedrus_ctx) => void;
	readonly trigger: (ctx: cedrus_ctx) => void;
	readonly extra_cap_size?: (ctx: cedrus_ctx, pix_fmt: v4l2_pix_format) => unsigned_int;
}

export interface cedrus_variant {
	readonly capabilities: unsigned_int;
	readonly mod_rate: unsigned_int;
}

/** The engine. */
export class cedrus_dev {
	readonly v4l2_dev = new v4l2_device();
	readonly vfd = new video_device();
	readonly mdev = new media_device();
	pdev!: platform_device;
	dev!: device;
	m2m_dev!: v4l2_m2m_dev;

	/* Device file mutex */
	readonly dev_mutex = new mutex('&dev->dev_mutex');

	base: __iomem = 0;

	mod_clk!: clk;
	ahb_clk!: clk;
	ram_clk!: clk;

	rstc!: reset_control;

	capabilities: unsigned_int = 0;

	readonly watchdog_work = new delayed_work(this);
}

/** Write a register. Linux: cedrus.h: cedrus_write() */
export function cedrus_write(dev: cedrus_dev, reg: u32, val: u32): void {
	writel(val, dev.base + reg);
}

/** Read a register. Linux: cedrus.h: cedrus_read() */
export function cedrus_read(dev: cedrus_dev, reg: u32): u32 {
	return readl(dev.base + reg);
}

/** The DMA address of plane @plane of a picture: plane 0 is luma, plane 1 follows it. */
export function cedrus_buf_addr(
	buf: vb2_buffer,
	pix_fmt: v4l2_pix_format | null,
	plane: unsigned_int,
): dma_addr_t {
	const addr = vb2_dma_contig_plane_dma_addr(buf, 0);
	return addr + (pix_fmt ? (((pix_fmt.bytesperline * pix_fmt.height) >>> 0) * plane) >>> 0 : 0);
}

/** The DMA address of plane @plane of the destination picture; 0 without a buffer. */
export function cedrus_dst_buf_addr(
	ctx: cedrus_ctx,
	buf: vb2_buffer | null,
	plane: unsigned_int,
): dma_addr_t {
	return buf ? cedrus_buf_addr(buf, ctx.dst_fmt, plane) : 0;
}

/** Whether this SoC's engine can do @capabilities. Linux: cedrus.h: cedrus_is_capable() */
export function cedrus_is_capable(ctx: cedrus_ctx, capabilities: unsigned_int): bool {
	return (ctx.dev.capabilities & capabilities) >>> 0 === capabilities;
}
