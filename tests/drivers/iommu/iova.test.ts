// SPDX-License-Identifier: GPL-2.0-only
// The IOVA allocator's rules. Its exact addresses: golden iova.json.

import { expect } from 'chai';
import fc from 'fast-check';
import { PAGE_SIZE } from '#asm/page-def.js';
import {
	__free_iova,
	alloc_iova,
	alloc_iova_fast,
	find_iova,
	free_iova,
	free_iova_fast,
	init_iova_domain,
	iova_cache_get,
	iova_cache_put,
	iova_domain_init_rcaches,
	iova_rcache_range,
	put_iova_domain,
	reserve_iova,
} from '#drivers/iommu/iova.js';
import { msleep } from '#kernel/time/timer.js';
import { ENOMEM } from '#linux/errno.js';
import {
	iova_align,
	iova_align_down,
	iova_dma_addr,
	iova_domain,
	iova_offset,
	iova_pfn,
	iova_shift,
	iova_size,
} from '#linux/iova.js';
import { rb_entry, rb_first, rb_next } from '#linux/rbtree.js';
import { slab_fault } from '#mm/failslab.js';
import { Board } from '#tests/kernel/dma/board.js';
import { expectWarning } from '#tests/setup.js';

const LIMIT = 0xf_ffff;

function domain(rcaches: boolean): iova_domain {
	const iovad = new iova_domain();
	init_iova_domain(iovad, 4096, 1);
	if (rcaches) expect(iova_domain_init_rcaches(iovad)).to.equal(0);
	return iovad;
}

/** Every range of the tree in order, the anchor left out. */
function ranges(iovad: iova_domain): [number, number][] {
	const out: [number, number][] = [];
	for (let n = rb_first(iovad.rbroot); n !== null; n = rb_next(n)) {
		const entry = rb_entry(n);
		if (entry !== iovad.anchor) out.push([entry.pfn_lo, entry.pfn_hi]);
	}
	return out;
}

