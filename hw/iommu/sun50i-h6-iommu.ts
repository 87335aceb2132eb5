// SPDX-License-Identifier: GPL-2.0-only
// The IOMMU of Allwinner H6, and of H616 as a variant.
//
// Registers, tables and what the driver relies on: Documentation/sun50i-h6-iommu.json (Linux 6.12,
// drivers/iommu/sun50i-iommu.c). Reset values, the root's dropped bits, the blame of a level-1 fault, the H616's
// start/end invalidation: measured on sister chips, or public in the vendor's sunxi-iommu.h (Documentation/INVARIANTS.md).
//
// What nobody documents is a policy here. "pessimistic": everything that may be cached is, and stays until
// it is invalidated; an invalidation takes effect only when its busy bit clears, and is lost while the automatic
// clock gating is on (why else would drivers switch it off?). "optimistic": few entries, thrown out at random, nothing
// invalid kept: bugs hide as on a lucky board.
//
// Not modelled: performance counters and latency registers, the VA debug registers (0x190-0x198), out-of-order and
// write-buffer control (hold what is written), the time that a walk takes, page sizes other than 4 KiB (none).

import type { Translator } from '#hw/core/dma-port.js';
import type { DeviceModel, IrqLine, ModelContext, Policy } from '#hw/core/model.js';
import type { Ram } from '#hw/core/ram.js';
import { hex, RegisterFile } from '#hw/core/register-file.js';
import type { CachedEntry, FillReason, IommuBehaviour } from './sun50i-h6-iommu-caches.js';
import { OPTIMISTIC, PESSIMISTIC, WordCache } from './sun50i-h6-iommu-caches.js';
import type { IommuVariant } from './sun50i-h6-iommu-regs.js';
import { H6, H616, INT_L1, INT_L2, MACRO, registersOf, WALK } from './sun50i-h6-iommu-regs.js';

export type FaultKind = 'L1' | 'L2' | 'permission';

export interface IommuFault {
	readonly time: number;
	readonly kind: FaultKind;
	readonly master: number;
	readonly iova: number;
	readonly write: boolean;
	/** The word that refused: directory entry (L1) or page entry. */
	readonly word: number;
	readonly cached: boolean;
}

export interface MasterStats {
	accesses: number;
	bypassed: number;
	microHits: number;
	macroHits: number;
	walks: number;
	walkCacheHits: number;
	prefetches: number;
	faults: number;
	refused: number;
}

/** A cached entry that does not say what the tables say. */
export interface Contradiction {
	readonly where: 'micro TLB' | 'macro TLB' | 'walk cache';
	/** Of the micro TLB; -1 for the shared ones. */
	readonly master: number;
	readonly iova: number;
	readonly size: number;
	readonly cached: number;
	/** What is in memory now. */
	readonly memory: number;
	readonly entry: CachedEntry;
	readonly text: string;
}

export interface ExplainedWord {
	readonly index: number;
	readonly addr: number;
	readonly memory: number;
	readonly cpu: number;
	readonly dirty: boolean;
	readonly valid: boolean;
	/** The caches' copies of the word, by where they are. */
	readonly cached: readonly { where: string; entry: CachedEntry }[];
}

export interface Explanation {
	readonly iova: number;
	readonly master: number;
	readonly root: number;
	readonly directory: ExplainedWord;
	/** null when the directory word is invalid. */
	readonly table: ExplainedWord | null;
	/** Where the tables in memory lead; -1: nowhere. */
	readonly phys: number;
	readonly aci: number;
	readonly readable: boolean;
	readonly writable: boolean;
	readonly text: string;
}

/** A word that the walker has read. */
export interface TableRead {
	/** 1 the directory, 2 a page table. */
	readonly level: 1 | 2;
	readonly addr: number;
	readonly word: number;
	readonly iova: number;
	readonly master: number;
	readonly reason: FillReason;
}

