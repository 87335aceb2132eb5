// SPDX-License-Identifier: GPL-2.0-only
// A recording as JSON lines: a step each.

import type { Step } from '#watch/recorder.js';
import type { TraceWriter } from './writer.js';

export class JsonlWriter implements TraceWriter {
	done(steps: readonly Step[]): Uint8Array {
		return new TextEncoder().encode(steps.map((step) => `${JSON.stringify(step)}\n`).join(''));
	}
}
