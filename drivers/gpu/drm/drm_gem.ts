// SPDX-License-Identifier: GPL-2.0-only
// Buffers: handles, references, mapping by users.
// Linux 6.12: drivers/gpu/drm/drm_gem.c
// Left out: shmem backing, names (flink), the LRU, fences, ww locks over several buffers.

import { dma_buf_put } from '#drivers/dma-buf/dma-buf.js';
import {
	drm_prime_destroy_file_private,
	drm_prime_init_file_private,
	drm_prime_remove_buf_handle,
} from '#drivers/gpu/drm/drm_prime.js';
import {
	drm_vma_node_allow,
	drm_vma_node_is_allowed,
	drm_vma_node_revoke,
	drm_vma_offset_add,
	drm_vma_offset_exact_lookup_locked,
	drm_vma_offset_remove,
} from '#drivers/gpu/drm/drm_vma_manager.js';
import type { drm_device } from '#include/drm/drm_device.js';
import { DRIVER_GEM, drm_core_check_feature } from '#include/drm/drm_drv.js';
import type { drm_file } from '#include/drm/drm_file.js';
import { drm_gem_object } from '#include/drm/drm_gem.js';
import { drm_vma_node_offset_addr, drm_vma_node_size } from '#include/drm/drm_vma_manager.js';
import type { drm_gem_close } from '#include/uapi/drm/drm.js';
import { BUG_ON, WARN_ON } from '#linux/bug.js';
import { dma_resv_fini, dma_resv_init } from '#linux/dma-resv.js';
import { EACCES, EINVAL, ENOENT, EOPNOTSUPP } from '#linux/errno.js';
import type { file } from '#linux/fs.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { idr_alloc, idr_destroy, idr_find, idr_for_each_entry, idr_remove, idr_replace } from '#linux/idr.js';
import type { iosys_map } from '#linux/iosys-map.js';
import { type kref, kref_get, kref_get_unless_zero, kref_init, kref_put } from '#linux/kref.js';
import { PAGE_SIZE, VM_DONTEXPAND, vma_pages } from '#linux/mm.js';
import type { vm_area_struct } from '#linux/mm_types.js';
import { mutex_lock, mutex_unlock } from '#linux/mutex.js';
import { spin_lock, spin_unlock } from '#linux/spinlock.js';
import type { int, ref, size_t, u32, u64, unsigned_long } from '#linux/types.js';

/** A buffer whose memory the driver brings. Linux: drivers/gpu/drm/drm_gem.c: drm_gem_private_object_init() */
export function drm_gem_private_object_init(dev: drm_device, obj: drm_gem_object, size: size_t): void {
	BUG_ON(size % PAGE_SIZE !== 0);
	obj.dev = dev;
	kref_init(obj.refcount);
	obj.handle_count = 0;
	obj.size = size;
	dma_resv_init(obj._resv);
	if (obj.resv === null) obj.resv = obj._resv;
}

/**
 * C also makes the shmem file here, which no driver of this image uses.
 * Linux: drivers/gpu/drm/drm_gem.c: drm_gem_object_init()
 */
export function drm_gem_object_init(dev: drm_device, obj: drm_gem_object, size: size_t): int {
	drm_gem_private_object_init(dev, obj, size);
	return 0;
}

/** Keep the buffer. Linux: include/drm/drm_gem.h: drm_gem_object_get() */
export function drm_gem_object_get(obj: drm_gem_object): void {
	kref_get(obj.refcount);
}

/** Drop a reference; the last one frees the buffer. Linux: include/drm/drm_gem.h: drm_gem_object_put() */
export function drm_gem_object_put(obj: drm_gem_object | null): void {
	if (obj !== null) kref_put(obj.refcount, drm_gem_object_free);
}

function drm_gem_object_free(ref: kref): void {
	const obj = ref.container as drm_gem_object;
	if (WARN_ON(!obj.funcs?.free)) return;
	obj.funcs!.free(obj);
}

/**
 * What a driver's free calls before it frees the struct.
 * Linux: drivers/gpu/drm/drm_gem.c: drm_gem_object_release()
 */
export function drm_gem_object_release(obj: drm_gem_object): void {
	WARN_ON(obj.dma_buf !== null);
	dma_resv_fini(obj._resv);
	drm_gem_free_mmap_offset(obj);
}

/** No user has a handle any more: the export may go too. Called with object_name_lock held. */
function drm_gem_object_exported_dma_buf_free(obj: drm_gem_object): void {
	if (obj.dma_buf === null) return;
	const { dma_buf } = obj;
	obj.dma_buf = null;
	dma_buf_put(dma_buf);
}

function drm_gem_object_handle_put_unlocked(obj: drm_gem_object): void {
	const { dev } = obj;
	let final = false;

	if (WARN_ON(obj.handle_count === 0)) return;
	mutex_lock(dev.object_name_lock);
	if (--obj.handle_count === 0) {
		drm_gem_object_exported_dma_buf_free(obj);
		final = true;
	}
	mutex_unlock(dev.object_name_lock);
	if (final) drm_gem_object_put(obj);
}

