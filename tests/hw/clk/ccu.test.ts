// SPDX-License-Identifier: GPL-2.0-only
// Places: drivers/clk/sunxi-ng/ccu-sun50i-h6.c.
// Numbers: include/dt-bindings/{clock,reset}/sun50i-h6-ccu.h.
import { expect } from 'chai';
import { Ccu } from '#hw/clk/ccu.js';
import { CCU_DE3, CCU_H6, CCU_H6_R, CCU_H616, CCU_H616_R } from '#hw/clk/ccu-tables.js';
import { ResetSimple } from '#hw/clk/reset-simple.js';

const CLK_PLL_VIDEO0 = 10;
const CLK_VE = 37;
const CLK_BUS_IOMMU = 51;
const RST_BUS_IOMMU = 15;

function setup() {
	let changes = 0;
	const ccu = new Ccu('3001000.clock', CCU_H6, () => changes++);
	return { ccu, changes: () => changes };
}

describe('ccu', () => {
	it('has the gate of the IOMMU off and its reset asserted at power-on', () => {
		const { ccu } = setup();
		expect(ccu.clockState([CLK_BUS_IOMMU])).to.deep.equal({
			running: false,
			name: 'clock BUS_IOMMU (0x7bc bit 0)',
		});
		expect(ccu.resetState([RST_BUS_IOMMU])).to.deep.equal({
			released: false,
			name: 'reset RST_BUS_IOMMU (0x7bc bit 16)',
		});
	});

	it('turns clock and reset on by their bits', () => {
		const { ccu } = setup();
		ccu.write(0x7bc, 4, 0x1);
		expect(ccu.clockState([CLK_BUS_IOMMU]).running).to.equal(true);
		expect(ccu.resetState([RST_BUS_IOMMU]).released).to.equal(false);
		ccu.write(0x7bc, 4, 0x10001);
		expect(ccu.resetState([RST_BUS_IOMMU]).released).to.equal(true);
		ccu.write(0x690, 4, 0x80000000);
		expect(ccu.clockState([CLK_VE]).running).to.equal(true);
	});

	it('has the clocks that the boot loader needs on at power-on', () => {
		const { ccu } = setup();
		for (const clock of [1, 2, 3, 28])
			expect(ccu.clockState([clock]).running, `clock ${clock}`).to.equal(true);
	});

	it('reads a PLL as locked as soon as it is enabled', () => {
		const { ccu } = setup();
		expect(ccu.read(0x040, 4)).to.equal(0);
		ccu.write(0x040, 4, 0x80002301);
		expect(ccu.read(0x040, 4)).to.equal(0x90002301);
		expect(ccu.clockState([CLK_PLL_VIDEO0]).running).to.equal(true);
	});

	it('holds what is written to dividers and multiplexers', () => {
		const { ccu } = setup();
		ccu.write(0x510, 4, 0x03000102);
		expect(ccu.read(0x510, 4)).to.equal(0x03000102);
		expect(ccu.read(0x514, 4)).to.equal(0);
	});

	it('takes a clock without a gate as running', () => {
		expect(setup().ccu.clockState([26]).running).to.equal(true);
	});

	it('tells when a gate may have changed, and when a reset is asserted', () => {
		const { ccu, changes } = setup();
		let asserted = 0;
		ccu.onAssert([RST_BUS_IOMMU], () => asserted++);
		ccu.write(0x7bc, 4, 0x10001);
		expect(changes()).to.equal(1);
		expect(asserted).to.equal(0);
		ccu.write(0x7bc, 4, 0x10000);
		expect(asserted).to.equal(0);
		ccu.write(0x7bc, 4, 0);
		ccu.write(0x7bc, 4, 0);
		expect(asserted).to.equal(1);
	});

	it('names register and bits in a trace', () => {
		expect(setup().ccu.registers.describe(0x7bc, 0x10001)).to.equal(
			'BUS_IOMMU_0x7bc (0x7bc) = 0x10001 [BUS_IOMMU=0x1 RST_BUS_IOMMU=0x1]',
		);
	});

	for (const [name, table] of Object.entries({ CCU_H6, CCU_H616, CCU_H6_R, CCU_H616_R, CCU_DE3 }))
		it(`gives every clock and reset of ${name} a number and a bit of its own`, () => {
			const bits = new Set<string>();
			for (const places of [table.clocks, table.resets]) {
				const ids = new Set(places.map(([id]) => id));
				expect(ids.size).to.equal(places.length);
				for (const [, , offset, bit] of places) bits.add(`${offset}.${bit}`);
			}
			expect(bits.size).to.equal(table.clocks.length + table.resets.length);
			expect(() => new Ccu('x', table, () => {})).not.to.throw();
		});
});

describe('reset_simple', () => {
	it('holds all lines in reset at power-on, and releases them by ones', () => {
		const bank = new ResetSimple('rst', 0x1000, () => {});
		expect(bank.resetState([7]).released).to.equal(false);
		bank.write(0, 4, 0x80);
		expect(bank.resetState([7])).to.deep.equal({ released: true, name: 'reset 7 of rst' });
		expect(bank.read(0, 4)).to.equal(0x80);
	});

	it('tells each line of its assertion, in any word', () => {
		const bank = new ResetSimple('rst', 0x1000, () => {});
		const asserted: number[] = [];
		for (const id of [7, 39]) bank.onAssert([id], () => asserted.push(id));
		bank.write(0, 4, 0xff);
		bank.write(4, 4, 0xff);
		bank.write(0, 4, 0x7f);
		bank.write(4, 4, 0x7f);
		expect(asserted).to.deep.equal([7, 39]);
	});
});
