// SPDX-License-Identifier: GPL-2.0-only
// Bounce buffers that grow: swiotlb_dynamic=on.
// The default pool has one segment: 128 slots.

import { expect } from 'chai';
import fc from 'fast-check';
import { pfn_to_page, phys_to_virt } from '#asm/memory.js';
import { get_order } from '#asm/page.js';
import { PAGE_SIZE } from '#asm/page-def.js';
import { sysfs_read } from '#fs/sysfs/user.js';
import { dma_sync_single_for_cpu, dma_unmap_page_attrs } from '#kernel/dma/mapping.js';
import {
	__swiotlb_find_pool,
	default_swiotlb_base,
	default_swiotlb_limit,
	swiotlb_exit,
	swiotlb_init_late,
} from '#kernel/dma/swiotlb.js';
import type { device } from '#linux/device.js';
import { direct_state } from '#linux/dma-direct.js';
import { DMA_BIDIRECTIONAL, DMA_FROM_DEVICE, DMA_TO_DEVICE } from '#linux/dma-direction.js';
import { DMA_ATTR_NO_WARN, DMA_MAPPING_ERROR, dma_set_seg_boundary } from '#linux/dma-mapping.js';
import { GFP_DMA, GFP_DMA32, GFP_KERNEL } from '#linux/gfp_types.js';
import { list_count_nodes, list_empty } from '#linux/list.js';
import { rcu_read_lock, rcu_read_unlock } from '#linux/rcupdate.js';
import { spin_lock_irqsave, spin_unlock_irqrestore, spinlock_t } from '#linux/spinlock.js';
import { type io_tlb_mem, swiotlb_find_pool } from '#linux/swiotlb.js';
import { U64_MAX } from '#linux/types.js';
import { flush_workqueue, system_wq } from '#linux/workqueue.js';
import { fail_page_alloc } from '#mm/fail_page_alloc.js';
import { page_placement } from '#mm/page_alloc.js';
import { failEach } from '#tests/fail-each.js';
import { Board, pattern } from '#tests/kernel/dma/board.js';
import { dma_map_page_attrs } from '#tests/kernel/dma/client.js';

/** Out of a 32-bit device's reach; the boards' `bufs` region there. */
const HIGH = 0x8_1000_0000;
const SEGMENT = 256 * 1024;

const page = (phys: number) => pfn_to_page(Math.floor(phys / PAGE_SIZE));
const debugfs = (file: string): unknown => sysfs_read(`/sys/kernel/debug/swiotlb/${file}`);

