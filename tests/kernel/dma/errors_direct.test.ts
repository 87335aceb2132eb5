// SPDX-License-Identifier: GPL-2.0-only
// How the ways without an IOMMU fail: direct, bounced, CMA.
// A row for each failure that takes one call to make. The sentences are errors.json's.

import { expect } from 'chai';
import { pfn_to_page } from '#asm/memory.js';
import { PAGE_SIZE } from '#asm/page-def.js';
import {
	dev_get_cma_area,
	dma_alloc_contiguous,
	dma_alloc_from_contiguous,
	dma_release_from_contiguous,
} from '#kernel/dma/contiguous.js';
import {
	dma_coherent_ok,
	dma_direct_alloc,
	dma_direct_alloc_pages,
	dma_direct_get_sgtable,
	dma_direct_map_page,
	dma_direct_map_resource,
	dma_direct_map_sg,
	dma_direct_mmap,
	dma_direct_set_offset,
} from '#kernel/dma/direct.js';
import {
	is_swiotlb_active,
	swiotlb_alloc,
	swiotlb_exit,
	swiotlb_free,
	swiotlb_init_late,
	swiotlb_map,
	swiotlb_tbl_map_single,
} from '#kernel/dma/swiotlb.js';
import { CMA_MIN_ALIGNMENT_BYTES, type cma } from '#linux/cma.js';
import { dma_capable, dma_to_phys, phys_to_dma } from '#linux/dma-direct.js';
import { DMA_TO_DEVICE } from '#linux/dma-direction.js';
import { DMA_MAPPING_ERROR, dma_set_seg_boundary } from '#linux/dma-mapping.js';
import { EINVAL, EIO, ENODEV, ENOMEM, ENXIO } from '#linux/errno.js';
import { __GFP_NOWARN, GFP_ATOMIC, GFP_KERNEL } from '#linux/gfp.js';
import { NUMA_NO_NODE } from '#linux/numa.js';
import { sg_table } from '#linux/scatterlist.js';
import { swiotlb_find_pool } from '#linux/swiotlb.js';
import { PHYS_ADDR_MAX, ref } from '#linux/types.js';
import { cma_alloc, cma_declare_contiguous_nid, cma_pages_valid, cma_release } from '#mm/cma.js';
import { alloc_page } from '#mm/page_alloc.js';
import { BUFS } from '#tests/kernel/dma/board.js';
import { bootMemory } from '../../mm/memory-machine.js';

import {
	allocated,
	CPU,
	type Devices,
	dma,
	type Failure,
	HIGH,
	itFails,
	noPages,
	noSlab,
	page,
	table,
	vma,
	withWindow,
} from './failure.js';

