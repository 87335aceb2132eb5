// SPDX-License-Identifier: GPL-2.0-only
// Scatterlists: walking, building from pages, copying, mapping iterators.
// Linux 6.12: lib/scatterlist.c, and the for_each macros of include/linux/scatterlist.h
// Left out: the extraction from iov_iter (extract_iter_to_sg()).
import { can_deref, deref } from '#arch/arm64/mm/fault.js';
import { page_to_phys, phys_to_virt, view_room } from '#asm/memory.js';
import { PAGE_SHIFT, PAGE_SIZE } from '#asm/page.js';
import { BUG, WARN_ON, WARN_ONCE } from '#linux/bug.js';
import { ERR_PTR, type err_ptr, IS_ERR, PTR_ERR } from '#linux/err.js';
import { EINVAL, ENOMEM } from '#linux/errno.js';
import { GFP_DMA } from '#linux/gfp_types.js';
import { might_sleep } from '#linux/kernel.js';
import { shl64 } from '#linux/math64.js';
import { nth_page, page_to_pfn } from '#linux/mm.js';
import type { page } from '#linux/mm_types.js';
import { preempt_disable, preempt_enable } from '#linux/preempt.js';
import {
	__sg_chain,
	kfree_sg,
	kmalloc_sg,
	SG_MAX_SINGLE_ALLOC,
	SG_MITER_ATOMIC,
	SG_MITER_FROM_SG,
	SG_MITER_TO_SG,
	type scatterlist,
	type sg_alloc_fn,
	sg_append_table,
	sg_at,
	sg_chain,
	sg_chain_ptr,
	sg_dma_page_iter,
	type sg_free_fn,
	sg_init_marker,
	sg_is_chain,
	sg_is_last,
	sg_mapping_iter,
	sg_mark_end,
	sg_page,
	sg_page_iter,
	sg_set_buf,
	sg_set_page,
	type sg_table,
	sg_zero,
} from '#linux/scatterlist.js';
import { memcpy, memset } from '#linux/string.js';
import {
	type bool,
	type dma_addr_t,
	type gfp_t,
	INT_MAX,
	type int,
	type loff_t,
	type ref,
	type size_t,
	UINT_MAX,
	ULONG_MAX,
	type u64,
	type unsigned_int,
	type unsigned_long,
	type void_ptr,
} from '#linux/types.js';
import { __free_pages, alloc_pages } from '#mm/page_alloc.js';

/** The entry after @sg, in this array or the next; null at the end (lib/scatterlist.c: sg_next()). */
export function sg_next(sg: scatterlist): scatterlist | null {
	if (sg_is_last(deref(sg))) return null;
	const next = sg_at(sg, 1);
	return sg_is_chain(next) ? sg_chain_ptr(next) : next;
}

/** @nents entries from @sglist on (include/linux/scatterlist.h: for_each_sg()). */
export function* for_each_sg(sglist: scatterlist, nents: unsigned_int): Iterable<scatterlist> {
	let sg: scatterlist | null = sglist;
	for (let i = 0; i < nents && can_deref(sg); i++, sg = sg_next(sg)) yield sg;
}

/** Every entry of a table (include/linux/scatterlist.h: for_each_sgtable_sg()). */
export function for_each_sgtable_sg(sgt: sg_table): Iterable<scatterlist> {
	return for_each_sg(deref(deref(sgt).sgl), sgt.orig_nents);
}

/** Every mapped entry of a table (include/linux/scatterlist.h: for_each_sgtable_dma_sg()). */
export function for_each_sgtable_dma_sg(sgt: sg_table): Iterable<scatterlist> {
	return for_each_sg(deref(deref(sgt).sgl), sgt.nents);
}

/** How many entries @sg leads (lib/scatterlist.c: sg_nents()). */
export function sg_nents(sg: scatterlist | null): int {
	let nents: int = 0;
	for (; sg !== null; sg = sg_next(sg)) nents++;
	return nents;
}

/** How many entries hold @len bytes; -EINVAL when the list is shorter (lib/scatterlist.c: sg_nents_for_len()). */
export function sg_nents_for_len(sg: scatterlist | null, len: u64): int {
	if (len === 0) return 0;
	let nents: int = 0;
	let total: u64 = 0;
	for (; sg !== null; sg = sg_next(sg)) {
		nents++;
		total += sg.length;
		if (total >= len) return nents;
	}
	return -EINVAL;
}

