// SPDX-License-Identifier: GPL-2.0-only
// What is so for which addresses: ranges that do not overlap, in order.

import { insertAt, takeAt } from './lists.js';

export interface Range<T> {
	readonly first: number;
	readonly last: number;
	readonly value: T;
}

export class Ranges<T> {
	readonly #list: Range<T>[] = [];

	get size(): number {
		return this.#list.length;
	}

	all(): readonly Range<T>[] {
		return this.#list;
	}

	find(addr: number): Range<T> | null {
		const range = this.#list[this.#behind(addr) - 1];
		return range !== undefined && addr <= range.last ? range : null;
	}

	/** The range that ends last before @addr, and the one that begins first behind it. */
	nearest(addr: number): readonly Range<T>[] {
		const at = this.#behind(addr);
		return this.#list.slice(Math.max(0, at - 1), at + 1);
	}

	/** The first that overlaps [@first, @last]; null: none. */
	first(first: number, last: number): Range<T> | null {
		const range = this.#list[this.#overlapping(first)];
		return range !== undefined && range.first <= last ? range : null;
	}

	overlapping(first: number, last: number): Range<T>[] {
		const found: Range<T>[] = [];
		for (let i = this.#overlapping(first); i < this.#list.length && this.#list[i].first <= last; i++)
			found.push(this.#list[i]);
		return found;
	}

	/** From now on it is @value in [@first, @last], whatever it was. */
	set(first: number, last: number, value: T): void {
		this.remove(first, last);
		insertAt(this.#list, this.#behind(first), { first, last, value });
	}

	/** The range that ends before @first with @value goes on to @last, whatever is there; false: there is none. */
	grow(first: number, last: number, value: T): boolean {
		const at = this.#behind(first - 1) - 1;
		const range = this.#list[at];
		if (range === undefined || range.last !== first - 1 || range.value !== value) return false;
		this.remove(first, last);
		this.#list[at] = { first: range.first, last, value };
		return true;
	}

	/** Nothing is so in [@first, @last] any more: the parts that were taken away. */
	remove(first: number, last: number): readonly Range<T>[] {
		const at = this.#overlapping(first);
		const only = this.#list[at];
		if (only === undefined || only.first > last) return [];
		// Mostly what was set is removed.
		if (only.first === first && only.last === last) {
			takeAt(this.#list, at);
			return [only];
		}
		const cut = this.overlapping(first, last);
		const [head, tail] = [cut[0], cut[cut.length - 1]];
		const rest: Range<T>[] = [];
		if (head.first < first) rest.push({ first: head.first, last: first - 1, value: head.value });
		if (tail.last > last) rest.push({ first: last + 1, last: tail.last, value: tail.value });
		this.#list.splice(at, cut.length, ...rest);
		return cut.map(({ first: from, last: to, value }) => ({
			first: Math.max(from, first),
			last: Math.min(to, last),
			value,
		}));
	}

	clear(): void {
		this.#list.length = 0;
	}

	/** Which is the first that ends at @addr or behind. */
	#overlapping(addr: number): number {
		const before = this.#behind(addr) - 1;
		return before >= 0 && this.#list[before].last >= addr ? before : before + 1;
	}

	/** How many ranges begin at @addr or before. */
	#behind(addr: number): number {
		let [low, high] = [0, this.#list.length];
		while (low < high) {
			const mid = (low + high) >>> 1;
			if (this.#list[mid].first <= addr) low = mid + 1;
			else high = mid;
		}
		return low;
	}
}
