// SPDX-License-Identifier: GPL-2.0-only
// Contiguous memory areas that ordinary pages may use meanwhile.
// Linux 6.12: include/linux/cma.h and mm/cma.h
// Left out: sysfs and debugfs counters (CONFIG_CMA_SYSFS and CONFIG_CMA_DEBUGFS are off in Debian's kernel).
import { PAGE_SIZE } from '#asm/page-def.js';
import { pageblock_nr_pages } from '#linux/mmzone.js';
import { spinlock_t } from '#linux/spinlock.js';
import type { bool, unsigned_int, unsigned_long } from '#linux/types.js';

export const MAX_CMA_AREAS = 20;
export const CMA_MAX_NAME = 64;
/** Areas start and end on a page block, so that a block is CMA or is not. */
export const CMA_MIN_ALIGNMENT_PAGES = pageblock_nr_pages;
export const CMA_MIN_ALIGNMENT_BYTES = PAGE_SIZE * CMA_MIN_ALIGNMENT_PAGES;

/** High-water marks; C counts pages in sysfs (cma_sysfs_account_*_pages()). */
export class cma_stats {
	/** Pages in use now. */
	nr_pages: unsigned_long = 0;
	/** The most pages that were ever in use at once. */
	max_pages: unsigned_long = 0;
	nr_pages_succeeded: unsigned_long = 0;
	nr_pages_failed: unsigned_long = 0;
	nr_pages_released: unsigned_long = 0;
}

export class cma {
	base_pfn: unsigned_long = 0;
	/** Pages. */
	count: unsigned_long = 0;
	/** One bit for 2^order_per_bit pages; null until the area is activated. */
	bitmap: Uint32Array | null = null;
	order_per_bit: unsigned_int = 0;
	lock: spinlock_t = new spinlock_t('cma->lock');
	name = '';
	/** Keep the pages reserved when the area cannot be activated. */
	reserve_pages_on_error: bool = false;
	stats: cma_stats = new cma_stats();
}

/** How many bits @cma's bitmap has (mm/cma.h: cma_bitmap_maxno()). */
export function cma_bitmap_maxno(cma: cma): unsigned_long {
	return Math.floor(cma.count / 2 ** cma.order_per_bit);
}
