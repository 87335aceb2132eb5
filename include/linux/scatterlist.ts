// SPDX-License-Identifier: GPL-2.0-only
// Scatterlists: lists of memory pieces, in arrays that can be chained.
// Linux 6.12: include/linux/scatterlist.h
//
// `struct scatterlist *sg` is an entry object; what lies behind it in memory (sg[i] in C) is sg_at(sg, i).
// An array is sg_array(n) on the stack or in a struct, kmalloc_sg(n, gfp) from the heap.
// The two low bits of C's page_link are the field `link_flags`.
//
// for_each_sg() and its relatives need sg_next() and stand beside it in lib/scatterlist.ts.
import { deref } from '#arch/arm64/mm/fault.js';
import { page_to_phys, phys_to_virt, virt_to_page, virt_to_phys } from '#asm/memory.js';
import { PAGE_SIZE } from '#asm/page-def.js';
import { BUG_ON } from '#linux/bug.js';
import type { page } from '#linux/mm_types.js';
import { kcalloc, kfree } from '#linux/slab.js';
import type { bool, dma_addr_t, gfp_t, int, phys_addr_t, unsigned_int, void_ptr } from '#linux/types.js';

/** In link_flags: the entry is no piece but leads to the next array. */
export const SG_CHAIN = 0x01;
/** In link_flags: the last entry of the list. */
export const SG_END = 0x02;
export const SG_PAGE_LINK_MASK = SG_CHAIN | SG_END;

/** In dma_flags: the address is one of the bus, nothing was mapped. */
export const SG_DMA_BUS_ADDRESS = 1 << 0;
/** In dma_flags: the entry went through a bounce buffer. */
export const SG_DMA_SWIOTLB = 1 << 1;

/** One piece of memory, and where a device sees it (include/linux/scatterlist.h: struct scatterlist). */
export class scatterlist {
	/** The entry's first page, or the array it leads to when SG_CHAIN is set. */
	page_link: page | scatterlist | null = null;
	link_flags: unsigned_int = 0;
	/** From the start of the page; may exceed a page. */
	offset: unsigned_int = 0;
	length: unsigned_int = 0;
	dma_address: dma_addr_t = 0;
	dma_length: unsigned_int = 0;
	dma_flags: unsigned_int = 0;
	/** The array that the entry is part of; null when it stands alone. */
	vec: scatterlist[] | null = null;
	/** The entry's index in it. */
	slot: int = 0;
}

/** sizeof(struct scatterlist) on arm64. */
export const SIZEOF_SCATTERLIST = 32;
/** The most entries in one piece of an sg_table: as many as a page holds. */
export const SG_MAX_SINGLE_ALLOC = PAGE_SIZE / SIZEOF_SCATTERLIST;
/** The most entries in one piece of a chained (pooled) table. */
export const SG_CHUNK_SIZE = 128;
export const SG_MAX_SEGMENTS = 2048;

/** A list and its length, before and after mapping (include/linux/scatterlist.h: struct sg_table). */
export class sg_table {
	sgl: scatterlist | null = null;
	/** Mapped entries. */
	nents: unsigned_int = 0;
	/** Entries in the list. */
	orig_nents: unsigned_int = 0;
}

/** A table that grows (include/linux/scatterlist.h: struct sg_append_table). */
export class sg_append_table {
	readonly sgt = new sg_table();
	/** The last entry that is filled. */
	prv: scatterlist | null = null;
	/** Entries allocated. */
	total_nents: unsigned_int = 0;
}

export type sg_alloc_fn = (nents: unsigned_int, gfp: gfp_t) => scatterlist | null;
export type sg_free_fn = (sgl: scatterlist, nents: unsigned_int) => void;

/** Tie the entries of @vec together as one array; its first entry. */
export function sg_bind_array(vec: scatterlist[]): scatterlist {
	for (let i = 0; i < vec.length; i++) {
		vec[i].vec = vec;
		vec[i].slot = i;
	}
	return vec[0];
}

/** `struct scatterlist sgl[n]`: an array that is part of its surroundings; the first entry. */
export function sg_array(n: unsigned_int): scatterlist {
	const vec: scatterlist[] = [];
	for (let i = 0; i < n; i++) vec.push(new scatterlist());
	return sg_bind_array(vec);
}

