// SPDX-License-Identifier: GPL-2.0-only
// The teaching IOMMU: Documentation/edu-iommu.md, in numbered steps.
//
// Not modelled: what that page says is not there; the time that a walk takes.

import type { IrqLine, ModelContext, Models } from '#hw/core/model.js';
import { hex, RegisterFile } from '#hw/core/register-file.js';
import { CacheEntry, type FillReason, TranslationCache } from './cache.js';
import {
	ALL_STREAMS,
	CMD_INV_DOMAIN,
	CMD_INV_RANGE,
	CMD_INV_STREAM,
	CMD_SYNC,
	CMD_TABLES,
	EDU_FORMAT,
	EVENT_PERMISSION,
	EVENT_STREAM,
	EVENT_TRANSLATION,
	EVENT_WRITE,
	FRAME,
	MODE_BYPASS,
	MODE_TRANSLATE,
	RECORD_BYTES,
	STREAM_BYTES,
	STREAM_FIELDS,
	STREAMS_LG2,
	streamDomain,
	streamMode,
	streamValid,
} from './edu-iommu-format.js';
import { EDU_REGISTERS, INT_COMMAND, INT_EVENT, INT_OVERFLOW } from './edu-iommu-regs.js';
import { fieldsOf, hexWord, readCpu, readWalker, stepText, type View, Word } from './format.js';
import { type Habits, habitsOf } from './habits.js';
import {
	accessText,
	type CommandText,
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
	tellForgotten,
	type UnderWay,
	type WalkStep,
	WRITE,
} from './iommu.js';
import { Ring } from './queue.js';
import { guessedOf, Translation } from './translation.js';

/** A command that was executed and has not taken effect yet. */
type Pending = () => void;

const EVENTS: Readonly<Record<number, { what: string; kind: FaultKind }>> = {
	[EVENT_STREAM]: { what: 'STREAM', kind: 'configuration' },
	[EVENT_TRANSLATION]: { what: 'TRANSLATION', kind: 'translation' },
	[EVENT_PERMISSION]: { what: 'PERMISSION', kind: 'permission' },
};

const NOWHERE: Omit<Leaf, 'iova'> = { phys: -1, size: FRAME, rights: 0, word: 0n, wordAddr: -1 };

export class EduIommu implements Iommu {
	readonly name: string;
	readonly registers = new RegisterFile(EDU_REGISTERS);
	readonly habits: Habits;
	readonly observers: IommuObserver[] = [];
	readonly faults: FaultRecord[] = [];
	/** Of `commands` (none is executed) and `status` (ENABLED does not follow). */
	readonly stuck = new Set<string>();
	// SKELETON: how many masters it knows, and what it can be asked for.
	readonly streamCount = 2 ** STREAMS_LG2;
	readonly pasidBits = 0;
	readonly inputBits = 32;
	readonly outputBits = 40;
	readonly format = EDU_FORMAT;
	reach = 0;

	readonly #ctx: ModelContext;
	readonly #view: View;
	readonly #irq: IrqLine;
	readonly #translation: Translation;
	/** Stream-table entries, by stream number. */
	readonly #streams = new TranslationCache('stream cache', -1, 'streams', [1]);
	readonly #commands: Ring;
	readonly #events: Ring;
	/** What waits for a SYNC. */
	readonly #pending: Pending[] = [];
	/** When the command at CONS is executed, and when ENABLED follows. */
	#commandAt = 0;
	#statusAt = 0;
	/** It is just executing commands. */
	#executing = false;
	/** The command at CONS was refused: it is skipped when COMMAND is cleared. */
	#refused = false;
	readonly #word = new Word();

