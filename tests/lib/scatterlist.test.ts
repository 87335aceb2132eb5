// SPDX-License-Identifier: GPL-2.0-only
// Scatterlists: tables, walks, copies, splits. Exact: golden scatterlist.json.
import { expect } from 'chai';
import fc from 'fast-check';
import { page_to_pfn, pfn_to_page, phys_to_virt } from '#asm/memory.js';
import { panic_state } from '#kernel/panic.js';
import {
	for_each_sg,
	for_each_sg_page,
	for_each_sgtable_dma_page,
	for_each_sgtable_dma_sg,
	for_each_sgtable_page,
	for_each_sgtable_sg,
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
	sg_page_iter_dma_address,
	sg_page_iter_page,
	sg_pcopy_from_buffer,
	sg_pcopy_to_buffer,
	sg_zero_buffer,
	sgl_alloc,
	sgl_alloc_order,
	sgl_free,
	sgl_free_order,
} from '#lib/scatterlist.js';
import { sg_alloc_table_chained, sg_free_table_chained } from '#lib/sg_pool.js';
import { sg_split } from '#lib/sg_split.js';
import { EINVAL, ENOMEM } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { in_atomic, preempt_disable, preempt_enable } from '#linux/preempt.js';
import {
	kfree_sg,
	SG_MITER_ATOMIC,
	SG_MITER_FROM_SG,
	type scatterlist,
	sg_append_table,
	sg_array,
	sg_at,
	sg_chain,
	sg_dma_len,
	sg_is_last,
	sg_mapping_iter,
	sg_page,
	type sg_page_iter,
	sg_phys,
	sg_set_page,
	sg_table,
	sg_virt,
} from '#linux/scatterlist.js';
import { kfree, kmalloc } from '#linux/slab.js';
import { ref } from '#linux/types.js';
import { slab_fault } from '#mm/failslab.js';
import { failEach } from '#tests/fail-each.js';
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

/** The place of each byte of a list, counted from the buffers' start. */
function placesOf(sgl: scatterlist): number[] {
	return Array.from(for_each_sg(sgl, sg_nents(sgl)), (sg) =>
		Array.from({ length: sg.length }, (_, i) => sg_phys(sg) - BUFS + i),
	).flat();
}

