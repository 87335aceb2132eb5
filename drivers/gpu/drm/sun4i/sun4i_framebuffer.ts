// SPDX-License-Identifier: GPL-2.0-only
// What this display can show, and how it commits.
// Linux 6.12: drivers/gpu/drm/sun4i/sun4i_framebuffer.c
import {
	drm_atomic_helper_check_modeset,
	drm_atomic_helper_check_planes,
	drm_atomic_helper_commit,
	drm_atomic_helper_commit_tail_rpm,
} from '#drivers/gpu/drm/drm_atomic_helper.js';
import { drm_atomic_normalize_zpos } from '#drivers/gpu/drm/drm_blend.js';
import { drm_gem_fb_create } from '#drivers/gpu/drm/drm_gem_framebuffer_helper.js';
import { drm_mode_config_reset } from '#drivers/gpu/drm/drm_mode_config.js';
import type { drm_atomic_state } from '#include/drm/drm_atomic.js';
import type { drm_device } from '#include/drm/drm_device.js';
import type { drm_mode_config_funcs, drm_mode_config_helper_funcs } from '#include/drm/drm_mode_config.js';
import type { int } from '#linux/types.js';

function sun4i_de_atomic_check(dev: drm_device, state: drm_atomic_state): int {
	let ret = drm_atomic_helper_check_modeset(dev, state);
	if (ret) return ret;
	ret = drm_atomic_normalize_zpos(dev, state);
	if (ret) return ret;
	return drm_atomic_helper_check_planes(dev, state);
}

const sun4i_de_mode_config_funcs: drm_mode_config_funcs = {
	atomic_check: sun4i_de_atomic_check,
	atomic_commit: drm_atomic_helper_commit,
	fb_create: drm_gem_fb_create,
};

const sun4i_de_mode_config_helpers: drm_mode_config_helper_funcs = {
	atomic_commit_tail: drm_atomic_helper_commit_tail_rpm,
};

/**
 * Limits and calls of the mode configuration; all states are reset. -ENOMEM.
 * Linux: drivers/gpu/drm/sun4i/sun4i_framebuffer.c: sun4i_framebuffer_init()
 */
export function sun4i_framebuffer_init(drm: drm_device): int {
	const ret = drm_mode_config_reset(drm);
	drm.mode_config.max_width = 8192;
	drm.mode_config.max_height = 8192;
	drm.mode_config.funcs = sun4i_de_mode_config_funcs;
	drm.mode_config.helper_private = sun4i_de_mode_config_helpers;
	return ret;
}
