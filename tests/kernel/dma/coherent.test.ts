// SPDX-License-Identifier: GPL-2.0-only
// A device's own coherent memory, declared by its driver.
// Pools from the tree are in of_reserved_mem.test.ts.

import { expect } from 'chai';
import { machine } from '#arch/arm64/kernel/setup.js';
import { PAGE_SIZE } from '#asm/page-def.js';
import { of_reserved_mem_device_init } from '#drivers/of/of_reserved_mem.js';
import type { Ram } from '#hw/core/ram.js';
import {
	dma_alloc_from_dev_coherent,
	dma_alloc_from_global_coherent,
	dma_declare_coherent_memory,
	dma_init_global_coherent,
	dma_release_coherent_memory,
	dma_release_from_global_coherent,
} from '#kernel/dma/coherent.js';
import { dma_direct_set_offset } from '#kernel/dma/direct.js';
import { dma_alloc_coherent, dma_free_coherent } from '#kernel/dma/mapping.js';
import { device } from '#linux/device.js';
import { GFP_ATOMIC, GFP_KERNEL } from '#linux/gfp.js';
import { type dma_addr_t, ref, type void_ptr } from '#linux/types.js';
import { slab_fault } from '#mm/failslab.js';
import { memblock_mark_nomap } from '#mm/memblock.js';
import type { Tree } from '#tests/drivers/of/flat-tree.js';
import { Board, boardTree, pattern, reg } from '#tests/kernel/dma/board.js';
import { leakCheck } from '#tests/leaks.js';
import { expectWarning } from '#tests/setup.js';
import { bootMemory } from '../../mm/memory-machine.js';

const POOL = 0x5000_0000;
const SIZE = 0x10_0000;

function boot(): device {
	bootMemory({ early: () => memblock_mark_nomap(POOL, SIZE) });
	const dev = new device();
	dev.init_name = 'test';
	return dev;
}