/** The last of @nents entries, which must carry the end mark (lib/scatterlist.c: sg_last()). */
export function sg_last(sgl: scatterlist, nents: unsigned_int): scatterlist {
	let last = sgl;
	for (const sg of for_each_sg(sgl, nents)) last = sg;
	if (!sg_is_last(last)) BUG();
	return last;
}

/** Clear @nents entries and mark the end (lib/scatterlist.c: sg_init_table()). */
export function sg_init_table(sgl: scatterlist, nents: unsigned_int): void {
	sg_zero(sgl, nents);
	sg_init_marker(sgl, nents);
}

/** A list of one entry (lib/scatterlist.c: sg_init_one()). */
export function sg_init_one(sg: scatterlist, buf: void_ptr, buflen: unsigned_int): void {
	sg_init_table(sg, 1);
	sg_set_buf(sg, buf, buflen);
}

function sg_kmalloc(nents: unsigned_int, gfp_mask: gfp_t): scatterlist | null {
	return kmalloc_sg(nents, gfp_mask);
}

function sg_kfree(sg: scatterlist, nents: unsigned_int): void {
	kfree_sg(sg);
}

/**
 * Free the arrays of a table that __sg_alloc_table() filled.
 * @max_ents: entries in one array, as it was then
 * @nents_first_chunk: entries in the caller's own first array, which is left alone; 0: there is none
 * @num_ents: entries of the list
 *
 * Linux: lib/scatterlist.c: __sg_free_table()
 */
export function __sg_free_table(
	table: sg_table,
	max_ents: unsigned_int,
	nents_first_chunk: unsigned_int,
	free_fn: sg_free_fn,
	num_ents: unsigned_int,
): void {
	let chunk: scatterlist | null = table.sgl;
	if (chunk === null) return;

	let callers = nents_first_chunk !== 0;
	let room = callers ? nents_first_chunk : max_ents;
	let left = num_ents;
	while (left > 0) {
		const sgl: scatterlist = chunk as scatterlist;
		const chained = left > room;
		const held = chained ? room : left;

		// The link must be read before its array goes.
		chunk = chained ? sg_chain_ptr(sg_at(sgl, room - 1)) : null;
		left -= chained ? held - 1 : held;
		if (callers) callers = false;
		else free_fn(sgl, held);
		room = max_ents;
	}
	table.sgl = null;
}

/** Free an append table (lib/scatterlist.c: sg_free_append_table()). */
export function sg_free_append_table(table: sg_append_table): void {
	__sg_free_table(deref(table).sgt, SG_MAX_SINGLE_ALLOC, 0, sg_kfree, table.total_nents);
}

/** Free a table of sg_alloc_table() (lib/scatterlist.c: sg_free_table()). */
export function sg_free_table(table: sg_table): void {
	__sg_free_table(table, SG_MAX_SINGLE_ALLOC, 0, sg_kfree, table.orig_nents);
}

/**
 * Make a list of @nents entries from arrays of at most @max_ents, chained.
 * @first_chunk: an array of the caller's to start with, or null
 *
 * After an error the caller must __sg_free_table() what there is.
 * Linux: lib/scatterlist.c: __sg_alloc_table()
 */
export function __sg_alloc_table(
	table: sg_table,
	nents: unsigned_int,
	max_ents: unsigned_int,
	first_chunk: scatterlist | null,
	nents_first_chunk: unsigned_int,
	gfp_mask: gfp_t,
	alloc_fn: sg_alloc_fn,
): int {
	deref(table).sgl = null;
	table.nents = 0;
	table.orig_nents = 0;
	if (nents === 0) return -EINVAL;

	let room = nents_first_chunk !== 0 ? nents_first_chunk : max_ents;
	let prv: scatterlist | null = null;
	let prv_room: unsigned_int = 0;
	let given = first_chunk;
	let left = nents;
	while (left > 0) {
		// The last entry of a full array is its link.
		const chained = left > room;
		const held = chained ? room : left;
		const used = chained ? held - 1 : held;

		const sg: scatterlist | null = given !== null ? given : alloc_fn(held, gfp_mask);
		given = null;
		if (sg === null) {
			// The previous array's last entry stays an ordinary one; count it, so that its array is freed whole.
			if (prv !== null) table.nents = ++table.orig_nents;
			return -ENOMEM;
		}

		sg_init_table(sg, held);
		table.orig_nents += used;
		table.nents = table.orig_nents;
		if (prv !== null) sg_chain(prv, prv_room, sg);
		else table.sgl = sg;

		left -= used;
		if (left === 0) sg_mark_end(sg_at(sg, used - 1));
		prv = sg;
		prv_room = room;
		room = max_ents;
	}
	return 0;
}

