// SPDX-License-Identifier: GPL-2.0-only
// The IOMMU of Rockchip's chips: one or more MMUs before one master, in one of two table formats.
//
// Registers and commands: Linux 6.12, drivers/iommu/rockchip-iommu.c, and what an unmodified kernel met in
// tests/golden (rockchip-*.json). Each MMU has caches of its own. A zap drops the line that a word came with, and its
// directory word's line: that is what the driver relies on when it zaps only the ends of a range that it mapped.
//
// What nobody documents is a policy, as for every IOMMU (habits.ts). Here a pessimist's walk brings the whole line,
// valid or not; a fault always stalls, and no command is lost.
//
// Not modelled: the first format's cache attributes, secure pages, the replay buffer (an access that is stalled or
// refused is the master's to repeat), the time limit of directory fetches, which port of a master goes through which
// MMU (they take turns), power domains.

import type { Clock } from '#hw/core/clock.js';
import type { IrqLine, ModelContext, Models, Policy } from '#hw/core/model.js';
import type { Ram } from '#hw/core/ram.js';
import { hex, RegisterFile } from '#hw/core/register-file.js';
import type { CacheEntry, TranslationCache } from './cache.js';
import type { TableFormat } from './format.js';
import { type Habits, habitsOf } from './habits.js';
import {
	accessText,
	addFigures,
	type Contradiction,
	type Explanation,
	type FaultKind,
	type FaultRecord,
	type Figure,
	type Iommu,
	type IommuObserver,
	type Leaf,
	NO_PASID,
	recordFault,
	type StreamState,
	tellAnswered,
	tellCommanded,
	tellEnabled,
	tellOverrun,
	type UnderWay,
	type WalkStep,
	WRITE,
} from './iommu.js';
import { Operation } from './operation.js';
import { type RockchipVariant, VERSION_1, VERSION_2 } from './rockchip-iommu-format.js';
import { COMMAND, INT, REGISTERS, STATUS, STATUS_RESET } from './rockchip-iommu-regs.js';
import { Translation } from './translation.js';

/** One master, one address space. */
const STREAM = 0;
const TAG = 0;
const PAGE_SIZE = 4096;
const LAST = 0xffff_ffff;
const COMMAND_OFFSET = 0x08;
/** Words of a line. */
const LINE = 16;

const FAULTS = {
	directory: 'translation',
	page: 'translation',
	permission: 'permission',
	bus: 'external',
} as const satisfies Record<string, FaultKind>;

/** Commands whose end STATUS, or DTE_ADDR, tells, by their names in `stuck`. */
const SLOW: Readonly<Record<number, string>> = {
	[COMMAND.enablePaging]: 'enable',
	[COMMAND.disablePaging]: 'disable',
	[COMMAND.enableStall]: 'stall',
	[COMMAND.disableStall]: 'unstall',
	[COMMAND.forceReset]: 'reset',
};

/** What the IOMMU needs of its machine. */
export interface RockchipParts {
	readonly policy: Policy;
	/** Register windows: one for each MMU. */
	readonly windows: number;
	readonly ram: Ram;
	/** The walkers see the CPU's caches. */
	readonly snoop: boolean;
	readonly clock: Pick<Clock, 'now'>;
	/** One for all MMUs, or one for each. */
	readonly irqs: readonly IrqLine[];
	readonly random: () => number;
	readonly powered: () => boolean;
	readonly note: (text: string) => void;
	/** Whose accesses come here. */
	readonly master: string;
}

/** One register window, with its caches. */
export class RockchipMmu {
	readonly registers = new RegisterFile(REGISTERS);
	readonly translation: Translation;
	/** What to call it beside others: ` of MMU 1`; nothing where it is the only one. */
	readonly which: string;

	readonly #operations = new Map<number, Operation>();
	/** The command on its way. */
	#pending: Operation | null = null;

