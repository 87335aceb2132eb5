// SPDX-License-Identifier: GPL-2.0-only
// What iommu_map(), iommu_map_sg() and iommu_unmap() promise their callers, as they return.
//
//   INV-ERR        one that failed has left mappings, or taken others'; one that succeeded has not done all of it
//   INV-RANGE      it goes on with addresses that are no multiples of a page
//   INV-TLB-MAP    what it has mapped was not told to the hardware
//   INV-TLB-UNMAP  the same of what it has unmapped

import { hex } from '#hw/core/register-file.js';
import { sg_next } from '#lib/scatterlist.js';
import type { iommu_domain } from '#linux/iommu.js';
import { type scatterlist, sg_dma_is_bus_address, sg_phys } from '#linux/scatterlist.js';
import type { Mapping } from './agreement.js';
import type { After, RuleSet } from './core-calls.js';
import type { DomainWatch } from './domain-set.js';
import type { Domains } from './domains.js';
import type { Range } from './ranges.js';
import { asReturns, type Invariant } from './report.js';
import type { Watched } from './watcher.js';

/** A run that is to be mapped: from its first address, where it is to lead. */
interface Piece {
	readonly iova: number;
	readonly phys: number;
	readonly size: number;
}

export class CoreMaps {
	constructor(
		readonly watched: Watched,
		readonly domains: Domains,
	) {}

	addTo(set: RuleSet): void {
		set
			.on(
				'iommu_map',
				(
					domain: iommu_domain,
					iova: number,
					phys: number,
					size: number,
					prot: number,
				): After<number> | null => this.#maps('iommu_map', domain, [{ iova, phys, size }], prot),
			)
			.on(
				'iommu_map_sg',
				(
					domain: iommu_domain,
					iova: number,
					sg: scatterlist,
					nents: number,
					prot: number,
				): After<number> | null => this.#maps('iommu_map_sg', domain, piecesOf(iova, sg, nents), prot),
			)
			.on('iommu_unmap', (domain: iommu_domain, iova: number, size: number): After<number> | null =>
				this.#unmaps(domain, iova, size),
			)
			.on('iommu_pgsize', (domain: iommu_domain, iova: number, phys: number, size: number): null =>
				this.#aligned(domain, iova, phys, size),
			);
	}

