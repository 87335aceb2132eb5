// SPDX-License-Identifier: GPL-2.0-only
// How most drivers check and commit a change, and what the legacy calls become.
// Linux 6.12: drivers/gpu/drm/drm_atomic_helper.c, drivers/gpu/drm/drm_atomic_state_helper.c
// Left out: commits in the background, bridges, panels, self refresh, writeback, fences, page flips, gamma.
import {
	drm_atomic_add_affected_connectors,
	drm_atomic_add_affected_planes,
	drm_atomic_commit,
	drm_atomic_get_connector_state,
	drm_atomic_get_crtc_state,
	drm_atomic_get_plane_state,
	drm_atomic_state_alloc,
	drm_atomic_state_put,
} from '#drivers/gpu/drm/drm_atomic.js';
import {
	drm_atomic_set_crtc_for_connector,
	drm_atomic_set_crtc_for_plane,
	drm_atomic_set_fb_for_plane,
	drm_atomic_set_mode_for_crtc,
} from '#drivers/gpu/drm/drm_atomic_uapi.js';
import { drm_framebuffer_get, drm_framebuffer_put } from '#drivers/gpu/drm/drm_framebuffer.js';
import { drm_mode_copy, drm_mode_equal, drm_mode_set_crtcinfo } from '#drivers/gpu/drm/drm_modes.js';
import {
	drm_rect_calc_hscale,
	drm_rect_calc_vscale,
	drm_rect_clip_scaled,
} from '#drivers/gpu/drm/drm_rect.js';
import {
	drm_crtc_vblank_count,
	drm_crtc_vblank_get,
	drm_crtc_vblank_put,
	drm_crtc_vblank_reset,
} from '#drivers/gpu/drm/drm_vblank.js';
import {
	type drm_atomic_state,
	for_each_connector_in_state,
	for_each_crtc_in_state,
	for_each_plane_in_state,
} from '#include/drm/drm_atomic.js';
import {
	type drm_connector,
	drm_connector_state,
	type drm_encoder,
	drm_encoder_mask,
} from '#include/drm/drm_connector.js';
import {
	drm_atomic_crtc_needs_modeset,
	type drm_crtc,
	drm_crtc_mask,
	drm_crtc_state,
	type drm_mode_set,
} from '#include/drm/drm_crtc.js';
import type { drm_device } from '#include/drm/drm_device.js';
import type { drm_framebuffer } from '#include/drm/drm_framebuffer.js';
import { MODE_OK } from '#include/drm/drm_modes.js';
import { DRM_BLEND_ALPHA_OPAQUE, type drm_plane, drm_plane_state } from '#include/drm/drm_plane.js';
import { drm_rect, drm_rect_equals, drm_rect_init } from '#include/drm/drm_rect.js';
import { WARN, WARN_ON } from '#linux/bug.js';
import { dev_dbg, dev_err } from '#linux/dev_printk.js';
import { IS_ERR, PTR_ERR } from '#linux/err.js';
import { EINVAL, ENOMEM, ERANGE } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { msecs_to_jiffies } from '#linux/jiffies.js';
import { list_for_each_entry } from '#linux/list.js';
import { mutex_lock, mutex_unlock } from '#linux/mutex.js';
import { kfree, kzalloc } from '#linux/slab.js';
import type { bool, int, u32, unsigned_int } from '#linux/types.js';
import { wait_event_timeout } from '#linux/wait.js';

/* Checking */

/** The encoder that is to feed @connector: the first that can. */
function drm_connector_get_single_encoder(connector: drm_connector): drm_encoder | null {
	for (const encoder of list_for_each_entry(connector.dev.mode_config.encoder_list))
		if (connector.possible_encoders & drm_encoder_mask(encoder)) return encoder;
	return null;
}

/**
 * Work out which CRTCs need a full mode set, and whether it can be.
 * Linux: drivers/gpu/drm/drm_atomic_helper.c: drm_atomic_helper_check_modeset()
 */