describe('iova', () => {
	let board: Board;
	before(() => {
		board = new Board('main');
	});

	it('converts between addresses and frames of the granule', () => {
		const iovad = new iova_domain();
		init_iova_domain(iovad, 1024, 1);
		expect(iova_shift(iovad)).to.equal(10);
		expect(iova_pfn(iovad, 0x1_0000_0400)).to.equal(0x400001);
		expect(iova_offset(iovad, 0x1_0000_07ff)).to.equal(0x3ff);
		expect(iova_align(iovad, 1025)).to.equal(2048);
		expect(iova_align_down(iovad, 2047)).to.equal(1024);
		const entry = alloc_iova(iovad, 3, 0xffff, true)!;
		expect(iova_size(entry)).to.equal(3);
		expect(iova_dma_addr(iovad, entry)).to.equal(0xfffc * 1024);
		put_iova_domain(iovad);
	});

	it('gives out the highest free range, aligned to its size rounded up to a power of two', () => {
		const iovad = domain(false);
		expect(alloc_iova(iovad, 1, LIMIT, true)!.pfn_lo).to.equal(0xfffff);
		expect(alloc_iova(iovad, 3, LIMIT, true)!.pfn_lo).to.equal(0xffffc);
		expect(alloc_iova(iovad, 1, 0xff, false)!.pfn_lo).to.equal(0xff);
		put_iova_domain(iovad);
	});

	it('looks above the last allocation when below it nothing is left', () => {
		const iovad = domain(false);
		const first = alloc_iova(iovad, 8, 15, true)!;
		expect(first.pfn_lo).to.equal(8);
		expect(alloc_iova(iovad, 4, 15, true)!.pfn_lo).to.equal(4);
		__free_iova(iovad, first);
		expect(alloc_iova(iovad, 8, 15, true)!.pfn_lo).to.equal(8);
		put_iova_domain(iovad);
	});

	it('does not search below 4 GiB again for a size that failed, until something there is freed', () => {
		const iovad = domain(false);
		const only = alloc_iova(iovad, 8, 15, true)!;
		expect(alloc_iova(iovad, 8, 15, true)).to.equal(null);
		expect(iovad.max32_alloc_size).to.equal(8);
		expect(alloc_iova(iovad, 8, 0x1000, true)).to.equal(null);
		__free_iova(iovad, only);
		expect(iovad.max32_alloc_size).to.equal(0x100000);
		expect(alloc_iova(iovad, 8, 0x1000, true)!.pfn_lo).to.equal(0xff8);
		put_iova_domain(iovad);
	});

	it('fails at a limit of all ones, as the limit wraps', () => {
		const iovad = domain(false);
		expect(alloc_iova(iovad, 1, 0xffff_ffff_ffff_f800, true)).to.not.equal(null);
		expect(alloc_iova(iovad, 1, 2 ** 64, true)).to.equal(null);
		put_iova_domain(iovad);
	});

	it('takes what is cached at a limit of all ones, as there is none then', () => {
		const iovad = domain(true);
		const pfn = alloc_iova_fast(iovad, 4, LIMIT, false);
		free_iova_fast(iovad, pfn, 4);
		expect(alloc_iova_fast(iovad, 4, 2 ** 64, false)).to.equal(pfn);
		free_iova_fast(iovad, pfn, 4);
		expect(alloc_iova_fast(iovad, 4, 2, false)).to.equal(0);
		put_iova_domain(iovad);
	});

	it('finds a range by any of its frames', () => {
		const iovad = domain(false);
		const entry = alloc_iova(iovad, 4, LIMIT, true)!;
		expect(find_iova(iovad, entry.pfn_lo + 2)).to.equal(entry);
		expect(find_iova(iovad, entry.pfn_lo - 1)).to.equal(null);
		free_iova(iovad, entry.pfn_lo + 3);
		expect(find_iova(iovad, entry.pfn_lo + 2)).to.equal(null);
		free_iova(iovad, 5);
		put_iova_domain(iovad);
	});

	it('widens what a reservation overlaps, and adds only the rest', () => {
		const iovad = domain(false);
		reserve_iova(iovad, 0x100, 0x1ff);
		reserve_iova(iovad, 0x80, 0x17f);
		expect(ranges(iovad)).to.deep.equal([[0x80, 0x1ff]]);
		reserve_iova(iovad, 0x180, 0x2ff);
		expect(ranges(iovad)).to.deep.equal([
			[0x80, 0x1ff],
			[0x200, 0x2ff],
		]);
		expect(alloc_iova(iovad, 0x100, 0x2ff, true)).to.equal(null);
		put_iova_domain(iovad);
	});

	it('refuses to reserve frames that no address has', () => {
		const iovad = domain(false);
		expectWarning(/reserve_iova|iova/);
		expect(reserve_iova(iovad, 0, 2 ** 53)).to.equal(null);
		put_iova_domain(iovad);
	});

	it('hands a freed range to the next request of its order, last freed first', () => {
		const iovad = domain(true);
		const a = alloc_iova_fast(iovad, 3, LIMIT, true);
		const b = alloc_iova_fast(iovad, 4, LIMIT, true);
		free_iova_fast(iovad, a, 3);
		free_iova_fast(iovad, b, 4);
		expect(alloc_iova_fast(iovad, 4, LIMIT, true)).to.equal(b);
		expect(alloc_iova_fast(iovad, 3, LIMIT, true)).to.equal(a);
		put_iova_domain(iovad);
	});

	it('keeps ranges of up to 32 frames in the tree after the free, larger ones not', () => {
		const iovad = domain(true);
		expect(iova_rcache_range()).to.equal(32 * PAGE_SIZE);
		free_iova_fast(iovad, alloc_iova_fast(iovad, 32, LIMIT, true), 32);
		expect(ranges(iovad)).to.have.length(1);
		free_iova_fast(iovad, alloc_iova_fast(iovad, 33, LIMIT, true), 33);
		expect(ranges(iovad)).to.have.length(1);
		put_iova_domain(iovad);
	});

	it('does not give a cached range to a device that cannot reach it', () => {
		const iovad = domain(true);
		const high = alloc_iova_fast(iovad, 1, LIMIT, true);
		free_iova_fast(iovad, high, 1);
		expect(alloc_iova_fast(iovad, 1, 0xff, true)).to.equal(0xff);
		expect(alloc_iova_fast(iovad, 1, LIMIT, true)).to.equal(high);
		put_iova_domain(iovad);
	});

	it('empties the caches when the space is full, if it may', () => {
		const iovad = domain(true);
		const all = Array.from({ length: 15 }, () => alloc_iova_fast(iovad, 1, 15, true));
		expect(all).to.not.include(0);
		for (const pfn of all) free_iova_fast(iovad, pfn, 1);
		expect(alloc_iova_fast(iovad, 8, 15, false)).to.equal(0);
		expect(alloc_iova_fast(iovad, 8, 15, true)).to.equal(8);
		put_iova_domain(iovad);
	});

	it('trims the depot to one magazine a CPU, one each 100 ms', () => {
		const iovad = domain(true);
		const all = Array.from({ length: 127 * 6 }, () => alloc_iova_fast(iovad, 1, LIMIT, true));
		for (const pfn of all) free_iova_fast(iovad, pfn, 1);
		// Two magazines stay with the CPU, the other four are in the depot.
		expect(iovad.rcaches![0].depot_size).to.equal(4);
		msleep(150);
		expect(iovad.rcaches![0].depot_size).to.equal(3);
		msleep(500);
		expect(iovad.rcaches![0].depot_size).to.equal(1);
		expect(ranges(iovad)).to.have.length(127 * 3);
		put_iova_domain(iovad);
	});

	it('goes without the caches when a magazine cannot be had', () => {
		const iovad = domain(true);
		const all = Array.from({ length: 255 }, () => alloc_iova_fast(iovad, 1, LIMIT, true));
		for (const pfn of all.slice(0, 254)) free_iova_fast(iovad, pfn, 1);
		slab_fault.name = 'iova_magazine';
		slab_fault.nth = 1;
		free_iova_fast(iovad, all[254], 1);
		slab_fault.name = '';
		expect(ranges(iovad)).to.have.length(254);
		put_iova_domain(iovad);
	});

	it('undoes a failed set-up of the caches, whichever allocation fails', () => {
		const check = board.leakCheck();
		for (let nth = 1; ; nth++) {
			const iovad = new iova_domain();
			init_iova_domain(iovad, 4096, 1);
			slab_fault.nth = nth;
			const ret = iova_domain_init_rcaches(iovad);
			const failed = slab_fault.nth === 0;
			slab_fault.nth = 0;
			if (!failed) {
				expect(ret).to.equal(0);
				expect(nth).to.be.greaterThan(6);
				put_iova_domain(iovad);
				break;
			}
			expect(ret).to.equal(-ENOMEM);
			expect(iovad.rcaches).to.equal(null);
		}
		expect(check()).to.deep.equal([]);
	});

	it('answers null and 0 without memory for a range', () => {
		const iovad = domain(true);
		slab_fault.nth = 1;
		expect(alloc_iova(iovad, 1, LIMIT, true)).to.equal(null);
		slab_fault.nth = 1;
		expect(alloc_iova_fast(iovad, 1, LIMIT, false)).to.equal(0);
		put_iova_domain(iovad);
	});

	it('returns everything when the domain is put', () => {
		const check = board.leakCheck();
		const iovad = domain(true);
		const all = Array.from({ length: 900 }, (_, i) => alloc_iova_fast(iovad, 1 + (i % 40), LIMIT, true));
		for (const [i, pfn] of all.entries()) if (i % 3 !== 0) free_iova_fast(iovad, pfn, 1 + (i % 40));
		put_iova_domain(iovad);
		expect(check()).to.deep.equal([]);
	});

	it('counts the users of its slab caches, and complains about one put too many', () => {
		expect(iova_cache_get()).to.equal(0);
		iova_cache_put();
	});

	it('never gives out a frame twice, nor one outside the limits (random sequences)', () => {
		const step = fc.record({
			op: fc.constantFrom('alloc', 'fast', 'free'),
			size: fc.integer({ min: 1, max: 70 }),
			limit: fc.constantFrom(0x3ff, 0x7ff, LIMIT),
			pick: fc.nat(),
		});
		fc.assert(
			fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
				const iovad = domain(true);
				const used = new Set<number>();
				const live: { pfn: number; size: number; fast: boolean }[] = [];
				for (const s of steps) {
					if (s.op === 'free') {
						if (live.length === 0) continue;
						const [gone] = live.splice(s.pick % live.length, 1);
						for (let i = 0; i < gone.size; i++) used.delete(gone.pfn + i);
						if (gone.fast) free_iova_fast(iovad, gone.pfn, gone.size);
						else free_iova(iovad, gone.pfn);
						continue;
					}
					const fast = s.op === 'fast';
					const pfn = fast
						? alloc_iova_fast(iovad, s.size, s.limit, true)
						: (alloc_iova(iovad, s.size, s.limit, true)?.pfn_lo ?? 0);
					if (pfn === 0) continue;
					expect(pfn % 2 ** Math.ceil(Math.log2(s.size))).to.equal(0);
					expect(pfn + s.size - 1).to.be.at.most(s.limit);
					for (let i = 0; i < s.size; i++) {
						expect(used.has(pfn + i), `frame ${pfn + i}`).to.equal(false);
						used.add(pfn + i);
					}
					live.push({ pfn, size: s.size, fast });
				}
				put_iova_domain(iovad);
			}),
			{ numRuns: 60 },
		);
	});
});
