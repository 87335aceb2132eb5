// SPDX-License-Identifier: GPL-2.0-only
// Video buffer memory from the DMA API, contiguous to the device.
// Linux 6.12: drivers/media/common/videobuf2/videobuf2-dma-contig.c
// Left out: USERPTR buffers.

import { get_device, put_device } from '#drivers/base/core.js';
import {
	dma_buf_attach,
	dma_buf_detach,
	dma_buf_export,
	dma_buf_map_attachment_unlocked,
	dma_buf_unmap_attachment_unlocked,
	dma_buf_vmap_unlocked,
	dma_buf_vunmap_unlocked,
} from '#drivers/dma-buf/dma-buf.js';
import { vb2_common_vm_ops } from '#drivers/media/common/videobuf2/videobuf2-memops.js';
import type { vb2_buffer, vb2_mem_ops, vb2_mem_priv } from '#include/media/videobuf2-core.js';
import { vb2_vmarea_handler } from '#include/media/videobuf2-memops.js';
import {
	dma_alloc_attrs,
	dma_alloc_noncontiguous,
	dma_free_attrs,
	dma_free_noncontiguous,
	dma_get_sgtable_attrs,
	dma_map_sgtable,
	dma_mmap_attrs,
	dma_mmap_noncontiguous,
	dma_sync_sgtable_for_cpu,
	dma_sync_sgtable_for_device,
	dma_unmap_sgtable,
	dma_vmap_noncontiguous,
	dma_vunmap_noncontiguous,
} from '#kernel/dma/mapping.js';
import { sg_alloc_table, sg_free_table, sg_next } from '#lib/scatterlist.js';
import { WARN_ON } from '#linux/bug.js';
import { dev_err } from '#linux/dev_printk.js';
import type { device } from '#linux/device.js';
import {
	DEFINE_DMA_BUF_EXPORT_INFO,
	type dma_buf,
	type dma_buf_attachment,
	type dma_buf_ops,
} from '#linux/dma-buf.js';
import { DMA_NONE, type dma_data_direction } from '#linux/dma-direction.js';
import {
	DMA_ATTR_NO_KERNEL_MAPPING,
	DMA_ATTR_SKIP_CPU_SYNC,
	dma_get_max_seg_size,
	dma_set_max_seg_size,
} from '#linux/dma-mapping.js';
import { ERR_PTR, type err_ptr, IS_ERR } from '#linux/err.js';
import { EFAULT, EINVAL, EIO, ENODEV, ENOMEM } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { iosys_map, iosys_map_set_vaddr } from '#linux/iosys-map.js';
import { VM_DONTDUMP, VM_DONTEXPAND, vm_flags_set } from '#linux/mm.js';
import type { vm_area_struct } from '#linux/mm_types.js';
import { pr_debug, pr_err } from '#linux/printk.js';
import {
	refcount_dec_and_test,
	refcount_inc,
	refcount_read,
	refcount_set,
	refcount_t,
} from '#linux/refcount.js';
import { sg_dma_address, sg_dma_len, sg_page, sg_set_page, sg_table } from '#linux/scatterlist.js';
import { kfree, kmalloc, kzalloc } from '#linux/slab.js';
import {
	type bool,
	type dma_addr_t,
	type int,
	ref,
	type unsigned_int,
	type unsigned_long,
	type void_ptr,
} from '#linux/types.js';

class vb2_dc_buf {
	dev!: device;
	vaddr: void_ptr | null = null;
	size: unsigned_long = 0;
	/** What dma_alloc_attrs() answered. */
	cookie: void_ptr | null = null;
	readonly dma_addr = new ref<dma_addr_t>(0);
	attrs: unsigned_long = 0;
	dma_dir: dma_data_direction = DMA_NONE;
	dma_sgt: sg_table | null = null;

	// Memory of the queue's own.
	readonly handler = new vb2_vmarea_handler();
	readonly refcount = new refcount_t();
	sgt_base: sg_table | null = null;

	// Memory of somebody else's.
	db_attach: dma_buf_attachment | null = null;

	vb!: vb2_buffer;
	non_coherent_mem: bool = false;
}

function to_dc_buf(buf_priv: vb2_mem_priv): vb2_dc_buf {
	return buf_priv as vb2_dc_buf;
}

