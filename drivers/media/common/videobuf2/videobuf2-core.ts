// SPDX-License-Identifier: GPL-2.0-only
// Queues of video buffers: memory, states, streaming.
// Linux 6.12: drivers/media/common/videobuf2/videobuf2-core.c
// Left out: USERPTR memory, media requests, the read()/write() emulation, poll, trace events, debug counters, and
// the messages of debug levels (the errors that they explain are returned all the same).

import { dma_buf_fd, dma_buf_get, dma_buf_put } from '#drivers/dma-buf/dma-buf.js';
import {
	VB2_BUF_STATE_ACTIVE,
	VB2_BUF_STATE_DEQUEUED,
	VB2_BUF_STATE_DONE,
	VB2_BUF_STATE_ERROR,
	VB2_BUF_STATE_PREPARING,
	VB2_BUF_STATE_QUEUED,
	VB2_DMABUF,
	VB2_MAX_FRAME,
	VB2_MAX_PLANES,
	VB2_MEMORY_DMABUF,
	VB2_MEMORY_MMAP,
	VB2_MEMORY_UNKNOWN,
	VB2_MMAP,
	vb2_buffer,
	type vb2_buffer_state,
	vb2_get_buffer,
	vb2_get_num_buffers,
	type vb2_memory,
	type vb2_plane,
	vb2_planes,
	type vb2_queue,
	vb2_queue_allows_cache_hints,
} from '#include/media/videobuf2-core.js';
import {
	trace_vb2_buf_done,
	trace_vb2_buf_queue,
	trace_vb2_dqbuf,
	trace_vb2_qbuf,
} from '#include/trace/events/vb2.js';
import { V4L2_MEMORY_FLAG_NON_COHERENT } from '#include/uapi/linux/videodev2.js';
import { atomic_dec, atomic_inc, atomic_read, atomic_set } from '#linux/atomic.js';
import { bitmap_find_next_zero_area, bitmap_free, bitmap_zalloc } from '#linux/bitmap.js';
import { clear_bit, set_bit } from '#linux/bitops.js';
import { WARN, WARN_ON } from '#linux/bug.js';
import type { device } from '#linux/device.js';
import { DMA_BIDIRECTIONAL, DMA_FROM_DEVICE, DMA_TO_DEVICE } from '#linux/dma-direction.js';
import { IS_ERR, IS_ERR_OR_NULL, PTR_ERR } from '#linux/err.js';
import { EAGAIN, EBUSY, EINVAL, EIO, ENOMEM, EPIPE } from '#linux/errno.js';
import { O_ACCMODE, O_CLOEXEC } from '#linux/fs.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import {
	INIT_LIST_HEAD,
	list_add_tail,
	list_del,
	list_empty,
	list_first_entry,
	list_for_each_entry,
} from '#linux/list.js';
import { PAGE_ALIGN, PAGE_SHIFT, PAGE_SIZE, VM_READ, VM_SHARED, VM_WRITE } from '#linux/mm.js';
import type { vm_area_struct } from '#linux/mm_types.js';
import { mutex_init, mutex_lock, mutex_unlock } from '#linux/mutex.js';
import { pr_warn } from '#linux/printk.js';
import { kcalloc, kfree, kzalloc } from '#linux/slab.js';
import { spin_lock_init, spin_lock_irqsave, spin_unlock_irqrestore } from '#linux/spinlock.js';
import {
	type bool,
	type dma_addr_t,
	type int,
	ref,
	type unsigned_int,
	type unsigned_long,
	type void_ptr,
} from '#linux/types.js';
import {
	init_waitqueue_head,
	wait_event,
	wait_event_interruptible,
	wake_up,
	wake_up_all,
} from '#linux/wait.js';

// A plane's place in the file, for mmap():
//
//	|     30     | 29 .. 15 | 14 .. 12 | 11 .. 0 |
//	| dst (m2m)  |  buffer  |  plane   |    0    |
const PLANE_INDEX_BITS = 3;
const PLANE_INDEX_SHIFT = PAGE_SHIFT + PLANE_INDEX_BITS;
const PLANE_INDEX_MASK = (1 << PLANE_INDEX_BITS) - 1;
const MAX_BUFFER_INDEX = 1 << (30 - PLANE_INDEX_SHIFT);
const BUFFER_INDEX_MASK = MAX_BUFFER_INDEX - 1;

/** The device that a plane's memory is allocated for. */
function plane_dev(q: vb2_queue, plane: unsigned_int): device {
	return (q.alloc_devs[plane] ?? q.dev)!;
}

function __vb2_buf_mem_alloc(vb: vb2_buffer): int {
	const q = vb.vb2_queue!;
	let ret = -ENOMEM;
	let plane = 0;

	free: {
		for (; plane < vb.num_planes; plane++) {
			const size = PAGE_ALIGN(vb.planes[plane].length);
			const mem_priv = q.mem_ops.alloc ? q.mem_ops.alloc(vb, plane_dev(q, plane), size) : null;
			if (IS_ERR_OR_NULL(mem_priv)) {
				if (mem_priv !== null) ret = PTR_ERR(mem_priv);
				break free;
			}
			vb.planes[plane].mem_priv = mem_priv;
		}
		return 0;
	}
	for (; plane > 0; plane--) {
		q.mem_ops.put!(vb.planes[plane - 1].mem_priv!);
		vb.planes[plane - 1].mem_priv = null;
	}
	return ret;
}

