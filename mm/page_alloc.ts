// SPDX-License-Identifier: GPL-2.0-only
// The buddy allocator: blocks of 2^order pages, by zone.
// Linux 6.12: mm/page_alloc.c (with mm/page_owner.c and mm/page_poison.c, as far as they go)
// Left out: watermarks, reclaim and compaction, per-CPU lists, grouping by mobility (only CMA blocks are kept
// apart), migration (a page in use makes its contiguous range busy), memory cgroups, NUMA.

import { machine, schedule_point } from '#arch/arm64/kernel/setup.js';
import { cpu_context } from '#asm/current.js';
import {
	first_page_made,
	for_each_made_page,
	nth_page,
	page_to_pfn,
	page_to_phys,
	pfn_to_page,
	pfn_to_page_if_made,
	virt_to_page,
} from '#asm/memory.js';
import { get_order, PAGE_ALIGN } from '#asm/page.js';
import { PAGE_SIZE } from '#asm/page-def.js';
import { dump_stack } from '#lib/dump_stack.js';
import { WARN, WARN_ON_ONCE } from '#linux/bug.js';
import { dma_debug_hook } from '#linux/dma-mapping.js';
import { EBUSY, EINVAL } from '#linux/errno.js';
import {
	__GFP_COMP,
	__GFP_HIGHMEM,
	__GFP_MOVABLE,
	__GFP_NORETRY,
	__GFP_NOWARN,
	__GFP_ZERO,
	gfp_zone,
	gfpflags_allow_blocking,
	warn_if_node_offline,
} from '#linux/gfp.js';
import { boot_data, early_param } from '#linux/init.js';
import { HZ } from '#linux/jiffies.js';
import { kasan_poison_pages, kasan_unpoison_pages } from '#linux/kasan.js';
import { might_sleep_if } from '#linux/kernel.js';
import {
	list_add,
	list_add_tail,
	list_del,
	list_empty,
	list_first_entry,
	type list_head,
} from '#linux/list.js';
import { mm_state, page_zonenum, put_page_testzero, set_page_count, totalram_pages_add } from '#linux/mm.js';
import type { page } from '#linux/mm_types.js';
import {
	deferred_range,
	type free_area,
	MAX_NR_ZONES,
	MAX_ORDER_NR_PAGES,
	MAX_PAGE_ORDER,
	MIGRATE_CMA,
	MIGRATE_MOVABLE,
	type migratetype,
	PAGE_ALLOC_COSTLY_ORDER,
	pageblock_nr_pages,
	pageblock_order,
	pglist_data,
	ZONE_NORMAL,
	zone,
	zone_end_pfn,
	zone_names,
	zone_spans_pfn,
} from '#linux/mmzone.js';
import { NUMA_NO_NODE } from '#linux/numa.js';
import {
	__ClearPageBuddy,
	__ClearPageHead,
	__ClearPageReserved,
	__SetPageBuddy,
	__SetPageHead,
	compound_head,
	PageBuddy,
	PageHead,
	PageReserved,
	PageTail,
} from '#linux/page-flags.js';
import { pr_err, pr_info, pr_warn } from '#linux/printk.js';
import { __ratelimit, DEFINE_RATELIMIT_STATE } from '#linux/ratelimit.js';
import { spin_lock_irqsave, spin_unlock_irqrestore } from '#linux/spinlock.js';
import type { bool, gfp_t, int, size_t, u32, unsigned_int, unsigned_long, void_ptr } from '#linux/types.js';
import { should_fail_alloc_page } from '#mm/fail_page_alloc.js';
import { show_mem } from '#mm/show_mem.js';

export { get_page } from '#linux/mm.js';

/** Fill of a free page with page_poison=1. */
export const PAGE_POISON = 0xaa;

function new_node(): pglist_data {
	const node = new pglist_data();
	for (let i = 0; i < MAX_NR_ZONES; i++) {
		const z = new zone();
		z.idx = i;
		z.name = zone_names[i];
		node.node_zones.push(z);
	}
	return node;
}

const state = boot_data(() => ({
	contig_page_data: new_node(),
	poison: false as bool,
	/** Keep a stack trace for each allocated block. */
	owner: false as bool,
	stats: { allocated: 0, freed: 0, failed: 0, calls: 0 },
	nopage_rs: DEFINE_RATELIMIT_STATE(10 * HZ, 1),
}));

/**
 * Where the next pages come from. No twin in Linux, where time fragments memory.
 * linux: from the lowest free block of the highest allowed zone. scattered: from anywhere in a window, and
 * larger blocks only as compaction would bring them about: up to order 3, when the caller did not say __GFP_NORETRY.
 * page_placement=scattered[,seed[,max_order[,window in MiB]]] on the command line.
 */
