// SPDX-License-Identifier: GPL-2.0-only
// Pools of special memory, handed out by bitmap; addresses are views.
// Linux 6.12: lib/genalloc.c
// Left out: devm_gen_pool_create(), of_gen_pool_get() and named pools, gen_pool_dma_*() with an owner,
// gen_pool_fixed_alloc() and gen_pool_best_fit().
import {
	bitmap_clear,
	bitmap_find_next_zero_area,
	bitmap_find_next_zero_area_off,
	bitmap_free,
	bitmap_set,
	bitmap_zalloc,
	find_first_bit,
} from '#linux/bitmap.js';
import { BUG, BUG_ON } from '#linux/bug.js';
import { ENOMEM } from '#linux/errno.js';
import { gen_pool, gen_pool_chunk, type genpool_algo_t, type genpool_data_align } from '#linux/genalloc.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { list_add, list_del, list_for_each_entry, list_for_each_entry_safe } from '#linux/list.js';
import { roundup_pow_of_two } from '#linux/log2.js';
import { kfree, kzalloc } from '#linux/slab.js';
import { spin_lock_irqsave, spin_unlock_irqrestore } from '#linux/spinlock.js';
import type { bool, int, phys_addr_t, size_t, unsigned_int, unsigned_long, void_ptr } from '#linux/types.js';

/** A pool whose smallest piece is 2^@min_alloc_order bytes, with no memory yet (lib/genalloc.c: gen_pool_create()). */
export function gen_pool_create(min_alloc_order: int, _nid: int): gen_pool | null {
	const pool = kzalloc(gen_pool, GFP_KERNEL);
	if (pool === null) return null;
	pool.min_alloc_order = min_alloc_order;
	pool.algo = gen_pool_first_fit;
	return pool;
}

/** Add memory: @virt, that is at @phys (lib/genalloc.c: gen_pool_add_owner()). */
export function gen_pool_add_owner(
	pool: gen_pool,
	virt: void_ptr,
	phys: phys_addr_t,
	size: size_t,
	_nid: int,
	owner: object | null,
): int {
	const chunk = kzalloc(gen_pool_chunk, GFP_KERNEL);
	if (chunk === null) return -ENOMEM;
	const bits = bitmap_zalloc(Math.floor(size / 2 ** pool.min_alloc_order), GFP_KERNEL);
	if (bits === null) {
		kfree(chunk);
		return -ENOMEM;
	}
	chunk.bits = bits;
	chunk.phys_addr = phys;
	chunk.addr = virt.subarray(0, size);
	chunk.owner = owner;
	chunk.avail = size;
	const flags = spin_lock_irqsave(pool.lock);
	list_add(chunk.next_chunk, pool.chunks);
	spin_unlock_irqrestore(pool.lock, flags);
	return 0;
}

/** gen_pool_add_owner() without an owner (include/linux/genalloc.h: gen_pool_add_virt()). */
export function gen_pool_add_virt(
	pool: gen_pool,
	addr: void_ptr,
	phys: phys_addr_t,
	size: size_t,
	nid: int,
): int {
	return gen_pool_add_owner(pool, addr, phys, size, nid, null);
}

/** Whether @addr..@addr+@size is a part of @chunk. */
function chunk_has(chunk: gen_pool_chunk, addr: void_ptr, size: size_t): bool {
	const at = addr.byteOffset - chunk.addr.byteOffset;
	return addr.buffer === chunk.addr.buffer && at >= 0 && at + size <= chunk.addr.length;
}

/** The physical address of a pool address; -1 when it is none (lib/genalloc.c: gen_pool_virt_to_phys()). */
export function gen_pool_virt_to_phys(pool: gen_pool, addr: void_ptr): phys_addr_t {
	for (const chunk of list_for_each_entry(pool.chunks)) {
		if (chunk_has(chunk, addr, 1)) return chunk.phys_addr + (addr.byteOffset - chunk.addr.byteOffset);
	}
	return -1;
}

/** Free a pool that nobody has memory of (lib/genalloc.c: gen_pool_destroy()). */
export function gen_pool_destroy(pool: gen_pool): void {
	for (const chunk of list_for_each_entry_safe(pool.chunks)) {
		list_del(chunk.next_chunk);
		const end_bit = Math.floor(chunk.addr.length / 2 ** pool.min_alloc_order);
		BUG_ON(find_first_bit(chunk.bits, end_bit) < end_bit);
		bitmap_free(chunk.bits);
		kfree(chunk);
	}
	kfree(pool);
}

