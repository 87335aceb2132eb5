// SPDX-License-Identifier: GPL-2.0-only
// What a caller of the page allocator may ask for, bit by bit.
// Linux 6.12: include/linux/gfp_types.h
import type { gfp_t } from '#linux/types.js';

export const ___GFP_DMA_BIT = 0;
export const ___GFP_HIGHMEM_BIT = 1;
export const ___GFP_DMA32_BIT = 2;
export const ___GFP_MOVABLE_BIT = 3;
export const ___GFP_RECLAIMABLE_BIT = 4;
export const ___GFP_HIGH_BIT = 5;
export const ___GFP_IO_BIT = 6;
export const ___GFP_FS_BIT = 7;
export const ___GFP_ZERO_BIT = 8;
export const ___GFP_UNUSED_BIT = 9;
export const ___GFP_DIRECT_RECLAIM_BIT = 10;
export const ___GFP_KSWAPD_RECLAIM_BIT = 11;
export const ___GFP_WRITE_BIT = 12;
export const ___GFP_NOWARN_BIT = 13;
export const ___GFP_RETRY_MAYFAIL_BIT = 14;
export const ___GFP_NOFAIL_BIT = 15;
export const ___GFP_NORETRY_BIT = 16;
export const ___GFP_MEMALLOC_BIT = 17;
export const ___GFP_COMP_BIT = 18;
export const ___GFP_NOMEMALLOC_BIT = 19;
export const ___GFP_HARDWALL_BIT = 20;
export const ___GFP_THISNODE_BIT = 21;
export const ___GFP_ACCOUNT_BIT = 22;
export const ___GFP_ZEROTAGS_BIT = 23;
export const ___GFP_NO_OBJ_EXT_BIT = 24;
export const ___GFP_LAST_BIT = 25;

// Which zone: the low four bits.
export const __GFP_DMA: gfp_t = 1 << ___GFP_DMA_BIT;
export const __GFP_HIGHMEM: gfp_t = 1 << ___GFP_HIGHMEM_BIT;
export const __GFP_DMA32: gfp_t = 1 << ___GFP_DMA32_BIT;
export const __GFP_MOVABLE: gfp_t = 1 << ___GFP_MOVABLE_BIT;
export const GFP_ZONEMASK: gfp_t = __GFP_DMA | __GFP_HIGHMEM | __GFP_DMA32 | __GFP_MOVABLE;

// Placement.
export const __GFP_RECLAIMABLE: gfp_t = 1 << ___GFP_RECLAIMABLE_BIT;
export const __GFP_WRITE: gfp_t = 1 << ___GFP_WRITE_BIT;
export const __GFP_HARDWALL: gfp_t = 1 << ___GFP_HARDWALL_BIT;
export const __GFP_THISNODE: gfp_t = 1 << ___GFP_THISNODE_BIT;
export const __GFP_ACCOUNT: gfp_t = 1 << ___GFP_ACCOUNT_BIT;
export const __GFP_NO_OBJ_EXT: gfp_t = 1 << ___GFP_NO_OBJ_EXT_BIT;

// Access to reserves.
export const __GFP_HIGH: gfp_t = 1 << ___GFP_HIGH_BIT;
export const __GFP_MEMALLOC: gfp_t = 1 << ___GFP_MEMALLOC_BIT;
export const __GFP_NOMEMALLOC: gfp_t = 1 << ___GFP_NOMEMALLOC_BIT;

// What the allocator may do to find memory; __GFP_DIRECT_RECLAIM means that the caller may sleep.
export const __GFP_IO: gfp_t = 1 << ___GFP_IO_BIT;
export const __GFP_FS: gfp_t = 1 << ___GFP_FS_BIT;
export const __GFP_DIRECT_RECLAIM: gfp_t = 1 << ___GFP_DIRECT_RECLAIM_BIT;
export const __GFP_KSWAPD_RECLAIM: gfp_t = 1 << ___GFP_KSWAPD_RECLAIM_BIT;
export const __GFP_RECLAIM: gfp_t = __GFP_DIRECT_RECLAIM | __GFP_KSWAPD_RECLAIM;
export const __GFP_RETRY_MAYFAIL: gfp_t = 1 << ___GFP_RETRY_MAYFAIL_BIT;
export const __GFP_NOFAIL: gfp_t = 1 << ___GFP_NOFAIL_BIT;
export const __GFP_NORETRY: gfp_t = 1 << ___GFP_NORETRY_BIT;

// What to do with the pages, and with a failure.
export const __GFP_NOWARN: gfp_t = 1 << ___GFP_NOWARN_BIT;
export const __GFP_COMP: gfp_t = 1 << ___GFP_COMP_BIT;
export const __GFP_ZERO: gfp_t = 1 << ___GFP_ZERO_BIT;
export const __GFP_ZEROTAGS: gfp_t = 1 << ___GFP_ZEROTAGS_BIT;

// KASAN and lockdep are off in the reference configuration: no bits are spent on them.
export const __GFP_SKIP_ZERO: gfp_t = 0;
export const __GFP_SKIP_KASAN: gfp_t = 0;
export const __GFP_NOLOCKDEP: gfp_t = 0;

export const __GFP_BITS_SHIFT = ___GFP_LAST_BIT;
export const __GFP_BITS_MASK: gfp_t = (1 << __GFP_BITS_SHIFT) - 1;

// The usual combinations.
export const GFP_ATOMIC: gfp_t = __GFP_HIGH | __GFP_KSWAPD_RECLAIM;
export const GFP_KERNEL: gfp_t = __GFP_RECLAIM | __GFP_IO | __GFP_FS;
export const GFP_KERNEL_ACCOUNT: gfp_t = GFP_KERNEL | __GFP_ACCOUNT;
export const GFP_NOWAIT: gfp_t = __GFP_KSWAPD_RECLAIM | __GFP_NOWARN;
export const GFP_NOIO: gfp_t = __GFP_RECLAIM;
export const GFP_NOFS: gfp_t = __GFP_RECLAIM | __GFP_IO;
export const GFP_USER: gfp_t = __GFP_RECLAIM | __GFP_IO | __GFP_FS | __GFP_HARDWALL;
export const GFP_DMA: gfp_t = __GFP_DMA;
export const GFP_DMA32: gfp_t = __GFP_DMA32;
export const GFP_HIGHUSER: gfp_t = GFP_USER | __GFP_HIGHMEM;
export const GFP_HIGHUSER_MOVABLE: gfp_t = GFP_HIGHUSER | __GFP_MOVABLE;
export const GFP_TRANSHUGE_LIGHT: gfp_t =
	(GFP_HIGHUSER_MOVABLE | __GFP_COMP | __GFP_NOMEMALLOC | __GFP_NOWARN) & ~__GFP_RECLAIM;
export const GFP_TRANSHUGE: gfp_t = GFP_TRANSHUGE_LIGHT | __GFP_DIRECT_RECLAIM;
