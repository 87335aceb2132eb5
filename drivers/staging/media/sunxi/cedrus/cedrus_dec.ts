// SPDX-License-Identifier: GPL-2.0-only
// One job of the video engine.
// Linux 6.12: drivers/staging/media/sunxi/cedrus/cedrus_dec.c
// Left out: media requests and their controls.
import {
	v4l2_m2m_buf_copy_metadata,
	v4l2_m2m_buf_done_and_job_finish,
	v4l2_m2m_next_dst_buf,
	v4l2_m2m_next_src_buf,
} from '#drivers/media/v4l2-core/v4l2-mem2mem.js';
import { cedrus_dst_format_set } from '#drivers/staging/media/sunxi/cedrus/cedrus_hw.js';
import { type cedrus_ctx, cedrus_run } from '#drivers/staging/media/sunxi/cedrus/cedrus_types.js';
import { v4l2_err } from '#include/media/v4l2-device.js';
import { VB2_BUF_STATE_ERROR } from '#include/media/videobuf2-core.js';
import { msecs_to_jiffies } from '#linux/jiffies.js';
import { schedule_delayed_work } from '#linux/workqueue.js';

/** Program the engine for the next two buffers and start it; a job that cannot start fails at once. Linux: cedrus_device_run() */
export function cedrus_device_run(priv: unknown): void {
	const ctx = priv as cedrus_ctx;
	const { dev } = ctx;
	const m2m_ctx = ctx.fh.m2m_ctx!;
	const codec = ctx.current_codec!;
	const run = new cedrus_run();

	run.src = v4l2_m2m_next_src_buf(m2m_ctx)!;
	run.dst = v4l2_m2m_next_dst_buf(m2m_ctx)!;

	v4l2_m2m_buf_copy_metadata(run.src, run.dst, true);
	cedrus_dst_format_set(dev, ctx.dst_fmt);

	const error = codec.setup(ctx, run);
	if (error) {
		v4l2_err(dev.v4l2_dev, 'Failed to setup decoding job: %d', error);
		v4l2_m2m_buf_done_and_job_finish(dev.m2m_dev, m2m_ctx, VB2_BUF_STATE_ERROR);
		return;
	}
	schedule_delayed_work(dev.watchdog_work, msecs_to_jiffies(2000));
	codec.trigger(ctx);
}
