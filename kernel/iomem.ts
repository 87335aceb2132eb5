// SPDX-License-Identifier: GPL-2.0-only
// Mapping memory outside the linear map, or with another view of it.
// Linux 6.12: kernel/iomem.c
// Left out: devm_memremap(), write-through mappings, memory that is no RAM of this machine.

import { machine } from '#arch/arm64/kernel/setup.js';
import { PAGE_ALIGN } from '#asm/page.js';
import { PAGE_SIZE } from '#asm/page-def.js';
import { WARN_ONCE } from '#linux/bug.js';
import type { resource_size_t, size_t, unsigned_long, void_ptr } from '#linux/types.js';
import { memblock_is_map_memory } from '#mm/memblock.js';

export const MEMREMAP_WB = 1 << 0;
export const MEMREMAP_WT = 1 << 1;
export const MEMREMAP_WC = 1 << 2;
/** Encrypted or not: no memory here is. */
export const MEMREMAP_ENC = 1 << 3;
export const MEMREMAP_DEC = 1 << 4;

/**
 * An address of [offset, offset + size) with the cache policy of the first of @flags that is possible
 * (kernel/iomem.c: memremap()). Memory that the kernel uses itself is only to be had with MEMREMAP_WB.
 */
export function memremap(offset: resource_size_t, size: size_t, flags: unsigned_long): void_ptr | null {
	if (flags === 0 || size === 0) return null;
	const memory = machine.memory;
	if (!memory.is_ram(offset, size)) return null;
	if (flags & MEMREMAP_WB) return memory.linear(offset, size);
	// What the linear map covers is system RAM, and gets no second mapping of another kind.
	if (memblock_is_map_memory(offset)) {
		WARN_ONCE(true, 'memremap attempted on ram %pa size: %#lx', offset, size);
		return null;
	}
	const start = offset - (offset % PAGE_SIZE);
	const count = PAGE_ALIGN(offset + size - start) / PAGE_SIZE;
	const pages = new Float64Array(count);
	for (let i = 0; i < count; i++) pages[i] = start + i * PAGE_SIZE;
	return memory.vmap(pages, count, false, PAGE_SIZE).subarray(offset - start, offset - start + size);
}

/** Undo memremap() (kernel/iomem.c: memunmap()); a linear address needs nothing. */
export function memunmap(addr: void_ptr): void {
	if (machine.memory.is_vmap(addr)) machine.memory.vunmap(addr);
}
