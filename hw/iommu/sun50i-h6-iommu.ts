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

import type { IrqLine, ModelContext, Models, Policy } from '#hw/core/model.js';
import type { Ram } from '#hw/core/ram.js';
import { hex, RegisterFile } from '#hw/core/register-file.js';
import type { CacheEntry, TranslationCache } from './cache.js';
import { type Habits, habitsOf } from './habits.js';
import {
	type Contradiction,
	type Explanation,
	type FaultRecord,
	type Figure,
	type Iommu,
	type IommuObserver,
	type Leaf,
	NO_PASID,
	READ,
	recordFault,
	type StreamState,
	tellAnswered,
	tellCommanded,
	tellEnabled,
	tellForgotten,
	tellOverrun,
	type UnderWay,
	WRITE,
} from './iommu.js';
import { Operation } from './operation.js';
import { aciOf, SUN50I_FORMAT } from './sun50i-h6-iommu-format.js';
import type { IommuVariant } from './sun50i-h6-iommu-regs.js';
import { H6, H616, INT_L1, INT_L2, MACRO, registersOf, WALK } from './sun50i-h6-iommu-regs.js';
import { Translation } from './translation.js';

/** The hardware's word for a fault: which level's word was invalid, or that the domain has no right. */
type FaultName = 'L1' | 'L2' | 'permission';

const PAGE_SIZE = 4096;
const BLAME_PREFETCH = 0x80000000;
/** One address space for all masters. */
const TAG = 0;

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

export class Sun50iH6Iommu implements Iommu {
	readonly registers: RegisterFile;
	readonly habits: Habits;
	readonly observers: IommuObserver[] = [];
	readonly faults: FaultRecord[] = [];
	/** Of `flush`, `tlb`, `walk`: their busy bits stay, and nothing is dropped. */
	readonly stuck = new Set<string>();
	readonly streamCount: number;
	readonly pasidBits = 0;
	readonly inputBits = 32;
	readonly outputBits = 32;
	readonly format = SUN50I_FORMAT;
	reach = 0;

