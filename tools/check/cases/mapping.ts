// SPDX-License-Identifier: GPL-2.0-only
// map and unmap: what they answer, and where addresses lead then.

import { pfn_to_page } from '#asm/memory.js';
import { PAGE_SIZE } from '#asm/page-def.js';
import { iommu_map, iommu_map_sg, iommu_unmap, iommu_unmap_fast } from '#drivers/iommu/iommu.js';
import { sg_init_table } from '#lib/scatterlist.js';
import { EINVAL } from '#linux/errno.js';
import { GFP_ATOMIC, GFP_KERNEL } from '#linux/gfp.js';
import {
	IOMMU_CACHE,
	IOMMU_MMIO,
	IOMMU_NOEXEC,
	IOMMU_PRIV,
	type iommu_domain,
	iommu_iotlb_gather,
	iommu_iotlb_gather_init,
	iommu_iotlb_sync,
} from '#linux/iommu.js';
import { sg_array, sg_at, sg_set_page } from '#linux/scatterlist.js';
import { spin_lock_init, spin_lock_irqsave, spin_unlock_irqrestore, spinlock_t } from '#linux/spinlock.js';
import { BOTH, type Case, LARGE_PAGES } from '../case.js';
import { type Rig, RW } from '../rig.js';

const group = 'mapping';

/** Every page from @first to @last has to lead where @model says. */
function agrees(
	rig: Rig,
	domain: iommu_domain,
	model: ReadonlyMap<number, number>,
	first: number,
	last: number,
): void {
	for (let iova = first; iova <= last; iova += rig.page) rig.leads(domain, iova, model.get(iova) ?? -1);
}

/** The border between two of the last tables, with room on both sides. */
const border = (rig: Rig): number => 4 * rig.description.tableCovers;

/** Map, look and unmap each range that begins and ends within @reach pages of the border. */
function everyRange(rig: Rig, reach: number, unit: number): void {
	const domain = rig.attached();
	const at = border(rig);
	for (let first = -reach; first < reach; first++)
		for (let last = first; last < reach; last++) {
			const iova = at + first * unit;
			const size = (last - first + 1) * unit;
			rig.map(domain, iova, rig.memory + first * unit + reach * unit, size);
			const leads = (page: number): number =>
				page < first || page > last ? -1 : rig.memory + (page + reach) * unit;
			for (const page of [first - 1, first, last, last + 1]) rig.leads(domain, at + page * unit, leads(page));
			rig.leads(domain, iova + size - 1, rig.memory + (last + reach + 1) * unit - 1);
			rig.unmap(domain, iova, size);
			for (const page of [first, last]) rig.leads(domain, at + page * unit, -1);
		}
}

/** Random calls, held against a plain map; @looks: masters look here and there as well. */
function randomCalls(rig: Rig, calls: number): void {
	const { page } = rig;
	const domain = rig.attached();
	const base = border(rig) - 24 * page;
	const PAGES = 48;
	const model = new Map<number, number>();
	for (let call = 0; call < calls; call++) {
		const first = rig.pick(PAGES);
		const count = 1 + rig.pick(Math.min(12, PAGES - first));
		const iova = base + first * page;
		const pages = Array.from({ length: count }, (_x, i) => iova + i * page);
		if (rig.random() < 0.5) {
			const phys = rig.memory + rig.pick(4096) * page;
			const free = pages.every((at) => !model.has(at));
			const ret = iommu_map(domain, iova, phys, count * page, RW, GFP_KERNEL);
			rig.equal(`iommu_map() of ${count} pages`, ret, free ? 0 : rig.description.mappedAlready);
			if (free) for (const [i, at] of pages.entries()) model.set(at, phys + i * page);
		} else {
			const hole = pages.findIndex((at) => !model.has(at));
			const gone = hole < 0 ? count : hole;
			rig.unmap(domain, iova, count * page, gone * page);
			for (const at of pages.slice(0, gone)) model.delete(at);
		}
		agrees(rig, domain, model, iova - page, iova + count * page);
		const look = base + rig.pick(PAGES) * page;
		rig.access(rig.description.oneGroup ? rig.pick(rig.count) : 0, look, rig.random() < 0.5, model.has(look));
	}
	agrees(rig, domain, model, base, base + (PAGES - 1) * page);
	for (const at of model.keys()) rig.unmap(domain, at);
}

