// SPDX-License-Identifier: GPL-2.0-only
// CRTCs: where planes become a picture with timings.
// Linux 6.12: include/drm/drm_crtc.h
// Left out: gamma, page flips and events, self refresh, commits in the background.
import type { drm_atomic_state } from '#include/drm/drm_atomic.js';
import type { drm_connector } from '#include/drm/drm_connector.js';
import type { drm_device } from '#include/drm/drm_device.js';
import type { drm_framebuffer } from '#include/drm/drm_framebuffer.js';
import { drm_mode_object, drm_object_properties } from '#include/drm/drm_mode_object.js';
import { drm_display_mode } from '#include/drm/drm_modes.js';
import type { drm_plane } from '#include/drm/drm_plane.js';
import { list_head } from '#linux/list.js';
import type { device_node } from '#linux/of_node.js';
import type { bool, embedded, int, size_t, u32, unsigned_int } from '#linux/types.js';

export class drm_crtc_state {
	crtc!: drm_crtc;
	enable: bool = false;
	active: bool = false;
	planes_changed: bool = false;
	mode_changed: bool = false;
	active_changed: bool = false;
	connectors_changed: bool = false;
	zpos_changed: bool = false;
	plane_mask: u32 = 0;
	connector_mask: u32 = 0;
	readonly adjusted_mode = new drm_display_mode();
	readonly mode = new drm_display_mode();
}

export interface drm_crtc_funcs {
	readonly reset: (crtc: drm_crtc) => void;
	readonly destroy: (crtc: drm_crtc) => void;
	readonly set_config: (set: drm_mode_set) => int;
	readonly atomic_duplicate_state: (crtc: drm_crtc) => drm_crtc_state | null;
	readonly atomic_destroy_state: (crtc: drm_crtc, state: drm_crtc_state) => void;
	readonly enable_vblank: (crtc: drm_crtc) => int;
	readonly disable_vblank: (crtc: drm_crtc) => void;
}

export interface drm_crtc_helper_funcs {
	readonly mode_set_nofb: (crtc: drm_crtc) => void;
	readonly atomic_check?: (crtc: drm_crtc, state: drm_atomic_state) => int;
	readonly atomic_begin?: (crtc: drm_crtc, state: drm_atomic_state) => void;
	readonly atomic_flush?: (crtc: drm_crtc, state: drm_atomic_state) => void;
	readonly atomic_enable: (crtc: drm_crtc, state: drm_atomic_state) => void;
	readonly atomic_disable: (crtc: drm_crtc, state: drm_atomic_state) => void;
}

export class drm_crtc implements embedded {
	dev!: drm_device;
	port: device_node | null = null;
	readonly head = new list_head<drm_crtc>(this);
	name = '';
	readonly base = new drm_mode_object(this);
	primary: drm_plane | null = null;
	cursor: drm_plane | null = null;
	index: unsigned_int = 0;
	funcs!: drm_crtc_funcs;
	helper_private: drm_crtc_helper_funcs | null = null;
	readonly properties = new drm_object_properties();
	state: drm_crtc_state | null = null;
	readonly container: object | null;
	constructor(container: object | null = null) {
		this.container = container;
	}
}

/** What SETCRTC asks for. */
export class drm_mode_set {
	fb: drm_framebuffer | null = null;
	crtc!: drm_crtc;
	mode: drm_display_mode | null = null;
	x: u32 = 0;
	y: u32 = 0;
	connectors: drm_connector[] = [];
	num_connectors: size_t = 0;
}

/** The number of @crtc, from 0. Linux: include/drm/drm_crtc.h: drm_crtc_index() */
export function drm_crtc_index(crtc: drm_crtc): unsigned_int {
	return crtc.index;
}

/** The bit of @crtc in masks of CRTCs. Linux: include/drm/drm_crtc.h: drm_crtc_mask() */
export function drm_crtc_mask(crtc: drm_crtc): u32 {
	return (1 << crtc.index) >>> 0;
}

/** What the helpers are to call. Linux: include/drm/drm_modeset_helper_vtables.h: drm_crtc_helper_add() */
export function drm_crtc_helper_add(crtc: drm_crtc, funcs: drm_crtc_helper_funcs): void {
	crtc.helper_private = funcs;
}

/**
 * Whether a full mode set is due (include/drm/drm_atomic.h: drm_atomic_crtc_needs_modeset()).
 * Linux: include/drm/drm_atomic.h: drm_atomic_crtc_needs_modeset()
 */
export function drm_atomic_crtc_needs_modeset(state: drm_crtc_state): bool {
	return state.mode_changed || state.active_changed || state.connectors_changed;
}