export function drm_atomic_helper_check_modeset(_dev: drm_device, state: drm_atomic_state): int {
	for (const { ptr, old_state, new_state } of for_each_crtc_in_state(state)) {
		const crtc_state = new_state!;
		if (!drm_mode_equal(old_state!.mode, crtc_state.mode)) crtc_state.mode_changed = true;
		if (old_state!.enable !== crtc_state.enable) {
			crtc_state.mode_changed = true;
			crtc_state.connectors_changed = true;
		}
		if (old_state!.active !== crtc_state.active) crtc_state.active_changed = true;
		if (crtc_state.enable !== (crtc_state.connector_mask !== 0)) {
			dev_dbg(ptr!.dev.dev, '[CRTC:%d:%s] enabled/connectors mismatch', ptr!.base.id, ptr!.name);
			return -EINVAL;
		}
	}
	for (const { ptr, old_state, new_state } of for_each_connector_in_state(state)) {
		const conn_state = new_state!;
		if (old_state!.crtc !== conn_state.crtc) {
			if (old_state!.crtc) state.crtcs[old_state!.crtc.index].new_state!.connectors_changed = true;
			if (conn_state.crtc) state.crtcs[conn_state.crtc.index].new_state!.connectors_changed = true;
		}
		if (!conn_state.crtc) {
			conn_state.best_encoder = null;
			continue;
		}
		const encoder = drm_connector_get_single_encoder(ptr!);
		if (!encoder || (encoder.possible_crtcs & drm_crtc_mask(conn_state.crtc)) === 0) return -EINVAL;
		conn_state.best_encoder = encoder;
	}
	for (const { ptr, new_state } of for_each_crtc_in_state(state)) {
		if (!drm_atomic_crtc_needs_modeset(new_state!)) continue;
		let ret = drm_atomic_add_affected_connectors(state, ptr!);
		if (!ret) ret = drm_atomic_add_affected_planes(state, ptr!);
		if (ret) return ret;
		drm_mode_copy(new_state!.adjusted_mode, new_state!.mode);
		drm_mode_set_crtcinfo(new_state!.adjusted_mode, 0);
	}
	for (const { ptr, new_state } of for_each_connector_in_state(state)) {
		const crtc = new_state!.crtc;
		const helper = ptr!.helper_private;
		if (!crtc || !helper?.mode_valid) continue;
		const crtc_state = state.crtcs[crtc.index].new_state;
		if (crtc_state?.mode_changed && helper.mode_valid(ptr!, crtc_state.mode) !== MODE_OK) return -EINVAL;
	}
	return 0;
}

/**
 * Ask every plane, then every CRTC of @state. 0 or the first error.
 * Linux: drivers/gpu/drm/drm_atomic_helper.c: drm_atomic_helper_check_planes()
 */
export function drm_atomic_helper_check_planes(_dev: drm_device, state: drm_atomic_state): int {
	for (const { ptr, old_state, new_state } of for_each_plane_in_state(state)) {
		for (const crtc of [old_state!.crtc, new_state!.crtc])
			if (crtc) state.crtcs[crtc.index].new_state!.planes_changed = true;
		const funcs = ptr!.helper_private;
		const ret = funcs?.atomic_check ? funcs.atomic_check(ptr!, state) : 0;
		if (ret) {
			dev_dbg(ptr!.dev.dev, '[PLANE:%d:%s] atomic driver check failed', ptr!.base.id, ptr!.name);
			return ret;
		}
	}
	for (const { ptr } of for_each_crtc_in_state(state)) {
		const funcs = ptr!.helper_private;
		const ret = funcs?.atomic_check ? funcs.atomic_check(ptr!, state) : 0;
		if (ret) return ret;
	}
	return 0;
}

/**
 * drm_atomic_helper_check_plane_state - Clip a plane to the screen and see whether the scaling is possible
 * @min_scale: source pixels for one on screen, in 1/65536
 * @can_position: the plane need not cover the whole screen
 * @can_update_disabled: also while the CRTC is off
 *
 * Returns 0, -EINVAL, -ERANGE. Linux: drivers/gpu/drm/drm_atomic_helper.c: drm_atomic_helper_check_plane_state()
 */