	/** What is known of @domain; null: too little. */
	#known(domain: iommu_domain): DomainWatch | null {
		const watch = this.domains.known(domain);
		return watch === undefined || watch.partial || this.watched.machine.hook !== null ? null : watch;
	}

	#maps(fn: string, domain: iommu_domain, pieces: readonly Piece[], prot: number): After<number> | null {
		const watch = this.#known(domain);
		if (watch === null || pieces.length === 0) return null;
		const first = pieces[0].iova;
		const tail = pieces[pieces.length - 1];
		const last = tail.iova + tail.size - 1;
		const before = cut(watch.mappings.overlapping(first, last), first, last);
		return (ret) => {
			if (ret < 0) this.#undone(watch, fn, ret, first, last, before);
			else if (this.#isMapped(watch, fn, pieces, prot)) this.#synced(watch, fn, first, last);
		};
	}

	/** @fn has failed: what was mapped @before in [@first, @last] is, and nothing else. */
	#undone(
		watch: DomainWatch,
		fn: string,
		ret: number,
		first: number,
		last: number,
		before: readonly Range<Mapping>[],
	): void {
		const now = cut(watch.mappings.overlapping(first, last), first, last);
		const left = now.find((range) => !before.some((old) => covers(old, range)));
		const gone = before.find((old) => !now.some((range) => covers(range, old)));
		if (left !== undefined)
			this.#find(watch, 'INV-ERR', 'error-leaves-mapping', fn, {
				details: [
					`${fn}() of ${span(first, last)} has returned ${ret}, and ${span(left.first, left.last)} is mapped now, to ${hex(physAt(left, left.first), 8)}`,
					...left.value.made.lines('Mapped'),
				],
				advice: `${fn}() fails, and what it (or __iommu_map() for it) had mapped before stays: iommu_unmap() has to take away what was mapped until then, from ${hex(first, 8)} on, before the error is returned`,
			});
		if (gone !== undefined)
			this.#find(watch, 'INV-ERR', 'error-takes-mapping', fn, {
				details: [
					`${fn}() of ${span(first, last)} has returned ${ret}, and ${span(gone.first, gone.last)}, which was mapped before, is not any more`,
					...gone.value.made.lines('Mapped'),
				],
				advice: `${fn}() (or __iommu_map() for it) undoes more than it has mapped: iommu_unmap() has to get only the size that was done, and leave ${span(gone.first, gone.last)} alone`,
			});
	}

	/** @fn has succeeded: all @pieces lead where they are to; false: not. */
	#isMapped(watch: DomainWatch, fn: string, pieces: readonly Piece[], prot: number): boolean {
		for (const { iova, phys, size } of pieces)
			for (let at = iova; at < iova + size; ) {
				const range = watch.mappings.find(at);
				const want = phys + (at - iova);
				if (range !== null && physAt(range, at) === want && range.value.prot === prot) {
					at = range.last + 1;
					continue;
				}
				const is =
					range === null
						? 'nothing has mapped it in the driver'
						: physAt(range, at) !== want
							? `it was mapped to ${hex(physAt(range, at), 8)}`
							: `it was mapped with prot ${hex(range.value.prot)}`;
				this.#find(watch, 'INV-ERR', 'success-without-effect', fn, {
					details: [
						`${fn}() of ${span(iova, iova + size - 1)} has succeeded; ${hex(at, 8)} is to lead to ${hex(want, 8)} with prot ${hex(prot)}, and ${is}`,
						...(range?.value.made.lines('Mapped') ?? []),
					],
					advice: `${fn}() (or __iommu_map() for it) does not ask map_pages() for all of ${span(iova, iova + size - 1)}, counts wrong how far it is (iova, paddr and size go on together), or drops an error or prot`,
				});
				return false;
			}
		return true;
	}

	/** What was mapped in [@first, @last] does not wait for iotlb_sync_map(). */
	#synced(watch: DomainWatch, fn: string, first: number, last: number): void {
		const { ops } = watch.domain;
		const owed = watch.fresh.find((fresh) => fresh.first <= last && fresh.last >= first);
		if (owed === undefined || ops?.iotlb_sync_map === undefined) return;
		const sync = ops.iotlb_sync_map.name;
		this.#find(watch, 'INV-TLB-MAP', 'map-not-synced', fn, {
			details: [
				`${fn}() has returned, ${span(Math.max(first, owed.first), Math.min(last, owed.last))} was mapped by ${owed.by}(), and ${sync}() was not called for it since`,
			],
			advice: `${fn}() has to call the domain's iotlb_sync_map() (${sync}()) for all that it has mapped, ${span(first, last)}, before it returns: the IOMMU may still have cached that nothing is there`,
		});
	}

	#unmaps(domain: iommu_domain, iova: number, size: number): After<number> | null {
		const watch = this.#known(domain);
		if (watch === null) return null;
		let end = iova;
		for (let range = watch.mappings.find(end); range !== null && end < iova + size; ) {
			end = range.last + 1;
			range = watch.mappings.find(end);
		}
		const mapped = Math.min(end - iova, size);
		return (ret) => {
			const last = iova + Math.max(ret, 1) - 1;
			const rest = watch.mappings.overlapping(iova, last)[0];
			if (ret > 0 && rest !== undefined)
				this.#find(watch, 'INV-ERR', 'success-without-effect', 'iommu_unmap', {
					details: [
						`iommu_unmap() of ${span(iova, iova + size - 1)} has returned ${hex(ret)}, and ${span(rest.first, rest.last)} is still mapped`,
					],
					advice: `iommu_unmap() (__iommu_unmap()) returns more than unmap_pages() has unmapped`,
				});
			else if (ret === 0 && mapped > 0 && watch.mappings.find(iova) === null)
				this.#find(watch, 'INV-ERR', 'effect-without-success', 'iommu_unmap', {
					details: [
						`iommu_unmap() of ${span(iova, iova + size - 1)} has returned 0, and ${hex(iova, 8)} was mapped and is not any more`,
					],
					advice: `iommu_unmap() (__iommu_unmap()) has to return what unmap_pages() has unmapped, also when it goes no further`,
				});
			const owed = watch.owed.find((each) => each.first <= last && each.last >= iova);
			if (ret > 0 && owed !== undefined && watch.domain.ops?.iotlb_sync !== undefined)
				this.#find(watch, 'INV-TLB-UNMAP', 'never-synced', 'iommu_unmap', {
					details: [
						`iommu_unmap() has returned, ${span(owed.first, owed.last)} was unmapped by ${owed.by}(), and iotlb_sync() was not called since`,
					],
					advice: `iommu_unmap() has to call iommu_iotlb_sync() with the gather structure of __iommu_unmap() before it returns`,
				});
		};
	}

	/** Nothing goes on with what is no multiple of @domain's smallest page. */
	#aligned(domain: iommu_domain, iova: number, phys: number, size: number): null {
		const page = domain.pgsize_bitmap === 0 ? 1 : smallest(domain.pgsize_bitmap);
		for (const [what, value] of [
			['iova', iova],
			['paddr', phys],
			['size', size],
		] as const) {
			if (value % page === 0) continue;
			const watch = this.domains.known(domain);
			if (watch === undefined) continue;
			this.#find(watch, 'INV-RANGE', 'unaligned-let-through', '__iommu_map', {
				details: [
					`${what} ${hex(value)} is no multiple of the smallest page, ${hex(page)}, and the core goes on with it`,
				],
				advice: `__iommu_map() and __iommu_unmap() must answer with an error (-EINVAL; 0) when iova, paddr or size is no multiple of the smallest page of pgsize_bitmap: the check of ${what} is missing`,
			});
		}
		return null;
	}

	#find(
		watch: DomainWatch,
		invariant: Invariant,
		kind: string,
		fn: string,
		said: { readonly details: readonly string[]; readonly advice: string },
	): void {
		this.watched.find({ invariant, kind, device: this.domains.nameOf(watch), ...asReturns(fn), ...said });
	}
}

