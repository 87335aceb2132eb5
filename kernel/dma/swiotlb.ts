// SPDX-License-Identifier: GPL-2.0-only
// Bounce buffers: slots of 2 KiB in memory that every device reaches.
// Linux 6.12: kernel/dma/swiotlb.c, and the inlines of include/linux/swiotlb.h that call into it
// Left out: memory encryption.
// Deviation: pools that grow (CONFIG_SWIOTLB_DYNAMIC, off in Debian's kernel) are asked for with swiotlb_dynamic=on.
//
// A mapping is a run of slots inside one segment of 128. In each slot, `list` says how many free slots begin there;
// 0 means taken. A pool is cut into areas, each with a lock: a CPU looks in its own area first.
//
// With pools that grow, a mapping that finds no room gets a pool of its own at once, without sleeping, and a work item
// makes another pool for those that come later. A pool of its own ("transient") goes with its mapping.
import { arch_sync_dma_for_device } from '#arch/arm64/mm/dma-mapping.js';
import { of_get_flat_dt_prop } from '#drivers/of/fdt.js';
import { debugfs_create_dir, debugfs_create_file } from '#fs/debugfs/inode.js';
import { DEFINE_DEBUGFS_ATTRIBUTE } from '#fs/libfs.js';
import { trace_swiotlb_bounced } from '#include/trace/events/swiotlb.js';
import { ALIGN } from '#linux/align.js';
import {
	atomic_long_add,
	atomic_long_add_return,
	atomic_long_read,
	atomic_long_set,
	atomic_long_sub,
} from '#linux/atomic.js';
import { BUG_ON } from '#linux/bug.js';
import { num_possible_cpus } from '#linux/cpumask.js';
import type { dentry } from '#linux/debugfs.js';
import { dev_err, dev_WARN_ONCE, dev_warn_ratelimited } from '#linux/dev_printk.js';
import type { device } from '#linux/device.js';
import { direct_state, dma_capable, phys_to_dma, phys_to_dma_unencrypted } from '#linux/dma-direct.js';
import {
	DMA_BIDIRECTIONAL,
	DMA_FROM_DEVICE,
	DMA_TO_DEVICE,
	type dma_data_direction,
} from '#linux/dma-direction.js';
import { dev_is_dma_coherent, dma_reset_need_sync } from '#linux/dma-map-ops.js';
import {
	DMA_ATTR_NO_WARN,
	DMA_ATTR_SKIP_CPU_SYNC,
	DMA_BIT_MASK,
	DMA_MAPPING_ERROR,
	dma_get_min_align_mask,
	dma_get_seg_boundary,
} from '#linux/dma-mapping.js';
import { ERR_PTR, type err_ptr, IS_ERR } from '#linux/err.js';
import { EAGAIN, EINVAL, ENOMEM } from '#linux/errno.js';
import {
	__GFP_DMA,
	__GFP_DMA32,
	__GFP_NOWARN,
	GFP_KERNEL,
	GFP_NOWAIT,
	GFP_ZONEMASK,
} from '#linux/gfp_types.js';
import { boot_data, early_param, late_initcall } from '#linux/init.js';
import { simple_strtoul } from '#linux/kstrtox.js';
import { INIT_LIST_HEAD, list_add_rcu, list_del_rcu, list_for_each_entry_rcu } from '#linux/list.js';
import { is_power_of_2, roundup_pow_of_two } from '#linux/log2.js';
import { and64, lower_32_bits, shr64 } from '#linux/math64.js';
import { min_not_zero } from '#linux/minmax.js';
import {
	get_order,
	PAGE_ALIGN,
	PAGE_ALIGNED,
	PAGE_SIZE,
	page_address,
	page_to_phys,
	pfn_to_page,
	phys_to_virt,
	virt_to_page,
	virt_to_phys,
} from '#linux/mm.js';
import type { page } from '#linux/mm_types.js';
import { MAX_PAGE_ORDER } from '#linux/mmzone.js';
import { RESERVEDMEM_OF_DECLARE, type reserved_mem, type reserved_mem_ops } from '#linux/of_reserved_mem.js';
import { pr_info, pr_warn, pr_warn_ratelimited } from '#linux/printk.js';
import { call_rcu, type rcu_head, rcu_read_lock, rcu_read_unlock } from '#linux/rcupdate.js';
import { KMALLOC_MAX_SIZE, kcalloc, kfree, kzalloc } from '#linux/slab.js';
import { raw_smp_processor_id } from '#linux/smp.js';
import { spin_lock, spin_lock_irqsave, spin_unlock, spin_unlock_irqrestore } from '#linux/spinlock.js';
import {
	IO_TLB_DEFAULT_SIZE,
	IO_TLB_SEGSIZE,
	IO_TLB_SHIFT,
	IO_TLB_SIZE,
	io_tlb_area,
	io_tlb_mem,
	io_tlb_pool,
	io_tlb_slot,
	SWIOTLB_ANY,
	SWIOTLB_FORCE,
	SWIOTLB_VERBOSE,
	swiotlb_config,
	swiotlb_find_pool,
} from '#linux/swiotlb.js';
import {
	type bool,
	container_of,
	type dma_addr_t,
	type gfp_t,
	type int,
	PHYS_ADDR_MAX,
	type phys_addr_t,
	ref,
	type size_t,
	type u64,
	type unsigned_int,
	type unsigned_long,
	type void_ptr,
} from '#linux/types.js';
import { INIT_WORK, schedule_work, type work_struct } from '#linux/workqueue.js';
import {
	memblock_alloc,
	memblock_alloc_low,
	memblock_end_of_DRAM,
	memblock_free,
	memblock_is_region_memory,
	memblock_low_limit,
	memblock_make_piece,
	memblock_phys_mem_size,
} from '#mm/memblock.js';
import { memblock_free_late } from '#mm/mm_init.js';
import { __free_pages, __get_free_pages, alloc_pages, free_pages } from '#mm/page_alloc.js';

export { __swiotlb_find_pool } from '#linux/swiotlb.js';

/** The least pool worth having: 1 MiB. */
const IO_TLB_MIN_SLABS = (1 << 20) >> IO_TLB_SHIFT;

/** In C; kcalloc() has to give a restricted pool's slots in one piece, so that such a pool ends at 341 MiB. */
const SIZEOF_IO_TLB_SLOT = 24;

const SLABS_PER_PAGE = PAGE_SIZE >> IO_TLB_SHIFT;

const INVALID_PHYS_ADDR = PHYS_ADDR_MAX;

/** Prepares the memory of a pool: 0, or a negative errno when it cannot. */
type remap_t = (tlb: void_ptr, nslabs: unsigned_long) => int;

const state = boot_data(() => ({
	swiotlb_force_bounce: false as bool,
	swiotlb_force_disable: false as bool,
	io_tlb_default_mem: DEFINE_IO_TLB_MEM(),
	default_nslabs: (IO_TLB_DEFAULT_SIZE >>> IO_TLB_SHIFT) as unsigned_long,
	default_nareas: 0 as unsigned_int,
}));

/** An allocator that has no pool yet, and the work that makes it grow. */
function DEFINE_IO_TLB_MEM(): io_tlb_mem {
	const mem = new io_tlb_mem();
	INIT_WORK(mem.dyn_alloc, swiotlb_dyn_alloc);
	return mem;
}

