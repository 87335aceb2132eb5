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
			'2 x BUG: one at 0x1000',
			'0 passed, 2 failed',
		]);
	});

	it('sums up what was found by its headline, the most frequent first', () => {
		const stale = (at: string): string => `==\nBUG: DMASAN: stale in f()\nat ${at}\n==`;
		const outcomes = [failed('a: x', 'rare: got 1', stale('once')), failed('a: y', stale('twice'))];
		const out = lines(PlainOutput, outcomes);
		expect(out.slice(-3)).to.deep.equal(['2 x stale in f()', '1 x rare: got 1', '0 passed, 2 failed']);
		expect(out).to.include('  at once').and.not.include('  at twice');
	});

	it('tells no more than the names of the failures after the twentieth', () => {
		const out = lines(
			PlainOutput,
			Array.from({ length: 25 }, (_x, i) => failed(`a: ${i}`, 'wrong\nvery')),
		);
		expect(out.filter((line) => line.startsWith('FAILED'))).to.have.length(25);
		expect(out.slice(-9)).to.deep.equal([
			'',
			'FAILED a: 20',
			'FAILED a: 21',
			'FAILED a: 22',
			'FAILED a: 23',
			'FAILED a: 24',
			'',
			'25 x wrong',
			'0 passed, 25 failed',
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
