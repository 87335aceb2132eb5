// SPDX-License-Identifier: GPL-2.0-only
// How the DMA API fails: a row for each failure that takes one call to make. The sentences are errors.json's.
// Failures at boot are in the tests of their own files, lists and pools in scatterlist.test.ts and dmapool.test.ts.
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { pfn_to_page } from '#asm/memory.js';
import { PAGE_KERNEL } from '#asm/pgtable.js';
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
import { iommu_get_domain_for_dev, iommu_paging_domain_alloc } from '#drivers/iommu/iommu.js';
import {
	dma_alloc_from_dev_coherent,
	dma_alloc_from_global_coherent,
	dma_declare_coherent_memory,
	dma_init_global_coherent,
	dma_mmap_from_dev_coherent,
	dma_mmap_from_global_coherent,
	dma_release_from_dev_coherent,
	dma_release_from_global_coherent,
} from '#kernel/dma/coherent.js';
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
	dma_direct_supported,
} from '#kernel/dma/direct.js';
import {
	dma_addressing_limited,
	dma_alloc_attrs,
	dma_alloc_coherent,
	dma_alloc_noncoherent,
	dma_alloc_noncontiguous,
	dma_alloc_pages,
	dma_alloc_wc,
	dma_can_mmap,
	dma_coerce_mask_and_coherent,
	dma_get_merge_boundary,
	dma_get_sgtable_attrs,
	dma_map_page_attrs,
	dma_map_resource,
	dma_map_sg_attrs,
	dma_map_sgtable,
	dma_map_single_attrs,
	dma_mmap_attrs,
	dma_mmap_noncontiguous,
	dma_mmap_pages,
	dma_mmap_wc,
	dma_need_sync,
	dma_set_coherent_mask,
	dma_set_mask,
	dma_set_mask_and_coherent,
	dma_vmap_noncontiguous,
	dmam_alloc_attrs,
	dmam_alloc_coherent,
} from '#kernel/dma/mapping.js';
import { dma_common_alloc_pages, dma_common_get_sgtable, dma_common_mmap } from '#kernel/dma/ops_helpers.js';
import { dma_alloc_from_pool, dma_free_from_pool } from '#kernel/dma/pool.js';
import {
	dma_common_contiguous_remap,
	dma_common_find_pages,
	dma_common_pages_remap,
} from '#kernel/dma/remap.js';
import {
	is_swiotlb_active,
	swiotlb_alloc,
	swiotlb_exit,
	swiotlb_free,
	swiotlb_init_late,
	swiotlb_map,
	swiotlb_tbl_map_single,
} from '#kernel/dma/swiotlb.js';
import { kernel_bug } from '#kernel/panic.js';
import { sg_alloc_table } from '#lib/scatterlist.js';
import { CMA_MIN_ALIGNMENT_BYTES, type cma } from '#linux/cma.js';
import { device } from '#linux/device.js';
import { type bus_dma_region, dma_capable, dma_to_phys, phys_to_dma } from '#linux/dma-direct.js';
import { DMA_BIDIRECTIONAL, DMA_NONE, DMA_TO_DEVICE } from '#linux/dma-direction.js';
import { type dma_map_ops, set_dma_ops } from '#linux/dma-map-ops.js';
import {
	DMA_ATTR_FORCE_CONTIGUOUS,
	DMA_BIT_MASK,
	DMA_MAPPING_ERROR,
	dma_mapping_error,
	dma_set_min_align_mask,
	dma_set_seg_boundary,
} from '#linux/dma-mapping.js';
import { EBUSY, EEXIST, EINVAL, EIO, ENODEV, ENOMEM, ENXIO, EREMOTEIO } from '#linux/errno.js';
import { __GFP_COMP, __GFP_DMA, __GFP_NOWARN, GFP_ATOMIC, GFP_KERNEL } from '#linux/gfp.js';
import { vm_area_struct } from '#linux/mm_types.js';
import { NUMA_NO_NODE } from '#linux/numa.js';
import { sg_set_page, sg_table } from '#linux/scatterlist.js';
import { swiotlb_find_pool } from '#linux/swiotlb.js';
import { PHYS_ADDR_MAX, ref, type void_ptr } from '#linux/types.js';
import { cma_alloc, cma_declare_contiguous_nid, cma_pages_valid, cma_release } from '#mm/cma.js';
import { fail_page_alloc } from '#mm/fail_page_alloc.js';
import { slab_fault } from '#mm/failslab.js';
import { alloc_page } from '#mm/page_alloc.js';
import { Board, BUFS } from '#tests/kernel/dma/board.js';
import { expectWarning } from '#tests/setup.js';
import { bootTree } from '../../arch/arm64/mm/boot-tree.js';
import { bootMemory } from '../../mm/memory-machine.js';