export const mapping: readonly Case[] = [
	{
		group,
		says: 'a page that is mapped leads to its memory, for the driver and for the walker',
		blames: 'driver',
		everyBoard: true,
		shares: true,
		run(rig) {
			const domain = rig.attached();
			for (const size of rig.description.pageSizes) {
				rig.leads(domain, 4 * size, -1);
				rig.map(domain, 4 * size, rig.memory, size);
				rig.leads(domain, 4 * size, rig.memory);
				rig.leads(domain, 5 * size - 1, rig.memory + size - 1);
				rig.leads(domain, 5 * size, -1);
				rig.access(0, 4 * size, true, true);
				rig.access(0, 5 * size - 4, false, true);
				rig.unmap(domain, 4 * size, size);
				rig.leads(domain, 4 * size, -1);
				rig.access(0, 4 * size, false, false);
			}
		},
	},
	{
		group,
		says: 'ranges that begin and end anywhere around a border of tables are mapped and unmapped to the page',
		blames: 'driver',
		shares: true,
		run: (rig) => everyRange(rig, 5, rig.page),
	},
	{
		group,
		says: 'ranges of large pages that begin and end anywhere are mapped and unmapped to the page',
		blames: 'driver',
		needs: [LARGE_PAGES],
		run(rig) {
			for (const size of rig.description.pageSizes.slice(1)) everyRange(rig.again(), 2, size);
		},
	},
	{
		group,
		says: 'a range with a large page in its middle leads right in all its parts, however memory lies to it',
		blames: 'driver',
		needs: [LARGE_PAGES],
		shares: true,
		run(rig) {
			const { page } = rig;
			const large = rig.description.pageSizes.at(-1)!;
			const domain = rig.attached();
			for (const [before, after, skew] of [
				[0, 0, 0],
				[1, 0, 0],
				[0, 1, 0],
				[3, 2, 0],
				[0, 0, 1],
				[1, 1, 1],
			]) {
				const iova = 3 * large - before * page;
				const size = large + (before + after) * page;
				const phys = rig.memory + large - before * page + skew * page;
				rig.map(domain, iova, phys, size);
				for (const at of [0, before * page, large / 2, size - large, size - page, size - 1])
					rig.leads(domain, iova + at, phys + at);
				for (const at of [-1, size]) rig.leads(domain, iova + at, -1);
				rig.access(0, iova + size - 4, true, true);
				rig.unmap(domain, iova, size);
				for (const at of [0, before * page, size - page]) rig.leads(domain, iova + at, -1);
				rig.access(0, iova, false, false);
			}
		},
	},
	{
		group,
		says: 'a part of a large page is unmapped alone, or stays: what iommu_unmap() answers is what is gone',
		blames: 'driver',
		needs: [LARGE_PAGES],
		shares: true,
		run(rig) {
			const large = rig.description.pageSizes.at(-1)!;
			for (const at of [0, 1, large / rig.page - 1]) {
				const domain = rig.attached();
				rig.map(domain, 2 * large, rig.memory, large);
				rig.access(0, 2 * large + at * rig.page, false, true);
				const gone = iommu_unmap(domain, 2 * large + at * rig.page, rig.page) as number;
				for (let page = 0; page < large / rig.page; page += 1 + rig.pick(40)) {
					const out = gone === large || (gone > 0 && page >= at && page < at + gone / rig.page);
					rig.leads(domain, 2 * large + page * rig.page, out ? -1 : rig.memory + page * rig.page);
				}
				rig.access(0, 2 * large + at * rig.page, false, gone === 0);
				rig.detachAndFree(domain);
			}
		},
	},
	{
		group,
		says: 'a large range that small pages made is unmapped at once',
		blames: 'driver',
		needs: [LARGE_PAGES],
		shares: true,
		run(rig) {
			const large = rig.description.pageSizes.at(-1)!;
			const domain = rig.attached();
			for (let at = 0; at < large; at += rig.page) rig.map(domain, large + at, rig.memory + 2 * large - at);
			rig.access(0, large, false, true);
			rig.unmap(domain, large, large);
			for (let at = 0; at < large; at += 7 * rig.page) rig.leads(domain, large + at, -1);
			// Its table is empty now: a large page may stand there.
			rig.map(domain, large, rig.memory, large);
			rig.leads(domain, 2 * large - rig.page, rig.memory + large - rig.page);
			rig.access(0, large, true, true);
			rig.access(0, 2 * large - 4, true, true);
			rig.unmap(domain, large, large);
		},
	},
	{
		group,
		says: 'the first and the last pages of the address space are mapped, unmapped and used like others',
		blames: 'driver',
		shares: true,
		run(rig) {
			const domain = rig.attached();
			const end = 2 ** rig.description.addressBits;
			for (const size of rig.description.pageSizes) {
				rig.map(domain, 0, rig.memory, 2 * size);
				rig.map(domain, end - 2 * size, rig.memory + 4 * size, 2 * size);
				rig.leads(domain, size, rig.memory + size);
				rig.leads(domain, end - 1, rig.memory + 6 * size - 1);
				rig.access(0, 0, true, true);
				rig.access(0, end - 4, true, true);
				rig.unmap(domain, 0, 2 * size);
				rig.unmap(domain, end - 2 * size, 2 * size);
				for (const at of [0, 2 * size - 4, end - 2 * size, end - 4]) {
					rig.leads(domain, at, -1);
					rig.access(0, at, false, false);
				}
			}
		},
	},
	{
		group,
		says: 'unmapping stops at the first hole, and leaves what is behind it',
		blames: 'driver',
		shares: true,
		run(rig) {
			const { page } = rig;
			const domain = rig.attached();
			for (const at of [border(rig), border(rig) - 2 * page, border(rig) - 3 * page]) {
				rig.map(domain, at, rig.memory, 2 * page);
				rig.map(domain, at + 3 * page, rig.memory + 3 * page, 2 * page);
				for (const i of [0, 1, 3, 4]) rig.access(0, at + i * page, false, true);
				rig.unmap(domain, at + 2 * page, 3 * page, 0);
				rig.unmap(domain, at, 5 * page, 2 * page);
				for (const i of [0, 1, 2]) rig.access(0, at + i * page, false, false);
				for (const i of [3, 4]) {
					rig.leads(domain, at + i * page, rig.memory + i * page);
					rig.access(0, at + i * page, true, true);
				}
				rig.unmap(domain, at + 3 * page, 2 * page);
				rig.unmap(domain, at, 5 * page, 0);
			}
			// Where there is no table at all.
			rig.unmap(domain, border(rig) + 9 * rig.description.tableCovers, 3 * page, 0);
		},
	},
	{
		group,
		says: 'nothing is mapped over what is mapped: that stays, and what was new is undone',
		blames: 'driver',
		shares: true,
		run(rig) {
			const { page, description } = rig;
			const domain = rig.attached();
			const at = border(rig) - 2 * page;
			rig.map(domain, at + 2 * page, rig.memory, 2 * page);
			for (let i = -1; i < 6; i++) rig.tries(0, at + i * page);
			for (const [first, count] of [
				[2, 1],
				[3, 1],
				[1, 2],
				[0, 3],
				[0, 6],
				[3, 2],
				[2, 2],
			]) {
				const ret = iommu_map(
					domain,
					at + first * page,
					rig.memory + 16 * page,
					count * page,
					RW,
					GFP_KERNEL,
				);
				rig.equal(
					`iommu_map() over a mapped page, ${count} pages from ${first}`,
					ret,
					description.mappedAlready,
				);
				for (let i = -1; i < 6; i++) {
					const mapped = i === 2 || i === 3;
					rig.leads(domain, at + i * page, mapped ? rig.memory + (i - 2) * page : -1);
					rig.access(0, at + i * page, true, mapped);
				}
			}
			rig.unmap(domain, at + 2 * page, 2 * page);
		},
	},
	{
		group,
		says: 'a large page is not put over small ones, nor small ones into it',
		blames: 'driver',
		needs: [LARGE_PAGES],
		shares: true,
		run(rig) {
			const { page, description } = rig;
			const large = description.pageSizes.at(-1)!;
			const domain = rig.attached();
			for (const used of [0, 1, large / page - 1]) {
				rig.map(domain, large + used * page, rig.memory);
				rig.access(0, large + used * page, false, true);
				const ret = iommu_map(domain, large, rig.memory + large, large, RW, GFP_KERNEL);
				rig.equal('iommu_map() of a large page over a small one', ret, description.mappedAlready);
				rig.access(0, large + used * page, true, true);
				rig.unmap(domain, large + used * page);
				rig.map(domain, large, rig.memory + large, large);
				const small = iommu_map(domain, large + used * page, rig.memory, page, RW, GFP_KERNEL);
				rig.equal('iommu_map() of a small page into a large one', small, description.mappedAlready);
				rig.leads(domain, large + used * page, rig.memory + large + used * page);
				rig.access(0, large + used * page, true, true);
				rig.unmap(domain, large, large);
			}
		},
	},
	{
		group,
		says: 'no bytes are nothing: neither mapped nor unmapped, and neighbours stay',
		blames: 'driver',
		shares: true,
		run(rig) {
			const domain = rig.attached();
			rig.map(domain, 0, rig.memory);
			rig.access(0, 0, false, true);
			for (const iova of [0, rig.page, border(rig)]) {
				rig.map(domain, iova, rig.memory + 8 * rig.page, 0);
				rig.unmap(domain, iova, 0);
				rig.leads(domain, iova, iova === 0 ? rig.memory : -1);
			}
			rig.access(0, 0, false, true);
			rig.unmap(domain, 0);
		},
	},
	{
		group,
		says: 'addresses and sizes that are no multiples of the smallest page are refused',
		blames: 'core',
		shares: true,
		run(rig) {
			const { page } = rig;
			const domain = rig.attached();
			const part = page / 4;
			for (const [iova, phys, size] of [
				[part, rig.memory, page],
				[page, rig.memory + part, page],
				[page, rig.memory, page + part],
				[page, rig.memory, part],
			]) {
				rig.equal('iommu_map(), unaligned', iommu_map(domain, iova, phys, size, RW, GFP_KERNEL), -EINVAL);
				rig.leads(domain, page, -1);
			}
			rig.map(domain, page, rig.memory);
			rig.unmap(domain, page + part, page, 0);
			rig.unmap(domain, page, page + part, 0);
			rig.leads(domain, page, rig.memory);
			rig.unmap(domain, page);
		},
	},
	{
		group,
		says: 'memory that no table word can name is refused, alone and at the end of a range, and nothing stays',
		blames: 'driver',
		everyBoard: true,
		shares: true,
		run(rig) {
			const { page, description } = rig;
			const domain = rig.attached();
			const end = 2 ** description.outputBits;
			for (const [phys, count] of [
				[end, 1],
				[2 * end, 1],
				[end + rig.memory, 1],
				[end - page, 2],
				[end - 3 * page, 5],
			]) {
				const ret = iommu_map(domain, border(rig), phys, count * page, RW, GFP_KERNEL);
				rig.equal(`iommu_map() of memory at 0x${phys.toString(16)}`, ret, description.beyondOutput);
				for (let i = 0; i < count; i++) rig.leads(domain, border(rig) + i * page, -1);
			}
			rig.map(domain, border(rig), end - page);
			rig.leads(domain, border(rig), end - page);
			rig.unmap(domain, border(rig));
		},
	},
	{
		group,
		says: 'a domain that is attached nowhere is mapped and unmapped, and complete when it is attached',
		blames: 'driver',
		everyBoard: true,
		shares: true,
		run(rig) {
			const { page } = rig;
			const covers = rig.description.tableCovers;
			const domain = rig.domain();
			for (let i = 0; i < 4; i++) rig.map(domain, i * covers + page, rig.memory + i * page);
			rig.unmap(domain, covers + page);
			rig.equal('iommu_iova_to_phys()', rig.asked(domain, page + 3), rig.memory + 3);
			rig.equal('iommu_attach_group()', rig.attach(domain), 0);
			for (let i = 0; i < 4; i++) {
				rig.leads(domain, i * covers + page, i === 1 ? -1 : rig.memory + i * page);
				rig.access(0, i * covers + page, true, i !== 1);
			}
			rig.detach(domain);
			rig.map(domain, covers + page, rig.memory + page);
			rig.map(domain, 9 * covers, rig.memory + 9 * page);
			rig.unmap(domain, page);
			rig.equal('iommu_attach_group() again', rig.attach(domain), 0);
			for (const [iova, phys] of [
				[page, -1],
				[covers + page, rig.memory + page],
				[2 * covers + page, rig.memory + 2 * page],
				[9 * covers, rig.memory + 9 * page],
			]) {
				rig.leads(domain, iova, phys);
				rig.access(0, iova, false, phys !== -1);
			}
		},
	},
	{
		group,
		says: 'iommu_map() with GFP_ATOMIC and iommu_unmap() work with a spinlock held',
		blames: 'driver',
		shares: true,
		run(rig) {
			const domain = rig.attached();
			const lock = new spinlock_t('check');
			spin_lock_init(lock);
			for (const iova of [border(rig) - rig.page, 7 * rig.description.tableCovers]) {
				const flags = spin_lock_irqsave(lock);
				const ret = iommu_map(domain, iova, rig.memory, 2 * rig.page, RW, GFP_ATOMIC);
				rig.equal('iommu_map() with GFP_ATOMIC', ret, 0);
				rig.leads(domain, iova + rig.page, rig.memory + rig.page);
				rig.unmap(domain, iova, 2 * rig.page);
				spin_unlock_irqrestore(lock, flags);
			}
		},
	},
	{
		group,
		says: 'flags that the hardware has nothing for change no right and no address',
		blames: 'driver',
		shares: true,
		run(rig) {
			const domain = rig.attached();
			for (const flag of [IOMMU_CACHE, IOMMU_MMIO, IOMMU_NOEXEC, IOMMU_PRIV]) {
				rig.map(domain, border(rig), rig.memory, 2 * rig.page, RW | flag);
				rig.leads(domain, border(rig) + rig.page, rig.memory + rig.page);
				rig.access(0, border(rig), true, true);
				rig.access(0, border(rig), false, true);
				rig.unmap(domain, border(rig), 2 * rig.page);
			}
		},
	},
	{
		group,
		says: 'a list of pieces is mapped in one row, pieces that follow each other as one; a piece that fails undoes all',
		blames: 'core',
		shares: true,
		run(rig) {
			const domain = rig.attached();
			const at = border(rig) - 2 * PAGE_SIZE;
			// In pages from rig.memory on: the second goes on where the first ends.
			const pieces = [
				[4, 1],
				[5, 2],
				[20, 1],
				[11, 3],
				[14, 1],
			];
			const sgl = sg_array(pieces.length);
			sg_init_table(sgl, pieces.length);
			const pfn = rig.memory / PAGE_SIZE;
			for (const [i, [page, count]] of pieces.entries())
				sg_set_page(sg_at(sgl, i), pfn_to_page(pfn + page), count * PAGE_SIZE, 0);
			const pages = pieces.flatMap(([page, count]) => Array.from({ length: count }, (_x, i) => page + i));
			const size = pages.length * PAGE_SIZE;
			for (let i = 0; i < pages.length; i++) rig.tries(0, at + i * PAGE_SIZE);
			rig.equal('iommu_map_sg()', iommu_map_sg(domain, at, sgl, pieces.length, RW, GFP_KERNEL), size);
			for (const [i, page] of pages.entries()) {
				rig.leads(domain, at + i * PAGE_SIZE, rig.memory + page * PAGE_SIZE);
				rig.access(0, at + i * PAGE_SIZE, true, true);
			}
			rig.unmap(domain, at, size);
			rig.map(domain, at + size - PAGE_SIZE, rig.memory + 64 * PAGE_SIZE, PAGE_SIZE);
			const ret = iommu_map_sg(domain, at, sgl, pieces.length, RW, GFP_KERNEL);
			rig.equal('iommu_map_sg() whose last page is taken', ret, rig.description.mappedAlready);
			for (let i = 0; i < pages.length - 1; i++) {
				rig.leads(domain, at + i * PAGE_SIZE, -1);
				rig.access(0, at + i * PAGE_SIZE, false, false);
			}
			rig.access(0, at + size - PAGE_SIZE, false, true);
			rig.unmap(domain, at + size - PAGE_SIZE, PAGE_SIZE);
		},
	},
	{
		group,
		says: 'iommu_unmap_fast() of several ranges, and one iommu_iotlb_sync(): nothing of them is cached then',
		blames: 'driver',
		shares: true,
		run(rig) {
			const { page } = rig;
			const domain = rig.attached();
			const at = border(rig) - 4 * page;
			for (const order of [
				[0, 1, 2],
				[2, 1, 0],
				[0, 6, 3],
				[5, 0, 7],
			]) {
				rig.map(domain, at, rig.memory, 8 * page);
				for (let i = 0; i < 8; i++) rig.access(0, at + i * page, false, true);
				const gather = new iommu_iotlb_gather();
				iommu_iotlb_gather_init(gather);
				for (const i of order)
					rig.equal(
						'iommu_unmap_fast()',
						iommu_unmap_fast(domain, at + i * page, page, gather) as number,
						page,
					);
				iommu_iotlb_sync(domain, gather);
				rig.clean('iommu_iotlb_sync()');
				for (let i = 0; i < 8; i++) rig.access(0, at + i * page, false, !order.includes(i));
				for (let i = 0; i < 8; i++) if (!order.includes(i)) rig.unmap(domain, at + i * page);
			}
		},
	},
	{
		group,
		says: 'any calls leave what a plain map of pages would hold',
		blames: 'driver',
		policies: BOTH,
		shares: true,
		run: (rig) => randomCalls(rig, 60),
	},
];
