// SPDX-License-Identifier: GPL-2.0-only
// The catalogue against the code as it is built.
import { expect } from 'chai';
import { FAULTS } from '#tests/bugs/catalogue.js';
import { editOf, FaultError } from '#tests/bugs/fault.js';

describe('tests_bugs', () => {
	it('has faults that all apply to the built code, each at one place', () => {
		const wrong: string[] = [];
		for (const fault of FAULTS) {
			try {
				editOf(fault);
			} catch (e) {
				if (!(e instanceof FaultError)) throw e;
				wrong.push(e.message);
			}
		}
		expect(wrong).to.deep.equal([]);
	});

	it('has at least 120 faults, with names of their own', () => {
		expect(FAULTS.length).to.be.at.least(120);
		expect(new Set(FAULTS.map(({ name }) => name)).size).to.equal(FAULTS.length);
	});
});
