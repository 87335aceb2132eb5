// SPDX-License-Identifier: GPL-2.0-only
// Places: drivers/clk/rockchip/clk-rk3399.c, clk-rk3568.c. Numbers: include/dt-bindings/clock/rk3399-cru.h.
import { expect } from 'chai';
import { RockchipCru } from '#hw/clk/rockchip-cru.js';
import {
	CRU_RK3399,
	CRU_RK3568,
	type CruTable,
	PMUCRU_RK3399,
	PMUCRU_RK3568,
} from '#hw/clk/rockchip-cru-tables.js';

const ACLK_VOP0 = 217;
const HCLK_VOP0 = 473;
const DCLK_VOP0 = 180;
const SRST_A_VOP0 = 274;
const CLKGATE_CON28 = 0x300 + 4 * 28;
const CLKGATE_CON10 = 0x300 + 4 * 10;
const SOFTRST_CON17 = 0x400 + 4 * 17;
const BIT3 = 1 << 3;

function setup(table: CruTable = CRU_RK3399) {
	let changes = 0;
	const cru = new RockchipCru('ff760000.clock-controller', table, () => changes++);
	return { cru, runs: (id: number) => cru.clockState([id]).running, changes: () => changes };
}

describe('rockchip_cru', () => {
	it('has every clock run and every reset released at power-on', () => {
		const { cru } = setup();
		for (const [id] of CRU_RK3399.gates) expect(cru.clockState([id]).running, `clock ${id}`).to.equal(true);
		expect(cru.resetState([SRST_A_VOP0])).to.deep.equal({
			released: true,
			name: 'reset 274 (0x444 bit 2)',
		});
	});

	it('stops a clock by its bit, says which, and lets it run again', () => {
		const { cru, runs, changes } = setup();
		cru.write(CLKGATE_CON28, 4, (BIT3 << 16) | BIT3);
		expect(cru.clockState([ACLK_VOP0])).to.deep.equal({
			running: false,
			name: 'clock aclk_vop0 (CLKGATE_CON28 bit 3)',
		});
		expect(runs(HCLK_VOP0)).to.equal(true);
		cru.write(CLKGATE_CON28, 4, BIT3 << 16);
		expect(runs(ACLK_VOP0)).to.equal(true);
		expect(changes()).to.equal(2);
	});

	it('changes only the bits that the upper half of a word names, and reads that half as zero', () => {
		const { cru, runs } = setup();
		cru.write(CLKGATE_CON28, 4, BIT3);
		expect(runs(ACLK_VOP0)).to.equal(true);
		cru.write(CLKGATE_CON28, 4, 0xffff_0008);
		cru.write(CLKGATE_CON28, 4, 0x0001_0001);
		expect(cru.read(CLKGATE_CON28, 4)).to.equal(0x9);
	});

	it('stops with a clock what hangs on it', () => {
		const { cru, runs } = setup();
		cru.write(CLKGATE_CON10, 4, 0x0100_0100);
		expect([runs(ACLK_VOP0), runs(HCLK_VOP0), runs(DCLK_VOP0)]).to.deep.equal([false, false, true]);
		cru.write(CLKGATE_CON10, 4, 0x1000_1000);
		expect(runs(DCLK_VOP0)).to.equal(false);
	});

	it('tells who waits for it that a reset is asserted, once for each time', () => {
		const { cru } = setup();
		let asserted = 0;
		cru.onAssert([SRST_A_VOP0], () => asserted++);
		cru.write(SOFTRST_CON17, 4, 0x0008_0008);
		expect(asserted).to.equal(0);
		cru.write(SOFTRST_CON17, 4, 0x0004_0004);
		cru.write(SOFTRST_CON17, 4, 0x0004_0004);
		expect(asserted).to.equal(1);
		expect(cru.resetState([SRST_A_VOP0]).released).to.equal(false);
		cru.write(SOFTRST_CON17, 4, 0x0004_0000);
		expect(cru.resetState([SRST_A_VOP0]).released).to.equal(true);
	});

	it('has a clock run that is not in its table, and a reset released that it has not', () => {
		const { cru } = setup(PMUCRU_RK3568);
		cru.write(0x180, 4, 0xffff_ffff);
		expect(cru.clockState([7])).to.deep.equal({ running: true, name: 'clock 7' });
		expect(cru.resetState([16]).released).to.equal(true);
	});

	it('holds what is written elsewhere, and forgets it when it is reset', () => {
		const { cru } = setup();
		cru.write(0x100, 4, 0x1234);
		cru.write(CLKGATE_CON28, 4, 0xffff_ffff);
		expect(cru.read(0x100, 4)).to.equal(0x1234);
		cru.reset();
		expect([cru.read(0x100, 4), cru.read(CLKGATE_CON28, 4)]).to.deep.equal([0, 0]);
	});

	it('has each gate of its tables in its registers, once, and before it one of the table', () => {
		for (const table of [CRU_RK3399, CRU_RK3568, PMUCRU_RK3399, PMUCRU_RK3568]) {
			const names = table.gates.map(([, name]) => name);
			const places = table.gates.filter(([, , con]) => con >= 0).map(([, , con, bit]) => `${con}.${bit}`);
			expect(new Set(names).size).to.equal(names.length);
			expect(new Set(places).size).to.equal(places.length);
			for (const [, name, con, bit, parent] of table.gates) {
				expect(con, name).to.be.lessThan(table.gateCount);
				expect(bit, name).to.be.within(0, 15);
				if (parent !== '') expect(names, name).to.include(parent);
			}
		}
	});
});