const DIRECT: Failure[] = [
	{
		of: 'dma_direct_map_page',
		is: DMA_MAPPING_ERROR,
		when: 'swiotlb full',
		on: 'direct',
		call: (d) => dma_direct_map_page(d.m3, pfn_to_page(HIGH / PAGE_SIZE), 0, 1 << 20, DMA_TO_DEVICE, 0),
	},
	{
		of: 'dma_direct_map_page',
		is: DMA_MAPPING_ERROR,
		when: 'its buffer out of reach',
		on: 'direct',
		warns: /swiotlb addr .* overflow/,
		call: (d) => {
			d.m3.bus_dma_limit = 0xfff_ffff;
			return dma_direct_map_page(d.m3, pfn_to_page(HIGH / PAGE_SIZE), 0, 64, DMA_TO_DEVICE, 0);
		},
	},
	{
		of: 'dma_direct_map_page',
		is: DMA_MAPPING_ERROR,
		when: 'address out of reach and no swiotlb (warns once)',
		on: 'direct',
		warns: /DMA addr 0x0*810000000\+64 overflow \(mask ffffffff, bus limit 0\)/,
		call: (d) => {
			swiotlb_exit();
			return dma_direct_map_page(d.m3, pfn_to_page(HIGH / PAGE_SIZE), 0, 64, DMA_TO_DEVICE, 0);
		},
	},
	{
		of: 'dma_direct_map_sg',
		is: -EIO,
		when: 'an entry could not be mapped',
		on: 'direct',
		call: (d) => dma_direct_map_sg(d.m3, table(HIGH, 64, 1 << 20).sgl!, 2, DMA_TO_DEVICE, 0),
	},
	{
		of: 'dma_direct_map_resource',
		is: DMA_MAPPING_ERROR,
		when: 'beyond mask (warns once)',
		warns: /dma_direct_map_resource/,
		says: /m3: DMA addr 0x0*fffff000\+8192 overflow \(mask ffffffff, bus limit 0\)\./,
		call: (d) => dma_direct_map_resource(d.m3, 0xffff_f000, 8192, DMA_TO_DEVICE, 0),
	},
	{
		of: 'dma_direct_map_resource',
		is: DMA_MAPPING_ERROR,
		when: 'beyond bus limit (warns once)',
		warns: /dma_direct_map_resource/,
		says: /m3: DMA addr 0x0*1000\+64 overflow \(mask ffffffff, bus limit fff\)\./,
		call: (d) => {
			d.m3.bus_dma_limit = 0xfff;
			return dma_direct_map_resource(d.m3, 0x1000, 64, DMA_TO_DEVICE, 0);
		},
	},
	{
		of: 'dma_direct_alloc',
		is: null,
		when: 'no memory within reach',
		call: (d) => dma_direct_alloc(withWindow(d.m3), PAGE_SIZE, dma, GFP_KERNEL, 0),
	},
	...(['page array', 'virtual space'] as const).map(
		(what, i): Failure => ({
			of: 'dma_direct_alloc',
			is: null,
			when: what,
			call: (d) => {
				noSlab(i + 1);
				return dma_direct_alloc(d.m3, PAGE_SIZE, dma, GFP_KERNEL, 0);
			},
		}),
	),
	{
		of: 'dma_direct_alloc_pages',
		is: null,
		when: 'as dma_direct_alloc',
		call: (d) => dma_direct_alloc_pages(withWindow(d.m3), PAGE_SIZE, dma, DMA_TO_DEVICE, GFP_KERNEL),
	},
	{
		of: 'dma_direct_get_sgtable',
		is: -ENOMEM,
		when: 'table',
		call: (d) => {
			noSlab();
			return dma_direct_get_sgtable(d.m3, new sg_table(), CPU, 0, PAGE_SIZE, 0);
		},
	},
	{
		of: 'dma_direct_mmap',
		is: -ENXIO,
		when: 'window larger than the buffer',
		call: (d) => {
			const { cpu, dma } = allocated(d.m3);
			return dma_direct_mmap(d.m3, vma(2), cpu, dma, PAGE_SIZE, 0);
		},
	},
	{
		of: 'dma_direct_mmap',
		is: -EINVAL,
		when: 'error of remap_pfn_range, passed through',
		warns: /remap_pfn_range/,
		call: (d) => {
			const { cpu, dma } = allocated(d.m3);
			const v = vma(1);
			v.vm_start += 8;
			v.vm_end += 8;
			return dma_direct_mmap(d.m3, v, cpu, dma, PAGE_SIZE, 0);
		},
	},
	{
		of: 'dma_direct_set_offset',
		is: -EINVAL,
		when: 'device has a range map already',
		says: /m3: attempt to add DMA range to existing map/,
		call: (d) => dma_direct_set_offset(withWindow(d.m3), 0, 0x1000, 0x1000),
	},
	{
		of: 'dma_direct_set_offset',
		is: -ENOMEM,
		when: 'map',
		call: (d) => {
			noSlab();
			return dma_direct_set_offset(d.m3, 0, 0x1000, 0x1000);
		},
	},
	{
		of: 'dma_coherent_ok',
		is: false,
		when: 'address has no translation',
		call: (d) => dma_coherent_ok(withWindow(d.m3), 0x10_0000, 1),
	},
	{
		of: 'dma_coherent_ok',
		is: false,
		when: 'its end is beyond coherent mask',
		call: (d) => dma_coherent_ok(d.m3, 0xffff_f000, 4097),
	},
	{
		of: 'dma_coherent_ok',
		is: false,
		when: 'its end is beyond bus limit',
		call: (d) => {
			d.m3.bus_dma_limit = 0xfff;
			return dma_coherent_ok(d.m3, 0, 4097);
		},
	},
	{
		of: 'dma_capable',
		is: false,
		when: 'address is DMA_MAPPING_ERROR',
		call: (d) => dma_capable(d.m3, DMA_MAPPING_ERROR, 1, true),
	},
	{
		of: 'dma_capable',
		is: false,
		when: 'its end is beyond mask',
		call: (d) => dma_capable(d.m3, 0xffff_ffff, 2, true),
	},
	{
		of: 'phys_to_dma',
		is: DMA_MAPPING_ERROR,
		when: 'device has a range map and no range holds the address',
		call: (d) => phys_to_dma(withWindow(d.m3), 0x10_0000),
	},
	{
		of: 'dma_to_phys',
		is: PHYS_ADDR_MAX,
		when: 'device has a range map and no range holds the address',
		call: (d) => dma_to_phys(withWindow(d.m3), 0xfff_ffff),
	},
];

