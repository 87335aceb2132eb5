// SPDX-License-Identifier: GPL-2.0-only
// What writes a recording in some format.

import type { Step } from '#watch/recorder.js';

export interface TraceWriter {
	/** @step has just begun: what else of this moment the format wants. Steps that are folded grow until the next one. */
	step?(step: Step): void;
	/** The whole file. */
	done(steps: readonly Step[]): Uint8Array;
}
