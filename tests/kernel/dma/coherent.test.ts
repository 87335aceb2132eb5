// SPDX-License-Identifier: GPL-2.0-only
// A device's own coherent memory, declared by its driver.
// Pools from the tree are in of_reserved_mem.test.ts.
import { expect } from 'chai';
import {
	dma_alloc_from_dev_coherent,
	dma_alloc_from_global_coherent,
	dma_declare_coherent_memory,
	dma_init_global_coherent,
	dma_release_coherent_memory,
	dma_release_from_global_coherent,
} from '#kernel/dma/coherent.js';
import { device } from '#linux/device.js';
import { type dma_addr_t, ref, type void_ptr } from '#linux/types.js';
import { memblock_mark_nomap } from '#mm/memblock.js';
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
		expect(handle.value).to.equal(0x1000_1000);
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
		expect(dma_alloc_from_global_coherent(dev, 4096, handle)).to.equal(null);
		expect(dma_init_global_coherent(POOL, SIZE)).to.equal(0);
		const addr = dma_alloc_from_global_coherent(dev, 4096, handle) as Uint8Array;
		expect(handle.value).to.equal(POOL);
		expect(dma_release_from_global_coherent(0, addr)).to.equal(1);
		expect(dma_release_from_global_coherent(0, new Uint8Array(1))).to.equal(0);
		expect(dma_alloc_from_global_coherent(dev, 2 * SIZE, handle)).to.equal(null);
	});
});
