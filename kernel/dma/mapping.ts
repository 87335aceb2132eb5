// SPDX-License-Identifier: GPL-2.0-only
// The DMA API: each call goes to the device's ops, to dma-iommu, or to memory.
// Linux 6.12: kernel/dma/mapping.c, and the inlines of include/linux/dma-mapping.h that call into it
// Left out: the KMSAN hooks, dma_map_ops bypass (CONFIG_DMA_OPS_BYPASS).
import { deref } from '#arch/arm64/mm/fault.js';
import { pgprot_dmacoherent, pgprot_writecombine } from '#asm/pgtable.js';
import { devres_add, devres_alloc, devres_destroy, devres_free } from '#drivers/base/devres.js';
import {
	iommu_dma_alloc,
	iommu_dma_alloc_noncontiguous,
	iommu_dma_free,
	iommu_dma_free_noncontiguous,
	iommu_dma_get_merge_boundary,
	iommu_dma_get_sgtable,
	iommu_dma_map_page,
	iommu_dma_map_resource,
	iommu_dma_map_sg,
	iommu_dma_max_mapping_size,
	iommu_dma_mmap,
	iommu_dma_mmap_noncontiguous,
	iommu_dma_opt_mapping_size,
	iommu_dma_sync_sg_for_cpu,
	iommu_dma_sync_sg_for_device,
	iommu_dma_sync_single_for_cpu,
	iommu_dma_sync_single_for_device,
	iommu_dma_unmap_page,
	iommu_dma_unmap_resource,
	iommu_dma_unmap_sg,
	iommu_dma_vmap_noncontiguous,
	iommu_dma_vunmap_noncontiguous,
} from '#drivers/iommu/dma-iommu.js';
import {
	trace_dma_alloc,
	trace_dma_alloc_pages,
	trace_dma_alloc_sgt,
	trace_dma_alloc_sgt_err,
	trace_dma_free,
	trace_dma_free_pages,
	trace_dma_free_sgt,
	trace_dma_map_page,
	trace_dma_map_resource,
	trace_dma_map_sg,
	trace_dma_map_sg_err,
	trace_dma_sync_sg_for_cpu,
	trace_dma_sync_sg_for_device,
	trace_dma_sync_single_for_cpu,
	trace_dma_sync_single_for_device,
	trace_dma_unmap_page,
	trace_dma_unmap_resource,
	trace_dma_unmap_sg,
} from '#include/trace/events/dma.js';
import { dma_alloc_from_dev_coherent, dma_release_from_dev_coherent } from '#kernel/dma/coherent.js';
import {
	debug_dma_alloc_coherent,
	debug_dma_alloc_pages,
	debug_dma_free_coherent,
	debug_dma_free_pages,
	debug_dma_map_page,
	debug_dma_map_resource,
	debug_dma_map_sg,
	debug_dma_map_single,
	debug_dma_sync_sg_for_cpu,
	debug_dma_sync_sg_for_device,
	debug_dma_sync_single_for_cpu,
	debug_dma_sync_single_for_device,
	debug_dma_unmap_page,
	debug_dma_unmap_resource,
	debug_dma_unmap_sg,
} from '#kernel/dma/debug.js';
import {
	dma_direct_all_ram_mapped,
	dma_direct_alloc,
	dma_direct_alloc_pages,
	dma_direct_can_mmap,
	dma_direct_free,
	dma_direct_free_pages,
	dma_direct_get_required_mask,
	dma_direct_get_sgtable,
	dma_direct_map_page,
	dma_direct_map_resource,
	dma_direct_map_sg,
	dma_direct_max_mapping_size,
	dma_direct_mmap,
	dma_direct_need_sync,
	dma_direct_supported,
	dma_direct_sync_sg_for_cpu,
	dma_direct_sync_sg_for_device,
	dma_direct_sync_single_for_cpu,
	dma_direct_sync_single_for_device,
	dma_direct_unmap_page,
	dma_direct_unmap_sg,
} from '#kernel/dma/direct.js';
import { dma_common_alloc_pages, dma_common_free_pages } from '#kernel/dma/ops_helpers.js';
import { sg_alloc_table, sg_free_table } from '#lib/scatterlist.js';
import { BUG_ON, WARN_ON, WARN_ON_ONCE } from '#linux/bug.js';
import { dev_dbg, dev_WARN_ONCE } from '#linux/dev_printk.js';
import type { device } from '#linux/device.js';
import { DMA_BIDIRECTIONAL, type dma_data_direction, valid_dma_direction } from '#linux/dma-direction.js';
import { coherent_mask_ref, dev_is_dma_coherent, type dma_map_ops, get_dma_ops } from '#linux/dma-map-ops.js';
import {
	DMA_ATTR_ALLOC_SINGLE_PAGES,
	DMA_ATTR_NO_WARN,
	DMA_ATTR_WRITE_COMBINE,
	DMA_BIT_MASK,
	DMA_MAPPING_ERROR,
	dma_dev_need_sync,
	dma_get_mask,
} from '#linux/dma-mapping.js';
import { EINVAL, EIO, ENOMEM, ENXIO, EREMOTEIO } from '#linux/errno.js';
import { __GFP_COMP, __GFP_DMA, __GFP_DMA32, __GFP_HIGHMEM, __GFP_NOWARN } from '#linux/gfp_types.js';
import { use_dma_iommu } from '#linux/iommu-dma.js';
import { irqs_disabled } from '#linux/irqflags.js';
import { min, min_not_zero } from '#linux/minmax.js';
import {
	get_order,
	offset_in_page,
	PAGE_ALIGN,
	PAGE_SIZE,
	page_address,
	page_to_pfn,
	page_to_phys,
	page_to_virt,
	phys_to_page,
	virt_to_page,
	virt_to_phys,
	vma_pages,
} from '#linux/mm.js';
import type { page, vm_area_struct } from '#linux/mm_types.js';
import { type scatterlist, sg_page, sg_set_page, sg_table } from '#linux/scatterlist.js';
import { kfree, kzalloc } from '#linux/slab.js';
import {
	type bool,
	type dma_addr_t,
	type gfp_t,
	type int,
	type pgprot_t,
	type phys_addr_t,
	ref,
	SIZE_MAX,
	type size_t,
	type u64,
	type unsigned_int,
	type unsigned_long,
	type void_ptr,
} from '#linux/types.js';
import { remap_pfn_range } from '#mm/memory.js';
import { is_vmalloc_addr } from '#mm/vmalloc.js';

