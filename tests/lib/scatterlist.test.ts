// SPDX-License-Identifier: GPL-2.0-only
// Scatterlists: tables, walks, copies, splits. Exact: golden scatterlist.json.
import { expect } from 'chai';
import fc from 'fast-check';
import { page_to_pfn, pfn_to_page, phys_to_virt } from '#asm/memory.js';
import {
	for_each_sg,
	for_each_sg_page,
	sg_alloc_append_table_from_pages,
	sg_alloc_table,
	sg_alloc_table_from_pages,
	sg_alloc_table_from_pages_segment,
	sg_copy_from_buffer,
	sg_copy_to_buffer,
	sg_free_append_table,
	sg_free_table,
	sg_init_one,
	sg_init_table,
	sg_last,
	sg_miter_next,
	sg_miter_skip,
	sg_miter_start,
	sg_miter_stop,
	sg_nents,
	sg_nents_for_len,
	sg_next,
	sg_page_iter_page,
	sg_pcopy_from_buffer,
	sg_pcopy_to_buffer,
	sg_zero_buffer,
	sgl_alloc,
	sgl_free,
} from '#lib/scatterlist.js';
import { sg_alloc_table_chained, sg_free_table_chained } from '#lib/sg_pool.js';
import { sg_split } from '#lib/sg_split.js';
import { EINVAL, ENOMEM } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import {
	kfree_sg,
	SG_MITER_FROM_SG,
	type scatterlist,
	sg_append_table,
	sg_array,
	sg_at,
	sg_chain,
	sg_is_last,
	sg_mapping_iter,
	sg_page,
	sg_phys,
	sg_set_page,
	sg_table,
	sg_virt,
} from '#linux/scatterlist.js';
import { kfree, kmalloc } from '#linux/slab.js';
import { ref } from '#linux/types.js';
import { slab_fault } from '#mm/failslab.js';
import { Board, BUFS, pattern } from '#tests/kernel/dma/board.js';
import { expectWarning } from '#tests/setup.js';

/** A table over pieces [offset in the buffers, length]. */
function table(pieces: [number, number][]): sg_table {
	const t = new sg_table();
	expect(sg_alloc_table(t, pieces.length, GFP_KERNEL)).to.equal(0);
	let sg = t.sgl;
	for (const [at, length] of pieces) {
		sg_set_page(sg!, pfn_to_page((BUFS + at - (at % 4096)) / 4096), length, at % 4096);
		sg = sg_next(sg!);
	}
	return t;
}

const lengths = (sgl: scatterlist | null): number[] =>
	sgl === null ? [] : Array.from(for_each_sg(sgl, sg_nents(sgl)), (sg) => sg.length);

const pagesAt = (...pfns: number[]) => pfns.map((pfn) => pfn_to_page(BUFS / 4096 + pfn));

