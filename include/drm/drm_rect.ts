// SPDX-License-Identifier: GPL-2.0-only
// Rectangles.
// Linux 6.12: include/drm/drm_rect.h
import type { bool, int } from '#linux/types.js';

export class drm_rect {
	x1: int = 0;
	y1: int = 0;
	/** The first column and row that are not in it. */
	x2: int = 0;
	y2: int = 0;
}

/** Set @r to a size at a place. Linux: include/drm/drm_rect.h: drm_rect_init() */
export function drm_rect_init(r: drm_rect, x: int, y: int, width: int, height: int): void {
	r.x1 = x;
	r.y1 = y;
	r.x2 = x + width;
	r.y2 = y + height;
}

/** How wide @r is. Linux: include/drm/drm_rect.h: drm_rect_width() */
export function drm_rect_width(r: drm_rect): int {
	return r.x2 - r.x1;
}

/** How high @r is. Linux: include/drm/drm_rect.h: drm_rect_height() */
export function drm_rect_height(r: drm_rect): int {
	return r.y2 - r.y1;
}

/** Whether anything is in @r. Linux: include/drm/drm_rect.h: drm_rect_visible() */
export function drm_rect_visible(r: drm_rect): bool {
	return drm_rect_width(r) > 0 && drm_rect_height(r) > 0;
}

/** Whether both are the same. Linux: include/drm/drm_rect.h: drm_rect_equals() */
export function drm_rect_equals(r1: drm_rect, r2: drm_rect): bool {
	return r1.x1 === r2.x1 && r1.x2 === r2.x2 && r1.y1 === r2.y1 && r1.y2 === r2.y2;
}