/** Watches lookups and walks (the sanitiser). */
export interface IommuObserver {
	/** The walker read a table word, for an access or ahead of one. */
	walked(iommu: Sun50iH6Iommu, read: TableRead): void;
	/** A master's access was answered from @entry (null: by the walk that just ended). */
	answered(iommu: Sun50iH6Iommu, master: number, iova: number, write: boolean, entry: CachedEntry): void;
	faulted(iommu: Sun50iH6Iommu, fault: IommuFault): void;
}

const PAGE_SHIFT = 12;
const DIRECTORY_SHIFT = 20;
const BLAME_PREFETCH = 0x80000000;
const FAULT_LOG = 256;

const directoryIndex = (iova: number): number => iova >>> DIRECTORY_SHIFT;
const tableIndex = (iova: number): number => (iova >>> PAGE_SHIFT) & 0xff;
const directoryValid = (word: number): boolean => (word & 3) === 1;
const tableValid = (word: number): boolean => (word & 2) !== 0;
const tableOf = (word: number): number => (word & 0xfffffc00) >>> 0;
const pageOf = (word: number): number => (word & 0xfffff000) >>> 0;
const aciOf = (word: number): number => (word >>> 4) & 0xf;

type HotRegister =
	| 'TTB'
	| 'TLB_FLUSH'
	| 'TLB_ENABLE'
	| 'AUTO_GATING'
	| 'TLB_IVLD_ADDR'
	| 'TLB_IVLD_ADDR_MASK'
	| 'TLB_IVLD_ENABLE'
	| 'PC_IVLD_ADDR'
	| 'PC_IVLD_ENABLE'
	| 'DM_AUT_OVWT'
	| 'DM_AUT_CTRL';

/** An operation that keeps its register bits set until it is done. */
interface Busy {
	bits: number;
	until: number;
}

export class Sun50iH6Iommu implements DeviceModel, Translator {
	/** Address lines on both sides. */
	readonly inputBits = 32;
	readonly outputBits = 32;
	readonly registers: RegisterFile;
	readonly behaviour: IommuBehaviour;
	readonly masters: readonly MasterStats[];
	/** The last faults, oldest first. */
	readonly faults: IommuFault[] = [];
	observer: IommuObserver | null = null;
	/** Operations that never end, for tests: their busy bits stay, and nothing is dropped. */
	readonly stuck = { flush: false, tlb: false, walk: false };

	/** Where registers that every operation looks at stand in registers.values. */
	readonly #at: Readonly<Record<HotRegister, number>>;
	readonly #micro: WordCache[];
	readonly #macro = new WordCache();
	/** Micro TLBs and macro TLB. */
	readonly #tlbs: readonly WordCache[];
	readonly #walk = new WordCache();
	/** Masters that faulted and were not reset since. */
	#stalled = 0;
	/** One of these goes on. */
	#busy = false;
	readonly #flush: Busy = { bits: 0, until: 0 };
	readonly #tlbInvalidate: Busy = { bits: 0, until: 0 };
	readonly #walkInvalidate: Busy = { bits: 0, until: 0 };
	#mode = { enabled: false, bypass: 0, tlb: 0, prefetch: 0, held: 0 };

