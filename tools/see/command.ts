// SPDX-License-Identifier: GPL-2.0-only
// What a command of the prompt is.

import type { Session } from './session.js';
import type { Word } from './words.js';

/**
 * `look`: nothing happens by it. `read`: kernel code runs, to say something. `change`: the point of it is that things are
 * different afterwards.
 */
export type Effect = 'look' | 'read' | 'change';

export interface Command {
	readonly name: string;
	/** What comes behind the name: `DEVICE SIZE [to|from|both]`. */
	readonly args: string;
	/** One phrase. */
	readonly does: string;
	readonly effect: Effect | ((args: readonly Word[]) => Effect);
	/** Do it; the lines of its answer. Throws a CommandError. */
	run(session: Session, args: readonly Word[]): string[];
	/** What the argument @at (from 0 on) can be that begins with @begun. */
	complete?(session: Session, at: number, begun: string, args: readonly string[]): readonly string[];
	/** The same as data, for `--json`. */
	json?(session: Session, args: readonly Word[]): unknown;
}
