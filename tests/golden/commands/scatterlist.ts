// SPDX-License-Identifier: GPL-2.0-only
// The scatterlist helpers.
import { page_to_phys, pfn_to_page, phys_to_virt, virt_to_phys } from '#asm/memory.js';
import { dma_map_sg_attrs, dma_unmap_sg_attrs } from '#kernel/dma/mapping.js';
import {
	for_each_sg_page,
	sg_alloc_append_table_from_pages,
	sg_alloc_table,
	sg_alloc_table_from_pages_segment,
	sg_free_append_table,
	sg_free_table,
	sg_last,
	sg_miter_next,
	sg_miter_skip,
	sg_miter_start,
	sg_miter_stop,
	sg_nents,
	sg_nents_for_len,
	sg_page_iter_page,
	sg_pcopy_from_buffer,
	sg_pcopy_to_buffer,
	sg_zero_buffer,
} from '#lib/scatterlist.js';
import { sg_alloc_table_chained, sg_free_table_chained } from '#lib/sg_pool.js';
import { sg_split } from '#lib/sg_split.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import type { page } from '#linux/mm_types.js';
import {
	kfree_sg,
	SG_MITER_FROM_SG,
	type scatterlist,
	sg_append_table,
	sg_array,
	sg_mapping_iter,
	sg_table,
} from '#linux/scatterlist.js';
import { Fnv, hex, type ListEntry, num, patternByte, ret } from '../values.js';
import type { Json } from '../vectors.js';
import type { Command } from './index.js';
import { entriesOf, listJson, makeTable, segsJson } from './lists.js';

/** Pages from "pfn[*count],...". */
function parsePages(text: string): page[] {
	const out: page[] = [];
	for (const part of text.split(',')) {
		const [pfn, count] = part.split('*') as [string, string?];
		for (let i = 0; i < Number(count ?? 1); i++) out.push(pfn_to_page(Number(pfn) + i)!);
	}
	return out;
}

/** Lengths of the stretches of entries that lie next to each other in memory. */
function runs(first: scatterlist | null): number[] {
	const out: number[] = [];
	let last: scatterlist | null = null;
	for (const e of entriesOf(first)) {
		if (last !== null && last.vec === e.vec && last.slot + 1 === e.slot) out[out.length - 1]!++;
		else out.push(1);
		last = e;
	}
	return out;
}

function eachPiece(e: ListEntry, each: (bytes: Uint8Array, done: number) => void): void {
	for (let done = 0; done < e.length; ) {
		const n = Math.min(e.length - done, 4096 - ((e.phys + done) % 4096));
		each(phys_to_virt(e.phys + done, n), done);
		done += n;
	}
}