	constructor(
		readonly name: string,
		readonly variant: IommuVariant,
		policy: Policy,
		readonly ram: Ram,
		readonly clock: { readonly now: number },
		readonly irq: IrqLine,
		readonly random: () => number,
		/** null: powered; else why not. */
		readonly powered: () => boolean = () => true,
		readonly note: (text: string) => void = () => {},
	) {
		this.registers = new RegisterFile(registersOf(variant));
		this.behaviour = { ...(policy === 'pessimistic' ? PESSIMISTIC : OPTIMISTIC) };
		const at = (name: HotRegister): number => this.registers.slotOf(name);
		this.#at = {
			TTB: at('TTB'),
			TLB_FLUSH: at('TLB_FLUSH'),
			TLB_ENABLE: at('TLB_ENABLE'),
			AUTO_GATING: at('AUTO_GATING'),
			TLB_IVLD_ADDR: at('TLB_IVLD_ADDR'),
			TLB_IVLD_ADDR_MASK: at('TLB_IVLD_ADDR_MASK'),
			TLB_IVLD_ENABLE: at('TLB_IVLD_ENABLE'),
			PC_IVLD_ADDR: at('PC_IVLD_ADDR'),
			PC_IVLD_ENABLE: at('PC_IVLD_ENABLE'),
			DM_AUT_OVWT: at('DM_AUT_OVWT'),
			DM_AUT_CTRL: at('DM_AUT_CTRL'),
		};
		this.#micro = variant.masters.map(() => new WordCache());
		this.#tlbs = [...this.#micro, this.#macro];
		this.masters = variant.masters.map(() => ({
			accesses: 0,
			bypassed: 0,
			microHits: 0,
			macroHits: 0,
			walks: 0,
			walkCacheHits: 0,
			prefetches: 0,
			faults: 0,
			refused: 0,
		}));
		this.#giveEffects();
		this.#takeMode();
	}

	read(offset: number, width: number): number {
		this.#settle();
		return this.registers.read(offset, width);
	}

	write(offset: number, width: number, value: number): void {
		this.#settle();
		this.registers.write(offset, value, width);
	}

	/** The block's reset line, or loss of power: registers and caches are gone. */
	reset(): void {
		this.registers.reset();
		for (const cache of this.#tlbs) cache.clear();
		this.#walk.clear();
		for (const busy of [this.#flush, this.#tlbInvalidate, this.#walkInvalidate]) busy.bits = 0;
		this.#stalled = 0;
		this.#takeMode();
		this.irq.set(false);
	}

	/** Where @addr of @master leads: the physical address, or -1 when the access is refused. */
	translate(master: number, addr: number, write: boolean): number {
		const stats = this.masters[master];
		if (stats === undefined) {
			this.note(`an access by master ${master}, which this chip does not have, is refused`);
			return -1;
		}
		stats.accesses++;
		const iova = addr >>> 0;
		const mode = this.#mode;
		// 1. Translation off, or not for this master: the address goes through as it is.
		if (!mode.enabled || (mode.bypass >>> master) & 1) {
			stats.bypassed++;
			return addr;
		}
		// 2. A block without clock, or a master held in reset or stalled by a fault, gets no answer.
		if (!this.powered()) {
			this.note(
				`an access by ${this.variant.masters[master]} hangs: translation is on, but the block has no clock`,
			);
			stats.refused++;
			return -1;
		}
		if (((mode.held | this.#stalled) >>> master) & 1) {
			stats.refused++;
			return -1;
		}
		this.#settle();
		if (this.behaviour.evictChance > 0) this.#evictSome(master);
		// 3. Micro TLB, macro TLB, walk.
		const entry = this.#lookup(master, iova, write, stats);
		if (entry === null) return -1;
		if (!tableValid(entry.word)) {
			this.#fault('L2', master, iova, write, entry.word, entry.time !== this.clock.now);
			return -1;
		}
		// 4. Rights of the entry's domain, for this master and direction.
		if (!this.#allowed(aciOf(entry.word), master, write)) {
			this.#fault('permission', master, iova, write, entry.word, true);
			return -1;
		}
		this.observer?.answered(this, master, iova, write, entry);
		return pageOf(entry.word) + (iova & 0xfff);
	}

	/** The level of the interrupt line. */
	get irqLevel(): boolean {
		return (this.registers.get('INT_STA') & this.registers.get('INT_ENABLE')) !== 0;
	}

	/** Sums over all masters. */
	get totals(): MasterStats {
		const sum = { ...this.masters[0] };
		for (const stats of this.masters.slice(1))
			for (const key of Object.keys(sum) as (keyof MasterStats)[]) sum[key] += stats[key];
		return sum;
	}

	/** What the caches hold: one list per micro TLB, the macro TLB's, the walk cache's. */
	cached(): { micro: CachedEntry[][]; macro: CachedEntry[]; walk: CachedEntry[] } {
		this.#settle();
		return {
			micro: this.#micro.map((cache) => [...cache.entries.values()]),
			macro: [...this.#macro.entries.values()],
			walk: [...this.#walk.entries.values()],
		};
	}

	/** Masters that got no answer since a fault, as a bit mask. */
	get stalled(): number {
		return this.#stalled;
	}

	/**
	 * Cached entries in [@start, @start + @size) that the tables in memory contradict. None while translation is
	 * off: what the caches hold then is not asked for, and the driver flushes before it turns it on.
	 */
	contradictions(start = 0, size = 0x1_0000_0000): Contradiction[] {
		this.#settle();
		const found: Contradiction[] = [];
		if (!this.#mode.enabled) return found;
		const end = start + size;
		for (const entry of this.#walk.entries.values()) {
			const iova = entry.tag * 0x10_0000;
			if (iova + 0x10_0000 <= start || iova >= end) continue;
			const memory = this.#word(this.#root() + 4 * entry.tag);
			if (memory !== entry.word && (directoryValid(memory) || directoryValid(entry.word)))
				found.push(this.#contradiction('walk cache', -1, iova, 0x10_0000, entry, memory));
		}
		const check = (where: 'micro TLB' | 'macro TLB', master: number, cache: WordCache): void => {
			for (const entry of cache.entries.values()) {
				const iova = entry.tag * 0x1000;
				if (iova + 0x1000 <= start || iova >= end) continue;
				const memory = this.tableWord(iova);
				if (memory !== entry.word && (tableValid(memory) || tableValid(entry.word)))
					found.push(this.#contradiction(where, master, iova, 0x1000, entry, memory));
			}
		};
		this.#micro.forEach((cache, master) => {
			check('micro TLB', master, cache);
		});
		check('macro TLB', -1, this.#macro);
		return found;
	}

	/** The page entry that the tables in memory have for @iova now; 0 when there is no table. */
	tableWord(iova: number): number {
		const directory = this.#word(this.#root() + 4 * directoryIndex(iova));
		return directoryValid(directory) ? this.#word(tableOf(directory) + 4 * tableIndex(iova)) : 0;
	}

	/** The whole walk of @iova for @master: each word as memory, CPU and caches have it. Changes nothing. */
	explain(iova: number, master: number): Explanation {
		this.#settle();
		const root = this.#root();
		const at = iova >>> 0;
		const mib = directoryIndex(at);
		const page = at >>> PAGE_SHIFT;
		const walked = this.#walk.find(mib);
		const directory = this.#explainWord(
			mib,
			root + 4 * mib,
			directoryValid,
			walked === undefined ? [] : [{ where: 'walk cache', entry: walked }],
		);
		const copies: { where: string; entry: CachedEntry }[] = [];
		const micro = this.#micro[master]?.find(page);
		const macro = this.#macro.find(page);
		if (micro !== undefined) copies.push({ where: `micro TLB of ${this.#masterName(master)}`, entry: micro });
		if (macro !== undefined) copies.push({ where: 'macro TLB', entry: macro });
		const table = directory.valid
			? this.#explainWord(tableIndex(at), tableOf(directory.memory) + 4 * tableIndex(at), tableValid, copies)
			: null;
		const mapped = table?.valid === true;
		const aci = mapped ? aciOf(table.memory) : 0;
		const readable = mapped && this.#allowed(aci, master, false);
		const writable = mapped && this.#allowed(aci, master, true);
		const phys = mapped ? pageOf(table.memory) + (at & 0xfff) : -1;
		const lines = [
			`iova ${hex(at, 8)}, master ${master} (${this.#masterName(master)}), directory at ${hex(root, 8)}`,
		];
		if (!this.#mode.enabled) lines.push('  translation is off');
		else if ((this.#mode.bypass >>> master) & 1) lines.push('  this master bypasses translation');
		lines.push(...this.#wordText('DT', directory));
		if (table !== null) lines.push(...this.#wordText('PT', table));
		else for (const { where, entry } of copies) lines.push(`    ${where}: ${this.#entryText(entry)}`);
		if (mapped)
			lines.push(
				`  -> ${hex(phys, 8)}, domain ${aci}: ${readable ? 'may read' : 'may not read'}, ${writable ? 'may write' : 'may not write'}`,
			);
		else lines.push('  -> not mapped');
		return {
			iova: at,
			master,
			root,
			directory,
			table,
			phys,
			aci,
			readable,
			writable,
			text: lines.join('\n'),
		};
	}

	#masterName(master: number): string {
		return this.variant.masters[master] ?? '?';
	}

	#root(): number {
		return this.registers.values[this.#at.TTB];
	}

	/** A table word as the walker reads it: from memory, not from the CPU's cache. */
	#word(addr: number): number {
		return Math.max(0, this.ram.readWord(addr));
	}

	#takeMode(): void {
		const { registers } = this;
		const reset = registers.get('RESET');
		const all = (1 << this.variant.masters.length) - 1;
		this.#mode = {
			enabled: registers.get('ENABLE') === 1,
			bypass: registers.get('BYPASS'),
			tlb: registers.get('TLB_ENABLE'),
			prefetch: registers.get('TLB_PREFETCH'),
			held: reset & 0x80000000 ? ~reset & all : all,
		};
	}

	/** What writing a register does, beyond keeping the value. */
	#giveEffects(): void {
		const { registers } = this;
		const { values } = registers;
		registers.whenWritten('RESET', (value) => {
			// A master's reset ends its stall; the shared caches' reset empties them.
			this.#stalled &= value;
			if ((value & MACRO) === 0) this.#macro.clear();
			if ((value & WALK) === 0) this.#walk.clear();
			this.#takeMode();
		});
		for (const name of ['ENABLE', 'BYPASS', 'TLB_ENABLE', 'TLB_PREFETCH'])
			registers.whenWritten(name, () => this.#takeMode());
		registers.whenWritten('TLB_FLUSH', (_value, written) => {
			const bits = written & values[this.#at.TLB_ENABLE];
			if (this.#start(this.#flush, bits)) this.#doFlush(bits);
			values[this.#at.TLB_FLUSH] = this.#flush.bits;
		});
		registers.whenWritten('TLB_IVLD_ENABLE', (value) => {
			if (this.#start(this.#tlbInvalidate, value & 1)) this.#doTlbInvalidate();
			values[this.#at.TLB_IVLD_ENABLE] = this.#tlbInvalidate.bits;
		});
		registers.whenWritten('PC_IVLD_ENABLE', (value) => {
			if (this.#start(this.#walkInvalidate, value & 1)) this.#doWalkInvalidate();
			values[this.#at.PC_IVLD_ENABLE] = this.#walkInvalidate.bits;
		});
		registers.whenWritten('INT_CLR', (_value, written) => this.#clearFaults(written));
		registers.whenWritten('INT_ENABLE', () => this.irq.set(this.irqLevel));
	}

	/** An operation begins; true when its effect is immediate. */
	#start(busy: Busy, bits: number): boolean {
		if (bits === 0) return false;
		this.#busy = true;
		busy.bits |= bits;
		busy.until = this.clock.now + this.behaviour.busyNs;
		return !this.behaviour.lateInvalidation;
	}

	/** Operations whose time has come end here: before anything that could tell. */
	#settle(): void {
		if (this.#busy) this.#endOperations();
	}

	#endOperations(): void {
		const { now } = this.clock;
		const { values } = this.registers;
		const late = this.behaviour.lateInvalidation;
		if (this.#flush.bits !== 0 && now >= this.#flush.until && !this.stuck.flush) {
			if (late) this.#doFlush(this.#flush.bits);
			this.#flush.bits = 0;
			values[this.#at.TLB_FLUSH] = 0;
		}
		if (this.#tlbInvalidate.bits !== 0 && now >= this.#tlbInvalidate.until && !this.stuck.tlb) {
			if (late) this.#doTlbInvalidate();
			this.#tlbInvalidate.bits = 0;
			values[this.#at.TLB_IVLD_ENABLE] = 0;
		}
		if (this.#walkInvalidate.bits !== 0 && now >= this.#walkInvalidate.until && !this.stuck.walk) {
			if (late) this.#doWalkInvalidate();
			this.#walkInvalidate.bits = 0;
			values[this.#at.PC_IVLD_ENABLE] = 0;
		}
		this.#busy = (this.#flush.bits | this.#tlbInvalidate.bits | this.#walkInvalidate.bits) !== 0;
	}

	#doFlush(bits: number): void {
		if (this.stuck.flush) return;
		for (let m = 0; m < this.#micro.length; m++) if ((bits >>> m) & 1) this.#micro[m].clear();
		if (bits & MACRO) this.#macro.clear();
		if (bits & WALK) this.#walk.clear();
	}

	#gated(): boolean {
		return this.behaviour.gatingLosesInvalidation && this.registers.values[this.#at.AUTO_GATING] === 1;
	}

	#doTlbInvalidate(): void {
		if (this.stuck.tlb) return;
		if (this.#gated()) {
			this.note('a TLB invalidation with AUTO_GATING on is lost');
			return;
		}
		const { registers } = this;
		if (this.variant.rangeMode && registers.get('TLB_IVLD_MODE_SEL') === 1) {
			const first = registers.get('TLB_IVLD_START_ADDR') >>> PAGE_SHIFT;
			const last = registers.get('TLB_IVLD_END_ADDR') >>> PAGE_SHIFT;
			for (const cache of this.#tlbs)
				for (const tag of cache.entries.keys()) if (tag >= first && tag <= last) cache.entries.delete(tag);
			return;
		}
		const mask = registers.values[this.#at.TLB_IVLD_ADDR_MASK] >>> PAGE_SHIFT;
		const want = (registers.values[this.#at.TLB_IVLD_ADDR] >>> PAGE_SHIFT) & mask;
		for (let i = 0; i < this.#tlbs.length; i++) {
			const { entries } = this.#tlbs[i];
			if (entries.size === 0) continue;
			if (mask === 0xfffff) entries.delete(want);
			else for (const tag of entries.keys()) if ((tag & mask) === want) entries.delete(tag);
		}
	}

	#doWalkInvalidate(): void {
		if (this.stuck.walk) return;
		if (this.#gated()) {
			this.note('a walk-cache invalidation with AUTO_GATING on is lost');
			return;
		}
		this.#walk.entries.delete(this.registers.values[this.#at.PC_IVLD_ADDR] >>> DIRECTORY_SHIFT);
	}

	#clearFaults(bits: number): void {
		const { registers } = this;
		registers.set('INT_STA', registers.get('INT_STA') & ~bits);
		if (bits & INT_L1) registers.set('L1PG_INT', 0);
		if (bits & INT_L2) registers.set('L2PG_INT', 0);
		this.irq.set(this.irqLevel);
	}

	#evictSome(master: number): void {
		for (const cache of [this.#micro[master], this.#macro, this.#walk])
			if (this.random() < this.behaviour.evictChance) cache.evict(this.random());
	}

	/** The page entry for @iova, valid or not; null when the walk ended in a level-1 fault. */
	#lookup(master: number, iova: number, write: boolean, stats: MasterStats): CachedEntry | null {
		const page = iova >>> PAGE_SHIFT;
		const { tlb } = this.#mode;
		const micro = (tlb >>> master) & 1 ? this.#micro[master] : null;
		const hit = micro?.find(page);
		if (hit !== undefined) {
			stats.microHits++;
			return hit;
		}
		let entry = tlb & MACRO ? this.#macro.find(page) : undefined;
		if (entry !== undefined) stats.macroHits++;
		else {
			stats.walks++;
			const walked = this.#walkTables(master, iova, 'walk', stats);
			if (walked.directory !== null) {
				this.#fault('L1', master, iova, write, walked.directory, walked.cached);
				return null;
			}
			entry = walked.entry!;
			if (this.behaviour.prefetch && (this.#mode.prefetch >>> master) & 1)
				this.#prefetch(master, iova, write, stats);
		}
		if (micro !== null && (tableValid(entry.word) || this.behaviour.negative))
			micro.fill(
				{ ...entry, time: this.clock.now, master, iova, reason: 'macro' },
				this.behaviour.microEntries,
			);
		return entry;
	}

	/** The walk: @directory is the invalid directory word that ended it, else null. */
	#walkTables(
		master: number,
		iova: number,
		reason: FillReason,
		stats: MasterStats,
	): { entry: CachedEntry | null; directory: number | null; cached: boolean } {
		const { behaviour } = this;
		const { tlb } = this.#mode;
		const root = this.#root();
		const mib = directoryIndex(iova);
		// 1. The directory word: from the walk cache, or from memory.
		const known = tlb & WALK ? this.#walk.find(mib) : undefined;
		let word: number;
		if (known !== undefined) {
			stats.walkCacheHits++;
			word = known.word;
		} else {
			const wordAddr = root + 4 * mib;
			word = this.#walkRead(1, wordAddr, iova, master, reason);
			if (tlb & WALK && (directoryValid(word) || behaviour.negative))
				this.#walk.fill(this.#entry(mib, word, wordAddr, master, iova, reason, root), behaviour.walkEntries);
		}
		// 2. An invalid one ends the walk.
		if (!directoryValid(word)) return { entry: null, directory: word, cached: known !== undefined };
		// 3. The page entry, from memory.
		const table = tableOf(word);
		const page = iova >>> PAGE_SHIFT;
		const wordAddr = table + 4 * tableIndex(iova);
		const entry = this.#entry(
			page,
			this.#walkRead(2, wordAddr, iova, master, reason),
			wordAddr,
			master,
			iova,
			reason,
			root,
		);
		if (tlb & MACRO) {
			if (tableValid(entry.word) || behaviour.negative) this.#macro.fill(entry, behaviour.macroEntries);
			// 4. The words that came with it on the same burst.
			if (behaviour.neighbours > 1 && reason === 'walk')
				this.#fillNeighbours(table, page, master, iova, root);
		}
		return { entry, directory: null, cached: false };
	}

	#fillNeighbours(table: number, page: number, master: number, iova: number, root: number): void {
		const { neighbours, negative, negativeNeighbours, macroEntries } = this.behaviour;
		const first = page - (page % neighbours);
		for (let tag = first; tag < first + neighbours; tag++) {
			if (tag === page || this.#macro.find(tag) !== undefined) continue;
			const wordAddr = table + 4 * (tag & 0xff);
			const word = this.#word(wordAddr);
			if (tableValid(word) || (negative && negativeNeighbours))
				this.#macro.fill(this.#entry(tag, word, wordAddr, master, iova, 'neighbour', root), macroEntries);
		}
	}

	/** Look ahead: the next page's walk, into the macro TLB. */
	#prefetch(master: number, iova: number, write: boolean, stats: MasterStats): void {
		const next = ((iova & 0xfffff000) >>> 0) + 0x1000;
		if (next > 0xffffffff || (this.#mode.tlb & MACRO && this.#macro.find(next >>> PAGE_SHIFT) !== undefined))
			return;
		stats.prefetches++;
		const { entry, directory } = this.#walkTables(master, next, 'prefetch', stats);
		if (!this.behaviour.prefetchFaults) return;
		const kind = directory !== null ? 'L1' : tableValid(entry!.word) ? null : 'L2';
		if (kind === null) return;
		this.#fault(kind, master, next, write, directory ?? entry!.word, false);
		const blame = kind === 'L1' ? 'L1PG_INT' : 'L2PG_INT';
		this.registers.set(blame, (this.registers.get(blame) | BLAME_PREFETCH) >>> 0);
	}

	#entry(
		tag: number,
		word: number,
		wordAddr: number,
		master: number,
		iova: number,
		reason: FillReason,
		root: number,
	): CachedEntry {
		return { tag, word, wordAddr, time: this.clock.now, master, iova, reason, root };
	}

	#walkRead(level: 1 | 2, addr: number, iova: number, master: number, reason: FillReason): number {
		const word = this.ram.readWord(addr);
		if (word < 0) {
			this.note(`the walker reads ${hex(addr)}, where no memory is: as zero`);
			return 0;
		}
		this.observer?.walked(this, { level, addr, word, iova, master, reason });
		return word;
	}

	#allowed(aci: number, master: number, write: boolean): boolean {
		const { values } = this.registers;
		const override = values[this.#at.DM_AUT_OVWT];
		const bit = 2 * master + (write ? 1 : 0);
		if (override & 0x80000000) return ((override >>> bit) & 1) === 0;
		const word = values[this.#at.DM_AUT_CTRL + (aci >>> 1)];
		return ((word >>> (16 * (aci & 1) + bit)) & 1) === 0;
	}

	#fault(kind: FaultKind, master: number, iova: number, write: boolean, word: number, cached: boolean): void {
		const { registers } = this;
		const bit = 1 << master;
		let status = registers.get('INT_STA');
		if (kind === 'permission') {
			registers.set('INT_ERR_ADDR', iova, master);
			registers.set('INT_ERR_DATA', word, master);
			status |= bit;
		} else {
			registers.set(`INT_ERR_ADDR_${kind}`, iova);
			registers.set(`${kind}PG_INT`, (registers.get(`${kind}PG_INT`) | bit) >>> 0);
			status |= kind === 'L1' ? INT_L1 : INT_L2;
		}
		registers.set('INT_STA', status >>> 0);
		this.masters[master].faults++;
		if (this.behaviour.stallOnFault) this.#stalled |= bit;
		const fault: IommuFault = { time: this.clock.now, kind, master, iova, write, word, cached };
		this.faults.push(fault);
		if (this.faults.length > FAULT_LOG) this.faults.shift();
		this.observer?.faulted(this, fault);
		this.irq.set(this.irqLevel);
	}

	#explainWord(
		index: number,
		addr: number,
		isValid: (word: number) => boolean,
		cached: { where: string; entry: CachedEntry }[],
	): ExplainedWord {
		const memory = this.#word(addr);
		const cpuWord = this.ram.readCpuWord(addr);
		const cpu = cpuWord < 0 ? memory : cpuWord;
		return { index, addr, memory, cpu, dirty: this.ram.isDirty(addr, 4), valid: isValid(memory), cached };
	}

	#wordText(what: string, word: ExplainedWord): string[] {
		const views =
			word.memory === word.cpu
				? `${hex(word.memory, 8)}${word.dirty ? ' (in a dirty CPU line)' : ''}`
				: `${hex(word.memory, 8)} in memory, ${hex(word.cpu, 8)} in the CPU's cache${word.dirty ? ' (dirty, not written back)' : ' (stale there)'}`;
		const lines = [
			`  ${what}[${hex(word.index, what === 'DT' ? 3 : 2)}] at ${hex(word.addr, 8)}: ${views}, ${word.valid ? 'valid' : 'not valid'}`,
		];
		for (const { where, entry } of word.cached) lines.push(`    ${where}: ${this.#entryText(entry)}`);
		return lines;
	}

	#entryText(entry: CachedEntry): string {
		const when = (entry.time / 1e9).toFixed(6);
		return `${hex(entry.word, 8)}, since ${when} (${entry.reason}, ${this.#masterName(entry.master)} at ${hex(entry.iova, 8)})`;
	}

	#contradiction(
		where: Contradiction['where'],
		master: number,
		iova: number,
		size: number,
		entry: CachedEntry,
		memory: number,
	): Contradiction {
		const whose = master < 0 ? where : `${where} of ${this.#masterName(master)}`;
		const text = `${whose} has ${this.#entryText(entry)} for ${hex(iova, 8)}+${hex(size)}, the tables in memory say ${hex(memory, 8)}`;
		return { where, master, iova, size, cached: entry.word, memory, entry, text };
	}
}

export function sun50iH6Iommu(ctx: ModelContext): Sun50iH6Iommu {
	const variant = ctx.compatible === H616.compatible ? H616 : H6;
	const { machine } = ctx;
	return new Sun50iH6Iommu(
		ctx.name,
		variant,
		machine.policy,
		machine.ram,
		machine.clock,
		ctx.irq(),
		machine.random(ctx.name),
		() => ctx.powered(),
		(text) => machine.note(ctx.name, text),
	);
}
