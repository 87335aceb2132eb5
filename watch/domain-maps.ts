// SPDX-License-Identifier: GPL-2.0-only
// What is mapped in each domain: by the calls of map_pages() and unmap_pages(), and what walks may meet on the way.
//
//   INV-ERR  a mapping that failed took another's away as it was undone

import { hex } from '#hw/core/register-file.js';
import type { Iommu } from '#hw/iommu/iommu.js';
import { type iommu_domain, iommu_iotlb_gather_queued } from '#linux/iommu.js';
import type { Mapping } from './agreement.js';
import type { Contract } from './contract.js';
import type { DomainOwed } from './domain-owed.js';
import type { DomainSet, DomainWatch, Fresh } from './domain-set.js';
import type { DomainTables } from './domain-tables.js';
import type { DriverLog } from './driver-log.js';
import type { MapCall, UnmapCall } from './iommu-ops.js';
import { isFree } from './iovas.js';
import { functionsOf, type JournalEvent } from './journal.js';
import { takeAt } from './lists.js';
import type { Range, Ranges } from './ranges.js';
import { asReturns } from './report.js';
import type { Watched } from './watcher.js';

/** How many mappings are remembered that have ended, by domain. */
const REMEMBERED = 1024;
/** How many pages of an unmapping a walk ahead of it may have met: spread over the range, its ends among them. */
const AHEAD = 8;

export class DomainMaps {
	/** Whose tables are just being changed; the last began last. */
	readonly #changing: DomainWatch[] = [];

	constructor(
		readonly watched: Watched,
		readonly set: DomainSet,
		readonly log: DriverLog,
		readonly tables: DomainTables,
		readonly owed: DomainOwed,
		readonly contract: Contract,
	) {}

	mapping(domain: iommu_domain, iova: number, paddr: number, size: number): void {
		const watch = this.set.watch(domain);
		const last = iova + size - 1;
		if (watch.fresh.length === 0) this.log.begin();
		// Behind what the same mapping has just made nobody walks yet.
		const walked = tailOf(watch.fresh, iova) === null;
		watch.changing.push({ first: iova, last, phys: paddr, walked });
		this.#changing.push(watch);
		if (!walked) return;
		this.set.speculate(watch, iova);
		for (const { iommu } of this.set.streams(watch))
			if (iommu.habits.negativeNeighbours) {
				// A walk for what is behind the range brings the words before it.
				if (size > 4096) this.set.speculate(watch, last - (last % 4096));
				break;
			}
	}

	mapped(call: MapCall): void {
		const { domain, iova, pgsize, pgcount, ret, done, fn } = call;
		const watch = this.set.watch(domain);
		this.#returned(watch);
		const device = this.set.name(watch);
		const end = iova + pgsize * pgcount - 1;
		const { mappings } = watch;
		const taken = mappings.first(iova, end);
		this.contract.mapped(call, taken === null ? -1 : Math.max(iova, taken.first), device);
		this.log.changed();
		if (done > 0) {
			const last = iova + done - 1;
			this.owed.reused(watch, iova, last, fn);
			this.#add(watch, last, call);
		}
		if (ret >= 0) return;
		watch.undoing = watch.fresh.map(({ first, last }) => ({ first, last }));
		this.#unguess(watch, iova, end);
		if (done <= end - iova) this.tables.undone(watch, iova + done, end, fn);
	}

