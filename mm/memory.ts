// SPDX-License-Identifier: GPL-2.0-only
// Showing memory to a user program.
// Linux 6.12: mm/memory.c
// Left out: page faults and page tables; a mapping is filled at once, and what the program's loads and stores
// reach is the view that vma_user_view() makes.

import { machine } from '#arch/arm64/kernel/setup.js';
import { page_to_pfn, pfn_to_page } from '#asm/memory.js';
import { PAGE_ALIGN } from '#asm/page.js';
import { PAGE_SIZE } from '#asm/page-def.js';
import { pgprot_cached } from '#asm/pgtable.js';
import { EBUSY, EFAULT, EINVAL, ENXIO } from '#linux/errno.js';
import {
	get_page,
	VM_DONTDUMP,
	VM_DONTEXPAND,
	VM_IO,
	VM_MIXEDMAP,
	VM_PFNMAP,
	vm_flags_set,
	vma_pages,
} from '#linux/mm.js';
import type { page, vm_area_struct } from '#linux/mm_types.js';
import type { int, pgprot_t, phys_addr_t, unsigned_long, void_ptr } from '#linux/types.js';
import { put_page } from '#mm/page_alloc.js';

/** The table of frames behind @vma, made at first use. */
function vma_ptes(vma: vm_area_struct): Float64Array {
	vma.ptes ??= new Float64Array(vma_pages(vma)).fill(-1);
	return vma.ptes;
}

/**
 * Map the frames from @pfn on at the user's address @addr (mm/memory.c: remap_pfn_range()). The frames are not counted:
 * whoever owns them keeps them until the mapping is gone. -EINVAL when the range is not inside @vma.
 */
export function remap_pfn_range(
	vma: vm_area_struct,
	addr: unsigned_long,
	pfn: unsigned_long,
	size: unsigned_long,
	prot: pgprot_t,
): int {
	const first = (addr - vma.vm_start) / PAGE_SIZE;
	const count = PAGE_ALIGN(size) / PAGE_SIZE;
	if (addr % PAGE_SIZE !== 0 || first < 0 || first + count > vma_pages(vma)) return -EINVAL;
	const ptes = vma_ptes(vma);
	for (let i = 0; i < count; i++) ptes[first + i] = pfn + i;
	vma.pte_prot = prot;
	vm_flags_set(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	return 0;
}

export const io_remap_pfn_range = remap_pfn_range;

/** Map one page, with a reference to it (mm/memory.c: vm_insert_page()). -EBUSY: something is there already. */
export function vm_insert_page(vma: vm_area_struct, addr: unsigned_long, page: page): int {
	const index = (addr - vma.vm_start) / PAGE_SIZE;
	if (index < 0 || index >= vma_pages(vma)) return -EFAULT;
	if (page._refcount.counter === 0 || vma.vm_flags & VM_PFNMAP) return -EINVAL;
	const ptes = vma_ptes(vma);
	if (ptes[index] !== -1) return -EBUSY;
	get_page(page);
	ptes[index] = page_to_pfn(page);
	vma.pte_prot = vma.vm_page_prot;
	vm_flags_set(vma, VM_MIXEDMAP);
	return 0;
}

function __vm_map_pages(
	vma: vm_area_struct,
	pages: readonly page[],
	num: unsigned_long,
	offset: unsigned_long,
): int {
	const end = offset + vma_pages(vma);
	if (offset >= num || end > num) return -ENXIO;
	let ret = 0;
	let addr = vma.vm_start;
	for (let i = offset; i < end && ret === 0; i++, addr += PAGE_SIZE)
		ret = vm_insert_page(vma, addr, pages[i]);
	return ret;
}

/** Fill @vma with pages from vm_pgoff on (mm/memory.c: vm_map_pages()). -ENXIO: there are not enough. */
export function vm_map_pages(vma: vm_area_struct, pages: readonly page[], num: unsigned_long): int {
	return __vm_map_pages(vma, pages, num, vma.vm_pgoff);
}

/** Fill @vma with pages from the first on, whatever vm_pgoff says (mm/memory.c: vm_map_pages_zero()). */
export function vm_map_pages_zero(vma: vm_area_struct, pages: readonly page[], num: unsigned_long): int {
	return __vm_map_pages(vma, pages, num, 0);
}

/** Map a contiguous range of memory from vm_pgoff on (mm/memory.c: vm_iomap_memory()). */
export function vm_iomap_memory(vma: vm_area_struct, start: phys_addr_t, len: unsigned_long): int {
	const pfn = Math.floor(start / PAGE_SIZE);
	const pages = Math.ceil((len + (start % PAGE_SIZE)) / PAGE_SIZE);
	if (vma.vm_pgoff > pages) return -EINVAL;
	if (vma_pages(vma) > pages - vma.vm_pgoff) return -EINVAL;
	return io_remap_pfn_range(
		vma,
		vma.vm_start,
		pfn + vma.vm_pgoff,
		vma.vm_end - vma.vm_start,
		vma.vm_page_prot,
	);
}

/**
 * What the user program's loads and stores through @vma reach; null when a page of it is not mapped (C: a fault).
 * A cached mapping of contiguous pages is the linear view, anything else is mapped until zap_vma().
 */
export function vma_user_view(vma: vm_area_struct): void_ptr | null {
	if (vma.user_view !== null) return vma.user_view;
	const ptes = vma.ptes;
	if (ptes === null || ptes.length === 0 || ptes.includes(-1)) return null;
	const memory = machine.memory;
	if (pgprot_cached(vma.pte_prot) && ptes.every((pfn, i) => pfn === ptes[0] + i)) {
		vma.user_view = memory.linear(ptes[0] * PAGE_SIZE, ptes.length * PAGE_SIZE);
		if (vma.user_view !== null) return vma.user_view;
	}
	vma.user_view = memory.vmap(
		ptes.map((pfn) => pfn * PAGE_SIZE),
		ptes.length,
		pgprot_cached(vma.pte_prot),
	);
	vma.user_view_mapped = true;
	return vma.user_view;
}

/** Take the user's view away and drop the references to its pages (mm/memory.c: unmap_vmas()). */
export function zap_vma(vma: vm_area_struct): void {
	if (vma.user_view !== null && vma.user_view_mapped) machine.memory.vunmap(vma.user_view);
	vma.user_view = null;
	vma.user_view_mapped = false;
	if (vma.ptes !== null && vma.vm_flags & VM_MIXEDMAP) {
		for (const pfn of vma.ptes) if (pfn !== -1) put_page(pfn_to_page(pfn));
	}
	vma.ptes = null;
}
