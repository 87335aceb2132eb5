// SPDX-License-Identifier: GPL-2.0-only
// Buffers from the DMA API: contiguous to the device, whatever lies behind.
// Linux 6.12: drivers/gpu/drm/drm_gem_dma_helper.c
// Left out: buffers in cached memory (map_noncoherent), debugfs output, no-MMU.
import { dma_buf_vmap_unlocked, dma_buf_vunmap_unlocked } from '#drivers/dma-buf/dma-buf.js';
import {
	drm_gem_create_mmap_offset,
	drm_gem_handle_create,
	drm_gem_object_init,
	drm_gem_object_put,
	drm_gem_object_release,
	drm_gem_private_object_init,
	drm_gem_vm_close,
	drm_gem_vm_open,
} from '#drivers/gpu/drm/drm_gem.js';
import { drm_prime_gem_destroy, drm_prime_get_contiguous_size } from '#drivers/gpu/drm/drm_prime.js';
import type { drm_device } from '#include/drm/drm_device.js';
import type { drm_file } from '#include/drm/drm_file.js';
import type { drm_gem_object, drm_gem_object_funcs } from '#include/drm/drm_gem.js';
import { drm_gem_dma_object, to_drm_gem_dma_obj } from '#include/drm/drm_gem_dma_helper.js';
import { drm_vma_node_start } from '#include/drm/drm_vma_manager.js';
import type { drm_mode_create_dumb } from '#include/uapi/drm/drm_mode.js';
import { dma_alloc_wc, dma_free_wc, dma_get_sgtable, dma_mmap_wc } from '#kernel/dma/mapping.js';
import { dev_dbg } from '#linux/dev_printk.js';
import type { dma_buf_attachment } from '#linux/dma-buf.js';
import { ERR_PTR, type err_ptr, IS_ERR, PTR_ERR } from '#linux/err.js';
import { EINVAL, ENOMEM } from '#linux/errno.js';
import { __GFP_NOWARN, GFP_KERNEL } from '#linux/gfp.js';
import { iosys_map, iosys_map_set_vaddr } from '#linux/iosys-map.js';
import { DIV_ROUND_UP, round_up } from '#linux/math.js';
import { PAGE_SIZE, VM_DONTEXPAND, VM_PFNMAP, vm_flags_mod } from '#linux/mm.js';
import type { vm_area_struct } from '#linux/mm_types.js';
import { sg_dma_address, sg_table } from '#linux/scatterlist.js';
import { kfree, kzalloc } from '#linux/slab.js';
import { type bool, type int, ref, type size_t, type u32 } from '#linux/types.js';

const drm_gem_dma_default_funcs: drm_gem_object_funcs = {
	free: (obj) => drm_gem_dma_free(to_drm_gem_dma_obj(obj)),
	get_sg_table: (obj) => drm_gem_dma_get_sg_table(to_drm_gem_dma_obj(obj)),
	vmap: (obj, map) => drm_gem_dma_vmap(to_drm_gem_dma_obj(obj), map),
	mmap: (obj, vma) => drm_gem_dma_mmap(to_drm_gem_dma_obj(obj), vma),
	vm_ops: { open: drm_gem_vm_open, close: drm_gem_vm_close },
};

/** The object without memory; @private_: its memory comes from somewhere else. */
function __drm_gem_dma_create(drm: drm_device, size: size_t, private_: bool): drm_gem_dma_object | err_ptr {
	const made = drm.driver.gem_create_object
		? drm.driver.gem_create_object(drm, size)
		: (kzalloc(drm_gem_dma_object, GFP_KERNEL) ?? ERR_PTR(-ENOMEM));
	if (IS_ERR(made)) return made;
	const dma_obj = to_drm_gem_dma_obj(made);
	dma_obj.funcs ??= drm_gem_dma_default_funcs;
	// What is imported is mapped as its exporter likes.
	if (private_) dma_obj.map_noncoherent = false;

	let ret: int = 0;
	if (private_) drm_gem_private_object_init(drm, dma_obj, size);
	else ret = drm_gem_object_init(drm, dma_obj, size);
	if (!ret) {
		ret = drm_gem_create_mmap_offset(dma_obj);
		if (ret) drm_gem_object_release(dma_obj);
	}
	if (!ret) return dma_obj;
	kfree(dma_obj);
	return ERR_PTR(ret);
}

