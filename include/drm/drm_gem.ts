// SPDX-License-Identifier: GPL-2.0-only
// Buffers of a DRM device.
// Linux 6.12: include/drm/drm_gem.h
// Left out: buffers in shmem, names (flink), eviction.
import type { drm_device } from '#include/drm/drm_device.js';
import { drm_vma_offset_node } from '#include/drm/drm_vma_manager.js';
import type { dma_buf, dma_buf_attachment } from '#linux/dma-buf.js';
import { dma_resv } from '#linux/dma-resv.js';
import type { err_ptr } from '#linux/err.js';
import type { iosys_map } from '#linux/iosys-map.js';
import { kref } from '#linux/kref.js';
import type { vm_area_struct, vm_operations_struct } from '#linux/mm_types.js';
import type { sg_table } from '#linux/scatterlist.js';
import type { int, size_t, unsigned_int } from '#linux/types.js';

export interface drm_gem_object_funcs {
	readonly free: (obj: drm_gem_object) => void;
	readonly export?: (obj: drm_gem_object, flags: int) => dma_buf | err_ptr;
	readonly pin?: (obj: drm_gem_object) => int;
	readonly unpin?: (obj: drm_gem_object) => void;
	readonly get_sg_table?: (obj: drm_gem_object) => sg_table | err_ptr;
	readonly vmap?: (obj: drm_gem_object, map: iosys_map) => int;
	readonly vunmap?: (obj: drm_gem_object, map: iosys_map) => void;
	readonly mmap?: (obj: drm_gem_object, vma: vm_area_struct) => int;
	readonly vm_ops?: vm_operations_struct;
}

export class drm_gem_object {
	readonly refcount = new kref(this);
	/** Handles that users have; guarded by object_name_lock. */
	handle_count: unsigned_int = 0;
	dev!: drm_device;
	readonly vma_node = new drm_vma_offset_node(this);
	size: size_t = 0;
	/** The export, while it has one; of an import, what it came from. */
	dma_buf: dma_buf | null = null;
	import_attach: dma_buf_attachment | null = null;
	resv: dma_resv | null = null;
	readonly _resv = new dma_resv();
	funcs: drm_gem_object_funcs | null = null;
}
