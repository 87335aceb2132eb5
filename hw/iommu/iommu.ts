// SPDX-License-Identifier: GPL-2.0-only
// What an IOMMU model is: all that the machine, the sanitiser, the tools, the tests and the page know of one.
//
// A model is made of parts: habits.ts (what its caches do that nobody documents), cache.ts, format.ts (tables as data),
// translation.ts (caches and walks over them), operation.ts (commands that take time), queue.ts (rings in memory).

import { NO_PASID, type Translator } from '#hw/core/dma-port.js';
import type { DeviceModel } from '#hw/core/model.js';
import type { CacheEntry, TranslationCache } from './cache.js';
import type { TableFormat } from './format.js';
import type { Habits } from './habits.js';

export { EXECUTE, NO_PASID, PRIVILEGED, READ, WRITE } from '#hw/core/dma-port.js';

/** `read`, `write`, `read, execute`: the rights or the wish in the bits of @access. */
export function accessText(access: number): string {
	const names = ['read', 'write', 'execute', 'privileged'].filter((_, bit) => (access >>> bit) & 1);
	return names.length === 0 ? 'nothing' : names.join(', ');
}

/** What the hardware does with a stream's accesses now. */
export type StreamState = 'off' | 'bypass' | 'translate' | 'block';

/** Where the tables, or whatever the mappings are in, lead an address: no cache is asked. */
export interface Leaf {
	/** -1: nowhere. */
	readonly phys: number;
	/** The range [iova, iova + size) has one answer, a multiple of the page size or of what an invalid word covers. */
	readonly iova: number;
	readonly size: number;
	/** READ | WRITE | EXECUTE for that stream. */
	readonly rights: number;
	/** The word that says so; 0n where there is none. */
	readonly word: bigint;
	/** Where that word is; -1: in the device. */
	readonly wordAddr: number;
}

/** One that a word in memory says. */
export class LeafWord implements Leaf {
	constructor(
		readonly phys: number,
		readonly iova: number,
		readonly size: number,
		readonly rights: number,
		readonly low: number,
		readonly high: number,
		readonly wordAddr: number,
	) {}

	get word(): bigint {
		return wordOf(this.low, this.high);
	}
}

/** A word of 64 bits. */
export function wordOf(low: number, high: number): bigint {
	return (BigInt(high) << 32n) | BigInt(low);
}

/** A named part of a table word. */
export interface WordField {
	readonly name: string;
	readonly bits: readonly [high: number, low: number];
	readonly value: bigint;
	/** What the value means, where it has a name. */
	readonly text?: string;
}

/** A copy of a word in a cache. */
export interface CachedCopy {
	readonly cache: string;
	readonly entry: CacheEntry;
}

/** One word (or record) that a walk reads. */
export interface WalkStep {
	/** The table's name: `DT`, `STE`. */
	readonly table: string;
	/** 0 for the root table; -1: what comes before the tables, the stream's own record. */
	readonly level: number;
	readonly stage: 1 | 2;
	readonly index: number;
	/** Where it is in memory; -1: in the device. */
	readonly addr: number;
	readonly bytes: number;
	/** As the device sees it, and as the CPU does. */
	readonly memory: bigint;
	readonly cpu: bigint;
	/** The CPU's line has been stored to and not been cleaned. */
	readonly dirty: boolean;
	readonly kind: 'table' | 'page' | 'invalid';
	readonly fields: readonly WordField[];
	readonly cached: readonly CachedCopy[];
}

export interface Explanation {
	readonly stream: number;
	readonly pasid: number;
	readonly iova: number;
	readonly state: StreamState;
	/** Empty for a device whose mappings live in the device. */
	readonly steps: readonly WalkStep[];
	readonly leaf: Leaf;
	/** All that as lines. */
	readonly text: string;
}

/** A cached entry that does not say what the tables say. */
export interface Contradiction {
	readonly invariant: 'INV-TLB-UNMAP' | 'INV-TLB-MAP' | 'INV-PTW';
	readonly cache: TranslationCache;
	readonly entry: CacheEntry;
	/** What is in memory now. */
	readonly memory: bigint;
	readonly text: string;
}