	constructor(
		readonly index: number,
		readonly unit: RockchipIommu,
	) {
		const { registers } = this;
		const { parts, variant, habits, stuck } = unit;
		this.which = parts.windows === 1 ? '' : ` of MMU ${index}`;
		this.translation = new Translation(unit, {
			format: variant.format,
			pageLevels: [1],
			micro: false,
			names: { micro: '', shared: `page cache${this.which}`, walk: `directory cache${this.which}` },
			view: parts,
			clock: parts.clock,
			random: parts.random,
			habits,
			note: parts.note,
			rootOf: () => this.root,
		});
		for (const [command, name] of Object.entries(SLOW)) {
			const effect = (): void => this.#do(Number(command));
			const known = `${name}${this.which}`;
			this.#operations.set(Number(command), new Operation(known, parts.clock, habits, stuck, effect));
		}
		registers.live = () => (this.status & (STATUS.paging | STATUS.stalled)) === STATUS.paging;
		registers.onRead = (name) =>
			name === 'INT_STATUS' ? registers.get('INT_RAWSTAT') & registers.get('INT_MASK') : undefined;
		let directory = 0;
		registers.whenWritten('DTE_ADDR', (value) => {
			if (stuck.has(`directory${this.which}`)) registers.set('DTE_ADDR', directory);
			else directory = value;
		});
		registers.whenWritten('COMMAND', (_value, written) => this.#command(written));
		registers.whenWritten('ZAP_ONE_LINE', (_value, written) => this.#zap(written));
		registers.whenWritten('INT_CLEAR', (_value, written) => {
			registers.set('INT_RAWSTAT', registers.get('INT_RAWSTAT') & ~written);
			unit.interruptChanged();
		});
		registers.whenWritten('INT_MASK', () => unit.interruptChanged());
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
		this.translation.clear('reset');
		this.#pending?.cancel();
		this.#pending = null;
	}

	/** Whether it asks for an interrupt. */
	get asserted(): boolean {
		return (this.registers.get('INT_RAWSTAT') & this.registers.get('INT_MASK')) !== 0;
	}

	get status(): number {
		return this.registers.get('STATUS');
	}

	get paging(): boolean {
		this.settle();
		return (this.status & STATUS.paging) !== 0;
	}

	/** The physical address of the directory. */
	get root(): number {
		return this.unit.variant.addressOf(this.registers.get('DTE_ADDR'));
	}

	/** Where @addr leads: the physical address, or -1 when the access is refused. */
	translate(addr: number, access: number): number {
		const { unit, translation } = this;
		const figures = translation.figures[STREAM];
		this.settle();
		figures.accesses++;
		const iova = addr >>> 0;
		// 1. Stalled, or stopped by a fault that nobody has answered: it waits.
		if (this.status & (STATUS.stalled | STATUS.fault)) {
			figures.refused++;
			return -1;
		}
		// 2. Without paging addresses go through as they are.
		if (!this.paging) {
			figures.bypassed++;
			return tellAnswered(unit, STREAM, addr, access, addr, null);
		}
		if (!unit.parts.powered()) {
			unit.parts.note(
				`an access by ${unit.streamName()} hangs: translation is on, but the block has no clock`,
			);
			figures.refused++;
			return -1;
		}
		// 3. The page word: from the cache, or by a walk.
		const entry = translation.lookup(STREAM, TAG, this.root, iova);
		if (translation.outside) return this.#fault('bus', iova, access, entry);
		// 4. Valid, and with the right.
		if (!entry.valid) return this.#fault(entry.level === 0 ? 'directory' : 'page', iova, access, entry);
		if ((access & ~entry.rights) !== 0) return this.#fault('permission', iova, access, entry);
		return tellAnswered(unit, STREAM, iova, access, entry.phys + (iova % PAGE_SIZE), entry);
	}

	/** A command whose time has come takes effect: before anything that could tell. */
	settle(): void {
		if (this.#pending?.settle()) this.#pending = null;
	}

	/** The command on its way; null: none. */
	get underWay(): string | null {
		this.settle();
		return this.#pending?.name ?? null;
	}

	#setStatus(set: number, clear: number): void {
		this.registers.set('STATUS', ((this.status & ~clear) | set) >>> 0);
	}

	#command(command: number): void {
		const slow = this.#operations.get(command);
		if (slow === undefined) {
			this.#do(command);
			return;
		}
		// One at a time: the next one waits for the last; one that never ends is lost.
		if (this.#pending !== null) tellOverrun(this.unit, this.#pending.name);
		if (this.#pending !== null && !this.#pending.finish()) this.#pending.cancel();
		slow.begin(1);
		// Where nothing is late, the effect has come; one more look ends it.
		this.#pending = this.unit.habits.lateInvalidation || !slow.finish() ? slow : null;
	}

	#do(command: number): void {
		const { registers, unit, translation } = this;
		switch (command) {
			case COMMAND.enablePaging:
				this.#setStatus(STATUS.paging, 0);
				tellEnabled(unit);
				break;
			case COMMAND.disablePaging:
				this.#setStatus(0, STATUS.paging);
				break;
			case COMMAND.enableStall:
				// Not while it does not translate, nor in a fault.
				if ((this.status & (STATUS.paging | STATUS.fault)) === STATUS.paging)
					this.#setStatus(STATUS.stalled, STATUS.notStalled);
				break;
			case COMMAND.disableStall:
				this.#setStatus(STATUS.notStalled, STATUS.stalled);
				break;
			case COMMAND.zapCache:
				translation.clear('zap');
				break;
			case COMMAND.faultDone:
				this.#setStatus(0, STATUS.fault);
				break;
			case COMMAND.forceReset:
				for (const name of ['DTE_ADDR', 'PAGE_FAULT_ADDR', 'INT_RAWSTAT', 'INT_MASK']) registers.set(name, 0);
				registers.set('AUTO_GATING', 1);
				registers.set('STATUS', STATUS_RESET);
				translation.clear('reset');
				unit.interruptChanged();
				break;
			default:
				unit.parts.note(`MMU ${this.index}: there is no command ${command}`);
				return;
		}
		if (unit.observers.length !== 0)
			tellCommanded(unit, () => `${registers.describe(COMMAND_OFFSET, command)}${this.which}`);
	}

	#zap(iova: number): void {
		const { shared, walk } = this.translation;
		const { neighbours, walkNeighbours } = this.unit.habits;
		shared.dropLine(TAG, iova, neighbours, 'zap');
		walk[0].dropLine(TAG, iova, walkNeighbours, 'zap');
		if (this.unit.observers.length !== 0)
			tellCommanded(this.unit, () => `ZAP_ONE_LINE ${hex(iova, 8)}${this.which}`);
	}

	/** Stop, and say why. */
	#fault(why: keyof typeof FAULTS, iova: number, access: number, entry: CacheEntry): -1 {
		const { registers, unit, translation } = this;
		translation.figures[STREAM].faults++;
		registers.set('PAGE_FAULT_ADDR', iova);
		if (why !== 'bus')
			this.#setStatus(STATUS.fault | (access & WRITE ? STATUS.faultIsWrite : 0), STATUS.faultIsWrite);
		const bit = why === 'bus' ? INT.busError : INT.pageFault;
		registers.set('INT_RAWSTAT', registers.get('INT_RAWSTAT') | bit);
		recordFault(unit, unit.faults, {
			time: unit.parts.clock.now,
			stream: STREAM,
			pasid: NO_PASID,
			iova,
			access,
			kind: FAULTS[why],
			what: `${why}${this.which}`,
			word: entry.bits,
			cached: translation.wasCached(entry),
		});
		unit.interruptChanged();
		return -1;
	}
}

