// SPDX-License-Identifier: GPL-2.0-only
// INV-IOVA and INV-LEAK of device addresses: what dma-iommu took of a domain's space for a mapping is given back when that
// ends, in the same size; at a quiet point nothing is taken that no mapping has, and nothing is free that one has.
//
// A range that was given back stays in the tree: its first frame is in a cache of its size, or in the flush queue.

import type { iommu_dma_cookie } from '#drivers/iommu/dma-iommu.js';
import { iommu_get_group_resv_regions } from '#drivers/iommu/iommu.js';
import { hex } from '#hw/core/register-file.js';
import { rb_first, rb_next } from '#lib/rbtree.js';
import { for_each_possible_cpu } from '#linux/cpumask.js';
import type { device } from '#linux/device.js';
import type { iommu_domain, iommu_resv_region } from '#linux/iommu.js';
import type { iova, iova_domain } from '#linux/iova.js';
import { list_for_each_entry, list_for_each_entry_safe, list_head } from '#linux/list.js';
import { dev_is_pci } from '#linux/pci.js';
import { per_cpu_ptr } from '#linux/percpu.js';
import { rb_find } from '#linux/rbtree.js';
import { kfree } from '#linux/slab.js';
import type { Client, Mapping, Part } from './mappings.js';
import type { Watched } from './watcher.js';

/** Frames that are free although they are in the tree. */
type Visit = (pfn: number, order: number) => boolean;

export class Iovas {
	/** What of a space is reserved, as far as somebody has asked. */
	readonly #reserved = new WeakMap<iova_domain, Set<number>>();

	constructor(readonly watched: Watched) {}

	/** A mapping of @client by @fn has failed: it has left nothing taken. */
	failed(client: Client, clients: readonly Client[], fn: string): void {
		const { domain } = client;
		const cookie = domain?.iova_cookie ?? null;
		// Another CPU may stand between its address and its mapping.
		if (cookie === null || cookie.iovad.granule === 0 || this.watched.machine.injecting) return;
		this.#settled(`a failed ${fn}()`, cookie, [client, ...clients.filter((c) => c.domain === domain)], fn);
	}

	/** @mapping's end has returned: its addresses are given back, unless @taken: another has them by now. */
	freed(mapping: Mapping, taken: (part: Part) => boolean): void {
		const cookie = mapping.domain?.iova_cookie ?? null;
		const { parts } = mapping;
		if (cookie === null || parts.length === 0) return;
		// What bounces was mapped entry by entry.
		if (mapping.kind === 'sg' && parts.some(({ bounced }) => bounced))
			for (const { first, last } of parts) this.#isFreed(mapping, cookie, first, last, taken);
		else this.#isFreed(mapping, cookie, parts[0].first, parts[parts.length - 1].last, taken);
	}

