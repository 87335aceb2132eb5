// SPDX-License-Identifier: GPL-2.0-only
// Video buffers behind the V4L2 ioctls.
// Linux 6.12: drivers/media/common/videobuf2/videobuf2-v4l2.c
// Left out: multi-planar formats, USERPTR, media requests, poll, the vb2_ioctl_ and vb2_fop_ helpers of devices that
// are not memory to memory, debug messages.
import {
	vb2_buffer_in_use,
	vb2_core_create_bufs,
	vb2_core_dqbuf,
	vb2_core_expbuf,
	vb2_core_prepare_buf,
	vb2_core_qbuf,
	vb2_core_querybuf,
	vb2_core_queue_init,
	vb2_core_queue_release,
	vb2_core_reqbufs,
	vb2_core_streamoff,
	vb2_core_streamon,
	vb2_verify_memory_type,
} from '#drivers/media/common/videobuf2/videobuf2-core.js';
import {
	VB2_BUF_STATE_ACTIVE,
	VB2_BUF_STATE_DEQUEUED,
	VB2_BUF_STATE_DONE,
	VB2_BUF_STATE_ERROR,
	VB2_BUF_STATE_QUEUED,
	VB2_DMABUF,
	VB2_MEMORY_DMABUF,
	VB2_MEMORY_MMAP,
	VB2_MMAP,
	type vb2_buf_ops,
	type vb2_buffer,
	vb2_get_buffer,
	vb2_get_num_buffers,
	type vb2_plane,
	type vb2_queue,
	vb2_queue_allows_cache_hints,
} from '#include/media/videobuf2-core.js';
import {
	to_vb2_v4l2_buffer,
	VB2_V4L2_FL_SUPPORTS_M2M_HOLD_CAPTURE_BUF,
	vb2_v4l2_buffer,
} from '#include/media/videobuf2-v4l2.js';
import {
	V4L2_BUF_CAP_SUPPORTS_DMABUF,
	V4L2_BUF_CAP_SUPPORTS_M2M_HOLD_CAPTURE_BUF,
	V4L2_BUF_CAP_SUPPORTS_MAX_NUM_BUFFERS,
	V4L2_BUF_CAP_SUPPORTS_MMAP,
	V4L2_BUF_CAP_SUPPORTS_MMAP_CACHE_HINTS,
	V4L2_BUF_CAP_SUPPORTS_ORPHANED_BUFS,
	V4L2_BUF_FLAG_BFRAME,
	V4L2_BUF_FLAG_DONE,
	V4L2_BUF_FLAG_ERROR,
	V4L2_BUF_FLAG_IN_REQUEST,
	V4L2_BUF_FLAG_KEYFRAME,
	V4L2_BUF_FLAG_LAST,
	V4L2_BUF_FLAG_M2M_HOLD_CAPTURE_BUF,
	V4L2_BUF_FLAG_MAPPED,
	V4L2_BUF_FLAG_NO_CACHE_CLEAN,
	V4L2_BUF_FLAG_NO_CACHE_INVALIDATE,
	V4L2_BUF_FLAG_PFRAME,
	V4L2_BUF_FLAG_PREPARED,
	V4L2_BUF_FLAG_QUEUED,
	V4L2_BUF_FLAG_REQUEST_FD,
	V4L2_BUF_FLAG_TIMECODE,
	V4L2_BUF_FLAG_TIMESTAMP_COPY,
	V4L2_BUF_FLAG_TIMESTAMP_MASK,
	V4L2_BUF_FLAG_TIMESTAMP_UNKNOWN,
	V4L2_BUF_FLAG_TSTAMP_SRC_MASK,
	V4L2_FIELD_ALTERNATE,
	V4L2_MEMORY_FLAG_NON_COHERENT,
	V4L2_MEMORY_MMAP,
	V4L2_TYPE_IS_CAPTURE,
	V4L2_TYPE_IS_OUTPUT,
	type v4l2_buffer,
	type v4l2_create_buffers,
	type v4l2_exportbuffer,
	type v4l2_requestbuffers,
} from '#include/uapi/linux/videodev2.js';
import { WARN_ON } from '#linux/bug.js';
import { EBADR, EINVAL } from '#linux/errno.js';
import { boot_data } from '#linux/init.js';
import { mutex_lock, mutex_unlock } from '#linux/mutex.js';
import { pr_warn } from '#linux/printk.js';
import { type bool, type int, ref, type u32, type u64, type unsigned_int } from '#linux/types.js';

