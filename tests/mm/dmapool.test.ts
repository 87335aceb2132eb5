// SPDX-License-Identifier: GPL-2.0-only
// Pools of coherent blocks. Exact addresses: golden dmapool.json.
import { expect } from 'chai';
import { sysfs_read } from '#fs/sysfs/user.js';
import type { device } from '#linux/device.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { ref } from '#linux/types.js';
import {
	dma_pool_alloc,
	dma_pool_create,
	dma_pool_destroy,
	dma_pool_free,
	dma_pool_zalloc,
} from '#mm/dmapool.js';
import { slab_fault } from '#mm/failslab.js';
import { Board } from '#tests/kernel/dma/board.js';

describe('dmapool', () => {
	let board: Board;
	let dev: device;
	beforeEach(() => {
		board = new Board('main');
		dev = board.device('m3');
	});

	it('refuses sizes, alignments and boundaries that cannot be', () => {
		expect(dma_pool_create('p', dev, 0, 0, 0)).to.equal(null);
		expect(dma_pool_create('p', dev, 64, 3, 0)).to.equal(null);
		expect(dma_pool_create('p', dev, 64, 0, 32)).to.equal(null);
		expect(dma_pool_create('p', dev, 64, 0, 100)).to.equal(null);
		expect(dma_pool_create('p', null, 64, 0, 0)).to.equal(null);
	});

	it('gives out aligned blocks that cross no boundary, the last freed one first', () => {
		const pool = dma_pool_create('p', dev, 700, 4, 1024)!;
		const dma = new ref(0);
		const seen: [Uint8Array, number][] = [];
		for (let i = 0; i < 9; i++) seen.push([dma_pool_alloc(pool, GFP_KERNEL, dma)!, dma.value]);
		for (const [vaddr, addr] of seen) {
			expect(Math.floor(addr / 1024)).to.equal(Math.floor((addr + 699) / 1024));
			expect(vaddr.length).to.equal(700);
		}
		dma_pool_free(pool, ...seen[3]);
		dma_pool_alloc(pool, GFP_KERNEL, dma);
		expect(dma.value).to.equal(seen[3][1]);
		for (const block of seen) dma_pool_free(pool, ...block);
		dma_pool_destroy(pool);
	});

	it('shows the device what the CPU wrote, and clears a block on request', () => {
		const pool = dma_pool_create('p', dev, 64, 0, 0)!;
		const dma = new ref(0);
		const block = dma_pool_alloc(pool, GFP_KERNEL, dma)!;
		block.fill(0x5a);
		expect(board.masters.model('m3').fetch(dma.value, 64)).to.deep.equal(new Uint8Array(64).fill(0x5a));
		dma_pool_free(pool, block, dma.value);
		expect(dma_pool_zalloc(pool, GFP_KERNEL, dma)!.every((b) => b === 0)).to.equal(true);
		dma_pool_free(pool, block, dma.value);
		dma_pool_destroy(pool);
	});

	it('lists its pools in sysfs while there are any', () => {
		const pool = dma_pool_create('blocks', dev, 64, 0, 0)!;
		const dma = new ref(0);
		const block = dma_pool_alloc(pool, GFP_KERNEL, dma)!;
		expect(sysfs_read('/sys/bus/platform/devices/m3/pools')).to.equal(
			`poolinfo - 0.1\n${'blocks'.padEnd(16)}    1   64   64  1\n`,
		);
		dma_pool_free(pool, block, dma.value);
		dma_pool_destroy(pool);
		expect(sysfs_read('/sys/bus/platform/devices/m3/pools')).to.not.be.a('string');
	});

	it('reports a wrong address and a second free, and ignores both', () => {
		const pool = dma_pool_create('p', dev, 64, 0, 0)!;
		const dma = new ref(0);
		const block = dma_pool_alloc(pool, GFP_KERNEL, dma)!;
		dma_pool_free(pool, block, 0x1000);
		dma_pool_free(pool, block, dma.value);
		dma_pool_free(pool, block, dma.value);
		expect(board.log.some((l) => l.includes('(bad dma)'))).to.equal(true);
		expect(board.log.some((l) => l.includes('already free'))).to.equal(true);
		expect(pool.nr_active).to.equal(0);
		dma_pool_destroy(pool);
	});

	it('leaves nothing behind, also when a page cannot be had', () => {
		const warm = dma_pool_create('p', dev, 64, 0, 0)!;
		const dma = new ref(0);
		dma_pool_free(warm, dma_pool_alloc(warm, GFP_KERNEL, dma)!, dma.value);
		dma_pool_destroy(warm);
		const check = board.leakCheck();
		const pool = dma_pool_create('p', dev, 64, 0, 0)!;
		for (const nth of [1, 2, 3]) {
			slab_fault.nth = nth;
			expect(dma_pool_alloc(pool, GFP_KERNEL, dma)).to.equal(null);
		}
		dma_pool_destroy(pool);
		expect(check()).to.deep.equal([]);
	});
});
