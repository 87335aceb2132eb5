// SPDX-License-Identifier: GPL-2.0-only
// Chained tables whose arrays come in five sizes.
// Linux 6.12: lib/sg_pool.c
// Left out: the mempools behind the sizes (a reserve of two arrays each); arrays come from kmalloc.

import { __sg_alloc_table, __sg_free_table, sg_init_table } from '#lib/scatterlist.js';
import { BUG_ON } from '#linux/bug.js';
import { GFP_ATOMIC } from '#linux/gfp_types.js';
import { order_base_2 } from '#linux/log2.js';
import { kfree_sg, kmalloc_sg, SG_CHUNK_SIZE, type scatterlist, type sg_table } from '#linux/scatterlist.js';
import type { gfp_t, int, unsigned_int } from '#linux/types.js';

const sg_pools: readonly unsigned_int[] = [8, 16, 32, 64, SG_CHUNK_SIZE];

/** Which pool holds arrays for @nents entries. */
function sg_pool_index(nents: unsigned_int): unsigned_int {
	BUG_ON(nents > SG_CHUNK_SIZE);
	return nents <= 8 ? 0 : order_base_2(nents) - 3;
}

function sg_pool_free(sgl: scatterlist, nents: unsigned_int): void {
	kfree_sg(sgl);
}

function sg_pool_alloc(nents: unsigned_int, gfp_mask: gfp_t): scatterlist | null {
	return kmalloc_sg(sg_pools[sg_pool_index(nents)], gfp_mask);
}

/** Free a chained table; @nents_first_chunk as at its allocation (lib/sg_pool.c: sg_free_table_chained()). */
export function sg_free_table_chained(table: sg_table, nents_first_chunk: unsigned_int): void {
	if (table.orig_nents <= nents_first_chunk) return;
	// An array of one entry was not used.
	const first = nents_first_chunk === 1 ? 0 : nents_first_chunk;
	__sg_free_table(table, SG_CHUNK_SIZE, first, sg_pool_free, table.orig_nents);
}

/**
 * Make a table of @nents entries that begins in the caller's own array, when that has more than one entry
 * or is enough; then table.sgl must be that array.
 *
 * Return: 0 or -ENOMEM. Linux: lib/sg_pool.c: sg_alloc_table_chained()
 */
export function sg_alloc_table_chained(
	table: sg_table,
	nents: int,
	first_chunk: scatterlist | null,
	nents_first_chunk: unsigned_int,
): int {
	const wanted: unsigned_int = nents;
	BUG_ON(wanted === 0);

	if (first_chunk !== null && nents_first_chunk !== 0 && wanted <= nents_first_chunk) {
		table.nents = nents;
		table.orig_nents = nents;
		sg_init_table(table.sgl as scatterlist, nents);
		return 0;
	}

	// One entry could only hold the link.
	const use_first = nents_first_chunk > 1;
	const ret = __sg_alloc_table(
		table,
		nents,
		SG_CHUNK_SIZE,
		use_first ? first_chunk : null,
		use_first ? nents_first_chunk : 0,
		GFP_ATOMIC,
		sg_pool_alloc,
	);
	if (ret !== 0) sg_free_table_chained(table, use_first ? nents_first_chunk : 0);
	return ret;
}
