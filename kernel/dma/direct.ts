// SPDX-License-Identifier: GPL-2.0-only
// DMA without an IOMMU: addresses are physical, shifted by the bus at most.
// Linux 6.12: kernel/dma/direct.c, kernel/dma/direct.h
// Left out: memory encryption, highmem, dma_direct_set_uncached(), allocation from the global coherent pool (see
// kernel/dma/coherent.ts).

import {
	arch_dma_prep_coherent,
	arch_sync_dma_for_cpu,
	arch_sync_dma_for_device,
} from '#arch/arm64/mm/dma-mapping.js';
import { can_deref, deref } from '#arch/arm64/mm/fault.js';
import { PAGE_KERNEL } from '#asm/pgtable.js';
import { dma_mmap_from_dev_coherent, dma_mmap_from_global_coherent } from '#kernel/dma/coherent.js';
import { dma_alloc_contiguous, dma_free_contiguous } from '#kernel/dma/contiguous.js';
import { dma_tell_unmapped } from '#kernel/dma/linear.js';
import { dma_addressing_limited, dma_pgprot } from '#kernel/dma/mapping.js';
import { dma_alloc_from_pool, dma_free_from_pool } from '#kernel/dma/pool.js';
import { dma_common_contiguous_remap } from '#kernel/dma/remap.js';
import {
	is_swiotlb_active,
	swiotlb_alloc,
	swiotlb_free,
	swiotlb_map,
	swiotlb_max_mapping_size,
	swiotlb_sync_single_for_cpu,
	swiotlb_sync_single_for_device,
	swiotlb_tbl_unmap_single,
} from '#kernel/dma/swiotlb.js';
import { walk_system_ram_range } from '#kernel/resource.js';
import { sg_alloc_table, sg_next } from '#lib/scatterlist.js';
import { WARN_ON_ONCE } from '#linux/bug.js';
import { dev_err, dev_err_once, dev_WARN_ONCE } from '#linux/dev_printk.js';
import { dev_to_node, type device } from '#linux/device.js';
import {
	bus_dma_region,
	direct_state,
	dma_capable,
	dma_to_phys,
	phys_to_dma,
	phys_to_dma_unencrypted,
} from '#linux/dma-direct.js';
import { DMA_TO_DEVICE, type dma_data_direction } from '#linux/dma-direction.js';
import {
	dev_is_dma_coherent,
	dma_kmalloc_needs_bounce,
	PCI_P2PDMA_MAP_BUS_ADDR,
	PCI_P2PDMA_MAP_THRU_HOST_BRIDGE,
	pci_p2pdma_map_segment,
	pci_p2pdma_map_state,
} from '#linux/dma-map-ops.js';
import {
	DMA_ATTR_NO_KERNEL_MAPPING,
	DMA_ATTR_NO_WARN,
	DMA_ATTR_SKIP_CPU_SYNC,
	DMA_BIT_MASK,
	DMA_MAPPING_ERROR,
} from '#linux/dma-mapping.js';
import { EINVAL, EIO, ENOMEM, ENXIO, EREMOTEIO } from '#linux/errno.js';
import {
	__GFP_NOWARN,
	__GFP_ZERO,
	GFP_DMA,
	GFP_DMA32,
	GFP_KERNEL,
	gfpflags_allow_blocking,
} from '#linux/gfp.js';
import { fls64 } from '#linux/math64.js';
import { is_pci_p2pdma_page } from '#linux/memremap.js';
import { min_not_zero } from '#linux/minmax.js';
import {
	get_order,
	mm_state,
	PAGE_ALIGN,
	PAGE_ALIGNED,
	PAGE_SIZE,
	page_address,
	page_to_phys,
	pfn_to_page,
	vma_pages,
} from '#linux/mm.js';
import type { page, vm_area_struct } from '#linux/mm_types.js';
import { PFN_DOWN } from '#linux/pfn.js';
import {
	type scatterlist,
	sg_dma_is_bus_address,
	sg_dma_unmark_bus_address,
	sg_page,
	sg_set_page,
	type sg_table,
} from '#linux/scatterlist.js';
import { kcalloc } from '#linux/slab.js';
import { is_swiotlb_for_alloc, is_swiotlb_force_bounce, swiotlb_find_pool } from '#linux/swiotlb.js';
import {
	type bool,
	type dma_addr_t,
	type gfp_t,
	type int,
	type phys_addr_t,
	ref,
	SIZE_MAX,
	type size_t,
	ULONG_MAX,
	type u64,
	type unsigned_long,
	type void_ptr,
} from '#linux/types.js';
import { remap_pfn_range } from '#mm/memory.js';
import { __free_pages, alloc_pages_node } from '#mm/page_alloc.js';
import { is_vmalloc_addr, vunmap } from '#mm/vmalloc.js';

