// SPDX-License-Identifier: GPL-2.0-only
// Zones and reservations of the boards that an unmodified 6.12 was booted on.
// The expected lines are the `zones` of tests/golden/vectors/*.json.
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { arm64_dma_phys_limit } from '#arch/arm64/mm/init.js';
import { pfn_to_page } from '#asm/memory.js';
import { withMemory } from '#hw/core/fdt.js';
import type { RamRegion } from '#hw/core/ram.js';
import { dma_contiguous_default_area } from '#kernel/dma/contiguous.js';
import { kmsg_dump_get_lines } from '#kernel/printk/printk.js';
import { mm_state } from '#linux/mm.js';
import { PageReserved } from '#linux/page-flags.js';
import { cma_get_base, cma_get_size } from '#mm/cma.js';
import { memblock_phys_mem_size } from '#mm/memblock.js';
import { for_each_populated_zone } from '#mm/page_alloc.js';
import { bootTree } from './boot-tree.js';

const MIB = 0x10_0000;
const LOW: RamRegion = { base: 0, size: 0x8000_0000 };
const HIGH: RamRegion = { base: 0x8_0000_0000, size: 0x8000_0000 };
const boards: { board: string; vectors: string; boot: string; ram: RamRegion[] }[] = [
	{ board: 'main', vectors: 'dma-iommu', boot: 'main', ram: [LOW] },
	{ board: 'high', vectors: 'dma-iommu', boot: 'high', ram: [LOW, HIGH] },
	{ board: 'single', vectors: 'iommu-core', boot: 'single', ram: [LOW] },
	{ board: 'direct', vectors: 'dma-direct-swiotlb', boot: 'direct', ram: [LOW, HIGH] },
	{ board: 'ranges', vectors: 'dma-direct-swiotlb', boot: 'ranges', ram: [LOW, HIGH] },
];

function blob(board: string): Uint8Array {
	return new Uint8Array(readFileSync(`tests/golden/vectors/boards/${board}.dtb`));
}

function goldenZones(vectors: string, boot: string): string[] {
	const file: unknown = JSON.parse(readFileSync(`tests/golden/vectors/${vectors}.json`, 'utf8'));
	return (file as { boots: Record<string, { zones: string[] }> }).boots[boot].zones;
}

describe('arm64_mm_init', () => {
	for (const { board, vectors, boot, ram } of boards) {
		it(`lays out the zones of board ${board} as 6.12 did`, () => {
			const m = bootTree(ram, blob(board));
			const from = m.log.findIndex((line) => line.includes('Zone ranges:'));
			const zones = m.log.slice(from + 1, from + 4).map((line) => line.replace(/^.*?\] /, '').trim());
			expect(zones).to.deep.equal(goldenZones(vectors, boot));
		});
	}

	// On the other boards 6.12's own early allocations lie between CMA and the bounce buffers.
	for (const [board, mapped] of [
		['direct', '[mem 0x0000000078000000-0x000000007c000000]'],
		['ranges', '[mem 0x0000000038000000-0x000000003c000000]'],
	]) {
		it(`places the bounce buffers of board ${board} where 6.12 did`, () => {
			const m = bootTree([LOW, HIGH], blob(board));
			expect(m.logged(`software IO TLB: mapped ${mapped} (64MB)`)).to.have.length(1);
		});
	}

	it('keeps reserved regions out of the page allocator', () => {
		bootTree([LOW], blob('main'));
		expect(PageReserved(pfn_to_page(0x0300_0000 / 4096))).to.equal(true);
		expect(PageReserved(pfn_to_page(0x0380_0000 / 4096))).to.equal(false);
		const free = [...for_each_populated_zone()].reduce((sum, z) => sum + z.nr_free_pages, 0);
		// 2 GiB less the image, three regions of 8, 64 and 64 MiB, 64 MiB of CMA and 2 MiB of swiotlb.
		expect(free).to.be.within(
			0x7_ffff - (2 + 8 + 64 + 64 + 64 + 2 + 1) * 256,
			0x8_0000 - (8 + 64 + 64 + 64) * 256,
		);
		expect(mm_state.totalram_pages).to.equal(free);
	});

	it('puts 64 MiB of CMA at the top of ZONE_DMA, or above 4 GiB when there is memory', () => {
		bootTree([LOW], blob('main'));
		const low = dma_contiguous_default_area();
		expect(low === null ? [] : [cma_get_base(low), cma_get_size(low)]).to.deep.equal([0x7c00_0000, 64 * MIB]);
		bootTree([LOW, HIGH], blob('direct'));
		const area = dma_contiguous_default_area();
		// The limit is the DMA zone's, so it stays low here as well (golden: swiotlb ends where CMA begins).
		expect(area === null ? -1 : cma_get_base(area)).to.equal(0x7c00_0000);
	});

	it('obeys cma= and mem=', () => {
		bootTree([LOW], blob('main'), 'cma=16M@0x20000000 mem=1G');
		const area = dma_contiguous_default_area();
		expect(area === null ? [] : [cma_get_base(area), cma_get_size(area)]).to.deep.equal([
			0x2000_0000,
			16 * MIB,
		]);
		expect(memblock_phys_mem_size()).to.equal(0x4000_0000);
		bootTree([LOW], blob('main'), 'cma=0');
		expect(dma_contiguous_default_area()).to.equal(null);
	});

	it('takes no word for a size that is none: mem= stays what the tree says', () => {
		for (const word of ['mem', 'mem=', 'mem=x', 'mem=-1', 'mem=0', 'mem=100']) {
			bootTree([LOW], blob('main'), word);
			expect(memblock_phys_mem_size(), word).to.equal(0x8000_0000);
			expect(kmsg_dump_get_lines().join()).to.include("Malformed early option 'mem'");
		}
	});

	it('leaves out what the linear map does not cover, and says so', () => {
		const regions = [{ base: 0x4000_0000, size: 2 ** 47 + 0x4000_0000 }];
		bootTree(regions, withMemory(blob('main'), regions));
		expect(memblock_phys_mem_size()).to.equal(2 ** 47);
		expect(kmsg_dump_get_lines().join()).to.include(
			"Memory doesn't fit in the linear mapping, VA_BITS too small",
		);
	});

	it('ends ZONE_DMA where the most limited bus does', () => {
		bootTree([LOW, HIGH], blob('ranges'));
		expect(arm64_dma_phys_limit()).to.equal(0x4000_0000);
	});
});