export const scatterlistCommands: Record<string, Command> = {
	sgfp: (_s, [max, offset, size, text]) => {
		const pages = parsePages(String(text));
		const t = new sg_table();
		const r = sg_alloc_table_from_pages_segment(
			t,
			pages,
			pages.length,
			num(offset),
			num(size),
			num(max),
			GFP_KERNEL,
		);
		if (r < 0) return ret(r);
		const out = { orig_nents: t.orig_nents, nents: t.nents, list: listJson(t.sgl) };
		sg_free_table(t);
		return out;
	},
	sgapp: (_s, [max, text]) => {
		const append = new sg_append_table();
		const out: Json[] = [];
		for (const part of String(text).split(';')) {
			const [left, off, size, list] = part.split('/') as [string, string, string, string];
			const pages = parsePages(list);
			const r = sg_alloc_append_table_from_pages(
				append,
				pages,
				pages.length,
				Number(off),
				Number(size),
				num(max),
				Number(left),
				GFP_KERNEL,
			);
			out.push({
				ret: ret(r),
				orig_nents: append.sgt.orig_nents,
				nents: append.sgt.nents,
				list: listJson(append.sgt.sgl, append.sgt.orig_nents),
			});
		}
		sg_free_append_table(append);
		return out;
	},
	sgtab: (_s, [n]) => {
		const t = new sg_table();
		const r = sg_alloc_table(t, num(n), GFP_KERNEL);
		const out = {
			ret: ret(r),
			nents: t.nents,
			orig_nents: t.orig_nents,
			sg_nents: sg_nents(t.sgl),
			runs: runs(t.sgl),
		};
		sg_free_table(t);
		return out;
	},
	sgchain: (_s, [n, first]) => {
		const own = num(first) > 0 ? sg_array(num(first)) : null;
		const t = new sg_table();
		t.sgl = own;
		const r = sg_alloc_table_chained(t, num(n), own, num(first));
		const out = {
			ret: ret(r),
			nents: t.nents,
			orig_nents: t.orig_nents,
			sg_nents: sg_nents(t.sgl),
			first_is_callers: own !== null && t.sgl === own ? 1 : 0,
			runs: runs(t.sgl),
		};
		sg_free_table_chained(t, num(first));
		return out;
	},
	sgsplit: (s, [skip, sizes, list, d, dir]) => {
		const { table, entries } = makeTable(String(list));
		const wanted = String(sizes).split(',').map(Number);
		const out: { [key: string]: Json } = {};
		const dev = d === undefined ? null : s.device(num(d));
		const mapped = dev === null ? 0 : dma_map_sg_attrs(dev, table.sgl!, entries.length, num(dir), 0);
		const outputs: (scatterlist | null)[] = wanted.map(() => null);
		const outMapped = wanted.map(() => 0);
		const r = sg_split(
			table.sgl!,
			mapped,
			num(skip),
			wanted.length,
			wanted,
			outputs,
			dev ? outMapped : null,
			GFP_KERNEL,
		);
		out['ret'] = ret(r);
		if (dev !== null) {
			out['in_mapped'] = mapped;
			out['in_segs'] = segsJson(table.sgl, mapped);
		}
		if (r === 0)
			out['out'] = outputs.map((o, i) => {
				const one: { [key: string]: Json } = { nents: sg_nents(o), list: listJson(o) };
				if (dev !== null) {
					one['mapped'] = outMapped[i]!;
					one['segs'] = segsJson(o, outMapped[i]);
				}
				return one;
			});
		for (const o of outputs) kfree_sg(o);
		if (dev !== null && mapped > 0) dma_unmap_sg_attrs(dev, table.sgl!, entries.length, num(dir), 0);
		sg_free_table(table);
		return out;
	},
	sgnfl: (_s, [len, list]) => {
		const { table, entries } = makeTable(String(list));
		const out = {
			sg_nents: sg_nents(table.sgl),
			for_len: ret(sg_nents_for_len(table.sgl, num(len))),
			last: listJson(sg_last(table.sgl!, entries.length)),
		};
		sg_free_table(table);
		return out;
	},
	sgcopy: (_s, [op, skip, len, seed, list]) => {
		const { table, entries } = makeTable(String(list));
		for (const [i, e] of entries.entries())
			eachPiece(e, (bytes, done) => {
				for (let j = 0; j < bytes.length; j++) bytes[j] = patternByte(num(seed) + 17 * i, done + j);
			});
		const buffer = new Uint8Array(num(len));
		if (op !== 0) for (let j = 0; j < buffer.length; j++) buffer[j] = patternByte(num(seed) ^ 0x5a, j);
		const copy = op === 0 ? sg_pcopy_to_buffer : sg_pcopy_from_buffer;
		const r =
			op === 2
				? sg_zero_buffer(table.sgl!, entries.length, num(len), num(skip))
				: copy(table.sgl!, entries.length, buffer, num(len), num(skip));
		const sum = new Fnv();
		for (const e of entries) eachPiece(e, (bytes) => sum.add(bytes));
		sg_free_table(table);
		return { ret: r, buffer_fnv: new Fnv().add(buffer).toString(), list_fnv: sum.toString() };
	},
	sgmiter: (_s, [skip, list]) => {
		const { table, entries } = makeTable(String(list));
		const miter = new sg_mapping_iter();
		sg_miter_start(miter, table.sgl!, entries.length, SG_MITER_FROM_SG);
		const skipped = sg_miter_skip(miter, num(skip));
		const steps: Json[] = [];
		while (skipped && sg_miter_next(miter))
			steps.push([hex(page_to_phys(miter.page!)), virt_to_phys(miter.addr!) % 4096, miter.length]);
		sg_miter_stop(miter);
		sg_free_table(table);
		return { skip: skipped ? 1 : 0, steps };
	},
	sgpages: (_s, [pgoffset, list]) => {
		const { table, entries } = makeTable(String(list));
		const out: string[] = [];
		for (const iter of for_each_sg_page(table.sgl!, entries.length, num(pgoffset)))
			out.push(hex(page_to_phys(sg_page_iter_page(iter))));
		sg_free_table(table);
		return out;
	},
};
