// SPDX-License-Identifier: GPL-2.0-only
// Devices that read one video buffer and write another.
// Linux 6.12: include/media/v4l2-mem2mem.h
//
// C's inlines that call into v4l2-mem2mem.c stand in v4l2-mem2mem.ts, so that no import goes round in a circle.
//
// Left out: draining and last-buffer handling (a still-picture decoder has no stream to end), the media controller.
import type { v4l2_m2m_dev } from '#drivers/media/v4l2-core/v4l2-mem2mem.js';
import { vb2_queue } from '#include/media/videobuf2-core.js';
import { vb2_v4l2_buffer } from '#include/media/videobuf2-v4l2.js';
import { list_head } from '#linux/list.js';
import type { mutex } from '#linux/mutex.js';
import { spinlock_t } from '#linux/spinlock.js';
import type { bool, int, u8, unsigned_long } from '#linux/types.js';
import { wait_queue_head } from '#linux/wait.js';

export interface v4l2_m2m_ops {
	/** Start one job: one source buffer, one destination buffer. Must not sleep. */
	readonly device_run: (priv: unknown) => void;
	readonly job_ready?: (priv: unknown) => int;
	readonly job_abort?: (priv: unknown) => void;
}

/** A queue, and its buffers that wait for a job (include/media/v4l2-mem2mem.h). */
export class v4l2_m2m_queue_ctx {
	readonly q = new vb2_queue();
	readonly rdy_queue = new list_head<v4l2_m2m_buffer>();
	readonly rdy_spinlock = new spinlock_t('&q_ctx->rdy_spinlock');
	num_rdy: u8 = 0;
	buffered: bool = false;
}

/** An instance: it takes its turn with the hardware (include/media/v4l2-mem2mem.h). */
export class v4l2_m2m_ctx {
	q_lock: mutex | null = null;
	new_frame: bool = false;
	m2m_dev!: v4l2_m2m_dev;
	readonly cap_q_ctx = new v4l2_m2m_queue_ctx();
	readonly out_q_ctx = new v4l2_m2m_queue_ctx();
	readonly queue = new list_head<v4l2_m2m_ctx>(this);
	job_flags: unsigned_long = 0;
	readonly finished = new wait_queue_head();
	priv: unknown = null;
}

/** A buffer with its place among those that wait (include/media/v4l2-mem2mem.h). */
export class v4l2_m2m_buffer extends vb2_v4l2_buffer {
	readonly list = new list_head<v4l2_m2m_buffer>(this);
}
