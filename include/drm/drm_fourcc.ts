// SPDX-License-Identifier: GPL-2.0-only
// How a pixel format lies in memory.
// Linux 6.12: include/drm/drm_fourcc.h
import type { bool, u8, u32, u64 } from '#linux/types.js';

export * from '#include/uapi/drm/drm_fourcc.js';

export const DRM_FORMAT_MAX_PLANES = 4;

export interface drm_format_info {
	readonly format: u32;
	readonly depth: u8;
	readonly num_planes: u8;
	/** Bytes of a pixel of each plane; of a chroma plane, of a pair. */
	readonly cpp: readonly u8[];
	readonly hsub: u8;
	readonly vsub: u8;
	readonly has_alpha: bool;
	readonly is_yuv: bool;
}

/**
 * Pixels in a row of plane @plane (include/drm/drm_fourcc.h: drm_format_info_plane_width()).
 * Linux: include/drm/drm_fourcc.h: drm_format_info_plane_width()
 */
export function drm_format_info_plane_width(info: drm_format_info, width: u32, plane: u32): u32 {
	if (plane >= info.num_planes) return 0;
	return plane === 0 ? width : Math.ceil(width / info.hsub);
}

/**
 * Rows of plane @plane of a picture of @height rows.
 * Linux: include/drm/drm_fourcc.h: drm_format_info_plane_height()
 */
export function drm_format_info_plane_height(info: drm_format_info, height: u32, plane: u32): u32 {
	if (plane >= info.num_planes) return 0;
	return plane === 0 ? height : Math.ceil(height / info.vsub);
}

/**
 * The fewest bytes that a row of @width pixels takes (drivers/gpu/drm/drm_fourcc.c: drm_format_info_min_pitch()).
 * Linux: drivers/gpu/drm/drm_fourcc.c: drm_format_info_min_pitch()
 */
export function drm_format_info_min_pitch(info: drm_format_info, plane: u32, width: u32): u64 {
	if (plane >= info.num_planes) return 0;
	return width * info.cpp[plane];
}
