// SPDX-License-Identifier: GPL-2.0-only
// DMA without an IOMMU. Exact answers: golden dma-direct-swiotlb.json.

import { expect } from 'chai';
import { pfn_to_page, phys_to_virt } from '#asm/memory.js';
import { PAGE_SIZE } from '#asm/page-def.js';
import {
	dma_coherent_ok,
	dma_direct_all_ram_mapped,
	dma_direct_map_sg,
	dma_direct_set_offset,
	dma_direct_unmap_sg,
} from '#kernel/dma/direct.js';
import {
	dma_addressing_limited,
	dma_alloc_attrs,
	dma_alloc_coherent,
	dma_alloc_noncontiguous,
	dma_alloc_pages,
	dma_free_attrs,
	dma_free_coherent,
	dma_free_noncontiguous,
	dma_free_pages,
	dma_get_required_mask,
	dma_get_sgtable_attrs,
	dma_map_sg_attrs,
	dma_map_sgtable,
	dma_set_coherent_mask,
	dma_set_mask,
	dma_set_mask_and_coherent,
	dma_sync_sg_for_cpu,
	dma_sync_sg_for_device,
	dma_unmap_page_attrs,
	dma_unmap_sg_attrs,
} from '#kernel/dma/mapping.js';
import { sg_alloc_table, sg_free_table, sg_next } from '#lib/scatterlist.js';
import type { device } from '#linux/device.js';
import {
	bus_dma_region,
	dma_capable,
	dma_range_map_max,
	dma_range_map_min,
	dma_to_phys,
	phys_to_dma,
} from '#linux/dma-direct.js';
import { DMA_BIDIRECTIONAL, DMA_TO_DEVICE } from '#linux/dma-direction.js';
import {
	DMA_ATTR_NO_KERNEL_MAPPING,
	DMA_ATTR_NO_WARN,
	DMA_BIT_MASK,
	DMA_MAPPING_ERROR,
} from '#linux/dma-mapping.js';
import { EINVAL, EIO, ENOMEM, EREMOTEIO } from '#linux/errno.js';
import { GFP_ATOMIC, GFP_KERNEL } from '#linux/gfp.js';
import { dev_pagemap, MEMORY_DEVICE_GENERIC, MEMORY_DEVICE_PCI_P2PDMA } from '#linux/memremap.js';
import {
	type scatterlist,
	sg_dma_is_bus_address,
	sg_dma_mark_bus_address,
	sg_page,
	sg_set_page,
	sg_table,
} from '#linux/scatterlist.js';
import { PHYS_ADDR_MAX, ref, U64_MAX } from '#linux/types.js';
import { slab_fault } from '#mm/failslab.js';
import { page_placement } from '#mm/page_alloc.js';
import { is_vmalloc_addr } from '#mm/vmalloc.js';
import { failEach } from '#tests/fail-each.js';
import { Board, BUFS, boardTree, pattern, reg } from '#tests/kernel/dma/board.js';
import { dma_map_page_attrs, dma_map_resource } from '#tests/kernel/dma/client.js';
import { expectWarning } from '#tests/setup.js';

function region(cpu_start: number, dma_start: number, size: number): bus_dma_region {
	const r = new bus_dma_region();
	r.cpu_start = cpu_start;
	r.dma_start = dma_start;
	r.size = size;
	return r;
}