function drm_gem_object_release_handle(id: u32, obj: drm_gem_object, file_priv: drm_file): void {
	drm_prime_remove_buf_handle(file_priv.prime, id);
	drm_vma_node_revoke(obj.dev.vma_offset_manager, obj.vma_node, file_priv);
	drm_gem_object_handle_put_unlocked(obj);
}

/**
 * Drop a handle; the last one takes the export and a reference along. -EINVAL.
 * Linux: drivers/gpu/drm/drm_gem.c: drm_gem_handle_delete()
 */
export function drm_gem_handle_delete(filp: drm_file, handle: u32): int {
	spin_lock(filp.table_lock);
	const obj = idr_replace(filp.object_idr, null, handle);
	spin_unlock(filp.table_lock);
	if (!(obj instanceof drm_gem_object)) return -EINVAL;

	drm_gem_object_release_handle(handle, obj, filp);

	spin_lock(filp.table_lock);
	idr_remove(filp.object_idr, handle);
	spin_unlock(filp.table_lock);
	return 0;
}

/**
 * drm_gem_handle_create_tail - A handle for @obj; dev->object_name_lock is held and is dropped here
 * @file_priv: whose
 * @obj: the buffer; the first handle takes a reference
 * @handlep: the handle
 *
 * Returns 0, -ENOMEM or -ENOSPC. Linux: drivers/gpu/drm/drm_gem.c: drm_gem_handle_create_tail()
 */
export function drm_gem_handle_create_tail(file_priv: drm_file, obj: drm_gem_object, handlep: ref<u32>): int {
	const { dev } = obj;

	if (obj.handle_count++ === 0) drm_gem_object_get(obj);
	// The idr's memory may sleep, so the spin lock of C is not held over it; preloading is C's way around that.
	let ret = idr_alloc(file_priv.object_idr, obj, 1, 0, GFP_KERNEL);
	mutex_unlock(dev.object_name_lock);
	if (ret < 0) {
		drm_gem_object_handle_put_unlocked(obj);
		return ret;
	}
	const handle = ret;

	ret = drm_vma_node_allow(dev.vma_offset_manager, obj.vma_node, file_priv);
	if (ret) {
		idr_remove(file_priv.object_idr, handle);
		drm_gem_object_handle_put_unlocked(obj);
		return ret;
	}
	handlep.value = handle;
	return 0;
}

/** A handle for @obj in @file_priv. Linux: drivers/gpu/drm/drm_gem.c: drm_gem_handle_create() */
export function drm_gem_handle_create(file_priv: drm_file, obj: drm_gem_object, handlep: ref<u32>): int {
	mutex_lock(obj.dev.object_name_lock);
	return drm_gem_handle_create_tail(file_priv, obj, handlep);
}

/** Take the range for mmap() back. Linux: drivers/gpu/drm/drm_gem.c: drm_gem_free_mmap_offset() */
export function drm_gem_free_mmap_offset(obj: drm_gem_object): void {
	drm_vma_offset_remove(obj.dev.vma_offset_manager, obj.vma_node);
}

/**
 * A range for mmap(); it keeps the one it has. -ENOSPC.
 * Linux: drivers/gpu/drm/drm_gem.c: drm_gem_create_mmap_offset()
 */
export function drm_gem_create_mmap_offset(obj: drm_gem_object): int {
	return drm_vma_offset_add(obj.dev.vma_offset_manager, obj.vma_node, obj.size / PAGE_SIZE);
}

/**
 * The buffer behind @handle with a reference, or null.
 * Linux: drivers/gpu/drm/drm_gem.c: drm_gem_object_lookup()
 */
export function drm_gem_object_lookup(filp: drm_file, handle: u32): drm_gem_object | null {
	spin_lock(filp.table_lock);
	const obj = idr_find(filp.object_idr, handle);
	if (obj) drm_gem_object_get(obj);
	spin_unlock(filp.table_lock);
	return obj;
}

/**
 * What mmap() takes for the buffer behind @handle. -ENOENT; -EINVAL for an import.
 * Linux: drivers/gpu/drm/drm_gem.c: drm_gem_dumb_map_offset()
 */
export function drm_gem_dumb_map_offset(file: drm_file, dev: drm_device, handle: u32, offset: ref<u64>): int {
	const obj = drm_gem_object_lookup(file, handle);
	if (!obj) return -ENOENT;

	let ret: int;
	if (obj.import_attach) ret = -EINVAL;
	else {
		ret = drm_gem_create_mmap_offset(obj);
		if (!ret) offset.value = drm_vma_node_offset_addr(obj.vma_node);
	}
	drm_gem_object_put(obj);
	return ret;
}

