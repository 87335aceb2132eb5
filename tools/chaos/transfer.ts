// SPDX-License-Identifier: GPL-2.0-only
// What a device may use, and the bytes that have to be there: a client's mapping as both sides see it.

import { hex } from '#hw/core/register-file.js';
import type { TestMaster } from '#hw/misc/test-master.js';
import type { Draw } from '#watch/chaos.js';

/** A run of DMA addresses. */
export interface Segment {
	readonly addr: number;
	readonly size: number;
}

/** A mapping that the device owns now. */
export interface Shared {
	/** Masters that may use it. */
	readonly masters: readonly TestMaster[];
	readonly segments: readonly Segment[];
	readonly reads: boolean;
	readonly writes: boolean;
	/** The bytes of all segments, one after the other. */
	readonly data: Uint8Array;
}

/** The most bytes of one transfer: a few bursts, over the end of a page. */
const LONGEST = 0x1800;

export const below = (draw: Draw, n: number): number => Math.floor(draw() * n);
export const oneOf = <T>(draw: Draw, items: readonly T[]): T => items[below(draw, items.length)];

/** Bytes that no other call of the same draw has. */
export function fill(bytes: Uint8Array, draw: Draw): void {
	let at = below(draw, 2 ** 31);
	for (let i = 0; i < bytes.length; i++) {
		at = (Math.imul(at, 1103515245) + 12345) & 0x7fffffff;
		bytes[i] = at >>> 16;
	}
}

/** Throw when @got is not what @expected says; @what: whose bytes, where the first is. */
export function compare(what: string, at: number, got: Uint8Array, expected: Uint8Array): void {
	for (let i = 0; i < expected.length; i++)
		if (got[i] !== expected[i])
			throw new Error(`${what}: the byte at ${hex(at + i)} is ${hex(got[i])}; expected ${hex(expected[i])}`);
}

/** A part of @shared is read, and compared, or written: what was done. */
export function transfer(shared: Shared, draw: Draw): string {
	const master = oneOf(draw, shared.masters);
	const write = shared.writes && (!shared.reads || draw() < 0.5);
	const index = below(draw, shared.segments.length);
	const { addr, size } = shared.segments[index];
	const offset = below(draw, size);
	const n = Math.min(size - offset, 1 + below(draw, draw() < 0.5 ? 64 : LONGEST));
	const before = shared.segments.slice(0, index).reduce((sum, s) => sum + s.size, 0) + offset;
	const part = shared.data.subarray(before, before + n);
	const at = addr + offset;
	const what = `${master.name} ${write ? 'writes' : 'reads'} ${hex(at, 8)}+${hex(n)}`;
	if (write) {
		fill(part, draw);
		if (!master.store(at, part)) throw new Error(`${what}, which is mapped for it: refused`);
	} else {
		const got = master.fetch(at, n);
		if (got === null) throw new Error(`${what}, which is mapped for it: refused`);
		compare(what, at, got, part);
	}
	return what;
}