const state = boot_data(() => ({ check_once: false }));

/** Flags that videobuf2 sets itself. */
const V4L2_BUFFER_MASK_FLAGS =
	V4L2_BUF_FLAG_MAPPED |
	V4L2_BUF_FLAG_QUEUED |
	V4L2_BUF_FLAG_DONE |
	V4L2_BUF_FLAG_ERROR |
	V4L2_BUF_FLAG_PREPARED |
	V4L2_BUF_FLAG_IN_REQUEST |
	V4L2_BUF_FLAG_REQUEST_FD |
	V4L2_BUF_FLAG_TIMESTAMP_MASK;
/** Flags of an output buffer that the driver is to see. */
const V4L2_BUFFER_OUT_FLAGS =
	V4L2_BUF_FLAG_PFRAME |
	V4L2_BUF_FLAG_BFRAME |
	V4L2_BUF_FLAG_KEYFRAME |
	V4L2_BUF_FLAG_TIMECODE |
	V4L2_BUF_FLAG_M2M_HOLD_CAPTURE_BUF;

function __verify_length(vb: vb2_buffer, b: v4l2_buffer): int {
	if (V4L2_TYPE_IS_CAPTURE(b.type)) return 0;
	return b.bytesused > vb.planes[0].length ? -EINVAL : 0;
}

function __init_vb2_v4l2_buffer(vb: vb2_buffer): void {
	to_vb2_v4l2_buffer(vb).request_fd = -1;
}

function __copy_timestamp(vb: vb2_buffer, pb: object): void {
	const b = pb as v4l2_buffer;
	const vbuf = to_vb2_v4l2_buffer(vb);
	const q = vb.vb2_queue!;

	if (q.is_output) {
		if (q.copy_timestamp) vb.timestamp = b.timestamp;
		vbuf.flags |= b.flags & V4L2_BUF_FLAG_TIMECODE;
		if (b.flags & V4L2_BUF_FLAG_TIMECODE) vbuf.timecode = b.timecode;
	}
}

function vb2_warn_zero_bytesused(vb: vb2_buffer): void {
	if (state.check_once) return;
	state.check_once = true;
	pr_warn('use of bytesused == 0 is deprecated and will be removed in the future,');
	if (vb.vb2_queue!.allow_zero_bytesused) pr_warn('use VIDIOC_DECODER_CMD(V4L2_DEC_CMD_STOP) instead.');
	else pr_warn('use the actual size instead.');
}

/** Take over what user space says of the buffer. */
function vb2_fill_vb2_v4l2_buffer(vb: vb2_buffer, b: v4l2_buffer): int {
	const q = vb.vb2_queue!;
	const vbuf = to_vb2_v4l2_buffer(vb);
	const plane = vbuf.user_planes[0];

	const ret = __verify_length(vb, b);
	if (ret < 0) return ret;
	// One field a buffer: user space must say which.
	if (b.field === V4L2_FIELD_ALTERNATE && q.is_output) return -EINVAL;

	vbuf.sequence = 0;
	vbuf.request_fd = -1;
	vbuf.is_held = false;

	if (b.memory === VB2_MEMORY_DMABUF) {
		plane.m.fd = b.m.fd;
		plane.length = b.length;
	} else {
		plane.m.offset = vb.planes[0].m.offset;
		plane.length = vb.planes[0].length;
	}
	plane.data_offset = 0;
	if (V4L2_TYPE_IS_OUTPUT(b.type)) {
		if (b.bytesused === 0) vb2_warn_zero_bytesused(vb);
		if (q.allow_zero_bytesused) plane.bytesused = b.bytesused;
		else plane.bytesused = b.bytesused ? b.bytesused : plane.length;
	} else {
		plane.bytesused = 0;
	}

	vbuf.flags = b.flags & ~V4L2_BUFFER_MASK_FLAGS;
	if (!q.copy_timestamp || V4L2_TYPE_IS_CAPTURE(b.type)) vbuf.flags &= ~V4L2_BUF_FLAG_TSTAMP_SRC_MASK;
	if (V4L2_TYPE_IS_OUTPUT(b.type)) {
		vbuf.flags &= ~V4L2_BUF_FLAG_TIMECODE;
		vbuf.field = b.field;
		if (!(q.subsystem_flags & VB2_V4L2_FL_SUPPORTS_M2M_HOLD_CAPTURE_BUF))
			vbuf.flags &= ~V4L2_BUF_FLAG_M2M_HOLD_CAPTURE_BUF;
	} else {
		vbuf.flags &= ~V4L2_BUFFER_OUT_FLAGS;
		vbuf.flags &= ~V4L2_BUF_FLAG_LAST;
	}
	return 0;
}