/** What @dev must be told for @phys; encryption would make a difference here (kernel/dma/direct.c: phys_to_dma_direct()). */
function phys_to_dma_direct(dev: device, phys: phys_addr_t): dma_addr_t {
	return phys_to_dma(dev, phys);
}

function dma_direct_to_page(dev: device, dma_addr: dma_addr_t): page {
	return pfn_to_page(PFN_DOWN(dma_to_phys(dev, dma_addr)));
}

/** The mask that reaches the last page of memory (kernel/dma/direct.c: dma_direct_get_required_mask()). */
export function dma_direct_get_required_mask(dev: device): u64 {
	const max_dma = phys_to_dma_direct(dev, (mm_state.max_pfn - 1) * PAGE_SIZE);
	return DMA_BIT_MASK(fls64(max_dma));
}

/** The zone that is worth a first try; @phys_limit takes the last address that will do. */
function dma_direct_optimal_gfp_mask(dev: device, phys_limit: ref<u64>): gfp_t {
	const dma_limit = min_not_zero(dev.coherent_dma_mask, dev.bus_dma_limit);

	// A guess that the caller checks: where there are windows, the limit may lie in none of them.
	phys_limit.value = dma_to_phys(dev, dma_limit);
	if (phys_limit.value <= direct_state.zone_dma_limit) return GFP_DMA;
	if (phys_limit.value <= DMA_BIT_MASK(32)) return GFP_DMA32;
	return 0;
}

/** Whether coherent memory at @phys is in reach of @dev (kernel/dma/direct.c: dma_coherent_ok()). */
export function dma_coherent_ok(dev: device, phys: phys_addr_t, size: size_t): bool {
	const dma_addr = phys_to_dma_direct(dev, phys);
	if (dma_addr === DMA_MAPPING_ERROR) return false;
	return dma_addr + size - 1 <= min_not_zero(dev.coherent_dma_mask, dev.bus_dma_limit);
}

function __dma_direct_free_pages(dev: device, page: page, size: size_t): void {
	if (!swiotlb_free(dev, page, size)) dma_free_contiguous(dev, page, size);
}

function dma_direct_alloc_swiotlb(dev: device, size: size_t): page | null {
	const page = swiotlb_alloc(dev, size);
	if (page !== null && !dma_coherent_ok(dev, page_to_phys(page), size)) {
		swiotlb_free(dev, page, size);
		return null;
	}
	return page;
}

/** Contiguous pages in reach of @dev: from CMA, else from a zone, going down zone by zone. */
function __dma_direct_alloc_pages(dev: device, size: size_t, gfp: gfp_t): page | null {
	WARN_ON_ONCE(!PAGE_ALIGNED(size));
	if (is_swiotlb_for_alloc(dev)) return dma_direct_alloc_swiotlb(dev, size);

	const phys_limit = new ref<u64>(0);
	let flags = gfp | dma_direct_optimal_gfp_mask(dev, phys_limit);
	const from_cma = dma_alloc_contiguous(dev, size, flags);
	if (from_cma !== null) {
		if (dma_coherent_ok(dev, page_to_phys(from_cma), size)) return from_cma;
		dma_free_contiguous(dev, from_cma, size);
	}

	const order = get_order(size);
	for (;;) {
		const page = alloc_pages_node(dev_to_node(dev), flags, order);
		if (page === null || dma_coherent_ok(dev, page_to_phys(page), size)) return page;
		__free_pages(page, order);

		if (phys_limit.value < DMA_BIT_MASK(64) && (flags & (GFP_DMA32 | GFP_DMA)) === 0) flags |= GFP_DMA32;
		else if ((flags & GFP_DMA) === 0) flags = (flags & ~GFP_DMA32) | GFP_DMA;
		else return null;
	}
}

/** Whether a caller that cannot sleep must be served from the atomic pool: remapping sleeps. */
function dma_direct_use_pool(dev: device, gfp: gfp_t): bool {
	return !gfpflags_allow_blocking(gfp) && !is_swiotlb_for_alloc(dev);
}

