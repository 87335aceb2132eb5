// SPDX-License-Identifier: GPL-2.0-only
// A picture in memory, as a plane can show it.
// Linux 6.12: include/drm/drm_framebuffer.h
import type { drm_device } from '#include/drm/drm_device.js';
import type { drm_file } from '#include/drm/drm_file.js';
import { DRM_FORMAT_MAX_PLANES, type drm_format_info } from '#include/drm/drm_fourcc.js';
import type { drm_gem_object } from '#include/drm/drm_gem.js';
import { drm_mode_object } from '#include/drm/drm_mode_object.js';
import { list_head } from '#linux/list.js';
import type { int, ref, u32, u64, unsigned_int } from '#linux/types.js';

export interface drm_framebuffer_funcs {
	readonly destroy: (framebuffer: drm_framebuffer) => void;
	readonly create_handle?: (fb: drm_framebuffer, file_priv: drm_file, handle: ref<unsigned_int>) => int;
}

export class drm_framebuffer {
	dev!: drm_device;
	readonly head = new list_head<drm_framebuffer>(this);
	readonly base = new drm_mode_object(this);
	format!: drm_format_info;
	funcs!: drm_framebuffer_funcs;
	readonly pitches: u32[] = new Array(DRM_FORMAT_MAX_PLANES).fill(0);
	readonly offsets: u32[] = new Array(DRM_FORMAT_MAX_PLANES).fill(0);
	modifier: u64 = 0;
	width: unsigned_int = 0;
	height: unsigned_int = 0;
	flags: int = 0;
	/** In the list of the file that made it. */
	readonly filp_head = new list_head<drm_framebuffer>(this);
	readonly obj: (drm_gem_object | null)[] = new Array(DRM_FORMAT_MAX_PLANES).fill(null);
}
