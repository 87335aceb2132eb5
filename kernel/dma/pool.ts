// SPDX-License-Identifier: GPL-2.0-only
// Pools of coherent memory for those who may not sleep.
// Linux 6.12: kernel/dma/pool.c

import { arch_dma_prep_coherent } from '#arch/arm64/mm/dma-mapping.js';
import { page_to_phys, phys_to_page } from '#asm/memory.js';
import { get_order } from '#asm/page.js';
import { PAGE_SHIFT, PAGE_SIZE } from '#asm/page-def.js';
import { PAGE_KERNEL, pgprot_decrypted, pgprot_dmacoherent } from '#asm/pgtable.js';
import { debugfs_create_ulong } from '#fs/debugfs/file.js';
import { debugfs_create_dir } from '#fs/debugfs/inode.js';
import {
	dev_get_cma_area,
	dma_alloc_from_contiguous,
	dma_release_from_contiguous,
} from '#kernel/dma/contiguous.js';
import { dma_common_contiguous_remap, dma_common_free_remap } from '#kernel/dma/remap.js';
import {
	gen_pool_add_virt,
	gen_pool_alloc,
	gen_pool_avail,
	gen_pool_create,
	gen_pool_destroy,
	gen_pool_first_fit_order_align,
	gen_pool_free,
	gen_pool_has_addr,
	gen_pool_set_algo,
	gen_pool_size,
	gen_pool_virt_to_phys,
} from '#lib/genalloc.js';
import { WARN } from '#linux/bug.js';
import { dev_name, type device } from '#linux/device.js';
import { direct_state } from '#linux/dma-direct.js';
import { EINVAL, ENOMEM } from '#linux/errno.js';
import type { gen_pool } from '#linux/genalloc.js';
import { __GFP_DMA, __GFP_DMA32, __GFP_NOWARN, GFP_DMA, GFP_DMA32, GFP_KERNEL } from '#linux/gfp.js';
import { boot_data, early_param, postcore_initcall } from '#linux/init.js';
import { memparse } from '#linux/kernel.js';
import { totalram_pages } from '#linux/mm.js';
import type { page } from '#linux/mm_types.js';
import { MAX_ORDER_NR_PAGES, MAX_PAGE_ORDER } from '#linux/mmzone.js';
import { pr_err, pr_info } from '#linux/printk.js';
import {
	type bool,
	type gfp_t,
	type int,
	type phys_addr_t,
	ref,
	type size_t,
	U32_MAX,
	U64_MAX,
	type u64,
	type unsigned_long,
	type void_ptr,
} from '#linux/types.js';
import { INIT_WORK, schedule_work, work_struct } from '#linux/workqueue.js';
import { cma_get_base, cma_get_size } from '#mm/cma.js';
import { __free_pages, alloc_pages, has_managed_dma } from '#mm/page_alloc.js';

const SZ_128K = 0x2_0000;
const SZ_1G = 0x4000_0000;

const state = boot_data(() => ({
	atomic_pool_dma: null as gen_pool | null,
	atomic_pool_dma32: null as gen_pool | null,
	atomic_pool_kernel: null as gen_pool | null,
	pool_size_dma: new ref<unsigned_long>(0),
	pool_size_dma32: new ref<unsigned_long>(0),
	pool_size_kernel: new ref<unsigned_long>(0),
	/** What coherent_pool= says, else by the size of memory. */
	atomic_pool_size: 0 as size_t,
	atomic_pool_work: new work_struct(null),
}));

/** coherent_pool=size */
function early_coherent_pool(p: string | null): int {
	const rest = new ref(p ?? '');
	const size = memparse(rest.value, rest);
	// DEVIATION: 6.12 says nothing of what is no size, and takes its default, too.
	if (p === null || rest.value === p) return -EINVAL;
	state.atomic_pool_size = size;
	return 0;
}
early_param('coherent_pool', early_coherent_pool);

function dma_atomic_pool_debugfs_init(): void {
	const root = debugfs_create_dir('dma_pools', null);
	debugfs_create_ulong('pool_size_dma', 0o400, root, state.pool_size_dma);
	debugfs_create_ulong('pool_size_dma32', 0o400, root, state.pool_size_dma32);
	debugfs_create_ulong('pool_size_kernel', 0o400, root, state.pool_size_kernel);
}

