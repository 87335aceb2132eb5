// SPDX-License-Identifier: GPL-2.0-only
// Long random sequences of what drivers do with the DMA API, on each way that DMA can take (world.ts).
// Every run is the same; another SEED, and more of numRuns, explore. A failure prints seed and path:
// `fc.assert(..., { seed, path })` plays it again.

import fc from 'fast-check';
import { PAGE_SIZE as PAGE } from '#asm/page-def.js';
import { DMA_ATTR_FORCE_CONTIGUOUS, DMA_ATTR_WRITE_COMBINE } from '#linux/dma-mapping.js';
import { Board } from '#tests/kernel/dma/board.js';
import { type Step, WAYS, World } from '#tests/kernel/dma/world.js';

const SEED = 612;

const size = fc.oneof(
	fc.integer({ min: 1, max: 200 }),
	fc.integer({ min: 1, max: 9000 }),
	fc.constantFrom(PAGE, 2 * PAGE),
);
/** Scattered memory has no more than eight pages in a row. */
const large = fc.oneof(
	{ weight: 6, arbitrary: size },
	{ weight: 1, arbitrary: fc.integer({ min: 9000, max: 28_000 }) },
);
const offset = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: PAGE - 1 }));
const failAt = fc.oneof(
	{ weight: 5, arbitrary: fc.constant(0) },
	{ weight: 1, arbitrary: fc.integer({ min: 1, max: 6 }) },
);
const who = fc.nat({ max: 2 });
const pick = fc.nat({ max: 63 });
const attrs = fc.constantFrom(0, DMA_ATTR_WRITE_COMBINE, DMA_ATTR_FORCE_CONTIGUOUS);

const step: fc.Arbitrary<Step> = fc.oneof(
	fc.record({
		op: fc.constant('single' as const),
		who,
		size: large,
		offset,
		dir: who,
		slab: fc.boolean(),
		failAt,
	}),
	fc.record({
		op: fc.constant('list' as const),
		who,
		entries: fc.array(fc.tuple(size, offset), { minLength: 1, maxLength: 6 }),
		dir: who,
		failAt,
	}),
	fc.record({ op: fc.constant('coherent' as const), who, size: large, attrs, atomic: fc.boolean(), failAt }),
	fc.record({ op: fc.constant('device' as const), pick, at: fc.nat(9000), size }),
	fc.record({ op: fc.constant('cpu' as const), pick, at: fc.nat(9000), size, stores: fc.boolean() }),
	fc.record({ op: fc.constant('end' as const), pick }),
);

describe('the DMA API in random order', () => {
	for (const way of WAYS)
		it(`keeps both sides' bytes: ${way.name}`, () => {
			const run = (steps: Step[]): void => {
				const board = new Board(way.board(), `page_placement=scattered ${way.commandLine}`.trim());
				const world = new World(way, board.masters);
				for (const s of steps) {
					world.play(s);
					world.check();
				}
				world.finish();
			};
			fc.assert(fc.property(fc.array(step, { minLength: 20, maxLength: 60 }), run), {
				numRuns: 10,
				seed: SEED,
			});
		});
});
