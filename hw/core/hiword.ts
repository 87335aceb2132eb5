// SPDX-License-Identifier: GPL-2.0-only
// Registers whose upper half says which bits of the lower half a write changes.

/** What such a register holds after @written was put on the bus: bits 31:16 choose among bits 15:0. */
export function hiwordMerge(old: number, written: number): number {
	const mask = written >>> 16;
	return (old & 0xffff & ~mask) | (written & mask);
}
