// SPDX-License-Identifier: GPL-2.0-only
// Addresses of memory: virtual (a view), physical, page frame, struct page.
// Linux 6.12: arch/arm64/include/asm/memory.h and include/asm-generic/memory_model.h
// Left out: kernel image and fixmap addresses, tagged pointers.

import { machine } from '#arch/arm64/kernel/setup.js';
import { die_paging_request } from '#arch/arm64/mm/fault.js';
import { PAGE_SIZE } from '#asm/page-def.js';
import { boot_data } from '#linux/init.js';
import { dev_pagemap } from '#linux/memremap.js';
import { page } from '#linux/mm_types.js';
import type { bool, phys_addr_t, s64, size_t, unsigned_int, unsigned_long, void_ptr } from '#linux/types.js';

export const MT_NORMAL = 0;
export const MT_NORMAL_TAGGED = 1;
export const MT_NORMAL_NC = 2;
export const MT_DEVICE_nGnRnE = 3;
export const MT_DEVICE_nGnRE = 4;

/** 4 MiB of page frames to a section of vmemmap, as RAM comes in blocks of that size. */
const SECTION_BYTES = 2 ** 22;
const SECTION_PAGES = SECTION_BYTES / PAGE_SIZE;

/** The physical address that the linear map starts at; arm64_memblock_init() sets it. */
export const memstart = boot_data(() => ({ addr: -1 as s64 }));

/** Where the linear map has nothing: its memory was declared no-map, or is none of the kernel's. */
interface linear_range {
	readonly base: phys_addr_t;
	readonly size: phys_addr_t;
}

/** What the linear map covers; null while it is being found out. paging_init() sets it. */
const linear_map = boot_data(() => ({
	ranges: null as readonly linear_range[] | null,
	/** The one that was asked for last: it is mostly asked for again. */
	last: null as linear_range | null,
}));

/** Sections to a root (include/linux/mmzone.h: SECTIONS_PER_ROOT, with SPARSEMEM_EXTREME). */
const SECTIONS_PER_ROOT = 4096;

type mem_section = (page | undefined)[];

/** vmemmap: the struct pages by root and section; none of the three is there until someone asks for it. */
const vmemmap = boot_data(() => ({
	roots: [] as ((mem_section | undefined)[] | undefined)[],
	/** memmap_init()'s part for one page: zone, reserved or not. */
	init_page: null as ((p: page) => void) | null,
}));

/** Have the linear map cover @ranges, and nothing else. */
export function set_linear_map(ranges: readonly linear_range[]): void {
	linear_map.ranges = ranges;
	linear_map.last = null;
}

/** The first byte of [@phys, @phys + @size) that has no address in the linear map; -1 when all have one. */
export function linear_map_hole(phys: phys_addr_t, size: size_t): phys_addr_t {
	const { ranges, last } = linear_map;
	const end = phys + Math.max(size, 1);
	if (ranges === null) return -1;
	if (last !== null && phys >= last.base && end <= last.base + last.size) return -1;

	let at = phys;
	for (const r of ranges) {
		if (at < r.base || at >= r.base + r.size) continue;
		linear_map.last = r;
		at = r.base + r.size;
		if (at >= end) return -1;
	}
	// A device's memory that has pages got its place there with them.
	while (pfn_to_page_if_made(Math.floor(at / PAGE_SIZE))?.owner instanceof dev_pagemap) {
		at += PAGE_SIZE - (at % PAGE_SIZE);
		if (at >= end) return -1;
	}
	return at;
}

/** What C makes of @phys in the linear map, mapped or not: 16 digits (asm/memory.h: __phys_to_virt()). */
export function linear_address(phys: phys_addr_t): string {
	const va_bits = 2 ** 48;
	const offset = (((phys - memstart.addr) % va_bits) + va_bits) % va_bits;
	return `ffff${offset.toString(16).padStart(12, '0')}`;
}

/** Have @init look at each struct page as it is made; mm/mm_init.ts does, once the zones are known. */
export function set_memmap_init(init: (p: page) => void): void {
	vmemmap.init_page = init;
}

/** Make @table longer, without holes, so that it has an entry @index. */
function reach<T>(table: (T | undefined)[], index: unsigned_long): void {
	while (table.length <= index) table.push(undefined);
}

/** The sections that vmemmap has room for: physical addresses of 48 bits. */
const MAX_SECTIONS = 2 ** 48 / SECTION_BYTES;

/**
 * The struct page of frame @pfn; the caller knows that the frame exists (asm-generic/memory_model.h: pfn_to_page()).
 * In C it is arithmetic, and any number gives an address: of a frame that cannot be, this is a page that nobody else has.
 */
