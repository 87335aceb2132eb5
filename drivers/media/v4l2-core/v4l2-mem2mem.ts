// SPDX-License-Identifier: GPL-2.0-only
// Jobs of a device that turns one buffer into another.
// Linux 6.12: drivers/media/v4l2-core/v4l2-mem2mem.c
// Left out: media controller, requests, draining, poll, debug messages.
import { vb2_buffer_done, vb2_mmap } from '#drivers/media/common/videobuf2/videobuf2-core.js';
import {
	vb2_create_bufs,
	vb2_dqbuf,
	vb2_expbuf,
	vb2_prepare_buf,
	vb2_qbuf,
	vb2_querybuf,
	vb2_queue_release,
	vb2_reqbufs,
	vb2_streamoff,
	vb2_streamon,
} from '#drivers/media/common/videobuf2/videobuf2-v4l2.js';
import type { v4l2_fh } from '#include/media/v4l2-fh.js';
import {
	v4l2_m2m_buffer,
	v4l2_m2m_ctx,
	type v4l2_m2m_ops,
	type v4l2_m2m_queue_ctx,
} from '#include/media/v4l2-mem2mem.js';
import { VB2_BUF_STATE_DONE, type vb2_buffer_state, type vb2_queue } from '#include/media/videobuf2-core.js';
import {
	VB2_V4L2_FL_SUPPORTS_M2M_HOLD_CAPTURE_BUF,
	type vb2_v4l2_buffer,
} from '#include/media/videobuf2-v4l2.js';
import {
	V4L2_BUF_FLAG_BFRAME,
	V4L2_BUF_FLAG_KEYFRAME,
	V4L2_BUF_FLAG_M2M_HOLD_CAPTURE_BUF,
	V4L2_BUF_FLAG_PFRAME,
	V4L2_BUF_FLAG_REQUEST_FD,
	V4L2_BUF_FLAG_TIMECODE,
	V4L2_BUF_FLAG_TSTAMP_SRC_MASK,
	V4L2_BUF_TYPE_VIDEO_CAPTURE,
	V4L2_BUF_TYPE_VIDEO_OUTPUT,
	V4L2_MEMORY_MMAP,
	V4L2_TYPE_IS_CAPTURE,
	V4L2_TYPE_IS_OUTPUT,
	type v4l2_buf_type,
	type v4l2_buffer,
	type v4l2_create_buffers,
	type v4l2_exportbuffer,
	type v4l2_requestbuffers,
} from '#include/uapi/linux/videodev2.js';
import { WARN_ON } from '#linux/bug.js';
import { ERR_PTR, type err_ptr } from '#linux/err.js';
import { EINVAL, ENOMEM, EPERM } from '#linux/errno.js';
import { type file, O_NONBLOCK } from '#linux/fs.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { kref, kref_get, kref_init, kref_put } from '#linux/kref.js';
import {
	INIT_LIST_HEAD,
	list_add_tail,
	list_del,
	list_empty,
	list_first_entry,
	list_head,
} from '#linux/list.js';
import { PAGE_SIZE } from '#linux/mm.js';
import type { vm_area_struct } from '#linux/mm_types.js';
import { kfree, kzalloc } from '#linux/slab.js';
import { spin_lock_init, spin_lock_irqsave, spin_unlock_irqrestore, spinlock_t } from '#linux/spinlock.js';
import { type bool, container_of, type int, type unsigned_long } from '#linux/types.js';
import { init_waitqueue_head, wait_event, wake_up } from '#linux/wait.js';
import { INIT_WORK, schedule_work, work_struct } from '#linux/workqueue.js';

/** On the job queue. */
const TRANS_QUEUED = 1 << 0;
/** At work in the hardware. */
const TRANS_RUNNING = 1 << 1;
/** On its way out: nothing is queued for it. */
const TRANS_ABORT = 1 << 2;

/** Nothing new is started. */
const QUEUE_PAUSED = 1 << 0;

/** Offsets of the mmap()s of capture buffers begin here, so that they are none of the output queue's. */
const DST_QUEUE_OFF_BASE = 1 << 30;

