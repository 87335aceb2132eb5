// SPDX-License-Identifier: GPL-2.0-only
// The page size, and the page address macros that C gets from this header.
// Linux 6.12: arch/arm64/include/asm/page.h (with page-def.h and asm-generic/getorder.h)
import { PAGE_MASK, PAGE_SHIFT, PAGE_SIZE } from '#asm/page-def.js';
import type { bool, int, unsigned_long } from '#linux/types.js';

export {
	page_to_pfn,
	page_to_phys,
	page_to_virt,
	pfn_to_page,
	pfn_valid,
	phys_to_page,
	phys_to_virt,
	virt_addr_valid,
	virt_to_page,
	virt_to_pfn,
	virt_to_phys,
} from '#asm/memory.js';

export { PAGE_MASK, PAGE_SHIFT, PAGE_SIZE };

/** @addr rounded up to a page boundary (include/linux/mm.h: PAGE_ALIGN()). */
export function PAGE_ALIGN(addr: unsigned_long): unsigned_long {
	return Math.ceil(addr / PAGE_SIZE) * PAGE_SIZE;
}

/** @addr rounded down to a page boundary (include/linux/mm.h: PAGE_ALIGN_DOWN()). */
export function PAGE_ALIGN_DOWN(addr: unsigned_long): unsigned_long {
	return addr - (addr % PAGE_SIZE);
}

/** Whether @addr is a page boundary (include/linux/mm.h: PAGE_ALIGNED()). */
export function PAGE_ALIGNED(addr: unsigned_long): bool {
	return addr % PAGE_SIZE === 0;
}

/** The offset of @p in its page (include/linux/mm.h: offset_in_page()). */
export function offset_in_page(p: unsigned_long): unsigned_long {
	return p % PAGE_SIZE;
}

/** The order of the smallest block that holds @size bytes; 52 for 0 (include/asm-generic/getorder.h: get_order()). */
export function get_order(size: unsigned_long): int {
	if (size === 0) return 64 - PAGE_SHIFT;
	let order = 0;
	for (let pages = Math.ceil(size / PAGE_SIZE); 2 ** order < pages; ) order++;
	return order;
}
