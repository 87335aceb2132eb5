// SPDX-License-Identifier: GPL-2.0-only
// The tables that walkers walk: which memory they are in, each word as it becomes visible to a walker that does not snoop,
// and what becomes of their memory.
//
//   INV-CLEAN      a word leads to a table that memory does not have yet (a directory before its table)
//   INV-TABLE-LIVE it leads to garbage, or to memory that is free; a word that is valid and wrong for a while; a valid word
//                  that becomes another; a table that is freed while a walk can come to it
//   INV-ERR        a word of another mapping was cleared
//
// Tables are known from the words that lead to them, root tables from the streams that were attached. What a snooping
// walker sees has no moment that could be watched: of such tables only the freeing is.

import { hex } from '#hw/core/register-file.js';
import {
	Decoded,
	hexWord,
	POWERS,
	type TableFormat,
	type TableLevel,
	type View,
	Word,
} from '#hw/iommu/format.js';
import { type Iommu, NO_PASID, wordOf } from '#hw/iommu/iommu.js';
import { type Change, isPowered } from './agreement.js';
import type { DomainWatch } from './domain-set.js';
import type { DriverLog } from './driver-log.js';
import type { Allocation, Memory } from './memory.js';
import { asReturns, type Finding } from './report.js';
import type { Watched, Watcher } from './watcher.js';

const PAGE = 4096;
const LINE = 64;

interface Table {
	readonly addr: number;
	readonly bytes: number;
	/** Of its format. */
	readonly level: number;
	readonly format: TableFormat;
	readonly iommu: Iommu;
	readonly watch: DomainWatch;
	/** The first address that its words are for. */
	readonly iova: number;
}

export class Tables implements Watcher {
	readonly #tables = new Map<number, Table>();
	/** The same, by the pages that they are in. */
	readonly #byPage = new Map<number, Table[]>();
	readonly #old = new Decoded();
	readonly #new = new Decoded();
	readonly #below = new Decoded();
	readonly #word = new Word();
	#seen = 0;

