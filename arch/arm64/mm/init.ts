// SPDX-License-Identifier: GPL-2.0-only
// Memory of an arm64 machine at boot: what may be used, in which zone, by whom.
// Linux 6.12: arch/arm64/mm/init.c
// Left out: ACPI limits, crash kernel and initrd, KASLR.
import { memstart } from '#asm/memory.js';
import { PAGE_SIZE } from '#asm/page-def.js';
import { of_dma_get_max_cpu_address } from '#drivers/of/address.js';
import { early_init_fdt_scan_reserved_mem } from '#drivers/of/fdt.js';
import { kernel_image } from '#include/asm-generic/sections.js';
import { dma_contiguous_reserve } from '#kernel/dma/contiguous.js';
import { swiotlb_adjust_size, swiotlb_init, swiotlb_size_or_default } from '#kernel/dma/swiotlb.js';
import { ALIGN } from '#linux/align.js';
import { direct_state } from '#linux/dma-direct.js';
import { EINVAL } from '#linux/errno.js';
import { boot_data, early_param } from '#linux/init.js';
import { memparse } from '#linux/kernel.js';
import { memblock_is_nomap } from '#linux/memblock.js';
import { mm_state } from '#linux/mm.js';
import { MAX_NR_ZONES, ZONE_DMA, ZONE_DMA32, ZONE_NORMAL } from '#linux/mmzone.js';
import { PFN_DOWN, PFN_UP } from '#linux/pfn.js';
import { pr_notice, pr_warn } from '#linux/printk.js';
import { SWIOTLB_VERBOSE } from '#linux/swiotlb.js';
import { type int, PHYS_ADDR_MAX, type phys_addr_t, U32_MAX, type unsigned_long } from '#linux/types.js';
import {
	for_each_mem_region,
	for_each_reserved_mem_region,
	memblock_dump_all,
	memblock_end_of_DRAM,
	memblock_is_map_memory,
	memblock_is_region_memory,
	memblock_mem_limit_remove_map,
	memblock_phys_mem_size,
	memblock_remove,
	memblock_reserve,
	memblock_set_low_limit,
	memblock_start_of_DRAM,
} from '#mm/memblock.js';
import { free_area_init, memblock_free_all } from '#mm/mm_init.js';

const SZ_1G = 0x4000_0000;
/** This kernel's own code and data take no simulated RAM; its place is kept, and so mostly no page has address 0. */
const KERNEL_IMAGE_SIZE = 0x20_0000;
/** One past the largest physical address. */
const PHYS_MASK_END = 2 ** 48;
/** Half of the kernel's virtual addresses, of which there are 48 bits (PAGE_END - PAGE_OFFSET). */
const LINEAR_REGION_SIZE = 2 ** 47;

const state = boot_data(() => ({
	/** One past the end of ZONE_DMA. */
	arm64_dma_phys_limit: 0 as phys_addr_t,
	memory_limit: PHYS_ADDR_MAX as phys_addr_t,
}));

/** One past the last address of ZONE_DMA (arch/arm64/mm/init.c: arm64_dma_phys_limit()). */
export function arm64_dma_phys_limit(): phys_addr_t {
	return state.arm64_dma_phys_limit;
}

early_param('mem', (p) => {
	if (p === null) return 1;
	const limit = memparse(p, null);
	// DEVIATION: 6.12 takes what is no size for no memory at all.
	if (limit < PAGE_SIZE) return -EINVAL;
	state.memory_limit = limit - (limit % PAGE_SIZE);
	pr_notice('Memory limited to %lldMB', Math.floor(state.memory_limit / 2 ** 20));
	return 0;
});

/** One past the last byte of a zone that @zone_limit ends. */
function max_zone_phys(zone_limit: phys_addr_t): phys_addr_t {
	return Math.min(zone_limit, memblock_end_of_DRAM() - 1) + 1;
}

/** Lay out the zones: ZONE_DMA for the most limited bus of the tree, ZONE_DMA32 for 32 bits, the rest is normal. */
function zone_sizes_init(): void {
	const max_zone_pfns: unsigned_long[] = new Array<unsigned_long>(MAX_NR_ZONES).fill(0);
	const dma32_phys_limit = max_zone_phys(U32_MAX);
	let zone_dma_limit = of_dma_get_max_cpu_address(null);
	// Devices have limits that the tree does not tell; where there is low RAM it is kept for them.
	if (memblock_start_of_DRAM() < U32_MAX) zone_dma_limit = Math.min(zone_dma_limit, U32_MAX);
	direct_state.zone_dma_limit = zone_dma_limit;
	state.arm64_dma_phys_limit = max_zone_phys(zone_dma_limit);
	memblock_set_low_limit(state.arm64_dma_phys_limit - 1);
	max_zone_pfns[ZONE_DMA] = PFN_DOWN(state.arm64_dma_phys_limit);
	max_zone_pfns[ZONE_DMA32] = PFN_DOWN(dma32_phys_limit);
	max_zone_pfns[ZONE_NORMAL] = mm_state.max_pfn;
	free_area_init(max_zone_pfns);
}