/** Whether devices are coherent when the device tree does not say; no on arm64 (Linux: kernel/dma/mapping.c: dma_default_coherent). */
export const dma_default_coherent: bool = false;

/** What dmam_alloc_attrs() leaves with the device. */
class dma_devres {
	size: size_t = 0;
	vaddr: void_ptr | null = null;
	dma_handle: dma_addr_t = 0;
	attrs: unsigned_long = 0;
}

function dmam_release(dev: device, res: unknown): void {
	const dr = res as dma_devres;
	dma_free_attrs(dev, dr.size, dr.vaddr, dr.dma_handle, dr.attrs);
}

function dmam_match(dev: device, res: unknown, match_data: unknown): int {
	const dr = res as dma_devres;
	const wanted = match_data as dma_devres;
	if (dr.vaddr !== wanted.vaddr) return 0;
	WARN_ON(dr.size !== wanted.size || dr.dma_handle !== wanted.dma_handle);
	return 1;
}

/** Free a managed coherent buffer before its device goes (kernel/dma/mapping.c: dmam_free_coherent()). */
export function dmam_free_coherent(
	dev: device,
	size: size_t,
	vaddr: void_ptr | null,
	dma_handle: dma_addr_t,
): void {
	const wanted = new dma_devres();
	wanted.size = size;
	wanted.vaddr = vaddr;
	wanted.dma_handle = dma_handle;
	WARN_ON(devres_destroy(dev, dmam_release, dmam_match, wanted) !== 0);
	dma_free_coherent(dev, size, vaddr, dma_handle);
}

/** dma_alloc_attrs() that ends with the device's binding (kernel/dma/mapping.c: dmam_alloc_attrs()). */
export function dmam_alloc_attrs(
	dev: device,
	size: size_t,
	dma_handle: ref<dma_addr_t>,
	gfp: gfp_t,
	attrs: unsigned_long,
): void_ptr | null {
	const dr = devres_alloc(dmam_release, dma_devres, gfp);
	if (dr === null) return null;

	const vaddr = dma_alloc_attrs(dev, size, dma_handle, gfp, attrs);
	if (vaddr === null) {
		devres_free(dr);
		return null;
	}
	dr.vaddr = vaddr;
	dr.dma_handle = dma_handle.value;
	dr.size = size;
	dr.attrs = attrs;
	devres_add(dev, dr);
	return vaddr;
}

/** dma_alloc_coherent() that ends with the device's binding (include/linux/dma-mapping.h: dmam_alloc_coherent()). */
export function dmam_alloc_coherent(
	dev: device,
	size: size_t,
	dma_handle: ref<dma_addr_t>,
	gfp: gfp_t,
): void_ptr | null {
	return dmam_alloc_attrs(dev, size, dma_handle, gfp, (gfp & __GFP_NOWARN) !== 0 ? DMA_ATTR_NO_WARN : 0);
}

function dma_go_direct(dev: device, ops: dma_map_ops | null): bool {
	return !use_dma_iommu(dev) && ops === null;
}

function dma_alloc_direct(dev: device, ops: dma_map_ops | null): bool {
	return dma_go_direct(dev, ops);
}

function dma_map_direct(dev: device, ops: dma_map_ops | null): bool {
	return dma_go_direct(dev, ops);
}

/**
 * Map @size bytes from @offset in @page for the device; until the unmap they are the device's.
 *
 * Context: any. Return: the DMA address or DMA_MAPPING_ERROR. Linux: kernel/dma/mapping.c: dma_map_page_attrs()
 */
export function dma_map_page_attrs(
	dev: device,
	page: page,
	offset: size_t,
	size: size_t,
	dir: dma_data_direction,
	attrs: unsigned_long,
): dma_addr_t {
	const ops = get_dma_ops(dev);
	let addr: dma_addr_t;

	BUG_ON(!valid_dma_direction(dir));
	if (WARN_ON_ONCE(dev.dma_mask === null)) return DMA_MAPPING_ERROR;

	if (dma_map_direct(dev, ops)) addr = dma_direct_map_page(dev, page, offset, size, dir, attrs);
	else if (use_dma_iommu(dev)) addr = iommu_dma_map_page(dev, page, offset, size, dir, attrs);
	else addr = ops!.map_page!(dev, page, offset, size, dir, attrs);
	trace_dma_map_page(dev, page_to_phys(page) + offset, addr, size, dir, attrs);
	debug_dma_map_page(dev, page, offset, size, dir, addr, attrs);
	return addr;
}

/** End a mapping of dma_map_page_attrs(); sizes and directions must agree (kernel/dma/mapping.c: dma_unmap_page_attrs()). */
export function dma_unmap_page_attrs(
	dev: device,
	addr: dma_addr_t,
	size: size_t,
	dir: dma_data_direction,
	attrs: unsigned_long,
): void {
	const ops = get_dma_ops(dev);

	BUG_ON(!valid_dma_direction(dir));
	if (dma_map_direct(dev, ops)) dma_direct_unmap_page(dev, addr, size, dir, attrs);
	else if (use_dma_iommu(dev)) iommu_dma_unmap_page(dev, addr, size, dir, attrs);
	else ops!.unmap_page!(dev, addr, size, dir, attrs);
	trace_dma_unmap_page(dev, addr, size, dir, attrs);
	debug_dma_unmap_page(dev, addr, size, dir);
}

/** The number of mapped entries, or a negative errno. */
function __dma_map_sg_attrs(
	dev: device,
	sg: scatterlist,
	nents: int,
	dir: dma_data_direction,
	attrs: unsigned_long,
): int {
	const ops = get_dma_ops(dev);
	let ents: int;

	BUG_ON(!valid_dma_direction(dir));
	if (WARN_ON_ONCE(dev.dma_mask === null)) return 0;

	if (dma_map_direct(dev, ops)) ents = dma_direct_map_sg(dev, sg, nents, dir, attrs);
	else if (use_dma_iommu(dev)) ents = iommu_dma_map_sg(dev, sg, nents, dir, attrs);
	else ents = ops!.map_sg!(dev, sg, nents, dir, attrs);

	if (ents > 0) {
		trace_dma_map_sg(dev, sg, nents, ents, dir, attrs);
		debug_dma_map_sg(dev, sg, nents, ents, dir, attrs);
	} else if (WARN_ON_ONCE(ents !== -EINVAL && ents !== -ENOMEM && ents !== -EIO && ents !== -EREMOTEIO)) {
		trace_dma_map_sg_err(dev, sg, nents, ents, dir, attrs);
		return -EIO;
	}
	return ents;
}

