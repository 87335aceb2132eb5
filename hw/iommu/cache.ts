// SPDX-License-Identifier: GPL-2.0-only
// A cache of table words: TLBs of pages of any size, walk caches, caches of configuration records.

/** Where an entry came from; `shared`: copied from the cache behind this one; `guess`: from nowhere, yet. */
export type FillReason = 'walk' | 'prefetch' | 'neighbour' | 'shared' | 'guess';

/** A cached table word, with its history. */
export class CacheEntry {
	constructor(
		/** Whose translations these are: an ASID, a domain's number; 0 where the hardware has no tags. */
		readonly tag: number,
		/** The range that it answers for. */
		readonly iova: number,
		readonly size: number,
		/** The walk's level of the word. */
		readonly level: number,
		/** The word as it was read; @high: bits 63:32. */
		readonly word: number,
		readonly high: number,
		/** Where the word is in memory; -1: in the device. */
		readonly wordAddr: number,
		readonly valid: boolean,
		/** The page (or the next table) that it names. */
		readonly phys: number,
		/** READ | WRITE | EXECUTE, as far as the word says. */
		readonly rights: number,
		/** Virtual time of the fill. */
		readonly time: number,
		/** Whose access filled it, at which address. */
		readonly stream: number,
		readonly at: number,
		readonly reason: FillReason,
		/** The root of the tables at that time. */
		readonly root: number,
	) {}

	/** The same, copied into the cache of @stream. */
	copyFor(stream: number, at: number, time: number): CacheEntry {
		const { tag, iova, size, level, word, high, wordAddr, valid, phys, rights, root } = this;
		return new CacheEntry(
			tag,
			iova,
			size,
			level,
			word,
			high,
			wordAddr,
			valid,
			phys,
			rights,
			time,
			stream,
			at,
			'shared',
			root,
		);
	}

	/** The whole word. */
	get bits(): bigint {
		return (BigInt(this.high) << 32n) | BigInt(this.word);
	}
}

/** Hears of fills and drops. */
export interface CacheSink {
	filled(cache: TranslationCache, entry: CacheEntry): void;
	dropped(cache: TranslationCache, entry: CacheEntry, why: string): void;
}

/** A range of more pages than this is found by looking at every entry. */
const LOOKED_UP = 64;

const NONE: readonly CacheEntry[] = [];

/** How many guesses a cache has: the oldest go first. */
const GUESSED = 128;

/** Where a guess is kept. */
type Slot = { -readonly [K in keyof CacheEntry]: CacheEntry[K] };

function noGuess(): Slot {
	return new CacheEntry(0, 0, 0, 0, 0, 0, 0, false, 0, 0, 0, 0, 0, 'guess', 0);
}

/** The entries of one tag: for each size, by number. */
type Sized = Map<number, CacheEntry>[];

/**
 * Entries go in the order they came when the cache is full. Of two sizes that answer for an address, the smaller one
 * wins.
 */
export class TranslationCache {
	sink: CacheSink | null = null;
	/**
	 * What a walk for nobody may have brought in besides: no access is answered from it, nothing is thrown out for it, and
	 * every invalidation takes it away. Who watches has the caches guess at every mapping, so slots are used again: the first
	 * #guessed are taken, in order.
	 */
	readonly #slots: Slot[] = [];
	#guessed = 0;
	readonly #tags = new Map<number, Sized>();
	readonly #all = new Set<CacheEntry>();
	/** The tag that was asked for last, and what there is of it. */
	#lastTag = -1;
	#last: Sized | null = null;

	constructor(
		readonly name: string,
		/** Whose it is; -1: shared. */
		readonly stream: number,
		/** Of what: pages, the tables on the way to them, or the streams' own records (then addresses are stream numbers). */
		readonly kind: 'translations' | 'tables' | 'streams',
		/** The sizes of entries, in bytes, ascending. */
		readonly sizes: readonly number[],
	) {}

	get size(): number {
		return this.#all.size;
	}

	entries(): IterableIterator<CacheEntry> {
		return this.#all.values();
	}

