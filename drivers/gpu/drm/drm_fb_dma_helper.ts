// SPDX-License-Identifier: GPL-2.0-only
// From a framebuffer to the DMA address of what it shows.
// Linux 6.12: drivers/gpu/drm/drm_fb_dma_helper.c
// Left out: the panic buffer, syncing of cached buffers.
import type { drm_framebuffer } from '#include/drm/drm_framebuffer.js';
import { type drm_gem_dma_object, to_drm_gem_dma_obj } from '#include/drm/drm_gem_dma_helper.js';
import type { drm_plane_state } from '#include/drm/drm_plane.js';
import type { dma_addr_t, unsigned_int } from '#linux/types.js';

/** The buffer of plane @plane, or null. Linux: drivers/gpu/drm/drm_fb_dma_helper.c: drm_fb_dma_get_gem_obj() */
export function drm_fb_dma_get_gem_obj(fb: drm_framebuffer, plane: unsigned_int): drm_gem_dma_object | null {
	const gem = fb.obj[plane] ?? null;
	return gem === null ? null : to_drm_gem_dma_obj(gem);
}

/**
 * Where the device reads the first pixel that @state shows.
 * Linux: drivers/gpu/drm/drm_fb_dma_helper.c: drm_fb_dma_get_gem_addr()
 */
export function drm_fb_dma_get_gem_addr(
	fb: drm_framebuffer,
	state: drm_plane_state,
	plane: unsigned_int,
): dma_addr_t {
	const obj = drm_fb_dma_get_gem_obj(fb, plane);
	if (obj === null) return 0;
	const h_div = plane > 0 ? fb.format.hsub : 1;
	const v_div = plane > 0 ? fb.format.vsub : 1;
	const x = Math.floor(Math.floor(state.src_x / 65536) / h_div);
	const y = Math.floor(Math.floor(state.src_y / 65536) / v_div);
	return obj.dma_addr.value + fb.offsets[plane] + fb.format.cpp[plane] * x + fb.pitches[plane] * y;
}
