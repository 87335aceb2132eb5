// SPDX-License-Identifier: GPL-2.0-only
// Clipping and scaling of rectangles.
// Linux 6.12: drivers/gpu/drm/drm_rect.c
import { type drm_rect, drm_rect_height, drm_rect_visible, drm_rect_width } from '#include/drm/drm_rect.js';
import { EINVAL, ERANGE } from '#linux/errno.js';
import type { bool, int } from '#linux/types.js';

function calc_scale(src: int, dst: int): int {
	if (src < 0 || dst < 0) return -EINVAL;
	if (dst === 0) return 0;
	// Rounded away from 1:1, so that a limit is a limit.
	return src > dst * 65536 ? Math.ceil(src / dst) : Math.floor(src / dst);
}

function calc_checked(src: int, dst: int, min: int, max: int): int {
	const scale = calc_scale(src, dst);
	if (scale < 0 || dst === 0) return scale;
	return scale < min || scale > max ? -ERANGE : scale;
}

/** Source pixels for one on screen, in 1/65536; -ERANGE when not in [min, max]. Linux: drm_rect_calc_hscale() */
export function drm_rect_calc_hscale(src: drm_rect, dst: drm_rect, min_hscale: int, max_hscale: int): int {
	return calc_checked(drm_rect_width(src), drm_rect_width(dst), min_hscale, max_hscale);
}

export function drm_rect_calc_vscale(src: drm_rect, dst: drm_rect, min_vscale: int, max_vscale: int): int {
	return calc_checked(drm_rect_height(src), drm_rect_height(dst), min_vscale, max_vscale);
}

/** How much of @src is cut when @clip pixels of @dst are. */
function clip_scaled(src: int, dst: int, clip: int): int {
	if (dst === 0) return 0;
	const left = (src * (dst - clip)) / dst;
	return src < dst * 65536 ? Math.ceil(left) : Math.floor(left);
}

/** Cut @dst to @clip, and @src with it; whether something is left. Linux: drm_rect_clip_scaled() */
export function drm_rect_clip_scaled(src: drm_rect, dst: drm_rect, clip: drm_rect): bool {
	let diff = clip.x1 - dst.x1;
	if (diff > 0) {
		src.x1 = src.x2 - clip_scaled(drm_rect_width(src), drm_rect_width(dst), diff);
		dst.x1 = clip.x1;
	}
	diff = clip.y1 - dst.y1;
	if (diff > 0) {
		src.y1 = src.y2 - clip_scaled(drm_rect_height(src), drm_rect_height(dst), diff);
		dst.y1 = clip.y1;
	}
	diff = dst.x2 - clip.x2;
	if (diff > 0) {
		src.x2 = src.x1 + clip_scaled(drm_rect_width(src), drm_rect_width(dst), diff);
		dst.x2 = clip.x2;
	}
	diff = dst.y2 - clip.y2;
	if (diff > 0) {
		src.y2 = src.y1 + clip_scaled(drm_rect_height(src), drm_rect_height(dst), diff);
		dst.y2 = clip.y2;
	}
	return drm_rect_visible(dst);
}
