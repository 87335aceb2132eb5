// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import type { Machine } from '#hw/core/machine.js';
import { WARN_ON } from '#linux/bug.js';
import { BOTH, type Case } from '#tools/check/case.js';
import type { Description } from '#tools/check/description.js';
import { description } from '#tools/check/drivers/sun50i-iommu.js';
import type { Rig } from '#tools/check/rig.js';
import { type Outcome, runOne, runsOf, select } from '#tools/check/runner.js';

const plain: Description = { ...description, variants: [] };

function aCase(run: (rig: Rig) => void = () => {}, over: Partial<Case> = {}): Case {
	return { group: 'trial', says: 'it is so', blames: 'driver', run, ...over };
}

function outcome(c: Case, seed = 1): Outcome {
	return runOne(runsOf([c], plain)[0], seed);
}

describe('tools_check_runner', () => {
	it('names a run by its group and sentence, and by policy and variant where there are several', () => {
		const variant = { ...plain, name: 'B2' };
		const names = (c: Case, d = plain): string[] => runsOf([c], d).map(({ name }) => name);
		expect(names(aCase())).to.deep.equal(['trial: it is so']);
		expect(names(aCase(undefined, { policies: BOTH }))).to.deep.equal([
			'trial: it is so (pessimistic)',
			'trial: it is so (optimistic)',
		]);
		expect(names(aCase(undefined, { everyBoard: true }), { ...plain, variants: [variant] })).to.deep.equal([
			'trial: it is so',
			'trial: it is so (B2)',
		]);
	});

	it('runs a case on those variants that it meets something different of', () => {
		const variants = [
			{ ...plain, name: 'B2', groups: ['trial', 'faults'] },
			{ ...plain, name: 'B3', groups: ['faults'] },
		];
		const runs = runsOf([aCase(undefined, { everyBoard: true })], { ...plain, variants });
		expect(runs.map(({ name }) => name)).to.deep.equal(['trial: it is so', 'trial: it is so (B2)']);
	});

	it('selects the run of a name, else all that have it in theirs', () => {
		const runs = runsOf([aCase(undefined, { policies: BOTH }), aCase(undefined, { says: 'it' })], plain);
		expect(select(runs, 'trial: it').map(({ name }) => name)).to.deep.equal(['trial: it']);
		expect(select(runs, 'so (')).to.have.length(2);
		expect(select(runs, '')).to.have.length(3);
	});

	it('does not run what does not apply, and says why', () => {
		const needs = [{ lack: 'no second stage', met: () => false }];
		const c = aCase(
			() => {
				throw new Error('it ran');
			},
			{ needs },
		);
		expect(outcome(c)).to.deep.include({ lack: 'no second stage', problems: [] });
	});

	it('passes what says nothing', () => {
		expect(outcome(aCase()).problems).to.deep.equal([]);
	});

	it('fails what does not hold, with what came and what was expected', () => {
		const { problems } = outcome(aCase((rig) => rig.equal('the answer', 0x4000, 42)));
		expect(problems).to.deep.equal(['the answer: got 0x4000; expected 42']);
	});

	it('fails a case that the kernel warns in, each warning once', () => {
		const { problems } = outcome(
			aCase(() => {
				for (let i = 0; i < 3; i++) WARN_ON(true);
			}),
		);
		expect(problems).to.have.length(1);
		expect(problems[0]).to.match(/WARNING: /);
	});

	it('fails a case that the sanitiser speaks in, with the whole report', () => {
		const { problems } = outcome(
			aCase((rig) => {
				const domain = rig.attached();
				rig.map(domain, rig.page, rig.memory);
				rig.access(0, rig.page, true, true);
				rig.machine.iommu.stuck.add('flush');
				rig.unmap(domain, rig.page);
				rig.machine.iommu.stuck.clear();
			}),
		);
		expect(problems.join('\n')).to.match(/BUG: DMASAN: [\s\S]*Probably: /);
	});

	it('fails a case that expected a finding, or a warning, and got none', () => {
		const { problems } = outcome(
			aCase((rig) => {
				rig.expectFinding(/stale/);
				rig.expectWarning(/never/);
			}),
		);
		expect(problems).to.deep.equal([
			'expected a finding like /stale/, and there was none',
			'expected a warning like /never/, and there was none',
		]);
	});

	it('leaves nothing of a case that failed to the next', () => {
		outcome(aCase(() => WARN_ON(true)));
		expect(outcome(aCase()).problems).to.deep.equal([]);
	});

	it('ends a case whose interrupt never ends', () => {
		const { problems } = outcome(
			aCase((rig) => {
				// Nobody clears what the driver does not see.
				const { iommu } = rig;
				const write = iommu.write.bind(iommu);
				iommu.write = (offset, ...rest) => {
					if (offset !== 0x104) write(offset, ...rest);
				};
				rig.tries(0, rig.page);
			}),
		);
		expect(problems.join('\n')).to.match(/an interrupt storm/);
	});

	describe('cases that share a machine', () => {
		const machines: Machine[] = [];
		const shares = (run: (rig: Rig) => void = () => {}): Case =>
			aCase(
				(rig) => {
					machines.push(rig.machine);
					run(rig);
				},
				{ shares: true },
			);
		const kept = (): boolean => machines[machines.length - 1] === machines[machines.length - 2];
		beforeEach(() => {
			machines.length = 0;
			outcome(shares());
		});

		it('get the one that the case before has left', () => {
			outcome(shares());
			expect(kept()).to.equal(true);
		});

		it('get a new one behind a case that does not share, failed, was warned, or had another seed', () => {
			outcome(aCase());
			outcome(shares());
			expect(kept()).to.equal(false);
			outcome(shares(() => expect.fail('no')));
			outcome(shares());
			expect(kept()).to.equal(false);
			outcome(
				shares((rig) => {
					rig.expectWarning(/WARNING/);
					WARN_ON(true);
				}),
			);
			outcome(shares());
			expect(kept()).to.equal(false);
			outcome(shares(), 2);
			expect(kept()).to.equal(false);
		});

		it('fail alone, too, or say that they fail behind others only', () => {
			const { problems } = outcome(shares(() => expect.fail('never')));
			expect(problems).to.deep.equal(['never']);
			expect(kept()).to.equal(false);
			outcome(shares());
			const behind = outcome(shares(() => expect(kept()).to.equal(false, 'nobody was here')));
			expect(behind.problems).to.have.length(1);
			expect(behind.problems[0]).to.match(/and not alone:\nnobody was here/);
		});
	});

	it('boots no machine for a case that boots others, before it asks', () => {
		const booted: boolean[] = [];
		const look = (rig: Rig): void => {
			booted.push(rig.isBooted);
		};
		outcome(aCase(look));
		outcome(aCase(look, { elsewhere: true }));
		const { problems } = outcome(
			aCase(
				(rig) => {
					look(rig);
					expect(rig.board('direct').device('m3')).to.not.equal(undefined);
					look(rig);
					expect(rig.machine.iommus).to.not.deep.equal([]);
					look(rig);
				},
				{ elsewhere: true },
			),
		);
		expect(problems).to.deep.equal([]);
		expect(booted).to.deep.equal([true, false, false, false, true]);
	});

	it('is the same for the same seed, and another for another', () => {
		const numbers: number[][] = [];
		const c = aCase((rig) => numbers.push([rig.pick(1e6), rig.pick(1e6)]));
		for (const seed of [1, 1, 2]) outcome(c, seed);
		expect(numbers[0]).to.deep.equal(numbers[1]);
		expect(numbers[0]).to.not.deep.equal(numbers[2]);
	});
});
