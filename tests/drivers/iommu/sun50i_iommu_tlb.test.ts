// SPDX-License-Identifier: GPL-2.0-only
// The H6's caches against its tables.
// After each operation no cached word contradicts them (INV-TLB-MAP, INV-TLB-UNMAP, INV-PTW), and walkers find clean
// words (INV-CLEAN).
import { expect } from 'chai';
import {
	iommu_domain_free,
	iommu_group_replace_domain,
	iommu_map,
	iommu_unmap,
	iommu_unmap_fast,
} from '#drivers/iommu/iommu.js';
import { to_sun50i_domain } from '#drivers/iommu/sun50i-iommu.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import {
	type iommu_domain,
	iommu_flush_iotlb_all,
	iommu_iotlb_gather,
	iommu_iotlb_gather_init,
	iommu_iotlb_sync,
} from '#linux/iommu.js';
import { expectFinding } from '#tests/setup.js';
import { Injector } from '#watch/injector.js';
import { asked, BUFFER, H6, MIB, RW, walk } from './h6.js';

const K4 = 0x1000;

/** Pages to begin at: in the first MiB, at and before the border of a MiB, far up. */
const STARTS = [0x1_0000, MIB, MIB - K4, 2 * MIB - 2 * K4, 0xffa0_0000, 0xffaf_f000];
/** Pages to map, around those that are treated each in its own way, and around a MiB and two. */
const PAGES = [1, 2, 3, 7, 8, 9, 255, 256, 257, 513];

/** Look at both ends of a range, beyond them, and here and there within: what may be cached of it is. */
function look(h6: H6, start: number, size: number): void {
	const within = [0, K4, size / 2 - ((size / 2) % K4), size - K4].filter((at) => at >= 0 && at < size);
	for (const at of [-K4, ...within, size]) h6.tries((at / K4) & 3, start + at);
}

/** The three walkers about the ends of a mapping. */
function expectLeads(h6: H6, domain: iommu_domain, iova: number, phys: number): void {
	expect([walk(h6.machine, domain, iova), asked(domain, iova)]).to.deep.equal([phys, phys]);
	const seen = h6.iommu.explain(0, iova);
	expect(seen.leaf.phys).to.equal(phys);
	expect(h6.reads(5, iova)).to.equal(phys !== -1);
	h6.machine.advance(1000);
}

