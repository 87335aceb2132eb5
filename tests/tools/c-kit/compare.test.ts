// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import { compareRuns, type Expected, reportOf } from '#tools/c-kit/compare.js';
import { parseScript, readRun, type Step } from '#tools/c-kit/run.js';

const TABLES = /^(W50=)(\w+)$/;

function step(command: string, accesses: string, messages: string[] = [], answer = '0'): Step {
	return { place: `x ${command}`, command, answer, accesses: accesses.split(' '), messages };
}

const differences = (a: Step[], b: Step[], known: Expected[] = []): number =>
	compareRuns(a, b, TABLES, known).differences.length;

describe('c-kit: two runs', () => {
	it('are equal when only the addresses of tables differ', () => {
		expect(differences([step('mp', 'W50=1000 W20=1')], [step('mp', 'W50=8000 W20=1')])).to.equal(0);
	});

	it('differ when one goes back to a table and the other does not', () => {
		const run = (last: string): Step[] => [
			step('att', 'W50=1'),
			step('att', 'W50=2'),
			step('att', `W50=${last}`),
		];
		expect(differences(run('1'), run('2'))).to.equal(1);
	});

	it('may differ in which table is a new one where tables are made', () => {
		expect(differences([step('fresh', 'W50=1 W50=2')], [step('fresh', 'W50=1 W50=1')])).to.equal(0);
	});

	it('differ in a value, an answer, a message', () => {
		expect(differences([step('mp', 'W20=1')], [step('mp', 'W20=0')])).to.equal(1);
		expect(differences([step('mp', 'W20=1', [], '0')], [step('mp', 'W20=1', [], '"-EINVAL"')])).to.equal(1);
		expect(differences([step('mp', 'W20=1', ['a'])], [step('mp', 'W20=1', ['b'])])).to.equal(1);
	});

	it('may poll as often as they like, from three times on', () => {
		expect(
			differences([step('mp', 'W20=1 R4=0 R4=0 R4=0')], [step('mp', 'W20=1 R4=0 R4=0 R4=0 R4=0')]),
		).to.equal(0);
		expect(differences([step('mp', 'W20=1 R4=0')], [step('mp', 'W20=1 R4=0 R4=0')])).to.equal(1);
	});

	it('may differ as it is known, and no further', () => {
		const known: Expected[] = [{ id: 'k', where: 'accesses', a: 'W8=5 W18=(\\w+)', b: 'W18=$1 W8=5' }];
		expect(differences([step('irq', 'W8=5 W18=3')], [step('irq', 'W18=3 W8=5')], known)).to.equal(0);
		expect(differences([step('irq', 'W8=5 W18=3')], [step('irq', 'W18=3 W8=5 W20=1')], known)).to.equal(1);
	});

	it('end in a line that says how much was compared', () => {
		const run = [step('mp', 'W20=1 R4=0')];
		expect(reportOf('d', compareRuns(run, run, TABLES, []))).to.deep.equal([
			'd: equal, 1 steps, 2 register accesses',
		]);
	});
});

describe('c-kit: a run', () => {
	const script = parseScript('01-x.ops', '# comment\nbegin 1\nnop\nmp 0 1\n');
	const text = (last: string): string =>
		`@@FILE 01-x.ops\n1\t0\t\n${last}@@END 01-x.ops\n@@FILE dmesg\n[ 1.0] KIT-STEP 1.1\n[ 1.1] hello\n[ 1.2] KIT-STEP 1.2\n@@END dmesg\n`;

	it('has each step with its accesses and its messages', () => {
		const steps = readRun([script], text('2\t{"b":1,"a":2}\tW20=1 R4=0\n'), 'here');
		expect(steps[0]).to.deep.include({ command: 'nop', accesses: [], messages: ['hello'] });
		expect(steps[1]).to.deep.include({ answer: '{"a":2,"b":1}', accesses: ['W20=1', 'R4=0'], messages: [] });
	});

	it('that lacks a step is none', () => {
		expect(() => readRun([script], text(''), 'here')).to.throw('here: 01-x step 2 (mp 0 1) is not there');
	});
});
