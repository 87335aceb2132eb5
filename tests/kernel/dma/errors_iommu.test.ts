// SPDX-License-Identifier: GPL-2.0-only
// How the way through the IOMMU fails.
// A row for each failure that takes one call to make. The sentences are errors.json's.

import { pfn_to_page } from '#asm/memory.js';
import { PAGE_SIZE } from '#asm/page-def.js';
import {
	iommu_dma_alloc,
	iommu_dma_alloc_noncontiguous,
	iommu_dma_get_sgtable,
	iommu_dma_init_fq,
	iommu_dma_map_page,
	iommu_dma_map_resource,
	iommu_dma_map_sg,
	iommu_dma_mmap,
	iommu_dma_mmap_noncontiguous,
	iommu_dma_vmap_noncontiguous,
	iommu_get_dma_cookie,
} from '#drivers/iommu/dma-iommu.js';
import { iommu_paging_domain_alloc } from '#drivers/iommu/iommu.js';
import { dma_set_mask } from '#kernel/dma/mapping.js';
import { swiotlb_exit, swiotlb_tbl_map_single } from '#kernel/dma/swiotlb.js';
import { DMA_BIDIRECTIONAL, DMA_TO_DEVICE } from '#linux/dma-direction.js';
import { DMA_MAPPING_ERROR, dma_set_min_align_mask } from '#linux/dma-mapping.js';
import { EBUSY, EEXIST, EINVAL, EIO, ENOMEM, ENXIO } from '#linux/errno.js';
import { __GFP_NOWARN, GFP_ATOMIC, GFP_KERNEL } from '#linux/gfp.js';
import { sg_table } from '#linux/scatterlist.js';
import { slab_fault } from '#mm/failslab.js';
import { BUFS } from '#tests/kernel/dma/board.js';

import {
	allocated,
	dma,
	domainOf,
	type Failure,
	HIGH,
	itFails,
	noPages,
	noSlab,
	page,
	table,
	vma,
} from './failure.js';