/** Whether frame @pfn is memory in the linear map (arch/arm64/mm/init.c: pfn_is_map_memory()). */
export function pfn_is_map_memory(pfn: unsigned_long): int {
	return memblock_is_map_memory(pfn * PAGE_SIZE) ? 1 : 0;
}

/** The end of what keeps the image from @base: firmware's memory is reserved or, as no-map, still memory; 0: nothing. */
function kernel_image_obstacle(base: phys_addr_t): phys_addr_t {
	const end = base + KERNEL_IMAGE_SIZE;
	for (const r of for_each_reserved_mem_region())
		if (r.base < end && base < r.base + r.size) return r.base + r.size;
	for (const r of for_each_mem_region())
		if (memblock_is_nomap(r) && r.base < end && base < r.base + r.size) return r.base + r.size;
	if (memblock_is_region_memory(base, KERNEL_IMAGE_SIZE)) return 0;
	// A hole: on to the next memory, if that does not begin here.
	for (const r of for_each_mem_region()) if (r.base > base) return r.base;
	return memblock_end_of_DRAM();
}

/** Where the boot loader put the image: at the lowest 2 MiB boundary where the tree leaves room for it. */
function kernel_image_base(): phys_addr_t {
	const start = memblock_start_of_DRAM();
	const end = memblock_end_of_DRAM();
	for (let base = ALIGN(start, KERNEL_IMAGE_SIZE); base + KERNEL_IMAGE_SIZE <= end; ) {
		const after = kernel_image_obstacle(base);
		if (after === 0) return base;
		base = ALIGN(after, KERNEL_IMAGE_SIZE);
	}
	return start;
}

/** Drop what the linear map cannot cover, from the top while the base may stay where it is. */
function fit_linear_map(): void {
	if (memblock_end_of_DRAM() - memstart.addr > LINEAR_REGION_SIZE)
		pr_warn("Memory doesn't fit in the linear mapping, VA_BITS too small");
	const end = memstart.addr + LINEAR_REGION_SIZE;
	memblock_remove(end, PHYS_ADDR_MAX - end);
}

/** Once memblock knows the memory: limits, reservations of kernel and device tree (arch/arm64/mm/init.c). */
export function arm64_memblock_init(): void {
	memblock_remove(PHYS_MASK_END, PHYS_ADDR_MAX);
	memstart.addr = memblock_start_of_DRAM() - (memblock_start_of_DRAM() % SZ_1G);
	fit_linear_map();
	if (state.memory_limit !== PHYS_ADDR_MAX) memblock_mem_limit_remove_map(state.memory_limit);
	early_init_fdt_scan_reserved_mem();
	kernel_image.start = kernel_image_base();
	kernel_image.end = kernel_image.start + KERNEL_IMAGE_SIZE;
	memblock_reserve(kernel_image.start, KERNEL_IMAGE_SIZE);
}

/** Zones, and the default CMA area (arch/arm64/mm/init.c: bootmem_init()). */
export function bootmem_init(): void {
	mm_state.min_low_pfn = PFN_UP(memblock_start_of_DRAM());
	mm_state.max_pfn = PFN_DOWN(memblock_end_of_DRAM());
	zone_sizes_init();
	dma_contiguous_reserve(state.arm64_dma_phys_limit);
	memblock_dump_all();
}

/** The bounce buffers' share, then everything free to the page allocator (arch/arm64/mm/init.c: mem_init()). */
export function mem_init(): void {
	let swiotlb = mm_state.max_pfn > PFN_DOWN(state.arm64_dma_phys_limit);
	if (!swiotlb) {
		// Only small kmalloc() buffers of non-coherent devices bounce: 1 MiB for each GiB will do.
		const size = Math.ceil(memblock_phys_mem_size() / 1024);
		swiotlb_adjust_size(Math.min(swiotlb_size_or_default(), size));
		swiotlb = true;
	}
	swiotlb_init(swiotlb, SWIOTLB_VERBOSE);
	memblock_free_all();
}
