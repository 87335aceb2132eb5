// SPDX-License-Identifier: GPL-2.0-only
// Framebuffers on GEM buffers.
// Linux 6.12: drivers/gpu/drm/drm_gem_framebuffer_helper.c
// Left out: AFBC, CPU access helpers, vmap of all planes.
import { drm_get_format_info } from '#drivers/gpu/drm/drm_fourcc.js';
import { drm_framebuffer_cleanup, drm_framebuffer_init } from '#drivers/gpu/drm/drm_framebuffer.js';
import {
	drm_gem_handle_create,
	drm_gem_object_lookup,
	drm_gem_object_put,
} from '#drivers/gpu/drm/drm_gem.js';
import { drm_helper_mode_fill_fb_struct } from '#drivers/gpu/drm/drm_modeset_helper.js';
import { drm_any_plane_has_format } from '#drivers/gpu/drm/drm_plane.js';
import type { drm_device } from '#include/drm/drm_device.js';
import type { drm_file } from '#include/drm/drm_file.js';
import {
	DRM_FORMAT_MAX_PLANES,
	type drm_format_info,
	drm_format_info_min_pitch,
	drm_format_info_plane_height,
	drm_format_info_plane_width,
} from '#include/drm/drm_fourcc.js';
import { drm_framebuffer, type drm_framebuffer_funcs } from '#include/drm/drm_framebuffer.js';
import type { drm_gem_object } from '#include/drm/drm_gem.js';
import type { drm_mode_fb_cmd2 } from '#include/uapi/drm/drm_mode.js';
import { dev_dbg } from '#linux/dev_printk.js';
import { ERR_PTR, type err_ptr, IS_ERR, PTR_ERR } from '#linux/err.js';
import { EINVAL, ENOENT, ENOMEM } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { kfree, kzalloc } from '#linux/slab.js';
import type { int, ref, unsigned_int } from '#linux/types.js';

/**
 * The buffer of plane @plane, or null.
 * Linux: drivers/gpu/drm/drm_gem_framebuffer_helper.c: drm_gem_fb_get_obj()
 */
export function drm_gem_fb_get_obj(fb: drm_framebuffer, plane: unsigned_int): drm_gem_object | null {
	return fb.obj[plane] ?? null;
}

function drm_gem_fb_init(
	dev: drm_device,
	fb: drm_framebuffer,
	mode_cmd: drm_mode_fb_cmd2,
	obj: readonly (drm_gem_object | null)[],
	num_planes: unsigned_int,
	funcs: drm_framebuffer_funcs,
): int {
	drm_helper_mode_fill_fb_struct(dev, fb, mode_cmd);
	for (let i = 0; i < num_planes; i++) fb.obj[i] = obj[i];
	return drm_framebuffer_init(dev, fb, funcs);
}

/**
 * The last reference is gone: the buffers lose theirs.
 * Linux: drivers/gpu/drm/drm_gem_framebuffer_helper.c: drm_gem_fb_destroy()
 */
export function drm_gem_fb_destroy(fb: drm_framebuffer): void {
	for (let i = 0; i < fb.format.num_planes; i++) drm_gem_object_put(fb.obj[i]);
	drm_framebuffer_cleanup(fb);
	kfree(fb);
}

/**
 * A handle for the first buffer, for who asks by GETFB.
 * Linux: drivers/gpu/drm/drm_gem_framebuffer_helper.c: drm_gem_fb_create_handle()
 */
export function drm_gem_fb_create_handle(
	fb: drm_framebuffer,
	file: drm_file,
	handle: ref<unsigned_int>,
): int {
	return drm_gem_handle_create(file, fb.obj[0]!, handle);
}

/** The buffer of plane @i with a reference. -ENOENT: no such handle; -EINVAL: the last row ends behind the buffer. */
function gem_fb_plane(
	dev: drm_device,
	file: drm_file,
	mode_cmd: drm_mode_fb_cmd2,
	info: drm_format_info,
	i: int,
): drm_gem_object | err_ptr {
	const obj = drm_gem_object_lookup(file, mode_cmd.handles[i]);
	if (!obj) return ERR_PTR(-ENOENT);
	const rows = drm_format_info_plane_height(info, mode_cmd.height, i);
	const row = drm_format_info_min_pitch(info, i, drm_format_info_plane_width(info, mode_cmd.width, i));
	const min_size = mode_cmd.offsets[i] + (rows - 1) * mode_cmd.pitches[i] + row;
	if (obj.size >= min_size) return obj;
	dev_dbg(
		dev.dev,
		'GEM object size (%zu) smaller than minimum size (%u) for plane %d',
		obj.size,
		min_size,
		i,
	);
	drm_gem_object_put(obj);
	return ERR_PTR(-EINVAL);
}

/**
 * drm_gem_fb_init_with_funcs - Fill @fb from a user's description
 *
 * Returns 0; -EINVAL when no plane shows the format or a buffer is too small; -ENOENT for a handle that is none.
 * Linux: drivers/gpu/drm/drm_gem_framebuffer_helper.c: drm_gem_fb_init_with_funcs()
 */
export function drm_gem_fb_init_with_funcs(
	dev: drm_device,
	fb: drm_framebuffer,
	file: drm_file,
	mode_cmd: drm_mode_fb_cmd2,
	funcs: drm_framebuffer_funcs,
): int {
	const info = drm_get_format_info(dev, mode_cmd);
	if (!info) return -EINVAL;
	if (!drm_any_plane_has_format(dev, mode_cmd.pixel_format, mode_cmd.modifier[0])) {
		dev_dbg(dev.dev, 'Unsupported pixel format 0x%08x', mode_cmd.pixel_format);
		return -EINVAL;
	}

	const objs: (drm_gem_object | null)[] = new Array(DRM_FORMAT_MAX_PLANES).fill(null);
	let ret: int = 0;
	for (let i = 0; i < info.num_planes && !ret; i++) {
		const obj = gem_fb_plane(dev, file, mode_cmd, info, i);
		if (IS_ERR(obj)) ret = PTR_ERR(obj);
		else objs[i] = obj;
	}
	if (!ret) ret = drm_gem_fb_init(dev, fb, mode_cmd, objs, info.num_planes, funcs);
	if (ret) for (const obj of objs.reverse()) drm_gem_object_put(obj);
	return ret;
}

const drm_gem_fb_funcs: drm_framebuffer_funcs = {
	destroy: drm_gem_fb_destroy,
	create_handle: drm_gem_fb_create_handle,
};

/** The fb_create of most drivers. Linux: drivers/gpu/drm/drm_gem_framebuffer_helper.c: drm_gem_fb_create() */
export function drm_gem_fb_create(
	dev: drm_device,
	file: drm_file,
	mode_cmd: drm_mode_fb_cmd2,
): drm_framebuffer | err_ptr {
	const fb = kzalloc(drm_framebuffer, GFP_KERNEL);
	if (!fb) return ERR_PTR(-ENOMEM);
	const ret = drm_gem_fb_init_with_funcs(dev, fb, file, mode_cmd, drm_gem_fb_funcs);
	if (ret) {
		kfree(fb);
		return ERR_PTR(ret);
	}
	return fb;
}