function dma_direct_alloc_from_pool(
	dev: device,
	size: size_t,
	dma_handle: ref<dma_addr_t>,
	cpu_addr: ref<void_ptr | null>,
	gfp: gfp_t,
): page | null {
	const phys_limit = new ref<u64>(0);
	const flags = gfp | dma_direct_optimal_gfp_mask(dev, phys_limit);
	const page = dma_alloc_from_pool(dev, size, cpu_addr, flags, dma_coherent_ok);
	if (page !== null) deref(dma_handle).value = phys_to_dma_direct(dev, page_to_phys(page));
	return page;
}

/** Memory that no CPU will look at; the page itself is the cookie. */
function dma_direct_alloc_no_mapping(
	dev: device,
	size: size_t,
	dma_handle: ref<dma_addr_t>,
	gfp: gfp_t,
): void_ptr | null {
	const page = __dma_direct_alloc_pages(dev, size, gfp & ~__GFP_ZERO);
	if (page === null) return null;
	// The kernel's own view may hold dirty lines.
	arch_dma_prep_coherent(page, size);
	deref(dma_handle).value = phys_to_dma_direct(dev, page_to_phys(page));
	return page as unknown as void_ptr;
}

/** kernel/dma/direct.c: dma_direct_alloc(); see dma_alloc_attrs(). */
export function dma_direct_alloc(
	dev: device,
	size: size_t,
	dma_handle: ref<dma_addr_t>,
	gfp: gfp_t,
	attrs: unsigned_long,
): void_ptr | null {
	const bytes = PAGE_ALIGN(size);
	const flags = (attrs & DMA_ATTR_NO_WARN) !== 0 ? gfp | __GFP_NOWARN : gfp;

	if ((attrs & DMA_ATTR_NO_KERNEL_MAPPING) !== 0 && !is_swiotlb_for_alloc(dev))
		return dma_direct_alloc_no_mapping(dev, bytes, dma_handle, flags);

	// A device that does not snoop needs a second, uncached view.
	const remap = !dev_is_dma_coherent(dev);
	if (remap && dma_direct_use_pool(dev, flags)) {
		const from_pool = new ref<void_ptr | null>(null);
		const page = dma_direct_alloc_from_pool(dev, bytes, dma_handle, from_pool, flags);
		return page === null ? null : from_pool.value;
	}

	const page = __dma_direct_alloc_pages(dev, bytes, flags & ~__GFP_ZERO);
	if (page === null) return null;

	let ret: void_ptr | null;
	if (remap) {
		arch_dma_prep_coherent(page, bytes);
		ret = dma_common_contiguous_remap(page, bytes, dma_pgprot(dev, PAGE_KERNEL, attrs), null);
		if (ret === null) {
			__dma_direct_free_pages(dev, page, bytes);
			return null;
		}
	} else {
		ret = page_address(page, bytes);
	}
	ret.fill(0, 0, bytes);
	deref(dma_handle).value = phys_to_dma_direct(dev, page_to_phys(page));
	return ret;
}

/** kernel/dma/direct.c: dma_direct_free(); see dma_free_attrs(). */
export function dma_direct_free(
	dev: device,
	size: size_t,
	cpu_addr: void_ptr,
	dma_addr: dma_addr_t,
	attrs: unsigned_long,
): void {
	if ((attrs & DMA_ATTR_NO_KERNEL_MAPPING) !== 0 && !is_swiotlb_for_alloc(dev)) {
		dma_free_contiguous(dev, cpu_addr as unknown as page, size);
		return;
	}
	if (dma_free_from_pool(dev, cpu_addr, PAGE_ALIGN(size))) return;
	if (is_vmalloc_addr(cpu_addr)) vunmap(cpu_addr);
	__dma_direct_free_pages(dev, dma_direct_to_page(dev, dma_addr), size);
}

/** kernel/dma/direct.c: dma_direct_alloc_pages(); see dma_alloc_pages(). */
export function dma_direct_alloc_pages(
	dev: device,
	size: size_t,
	dma_handle: ref<dma_addr_t>,
	dir: dma_data_direction,
	gfp: gfp_t,
): page | null {
	const page = __dma_direct_alloc_pages(dev, size, gfp);
	if (page === null) return null;
	page_address(page, size).fill(0);
	deref(dma_handle).value = phys_to_dma_direct(dev, page_to_phys(page));
	return page;
}