/**
 * Map a list; neighbours in DMA space come out as one segment.
 *
 * Return: the number of segments, 0 on failure. The unmap and the syncs take @nents, not that number.
 * Linux: kernel/dma/mapping.c: dma_map_sg_attrs()
 */
export function dma_map_sg_attrs(
	dev: device,
	sg: scatterlist,
	nents: int,
	dir: dma_data_direction,
	attrs: unsigned_long,
): unsigned_int {
	const ret = __dma_map_sg_attrs(dev, sg, nents, dir, attrs);
	return Math.max(ret, 0);
}

/**
 * Map a table; sgt.nents becomes the number of segments.
 *
 * Return: 0, -EINVAL (too long or cannot be), -ENOMEM, -EIO. Linux: kernel/dma/mapping.c: dma_map_sgtable()
 */
export function dma_map_sgtable(
	dev: device,
	sgt: sg_table,
	dir: dma_data_direction,
	attrs: unsigned_long,
): int {
	const nents = __dma_map_sg_attrs(dev, deref(deref(sgt).sgl), sgt.orig_nents, dir, attrs);
	if (nents < 0) return nents;
	sgt.nents = nents;
	return 0;
}

/** End the mapping of a list (kernel/dma/mapping.c: dma_unmap_sg_attrs()). */
export function dma_unmap_sg_attrs(
	dev: device,
	sg: scatterlist,
	nents: int,
	dir: dma_data_direction,
	attrs: unsigned_long,
): void {
	const ops = get_dma_ops(dev);

	BUG_ON(!valid_dma_direction(dir));
	trace_dma_unmap_sg(dev, sg, nents, dir, attrs);
	debug_dma_unmap_sg(dev, sg, nents, dir);
	if (dma_map_direct(dev, ops)) dma_direct_unmap_sg(dev, sg, nents, dir, attrs);
	else if (use_dma_iommu(dev)) iommu_dma_unmap_sg(dev, sg, nents, dir, attrs);
	else ops!.unmap_sg?.(dev, sg, nents, dir, attrs);
}

/** Map something that is not RAM (kernel/dma/mapping.c: dma_map_resource()). */
export function dma_map_resource(
	dev: device,
	phys_addr: phys_addr_t,
	size: size_t,
	dir: dma_data_direction,
	attrs: unsigned_long,
): dma_addr_t {
	const ops = get_dma_ops(dev);
	let addr: dma_addr_t = DMA_MAPPING_ERROR;

	BUG_ON(!valid_dma_direction(dir));
	if (WARN_ON_ONCE(dev.dma_mask === null)) return DMA_MAPPING_ERROR;

	if (dma_map_direct(dev, ops)) addr = dma_direct_map_resource(dev, phys_addr, size, dir, attrs);
	else if (use_dma_iommu(dev)) addr = iommu_dma_map_resource(dev, phys_addr, size, dir, attrs);
	else if (ops!.map_resource) addr = ops!.map_resource(dev, phys_addr, size, dir, attrs);
	trace_dma_map_resource(dev, phys_addr, addr, size, dir, attrs);
	debug_dma_map_resource(dev, phys_addr, size, dir, addr, attrs);
	return addr;
}

/** End a mapping of dma_map_resource() (kernel/dma/mapping.c: dma_unmap_resource()). */
export function dma_unmap_resource(
	dev: device,
	addr: dma_addr_t,
	size: size_t,
	dir: dma_data_direction,
	attrs: unsigned_long,
): void {
	const ops = get_dma_ops(dev);

	BUG_ON(!valid_dma_direction(dir));
	if (use_dma_iommu(dev)) iommu_dma_unmap_resource(dev, addr, size, dir, attrs);
	else ops?.unmap_resource?.(dev, addr, size, dir, attrs);
	trace_dma_unmap_resource(dev, addr, size, dir, attrs);
	debug_dma_unmap_resource(dev, addr, size, dir);
}

/** dma_sync_single_for_cpu() of a device that needs syncs (kernel/dma/mapping.c: __dma_sync_single_for_cpu()). */
export function __dma_sync_single_for_cpu(
	dev: device,
	addr: dma_addr_t,
	size: size_t,
	dir: dma_data_direction,
): void {
	const ops = get_dma_ops(dev);

	BUG_ON(!valid_dma_direction(dir));
	if (dma_map_direct(dev, ops)) dma_direct_sync_single_for_cpu(dev, addr, size, dir);
	else if (use_dma_iommu(dev)) iommu_dma_sync_single_for_cpu(dev, addr, size, dir);
	else ops!.sync_single_for_cpu?.(dev, addr, size, dir);
	trace_dma_sync_single_for_cpu(dev, addr, size, dir);
	debug_dma_sync_single_for_cpu(dev, addr, size, dir);
}

/** dma_sync_single_for_device() of a device that needs syncs (kernel/dma/mapping.c: __dma_sync_single_for_device()). */
export function __dma_sync_single_for_device(
	dev: device,
	addr: dma_addr_t,
	size: size_t,
	dir: dma_data_direction,
): void {
	const ops = get_dma_ops(dev);

	BUG_ON(!valid_dma_direction(dir));
	if (dma_map_direct(dev, ops)) dma_direct_sync_single_for_device(dev, addr, size, dir);
	else if (use_dma_iommu(dev)) iommu_dma_sync_single_for_device(dev, addr, size, dir);
	else ops!.sync_single_for_device?.(dev, addr, size, dir);
	trace_dma_sync_single_for_device(dev, addr, size, dir);
	debug_dma_sync_single_for_device(dev, addr, size, dir);
}

/** dma_sync_sg_for_cpu() of a device that needs syncs (kernel/dma/mapping.c: __dma_sync_sg_for_cpu()). */
export function __dma_sync_sg_for_cpu(
	dev: device,
	sg: scatterlist,
	nelems: int,
	dir: dma_data_direction,
): void {
	const ops = get_dma_ops(dev);

	BUG_ON(!valid_dma_direction(dir));
	if (dma_map_direct(dev, ops)) dma_direct_sync_sg_for_cpu(dev, sg, nelems, dir);
	else if (use_dma_iommu(dev)) iommu_dma_sync_sg_for_cpu(dev, sg, nelems, dir);
	else ops!.sync_sg_for_cpu?.(dev, sg, nelems, dir);
	trace_dma_sync_sg_for_cpu(dev, sg, nelems, dir);
	debug_dma_sync_sg_for_cpu(dev, sg, nelems, dir);
}

