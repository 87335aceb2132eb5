// SPDX-License-Identifier: GPL-2.0-only
// Kernel addresses that are contiguous over pages that are not.
// Linux 6.12: mm/vmalloc.c
// Left out: the address space (guard pages, lazy unmapping, huge pages); areas are found by searching a list, the
// newest first, where C has trees.

import { machine } from '#arch/arm64/kernel/setup.js';
import { deref } from '#arch/arm64/mm/fault.js';
import { page_to_phys, phys_to_page } from '#asm/memory.js';
import { PAGE_ALIGN } from '#asm/page.js';
import { PAGE_SIZE } from '#asm/page-def.js';
import { PAGE_KERNEL, pgprot_cached } from '#asm/pgtable.js';
import { BUG_ON, WARN, WARN_ON_ONCE } from '#linux/bug.js';
import { EINVAL } from '#linux/errno.js';
import { __GFP_ZERO, GFP_KERNEL } from '#linux/gfp.js';
import { boot_data } from '#linux/init.js';
import { might_sleep } from '#linux/kernel.js';
import { list_add, list_del, list_for_each_entry, list_head } from '#linux/list.js';
import { totalram_pages } from '#linux/mm.js';
import type { page, vm_area_struct } from '#linux/mm_types.js';
import { in_interrupt } from '#linux/preempt.js';
import { kfree, kvcalloc, kvfree, kzalloc } from '#linux/slab.js';
import type { bool, gfp_t, int, pgprot_t, unsigned_int, unsigned_long, void_ptr } from '#linux/types.js';
import {
	VM_ALLOC,
	VM_FLUSH_RESET_PERMS,
	VM_MAP,
	VM_MAP_PUT_PAGES,
	VM_NO_GUARD,
	VM_USERMAP,
	vm_struct,
} from '#linux/vmalloc.js';
import { vm_map_pages } from '#mm/memory.js';
import { __free_page, alloc_page } from '#mm/page_alloc.js';

const state = boot_data(() => ({
	areas: new list_head<vm_struct>(),
	nr_vmalloc_pages: 0 as unsigned_long,
}));

/** Whether @x is an address that vmap() or vmalloc() made (include/linux/mm.h: is_vmalloc_addr()). */
export function is_vmalloc_addr(x: object | null): bool {
	return x !== null && ArrayBuffer.isView(x) && machine.memory.is_vmap(x);
}

/** The page that backs a vmalloc address, null when there is none (mm/vmalloc.c: vmalloc_to_page()). */
export function vmalloc_to_page(addr: ArrayBufferView): page | null {
	const phys = machine.memory.phys_of(addr);
	return phys < 0 ? null : phys_to_page(phys);
}

/** The page frame behind a vmalloc address (mm/vmalloc.c: vmalloc_to_pfn()). */
export function vmalloc_to_pfn(addr: ArrayBufferView): unsigned_long {
	return Math.floor(machine.memory.phys_of(addr) / PAGE_SIZE);
}

function area_covers(area: vm_struct, addr: ArrayBufferView): bool {
	const base = area.addr;
	if (base === null || base.buffer !== addr.buffer) return false;
	return addr.byteOffset >= base.byteOffset && addr.byteOffset < base.byteOffset + area.size;
}

/** The area that @addr lies in (mm/vmalloc.c: find_vm_area()). */
export function find_vm_area(addr: ArrayBufferView): vm_struct | null {
	for (const area of list_for_each_entry(state.areas)) if (area_covers(area, addr)) return area;
	return null;
}

/** Take the area that begins at @addr off the list and unmap it; the caller frees the struct. */
export function remove_vm_area(addr: ArrayBufferView): vm_struct | null {
	for (const area of list_for_each_entry(state.areas)) {
		if (!area_covers(area, addr) || area.addr?.byteOffset !== addr.byteOffset) continue;
		list_del(area.list);
		machine.memory.vunmap(area.addr);
		return area;
	}
	return null;
}

/**
 * Map @count pages in a row (mm/vmalloc.c: vmap()); null when memory is short. A @prot that is not cached
 * gives the memory's view. With VM_MAP_PUT_PAGES the pages and the array belong to the area, and vfree() frees them.
 */
export function vmap(
	pages: (page | null)[],
	count: unsigned_int,
	flags: unsigned_long,
	prot: pgprot_t,
): void_ptr | null {
	might_sleep();
	if (WARN_ON_ONCE(flags & VM_FLUSH_RESET_PERMS)) return null;
	if (WARN_ON_ONCE(flags & VM_NO_GUARD)) flags &= ~VM_NO_GUARD;
	if (count === 0 || count > totalram_pages()) return null;

	const area = kzalloc(vm_struct, GFP_KERNEL);
	if (area === null) return null;
	const phys = new Float64Array(count);
	for (let i = 0; i < count; i++) {
		const page = deref(pages)[i] ?? null;
		if (WARN_ON_ONCE(page === null)) {
			kfree(area);
			return null;
		}
		phys[i] = page_to_phys(page as page);
	}
	area.addr = machine.memory.vmap(phys, count, pgprot_cached(prot), PAGE_SIZE);
	area.size = count * PAGE_SIZE;
	area.flags = flags;
	if (flags & VM_MAP_PUT_PAGES) {
		area.pages = pages;
		area.nr_pages = count;
	}
	list_add(area.list, state.areas);
	return area.addr;
}