/** One for the hardware; the instances (contexts) take turns. */
export class v4l2_m2m_dev {
	curr_ctx: v4l2_m2m_ctx | null = null;
	readonly job_queue = new list_head<v4l2_m2m_ctx>();
	readonly job_spinlock = new spinlock_t('&m2m_dev->job_spinlock');
	readonly job_work = new work_struct(this);
	job_queue_flags: unsigned_long = 0;
	m2m_ops!: v4l2_m2m_ops;
	readonly kref = new kref(this);
}

function get_queue_ctx(m2m_ctx: v4l2_m2m_ctx, type: v4l2_buf_type): v4l2_m2m_queue_ctx {
	return V4L2_TYPE_IS_OUTPUT(type) ? m2m_ctx.out_q_ctx : m2m_ctx.cap_q_ctx;
}

/** The queue of that direction. Linux: v4l2_m2m_get_vq() */
export function v4l2_m2m_get_vq(m2m_ctx: v4l2_m2m_ctx, type: v4l2_buf_type): vb2_queue {
	return get_queue_ctx(m2m_ctx, type).q;
}

/** The next ready buffer, which stays on the list; or null. Linux: v4l2_m2m_next_buf() */
export function v4l2_m2m_next_buf(q_ctx: v4l2_m2m_queue_ctx): vb2_v4l2_buffer | null {
	const flags = spin_lock_irqsave(q_ctx.rdy_spinlock);
	const b = list_empty(q_ctx.rdy_queue) ? null : list_first_entry(q_ctx.rdy_queue);
	spin_unlock_irqrestore(q_ctx.rdy_spinlock, flags);
	return b;
}

/** Take the next ready buffer off the list; or null. Linux: v4l2_m2m_buf_remove() */
export function v4l2_m2m_buf_remove(q_ctx: v4l2_m2m_queue_ctx): vb2_v4l2_buffer | null {
	const flags = spin_lock_irqsave(q_ctx.rdy_spinlock);
	let b: v4l2_m2m_buffer | null = null;
	if (!list_empty(q_ctx.rdy_queue)) {
		b = list_first_entry(q_ctx.rdy_queue);
		list_del(b.list);
		q_ctx.num_rdy--;
	}
	spin_unlock_irqrestore(q_ctx.rdy_spinlock, flags);
	return b;
}

/* C: inlines of v4l2-mem2mem.h. */

/** Hand @buf back to its queue with @state. Linux: include/media/v4l2-mem2mem.h: v4l2_m2m_buf_done() */
export function v4l2_m2m_buf_done(buf: vb2_v4l2_buffer, state: vb2_buffer_state): void {
	vb2_buffer_done(buf, state);
}

/** How many source buffers wait for a job. Linux: v4l2_m2m_num_src_bufs_ready() */
export function v4l2_m2m_num_src_bufs_ready(m2m_ctx: v4l2_m2m_ctx): int {
	return m2m_ctx.out_q_ctx.num_rdy;
}

/** How many destination buffers wait for a job. Linux: v4l2_m2m_num_dst_bufs_ready() */
export function v4l2_m2m_num_dst_bufs_ready(m2m_ctx: v4l2_m2m_ctx): int {
	return m2m_ctx.cap_q_ctx.num_rdy;
}

/** v4l2_m2m_next_buf() of the source. Linux: v4l2_m2m_next_src_buf() */
export function v4l2_m2m_next_src_buf(m2m_ctx: v4l2_m2m_ctx): vb2_v4l2_buffer | null {
	return v4l2_m2m_next_buf(m2m_ctx.out_q_ctx);
}

/** v4l2_m2m_next_buf() of the destination. Linux: v4l2_m2m_next_dst_buf() */
export function v4l2_m2m_next_dst_buf(m2m_ctx: v4l2_m2m_ctx): vb2_v4l2_buffer | null {
	return v4l2_m2m_next_buf(m2m_ctx.cap_q_ctx);
}

/** v4l2_m2m_buf_remove() of the source. Linux: v4l2_m2m_src_buf_remove() */
export function v4l2_m2m_src_buf_remove(m2m_ctx: v4l2_m2m_ctx): vb2_v4l2_buffer | null {
	return v4l2_m2m_buf_remove(m2m_ctx.out_q_ctx);
}

/** v4l2_m2m_buf_remove() of the destination. Linux: v4l2_m2m_dst_buf_remove() */
export function v4l2_m2m_dst_buf_remove(m2m_ctx: v4l2_m2m_ctx): vb2_v4l2_buffer | null {
	return v4l2_m2m_buf_remove(m2m_ctx.cap_q_ctx);
}

