// SPDX-License-Identifier: GPL-2.0-only
// What is probed for failures, for chaos, and for what the sanitiser looks at as the core's functions return.
import { FALLIBLE } from '#watch/fallible.js';
import { RETURNING } from '#watch/returning.js';
import type { Edit } from './edits.js';
import { TABLES } from './tables.js';

export const PROBED: readonly Edit[] = [
	...TABLES,
	...FALLIBLE.map(({ file, name }): Edit => ({ kind: 'entry', file, function: name })),
	...RETURNING.flatMap(({ file, names }) =>
		names.map((name): Edit => ({ kind: 'return', file, function: name })),
	),
];