function set_buffer_cache_hints(q: vb2_queue, vb: vb2_buffer, b: v4l2_buffer): void {
	if (!vb2_queue_allows_cache_hints(q)) {
		b.flags &= ~V4L2_BUF_FLAG_NO_CACHE_INVALIDATE;
		b.flags &= ~V4L2_BUF_FLAG_NO_CACHE_CLEAN;
		return;
	}
	if (b.flags & V4L2_BUF_FLAG_NO_CACHE_INVALIDATE) vb.skip_cache_sync_on_finish = true;
	if (b.flags & V4L2_BUF_FLAG_NO_CACHE_CLEAN) vb.skip_cache_sync_on_prepare = true;
}

function vb2_queue_or_prepare_buf(q: vb2_queue, vb: vb2_buffer, b: v4l2_buffer): int {
	if (b.type !== q.type) return -EINVAL;
	if (b.memory !== q.memory) return -EINVAL;

	if (!vb.prepared) {
		set_buffer_cache_hints(q, vb, b);
		const ret = vb2_fill_vb2_v4l2_buffer(vb, b);
		if (ret) return ret;
	}
	return b.flags & V4L2_BUF_FLAG_REQUEST_FD ? -EBADR : 0;
}

function __fill_v4l2_buffer(vb: vb2_buffer, pb: object): void {
	const b = pb as v4l2_buffer;
	const vbuf = to_vb2_v4l2_buffer(vb);
	const q = vb.vb2_queue!;

	b.index = vb.index;
	b.type = vb.type;
	b.memory = vb.memory;
	b.flags = vbuf.flags;
	b.field = vbuf.field;
	b.timestamp = vb.timestamp;
	b.timecode = vbuf.timecode;
	b.sequence = vbuf.sequence;
	b.request_fd = 0;
	b.length = vb.planes[0].length;
	b.bytesused = vb.planes[0].bytesused;
	if (q.memory === VB2_MEMORY_MMAP) b.m.offset = vb.planes[0].m.offset;
	else if (q.memory === VB2_MEMORY_DMABUF) b.m.fd = vb.planes[0].m.fd;

	b.flags &= ~V4L2_BUFFER_MASK_FLAGS;
	b.flags |= q.timestamp_flags & V4L2_BUF_FLAG_TIMESTAMP_MASK;
	if (!q.copy_timestamp) {
		b.flags &= ~V4L2_BUF_FLAG_TSTAMP_SRC_MASK;
		b.flags |= q.timestamp_flags & V4L2_BUF_FLAG_TSTAMP_SRC_MASK;
	}
	switch (vb.state) {
		case VB2_BUF_STATE_QUEUED:
		case VB2_BUF_STATE_ACTIVE:
			b.flags |= V4L2_BUF_FLAG_QUEUED;
			break;
		case VB2_BUF_STATE_ERROR:
			b.flags |= V4L2_BUF_FLAG_ERROR | V4L2_BUF_FLAG_DONE;
			break;
		case VB2_BUF_STATE_DONE:
			b.flags |= V4L2_BUF_FLAG_DONE;
			break;
		default:
			break;
	}
	if (vb.state === VB2_BUF_STATE_DEQUEUED && vb.synced && vb.prepared) b.flags |= V4L2_BUF_FLAG_PREPARED;
	if (vb2_buffer_in_use(q, vb)) b.flags |= V4L2_BUF_FLAG_MAPPED;
}

