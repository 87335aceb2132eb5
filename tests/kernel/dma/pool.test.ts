// SPDX-License-Identifier: GPL-2.0-only
// The atomic pools of board "main": 256 KiB each, as 6.12 makes them for 2 GiB.
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { page_to_phys } from '#asm/memory.js';
import { dma_alloc_from_pool, dma_free_from_pool } from '#kernel/dma/pool.js';
import { device } from '#linux/device.js';
import { __GFP_NOWARN, GFP_ATOMIC } from '#linux/gfp.js';
import type { page } from '#linux/mm_types.js';
import { ref, type void_ptr } from '#linux/types.js';
import { flush_workqueue, system_wq } from '#linux/workqueue.js';
import { cma_usage } from '#mm/cma.js';
import { expectWarning } from '#tests/setup.js';
import { bootTree, runInitcalls } from '../../arch/arm64/mm/boot-tree.js';
import type { MemoryMachine } from '../../mm/memory-machine.js';

function boot(commandLine = ''): { m: MemoryMachine; dev: device } {
	const fdt = new Uint8Array(readFileSync('tests/golden/vectors/boards/main.dtb'));
	const m = bootTree([{ base: 0, size: 0x8000_0000 }], fdt, commandLine);
	runInitcalls('cma_init_reserved_areas', 'debugfs_init', 'dma_atomic_pool_init');
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
		expect(cma_usage().nr_pages).to.equal(3 * 64);
	});

	it('gives zeroed memory past the cache, and takes it back', () => {
		const { m, dev } = boot();
		const addr = new ref<void_ptr | null>(null);
		const page = dma_alloc_from_pool(dev, 8192, addr, GFP_ATOMIC, null) as page;
		const view = addr.value as Uint8Array;
		expect(view.length).to.equal(8192);
		expect(m.memory.phys_of(view)).to.equal(page_to_phys(page));
		view[4096] = 3;
		expect(m.memory.peekMemory(page_to_phys(page) + 4096, 1)[0]).to.equal(3);
		expect(dma_free_from_pool(dev, view, 8192)).to.equal(true);
		expect(dma_free_from_pool(dev, new Uint8Array(4096), 4096)).to.equal(false);
		dma_alloc_from_pool(dev, 8192, addr, GFP_ATOMIC, null);
		expect(addr.value?.[4096]).to.equal(0);
	});

	it('goes on to the next pool when the caller does not like the address', () => {
		const { dev } = boot();
		const addr = new ref<void_ptr | null>(null);
		const tried: number[] = [];
		const page = dma_alloc_from_pool(dev, 4096, addr, GFP_ATOMIC, (_dev, phys) => tried.push(phys) === 3);
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
		expect(cma_usage().nr_pages).to.equal(before + 16);
		expect([take(), take(), take()].filter((p) => p !== null)).to.have.length(3);
	});
});
