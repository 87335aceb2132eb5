// SPDX-License-Identifier: GPL-2.0-only
// What hardware may decide, by a seed: habits of caches, where pages lie, what happens at which scheduling point.
//
// Each decision has a key: `habit prefetch`, or `12.37`, the 37th scheduling point of a program's 12th step. What is
// decided there comes from seed and key alone, so that a run can be repeated without some of its decisions and the
// others stay what they were: that is how a failure is cut down to those that matter.

import type { schedule_kind } from '#asm/machine.js';
import { PAGE_SIZE } from '#asm/page-def.js';
import type { Machine, MachineOptions } from '#hw/core/machine.js';
import { LINE_SIZE } from '#hw/core/ram.js';
import { hashName, randomStream } from '#hw/core/random.js';
import { hex } from '#hw/core/register-file.js';
import type { Habits } from '#hw/iommu/habits.js';
import { page_placement } from '#mm/page_alloc.js';

/** A number in [0, 1), the next of this decision's own. */
export type Draw = () => number;

/** Something that can happen at a scheduling point. */
export interface Action {
	readonly name: string;
	/** Only at points of these kinds; of all without it. */
	readonly kinds?: readonly schedule_kind[];
	/** How often, against the others: 1 without it. */
	readonly weight?: number;
	/** Do it, and say what was done; null: there is nothing to do it to now. @where: what the point is about. */
	run(draw: Draw, where: number): string | null;
}

/** One thing that was decided, for a person and for a repetition. */
export interface Decision {
	readonly key: string;
	/** `at point 37 (cache, clean of 0x40123000): m2 reads 0x…`. */
	readonly text: string;
}

/** How likely something happens at a point: a seed has one of them. */
const RATES = [0, 1 / 300, 1 / 100, 1 / 30, 1 / 10, 1 / 4];

/** What a seed may choose of each habit: what every driver has to live with. The rest of a machine's is its policy's. */
const HABITS: { readonly [H in keyof Habits]?: readonly Habits[H][] } = {
	microEntries: [1, 4, Number.POSITIVE_INFINITY],
	sharedEntries: [1, 16, Number.POSITIVE_INFINITY],
	walkEntries: [1, 4, Number.POSITIVE_INFINITY],
	negative: [false, true],
	neighbours: [1, 2, 8],
	prefetch: [false, true],
	lateInvalidation: [false, true],
	busyNs: [0, 100, 400, 3000, 20_000],
};

const PLACEMENTS = ['', 'scattered', 'high'];

/** How long flushes take, when they take another time from some point on. */
const BUSY_NS = [0, 50, 400, 2500, 20_000];
/** For how long nothing but time goes by. */
const PAUSES_NS = [100, 1000, 10_000, 200_000, 5_000_000];

/** How many places of cache maintenance are remembered. */
const RECENT = 16;

const WHAT: Readonly<Record<schedule_kind, (where: number) => string>> = {
	mmio: (at) => `register ${hex(at)}`,
	cache: (at) => `cache, line ${hex(at, 8)}`,
	alloc: (at) => `allocation of order ${at}`,
	lock: () => 'a lock is taken',
	unlock: () => 'a lock is given back',
	xchg: () => 'an atomic operation',
	load: (at) => `load of the word at ${hex(at, 8)}`,
	store: (at) => `store to the word at ${hex(at, 8)}`,
};

export class Chaos {
	readonly #seed: number;
	readonly #only: ReadonlySet<string> | null;
	readonly #decisions: Decision[] = [];
	readonly #recent: number[] = [];
	#machine: Machine | null = null;
	#actions: readonly Action[] = [];
	#rate = 0;
	#step = -1;
	#point = 0;
	/** Points that were passed, of all steps. */
	points = 0;

	/** @only: keys of the decisions that are kept; null: all. */
	constructor(seed: number, only: ReadonlySet<string> | null = null) {
		this.#seed = seed;
		this.#only = only;
		this.#rate = RATES[Math.floor(this.draw('rate')() * RATES.length)];
	}

	/** What was decided, in order. */
	get decisions(): readonly Decision[] {
		return this.#decisions;
	}

