// SPDX-License-Identifier: GPL-2.0-only
// Video buffers: queue, buffer, plane, and the operations on them.
// Linux 6.12: include/media/videobuf2-core.h
// Left out: USERPTR memory, the read()/write() emulation (fileio), media requests, and the debug counters.
import type { media_device } from '#include/media/media-device.js';
import type { device } from '#linux/device.js';
import type { dma_buf } from '#linux/dma-buf.js';
import { DMA_NONE, type dma_data_direction } from '#linux/dma-direction.js';
import type { err_ptr } from '#linux/err.js';
import { list_head } from '#linux/list.js';
import type { vm_area_struct } from '#linux/mm_types.js';
import { mutex } from '#linux/mutex.js';
import { spinlock_t } from '#linux/spinlock.js';
import type {
	atomic_t,
	bool,
	dma_addr_t,
	gfp_t,
	int,
	ref,
	u32,
	u64,
	unsigned_int,
	unsigned_long,
	void_ptr,
} from '#linux/types.js';
import { wait_queue_head } from '#linux/wait.js';

export const VB2_MAX_FRAME = 32;
export const VB2_MAX_PLANES = 8;

// enum vb2_memory
export type vb2_memory = unsigned_int;
export const VB2_MEMORY_UNKNOWN = 0;
export const VB2_MEMORY_MMAP = 1;
export const VB2_MEMORY_USERPTR = 2;
export const VB2_MEMORY_DMABUF = 4;

// enum vb2_io_modes
export const VB2_MMAP = 1 << 0;
export const VB2_USERPTR = 1 << 1;
export const VB2_READ = 1 << 2;
export const VB2_WRITE = 1 << 3;
export const VB2_DMABUF = 1 << 4;

// enum vb2_buffer_state
export type vb2_buffer_state = unsigned_int;
/** With user space. */
export const VB2_BUF_STATE_DEQUEUED = 0;
export const VB2_BUF_STATE_IN_REQUEST = 1;
export const VB2_BUF_STATE_PREPARING = 2;
/** With videobuf2, not yet with the driver. */
export const VB2_BUF_STATE_QUEUED = 3;
/** With the driver, perhaps being used by the hardware. */
export const VB2_BUF_STATE_ACTIVE = 4;
export const VB2_BUF_STATE_DONE = 5;
export const VB2_BUF_STATE_ERROR = 6;

/** The allocator's own struct for a plane (C: void *). */
export type vb2_mem_priv = object;

export interface vb2_mem_ops {
	readonly alloc?: (vb: vb2_buffer, dev: device, size: unsigned_long) => vb2_mem_priv | err_ptr | null;
	readonly put?: (buf_priv: vb2_mem_priv) => void;
	readonly get_dmabuf?: (vb: vb2_buffer, buf_priv: vb2_mem_priv, flags: unsigned_long) => dma_buf | null;
	readonly prepare?: (buf_priv: vb2_mem_priv) => void;
	readonly finish?: (buf_priv: vb2_mem_priv) => void;
	readonly attach_dmabuf?: (
		vb: vb2_buffer,
		dev: device,
		dbuf: dma_buf,
		size: unsigned_long,
	) => vb2_mem_priv | err_ptr;
	readonly detach_dmabuf?: (buf_priv: vb2_mem_priv) => void;
	readonly map_dmabuf?: (buf_priv: vb2_mem_priv) => int;
	readonly unmap_dmabuf?: (buf_priv: vb2_mem_priv) => void;
	readonly vaddr?: (vb: vb2_buffer, buf_priv: vb2_mem_priv) => void_ptr | null;
	/** What a driver programs its hardware from; of dma-contig: the DMA address. */
	readonly cookie?: (vb: vb2_buffer, buf_priv: vb2_mem_priv) => ref<dma_addr_t> | null;
	readonly num_users?: (buf_priv: vb2_mem_priv) => unsigned_int;
	readonly mmap?: (buf_priv: vb2_mem_priv, vma: vm_area_struct) => int;
}