/** `translation`: nothing is mapped there; `configuration`: the stream itself has no valid tables. */
export type FaultKind = 'translation' | 'permission' | 'address-size' | 'configuration' | 'external';

export interface FaultRecord {
	readonly time: number;
	readonly stream: number;
	readonly pasid: number;
	readonly iova: number;
	/** What was wanted: READ, WRITE … */
	readonly access: number;
	readonly kind: FaultKind;
	/** The model's own word for it: `L2`. */
	readonly what: string;
	/** The word that refused; 0n where there is none. */
	readonly word: bigint;
	/** The answer came from a cache. */
	readonly cached: boolean;
	/** The registers do not say whether it was a read or a write. */
	readonly directionLost?: boolean;
}

/** Something that was commanded and has not taken effect. */
export interface UnderWay {
	/** By the hardware's names: `TLB_FLUSH`. */
	readonly what: string;
	/** It takes effect in time; false: only when more is commanded. */
	readonly ends: boolean;
}

export interface Figure {
	readonly name: string;
	readonly value: number;
}

/** What @iommu counts under @name, of all streams or of one. */
export function figure(iommu: Iommu, name: string, stream?: number): number {
	const found = iommu.figures(stream).find((f) => f.name === name);
	if (found === undefined) throw new Error(`${iommu.name} has no figure "${name}"`);
	return found.value;
}

/** A word that a walk read. */
export interface WalkRead {
	readonly stream: number;
	readonly iova: number;
	readonly table: string;
	readonly level: number;
	readonly addr: number;
	readonly bytes: number;
	readonly word: bigint;
	/** Whose wish it was: the access itself, or looking ahead. */
	readonly reason: 'walk' | 'prefetch' | 'neighbour' | 'configuration';
}

/** What a command was, for who wants to read it: `TLB_IVLD 0x12345000`. */
export type CommandText = () => string;

/** Watches a model: the sanitiser, the recorder, a test. Every call comes as the thing happens. */
export interface IommuObserver {
	walked?(iommu: Iommu, read: WalkRead): void;
	/** @stream's access is let through, from @entry; null: not by a cache (off, bypass, mapped in the device). */
	answered?(
		iommu: Iommu,
		stream: number,
		pasid: number,
		iova: number,
		access: number,
		phys: number,
		entry: CacheEntry | null,
	): void;
	faulted?(iommu: Iommu, fault: FaultRecord): void;
	filled?(iommu: Iommu, cache: TranslationCache, entry: CacheEntry): void;
	/** @why: `flush`, `evicted`, `replaced` … */
	dropped?(iommu: Iommu, cache: TranslationCache, entry: CacheEntry, why: string): void;
	/** A command (a register's or a queue's) took effect. */
	commanded?(iommu: Iommu, text: CommandText): void;
	/** The operation @name was begun before it had ended the last time. */
	overrun?(iommu: Iommu, name: string): void;
	/** Translation was off, and begins. */
	enabled?(iommu: Iommu): void;
	/** @stream is held up, or reset, by a register. */
	held?(iommu: Iommu, stream: number): void;
	/** The registers, or a queue, have lost @fault, or its address: it was @cleared, or there was no room for it. */
	forgotten?(iommu: Iommu, fault: FaultRecord, cleared: boolean): void;
}

export interface Iommu extends DeviceModel, Translator {
	/** How many streams there are: numbers from 0 on. */
	readonly streamCount: number;
	/** 0: no PASIDs. */
	readonly pasidBits: number;
	/** Addresses that a stream can send: [0, 2^inputBits). */
	readonly inputBits: number;
	/** Physical addresses that a translation can lead to: [0, 2^outputBits). */
	readonly outputBits: number;
	/** What its caches do; a test may change one. */
	readonly habits: Habits;
	readonly observers: IommuObserver[];
	/** The last faults, oldest first. */
	readonly faults: readonly FaultRecord[];
	/** Operations that never end, by the model's names for them: for tests. */
	readonly stuck: Set<string>;

