// SPDX-License-Identifier: GPL-2.0-only
// `--import` this, or import it before the kernel: functions that can fail are probed (watch/fail-points.ts), and accesses
// to tables are scheduling points.
import { instrument } from './instrument.js';
import { PROBED } from './probed.js';
import { watchTables } from './tables.js';

instrument(PROBED);
watchTables();
