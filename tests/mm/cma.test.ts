// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import { page_to_phys } from '#asm/memory.js';
import { CMA_MIN_ALIGNMENT_BYTES, type cma, MAX_CMA_AREAS } from '#linux/cma.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { __initcalls } from '#linux/init.js';
import { mm_state, page_ref_count } from '#linux/mm.js';
import type { page } from '#linux/mm_types.js';
import { ref } from '#linux/types.js';
import {
	cma_alloc,
	cma_declare_contiguous,
	cma_for_each_area,
	cma_get_base,
	cma_get_name,
	cma_get_size,
	cma_init_reserved_mem,
	cma_pages_valid,
	cma_release,
	cma_reserve_pages_on_error,
	cma_usage,
} from '#mm/cma.js';
import { memblock_reserve } from '#mm/memblock.js';
import { alloc_page, nr_free_cma_pages, nr_free_pages, page_placement } from '#mm/page_alloc.js';
import { bootMemory, type MemoryMachine, type MemoryOptions } from './memory-machine.js';

const GIB = 0x4000_0000;
const MIB = 0x10_0000;
const PAGE = 4096;

/** What core_initcall() registered for CMA. */
function activate(): void {
	for (const call of __initcalls) if (call.fn.name === 'cma_init_reserved_areas') call.fn();
}

function bootCma(size = 8 * MIB, options: MemoryOptions = {}): { m: MemoryMachine; area: cma } {
	const area = new ref<cma | null>(null);
	const m = bootMemory({
		...options,
		early: () => {
			expect(cma_declare_contiguous(0, size, 0, 0, 0, false, 'reserved', area)).to.equal(0);
		},
	});
	activate();
	return { m, area: area.value as cma };
}