function __vb2_buf_mem_free(vb: vb2_buffer): void {
	for (let plane = 0; plane < vb.num_planes; plane++) {
		vb.vb2_queue!.mem_ops.put!(vb.planes[plane].mem_priv!);
		vb.planes[plane].mem_priv = null;
	}
}

function __vb2_plane_dmabuf_put(vb: vb2_buffer, p: vb2_plane): void {
	const { mem_ops } = vb.vb2_queue!;
	if (!p.mem_priv) return;

	if (!p.dbuf_duplicated) {
		if (p.dbuf_mapped) mem_ops.unmap_dmabuf!(p.mem_priv);
		mem_ops.detach_dmabuf!(p.mem_priv);
	}
	dma_buf_put(p.dbuf);
	p.mem_priv = null;
	p.dbuf = null;
	p.dbuf_mapped = 0;
	p.bytesused = 0;
	p.length = 0;
	p.m.fd = 0;
	p.data_offset = 0;
	p.dbuf_duplicated = false;
}

function __vb2_buf_dmabuf_put(vb: vb2_buffer): void {
	// From the last to the first: of planes that share an attachment the first one owns it.
	for (let plane = vb.num_planes - 1; plane >= 0; plane--) __vb2_plane_dmabuf_put(vb, vb.planes[plane]);
}

function __vb2_buf_mem_prepare(vb: vb2_buffer): void {
	if (vb.synced) return;
	vb.synced = true;
	for (let plane = 0; plane < vb.num_planes; plane++)
		vb.vb2_queue!.mem_ops.prepare?.(vb.planes[plane].mem_priv!);
}

function __vb2_buf_mem_finish(vb: vb2_buffer): void {
	if (!vb.synced) return;
	vb.synced = false;
	for (let plane = 0; plane < vb.num_planes; plane++)
		vb.vb2_queue!.mem_ops.finish?.(vb.planes[plane].mem_priv!);
}

function __setup_offsets(vb: vb2_buffer): void {
	const offset = vb.index << PLANE_INDEX_SHIFT;
	for (let plane = 0; plane < vb.num_planes; plane++)
		vb.planes[plane].m.offset = offset + (plane << PAGE_SHIFT);
}

function init_buffer_cache_hints(q: vb2_queue, vb: vb2_buffer): void {
	// The exporter of a dma-buf looks after the caches.
	if (q.memory === VB2_MEMORY_DMABUF) {
		vb.skip_cache_sync_on_finish = true;
		vb.skip_cache_sync_on_prepare = true;
		return;
	}
	if (q.dma_dir === DMA_TO_DEVICE) vb.skip_cache_sync_on_finish = true;
}

function vb2_queue_add_buffer(q: vb2_queue, vb: vb2_buffer, index: unsigned_int): void {
	WARN_ON(index >= q.max_num_buffers || q.bufs![index] !== null || vb.vb2_queue !== null);

	q.bufs![index] = vb;
	vb.index = index;
	vb.vb2_queue = q;
	set_bit(index, q.bufs_bitmap!);
}

function vb2_queue_remove_buffer(vb: vb2_buffer): void {
	const q = vb.vb2_queue!;
	clear_bit(vb.index, q.bufs_bitmap!);
	q.bufs![vb.index] = null;
	vb.vb2_queue = null;
}

/** Make up to @num_buffers buffers, with memory when it is MMAP; how many it got, from @first_index on. */
function __vb2_queue_alloc(
	q: vb2_queue,
	memory: vb2_memory,
	num_buffers: unsigned_int,
	num_planes: unsigned_int,
	plane_sizes: Uint32Array,
	first_index: ref<unsigned_int>,
): unsigned_int {
	let index = q.max_num_buffers;
	let count = Math.min(num_buffers, q.max_num_buffers - vb2_get_num_buffers(q));
	for (; count > 0; count--) {
		index = bitmap_find_next_zero_area(q.bufs_bitmap!, q.max_num_buffers, 0, count, 0);
		if (index < q.max_num_buffers) break;
	}
	if (count === 0) {
		first_index.value = 0;
		return 0;
	}
	first_index.value = index;

	let buffer = 0;
	for (; buffer < count; buffer++) {
		const vb = kzalloc(q.buf_struct_size!, GFP_KERNEL);
		if (!vb) break;

		vb.state = VB2_BUF_STATE_DEQUEUED;
		vb.num_planes = num_planes;
		vb.type = q.type;
		vb.memory = memory;
		init_buffer_cache_hints(q, vb);
		for (let plane = 0; plane < num_planes; plane++) {
			vb.planes[plane].length = plane_sizes[plane];
			vb.planes[plane].min_length = plane_sizes[plane];
		}
		vb2_queue_add_buffer(q, vb, index++);
		q.buf_ops?.init_buffer?.(vb);

		if (memory === VB2_MEMORY_MMAP) {
			if (__vb2_buf_mem_alloc(vb)) {
				vb2_queue_remove_buffer(vb);
				kfree(vb);
				break;
			}
			__setup_offsets(vb);
			if (q.ops.buf_init?.(vb)) {
				__vb2_buf_mem_free(vb);
				vb2_queue_remove_buffer(vb);
				kfree(vb);
				break;
			}
		}
	}
	return buffer;
}

function __vb2_free_mem(q: vb2_queue, start: unsigned_int, count: unsigned_int): void {
	for (let i = start; i < start + count; i++) {
		const vb = vb2_get_buffer(q, i);
		if (!vb) continue;
		if (q.memory === VB2_MEMORY_MMAP) __vb2_buf_mem_free(vb);
		else if (q.memory === VB2_MEMORY_DMABUF) __vb2_buf_dmabuf_put(vb);
	}
}

