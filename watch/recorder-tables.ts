// SPDX-License-Identifier: GPL-2.0-only
// A part of the recorder: which of the lines that the kernel cleans are an IOMMU's tables, and what their words say.

import type { Ram } from '#hw/core/ram.js';
import { hex } from '#hw/core/register-file.js';
import { Decoded, fieldsOf, hexWord, POWERS, type TableLevel } from '#hw/iommu/format.js';
import { type Iommu, NO_PASID } from '#hw/iommu/iommu.js';

/** Where a table is in the walk, and the first address that it is for. */
interface Place {
	readonly level: number;
	readonly iova: number;
}

export class TableWords {
	/** The root that each stream had last: an IOMMU that sleeps has forgotten it, and the kernel goes on. */
	readonly #roots: number[] = [];
	/** Tables that a root leads to, and the roots. */
	readonly #tables = new Map<number, Place>();
	readonly #levels: readonly TableLevel[];
	readonly #decoded = new Decoded();
	/** Of a word. */
	readonly bytes: number;

	constructor(
		readonly ram: Ram,
		readonly iommu: Iommu,
	) {
		this.#levels = iommu.format?.levels ?? [];
		this.bytes = iommu.format?.wordBytes ?? 4;
	}

	/** [@phys, @phys + @size) is about to be cleaned: tell @each table word there that memory gets a new value of. */
	cleaned(phys: number, size: number, each: (addr: number, text: string) => void): void {
		if (this.#levels.length === 0) return;
		this.#lookForRoots();
		if (this.#tables.size === 0) return;
		const { bytes } = this;
		for (let at = phys - (phys % bytes); at < phys + size; ) {
			const found = this.#tableAt(at);
			if (found === null) {
				at = this.#nextTable(at);
				continue;
			}
			const { base, place } = found;
			const end = Math.min(phys + size, base + this.#sizeOf(place.level));
			const count = Math.ceil((end - at) / bytes);
			const memory = this.ram.peekMemory(at, count * bytes);
			const cpu = this.ram.peekCpu(at, count * bytes);
			for (let i = 0; i < count; i++) {
				const was = wordAt(memory, i * bytes, bytes);
				const is = wordAt(cpu, i * bytes, bytes);
				if (was !== is) each(at + i * bytes, this.#changed(place, base, at + i * bytes, was, is));
			}
			at += count * bytes;
		}
	}

	#sizeOf(level: number): number {
		return POWERS[this.#levels[level].indexBits] * this.bytes;
	}

	/** The table that has @addr: tables are as aligned as they are large. */
	#tableAt(addr: number): { base: number; place: Place } | null {
		for (let level = 0; level < this.#levels.length; level++) {
			const base = addr - (addr % this.#sizeOf(level));
			const place = this.#tables.get(base);
			if (place?.level === level) return { base, place };
		}
		return null;
	}

	/** Where the next table after @addr could begin. */
	#nextTable(addr: number): number {
		const least = Math.min(...this.#levels.map((_, level) => this.#sizeOf(level)));
		return addr - (addr % least) + least;
	}

	#lookForRoots(): void {
		for (let stream = 0; stream < this.iommu.streamCount; stream++) {
			const root = this.iommu.rootOf?.(stream, NO_PASID) ?? -1;
			if (root < 0 || root === this.#roots[stream]) continue;
			const old = this.#roots[stream];
			this.#roots[stream] = root;
			if (old !== undefined && !this.#roots.includes(old)) this.#forget(old);
			this.#learn(root, { level: 0, iova: 0 });
		}
	}

	/** There is a table at @base, and there are those below it. */
	#learn(base: number, place: Place): void {
		if (!this.ram.is_ram(base, this.#sizeOf(place.level))) return;
		this.#tables.set(base, place);
		if (place.level === this.#levels.length - 1) return;
		const words = this.ram.peekMemory(base, this.#sizeOf(place.level));
		for (let at = 0; at < words.length; at += this.bytes) {
			const to = this.#leadsTo(place.level, wordAt(words, at, this.bytes));
			if (to >= 0) this.#learn(to, this.#below(place, at / this.bytes));
		}
	}

	#forget(base: number): void {
		const place = this.#tables.get(base);
		if (place === undefined) return;
		this.#tables.delete(base);
		for (const [at, { level, iova }] of this.#tables)
			if (level === place.level + 1 && this.#covers(place, iova)) this.#forget(at);
	}

	#covers({ level, iova }: Place, at: number): boolean {
		const { shift, indexBits } = this.#levels[level];
		return at >= iova && at < iova + POWERS[shift + indexBits];
	}

	#below({ level, iova }: Place, index: number): Place {
		return { level: level + 1, iova: iova + index * POWERS[this.#levels[level].shift] };
	}

	/** The table that @word of @level names; -1: none. */
	#leadsTo(level: number, word: bigint): number {
		this.#levels[level].decode(Number(word & 0xffff_ffffn), Number(word >> 32n), this.#decoded);
		return this.#decoded.kind === 'table' ? this.#decoded.addr : -1;
	}

	#changed(place: Place, base: number, addr: number, was: bigint, is: bigint): string {
		const level = this.#levels[place.level];
		const index = (addr - base) / this.bytes;
		const iova = place.iova + index * POWERS[level.shift];
		const old = this.#leadsTo(place.level, was);
		if (old >= 0) this.#forget(old);
		const to = this.#leadsTo(place.level, is);
		if (to >= 0) this.#learn(to, this.#below(place, index));
		level.decode(Number(is & 0xffff_ffffn), Number(is >> 32n), this.#decoded);
		const { kind, addr: leads } = this.#decoded;
		const what = kind === 'invalid' ? 'nothing' : `${kind} at ${hex(leads, 8)}`;
		const fields = fieldsOf(level.fields, is).map(({ name, value }) => `${name}=${hex(Number(value))}`);
		return `${level.name}[${hex(index)}] at ${hex(addr, 8)}: ${hexWord(was, this.bytes)} -> ${hexWord(is, this.bytes)}, ${hex(iova, 8)} leads to ${what} [${fields.join(' ')}]`;
	}
}

/** The word at @at, the lowest byte first. */
function wordAt(bytes: Uint8Array, at: number, size: number): bigint {
	let word = 0n;
	for (let i = size - 1; i >= 0; i--) word = (word << 8n) | BigInt(bytes[at + i]);
	return word;
}
