// SPDX-License-Identifier: GPL-2.0-only
// Pages, their references and zones, and user mappings.
// Linux 6.12: include/linux/mm.h (and page_ref.h)
// The functions that mm.h declares are in mm/page_alloc.ts, mm/memory.ts, mm/util.ts.
import { deref } from '#arch/arm64/mm/fault.js';
import { page_to_phys, phys_to_virt } from '#asm/memory.js';
import { PAGE_SHIFT, PAGE_SIZE } from '#asm/page-def.js';
import { boot_data } from '#linux/init.js';
import type { page, vm_area_struct } from '#linux/mm_types.js';
import type { zone_type } from '#linux/mmzone.js';
import { compound_head, PageHead } from '#linux/page-flags.js';
import type { bool, int, phys_addr_t, size_t, unsigned_int, unsigned_long, void_ptr } from '#linux/types.js';

export { nth_page } from '#asm/memory.js';
export * from '#asm/page.js';
export { page, vm_area_struct } from '#linux/mm_types.js';

export const VM_NONE = 0x0000_0000;
export const VM_READ = 0x0000_0001;
export const VM_WRITE = 0x0000_0002;
export const VM_EXEC = 0x0000_0004;
export const VM_SHARED = 0x0000_0008;
export const VM_MAYREAD = 0x0000_0010;
export const VM_MAYWRITE = 0x0000_0020;
export const VM_MAYEXEC = 0x0000_0040;
export const VM_MAYSHARE = 0x0000_0080;
export const VM_PFNMAP = 0x0000_0400;
export const VM_IO = 0x0000_4000;
export const VM_DONTCOPY = 0x0002_0000;
export const VM_DONTEXPAND = 0x0004_0000;
export const VM_DONTDUMP = 0x0400_0000;
export const VM_MIXEDMAP = 0x1000_0000;

/** The zone number in page->flags, at the top as on arm64. */
const ZONES_PGSHIFT = 29;
const ZONES_MASK = 3;

/** Which zone @page is in (include/linux/mm.h: page_zonenum()). */
export function page_zonenum(page: page): zone_type {
	return (page.flags >>> ZONES_PGSHIFT) & ZONES_MASK;
}

/** Put @page in zone @zone (include/linux/mm.h: set_page_zone()). */
export function set_page_zone(page: page, zone: zone_type): void {
	page.flags = ((page.flags & ~(ZONES_MASK << ZONES_PGSHIFT)) | (zone << ZONES_PGSHIFT)) >>> 0;
}

/** The order of a compound page, 0 for a single one (include/linux/mm.h: compound_order()). */
export function compound_order(page: page): unsigned_int {
	return PageHead(page) ? page.compound_order : 0;
}

/** How many bytes @page has, its compound tail included (include/linux/mm.h: page_size()). */
export function page_size(page: page): unsigned_long {
	return PAGE_SIZE * 2 ** compound_order(page);
}

/**
 * The linear-map address of @page (include/linux/mm.h: page_address()).
 * The view reaches @size bytes; left out, to the end of the compound page.
 */
export function page_address(page: page, size: size_t = 0): void_ptr {
	return phys_to_virt(page_to_phys(page), size === 0 ? page_size(page) : size);
}

export const lowmem_page_address = page_address;

/** How many references @page has (include/linux/page_ref.h: page_ref_count()). */
export function page_ref_count(page: page): int {
	return page._refcount.counter;
}

/** References of the compound page that @page is in (include/linux/page_ref.h: page_count()). */
export function page_count(page: page): int {
	return compound_head(page)._refcount.counter;
}

/** Set the reference count (include/linux/page_ref.h: set_page_count()). */
export function set_page_count(page: page, v: int): void {
	page._refcount.counter = v;
}

/** One reference, as a page has when it is allocated (include/linux/page_ref.h: init_page_count()). */
export function init_page_count(page: page): void {
	page._refcount.counter = 1;
}

/** Take a reference to a page that has one (include/linux/mm.h: get_page()). */
export function get_page(page: page): void {
	compound_head(page)._refcount.counter++;
}

/** Drop a reference; true when that was the last (include/linux/mm.h: put_page_testzero()). */
export function put_page_testzero(page: page): bool {
	return --page._refcount.counter === 0;
}

/** Take a reference unless there is none left (include/linux/mm.h: get_page_unless_zero()). */
export function get_page_unless_zero(page: page): bool {
	if (page._refcount.counter === 0) return false;
	page._refcount.counter++;
	return true;
}

/** Whether @page is high memory; arm64 has none (include/linux/page-flags.h: PageHighMem()). */
export function PageHighMem(_page: page): bool {
	return false;
}

/** Pages in @vma (include/linux/mm.h: vma_pages()). */
export function vma_pages(vma: vm_area_struct): unsigned_long {
	return (deref(vma).vm_end - vma.vm_start) / PAGE_SIZE;
}

/** Set bits of vm_flags (include/linux/mm.h: vm_flags_set()). */
export function vm_flags_set(vma: vm_area_struct, flags: unsigned_long): void {
	vma.vm_flags = (vma.vm_flags | flags) >>> 0;
}

/** Clear bits of vm_flags (include/linux/mm.h: vm_flags_clear()). */
export function vm_flags_clear(vma: vm_area_struct, flags: unsigned_long): void {
	vma.vm_flags = (vma.vm_flags & ~flags) >>> 0;
}

/** Set some bits of vm_flags and clear others (include/linux/mm.h: vm_flags_mod()). */
export function vm_flags_mod(vma: vm_area_struct, set: unsigned_long, clear: unsigned_long): void {
	vma.vm_flags = ((vma.vm_flags | set) & ~clear) >>> 0;
}

/** Global sizes (mm/mm_init.c, arch/arm64/mm/init.c, mm/memblock.c; include/linux/mm.h: totalram_pages()). */
export const mm_state = boot_data(() => ({
	max_pfn: 0 as unsigned_long,
	min_low_pfn: 0 as unsigned_long,
	totalram_pages: 0 as unsigned_long,
	totalcma_pages: 0 as unsigned_long,
}));

/** Pages that the page allocator manages (include/linux/mm.h: totalram_pages()). */
export function totalram_pages(): unsigned_long {
	return mm_state.totalram_pages;
}

/** The page allocator got @count more pages (include/linux/mm.h: totalram_pages_add()). */
export function totalram_pages_add(count: unsigned_long): void {
	mm_state.totalram_pages += count;
}

/** The physical address of a page frame's first byte, under the name of asm/memory.h. */
export function __pfn_to_phys(pfn: unsigned_long): phys_addr_t {
	return pfn * 2 ** PAGE_SHIFT;
}

/** The page frame that @phys is in, under the name of asm/memory.h (include/linux/mm.h: __phys_to_pfn()). */
export function __phys_to_pfn(phys: phys_addr_t): unsigned_long {
	return Math.floor(phys / PAGE_SIZE);
}
