// SPDX-License-Identifier: GPL-2.0-only
// Cache lines as runs of words in typed arrays: which differ, and copying those that do.

export const LINE_SIZE = 64;
/** A line in 64-bit words. */
export const LINE_LONGS = LINE_SIZE / 8;

/**
 * The C library's comparison, where there is one: in Node. A page takes it as long as the call of it does; both together
 * take half of what a loop over longs takes.
 */
const compareBytes = typeof Buffer === 'undefined' ? null : Buffer.compare;

/** Whether two views, long ones, are surely the same; false also where only a loop tells. */
export function surelySame(a: Uint8Array, b: Uint8Array): boolean {
	return compareBytes !== null && compareBytes(a, b) === 0;
}

export function copyBytes(src: Uint8Array, from: number, dst: Uint8Array, to: number, n: number): void {
	if (n <= 32) {
		for (let i = 0; i < n; i++) dst[to + i] = src[from + i];
	} else if (n === src.length && from === 0) {
		dst.set(src, to);
	} else {
		dst.set(src.subarray(from, from + n), to);
	}
}

export function sameBytes(a: Uint8Array, from: number, b: Uint8Array, at: number, n: number): boolean {
	for (let i = 0; i < n; i++) if (a[from + i] !== b[at + i]) return false;
	return true;
}

export function isZero(words: Int32Array, from: number, n: number): boolean {
	for (let i = from; i < from + n; i++) if (words[i] !== 0) return false;
	return true;
}

/** Copy a line to two places. Without a loop it takes a quarter of what it takes with one. */
export function copyLine(
	src: BigInt64Array,
	from: number,
	a: BigInt64Array,
	at: number,
	b: BigInt64Array,
	to: number,
): void {
	const v0 = src[from];
	a[at] = v0;
	b[to] = v0;
	const v1 = src[from + 1];
	a[at + 1] = v1;
	b[to + 1] = v1;
	const v2 = src[from + 2];
	a[at + 2] = v2;
	b[to + 2] = v2;
	const v3 = src[from + 3];
	a[at + 3] = v3;
	b[to + 3] = v3;
	const v4 = src[from + 4];
	a[at + 4] = v4;
	b[to + 4] = v4;
	const v5 = src[from + 5];
	a[at + 5] = v5;
	b[to + 5] = v5;
	const v6 = src[from + 6];
	a[at + 6] = v6;
	b[to + 6] = v6;
	const v7 = src[from + 7];
	a[at + 7] = v7;
	b[to + 7] = v7;
}

export function copyLongs(src: BigInt64Array, from: number, dst: BigInt64Array, to: number, n: number): void {
	if (n <= 2 * LINE_LONGS) for (let i = 0; i < n; i++) dst[to + i] = src[from + i];
	else dst.set(src.subarray(from, from + n), to);
}

/** Whether a line differs. Long by long it takes half of what 32-bit words take, and a third of what a loop takes. */
export function differs(cpu: BigInt64Array, c: number, synced: BigInt64Array, s: number): boolean {
	return (
		cpu[c] !== synced[s] ||
		cpu[c + 1] !== synced[s + 1] ||
		cpu[c + 2] !== synced[s + 2] ||
		cpu[c + 3] !== synced[s + 3] ||
		cpu[c + 4] !== synced[s + 4] ||
		cpu[c + 5] !== synced[s + 5] ||
		cpu[c + 6] !== synced[s + 6] ||
		cpu[c + 7] !== synced[s + 7]
	);
}

/** The first line from @line on that differs in @cpu and @synced; @lines when none does. */
export function nextDirty(
	cpu: BigInt64Array,
	cpuAt: number,
	synced: BigInt64Array,
	syncedAt: number,
	line: number,
	lines: number,
): number {
	let at = line;
	while (at < lines && !differs(cpu, cpuAt + at * LINE_LONGS, synced, syncedAt + at * LINE_LONGS)) at++;
	return at;
}

/** The first line from @line on that is in step; @lines when none is. */
export function nextClean(
	cpu: BigInt64Array,
	cpuAt: number,
	synced: BigInt64Array,
	syncedAt: number,
	line: number,
	lines: number,
): number {
	let at = line;
	while (at < lines && differs(cpu, cpuAt + at * LINE_LONGS, synced, syncedAt + at * LINE_LONGS)) at++;
	return at;
}