/** One plane of a buffer (include/media/videobuf2-core.h: struct vb2_plane). */
export class vb2_plane {
	mem_priv: vb2_mem_priv | null = null;
	dbuf: dma_buf | null = null;
	dbuf_mapped: unsigned_int = 0;
	dbuf_duplicated: bool = false;
	bytesused: unsigned_int = 0;
	length: unsigned_int = 0;
	min_length: unsigned_int = 0;
	/** A union in C. */
	readonly m = { offset: 0 as unsigned_int, fd: 0 as int };
	data_offset: unsigned_int = 0;
}

/** Make the planes array of a buffer. */
export function vb2_planes(): vb2_plane[] {
	return Array.from({ length: VB2_MAX_PLANES }, () => new vb2_plane());
}

/** First member of the drivers' own buffer structs. */
export class vb2_buffer {
	vb2_queue: vb2_queue | null = null;
	index: unsigned_int = 0;
	type: unsigned_int = 0;
	memory: vb2_memory = VB2_MEMORY_UNKNOWN;
	num_planes: unsigned_int = 0;
	timestamp: u64 = 0;
	state: vb2_buffer_state = VB2_BUF_STATE_DEQUEUED;
	/** The caches are as the hardware needs them. */
	synced: bool = false;
	prepared: bool = false;
	copied_timestamp: bool = false;
	skip_cache_sync_on_prepare: bool = false;
	skip_cache_sync_on_finish: bool = false;
	readonly planes: vb2_plane[] = vb2_planes();
	readonly queued_entry = new list_head<vb2_buffer>(this);
	readonly done_entry = new list_head<vb2_buffer>(this);
}

export interface vb2_ops {
	readonly queue_setup: (
		q: vb2_queue,
		num_buffers: ref<unsigned_int>,
		num_planes: ref<unsigned_int>,
		sizes: Uint32Array,
		alloc_devs: (device | null)[],
	) => int;
	readonly wait_prepare?: (q: vb2_queue) => void;
	readonly wait_finish?: (q: vb2_queue) => void;
	readonly buf_out_validate?: (vb: vb2_buffer) => int;
	readonly buf_init?: (vb: vb2_buffer) => int;
	readonly buf_prepare?: (vb: vb2_buffer) => int;
	readonly buf_finish?: (vb: vb2_buffer) => void;
	readonly buf_cleanup?: (vb: vb2_buffer) => void;
	readonly prepare_streaming?: (q: vb2_queue) => int;
	readonly start_streaming?: (q: vb2_queue, count: unsigned_int) => int;
	readonly stop_streaming?: (q: vb2_queue) => void;
	readonly unprepare_streaming?: (q: vb2_queue) => void;
	readonly buf_queue: (vb: vb2_buffer) => void;
}

/** Between vb2 core and the API on top of it; @pb is that API's buffer struct (struct v4l2_buffer). */
export interface vb2_buf_ops {
	readonly verify_planes_array?: (vb: vb2_buffer, pb: object) => int;
	readonly init_buffer?: (vb: vb2_buffer) => void;
	readonly fill_user_buffer?: (vb: vb2_buffer, pb: object) => void;
	readonly fill_vb2_buffer?: (vb: vb2_buffer, planes: vb2_plane[]) => int;
	readonly copy_timestamp?: (vb: vb2_buffer, pb: object) => void;
}