export const page_placement = boot_data(() => ({
	mode: 'linux' as 'linux' | 'high' | 'scattered',
	seed: 1 as u32,
	/** Blocks up to this order are to be had without compaction. */
	max_order: 0 as u32,
	/** Pages of the part of each zone that scattered pages come from. */
	window: 32768 as unsigned_long,
	/** Frames that the next allocations get, in this order, when they are free and aligned. */
	next: [] as unsigned_long[],
}));

early_param('page_placement', (val) => {
	const [mode, seed, max_order, window] = (val ?? '').split(',');
	if (mode !== 'linux' && mode !== 'high' && mode !== 'scattered') return -EINVAL;
	const is_number = (s: string | undefined): bool => s === undefined || /^\d+$/.test(s);
	if (![seed, max_order, window].every(is_number) || Number(window ?? 1) === 0) return -EINVAL;
	page_placement.mode = mode;
	if (seed !== undefined) page_placement.seed = Number(seed) >>> 0 || 1;
	if (max_order !== undefined) page_placement.max_order = Number(max_order);
	if (window !== undefined) page_placement.window = Number(window) * (2 ** 20 / PAGE_SIZE);
	return 0;
});

early_param('page_poison', (val) => {
	state.poison = val === '1' || val === 'on' || val === 'y';
	return 0;
});

early_param('page_owner', (val) => {
	state.owner = val === '1' || val === 'on' || val === 'y';
	return 0;
});

/** The only node (mm/mm_init.c: contig_page_data). */
export function NODE_DATA(_nid: int): pglist_data {
	return state.contig_page_data;
}

/** The zone that @page is in (include/linux/mm.h: page_zone()). */
export function page_zone(page: page): zone {
	return state.contig_page_data.node_zones[page_zonenum(page)];
}

/** The zone that frame @pfn is in, null outside all zones. */
export function pfn_zone(pfn: unsigned_long): zone | null {
	for (const z of state.contig_page_data.node_zones) if (zone_spans_pfn(z, pfn)) return z;
	return null;
}

/** Zones that have pages, rising (include/linux/mmzone.h: for_each_populated_zone()). */
export function* for_each_populated_zone(): Iterable<zone> {
	for (const z of state.contig_page_data.node_zones) if (z.present_pages !== 0) yield z;
}

/** Whether devices that need ZONE_DMA can have pages of it (mm/page_alloc.c: has_managed_dma()). */
export function has_managed_dma(): bool {
	return state.contig_page_data.node_zones[0].managed_pages !== 0;
}

function pageblock_index(z: zone, pfn: unsigned_long): unsigned_long {
	return Math.floor(pfn / pageblock_nr_pages) - Math.floor(z.zone_start_pfn / pageblock_nr_pages);
}

/** MIGRATE_CMA or MIGRATE_MOVABLE (mm/page_alloc.c: get_pfnblock_migratetype()). */
export function get_pfnblock_migratetype(z: zone, pfn: unsigned_long): migratetype {
	return z.pageblock_flags[pageblock_index(z, pfn)] === MIGRATE_CMA ? MIGRATE_CMA : MIGRATE_MOVABLE;
}

/** Say whether the page block at @pfn is CMA's (mm/page_alloc.c: set_pageblock_migratetype()). */
export function set_pageblock_migratetype(z: zone, pfn: unsigned_long, type: migratetype): void {
	const index = pageblock_index(z, pfn);
	if (index >= z.pageblock_flags.length) {
		const longer = new Uint8Array(2 * (index + 1));
		longer.set(z.pageblock_flags);
		z.pageblock_flags = longer;
	}
	z.pageblock_flags[index] = type;
}

function buddy_list(area: free_area, type: migratetype): list_head<page> {
	return type === MIGRATE_CMA ? area.cma_list : area.free_list;
}

function account_free(z: zone, nr: unsigned_long, type: migratetype): void {
	z.nr_free_pages += nr;
	if (type === MIGRATE_CMA) z.nr_free_cma_pages += nr;
}

function add_to_free_list(page: page, z: zone, order: unsigned_int, type: migratetype, tail: bool): void {
	const area = z.free_area[order];
	page.private = order;
	__SetPageBuddy(page);
	if (tail) list_add_tail(page.lru, buddy_list(area, type));
	else list_add(page.lru, buddy_list(area, type));
	area.nr_free++;
	account_free(z, 2 ** order, type);
}

