// SPDX-License-Identifier: GPL-2.0-only
// All faults there are.
import type { Fault } from '#tests/bugs/fault.js';
import { CLIENTS } from '#tests/bugs/faults/clients.js';
import { COHERENT, DIRECT, MAPPING, POOL, SWIOTLB } from '#tests/bugs/faults/dma.js';
import { DMA_IOMMU } from '#tests/bugs/faults/dma-iommu.js';
import { EDU } from '#tests/bugs/faults/edu.js';
import { IOMMU, IOVA } from '#tests/bugs/faults/iommu.js';
import { ROCKCHIP } from '#tests/bugs/faults/rockchip.js';
import { SUN50I } from '#tests/bugs/faults/sun50i.js';

export const FAULTS: readonly Fault[] = [
	...SUN50I,
	...ROCKCHIP,
	...EDU,
	...IOMMU,
	...IOVA,
	...DMA_IOMMU,
	...DIRECT,
	...MAPPING,
	...COHERENT,
	...POOL,
	...SWIOTLB,
	...CLIENTS,
];