/** Out of a 32-bit device's reach, on board "direct". */
const HIGH = 0x8_1000_0000;
const CPU = new Uint8Array(4096);
const page = pfn_to_page(BUFS / 4096);

/** From here on no page can be had. */
function noPages(): void {
	fail_page_alloc.nth = 1;
	fail_page_alloc.times = 1e6;
}

/** The @nth allocation of a struct fails. */
function noSlab(nth = 1): void {
	slab_fault.nth = nth;
}

/** A mapping of @pages pages of a program, from page @pgoff of what it shows. */
function vma(pages: number, pgoff = 0): vm_area_struct {
	const v = new vm_area_struct();
	v.vm_start = 0x7000_0000;
	v.vm_end = v.vm_start + pages * 4096;
	v.vm_pgoff = pgoff;
	return v;
}

/** A list with one entry for each of @lengths, from @phys on. */
function table(phys: number, ...lengths: number[]): sg_table {
	const t = new sg_table();
	sg_alloc_table(t, lengths.length, GFP_KERNEL);
	for (const [i, length] of lengths.entries())
		sg_set_page(t.sgl!.vec![i]!, pfn_to_page(phys / 4096 + 16 * i), length, 0);
	return t;
}

/** @dev as its own bus would have it. */
function withOps(dev: device, ops: dma_map_ops): device {
	set_dma_ops(dev, ops);
	return dev;
}

function withoutMask(dev: device): device {
	dev.dma_mask = null;
	return dev;
}

/** One window: bus address 0x1000_0000 is physical 0, for 1 MiB. */
function withWindow(dev: device): device {
	const window: bus_dma_region = { cpu_start: 0, dma_start: 0x1000_0000, size: 0x10_0000 };
	dev.dma_range_map = [window, { cpu_start: 0, dma_start: 0, size: 0 }];
	return dev;
}

/** What is allocated has been, whatever fails later. */
function allocated(dev: device, size = 4096): { cpu: void_ptr; dma: number } {
	const dma = new ref(0);
	const cpu = dma_alloc_coherent(dev, size, dma, GFP_KERNEL)!;
	return { cpu, dma: dma.value };
}

const dma = new ref(0);
const domainOf = (dev: device) => iommu_get_domain_for_dev(dev)!;

interface Devices {
	/** Behind the IOMMU, does not snoop. */
	readonly m0: device;
	/** Without an IOMMU; m3 does not snoop, m4 does. */
	readonly m3: device;
	readonly m4: device;
}

interface Failure {
	readonly of: string;
	readonly when: string;
	readonly is: unknown;
	readonly call: (d: Devices) => unknown;
	/** A WARN, and a line of the log. */
	readonly warns?: RegExp;
	readonly says?: RegExp;
	/** Instead of "main": "direct", which has 2 GiB above 4 GiB; or with words on the command line. */
	readonly on?: string;
}

