// SPDX-License-Identifier: GPL-2.0-only
// Sharing of buffers between devices, by file descriptor.
// Linux 6.12: drivers/dma-buf/dma-buf.c
// Left out: fences and polling, the dmabuf file system (its d_release runs from the file's release here), sysfs
// statistics, debugfs, names, dynamic attachments, sync files.

import { fd_install, fget, get_unused_fd_flags } from '#fs/file.js';
import { alloc_file_pseudo, fput, get_file } from '#fs/file_table.js';
import { BUG_ON, WARN_ON, WARN_ON_ONCE } from '#linux/bug.js';
import type { device } from '#linux/device.js';
import {
	DMA_BUF_IOCTL_SYNC,
	DMA_BUF_SYNC_END,
	DMA_BUF_SYNC_READ,
	DMA_BUF_SYNC_RW,
	DMA_BUF_SYNC_VALID_FLAGS_MASK,
	DMA_BUF_SYNC_WRITE,
	dma_buf,
	dma_buf_attachment,
	type dma_buf_export_info,
	dma_buf_sync,
} from '#linux/dma-buf.js';
import {
	DMA_BIDIRECTIONAL,
	DMA_FROM_DEVICE,
	DMA_TO_DEVICE,
	type dma_data_direction,
} from '#linux/dma-direction.js';
import {
	dma_resv,
	dma_resv_assert_held,
	dma_resv_fini,
	dma_resv_init,
	dma_resv_lock,
	dma_resv_unlock,
} from '#linux/dma-resv.js';
import { ERR_PTR, type err_ptr, IS_ERR, PTR_ERR } from '#linux/err.js';
import { EBADF, EBUSY, EFAULT, EINVAL, ENOMEM, ENOTTY, EOVERFLOW } from '#linux/errno.js';
import {
	type file,
	type file_operations,
	type inode,
	O_ACCMODE,
	O_NONBLOCK,
	SEEK_END,
	SEEK_SET,
} from '#linux/fs.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import {
	type iosys_map,
	iosys_map_clear,
	iosys_map_is_null,
	iosys_map_is_set,
	iosys_map_set_vaddr,
} from '#linux/iosys-map.js';
import { list_add, list_del, list_empty } from '#linux/list.js';
import { PAGE_SIZE, vma_pages } from '#linux/mm.js';
import type { vm_area_struct } from '#linux/mm_types.js';
import type { sg_table } from '#linux/scatterlist.js';
import { kfree, kzalloc } from '#linux/slab.js';
import type { bool, int, loff_t, long, unsigned_int, unsigned_long } from '#linux/types.js';
import { vma_set_file } from '#mm/mmap.js';

function is_dma_buf_file(file: file): bool {
	return file.f_op === dma_buf_fops;
}

function dma_buf_release(dmabuf: dma_buf): void {
	BUG_ON(dmabuf.vmapping_counter !== 0);

	dmabuf.ops.release(dmabuf);

	dma_resv_fini(dmabuf.resv);
	WARN_ON(!list_empty(dmabuf.attachments));
	kfree(dmabuf);
}

function dma_buf_file_release(_inode: inode, file: file): int {
	if (!is_dma_buf_file(file)) return -EINVAL;

	// Null: dma_buf_export() gave up half-way.
	if (file.private_data !== null) dma_buf_release(file.private_data as dma_buf);
	return 0;
}

function dma_buf_mmap_internal(file: file, vma: vm_area_struct): int {
	if (!is_dma_buf_file(file)) return -EINVAL;
	const dmabuf = file.private_data as dma_buf;

	if (!dmabuf.ops.mmap) return -EINVAL;
	if (vma.vm_pgoff + vma_pages(vma) > Math.floor(dmabuf.size / PAGE_SIZE)) return -EINVAL;
	return dmabuf.ops.mmap(dmabuf, vma);
}

/** Only good for finding the buffer's size: SEEK_END to 0 and back. */
function dma_buf_llseek(file: file, offset: loff_t, whence: int): loff_t {
	if (!is_dma_buf_file(file)) return -EBADF;
	const dmabuf = file.private_data as dma_buf;

	let base: loff_t;
	if (whence === SEEK_END) base = dmabuf.size;
	else if (whence === SEEK_SET) base = 0;
	else return -EINVAL;
	return offset !== 0 ? -EINVAL : base + offset;
}

