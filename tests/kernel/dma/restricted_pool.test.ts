// SPDX-License-Identifier: GPL-2.0-only
// restricted-dma-pool: a device sees nothing but its pool.
// Linux 6.12: kernel/dma/swiotlb.c, CONFIG_DMA_RESTRICTED_POOL

import { expect } from 'chai';
import { pfn_to_page, phys_to_virt } from '#asm/memory.js';
import { PAGE_SIZE } from '#asm/page-def.js';
import { of_find_node_by_path } from '#drivers/of/base.js';
import {
	of_reserved_mem_device_init_by_idx,
	of_reserved_mem_device_release,
} from '#drivers/of/of_reserved_mem.js';
import { sysfs_read } from '#fs/sysfs/user.js';
import {
	dma_alloc_attrs,
	dma_alloc_coherent,
	dma_alloc_pages,
	dma_free_attrs,
	dma_free_coherent,
	dma_free_pages,
	dma_map_sg_attrs,
	dma_max_mapping_size,
	dma_unmap_page_attrs,
	dma_unmap_sg_attrs,
} from '#kernel/dma/mapping.js';
import { swiotlb_alloc, swiotlb_free } from '#kernel/dma/swiotlb.js';
import { sg_alloc_table, sg_free_table, sg_next } from '#lib/scatterlist.js';
import { device } from '#linux/device.js';
import { bus_dma_region } from '#linux/dma-direct.js';
import { DMA_BIDIRECTIONAL, DMA_TO_DEVICE } from '#linux/dma-direction.js';
import { DMA_ATTR_NO_KERNEL_MAPPING, DMA_ATTR_NO_WARN, DMA_MAPPING_ERROR } from '#linux/dma-mapping.js';
import { ENOMEM } from '#linux/errno.js';
import { GFP_ATOMIC, GFP_KERNEL } from '#linux/gfp.js';
import { page_to_phys } from '#linux/mm.js';
import { type scatterlist, sg_set_page, sg_table } from '#linux/scatterlist.js';
import { is_swiotlb_for_alloc, is_swiotlb_force_bounce } from '#linux/swiotlb.js';
import { ref } from '#linux/types.js';
import { slab_fault } from '#mm/failslab.js';
import { memblock_is_reserved } from '#mm/memblock.js';
import { is_vmalloc_addr } from '#mm/vmalloc.js';
import type { Tree } from '#tests/drivers/of/flat-tree.js';
import { Board, boardTree, pattern, reg } from '#tests/kernel/dma/board.js';
import { dma_map_page_attrs } from '#tests/kernel/dma/client.js';
import { expectWarning } from '#tests/setup.js';

const POOL = 0x5000_0000;
const SIZE = 4 << 20;
/** A buffer that every device could reach, reserved so that nobody else has it. */
const BUF = 0x6000_0000;
const HIGH = 0x8_1000_0000;
const pool: Tree = { compatible: 'restricted-dma-pool', reg: reg(POOL, SIZE), phandle: [7] };

