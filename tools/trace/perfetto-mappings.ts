// SPDX-License-Identifier: GPL-2.0-only
// The mappings of a recording, from its map and unmap events: when each lived, and who used it.
//
// The events name no domain: where there are several, an unmap ends what is mapped there in any.

import { hex } from '#hw/core/register-file.js';
import type { Step } from '#watch/recorder.js';

class Mapping {
	/** The step that unmapped the last of it; Infinity: none. */
	last = Number.POSITIVE_INFINITY;
	size = 0;
	/** How much of it is mapped. */
	left = 0;
	constructor(
		/** From 1 on: the number of its flow. */
		readonly id: number,
		/** The step that mapped the first of it. */
		readonly first: number,
		readonly iova: number,
		/** Which of the mappings that live at a time it is. */
		readonly lane: number,
	) {}

	get name(): string {
		return `${hex(this.iova, 8)}+${hex(this.size)}`;
	}

	has(addr: number): boolean {
		return addr >= this.iova && addr < this.iova + this.size;
	}
}

export class Mappings {
	readonly #all: Mapping[] = [];
	readonly #begin = new Map<number, Mapping>();
	readonly #end = new Map<number, Mapping[]>();
	readonly #bytes = new Map<number, number>();
	readonly #lanes: (Mapping | null)[] = [];

	constructor(steps: readonly Step[]) {
		let bytes = 0;
		let last: Mapping | null = null;
		for (const { number, kind, text, addr, size } of steps) {
			if (kind !== 'trace') continue;
			if (text.startsWith('map: ')) {
				if (last === null || last.iova + last.size !== addr) last = this.#begun(number, addr);
				last.size += size;
				last.left += size;
				bytes += size;
			} else if (text.startsWith('unmap: ')) {
				bytes -= this.#unmapped(number, addr, Number(/unmapped_size=(\d+)/.exec(text)?.[1] ?? 0));
				last = null;
			} else continue;
			this.#bytes.set(number, bytes);
		}
	}

	/** How many live at a time. */
	get lanes(): number {
		return this.#lanes.length;
	}

	/** The one that begins at step @number; null: none. */
	beginningAt(number: number): Mapping | null {
		return this.#begin.get(number) ?? null;
	}

	endingAt(number: number): readonly Mapping[] {
		return this.#end.get(number) ?? [];
	}

	/** What is mapped after step @number; null: the step changes nothing. */
	bytesAfter(number: number): number | null {
		return this.#bytes.get(number) ?? null;
	}

	/** Those that nobody has unmapped. */
	open(): Mapping[] {
		return this.#all.filter(({ last }) => last === Number.POSITIVE_INFINITY);
	}

	/** Whose @addr is at step @number, or was last; null: nobody's. */
	at(addr: number, number: number): Mapping | null {
		let found: Mapping | null = null;
		for (const mapping of this.#all) {
			if (mapping.first > number) break;
			if (mapping.has(addr) && (found === null || mapping.last >= found.last)) found = mapping;
		}
		return found;
	}

	#begun(number: number, iova: number): Mapping {
		const free = this.#lanes.indexOf(null);
		const lane = free < 0 ? this.#lanes.length : free;
		const mapping = new Mapping(this.#all.length + 1, number, iova, lane);
		this.#lanes[lane] = mapping;
		this.#all.push(mapping);
		this.#begin.set(number, mapping);
		return mapping;
	}

	/** Take [@iova, @iova + @size) away; how much of it was mapped. */
	#unmapped(number: number, iova: number, size: number): number {
		let bytes = 0;
		for (const mapping of this.#lanes) {
			if (mapping === null) continue;
			const overlap = Math.min(iova + size, mapping.iova + mapping.size) - Math.max(iova, mapping.iova);
			if (overlap <= 0) continue;
			mapping.left -= overlap;
			bytes += overlap;
			if (mapping.left > 0) continue;
			mapping.last = number;
			this.#lanes[mapping.lane] = null;
			const ended = this.#end.get(number);
			if (ended === undefined) this.#end.set(number, [mapping]);
			else ended.push(mapping);
		}
		return bytes;
	}
}