function del_page_from_free_list(page: page, z: zone, order: unsigned_int, type: migratetype): void {
	list_del(page.lru);
	__ClearPageBuddy(page);
	page.private = 0;
	z.free_area[order].nr_free--;
	account_free(z, -(2 ** order), type);
}

function buddy_of(pfn: unsigned_long, order: unsigned_int): unsigned_long {
	const size = 2 ** order;
	return Math.floor(pfn / size) % 2 === 0 ? pfn + size : pfn - size;
}

/** Put a block on the free lists, joined with its buddy as often as that is free (mm/page_alloc.c: __free_one_page()). */
function __free_one_page(pfn: unsigned_long, z: zone, order: unsigned_int, tail: bool): void {
	const type = get_pfnblock_migratetype(z, pfn);
	while (order < MAX_PAGE_ORDER) {
		const buddy_pfn = buddy_of(pfn, order);
		const buddy = pfn_to_page_if_made(buddy_pfn);
		if (buddy === null || !PageBuddy(buddy) || buddy.private !== order) break;
		if (!zone_spans_pfn(z, buddy_pfn)) break;
		// A block is CMA's or it is not.
		if (order >= pageblock_order && get_pfnblock_migratetype(z, buddy_pfn) !== type) break;
		del_page_from_free_list(buddy, z, order, type);
		pfn = Math.min(pfn, buddy_pfn);
		order++;
	}
	add_to_free_list(pfn_to_page(pfn), z, order, type, tail);
}

/** Give the upper halves of a block of order @high back until @low is left (mm/page_alloc.c: expand()). */
function expand(z: zone, page: page, low: unsigned_int, high: unsigned_int, type: migratetype): void {
	while (high > low) {
		high--;
		add_to_free_list(nth_page(page, 2 ** high), z, high, type, false);
	}
}

/**
 * The whole blocks that start..end begins with are free, and go on the lists when these are empty; they count as free
 * from now on. What of memory is never used costs nothing. Linux has this for struct pages, as
 * CONFIG_DEFERRED_STRUCT_PAGE_INIT; the order in which blocks are handed out is the same here.
 *
 * Returns how many pages that were: 0 when start..end does not begin with a whole block of one zone.
 */
export function defer_free_blocks(start: unsigned_long, end: unsigned_long): unsigned_long {
	const z = start % MAX_ORDER_NR_PAGES === 0 ? pfn_zone(start) : null;
	if (z === null) return 0;
	const last = Math.min(end, zone_end_pfn(z));
	const nr = last - start - ((last - start) % MAX_ORDER_NR_PAGES);
	if (nr === 0) return 0;
	z.deferred.push(new deferred_range(start, start + nr));
	z.managed_pages += nr;
	totalram_pages_add(nr);
	z.free_area[MAX_PAGE_ORDER].nr_free += nr / MAX_ORDER_NR_PAGES;
	account_free(z, nr, MIGRATE_MOVABLE);
	return nr;
}

/** Put the block at @pfn, of the @index-th of the deferred ranges, on its list. */
function undefer_block(z: zone, index: int, pfn: unsigned_long): page {
	const range = z.deferred[index];
	const after = new deferred_range(pfn + MAX_ORDER_NR_PAGES, range.end);
	range.end = pfn;
	z.deferred.splice(index, 1, ...[range, after].filter((r) => r.start < r.end));
	const page = pfn_to_page(pfn);
	// It has been counted.
	z.free_area[MAX_PAGE_ORDER].nr_free--;
	account_free(z, -MAX_ORDER_NR_PAGES, MIGRATE_MOVABLE);
	add_to_free_list(page, z, MAX_PAGE_ORDER, MIGRATE_MOVABLE, true);
	return page;
}

/** The lists are empty: the next deferred block; null without (mm/page_alloc.c: _deferred_grow_zone()). */
function _deferred_grow_zone(z: zone): page | null {
	return z.deferred.length === 0 ? null : undefer_block(z, 0, z.deferred[0].start);
}

/** The block that frame @pfn is in when that is a deferred one, from now on on its list. */
function deferred_block_of(pfn: unsigned_long): page | null {
	const z = pfn_zone(pfn);
	const index = z === null ? -1 : z.deferred.findIndex((r) => pfn >= r.start && pfn < r.end);
	return z === null || index < 0 ? null : undefer_block(z, index, pfn - (pfn % MAX_ORDER_NR_PAGES));
}

/** The block on a free list that frame @pfn is in; null: it is in use, or in a deferred one. */
function listed_block_of(pfn: unsigned_long): page | null {
	for (let order = 0; order <= MAX_PAGE_ORDER; order++) {
		const head = pfn_to_page_if_made(pfn - (pfn % 2 ** order));
		if (head !== null && PageBuddy(head)) return pfn < head.pfn + 2 ** head.private ? head : null;
	}
	return null;
}