/**
 * Make a table of @nents entries.
 *
 * Return: 0, -EINVAL for none, -ENOMEM. Linux: lib/scatterlist.c: sg_alloc_table()
 */
export function sg_alloc_table(table: sg_table, nents: unsigned_int, gfp_mask: gfp_t): int {
	const ret = __sg_alloc_table(table, nents, SG_MAX_SINGLE_ALLOC, null, 0, gfp_mask, sg_kmalloc);
	if (ret !== 0) sg_free_table(table);
	return ret;
}

/** The entry to fill after @cur, in a new array when @cur's is used up and more than one is needed. */
function get_next_sg(
	table: sg_append_table,
	cur: scatterlist | null,
	needed_sges: unsigned_long,
	gfp_mask: gfp_t,
): scatterlist | err_ptr {
	let link: scatterlist | null = null;
	if (cur !== null) {
		link = sg_next(cur) as scatterlist;
		// An array's last entry takes data only when nothing more will come; else it must be free for the link.
		if (needed_sges === 1 || !sg_is_last(link)) return link;
	}

	const room = Math.min(needed_sges, SG_MAX_SINGLE_ALLOC);
	const chunk = sg_kmalloc(room, gfp_mask);
	if (chunk === null) return ERR_PTR(-ENOMEM);
	sg_init_table(chunk, room);
	if (link === null) {
		table.sgt.sgl = chunk;
		table.total_nents = room;
	} else {
		__sg_chain(link, chunk);
		table.total_nents += room - 1;
	}
	return chunk;
}

/** Whether @a follows @b in memory. */
function pages_are_mergeable(a: page, b: page): bool {
	return page_to_pfn(a) === page_to_pfn(b) + 1;
}

/** The index of the first page after @first that starts a new segment. */
function segment_end(
	pages: page[],
	first: unsigned_int,
	end: unsigned_int,
	max_segment: unsigned_int,
): unsigned_int {
	const most = Math.floor(max_segment / PAGE_SIZE);
	let i = first + 1;
	while (i < end && i - first < most && pages_are_mergeable(deref(deref(pages)[i]), deref(pages[i - 1]))) i++;
	return i;
}

/**
 * Append pages to a list; pages that follow each other in memory become one entry of at most @max_segment bytes.
 * @offset: where the data begins in the first page (first call only)
 * @size: bytes of data
 * @left_pages: pages that later calls will bring; 0 ends the list
 *
 * After an error the caller must sg_free_append_table(). Return: 0, -EINVAL, -ENOMEM.
 * Linux: lib/scatterlist.c: sg_alloc_append_table_from_pages()
 */