/** The queue that jobs read from. Linux: v4l2_m2m_get_src_vq() */
export function v4l2_m2m_get_src_vq(m2m_ctx: v4l2_m2m_ctx): vb2_queue {
	return v4l2_m2m_get_vq(m2m_ctx, V4L2_BUF_TYPE_VIDEO_OUTPUT);
}

/** The queue that jobs write to. Linux: v4l2_m2m_get_dst_vq() */
export function v4l2_m2m_get_dst_vq(m2m_ctx: v4l2_m2m_ctx): vb2_queue {
	return v4l2_m2m_get_vq(m2m_ctx, V4L2_BUF_TYPE_VIDEO_CAPTURE);
}

/** The driver's data of the instance that runs, or null. Linux: v4l2_m2m_get_curr_priv() */
export function v4l2_m2m_get_curr_priv(m2m_dev: v4l2_m2m_dev): unknown {
	const flags = spin_lock_irqsave(m2m_dev.job_spinlock);
	const ret = m2m_dev.curr_ctx ? m2m_dev.curr_ctx.priv : null;
	spin_unlock_irqrestore(m2m_dev.job_spinlock, flags);
	return ret;
}

/** Start the first job of the queue, unless one runs. */
function v4l2_m2m_try_run(m2m_dev: v4l2_m2m_dev): void {
	const flags = spin_lock_irqsave(m2m_dev.job_spinlock);
	if (
		m2m_dev.curr_ctx !== null ||
		list_empty(m2m_dev.job_queue) ||
		(m2m_dev.job_queue_flags & QUEUE_PAUSED) !== 0
	) {
		spin_unlock_irqrestore(m2m_dev.job_spinlock, flags);
		return;
	}
	const ctx = list_first_entry(m2m_dev.job_queue);
	m2m_dev.curr_ctx = ctx;
	ctx.job_flags |= TRANS_RUNNING;
	spin_unlock_irqrestore(m2m_dev.job_spinlock, flags);

	m2m_dev.m2m_ops.device_run(ctx.priv);
}

/** Put @m2m_ctx on the job queue when it streams, is not there, and has a buffer on each side. */
function __v4l2_m2m_try_queue(m2m_dev: v4l2_m2m_dev, m2m_ctx: v4l2_m2m_ctx): void {
	const { out_q_ctx, cap_q_ctx } = m2m_ctx;
	if (!out_q_ctx.q.streaming || !cap_q_ctx.q.streaming) return;

	const flags_job = spin_lock_irqsave(m2m_dev.job_spinlock);
	job_unlock: {
		if (m2m_ctx.job_flags & (TRANS_ABORT | TRANS_QUEUED)) break job_unlock;

		const src = v4l2_m2m_next_src_buf(m2m_ctx);
		let dst = v4l2_m2m_next_dst_buf(m2m_ctx);
		if (!src && !out_q_ctx.buffered) break job_unlock;
		if (!dst && !cap_q_ctx.buffered) break job_unlock;

		m2m_ctx.new_frame = true;
		// A held capture buffer belongs to the source's timestamp: another one means that it is complete.
		if (src && dst?.is_held && dst.copied_timestamp && dst.timestamp !== src.timestamp) {
			dst.is_held = false;
			v4l2_m2m_dst_buf_remove(m2m_ctx);
			v4l2_m2m_buf_done(dst, VB2_BUF_STATE_DONE);
			dst = v4l2_m2m_next_dst_buf(m2m_ctx);
			if (!dst && !cap_q_ctx.buffered) break job_unlock;
		}
		if (src && dst && out_q_ctx.q.subsystem_flags & VB2_V4L2_FL_SUPPORTS_M2M_HOLD_CAPTURE_BUF)
			m2m_ctx.new_frame = !dst.copied_timestamp || dst.timestamp !== src.timestamp;

		if (m2m_dev.m2m_ops.job_ready && !m2m_dev.m2m_ops.job_ready(m2m_ctx.priv)) break job_unlock;
		list_add_tail(m2m_ctx.queue, m2m_dev.job_queue);
		m2m_ctx.job_flags |= TRANS_QUEUED;
	}
	spin_unlock_irqrestore(m2m_dev.job_spinlock, flags_job);
}

