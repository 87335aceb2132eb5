// SPDX-License-Identifier: GPL-2.0-only
// Pictures in memory: made, found, shown, removed.
// Linux 6.12: drivers/gpu/drm/drm_framebuffer.c
// Left out: ADDFB (the old form), GETFB, DIRTYFB, CLOSEFB, modifiers other than linear, debugfs.
import {
	drm_atomic_commit,
	drm_atomic_get_plane_state,
	drm_atomic_state_alloc,
	drm_atomic_state_put,
} from '#drivers/gpu/drm/drm_atomic.js';
import {
	drm_atomic_set_crtc_for_plane,
	drm_atomic_set_fb_for_plane,
} from '#drivers/gpu/drm/drm_atomic_uapi.js';
import { __drm_format_info } from '#drivers/gpu/drm/drm_fourcc.js';
import {
	__drm_mode_object_add,
	drm_mode_object_find,
	drm_mode_object_get,
	drm_mode_object_put,
	drm_mode_object_unregister,
} from '#drivers/gpu/drm/drm_mode_object.js';
import type { drm_device } from '#include/drm/drm_device.js';
import { DRIVER_MODESET, drm_core_check_feature } from '#include/drm/drm_drv.js';
import type { drm_file } from '#include/drm/drm_file.js';
import {
	DRM_FORMAT_MAX_PLANES,
	type drm_format_info,
	drm_format_info_min_pitch,
	drm_format_info_plane_height,
	drm_format_info_plane_width,
} from '#include/drm/drm_fourcc.js';
import type { drm_framebuffer, drm_framebuffer_funcs } from '#include/drm/drm_framebuffer.js';
import type { drm_mode_object } from '#include/drm/drm_mode_object.js';
import {
	DRM_MODE_FB_INTERLACED,
	DRM_MODE_FB_MODIFIERS,
	DRM_MODE_OBJECT_FB,
	type drm_mode_fb_cmd2,
	type drm_mode_rmfb_arg,
} from '#include/uapi/drm/drm_mode.js';
import { WARN_ON } from '#linux/bug.js';
import { dev_dbg } from '#linux/dev_printk.js';
import { ERR_PTR, type err_ptr, IS_ERR, PTR_ERR } from '#linux/err.js';
import { EINVAL, ENOENT, ENOMEM, ENOSPC, EOPNOTSUPP, ERANGE } from '#linux/errno.js';
import { type kref, kref_read } from '#linux/kref.js';
import {
	INIT_LIST_HEAD,
	list_add,
	list_del,
	list_del_init,
	list_empty,
	list_for_each_entry,
	list_for_each_entry_safe,
} from '#linux/list.js';
import { mutex_lock, mutex_unlock } from '#linux/mutex.js';
import { type bool, type int, U32_MAX, type u32 } from '#linux/types.js';

/**
 * Whether the part of @fb that a plane is to show lies in it. -ENOSPC.
 * Linux: drivers/gpu/drm/drm_framebuffer.c: drm_framebuffer_check_src_coords()
 */
export function drm_framebuffer_check_src_coords(
	src_x: u32,
	src_y: u32,
	src_w: u32,
	src_h: u32,
	fb: drm_framebuffer,
): int {
	const fb_width = fb.width * 65536;
	const fb_height = fb.height * 65536;
	if (src_w > fb_width || src_x > fb_width - src_w || src_h > fb_height || src_y > fb_height - src_h) {
		dev_dbg(fb.dev.dev, 'Invalid source coordinates (fb %ux%u)', fb.width, fb.height);
		return -ENOSPC;
	}
	return 0;
}

/** One plane of what a user describes: a buffer, and room for its rows. */
function framebuffer_check_plane(dev: drm_device, r: drm_mode_fb_cmd2, info: drm_format_info, i: int): int {
	const min_pitch = drm_format_info_min_pitch(info, i, drm_format_info_plane_width(info, r.width, i));
	const end = drm_format_info_plane_height(info, r.height, i) * r.pitches[i] + r.offsets[i];

	if (!r.handles[i]) {
		dev_dbg(dev.dev, 'no buffer object handle for plane %d', i);
		return -EINVAL;
	}
	if (min_pitch > U32_MAX || end > U32_MAX) return -ERANGE;
	if (r.pitches[i] < min_pitch) {
		dev_dbg(dev.dev, 'bad pitch %u for plane %d', r.pitches[i], i);
		return -EINVAL;
	}
	// With the flag all planes have one modifier, without it none.
	const modifier = r.flags & DRM_MODE_FB_MODIFIERS ? r.modifier[0] : 0;
	if (r.modifier[i] === modifier) return 0;
	dev_dbg(dev.dev, 'bad fb modifier 0x%llx for plane %d', r.modifier[i], i);
	return -EINVAL;
}

