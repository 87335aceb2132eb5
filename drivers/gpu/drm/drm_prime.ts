// SPDX-License-Identifier: GPL-2.0-only
// Sharing buffers with other devices: handles to dma-bufs and back.
// Linux 6.12: drivers/gpu/drm/drm_prime.c
// Left out: lists of pages for drivers that want them, virtual GPUs.
import {
	dma_buf_attach,
	dma_buf_detach,
	dma_buf_export,
	dma_buf_fd,
	dma_buf_get,
	dma_buf_map_attachment_unlocked,
	dma_buf_put,
	dma_buf_unmap_attachment_unlocked,
	get_dma_buf,
} from '#drivers/dma-buf/dma-buf.js';
import { drm_dev_get, drm_dev_put } from '#drivers/gpu/drm/drm_drv.js';
import {
	drm_gem_handle_create_tail,
	drm_gem_handle_delete,
	drm_gem_object_get,
	drm_gem_object_lookup,
	drm_gem_object_put,
	drm_gem_pin,
	drm_gem_unpin,
	drm_gem_vmap,
	drm_gem_vunmap,
} from '#drivers/gpu/drm/drm_gem.js';
import type { drm_device } from '#include/drm/drm_device.js';
import { type drm_file, type drm_prime_file_private, drm_prime_member } from '#include/drm/drm_file.js';
import type { drm_gem_object } from '#include/drm/drm_gem.js';
import { drm_vma_node_start } from '#include/drm/drm_vma_manager.js';
import { DRM_CLOEXEC, DRM_RDWR, type drm_prime_handle } from '#include/uapi/drm/drm.js';
import { dma_map_sgtable, dma_unmap_sgtable } from '#kernel/dma/mapping.js';
import { sg_free_table, sg_next } from '#lib/scatterlist.js';
import { WARN_ON } from '#linux/bug.js';
import type { device } from '#linux/device.js';
import {
	DEFINE_DMA_BUF_EXPORT_INFO,
	type dma_buf,
	type dma_buf_attachment,
	type dma_buf_export_info,
	type dma_buf_ops,
} from '#linux/dma-buf.js';
import { DMA_BIDIRECTIONAL, DMA_NONE, type dma_data_direction } from '#linux/dma-direction.js';
import { DMA_ATTR_SKIP_CPU_SYNC } from '#linux/dma-mapping.js';
import { ERR_PTR, type err_ptr, IS_ERR, PTR_ERR } from '#linux/err.js';
import { EINVAL, ENOENT, ENOMEM, ENOSYS } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import type { iosys_map } from '#linux/iosys-map.js';
import type { vm_area_struct } from '#linux/mm_types.js';
import { mutex_lock, mutex_unlock } from '#linux/mutex.js';
import {
	RB_EMPTY_ROOT,
	rb_entry,
	rb_erase,
	rb_first,
	rb_insert_color,
	rb_link_node,
	rb_next,
	type rb_node,
} from '#linux/rbtree.js';
import { sg_dma_address, sg_dma_len, type sg_table } from '#linux/scatterlist.js';
import { kfree, kmalloc } from '#linux/slab.js';
import { type int, ref, type u32, type unsigned_long } from '#linux/types.js';

function drm_prime_add_buf_handle(prime_fpriv: drm_prime_file_private, dma_buf: dma_buf, handle: u32): int {
	const member = kmalloc(drm_prime_member, GFP_KERNEL);
	if (!member) return -ENOMEM;
	get_dma_buf(dma_buf);
	member.dma_buf = dma_buf;
	member.handle = handle;

	let parent: rb_node<drm_prime_member> | null = null;
	let left = false;
	for (let node = prime_fpriv.handles.rb_node; node !== null; ) {
		parent = node;
		left = handle <= rb_entry(node).handle;
		node = left ? node.rb_left : node.rb_right;
	}
	rb_link_node(member.handle_rb, parent, prime_fpriv.handles, left);
	rb_insert_color(member.handle_rb, prime_fpriv.handles);
	return 0;
}

function member_by_handle(prime_fpriv: drm_prime_file_private, handle: u32): drm_prime_member | null {
	for (let node = prime_fpriv.handles.rb_node; node !== null; ) {
		const member = rb_entry(node);
		if (member.handle === handle) return member;
		node = member.handle < handle ? node.rb_right : node.rb_left;
	}
	return null;
}

