// SPDX-License-Identifier: GPL-2.0-only
// Zones from the boot-time memory map; hand-over from memblock to pages.
// Linux 6.12: mm/mm_init.c (and memblock_free_all(), memblock_free_late() of mm/memblock.c: they would make a cycle there)
// Left out: NUMA nodes, ZONE_MOVABLE, hash table sizes. Struct pages are made when asked for, and free blocks put on
// the lists when those are empty: what memory costs does not depend on how much there is.

import { pfn_to_page, set_memmap_init } from '#asm/memory.js';
import { PAGE_SIZE } from '#asm/page-def.js';
import { __ffs } from '#linux/bitops.js';
import { mm_state, set_page_count, set_page_zone } from '#linux/mm.js';
import type { page } from '#linux/mm_types.js';
import {
	MAX_NR_ZONES,
	MAX_ORDER_NR_PAGES,
	MAX_PAGE_ORDER,
	MIGRATE_CMA,
	ZONE_MOVABLE,
	zone_end_pfn,
	zone_names,
} from '#linux/mmzone.js';
import { __SetPageReserved } from '#linux/page-flags.js';
import { PFN_DOWN, PFN_UP } from '#linux/pfn.js';
import { pr_info } from '#linux/printk.js';
import type { phys_addr_t, unsigned_long } from '#linux/types.js';
import { K } from '#mm/internal.js';
import {
	for_each_mem_region,
	memblock_free_ranges_pfn,
	memblock_is_map_memory,
	memblock_is_reserved,
	memblock_phys_mem_size,
	memblock_start_of_DRAM,
} from '#mm/memblock.js';
import {
	__free_pages_core,
	defer_free_blocks,
	free_reserved_page,
	get_pfnblock_migratetype,
	NODE_DATA,
	nr_free_pages,
	pfn_zone,
} from '#mm/page_alloc.js';

/** What memmap_init() does to every struct page at boot, done to one as it is made. */
function memmap_init_page(page: page): void {
	const z = pfn_zone(page.pfn);
	if (z === null) {
		__SetPageReserved(page);
		return;
	}
	set_page_zone(page, z.idx);
	const phys = page.pfn * PAGE_SIZE;
	const reserved = memblock_is_reserved(phys) || !memblock_is_map_memory(phys);
	if (reserved && get_pfnblock_migratetype(z, page.pfn) !== MIGRATE_CMA) {
		__SetPageReserved(page);
		set_page_count(page, 1);
	}
}

/**
 * Set up the zones (mm/mm_init.c: free_area_init()): zone i ends at @max_zone_pfn[i], each begins where the
 * one below ends, and a zone whose end is not above its beginning is empty.
 */
export function free_area_init(max_zone_pfn: readonly unsigned_long[]): void {
	const node = NODE_DATA(0);
	const first = PFN_UP(memblock_start_of_DRAM());
	let start_pfn = first;
	pr_info('Zone ranges:');
	for (let i = 0; i < MAX_NR_ZONES; i++) {
		if (i === ZONE_MOVABLE) continue;
		const end_pfn = Math.max(max_zone_pfn[i] ?? 0, start_pfn);
		if (end_pfn === start_pfn) {
			pr_info('  %-8s empty', zone_names[i]);
		} else {
			pr_info(
				'  %-8s [mem %#018llx-%#018llx]',
				zone_names[i],
				start_pfn * PAGE_SIZE,
				end_pfn * PAGE_SIZE - 1,
			);
			const z = node.node_zones[i];
			z.zone_start_pfn = start_pfn;
			z.spanned_pages = end_pfn - start_pfn;
		}
		start_pfn = end_pfn;
	}
	pr_info('Movable zone start for each node');
	pr_info('Early memory node ranges');
	for (const r of for_each_mem_region()) {
		const from = PFN_UP(r.base);
		const to = PFN_DOWN(r.base + r.size);
		if (from >= to) continue;
		pr_info('  node %3d: [mem %#018llx-%#018llx]', 0, from * PAGE_SIZE, to * PAGE_SIZE - 1);
		for (const z of node.node_zones) {
			const low = Math.max(from, z.zone_start_pfn);
			const high = Math.min(to, zone_end_pfn(z));
			if (z.spanned_pages !== 0 && low < high) z.present_pages += high - low;
		}
	}
	node.node_start_pfn = first;
	node.node_spanned_pages = start_pfn - first;
	node.node_present_pages = node.node_zones.reduce((sum, z) => sum + z.present_pages, 0);
	pr_info(
		'Initmem setup node %d [mem %#018llx-%#018llx]',
		0,
		first * PAGE_SIZE,
		start_pfn === 0 ? 0 : start_pfn * PAGE_SIZE - 1,
	);
	set_memmap_init(memmap_init_page);
}

/** Give the allocator start..end in the largest aligned blocks (mm/memblock.c: __free_pages_memory()). */
function __free_pages_memory(start: unsigned_long, end: unsigned_long): void {
	while (start < end) {
		const whole = defer_free_blocks(start, end);
		if (whole !== 0) {
			start += whole;
			continue;
		}
		// As large as the alignment and what is left allow.
		const aligned = start % MAX_ORDER_NR_PAGES;
		let order = aligned === 0 ? MAX_PAGE_ORDER : __ffs(aligned);
		while (start + (1 << order) > end) order--;
		// A block must not straddle two zones.
		const z = pfn_zone(start);
		while (z !== null && order > 0 && start + (1 << order) > zone_end_pfn(z)) order--;
		__free_pages_core(start, order);
		start += 1 << order;
	}
}

/** Put all memory that nobody reserved on the free lists (mm/memblock.c: memblock_free_all()). */
export function memblock_free_all(): void {
	memblock_free_ranges_pfn(__free_pages_memory);
}

/**
 * Give memory that was reserved at boot to the page allocator, when that is up already; whole pages of
 * [base, base + size) (mm/memblock.c: memblock_free_late()).
 */
export function memblock_free_late(base: phys_addr_t, size: phys_addr_t): void {
	const end = PFN_DOWN(base + size);
	for (let pfn = PFN_UP(base); pfn < end; pfn++) free_reserved_page(pfn_to_page(pfn));
}

/** Say how much there is (mm/mm_init.c: mem_init_print_info()); page_alloc_init_late() calls it before CMA gives its pages away. */
export function mem_init_print_info(): void {
	const physpages = PFN_DOWN(memblock_phys_mem_size());
	pr_info(
		'Memory: %luK/%luK available (%luK kernel code, %luK rwdata, %luK rodata, %luK init, %luK bss, %luK reserved, %luK cma-reserved)',
		K(nr_free_pages()),
		K(physpages),
		0,
		0,
		0,
		0,
		0,
		K(physpages - mm_state.totalram_pages - mm_state.totalcma_pages),
		K(mm_state.totalcma_pages),
	);
}

/** What page_alloc_init_late() does here: the memory is accounted for, tell it. */
export function page_alloc_init_late(): void {
	mem_init_print_info();
}
