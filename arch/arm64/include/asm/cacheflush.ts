// SPDX-License-Identifier: GPL-2.0-only
// Data-cache maintenance by virtual address.
// Linux 6.12: arch/arm64/include/asm/cacheflush.h
// Declarations only in C too; the instructions' part is arch/arm64/mm/cache.ts. (An include may not import it.)
import { cache_line_size } from '#asm/cache.js';

export { cache_line_size };

/** No PIPT cache needs it: a page's lines are found by physical address (flush_dcache_page() only marks the I-side). */
export function flush_dcache_page(_page: object): void {}

/** A new kernel mapping needs no flush on arm64, only a barrier (include/asm-generic/cacheflush.h). */
export function flush_cache_vmap(_start: object, _end: object): void {}

/** Nothing to do: the caches are indexed by physical address (include/asm-generic/cacheflush.h: flush_cache_vunmap()). */
export function flush_cache_vunmap(_start: object, _end: object): void {}
