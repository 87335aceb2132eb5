// SPDX-License-Identifier: GPL-2.0-only
// dma_pool on a device.

import type { dma_pool } from '#linux/dmapool.js';
import { __GFP_ZERO, GFP_KERNEL } from '#linux/gfp.js';
import { type dma_addr_t, ref } from '#linux/types.js';
import { dma_pool_alloc, dma_pool_create, dma_pool_destroy, dma_pool_free } from '#mm/dmapool.js';
import { hex, num } from '../values.js';
import type { Command } from './index.js';

interface Block {
	readonly vaddr: Uint8Array;
	readonly dma: number;
}

/** Blocks are numbered within their pool. */
const block = (p: number, o: number): number => p * 1_000_000 + o;

export const poolCommands: Record<string, Command> = {
	pc: (s, [p, d, name, size, align, boundary]) => {
		const pool = dma_pool_create(String(name), s.device(num(d)), num(size), num(align), num(boundary));
		if (pool === null) return 0;
		s.keep('P', num(p), pool);
		return 1;
	},
	pa: (s, [p, o, zero]) => {
		const pool = s.slot<dma_pool>('P', num(p));
		if (pool === undefined) return 'skip';
		const handle = new ref<dma_addr_t>(0);
		const vaddr = dma_pool_alloc(pool, GFP_KERNEL | (zero ? __GFP_ZERO : 0), handle);
		if (vaddr === null) return null;
		s.keep('B', block(num(p), num(o)), { vaddr, dma: handle.value } satisfies Block);
		return hex(handle.value);
	},
	pf: (s, [p, o]) => {
		const pool = s.slot<dma_pool>('P', num(p));
		const b = s.slot<Block>('B', block(num(p), num(o)));
		if (pool === undefined || b === undefined) return 'skip';
		dma_pool_free(pool, b.vaddr, b.dma);
		s.drop('B', block(num(p), num(o)));
		return 0;
	},
	pd: (s, [p]) => {
		dma_pool_destroy(s.slot<dma_pool>('P', num(p)) ?? null);
		s.drop('P', num(p));
		return 0;
	},
};
