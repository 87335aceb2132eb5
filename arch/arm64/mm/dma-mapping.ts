// SPDX-License-Identifier: GPL-2.0-only
// Cache maintenance for devices that do not snoop.
// Linux 6.12: arch/arm64/mm/dma-mapping.c
// Left out: Xen.

import { dcache_clean_poc, dcache_inval_poc } from '#arch/arm64/mm/cache.js';
import { ARCH_DMA_MINALIGN, cache_line_size_of_cpu } from '#asm/cache.js';
import { page_to_phys } from '#asm/memory.js';
import { dev_driver_string } from '#drivers/base/core.js';
import { TAINT_CPU_OUT_OF_SPEC, WARN_TAINT } from '#linux/bug.js';
import { dev_name, type device } from '#linux/device.js';
import { DMA_TO_DEVICE, type dma_data_direction } from '#linux/dma-direction.js';
import type { page } from '#linux/mm_types.js';
import type { bool, phys_addr_t, size_t } from '#linux/types.js';

/**
 * The device is about to look (arch/arm64/mm/dma-mapping.c: arch_sync_dma_for_device()): dirty lines go to memory,
 * whatever the direction, so that none of them is written back over what the device writes.
 */
export function arch_sync_dma_for_device(paddr: phys_addr_t, size: size_t, _dir: dma_data_direction): void {
	dcache_clean_poc(paddr, size);
}

/** The CPU is about to look: lines that may be older than what the device wrote are dropped. */
export function arch_sync_dma_for_cpu(paddr: phys_addr_t, size: size_t, dir: dma_data_direction): void {
	if (dir === DMA_TO_DEVICE) return;
	dcache_inval_poc(paddr, size);
}

/** Before pages get a non-cacheable mapping: no dirty line may hit memory later. */
export function arch_dma_prep_coherent(page: page, size: size_t): void {
	dcache_clean_poc(page_to_phys(page), size);
}

/** Note whether @dev snoops (arch/arm64/mm/dma-mapping.c: arch_setup_dma_ops()). */
export function arch_setup_dma_ops(dev: device, coherent: bool): void {
	const cls = cache_line_size_of_cpu();
	WARN_TAINT(
		!coherent && cls > ARCH_DMA_MINALIGN,
		TAINT_CPU_OUT_OF_SPEC,
		'%s %s: ARCH_DMA_MINALIGN smaller than CTR_EL0.CWG (%d < %d)',
		dev_driver_string(dev),
		dev_name(dev),
		ARCH_DMA_MINALIGN,
		cls,
	);
	dev.dma_coherent = coherent;
}