	/** [@iova, @last] is mapped, alone or behind what the call before has mapped. */
	#add(watch: DomainWatch, last: number, { iova, paddr: phys, prot, pgsize, fn }: MapCall): void {
		const tail = tailOf(watch.fresh, iova);
		if (tail !== null && tail.by === fn) {
			const old = tail.mapping;
			tail.last = last;
			const goesOn = old.phys + (iova - old.iova) === phys && old.prot === prot && old.pgsize === pgsize;
			if (goesOn && watch.mappings.grow(iova, last, old)) return;
			tail.mapping = { iova, phys, prot, pgsize, made: tail.event, ended: null };
			watch.mappings.set(iova, last, tail.mapping);
			return;
		}
		const event = this.watched.journal.sample(fn, this.set.name(watch));
		const mapping = { iova, phys, prot, pgsize, made: event, ended: null };
		watch.mappings.set(iova, last, mapping);
		watch.fresh.push({ first: iova, last, by: fn, event, mapping });
	}

	/** Nothing more of what [@first, @last] had: a map that fails invalidates nothing. */
	#unguess(watch: DomainWatch, first: number, last: number): void {
		for (const { iommu } of this.set.streams(watch))
			for (const cache of iommu.caches())
				cache.unguess(({ valid, iova, size }) => !valid && iova <= last && iova + size > first);
	}

	unmapping(domain: iommu_domain, iova: number, size: number): void {
		const watch = this.set.watch(domain);
		if (watch.owed.length === 0) this.log.begin();
		watch.changing.push({ first: iova, last: iova + size - 1, phys: -1, walked: true });
		this.#changing.push(watch);
		const step = Math.max(4096, Math.ceil(size / AHEAD / 4096) * 4096);
		const { mappings } = watch;
		for (let at = iova; at < iova + size; at += step)
			if (mappings.find(at) !== null) this.set.speculate(watch, at);
		if (size > step && mappings.find(iova + size - 1) !== null) this.set.speculate(watch, iova + size - 4096);
	}

	unmapped(call: UnmapCall): void {
		const { domain, iova, size, gather, fn } = call;
		const watch = this.set.watch(domain);
		this.#returned(watch);
		const last = iova + size - 1;
		if (!watch.partial) {
			const mapped = inOnePiece(watch.mappings, iova);
			const whole = watch.mappings.find(iova)?.value.pgsize ?? 0;
			this.contract.unmapped(call, mapped, whole, this.set.name(watch));
		}
		this.log.changed();
		if (!(size > 0)) return;
		const list = iommu_iotlb_gather_queued(gather) ? watch.lazy : watch.owed;
		const tail = list.at(-1);
		let event: JournalEvent;
		if (tail !== undefined && tail.gather === gather && tail.last + 1 === iova && !tail.compared) {
			tail.last = last;
			event = tail.event;
		} else {
			event = this.watched.journal.sample(fn, this.set.name(watch));
			list.push({ first: iova, last, by: fn, event, gather, compared: false, taken: !isFree(domain, iova) });
		}
		const gone = watch.mappings.remove(iova, last);
		this.#undone(watch, gone);
		for (const range of gone) {
			range.value.ended = event;
			watch.ended.push(range);
		}
		if (watch.ended.length > 2 * REMEMBERED) watch.ended.splice(0, REMEMBERED);
		// A mapping that failed half-way is undone.
		for (let i = watch.fresh.length - 1; i >= 0; i--)
			if (watch.fresh[i].last >= iova && watch.fresh[i].first <= last) takeAt(watch.fresh, i);
	}

	/** Who undoes a mapping that failed takes away what it had mapped, and none of @gone else. */
	#undone(watch: DomainWatch, gone: readonly Range<Mapping>[]): void {
		const { undoing } = watch;
		if (undoing === null || this.watched.machine.injecting) return;
		const other = gone.find(
			({ first, last }) => !undoing.some((own) => own.first <= first && own.last >= last),
		);
		if (other === undefined) return;
		const device = this.set.name(watch);
		// A driver's function may also be called without the core, by a test: then nobody undoes.
		const now = this.watched.journal.record('iommu_unmap', device);
		if (!functionsOf(now.stack).some(({ name }) => name === '__iommu_map')) return;
		const range = `[${hex(other.first, 8)}, ${hex(other.last + 1, 8)})`;
		const own = undoing.map(({ first, last }) => `[${hex(first, 8)}, ${hex(last + 1, 8)})`).join(', ');
		this.watched.find({
			invariant: 'INV-ERR',
			kind: 'undo-too-wide',
			device,
			...asReturns('__iommu_map'),
			details: [
				`A mapping has failed, and what it had mapped (${own === '' ? 'nothing' : own}) is undone; ${range}, which another had mapped, is gone with it`,
				...other.value.made.lines('Mapped'),
			],
			advice: `__iommu_map() undid the whole size that it was asked for: iommu_unmap() has to get only what was done, and leave the live mapping of ${range} alone`,
		});
	}

	#returned(watch: DomainWatch): void {
		this.log.leave();
		watch.changing.pop();
		this.#changing.pop();
	}

	/** An invalidation took effect. What is not changed yet may be cached again at once. */
	commanded(iommu: Iommu): void {
		for (const watch of this.#changing) {
			const span = watch.changing.at(-1);
			if (span === undefined || !this.set.streams(watch).some((stream) => stream.iommu === iommu)) continue;
			for (const iova of [span.first, span.last - (span.last % 4096)])
				if (span.phys < 0 && this.set.isMapped(watch, iova)) this.set.speculate(watch, iova);
			if (span.phys >= 0 && span.walked && !this.set.isMapped(watch, span.first))
				this.set.speculate(watch, span.first);
		}
	}
}

/** Which of @fresh ends right before @iova; null: none. */
function tailOf(fresh: readonly Fresh[], iova: number): Fresh | null {
	for (let i = 0; i < fresh.length; i++) if (fresh[i].last + 1 === iova) return fresh[i];
	return null;
}

/** How many bytes from @iova on are mapped without a hole. */
function inOnePiece(mappings: Ranges<Mapping>, iova: number): number {
	let end = iova;
	for (let range = mappings.find(end); range !== null; range = mappings.find(end)) end = range.last + 1;
	return end - iova;
}