/** End the buffers [start, start + count). The mmap_lock is held. */
function __vb2_queue_free(q: vb2_queue, start: unsigned_int, count: unsigned_int): void {
	for (let i = start; i < start + count; i++) {
		const vb = vb2_get_buffer(q, i);
		if (vb?.planes[0].mem_priv) q.ops.buf_cleanup?.(vb);
	}
	__vb2_free_mem(q, start, count);
	for (let i = start; i < start + count; i++) {
		const vb = vb2_get_buffer(q, i);
		if (!vb) continue;
		vb2_queue_remove_buffer(vb);
		kfree(vb);
	}
	if (!vb2_get_num_buffers(q)) {
		q.memory = VB2_MEMORY_UNKNOWN;
		INIT_LIST_HEAD(q.queued_list);
	}
}

/** Whether a mapping or a dma-buf still holds memory of @vb. Linux: vb2_buffer_in_use() */
export function vb2_buffer_in_use(q: vb2_queue, vb: vb2_buffer): bool {
	for (let plane = 0; plane < vb.num_planes; plane++) {
		const { mem_priv } = vb.planes[plane];
		if (mem_priv && q.mem_ops.num_users && q.mem_ops.num_users(mem_priv) > 1) return true;
	}
	return false;
}

/** Tell user space about @vb. Linux: vb2_core_querybuf() */
export function vb2_core_querybuf(q: vb2_queue, vb: vb2_buffer, pb: object): void {
	q.buf_ops?.fill_user_buffer?.(vb, pb);
}

function __verify_mmap_ops(q: vb2_queue): int {
	const { mem_ops } = q;
	return !(q.io_modes & VB2_MMAP) || !mem_ops.alloc || !mem_ops.put || !mem_ops.mmap ? -EINVAL : 0;
}

function __verify_dmabuf_ops(q: vb2_queue): int {
	const { mem_ops } = q;
	return !(q.io_modes & VB2_DMABUF) ||
		!mem_ops.attach_dmabuf ||
		!mem_ops.detach_dmabuf ||
		!mem_ops.map_dmabuf ||
		!mem_ops.unmap_dmabuf
		? -EINVAL
		: 0;
}

/** -EINVAL unless the queue can have that kind of memory. Linux: vb2_verify_memory_type() */
export function vb2_verify_memory_type(q: vb2_queue, memory: vb2_memory, type: unsigned_int): int {
	if (memory !== VB2_MEMORY_MMAP && memory !== VB2_MEMORY_DMABUF) return -EINVAL;
	if (type !== q.type) return -EINVAL;
	if (memory === VB2_MEMORY_MMAP && __verify_mmap_ops(q)) return -EINVAL;
	if (memory === VB2_MEMORY_DMABUF && __verify_dmabuf_ops(q)) return -EINVAL;
	return 0;
}

function set_queue_coherency(q: vb2_queue, non_coherent_mem: bool): void {
	q.non_coherent_mem = false;
	if (!vb2_queue_allows_cache_hints(q)) return;
	q.non_coherent_mem = non_coherent_mem;
}

function vb2_core_allocated_buffers_storage(q: vb2_queue): int {
	q.bufs ??= kcalloc<vb2_buffer>(q.max_num_buffers, null, GFP_KERNEL);
	if (q.bufs !== null) q.bufs_bitmap ??= bitmap_zalloc(q.max_num_buffers, GFP_KERNEL);
	if (q.bufs !== null && q.bufs_bitmap !== null) return 0;
	kfree(q.bufs);
	q.bufs = null;
	return -ENOMEM;
}

function vb2_core_free_buffers_storage(q: vb2_queue): void {
	kfree(q.bufs);
	q.bufs = null;
	bitmap_free(q.bufs_bitmap);
	q.bufs_bitmap = null;
}

/**
 * Allocate @count buffers in place of those that @q has; 0 frees them. @count becomes what there is.
 * Linux: drivers/media/common/videobuf2/videobuf2-core.c: vb2_core_reqbufs()
 *
 * -EBUSY while streaming, -ENOMEM, or the driver's error from queue_setup.
 */
