// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import { device_attach, device_release_driver } from '#drivers/base/dd.js';
import { iommu_group_get, iommu_group_put } from '#drivers/iommu/iommu.js';
import { to_platform_driver } from '#linux/device/platform.js';
import { pm_runtime_get_noresume, pm_runtime_put_noidle } from '#linux/pm_runtime.js';
import { H6 } from '#tests/drivers/iommu/h6.js';
import { expectFinding } from '#tests/setup.js';
import { actionOf } from './handlers.js';

describe('resources', () => {
	it('reports a group that has more references than members', () => {
		const rig = new H6();
		expect(rig.findings()).to.equal('');
		const group = iommu_group_get(rig.device(0))!;
		expectFinding(/group-out-of-step[\s\S]*it has 8 references, and 6 devices and its IOMMU hold one each/);
		rig.dmasan.quiet('the get');
		iommu_group_put(group);
	});

	it('reports what a driver leaves when it goes from its device', () => {
		const rig = new H6();
		const dev = rig.device(2);
		const driver = to_platform_driver(dev.driver!);
		device_release_driver(dev);
		expect(rig.findings()).to.equal('');
		const { probe } = driver;
		driver.probe = (pdev) => {
			pm_runtime_get_noresume(pdev.dev);
			return probe!(pdev);
		};
		device_attach(dev);
		expectFinding(/left-by-driver[\s\S]*its runtime-PM usage count is 1; before the driver came it was 0/);
		device_release_driver(dev);
		pm_runtime_put_noidle(dev);
	});

	it('reports an interrupt that it has not freed', () => {
		const rig = new H6();
		const dev = rig.device(2);
		expectFinding(
			/left-by-driver[\s\S]*its interrupts that are requested is 1; before the driver came it was 0/,
		);
		// As if the one that is requested were its.
		actionOf(rig.machine, '30f0000.iommu').name = 'm2';
		device_release_driver(dev);
	});
});
