// SPDX-License-Identifier: GPL-2.0-only
// What DMA back ends have in common.
// Linux 6.12: kernel/dma/ops_helpers.c

import { deref } from '#arch/arm64/mm/fault.js';
import { iommu_dma_map_page, iommu_dma_unmap_page } from '#drivers/iommu/dma-iommu.js';
import { dma_mmap_from_dev_coherent } from '#kernel/dma/coherent.js';
import { dma_alloc_contiguous, dma_free_contiguous } from '#kernel/dma/contiguous.js';
import { dma_pgprot } from '#kernel/dma/mapping.js';
import { sg_alloc_table } from '#lib/scatterlist.js';
import { dev_to_node, type device } from '#linux/device.js';
import type { dma_data_direction } from '#linux/dma-direction.js';
import { get_dma_ops } from '#linux/dma-map-ops.js';
import { DMA_ATTR_SKIP_CPU_SYNC, DMA_MAPPING_ERROR } from '#linux/dma-mapping.js';
import { ENXIO } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp_types.js';
import { use_dma_iommu } from '#linux/iommu-dma.js';
import {
	get_order,
	PAGE_ALIGN,
	PAGE_SIZE,
	page_to_pfn,
	page_to_virt,
	virt_to_page,
	vma_pages,
} from '#linux/mm.js';
import type { page, vm_area_struct } from '#linux/mm_types.js';
import { type scatterlist, sg_set_page, type sg_table } from '#linux/scatterlist.js';
import {
	type dma_addr_t,
	type gfp_t,
	type int,
	ref,
	type size_t,
	type unsigned_long,
	type void_ptr,
} from '#linux/types.js';
import { remap_pfn_range } from '#mm/memory.js';
import { alloc_pages_node } from '#mm/page_alloc.js';
import { is_vmalloc_addr, vmalloc_to_page } from '#mm/vmalloc.js';

function dma_common_vaddr_to_page(cpu_addr: void_ptr): page {
	return is_vmalloc_addr(cpu_addr) ? (vmalloc_to_page(cpu_addr) as page) : virt_to_page(cpu_addr);
}

/** A table of one entry for a contiguous buffer (kernel/dma/ops_helpers.c: dma_common_get_sgtable()). */
export function dma_common_get_sgtable(
	dev: device,
	sgt: sg_table,
	cpu_addr: void_ptr,
	dma_addr: dma_addr_t,
	size: size_t,
	attrs: unsigned_long,
): int {
	const page = dma_common_vaddr_to_page(cpu_addr);
	const ret = sg_alloc_table(sgt, 1, GFP_KERNEL);
	if (ret === 0) sg_set_page(sgt.sgl as scatterlist, page, PAGE_ALIGN(size), 0);
	return ret;
}

/** Show a contiguous buffer to user space (kernel/dma/ops_helpers.c: dma_common_mmap()). */
export function dma_common_mmap(
	dev: device,
	vma: vm_area_struct,
	cpu_addr: void_ptr,
	dma_addr: dma_addr_t,
	size: size_t,
	attrs: unsigned_long,
): int {
	const user_count = vma_pages(vma);
	const count = PAGE_ALIGN(size) / PAGE_SIZE;
	const off = deref(vma).vm_pgoff;
	const page = dma_common_vaddr_to_page(cpu_addr);
	const ret = new ref<int>(-ENXIO);

	vma.vm_page_prot = dma_pgprot(dev, vma.vm_page_prot, attrs);
	if (dma_mmap_from_dev_coherent(dev, vma, cpu_addr, size, ret)) return ret.value;
	if (off >= count || user_count > count - off) return -ENXIO;
	return remap_pfn_range(
		vma,
		vma.vm_start,
		page_to_pfn(page) + off,
		user_count * PAGE_SIZE,
		vma.vm_page_prot,
	);
}

/** Contiguous pages, mapped for streaming (kernel/dma/ops_helpers.c: dma_common_alloc_pages()). */
export function dma_common_alloc_pages(
	dev: device,
	size: size_t,
	dma_handle: ref<dma_addr_t>,
	dir: dma_data_direction,
	gfp: gfp_t,
): page | null {
	const page =
		dma_alloc_contiguous(dev, size, gfp) ?? alloc_pages_node(dev_to_node(dev), gfp, get_order(size));
	if (page === null) return null;

	dma_handle.value = use_dma_iommu(dev)
		? iommu_dma_map_page(dev, page, 0, size, dir, DMA_ATTR_SKIP_CPU_SYNC)
		: get_dma_ops(dev)!.map_page!(dev, page, 0, size, dir, DMA_ATTR_SKIP_CPU_SYNC);
	if (dma_handle.value === DMA_MAPPING_ERROR) {
		dma_free_contiguous(dev, page, size);
		return null;
	}
	page_to_virt(page, size).fill(0);
	return page;
}

/** Undo dma_common_alloc_pages() (kernel/dma/ops_helpers.c: dma_common_free_pages()). */
export function dma_common_free_pages(
	dev: device,
	size: size_t,
	page: page,
	dma_handle: dma_addr_t,
	dir: dma_data_direction,
): void {
	if (use_dma_iommu(dev)) iommu_dma_unmap_page(dev, dma_handle, size, dir, DMA_ATTR_SKIP_CPU_SYNC);
	else get_dma_ops(dev)?.unmap_page?.(dev, dma_handle, size, dir, DMA_ATTR_SKIP_CPU_SYNC);
	dma_free_contiguous(dev, page, size);
}
