// SPDX-License-Identifier: GPL-2.0-only
// Physical addresses as a device sees them, without an IOMMU.
// Linux 6.12: include/linux/dma-direct.h
import type { device } from '#linux/device.js';
import { DMA_BIT_MASK, DMA_MAPPING_ERROR } from '#linux/dma-mapping.js';
import { boot_data } from '#linux/init.js';
import { min_not_zero } from '#linux/minmax.js';
import {
	type bool,
	type dma_addr_t,
	PHYS_ADDR_MAX,
	type phys_addr_t,
	type size_t,
	U64_MAX,
	type u64,
} from '#linux/types.js';

export const direct_state = boot_data(() => ({
	/** The last address of ZONE_DMA (kernel/dma/direct.c: zone_dma_limit); set when the zones are laid out. */
	zone_dma_limit: DMA_BIT_MASK(24) as u64,
}));

/** One window between CPU and bus addresses; a map is an array of them, and ends with its length or a size of 0. */
export class bus_dma_region {
	cpu_start: phys_addr_t = 0;
	dma_start: dma_addr_t = 0;
	size: u64 = 0;
}

/** @paddr through the device's windows (include/linux/dma-direct.h: translate_phys_to_dma()). */
export function translate_phys_to_dma(dev: device, paddr: phys_addr_t): dma_addr_t {
	const map = dev.dma_range_map as readonly bus_dma_region[];
	for (let i = 0; i < map.length && map[i].size !== 0; i++) {
		const m = map[i];
		if (paddr >= m.cpu_start && paddr - m.cpu_start < m.size) return m.dma_start + (paddr - m.cpu_start);
	}
	// dma_capable() refuses this.
	return DMA_MAPPING_ERROR;
}

/** The way back (include/linux/dma-direct.h: translate_dma_to_phys()). */
export function translate_dma_to_phys(dev: device, dma_addr: dma_addr_t): phys_addr_t {
	const map = dev.dma_range_map as readonly bus_dma_region[];
	for (let i = 0; i < map.length && map[i].size !== 0; i++) {
		const m = map[i];
		if (dma_addr >= m.dma_start && dma_addr - m.dma_start < m.size)
			return m.cpu_start + (dma_addr - m.dma_start);
	}
	return PHYS_ADDR_MAX;
}

/** The lowest bus address of @map (include/linux/dma-direct.h: dma_range_map_min()). */
export function dma_range_map_min(map: readonly bus_dma_region[]): dma_addr_t {
	let lowest: dma_addr_t = U64_MAX;
	for (let i = 0; i < map.length && map[i].size !== 0; i++) lowest = Math.min(lowest, map[i].dma_start);
	return lowest;
}

/** The highest bus address of @map (include/linux/dma-direct.h: dma_range_map_max()). */
export function dma_range_map_max(map: readonly bus_dma_region[]): dma_addr_t {
	let highest: dma_addr_t = 0;
	for (let i = 0; i < map.length && map[i].size !== 0; i++)
		highest = Math.max(highest, map[i].dma_start + map[i].size - 1);
	return highest;
}

/** What @dev must be told for @paddr (include/linux/dma-direct.h: phys_to_dma_unencrypted()). */
export function phys_to_dma_unencrypted(dev: device, paddr: phys_addr_t): dma_addr_t {
	return dev.dma_range_map !== null ? translate_phys_to_dma(dev, paddr) : (paddr as number);
}

/** What @dev must be told for @paddr; arm64 encrypts nothing (include/linux/dma-direct.h: phys_to_dma()). */
export function phys_to_dma(dev: device, paddr: phys_addr_t): dma_addr_t {
	return phys_to_dma_unencrypted(dev, paddr);
}

/** Which memory @dma_addr means (include/linux/dma-direct.h: dma_to_phys()). */
export function dma_to_phys(dev: device, dma_addr: dma_addr_t): phys_addr_t {
	return dev.dma_range_map !== null ? translate_dma_to_phys(dev, dma_addr) : (dma_addr as number);
}

/** Whether DMA must go to unencrypted memory: never here (include/linux/dma-direct.h: force_dma_unencrypted()). */
export function force_dma_unencrypted(dev: device): bool {
	return false;
}

/** Whether @dev can reach all of @size bytes at @addr (include/linux/dma-direct.h: dma_capable()). */
export function dma_capable(dev: device, addr: dma_addr_t, size: size_t, is_ram: bool): bool {
	if (addr === DMA_MAPPING_ERROR) return false;
	const mask = dev.dma_mask !== null ? dev.dma_mask.value : 0;
	return addr + size - 1 <= min_not_zero(mask, dev.bus_dma_limit);
}