export function vb2_core_reqbufs(
	q: vb2_queue,
	memory: vb2_memory,
	flags: unsigned_int,
	count: ref<unsigned_int>,
): int {
	const num_planes = new ref<unsigned_int>(0);
	const q_num_bufs = vb2_get_num_buffers(q);
	const plane_sizes = new Uint32Array(VB2_MAX_PLANES);
	const non_coherent_mem = (flags & V4L2_MEMORY_FLAG_NON_COHERENT) !== 0;
	const first_index = new ref<unsigned_int>(0);

	if (q.streaming) return -EBUSY;
	if (q.waiting_in_dqbuf && count.value) return -EBUSY;

	if (
		count.value === 0 ||
		q_num_bufs !== 0 ||
		(q.memory !== VB2_MEMORY_UNKNOWN && q.memory !== memory) ||
		non_coherent_mem !== q.non_coherent_mem
	) {
		// Buffers that a mapping or a dma-buf still holds become orphans: their memory goes with its last user.
		mutex_lock(q.mmap_lock);
		__vb2_queue_cancel(q);
		__vb2_queue_free(q, 0, q.max_num_buffers);
		mutex_unlock(q.mmap_lock);
		q.is_busy = false;
		if (count.value === 0) return 0;
	}

	const num_buffers = new ref<unsigned_int>(
		Math.min(Math.max(count.value, q.min_reqbufs_allocation), q.max_num_buffers),
	);
	q.alloc_devs.fill(null);
	mutex_lock(q.mmap_lock);
	let ret = vb2_core_allocated_buffers_storage(q);
	if (ret === 0) q.memory = memory;
	mutex_unlock(q.mmap_lock);
	if (ret) return ret;
	set_queue_coherency(q, non_coherent_mem);

	error: {
		ret = q.ops.queue_setup(q, num_buffers, num_planes, plane_sizes, q.alloc_devs);
		if (ret) break error;
		if (WARN_ON(num_planes.value === 0)) {
			ret = -EINVAL;
			break error;
		}
		for (let i = 0; i < num_planes.value; i++)
			if (WARN_ON(plane_sizes[i] === 0)) {
				ret = -EINVAL;
				break error;
			}

		const allocated_buffers = __vb2_queue_alloc(
			q,
			memory,
			num_buffers.value,
			num_planes.value,
			plane_sizes,
			first_index,
		);
		if (allocated_buffers === 0) {
			WARN_ON(first_index.value !== 0);
			ret = -ENOMEM;
			break error;
		}
		if (allocated_buffers < q.min_reqbufs_allocation) ret = -ENOMEM;

		// Fewer than the driver wanted: ask it whether that will do.
		if (!ret && allocated_buffers < num_buffers.value) {
			num_buffers.value = allocated_buffers;
			num_planes.value = 0;
			ret = q.ops.queue_setup(q, num_buffers, num_planes, plane_sizes, q.alloc_devs);
			if (!ret && allocated_buffers < num_buffers.value) ret = -ENOMEM;
		}
		mutex_lock(q.mmap_lock);
		if (ret < 0) {
			__vb2_queue_free(q, first_index.value, allocated_buffers);
			mutex_unlock(q.mmap_lock);
			return ret;
		}
		mutex_unlock(q.mmap_lock);

		count.value = allocated_buffers;
		q.waiting_for_buffers = !q.is_output;
		q.is_busy = true;
		return 0;
	}
	mutex_lock(q.mmap_lock);
	q.memory = VB2_MEMORY_UNKNOWN;
	mutex_unlock(q.mmap_lock);
	vb2_core_free_buffers_storage(q);
	return ret;
}

/** More buffers for @q, of sizes that the caller chooses. Linux: vb2_core_create_bufs() */
export function vb2_core_create_bufs(
	q: vb2_queue,
	memory: vb2_memory,
	flags: unsigned_int,
	count: ref<unsigned_int>,
	requested_planes: unsigned_int,
	requested_sizes: Uint32Array,
	first_index: ref<unsigned_int>,
): int {
	const num_planes = new ref<unsigned_int>(requested_planes);
	const plane_sizes = new Uint32Array(VB2_MAX_PLANES);
	const non_coherent_mem = (flags & V4L2_MEMORY_FLAG_NON_COHERENT) !== 0;
	const q_num_bufs = vb2_get_num_buffers(q);
	const no_previous_buffers = q_num_bufs === 0;
	let ret = 0;

	if (q_num_bufs === q.max_num_buffers) return -ENOMEM;
	if (no_previous_buffers) {
		if (q.waiting_in_dqbuf && count.value) return -EBUSY;
		q.alloc_devs.fill(null);
		mutex_lock(q.mmap_lock);
		ret = vb2_core_allocated_buffers_storage(q);
		if (ret === 0) q.memory = memory;
		mutex_unlock(q.mmap_lock);
		if (ret) return ret;
		q.waiting_for_buffers = !q.is_output;
		set_queue_coherency(q, non_coherent_mem);
	} else {
		if (q.memory !== memory) return -EINVAL;
		if (non_coherent_mem !== q.non_coherent_mem) return -EINVAL;
	}

	const num_buffers = new ref<unsigned_int>(Math.min(count.value, q.max_num_buffers - q_num_bufs));
	plane_sizes.set(requested_sizes.subarray(0, requested_planes));

	error: {
		ret = q.ops.queue_setup(q, num_buffers, num_planes, plane_sizes, q.alloc_devs);
		if (ret) break error;

		const allocated_buffers = __vb2_queue_alloc(
			q,
			memory,
			num_buffers.value,
			num_planes.value,
			plane_sizes,
			first_index,
		);
		if (allocated_buffers === 0) {
			ret = -ENOMEM;
			break error;
		}
		if (allocated_buffers < num_buffers.value) {
			num_buffers.value = allocated_buffers;
			ret = q.ops.queue_setup(q, num_buffers, num_planes, plane_sizes, q.alloc_devs);
			if (!ret && allocated_buffers < num_buffers.value) ret = -ENOMEM;
		}
		mutex_lock(q.mmap_lock);
		if (ret < 0) {
			__vb2_queue_free(q, first_index.value, allocated_buffers);
			mutex_unlock(q.mmap_lock);
			return -ENOMEM;
		}
		mutex_unlock(q.mmap_lock);
		count.value = allocated_buffers;
		q.is_busy = true;
		return 0;
	}
	if (no_previous_buffers) {
		mutex_lock(q.mmap_lock);
		q.memory = VB2_MEMORY_UNKNOWN;
		mutex_unlock(q.mmap_lock);
	}
	return ret;
}

