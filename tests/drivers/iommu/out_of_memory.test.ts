// SPDX-License-Identifier: GPL-2.0-only
// No memory to put a device behind its IOMMU: then it waits outside, and does not go past.
import { expect } from 'chai';
import { bus_find_device_by_name } from '#drivers/base/bus.js';
import { put_device } from '#drivers/base/core.js';
import { platform_bus_type } from '#drivers/base/platform.js';
import { sysfs_write } from '#fs/sysfs/user.js';
import { panic_state } from '#kernel/panic.js';
import type { device } from '#linux/device.js';
import { slab_fault } from '#mm/failslab.js';
import { bootMachine } from '#tests/boot.js';

const MIXER = '1100000.mixer';

/** Boot with the @nth allocation of a @name failing; the log. */
function bootWithout(name: string, nth = 1): string[] {
	const lines: string[] = [];
	bootMachine('sun50i-h6-orangepi-3', {
		memSize: 0x800_0000,
		onConsole: (_level, line) => {
			lines.push(line.slice(15));
			if (!line.includes('Linux version')) return;
			slab_fault.name = name;
			slab_fault.nth = nth;
		},
	});
	return lines;
}

function platformDevice(name: string): device {
	const dev = bus_find_device_by_name(platform_bus_type, null, name)!;
	put_device(dev);
	return dev;
}

describe('out_of_memory', () => {
	for (const name of [
		'dev_iommu',
		'iommu_fwspec',
		'iommu_group',
		'group_device',
		'sun50i_iommu_domain',
		'iommu_dma_cookie',
	])
		it(`does not bind a device that has no ${name}, says so, and binds it when there is memory`, () => {
			const log = bootWithout(name);
			expect(slab_fault.failed).to.equal(1);
			expect(platformDevice(MIXER).driver).to.equal(null);
			expect(log).to.include(`sun8i-mixer ${MIXER}: iommu configuration for device failed with -ENOMEM`);
			expect(sysfs_write('/sys/bus/platform/drivers_probe', MIXER)).to.be.above(0);
			for (const dev of [MIXER, 'display-engine', '1c0e000.video-codec']) {
				expect(platformDevice(dev).driver, dev).to.not.equal(null);
				expect(platformDevice(dev).iommu_group, dev).to.not.equal(null);
			}
			expect(panic_state.warnings).to.deep.equal([]);
		});

	for (const cache of ['iova', 'iova_magazine'])
		it(`makes the cache of ${cache} when it is needed, if that failed at boot, and says what failed`, () => {
			const said = `__kmem_cache_create_args(${cache}) failed with error -12`;
			for (let nth = 1; ; nth++) {
				const log = bootWithout('kmem_cache', nth);
				expect(slab_fault.failed).to.equal(1);
				if (!log.includes(said)) continue;
				expect(log[log.indexOf(said) + 3]).to.equal('Call trace:');
				break;
			}
			expect(platformDevice(MIXER).iommu_group).to.not.equal(null);
		});

	it('counts the device that joins its group with its driver bound, so that all can leave and come back', () => {
		bootWithout('nothing');
		const bindings = ['sun4i-drm/display-engine', 'cedrus/1c0e000.video-codec', `sun8i-mixer/${MIXER}`];
		for (let round = 0; round < 2; round++)
			for (const file of ['unbind', 'bind'])
				for (const binding of bindings) {
					const [driver, name] = binding.split('/') as [string, string];
					expect(sysfs_write(`/sys/bus/platform/drivers/${driver}/${file}`, name), binding).to.be.above(0);
				}
		expect(panic_state.warnings).to.deep.equal([]);
	});
});