/** dma_sync_sg_for_device() of a device that needs syncs (kernel/dma/mapping.c: __dma_sync_sg_for_device()). */
export function __dma_sync_sg_for_device(
	dev: device,
	sg: scatterlist,
	nelems: int,
	dir: dma_data_direction,
): void {
	const ops = get_dma_ops(dev);

	BUG_ON(!valid_dma_direction(dir));
	if (dma_map_direct(dev, ops)) dma_direct_sync_sg_for_device(dev, sg, nelems, dir);
	else if (use_dma_iommu(dev)) iommu_dma_sync_sg_for_device(dev, sg, nelems, dir);
	else ops!.sync_sg_for_device?.(dev, sg, nelems, dir);
	trace_dma_sync_sg_for_device(dev, sg, nelems, dir);
	debug_dma_sync_sg_for_device(dev, sg, nelems, dir);
}

/** Give a mapped buffer to the CPU for a while (include/linux/dma-mapping.h: dma_sync_single_for_cpu()). */
export function dma_sync_single_for_cpu(
	dev: device,
	addr: dma_addr_t,
	size: size_t,
	dir: dma_data_direction,
): void {
	if (dma_dev_need_sync(dev)) __dma_sync_single_for_cpu(dev, addr, size, dir);
}

/** Give it back to the device (include/linux/dma-mapping.h: dma_sync_single_for_device()). */
export function dma_sync_single_for_device(
	dev: device,
	addr: dma_addr_t,
	size: size_t,
	dir: dma_data_direction,
): void {
	if (dma_dev_need_sync(dev)) __dma_sync_single_for_device(dev, addr, size, dir);
}

/** dma_sync_single_for_cpu() for a part (include/linux/dma-mapping.h: dma_sync_single_range_for_cpu()). */
export function dma_sync_single_range_for_cpu(
	dev: device,
	addr: dma_addr_t,
	offset: unsigned_long,
	size: size_t,
	dir: dma_data_direction,
): void {
	dma_sync_single_for_cpu(dev, addr + offset, size, dir);
}

/** dma_sync_single_for_device() for a part (include/linux/dma-mapping.h: dma_sync_single_range_for_device()). */
export function dma_sync_single_range_for_device(
	dev: device,
	addr: dma_addr_t,
	offset: unsigned_long,
	size: size_t,
	dir: dma_data_direction,
): void {
	dma_sync_single_for_device(dev, addr + offset, size, dir);
}

/** Give a mapped list to the CPU for a while (include/linux/dma-mapping.h: dma_sync_sg_for_cpu()). */
export function dma_sync_sg_for_cpu(
	dev: device,
	sg: scatterlist,
	nelems: int,
	dir: dma_data_direction,
): void {
	if (dma_dev_need_sync(dev)) __dma_sync_sg_for_cpu(dev, sg, nelems, dir);
}

/** Give it back to the device (include/linux/dma-mapping.h: dma_sync_sg_for_device()). */
export function dma_sync_sg_for_device(
	dev: device,
	sg: scatterlist,
	nelems: int,
	dir: dma_data_direction,
): void {
	if (dma_dev_need_sync(dev)) __dma_sync_sg_for_device(dev, sg, nelems, dir);
}

/** Give a mapped table to the CPU for a while (include/linux/dma-mapping.h: dma_sync_sgtable_for_cpu()). */
export function dma_sync_sgtable_for_cpu(dev: device, sgt: sg_table, dir: dma_data_direction): void {
	dma_sync_sg_for_cpu(dev, deref(deref(sgt).sgl), sgt.orig_nents, dir);
}

/** Give it back to the device (include/linux/dma-mapping.h: dma_sync_sgtable_for_device()). */
export function dma_sync_sgtable_for_device(dev: device, sgt: sg_table, dir: dma_data_direction): void {
	dma_sync_sg_for_device(dev, deref(deref(sgt).sgl), sgt.orig_nents, dir);
}

/** dma_need_sync() of a device for which some mappings may (kernel/dma/mapping.c: __dma_need_sync()). */
export function __dma_need_sync(dev: device, dma_addr: dma_addr_t): bool {
	// Behind an IOMMU only the page table could tell whether the buffer bounced.
	return dma_map_direct(dev, get_dma_ops(dev)) ? dma_direct_need_sync(dev, dma_addr) : true;
}

/** Whether syncs of this mapping do something (include/linux/dma-mapping.h: dma_need_sync()). */
export function dma_need_sync(dev: device, dma_addr: dma_addr_t): bool {
	return dma_dev_need_sync(dev) ? __dma_need_sync(dev, dma_addr) : false;
}

function dma_setup_need_sync(dev: device): void {
	const ops = get_dma_ops(dev);
	if (dma_map_direct(dev, ops) || use_dma_iommu(dev)) {
		// The first bounce takes it back.
		dev.dma_skip_sync = dev_is_dma_coherent(dev);
	} else {
		dev.dma_skip_sync = !(
			ops!.sync_single_for_device ||
			ops!.sync_single_for_cpu ||
			ops!.sync_sg_for_device ||
			ops!.sync_sg_for_cpu
		);
	}
}

/** dma_map_page_attrs() of kernel memory, which must be in the linear map (include/linux/dma-mapping.h: dma_map_single_attrs()). */
export function dma_map_single_attrs(
	dev: device,
	ptr: void_ptr,
	size: size_t,
	dir: dma_data_direction,
	attrs: unsigned_long,
): dma_addr_t {
	if (dev_WARN_ONCE(dev, is_vmalloc_addr(ptr), 'rejecting DMA map of vmalloc memory'))
		return DMA_MAPPING_ERROR;
	debug_dma_map_single(dev, ptr, size);
	if (ptr === null) return dma_map_page_attrs(dev, virt_to_page(ptr), 0, size, dir, attrs);

	const phys = virt_to_phys(ptr);
	// An array that is no simulated memory is what a variable is in C, and stacks are vmalloc()ed, too.
	if (dev_WARN_ONCE(dev, phys < 0, 'rejecting DMA map of vmalloc memory')) return DMA_MAPPING_ERROR;
	return dma_map_page_attrs(dev, phys_to_page(phys), offset_in_page(phys), size, dir, attrs);
}

