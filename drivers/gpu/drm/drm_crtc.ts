// SPDX-License-Identifier: GPL-2.0-only
// CRTCs: made, asked for, set by users.
// Linux 6.12: drivers/gpu/drm/drm_crtc.c
// Left out: cursors as planes of their own kind, gamma, fences, names that drivers choose.
import {
	drm_framebuffer_get,
	drm_framebuffer_lookup,
	drm_framebuffer_put,
} from '#drivers/gpu/drm/drm_framebuffer.js';
import {
	drm_mode_object_add,
	drm_mode_object_find,
	drm_mode_object_unregister,
} from '#drivers/gpu/drm/drm_mode_object.js';
import { drm_mode_convert_to_umode, drm_mode_convert_umode } from '#drivers/gpu/drm/drm_modes.js';
import { drm_plane_has_format } from '#drivers/gpu/drm/drm_plane.js';
import type { drm_connector } from '#include/drm/drm_connector.js';
import { type drm_crtc, type drm_crtc_funcs, drm_crtc_mask, drm_mode_set } from '#include/drm/drm_crtc.js';
import type { drm_device } from '#include/drm/drm_device.js';
import type { drm_file } from '#include/drm/drm_file.js';
import type { drm_framebuffer } from '#include/drm/drm_framebuffer.js';
import { drm_display_mode } from '#include/drm/drm_modes.js';
import type { drm_plane } from '#include/drm/drm_plane.js';
import {
	DRM_MODE_OBJECT_CONNECTOR,
	DRM_MODE_OBJECT_CRTC,
	type drm_mode_crtc,
} from '#include/uapi/drm/drm_mode.js';
import { EINVAL, ENOENT, ENOSPC, ERANGE } from '#linux/errno.js';
import { list_add_tail, list_del } from '#linux/list.js';
import { mutex_lock, mutex_unlock } from '#linux/mutex.js';
import { INT_MAX, type int } from '#linux/types.js';

/**
 * Make @crtc known; its planes can be on no other then unless they said so. -ENOMEM.
 * Linux: drivers/gpu/drm/drm_crtc.c: drm_crtc_init_with_planes()
 */
export function drm_crtc_init_with_planes(
	dev: drm_device,
	crtc: drm_crtc,
	primary: drm_plane | null,
	cursor: drm_plane | null,
	funcs: drm_crtc_funcs,
	name: string | null,
): int {
	const config = dev.mode_config;
	const ret = drm_mode_object_add(dev, crtc.base, DRM_MODE_OBJECT_CRTC);
	if (ret) return ret;
	crtc.dev = dev;
	crtc.funcs = funcs;
	crtc.name = name ?? `crtc-${config.num_crtc}`;
	crtc.base.properties = crtc.properties;
	list_add_tail(crtc.head, config.crtc_list);
	crtc.index = config.num_crtc++;
	crtc.primary = primary;
	crtc.cursor = cursor;
	if (primary && !primary.possible_crtcs) primary.possible_crtcs = drm_crtc_mask(crtc);
	if (cursor && !cursor.possible_crtcs) cursor.possible_crtcs = drm_crtc_mask(crtc);
	return 0;
}

/** What drm_crtc_init_with_planes() did, undone. Linux: drivers/gpu/drm/drm_crtc.c: drm_crtc_cleanup() */
export function drm_crtc_cleanup(crtc: drm_crtc): void {
	drm_mode_object_unregister(crtc.dev, crtc.base);
	list_del(crtc.head);
	crtc.dev.mode_config.num_crtc--;
	if (crtc.state) crtc.funcs.atomic_destroy_state(crtc, crtc.state);
	crtc.state = null;
}

function crtc_find(dev: drm_device, file_priv: drm_file, id: int): drm_crtc | null {
	const obj = drm_mode_object_find(dev, file_priv, id, DRM_MODE_OBJECT_CRTC);
	return obj ? (obj.container as drm_crtc) : null;
}

