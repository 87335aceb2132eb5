// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import fc from 'fast-check';
import {
	for_each_made_page,
	nth_page,
	page_to_pfn,
	page_to_phys,
	pfn_to_page,
	virt_to_page,
} from '#asm/memory.js';
import {
	__GFP_COMP,
	__GFP_NORETRY,
	__GFP_NOWARN,
	__GFP_ZERO,
	GFP_DMA,
	GFP_DMA32,
	GFP_HIGHUSER_MOVABLE,
	GFP_KERNEL,
} from '#linux/gfp.js';
import { page_address, page_count, page_ref_count, page_size } from '#linux/mm.js';
import type { page } from '#linux/mm_types.js';
import { MAX_PAGE_ORDER, MIGRATE_CMA, NR_PAGE_ORDERS } from '#linux/mmzone.js';
import { compound_head, PageReserved } from '#linux/page-flags.js';
import { fail_page_alloc } from '#mm/fail_page_alloc.js';
import { memblock_reserve } from '#mm/memblock.js';
import {
	__free_page,
	__free_pages,
	__get_free_pages,
	alloc_contig_range,
	alloc_page,
	alloc_pages,
	alloc_pages_exact,
	for_each_populated_zone,
	free_contig_range,
	free_pages,
	free_pages_exact,
	get_page,
	get_zeroed_page,
	has_managed_dma,
	init_cma_reserved_pageblock,
	nr_free_cma_pages,
	nr_free_pages,
	nr_used_pages,
	page_owner_report,
	page_placement,
	page_zone,
	put_page,
	set_page_owner_enabled,
	set_page_poison_enabled,
	split_page,
} from '#mm/page_alloc.js';
import { meminfo_proc_show } from '#mm/show_mem.js';
import { expectWarning } from '#tests/setup.js';
import { bootMemory } from './memory-machine.js';

const GIB = 0x4000_0000;
const MIB = 0x10_0000;
const PAGE = 4096;

function must(p: page | null): page {
	if (p === null) throw new Error('no page');
	return p;
}

/** The free blocks of all zones, checked: aligned, counted, apart. */
function checkFreeLists(): number {
	let total = 0;
	const seen = new Set<number>();
	for (const z of for_each_populated_zone()) {
		let inZone = 0;
		for (let order = 0; order < NR_PAGE_ORDERS; order++) {
			const deferred = order === MAX_PAGE_ORDER ? z.deferred.reduce((n, r) => n + r.end - r.start, 0) : 0;
			inZone += deferred;
			let blocks = deferred / 2 ** order;
			for (const list of [z.free_area[order].free_list, z.free_area[order].cma_list]) {
				for (let pos = list.next; pos !== list; pos = pos.next) {
					const p = pos.container as page;
					blocks++;
					inZone += 2 ** order;
					expect(p.pfn % 2 ** order).to.equal(0);
					expect(p.private).to.equal(order);
					expect(seen.has(p.pfn)).to.equal(false);
					seen.add(p.pfn);
				}
			}
			expect(z.free_area[order].nr_free).to.equal(blocks);
		}
		expect(z.nr_free_pages).to.equal(inZone);
		total += inZone;
	}
	return total;
}

