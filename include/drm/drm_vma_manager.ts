// SPDX-License-Identifier: GPL-2.0-only
// The offsets by which a user maps buffers of a DRM device.
// Linux 6.12: include/drm/drm_vma_manager.h
import { PAGE_SHIFT, PAGE_SIZE } from '#asm/page-def.js';
import { list_head } from '#linux/list.js';
import { mutex } from '#linux/mutex_types.js';
import type { embedded, u64, unsigned_long } from '#linux/types.js';

/** In pages: behind all that 32-bit legacy offsets could name. */
export const DRM_FILE_PAGE_OFFSET_START = 2 ** (32 - PAGE_SHIFT);
export const DRM_FILE_PAGE_OFFSET_SIZE = DRM_FILE_PAGE_OFFSET_START * 256;

/** A file that may map the buffer, and how many handles it has for it. */
export class drm_vma_offset_file {
	readonly vm_list = new list_head<drm_vma_offset_file>(this);
	vm_tag: object | null = null;
	vm_count: unsigned_long = 0;
}

export class drm_vma_offset_node implements embedded {
	/** In pages; 0: no offset yet. */
	start: unsigned_long = 0;
	size: unsigned_long = 0;
	readonly node = new list_head<drm_vma_offset_node>(this);
	readonly vm_files = new list_head<drm_vma_offset_file>();
	readonly container: object | null;
	constructor(container: object | null = null) {
		this.container = container;
	}
}

export class drm_vma_offset_manager {
	readonly vm_lock = new mutex('drm_vma_offset_manager.vm_lock');
	readonly nodes = new list_head<drm_vma_offset_node>();
}

/**
 * The number that mmap() takes (include/drm/drm_vma_manager.h: drm_vma_node_offset_addr()).
 * Linux: include/drm/drm_vma_manager.h: drm_vma_node_offset_addr()
 */
export function drm_vma_node_offset_addr(node: drm_vma_offset_node): u64 {
	return node.start * PAGE_SIZE;
}

/** The first page of the range; 0: none. Linux: include/drm/drm_vma_manager.h: drm_vma_node_start() */
export function drm_vma_node_start(node: drm_vma_offset_node): unsigned_long {
	return node.start;
}

/** Pages of the range. Linux: include/drm/drm_vma_manager.h: drm_vma_node_size() */
export function drm_vma_node_size(node: drm_vma_offset_node): unsigned_long {
	return node.size;
}
