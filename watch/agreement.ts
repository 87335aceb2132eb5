// SPDX-License-Identifier: GPL-2.0-only
// What the hardware has, against what the kernel means it to have: tables, rights, caches, the states of streams.
//
//   INV-CLEAN      the tables in memory do not say what was just mapped, or still say what was just unmapped
//   INV-PERM       they give more rights, or fewer
//   INV-TLB-UNMAP  after the synchronisation that an unmapping was owed a cache may still have it
//   INV-TLB-MAP    after a mapping has returned a cache may still deny it
//   INV-PTW        the same for the words on the way
//   INV-PWR        a stream is not in the state, or not on the tables, that its domain asks for

import type { DmaPort } from '#hw/core/dma-port.js';
import { hex } from '#hw/core/register-file.js';
import type { CacheEntry } from '#hw/iommu/cache.js';
import { POWERS } from '#hw/iommu/format.js';
import {
	accessText,
	type Contradiction,
	type Iommu,
	type Leaf,
	NO_PASID,
	READ,
	type StreamState,
	WRITE,
} from '#hw/iommu/iommu.js';
import type { DriverLog } from './driver-log.js';
import type { JournalEvent } from './journal.js';
import type { Ranges } from './ranges.js';
import { asReturns } from './report.js';
import type { Watched } from './watcher.js';

/** One piece of what a domain maps. */
export interface Mapping {
	/** Where its first address leads, and which that is. */
	readonly iova: number;
	readonly phys: number;
	readonly prot: number;
	/** Of what pages map_pages() was to make it. */
	readonly pgsize: number;
	readonly made: JournalEvent;
	/** What took it away; null while it is there. */
	ended: JournalEvent | null;
}

/** A stream that translates by a domain, or shall. */
export interface Stream {
	readonly port: DmaPort;
	readonly iommu: Iommu;
}

/** A range that an operation has changed. */
export interface Span {
	readonly first: number;
	readonly last: number;
}

/** One that the driver is just changing. */
export interface Change extends Span {
	/** Where it is to lead; -1: nowhere. */
	readonly phys: number;
	/** A walk may meet its first address before it is changed. */
	readonly walked: boolean;
}

/** A range whose invalidation is owed. */
export interface Owed extends Span {
	readonly by: string;
	readonly event: JournalEvent;
}

/** How many pages of one operation are compared with the tables: from its beginning, and its last. */
const COMPARED = 64;

export class Agreement {
	constructor(
		readonly watched: Watched,
		readonly log: DriverLog,
	) {}

