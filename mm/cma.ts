// SPDX-License-Identifier: GPL-2.0-only
// Contiguous memory areas: reserved at boot, lent out until they are wanted.
// Linux 6.12: mm/cma.c
// Left out: trace events, folios, debugfs and sysfs (counters are in cma.stats); moving pages out of the way.
import { page_to_pfn, pfn_to_page, pfn_valid } from '#asm/memory.js';
import { PAGE_SHIFT, PAGE_SIZE } from '#asm/page-def.js';
import {
	bitmap_clear,
	bitmap_find_next_zero_area_off,
	bitmap_free,
	bitmap_set,
	bitmap_zalloc,
	find_next_bit,
	find_next_zero_bit,
} from '#linux/bitmap.js';
import { BUG_ON, WARN_ON_ONCE } from '#linux/bug.js';
import { CMA_MAX_NAME, CMA_MIN_ALIGNMENT_BYTES, cma, cma_bitmap_maxno, MAX_CMA_AREAS } from '#linux/cma.js';
import { EBUSY, EINVAL, ENOMEM, ENOSPC } from '#linux/errno.js';
import { __GFP_NOWARN, GFP_KERNEL } from '#linux/gfp.js';
import { boot_data, core_initcall } from '#linux/init.js';
import { is_power_of_2 } from '#linux/log2.js';
import { mm_state } from '#linux/mm.js';
import type { page } from '#linux/mm_types.js';
import { MIGRATE_CMA, pageblock_nr_pages } from '#linux/mmzone.js';
import { DEFINE_MUTEX, mutex_lock, mutex_unlock } from '#linux/mutex.js';
import { PFN_DOWN } from '#linux/pfn.js';
import { pr_cont, pr_debug, pr_err, pr_err_ratelimited, pr_info } from '#linux/printk.js';
import {
	spin_lock_irq,
	spin_lock_irqsave,
	spin_unlock_irq,
	spin_unlock_irqrestore,
} from '#linux/spinlock.js';
import type {
	bool,
	gfp_t,
	int,
	long,
	phys_addr_t,
	ref,
	s64,
	unsigned_int,
	unsigned_long,
} from '#linux/types.js';
import {
	memblock_alloc_range_nid,
	memblock_bottom_up,
	memblock_end_of_DRAM,
	memblock_is_region_reserved,
	memblock_make_piece,
	memblock_phys_free,
	memblock_reserve,
	memblock_set_bottom_up,
} from '#mm/memblock.js';
import {
	alloc_contig_range,
	free_contig_range,
	free_reserved_page,
	init_cma_reserved_pageblock,
	pfn_zone,
} from '#mm/page_alloc.js';

export type { cma };

const SZ_4G = 0x1_0000_0000;
const SZ_1M = 0x10_0000;

const state = boot_data(() => ({
	cma_areas: [] as cma[],
	cma_mutex: DEFINE_MUTEX('cma_mutex'),
}));

/** Where the area begins (mm/cma.c: cma_get_base()). */
export function cma_get_base(cma: cma): phys_addr_t {
	return cma.base_pfn * PAGE_SIZE;
}

/** The bytes of the area (mm/cma.c: cma_get_size()). */
export function cma_get_size(cma: cma): unsigned_long {
	return cma.count * PAGE_SIZE;
}

/** The name of the area (mm/cma.c: cma_get_name()). */
export function cma_get_name(cma: cma): string {
	return cma.name;
}

/** The areas in use, in order of creation (C: cma_areas[] up to cma_area_count). */
export function cma_area_list(): readonly cma[] {
	return state.cma_areas;
}

/** Bits of the bitmap that must be zero in a bit number aligned to 2^@align_order pages, less the area's offset. */
function cma_bitmap_aligned_mask(cma: cma, align_order: unsigned_int): unsigned_long {
	if (align_order <= cma.order_per_bit) return 0;
	return 2 ** (align_order - cma.order_per_bit) - 1;
}