export function drm_atomic_helper_check_plane_state(
	plane_state: drm_plane_state,
	crtc_state: drm_crtc_state,
	min_scale: int,
	max_scale: int,
	can_position: bool,
	can_update_disabled: bool,
): int {
	const { fb, src, dst } = plane_state;
	WARN_ON(plane_state.crtc !== null && plane_state.crtc !== crtc_state.crtc);

	drm_rect_init(src, plane_state.src_x, plane_state.src_y, plane_state.src_w, plane_state.src_h);
	drm_rect_init(dst, plane_state.crtc_x, plane_state.crtc_y, plane_state.crtc_w, plane_state.crtc_h);
	plane_state.visible = false;
	if (!fb || WARN_ON(!plane_state.crtc)) return 0;
	if (!crtc_state.enable && !can_update_disabled) return -EINVAL;

	const hscale = drm_rect_calc_hscale(src, dst, min_scale, max_scale);
	const vscale = drm_rect_calc_vscale(src, dst, min_scale, max_scale);
	if (hscale < 0 || vscale < 0) {
		dev_dbg(plane_state.plane.dev.dev, 'Invalid scaling of plane');
		return -ERANGE;
	}
	const clip = new drm_rect();
	if (crtc_state.enable) drm_rect_init(clip, 0, 0, crtc_state.mode.hdisplay, crtc_state.mode.vdisplay);
	plane_state.visible = drm_rect_clip_scaled(src, dst, clip);
	if (plane_state.visible && !can_position && !drm_rect_equals(dst, clip)) return -EINVAL;
	return 0;
}

/* Committing */

/**
 * From here on the new states are the state.
 * Linux: drivers/gpu/drm/drm_atomic_helper.c: drm_atomic_helper_swap_state()
 */
export function drm_atomic_helper_swap_state(state: drm_atomic_state, _stall: bool): int {
	for (const entry of for_each_connector_in_state(state)) {
		entry.state = entry.old_state;
		entry.ptr!.state = entry.new_state;
	}
	for (const entry of for_each_crtc_in_state(state)) {
		entry.state = entry.old_state;
		entry.ptr!.state = entry.new_state;
	}
	for (const entry of for_each_plane_in_state(state)) {
		entry.state = entry.old_state;
		entry.ptr!.state = entry.new_state;
	}
	return 0;
}

/**
 * Turn off what changes or ends, and set the new modes.
 * Linux: drivers/gpu/drm/drm_atomic_helper.c: drm_atomic_helper_commit_modeset_disables()
 */
export function drm_atomic_helper_commit_modeset_disables(_dev: drm_device, state: drm_atomic_state): void {
	for (const { ptr, old_state, new_state } of for_each_crtc_in_state(state))
		if (drm_atomic_crtc_needs_modeset(new_state!) && old_state!.active)
			ptr!.helper_private!.atomic_disable(ptr!, state);

	// The pointers that drivers from before the atomic time look at.
	for (const { ptr, old_state } of for_each_connector_in_state(state)) {
		if (ptr!.encoder) ptr!.encoder.crtc = null;
		ptr!.encoder = null;
		if (old_state!.best_encoder) old_state!.best_encoder.crtc = null;
	}
	for (const { ptr, new_state } of for_each_connector_in_state(state))
		if (new_state!.crtc && new_state!.best_encoder) {
			ptr!.encoder = new_state!.best_encoder;
			new_state!.best_encoder.crtc = new_state!.crtc;
		}

	for (const { ptr, new_state } of for_each_crtc_in_state(state))
		if (new_state!.mode_changed && new_state!.enable) ptr!.helper_private!.mode_set_nofb(ptr!);
	for (const { new_state } of for_each_connector_in_state(state)) {
		const { crtc, best_encoder } = new_state!;
		const crtc_state = crtc?.state;
		if (crtc_state?.mode_changed)
			best_encoder?.helper_private?.mode_set?.(best_encoder, crtc_state.mode, crtc_state.adjusted_mode);
	}
}

/**
 * Turn on what is new.
 * Linux: drivers/gpu/drm/drm_atomic_helper.c: drm_atomic_helper_commit_modeset_enables()
 */
