// SPDX-License-Identifier: GPL-2.0-only
// The IOMMU of Rockchip's chips: one or more MMUs before one master, in one of two table formats.
//
// Registers and commands: Linux 6.12, drivers/iommu/rockchip-iommu.c, and what an unmodified kernel met in
// tests/golden (rockchip-*.json). A zap drops the line that a word came with, and its directory word's line: that
// is what the driver relies on when it zaps only the ends of a range that it mapped.
//
// What nobody documents is a habit here. "pessimistic": lines stay until they are zapped, a walk brings the whole
// line, valid or not, and a command takes its time. "optimistic": few lines, thrown out at random, commands at once.
//
// Not modelled: the first format's cache attributes, secure pages, the replay buffer (an access that is stalled or
// refused is the master's to repeat), the time limit of directory fetches, which port of a master goes through which
// MMU (they take turns), power domains.

import type { Translator } from '#hw/core/dma-port.js';
import type { DeviceModel, IrqLine, ModelContext, Policy } from '#hw/core/model.js';
import type { Ram } from '#hw/core/ram.js';
import { hex, RegisterFile } from '#hw/core/register-file.js';
import { type CachedEntry, WordCache } from '../sun50i-h6-iommu-caches.js';
import {
	COMMAND,
	directoryIndex,
	FORMAT_1,
	FORMAT_2,
	INT,
	PAGE_SHIFT,
	REGISTERS,
	STATUS,
	STATUS_RESET,
	type TableFormat,
	tableIndex,
} from './rockchip-iommu-regs.js';

/** Sizes and habits of an MMU's caches. A size of Infinity: nothing is thrown out. */
export interface RockchipBehaviour {
	/** Page words, and directory words, that are kept. */
	pageEntries: number;
	directoryEntries: number;
	/** Words that come, and go, together: a power of two. */
	line: number;
	/** Invalid words are kept too. */
	negative: boolean;
	/** Chance that a lookup throws a random entry out first. */
	evictChance: number;
	/** How long a command takes whose end STATUS, or DTE_ADDR, tells. */
	commandNs: number;
}

export const PESSIMISTIC: Readonly<RockchipBehaviour> = {
	pageEntries: Number.POSITIVE_INFINITY,
	directoryEntries: Number.POSITIVE_INFINITY,
	line: 16,
	negative: true,
	evictChance: 0,
	commandNs: 5000,
};

export const OPTIMISTIC: Readonly<RockchipBehaviour> = {
	pageEntries: 16,
	directoryEntries: 4,
	line: 1,
	negative: false,
	evictChance: 1 / 4,
	commandNs: 0,
};

export type RockchipFaultKind = 'directory' | 'page' | 'permission' | 'bus';

export interface RockchipFault {
	readonly time: number;
	readonly kind: RockchipFaultKind;
	readonly mmu: number;
	readonly iova: number;
	readonly write: boolean;
	/** The word that refused; 0 for a bus error. */
	readonly word: number;
}

export interface MmuStats {
	accesses: number;
	bypassed: number;
	hits: number;
	walks: number;
	faults: number;
	refused: number;
}

/** A cached word that is not what memory has. */
export interface RockchipContradiction {
	readonly mmu: number;
	readonly where: 'page' | 'directory';
	readonly iova: number;
	readonly size: number;
	readonly cached: number;
	readonly memory: number;
	readonly entry: CachedEntry;
	readonly text: string;
}

/** One word of a walk, as memory, CPU and cache have it. */
export interface WalkedWord {
	readonly level: 'directory' | 'page';
	readonly index: number;
	readonly addr: number;
	readonly memory: number;
	readonly cpu: number;
	readonly dirty: boolean;
	readonly valid: boolean;
	readonly cached: CachedEntry | null;
}

export interface RockchipWalk {
	readonly iova: number;
	readonly mmu: number;
	readonly root: number;
	readonly words: readonly WalkedWord[];
	/** Where the tables in memory lead; -1: nowhere. */
	readonly phys: number;
	readonly readable: boolean;
	readonly writable: boolean;
}