/** How far the area's base is from an alignment of 2^@align_order pages, in bits. */
function cma_bitmap_aligned_offset(cma: cma, align_order: unsigned_int): unsigned_long {
	return Math.floor((cma.base_pfn % 2 ** align_order) / 2 ** cma.order_per_bit);
}

function cma_bitmap_pages_to_bits(cma: cma, pages: unsigned_long): unsigned_long {
	return Math.ceil(pages / 2 ** cma.order_per_bit);
}

function cma_clear_bitmap(cma: cma, pfn: unsigned_long, count: unsigned_long): void {
	const bitmap_no = Math.floor((pfn - cma.base_pfn) / 2 ** cma.order_per_bit);
	const bitmap_count = cma_bitmap_pages_to_bits(cma, count);
	const flags = spin_lock_irqsave(cma.lock);
	if (cma.bitmap !== null) bitmap_clear(cma.bitmap, bitmap_no, bitmap_count);
	spin_unlock_irqrestore(cma.lock, flags);
}

/** An area that cannot be used: its pages go to the page allocator for good, unless its owner keeps them. */
function cma_abandon(cma: cma): void {
	if (!cma.reserve_pages_on_error) {
		for (let i = 0; i < cma.count; i++) free_reserved_page(pfn_to_page(cma.base_pfn + i));
	}
	mm_state.totalcma_pages -= cma.count;
	cma.count = 0;
	pr_err('cma: CMA area %s could not be activated', cma.name);
}

/** Lend the area's pages to the page allocator, page block by page block (mm/cma.c: cma_activate_area()). */
function cma_activate_area(cma: cma): void {
	const end = cma.base_pfn + cma.count;
	const z = pfn_zone(cma.base_pfn);
	const bitmap = bitmap_zalloc(cma_bitmap_maxno(cma), GFP_KERNEL);
	WARN_ON_ONCE(!pfn_valid(cma.base_pfn));
	// A range is taken from one zone only.
	if (bitmap === null || z === null || z !== pfn_zone(end - 1)) {
		bitmap_free(bitmap);
		cma_abandon(cma);
		return;
	}
	cma.bitmap = bitmap;
	for (let pfn = cma.base_pfn; pfn < end; pfn += pageblock_nr_pages)
		init_cma_reserved_pageblock(pfn_to_page(pfn));
}

/** When slab works: make each area usable (mm/cma.c: cma_init_reserved_areas()). */
function cma_init_reserved_areas(): int {
	for (const area of state.cma_areas) cma_activate_area(area);
	return 0;
}
core_initcall(cma_init_reserved_areas);

/** Keep the area's pages to itself if it cannot be activated (mm/cma.c: cma_reserve_pages_on_error()). */
export function cma_reserve_pages_on_error(cma: cma): void {
	cma.reserve_pages_on_error = true;
}

/**
 * Make an area of memory that memblock has reserved already (mm/cma.c: cma_init_reserved_mem()).
 * -ENOSPC: all areas are in use; -EINVAL: nothing reserved there, or not aligned to CMA_MIN_ALIGNMENT_BYTES; -EBUSY: a
 * part of it is another area's.
 */
export function cma_init_reserved_mem(
	base: phys_addr_t,
	size: phys_addr_t,
	order_per_bit: unsigned_int,
	name: string | null,
	res_cma: ref<cma | null>,
): int {
	if (state.cma_areas.length === MAX_CMA_AREAS) {
		pr_err('cma: Not enough slots for CMA reserved regions!');
		return -ENOSPC;
	}
	if (size === 0 || !memblock_is_region_reserved(base, size)) return -EINVAL;
	if (base % CMA_MIN_ALIGNMENT_BYTES !== 0 || size % CMA_MIN_ALIGNMENT_BYTES !== 0) return -EINVAL;

	const area = new cma();
	area.name = (name ?? `cma${state.cma_areas.length}\n`).slice(0, CMA_MAX_NAME - 1);
	area.base_pfn = PFN_DOWN(base);
	area.count = size / 2 ** PAGE_SHIFT;
	area.order_per_bit = order_per_bit;
	const err = memblock_make_piece(base, size);
	if (err !== 0) return err;
	res_cma.value = area;
	state.cma_areas.push(area);
	mm_state.totalcma_pages += area.count;
	return 0;
}

