// SPDX-License-Identifier: GPL-2.0-only
// What a run says: for people, or in the Kernel's Test Anything Protocol.
import { type KtapTest, ktapLines } from '#tools/ktap.js';
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

/** More failures than this are told by their names only. */
const MOST_TEXTS = 20;
/** So many kinds are summed up, in so many letters each. */
const MOST_KINDS = 15;
const HEADLINE = 160;

/** The lines of @problem without its frame. */
const linesOf = (problem: string): string[] => problem.split('\n').filter((line) => !/^=+$/.test(line));

const BUG = /^BUG: DMASAN: /;

/** What @problem is, in short: `stale-after-unmap in edu_iommu_iotlb_sync()`. */
function headlineOf(problem: string): string {
	const [first, second] = linesOf(problem);
	// `seed 1:`, and what came of it.
	const line =
		first.endsWith(':') && second !== undefined ? `${first} ${second.trim()}` : first.replace(BUG, '');
	return line.length > HEADLINE ? `${line.slice(0, HEADLINE - 1)}…` : line;
}

/** What one fault of a driver makes of many cases. */
interface Kind {
	readonly headline: string;
	/** The case that it was shown in. */
	readonly first: string;
	count: number;
}

/**
 * Lines for people: what failed with its reports, a line for each kind of them, what did not apply, and the sum. @again:
 * the command that repeats a case.
 */
export class PlainOutput implements Output {
	#passed = 0;
	#failed = 0;
	readonly #lacks: string[] = [];
	/** By what all of a kind have in common. */
	readonly #kinds = new Map<string, Kind>();

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
		const short = this.#failed++ >= MOST_TEXTS;
		this.print(`FAILED ${name}`);
		for (const problem of problems) {
			const lines = this.#count(name, problem);
			if (!short) for (const line of lines) this.print(`  ${line}`);
		}
		if (short) return;
		this.print(`  to blame: the ${blames}; once more: ${this.again(name)}`);
		this.print('');
	}

	/** One fault makes many cases fail: its report is shown once. The lines to show. */
	#count(name: string, problem: string): string[] {
		const lines = linesOf(problem);
		const headline = headlineOf(problem);
		const key = sameness(headline);
		const kind = this.#kinds.get(key);
		if (kind === undefined) {
			this.#kinds.set(key, { headline, first: name, count: 1 });
			return lines;
		}
		kind.count++;
		return [kind.first === name ? lines[0] : `${lines[0]} (as in "${kind.first}")`];
	}

	end(): void {
		const kinds = [...this.#kinds.values()].sort((a, b) => b.count - a.count);
		if (this.#failed > MOST_TEXTS) this.print('');
		for (const { headline, count } of kinds.slice(0, MOST_KINDS)) this.print(`${count} x ${headline}`);
		if (kinds.length > MOST_KINDS)
			this.print(`and ${kinds.length - MOST_KINDS} kinds that are less frequent`);
		const parts = [`${this.#passed} passed`];
		if (this.#failed > 0) parts.push(`${this.#failed} failed`);
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

	end(): void {
		const groups = [...this.#groups].map(([name, outcomes]) => ({
			name,
			tests: outcomes.map((outcome) => this.#test(outcome)),
		}));
		for (const line of ktapLines(groups)) this.print(line);
	}

	#test({ name, blames, lack, problems }: Outcome): KtapTest {
		const blame = `to blame: the ${blames}; once more: ${this.again(name)}`;
		return {
			name: name.slice(groupOf(name).length + 2),
			skip: lack,
			problems: problems.length === 0 ? [] : [...problems, blame],
		};
	}
}
