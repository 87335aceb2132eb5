// SPDX-License-Identifier: GPL-2.0-only
// Scatterlists from a step's arguments, and as its answer.

import { page_to_phys, pfn_to_page } from '#asm/memory.js';
import { sg_alloc_table, sg_next } from '#lib/scatterlist.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import {
	type scatterlist,
	sg_dma_address,
	sg_dma_len,
	sg_page,
	sg_set_page,
	sg_table,
} from '#linux/scatterlist.js';
import { hex, type ListEntry, parseList } from '../values.js';
import type { Json } from '../vectors.js';

/** The page that holds @phys. */
export const pageAt = (phys: number) => pfn_to_page(Math.floor(phys / 4096));

/** A table over the memory that a list argument names. */
export function makeTable(text: string): { table: sg_table; entries: ListEntry[] } {
	const entries = parseList(text);
	const table = new sg_table();
	sg_alloc_table(table, entries.length, GFP_KERNEL);
	let sg: scatterlist | null = table.sgl;
	for (const e of entries) {
		sg_set_page(sg!, pageAt(e.phys - e.offset), e.length, e.offset);
		sg = sg_next(sg!);
	}
	return { table, entries };
}

/** The first @n entries from @sg on. */
export function entriesOf(sg: scatterlist | null, n = Number.POSITIVE_INFINITY): scatterlist[] {
	const out: scatterlist[] = [];
	for (; sg !== null && out.length < n; sg = sg_next(sg)) out.push(sg);
	return out;
}

/** Each entry as [page, offset, length]. */
export function listJson(sg: scatterlist | null, n?: number): Json {
	return entriesOf(sg, n).map((e) => [hex(page_to_phys(sg_page(e)!)), e.offset, e.length]);
}

/** Each entry's device side as [dma address, dma length]. */
export function segsJson(sg: scatterlist | null, n?: number): [string, number][] {
	return entriesOf(sg, n).map((e) => [hex(sg_dma_address(e)), sg_dma_len(e)]);
}