	/** What to call a stream in a report. */
	streamName(stream: number): string;
	state(stream: number, pasid: number): StreamState;
	/** Where the tables lead; nothing changes. */
	leaf(stream: number, pasid: number, iova: number): Leaf;
	explain(stream: number, iova: number, pasid?: number): Explanation;
	caches(): readonly TranslationCache[];
	/** What the caches hold for [@first, @last] and the tables deny. None where translation is off. */
	contradictions(first?: number, last?: number): Contradiction[];
	/** What the cached @entry of @cache says that the tables do not; null: they agree. */
	contradiction(cache: TranslationCache, entry: CacheEntry): Contradiction | null;
	/** Counts: accesses, hits, walks, faults; of all streams, or of one. */
	figures(stream?: number): readonly Figure[];

	// What not every model can say: for who watches.

	/** What was commanded and has not taken effect; null: nothing. */
	underWay?(): UnderWay | null;
	/** Which faults the interrupt line will not tell of, as it is set up now, in words; '': none. */
	silentFaults?(): string;
	/** Whether @stream gets no answer since a fault, until the driver does what lets it go on. */
	stopped?(stream: number): boolean;
	/** Its tables as data; none where the mappings are in the device. */
	readonly format?: TableFormat;
	/** Where @stream's root table is; -1: its accesses meet none. */
	rootOf?(stream: number, pasid: number): number;
	/**
	 * Have the caches guess what walks for @streams at @iova read now, their own records included: hardware may walk at any
	 * time, for nobody. What is guessed stands beside the caches (TranslationCache.guesses).
	 */
	speculate?(streams: readonly number[], pasid: number, iova: number): void;
	/** Of what was guessed for [@first, @last], what the tables deny: no invalidation has covered it. */
	speculated?(first: number, last: number): Contradiction[];
}

/** Whether a model is an IOMMU. */
export function isIommu(model: DeviceModel): model is Iommu {
	return 'translate' in model && 'explain' in model && 'contradictions' in model;
}

/** The sums of figures that several parts of a model keep under the same names. */
export function addFigures(parts: readonly (readonly Figure[])[]): Figure[] {
	const sums = new Map<string, number>();
	for (const { name, value } of parts.flat()) sums.set(name, (sums.get(name) ?? 0) + value);
	return [...sums].map(([name, value]) => ({ name, value }));
}

/** Tell who watches that @stream's access is let through, from @entry. The address, for the caller to answer. */
export function tellAnswered(
	iommu: Iommu,
	stream: number,
	iova: number,
	access: number,
	phys: number,
	entry: CacheEntry | null,
	pasid = NO_PASID,
): number {
	for (const observer of iommu.observers)
		observer.answered?.(iommu, stream, pasid, iova, access, phys, entry);
	return phys;
}

/** Tell who watches that a command took effect. */
export function tellCommanded(iommu: Iommu, text: CommandText): void {
	for (const observer of iommu.observers) observer.commanded?.(iommu, text);
}

/** Tell who watches that translation begins. */
export function tellEnabled(iommu: Iommu): void {
	for (const observer of iommu.observers) observer.enabled?.(iommu);
}

/** Tell who watches that an operation was begun before it had ended. */
export function tellOverrun(iommu: Iommu, name: string): void {
	for (const observer of iommu.observers) observer.overrun?.(iommu, name);
}

/** Tell who watches that @fault, if there is one, can be known no more. */
export function tellForgotten(iommu: Iommu, fault: FaultRecord | undefined, cleared = false): void {
	if (fault === undefined) return;
	for (const observer of iommu.observers) observer.forgotten?.(iommu, fault, cleared);
}

const FAULTS_KEPT = 256;

/** Keep @fault, the last of not too many, and tell who watches. */
export function recordFault(iommu: Iommu, log: FaultRecord[], fault: FaultRecord): void {
	log.push(fault);
	if (log.length > FAULTS_KEPT) log.shift();
	for (const observer of iommu.observers) observer.faulted?.(iommu, fault);
}
