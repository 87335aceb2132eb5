// SPDX-License-Identifier: GPL-2.0-only
// Planes: made, asked for, set by users.
// Linux 6.12: drivers/gpu/drm/drm_plane.c
// Left out: cursors, page flips, IN_FORMATS and other blobs, hints.
import {
	drm_framebuffer_check_src_coords,
	drm_framebuffer_lookup,
	drm_framebuffer_put,
} from '#drivers/gpu/drm/drm_framebuffer.js';
import {
	drm_mode_object_add,
	drm_mode_object_find,
	drm_mode_object_unregister,
	drm_object_attach_property,
} from '#drivers/gpu/drm/drm_mode_object.js';
import type { drm_crtc } from '#include/drm/drm_crtc.js';
import { drm_crtc_mask } from '#include/drm/drm_crtc.js';
import type { drm_device } from '#include/drm/drm_device.js';
import type { drm_file } from '#include/drm/drm_file.js';
import { DRM_FORMAT_MOD_LINEAR } from '#include/drm/drm_fourcc.js';
import type { drm_framebuffer } from '#include/drm/drm_framebuffer.js';
import {
	DRM_PLANE_TYPE_OVERLAY,
	type drm_plane,
	type drm_plane_funcs,
	type drm_plane_type,
} from '#include/drm/drm_plane.js';
import {
	DRM_MODE_OBJECT_CRTC,
	DRM_MODE_OBJECT_PLANE,
	type drm_mode_get_plane,
	type drm_mode_get_plane_res,
	type drm_mode_set_plane,
} from '#include/uapi/drm/drm_mode.js';
import { EINVAL, ENOENT, ERANGE } from '#linux/errno.js';
import { list_add_tail, list_del, list_for_each_entry } from '#linux/list.js';
import { mutex_lock, mutex_unlock } from '#linux/mutex.js';
import { type bool, INT_MAX, type int, type u32, type u64, type unsigned_int } from '#linux/types.js';

/**
 * Make @plane known: what it shows, on which CRTCs, as what kind. -ENOMEM.
 * Linux: drivers/gpu/drm/drm_plane.c: drm_universal_plane_init()
 */
export function drm_universal_plane_init(
	dev: drm_device,
	plane: drm_plane,
	possible_crtcs: u32,
	funcs: drm_plane_funcs,
	formats: readonly u32[],
	format_count: unsigned_int,
	format_modifiers: readonly u64[] | null,
	type: drm_plane_type,
	name: string | null,
): int {
	const config = dev.mode_config;
	const ret = drm_mode_object_add(dev, plane.base, DRM_MODE_OBJECT_PLANE);
	if (ret) return ret;
	plane.base.properties = plane.properties;
	plane.dev = dev;
	plane.funcs = funcs;
	plane.format_types = formats;
	plane.format_count = format_count;
	plane.modifiers = format_modifiers ?? [DRM_FORMAT_MOD_LINEAR];
	plane.possible_crtcs = possible_crtcs;
	plane.type = type;
	plane.name = name ?? `plane-${config.num_total_plane}`;
	list_add_tail(plane.head, config.plane_list);
	plane.index = config.num_total_plane++;
	if (config.plane_type_property) drm_object_attach_property(plane.base, config.plane_type_property, type);
	return 0;
}

/** What drm_universal_plane_init() did, undone. Linux: drivers/gpu/drm/drm_plane.c: drm_plane_cleanup() */
export function drm_plane_cleanup(plane: drm_plane): void {
	const { dev } = plane;
	drm_mode_object_unregister(dev, plane.base);
	list_del(plane.head);
	dev.mode_config.num_total_plane--;
	if (plane.state) plane.funcs.atomic_destroy_state(plane, plane.state);
	plane.state = null;
}

/** Whether @plane shows @format. Linux: drivers/gpu/drm/drm_plane.c: drm_plane_has_format() */
export function drm_plane_has_format(plane: drm_plane, format: u32, modifier: u64): bool {
	return plane.format_types.includes(format) && plane.modifiers.includes(modifier);
}

/** Whether any plane shows @format. Linux: drivers/gpu/drm/drm_plane.c: drm_any_plane_has_format() */
export function drm_any_plane_has_format(dev: drm_device, format: u32, modifier: u64): bool {
	for (const plane of list_for_each_entry(dev.mode_config.plane_list))
		if (drm_plane_has_format(plane, format, modifier)) return true;
	return false;
}

/**
 * DRM_IOCTL_MODE_GETPLANERESOURCES: numbers of the planes.
 * Linux: drivers/gpu/drm/drm_plane.c: drm_mode_getplane_res()
 */
