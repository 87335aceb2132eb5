// SPDX-License-Identifier: GPL-2.0-only
// Programs of clients that do everything right, on hardware that does what it may: a few seeds. make chaos has more.

import { runChaos } from '#tools/chaos/run.js';
import type { Case } from '../case.js';
import { CheckFailure } from '../rig.js';

const SEEDS = 2;
const STEPS = 20;

export const chaos: readonly Case[] = [
	{
		group: 'chaos',
		says: 'programs that do everything right find nothing, whatever the hardware decides',
		blames: 'driver',
		elsewhere: true,
		run(rig) {
			const { description } = rig;
			for (let { seed } = rig; seed < rig.seed + SEEDS; seed++) {
				const { failure } = runChaos(description, seed, STEPS);
				if (failure === null) continue;
				const again = `make chaos DRIVER='${description.name}' SEED=${seed} SHRINK=1`;
				throw new CheckFailure(`seed ${seed}:\n${failure}\nWhich decisions it takes: ${again}`);
			}
		},
	},
];
