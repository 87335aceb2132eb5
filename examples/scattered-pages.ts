// SPDX-License-Identifier: GPL-2.0-only
// Pages from anywhere in memory are one range for a device behind the IOMMU.
import { page_to_phys } from '#asm/memory.js';
import { dma_map_sgtable, dma_unmap_sgtable } from '#kernel/dma/mapping.js';
import { sg_alloc_table, sg_free_table, sg_next } from '#lib/scatterlist.js';
import { DMA_FROM_DEVICE } from '#linux/dma-direction.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { sg_dma_address, sg_dma_len, sg_page, sg_set_page, sg_table } from '#linux/scatterlist.js';
import { __free_page, alloc_page, page_placement } from '#mm/page_alloc.js';
import { boot } from './bench.js';

const { device } = boot();
page_placement.mode = 'scattered';
for (const name of ['m0', 'm3']) {
	const table = new sg_table();
	sg_alloc_table(table, 6, GFP_KERNEL);
	for (let sg = table.sgl; sg !== null; sg = sg_next(sg)) sg_set_page(sg, alloc_page(GFP_KERNEL), 4096, 0);
	dma_map_sgtable(device(name), table, DMA_FROM_DEVICE, 0);
	console.log(`${name}: ${table.orig_nents} pages, ${table.nents} range(s) for the device`);
	for (let sg = table.sgl, i = 0; sg !== null; sg = sg_next(sg), i++) {
		const range = i < table.nents ? `0x${sg_dma_address(sg).toString(16)}+${sg_dma_len(sg)}` : '';
		console.log(`  page 0x${page_to_phys(sg_page(sg)).toString(16)}  ${range}`);
	}
	dma_unmap_sgtable(device(name), table, DMA_FROM_DEVICE, 0);
	for (let sg = table.sgl; sg !== null; sg = sg_next(sg)) __free_page(sg_page(sg));
	sg_free_table(table);
}