export function sg_alloc_append_table_from_pages(
	sgt_append: sg_append_table,
	pages: page[],
	n_pages: unsigned_int,
	offset: unsigned_int,
	size: unsigned_long,
	max_segment: unsigned_int,
	left_pages: unsigned_int,
	gfp_mask: gfp_t,
): int {
	const max_seg = max_segment - (max_segment % PAGE_SIZE);
	if (WARN_ON(max_seg < PAGE_SIZE)) return -EINVAL;

	const prv = sgt_append.prv;
	let s: scatterlist | null = prv;
	let prv_len: unsigned_int = 0;
	let cur_page: unsigned_int = 0;

	if (prv !== null) {
		if (WARN_ON(offset !== 0)) return -EINVAL;

		// What continues the last entry goes into it.
		prv_len = prv.length;
		let next_pfn = Math.floor((page_to_phys(sg_page(prv)) + prv.offset + prv.length) / PAGE_SIZE);
		while (cur_page < n_pages && page_to_pfn(pages[cur_page]) === next_pfn) {
			if (prv.length + PAGE_SIZE > max_seg) break;
			prv.length += PAGE_SIZE;
			next_pfn++;
			cur_page++;
		}
	}

	if (cur_page < n_pages || prv === null) {
		let chunks: unsigned_int = 0;
		for (let i = cur_page; i < n_pages; i = segment_end(pages, i, n_pages, max_seg)) chunks++;
		if (chunks === 0) chunks = 1;

		let left = size;
		let skip = offset;
		for (let i = 0; i < chunks; i++) {
			const end = segment_end(pages, cur_page, n_pages, max_seg);
			const needed: unsigned_int = chunks - i + left_pages;
			const entry = get_next_sg(sgt_append, s, needed, gfp_mask);
			if (IS_ERR(entry)) {
				if (prv !== null) prv.length = prv_len;
				return PTR_ERR(entry);
			}
			// 32 bits in C: an offset that lies behind the chunk wraps, and then limits nothing.
			const chunk_size = ((end - cur_page) * PAGE_SIZE - skip) >>> 0;
			sg_set_page(entry, deref(deref(pages)[cur_page]), Math.min(left, chunk_size), skip);
			// More pages than bytes: the count wraps in C, and then limits nothing.
			left = left >= chunk_size ? left - chunk_size : ULONG_MAX;
			skip = 0;
			cur_page = end;
			s = entry;
		}
		sgt_append.sgt.nents += chunks;
		sgt_append.sgt.orig_nents = sgt_append.sgt.nents;
		sgt_append.prv = s;
	}

	if (left_pages === 0) sg_mark_end(s as scatterlist);
	return 0;
}

/**
 * Make a table from @n_pages pages, entries of at most @max_segment bytes; free with sg_free_table().
 *
 * Return: 0, -EINVAL, -ENOMEM. Linux: lib/scatterlist.c: sg_alloc_table_from_pages_segment()
 */
export function sg_alloc_table_from_pages_segment(
	sgt: sg_table,
	pages: page[],
	n_pages: unsigned_int,
	offset: unsigned_int,
	size: unsigned_long,
	max_segment: unsigned_int,
	gfp_mask: gfp_t,
): int {
	const append = new sg_append_table();
	const err = sg_alloc_append_table_from_pages(
		append,
		pages,
		n_pages,
		offset,
		size,
		max_segment,
		0,
		gfp_mask,
	);
	if (err !== 0) {
		sg_free_append_table(append);
		return err;
	}
	deref(sgt).sgl = append.sgt.sgl;
	sgt.nents = append.sgt.nents;
	sgt.orig_nents = append.sgt.orig_nents;
	WARN_ON(append.total_nents !== sgt.orig_nents);
	return 0;
}

/** The same without a limit on the entries (include/linux/scatterlist.h: sg_alloc_table_from_pages()). */
export function sg_alloc_table_from_pages(
	sgt: sg_table,
	pages: page[],
	n_pages: unsigned_int,
	offset: unsigned_int,
	size: unsigned_long,
	gfp_mask: gfp_t,
): int {
	return sg_alloc_table_from_pages_segment(sgt, pages, n_pages, offset, size, UINT_MAX, gfp_mask);
}

/**
 * Make a list of @length bytes with pages of 1 << @order behind its entries.
 * @chainable: leave one more entry, for a link
 * @nent_p: takes the number of entries with pages, or null
 *
 * Linux: lib/scatterlist.c: sgl_alloc_order()
 */
export function sgl_alloc_order(
	length: u64,
	order: unsigned_int,
	chainable: bool,
	gfp: gfp_t,
	nent_p: ref<unsigned_int> | null,
): scatterlist | null {
	const piece = shl64(PAGE_SIZE, order);
	const nent: unsigned_int = Math.ceil(length / piece) >>> 0;
	// C computes the sum of the pieces in 32 bits: 4 GiB and more wrap, and are refused.
	if (length > shl64(nent, PAGE_SHIFT + order) >>> 0) return null;
	const nalloc = chainable ? nent + 1 : nent;
	const sgl = kmalloc_sg(nalloc, gfp & ~GFP_DMA);
	if (sgl === null) return null;

	sg_init_table(sgl, nalloc);
	let sg: scatterlist | null = sgl;
	let left = length;
	while (left > 0 && sg !== null) {
		const page = alloc_pages(gfp, order);
		if (page === null) {
			sgl_free_order(sgl, order);
			return null;
		}
		const elem_len = Math.min(left, piece) >>> 0;
		sg_set_page(sg, page, elem_len, 0);
		left -= elem_len;
		sg = sg_next(sg);
	}
	WARN_ONCE(left !== 0, 'length = %lld', left);
	if (nent_p !== null) nent_p.value = nent;
	return sgl;
}

