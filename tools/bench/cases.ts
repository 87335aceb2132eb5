// SPDX-License-Identifier: GPL-2.0-only
// The hot paths of the DMA API. Allocations are paired with their frees, so nothing grows.

import { iommu_get_domain_for_dev, iommu_map, iommu_unmap } from '#drivers/iommu/iommu.js';
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
import { IOMMU_READ, IOMMU_WRITE } from '#linux/iommu.js';
import { iova_domain } from '#linux/iova.js';
import { get_order, PAGE_SIZE, page_address, page_to_phys } from '#linux/mm.js';
import { sg_set_page, sg_table } from '#linux/scatterlist.js';
import { ref } from '#linux/types.js';
import { alloc_page, alloc_pages } from '#mm/page_alloc.js';
import { bootsOf, bootWay, engineOn, H6_DTB, type Kernel, type Way } from '#tools/bench/boards.js';
import { BOARD_DTB } from '#tools/project.js';

/** The last frame below 4 GiB. */
const LIMIT = 0xf_ffff;
const LOW_IOVA = 0x1000_0000;

function must<T>(value: T | null): T {
	if (value === null) throw new Error('out of memory');
	return value;
}

/** A round of the allocator of addresses: one way of it, @pages at a time, with @live such ranges in the tree. */
export interface IovaRound {
	readonly way: 'fast' | 'tree';
	readonly live: number;
	readonly pages: number;
}

/** One thing to measure: prepare() boots what it needs, and its result does one round at each call. */
export interface Case {
	readonly name: string;
	/** Rounds in one timed batch: a batch must be long beside the clock's resolution. */
	readonly batch: number;
	/** What a round should take at most on a production kernel, in ns; null: nothing is asked. */
	readonly target: number | null;
	/** There is nothing to see on a production kernel. */
	readonly debugOnly?: true;
	/** C has the same round (tests/c/iova-bench.c). */
	readonly native?: IovaRound;
	prepare(kernel: Kernel): () => void;
}

/** One round of the allocator, on a space of its own. */
export function iovaRound({ way, live, pages }: IovaRound, kernel: Kernel): () => void {
	bootWay('strict', kernel);
	const iovad = new iova_domain();
	init_iova_domain(iovad, PAGE_SIZE, 1);
	if (iova_domain_init_rcaches(iovad) !== 0) throw new Error('no memory for the caches');
	for (let i = 0; i < live; i++) alloc_iova(iovad, pages, LIMIT, true);
	return way === 'fast'
		? () => free_iova_fast(iovad, alloc_iova_fast(iovad, pages, LIMIT, true), pages)
		: () => free_iova(iovad, must(alloc_iova(iovad, pages, LIMIT, true)).pfn_lo);
}

function iovaCase(name: string, batch: number, target: number, native: IovaRound): Case {
	return { name, batch, target, native, prepare: (kernel) => iovaRound(native, kernel) };
}

/** One mapping of @pages pages, while @live pages are mapped. */
export function mapSingle(way: Way, kernel: Kernel, pages = 1, live = 0): () => void {
	const dev = engineOn(way, kernel);
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

function mapList(pages: number, kernel: Kernel): () => void {
	const dev = engineOn('strict', kernel);
	const list = new sg_table();
	if (sg_alloc_table(list, pages, GFP_KERNEL) !== 0) throw new Error('no memory for the list');
	for (let sg = list.sgl; sg !== null; sg = sg_next(sg))
		sg_set_page(sg, must(alloc_page(GFP_KERNEL)), PAGE_SIZE, 0);
	return () => {
		dma_map_sg(dev, list.sgl!, pages, DMA_TO_DEVICE);
		dma_unmap_sg(dev, list.sgl!, pages, DMA_TO_DEVICE);
	};
}

function coherent(size: number, kernel: Kernel): () => void {
	const dev = engineOn('strict', kernel);
	const handle = new ref(0);
	return () => dma_free_coherent(dev, size, dma_alloc_coherent(dev, size, handle, GFP_KERNEL), handle.value);
}

/** @size bytes at an address that the DMA API, from the top down, does not come to. */
function mapRange(size: number, kernel: Kernel): () => void {
	const domain = must(iommu_get_domain_for_dev(engineOn('strict', kernel)));
	const paddr = page_to_phys(must(alloc_pages(GFP_KERNEL, get_order(size))));
	return () => {
		iommu_map(domain, LOW_IOVA, paddr, size, IOMMU_READ | IOMMU_WRITE, GFP_KERNEL);
		iommu_unmap(domain, LOW_IOVA, size);
	};
}

/** The figures of hot paths, by the names that tables print. Targets of the tree: what C takes, twice, with 100,000 live 1.3 times. */
export const CASES = {
	fast: iovaCase('alloc_iova_fast + free_iova_fast', 2000, 25, { way: 'fast', live: 0, pages: 1 }),
	tree1k: iovaCase('alloc_iova + free_iova, 1,000 live', 1000, 80, { way: 'tree', live: 1000, pages: 1 }),
	tree128: iovaCase('alloc_iova + free_iova, 1,000 live of 128 pages', 1000, 80, {
		way: 'tree',
		live: 1000,
		pages: 128,
	}),
	tree100k: iovaCase('alloc_iova + free_iova, 100,000 live', 1000, 200, {
		way: 'tree',
		live: 100_000,
		pages: 1,
	}),
	strict: {
		name: 'dma_map_single + unmap, 4 KiB, strict',
		batch: 100,
		target: 1500,
		prepare: (kernel) => mapSingle('strict', kernel),
	},
	watched: {
		name: 'dma_map_single + unmap, 4 KiB, strict, watched',
		batch: 100,
		target: null,
		debugOnly: true,
		prepare: (kernel) => mapSingle('watched', kernel),
	},
	lazy: {
		name: 'dma_map_single + unmap, 4 KiB, lazy (FQ)',
		batch: 100,
		target: null,
		prepare: (kernel) => mapSingle('lazy', kernel),
	},
	direct: {
		name: 'dma_map_single + unmap, 4 KiB, direct',
		batch: 100,
		target: null,
		prepare: (kernel) => mapSingle('direct', kernel),
	},
	list: {
		name: 'dma_map_sg + unmap, 64 pages, strict',
		batch: 5,
		target: 25_000,
		prepare: (kernel) => mapList(64, kernel),
	},
	coherent: {
		name: 'dma_alloc_coherent + free, 64 KiB, strict',
		batch: 5,
		target: 25_000,
		prepare: (kernel) => coherent(64 * 1024, kernel),
	},
	map: {
		name: 'iommu_map + iommu_unmap, 1 MiB, strict',
		batch: 5,
		target: 30_000,
		prepare: (kernel) => mapRange(1024 * 1024, kernel),
	},
	bootH6: {
		name: 'warm boot, H6 board of the examples',
		batch: 1,
		target: 4_000_000,
		prepare: (kernel) => bootsOf(H6_DTB, kernel),
	},
	bootOrangePi3: {
		name: 'warm boot, Orange Pi 3',
		batch: 1,
		target: 8_000_000,
		prepare: (kernel) => bootsOf(BOARD_DTB, kernel),
	},
} as const satisfies Record<string, Case>;

export type CaseKey = keyof typeof CASES;
