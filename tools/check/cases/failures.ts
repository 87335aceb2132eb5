// SPDX-License-Identifier: GPL-2.0-only
// Each step of a life with each failure below it: the right error, nothing left behind, and the next time it works.

import { type Case, COMMANDS } from '../case.js';
import { failBootOnce, failEach, failHung } from '../fail.js';
import { STEPS } from '../steps.js';

const group = 'failures';

export const failures: readonly Case[] = [
	...STEPS.map(
		(step): Case => ({
			group,
			says: `${step.name} with each object, page and function failing answers why, leaves nothing, and works the next time`,
			blames: 'driver',
			needs: step.needs === undefined ? [] : [step.needs],
			run: (rig) => void failEach(rig, step),
		}),
	),
	...STEPS.filter(({ hangs }) => hangs).map(
		(step): Case => ({
			group,
			says: `${step.name} comes back when a command of the hardware's never ends, and works when that is over`,
			blames: 'driver',
			needs: step.needs === undefined ? [COMMANDS] : [COMMANDS, step.needs],
			run: (rig) => void failHung(rig, step),
		}),
	),
	{
		group,
		says: 'a boot with each function failing below the driver ends, and the log says why there is no IOMMU',
		blames: 'driver',
		elsewhere: true,
		run(rig) {
			failBootOnce(rig.description, rig.options);
		},
	},
];