/** Parts that do not work, for tests. */
export interface MmuDefects {
	/** A reset is never done. */
	reset: boolean;
	/** DTE_ADDR keeps what it has. */
	directory: boolean;
	/** A stall never begins; never ends. */
	stall: boolean;
	unstall: boolean;
	/** Paging cannot be enabled; disabled. */
	enable: boolean;
	disable: boolean;
}

const FAULT_LOG = 256;

/** One register window. */
export class RockchipMmu {
	readonly registers = new RegisterFile(REGISTERS);
	readonly stats: MmuStats = { accesses: 0, bypassed: 0, hits: 0, walks: 0, faults: 0, refused: 0 };
	readonly defects: MmuDefects = {
		reset: false,
		directory: false,
		stall: false,
		unstall: false,
		enable: false,
		disable: false,
	};

	readonly #pages = new WordCache();
	readonly #directory = new WordCache();
	/** A command on its way: takes effect then. */
	#pending: { at: number; command: number } | null = null;

	constructor(
		readonly index: number,
		readonly unit: RockchipIommu,
	) {
		const { registers } = this;
		let directory = 0;
		registers.onRead = (name) => {
			if (name === 'INT_STATUS') return registers.get('INT_RAWSTAT') & registers.get('INT_MASK');
			return undefined;
		};
		registers.whenWritten('DTE_ADDR', (value) => {
			if (this.defects.directory) registers.set('DTE_ADDR', directory);
			else directory = value;
		});
		registers.whenWritten('COMMAND', (_value, written) => this.#command(written));
		registers.whenWritten('ZAP_ONE_LINE', (_value, written) => this.#zap(written));
		registers.whenWritten('INT_CLEAR', (_value, written) => {
			registers.set('INT_RAWSTAT', registers.get('INT_RAWSTAT') & ~written);
			this.unit.interruptChanged();
		});
		registers.whenWritten('INT_MASK', () => this.unit.interruptChanged());
	}

	read(offset: number, width: number): number {
		this.settle();
		return this.registers.read(offset, width);
	}

	write(offset: number, width: number, value: number): void {
		this.settle();
		this.registers.write(offset, value, width);
	}

	/** Registers and caches as after power-on. */
	reset(): void {
		this.registers.reset();
		this.#pages.clear();
		this.#directory.clear();
		this.#pending = null;
	}

	/** Whether it asks for an interrupt. */
	get asserted(): boolean {
		return (this.registers.get('INT_RAWSTAT') & this.registers.get('INT_MASK')) !== 0;
	}

	get status(): number {
		return this.registers.get('STATUS');
	}

	/** The physical address of the directory. */
	get root(): number {
		return this.unit.format.addressOf(this.registers.get('DTE_ADDR'));
	}

	/** What the caches hold. */
	cached(): { pages: CachedEntry[]; directory: CachedEntry[] } {
		this.settle();
		return { pages: [...this.#pages.entries.values()], directory: [...this.#directory.entries.values()] };
	}

	/** Where @addr leads: the physical address, or -1 when the access is refused. */
	translate(addr: number, write: boolean): number {
		const { stats, unit } = this;
		this.settle();
		stats.accesses++;
		const iova = addr >>> 0;
		// 1. Stalled, or stopped by a fault that nobody has answered: it waits.
		if (this.status & (STATUS.stalled | STATUS.fault)) {
			stats.refused++;
			return -1;
		}
		// 2. Without paging addresses go through as they are.
		if (!(this.status & STATUS.paging)) {
			stats.bypassed++;
			return addr;
		}
		// 3. The page word: from the cache, or by a walk.
		if (unit.behaviour.evictChance > 0)
			for (const cache of [this.#pages, this.#directory])
				if (unit.random() < unit.behaviour.evictChance) cache.evict(unit.random());
		let entry = this.#pages.find(iova >>> PAGE_SHIFT) ?? null;
		if (entry !== null) stats.hits++;
		else entry = this.#walk(iova, write);
		if (entry === null) return -1;
		// 4. Valid, and with the right.
		const { format } = unit;
		if (!format.valid(entry.word)) return this.#fault('page', iova, write, entry.word);
		if (!(write ? format.writable(entry.word) : format.readable(entry.word)))
			return this.#fault('permission', iova, write, entry.word);
		return format.addressOf(entry.word) + (iova & 0xfff);
	}

	/** The tables' words for @iova, from memory; the cache's copies beside them. Changes nothing. */
	walk(iova: number): RockchipWalk {
		this.settle();
		const { format } = this.unit;
		const at = iova >>> 0;
		const directory = this.#look(
			'directory',
			directoryIndex(at),
			this.root,
			this.#directory.find(directoryIndex(at)),
		);
		const words = [directory];
		if (directory.valid)
			words.push(
				this.#look(
					'page',
					tableIndex(at),
					format.addressOf(directory.memory),
					this.#pages.find(at >>> PAGE_SHIFT),
				),
			);
		const page = words[1]?.valid ? words[1] : null;
		return {
			iova: at,
			mmu: this.index,
			root: this.root,
			words,
			phys: page === null ? -1 : format.addressOf(page.memory) + (at & 0xfff),
			readable: page !== null && format.readable(page.memory),
			writable: page !== null && format.writable(page.memory),
		};
	}

	/** Cached words in [@start, @start + @size) that memory contradicts. None while it does not translate. */
	contradictions(start = 0, size = 0x1_0000_0000): RockchipContradiction[] {
		this.settle();
		const found: RockchipContradiction[] = [];
		if (!(this.status & STATUS.paging)) return found;
		const { format } = this.unit;
		const check = (where: 'page' | 'directory', entry: CachedEntry, span: number): void => {
			const iova = entry.tag * span;
			if (iova + span <= start || iova >= start + size) return;
			const memory = where === 'directory' ? this.#word(entry.wordAddr) : this.#pageWord(iova);
			if (memory === entry.word || !(format.valid(memory) || format.valid(entry.word))) return;
			const text =
				`${this.unit.name}, MMU ${this.index}: the ${where} cache has ${hex(entry.word, 8)} for ` +
				`${hex(iova, 8)}+${hex(span)}, the tables in memory say ${hex(memory, 8)}`;
			found.push({ mmu: this.index, where, iova, size: span, cached: entry.word, memory, entry, text });
		};
		for (const entry of this.#directory.entries.values()) check('directory', entry, 0x40_0000);
		for (const entry of this.#pages.entries.values()) check('page', entry, 0x1000);
		return found;
	}

	/** A command whose time has come takes effect: before anything that could tell. */
	settle(): void {
		if (this.#pending === null || this.unit.clock.now < this.#pending.at) return;
		const { command } = this.#pending;
		this.#pending = null;
		this.#do(command);
	}

	#setStatus(set: number, clear: number): void {
		this.registers.set('STATUS', ((this.status & ~clear) | set) >>> 0);
	}

	#command(command: number): void {
		const { commandNs } = this.unit.behaviour;
		const slow =
			command !== COMMAND.zapCache && command !== COMMAND.faultDone && command <= COMMAND.forceReset;
		if (!slow || commandNs === 0) {
			this.#do(command);
			return;
		}
		// One at a time: the next one waits for the last.
		if (this.#pending !== null) this.#do(this.#pending.command);
		this.#pending = { at: this.unit.clock.now + commandNs, command };
	}

	#do(command: number): void {
		const { defects } = this;
		switch (command) {
			case COMMAND.enablePaging:
				if (!defects.enable) this.#setStatus(STATUS.paging, 0);
				break;
			case COMMAND.disablePaging:
				if (!defects.disable) this.#setStatus(0, STATUS.paging);
				break;
			case COMMAND.enableStall:
				// Not while it does not translate, nor in a fault.
				if (!defects.stall && this.status & STATUS.paging && !(this.status & STATUS.fault))
					this.#setStatus(STATUS.stalled, STATUS.notStalled);
				break;
			case COMMAND.disableStall:
				if (!defects.unstall) this.#setStatus(STATUS.notStalled, STATUS.stalled);
				break;
			case COMMAND.zapCache:
				this.#pages.clear();
				this.#directory.clear();
				break;
			case COMMAND.faultDone:
				this.#setStatus(0, STATUS.fault);
				break;
			case COMMAND.forceReset:
				if (defects.reset) break;
				for (const name of ['DTE_ADDR', 'PAGE_FAULT_ADDR', 'INT_RAWSTAT', 'INT_MASK'])
					this.registers.set(name, 0);
				this.registers.set('AUTO_GATING', 1);
				this.registers.set('STATUS', STATUS_RESET);
				this.#pages.clear();
				this.#directory.clear();
				this.unit.interruptChanged();
				break;
			default:
				this.unit.note(`MMU ${this.index}: there is no command ${command}`);
		}
	}

	#zap(iova: number): void {
		const { line } = this.unit.behaviour;
		const drop = (cache: WordCache, tag: number): void => {
			const first = tag - (tag % line);
			for (let at = first; at < first + line; at++) cache.entries.delete(at);
		};
		drop(this.#pages, iova >>> PAGE_SHIFT);
		drop(this.#directory, directoryIndex(iova));
	}

	/** A table word as the walker reads it: from memory, not from the CPU's cache. */
	#word(addr: number): number {
		return Math.max(0, this.unit.ram.readWord(addr));
	}

	#pageWord(iova: number): number {
		const { format } = this.unit;
		const directory = this.#word(this.root + 4 * directoryIndex(iova));
		return format.valid(directory) ? this.#word(format.addressOf(directory) + 4 * tableIndex(iova)) : 0;
	}

	/** Fill @cache with word @index of @table, and those that come with it; the word, null where no memory is. */
	#fill(
		cache: WordCache,
		limit: number,
		table: number,
		index: number,
		tag: number,
		iova: number,
	): CachedEntry | null {
		const { behaviour, clock, format, ram } = this.unit;
		const first = index - (index % behaviour.line);
		let wanted: CachedEntry | null = null;
		for (let i = first; i < first + behaviour.line; i++) {
			const wordAddr = table + 4 * i;
			const word = ram.readWord(wordAddr);
			if (word < 0) continue;
			const entry: CachedEntry = {
				tag: tag - index + i,
				word,
				wordAddr,
				time: clock.now,
				master: this.index,
				iova,
				reason: i === index ? 'walk' : 'neighbour',
				root: this.root,
			};
			if (i === index) wanted = entry;
			if (format.valid(word) || behaviour.negative) cache.fill(entry, limit);
		}
		return wanted;
	}

	#walk(iova: number, write: boolean): CachedEntry | null {
		const { behaviour, format } = this.unit;
		this.stats.walks++;
		// 1. The directory word.
		const mib = directoryIndex(iova);
		const directory =
			this.#directory.find(mib) ??
			this.#fill(this.#directory, behaviour.directoryEntries, this.root, mib, mib, iova);
		if (directory === null) {
			this.#fault('bus', iova, write, 0);
			return null;
		}
		// 2. An invalid one ends the walk.
		if (!format.valid(directory.word)) {
			this.#fault('directory', iova, write, directory.word);
			return null;
		}
		// 3. The page word.
		const entry = this.#fill(
			this.#pages,
			behaviour.pageEntries,
			format.addressOf(directory.word),
			tableIndex(iova),
			iova >>> PAGE_SHIFT,
			iova,
		);
		if (entry === null) this.#fault('bus', iova, write, 0);
		return entry;
	}

	/** Stop, and say why. */
	#fault(kind: RockchipFaultKind, iova: number, write: boolean, word: number): -1 {
		const { registers, unit } = this;
		this.stats.faults++;
		registers.set('PAGE_FAULT_ADDR', iova);
		if (kind === 'bus') registers.set('INT_RAWSTAT', registers.get('INT_RAWSTAT') | INT.busError);
		else {
			this.#setStatus(STATUS.fault | (write ? STATUS.faultIsWrite : 0), STATUS.faultIsWrite);
			registers.set('INT_RAWSTAT', registers.get('INT_RAWSTAT') | INT.pageFault);
		}
		unit.faulted({ time: unit.clock.now, kind, mmu: this.index, iova, write, word });
		return -1;
	}

