// SPDX-License-Identifier: GPL-2.0-only
// Kernel addresses for coherent buffers.
// Linux 6.12: kernel/dma/remap.c
import { nth_page } from '#asm/memory.js';
import { PAGE_ALIGN } from '#asm/page.js';
import { PAGE_SIZE } from '#asm/page-def.js';
import { WARN } from '#linux/bug.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import type { page } from '#linux/mm_types.js';
import { kvcalloc, kvfree } from '#linux/slab.js';
import type { pgprot_t, size_t, void_ptr } from '#linux/types.js';
import { VM_DMA_COHERENT, type vm_struct } from '#linux/vmalloc.js';
import { find_vm_area, vmap, vunmap } from '#mm/vmalloc.js';

/** The pages that dma_common_pages_remap() mapped at @cpu_addr, null when it did not (kernel/dma/remap.c). */
export function dma_common_find_pages(cpu_addr: void_ptr): (page | null)[] | null {
	const area = find_vm_area(cpu_addr);
	if (area === null || !(area.flags & VM_DMA_COHERENT)) return null;
	WARN(area.flags !== VM_DMA_COHERENT, 'unexpected flags in area: %p', cpu_addr);
	return area.pages;
}

/** Map pages that lie anywhere; they can be found by address again (kernel/dma/remap.c: dma_common_pages_remap()). */
export function dma_common_pages_remap(
	pages: (page | null)[],
	size: size_t,
	prot: pgprot_t,
	_caller: string | null,
): void_ptr | null {
	const vaddr = vmap(pages, PAGE_ALIGN(size) / PAGE_SIZE, VM_DMA_COHERENT, prot);
	if (vaddr !== null) (find_vm_area(vaddr) as vm_struct).pages = pages;
	return vaddr;
}

/** Map contiguous pages with another protection (kernel/dma/remap.c: dma_common_contiguous_remap()). */
export function dma_common_contiguous_remap(
	page: page,
	size: size_t,
	prot: pgprot_t,
	_caller: string | null,
): void_ptr | null {
	const count = PAGE_ALIGN(size) / PAGE_SIZE;
	const pages = kvcalloc(count, null, GFP_KERNEL) as (page | null)[] | null;
	if (pages === null) return null;
	for (let i = 0; i < count; i++) pages[i] = nth_page(page, i);
	const vaddr = vmap(pages, count, VM_DMA_COHERENT, prot);
	kvfree(pages);
	return vaddr;
}

/** Undo either (kernel/dma/remap.c: dma_common_free_remap()). */
export function dma_common_free_remap(cpu_addr: void_ptr, _size: size_t): void {
	const area = find_vm_area(cpu_addr);
	if (area === null || !(area.flags & VM_DMA_COHERENT)) {
		WARN(true, 'trying to free invalid coherent area: %p', cpu_addr);
		return;
	}
	vunmap(cpu_addr);
}