function drm_prime_lookup_buf_by_handle(prime_fpriv: drm_prime_file_private, handle: u32): dma_buf | null {
	return member_by_handle(prime_fpriv, handle)?.dma_buf ?? null;
}

function drm_prime_lookup_buf_handle(
	prime_fpriv: drm_prime_file_private,
	dma_buf: dma_buf,
	handle: ref<u32>,
): int {
	for (let node = rb_first(prime_fpriv.handles); node !== null; node = rb_next(node))
		if (rb_entry(node).dma_buf === dma_buf) {
			handle.value = rb_entry(node).handle;
			return 0;
		}
	return -ENOENT;
}

/**
 * A handle goes: forget what dma-buf it stands for.
 * Linux: drivers/gpu/drm/drm_prime.c: drm_prime_remove_buf_handle()
 */
export function drm_prime_remove_buf_handle(prime_fpriv: drm_prime_file_private, handle: u32): void {
	mutex_lock(prime_fpriv.lock);
	const member = member_by_handle(prime_fpriv, handle);
	if (member) {
		rb_erase(member.handle_rb, prime_fpriv.handles);
		dma_buf_put(member.dma_buf);
		kfree(member);
	}
	mutex_unlock(prime_fpriv.lock);
}

/** No buffers yet. Linux: drivers/gpu/drm/drm_prime.c: drm_prime_init_file_private() */
export function drm_prime_init_file_private(prime_fpriv: drm_prime_file_private): void {
	prime_fpriv.handles.rb_node = null;
}

/**
 * A file goes: its handles are gone before.
 * Linux: drivers/gpu/drm/drm_prime.c: drm_prime_destroy_file_private()
 */
export function drm_prime_destroy_file_private(prime_fpriv: drm_prime_file_private): void {
	WARN_ON(!RB_EMPTY_ROOT(prime_fpriv.handles));
}

/**
 * dma_buf_export() of a buffer of @dev; device and buffer are kept for as long as it lives.
 * Linux: drivers/gpu/drm/drm_prime.c: drm_gem_dmabuf_export()
 */
export function drm_gem_dmabuf_export(dev: drm_device, exp_info: dma_buf_export_info): dma_buf | err_ptr {
	const obj = exp_info.priv as drm_gem_object;

	const dma_buf = dma_buf_export(exp_info);
	if (IS_ERR(dma_buf)) return dma_buf;
	drm_dev_get(dev);
	drm_gem_object_get(obj);
	return dma_buf;
}

/**
 * The last user of an export is gone: device and buffer are let go.
 * Linux: drivers/gpu/drm/drm_prime.c: drm_gem_dmabuf_release()
 */
export function drm_gem_dmabuf_release(dma_buf: dma_buf): void {
	const obj = dma_buf.priv as drm_gem_object;
	const { dev } = obj;
	drm_gem_object_put(obj);
	drm_dev_put(dev);
}

/** A handle in @file_priv for a buffer that is not there yet. 0 or the importer's error. */
function import_and_register_object(
	dev: drm_device,
	file_priv: drm_file,
	dma_buf: dma_buf,
	handle: ref<u32>,
): int {
	const import_ = dev.driver.gem_prime_import ?? drm_gem_prime_import;
	mutex_lock(dev.object_name_lock);
	const obj = import_(dev, dma_buf);
	if (IS_ERR(obj)) {
		mutex_unlock(dev.object_name_lock);
		return PTR_ERR(obj);
	}
	WARN_ON(obj.dma_buf !== null && obj.dma_buf !== dma_buf);
	if (!obj.dma_buf) {
		get_dma_buf(dma_buf);
		obj.dma_buf = dma_buf;
	}
	// Drops object_name_lock. From here on the handle keeps the buffer.
	const ret = drm_gem_handle_create_tail(file_priv, obj, handle);
	drm_gem_object_put(obj);
	return ret;
}

/**
 * drm_gem_prime_fd_to_handle - Import a dma-buf
 * @prime_fd: its file descriptor
 * @handle: of the buffer in @file_priv; the same one when it was imported, or exported, before
 *
 * Returns 0; -EBADF, -EINVAL (no dma-buf; not contiguous for this device), -ENOMEM, or what the exporter says.
 * Linux: drivers/gpu/drm/drm_prime.c: drm_gem_prime_fd_to_handle()
 */
