// SPDX-License-Identifier: GPL-2.0-only
// Which colours the numbers of a YCbCr plane mean.
// Linux 6.12: drivers/gpu/drm/drm_color_mgmt.c
// Left out: gamma and colour matrices of CRTCs.
import { drm_object_attach_property } from '#drivers/gpu/drm/drm_mode_object.js';
import { drm_property_create_enum } from '#drivers/gpu/drm/drm_property.js';
import {
	DRM_COLOR_YCBCR_BT601,
	DRM_COLOR_YCBCR_BT709,
	DRM_COLOR_YCBCR_BT2020,
	DRM_COLOR_YCBCR_FULL_RANGE,
	DRM_COLOR_YCBCR_LIMITED_RANGE,
	type drm_color_encoding,
	type drm_color_range,
	type drm_plane,
} from '#include/drm/drm_plane.js';
import { WARN_ON } from '#linux/bug.js';
import { EINVAL, ENOMEM } from '#linux/errno.js';
import type { int, u32 } from '#linux/types.js';

const color_encoding_name = [
	{ type: DRM_COLOR_YCBCR_BT601, name: 'ITU-R BT.601 YCbCr' },
	{ type: DRM_COLOR_YCBCR_BT709, name: 'ITU-R BT.709 YCbCr' },
	{ type: DRM_COLOR_YCBCR_BT2020, name: 'ITU-R BT.2020 YCbCr' },
];

const color_range_name = [
	{ type: DRM_COLOR_YCBCR_LIMITED_RANGE, name: 'YCbCr limited range' },
	{ type: DRM_COLOR_YCBCR_FULL_RANGE, name: 'YCbCr full range' },
];

/**
 * Let users say which colours the numbers mean. -EINVAL for a default that is not supported, -ENOMEM.
 * Linux: drivers/gpu/drm/drm_color_mgmt.c: drm_plane_create_color_properties()
 */
export function drm_plane_create_color_properties(
	plane: drm_plane,
	supported_encodings: u32,
	supported_ranges: u32,
	default_encoding: drm_color_encoding,
	default_range: drm_color_range,
): int {
	if (WARN_ON((supported_encodings & (1 << default_encoding)) === 0)) return -EINVAL;
	if (WARN_ON((supported_ranges & (1 << default_range)) === 0)) return -EINVAL;

	const encodings = color_encoding_name.filter((e) => supported_encodings & (1 << e.type));
	let prop = drm_property_create_enum(plane.dev, 0, 'COLOR_ENCODING', encodings, encodings.length);
	if (!prop) return -ENOMEM;
	plane.color_encoding_property = prop;
	drm_object_attach_property(plane.base, prop, default_encoding);

	const ranges = color_range_name.filter((e) => supported_ranges & (1 << e.type));
	prop = drm_property_create_enum(plane.dev, 0, 'COLOR_RANGE', ranges, ranges.length);
	if (!prop) return -ENOMEM;
	plane.color_range_property = prop;
	drm_object_attach_property(plane.base, prop, default_range);
	return 0;
}