function __fill_vb2_buffer(vb: vb2_buffer, planes: vb2_plane[]): int {
	const vbuf = to_vb2_v4l2_buffer(vb);

	if (!vb.vb2_queue!.copy_timestamp) vb.timestamp = 0;
	for (let plane = 0; plane < vb.num_planes; plane++) {
		const from = vbuf.user_planes[plane];
		if (vb.vb2_queue!.memory !== VB2_MEMORY_MMAP) {
			planes[plane].m.fd = from.m.fd;
			planes[plane].length = from.length;
		}
		planes[plane].bytesused = from.bytesused;
		planes[plane].data_offset = from.data_offset;
	}
	return 0;
}

const v4l2_buf_ops: vb2_buf_ops = {
	init_buffer: __init_vb2_v4l2_buffer,
	fill_user_buffer: __fill_v4l2_buffer,
	fill_vb2_buffer: __fill_vb2_buffer,
	copy_timestamp: __copy_timestamp,
};

/** The buffer that carries @timestamp, or null. Linux: vb2_find_buffer() */
export function vb2_find_buffer(q: vb2_queue, timestamp: u64): vb2_buffer | null {
	for (let i = 0; i < q.max_num_buffers; i++) {
		const vb2 = vb2_get_buffer(q, i);
		if (vb2?.copied_timestamp && vb2.timestamp === timestamp) return vb2;
	}
	return null;
}

/** VIDIOC_QUERYBUF. Linux: vb2_querybuf() */
export function vb2_querybuf(q: vb2_queue, b: v4l2_buffer): int {
	if (b.type !== q.type) return -EINVAL;
	const vb = vb2_get_buffer(q, b.index);
	if (!vb) return -EINVAL;
	vb2_core_querybuf(q, vb, b);
	return 0;
}

interface caps_of_queue {
	flags: u32;
	capabilities: u32;
}

function vb2_set_flags_and_caps(q: vb2_queue, memory: u32, req: caps_of_queue): void {
	if (!q.allow_cache_hints || memory !== V4L2_MEMORY_MMAP) req.flags = 0;
	else req.flags &= V4L2_MEMORY_FLAG_NON_COHERENT;

	req.capabilities |= V4L2_BUF_CAP_SUPPORTS_ORPHANED_BUFS;
	if (q.io_modes & VB2_MMAP) req.capabilities |= V4L2_BUF_CAP_SUPPORTS_MMAP;
	if (q.io_modes & VB2_DMABUF) req.capabilities |= V4L2_BUF_CAP_SUPPORTS_DMABUF;
	if (q.subsystem_flags & VB2_V4L2_FL_SUPPORTS_M2M_HOLD_CAPTURE_BUF)
		req.capabilities |= V4L2_BUF_CAP_SUPPORTS_M2M_HOLD_CAPTURE_BUF;
	if (q.allow_cache_hints && q.io_modes & VB2_MMAP)
		req.capabilities |= V4L2_BUF_CAP_SUPPORTS_MMAP_CACHE_HINTS;
}

/** VIDIOC_REQBUFS. Linux: vb2_reqbufs() */
export function vb2_reqbufs(q: vb2_queue, req: v4l2_requestbuffers): int {
	let ret = vb2_verify_memory_type(q, req.memory, req.type);
	vb2_set_flags_and_caps(q, req.memory, req);
	if (ret) return ret;
	const count = new ref<unsigned_int>(req.count);
	ret = vb2_core_reqbufs(q, req.memory, req.flags, count);
	req.count = count.value;
	return ret;
}

/** VIDIOC_PREPARE_BUF. Linux: vb2_prepare_buf() */
export function vb2_prepare_buf(q: vb2_queue, b: v4l2_buffer): int {
	if (b.flags & V4L2_BUF_FLAG_REQUEST_FD) return -EINVAL;
	const vb = vb2_get_buffer(q, b.index);
	if (!vb) return -EINVAL;
	const ret = vb2_queue_or_prepare_buf(q, vb, b);
	return ret ? ret : vb2_core_prepare_buf(q, vb, b);
}

