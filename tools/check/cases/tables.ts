// SPDX-License-Identifier: GPL-2.0-only
// The table format: what the driver writes, read by the model's description of the words, at every index and address bit.

import { NO_PASID, READ, WRITE } from '#hw/iommu/iommu.js';
import { IOMMU_READ, IOMMU_WRITE, type iommu_domain } from '#linux/iommu.js';
import { type Case, LARGE_PAGES } from '../case.js';
import type { Rig } from '../rig.js';

const group = 'tables';

/** Pages that nobody asked for below 4 GiB come from above. */
const MUCH = 2 ** 30;

/** Powers of two from @first up to, and without, @end. */
function powers(first: number, end: number): number[] {
	const out: number[] = [];
	for (let n = first; n < end; n *= 2) out.push(n);
	return out;
}

/** Map all of @pages, look at each, unmap them one by one, the others staying. */
function together(rig: Rig, domain: iommu_domain, pages: ReadonlyMap<number, number>, size: number): void {
	for (const [iova, phys] of pages) rig.map(domain, iova, phys, size);
	for (const [iova, phys] of pages)
		for (const at of [0, size / 2, size - 1]) rig.leads(domain, iova + at, phys + at);
	const end = 2 ** rig.description.addressBits;
	for (const [iova] of pages)
		if (!pages.has(iova + size) && iova + size < end) rig.leads(domain, iova + size, -1);
	const left = new Map(pages);
	for (const iova of pages.keys()) {
		rig.unmap(domain, iova, size);
		left.delete(iova);
		rig.leads(domain, iova, -1);
		const [next] = left;
		if (next !== undefined) rig.leads(domain, next[0], next[1]);
	}
}

export const tables: readonly Case[] = [
	{
		group,
		says: 'every bit of an address chooses a word of its own',
		blames: 'driver',
		everyBoard: true,
		shares: true,
		run(rig) {
			const end = 2 ** rig.description.addressBits;
			for (const size of rig.description.pageSizes) {
				const iovas = [0, ...powers(size, end), end - size, end / 2 - size, 3 * size];
				const pages = new Map([...new Set(iovas)].map((iova, i) => [iova, rig.memory + i * size]));
				const domain = rig.attached();
				together(rig, domain, pages, size);
				rig.detachAndFree(domain);
			}
		},
	},
	{
		group,
		says: 'every bit of a physical address is kept',
		blames: 'driver',
		everyBoard: true,
		shares: true,
		run(rig) {
			const end = 2 ** rig.description.outputBits;
			for (const size of rig.description.pageSizes) {
				const physes = [...powers(size, end), end - size, rig.memory];
				const pages = new Map(physes.map((phys, i) => [(i + 1) * size, phys]));
				const domain = rig.attached();
				together(rig, domain, pages, size);
				rig.detachAndFree(domain);
			}
		},
	},
	{
		group,
		says: 'tables lie where the walker comes, also when most of the memory is above 4 GiB',
		blames: 'driver',
		everyBoard: true,
		machine: { highMemory: MUCH },
		run(rig) {
			const covers = rig.description.tableCovers;
			const domain = rig.attached();
			for (let i = 1; i < 8; i++) rig.map(domain, i * covers, rig.memory + i * rig.page);
			for (let i = 1; i < 8; i++) {
				rig.leads(domain, i * covers, rig.memory + i * rig.page);
				rig.access(0, i * covers, true, true);
			}
			for (let i = 1; i < 8; i++) rig.unmap(domain, i * covers);
			rig.detachAndFree(domain);
		},
	},
	{
		group,
		says: 'a table is full to its last word, and the next one begins behind it',
		blames: 'driver',
		shares: true,
		run(rig) {
			const { page } = rig;
			const covers = rig.description.tableCovers;
			const domain = rig.attached();
			rig.map(domain, 2 * covers, rig.memory, covers + page);
			for (let at = 0; at <= covers; at += page) rig.leads(domain, 2 * covers + at, rig.memory + at);
			rig.leads(domain, 2 * covers - page, -1);
			rig.leads(domain, 3 * covers + page, -1);
			rig.access(0, 3 * covers - 4, true, true);
			rig.access(0, 3 * covers, true, true);
			rig.unmap(domain, 2 * covers, covers + page);
			for (let at = 0; at <= covers; at += page) rig.leads(domain, 2 * covers + at, -1);
		},
	},
	{
		group,
		says: 'the rights in a word are those that were asked for, at every size',
		blames: 'driver',
		everyBoard: true,
		shares: true,
		run(rig) {
			const domain = rig.attached();
			for (const size of rig.description.pageSizes)
				for (const prot of rig.description.rights) {
					rig.map(domain, 2 * size, rig.memory, size, prot);
					for (let n = 0; n < (rig.description.oneGroup ? rig.count : 1); n++) {
						const { rights } = rig.iommuOf(n).leaf(rig.stream(n), NO_PASID, 2 * size);
						const wanted = (prot & IOMMU_READ ? READ : 0) | (prot & IOMMU_WRITE ? WRITE : 0);
						rig.equal(
							`the rights of ${rig.master(n)} in a page with prot ${prot}`,
							rights & (READ | WRITE),
							wanted,
						);
					}
					rig.unmap(domain, 2 * size, size);
				}
		},
	},
	{
		group,
		says: 'the largest page is one word where both addresses allow it, and several where they do not',
		blames: 'core',
		needs: [LARGE_PAGES],
		shares: true,
		run(rig) {
			const domain = rig.attached();
			const large = rig.description.pageSizes.at(-1)!;
			rig.map(domain, large, rig.memory, large);
			rig.leads(domain, large, rig.memory);
			rig.map(domain, 4 * large, rig.memory + rig.page, large);
			rig.leads(domain, 4 * large, rig.memory + rig.page);
			rig.leads(domain, 5 * large - 1, rig.memory + rig.page + large - 1);
			rig.unmap(domain, large, large);
			rig.unmap(domain, 4 * large, large);
		},
	},
	{
		group,
		says: 'what was mapped before stays as it is while tables are added around it',
		blames: 'driver',
		shares: true,
		run(rig) {
			const covers = rig.description.tableCovers;
			const domain = rig.attached();
			const at = (i: number): number => ((i * 7) % 32) * covers + (i % 5) * rig.page;
			for (let i = 0; i < 32; i++) {
				rig.map(domain, at(i), rig.memory + i * rig.page);
				for (let j = 0; j <= i; j += 1 + (i >> 2)) rig.leads(domain, at(j), rig.memory + j * rig.page);
				rig.access(0, at(i >> 1), true, true);
			}
			for (let i = 0; i < 32; i++) rig.unmap(domain, at(i));
		},
	},
];
