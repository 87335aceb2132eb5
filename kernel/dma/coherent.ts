// SPDX-License-Identifier: GPL-2.0-only
// Coherent memory of one device, or of all that have none of their own.
// Linux 6.12: kernel/dma/coherent.c
// The global pool (CONFIG_DMA_GLOBAL_POOL) is here, and empty unless a tree declares it. dma_direct_alloc() takes
// nothing from it: Linux has either that or CONFIG_DMA_DIRECT_REMAP, which arm64 wants.

import { deref } from '#arch/arm64/mm/fault.js';
import { get_order, PAGE_ALIGN } from '#asm/page.js';
import { PAGE_SIZE } from '#asm/page-def.js';
import { of_get_flat_dt_prop } from '#drivers/of/fdt.js';
import { MEMREMAP_WC, memremap, memunmap } from '#kernel/iomem.js';
import { bitmap_find_free_region, bitmap_free, bitmap_release_region, bitmap_zalloc } from '#linux/bitmap.js';
import { WARN } from '#linux/bug.js';
import { dev_warn } from '#linux/dev_printk.js';
import type { device } from '#linux/device.js';
import { phys_to_dma } from '#linux/dma-direct.js';
import { ERR_PTR, type err_ptr, IS_ERR, PTR_ERR } from '#linux/err.js';
import { EBUSY, EINVAL, ENODEV, ENOMEM, ENXIO } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { boot_data, core_initcall } from '#linux/init.js';
import { min_not_zero } from '#linux/minmax.js';
import { vma_pages } from '#linux/mm.js';
import type { vm_area_struct } from '#linux/mm_types.js';
import { RESERVEDMEM_OF_DECLARE, type reserved_mem, type reserved_mem_ops } from '#linux/of_reserved_mem.js';
import { PFN_DOWN, PFN_PHYS } from '#linux/pfn.js';
import { pr_err, pr_info } from '#linux/printk.js';
import { kfree, kzalloc } from '#linux/slab.js';
import { spin_lock_irqsave, spin_unlock_irqrestore, spinlock_t } from '#linux/spinlock.js';
import type {
	bool,
	dma_addr_t,
	int,
	long,
	phys_addr_t,
	ref,
	size_t,
	ssize_t,
	u64,
	unsigned_long,
	void_ptr,
} from '#linux/types.js';
import { memblock_make_piece } from '#mm/memblock.js';
import { remap_pfn_range } from '#mm/memory.js';

const SZ_1M = 0x10_0000;

export class dma_coherent_mem {
	virt_base: void_ptr | null = null;
	device_base: dma_addr_t = 0;
	pfn_base: unsigned_long = 0;
	/** Pages. */
	size: int = 0;
	bitmap: Uint32Array | null = null;
	spinlock: spinlock_t = new spinlock_t('mem->spinlock');
	/** Ask the device's dma-ranges for the address, rather than device_base. */
	use_dev_dma_pfn_offset: bool = false;
}

const state = boot_data(() => ({
	dma_coherent_default_memory: null as dma_coherent_mem | null,
	dma_reserved_default_memory_base: 0 as phys_addr_t,
	dma_reserved_default_memory_size: 0 as phys_addr_t,
}));

function dev_get_coherent_memory(dev: device | null): dma_coherent_mem | null {
	return (dev?.dma_mem ?? null) as dma_coherent_mem | null;
}

function dma_get_device_base(dev: device, mem: dma_coherent_mem): dma_addr_t {
	return mem.use_dev_dma_pfn_offset ? phys_to_dma(dev, PFN_PHYS(mem.pfn_base)) : mem.device_base;
}

function dma_init_coherent_memory(
	phys_addr: phys_addr_t,
	device_addr: dma_addr_t,
	size: size_t,
	use_dma_pfn_offset: bool,
): dma_coherent_mem | err_ptr {
	if (size === 0) return ERR_PTR(-EINVAL);
	const mem_base = memremap(phys_addr, size, MEMREMAP_WC);
	if (mem_base === null) return ERR_PTR(-EINVAL);

	const pages = Math.floor(size / PAGE_SIZE);
	const dma_mem = kzalloc(dma_coherent_mem, GFP_KERNEL);
	const bitmap = dma_mem === null ? null : bitmap_zalloc(pages, GFP_KERNEL);
	if (dma_mem === null || bitmap === null) {
		kfree(dma_mem);
		memunmap(mem_base);
		pr_err(
			'Reserved memory: failed to init DMA memory pool at %pa, size %zd MiB',
			phys_addr,
			Math.floor(size / SZ_1M),
		);
		return ERR_PTR(-ENOMEM);
	}
	dma_mem.bitmap = bitmap;
	dma_mem.size = pages;
	dma_mem.pfn_base = PFN_DOWN(phys_addr);
	dma_mem.virt_base = mem_base;
	dma_mem.device_base = device_addr;
	dma_mem.use_dev_dma_pfn_offset = use_dma_pfn_offset;
	return dma_mem;
}

