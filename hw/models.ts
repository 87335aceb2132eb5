// SPDX-License-Identifier: GPL-2.0-only
// Every model, by the `compatible` that it stands for: the list of the files that have one.

import { ccuModels } from '#hw/clk/ccu.js';
import { resetSimpleModels } from '#hw/clk/reset-simple.js';
import { rockchipCruModels } from '#hw/clk/rockchip-cru.js';
import type { Models } from '#hw/core/model.js';
import { tconModels } from '#hw/display/sun4i-tcon.js';
import { mixerModels } from '#hw/display/sun8i-mixer.js';
import { tconTopModels } from '#hw/display/sun8i-tcon-top.js';
import { gic400Models } from '#hw/intc/gic-400.js';
import { gicV3Models } from '#hw/intc/gic-v3.js';
import { eduModels } from '#hw/iommu/edu-iommu.js';
import { rockchipModels } from '#hw/iommu/rockchip-iommu.js';
import { sun50iIommuModels } from '#hw/iommu/sun50i-h6-iommu.js';
import { dmaStubModels } from '#hw/misc/dma-stub.js';
import { testMasterModels } from '#hw/misc/test-master.js';
import { emacModels } from '#hw/net/sun8i-emac.js';
import { rockchipPmuModels } from '#hw/power/rockchip-pmu.js';
import { cedrusModels } from '#hw/video/cedrus-ve.js';

export const models: Models = {
	...gic400Models,
	...gicV3Models,
	...ccuModels,
	...rockchipCruModels,
	...resetSimpleModels,
	...rockchipPmuModels,
	...eduModels,
	...rockchipModels,
	...sun50iIommuModels,
	...tconModels,
	...tconTopModels,
	...mixerModels,
	...cedrusModels,
	...emacModels,
	...testMasterModels,
	...dmaStubModels,
};