/** Bytes of @sgt, from its start, that are one stretch of DMA addresses. */
function vb2_dc_get_contiguous_size(sgt: sg_table): unsigned_long {
	const start: dma_addr_t = sg_dma_address(sgt.sgl!);
	let end = start;
	let s = sgt.sgl;
	for (let i = 0; i < sgt.nents && s !== null && sg_dma_address(s) === end; i++, s = sg_next(s))
		end += sg_dma_len(s);
	return end - start;
}

function vb2_dc_cookie(_vb: vb2_buffer, buf_priv: vb2_mem_priv): ref<dma_addr_t> {
	return to_dc_buf(buf_priv).dma_addr;
}

/** The kernel's address, made on demand for imported and non-coherent memory; null when there is none. */
function vb2_dc_vaddr(_vb: vb2_buffer, buf_priv: vb2_mem_priv): void_ptr | null {
	const buf = to_dc_buf(buf_priv);
	if (buf.vaddr === null && buf.db_attach !== null) {
		const map = new iosys_map();
		if (dma_buf_vmap_unlocked(buf.db_attach.dmabuf, map) === 0) buf.vaddr = map.vaddr;
	} else if (buf.vaddr === null && buf.non_coherent_mem) {
		buf.vaddr = dma_vmap_noncontiguous(buf.dev, buf.size, buf.dma_sgt!);
	}
	return buf.vaddr;
}

function vb2_dc_num_users(buf_priv: vb2_mem_priv): unsigned_int {
	return refcount_read(to_dc_buf(buf_priv).refcount);
}

function vb2_dc_prepare(buf_priv: vb2_mem_priv): void {
	const buf = to_dc_buf(buf_priv);
	if (buf.vb.skip_cache_sync_on_prepare || !buf.non_coherent_mem) return;
	dma_sync_sgtable_for_device(buf.dev, buf.dma_sgt!, buf.dma_dir);
}

function vb2_dc_finish(buf_priv: vb2_mem_priv): void {
	const buf = to_dc_buf(buf_priv);
	if (buf.vb.skip_cache_sync_on_finish || !buf.non_coherent_mem) return;
	dma_sync_sgtable_for_cpu(buf.dev, buf.dma_sgt!, buf.dma_dir);
}

// --- memory of the queue's own

/** What vb2_dc_alloc() got from the DMA API, and the list of its pages if an export made one. */
function vb2_dc_free_memory(buf: vb2_dc_buf): void {
	if (!buf.non_coherent_mem) {
		if (buf.sgt_base !== null) sg_free_table(buf.sgt_base);
		kfree(buf.sgt_base);
		dma_free_attrs(buf.dev, buf.size, buf.cookie!, buf.dma_addr.value, buf.attrs);
		return;
	}
	if (buf.vaddr !== null) dma_vunmap_noncontiguous(buf.dev, buf.vaddr);
	dma_free_noncontiguous(buf.dev, buf.size, buf.dma_sgt!, buf.dma_dir);
}

/** One user less; the last one frees the buffer. */
function vb2_dc_put(buf_priv: vb2_mem_priv): void {
	const buf = to_dc_buf(buf_priv);
	if (refcount_dec_and_test(buf.refcount)) {
		vb2_dc_free_memory(buf);
		put_device(buf.dev);
		kfree(buf);
	}
}

function vb2_dc_alloc_coherent(buf: vb2_dc_buf): int {
	const { gfp_flags, dma_attrs } = buf.vb.vb2_queue!;
	buf.cookie = dma_alloc_attrs(buf.dev, buf.size, buf.dma_addr, GFP_KERNEL | gfp_flags, buf.attrs);
	// Without a mapping the cookie is no address.
	if ((dma_attrs & DMA_ATTR_NO_KERNEL_MAPPING) === 0) buf.vaddr = buf.cookie;
	return buf.cookie === null ? -ENOMEM : 0;
}

/** The kernel's mapping comes with the first vb2_dc_vaddr(). */
function vb2_dc_alloc_non_coherent(buf: vb2_dc_buf): int {
	const gfp = GFP_KERNEL | buf.vb.vb2_queue!.gfp_flags;
	const sgt = dma_alloc_noncontiguous(buf.dev, buf.size, buf.dma_dir, gfp, buf.attrs);
	if (sgt !== null) buf.dma_addr.value = sg_dma_address(sgt.sgl!);
	buf.dma_sgt = sgt;
	return sgt === null ? -ENOMEM : 0;
}