/** A queue of buffers between user space and a driver (include/media/videobuf2-core.h: struct vb2_queue). */
export class vb2_queue {
	type: unsigned_int = 0;
	io_modes: unsigned_int = 0;
	dev: device | null = null;
	dma_attrs: unsigned_long = 0;
	bidirectional: bool = false;
	is_output: bool = false;
	copy_timestamp: bool = false;
	is_multiplanar: bool = false;
	allow_zero_bytesused: bool = false;
	allow_cache_hints: bool = false;
	non_coherent_mem: bool = false;
	lock: mutex | null = null;
	owner: unknown = null;
	ops!: vb2_ops;
	mem_ops!: vb2_mem_ops;
	buf_ops: vb2_buf_ops | null = null;
	drv_priv: unknown = null;
	subsystem_flags: u32 = 0;
	/** The driver's buffer struct, which begins with a vb2_buffer (C: its size). */
	buf_struct_size: (new () => vb2_buffer) | null = null;
	timestamp_flags: u32 = 0;
	gfp_flags: gfp_t = 0;
	min_queued_buffers: u32 = 0;
	min_reqbufs_allocation: u32 = 0;
	readonly alloc_devs: (device | null)[] = new Array(VB2_MAX_PLANES).fill(null);
	readonly mmap_lock = new mutex('&q->mmap_lock');
	memory: vb2_memory = VB2_MEMORY_UNKNOWN;
	dma_dir: dma_data_direction = DMA_NONE;
	/** kcalloc()ed array of pointers, max_num_buffers long. */
	bufs: (vb2_buffer | null)[] | null = null;
	bufs_bitmap: Uint32Array | null = null;
	max_num_buffers: unsigned_int = 0;
	readonly queued_list = new list_head<vb2_buffer>();
	queued_count: unsigned_int = 0;
	readonly owned_by_drv_count: atomic_t = { counter: 0 };
	readonly done_list = new list_head<vb2_buffer>();
	readonly done_lock = new spinlock_t('&q->done_lock');
	readonly done_wq = new wait_queue_head();
	streaming: bool = false;
	start_streaming_called: bool = false;
	error: bool = false;
	waiting_for_buffers: bool = false;
	waiting_in_dqbuf: bool = false;
	is_busy: bool = false;
	last_buffer_dequeued: bool = false;
	name = '';
	mdev: media_device | null = null;
}

/** The number of buffers on @q. */
export function vb2_get_num_buffers(q: vb2_queue): unsigned_int {
	let n = 0;
	if (q.bufs !== null) for (const vb of q.bufs) if (vb !== null) n++;
	return n;
}

/** The buffer number @index of @q, or null. */
export function vb2_get_buffer(q: vb2_queue, index: unsigned_int): vb2_buffer | null {
	if (q.bufs === null || index >= q.max_num_buffers) return null;
	return q.bufs[index];
}

/** Whether buffers are allocated, so that the format must not change. */
export function vb2_is_busy(q: vb2_queue): bool {
	return q.is_busy;
}

/** Whether streaming was switched on (include/media/videobuf2-core.h: vb2_is_streaming()). */
export function vb2_is_streaming(q: vb2_queue): bool {
	return q.streaming;
}

/** Whether the driver was told to start: not before it has enough buffers (include/media/videobuf2-core.h: vb2_start_streaming_called()). */
export function vb2_start_streaming_called(q: vb2_queue): bool {
	return q.start_streaming_called;
}

/** What the driver put there for itself (include/media/videobuf2-core.h: vb2_get_drv_priv()). */
export function vb2_get_drv_priv(q: vb2_queue): unknown {
	return q.drv_priv;
}

/** Whether user space may say which cache syncs to leave out (include/media/videobuf2-core.h: vb2_queue_allows_cache_hints()). */
export function vb2_queue_allows_cache_hints(q: vb2_queue): bool {
	return q.allow_cache_hints && q.memory === VB2_MEMORY_MMAP;
}

/** How many bytes of plane @plane_no are in use; never more than the plane has. */
export function vb2_set_plane_payload(vb: vb2_buffer, plane_no: unsigned_int, size: unsigned_long): void {
	if (plane_no < vb.num_planes)
		vb.planes[plane_no].bytesused = size < vb.planes[plane_no].length ? size : vb.planes[plane_no].length;
}

/** How many bytes of a plane are in use; 0 when there is no such plane (include/media/videobuf2-core.h: vb2_get_plane_payload()). */
export function vb2_get_plane_payload(vb: vb2_buffer, plane_no: unsigned_int): unsigned_long {
	return plane_no < vb.num_planes ? vb.planes[plane_no].bytesused : 0;
}

/** How many bytes a plane has; 0 when there is no such plane (include/media/videobuf2-core.h: vb2_plane_size()). */
export function vb2_plane_size(vb: vb2_buffer, plane_no: unsigned_int): unsigned_long {
	return plane_no < vb.num_planes ? vb.planes[plane_no].length : 0;
}