describe('direct', () => {
	let board: Board;
	let dev: device;
	beforeEach(() => {
		board = new Board('direct');
		dev = board.device('m3');
	});

	it('gives the device the physical address', () => {
		const dma = dma_map_page_attrs(dev, pfn_to_page(BUFS / PAGE_SIZE), 0x321, 1000, DMA_TO_DEVICE, 0);
		expect(dma).to.equal(BUFS + 0x321);
		dma_unmap_page_attrs(dev, dma, 1000, DMA_TO_DEVICE, 0);
	});

	it('shifts addresses through the windows of the bus, and knows what lies in none', () => {
		dev.dma_range_map = [
			region(0, 0xc000_0000, 0x1000_0000),
			region(0x4000_0000, 0x1_0000_0000, 0x1000_0000),
		];
		expect(phys_to_dma(dev, 0x123)).to.equal(0xc000_0123);
		expect(phys_to_dma(dev, 0x4000_0000)).to.equal(0x1_0000_0000);
		expect(phys_to_dma(dev, 0x2000_0000)).to.equal(DMA_MAPPING_ERROR);
		expect(dma_to_phys(dev, 0xc000_0123)).to.equal(0x123);
		expect(dma_to_phys(dev, 0x1000)).to.equal(PHYS_ADDR_MAX);
		expect(dma_range_map_min(dev.dma_range_map)).to.equal(0xc000_0000);
		expect(dma_range_map_max(dev.dma_range_map)).to.equal(0x1_0fff_ffff);
		expect(dma_coherent_ok(dev, 0x2000_0000, PAGE_SIZE)).to.equal(false);
	});

	it('compares the last byte with mask and bus limit', () => {
		expect(dma_capable(dev, 0xffff_f000, 4096, true)).to.equal(true);
		expect(dma_capable(dev, 0xffff_f000, 4097, true)).to.equal(false);
		dev.bus_dma_limit = 0x7fff_ffff;
		expect(dma_capable(dev, 0x8000_0000, 1, true)).to.equal(false);
		expect(dma_capable(dev, DMA_MAPPING_ERROR, 1, true)).to.equal(false);
	});

	it('takes every mask of 32 bits, and refuses one that does not reach all of ZONE_DMA', () => {
		expect(dma_set_mask(dev, DMA_BIT_MASK(32))).to.equal(0);
		expect(dma_set_mask(dev, DMA_BIT_MASK(64))).to.equal(0);
		expect(dma_set_mask(dev, DMA_BIT_MASK(31))).to.equal(-EIO);
		expect(dma_set_coherent_mask(dev, DMA_BIT_MASK(24))).to.equal(-EIO);
		expect(dev.dma_mask!.value).to.equal(U64_MAX);
	});

	it('says which mask reaches all memory, and whether the device is limited', () => {
		// 2 GiB from 0x8_0000_0000 on: 36 bits.
		expect(dma_get_required_mask(dev)).to.equal(0xf_ffff_ffff);
		expect(dma_addressing_limited(dev)).to.equal(true);
		dma_set_mask(dev, DMA_BIT_MASK(36));
		expect(dma_addressing_limited(dev)).to.equal(false);
		dev.dma_range_map = [region(0, 0, 0x8000_0000)];
		expect(dma_addressing_limited(dev)).to.equal(true);
	});

	it('allocates coherent memory in reach, uncached for a device that does not snoop', () => {
		const dma = new ref(0);
		const cpu = dma_alloc_coherent(dev, 10000, dma, GFP_KERNEL)!;
		expect(is_vmalloc_addr(cpu)).to.equal(true);
		expect(dma.value + 10000).to.be.at.most(2 ** 32);
		cpu.set(pattern(10000, 5));
		expect(board.masters.model('m3').fetch(dma.value, 10000)).to.deep.equal(pattern(10000, 5));
		dma_free_coherent(dev, 10000, cpu, dma.value);

		const m4 = board.device('m4');
		const linear = dma_alloc_coherent(m4, PAGE_SIZE, dma, GFP_KERNEL)!;
		expect(is_vmalloc_addr(linear)).to.equal(false);
		dma_free_coherent(m4, PAGE_SIZE, linear, dma.value);
	});

	for (const [what, gfp, attrs] of [
		['may sleep', GFP_KERNEL, 0],
		['may not sleep', GFP_ATOMIC, 0],
		['needs no kernel address', GFP_KERNEL, DMA_ATTR_NO_KERNEL_MAPPING],
	] as const) {
		it(`frees all of an allocation whose caller ${what}`, () => {
			const dma = new ref(0);
			dma_free_attrs(
				dev,
				2 * PAGE_SIZE,
				dma_alloc_attrs(dev, 2 * PAGE_SIZE, dma, gfp, attrs),
				dma.value,
				attrs,
			);
			const check = board.leakCheck();
			const cpu = dma_alloc_attrs(dev, 2 * PAGE_SIZE, dma, gfp, attrs);
			expect(cpu).to.not.equal(null);
			dma_free_attrs(dev, 2 * PAGE_SIZE, cpu, dma.value, attrs);
			expect(check()).to.deep.equal([]);
		});

		it(`leaves nothing behind when one whose caller ${what} fails, wherever it fails`, () => {
			const dma = new ref(0);
			dma_free_attrs(
				dev,
				2 * PAGE_SIZE,
				dma_alloc_attrs(dev, 2 * PAGE_SIZE, dma, gfp, attrs),
				dma.value,
				attrs,
			);
			const check = board.leakCheck();
			failEach((where) => {
				const cpu = dma_alloc_attrs(dev, 2 * PAGE_SIZE, dma, gfp, attrs);
				if (cpu !== null) dma_free_attrs(dev, 2 * PAGE_SIZE, cpu, dma.value, attrs);
				expect(check(), where).to.deep.equal([]);
			});
		});
	}

	it('leaves nothing behind when a non-contiguous allocation fails, wherever it fails', () => {
		const warm = dma_alloc_noncontiguous(dev, 40_000, DMA_TO_DEVICE, GFP_KERNEL, 0)!;
		expect(warm.nents).to.equal(1);
		dma_free_noncontiguous(dev, 40_000, warm, DMA_TO_DEVICE);
		const check = board.leakCheck();
		const failures = failEach((where) => {
			const sgt = dma_alloc_noncontiguous(dev, 40_000, DMA_TO_DEVICE, GFP_KERNEL, 0);
			if (sgt !== null) dma_free_noncontiguous(dev, 40_000, sgt, DMA_TO_DEVICE);
			expect(check(), where).to.deep.equal([]);
		});
		expect(failures).to.be.above(2);
	});

	it('allocates pages for streaming, cleared', () => {
		const check = board.leakCheck();
		const dma = new ref(0);
		const page = dma_alloc_pages(dev, 5000, dma, DMA_TO_DEVICE, GFP_KERNEL)!;
		expect(dma.value).to.equal(page.pfn * PAGE_SIZE);
		dma_free_pages(dev, 5000, page, dma.value, DMA_TO_DEVICE);
		expect(check()).to.deep.equal([]);
	});

	it('maps a resource in reach only', () => {
		expect(dma_map_resource(dev, 0xf000_0000, PAGE_SIZE, DMA_TO_DEVICE, 0)).to.equal(0xf000_0000);
		expectWarning(/./);
		expect(dma_map_resource(dev, 0xf_0000_0000, PAGE_SIZE, DMA_TO_DEVICE, 0)).to.equal(DMA_MAPPING_ERROR);
	});

	it('gives a device one window, once', () => {
		expect(dma_direct_set_offset(dev, 0x1000, 0x1000, 0x1000)).to.equal(0);
		expect(dev.dma_range_map).to.equal(null);
		expect(dma_direct_set_offset(dev, 0x4000_0000, 0, 0x4000_0000)).to.equal(0);
		expect(phys_to_dma(dev, 0x4000_1000)).to.equal(0x1000);
		expect(dma_direct_set_offset(dev, 0, 0x1000, 0x1000)).to.equal(-EINVAL);
	});

	describe('of a list', () => {
		const HIGH = 0x8_1000_0000;
		const SLOT = 2048;
		const used = (): number => dev.dma_io_tlb_mem!.total_used.counter;
		function list(...pages: number[]): { table: sg_table; entries: scatterlist[] } {
			const table = new sg_table();
			expect(sg_alloc_table(table, pages.length, GFP_KERNEL)).to.equal(0);
			const entries: scatterlist[] = [];
			for (let sg = table.sgl; sg !== null; sg = sg_next(sg)) {
				sg_set_page(sg, pfn_to_page(pages[entries.length] / PAGE_SIZE), PAGE_SIZE, 0);
				entries.push(sg);
			}
			return { table, entries };
		}

		it('maps each entry by itself, neighbours too', () => {
			const { table, entries } = list(BUFS, BUFS + PAGE_SIZE, HIGH);
			expect(dma_map_sg_attrs(dev, entries[0], 3, DMA_TO_DEVICE, 0)).to.equal(3);
			expect(entries.slice(0, 2).map((sg) => sg.dma_address)).to.deep.equal([BUFS, BUFS + PAGE_SIZE]);
			expect(entries.map((sg) => sg.dma_length)).to.deep.equal([PAGE_SIZE, PAGE_SIZE, PAGE_SIZE]);
			expect(used()).to.equal(PAGE_SIZE / SLOT);
			dma_unmap_sg_attrs(dev, entries[0], 3, DMA_TO_DEVICE, 0);
			expect(used()).to.equal(0);
			sg_free_table(table);
		});

		it('syncs the entries that bounce', () => {
			const { table, entries } = list(BUFS, HIGH);
			phys_to_virt(HIGH, PAGE_SIZE).set(pattern(PAGE_SIZE, 1));
			dma_map_sg_attrs(dev, entries[0], 2, DMA_BIDIRECTIONAL, 0);
			const m3 = board.masters.model('m3');
			for (const sg of entries) m3.store(sg.dma_address, pattern(100, 7));
			dma_sync_sg_for_cpu(dev, entries[0], 2, DMA_BIDIRECTIONAL);
			for (const phys of [BUFS, HIGH]) {
				expect(phys_to_virt(phys, 100).slice()).to.deep.equal(pattern(100, 7));
				phys_to_virt(phys, 100).set(pattern(100, 8));
			}
			dma_sync_sg_for_device(dev, entries[0], 2, DMA_BIDIRECTIONAL);
			for (const sg of entries) expect(m3.fetch(sg.dma_address, 100)).to.deep.equal(pattern(100, 8));
			dma_unmap_sg_attrs(dev, entries[0], 2, DMA_BIDIRECTIONAL, 0);
			sg_free_table(table);
		});

		it('undoes what it mapped when an entry fails, and copies nothing back', () => {
			const { table, entries } = list(HIGH, HIGH + PAGE_SIZE, HIGH + 2 * PAGE_SIZE);
			sg_set_page(entries[2], sg_page(entries[2]), 300 * 1024, 0);
			phys_to_virt(HIGH, PAGE_SIZE).fill(1);
			expect(dma_map_sg_attrs(dev, entries[0], 3, DMA_BIDIRECTIONAL, DMA_ATTR_NO_WARN)).to.equal(0);
			expect(dma_direct_map_sg(dev, entries[0], 3, DMA_BIDIRECTIONAL, DMA_ATTR_NO_WARN)).to.equal(-EIO);
			expect(used()).to.equal(0);
			sg_free_table(table);
		});

		it('refuses memory of another device, which nobody here gets at', () => {
			const { table, entries } = list(HIGH, BUFS);
			const pgmap = new dev_pagemap();
			pgmap.type = MEMORY_DEVICE_PCI_P2PDMA;
			sg_page(entries[1]).owner = pgmap;
			expect(dma_direct_map_sg(dev, entries[0], 2, DMA_TO_DEVICE, 0)).to.equal(-EREMOTEIO);
			expect(used()).to.equal(0);
			expect(dma_map_sgtable(dev, table, DMA_TO_DEVICE, 0)).to.equal(-EREMOTEIO);
			pgmap.type = MEMORY_DEVICE_GENERIC;
			expect(dma_direct_map_sg(dev, entries[0], 2, DMA_TO_DEVICE, 0)).to.equal(2);
			dma_direct_unmap_sg(dev, entries[0], 2, DMA_TO_DEVICE, 0);
			sg_page(entries[1]).owner = null;
			sg_free_table(table);
		});

		it('leaves an entry alone that has a bus address', () => {
			const { table, entries } = list(BUFS, HIGH);
			dma_direct_map_sg(dev, entries[0], 2, DMA_TO_DEVICE, 0);
			sg_dma_mark_bus_address(entries[0]);
			entries[0].dma_address = 0xf000_0000;
			dma_direct_unmap_sg(dev, entries[0], 2, DMA_TO_DEVICE, 0);
			expect(sg_dma_is_bus_address(entries[0])).to.equal(false);
			expect(used()).to.equal(0);
			sg_free_table(table);
		});
	});

	it('never bounces memory of another device', () => {
		const pgmap = new dev_pagemap();
		pgmap.type = MEMORY_DEVICE_PCI_P2PDMA;
		const high = pfn_to_page(0x8_1000_0000 / PAGE_SIZE);
		high.owner = pgmap;
		expect(dma_map_page_attrs(dev, high, 0, 64, DMA_TO_DEVICE, 0)).to.equal(DMA_MAPPING_ERROR);

		board = new Board('direct', 'swiotlb=force');
		const page = pfn_to_page(BUFS / PAGE_SIZE);
		page.owner = pgmap;
		expect(dma_map_page_attrs(board.device('m3'), page, 0, 64, DMA_TO_DEVICE, 0)).to.equal(DMA_MAPPING_ERROR);
	});

	it('looks for coherent memory in the zone that the device reaches, then in lower ones', () => {
		dma_set_mask_and_coherent(dev, DMA_BIT_MASK(64));
		page_placement.mode = 'high';
		const dma = new ref(0);
		// One page: CMA is not asked.
		let cpu = dma_alloc_coherent(dev, PAGE_SIZE, dma, GFP_KERNEL);
		expect(dma.value).to.be.above(2 ** 32);
		dma_free_coherent(dev, PAGE_SIZE, cpu, dma.value);
		dev.bus_dma_limit = 0x8_3fff_ffff;
		cpu = dma_alloc_coherent(dev, PAGE_SIZE, dma, GFP_KERNEL);
		expect(dma.value).to.be.below(2 ** 32);
		dma_free_coherent(dev, PAGE_SIZE, cpu, dma.value);
		dev.bus_dma_limit = 0xfff;
		expect(dma_alloc_coherent(dev, PAGE_SIZE, dma, GFP_KERNEL)).to.equal(null);
	});

	it('counts only mapped memory when it asks whether the windows show all of it', () => {
		dma_set_mask(dev, DMA_BIT_MASK(36));
		dev.dma_range_map = [region(0, 0, 0x8000_0000), region(0x8_0000_0000, 0x8000_0000, 0x8000_0000)];
		expect(dma_direct_all_ram_mapped(dev)).to.equal(true);
		dev.dma_range_map = [region(0, 0, 0x8000_0000), region(0x8_0000_0000, 0x8000_0000, 0x7fff_0000)];
		expect(dma_direct_all_ram_mapped(dev)).to.equal(false);

		// The last 64 KiB are firmware's.
		board = new Board(boardTree({ 'fw@83fff0000': { reg: reg(0x8_3fff_0000, 0x1_0000), 'no-map': true } }));
		dev = board.device('m3');
		dev.dma_range_map = [
			region(0x4000_0000, 0, 0x4000_0000),
			region(0x8_0000_0000, 0x8000_0000, 0x3fff_0000),
		];
		expect(dma_direct_all_ram_mapped(dev)).to.equal(true);
	});

	it('shares a coherent buffer as one entry', () => {
		const dma = new ref(0);
		const cpu = dma_alloc_coherent(dev, 3 * PAGE_SIZE - 100, dma, GFP_KERNEL)!;
		const table = new sg_table();
		expect(dma_get_sgtable_attrs(dev, table, cpu, dma.value, 3 * PAGE_SIZE - 100, 0)).to.equal(0);
		const sg = table.sgl as scatterlist;
		expect([table.nents, sg_page(sg).pfn * PAGE_SIZE, sg.length]).to.deep.equal([
			1,
			dma.value,
			3 * PAGE_SIZE,
		]);
		sg_free_table(table);
		slab_fault.nth = 1;
		expect(dma_get_sgtable_attrs(dev, table, cpu, dma.value, 3 * PAGE_SIZE - 100, 0)).to.equal(-ENOMEM);
		dma_free_coherent(dev, 3 * PAGE_SIZE - 100, cpu, dma.value);
	});
});
