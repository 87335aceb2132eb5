// SPDX-License-Identifier: GPL-2.0-only
// Pools of small coherent blocks, carved from pages of dma_alloc_coherent().
// Linux 6.12: mm/dmapool.c
// Left out: poisoning of free blocks (DMAPOOL_DEBUG); its checks of a freed address are here.
//
// C keeps the list of free blocks in the blocks themselves; here a block is an object beside its memory.

import { device_create_file, device_remove_file } from '#drivers/base/core.js';
import { devres_add, devres_alloc, devres_free, devres_release } from '#drivers/base/devres.js';
import { sysfs_emit, sysfs_emit_at } from '#fs/sysfs/file.js';
import { dma_alloc_coherent, dma_free_coherent } from '#kernel/dma/mapping.js';
import { ALIGN } from '#linux/align.js';
import { WARN_ON } from '#linux/bug.js';
import { dev_err } from '#linux/dev_printk.js';
import { DEVICE_ATTR_RO, type device, type device_attribute } from '#linux/device.js';
import { __GFP_ZERO, GFP_KERNEL, gfpflags_allow_blocking } from '#linux/gfp.js';
import { boot_data } from '#linux/init.js';
import { might_sleep_if } from '#linux/kernel.js';
import {
	list_add,
	list_del,
	list_empty,
	list_for_each_entry,
	list_for_each_entry_safe,
	list_head,
} from '#linux/list.js';
import { is_power_of_2 } from '#linux/log2.js';
import { PAGE_SIZE } from '#linux/mm.js';
import { DEFINE_MUTEX, mutex_lock, mutex_unlock } from '#linux/mutex.js';
import { kcalloc, kfree, kmalloc, kzalloc } from '#linux/slab.js';
import { spin_lock_irqsave, spin_unlock_irqrestore, spinlock_t } from '#linux/spinlock.js';
import type { sysfs_buf } from '#linux/sysfs.js';
import {
	type dma_addr_t,
	type gfp_t,
	INT_MAX,
	type int,
	ref,
	type size_t,
	type ssize_t,
	type unsigned_int,
	type void_ptr,
} from '#linux/types.js';

/** sizeof(struct dma_block) in C: no block is smaller. */
const SIZEOF_DMA_BLOCK = 16;

class dma_block {
	next_block: dma_block | null = null;
	dma: dma_addr_t = 0;
	vaddr: void_ptr | null = null;
	free = false;
}

/** A piece of coherent memory of dma_pool.allocation bytes. */
class dma_page {
	readonly page_list = new list_head<dma_page>(this);
	vaddr: void_ptr | null = null;
	dma: dma_addr_t = 0;
	blocks: dma_block[] | null = null;
}

/** Small blocks cut from coherent memory (mm/dmapool.c: struct dma_pool). */
export class dma_pool {
	readonly page_list = new list_head<dma_page>();
	readonly lock = new spinlock_t('dma_pool');
	/** The free block that is given out next. */
	next_block: dma_block | null = null;
	nr_blocks: size_t = 0;
	nr_active: size_t = 0;
	nr_pages: size_t = 0;
	dev: device | null = null;
	size: unsigned_int = 0;
	allocation: unsigned_int = 0;
	/** No block crosses a multiple of it. */
	boundary: unsigned_int = 0;
	name = '';
	readonly pools = new list_head<dma_pool>(this);
}

const state = boot_data(() => ({
	/** For the devices' lists of pools. */
	pools_lock: DEFINE_MUTEX('pools_lock'),
	/** For making and removing the sysfs file together with the first and last pool. */
	pools_reg_lock: DEFINE_MUTEX('pools_reg_lock'),
}));

function pools_show(dev: device, attr: device_attribute, buf: sysfs_buf): ssize_t {
	let size = sysfs_emit(buf, 'poolinfo - 0.1\n');
	mutex_lock(state.pools_lock);
	for (const pool of list_for_each_entry(dev.dma_pools as list_head<dma_pool>)) {
		size += sysfs_emit_at(
			buf,
			size,
			'%-16s %4zu %4zu %4u %2zu\n',
			pool.name,
			pool.nr_active,
			pool.nr_blocks,
			pool.size,
			pool.nr_pages,
		);
	}
	mutex_unlock(state.pools_lock);
	return size;
}

const dev_attr_pools = DEVICE_ATTR_RO('pools', pools_show);

function pool_block_pop(pool: dma_pool): dma_block | null {
	const block = pool.next_block;
	if (block !== null) {
		pool.next_block = block.next_block;
		block.next_block = null;
		block.free = false;
		pool.nr_active++;
	}
	return block;
}

