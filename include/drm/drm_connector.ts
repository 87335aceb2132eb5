// SPDX-License-Identifier: GPL-2.0-only
// Connectors and encoders: where the picture leaves.
// Linux 6.12: include/drm/drm_connector.h, include/drm/drm_encoder.h
// Left out: EDID and display information, hot plug, properties, bridges, clones.
import type { drm_crtc } from '#include/drm/drm_crtc.js';
import type { drm_device } from '#include/drm/drm_device.js';
import { drm_mode_object } from '#include/drm/drm_mode_object.js';
import type { drm_display_mode, drm_mode_status } from '#include/drm/drm_modes.js';
import { list_head } from '#linux/list.js';
import type { embedded, int, u32, unsigned_int } from '#linux/types.js';

export const connector_status_connected = 1;
export const connector_status_disconnected = 2;

export class drm_connector_state {
	connector!: drm_connector;
	crtc: drm_crtc | null = null;
	best_encoder: drm_encoder | null = null;
}

export interface drm_connector_funcs {
	readonly fill_modes: (connector: drm_connector, max_width: u32, max_height: u32) => int;
	readonly destroy: (connector: drm_connector) => void;
	readonly reset: (connector: drm_connector) => void;
	readonly atomic_duplicate_state: (connector: drm_connector) => drm_connector_state | null;
	readonly atomic_destroy_state: (connector: drm_connector, state: drm_connector_state) => void;
}

export interface drm_connector_helper_funcs {
	readonly get_modes: (connector: drm_connector) => int;
	readonly mode_valid?: (connector: drm_connector, mode: drm_display_mode) => drm_mode_status;
}

export class drm_connector implements embedded {
	dev!: drm_device;
	readonly head = new list_head<drm_connector>(this);
	readonly base = new drm_mode_object(this);
	name = '';
	index: unsigned_int = 0;
	connector_type: int = 0;
	connector_type_id: int = 0;
	readonly modes = new list_head<drm_display_mode>();
	status: int = connector_status_disconnected;
	funcs!: drm_connector_funcs;
	helper_private: drm_connector_helper_funcs | null = null;
	possible_encoders: u32 = 0;
	encoder: drm_encoder | null = null;
	state: drm_connector_state | null = null;
	readonly container: object | null;
	constructor(container: object | null = null) {
		this.container = container;
	}
}

export class drm_encoder implements embedded {
	dev!: drm_device;
	readonly head = new list_head<drm_encoder>(this);
	readonly base = new drm_mode_object(this);
	name = '';
	encoder_type: int = 0;
	index: unsigned_int = 0;
	possible_crtcs: u32 = 0;
	crtc: drm_crtc | null = null;
	helper_private: drm_encoder_helper_funcs | null = null;
	readonly container: object | null;
	constructor(container: object | null = null) {
		this.container = container;
	}
}

export interface drm_encoder_helper_funcs {
	readonly mode_set?: (encoder: drm_encoder, mode: drm_display_mode, adjusted_mode: drm_display_mode) => void;
}

/** The bit of @encoder in masks of encoders. Linux: include/drm/drm_encoder.h: drm_encoder_mask() */
export function drm_encoder_mask(encoder: drm_encoder): u32 {
	return (1 << encoder.index) >>> 0;
}

/** The bit of @connector in masks of connectors. Linux: include/drm/drm_connector.h: drm_connector_mask() */
export function drm_connector_mask(connector: drm_connector): u32 {
	return (1 << connector.index) >>> 0;
}

/** What the helpers are to call. Linux: include/drm/drm_modeset_helper_vtables.h: drm_connector_helper_add() */
export function drm_connector_helper_add(connector: drm_connector, funcs: drm_connector_helper_funcs): void {
	connector.helper_private = funcs;
}

/** What the helpers are to call. Linux: include/drm/drm_modeset_helper_vtables.h: drm_encoder_helper_add() */
export function drm_encoder_helper_add(encoder: drm_encoder, funcs: drm_encoder_helper_funcs): void {
	encoder.helper_private = funcs;
}