	#isFreed(
		mapping: Mapping,
		cookie: iommu_dma_cookie,
		first: number,
		last: number,
		taken: (part: Part) => boolean,
	): void {
		const { iovad } = cookie;
		if (iovad.granule === 0) return;
		const pfn = Math.floor(first / iovad.granule);
		const order = orderOf(Math.floor(last / iovad.granule) - pfn + 1);
		if (isLast(iovad, pfn, order) || isCached(iovad, pfn, order) || isQueued(cookie, pfn)) return;
		if (mapping.parts.some(taken)) return;
		const node = rb_find(pfn, iovad.rbroot, (key, at) => key - (at as iova).pfn_lo);
		if (node === null) return;
		let elsewhere = -1;
		eachCached(iovad, (at, of) => {
			if (at === pfn) elsewhere = of;
			return at === pfn;
		});
		const fn = mapping.ended?.what ?? 'the unmapping';
		const range = `[${hex(first, 8)}, ${hex(last + 1, 8)})`;
		this.watched.find({
			invariant: elsewhere < 0 ? 'INV-LEAK' : 'INV-IOVA',
			kind: elsewhere < 0 ? 'iova-not-freed' : 'iova-freed-with-wrong-size',
			device: mapping.client.name,
			moment: 'return',
			what: `${fn}()`,
			place: `${fn} ${mapping.kind}`,
			details: [
				`${fn}() has returned, and ${range} is ${elsewhere < 0 ? 'still taken' : `kept for mappings of ${2 ** elsewhere} pages, not ${2 ** order}`}`,
				...mapping.lines(),
			],
			advice:
				elsewhere < 0
					? `__iommu_dma_unmap() has to give ${range} back with iommu_dma_free_iova(), or the space of addresses runs out`
					: `iommu_dma_free_iova() was called with another size than iommu_dma_alloc_iova(): both take whole granules of the buffer and its offset`,
		});
	}

	/** Nothing goes on: the spaces of all @clients against their live mappings. */
	quiet(operation: string, clients: readonly Client[]): void {
		const domains = new Set(clients.map(({ domain }) => domain));
		for (const domain of domains) {
			const cookie = domain?.iova_cookie ?? null;
			if (cookie === null || cookie.iovad.granule === 0) continue;
			const users = clients.filter((client) => client.domain === domain);
			this.#settled(operation, cookie, users, null);
		}
	}

	/** @fn: what has just failed; null: nothing goes on. */
	#settled(operation: string, cookie: iommu_dma_cookie, users: readonly Client[], fn: string | null): void {
		const { iovad } = cookie;
		const { granule } = iovad;
		const free = new Set<number>();
		eachCached(iovad, (pfn) => {
			if (free.has(pfn)) this.#twice(operation, users[0], pfn * granule);
			free.add(pfn);
			return false;
		});
		eachQueued(cookie, (pfn) => free.add(pfn));
		const doorbells = new Set([...list_for_each_entry(cookie.msi_page_list)].map(({ iova }) => iova));
		for (const { pfn_lo, pfn_hi } of nodes(iovad)) {
			const [first, last] = [pfn_lo * granule, (pfn_hi + 1) * granule - 1];
			if (doorbells.has(first)) continue;
			const user = users.find(({ live }) => live.find(first, last) !== null);
			const given = free.has(pfn_lo);
			if (given === (user === undefined) || (!given && this.#isReserved(users, iovad, pfn_lo, pfn_hi)))
				continue;
			const range = `[${hex(first, 8)}, ${hex(last + 1, 8)})`;
			const part = user?.live.find(first, last) ?? null;
			this.watched.find({
				invariant: given ? 'INV-IOVA' : 'INV-LEAK',
				kind: given ? 'iova-freed-early' : 'leaked-iova',
				device: (user ?? users[0]).name,
				moment: fn === null ? 'quiet' : 'return',
				...(fn === null ? {} : { what: `${fn}()` }),
				place: `${first}`,
				details: [
					`After ${operation}: ${range} is ${given ? 'free, and a mapping has it' : 'taken, and no mapping has it'}`,
					...(part?.mapping.lines() ?? []),
				],
				advice: given
					? `iommu_dma_free_iova() was called for ${range} while it is mapped: the next mapping may get it`
					: `a mapping that failed, or ended, did not give ${range} back: look in __iommu_dma_map(), iommu_dma_map_sg() and __iommu_dma_alloc_noncontiguous() for an error path without iommu_dma_free_iova()`,
			});
		}
	}

	/** Whether the range at @pfn is kept out of the space: by a region, or by a PCI host's windows. */
	#isReserved(users: readonly Client[], iovad: iova_domain, pfn: number, last: number): boolean {
		const known = this.#reserved.get(iovad) ?? new Set();
		this.#reserved.set(iovad, known);
		if (known.has(pfn)) return true;
		const found = users.some(
			({ dev }) => dev_is_pci(dev) || inRegion(dev, pfn * iovad.granule, (last + 1) * iovad.granule - 1),
		);
		if (found) known.add(pfn);
		return found;
	}

	#twice(operation: string, client: Client, addr: number): void {
		this.watched.find({
			invariant: 'INV-IOVA',
			kind: 'iova-freed-twice',
			device: client.name,
			moment: 'quiet',
			place: `${addr}`,
			details: [`After ${operation}: ${hex(addr, 8)} is in the cache of free addresses twice`],
			advice: `iommu_dma_free_iova() was called twice for ${hex(addr, 8)}: two mappings will get it`,
		});
	}
}

/** Whether dma-iommu may give @addr of @domain to somebody: it is not taken, or was freed last of its size. */
export function isFree({ iova_cookie }: iommu_domain, addr: number): boolean {
	const iovad = iova_cookie?.iovad;
	if (iovad === undefined || iovad.granule === 0) return true;
	const pfn = Math.floor(addr / iovad.granule);
	if (rb_find(pfn, iovad.rbroot, (key, at) => key - (at as iova).pfn_lo) === null) return true;
	const orders = iovad.rcaches?.length ?? 0;
	for (let order = 0; order < orders; order++) if (isLast(iovad, pfn, order)) return true;
	return false;
}