const SWIOTLB: Failure[] = [
	{
		of: 'swiotlb_init_late',
		is: -ENOMEM,
		when: 'no memory for slabs',
		call: () => {
			swiotlb_exit();
			noPages();
			return swiotlb_init_late(4 << 20, GFP_KERNEL | __GFP_NOWARN, null);
		},
	},
	...[1, 2].map(
		(nth): Failure => ({
			of: 'swiotlb_init_late',
			is: -ENOMEM,
			when: nth === 1 ? 'no memory for areas' : 'no memory for slots',
			call: () => {
				swiotlb_exit();
				noSlab(nth);
				return swiotlb_init_late(4 << 20, GFP_KERNEL, null);
			},
		}),
	),
	{
		of: 'swiotlb_init_late',
		is: -ENODEV,
		when: 'error of the remap callback: pool got smaller than IO_TLB_MIN_SLABS while retrying',
		call: () => {
			swiotlb_exit();
			return swiotlb_init_late(4 << 20, GFP_KERNEL, () => -ENODEV);
		},
	},
	{
		of: 'swiotlb_tbl_map_single',
		is: DMA_MAPPING_ERROR,
		when: 'device has no pool',
		says: /m3: Can not allocate SWIOTLB buffer earlier and can't now provide you with the DMA bounce buffer/,
		call: (d) => {
			d.m3.dma_io_tlb_mem = null;
			return swiotlb_tbl_map_single(d.m3, BUFS, 64, 0, DMA_TO_DEVICE, 0);
		},
	},
	{
		of: 'swiotlb_tbl_map_single',
		is: DMA_MAPPING_ERROR,
		when: 'an empty one',
		says: /m3: Can not allocate SWIOTLB buffer earlier and can't now provide you with the DMA bounce buffer/,
		call: (d) => {
			swiotlb_exit();
			return swiotlb_tbl_map_single(d.m3, BUFS, 64, 0, DMA_TO_DEVICE, 0);
		},
	},
	{
		of: 'swiotlb_tbl_map_single',
		is: DMA_MAPPING_ERROR,
		when: 'no run of free slots that fits size',
		call: (d) => swiotlb_tbl_map_single(d.m3, BUFS, (256 << 10) + 1, 0, DMA_TO_DEVICE, 0),
	},
	{
		of: 'swiotlb_tbl_map_single',
		is: DMA_MAPPING_ERROR,
		when: 'no run of free slots that fits the segment boundary',
		call: (d) => {
			dma_set_seg_boundary(d.m3, 0xfff);
			return swiotlb_tbl_map_single(d.m3, BUFS, 4097, 0, DMA_TO_DEVICE, 0);
		},
	},
	{
		of: 'swiotlb_map',
		is: DMA_MAPPING_ERROR,
		when: "the slot is beyond the device's reach (warns once)",
		warns: /swiotlb addr .* overflow/,
		call: (d) => {
			d.m3.bus_dma_limit = 0xfff_ffff;
			return swiotlb_map(d.m3, BUFS, 64, DMA_TO_DEVICE, 0);
		},
	},
	{
		of: 'swiotlb_alloc',
		is: null,
		when: 'no pool',
		call: (d) => {
			d.m3.dma_io_tlb_mem = null;
			return swiotlb_alloc(d.m3, PAGE_SIZE);
		},
	},
	{
		of: 'swiotlb_free',
		is: false,
		when: "page is not in the device's pool",
		call: (d) => swiotlb_free(d.m3, page, PAGE_SIZE),
	},
	{
		of: 'swiotlb_find_pool',
		is: null,
		when: 'address is not a bounce buffer',
		call: (d) => swiotlb_find_pool(d.m3, BUFS),
	},
	{
		of: 'is_swiotlb_active',
		is: false,
		when: 'device has no pool',
		call: (d) => {
			d.m3.dma_io_tlb_mem = null;
			return is_swiotlb_active(d.m3);
		},
	},
	{
		of: 'is_swiotlb_active',
		is: false,
		when: 'it has no slots',
		call: (d) => {
			swiotlb_exit();
			return is_swiotlb_active(d.m3);
		},
	},
];