/** The kernel's address of a plane, or null. Linux: vb2_plane_vaddr() */
export function vb2_plane_vaddr(vb: vb2_buffer, plane_no: unsigned_int): void_ptr | null {
	if (plane_no >= vb.num_planes) return null;
	const { mem_priv } = vb.planes[plane_no];
	return mem_priv ? (vb.vb2_queue!.mem_ops.vaddr?.(vb, mem_priv) ?? null) : null;
}

/** The allocator's cookie of a plane, or null. Linux: vb2_plane_cookie() */
export function vb2_plane_cookie(vb: vb2_buffer, plane_no: unsigned_int): ref<dma_addr_t> | null {
	if (plane_no >= vb.num_planes) return null;
	const { mem_priv } = vb.planes[plane_no];
	return mem_priv ? (vb.vb2_queue!.mem_ops.cookie?.(vb, mem_priv) ?? null) : null;
}

/**
 * The driver is done with @vb: DONE, ERROR, or QUEUED to hand it back unused. Any context.
 * Linux: drivers/media/common/videobuf2/videobuf2-core.c: vb2_buffer_done()
 */
export function vb2_buffer_done(vb: vb2_buffer, state: vb2_buffer_state): void {
	const q = vb.vb2_queue!;

	if (WARN_ON(vb.state !== VB2_BUF_STATE_ACTIVE)) return;
	if (
		WARN_ON(state !== VB2_BUF_STATE_DONE && state !== VB2_BUF_STATE_ERROR && state !== VB2_BUF_STATE_QUEUED)
	)
		state = VB2_BUF_STATE_ERROR;

	if (state !== VB2_BUF_STATE_QUEUED) __vb2_buf_mem_finish(vb);

	const flags = spin_lock_irqsave(q.done_lock);
	if (state !== VB2_BUF_STATE_QUEUED) list_add_tail(vb.done_entry, q.done_list);
	vb.state = state;
	atomic_dec(q.owned_by_drv_count);
	spin_unlock_irqrestore(q.done_lock, flags);

	trace_vb2_buf_done(q, vb);
	if (state !== VB2_BUF_STATE_QUEUED) wake_up(q.done_wq);
}

/** Every done buffer becomes an erroneous one. Linux: vb2_discard_done() */
export function vb2_discard_done(q: vb2_queue): void {
	const flags = spin_lock_irqsave(q.done_lock);
	for (const vb of list_for_each_entry(q.done_list)) vb.state = VB2_BUF_STATE_ERROR;
	spin_unlock_irqrestore(q.done_lock, flags);
}

function __prepare_mmap(vb: vb2_buffer): int {
	const q = vb.vb2_queue!;
	const ret = q.buf_ops?.fill_vb2_buffer?.(vb, vb.planes) ?? 0;
	return ret ? ret : (q.ops.buf_prepare?.(vb) ?? 0);
}

/** Take the dma-bufs that user space names, attach and map them where they are not the ones of last time. */
function __prepare_dmabuf(vb: vb2_buffer): int {
	const q = vb.vb2_queue!;
	const planes = vb2_planes();
	let reacquired = vb.planes[0].mem_priv === null;

	let ret = q.buf_ops?.fill_vb2_buffer?.(vb, planes) ?? 0;
	if (ret) return ret;

	err_put_vb2_buf: {
		err_put_planes: {
			for (let plane = 0; plane < vb.num_planes; plane++) {
				const dbuf = dma_buf_get(planes[plane].m.fd);
				if (IS_ERR(dbuf)) {
					ret = -EINVAL;
					break err_put_planes;
				}
				planes[plane].dbuf = dbuf;
				if (planes[plane].length === 0) planes[plane].length = dbuf.size;
				if (planes[plane].length < vb.planes[plane].min_length) {
					ret = -EINVAL;
					break err_put_planes;
				}
				if (dbuf === vb.planes[plane].dbuf && vb.planes[plane].length === planes[plane].length) continue;
				reacquired = true;
			}

			if (reacquired) {
				if (vb.planes[0].mem_priv) {
					vb.copied_timestamp = false;
					q.ops.buf_cleanup?.(vb);
					__vb2_buf_dmabuf_put(vb);
				}
				for (let plane = 0; plane < vb.num_planes; plane++) {
					const p = vb.planes[plane];
					// Planes in the same dma-buf share one attachment.
					for (let i = 0; i < plane; i++)
						if (planes[plane].dbuf === vb.planes[i].dbuf && q.alloc_devs[plane] === q.alloc_devs[i]) {
							p.dbuf_duplicated = true;
							p.dbuf = vb.planes[i].dbuf;
							p.mem_priv = vb.planes[i].mem_priv;
							break;
						}
					if (p.dbuf_duplicated) continue;

					const mem_priv = q.mem_ops.attach_dmabuf!(
						vb,
						plane_dev(q, plane),
						planes[plane].dbuf!,
						planes[plane].length,
					);
					if (IS_ERR(mem_priv)) {
						ret = PTR_ERR(mem_priv);
						// C leaks this plane's reference and those of the planes behind it: see deviations.md.
						for (let i = plane; i < vb.num_planes; i++) dma_buf_put(planes[i].dbuf);
						break err_put_vb2_buf;
					}
					p.dbuf = planes[plane].dbuf;
					p.mem_priv = mem_priv;
					ret = q.mem_ops.map_dmabuf!(mem_priv);
					if (ret) {
						for (let i = plane + 1; i < vb.num_planes; i++) dma_buf_put(planes[i].dbuf);
						break err_put_vb2_buf;
					}
					p.dbuf_mapped = 1;
				}
			} else {
				for (let plane = 0; plane < vb.num_planes; plane++) dma_buf_put(planes[plane].dbuf);
			}

			for (let plane = 0; plane < vb.num_planes; plane++) {
				vb.planes[plane].bytesused = planes[plane].bytesused;
				vb.planes[plane].length = planes[plane].length;
				vb.planes[plane].m.fd = planes[plane].m.fd;
				vb.planes[plane].data_offset = planes[plane].data_offset;
			}
			if (reacquired) {
				ret = q.ops.buf_init?.(vb) ?? 0;
				if (ret) break err_put_vb2_buf;
			}
			ret = q.ops.buf_prepare?.(vb) ?? 0;
			if (ret) {
				q.ops.buf_cleanup?.(vb);
				break err_put_vb2_buf;
			}
			return 0;
		}
		for (let plane = 0; plane < vb.num_planes; plane++)
			if (planes[plane].dbuf !== null) dma_buf_put(planes[plane].dbuf);
	}
	__vb2_buf_dmabuf_put(vb);
	return ret;
}

