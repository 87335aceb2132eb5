// SPDX-License-Identifier: GPL-2.0-only
// How coherent memory and its pools fail.
// A row for each failure that takes one call to make. The sentences are errors.json's.

import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { PAGE_SIZE } from '#asm/page-def.js';
import { PAGE_KERNEL } from '#asm/pgtable.js';
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
	dma_alloc_attrs,
	dma_alloc_coherent,
	dma_alloc_noncoherent,
	dma_alloc_noncontiguous,
	dma_alloc_pages,
	dma_alloc_wc,
	dma_can_mmap,
	dma_get_sgtable_attrs,
	dma_mmap_attrs,
	dma_mmap_noncontiguous,
	dma_mmap_pages,
	dma_mmap_wc,
	dma_set_mask,
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
import { device } from '#linux/device.js';
import { DMA_TO_DEVICE } from '#linux/dma-direction.js';
import { DMA_ATTR_FORCE_CONTIGUOUS } from '#linux/dma-mapping.js';
import { EINVAL, ENOMEM, ENXIO } from '#linux/errno.js';
import { __GFP_COMP, __GFP_DMA, __GFP_NOWARN, GFP_ATOMIC, GFP_KERNEL } from '#linux/gfp.js';
import { sg_table } from '#linux/scatterlist.js';
import { ref, type void_ptr } from '#linux/types.js';
import { BUFS } from '#tests/kernel/dma/board.js';
import { expectWarning } from '#tests/setup.js';
import { bootTree } from '../../arch/arm64/mm/boot-tree.js';

import {
	allocated,
	CPU,
	dma,
	type Failure,
	itFails,
	noPages,
	noSlab,
	page,
	vma,
	withOps,
} from './failure.js';