/** Start a job if there is one to start. Linux: v4l2_m2m_try_schedule() */
export function v4l2_m2m_try_schedule(m2m_ctx: v4l2_m2m_ctx): void {
	const { m2m_dev } = m2m_ctx;
	__v4l2_m2m_try_queue(m2m_dev, m2m_ctx);
	v4l2_m2m_try_run(m2m_dev);
}

function v4l2_m2m_device_run_work(work: work_struct): void {
	v4l2_m2m_try_run(container_of(work, v4l2_m2m_dev));
}

/** Take @m2m_ctx off the job queue; waits for the end of the job that runs. */
function v4l2_m2m_cancel_job(m2m_ctx: v4l2_m2m_ctx): void {
	const { m2m_dev } = m2m_ctx;

	const flags = spin_lock_irqsave(m2m_dev.job_spinlock);
	m2m_ctx.job_flags |= TRANS_ABORT;
	if (m2m_ctx.job_flags & TRANS_RUNNING) {
		spin_unlock_irqrestore(m2m_dev.job_spinlock, flags);
		m2m_dev.m2m_ops.job_abort?.(m2m_ctx.priv);
		wait_event(m2m_ctx.finished, () => (m2m_ctx.job_flags & TRANS_RUNNING) === 0);
		return;
	}
	if (m2m_ctx.job_flags & TRANS_QUEUED) {
		list_del(m2m_ctx.queue);
		m2m_ctx.job_flags &= ~(TRANS_QUEUED | TRANS_RUNNING);
	}
	spin_unlock_irqrestore(m2m_dev.job_spinlock, flags);
}

/** The next job starts from a work item: the caller may be an interrupt handler. */
function v4l2_m2m_schedule_next_job(m2m_dev: v4l2_m2m_dev, m2m_ctx: v4l2_m2m_ctx): void {
	__v4l2_m2m_try_queue(m2m_dev, m2m_ctx);
	schedule_work(m2m_dev.job_work);
}

/** The job_spinlock is held. Whether @m2m_ctx was the one that ran. */
function _v4l2_m2m_job_finish(m2m_dev: v4l2_m2m_dev, m2m_ctx: v4l2_m2m_ctx): bool {
	if (m2m_dev.curr_ctx === null || m2m_dev.curr_ctx !== m2m_ctx) return false;

	list_del(m2m_ctx.queue);
	m2m_ctx.job_flags &= ~(TRANS_QUEUED | TRANS_RUNNING);
	wake_up(m2m_ctx.finished);
	m2m_dev.curr_ctx = null;
	return true;
}

/** The hardware is done with the job of @m2m_ctx. Any context. Linux: v4l2_m2m_job_finish() */
export function v4l2_m2m_job_finish(m2m_dev: v4l2_m2m_dev, m2m_ctx: v4l2_m2m_ctx): void {
	WARN_ON((m2m_ctx.out_q_ctx.q.subsystem_flags & VB2_V4L2_FL_SUPPORTS_M2M_HOLD_CAPTURE_BUF) !== 0);

	const flags = spin_lock_irqsave(m2m_dev.job_spinlock);
	const schedule_next = _v4l2_m2m_job_finish(m2m_dev, m2m_ctx);
	spin_unlock_irqrestore(m2m_dev.job_spinlock, flags);
	if (schedule_next) v4l2_m2m_schedule_next_job(m2m_dev, m2m_ctx);
}

/** Both buffers of the job are done with @state, and so is the job. Any context. Linux: v4l2_m2m_buf_done_and_job_finish() */
export function v4l2_m2m_buf_done_and_job_finish(
	m2m_dev: v4l2_m2m_dev,
	m2m_ctx: v4l2_m2m_ctx,
	state: vb2_buffer_state,
): void {
	let schedule_next = false;

	const flags = spin_lock_irqsave(m2m_dev.job_spinlock);
	const src_buf = v4l2_m2m_src_buf_remove(m2m_ctx);
	const dst_buf = v4l2_m2m_next_dst_buf(m2m_ctx);
	if (!WARN_ON(!src_buf || !dst_buf) && src_buf && dst_buf) {
		dst_buf.is_held = (src_buf.flags & V4L2_BUF_FLAG_M2M_HOLD_CAPTURE_BUF) !== 0;
		if (!dst_buf.is_held) {
			v4l2_m2m_dst_buf_remove(m2m_ctx);
			v4l2_m2m_buf_done(dst_buf, state);
		}
		v4l2_m2m_buf_done(src_buf, state);
		schedule_next = _v4l2_m2m_job_finish(m2m_dev, m2m_ctx);
	}
	spin_unlock_irqrestore(m2m_dev.job_spinlock, flags);
	if (schedule_next) v4l2_m2m_schedule_next_job(m2m_dev, m2m_ctx);
}