const MAPPING: Failure[] = [
	{
		of: 'dma_map_page_attrs',
		is: DMA_MAPPING_ERROR,
		when: 'device has no DMA mask (warns once)',
		warns: /./,
		call: (d) => dma_map_page_attrs(withoutMask(d.m0), page, 0, 64, DMA_TO_DEVICE, 0),
	},
	{
		of: 'dma_map_page_attrs',
		is: DMA_MAPPING_ERROR,
		when: 'ops->map_page failed',
		call: (d) =>
			dma_map_page_attrs(withOps(d.m3, { map_page: () => DMA_MAPPING_ERROR }), page, 0, 64, DMA_TO_DEVICE, 0),
	},
	{
		of: 'dma_map_page_attrs',
		is: kernel_bug,
		when: 'invalid direction',
		warns: /./,
		call: (d) => dma_map_page_attrs(d.m0, page, 0, 64, DMA_NONE, 0),
	},
	{
		of: 'dma_map_single_attrs',
		is: DMA_MAPPING_ERROR,
		when: 'address is in vmalloc space (warns once)',
		warns: /m3: rejecting DMA map of vmalloc memory/,
		call: (d) => dma_map_single_attrs(d.m3, allocated(d.m3).cpu, 64, DMA_TO_DEVICE, 0),
	},
	{
		of: 'dma_mapping_error',
		is: -ENOMEM,
		when: 'the address is DMA_MAPPING_ERROR',
		call: (d) => dma_mapping_error(d.m0, DMA_MAPPING_ERROR),
	},
	{
		of: 'dma_map_sg_attrs',
		is: 0,
		when: 'a missing DMA mask (warns once)',
		warns: /./,
		call: (d) => dma_map_sg_attrs(withoutMask(d.m3), table(BUFS, 64).sgl!, 1, DMA_TO_DEVICE, 0),
	},
	{
		of: 'dma_map_sg_attrs',
		is: 0,
		when: 'every failure',
		call: (d) =>
			dma_map_sg_attrs(withOps(d.m3, { map_sg: () => -ENOMEM }), table(BUFS, 64).sgl!, 1, DMA_TO_DEVICE, 0),
	},
	{
		of: 'dma_map_sg_attrs',
		is: kernel_bug,
		when: 'invalid direction',
		warns: /./,
		call: (d) => dma_map_sg_attrs(d.m3, table(BUFS, 64).sgl!, 1, DMA_NONE, 0),
	},
	{
		of: 'dma_map_sgtable',
		is: -EINVAL,
		when: 'bad list or unsupported',
		// Above 4 GiB the hardware has no words for it.
		call: (d) => dma_map_sgtable(d.m0, table(HIGH, 4096), DMA_TO_DEVICE, 0),
		on: 'high',
	},
	{
		of: 'dma_map_sgtable',
		is: -ENOMEM,
		when: 'no IOVA space worth retrying',
		call: (d) => {
			dma_set_mask(d.m0, 0xffff);
			return dma_map_sgtable(d.m0, table(BUFS, 0x10000, 0x10000), DMA_TO_DEVICE, 0);
		},
	},
	{
		of: 'dma_map_sgtable',
		is: -EIO,
		when: 'an entry could not be mapped',
		warns: /overflow/,
		call: (d) => {
			swiotlb_exit();
			return dma_map_sgtable(d.m3, table(HIGH, 64), DMA_TO_DEVICE, 0);
		},
		on: 'direct',
	},
	{
		of: 'dma_map_sgtable',
		is: -EREMOTEIO,
		when: 'unreachable peer-to-peer page',
		call: (d) =>
			dma_map_sgtable(withOps(d.m3, { map_sg: () => -EREMOTEIO }), table(BUFS, 64), DMA_TO_DEVICE, 0),
	},
	{
		of: 'dma_map_sgtable',
		is: -EIO,
		when: 'any error outside the allowed set (warns once)',
		warns: /./,
		call: (d) => dma_map_sgtable(withOps(d.m3, { map_sg: () => -EBUSY }), table(BUFS, 64), DMA_TO_DEVICE, 0),
	},
	{
		of: 'dma_map_resource',
		is: DMA_MAPPING_ERROR,
		when: 'no DMA mask (warns once)',
		warns: /./,
		call: (d) => dma_map_resource(withoutMask(d.m0), 0x300_0000, 64, DMA_TO_DEVICE, 0),
	},
	{
		of: 'dma_map_resource',
		is: DMA_MAPPING_ERROR,
		when: 'the ops have no map_resource',
		call: (d) => dma_map_resource(withOps(d.m3, {}), 0x300_0000, 64, DMA_TO_DEVICE, 0),
	},
	{
		of: 'dma_map_resource',
		is: DMA_MAPPING_ERROR,
		when: 'backend failed',
		call: (d) => dma_map_resource(d.m0, 0x2_0000_0000, 4096, DMA_TO_DEVICE, 0),
	},
	{
		of: 'dma_need_sync',
		is: false,
		when: 'syncs are skipped for the device',
		call: (d) => dma_need_sync(d.m4, BUFS),
	},
	{
		of: 'dma_get_merge_boundary',
		is: 0,
		when: 'segments cannot be merged',
		call: (d) => dma_get_merge_boundary(d.m3),
	},
];