describe('swiotlb_dynamic', () => {
	let board: Board;
	let dev: device;
	let mem: io_tlb_mem;

	function boot(commandLine = 'swiotlb=128 swiotlb_dynamic=on', name = 'direct'): void {
		board = new Board(name, commandLine);
		dev = board.device('m3');
		mem = dev.dma_io_tlb_mem as io_tlb_mem;
	}
	beforeEach(() => boot());

	const map = (size: number, dir = DMA_TO_DEVICE, phys = HIGH, attrs = 0): number =>
		dma_map_page_attrs(dev, page(phys), phys % PAGE_SIZE, size, dir, attrs) as number;
	const unmap = (dma: number, size: number, dir = DMA_TO_DEVICE): void =>
		dma_unmap_page_attrs(dev, dma, size, dir, 0);
	const transient = (): number => list_count_nodes(dev.dma_io_tlb_pools);

	it('is off unless asked for', () => {
		boot('swiotlb=128');
		const full = map(SEGMENT);
		expect(map(PAGE_SIZE, DMA_TO_DEVICE, HIGH, DMA_ATTR_NO_WARN)).to.equal(DMA_MAPPING_ERROR);
		flush_workqueue(system_wq);
		expect([mem.can_grow, mem.nslabs, dev.dma_uses_io_tlb]).to.deep.equal([false, 128, false]);
		unmap(full, SEGMENT);
		for (const word of ['off', 'no']) {
			boot(`swiotlb_dynamic=${word}`);
			expect(mem.can_grow).to.equal(false);
		}
	});

	it('gives a mapping that finds no room a pool of its own, which goes with it', () => {
		const full = map(SEGMENT);
		const check = board.leakCheck();
		const buf = phys_to_virt(HIGH, 3000);
		buf.set(pattern(3000, 1));
		const dma = map(3000, DMA_BIDIRECTIONAL);
		const pool = swiotlb_find_pool(dev, dma)!;
		expect([pool.transient, pool.nslabs, pool.nareas]).to.deep.equal([true, 2, 1]);
		expect(pool).to.not.equal(mem.defpool);
		expect(board.masters.model('m3').fetch(dma, 3000)).to.deep.equal(pattern(3000, 1));
		expect(board.masters.model('m3').store(dma + 100, pattern(50, 9))).to.equal(true);
		dma_sync_single_for_cpu(dev, dma + 100, 50, DMA_BIDIRECTIONAL);
		expect(buf.slice(100, 150)).to.deep.equal(pattern(50, 9));
		unmap(dma, 3000, DMA_BIDIRECTIONAL);
		expect(transient()).to.equal(0);
		expect(swiotlb_find_pool(dev, dma)).to.equal(null);
		expect(check()).to.deep.equal([]);
		unmap(full, SEGMENT);
	});

	it('copies back from a pool of its own what the device wrote', () => {
		const full = map(SEGMENT);
		const dma = map(64, DMA_FROM_DEVICE);
		board.masters.model('m3').store(dma, pattern(64, 3));
		unmap(dma, 64, DMA_FROM_DEVICE);
		expect(phys_to_virt(HIGH, 64).slice()).to.deep.equal(pattern(64, 3));
		unmap(full, SEGMENT);
	});

	it('takes no lock that sleeps and no memory that must be waited for', () => {
		const full = map(SEGMENT);
		const lock = new spinlock_t('test');
		const flags = spin_lock_irqsave(lock);
		const dma = map(2 * PAGE_SIZE);
		expect(dma).to.not.equal(DMA_MAPPING_ERROR);
		unmap(dma, 2 * PAGE_SIZE);
		spin_unlock_irqrestore(lock, flags);
		unmap(full, SEGMENT);
	});

	it('grows in the background, and those that come later share the new pool', () => {
		const full = map(SEGMENT);
		const own = map(PAGE_SIZE);
		expect([mem.nslabs, transient()]).to.deep.equal([128, 1]);
		flush_workqueue(system_wq);
		expect(mem.nslabs).to.equal(128 + 128);
		const shared = map(SEGMENT);
		const pool = swiotlb_find_pool(dev, shared)!;
		expect([pool.transient, pool.nslabs, pool.late_alloc, transient()]).to.deep.equal([false, 128, true, 1]);
		for (const [dma, size] of [
			[shared, SEGMENT],
			[own, PAGE_SIZE],
			[full, SEGMENT],
		])
			unmap(dma, size);
		expect(list_count_nodes(mem.pools)).to.equal(2);
		expect(mem.total_used.counter).to.equal(0);
	});

	it('grows by the size of the default pool, at most by the largest block there is', () => {
		boot('swiotlb=2048,2 swiotlb_dynamic=on');
		for (const [most, slots, areas] of [
			[4 << 20, 2048, 2],
			[1 << 20, 512, 2],
			[256 << 10, 128, 1],
		]) {
			fail_page_alloc.min_order = get_order(most) + 1;
			fail_page_alloc.nth = 1;
			fail_page_alloc.times = 1000;
			const before = mem.nslabs;
			mem.dyn_alloc.func?.(mem.dyn_alloc);
			fail_page_alloc.nth = 0;
			fail_page_alloc.times = 1;
			if (slots < 512) {
				expect(board.log.at(-1)).to.match(/software IO TLB: Failed to allocate new pool$/);
				expect(mem.nslabs).to.equal(before);
				continue;
			}
			expect(mem.nslabs - before).to.equal(slots);
			expect(mem.pools.next.container?.nareas).to.equal(areas);
		}
	});

	it('makes one new pool, however many ask meanwhile', () => {
		const full = map(SEGMENT);
		const all = [1, 2, 3].map(() => map(2048));
		flush_workqueue(system_wq);
		expect(list_count_nodes(mem.pools)).to.equal(2);
		for (const dma of all) unmap(dma, 2048);
		unmap(full, SEGMENT);
	});

	it('leaves nothing behind when memory fails it, wherever it does', () => {
		const full = map(SEGMENT);
		const check = board.leakCheck();
		const failures = failEach((where) => {
			const dma = map(5000, DMA_TO_DEVICE, HIGH, DMA_ATTR_NO_WARN);
			if (dma !== DMA_MAPPING_ERROR) unmap(dma, 5000);
			expect(check(), where).to.deep.equal([]);
		});
		expect(failures).to.be.at.least(4);
		expect(mem.transient_nslabs.counter).to.equal(0);
		unmap(full, SEGMENT);
	});

	it('keeps the pools there are when the new one fails, wherever it does', () => {
		let made = 0;
		failEach((where) => {
			const check = board.leakCheck();
			const before = list_count_nodes(mem.pools);
			mem.dyn_alloc.func?.(mem.dyn_alloc);
			if (list_count_nodes(mem.pools) > before) made++;
			else expect(check(), where).to.deep.equal([]);
		});
		expect(made).to.be.at.least(1);
		expect(board.log.join('\n')).to.include('Failed to allocate new pool');
	});

	it('has transient memory within mask and bus limit, trying lower zones', () => {
		const full = map(SEGMENT);
		// A limit between the zones: the first try is anywhere, and lands too high.
		dev.dma_mask!.value = 0x8_0fff_ffff;
		const high = 0x8_4000_0000;
		page_placement.next.push(high / PAGE_SIZE);
		const dma = map(PAGE_SIZE, DMA_TO_DEVICE, high + 0x1000_0000);
		expect(dma + 4095).to.be.at.most(0xffff_ffff);
		unmap(dma, PAGE_SIZE);
		// Below everything that there is: refused.
		dev.dma_mask!.value = 0xffff_ffff;
		dev.bus_dma_limit = 0xfff;
		expect(map(PAGE_SIZE, DMA_TO_DEVICE, HIGH, DMA_ATTR_NO_WARN)).to.equal(DMA_MAPPING_ERROR);
		expect(transient()).to.equal(0);
		dev.bus_dma_limit = 0;
		unmap(full, SEGMENT);
	});

	it('still has no mapping above the largest, and none that crosses a boundary of the device', () => {
		const full = map(SEGMENT);
		expect(map(SEGMENT + 1, DMA_TO_DEVICE, HIGH, DMA_ATTR_NO_WARN)).to.equal(DMA_MAPPING_ERROR);
		const check = board.leakCheck();
		dma_set_seg_boundary(dev, PAGE_SIZE - 1);
		expect(map(2 * PAGE_SIZE, DMA_TO_DEVICE, HIGH, DMA_ATTR_NO_WARN)).to.equal(DMA_MAPPING_ERROR);
		expect([transient(), mem.total_used.counter]).to.deep.equal([0, 128]);
		expect(check()).to.deep.equal([]);
		const dma = map(PAGE_SIZE);
		expect(dma % PAGE_SIZE).to.equal(0);
		unmap(dma, PAGE_SIZE);
		unmap(full, SEGMENT);
	});

	it('frees a pool of its own after its readers only', () => {
		const full = map(SEGMENT);
		const check = board.leakCheck();
		const dma = map(PAGE_SIZE);
		rcu_read_lock();
		const pool = __swiotlb_find_pool(dev, dma)!;
		unmap(dma, PAGE_SIZE);
		expect(__swiotlb_find_pool(dev, dma)).to.equal(null);
		expect(pool.slots).to.have.length(PAGE_SIZE / 2048);
		expect(check()).to.not.deep.equal([]);
		rcu_read_unlock();
		expect(check()).to.deep.equal([]);
		unmap(full, SEGMENT);
	});

	it('looks for pools only for a device that has bounced', () => {
		const { start } = mem.defpool;
		expect(swiotlb_find_pool(dev, start)).to.equal(null);
		expect(__swiotlb_find_pool(dev, start)).to.equal(mem.defpool);
		const dma = map(64);
		expect(dev.dma_uses_io_tlb).to.equal(true);
		expect(swiotlb_find_pool(dev, start)).to.equal(mem.defpool);
		unmap(dma, 64);
	});

	it('tells in debugfs how many slots there are and how many are transient', () => {
		const full = map(SEGMENT);
		const own = map(10_000);
		expect(debugfs('io_tlb_transient_nslabs')).to.equal('5\n');
		expect(debugfs('io_tlb_used')).to.equal('133\n');
		expect(debugfs('io_tlb_nslabs')).to.equal('128\n');
		flush_workqueue(system_wq);
		expect(debugfs('io_tlb_nslabs')).to.equal('256\n');
		unmap(own, 10_000);
		expect(debugfs('io_tlb_transient_nslabs')).to.equal('0\n');
		expect(debugfs('io_tlb_used')).to.equal('128\n');
		expect(debugfs('io_tlb_used_hiwater')).to.equal('133\n');
		unmap(full, SEGMENT);
	});

	it('says that addresses may reach the limit, until somebody counts on the first pool', () => {
		expect(default_swiotlb_limit()).to.equal(0xffff_ffff);
		expect(default_swiotlb_base()).to.equal(mem.defpool.start);
		expect(mem.can_grow).to.equal(false);
		expect(default_swiotlb_limit()).to.equal(mem.defpool.end - 1);
		const full = map(SEGMENT);
		expect(map(64, DMA_TO_DEVICE, HIGH, DMA_ATTR_NO_WARN)).to.equal(DMA_MAPPING_ERROR);
		unmap(full, SEGMENT);
	});

	it('limits a late pool and its like to the zone it was asked for', () => {
		// Linux: kernel/dma/swiotlb.c, swiotlb_init_late(): zone_dma_limit, 32 bits, the end of memory.
		direct_state.zone_dma_limit = 0x3fff_ffff;
		for (const [gfp, limit] of [
			[GFP_DMA, 0x3fff_ffff],
			[GFP_DMA32, 0xffff_ffff],
			[GFP_KERNEL, 0x8_7fff_ffff],
		]) {
			swiotlb_exit();
			expect(list_empty(mem.pools)).to.equal(true);
			expect(swiotlb_init_late(2 << 20, gfp, null)).to.equal(0);
			expect(mem.phys_limit).to.equal(limit);
			expect(mem.can_grow).to.equal(true);
		}
	});

	it('does not grow when the memory of a pool must be prepared', () => {
		swiotlb_exit();
		mem.can_grow = false;
		expect(swiotlb_init_late(2 << 20, GFP_DMA32, () => 0)).to.equal(0);
		expect(mem.can_grow).to.equal(false);
	});

	it('puts a new pool where its limit says, above 4 GiB too', () => {
		mem.phys_limit = U64_MAX;
		page_placement.mode = 'high';
		mem.dyn_alloc.func?.(mem.dyn_alloc);
		expect(mem.pools.next.container?.start).to.be.above(0xffff_ffff);
		mem.phys_limit = 0xffff_ffff;
		mem.dyn_alloc.func?.(mem.dyn_alloc);
		expect(mem.pools.next.container?.end).to.be.at.most(2 ** 32);
	});

	it('never shares a slot, copies each mapping whole, and frees all (random sequences)', () => {
		const step = fc.record({
			what: fc.constantFrom('map', 'map', 'unmap', 'work'),
			size: fc.integer({ min: 1, max: 100_000 }),
			pick: fc.nat(),
		});
		fc.assert(
			fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
				boot();
				const live: { dma: number; size: number; seed: number }[] = [];
				const end = (i: number): void => {
					const [m] = live.splice(i, 1);
					const seen = board.masters.model('m3').fetch(m.dma, m.size) as Uint8Array;
					expect(Buffer.compare(seen, pattern(m.size, m.seed))).to.equal(0);
					unmap(m.dma, m.size);
				};
				for (const { what, size, pick } of steps) {
					if (what === 'work') flush_workqueue(system_wq);
					else if (what === 'unmap') live.length > 0 && end(pick % live.length);
					else {
						for (let at = 0; at < size; at += PAGE_SIZE) {
							const part = pattern(size, pick).subarray(at, at + PAGE_SIZE);
							phys_to_virt(HIGH + at, part.length).set(part);
						}
						const dma = map(size);
						for (const m of live) expect(dma + size <= m.dma || m.dma + m.size <= dma).to.equal(true);
						live.push({ dma, size, seed: pick });
					}
				}
				while (live.length > 0) end(live.length - 1);
				expect([mem.total_used.counter, mem.transient_nslabs.counter, transient()]).to.deep.equal([0, 0, 0]);
			}),
			{ numRuns: 10 },
		);
	});
});
