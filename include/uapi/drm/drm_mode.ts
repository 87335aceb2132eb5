// SPDX-License-Identifier: GPL-2.0-only
// What a user program and mode setting say to each other: modes, framebuffers, planes, properties.
// Linux 6.12: include/uapi/drm/drm_mode.h
//
// A user's pointer to an array is an array; null asks for the count only, as a null pointer does in C.
//
// Left out: cursors, gamma, page flips, the atomic ioctl, blobs, leases.
import type { s32, u16, u32, u64 } from '#linux/types.js';

export const DRM_DISPLAY_MODE_LEN = 32;
export const DRM_PROP_NAME_LEN = 32;

export const DRM_MODE_TYPE_PREFERRED = 1 << 3;
export const DRM_MODE_TYPE_USERDEF = 1 << 5;
export const DRM_MODE_TYPE_DRIVER = 1 << 6;

export const DRM_MODE_FLAG_PHSYNC = 1 << 0;
export const DRM_MODE_FLAG_NHSYNC = 1 << 1;
export const DRM_MODE_FLAG_PVSYNC = 1 << 2;
export const DRM_MODE_FLAG_NVSYNC = 1 << 3;
export const DRM_MODE_FLAG_INTERLACE = 1 << 4;
export const DRM_MODE_FLAG_DBLSCAN = 1 << 5;
export const DRM_MODE_FLAG_ALL = 0x1fff_ffff;

export const DRM_MODE_ENCODER_NONE = 0;
export const DRM_MODE_ENCODER_TMDS = 2;

export const DRM_MODE_CONNECTOR_HDMIA = 11;

export const DRM_MODE_OBJECT_CRTC = 0xcccccccc;
export const DRM_MODE_OBJECT_CONNECTOR = 0xc0c0c0c0;
export const DRM_MODE_OBJECT_ENCODER = 0xe0e0e0e0;
export const DRM_MODE_OBJECT_PROPERTY = 0xb0b0b0b0;
export const DRM_MODE_OBJECT_FB = 0xfbfbfbfb;
export const DRM_MODE_OBJECT_PLANE = 0xeeeeeeee;
export const DRM_MODE_OBJECT_ANY = 0;

export const DRM_MODE_PROP_RANGE = 1 << 1;
export const DRM_MODE_PROP_IMMUTABLE = 1 << 2;
export const DRM_MODE_PROP_ENUM = 1 << 3;

export const DRM_MODE_FB_INTERLACED = 1 << 0;
export const DRM_MODE_FB_MODIFIERS = 1 << 1;

export class drm_mode_modeinfo {
	/** In kHz. */
	clock: u32 = 0;
	hdisplay: u16 = 0;
	hsync_start: u16 = 0;
	hsync_end: u16 = 0;
	htotal: u16 = 0;
	hskew: u16 = 0;
	vdisplay: u16 = 0;
	vsync_start: u16 = 0;
	vsync_end: u16 = 0;
	vtotal: u16 = 0;
	vscan: u16 = 0;
	vrefresh: u32 = 0;
	flags: u32 = 0;
	type: u32 = 0;
	name = '';
}

export class drm_mode_card_res {
	fb_id_ptr: u32[] | null = null;
	crtc_id_ptr: u32[] | null = null;
	connector_id_ptr: u32[] | null = null;
	encoder_id_ptr: u32[] | null = null;
	count_fbs: u32 = 0;
	count_crtcs: u32 = 0;
	count_connectors: u32 = 0;
	count_encoders: u32 = 0;
	min_width: u32 = 0;
	max_width: u32 = 0;
	min_height: u32 = 0;
	max_height: u32 = 0;
}

export class drm_mode_crtc {
	set_connectors_ptr: u32[] | null = null;
	count_connectors: u32 = 0;
	crtc_id: u32 = 0;
	fb_id: u32 = 0;
	x: u32 = 0;
	y: u32 = 0;
	gamma_size: u32 = 0;
	mode_valid: u32 = 0;
	mode = new drm_mode_modeinfo();
}

export class drm_mode_set_plane {
	plane_id: u32 = 0;
	crtc_id: u32 = 0;
	fb_id: u32 = 0;
	flags: u32 = 0;
	crtc_x: s32 = 0;
	crtc_y: s32 = 0;
	crtc_w: u32 = 0;
	crtc_h: u32 = 0;
	/** In 1/65536 of a pixel, as the three below. */
	src_x: u32 = 0;
	src_y: u32 = 0;
	src_h: u32 = 0;
	src_w: u32 = 0;
}

export class drm_mode_get_plane {
	plane_id: u32 = 0;
	crtc_id: u32 = 0;
	fb_id: u32 = 0;
	possible_crtcs: u32 = 0;
	gamma_size: u32 = 0;
	count_format_types: u32 = 0;
	format_type_ptr: u32[] | null = null;
}

export class drm_mode_get_plane_res {
	plane_id_ptr: u32[] | null = null;
	count_planes: u32 = 0;
}

export class drm_mode_get_encoder {
	encoder_id: u32 = 0;
	encoder_type: u32 = 0;
	crtc_id: u32 = 0;
	possible_crtcs: u32 = 0;
	possible_clones: u32 = 0;
}

export class drm_mode_get_connector {
	encoders_ptr: u32[] | null = null;
	modes_ptr: drm_mode_modeinfo[] | null = null;
	count_modes: u32 = 0;
	count_props: u32 = 0;
	count_encoders: u32 = 0;
	encoder_id: u32 = 0;
	connector_id: u32 = 0;
	connector_type: u32 = 0;
	connector_type_id: u32 = 0;
	connection: u32 = 0;
	mm_width: u32 = 0;
	mm_height: u32 = 0;
	subpixel: u32 = 0;
}

export class drm_mode_property_enum {
	value: u64 = 0;
	name = '';
}

export class drm_mode_get_property {
	values_ptr: u64[] | null = null;
	enum_blob_ptr: drm_mode_property_enum[] | null = null;
	prop_id: u32 = 0;
	flags: u32 = 0;
	name = '';
	count_values: u32 = 0;
	count_enum_blobs: u32 = 0;
}

export class drm_mode_obj_get_properties {
	props_ptr: u32[] | null = null;
	prop_values_ptr: u64[] | null = null;
	count_props: u32 = 0;
	obj_id: u32 = 0;
	obj_type: u32 = 0;
}

export class drm_mode_obj_set_property {
	value: u64 = 0;
	prop_id: u32 = 0;
	obj_id: u32 = 0;
	obj_type: u32 = 0;
}

export class drm_mode_fb_cmd2 {
	fb_id: u32 = 0;
	width: u32 = 0;
	height: u32 = 0;
	pixel_format: u32 = 0;
	flags: u32 = 0;
	readonly handles: u32[] = [0, 0, 0, 0];
	readonly pitches: u32[] = [0, 0, 0, 0];
	readonly offsets: u32[] = [0, 0, 0, 0];
	readonly modifier: u64[] = [0, 0, 0, 0];
}

/** The argument of RMFB: C's is a bare number. */
export class drm_mode_rmfb_arg {
	fb_id: u32 = 0;
}

export class drm_mode_create_dumb {
	height: u32 = 0;
	width: u32 = 0;
	bpp: u32 = 0;
	flags: u32 = 0;
	handle: u32 = 0;
	pitch: u32 = 0;
	size: u64 = 0;
}

export class drm_mode_map_dumb {
	handle: u32 = 0;
	/** What to give mmap(). */
	offset: u64 = 0;
}

export class drm_mode_destroy_dumb {
	handle: u32 = 0;
}
