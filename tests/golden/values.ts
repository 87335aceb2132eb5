// SPDX-License-Identifier: GPL-2.0-only
// How answers are written in the vectors: addresses in hex, errors by name.
import { errname } from '#linux/errno.js';
import { U64_MAX } from '#linux/types.js';
import type { Json } from './vectors.js';

/** A number as the vectors write addresses: 0x and no leading zeros; U64_MAX as sixteen f. */
export function hex(v: number): string {
	return v >= U64_MAX ? '0xffffffffffffffff' : `0x${v.toString(16)}`;
}

/** A 32-bit word with all its digits. */
export function word(v: number): string {
	return `0x${(v >>> 0).toString(16).padStart(8, '0')}`;
}

/** An int result: 0 and positive as they are, errors by name. */
export function ret(v: number): Json {
	return v < 0 ? errname(v) : v;
}

/** A DMA address result. */
export function dmaAddr(v: number): Json {
	return v >= U64_MAX ? 'DMA_MAPPING_ERROR' : hex(v);
}

/** A number argument: decimal, hex text, or "-1" for all ones. */
export function num(v: number | string | undefined): number {
	if (v === undefined) return 0;
	if (typeof v === 'number') return v < 0 ? U64_MAX : v;
	return v === '-1' ? U64_MAX : Number(v);
}

/** Byte @i of the test pattern that starts at @seed. */
export function patternByte(seed: number, i: number): number {
	return (seed + 3 * i + 5 * (i >> 8)) & 255;
}

/** FNV-1a, 32 bits. */
export class Fnv {
	private h = 0x811c9dc5;
	add(bytes: Uint8Array): this {
		let h = this.h;
		for (let i = 0; i < bytes.length; i++) h = Math.imul(h ^ (bytes[i] as number), 0x01000193);
		this.h = h;
		return this;
	}
	toString(): string {
		return word(this.h);
	}
}

/** One entry of a scatterlist argument, "page[+offset]:length,...". */
export interface ListEntry {
	phys: number;
	/** From the start of the entry's page. */
	offset: number;
	length: number;
}

export function parseList(text: string): ListEntry[] {
	if (text === '') return [];
	return text.split(',').map((part) => {
		const [where, length] = part.split(':') as [string, string];
		const [page, offset] = where.split('+') as [string, string?];
		const phys = Number(page) + Number(offset ?? 0);
		// A given offset may be larger than a page, and stays one.
		return { phys, offset: offset === undefined ? phys % 4096 : Number(offset), length: Number(length) };
	});
}