/** End a mapping of dma_map_single_attrs() (include/linux/dma-mapping.h: dma_unmap_single_attrs()). */
export function dma_unmap_single_attrs(
	dev: device,
	addr: dma_addr_t,
	size: size_t,
	dir: dma_data_direction,
	attrs: unsigned_long,
): void {
	dma_unmap_page_attrs(dev, addr, size, dir, attrs);
}

/** Map kernel memory (include/linux/dma-mapping.h: dma_map_single()). */
export function dma_map_single(
	dev: device,
	ptr: void_ptr,
	size: size_t,
	dir: dma_data_direction,
): dma_addr_t {
	return dma_map_single_attrs(dev, ptr, size, dir, 0);
}

/** End a mapping of dma_map_single() (include/linux/dma-mapping.h: dma_unmap_single()). */
export function dma_unmap_single(dev: device, addr: dma_addr_t, size: size_t, dir: dma_data_direction): void {
	dma_unmap_single_attrs(dev, addr, size, dir, 0);
}

/** Map a part of a page or of several (include/linux/dma-mapping.h: dma_map_page()). */
export function dma_map_page(
	dev: device,
	page: page,
	offset: size_t,
	size: size_t,
	dir: dma_data_direction,
): dma_addr_t {
	return dma_map_page_attrs(dev, page, offset, size, dir, 0);
}

/** End a mapping of dma_map_page() (include/linux/dma-mapping.h: dma_unmap_page()). */
export function dma_unmap_page(dev: device, addr: dma_addr_t, size: size_t, dir: dma_data_direction): void {
	dma_unmap_page_attrs(dev, addr, size, dir, 0);
}

/** Map a list (include/linux/dma-mapping.h: dma_map_sg()). */
export function dma_map_sg(dev: device, sg: scatterlist, nents: int, dir: dma_data_direction): unsigned_int {
	return dma_map_sg_attrs(dev, sg, nents, dir, 0);
}

/** End a mapping of dma_map_sg() (include/linux/dma-mapping.h: dma_unmap_sg()). */
export function dma_unmap_sg(dev: device, sg: scatterlist, nents: int, dir: dma_data_direction): void {
	dma_unmap_sg_attrs(dev, sg, nents, dir, 0);
}

/** End a mapping of dma_map_sgtable() (include/linux/dma-mapping.h: dma_unmap_sgtable()). */
export function dma_unmap_sgtable(
	dev: device,
	sgt: sg_table,
	dir: dma_data_direction,
	attrs: unsigned_long,
): void {
	dma_unmap_sg_attrs(dev, deref(deref(sgt).sgl), sgt.orig_nents, dir, attrs);
}

/**
 * Describe a coherent buffer as a list of its pages; free with sg_free_table().
 *
 * Return: 0, -ENOMEM, -ENXIO. Linux: kernel/dma/mapping.c: dma_get_sgtable_attrs()
 */
export function dma_get_sgtable_attrs(
	dev: device,
	sgt: sg_table,
	cpu_addr: void_ptr,
	dma_addr: dma_addr_t,
	size: size_t,
	attrs: unsigned_long,
): int {
	const ops = get_dma_ops(dev);
	if (dma_alloc_direct(dev, ops)) return dma_direct_get_sgtable(dev, sgt, cpu_addr, dma_addr, size, attrs);
	if (use_dma_iommu(dev)) return iommu_dma_get_sgtable(dev, sgt, cpu_addr, dma_addr, size, attrs);
	if (!ops!.get_sgtable) return -ENXIO;
	return ops!.get_sgtable(dev, sgt, cpu_addr, dma_addr, size, attrs);
}

/** dma_get_sgtable_attrs() without attributes (include/linux/dma-mapping.h: dma_get_sgtable()). */
export function dma_get_sgtable(
	dev: device,
	sgt: sg_table,
	cpu_addr: void_ptr,
	dma_addr: dma_addr_t,
	size: size_t,
): int {
	return dma_get_sgtable_attrs(dev, sgt, cpu_addr, dma_addr, size, 0);
}

/** How a mapping of a coherent buffer must be protected (kernel/dma/mapping.c: dma_pgprot()). */
export function dma_pgprot(dev: device, prot: pgprot_t, attrs: unsigned_long): pgprot_t {
	if (dev_is_dma_coherent(dev)) return prot;
	if ((attrs & DMA_ATTR_WRITE_COMBINE) !== 0) return pgprot_writecombine(prot);
	return pgprot_dmacoherent(prot);
}

/** Whether user space may map coherent buffers of @dev (kernel/dma/mapping.c: dma_can_mmap()). */
export function dma_can_mmap(dev: device): bool {
	const ops = get_dma_ops(dev);
	if (dma_alloc_direct(dev, ops)) return dma_direct_can_mmap(dev);
	if (use_dma_iommu(dev)) return true;
	return ops!.mmap !== undefined;
}

/**
 * Show a coherent buffer to user space; vm_pgoff says from which page.
 *
 * Return: 0, -ENXIO when @vma is not inside. Linux: kernel/dma/mapping.c: dma_mmap_attrs()
 */
export function dma_mmap_attrs(
	dev: device,
	vma: vm_area_struct,
	cpu_addr: void_ptr,
	dma_addr: dma_addr_t,
	size: size_t,
	attrs: unsigned_long,
): int {
	const ops = get_dma_ops(dev);
	if (dma_alloc_direct(dev, ops)) return dma_direct_mmap(dev, vma, cpu_addr, dma_addr, size, attrs);
	if (use_dma_iommu(dev)) return iommu_dma_mmap(dev, vma, cpu_addr, dma_addr, size, attrs);
	if (!ops!.mmap) return -ENXIO;
	return ops!.mmap(dev, vma, cpu_addr, dma_addr, size, attrs);
}

/** dma_mmap_attrs() without attributes (include/linux/dma-mapping.h: dma_mmap_coherent()). */
export function dma_mmap_coherent(
	dev: device,
	vma: vm_area_struct,
	cpu_addr: void_ptr,
	dma_addr: dma_addr_t,
	size: size_t,
): int {
	return dma_mmap_attrs(dev, vma, cpu_addr, dma_addr, size, 0);
}

