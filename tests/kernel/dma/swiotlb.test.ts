// SPDX-License-Identifier: GPL-2.0-only
// Bounce buffers of devices without an IOMMU.
// Exact slots are the golden vectors' (dma-direct-swiotlb.json).

import { expect } from 'chai';
import fc from 'fast-check';
import { pfn_to_page, phys_to_virt } from '#asm/memory.js';
import { get_order } from '#asm/page.js';
import { PAGE_SIZE } from '#asm/page-def.js';
import { sysfs_read, sysfs_readdir, sysfs_write } from '#fs/sysfs/user.js';
import {
	dma_max_mapping_size,
	dma_need_sync,
	dma_sync_single_for_cpu,
	dma_sync_single_for_device,
	dma_unmap_page_attrs,
	dma_unmap_single,
} from '#kernel/dma/mapping.js';
import {
	is_swiotlb_active,
	is_swiotlb_allocated,
	swiotlb_exit,
	swiotlb_init_late,
	swiotlb_max_mapping_size,
	swiotlb_tbl_map_single,
	swiotlb_tbl_unmap_single,
} from '#kernel/dma/swiotlb.js';
import type { device } from '#linux/device.js';
import { DMA_BIDIRECTIONAL, DMA_FROM_DEVICE, DMA_TO_DEVICE } from '#linux/dma-direction.js';
import {
	DMA_ATTR_NO_WARN,
	DMA_MAPPING_ERROR,
	dma_set_min_align_mask,
	dma_set_seg_boundary,
} from '#linux/dma-mapping.js';
import { EINVAL, ENOMEM } from '#linux/errno.js';
import { __GFP_NOWARN, GFP_DMA32, GFP_KERNEL } from '#linux/gfp_types.js';
import { list_empty } from '#linux/list.js';
import { page_address, totalram_pages } from '#linux/mm.js';
import { MAX_PAGE_ORDER } from '#linux/mmzone.js';
import { swiotlb_find_pool } from '#linux/swiotlb.js';
import { fail_page_alloc } from '#mm/fail_page_alloc.js';
import { slab_fault } from '#mm/failslab.js';
import { __free_pages, alloc_pages, nr_free_pages, page_placement } from '#mm/page_alloc.js';
import { Board, pattern } from '#tests/kernel/dma/board.js';
import { dma_map_page_attrs, dma_map_single } from '#tests/kernel/dma/client.js';
import { expectFinding, expectWarning } from '#tests/setup.js';

/** Out of a 32-bit device's reach; the boards' `bufs` region there. */
const HIGH = 0x8_1000_0000;

const DEBUGFS = '/sys/kernel/debug/swiotlb';
const read = (file: string): unknown => sysfs_read(`${DEBUGFS}/${file}`);
const write = (file: string, text: string): number => sysfs_write(`${DEBUGFS}/${file}`, text);

/** The slots of a page. */
const SLOTS = PAGE_SIZE / 2048;
const page = (phys: number) => pfn_to_page(Math.floor(phys / PAGE_SIZE));