/** Reserve the place of an area; 0 when there is none. */
function cma_reserve_range(
	base: phys_addr_t,
	size: phys_addr_t,
	limit: phys_addr_t,
	alignment: phys_addr_t,
	nid: int,
): phys_addr_t {
	// With memory above 4 GiB to spare, stay out of the zones that limited devices need.
	if (!memblock_bottom_up() && memblock_end_of_DRAM() >= SZ_4G + size) {
		memblock_set_bottom_up(true);
		const addr = memblock_alloc_range_nid(size, alignment, SZ_4G, limit, nid, true);
		memblock_set_bottom_up(false);
		if (addr !== 0) return addr;
	}
	return memblock_alloc_range_nid(size, alignment, base, limit, nid, true);
}

/** Take the place of an area from memblock, at @base when @fixed: where it is, -EBUSY or -ENOMEM. */
function cma_reserve(
	base: phys_addr_t,
	size: phys_addr_t,
	limit: phys_addr_t,
	alignment: phys_addr_t,
	fixed: bool,
	nid: int,
): s64 {
	if (!fixed) {
		const at = cma_reserve_range(base, size, limit, alignment, nid);
		return at === 0 ? -ENOMEM : at;
	}
	const taken = memblock_is_region_reserved(base, size) || memblock_reserve(base, size) < 0;
	return taken ? -EBUSY : base;
}

function cma_not_reserved(err: int, size: phys_addr_t, nid: int): int {
	pr_err('cma: Failed to reserve %ld MiB on node %d', Math.floor(size / SZ_1M), nid);
	return err;
}

/**
 * Reserve memory and make an area of it (mm/cma.c: cma_declare_contiguous_nid()).
 * With @fixed at exactly @base, else somewhere from @base up to @limit (0: anywhere).
 */
export function cma_declare_contiguous_nid(
	base: phys_addr_t,
	size: phys_addr_t,
	limit: phys_addr_t,
	alignment: phys_addr_t,
	order_per_bit: unsigned_int,
	fixed: bool,
	name: string,
	res_cma: ref<cma | null>,
	nid: int,
): int {
	pr_debug(
		'cma: %s(size %pa, base %pa, limit %pa alignment %pa)',
		'cma_declare_contiguous_nid',
		size,
		base,
		limit,
		alignment,
	);
	if (state.cma_areas.length === MAX_CMA_AREAS) {
		pr_err('cma: Not enough slots for CMA reserved regions!');
		return -ENOSPC;
	}
	if (size === 0 || (alignment !== 0 && !is_power_of_2(alignment))) return -EINVAL;

	const align = Math.max(alignment, CMA_MIN_ALIGNMENT_BYTES);
	const first = Math.ceil(base / align) * align;
	if (fixed && first !== base) {
		pr_err('cma: Region at %pa must be aligned to %pa bytes', base, align);
		return cma_not_reserved(-EINVAL, size, nid);
	}
	const bytes = Math.ceil(size / align) * align;
	if ((bytes / PAGE_SIZE) % 2 ** order_per_bit !== 0) return -EINVAL;
	const wanted = limit - (limit % align);
	const highmem_start = memblock_end_of_DRAM();
	if (fixed && first !== 0 && first < highmem_start && first + bytes > highmem_start) {
		pr_err('cma: Region at %pa defined on low/high memory boundary (%pa)', first, highmem_start);
		return cma_not_reserved(-EINVAL, bytes, nid);
	}
	const end = wanted === 0 ? highmem_start : Math.min(wanted, highmem_start);
	if (first + bytes > end) {
		pr_err('cma: Size (%pa) of region at %pa exceeds limit (%pa)', bytes, first, end);
		return cma_not_reserved(-EINVAL, bytes, nid);
	}

	// Nobody wants an area at address 0: it stands for anywhere.
	const at = cma_reserve(first, bytes, end, align, fixed && first !== 0, nid);
	if (at < 0) return cma_not_reserved(at, bytes, nid);
	const ret = cma_init_reserved_mem(at, bytes, order_per_bit, name, res_cma);
	if (ret !== 0) {
		memblock_phys_free(at, bytes);
		return cma_not_reserved(ret, bytes, nid);
	}
	pr_info('cma: Reserved %ld MiB at %pa on node %d', bytes / SZ_1M, at, nid);
	return 0;
}