/** VIDIOC_CREATE_BUFS. Linux: vb2_create_bufs() */
export function vb2_create_bufs(q: vb2_queue, create: v4l2_create_buffers): int {
	const f = create.format;
	let ret = vb2_verify_memory_type(q, create.memory, f.type);

	create.index = vb2_get_num_buffers(q);
	vb2_set_flags_and_caps(q, create.memory, create);
	create.max_num_buffers = q.max_num_buffers;
	create.capabilities |= V4L2_BUF_CAP_SUPPORTS_MAX_NUM_BUFFERS;
	if (create.count === 0) return ret;
	if (f.fmt.pix.sizeimage === 0) return -EINVAL;
	if (ret) return ret;

	const count = new ref<unsigned_int>(create.count);
	const index = new ref<unsigned_int>(create.index);
	const sizes = Uint32Array.of(f.fmt.pix.sizeimage);
	ret = vb2_core_create_bufs(q, create.memory, create.flags, count, 1, sizes, index);
	create.count = count.value;
	create.index = index.value;
	return ret;
}

/** VIDIOC_QBUF. Linux: vb2_qbuf() */
export function vb2_qbuf(q: vb2_queue, b: v4l2_buffer): int {
	const vb = vb2_get_buffer(q, b.index);
	if (!vb) return -EINVAL;
	const ret = vb2_queue_or_prepare_buf(q, vb, b);
	return ret ? ret : vb2_core_qbuf(q, vb, b);
}

/** VIDIOC_DQBUF. Linux: vb2_dqbuf() */
export function vb2_dqbuf(q: vb2_queue, b: v4l2_buffer, nonblocking: bool): int {
	if (b.type !== q.type) return -EINVAL;
	const ret = vb2_core_dqbuf(q, null, b, nonblocking);
	if (!q.is_output && b.flags & V4L2_BUF_FLAG_DONE && b.flags & V4L2_BUF_FLAG_LAST)
		q.last_buffer_dequeued = true;
	// The buffer is with user space now, and so not done but dequeued.
	b.flags &= ~V4L2_BUF_FLAG_DONE;
	return ret;
}

/** VIDIOC_STREAMON. Linux: vb2_streamon() */
export function vb2_streamon(q: vb2_queue, type: unsigned_int): int {
	return vb2_core_streamon(q, type);
}

/** VIDIOC_STREAMOFF. Linux: vb2_streamoff() */
export function vb2_streamoff(q: vb2_queue, type: unsigned_int): int {
	return vb2_core_streamoff(q, type);
}

/** VIDIOC_EXPBUF. Linux: vb2_expbuf() */
export function vb2_expbuf(q: vb2_queue, eb: v4l2_exportbuffer): int {
	const vb = vb2_get_buffer(q, eb.index);
	if (!vb) return -EINVAL;
	const fd = new ref<int>(eb.fd);
	const ret = vb2_core_expbuf(q, fd, eb.type, vb, eb.plane, eb.flags);
	eb.fd = fd.value;
	return ret;
}

/** Make a queue that the driver filled in ready for V4L2. Linux: vb2_queue_init() */
export function vb2_queue_init(q: vb2_queue): int {
	if (
		WARN_ON(!q) ||
		WARN_ON((q.timestamp_flags & ~(V4L2_BUF_FLAG_TIMESTAMP_MASK | V4L2_BUF_FLAG_TSTAMP_SRC_MASK)) !== 0)
	)
		return -EINVAL;
	WARN_ON((q.timestamp_flags & V4L2_BUF_FLAG_TIMESTAMP_MASK) === V4L2_BUF_FLAG_TIMESTAMP_UNKNOWN);

	if (q.buf_struct_size === null) q.buf_struct_size = vb2_v4l2_buffer;
	q.buf_ops = v4l2_buf_ops;
	q.is_multiplanar = false;
	q.is_output = V4L2_TYPE_IS_OUTPUT(q.type);
	q.copy_timestamp = (q.timestamp_flags & V4L2_BUF_FLAG_TIMESTAMP_MASK) === V4L2_BUF_FLAG_TIMESTAMP_COPY;
	return vb2_core_queue_init(q);
}

/** Linux: vb2_queue_release() */
export function vb2_queue_release(q: vb2_queue): void {
	vb2_core_queue_release(q);
}

/** Let others at the device while a dqbuf sleeps. Linux: vb2_ops_wait_prepare() */
export function vb2_ops_wait_prepare(vq: vb2_queue): void {
	mutex_unlock(vq.lock!);
}

/** Take the device's lock again after the sleep. Linux: vb2_ops_wait_finish() */
export function vb2_ops_wait_finish(vq: vb2_queue): void {
	mutex_lock(vq.lock!);
}
