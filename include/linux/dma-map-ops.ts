// SPDX-License-Identifier: GPL-2.0-only
// What stands behind the DMA API: the ops table, and helpers of its back ends.
// Linux 6.12: include/linux/dma-map-ops.h
// pgprot_dmacoherent() is in '#asm/pgtable.js'.
// Left out: dev_get_cma_area() stands beside dma_contiguous_default_area, in kernel/dma/contiguous.ts.
import { deref } from '#arch/arm64/mm/fault.js';
import { ARCH_DMA_MINALIGN, dma_get_cache_alignment } from '#asm/cache.js';
import { IS_ALIGNED } from '#linux/align.js';
import type { device } from '#linux/device.js';
import { DMA_TO_DEVICE, type dma_data_direction } from '#linux/dma-direction.js';
import type { dev_pagemap } from '#linux/memremap.js';
import type { page, vm_area_struct } from '#linux/mm_types.js';
import type { scatterlist, sg_table } from '#linux/scatterlist.js';
import { kmalloc_size_roundup } from '#linux/slab.js';
import {
	type bool,
	type dma_addr_t,
	type gfp_t,
	type int,
	type phys_addr_t,
	ref,
	type size_t,
	type u64,
	type unsigned_long,
	type void_ptr,
} from '#linux/types.js';

/** A bus with its own way of mapping (include/linux/dma-map-ops.h: struct dma_map_ops). */
export interface dma_map_ops {
	alloc?(
		dev: device,
		size: size_t,
		dma_handle: ref<dma_addr_t>,
		gfp: gfp_t,
		attrs: unsigned_long,
	): void_ptr | null;
	free?(dev: device, size: size_t, vaddr: void_ptr, dma_handle: dma_addr_t, attrs: unsigned_long): void;
	alloc_pages_op?(
		dev: device,
		size: size_t,
		dma_handle: ref<dma_addr_t>,
		dir: dma_data_direction,
		gfp: gfp_t,
	): page | null;
	free_pages?(dev: device, size: size_t, vaddr: page, dma_handle: dma_addr_t, dir: dma_data_direction): void;
	mmap?(
		dev: device,
		vma: vm_area_struct,
		cpu_addr: void_ptr,
		dma_addr: dma_addr_t,
		size: size_t,
		attrs: unsigned_long,
	): int;
	get_sgtable?(
		dev: device,
		sgt: sg_table,
		cpu_addr: void_ptr,
		dma_addr: dma_addr_t,
		size: size_t,
		attrs: unsigned_long,
	): int;
	map_page?(
		dev: device,
		page: page,
		offset: unsigned_long,
		size: size_t,
		dir: dma_data_direction,
		attrs: unsigned_long,
	): dma_addr_t;
	unmap_page?(
		dev: device,
		dma_handle: dma_addr_t,
		size: size_t,
		dir: dma_data_direction,
		attrs: unsigned_long,
	): void;
	map_sg?(dev: device, sg: scatterlist, nents: int, dir: dma_data_direction, attrs: unsigned_long): int;
	unmap_sg?(dev: device, sg: scatterlist, nents: int, dir: dma_data_direction, attrs: unsigned_long): void;
	map_resource?(
		dev: device,
		phys_addr: phys_addr_t,
		size: size_t,
		dir: dma_data_direction,
		attrs: unsigned_long,
	): dma_addr_t;
	unmap_resource?(
		dev: device,
		dma_handle: dma_addr_t,
		size: size_t,
		dir: dma_data_direction,
		attrs: unsigned_long,
	): void;
	sync_single_for_cpu?(dev: device, dma_handle: dma_addr_t, size: size_t, dir: dma_data_direction): void;
	sync_single_for_device?(dev: device, dma_handle: dma_addr_t, size: size_t, dir: dma_data_direction): void;
	sync_sg_for_cpu?(dev: device, sg: scatterlist, nents: int, dir: dma_data_direction): void;
	sync_sg_for_device?(dev: device, sg: scatterlist, nents: int, dir: dma_data_direction): void;
	cache_sync?(dev: device, vaddr: void_ptr, size: size_t, direction: dma_data_direction): void;
	dma_supported?(dev: device, mask: u64): int;
	get_required_mask?(dev: device): u64;
	max_mapping_size?(dev: device): size_t;
	opt_mapping_size?(): size_t;
	get_merge_boundary?(dev: device): unsigned_long;
}

