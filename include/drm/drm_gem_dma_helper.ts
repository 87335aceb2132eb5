// SPDX-License-Identifier: GPL-2.0-only
// Buffers that are contiguous to the device, from the DMA API.
// Linux 6.12: include/drm/drm_gem_dma_helper.h
import { drm_gem_object } from '#include/drm/drm_gem.js';
import type { sg_table } from '#linux/scatterlist.js';
import { type bool, type dma_addr_t, ref, type void_ptr } from '#linux/types.js';

export class drm_gem_dma_object extends drm_gem_object {
	readonly dma_addr = new ref<dma_addr_t>(0);
	/** Of an import: what the exporter mapped for us. */
	sgt: sg_table | null = null;
	vaddr: void_ptr | null = null;
	map_noncoherent: bool = false;
}

/**
 * The buffer, which must be one from the DMA API.
 * Linux: include/drm/drm_gem_dma_helper.h: to_drm_gem_dma_obj()
 */
export function to_drm_gem_dma_obj(gem_obj: drm_gem_object): drm_gem_dma_object {
	if (!(gem_obj instanceof drm_gem_dma_object)) throw new TypeError('to_drm_gem_dma_obj: not a DMA object');
	return gem_obj;
}