export function drm_atomic_helper_commit_modeset_enables(_dev: drm_device, state: drm_atomic_state): void {
	for (const { ptr, new_state } of for_each_crtc_in_state(state))
		if (drm_atomic_crtc_needs_modeset(new_state!) && new_state!.active)
			ptr!.helper_private!.atomic_enable(ptr!, state);
}

export const DRM_PLANE_COMMIT_ACTIVE_ONLY = 1 << 0;

/**
 * Write the planes, between the begin and the flush of their CRTCs.
 * Linux: drivers/gpu/drm/drm_atomic_helper.c: drm_atomic_helper_commit_planes()
 */
export function drm_atomic_helper_commit_planes(_dev: drm_device, state: drm_atomic_state, flags: u32): void {
	const active_only = (flags & DRM_PLANE_COMMIT_ACTIVE_ONLY) !== 0;

	for (const { ptr, new_state } of for_each_crtc_in_state(state))
		if (!active_only || new_state!.active) ptr!.helper_private?.atomic_begin?.(ptr!, state);

	for (const { ptr, old_state, new_state } of for_each_plane_in_state(state)) {
		const funcs = ptr!.helper_private;
		if (!funcs) continue;
		const disabling = old_state!.crtc !== null && new_state!.crtc === null;
		// A plane that goes belongs to its old CRTC.
		const crtc = disabling ? old_state!.crtc : new_state!.crtc;
		if (active_only && !crtc?.state?.active) continue;
		if (disabling && funcs.atomic_disable) funcs.atomic_disable(ptr!, state);
		else if (new_state!.crtc || disabling) funcs.atomic_update(ptr!, state);
	}

	for (const { ptr, new_state } of for_each_crtc_in_state(state))
		if (!active_only || new_state!.active) ptr!.helper_private?.atomic_flush?.(ptr!, state);
}

/**
 * Wait until the new picture is on its way, and so nothing reads the old one.
 * Linux: drivers/gpu/drm/drm_atomic_helper.c: drm_atomic_helper_wait_for_vblanks()
 */
export function drm_atomic_helper_wait_for_vblanks(dev: drm_device, state: drm_atomic_state): void {
	let crtc_mask = 0;
	for (const entry of for_each_crtc_in_state(state)) {
		const crtc = entry.ptr!;
		if (!entry.new_state!.active) continue;
		if (drm_crtc_vblank_get(crtc) !== 0) continue;
		crtc_mask |= drm_crtc_mask(crtc);
		entry.last_vblank_count = drm_crtc_vblank_count(crtc);
	}
	for (const entry of for_each_crtc_in_state(state)) {
		const crtc = entry.ptr!;
		if ((crtc_mask & drm_crtc_mask(crtc)) === 0) continue;
		const ret = wait_event_timeout(
			dev.vblank![crtc.index].queue,
			() => entry.last_vblank_count !== drm_crtc_vblank_count(crtc),
			msecs_to_jiffies(100),
		);
		WARN(ret === 0, '[CRTC:%d:%s] vblank wait timed out', crtc.base.id, crtc.name);
		drm_crtc_vblank_put(crtc);
	}
}

/**
 * The order for hardware that loses its registers with its power.
 * Linux: drivers/gpu/drm/drm_atomic_helper.c: drm_atomic_helper_commit_tail_rpm()
 */
export function drm_atomic_helper_commit_tail_rpm(state: drm_atomic_state): void {
	const { dev } = state;
	drm_atomic_helper_commit_modeset_disables(dev, state);
	drm_atomic_helper_commit_modeset_enables(dev, state);
	drm_atomic_helper_commit_planes(dev, state, DRM_PLANE_COMMIT_ACTIVE_ONLY);
	drm_atomic_helper_wait_for_vblanks(dev, state);
}

/**
 * Do what was checked, and wait until it is on the screen.
 * Linux: drivers/gpu/drm/drm_atomic_helper.c: drm_atomic_helper_commit()
 */
export function drm_atomic_helper_commit(dev: drm_device, state: drm_atomic_state, _nonblock: bool): int {
	const ret = drm_atomic_helper_swap_state(state, true);
	if (ret) return ret;
	dev.mode_config.helper_private!.atomic_commit_tail(state);
	return 0;
}

/* The legacy calls */

