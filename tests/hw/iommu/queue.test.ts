// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import { Ram } from '#hw/core/ram.js';
import { Ring } from '#hw/iommu/queue.js';

const BASE = 0x4000_0000;

function ring(sizeLg2: number): { ring: Ring; at: { prod: number; cons: number }; ram: Ram } {
	const ram = new Ram([{ base: BASE, size: 0x100_0000 }]);
	const at = { base: BASE, sizeLg2, prod: 0, cons: 0 };
	return { ring: new Ring(ram, 8, false, at), at, ram };
}

describe('iommu_queue', () => {
	it('gives back what was put, in order, many times round', () => {
		const { ring: r, at } = ring(2);
		const taken: number[] = [];
		for (let i = 0; i < 20; i++) {
			expect(r.put([i, 100 + i])).to.equal(true);
			at.prod = r.next(at.prod);
			taken.push(...r.take()!);
			at.cons = r.next(at.cons);
		}
		expect(taken).to.deep.equal(Array.from({ length: 20 }, (_, i) => [i, 100 + i]).flat());
	});

	it('tells full from empty by the bit above the index', () => {
		const { ring: r, at } = ring(2);
		expect([r.empty, r.full]).to.deep.equal([true, false]);
		for (let i = 0; i < 4; i++) at.prod = r.next(at.prod);
		expect([at.prod, r.empty, r.full]).to.deep.equal([4, false, true]);
		at.cons = r.next(at.cons);
		expect([r.empty, r.full]).to.deep.equal([false, false]);
	});

	it('holds one record when its size is 1', () => {
		const { ring: r, at } = ring(0);
		at.prod = r.next(at.prod);
		expect([at.prod, r.full]).to.deep.equal([1, true]);
		at.cons = r.next(at.cons);
		expect(r.empty).to.equal(true);
	});

	it('says so where no memory is', () => {
		const ram = new Ram([{ base: BASE, size: 0x100_0000 }]);
		const r = new Ring(ram, 8, false, { base: 0x1000, sizeLg2: 2, prod: 0, cons: 0 });
		expect([r.put([1, 2]), r.take()]).to.deep.equal([false, null]);
	});

	it('reads past the CPU cache, or through it when the device snoops', () => {
		const { ram } = ring(2);
		ram.linear_words(BASE, 2)!.set([7, 8]);
		const registers = { base: BASE, sizeLg2: 2, prod: 1, cons: 0 };
		expect([...new Ring(ram, 8, false, registers).take()!]).to.deep.equal([0, 0]);
		expect([...new Ring(ram, 8, true, registers).take()!]).to.deep.equal([7, 8]);
	});
});