/** The whole IOMMU: what its node describes. */
export class RockchipIommu implements Iommu {
	readonly mmus: readonly RockchipMmu[];
	readonly habits: Habits;
	readonly observers: IommuObserver[] = [];
	readonly faults: FaultRecord[] = [];
	/** Of `enable`, `disable`, `stall`, `unstall`, `reset`, `directory` (it keeps what it has); ` of MMU 1` behind it. */
	readonly stuck = new Set<string>();
	readonly streamCount = 1;
	readonly pasidBits = 0;
	readonly inputBits = 32;
	readonly format: TableFormat;
	reach = 0;
	/** The MMU that had the last access; the next one has the next. */
	#turn: number;

	constructor(
		readonly name: string,
		readonly variant: RockchipVariant,
		readonly parts: RockchipParts,
	) {
		this.habits = habitsOf(parts.policy);
		this.format = variant.format;
		if (parts.policy === 'pessimistic')
			Object.assign(this.habits, { neighbours: LINE, walkNeighbours: LINE, negativeNeighbours: true });
		this.mmus = Array.from({ length: parts.windows }, (_, index) => new RockchipMmu(index, this));
		this.#turn = this.mmus.length - 1;
	}

	get outputBits(): number {
		return this.variant.outputBits;
	}

	get registerFiles(): readonly RegisterFile[] {
		return this.mmus.map((mmu) => mmu.registers);
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
	translate(_stream: number, addr: number, access: number, _pasid: number): number {
		this.#turn = (this.#turn + 1) % this.mmus.length;
		this.reach = PAGE_SIZE - (addr % PAGE_SIZE);
		return this.mmus[this.#turn].translate(addr, access);
	}

	streamName(): string {
		return this.parts.master;
	}

	underWay(): UnderWay | null {
		const commands = this.mmus.map(({ underWay }) => underWay).filter((name) => name !== null);
		return commands.length === 0 ? null : { what: commands.join(', '), ends: true };
	}

	silentFaults(): string {
		const deaf = this.mmus.filter(
			(mmu) => mmu.paging && (mmu.registers.get('INT_MASK') & INT.pageFault) === 0,
		);
		return deaf.map(({ which }) => `page faults${which}`).join(', ');
	}

	stopped(): boolean {
		return this.mmus.some((mmu) => (mmu.status & STATUS.fault) !== 0);
	}

	/** Of the MMU that had the last access. */
	state(): StreamState {
		const mmu = this.#last();
		if (!mmu.paging) return 'off';
		return mmu.status & (STATUS.stalled | STATUS.fault) ? 'block' : 'translate';
	}

	/** By the tables of the MMU that had the last access: the driver gives all of them the same. */
	leaf(_stream: number, _pasid: number, addr: number): Leaf {
		const mmu = this.#last();
		return mmu.translation.leaf(mmu.root, addr >>> 0, (_word, rights) => rights);
	}

	caches(): readonly TranslationCache[] {
		for (const mmu of this.mmus) mmu.settle();
		return this.mmus.flatMap((mmu) => mmu.translation.caches());
	}

	/** None of an MMU that does not translate: its caches are emptied before it does. */
	contradictions(first = 0, last = LAST): Contradiction[] {
		return this.mmus.flatMap((mmu) => (mmu.paging ? mmu.translation.contradictions(first, last) : []));
	}

	contradiction(cache: TranslationCache, entry: CacheEntry): Contradiction | null {
		const mmu = this.mmus.find(({ translation }) => translation.caches().includes(cache));
		return mmu?.translation.contradiction(cache, entry) ?? null;
	}

	rootOf(): number {
		return this.state() === 'translate' ? this.#last().root : -1;
	}

	/** By each MMU that translates. */
	speculate(_streams: readonly number[], _pasid: number, addr: number): void {
		if (!this.habits.speculates) return;
		for (const mmu of this.mmus) if (mmu.paging) mmu.translation.guess(STREAM, TAG, mmu.root, addr >>> 0);
	}

	speculated(first: number, last: number): Contradiction[] {
		return this.mmus.flatMap((mmu) => (mmu.paging ? mmu.translation.guessed(first, last) : []));
	}

	figures(_stream?: number): readonly Figure[] {
		return addFigures(this.mmus.map((mmu) => mmu.translation.figuresOf(STREAM)));
	}

	/** The steps are those of the MMU that had the last access; the text has them all. */
	explain(_stream: number, addr: number): Explanation {
		const last = this.#last();
		const iova = addr >>> 0;
		const state = this.state();
		const leaf = this.leaf(STREAM, NO_PASID, iova);
		const lines = [`iova ${hex(iova, 8)}, ${this.streamName()}: ${state}`];
		let steps: readonly WalkStep[] = [];
		for (const mmu of this.mmus) {
			const { translation, root } = mmu;
			const walked = translation.explain(STREAM, TAG, root, iova);
			if (mmu === last) steps = walked;
			const off = mmu.paging ? '' : ', paging is off';
			lines.push(
				`  directory${mmu.which} at ${hex(root, 8)}${off}`,
				...translation.text(STREAM, TAG, iova, walked),
			);
		}
		lines.push(
			leaf.phys < 0 ? '  -> not mapped' : `  -> ${hex(leaf.phys, 8)}: may ${accessText(leaf.rights)}`,
		);
		return { stream: STREAM, pasid: NO_PASID, iova, state, steps, leaf, text: lines.join('\n') };
	}

	/** An MMU's interrupt registers have changed. */
	interruptChanged(): void {
		const { irqs } = this.parts;
		irqs.forEach((irq, i) => {
			const mine = irqs.length === 1 ? this.mmus : this.mmus.filter((mmu) => mmu.index === i);
			irq.set(mine.some((mmu) => mmu.asserted));
		});
	}

	#last(): RockchipMmu {
		const mmu = this.mmus[this.#turn];
		mmu.settle();
		return mmu;
	}
}

/** The variant that a node's `compatible` names, and its parts. */
export function rockchipParts(ctx: ModelContext): [variant: RockchipVariant, parts: RockchipParts] {
	const { machine } = ctx;
	return [
		ctx.compatible === VERSION_2.compatible ? VERSION_2 : VERSION_1,
		{
			policy: machine.policy,
			windows: ctx.regs.length,
			ram: machine.ram,
			snoop: ctx.coherent,
			clock: machine.clock,
			irqs: ctx.node.interrupts.map((_, i) => ctx.irq(i)),
			random: machine.random(ctx.name),
			powered: () => ctx.powered(),
			note: (text) => machine.note(ctx.name, text),
			master: ctx.masters().join(', ') || 'master',
		},
	];
}

function rockchipIommu(ctx: ModelContext): RockchipIommu {
	return new RockchipIommu(ctx.name, ...rockchipParts(ctx));
}

export const rockchipModels: Models = {
	[VERSION_1.compatible]: rockchipIommu,
	[VERSION_2.compatible]: rockchipIommu,
};
