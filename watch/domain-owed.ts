// SPDX-License-Identifier: GPL-2.0-only
// What is owed when a mapping, or an unmapping, has been made: that the hardware is told of it.
//
//   INV-IOVA       an address is mapped again, or given back, before its last mapping was flushed
//   INV-TLB-UNMAP  nobody ever synchronised what was unmapped

import { hex } from '#hw/core/register-file.js';
import type { CacheEntry } from '#hw/iommu/cache.js';
import { type iommu_domain, type iommu_iotlb_gather, iommu_iotlb_gather_queued } from '#linux/iommu.js';
import type { Agreement, Owed } from './agreement.js';
import type { Contract } from './contract.js';
import type { DomainSet, DomainWatch, Unmapped } from './domain-set.js';
import type { DomainTables } from './domain-tables.js';
import { isFree } from './iovas.js';
import { takeAt } from './lists.js';
import { asReturns } from './report.js';
import type { Watched } from './watcher.js';

export class DomainOwed {
	/** Whose caches are looked at. */
	#settling: DomainWatch | null = null;
	/** Another domain's tables may just be changing on another CPU: what is cached of them is not this one's fault. */
	readonly #excused = ({ stream, iova, size }: CacheEntry): boolean => {
		for (const other of this.set.all()) {
			if (other === this.#settling || !other.isChanging(iova, iova + size - 1)) continue;
			if (this.set.streams(other).some(({ port }) => port.stream === stream)) return true;
		}
		return false;
	};

	constructor(
		readonly watched: Watched,
		readonly set: DomainSet,
		readonly tables: DomainTables,
		readonly contract: Contract,
		readonly agreement: Agreement,
	) {}

	syncedMap(domain: iommu_domain, iova: number, size: number, ret: number, fn: string): void {
		const watch = this.set.watch(domain);
		this.contract.returned(ret, this.set.name(watch), fn);
		const last = iova + size - 1;
		this.#finish(watch, iova, last, fn);
		if (size > 0 && ret === 0) this.#caches(watch, iova, last, fn, null);
	}

	synced(domain: iommu_domain, gather: iommu_iotlb_gather, fn: string): void {
		const watch = this.set.watch(domain);
		if (iommu_iotlb_gather_queued(gather)) return;
		for (const owed of watch.owed)
			if (owed.gather === gather && owed.taken && isFree(domain, owed.first))
				this.#freedEarly(watch, owed, fn);
		this.#settleAll(watch, watch.owed, gather, fn);
	}

	flushedAll(domain: iommu_domain, fn: string): void {
		const watch = this.set.watch(domain);
		this.#settleAll(watch, watch.lazy, null, fn);
	}

