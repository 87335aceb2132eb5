// SPDX-License-Identifier: GPL-2.0-only
// Invalidation: each operation on hardware that has cached whatever it may, then one access.
//
// "Looked at" means that every master has tried the addresses before: its own TLB, the one that all share, and the walk
// caches hold what they then met, invalid words too.

import { iommu_unmap } from '#drivers/iommu/iommu.js';
import { IOMMU_READ, type iommu_domain, iommu_flush_iotlb_all } from '#linux/iommu.js';
import { type Case, COMMANDS, LARGE_PAGES, SEVERAL_DOMAINS } from '../case.js';
import { type Rig, RW } from '../rig.js';

const group = 'invalidation';

/** Every one of @masters tries all of @iovas. */
function look(rig: Rig, masters: readonly number[], iovas: readonly number[]): void {
	for (const n of masters) for (const iova of iovas) rig.tries(n, iova);
}

/** The ends of a range, its neighbours, its middle. */
function places(rig: Rig, iova: number, size: number): number[] {
	const { page } = rig;
	const middle = iova + Math.floor(size / 2 / page) * page;
	const all = [
		iova - page,
		iova,
		iova + page,
		middle,
		iova + size - 2 * page,
		iova + size - page,
		iova + size,
	];
	return [...new Set(all)].filter((at) => at >= 0);
}

/** Numbers of pages, around those that a driver treats in ways of their own. */
const COUNTS = [1, 2, 3, 4, 7, 8, 9, 17];

/** Visit ranges around borders of tables: of each number of pages across one, of some at other places. */
function ranges(rig: Rig, visit: (iova: number, size: number) => void): void {
	const { page } = rig;
	const covers = rig.description.tableCovers;
	const full = covers / page;
	const top = 2 ** rig.description.addressBits;
	const few = [1, 2, 9];
	// The last two: up to the end of a table, and all of one in between.
	for (const [iova, counts] of [
		[page, few],
		[2 * covers, few],
		[4 * covers - page, [...COUNTS, full + 1, 2 * full]],
		[7 * covers - 2 * page, few],
		[top - 4 * covers, few],
	] as const)
		for (const count of counts) visit(iova, count * page);
}

/** One access by each of @masters to @iova: it ends at @phys, or is refused (-1). */
function accesses(rig: Rig, masters: readonly number[], iova: number, phys: number): void {
	for (const n of masters)
		if (phys < 0) rig.access(n, iova, false, false);
		else
			rig.holds(
				`a write by ${rig.master(n)} to 0x${iova.toString(16)} does not reach 0x${phys.toString(16)}`,
				rig.reaches(n, iova, phys),
			);
}

/** @change what @domain maps, every master having looked before, and see that each is led as the plain @model says. */
function changed(
	rig: Rig,
	what: string,
	domain: iommu_domain,
	masters: readonly number[],
	model: ReadonlyMap<number, number>,
	change: () => void,
): void {
	look(rig, masters, [...model.keys()]);
	change();
	rig.clean(what);
	for (const [iova, phys] of model) {
		rig.leads(domain, iova, phys);
		accesses(rig, masters, iova, phys);
	}
}