/** dma_mmap_attrs() of a write-combined buffer (include/linux/dma-mapping.h: dma_mmap_wc()). */
export function dma_mmap_wc(
	dev: device,
	vma: vm_area_struct,
	cpu_addr: void_ptr,
	dma_addr: dma_addr_t,
	size: size_t,
): int {
	return dma_mmap_attrs(dev, vma, cpu_addr, dma_addr, size, DMA_ATTR_WRITE_COMBINE);
}

/** The mask with which @dev reaches all memory (kernel/dma/mapping.c: dma_get_required_mask()). */
export function dma_get_required_mask(dev: device): u64 {
	const ops = get_dma_ops(dev);
	if (dma_alloc_direct(dev, ops)) return dma_direct_get_required_mask(dev);
	// Whatever an IOMMU can do, 32 bits are enough to use it.
	if (use_dma_iommu(dev)) return DMA_BIT_MASK(32);
	return ops!.get_required_mask?.(dev) ?? DMA_BIT_MASK(32);
}

/**
 * Allocate memory that CPU and device see alike.
 * @dma_handle: takes the DMA address
 * @attrs: DMA_ATTR_…; with NO_KERNEL_MAPPING the result is only a cookie for the free and must not be looked into
 *
 * Return: the memory, zeroed, or null. Linux: kernel/dma/mapping.c: dma_alloc_attrs()
 */
export function dma_alloc_attrs(
	dev: device,
	size: size_t,
	dma_handle: ref<dma_addr_t>,
	flag: gfp_t,
	attrs: unsigned_long,
): void_ptr | null {
	const ops = get_dma_ops(dev);
	let cpu_addr: void_ptr | null;

	WARN_ON_ONCE(dev.coherent_dma_mask === 0);
	if (WARN_ON_ONCE((flag & __GFP_COMP) !== 0)) return null;

	const from_dev = new ref<void_ptr | null>(null);
	if (dma_alloc_from_dev_coherent(dev, size, dma_handle, from_dev)) {
		trace_dma_alloc(dev, from_dev.value, dma_handle.value, size, DMA_BIDIRECTIONAL, flag, attrs);
		return from_dev.value;
	}

	// The back end knows better which zone it takes.
	const gfp = flag & ~(__GFP_DMA | __GFP_DMA32 | __GFP_HIGHMEM);
	if (dma_alloc_direct(dev, ops)) {
		cpu_addr = dma_direct_alloc(dev, size, dma_handle, gfp, attrs);
	} else if (use_dma_iommu(dev)) {
		cpu_addr = iommu_dma_alloc(dev, size, dma_handle, gfp, attrs);
	} else if (ops!.alloc) {
		cpu_addr = ops!.alloc(dev, size, dma_handle, gfp, attrs);
	} else {
		trace_dma_alloc(dev, null, 0, size, DMA_BIDIRECTIONAL, gfp, attrs);
		return null;
	}
	trace_dma_alloc(dev, cpu_addr, deref(dma_handle).value, size, DMA_BIDIRECTIONAL, gfp, attrs);
	debug_dma_alloc_coherent(dev, size, dma_handle.value, cpu_addr, attrs);
	return cpu_addr;
}

/** Free memory of dma_alloc_attrs(); interrupts must be on (kernel/dma/mapping.c: dma_free_attrs()). */
export function dma_free_attrs(
	dev: device,
	size: size_t,
	cpu_addr: void_ptr | null,
	dma_handle: dma_addr_t,
	attrs: unsigned_long,
): void {
	const ops = get_dma_ops(dev);

	if (cpu_addr !== null && dma_release_from_dev_coherent(dev, get_order(size), cpu_addr)) return;
	// Unmapping the CPU's view may need the other CPUs.
	WARN_ON(irqs_disabled());
	trace_dma_free(dev, cpu_addr, dma_handle, size, DMA_BIDIRECTIONAL, attrs);
	if (cpu_addr === null) return;

	debug_dma_free_coherent(dev, size, cpu_addr, dma_handle);
	if (dma_alloc_direct(dev, ops)) dma_direct_free(dev, size, cpu_addr, dma_handle, attrs);
	else if (use_dma_iommu(dev)) iommu_dma_free(dev, size, cpu_addr, dma_handle, attrs);
	else ops!.free?.(dev, size, cpu_addr, dma_handle, attrs);
}

/** dma_alloc_attrs() without attributes (include/linux/dma-mapping.h: dma_alloc_coherent()). */
export function dma_alloc_coherent(
	dev: device,
	size: size_t,
	dma_handle: ref<dma_addr_t>,
	gfp: gfp_t,
): void_ptr | null {
	return dma_alloc_attrs(dev, size, dma_handle, gfp, (gfp & __GFP_NOWARN) !== 0 ? DMA_ATTR_NO_WARN : 0);
}

/** Free memory of dma_alloc_coherent() (include/linux/dma-mapping.h: dma_free_coherent()). */
export function dma_free_coherent(
	dev: device,
	size: size_t,
	cpu_addr: void_ptr | null,
	dma_handle: dma_addr_t,
): void {
	dma_free_attrs(dev, size, cpu_addr, dma_handle, 0);
}

/** Write-combined coherent memory (include/linux/dma-mapping.h: dma_alloc_wc()). */
export function dma_alloc_wc(
	dev: device,
	size: size_t,
	dma_addr: ref<dma_addr_t>,
	gfp: gfp_t,
): void_ptr | null {
	const attrs = DMA_ATTR_WRITE_COMBINE | ((gfp & __GFP_NOWARN) !== 0 ? DMA_ATTR_NO_WARN : 0);
	return dma_alloc_attrs(dev, size, dma_addr, gfp, attrs);
}

/** Free memory of dma_alloc_wc() (include/linux/dma-mapping.h: dma_free_wc()). */
export function dma_free_wc(
	dev: device,
	size: size_t,
	cpu_addr: void_ptr | null,
	dma_addr: dma_addr_t,
): void {
	dma_free_attrs(dev, size, cpu_addr, dma_addr, DMA_ATTR_WRITE_COMBINE);
}