/** kernel/dma/direct.c: dma_direct_free_pages() */
export function dma_direct_free_pages(
	dev: device,
	size: size_t,
	page: page,
	dma_addr: dma_addr_t,
	dir: dma_data_direction,
): void {
	if (!dma_free_from_pool(dev, page_address(page, size), size)) __dma_direct_free_pages(dev, page, size);
}

/** kernel/dma/direct.c: dma_direct_sync_sg_for_device() */
export function dma_direct_sync_sg_for_device(
	dev: device,
	sgl: scatterlist,
	nents: int,
	dir: dma_data_direction,
): void {
	let sg: scatterlist | null = sgl;
	for (let i = 0; i < nents && can_deref(sg); i++, sg = sg_next(sg))
		dma_direct_sync_single_for_device(dev, sg.dma_address, sg.length, dir);
}

/** kernel/dma/direct.c: dma_direct_sync_sg_for_cpu() */
export function dma_direct_sync_sg_for_cpu(
	dev: device,
	sgl: scatterlist,
	nents: int,
	dir: dma_data_direction,
): void {
	let sg: scatterlist | null = sgl;
	for (let i = 0; i < nents && can_deref(sg); i++, sg = sg_next(sg))
		dma_direct_sync_single_for_cpu(dev, sg.dma_address, sg.length, dir);
}

/** kernel/dma/direct.c: dma_direct_unmap_sg() */
export function dma_direct_unmap_sg(
	dev: device,
	sgl: scatterlist,
	nents: int,
	dir: dma_data_direction,
	attrs: unsigned_long,
): void {
	let sg: scatterlist | null = sgl;
	for (let i = 0; i < nents && can_deref(sg); i++, sg = sg_next(sg)) {
		// A bus address leads to no memory: there is nothing to sync and nothing to free.
		if (sg_dma_is_bus_address(sg)) sg_dma_unmark_bus_address(sg);
		else dma_direct_unmap_page(dev, sg.dma_address, sg.dma_length, dir, attrs);
	}
}

/**
 * Map a list entry by entry, all or nothing.
 *
 * Return: @nents; -EIO when an entry cannot be mapped, -EREMOTEIO when one is memory of another device that @dev does
 * not get at. Linux: kernel/dma/direct.c: dma_direct_map_sg()
 */
export function dma_direct_map_sg(
	dev: device,
	sgl: scatterlist,
	nents: int,
	dir: dma_data_direction,
	attrs: unsigned_long,
): int {
	let p2pdma_state: pci_p2pdma_map_state | null = null;
	let sg: scatterlist | null = sgl;
	let ret = -EREMOTEIO;
	let i = 0;
	out_unmap: {
		for (; i < nents && can_deref(sg); i++, sg = sg_next(sg)) {
			if (is_pci_p2pdma_page(sg_page(sg))) {
				p2pdma_state ??= new pci_p2pdma_map_state();
				const map = pci_p2pdma_map_segment(p2pdma_state, dev, sg);
				if (map === PCI_P2PDMA_MAP_BUS_ADDR) continue;
				// Through the host bridge it is reached by its physical address, as memory is.
				if (map !== PCI_P2PDMA_MAP_THRU_HOST_BRIDGE) break out_unmap;
			}
			sg.dma_address = dma_direct_map_page(dev, sg_page(sg), sg.offset, sg.length, dir, attrs);
			if (sg.dma_address === DMA_MAPPING_ERROR) {
				ret = -EIO;
				break out_unmap;
			}
			sg.dma_length = sg.length;
		}
		return nents;
	}
	dma_direct_unmap_sg(dev, sgl, i, dir, attrs | DMA_ATTR_SKIP_CPU_SYNC);
	return ret;
}

/** kernel/dma/direct.c: dma_direct_map_resource() */
export function dma_direct_map_resource(
	dev: device,
	paddr: phys_addr_t,
	size: size_t,
	dir: dma_data_direction,
	attrs: unsigned_long,
): dma_addr_t {
	const dma_addr: dma_addr_t = paddr as number;
	if (!dma_capable(dev, dma_addr, size, false)) {
		dev_err_once(
			dev,
			'DMA addr %pad+%zu overflow (mask %llx, bus limit %llx).',
			dma_addr,
			size,
			dev.dma_mask!.value,
			dev.bus_dma_limit,
		);
		WARN_ON_ONCE(true);
		return DMA_MAPPING_ERROR;
	}
	return dma_addr;
}