/** Where a plane lies on the screen, and which part of its picture it shows. */
type plane_place = Pick<
	drm_plane_state,
	'crtc_x' | 'crtc_y' | 'crtc_w' | 'crtc_h' | 'src_x' | 'src_y' | 'src_w' | 'src_h'
>;

const NOWHERE: plane_place = {
	crtc_x: 0,
	crtc_y: 0,
	crtc_w: 0,
	crtc_h: 0,
	src_x: 0,
	src_y: 0,
	src_w: 0,
	src_h: 0,
};

/** Write into @state what a plane is to show, and where; null for both: nothing. -ENOMEM. */
function plane_show(
	plane_state: drm_plane_state,
	state: drm_atomic_state,
	crtc: drm_crtc | null,
	fb: drm_framebuffer | null,
	place: plane_place,
): int {
	const ret = drm_atomic_set_crtc_for_plane(plane_state, crtc, state);
	if (ret) return ret;
	drm_atomic_set_fb_for_plane(plane_state, fb);
	Object.assign(plane_state, place);
	return 0;
}

/** A commit of one plane, to which @change does something. */
function commit_plane(
	plane: drm_plane,
	change: (plane_state: drm_plane_state, state: drm_atomic_state) => int,
): int {
	const state = drm_atomic_state_alloc(plane.dev);
	if (!state) return -ENOMEM;
	const plane_state = drm_atomic_get_plane_state(state, plane);
	let ret: int = IS_ERR(plane_state) ? PTR_ERR(plane_state) : change(plane_state, state);
	if (!ret) ret = drm_atomic_commit(state);
	drm_atomic_state_put(state);
	return ret;
}

/** SETPLANE as a commit. Linux: drivers/gpu/drm/drm_atomic_helper.c: drm_atomic_helper_update_plane() */
export function drm_atomic_helper_update_plane(
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
): int {
	const place: plane_place = { crtc_x, crtc_y, crtc_w, crtc_h, src_x, src_y, src_w, src_h };
	return commit_plane(plane, (plane_state, state) => plane_show(plane_state, state, crtc, fb, place));
}

function __drm_atomic_helper_disable_plane(plane_state: drm_plane_state, state: drm_atomic_state): int {
	return plane_show(plane_state, state, null, null, NOWHERE);
}

/**
 * SETPLANE without a framebuffer as a commit.
 * Linux: drivers/gpu/drm/drm_atomic_helper.c: drm_atomic_helper_disable_plane()
 */
export function drm_atomic_helper_disable_plane(plane: drm_plane): int {
	return commit_plane(plane, __drm_atomic_helper_disable_plane);
}

function update_output_state(state: drm_atomic_state, set: drm_mode_set): int {
	let ret = drm_atomic_add_affected_connectors(state, set.crtc);
	if (ret) return ret;
	for (const connector of set.connectors) {
		const conn_state = drm_atomic_get_connector_state(state, connector);
		if (IS_ERR(conn_state)) return PTR_ERR(conn_state);
	}
	for (const { ptr, new_state } of for_each_connector_in_state(state)) {
		if (new_state!.crtc !== set.crtc && !set.connectors.includes(ptr!)) continue;
		ret = drm_atomic_set_crtc_for_connector(
			new_state!,
			set.connectors.includes(ptr!) ? set.crtc : null,
			state,
		);
		if (ret) return ret;
	}
	for (const { ptr, new_state } of for_each_crtc_in_state(state)) {
		if (ptr === set.crtc || new_state!.connector_mask) continue;
		// Its connectors were taken away.
		drm_atomic_set_mode_for_crtc(new_state!, null);
		new_state!.active = false;
	}
	return 0;
}

