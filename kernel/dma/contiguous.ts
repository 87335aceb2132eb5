// SPDX-License-Identifier: GPL-2.0-only
// Contiguous memory for DMA: the default CMA area, and those of devices.
// Linux 6.12: kernel/dma/contiguous.c
// Left out: areas for each NUMA node (CONFIG_DMA_NUMA_CMA is off), sizes in percent of memory.

import { get_order, PAGE_ALIGN } from '#asm/page.js';
import { PAGE_SHIFT, PAGE_SIZE } from '#asm/page-def.js';
import { of_get_flat_dt_prop } from '#drivers/of/fdt.js';
import { CMA_MIN_ALIGNMENT_BYTES, type cma } from '#linux/cma.js';
import type { device } from '#linux/device.js';
import { EBUSY, EINVAL } from '#linux/errno.js';
import { __GFP_NOWARN, gfpflags_allow_blocking } from '#linux/gfp.js';
import { boot_data, early_param } from '#linux/init.js';
import { memparse } from '#linux/kernel.js';
import type { page } from '#linux/mm_types.js';
import { RESERVEDMEM_OF_DECLARE, type reserved_mem, type reserved_mem_ops } from '#linux/of_reserved_mem.js';
import { pr_debug, pr_err, pr_info } from '#linux/printk.js';
import {
	type bool,
	type gfp_t,
	type int,
	type phys_addr_t,
	ref,
	type size_t,
	type unsigned_int,
} from '#linux/types.js';
import {
	cma_alloc,
	cma_declare_contiguous,
	cma_get_base,
	cma_get_size,
	cma_init_reserved_mem,
	cma_release,
} from '#mm/cma.js';
import { __free_pages } from '#mm/page_alloc.js';

/** Debian's arm64 configuration. */
const CONFIG_CMA_SIZE_MBYTES = 64;
const CONFIG_CMA_ALIGNMENT = 8;
const SZ_1M = 0x10_0000;
const size_bytes: phys_addr_t = CONFIG_CMA_SIZE_MBYTES * SZ_1M;

const state = boot_data(() => ({
	/** The area of all devices that have none of their own. */
	dma_contiguous_default_area: new ref<cma | null>(null),
	/** cma=size[@base[-limit]]; size -1: not given. */
	size_cmdline: -1 as phys_addr_t,
	base_cmdline: 0 as phys_addr_t,
	limit_cmdline: 0 as phys_addr_t,
}));

/** cma=size[@base[-limit]] */
function early_cma(p: string | null): int {
	if (p === null) {
		pr_err('cma: Config string not provided');
		return -EINVAL;
	}
	const rest = new ref(p);
	state.size_cmdline = memparse(p, rest);
	// DEVIATION: 6.12 sets nothing aside for what is no size, either, but does not say so.
	if (rest.value === p) return -EINVAL;
	if (!rest.value.startsWith('@')) return 0;
	state.base_cmdline = memparse(rest.value.slice(1), rest);
	if (!rest.value.startsWith('-')) {
		state.limit_cmdline = state.base_cmdline + state.size_cmdline;
		return 0;
	}
	state.limit_cmdline = memparse(rest.value.slice(1), rest);
	return 0;
}
early_param('cma', early_cma);

/** The default area, null without one (C: the variable of this name). */
export function dma_contiguous_default_area(): cma | null {
	return state.dma_contiguous_default_area.value;
}

/** The area that @dev allocates from (include/linux/dma-map-ops.h: dev_get_cma_area()). */
export function dev_get_cma_area(dev: device | null): cma | null {
	return dev?.cma_area ?? state.dma_contiguous_default_area.value;
}

/**
 * Reserve the default area below @limit: what cma= says, else CONFIG_CMA_SIZE_MBYTES
 * (kernel/dma/contiguous.c: dma_contiguous_reserve()). One that the device tree declared wins.
 */
export function dma_contiguous_reserve(limit: phys_addr_t): void {
	let selected_size = size_bytes;
	let selected_base = 0;
	let selected_limit = limit;
	let fixed = false;
	pr_debug('cma: %s(limit %08lx)', 'dma_contiguous_reserve', limit);
	if (state.size_cmdline !== -1) {
		selected_size = state.size_cmdline;
		selected_base = state.base_cmdline;
		if (state.limit_cmdline !== 0)
			selected_limit = limit === 0 ? state.limit_cmdline : Math.min(state.limit_cmdline, limit);
		fixed = state.base_cmdline + state.size_cmdline === state.limit_cmdline;
	}
	if (selected_size === 0 || state.dma_contiguous_default_area.value !== null) return;
	pr_debug(
		'cma: %s: reserving %ld MiB for global area',
		'dma_contiguous_reserve',
		Math.floor(selected_size / SZ_1M),
	);
	dma_contiguous_reserve_area(
		selected_size,
		selected_base,
		selected_limit,
		state.dma_contiguous_default_area,
		fixed,
	);
}

/** Nothing to do for areas on arm64 (kernel/dma/contiguous.c: dma_contiguous_early_fixup(), weak). */
export function dma_contiguous_early_fixup(_base: phys_addr_t, _size: size_t): void {}

