// SPDX-License-Identifier: GPL-2.0-only
// What became of each fault, as lines and as data.
import { type Fault, functionOf } from './fault.js';
import { best, GRADE_NAMES, GRADES, type Grade, gradeOf, type Seen } from './seen.js';

/** What became of one fault. */
export interface Row {
	readonly fault: Fault;
	/** The function of the kernel that it is in. */
	readonly function: string;
	readonly grade: Grade;
	/** What tells most of it. */
	readonly best: Seen | null;
	/** Whether that names the function. */
	readonly named: boolean;
	/** All that was seen, each once. */
	readonly seen: readonly string[];
	/** How many cases come to where it is. */
	readonly reached: number;
}

const said = ({ channel, what, invariant, moment }: Seen): string =>
	`${channel}: ${what}${invariant === null ? '' : ` (${invariant}, ${moment})`}`;

export function rowOf(fault: Fault, seen: readonly Seen[], reached: number): Row {
	const top = best(fault, seen);
	const name = functionOf(fault);
	return {
		fault,
		function: name,
		grade: top === null ? 'missed' : gradeOf(fault, top),
		best: top,
		named: top !== null && name !== '' && top.text.includes(name),
		seen: [...new Set(seen.map(said))],
		reached,
	};
}

const WHAT = 100;

/** A line of the table. */
export function lineOf({ fault, grade, best: top, named, reached }: Row): string {
	const when = top === null ? '' : `${(top.time / 1e6).toFixed(3)} ms`;
	const what =
		top === null
			? reached > 0
				? `nothing, in ${reached} cases`
				: 'nothing: no case comes there'
			: said(top);
	const columns = [
		fault.name.padEnd(48),
		grade.padEnd(7),
		when.padStart(12),
		named ? 'named' : '     ',
		what.slice(0, WHAT),
	];
	return columns.join('  ');
}

/** `180 faults: 150 as the wrong operation returns, …`. */
export function summaryOf(rows: readonly Row[]): string {
	const counts = GRADES.map(
		(grade) => `${rows.filter((row) => row.grade === grade).length} ${GRADE_NAMES[grade]}`,
	);
	return `${rows.length} faults: ${counts.join(', ')}; ${rows.filter(({ named }) => named).length} with the function's name`;
}