/** Make the default size a power of two with a segment for each area; true when that changed it. */
function round_up_default_nslabs(): bool {
	if (state.default_nareas === 0) return false;

	if (state.default_nslabs < IO_TLB_SEGSIZE * state.default_nareas)
		state.default_nslabs = IO_TLB_SEGSIZE * state.default_nareas;
	else if (is_power_of_2(state.default_nslabs)) return false;
	state.default_nslabs = roundup_pow_of_two(state.default_nslabs);
	return true;
}

function swiotlb_adjust_nareas(nareas: unsigned_int): void {
	// None at all is one.
	state.default_nareas = roundup_pow_of_two(nareas);
	pr_info('software IO TLB: area num %d.', state.default_nareas);
	if (round_up_default_nslabs())
		pr_info(
			'software IO TLB: SWIOTLB bounce buffer size roundup to %luMB',
			Math.floor((state.default_nslabs * IO_TLB_SIZE) / 2 ** 20),
		);
}

/** No more areas than there are segments. */
function limit_nareas(nareas: unsigned_int, nslots: unsigned_long): unsigned_int {
	return nslots < nareas * IO_TLB_SEGSIZE ? Math.floor(nslots / IO_TLB_SEGSIZE) : nareas;
}

function isdigit(str: string): bool {
	return str >= '0' && str < ':';
}

/**
 * swiotlb=[slots][,areas][,force|noforce]
 *
 * DEVIATION: 6.12 drops a word that it does not know ("64M" is 64 slots), and halves a pool until it fits. What is not of
 * this form, or as large as the memory, is refused.
 */
function setup_io_tlb_npages(str: string | null): int {
	const rest = new ref(str ?? '');
	let nslabs = state.default_nslabs;
	let nareas = 0;
	// No segment at the end may be shorter than the others.
	if (isdigit(rest.value)) nslabs = ALIGN(simple_strtoul(rest.value, rest, 0), IO_TLB_SEGSIZE);
	if (rest.value.startsWith(',')) rest.value = rest.value.slice(1);
	const areas_given = isdigit(rest.value);
	if (areas_given) nareas = simple_strtoul(rest.value, rest, 0);
	if (rest.value.startsWith(',')) rest.value = rest.value.slice(1);
	if (rest.value !== '' && rest.value !== 'force' && rest.value !== 'noforce') return -EINVAL;
	if (!str || Math.max(nslabs, nareas * IO_TLB_SEGSIZE) * IO_TLB_SIZE >= memblock_phys_mem_size())
		return -EINVAL;

	state.default_nslabs = nslabs;
	if (areas_given) swiotlb_adjust_nareas(nareas);
	if (rest.value === 'force') state.swiotlb_force_bounce = true;
	else if (rest.value === 'noforce') state.swiotlb_force_disable = true;
	return 0;
}
early_param('swiotlb', setup_io_tlb_npages);

/** swiotlb_dynamic=on: the default pool may grow. It stands for CONFIG_SWIOTLB_DYNAMIC; Linux has no such word. */
function setup_swiotlb_dynamic(str: string | null): int {
	if (str === null) return -EINVAL;
	if (str.startsWith('on')) swiotlb_config.dynamic = true;
	return 0;
}
early_param('swiotlb_dynamic', setup_swiotlb_dynamic);

/** The size that the default pool will have, in bytes (kernel/dma/swiotlb.c: swiotlb_size_or_default()). */
export function swiotlb_size_or_default(): unsigned_long {
	return state.default_nslabs * IO_TLB_SIZE;
}

/** Make the default pool smaller, unless the command line set its size (kernel/dma/swiotlb.c: swiotlb_adjust_size()). */
export function swiotlb_adjust_size(size: unsigned_long): void {
	if (state.default_nslabs !== IO_TLB_DEFAULT_SIZE >>> IO_TLB_SHIFT) return;

	let bytes = ALIGN(size, IO_TLB_SIZE);
	state.default_nslabs = ALIGN(bytes / IO_TLB_SIZE, IO_TLB_SEGSIZE);
	if (round_up_default_nslabs()) bytes = state.default_nslabs * IO_TLB_SIZE;
	pr_info('software IO TLB: SWIOTLB bounce buffer size adjusted to %luMB', Math.floor(bytes / 2 ** 20));
}

/** Say where the default pool is (kernel/dma/swiotlb.c: swiotlb_print_info()). */
export function swiotlb_print_info(): void {
	const pool = state.io_tlb_default_mem.defpool;
	if (pool.nslabs === 0) {
		pr_warn('software IO TLB: No low mem');
		return;
	}
	pr_info(
		'software IO TLB: mapped [mem %pa-%pa] (%luMB)',
		pool.start,
		pool.end,
		Math.floor((pool.nslabs * IO_TLB_SIZE) / 2 ** 20),
	);
}

/** A slot's place in its segment. */
function io_tlb_offset(index: unsigned_long): unsigned_long {
	return index & (IO_TLB_SEGSIZE - 1);
}

/** Slots for @val bytes. */
function nr_slots(val: u64): unsigned_long {
	return Math.ceil(val / IO_TLB_SIZE);
}

/** All of @pool is free. @vaddr is memory that is cleared: what was in it would leak to the devices. */
function swiotlb_init_io_tlb_pool(
	pool: io_tlb_pool,
	start: phys_addr_t,
	vaddr: void_ptr,
	nslabs: unsigned_long,
	late_alloc: bool,
	nareas: unsigned_int,
): void {
	pool.nslabs = nslabs;
	pool.start = start;
	pool.end = start + nslabs * IO_TLB_SIZE;
	pool.late_alloc = late_alloc;
	pool.nareas = nareas;
	pool.area_nslabs = Math.floor(nslabs / nareas);
	pool.vaddr = vaddr;
	// memblock clears what it gives, and a pool of 64 MiB costs nothing until it is touched.
	if (late_alloc) vaddr.fill(0);

	const slots = pool.slots as io_tlb_slot[];
	for (let i = 0; i < nslabs; i++) {
		const slot = slots[i];
		slot.list = Math.min(IO_TLB_SEGSIZE - io_tlb_offset(i), nslabs - i);
		slot.orig_addr = INVALID_PHYS_ADDR;
		slot.alloc_size = 0;
		slot.pad_slots = 0;
	}
}

function add_mem_pool(mem: io_tlb_mem, pool: io_tlb_pool): void {
	spin_lock(mem.lock);
	list_add_rcu(pool.node, mem.pools);
	mem.nslabs += pool.nslabs;
	spin_unlock(mem.lock);
}

/** What may be made beside the default pool of @mem, and up to which address. */
function set_growth(mem: io_tlb_mem, remap: remap_t | null, phys_limit: u64): void {
	if (!swiotlb_config.dynamic) return;
	// A pool whose memory must be prepared is the only one.
	if (remap === null) mem.can_grow = true;
	mem.phys_limit = phys_limit;
}

function swiotlb_memblock_alloc(
	nslabs: unsigned_long,
	flags: unsigned_int,
	remap: remap_t | null,
): void_ptr | null {
	const bytes = PAGE_ALIGN(nslabs * IO_TLB_SIZE);
	// By default the pool lies where devices with 32 bits reach it.
	const tlb =
		(flags & SWIOTLB_ANY) !== 0 ? memblock_alloc(bytes, PAGE_SIZE) : memblock_alloc_low(bytes, PAGE_SIZE);
	if (tlb === null) {
		pr_warn(
			'software IO TLB: %s: Failed to allocate %zu bytes tlb structure',
			'swiotlb_memblock_alloc',
			bytes,
		);
		return null;
	}
	if (remap !== null && remap(tlb, nslabs) < 0) {
		memblock_free(tlb, bytes);
		pr_warn('software IO TLB: %s: Failed to remap %zu bytes', 'swiotlb_memblock_alloc', bytes);
		return null;
	}
	return tlb;
}