/** Reserve an area of its own for someone (kernel/dma/contiguous.c: dma_contiguous_reserve_area()). */
export function dma_contiguous_reserve_area(
	size: phys_addr_t,
	base: phys_addr_t,
	limit: phys_addr_t,
	res_cma: ref<cma | null>,
	fixed: bool,
): int {
	const ret = cma_declare_contiguous(base, size, limit, 0, 0, fixed, 'reserved', res_cma);
	if (ret !== 0) return ret;
	const area = res_cma.value as cma;
	dma_contiguous_early_fixup(cma_get_base(area), cma_get_size(area));
	return 0;
}

/** @count contiguous pages from @dev's area (kernel/dma/contiguous.c: dma_alloc_from_contiguous()). May sleep. */
export function dma_alloc_from_contiguous(
	dev: device | null,
	count: size_t,
	align: unsigned_int,
	no_warn: bool,
): page | null {
	return cma_alloc(dev_get_cma_area(dev), count, Math.min(align, CONFIG_CMA_ALIGNMENT), no_warn);
}

/** False when the pages are not of @dev's area (kernel/dma/contiguous.c: dma_release_from_contiguous()). */
export function dma_release_from_contiguous(dev: device | null, pages: page, count: int): bool {
	return cma_release(dev_get_cma_area(dev), pages, count);
}

function cma_alloc_aligned(cma: cma, size: size_t, gfp: gfp_t): page | null {
	const align = Math.min(get_order(size), CONFIG_CMA_ALIGNMENT);
	return cma_alloc(cma, Math.floor(size / 2 ** PAGE_SHIFT), align, (gfp & __GFP_NOWARN) !== 0);
}

/**
 * Contiguous pages for @dev, or null to make the caller ask the page allocator
 * (kernel/dma/contiguous.c: dma_alloc_contiguous()): always when @gfp may not sleep, and for single pages,
 * unless @dev has its own area.
 */
export function dma_alloc_contiguous(dev: device, size: size_t, gfp: gfp_t): page | null {
	if (!gfpflags_allow_blocking(gfp)) return null;
	if (dev.cma_area !== null) return cma_alloc_aligned(dev.cma_area, size, gfp);
	if (size <= PAGE_SIZE) return null;
	const area = state.dma_contiguous_default_area.value;
	return area === null ? null : cma_alloc_aligned(area, size, gfp);
}

/** Free what dma_alloc_contiguous() or the page allocator gave (kernel/dma/contiguous.c: dma_free_contiguous()). */
export function dma_free_contiguous(dev: device, page: page, size: size_t): void {
	const count = PAGE_ALIGN(size) / PAGE_SIZE;
	if (cma_release(dev.cma_area ?? state.dma_contiguous_default_area.value, page, count)) return;
	__free_pages(page, get_order(size));
}

function rmem_cma_device_init(rmem: reserved_mem, dev: device): int {
	dev.cma_area = rmem.priv as cma | null;
	return 0;
}

function rmem_cma_device_release(_rmem: reserved_mem, dev: device): void {
	dev.cma_area = null;
}

const rmem_cma_ops: reserved_mem_ops = {
	device_init: rmem_cma_device_init,
	device_release: rmem_cma_device_release,
};

/** Whether the region may become a CMA area: 0; -EBUSY when cma= takes its place, -EINVAL when it is unfit. */
function rmem_cma_check(rmem: reserved_mem, default_cma: bool): int {
	const node = rmem.fdt_node;
	if (default_cma && state.size_cmdline !== -1) {
		pr_info('Reserved memory: bypass %s node, using cmdline CMA params instead', rmem.name);
		return -EBUSY;
	}
	const reusable = of_get_flat_dt_prop(node, 'reusable', null) !== null;
	const no_map = of_get_flat_dt_prop(node, 'no-map', null) !== null;
	if (!reusable || no_map) return -EINVAL;
	if (rmem.base % CMA_MIN_ALIGNMENT_BYTES === 0 && rmem.size % CMA_MIN_ALIGNMENT_BYTES === 0) return 0;
	pr_err('Reserved memory: incorrect alignment of CMA region');
	return -EINVAL;
}

/** A reusable shared-dma-pool is a CMA area (kernel/dma/contiguous.c: rmem_cma_setup()). */
function rmem_cma_setup(rmem: reserved_mem): int {
	const default_cma = of_get_flat_dt_prop(rmem.fdt_node, 'linux,cma-default', null) !== null;
	const unfit = rmem_cma_check(rmem, default_cma);
	if (unfit !== 0) return unfit;
	const cma = new ref<cma | null>(null);
	const err = cma_init_reserved_mem(rmem.base, rmem.size, 0, rmem.name, cma);
	if (err !== 0) {
		pr_err('Reserved memory: unable to setup CMA region');
		return err;
	}
	if (default_cma) state.dma_contiguous_default_area.value = cma.value;
	rmem.ops = rmem_cma_ops;
	rmem.priv = cma.value;
	pr_info(
		'Reserved memory: created CMA memory pool at %pa, size %ld MiB',
		rmem.base,
		Math.floor(rmem.size / SZ_1M),
	);
	return 0;
}
RESERVEDMEM_OF_DECLARE('cma', 'shared-dma-pool', rmem_cma_setup);