/** DRM_IOCTL_MODE_GETCRTC. -ENOENT. Linux: drivers/gpu/drm/drm_crtc.c: drm_mode_getcrtc() */
export function drm_mode_getcrtc(dev: drm_device, crtc_resp: drm_mode_crtc, file_priv: drm_file): int {
	const crtc = crtc_find(dev, file_priv, crtc_resp.crtc_id);
	if (!crtc) return -ENOENT;
	mutex_lock(dev.mode_config.mutex);
	const plane_state = crtc.primary?.state ?? null;
	crtc_resp.fb_id = plane_state?.fb?.base.id ?? 0;
	crtc_resp.x = Math.floor((plane_state?.src_x ?? 0) / 65536);
	crtc_resp.y = Math.floor((plane_state?.src_y ?? 0) / 65536);
	crtc_resp.gamma_size = 0;
	crtc_resp.mode_valid = crtc.state?.enable ? 1 : 0;
	if (crtc.state?.enable) drm_mode_convert_to_umode(crtc_resp.mode, crtc.state.mode);
	mutex_unlock(dev.mode_config.mutex);
	return 0;
}

/**
 * -ENOSPC when the picture of the mode does not lie in @fb.
 * Linux: drivers/gpu/drm/drm_crtc.c: drm_crtc_check_viewport()
 */
export function drm_crtc_check_viewport(
	_crtc: drm_crtc,
	x: int,
	y: int,
	mode: drm_display_mode,
	fb: drm_framebuffer,
): int {
	if (x + mode.hdisplay > fb.width || y + mode.vdisplay > fb.height) return -ENOSPC;
	return 0;
}

/**
 * drm_mode_setcrtc - Set a mode and the primary plane's framebuffer, or turn the CRTC off
 *
 * fb_id -1 keeps the framebuffer. -ENOENT, -EINVAL, -ERANGE, -ENOSPC, or the driver's answer.
 * Linux: drivers/gpu/drm/drm_crtc.c: drm_mode_setcrtc()
 */
export function drm_mode_setcrtc(dev: drm_device, crtc_req: drm_mode_crtc, file_priv: drm_file): int {
	if (crtc_req.x > INT_MAX || crtc_req.y > INT_MAX) return -ERANGE;
	const crtc = crtc_find(dev, file_priv, crtc_req.crtc_id);
	if (!crtc) return -ENOENT;

	const set = new drm_mode_set();
	let fb: drm_framebuffer | null = null;
	mutex_lock(dev.mode_config.mutex);
	const ret = ((): int => {
		if (crtc_req.mode_valid) {
			if (crtc_req.fb_id === 0xffffffff) {
				fb = crtc.primary?.state?.fb ?? null;
				if (!fb) return -EINVAL;
				drm_framebuffer_get(fb);
			} else {
				fb = drm_framebuffer_lookup(dev, file_priv, crtc_req.fb_id);
				if (!fb) return -ENOENT;
			}
			const mode = new drm_display_mode();
			const err = drm_mode_convert_umode(mode, crtc_req.mode);
			if (err) return err;
			set.mode = mode;
			if (!drm_plane_has_format(crtc.primary!, fb.format.format, fb.modifier)) return -EINVAL;
			const bad = drm_crtc_check_viewport(crtc, crtc_req.x, crtc_req.y, mode, fb);
			if (bad) return bad;
		}
		if (crtc_req.count_connectors === 0 && set.mode) return -EINVAL;
		if (crtc_req.count_connectors > 0 && (!set.mode || !fb)) return -EINVAL;
		if (crtc_req.count_connectors > dev.mode_config.num_connector) return -EINVAL;
		for (let i = 0; i < crtc_req.count_connectors; i++) {
			const id = crtc_req.set_connectors_ptr?.[i] ?? 0;
			const obj = drm_mode_object_find(dev, file_priv, id, DRM_MODE_OBJECT_CONNECTOR);
			if (!obj) return -ENOENT;
			set.connectors.push(obj.container as drm_connector);
		}
		set.crtc = crtc;
		set.x = crtc_req.x;
		set.y = crtc_req.y;
		set.num_connectors = crtc_req.count_connectors;
		set.fb = fb;
		return crtc.funcs.set_config(set);
	})();
	mutex_unlock(dev.mode_config.mutex);
	if (fb) drm_framebuffer_put(fb);
	return ret;
}