/** kmalloc_array(n, sizeof(struct scatterlist), gfp): the first entry, or null. */
export function kmalloc_sg(n: unsigned_int, gfp: gfp_t): scatterlist | null {
	const vec = kcalloc(n, scatterlist, gfp);
	return vec === null ? null : sg_bind_array(vec);
}

/** kfree() of what kmalloc_sg() answered. */
export function kfree_sg(sgl: scatterlist | null): void {
	if (sgl !== null) kfree(sgl.vec);
}

/** C's `sgl[i]`: the entry @i places behind @sgl in the same array. */
export function sg_at(sgl: scatterlist, i: int): scatterlist {
	if (i === 0) return sgl;
	const { vec, slot } = deref(sgl);
	const sg = vec === null ? undefined : vec[slot + i];
	BUG_ON(sg === undefined);
	return sg as scatterlist;
}

/** C's `sgl[i] = …` and `*a = *b`: copy all that @from says; the place in the array stays @to's. */
export function sg_assign(to: scatterlist, from: scatterlist): void {
	to.page_link = from.page_link;
	to.link_flags = from.link_flags;
	to.offset = from.offset;
	to.length = from.length;
	to.dma_address = from.dma_address;
	to.dma_length = from.dma_length;
	to.dma_flags = from.dma_flags;
}

/** memset() of @nents entries: all of each is 0; the places in the array stay. */
export function sg_zero(sgl: scatterlist, nents: unsigned_int): void {
	for (let i = 0; i < nents; i++) {
		const sg = sg_at(deref(sgl), i);
		sg.page_link = null;
		sg.link_flags = 0;
		sg.offset = 0;
		sg.length = 0;
		sg.dma_address = 0;
		sg.dma_length = 0;
		sg.dma_flags = 0;
	}
}

/** sg_dma_address(sg) = @addr: in C the getter is assigned to. */
export function sg_dma_address(sg: scatterlist): dma_addr_t {
	return sg.dma_address;
}

/** The mapped length of an entry (include/linux/scatterlist.h: sg_dma_len()). */
export function sg_dma_len(sg: scatterlist): unsigned_int {
	return sg.dma_length;
}

/** The marks of @sg: SG_CHAIN, SG_END (include/linux/scatterlist.h: __sg_flags()). */
export function __sg_flags(sg: scatterlist): unsigned_int {
	return sg.link_flags;
}

/** The array a chain entry leads to (include/linux/scatterlist.h: sg_chain_ptr()). */
export function sg_chain_ptr(sg: scatterlist): scatterlist {
	return sg.page_link as scatterlist;
}

/** Whether @sg leads to another array (include/linux/scatterlist.h: sg_is_chain()). */
export function sg_is_chain(sg: scatterlist): bool {
	return (sg.link_flags & SG_CHAIN) !== 0;
}

/** Whether @sg ends its list (include/linux/scatterlist.h: sg_is_last()). */
export function sg_is_last(sg: scatterlist): bool {
	return (sg.link_flags & SG_END) !== 0;
}

/** Set the page only; the end mark stays (include/linux/scatterlist.h: sg_assign_page()). */
export function sg_assign_page(sg: scatterlist, page: page | null): void {
	sg.page_link = page;
}

/** Point @sg at @len bytes from @offset in @page (include/linux/scatterlist.h: sg_set_page()). */
export function sg_set_page(
	sg: scatterlist,
	page: page | null,
	len: unsigned_int,
	offset: unsigned_int,
): void {
	sg.page_link = page;
	sg.offset = offset;
	sg.length = len;
}

/** The first page of @sg; not for a chain entry (include/linux/scatterlist.h: sg_page()). */
export function sg_page(sg: scatterlist): page {
	return deref(sg).page_link as page;
}

/** Point @sg at kernel memory (include/linux/scatterlist.h: sg_set_buf()). */
export function sg_set_buf(sg: scatterlist, buf: void_ptr, buflen: unsigned_int): void {
	sg_set_page(sg, virt_to_page(buf), buflen, virt_to_phys(buf) % PAGE_SIZE);
}

