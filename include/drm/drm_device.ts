// SPDX-License-Identifier: GPL-2.0-only
// A DRM device.
// Linux 6.12: include/drm/drm_device.h
// Left out: managed resources (drmm), masters, legacy state, unplugging under open files.
import type { drm_driver } from '#include/drm/drm_drv.js';
import type { drm_file, drm_minor } from '#include/drm/drm_file.js';
import { drm_mode_config } from '#include/drm/drm_mode_config.js';
import type { drm_vblank_crtc } from '#include/drm/drm_vblank.js';
import { drm_vma_offset_manager } from '#include/drm/drm_vma_manager.js';
import type { device } from '#linux/device.js';
import { kref } from '#linux/kref.js';
import { list_head } from '#linux/list.js';
import { mutex } from '#linux/mutex_types.js';
import { spinlock_t } from '#linux/spinlock_types.js';
import type { atomic_t, bool, unsigned_int } from '#linux/types.js';

export class drm_device {
	readonly ref = new kref(this);
	dev!: device;
	driver!: drm_driver;
	dev_private: unknown = null;
	primary: drm_minor | null = null;
	registered: bool = false;
	/** The open files. */
	readonly filelist_mutex = new mutex('drm_device.filelist_mutex');
	readonly filelist = new list_head<drm_file>();
	open_count: atomic_t = { counter: 0 };
	readonly master_mutex = new mutex('drm_device.master_mutex');
	/** C: the current struct drm_master. */
	master: drm_file | null = null;
	vblank: drm_vblank_crtc[] | null = null;
	readonly vblank_time_lock = new spinlock_t('drm_device.vblank_time_lock');
	readonly vbl_lock = new spinlock_t('drm_device.vbl_lock');
	readonly event_lock = new spinlock_t('drm_device.event_lock');
	num_crtcs: unsigned_int = 0;
	readonly mode_config = new drm_mode_config();
	readonly object_name_lock = new mutex('drm_device.object_name_lock');
	readonly vma_offset_manager = new drm_vma_offset_manager();
}
