// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import { phys_to_virt } from '#asm/memory.js';
import { dma_map_single, dma_unmap_single } from '#kernel/dma/mapping.js';
import { DMA_FROM_DEVICE } from '#linux/dma-direction.js';
import { dma_mapping_error } from '#linux/dma-mapping.js';
import { h6 } from '#tests/hw/h6.js';
import { Board, BUFS } from '#tests/kernel/dma/board.js';
import type { InjectorOptions } from '#watch/injector.js';
import { Injector } from '#watch/injector.js';

function run(seed: number, options: InjectorOptions) {
	const machine = h6({ seed });
	const did: string[] = [];
	const injector = new Injector(machine, { dma: () => did.push('dma'), irq: () => did.push('irq') }, options);
	for (let i = 0; i < 50; i++) machine.schedule_point(i % 2 === 0 ? 'lock' : 'mmio', i);
	return { machine, did, injector };
}

describe('injector', () => {
	it('lets things happen by the seed, the same for the same seed', () => {
		const first = run(1, { chance: 0.3 });
		expect(first.injector.points).to.equal(50);
		expect(first.did).to.include.members(['dma', 'irq']);
		expect(run(1, { chance: 0.3 }).injector.history).to.deep.equal(first.injector.history);
		expect(run(2, { chance: 0.3 }).injector.history).not.to.deep.equal(first.injector.history);
	});

	it('repeats a history as its script, whatever the seed', () => {
		const first = run(1, { chance: 0.3 });
		const again = run(9, { script: first.injector.history });
		expect(again.injector.history).to.deep.equal(first.injector.history);
		expect(again.did).to.deep.equal(first.did);
	});

	it('counts only points of the kinds that were asked for', () => {
		const { injector, did } = run(1, { kinds: ['mmio'], script: [{ point: 3, action: 'irq' }] });
		expect(injector.points).to.equal(25);
		expect(did).to.deep.equal(['irq']);
	});

	it('refuses a script with an action that nobody gave', () => {
		expect(() => new Injector(h6(), {}, { script: [{ point: 0, action: 'dma' }] })).to.throw('an action dma');
	});

	it('does nothing after stop', () => {
		const { machine, injector } = run(1, {});
		injector.stop();
		machine.schedule_point('lock', 0);
		expect(injector.points).to.equal(50);
	});
});

describe('scheduling points', () => {
	// INVARIANTS.md, "Scheduling points": MMIO, cache maintenance, allocation, lock, unlock, atomic exchange.
	it('are passed of every kind while one buffer is mapped behind the IOMMU and unmapped', () => {
		const board = new Board('main');
		const dev = board.device('m0');
		const { machine } = board.masters;
		const seen: Record<'map' | 'unmap', Set<string>> = { map: new Set(), unmap: new Set() };
		machine.hook = (kind) => seen.map.add(kind);
		const addr = dma_map_single(dev, phys_to_virt(BUFS, 4096), 4096, DMA_FROM_DEVICE);
		expect(dma_mapping_error(dev, addr)).to.equal(0);
		machine.hook = (kind) => seen.unmap.add(kind);
		dma_unmap_single(dev, addr, 4096, DMA_FROM_DEVICE);
		machine.hook = null;
		expect([...seen.map]).to.have.members(['mmio', 'cache', 'alloc', 'lock', 'unlock', 'xchg']);
		expect([...seen.unmap]).to.include.members(['mmio', 'cache', 'lock', 'unlock']);
	});
});