function dma_buf_ioctl(file: file, cmd: unsigned_int, arg: unknown): long {
	const dmabuf = file.private_data as dma_buf;
	if (cmd !== DMA_BUF_IOCTL_SYNC) return -ENOTTY;
	// What is none of the caller's memory cannot be copied from there.
	if (!(arg instanceof dma_buf_sync)) return -EFAULT;
	if ((arg.flags & ~DMA_BUF_SYNC_VALID_FLAGS_MASK) !== 0) return -EINVAL;

	let direction: dma_data_direction;
	switch (arg.flags & DMA_BUF_SYNC_RW) {
		case DMA_BUF_SYNC_READ:
			direction = DMA_FROM_DEVICE;
			break;
		case DMA_BUF_SYNC_WRITE:
			direction = DMA_TO_DEVICE;
			break;
		case DMA_BUF_SYNC_RW:
			direction = DMA_BIDIRECTIONAL;
			break;
		default:
			return -EINVAL;
	}
	if (arg.flags & DMA_BUF_SYNC_END) return dma_buf_end_cpu_access(dmabuf, direction);
	return dma_buf_begin_cpu_access(dmabuf, direction);
}

const dma_buf_fops: file_operations = {
	release: dma_buf_file_release,
	mmap: dma_buf_mmap_internal,
	llseek: dma_buf_llseek,
	unlocked_ioctl: dma_buf_ioctl,
};

/**
 * Make a buffer of the exporter's that devices can share.
 * Linux: drivers/dma-buf/dma-buf.c: dma_buf_export()
 *
 * The result carries one reference, which dma_buf_fd() hands on to the descriptor and dma_buf_put() drops.
 * -EINVAL without a private pointer or one of map_dma_buf, unmap_dma_buf, release; -ENOMEM.
 */
export function dma_buf_export(exp_info: dma_buf_export_info): dma_buf | err_ptr {
	const { ops } = exp_info;
	if (WARN_ON(!exp_info.priv || ops === null) || ops === null) return ERR_PTR(-EINVAL);

	const file = alloc_file_pseudo('dmabuf', exp_info.flags & (O_ACCMODE | O_NONBLOCK), dma_buf_fops);
	if (IS_ERR(file)) return ERR_PTR(PTR_ERR(file));

	const dmabuf = kzalloc(dma_buf, GFP_KERNEL);
	if (!dmabuf) {
		fput(file);
		return ERR_PTR(-ENOMEM);
	}
	dmabuf.priv = exp_info.priv;
	dmabuf.ops = ops;
	dmabuf.size = exp_info.size;
	dmabuf.exp_name = exp_info.exp_name;
	if (exp_info.resv === null) {
		// C: the reservation object lies right behind the dma_buf, in the same allocation.
		dmabuf.resv = new dma_resv();
		dma_resv_init(dmabuf.resv);
	} else {
		dmabuf.resv = exp_info.resv;
	}

	file.private_data = dmabuf;
	dmabuf.file = file;
	return dmabuf;
}

/** A new file descriptor for @dmabuf; takes over the caller's reference. -EINVAL, -EMFILE. Linux: dma_buf_fd() */
export function dma_buf_fd(dmabuf: dma_buf | null, flags: int): int {
	if (!dmabuf?.file) return -EINVAL;

	const fd = get_unused_fd_flags(flags);
	if (fd < 0) return fd;
	fd_install(fd, dmabuf.file);
	return fd;
}

/** The buffer behind @fd, with a reference. -EBADF: not open; -EINVAL: no dma-buf. Linux: dma_buf_get() */
export function dma_buf_get(fd: int): dma_buf | err_ptr {
	const file = fget(fd);
	if (!file) return ERR_PTR(-EBADF);
	if (!is_dma_buf_file(file)) {
		fput(file);
		return ERR_PTR(-EINVAL);
	}
	return file.private_data as dma_buf;
}

/** One more reference. Linux: include/linux/dma-buf.h: get_dma_buf() */
export function get_dma_buf(dmabuf: dma_buf): void {
	get_file(dmabuf.file!);
}

/** Drop a reference; the last one releases the buffer. Linux: dma_buf_put() */
export function dma_buf_put(dmabuf: dma_buf | null): void {
	if (WARN_ON(!dmabuf?.file) || dmabuf === null) return;
	fput(dmabuf.file!);
}

function __map_dma_buf(attach: dma_buf_attachment, direction: dma_data_direction): sg_table | err_ptr | null {
	return attach.dmabuf.ops.map_dma_buf(attach, direction);
}