/**
 * Make the default pool, before the page allocator is up; smaller when there is no room.
 * @addressing_limit: someone will need it; without that and swiotlb=force there is none
 * @remap: prepares the memory, or null
 *
 * Linux: kernel/dma/swiotlb.c: swiotlb_init_remap()
 */
export function swiotlb_init_remap(addressing_limit: bool, flags: unsigned_int, remap: remap_t | null): void {
	const mem = state.io_tlb_default_mem;
	const pool = mem.defpool;

	if (!addressing_limit && !state.swiotlb_force_bounce) return;
	if (state.swiotlb_force_disable) return;
	mem.force_bounce = state.swiotlb_force_bounce || (flags & SWIOTLB_FORCE) !== 0;
	set_growth(mem, remap, (flags & SWIOTLB_ANY) !== 0 ? memblock_end_of_DRAM() - 1 : memblock_low_limit());

	if (state.default_nareas === 0) swiotlb_adjust_nareas(num_possible_cpus());

	let nslabs = state.default_nslabs;
	let nareas = limit_nareas(state.default_nareas, nslabs);
	let tlb = swiotlb_memblock_alloc(nslabs, flags, remap);
	while (tlb === null) {
		if (nslabs <= IO_TLB_MIN_SLABS) return;
		nslabs = ALIGN(nslabs / 2, IO_TLB_SEGSIZE);
		nareas = limit_nareas(nareas, nslabs);
		tlb = swiotlb_memblock_alloc(nslabs, flags, remap);
	}
	if (state.default_nslabs !== nslabs) {
		pr_info(
			'software IO TLB: SWIOTLB bounce buffer size adjusted %lu -> %lu slabs',
			state.default_nslabs,
			nslabs,
		);
		state.default_nslabs = nslabs;
	}

	// C takes these from memblock too; here they are no simulated memory.
	const slots: io_tlb_slot[] = [];
	for (let i = 0; i < nslabs; i++) slots.push(new io_tlb_slot());
	const areas: io_tlb_area[] = [];
	for (let i = 0; i < nareas; i++) areas.push(new io_tlb_area());
	pool.slots = slots;
	pool.areas = areas;

	swiotlb_init_io_tlb_pool(pool, virt_to_phys(tlb), tlb, nslabs, false, nareas);
	add_mem_pool(mem, pool);
	if ((flags & SWIOTLB_VERBOSE) !== 0) swiotlb_print_info();
}

/** swiotlb_init_remap() without preparation (kernel/dma/swiotlb.c: swiotlb_init()). */
export function swiotlb_init(addressing_limit: bool, flags: unsigned_int): void {
	swiotlb_init_remap(addressing_limit, flags, null);
}

/** The last address that the late default pool and its like may have, by the zone that they are taken from. */
function late_phys_limit(gfp_mask: gfp_t): u64 {
	if ((gfp_mask & __GFP_DMA) !== 0) return direct_state.zone_dma_limit;
	if ((gfp_mask & __GFP_DMA32) !== 0) return Math.max(DMA_BIT_MASK(32), direct_state.zone_dma_limit);
	return memblock_end_of_DRAM() - 1;
}

/** A block for @nslabs slots, or half as many, and so on down to the least pool; @order takes the block's. */
function swiotlb_get_pages(
	nslabs: unsigned_long,
	gfp_mask: gfp_t,
	order: ref<unsigned_int>,
): void_ptr | null {
	order.value = get_order(nslabs * IO_TLB_SIZE);
	for (; SLABS_PER_PAGE << order.value > IO_TLB_MIN_SLABS; order.value--) {
		const vaddr = __get_free_pages(gfp_mask | __GFP_NOWARN, order.value);
		if (vaddr !== null) return vaddr;
	}
	return null;
}

/**
 * Make the default pool when the page allocator is up and there is none yet; smaller when there is no room.
 * @size: bytes
 * @gfp_mask: which zone the pool is to be in
 * @remap: prepares the memory, or null
 *
 * Return: 0 (also when there is a pool, or must be none), -ENOMEM, or the error of @remap when it refuses the
 * least pool too. Linux: kernel/dma/swiotlb.c: swiotlb_init_late()
 */
export function swiotlb_init_late(size: size_t, gfp_mask: gfp_t, remap: remap_t | null): int {
	const mem = state.io_tlb_default_mem;
	const pool = mem.defpool;
	if (mem.nslabs !== 0 || state.swiotlb_force_disable) return 0;
	mem.force_bounce = state.swiotlb_force_bounce;
	set_growth(mem, remap, late_phys_limit(gfp_mask));
	if (state.default_nareas === 0) swiotlb_adjust_nareas(num_possible_cpus());

	let nslabs = ALIGN(Math.floor(size / IO_TLB_SIZE), IO_TLB_SEGSIZE);
	const wanted = get_order(nslabs * IO_TLB_SIZE);
	const order = new ref<unsigned_int>(0);
	let refused: int = 0;
	let tlb: void_ptr | null;
	for (;;) {
		tlb = swiotlb_get_pages(nslabs, gfp_mask, order);
		// DEVIATION: 6.12 offers @remap the block that it has just freed when the next is too small to be tried.
		if (tlb === null) return nslabs <= IO_TLB_MIN_SLABS && refused !== 0 ? refused : -ENOMEM;
		nslabs = SLABS_PER_PAGE << order.value;
		refused = remap === null ? 0 : remap(tlb, nslabs);
		if (refused === 0) break;
		free_pages(tlb, order.value);
		nslabs = ALIGN(nslabs / 2, IO_TLB_SEGSIZE);
		if (nslabs < IO_TLB_MIN_SLABS) return refused;
	}
	if (order.value < wanted)
		pr_warn('software IO TLB: only able to allocate %ld MB', (PAGE_SIZE << order.value) >>> 20);

	const nareas = limit_nareas(state.default_nareas, nslabs);
	undo_tlb: {
		const areas = kcalloc(nareas, io_tlb_area, GFP_KERNEL);
		if (areas === null) break undo_tlb;
		const slots = kcalloc(nslabs, io_tlb_slot, GFP_KERNEL);
		if (slots === null) {
			kfree(areas);
			break undo_tlb;
		}
		pool.areas = areas;
		pool.slots = slots;
		swiotlb_init_io_tlb_pool(pool, virt_to_phys(tlb), tlb, nslabs, true, nareas);
		add_mem_pool(mem, pool);
		swiotlb_print_info();
		return 0;
	}
	free_pages(tlb, order.value);
	return -ENOMEM;
}

/**
 * Give the default pool back, on a machine where nobody turned out to need it; not with swiotlb=force. Nothing may
 * be mapped in it. Linux: kernel/dma/swiotlb.c: swiotlb_exit()
 */
export function swiotlb_exit(): void {
	const mem = state.io_tlb_default_mem;
	const pool = mem.defpool;
	if (state.swiotlb_force_bounce || pool.nslabs === 0) return;

	pr_info('software IO TLB: tearing down default memory pool');
	// DEVIATION: in 6.12 the allocator goes on as if it had the pool, in its count and in its list.
	spin_lock(mem.lock);
	list_del_rcu(pool.node);
	mem.nslabs -= pool.nslabs;
	spin_unlock(mem.lock);

	const tbl_size = PAGE_ALIGN(pool.end - pool.start);
	if (pool.late_alloc) {
		kfree(pool.areas);
		free_pages(pool.vaddr as void_ptr, get_order(tbl_size));
		kfree(pool.slots);
	} else {
		memblock_free_late(pool.start, tbl_size);
	}
	pool.start = 0;
	pool.end = 0;
	pool.vaddr = null;
	pool.nslabs = 0;
	pool.late_alloc = false;
	pool.nareas = 0;
	pool.area_nslabs = 0;
	pool.areas = null;
	pool.slots = null;
}

