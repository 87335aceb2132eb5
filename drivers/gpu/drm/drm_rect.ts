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

/**
 * Source pixels for one on screen, in 1/65536; -ERANGE when not in [min, max].
 * Linux: drivers/gpu/drm/drm_rect.c: drm_rect_calc_hscale()
 */
export function drm_rect_calc_hscale(src: drm_rect, dst: drm_rect, min_hscale: int, max_hscale: int): int {
	return calc_checked(drm_rect_width(src), drm_rect_width(dst), min_hscale, max_hscale);
}

/** The same from top to bottom. Linux: drivers/gpu/drm/drm_rect.c: drm_rect_calc_vscale() */
export function drm_rect_calc_vscale(src: drm_rect, dst: drm_rect, min_vscale: int, max_vscale: int): int {
	return calc_checked(drm_rect_height(src), drm_rect_height(dst), min_vscale, max_vscale);
}

/** One direction of a rectangle, from `from` up to but not including `to`. */
interface span {
	from: int;
	to: int;
}

/** What is left of @src when @cut of the pixels of @dst go; at most all of them. */
function src_left(src: span, dst: span, cut: int): int {
	const [from, to] = [src.to - src.from, dst.to - dst.from];
	if (to === 0) return 0;
	const left = (from * (to - cut)) / to;
	// Towards 1:1, so that cutting never makes of an enlargement a reduction, or the other way round.
	return from < to * 65536 ? Math.ceil(left) : Math.floor(left);
}

/** Cut @dst to @clip at both ends, and @src by as much of its own. */
function clip_span(src: span, dst: span, clip: span): void {
	const before = Math.min(clip.from - dst.from, dst.to - dst.from);
	if (before > 0) {
		src.from = src.to - src_left(src, dst, before);
		dst.from += before;
	}
	const behind = Math.min(dst.to - clip.to, dst.to - dst.from);
	if (behind > 0) {
		src.to = src.from + src_left(src, dst, behind);
		dst.to -= behind;
	}
}

/**
 * drm_rect_clip_scaled - Cut a rectangle on screen to what is visible, and its source with it
 * @src: in 1/65536 of a pixel
 *
 * Returns whether something is left. Linux: drivers/gpu/drm/drm_rect.c: drm_rect_clip_scaled()
 */
export function drm_rect_clip_scaled(src: drm_rect, dst: drm_rect, clip: drm_rect): bool {
	const x = { src: { from: src.x1, to: src.x2 }, dst: { from: dst.x1, to: dst.x2 } };
	clip_span(x.src, x.dst, { from: clip.x1, to: clip.x2 });
	[src.x1, src.x2, dst.x1, dst.x2] = [x.src.from, x.src.to, x.dst.from, x.dst.to];

	const y = { src: { from: src.y1, to: src.y2 }, dst: { from: dst.y1, to: dst.y2 } };
	clip_span(y.src, y.dst, { from: clip.y1, to: clip.y2 });
	[src.y1, src.y2, dst.y1, dst.y2] = [y.src.from, y.src.to, y.dst.from, y.dst.to];
	return drm_rect_visible(dst);
}