function __unmap_dma_buf(attach: dma_buf_attachment, sgt: sg_table, direction: dma_data_direction): void {
	attach.dmabuf.ops.unmap_dma_buf(attach, sgt, direction);
}

/**
 * Say that @dev is going to use @dmabuf.
 * Linux: drivers/dma-buf/dma-buf.c: dma_buf_attach()
 */
export function dma_buf_attach(dmabuf: dma_buf | null, dev: device | null): dma_buf_attachment | err_ptr {
	if (WARN_ON(!dmabuf || !dev) || !dmabuf || !dev) return ERR_PTR(-EINVAL);

	const attach = kzalloc(dma_buf_attachment, GFP_KERNEL);
	if (!attach) return ERR_PTR(-ENOMEM);
	attach.dev = dev;
	attach.dmabuf = dmabuf;

	if (dmabuf.ops.attach) {
		const ret = dmabuf.ops.attach(dmabuf, attach);
		if (ret) {
			kfree(attach);
			return ERR_PTR(ret);
		}
	}
	dma_resv_lock(dmabuf.resv, null);
	list_add(attach.node, dmabuf.attachments);
	dma_resv_unlock(dmabuf.resv);
	return attach;
}

/** End an attachment, and the mapping that it may still cache. Linux: dma_buf_detach() */
export function dma_buf_detach(dmabuf: dma_buf, attach: dma_buf_attachment): void {
	if (WARN_ON(!dmabuf || !attach || dmabuf !== attach.dmabuf)) return;

	dma_resv_lock(dmabuf.resv, null);
	if (attach.sgt) __unmap_dma_buf(attach, attach.sgt, attach.dir);
	list_del(attach.node);
	dma_resv_unlock(dmabuf.resv);
	if (dmabuf.ops.detach) dmabuf.ops.detach(dmabuf, attach);
	kfree(attach);
}

/**
 * The buffer's pages, mapped for the attachment's device. The reservation lock is held.
 * Linux: drivers/dma-buf/dma-buf.c: dma_buf_map_attachment()
 *
 * -EBUSY when the exporter caches a mapping of another direction, -ENOMEM, or the exporter's error.
 */
export function dma_buf_map_attachment(
	attach: dma_buf_attachment,
	direction: dma_data_direction,
): sg_table | err_ptr {
	if (WARN_ON(!attach?.dmabuf)) return ERR_PTR(-EINVAL);
	dma_resv_assert_held(attach.dmabuf.resv);

	if (attach.sgt) {
		if (attach.dir !== direction && attach.dir !== DMA_BIDIRECTIONAL) return ERR_PTR(-EBUSY);
		return attach.sgt;
	}
	const sg_table = __map_dma_buf(attach, direction);
	if (!sg_table) return ERR_PTR(-ENOMEM);
	if (!IS_ERR(sg_table) && attach.dmabuf.ops.cache_sgt_mapping) {
		attach.sgt = sg_table;
		attach.dir = direction;
	}
	return sg_table;
}

/** dma_buf_map_attachment() for a caller without the lock. */
export function dma_buf_map_attachment_unlocked(
	attach: dma_buf_attachment,
	direction: dma_data_direction,
): sg_table | err_ptr {
	if (WARN_ON(!attach?.dmabuf)) return ERR_PTR(-EINVAL);
	dma_resv_lock(attach.dmabuf.resv, null);
	const sg_table = dma_buf_map_attachment(attach, direction);
	dma_resv_unlock(attach.dmabuf.resv);
	return sg_table;
}

/** Undo dma_buf_map_attachment(). The reservation lock is held. */
export function dma_buf_unmap_attachment(
	attach: dma_buf_attachment,
	sg_table: sg_table,
	direction: dma_data_direction,
): void {
	if (WARN_ON(!attach?.dmabuf || !sg_table)) return;
	dma_resv_assert_held(attach.dmabuf.resv);
	if (attach.sgt === sg_table) return;
	__unmap_dma_buf(attach, sg_table, direction);
}

/** dma_buf_unmap_attachment() for a caller without the lock. */
export function dma_buf_unmap_attachment_unlocked(
	attach: dma_buf_attachment,
	sg_table: sg_table,
	direction: dma_data_direction,
): void {
	if (WARN_ON(!attach?.dmabuf || !sg_table)) return;
	dma_resv_lock(attach.dmabuf.resv, null);
	dma_buf_unmap_attachment(attach, sg_table, direction);
	dma_resv_unlock(attach.dmabuf.resv);
}