/** Pages from the page allocator, null when there are none, ERR_PTR(-EAGAIN) when they lie above @phys_limit. */
function alloc_dma_pages(gfp: gfp_t, bytes: size_t, phys_limit: u64): page | null | err_ptr {
	const order = get_order(bytes);
	const page = alloc_pages(gfp, order);
	if (page === null) return null;
	if (page_to_phys(page) + bytes - 1 <= phys_limit) return page;
	__free_pages(page, order);
	return ERR_PTR(-EAGAIN);
}

/** Memory of a new pool up to @phys_limit: from the zone that the limit suggests, then from lower ones. */
function swiotlb_alloc_tlb(bytes: size_t, phys_limit: u64, gfp: gfp_t): page | null {
	let zone: gfp_t = 0;
	if (phys_limit <= direct_state.zone_dma_limit) zone = __GFP_DMA;
	else if (phys_limit <= DMA_BIT_MASK(32)) zone = __GFP_DMA32;

	for (;;) {
		const page = alloc_dma_pages((gfp & ~GFP_ZONEMASK) | zone, bytes, phys_limit);
		if (!IS_ERR(page)) return page;
		if (zone === 0 && phys_limit < DMA_BIT_MASK(64)) zone = __GFP_DMA32;
		else if (zone !== __GFP_DMA) zone = __GFP_DMA;
		else return null;
	}
}

function swiotlb_free_tlb(vaddr: void_ptr, bytes: size_t): void {
	__free_pages(virt_to_page(vaddr), get_order(bytes));
}

/** A new pool of @nslabs slots, or half as many, and so on down to @minslabs. */
function swiotlb_alloc_pool(
	minslabs: unsigned_long,
	nslabs: unsigned_long,
	nareas: unsigned_int,
	phys_limit: u64,
	gfp: gfp_t,
): io_tlb_pool | null {
	let slabs = Math.min(nslabs, SLABS_PER_PAGE << MAX_PAGE_ORDER);
	let areas = slabs < nslabs ? limit_nareas(nareas, slabs) : nareas;

	const pool = kzalloc(io_tlb_pool, gfp);
	if (pool === null) return null;
	error_pool: {
		pool.areas = kcalloc(areas, io_tlb_area, gfp);
		if (pool.areas === null) break error_pool;

		error_areas: {
			let tlb = swiotlb_alloc_tlb(slabs * IO_TLB_SIZE, phys_limit, gfp);
			while (tlb === null) {
				if (slabs <= minslabs) break error_areas;
				slabs = ALIGN(Math.floor(slabs / 2), IO_TLB_SEGSIZE);
				areas = limit_nareas(areas, slabs);
				tlb = swiotlb_alloc_tlb(slabs * IO_TLB_SIZE, phys_limit, gfp);
			}
			const vaddr = page_address(tlb, slabs * IO_TLB_SIZE);
			pool.slots = kcalloc(slabs, io_tlb_slot, gfp);
			if (pool.slots === null) {
				swiotlb_free_tlb(vaddr, slabs * IO_TLB_SIZE);
				break error_areas;
			}
			swiotlb_init_io_tlb_pool(pool, page_to_phys(tlb), vaddr, slabs, true, areas);
			return pool;
		}
		kfree(pool.areas);
	}
	kfree(pool);
	return null;
}

/** The work that makes the default pool grow. */
function swiotlb_dyn_alloc(work: work_struct): void {
	const mem = container_of(work, io_tlb_mem);
	const pool = swiotlb_alloc_pool(
		IO_TLB_MIN_SLABS,
		state.default_nslabs,
		state.default_nareas,
		mem.phys_limit,
		GFP_KERNEL,
	);
	if (pool === null) {
		pr_warn_ratelimited('software IO TLB: Failed to allocate new pool');
		return;
	}
	add_mem_pool(mem, pool);
}

/** The end of a pool that no reader of its list can see any more. */
function swiotlb_dyn_free(rcu: rcu_head): void {
	const pool = container_of(rcu, io_tlb_pool);
	kfree(pool.slots);
	swiotlb_free_tlb(pool.vaddr as void_ptr, pool.end - pool.start);
	kfree(pool.areas);
	kfree(pool);
}

/** Take a transient pool from its device, and free it when its readers have left. */
function swiotlb_del_pool(dev: device, pool: io_tlb_pool): void {
	const flags = spin_lock_irqsave(dev.dma_io_tlb_lock);
	list_del_rcu(pool.node);
	spin_unlock_irqrestore(dev.dma_io_tlb_lock, flags);
	call_rcu(pool.rcu, swiotlb_dyn_free);
}

/** A new device bounces through the default pool (kernel/dma/swiotlb.c: swiotlb_dev_init()). */
export function swiotlb_dev_init(dev: device): void {
	dev.dma_io_tlb_mem = state.io_tlb_default_mem;
	INIT_LIST_HEAD(dev.dma_io_tlb_pools);
	dev.dma_uses_io_tlb = false;
}

/** The bits of @addr that a bounce buffer must keep, below a slot's size or inside @align_mask. */
function swiotlb_align_offset(dev: device, align_mask: unsigned_int, addr: u64): unsigned_int {
	return (lower_32_bits(addr) & dma_get_min_align_mask(dev) & (align_mask | (IO_TLB_SIZE - 1))) >>> 0;
}

/** Copy between the original memory, which need not be one piece of RAM, and the pool. */
function swiotlb_copy(orig_addr: phys_addr_t, vaddr: void_ptr, size: size_t, to_pool: bool): void {
	for (let done = 0; done < size; ) {
		const at = orig_addr + done;
		const len = Math.min(size - done, PAGE_SIZE - (at % PAGE_SIZE));
		const orig = phys_to_virt(at, len);
		if (to_pool) vaddr.set(orig, done);
		else orig.set(vaddr.subarray(done, done + len));
		done += len;
	}
}

/** Copy @size bytes at @tlb_addr from the pool or into it; never past the mapping. */
function swiotlb_bounce(
	dev: device,
	tlb_addr: phys_addr_t,
	size: size_t,
	dir: dma_data_direction,
	pool: io_tlb_pool,
): void {
	const slot = (pool.slots as io_tlb_slot[])[Math.floor((tlb_addr - pool.start) / IO_TLB_SIZE)];
	if (slot.orig_addr === INVALID_PHYS_ADDR) return;

	// The slot's original address is that of the mapping's first byte in it, which may begin inside the slot.
	const tlb_offset = (tlb_addr % IO_TLB_SIZE) - swiotlb_align_offset(dev, 0, slot.orig_addr);
	const orig_addr = slot.orig_addr + tlb_offset;
	const alloc_size = slot.alloc_size - tlb_offset;
	let bytes = size;
	if (bytes > alloc_size) {
		dev_WARN_ONCE(
			dev,
			true,
			'Buffer overflow detected. Allocation size: %zu. Mapping size: %zu.',
			alloc_size,
			bytes,
		);
		bytes = alloc_size;
	}

	const from = tlb_addr - pool.start;
	const vaddr = (pool.vaddr as void_ptr).subarray(from, from + bytes);
	swiotlb_copy(orig_addr, vaddr, bytes, dir === DMA_TO_DEVICE);
}

