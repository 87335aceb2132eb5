// SPDX-License-Identifier: GPL-2.0-only
// Timings: copied, checked, converted from and to what users write.
// Linux 6.12: drivers/gpu/drm/drm_modes.c
// Left out: CVT and GTF, command line modes, EDID modes, interlace and doubled lines in the CRTC timings.
import {
	type drm_display_mode,
	type drm_mode_status,
	MODE_CLOCK_LOW,
	MODE_H_ILLEGAL,
	MODE_OK,
	MODE_V_ILLEGAL,
} from '#include/drm/drm_modes.js';
import { DRM_MODE_FLAG_ALL, type drm_mode_modeinfo } from '#include/uapi/drm/drm_mode.js';
import { EINVAL, ERANGE } from '#linux/errno.js';
import { type bool, INT_MAX, type int, type u16 } from '#linux/types.js';

/** Frames a second, rounded; 0 when the totals are. Linux: drivers/gpu/drm/drm_modes.c: drm_mode_vrefresh() */
export function drm_mode_vrefresh(mode: drm_display_mode): int {
	if (mode.htotal === 0 || mode.vtotal === 0) return 0;
	return Math.round((mode.clock * 1000) / (mode.htotal * mode.vtotal));
}

/** Name it by its size. Linux: drivers/gpu/drm/drm_modes.c: drm_mode_set_name() */
export function drm_mode_set_name(mode: drm_display_mode): void {
	mode.name = `${mode.hdisplay}x${mode.vdisplay}`;
}

/** What a mode is made of in time: the numbers that two equal modes have in common. */
const TIMINGS = [
	'clock',
	'hdisplay',
	'hsync_start',
	'hsync_end',
	'htotal',
	'vdisplay',
	'vsync_start',
	'vsync_end',
	'vtotal',
] as const;

/** What users and the kernel write down of a mode; the rate of frames comes on top for users. */
const SHARED = [...TIMINGS, 'hskew', 'vscan', 'flags', 'type'] as const;

/**
 * What the hardware is programmed with: here, the mode itself.
 * Linux: drivers/gpu/drm/drm_modes.c: drm_mode_set_crtcinfo()
 */
export function drm_mode_set_crtcinfo(p: drm_display_mode, _adjust_flags: int): void {
	for (const field of TIMINGS) p[`crtc_${field}`] = p[field];
}

/** Copy all but the list. Linux: drivers/gpu/drm/drm_modes.c: drm_mode_copy() */
export function drm_mode_copy(dst: drm_display_mode, src: drm_display_mode): void {
	const { head: _head, ...fields } = src;
	Object.assign(dst, fields);
}

/**
 * Whether two modes make the same picture, whatever they are called.
 * Linux: drivers/gpu/drm/drm_modes.c: drm_mode_equal()
 */
export function drm_mode_equal(a: drm_display_mode, b: drm_display_mode): bool {
	return a.flags === b.flags && TIMINGS.every((field) => a[field] === b[field]);
}

/** A line, or a frame, begins with its picture; then comes the pulse, and what is between is not less than nothing. */
function in_order(display: u16, sync_start: u16, sync_end: u16, total: u16): bool {
	return display > 0 && display <= sync_start && sync_start <= sync_end && sync_end <= total;
}

function drm_mode_validate_basic(mode: drm_display_mode): drm_mode_status {
	if (mode.clock === 0) return MODE_CLOCK_LOW;
	if (!in_order(mode.hdisplay, mode.hsync_start, mode.hsync_end, mode.htotal)) return MODE_H_ILLEGAL;
	if (!in_order(mode.vdisplay, mode.vsync_start, mode.vsync_end, mode.vtotal)) return MODE_V_ILLEGAL;
	return MODE_OK;
}

/** A mode as users get it. Linux: drivers/gpu/drm/drm_modes.c: drm_mode_convert_to_umode() */
export function drm_mode_convert_to_umode(out: drm_mode_modeinfo, input: drm_display_mode): void {
	for (const field of SHARED) out[field] = input[field];
	out.vrefresh = drm_mode_vrefresh(input);
	out.name = input.name;
}

/**
 * drm_mode_convert_umode - A user's mode
 *
 * -ERANGE for a clock or rate of more than 31 bits, -EINVAL for unknown flags and timings that cannot be.
 * Linux: drivers/gpu/drm/drm_modes.c: drm_mode_convert_umode()
 */
export function drm_mode_convert_umode(out: drm_display_mode, input: drm_mode_modeinfo): int {
	if (input.clock > INT_MAX || input.vrefresh > INT_MAX) return -ERANGE;
	if ((input.flags & ~DRM_MODE_FLAG_ALL) !== 0) return -EINVAL;
	for (const field of SHARED) out[field] = input[field];
	out.name = input.name;
	if (drm_mode_validate_basic(out) !== MODE_OK) return -EINVAL;
	drm_mode_set_crtcinfo(out, 0);
	return 0;
}
