// SPDX-License-Identifier: GPL-2.0-only
// A block of C that is being written.
import type { before } from '#tools/c/comment.js';
import type { CType } from '#tools/c/ctype.js';
import type { Doc } from '#tools/c/layout.js';
import { Lines } from '#tools/c/lines.js';

export interface Local {
	readonly name: string;
	readonly type: CType;
	/** Its first value, if C can have it at the head of the block. */
	readonly first: Doc | null;
	readonly from: number;
	readonly comments: ReturnType<typeof before>;
}

/** One block of C's: its declarations, then its statements. */
export class Body {
	constructor(
		/** A function's, in which its parameters are, too. */
		readonly isOutermost = false,
	) {}

	readonly locals: Local[] = [];
	readonly lines = new Lines();
	/** Nothing but declarations so far. */
	atHead = true;
}

export const HARMLESS = new Set([
	'spin_lock_irqsave',
	'raw_spin_lock_irqsave',
	'read_lock_irqsave',
	'write_lock_irqsave',
]);