function vb2_dc_alloc(vb: vb2_buffer, dev: device, size: unsigned_long): vb2_mem_priv | err_ptr {
	if (WARN_ON(!dev)) return ERR_PTR(-EINVAL);

	const buf = kzalloc(vb2_dc_buf, GFP_KERNEL);
	if (!buf) return ERR_PTR(-ENOMEM);

	const q = vb.vb2_queue!;
	buf.attrs = q.dma_attrs;
	buf.dma_dir = q.dma_dir;
	buf.vb = vb;
	buf.non_coherent_mem = q.non_coherent_mem;
	buf.size = size;
	// The device must stay for as long as it has buffers.
	buf.dev = get_device(dev)!;

	const ret = buf.non_coherent_mem ? vb2_dc_alloc_non_coherent(buf) : vb2_dc_alloc_coherent(buf);
	if (ret) {
		dev_err(dev, 'dma alloc of size %lu failed', size);
		put_device(buf.dev);
		kfree(buf);
		return ERR_PTR(-ENOMEM);
	}

	buf.handler.refcount = buf.refcount;
	buf.handler.put = vb2_dc_put;
	buf.handler.arg = buf;
	refcount_set(buf.refcount, 1);
	return buf;
}

function vb2_dc_mmap(buf_priv: vb2_mem_priv, vma: vm_area_struct): int {
	const buf = to_dc_buf(buf_priv);
	if (!buf) {
		pr_err('No buffer to map');
		return -EINVAL;
	}

	const ret = buf.non_coherent_mem
		? dma_mmap_noncontiguous(buf.dev, vma, buf.size, buf.dma_sgt!)
		: dma_mmap_attrs(buf.dev, vma, buf.cookie!, buf.dma_addr.value, buf.size, buf.attrs);
	if (ret) {
		pr_err('Remapping memory failed, error: %d', ret);
		return ret;
	}

	vm_flags_set(vma, VM_DONTEXPAND | VM_DONTDUMP);
	vma.vm_private_data = buf.handler;
	vma.vm_ops = vb2_common_vm_ops;
	vma.vm_ops.open!(vma);

	pr_debug(
		'%s: mapped dma addr 0x%08lx at 0x%08lx, size %lu',
		'vb2_dc_mmap',
		buf.dma_addr.value,
		vma.vm_start,
		buf.size,
	);
	return 0;
}

// --- that memory, lent to others as a dma-buf

class vb2_dc_attachment {
	readonly sgt = new sg_table();
	dma_dir: dma_data_direction = DMA_NONE;
}

function vb2_dc_dmabuf_ops_attach(dbuf: dma_buf, dbuf_attach: dma_buf_attachment): int {
	const buf = dbuf.priv as vb2_dc_buf;
	const base = buf.sgt_base!;

	const attach = kzalloc(vb2_dc_attachment, GFP_KERNEL);
	if (attach === null) return -ENOMEM;

	// Each attachment maps a list of its own: one list has room for one device's addresses.
	if (sg_alloc_table(attach.sgt, base.orig_nents, GFP_KERNEL) !== 0) {
		kfree(attach);
		return -ENOMEM;
	}
	let from = base.sgl;
	for (let to = attach.sgt.sgl; to !== null && from !== null; to = sg_next(to), from = sg_next(from))
		sg_set_page(to, sg_page(from), from.length, from.offset);
	dbuf_attach.priv = attach;
	return 0;
}

/** End the mapping that an attachment keeps. The memory is coherent: it needs no cache maintenance. */
function vb2_dc_attachment_unmap(dev: device, attach: vb2_dc_attachment): void {
	if (attach.dma_dir === DMA_NONE) return;
	dma_unmap_sgtable(dev, attach.sgt, attach.dma_dir, DMA_ATTR_SKIP_CPU_SYNC);
	attach.dma_dir = DMA_NONE;
}

function vb2_dc_dmabuf_ops_detach(_dbuf: dma_buf, db_attach: dma_buf_attachment): void {
	const attach = db_attach.priv as vb2_dc_attachment | null;
	if (attach === null) return;
	vb2_dc_attachment_unmap(db_attach.dev, attach);
	sg_free_table(attach.sgt);
	kfree(attach);
	db_attach.priv = null;
}

/** The mapping is kept from call to call, as long as the direction stays. */
function vb2_dc_dmabuf_ops_map(
	db_attach: dma_buf_attachment,
	dma_dir: dma_data_direction,
): sg_table | err_ptr {
	const attach = db_attach.priv as vb2_dc_attachment;
	if (attach.dma_dir !== dma_dir) {
		vb2_dc_attachment_unmap(db_attach.dev, attach);
		if (dma_map_sgtable(db_attach.dev, attach.sgt, dma_dir, DMA_ATTR_SKIP_CPU_SYNC) !== 0) {
			pr_err('failed to map scatterlist');
			return ERR_PTR(-EIO);
		}
		attach.dma_dir = dma_dir;
	}
	return attach.sgt;
}