/** Start nothing new, and wait for what runs. Linux: v4l2_m2m_suspend() */
export function v4l2_m2m_suspend(m2m_dev: v4l2_m2m_dev): void {
	const flags = spin_lock_irqsave(m2m_dev.job_spinlock);
	m2m_dev.job_queue_flags |= QUEUE_PAUSED;
	const { curr_ctx } = m2m_dev;
	spin_unlock_irqrestore(m2m_dev.job_spinlock, flags);
	if (curr_ctx) wait_event(curr_ctx.finished, () => (curr_ctx.job_flags & TRANS_RUNNING) === 0);
}

/** Go on after v4l2_m2m_suspend(). */
export function v4l2_m2m_resume(m2m_dev: v4l2_m2m_dev): void {
	const flags = spin_lock_irqsave(m2m_dev.job_spinlock);
	m2m_dev.job_queue_flags &= ~QUEUE_PAUSED;
	spin_unlock_irqrestore(m2m_dev.job_spinlock, flags);
	v4l2_m2m_try_run(m2m_dev);
}

/** vb2_reqbufs() on the queue of that type; @file then owns it. Linux: v4l2_m2m_reqbufs() */
export function v4l2_m2m_reqbufs(file: file, m2m_ctx: v4l2_m2m_ctx, reqbufs: v4l2_requestbuffers): int {
	const vq = v4l2_m2m_get_vq(m2m_ctx, reqbufs.type);
	const ret = vb2_reqbufs(vq, reqbufs);
	// Who has no buffers does not own the queue.
	if (ret === 0) vq.owner = reqbufs.count ? file.private_data : null;
	return ret;
}

function v4l2_m2m_adjust_mem_offset(vq: vb2_queue, buf: v4l2_buffer): void {
	if (buf.memory === V4L2_MEMORY_MMAP && V4L2_TYPE_IS_CAPTURE(vq.type)) buf.m.offset += DST_QUEUE_OFF_BASE;
}

/** vb2_querybuf(), with the offset that v4l2_m2m_mmap() takes. Linux: v4l2_m2m_querybuf() */
export function v4l2_m2m_querybuf(_file: file, m2m_ctx: v4l2_m2m_ctx, buf: v4l2_buffer): int {
	const vq = v4l2_m2m_get_vq(m2m_ctx, buf.type);
	const ret = vb2_querybuf(vq, buf);
	if (ret) return ret;
	v4l2_m2m_adjust_mem_offset(vq, buf);
	return 0;
}

/** vb2_qbuf(), and a job if that was what it lacked. -EPERM: a capture buffer with a request. Linux: v4l2_m2m_qbuf() */
export function v4l2_m2m_qbuf(_file: file, m2m_ctx: v4l2_m2m_ctx, buf: v4l2_buffer): int {
	const vq = v4l2_m2m_get_vq(m2m_ctx, buf.type);
	if (V4L2_TYPE_IS_CAPTURE(vq.type) && buf.flags & V4L2_BUF_FLAG_REQUEST_FD) return -EPERM;

	const ret = vb2_qbuf(vq, buf);
	if (ret) return ret;
	v4l2_m2m_adjust_mem_offset(vq, buf);
	v4l2_m2m_try_schedule(m2m_ctx);
	return 0;
}

/** vb2_dqbuf(), which waits unless the file is O_NONBLOCK. Linux: v4l2_m2m_dqbuf() */
export function v4l2_m2m_dqbuf(file: file, m2m_ctx: v4l2_m2m_ctx, buf: v4l2_buffer): int {
	const vq = v4l2_m2m_get_vq(m2m_ctx, buf.type);
	const ret = vb2_dqbuf(vq, buf, (file.f_flags & O_NONBLOCK) !== 0);
	if (ret) return ret;
	v4l2_m2m_adjust_mem_offset(vq, buf);
	return 0;
}