/** The same with single pages (lib/scatterlist.c: sgl_alloc()). */
export function sgl_alloc(length: u64, gfp: gfp_t, nent_p: ref<unsigned_int> | null): scatterlist | null {
	return sgl_alloc_order(length, 0, false, gfp, nent_p);
}

/** Free at most @nents entries' pages, then the list (lib/scatterlist.c: sgl_free_n_order()). */
export function sgl_free_n_order(sgl: scatterlist, nents: int, order: int): void {
	let sg: scatterlist | null = sgl;
	for (let i = 0; i < nents && sg !== null; i++, sg = sg_next(sg)) {
		const page: page | null = sg_page(sg);
		if (page !== null) __free_pages(page, order);
	}
	kfree_sg(sgl);
}

/** Free what sgl_alloc_order() made (lib/scatterlist.c: sgl_free_order()). */
export function sgl_free_order(sgl: scatterlist, order: int): void {
	sgl_free_n_order(sgl, INT_MAX, order);
}

/** Free what sgl_alloc() made (lib/scatterlist.c: sgl_free()). */
export function sgl_free(sgl: scatterlist): void {
	sgl_free_order(sgl, 0);
}

/** Start a walk over pages, @pgoffset pages in (lib/scatterlist.c: __sg_page_iter_start()). */
export function __sg_page_iter_start(
	piter: sg_page_iter,
	sglist: scatterlist,
	nents: unsigned_int,
	pgoffset: unsigned_long,
): void {
	deref(piter).__pg_advance = 0;
	piter.__nents = nents;
	piter.sg = sglist;
	piter.sg_pgoffset = pgoffset;
}

function sg_page_count(sg: scatterlist): unsigned_int {
	return Math.ceil((sg.offset + sg.length) / PAGE_SIZE);
}

function sg_dma_page_count(sg: scatterlist): unsigned_int {
	return Math.ceil((sg.offset + sg.dma_length) / PAGE_SIZE);
}

/** One page further; @count says how many pages an entry has. */
function page_iter_advance(piter: sg_page_iter, count: (sg: scatterlist) => unsigned_int): bool {
	if (deref(piter).__nents === 0 || piter.sg === null) return false;

	piter.sg_pgoffset += piter.__pg_advance;
	piter.__pg_advance = 1;
	for (let pages = count(piter.sg); piter.sg_pgoffset >= pages; pages = count(piter.sg)) {
		piter.sg_pgoffset -= pages;
		piter.sg = sg_next(piter.sg);
		if (--piter.__nents === 0 || piter.sg === null) return false;
	}
	return true;
}

/** Move to the next page; false at the end (lib/scatterlist.c: __sg_page_iter_next()). */
export function __sg_page_iter_next(piter: sg_page_iter): bool {
	return page_iter_advance(piter, sg_page_count);
}

/** Move to the next page of DMA addresses (lib/scatterlist.c: __sg_page_iter_dma_next()). */
export function __sg_page_iter_dma_next(dma_iter: sg_dma_page_iter): bool {
	return page_iter_advance(deref(dma_iter).base, sg_dma_page_count);
}

/** The page of a walk (include/linux/scatterlist.h: sg_page_iter_page()). */
export function sg_page_iter_page(piter: sg_page_iter): page {
	return nth_page(sg_page(deref(piter.sg)), piter.sg_pgoffset);
}

/** The DMA address of a walk (include/linux/scatterlist.h: sg_page_iter_dma_address()). */
export function sg_page_iter_dma_address(dma_iter: sg_dma_page_iter): dma_addr_t {
	const piter = dma_iter.base;
	return deref(piter.sg).dma_address + piter.sg_pgoffset * PAGE_SIZE;
}