const MASKS: Failure[] = [
	{
		of: 'dma_set_mask',
		is: -EIO,
		when: 'device has no mask pointer',
		call: (d) => dma_set_mask(withoutMask(d.m0), DMA_BIT_MASK(32)),
	},
	{
		of: 'dma_set_mask',
		is: -EIO,
		when: 'the backend does not support the mask',
		call: (d) => dma_set_mask(d.m3, DMA_BIT_MASK(24)),
	},
	{
		of: 'dma_set_coherent_mask',
		is: -EIO,
		when: 'backend does not support the mask',
		call: (d) => dma_set_coherent_mask(withOps(d.m3, { dma_supported: () => 0 }), DMA_BIT_MASK(32)),
	},
	{
		of: 'dma_set_mask_and_coherent',
		is: -EIO,
		when: 'as dma_set_mask',
		call: (d) => dma_set_mask_and_coherent(d.m3, DMA_BIT_MASK(24)),
	},
	{
		of: 'dma_coerce_mask_and_coherent',
		is: -EIO,
		when: 'as dma_set_mask',
		call: (d) => dma_coerce_mask_and_coherent(d.m3, DMA_BIT_MASK(24)),
	},
	{
		of: 'dma_addressing_limited',
		is: false,
		when: 'all memory reachable',
		call: (d) => dma_addressing_limited(d.m3),
	},
	{
		of: 'dma_direct_supported',
		is: 0,
		when: 'mask below 32 bits and below the end of the DMA zone',
		call: (d) => dma_direct_supported(d.m3, DMA_BIT_MASK(24)),
	},
];

