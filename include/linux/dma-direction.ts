// SPDX-License-Identifier: GPL-2.0-only
// Which way the bytes of a DMA transfer go.
// Linux 6.12: include/linux/dma-direction.h
import type { bool } from '#linux/types.js';

export type dma_data_direction = number;

export const DMA_BIDIRECTIONAL = 0;
export const DMA_TO_DEVICE = 1;
export const DMA_FROM_DEVICE = 2;
export const DMA_NONE = 3;

/** Whether @dir can be mapped: DMA_NONE cannot (include/linux/dma-direction.h: valid_dma_direction()). */
export function valid_dma_direction(dir: dma_data_direction): bool {
	return dir === DMA_BIDIRECTIONAL || dir === DMA_TO_DEVICE || dir === DMA_FROM_DEVICE;
}