describe('page_alloc', () => {
	it('manages all memory that is not reserved', () => {
		bootMemory();
		expect(nr_free_pages()).to.equal((GIB - 2 * MIB) / PAGE);
		expect(nr_used_pages()).to.equal(0);
		expect(checkFreeLists()).to.equal(nr_free_pages());
		expect(has_managed_dma()).to.equal(true);
		expect(meminfo_proc_show().split('\n')[0]).to.equal('MemTotal:        1046528 kB');
	});

	it('hands out pages from low to high, as a fresh kernel does', () => {
		bootMemory();
		const a = must(alloc_page(GFP_KERNEL));
		const b = must(alloc_page(GFP_KERNEL));
		expect(page_to_phys(a)).to.equal(GIB + 2 * MIB);
		expect(page_to_pfn(b)).to.equal(page_to_pfn(a) + 1);
		expect(page_ref_count(a)).to.equal(1);
	});

	it('costs what is used of the memory, not what there is of it', () => {
		const TIB = 2 ** 40;
		bootMemory({ regions: [{ base: GIB, size: 64 * TIB }] });
		expect(nr_free_pages()).to.equal((64 * TIB - 2 * MIB) / PAGE);
		const made = [...for_each_made_page()].length;
		const p = must(alloc_page(GFP_KERNEL));
		expect([...for_each_made_page()].length - made).to.be.below(16);
		expect(checkFreeLists()).to.equal(nr_free_pages());
		__free_page(p);
		expect(nr_used_pages()).to.equal(0);
	});

	it('hands blocks out rising, also when some are taken out of the middle first', () => {
		bootMemory();
		const order = MAX_PAGE_ORDER;
		const free = nr_free_pages();
		page_placement.next = [(GIB + 64 * MIB) / PAGE];
		const middle = must(alloc_pages(GFP_KERNEL, order));
		expect(page_to_phys(middle)).to.equal(GIB + 64 * MIB);
		const got = Array.from({ length: 20 }, () => page_to_phys(must(alloc_pages(GFP_KERNEL, order))));
		const rising = Array.from({ length: 21 }, (_, i) => GIB + 4 * MIB * (i + 1)).filter(
			(at) => at !== GIB + 64 * MIB,
		);
		expect(got).to.deep.equal(rising);
		expect(checkFreeLists()).to.equal(free - 21 * 2 ** order);
	});

	it('aligns a block to its size and joins it again when it is freed', () => {
		bootMemory();
		const free = nr_free_pages();
		for (let order = 0; order <= MAX_PAGE_ORDER; order++) {
			const p = must(alloc_pages(GFP_KERNEL, order));
			expect(p.pfn % 2 ** order).to.equal(0);
			expect(nr_free_pages()).to.equal(free - 2 ** order);
			__free_pages(p, order);
		}
		const before = checkFreeLists();
		expect(before).to.equal(free);
		const z = page_zone(pfn_to_page(GIB / PAGE + 512));
		expect(z.free_area[0].nr_free).to.equal(0);
	});

	it('takes normal memory first and falls back to the zones below, never to those above', () => {
		bootMemory({
			regions: [
				{ base: 0, size: 64 * MIB },
				{ base: 4 * GIB, size: 8 * MIB },
			],
			dmaLimit: 32 * MIB,
		});
		expect(page_to_phys(must(alloc_page(GFP_KERNEL)))).to.be.at.least(4 * GIB);
		expect(page_zone(must(alloc_page(GFP_DMA32))).name).to.equal('DMA32');
		expect(page_zone(must(alloc_page(GFP_DMA))).name).to.equal('DMA');
		while (page_zone(must(alloc_pages(GFP_KERNEL, 9))).name === 'Normal');
		let got: page | null;
		do got = alloc_pages(GFP_DMA | __GFP_NOWARN, 0);
		while (got !== null);
		expect(alloc_page(GFP_DMA32)).to.not.equal(null);
	});

	it('fails with a message when there is nothing left, and quietly with __GFP_NOWARN', () => {
		const m = bootMemory({ regions: [{ base: GIB, size: 4 * MIB }] });
		const got: page[] = [];
		for (let p = alloc_page(GFP_KERNEL | __GFP_NOWARN); p !== null; p = alloc_page(GFP_KERNEL | __GFP_NOWARN))
			got.push(p);
		expect(got.length).to.equal(512);
		expect(m.logged('page allocation failure')).to.have.length(0);
		expect(alloc_pages(GFP_KERNEL, 3)).to.equal(null);
		expect(m.logged('swapper/0: page allocation failure: order:3, mode:0xcc0')).to.have.length(1);
		expect(m.logged('Call trace:')).to.have.length(1);
		expect(m.logged(' __alloc_pages (mm/page_alloc.')).to.have.length(1);
		expect(m.logged('Mem-Info:')).to.have.length(1);
		// Once in ten seconds.
		expect(alloc_pages(GFP_KERNEL, 3)).to.equal(null);
		expect(m.logged('page allocation failure')).to.have.length(1);
		for (const p of got) __free_page(p);
		expect(nr_used_pages()).to.equal(0);
	});

	it('refuses orders above MAX_PAGE_ORDER', () => {
		bootMemory();
		expect(alloc_pages(GFP_KERNEL | __GFP_NOWARN, MAX_PAGE_ORDER + 1)).to.equal(null);
	});

	it('zeroes pages in the cache: dirty until they are cleaned', () => {
		const m = bootMemory();
		const p = must(alloc_page(GFP_KERNEL));
		m.memory.deviceWrite(page_to_phys(p), new Uint8Array(PAGE).fill(7), false);
		__free_page(p);
		const v = get_zeroed_page(GFP_KERNEL) as Uint8Array;
		expect(virt_to_page(v)).to.equal(p);
		expect(v.every((b) => b === 0)).to.equal(true);
		m.memory.clean(page_to_phys(p), PAGE);
		expect(m.memory.peekMemory(page_to_phys(p), PAGE).every((b) => b === 0)).to.equal(true);
	});

	it('gives linear addresses of whole blocks', () => {
		bootMemory();
		const v = __get_free_pages(GFP_KERNEL, MAX_PAGE_ORDER) as Uint8Array;
		expect(v.length).to.equal(4 * MIB);
		free_pages(v, MAX_PAGE_ORDER);
		free_pages(null, 3);
		expect(nr_used_pages()).to.equal(0);
	});

	it('keeps compound pages together', () => {
		bootMemory();
		const p = must(alloc_pages(GFP_KERNEL | __GFP_COMP, 3));
		expect(compound_head(nth_page(p, 5))).to.equal(p);
		expect(page_size(p)).to.equal(8 * PAGE);
		expect(page_address(p).length).to.equal(8 * PAGE);
		get_page(nth_page(p, 7));
		expect(page_count(nth_page(p, 2))).to.equal(2);
		put_page(nth_page(p, 1));
		expect(nr_used_pages()).to.equal(8);
		put_page(p);
		expect(nr_used_pages()).to.equal(0);
		expect(compound_head(nth_page(p, 5))).to.equal(nth_page(p, 5));
	});

	it('lets the last reference free a page', () => {
		bootMemory();
		const p = must(alloc_page(GFP_KERNEL));
		get_page(p);
		__free_page(p);
		expect(nr_used_pages()).to.equal(1);
		put_page(p);
		expect(nr_used_pages()).to.equal(0);
	});

	it('splits a block into pages that are freed one by one', () => {
		bootMemory();
		const p = must(alloc_pages(GFP_KERNEL, 2));
		split_page(p, 2);
		for (const i of [2, 0, 3, 1]) __free_page(nth_page(p, i));
		expect(nr_used_pages()).to.equal(0);
		checkFreeLists();
	});

	it('keeps only what an exact allocation needs', () => {
		bootMemory();
		const v = alloc_pages_exact(5 * PAGE, GFP_KERNEL | __GFP_ZERO) as Uint8Array;
		expect(v.length).to.equal(5 * PAGE);
		expect(nr_used_pages()).to.equal(5);
		free_pages_exact(v, 5 * PAGE);
		expect(nr_used_pages()).to.equal(0);
	});

	it('reports a page that is freed twice, and frees it once', () => {
		bootMemory();
		const p = must(alloc_page(GFP_KERNEL));
		__free_page(p);
		expectWarning(/BUG: Bad page state.*pfn:40200/);
		__free_page(p);
		expect(nr_used_pages()).to.equal(0);
		checkFreeLists();
	});

	it('reports a block that is freed while a part of it is in use', () => {
		bootMemory();
		const p = must(alloc_pages(GFP_KERNEL, 1));
		split_page(p, 1);
		expectWarning(/Bad page state/);
		__free_pages(p, 1);
		expect(nr_used_pages()).to.equal(2);
	});

	it('refuses to free reserved memory', () => {
		bootMemory();
		const p = pfn_to_page(GIB / PAGE);
		expect(PageReserved(p)).to.equal(true);
		expectWarning(/Bad page state/);
		__free_page(p);
	});

	it('fails the n-th allocation of an order when told to', () => {
		bootMemory();
		fail_page_alloc.min_order = 1;
		fail_page_alloc.nth = 2;
		fail_page_alloc.times = 2;
		const results = [1, 0, 1, 2, 1].map((order) => alloc_pages(GFP_KERNEL | __GFP_NOWARN, order) !== null);
		expect(results).to.deep.equal([true, true, false, false, true]);
		expect(fail_page_alloc.failed).to.equal(2);
	});

	it('finds stores to freed pages by their poison, of the CPU and of devices', () => {
		const m = bootMemory();
		set_page_poison_enabled(true);
		const p = must(alloc_page(GFP_KERNEL));
		const phys = page_to_phys(p);
		__free_page(p);
		expect(m.memory.peekMemory(phys, 2)).to.deep.equal(Uint8Array.of(0xaa, 0xaa));
		m.memory.deviceWrite(phys + 8, Uint8Array.of(1), false);
		page_placement.next.push(p.pfn);
		expectWarning(/pagealloc: memory corruption at 0x0*40200008/);
		expect(alloc_page(GFP_KERNEL)).to.equal(p);
		__free_page(p);
		page_placement.next.push(p.pfn);
		expect(alloc_page(GFP_KERNEL)).to.equal(p);
	});

	it('does not look for poison in pages of a block that were never freed', () => {
		bootMemory();
		set_page_poison_enabled(true);
		const pages = Array.from({ length: 64 }, () => must(alloc_page(GFP_KERNEL)));
		for (const p of pages) __free_page(p);
		__free_pages(must(alloc_pages(GFP_KERNEL, 6)), 6);
		__free_pages(must(alloc_pages(GFP_KERNEL, 9)), 9);
	});

	it('puts the next pages where it is told, when they are free', () => {
		bootMemory();
		const pfn = GIB / PAGE + 0x12340;
		page_placement.next.push(pfn, pfn, pfn + 16);
		expect(must(alloc_page(GFP_KERNEL)).pfn).to.equal(pfn);
		expect(must(alloc_page(GFP_KERNEL)).pfn).to.not.equal(pfn);
		expect(must(alloc_pages(GFP_KERNEL, 4)).pfn).to.equal(pfn + 16);
		checkFreeLists();
	});

	it('scatters pages, the same way for the same seed', () => {
		const run = (): number[] => {
			bootMemory();
			page_placement.mode = 'scattered';
			page_placement.seed = 42;
			return Array.from({ length: 64 }, () => must(alloc_page(GFP_KERNEL)).pfn);
		};
		const a = run();
		expect(a.filter((pfn, i) => i > 0 && pfn === a[i - 1] + 1)).to.have.length(0);
		expect(alloc_pages(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN, 1)).to.equal(null);
		expect(alloc_pages(GFP_KERNEL | __GFP_NOWARN, 4)).to.equal(null);
		expect(alloc_pages(GFP_KERNEL, 2)).to.not.equal(null);
		checkFreeLists();
		expect(run()).to.deep.equal(a);
	});

	it('hands out the highest pages first when told to', () => {
		bootMemory();
		page_placement.mode = 'high';
		expect(page_to_phys(must(alloc_page(GFP_KERNEL)))).to.equal(2 * GIB - PAGE);
		expect(page_to_phys(must(alloc_pages(GFP_KERNEL, 1)))).to.equal(2 * GIB - 4 * PAGE);
		checkFreeLists();
	});

	it('knows who allocated what is still allocated', () => {
		const m = bootMemory();
		set_page_owner_enabled(true);
		const p = must(alloc_pages(GFP_KERNEL, 2));
		must(alloc_page(GFP_KERNEL));
		expect(page_owner_report()).to.equal(2);
		expect(m.logged('page_alloc.test')[0] ?? m.log.join('\n')).to.include('page_alloc.test');
		__free_pages(p, 2);
		expect(page_owner_report()).to.equal(1);
	});

	it('is a scheduling point', () => {
		const m = bootMemory();
		must(alloc_pages(GFP_KERNEL, 3));
		expect(m.schedulePoints).to.include('alloc 3');
	});

	describe('contiguous ranges', () => {
		const start = GIB / PAGE + 2048;

		it('takes exactly the frames and gives them back', () => {
			bootMemory();
			const free = nr_free_pages();
			expect(alloc_contig_range(start + 3, start + 21, MIGRATE_CMA, GFP_KERNEL)).to.equal(0);
			expect(nr_free_pages()).to.equal(free - 18);
			for (let i = 3; i < 21; i++) expect(page_ref_count(pfn_to_page(start + i))).to.equal(1);
			checkFreeLists();
			free_contig_range(start + 3, 18);
			expect(nr_free_pages()).to.equal(free);
			checkFreeLists();
		});

		it('answers -EBUSY when a page is in use, -EINVAL for frames outside, and takes nothing', () => {
			bootMemory();
			page_placement.next.push(start + 5);
			must(alloc_page(GFP_KERNEL));
			const free = nr_free_pages();
			expect(alloc_contig_range(start, start + 8, MIGRATE_CMA, GFP_KERNEL)).to.equal(-16);
			expect(alloc_contig_range(0, 8, MIGRATE_CMA, GFP_KERNEL)).to.equal(-22);
			expect(nr_free_pages()).to.equal(free);
		});

		it("lends a CMA area's pages only to movable allocations", () => {
			bootMemory({
				regions: [{ base: GIB, size: 8 * MIB }],
				early: () => memblock_reserve(GIB + 4 * MIB, 2 * MIB),
			});
			init_cma_reserved_pageblock(pfn_to_page((GIB + 4 * MIB) / PAGE));
			expect(nr_free_cma_pages()).to.equal(512);
			let pages = 0;
			while (alloc_page(GFP_KERNEL | __GFP_NOWARN) !== null) pages++;
			expect(pages).to.equal(1024);
			expect(nr_free_pages()).to.equal(512);
			const p = must(alloc_page(GFP_HIGHUSER_MOVABLE));
			expect(page_to_phys(p)).to.equal(GIB + 4 * MIB);
			__free_page(p);
			expect(nr_free_cma_pages()).to.equal(512);
			checkFreeLists();
		});
	});

	it('never loses or doubles a page under random allocations and frees', () => {
		const step = fc.record({ order: fc.nat(4), free: fc.nat(100), scattered: fc.boolean() });
		fc.assert(
			fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
				bootMemory({ regions: [{ base: GIB, size: 4 * MIB }] });
				const live: { p: page; order: number }[] = [];
				const owned = new Set<number>();
				for (const { order, free, scattered } of steps) {
					page_placement.mode = scattered ? 'scattered' : 'linux';
					if (free < 40 && live.length > 0) {
						const [{ p, order: o }] = live.splice(free % live.length, 1);
						for (let i = 0; i < 2 ** o; i++) owned.delete(p.pfn + i);
						__free_pages(p, o);
					} else {
						const p = alloc_pages(GFP_KERNEL | __GFP_NOWARN, order);
						if (p === null) continue;
						for (let i = 0; i < 2 ** order; i++) {
							expect(owned.has(p.pfn + i)).to.equal(false);
							owned.add(p.pfn + i);
						}
						live.push({ p, order });
					}
				}
				expect(checkFreeLists()).to.equal(512 - owned.size);
				for (const { p, order } of live) __free_pages(p, order);
				expect(nr_used_pages()).to.equal(0);
				expect(page_zone(pfn_to_page(GIB / PAGE + 512)).free_area[9].nr_free).to.equal(1);
			}),
			{ numRuns: 60 },
		);
	});
});
