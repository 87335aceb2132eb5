// SPDX-License-Identifier: GPL-2.0-only
// The hot paths of the DMA API. Allocations are paired with their frees, so nothing grows.
import {
	alloc_iova,
	alloc_iova_fast,
	free_iova,
	free_iova_fast,
	init_iova_domain,
	iova_domain_init_rcaches,
} from '#drivers/iommu/iova.js';
import {
	dma_alloc_coherent,
	dma_free_coherent,
	dma_map_sg,
	dma_map_single,
	dma_unmap_sg,
	dma_unmap_single,
} from '#kernel/dma/mapping.js';
import { sg_alloc_table, sg_next } from '#lib/scatterlist.js';
import { DMA_TO_DEVICE } from '#linux/dma-direction.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { iova_domain } from '#linux/iova.js';
import { get_order, PAGE_SIZE, page_address } from '#linux/mm.js';
import { sg_set_page, sg_table } from '#linux/scatterlist.js';
import { ref } from '#linux/types.js';
import { alloc_page, alloc_pages } from '#mm/page_alloc.js';
import { bootWay, engineOn, type Way } from '#tools/bench/boards.js';
import type { Case } from '#tools/bench/measure.js';

/** The last frame below 4 GiB. */
const LIMIT = 0xf_ffff;

function must<T>(value: T | null): T {
	if (value === null) throw new Error('out of memory');
	return value;
}

function space(): iova_domain {
	bootWay('strict');
	const iovad = new iova_domain();
	init_iova_domain(iovad, PAGE_SIZE, 1);
	if (iova_domain_init_rcaches(iovad) !== 0) throw new Error('no memory for the caches');
	return iovad;
}

function fastPair(): () => void {
	const iovad = space();
	return () => free_iova_fast(iovad, alloc_iova_fast(iovad, 1, LIMIT, true), 1);
}

/** A range by way of the tree, in which @live others are. */
export function treePair(live: number): () => void {
	const iovad = space();
	for (let i = 0; i < live; i++) alloc_iova(iovad, 1, LIMIT, true);
	return () => free_iova(iovad, must(alloc_iova(iovad, 1, LIMIT, true)).pfn_lo);
}

/** One mapping of @pages pages, while @live pages are mapped. */
export function mapSingle(way: Way, pages = 1, live = 0): () => void {
	const dev = engineOn(way);
	const page = page_address(must(alloc_page(GFP_KERNEL)), PAGE_SIZE);
	for (let i = 0; i < live; i++) dma_map_single(dev, page, PAGE_SIZE, DMA_TO_DEVICE);
	const buffer =
		pages === 1
			? page
			: page_address(must(alloc_pages(GFP_KERNEL, get_order(pages * PAGE_SIZE))), pages * PAGE_SIZE);
	return () => {
		const dma = dma_map_single(dev, buffer, buffer.length, DMA_TO_DEVICE);
		dma_unmap_single(dev, dma, buffer.length, DMA_TO_DEVICE);
	};
}

function mapList(pages: number): () => void {
	const dev = engineOn('strict');
	const list = new sg_table();
	if (sg_alloc_table(list, pages, GFP_KERNEL) !== 0) throw new Error('no memory for the list');
	for (let sg = list.sgl; sg !== null; sg = sg_next(sg))
		sg_set_page(sg, must(alloc_page(GFP_KERNEL)), PAGE_SIZE, 0);
	return () => {
		dma_map_sg(dev, list.sgl!, pages, DMA_TO_DEVICE);
		dma_unmap_sg(dev, list.sgl!, pages, DMA_TO_DEVICE);
	};
}

function coherent(size: number): () => void {
	const dev = engineOn('strict');
	const handle = new ref(0);
	return () => dma_free_coherent(dev, size, dma_alloc_coherent(dev, size, handle, GFP_KERNEL), handle.value);
}

/** The figures of hot paths, by the names that tables print. Targets: a C build takes half of the first three. */
export const CASES = {
	fast: { name: 'alloc_iova_fast + free_iova_fast', batch: 2000, target: 30, prepare: fastPair },
	tree1k: {
		name: 'alloc_iova + free_iova, 1,000 live',
		batch: 1000,
		target: 100,
		prepare: () => treePair(1000),
	},
	tree100k: {
		name: 'alloc_iova + free_iova, 100,000 live',
		batch: 1000,
		target: 100,
		prepare: () => treePair(100_000),
	},
	strict: {
		name: 'dma_map_single + unmap, 4 KiB, strict',
		batch: 100,
		target: 2000,
		prepare: () => mapSingle('strict'),
	},
	watched: {
		name: 'dma_map_single + unmap, 4 KiB, strict, watched',
		batch: 100,
		target: null,
		prepare: () => mapSingle('watched'),
	},
	lazy: {
		name: 'dma_map_single + unmap, 4 KiB, lazy (FQ)',
		batch: 100,
		target: null,
		prepare: () => mapSingle('lazy'),
	},
	direct: {
		name: 'dma_map_single + unmap, 4 KiB, direct',
		batch: 100,
		target: null,
		prepare: () => mapSingle('direct'),
	},
	list: { name: 'dma_map_sg + unmap, 64 pages, strict', batch: 5, target: null, prepare: () => mapList(64) },
	coherent: {
		name: 'dma_alloc_coherent + free, 64 KiB, strict',
		batch: 5,
		target: null,
		prepare: () => coherent(64 * 1024),
	},
} as const satisfies Record<string, Case>;

export type CaseKey = keyof typeof CASES;