/**
 * drm_gem_dma_create - A buffer that is contiguous to the device
 * @drm: the device that will read it; its memory is dma_alloc_wc() of drm->dev
 * @size: bytes, rounded up to pages
 *
 * Returns the object with one reference, or -ENOMEM.
 * Linux: drivers/gpu/drm/drm_gem_dma_helper.c: drm_gem_dma_create()
 */
export function drm_gem_dma_create(drm: drm_device, size: size_t): drm_gem_dma_object | err_ptr {
	const bytes = round_up(size, PAGE_SIZE);

	const dma_obj = __drm_gem_dma_create(drm, bytes, false);
	if (IS_ERR(dma_obj)) return dma_obj;
	dma_obj.vaddr = dma_alloc_wc(drm.dev, bytes, dma_obj.dma_addr, GFP_KERNEL | __GFP_NOWARN);
	if (!dma_obj.vaddr) {
		dev_dbg(drm.dev, 'failed to allocate buffer with size %zu', bytes);
		drm_gem_object_put(dma_obj);
		return ERR_PTR(-ENOMEM);
	}
	return dma_obj;
}

/**
 * drm_gem_dma_create(), owned by a handle of @file_priv.
 * Linux: drivers/gpu/drm/drm_gem_dma_helper.c: drm_gem_dma_create_with_handle()
 */
export function drm_gem_dma_create_with_handle(
	file_priv: drm_file,
	drm: drm_device,
	size: size_t,
	handle: ref<u32>,
): drm_gem_dma_object | err_ptr {
	const dma_obj = drm_gem_dma_create(drm, size);
	if (IS_ERR(dma_obj)) return dma_obj;
	const ret = drm_gem_handle_create(file_priv, dma_obj, handle);
	// From here on the handle holds it.
	drm_gem_object_put(dma_obj);
	return ret ? ERR_PTR(ret) : dma_obj;
}

/** The last reference is gone. Linux: drivers/gpu/drm/drm_gem_dma_helper.c: drm_gem_dma_free() */
export function drm_gem_dma_free(dma_obj: drm_gem_dma_object): void {
	if (dma_obj.import_attach) {
		if (dma_obj.vaddr) {
			const map = new iosys_map();
			iosys_map_set_vaddr(map, dma_obj.vaddr);
			dma_buf_vunmap_unlocked(dma_obj.import_attach.dmabuf, map);
		}
		drm_prime_gem_destroy(dma_obj, dma_obj.sgt);
	} else if (dma_obj.vaddr) dma_free_wc(dma_obj.dev.dev, dma_obj.size, dma_obj.vaddr, dma_obj.dma_addr.value);

	drm_gem_object_release(dma_obj);
	kfree(dma_obj);
}

/**
 * For drivers that choose a pitch or size of their own: both are at least what is needed then.
 * Linux: drivers/gpu/drm/drm_gem_dma_helper.c: drm_gem_dma_dumb_create_internal()
 */
export function drm_gem_dma_dumb_create_internal(
	file_priv: drm_file,
	drm: drm_device,
	args: drm_mode_create_dumb,
): int {
	args.pitch = Math.max(args.pitch, DIV_ROUND_UP(args.width * args.bpp, 8));
	args.size = Math.max(args.size, args.pitch * args.height);

	const handle = new ref<u32>(0);
	const dma_obj = drm_gem_dma_create_with_handle(file_priv, drm, args.size, handle);
	args.handle = handle.value;
	return IS_ERR(dma_obj) ? PTR_ERR(dma_obj) : 0;
}

/**
 * The dumb_create of drivers without wishes.
 * Linux: drivers/gpu/drm/drm_gem_dma_helper.c: drm_gem_dma_dumb_create()
 */
export function drm_gem_dma_dumb_create(
	file_priv: drm_file,
	drm: drm_device,
	args: drm_mode_create_dumb,
): int {
	args.pitch = DIV_ROUND_UP(args.width * args.bpp, 8);
	args.size = args.pitch * args.height;
	return drm_gem_dma_dumb_create_internal(file_priv, drm, args);
}

