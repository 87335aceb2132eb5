// SPDX-License-Identifier: GPL-2.0-only
// Pools of coherent blocks. Exact addresses: golden dmapool.json.
import { expect } from 'chai';
import fc from 'fast-check';
import { virt_to_phys } from '#asm/memory.js';
import { device_release_driver } from '#drivers/base/dd.js';
import { sysfs_read } from '#fs/sysfs/user.js';
import type { device } from '#linux/device.js';
import { GFP_ATOMIC, GFP_KERNEL } from '#linux/gfp.js';
import { list_empty } from '#linux/list.js';
import { preempt_disable, preempt_enable } from '#linux/preempt.js';
import { ref } from '#linux/types.js';
import {
	dma_pool_alloc,
	dma_pool_create,
	dma_pool_destroy,
	dma_pool_free,
	dma_pool_zalloc,
	dmam_pool_create,
	dmam_pool_destroy,
} from '#mm/dmapool.js';
import { nr_free_pages } from '#mm/page_alloc.js';
import { failEach } from '#tests/fail-each.js';
import { Board } from '#tests/kernel/dma/board.js';
import { expectWarning } from '#tests/setup.js';

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

	it('undoes a pool, and a block of a new page, at each allocation that fails', () => {
		const run = (): void => {
			const pool = dmam_pool_create('p', dev, 64, 0, 0);
			if (pool === null) return;
			const dma = new ref(0);
			const block = dma_pool_alloc(pool, GFP_KERNEL, dma);
			if (block !== null) dma_pool_free(pool, block, dma.value);
			expect(pool.nr_active).to.equal(0);
			dmam_pool_destroy(pool);
		};
		// The IOVA allocator keeps magazines and its last node.
		run();
		const check = board.leakCheck();
		const failures = failEach((what) => {
			run();
			expect(check(), what).to.deep.equal([]);
			expect(sysfs_read('/sys/bus/platform/devices/m3/pools'), what).to.not.be.a('string');
		});
		expect(failures).to.be.greaterThan(5);
	});

	it('ends a managed pool with the binding of its device', () => {
		const check = board.leakCheck();
		const pool = dmam_pool_create('p', dev, 64, 0, 0)!;
		const dma = new ref(0);
		dma_pool_free(pool, dma_pool_alloc(pool, GFP_KERNEL, dma)!, dma.value);
		expect(list_empty(dev.dma_pools)).to.equal(false);
		device_release_driver(dev);
		expect(list_empty(dev.dma_pools)).to.equal(true);
		expect(check().filter((l) => l.includes('pool'))).to.deep.equal([]);
	});

	it('says that a pool is busy, and leaves its memory to who uses it', () => {
		const pool = dma_pool_create('held', dev, 64, 0, 0)!;
		const dma = new ref(0);
		const block = dma_pool_alloc(pool, GFP_KERNEL, dma)!;
		const before = nr_free_pages();
		dma_pool_destroy(pool);
		expect(nr_free_pages()).to.equal(before);
		expect(board.log.at(-1)).to.contain('m3: dma_pool_destroy held busy');
		block.fill(0x77);
		expect(board.masters.model('m3').fetch(dma.value, 2)).to.deep.equal(new Uint8Array([0x77, 0x77]));
	});

	it('keeps 31 characters of a name', () => {
		const pool = dma_pool_create('x'.repeat(40), dev, 64, 0, 0)!;
		expect(sysfs_read('/sys/bus/platform/devices/m3/pools')).to.contain(
			`\n${'x'.repeat(31)}    0    0   64  0\n`,
		);
		dma_pool_destroy(pool);
	});

	it('wants a caller that may sleep where it was told so, even when it has a block', () => {
		const pool = dma_pool_create('p', dev, 64, 0, 0)!;
		const dma = new ref(0);
		dma_pool_free(pool, dma_pool_alloc(pool, GFP_KERNEL, dma)!, dma.value);
		preempt_disable();
		dma_pool_free(pool, dma_pool_alloc(pool, GFP_ATOMIC, dma)!, dma.value);
		expectWarning(/sleeping function called from invalid context/);
		dma_pool_free(pool, dma_pool_alloc(pool, GFP_KERNEL, dma)!, dma.value);
		preempt_enable();
		dma_pool_destroy(pool);
	});

	it('hands out blocks like a stack over pages that are cut from the start (random orders)', () => {
		const check = board.leakCheck();
		const shape = fc.tuple(
			fc.integer({ min: 1, max: 5000 }),
			fc.constantFrom(0, 1, 4, 64, 256),
			fc.constantFrom(0, 512, 1024, 4096, 65536),
		);
		fc.assert(
			fc.property(shape, fc.array(fc.nat(99), { maxLength: 60 }), ([size, align, boundary], picks) => {
				const block = Math.ceil(Math.max(size, 16) / Math.max(align, 1)) * Math.max(align, 1);
				const pool = dma_pool_create('p', dev, size, align, boundary);
				expect(pool === null).to.equal(boundary !== 0 && boundary < block);
				if (pool === null) return;
				const page = Math.max(block, 4096);
				const free: number[] = [];
				const used: [Uint8Array, number][] = [];
				let pages = 0;
				for (const pick of picks) {
					if (pick % 3 === 0 && used.length > 0) {
						const [vaddr, addr] = used.splice(pick % used.length, 1)[0]!;
						dma_pool_free(pool, vaddr, addr);
						free.push(addr);
						continue;
					}
					const dma = new ref(0);
					const vaddr = dma_pool_alloc(pool, GFP_KERNEL, dma)!;
					if (free.length === 0) {
						// A new page: its first block comes now, the others after it.
						const step = Math.min(boundary === 0 ? page : boundary, page);
						const starts: number[] = [];
						for (let at = 0; at + block <= page; at += block) {
							if (Math.floor(at / step) !== Math.floor((at + block - 1) / step))
								at = Math.ceil(at / step) * step;
							if (at + block <= page) starts.push(dma.value + at);
						}
						free.push(...starts.reverse());
						pages++;
					}
					expect(dma.value).to.equal(free.pop());
					expect(virt_to_phys(vaddr) % 4096).to.equal(dma.value % 4096);
					used.push([vaddr, dma.value]);
				}
				expect([pool.nr_active, pool.nr_blocks, pool.nr_pages]).to.deep.equal([
					used.length,
					used.length + free.length,
					pages,
				]);
				for (const [vaddr, addr] of used) dma_pool_free(pool, vaddr, addr);
				dma_pool_destroy(pool);
			}),
			{ numRuns: 80 },
		);
		expect(check()).to.deep.equal([]);
	});
});
