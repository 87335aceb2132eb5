// SPDX-License-Identifier: GPL-2.0-only
// Translation by tables in memory, with every cache on the way: what a model with page tables composes.
//
// A lookup goes through the stream's own TLB, the shared TLB, and the walk, which has a cache for each level above the
// pages. What the caches do is the habits'. The model says whose tables are walked (tag and root), which caches are
// on, and what to do with the answer: rights, faults, registers.

import { hex } from '#hw/core/register-file.js';
import { CacheEntry, type CacheSink, type FillReason, TranslationCache } from './cache.js';
import {
	Decoded,
	explainWalk,
	firstOf,
	hexWord,
	indexOf,
	inputBitsOf,
	POWERS,
	readWalker,
	stepText,
	type TableFormat,
	type View,
	Walked,
	Word,
	walkMemory,
} from './format.js';
import type { Habits } from './habits.js';
import {
	type CachedCopy,
	type Contradiction,
	type Figure,
	type Iommu,
	type Leaf,
	LeafWord,
	type WalkStep,
} from './iommu.js';

/** What one stream did. */
export class StreamFigures {
	accesses = 0;
	bypassed = 0;
	microHits = 0;
	sharedHits = 0;
	walks = 0;
	walkCacheHits = 0;
	prefetches = 0;
	faults = 0;
	refused = 0;
}

export interface TranslationParts {
	readonly format: TableFormat;
	/** Which levels may have pages: their sizes are what a TLB entry can be. */
	readonly pageLevels: readonly number[];
	/** Whether each stream has a TLB of its own in front of the shared one. */
	readonly micro: boolean;
	/** What to call the caches; '' where there are none. */
	readonly names: { readonly micro: string; readonly shared: string; readonly walk: string };
	/** What the walker reads. */
	readonly view: View;
	readonly clock: { readonly now: number };
	readonly random: () => number;
	readonly habits: Habits;
	readonly note: (text: string) => void;
	/** The root that @tag's tables have now; -1: there are none. */
	readonly rootOf: (tag: number) => number;
}

export class Translation {
	/** By stream. */
	readonly figures: readonly StreamFigures[];
	readonly micro: readonly TranslationCache[];
	readonly shared: TranslationCache;
	/** For each level above the last. */
	readonly walk: readonly TranslationCache[];
	/** Which caches are on: a bit for each stream's own, the others whole. */
	microOn = -1;
	sharedOn = true;
	walkOn = true;
	/** Streams that look ahead, as bits. */
	prefetchOn = 0;
	/** What a look ahead met, when the habits make that a fault. */
	onPrefetch: ((stream: number, entry: CacheEntry) => void) | null = null;
	/** The walk that answered last read its last word from a walk cache. */
	fromWalkCache = false;
	/** It read its last word where no memory is: as zero, and no cache keeps that. */
	outside = false;

	readonly #pageSizes: readonly number[];
	readonly #word = new Word();
	readonly #decoded = new Decoded();
	readonly #walked = new Walked();
	readonly #last: number;
	/** Where the last guess() has read a page's word, and of which level; -1: nowhere. */
	#guessedAt = -1;
	#guessedLevel = 0;
	readonly #caches: readonly TranslationCache[];
	readonly #deny = (cache: TranslationCache, entry: CacheEntry): Contradiction | null =>
		this.contradiction(cache, entry);
	/** What is on the way first. */
	readonly #inOrder: readonly TranslationCache[];