/** Old programs leave garbage in planes that a format does not have; who knows modifiers does not. */
function framebuffer_plane_unused(r: drm_mode_fb_cmd2, i: int): bool {
	if (r.modifier[i]) return false;
	return !(r.flags & DRM_MODE_FB_MODIFIERS) || !(r.handles[i] || r.pitches[i] || r.offsets[i]);
}

function framebuffer_check(dev: drm_device, r: drm_mode_fb_cmd2): int {
	const info = __drm_format_info(r.pixel_format);
	if (!info) {
		dev_dbg(dev.dev, 'bad framebuffer format 0x%08x', r.pixel_format);
		return -EINVAL;
	}
	if (r.width === 0 || r.height === 0) return -EINVAL;
	for (let i = 0; i < DRM_FORMAT_MAX_PLANES; i++) {
		if (i < info.num_planes) {
			const ret = framebuffer_check_plane(dev, r, info, i);
			if (ret) return ret;
		} else if (!framebuffer_plane_unused(r, i)) return -EINVAL;
	}
	return 0;
}

/**
 * A framebuffer as @r describes it, with one reference.
 * Linux: drivers/gpu/drm/drm_framebuffer.c: drm_internal_framebuffer_create()
 */
export function drm_internal_framebuffer_create(
	dev: drm_device,
	r: drm_mode_fb_cmd2,
	file_priv: drm_file,
): drm_framebuffer | err_ptr {
	const { funcs, min_width, max_width, min_height, max_height } = dev.mode_config;
	const known = DRM_MODE_FB_INTERLACED | DRM_MODE_FB_MODIFIERS;
	const fits =
		r.width >= min_width && r.width <= max_width && r.height >= min_height && r.height <= max_height;
	const ret = fits && (r.flags & ~known) === 0 ? framebuffer_check(dev, r) : -EINVAL;
	return ret ? ERR_PTR(ret) : funcs!.fb_create(dev, file_priv, r);
}

/**
 * A framebuffer that lives until its file removes it or is closed.
 * Linux: drivers/gpu/drm/drm_framebuffer.c: drm_mode_addfb2()
 */
export function drm_mode_addfb2(dev: drm_device, r: drm_mode_fb_cmd2, file_priv: drm_file): int {
	if (!drm_core_check_feature(dev, DRIVER_MODESET)) return -EOPNOTSUPP;
	const fb = drm_internal_framebuffer_create(dev, r, file_priv);
	if (IS_ERR(fb)) return PTR_ERR(fb);
	r.fb_id = fb.base.id;

	// The file's list has the reference.
	mutex_lock(file_priv.fbs_lock);
	list_add(fb.filp_head, file_priv.fbs);
	mutex_unlock(file_priv.fbs_lock);
	return 0;
}

/**
 * DRM_IOCTL_MODE_ADDFB2: drm_mode_addfb2().
 * Linux: drivers/gpu/drm/drm_framebuffer.c: drm_mode_addfb2_ioctl()
 */
export function drm_mode_addfb2_ioctl(dev: drm_device, data: drm_mode_fb_cmd2, file_priv: drm_file): int {
	return drm_mode_addfb2(dev, data, file_priv);
}

/** Take @fbs off the screen, and drop the file's references. C does this in a work. */
function drm_mode_rmfb_work_fn(fb: drm_framebuffer): void {
	drm_framebuffer_remove(fb);
}

function drm_mode_closefb(fb: drm_framebuffer, file_priv: drm_file): int {
	mutex_lock(file_priv.fbs_lock);
	let found = false;
	for (const fbl of list_for_each_entry(file_priv.fbs)) if (fb === fbl) found = true;
	if (found) list_del_init(fb.filp_head);
	mutex_unlock(file_priv.fbs_lock);
	if (!found) return -ENOENT;
	// The file's reference; the caller has its own.
	drm_framebuffer_put(fb);
	return 0;
}

/**
 * Remove a framebuffer of the caller's; planes that show it go dark. -ENOENT.
 * Linux: drivers/gpu/drm/drm_framebuffer.c: drm_mode_rmfb()
 */
export function drm_mode_rmfb(dev: drm_device, fb_id: u32, file_priv: drm_file): int {
	if (!drm_core_check_feature(dev, DRIVER_MODESET)) return -EOPNOTSUPP;
	const fb = drm_framebuffer_lookup(dev, file_priv, fb_id);
	if (!fb) return -ENOENT;
	const ret = drm_mode_closefb(fb, file_priv);
	if (ret !== 0) {
		drm_framebuffer_put(fb);
		return ret;
	}
	if (drm_framebuffer_read_refcount(fb) > 1) {
		WARN_ON(!list_empty(fb.filp_head));
		drm_mode_rmfb_work_fn(fb);
	} else drm_framebuffer_put(fb);
	return 0;
}

/** DRM_IOCTL_MODE_RMFB: drm_mode_rmfb(). Linux: drivers/gpu/drm/drm_framebuffer.c: drm_mode_rmfb_ioctl() */
export function drm_mode_rmfb_ioctl(dev: drm_device, data: drm_mode_rmfb_arg, file_priv: drm_file): int {
	return drm_mode_rmfb(dev, data.fb_id, file_priv);
}