describe('restricted_pool', () => {
	let board: Board;
	let m3: device;
	let m4: device;

	function boot(commandLine = '', more: Tree = {}): void {
		const reserved = {
			'restricted@50000000': { ...pool, ...more },
			'bufs@60000000': { reg: reg(BUF, 1 << 20) },
			'bufs@810000000': { reg: reg(HIGH, 1 << 20) },
		};
		board = new Board(boardTree(reserved, { 'memory-region': [7] }), commandLine);
		m3 = board.device('m3');
		m4 = board.device('m4');
	}
	beforeEach(() => boot());

	const used = (): number => m3.dma_io_tlb_mem!.total_used.counter;
	const inPool = (dma: number, size: number): boolean => dma >= POOL && dma + size <= POOL + SIZE;

	it('is refused where there is no memory, whatever its size', () => {
		boot('', { reg: reg(0xf_0000_0000, 64 << 20) });
		const log = board.log.join('\n');
		expect(log).to.include('m3: Restricted DMA pool must be accessible within the linear mapping.');
		expect(is_swiotlb_for_alloc(m3)).to.equal(false);
	});

	it('is made once, from the tree, for all devices that name it', () => {
		const log = board.log.join('\n');
		expect(log).to.include(
			'software IO TLB: Reserved memory: created restricted DMA pool at 0x0000000050000000, size 4 MiB',
		);
		for (const name of ['m3', 'm4'])
			expect(log).to.include(`${name}: assigned reserved memory node restricted@50000000`);
		const mem = m3.dma_io_tlb_mem!;
		expect(m4.dma_io_tlb_mem).to.equal(mem);
		expect([mem.nslabs, mem.defpool.nareas, mem.can_grow]).to.deep.equal([2048, 1, false]);
		expect([is_swiotlb_force_bounce(m3), is_swiotlb_for_alloc(m3)]).to.deep.equal([true, true]);
		expect(sysfs_read('/sys/kernel/debug/swiotlb/restricted@50000000/io_tlb_nslabs')).to.equal('2048\n');
	});

	for (const phys of [BUF, HIGH]) {
		it(`bounces a buffer at 0x${phys.toString(16)}, both ways`, () => {
			phys_to_virt(phys, PAGE_SIZE).set(pattern(PAGE_SIZE, 1));
			const dma = dma_map_page_attrs(m3, pfn_to_page(phys / PAGE_SIZE), 0, PAGE_SIZE, DMA_BIDIRECTIONAL, 0);
			expect(inPool(dma, PAGE_SIZE)).to.equal(true);
			expect(board.masters.model('m3').fetch(dma, PAGE_SIZE)).to.deep.equal(pattern(PAGE_SIZE, 1));
			board.masters.model('m3').store(dma + 8, pattern(64, 5));
			dma_unmap_page_attrs(m3, dma, PAGE_SIZE, DMA_BIDIRECTIONAL, 0);
			expect(phys_to_virt(phys + 8, 64).slice()).to.deep.equal(pattern(64, 5));
			expect(used()).to.equal(0);
		});
	}

	it('bounces each entry of a list', () => {
		const table = new sg_table();
		expect(sg_alloc_table(table, 3, GFP_KERNEL)).to.equal(0);
		const entries: scatterlist[] = [];
		for (let sg = table.sgl; sg !== null; sg = sg_next(sg)) {
			sg_set_page(sg, pfn_to_page(BUF / PAGE_SIZE + entries.length), PAGE_SIZE, 0);
			entries.push(sg);
		}
		expect(dma_map_sg_attrs(m3, entries[0], 3, DMA_TO_DEVICE, 0)).to.equal(3);
		for (const sg of entries) expect(inPool(sg.dma_address, PAGE_SIZE)).to.equal(true);
		dma_unmap_sg_attrs(m3, entries[0], 3, DMA_TO_DEVICE, 0);
		expect(used()).to.equal(0);
		sg_free_table(table);
		expect(dma_max_mapping_size(m3)).to.equal(256 * 1024);
	});

	it('is where coherent memory comes from, aligned to its size, cleared', () => {
		for (const dev of [m3, m4]) {
			const check = board.leakCheck();
			const dma = new ref(0);
			const cpu = dma_alloc_coherent(dev, 20_000, dma, GFP_KERNEL)!;
			expect(inPool(dma.value, 20_000)).to.equal(true);
			expect(dma.value % (32 * 1024)).to.equal(0);
			expect(is_vmalloc_addr(cpu)).to.equal(dev === m3);
			cpu.set(pattern(20_000, 2));
			const name = dev === m3 ? 'm3' : 'm4';
			expect(
				Buffer.compare(board.masters.model(name).fetch(dma.value, 20_000)!, pattern(20_000, 2)),
			).to.equal(0);
			dma_free_coherent(dev, 20_000, cpu, dma.value);
			expect(check()).to.deep.equal([]);
			const again = dma_alloc_coherent(dev, 20_000, dma, GFP_KERNEL)!;
			expect(again.every((b) => b === 0)).to.equal(true);
			dma_free_coherent(dev, 20_000, again, dma.value);
			expect(used()).to.equal(0);
		}
	});

	it('serves those who may not sleep, and those who want no kernel address, too', () => {
		const dma = new ref(0);
		for (const [gfp, attrs] of [
			[GFP_ATOMIC, 0],
			[GFP_KERNEL, DMA_ATTR_NO_KERNEL_MAPPING],
		]) {
			const cpu = dma_alloc_attrs(m4, PAGE_SIZE, dma, gfp, attrs)!;
			expect(inPool(dma.value, PAGE_SIZE)).to.equal(true);
			expect(cpu).to.be.instanceOf(Uint8Array);
			dma_free_attrs(m4, PAGE_SIZE, cpu, dma.value, attrs);
		}
		const page = dma_alloc_pages(m3, 2 * PAGE_SIZE, dma, DMA_TO_DEVICE, GFP_KERNEL)!;
		expect(inPool(page_to_phys(page), 2 * PAGE_SIZE)).to.equal(true);
		dma_free_pages(m3, 2 * PAGE_SIZE, page, dma.value, DMA_TO_DEVICE);
		expect(used()).to.equal(0);
	});

	it('does not fall back on other memory when it is full', () => {
		const dma = new ref(0);
		const all: [Uint8Array, number][] = [];
		for (;;) {
			const cpu = dma_alloc_coherent(m4, 256 * 1024, dma, GFP_KERNEL);
			if (cpu === null) break;
			all.push([cpu, dma.value]);
		}
		expect(all).to.have.length(16);
		expect(dma_alloc_coherent(m3, PAGE_SIZE, dma, GFP_KERNEL)).to.equal(null);
		expect(
			dma_map_page_attrs(m3, pfn_to_page(BUF / PAGE_SIZE), 0, 64, DMA_TO_DEVICE, DMA_ATTR_NO_WARN),
		).to.equal(DMA_MAPPING_ERROR);
		for (const [cpu, at] of all) dma_free_coherent(m4, 256 * 1024, cpu, at);
		expect(used()).to.equal(0);
	});

	it('gives nothing that the device cannot reach, and nothing above the largest mapping', () => {
		const dma = new ref(0);
		m4.coherent_dma_mask = POOL - 1;
		expect(dma_alloc_coherent(m4, PAGE_SIZE, dma, GFP_KERNEL)).to.equal(null);
		m4.coherent_dma_mask = 0xffff_ffff;
		expect(dma_alloc_coherent(m4, 256 * 1024 + 1, dma, GFP_KERNEL)).to.equal(null);
		expect(used()).to.equal(0);
	});

	it('knows its own pages', () => {
		const page = swiotlb_alloc(m3, PAGE_SIZE)!;
		expect(swiotlb_free(m3, pfn_to_page(BUF / PAGE_SIZE), PAGE_SIZE)).to.equal(false);
		expect(swiotlb_free(m3, page, PAGE_SIZE)).to.equal(true);
		const other = new device();
		expect(swiotlb_alloc(other, PAGE_SIZE)).to.equal(null);
		expect(swiotlb_free(other, page, PAGE_SIZE)).to.equal(false);
	});

	it('has no page when its slots do not lie on pages', () => {
		expectWarning(/Cannot allocate pages from non page-aligned swiotlb addr/);
		boot('', { reg: reg(POOL + 2048, SIZE) });
		// The bus shifts addresses, so that slots which are aligned for the device are not for the CPU.
		const shift = new bus_dma_region();
		shift.dma_start = 2048;
		shift.size = 2 ** 32;
		m4.dma_range_map = [shift];
		expect(swiotlb_alloc(m4, PAGE_SIZE)).to.equal(null);
		expect(m4.dma_io_tlb_mem!.total_used.counter).to.equal(0);
	});

	it('may be of any size and begin anywhere', () => {
		boot('', { reg: reg(POOL + 0x1000, 9 << 20) });
		const dma = new ref(0);
		const all: [Uint8Array, number][] = [];
		for (;;) {
			const cpu = dma_alloc_coherent(m3, 64 * 1024, dma, GFP_KERNEL);
			if (cpu === null) break;
			all.push([cpu, dma.value]);
		}
		// Three of each segment: what is aligned to 64 KiB does not begin with it.
		expect(all).to.have.length(36 * 3);
		for (const [cpu, at] of all) {
			cpu.fill(0xa5);
			dma_free_coherent(m3, 64 * 1024, cpu, at);
		}
		expect(used()).to.equal(0);
	});

	it('does not grow, but may be searched as pools that grow are', () => {
		boot('swiotlb_dynamic=on');
		const dma = new ref(0);
		const cpu = dma_alloc_coherent(m4, 2 * PAGE_SIZE, dma, GFP_KERNEL)!;
		expect(inPool(dma.value, 2 * PAGE_SIZE)).to.equal(true);
		dma_free_coherent(m4, 2 * PAGE_SIZE, cpu, dma.value);
		const map = dma_map_page_attrs(m3, pfn_to_page(BUF / PAGE_SIZE), 0, 64, DMA_TO_DEVICE, 0);
		expect(inPool(map, 64)).to.equal(true);
		dma_unmap_page_attrs(m3, map, 64, DMA_TO_DEVICE, 0);
		expect(m3.dma_io_tlb_mem!.can_grow).to.equal(false);
		expect(used()).to.equal(0);
	});

	it('is left when the device is released', () => {
		of_reserved_mem_device_release(m3);
		expect(is_swiotlb_for_alloc(m3)).to.equal(false);
		expect(m3.dma_io_tlb_mem).to.not.equal(m4.dma_io_tlb_mem);
		const dma = dma_map_page_attrs(m3, pfn_to_page(BUF / PAGE_SIZE), 0, 64, DMA_TO_DEVICE, 0);
		expect(dma).to.equal(BUF);
		dma_unmap_page_attrs(m3, dma, 64, DMA_TO_DEVICE, 0);
	});

	it('refuses more than its slots can be allocated for in one piece', () => {
		boot('', { reg: reg(POOL, 0x1800_0000) });
		expect(is_swiotlb_for_alloc(m3)).to.equal(false);
		expect(board.log.join('\n')).to.include('failed to initialise "restricted-dma-pool" memory node');
	});

	it('refuses a region that begins in one and ends behind it', () => {
		const first = { ...pool, reg: reg(POOL, 4 * SIZE) };
		const more = { ...pool, reg: reg(POOL + 2 * SIZE, 4 * SIZE), phandle: [8] };
		board = new Board(boardTree({ 'restricted@50000000': first, 'more@50800000': more }, {}));
		expect(board.log.join('\n')).to.match(/node more@50800000 compatible matching fail/);
	});

	for (const word of ['reusable', 'no-map', 'linux,cma-default', 'linux,dma-default']) {
		it(`refuses a region that is ${word}, and gives it back`, () => {
			boot('', { [word]: true });
			expect(board.log.join('\n')).to.include('node restricted@50000000 compatible matching fail');
			expect(memblock_is_reserved(POOL)).to.equal(false);
			expect(is_swiotlb_for_alloc(m3)).to.equal(false);
			expect(board.log.join('\n')).to.include('failed to initialise "restricted-dma-pool" memory node');
		});
	}

	it('answers -ENOMEM for each allocation of its making that fails, and keeps nothing', () => {
		board = new Board(boardTree({ 'restricted@50000000': pool }, { 'memory-region': [7] }));
		const fresh = new Board(
			boardTree(
				{
					'restricted@50000000': pool,
					'other@51000000': { ...pool, reg: reg(0x5100_0000, SIZE), phandle: [8] },
				},
				{
					'memory-region': [7],
					spare: { 'memory-region': [8] },
				},
			),
		);
		const spare = of_find_node_by_path('/m3/spare');
		const dev = new device();
		dev.init_name = 'spare';
		const check = fresh.leakCheck();
		for (let nth = 1; nth <= 4; nth++) {
			slab_fault.nth = nth;
			expect(of_reserved_mem_device_init_by_idx(dev, spare, 0), `allocation ${nth}`).to.equal(-ENOMEM);
			expect(dev.dma_io_tlb_mem).to.equal(null);
			expect(check(), `allocation ${nth}`).to.deep.equal([]);
		}
		expect(of_reserved_mem_device_init_by_idx(dev, spare, 0)).to.equal(0);
		expect(is_swiotlb_for_alloc(dev)).to.equal(true);
	});
});