/** vb2_prepare_buf() on the queue of that type. Linux: v4l2_m2m_prepare_buf() */
export function v4l2_m2m_prepare_buf(_file: file, m2m_ctx: v4l2_m2m_ctx, buf: v4l2_buffer): int {
	const vq = v4l2_m2m_get_vq(m2m_ctx, buf.type);
	const ret = vb2_prepare_buf(vq, buf);
	if (ret) return ret;
	v4l2_m2m_adjust_mem_offset(vq, buf);
	return 0;
}

/** vb2_create_bufs() on the queue of that type. Linux: v4l2_m2m_create_bufs() */
export function v4l2_m2m_create_bufs(_file: file, m2m_ctx: v4l2_m2m_ctx, create: v4l2_create_buffers): int {
	return vb2_create_bufs(v4l2_m2m_get_vq(m2m_ctx, create.format.type), create);
}

/** vb2_expbuf() on the queue of that type. Linux: v4l2_m2m_expbuf() */
export function v4l2_m2m_expbuf(_file: file, m2m_ctx: v4l2_m2m_ctx, eb: v4l2_exportbuffer): int {
	return vb2_expbuf(v4l2_m2m_get_vq(m2m_ctx, eb.type), eb);
}

/** vb2_streamon(), and a job if both queues stream now. Linux: v4l2_m2m_streamon() */
export function v4l2_m2m_streamon(_file: file, m2m_ctx: v4l2_m2m_ctx, type: v4l2_buf_type): int {
	const ret = vb2_streamon(v4l2_m2m_get_vq(m2m_ctx, type), type);
	if (!ret) v4l2_m2m_try_schedule(m2m_ctx);
	return ret;
}

/** End the instance's job, and the streaming of one queue. Linux: v4l2_m2m_streamoff() */
export function v4l2_m2m_streamoff(_file: file, m2m_ctx: v4l2_m2m_ctx, type: v4l2_buf_type): int {
	const { m2m_dev } = m2m_ctx;
	const q_ctx = get_queue_ctx(m2m_ctx, type);

	// Not while the hardware works on it.
	v4l2_m2m_cancel_job(m2m_ctx);
	const ret = vb2_streamoff(q_ctx.q, type);
	if (ret !== 0) return ret;

	const flags_job = spin_lock_irqsave(m2m_dev.job_spinlock);
	if ((m2m_ctx.job_flags & TRANS_QUEUED) !== 0) list_del(m2m_ctx.queue);
	// That also ends what v4l2_m2m_cancel_job() began: jobs may be queued again.
	m2m_ctx.job_flags = 0;
	const flags = spin_lock_irqsave(q_ctx.rdy_spinlock);
	q_ctx.num_rdy = 0;
	INIT_LIST_HEAD(q_ctx.rdy_queue);
	spin_unlock_irqrestore(q_ctx.rdy_spinlock, flags);
	if (m2m_dev.curr_ctx === m2m_ctx) {
		m2m_dev.curr_ctx = null;
		wake_up(m2m_ctx.finished);
	}
	spin_unlock_irqrestore(m2m_dev.job_spinlock, flags_job);
	return 0;
}

/** The offset says which queue the buffer is on. Linux: v4l2_m2m_mmap() */
export function v4l2_m2m_mmap(_file: file, m2m_ctx: v4l2_m2m_ctx, vma: vm_area_struct): int {
	const offset = vma.vm_pgoff * PAGE_SIZE;
	if (offset < DST_QUEUE_OFF_BASE) return vb2_mmap(v4l2_m2m_get_src_vq(m2m_ctx), vma);
	vma.vm_pgoff -= DST_QUEUE_OFF_BASE / PAGE_SIZE;
	return vb2_mmap(v4l2_m2m_get_dst_vq(m2m_ctx), vma);
}

