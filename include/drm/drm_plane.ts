// SPDX-License-Identifier: GPL-2.0-only
// Planes: layers of a picture, and what they show.
// Linux 6.12: include/drm/drm_plane.h, include/drm/drm_blend.h, include/drm/drm_color_mgmt.h
// Left out: rotation, fences, damage, modifiers other than linear, blend modes, cursor hotspots.
import type { drm_atomic_state } from '#include/drm/drm_atomic.js';
import type { drm_crtc } from '#include/drm/drm_crtc.js';
import type { drm_device } from '#include/drm/drm_device.js';
import type { drm_framebuffer } from '#include/drm/drm_framebuffer.js';
import { drm_mode_object, drm_object_properties, type drm_property } from '#include/drm/drm_mode_object.js';
import { drm_rect } from '#include/drm/drm_rect.js';
import { list_head } from '#linux/list.js';
import type { bool, embedded, int, u16, u32, u64, unsigned_int } from '#linux/types.js';

export const DRM_BLEND_ALPHA_OPAQUE = 0xffff;
export const DRM_PLANE_NO_SCALING = 1 << 16;

export type drm_plane_type = int;
export const DRM_PLANE_TYPE_OVERLAY = 0;
export const DRM_PLANE_TYPE_PRIMARY = 1;
export const DRM_PLANE_TYPE_CURSOR = 2;

export type drm_color_encoding = int;
export const DRM_COLOR_YCBCR_BT601 = 0;
export const DRM_COLOR_YCBCR_BT709 = 1;
export const DRM_COLOR_YCBCR_BT2020 = 2;

export type drm_color_range = int;
export const DRM_COLOR_YCBCR_LIMITED_RANGE = 0;
export const DRM_COLOR_YCBCR_FULL_RANGE = 1;

export class drm_plane_state {
	plane!: drm_plane;
	crtc: drm_crtc | null = null;
	fb: drm_framebuffer | null = null;
	crtc_x: int = 0;
	crtc_y: int = 0;
	crtc_w: u32 = 0;
	crtc_h: u32 = 0;
	/** In 1/65536 of a pixel, as the three below. */
	src_x: u32 = 0;
	src_y: u32 = 0;
	src_h: u32 = 0;
	src_w: u32 = 0;
	alpha: u16 = DRM_BLEND_ALPHA_OPAQUE;
	zpos: unsigned_int = 0;
	/** Where it stands among the visible planes of its CRTC, from 0. */
	normalized_zpos: unsigned_int = 0;
	color_encoding: drm_color_encoding = DRM_COLOR_YCBCR_BT601;
	color_range: drm_color_range = DRM_COLOR_YCBCR_LIMITED_RANGE;
	/** What is left of both rectangles after clipping. */
	readonly src = new drm_rect();
	readonly dst = new drm_rect();
	visible: bool = false;
}

export interface drm_plane_funcs {
	readonly update_plane: (
		plane: drm_plane,
		crtc: drm_crtc,
		fb: drm_framebuffer,
		crtc_x: int,
		crtc_y: int,
		crtc_w: unsigned_int,
		crtc_h: unsigned_int,
		src_x: u32,
		src_y: u32,
		src_w: u32,
		src_h: u32,
	) => int;
	readonly disable_plane: (plane: drm_plane) => int;
	readonly destroy: (plane: drm_plane) => void;
	readonly reset: (plane: drm_plane) => void;
	readonly atomic_duplicate_state: (plane: drm_plane) => drm_plane_state | null;
	readonly atomic_destroy_state: (plane: drm_plane, state: drm_plane_state) => void;
}

export interface drm_plane_helper_funcs {
	readonly atomic_check?: (plane: drm_plane, state: drm_atomic_state) => int;
	readonly atomic_update: (plane: drm_plane, state: drm_atomic_state) => void;
	readonly atomic_disable?: (plane: drm_plane, state: drm_atomic_state) => void;
}

export class drm_plane implements embedded {
	dev!: drm_device;
	readonly head = new list_head<drm_plane>(this);
	name = '';
	readonly base = new drm_mode_object(this);
	possible_crtcs: u32 = 0;
	format_types: readonly u32[] = [];
	format_count: unsigned_int = 0;
	modifiers: readonly u64[] = [];
	funcs!: drm_plane_funcs;
	helper_private: drm_plane_helper_funcs | null = null;
	readonly properties = new drm_object_properties();
	type: drm_plane_type = DRM_PLANE_TYPE_OVERLAY;
	index: unsigned_int = 0;
	state: drm_plane_state | null = null;
	alpha_property: drm_property | null = null;
	zpos_property: drm_property | null = null;
	color_encoding_property: drm_property | null = null;
	color_range_property: drm_property | null = null;
	/** What a reset gives the properties that are created with a value. */
	initial_zpos: unsigned_int = 0;
	readonly container: object | null;
	constructor(container: object | null = null) {
		this.container = container;
	}
}

/** The bit of @plane in masks of planes. Linux: include/drm/drm_plane.h: drm_plane_mask() */
export function drm_plane_mask(plane: drm_plane): u32 {
	return (1 << plane.index) >>> 0;
}

/** What the helpers are to call. Linux: include/drm/drm_modeset_helper_vtables.h: drm_plane_helper_add() */
export function drm_plane_helper_add(plane: drm_plane, funcs: drm_plane_helper_funcs): void {
	plane.helper_private = funcs;
}
