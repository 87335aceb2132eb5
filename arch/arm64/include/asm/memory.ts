// SPDX-License-Identifier: GPL-2.0-only
// Addresses of memory: virtual (a view), physical, page frame, struct page.
// Linux 6.12: arch/arm64/include/asm/memory.h and include/asm-generic/memory_model.h
// Left out: kernel image and fixmap addresses, tagged pointers.

import { machine } from '#arch/arm64/kernel/setup.js';
import { PAGE_SIZE } from '#asm/page-def.js';
import { BUG, WARN } from '#linux/bug.js';
import { boot_data } from '#linux/init.js';
import { page } from '#linux/mm_types.js';
import type { bool, phys_addr_t, s64, size_t, unsigned_int, unsigned_long, void_ptr } from '#linux/types.js';

export const MT_NORMAL = 0;
export const MT_NORMAL_TAGGED = 1;
export const MT_NORMAL_NC = 2;
export const MT_DEVICE_nGnRnE = 3;
export const MT_DEVICE_nGnRE = 4;

/** 4 MiB of page frames to a section of vmemmap, as RAM comes in blocks of that size. */
const SECTION_PAGES = 1024;
const SECTION_BYTES = SECTION_PAGES * PAGE_SIZE;

/** The physical address that the linear map starts at; arm64_memblock_init() sets it. */
export const memstart = boot_data(() => ({ addr: -1 as s64 }));

/** Sections to a root (include/linux/mmzone.h: SECTIONS_PER_ROOT, with SPARSEMEM_EXTREME). */
const SECTIONS_PER_ROOT = 4096;

type mem_section = (page | undefined)[];

/** vmemmap: the struct pages by root and section; none of the three is there until someone asks for it. */
const vmemmap = boot_data(() => ({
	roots: [] as ((mem_section | undefined)[] | undefined)[],
	/** memmap_init()'s part for one page: zone, reserved or not. */
	init_page: null as ((p: page) => void) | null,
}));

/** Have @init look at each struct page as it is made; mm/mm_init.ts does, once the zones are known. */
export function set_memmap_init(init: (p: page) => void): void {
	vmemmap.init_page = init;
}

/** Make @table longer, without holes, so that it has an entry @index. */
function reach<T>(table: (T | undefined)[], index: unsigned_long): void {
	while (table.length <= index) table.push(undefined);
}

/** The struct page of frame @pfn; the caller knows that the frame exists (asm-generic/memory_model.h: pfn_to_page()). */
export function pfn_to_page(pfn: unsigned_long): page {
	const nr = Math.floor(pfn / SECTION_PAGES);
	const root_nr = Math.floor(nr / SECTIONS_PER_ROOT);
	let root = vmemmap.roots[root_nr];
	if (root === undefined) {
		reach(vmemmap.roots, root_nr);
		root = [];
		vmemmap.roots[root_nr] = root;
	}
	let section = root[nr % SECTIONS_PER_ROOT];
	if (section === undefined) {
		// Most sections hold one page, the head of a free block: an empty array grows with what it gets.
		reach(root, nr % SECTIONS_PER_ROOT);
		section = [];
		root[nr % SECTIONS_PER_ROOT] = section;
	}
	const index = pfn % SECTION_PAGES;
	let p = section[index];
	if (p === undefined) {
		p = new page(pfn);
		section[index] = p;
		vmemmap.init_page?.(p);
	}
	return p;
}

/** The struct page of frame @pfn when one was ever made, else null: a page nobody asked for is all zeroes. */
export function pfn_to_page_if_made(pfn: unsigned_long): page | null {
	const nr = Math.floor(pfn / SECTION_PAGES);
	const root = vmemmap.roots[Math.floor(nr / SECTIONS_PER_ROOT)];
	return root?.[nr % SECTIONS_PER_ROOT]?.[pfn % SECTION_PAGES] ?? null;
}

/** The frame of @p (asm-generic/memory_model.h: page_to_pfn()). */
export function page_to_pfn(p: page): unsigned_long {
	return p.pfn;
}

/** The physical address of @p (asm-generic/memory_model.h: page_to_phys()). */
export function page_to_phys(p: page): phys_addr_t {
	return p.pfn * PAGE_SIZE;
}

/** The struct page that @phys is in (arch/arm64/include/asm/memory.h: phys_to_page()). */
export function phys_to_page(phys: phys_addr_t): page {
	return pfn_to_page(Math.floor(phys / PAGE_SIZE));
}

/** Whether frame @pfn is RAM and so has a struct page (include/linux/mmzone.h: pfn_valid()). */
export function pfn_valid(pfn: unsigned_long): bool {
	return pfn >= 0 && machine.memory.is_ram(pfn * PAGE_SIZE, PAGE_SIZE);
}

/** @p + @n, as C's pointer arithmetic on struct pages does it (include/linux/mm.h: nth_page()). */
export function nth_page(p: page, n: unsigned_long): page {
	return n === 0 ? p : pfn_to_page(p.pfn + n);
}

/**
 * The physical address of the first byte of @x; -1 when it is no address of RAM.
 * A vmap()ed address is answered too, where C's linear-map arithmetic would give nonsense.
 */
export function virt_to_phys(x: ArrayBufferView): phys_addr_t {
	return machine.memory.phys_of(x);
}

/**
 * The linear-map address of @phys. The pointer reaches @size bytes, or when that is left out as far as
 * the piece of RAM that @phys lies in; C's pointer reaches everything.
 */
export function phys_to_virt(phys: phys_addr_t, size: size_t = 0): void_ptr {
	return machine.memory.linear(phys, size) ?? no_such_view(phys, size);
}

/** phys_to_virt() for a pointer to @count words: `u32 *p = phys_to_virt(phys)` in C. */
export function phys_to_virt_words(phys: phys_addr_t, count: unsigned_int): Uint32Array {
	return machine.memory.linear_words(phys, count) ?? no_such_view(phys, count * 4);
}

// C would fault at the first access; a view that cannot exist is the same mistake seen one step earlier.
function no_such_view(phys: phys_addr_t, size: size_t): never {
	WARN(true, 'phys_to_virt: %pa+%#zx is not one piece of RAM', phys, size);
	BUG();
}

/** The struct page that a linear-map address lies in (asm/memory.h: virt_to_page()). */
export function virt_to_page(x: ArrayBufferView): page {
	return pfn_to_page(Math.floor(machine.memory.phys_of(x) / PAGE_SIZE));
}

/** The page frame that a linear-map address is in (arch/arm64/include/asm/memory.h: virt_to_pfn()). */
export function virt_to_pfn(x: ArrayBufferView): unsigned_long {
	return Math.floor(machine.memory.phys_of(x) / PAGE_SIZE);
}

/** The linear-map address of @p; reaches @size bytes, one page when left out (asm/memory.h: page_to_virt()). */
export function page_to_virt(p: page, size: size_t = PAGE_SIZE): void_ptr {
	return phys_to_virt(p.pfn * PAGE_SIZE, size);
}

/** Whether @x is a linear-map address (asm/memory.h: virt_addr_valid()). */
export function virt_addr_valid(x: ArrayBufferView): bool {
	return machine.memory.phys_of(x) >= 0 && !machine.memory.is_vmap(x);
}

export { SECTION_BYTES };

/** Each struct page that was ever made, rising by frame. */
export function* for_each_made_page(): Iterable<page> {
	for (const root of vmemmap.roots)
		for (const section of root ?? []) for (const p of section ?? []) if (p !== undefined) yield p;
}