	#look(
		level: 'directory' | 'page',
		index: number,
		table: number,
		cached: CachedEntry | undefined,
	): WalkedWord {
		const { format, ram } = this.unit;
		const addr = table + 4 * index;
		const memory = this.#word(addr);
		const cpu = ram.readCpuWord(addr);
		return {
			level,
			index,
			addr,
			memory,
			cpu: cpu < 0 ? memory : cpu,
			dirty: ram.isDirty(addr, 4),
			valid: format.valid(memory),
			cached: cached ?? null,
		};
	}
}

/** The whole IOMMU: what its node describes. */
export class RockchipIommu implements DeviceModel, Translator {
	readonly mmus: readonly RockchipMmu[];
	readonly behaviour: RockchipBehaviour;
	/** The last faults, oldest first. */
	readonly faults: RockchipFault[] = [];
	/** Whose turn it is. */
	#turn = 0;

	constructor(
		readonly name: string,
		readonly format: TableFormat,
		policy: Policy,
		windows: number,
		readonly ram: Ram,
		readonly clock: { readonly now: number },
		/** One for all MMUs, or one for each. */
		readonly irqs: readonly IrqLine[],
		readonly random: () => number,
		readonly note: (text: string) => void = () => {},
	) {
		this.behaviour = { ...(policy === 'pessimistic' ? PESSIMISTIC : OPTIMISTIC) };
		this.mmus = Array.from({ length: windows }, (_, index) => new RockchipMmu(index, this));
	}