const COHERENT: Failure[] = [
	{
		of: 'dma_alloc_attrs',
		is: null,
		when: '__GFP_COMP given (warns once)',
		warns: /./,
		call: (d) => dma_alloc_attrs(d.m0, 4096, dma, GFP_KERNEL | __GFP_COMP, 0),
	},
	{
		of: 'dma_alloc_attrs',
		is: null,
		when: 'ops have no alloc',
		call: (d) => dma_alloc_attrs(withOps(d.m3, {}), 4096, dma, GFP_KERNEL, 0),
	},
	...(['m0', 'm3', 'm4'] as const).flatMap((name): Failure[] => [
		{
			of: 'dma_alloc_attrs',
			is: null,
			when: `backend failed (${name})`,
			call: (d) => {
				noPages();
				return dma_alloc_attrs(d[name], 4096, dma, GFP_KERNEL | __GFP_NOWARN, 0);
			},
		},
		{
			of: 'dma_alloc_coherent',
			is: null,
			when: `as dma_alloc_attrs (${name})`,
			call: (d) => {
				noPages();
				return dma_alloc_coherent(d[name], 0x10000, dma, GFP_KERNEL | __GFP_NOWARN);
			},
		},
		{
			of: 'dma_alloc_pages',
			is: null,
			when: `backend failed (${name})`,
			call: (d) => {
				noPages();
				return dma_alloc_pages(d[name], 4096, dma, DMA_TO_DEVICE, GFP_KERNEL | __GFP_NOWARN);
			},
		},
		{
			of: 'dma_alloc_noncontiguous',
			is: null,
			when: `pages (${name})`,
			call: (d) => {
				noPages();
				return dma_alloc_noncontiguous(d[name], 4096, DMA_TO_DEVICE, GFP_KERNEL | __GFP_NOWARN, 0);
			},
		},
		{
			of: 'dma_alloc_noncontiguous',
			is: null,
			when: `table (${name})`,
			call: (d) => {
				noSlab();
				return dma_alloc_noncontiguous(d[name], 4096, DMA_TO_DEVICE, GFP_KERNEL, 0);
			},
		},
		{
			of: 'dma_get_sgtable_attrs',
			is: -ENOMEM,
			when: `table (${name})`,
			call: (d) => {
				const { cpu, dma } = allocated(d[name]);
				noSlab();
				return dma_get_sgtable_attrs(d[name], new sg_table(), cpu, dma, 4096, 0);
			},
		},
		...(
			[
				[3, 0],
				[1, 2],
				[2, 1],
			] as const
		).flatMap(([pages, off]): Failure[] => [
			{
				of: 'dma_mmap_attrs',
				is: -ENXIO,
				when: `window larger than the buffer (${name}: ${pages} of 2 pages from page ${off})`,
				call: (d) => {
					const { cpu, dma } = allocated(d[name], 8192);
					return dma_mmap_attrs(d[name], vma(pages, off), cpu, dma, 8192, 0);
				},
			},
			{
				of: 'dma_mmap_noncontiguous',
				is: -ENXIO,
				when: `window larger than the buffer (${name}: ${pages} of 2 pages from page ${off})`,
				call: (d) => {
					const sgt = dma_alloc_noncontiguous(d[name], 8192, DMA_TO_DEVICE, GFP_KERNEL, 0)!;
					return dma_mmap_noncontiguous(d[name], vma(pages, off), 8192, sgt);
				},
			},
		]),
	]),
	{
		of: 'dma_alloc_wc',
		is: null,
		when: 'as dma_alloc_attrs',
		call: (d) => {
			noPages();
			return dma_alloc_wc(d.m0, 4096, dma, GFP_KERNEL | __GFP_NOWARN);
		},
	},
	{
		of: 'dmam_alloc_attrs',
		is: null,
		when: 'devres record',
		call: (d) => {
			noSlab();
			return dmam_alloc_attrs(d.m3, 4096, dma, GFP_KERNEL, 0);
		},
	},
	{
		of: 'dmam_alloc_coherent',
		is: null,
		when: 'as dma_alloc_attrs',
		call: (d) => {
			noPages();
			return dmam_alloc_coherent(d.m3, 4096, dma, GFP_KERNEL | __GFP_NOWARN);
		},
	},
	{
		of: 'dma_get_sgtable_attrs',
		is: -ENXIO,
		when: 'ops have no get_sgtable',
		call: (d) => dma_get_sgtable_attrs(withOps(d.m3, {}), new sg_table(), CPU, 0, 4096, 0),
	},
	{
		of: 'dma_mmap_attrs',
		is: -ENXIO,
		when: 'ops have no mmap',
		call: (d) => dma_mmap_attrs(withOps(d.m3, {}), vma(1), CPU, 0, 4096, 0),
	},
	{
		of: 'dma_mmap_wc',
		is: -ENXIO,
		when: 'as dma_mmap_attrs',
		call: (d) => {
			const { cpu, dma } = allocated(d.m3);
			return dma_mmap_wc(d.m3, vma(2), cpu, dma, 4096);
		},
	},
	{
		of: 'dma_can_mmap',
		is: false,
		when: 'ops without mmap',
		call: (d) => dma_can_mmap(withOps(d.m3, {})),
	},
	{
		of: 'dma_alloc_pages',
		is: null,
		when: 'no coherent mask (warns once)',
		warns: /./,
		call: (d) => {
			d.m0.coherent_dma_mask = 0;
			return dma_alloc_pages(d.m0, 4096, dma, DMA_TO_DEVICE, GFP_KERNEL);
		},
	},
	{
		of: 'dma_alloc_pages',
		is: null,
		when: 'zone flags in gfp (warns once)',
		warns: /./,
		call: (d) => dma_alloc_pages(d.m0, 4096, dma, DMA_TO_DEVICE, GFP_KERNEL | __GFP_DMA),
	},
	{
		of: 'dma_alloc_pages',
		is: null,
		when: '__GFP_COMP in gfp (warns once)',
		warns: /./,
		call: (d) => dma_alloc_pages(d.m3, 4096, dma, DMA_TO_DEVICE, GFP_KERNEL | __GFP_COMP),
	},
	{
		of: 'dma_alloc_pages',
		is: null,
		when: 'ops have no alloc_pages_op',
		call: (d) => dma_alloc_pages(withOps(d.m3, {}), 4096, dma, DMA_TO_DEVICE, GFP_KERNEL),
	},
	{
		of: 'dma_alloc_noncoherent',
		is: null,
		when: 'as dma_alloc_pages',
		call: (d) => dma_alloc_noncoherent(withOps(d.m3, {}), 4096, dma, DMA_TO_DEVICE, GFP_KERNEL),
	},
	{
		of: 'dma_mmap_pages',
		is: -ENXIO,
		when: 'window larger than the buffer',
		call: (d) => dma_mmap_pages(d.m3, vma(2), 4096, page),
	},
	{
		of: 'dma_alloc_noncontiguous',
		is: null,
		when: 'attrs other than DMA_ATTR_ALLOC_SINGLE_PAGES (warns once)',
		warns: /./,
		call: (d) => dma_alloc_noncontiguous(d.m0, 4096, DMA_TO_DEVICE, GFP_KERNEL, DMA_ATTR_FORCE_CONTIGUOUS),
	},
	{
		of: 'dma_alloc_noncontiguous',
		is: null,
		when: '__GFP_COMP (warns once)',
		warns: /./,
		call: (d) => dma_alloc_noncontiguous(d.m3, 4096, DMA_TO_DEVICE, GFP_KERNEL | __GFP_COMP, 0),
	},
	{
		of: 'dma_vmap_noncontiguous',
		is: null,
		when: 'vmap failed (IOMMU case)',
		call: (d) => {
			const sgt = dma_alloc_noncontiguous(d.m0, 8192, DMA_TO_DEVICE, GFP_KERNEL, 0)!;
			noSlab();
			return dma_vmap_noncontiguous(d.m0, 8192, sgt);
		},
	},
	{
		of: 'dma_common_alloc_pages',
		is: null,
		when: 'no page',
		call: (d) => {
			noPages();
			return dma_common_alloc_pages(d.m0, 4096, dma, DMA_TO_DEVICE, GFP_KERNEL | __GFP_NOWARN);
		},
	},
	{
		of: 'dma_common_alloc_pages',
		is: null,
		when: 'mapping failed',
		call: (d) => {
			dma_set_mask(d.m0, 0xfff);
			return dma_common_alloc_pages(d.m0, 4096, dma, DMA_TO_DEVICE, GFP_KERNEL);
		},
	},
	{
		of: 'dma_common_get_sgtable',
		is: -ENOMEM,
		when: 'table',
		call: (d) => {
			const { cpu, dma } = allocated(d.m4);
			noSlab();
			return dma_common_get_sgtable(d.m4, new sg_table(), cpu, dma, 4096, 0);
		},
	},
	{
		of: 'dma_common_mmap',
		is: -ENXIO,
		when: 'window larger than the buffer',
		call: (d) => {
			const { cpu, dma } = allocated(d.m4);
			return dma_common_mmap(d.m4, vma(1, 1), cpu, dma, 4096, 0);
		},
	},
	{
		of: 'dma_common_find_pages',
		is: null,
		when: 'address is not a coherent vmap area',
		call: (d) => dma_common_find_pages(allocated(d.m4).cpu),
	},
	{
		of: 'dma_common_pages_remap',
		is: null,
		when: 'vmap failed',
		call: () => {
			noSlab();
			return dma_common_pages_remap([page], 4096, PAGE_KERNEL, null);
		},
	},
	...[1, 2].map(
		(nth): Failure => ({
			of: 'dma_common_contiguous_remap',
			is: null,
			when: nth === 1 ? 'page array' : 'vmap failed',
			call: () => {
				noSlab(nth);
				return dma_common_contiguous_remap(page, 4096, PAGE_KERNEL, null);
			},
		}),
	),
];