function __enqueue_in_driver(vb: vb2_buffer): void {
	const q = vb.vb2_queue!;
	vb.state = VB2_BUF_STATE_ACTIVE;
	atomic_inc(q.owned_by_drv_count);
	trace_vb2_buf_queue(q, vb);
	q.ops.buf_queue(vb);
}

function __buf_prepare(vb: vb2_buffer): int {
	const q = vb.vb2_queue!;
	const orig_state = vb.state;
	let ret: int;

	if (q.error) return -EIO;
	if (vb.prepared) return 0;
	WARN_ON(vb.synced);

	if (q.is_output) {
		ret = q.ops.buf_out_validate?.(vb) ?? 0;
		if (ret) return ret;
	}
	vb.state = VB2_BUF_STATE_PREPARING;
	switch (q.memory) {
		case VB2_MEMORY_MMAP:
			ret = __prepare_mmap(vb);
			break;
		case VB2_MEMORY_DMABUF:
			ret = __prepare_dmabuf(vb);
			break;
		default:
			WARN(true, 'Invalid queue type');
			ret = -EINVAL;
			break;
	}
	if (ret) {
		vb.state = orig_state;
		return ret;
	}
	__vb2_buf_mem_prepare(vb);
	vb.prepared = true;
	vb.state = orig_state;
	return 0;
}

/** Do all of qbuf but the queueing. Linux: vb2_core_prepare_buf() */
export function vb2_core_prepare_buf(q: vb2_queue, vb: vb2_buffer, pb: object): int {
	if (vb.state !== VB2_BUF_STATE_DEQUEUED || vb.prepared) return -EINVAL;
	const ret = __buf_prepare(vb);
	if (ret) return ret;
	q.buf_ops?.fill_user_buffer?.(vb, pb);
	return 0;
}

function vb2_start_streaming(q: vb2_queue): int {
	for (const vb of list_for_each_entry(q.queued_list)) __enqueue_in_driver(vb);

	q.start_streaming_called = true;
	const ret = q.ops.start_streaming?.(q, atomic_read(q.owned_by_drv_count)) ?? 0;
	if (!ret) return 0;
	q.start_streaming_called = false;

	// A driver that refuses hands its buffers back, as QUEUED.
	if (WARN_ON(atomic_read(q.owned_by_drv_count) !== 0)) {
		for (let i = 0; i < q.max_num_buffers; i++) {
			const vb = vb2_get_buffer(q, i);
			if (vb?.state === VB2_BUF_STATE_ACTIVE) vb2_buffer_done(vb, VB2_BUF_STATE_QUEUED);
		}
		WARN_ON(atomic_read(q.owned_by_drv_count) !== 0);
	}
	WARN_ON(!list_empty(q.done_list));
	return ret;
}

/** Give @vb to the queue, and to the driver when it streams. Linux: vb2_core_qbuf() */
export function vb2_core_qbuf(q: vb2_queue, vb: vb2_buffer, pb: object | null): int {
	if (q.error) return -EIO;
	if (vb.state !== VB2_BUF_STATE_DEQUEUED) return -EINVAL;
	if (!vb.prepared) {
		const ret = __buf_prepare(vb);
		if (ret) return ret;
	}

	const orig_state = vb.state;
	list_add_tail(vb.queued_entry, q.queued_list);
	q.queued_count++;
	q.waiting_for_buffers = false;
	vb.state = VB2_BUF_STATE_QUEUED;
	if (pb) q.buf_ops?.copy_timestamp?.(vb, pb);
	trace_vb2_qbuf(q, vb);

	if (q.start_streaming_called) __enqueue_in_driver(vb);
	if (pb) q.buf_ops?.fill_user_buffer?.(vb, pb);

	// STREAMON came before there were enough buffers: now there are.
	if (q.streaming && !q.start_streaming_called && q.queued_count >= q.min_queued_buffers) {
		const ret = vb2_start_streaming(q);
		if (ret) {
			list_del(vb.queued_entry);
			q.queued_count--;
			vb.state = orig_state;
			return ret;
		}
	}
	return 0;
}

