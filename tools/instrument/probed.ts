// SPDX-License-Identifier: GPL-2.0-only
// What is probed for failures and for chaos.
import { FALLIBLE } from '#watch/fallible.js';
import type { Edit } from './edits.js';
import { TABLES } from './tables.js';

export const PROBED: readonly Edit[] = [
	...TABLES,
	...FALLIBLE.map(({ file, name }): Edit => ({ kind: 'entry', file, function: name })),
];
