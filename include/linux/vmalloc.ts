// SPDX-License-Identifier: GPL-2.0-only
// Areas of kernel addresses that are contiguous though their pages are not.
// Linux 6.12: include/linux/vmalloc.h
import { list_head } from '#linux/list.js';
import type { page } from '#linux/mm_types.js';
import type { phys_addr_t, unsigned_int, unsigned_long, void_ptr } from '#linux/types.js';

export const VM_IOREMAP = 0x0000_0001;
export const VM_ALLOC = 0x0000_0002;
export const VM_MAP = 0x0000_0004;
export const VM_USERMAP = 0x0000_0008;
/** Made for dma_alloc_coherent() and friends. */
export const VM_DMA_COHERENT = 0x0000_0010;
export const VM_NO_GUARD = 0x0000_0040;
export const VM_FLUSH_RESET_PERMS = 0x0000_0100;
/** vfree() puts the pages and frees the array. */
export const VM_MAP_PUT_PAGES = 0x0000_0200;

export class vm_struct {
	/** Links all areas (C: the vmap_area tree). */
	list: list_head<vm_struct> = new list_head<vm_struct>(this);
	addr: void_ptr | null = null;
	size: unsigned_long = 0;
	flags: unsigned_long = 0;
	pages: (page | null)[] | null = null;
	nr_pages: unsigned_int = 0;
	phys_addr: phys_addr_t = 0;
}