function slot_addr(start: phys_addr_t, idx: unsigned_long): phys_addr_t {
	return start + idx * IO_TLB_SIZE;
}

/** Slots between two boundaries of @boundary_mask. */
function get_max_slots(boundary_mask: unsigned_long): unsigned_long {
	return shr64(boundary_mask, IO_TLB_SHIFT) + 1;
}

function wrap_area_index(pool: io_tlb_pool, index: unsigned_int): unsigned_int {
	return index >= pool.area_nslabs ? 0 : index;
}

/** Whether @nr slots from @index on cross a boundary (include/linux/iommu-helper.h: iommu_is_span_boundary()). */
function iommu_is_span_boundary(
	index: unsigned_int,
	nr: unsigned_int,
	shift: unsigned_long,
	boundary_size: unsigned_long,
): bool {
	BUG_ON(!is_power_of_2(boundary_size));
	return ((shift + index) % boundary_size) + nr > boundary_size;
}

function inc_used_and_hiwater(mem: io_tlb_mem, nslots: unsigned_int): void {
	const used = atomic_long_add_return(nslots, mem.total_used);
	if (used > atomic_long_read(mem.used_hiwater)) atomic_long_set(mem.used_hiwater, used);
}

function dec_used(mem: io_tlb_mem, nslots: unsigned_int): void {
	atomic_long_sub(nslots, mem.total_used);
}

function inc_transient_used(mem: io_tlb_mem, nslots: unsigned_int): void {
	atomic_long_add(nslots, mem.transient_nslabs);
}

function dec_transient_used(mem: io_tlb_mem, nslots: unsigned_int): void {
	atomic_long_sub(nslots, mem.transient_nslabs);
}

/**
 * Find and take free slots in one area, from where the last search ended.
 * @orig_addr: the buffer, whose min_align_mask bits the slots must match; 0: any
 * @alloc_size: bytes, with what the alignment adds in front
 * @alloc_align_mask: the alignment of the slots themselves
 *
 * Return: the first slot, or -1.
 */
function swiotlb_search_pool_area(
	dev: device,
	pool: io_tlb_pool,
	area_index: int,
	orig_addr: phys_addr_t,
	alloc_size: size_t,
	alloc_align_mask: unsigned_int,
): int {
	const area = (pool.areas as io_tlb_area[])[area_index];
	const slots = pool.slots as io_tlb_slot[];
	const boundary_mask = dma_get_seg_boundary(dev);
	const tbl_dma_addr = and64(phys_to_dma_unencrypted(dev, pool.start), boundary_mask);
	const max_slots = get_max_slots(boundary_mask);
	const offset = swiotlb_align_offset(dev, 0, orig_addr);
	const nslots = nr_slots(alloc_size);
	let align_mask = alloc_align_mask;
	let iotlb_align_mask = dma_get_min_align_mask(dev);

	BUG_ON(nslots === 0);
	BUG_ON(area_index >= pool.nareas);

	// Old habit: what is a page or more comes page-aligned.
	if (align_mask === 0 && iotlb_align_mask === 0 && alloc_size >= PAGE_SIZE) align_mask = PAGE_SIZE - 1;

	// Below a slot there is nothing to look for, and what must be zero need not be compared.
	align_mask = (align_mask | (IO_TLB_SIZE - 1)) >>> 0;
	iotlb_align_mask = (iotlb_align_mask & ~align_mask) >>> 0;
	const stride = get_max_slots(Math.max(align_mask, iotlb_align_mask));

	const flags = spin_lock_irqsave(area.lock);
	let found = -1;
	if (nslots <= pool.area_nslabs - area.used) {
		const slot_base = area_index * pool.area_nslabs;
		let index = area.index;
		for (let checked = 0; checked < pool.area_nslabs; ) {
			const slot_index = slot_base + index;
			const tlb_addr = lower_32_bits(slot_addr(tbl_dma_addr as number, slot_index));
			if (
				(tlb_addr & align_mask) !== 0 ||
				(orig_addr !== 0 && ((tlb_addr ^ lower_32_bits(orig_addr)) & iotlb_align_mask) !== 0)
			) {
				index = wrap_area_index(pool, index + 1);
				checked++;
				continue;
			}
			if (
				!iommu_is_span_boundary(slot_index, nslots, nr_slots(tbl_dma_addr), max_slots) &&
				slots[slot_index].list >= nslots
			) {
				found = slot_index;
				area.index = wrap_area_index(pool, index + nslots);
				break;
			}
			index = wrap_area_index(pool, index + stride);
			checked += stride;
		}
	}
	if (found < 0) {
		spin_unlock_irqrestore(area.lock, flags);
		return -1;
	}

	for (let i = 0; i < nslots; i++) {
		const slot = slots[found + i];
		slot.list = 0;
		slot.alloc_size = alloc_size - (offset + i * IO_TLB_SIZE);
	}
	// The free slots in front of them now end there.
	for (let i = found - 1, count = 0; i >= 0; i--) {
		if (io_tlb_offset(i) === IO_TLB_SEGSIZE - 1 || slots[i].list === 0) break;
		slots[i].list = ++count;
	}
	area.used += nslots;
	spin_unlock_irqrestore(area.lock, flags);

	inc_used_and_hiwater(dev.dma_io_tlb_mem as io_tlb_mem, nslots);
	return found;
}

/**
 * swiotlb_search_pool_area() in one area of every pool: the one @cpu_offset after that of @start_cpu. The newest pool
 * comes first; @retpool takes the one that had room.
 */
function swiotlb_search_area(
	dev: device,
	start_cpu: int,
	cpu_offset: int,
	orig_addr: phys_addr_t,
	alloc_size: size_t,
	alloc_align_mask: unsigned_int,
	retpool: ref<io_tlb_pool | null>,
): int {
	const mem = dev.dma_io_tlb_mem as io_tlb_mem;
	let index = -1;
	rcu_read_lock();
	for (const pool of list_for_each_entry_rcu(mem.pools)) {
		if (cpu_offset >= pool.nareas) continue;
		const area_index = (start_cpu + cpu_offset) & (pool.nareas - 1);
		index = swiotlb_search_pool_area(dev, pool, area_index, orig_addr, alloc_size, alloc_align_mask);
		if (index >= 0) {
			retpool.value = pool;
			break;
		}
	}
	rcu_read_unlock();
	return index;
}

/** swiotlb_search_pool_area() in all areas of the only pool, this CPU's first. */
function swiotlb_search_pool(
	dev: device,
	orig_addr: phys_addr_t,
	alloc_size: size_t,
	alloc_align_mask: unsigned_int,
	retpool: ref<io_tlb_pool | null>,
): int {
	const pool = (dev.dma_io_tlb_mem as io_tlb_mem).defpool;
	const start = raw_smp_processor_id() & (pool.nareas - 1);
	retpool.value = pool;
	for (let i = 0; i < pool.nareas; i++) {
		const area_index = (start + i) % pool.nareas;
		const index = swiotlb_search_pool_area(dev, pool, area_index, orig_addr, alloc_size, alloc_align_mask);
		if (index >= 0) return index;
	}
	return -1;
}

