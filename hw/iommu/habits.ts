// SPDX-License-Identifier: GPL-2.0-only
// What translation hardware does that no manual promises, as a policy.
//
// "pessimistic": everything that may be cached is, and stays until it is invalidated; what may happen late happens
// late. "optimistic": few entries, thrown out at random, nothing invalid kept: bugs hide as on a lucky board.

import type { Policy } from '#hw/core/model.js';

/** Sizes and habits of the caches. A size of Infinity: nothing is thrown out. */
export interface Habits {
	/** Entries of each stream's own TLB. */
	microEntries: number;
	/** Entries of the TLB that all streams share. */
	sharedEntries: number;
	/** Entries of each level's walk cache. */
	walkEntries: number;
	/** Invalid table words are cached too, and answered from the cache. */
	negative: boolean;
	/** A walk brings in the valid entries of its aligned group of this many pages (1: only the page itself). */
	neighbours: number;
	/** The same for the words of the tables on the way. */
	walkNeighbours: number;
	/** Neighbours that are invalid are cached as such (a driver then has to invalidate every page that it maps). */
	negativeNeighbours: boolean;
	/** A walk is followed by one for the next page, for streams that have prefetch on. */
	prefetch: boolean;
	/** A prefetch that meets an invalid word is a fault. */
	prefetchFaults: boolean;
	/** A single invalidation is lost while the block's clock is gated automatically. */
	gatingLosesInvalidation: boolean;
	/** It walks for nobody: what it may have cached so, at any time, is held against every invalidation. */
	speculates: boolean;
	/** Flushes and invalidations take effect when they end, not when they begin. */
	lateInvalidation: boolean;
	/** After a fault the stream gets no answer until the driver has dealt with it. */
	stallOnFault: boolean;
	/** Chance that a lookup throws a random entry out first. */
	evictChance: number;
	/** How long a flush, an invalidation, or a command keeps the hardware busy. */
	busyNs: number;
}

export const PESSIMISTIC: Readonly<Habits> = {
	microEntries: Number.POSITIVE_INFINITY,
	sharedEntries: Number.POSITIVE_INFINITY,
	walkEntries: Number.POSITIVE_INFINITY,
	negative: true,
	neighbours: 8,
	walkNeighbours: 1,
	negativeNeighbours: false,
	prefetch: true,
	prefetchFaults: false,
	gatingLosesInvalidation: true,
	speculates: true,
	lateInvalidation: true,
	stallOnFault: true,
	evictChance: 0,
	busyNs: 400,
};

export const OPTIMISTIC: Readonly<Habits> = {
	microEntries: 4,
	sharedEntries: 16,
	walkEntries: 4,
	negative: false,
	neighbours: 1,
	walkNeighbours: 1,
	negativeNeighbours: false,
	prefetch: false,
	prefetchFaults: false,
	gatingLosesInvalidation: false,
	speculates: false,
	lateInvalidation: false,
	stallOnFault: true,
	evictChance: 1 / 4,
	busyNs: 100,
};

export function habitsOf(policy: Policy): Habits {
	return { ...(policy === 'pessimistic' ? PESSIMISTIC : OPTIMISTIC) };
}