/** cma_declare_contiguous_nid() on any node (include/linux/cma.h: cma_declare_contiguous()). */
export function cma_declare_contiguous(
	base: phys_addr_t,
	size: phys_addr_t,
	limit: phys_addr_t,
	alignment: phys_addr_t,
	order_per_bit: unsigned_int,
	fixed: bool,
	name: string,
	res_cma: ref<cma | null>,
): int {
	return cma_declare_contiguous_nid(base, size, limit, alignment, order_per_bit, fixed, name, res_cma, -1);
}

/** Say where the area is free: pages@bit of each run, and the sum. */
function cma_debug_show_areas(cma: cma): void {
	const bits = cma_bitmap_maxno(cma);
	const bitmap = cma.bitmap as Uint32Array;
	let total = 0;
	spin_lock_irq(cma.lock);
	pr_info('cma: number of available pages: ');
	for (let start = find_next_zero_bit(bitmap, bits, 0); start < bits; ) {
		const end = find_next_bit(bitmap, bits, start);
		const pages = (end - start) * 2 ** cma.order_per_bit;
		pr_cont('%s%lu@%lu', total !== 0 ? '+' : '', pages, start);
		total += pages;
		start = find_next_zero_bit(bitmap, bits, end);
	}
	pr_cont('=> %lu free of %lu total pages', total, cma.count);
	spin_unlock_irq(cma.lock);
}

/** Claim the first aligned run of @bits free bits from @start on: its number, -1 when there is none. */
function cma_claim_bits(
	cma: cma,
	start: unsigned_long,
	bits: unsigned_long,
	mask: unsigned_long,
	offset: unsigned_long,
): long {
	const map = cma.bitmap as Uint32Array;
	const maxno = cma_bitmap_maxno(cma);
	spin_lock_irq(cma.lock);
	const first = bitmap_find_next_zero_area_off(map, maxno, start, bits, mask, offset);
	const found = first < maxno;
	if (found) bitmap_set(map, first, bits);
	spin_unlock_irq(cma.lock);
	return found ? first : -1;
}

/** Take the pages of a claimed run; two callers must not empty one page block at a time. */
function cma_claim_pages(pfn: unsigned_long, count: unsigned_long, gfp: gfp_t): int {
	mutex_lock(state.cma_mutex);
	const ret = alloc_contig_range(pfn, pfn + count, MIGRATE_CMA, gfp);
	mutex_unlock(state.cma_mutex);
	return ret;
}

function cma_account_alloc(cma: cma, count: unsigned_long, done: bool): void {
	const stats = cma.stats;
	if (!done) {
		stats.nr_pages_failed += count;
		return;
	}
	stats.nr_pages_succeeded += count;
	stats.nr_pages += count;
	stats.max_pages = Math.max(stats.max_pages, stats.nr_pages);
}

