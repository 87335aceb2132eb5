// SPDX-License-Identifier: GPL-2.0-only
// DMA without an IOMMU. Exact answers: golden dma-direct-swiotlb.json.
import { expect } from 'chai';
import { pfn_to_page } from '#asm/memory.js';
import { dma_coherent_ok, dma_direct_set_offset } from '#kernel/dma/direct.js';
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
	dma_map_page_attrs,
	dma_map_resource,
	dma_set_coherent_mask,
	dma_set_mask,
	dma_unmap_page_attrs,
} from '#kernel/dma/mapping.js';
import type { device } from '#linux/device.js';
import {
	bus_dma_region,
	dma_capable,
	dma_range_map_max,
	dma_range_map_min,
	dma_to_phys,
	phys_to_dma,
} from '#linux/dma-direct.js';
import { DMA_TO_DEVICE } from '#linux/dma-direction.js';
import { DMA_ATTR_NO_KERNEL_MAPPING, DMA_BIT_MASK, DMA_MAPPING_ERROR } from '#linux/dma-mapping.js';
import { EINVAL, EIO } from '#linux/errno.js';
import { GFP_ATOMIC, GFP_KERNEL } from '#linux/gfp.js';
import { PHYS_ADDR_MAX, ref, U64_MAX } from '#linux/types.js';
import { is_vmalloc_addr } from '#mm/vmalloc.js';
import { failEach } from '#tests/fail-each.js';
import { Board, BUFS, pattern } from '#tests/kernel/dma/board.js';
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
		const dma = dma_map_page_attrs(dev, pfn_to_page(BUFS / 4096), 0x321, 1000, DMA_TO_DEVICE, 0);
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
		expect(dma_coherent_ok(dev, 0x2000_0000, 4096)).to.equal(false);
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
		const linear = dma_alloc_coherent(m4, 4096, dma, GFP_KERNEL)!;
		expect(is_vmalloc_addr(linear)).to.equal(false);
		dma_free_coherent(m4, 4096, linear, dma.value);
	});

	for (const [what, gfp, attrs] of [
		['may sleep', GFP_KERNEL, 0],
		['may not sleep', GFP_ATOMIC, 0],
		['needs no kernel address', GFP_KERNEL, DMA_ATTR_NO_KERNEL_MAPPING],
	] as const) {
		it(`frees all of an allocation whose caller ${what}`, () => {
			const dma = new ref(0);
			dma_free_attrs(dev, 8192, dma_alloc_attrs(dev, 8192, dma, gfp, attrs), dma.value, attrs);
			const check = board.leakCheck();
			const cpu = dma_alloc_attrs(dev, 8192, dma, gfp, attrs);
			expect(cpu).to.not.equal(null);
			dma_free_attrs(dev, 8192, cpu, dma.value, attrs);
			expect(check()).to.deep.equal([]);
		});

		it(`leaves nothing behind when one whose caller ${what} fails, wherever it fails`, () => {
			const dma = new ref(0);
			dma_free_attrs(dev, 8192, dma_alloc_attrs(dev, 8192, dma, gfp, attrs), dma.value, attrs);
			const check = board.leakCheck();
			failEach((where) => {
				const cpu = dma_alloc_attrs(dev, 8192, dma, gfp, attrs);
				if (cpu !== null) dma_free_attrs(dev, 8192, cpu, dma.value, attrs);
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
		expect(dma.value).to.equal(page.pfn * 4096);
		dma_free_pages(dev, 5000, page, dma.value, DMA_TO_DEVICE);
		expect(check()).to.deep.equal([]);
	});

	it('maps a resource in reach only', () => {
		expect(dma_map_resource(dev, 0xf000_0000, 4096, DMA_TO_DEVICE, 0)).to.equal(0xf000_0000);
		expectWarning(/./);
		expect(dma_map_resource(dev, 0xf_0000_0000, 4096, DMA_TO_DEVICE, 0)).to.equal(DMA_MAPPING_ERROR);
	});

	it('gives a device one window, once', () => {
		expect(dma_direct_set_offset(dev, 0x1000, 0x1000, 0x1000)).to.equal(0);
		expect(dev.dma_range_map).to.equal(null);
		expect(dma_direct_set_offset(dev, 0x4000_0000, 0, 0x4000_0000)).to.equal(0);
		expect(phys_to_dma(dev, 0x4000_1000)).to.equal(0x1000);
		expect(dma_direct_set_offset(dev, 0, 0x1000, 0x1000)).to.equal(-EINVAL);
	});
});