/** Nothing: the mapping lives until the attachment ends. */
function vb2_dc_dmabuf_ops_unmap(
	_db_attach: dma_buf_attachment,
	_sgt: sg_table,
	_dma_dir: dma_data_direction,
): void {}

function vb2_dc_dmabuf_ops_release(dbuf: dma_buf): void {
	// The reference that vb2_dc_get_dmabuf() took.
	vb2_dc_put(dbuf.priv!);
}

function vb2_dc_dmabuf_ops_begin_cpu_access(_dbuf: dma_buf, _direction: dma_data_direction): int {
	return 0;
}

function vb2_dc_dmabuf_ops_end_cpu_access(_dbuf: dma_buf, _direction: dma_data_direction): int {
	return 0;
}

function vb2_dc_dmabuf_ops_vmap(dbuf: dma_buf, map: iosys_map): int {
	const buf = dbuf.priv as vb2_dc_buf;
	const vaddr = vb2_dc_vaddr(buf.vb, buf);
	if (!vaddr) return -EINVAL;
	iosys_map_set_vaddr(map, vaddr);
	return 0;
}

function vb2_dc_dmabuf_ops_mmap(dbuf: dma_buf, vma: vm_area_struct): int {
	return vb2_dc_mmap(dbuf.priv!, vma);
}

const vb2_dc_dmabuf_ops: dma_buf_ops = {
	attach: vb2_dc_dmabuf_ops_attach,
	detach: vb2_dc_dmabuf_ops_detach,
	map_dma_buf: vb2_dc_dmabuf_ops_map,
	unmap_dma_buf: vb2_dc_dmabuf_ops_unmap,
	begin_cpu_access: vb2_dc_dmabuf_ops_begin_cpu_access,
	end_cpu_access: vb2_dc_dmabuf_ops_end_cpu_access,
	vmap: vb2_dc_dmabuf_ops_vmap,
	mmap: vb2_dc_dmabuf_ops_mmap,
	release: vb2_dc_dmabuf_ops_release,
};

/** The buffer's pages as a list, which the attachments copy; null without memory for it. */
function vb2_dc_get_base_sgt(buf: vb2_dc_buf): sg_table | null {
	if (buf.non_coherent_mem) return buf.dma_sgt;

	const sgt = kmalloc(sg_table, GFP_KERNEL);
	if (sgt === null) {
		dev_err(buf.dev, 'failed to alloc sg table');
	} else if (dma_get_sgtable_attrs(buf.dev, sgt, buf.cookie!, buf.dma_addr.value, buf.size, buf.attrs) < 0) {
		dev_err(buf.dev, 'failed to get scatterlist from DMA API');
		kfree(sgt);
		return null;
	}
	return sgt;
}

/** Lend the buffer out; the dma-buf is one more user of it. */
function vb2_dc_get_dmabuf(_vb: vb2_buffer, buf_priv: vb2_mem_priv, flags: unsigned_long): dma_buf | null {
	const buf = to_dc_buf(buf_priv);
	buf.sgt_base ??= vb2_dc_get_base_sgt(buf);
	if (WARN_ON(buf.sgt_base === null)) return null;

	const exp_info = DEFINE_DMA_BUF_EXPORT_INFO('videobuf2_dma_contig');
	exp_info.priv = buf;
	exp_info.ops = vb2_dc_dmabuf_ops;
	exp_info.flags = flags;
	exp_info.size = buf.size;
	const dbuf = dma_buf_export(exp_info);
	if (IS_ERR(dbuf)) return null;
	refcount_inc(buf.refcount);
	return dbuf;
}

// --- memory of somebody else's, imported as a dma-buf

