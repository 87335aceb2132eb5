// SPDX-License-Identifier: GPL-2.0-only
// What an IOMMU answers, held against the tables in memory.
//
//   INV-TLB-UNMAP  a cached entry was used (or stays, see check()) although the tables in memory say otherwise
//   INV-TLB-MAP    the same for a cached invalid entry of a page that is mapped
//   INV-PTW        a word in a walk cache, or a stream's record in its cache, is not the one in memory
//   INV-TABLE-LIVE a word is dropped from a cache, or still there at check(), whose table, or the one below, is freed
//   INV-CLEAN      the walker read a table word for which the CPU's cache has a newer value

import { pfn_to_page_if_made } from '#asm/memory.js';
import { PAGE_SIZE } from '#asm/page-def.js';
import { GRANULE } from '#hw/core/ram.js';
import { hex } from '#hw/core/register-file.js';
import type { CacheEntry, TranslationCache } from '#hw/iommu/cache.js';
import { hexWord, readCpu, readMemory } from '#hw/iommu/format.js';
import {
	type FaultRecord,
	type Iommu,
	NO_PASID,
	type StreamState,
	type WalkRead,
	WRITE,
} from '#hw/iommu/iommu.js';
import { is_free_buddy_page } from '#mm/page_alloc.js';
import { type Finding, seconds } from './report.js';
import type { Watched, Watcher } from './watcher.js';

export class Walks implements Watcher {
	/** Table words that were read ahead while their lines were dirty, by IOMMU and page. */
	readonly #ahead = new Map<string, WalkRead>();

	/** @owed: whether the flush of what was unmapped there is still to come. */
	constructor(
		readonly watched: Watched,
		readonly owed: (iova: number) => boolean,
	) {}

	/** What the caches hold for [@first, @last], but for what is @owed, has to agree with the tables. */
	check(operation: string, first: number, last: number, owed: (iova: number) => boolean): void {
		const { machine } = this.watched;
		for (const iommu of machine.iommus)
			for (const { invariant, cache, entry, text } of iommu.contradictions(first, last)) {
				if (owed(entry.iova)) continue;
				// A stream's record has no address: the walk is that of the access that brought it in.
				const iova = cache.kind === 'streams' ? entry.at : entry.iova;
				this.watched.find({
					invariant,
					kind: 'stale-entry',
					device: iommu.name,
					moment: 'quiet',
					place: pageOf(iova),
					details: [`After ${operation}: ${text}`, iommu.explain(entry.stream, iova).text],
					advice: `what was changed at ${hex(iova, 8)} was never invalidated in the ${cache.name}: no command since ${seconds(entry.time)} covered it`,
				});
			}
		for (const iommu of machine.iommus) this.#checkFreed(operation, iommu, first, last);
	}

	quiet(operation: string): void {
		this.check(operation, 0, Number.MAX_SAFE_INTEGER, this.owed);
	}