/** A file is closed: its framebuffers go. Linux: drivers/gpu/drm/drm_framebuffer.c: drm_fb_release() */
export function drm_fb_release(priv: drm_file): void {
	for (const fb of list_for_each_entry_safe(priv.fbs)) {
		list_del_init(fb.filp_head);
		if (drm_framebuffer_read_refcount(fb) > 1) drm_mode_rmfb_work_fn(fb);
		else drm_framebuffer_put(fb);
	}
}

function drm_framebuffer_free(kref: kref): void {
	const fb = (kref.container as drm_mode_object).container as drm_framebuffer;
	drm_mode_object_unregister(fb.dev, fb.base);
	fb.funcs.destroy(fb);
}

/**
 * Make @fb known; it has one reference then.
 * Linux: drivers/gpu/drm/drm_framebuffer.c: drm_framebuffer_init()
 */
export function drm_framebuffer_init(
	dev: drm_device,
	fb: drm_framebuffer,
	funcs: drm_framebuffer_funcs,
): int {
	if (WARN_ON(fb.dev !== dev || !fb.format)) return -EINVAL;
	INIT_LIST_HEAD(fb.filp_head);
	fb.funcs = funcs;
	const ret = __drm_mode_object_add(dev, fb.base, DRM_MODE_OBJECT_FB, false, drm_framebuffer_free);
	if (ret) return ret;
	mutex_lock(dev.mode_config.fb_lock);
	dev.mode_config.num_fb++;
	list_add(fb.head, dev.mode_config.fb_list);
	mutex_unlock(dev.mode_config.fb_lock);
	return 0;
}

/**
 * The framebuffer with that number, with a reference, or null.
 * Linux: drivers/gpu/drm/drm_framebuffer.c: drm_framebuffer_lookup()
 */
export function drm_framebuffer_lookup(
	dev: drm_device,
	file_priv: drm_file | null,
	id: u32,
): drm_framebuffer | null {
	const obj = drm_mode_object_find(dev, file_priv, id, DRM_MODE_OBJECT_FB);
	return obj ? (obj.container as drm_framebuffer) : null;
}

/** Keep @fb. Linux: include/drm/drm_framebuffer.h: drm_framebuffer_get() */
export function drm_framebuffer_get(fb: drm_framebuffer): void {
	drm_mode_object_get(fb.base);
}

/** Drop a reference; the last one frees it. Linux: include/drm/drm_framebuffer.h: drm_framebuffer_put() */
export function drm_framebuffer_put(fb: drm_framebuffer): void {
	drm_mode_object_put(fb.base);
}

/** How many hold @fb. Linux: include/drm/drm_framebuffer.h: drm_framebuffer_read_refcount() */
export function drm_framebuffer_read_refcount(fb: drm_framebuffer): u32 {
	return kref_read(fb.base.refcount);
}

/** What a driver's destroy calls first. Linux: drivers/gpu/drm/drm_framebuffer.c: drm_framebuffer_cleanup() */
export function drm_framebuffer_cleanup(fb: drm_framebuffer): void {
	mutex_lock(fb.dev.mode_config.fb_lock);
	list_del(fb.head);
	fb.dev.mode_config.num_fb--;
	mutex_unlock(fb.dev.mode_config.fb_lock);
}

/** Turn off the planes that show @fb. C turns the CRTC off too when the driver insists on its primary plane. */
function atomic_remove_fb(fb: drm_framebuffer): int {
	const { dev } = fb;
	const state = drm_atomic_state_alloc(dev);
	if (!state) return -ENOMEM;

	mutex_lock(dev.mode_config.mutex);
	let ret: int = 0;
	let planes = 0;
	for (const plane of list_for_each_entry(dev.mode_config.plane_list)) {
		if (plane.state?.fb !== fb) continue;
		const plane_state = drm_atomic_get_plane_state(state, plane);
		ret = IS_ERR(plane_state)
			? PTR_ERR(plane_state)
			: drm_atomic_set_crtc_for_plane(plane_state, null, state);
		if (ret || IS_ERR(plane_state)) break;
		drm_atomic_set_fb_for_plane(plane_state, null);
		planes++;
	}
	if (!ret && planes) ret = drm_atomic_commit(state);
	mutex_unlock(dev.mode_config.mutex);
	drm_atomic_state_put(state);
	return ret;
}

/**
 * Take @fb off the screen and drop the caller's reference.
 * Linux: drivers/gpu/drm/drm_framebuffer.c: drm_framebuffer_remove()
 */
export function drm_framebuffer_remove(fb: drm_framebuffer | null): void {
	if (!fb) return;
	if (drm_framebuffer_read_refcount(fb) > 1) {
		const ret = atomic_remove_fb(fb);
		WARN_ON(ret !== 0);
	}
	drm_framebuffer_put(fb);
}
