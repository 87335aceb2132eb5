// SPDX-License-Identifier: GPL-2.0-only
// Two runs of the same scripts, step by step.
import type { Step } from './run.js';

/**
 * A known difference. In the steps whose place matches @scripts what the pattern @a finds in the first run is @b in the
 * second, or the second says what matches @more in addition, or (@any) the two have nothing to do with each other.
 */
export interface Expected {
	readonly id: string;
	readonly where: 'answer' | 'accesses' | 'messages';
	readonly scripts?: string;
	readonly a?: string;
	readonly b?: string;
	readonly more?: string;
	readonly any?: true;
}

export interface Difference {
	readonly step: Step;
	readonly where: Expected['where'];
	readonly a: string;
	readonly b: string;
}

export interface Comparison {
	readonly steps: number;
	readonly accesses: number;
	readonly differences: readonly Difference[];
	/** How many steps each known difference explains. */
	readonly expected: ReadonlyMap<string, number>;
}

/** A table's address differs from run to run: T1, T2 … in the order in which they appear since forget(). */
class Labels {
	readonly #seen = new Map<string, string>();

	constructor(private readonly tables: RegExp) {}

	forget(): void {
		this.#seen.clear();
	}

	/** @access, with the part that `tables` finds as its second group by label; all alike if @alike. */
	of(access: string, alike: boolean): string {
		return access.replace(this.tables, (all, before: string, address: string) => {
			if (/^(0|cafeb000)$/.test(address)) return all;
			if (!this.#seen.has(address)) this.#seen.set(address, `T${this.#seen.size + 1}`);
			return `${before}${alike ? 'T' : this.#seen.get(address)}`;
		});
	}
}

/** Accesses that are repeated, such as polls up to a time limit: any number from three on is the same. */
function withoutCounts(accesses: string): string {
	return accesses.replace(/(?<=^| )(\S+(?: \S+){0,3}?)(?: \1){2,}(?= |$)/g, '{$1}*');
}

/** A message of a page-table walk, of the tables' addresses only what is within a page. */
function withoutTables(message: string): string {
	return message
		.replace(/((?:dte|pte)@|mmu_dte_addr: )0x[0-9a-f]*([0-9a-f]{3})\b/g, '$1…$2')
		.replace(/(dte@\S+: )0x[0-9a-f]*([0-9a-f])\b/, '$1…$2');
}

function subsets<T>(all: readonly T[]): T[][] {
	const sets: T[][] = [[]];
	for (const one of all) sets.push(...sets.map((set) => [...set, one]));
	return sets.slice(1);
}

const words = (text: string): string => text.split(/\s+/).filter(Boolean).join(' ');

/** The known differences that together make @b of @a; none: null. */
function excuse(
	expected: readonly Expected[],
	where: string,
	place: string,
	a: string,
	b: string,
): string[] | null {
	const fitting = expected.filter((e) => e.where === where && new RegExp(e.scripts ?? '').test(place));
	const any = fitting.find((e) => e.any);
	if (any !== undefined) return [any.id];
	for (const some of subsets(fitting)) {
		let [theirs, ours] = [a, b];
		for (const e of some)
			if (e.more !== undefined) ours = ours.replace(new RegExp(e.more, 'g'), '');
			else theirs = theirs.replace(new RegExp(e.a!, 'g'), e.b!);
		if (words(theirs) === words(ours)) return some.map(({ id }) => id);
	}
	return null;
}

/** Commands that may free tables, or make new ones where freed ones were: which is which cannot be told. */
const MAKES_TABLES = /^(boot|fresh|manage|leave|enter|sh|da|db|df|claim|rel)/;

/**
 * Compare @a with @b, which have the same steps. @tables: where an access holds a table's address.
 */
export function compareRuns(
	a: readonly Step[],
	b: readonly Step[],
	tables: RegExp,
	expected: readonly Expected[],
): Comparison {
	const [mine, yours] = [new Labels(tables), new Labels(tables)];
	const text = (step: Step, labels: Labels): Record<Expected['where'], string> => ({
		answer: step.answer,
		accesses: withoutCounts(
			step.accesses.map((access) => labels.of(access, MAKES_TABLES.test(step.command))).join(' '),
		),
		messages: step.messages.map(withoutTables).join('\n'),
	});
	const differences: Difference[] = [];
	const used = new Map(expected.map(({ id }) => [id, 0]));
	for (const [i, step] of a.entries()) {
		const [u, v] = [text(step, mine), text(b[i]!, yours)];
		for (const where of ['answer', 'accesses', 'messages'] as const) {
			if (u[where] === v[where]) continue;
			const ids = excuse(expected, where, step.place, u[where], v[where]);
			if (ids === null) differences.push({ step, where, a: u[where], b: v[where] });
			else for (const id of ids) used.set(id, used.get(id)! + 1);
		}
		if (MAKES_TABLES.test(step.command)) for (const labels of [mine, yours]) labels.forget();
	}
	return {
		steps: a.length,
		accesses: a.reduce((sum, step) => sum + step.accesses.filter((one) => !one.includes('bind(')).length, 0),
		differences,
		expected: new Map([...used].filter(([, n]) => n > 0)),
	};
}

/** Of two texts what differs, with a little before and after it. */
function apart(a: string, b: string): [string, string] {
	const [u, v] = [a.split(' '), b.split(' ')];
	const shorter = Math.min(u.length, v.length);
	let before = 0;
	while (before < shorter && u[before] === v[before]) before++;
	let after = 0;
	while (after < shorter - before && u.at(-1 - after) === v.at(-1 - after)) after++;
	const cut = (words: string[]): string => {
		const from = Math.max(0, before - 4);
		const to = Math.min(words.length, words.length - after + 4);
		const shown = words.slice(from, to);
		const middle =
			shown.length > 60 ? [...shown.slice(0, 30), `(${shown.length - 60} more)`, ...shown.slice(-30)] : shown;
		return [...(from > 0 ? ['…'] : []), ...middle, ...(to < words.length ? ['…'] : [])].join(' ');
	};
	return [cut(u), cut(v)];
}

/** What the comparison found: the first differences, the known ones, and a last line that says it all. */
export function reportOf(
	name: string,
	{ steps, accesses, differences, expected }: Comparison,
	shown = 10,
): string[] {
	const indent = (text: string): string => text.replaceAll('\n', '\n      ');
	const known = [...expected.values()].reduce((sum, n) => sum + n, 0);
	return [
		...differences.slice(0, shown).map(({ step, where, a, b }) => {
			const [u, v] = where === 'accesses' ? apart(a, b) : [a, b];
			return `${step.place}: ${step.command}\n  ${where}\n    A ${indent(u)}\n    B ${indent(v)}`;
		}),
		...[...expected].map(([id, n]) => `${name}: known: ${id}, ${n} steps`),
		differences.length > 0
			? `${name}: DIFFERENT in ${differences.length} places of ${steps} steps${known > 0 ? ` (and ${known} known ones)` : ''}`
			: `${name}: equal, ${steps} steps, ${accesses} register accesses${known > 0 ? `; ${known} known differences` : ''}`,
	];
}