describe('sun50i_iommu_tlb', () => {
	for (const policy of ['pessimistic', 'optimistic'] as const)
		it(`maps and unmaps around borders without a stale word in any cache (${policy})`, () => {
			const h6 = new H6({ policy });
			const domain = h6.attached();
			for (const start of STARTS)
				for (const pages of PAGES) {
					const size = pages * K4;
					look(h6, start, size);
					expect(iommu_map(domain, start, BUFFER, size, RW, GFP_KERNEL)).to.equal(0);
					expect(h6.stale(), `map ${start.toString(16)}+${pages} pages`).to.deep.equal([]);
					look(h6, start, size);
					expectLeads(h6, domain, start, BUFFER);
					expectLeads(h6, domain, start + size - K4, BUFFER + size - K4);
					expectLeads(h6, domain, start + size, -1);

					expect(iommu_unmap(domain, start, size)).to.equal(size);
					expect(h6.stale(), `unmap ${start.toString(16)}+${pages} pages`).to.deep.equal([]);
					expectLeads(h6, domain, start, -1);
					expectLeads(h6, domain, start + size - K4, -1);
				}
			expect(h6.dmasan.reports.map((r) => r.text)).to.deep.equal([]);
		});

	it('keeps what stays mapped when a part of it is unmapped', () => {
		const h6 = new H6();
		const domain = h6.attached();
		iommu_map(domain, MIB - 4 * K4, BUFFER, 8 * K4, RW, GFP_KERNEL);
		look(h6, MIB - 4 * K4, 8 * K4);
		for (const page of [0, 3, 5]) {
			expect(iommu_unmap(domain, MIB - 4 * K4 + page * K4, K4)).to.equal(K4);
			expect(h6.stale()).to.deep.equal([]);
		}
		const leads = Array.from({ length: 8 }, (_x, i) => h6.tries(i % 6, MIB - 4 * K4 + i * K4));
		expect(leads).to.deep.equal([false, true, true, false, true, false, true, true]);
	});

	it('drops what was cached of the old domain when another is attached', () => {
		const h6 = new H6();
		const first = h6.attached();
		const second = h6.domain();
		iommu_map(first, K4, BUFFER, 4 * K4, RW, GFP_KERNEL);
		iommu_map(second, K4, BUFFER + MIB, 2 * K4, RW, GFP_KERNEL);
		for (const [to, from, phys] of [
			[second, first, BUFFER + MIB],
			[first, second, BUFFER],
		] as const) {
			look(h6, K4, 4 * K4);
			expect(iommu_group_replace_domain(h6.group, to)).to.equal(0);
			expect(h6.stale()).to.deep.equal([]);
			expect(from).to.not.equal(to);
			expectLeads(h6, to, K4, phys);
		}
		// Nor is a table freed while the walk cache points to it.
		iommu_domain_free(second);
		const walked = h6.iommu.caches().find(({ kind }) => kind === 'tables')!;
		const roots = [...walked.entries()].map(({ root }) => root);
		expect(roots.filter((root) => root !== h6.iommu.registers.get('TTB'))).to.deep.equal([]);
	});

	it('holds with a master that looks at every scheduling point of a map, an unmap and an attach', () => {
		expectFinding(/stale-(tlb|negative)/);
		const h6 = new H6({ habits: { stallOnFault: false } });
		const domain = h6.attached();
		const other = h6.domain();
		iommu_map(domain, 0x8000, BUFFER, K4, RW, GFP_KERNEL);
		const injector = new Injector(
			h6.machine,
			{
				first: () => h6.reads(1, MIB - K4),
				middle: () => h6.reads(2, MIB + K4),
				last: () => h6.writes(3, MIB + 2 * K4),
				mapped: () => h6.reads(4, 0x8000),
			},
			{ chance: 0.5 },
		);
		const steps: [string, () => unknown][] = [
			['map', () => iommu_map(domain, MIB - K4, BUFFER, 4 * K4, RW, GFP_KERNEL)],
			['unmap', () => iommu_unmap(domain, MIB - K4, 4 * K4)],
			['map 3', () => iommu_map(domain, MIB - K4, BUFFER + MIB, 3 * K4, RW, GFP_KERNEL)],
			['attach', () => iommu_group_replace_domain(h6.group, other)],
			['attach back', () => iommu_group_replace_domain(h6.group, domain)],
			['unmap 3', () => iommu_unmap(domain, MIB - K4, 3 * K4)],
		];
		for (let round = 0; round < 5; round++)
			for (const [what, step] of steps) {
				step();
				// The rest of the handlers' work.
				h6.machine.advance(100_000);
				expect(h6.stale(), `${what}, round ${round}`).to.deep.equal([]);
			}
		injector.stop();
		expect(injector.history.length).to.be.greaterThan(200);
	});

	// Documentation/deviations.md, "Known flaws": Linux's map-side invalidation takes start, start + 4 KiB, end, end
	// + 4 KiB. The hardware policies keep no invalid neighbours of a walk, and so nothing else can be there.
	describe('with a cache that keeps invalid neighbours of a walk, too (known flaw)', () => {
		const neighbours = () => new H6({ habits: { negativeNeighbours: true } });

		for (const [pages, stale] of [
			[1, []],
			[2, []],
			[3, [2]],
			[5, [2, 3, 4]],
		] as const)
			it(`a map of ${pages} pages leaves ${stale.length} of them stale`, () => {
				if (stale.length > 0) expectFinding(/stale-(negative|after-map)/);
				const h6 = neighbours();
				const domain = h6.attached();
				iommu_map(domain, 0x1_0000, BUFFER, K4, RW, GFP_KERNEL);
				h6.tries(0, 0x1_0000);
				iommu_map(domain, 0x1_1000, BUFFER, pages * K4, RW, GFP_KERNEL);
				const found = h6.iommu.contradictions().map((c) => (c.entry.iova - 0x1_1000) / K4);
				expect(found).to.deep.equal(stale);
				for (let i = 0; i < pages; i++)
					expect(h6.reads(0, 0x1_1000 + i * K4)).to.equal(!(stale as readonly number[]).includes(i));
			});

		it('is seen by the sanitiser, and over after a fault or a flush', () => {
			expectFinding(/stale-(entry|negative|after-map) in .*\nINV-TLB-MAP/);
			const h6 = neighbours();
			const domain = h6.attached();
			iommu_map(domain, 0x1_0000, BUFFER, K4, RW, GFP_KERNEL);
			h6.tries(0, 0x1_0000);
			iommu_map(domain, 0x1_1000, BUFFER, 5 * K4, RW, GFP_KERNEL);
			expect(h6.dmasan.check('iommu_map', 0x1_1000, 0x1_5fff)).to.equal(3);
			expect(h6.dmasan.reports[0]!.invariant).to.equal('INV-TLB-MAP');
			expect(h6.tries(0, 0x1_3000)).to.equal(false);
			expect(h6.tries(0, 0x1_3000)).to.equal(true);
			iommu_flush_iotlb_all(domain);
			expect(h6.stale()).to.deep.equal([]);
		});

		it('never shows with the optimistic policy', () => {
			const h6 = new H6({ policy: 'optimistic', habits: { negativeNeighbours: true } });
			const domain = h6.attached();
			iommu_map(domain, 0x1_0000, BUFFER, K4, RW, GFP_KERNEL);
			h6.tries(0, 0x1_0000);
			iommu_map(domain, 0x1_1000, BUFFER, 5 * K4, RW, GFP_KERNEL);
			expect(h6.stale()).to.deep.equal([]);
		});
	});

	describe('when its flaw is put back', () => {
		it('an unmap without a flush is caught', () => {
			expectFinding(/stale-tlb/);
			const h6 = new H6();
			const domain = h6.attached();
			iommu_map(domain, 0x1_0000, BUFFER, 3 * K4, RW, GFP_KERNEL);
			look(h6, 0x1_0000, 3 * K4);
			const gather = new iommu_iotlb_gather();
			iommu_iotlb_gather_init(gather);
			iommu_unmap_fast(domain, 0x1_0000, 3 * K4, gather);
			expect(h6.stale()).to.not.deep.equal([]);
			expect(h6.reads(0, 0x1_0000)).to.equal(true);
			expect(h6.dmasan.reports.map((r) => r.invariant)).to.deep.equal(['INV-TLB-UNMAP']);
			iommu_iotlb_sync(domain, gather);
			expect(h6.stale()).to.deep.equal([]);
			expect(h6.reads(0, 0x1_0000)).to.equal(false);
		});

		it('a table word that was not cleaned is caught, by the walk and by the sanitiser', () => {
			expectFinding(/dirty-table/);
			expectFinding(/wrong-software-walk/);
			const h6 = new H6();
			const domain = h6.attached();
			iommu_map(domain, 0x1_0000, BUFFER, K4, RW, GFP_KERNEL);
			const dt = to_sun50i_domain(domain).dt!;
			dt[5] = dt[0]!;
			expect(asked(domain, 0x51_0000)).to.equal(BUFFER);
			expect(() => walk(h6.machine, domain, 0x51_0000)).to.throw('not clean');
			expect(h6.reads(0, 0x51_0000)).to.equal(false);
			expect(h6.dmasan.reports.map((r) => r.kind)).to.deep.equal(['wrong-software-walk', 'dirty-table']);
			dt[5] = 0;
		});

		it('a directory word that changed under the walk cache is caught', () => {
			expectFinding(/stale-entry/);
			const h6 = new H6();
			const domain = h6.attached();
			iommu_map(domain, 0x1_0000, BUFFER, K4, RW, GFP_KERNEL);
			h6.tries(0, 0x1_0000);
			const dt = to_sun50i_domain(domain).dt!;
			const old = dt[0]!;
			h6.machine.memory.load(h6.machine.memory.phys_of(dt), new Uint8Array(4));
			expect(h6.dmasan.check('nothing', 0, MIB - 1)).to.be.greaterThan(0);
			expect(h6.dmasan.reports[0]!.invariant).to.equal('INV-PTW');
			dt[0] = old;
		});
	});
});