/** The free block that frame @pfn is in, null when the frame is in use. */
function free_block_of(pfn: unsigned_long): page | null {
	return listed_block_of(pfn) ?? deferred_block_of(pfn);
}

/** Whether @page is in a block on a free list (mm/page_alloc.c: is_free_buddy_page()). */
export function is_free_buddy_page(page: page): bool {
	return listed_block_of(page.pfn) !== null;
}

/** Cut the block of order @order at @pfn out of the free block @head (mm/page_alloc.c: break_down_buddy_pages()). */
function take_block_at(z: zone, head: page, pfn: unsigned_long, order: unsigned_int): page {
	const type = get_pfnblock_migratetype(z, pfn);
	let high = head.private;
	let at = head.pfn;
	del_page_from_free_list(head, z, high, type);
	while (high > order) {
		high--;
		const half = 2 ** high;
		if (pfn >= at + half) {
			add_to_free_list(pfn_to_page(at), z, high, type, false);
			at += half;
		} else {
			add_to_free_list(pfn_to_page(at + half), z, high, type, false);
		}
	}
	return pfn_to_page(at);
}

/** The smallest free block of at least @order, at the front of its list (mm/page_alloc.c: __rmqueue_smallest()). */
function __rmqueue_smallest(z: zone, order: unsigned_int, type: migratetype): page | null {
	for (let current = order; current <= MAX_PAGE_ORDER; current++) {
		const list = buddy_list(z.free_area[current], type);
		if (list_empty(list)) continue;
		const page = list_first_entry(list);
		del_page_from_free_list(page, z, current, type);
		expand(z, page, order, current, type);
		return page;
	}
	if (type !== MIGRATE_MOVABLE || _deferred_grow_zone(z) === null) return null;
	return __rmqueue_smallest(z, order, type);
}

/** The free block with the highest frame; a search, for the 'high' placement only. */
function __rmqueue_highest(z: zone, order: unsigned_int): page | null {
	let best: page | null = null;
	for (let current = order; current <= MAX_PAGE_ORDER; current++) {
		const list = z.free_area[current].free_list;
		for (let pos = list.next; pos !== list; pos = pos.next) {
			const page = pos.container as page;
			if (best === null || page.pfn > best.pfn) best = page;
		}
	}
	const last = z.deferred.at(-1);
	if (last !== undefined && (best === null || last.end > best.pfn))
		best = undefer_block(z, z.deferred.length - 1, last.end - MAX_ORDER_NR_PAGES);
	if (best === null) return null;
	return take_block_at(z, best, best.pfn + 2 ** best.private - 2 ** order, order);
}

/** xorshift32 over page_placement.seed. */
function next_random(): u32 {
	let x = page_placement.seed;
	x ^= x << 13;
	x ^= x >>> 17;
	x ^= x << 5;
	page_placement.seed = x >>> 0;
	return page_placement.seed;
}

/** A block from somewhere in the middle of the zone; null when luck does not find one. */
function __rmqueue_scattered(z: zone, order: unsigned_int): page | null {
	const window = Math.min(page_placement.window, z.spanned_pages);
	const base = z.zone_start_pfn + Math.floor((z.spanned_pages - window) / 2);
	for (let tries = 0; tries < 64; tries++) {
		const at = base + (next_random() % window);
		const pfn = at - (at % 2 ** order);
		const head = free_block_of(pfn);
		if (head === null || head.private < order || !zone_spans_pfn(z, pfn)) continue;
		if (get_pfnblock_migratetype(z, pfn) === MIGRATE_CMA) continue;
		return take_block_at(z, head, pfn, order);
	}
	return null;
}

function rmqueue(z: zone, order: unsigned_int, gfp_mask: gfp_t): page | null {
	if (page_placement.mode === 'scattered') {
		if (order > page_placement.max_order && (order > PAGE_ALLOC_COSTLY_ORDER || gfp_mask & __GFP_NORETRY))
			return null;
		const page = __rmqueue_scattered(z, order);
		if (page !== null) return page;
	} else if (page_placement.mode === 'high') {
		return __rmqueue_highest(z, order);
	}
	const page = __rmqueue_smallest(z, order, MIGRATE_MOVABLE);
	if (page !== null) return page;
	// CMA's pages are lent to those who could be moved away.
	return gfp_mask & __GFP_MOVABLE ? __rmqueue_smallest(z, order, MIGRATE_CMA) : null;
}

