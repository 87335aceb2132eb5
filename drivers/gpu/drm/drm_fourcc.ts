// SPDX-License-Identifier: GPL-2.0-only
// What is known of each pixel format.
// Linux 6.12: drivers/gpu/drm/drm_fourcc.c
import type { drm_device } from '#include/drm/drm_device.js';
import {
	DRM_FORMAT_ABGR8888,
	DRM_FORMAT_ARGB8888,
	DRM_FORMAT_BGR888,
	DRM_FORMAT_NV12,
	DRM_FORMAT_NV21,
	DRM_FORMAT_RGB888,
	DRM_FORMAT_XBGR8888,
	DRM_FORMAT_XRGB8888,
	type drm_format_info,
} from '#include/drm/drm_fourcc.js';
import type { drm_mode_fb_cmd2 } from '#include/uapi/drm/drm_mode.js';
import type { bool, u8, u32 } from '#linux/types.js';

function rgb(format: u32, depth: u8, cpp: u8, has_alpha: bool = false): drm_format_info {
	return { format, depth, num_planes: 1, cpp: [cpp, 0, 0, 0], hsub: 1, vsub: 1, has_alpha, is_yuv: false };
}

function nv(format: u32): drm_format_info {
	return {
		format,
		depth: 0,
		num_planes: 2,
		cpp: [1, 2, 0, 0],
		hsub: 2,
		vsub: 2,
		has_alpha: false,
		is_yuv: true,
	};
}

const formats: readonly drm_format_info[] = [
	rgb(DRM_FORMAT_RGB888, 24, 3),
	rgb(DRM_FORMAT_BGR888, 24, 3),
	rgb(DRM_FORMAT_XRGB8888, 24, 4),
	rgb(DRM_FORMAT_XBGR8888, 24, 4),
	rgb(DRM_FORMAT_ARGB8888, 32, 4, true),
	rgb(DRM_FORMAT_ABGR8888, 32, 4, true),
	nv(DRM_FORMAT_NV12),
	nv(DRM_FORMAT_NV21),
];

/** What is known of @format, or null. Linux: drivers/gpu/drm/drm_fourcc.c: __drm_format_info() */
export function __drm_format_info(format: u32): drm_format_info | null {
	for (const info of formats) if (info.format === format) return info;
	return null;
}

/**
 * What is known of a framebuffer's format, or null.
 * Linux: drivers/gpu/drm/drm_fourcc.c: drm_get_format_info()
 */
export function drm_get_format_info(_dev: drm_device, mode_cmd: drm_mode_fb_cmd2): drm_format_info | null {
	return __drm_format_info(mode_cmd.pixel_format);
}