/** Undo vmap() (mm/vmalloc.c: vunmap()); the pages stay with their owner. */
export function vunmap(addr: void_ptr | null): void {
	BUG_ON(in_interrupt());
	might_sleep();
	if (addr === null) return;
	const vm = remove_vm_area(addr);
	if (vm === null) {
		WARN(true, 'Trying to vunmap() nonexistent vm area (%p)', addr);
		return;
	}
	kfree(vm);
}

/** Free an area's pages and its array, from the end of what there is. */
function vm_area_free_pages(vm: vm_struct): void {
	if (vm.pages !== null) {
		for (let i = 0; i < vm.nr_pages; i++) {
			const page = vm.pages[i];
			BUG_ON(page === null);
			__free_page(page as page);
		}
		if (!(vm.flags & VM_MAP_PUT_PAGES)) state.nr_vmalloc_pages -= vm.nr_pages;
		kvfree(vm.pages);
	}
	kfree(vm);
}

/** Free what vmalloc() or vmap(VM_MAP_PUT_PAGES) made (mm/vmalloc.c: vfree()). */
export function vfree(addr: void_ptr | null): void {
	might_sleep();
	if (addr === null) return;
	const vm = remove_vm_area(addr);
	if (vm === null) {
		WARN(true, 'Trying to vfree() nonexistent vm area (%p)', addr);
		return;
	}
	vm_area_free_pages(vm);
}

/** Pages from anywhere, @size bytes in a row (mm/vmalloc.c: __vmalloc_noprof()). */
export function __vmalloc(
	size: unsigned_long,
	gfp_mask: gfp_t,
	flags: unsigned_long = VM_ALLOC,
): void_ptr | null {
	const count = PAGE_ALIGN(size) / PAGE_SIZE;
	if (WARN_ON_ONCE(size === 0)) return null;
	if (count > totalram_pages()) return null;
	const pages = kvcalloc(count, null, GFP_KERNEL) as (page | null)[] | null;
	if (pages === null) return null;
	let got = 0;
	for (; got < count; got++) {
		pages[got] = alloc_page(gfp_mask);
		if (pages[got] === null) break;
	}
	const addr = got === count ? vmap(pages, count, flags, PAGE_KERNEL) : null;
	if (addr === null) {
		while (got-- > 0) __free_page(pages[got] as page);
		kvfree(pages);
		return null;
	}
	const area = find_vm_area(addr) as vm_struct;
	area.pages = pages;
	area.nr_pages = count;
	state.nr_vmalloc_pages += count;
	return addr.subarray(0, size);
}

/** @size bytes of pages from anywhere, in a row; null without memory. May sleep (include/linux/vmalloc.h: vmalloc()). */
export function vmalloc(size: unsigned_long): void_ptr | null {
	return __vmalloc(size, GFP_KERNEL);
}

/** vmalloc() of zeros (mm/vmalloc.c: vzalloc()). */
export function vzalloc(size: unsigned_long): void_ptr | null {
	return __vmalloc(size, GFP_KERNEL | __GFP_ZERO);
}

/** Zeroed, and a user may map it (mm/vmalloc.c: vmalloc_user_noprof()). */
export function vmalloc_user(size: unsigned_long): void_ptr | null {
	return __vmalloc(size, GFP_KERNEL | __GFP_ZERO, VM_ALLOC | VM_USERMAP);
}

/** Show pages of a vmalloc_user() area to a user (mm/vmalloc.c: remap_vmalloc_range()). */
export function remap_vmalloc_range(vma: vm_area_struct, addr: void_ptr, pgoff: unsigned_long): int {
	const area = find_vm_area(addr);
	if (area === null || area.pages === null || !(area.flags & (VM_USERMAP | VM_MAP))) return -EINVAL;
	vma.vm_pgoff = pgoff;
	return vm_map_pages(vma, area.pages as page[], area.nr_pages) === 0 ? 0 : -EINVAL;
}

/** Pages that vmalloc() holds (include/linux/vmalloc.h: vmalloc_nr_pages()). */
export function vmalloc_nr_pages(): unsigned_long {
	return state.nr_vmalloc_pages;
}

/** Areas that exist, for leak reports. */
export function vmap_area_count(): int {
	let count = 0;
	for (const _ of list_for_each_entry(state.areas)) count++;
	return count;
}