/** Take @size bytes where @algo says (lib/genalloc.c: gen_pool_alloc_algo_owner()); null when there is no room. */
export function gen_pool_alloc_algo(
	pool: gen_pool,
	size: size_t,
	algo: genpool_algo_t,
	data: object | null,
): void_ptr | null {
	if (size === 0) return null;
	const unit = 2 ** pool.min_alloc_order;
	const nbits = Math.ceil(size / unit);
	const flags = spin_lock_irqsave(pool.lock);
	let addr: void_ptr | null = null;
	for (const chunk of list_for_each_entry(pool.chunks)) {
		if (size > chunk.avail) continue;
		const end_bit = Math.floor(chunk.addr.length / unit);
		const start_bit = algo(chunk.bits, end_bit, 0, nbits, data, pool, chunk.phys_addr);
		if (start_bit >= end_bit) continue;
		bitmap_set(chunk.bits, start_bit, nbits);
		chunk.avail -= nbits * unit;
		addr = chunk.addr.subarray(start_bit * unit, start_bit * unit + size);
		break;
	}
	spin_unlock_irqrestore(pool.lock, flags);
	return addr;
}

/** Take @size bytes (include/linux/genalloc.h: gen_pool_alloc()). */
export function gen_pool_alloc(pool: gen_pool, size: size_t): void_ptr | null {
	return gen_pool_alloc_algo(pool, size, pool.algo ?? gen_pool_first_fit, pool.data);
}

/** Give bytes back; an address that is not the pool's is a BUG (lib/genalloc.c: gen_pool_free_owner()). */
export function gen_pool_free(pool: gen_pool, addr: void_ptr, size: size_t): void {
	const unit = 2 ** pool.min_alloc_order;
	const nbits = Math.ceil(size / unit);
	for (const chunk of list_for_each_entry(pool.chunks)) {
		if (!chunk_has(chunk, addr, 1)) continue;
		BUG_ON(!chunk_has(chunk, addr, size));
		const flags = spin_lock_irqsave(pool.lock);
		const start_bit = Math.floor((addr.byteOffset - chunk.addr.byteOffset) / unit);
		for (let i = 0; i < nbits; i++) {
			BUG_ON((chunk.bits[(start_bit + i) >>> 5] & (1 << ((start_bit + i) & 31))) === 0);
		}
		bitmap_clear(chunk.bits, start_bit, nbits);
		chunk.avail += nbits * unit;
		spin_unlock_irqrestore(pool.lock, flags);
		return;
	}
	BUG();
}

/** Whether all of the range is the pool's (include/linux/genalloc.h: gen_pool_has_addr()). */
export function gen_pool_has_addr(pool: gen_pool, start: void_ptr, size: size_t): bool {
	for (const chunk of list_for_each_entry(pool.chunks)) if (chunk_has(chunk, start, size)) return true;
	return false;
}

/** Bytes that are free. */
export function gen_pool_avail(pool: gen_pool): size_t {
	let avail = 0;
	for (const chunk of list_for_each_entry(pool.chunks)) avail += chunk.avail;
	return avail;
}

/** Bytes, free or not. */
export function gen_pool_size(pool: gen_pool): size_t {
	let size = 0;
	for (const chunk of list_for_each_entry(pool.chunks)) size += chunk.addr.length;
	return size;
}

/** How holes are chosen from now on; null: gen_pool_first_fit() (include/linux/genalloc.h: gen_pool_set_algo()). */
export function gen_pool_set_algo(pool: gen_pool, algo: genpool_algo_t | null, data: object | null): void {
	pool.algo = algo ?? gen_pool_first_fit;
	pool.data = data;
}

/** The first hole that is large enough. */
export function gen_pool_first_fit(
	map: Uint32Array,
	size: unsigned_long,
	start: unsigned_long,
	nr: unsigned_int,
): unsigned_long {
	return bitmap_find_next_zero_area(map, size, start, nr, 0);
}

/** The first hole whose address is a multiple of genpool_data_align's bytes, a power of two. */
export function gen_pool_first_fit_align(
	map: Uint32Array,
	size: unsigned_long,
	start: unsigned_long,
	nr: unsigned_int,
	data: object | null,
	pool: gen_pool,
	start_addr: unsigned_long,
): unsigned_long {
	const { align } = data as genpool_data_align;
	const unit = 2 ** pool.min_alloc_order;
	const align_mask = Math.ceil(align / unit) - 1;
	// The chunk itself may begin anywhere.
	const align_off = Math.floor((start_addr % align) / unit);
	return bitmap_find_next_zero_area_off(map, size, start, nr, align_mask, align_off);
}

/** The first hole at a multiple of the size, rounded up to a power of two. */
export function gen_pool_first_fit_order_align(
	map: Uint32Array,
	size: unsigned_long,
	start: unsigned_long,
	nr: unsigned_int,
): unsigned_long {
	return bitmap_find_next_zero_area(map, size, start, nr, roundup_pow_of_two(nr) - 1);
}