	/** Numbers for @name: the same for the same seed, whatever else is asked. */
	draw(name: string): Draw {
		return randomStream((this.#seed ^ hashName(name)) >>> 0);
	}

	/** Whether the decision @key is kept. */
	keeps(key: string): boolean {
		return this.#only === null || this.#only.has(key);
	}

	/**
	 * Enter a decision of somebody else's (a step of the program) before it is carried out, as it may be the one that the
	 * run ends at. The result is to be called with what was done; null: nothing.
	 */
	record(key: string, text: string): (done: string | null) => void {
		const decision = { key, text };
		this.#decisions.push(decision);
		return (done) => {
			if (done === null) this.#decisions.splice(this.#decisions.indexOf(decision), 1);
			else decision.text = done;
		};
	}

	/** How the machine is made, added to @options. */
	machineOptions(options: MachineOptions = {}): MachineOptions {
		const habits: Record<string, unknown> = { ...options.habits };
		for (const [habit, values] of Object.entries(HABITS)) {
			const value = this.#choose<number | boolean>(`habit ${habit}`, values);
			if (value !== undefined) habits[habit] = value;
		}
		const placement = this.#choose('page placement', PLACEMENTS) ?? '';
		const words = [options.commandLine ?? ''];
		if (placement !== '') words.push(`page_placement=${placement},${this.#seed || 1}`);
		return {
			nrCpus: 2,
			seed: this.#seed || 1,
			...options,
			habits: habits as Partial<Habits>,
			commandLine: words.join(' ').trim(),
		};
	}

	/** Let things happen on @machine: those that any machine has, and @more, which the program knows. */
	start(machine: Machine, more: readonly Action[]): void {
		this.#machine = machine;
		this.#actions = [...machineActions(machine, this.#recent), ...more];
		machine.hook = (kind, where) => this.#at(kind, where);
	}

	/** The program's @nth step begins: scheduling points are counted anew. */
	step(nth: number): void {
		this.#step = nth;
		this.#point = 0;
	}

	stop(): void {
		if (this.#machine !== null) this.#machine.hook = null;
	}

	#choose<T>(key: string, values: readonly T[]): T | undefined {
		const draw = this.draw(key);
		// Half of them are what the machine's policy says.
		if (draw() < 0.5 || !this.keeps(key)) return undefined;
		const value = values[Math.floor(draw() * values.length)];
		this.record(key, `${key}: ${value === '' ? 'as ever' : value}`);
		return value;
	}

	#at(kind: schedule_kind, where: number): void {
		const point = this.#point++;
		this.points++;
		if (kind === 'cache') {
			this.#recent.push(where);
			if (this.#recent.length > RECENT) this.#recent.shift();
		}
		if (this.#rate === 0) return;
		const draw = randomStream((this.#seed ^ Math.imul(this.#step + 2, 0x9e3779b1) ^ point) >>> 0);
		if (draw() >= this.#rate) return;
		const key = `${this.#step}.${point}`;
		if (!this.keeps(key)) return;
		const action = chosen(
			this.#actions.filter(({ kinds }) => kinds === undefined || kinds.includes(kind)),
			draw(),
		);
		const place = `  at point ${point} (${WHAT[kind](where)})`;
		const amend = this.record(key, `${place}: ${action.name}`);
		const done = action.run(draw, where);
		amend(done === null ? null : `${place}: ${done}`);
	}
}

/** The action that stands at @part (in [0, 1)) of the sum of weights. */
function chosen(actions: readonly Action[], part: number): Action {
	const weight = (a: Action): number => a.weight ?? 1;
	let left = part * actions.reduce((sum, a) => sum + weight(a), 0);
	for (const action of actions) {
		left -= weight(action);
		if (left < 0) return action;
	}
	return actions[actions.length - 1];
}

function pick<T>(items: readonly T[], draw: Draw): T {
	return items[Math.floor(draw() * items.length)];
}

/** What any machine may do. @recent: addresses of the last cache maintenance. */
function machineActions(machine: Machine, recent: readonly number[]): Action[] {
	const { ram } = machine;
	return [
		{
			name: 'the cache replaces a line',
			weight: 4,
			run: (draw, where) => {
				const near = ram.is_ram(where, 1) ? where : pick(recent, draw);
				if (near === undefined) return null;
				const line = near - (near % LINE_SIZE) + LINE_SIZE * Math.floor(draw() * 4);
				if (!ram.is_ram(line, LINE_SIZE)) return null;
				const dirty = ram.isDirty(line, LINE_SIZE);
				ram.evict(line, LINE_SIZE);
				return `the cache replaces the line at ${hex(line, 8)}${dirty ? ', which was dirty' : ''}`;
			},
		},
		{
			name: 'time goes by',
			weight: 2,
			run: (draw) => {
				// Of two parts of a block 6.12 waits for the one that is done first (deviations.md, "left as they are").
				if (machine.iommus.some((iommu) => (iommu.underWay?.() ?? null) !== null)) return null;
				const ns = pick(PAUSES_NS, draw);
				machine.advance(ns);
				return `${ns} ns go by`;
			},
		},
		{
			// Not between two registers: the parts of one block that are given the same command take the same time.
			name: 'flushes take another time',
			kinds: ['alloc', 'lock', 'unlock', 'xchg'],
			run: (draw) => {
				if (machine.iommus.length === 0) return null;
				const iommu = pick(machine.iommus, draw);
				iommu.habits.busyNs = pick(BUSY_NS, draw);
				return `commands of ${iommu.name} take ${iommu.habits.busyNs} ns from now on`;
			},
		},
		{
			name: 'a cache of an IOMMU loses an entry',
			weight: 2,
			run: (draw) => {
				const caches = machine.iommus.flatMap((iommu) => [...iommu.caches()]).filter((c) => c.size > 0);
				if (caches.length === 0) return null;
				const cache = pick(caches, draw);
				const entry = [...cache.entries()][Math.floor(draw() * cache.size)];
				cache.drop(entry, 'evicted');
				return `${cache.name} loses its entry for ${hex(entry.iova, 8)}`;
			},
		},
		{
			name: 'the next page lies elsewhere',
			kinds: ['alloc'],
			weight: 4,
			run: (draw, order) => {
				const region = pick(ram.regions, draw);
				const pages = region.size / PAGE_SIZE;
				const pfn = region.base / PAGE_SIZE + 2 ** order * Math.floor((draw() * pages) / 2 ** order);
				page_placement.next.push(pfn);
				return `the next page is to lie at ${hex(pfn * PAGE_SIZE, 8)}`;
			},
		},
	];
}
