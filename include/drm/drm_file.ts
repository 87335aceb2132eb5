// SPDX-License-Identifier: GPL-2.0-only
// A user's open file of a DRM device, and the device node.
// Linux 6.12: include/drm/drm_file.h
// Left out: render nodes, masters as objects (the first opener is it), events, sync objects, contexts.
import type { drm_device } from '#include/drm/drm_device.js';
import type { drm_framebuffer } from '#include/drm/drm_framebuffer.js';
import type { drm_gem_object } from '#include/drm/drm_gem.js';
import type { device } from '#linux/device.js';
import type { dma_buf } from '#linux/dma-buf.js';
import type { file } from '#linux/fs.js';
import { idr } from '#linux/idr.js';
import { list_head } from '#linux/list.js';
import { mutex } from '#linux/mutex_types.js';
import { rb_node, rb_root } from '#linux/rbtree_types.js';
import { spinlock_t } from '#linux/spinlock_types.js';
import type { bool, int, u32 } from '#linux/types.js';

export const DRM_MINOR_PRIMARY = 0;

export class drm_minor {
	index: int = 0;
	type: int = DRM_MINOR_PRIMARY;
	kdev: device | null = null;
	dev!: drm_device;
}

/** A buffer that came, or went, by a dma-buf, and its handle. */
export class drm_prime_member {
	dma_buf!: dma_buf;
	handle: u32 = 0;
	readonly handle_rb = new rb_node<drm_prime_member>(this);
}

export class drm_prime_file_private {
	readonly lock = new mutex('drm_prime_file_private.lock');
	/** By handle. C also has a tree by address of the dma-buf; an object has no address here, so that search walks. */
	readonly handles = new rb_root<drm_prime_member>();
}

export class drm_file {
	universal_planes: bool = false;
	is_master: bool = false;
	minor!: drm_minor;
	readonly object_idr = new idr<drm_gem_object>();
	readonly table_lock = new spinlock_t('drm_file.table_lock');
	filp!: file;
	readonly fbs = new list_head<drm_framebuffer>();
	readonly fbs_lock = new mutex('drm_file.fbs_lock');
	readonly prime = new drm_prime_file_private();
	readonly lhead = new list_head<drm_file>(this);
}