function dma_atomic_pool_size_add(gfp: gfp_t, size: size_t): void {
	if (gfp & __GFP_DMA) state.pool_size_dma.value += size;
	else if (gfp & __GFP_DMA32) state.pool_size_dma32.value += size;
	else state.pool_size_kernel.value += size;
}

/** The last address that memory for @gfp may have. */
function zone_limit(gfp: gfp_t): u64 {
	const zone_dma_limit = direct_state.zone_dma_limit;
	if (gfp & GFP_DMA) return zone_dma_limit;
	return gfp & GFP_DMA32 ? Math.max(U32_MAX, zone_dma_limit) : U64_MAX;
}

/** Whether the default CMA area lies where @gfp may take memory from; it never lies in two zones. */
function cma_in_zone(gfp: gfp_t): bool {
	const cma = dev_get_cma_area(null);
	const size = cma === null ? 0 : cma_get_size(cma);
	return cma !== null && size !== 0 && cma_get_base(cma) + size - 1 <= zone_limit(gfp);
}

/** Add @pool_size bytes, or as much as there is in one piece (kernel/dma/pool.c: atomic_pool_expand()). */
function atomic_pool_expand(pool: gen_pool, pool_size: size_t, gfp: gfp_t): int {
	let order = Math.min(get_order(pool_size), MAX_PAGE_ORDER);
	let page: page | null = null;
	for (; ; order--) {
		pool_size = 2 ** (PAGE_SHIFT + order);
		if (cma_in_zone(gfp)) page = dma_alloc_from_contiguous(null, 2 ** order, order, false);
		page ??= alloc_pages(gfp | __GFP_NOWARN, order);
		if (page !== null || order === 0) break;
	}
	if (page === null) return -ENOMEM;

	arch_dma_prep_coherent(page, pool_size);
	const prot = pgprot_decrypted(pgprot_dmacoherent(PAGE_KERNEL));
	const addr = dma_common_contiguous_remap(page, pool_size, prot, 'atomic_pool_expand');
	let ret = -ENOMEM;
	if (addr !== null) {
		ret = gen_pool_add_virt(pool, addr, page_to_phys(page), pool_size, -1);
		if (ret === 0) {
			dma_atomic_pool_size_add(gfp, pool_size);
			return 0;
		}
		dma_common_free_remap(addr, pool_size);
	}
	// DEVIATION: 6.12 hands CMA's pages to __free_pages() too, which leaves CMA's bitmap set, and answers 0 when only
	// gen_pool_add_virt() failed.
	if (!dma_release_from_contiguous(null, page, 2 ** order)) __free_pages(page, order);
	return ret;
}

function atomic_pool_resize(pool: gen_pool | null, gfp: gfp_t): void {
	if (pool !== null && gen_pool_avail(pool) < state.atomic_pool_size)
		atomic_pool_expand(pool, gen_pool_size(pool), gfp);
}

/** Grow the pools that run low; runs where it may sleep. */
function atomic_pool_work_fn(_work: work_struct): void {
	atomic_pool_resize(state.atomic_pool_dma, GFP_KERNEL | GFP_DMA);
	atomic_pool_resize(state.atomic_pool_dma32, GFP_KERNEL | GFP_DMA32);
	atomic_pool_resize(state.atomic_pool_kernel, GFP_KERNEL);
}

function __dma_atomic_pool_init(pool_size: size_t, gfp: gfp_t): gen_pool | null {
	const pool = gen_pool_create(PAGE_SHIFT, -1);
	if (pool === null) return null;
	gen_pool_set_algo(pool, gen_pool_first_fit_order_align, null);
	if (atomic_pool_expand(pool, pool_size, gfp) !== 0) {
		gen_pool_destroy(pool);
		pr_err(
			'DMA: failed to allocate %zu KiB %pGg pool for atomic allocation',
			Math.floor(pool_size / 1024),
			gfp,
		);
		return null;
	}
	pr_info('DMA: preallocated %zu KiB %pGg pool for atomic allocations', gen_pool_size(pool) / 1024, gfp);
	return pool;
}