	/** The tables in memory against @meant, for pages of [@first, @last], as @streams see them; false: they differ. */
	compare(
		streams: readonly Stream[],
		meant: Ranges<Mapping>,
		first: number,
		last: number,
		fn: string,
	): boolean {
		for (let n = 0; n < streams.length; n++) {
			const { port, iommu } = streams[n];
			if (iommu.state(port.stream, NO_PASID) !== 'translate') continue;
			// What is above the IOMMU's addresses is another rule's (iommu-range.ts).
			const end = Math.min(last, POWERS[iommu.inputBits] - 1);
			let compared = 0;
			for (let at = first; at <= end; ) {
				const leaf = iommu.leaf(port.stream, NO_PASID, at);
				if (!this.#agrees(meant, streams[n], at, leaf, fn)) return false;
				const next = leaf.iova + leaf.size;
				// Of the others only their rights can differ. The rest of a long range is as good as its end.
				at = (n > 0 || ++compared === COMPARED) && next <= end ? Math.max(next, end) : next;
			}
			// Rights may differ by stream; where nothing is mapped they do not.
			if (meant.find(first) === null) return true;
		}
		return true;
	}

	#agrees(meant: Ranges<Mapping>, { port, iommu }: Stream, at: number, leaf: Leaf, fn: string): boolean {
		const mapping = meant.find(at);
		const phys = mapping === null ? -1 : mapping.value.phys + (at - mapping.value.iova);
		const rights = mapping === null ? 0 : mapping.value.prot & (READ | WRITE);
		if (leaf.phys !== phys && !(phys >= 0 && rights === 0 && leaf.phys < 0)) {
			const walk = iommu.explain(port.stream, at);
			const dirty = walk.steps.find((step) => step.dirty && step.memory !== step.cpu);
			const how =
				dirty !== undefined
					? `the word at ${hex(dirty.addr, 8)} is stored in the CPU's cache and has not been cleaned`
					: 'the word in memory is another one';
			const said = leaf.phys < 0 ? 'map nothing there' : `lead to ${hex(leaf.phys, 8)}`;
			const want = phys >= 0 ? `mapped to ${hex(phys, 8)}` : 'not mapped';
			this.watched.find({
				invariant: 'INV-CLEAN',
				kind: phys < 0 ? 'still-in-tables' : 'not-in-tables',
				device: iommu.name,
				...asReturns(fn),
				details: [
					`${fn}() has returned, ${hex(at, 8)} is ${want}, and the tables in memory ${said}: ${how}`,
					walk.text,
					...this.log.lines(),
				],
				advice:
					dirty !== undefined
						? `${fn}() stored the ${dirty.table} word at ${hex(dirty.addr, 8)}, and none that it calls has cleaned its line: ${this.#cleaned()}`
						: `${fn}() wrote a wrong word for ${hex(at, 8)}, wrote it at the wrong index, or wrote none`,
			});
			return false;
		}
		if (phys >= 0 && leaf.phys >= 0 && leaf.rights !== rights) {
			this.watched.find({
				invariant: 'INV-PERM',
				kind: 'wrong-rights',
				device: port.name,
				...asReturns(fn),
				details: [
					`${fn}() has returned, ${hex(at, 8)} was mapped for ${accessText(rights)}, and the hardware lets ${port.name} ${accessText(leaf.rights)}`,
					iommu.explain(port.stream, at).text,
				],
				advice: `${fn}() turns the prot argument into the wrong bits of the word at ${hex(leaf.wordAddr, 8)}, or the registers that give these bits their meaning for ${port.name} are set up wrong`,
			});
			return false;
		}
		return true;
	}

	/**
	 * What the caches hold, or may, for [@first, @last], after what was to make them forget; @owed: what it was. @excused:
	 * an entry that another operation, which is still going on, is about to make them forget.
	 */
	caches(
		streams: readonly Stream[],
		first: number,
		last: number,
		fn: string,
		owed: Owed | null,
		excused: (entry: CacheEntry) => boolean,
	): void {
		let before: Iommu | null = null;
		for (let i = 0; i < streams.length; i++) {
			const { iommu } = streams[i];
			if (iommu === before) continue;
			before = iommu;
			const wrong = this.#stale(iommu, first, last, excused);
			if (wrong === null) continue;
			const kind = owed === null ? 'stale-after-map' : 'stale-after-unmap';
			const what =
				owed === null
					? `${fn}() has returned after a mapping of ${hex(first, 8)}..${hex(last, 8)}`
					: `${owed.by}() has unmapped ${hex(owed.first, 8)}..${hex(owed.last, 8)}, ${fn}() has returned`;
			this.#staleEntry(iommu, wrong, kind, fn, what, owed?.event ?? null, first);
		}
	}

	/** What @iommu's caches hold, or may, of other tables than those that @fn has just given it. */
	switched(iommu: Iommu, fn: string, isOwed: (iova: number) => boolean): void {
		const guessed = iommu.stuck.size === 0 ? iommu.speculated?.(0, 2 ** iommu.inputBits - 1) : undefined;
		const all = [...iommu.contradictions(), ...(guessed ?? [])];
		// What waits for the flush queue may be there still.
		const wrong = all.find(({ cache, entry }) => cache.kind === 'streams' || !isOwed(entry.iova));
		if (wrong === undefined) return;
		this.#staleEntry(iommu, wrong, 'stale-after-attach', fn, `${fn}() has returned`, null, 0);
	}

