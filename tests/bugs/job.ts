// SPDX-License-Identifier: GPL-2.0-only
// What a process with a fault is told, and what it tells.
import type { Fault } from './fault.js';
import type { Seen } from './seen.js';

export interface Job {
	/** Null: the code as it is, to know what is said of that. */
	readonly fault: Fault | null;
	readonly drivers: readonly string[];
	readonly files: readonly string[];
	/** Of the conformance those cases whose names have this; all, where it is empty. */
	readonly only: string;
	readonly seed: number;
}

export type Message =
	| { readonly kind: 'begins'; readonly name: string }
	| { readonly kind: 'seen'; readonly seen: Seen }
	| { readonly kind: 'end'; readonly cases: number };
