// SPDX-License-Identifier: GPL-2.0-only
// What a run says: for people, or in the Kernel's Test Anything Protocol (Documentation/dev-tools/ktap.rst).
import { oneLine } from '#tools/run/user-error.js';
import type { Outcome } from './runner.js';

/** Where the lines go, in their order. */
export type Print = (line: string) => void;

export interface Output {
	/** A case is over. */
	done(outcome: Outcome): void;
	/** All are. */
	end(): void;
}

/** The group in a name. */
const groupOf = (name: string): string => name.slice(0, name.indexOf(':'));

/** @text without what differs from case to case: times, addresses, counts. */
const sameness = (text: string): string => text.replace(/0x[0-9a-f]+|\d+/g, '');

/** `5 not applicable: no second stage (4), no bypass (1)`. */
function lackText(lacks: readonly string[]): string {
	const counts = new Map<string, number>();
	for (const lack of lacks) counts.set(lack, (counts.get(lack) ?? 0) + 1);
	const reasons = [...counts].map(([lack, n]) => (counts.size === 1 ? lack : `${lack} (${n})`));
	return `${lacks.length} not applicable: ${reasons.join(', ')}`;
}

/** Lines for people: what failed with its reports, a line for each group, and the sum. @again: the command that repeats a case. */
export class PlainOutput implements Output {
	#passed = 0;
	readonly #failed: string[] = [];
	readonly #lacks: string[] = [];
	/** What was shown already, and in which case. */
	readonly #shown = new Map<string, string>();

	constructor(
		readonly print: Print,
		readonly again: (name: string) => string,
	) {}

	done({ name, blames, lack, problems }: Outcome): void {
		if (lack !== null) {
			this.#lacks.push(lack);
			return;
		}
		if (problems.length === 0) {
			this.#passed++;
			return;
		}
		this.#failed.push(name);
		this.print(`FAILED ${name}`);
		for (const problem of problems) this.#problem(name, problem);
		this.print(`  to blame: the ${blames}; once more: ${this.again(name)}`);
		this.print('');
	}

	/** One fault makes many cases fail: its report is shown once. */
	#problem(name: string, problem: string): void {
		const key = sameness(problem);
		const before = this.#shown.get(key);
		const lines = problem.split('\n').filter((line) => !/^=+$/.test(line));
		if (before === undefined) {
			this.#shown.set(key, name);
			for (const line of lines) this.print(`  ${line}`);
		} else this.print(`  ${lines[0]} (as in "${before}")`);
	}

	end(): void {
		const parts = [`${this.#passed} passed`];
		if (this.#failed.length > 0) parts.push(`${this.#failed.length} failed`);
		if (this.#lacks.length > 0) parts.push(lackText(this.#lacks));
		this.print(parts.join(', '));
	}
}

/** KTAP: a subtest for each group. */
export class KtapOutput implements Output {
	readonly #groups = new Map<string, Outcome[]>();

	constructor(
		readonly print: Print,
		readonly again: (name: string) => string,
	) {}

	done(outcome: Outcome): void {
		const group = groupOf(outcome.name);
		const outcomes = this.#groups.get(group);
		if (outcomes === undefined) this.#groups.set(group, [outcome]);
		else outcomes.push(outcome);
	}

	// A plan comes before what it counts.
	end(): void {
		this.print('KTAP version 1');
		this.print(`1..${this.#groups.size}`);
		let number = 0;
		for (const [group, outcomes] of this.#groups) {
			const lines = outcomes.flatMap((outcome, i) => this.#lines(outcome, i + 1));
			for (const line of ['KTAP version 1', `# Subtest: ${group}`, `1..${outcomes.length}`, ...lines])
				this.print(`    ${line}`);
			const failed = outcomes.some(({ problems }) => problems.length > 0);
			const skipped = outcomes.every(({ lack }) => lack !== null);
			this.print(`${failed ? 'not ok' : 'ok'} ${++number} ${group}${skipped ? ' # SKIP' : ''}`);
		}
	}

	#lines({ name, blames, lack, problems }: Outcome, number: number): string[] {
		const says = oneLine(name.slice(groupOf(name).length + 2)).replaceAll('#', '');
		if (problems.length === 0) return [`ok ${number} ${says}${lack === null ? '' : ` # SKIP ${lack}`}`];
		const details = [...problems, `to blame: the ${blames}; once more: ${this.again(name)}`];
		return [
			...details.flatMap((text) => text.split('\n').map((line) => `# ${line}`)),
			`not ok ${number} ${says}`,
		];
	}
}