const POOLS: Failure[] = [
	{
		of: 'dma_declare_coherent_memory',
		is: -EINVAL,
		when: 'size 0',
		call: (d) => dma_declare_coherent_memory(d.m3, BUFS, 0, 0),
	},
	{
		of: 'dma_declare_coherent_memory',
		is: -EINVAL,
		when: 'the range cannot be remapped',
		call: (d) => dma_declare_coherent_memory(d.m3, 0xf_0000_0000, 0, 4096),
	},
	{
		of: 'dma_init_global_coherent',
		is: -EINVAL,
		when: 'size 0',
		call: () => dma_init_global_coherent(BUFS, 0),
	},
	{
		of: 'dma_init_global_coherent',
		is: -EINVAL,
		when: 'remap failed',
		call: () => dma_init_global_coherent(0xf_0000_0000, 4096),
	},
	{
		of: 'dma_alloc_from_dev_coherent',
		is: 0,
		when: 'device has no pool: the caller goes on',
		call: (d) => dma_alloc_from_dev_coherent(d.m3, 4096, dma, new ref<void_ptr | null>(null)),
	},
	{
		of: 'dma_release_from_dev_coherent',
		is: 0,
		when: 'not from the pool',
		call: (d) => dma_release_from_dev_coherent(d.m3, 0, CPU),
	},
	{
		of: 'dma_mmap_from_dev_coherent',
		is: 0,
		when: 'not from the pool',
		call: (d) => dma_mmap_from_dev_coherent(d.m3, vma(1), CPU, 4096, new ref(0)),
	},
	{
		of: 'dma_alloc_from_global_coherent',
		is: null,
		when: 'no global pool',
		call: (d) => dma_alloc_from_global_coherent(d.m3, 4096, dma),
	},
	{
		of: 'dma_release_from_global_coherent',
		is: 0,
		when: 'no global pool',
		call: () => dma_release_from_global_coherent(0, CPU),
	},
	{
		of: 'dma_mmap_from_global_coherent',
		is: 0,
		when: 'no global pool',
		call: () => dma_mmap_from_global_coherent(vma(1), CPU, 4096, new ref(0)),
	},
	{
		of: 'dma_alloc_from_pool',
		is: null,
		when: 'all candidate pools full (warns)',
		warns: /DMA pool exhausted for m3/,
		call: (d) => dma_alloc_from_pool(d.m3, 64 << 20, new ref<void_ptr | null>(null), GFP_ATOMIC, null),
	},
	{
		of: 'dma_alloc_from_pool',
		is: null,
		when: 'rejected by the address check (quiet with __GFP_NOWARN)',
		call: (d) =>
			dma_alloc_from_pool(d.m3, 4096, new ref<void_ptr | null>(null), GFP_ATOMIC | __GFP_NOWARN, () => false),
	},
	{
		of: 'dma_free_from_pool',
		is: false,
		when: 'address is in none of the atomic pools',
		call: (d) => dma_free_from_pool(d.m3, CPU, 4096),
	},
	{
		of: 'dma_alloc_attrs',
		is: null,
		when: 'atomic pool empty',
		warns: /DMA pool exhausted for m3/,
		call: (d) => dma_alloc_attrs(d.m3, 64 << 20, dma, GFP_ATOMIC, 0),
	},
];

