// SPDX-License-Identifier: GPL-2.0-only
// struct page, and a user's mapping of memory.
// Linux 6.12: include/linux/mm_types.h
// Left out: the page cache, address spaces, and all of mm_struct (a user program here has no page tables: the
// frames of its mapping stand in the vm_area_struct).
import type { file } from '#linux/fs.js';
import { list_head } from '#linux/list.js';
import type { atomic_t, pgprot_t, unsigned_int, unsigned_long, void_ptr } from '#linux/types.js';

/** One page frame. C knows the frame by the struct's place in vmemmap; here the struct carries it. */
export class page {
	readonly pfn: unsigned_long;
	/** PG_… bits; the zone in the bits that page_zonenum() reads. */
	flags: unsigned_long = 0;
	/** Links free blocks; free for the owner of an allocated page. */
	lru: list_head<page> = new list_head<page>(this);
	/** The owner's; in a free block (PageBuddy) its order. */
	private: unsigned_long = 0;
	/** The owner's pointer (C: page->mapping, or slab_cache in the struct slab laid over it). */
	owner: object | null = null;
	/** Set in tail pages of a compound page. */
	compound_head: page | null = null;
	/** In the head of a compound page: its order. */
	compound_order: unsigned_int = 0;
	page_type: unsigned_int = 0xffff_ffff;
	_refcount: atomic_t = { counter: 0 };
	/** Who allocated it, for leak reports; null while free (C: page_owner's page_ext). */
	alloc_site: object | null = null;
	/** How many mappings dma-debug knows that have a part of the page. */
	dma_mapped: unsigned_int = 0;
	constructor(pfn: unsigned_long) {
		this.pfn = pfn;
	}
}

export interface vm_operations_struct {
	open?: (area: vm_area_struct) => void;
	close?: (area: vm_area_struct) => void;
}

/** A range of a user program's addresses that shows some object. */
export class vm_area_struct {
	/** Links the mappings of the program in the order of their addresses (C: the tree mm->mm_mt). */
	readonly mm_mt: list_head<vm_area_struct> = new list_head<vm_area_struct>(this);
	vm_start: unsigned_long = 0;
	vm_end: unsigned_long = 0;
	/** Offset in the object, in pages. */
	vm_pgoff: unsigned_long = 0;
	vm_flags: unsigned_long = 0;
	vm_page_prot: pgprot_t = 0;
	vm_ops: vm_operations_struct | null = null;
	vm_file: file | null = null;
	vm_private_data: object | null = null;
	/** The frame behind each page, filled by remap_pfn_range() and friends; -1 where nothing is mapped yet. */
	ptes: Float64Array | null = null;
	/** The protection that the frames were mapped with. */
	pte_prot: pgprot_t = 0;
	/** What the program sees, while it looks (mm/memory.ts: vma_user_view()). */
	user_view: void_ptr | null = null;
	/** What vmap() of the machine made for it. */
	user_vmap: void_ptr | null = null;
}