	/** What is cached of tables that are gone. */
	#checkFreed(operation: string, iommu: Iommu, first: number, last: number): void {
		for (const cache of iommu.caches())
			for (const entry of cache.entries())
				if (entry.iova <= last && entry.iova + entry.size > first)
					this.#freed(iommu, cache, entry, `After ${operation}: ${cache.name} has`);
	}

	/** An @entry whose table may be somebody else's by now: the walker, or the next domain with its number, uses it. */
	#freed(iommu: Iommu, cache: TranslationCache, entry: CacheEntry, what: string): void {
		if (!this.watched.running) return;
		const leads = cache.kind === 'tables' && entry.valid && isFreePage(entry.phys);
		if (!leads && !isFreePage(entry.wordAddr)) return;
		// What is cached by an IOMMU that is off is emptied before it is turned on.
		if (iommu.state(entry.stream, NO_PASID) === 'off') return;
		const [range, at] = [`${hex(entry.iova, 8)}+${hex(entry.size)}`, hex(entry.at, 8)];
		const table = leads
			? `It leads to a table at ${hex(entry.phys, 8)}`
			: `It was read at ${hex(entry.wordAddr, 8)}`;
		this.watched.find({
			invariant: 'INV-TABLE-LIVE',
			kind: 'freed-table',
			device: iommu.name,
			moment: 'quiet',
			place: `${pageOf(entry.iova)} ${pageOf(entry.wordAddr)}`,
			details: [
				`${what} ${hexWord(entry.bits, 4)} for ${range} (${entry.reason}, ${iommu.streamName(entry.stream)} at ${at})`,
				`${table}, in a page that is free`,
			],
			advice: `the table was freed before the ${cache.name} was told to forget it: invalidate first, wait, then free`,
		});
	}

	walked(iommu: Iommu, read: WalkRead): void {
		if (!this.#unclean(read)) return;
		// Ahead of an access the walker may meet a word that is just being stored: it matters when it is used.
		if (read.reason === 'prefetch') this.#ahead.set(placeOf(iommu, read.iova), read);
		else this.#dirtyTable(iommu, read);
	}

	/** Whether the CPU has stored another value there and not cleaned it. */
	#unclean({ addr, bytes, word }: WalkRead): boolean {
		const { ram } = this.watched.machine;
		return ram.isDirty(addr, bytes) && readCpu(ram, addr, bytes) !== word;
	}

	/** An access to @iova was decided: maybe by a word that was read ahead, too early. */
	#usedAhead(iommu: Iommu, iova: number): void {
		const read = this.#ahead.get(placeOf(iommu, iova));
		if (read === undefined) return;
		this.#ahead.delete(placeOf(iommu, iova));
		// Cleaned meanwhile, and then the line is dirty for another word's sake: that is none of this one's affair.
		const isCleaned = readMemory(this.watched.machine.ram, read.addr, read.bytes) !== read.word;
		if (!isCleaned && this.#unclean(read)) this.#dirtyTable(iommu, read);
	}

	#dirtyTable(iommu: Iommu, { stream, iova, table, addr, bytes, word }: WalkRead): void {
		const who = iommu.streamName(stream);
		const cpu = hexWord(readCpu(this.watched.machine.ram, addr, bytes), bytes);
		this.watched.find({
			invariant: 'INV-CLEAN',
			kind: 'dirty-table',
			device: iommu.name,
			moment: 'access',
			place: `${pageOf(iova)} ${pageOf(addr)}`,
			details: [
				`The walk for ${who} at ${hex(iova, 8)} read the ${table} word at ${hex(addr, 8)} as ${hexWord(word, bytes)}; the CPU stored ${cpu} there and has not cleaned the line`,
				iommu.explain(stream, iova).text,
			],
			advice: `who stored ${cpu} at ${hex(addr, 8)} did not clean its line (dma_sync_single_for_device()) before the hardware could walk it`,
		});
	}

	dropped(iommu: Iommu, cache: TranslationCache, entry: CacheEntry, why: string): void {
		if (why !== 'reset') this.#freed(iommu, cache, entry, `Dropped too late (${why}): ${cache.name} had`);
	}

	answered(
		iommu: Iommu,
		stream: number,
		pasid: number,
		iova: number,
		access: number,
		phys: number,
		entry: CacheEntry | null,
	): void {
		if (entry === null) {
			this.#passed(iommu, stream, pasid, iova, access, phys);
			return;
		}
		if (this.#ahead.size !== 0) this.#usedAhead(iommu, iova);
		const leaf = iommu.leaf(stream, pasid, iova);
		if (leaf.phys === phys && leaf.word === entry.bits) return;
		const to = leaf.phys < 0 ? 'that nothing is mapped there' : hex(leaf.phys, 8);
		this.watched.find({
			invariant: 'INV-TLB-UNMAP',
			kind: 'stale-tlb',
			...asAccessed(iommu, stream, iova, access, phys),
			details: [
				`${iommu.streamName(stream)} was answered from a cached entry ${hexWord(entry.bits, 4)}; the tables in memory say ${to}`,
				iommu.explain(stream, iova, pasid).text,
			],
			advice: `the word for ${hex(iova, 8)} was changed after it had been cached at ${seconds(entry.time)}, and no invalidation has covered it`,
		});
	}

	/** No cached page answered. Where the stream has tables, or none of its accesses is to pass, nothing else may. */
	#passed(iommu: Iommu, stream: number, pasid: number, iova: number, access: number, phys: number): void {
		const state = iommu.state(stream, pasid);
		if (state === 'off' || state === 'bypass' || iommu.leaf(stream, pasid, iova).phys === phys) return;
		this.#staleStream(iommu, stream, pasid, iova, access, phys, 'passed untranslated', state);
	}

	#staleStream(
		iommu: Iommu,
		stream: number,
		pasid: number,
		iova: number,
		access: number,
		phys: number,
		what: string,
		state: StreamState,
	): void {
		this.watched.find({
			invariant: 'INV-PTW',
			kind: 'stale-stream',
			...asAccessed(iommu, stream, iova, access, phys),
			details: [
				`${iommu.streamName(stream)} was ${what} by what is cached of the stream; what is set up for it is: ${state}`,
				iommu.explain(stream, iova, pasid).text,
			],
			advice: `the record of ${iommu.streamName(stream)} was changed without an invalidation of what the hardware has cached of it`,
		});
	}

	faulted(iommu: Iommu, fault: FaultRecord): void {
		const { stream, pasid, iova, access } = fault;
		if (this.#ahead.size !== 0) this.#usedAhead(iommu, iova);
		const state = iommu.state(stream, pasid);
		if (state === 'bypass') this.#staleStream(iommu, stream, pasid, iova, access, -1, 'refused', state);
		const leaf = iommu.leaf(stream, pasid, iova);
		if (leaf.phys < 0 || (access & ~leaf.rights) !== 0) return;
		this.watched.find({
			invariant: 'INV-TLB-MAP',
			kind: 'stale-negative',
			...asAccessed(iommu, stream, iova, access, -1),
			details: [
				`${iommu.streamName(stream)} was refused by a cached word (${fault.what}) ${hexWord(fault.word, 4)}; the tables in memory lead to ${hex(leaf.phys, 8)}`,
				iommu.explain(stream, iova, pasid).text,
			],
			advice: `${hex(iova, 8)} was mapped after the hardware had cached that it was not, and iotlb_sync_map() has not made it forget that`,
		});
	}
}

/** Whether the page at @phys has been somebody's, and is free. */
export function isFreePage(phys: number): boolean {
	const page = phys < 0 ? null : pfn_to_page_if_made(Math.floor(phys / PAGE_SIZE));
	return page !== null && is_free_buddy_page(page);
}

/** The page of @iova behind @iommu. */
function placeOf(iommu: Iommu, iova: number): string {
	return `${iommu.name} ${pageOf(iova)}`;
}

function pageOf(addr: number): string {
	return String(Math.floor(addr / GRANULE));
}

/** When and where, of a finding about an access, which led to @phys. */
function asAccessed(
	iommu: Iommu,
	stream: number,
	iova: number,
	access: number,
	phys: number,
): Pick<Finding, 'device' | 'moment' | 'what' | 'place' | 'access'> {
	const write = (access & WRITE) !== 0;
	return {
		device: iommu.name,
		moment: 'access',
		what: `${write ? 'write' : 'read'} by ${iommu.streamName(stream)} at ${hex(iova, 8)}`,
		place: `${pageOf(iova)} ${pageOf(phys)} ${write}`,
		access: { addr: iova, phys, size: 1, write },
	};
}