function pool_block_push(pool: dma_pool, block: dma_block): void {
	block.next_block = pool.next_block;
	block.free = true;
	pool.next_block = block;
}

/**
 * Make a pool of blocks for @dev.
 * @size: bytes in a block
 * @align: a power of two, or 0
 * @boundary: a power of two that no block crosses, or 0
 *
 * Context: may sleep. Return: the pool, null for impossible parameters or without memory.
 * Linux: mm/dmapool.c: dma_pool_create()
 */
export function dma_pool_create(
	name: string,
	dev: device | null,
	size: size_t,
	align: size_t,
	boundary: size_t,
): dma_pool | null {
	if (dev === null) return null;
	if (align !== 0 && !is_power_of_2(align)) return null;
	if (size === 0 || size > INT_MAX) return null;

	const block_size = ALIGN(Math.max(size, SIZEOF_DMA_BLOCK), align === 0 ? 1 : align);
	const allocation = Math.max(block_size, PAGE_SIZE);
	if (boundary !== 0 && (boundary < block_size || !is_power_of_2(boundary))) return null;

	const pool = kzalloc(dma_pool, GFP_KERNEL);
	if (pool === null) return null;
	pool.name = name.slice(0, 31);
	pool.dev = dev;
	pool.size = block_size;
	pool.boundary = boundary === 0 ? allocation : Math.min(boundary, allocation);
	pool.allocation = allocation;

	mutex_lock(state.pools_reg_lock);
	mutex_lock(state.pools_lock);
	const pools = dev.dma_pools as list_head<dma_pool>;
	const empty = list_empty(pools);
	list_add(pool.pools, pools);
	mutex_unlock(state.pools_lock);

	if (empty && device_create_file(dev, dev_attr_pools) !== 0) {
		mutex_lock(state.pools_lock);
		list_del(pool.pools);
		mutex_unlock(state.pools_lock);
		mutex_unlock(state.pools_reg_lock);
		kfree(pool);
		return null;
	}
	mutex_unlock(state.pools_reg_lock);
	return pool;
}

/** How many blocks a page holds. */
function pool_blocks_per_page(pool: dma_pool): unsigned_int {
	const per_boundary = Math.floor(pool.boundary / pool.size);
	const whole = Math.floor(pool.allocation / pool.boundary);
	const rest = pool.allocation - whole * pool.boundary;
	return whole * per_boundary + Math.floor(rest / pool.size);
}

/** Cut a new page in blocks, which are given out from its start, before all others; the lock is held. */
function pool_initialise_page(pool: dma_pool, page: dma_page): void {
	const blocks = page.blocks as dma_block[];
	const per_boundary = Math.floor(pool.boundary / pool.size);
	for (let i = blocks.length - 1; i >= 0; i--) {
		const block = blocks[i];
		const offset = Math.floor(i / per_boundary) * pool.boundary + (i % per_boundary) * pool.size;
		block.dma = page.dma + offset;
		block.vaddr = (page.vaddr as void_ptr).subarray(offset, offset + pool.size);
		pool_block_push(pool, block);
	}
	pool.nr_blocks += blocks.length;
	list_add(page.page_list, pool.page_list);
	pool.nr_pages++;
}

function pool_alloc_page(pool: dma_pool, mem_flags: gfp_t): dma_page | null {
	const page = kmalloc(dma_page, mem_flags);
	if (page === null) return null;
	page.blocks = kcalloc(pool_blocks_per_page(pool), dma_block, mem_flags);
	if (page.blocks === null) {
		kfree(page);
		return null;
	}

	const dma = new ref<dma_addr_t>(0);
	page.vaddr = dma_alloc_coherent(pool.dev as device, pool.allocation, dma, mem_flags);
	if (page.vaddr === null) {
		kfree(page.blocks);
		kfree(page);
		return null;
	}
	page.dma = dma.value;
	return page;
}

/** Free a pool; memory that is in use is left to its user, with a message (mm/dmapool.c: dma_pool_destroy()). */
export function dma_pool_destroy(pool: dma_pool | null): void {
	if (pool === null) return;
	const dev = pool.dev as device;

	mutex_lock(state.pools_reg_lock);
	mutex_lock(state.pools_lock);
	list_del(pool.pools);
	const empty = list_empty(dev.dma_pools);
	mutex_unlock(state.pools_lock);
	if (empty) device_remove_file(dev, dev_attr_pools);
	mutex_unlock(state.pools_reg_lock);

	const busy = pool.nr_active !== 0;
	if (busy) dev_err(dev, '%s %s busy', 'dma_pool_destroy', pool.name);
	for (const page of list_for_each_entry_safe(pool.page_list)) {
		if (!busy) dma_free_coherent(dev, pool.allocation, page.vaddr, page.dma);
		list_del(page.page_list);
		kfree(page.blocks);
		kfree(page);
	}
	kfree(pool);
}