/** The block that page_placement.next asks for; null when there is no wish or it cannot be met. */
function rmqueue_placed(order: unsigned_int, highest: int): page | null {
	const pfn = page_placement.next.shift();
	if (pfn === undefined || pfn % 2 ** order !== 0) return null;
	const z = pfn_zone(pfn);
	if (z === null || z.idx > highest) return null;
	const flags = spin_lock_irqsave(z.lock);
	const head = free_block_of(pfn);
	const page = head === null || head.private < order ? null : take_block_at(z, head, pfn, order);
	spin_unlock_irqrestore(z.lock, flags);
	return page;
}

/** Search the zones from the highest that @gfp_mask allows downwards (mm/page_alloc.c: get_page_from_freelist()). */
function get_page_from_freelist(gfp_mask: gfp_t, order: unsigned_int): page | null {
	const highest = Math.min(gfp_zone(gfp_mask), ZONE_NORMAL);
	if (page_placement.next.length !== 0) {
		const placed = rmqueue_placed(order, highest);
		if (placed !== null) return placed;
	}
	for (let i = highest; i >= 0; i--) {
		const z = state.contig_page_data.node_zones[i];
		if (z.managed_pages === 0) continue;
		const flags = spin_lock_irqsave(z.lock);
		const page = rmqueue(z, order, gfp_mask);
		spin_unlock_irqrestore(z.lock, flags);
		if (page !== null) return page;
	}
	return null;
}

/** Zero pages as clear_page() does, with dc zva: whatever was cached of them, the lines are now zero and dirty. */
function clear_pages(page: page, nr: unsigned_long): void {
	machine.memory.zero(page_to_phys(page), nr * PAGE_SIZE);
}

function poison_pages(page: page, nr: unsigned_long): void {
	const phys = page_to_phys(page);
	for (let i = 0; i < nr; i++) machine.memory.linear(phys + i * PAGE_SIZE, PAGE_SIZE)?.fill(PAGE_POISON);
	// In memory too: a device that still writes there is seen.
	machine.memory.evict(phys, nr * PAGE_SIZE);
}

/** Check those pages of a block that were poisoned when they were freed: not all need be, it may have grown. */
function check_poison(page: page, nr: unsigned_long): void {
	const phys = page_to_phys(page);
	for (let i = 0; i < nr; i++) {
		const p = nth_page(page, i);
		if (p.alloc_site !== POISONED) continue;
		p.alloc_site = null;
		const view = machine.memory.linear(phys + i * PAGE_SIZE, PAGE_SIZE);
		const bad = view?.findIndex((b) => b !== PAGE_POISON) ?? -1;
		if (bad >= 0) WARN(true, 'pagealloc: memory corruption at %pa', phys + i * PAGE_SIZE + bad);
	}
}

function prep_compound_page(page: page, order: unsigned_int): void {
	__SetPageHead(page);
	page.compound_order = order;
	for (let i = 1; i < 2 ** order; i++) nth_page(page, i).compound_head = page;
}

/** Make a block that left the free lists the caller's (mm/page_alloc.c: prep_new_page()). */
function prep_new_page(page: page, order: unsigned_int, gfp_flags: gfp_t): void {
	const nr = 2 ** order;
	const phys = page_to_phys(page);
	page.private = 0;
	set_page_count(page, 1);
	// Lines that were cached long ago are gone by now, and must not pass for the new owner's.
	if (state.poison || !(gfp_flags & __GFP_ZERO)) machine.memory.evict(phys, nr * PAGE_SIZE);
	if (state.poison) check_poison(page, nr);
	if (gfp_flags & __GFP_ZERO) clear_pages(page, nr);
	kasan_unpoison_pages(page, order, (gfp_flags & __GFP_ZERO) !== 0);
	if (order !== 0 && gfp_flags & __GFP_COMP) prep_compound_page(page, order);
	page.alloc_site = state.owner ? { order, stack: new Error('allocated').stack ?? '' } : null;
}

/** Stands in alloc_site of a free page that was poisoned. */
const POISONED = { order: 0, stack: 'free' };

/** Tell about an allocation that failed, once in ten seconds (mm/page_alloc.c: warn_alloc()). */
function warn_alloc(gfp_mask: gfp_t, order: unsigned_int): void {
	if ((gfp_mask & __GFP_NOWARN) !== 0 || __ratelimit(state.nopage_rs, 'warn_alloc') === 0) return;
	pr_warn(
		'%s: page allocation failure: order:%u, mode:%#x(%pGg), nodemask=(null)',
		cpu_context.current.comm,
		order,
		gfp_mask,
		gfp_mask,
	);
	dump_stack();
	show_mem();
}

