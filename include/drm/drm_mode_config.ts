// SPDX-License-Identifier: GPL-2.0-only
// What a device has for showing pictures.
// Linux 6.12: include/drm/drm_mode_config.h
import type { drm_atomic_state } from '#include/drm/drm_atomic.js';
import type { drm_connector, drm_encoder } from '#include/drm/drm_connector.js';
import type { drm_crtc } from '#include/drm/drm_crtc.js';
import type { drm_device } from '#include/drm/drm_device.js';
import type { drm_file } from '#include/drm/drm_file.js';
import type { drm_framebuffer } from '#include/drm/drm_framebuffer.js';
import type { drm_mode_object, drm_property } from '#include/drm/drm_mode_object.js';
import type { drm_plane } from '#include/drm/drm_plane.js';
import type { drm_mode_fb_cmd2 } from '#include/uapi/drm/drm_mode.js';
import type { err_ptr } from '#linux/err.js';
import { idr } from '#linux/idr.js';
import { list_head } from '#linux/list.js';
import { mutex } from '#linux/mutex_types.js';
import type { bool, int } from '#linux/types.js';

export interface drm_mode_config_funcs {
	readonly fb_create: (
		dev: drm_device,
		file_priv: drm_file,
		mode_cmd: drm_mode_fb_cmd2,
	) => drm_framebuffer | err_ptr;
	readonly atomic_check: (dev: drm_device, state: drm_atomic_state) => int;
	readonly atomic_commit: (dev: drm_device, state: drm_atomic_state, nonblock: bool) => int;
}

export interface drm_mode_config_helper_funcs {
	readonly atomic_commit_tail: (state: drm_atomic_state) => void;
}

export class drm_mode_config {
	readonly mutex = new mutex('mode_config.mutex');
	readonly idr_mutex = new mutex('mode_config.idr_mutex');
	readonly object_idr = new idr<drm_mode_object>();
	readonly fb_lock = new mutex('mode_config.fb_lock');
	num_fb: int = 0;
	readonly fb_list = new list_head<drm_framebuffer>();
	num_connector: int = 0;
	readonly connector_list = new list_head<drm_connector>();
	num_encoder: int = 0;
	readonly encoder_list = new list_head<drm_encoder>();
	num_total_plane: int = 0;
	readonly plane_list = new list_head<drm_plane>();
	num_crtc: int = 0;
	readonly crtc_list = new list_head<drm_crtc>();
	readonly property_list = new list_head<drm_property>();
	min_width: int = 0;
	min_height: int = 0;
	max_width: int = 0;
	max_height: int = 0;
	funcs: drm_mode_config_funcs | null = null;
	helper_private: drm_mode_config_helper_funcs | null = null;
	plane_type_property: drm_property | null = null;
}
