// SPDX-License-Identifier: GPL-2.0-only
// A mistake as data: one to three lines of the built code, exchanged in memory for what somebody once wrote there.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Replace } from '#tools/instrument/edits.js';
import { PROJECT } from '#tools/project.js';
import type { Invariant } from '#watch/report.js';

/** Whose code is wrong. */
export type Blame = 'driver' | 'core' | 'client';

/** Whose invariants are not the sanitiser's alone: WARN, lockdep and might_sleep() have them. */
export type Broken = Invariant | 'INV-SLEEP' | 'INV-RACE';

export interface Fault {
	/** `sun50i/unmap-not-cleaned`: the part it is in, and what is wrong. */
	readonly name: string;
	readonly blames: Blame;
	/** The module by its path in the project, without an ending. */
	readonly file: string;
	/** Has to be there once; any space there is as good as any other. */
	readonly find: string;
	readonly replace: string;
	/** Each of them tells the truth about it; the first says it best. */
	readonly breaks: readonly Broken[];
	/** Where a bug like that was: in quotes the subject of the commit that mended it, else what code had it. */
	readonly from: string;
}

/** A fault of one file: what its list leaves to say. */
export type FaultOf = Omit<Fault, 'blames' | 'file'>;

/** The @faults of one @file. */
export function faultsOf(file: string, blames: Blame, faults: readonly FaultOf[]): readonly Fault[] {
	return faults.map((fault) => ({ ...fault, file, blames }));
}

/** What there is of @fault in the built code cannot be exchanged. */
export class FaultError extends Error {
	override readonly name = 'FaultError';
}

/** The built code that @fault is in. */
export function codeOf({ name, file }: Fault): string {
	const path = join(PROJECT, 'build', `${file}.js`);
	try {
		return readFileSync(path, 'utf8');
	} catch {
		throw new FaultError(`${name}: expected the module build/${file}.js`);
	}
}

function placeIn(code: string, { name, file, find }: Fault): { at: number; text: string } {
	const words = find.trim().split(/\s+/);
	const pattern = words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('\\s+');
	const found = [...code.matchAll(new RegExp(pattern, 'g'))];
	if (found.length !== 1)
		throw new FaultError(
			`${name}: expected "${find}" once in build/${file}.js, found it ${found.length} times`,
		);
	return { at: found[0].index, text: found[0][0] };
}

/** The edit that makes @fault; lines stay where they were. */
export function editOf(fault: Fault): Replace {
	const { text } = placeIn(codeOf(fault), fault);
	const lines = text.split('\n').length - fault.replace.split('\n').length;
	return {
		kind: 'replace',
		file: fault.file,
		find: text,
		with: fault.replace + '\n'.repeat(Math.max(0, lines)),
	};
}

/** Where in the built code the first word is that @fault changes. */
export function offsetOf(fault: Fault): number {
	const { at, text } = placeIn(codeOf(fault), fault);
	const [old, now] = [fault.find.trim().split(/\s+/), fault.replace.trim().split(/\s+/)];
	const same = old.findIndex((word, i) => word !== now[i]);
	if (same <= 0) return at;
	const words = [...text.matchAll(/\S+/g)];
	return at + words[same].index;
}

/** The function at @at of @code; empty: none is around it. */
function functionAt(code: string, at: number): string {
	const before = code.slice(0, at);
	const head = [...before.matchAll(/^(?:export )?function (\w+)\(/gm)].at(-1);
	return head === undefined || /^}/m.test(before.slice(head.index)) ? '' : head[1];
}

/** The function of the kernel that @fault is in; empty: none is around it. */
export function functionOf(fault: Fault): string {
	const code = codeOf(fault);
	const { at, text } = placeIn(code, fault);
	return functionAt(code, at) || functionAt(code, at + text.length);
}

/** What makes @fault unfit for the code as it is built; null: nothing. */
export function unfitness(fault: Fault): string | null {
	try {
		editOf(fault);
		return null;
	} catch (e) {
		if (e instanceof FaultError) return e.message;
		throw e;
	}
}

export const isFit = (fault: Fault): boolean => unfitness(fault) === null;
