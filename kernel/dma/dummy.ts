// SPDX-License-Identifier: GPL-2.0-only
// DMA ops of a device that may not do DMA: everything fails.
// Linux 6.12: kernel/dma/dummy.c
import { WARN_ON_ONCE } from '#linux/bug.js';
import type { dma_map_ops } from '#linux/dma-map-ops.js';
import { DMA_MAPPING_ERROR } from '#linux/dma-mapping.js';
import { EINVAL, ENXIO } from '#linux/errno.js';

export const dma_dummy_ops: dma_map_ops = {
	mmap: () => -ENXIO,
	map_page: () => DMA_MAPPING_ERROR,
	// Nothing can have been mapped.
	unmap_page: () => {
		WARN_ON_ONCE(true);
	},
	map_sg: () => -EINVAL,
	unmap_sg: () => {
		WARN_ON_ONCE(true);
	},
	dma_supported: () => 0,
};