/**
 * Take a block.
 * @handle: takes its DMA address
 *
 * Context: as @mem_flags allow. Return: the block or null. Linux: mm/dmapool.c: dma_pool_alloc()
 */
export function dma_pool_alloc(pool: dma_pool, mem_flags: gfp_t, handle: ref<dma_addr_t>): void_ptr | null {
	might_sleep_if(gfpflags_allow_blocking(mem_flags));
	let flags = spin_lock_irqsave(pool.lock);
	let block = pool_block_pop(pool);
	if (block === null) {
		// Making a page may sleep.
		spin_unlock_irqrestore(pool.lock, flags);
		const page = pool_alloc_page(pool, mem_flags & ~__GFP_ZERO);
		if (page === null) return null;
		flags = spin_lock_irqsave(pool.lock);
		pool_initialise_page(pool, page);
		block = pool_block_pop(pool) as dma_block;
	}
	spin_unlock_irqrestore(pool.lock, flags);

	const vaddr = block.vaddr as void_ptr;
	handle.value = block.dma;
	if ((mem_flags & __GFP_ZERO) !== 0) vaddr.fill(0);
	return vaddr;
}

/** Take a cleared block (include/linux/dmapool.h: dma_pool_zalloc()). */
export function dma_pool_zalloc(pool: dma_pool, mem_flags: gfp_t, handle: ref<dma_addr_t>): void_ptr | null {
	return dma_pool_alloc(pool, mem_flags | __GFP_ZERO, handle);
}

/** The block at @dma, null when that is none. */
function pool_find_block(pool: dma_pool, dma: dma_addr_t): dma_block | null {
	for (const page of list_for_each_entry(pool.page_list)) {
		const offset = dma - page.dma;
		if (offset < 0 || offset >= pool.allocation) continue;
		const index =
			Math.floor(offset / pool.boundary) * Math.floor(pool.boundary / pool.size) +
			(offset % pool.boundary) / pool.size;
		return (page.blocks as dma_block[])[index] ?? null;
	}
	return null;
}

/** Give a block back; a wrong address is reported and ignored (mm/dmapool.c: dma_pool_free()). */
export function dma_pool_free(pool: dma_pool, vaddr: void_ptr, dma: dma_addr_t): void {
	const flags = spin_lock_irqsave(pool.lock);
	const block = pool_find_block(pool, dma);
	if (block === null) {
		dev_err(pool.dev, '%s %s, %p/%pad (bad dma)', 'dma_pool_free', pool.name, vaddr, dma);
	} else if (block.free) {
		dev_err(pool.dev, '%s %s, dma %pad already free', 'dma_pool_free', pool.name, dma);
	} else {
		pool_block_push(pool, block);
		pool.nr_active--;
	}
	spin_unlock_irqrestore(pool.lock, flags);
}

/** What dmam_pool_create() leaves with the device. */
class dma_pool_devres {
	pool: dma_pool | null = null;
}

function dmam_pool_release(dev: device, res: unknown): void {
	dma_pool_destroy((res as dma_pool_devres).pool);
}

function dmam_pool_match(dev: device, res: unknown, match_data: unknown): int {
	return (res as dma_pool_devres).pool === match_data ? 1 : 0;
}

/** dma_pool_create() that ends with the device's binding (mm/dmapool.c: dmam_pool_create()). */
export function dmam_pool_create(
	name: string,
	dev: device,
	size: size_t,
	align: size_t,
	allocation: size_t,
): dma_pool | null {
	const dr = devres_alloc(dmam_pool_release, dma_pool_devres, GFP_KERNEL);
	if (dr === null) return null;
	dr.pool = dma_pool_create(name, dev, size, align, allocation);
	if (dr.pool !== null) {
		devres_add(dev, dr);
		return dr.pool;
	}
	devres_free(dr);
	return null;
}

/** Free a managed pool early (mm/dmapool.c: dmam_pool_destroy()). */
export function dmam_pool_destroy(pool: dma_pool): void {
	WARN_ON(devres_release(pool.dev as device, dmam_pool_release, dmam_pool_match, pool) !== 0);
}
