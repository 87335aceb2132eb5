// SPDX-License-Identifier: GPL-2.0-only
// What the page and the machine behind it, which runs in a worker, say to each other.

import type { View } from '#tools/see/view.js';

/** Which run: what is in the page's address, too. */
export interface Run {
	readonly board: string;
	readonly append: string;
	readonly seed: number;
	/** Commands of the prompt. */
	readonly script: readonly string[];
	/** The step to look at; null: now, behind all. */
	readonly step: number | null;
}

/** To the worker: a machine anew, a command, or a step to look at. */
export type Request =
	| { readonly what: 'run'; readonly run: Run }
	| { readonly what: 'exec'; readonly line: string }
	| { readonly what: 'step'; readonly step: number | null }
	| { readonly what: 'complete'; readonly line: string };

/** From the worker: the answer to the request of that number. */
export interface Answer {
	readonly number: number;
	/** What a command answered, kernel and sanitiser before it; words that can stand next. */
	readonly lines: readonly string[];
	/** What was wrong with a command. */
	readonly error: string | null;
	readonly view: View | null;
}

/** The boards that the page has: their trees, in base64. */
export type Boards = Readonly<Record<string, string>>;
