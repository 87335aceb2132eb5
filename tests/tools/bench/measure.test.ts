// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import { duration, table } from '#tools/bench/measure.js';

describe('tools_bench_measure', () => {
	for (const [ns, text] of [
		[48.13, '48.1 ns'],
		[999, '999 ns'],
		[2941, '2.94 us'],
		[71_407_000, '71.4 ms'],
	] as const)
		it(`writes ${ns} ns as ${text}`, () => {
			expect(duration(ns)).to.equal(text);
		});

	it('puts columns below each other', () => {
		expect(
			table([
				['what', 'ns'],
				['a', '1'],
				['longer', '100'],
			]),
		).to.equal('what     ns\na         1\nlonger  100');
	});
});
