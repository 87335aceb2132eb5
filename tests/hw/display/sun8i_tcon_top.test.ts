// SPDX-License-Identifier: GPL-2.0-only
// Linux 6.12: drivers/gpu/drm/sun4i/sun8i_tcon_top.c sets its registers with the bus clock on, and no more.
import { expect } from 'chai';
import type { Machine } from '#hw/core/machine.js';
import { CCU, h6 } from '#tests/hw/h6.js';
import { expectFinding } from '#tests/setup.js';

const TOP = 0x6510000;
const GATE_SRC = TOP + 0x20;
/** Linux 6.12, ccu-sun50i-h6.c: CLK_BUS_TCON_TOP with RST_BUS_TCON_TOP, and CLK_TCON_TV0. */
const BUS = CCU + 0xb5c;
const TV0 = CCU + 0xb80;

function top(): Machine {
	return h6(
		{},
		{
			'tcon-top@6510000': {
				compatible: 'allwinner,sun50i-h6-tcon-top',
				reg: [TOP, 0x1000],
				clocks: [2, 127, 2, 130],
				'clock-names': ['bus', 'tcon-tv0'],
				resets: [2, 58],
			},
		},
	);
}

describe('sun8i_tcon_top', () => {
	it("answers with the bus clock alone: the channel's clock only runs through a gate of its", () => {
		const machine = top();
		machine.mmio_write(BUS, 4, 0x10001);
		expect(machine.mmio_read(TV0, 4) >>> 31).to.equal(0);
		machine.mmio_write(GATE_SRC, 4, 0x1000_0000);
		expect(machine.mmio_read(GATE_SRC, 4)).to.equal(0x1000_0000);
	});

	it("does not answer without the bus clock, whatever the channel's does", () => {
		expectFinding(/unpowered-access in 6510000\.tcon-top\n[\s\S]*BUS_TCON_TOP/);
		const machine = top();
		machine.mmio_write(TV0, 4, 0x8000_0000);
		machine.mmio_write(BUS, 4, 0x10000);
		machine.mmio_write(GATE_SRC, 4, 0x1000_0000);
		machine.mmio_write(BUS, 4, 0x10001);
		expect(machine.mmio_read(GATE_SRC, 4)).to.equal(0);
	});
});