/** A pool for this mapping alone, in reach of @dev, made without sleeping: its only slot run, or -1. */
function swiotlb_map_transient(
	dev: device,
	orig_addr: phys_addr_t,
	alloc_size: size_t,
	alloc_align_mask: unsigned_int,
	retpool: ref<io_tlb_pool | null>,
): int {
	const mem = dev.dma_io_tlb_mem as io_tlb_mem;
	const nslabs = nr_slots(alloc_size);
	const phys_limit = min_not_zero(dev.dma_mask!.value, dev.bus_dma_limit);
	const pool = swiotlb_alloc_pool(nslabs, nslabs, 1, phys_limit, GFP_NOWAIT | __GFP_NOWARN);
	if (pool === null) return -1;

	const index = swiotlb_search_pool_area(dev, pool, 0, orig_addr, alloc_size, alloc_align_mask);
	if (index < 0) {
		swiotlb_dyn_free(pool.rcu);
		return -1;
	}
	pool.transient = true;
	const flags = spin_lock_irqsave(dev.dma_io_tlb_lock);
	list_add_rcu(pool.node, dev.dma_io_tlb_pools);
	spin_unlock_irqrestore(dev.dma_io_tlb_lock, flags);
	inc_transient_used(mem, pool.nslabs);
	retpool.value = pool;
	return index;
}

/** Free slots in whichever pool has them, this CPU's areas first; @retpool takes the pool. The first slot, or -1. */
function swiotlb_find_slots(
	dev: device,
	orig_addr: phys_addr_t,
	alloc_size: size_t,
	alloc_align_mask: unsigned_int,
	retpool: ref<io_tlb_pool | null>,
): int {
	if (!swiotlb_config.dynamic)
		return swiotlb_search_pool(dev, orig_addr, alloc_size, alloc_align_mask, retpool);

	const mem = dev.dma_io_tlb_mem as io_tlb_mem;
	if (alloc_size > IO_TLB_SEGSIZE * IO_TLB_SIZE) return -1;

	const cpu = raw_smp_processor_id();
	let index = -1;
	for (let i = 0; i < state.default_nareas && index < 0; i++)
		index = swiotlb_search_area(dev, cpu, i, orig_addr, alloc_size, alloc_align_mask, retpool);
	if (index < 0) {
		if (!mem.can_grow) return -1;
		schedule_work(mem.dyn_alloc);
		index = swiotlb_map_transient(dev, orig_addr, alloc_size, alloc_align_mask, retpool);
		if (index < 0) return -1;
	}
	// In C a barrier follows: whoever sees the mapping's address must see this, and the pool in its list.
	dev.dma_uses_io_tlb = true;
	return index;
}

function mem_used(mem: io_tlb_mem): unsigned_long {
	return atomic_long_read(mem.total_used);
}

/** What the message about a full buffer does not tell, in a line of its own (no such message in Linux). */
function say_why_not(dev: device, mem: io_tlb_mem, size: size_t): void {
	const boundary = get_max_slots(dma_get_seg_boundary(dev)) * IO_TLB_SIZE;
	const most = Math.min(IO_TLB_SEGSIZE * IO_TLB_SIZE, boundary);

	if (size > most)
		dev_warn_ratelimited(
			dev,
			'a bounce of %zu bytes cannot be, however much is free: %s takes at most %zu; see dma_max_mapping_size()',
			size,
			boundary < IO_TLB_SEGSIZE * IO_TLB_SIZE ? "the device's segment boundary" : 'a bounce',
			most,
		);
	else if (phys_to_dma_unencrypted(dev, mem.defpool.start) === DMA_MAPPING_ERROR)
		dev_warn_ratelimited(
			dev,
			'a bounce of %zu bytes cannot be: the pool at %pa is in no window of its bus (dma-ranges)',
			size,
			mem.defpool.start,
		);
	else if (mem.nslabs - mem_used(mem) < nr_slots(size))
		dev_warn_ratelimited(dev, 'a bounce of %zu bytes needs %lu slots', size, nr_slots(size));
	else
		dev_warn_ratelimited(
			dev,
			'a bounce of %zu bytes needs %lu free slots in a row, aligned as the device wants them',
			size,
			nr_slots(size),
		);
}

/**
 * Give a buffer a copy in the pool; the copy is filled whatever the direction, so that a device which writes
 * less than it said leaks nothing and destroys nothing.
 * @mapping_size: bytes
 * @alloc_align_mask: alignment of the copy's slots, below a page; the copy fills them up
 *
 * Return: the copy's physical address, DMA_MAPPING_ERROR when the pool is full.
 * Linux: kernel/dma/swiotlb.c: swiotlb_tbl_map_single()
 */
export function swiotlb_tbl_map_single(
	dev: device,
	orig_addr: phys_addr_t,
	mapping_size: size_t,
	alloc_align_mask: unsigned_int,
	dir: dma_data_direction,
	attrs: unsigned_long,
): phys_addr_t {
	const mem = dev.dma_io_tlb_mem;
	if (mem === null || mem.nslabs === 0) {
		dev_warn_ratelimited(
			dev,
			"Can not allocate SWIOTLB buffer earlier and can't now provide you with the DMA bounce buffer",
		);
		return DMA_MAPPING_ERROR as number;
	}

	dev_WARN_ONCE(
		dev,
		alloc_align_mask > PAGE_SIZE - 1,
		'Alloc alignment may prevent fulfilling requests with max mapping_size',
	);

	const offset = swiotlb_align_offset(dev, alloc_align_mask, orig_addr);
	const size = ALIGN(mapping_size + offset, alloc_align_mask + 1);
	const retpool = new ref<io_tlb_pool | null>(null);
	const first = swiotlb_find_slots(dev, orig_addr, size, alloc_align_mask, retpool);
	if (first === -1) {
		if ((attrs & DMA_ATTR_NO_WARN) === 0) {
			dev_warn_ratelimited(
				dev,
				'swiotlb buffer is full (sz: %zd bytes), total %lu (slots), used %lu (slots)',
				size,
				mem.nslabs,
				mem_used(mem),
			);
			say_why_not(dev, mem, size);
		}
		return DMA_MAPPING_ERROR as number;
	}

	// Even a coherent device needs its syncs now.
	dma_reset_need_sync(dev);

	const pool = retpool.value as io_tlb_pool;
	const slots = pool.slots as io_tlb_slot[];
	const pad_slots = offset >>> IO_TLB_SHIFT;
	const index = first + pad_slots;
	slots[index].pad_slots = pad_slots;
	for (let i = 0; i < nr_slots(size) - pad_slots; i++) slots[index + i].orig_addr = slot_addr(orig_addr, i);

	const tlb_addr = slot_addr(pool.start, index) + (offset & (IO_TLB_SIZE - 1));
	swiotlb_bounce(dev, tlb_addr, mapping_size, DMA_TO_DEVICE, pool);
	return tlb_addr;
}

/** Free the slots of a mapping, and join them with the free ones around. */
function swiotlb_release_slots(dev: device, tlb_addr: phys_addr_t, pool: io_tlb_pool): void {
	const slots = pool.slots as io_tlb_slot[];
	const offset = swiotlb_align_offset(dev, 0, tlb_addr);
	let index = Math.floor((tlb_addr - offset - pool.start) / IO_TLB_SIZE);
	index -= slots[index].pad_slots;
	const nslots = nr_slots(slots[index].alloc_size + offset);
	const aindex = Math.floor(index / pool.area_nslabs);
	BUG_ON(aindex >= pool.nareas);
	const area = (pool.areas as io_tlb_area[])[aindex];

	const flags = spin_lock_irqsave(area.lock);
	let count = index + nslots < ALIGN(index + 1, IO_TLB_SEGSIZE) ? slots[index + nslots].list : 0;
	for (let i = index + nslots - 1; i >= index; i--) {
		const slot = slots[i];
		slot.list = ++count;
		slot.orig_addr = INVALID_PHYS_ADDR;
		slot.alloc_size = 0;
		slot.pad_slots = 0;
	}
	for (let i = index - 1; i >= 0; i--) {
		if (io_tlb_offset(i) === IO_TLB_SEGSIZE - 1 || slots[i].list === 0) break;
		slots[i].list = ++count;
	}
	area.used -= nslots;
	spin_unlock_irqrestore(area.lock, flags);

	dec_used(dev.dma_io_tlb_mem as io_tlb_mem, nslots);
}

