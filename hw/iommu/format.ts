// SPDX-License-Identifier: GPL-2.0-only
// Page-table formats as data, and the plain walk over them: any number of levels, words of 32 or 64 bits.

import type { Ram } from '#hw/core/ram.js';
import { hex } from '#hw/core/register-file.js';
import type { CachedCopy, WalkStep, WordField } from './iommu.js';

/** What a word says; reused from walk to walk. */
export class Decoded {
	kind: 'table' | 'page' | 'invalid' = 'invalid';
	/** The next table, or the page. */
	addr = 0;
	/** READ | WRITE | EXECUTE that the word gives. */
	rights = 0;
}

export interface TableLevel {
	/** The table's name in reports: `DT`. */
	readonly name: string;
	/** log2 of the addresses that one word covers. */
	readonly shift: number;
	/** log2 of the number of words in a table. */
	readonly indexBits: number;
	/** What the word (@high: bits 63:32, 0 in formats of 32 bits) says, into @out. */
	decode(word: number, high: number, out: Decoded): void;
	/** The parts of a word, for reports. */
	readonly fields: readonly { name: string; bits: readonly [high: number, low: number] }[];
}

export interface TableFormat {
	readonly wordBytes: 4 | 8;
	/** From the root down; the last one has pages only, the others may. */
	readonly levels: readonly TableLevel[];
}

/** Of two: every walk needs some. */
export const POWERS: readonly number[] = Array.from({ length: 64 }, (_, n) => 2 ** n);

/** log2 of the addresses that the tables of @format cover. */
export function inputBitsOf(format: TableFormat): number {
	return format.levels[0].shift + format.levels[0].indexBits;
}

/** Which word of a table of @level is for @iova. */
export function indexOf(level: TableLevel, iova: number): number {
	return Math.floor(iova / POWERS[level.shift]) % POWERS[level.indexBits];
}

/** The first address that has the same word as @iova. */
export function firstOf(level: TableLevel, iova: number): number {
	return iova - (iova % POWERS[level.shift]);
}

/** A word of memory; reused. */
export class Word {
	low = 0;
	high = 0;
	get bits(): bigint {
		return (BigInt(this.high) << 32n) | BigInt(this.low);
	}
}

/** Where a walker reads: memory, or the CPU's caches in front of it, too. */
export interface View {
	readonly ram: Ram;
	readonly snoop: boolean;
}

function readWord({ ram, snoop }: View, addr: number): number {
	const cpu = snoop ? ram.readCpuWord(addr) : -1;
	return cpu < 0 ? ram.readWord(addr) : cpu;
}

/** Read the @bytes (4 or 8) at @addr as the device sees them; false where no memory is (then it is zero). */
export function readWalker(view: View, addr: number, bytes: 4 | 8, out: Word): boolean {
	const low = readWord(view, addr);
	const high = bytes === 8 ? readWord(view, addr + 4) : 0;
	out.low = Math.max(0, low);
	out.high = Math.max(0, high);
	return low >= 0 && high >= 0;
}

/** The same as the CPU sees it: memory's where the cache has nothing of its own, and where it is mapped past the cache. */
export function readCpu(ram: Ram, addr: number, bytes: number): bigint {
	const part = (at: number): bigint => {
		const cpu = ram.isUncached(at) ? -1 : ram.readCpuWord(at);
		return BigInt(cpu < 0 ? Math.max(0, ram.readWord(at)) : cpu);
	};
	let word = 0n;
	for (let at = bytes - 4; at >= 0; at -= 4) word = (word << 32n) | part(addr + at);
	return word;
}

/** The word of @bytes that memory has at @addr, whatever the CPU's cache has. */
export function readMemory(ram: Ram, addr: number, bytes: number): bigint {
	let word = 0n;
	for (let at = bytes - 4; at >= 0; at -= 4)
		word = (word << 32n) | BigInt(Math.max(0, ram.readWord(addr + at)));
	return word;
}

/** Where a plain walk ended. */
export class Walked {
	/** The level of the last word that was read. */
	level = 0;
	readonly word = new Word();
	wordAddr = 0;
	readonly decoded = new Decoded();
}

/** Walk @format's tables from @root for @iova, by no cache of their walker: the brute-force reference. */
export function walkMemory(view: View, format: TableFormat, root: number, iova: number, out: Walked): void {
	let table = root;
	for (let level = 0; level < format.levels.length; level++) {
		const at = format.levels[level];
		out.level = level;
		out.wordAddr = table + format.wordBytes * indexOf(at, iova);
		readWalker(view, out.wordAddr, format.wordBytes, out.word);
		at.decode(out.word.low, out.word.high, out.decoded);
		if (out.decoded.kind !== 'table') return;
		table = out.decoded.addr;
	}
}

/** @word in its parts. */
export function fieldsOf(fields: TableLevel['fields'], word: bigint): WordField[] {
	return fields.map(({ name, bits: [high, low] }) => {
		const value = (word >> BigInt(low)) & ((1n << BigInt(high - low + 1)) - 1n);
		return { name, bits: [high, low], value };
	});
}

/** The steps of that walk as data. @copies: what caches hold of a level's word. */
export function explainWalk(
	view: View,
	format: TableFormat,
	root: number,
	iova: number,
	copies: (level: number) => readonly CachedCopy[],
): WalkStep[] {
	const steps: WalkStep[] = [];
	const word = new Word();
	const decoded = new Decoded();
	let table = root;
	for (let level = 0; level < format.levels.length; level++) {
		const at = format.levels[level];
		const index = indexOf(at, iova);
		const addr = table + format.wordBytes * index;
		readWalker(view, addr, format.wordBytes, word);
		at.decode(word.low, word.high, decoded);
		const bytes = format.wordBytes;
		steps.push({
			table: at.name,
			level,
			stage: 1,
			index,
			addr,
			bytes,
			memory: word.bits,
			cpu: readCpu(view.ram, addr, bytes),
			dirty: view.ram.isDirty(addr, bytes),
			kind: decoded.kind,
			fields: fieldsOf(at.fields, word.bits),
			cached: copies(level),
		});
		if (decoded.kind !== 'table') break;
		table = decoded.addr;
	}
	return steps;
}

/** @word as hex digits of its width. */
export function hexWord(word: bigint, bytes: number): string {
	return `0x${word.toString(16).padStart(2 * bytes, '0')}`;
}

/** `DT[0x123] at 0x40100000: 0x40200001, valid`: one step of a walk, without its copies. */
export function stepText(step: WalkStep, indexDigits: number): string {
	const { memory, cpu, dirty, bytes } = step;
	const views =
		memory === cpu
			? `${hexWord(memory, bytes)}${dirty ? ' (in a dirty CPU line)' : ''}`
			: `${hexWord(memory, bytes)} in memory, ${hexWord(cpu, bytes)} in the CPU's cache${dirty ? ' (dirty, not written back)' : ' (stale there)'}`;
	const valid = step.kind === 'invalid' ? 'not valid' : 'valid';
	return `${step.table}[${hex(step.index, indexDigits)}] at ${hex(step.addr, 8)}: ${views}, ${valid}`;
}
