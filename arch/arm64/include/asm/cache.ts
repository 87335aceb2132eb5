// SPDX-License-Identifier: GPL-2.0-only
// Cache line sizes.
// Linux 6.12: arch/arm64/include/asm/cache.h
import type { int } from '#linux/types.js';

export const L1_CACHE_SHIFT = 6;
export const L1_CACHE_BYTES = 1 << L1_CACHE_SHIFT;
/** The largest line of any arm64 CPU: kmalloc() memory is aligned to it when it may be used for DMA. */
export const ARCH_DMA_MINALIGN = 128;
export const ARCH_KMALLOC_MINALIGN = 8;

/** The writeback granule of this CPU, the Cortex-A53 (CTR_EL0.CWG). */
export function cache_line_size_of_cpu(): int {
	return L1_CACHE_BYTES;
}

/** arm64 answers ARCH_DMA_MINALIGN or the CPU's granule (asm/cache.h: cache_line_size()). */
export function cache_line_size(): int {
	return L1_CACHE_BYTES;
}

/** arm64's dma_get_cache_alignment() (asm/cache.h). */
export function dma_get_cache_alignment(): int {
	return L1_CACHE_BYTES;
}
