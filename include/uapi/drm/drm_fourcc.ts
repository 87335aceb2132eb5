// SPDX-License-Identifier: GPL-2.0-only
// Pixel formats of framebuffers, as four-character codes.
// Linux 6.12: include/uapi/drm/drm_fourcc.h
// Left out: formats that no driver here knows, modifiers other than linear.
import { U64_MAX, type u32, type u64 } from '#linux/types.js';

function fourcc_code(code: string): u32 {
	return (
		(code.charCodeAt(0) |
			(code.charCodeAt(1) << 8) |
			(code.charCodeAt(2) << 16) |
			(code.charCodeAt(3) << 24)) >>>
		0
	);
}

export const DRM_FORMAT_INVALID: u32 = 0;
export const DRM_FORMAT_RGB888: u32 = fourcc_code('RG24');
export const DRM_FORMAT_BGR888: u32 = fourcc_code('BG24');
export const DRM_FORMAT_XRGB8888: u32 = fourcc_code('XR24');
export const DRM_FORMAT_XBGR8888: u32 = fourcc_code('XB24');
export const DRM_FORMAT_ARGB8888: u32 = fourcc_code('AR24');
export const DRM_FORMAT_ABGR8888: u32 = fourcc_code('AB24');
export const DRM_FORMAT_NV12: u32 = fourcc_code('NV12');
export const DRM_FORMAT_NV21: u32 = fourcc_code('NV21');

export const DRM_FORMAT_MOD_LINEAR: u64 = 0;
export const DRM_FORMAT_MOD_INVALID: u64 = U64_MAX;