const IOMMU: Failure[] = [
	{
		of: 'iommu_get_dma_cookie',
		is: -EEXIST,
		when: 'domain already has a cookie',
		call: (d) => iommu_get_dma_cookie(domainOf(d.m0)),
	},
	{
		of: 'iommu_get_dma_cookie',
		is: -ENOMEM,
		when: 'allocation',
		call: (d) => {
			const domain = iommu_paging_domain_alloc(d.m0) as ReturnType<typeof domainOf>;
			noSlab();
			return iommu_get_dma_cookie(domain);
		},
	},
	{
		of: 'iommu_dma_init_fq',
		is: -ENOMEM,
		when: 'queue memory',
		call: (d) => {
			noSlab();
			return iommu_dma_init_fq(domainOf(d.m0));
		},
	},
	{
		of: 'iommu_dma_map_page',
		is: DMA_MAPPING_ERROR,
		when: 'IOVA space exhausted',
		call: (d) => {
			dma_set_mask(d.m0, 0xffff);
			return iommu_dma_map_page(d.m0, page, 0, 0x20000, DMA_TO_DEVICE, 0);
		},
	},
	{
		of: 'iommu_dma_map_page',
		is: DMA_MAPPING_ERROR,
		when: 'bounce needed but no swiotlb is active (warns once)',
		says: /m0: DMA bounce buffers are inactive, unable to map unaligned transaction\./,
		call: (d) => {
			swiotlb_exit();
			return iommu_dma_map_page(d.m0, page, 0, 8, DMA_BIDIRECTIONAL, 0);
		},
	},
	{
		of: 'iommu_dma_map_page',
		is: DMA_MAPPING_ERROR,
		when: 'swiotlb full',
		call: (d) => {
			// 512 slots of 2 KiB, in runs of at most 128.
			for (let i = 0; i < 4; i++)
				swiotlb_tbl_map_single(d.m3, BUFS + PAGE_SIZE, 256 << 10, 0, DMA_TO_DEVICE, 0);
			return iommu_dma_map_page(d.m0, page, 0, 8, DMA_BIDIRECTIONAL, 0);
		},
		on: 'main swiotlb=512',
	},
	{
		of: 'iommu_dma_map_page',
		is: DMA_MAPPING_ERROR,
		when: 'iommu_map failed',
		call: (d) => iommu_dma_map_page(d.m0, pfn_to_page(HIGH / PAGE_SIZE), 0, PAGE_SIZE, DMA_TO_DEVICE, 0),
		on: 'high',
	},
	{
		of: 'iommu_dma_map_sg',
		is: -EINVAL,
		when: 'failed iommu_map_sg',
		call: (d) => iommu_dma_map_sg(d.m0, table(HIGH, PAGE_SIZE).sgl!, 1, DMA_TO_DEVICE, 0),
		on: 'high',
	},
	{
		of: 'iommu_dma_map_sg',
		is: -ENOMEM,
		when: 'iommu_map_sg ran out of memory',
		call: (d) => {
			const t = table(BUFS, PAGE_SIZE);
			slab_fault.min_size = 1024;
			noSlab();
			return iommu_dma_map_sg(d.m0, t.sgl!, 1, DMA_TO_DEVICE, 0);
		},
	},
	{
		of: 'iommu_dma_map_sg',
		is: -EIO,
		when: 'bouncing list: one entry could not be mapped',
		says: /m0: DMA bounce buffers are inactive, unable to map unaligned transaction\./,
		call: (d) => {
			swiotlb_exit();
			return iommu_dma_map_sg(d.m0, table(BUFS, PAGE_SIZE, 8).sgl!, 2, DMA_BIDIRECTIONAL, 0);
		},
	},
	{
		of: 'iommu_dma_alloc',
		is: null,
		when: 'no pages',
		call: (d) => {
			noPages();
			return iommu_dma_alloc(d.m0, 0x20000, dma, GFP_KERNEL | __GFP_NOWARN, 0);
		},
	},
	{
		of: 'iommu_dma_alloc',
		is: null,
		when: 'no IOVA',
		call: (d) => {
			d.m0.coherent_dma_mask = 0xffff;
			return iommu_dma_alloc(d.m0, 0x20000, dma, GFP_KERNEL, 0);
		},
	},
	{
		of: 'iommu_dma_alloc',
		is: null,
		when: 'atomic pool empty',
		warns: /DMA pool exhausted for m0/,
		call: (d) => iommu_dma_alloc(d.m0, 64 << 20, dma, GFP_ATOMIC, 0),
	},
	{
		of: 'iommu_dma_mmap',
		is: -ENXIO,
		when: 'window larger than the buffer',
		call: (d) => {
			const { cpu, dma } = allocated(d.m0);
			return iommu_dma_mmap(d.m0, vma(2), cpu, dma, PAGE_SIZE, 0);
		},
	},
	{
		of: 'iommu_dma_mmap',
		is: -EBUSY,
		when: 'error of vm_map_pages, passed through',
		call: (d) => {
			const { cpu, dma } = allocated(d.m0);
			const v = vma(1);
			iommu_dma_mmap(d.m0, v, cpu, dma, PAGE_SIZE, 0);
			return iommu_dma_mmap(d.m0, v, cpu, dma, PAGE_SIZE, 0);
		},
	},
	{
		of: 'iommu_dma_map_page',
		is: DMA_MAPPING_ERROR,
		when: 'min_align_mask larger than the IOVA granule (warns once)',
		warns: /m0: Unsupported alignment constraint/,
		call: (d) => {
			dma_set_min_align_mask(d.m0, 0x1fff);
			return iommu_dma_map_page(d.m0, page, 0, PAGE_SIZE, DMA_TO_DEVICE, 0);
		},
	},
	{
		of: 'iommu_dma_get_sgtable',
		is: -ENOMEM,
		when: 'table',
		call: (d) => {
			const { cpu, dma } = allocated(d.m0, 2 * PAGE_SIZE);
			noSlab();
			return iommu_dma_get_sgtable(d.m0, new sg_table(), cpu, dma, 2 * PAGE_SIZE, 0);
		},
	},
	{
		of: 'iommu_dma_map_resource',
		is: DMA_MAPPING_ERROR,
		when: 'IOVA space exhausted',
		call: (d) => {
			dma_set_mask(d.m0, 0xffff);
			return iommu_dma_map_resource(d.m0, 0x300_0000, 0x20000, DMA_TO_DEVICE, 0);
		},
	},
	{
		of: 'iommu_dma_alloc_noncontiguous',
		is: null,
		when: 'handle',
		call: (d) => {
			noSlab();
			return iommu_dma_alloc_noncontiguous(d.m0, PAGE_SIZE, DMA_TO_DEVICE, GFP_KERNEL, 0);
		},
	},
	{
		of: 'iommu_dma_alloc_noncontiguous',
		is: null,
		when: 'IOVA',
		call: (d) => {
			d.m0.coherent_dma_mask = 0xffff;
			return iommu_dma_alloc_noncontiguous(d.m0, 0x20000, DMA_TO_DEVICE, GFP_KERNEL, 0);
		},
	},
	{
		of: 'iommu_dma_vmap_noncontiguous',
		is: null,
		when: 'vmap failed',
		call: (d) => {
			const sgt = iommu_dma_alloc_noncontiguous(d.m0, 2 * PAGE_SIZE, DMA_TO_DEVICE, GFP_KERNEL, 0)!;
			noSlab();
			return iommu_dma_vmap_noncontiguous(d.m0, 2 * PAGE_SIZE, sgt);
		},
	},
	{
		of: 'iommu_dma_mmap_noncontiguous',
		is: -ENXIO,
		when: 'window larger than the buffer',
		call: (d) => {
			const sgt = iommu_dma_alloc_noncontiguous(d.m0, 2 * PAGE_SIZE, DMA_TO_DEVICE, GFP_KERNEL, 0)!;
			return iommu_dma_mmap_noncontiguous(d.m0, vma(2, 1), 2 * PAGE_SIZE, sgt);
		},
	},
];

describe('errors_iommu', () => {
	for (const f of [...IOMMU]) itFails(f);
});