function __cma_alloc(cma: cma | null, count: unsigned_long, align: unsigned_int, gfp: gfp_t): page | null {
	if (cma === null || cma.count === 0 || cma.bitmap === null) return null;
	pr_debug('cma: %s(cma %p, name: %s, count %lu, align %d)', '__cma_alloc', cma, cma.name, count, align);
	const bits = cma_bitmap_pages_to_bits(cma, count);
	if (bits === 0 || bits > cma_bitmap_maxno(cma)) return null;

	const mask = cma_bitmap_aligned_mask(cma, align);
	const offset = cma_bitmap_aligned_offset(cma, align);
	let ret = -ENOMEM;
	let page: page | null = null;
	let at = cma_claim_bits(cma, 0, bits, mask, offset);
	while (at >= 0) {
		const pfn = cma.base_pfn + at * 2 ** cma.order_per_bit;
		ret = cma_claim_pages(pfn, count, gfp);
		if (ret === 0) {
			page = pfn_to_page(pfn);
			break;
		}
		// The bits kept others away while the lock was free; now they may come.
		cma_clear_bitmap(cma, pfn, count);
		if (ret !== -EBUSY) break;
		pr_debug(
			'cma: %s(): memory range at pfn 0x%lx %p is busy, retrying',
			'__cma_alloc',
			pfn,
			pfn_to_page(pfn),
		);
		at = cma_claim_bits(cma, at + mask + 1, bits, mask, offset);
	}
	if (page === null && !(gfp & __GFP_NOWARN)) {
		pr_err_ratelimited(
			'cma: %s: %s: alloc failed, req-size: %lu pages, ret: %d',
			'__cma_alloc',
			cma.name,
			count,
			ret,
		);
		cma_debug_show_areas(cma);
	}
	pr_debug('cma: %s(): returned %p', '__cma_alloc', page);
	cma_account_alloc(cma, count, page !== null);
	return page;
}

/**
 * Take @count contiguous pages, aligned to 2^@align pages (mm/cma.c: cma_alloc()). Null: no area, or no such range.
 * Each page has one reference. May sleep.
 */
export function cma_alloc(
	cma: cma | null,
	count: unsigned_long,
	align: unsigned_int,
	no_warn: bool,
): page | null {
	return __cma_alloc(cma, count, align, GFP_KERNEL | (no_warn ? __GFP_NOWARN : 0));
}

/** Whether @pages is in the area (mm/cma.c: cma_pages_valid()). */
export function cma_pages_valid(cma: cma | null, pages: page | null, count: unsigned_long): bool {
	if (cma === null || pages === null) return false;
	const pfn = page_to_pfn(pages);
	if (pfn < cma.base_pfn || pfn >= cma.base_pfn + cma.count) {
		pr_debug('cma: %s(page %p, count %lu)', 'cma_pages_valid', pages, count);
		return false;
	}
	return true;
}

/** Give pages back; false when they are not the area's (mm/cma.c: cma_release()). */
export function cma_release(cma: cma | null, pages: page | null, count: unsigned_long): bool {
	if (cma === null || pages === null || !cma_pages_valid(cma, pages, count)) return false;
	pr_debug('cma: %s(page %p, count %lu)', 'cma_release', pages, count);
	const pfn = page_to_pfn(pages);
	BUG_ON(pfn + count > cma.base_pfn + cma.count);
	free_contig_range(pfn, count);
	cma_clear_bitmap(cma, pfn, count);
	cma.stats.nr_pages -= count;
	cma.stats.nr_pages_released += count;
	return true;
}

/** Call @it for each area until it answers other than 0 (mm/cma.c: cma_for_each_area()). */
export function cma_for_each_area<T>(it: (cma: cma, data: T) => int, data: T): int {
	for (const area of state.cma_areas) {
		const ret = it(area, data);
		if (ret !== 0) return ret;
	}
	return 0;
}

/** The most pages that all areas together ever had in use, and how many they have now. */
export function cma_usage(): { nr_pages: unsigned_long; max_pages: unsigned_long } {
	let nr_pages = 0;
	let max_pages = 0;
	for (const area of state.cma_areas) {
		nr_pages += area.stats.nr_pages;
		max_pages += area.stats.max_pages;
	}
	return { nr_pages, max_pages };
}