function __dma_alloc_pages(
	dev: device,
	size: size_t,
	dma_handle: ref<dma_addr_t>,
	dir: dma_data_direction,
	gfp: gfp_t,
): page | null {
	const ops = get_dma_ops(dev);

	if (WARN_ON_ONCE(dev.coherent_dma_mask === 0)) return null;
	if (WARN_ON_ONCE((gfp & (__GFP_DMA | __GFP_DMA32 | __GFP_HIGHMEM)) !== 0)) return null;
	if (WARN_ON_ONCE((gfp & __GFP_COMP) !== 0)) return null;

	const aligned = PAGE_ALIGN(size);
	if (dma_alloc_direct(dev, ops)) return dma_direct_alloc_pages(dev, aligned, dma_handle, dir, gfp);
	if (use_dma_iommu(dev)) return dma_common_alloc_pages(dev, aligned, dma_handle, dir, gfp);
	return ops!.alloc_pages_op?.(dev, aligned, dma_handle, dir, gfp) ?? null;
}

/**
 * Allocate contiguous pages that @dev reaches, mapped for streaming: syncs are the caller's.
 *
 * Return: the first page, cleared, or null. Linux: kernel/dma/mapping.c: dma_alloc_pages()
 */
export function dma_alloc_pages(
	dev: device,
	size: size_t,
	dma_handle: ref<dma_addr_t>,
	dir: dma_data_direction,
	gfp: gfp_t,
): page | null {
	const page = __dma_alloc_pages(dev, size, dma_handle, dir, gfp);
	if (page !== null) {
		trace_dma_alloc_pages(dev, page_to_virt(page), dma_handle.value, size, dir, gfp, 0);
		debug_dma_alloc_pages(dev, page, size, dir, dma_handle.value, 0);
	} else {
		trace_dma_alloc_pages(dev, null, 0, size, dir, gfp, 0);
	}
	return page;
}

function __dma_free_pages(
	dev: device,
	size: size_t,
	page: page,
	dma_handle: dma_addr_t,
	dir: dma_data_direction,
): void {
	const ops = get_dma_ops(dev);
	const aligned = PAGE_ALIGN(size);
	if (dma_alloc_direct(dev, ops)) dma_direct_free_pages(dev, aligned, page, dma_handle, dir);
	else if (use_dma_iommu(dev)) dma_common_free_pages(dev, aligned, page, dma_handle, dir);
	else ops!.free_pages?.(dev, aligned, page, dma_handle, dir);
}

/** Free pages of dma_alloc_pages() (kernel/dma/mapping.c: dma_free_pages()). */
export function dma_free_pages(
	dev: device,
	size: size_t,
	page: page,
	dma_handle: dma_addr_t,
	dir: dma_data_direction,
): void {
	trace_dma_free_pages(dev, page_to_virt(page), dma_handle, size, dir, 0);
	debug_dma_free_pages(dev, page, size, dir, dma_handle);
	__dma_free_pages(dev, size, page, dma_handle, dir);
}

/** dma_alloc_pages(), as memory (include/linux/dma-mapping.h: dma_alloc_noncoherent()). */
export function dma_alloc_noncoherent(
	dev: device,
	size: size_t,
	dma_handle: ref<dma_addr_t>,
	dir: dma_data_direction,
	gfp: gfp_t,
): void_ptr | null {
	const page = dma_alloc_pages(dev, size, dma_handle, dir, gfp);
	return page !== null ? page_address(page, PAGE_ALIGN(size)) : null;
}

/** Free memory of dma_alloc_noncoherent() (include/linux/dma-mapping.h: dma_free_noncoherent()). */
export function dma_free_noncoherent(
	dev: device,
	size: size_t,
	vaddr: void_ptr,
	dma_handle: dma_addr_t,
	dir: dma_data_direction,
): void {
	dma_free_pages(dev, size, virt_to_page(vaddr), dma_handle, dir);
}

/** Show pages of dma_alloc_pages() to user space (kernel/dma/mapping.c: dma_mmap_pages()). */
export function dma_mmap_pages(dev: device, vma: vm_area_struct, size: size_t, page: page): int {
	const count = PAGE_ALIGN(size) / PAGE_SIZE;
	if (deref(vma).vm_pgoff >= count || vma_pages(vma) > count - vma.vm_pgoff) return -ENXIO;
	return remap_pfn_range(
		vma,
		vma.vm_start,
		page_to_pfn(page) + vma.vm_pgoff,
		vma_pages(vma) * PAGE_SIZE,
		vma.vm_page_prot,
	);
}

function alloc_single_sgt(dev: device, size: size_t, dir: dma_data_direction, gfp: gfp_t): sg_table | null {
	const sgt = kzalloc(sg_table, gfp);
	if (sgt === null) return null;
	if (sg_alloc_table(sgt, 1, gfp) !== 0) {
		kfree(sgt);
		return null;
	}

	const sg = deref(deref(sgt).sgl);
	const dma_handle = new ref<dma_addr_t>(0);
	const page = __dma_alloc_pages(dev, size, dma_handle, dir, gfp);
	if (page === null) {
		sg_free_table(sgt);
		kfree(sgt);
		return null;
	}
	sg.dma_address = dma_handle.value;
	sg_set_page(sg, page, PAGE_ALIGN(size), 0);
	sg.dma_length = sg.length;
	return sgt;
}

/**
 * Allocate pages that are one range to the device, and need not be one in memory. Syncs are the caller's.
 *
 * Return: a table with one DMA segment, or null. Linux: kernel/dma/mapping.c: dma_alloc_noncontiguous()
 */
export function dma_alloc_noncontiguous(
	dev: device,
	size: size_t,
	dir: dma_data_direction,
	gfp: gfp_t,
	attrs: unsigned_long,
): sg_table | null {
	if (WARN_ON_ONCE((attrs & ~DMA_ATTR_ALLOC_SINGLE_PAGES) !== 0)) return null;
	if (WARN_ON_ONCE((gfp & __GFP_COMP) !== 0)) return null;

	const sgt = use_dma_iommu(dev)
		? iommu_dma_alloc_noncontiguous(dev, size, dir, gfp, attrs)
		: alloc_single_sgt(dev, size, dir, gfp);
	if (sgt !== null) {
		sgt.nents = 1;
		trace_dma_alloc_sgt(dev, sgt, size, dir, gfp, attrs);
		debug_dma_map_sg(dev, deref(deref(sgt).sgl), sgt.orig_nents, 1, dir, attrs);
	} else {
		trace_dma_alloc_sgt_err(dev, null, 0, size, dir, gfp, attrs);
	}
	return sgt;
}