/** DRM_IOCTL_GEM_CLOSE. -EINVAL. Linux: drivers/gpu/drm/drm_gem.c: drm_gem_close_ioctl() */
export function drm_gem_close_ioctl(dev: drm_device, args: drm_gem_close, file_priv: drm_file): int {
	if (!drm_core_check_feature(dev, DRIVER_GEM)) return -EOPNOTSUPP;
	return drm_gem_handle_delete(file_priv, args.handle);
}

/** A file is opened. Linux: drivers/gpu/drm/drm_gem.c: drm_gem_open() */
export function drm_gem_open(dev: drm_device, file_private: drm_file): void {
	drm_prime_init_file_private(file_private.prime);
}

/** A file is closed: its handles go. Linux: drivers/gpu/drm/drm_gem.c: drm_gem_release() */
export function drm_gem_release(dev: drm_device, file_private: drm_file): void {
	for (const [id, obj] of idr_for_each_entry(file_private.object_idr))
		drm_gem_object_release_handle(id, obj, file_private);
	idr_destroy(file_private.object_idr);
	drm_prime_destroy_file_private(file_private.prime);
}

/** A mapping was copied: it keeps the buffer too. Linux: drivers/gpu/drm/drm_gem.c: drm_gem_vm_open() */
export function drm_gem_vm_open(vma: vm_area_struct): void {
	drm_gem_object_get(vma.vm_private_data as drm_gem_object);
}

/** A mapping goes. Linux: drivers/gpu/drm/drm_gem.c: drm_gem_vm_close() */
export function drm_gem_vm_close(vma: vm_area_struct): void {
	drm_gem_object_put(vma.vm_private_data as drm_gem_object);
}

/**
 * Map @obj; the mapping has a reference. -EINVAL: larger than the buffer.
 * Linux: drivers/gpu/drm/drm_gem.c: drm_gem_mmap_obj()
 */
export function drm_gem_mmap_obj(obj: drm_gem_object, obj_size: unsigned_long, vma: vm_area_struct): int {
	const mmap = obj.funcs?.mmap;
	if (!mmap || vma.vm_end - vma.vm_start > obj_size) return -EINVAL;

	drm_gem_object_get(obj);
	vma.vm_private_data = obj;
	vma.vm_ops = obj.funcs?.vm_ops ?? null;
	const ret = mmap(obj, vma);
	// A driver's mmap that works keeps the mapping from growing.
	if (ret === 0) WARN_ON((vma.vm_flags & VM_DONTEXPAND) === 0);
	else drm_gem_object_put(obj);
	return ret;
}

/**
 * mmap() of a DRM file: the offset says which buffer. -EINVAL, -EACCES: no handle of this file.
 * Linux: drivers/gpu/drm/drm_gem.c: drm_gem_mmap()
 */
export function drm_gem_mmap(filp: file, vma: vm_area_struct): int {
	const priv = filp.private_data as drm_file;
	const { dev } = priv.minor;

	mutex_lock(dev.vma_offset_manager.vm_lock);
	const node = drm_vma_offset_exact_lookup_locked(dev.vma_offset_manager, vma.vm_pgoff, vma_pages(vma));
	let obj: drm_gem_object | null = null;
	if (node) {
		obj = node.container as drm_gem_object;
		// A buffer on its way out is not to be found.
		if (!kref_get_unless_zero(obj.refcount)) obj = null;
	}
	mutex_unlock(dev.vma_offset_manager.vm_lock);
	if (!obj || !node) return -EINVAL;

	if (!drm_vma_node_is_allowed(dev.vma_offset_manager, node, priv)) {
		drm_gem_object_put(obj);
		return -EACCES;
	}
	const ret = drm_gem_mmap_obj(obj, drm_vma_node_size(node) * PAGE_SIZE, vma);
	drm_gem_object_put(obj);
	return ret;
}

/**
 * Keep the buffer's memory where it is. 0 or the driver's error.
 * Linux: drivers/gpu/drm/drm_gem.c: drm_gem_pin()
 */
export function drm_gem_pin(obj: drm_gem_object): int {
	return obj.funcs?.pin ? obj.funcs.pin(obj) : 0;
}

/** Undo drm_gem_pin(). Linux: drivers/gpu/drm/drm_gem.c: drm_gem_unpin() */
export function drm_gem_unpin(obj: drm_gem_object): void {
	obj.funcs?.unpin?.(obj);
}

/** The kernel's address of the buffer. Linux: drivers/gpu/drm/drm_gem.c: drm_gem_vmap() */
export function drm_gem_vmap(obj: drm_gem_object, map: iosys_map): int {
	if (!obj.funcs?.vmap) return -EOPNOTSUPP;
	return obj.funcs.vmap(obj, map);
}

/** Undo drm_gem_vmap(). Linux: drivers/gpu/drm/drm_gem.c: drm_gem_vunmap() */
export function drm_gem_vunmap(obj: drm_gem_object, map: iosys_map): void {
	obj.funcs?.vunmap?.(obj, map);
	map.vaddr = null;
}