describe('swiotlb', () => {
	let board: Board;
	let dev: device;
	beforeEach(() => {
		board = new Board('direct');
		dev = board.device('m3');
	});

	const map = (phys: number, size: number, dir: number, attrs = 0): number =>
		dma_map_page_attrs(dev, page(phys), phys % PAGE_SIZE, size, dir, attrs) as number;
	const unmap = (dma: number, size: number, dir: number): void =>
		dma_unmap_page_attrs(dev, dma, size, dir, 0);
	const used = (): number => dev.dma_io_tlb_mem!.total_used.counter;
	const model = () => board.masters.model('m3');

	it('copies a buffer out of reach into the pool, and back what the device wrote', () => {
		const buf = phys_to_virt(HIGH + 0x100, 3000);
		buf.set(pattern(3000, 1));
		const dma = map(HIGH + 0x100, 3000, DMA_BIDIRECTIONAL);
		expect(swiotlb_find_pool(dev, dma)).to.not.equal(null);
		expect(model().fetch(dma, 3000)).to.deep.equal(pattern(3000, 1));
		expect(model().store(dma + 1000, pattern(100, 9))).to.equal(true);
		unmap(dma, 3000, DMA_BIDIRECTIONAL);
		const expected = pattern(3000, 1);
		expected.set(pattern(100, 9), 1000);
		expect(buf.slice()).to.deep.equal(expected);
		expect(used()).to.equal(0);
	});

	it('keeps the bytes that the device did not write, also when it only writes', () => {
		const buf = phys_to_virt(HIGH, 256);
		buf.set(pattern(256, 4));
		const dma = map(HIGH, 256, DMA_FROM_DEVICE);
		model().store(dma + 16, new Uint8Array(16));
		unmap(dma, 256, DMA_FROM_DEVICE);
		const expected = pattern(256, 4);
		expected.fill(0, 16, 32);
		expect(buf.slice()).to.deep.equal(expected);
	});

	it('copies only the part that a sync names', () => {
		const buf = phys_to_virt(HIGH, PAGE_SIZE);
		buf.set(pattern(PAGE_SIZE, 2));
		const dma = map(HIGH, PAGE_SIZE, DMA_BIDIRECTIONAL);
		model().store(dma, pattern(PAGE_SIZE, 8));
		dma_sync_single_for_cpu(dev, dma + 64, 64, DMA_BIDIRECTIONAL);
		expect(buf.slice(64, 128)).to.deep.equal(pattern(PAGE_SIZE, 8).subarray(64, 128));
		expect(buf.slice(0, 64)).to.deep.equal(pattern(PAGE_SIZE, 2).subarray(0, 64));
		buf.fill(0x77, 64, 128);
		dma_sync_single_for_device(dev, dma + 64, 64, DMA_BIDIRECTIONAL);
		expect(model().fetch(dma + 64, 64)).to.deep.equal(new Uint8Array(64).fill(0x77));
		expect(model().fetch(dma, 4)).to.deep.equal(pattern(PAGE_SIZE, 8).slice(0, 4));
		unmap(dma, PAGE_SIZE, DMA_BIDIRECTIONAL);
	});

	it('copies nothing past the mapping, whatever a sync says', () => {
		expectFinding(/sync-too-long in dma_sync_single_for_cpu/);
		expectWarning(/Buffer overflow detected/);
		expectWarning(/^DMA-API: .* tries to sync DMA memory it has not allocated/);
		const dma = map(HIGH, 100, DMA_FROM_DEVICE);
		const after = phys_to_virt(HIGH + 2048, 16);
		after.fill(0x33);
		dma_sync_single_for_cpu(dev, dma, PAGE_SIZE, DMA_FROM_DEVICE);
		expect(after[0]).to.equal(0x33);
		unmap(dma, 100, DMA_FROM_DEVICE);
	});

	it('does not bounce what is in reach, unless forced to', () => {
		const dma = dma_map_single(dev, phys_to_virt(0x1000_0000, PAGE_SIZE), PAGE_SIZE, DMA_TO_DEVICE);
		expect(dma).to.equal(0x1000_0000);
		dma_unmap_single(dev, dma, PAGE_SIZE, DMA_TO_DEVICE);

		board = new Board('direct', 'swiotlb=force');
		dev = board.device('m3');
		const forced = map(0x1000_0000, PAGE_SIZE, DMA_TO_DEVICE);
		expect(swiotlb_find_pool(dev, forced)).to.not.equal(null);
		unmap(forced, PAGE_SIZE, DMA_TO_DEVICE);
	});

	it('fails without a pool', () => {
		expectWarning(/overflow/);
		board = new Board('direct', 'swiotlb=noforce');
		dev = board.device('m3');
		expect(is_swiotlb_active(dev)).to.equal(false);
		expect(map(HIGH, 100, DMA_TO_DEVICE)).to.equal(DMA_MAPPING_ERROR);
	});

	it('takes at most 128 slots for a mapping, fewer when the device wants alignment', () => {
		expect(swiotlb_max_mapping_size(dev)).to.equal(256 * 1024);
		expect(dma_max_mapping_size(dev)).to.equal(256 * 1024);
		const dma = map(HIGH, 256 * 1024, DMA_TO_DEVICE);
		expect(used()).to.equal(128);
		unmap(dma, 256 * 1024, DMA_TO_DEVICE);
		expect(map(HIGH, 256 * 1024 + 1, DMA_TO_DEVICE, DMA_ATTR_NO_WARN)).to.equal(DMA_MAPPING_ERROR);
		dma_set_min_align_mask(dev, 0xfff);
		expect(swiotlb_max_mapping_size(dev)).to.equal(252 * 1024);
	});

	it('says when the pool is full, unless asked not to', () => {
		expect(map(HIGH, 300 * 1024, DMA_TO_DEVICE, DMA_ATTR_NO_WARN)).to.equal(DMA_MAPPING_ERROR);
		expect(board.log.some((l) => l.includes('swiotlb buffer is full'))).to.equal(false);
	});

	it('makes a pool late when there is none, whole or not at all', () => {
		const mem = dev.dma_io_tlb_mem!;
		const { start } = mem.defpool;
		expect(swiotlb_init_late(4 << 20, GFP_KERNEL, null)).to.equal(0);
		expect(mem.defpool.start).to.equal(start);
		swiotlb_exit();
		const check = board.leakCheck();
		for (let nth = 1; nth <= 2; nth++) {
			slab_fault.nth = nth;
			expect(swiotlb_init_late(4 << 20, GFP_DMA32, null), `allocation ${nth}`).to.equal(-ENOMEM);
			expect(check()).to.deep.equal([]);
		}
		// 4 MiB are tried, then 2 MiB; a pool of 1 MiB would be no use.
		fail_page_alloc.min_order = get_order(1 << 20);
		fail_page_alloc.nth = 1;
		fail_page_alloc.times = 2;
		expect(swiotlb_init_late(4 << 20, GFP_DMA32, null)).to.equal(-ENOMEM);
		expect(check()).to.deep.equal([]);
		expect(is_swiotlb_active(dev)).to.equal(false);

		fail_page_alloc.nth = 1;
		fail_page_alloc.times = 1;
		// What a first pool was made with (SWIOTLB_FORCE) is not the late one's: only swiotlb=force is.
		mem.force_bounce = true;
		expect(swiotlb_init_late(4 << 20, GFP_DMA32, null)).to.equal(0);
		expect(mem.force_bounce).to.equal(false);
		expect(board.log.at(-2)).to.match(/software IO TLB: only able to allocate 2 MB$/);
		expect(mem.defpool.nslabs).to.equal(1024);
		const dma = map(HIGH + 0x100, 3000, DMA_TO_DEVICE);
		expect(swiotlb_find_pool(dev, dma)).to.equal(mem.defpool);
		unmap(dma, 3000, DMA_TO_DEVICE);
	});

	it('has a late pool prepared, answers the refusal of the smallest, and never offers what it has freed', () => {
		swiotlb_exit();
		const check = board.leakCheck();
		const offered: number[] = [];
		const refuse = (_tlb: Uint8Array, nslabs: number) => offered.push(nslabs) && -EINVAL;
		expect(swiotlb_init_late(4 << 20, GFP_DMA32, refuse)).to.equal(-EINVAL);
		expect(offered).to.deep.equal([2048, 1024]);
		expect(check()).to.deep.equal([]);
		const take = (_tlb: Uint8Array, nslabs: number) => (nslabs === 1024 ? 0 : -EINVAL);
		expect(swiotlb_init_late(4 << 20, GFP_DMA32, take)).to.equal(0);
		expect(dev.dma_io_tlb_mem!.nslabs).to.equal(1024);
	});

	it('shows a device nothing of what was in the memory of a late pool', () => {
		swiotlb_exit();
		const dirty = alloc_pages(GFP_DMA32, MAX_PAGE_ORDER)!;
		page_address(dirty, 4 << 20).fill(0x5a);
		page_placement.next.push(dirty.pfn);
		__free_pages(dirty, MAX_PAGE_ORDER);
		expect(swiotlb_init_late(4 << 20, GFP_DMA32, null)).to.equal(0);
		expect(dev.dma_io_tlb_mem!.defpool.start).to.equal(dirty.pfn * PAGE_SIZE);
		const dma = map(HIGH, 100, DMA_TO_DEVICE);
		expect(phys_to_virt(dma, 2048).subarray(100)).to.deep.equal(new Uint8Array(1948));
		unmap(dma, 100, DMA_TO_DEVICE);
	});

	it('is not given back with swiotlb=force; when it is, what is out of reach fails', () => {
		board = new Board('direct', 'swiotlb=force');
		dev = board.device('m3');
		swiotlb_exit();
		expect(is_swiotlb_active(dev)).to.equal(true);
		expect(dev.dma_io_tlb_mem!.force_bounce).to.equal(true);

		board = new Board('direct');
		dev = board.device('m3');
		swiotlb_exit();
		expect(map(0x1000_0000, 64, DMA_TO_DEVICE)).to.equal(0x1000_0000);
		expectWarning(/overflow/);
		expect(map(HIGH, 64, DMA_TO_DEVICE)).to.equal(DMA_MAPPING_ERROR);
	});

	it('gives the default pool back to the page allocator, once, made early or late', () => {
		const mem = dev.dma_io_tlb_mem!;
		const pages = nr_free_pages();
		const total = totalram_pages();
		swiotlb_exit();
		expect(board.log.at(-1)).to.match(/software IO TLB: tearing down default memory pool$/);
		expect(nr_free_pages() - pages).to.equal((4 << 20) / PAGE_SIZE);
		expect(totalram_pages() - total).to.equal((4 << 20) / PAGE_SIZE);
		expect([is_swiotlb_allocated(), is_swiotlb_active(dev), mem.nslabs]).to.deep.equal([false, false, 0]);
		expect(list_empty(mem.pools)).to.equal(true);
		const lines = board.log.length;
		swiotlb_exit();
		expect(board.log).to.have.length(lines);

		const check = board.leakCheck();
		expect(swiotlb_init_late(2 << 20, GFP_DMA32, null)).to.equal(0);
		swiotlb_exit();
		expect(check()).to.deep.equal([]);
		expect(list_empty(mem.pools)).to.equal(true);
	});

	it('leaves memory that can be used, wherever the pool was', () => {
		board = new Board('direct', 'swiotlb=4096 cma=0 mem=2047M');
		const { start, end } = board.device('m3').dma_io_tlb_mem!.defpool;
		const BLOCK = 4 << 20;
		expect(start % BLOCK).to.not.equal(0);
		swiotlb_exit();
		let touched = 0;
		for (;;) {
			const block = alloc_pages(GFP_DMA32 | __GFP_NOWARN, MAX_PAGE_ORDER);
			if (block === null) break;
			const at = block.pfn * PAGE_SIZE;
			if (at >= end || at + BLOCK <= start) continue;
			page_address(block, BLOCK)[BLOCK - 1] = 1;
			touched++;
		}
		expect(touched).to.be.above(0);
	});

	for (const [word, slots, areas, force] of [
		['1000', 1024, 1, false],
		['0x400', 1024, 1, false],
		['02000', 1024, 1, false],
		['1024,4', 1024, 4, false],
		['128,3', 512, 4, false],
		[',4', 32768, 4, false],
		['1024,,force', 1024, 1, true],
		['1024,force', 1024, 1, true],
		['force', 32768, 1, true],
		['nonsense', 32768, 1, false],
		['4G', 32768, 1, false],
		['4194304', 32768, 1, false],
		['64,9999999', 32768, 1, false],
		['', 32768, 1, false],
	] as const) {
		it(`takes swiotlb=${word} for ${slots} slots in ${areas} areas${force ? ', bouncing all' : ''}`, () => {
			board = new Board('direct', `swiotlb=${word}`, '');
			const mem = board.device('m3').dma_io_tlb_mem!;
			expect([mem.defpool.nslabs, mem.defpool.nareas, mem.force_bounce]).to.deep.equal([slots, areas, force]);
		});
	}

	it('says which words for it make no sense: a size with a unit, one as large as the memory', () => {
		for (const word of ['4G', '4194304', '64,9999999', '', 'x']) {
			board = new Board('direct', `swiotlb=${word}`);
			expect(board.log.join('\n'), word).to.include("Malformed early option 'swiotlb'");
		}
	});

	it('looks in one area after the other', () => {
		board = new Board('direct', 'swiotlb=512,4');
		dev = board.device('m3');
		const pool = dev.dma_io_tlb_mem!.defpool;
		const all = [0, 1, 2, 3].map(() => map(HIGH, 200 * 1024, DMA_TO_DEVICE));
		expect(all.map((dma) => (dma - pool.start) >> 18)).to.deep.equal([0, 1, 2, 3]);
		expect(map(HIGH, 200 * 1024, DMA_TO_DEVICE, DMA_ATTR_NO_WARN)).to.equal(DMA_MAPPING_ERROR);
		for (const dma of all) unmap(dma, 200 * 1024, DMA_TO_DEVICE);
		expect(used()).to.equal(0);
	});

	it('says why it is full although nothing is used: no bounce can be so long', () => {
		board = new Board('direct');
		dev = board.device('m3');
		const most = dma_max_mapping_size(dev);
		expect(map(HIGH, most + 1, DMA_TO_DEVICE)).to.equal(DMA_MAPPING_ERROR);
		expect(board.log.at(-2)).to.match(
			/swiotlb buffer is full \(sz: 262145 bytes\), total \d+ \(slots\), used 0 \(slots\)$/,
		);
		expect(board.log.at(-1)).to.match(
			/m3: a bounce of 262145 bytes cannot be, however much is free: a bounce takes at most 262144; see dma_max_mapping_size\(\)$/,
		);
		dma_set_seg_boundary(dev, 0xffff);
		expect(map(HIGH, most, DMA_TO_DEVICE)).to.equal(DMA_MAPPING_ERROR);
		expect(board.log.at(-1)).to.match(/cannot be, .*: the device's segment boundary takes at most 65536; /);
		dma_set_seg_boundary(dev, 0xffff_ffff);
		unmap(map(HIGH, most, DMA_TO_DEVICE), most, DMA_TO_DEVICE);
	});

	it('says that the pool is in no window of the bus', () => {
		board = new Board('ranges', '', 'swiotlb=32768');
		dev = board.device('bus6:m6');
		expect(map(HIGH, 4096, DMA_TO_DEVICE)).to.equal(DMA_MAPPING_ERROR);
		expect(board.log.at(-1)).to.match(
			/m6: a bounce of 4096 bytes cannot be: the pool at 0x0*38000000 is in no window of its bus \(dma-ranges\)$/,
		);
	});

	it('says how much it would need, when less is free', () => {
		board = new Board('direct', 'swiotlb=512');
		dev = board.device('m3');
		const all = [0, 1, 2, 3].map(() => map(HIGH, 200 * 1024, DMA_TO_DEVICE));
		expect(map(HIGH, 240 * 1024, DMA_TO_DEVICE)).to.equal(DMA_MAPPING_ERROR);
		expect(board.log.at(-1)).to.match(/m3: a bounce of 245760 bytes needs 120 slots$/);
		for (const dma of all) unmap(dma, 200 * 1024, DMA_TO_DEVICE);
	});

	it('is full when no run of free slots is long enough, and says how full', () => {
		board = new Board('direct', 'swiotlb=512');
		dev = board.device('m3');
		const all = [0, 1, 2, 3].map(() => map(HIGH, 160 * 1024, DMA_TO_DEVICE));
		expect(map(HIGH, 160 * 1024, DMA_TO_DEVICE)).to.equal(DMA_MAPPING_ERROR);
		expect(board.log.at(-2)).to.match(
			/swiotlb buffer is full \(sz: 163840 bytes\), total 512 \(slots\), used 320 \(slots\)$/,
		);
		expect(board.log.at(-1)).to.match(
			/m3: a bounce of 163840 bytes needs 80 free slots in a row, aligned as the device wants them$/,
		);
		const small = map(HIGH, 90 * 1024, DMA_TO_DEVICE);
		unmap(small, 90 * 1024, DMA_TO_DEVICE);
		for (const dma of all) unmap(dma, 160 * 1024, DMA_TO_DEVICE);
		const again = map(HIGH, 256 * 1024, DMA_TO_DEVICE);
		unmap(again, 256 * 1024, DMA_TO_DEVICE);
	});

	it('aligns the copy as its caller wants, start and end', () => {
		const tlb = swiotlb_tbl_map_single(dev, HIGH + 0x100, 100, 0xfff, DMA_TO_DEVICE, 0) as number;
		expect(tlb % 4096).to.equal(0);
		expect(used()).to.equal(2);
		swiotlb_tbl_unmap_single(dev, tlb, 100, DMA_TO_DEVICE, 0);
		// The device's own bits are kept as well: then the slots are aligned, and the copy lies where it must in them.
		dma_set_min_align_mask(dev, 0xfff);
		const inside = swiotlb_tbl_map_single(dev, HIGH + 0x900, 100, 0xfff, DMA_TO_DEVICE, 0) as number;
		expect(inside % 4096).to.equal(0x900);
		expect(used()).to.equal(2);
		swiotlb_tbl_unmap_single(dev, inside, 100, DMA_TO_DEVICE, 0);
		expect(used()).to.equal(0);
	});

	it('never crosses a boundary that the device has', () => {
		dma_set_seg_boundary(dev, 0x1_ffff);
		const all = [0, 1, 2].map(() => map(HIGH, 72 * 1024, DMA_TO_DEVICE));
		for (const dma of all) {
			expect(dma % 0x2_0000).to.be.at.most(0x2_0000 - 72 * 1024);
			unmap(dma, 72 * 1024, DMA_TO_DEVICE);
		}
	});

	it('refuses a copy that is itself out of reach, and keeps nothing of it', () => {
		expectWarning(/swiotlb addr 0x0*7bc00000\+64 overflow \(mask ffffffff, bus limit fffffff\)/);
		dev.bus_dma_limit = 0xfff_ffff;
		expect(map(HIGH, 64, DMA_TO_DEVICE)).to.equal(DMA_MAPPING_ERROR);
		expect(used()).to.equal(0);
	});

	it('tells how many slots there are, are used, and were used at most, in debugfs', () => {
		expect(read('io_tlb_nslabs')).to.equal('2048\n');
		const all = [1, 2].map(() => map(HIGH, PAGE_SIZE, DMA_TO_DEVICE));
		expect(read('io_tlb_used')).to.equal(`${2 * SLOTS}\n`);
		for (const dma of all) unmap(dma, PAGE_SIZE, DMA_TO_DEVICE);
		expect([read('io_tlb_used'), read('io_tlb_used_hiwater')]).to.deep.equal(['0\n', `${2 * SLOTS}\n`]);
		expect(write('io_tlb_used_hiwater', '3\n')).to.equal(-EINVAL);
		expect(write('io_tlb_used_hiwater', '0\n')).to.equal(2);
		expect(read('io_tlb_used_hiwater')).to.equal('0\n');
		expect(sysfs_readdir(DEBUGFS)).to.deep.equal(['io_tlb_nslabs', 'io_tlb_used', 'io_tlb_used_hiwater']);
	});

	it('keeps the address bits of min_align_mask', () => {
		dma_set_min_align_mask(dev, 0xfff);
		for (const offset of [0, 0x123, 0x800, 0xabc]) {
			const dma = map(HIGH + offset, 6000, DMA_TO_DEVICE);
			expect(dma % 4096).to.equal(offset);
			unmap(dma, 6000, DMA_TO_DEVICE);
		}
		expect(used()).to.equal(0);
	});

	it('makes even a coherent device need its syncs', () => {
		const m4 = board.device('m4');
		expect(m4.dma_skip_sync).to.equal(true);
		const dma = dma_map_page_attrs(m4, page(HIGH), 0, 64, DMA_TO_DEVICE, 0);
		expect(m4.dma_skip_sync).to.equal(false);
		expect(dma_need_sync(m4, dma)).to.equal(true);
		expect(dma_need_sync(m4, 0x1000_0000)).to.equal(false);
		dma_unmap_page_attrs(m4, dma, 64, DMA_TO_DEVICE, 0);
	});

	it('counts what is in use, and the most that was', () => {
		const all = [1, 2, 3].map(() => map(HIGH, PAGE_SIZE, DMA_TO_DEVICE));
		expect(used()).to.equal(3 * SLOTS);
		for (const dma of all) unmap(dma, PAGE_SIZE, DMA_TO_DEVICE);
		expect(used()).to.equal(0);
		expect(dev.dma_io_tlb_mem!.used_hiwater.counter).to.equal(3 * SLOTS);
	});

	it('never shares a slot, copies each mapping whole, and frees all (random sequences)', () => {
		const step = fc.record({
			map: fc.boolean(),
			at: fc.nat(0xffff),
			size: fc.integer({ min: 1, max: 20000 }),
			align: fc.constantFrom(0, 0x7ff, 0xfff),
			pick: fc.nat(),
		});
		fc.assert(
			fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
				const live: { dma: number; size: number; seed: number }[] = [];
				for (const s of steps) {
					if (!s.map && live.length > 0) {
						const [m] = live.splice(s.pick % live.length, 1);
						expect(model().fetch(m.dma, m.size)).to.deep.equal(pattern(m.size, m.seed));
						unmap(m.dma, m.size, DMA_TO_DEVICE);
						continue;
					}
					dma_set_min_align_mask(dev, s.align);
					const phys = HIGH + s.at * 8;
					for (let done = 0; done < s.size; ) {
						const n = Math.min(s.size - done, PAGE_SIZE - ((phys + done) % PAGE_SIZE));
						phys_to_virt(phys + done, n).set(pattern(s.size, s.at).subarray(done, done + n));
						done += n;
					}
					const dma = map(phys, s.size, DMA_TO_DEVICE);
					for (const m of live) expect(dma + s.size <= m.dma || m.dma + m.size <= dma).to.equal(true);
					live.push({ dma, size: s.size, seed: s.at });
				}
				dma_set_min_align_mask(dev, 0);
				while (live.length > 0) {
					const m = live.pop()!;
					unmap(m.dma, m.size, DMA_TO_DEVICE);
				}
			}),
			{ numRuns: 15 },
		);
	});
});
