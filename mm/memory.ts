// SPDX-License-Identifier: GPL-2.0-only
// Showing memory to a user program.
// Linux 6.12: mm/memory.c
// Left out: page faults and page tables; a mapping is filled at once, and what the program's loads and stores
// reach is the view that vma_user_view() makes.

import { machine } from '#arch/arm64/kernel/setup.js';
import { page_to_pfn, page_to_phys, pfn_to_page } from '#asm/memory.js';
import { PAGE_ALIGN } from '#asm/page.js';
import { PAGE_SIZE } from '#asm/page-def.js';
import { pgprot_cached } from '#asm/pgtable.js';
import { BUG_ON, WARN_ON_ONCE } from '#linux/bug.js';
import { EBUSY, EFAULT, EINVAL, ENXIO } from '#linux/errno.js';
import { MAJOR, MINOR } from '#linux/kdev_t.js';
import {
	get_page,
	page_count,
	VM_DONTDUMP,
	VM_DONTEXPAND,
	VM_IO,
	VM_MIXEDMAP,
	VM_PFNMAP,
	vm_flags_set,
	vma_pages,
} from '#linux/mm.js';
import type { page, vm_area_struct } from '#linux/mm_types.js';
import { compound_head, page_has_type } from '#linux/page-flags.js';
import type { int, pgprot_t, phys_addr_t, unsigned_long, void_ptr } from '#linux/types.js';
import { put_page } from '#mm/page_alloc.js';

/** The table of frames behind @vma, made at first use. */
function vma_ptes(vma: vm_area_struct): Float64Array {
	vma.ptes ??= new Float64Array(vma_pages(vma)).fill(-1);
	return vma.ptes;
}

/** What is mapped there, for reports: the name of the file, or the number of the device. */
export function vma_name(vma: vm_area_struct): string {
	const file = vma.vm_file;
	if (file === null) return '';
	const rdev = file.f_inode?.i_rdev ?? 0;
	return rdev === 0 ? file.f_name : `device ${MAJOR(rdev)}:${MINOR(rdev)}`;
}

/** Enter @count frames from @pfn on at page @first of @vma. Nothing may be there yet. */
function set_ptes(
	vma: vm_area_struct,
	first: unsigned_long,
	pfn: unsigned_long,
	count: unsigned_long,
	prot: pgprot_t,
): void {
	const ptes = vma_ptes(vma);
	for (let i = 0; i < count; i++) {
		BUG_ON(ptes[first + i] !== -1);
		ptes[first + i] = pfn + i;
	}
	vma.pte_prot = prot;
	machine.memory.user_map(
		vma.vm_start,
		vma.vm_start + first * PAGE_SIZE,
		pfn * PAGE_SIZE,
		count * PAGE_SIZE,
		pgprot_cached(prot),
		vma_name(vma),
		(vma.vm_pgoff + first) * PAGE_SIZE,
	);
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
	if (WARN_ON_ONCE(addr % PAGE_SIZE !== 0)) return -EINVAL;
	vm_flags_set(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	const count = PAGE_ALIGN(size) / PAGE_SIZE;
	BUG_ON(count === 0);
	const first = (addr - vma.vm_start) / PAGE_SIZE;
	// C would go on in what lies behind the mapping.
	if (first < 0 || first + count > vma_pages(vma)) return -EINVAL;
	set_ptes(vma, first, pfn, count, prot);
	return 0;
}

export const io_remap_pfn_range = remap_pfn_range;

/** Whether a user may be shown @page with a reference: somebody holds it, and it is no allocator's. */
function validate_page_before_insert(page: page): int {
	const head = compound_head(page);
	return page_count(head) === 0 || page_has_type(head) ? -EINVAL : 0;
}

/**
 * Map one page, with a reference to it (mm/memory.c: vm_insert_page()).
 *
 * -EFAULT: @addr is not in @vma; -EINVAL: a free page, or one of the slab allocator's; -EBUSY: something is there.
 */
export function vm_insert_page(vma: vm_area_struct, addr: unsigned_long, page: page): int {
	if (addr < vma.vm_start || addr >= vma.vm_end) return -EFAULT;
	if (!(vma.vm_flags & VM_MIXEDMAP)) {
		BUG_ON(vma.vm_flags & VM_PFNMAP);
		vm_flags_set(vma, VM_MIXEDMAP);
	}
	const ret = validate_page_before_insert(page);
	if (ret !== 0) return ret;
	const index = Math.floor((addr - vma.vm_start) / PAGE_SIZE);
	if (vma_ptes(vma)[index] !== -1) return -EBUSY;
	get_page(page);
	set_ptes(vma, index, page_to_pfn(page), 1, vma.vm_page_prot);
	return 0;
}

function __vm_map_pages(
	vma: vm_area_struct,
	pages: readonly page[],
	num: unsigned_long,
	offset: unsigned_long,
): int {
	const count = vma_pages(vma);
	if (offset >= num || count > num - offset) return -ENXIO;
	let ret = 0;
	let addr = vma.vm_start;
	for (let i = 0; i < count && ret === 0; i++, addr += PAGE_SIZE)
		ret = vm_insert_page(vma, addr, pages[offset + i]);
	// All of the object in one place, which it shares with other mappings of it, be they of a part or the kernel's.
	if (ret === 0)
		user_vmap(
			vma,
			Float64Array.from({ length: num }, (_, i) => page_to_phys(pages[i])),
			offset,
		);
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

/** Have the program see @vma by way of a mapping of the pages at @phys, from the @first of them on. */
function user_vmap(vma: vm_area_struct, phys: Float64Array, first: unsigned_long): void {
	vma.user_vmap = machine.memory.vmap(phys, phys.length, pgprot_cached(vma.pte_prot), PAGE_SIZE);
	vma.user_view = vma.user_vmap.subarray(first * PAGE_SIZE, (first + vma_pages(vma)) * PAGE_SIZE);
}

/**
 * What the user program's loads and stores through @vma reach; null when a page of it is not mapped (C: a fault).
 * A cached mapping of contiguous frames is the linear view, anything else is mapped until zap_vma().
 */
export function vma_user_view(vma: vm_area_struct): void_ptr | null {
	if (vma.user_view !== null) return vma.user_view;
	const ptes = vma.ptes;
	if (ptes === null || ptes.length === 0 || ptes.includes(-1)) return null;
	if (pgprot_cached(vma.pte_prot) && ptes.every((pfn, i) => pfn === ptes[0] + i)) {
		vma.user_view = machine.memory.linear(ptes[0] * PAGE_SIZE, ptes.length * PAGE_SIZE);
		if (vma.user_view !== null) return vma.user_view;
	}
	user_vmap(
		vma,
		ptes.map((pfn) => pfn * PAGE_SIZE),
		0,
	);
	return vma.user_view;
}

/** Take the user's view away and drop the references to its pages (mm/memory.c: unmap_vmas()). */
export function zap_vma(vma: vm_area_struct): void {
	if (vma.user_vmap !== null) machine.memory.vunmap(vma.user_vmap);
	vma.user_vmap = null;
	vma.user_view = null;
	if (vma.ptes === null) return;
	machine.memory.user_unmap(vma.vm_start);
	if (vma.vm_flags & VM_MIXEDMAP) for (const pfn of vma.ptes) if (pfn !== -1) put_page(pfn_to_page(pfn));
	vma.ptes = null;
}
