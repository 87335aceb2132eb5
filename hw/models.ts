// SPDX-License-Identifier: GPL-2.0-only
// Which model stands for which `compatible`.

import { ccuFactory } from '#hw/clk/ccu.js';
import { CCU_DE3, CCU_H6, CCU_H6_R, CCU_H616, CCU_H616_R } from '#hw/clk/ccu-tables.js';
import { resetSimple } from '#hw/clk/reset-simple.js';
import type { ModelFactory } from '#hw/core/model.js';
import { Tcon } from '#hw/display/sun4i-tcon.js';
import { Mixer } from '#hw/display/sun8i-mixer.js';
import { TconTop } from '#hw/display/sun8i-tcon-top.js';
import { Gic400 } from '#hw/intc/gic-400.js';
import { GicV3 } from '#hw/intc/gic-v3.js';
import { sun50iH6Iommu } from '#hw/iommu/sun50i-h6-iommu.js';
import { testMaster } from '#hw/misc/test-master.js';
import { Emac } from '#hw/net/sun8i-emac.js';
import { cedrusVe } from '#hw/video/cedrus-ve.js';
import { eduIommu } from './iommu/edu-iommu.js';

export const models: Readonly<Record<string, ModelFactory>> = {
	'arm,gic-400': (ctx) => new Gic400(ctx.name),
	'arm,gic-v3': (ctx) => new GicV3(ctx.name),
	'allwinner,sun50i-h6-ccu': ccuFactory(CCU_H6),
	'allwinner,sun50i-h616-ccu': ccuFactory(CCU_H616),
	'allwinner,sun50i-h6-r-ccu': ccuFactory(CCU_H6_R),
	'allwinner,sun50i-h616-r-ccu': ccuFactory(CCU_H616_R),
	'allwinner,sun50i-h6-de3-clk': ccuFactory(CCU_DE3),
	'snps,dw-low-reset': resetSimple,
	'allwinner,sun50i-h6-iommu': sun50iH6Iommu,
	'allwinner,sun50i-h616-iommu': sun50iH6Iommu,
	'allwinner,sun50i-h6-video-engine': cedrusVe,
	'allwinner,sun50i-h6-de3-mixer-0': (ctx) => new Mixer(ctx.name, ctx),
	'allwinner,sun50i-h6-tcon-top': (ctx) => new TconTop(ctx.name),
	'allwinner,sun50i-h6-tcon-tv': (ctx) => new Tcon(ctx.name, ctx),
	'allwinner,sun8i-r40-tcon-tv': (ctx) => new Tcon(ctx.name, ctx),
	'allwinner,sun50i-h6-emac': (ctx) => new Emac(ctx.name, ctx),
	'linux-iommu-ts,edu-iommu': eduIommu,
	'oracle,master': testMaster,
};
