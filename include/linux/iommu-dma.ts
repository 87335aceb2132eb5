// SPDX-License-Identifier: GPL-2.0-only
// Whether a device's DMA goes through dma-iommu.
// Linux 6.12: include/linux/iommu-dma.h
import { deref } from '#arch/arm64/mm/fault.js';
import type { device } from '#linux/device.js';
import type { bool } from '#linux/types.js';

/** Whether drivers/iommu/dma-iommu maps for @dev (include/linux/iommu-dma.h: use_dma_iommu()). */
export function use_dma_iommu(dev: device): bool {
	return deref(dev).dma_iommu;
}
