// SPDX-License-Identifier: GPL-2.0-only
// Several clocks at once: all of them, or none.
import { expect } from 'chai';
import { bus_find_device_by_name } from '#drivers/base/bus.js';
import { platform_bus_type } from '#drivers/base/platform.js';
import { clk_bulk_data } from '#drivers/clk/clk.js';
import {
	clk_bulk_disable_unprepare,
	clk_bulk_enable,
	clk_bulk_get,
	clk_bulk_get_optional,
	clk_bulk_prepare_enable,
	clk_bulk_put,
} from '#drivers/clk/clk-bulk.js';
import type { device } from '#linux/device.js';
import { ENOENT, ESHUTDOWN } from '#linux/errno.js';
import { bootMachine } from '#tests/boot.js';
import { leakCheck } from '#tests/leaks.js';
import { expectWarning } from '#tests/setup.js';

/** A device with the clocks "aclk" and "iface", both the oscillator; its driver holds them prepared. */
function board(): device {
	bootMachine('rk-v1');
	return bus_find_device_by_name(platform_bus_type, null, 'e8000000.iommu')!;
}

function named(...ids: string[]): clk_bulk_data[] {
	return ids.map((id) => Object.assign(new clk_bulk_data(), { id }));
}

describe('drivers_clk_clk_bulk', () => {
	it('are all got, switched on and off together, and given back', () => {
		const dev = board();
		const left = leakCheck();
		const clks = named('aclk', 'iface');
		expect(clk_bulk_get(dev, 2, clks)).to.equal(0);
		const { core } = clks[0]!.clk!;
		expect(clk_bulk_prepare_enable(2, clks)).to.equal(0);
		expect(core!.enable_count).to.equal(2);
		clk_bulk_disable_unprepare(2, clks);
		expect(core!.enable_count).to.equal(0);
		clk_bulk_put(2, clks);
		expect(clks.map((c) => c.clk)).to.deep.equal([null, null]);
		expect(left()).to.deep.equal([]);
	});

	it('are none when one is missing, unless that is allowed', () => {
		const dev = board();
		const left = leakCheck();
		const clks = named('aclk', 'nothing');
		expect(clk_bulk_get(dev, 2, clks)).to.equal(-ENOENT);
		expect(left()).to.deep.equal([]);
		expect(clk_bulk_get_optional(dev, 2, clks)).to.equal(0);
		expect(clks[1]!.clk).to.equal(null);
		expect(clk_bulk_prepare_enable(2, clks)).to.equal(0);
		clk_bulk_disable_unprepare(2, clks);
		clk_bulk_put(2, clks);
	});

	it('are off again when one cannot be enabled', () => {
		const dev = board();
		const clks = named('aclk', 'iface');
		clk_bulk_get(dev, 2, clks);
		const core = clks[0]!.clk!.core!;
		core.prepare_count = 0;
		expectWarning(/Enabling unprepared/);
		expect(clk_bulk_enable(2, clks)).to.equal(-ESHUTDOWN);
		expect(core.enable_count).to.equal(0);
	});
});
