// SPDX-License-Identifier: GPL-2.0-only
// The Kernel's Test Anything Protocol, version 1 (Documentation/dev-tools/ktap.rst), which `kunit.py parse` reads.
import { oneLine } from '#tools/run/user-error.js';

export interface KtapTest {
	readonly name: string;
	/** Why it was not run; '' where nobody said; null: it was. */
	readonly skip: string | null;
	/** What was wrong, of any number of lines each; nothing: it passed. */
	readonly problems: readonly string[];
}

export interface KtapGroup {
	readonly name: string;
	readonly tests: readonly (KtapTest | KtapGroup)[];
}

const isGroup = (test: KtapTest | KtapGroup): test is KtapGroup => 'tests' in test;

function leaves(group: KtapGroup): KtapTest[] {
	return group.tests.flatMap((test) => (isGroup(test) ? leaves(test) : [test]));
}

/** A `#` begins a directive. */
const nameOf = ({ name }: KtapTest | KtapGroup): string => oneLine(name).replaceAll('#', '');

function result(number: number, test: KtapTest | KtapGroup): string {
	const under = isGroup(test) ? leaves(test) : [test];
	const failed = under.some(({ problems }) => problems.length > 0);
	const skips = under.map(({ skip }) => skip);
	const directive = skips.every((skip) => skip !== null) ? ` # SKIP ${isGroup(test) ? '' : skips[0]}` : '';
	return `${failed ? 'not ok' : 'ok'} ${number} ${nameOf(test)}${directive}`.trimEnd();
}

/** @tests, the plan before what it counts, what was wrong before its result. @head: the lines between version and plan. */
export function ktapLines(tests: readonly (KtapTest | KtapGroup)[], head: readonly string[] = []): string[] {
	return [
		'KTAP version 1',
		...head,
		`1..${tests.length}`,
		...tests.flatMap((test, i) => [
			...(isGroup(test)
				? ktapLines(test.tests, [`# Subtest: ${nameOf(test)}`]).map((line) => `    ${line}`)
				: test.problems.flatMap((text) => text.split('\n').map((line) => `# ${line}`))),
			result(i + 1, test),
		]),
	];
}
