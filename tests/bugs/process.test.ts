// SPDX-License-Identifier: GPL-2.0-only
// A process with a fault, and what is heard of it. `make bugs` runs the whole catalogue; here are a few, and few cases.
import { expect } from 'chai';
import { FAULTS } from '#tests/bugs/catalogue.js';
import type { Fault } from '#tests/bugs/fault.js';
import { type Result, run } from '#tests/bugs/process.js';
import { gradeOf, type Seen } from '#tests/bugs/seen.js';

function faultOf(name: string): Fault {
	const fault = FAULTS.find((one) => one.name === name);
	if (fault === undefined) throw new Error(`no fault ${name}`);
	return fault;
}

const CASE = 'mapping: a page that is mapped leads to its memory, for the driver and for the walker';

/** All that is heard of the fault @name, or of none, in one case of @driver. */
function hear(name: string | null, driver: string, enough: (seen: Seen) => boolean): Promise<Result> {
	const fault = name === null ? null : faultOf(name);
	const job = { fault, drivers: [driver], files: [], cases: [`${driver}: ${CASE}`], seed: 1 };
	return run(job, new Set(), enough);
}

describe('tests_bugs_process', () => {
	it('says nothing of the code as it is, and which faults a case comes to', async () => {
		const { seen, cases, reached } = await hear(null, 'sun50i-iommu', () => false);
		expect(seen).to.deep.equal([]);
		expect(cases).to.equal(1);
		expect([...reached.keys()]).to.include('sun50i/map-not-cleaned');
		expect([...reached.keys()]).to.not.include('sun50i/race-loser-frees-nothing');
	});

	for (const [name, driver, invariant] of [
		['sun50i/map-not-cleaned', 'sun50i-iommu', 'INV-CLEAN'],
		['rockchip/unmap-without-zap', 'rockchip-iommu', 'INV-TLB-UNMAP'],
		['edu/map-not-invalidated', 'edu-iommu', 'INV-PTW'],
	] as const) {
		it(`hears of ${name} as the operation returns`, async () => {
			const { seen } = await hear(name, driver, (one) => gradeOf(faultOf(name), one) === 'return');
			expect(seen.at(-1)).to.include({ channel: 'finding', invariant, moment: 'return' });
			expect(seen.at(-1)?.time).to.be.above(0);
		});
	}
});