function __drm_atomic_helper_set_config(set: drm_mode_set, state: drm_atomic_state): int {
	const { crtc, mode } = set;
	const crtc_state = drm_atomic_get_crtc_state(state, crtc);
	if (IS_ERR(crtc_state)) return PTR_ERR(crtc_state);
	const primary_state = drm_atomic_get_plane_state(state, crtc.primary!);
	if (IS_ERR(primary_state)) return PTR_ERR(primary_state);

	let ret = drm_atomic_set_mode_for_crtc(crtc_state, mode);
	if (ret) return ret;
	if (!mode) {
		crtc_state.active = false;
		ret = __drm_atomic_helper_disable_plane(primary_state, state);
		return ret || update_output_state(state, set);
	}
	crtc_state.active = true;
	const { hdisplay, vdisplay } = mode;
	ret = plane_show(primary_state, state, crtc, set.fb, {
		crtc_x: 0,
		crtc_y: 0,
		crtc_w: hdisplay,
		crtc_h: vdisplay,
		src_x: set.x * 65536,
		src_y: set.y * 65536,
		src_w: hdisplay * 65536,
		src_h: vdisplay * 65536,
	});
	if (ret) return ret;
	return update_output_state(state, set);
}

/** SETCRTC as a commit. Linux: drivers/gpu/drm/drm_atomic_helper.c: drm_atomic_helper_set_config() */
export function drm_atomic_helper_set_config(set: drm_mode_set): int {
	const state = drm_atomic_state_alloc(set.crtc.dev);
	if (!state) return -ENOMEM;
	let ret = __drm_atomic_helper_set_config(set, state);
	if (!ret) ret = drm_atomic_commit(state);
	drm_atomic_state_put(state);
	return ret;
}

/** Everything off. Linux: drivers/gpu/drm/drm_atomic_helper.c: drm_atomic_helper_disable_all() */
function drm_atomic_helper_disable_all(dev: drm_device): int {
	const state = drm_atomic_state_alloc(dev);
	if (!state) return -ENOMEM;
	mutex_lock(dev.mode_config.mutex);
	let ret: int = 0;
	for (const crtc of list_for_each_entry(dev.mode_config.crtc_list)) {
		const crtc_state = drm_atomic_get_crtc_state(state, crtc);
		if (IS_ERR(crtc_state)) {
			ret = PTR_ERR(crtc_state);
			break;
		}
		crtc_state.active = false;
		ret =
			drm_atomic_set_mode_for_crtc(crtc_state, null) ||
			drm_atomic_add_affected_planes(state, crtc) ||
			drm_atomic_add_affected_connectors(state, crtc);
		if (ret) break;
	}
	for (const { new_state } of for_each_connector_in_state(state))
		ret ||= drm_atomic_set_crtc_for_connector(new_state!, null, state);
	for (const { new_state } of for_each_plane_in_state(state))
		ret ||= __drm_atomic_helper_disable_plane(new_state!, state);
	if (!ret) ret = drm_atomic_commit(state);
	mutex_unlock(dev.mode_config.mutex);
	drm_atomic_state_put(state);
	return ret;
}

/** Everything off, as the driver goes. Linux: drivers/gpu/drm/drm_atomic_helper.c: drm_atomic_helper_shutdown() */
export function drm_atomic_helper_shutdown(dev: drm_device | null): void {
	if (!dev) return;
	const ret = drm_atomic_helper_disable_all(dev);
	if (ret) dev_err(dev.dev, "[drm] *ERROR* Disabling all crtc's during unload failed with %i", ret);
}

/* States (drivers/gpu/drm/drm_atomic_state_helper.c) */

/**
 * A first state of @plane: off, opaque, properties as they were created.
 * Linux: drivers/gpu/drm/drm_atomic_state_helper.c: drm_atomic_helper_plane_reset()
 */
export function drm_atomic_helper_plane_reset(plane: drm_plane): void {
	if (plane.state) drm_atomic_helper_plane_destroy_state(plane, plane.state);
	plane.state = kzalloc(drm_plane_state, GFP_KERNEL);
	if (!plane.state) return;
	const { state, properties } = plane;
	state.plane = plane;
	state.alpha = DRM_BLEND_ALPHA_OPAQUE;
	state.zpos = plane.initial_zpos;
	state.normalized_zpos = plane.initial_zpos;
	for (let i = 0; i < properties.count; i++) {
		if (properties.properties[i] === plane.color_encoding_property)
			state.color_encoding = properties.values[i];
		if (properties.properties[i] === plane.color_range_property) state.color_range = properties.values[i];
	}
}