/**
 * Allocate 2^order pages that are contiguous and aligned to their size (mm/page_alloc.c: __alloc_pages_noprof()).
 * Null when there are none; then a message, unless __GFP_NOWARN. May sleep with __GFP_DIRECT_RECLAIM.
 */
export function __alloc_pages(
	gfp: gfp_t,
	order: unsigned_int,
	_preferred_nid: int,
	_nodemask: object | null,
): page | null {
	if (order > MAX_PAGE_ORDER) {
		if (!(gfp & __GFP_NOWARN)) WARN_ON_ONCE(true);
		return null;
	}
	might_sleep_if(gfpflags_allow_blocking(gfp));
	schedule_point('alloc', order);
	state.stats.calls++;
	const page = should_fail_alloc_page(gfp, order) ? null : get_page_from_freelist(gfp, order);
	if (page === null) {
		state.stats.failed++;
		warn_alloc(gfp, order);
		return null;
	}
	prep_new_page(page, order, gfp);
	state.stats.allocated += 2 ** order;
	return page;
}

/** Allocate 2^order pages (include/linux/gfp.h: alloc_pages()). */
export function alloc_pages(gfp: gfp_t, order: unsigned_int): page | null {
	return __alloc_pages(gfp, order, 0, null);
}

/** alloc_pages() on node @nid, which must be one (include/linux/gfp.h: __alloc_pages_node()). */
export function __alloc_pages_node(nid: int, gfp_mask: gfp_t, order: unsigned_int): page | null {
	warn_if_node_offline(nid, gfp_mask);
	return __alloc_pages(gfp_mask, order, nid, null);
}

/** The same; NUMA_NO_NODE is the CPU's own node (include/linux/gfp.h: alloc_pages_node()). */
export function alloc_pages_node(nid: int, gfp_mask: gfp_t, order: unsigned_int): page | null {
	return __alloc_pages_node(nid === NUMA_NO_NODE ? 0 : nid, gfp_mask, order);
}

/** alloc_pages() of one (include/linux/gfp.h: alloc_page()). */
export function alloc_page(gfp: gfp_t): page | null {
	return __alloc_pages(gfp, 0, 0, null);
}

/** The linear address of 2^order pages, or null (mm/page_alloc.c: get_free_pages_noprof()). */
export function __get_free_pages(gfp_mask: gfp_t, order: unsigned_int): void_ptr | null {
	const page = alloc_pages(gfp_mask & ~__GFP_HIGHMEM, order);
	return page === null ? null : machine.memory.linear(page_to_phys(page), PAGE_SIZE * 2 ** order);
}

/** __get_free_pages() of one (include/linux/gfp.h: __get_free_page()). */
export function __get_free_page(gfp_mask: gfp_t): void_ptr | null {
	return __get_free_pages(gfp_mask, 0);
}

/** The linear address of one page of zeros, or null (include/linux/gfp.h: get_zeroed_page()). */
export function get_zeroed_page(gfp_mask: gfp_t): void_ptr | null {
	return __get_free_pages(gfp_mask | __GFP_ZERO, 0);
}

/** Report a page that is not in the state that it should be in (mm/page_alloc.c: bad_page()). */
function bad_page(page: page, reason: string): void {
	WARN(
		true,
		'BUG: Bad page state in process swapper/0  pfn:%05lx\npage dumped because: %s',
		page.pfn,
		reason,
	);
}

/** Check and strip a block that is about to be freed; false when it may not be. */
function free_pages_prepare(page: page, order: unsigned_int): bool {
	const nr = 2 ** order;
	if (PageReserved(page)) {
		bad_page(page, 'PAGE_FLAGS_CHECK_AT_FREE flag(s) set');
		return false;
	}
	if (PageHead(page)) {
		if (page.compound_order !== order) {
			bad_page(page, 'wrong compound order');
			return false;
		}
		__ClearPageHead(page);
		page.compound_order = 0;
		for (let i = 1; i < nr; i++) nth_page(page, i).compound_head = null;
	} else if (PageTail(page)) {
		bad_page(page, 'PageTail');
		return false;
	}
	if (page.pfn % nr !== 0) {
		bad_page(page, 'not aligned to its order');
		return false;
	}
	for (let i = 1; i < nr; i++) {
		const tail = pfn_to_page_if_made(page.pfn + i);
		if (tail !== null && (tail._refcount.counter !== 0 || PageBuddy(tail))) {
			bad_page(tail, 'nonzero _refcount');
			return false;
		}
	}
	dma_debug_hook.memory_freed?.(page_to_phys(page), nr * PAGE_SIZE);
	page.private = 0;
	page.owner = null;
	page.alloc_site = null;
	if (state.poison) {
		poison_pages(page, nr);
		for (let i = 0; i < nr; i++) nth_page(page, i).alloc_site = POISONED;
	}
	kasan_poison_pages(page, order, false);
	return true;
}

