// SPDX-License-Identifier: GPL-2.0-only
// What mode setting drivers have in common.
// Linux 6.12: drivers/gpu/drm/drm_modeset_helper.c
// Left out: suspend and resume.
import { drm_get_format_info } from '#drivers/gpu/drm/drm_fourcc.js';
import type { drm_device } from '#include/drm/drm_device.js';
import type { drm_framebuffer } from '#include/drm/drm_framebuffer.js';
import type { drm_mode_fb_cmd2 } from '#include/uapi/drm/drm_mode.js';

/**
 * What @mode_cmd says, into @fb.
 * Linux: drivers/gpu/drm/drm_modeset_helper.c: drm_helper_mode_fill_fb_struct()
 */
export function drm_helper_mode_fill_fb_struct(
	dev: drm_device,
	fb: drm_framebuffer,
	mode_cmd: drm_mode_fb_cmd2,
): void {
	fb.dev = dev;
	fb.format = drm_get_format_info(dev, mode_cmd)!;
	fb.width = mode_cmd.width;
	fb.height = mode_cmd.height;
	for (let i = 0; i < 4; i++) {
		fb.pitches[i] = mode_cmd.pitches[i];
		fb.offsets[i] = mode_cmd.offsets[i];
	}
	fb.modifier = mode_cmd.modifier[0];
	fb.flags = mode_cmd.flags;
}
