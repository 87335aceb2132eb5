// SPDX-License-Identifier: GPL-2.0-only
// Properties of how planes lie over each other.
// Linux 6.12: drivers/gpu/drm/drm_blend.c
// Left out: rotation, blend modes, planes that cannot move.

import { drm_atomic_get_plane_state } from '#drivers/gpu/drm/drm_atomic.js';
import { drm_object_attach_property } from '#drivers/gpu/drm/drm_mode_object.js';
import { drm_property_create_range } from '#drivers/gpu/drm/drm_property.js';
import {
	type drm_atomic_state,
	for_each_crtc_in_state,
	for_each_plane_in_state,
} from '#include/drm/drm_atomic.js';
import type { drm_crtc, drm_crtc_state } from '#include/drm/drm_crtc.js';
import type { drm_device } from '#include/drm/drm_device.js';
import { DRM_BLEND_ALPHA_OPAQUE, type drm_plane, type drm_plane_state } from '#include/drm/drm_plane.js';
import { IS_ERR, PTR_ERR } from '#linux/err.js';
import { ENOMEM } from '#linux/errno.js';
import { list_for_each_entry } from '#linux/list.js';
import type { int, unsigned_int } from '#linux/types.js';

/**
 * Let users set how opaque the plane is. -ENOMEM.
 * Linux: drivers/gpu/drm/drm_blend.c: drm_plane_create_alpha_property()
 */
export function drm_plane_create_alpha_property(plane: drm_plane): int {
	const prop = drm_property_create_range(plane.dev, 0, 'alpha', 0, DRM_BLEND_ALPHA_OPAQUE);
	if (!prop) return -ENOMEM;
	drm_object_attach_property(plane.base, prop, DRM_BLEND_ALPHA_OPAQUE);
	plane.alpha_property = prop;
	return 0;
}

/**
 * Let users set which planes lie over which, from @min (lowest) to @max. -ENOMEM.
 * Linux: drivers/gpu/drm/drm_blend.c: drm_plane_create_zpos_property()
 */
export function drm_plane_create_zpos_property(
	plane: drm_plane,
	zpos: unsigned_int,
	min: unsigned_int,
	max: unsigned_int,
): int {
	const prop = drm_property_create_range(plane.dev, 0, 'zpos', min, max);
	if (!prop) return -ENOMEM;
	drm_object_attach_property(plane.base, prop, zpos);
	plane.zpos_property = prop;
	plane.initial_zpos = zpos;
	if (plane.state) plane.state.zpos = zpos;
	return 0;
}

/** Number the planes of @crtc from 0, by their zpos, equal ones by their ids. */
function drm_atomic_helper_crtc_normalize_zpos(
	crtc: drm_crtc,
	crtc_state: drm_crtc_state,
	state: drm_atomic_state,
): int {
	const states: drm_plane_state[] = [];
	for (const plane of list_for_each_entry(crtc.dev.mode_config.plane_list)) {
		if ((crtc_state.plane_mask & (1 << plane.index)) === 0) continue;
		const plane_state = drm_atomic_get_plane_state(state, plane);
		if (IS_ERR(plane_state)) return PTR_ERR(plane_state);
		states.push(plane_state);
	}
	states.sort((a, b) => (a.zpos !== b.zpos ? a.zpos - b.zpos : a.plane.base.id - b.plane.base.id));
	for (let i = 0; i < states.length; i++) states[i].normalized_zpos = i;
	crtc_state.zpos_changed = true;
	return 0;
}

/**
 * Number the planes anew on every CRTC whose planes, or their order, change. -ENOMEM.
 * Linux: drivers/gpu/drm/drm_blend.c: drm_atomic_normalize_zpos()
 */
export function drm_atomic_normalize_zpos(_dev: drm_device, state: drm_atomic_state): int {
	for (const { old_state, new_state } of for_each_plane_in_state(state)) {
		const { crtc } = new_state!;
		if (crtc && old_state!.zpos !== new_state!.zpos) state.crtcs[crtc.index].new_state!.zpos_changed = true;
	}
	for (const { ptr, old_state, new_state } of for_each_crtc_in_state(state))
		if (old_state!.plane_mask !== new_state!.plane_mask || new_state!.zpos_changed) {
			const ret = drm_atomic_helper_crtc_normalize_zpos(ptr!, new_state!, state);
			if (ret) return ret;
		}
	return 0;
}