/**
 * A copy of the state of @plane, with a reference to its picture; null when there is no memory.
 * Linux: drivers/gpu/drm/drm_atomic_state_helper.c: drm_atomic_helper_plane_duplicate_state()
 */
export function drm_atomic_helper_plane_duplicate_state(plane: drm_plane): drm_plane_state | null {
	const old = plane.state;
	if (WARN_ON(!old) || !old) return null;
	const state = kzalloc(drm_plane_state, GFP_KERNEL);
	if (!state) return null;
	const { src: _src, dst: _dst, ...fields } = old;
	Object.assign(state, fields);
	if (state.fb) drm_framebuffer_get(state.fb);
	state.visible = false;
	return state;
}

/**
 * Free a state, and give its picture back.
 * Linux: drivers/gpu/drm/drm_atomic_state_helper.c: drm_atomic_helper_plane_destroy_state()
 */
export function drm_atomic_helper_plane_destroy_state(_plane: drm_plane, state: drm_plane_state): void {
	if (state.fb) drm_framebuffer_put(state.fb);
	kfree(state);
}

/**
 * A first state of @crtc: off.
 * Linux: drivers/gpu/drm/drm_atomic_state_helper.c: drm_atomic_helper_crtc_reset()
 */
export function drm_atomic_helper_crtc_reset(crtc: drm_crtc): void {
	if (crtc.state) drm_atomic_helper_crtc_destroy_state(crtc, crtc.state);
	crtc.state = kzalloc(drm_crtc_state, GFP_KERNEL);
	if (crtc.state) crtc.state.crtc = crtc;
	drm_crtc_vblank_reset(crtc);
}

/**
 * A copy of the state of @crtc with nothing changed yet; null when there is no memory.
 * Linux: drivers/gpu/drm/drm_atomic_state_helper.c: drm_atomic_helper_crtc_duplicate_state()
 */
export function drm_atomic_helper_crtc_duplicate_state(crtc: drm_crtc): drm_crtc_state | null {
	const old = crtc.state;
	if (WARN_ON(!old) || !old) return null;
	const state = kzalloc(drm_crtc_state, GFP_KERNEL);
	if (!state) return null;
	state.crtc = crtc;
	state.enable = old.enable;
	state.active = old.active;
	state.plane_mask = old.plane_mask;
	state.connector_mask = old.connector_mask;
	drm_mode_copy(state.mode, old.mode);
	drm_mode_copy(state.adjusted_mode, old.adjusted_mode);
	return state;
}

/** Free a state. Linux: drivers/gpu/drm/drm_atomic_state_helper.c: drm_atomic_helper_crtc_destroy_state() */
export function drm_atomic_helper_crtc_destroy_state(_crtc: drm_crtc, state: drm_crtc_state): void {
	kfree(state);
}

/**
 * A first state of @connector: dark.
 * Linux: drivers/gpu/drm/drm_atomic_state_helper.c: drm_atomic_helper_connector_reset()
 */
export function drm_atomic_helper_connector_reset(connector: drm_connector): void {
	if (connector.state) drm_atomic_helper_connector_destroy_state(connector, connector.state);
	connector.state = kzalloc(drm_connector_state, GFP_KERNEL);
	if (connector.state) connector.state.connector = connector;
}

/**
 * A copy of the state of @connector; null when there is no memory.
 * Linux: drivers/gpu/drm/drm_atomic_state_helper.c: drm_atomic_helper_connector_duplicate_state()
 */
export function drm_atomic_helper_connector_duplicate_state(
	connector: drm_connector,
): drm_connector_state | null {
	const old = connector.state;
	if (WARN_ON(!old) || !old) return null;
	const state = kzalloc(drm_connector_state, GFP_KERNEL);
	if (!state) return null;
	state.connector = connector;
	state.crtc = old.crtc;
	state.best_encoder = old.best_encoder;
	return state;
}

/**
 * Free a state.
 * Linux: drivers/gpu/drm/drm_atomic_state_helper.c: drm_atomic_helper_connector_destroy_state()
 */
export function drm_atomic_helper_connector_destroy_state(
	_connector: drm_connector,
	state: drm_connector_state,
): void {
	kfree(state);
}
