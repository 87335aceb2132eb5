// SPDX-License-Identifier: GPL-2.0-only
// The IOVA allocator alone.
import {
	__free_iova,
	alloc_iova,
	alloc_iova_fast,
	find_iova,
	free_iova,
	free_iova_fast,
	init_iova_domain,
	iova_domain_init_rcaches,
	put_iova_domain,
	reserve_iova,
} from '#drivers/iommu/iova.js';
import { rb_first, rb_next } from '#lib/rbtree.js';
import { type iova, iova_domain } from '#linux/iova.js';
import { hex, num, ret } from '../values.js';
import type { Json } from '../vectors.js';
import type { Command } from './index.js';

/** What an allocation left: the object of alloc_iova, or the pfn of alloc_iova_fast. */
interface Allocation {
	readonly object: iova | null;
	readonly pfn: number;
	readonly size: number;
}

const range = (i: iova | null): Json => (i === null ? null : [hex(i.pfn_lo), hex(i.pfn_hi)]);

export const iovaCommands: Record<string, Command> = {
	Vinit: (s, [v, granule, start, rcache]) => {
		const iovad = new iova_domain();
		init_iova_domain(iovad, num(granule), num(start));
		s.keep('V', num(v), iovad);
		return {
			ret: ret(rcache ? iova_domain_init_rcaches(iovad) : 0),
			dma_32bit_pfn: hex(iovad.dma_32bit_pfn),
		};
	},
	Va: (s, [v, o, size, limit, aligned]) => {
		const got = alloc_iova(s.slot<iova_domain>('V', num(v))!, num(size), num(limit), aligned !== 0);
		if (got === null) return 0;
		s.keep('O', num(o), { object: got, pfn: got.pfn_lo, size: num(size) } satisfies Allocation);
		return hex(got.pfn_lo);
	},
	Vaf: (s, [v, o, size, limit, flush]) => {
		const pfn = alloc_iova_fast(s.slot<iova_domain>('V', num(v))!, num(size), num(limit), flush !== 0);
		if (pfn === 0) return 0;
		s.keep('O', num(o), { object: null, pfn, size: num(size) } satisfies Allocation);
		return hex(pfn);
	},
	Vfree: (s, [v, o, how]) => {
		const iovad = s.slot<iova_domain>('V', num(v))!;
		const a = s.slot<Allocation>('O', num(o));
		if (a === undefined) return 'skip';
		if (how === 0) free_iova_fast(iovad, a.pfn, a.size);
		else if (how === 2 && a.object !== null) __free_iova(iovad, a.object);
		else free_iova(iovad, a.pfn);
		s.drop('O', num(o));
		return 1;
	},
	Vfp: (s, [v, pfn]) => {
		free_iova(s.slot<iova_domain>('V', num(v))!, num(pfn));
		return 1;
	},
	Vfind: (s, [v, pfn]) => range(find_iova(s.slot<iova_domain>('V', num(v))!, num(pfn))),
	Vfindo: (s, [v, o, delta]) => {
		const a = s.slot<Allocation>('O', num(o));
		if (a === undefined) return 'skip';
		return range(find_iova(s.slot<iova_domain>('V', num(v))!, a.pfn + num(delta)));
	},
	Vresv: (s, [v, lo, hi]) => range(reserve_iova(s.slot<iova_domain>('V', num(v))!, num(lo), num(hi))),
	Vdump: (s, [v]) => {
		const iovad = s.slot<iova_domain>('V', num(v))!;
		const out: Json[] = [];
		for (let n = rb_first(iovad.rbroot); n !== null; n = rb_next(n))
			if (n.container !== iovad.anchor) out.push(range(n.container));
		return out;
	},
	Vstate: (s, [v]) => ({ max32_alloc_size: hex(s.slot<iova_domain>('V', num(v))!.max32_alloc_size) }),
	Vput: (s, [v]) => {
		put_iova_domain(s.slot<iova_domain>('V', num(v))!);
		return 0;
	},
};
