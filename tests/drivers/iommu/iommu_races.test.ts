// SPDX-License-Identifier: GPL-2.0-only
// One CPU stands still amid an operation, and something else happens.
// Between each two memory or register operations, one after the other, another CPU maps or unmaps, or an interrupt
// comes (INV-RACE).

import { expect } from 'chai';
import { cpu_context } from '#asm/current.js';
import { pfn_to_page } from '#asm/memory.js';
import { PAGE_SIZE } from '#asm/page-def.js';
import { iommu_domain_free, iommu_map, iommu_unmap } from '#drivers/iommu/iommu.js';
import { sysfs_write } from '#fs/sysfs/user.js';
import { figure } from '#hw/iommu/iommu.js';
import { dma_unmap_page_attrs } from '#kernel/dma/mapping.js';
import { DMA_BIDIRECTIONAL } from '#linux/dma-direction.js';
import { GFP_ATOMIC, GFP_KERNEL } from '#linux/gfp.js';
import type { iommu_domain } from '#linux/iommu.js';
import { run_on_cpu } from '#linux/smp.js';
import { dma_map_page_attrs } from '#tests/kernel/dma/client.js';
import { expectFinding } from '#tests/setup.js';
import { Injector } from '#watch/injector.js';
import { asked, BUFFER, H6, MIB, RW, walk } from './h6.js';

const K4 = 0x1000;
/** Where one CPU maps, and where the other does: in one MiB, that has no table yet. */
const MINE = 5 * MIB;
const THEIRS = 5 * MIB + 9 * K4;

function expectLeads(h6: H6, domain: iommu_domain, iova: number, phys: number, when: string): void {
	expect([walk(h6.machine, domain, iova), asked(domain, iova)], when).to.deep.equal([phys, phys]);
	expect(h6.reads(2, iova), when).to.equal(phys !== -1);
	h6.machine.advance(10_000);
}

/**
 * Run @mine, with @theirs on CPU 1 once, at the @nth point where this CPU holds no lock (the other would wait for it).
 * How often there was such a point, up to there.
 */
function interleave(h6: H6, nth: number, mine: () => void, theirs: () => void): number {
	let points = 0;
	h6.machine.hook = () => {
		if (cpu_context.current.lockdep_depth > 0) return;
		if (points++ === nth) run_on_cpu(1, theirs);
	};
	mine();
	h6.machine.hook = null;
	return points;
}