/** Each page of a list; read it with sg_page_iter_page() (include/linux/scatterlist.h: for_each_sg_page()). */
export function* for_each_sg_page(
	sglist: scatterlist,
	nents: unsigned_int,
	pgoffset: unsigned_long,
): Iterable<sg_page_iter> {
	const piter = new sg_page_iter();
	__sg_page_iter_start(piter, sglist, nents, pgoffset);
	while (__sg_page_iter_next(piter)) yield piter;
}

/** Each page of DMA addresses (include/linux/scatterlist.h: for_each_sg_dma_page()). */
export function* for_each_sg_dma_page(
	sglist: scatterlist,
	dma_nents: unsigned_int,
	pgoffset: unsigned_long,
): Iterable<sg_dma_page_iter> {
	const dma_iter = new sg_dma_page_iter();
	__sg_page_iter_start(dma_iter.base, sglist, dma_nents, pgoffset);
	while (__sg_page_iter_dma_next(dma_iter)) yield dma_iter;
}

/** Each page of a table (include/linux/scatterlist.h: for_each_sgtable_page()). */
export function for_each_sgtable_page(sgt: sg_table, pgoffset: unsigned_long): Iterable<sg_page_iter> {
	return for_each_sg_page(deref(deref(sgt).sgl), sgt.orig_nents, pgoffset);
}

/** Each page of DMA addresses of a table (include/linux/scatterlist.h: for_each_sgtable_dma_page()). */
export function for_each_sgtable_dma_page(
	sgt: sg_table,
	pgoffset: unsigned_long,
): Iterable<sg_dma_page_iter> {
	return for_each_sg_dma_page(deref(deref(sgt).sgl), sgt.nents, pgoffset);
}

/** Start a mapping walk; @flags must say which way the bytes go (lib/scatterlist.c: sg_miter_start()). */
export function sg_miter_start(
	miter: sg_mapping_iter,
	sgl: scatterlist,
	nents: unsigned_int,
	flags: unsigned_int,
): void {
	deref(miter).page = null;
	miter.addr = null;
	miter.length = 0;
	miter.consumed = 0;
	miter.__offset = 0;
	miter.__remaining = 0;
	__sg_page_iter_start(miter.piter, sgl, nents, 0);
	WARN_ON((flags & (SG_MITER_TO_SG | SG_MITER_FROM_SG)) === 0);
	miter.__flags = flags;
}

/** Make sure that something of the current page is left, or go to the next. */
function sg_miter_get_next_page(miter: sg_mapping_iter): bool {
	if (miter.__remaining !== 0) return true;

	const piter = miter.piter;
	if (!__sg_page_iter_next(piter)) return false;

	// An entry's offset may skip whole pages; later pages begin at 0.
	const sg = piter.sg as scatterlist;
	const start = piter.sg_pgoffset !== 0 ? 0 : sg.offset;
	piter.sg_pgoffset += start >>> PAGE_SHIFT;
	miter.__offset = start % PAGE_SIZE;
	const end: unsigned_int = sg.offset + sg.length;
	const left = end - piter.sg_pgoffset * PAGE_SIZE - miter.__offset;
	miter.__remaining = Math.min(left, PAGE_SIZE - miter.__offset);
	return true;
}

/** Move @offset bytes on, stopping the walk; false past the end (lib/scatterlist.c: sg_miter_skip()). */
export function sg_miter_skip(miter: sg_mapping_iter, offset: loff_t): bool {
	sg_miter_stop(miter);
	for (let left: size_t = offset; left !== 0; ) {
		if (!sg_miter_get_next_page(miter)) return false;
		const step = Math.min(left, miter.__remaining);
		miter.__offset += step;
		miter.__remaining -= step;
		left -= step;
	}
	return true;
}

/**
 * Map the next piece, at most to the end of its page; false at the end.
 * Context: may sleep without SG_MITER_ATOMIC; with it the caller may not sleep until sg_miter_stop().
 *
 * Linux: lib/scatterlist.c: sg_miter_next()
 */
export function sg_miter_next(miter: sg_mapping_iter): bool {
	sg_miter_stop(miter);
	if (!sg_miter_get_next_page(miter)) return false;

	// What kmap_atomic() and kmap() ask of the caller holds here too, though every page has its address already.
	if (miter.__flags & SG_MITER_ATOMIC) preempt_disable();
	else might_sleep();
	const page = sg_page_iter_page(miter.piter);
	miter.page = page;
	miter.length = miter.__remaining;
	miter.consumed = miter.__remaining;
	miter.addr = phys_to_virt(page_to_phys(page) + miter.__offset, miter.length);
	return true;
}