describe('cma', () => {
	it('reserves its area at the top of low memory and says so', () => {
		const { m, area } = bootCma();
		expect(cma_get_base(area)).to.equal(2 * GIB - 8 * MIB);
		expect(cma_get_size(area)).to.equal(8 * MIB);
		expect(cma_get_name(area)).to.equal('reserved');
		expect(m.logged('cma: Reserved 8 MiB at 0x000000007f800000 on node -1')).to.have.length(1);
		expect(mm_state.totalcma_pages).to.equal(2048);
	});

	it('stays above 4 GiB when there is memory to spare (6.12, cma_declare_contiguous_nid())', () => {
		const { area } = bootCma(8 * MIB, {
			regions: [
				{ base: 0, size: GIB },
				{ base: 0x8_0000_0000, size: GIB },
			],
		});
		expect(cma_get_base(area)).to.equal(0x8_0000_0000);
	});

	it('lends its pages until they are wanted', () => {
		const { area } = bootCma();
		expect(nr_free_cma_pages()).to.equal(2048);
		const free = nr_free_pages();
		const p = cma_alloc(area, 100, 0, false) as page;
		expect(page_to_phys(p)).to.equal(cma_get_base(area));
		expect(page_ref_count(p)).to.equal(1);
		expect(nr_free_pages()).to.equal(free - 100);
		expect(cma_release(area, p, 100)).to.equal(true);
		expect(nr_free_cma_pages()).to.equal(2048);
	});

	it('aligns what it gives to the asked order, by address', () => {
		const { area } = bootCma();
		const a = cma_alloc(area, 3, 0, false) as page;
		const b = cma_alloc(area, 8, 3, false) as page;
		const c = cma_alloc(area, 1, 0, false) as page;
		expect(b.pfn - a.pfn).to.equal(8);
		expect(c.pfn - a.pfn).to.equal(3);
	});

	it('remembers the most pages that were in use', () => {
		const { area } = bootCma();
		const a = cma_alloc(area, 100, 0, false);
		const b = cma_alloc(area, 50, 0, false);
		cma_release(area, a, 100);
		expect(cma_usage()).to.deep.equal({ nr_pages: 50, max_pages: 150 });
		cma_release(area, b, 50);
		expect(area.stats.nr_pages_released).to.equal(150);
	});

	it('passes over a range with a page in use', () => {
		const { area } = bootCma();
		page_placement.next.push(area.base_pfn + 2);
		expect(alloc_page(GFP_KERNEL)?.pfn).to.equal(area.base_pfn + 2);
		expect((cma_alloc(area, 8, 3, false) as page).pfn).to.equal(area.base_pfn + 8);
		expect((cma_alloc(area, 2, 0, false) as page).pfn).to.equal(area.base_pfn);
	});

	it('fails with a message that has the size and the reason, and quietly when asked', () => {
		const { m, area } = bootCma();
		const all = cma_alloc(area, 2048, 0, false);
		expect(cma_alloc(area, 1, 0, true)).to.equal(null);
		expect(m.logged('alloc failed')).to.have.length(0);
		expect(cma_alloc(area, 1, 0, false)).to.equal(null);
		expect(m.logged('cma: __cma_alloc: reserved: alloc failed, req-size: 1 pages, ret: -12')).to.have.length(
			1,
		);
		expect(area.stats.nr_pages_failed).to.equal(2);
		cma_release(area, all, 2048);
	});

	it('says where it is free when an allocation fails', () => {
		const { m, area } = bootCma();
		const all = [512, 512, 512, 512].map((n) => cma_alloc(area, n, 0, false));
		cma_release(area, all[0], 512);
		cma_release(area, all[2], 100);
		expect(cma_alloc(area, 600, 0, false)).to.equal(null);
		expect(m.log.slice(-4).map((line) => line.replace(/^\[.*?\] /, ''))).to.deep.equal([
			'cma: number of available pages: ',
			'512@0',
			'+100@1024',
			'=> 612 free of 2048 total pages',
		]);
	});

	it('counts and aligns by its bitmap when one bit is several pages', () => {
		const area = new ref<cma | null>(null);
		bootMemory({
			early: () => {
				expect(cma_declare_contiguous(0, 8 * MIB, 0, 0, 3, false, 'eights', area)).to.equal(0);
				expect(cma_declare_contiguous(0, 2 * MIB, 0, 0, 10, false, 'x', new ref<cma | null>(null))).to.equal(
					-22,
				);
			},
		});
		activate();
		const eights = area.value as cma;
		const a = cma_alloc(eights, 3, 0, false) as page;
		const b = cma_alloc(eights, 9, 0, false) as page;
		const c = cma_alloc(eights, 16, 5, false) as page;
		expect([b.pfn - a.pfn, c.pfn - a.pfn]).to.deep.equal([8, 32]);
		expect(cma_release(eights, a, 3)).to.equal(true);
		expect((cma_alloc(eights, 8, 0, false) as page).pfn).to.equal(a.pfn);
	});

	it('keeps the pages of an area that cannot be activated, when its owner asked for that', () => {
		bootMemory({
			dmaLimit: GIB + 64 * MIB,
			early: () => {
				const res = new ref<cma | null>(null);
				expect(cma_declare_contiguous(GIB + 62 * MIB, 4 * MIB, 0, 0, 0, true, 'split', res)).to.equal(0);
				cma_reserve_pages_on_error(res.value as cma);
			},
		});
		const free = nr_free_pages();
		activate();
		expect(free - nr_free_pages()).to.be.within(0, 2);
		expect(mm_state.totalcma_pages).to.equal(0);
	});

	it('answers null for no area, no pages, and more pages than it has', () => {
		const { area } = bootCma();
		expect(cma_alloc(null, 1, 0, false)).to.equal(null);
		expect(cma_alloc(area, 0, 0, false)).to.equal(null);
		expect(cma_alloc(area, 2049, 0, false)).to.equal(null);
	});

	it('does not release pages that are not its own', () => {
		const { area } = bootCma();
		const p = alloc_page(GFP_KERNEL) as page;
		expect(cma_pages_valid(area, p, 1)).to.equal(false);
		expect(cma_release(area, p, 1)).to.equal(false);
		expect(cma_release(null, p, 1)).to.equal(false);
		expect(cma_release(area, null, 1)).to.equal(false);
	});

	it('has one buffer, so that a large allocation is one view', () => {
		const { m, area } = bootCma(16 * MIB);
		const p = cma_alloc(area, 4096, 0, false) as page;
		expect(m.memory.linear(page_to_phys(p), 16 * MIB)?.length).to.equal(16 * MIB);
	});

	it('checks the range of an area that someone reserved', () => {
		bootMemory({
			early: () => {
				const res = new ref<cma | null>(null);
				const base = GIB + 64 * MIB;
				expect(cma_init_reserved_mem(base, 2 * MIB, 0, 'x', res)).to.equal(-22);
				memblock_reserve(base, 4 * MIB);
				expect(cma_init_reserved_mem(base, 0, 0, 'x', res)).to.equal(-22);
				expect(cma_init_reserved_mem(base + PAGE, CMA_MIN_ALIGNMENT_BYTES, 0, 'x', res)).to.equal(-22);
				expect(cma_init_reserved_mem(base, CMA_MIN_ALIGNMENT_BYTES, 0, 'x', res)).to.equal(0);
			},
		});
	});

	it('refuses a size of 0, an odd alignment, a place that is taken, a limit that is too low', () => {
		const m = bootMemory({
			early: () => {
				const res = new ref<cma | null>(null);
				expect(cma_declare_contiguous(0, 0, 0, 0, 0, false, 'x', res)).to.equal(-22);
				expect(cma_declare_contiguous(0, MIB, 0, 3 * MIB, 0, false, 'x', res)).to.equal(-22);
				expect(cma_declare_contiguous(GIB + MIB, 2 * MIB, 0, 0, 0, true, 'x', res)).to.equal(-22);
				expect(cma_declare_contiguous(GIB, 2 * MIB, 0, 0, 0, true, 'x', res)).to.equal(-16);
				expect(cma_declare_contiguous(0, 3 * GIB, 0, 0, 0, false, 'x', res)).to.equal(-22);
				expect(cma_declare_contiguous(2 * GIB - 2 * MIB, 4 * MIB, 0, 0, 0, true, 'x', res)).to.equal(-22);
				expect(cma_declare_contiguous(0, GIB, 2 * GIB, 0, 0, false, 'x', res)).to.equal(-12);
			},
		});
		expect(m.logged('must be aligned to')).to.have.length(1);
		expect(m.logged('exceeds limit')).to.have.length(1);
		expect(
			m.logged('cma: Region at 0x000000007fe00000 defined on low/high memory boundary (0x0000000080000000)'),
		).to.have.length(1);
		expect(m.logged('cma: Failed to reserve')).to.have.length(5);
	});

	it('has a limited number of areas', () => {
		bootMemory({
			early: () => {
				const res = new ref<cma | null>(null);
				for (let i = 0; i < MAX_CMA_AREAS; i++) {
					expect(cma_declare_contiguous(0, 2 * MIB, 0, 0, 0, false, `a${i}`, res)).to.equal(0);
				}
				expect(cma_declare_contiguous(0, 2 * MIB, 0, 0, 0, false, 'x', res)).to.equal(-28);
			},
		});
		const names: string[] = [];
		expect(cma_for_each_area((c) => names.push(c.name) - 3, null)).to.equal(-2);
		cma_for_each_area((c) => (names.push(c.name) === 4 ? 7 : 0), null);
		expect(names).to.deep.equal(['a0', 'a0', 'a1', 'a2']);
	});

	it('gives an area that spans two zones to the page allocator instead', () => {
		const m = bootMemory({
			dmaLimit: GIB + 64 * MIB,
			early: () => {
				const res = new ref<cma | null>(null);
				expect(cma_declare_contiguous(GIB + 62 * MIB, 4 * MIB, 0, 0, 0, true, 'split', res)).to.equal(0);
			},
		});
		activate();
		expect(m.logged('CMA area split could not be activated')).to.have.length(1);
		expect(nr_free_cma_pages()).to.equal(0);
		// All but what slab keeps of the bitmap that it gave and got back.
		expect(nr_free_pages()).to.be.within((GIB - 2 * MIB) / PAGE - 2, (GIB - 2 * MIB) / PAGE);
		expect(mm_state.totalcma_pages).to.equal(0);
	});
});