function __free_pages_ok(page: page, order: unsigned_int): void {
	if (!free_pages_prepare(page, order)) return;
	const z = page_zone(page);
	const flags = spin_lock_irqsave(z.lock);
	__free_one_page(page_to_pfn(page), z, order, false);
	spin_unlock_irqrestore(z.lock, flags);
	state.stats.freed += 2 ** order;
}

/** Drop the caller's reference; the last one frees the block (mm/page_alloc.c: __free_pages()). */
export function __free_pages(page: page, order: unsigned_int): void {
	if (WARN_ON_ONCE(order > MAX_PAGE_ORDER)) return;
	if (PageBuddy(page) || page._refcount.counter <= 0) {
		bad_page(page, 'freed twice');
		return;
	}
	const head = PageHead(page);
	if (put_page_testzero(page)) __free_pages_ok(page, order);
	else if (!head) {
		// Someone else holds the first page; the others have only this reference.
		while (order-- > 0) __free_pages_ok(nth_page(page, 2 ** order), order);
	}
}

/** __free_pages() of one (include/linux/gfp.h: __free_page()). */
export function __free_page(page: page): void {
	__free_pages(page, 0);
}

/** __free_pages() by address; null is nothing to free (mm/page_alloc.c: free_pages()). */
export function free_pages(addr: void_ptr | null, order: unsigned_int): void {
	if (addr !== null) __free_pages(virt_to_page(addr), order);
}

/** free_pages() of one (include/linux/gfp.h: free_page()). */
export function free_page(addr: void_ptr | null): void {
	free_pages(addr, 0);
}

/** Drop a reference, whatever block the page belongs to (include/linux/mm.h: put_page()). */
export function put_page(page: page): void {
	const head = compound_head(page);
	__free_pages(head, PageHead(head) ? head.compound_order : 0);
}

/** Make the 2^order pages of a block single ones, each with a reference (mm/page_alloc.c: split_page()). */
export function split_page(page: page, order: unsigned_int): void {
	const site = page.alloc_site;
	for (let i = 1; i < 2 ** order; i++) {
		const p = nth_page(page, i);
		set_page_count(p, 1);
		p.alloc_site = site;
	}
}

/** Pages for @size bytes, not more, by linear address (mm/page_alloc.c: alloc_pages_exact_noprof()). */
export function alloc_pages_exact(size: size_t, gfp_mask: gfp_t): void_ptr | null {
	const order = get_order(size);
	if (WARN_ON_ONCE(gfp_mask & (__GFP_COMP | __GFP_HIGHMEM))) gfp_mask &= ~(__GFP_COMP | __GFP_HIGHMEM);
	const page = alloc_pages(gfp_mask, order);
	if (page === null) return null;
	split_page(page, order);
	const used = PAGE_ALIGN(size) / PAGE_SIZE;
	for (let i = used; i < 2 ** order; i++) __free_page(nth_page(page, i));
	return machine.memory.linear(page_to_phys(page), PAGE_ALIGN(size));
}

/** Free what alloc_pages_exact() gave (mm/page_alloc.c: free_pages_exact()). */
export function free_pages_exact(virt: void_ptr, size: size_t): void {
	const page = virt_to_page(virt);
	for (let i = 0; i < PAGE_ALIGN(size) / PAGE_SIZE; i++) __free_page(nth_page(page, i));
}

/**
 * Take exactly the frames start..end out of the free lists (mm/page_alloc.c: alloc_contig_range_noprof()).
 * -EBUSY when one of them is in use, and then nothing is taken. Each page comes with one reference.
 */
export function alloc_contig_range(
	start: unsigned_long,
	end: unsigned_long,
	_migratetype: migratetype,
	gfp_mask: gfp_t,
): int {
	const z = pfn_zone(start);
	if (z === null || start >= end || !zone_spans_pfn(z, end - 1)) return -EINVAL;
	might_sleep_if(gfpflags_allow_blocking(gfp_mask));
	schedule_point('alloc', end - start);
	if (should_fail_alloc_page(gfp_mask, 0)) return -EBUSY;
	const flags = spin_lock_irqsave(z.lock);
	for (let pfn = start; pfn < end; ) {
		const head = free_block_of(pfn);
		if (head === null) {
			spin_unlock_irqrestore(z.lock, flags);
			return -EBUSY;
		}
		pfn = head.pfn + 2 ** head.private;
	}
	for (let pfn = start; pfn < end; ) {
		const head = free_block_of(pfn) as page;
		let order = 0;
		while (order < head.private && pfn % 2 ** (order + 1) === 0 && pfn + 2 ** (order + 1) <= end) order++;
		const page = take_block_at(z, head, pfn, order);
		prep_new_page(page, order, gfp_mask & ~__GFP_COMP);
		split_page(page, order);
		pfn += 2 ** order;
	}
	spin_unlock_irqrestore(z.lock, flags);
	state.stats.allocated += end - start;
	return 0;
}

