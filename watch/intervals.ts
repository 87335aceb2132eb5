// SPDX-License-Identifier: GPL-2.0-only
// Ranges that may overlap, in the order of their beginnings.

import { insertAt, takeAt } from './lists.js';

export interface Interval {
	readonly first: number;
	readonly last: number;
}

/** What is longer is kept apart: how far back a search has to begin is the length of the longest. */
const LONG = 65536;

export class Intervals<T extends Interval> {
	readonly #short: T[] = [];
	readonly #long: T[] = [];

	get size(): number {
		return this.#short.length + this.#long.length;
	}

	*all(): Iterable<T> {
		yield* this.#long;
		yield* this.#short;
	}

	add(item: T): void {
		if (item.last - item.first >= LONG) this.#long.push(item);
		else insertAt(this.#short, this.#from(item.first), item);
	}

	delete(item: T): void {
		if (item.last - item.first >= LONG) {
			const at = this.#long.indexOf(item);
			if (at >= 0) takeAt(this.#long, at);
			return;
		}
		for (let i = this.#from(item.first); i < this.#short.length; i++) {
			if (this.#short[i].first !== item.first) return;
			if (this.#short[i] !== item) continue;
			takeAt(this.#short, i);
			return;
		}
	}

	/** The first that overlaps [@first, @last] and that @wanted takes; null: none. */
	find(first: number, last: number, wanted?: (item: T) => boolean): T | null {
		for (const item of this.#long)
			if (item.first <= last && item.last >= first && (wanted?.(item) ?? true)) return item;
		for (let i = this.#from(first - LONG); i < this.#short.length; i++) {
			const item = this.#short[i];
			if (item.first > last) break;
			if (item.last >= first && (wanted?.(item) ?? true)) return item;
		}
		return null;
	}

	/** The last that begins before @addr, of the short ones; null: none. */
	before(addr: number): T | null {
		return this.#short[this.#from(addr) - 1] ?? null;
	}

	/** The first that begins at @addr or behind, of the short ones; null: none. */
	behind(addr: number): T | null {
		return this.#short[this.#from(addr)] ?? null;
	}

	clear(): void {
		this.#short.length = 0;
		this.#long.length = 0;
	}

	/** The first of the short ones that begins at @addr or behind. */
	#from(addr: number): number {
		let [low, high] = [0, this.#short.length];
		while (low < high) {
			const mid = (low + high) >>> 1;
			if (this.#short[mid].first < addr) low = mid + 1;
			else high = mid;
		}
		return low;
	}
}