/** What @sg's entries are to be mapped as, from @iova on, without gaps. */
function piecesOf(iova: number, sg: scatterlist, nents: number): Piece[] {
	const pieces: Piece[] = [];
	let at: scatterlist | null = sg;
	for (let i = 0; i < nents && at !== null; i++, at = sg_next(at)) {
		if (sg_dma_is_bus_address(at) || at.length === 0) continue;
		const phys = sg_phys(at) as number;
		pieces.push({ iova, phys, size: at.length });
		iova += at.length;
	}
	return pieces;
}

function smallest(bitmap: number): number {
	let size = 1;
	while (bitmap % (size * 2) === 0) size *= 2;
	return size;
}

function physAt({ value }: Range<Mapping>, at: number): number {
	return value.phys + (at - value.iova);
}

/** @ranges without what lies outside of [@first, @last]. */
function cut(ranges: readonly Range<Mapping>[], first: number, last: number): Range<Mapping>[] {
	return ranges.map((range) => ({
		first: Math.max(range.first, first),
		last: Math.min(range.last, last),
		value: range.value,
	}));
}

/** Whether @range has all of @part, leading to the same. */
function covers(range: Range<Mapping>, part: Range<Mapping>): boolean {
	return (
		range.first <= part.first &&
		range.last >= part.last &&
		physAt(range, part.first) === physAt(part, part.first)
	);
}

function span(first: number, last: number): string {
	return `[${hex(first, 8)}, ${hex(last + 1, 8)})`;
}