const DIRECT: Failure[] = [
	{
		of: 'dma_direct_map_page',
		is: DMA_MAPPING_ERROR,
		when: 'swiotlb full',
		on: 'direct',
		call: (d) => dma_direct_map_page(d.m3, pfn_to_page(HIGH / 4096), 0, 1 << 20, DMA_TO_DEVICE, 0),
	},
	{
		of: 'dma_direct_map_page',
		is: DMA_MAPPING_ERROR,
		when: 'its buffer out of reach',
		on: 'direct',
		warns: /swiotlb addr .* overflow/,
		call: (d) => {
			d.m3.bus_dma_limit = 0xfff_ffff;
			return dma_direct_map_page(d.m3, pfn_to_page(HIGH / 4096), 0, 64, DMA_TO_DEVICE, 0);
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
			return dma_direct_map_page(d.m3, pfn_to_page(HIGH / 4096), 0, 64, DMA_TO_DEVICE, 0);
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
		call: (d) => dma_direct_alloc(withWindow(d.m3), 4096, dma, GFP_KERNEL, 0),
	},
	...(['page array', 'virtual space'] as const).map(
		(what, i): Failure => ({
			of: 'dma_direct_alloc',
			is: null,
			when: what,
			call: (d) => {
				noSlab(i + 1);
				return dma_direct_alloc(d.m3, 4096, dma, GFP_KERNEL, 0);
			},
		}),
	),
	{
		of: 'dma_direct_alloc_pages',
		is: null,
		when: 'as dma_direct_alloc',
		call: (d) => dma_direct_alloc_pages(withWindow(d.m3), 4096, dma, DMA_TO_DEVICE, GFP_KERNEL),
	},
	{
		of: 'dma_direct_get_sgtable',
		is: -ENOMEM,
		when: 'table',
		call: (d) => {
			noSlab();
			return dma_direct_get_sgtable(d.m3, new sg_table(), CPU, 0, 4096, 0);
		},
	},
	{
		of: 'dma_direct_mmap',
		is: -ENXIO,
		when: 'window larger than the buffer',
		call: (d) => {
			const { cpu, dma } = allocated(d.m3);
			return dma_direct_mmap(d.m3, vma(2), cpu, dma, 4096, 0);
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
			return dma_direct_mmap(d.m3, v, cpu, dma, 4096, 0);
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
			return swiotlb_alloc(d.m3, 4096);
		},
	},
	{
		of: 'swiotlb_free',
		is: false,
		when: "page is not in the device's pool",
		call: (d) => swiotlb_free(d.m3, page, 4096),
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
		call: (d) => dma_alloc_contiguous(d.m3, 4096, GFP_KERNEL),
	},
	{
		of: 'dma_alloc_contiguous',
		is: null,
		when: 'no area',
		on: 'main cma=0',
		call: (d) => dma_alloc_contiguous(d.m3, 0x10000, GFP_KERNEL),
	},
];

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
			for (let i = 0; i < 4; i++) swiotlb_tbl_map_single(d.m3, BUFS, 256 << 10, 0, DMA_TO_DEVICE, 0);
			return iommu_dma_map_page(d.m0, page, 0, 8, DMA_BIDIRECTIONAL, 0);
		},
		on: 'main swiotlb=512',
	},
	{
		of: 'iommu_dma_map_page',
		is: DMA_MAPPING_ERROR,
		when: 'iommu_map failed',
		call: (d) => iommu_dma_map_page(d.m0, pfn_to_page(HIGH / 4096), 0, 4096, DMA_TO_DEVICE, 0),
		on: 'high',
	},
	{
		of: 'iommu_dma_map_sg',
		is: -EINVAL,
		when: 'failed iommu_map_sg',
		call: (d) => iommu_dma_map_sg(d.m0, table(HIGH, 4096).sgl!, 1, DMA_TO_DEVICE, 0),
		on: 'high',
	},
	{
		of: 'iommu_dma_map_sg',
		is: -ENOMEM,
		when: 'iommu_map_sg ran out of memory',
		call: (d) => {
			const t = table(BUFS, 4096);
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
			return iommu_dma_map_sg(d.m0, table(BUFS, 4096, 8).sgl!, 2, DMA_BIDIRECTIONAL, 0);
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
			return iommu_dma_mmap(d.m0, vma(2), cpu, dma, 4096, 0);
		},
	},
	{
		of: 'iommu_dma_mmap',
		is: -EBUSY,
		when: 'error of vm_map_pages, passed through',
		call: (d) => {
			const { cpu, dma } = allocated(d.m0);
			const v = vma(1);
			iommu_dma_mmap(d.m0, v, cpu, dma, 4096, 0);
			return iommu_dma_mmap(d.m0, v, cpu, dma, 4096, 0);
		},
	},
	{
		of: 'iommu_dma_map_page',
		is: DMA_MAPPING_ERROR,
		when: 'min_align_mask larger than the IOVA granule (warns once)',
		warns: /m0: Unsupported alignment constraint/,
		call: (d) => {
			dma_set_min_align_mask(d.m0, 0x1fff);
			return iommu_dma_map_page(d.m0, page, 0, 4096, DMA_TO_DEVICE, 0);
		},
	},
	{
		of: 'iommu_dma_get_sgtable',
		is: -ENOMEM,
		when: 'table',
		call: (d) => {
			const { cpu, dma } = allocated(d.m0, 8192);
			noSlab();
			return iommu_dma_get_sgtable(d.m0, new sg_table(), cpu, dma, 8192, 0);
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
			return iommu_dma_alloc_noncontiguous(d.m0, 4096, DMA_TO_DEVICE, GFP_KERNEL, 0);
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
			const sgt = iommu_dma_alloc_noncontiguous(d.m0, 8192, DMA_TO_DEVICE, GFP_KERNEL, 0)!;
			noSlab();
			return iommu_dma_vmap_noncontiguous(d.m0, 8192, sgt);
		},
	},
	{
		of: 'iommu_dma_mmap_noncontiguous',
		is: -ENXIO,
		when: 'window larger than the buffer',
		call: (d) => {
			const sgt = iommu_dma_alloc_noncontiguous(d.m0, 8192, DMA_TO_DEVICE, GFP_KERNEL, 0)!;
			return iommu_dma_mmap_noncontiguous(d.m0, vma(2, 1), 8192, sgt);
		},
	},
];