describe('iommu_races', () => {
	describe('two CPUs', () => {
		const board = () => new H6({ nrCpus: 2 });

		it('that both need the same new table get one, whoever comes first', () => {
			const h6 = board();
			let points = 1;
			for (let nth = -1; nth < points; nth++) {
				const domain = h6.attached();
				const check = h6.leakCheck();
				const passed = interleave(
					h6,
					nth,
					() => expect(iommu_map(domain, MINE, BUFFER, 2 * K4, RW, GFP_KERNEL)).to.equal(0),
					() => expect(iommu_map(domain, THEIRS, BUFFER + MIB, 2 * K4, RW, GFP_ATOMIC)).to.equal(0),
				);
				const when = `point ${nth} of ${points}`;
				// Once warm, the allocators pass fewer points.
				if (nth === -1 || passed <= nth) points = passed;
				expectLeads(h6, domain, MINE + K4, BUFFER + K4, when);
				if (nth >= 0 && nth < points) {
					expectLeads(h6, domain, THEIRS, BUFFER + MIB, when);
					expectLeads(h6, domain, THEIRS + K4, BUFFER + MIB + K4, when);
				}
				expect(h6.stale(), when).to.deep.equal([]);
				// One table and no more, also for who lost.
				const left = check();
				expect(left.filter((line) => /30f0000.iommu: 1 object/.test(line))).to.have.length(1);
				h6.detachAndFree(domain);
			}
			expect(points).to.be.greaterThan(8);
			expect(h6.dmasan.reports.map((r) => r.text)).to.deep.equal([]);
		});

		it("of which one maps and the other unmaps, in one table, do not touch each other's pages", () => {
			const h6 = board();
			const domain = h6.attached();
			iommu_map(domain, MINE + 0x8_0000, BUFFER, K4, RW, GFP_KERNEL);
			let points = 1;
			for (let nth = -1; nth < points; nth++) {
				iommu_map(domain, THEIRS, BUFFER + MIB, 3 * K4, RW, GFP_KERNEL);
				for (const at of [THEIRS, THEIRS + 2 * K4]) h6.tries(0, at);
				const passed = interleave(
					h6,
					nth,
					() => expect(iommu_map(domain, MINE, BUFFER, 3 * K4, RW, GFP_KERNEL)).to.equal(0),
					() => expect(iommu_unmap(domain, THEIRS, 3 * K4)).to.equal(3 * K4),
				);
				if (nth === -1) {
					points = passed;
					iommu_unmap(domain, THEIRS, 3 * K4);
				}
				const when = `point ${nth} of ${points}`;
				expect(h6.stale(), when).to.deep.equal([]);
				for (let i = 0; i < 3; i++) {
					expectLeads(h6, domain, MINE + i * K4, BUFFER + i * K4, when);
					expectLeads(h6, domain, THEIRS + i * K4, -1, when);
				}
				iommu_unmap(domain, MINE, 3 * K4);
			}
			expect(points).to.be.at.least(5);
		});

		it('of which one unmaps and the other maps, likewise', () => {
			const h6 = board();
			const domain = h6.attached();
			let points = 1;
			for (let nth = -1; nth < points; nth++) {
				iommu_map(domain, MINE, BUFFER, 3 * K4, RW, GFP_KERNEL);
				h6.tries(0, MINE + K4);
				const passed = interleave(
					h6,
					nth,
					() => expect(iommu_unmap(domain, MINE, 3 * K4)).to.equal(3 * K4),
					() => expect(iommu_map(domain, THEIRS, BUFFER + MIB, 3 * K4, RW, GFP_ATOMIC)).to.equal(0),
				);
				if (nth === -1) points = passed;
				const when = `point ${nth} of ${points}`;
				expect(h6.stale(), when).to.deep.equal([]);
				for (let i = 0; i < 3; i++) {
					expectLeads(h6, domain, MINE + i * K4, -1, when);
					if (nth >= 0) expectLeads(h6, domain, THEIRS + i * K4, BUFFER + MIB + i * K4, when);
				}
				iommu_unmap(domain, THEIRS, 3 * K4);
			}
			expect(points).to.be.at.least(4);
		});

		for (const type of ['DMA', 'DMA-FQ'])
			it(`that use the DMA API of one device get addresses apart (${type})`, () => {
				const h6 = board();
				const dev = h6.device(0);
				if (type !== 'DMA') sysfs_write('/sys/kernel/iommu_groups/0/type', type);
				const map = (n: number) =>
					dma_map_page_attrs(dev, pfn_to_page(BUFFER / PAGE_SIZE + n), 0, K4, DMA_BIDIRECTIONAL, 0) as number;
				const unmap = (dma: number) => dma_unmap_page_attrs(dev, dma, K4, DMA_BIDIRECTIONAL, 0);
				let points = 1;
				for (let nth = -1; nth < points; nth++) {
					const kept = run_on_cpu(1, () => map(7));
					let mine = 0;
					let theirs = 0;
					const passed = interleave(
						h6,
						nth,
						() => {
							const dma = map(1);
							unmap(dma);
							mine = map(2);
						},
						() => {
							unmap(kept);
							theirs = map(3);
						},
					);
					// Once warm, the allocators pass fewer points.
					if (nth === -1 || passed <= nth) points = passed;
					expect(mine).to.not.equal(theirs);
					expect(h6.reads(1, mine)).to.equal(true);
					expect(h6.iommu.contradictions(mine, mine + K4 - 1)).to.deep.equal([]);
					unmap(mine);
					if (theirs === 0) unmap(kept);
					else {
						expect(h6.reads(1, theirs)).to.equal(true);
						expect(h6.iommu.contradictions(theirs, theirs + K4 - 1)).to.deep.equal([]);
						run_on_cpu(1, () => unmap(theirs));
					}
				}
				expect(points).to.be.greaterThan(10);
				h6.machine.advance(20_000_000);
				expect(h6.stale()).to.deep.equal([]);
			});
	});

	describe('an interrupt', () => {
		for (const [what, fault] of [
			['a page without a word', MINE + 0x5_0000],
			['a MiB without a table', 9 * MIB],
		] as const)
			it(`for ${what}, at any point of a map and an unmap, is handled between them or after`, () => {
				const h6 = new H6();
				const domain = h6.attached();
				iommu_map(domain, MINE + 0x8_0000, BUFFER, K4, RW, GFP_KERNEL);
				let points = 1;
				for (let nth = -1; nth < points; nth++) {
					const before = figure(h6.iommu, 'faults');
					h6.reports();
					const injector = new Injector(
						h6.machine,
						{ fault: () => h6.reads(3, fault) },
						{ script: [{ point: nth, action: 'fault' }] },
					);
					expect(iommu_map(domain, MINE, BUFFER, 4 * K4, RW, GFP_KERNEL)).to.equal(0);
					expect(h6.stale(), `map, point ${nth}`).to.deep.equal([]);
					h6.machine.advance(100_000);
					expect(h6.stale(), `map and handler, point ${nth}`).to.deep.equal([]);
					expect(iommu_unmap(domain, MINE, 4 * K4)).to.equal(4 * K4);
					expect(h6.stale(), `unmap, point ${nth}`).to.deep.equal([]);
					injector.stop();
					h6.machine.advance(100_000);
					if (nth === -1) points = injector.points;
					// In the midst of it the page may be there already.
					const faults = figure(h6.iommu, 'faults') - before;
					expect(h6.reports(), `point ${nth}`).to.deep.equal(
						Array.from({ length: faults }, () => ({ iova: fault, master: 3, dir: 'rd' })),
					);
					expect(h6.iommu.stalled).to.equal(0);
				}
				expect(points).to.be.greaterThan(40);
			});

		// Documentation/deviations.md, "Known flaws": what is cached of a page in the midst of a range stays. Only a
		// master that runs ahead of iommu_map() can bring it there: it finds the first pages, and looks beyond.
		it('is not needed for a stale word when a master uses pages that are still being mapped (known flaw)', () => {
			expectFinding(/stale-after-map/);
			expectFinding(/stale-negative/);
			const h6 = new H6();
			const domain = h6.attached();
			iommu_map(domain, MINE + 0x8_0000, BUFFER, K4, RW, GFP_KERNEL);
			const injector = new Injector(
				h6.machine,
				{ early: () => expect(h6.reads(3, MINE + K4)).to.equal(true) },
				{ kinds: ['cache'], script: [{ point: 2, action: 'early' }] },
			);
			expect(iommu_map(domain, MINE, BUFFER, 4 * K4, RW, GFP_KERNEL)).to.equal(0);
			injector.stop();
			expect(h6.iommu.contradictions().map((c) => c.entry.iova)).to.deep.equal([MINE + 2 * K4]);
			// It costs one fault, which is reported and mends it.
			expect(h6.tries(3, MINE + 2 * K4)).to.equal(false);
			expect(h6.tries(3, MINE + 2 * K4)).to.equal(true);
		});
	});

	it('leave nothing behind', () => {
		const h6 = new H6({ nrCpus: 2 });
		const warm = h6.domain();
		iommu_map(warm, MINE, BUFFER, K4, RW, GFP_KERNEL);
		iommu_domain_free(warm);
		const check = h6.leakCheck();
		for (let nth = 0; nth < 20; nth++) {
			const domain = h6.domain();
			interleave(
				h6,
				nth,
				() => iommu_map(domain, MINE, BUFFER, 2 * K4, RW, GFP_KERNEL),
				() => iommu_map(domain, THEIRS, BUFFER, K4, RW, GFP_ATOMIC),
			);
			iommu_domain_free(domain);
		}
		expect(check()).to.deep.equal([]);
	});
});
