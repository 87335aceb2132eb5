// SPDX-License-Identifier: GPL-2.0-only
// The atomic pools of board "main": 256 KiB each, as 6.12 makes them for 2 GiB.

import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { page_to_phys } from '#asm/memory.js';
import { get_order } from '#asm/page.js';
import { PAGE_SIZE } from '#asm/page-def.js';
import { sysfs_read } from '#fs/sysfs/user.js';
import { dma_alloc_coherent, dma_free_coherent } from '#kernel/dma/mapping.js';
import { dma_alloc_from_pool, dma_free_from_pool } from '#kernel/dma/pool.js';
import { device } from '#linux/device.js';
import { __GFP_NOWARN, GFP_ATOMIC, GFP_DMA, GFP_DMA32 } from '#linux/gfp.js';
import type { page } from '#linux/mm_types.js';
import { slab_live } from '#linux/slab.js';
import { ref, type void_ptr } from '#linux/types.js';
import { flush_workqueue, system_wq } from '#linux/workqueue.js';
import { cma_usage } from '#mm/cma.js';
import { fail_page_alloc } from '#mm/fail_page_alloc.js';
import { slab_fault } from '#mm/failslab.js';
import { Board, boardTree } from '#tests/kernel/dma/board.js';
import { leakCheck } from '#tests/leaks.js';
import { expectWarning } from '#tests/setup.js';
import { bootTree, runInitcalls } from '../../arch/arm64/mm/boot-tree.js';
import type { MemoryMachine } from '../../mm/memory-machine.js';

/** @fault: which allocations of pages fail while the pools are made. */
function boot(
	commandLine = '',
	fault: Partial<typeof fail_page_alloc> = {},
): { m: MemoryMachine; dev: device } {
	const fdt = new Uint8Array(readFileSync('tests/golden/vectors/boards/main.dtb'));
	const m = bootTree([{ base: 0, size: 0x8000_0000 }], fdt, commandLine);
	runInitcalls('cma_init_reserved_areas', 'debugfs_init');
	Object.assign(fail_page_alloc, fault);
	runInitcalls('dma_atomic_pool_init');
	fail_page_alloc.nth = 0;
	const dev = new device();
	dev.init_name = 'test';
	return { m, dev };
}