function shown(value: unknown): string {
	if (value === DMA_MAPPING_ERROR) return 'DMA_MAPPING_ERROR';
	return value === kernel_bug ? 'BUG' : String(value);
}

function itFails(f: Failure): void {
	it(`${f.of}() answers ${shown(f.is)}: ${f.when}`, () => {
		const [name = 'main', ...words] = (f.on ?? 'main').split(' ');
		const board = new Board(name, words.join(' '));
		if (f.warns) expectWarning(f.warns);
		const [m0, m3, m4] = ['m0', 'm3', 'm4'].map((dev) =>
			board.masters.devices.has(dev) ? board.device(dev) : null,
		);
		const devices = { m0, m3, m4 } as Devices;
		try {
			if (f.is === kernel_bug) expect(() => f.call(devices)).to.throw(kernel_bug);
			else expect(f.call(devices)).to.equal(f.is);
			if (f.says) expect(board.log.join('\n')).to.match(f.says);
		} finally {
			Object.assign(fail_page_alloc, { nth: 0, times: 1 });
			Object.assign(slab_fault, { nth: 0, times: 1 });
		}
	});
}

describe('dma_errors', () => {
	for (const f of [...MAPPING, ...MASKS, ...COHERENT, ...POOLS, ...DIRECT, ...SWIOTLB, ...CMA, ...IOMMU])
		itFails(f);

	it('dma_alloc_from_pool() answers null: no pool exists (warns)', () => {
		bootTree(
			[{ base: 0, size: 0x8000_0000 }],
			new Uint8Array(readFileSync('tests/golden/vectors/boards/main.dtb')),
		);
		const dev = new device();
		dev.init_name = 'early';
		expectWarning(/Failed to get suitable pool for early/);
		expect(dma_alloc_from_pool(dev, 4096, new ref<void_ptr | null>(null), GFP_ATOMIC, null)).to.equal(null);
	});

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