/** The buffer's pages, not mapped. Linux: drivers/gpu/drm/drm_gem_dma_helper.c: drm_gem_dma_get_sg_table() */
export function drm_gem_dma_get_sg_table(dma_obj: drm_gem_dma_object): sg_table | err_ptr {
	const sgt = kzalloc(sg_table, GFP_KERNEL);
	if (!sgt) return ERR_PTR(-ENOMEM);
	const ret = dma_get_sgtable(dma_obj.dev.dev, sgt, dma_obj.vaddr!, dma_obj.dma_addr.value, dma_obj.size);
	if (ret < 0) {
		kfree(sgt);
		return ERR_PTR(ret);
	}
	return sgt;
}

/**
 * An import as a buffer: refused unless one stretch of DMA addresses holds it all. -EINVAL, -ENOMEM.
 * Linux: drivers/gpu/drm/drm_gem_dma_helper.c: drm_gem_dma_prime_import_sg_table()
 */
export function drm_gem_dma_prime_import_sg_table(
	dev: drm_device,
	attach: dma_buf_attachment,
	sgt: sg_table,
): drm_gem_object | err_ptr {
	if (drm_prime_get_contiguous_size(sgt) < attach.dmabuf.size) return ERR_PTR(-EINVAL);

	const dma_obj = __drm_gem_dma_create(dev, attach.dmabuf.size, true);
	if (IS_ERR(dma_obj)) return dma_obj;
	dma_obj.dma_addr.value = sg_dma_address(sgt.sgl!);
	dma_obj.sgt = sgt;
	dev_dbg(dev.dev, 'dma_addr = %pad, size = %zu', dma_obj.dma_addr.value, attach.dmabuf.size);
	return dma_obj;
}

/**
 * The buffer's address in the kernel, where it always was.
 * Linux: drivers/gpu/drm/drm_gem_dma_helper.c: drm_gem_dma_vmap()
 */
export function drm_gem_dma_vmap(dma_obj: drm_gem_dma_object, map: iosys_map): int {
	iosys_map_set_vaddr(map, dma_obj.vaddr);
	return 0;
}

/**
 * Map all of it, uncached, as the device sees it. -EINVAL for an import.
 * Linux: drivers/gpu/drm/drm_gem_dma_helper.c: drm_gem_dma_mmap()
 */
export function drm_gem_dma_mmap(dma_obj: drm_gem_dma_object, vma: vm_area_struct): int {
	// DEVIATION: an import has no address that this could map. Its twin takes what virt_to_page(NULL) says.
	if (dma_obj.import_attach) return -EINVAL;
	// The DRM file's offset named the buffer; from here on it is an offset in the buffer.
	vma.vm_pgoff -= drm_vma_node_start(dma_obj.vma_node);
	vm_flags_mod(vma, VM_DONTEXPAND, VM_PFNMAP);

	return dma_mmap_wc(dma_obj.dev.dev, vma, dma_obj.vaddr!, dma_obj.dma_addr.value, vma.vm_end - vma.vm_start);
}

/**
 * drm_gem_dma_prime_import_sg_table() with a kernel mapping for as long as the buffer lives.
 * Linux: drivers/gpu/drm/drm_gem_dma_helper.c: drm_gem_dma_prime_import_sg_table_vmap()
 */
export function drm_gem_dma_prime_import_sg_table_vmap(
	dev: drm_device,
	attach: dma_buf_attachment,
	sgt: sg_table,
): drm_gem_object | err_ptr {
	const map = new iosys_map();
	const ret = dma_buf_vmap_unlocked(attach.dmabuf, map);
	if (ret) return ERR_PTR(ret);
	const obj = drm_gem_dma_prime_import_sg_table(dev, attach, sgt);
	if (IS_ERR(obj)) {
		dma_buf_vunmap_unlocked(attach.dmabuf, map);
		return obj;
	}
	to_drm_gem_dma_obj(obj).vaddr = map.vaddr;
	return obj;
}