/** Map the attached buffer for the device: it must come out as one stretch, long enough. */
function vb2_dc_map_dmabuf(mem_priv: vb2_mem_priv): int {
	const buf = to_dc_buf(mem_priv);
	const attach = buf.db_attach;
	if (WARN_ON(attach === null) || attach === null) {
		pr_err('trying to pin a non attached buffer');
		return -EINVAL;
	}
	if (WARN_ON(buf.dma_sgt !== null)) {
		pr_err('dmabuf buffer is already pinned');
		return 0;
	}

	const sgt = dma_buf_map_attachment_unlocked(attach, buf.dma_dir);
	if (IS_ERR(sgt)) {
		pr_err('Error getting dmabuf scatterlist');
		return -EINVAL;
	}
	const stretch = vb2_dc_get_contiguous_size(sgt);
	if (stretch >= buf.size) {
		buf.dma_sgt = sgt;
		buf.dma_addr.value = sg_dma_address(sgt.sgl!);
		buf.vaddr = null;
		return 0;
	}
	pr_err('contiguous chunk is too small %lu/%lu', stretch, buf.size);
	dma_buf_unmap_attachment_unlocked(attach, sgt, buf.dma_dir);
	return -EFAULT;
}

/** End that mapping, and the kernel's own if vb2_dc_vaddr() made one. */
function vb2_dc_unmap_dmabuf(mem_priv: vb2_mem_priv): void {
	const buf = to_dc_buf(mem_priv);
	const { db_attach: attach, dma_sgt: sgt } = buf;
	if (WARN_ON(attach === null) || attach === null) {
		pr_err('trying to unpin a not attached buffer');
		return;
	}
	if (WARN_ON(sgt === null) || sgt === null) {
		pr_err('dmabuf buffer is already unpinned');
		return;
	}

	if (buf.vaddr !== null) {
		const map = new iosys_map();
		iosys_map_set_vaddr(map, buf.vaddr);
		dma_buf_vunmap_unlocked(attach.dmabuf, map);
	}
	dma_buf_unmap_attachment_unlocked(attach, sgt, buf.dma_dir);
	buf.vaddr = null;
	buf.dma_sgt = null;
	buf.dma_addr.value = 0;
}

function vb2_dc_detach_dmabuf(mem_priv: vb2_mem_priv): void {
	const buf = to_dc_buf(mem_priv);

	// vb2 unmaps before it detaches.
	if (WARN_ON(buf.dma_addr.value !== 0)) vb2_dc_unmap_dmabuf(buf);
	dma_buf_detach(buf.db_attach!.dmabuf, buf.db_attach!);
	kfree(buf);
}

/** Take part in @dbuf, which must have at least @size bytes. */
function vb2_dc_attach_dmabuf(
	vb: vb2_buffer,
	dev: device,
	dbuf: dma_buf,
	size: unsigned_long,
): vb2_mem_priv | err_ptr {
	if (dbuf.size < size) return ERR_PTR(-EFAULT);
	if (WARN_ON(!dev)) return ERR_PTR(-EINVAL);

	const buf = kzalloc(vb2_dc_buf, GFP_KERNEL);
	if (buf === null) return ERR_PTR(-ENOMEM);
	const attach = dma_buf_attach(dbuf, dev);
	if (IS_ERR(attach)) {
		kfree(buf);
		pr_err('failed to attach dmabuf');
		return attach;
	}
	buf.vb = vb;
	buf.dev = dev;
	buf.size = size;
	buf.dma_dir = vb.vb2_queue!.dma_dir;
	buf.db_attach = attach;
	return buf;
}

export const vb2_dma_contig_memops: vb2_mem_ops = {
	alloc: vb2_dc_alloc,
	put: vb2_dc_put,
	get_dmabuf: vb2_dc_get_dmabuf,
	cookie: vb2_dc_cookie,
	vaddr: vb2_dc_vaddr,
	mmap: vb2_dc_mmap,
	prepare: vb2_dc_prepare,
	finish: vb2_dc_finish,
	map_dmabuf: vb2_dc_map_dmabuf,
	unmap_dmabuf: vb2_dc_unmap_dmabuf,
	attach_dmabuf: vb2_dc_attach_dmabuf,
	detach_dmabuf: vb2_dc_detach_dmabuf,
	num_users: vb2_dc_num_users,
};

/**
 * Let the DMA API merge a scatterlist of up to @size bytes into one segment for @dev.
 * Linux: vb2_dma_contig_set_max_seg_size()
 *
 * The default of 64 KiB would cut an imported frame in pieces. -ENODEV when the bus gave the device no dma_parms.
 */
export function vb2_dma_contig_set_max_seg_size(dev: device, size: unsigned_int): int {
	if (!dev.dma_parms) {
		dev_err(dev, 'Failed to set max_seg_size: dma_parms is NULL');
		return -ENODEV;
	}
	if (dma_get_max_seg_size(dev) < size) dma_set_max_seg_size(dev, size);
	return 0;
}