const area = (d: Devices) => dev_get_cma_area(d.m3);
const CMA: Failure[] = [
	{ of: 'cma_alloc', is: null, when: 'no area', call: () => cma_alloc(null, 1, 0, false) },
	{ of: 'cma_alloc', is: null, when: 'count 0', call: (d) => cma_alloc(area(d), 0, 0, false) },
	{
		of: 'cma_alloc',
		is: null,
		when: 'larger than the area',
		call: (d) => cma_alloc(area(d), area(d)!.count + 1, 0, true),
	},
	{
		of: 'cma_alloc',
		is: null,
		when: 'no free run',
		call: (d) => {
			noPages();
			return cma_alloc(area(d), 1, 0, true);
		},
	},
	{ of: 'cma_pages_valid', is: false, when: 'no area', call: () => cma_pages_valid(null, page, 1) },
	{ of: 'cma_pages_valid', is: false, when: 'no page', call: (d) => cma_pages_valid(area(d), null, 1) },
	{ of: 'cma_pages_valid', is: false, when: 'page outside', call: (d) => cma_pages_valid(area(d), page, 1) },
	{
		of: 'cma_release',
		is: false,
		when: 'page is not from that area',
		call: (d) => cma_release(area(d), alloc_page(GFP_KERNEL), 1),
	},
	{
		of: 'dma_alloc_from_contiguous',
		is: null,
		when: 'as cma_alloc',
		call: (d) => dma_alloc_from_contiguous(d.m3, 0, 0, true),
	},
	{
		of: 'dma_release_from_contiguous',
		is: false,
		when: 'as cma_release',
		call: (d) => dma_release_from_contiguous(d.m3, page, 1),
	},
	{
		of: 'dma_alloc_contiguous',
		is: null,
		when: 'gfp does not allow blocking',
		call: (d) => dma_alloc_contiguous(d.m3, 0x10000, GFP_ATOMIC),
	},
	{
		of: 'dma_alloc_contiguous',
		is: null,
		when: 'size at most one page and the device has no own area',
		call: (d) => dma_alloc_contiguous(d.m3, PAGE_SIZE, GFP_KERNEL),
	},
	{
		of: 'dma_alloc_contiguous',
		is: null,
		when: 'no area',
		on: 'main cma=0',
		call: (d) => dma_alloc_contiguous(d.m3, 0x10000, GFP_KERNEL),
	},
];

describe('errors_direct', () => {
	for (const f of [...DIRECT, ...SWIOTLB, ...CMA]) itFails(f);

	it('cma_declare_contiguous_nid() answers -22: size not a multiple of the bitmap granule', () => {
		bootMemory({
			early: () => {
				const [size, order] = [CMA_MIN_ALIGNMENT_BYTES, 11];
				expect(
					cma_declare_contiguous_nid(
						0,
						size,
						0,
						0,
						order,
						false,
						'x',
						new ref<cma | null>(null),
						NUMA_NO_NODE,
					),
				).to.equal(-EINVAL);
			},
		});
	});
});
