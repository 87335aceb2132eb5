// SPDX-License-Identifier: GPL-2.0-only
// The state of a change: gathered, checked, committed.
// Linux 6.12: drivers/gpu/drm/drm_atomic.c
// Left out: ww locks and -EDEADLK (mode_config.mutex is held by the caller), private objects, the atomic ioctl.
import { drm_framebuffer_check_src_coords } from '#drivers/gpu/drm/drm_framebuffer.js';
import { drm_plane_has_format } from '#drivers/gpu/drm/drm_plane.js';
import {
	drm_atomic_state,
	for_each_connector_in_state,
	for_each_crtc_in_state,
	for_each_plane_in_state,
} from '#include/drm/drm_atomic.js';
import type { drm_connector, drm_connector_state } from '#include/drm/drm_connector.js';
import { type drm_crtc, drm_crtc_mask, type drm_crtc_state } from '#include/drm/drm_crtc.js';
import type { drm_device } from '#include/drm/drm_device.js';
import type { drm_plane, drm_plane_state } from '#include/drm/drm_plane.js';
import { dev_dbg } from '#linux/dev_printk.js';
import { ERR_PTR, type err_ptr, IS_ERR, PTR_ERR } from '#linux/err.js';
import { EINVAL, ENOMEM, ERANGE } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { type kref, kref_init, kref_put } from '#linux/kref.js';
import { list_for_each_entry } from '#linux/list.js';
import { kfree, kzalloc } from '#linux/slab.js';
import { INT_MAX, type int } from '#linux/types.js';

/**
 * A change that changes nothing yet, with one reference; null when there is no memory.
 * Linux: drivers/gpu/drm/drm_atomic.c: drm_atomic_state_alloc()
 */
export function drm_atomic_state_alloc(dev: drm_device): drm_atomic_state | null {
	const state = kzalloc(drm_atomic_state, GFP_KERNEL);
	if (!state) return null;
	kref_init(state.ref);
	state.dev = dev;
	return state;
}

/**
 * Free what the state still owns: the new states before a commit, the old ones after it.
 * Linux: drivers/gpu/drm/drm_atomic.c: drm_atomic_state_clear()
 */
export function drm_atomic_state_clear(state: drm_atomic_state): void {
	for (const entry of for_each_connector_in_state(state)) {
		entry.ptr!.funcs.atomic_destroy_state(entry.ptr!, entry.state!);
		entry.ptr = entry.state = entry.old_state = entry.new_state = null;
	}
	for (const entry of for_each_crtc_in_state(state)) {
		entry.ptr!.funcs.atomic_destroy_state(entry.ptr!, entry.state!);
		entry.ptr = entry.state = entry.old_state = entry.new_state = null;
	}
	for (const entry of for_each_plane_in_state(state)) {
		entry.ptr!.funcs.atomic_destroy_state(entry.ptr!, entry.state!);
		entry.ptr = entry.state = entry.old_state = entry.new_state = null;
	}
}

function __drm_atomic_state_free(ref: kref): void {
	const state = ref.container as drm_atomic_state;
	drm_atomic_state_clear(state);
	kfree(state);
}

/**
 * Drop a reference; the last one frees the change and the states that it owns.
 * Linux: include/drm/drm_atomic.h: drm_atomic_state_put()
 */
export function drm_atomic_state_put(state: drm_atomic_state): void {
	kref_put(state.ref, __drm_atomic_state_free);
}

/**
 * The state that @crtc is to have, to be changed. -ENOMEM.
 * Linux: drivers/gpu/drm/drm_atomic.c: drm_atomic_get_crtc_state()
 */
export function drm_atomic_get_crtc_state(state: drm_atomic_state, crtc: drm_crtc): drm_crtc_state | err_ptr {
	const entry = state.crtcs[crtc.index];
	if (entry.state) return entry.state;
	const crtc_state = crtc.funcs.atomic_duplicate_state(crtc);
	if (!crtc_state) return ERR_PTR(-ENOMEM);
	entry.state = crtc_state;
	entry.old_state = crtc.state;
	entry.new_state = crtc_state;
	entry.ptr = crtc;
	return crtc_state;
}

/**
 * The state that @plane is to have; its CRTC's comes along.
 * Linux: drivers/gpu/drm/drm_atomic.c: drm_atomic_get_plane_state()
 */
export function drm_atomic_get_plane_state(
	state: drm_atomic_state,
	plane: drm_plane,
): drm_plane_state | err_ptr {
	const entry = state.planes[plane.index];
	if (entry.state) return entry.state;
	const plane_state = plane.funcs.atomic_duplicate_state(plane);
	if (!plane_state) return ERR_PTR(-ENOMEM);
	entry.state = plane_state;
	entry.ptr = plane;
	entry.old_state = plane.state;
	entry.new_state = plane_state;
	if (plane_state.crtc) {
		const crtc_state = drm_atomic_get_crtc_state(state, plane_state.crtc);
		if (IS_ERR(crtc_state)) return crtc_state;
	}
	return plane_state;
}