/** The cache of @pages (drivers/iommu/iova.c: iova_rcache_order()). */
function orderOf(pages: number): number {
	return pages <= 1 ? 0 : 32 - Math.clz32(pages - 1);
}

function* nodes(iovad: iova_domain): Iterable<iova> {
	for (let node = rb_first(iovad.rbroot); node !== null; node = rb_next(node))
		if (node !== iovad.anchor) yield node as iova;
}

/** Whether @pfn is what was freed last. */
function isLast({ rcaches }: iova_domain, pfn: number, order: number): boolean {
	const mag = rcaches?.[order]?.cpu_rcaches?.unit[0]?.loaded ?? null;
	return mag !== null && mag.size > 0 && mag.pfns[mag.size - 1] === pfn;
}

/** Whether @pfn is in the cache of ranges of 2^@order frames; what was freed last is found first. */
function isCached(iovad: iova_domain, pfn: number, order: number): boolean {
	return eachCachedOf(iovad, order, (at) => at === pfn);
}

/** Whether the range of @size frames at @pfn is cached for reuse. */
export function isCachedFree(iovad: iova_domain, pfn: number, size: number): boolean {
	return isCached(iovad, pfn, orderOf(size));
}

/** How many magazines the caches of @iovad have. */
export function magazinesOf({ rcaches }: iova_domain): number {
	let count = 0;
	for (const { cpu_rcaches, depot } of rcaches ?? []) {
		for (let mag = depot; mag !== null; mag = mag.next) count++;
		if (cpu_rcaches === null) continue;
		for (const cpu of for_each_possible_cpu()) {
			const { loaded, prev } = per_cpu_ptr(cpu_rcaches, cpu);
			count += Number(loaded !== null) + Number(prev !== null);
		}
	}
	return count;
}

function eachCached(iovad: iova_domain, visit: Visit): void {
	for (let order = 0; order < (iovad.rcaches?.length ?? 0); order++)
		if (eachCachedOf(iovad, order, visit)) return;
}

/** Call @visit with each frame that is cached, until it answers true: whether it has. */
function eachCachedOf({ rcaches }: iova_domain, order: number, visit: Visit): boolean {
	const rcache = rcaches?.[order];
	if (rcache === undefined) return false;
	const inside = (mag: typeof rcache.depot): boolean => {
		for (let i = (mag?.size ?? 0) - 1; i >= 0; i--) if (visit(mag!.pfns[i], order)) return true;
		return false;
	};
	if (rcache.cpu_rcaches !== null)
		for (const cpu of for_each_possible_cpu()) {
			const { loaded, prev } = per_cpu_ptr(rcache.cpu_rcaches, cpu);
			if (inside(loaded) || inside(prev)) return true;
		}
	for (let mag = rcache.depot; mag !== null; mag = mag.next) if (inside(mag)) return true;
	return false;
}

type Queues = Pick<iommu_dma_cookie, 'single_fq' | 'percpu_fq'>;

/** Whether the range at @pfn waits for a flush; what came last is found first. */
function isQueued(cookie: Queues, pfn: number): boolean {
	return queuesOf(cookie).some(({ head, tail, mod_mask, entries }) => {
		for (let at = tail; at !== head; ) {
			at = (at - 1) & mod_mask;
			if (entries[at].iova_pfn === pfn) return true;
		}
		return false;
	});
}

function queuesOf({ single_fq, percpu_fq }: Queues): NonNullable<Queues['single_fq']>[] {
	if (single_fq !== null) return [single_fq];
	return percpu_fq === null ? [] : percpu_fq.unit.filter((fq) => fq !== undefined);
}

/** Call @visit with the first frame of each range that waits for a flush. */
function eachQueued(cookie: Queues, visit: (pfn: number) => void): void {
	for (const { head, tail, mod_mask, entries } of queuesOf(cookie))
		for (let at = head; at !== tail; at = (at + 1) & mod_mask) visit(entries[at].iova_pfn);
}

/** Whether a device of @dev's group, which may have joined late, reserves a part of [@first, @last]. */
function inRegion({ iommu_group }: device, first: number, last: number): boolean {
	if (iommu_group === null) return false;
	const regions = new list_head<iommu_resv_region>();
	iommu_get_group_resv_regions(iommu_group, regions);
	let found = false;
	for (const region of list_for_each_entry_safe(regions)) {
		found ||= region.start <= last && (region.start as number) + region.length > first;
		kfree(region);
	}
	return found;
}
