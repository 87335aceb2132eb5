// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { bus_find_device_by_name } from '#drivers/base/bus.js';
import { platform_bus_type } from '#drivers/base/platform.js';
import { sunxi_sram_claim, sunxi_sram_release } from '#drivers/soc/sunxi/sunxi_sram.js';
import { start_kernel } from '#init/main.js';
import { EBUSY, EINVAL } from '#linux/errno.js';
import { testMachine } from '#tests/machine.js';

describe('sunxi_sram', () => {
	it('gives the SRAM to the video engine, which is in the tree, and to nobody else until it is released', () => {
		const writes: string[] = [];
		const machine = testMachine(readFileSync('arch/arm64/boot/dts/allwinner/sun50i-h6-orangepi-3.dtb'), {
			memSize: 0x1000_0000,
			overrides: {
				'allwinner,sun50i-h6-system-control': () => ({
					name: 'syscon',
					read: () => 0x8000_0000,
					write: (offset, _width, value) => {
						writes.push(`${offset} ${value.toString(16)}`);
					},
				}),
			},
		});
		start_kernel(machine);
		// sun4i_a10_sram_c1: bits 30:0 of register 0; the other bit stays.
		expect(writes).to.include('0 ffffffff');
		const ve = bus_find_device_by_name(platform_bus_type, null, '1c0e000.video-codec');
		expect(sunxi_sram_claim(ve)).to.equal(-EBUSY);
		sunxi_sram_release(ve);
		expect(sunxi_sram_claim(ve)).to.equal(0);
		expect(sunxi_sram_claim(null)).to.equal(-EINVAL);
	});
});