describe('dma_coherent', () => {
	it('serves a device from the memory that was declared for it, at the address it has there', () => {
		const dev = boot();
		expect(dma_declare_coherent_memory(dev, POOL, 0x1000_0000, SIZE)).to.equal(0);
		const handle = new ref<dma_addr_t>(0);
		const addr = new ref<void_ptr | null>(null);
		expect(dma_alloc_from_dev_coherent(dev, 100, handle, addr)).to.equal(1);
		expect(dma_alloc_from_dev_coherent(dev, 100, handle, addr)).to.equal(1);
		expect(handle.value).to.equal(0x1000_0000 + PAGE_SIZE);
		expect(addr.value?.length).to.equal(100);
		dma_release_coherent_memory(dev);
		expect(dma_alloc_from_dev_coherent(dev, 100, handle, addr)).to.equal(0);
	});

	it('answers -EBUSY for a second declaration, -ENODEV without a device, -EINVAL for no size and no RAM', () => {
		const dev = boot();
		expect(dma_declare_coherent_memory(dev, POOL, 0, SIZE / 2)).to.equal(0);
		expect(dma_declare_coherent_memory(dev, POOL + SIZE / 2, 0, SIZE / 2)).to.equal(-16);
		expect(dma_declare_coherent_memory(null, POOL + SIZE / 2, 0, SIZE / 2)).to.equal(-19);
		expect(dma_declare_coherent_memory(dev, POOL, 0, 0)).to.equal(-22);
		expect(dma_declare_coherent_memory(dev, 0x1000, 0, SIZE)).to.equal(-22);
	});

	it('refuses memory that the linear map covers, with a warning', () => {
		const dev = boot();
		expectWarning(/memremap attempted on ram/);
		expect(dma_declare_coherent_memory(dev, 0x6000_0000, 0, SIZE)).to.equal(-22);
	});

	it('serves everyone from the global pool once there is one', () => {
		const dev = boot();
		const handle = new ref<dma_addr_t>(0);
		expect(dma_alloc_from_global_coherent(dev, PAGE_SIZE, handle)).to.equal(null);
		expect(dma_init_global_coherent(POOL, SIZE)).to.equal(0);
		const addr = dma_alloc_from_global_coherent(dev, PAGE_SIZE, handle) as Uint8Array;
		expect(handle.value).to.equal(POOL);
		expect(dma_release_from_global_coherent(0, addr)).to.equal(1);
		expect(dma_release_from_global_coherent(0, new Uint8Array(1))).to.equal(0);
		expect(dma_alloc_from_global_coherent(dev, 2 * SIZE, handle)).to.equal(null);
	});

	it('answers -ENOMEM for each allocation of a declaration that fails, and keeps nothing', () => {
		const dev = boot();
		const { stats } = machine.memory as Ram;
		const mapped = (): number => stats.vmaps - stats.vunmaps;
		dma_declare_coherent_memory(dev, POOL, 0, SIZE);
		dma_release_coherent_memory(dev);
		const check = leakCheck();
		const before = mapped();
		for (let nth = 1; nth <= 2; nth++) {
			slab_fault.nth = nth;
			expect(dma_declare_coherent_memory(dev, POOL, 0, SIZE), `allocation ${nth}`).to.equal(-12);
			expect(dev.dma_mem).to.equal(null);
			expect(check()).to.deep.equal([]);
			expect(mapped()).to.equal(before);
		}
		expect(dma_declare_coherent_memory(dev, POOL, 0, SIZE)).to.equal(0);
		dma_release_coherent_memory(dev);
		expect(check()).to.deep.equal([]);
		expect(mapped()).to.equal(before);
		dma_release_coherent_memory(null);
	});

	describe('from the tree', () => {
		const TREE: Tree = { compatible: 'shared-dma-pool', 'no-map': true, reg: reg(POOL, SIZE), phandle: [7] };
		const handle = new ref(0);

		it('is all that dma_alloc_coherent() has for its devices, in powers of two of pages', () => {
			const board = new Board(boardTree({ 'pool@50000000': TREE }, { 'memory-region': [7] }));
			const m3 = board.device('m3');
			expect(of_reserved_mem_device_init(m3)).to.equal(0);
			const check = board.leakCheck();
			const cpu = dma_alloc_coherent(m3, 3 * PAGE_SIZE, handle, GFP_KERNEL)!;
			expect(handle.value).to.equal(POOL);
			expect(cpu.every((b) => b === 0)).to.equal(true);
			cpu.set(pattern(3 * PAGE_SIZE, 6));
			expect(board.masters.model('m3').fetch(POOL, 3 * PAGE_SIZE)).to.deep.equal(pattern(3 * PAGE_SIZE, 6));
			const next = dma_alloc_coherent(m3, 100, handle, GFP_ATOMIC)!;
			expect(handle.value).to.equal(POOL + 4 * PAGE_SIZE);
			expect(dma_alloc_coherent(m3, SIZE, handle, GFP_KERNEL)).to.equal(null);
			expect(dma_alloc_coherent(m3, 2 * SIZE, handle, GFP_KERNEL)).to.equal(null);
			expect(dma_alloc_coherent(m3, 0, handle, GFP_KERNEL)).to.equal(null);
			dma_free_coherent(m3, 3 * PAGE_SIZE, cpu, POOL);
			dma_free_coherent(m3, 100, next, POOL + 4 * PAGE_SIZE);
			const all = dma_alloc_coherent(m3, SIZE, handle, GFP_KERNEL)!;
			expect(handle.value).to.equal(POOL);
			expect(all.every((b) => b === 0)).to.equal(true);
			dma_free_coherent(m3, SIZE, all, POOL);
			expect(check()).to.deep.equal([]);
		});

		it('is shared by the devices that name it, and has the address that each of them knows it by', () => {
			const board = new Board(boardTree({ 'pool@50000000': TREE }, { 'memory-region': [7] }));
			const [m3, m4] = [board.device('m3'), board.device('m4')];
			expect([of_reserved_mem_device_init(m3), of_reserved_mem_device_init(m4)]).to.deep.equal([0, 0]);
			expect(m3.dma_mem).to.equal(m4.dma_mem);
			dma_direct_set_offset(m4, 0x4000_0000, 0, 0x4000_0000);
			const a = dma_alloc_coherent(m3, PAGE_SIZE, handle, GFP_KERNEL);
			expect(handle.value).to.equal(POOL);
			const b = dma_alloc_coherent(m4, PAGE_SIZE, handle, GFP_KERNEL);
			expect(handle.value).to.equal(POOL + PAGE_SIZE - 0x4000_0000);
			dma_free_coherent(m3, PAGE_SIZE, a, POOL);
			dma_free_coherent(m4, PAGE_SIZE, b, handle.value);
		});

		it('is given also to a device that cannot reach it, with a warning', () => {
			const board = new Board(boardTree({ 'pool@50000000': TREE }, { 'memory-region': [7] }));
			const m3 = board.device('m3');
			m3.bus_dma_limit = POOL;
			expect(of_reserved_mem_device_init(m3)).to.equal(0);
			expect(board.log.join('\n')).to.include("reserved memory is beyond device's set DMA address range");
		});

		it('must not be memory that the kernel maps', () => {
			expectWarning(/memremap attempted on ram/);
			const mapped: Tree = { compatible: 'shared-dma-pool', reg: reg(POOL, SIZE), phandle: [7] };
			const board = new Board(boardTree({ 'pool@50000000': mapped }, { 'memory-region': [7] }));
			expect(of_reserved_mem_device_init(board.device('m3'))).to.equal(-22);
		});
	});
});