/** Give frames back one by one (mm/page_alloc.c: free_contig_range()). */
export function free_contig_range(pfn: unsigned_long, nr_pages: unsigned_long): void {
	let busy = 0;
	for (let i = 0; i < nr_pages; i++) {
		const page = pfn_to_page(pfn + i);
		if (page._refcount.counter !== 1) busy++;
		__free_page(page);
	}
	WARN(busy !== 0, '%lu pages are still in use!', busy);
}

/** Hand boot memory to the allocator (mm/page_alloc.c: __free_pages_core()). */
export function __free_pages_core(pfn: unsigned_long, order: unsigned_int): void {
	const z = pfn_zone(pfn);
	if (z === null) return;
	z.managed_pages += 2 ** order;
	totalram_pages_add(2 ** order);
	__free_one_page(pfn, z, order, true);
}

/** Give a page block that a CMA area reserved to the allocator, to be lent (mm/mm_init.c: init_cma_reserved_pageblock()). */
export function init_cma_reserved_pageblock(page: page): void {
	const z = page_zone(page);
	const pfn = page_to_pfn(page);
	set_pageblock_migratetype(z, pfn, MIGRATE_CMA);
	const end = pfn + pageblock_nr_pages;
	for (let p = first_page_made(pfn, end); p !== null; p = first_page_made(page_to_pfn(p) + 1, end)) {
		__ClearPageReserved(p);
		set_page_count(p, 0);
	}
	z.cma_pages += pageblock_nr_pages;
	z.managed_pages += pageblock_nr_pages;
	totalram_pages_add(pageblock_nr_pages);
	__free_one_page(pfn, z, pageblock_order, true);
}

/** Give a single reserved page to the allocator (include/linux/mm.h: free_reserved_page()). */
export function free_reserved_page(page: page): void {
	const z = page_zone(page);
	__ClearPageReserved(page);
	set_page_count(page, 0);
	z.managed_pages++;
	totalram_pages_add(1);
	__free_one_page(page_to_pfn(page), z, 0, false);
}

/** The order in which zones are searched is fixed; say how many pages they have (mm/page_alloc.c: build_all_zonelists()). */
export function build_all_zonelists(_pgdat: pglist_data | null): void {
	const total = state.contig_page_data.node_zones.reduce((sum, z) => sum + z.present_pages, 0);
	pr_info('Built %u zonelists, mobility grouping %s.  Total pages: %ld', 1, 'on', total);
}

/** Free pages of all zones, CMA's included (include/linux/vmstat.h: global_zone_page_state(NR_FREE_PAGES)). */
export function nr_free_pages(): unsigned_long {
	return state.contig_page_data.node_zones.reduce((sum, z) => sum + z.nr_free_pages, 0);
}

/** Free pages of CMA areas (include/linux/vmstat.h, NR_FREE_CMA_PAGES). */
export function nr_free_cma_pages(): unsigned_long {
	return state.contig_page_data.node_zones.reduce((sum, z) => sum + z.nr_free_cma_pages, 0);
}

/** Pages that are allocated now: what the allocator was given, less what is free. */
export function nr_used_pages(): unsigned_long {
	return mm_state.totalram_pages - nr_free_pages();
}

/** Counters of calls, pages and failures since boot. */
export function page_alloc_stats(): Readonly<typeof state.stats> {
	return state.stats;
}

/** Record who allocates from now on; page_owner=on does so from boot (mm/page_owner.c). */
export function set_page_owner_enabled(on: bool): void {
	state.owner = on;
}

/** Fill free pages and check them from now on; page_poison=1 does so from boot (mm/page_poison.c). */
export function set_page_poison_enabled(on: bool): void {
	state.poison = on;
}

/** Log each allocated block that page_owner knows, for leak reports; the number of them. */
export function page_owner_report(): int {
	let count = 0;
	for (const p of for_each_made_page()) {
		const site = p.alloc_site as { order: int; stack: string } | null;
		if (site === null || site === POISONED || p._refcount.counter === 0) continue;
		count++;
		pr_err('page %pa: order %d, still allocated\n%s', page_to_phys(p), site.order, site.stack);
	}
	return count;
}
