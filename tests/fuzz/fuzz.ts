// SPDX-License-Identifier: GPL-2.0-only
// What a fuzzer is: `make fuzz` runs each file of this folder that exports one.
import { random } from '#tests/random.js';

export interface FuzzTarget {
	readonly name: string;
	/** One step; throws with a message when something fell over. @random: from 0 on, below 1. */
	step(random: () => number): void;
}

/** Step @n of a run from @seed, as a seed of its own: a failure is repeated without what came before it. */
export const seedOf = (seed: number, n: number): number => (seed + n) >>> 0;

/** Run @steps steps from @seed on; the first that falls over is thrown, with the seed that repeats it. */
export function runSteps(target: FuzzTarget, seed: number, steps: number): void {
	for (let n = 0; n < steps; n++) {
		try {
			target.step(random(seedOf(seed, n)));
		} catch (e) {
			throw new Error(`${target.name}, seed ${seedOf(seed, n)}: ${(e as Error).message}`, { cause: e });
		}
	}
}

/** One of @items. */
export function pick<T>(random: () => number, items: readonly T[]): T {
	return items[Math.floor(random() * items.length)] as T;
}