/** End the current piece; sg_miter_next() goes on after what was consumed (lib/scatterlist.c: sg_miter_stop()). */
export function sg_miter_stop(miter: sg_mapping_iter): void {
	WARN_ON(deref(miter).consumed > miter.length);
	if (miter.addr === null) return;
	miter.__offset += miter.consumed;
	miter.__remaining -= miter.consumed;
	if (miter.__flags & SG_MITER_ATOMIC) preempt_enable();
	miter.page = null;
	miter.addr = null;
	miter.length = 0;
	miter.consumed = 0;
}

/**
 * Copy between a list and a buffer, @skip bytes into the list.
 * @to_buffer: from the list to the buffer, else the other way
 *
 * Return: the bytes copied. Linux: lib/scatterlist.c: sg_copy_buffer()
 */
export function sg_copy_buffer(
	sgl: scatterlist,
	nents: unsigned_int,
	buf: void_ptr,
	buflen: size_t,
	skip: loff_t,
	to_buffer: bool,
): size_t {
	// C goes on behind the end of the buffer.
	const room = view_room(deref(buf), buflen);
	const whole = WARN_ON(buflen > room) ? room : buflen;
	const miter = new sg_mapping_iter();
	sg_miter_start(miter, sgl, nents, SG_MITER_ATOMIC | (to_buffer ? SG_MITER_FROM_SG : SG_MITER_TO_SG));
	if (!sg_miter_skip(miter, skip)) return 0;

	let offset: size_t = 0;
	while (offset < whole && sg_miter_next(miter)) {
		const len = Math.min(miter.length, whole - offset);
		const addr = miter.addr as void_ptr;
		if (to_buffer) memcpy(buf.subarray(offset), addr, len);
		else memcpy(addr, buf.subarray(offset), len);
		offset += len;
	}
	sg_miter_stop(miter);
	return offset;
}

/** Copy a buffer into a list (lib/scatterlist.c: sg_copy_from_buffer()). */
export function sg_copy_from_buffer(
	sgl: scatterlist,
	nents: unsigned_int,
	buf: void_ptr,
	buflen: size_t,
): size_t {
	return sg_copy_buffer(sgl, nents, buf, buflen, 0, false);
}

/** Copy a list into a buffer (lib/scatterlist.c: sg_copy_to_buffer()). */
export function sg_copy_to_buffer(
	sgl: scatterlist,
	nents: unsigned_int,
	buf: void_ptr,
	buflen: size_t,
): size_t {
	return sg_copy_buffer(sgl, nents, buf, buflen, 0, true);
}

/** Copy a buffer into a list, @skip bytes in (lib/scatterlist.c: sg_pcopy_from_buffer()). */
export function sg_pcopy_from_buffer(
	sgl: scatterlist,
	nents: unsigned_int,
	buf: void_ptr,
	buflen: size_t,
	skip: loff_t,
): size_t {
	return sg_copy_buffer(sgl, nents, buf, buflen, skip, false);
}

/** Copy a list into a buffer, from @skip bytes on (lib/scatterlist.c: sg_pcopy_to_buffer()). */
export function sg_pcopy_to_buffer(
	sgl: scatterlist,
	nents: unsigned_int,
	buf: void_ptr,
	buflen: size_t,
	skip: loff_t,
): size_t {
	return sg_copy_buffer(sgl, nents, buf, buflen, skip, true);
}

/** Clear @buflen bytes of a list, @skip bytes in; the bytes cleared (lib/scatterlist.c: sg_zero_buffer()). */
export function sg_zero_buffer(sgl: scatterlist, nents: unsigned_int, buflen: size_t, skip: loff_t): size_t {
	const miter = new sg_mapping_iter();
	sg_miter_start(miter, sgl, nents, SG_MITER_ATOMIC | SG_MITER_TO_SG);
	if (!sg_miter_skip(miter, skip)) return 0;

	let offset: size_t = 0;
	while (offset < buflen && sg_miter_next(miter)) {
		const len = Math.min(miter.length, buflen - offset);
		memset(miter.addr as void_ptr, 0, len);
		offset += len;
	}
	sg_miter_stop(miter);
	return offset;
}
