// SPDX-License-Identifier: GPL-2.0-only
// What the caches of the H6 IOMMU hold, and how willing they are to keep it.

/** Sizes and habits of the caches. A size of Infinity: nothing is thrown out. */
export interface IommuBehaviour {
	microEntries: number;
	macroEntries: number;
	walkEntries: number;
	/** Invalid table words are cached too, and answered from the cache. */
	negative: boolean;
	/** A walk brings in the valid entries of its aligned group of this many pages (1: only the page itself). */
	neighbours: number;
	/** Neighbours that are invalid are cached as such (a driver then has to invalidate every page that it maps). */
	negativeNeighbours: boolean;
	/** A walk is followed by one for the next page, for masters that have prefetch on. */
	prefetch: boolean;
	/** A prefetch that meets an invalid word is a fault, with bit 31 set in the blame register. */
	prefetchFaults: boolean;
	/** A single invalidation is lost while AUTO_GATING is on. */
	gatingLosesInvalidation: boolean;
	/** Flushes and invalidations take effect when they end, not when they begin. */
	lateInvalidation: boolean;
	/** After a fault the master gets no answer until its reset bit went through 0. */
	stallOnFault: boolean;
	/** Chance that a lookup throws a random entry out first. */
	evictChance: number;
	/** How long a flush, and an invalidation, keeps its busy bits. */
	busyNs: number;
}

export const PESSIMISTIC: Readonly<IommuBehaviour> = {
	microEntries: Number.POSITIVE_INFINITY,
	macroEntries: Number.POSITIVE_INFINITY,
	walkEntries: Number.POSITIVE_INFINITY,
	negative: true,
	neighbours: 8,
	negativeNeighbours: false,
	prefetch: true,
	prefetchFaults: false,
	gatingLosesInvalidation: true,
	lateInvalidation: true,
	stallOnFault: true,
	evictChance: 0,
	busyNs: 400,
};

export const OPTIMISTIC: Readonly<IommuBehaviour> = {
	microEntries: 4,
	macroEntries: 16,
	walkEntries: 4,
	negative: false,
	neighbours: 1,
	negativeNeighbours: false,
	prefetch: false,
	prefetchFaults: false,
	gatingLosesInvalidation: false,
	lateInvalidation: false,
	stallOnFault: true,
	evictChance: 1 / 4,
	busyNs: 100,
};

export type FillReason = 'walk' | 'prefetch' | 'neighbour' | 'macro';

/** A cached table word, with its history. */
export interface CachedEntry {
	/** Page number for TLBs, MiB number for the walk cache. */
	readonly tag: number;
	/** The table word as it was read. */
	readonly word: number;
	/** Where that word is in memory. */
	readonly wordAddr: number;
	/** Virtual time of the fill. */
	readonly time: number;
	/** Whose access filled it, at which address. */
	readonly master: number;
	readonly iova: number;
	readonly reason: FillReason;
	/** The root at that time. */
	readonly root: number;
}

/** A cache of table words. Entries go in the order they came when it is full. */
export class WordCache {
	readonly entries = new Map<number, CachedEntry>();

	find(tag: number): CachedEntry | undefined {
		return this.entries.get(tag);
	}

	fill(entry: CachedEntry, limit: number): void {
		if (!this.entries.has(entry.tag) && this.entries.size >= limit)
			for (const oldest of this.entries.keys()) {
				this.entries.delete(oldest);
				break;
			}
		this.entries.set(entry.tag, entry);
	}

	/** Throw the @nth entry out. */
	evict(chance: number): void {
		let nth = Math.floor(chance * this.entries.size);
		for (const tag of this.entries.keys())
			if (nth-- === 0) {
				this.entries.delete(tag);
				break;
			}
	}

	clear(): void {
		// Clearing a Map makes a new table, and flushes mostly find nothing.
		if (this.entries.size !== 0) this.entries.clear();
	}
}