function free_single_sgt(dev: device, size: size_t, sgt: sg_table, dir: dma_data_direction): void {
	const sg = deref(deref(sgt).sgl);
	__dma_free_pages(dev, size, sg_page(sg), sg.dma_address, dir);
	sg_free_table(sgt);
	kfree(sgt);
}

/** Free memory of dma_alloc_noncontiguous() (kernel/dma/mapping.c: dma_free_noncontiguous()). */
export function dma_free_noncontiguous(
	dev: device,
	size: size_t,
	sgt: sg_table,
	dir: dma_data_direction,
): void {
	trace_dma_free_sgt(dev, sgt, size, dir);
	debug_dma_unmap_sg(dev, deref(deref(sgt).sgl), sgt.orig_nents, dir);
	if (use_dma_iommu(dev)) iommu_dma_free_noncontiguous(dev, size, sgt, dir);
	else free_single_sgt(dev, size, sgt, dir);
}

/** Make such memory one range for the CPU too, cached (kernel/dma/mapping.c: dma_vmap_noncontiguous()). */
export function dma_vmap_noncontiguous(dev: device, size: size_t, sgt: sg_table): void_ptr | null {
	if (use_dma_iommu(dev)) return iommu_dma_vmap_noncontiguous(dev, size, sgt);
	return page_address(sg_page(deref(deref(sgt).sgl)), PAGE_ALIGN(size));
}

/** Undo dma_vmap_noncontiguous() (kernel/dma/mapping.c: dma_vunmap_noncontiguous()). */
export function dma_vunmap_noncontiguous(dev: device, vaddr: void_ptr): void {
	if (use_dma_iommu(dev)) iommu_dma_vunmap_noncontiguous(dev, vaddr);
}

/** Show such memory to user space (kernel/dma/mapping.c: dma_mmap_noncontiguous()). */
export function dma_mmap_noncontiguous(dev: device, vma: vm_area_struct, size: size_t, sgt: sg_table): int {
	if (use_dma_iommu(dev)) return iommu_dma_mmap_noncontiguous(dev, vma, size, sgt);
	return dma_mmap_pages(dev, vma, size, sg_page(deref(deref(sgt).sgl)));
}

function dma_supported(dev: device, mask: u64): bool {
	const ops = get_dma_ops(dev);
	if (use_dma_iommu(dev)) return !WARN_ON(ops !== null);
	// A back end that does not say takes every mask.
	if (ops !== null) return ops.dma_supported ? ops.dma_supported(dev, mask) !== 0 : true;
	return dma_direct_supported(dev, mask) !== 0;
}

/** Whether peer-to-peer pages can be mapped (kernel/dma/mapping.c: dma_pci_p2pdma_supported()). */
export function dma_pci_p2pdma_supported(dev: device): bool {
	return get_dma_ops(dev) === null;
}

/**
 * Say which addresses @dev can put on the bus, for streaming mappings.
 *
 * Return: 0, -EIO when memory cannot be found for such a mask. Linux: kernel/dma/mapping.c: dma_set_mask()
 */
export function dma_set_mask(dev: device, mask: u64): int {
	const { dma_mask } = deref(dev);
	if (dma_mask === null || !dma_supported(dev, mask)) return -EIO;
	dma_mask.value = mask;
	if (dma_mask instanceof coherent_mask_ref) dev.coherent_dma_mask = mask;
	dma_setup_need_sync(dev);
	return 0;
}

/** The same for coherent memory (kernel/dma/mapping.c: dma_set_coherent_mask()). */
export function dma_set_coherent_mask(dev: device, mask: u64): int {
	if (!dma_supported(dev, mask)) return -EIO;
	dev.coherent_dma_mask = mask;
	if (dev.dma_mask instanceof coherent_mask_ref) dev.dma_mask.value = mask;
	return 0;
}

/** Both masks (include/linux/dma-mapping.h: dma_set_mask_and_coherent()). */
export function dma_set_mask_and_coherent(dev: device, mask: u64): int {
	const rc = dma_set_mask(dev, mask);
	if (rc === 0) dma_set_coherent_mask(dev, mask);
	return rc;
}

/** Both masks of a device that has no place for the first (include/linux/dma-mapping.h: dma_coerce_mask_and_coherent()). */
export function dma_coerce_mask_and_coherent(dev: device, mask: u64): int {
	dev.dma_mask = new coherent_mask_ref(dev.coherent_dma_mask);
	return dma_set_mask_and_coherent(dev, mask);
}

function __dma_addressing_limited(dev: device): bool {
	const reach = min_not_zero(dma_get_mask(dev), dev.bus_dma_limit);
	if (reach < dma_get_required_mask(dev)) return true;
	if (get_dma_ops(dev) !== null || use_dma_iommu(dev)) return false;
	return !dma_direct_all_ram_mapped(dev);
}

/** Whether @dev cannot reach all memory (kernel/dma/mapping.c: dma_addressing_limited()). */
export function dma_addressing_limited(dev: device): bool {
	if (!__dma_addressing_limited(dev)) return false;
	dev_dbg(dev, 'device is DMA addressing limited');
	return true;
}

/** The largest mapping that can succeed (kernel/dma/mapping.c: dma_max_mapping_size()). */
export function dma_max_mapping_size(dev: device): size_t {
	const ops = get_dma_ops(dev);
	if (dma_map_direct(dev, ops)) return dma_direct_max_mapping_size(dev);
	if (use_dma_iommu(dev)) return iommu_dma_max_mapping_size(dev);
	return ops!.max_mapping_size?.(dev) ?? SIZE_MAX;
}

/** The largest mapping that is fast (kernel/dma/mapping.c: dma_opt_mapping_size()). */
export function dma_opt_mapping_size(dev: device): size_t {
	const ops = get_dma_ops(dev);
	const size = use_dma_iommu(dev) ? iommu_dma_opt_mapping_size() : (ops?.opt_mapping_size?.() ?? SIZE_MAX);
	return min(dma_max_mapping_size(dev), size);
}

/** Entries that meet on this mask's boundary come out as one; 0: never (kernel/dma/mapping.c: dma_get_merge_boundary()). */
export function dma_get_merge_boundary(dev: device): unsigned_long {
	if (use_dma_iommu(dev)) return iommu_dma_get_merge_boundary(dev);
	return get_dma_ops(dev)?.get_merge_boundary?.(dev) ?? 0;
}
