// SPDX-License-Identifier: GPL-2.0-only
// Seeded random numbers: the machine has no other source of chance.

/** A 32-bit hash of a name, so that each user of a seed gets a stream of its own (FNV-1a). */
export function hashName(name: string): number {
	let hash = 0x811c9dc5;
	for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
	return hash >>> 0;
}

/** Numbers in [0, 1), the same for the same @seed: a 32-bit Weyl sequence, mixed twice. */
export function randomStream(seed: number): () => number {
	let state = seed >>> 0;
	return () => {
		state = (state + 0x9e3779b9) >>> 0;
		let x = state;
		x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
		x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
		return ((x ^ (x >>> 15)) >>> 0) / 0x1_0000_0000;
	};
}