describe('dma_pool', () => {
	it('preallocates a pool for each kind of memory and says so', () => {
		const { m } = boot();
		const lines = m.logged('DMA: preallocated').map((line) => line.replace(/^.*?\] /, ''));
		expect(lines).to.deep.equal([
			'DMA: preallocated 256 KiB GFP_KERNEL pool for atomic allocations',
			'DMA: preallocated 256 KiB GFP_KERNEL|GFP_DMA pool for atomic allocations',
			'DMA: preallocated 256 KiB GFP_KERNEL|GFP_DMA32 pool for atomic allocations',
		]);
		// All three lie in CMA, which is in ZONE_DMA here.
		expect(cma_usage().nr_pages).to.equal((3 * 0x4_0000) / PAGE_SIZE);
	});

	it('gives zeroed memory past the cache, and takes it back', () => {
		const { m, dev } = boot();
		const addr = new ref<void_ptr | null>(null);
		const page = dma_alloc_from_pool(dev, 2 * PAGE_SIZE, addr, GFP_ATOMIC, null) as page;
		const view = addr.value as Uint8Array;
		expect(view.length).to.equal(2 * PAGE_SIZE);
		expect(m.memory.phys_of(view)).to.equal(page_to_phys(page));
		view[PAGE_SIZE] = 3;
		expect(m.memory.peekMemory(page_to_phys(page) + PAGE_SIZE, 1)[0]).to.equal(3);
		expect(dma_free_from_pool(dev, view, 2 * PAGE_SIZE)).to.equal(true);
		expect(dma_free_from_pool(dev, new Uint8Array(PAGE_SIZE), PAGE_SIZE)).to.equal(false);
		dma_alloc_from_pool(dev, 2 * PAGE_SIZE, addr, GFP_ATOMIC, null);
		expect(addr.value?.[PAGE_SIZE]).to.equal(0);
	});

	it('goes on to the next pool when the caller does not like the address', () => {
		const { dev } = boot();
		const addr = new ref<void_ptr | null>(null);
		const tried: number[] = [];
		const page = dma_alloc_from_pool(
			dev,
			PAGE_SIZE,
			addr,
			GFP_ATOMIC,
			(_dev, phys) => tried.push(phys) === 3,
		);
		expect(page).to.not.equal(null);
		expect(new Set(tried).size).to.equal(3);
	});

	it('warns when all pools are empty, unless asked not to', () => {
		const { dev } = boot();
		const addr = new ref<void_ptr | null>(null);
		expect(dma_alloc_from_pool(dev, 0x8_0000, addr, GFP_ATOMIC | __GFP_NOWARN, null)).to.equal(null);
		expectWarning(/DMA pool exhausted for test/);
		expect(dma_alloc_from_pool(dev, 0x8_0000, addr, GFP_ATOMIC, null)).to.equal(null);
	});

	it('grows in the background when it runs low', () => {
		const { dev } = boot('coherent_pool=64K');
		const addr = new ref<void_ptr | null>(null);
		const take = (): page | null => dma_alloc_from_pool(dev, 0x1_0000, addr, GFP_ATOMIC | __GFP_NOWARN, null);
		const before = cma_usage().nr_pages;
		expect(take()).to.not.equal(null);
		flush_workqueue(system_wq);
		expect(cma_usage().nr_pages).to.equal(before + 0x1_0000 / PAGE_SIZE);
		expect([take(), take(), take()].filter((p) => p !== null)).to.have.length(3);
	});

	it('begins with the pool that fits what is asked for', () => {
		const { dev } = boot();
		const addr = new ref<void_ptr | null>(null);
		const pools = [GFP_DMA32, GFP_DMA, 0].map((zone) => {
			const tried: number[] = [];
			dma_alloc_from_pool(
				dev,
				PAGE_SIZE,
				addr,
				GFP_ATOMIC | __GFP_NOWARN | zone,
				(_dev, phys) => tried.push(phys) === 0,
			);
			return tried;
		});
		// Linux: kernel/dma/pool.c, dma_guess_pool(): DMA32 then DMA; DMA alone; kernel, DMA32, DMA.
		const [dma32, dma, kernel] = pools;
		expect([dma32.length, dma.length, kernel.length]).to.deep.equal([2, 1, 3]);
		expect(dma32[1]).to.equal(dma[0]);
		expect(kernel.slice(1)).to.deep.equal(dma32);
	});

	it('takes its memory from the page allocator when CMA has none, in smaller blocks if it must', () => {
		const { m } = boot('cma=0', { min_order: get_order(0x2_0000), nth: 1, times: 1000 });
		expect(m.logged('DMA: preallocated')[0]).to.match(/preallocated 64 KiB GFP_KERNEL pool/);
	});

	it('says when a pool cannot be made, and goes on with the others', () => {
		// Orders from that of 256 KiB to 0, for the first pool.
		const { m } = boot('cma=0 coherent_pool=256K', { nth: 1, times: get_order(0x4_0000) + 1 });
		expect(slab_live().gen_pool).to.equal(2);
		const lines = m.log.filter((line) => line.includes('pool for atomic'));
		expect(lines.map((line) => line.replace(/^.*?\] DMA: /, ''))).to.deep.equal([
			'failed to allocate 256 KiB GFP_KERNEL pool for atomic allocation',
			'preallocated 256 KiB GFP_KERNEL|GFP_DMA pool for atomic allocations',
			'preallocated 256 KiB GFP_KERNEL|GFP_DMA32 pool for atomic allocations',
		]);
	});

	describe('of a whole machine', () => {
		let board: Board;
		let dev: device;
		beforeEach(() => {
			board = new Board('direct', 'coherent_pool=64K');
			dev = board.device('m3');
		});
		const size = (name: string): number =>
			Number(sysfs_read(`/sys/kernel/debug/dma_pools/pool_size_${name}`));
		const sizes = (): number[] => ['kernel', 'dma', 'dma32'].map(size);

		it('serves dma_alloc_coherent() of those who may not sleep, within reach, and grows behind it', () => {
			expect(sizes()).to.deep.equal([0x1_0000, 0x1_0000, 0x1_0000]);
			const handle = new ref(0);
			const all: [void_ptr, number][] = [];
			for (let i = 0; i < 20; i++) {
				const cpu = dma_alloc_coherent(dev, 0x8000, handle, GFP_ATOMIC);
				expect(cpu, `allocation ${i}`).to.not.equal(null);
				expect(handle.value).to.be.below(2 ** 32);
				all.push([cpu as void_ptr, handle.value]);
				flush_workqueue(system_wq);
			}
			expect(Math.max(...sizes())).to.be.above(0x1_0000);
			for (const [cpu, dma] of all) dma_free_coherent(dev, 0x8000, cpu, dma);
		});

		it('takes its default for a size that is none, and says so', () => {
			for (const word of ['coherent_pool', 'coherent_pool=', 'coherent_pool=x']) {
				board = new Board('direct', word);
				expect(board.log.join('\n')).to.include("Malformed early option 'coherent_pool'");
				expect(Math.max(...sizes()), word).to.be.above(0);
			}
		});

		for (const [what, words] of [
			['CMA', 'coherent_pool=64K'],
			['the page allocator', 'coherent_pool=64K cma=0'],
		]) {
			it(`gives back to ${what} what it had of it when it cannot grow, wherever it fails`, () => {
				board = new Board(boardTree({}), words);
				dev = board.device('m3');
				const handle = new ref(0);
				// With half of it taken, a pool wants to grow at each allocation.
				const half = dma_alloc_coherent(dev, 0x8000, handle, GFP_ATOMIC) as void_ptr;
				const half_at = handle.value;
				const before = sizes();
				for (let nth = 1; ; nth++) {
					const cpu = dma_alloc_coherent(dev, PAGE_SIZE, handle, GFP_ATOMIC) as void_ptr;
					const check = leakCheck();
					const cma = cma_usage().nr_pages;
					slab_fault.nth = nth;
					flush_workqueue(system_wq);
					const failed = slab_fault.nth === 0;
					slab_fault.nth = 0;
					dma_free_coherent(dev, PAGE_SIZE, cpu, handle.value);
					if (!failed) {
						expect(nth).to.be.above(4);
						break;
					}
					expect(check(), `allocation ${nth}`).to.deep.equal([]);
					expect(cma_usage().nr_pages, `allocation ${nth}`).to.equal(cma);
					expect(sizes(), `allocation ${nth}`).to.deep.equal(before);
				}
				expect(sizes()).to.not.deep.equal(before);
				dma_free_coherent(dev, 0x8000, half, half_at);
			});
		}
	});
});