/** Wait for a done buffer, without the queue's lock. */
function __vb2_wait_for_done_vb(q: vb2_queue, nonblocking: bool): int {
	for (;;) {
		if (q.waiting_in_dqbuf) return -EBUSY;
		if (!q.streaming) return -EINVAL;
		if (q.error) return -EIO;
		if (q.last_buffer_dequeued) return -EPIPE;
		if (!list_empty(q.done_list)) return 0;
		if (nonblocking) return -EAGAIN;

		q.waiting_in_dqbuf = true;
		q.ops.wait_prepare?.(q);
		const ret = wait_event_interruptible(
			q.done_wq,
			() => !list_empty(q.done_list) || !q.streaming || q.error,
		);
		q.ops.wait_finish?.(q);
		q.waiting_in_dqbuf = false;
		if (ret) return ret;
	}
}

function __vb2_get_done_vb(
	q: vb2_queue,
	pb: object | null,
	nonblocking: bool,
	out: ref<vb2_buffer | null>,
): int {
	let ret = __vb2_wait_for_done_vb(q, nonblocking);
	if (ret) return ret;

	const flags = spin_lock_irqsave(q.done_lock);
	const vb = list_first_entry(q.done_list);
	out.value = vb;
	if (pb) ret = q.buf_ops?.verify_planes_array?.(vb, pb) ?? 0;
	if (!ret) list_del(vb.done_entry);
	spin_unlock_irqrestore(q.done_lock, flags);
	return ret;
}

/** Sleep until the driver has given all buffers back. Linux: vb2_wait_for_all_buffers() */
export function vb2_wait_for_all_buffers(q: vb2_queue): int {
	if (!q.streaming) return -EINVAL;
	if (q.start_streaming_called) wait_event(q.done_wq, () => atomic_read(q.owned_by_drv_count) === 0);
	return 0;
}

function __vb2_dqbuf(vb: vb2_buffer): void {
	if (vb.state === VB2_BUF_STATE_DEQUEUED) return;
	vb.state = VB2_BUF_STATE_DEQUEUED;
	vb.vb2_queue!.buf_ops?.init_buffer?.(vb);
}

/**
 * Take the next done buffer off the queue; waits for one unless @nonblocking.
 * Linux: drivers/media/common/videobuf2/videobuf2-core.c: vb2_core_dqbuf()
 *
 * -EAGAIN, -EINVAL when the queue does not stream, -EIO after a fatal error.
 */
export function vb2_core_dqbuf(
	q: vb2_queue,
	pindex: ref<unsigned_int> | null,
	pb: object | null,
	nonblocking: bool,
): int {
	const out = new ref<vb2_buffer | null>(null);
	const ret = __vb2_get_done_vb(q, pb, nonblocking, out);
	if (ret < 0) return ret;
	const vb = out.value!;

	if (vb.state !== VB2_BUF_STATE_DONE && vb.state !== VB2_BUF_STATE_ERROR) return -EINVAL;
	q.ops.buf_finish?.(vb);
	vb.prepared = false;
	if (pindex) pindex.value = vb.index;
	if (pb) q.buf_ops?.fill_user_buffer?.(vb, pb);

	list_del(vb.queued_entry);
	q.queued_count--;
	trace_vb2_dqbuf(q, vb);
	__vb2_dqbuf(vb);
	return 0;
}

/** Stop, and take every buffer back to user space: streamoff, release, and the start of a new REQBUFS. */
function __vb2_queue_cancel(q: vb2_queue): void {
	if (q.start_streaming_called) q.ops.stop_streaming?.(q);
	if (q.streaming) q.ops.unprepare_streaming?.(q);

	if (WARN_ON(atomic_read(q.owned_by_drv_count) !== 0)) {
		for (let i = 0; i < q.max_num_buffers; i++) {
			const vb = vb2_get_buffer(q, i);
			if (vb?.state === VB2_BUF_STATE_ACTIVE) {
				pr_warn('driver bug: stop_streaming operation is leaving buffer %u in active state', vb.index);
				vb2_buffer_done(vb, VB2_BUF_STATE_ERROR);
			}
		}
		WARN_ON(atomic_read(q.owned_by_drv_count) !== 0);
	}
	q.streaming = false;
	q.start_streaming_called = false;
	q.queued_count = 0;
	q.error = false;
	INIT_LIST_HEAD(q.queued_list);
	INIT_LIST_HEAD(q.done_list);
	atomic_set(q.owned_by_drv_count, 0);
	wake_up_all(q.done_wq);

	for (let i = 0; i < q.max_num_buffers; i++) {
		const vb = vb2_get_buffer(q, i);
		if (!vb) continue;
		__vb2_buf_mem_finish(vb);
		if (vb.prepared) {
			q.ops.buf_finish?.(vb);
			vb.prepared = false;
		}
		__vb2_dqbuf(vb);
		vb.copied_timestamp = false;
	}
}

/** Start to stream; the driver is told once enough buffers are queued. Linux: vb2_core_streamon() */
export function vb2_core_streamon(q: vb2_queue, type: unsigned_int): int {
	const q_num_bufs = vb2_get_num_buffers(q);

	if (type !== q.type) return -EINVAL;
	if (q.streaming) return 0;
	if (!q_num_bufs) return -EINVAL;
	if (q_num_bufs < q.min_queued_buffers) return -EINVAL;

	let ret = q.ops.prepare_streaming?.(q) ?? 0;
	if (ret) return ret;
	if (q.queued_count >= q.min_queued_buffers) {
		ret = vb2_start_streaming(q);
		if (ret) {
			q.ops.unprepare_streaming?.(q);
			return ret;
		}
	}
	q.streaming = true;
	return 0;
}