/** Delete @pool if it was made for this mapping alone; true when it was. */
function swiotlb_del_transient(dev: device, pool: io_tlb_pool): bool {
	if (!pool.transient) return false;
	const mem = dev.dma_io_tlb_mem as io_tlb_mem;
	const { nslabs } = pool;
	dec_used(mem, nslabs);
	swiotlb_del_pool(dev, pool);
	dec_transient_used(mem, nslabs);
	return true;
}

/** End a mapping; unless told not to, what the device wrote is copied back first. */
export function __swiotlb_tbl_unmap_single(
	dev: device,
	tlb_addr: phys_addr_t,
	mapping_size: size_t,
	dir: dma_data_direction,
	attrs: unsigned_long,
	pool: io_tlb_pool,
): void {
	if ((attrs & DMA_ATTR_SKIP_CPU_SYNC) === 0 && (dir === DMA_FROM_DEVICE || dir === DMA_BIDIRECTIONAL))
		swiotlb_bounce(dev, tlb_addr, mapping_size, DMA_FROM_DEVICE, pool);
	if (!swiotlb_del_transient(dev, pool)) swiotlb_release_slots(dev, tlb_addr, pool);
}

/** The same when @addr is in a pool, else nothing (include/linux/swiotlb.h: swiotlb_tbl_unmap_single()). */
export function swiotlb_tbl_unmap_single(
	dev: device,
	addr: phys_addr_t,
	size: size_t,
	dir: dma_data_direction,
	attrs: unsigned_long,
): void {
	const pool = swiotlb_find_pool(dev, addr);
	if (pool !== null) __swiotlb_tbl_unmap_single(dev, addr, size, dir, attrs, pool);
}

/** Copy to the side that @to leads to, when that is a side which @dir has data for. */
function swiotlb_sync_to(
	dev: device,
	tlb_addr: phys_addr_t,
	size: size_t,
	dir: dma_data_direction,
	to: dma_data_direction,
	pool: io_tlb_pool,
): void {
	if (dir === to || dir === DMA_BIDIRECTIONAL) swiotlb_bounce(dev, tlb_addr, size, to, pool);
	else BUG_ON(dir !== DMA_TO_DEVICE && dir !== DMA_FROM_DEVICE);
}

/** Copy to the device's side (kernel/dma/swiotlb.c: __swiotlb_sync_single_for_device()). */
export function __swiotlb_sync_single_for_device(
	dev: device,
	tlb_addr: phys_addr_t,
	size: size_t,
	dir: dma_data_direction,
	pool: io_tlb_pool,
): void {
	swiotlb_sync_to(dev, tlb_addr, size, dir, DMA_TO_DEVICE, pool);
}

/** The same when @addr is in a pool (include/linux/swiotlb.h: swiotlb_sync_single_for_device()). */
export function swiotlb_sync_single_for_device(
	dev: device,
	addr: phys_addr_t,
	size: size_t,
	dir: dma_data_direction,
): void {
	const pool = swiotlb_find_pool(dev, addr);
	if (pool !== null) __swiotlb_sync_single_for_device(dev, addr, size, dir, pool);
}

/** Copy to the CPU's side (kernel/dma/swiotlb.c: __swiotlb_sync_single_for_cpu()). */
export function __swiotlb_sync_single_for_cpu(
	dev: device,
	tlb_addr: phys_addr_t,
	size: size_t,
	dir: dma_data_direction,
	pool: io_tlb_pool,
): void {
	swiotlb_sync_to(dev, tlb_addr, size, dir, DMA_FROM_DEVICE, pool);
}

/** The same when @addr is in a pool (include/linux/swiotlb.h: swiotlb_sync_single_for_cpu()). */
export function swiotlb_sync_single_for_cpu(
	dev: device,
	addr: phys_addr_t,
	size: size_t,
	dir: dma_data_direction,
): void {
	const pool = swiotlb_find_pool(dev, addr);
	if (pool !== null) __swiotlb_sync_single_for_cpu(dev, addr, size, dir, pool);
}

/**
 * Bounce a buffer of a device without an IOMMU.
 *
 * Return: the device's address of the copy, or DMA_MAPPING_ERROR. Linux: kernel/dma/swiotlb.c: swiotlb_map()
 */
export function swiotlb_map(
	dev: device,
	paddr: phys_addr_t,
	size: size_t,
	dir: dma_data_direction,
	attrs: unsigned_long,
): dma_addr_t {
	trace_swiotlb_bounced(dev, phys_to_dma(dev, paddr), size);

	const swiotlb_addr = swiotlb_tbl_map_single(dev, paddr, size, 0, dir, attrs);
	if ((swiotlb_addr as number) === (DMA_MAPPING_ERROR as number)) return DMA_MAPPING_ERROR;

	// The pool itself may be out of reach.
	const dma_addr = phys_to_dma_unencrypted(dev, swiotlb_addr);
	if (!dma_capable(dev, dma_addr, size, true)) {
		const pool = swiotlb_find_pool(dev, swiotlb_addr) as io_tlb_pool;
		__swiotlb_tbl_unmap_single(dev, swiotlb_addr, size, dir, attrs | DMA_ATTR_SKIP_CPU_SYNC, pool);
		dev_WARN_ONCE(
			dev,
			true,
			'swiotlb addr %pad+%zu overflow (mask %llx, bus limit %llx).',
			dma_addr,
			size,
			dev.dma_mask!.value,
			dev.bus_dma_limit,
		);
		return DMA_MAPPING_ERROR;
	}

	if (!dev_is_dma_coherent(dev) && (attrs & DMA_ATTR_SKIP_CPU_SYNC) === 0)
		arch_sync_dma_for_device(swiotlb_addr, size, dir);
	return dma_addr;
}

/** The largest mapping: a segment, less what the device's alignment may cost (kernel/dma/swiotlb.c: swiotlb_max_mapping_size()). */
export function swiotlb_max_mapping_size(dev: device): size_t {
	const min_align_mask = dma_get_min_align_mask(dev);
	const min_align = Math.ceil(min_align_mask / IO_TLB_SIZE) * IO_TLB_SIZE;
	return IO_TLB_SIZE * IO_TLB_SEGSIZE - min_align;
}

/** Whether there is a default pool (kernel/dma/swiotlb.c: is_swiotlb_allocated()). */
export function is_swiotlb_allocated(): bool {
	return state.io_tlb_default_mem.nslabs !== 0;
}

/** Whether @dev can bounce (kernel/dma/swiotlb.c: is_swiotlb_active()). */
export function is_swiotlb_active(dev: device): bool {
	return dev.dma_io_tlb_mem !== null && dev.dma_io_tlb_mem.nslabs !== 0;
}

/**
 * The default pool's first address; who asks relies on its being the only pool, so that no more are made
 * (kernel/dma/swiotlb.c: default_swiotlb_base()).
 */