export function drm_mode_getplane_res(
	dev: drm_device,
	plane_resp: drm_mode_get_plane_res,
	file_priv: drm_file,
): int {
	let count = 0;
	for (const plane of list_for_each_entry(dev.mode_config.plane_list)) {
		// A program that does not know primary planes sees the overlays only.
		if (plane.type !== DRM_PLANE_TYPE_OVERLAY && !file_priv.universal_planes) continue;
		if (plane_resp.plane_id_ptr && count < plane_resp.count_planes)
			plane_resp.plane_id_ptr[count] = plane.base.id;
		count++;
	}
	plane_resp.count_planes = count;
	return 0;
}

function plane_find(dev: drm_device, file_priv: drm_file, id: u32): drm_plane | null {
	const obj = drm_mode_object_find(dev, file_priv, id, DRM_MODE_OBJECT_PLANE);
	return obj ? (obj.container as drm_plane) : null;
}

/**
 * DRM_IOCTL_MODE_GETPLANE: where it is, what it can show. -ENOENT.
 * Linux: drivers/gpu/drm/drm_plane.c: drm_mode_getplane()
 */
export function drm_mode_getplane(dev: drm_device, plane_resp: drm_mode_get_plane, file_priv: drm_file): int {
	const plane = plane_find(dev, file_priv, plane_resp.plane_id);
	if (!plane) return -ENOENT;
	const { state, format_types, format_count } = plane;
	// All formats or, with too little room, none; the number in any case.
	if (plane_resp.format_type_ptr && plane_resp.count_format_types >= format_count)
		for (const [i, format] of format_types.entries()) plane_resp.format_type_ptr[i] = format;
	Object.assign(plane_resp, {
		crtc_id: state?.crtc?.base.id ?? 0,
		fb_id: state?.fb?.base.id ?? 0,
		possible_crtcs: plane.possible_crtcs,
		gamma_size: 0,
		count_format_types: format_count,
	} satisfies Partial<drm_mode_get_plane>);
	return 0;
}

function __setplane_check(
	plane: drm_plane,
	crtc: drm_crtc,
	fb: drm_framebuffer,
	req: drm_mode_set_plane,
): int {
	if ((plane.possible_crtcs & drm_crtc_mask(crtc)) === 0) return -EINVAL;
	if (!drm_plane_has_format(plane, fb.format.format, fb.modifier)) return -EINVAL;
	if (
		req.crtc_w > INT_MAX ||
		req.crtc_x > INT_MAX - req.crtc_w ||
		req.crtc_h > INT_MAX ||
		req.crtc_y > INT_MAX - req.crtc_h
	)
		return -ERANGE;
	return drm_framebuffer_check_src_coords(req.src_x, req.src_y, req.src_w, req.src_h, fb);
}

/**
 * Show a framebuffer on a plane, or, without one, nothing.
 * Linux: drivers/gpu/drm/drm_plane.c: drm_mode_setplane()
 */
export function drm_mode_setplane(dev: drm_device, plane_req: drm_mode_set_plane, file_priv: drm_file): int {
	const plane = plane_find(dev, file_priv, plane_req.plane_id);
	if (!plane) return -ENOENT;

	let fb: drm_framebuffer | null = null;
	let crtc: drm_crtc | null = null;
	if (plane_req.fb_id) {
		fb = drm_framebuffer_lookup(dev, file_priv, plane_req.fb_id);
		if (!fb) return -ENOENT;
		const obj = drm_mode_object_find(dev, file_priv, plane_req.crtc_id, DRM_MODE_OBJECT_CRTC);
		if (!obj) {
			drm_framebuffer_put(fb);
			return -ENOENT;
		}
		crtc = obj.container as drm_crtc;
	}

	mutex_lock(dev.mode_config.mutex);
	let ret: int;
	if (!fb || !crtc) ret = plane.funcs.disable_plane(plane);
	else {
		ret = __setplane_check(plane, crtc, fb, plane_req);
		if (!ret)
			ret = plane.funcs.update_plane(
				plane,
				crtc,
				fb,
				plane_req.crtc_x,
				plane_req.crtc_y,
				plane_req.crtc_w,
				plane_req.crtc_h,
				plane_req.src_x,
				plane_req.src_y,
				plane_req.src_w,
				plane_req.src_h,
			);
	}
	mutex_unlock(dev.mode_config.mutex);
	if (fb) drm_framebuffer_put(fb);
	return ret;
}
