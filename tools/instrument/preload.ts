// SPDX-License-Identifier: GPL-2.0-only
// `--import` this, or import it before the kernel: functions that can fail are probed (watch/fail-points.ts), and accesses
// to tables are scheduling points.
import { FALLIBLE } from '#watch/fallible.js';
import type { Edit } from './edits.js';
import { instrument } from './instrument.js';
import { TABLES, watchTables } from './tables.js';

instrument([...TABLES, ...FALLIBLE.map(({ file, name }): Edit => ({ kind: 'entry', file, function: name }))]);
watchTables();