export function drm_gem_prime_fd_to_handle(
	dev: drm_device,
	file_priv: drm_file,
	prime_fd: int,
	handle: ref<u32>,
): int {
	const dma_buf = dma_buf_get(prime_fd);
	if (IS_ERR(dma_buf)) return PTR_ERR(dma_buf);

	mutex_lock(file_priv.prime.lock);
	const known = drm_prime_lookup_buf_handle(file_priv.prime, dma_buf, handle) === 0;
	let ret: int = known ? 0 : import_and_register_object(dev, file_priv, dma_buf, handle);
	const fresh = !known && ret === 0;
	if (fresh) ret = drm_prime_add_buf_handle(file_priv.prime, dma_buf, handle.value);
	mutex_unlock(file_priv.prime.lock);
	// A handle whose buffer cannot be remembered; its deletion takes the lock again.
	if (fresh && ret) drm_gem_handle_delete(file_priv, handle.value);
	dma_buf_put(dma_buf);
	return ret;
}

/**
 * DRM_IOCTL_PRIME_FD_TO_HANDLE: drm_gem_prime_fd_to_handle().
 * Linux: drivers/gpu/drm/drm_prime.c: drm_prime_fd_to_handle_ioctl()
 */
export function drm_prime_fd_to_handle_ioctl(
	dev: drm_device,
	args: drm_prime_handle,
	file_priv: drm_file,
): int {
	const handle = new ref<u32>(args.handle);
	const ret = drm_gem_prime_fd_to_handle(dev, file_priv, args.fd, handle);
	args.handle = handle.value;
	return ret;
}

function export_and_register_object(dev: drm_device, obj: drm_gem_object, flags: u32): dma_buf | err_ptr {
	// The last handle may have gone meanwhile.
	if (obj.handle_count === 0) return ERR_PTR(-ENOENT);
	const dmabuf = obj.funcs?.export ? obj.funcs.export(obj, flags) : drm_gem_prime_export(obj, flags);
	if (IS_ERR(dmabuf)) return dmabuf;
	obj.dma_buf = dmabuf;
	get_dma_buf(obj.dma_buf);
	return dmabuf;
}

/** The dma-buf of @obj with a reference, remembered for @handle: what it came from, or its export, old or new. */
function find_or_export(
	dev: drm_device,
	file_priv: drm_file,
	obj: drm_gem_object,
	handle: u32,
	flags: u32,
): dma_buf | err_ptr {
	mutex_lock(dev.object_name_lock);
	const there = obj.import_attach?.dmabuf ?? obj.dma_buf;
	if (there) get_dma_buf(there);
	let dmabuf = there ?? export_and_register_object(dev, obj, flags);
	const ret = IS_ERR(dmabuf) ? 0 : drm_prime_add_buf_handle(file_priv.prime, dmabuf, handle);
	if (ret && !IS_ERR(dmabuf)) {
		dma_buf_put(dmabuf);
		dmabuf = ERR_PTR(ret);
	}
	mutex_unlock(dev.object_name_lock);
	return dmabuf;
}

/**
 * The dma-buf that @handle stands for, with a reference; made when it is the first time.
 * Linux: drivers/gpu/drm/drm_prime.c: drm_gem_prime_handle_to_dmabuf()
 */
export function drm_gem_prime_handle_to_dmabuf(
	dev: drm_device,
	file_priv: drm_file,
	handle: u32,
	flags: u32,
): dma_buf | err_ptr {
	mutex_lock(file_priv.prime.lock);
	let dmabuf: dma_buf | err_ptr = ERR_PTR(-ENOENT);
	const obj = drm_gem_object_lookup(file_priv, handle);
	if (obj) {
		const known = drm_prime_lookup_buf_by_handle(file_priv.prime, handle);
		if (known) get_dma_buf(known);
		dmabuf = known ?? find_or_export(dev, file_priv, obj, handle, flags);
		drm_gem_object_put(obj);
	}
	mutex_unlock(file_priv.prime.lock);
	return dmabuf;
}

/**
 * A file descriptor for the buffer behind @handle.
 * Linux: drivers/gpu/drm/drm_prime.c: drm_gem_prime_handle_to_fd()
 */
export function drm_gem_prime_handle_to_fd(
	dev: drm_device,
	file_priv: drm_file,
	handle: u32,
	flags: u32,
	prime_fd: ref<int>,
): int {
	const dmabuf = drm_gem_prime_handle_to_dmabuf(dev, file_priv, handle, flags);
	if (IS_ERR(dmabuf)) return PTR_ERR(dmabuf);
	// The reference goes to the descriptor.
	const fd = dma_buf_fd(dmabuf, flags);
	if (fd < 0) {
		dma_buf_put(dmabuf);
		return fd;
	}
	prime_fd.value = fd;
	return 0;
}