const pfnOf = (piter: sg_page_iter): number => page_to_pfn(sg_page_iter_page(piter)) - BUFS / 4096;

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

	it('makes of pages what they are one by one, whatever joins (random pages)', () => {
		const run = fc.tuple(fc.nat(60), fc.integer({ min: 1, max: 6 }));
		fc.assert(
			fc.property(
				fc.array(run, { minLength: 1, maxLength: 80 }),
				fc.nat(4095),
				fc.nat(4095),
				fc.integer({ min: 1, max: 5 }),
				(runs, offset, missing, most) => {
					const pfns = runs.flatMap(([slot, n], i) => Array.from({ length: n }, (_, j) => i * 70 + slot + j));
					const size = Math.max(1, pfns.length * 4096 - offset - missing);
					const t = new sg_table();
					expect(
						sg_alloc_table_from_pages_segment(
							t,
							pagesAt(...pfns),
							pfns.length,
							offset,
							size,
							most * 4096,
							GFP_KERNEL,
						),
					).to.equal(0);
					const sgs = Array.from(for_each_sgtable_sg(t));
					expect(lengths(t.sgl).reduce((a, b) => a + b)).to.equal(size);
					expect(Array.from(for_each_sgtable_page(t, 0), pfnOf)).to.deep.equal(
						pfns.slice(0, Math.ceil((offset + size) / 4096)),
					);
					for (const [i, sg] of sgs.entries()) {
						expect(sg.length).to.be.at.most(most * 4096);
						expect(sg.offset).to.equal(i === 0 ? offset : 0);
						// Nothing that could have joined the entry before it stands alone.
						const before = sgs[i - 1];
						if (before !== undefined && sg_phys(before) + before.length === sg_phys(sg))
							expect(before.offset + before.length).to.equal(most * 4096);
					}
					sg_free_table(t);
				},
			),
			{ numRuns: 60 },
		);
	});

	it('holds the same pages when they come in parts (random parts)', () => {
		const check = board.leakCheck();
		const part = fc.array(fc.tuple(fc.nat(3), fc.integer({ min: 1, max: 40 })), {
			minLength: 1,
			maxLength: 12,
		});
		fc.assert(
			fc.property(fc.array(part, { minLength: 1, maxLength: 5 }), (parts) => {
				let pfn = 0;
				const lists = parts.map((p) =>
					p.flatMap(([gap, n]) => {
						pfn += gap;
						return Array.from({ length: n }, () => pfn++);
					}),
				);
				const t = new sg_append_table();
				for (const [i, pfns] of lists.entries()) {
					const left = lists.slice(i + 1).reduce((sum, l) => sum + l.length, 0);
					expect(
						sg_alloc_append_table_from_pages(
							t,
							pagesAt(...pfns),
							pfns.length,
							0,
							pfns.length * 4096,
							0x8000,
							left,
							GFP_KERNEL,
						),
					).to.equal(0);
				}
				expect(sg_nents(t.sgt.sgl)).to.equal(t.sgt.nents);
				expect(Math.max(...lengths(t.sgt.sgl))).to.be.at.most(0x8000);
				expect(Array.from(for_each_sgtable_page(t.sgt, 0), pfnOf)).to.deep.equal(lists.flat());
				sg_free_append_table(t);
			}),
			{ numRuns: 60 },
		);
		expect(check()).to.deep.equal([]);
	});

	it('refuses an offset in pages that are appended', () => {
		const t = new sg_append_table();
		sg_alloc_append_table_from_pages(t, pagesAt(0), 1, 0, 4096, 0x10000, 1, GFP_KERNEL);
		expectWarning(/./);
		expect(sg_alloc_append_table_from_pages(t, pagesAt(4), 1, 8, 4088, 0x10000, 0, GFP_KERNEL)).to.equal(
			-EINVAL,
		);
		sg_free_append_table(t);
	});

	it('takes an offset that lies behind the first chunk for no limit, as 32 bits have it', () => {
		const t = new sg_table();
		expect(sg_alloc_table_from_pages(t, pagesAt(0, 4), 2, 5000, 9000, GFP_KERNEL)).to.equal(0);
		expect(lengths(t.sgl)).to.deep.equal([9000, 4096]);
		sg_free_table(t);
	});

	it('cuts a list into parts that are its bytes in their order (random lists)', () => {
		const check = board.leakCheck();
		fc.assert(
			fc.property(
				fc.array(fc.tuple(fc.nat(4095), fc.integer({ min: 1, max: 9000 })), { minLength: 1, maxLength: 6 }),
				fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 0, maxLength: 4 }),
				fc.nat(3000),
				(raw, first, from) => {
					const t = table(raw.map(([off, length], i) => [i * 0x8000 + off, length]));
					const bytes = placesOf(t.sgl!);
					const skip = Math.min(from, bytes.length - 1);
					// The last part takes the rest, so that it ends with an entry.
					const sizes: number[] = [];
					let left = bytes.length - skip;
					for (const size of first) {
						if (size >= left) continue;
						sizes.push(size);
						left -= size;
					}
					sizes.push(left);
					const out: (scatterlist | null)[] = [];
					expect(sg_split(t.sgl!, 0, skip, sizes.length, sizes, out, null, GFP_KERNEL)).to.equal(0);
					let at = skip;
					for (const [i, size] of sizes.entries()) {
						expect(placesOf(out[i]!)).to.deep.equal(bytes.slice(at, at + size));
						at += size;
						kfree_sg(out[i]!);
					}
					sg_free_table(t);
				},
			),
			{ numRuns: 60 },
		);
		expect(check()).to.deep.equal([]);
	});

	it('cuts what was mapped as one range, and does not go on behind its end', () => {
		const t = table([
			[0, 4096],
			[0x10000, 4096],
			[0x20000, 4096],
		]);
		// As dma_map_sg() behind an IOMMU leaves it: the first two are one range.
		const [a, b] = Array.from(for_each_sgtable_sg(t));
		a!.dma_address = 0x1000;
		a!.dma_length = 8192;
		b!.dma_address = 0x9000;
		b!.dma_length = 4096;
		const out: (scatterlist | null)[] = [];
		const mapped: number[] = [];
		expect(sg_split(t.sgl!, 2, 96, 2, [1000, 3000], out, mapped, GFP_KERNEL)).to.equal(0);
		expect(mapped).to.deep.equal([1, 1]);
		expect([out[0]!.dma_address, out[0]!.dma_length]).to.deep.equal([0x1000 + 96, 1000]);
		expect([out[1]!.dma_address, out[1]!.dma_length]).to.deep.equal([0x1000 + 1096, 3000]);
		for (const sgl of out) kfree_sg(sgl);
		sg_free_table(t);
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

	it('undoes a list with pages at each allocation that fails, and a split, and a table of pages', () => {
		const check = board.leakCheck();
		const failures = failEach((what) => {
			const sgl = sgl_alloc_order(20000, 1, true, GFP_KERNEL, null);
			if (sgl !== null) sgl_free_order(sgl, 1);
			const t = new sg_table();
			const pages = Array.from({ length: 300 }, (_, i) => 2 * i);
			if (sg_alloc_table_from_pages(t, pagesAt(...pages), 300, 0, 300 * 4096, GFP_KERNEL) === 0) {
				const out: (scatterlist | null)[] = [];
				const ret = sg_split(t.sgl!, 0, 0, 2, [4096, 4096 * 299], out, null, GFP_KERNEL);
				if (ret === 0) for (const part of out) kfree_sg(part);
				sg_free_table(t);
			}
			expect(check(), what).to.deep.equal([]);
		});
		// One array and three pairs of pages; three arrays of the table; two lists, and what describes them.
		expect(failures).to.equal(1 + 3 + 3 + 3);
	});

	it('allocates no list of 4 GiB and more, as 32 bits have it', () => {
		expect(sgl_alloc(2 ** 32, GFP_KERNEL, null)).to.equal(null);
		expect(sgl_alloc(2 ** 32 - 4095, GFP_KERNEL, null)).to.equal(null);
		expect(sgl_alloc_order(2 ** 33 + 4096, 3, false, GFP_KERNEL, null)).to.equal(null);
	});

	it('leaves an entry without pages for a chain, when asked', () => {
		const nents = new ref(0);
		const sgl = sgl_alloc_order(8193, 1, true, GFP_KERNEL, nents)!;
		expect(nents.value).to.equal(2);
		expect(lengths(sgl)).to.deep.equal([8192, 1, 0]);
		sgl_free_order(sgl, 1);
	});

	it('forbids to sleep while a piece is mapped atomically, and wants a caller that may sleep otherwise', () => {
		const t = table([[0, 4096]]);
		const miter = new sg_mapping_iter();
		sg_miter_start(miter, t.sgl!, 1, SG_MITER_FROM_SG | SG_MITER_ATOMIC);
		sg_miter_next(miter);
		expect(in_atomic()).to.equal(true);
		sg_miter_stop(miter);
		expect(in_atomic()).to.equal(false);

		sg_miter_start(miter, t.sgl!, 1, SG_MITER_FROM_SG);
		expectWarning(/sleeping function called from invalid context/);
		preempt_disable();
		sg_miter_next(miter);
		preempt_enable();
		sg_miter_stop(miter);
		sg_free_table(t);
	});

	it('wants to know which way the bytes of a walk go', () => {
		const t = table([[0, 4096]]);
		expectWarning(/./);
		sg_miter_start(new sg_mapping_iter(), t.sgl!, 1, SG_MITER_ATOMIC);
		sg_free_table(t);
	});

	it('walks over the pages of DMA addresses, which need not be those of memory', () => {
		const t = table([
			[0, 4096],
			[0x10000, 4096],
		]);
		const [a] = Array.from(for_each_sgtable_sg(t));
		a!.dma_address = 0x5000;
		a!.dma_length = 8192;
		t.nents = 1;
		expect(Array.from(for_each_sgtable_dma_page(t, 0), sg_page_iter_dma_address)).to.deep.equal([
			0x5000, 0x6000,
		]);
		expect(Array.from(for_each_sgtable_dma_sg(t), sg_dma_len)).to.deep.equal([8192]);
		sg_free_table(t);
	});

	it('finds the last entry only where the end mark is', () => {
		const sg = sg_array(3);
		sg_init_table(sg, 3);
		expect(() => sg_last(sg, 2)).to.throw();
		panic_state.warnings.length = 0;
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