	/** Where registers that every operation looks at stand in registers.values. */
	readonly #at: Readonly<Record<HotRegister, number>>;
	readonly #translation: Translation;
	/** Masters that faulted and were not reset since. */
	#stalled = 0;
	/** The faults that the registers tell of, by the register. */
	readonly #latched = new Map<string, FaultRecord>();
	/** When the first of these ends; infinity: none goes on. */
	#due = Number.POSITIVE_INFINITY;
	readonly #flush: Operation;
	readonly #tlbInvalidate: Operation;
	readonly #walkInvalidate: Operation;
	/** By master: what the domain of a page entry lets it do. */
	readonly #rightsOf: readonly ((word: number) => number)[];
	#mode = { enabled: false, bypass: 0, held: 0 };

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
		this.habits = habitsOf(policy);
		this.streamCount = variant.masters.length;
		this.#rightsOf = variant.masters.map((_, master) => (word) => this.#rights(word, master));
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
		this.#translation = new Translation(this, {
			format: SUN50I_FORMAT,
			pageLevels: [1],
			micro: true,
			names: { micro: 'micro TLB', shared: 'macro TLB', walk: 'walk cache' },
			view: { ram, snoop: false },
			clock,
			random,
			habits: this.habits,
			note,
			rootOf: () => this.#root(),
		});
		this.#translation.onPrefetch = (master, entry) => this.#prefetchFault(master, entry);
		const operation = (name: string, effect: (bits: number) => void): Operation => {
			const made = new Operation(name, clock, this.habits, this.stuck, effect);
			made.onOverrun = () => tellOverrun(this, name);
			return made;
		};
		this.#flush = operation('flush', (bits) => this.#doFlush(bits));
		this.#tlbInvalidate = operation('tlb', () => this.#doTlbInvalidate());
		this.#walkInvalidate = operation('walk', () => this.#doWalkInvalidate());
		this.#giveEffects();
		this.#takeMode();
	}

	read(offset: number, width: number): number {
		return this.registers.read(offset, width);
	}

	write(offset: number, width: number, value: number): void {
		this.registers.write(offset, value, width);
	}

	/** The block's reset line, or loss of power: registers and caches are gone. */
	reset(): void {
		this.registers.reset();
		this.#translation.clear('reset');
		for (const operation of [this.#flush, this.#tlbInvalidate, this.#walkInvalidate]) operation.cancel();
		this.#await();
		this.#stalled = 0;
		this.#latched.clear();
		this.#takeMode();
		this.irq.set(false);
	}

	translate(master: number, addr: number, access: number, _pasid: number): number {
		const stats = this.#translation.figures[master];
		if (stats === undefined) {
			this.note(`an access by master ${master}, which this chip does not have, is refused`);
			return -1;
		}
		stats.accesses++;
		const iova = addr >>> 0;
		const mode = this.#mode;
		this.reach = PAGE_SIZE - (iova & (PAGE_SIZE - 1));
		// 1. Translation off, or not for this master: the address goes through as it is.
		if (!mode.enabled || (mode.bypass >>> master) & 1) {
			stats.bypassed++;
			return tellAnswered(this, master, addr, access, addr, null);
		}
		// 2. A block without clock, or a master held in reset or stalled by a fault, gets no answer.
		if (!this.powered()) {
			this.note(
				`an access by ${this.streamName(master)} hangs: translation is on, but the block has no clock`,
			);
			stats.refused++;
			return -1;
		}
		if (((mode.held | this.#stalled) >>> master) & 1) {
			stats.refused++;
			return -1;
		}
		this.#settle();
		// 3. Micro TLB, macro TLB, walk.
		const entry = this.#translation.lookup(master, TAG, this.#root(), iova);
		if (!entry.valid) {
			const what = entry.level === 0 ? 'L1' : 'L2';
			this.#fault(what, master, iova, access, entry, this.#translation.wasCached(entry));
			return -1;
		}
		// 4. Rights of the entry's domain, for this master and direction.
		if ((access & ~this.#rights(entry.word, master)) !== 0) {
			this.#fault('permission', master, iova, access, entry, true);
			return -1;
		}
		return tellAnswered(this, master, iova, access, entry.phys + (iova & (PAGE_SIZE - 1)), entry);
	}

	/** The level of the interrupt line. */
	get irqLevel(): boolean {
		return (this.registers.get('INT_STA') & this.registers.get('INT_ENABLE')) !== 0;
	}

	/** Masters that got no answer since a fault, as a bit mask. */
	get stalled(): number {
		return this.#stalled;
	}

	silentFaults(): string {
		const all = (1 << this.streamCount) - 1;
		const off = ~this.registers.get('INT_ENABLE');
		const levels = [off & INT_L1 ? 'level-1 faults' : '', off & INT_L2 ? 'level-2 faults' : ''];
		// The drivers that are known know six masters, also of seven.
		const rights = off & all & 0x3f ? 'permission faults' : '';
		return [...levels, rights].filter((text) => text !== '').join(', ');
	}

	stopped(master: number): boolean {
		return ((this.#stalled >>> master) & 1) !== 0;
	}

	underWay(): UnderWay | null {
		this.#settle();
		if (this.#due === Number.POSITIVE_INFINITY) return null;
		const on = (operation: Operation, what: string): string[] => (operation.bits === 0 ? [] : [what]);
		const what = [
			...on(this.#flush, 'TLB_FLUSH'),
			...on(this.#tlbInvalidate, 'TLB_IVLD'),
			...on(this.#walkInvalidate, 'PC_IVLD'),
		].join(', ');
		return { what, ends: true };
	}

	streamName(master: number): string {
		return this.variant.masters[master] ?? '?';
	}

	state(master: number): StreamState {
		if (!this.#mode.enabled) return 'off';
		if ((this.#mode.bypass >>> master) & 1) return 'bypass';
		return (this.#mode.held >>> master) & 1 ? 'block' : 'translate';
	}

	leaf(master: number, _pasid: number, iova: number): Leaf {
		return this.#translation.leaf(this.#root(), iova >>> 0, this.#rightsOf[master]);
	}

	caches(): readonly TranslationCache[] {
		this.#settle();
		return this.#translation.caches();
	}

	/** None while translation is off: what is cached then is not asked for, and is flushed before it is turned on. */
	contradictions(first = 0, last = 0xffff_ffff): Contradiction[] {
		this.#settle();
		return this.#mode.enabled ? this.#translation.contradictions(first, last) : [];
	}

	contradiction(cache: TranslationCache, entry: CacheEntry): Contradiction | null {
		return this.#translation.contradiction(cache, entry);
	}

	rootOf(master: number): number {
		return this.state(master) === 'translate' ? this.#root() : -1;
	}

	speculate(masters: readonly number[], _pasid: number, addr: number): void {
		if (!this.habits.speculates) return;
		let walked = false;
		for (let i = 0; i < masters.length; i++) {
			const root = this.rootOf(masters[i]);
			if (root < 0) continue;
			if (walked) this.#translation.guessToo(masters[i], TAG, root, addr >>> 0);
			else this.#translation.guess(masters[i], TAG, root, addr >>> 0);
			walked = true;
		}
	}

	speculated(first: number, last: number): Contradiction[] {
		this.#settle();
		return this.#mode.enabled ? this.#translation.guessed(first, last) : [];
	}

	figures(master?: number): readonly Figure[] {
		return this.#translation.figuresOf(master);
	}

	explain(master: number, addr: number): Explanation {
		this.#settle();
		const iova = addr >>> 0;
		const root = this.#root();
		const state = this.state(master);
		const steps = this.#translation.explain(master, TAG, root, iova);
		const leaf = this.leaf(master, NO_PASID, iova);
		const lines = [
			`iova ${hex(iova, 8)}, master ${master} (${this.streamName(master)}), directory at ${hex(root, 8)}`,
		];
		if (state === 'off') lines.push('  translation is off');
		else if (state === 'bypass') lines.push('  this master bypasses translation');
		lines.push(...this.#translation.text(master, TAG, iova, steps));
		const may = (right: number, what: string): string => `${leaf.rights & right ? 'may' : 'may not'} ${what}`;
		if (leaf.phys >= 0)
			lines.push(
				`  -> ${hex(leaf.phys, 8)}, domain ${aciOf(Number(leaf.word))}: ${may(READ, 'read')}, ${may(WRITE, 'write')}`,
			);
		else lines.push('  -> not mapped');
		return { stream: master, pasid: NO_PASID, iova, state, steps, leaf, text: lines.join('\n') };
	}

	#root(): number {
		return this.registers.values[this.#at.TTB];
	}

	#takeMode(): void {
		const { registers } = this;
		const reset = registers.get('RESET');
		const all = (1 << this.streamCount) - 1;
		const tlb = registers.get('TLB_ENABLE');
		this.#translation.microOn = tlb;
		this.#translation.sharedOn = (tlb & MACRO) !== 0;
		this.#translation.walkOn = (tlb & WALK) !== 0;
		this.#translation.prefetchOn = registers.get('TLB_PREFETCH');
		this.#mode = {
			enabled: registers.get('ENABLE') === 1,
			bypass: registers.get('BYPASS'),
			held: reset & 0x80000000 ? ~reset & all : all,
		};
	}

	/** What writing a register does, beyond keeping the value. */
	#giveEffects(): void {
		const { registers } = this;
		const { values } = registers;
		registers.whenWritten('RESET', (value) => {
			for (let m = 0; m < this.streamCount; m++)
				if (((value >>> m) & 1) === 0) for (const observer of this.observers) observer.held?.(this, m);
			// A master's reset ends its stall; the shared caches' reset empties them.
			this.#stalled &= value;
			if ((value & MACRO) === 0) this.#translation.shared.clear('reset');
			if ((value & WALK) === 0) this.#translation.walk[0].clear('reset');
			this.#takeMode();
		});
		for (const name of ['BYPASS', 'TLB_ENABLE', 'TLB_PREFETCH'])
			registers.whenWritten(name, () => this.#takeMode());
		registers.whenWritten('ENABLE', () => {
			const was = this.#mode.enabled;
			this.#takeMode();
			if (this.#mode.enabled && !was) tellEnabled(this);
		});
		registers.whenWritten('TLB_FLUSH', (_value, written) => {
			this.#flush.begin(written & values[this.#at.TLB_ENABLE]);
			this.#await();
			values[this.#at.TLB_FLUSH] = this.#flush.bits;
		});
		registers.whenWritten('TLB_IVLD_ENABLE', (value) => {
			this.#tlbInvalidate.begin(value & 1);
			this.#await();
			values[this.#at.TLB_IVLD_ENABLE] = this.#tlbInvalidate.bits;
		});
		registers.whenWritten('PC_IVLD_ENABLE', (value) => {
			this.#walkInvalidate.begin(value & 1);
			this.#await();
			values[this.#at.PC_IVLD_ENABLE] = this.#walkInvalidate.bits;
		});
		registers.whenWritten('INT_CLR', (_value, written) => this.#clearFaults(written));
		registers.whenWritten('INT_ENABLE', () => this.irq.set(this.irqLevel));
	}

	/** Operations whose time has come end here: before anything that could tell. */
	readonly #settle = (): void => {
		if (this.clock.now >= this.#due) this.#endOperations();
	};

	/** An operation began, or ended: look for the next end at each access. */
	#await(): void {
		this.#due = Math.min(this.#flush.due, this.#tlbInvalidate.due, this.#walkInvalidate.due);
		this.registers.onAccess = this.#due < Number.POSITIVE_INFINITY ? this.#settle : null;
	}

	#endOperations(): void {
		const { values } = this.registers;
		if (this.#flush.settle()) values[this.#at.TLB_FLUSH] = 0;
		if (this.#tlbInvalidate.settle()) values[this.#at.TLB_IVLD_ENABLE] = 0;
		if (this.#walkInvalidate.settle()) values[this.#at.PC_IVLD_ENABLE] = 0;
		this.#await();
	}

	#doFlush(bits: number): void {
		const { micro, shared, walk } = this.#translation;
		for (let m = 0; m < micro.length; m++) if ((bits >>> m) & 1) micro[m].clear('flush');
		if (bits & MACRO) shared.clear('flush');
		if (bits & WALK) walk[0].clear('flush');
		if (this.observers.length !== 0) tellCommanded(this, () => `TLB_FLUSH ${hex(bits)}`);
	}

	#gated(): boolean {
		return this.habits.gatingLosesInvalidation && this.registers.values[this.#at.AUTO_GATING] === 1;
	}

	#doTlbInvalidate(): void {
		if (this.#gated()) {
			this.note('a TLB invalidation with AUTO_GATING on is lost');
			return;
		}
		const { registers } = this;
		const why = 'invalidate';
		if (this.variant.rangeMode && registers.get('TLB_IVLD_MODE_SEL') === 1) {
			const first = registers.get('TLB_IVLD_START_ADDR');
			const last = registers.get('TLB_IVLD_END_ADDR') + PAGE_SIZE - 1;
			this.#translation.dropPages(TAG, first, last, why);
			if (this.observers.length !== 0)
				tellCommanded(this, () => `TLB_IVLD ${hex(first, 8)}..${hex(last, 8)}`);
			return;
		}
		const mask = registers.values[this.#at.TLB_IVLD_ADDR_MASK];
		const want = (registers.values[this.#at.TLB_IVLD_ADDR] & mask) >>> 0;
		if (mask === 0xfffff000) this.#translation.dropPages(TAG, want, want, why);
		else this.#dropMasked(mask, want, why);
		if (this.observers.length !== 0)
			tellCommanded(this, () => `TLB_IVLD ${hex(want, 8)} mask ${hex(mask, 8)}`);
	}

	#dropMasked(mask: number, want: number, why: string): void {
		for (const cache of [...this.#translation.micro, this.#translation.shared])
			cache.dropWhere((entry) => (entry.iova & mask) >>> 0 === want, why);
	}

	#doWalkInvalidate(): void {
		if (this.#gated()) {
			this.note('a walk-cache invalidation with AUTO_GATING on is lost');
			return;
		}
		const iova = this.registers.values[this.#at.PC_IVLD_ADDR];
		this.#translation.dropTables(TAG, iova, iova, 'invalidate');
		if (this.observers.length !== 0) tellCommanded(this, () => `PC_IVLD ${hex(iova, 8)}`);
	}

	#clearFaults(bits: number): void {
		const { registers } = this;
		registers.set('INT_STA', registers.get('INT_STA') & ~bits);
		for (const [latch, fault] of this.#latched)
			if (latch === 'L1' ? bits & INT_L1 : latch === 'L2' ? bits & INT_L2 : (bits >>> fault.stream) & 1) {
				this.#latched.delete(latch);
				tellForgotten(this, fault, true);
			}
		if (bits & INT_L1) registers.set('L1PG_INT', 0);
		if (bits & INT_L2) registers.set('L2PG_INT', 0);
		this.irq.set(this.irqLevel);
	}

	/** What the domain of page entry @word lets @master do. */
	#rights(word: number, master: number): number {
		const { values } = this.registers;
		const override = values[this.#at.DM_AUT_OVWT];
		const aci = aciOf(word);
		const denied =
			override & 0x80000000
				? override >>> (2 * master)
				: values[this.#at.DM_AUT_CTRL + (aci >>> 1)] >>> (16 * (aci & 1) + 2 * master);
		return ~denied & (READ | WRITE);
	}

	#fault(
		what: FaultName,
		master: number,
		iova: number,
		access: number,
		entry: CacheEntry,
		cached: boolean,
	): void {
		const { registers } = this;
		const bit = 1 << master;
		let status = registers.get('INT_STA');
		const latch = what === 'permission' ? `${what} ${master}` : what;
		const told = what === 'permission' ? bit : what === 'L1' ? INT_L1 : INT_L2;
		tellForgotten(this, this.#latched.get(latch));
		if (what === 'permission') {
			registers.set('INT_ERR_ADDR', iova, master);
			registers.set('INT_ERR_DATA', entry.word, master);
		} else {
			registers.set(`INT_ERR_ADDR_${what}`, iova);
			registers.set(`${what}PG_INT`, (registers.get(`${what}PG_INT`) | bit) >>> 0);
		}
		status |= told;
		registers.set('INT_STA', status >>> 0);
		this.#translation.figures[master].faults++;
		if (this.habits.stallOnFault) this.#stalled |= bit;
		const fault: FaultRecord = {
			time: this.clock.now,
			stream: master,
			pasid: NO_PASID,
			iova,
			access,
			kind: what === 'permission' ? 'permission' : 'translation',
			what,
			word: entry.bits,
			cached,
			// Of a permission fault the entry tells, unless it permits nothing.
			directionLost: what !== 'permission' || this.#rights(entry.word, master) === 0,
		};
		this.#latched.set(latch, fault);
		recordFault(this, this.faults, fault);
		this.irq.set(this.irqLevel);
	}

	/** Looking ahead met @entry, an invalid word: a fault by itself, marked as such. */
	#prefetchFault(master: number, entry: CacheEntry): void {
		const what = entry.level === 0 ? 'L1' : 'L2';
		this.#fault(what, master, entry.at, READ, entry, false);
		const blame = `${what}PG_INT`;
		this.registers.set(blame, (this.registers.get(blame) | BLAME_PREFETCH) >>> 0);
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

export const sun50iIommuModels: Models = {
	[H6.compatible]: sun50iH6Iommu,
	[H616.compatible]: sun50iH6Iommu,
};
