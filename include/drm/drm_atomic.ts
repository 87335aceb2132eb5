// SPDX-License-Identifier: GPL-2.0-only
// A change of the display that happens as a whole or not at all.
// Linux 6.12: include/drm/drm_atomic.h
// Left out: private objects, commits in the background, locks with contexts (mode_config.mutex guards all).
import type { drm_connector, drm_connector_state } from '#include/drm/drm_connector.js';
import type { drm_crtc, drm_crtc_state } from '#include/drm/drm_crtc.js';
import type { drm_device } from '#include/drm/drm_device.js';
import type { drm_plane, drm_plane_state } from '#include/drm/drm_plane.js';
import { kref } from '#linux/kref.js';
import type { bool, int, u64 } from '#linux/types.js';

/** How many of each a device may have. C allocates as many as there are. */
export const DRM_ATOMIC_MAX = 8;

export class __drm_planes_state {
	ptr: drm_plane | null = null;
	/** Whichever of both is the state's to free. */
	state: drm_plane_state | null = null;
	old_state: drm_plane_state | null = null;
	new_state: drm_plane_state | null = null;
}

export class __drm_crtcs_state {
	ptr: drm_crtc | null = null;
	state: drm_crtc_state | null = null;
	old_state: drm_crtc_state | null = null;
	new_state: drm_crtc_state | null = null;
	last_vblank_count: u64 = 0;
}

export class __drm_connnectors_state {
	ptr: drm_connector | null = null;
	state: drm_connector_state | null = null;
	old_state: drm_connector_state | null = null;
	new_state: drm_connector_state | null = null;
}

function table<T>(make: () => T): readonly T[] {
	return Array.from({ length: DRM_ATOMIC_MAX }, make);
}

export class drm_atomic_state {
	readonly ref = new kref(this);
	dev!: drm_device;
	allow_modeset: bool = true;
	readonly planes = table(() => new __drm_planes_state());
	readonly crtcs = table(() => new __drm_crtcs_state());
	num_connector: int = DRM_ATOMIC_MAX;
	readonly connectors = table(() => new __drm_connnectors_state());
}

/** Each plane in @state (include/drm/drm_atomic.h: for_each_oldnew_plane_in_state()). */
export function* for_each_plane_in_state(state: drm_atomic_state): Iterable<__drm_planes_state> {
	for (const entry of state.planes) if (entry.ptr !== null) yield entry;
}

/** The entries of @state that have a CRTC, in order of their numbers. */
export function* for_each_crtc_in_state(state: drm_atomic_state): Iterable<__drm_crtcs_state> {
	for (const entry of state.crtcs) if (entry.ptr !== null) yield entry;
}

/** The entries of @state that have a connector. */
export function* for_each_connector_in_state(state: drm_atomic_state): Iterable<__drm_connnectors_state> {
	for (const entry of state.connectors) if (entry.ptr !== null) yield entry;
}

/**
 * What @plane is to become; null when @state leaves it alone.
 * Linux: include/drm/drm_atomic.h: drm_atomic_get_new_plane_state()
 */
export function drm_atomic_get_new_plane_state(
	state: drm_atomic_state,
	plane: drm_plane,
): drm_plane_state | null {
	return state.planes[plane.index].new_state;
}

/**
 * What @plane was; null when @state leaves it alone.
 * Linux: include/drm/drm_atomic.h: drm_atomic_get_old_plane_state()
 */
export function drm_atomic_get_old_plane_state(
	state: drm_atomic_state,
	plane: drm_plane,
): drm_plane_state | null {
	return state.planes[plane.index].old_state;
}

/**
 * What @crtc is to become; null when @state leaves it alone.
 * Linux: include/drm/drm_atomic.h: drm_atomic_get_new_crtc_state()
 */
export function drm_atomic_get_new_crtc_state(
	state: drm_atomic_state,
	crtc: drm_crtc,
): drm_crtc_state | null {
	return state.crtcs[crtc.index].new_state;
}

/**
 * What @crtc was; null when @state leaves it alone.
 * Linux: include/drm/drm_atomic.h: drm_atomic_get_old_crtc_state()
 */
export function drm_atomic_get_old_crtc_state(
	state: drm_atomic_state,
	crtc: drm_crtc,
): drm_crtc_state | null {
	return state.crtcs[crtc.index].old_state;
}

/**
 * The state of @crtc that @state owns now; null when it leaves it alone.
 * Linux: include/drm/drm_atomic.h: drm_atomic_get_existing_crtc_state()
 */
export function drm_atomic_get_existing_crtc_state(
	state: drm_atomic_state,
	crtc: drm_crtc,
): drm_crtc_state | null {
	return state.crtcs[crtc.index].state;
}