	#stale(
		iommu: Iommu,
		first: number,
		last: number,
		excused: (entry: CacheEntry) => boolean,
	): Contradiction | null {
		const real = firstOf(iommu.contradictions(first, last), excused);
		if (real !== null || iommu.speculated === undefined) return real;
		// Hardware that does not what it is told is not the driver's fault.
		return iommu.stuck.size === 0 ? firstOf(iommu.speculated(first, last), excused) : null;
	}

	#staleEntry(
		iommu: Iommu,
		wrong: Contradiction,
		kind: string,
		fn: string,
		what: string,
		by: JournalEvent | null,
		first: number,
	): void {
		const { cache, entry } = wrong;
		const did = this.log.commands(iommu);
		const early = this.log.early(iommu);
		const waits = iommu.underWay?.()?.what ?? '';
		const guessed = entry.reason === 'guess';
		// One word of it will do.
		if (guessed) for (const each of iommu.caches()) each.unguess((other) => other.iova === entry.iova);
		const at = cache.kind === 'streams' ? entry.at : entry.iova;
		const where = cache.kind === 'streams' ? `the record of ${iommu.streamName(entry.iova)}` : hex(at, 8);
		const commands = did === '' ? 'no invalidation has taken effect' : `there was ${did}`;
		this.watched.find({
			invariant: wrong.invariant,
			kind,
			device: iommu.name,
			...asReturns(fn),
			details: [
				guessed
					? `${what}, and a walk ahead of it may have left: ${wrong.text}`
					: `${what}, and ${wrong.text}`,
				`Between the change of the tables and now ${commands}`,
				...this.log.lines(),
				...(waits === '' ? [] : [`Commanded, and not done: ${waits}`]),
				...(by === null ? [] : by.lines('Unmapped')),
				iommu.explain(Math.max(0, entry.stream), Math.max(first, at)).text,
			],
			advice:
				waits !== ''
					? `${fn}() returns before ${waits} has taken effect: it must wait until the hardware says so`
					: did !== ''
						? `what ${fn}() invalidates (${did}) does not cover ${where} in the ${cache.name}, or came before the word was clean`
						: early !== ''
							? `${fn}() invalidates too early (${early}), before the word for ${where} is changed and clean: the hardware may have read it again into the ${cache.name}`
							: `${fn}() does not invalidate at all what the ${cache.name} has of ${where}`,
		});
	}

	/** What was cleaned instead. */
	#cleaned(): string {
		const cleans = this.log.cleans();
		return cleans === ''
			? 'dma_sync_single_for_device() is missing, of all words that it wrote'
			: `dma_sync_single_for_device() must cover all words that it wrote, and there was only ${cleans}`;
	}

	/** Whether @stream is as a domain that asks for @wanted has it, after @fn. */
	inState({ port, iommu }: Stream, wanted: StreamState, fn: string): boolean {
		const state = iommu.state(port.stream, NO_PASID);
		if (state === wanted || (wanted === 'bypass' && state === 'off')) return true;
		this.watched.find({
			invariant: 'INV-PWR',
			kind: 'not-attached',
			device: port.name,
			...asReturns(fn),
			details: [
				`${fn}() has returned 0 for a domain that asks for "${wanted}", and the hardware has stream ${port.stream} at "${state}"`,
			],
			advice: `${fn}() does not set up what makes the hardware "${wanted}" stream ${port.stream}, or an order between its registers is wrong`,
		});
		return false;
	}
}

function firstOf(
	all: readonly Contradiction[],
	excused: (entry: CacheEntry) => boolean,
): Contradiction | null {
	for (const wrong of all) if (!excused(wrong.entry)) return wrong;
	return null;
}

/** Whether the block answers: what has no power is set up when it gets it. */
export function isPowered({ machine }: Watched, iommu: Iommu): boolean {
	return machine.bus.windows.every((window) => window.model !== iommu || window.unpowered() === null);
}
