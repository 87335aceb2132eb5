// SPDX-License-Identifier: GPL-2.0-only
// Memory zones and their lists of free blocks.
// Linux 6.12: include/linux/mmzone.h
// Left out: watermarks, per-CPU page lists, LRU, NUMA (one node), page blocks other than CMA's.
import { PAGE_SHIFT } from '#asm/page-def.js';
import { list_head } from '#linux/list.js';
import type { page } from '#linux/mm_types.js';
import { spinlock_t } from '#linux/spinlock.js';
import type { bool, int, unsigned_long } from '#linux/types.js';

export type zone_type = number;
export const ZONE_DMA: zone_type = 0;
export const ZONE_DMA32: zone_type = 1;
export const ZONE_NORMAL: zone_type = 2;
export const ZONE_MOVABLE: zone_type = 3;
export const MAX_NR_ZONES = 4;
export const zone_names = ['DMA', 'DMA32', 'Normal', 'Movable'] as const;

/** What is contiguous to the CPU on this machine: 4 MiB (Documentation/deviations.md, on 16 KiB pages). */
const BLOCK_SHIFT = 22;
/** The largest block that the buddy allocator hands out is 2^MAX_PAGE_ORDER pages. */
export const MAX_PAGE_ORDER = BLOCK_SHIFT - PAGE_SHIFT;
export const MAX_ORDER_NR_PAGES = 1 << MAX_PAGE_ORDER;
export const NR_PAGE_ORDERS = MAX_PAGE_ORDER + 1;
export const PAGE_ALLOC_COSTLY_ORDER = 3;

/** A huge page, as one entry of the second last level maps it (2 MiB, or 32 MiB with pages of 16 KiB), if there are such blocks. */
export const pageblock_order = Math.min(PAGE_SHIFT - 3, MAX_PAGE_ORDER);
export const pageblock_nr_pages = 1 << pageblock_order;

export type migratetype = number;
export const MIGRATE_UNMOVABLE: migratetype = 0;
export const MIGRATE_MOVABLE: migratetype = 1;
export const MIGRATE_RECLAIMABLE: migratetype = 2;
export const MIGRATE_CMA: migratetype = 4;

/** Free blocks of one order. */
export class free_area {
	/** Blocks that anyone may have. */
	free_list: list_head<page> = new list_head<page>();
	/** Blocks of CMA areas: only movable allocations, and cma_alloc() itself, may have them. */
	cma_list: list_head<page> = new list_head<page>();
	nr_free: unsigned_long = 0;
}

/** Whole blocks of MAX_PAGE_ORDER from frame @start to before @end. */
export class deferred_range {
	start: unsigned_long;
	end: unsigned_long;
	constructor(start: unsigned_long, end: unsigned_long) {
		this.start = start;
		this.end = end;
	}
}

export class zone {
	name = '';
	/** Which of ZONE_… this is. */
	idx: zone_type = 0;
	zone_start_pfn: unsigned_long = 0;
	/** Pages from start to end, holes included; 0 when the zone is empty. */
	spanned_pages: unsigned_long = 0;
	/** Pages that exist. */
	present_pages: unsigned_long = 0;
	/** Pages that the allocator was given. */
	managed_pages: unsigned_long = 0;
	cma_pages: unsigned_long = 0;
	/** NR_FREE_PAGES and NR_FREE_CMA_PAGES. */
	nr_free_pages: unsigned_long = 0;
	nr_free_cma_pages: unsigned_long = 0;
	/** Which page blocks are CMA's, counted from the one that zone_start_pfn is in; as far as one ever was. */
	pageblock_flags: Uint8Array = new Uint8Array(0);
	/** Free blocks of the largest order that are on no list yet, rising. */
	deferred: deferred_range[] = [];
	free_area: free_area[] = Array.from({ length: NR_PAGE_ORDERS }, () => new free_area());
	lock: spinlock_t = new spinlock_t('zone->lock');
}

export class pglist_data {
	node_zones: zone[] = [];
	node_id: int = 0;
	node_start_pfn: unsigned_long = 0;
	node_present_pages: unsigned_long = 0;
	node_spanned_pages: unsigned_long = 0;
}

/** Whether the allocator owns pages of @zone (include/linux/mmzone.h: managed_zone()). */
export function managed_zone(zone: zone): bool {
	return zone.managed_pages !== 0;
}

/** Whether @zone has any page (include/linux/mmzone.h: populated_zone()). */
export function populated_zone(zone: zone): bool {
	return zone.present_pages !== 0;
}

/** One past the last page frame of @zone (include/linux/mmzone.h: zone_end_pfn()). */
export function zone_end_pfn(zone: zone): unsigned_long {
	return zone.zone_start_pfn + zone.spanned_pages;
}

/** Whether @pfn lies in @zone's span (include/linux/mmzone.h: zone_spans_pfn()). */
export function zone_spans_pfn(zone: zone, pfn: unsigned_long): bool {
	return pfn >= zone.zone_start_pfn && pfn < zone_end_pfn(zone);
}