	find(tag: number, iova: number): CacheEntry | undefined {
		if (this.#all.size === 0) return undefined;
		const sized = this.#of(tag);
		if (sized === null) return undefined;
		for (let i = 0; i < sized.length; i++) {
			if (sized[i].size === 0) continue;
			const hit = sized[i].get(Math.floor(iova / this.sizes[i]));
			if (hit !== undefined) return hit;
		}
		return undefined;
	}

	/** Take @entry in; a cache of no entries (@limit 0) does not. */
	fill(entry: CacheEntry, limit: number): void {
		const at = this.sizes.indexOf(entry.size);
		if (at < 0) throw new Error(`${this.name} has no entries of ${entry.size} bytes`);
		if (limit <= 0) return;
		let sized = this.#of(entry.tag);
		if (sized === null) {
			sized = this.sizes.map(() => new Map());
			this.#tags.set(entry.tag, sized);
			this.#last = sized;
		}
		const number = Math.floor(entry.iova / entry.size);
		const old = sized[at].get(number);
		if (old !== undefined) this.drop(old, 'replaced');
		else if (this.#all.size >= limit)
			for (const oldest of this.#all) {
				this.drop(oldest, 'evicted');
				break;
			}
		sized[at].set(number, entry);
		this.#all.add(entry);
		this.sink?.filled(this, entry);
	}

	/** What is guessed, oldest first; good until the next guess. */
	get guesses(): readonly CacheEntry[] {
		return this.#slots.slice(0, this.#guessed);
	}

	/** Guess that word of @level, unless it is guessed already. The rest is as in CacheEntry. */
	guess(
		tag: number,
		iova: number,
		size: number,
		level: number,
		word: number,
		high: number,
		wordAddr: number,
		valid: boolean,
		phys: number,
		rights: number,
		time: number,
		stream: number,
		at: number,
		root: number,
	): void {
		for (let i = 0; i < this.#guessed; i++) {
			const old = this.#slots[i];
			if (
				old.iova === iova &&
				old.word === word &&
				old.high === high &&
				old.tag === tag &&
				old.level === level
			)
				return;
		}
		if (this.#guessed === GUESSED) this.#drop(0);
		if (this.#guessed === this.#slots.length) this.#slots.push(noGuess());
		const slot = this.#slots[this.#guessed++];
		slot.tag = tag;
		slot.iova = iova;
		slot.size = size;
		slot.level = level;
		slot.word = word;
		slot.high = high;
		slot.wordAddr = wordAddr;
		slot.valid = valid;
		slot.phys = phys;
		slot.rights = rights;
		slot.time = time;
		slot.stream = stream;
		slot.at = at;
		slot.root = root;
	}

	/** Of what is guessed for [@first, @last], what @deny finds wrong is added to @found. */
	denied<T>(
		first: number,
		last: number,
		deny: (cache: TranslationCache, entry: CacheEntry) => T | null,
		found: T[],
	): void {
		for (let i = 0; i < this.#guessed; i++) {
			const guess = this.#slots[i];
			if (guess.iova > last || guess.iova + guess.size <= first) continue;
			const wrong = deny(this, guess);
			if (wrong !== null) found.push(wrong);
		}
	}

	/** Forget those guesses. */
	unguess(which: (entry: CacheEntry) => boolean): void {
		for (let i = this.#guessed - 1; i >= 0; i--) if (which(this.#slots[i])) this.#drop(i);
	}

	/** The same for those of @tag or (-1) of all that answer for any address of [@first, @last]. */
	#unguessRange(tag: number, first: number, last: number): void {
		for (let i = this.#guessed - 1; i >= 0; i--) if (answers(this.#slots[i], tag, first, last)) this.#drop(i);
	}

	/** The guess at @i is none any more: its slot is the next one's. */
	#drop(i: number): void {
		const slot = this.#slots[i];
		this.#guessed--;
		for (let at = i; at < this.#guessed; at++) this.#slots[at] = this.#slots[at + 1];
		this.#slots[this.#guessed] = slot;
	}

	/** The entries that answer for any address of [@first, @last]. */
	inRange(first: number, last: number): readonly CacheEntry[] {
		if (this.#all.size === 0) return NONE;
		const found: CacheEntry[] = [];
		if ((last - first) / this.sizes[0] > Math.min(LOOKED_UP, this.#all.size)) {
			for (const entry of this.#all)
				if (entry.iova <= last && entry.iova + entry.size > first) found.push(entry);
			return found;
		}
		for (const sized of this.#tags.values())
			for (let i = 0; i < sized.length; i++) {
				const size = this.sizes[i];
				for (let n = Math.floor(first / size); sized[i].size !== 0 && n <= Math.floor(last / size); n++) {
					const entry = sized[i].get(n);
					if (entry !== undefined) found.push(entry);
				}
			}
		return found;
	}

	drop(entry: CacheEntry, why: string): void {
		if (!this.#all.delete(entry)) return;
		const sized = this.#tags.get(entry.tag)!;
		sized[this.sizes.indexOf(entry.size)].delete(Math.floor(entry.iova / entry.size));
		this.sink?.dropped(this, entry, why);
	}

	/** Drop what answers for any address of [@first, @last], of @tag or (-1) of all. */
	dropRange(tag: number, first: number, last: number, why: string): void {
		this.#unguessRange(tag, first, last);
		if (this.#all.size === 0) return;
		const one = first === last && tag >= 0 ? this.#of(tag) : null;
		if (one !== null) {
			for (let i = 0; i < one.length; i++) {
				const hit = one[i].get(Math.floor(first / this.sizes[i]));
				if (hit !== undefined) this.drop(hit, why);
			}
			return;
		}
		for (const entry of this.#all) if (answers(entry, tag, first, last)) this.drop(entry, why);
	}

	/** Drop @iova's word, of @tag, and those that came with it: an aligned group of @words. */
	dropLine(tag: number, iova: number, words: number, why: string): void {
		const bytes = this.sizes[0] * words;
		const first = iova - (iova % bytes);
		this.dropRange(tag, first, first + bytes - 1, why);
	}

	dropWhere(which: (entry: CacheEntry) => boolean, why: string): void {
		this.unguess(which);
		for (const entry of this.#all) if (which(entry)) this.drop(entry, why);
	}

	/** Throw the entry out that stands at @part (in [0, 1)) of all. */
	evict(part: number): void {
		let nth = Math.floor(part * this.#all.size);
		for (const entry of this.#all)
			if (nth-- === 0) {
				this.drop(entry, 'evicted');
				break;
			}
	}

	clear(why: string): void {
		this.#guessed = 0;
		// Flushes mostly find nothing.
		if (this.#all.size === 0) return;
		const { sink } = this;
		if (sink !== null) for (const entry of this.#all) sink.dropped(this, entry, why);
		this.#all.clear();
		this.#tags.clear();
		this.#lastTag = -1;
		this.#last = null;
	}

	#of(tag: number): Sized | null {
		if (tag !== this.#lastTag) {
			this.#lastTag = tag;
			this.#last = this.#tags.get(tag) ?? null;
		}
		return this.#last;
	}
}

/** Whether @entry is @tag's, or (-1) anybody's, and answers for any address of [@first, @last]. */
function answers(entry: CacheEntry, tag: number, first: number, last: number): boolean {
	return (tag < 0 || entry.tag === tag) && entry.iova <= last && entry.iova + entry.size > first;
}
