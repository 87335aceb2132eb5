// SPDX-License-Identifier: GPL-2.0-only
// Pages for translation tables: zeroed, and counted apart from other memory.
// Linux 6.12: drivers/iommu/iommu-pages.h
// Left out: the per-cgroup count (NR_SECONDARY_PAGETABLE), NUMA nodes.
import { virt_to_page } from '#asm/memory.js';
import { PAGE_SIZE } from '#asm/page.js';
import { __GFP_ZERO } from '#linux/gfp.js';
import { boot_data } from '#linux/init.js';
import { list_del, list_empty, list_entry, type list_head } from '#linux/list.js';
import { page_address } from '#linux/mm.js';
import type { page } from '#linux/mm_types.js';
import type { gfp_t, int, long, void_ptr } from '#linux/types.js';
import { __free_pages, alloc_pages } from '#mm/page_alloc.js';

/** What /proc/vmstat shows as nr_iommu_pages. */
export const iommu_pages_stat = boot_data(() => ({ nr_iommu_pages: 0 as long }));

function __iommu_alloc_account(order: int): void {
	iommu_pages_stat.nr_iommu_pages += 2 ** order;
}

function __iommu_free_account(order: int): void {
	iommu_pages_stat.nr_iommu_pages -= 2 ** order;
}

/** 2^@order zeroed pages, or null (Linux: drivers/iommu/iommu-pages.h: __iommu_alloc_pages()). */
export function __iommu_alloc_pages(gfp: gfp_t, order: int): page | null {
	const page = alloc_pages(gfp | __GFP_ZERO, order);
	if (page === null) return null;

	__iommu_alloc_account(order);
	return page;
}

/** Free what __iommu_alloc_pages() answered (Linux: drivers/iommu/iommu-pages.h: __iommu_free_pages()). */
export function __iommu_free_pages(page: page | null, order: int): void {
	if (page === null) return;

	__iommu_free_account(order);
	__free_pages(page, order);
}

/** 2^@order zeroed pages, by their address (Linux: drivers/iommu/iommu-pages.h: iommu_alloc_pages()). */
export function iommu_alloc_pages(gfp: gfp_t, order: int): void_ptr | null {
	const page = __iommu_alloc_pages(gfp, order);

	return page !== null ? page_address(page, PAGE_SIZE * 2 ** order) : null;
}

/** iommu_alloc_pages() near @nid; there is one node (Linux: drivers/iommu/iommu-pages.h: iommu_alloc_pages_node()). */
export function iommu_alloc_pages_node(nid: int, gfp: gfp_t, order: int): void_ptr | null {
	return iommu_alloc_pages(gfp, order);
}

/** One zeroed page (Linux: drivers/iommu/iommu-pages.h: iommu_alloc_page()). */
export function iommu_alloc_page(gfp: gfp_t): void_ptr | null {
	return iommu_alloc_pages(gfp, 0);
}

/** One zeroed page near @nid (Linux: drivers/iommu/iommu-pages.h: iommu_alloc_page_node()). */
export function iommu_alloc_page_node(nid: int, gfp: gfp_t): void_ptr | null {
	return iommu_alloc_pages_node(nid, gfp, 0);
}

/** Free what iommu_alloc_pages() answered (Linux: drivers/iommu/iommu-pages.h: iommu_free_pages()). */
export function iommu_free_pages(virt: ArrayBufferView | null, order: int): void {
	if (virt !== null) __iommu_free_pages(virt_to_page(virt), order);
}

/** Free what iommu_alloc_page() answered (Linux: drivers/iommu/iommu-pages.h: iommu_free_page()). */
export function iommu_free_page(virt: ArrayBufferView | null): void {
	iommu_free_pages(virt, 0);
}

/** Free each page of a list, as gathers collect them (Linux: drivers/iommu/iommu-pages.h: iommu_put_pages_list()). */
export function iommu_put_pages_list(page: list_head<page>): void {
	while (!list_empty(page)) {
		const p = list_entry(page.prev);

		list_del(p.lru);
		__iommu_free_pages(p, 0);
	}
}