/** One for the driver's device. -EINVAL without device_run, -ENOMEM. Linux: v4l2_m2m_init() */
export function v4l2_m2m_init(m2m_ops: v4l2_m2m_ops | null): v4l2_m2m_dev | err_ptr {
	if (!m2m_ops || WARN_ON(!m2m_ops.device_run)) return ERR_PTR(-EINVAL);

	const m2m_dev = kzalloc(v4l2_m2m_dev, GFP_KERNEL);
	if (!m2m_dev) return ERR_PTR(-ENOMEM);
	m2m_dev.m2m_ops = m2m_ops;
	INIT_LIST_HEAD(m2m_dev.job_queue);
	spin_lock_init(m2m_dev.job_spinlock);
	INIT_WORK(m2m_dev.job_work, v4l2_m2m_device_run_work);
	kref_init(m2m_dev.kref);
	return m2m_dev;
}

/** Linux: v4l2_m2m_release() */
export function v4l2_m2m_release(m2m_dev: v4l2_m2m_dev): void {
	kfree(m2m_dev);
}

/** One more user of @m2m_dev. Linux: v4l2_m2m_get() */
export function v4l2_m2m_get(m2m_dev: v4l2_m2m_dev): void {
	kref_get(m2m_dev.kref);
}

function v4l2_m2m_release_from_kref(kref: kref): void {
	v4l2_m2m_release(container_of(kref, v4l2_m2m_dev));
}

/** One user less; the last one frees @m2m_dev. Linux: v4l2_m2m_put() */
export function v4l2_m2m_put(m2m_dev: v4l2_m2m_dev): void {
	kref_put(m2m_dev.kref, v4l2_m2m_release_from_kref);
}

/** An instance, with the two queues that @queue_init fills in. Linux: v4l2_m2m_ctx_init() */
export function v4l2_m2m_ctx_init(
	m2m_dev: v4l2_m2m_dev,
	drv_priv: unknown,
	queue_init: (priv: unknown, src_vq: vb2_queue, dst_vq: vb2_queue) => int,
): v4l2_m2m_ctx | err_ptr {
	const m2m_ctx = kzalloc(v4l2_m2m_ctx, GFP_KERNEL);
	if (!m2m_ctx) return ERR_PTR(-ENOMEM);
	m2m_ctx.priv = drv_priv;
	m2m_ctx.m2m_dev = m2m_dev;
	init_waitqueue_head(m2m_ctx.finished);

	const { out_q_ctx, cap_q_ctx } = m2m_ctx;
	INIT_LIST_HEAD(out_q_ctx.rdy_queue);
	INIT_LIST_HEAD(cap_q_ctx.rdy_queue);
	spin_lock_init(out_q_ctx.rdy_spinlock);
	spin_lock_init(cap_q_ctx.rdy_spinlock);
	INIT_LIST_HEAD(m2m_ctx.queue);

	let ret = queue_init(drv_priv, out_q_ctx.q, cap_q_ctx.q);
	// One lock for both: a job takes from both at once.
	if (!ret && WARN_ON(out_q_ctx.q.lock !== cap_q_ctx.q.lock)) ret = -EINVAL;
	if (ret) {
		kfree(m2m_ctx);
		return ERR_PTR(ret);
	}
	m2m_ctx.q_lock = out_q_ctx.q.lock;
	return m2m_ctx;
}

/** The end of an instance: its job, its buffers. Linux: v4l2_m2m_ctx_release() */
export function v4l2_m2m_ctx_release(m2m_ctx: v4l2_m2m_ctx): void {
	v4l2_m2m_cancel_job(m2m_ctx);
	vb2_queue_release(m2m_ctx.cap_q_ctx.q);
	vb2_queue_release(m2m_ctx.out_q_ctx.q);
	kfree(m2m_ctx);
}

/** The driver's buf_queue: @vbuf is ready for a job. Linux: v4l2_m2m_buf_queue() */
export function v4l2_m2m_buf_queue(m2m_ctx: v4l2_m2m_ctx, vbuf: vb2_v4l2_buffer): void {
	if (WARN_ON(!(vbuf instanceof v4l2_m2m_buffer)) || !(vbuf instanceof v4l2_m2m_buffer)) return;
	const q_ctx = get_queue_ctx(m2m_ctx, vbuf.vb2_queue!.type);

	const flags = spin_lock_irqsave(q_ctx.rdy_spinlock);
	list_add_tail(vbuf.list, q_ctx.rdy_queue);
	q_ctx.num_rdy++;
	spin_unlock_irqrestore(q_ctx.rdy_spinlock, flags);
}

