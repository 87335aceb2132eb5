// SPDX-License-Identifier: GPL-2.0-only
// Timings of a picture on its way to a monitor.
// Linux 6.12: include/drm/drm_modes.h

import { list_head } from '#linux/list.js';
import type { int, u8, u16, u32 } from '#linux/types.js';

export type drm_mode_status = int;
export const MODE_OK = 0;
export const MODE_HSYNC = 1;
export const MODE_VSYNC = 2;
export const MODE_H_ILLEGAL = 3;
export const MODE_V_ILLEGAL = 4;
export const MODE_CLOCK_HIGH = 15;
export const MODE_CLOCK_LOW = 16;
export const MODE_BAD = -2;

export class drm_display_mode {
	/** In kHz. */
	clock: int = 0;
	hdisplay: u16 = 0;
	hsync_start: u16 = 0;
	hsync_end: u16 = 0;
	htotal: u16 = 0;
	hskew: u16 = 0;
	vdisplay: u16 = 0;
	vsync_start: u16 = 0;
	vsync_end: u16 = 0;
	vtotal: u16 = 0;
	vscan: u16 = 0;
	flags: u32 = 0;
	crtc_clock: int = 0;
	crtc_hdisplay: u16 = 0;
	crtc_hsync_start: u16 = 0;
	crtc_hsync_end: u16 = 0;
	crtc_htotal: u16 = 0;
	crtc_vdisplay: u16 = 0;
	crtc_vsync_start: u16 = 0;
	crtc_vsync_end: u16 = 0;
	crtc_vtotal: u16 = 0;
	type: u8 = 0;
	readonly head = new list_head<drm_display_mode>(this);
	name = '';
}