export const invalidation: readonly Case[] = [
	{
		group,
		says: 'what is mapped is found at once by masters that have looked there before',
		blames: 'driver',
		everyBoard: true,
		shares: true,
		run(rig) {
			const { domain, masters } = rig.shared();
			ranges(rig, (iova, size) => {
				look(rig, masters.slice(0, 2), places(rig, iova, size));
				rig.map(domain, iova, rig.memory, size);
				rig.clean('iommu_map()');
				for (const at of places(rig, iova, size))
					if (at >= iova && at < iova + size) rig.access(rig.oneOf(masters), at, true, true);
				rig.unmap(domain, iova, size);
			});
		},
	},
	{
		group,
		says: 'what is unmapped is used by nobody when iommu_unmap() has returned',
		blames: 'driver',
		everyBoard: true,
		shares: true,
		run(rig) {
			const { domain, masters } = rig.shared();
			ranges(rig, (iova, size) => {
				rig.map(domain, iova, rig.memory, size);
				look(rig, masters, places(rig, iova, size));
				rig.unmap(domain, iova, size);
				rig.clean('iommu_unmap()');
				for (const at of places(rig, iova, size)) rig.access(rig.oneOf(masters), at, false, false);
			});
		},
	},
	{
		group,
		says: 'every page of an unmapped range is forgotten by every master',
		blames: 'driver',
		shares: true,
		run(rig) {
			const { domain, masters } = rig.shared();
			const { page } = rig;
			for (const at of [rig.description.tableCovers - 8 * page, 3 * rig.description.tableCovers]) {
				const pages = Array.from({ length: 16 }, (_x, i) => at + i * page);
				rig.map(domain, at, rig.memory, 16 * page);
				look(rig, masters, pages);
				rig.unmap(domain, at, 16 * page);
				rig.clean('iommu_unmap()');
				for (const iova of pages) accesses(rig, masters, iova, -1);
			}
		},
	},
	{
		group,
		says: 'a page that was looked at by one master alone is forgotten by that one',
		blames: 'driver',
		shares: true,
		run(rig) {
			const { domain, masters } = rig.shared();
			for (const n of masters) {
				rig.map(domain, 3 * rig.page, rig.memory);
				rig.access(n, 3 * rig.page, true, true);
				rig.unmap(domain, 3 * rig.page);
				rig.clean(`iommu_unmap(), ${rig.master(n)} having used the page,`);
				rig.access(n, 3 * rig.page, true, false);
				// And what it has just met, nothing, too.
				rig.map(domain, 3 * rig.page, rig.memory + rig.page);
				rig.clean(`iommu_map(), ${rig.master(n)} having met nothing,`);
				accesses(rig, [n], 3 * rig.page, rig.memory + rig.page);
				rig.unmap(domain, 3 * rig.page);
			}
		},
	},
	{
		group,
		says: 'a part that is unmapped is gone, and what is around it stays',
		blames: 'driver',
		shares: true,
		run(rig) {
			const { domain, masters } = rig.shared();
			const { page } = rig;
			for (const at of [4 * rig.description.tableCovers - 3 * page, 6 * rig.description.tableCovers])
				for (const [first, count] of [
					[0, 1],
					[2, 1],
					[5, 1],
					[1, 3],
					[3, 3],
				]) {
					rig.map(domain, at, rig.memory, 6 * page);
					const model = new Map<number, number>();
					for (let i = -1; i < 7; i++) {
						const mapped = i >= 0 && i < 6 && (i < first || i >= first + count);
						model.set(at + i * page, mapped ? rig.memory + i * page : -1);
					}
					changed(rig, 'iommu_unmap()', domain, masters, model, () =>
						rig.unmap(domain, at + first * page, count * page),
					);
					for (const [iova, phys] of model) if (phys !== -1) rig.unmap(domain, iova);
				}
		},
	},
	{
		group,
		says: 'pages that are mapped elsewhere lead elsewhere at once',
		blames: 'driver',
		shares: true,
		run(rig) {
			const { domain, masters } = rig.shared();
			const { page } = rig;
			const at = 2 * rig.description.tableCovers - 2 * page;
			for (const count of [1, 2, 4, 9]) {
				const size = count * page;
				rig.map(domain, at, rig.memory, size);
				for (let round = 1; round < 3; round++) {
					const phys = rig.memory + round * 32 * page;
					const model = new Map(Array.from({ length: count }, (_x, i) => [at + i * page, phys + i * page]));
					changed(rig, 'unmapping and mapping', domain, masters, model, () => {
						rig.unmap(domain, at, size);
						rig.map(domain, at, phys, size);
					});
				}
				rig.unmap(domain, at, size);
			}
		},
	},
	{
		group,
		says: 'rights that are taken away are gone at once, and rights that are given are there',
		blames: 'driver',
		needs: [{ lack: 'no read-only pages', met: (d) => d.rights.includes(IOMMU_READ) }],
		shares: true,
		run(rig) {
			const { domain, masters } = rig.shared();
			const at = rig.description.tableCovers - rig.page;
			for (const [before, after] of [
				[RW, IOMMU_READ],
				[IOMMU_READ, RW],
			]) {
				rig.map(domain, at, rig.memory, 2 * rig.page, before);
				for (const n of masters)
					for (const iova of [at, at + rig.page]) {
						rig.access(n, iova, false, true);
						rig.access(n, iova, true, before === RW);
					}
				rig.unmap(domain, at, 2 * rig.page);
				rig.map(domain, at, rig.memory, 2 * rig.page, after);
				rig.clean('unmapping and mapping with other rights');
				for (const n of masters)
					for (const iova of [at, at + rig.page]) rig.access(n, iova, true, after === RW);
				rig.unmap(domain, at, 2 * rig.page);
			}
		},
	},
	{
		group,
		says: 'a table that is new is found by masters that have met none',
		blames: 'driver',
		everyBoard: true,
		shares: true,
		run(rig) {
			const { domain, masters } = rig.shared();
			const covers = rig.description.tableCovers;
			for (const [i, n] of masters.entries()) {
				const at = (2 * i + 3) * covers;
				// One place of what the table will cover, and others are mapped.
				rig.tries(n, at + covers - rig.page);
				rig.map(domain, at + 5 * rig.page, rig.memory);
				rig.clean('iommu_map() that makes a table');
				accesses(rig, [n], at + 5 * rig.page, rig.memory);
				rig.tries(n, at + covers + rig.page);
				rig.map(domain, at + covers - rig.page, rig.memory + 4 * rig.page, 3 * rig.page);
				rig.clean('iommu_map() into the next table');
				accesses(rig, [n], at + covers + rig.page, rig.memory + 6 * rig.page);
				rig.unmap(domain, at + 5 * rig.page);
				rig.unmap(domain, at + covers - rig.page, 3 * rig.page);
			}
		},
	},
	{
		group,
		says: 'where a table was, a large page is found, and the reverse',
		blames: 'driver',
		needs: [LARGE_PAGES],
		shares: true,
		run(rig) {
			const { domain, masters } = rig.shared();
			const large = rig.description.pageSizes.at(-1)!;
			for (const place of [0, large / 2, large - rig.page]) {
				rig.map(domain, large + place, rig.memory);
				look(rig, masters, [large, large + place, 2 * large - rig.page]);
				rig.unmap(domain, large + place);
				rig.map(domain, large, rig.memory + large, large);
				rig.clean('iommu_map() of a large page where a table was');
				accesses(rig, masters, large + place, rig.memory + large + place);
				accesses(rig, masters, 2 * large - rig.page, rig.memory + 2 * large - rig.page);
				rig.unmap(domain, large, large);
				rig.clean('iommu_unmap() of a large page');
				accesses(rig, masters, large + place, -1);
				rig.map(domain, large + place, rig.memory);
				rig.clean('iommu_map() of a small page where a large one was');
				accesses(rig, masters, large + place, rig.memory);
				rig.unmap(domain, large + place);
			}
		},
	},
	{
		group,
		says: 'a map that fails leaves nothing cached of what it has undone',
		blames: 'driver',
		shares: true,
		run(rig) {
			const { domain, masters } = rig.shared();
			const { page } = rig;
			const at = 3 * rig.description.tableCovers - 2 * page;
			rig.map(domain, at + 4 * page, rig.memory);
			const model = new Map(Array.from({ length: 6 }, (_x, i) => [at + i * page, i === 4 ? rig.memory : -1]));
			changed(rig, 'iommu_map() that failed', domain, masters, model, () =>
				rig.refuses(domain, at, rig.memory + 8 * page, 5 * page),
			);
			// What has failed may be done in part a moment later.
			rig.map(domain, at, rig.memory + 8 * page, 4 * page);
			rig.clean('iommu_map()');
			for (let i = 0; i < 4; i++) accesses(rig, masters, at + i * page, rig.memory + (8 + i) * page);
			rig.unmap(domain, at, 5 * page);
		},
	},
	{
		group,
		says: 'unmapping what is not mapped changes nothing that is cached',
		blames: 'driver',
		shares: true,
		run(rig) {
			const { domain, masters } = rig.shared();
			const at = 5 * rig.description.tableCovers;
			rig.map(domain, at, rig.memory);
			look(rig, masters, [at, at + rig.page]);
			rig.equal('iommu_unmap()', iommu_unmap(domain, at + rig.page, 4 * rig.page) as number, 0);
			rig.clean('iommu_unmap() of nothing');
			accesses(rig, masters, at, rig.memory);
			rig.unmap(domain, at);
		},
	},
	{
		group,
		says: 'flush_iotlb_all() may be called at any time: attached, in use, detached, empty',
		blames: 'driver',
		shares: true,
		run(rig) {
			const domain = rig.domain();
			iommu_flush_iotlb_all(domain);
			rig.equal('iommu_attach_group()', rig.attach(domain), 0);
			iommu_flush_iotlb_all(domain);
			rig.map(domain, rig.page, rig.memory);
			rig.access(0, rig.page, true, true);
			iommu_flush_iotlb_all(domain);
			rig.access(0, rig.page, true, true);
			rig.detach(domain);
			iommu_flush_iotlb_all(domain);
			rig.unmap(domain, rig.page);
		},
	},
	{
		group,
		says: 'a domain that is attached brings its own pages at once, where the default domain was looked at',
		blames: 'driver',
		shares: true,
		run(rig) {
			const { page } = rig;
			const domain = rig.domain();
			const at = [page, 2 * page, 3 * rig.description.tableCovers];
			look(rig, rig.sharers, at);
			for (const [i, iova] of at.entries()) if (i !== 1) rig.map(domain, iova, rig.memory + i * page);
			rig.equal('iommu_attach_group()', rig.attach(domain), 0);
			rig.clean('iommu_attach_group()');
			for (const [i, iova] of at.entries())
				accesses(rig, rig.sharers, iova, i === 1 ? -1 : rig.memory + i * page);
			rig.detach(domain);
			rig.clean('iommu_detach_group()');
			for (const iova of at) accesses(rig, rig.sharers, iova, -1);
		},
	},
	{
		group,
		says: 'a domain that takes the place of another brings its own pages at once, there and back',
		blames: 'driver',
		everyBoard: true,
		shares: true,
		run(rig) {
			const { page } = rig;
			const domains = [rig.attached(), rig.domain(), rig.domain()];
			const at = Array.from({ length: 4 }, (_x, i) => i * page + 2 * rig.description.tableCovers);
			for (const [d, domain] of domains.entries())
				for (const [i, iova] of at.entries())
					if (i !== d) rig.map(domain, iova, rig.memory + (8 * d + i) * page);
			for (const d of [1, 0, 2, 1, 2, 0]) {
				look(rig, rig.sharers, at);
				rig.equal('iommu_group_replace_domain()', rig.replace(domains[d]), 0);
				rig.clean('iommu_group_replace_domain()');
				for (const [i, iova] of at.entries()) {
					rig.leads(domains[d], iova, i === d ? -1 : rig.memory + (8 * d + i) * page);
					accesses(rig, rig.sharers, iova, i === d ? -1 : rig.memory + (8 * d + i) * page);
				}
			}
		},
	},
	{
		group,
		says: 'what changes in a domain while it is attached nowhere holds when it comes back',
		blames: 'driver',
		shares: true,
		run(rig) {
			const { page } = rig;
			const covers = rig.description.tableCovers;
			const domain = rig.attached();
			rig.map(domain, page, rig.memory, 3 * page);
			look(rig, rig.sharers, [page, 2 * page, 3 * page, 4 * page, 5 * covers]);
			rig.detach(domain);
			rig.unmap(domain, 2 * page);
			rig.map(domain, 4 * page, rig.memory + 8 * page);
			rig.map(domain, 5 * covers, rig.memory + 9 * page);
			rig.equal('iommu_attach_group()', rig.attach(domain), 0);
			rig.clean('iommu_attach_group() of a domain that was there before');
			for (const [iova, phys] of [
				[page, rig.memory],
				[2 * page, -1],
				[3 * page, rig.memory + 2 * page],
				[4 * page, rig.memory + 8 * page],
				[5 * covers, rig.memory + 9 * page],
			])
				accesses(rig, rig.sharers, iova, phys);
		},
	},
	{
		group,
		says: 'nothing of a domain that is freed is left to the next one, which may have its number and its tables',
		blames: 'driver',
		shares: true,
		run(rig) {
			const { page } = rig;
			const covers = rig.description.tableCovers;
			for (let round = 0; round < 4; round++) {
				const domain = rig.attached();
				const at = (round % 2) * covers + page;
				for (const iova of [page, covers + page]) rig.access(0, iova, false, false);
				rig.map(domain, at, rig.memory + round * page, 2 * page);
				look(rig, rig.sharers, [at, at + page, at + 2 * page, covers - page]);
				accesses(rig, rig.sharers, at, rig.memory + round * page);
				// With its mappings, or without.
				if (round < 2) rig.unmap(domain, at, 2 * page);
				rig.detachAndFree(domain);
				rig.clean('iommu_domain_free()');
				accesses(rig, rig.sharers, at, -1);
			}
		},
	},
	{
		group,
		says: 'domains of several groups share addresses and nothing else',
		blames: 'driver',
		needs: [SEVERAL_DOMAINS],
		shares: true,
		run(rig) {
			const { page } = rig;
			const domains = Array.from({ length: rig.count }, (_x, n) => rig.attached(n));
			const at = rig.description.tableCovers + page;
			for (const [n, domain] of domains.entries()) rig.map(domain, at, rig.memory + n * page);
			for (const n of domains.keys()) accesses(rig, [n], at, rig.memory + n * page);
			for (const [n, domain] of domains.entries()) {
				rig.unmap(domain, at);
				rig.clean('iommu_unmap() in one of several domains');
				for (const m of domains.keys()) accesses(rig, [m], at, m > n ? rig.memory + m * page : -1);
			}
			for (const [n, domain] of domains.entries()) rig.detachAndFree(domain, n);
		},
	},
	{
		group,
		says: 'every command that hangs is reported, and what comes after it works',
		blames: 'driver',
		needs: [COMMANDS],
		run(rig) {
			// What hung takes effect at a time that no driver expects.
			rig.allowRemark(/is lost/);
			for (const { stuck, says } of rig.description.commands) {
				const domain = rig.attached();
				rig.map(domain, rig.page, rig.memory);
				rig.log.length = 0;
				rig.iommu.stuck.add(stuck);
				// Nothing is cached of these: only the time-out is wrong.
				rig.map(domain, 9 * rig.description.tableCovers, rig.memory);
				rig.unmap(domain, 9 * rig.description.tableCovers);
				iommu_flush_iotlb_all(domain);
				rig.iommu.stuck.clear();
				rig.machine.advance(10_000_000);
				rig.holds(
					`the log says nothing like ${says}, although "${stuck}" did not end`,
					rig.log.some((line) => says.test(line)),
				);
				iommu_flush_iotlb_all(domain);
				accesses(rig, rig.sharers, rig.page, rig.memory);
				rig.unmap(domain, rig.page);
				rig.clean('iommu_unmap()');
				rig.detachAndFree(domain);
			}
		},
	},
];
