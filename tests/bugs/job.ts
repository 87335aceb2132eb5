// SPDX-License-Identifier: GPL-2.0-only
// What a process with a fault is told, and what it tells.
import type { Fault } from './fault.js';
import type { Seen } from './seen.js';

export interface Job {
	/** Null: the code as it is, to know what is said of that, and which cases come where. */
	readonly fault: Fault | null;
	/** Conformance of these drivers, by name. */
	readonly drivers: readonly string[];
	/** And test files, by their paths in build/tests. */
	readonly files: readonly string[];
	/** Of all those the cases of these names; null: all. */
	readonly cases: readonly string[] | null;
	readonly seed: number;
}

export type Message =
	| { readonly kind: 'begins'; readonly name: string }
	| { readonly kind: 'seen'; readonly seen: Seen }
	/** That case has come to where these faults would be, by their names. */
	| { readonly kind: 'reached'; readonly name: string; readonly faults: readonly string[] }
	| { readonly kind: 'end'; readonly cases: number };