export function pfn_to_page(pfn: unsigned_long): page {
	const nr = Math.floor(pfn / SECTION_PAGES);
	if (nr < 0 || nr >= MAX_SECTIONS) return new page(pfn);
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

/** The first struct page that was ever made of the frames from @pfn on, below @end; null: none was. */
export function first_page_made(pfn: unsigned_long, end: unsigned_long): page | null {
	for (let at = pfn; at < end; ) {
		const nr = Math.floor(at / SECTION_PAGES);
		const section = vmemmap.roots[Math.floor(nr / SECTIONS_PER_ROOT)]?.[nr % SECTIONS_PER_ROOT];
		const made = Math.min(end, nr * SECTION_PAGES + (section?.length ?? 0));
		for (; at < made; at++) {
			const p = section?.[at % SECTION_PAGES];
			if (p !== undefined) return p;
		}
		at = (nr + 1) * SECTION_PAGES;
	}
	return null;
}

/** The frame that C's arithmetic finds for the page NULL: how far vmemmap is below the end of all addresses. */
const NULL_PAGE_PFN = (2 ** 41 + 2 ** 30) / 64;

/** The frame of @p; NULL, too, has one (asm-generic/memory_model.h: page_to_pfn()). */
export function page_to_pfn(p: page | null): unsigned_long {
	return p === null ? NULL_PAGE_PFN + memstart.addr / PAGE_SIZE : p.pfn;
}

/** The physical address of @p (asm-generic/memory_model.h: page_to_phys()). */
export function page_to_phys(p: page | null): phys_addr_t {
	return page_to_pfn(p) * PAGE_SIZE;
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
	return n === 0 ? p : pfn_to_page(page_to_pfn(p) + n);
}

/**
 * The physical address of the first byte of @x; -1 when it is no address of RAM.
 * A vmap()ed address is answered too, where C's linear-map arithmetic would give nonsense.
 */
export function virt_to_phys(x: ArrayBufferView | null): phys_addr_t {
	return x === null ? -1 : machine.memory.phys_of(x);
}

/**
 * The linear-map address of @phys. The pointer reaches @size bytes, or when that is left out as far as
 * the piece of RAM that @phys lies in; C's pointer reaches everything.
 */
export function phys_to_virt(phys: phys_addr_t, size: size_t = 0): void_ptr {
	if (linear_map_hole(phys, size) >= 0) no_such_view(phys, size);
	return machine.memory.linear(phys, size) ?? no_such_view(phys, size);
}

/** phys_to_virt() for a pointer to @count words: `u32 *p = phys_to_virt(phys)` in C. */
export function phys_to_virt_words(phys: phys_addr_t, count: unsigned_int): Uint32Array {
	if (linear_map_hole(phys, count * 4) >= 0) no_such_view(phys, count * 4);
	return machine.memory.linear_words(phys, count) ?? no_such_view(phys, count * 4);
}

// The kernel faults at the first access; a view that cannot exist is the same mistake seen one step earlier.
function no_such_view(phys: phys_addr_t, size: size_t): never {
	const hole = linear_map_hole(phys, size);
	die_paging_request(linear_address(hole >= 0 ? hole : phys));
}

/** The frame that C's arithmetic finds for address 0, and that everything gets here which is no address at all. */
const NULL_ADDRESS_PFN = 2 ** 48 / PAGE_SIZE;

/** The struct page that a linear-map address lies in (asm/memory.h: virt_to_page()). */
export function virt_to_page(x: ArrayBufferView | null): page {
	return pfn_to_page(virt_to_pfn(x));
}

/** The page frame that a linear-map address is in (arch/arm64/include/asm/memory.h: virt_to_pfn()). */
export function virt_to_pfn(x: ArrayBufferView | null): unsigned_long {
	const phys = virt_to_phys(x);
	return phys >= 0 ? Math.floor(phys / PAGE_SIZE) : NULL_ADDRESS_PFN + memstart.addr / PAGE_SIZE;
}

/** The linear-map address of @p; reaches @size bytes, one page when left out (asm/memory.h: page_to_virt()). */
export function page_to_virt(p: page, size: size_t = PAGE_SIZE): void_ptr {
	return phys_to_virt(page_to_phys(p), size);
}

/** Whether @x is a linear-map address (asm/memory.h: virt_addr_valid()). */
export function virt_addr_valid(x: ArrayBufferView | null): bool {
	return x !== null && machine.memory.phys_of(x) >= 0 && !machine.memory.is_vmap(x);
}

export { SECTION_BYTES };

/** Each struct page that was ever made, rising by frame. */
export function* for_each_made_page(): Iterable<page> {
	for (const root of vmemmap.roots)
		for (const section of root ?? []) for (const p of section ?? []) if (p !== undefined) yield p;
}

/** How many of @wanted bytes @view has; all of them in C, whose pointers do not know. */
export function view_room(view: Uint8Array, wanted: size_t): size_t {
	return Math.min(view.length, wanted);
}

/** @view as 32-bit words: what `u32 *p = ...` does in C. */
export function words(view: Uint8Array, count: unsigned_int): Uint32Array {
	return new Uint32Array(view.buffer, view.byteOffset, count);
}

/** @view as bytes: what passing it as `void *` does in C. */
export function bytes(view: Uint32Array): Uint8Array {
	return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}