export function default_swiotlb_base(): phys_addr_t {
	state.io_tlb_default_mem.can_grow = false;
	return state.io_tlb_default_mem.defpool.start;
}

/** The last address that the default pool has or may have (kernel/dma/swiotlb.c: default_swiotlb_limit()). */
export function default_swiotlb_limit(): phys_addr_t {
	const mem = state.io_tlb_default_mem;
	return mem.can_grow ? mem.phys_limit : mem.defpool.end - 1;
}

function mem_transient_used(mem: io_tlb_mem): unsigned_long {
	return atomic_long_read(mem.transient_nslabs);
}

function io_tlb_transient_used_get(data: unknown, val: ref<u64>): int {
	val.value = mem_transient_used(data as io_tlb_mem);
	return 0;
}

function io_tlb_nslabs_get(data: unknown, val: ref<u64>): int {
	val.value = (data as io_tlb_mem).nslabs;
	return 0;
}

function io_tlb_used_get(data: unknown, val: ref<u64>): int {
	val.value = mem_used(data as io_tlb_mem);
	return 0;
}

function io_tlb_hiwater_get(data: unknown, val: ref<u64>): int {
	val.value = atomic_long_read((data as io_tlb_mem).used_hiwater);
	return 0;
}

function io_tlb_hiwater_set(data: unknown, val: u64): int {
	// It can only be started anew.
	if (val !== 0) return -EINVAL;
	atomic_long_set((data as io_tlb_mem).used_hiwater, val);
	return 0;
}

const fops_io_tlb_transient_used = DEFINE_DEBUGFS_ATTRIBUTE(io_tlb_transient_used_get, null, '%llu\n');
// debugfs_create_ulong() in C: it wants a pointer to the number.
const fops_io_tlb_nslabs = DEFINE_DEBUGFS_ATTRIBUTE(io_tlb_nslabs_get, null, '%llu\n');
const fops_io_tlb_used = DEFINE_DEBUGFS_ATTRIBUTE(io_tlb_used_get, null, '%llu\n');
const fops_io_tlb_hiwater = DEFINE_DEBUGFS_ATTRIBUTE(io_tlb_hiwater_get, io_tlb_hiwater_set, '%llu\n');

function swiotlb_create_debugfs_files(mem: io_tlb_mem, dirname: string): void {
	mem.debugfs = debugfs_create_dir(dirname, state.io_tlb_default_mem.debugfs) as dentry;
	if (mem.nslabs === 0) return;

	debugfs_create_file('io_tlb_nslabs', 0o400, mem.debugfs, mem, fops_io_tlb_nslabs);
	debugfs_create_file('io_tlb_used', 0o400, mem.debugfs, mem, fops_io_tlb_used);
	debugfs_create_file('io_tlb_used_hiwater', 0o600, mem.debugfs, mem, fops_io_tlb_hiwater);
	if (swiotlb_config.dynamic)
		debugfs_create_file('io_tlb_transient_nslabs', 0o400, mem.debugfs, mem, fops_io_tlb_transient_used);
}

function swiotlb_create_default_debugfs(): int {
	swiotlb_create_debugfs_files(state.io_tlb_default_mem, 'swiotlb');
	return 0;
}
late_initcall(swiotlb_create_default_debugfs);

/**
 * Pages from a device's restricted pool.
 *
 * Return: the first page or null. Linux: kernel/dma/swiotlb.c: swiotlb_alloc()
 */
export function swiotlb_alloc(dev: device, size: size_t): page | null {
	const mem = dev.dma_io_tlb_mem;
	if (mem === null) return null;

	const align_mask = PAGE_SIZE * 2 ** get_order(size) - 1;
	const retpool = new ref<io_tlb_pool | null>(null);
	const index = swiotlb_find_slots(dev, 0, size, align_mask, retpool);
	if (index === -1) return null;

	const pool = retpool.value as io_tlb_pool;
	const tlb_addr = slot_addr(pool.start, index);
	if (!PAGE_ALIGNED(tlb_addr)) {
		dev_WARN_ONCE(dev, true, 'Cannot allocate pages from non page-aligned swiotlb addr 0x%pa.', tlb_addr);
		swiotlb_release_slots(dev, tlb_addr, pool);
		return null;
	}
	return pfn_to_page(tlb_addr / PAGE_SIZE);
}

/** Free pages of swiotlb_alloc(); false when they are none (kernel/dma/swiotlb.c: swiotlb_free()). */
export function swiotlb_free(dev: device, page: page, size: size_t): bool {
	const tlb_addr = page_to_phys(page);
	const pool = swiotlb_find_pool(dev, tlb_addr);
	if (pool === null) return false;
	swiotlb_release_slots(dev, tlb_addr, pool);
	return true;
}

/** The first device makes the pool; all of them bounce everything through it. */
function rmem_swiotlb_device_init(rmem: reserved_mem, dev: device): int {
	let mem = rmem.priv as io_tlb_mem | null;
	// DEVIATION: 6.12 looks for highmem alone, and writes to a region that is no memory.
	if (!memblock_is_region_memory(rmem.base, rmem.size)) {
		dev_err(dev, 'Restricted DMA pool must be accessible within the linear mapping.');
		return -EINVAL;
	}
	if (mem === null) {
		const nslabs = Math.floor(rmem.size / IO_TLB_SIZE);
		mem = kzalloc(io_tlb_mem, GFP_KERNEL);
		if (mem === null) return -ENOMEM;

		const pool = mem.defpool;
		pool.slots =
			nslabs * SIZEOF_IO_TLB_SLOT <= KMALLOC_MAX_SIZE ? kcalloc(nslabs, io_tlb_slot, GFP_KERNEL) : null;
		if (pool.slots === null) {
			kfree(mem);
			return -ENOMEM;
		}
		pool.areas = kcalloc(1, io_tlb_area, GFP_KERNEL);
		if (pool.areas === null) {
			kfree(pool.slots);
			kfree(mem);
			return -ENOMEM;
		}

		const vaddr = phys_to_virt(rmem.base, rmem.size);
		vaddr.fill(0);
		swiotlb_init_io_tlb_pool(pool, rmem.base, vaddr, nslabs, false, 1);
		mem.force_bounce = true;
		mem.for_alloc = true;
		add_mem_pool(mem, pool);
		rmem.priv = mem;
		swiotlb_create_debugfs_files(mem, rmem.name);
	}
	dev.dma_io_tlb_mem = mem;
	return 0;
}

function rmem_swiotlb_device_release(rmem: reserved_mem, dev: device): void {
	dev.dma_io_tlb_mem = state.io_tlb_default_mem;
}

const rmem_swiotlb_ops: reserved_mem_ops = {
	device_init: rmem_swiotlb_device_init,
	device_release: rmem_swiotlb_device_release,
};

function rmem_swiotlb_setup(rmem: reserved_mem): int {
	const node = rmem.fdt_node;
	const wrong = ['reusable', 'linux,cma-default', 'linux,dma-default', 'no-map'];
	for (const name of wrong) {
		if (of_get_flat_dt_prop(node, name, null) !== null) return -EINVAL;
	}
	const err = memblock_make_piece(rmem.base, rmem.size);
	if (err !== 0) return err;
	rmem.ops = rmem_swiotlb_ops;
	pr_info(
		'software IO TLB: Reserved memory: created restricted DMA pool at %pa, size %ld MiB',
		rmem.base,
		Math.floor(rmem.size / 2 ** 20),
	);
	return 0;
}
RESERVEDMEM_OF_DECLARE('dma', 'restricted-dma-pool', rmem_swiotlb_setup);