function _dma_release_coherent_memory(mem: dma_coherent_mem | null): void {
	if (mem === null) return;
	if (mem.virt_base !== null) memunmap(mem.virt_base);
	bitmap_free(mem.bitmap);
	kfree(mem);
}

function dma_assign_coherent_memory(dev: device | null, mem: dma_coherent_mem): int {
	if (dev === null) return -ENODEV;
	if (dev.dma_mem !== null) return -EBUSY;
	dev.dma_mem = mem;
	return 0;
}

/**
 * Give @dev coherent memory of its own (kernel/dma/coherent.c: dma_declare_coherent_memory()): from now on
 * dma_alloc_coherent() takes from it. -EBUSY: it has some; -EINVAL: nothing there, or memory of the kernel.
 */
export function dma_declare_coherent_memory(
	dev: device | null,
	phys_addr: phys_addr_t,
	device_addr: dma_addr_t,
	size: size_t,
): int {
	const mem = dma_init_coherent_memory(phys_addr, device_addr, size, false);
	if (IS_ERR(mem)) return PTR_ERR(mem);
	const ret = dma_assign_coherent_memory(dev, mem);
	if (ret !== 0) _dma_release_coherent_memory(mem);
	return ret;
}

/** Take @dev's own coherent memory away (kernel/dma/coherent.c: dma_release_coherent_memory()). */
export function dma_release_coherent_memory(dev: device | null): void {
	if (dev === null) return;
	_dma_release_coherent_memory(dev.dma_mem as dma_coherent_mem | null);
	dev.dma_mem = null;
}

function __dma_alloc_from_coherent(
	dev: device,
	mem: dma_coherent_mem,
	size: ssize_t,
	dma_handle: ref<dma_addr_t>,
): void_ptr | null {
	const order = get_order(size);
	const flags = spin_lock_irqsave(mem.spinlock);
	const pageno =
		size > mem.size * PAGE_SIZE
			? -ENOMEM
			: bitmap_find_free_region(mem.bitmap as Uint32Array, mem.size, order);
	if (pageno < 0) {
		spin_unlock_irqrestore(mem.spinlock, flags);
		return null;
	}
	dma_handle.value = dma_get_device_base(dev, mem) + pageno * PAGE_SIZE;
	const at = pageno * PAGE_SIZE;
	const ret = (mem.virt_base as void_ptr).subarray(at, at + size);
	spin_unlock_irqrestore(mem.spinlock, flags);
	ret.fill(0);
	return ret;
}

/**
 * Allocate from @dev's own coherent memory (kernel/dma/coherent.c: dma_alloc_from_dev_coherent()).
 * 0: it has none, go on with the usual allocation. 1: it has, and @ret is the address, or null when it is full.
 */
export function dma_alloc_from_dev_coherent(
	dev: device,
	size: ssize_t,
	dma_handle: ref<dma_addr_t>,
	ret: ref<void_ptr | null>,
): int {
	const mem = dev_get_coherent_memory(dev);
	if (mem === null) return 0;
	ret.value = __dma_alloc_from_coherent(dev, mem, size, dma_handle);
	return 1;
}

/** How far @vaddr is into the pool; -1 when it is not in it. */
function coherent_offset(mem: dma_coherent_mem | null, vaddr: void_ptr): long {
	if (mem === null || mem.virt_base === null || mem.virt_base.buffer !== vaddr.buffer) return -1;
	const at = vaddr.byteOffset - mem.virt_base.byteOffset;
	return at >= 0 && at < mem.size * PAGE_SIZE ? at : -1;
}

function __dma_release_from_coherent(mem: dma_coherent_mem | null, order: int, vaddr: void_ptr): int {
	const at = coherent_offset(mem, vaddr);
	if (mem === null || at < 0) return 0;
	const flags = spin_lock_irqsave(mem.spinlock);
	bitmap_release_region(mem.bitmap as Uint32Array, Math.floor(at / PAGE_SIZE), order);
	spin_unlock_irqrestore(mem.spinlock, flags);
	return 1;
}

/** 1 when @vaddr was of @dev's own memory and is free now, else 0 (dma_release_from_dev_coherent()). */
export function dma_release_from_dev_coherent(dev: device, order: int, vaddr: void_ptr): int {
	return __dma_release_from_coherent(dev_get_coherent_memory(dev), order, vaddr);
}

function __dma_mmap_from_coherent(
	mem: dma_coherent_mem | null,
	vma: vm_area_struct,
	vaddr: void_ptr,
	size: size_t,
	ret: ref<int>,
): int {
	const at = coherent_offset(mem, vaddr);
	if (mem === null || at < 0 || at + size > mem.size * PAGE_SIZE) return 0;
	const off = deref(vma).vm_pgoff;
	const start = Math.floor(at / PAGE_SIZE);
	const user_count = vma_pages(vma);
	const count = PAGE_ALIGN(size) / PAGE_SIZE;
	ret.value = -ENXIO;
	if (off < count && user_count <= count - off) {
		const pfn = mem.pfn_base + start + off;
		ret.value = remap_pfn_range(vma, vma.vm_start, pfn, user_count * PAGE_SIZE, vma.vm_page_prot);
	}
	return 1;
}

