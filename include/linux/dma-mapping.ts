// SPDX-License-Identifier: GPL-2.0-only
// The DMA API's constants, and the questions that the device struct answers.
// Linux 6.12: include/linux/dma-mapping.h
//
// dma_map_single(), dma_alloc_coherent(), dma_sync_*(), dma_set_mask_and_coherent() and the other inlines that
// only call into kernel/dma/mapping.c stand there: '#kernel/dma/mapping.js'.
import { deref } from '#arch/arm64/mm/fault.js';
import { WARN_ON_ONCE } from '#linux/bug.js';
import type { device } from '#linux/device.js';
import { ENOMEM } from '#linux/errno.js';
import { boot_data } from '#linux/init.js';
import { shr64 } from '#linux/math64.js';
import { SZ_64K } from '#linux/sizes.js';
import {
	type bool,
	type dma_addr_t,
	type int,
	type phys_addr_t,
	type size_t,
	U32_MAX,
	U64_MAX,
	ULONG_MAX,
	type u32,
	type u64,
	type unsigned_int,
	type unsigned_long,
} from '#linux/types.js';

export { dma_get_cache_alignment } from '#asm/cache.js';

export const DMA_ATTR_WEAK_ORDERING = 1 << 1;
export const DMA_ATTR_WRITE_COMBINE = 1 << 2;
/** No kernel address is needed: the "address" is a cookie. */
export const DMA_ATTR_NO_KERNEL_MAPPING = 1 << 4;
/** The caller does the cache maintenance itself. */
export const DMA_ATTR_SKIP_CPU_SYNC = 1 << 5;
export const DMA_ATTR_FORCE_CONTIGUOUS = 1 << 6;
export const DMA_ATTR_ALLOC_SINGLE_PAGES = 1 << 7;
export const DMA_ATTR_NO_WARN = 1 << 8;
export const DMA_ATTR_PRIVILEGED = 1 << 9;

/** What a failed mapping answers. */
export const DMA_MAPPING_ERROR: dma_addr_t = U64_MAX;

/** A mask of @n address bits (include/linux/dma-mapping.h: DMA_BIT_MASK()). */
export function DMA_BIT_MASK(n: unsigned_int): u64 {
	return n === 64 ? U64_MAX : 2 ** n - 1;
}

/** What dma-debug hears of while it is on. Variables, as neither this header nor mm can import kernel/dma/debug.ts. */
export const dma_debug_hook = boot_data(() => ({
	/** debug_dma_mapping_error() */
	mapping_error: null as ((dev: device, dma_addr: dma_addr_t) => void) | null,
	/** Memory that is about to be freed. */
	memory_freed: null as ((addr: phys_addr_t, size: size_t) => void) | null,
}));

/** -ENOMEM when @dma_addr is what a failed mapping answered (include/linux/dma-mapping.h: dma_mapping_error()). */
export function dma_mapping_error(dev: device, dma_addr: dma_addr_t): int {
	if (dma_debug_hook.mapping_error !== null) dma_debug_hook.mapping_error(dev, dma_addr);
	return dma_addr === DMA_MAPPING_ERROR ? -ENOMEM : 0;
}

/** The streaming mask; 32 bits for a device that has none (include/linux/dma-mapping.h: dma_get_mask()). */
export function dma_get_mask(dev: device): u64 {
	const { dma_mask } = deref(dev);
	if (dma_mask !== null && dma_mask.value !== 0) return dma_mask.value;
	return DMA_BIT_MASK(32);
}

/** Whether syncs of @dev's mappings do something; dma-debug wants to see all (include/linux/dma-mapping.h: dma_dev_need_sync()). */
export function dma_dev_need_sync(dev: device): bool {
	return !deref(dev).dma_skip_sync || dma_debug_hook.mapping_error !== null;
}

/** The longest segment the device takes; 64 KiB unless it said so (include/linux/dma-mapping.h: dma_get_max_seg_size()). */
export function dma_get_max_seg_size(dev: device): unsigned_int {
	if (dev.dma_parms !== null && dev.dma_parms.max_segment_size !== 0) return dev.dma_parms.max_segment_size;
	return SZ_64K;
}