/** A fatal error: every qbuf and dqbuf answers -EIO until streamoff. Linux: vb2_queue_error() */
export function vb2_queue_error(q: vb2_queue): void {
	q.error = true;
	wake_up_all(q.done_wq);
}

/** Stop to stream. Linux: vb2_core_streamoff() */
export function vb2_core_streamoff(q: vb2_queue, type: unsigned_int): int {
	if (type !== q.type) return -EINVAL;
	__vb2_queue_cancel(q);
	q.waiting_for_buffers = !q.is_output;
	q.last_buffer_dequeued = false;
	return 0;
}

/** A dma-buf of plane @plane of @vb, as a file descriptor in @fd. Linux: vb2_core_expbuf() */
export function vb2_core_expbuf(
	q: vb2_queue,
	fd: ref<int>,
	type: unsigned_int,
	vb: vb2_buffer,
	plane: unsigned_int,
	flags: unsigned_int,
): int {
	if (q.memory !== VB2_MEMORY_MMAP) return -EINVAL;
	if (!q.mem_ops.get_dmabuf) return -EINVAL;
	if (flags & ~(O_CLOEXEC | O_ACCMODE)) return -EINVAL;
	if (type !== q.type) return -EINVAL;
	if (plane >= vb.num_planes) return -EINVAL;

	const dbuf = q.mem_ops.get_dmabuf(vb, vb.planes[plane].mem_priv!, flags & O_ACCMODE);
	if (!dbuf) return -EINVAL;

	const ret = dma_buf_fd(dbuf, flags & ~O_ACCMODE);
	if (ret < 0) {
		dma_buf_put(dbuf);
		return ret;
	}
	fd.value = ret;
	return 0;
}

function __find_plane_by_offset(
	q: vb2_queue,
	offset: unsigned_long,
	out: ref<vb2_buffer | null>,
	plane: ref<unsigned_int>,
): int {
	if (q.memory !== VB2_MEMORY_MMAP) return -EINVAL;

	out.value = vb2_get_buffer(q, (offset >> PLANE_INDEX_SHIFT) & BUFFER_INDEX_MASK);
	plane.value = (offset >> PAGE_SHIFT) & PLANE_INDEX_MASK;
	if (!out.value) return -EINVAL;
	return plane.value >= out.value.num_planes ? -EINVAL : 0;
}

/** Let a user program's @vma show the plane that its offset names. Linux: vb2_mmap() */
export function vb2_mmap(q: vb2_queue, vma: vm_area_struct): int {
	const offset = vma.vm_pgoff * PAGE_SIZE;

	if (!(vma.vm_flags & VM_SHARED)) return -EINVAL;
	if (!(vma.vm_flags & (q.is_output ? VM_WRITE : VM_READ))) return -EINVAL;

	const out = new ref<vb2_buffer | null>(null);
	const plane = new ref<unsigned_int>(0);
	mutex_lock(q.mmap_lock);
	let ret = __find_plane_by_offset(q, offset, out, plane);
	if (!ret) {
		const p = out.value!.planes[plane.value];
		if (PAGE_ALIGN(p.length) < vma.vm_end - vma.vm_start) {
			ret = -EINVAL;
		} else {
			// The offset was a name, and is none of the memory's.
			vma.vm_pgoff = 0;
			ret = q.mem_ops.mmap!(p.mem_priv!, vma);
		}
	}
	mutex_unlock(q.mmap_lock);
	return ret;
}

/** Check a queue that the driver filled in and make it ready. -EINVAL. Linux: vb2_core_queue_init() */
export function vb2_core_queue_init(q: vb2_queue): int {
	q.max_num_buffers = Math.min(q.max_num_buffers || VB2_MAX_FRAME, MAX_BUFFER_INDEX);
	q.min_reqbufs_allocation = Math.max(q.min_reqbufs_allocation, q.min_queued_buffers + 1);

	if (WARN_ON(!q.ops || !q.mem_ops || !q.type || !q.io_modes)) return -EINVAL;
	if (WARN_ON(!q.ops.queue_setup || !q.ops.buf_queue)) return -EINVAL;
	if (WARN_ON(q.max_num_buffers < VB2_MAX_FRAME)) return -EINVAL;
	// This covers min_queued_buffers, which is less.
	if (WARN_ON(q.min_reqbufs_allocation > q.max_num_buffers)) return -EINVAL;

	q.memory = VB2_MEMORY_UNKNOWN;
	q.buf_struct_size ??= vb2_buffer;
	q.dma_dir = q.bidirectional ? DMA_BIDIRECTIONAL : q.is_output ? DMA_TO_DEVICE : DMA_FROM_DEVICE;
	if (q.name === '') q.name = q.is_output ? 'out' : 'cap';
	mutex_init(q.mmap_lock);
	spin_lock_init(q.done_lock);
	init_waitqueue_head(q.done_wq);
	INIT_LIST_HEAD(q.done_list);
	INIT_LIST_HEAD(q.queued_list);
	return 0;
}

/** The end of a queue: stop, and free its buffers. Linux: vb2_core_queue_release() */
export function vb2_core_queue_release(q: vb2_queue): void {
	__vb2_queue_cancel(q);
	mutex_lock(q.mmap_lock);
	__vb2_queue_free(q, 0, q.max_num_buffers);
	vb2_core_free_buffers_storage(q);
	q.is_busy = false;
	mutex_unlock(q.mmap_lock);
}