	constructor(
		readonly watched: Watched,
		readonly memory: Memory,
		readonly log: DriverLog,
	) {
		memory.onFree.push((allocation) => this.#freed(allocation));
	}

	watchKernel(): () => void {
		return () => {
			this.#tables.clear();
			this.#byPage.clear();
		};
	}

	/** @watch's tables have their root at @addr, before @iommu. */
	root(watch: DomainWatch, iommu: Iommu, addr: number): void {
		if (iommu.format !== undefined) this.#learn(watch, iommu, iommu.format, addr, 0, 0);
	}

	/** @watch's domain is gone: what is left of its tables is lost (balance.ts says so). */
	ended(watch: DomainWatch): void {
		for (const table of this.#tables.values()) if (table.watch === watch) this.#forget(table);
	}

	// --- words

	onClean(phys: number, size: number): void {
		if (this.#tables.size === 0) return;
		const last = phys + size - 1;
		// What is larger than any table is nobody's table.
		for (let page = Math.floor(phys / PAGE); page <= Math.floor(last / PAGE); page++) {
			const tables = this.#byPage.get(page);
			if (tables === undefined) continue;
			for (const table of tables) {
				const from = Math.max(phys, table.addr, page * PAGE);
				const end = Math.min(last + 1, table.addr + table.bytes, (page + 1) * PAGE);
				const few = end - from <= LINE;
				if (from < end && (few || this.watched.machine.ram.isDirty(from, end - from)))
					this.#visible(table, from, end);
			}
		}
	}

	/** The words of @table in [@from, @end) are about to be what the CPU has stored. */
	#visible(table: Table, from: number, end: number): void {
		const { ram } = this.watched.machine;
		const { wordBytes } = table.format;
		for (let at = from - (from % wordBytes); at < end; at += wordBytes) {
			const low = ram.readWord(at);
			const cpuLow = ram.readCpuWord(at);
			const high = wordBytes === 8 ? ram.readWord(at + 4) : 0;
			const cpuHigh = wordBytes === 8 ? ram.readCpuWord(at + 4) : 0;
			if (low === cpuLow && high === cpuHigh) continue;
			const level = table.format.levels[table.level];
			level.decode(low, high, this.#old);
			level.decode(cpuLow, cpuHigh, this.#new);
			this.#changes(table, level, at, cpuLow, cpuHigh);
		}
	}

	/** How many words have changed that it has seen. */
	get seen(): number {
		return this.#seen;
	}

	/** The word at @at of @table, #old until now, becomes #new. */
	#changes(table: Table, level: TableLevel, at: number, low: number, high: number): void {
		this.#seen++;
		const { watch, iommu, format } = table;
		const before = this.#old;
		const after = this.#new;
		const size = POWERS[level.shift];
		const iova = table.iova + ((at - table.addr) / format.wordBytes) * size;
		const fn = this.log.running ?? 'the kernel';
		const is = after.kind;
		const was = before.kind;
		if (was !== 'invalid' && is !== 'invalid' && (was !== is || before.addr !== after.addr)) {
			this.#find('INV-TABLE-LIVE', 'live-word-replaced', iommu, fn, [
				`In ${fn}() the ${level.name} word at ${hex(at, 8)}, for ${hex(iova, 8)}, goes from one that leads to ${hex(before.addr, 8)} to ${wordText(table, low, high)}, which leads to ${hex(after.addr, 8)}`,
				...this.log.lines(),
				`${fn}() must not change a valid word into another: make it invalid, clean it, invalidate ${hex(iova, 8)}, and only then write the new one`,
			]);
			return;
		}
		if (is === 'page') this.#pageWord(table, level, at, iova, low, high, fn);
		else if (is === 'table') this.#tableWord(table, level, at, iova, low, high, fn);
		else if (was !== 'invalid' && !watch.freeing) this.#clearedWord(table, level, at, iova, fn);
	}

	/** It is a page's: the one that the call is about. */
	#pageWord(
		table: Table,
		level: TableLevel,
		at: number,
		iova: number,
		low: number,
		high: number,
		fn: string,
	): void {
		const { watch, iommu } = table;
		const span = spanAt(watch.changing, iova);
		if (span === null) {
			if (watch.partial || this.log.running === null || watch.mappings.find(iova) !== null) return;
			this.#find('INV-TABLE-LIVE', 'mapped-another', iommu, fn, [
				`In ${fn}() the ${level.name} word at ${hex(at, 8)}, for ${hex(iova, 8)}, becomes ${wordText(table, low, high)}; nobody maps anything there`,
				...this.log.lines(),
				`${fn}() writes a word at a wrong index, or more words than it was asked for: nobody asked for ${hex(iova, 8)}`,
			]);
			return;
		}
		if (span.phys < 0) return;
		const meant = span.phys + (iova - span.first);
		if (this.#new.addr === meant) return;
		this.#find('INV-TABLE-LIVE', 'wrong-word', iommu, fn, [
			`In ${fn}() the ${level.name} word at ${hex(at, 8)} becomes ${wordText(table, low, high)}, which leads ${hex(iova, 8)} to ${hex(this.#new.addr, 8)}; it is being mapped to ${hex(meant, 8)}`,
			...this.log.lines(),
			`${fn}() writes a valid word with a wrong address, for a while or for good: it must put the whole word for ${hex(iova, 8)} together first, and write it once`,
		]);
	}

	/** It leads to a table: which has to be there. */
	#tableWord(
		table: Table,
		level: TableLevel,
		at: number,
		iova: number,
		low: number,
		high: number,
		fn: string,
	): void {
		const { watch, iommu, format } = table;
		const { ram } = this.watched.machine;
		const to = this.#new.addr;
		const below = format.levels[table.level + 1];
		const bytes = format.wordBytes * 2 ** below.indexBits;
		const leads = `In ${fn}() the ${level.name} word at ${hex(at, 8)} becomes ${wordText(table, low, high)}, which leads ${hex(iova, 8)} to a ${below.name} at ${hex(to, 8)}`;
		if (!ram.is_ram(to, bytes)) {
			this.#find('INV-TABLE-LIVE', 'table-nowhere', iommu, fn, [
				`${leads}, where no memory is`,
				`${fn}() puts a wrong address into the ${level.name} word for ${hex(iova, 8)}`,
			]);
			return;
		}
		const allocation = this.memory.at(to);
		if (allocation !== null && allocation.freed !== null) {
			this.#find('INV-TABLE-LIVE', 'freed-table', iommu, fn, [
				`${leads}, and that memory is free`,
				...this.memory.lines(allocation),
				`${fn}() links a table that has been freed`,
			]);
			return;
		}
		const dirty = this.#firstDirtyWord(to, bytes);
		if (dirty >= 0)
			this.#find('INV-CLEAN', 'directory-before-table', iommu, fn, [
				`${leads}; memory has another word at ${hex(dirty, 8)} of that table than the CPU has stored, whose line is not clean`,
				...this.log.lines(),
				`${fn}() must clean the new ${below.name} (all ${bytes} bytes at ${hex(to, 8)}) before it stores, or cleans, the ${level.name} word for ${hex(iova, 8)} that leads to it`,
			]);
		else if (!this.#tables.has(to)) {
			const bad = this.#garbage(watch, format, table.level + 1, to, iova);
			if (bad >= 0)
				this.#find('INV-TABLE-LIVE', 'garbage-table', iommu, fn, [
					`${leads}, and a word of that new table, at ${hex(bad, 8)}, is valid: ${hex(ram.readWord(bad), 8)}`,
					...this.log.lines(),
					`${fn}() must link a table that is all zeroes (__GFP_ZERO, kmem_cache_zalloc()) but for what it is to map`,
				]);
		}
		this.#learn(watch, iommu, format, to, table.level + 1, iova);
	}

	/** It becomes invalid: and what is mapped by it is being unmapped. */
	#clearedWord(table: Table, level: TableLevel, at: number, iova: number, fn: string): void {
		const { watch, iommu } = table;
		if (watch.partial) return;
		const last = iova + POWERS[level.shift] - 1;
		const { mappings } = watch;
		for (
			let range = mappings.first(iova, last);
			range !== null;
			range = mappings.first(range.last + 1, last)
		) {
			const lost = Math.max(range.first, iova);
			if (spanAt(watch.changing, lost) !== null) continue;
			this.#find('INV-ERR', 'cleared-another', iommu, fn, [
				`In ${fn}() the ${level.name} word at ${hex(at, 8)}, for ${hex(iova, 8)}..${hex(last, 8)}, is made invalid; ${hex(lost, 8)} is mapped, and nobody unmaps it`,
				...this.log.lines(),
				`${fn}() clears a word (the ${level.name} word for ${hex(iova, 8)}) by which something else is mapped`,
			]);
			return;
		}
	}

	/** Where memory has another word than the CPU, in dirty lines; -1: nowhere. */
	#firstDirtyWord(addr: number, bytes: number): number {
		const { ram } = this.watched.machine;
		if (!ram.isDirty(addr, bytes)) return -1;
		for (let at = addr; at < addr + bytes; at += 4)
			if (ram.readWord(at) !== ram.readCpuWord(at) && ram.isDirty(at, 4)) return at;
		return -1;
	}

	/** A valid word of the table at @addr by which nothing is, or is being, mapped; -1: none. */
	#garbage(watch: DomainWatch, format: TableFormat, level: number, addr: number, iova: number): number {
		const { ram } = this.watched.machine;
		const at = format.levels[level];
		const size = 2 ** at.shift;
		for (let i = 0; i < 2 ** at.indexBits; i++) {
			const word = addr + i * format.wordBytes;
			at.decode(ram.readWord(word), format.wordBytes === 8 ? ram.readWord(word + 4) : 0, this.#below);
			if (this.#below.kind === 'invalid') continue;
			const [first, last] = [iova + i * size, iova + (i + 1) * size - 1];
			if (watch.mappings.first(first, last) !== null) continue;
			if (!watch.changing.some((span) => span.first <= last && first <= span.last)) return word;
		}
		return -1;
	}

	// --- memory

	/** @allocation is about to be free: no walk may come to it. */
	#freed({ phys, size, what }: Allocation): void {
		if (this.#tables.size === 0) return;
		for (let page = Math.floor(phys / PAGE); page <= Math.floor((phys + size - 1) / PAGE); page++) {
			const tables = this.#byPage.get(page);
			if (tables === undefined) continue;
			for (const table of [...tables]) {
				if (table.addr >= phys + size || table.addr + table.bytes <= phys) continue;
				const how = this.#reachable(table);
				if (how !== null) {
					const { iommu, addr, level, format, iova } = table;
					const fn = this.log.running ?? 'the kernel';
					const { name } = format.levels[level];
					this.#find('INV-TABLE-LIVE', 'freed-while-reachable', iommu, fn, [
						`${what} at ${hex(phys, 8)} is freed: it is the ${name} for ${hex(iova, 8)}, and ${how}`,
						...this.log.lines(),
						`${fn}() frees the ${name} at ${hex(addr, 8)} too early: first clear (and clean) what leads to it, then invalidate, wait, and only then free`,
					]);
				}
				this.#forget(table);
			}
		}
	}

	/** How a walk can come to @table; null: it cannot. */
	#reachable(table: Table): string | null {
		const { iommu, iova, addr, level } = table;
		const { machine } = this.watched;
		let translates = false;
		for (const port of machine.ports) {
			if (machine.iommuOf(port) !== iommu || !isPowered(this.watched, iommu)) continue;
			const root = iommu.rootOf?.(port.stream, NO_PASID) ?? -1;
			if (root < 0) continue;
			translates = true;
			if (level === 0) {
				if (root === addr) return `${port.name} is translated by it`;
			} else if (this.#walksTo(table, root, { ram: machine.ram, snoop: false }))
				return `a walk for ${port.name} at ${hex(iova, 8)} still comes to it`;
		}
		if (!translates) return null;
		for (const cache of iommu.caches()) {
			if (cache.kind === 'translations') continue;
			for (const entries of [cache.entries(), cache.guesses])
				for (const entry of entries)
					if (entry.valid && entry.phys === addr && (cache.kind === 'tables' || entry.root === addr))
						return `the ${cache.name} ${entry.reason === 'guess' ? 'may still have' : 'still has'} a word that leads to it`;
		}
		return null;
	}

	/** Whether the words in memory lead from @root to @table. */
	#walksTo({ format, iova, addr, level }: Table, root: number, { ram }: View): boolean {
		let table = root;
		for (let n = 0; n < level; n++) {
			const at = format.levels[n];
			const index = Math.floor(iova / 2 ** at.shift) % 2 ** at.indexBits;
			const word = table + index * format.wordBytes;
			this.#word.low = Math.max(0, ram.readWord(word));
			this.#word.high = format.wordBytes === 8 ? Math.max(0, ram.readWord(word + 4)) : 0;
			at.decode(this.#word.low, this.#word.high, this.#below);
			if (this.#below.kind !== 'table') return false;
			table = this.#below.addr;
		}
		return table === addr;
	}

	/** The table of @level at @addr is one of @watch's, and so are those that it leads to. */
	#learn(
		watch: DomainWatch,
		iommu: Iommu,
		format: TableFormat,
		addr: number,
		level: number,
		iova: number,
	): void {
		const old = this.#tables.get(addr);
		if (old?.watch === watch && old.level === level && old.iova === iova) return;
		if (old !== undefined) this.#forget(old);
		const { ram } = this.watched.machine;
		const at = format.levels[level];
		const bytes = format.wordBytes * 2 ** at.indexBits;
		if (!ram.is_ram(addr, bytes)) return;
		const table: Table = { addr, bytes, level, format, iommu, watch, iova };
		this.#tables.set(addr, table);
		for (let page = Math.floor(addr / PAGE); page <= Math.floor((addr + bytes - 1) / PAGE); page++) {
			const tables = this.#byPage.get(page);
			if (tables === undefined) this.#byPage.set(page, [table]);
			else tables.push(table);
		}
		if (level === format.levels.length - 1) return;
		for (let i = 0; i < 2 ** at.indexBits; i++) {
			const word = addr + i * format.wordBytes;
			const low = ram.readWord(word);
			if (low === 0 && format.wordBytes === 4) continue;
			const into = new Decoded();
			at.decode(low, format.wordBytes === 8 ? ram.readWord(word + 4) : 0, into);
			if (into.kind === 'table')
				this.#learn(watch, iommu, format, into.addr, level + 1, iova + i * 2 ** at.shift);
		}
	}

	#forget(table: Table): void {
		this.#tables.delete(table.addr);
		const { addr, bytes } = table;
		for (let page = Math.floor(addr / PAGE); page <= Math.floor((addr + bytes - 1) / PAGE); page++) {
			const rest = (this.#byPage.get(page) ?? []).filter((other) => other !== table);
			if (rest.length === 0) this.#byPage.delete(page);
			else this.#byPage.set(page, rest);
		}
	}

	/** @lines: details, and the advice as the last. */
	#find(
		invariant: Finding['invariant'],
		kind: string,
		iommu: Iommu,
		fn: string,
		lines: readonly string[],
	): void {
		this.watched.find({
			invariant,
			kind,
			device: iommu.name,
			...asReturns(fn),
			details: lines.slice(0, -1),
			advice: lines[lines.length - 1],
		});
	}
}

function wordText({ format }: Table, low: number, high: number): string {
	return hexWord(wordOf(low, high), format.wordBytes);
}

/** Which of @spans has @addr; null: none. */
function spanAt(spans: readonly Change[], addr: number): Change | null {
	for (let i = 0; i < spans.length; i++) if (spans[i].first <= addr && addr <= spans[i].last) return spans[i];
	return null;
}