describe('scatterlist', () => {
	let board: Board;
	before(() => {
		board = new Board('main');
	});

	it('describes kernel memory with one entry', () => {
		const buf = kmalloc(256, GFP_KERNEL)!;
		const sg = sg_array(1);
		sg_init_one(sg, buf.subarray(16), 100);
		expect(sg_is_last(sg)).to.equal(true);
		expect(sg_next(sg)).to.equal(null);
		sg_virt(sg)[0] = 0xa5;
		expect(buf[16]).to.equal(0xa5);
		kfree(buf);
	});

	it('walks from one array into the next through a chain entry', () => {
		const a = sg_array(3);
		const b = sg_array(2);
		sg_init_table(a, 3);
		sg_init_table(b, 2);
		sg_chain(a, 3, b);
		expect(sg_nents(a)).to.equal(4);
		expect(sg_next(sg_at(a, 1))).to.equal(b);
		expect(sg_last(a, 4)).to.equal(sg_at(b, 1));
	});

	for (const nents of [1, 127, 128, 129, 255, 256, 1000]) {
		it(`makes a table of ${nents} entries in pieces of at most 128, and frees all of it`, () => {
			const check = board.leakCheck();
			const t = new sg_table();
			expect(sg_alloc_table(t, nents, GFP_KERNEL)).to.equal(0);
			expect(sg_nents(t.sgl)).to.equal(nents);
			expect(t.orig_nents).to.equal(nents);
			sg_free_table(t);
			expect(t.sgl).to.equal(null);
			expect(check()).to.deep.equal([]);
		});
	}

	it('refuses a table of no entries', () => {
		expect(sg_alloc_table(new sg_table(), 0, GFP_KERNEL)).to.equal(-EINVAL);
	});

	it('frees what it has when a later piece of a table cannot be had', () => {
		const check = board.leakCheck();
		for (const nth of [1, 2, 3]) {
			slab_fault.nth = nth;
			expect(sg_alloc_table(new sg_table(), 300, GFP_KERNEL)).to.equal(-ENOMEM);
		}
		expect(check()).to.deep.equal([]);
	});

	it('begins a chained table in the array of its caller', () => {
		const check = board.leakCheck();
		const t = new sg_table();
		const first = sg_array(4);
		t.sgl = first;
		expect(sg_alloc_table_chained(t, 300, first, 4)).to.equal(0);
		expect(t.sgl).to.equal(first);
		expect(sg_nents(t.sgl)).to.equal(300);
		sg_free_table_chained(t, 4);
		expect(check()).to.deep.equal([]);
	});

	it('makes one entry of pages that follow each other', () => {
		const t = new sg_table();
		const pages = pagesAt(0, 1, 2, 5, 6, 9);
		expect(sg_alloc_table_from_pages(t, pages, 6, 100, 6 * 4096 - 200, GFP_KERNEL)).to.equal(0);
		expect(lengths(t.sgl)).to.deep.equal([3 * 4096 - 100, 8192, 4096 - 100]);
		expect(t.sgl!.offset).to.equal(100);
		sg_free_table(t);
	});

	it('keeps entries to the longest segment, in whole pages', () => {
		const t = new sg_table();
		const pages = pagesAt(0, 1, 2, 3, 4);
		expect(sg_alloc_table_from_pages_segment(t, pages, 5, 0, 5 * 4096, 0x2fff, GFP_KERNEL)).to.equal(0);
		expect(lengths(t.sgl)).to.deep.equal([8192, 8192, 4096]);
		sg_free_table(t);
	});

	it('refuses segments of less than a page', () => {
		expectWarning(/./);
		const t = new sg_table();
		expect(sg_alloc_table_from_pages_segment(t, pagesAt(0), 1, 0, 4096, 4095, GFP_KERNEL)).to.equal(-EINVAL);
	});

	it('appends to the last entry what continues it, and gives it back its length on failure', () => {
		const check = board.leakCheck();
		const t = new sg_append_table();
		expect(sg_alloc_append_table_from_pages(t, pagesAt(0, 1), 2, 0, 8192, 0x10000, 1, GFP_KERNEL)).to.equal(
			0,
		);
		slab_fault.nth = 1;
		const more = Array.from({ length: 200 }, (_, i) => 2 + 2 * i);
		expect(
			sg_alloc_append_table_from_pages(t, pagesAt(...more), 200, 0, 200 * 4096, 0x10000, 0, GFP_KERNEL),
		).to.equal(-ENOMEM);
		slab_fault.nth = 0;
		expect(t.prv!.length).to.equal(8192);
		sg_free_append_table(t);
		expect(check()).to.deep.equal([]);
	});

	it('counts the entries that hold a length', () => {
		const t = table([
			[0, 4096],
			[0x10000, 100],
			[0x20000, 8192],
		]);
		expect(sg_nents_for_len(t.sgl, 0)).to.equal(0);
		expect(sg_nents_for_len(t.sgl, 4096)).to.equal(1);
		expect(sg_nents_for_len(t.sgl, 4097)).to.equal(2);
		expect(sg_nents_for_len(t.sgl, 12389)).to.equal(-EINVAL);
		sg_free_table(t);
	});

	it('walks over every page, also of entries that begin inside one', () => {
		const t = table([
			[0x100, 4096],
			[0x10000, 8192],
		]);
		const pfns = Array.from(for_each_sg_page(t.sgl!, 2, 0), (i) => page_to_pfn(sg_page_iter_page(i)));
		expect(pfns.map((pfn) => pfn - BUFS / 4096)).to.deep.equal([0, 1, 16, 17]);
		const later = Array.from(for_each_sg_page(t.sgl!, 2, 3), (i) => page_to_pfn(sg_page_iter_page(i)));
		expect(later.map((pfn) => pfn - BUFS / 4096)).to.deep.equal([17]);
		sg_free_table(t);
	});

	it('maps piece by piece, and goes on behind what was consumed', () => {
		const t = table([[0x800, 6000]]);
		const miter = new sg_mapping_iter();
		sg_miter_start(miter, t.sgl!, 1, SG_MITER_FROM_SG);
		expect(sg_miter_skip(miter, 48)).to.equal(true);
		expect(sg_miter_next(miter)).to.equal(true);
		expect(miter.length).to.equal(2000);
		miter.consumed = 1000;
		expect(sg_miter_next(miter)).to.equal(true);
		expect(miter.length).to.equal(1000);
		sg_miter_stop(miter);
		expect(miter.addr).to.equal(null);
		sg_free_table(t);
	});

	it('copies between lists and buffers like a plain concatenation (random lists)', () => {
		const piece = fc.tuple(fc.nat(31), fc.nat(4095), fc.integer({ min: 1, max: 9000 }));
		fc.assert(
			fc.property(
				fc.array(piece, { minLength: 1, maxLength: 6 }),
				fc.nat(20000),
				fc.nat(20000),
				(raw, skip, len) => {
					const t = table(raw.map(([slot, off, length], i) => [(i * 32 + slot) * 0x4000 + off, length]));
					const total = lengths(t.sgl).reduce((a, b) => a + b, 0);
					const n = raw.length;
					const model = pattern(total, len);
					expect(sg_copy_from_buffer(t.sgl!, n, model, total)).to.equal(total);

					const copied = Math.max(0, Math.min(len, total - skip));
					const out = new Uint8Array(len);
					expect(sg_pcopy_to_buffer(t.sgl!, n, out, len, skip)).to.equal(copied);
					expect(out.subarray(0, copied)).to.deep.equal(model.slice(skip, skip + copied));

					const part = pattern(len, skip);
					expect(sg_pcopy_from_buffer(t.sgl!, n, part, len, skip)).to.equal(copied);
					model.set(part.subarray(0, copied), Math.min(skip, total));
					expect(sg_zero_buffer(t.sgl!, n, 10, 5)).to.equal(Math.max(0, Math.min(10, total - 5)));
					model.fill(0, 5, 15);
					const all = new Uint8Array(total);
					sg_copy_to_buffer(t.sgl!, n, all, total);
					expect(all).to.deep.equal(model);
					sg_free_table(t);
				},
			),
			{ numRuns: 40 },
		);
	});

	it('splits a list, sharing the entry in which a part ends', () => {
		const t = table([
			[0, 4096],
			[0x10000, 4096],
		]);
		const out: (scatterlist | null)[] = [];
		expect(sg_split(t.sgl!, 0, 96, 2, [5000, 3096], out, null, GFP_KERNEL)).to.equal(0);
		expect(lengths(out[0])).to.deep.equal([4000, 1000]);
		expect(lengths(out[1])).to.deep.equal([3096]);
		expect(sg_phys(out[1]!)).to.equal(BUFS + 0x10000 + 1000);
		for (const sgl of out) kfree_sg(sgl);
		sg_free_table(t);
	});

	it('does not split what is too short, and leaves nothing behind', () => {
		const t = table([[0, 100]]);
		const check = board.leakCheck();
		expect(sg_split(t.sgl!, 0, 0, 1, [101], [], null, GFP_KERNEL)).to.equal(-EINVAL);
		for (const nth of [1, 2, 3]) {
			slab_fault.nth = nth;
			expect(sg_split(t.sgl!, 0, 0, 2, [50, 50], [], null, GFP_KERNEL)).to.equal(-ENOMEM);
		}
		expect(check()).to.deep.equal([]);
		sg_free_table(t);
	});

	it('allocates a list with its pages, and frees both', () => {
		const check = board.leakCheck();
		const nents = new ref(0);
		const sgl = sgl_alloc(10000, GFP_KERNEL, nents)!;
		expect(nents.value).to.equal(3);
		expect(lengths(sgl)).to.deep.equal([4096, 4096, 10000 - 8192]);
		phys_to_virt(sg_phys(sgl), 4096).fill(1);
		expect(sg_page(sgl)).to.not.equal(null);
		sgl_free(sgl);
		expect(check()).to.deep.equal([]);
	});
});