	/** Those of @list are flushed that are @gather's, or (null) all. */
	#settleAll(watch: DomainWatch, list: Unmapped[], gather: iommu_iotlb_gather | null, fn: string): void {
		for (let i = 0; i < list.length; i++) {
			const owed = list[i];
			if (gather !== null && owed.gather !== gather) continue;
			takeAt(list, i--);
			if (!owed.compared) this.tables.inTables(watch, owed);
			this.#caches(watch, owed.first, owed.last, fn, owed);
		}
	}

	/** The caches agree with the tables of @watch. */
	#caches(watch: DomainWatch, first: number, last: number, fn: string, owed: Owed | null): void {
		this.#settling = watch;
		this.agreement.caches(this.set.streams(watch), first, last, fn, owed, this.#excused);
	}

	/** What was mapped of [@first, @last] is in the tables, and nothing beside it has changed. */
	#finish(watch: DomainWatch, first: number, last: number, sync: string | null): void {
		for (let i = 0; i < watch.fresh.length; i++) {
			const fresh = watch.fresh[i];
			if (fresh.first > last || fresh.last < first) continue;
			takeAt(watch.fresh, i--);
			this.tables.inTables(watch, fresh);
			if (sync === null) this.#caches(watch, fresh.first, fresh.last, fresh.by, null);
		}
	}

	// --- as the core's functions return (its tracepoints)

	/** iommu_map() is about to return: who has no iotlb_sync_map() has done all that it does. */
	mapReturns(): void {
		for (const watch of this.set.all())
			if (watch.fresh.length !== 0 && watch.domain.ops?.iotlb_sync_map === undefined)
				this.#finish(watch, 0, Number.MAX_SAFE_INTEGER, null);
	}

	/** iommu_unmap() is: the same for iotlb_sync(). What waits for the flush queue is gone from the tables at least. */
	unmapReturns(): void {
		for (const watch of this.set.all()) {
			watch.undoing = null;
			if (watch.owed.length !== 0 && watch.domain.ops?.iotlb_sync === undefined)
				for (const owed of watch.owed.splice(0)) {
					this.tables.inTables(watch, owed);
					this.#caches(watch, owed.first, owed.last, owed.by, owed);
				}
			// Who cannot be told to flush has done it.
			if (watch.lazy.length !== 0 && watch.domain.ops?.flush_iotlb_all === undefined)
				this.#settleAll(watch, watch.lazy, null, watch.lazy[0].by);
			for (let i = watch.lazy.length - 1; i >= 0 && !watch.lazy[i].compared; i--) {
				watch.lazy[i].compared = true;
				this.tables.inTables(watch, watch.lazy[i]);
			}
		}
	}

	// --- what was not done

	/** [@first, @last] has been mapped: what was there before has been flushed. */
	reused(watch: DomainWatch, first: number, last: number, fn: string): void {
		for (const list of [watch.lazy, watch.owed])
			for (const owed of list) {
				if (owed.last < first || owed.first > last) continue;
				const at = Math.max(first, owed.first);
				this.watched.find({
					invariant: 'INV-IOVA',
					kind: 'reused-before-flush',
					device: this.set.name(watch),
					...asReturns(fn),
					details: [
						`${fn}() has mapped ${hex(first, 8)}..${hex(last, 8)}; ${owed.by}() has unmapped ${hex(at, 8)} before, and ${list === watch.lazy ? 'flush_iotlb_all()' : 'iotlb_sync()'} has not been called since`,
						...owed.event.lines('Unmapped'),
					],
					advice:
						list === watch.lazy
							? `the range at ${hex(owed.first, 8)} was given back (free_iova_fast()) before the flush queue has flushed: it belongs into the queue (queue_iova()) until then`
							: `who unmapped ${hex(owed.first, 8)} with iommu_unmap_fast() has not called iommu_iotlb_sync() before the range was used again`,
				});
				return;
			}
	}

	/** @owed is flushed only now, by @fn, and others may have had its addresses before. */
	#freedEarly(watch: DomainWatch, owed: Unmapped, fn: string): void {
		const range = `[${hex(owed.first, 8)}, ${hex(owed.last + 1, 8)})`;
		this.watched.find({
			invariant: 'INV-IOVA',
			kind: 'iova-freed-early',
			device: this.set.name(watch),
			...asReturns('__iommu_dma_unmap'),
			details: [
				`${fn}() has flushed ${range}, which ${owed.by}() had unmapped: the range was given back before that`,
				...owed.event.lines('Unmapped'),
			],
			advice: `__iommu_dma_unmap() called iommu_dma_free_iova() for ${range} before iommu_iotlb_sync(): the next mapping may get the range while the IOMMU still leads to the old pages, so it has to sync first`,
		});
	}

	/** Nothing of what was unmapped in @watch's domain may still wait for its iotlb_sync(). */
	noneWaits(watch: DomainWatch, moment: 'return' | 'quiet'): void {
		for (const owed of watch.owed) this.#unsynced(watch, owed, moment);
	}

	#unsynced(watch: DomainWatch, owed: Unmapped, moment: 'return' | 'quiet'): void {
		this.watched.find({
			invariant: 'INV-TLB-UNMAP',
			kind: 'never-synced',
			device: this.set.name(watch),
			moment,
			place: owed.by,
			details: [
				`${owed.by}() has unmapped ${hex(owed.first, 8)}..${hex(owed.last, 8)}, and iotlb_sync() was never called`,
				...owed.event.lines('Unmapped'),
			],
			advice: `who called iommu_unmap_fast() for ${hex(owed.first, 8)}..${hex(owed.last, 8)} must call iommu_iotlb_sync() with the same gather structure before anything else becomes of the range`,
		});
	}
}