/** Before the CPU looks at the buffer. Linux: dma_buf_begin_cpu_access() */
export function dma_buf_begin_cpu_access(dmabuf: dma_buf | null, direction: dma_data_direction): int {
	if (WARN_ON(!dmabuf) || !dmabuf) return -EINVAL;
	return dmabuf.ops.begin_cpu_access ? dmabuf.ops.begin_cpu_access(dmabuf, direction) : 0;
}

/** After the CPU has looked at it. Linux: dma_buf_end_cpu_access() */
export function dma_buf_end_cpu_access(dmabuf: dma_buf, direction: dma_data_direction): int {
	WARN_ON(!dmabuf);
	return dmabuf.ops.end_cpu_access ? dmabuf.ops.end_cpu_access(dmabuf, direction) : 0;
}

/** Set up @vma to show the buffer from page @pgoff on. -EINVAL, -EOVERFLOW. Linux: dma_buf_mmap() */
export function dma_buf_mmap(dmabuf: dma_buf, vma: vm_area_struct, pgoff: unsigned_long): int {
	if (WARN_ON(!dmabuf || !vma)) return -EINVAL;
	if (!dmabuf.ops.mmap) return -EINVAL;
	if (pgoff + vma_pages(vma) < pgoff) return -EOVERFLOW;
	if (pgoff + vma_pages(vma) > Math.floor(dmabuf.size / PAGE_SIZE)) return -EINVAL;

	vma_set_file(vma, dmabuf.file!);
	vma.vm_pgoff = pgoff;
	return dmabuf.ops.mmap(dmabuf, vma);
}

/** The kernel's address of the whole buffer; counted. The reservation lock is held. Linux: dma_buf_vmap() */
export function dma_buf_vmap(dmabuf: dma_buf, map: iosys_map): int {
	iosys_map_clear(map);
	if (WARN_ON(!dmabuf)) return -EINVAL;
	dma_resv_assert_held(dmabuf.resv);
	if (!dmabuf.ops.vmap) return -EINVAL;

	if (dmabuf.vmapping_counter) {
		dmabuf.vmapping_counter++;
		BUG_ON(iosys_map_is_null(dmabuf.vmap_ptr));
		iosys_map_set_vaddr(map, dmabuf.vmap_ptr.vaddr);
		return 0;
	}
	BUG_ON(iosys_map_is_set(dmabuf.vmap_ptr));
	const ret = dmabuf.ops.vmap(dmabuf, dmabuf.vmap_ptr);
	if (WARN_ON_ONCE(ret !== 0)) return ret;
	dmabuf.vmapping_counter = 1;
	iosys_map_set_vaddr(map, dmabuf.vmap_ptr.vaddr);
	return 0;
}

/** dma_buf_vmap() for a caller without the lock. */
export function dma_buf_vmap_unlocked(dmabuf: dma_buf, map: iosys_map): int {
	iosys_map_clear(map);
	if (WARN_ON(!dmabuf)) return -EINVAL;
	dma_resv_lock(dmabuf.resv, null);
	const ret = dma_buf_vmap(dmabuf, map);
	dma_resv_unlock(dmabuf.resv);
	return ret;
}

/** Undo one dma_buf_vmap(). The reservation lock is held. Linux: dma_buf_vunmap() */
export function dma_buf_vunmap(dmabuf: dma_buf, map: iosys_map): void {
	if (WARN_ON(!dmabuf)) return;
	dma_resv_assert_held(dmabuf.resv);
	BUG_ON(iosys_map_is_null(dmabuf.vmap_ptr));
	BUG_ON(dmabuf.vmapping_counter === 0);
	BUG_ON(dmabuf.vmap_ptr.vaddr !== map.vaddr);

	if (--dmabuf.vmapping_counter === 0) {
		if (dmabuf.ops.vunmap) dmabuf.ops.vunmap(dmabuf, map);
		iosys_map_clear(dmabuf.vmap_ptr);
	}
}

/** dma_buf_vunmap() for a caller without the lock. */
export function dma_buf_vunmap_unlocked(dmabuf: dma_buf, map: iosys_map): void {
	if (WARN_ON(!dmabuf)) return;
	dma_resv_lock(dmabuf.resv, null);
	dma_buf_vunmap(dmabuf, map);
	dma_resv_unlock(dmabuf.resv);
}
