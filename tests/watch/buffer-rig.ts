// SPDX-License-Identifier: GPL-2.0-only
// A booted golden board whose sanitiser a test looks at.

import { Board } from '#tests/kernel/dma/board.js';
import { sanitiserOf } from '#tests/sanitiser.js';
import type { Dmasan } from '#watch/dmasan.js';

export class WatchedBoard extends Board {
	readonly san: Dmasan = sanitiserOf(this.masters.machine);

	/** What was found, without the times of the same. */
	get kinds(): string[] {
		return this.san.reports.map(({ invariant, kind, device }) => `${invariant} ${kind} ${device}`);
	}
}
