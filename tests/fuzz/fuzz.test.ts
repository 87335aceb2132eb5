// SPDX-License-Identifier: GPL-2.0-only
// How fuzzers are run.
import { expect } from 'chai';
import { runSteps } from '#tests/fuzz/fuzz.js';

describe('tests_fuzz', () => {
	it('names the seed that repeats a failure in one step', () => {
		const sometimes = {
			name: 'sometimes',
			step(random: () => number) {
				if (random() < 0.05) throw new Error('fell over');
			},
		};
		let message = '';
		try {
			runSteps(sometimes, 1000, 500);
		} catch (e) {
			({ message } = e as Error);
		}
		expect(message).to.match(/^sometimes, seed \d+: fell over$/);
		const seed = Number(/\d+/.exec(message)?.[0]);
		expect(() => runSteps(sometimes, seed, 1)).to.throw(message);
	});

	it('gives each step the same numbers again', () => {
		const numbers = (): number[] => {
			const seen: number[] = [];
			runSteps({ name: 'numbers', step: (random) => void seen.push(random(), random()) }, 7, 3);
			return seen;
		};
		expect(numbers()).to.deep.equal(numbers());
		expect(new Set(numbers()).size).to.equal(6);
	});
});