/** kernel/dma/direct.c: dma_direct_get_sgtable() */
export function dma_direct_get_sgtable(
	dev: device,
	sgt: sg_table,
	cpu_addr: void_ptr,
	dma_addr: dma_addr_t,
	size: size_t,
	attrs: unsigned_long,
): int {
	const page = dma_direct_to_page(dev, dma_addr);
	const ret = sg_alloc_table(sgt, 1, GFP_KERNEL);
	if (ret === 0) sg_set_page(deref(sgt.sgl), page, PAGE_ALIGN(size), 0);
	return ret;
}

/** Always: arm64 can give user space an uncached view too (kernel/dma/direct.c: dma_direct_can_mmap()). */
export function dma_direct_can_mmap(dev: device): bool {
	return true;
}

/** kernel/dma/direct.c: dma_direct_mmap() */
export function dma_direct_mmap(
	dev: device,
	vma: vm_area_struct,
	cpu_addr: void_ptr,
	dma_addr: dma_addr_t,
	size: size_t,
	attrs: unsigned_long,
): int {
	const user_count = vma_pages(vma);
	const count = PAGE_ALIGN(size) / PAGE_SIZE;
	const pfn = PFN_DOWN(dma_to_phys(dev, dma_addr));
	const ret = new ref<int>(-ENXIO);

	vma.vm_page_prot = dma_pgprot(dev, vma.vm_page_prot, attrs);
	if (dma_mmap_from_dev_coherent(dev, vma, cpu_addr, size, ret)) return ret.value;
	if (dma_mmap_from_global_coherent(vma, cpu_addr, size, ret)) return ret.value;
	if (vma.vm_pgoff >= count || user_count > count - vma.vm_pgoff) return -ENXIO;
	return remap_pfn_range(vma, vma.vm_start, pfn + vma.vm_pgoff, user_count * PAGE_SIZE, vma.vm_page_prot);
}

/** Whether memory can be found for a device with this mask (kernel/dma/direct.c: dma_direct_supported()). */
export function dma_direct_supported(dev: device, mask: u64): int {
	// Such a mask always does: what lies above bounces.
	if (mask >= DMA_BIT_MASK(32)) return 1;

	// Otherwise all of ZONE_DMA must be in reach. The check is on the address as the bus sees it.
	const last = Math.min((mm_state.max_pfn - 1) * PAGE_SIZE, direct_state.zone_dma_limit);
	return mask >= phys_to_dma_unencrypted(dev, last) ? 1 : 0;
}

/** The window that frame @start_pfn is in. */
function dma_find_range(dev: device, start_pfn: unsigned_long): bus_dma_region | null {
	const map = dev.dma_range_map!;
	for (let i = 0; i < map.length && PFN_DOWN(map[i].size) !== 0; i++) {
		const first = PFN_DOWN(map[i].cpu_start);
		if (start_pfn >= first && start_pfn - first < PFN_DOWN(map[i].size)) return map[i];
	}
	return null;
}

/** 1 when some frame of the range is in no window. */
function check_ram_in_range_map(start_pfn: unsigned_long, nr_pages: unsigned_long, dev: device): int {
	const end_pfn = start_pfn + nr_pages;
	let pfn = start_pfn;
	while (pfn < end_pfn) {
		const region = dma_find_range(dev, pfn);
		if (region === null) return 1;
		pfn = PFN_DOWN(region.cpu_start) + PFN_DOWN(region.size);
	}
	return 0;
}

/** Whether the device's windows show all memory (kernel/dma/direct.c: dma_direct_all_ram_mapped()). */
export function dma_direct_all_ram_mapped(dev: device): bool {
	if (dev.dma_range_map === null) return true;
	return walk_system_ram_range(0, PFN_DOWN(ULONG_MAX) + 1, dev, check_ram_in_range_map) === 0;
}

/** kernel/dma/direct.c: dma_direct_max_mapping_size() */
export function dma_direct_max_mapping_size(dev: device): size_t {
	// What may have to bounce must fit.
	if (is_swiotlb_active(dev) && (dma_addressing_limited(dev) || is_swiotlb_force_bounce(dev)))
		return swiotlb_max_mapping_size(dev);
	return SIZE_MAX;
}

/** kernel/dma/direct.c: dma_direct_need_sync() */
export function dma_direct_need_sync(dev: device, dma_addr: dma_addr_t): bool {
	return !dev_is_dma_coherent(dev) || swiotlb_find_pool(dev, dma_to_phys(dev, dma_addr)) !== null;
}

