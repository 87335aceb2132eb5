// SPDX-License-Identifier: GPL-2.0-only
// Timings: copied, checked, converted from and to what users write.
// Linux 6.12: drivers/gpu/drm/drm_modes.c
// Left out: CVT and GTF, command line modes, EDID modes, interlace and doubled lines in the CRTC timings.
import {
	type drm_display_mode,
	type drm_mode_status,
	MODE_BAD,
	MODE_HSYNC,
	MODE_OK,
	MODE_VSYNC,
} from '#include/drm/drm_modes.js';
import { DRM_MODE_FLAG_ALL, type drm_mode_modeinfo } from '#include/uapi/drm/drm_mode.js';
import { EINVAL, ERANGE } from '#linux/errno.js';
import type { bool, int } from '#linux/types.js';
import { INT_MAX } from '#linux/types.js';

/** Linux: drm_mode_vrefresh() */
export function drm_mode_vrefresh(mode: drm_display_mode): int {
	if (mode.htotal === 0 || mode.vtotal === 0) return 0;
	return Math.round((mode.clock * 1000) / (mode.htotal * mode.vtotal));
}

/** Linux: drm_mode_set_name() */
export function drm_mode_set_name(mode: drm_display_mode): void {
	mode.name = `${mode.hdisplay}x${mode.vdisplay}`;
}

/** Linux: drm_mode_set_crtcinfo() */
export function drm_mode_set_crtcinfo(p: drm_display_mode, _adjust_flags: int): void {
	p.crtc_clock = p.clock;
	p.crtc_hdisplay = p.hdisplay;
	p.crtc_hsync_start = p.hsync_start;
	p.crtc_hsync_end = p.hsync_end;
	p.crtc_htotal = p.htotal;
	p.crtc_vdisplay = p.vdisplay;
	p.crtc_vsync_start = p.vsync_start;
	p.crtc_vsync_end = p.vsync_end;
	p.crtc_vtotal = p.vtotal;
}

/** Copy all but the list. Linux: drm_mode_copy() */
export function drm_mode_copy(dst: drm_display_mode, src: drm_display_mode): void {
	const { head: _head, ...fields } = src;
	Object.assign(dst, fields);
}

/** Linux: drm_mode_equal() */
export function drm_mode_equal(a: drm_display_mode, b: drm_display_mode): bool {
	return (
		a.clock === b.clock &&
		a.hdisplay === b.hdisplay &&
		a.hsync_start === b.hsync_start &&
		a.hsync_end === b.hsync_end &&
		a.htotal === b.htotal &&
		a.vdisplay === b.vdisplay &&
		a.vsync_start === b.vsync_start &&
		a.vsync_end === b.vsync_end &&
		a.vtotal === b.vtotal &&
		a.flags === b.flags
	);
}

function drm_mode_validate_basic(mode: drm_display_mode): drm_mode_status {
	if (mode.clock === 0) return MODE_BAD;
	if (
		mode.hdisplay === 0 ||
		mode.hsync_start < mode.hdisplay ||
		mode.hsync_end < mode.hsync_start ||
		mode.htotal < mode.hsync_end
	)
		return MODE_HSYNC;
	if (
		mode.vdisplay === 0 ||
		mode.vsync_start < mode.vdisplay ||
		mode.vsync_end < mode.vsync_start ||
		mode.vtotal < mode.vsync_end
	)
		return MODE_VSYNC;
	return MODE_OK;
}

/** Linux: drm_mode_convert_to_umode() */
export function drm_mode_convert_to_umode(out: drm_mode_modeinfo, input: drm_display_mode): void {
	out.clock = input.clock;
	out.hdisplay = input.hdisplay;
	out.hsync_start = input.hsync_start;
	out.hsync_end = input.hsync_end;
	out.htotal = input.htotal;
	out.hskew = input.hskew;
	out.vdisplay = input.vdisplay;
	out.vsync_start = input.vsync_start;
	out.vsync_end = input.vsync_end;
	out.vtotal = input.vtotal;
	out.vscan = input.vscan;
	out.vrefresh = drm_mode_vrefresh(input);
	out.flags = input.flags;
	out.type = input.type;
	out.name = input.name;
}

/** A user's mode; -ERANGE for a clock of more than 31 bits, -EINVAL for timings that cannot be. */
export function drm_mode_convert_umode(out: drm_display_mode, input: drm_mode_modeinfo): int {
	if (input.clock > INT_MAX || input.vrefresh > INT_MAX) return -ERANGE;
	if ((input.flags & ~DRM_MODE_FLAG_ALL) !== 0) return -EINVAL;
	out.clock = input.clock;
	out.hdisplay = input.hdisplay;
	out.hsync_start = input.hsync_start;
	out.hsync_end = input.hsync_end;
	out.htotal = input.htotal;
	out.hskew = input.hskew;
	out.vdisplay = input.vdisplay;
	out.vsync_start = input.vsync_start;
	out.vsync_end = input.vsync_end;
	out.vtotal = input.vtotal;
	out.vscan = input.vscan;
	out.flags = input.flags;
	out.type = input.type;
	out.name = input.name;
	if (drm_mode_validate_basic(out) !== MODE_OK) return -EINVAL;
	drm_mode_set_crtcinfo(out, 0);
	return 0;
}