/** Make @chain_sg lead to @sgl (include/linux/scatterlist.h: __sg_chain()). */
export function __sg_chain(chain_sg: scatterlist, sgl: scatterlist): void {
	chain_sg.offset = 0;
	chain_sg.length = 0;
	chain_sg.page_link = sgl;
	chain_sg.link_flags = SG_CHAIN;
}

/** Give up the last of @prv's @prv_nents entries to lead to @sgl (include/linux/scatterlist.h: sg_chain()). */
export function sg_chain(prv: scatterlist, prv_nents: unsigned_int, sgl: scatterlist): void {
	__sg_chain(sg_at(prv, prv_nents - 1), sgl);
}

/** Make @sg the last entry (include/linux/scatterlist.h: sg_mark_end()). */
export function sg_mark_end(sg: scatterlist): void {
	sg.link_flags = SG_END;
}

/** @sg is no longer the last entry (include/linux/scatterlist.h: sg_unmark_end()). */
export function sg_unmark_end(sg: scatterlist): void {
	sg.link_flags &= ~SG_END;
}

/** Whether the DMA address is a bus address, which is not to be unmapped (include/linux/scatterlist.h: sg_dma_is_bus_address()). */
export function sg_dma_is_bus_address(sg: scatterlist): bool {
	return (sg.dma_flags & SG_DMA_BUS_ADDRESS) !== 0;
}

/** The DMA address is a bus address (include/linux/scatterlist.h: sg_dma_mark_bus_address()). */
export function sg_dma_mark_bus_address(sg: scatterlist): void {
	sg.dma_flags |= SG_DMA_BUS_ADDRESS;
}

/** The DMA address is no bus address (include/linux/scatterlist.h: sg_dma_unmark_bus_address()). */
export function sg_dma_unmark_bus_address(sg: scatterlist): void {
	sg.dma_flags &= ~SG_DMA_BUS_ADDRESS;
}

/** Whether the entry is bounced (include/linux/scatterlist.h: sg_dma_is_swiotlb()). */
export function sg_dma_is_swiotlb(sg: scatterlist): bool {
	return (deref(sg).dma_flags & SG_DMA_SWIOTLB) !== 0;
}

/** The entry is bounced (include/linux/scatterlist.h: sg_dma_mark_swiotlb()). */
export function sg_dma_mark_swiotlb(sg: scatterlist): void {
	sg.dma_flags |= SG_DMA_SWIOTLB;
}

/** The physical address of @sg's first byte (include/linux/scatterlist.h: sg_phys()). */
export function sg_phys(sg: scatterlist): phys_addr_t {
	return page_to_phys(sg_page(sg)) + sg.offset;
}

/** @sg's first byte in the linear map (include/linux/scatterlist.h: sg_virt()). */
export function sg_virt(sg: scatterlist): void_ptr {
	return phys_to_virt(sg_phys(sg));
}

/** Mark the end of a table of @nents entries (include/linux/scatterlist.h: sg_init_marker()). */
export function sg_init_marker(sgl: scatterlist, nents: unsigned_int): void {
	sg_mark_end(sg_at(sgl, nents - 1));
}

/** A walk over the pages of a list (include/linux/scatterlist.h: struct sg_page_iter). */
export class sg_page_iter {
	sg: scatterlist | null = null;
	/** The current page, counted from @sg's first. */
	sg_pgoffset: unsigned_int = 0;
	__nents: unsigned_int = 0;
	__pg_advance: int = 0;
}

/** The same over the pages of the DMA addresses (include/linux/scatterlist.h: struct sg_dma_page_iter). */
export class sg_dma_page_iter {
	readonly base = new sg_page_iter();
}

export const SG_MITER_ATOMIC = 1 << 0;
export const SG_MITER_TO_SG = 1 << 1;
export const SG_MITER_FROM_SG = 1 << 2;

/** A walk that maps each piece in turn (include/linux/scatterlist.h: struct sg_mapping_iter). */
export class sg_mapping_iter {
	page: page | null = null;
	/** The piece as the CPU sees it; null between stop and next. */
	addr: void_ptr | null = null;
	length: unsigned_int = 0;
	/** How much of it was used; the caller may lower it. */
	consumed: unsigned_int = 0;
	readonly piter = new sg_page_iter();
	__offset: unsigned_int = 0;
	__remaining: unsigned_int = 0;
	__flags: unsigned_int = 0;
}