/** The ops of @dev's own bus; null: direct or dma-iommu (include/linux/dma-map-ops.h: get_dma_ops()). */
export function get_dma_ops(dev: device): dma_map_ops | null {
	return deref(dev).dma_ops;
}

/** Give @dev ops of its own (include/linux/dma-map-ops.h: set_dma_ops()). */
export function set_dma_ops(dev: device, dma_ops: dma_map_ops | null): void {
	dev.dma_ops = dma_ops;
}

/** A device's dma_mask that is its coherent mask (C: a pointer at coherent_dma_mask): who sets one sets both. */
export class coherent_mask_ref extends ref<u64> {}

/** Whether the device sees what the CPU's cache holds (include/linux/dma-map-ops.h: dev_is_dma_coherent()). */
export function dev_is_dma_coherent(dev: device): bool {
	return deref(dev).dma_coherent;
}

/** From now on syncs of @dev matter (include/linux/dma-map-ops.h: dma_reset_need_sync()). */
export function dma_reset_need_sync(dev: device): void {
	if (dev.dma_skip_sync) dev.dma_skip_sync = false;
}

/** Whether a small kmalloc() buffer may be mapped as it is (include/linux/dma-map-ops.h: dma_kmalloc_safe()). */
export function dma_kmalloc_safe(dev: device, dir: dma_data_direction): bool {
	return dev_is_dma_coherent(dev) || dir === DMA_TO_DEVICE;
}

/** Whether kmalloc(@size) has its cache lines to itself (include/linux/dma-map-ops.h: dma_kmalloc_size_aligned()). */
export function dma_kmalloc_size_aligned(size: size_t): bool {
	return size >= 2 * ARCH_DMA_MINALIGN || IS_ALIGNED(kmalloc_size_roundup(size), dma_get_cache_alignment());
}

/** Whether @size bytes, were they from kmalloc(), must bounce (include/linux/dma-map-ops.h: dma_kmalloc_needs_bounce()). */
export function dma_kmalloc_needs_bounce(dev: device, size: size_t, dir: dma_data_direction): bool {
	return !dma_kmalloc_safe(dev, dir) && !dma_kmalloc_size_aligned(size);
}

/** How a device gets at the memory of another (include/linux/dma-map-ops.h: enum pci_p2pdma_map_type). */
export enum pci_p2pdma_map_type {
	PCI_P2PDMA_MAP_UNKNOWN = 0,
	/** Not at all. */
	PCI_P2PDMA_MAP_NOT_SUPPORTED,
	/** By the bus address, past the IOMMU. */
	PCI_P2PDMA_MAP_BUS_ADDR,
	/** As it gets at memory. */
	PCI_P2PDMA_MAP_THRU_HOST_BRIDGE,
}
export const {
	PCI_P2PDMA_MAP_UNKNOWN,
	PCI_P2PDMA_MAP_NOT_SUPPORTED,
	PCI_P2PDMA_MAP_BUS_ADDR,
	PCI_P2PDMA_MAP_THRU_HOST_BRIDGE,
} = pci_p2pdma_map_type;

/** What was found for the entry before (include/linux/dma-map-ops.h: struct pci_p2pdma_map_state). */
export class pci_p2pdma_map_state {
	pgmap: dev_pagemap | null = null;
	map: pci_p2pdma_map_type = PCI_P2PDMA_MAP_UNKNOWN;
	bus_off: u64 = 0;
}

/**
 * How @dev gets at @sg, another device's memory (include/linux/dma-map-ops.h: pci_p2pdma_map_segment(), as without
 * CONFIG_PCI_P2PDMA): not at all.
 */
export function pci_p2pdma_map_segment(
	state: pci_p2pdma_map_state,
	dev: device,
	sg: scatterlist,
): pci_p2pdma_map_type {
	return PCI_P2PDMA_MAP_NOT_SUPPORTED;
}

/** Undo arch_setup_dma_ops() (include/linux/dma-map-ops.h: arch_teardown_dma_ops()). */
export function arch_teardown_dma_ops(dev: device): void {
	// Nothing on arm64.
}