/**
 * The state that @connector is to have; its CRTC's comes along. -ENOMEM.
 * Linux: drivers/gpu/drm/drm_atomic.c: drm_atomic_get_connector_state()
 */
export function drm_atomic_get_connector_state(
	state: drm_atomic_state,
	connector: drm_connector,
): drm_connector_state | err_ptr {
	const entry = state.connectors[connector.index];
	if (entry.state) return entry.state;
	const connector_state = connector.funcs.atomic_duplicate_state(connector);
	if (!connector_state) return ERR_PTR(-ENOMEM);
	entry.state = connector_state;
	entry.old_state = connector.state;
	entry.new_state = connector_state;
	entry.ptr = connector;
	if (connector_state.crtc) {
		const crtc_state = drm_atomic_get_crtc_state(state, connector_state.crtc);
		if (IS_ERR(crtc_state)) return crtc_state;
	}
	return connector_state;
}

/**
 * The connectors that @crtc feeds now come into @state.
 * Linux: drivers/gpu/drm/drm_atomic.c: drm_atomic_add_affected_connectors()
 */
export function drm_atomic_add_affected_connectors(state: drm_atomic_state, crtc: drm_crtc): int {
	for (const connector of list_for_each_entry(state.dev.mode_config.connector_list)) {
		if (connector.state?.crtc !== crtc) continue;
		const conn_state = drm_atomic_get_connector_state(state, connector);
		if (IS_ERR(conn_state)) return PTR_ERR(conn_state);
	}
	return 0;
}

/**
 * The planes on @crtc come into @state.
 * Linux: drivers/gpu/drm/drm_atomic.c: drm_atomic_add_affected_planes()
 */
export function drm_atomic_add_affected_planes(state: drm_atomic_state, crtc: drm_crtc): int {
	for (const plane of list_for_each_entry(state.dev.mode_config.plane_list)) {
		if (plane.state?.crtc !== crtc) continue;
		const plane_state = drm_atomic_get_plane_state(state, plane);
		if (IS_ERR(plane_state)) return PTR_ERR(plane_state);
	}
	return 0;
}

function drm_atomic_plane_check(new_plane_state: drm_plane_state): int {
	const { plane, crtc, fb } = new_plane_state;
	if ((crtc === null) !== (fb === null)) {
		const what = crtc ? 'CRTC set but no FB' : 'FB set but no CRTC';
		dev_dbg(plane.dev.dev, '[PLANE:%d:%s] %s', plane.base.id, plane.name, what);
		return -EINVAL;
	}
	if (!crtc || !fb) return 0;
	if ((plane.possible_crtcs & drm_crtc_mask(crtc)) === 0) return -EINVAL;
	if (!drm_plane_has_format(plane, fb.format.format, fb.modifier)) return -EINVAL;
	const { crtc_w, crtc_h, crtc_x, crtc_y } = new_plane_state;
	if (crtc_w > INT_MAX || crtc_x > INT_MAX - crtc_w || crtc_h > INT_MAX || crtc_y > INT_MAX - crtc_h)
		return -ERANGE;
	return drm_framebuffer_check_src_coords(
		new_plane_state.src_x,
		new_plane_state.src_y,
		new_plane_state.src_w,
		new_plane_state.src_h,
		fb,
	);
}

function drm_atomic_crtc_check(new_crtc_state: drm_crtc_state): int {
	// A picture needs a mode.
	return new_crtc_state.active && !new_crtc_state.enable ? -EINVAL : 0;
}

/**
 * Whether @state can be: every plane and CRTC, then the driver. 0 or the first error.
 * Linux: drivers/gpu/drm/drm_atomic.c: drm_atomic_check_only()
 */
export function drm_atomic_check_only(state: drm_atomic_state): int {
	const config = state.dev.mode_config;
	for (const { new_state } of for_each_plane_in_state(state)) {
		const ret = drm_atomic_plane_check(new_state!);
		if (ret) return ret;
	}
	for (const { new_state } of for_each_crtc_in_state(state)) {
		const ret = drm_atomic_crtc_check(new_state!);
		if (ret) return ret;
	}
	return config.funcs!.atomic_check(state.dev, state);
}

/** Check and do. Linux: drivers/gpu/drm/drm_atomic.c: drm_atomic_commit() */
export function drm_atomic_commit(state: drm_atomic_state): int {
	const ret = drm_atomic_check_only(state);
	if (ret) return ret;
	return state.dev.mode_config.funcs!.atomic_commit(state.dev, state, false);
}
