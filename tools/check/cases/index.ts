// SPDX-License-Identifier: GPL-2.0-only
// All cases, by group.

import type { Case } from '../case.js';
import { attack } from './attack.js';
import { bringup } from './bringup.js';
import { capabilities } from './capabilities.js';
import { chaos } from './chaos.js';
import { clients } from './clients.js';
import { directCases } from './direct.js';
import { dma } from './dma.js';
import { failures } from './failures.js';
import { faults } from './faults.js';
import { interleavings } from './interleavings.js';
import { invalidation } from './invalidation.js';
import { isolation } from './isolation.js';
import { life } from './life.js';
import { mapping } from './mapping.js';
import { power } from './power.js';
import { registers } from './registers.js';
import { rights } from './rights.js';
import { tables } from './tables.js';

export const CASES: readonly Case[] = [
	...bringup,
	...registers,
	...tables,
	...mapping,
	...rights,
	...invalidation,
	...faults,
	...life,
	...failures,
	...interleavings,
	...attack,
	...chaos,
	...power,
	...capabilities,
	...dma,
	...isolation,
	...directCases,
	...clients,
];