const COHERENT: Failure[] = [
	{
		of: 'dma_alloc_attrs',
		is: null,
		when: '__GFP_COMP given (warns once)',
		warns: /./,
		call: (d) => dma_alloc_attrs(d.m0, PAGE_SIZE, dma, GFP_KERNEL | __GFP_COMP, 0),
	},
	{
		of: 'dma_alloc_attrs',
		is: null,
		when: 'ops have no alloc',
		call: (d) => dma_alloc_attrs(withOps(d.m3, {}), PAGE_SIZE, dma, GFP_KERNEL, 0),
	},
	...(['m0', 'm3', 'm4'] as const).flatMap((name): Failure[] => [
		{
			of: 'dma_alloc_attrs',
			is: null,
			when: `backend failed (${name})`,
			call: (d) => {
				noPages();
				return dma_alloc_attrs(d[name], PAGE_SIZE, dma, GFP_KERNEL | __GFP_NOWARN, 0);
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
				return dma_alloc_pages(d[name], PAGE_SIZE, dma, DMA_TO_DEVICE, GFP_KERNEL | __GFP_NOWARN);
			},
		},
		{
			of: 'dma_alloc_noncontiguous',
			is: null,
			when: `pages (${name})`,
			call: (d) => {
				noPages();
				return dma_alloc_noncontiguous(d[name], PAGE_SIZE, DMA_TO_DEVICE, GFP_KERNEL | __GFP_NOWARN, 0);
			},
		},
		{
			of: 'dma_alloc_noncontiguous',
			is: null,
			when: `table (${name})`,
			call: (d) => {
				noSlab();
				return dma_alloc_noncontiguous(d[name], PAGE_SIZE, DMA_TO_DEVICE, GFP_KERNEL, 0);
			},
		},
		{
			of: 'dma_get_sgtable_attrs',
			is: -ENOMEM,
			when: `table (${name})`,
			call: (d) => {
				const { cpu, dma } = allocated(d[name]);
				noSlab();
				return dma_get_sgtable_attrs(d[name], new sg_table(), cpu, dma, PAGE_SIZE, 0);
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
					const { cpu, dma } = allocated(d[name], 2 * PAGE_SIZE);
					return dma_mmap_attrs(d[name], vma(pages, off), cpu, dma, 2 * PAGE_SIZE, 0);
				},
			},
			{
				of: 'dma_mmap_noncontiguous',
				is: -ENXIO,
				when: `window larger than the buffer (${name}: ${pages} of 2 pages from page ${off})`,
				call: (d) => {
					const sgt = dma_alloc_noncontiguous(d[name], 2 * PAGE_SIZE, DMA_TO_DEVICE, GFP_KERNEL, 0)!;
					return dma_mmap_noncontiguous(d[name], vma(pages, off), 2 * PAGE_SIZE, sgt);
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
			return dma_alloc_wc(d.m0, PAGE_SIZE, dma, GFP_KERNEL | __GFP_NOWARN);
		},
	},
	{
		of: 'dmam_alloc_attrs',
		is: null,
		when: 'devres record',
		call: (d) => {
			noSlab();
			return dmam_alloc_attrs(d.m3, PAGE_SIZE, dma, GFP_KERNEL, 0);
		},
	},
	{
		of: 'dmam_alloc_coherent',
		is: null,
		when: 'as dma_alloc_attrs',
		call: (d) => {
			noPages();
			return dmam_alloc_coherent(d.m3, PAGE_SIZE, dma, GFP_KERNEL | __GFP_NOWARN);
		},
	},
	{
		of: 'dma_get_sgtable_attrs',
		is: -ENXIO,
		when: 'ops have no get_sgtable',
		call: (d) => dma_get_sgtable_attrs(withOps(d.m3, {}), new sg_table(), CPU, 0, PAGE_SIZE, 0),
	},
	{
		of: 'dma_mmap_attrs',
		is: -ENXIO,
		when: 'ops have no mmap',
		call: (d) => dma_mmap_attrs(withOps(d.m3, {}), vma(1), CPU, 0, PAGE_SIZE, 0),
	},
	{
		of: 'dma_mmap_wc',
		is: -ENXIO,
		when: 'as dma_mmap_attrs',
		call: (d) => {
			const { cpu, dma } = allocated(d.m3);
			return dma_mmap_wc(d.m3, vma(2), cpu, dma, PAGE_SIZE);
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
			return dma_alloc_pages(d.m0, PAGE_SIZE, dma, DMA_TO_DEVICE, GFP_KERNEL);
		},
	},
	{
		of: 'dma_alloc_pages',
		is: null,
		when: 'zone flags in gfp (warns once)',
		warns: /./,
		call: (d) => dma_alloc_pages(d.m0, PAGE_SIZE, dma, DMA_TO_DEVICE, GFP_KERNEL | __GFP_DMA),
	},
	{
		of: 'dma_alloc_pages',
		is: null,
		when: '__GFP_COMP in gfp (warns once)',
		warns: /./,
		call: (d) => dma_alloc_pages(d.m3, PAGE_SIZE, dma, DMA_TO_DEVICE, GFP_KERNEL | __GFP_COMP),
	},
	{
		of: 'dma_alloc_pages',
		is: null,
		when: 'ops have no alloc_pages_op',
		call: (d) => dma_alloc_pages(withOps(d.m3, {}), PAGE_SIZE, dma, DMA_TO_DEVICE, GFP_KERNEL),
	},
	{
		of: 'dma_alloc_noncoherent',
		is: null,
		when: 'as dma_alloc_pages',
		call: (d) => dma_alloc_noncoherent(withOps(d.m3, {}), PAGE_SIZE, dma, DMA_TO_DEVICE, GFP_KERNEL),
	},
	{
		of: 'dma_mmap_pages',
		is: -ENXIO,
		when: 'window larger than the buffer',
		call: (d) => dma_mmap_pages(d.m3, vma(2), PAGE_SIZE, page),
	},
	{
		of: 'dma_alloc_noncontiguous',
		is: null,
		when: 'attrs other than DMA_ATTR_ALLOC_SINGLE_PAGES (warns once)',
		warns: /./,
		call: (d) =>
			dma_alloc_noncontiguous(d.m0, PAGE_SIZE, DMA_TO_DEVICE, GFP_KERNEL, DMA_ATTR_FORCE_CONTIGUOUS),
	},
	{
		of: 'dma_alloc_noncontiguous',
		is: null,
		when: '__GFP_COMP (warns once)',
		warns: /./,
		call: (d) => dma_alloc_noncontiguous(d.m3, PAGE_SIZE, DMA_TO_DEVICE, GFP_KERNEL | __GFP_COMP, 0),
	},
	{
		of: 'dma_vmap_noncontiguous',
		is: null,
		when: 'vmap failed (IOMMU case)',
		call: (d) => {
			const sgt = dma_alloc_noncontiguous(d.m0, 2 * PAGE_SIZE, DMA_TO_DEVICE, GFP_KERNEL, 0)!;
			noSlab();
			return dma_vmap_noncontiguous(d.m0, 2 * PAGE_SIZE, sgt);
		},
	},
	{
		of: 'dma_common_alloc_pages',
		is: null,
		when: 'no page',
		call: (d) => {
			noPages();
			return dma_common_alloc_pages(d.m0, PAGE_SIZE, dma, DMA_TO_DEVICE, GFP_KERNEL | __GFP_NOWARN);
		},
	},
	{
		of: 'dma_common_alloc_pages',
		is: null,
		when: 'mapping failed',
		call: (d) => {
			dma_set_mask(d.m0, 0xfff);
			return dma_common_alloc_pages(d.m0, PAGE_SIZE, dma, DMA_TO_DEVICE, GFP_KERNEL);
		},
	},
	{
		of: 'dma_common_get_sgtable',
		is: -ENOMEM,
		when: 'table',
		call: (d) => {
			const { cpu, dma } = allocated(d.m4);
			noSlab();
			return dma_common_get_sgtable(d.m4, new sg_table(), cpu, dma, PAGE_SIZE, 0);
		},
	},
	{
		of: 'dma_common_mmap',
		is: -ENXIO,
		when: 'window larger than the buffer',
		call: (d) => {
			const { cpu, dma } = allocated(d.m4);
			return dma_common_mmap(d.m4, vma(1, 1), cpu, dma, PAGE_SIZE, 0);
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
			return dma_common_pages_remap([page], PAGE_SIZE, PAGE_KERNEL, null);
		},
	},
	...[1, 2].map(
		(nth): Failure => ({
			of: 'dma_common_contiguous_remap',
			is: null,
			when: nth === 1 ? 'page array' : 'vmap failed',
			call: () => {
				noSlab(nth);
				return dma_common_contiguous_remap(page, PAGE_SIZE, PAGE_KERNEL, null);
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
		call: (d) => dma_declare_coherent_memory(d.m3, 0xf_0000_0000, 0, PAGE_SIZE),
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
		call: () => dma_init_global_coherent(0xf_0000_0000, PAGE_SIZE),
	},
	{
		of: 'dma_alloc_from_dev_coherent',
		is: 0,
		when: 'device has no pool: the caller goes on',
		call: (d) => dma_alloc_from_dev_coherent(d.m3, PAGE_SIZE, dma, new ref<void_ptr | null>(null)),
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
		call: (d) => dma_mmap_from_dev_coherent(d.m3, vma(1), CPU, PAGE_SIZE, new ref(0)),
	},
	{
		of: 'dma_alloc_from_global_coherent',
		is: null,
		when: 'no global pool',
		call: (d) => dma_alloc_from_global_coherent(d.m3, PAGE_SIZE, dma),
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
		call: () => dma_mmap_from_global_coherent(vma(1), CPU, PAGE_SIZE, new ref(0)),
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
			dma_alloc_from_pool(
				d.m3,
				PAGE_SIZE,
				new ref<void_ptr | null>(null),
				GFP_ATOMIC | __GFP_NOWARN,
				() => false,
			),
	},
	{
		of: 'dma_free_from_pool',
		is: false,
		when: 'address is in none of the atomic pools',
		call: (d) => dma_free_from_pool(d.m3, CPU, PAGE_SIZE),
	},
	{
		of: 'dma_alloc_attrs',
		is: null,
		when: 'atomic pool empty',
		warns: /DMA pool exhausted for m3/,
		call: (d) => dma_alloc_attrs(d.m3, 64 << 20, dma, GFP_ATOMIC, 0),
	},
];

describe('errors_coherent', () => {
	for (const f of [...COHERENT, ...POOLS]) itFails(f);

	it('dma_alloc_from_pool() answers null: no pool exists (warns)', () => {
		bootTree(
			[{ base: 0, size: 0x8000_0000 }],
			new Uint8Array(readFileSync('tests/golden/vectors/boards/main.dtb')),
		);
		const dev = new device();
		dev.init_name = 'early';
		expectWarning(/Failed to get suitable pool for early/);
		expect(dma_alloc_from_pool(dev, PAGE_SIZE, new ref<void_ptr | null>(null), GFP_ATOMIC, null)).to.equal(
			null,
		);
	});
});