	constructor(
		readonly owner: Iommu,
		readonly parts: TranslationParts,
	) {
		const { format, pageLevels, names, micro } = parts;
		const sizeOf = (level: number): number => 2 ** format.levels[level].shift;
		this.#pageSizes = pageLevels.map(sizeOf).sort((a, b) => a - b);
		this.#last = 2 ** inputBitsOf(format) - 1;
		const streams = Array.from({ length: owner.streamCount }, (_, n) => n);
		this.figures = streams.map(() => new StreamFigures());
		this.micro = micro
			? streams.map(
					(n) =>
						new TranslationCache(
							`${names.micro} of ${owner.streamName(n)}`,
							n,
							'translations',
							this.#pageSizes,
						),
				)
			: [];
		this.shared = new TranslationCache(names.shared, -1, 'translations', this.#pageSizes);
		this.walk = format.levels.slice(0, -1).map((level, n, all) => {
			const name = all.length === 1 ? names.walk : `${names.walk} of ${level.name}`;
			return new TranslationCache(name, -1, 'tables', [sizeOf(n)]);
		});
		const sink: CacheSink = {
			filled: (cache, entry) => {
				for (const observer of owner.observers) observer.filled?.(owner, cache, entry);
			},
			dropped: (cache, entry, why) => {
				for (const observer of owner.observers) observer.dropped?.(owner, cache, entry, why);
			},
		};
		this.#caches = [...this.micro, this.shared, ...this.walk];
		this.#inOrder = [...this.walk, ...this.micro, this.shared];
		for (const cache of this.#caches) cache.sink = sink;
	}

	caches(): readonly TranslationCache[] {
		return this.#caches;
	}

	/** Empty every cache. */
	clear(why: string): void {
		for (const cache of this.micro) cache.clear(why);
		this.shared.clear(why);
		for (const cache of this.walk) cache.clear(why);
	}

	/** Drop what the TLBs hold for [@first, @last], of @tag or (-1) of all. */
	dropPages(tag: number, first: number, last: number, why: string): void {
		for (const cache of this.micro) cache.dropRange(tag, first, last, why);
		this.shared.dropRange(tag, first, last, why);
	}

	/** Drop what the walk caches hold for it. */
	dropTables(tag: number, first: number, last: number, why: string): void {
		for (const cache of this.walk) cache.dropRange(tag, first, last, why);
	}

	/**
	 * The word that answers @iova of @stream, from a cache or by a walk; it may be an invalid one, of any level. The
	 * rights are the model's to judge.
	 */
	lookup(stream: number, tag: number, root: number, iova: number): CacheEntry {
		const { habits, clock, random } = this.parts;
		const figures = this.figures[stream];
		this.fromWalkCache = false;
		this.outside = false;
		const micro = this.micro.length !== 0 && (this.microOn >>> stream) & 1 ? this.micro[stream] : null;
		if (habits.evictChance > 0) this.#evictSome(stream, random, habits.evictChance);
		const hit = micro === null ? undefined : micro.find(tag, iova);
		if (hit !== undefined) {
			figures.microHits++;
			return hit;
		}
		let entry = this.sharedOn ? this.shared.find(tag, iova) : undefined;
		if (entry !== undefined) figures.sharedHits++;
		else {
			figures.walks++;
			entry = this.#walk(stream, tag, root, iova, 'walk', figures);
			// An invalid table ends the walk: there is no page that a TLB could hold.
			if (this.outside || (!entry.valid && !this.#isPage(entry))) return entry;
			if (habits.prefetch && (this.prefetchOn >>> stream) & 1)
				this.#prefetch(stream, tag, root, entry.iova + entry.size, figures);
		}
		if (micro !== null && (entry.valid || habits.negative))
			micro.fill(entry.copyFor(stream, iova, clock.now), habits.microEntries);
		return entry;
	}

	/** Whether a cache had the word that was looked up last. */
	wasCached(entry: CacheEntry): boolean {
		return entry.time !== this.parts.clock.now || this.fromWalkCache;
	}

	/** Where the tables of @root lead @iova, in memory. @rightsOf: what the model makes of the word's rights. */
	leaf(root: number, iova: number, rightsOf: (word: number, rights: number) => number): Leaf {
		const at = this.#walked;
		walkMemory(this.parts.view, this.parts.format, root, iova, at);
		const level = this.parts.format.levels[at.level];
		const first = firstOf(level, iova);
		const valid = at.decoded.kind === 'page';
		return new LeafWord(
			valid ? at.decoded.addr + (iova - first) : -1,
			first,
			POWERS[level.shift],
			valid ? rightsOf(at.word.low, at.decoded.rights) : 0,
			at.word.low,
			at.word.high,
			at.wordAddr,
		);
	}

	/** The walk of @iova as data. */
	explain(stream: number, tag: number, root: number, iova: number): WalkStep[] {
		const { format, view } = this.parts;
		return explainWalk(view, format, root, iova, (level) => this.copies(stream, tag, level, iova));
	}

	/** That as lines: each word, and below it what the caches hold of it. */
	text(stream: number, tag: number, iova: number, steps: readonly WalkStep[]): string[] {
		const { levels } = this.parts.format;
		const lines: string[] = [];
		for (const step of steps) {
			lines.push(`  ${stepText(step, Math.ceil(levels[step.level].indexBits / 4))}`);
			for (const { cache, entry } of step.cached) lines.push(`    ${cache}: ${this.entryText(entry)}`);
		}
		// What the TLBs hold although the walk does not come that far.
		for (let level = steps.length; level < levels.length; level++)
			for (const { cache, entry } of this.copies(stream, tag, level, iova))
				lines.push(`    ${cache}: ${this.entryText(entry)}`);
		return lines;
	}

	/** What the caches hold of the word of @level for @iova. */
	copies(stream: number, tag: number, level: number, iova: number): CachedCopy[] {
		const caches = level < this.walk.length ? [this.walk[level], ...this.#tlbs(stream)] : this.#tlbs(stream);
		const copies: CachedCopy[] = [];
		for (const cache of caches) {
			const entry = cache.find(tag, iova);
			if (entry !== undefined && entry.level === level) copies.push({ cache: cache.name, entry });
		}
		return copies;
	}

	/** A cached word of @bytes, by default the tables', and who brought it in. */
	entryText(entry: CacheEntry, bytes: number = this.parts.format.wordBytes): string {
		const when = (entry.time / 1e9).toFixed(6);
		const who = this.owner.streamName(entry.stream);
		return `${hexWord(entry.bits, bytes)}, since ${when} (${entry.reason}, ${who} at ${hex(entry.at, 8)})`;
	}

	contradictions(first: number, last: number): Contradiction[] {
		let found: Contradiction[] | null = null;
		for (const cache of this.#inOrder) {
			if (cache.size === 0) continue;
			for (const entry of cache.inRange(first, last)) {
				const wrong = this.contradiction(cache, entry);
				if (wrong === null) continue;
				found ??= [];
				found.push(wrong);
			}
		}
		return found ?? NONE;
	}

	/** What @entry says that its tag's tables, in memory, do not; null: they agree, or nobody can ask for it. */
	contradiction(cache: TranslationCache, entry: CacheEntry): Contradiction | null {
		const root = this.parts.rootOf(entry.tag);
		if (root < 0) return null;
		const whole = this.#walkTo(root, entry);
		const { low, high } = this.#word;
		const { kind } = this.#decoded;
		if (whole && low === entry.word && high === entry.high) return null;
		if (!entry.valid && kind === 'invalid') return null;
		const memory = whole || kind === 'page' ? this.#word.bits : 0n;
		const invariant = cache.kind === 'tables' ? 'INV-PTW' : entry.valid ? 'INV-TLB-UNMAP' : 'INV-TLB-MAP';
		const text = `${cache.name} has ${this.entryText(entry)} for ${hex(entry.iova, 8)}+${hex(entry.size)}, the tables in memory say ${this.#hex(memory)}`;
		return { invariant, cache, entry, memory, text };
	}

	/** Have the caches guess what a walk of @iova reads now. */
	guess(stream: number, tag: number, root: number, iova: number): void {
		this.#guessedAt = -1;
		const { format, view } = this.parts;
		const last = format.levels.length - 1;
		let table = root;
		for (let level = 0; ; level++) {
			const at = format.levels[level];
			const addr = table + format.wordBytes * indexOf(at, iova);
			if (!readWalker(view, addr, format.wordBytes, this.#word)) return;
			at.decode(this.#word.low, this.#word.high, this.#decoded);
			const { kind } = this.#decoded;
			if (kind === 'page' || level === last) {
				this.#guessedAt = addr;
				this.#guessedLevel = level;
				if (this.sharedOn) this.#guessWord(this.shared, stream, tag, root, addr, level, iova);
				this.guessToo(stream, tag, root, iova);
				return;
			}
			if (this.walkOn) this.#guessWord(this.walk[level], stream, tag, root, addr, level, iova);
			if (kind === 'invalid') return;
			table = this.#decoded.addr;
		}
	}

	/** What the last guess() has read at the end of the tables is @stream's, too. */
	guessToo(stream: number, tag: number, root: number, iova: number): void {
		if (this.#guessedAt < 0 || this.micro.length === 0 || ((this.microOn >>> stream) & 1) === 0) return;
		this.#guessWord(this.micro[stream], stream, tag, root, this.#guessedAt, this.#guessedLevel, iova);
	}

	/** What was guessed for [@first, @last] and the tables deny. */
	guessed(first: number, last: number): Contradiction[] {
		return guessedOf(this.#caches, first, last, this.#deny);
	}

	figuresOf(stream: number | undefined): Figure[] {
		const names = this.parts.names;
		const sum = new StreamFigures();
		for (const figures of stream === undefined ? this.figures : [this.figures[stream]])
			for (const key of Object.keys(sum) as (keyof StreamFigures)[]) sum[key] += figures[key];
		return [
			{ name: 'accesses', value: sum.accesses },
			{ name: 'bypassed', value: sum.bypassed },
			...(this.micro.length === 0 ? [] : [{ name: `${names.micro} hits`, value: sum.microHits }]),
			{ name: `${names.shared} hits`, value: sum.sharedHits },
			{ name: 'table walks', value: sum.walks },
			...(this.walk.length === 0 ? [] : [{ name: `${names.walk} hits`, value: sum.walkCacheHits }]),
			{ name: 'prefetches', value: sum.prefetches },
			{ name: 'faults', value: sum.faults },
			{ name: 'refused', value: sum.refused },
		];
	}

	/** Whether an invalid @entry stands where a page could. */
	#isPage(entry: CacheEntry): boolean {
		return entry.level === this.parts.format.levels.length - 1;
	}

	/**
	 * The word of @entry's level for its address, as the tables in memory have it now, in #word and #decoded; false:
	 * they do not lead that far, and it is the word (an invalid one, or a larger page) where they end.
	 */
	#walkTo(root: number, entry: CacheEntry): boolean {
		const { format, view } = this.parts;
		let table = root;
		for (let level = 0; ; level++) {
			const at = format.levels[level];
			readWalker(view, table + format.wordBytes * indexOf(at, entry.iova), format.wordBytes, this.#word);
			at.decode(this.#word.low, this.#word.high, this.#decoded);
			if (level === entry.level) return true;
			if (this.#decoded.kind !== 'table') return false;
			table = this.#decoded.addr;
		}
	}

	#tlbs(stream: number): TranslationCache[] {
		const own = this.micro[stream];
		return own === undefined ? [this.shared] : [own, this.shared];
	}

	/** Step by step, each level's word from its walk cache or from memory. */
	#walk(
		stream: number,
		tag: number,
		root: number,
		iova: number,
		reason: 'walk' | 'prefetch',
		figures: StreamFigures,
	): CacheEntry {
		const { format, habits } = this.parts;
		const last = format.levels.length - 1;
		this.fromWalkCache = false;
		this.outside = false;
		let table = root;
		for (let level = 0; ; level++) {
			const cache = this.walkOn && level < last ? this.walk[level] : null;
			let entry = cache?.find(tag, iova);
			if (entry !== undefined) {
				figures.walkCacheHits++;
				this.fromWalkCache = true;
			} else {
				entry = this.#read(stream, tag, root, table, level, iova, reason);
				this.fromWalkCache = false;
				if (this.outside) return entry;
				const page = this.#decoded.kind === 'page' || level === last;
				const into = page ? (this.sharedOn ? this.shared : null) : cache;
				if (into !== null) {
					const limit = page ? habits.sharedEntries : habits.walkEntries;
					const neighbours = page ? habits.neighbours : habits.walkNeighbours;
					if (entry.valid || habits.negative) into.fill(entry, limit);
					// The words that came with it on the same burst.
					if (neighbours > 1 && reason === 'walk')
						this.#fillNeighbours(into, limit, neighbours, stream, tag, root, table, entry);
				}
				if (page) return entry;
			}
			if (!entry.valid) return entry;
			table = entry.phys;
		}
	}

	#fillNeighbours(
		cache: TranslationCache,
		limit: number,
		neighbours: number,
		stream: number,
		tag: number,
		root: number,
		table: number,
		entry: CacheEntry,
	): void {
		const { negative, negativeNeighbours } = this.parts.habits;
		const kind = cache.kind === 'tables' ? 'table' : 'page';
		// A burst ends with its table.
		const covers = entry.size * 2 ** this.parts.format.levels[entry.level].indexBits;
		const start = entry.iova - (entry.iova % covers);
		const group = entry.size * neighbours;
		const first = entry.iova - ((entry.iova - start) % group);
		const end = Math.min(first + group, start + covers);
		for (let iova = first; iova < end; iova += entry.size) {
			if (iova === entry.iova || cache.find(tag, iova) !== undefined) continue;
			const next = this.#entryAt(stream, tag, root, table, entry.level, iova, 'neighbour');
			if (this.#decoded.kind === kind || (!next.valid && negative && negativeNeighbours))
				cache.fill(next, limit);
		}
	}

	/** Look ahead: the walk of the next page. */
	#prefetch(stream: number, tag: number, root: number, next: number, figures: StreamFigures): void {
		if (next > this.#last || (this.sharedOn && this.shared.find(tag, next) !== undefined)) return;
		figures.prefetches++;
		const { fromWalkCache, outside } = this;
		const entry = this.#walk(stream, tag, root, next, 'prefetch', figures);
		this.fromWalkCache = fromWalkCache;
		this.outside = outside;
		if (this.parts.habits.prefetchFaults && !entry.valid) this.onPrefetch?.(stream, entry);
	}

	/** The word of @level for @iova in @table, read by the walker. */
	#read(
		stream: number,
		tag: number,
		root: number,
		table: number,
		level: number,
		iova: number,
		reason: FillReason & ('walk' | 'prefetch'),
	): CacheEntry {
		const { format } = this.parts;
		const entry = this.#entryAt(stream, tag, root, table, level, iova, reason);
		if (this.owner.observers.length !== 0) {
			const read = {
				stream,
				iova,
				table: format.levels[level].name,
				level,
				addr: entry.wordAddr,
				bytes: format.wordBytes,
				word: entry.bits,
				reason,
			};
			for (const observer of this.owner.observers) observer.walked?.(this.owner, read);
		}
		return entry;
	}

	/** @cache guesses the word of @level that #word and #decoded have, read at @addr. */
	#guessWord(
		cache: TranslationCache,
		stream: number,
		tag: number,
		root: number,
		addr: number,
		level: number,
		iova: number,
	): void {
		const at = this.parts.format.levels[level];
		const { low, high } = this.#word;
		const { kind, addr: phys, rights } = this.#decoded;
		const valid = kind !== 'invalid';
		const { now } = this.parts.clock;
		const first = firstOf(at, iova);
		const size = POWERS[at.shift];
		cache.guess(tag, first, size, level, low, high, addr, valid, phys, rights, now, stream, iova, root);
	}

	#entryAt(
		stream: number,
		tag: number,
		root: number,
		table: number,
		level: number,
		iova: number,
		reason: FillReason,
	): CacheEntry {
		const { format, view, clock, note } = this.parts;
		const at = format.levels[level];
		const addr = table + format.wordBytes * indexOf(at, iova);
		const found = readWalker(view, addr, format.wordBytes, this.#word);
		if (!found && reason !== 'neighbour') note(`the walker reads ${hex(addr)}, where no memory is: as zero`);
		if (reason !== 'neighbour') this.outside = !found;
		const { low, high } = this.#word;
		const decoded = this.#decoded;
		at.decode(low, high, decoded);
		return new CacheEntry(
			tag,
			firstOf(at, iova),
			POWERS[at.shift],
			level,
			low,
			high,
			addr,
			decoded.kind !== 'invalid',
			decoded.addr,
			decoded.rights,
			clock.now,
			stream,
			iova,
			reason,
			root,
		);
	}

	#evictSome(stream: number, random: () => number, chance: number): void {
		for (const cache of [...this.#tlbs(stream), ...this.walk]) if (random() < chance) cache.evict(random());
	}

	#hex(word: bigint): string {
		return hexWord(word, this.parts.format.wordBytes);
	}
}

/** Of what @caches have guessed for [@first, @last], what @deny finds wrong. */
export function guessedOf(
	caches: readonly TranslationCache[],
	first: number,
	last: number,
	deny: (cache: TranslationCache, entry: CacheEntry) => Contradiction | null,
): Contradiction[] {
	const found: Contradiction[] = [];
	for (const cache of caches) cache.denied(first, last, deny, found);
	return found;
}

const NONE: Contradiction[] = [];
