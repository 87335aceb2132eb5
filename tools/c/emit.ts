// SPDX-License-Identifier: GPL-2.0-only
// One file of TypeScript as one of C, and which lines belong to which.

import { fileOf } from '#tools/c/file.js';
import { headerFileOf } from '#tools/c/header.js';
import type { Line } from '#tools/c/lines.js';
import type { Refusal } from '#tools/c/refusal.js';
import type { Project, Source } from '#tools/c/source.js';
import { Unit } from '#tools/c/unit.js';

/** What became of a file. */
export interface Emitted {
	readonly lines: readonly Line[];
	/** What other files of the driver may use of it: its header; null: nothing, or it is one itself. */
	readonly header: readonly Line[] | null;
	/** What is outside the subset: with any of them the lines are worth nothing. */
	readonly refusals: readonly Refusal[];
	/** Functions that were left out, because nothing in C calls them. */
	readonly unused: readonly string[];
}

/** @source as C; @outside: names that other files use, @shared: those that other files of its driver do. */
export function emit(
	project: Project,
	source: Source,
	outside: ReadonlySet<string> = new Set(),
	shared: ReadonlySet<string> = new Set(),
): Emitted {
	const unit = new Unit(project, source, { outside, shared });
	unit.read();
	const lines = fileOf(unit);
	const header = headerFileOf(unit);
	return { lines, header, refusals: [...unit.refusals].sort((a, b) => a.line - b.line), unused: unit.unused };
}

export const textOf = (lines: readonly Line[]): string => `${lines.map((l) => l.text).join('\n')}\n`;

/** The side file: lines of both, from 1 on; 0 is a line that comes from none. */
export interface LineMap {
	readonly typescript: string;
	readonly c: string;
	/** By line of C, the first at index 0: the line of TypeScript. */
	readonly toTypeScript: readonly number[];
	/** By line of TypeScript: the lines of C. */
	readonly toC: Readonly<Record<string, readonly number[]>>;
}

export function lineMap(typescript: string, c: string, lines: readonly Line[]): LineMap {
	const toC: Record<string, number[]> = {};
	for (const [i, l] of lines.entries()) {
		if (l.from === 0) continue;
		const known = toC[l.from];
		if (known === undefined) toC[l.from] = [i + 1];
		else known.push(i + 1);
	}
	return { typescript, c, toTypeScript: lines.map((l) => l.from), toC };
}
