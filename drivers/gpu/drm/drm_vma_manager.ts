// SPDX-License-Identifier: GPL-2.0-only
// Hands out the offsets by which users map buffers, and remembers which file may.
// Linux 6.12: drivers/gpu/drm/drm_vma_manager.c
// Left out: drm_mm (a list in order of address, first fit), lookups that start inside a buffer.
import {
	DRM_FILE_PAGE_OFFSET_SIZE,
	DRM_FILE_PAGE_OFFSET_START,
	drm_vma_offset_file,
	type drm_vma_offset_manager,
	type drm_vma_offset_node,
} from '#include/drm/drm_vma_manager.js';
import { ENOMEM, ENOSPC } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { list_add_tail, list_del, list_for_each_entry } from '#linux/list.js';
import { mutex_lock, mutex_unlock } from '#linux/mutex.js';
import { kfree, kzalloc } from '#linux/slab.js';
import type { bool, int, unsigned_long } from '#linux/types.js';

/**
 * Give @node a range of @pages; nothing when it has one. -ENOSPC.
 * Linux: drivers/gpu/drm/drm_vma_manager.c: drm_vma_offset_add()
 */
export function drm_vma_offset_add(
	mgr: drm_vma_offset_manager,
	node: drm_vma_offset_node,
	pages: unsigned_long,
): int {
	mutex_lock(mgr.vm_lock);
	if (node.start !== 0) {
		mutex_unlock(mgr.vm_lock);
		return 0;
	}
	let start = DRM_FILE_PAGE_OFFSET_START;
	let before = mgr.nodes;
	for (const other of list_for_each_entry(mgr.nodes)) {
		if (start + pages <= other.start) {
			before = other.node;
			break;
		}
		start = other.start + other.size;
	}
	const fits = start + pages <= DRM_FILE_PAGE_OFFSET_START + DRM_FILE_PAGE_OFFSET_SIZE;
	if (fits) {
		node.start = start;
		node.size = pages;
		list_add_tail(node.node, before);
	}
	mutex_unlock(mgr.vm_lock);
	return fits ? 0 : -ENOSPC;
}

/**
 * Take the range back; nothing when there is none.
 * Linux: drivers/gpu/drm/drm_vma_manager.c: drm_vma_offset_remove()
 */
export function drm_vma_offset_remove(mgr: drm_vma_offset_manager, node: drm_vma_offset_node): void {
	mutex_lock(mgr.vm_lock);
	if (node.start !== 0) list_del(node.node);
	node.start = 0;
	node.size = 0;
	mutex_unlock(mgr.vm_lock);
}

/**
 * The node that begins at page @start and has at least @pages, or null.
 * Linux: include/drm/drm_vma_manager.h: drm_vma_offset_exact_lookup_locked()
 */
export function drm_vma_offset_exact_lookup_locked(
	mgr: drm_vma_offset_manager,
	start: unsigned_long,
	pages: unsigned_long,
): drm_vma_offset_node | null {
	for (const node of list_for_each_entry(mgr.nodes))
		if (node.start === start) return pages <= node.size ? node : null;
	return null;
}

/** Let @tag map the buffer; counted. -ENOMEM. Linux: drivers/gpu/drm/drm_vma_manager.c: drm_vma_node_allow() */
export function drm_vma_node_allow(mgr: drm_vma_offset_manager, node: drm_vma_offset_node, tag: object): int {
	const fresh = kzalloc(drm_vma_offset_file, GFP_KERNEL);
	mutex_lock(mgr.vm_lock);
	for (const entry of list_for_each_entry(node.vm_files))
		if (entry.vm_tag === tag) {
			entry.vm_count++;
			mutex_unlock(mgr.vm_lock);
			kfree(fresh);
			return 0;
		}
	if (fresh) {
		fresh.vm_tag = tag;
		fresh.vm_count = 1;
		list_add_tail(fresh.vm_list, node.vm_files);
	}
	mutex_unlock(mgr.vm_lock);
	return fresh ? 0 : -ENOMEM;
}

/** Undo one drm_vma_node_allow(). Linux: drivers/gpu/drm/drm_vma_manager.c: drm_vma_node_revoke() */
export function drm_vma_node_revoke(
	mgr: drm_vma_offset_manager,
	node: drm_vma_offset_node,
	tag: object,
): void {
	mutex_lock(mgr.vm_lock);
	for (const entry of list_for_each_entry(node.vm_files))
		if (entry.vm_tag === tag) {
			if (--entry.vm_count === 0) {
				list_del(entry.vm_list);
				kfree(entry);
			}
			break;
		}
	mutex_unlock(mgr.vm_lock);
}

/** Whether @tag may map it. Linux: drivers/gpu/drm/drm_vma_manager.c: drm_vma_node_is_allowed() */
export function drm_vma_node_is_allowed(
	mgr: drm_vma_offset_manager,
	node: drm_vma_offset_node,
	tag: object,
): bool {
	let allowed = false;
	mutex_lock(mgr.vm_lock);
	for (const entry of list_for_each_entry(node.vm_files)) if (entry.vm_tag === tag) allowed = true;
	mutex_unlock(mgr.vm_lock);
	return allowed;
}