/** The frame keeps the timestamp and the flags of the bitstream it was made of. Linux: v4l2_m2m_buf_copy_metadata() */
export function v4l2_m2m_buf_copy_metadata(
	out_vb: vb2_v4l2_buffer,
	cap_vb: vb2_v4l2_buffer,
	copy_frame_flags: bool,
): void {
	let mask = V4L2_BUF_FLAG_TIMECODE | V4L2_BUF_FLAG_TSTAMP_SRC_MASK;
	if (copy_frame_flags) mask |= V4L2_BUF_FLAG_KEYFRAME | V4L2_BUF_FLAG_PFRAME | V4L2_BUF_FLAG_BFRAME;

	cap_vb.timestamp = out_vb.timestamp;
	if (out_vb.flags & V4L2_BUF_FLAG_TIMECODE) cap_vb.timecode = out_vb.timecode;
	cap_vb.field = out_vb.field;
	cap_vb.flags &= ~mask;
	cap_vb.flags |= out_vb.flags & mask;
	cap_vb.copied_timestamp = true;
}

/* Ioctl and file operation helpers: the instance is in the file's struct v4l2_fh. */

function file_ctx(file: file): v4l2_m2m_ctx {
	return (file.private_data as v4l2_fh).m2m_ctx!;
}

/** VIDIOC_REQBUFS. Linux: v4l2_m2m_ioctl_reqbufs() */
export function v4l2_m2m_ioctl_reqbufs(file: file, _priv: unknown, rb: v4l2_requestbuffers): int {
	return v4l2_m2m_reqbufs(file, file_ctx(file), rb);
}

/** VIDIOC_CREATE_BUFS. Linux: v4l2_m2m_ioctl_create_bufs() */
export function v4l2_m2m_ioctl_create_bufs(file: file, _priv: unknown, create: v4l2_create_buffers): int {
	return v4l2_m2m_create_bufs(file, file_ctx(file), create);
}

/** VIDIOC_QUERYBUF. Linux: v4l2_m2m_ioctl_querybuf() */
export function v4l2_m2m_ioctl_querybuf(file: file, _priv: unknown, buf: v4l2_buffer): int {
	return v4l2_m2m_querybuf(file, file_ctx(file), buf);
}

/** VIDIOC_QBUF. Linux: v4l2_m2m_ioctl_qbuf() */
export function v4l2_m2m_ioctl_qbuf(file: file, _priv: unknown, buf: v4l2_buffer): int {
	return v4l2_m2m_qbuf(file, file_ctx(file), buf);
}

/** VIDIOC_DQBUF. Linux: v4l2_m2m_ioctl_dqbuf() */
export function v4l2_m2m_ioctl_dqbuf(file: file, _priv: unknown, buf: v4l2_buffer): int {
	return v4l2_m2m_dqbuf(file, file_ctx(file), buf);
}

/** VIDIOC_PREPARE_BUF. Linux: v4l2_m2m_ioctl_prepare_buf() */
export function v4l2_m2m_ioctl_prepare_buf(file: file, _priv: unknown, buf: v4l2_buffer): int {
	return v4l2_m2m_prepare_buf(file, file_ctx(file), buf);
}

/** VIDIOC_EXPBUF. Linux: v4l2_m2m_ioctl_expbuf() */
export function v4l2_m2m_ioctl_expbuf(file: file, _priv: unknown, eb: v4l2_exportbuffer): int {
	return v4l2_m2m_expbuf(file, file_ctx(file), eb);
}

/** VIDIOC_STREAMON. Linux: v4l2_m2m_ioctl_streamon() */
export function v4l2_m2m_ioctl_streamon(file: file, _priv: unknown, type: v4l2_buf_type): int {
	return v4l2_m2m_streamon(file, file_ctx(file), type);
}

/** VIDIOC_STREAMOFF. Linux: v4l2_m2m_ioctl_streamoff() */
export function v4l2_m2m_ioctl_streamoff(file: file, _priv: unknown, type: v4l2_buf_type): int {
	return v4l2_m2m_streamoff(file, file_ctx(file), type);
}

/** mmap() of the node's file. Linux: v4l2_m2m_fop_mmap() */
export function v4l2_m2m_fop_mmap(file: file, vma: vm_area_struct): int {
	return v4l2_m2m_mmap(file, file_ctx(file), vma);
}
