// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import { bus_find_device_by_name } from '#drivers/base/bus.js';
import { platform_bus_type } from '#drivers/base/platform.js';
import {
	pm_clk_add_clk,
	pm_clk_create,
	pm_clk_destroy,
	pm_clk_resume,
	pm_clk_suspend,
} from '#drivers/base/power/clock_ops.js';
import { type clk, of_clk_get } from '#drivers/clk/clk.js';
import type { device } from '#linux/device.js';
import { EINVAL, ENOMEM } from '#linux/errno.js';
import { slab_fault } from '#mm/failslab.js';
import { bootMachine } from '#tests/boot.js';
import { leakCheck } from '#tests/leaks.js';

/** A device that is in no PM domain, and a clock of another one's. */
function setup(): { dev: device; clock: () => clk } {
	bootMachine('rk3399-iommus');
	const find = (name: string): device => bus_find_device_by_name(platform_bus_type, null, name)!;
	const vop = find('ff900000.vop');
	return {
		dev: find('ff310000.power-management'),
		clock: () => of_clk_get(vop.of_node, 1) as clk,
	};
}

describe('drivers_base_power_clock_ops', () => {
	it('has the clocks of a device run while it is up, and leaves none behind', () => {
		const { dev, clock } = setup();
		const left = leakCheck();
		expect(pm_clk_create(dev)).to.equal(0);
		const dclk = clock();
		const { core } = dclk;
		const counts = (): number[] => [core!.prepare_count, core!.enable_count];
		const before = counts();
		expect(pm_clk_add_clk(dev, dclk)).to.equal(0);
		expect(counts()).to.deep.equal([before[0]! + 1, before[1]]);
		for (let twice = 0; twice < 2; twice++) {
			expect(pm_clk_resume(dev)).to.equal(0);
			expect(pm_clk_resume(dev)).to.equal(0);
			expect(core!.enable_count).to.equal(before[1]! + 1);
			expect(pm_clk_suspend(dev)).to.equal(0);
			expect(pm_clk_suspend(dev)).to.equal(0);
			expect(core!.enable_count).to.equal(before[1]);
		}
		pm_clk_resume(dev);
		pm_clk_destroy(dev);
		expect(counts()).to.deep.equal(before);
		expect(dev.power.subsys_data).to.equal(null);
		expect(left()).to.deep.equal([]);
	});

	it('of a device without a list has nothing to do, and nowhere to put a clock', () => {
		const { dev, clock } = setup();
		expect([pm_clk_resume(dev), pm_clk_suspend(dev)]).to.deep.equal([0, 0]);
		expect(pm_clk_add_clk(dev, clock())).to.equal(-EINVAL);
		pm_clk_destroy(dev);
	});

	it('says that there is no memory', () => {
		const { dev } = setup();
		slab_fault.nth = 1;
		expect(pm_clk_create(dev)).to.equal(-ENOMEM);
		slab_fault.nth = 0;
		expect(dev.power.subsys_data).to.equal(null);
	});
});