	/** The first MMU's: they are alike. */
	get registers(): RegisterFile {
		return this.mmus[0].registers;
	}

	read(offset: number, width: number, region: number): number {
		return this.mmus[region].read(offset, width);
	}

	write(offset: number, width: number, value: number, region: number): void {
		this.mmus[region].write(offset, width, value);
	}

	describe(offset: number, value: number, region: number): string {
		return this.mmus[region].registers.describe(offset, value);
	}

	reset(): void {
		for (const mmu of this.mmus) mmu.reset();
		this.interruptChanged();
	}

	/** The master's ports go through one MMU each; here they take turns. */
	translate(_master: number, addr: number, write: boolean): number {
		const mmu = this.mmus[this.#turn];
		this.#turn = (this.#turn + 1) % this.mmus.length;
		return mmu.translate(addr, write);
	}

	contradictions(start?: number, size?: number): RockchipContradiction[] {
		return this.mmus.flatMap((mmu) => mmu.contradictions(start, size));
	}

	/** An MMU's interrupt registers have changed. */
	interruptChanged(): void {
		this.irqs.forEach((irq, i) => {
			const mine = this.irqs.length === 1 ? this.mmus : this.mmus.filter((mmu) => mmu.index === i);
			irq.set(mine.some((mmu) => mmu.asserted));
		});
	}

	faulted(fault: RockchipFault): void {
		this.faults.push(fault);
		if (this.faults.length > FAULT_LOG) this.faults.shift();
		this.interruptChanged();
	}
}

function rockchipIommu(ctx: ModelContext, format: TableFormat): RockchipIommu {
	const { machine } = ctx;
	return new RockchipIommu(
		ctx.name,
		format,
		machine.policy,
		ctx.regs.length,
		machine.ram,
		machine.clock,
		ctx.node.interrupts.map((_, i) => ctx.irq(i)),
		machine.random(ctx.name),
		(text) => machine.note(ctx.name, text),
	);
}

export const rockchipIommu1 = (ctx: ModelContext): RockchipIommu => rockchipIommu(ctx, FORMAT_1);
export const rockchipIommu2 = (ctx: ModelContext): RockchipIommu => rockchipIommu(ctx, FORMAT_2);
