// SPDX-License-Identifier: GPL-2.0-only
// Numbers that look random, the same for the same seed.

/** A small deterministic generator (mulberry32): numbers from 0 on, below 1. */
export function random(seed: number): () => number {
	let a = seed;
	return () => {
		a = (a + 0x6d2b79f5) | 0;
		let t = Math.imul(a ^ (a >>> 15), 1 | a);
		t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
		return ((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000;
	};
}
