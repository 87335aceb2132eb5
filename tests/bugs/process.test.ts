// SPDX-License-Identifier: GPL-2.0-only
// A process with a fault, and what is heard of it. `make bugs` runs the whole catalogue; here are a few, and few cases.
import { expect } from 'chai';
import { FAULTS } from '#tests/bugs/catalogue.js';
import type { Fault } from '#tests/bugs/fault.js';
import { run } from '#tests/bugs/process.js';
import { gradeOf, type Seen } from '#tests/bugs/seen.js';

function faultOf(name: string): Fault {
	const fault = FAULTS.find((one) => one.name === name);
	if (fault === undefined) throw new Error(`no fault ${name}`);
	return fault;
}

/** The first that is seen as the wrong operation returns, of a driver with @name or without a fault. */
async function seenOf(name: string | null, driver: string, only: string): Promise<Seen | undefined> {
	const fault = name === null ? null : faultOf(name);
	const wanted = (seen: Seen): boolean => (fault === null ? true : gradeOf(fault, seen) === 'return');
	const { seen, cases } = await run(
		{ fault, drivers: [driver], files: [], only, seed: 1 },
		new Set(),
		wanted,
	);
	if (fault === null) expect(cases).to.be.above(0);
	return seen.find(wanted);
}

describe('tests_bugs_process', () => {
	it('says nothing of the code as it is', async () => {
		expect(await seenOf(null, 'sun50i-iommu', 'mapping: ')).to.equal(undefined);
	});

	for (const [name, driver, invariant] of [
		['sun50i/map-not-cleaned', 'sun50i-iommu', 'INV-CLEAN'],
		['rockchip/unmap-without-zap', 'rockchip-iommu', 'INV-TLB-UNMAP'],
		['edu/sync-not-waited-for', 'edu-iommu', 'INV-TLB-UNMAP'],
	] as const) {
		it(`hears of ${name} as the operation returns`, async () => {
			const seen = await seenOf(name, driver, 'mapping: ');
			expect(seen).to.include({ channel: 'finding', invariant, moment: 'return' });
			expect(seen?.time).to.be.above(0);
		});
	}
});