	constructor(ctx: ModelContext) {
		const { machine } = ctx;
		this.#ctx = ctx;
		this.#view = { ram: machine.ram, snoop: ctx.coherent };
		this.name = ctx.name;
		this.#irq = ctx.irq();
		this.habits = habitsOf(machine.policy);
		this.#translation = new Translation(this, {
			format: EDU_FORMAT,
			pageLevels: [0, 1],
			micro: false,
			names: { micro: '', shared: 'TLB', walk: 'level-1 cache' },
			view: this.#view,
			clock: machine.clock,
			random: machine.random(ctx.name),
			habits: this.habits,
			note: (text) => machine.note(ctx.name, text),
			rootOf: (domain) => this.#rootOf(domain),
		});
		this.#streams.sink = this.#translation.shared.sink;
		const ring = (queue: 'CMDQ' | 'EVTQ'): Ring => {
			const { registers } = this;
			return new Ring(machine.ram, RECORD_BYTES, ctx.coherent, {
				get base() {
					return registers.get(`${queue}_BASE`) * FRAME;
				},
				get sizeLg2() {
					return registers.get(`${queue}_SIZE`);
				},
				get prod() {
					return registers.get(`${queue}_PROD`);
				},
				get cons() {
					return registers.get(`${queue}_CONS`);
				},
			});
		};
		this.#commands = ring('CMDQ');
		this.#events = ring('EVTQ');
		this.registers.live = () => this.registers.get('STATUS') !== 0;
		this.#giveEffects();
	}

	read(offset: number, width: number): number {
		this.#settle();
		return this.registers.read(offset, width);
	}

	write(offset: number, width: number, value: number): void {
		this.#settle();
		this.registers.write(offset, value, width);
	}

	reset(): void {
		this.registers.reset();
		this.#refused = false;
		this.#drop('reset');
		this.#irq.set(false);
	}

	// SKELETON: your chip's way from an address to a page, in the order of its manual.
	translate(stream: number, addr: number, access: number, _pasid: number): number {
		this.reach = FRAME - (addr % FRAME);
		const figures = this.#translation.figures[stream];
		if (figures === undefined) {
			this.#ctx.machine.note(this.name, `stream ${stream}: this IOMMU has 0 to ${this.streamCount - 1}`);
			return -1;
		}
		figures.accesses++;
		this.#settle();
		// 1. Off: the address goes through as it is.
		if (this.registers.get('STATUS') === 0) return this.#pass(stream, addr, access);
		// 2. What the stream's entry says.
		const entry = this.#stream(stream, addr);
		if (!entry.valid) return this.#refuse(EVENT_STREAM, stream, addr, access, entry, 0);
		const mode = streamMode(entry.word);
		if (mode === MODE_BYPASS) return this.#pass(stream, addr, access);
		if (mode !== MODE_TRANSLATE) {
			figures.refused++;
			return -1;
		}
		// 3. TLB or walk.
		const domain = streamDomain(entry.word);
		if (addr >= 2 ** this.inputBits)
			return this.#refuse(EVENT_TRANSLATION, stream, addr, access, entry, domain);
		const page = this.#translation.lookup(stream, domain, entry.high * FRAME, addr);
		if (!page.valid) return this.#refuse(EVENT_TRANSLATION, stream, addr, access, page, domain);
		// 4. Rights.
		if ((access & ~page.rights) !== 0)
			return this.#refuse(EVENT_PERMISSION, stream, addr, access, page, domain);
		this.reach = page.iova + page.size - addr;
		return tellAnswered(this, stream, addr, access, page.phys + (addr - page.iova), page);
	}

	underWay(): UnderWay | null {
		this.#settle();
		if (this.registers.get('STATUS') !== this.registers.get('CTRL')) return { what: 'CTRL', ends: true };
		if (!this.#commands.empty) return { what: 'a command in the queue', ends: !this.#refused };
		return this.#pending.length === 0 ? null : { what: 'a command without SYNC', ends: false };
	}

	silentFaults(): string {
		return this.registers.get('INT_ENABLE') & INT_EVENT ? '' : 'events';
	}

	/** Nobody waits: a fault is an event, and the stream goes on. */
	stopped(): boolean {
		return false;
	}

	// SKELETON: what a report is to call a master.
	streamName(stream: number): string {
		return `stream ${stream}`;
	}

	state(stream: number): StreamState {
		this.#settle();
		if (this.registers.get('STATUS') === 0) return 'off';
		this.#readStream(stream);
		if (!streamValid(this.#word.low)) return 'block';
		const mode = streamMode(this.#word.low);
		return mode === MODE_TRANSLATE ? 'translate' : mode === MODE_BYPASS ? 'bypass' : 'block';
	}

	leaf(stream: number, _pasid: number, iova: number): Leaf {
		this.#readStream(stream);
		const { low, high } = this.#word;
		if (!streamValid(low) || streamMode(low) !== MODE_TRANSLATE || iova >= 2 ** this.inputBits)
			return { ...NOWHERE, iova: iova - (iova % FRAME) };
		return this.#translation.leaf(high * FRAME, iova, (_word, rights) => rights);
	}

	caches(): readonly TranslationCache[] {
		this.#settle();
		return [this.#streams, ...this.#translation.caches()];
	}

	contradictions(first = 0, last = 2 ** this.inputBits - 1): Contradiction[] {
		this.#settle();
		if (this.registers.get('STATUS') === 0) return [];
		const found: Contradiction[] = [];
		for (const entry of this.#streams.entries()) {
			const wrong = this.contradiction(this.#streams, entry);
			if (wrong !== null) found.push(wrong);
		}
		return [...found, ...this.#translation.contradictions(first, last)];
	}

	contradiction(cache: TranslationCache, entry: CacheEntry): Contradiction | null {
		if (cache !== this.#streams) return this.#translation.contradiction(cache, entry);
		this.#readStream(entry.iova);
		const memory = this.#word.bits;
		if (memory === entry.bits || (!entry.valid && !streamValid(this.#word.low))) return null;
		const text = `${cache.name} has ${this.#translation.entryText(entry, STREAM_BYTES)} for stream ${entry.iova}, the stream table in memory says ${hexWord(memory, STREAM_BYTES)}`;
		return { invariant: 'INV-PTW', cache, entry, memory, text };
	}

	rootOf(stream: number): number {
		if (this.state(stream) !== 'translate') return -1;
		this.#readStream(stream);
		return this.#word.high * FRAME;
	}

	speculate(streams: readonly number[], _pasid: number, iova: number): void {
		if (this.habits.speculates) for (const stream of streams) this.#guess(stream, iova);
	}

	#guess(stream: number, iova: number): void {
		if (this.state(stream) === 'off') return;
		const addr = this.#readStream(stream);
		const { low, high } = this.#word;
		const { now } = this.#ctx.machine.clock;
		const [valid, root] = [streamValid(low), high * FRAME];
		this.#streams.guess(0, stream, 1, 0, low, high, addr, valid, root, 0, now, stream, iova, root);
		if (valid && streamMode(low) === MODE_TRANSLATE && iova < 2 ** this.inputBits)
			this.#translation.guess(stream, streamDomain(low), root, iova);
	}

	speculated(first: number, last: number): Contradiction[] {
		this.#settle();
		if (this.registers.get('STATUS') === 0) return [];
		const deny = (cache: TranslationCache, entry: CacheEntry): Contradiction | null =>
			this.contradiction(cache, entry);
		return [
			...guessedOf([this.#streams], 0, this.streamCount, deny),
			...this.#translation.guessed(first, last),
		];
	}

	figures(stream?: number): readonly Figure[] {
		return this.#translation.figuresOf(stream);
	}

	explain(stream: number, iova: number): Explanation {
		const state = this.state(stream);
		const leaf = this.leaf(stream, NO_PASID, iova);
		const step = this.#explainStream(stream);
		const domain = streamDomain(Number(step.memory & 0xffffffffn));
		const root = Number(step.memory >> 32n) * FRAME;
		const tables =
			state === 'translate' && iova < 2 ** this.inputBits
				? this.#translation.explain(stream, domain, root, iova)
				: [];
		const lines = [
			`iova ${hex(iova, 8)}, stream ${stream}: ${state}`,
			`  ${stepText(step, 2)}, domain ${domain}, root ${hex(root, 8)}`,
			...step.cached.map(
				({ cache, entry }) => `    ${cache}: ${this.#translation.entryText(entry, STREAM_BYTES)}`,
			),
			...this.#translation.text(stream, domain, iova, tables),
			leaf.phys < 0 ? '  -> not mapped' : `  -> ${hex(leaf.phys, 8)}: may ${accessText(leaf.rights)}`,
		];
		return {
			stream,
			pasid: NO_PASID,
			iova,
			state,
			steps: [step, ...tables],
			leaf,
			text: lines.join('\n'),
		};
	}

	// --- streams

	/** The stream-table entry of @stream, as memory has it, in #word. */
	#readStream(stream: number): number {
		const addr = this.registers.get('STAB_BASE') * FRAME + STREAM_BYTES * stream;
		readWalker(this.#view, addr, STREAM_BYTES, this.#word);
		return addr;
	}

	/** The same by way of the cache, for an access to @iova. */
	#stream(stream: number, iova: number): CacheEntry {
		const hit = this.#streams.find(0, stream);
		if (hit !== undefined) return hit;
		const entry = this.#streamEntry(stream, iova, 'walk');
		for (const observer of this.observers)
			observer.walked?.(this, {
				stream,
				iova,
				table: 'STREAM',
				level: -1,
				addr: entry.wordAddr,
				bytes: STREAM_BYTES,
				word: entry.bits,
				reason: 'configuration',
			});
		if (entry.valid || this.habits.negative) this.#streams.fill(entry, this.habits.sharedEntries);
		return entry;
	}

	/** @stream's record as memory has it, for an access to @iova. */
	#streamEntry(stream: number, iova: number, reason: FillReason): CacheEntry {
		const addr = this.#readStream(stream);
		const { low, high } = this.#word;
		const { now } = this.#ctx.machine.clock;
		const [valid, root] = [streamValid(low), high * FRAME];
		return new CacheEntry(0, stream, 1, 0, low, high, addr, valid, root, 0, now, stream, iova, reason, root);
	}

	#explainStream(stream: number): WalkStep {
		const { ram } = this.#ctx.machine;
		const addr = this.#readStream(stream);
		const memory = this.#word.bits;
		const hit = this.#streams.find(0, stream);
		return {
			table: 'STREAM',
			level: -1,
			stage: 1,
			index: stream,
			addr,
			bytes: STREAM_BYTES,
			memory,
			cpu: readCpu(ram, addr, STREAM_BYTES),
			dirty: ram.isDirty(addr, STREAM_BYTES),
			kind: streamValid(this.#word.low) ? 'table' : 'invalid',
			fields: fieldsOf(STREAM_FIELDS, memory),
			cached: hit === undefined ? [] : [{ cache: this.#streams.name, entry: hit }],
		};
	}

	/** The root that streams of @domain have now, as the stream table in memory says; -1: there are none. */
	#rootOf(domain: number): number {
		for (let stream = 0; stream < this.streamCount; stream++) {
			this.#readStream(stream);
			const { low, high } = this.#word;
			if (streamValid(low) && streamMode(low) === MODE_TRANSLATE && streamDomain(low) === domain)
				return high * FRAME;
		}
		return -1;
	}

	#pass(stream: number, addr: number, access: number): number {
		this.#translation.figures[stream].bypassed++;
		return tellAnswered(this, stream, addr, access, addr, null);
	}

	/** Refuse an access, and say so in the event queue. */
	#refuse(
		reason: number,
		stream: number,
		iova: number,
		access: number,
		entry: CacheEntry,
		domain: number,
	): number {
		const { registers } = this;
		this.#translation.figures[stream].faults++;
		const words = [reason | (access & WRITE ? EVENT_WRITE : 0), stream, iova % 2 ** 32, domain];
		const told = !this.#events.full && this.#events.put(words);
		if (told) {
			registers.set('EVTQ_PROD', this.#events.next(registers.get('EVTQ_PROD')));
			this.#interrupt(INT_EVENT);
		} else this.#interrupt(INT_OVERFLOW);
		const fault: FaultRecord = {
			time: this.#ctx.machine.clock.now,
			stream,
			pasid: NO_PASID,
			iova,
			access,
			...EVENTS[reason],
			word: entry.bits,
			cached: entry.time !== this.#ctx.machine.clock.now,
		};
		recordFault(this, this.faults, fault);
		if (!told) tellForgotten(this, fault);
		return -1;
	}

	#interrupt(bits: number): void {
		this.registers.set('INT_STATUS', this.registers.get('INT_STATUS') | bits);
		this.#setIrq();
	}

	#setIrq(): void {
		this.#irq.set((this.registers.get('INT_STATUS') & this.registers.get('INT_ENABLE')) !== 0);
	}

	// --- commands

	/** What writing a register does, beyond keeping the value. */
	#giveEffects(): void {
		const { registers } = this;
		const { clock } = this.#ctx.machine;
		registers.whenWritten('CTRL', () => {
			this.#statusAt = clock.now + this.habits.busyNs;
		});
		registers.whenWritten('CMDQ_PROD', () => {
			this.#commandAt = Math.max(this.#commandAt, clock.now + this.habits.busyNs);
			// A command that is refused interrupts: it must not wait until somebody looks.
			this.#ctx.after(this.habits.busyNs, () => this.#settle());
		});
		for (const queue of ['CMDQ', 'EVTQ'])
			registers.whenWritten(`${queue}_SIZE`, () => {
				if (queue === 'CMDQ') this.#refused = false;
				registers.set(`${queue}_PROD`, 0);
				registers.set(`${queue}_CONS`, 0);
			});
		registers.whenWritten('INT_STATUS', (_value, written) => {
			if (written & INT_COMMAND && this.#refused) {
				this.#refused = false;
				this.#advance();
			}
			this.#setIrq();
		});
		registers.whenWritten('INT_ENABLE', () => this.#setIrq());
	}

	/** What time has brought: before anything that could tell. */
	#settle(): void {
		const { now } = this.#ctx.machine.clock;
		const { registers } = this;
		if (
			registers.get('STATUS') !== registers.get('CTRL') &&
			now >= this.#statusAt &&
			!this.stuck.has('status')
		) {
			registers.set('STATUS', registers.get('CTRL'));
			if (registers.get('STATUS') === 0) this.#drop('off');
			else tellEnabled(this);
		}
		// Who hears of an effect may look at the model.
		if (this.#executing) return;
		this.#executing = true;
		this.#executeAll(now);
		this.#executing = false;
	}

	/** The commands whose time has come. */
	#executeAll(now: number): void {
		const { registers } = this;
		while (
			!this.#commands.empty &&
			now >= this.#commandAt &&
			(registers.get('INT_STATUS') & INT_COMMAND) === 0 &&
			!this.stuck.has('commands')
		) {
			if (!this.#execute()) {
				this.#refused = true;
				this.#interrupt(INT_COMMAND);
				return;
			}
			this.#advance();
		}
	}

	#advance(): void {
		this.registers.set('CMDQ_CONS', this.#commands.next(this.registers.get('CMDQ_CONS')));
	}

	// SKELETON: your commands, or what writing an invalidation register does.
	/** Execute the command at CONS; false: there is no such command. */
	#execute(): boolean {
		const words = this.#commands.take();
		if (words === null) return false;
		const [word, target, first, last] = words;
		switch (word) {
			case CMD_INV_STREAM:
				return this.#effect(
					() => `INV_STREAM ${hex(target)}`,
					() => {
						if (target === ALL_STREAMS) this.#streams.clear('INV_STREAM');
						else this.#streams.dropRange(0, target, target, 'INV_STREAM');
					},
				);
			case CMD_INV_DOMAIN:
				return this.#effect(
					() => `INV_DOMAIN ${target}`,
					() => {
						this.#translation.dropPages(target, 0, 0xffff_ffff, 'INV_DOMAIN');
						this.#translation.dropTables(target, 0, 0xffff_ffff, 'INV_DOMAIN');
					},
				);
			case CMD_INV_RANGE:
			case CMD_INV_RANGE | CMD_TABLES:
				return this.#effect(
					() => `INV_RANGE ${target} ${hex(first, 8)}..${hex(last, 8)}`,
					() => {
						this.#translation.dropPages(target, first, last, 'INV_RANGE');
						if (word & CMD_TABLES) this.#translation.dropTables(target, first, last, 'INV_RANGE');
					},
				);
			case CMD_SYNC:
				for (const take of this.#pending.splice(0)) take();
				return true;
			default:
				return false;
		}
	}

	/** A command's effect: now, or, as late as it may come, at the next SYNC. */
	#effect(text: CommandText, take: () => void): boolean {
		const whole = (): void => {
			take();
			tellCommanded(this, text);
		};
		if (this.habits.lateInvalidation) this.#pending.push(whole);
		else whole();
		return true;
	}

	#drop(why: string): void {
		this.#translation.clear(why);
		this.#streams.clear(why);
		this.#pending.length = 0;
	}
}

export function eduIommu(ctx: ModelContext): EduIommu {
	return new EduIommu(ctx);
}

export const eduModels: Models = { 'linux-iommu-ts,edu-iommu': eduIommu };
