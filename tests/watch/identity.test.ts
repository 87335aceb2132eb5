// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import { writel } from '#linux/io.js';
import { BUFFER, H6 } from '#tests/drivers/iommu/h6.js';
import { h6, IOMMU } from '#tests/hw/h6.js';
import { sanitiserOf } from '#tests/sanitiser.js';
import { expectFinding } from '#tests/setup.js';

describe('identity', () => {
	it('counts what passes before there is a domain, and finds nothing in it', () => {
		const rig = new H6();
		expect(rig.dmasan.exposures.get('EXP-BYPASS')).to.equal(undefined);
		writel(0x3f, IOMMU + 0x030);
		expectFinding(
			/untranslated-access in read by m3 at 0x48000000\nINV-PWR[\s\S]*30f0000\.iommu is "bypass" for stream 3/,
		);
		// The tables have nothing there.
		expectFinding(/INV-LIVE-MAP/);
		rig.reads(3, BUFFER);
		expect(rig.dmasan.exposures.get('EXP-BYPASS')).to.equal(1);
	});

	it('counts what passes by a machine whose kernel has no domain', () => {
		const machine = h6();
		expect(sanitiserOf(machine).exposures.size).to.equal(0);
	});

	it("counts accesses under a number that is not the device's", () => {
		const rig = new H6();
		const { port } = rig.masters.model('m3');
		rig.dmasan.exposing = true;
		expectFinding(/foreign-stream[\s\S]*m3 uses stream 5; the kernel knows it by 3/);
		Object.assign(port, { stream: 5 });
		rig.reads(3, 0x1000);
	});
});