/** 1 when @vaddr is of @dev's own memory; then @ret is what mmap() answers (dma_mmap_from_dev_coherent()). */
export function dma_mmap_from_dev_coherent(
	dev: device,
	vma: vm_area_struct,
	vaddr: void_ptr,
	size: size_t,
	ret: ref<int>,
): int {
	return __dma_mmap_from_coherent(dev_get_coherent_memory(dev), vma, vaddr, size, ret);
}

/** Allocate from the pool of all devices; null when there is none (dma_alloc_from_global_coherent()). */
export function dma_alloc_from_global_coherent(
	dev: device,
	size: ssize_t,
	dma_handle: ref<dma_addr_t>,
): void_ptr | null {
	const mem = state.dma_coherent_default_memory;
	return mem === null ? null : __dma_alloc_from_coherent(dev, mem, size, dma_handle);
}

/** 1 when @vaddr was of the pool of all devices and is free now, else 0 (dma_release_from_global_coherent()). */
export function dma_release_from_global_coherent(order: int, vaddr: void_ptr): int {
	return __dma_release_from_coherent(state.dma_coherent_default_memory, order, vaddr);
}

/** dma_mmap_from_dev_coherent() for the pool of all devices (dma_mmap_from_global_coherent()). */
export function dma_mmap_from_global_coherent(
	vma: vm_area_struct,
	vaddr: void_ptr,
	size: size_t,
	ret: ref<int>,
): int {
	return __dma_mmap_from_coherent(state.dma_coherent_default_memory, vma, vaddr, size, ret);
}

/** Make the range the pool of all devices (kernel/dma/coherent.c: dma_init_global_coherent()). */
export function dma_init_global_coherent(phys_addr: phys_addr_t, size: size_t): int {
	const mem = dma_init_coherent_memory(phys_addr, phys_addr as u64, size, true);
	if (IS_ERR(mem)) return PTR_ERR(mem);
	state.dma_coherent_default_memory = mem;
	pr_info('DMA: default coherent area is set');
	return 0;
}

function rmem_dma_device_init(rmem: reserved_mem, dev: device): int {
	if (rmem.priv === null) {
		// Several devices may name the region; the first of them has it mapped.
		const mapped = dma_init_coherent_memory(rmem.base, rmem.base as u64, rmem.size, true);
		if (IS_ERR(mapped)) return PTR_ERR(mapped);
		rmem.priv = mapped;
	}
	const mem = rmem.priv as dma_coherent_mem;
	const last = mem.device_base + rmem.size - 1;
	const reach = min_not_zero(dev.coherent_dma_mask, dev.bus_dma_limit);
	if (last > reach) dev_warn(dev, "reserved memory is beyond device's set DMA address range");
	return dma_assign_coherent_memory(dev, mem);
}

function rmem_dma_device_release(_rmem: reserved_mem, dev: device | null): void {
	if (dev !== null) dev.dma_mem = null;
}

const rmem_dma_ops: reserved_mem_ops = {
	device_init: rmem_dma_device_init,
	device_release: rmem_dma_device_release,
};

/** A shared-dma-pool that is not reusable (kernel/dma/coherent.c: rmem_dma_setup()). */
function rmem_dma_setup(rmem: reserved_mem): int {
	const node = rmem.fdt_node;
	if (of_get_flat_dt_prop(node, 'reusable', null) !== null) return -EINVAL;
	if (of_get_flat_dt_prop(node, 'linux,dma-default', null) !== null) {
		WARN(
			state.dma_reserved_default_memory_size !== 0,
			'Reserved memory: region for default DMA coherent area is redefined',
		);
		state.dma_reserved_default_memory_base = rmem.base;
		state.dma_reserved_default_memory_size = rmem.size;
	}
	const err = memblock_make_piece(rmem.base, rmem.size);
	if (err !== 0) return err;
	rmem.ops = rmem_dma_ops;
	pr_info(
		'Reserved memory: created DMA memory pool at %pa, size %ld MiB',
		rmem.base,
		Math.floor(rmem.size / SZ_1M),
	);
	return 0;
}
RESERVEDMEM_OF_DECLARE('dma', 'shared-dma-pool', rmem_dma_setup);

function dma_init_reserved_memory(): int {
	if (state.dma_reserved_default_memory_size === 0) return -ENOMEM;
	return dma_init_global_coherent(
		state.dma_reserved_default_memory_base,
		state.dma_reserved_default_memory_size,
	);
}
core_initcall(dma_init_reserved_memory);