/**
 * Give @dev one window; for board code, where the tree has no dma-ranges.
 *
 * Return: 0, -EINVAL when it has windows, -ENOMEM. Linux: kernel/dma/direct.c: dma_direct_set_offset()
 */
export function dma_direct_set_offset(
	dev: device,
	cpu_start: phys_addr_t,
	dma_start: dma_addr_t,
	size: u64,
): int {
	if (dev.dma_range_map !== null) {
		dev_err(dev, 'attempt to add DMA range to existing map');
		return -EINVAL;
	}
	if ((cpu_start as number) === (dma_start as number)) return 0;

	// The second one ends the map.
	const map = kcalloc(2, bus_dma_region, GFP_KERNEL);
	if (map === null) return -ENOMEM;
	map[0].cpu_start = cpu_start;
	map[0].dma_start = dma_start;
	map[0].size = size;
	dev.dma_range_map = map;
	return 0;
}

/** kernel/dma/direct.h: dma_direct_sync_single_for_device() */
export function dma_direct_sync_single_for_device(
	dev: device,
	addr: dma_addr_t,
	size: size_t,
	dir: dma_data_direction,
): void {
	const paddr = dma_to_phys(dev, addr);
	swiotlb_sync_single_for_device(dev, paddr, size, dir);
	if (dev_is_dma_coherent(dev)) return;
	dma_tell_unmapped(dev, 'dma_sync_single_for_device', addr, paddr, size);
	arch_sync_dma_for_device(paddr, size, dir);
}

/** kernel/dma/direct.h: dma_direct_sync_single_for_cpu() */
export function dma_direct_sync_single_for_cpu(
	dev: device,
	addr: dma_addr_t,
	size: size_t,
	dir: dma_data_direction,
): void {
	const paddr = dma_to_phys(dev, addr);
	if (!dev_is_dma_coherent(dev)) {
		if (dir !== DMA_TO_DEVICE) dma_tell_unmapped(dev, 'dma_sync_single_for_cpu', addr, paddr, size);
		arch_sync_dma_for_cpu(paddr, size, dir);
	}
	swiotlb_sync_single_for_cpu(dev, paddr, size, dir);
}

/** kernel/dma/direct.h: dma_direct_map_page(); see dma_map_page_attrs(). */
export function dma_direct_map_page(
	dev: device,
	page: page,
	offset: unsigned_long,
	size: size_t,
	dir: dma_data_direction,
	attrs: unsigned_long,
): dma_addr_t {
	const phys = page_to_phys(page) + offset;
	const dma_addr = phys_to_dma(dev, phys);

	// Memory of another device is not copied: it may be registers.
	if (is_swiotlb_force_bounce(dev)) {
		if (is_pci_p2pdma_page(page)) return DMA_MAPPING_ERROR;
		return swiotlb_map(dev, phys, size, dir, attrs);
	}

	if (!dma_capable(dev, dma_addr, size, true) || dma_kmalloc_needs_bounce(dev, size, dir)) {
		if (is_pci_p2pdma_page(page)) return DMA_MAPPING_ERROR;
		if (is_swiotlb_active(dev)) return swiotlb_map(dev, phys, size, dir, attrs);
		dev_WARN_ONCE(
			dev,
			true,
			'DMA addr %pad+%zu overflow (mask %llx, bus limit %llx).',
			dma_addr,
			size,
			dev.dma_mask!.value,
			dev.bus_dma_limit,
		);
		return DMA_MAPPING_ERROR;
	}

	if (!dev_is_dma_coherent(dev) && (attrs & DMA_ATTR_SKIP_CPU_SYNC) === 0) {
		dma_tell_unmapped(dev, 'dma_map_page', dma_addr, phys, size);
		arch_sync_dma_for_device(phys, size, dir);
	}
	return dma_addr;
}

/** kernel/dma/direct.h: dma_direct_unmap_page() */
export function dma_direct_unmap_page(
	dev: device,
	addr: dma_addr_t,
	size: size_t,
	dir: dma_data_direction,
	attrs: unsigned_long,
): void {
	if ((attrs & DMA_ATTR_SKIP_CPU_SYNC) === 0) dma_direct_sync_single_for_cpu(dev, addr, size, dir);
	// The sync has copied what there was to copy.
	swiotlb_tbl_unmap_single(dev, dma_to_phys(dev, addr), size, dir, attrs | DMA_ATTR_SKIP_CPU_SYNC);
}
