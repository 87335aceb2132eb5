// SPDX-License-Identifier: GPL-2.0-only
// make bench: what the hot paths cost, in ns and as multiples of the cheapest.
// Of many batches the median and the best: on a busy computer the best tells more. Allocations are paired with
// their frees, so nothing grows.
import '#init/vmlinux.js';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Bench } from 'tinybench';
import { bus_find_device_by_name } from '#drivers/base/bus.js';
import { platform_bus_type } from '#drivers/base/platform.js';
import {
	alloc_iova,
	alloc_iova_fast,
	free_iova,
	free_iova_fast,
	init_iova_domain,
	iova_domain_init_rcaches,
} from '#drivers/iommu/iova.js';
import { Machine } from '#hw/machine.js';
import { start_kernel } from '#init/main.js';
import {
	dma_alloc_coherent,
	dma_free_coherent,
	dma_map_sg,
	dma_map_single,
	dma_set_mask_and_coherent,
	dma_unmap_sg,
	dma_unmap_single,
} from '#kernel/dma/mapping.js';
import { sg_alloc_table, sg_next } from '#lib/scatterlist.js';
import type { device } from '#linux/device.js';
import { DMA_TO_DEVICE } from '#linux/dma-direction.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { iova_domain } from '#linux/iova.js';
import { page_address } from '#linux/mm.js';
import { sg_set_page, sg_table } from '#linux/scatterlist.js';
import { ref } from '#linux/types.js';
import { alloc_page } from '#mm/page_alloc.js';

const BOARDS = 'arch/arm64/boot/dts/allwinner';
const PAGE = 4096;
const LIMIT = 0xf_ffff;

/** One thing to measure: boots what it needs, then does one round at each call. */
interface Case {
	readonly name: string;
	/** Rounds in one timed batch: a batch must be long beside the clock's resolution. */
	readonly batch: number;
	prepare(): () => void;
}

function boot(board: string, commandLine = ''): void {
	const dtb = new Uint8Array(readFileSync(`${BOARDS}/${board}.dtb`));
	start_kernel(new Machine(dtb, { commandLine, onConsole: () => {} }));
}

/** The video engine's device on a board just booted. */
function videoEngine(board: string, commandLine = ''): device {
	boot(board, commandLine);
	const dev = bus_find_device_by_name(platform_bus_type, null, '1c0e000.video-codec');
	if (dev === null) throw new Error(`${board} has no video engine`);
	dma_set_mask_and_coherent(dev, 0xffff_ffff);
	return dev;
}

function space(): iova_domain {
	boot('sun50i-h6-orangepi-3');
	const iovad = new iova_domain();
	init_iova_domain(iovad, PAGE, 1);
	if (iova_domain_init_rcaches(iovad) !== 0) throw new Error('no memory for the caches');
	return iovad;
}

function treePair(live: number): () => void {
	const iovad = space();
	for (let i = 0; i < live; i++) alloc_iova(iovad, 1, LIMIT, true);
	return () => free_iova(iovad, alloc_iova(iovad, 1, LIMIT, true)!.pfn_lo);
}

function mapSingle(dev: device): () => void {
	const buffer = page_address(alloc_page(GFP_KERNEL)!, PAGE);
	return () => {
		const dma = dma_map_single(dev, buffer, PAGE, DMA_TO_DEVICE);
		dma_unmap_single(dev, dma, PAGE, DMA_TO_DEVICE);
	};
}

function mapList(dev: device, pages: number): () => void {
	const table = new sg_table();
	if (sg_alloc_table(table, pages, GFP_KERNEL) !== 0) throw new Error('no memory for the list');
	for (let sg = table.sgl; sg !== null; sg = sg_next(sg)) sg_set_page(sg, alloc_page(GFP_KERNEL)!, PAGE, 0);
	return () => {
		dma_map_sg(dev, table.sgl!, pages, DMA_TO_DEVICE);
		dma_unmap_sg(dev, table.sgl!, pages, DMA_TO_DEVICE);
	};
}

const CASES: readonly Case[] = [
	{
		name: 'alloc_iova_fast + free_iova_fast',
		batch: 2000,
		prepare: () => {
			const iovad = space();
			return () => free_iova_fast(iovad, alloc_iova_fast(iovad, 1, LIMIT, true), 1);
		},
	},
	{ name: 'alloc_iova + free_iova, 1,000 live', batch: 1000, prepare: () => treePair(1000) },
	{ name: 'alloc_iova + free_iova, 100,000 live', batch: 1000, prepare: () => treePair(100_000) },
	{
		name: 'dma_map_single + unmap, 4 KiB, strict',
		batch: 100,
		prepare: () => mapSingle(videoEngine('sun50i-h6-orangepi-3')),
	},
	{
		name: 'dma_map_single + unmap, 4 KiB, lazy',
		batch: 100,
		prepare: () => mapSingle(videoEngine('sun50i-h6-orangepi-3', 'iommu.strict=0')),
	},
	{
		name: 'dma_map_sg + unmap, 64 pages',
		batch: 5,
		prepare: () => mapList(videoEngine('sun50i-h6-orangepi-3'), 64),
	},
	{
		name: 'dma_alloc_coherent + free, 64 KiB',
		batch: 5,
		prepare: () => {
			const dev = videoEngine('sun50i-h6-orangepi-3');
			const handle = new ref(0);
			return () => {
				const cpu = dma_alloc_coherent(dev, 64 * 1024, handle, GFP_KERNEL);
				dma_free_coherent(dev, 64 * 1024, cpu, handle.value);
			};
		},
	},
	{
		name: 'dma_map_single + unmap, 4 KiB, direct',
		batch: 100,
		prepare: () => mapSingle(videoEngine('sun50i-h6-orangepi-3-noiommu')),
	},
];

const { values } = parseArgs({
	options: { only: { type: 'string', default: '' }, time: { type: 'string', default: '300' } },
});

const rows: { name: string; median: number; best: number }[] = [];
for (const { name, batch, prepare } of CASES.filter((c) => c.name.includes(values.only))) {
	// One kernel at a time: its state is the module's.
	const round = prepare();
	const bench = new Bench({ time: Number(values.time), warmupTime: 100 });
	bench.add(
		name,
		() => {
			for (let i = 0; i < batch; i++) round();
		},
		{ async: false },
	);
	const [task] = await bench.run();
	const { result } = task!;
	if (result.state !== 'completed') throw new Error(`${name}: ${result.state}`);
	const { p50, min } = result.latency;
	rows.push({ name, median: (p50 * 1e6) / batch, best: (min * 1e6) / batch });
}

const least = Math.min(...rows.map((r) => r.best));
const widest = Math.max(...rows.map((r) => r.name.length));
const ns = (value: number): string => `${value.toFixed(value < 1000 ? 1 : 0)} ns`.padStart(11);
console.log(
	`${'one round'.padEnd(widest)}  ${'median'.padStart(11)}  ${'best'.padStart(11)}  ${'ratio'.padStart(7)}`,
);
for (const { name, median, best } of rows)
	console.log(`${name.padEnd(widest)}  ${ns(median)}  ${ns(best)}  ${(best / least).toFixed(1).padStart(7)}`);