/** Set the longest segment (include/linux/dma-mapping.h: dma_set_max_seg_size()). */
export function dma_set_max_seg_size(dev: device, size: unsigned_int): void {
	if (WARN_ON_ONCE(dev.dma_parms === null) || dev.dma_parms === null) return;
	dev.dma_parms.max_segment_size = size;
}

/** The mask no segment may cross (include/linux/dma-mapping.h: dma_get_seg_boundary()). */
export function dma_get_seg_boundary(dev: device): unsigned_long {
	if (dev.dma_parms !== null && dev.dma_parms.segment_boundary_mask !== 0)
		return dev.dma_parms.segment_boundary_mask;
	return ULONG_MAX;
}

/** The same in pages of 1 << @page_shift (include/linux/dma-mapping.h: dma_get_seg_boundary_nr_pages()). */
export function dma_get_seg_boundary_nr_pages(dev: device | null, page_shift: unsigned_int): unsigned_long {
	if (dev === null) return (U32_MAX >>> page_shift) + 1;
	return shr64(dma_get_seg_boundary(dev), page_shift) + 1;
}

/** Set the mask no segment may cross (include/linux/dma-mapping.h: dma_set_seg_boundary()). */
export function dma_set_seg_boundary(dev: device, mask: unsigned_long): void {
	if (WARN_ON_ONCE(dev.dma_parms === null) || dev.dma_parms === null) return;
	dev.dma_parms.segment_boundary_mask = mask;
}

/** The address bits that a bounce buffer must keep (include/linux/dma-mapping.h: dma_get_min_align_mask()). */
export function dma_get_min_align_mask(dev: device): unsigned_int {
	return dev.dma_parms !== null ? dev.dma_parms.min_align_mask : 0;
}

/** Set them (include/linux/dma-mapping.h: dma_set_min_align_mask()). */
export function dma_set_min_align_mask(dev: device, min_align_mask: unsigned_int): void {
	if (WARN_ON_ONCE(dev.dma_parms === null) || dev.dma_parms === null) return;
	dev.dma_parms.min_align_mask = min_align_mask;
}

/**
 * A field that keeps a mapping's address until it is unmapped: `addr = DEFINE_DMA_UNMAP_ADDR('addr')`
 * (include/linux/dma-mapping.h: DEFINE_DMA_UNMAP_ADDR()).
 */
export function DEFINE_DMA_UNMAP_ADDR(ADDR_NAME: string): dma_addr_t {
	return 0;
}

/** A field that keeps a mapping's length (include/linux/dma-mapping.h: DEFINE_DMA_UNMAP_LEN()). */
export function DEFINE_DMA_UNMAP_LEN(LEN_NAME: string): u32 {
	return 0;
}

/** The address in field @ADDR_NAME of @PTR (include/linux/dma-mapping.h: dma_unmap_addr()). */
export function dma_unmap_addr<K extends string>(
	PTR: Readonly<Record<K, dma_addr_t>>,
	ADDR_NAME: K,
): dma_addr_t {
	return PTR[ADDR_NAME];
}

/** Keep @VAL in field @ADDR_NAME of @PTR (include/linux/dma-mapping.h: dma_unmap_addr_set()). */
export function dma_unmap_addr_set<K extends string>(
	PTR: Record<K, dma_addr_t>,
	ADDR_NAME: K,
	VAL: dma_addr_t,
): void {
	PTR[ADDR_NAME] = VAL;
}

/** The length in field @LEN_NAME of @PTR (include/linux/dma-mapping.h: dma_unmap_len()). */
export function dma_unmap_len<K extends string>(PTR: Readonly<Record<K, u32>>, LEN_NAME: K): u32 {
	return PTR[LEN_NAME];
}

/** Keep @VAL in field @LEN_NAME of @PTR (include/linux/dma-mapping.h: dma_unmap_len_set()). */
export function dma_unmap_len_set<K extends string>(PTR: Record<K, u32>, LEN_NAME: K, VAL: u32): void {
	PTR[LEN_NAME] = VAL;
}
