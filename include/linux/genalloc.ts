// SPDX-License-Identifier: GPL-2.0-only
// Pools of special memory that is handed out by bitmap.
// Linux 6.12: include/linux/genalloc.h
// Addresses here are typed-array views: a chunk is one view, an allocation a part of it; C has unsigned long.
import { list_head } from '#linux/list.js';
import { spinlock_t } from '#linux/spinlock.js';
import type { int, phys_addr_t, size_t, unsigned_int, unsigned_long, void_ptr } from '#linux/types.js';

/** Find @nr free bits in @map from @start on; @size when there are none. */
export type genpool_algo_t = (
	map: Uint32Array,
	size: unsigned_long,
	start: unsigned_long,
	nr: unsigned_int,
	data: object | null,
	pool: gen_pool,
	start_addr: unsigned_long,
) => unsigned_long;

export class gen_pool {
	lock: spinlock_t = new spinlock_t('pool->lock');
	chunks: list_head<gen_pool_chunk> = new list_head<gen_pool_chunk>();
	min_alloc_order: int = 0;
	algo: genpool_algo_t | null = null;
	data: object | null = null;
	name: string | null = null;
}

export class gen_pool_chunk {
	next_chunk: list_head<gen_pool_chunk> = new list_head<gen_pool_chunk>(this);
	/** Bytes left. */
	avail: size_t = 0;
	phys_addr: phys_addr_t = 0;
	owner: object | null = null;
	/** The chunk's memory (C: start_addr to end_addr). */
	addr: void_ptr = new Uint8Array(0);
	bits: Uint32Array = new Uint32Array(0);
}

export class genpool_data_align {
	align: int = 0;
}
