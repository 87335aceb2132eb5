// SPDX-License-Identifier: GPL-2.0-only
// From DRM's pixel formats to the mixer's.
// Linux 6.12: drivers/gpu/drm/sun4i/sun8i_mixer.c (de2_formats)
// Left out: what include/drm/drm_fourcc.ts does not have.
import * as R from '#drivers/gpu/drm/sun4i/sun8i_mixer_regs.js';
import * as F from '#include/drm/drm_fourcc.js';
import { EINVAL } from '#linux/errno.js';
import type { int, ref, u32 } from '#linux/types.js';

interface de2_fmt_info {
	readonly drm_fmt: u32;
	readonly de2_fmt: u32;
}

const de2_formats: readonly de2_fmt_info[] = [
	{ drm_fmt: F.DRM_FORMAT_ARGB8888, de2_fmt: R.SUN8I_MIXER_FBFMT_ARGB8888 },
	{ drm_fmt: F.DRM_FORMAT_ABGR8888, de2_fmt: R.SUN8I_MIXER_FBFMT_ABGR8888 },
	{ drm_fmt: F.DRM_FORMAT_XRGB8888, de2_fmt: R.SUN8I_MIXER_FBFMT_XRGB8888 },
	{ drm_fmt: F.DRM_FORMAT_XBGR8888, de2_fmt: R.SUN8I_MIXER_FBFMT_XBGR8888 },
	{ drm_fmt: F.DRM_FORMAT_RGB888, de2_fmt: R.SUN8I_MIXER_FBFMT_RGB888 },
	{ drm_fmt: F.DRM_FORMAT_BGR888, de2_fmt: R.SUN8I_MIXER_FBFMT_BGR888 },
	{ drm_fmt: F.DRM_FORMAT_NV12, de2_fmt: R.SUN8I_MIXER_FBFMT_NV12 },
	{ drm_fmt: F.DRM_FORMAT_NV21, de2_fmt: R.SUN8I_MIXER_FBFMT_NV21 },
];

/**
 * -EINVAL for a format that the mixer does not have.
 * Linux: drivers/gpu/drm/sun4i/sun8i_mixer.c: sun8i_mixer_drm_format_to_hw()
 */
export function sun8i_mixer_drm_format_to_hw(format: u32, hw_format: ref<u32>): int {
	for (const fmt of de2_formats)
		if (fmt.drm_fmt === format) {
			hw_format.value = fmt.de2_fmt;
			return 0;
		}
	return -EINVAL;
}
