// SPDX-License-Identifier: GPL-2.0-only
// An IOMMU that attacks the kernel: what its registers answer, what it writes to memory, when it interrupts.

import { attackAll } from '../attack.js';
import type { Case } from '../case.js';

/** A few, whatever the time is; for more there are seeds. */
const RUNS = 3;

export const attack: readonly Case[] = [
	{
		group: 'attack',
		says: 'the driver survives an IOMMU whose registers, records and interrupts are not what they should be',
		blames: 'driver',
		elsewhere: true,
		run(rig) {
			attackAll(rig.description, rig.seed, RUNS);
		},
	},
];
