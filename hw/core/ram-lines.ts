// SPDX-License-Identifier: GPL-2.0-only
// Cache lines as runs of words in typed arrays: which differ, and copying those that do.

export const LINE_SIZE = 64;
/** A line in 64-bit words. */
export const LINE_LONGS = LINE_SIZE / 8;

/** The C library's comparison, where there is one: in Node. It takes a third of what a loop takes, and a call. */
const compareBytes = typeof Buffer === 'undefined' ? null : Buffer.compare;
const COMPARE_MIN = 1024;

/**
 * Whether @n bytes of two buffers are surely the same; false also when it is not worth asking so: the loop over lines
 * tells in any case.
 */
export function surelySame(a: ArrayBuffer, from: number, b: ArrayBuffer, at: number, n: number): boolean {
	if (compareBytes === null || n < COMPARE_MIN) return false;
	return compareBytes(new Uint8Array(a, from, n), new Uint8Array(b, at, n)) === 0;
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

export function copyLongs(src: BigInt64Array, from: number, dst: BigInt64Array, to: number, n: number): void {
	if (n <= 2 * LINE_LONGS) for (let i = 0; i < n; i++) dst[to + i] = src[from + i];
	else dst.set(src.subarray(from, from + n), to);
}

/** Whether a line differs. Long by long it takes half of what 32-bit words take, and a third of what a loop takes. */
function differs(cpu: BigInt64Array, c: number, synced: BigInt64Array, s: number): boolean {
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