/**
 * DRM_IOCTL_PRIME_HANDLE_TO_FD: drm_gem_prime_handle_to_fd(). -EINVAL for unknown flags.
 * Linux: drivers/gpu/drm/drm_prime.c: drm_prime_handle_to_fd_ioctl()
 */
export function drm_prime_handle_to_fd_ioctl(
	dev: drm_device,
	args: drm_prime_handle,
	file_priv: drm_file,
): int {
	if ((args.flags & ~(DRM_CLOEXEC | DRM_RDWR)) !== 0) return -EINVAL;
	const fd = new ref<int>(args.fd);
	const ret = drm_gem_prime_handle_to_fd(dev, file_priv, args.handle, args.flags, fd);
	args.fd = fd.value;
	return ret;
}

/* Exporting: what other devices do with our buffer. */

/**
 * An importer comes: the buffer stays where it is. -ENOSYS when it has no pages to give.
 * Linux: drivers/gpu/drm/drm_prime.c: drm_gem_map_attach()
 */
export function drm_gem_map_attach(dma_buf: dma_buf, _attach: dma_buf_attachment): int {
	const obj = dma_buf.priv as drm_gem_object;
	if (!obj.funcs?.get_sg_table) return -ENOSYS;
	return drm_gem_pin(obj);
}

/** An importer is done. Linux: drivers/gpu/drm/drm_prime.c: drm_gem_map_detach() */
export function drm_gem_map_detach(dma_buf: dma_buf, _attach: dma_buf_attachment): void {
	drm_gem_unpin(dma_buf.priv as drm_gem_object);
}

/** The buffer's pages, mapped for the importer. Linux: drivers/gpu/drm/drm_prime.c: drm_gem_map_dma_buf() */
export function drm_gem_map_dma_buf(attach: dma_buf_attachment, dir: dma_data_direction): sg_table | err_ptr {
	const obj = attach.dmabuf.priv as drm_gem_object;

	if (WARN_ON(dir === DMA_NONE)) return ERR_PTR(-EINVAL);
	if (WARN_ON(!obj.funcs?.get_sg_table)) return ERR_PTR(-ENOSYS);

	const sgt = obj.funcs!.get_sg_table!(obj);
	if (IS_ERR(sgt)) return sgt;
	const ret = dma_map_sgtable(attach.dev, sgt, dir, DMA_ATTR_SKIP_CPU_SYNC);
	if (ret) {
		sg_free_table(sgt);
		kfree(sgt);
		return ERR_PTR(ret);
	}
	return sgt;
}

/** Undo drm_gem_map_dma_buf(). Linux: drivers/gpu/drm/drm_prime.c: drm_gem_unmap_dma_buf() */
export function drm_gem_unmap_dma_buf(
	attach: dma_buf_attachment,
	sgt: sg_table | null,
	dir: dma_data_direction,
): void {
	if (!sgt) return;
	dma_unmap_sgtable(attach.dev, sgt, dir, DMA_ATTR_SKIP_CPU_SYNC);
	sg_free_table(sgt);
	kfree(sgt);
}

function drm_gem_dmabuf_vmap(dma_buf: dma_buf, map: iosys_map): int {
	return drm_gem_vmap(dma_buf.priv as drm_gem_object, map);
}

function drm_gem_dmabuf_vunmap(dma_buf: dma_buf, map: iosys_map): void {
	drm_gem_vunmap(dma_buf.priv as drm_gem_object, map);
}

/** mmap() of the dma-buf. Linux: drivers/gpu/drm/drm_prime.c: drm_gem_prime_mmap() */
export function drm_gem_prime_mmap(obj: drm_gem_object, vma: vm_area_struct): int {
	// What a buffer's own mmap expects: the offset in the DRM file.
	vma.vm_pgoff += drm_vma_node_start(obj.vma_node);
	if (!obj.funcs?.mmap) return -ENOSYS;
	vma.vm_ops = obj.funcs.vm_ops ?? null;
	vma.vm_private_data = obj;
	drm_gem_object_get(obj);
	const ret = obj.funcs.mmap(obj, vma);
	if (ret) drm_gem_object_put(obj);
	return ret;
}

