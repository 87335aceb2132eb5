// SPDX-License-Identifier: GPL-2.0-only
// What users ask for, as changes of a state: modes, pictures, properties.
// Linux 6.12: drivers/gpu/drm/drm_atomic_uapi.c
// Left out: the atomic ioctl, fences, properties of CRTCs and connectors.
import { drm_atomic_get_crtc_state, drm_atomic_get_plane_state } from '#drivers/gpu/drm/drm_atomic.js';
import { drm_framebuffer_get, drm_framebuffer_put } from '#drivers/gpu/drm/drm_framebuffer.js';
import { drm_mode_copy } from '#drivers/gpu/drm/drm_modes.js';
import { drm_property_change_valid } from '#drivers/gpu/drm/drm_property.js';
import type { drm_atomic_state } from '#include/drm/drm_atomic.js';
import { drm_connector_mask, type drm_connector_state } from '#include/drm/drm_connector.js';
import type { drm_crtc, drm_crtc_state } from '#include/drm/drm_crtc.js';
import type { drm_framebuffer } from '#include/drm/drm_framebuffer.js';
import type { drm_mode_object, drm_property } from '#include/drm/drm_mode_object.js';
import { drm_display_mode } from '#include/drm/drm_modes.js';
import { type drm_plane, drm_plane_mask, type drm_plane_state } from '#include/drm/drm_plane.js';
import { DRM_MODE_OBJECT_PLANE } from '#include/uapi/drm/drm_mode.js';
import { dev_dbg } from '#linux/dev_printk.js';
import { IS_ERR, PTR_ERR } from '#linux/err.js';
import { EINVAL } from '#linux/errno.js';
import type { int, ref, u64 } from '#linux/types.js';

/**
 * Have the CRTC show @mode; null turns it off. It never fails here: C may lack the memory for a blob.
 * Linux: drivers/gpu/drm/drm_atomic_uapi.c: drm_atomic_set_mode_for_crtc()
 */
export function drm_atomic_set_mode_for_crtc(state: drm_crtc_state, mode: drm_display_mode | null): int {
	drm_mode_copy(state.mode, mode ?? new drm_display_mode());
	state.enable = mode !== null;
	return 0;
}

/**
 * Put the plane on @crtc, or on none; the CRTCs it leaves and joins come into @state. -ENOMEM.
 * Linux: drivers/gpu/drm/drm_atomic_uapi.c: drm_atomic_set_crtc_for_plane()
 */
export function drm_atomic_set_crtc_for_plane(
	plane_state: drm_plane_state,
	crtc: drm_crtc | null,
	state: drm_atomic_state,
): int {
	if (plane_state.crtc === crtc) return 0;
	const { plane } = plane_state;
	if (plane_state.crtc) {
		const crtc_state = drm_atomic_get_crtc_state(state, plane_state.crtc);
		if (IS_ERR(crtc_state)) return PTR_ERR(crtc_state);
		crtc_state.plane_mask &= ~drm_plane_mask(plane);
	}
	plane_state.crtc = crtc;
	if (crtc) {
		const crtc_state = drm_atomic_get_crtc_state(state, crtc);
		if (IS_ERR(crtc_state)) return PTR_ERR(crtc_state);
		crtc_state.plane_mask |= drm_plane_mask(plane);
	}
	return 0;
}

/**
 * Have the plane show @fb, which gets a reference; the one before loses its own.
 * Linux: drivers/gpu/drm/drm_atomic_uapi.c: drm_atomic_set_fb_for_plane()
 */
export function drm_atomic_set_fb_for_plane(plane_state: drm_plane_state, fb: drm_framebuffer | null): void {
	if (fb) drm_framebuffer_get(fb);
	if (plane_state.fb) drm_framebuffer_put(plane_state.fb);
	plane_state.fb = fb;
}

/**
 * Feed the connector from @crtc, or from none. -ENOMEM.
 * Linux: drivers/gpu/drm/drm_atomic_uapi.c: drm_atomic_set_crtc_for_connector()
 */
export function drm_atomic_set_crtc_for_connector(
	conn_state: drm_connector_state,
	crtc: drm_crtc | null,
	state: drm_atomic_state,
): int {
	if (conn_state.crtc === crtc) return 0;
	if (conn_state.crtc) {
		const crtc_state = drm_atomic_get_crtc_state(state, conn_state.crtc);
		if (IS_ERR(crtc_state)) return PTR_ERR(crtc_state);
		crtc_state.connector_mask &= ~drm_connector_mask(conn_state.connector);
	}
	conn_state.crtc = crtc;
	if (crtc) {
		const crtc_state = drm_atomic_get_crtc_state(state, crtc);
		if (IS_ERR(crtc_state)) return PTR_ERR(crtc_state);
		crtc_state.connector_mask |= drm_connector_mask(conn_state.connector);
	}
	return 0;
}

function drm_atomic_plane_set_property(
	plane: drm_plane,
	state: drm_plane_state,
	property: drm_property,
	val: u64,
): int {
	switch (property) {
		case plane.alpha_property:
			state.alpha = val;
			return 0;
		case plane.zpos_property:
			state.zpos = val;
			return 0;
		case plane.color_encoding_property:
			state.color_encoding = val;
			return 0;
		case plane.color_range_property:
			state.color_range = val;
			return 0;
		default:
			dev_dbg(
				plane.dev.dev,
				'[PLANE:%d:%s] unknown property [PROP:%d:%s]',
				plane.base.id,
				plane.name,
				property.base.id,
				property.name,
			);
			return -EINVAL;
	}
}

/** What a plane's state says of @property; false when the state does not have it, as with immutable ones. */
function drm_atomic_plane_get_property(plane: drm_plane, property: drm_property, val: ref<u64>): boolean {
	const state = plane.state!;
	if (property === plane.alpha_property) val.value = state.alpha;
	else if (property === plane.zpos_property) val.value = state.zpos;
	else if (property === plane.color_encoding_property) val.value = state.color_encoding;
	else if (property === plane.color_range_property) val.value = state.color_range;
	else return false;
	return true;
}

/**
 * drm_atomic_get_property - The value that a property has now
 * @obj: a plane; of others no property is in the state
 * @val: the answer
 *
 * -EINVAL when the state knows nothing of it: the value it was attached with is valid then.
 * Linux: drivers/gpu/drm/drm_atomic_uapi.c: drm_atomic_get_property()
 */
export function drm_atomic_get_property(obj: drm_mode_object, property: drm_property, val: ref<u64>): int {
	if (obj.type !== DRM_MODE_OBJECT_PLANE) return -EINVAL;
	return drm_atomic_plane_get_property(obj.container as drm_plane, property, val) ? 0 : -EINVAL;
}

/**
 * drm_atomic_set_property - Write a property into @state, which the caller commits
 *
 * -EINVAL: the property cannot have that value, or cannot be set; -ENOMEM.
 * Linux: drivers/gpu/drm/drm_atomic_uapi.c: drm_atomic_set_property()
 */
export function drm_atomic_set_property(
	state: drm_atomic_state,
	obj: drm_mode_object,
	prop: drm_property,
	prop_value: u64,
): int {
	if (obj.type !== DRM_MODE_OBJECT_PLANE || !drm_property_change_valid(prop, prop_value)) return -EINVAL;
	const plane = obj.container as drm_plane;
	const plane_state = drm_atomic_get_plane_state(state, plane);
	if (IS_ERR(plane_state)) return PTR_ERR(plane_state);
	return drm_atomic_plane_set_property(plane, plane_state, prop, prop_value);
}
