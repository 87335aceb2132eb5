// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import { KtapOutput, PlainOutput } from '#tools/check/output.js';
import type { Outcome } from '#tools/check/runner.js';

const again = (name: string): string => `make check ONLY='${name}'`;
const passed = (name: string): Outcome => ({ name, blames: 'driver', lack: null, problems: [] });
const lacking = (name: string, lack: string): Outcome => ({ name, blames: 'driver', lack, problems: [] });
const failed = (name: string, ...problems: string[]): Outcome => ({
	name,
	blames: 'core',
	lack: null,
	problems,
});

function lines(kind: typeof PlainOutput | typeof KtapOutput, outcomes: readonly Outcome[]): string[] {
	const out: string[] = [];
	const output = new kind((line) => out.push(line), again);
	for (const outcome of outcomes) output.done(outcome);
	output.end();
	return out;
}

describe('tools_check_output', () => {
	it('ends with what passed, and what did not apply by its reasons', () => {
		expect(lines(PlainOutput, [passed('a: x'), lacking('a: y', 'no second stage')])).to.deep.equal([
			'1 passed, 1 not applicable: no second stage',
		]);
		const several = [lacking('a: x', 'no bypass'), lacking('a: y', 'no queue'), lacking('a: z', 'no queue')];
		expect(lines(PlainOutput, several)).to.deep.equal([
			'0 passed, 3 not applicable: no bypass (1), no queue (2)',
		]);
	});

	it('shows each report once, with who is to blame and what repeats the case alone', () => {
		const report = '==\nBUG: one at 0x1000\nProbably: this\n==';
		expect(
			lines(PlainOutput, [failed('a: x', report), failed('b: y', report.replace('0x1000', '0x2000'))]),
		).to.deep.equal([
			'FAILED a: x',
			'  BUG: one at 0x1000',
			'  Probably: this',
			"  to blame: the core; once more: make check ONLY='a: x'",
			'',
			'FAILED b: y',
			'  BUG: one at 0x2000 (as in "a: x")',
			"  to blame: the core; once more: make check ONLY='b: y'",
			'',
			'0 passed, 2 failed',
		]);
	});

	it('writes KTAP: a subtest for each group, its plan first, diagnostics before their result', () => {
		const outcomes = [passed('a: x'), failed('a: y # z', 'wrong\nvery'), lacking('b: u', 'no second stage')];
		expect(lines(KtapOutput, outcomes)).to.deep.equal([
			'KTAP version 1',
			'1..2',
			'    KTAP version 1',
			'    # Subtest: a',
			'    1..2',
			'    ok 1 x',
			'    # wrong',
			'    # very',
			"    # to blame: the core; once more: make check ONLY='a: y # z'",
			'    not ok 2 y  z',
			'not ok 1 a',
			'    KTAP version 1',
			'    # Subtest: b',
			'    1..1',
			'    ok 1 u # SKIP no second stage',
			'ok 2 b # SKIP',
		]);
	});
});