function drm_gem_dmabuf_mmap(dma_buf: dma_buf, vma: vm_area_struct): int {
	return drm_gem_prime_mmap(dma_buf.priv as drm_gem_object, vma);
}

export const drm_gem_prime_dmabuf_ops: dma_buf_ops = {
	cache_sgt_mapping: true,
	attach: drm_gem_map_attach,
	detach: drm_gem_map_detach,
	map_dma_buf: drm_gem_map_dma_buf,
	unmap_dma_buf: drm_gem_unmap_dma_buf,
	release: drm_gem_dmabuf_release,
	mmap: drm_gem_dmabuf_mmap,
	vmap: drm_gem_dmabuf_vmap,
	vunmap: drm_gem_dmabuf_vunmap,
};

/**
 * How many bytes, from the start of @sgt, are one stretch of DMA addresses.
 * Linux: drivers/gpu/drm/drm_prime.c: drm_prime_get_contiguous_size()
 */
export function drm_prime_get_contiguous_size(sgt: sg_table): unsigned_long {
	let expected = sg_dma_address(sgt.sgl!);
	let size = 0;
	let sg = sgt.sgl;
	for (let i = 0; i < sgt.nents && sg !== null; i++, sg = sg_next(sg)) {
		const len = sg_dma_len(sg);
		if (len === 0 || sg_dma_address(sg) !== expected) break;
		expected += len;
		size += len;
	}
	return size;
}

/** The export of most drivers. Linux: drivers/gpu/drm/drm_prime.c: drm_gem_prime_export() */
export function drm_gem_prime_export(obj: drm_gem_object, flags: int): dma_buf | err_ptr {
	const exp_info = DEFINE_DMA_BUF_EXPORT_INFO('drm');
	exp_info.ops = drm_gem_prime_dmabuf_ops;
	exp_info.size = obj.size;
	exp_info.flags = flags;
	exp_info.priv = obj;
	exp_info.resv = obj.resv;
	return drm_gem_dmabuf_export(obj.dev, exp_info);
}

/* Importing */

/**
 * A buffer object on what @dma_buf has, mapped for @attach_dev.
 * Linux: drivers/gpu/drm/drm_prime.c: drm_gem_prime_import_dev()
 */
export function drm_gem_prime_import_dev(
	dev: drm_device,
	dma_buf: dma_buf,
	attach_dev: device,
): drm_gem_object | err_ptr {
	const own = dma_buf.ops === drm_gem_prime_dmabuf_ops ? (dma_buf.priv as drm_gem_object) : null;
	if (own?.dev === dev) {
		// Our own export comes home: no mapping is needed, and no reference to the export, which keeps the buffer.
		drm_gem_object_get(own);
		return own;
	}
	const { gem_prime_import_sg_table } = dev.driver;
	if (!gem_prime_import_sg_table) return ERR_PTR(-EINVAL);

	const attach = dma_buf_attach(dma_buf, attach_dev);
	if (IS_ERR(attach)) return attach;
	get_dma_buf(dma_buf);
	const sgt = dma_buf_map_attachment_unlocked(attach, DMA_BIDIRECTIONAL);
	const obj = IS_ERR(sgt) ? sgt : gem_prime_import_sg_table(dev, attach, sgt);
	if (!IS_ERR(obj)) {
		obj.import_attach = attach;
		obj.resv = dma_buf.resv;
		return obj;
	}
	if (!IS_ERR(sgt)) dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_BIDIRECTIONAL);
	dma_buf_detach(dma_buf, attach);
	dma_buf_put(dma_buf);
	return obj;
}

/**
 * drm_gem_prime_import_dev() for the DRM device itself.
 * Linux: drivers/gpu/drm/drm_prime.c: drm_gem_prime_import()
 */
export function drm_gem_prime_import(dev: drm_device, dma_buf: dma_buf): drm_gem_object | err_ptr {
	return drm_gem_prime_import_dev(dev, dma_buf, dev.dev);
}

/** The end of an import. Linux: drivers/gpu/drm/drm_prime.c: drm_prime_gem_destroy() */
export function drm_prime_gem_destroy(obj: drm_gem_object, sg: sg_table | null): void {
	const attach = obj.import_attach!;
	if (sg) dma_buf_unmap_attachment_unlocked(attach, sg, DMA_BIDIRECTIONAL);
	const { dmabuf } = attach;
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
}