/** Make the pools: 128 KiB for each GiB of memory, at least that, at most MAX_PAGE_ORDER. */
function dma_atomic_pool_init(): int {
	if (state.atomic_pool_size === 0) {
		const pages = Math.min(Math.floor(totalram_pages() / (SZ_1G / SZ_128K)), MAX_ORDER_NR_PAGES);
		state.atomic_pool_size = Math.max(pages * PAGE_SIZE, SZ_128K);
	}
	INIT_WORK(state.atomic_pool_work, atomic_pool_work_fn);

	const size = state.atomic_pool_size;
	const dma = has_managed_dma();
	state.atomic_pool_kernel = __dma_atomic_pool_init(size, GFP_KERNEL);
	if (dma) state.atomic_pool_dma = __dma_atomic_pool_init(size, GFP_KERNEL | GFP_DMA);
	state.atomic_pool_dma32 = __dma_atomic_pool_init(size, GFP_KERNEL | GFP_DMA32);
	dma_atomic_pool_debugfs_init();

	// One pool that is missing is an error; the others stay of use.
	if (state.atomic_pool_kernel === null || state.atomic_pool_dma32 === null) return -ENOMEM;
	return dma && state.atomic_pool_dma === null ? -ENOMEM : 0;
}
postcore_initcall(dma_atomic_pool_init);

/** The pool to try after @prev, by what @gfp asks for; null at the end. */
function dma_guess_pool(prev: gen_pool | null, gfp: gfp_t): gen_pool | null {
	if (prev === null) {
		if (gfp & GFP_DMA32) return state.atomic_pool_dma32;
		if (state.atomic_pool_dma !== null && gfp & GFP_DMA) return state.atomic_pool_dma;
		return state.atomic_pool_kernel;
	}
	if (prev === state.atomic_pool_kernel) return state.atomic_pool_dma32 ?? state.atomic_pool_dma;
	if (prev === state.atomic_pool_dma32) return state.atomic_pool_dma;
	return null;
}

type phys_addr_ok_t = (dev: device, phys: phys_addr_t, size: size_t) => bool;

function __dma_alloc_from_pool(
	dev: device,
	size: size_t,
	pool: gen_pool,
	cpu_addr: ref<void_ptr | null>,
	phys_addr_ok: phys_addr_ok_t | null,
): page | null {
	const addr = gen_pool_alloc(pool, size);
	if (addr === null) return null;
	const phys = gen_pool_virt_to_phys(pool, addr);
	if (phys_addr_ok !== null && !phys_addr_ok(dev, phys, size)) {
		gen_pool_free(pool, addr, size);
		return null;
	}
	if (gen_pool_avail(pool) < state.atomic_pool_size) schedule_work(state.atomic_pool_work);
	cpu_addr.value = addr;
	addr.fill(0);
	return phys_to_page(phys);
}

/**
 * Zeroed coherent memory without sleeping (kernel/dma/pool.c: dma_alloc_from_pool()); @phys_addr_ok may refuse
 * what @dev does not reach. Null, with a warning, when all pools are empty.
 */
export function dma_alloc_from_pool(
	dev: device,
	size: size_t,
	cpu_addr: ref<void_ptr | null>,
	gfp: gfp_t,
	phys_addr_ok: phys_addr_ok_t | null,
): page | null {
	const first = dma_guess_pool(null, gfp);
	for (let pool = first; pool !== null; pool = dma_guess_pool(pool, gfp)) {
		const page = __dma_alloc_from_pool(dev, size, pool, cpu_addr, phys_addr_ok);
		if (page !== null) return page;
	}
	if (first === null) WARN(true, 'Failed to get suitable pool for %s', dev_name(dev));
	else WARN((gfp & __GFP_NOWARN) === 0, 'DMA pool exhausted for %s', dev_name(dev));
	return null;
}

/** False when @start is of no pool (kernel/dma/pool.c: dma_free_from_pool()). */
export function dma_free_from_pool(_dev: device, start: void_ptr, size: size_t): bool {
	for (let pool = dma_guess_pool(null, 0); pool !== null; pool = dma_guess_pool(pool, 0)) {
		if (!gen_pool_has_addr(pool, start, size)) continue;
		gen_pool_free(pool, start, size);
		return true;
	}
	return false;
}
