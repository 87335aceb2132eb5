// SPDX-License-Identifier: GPL-2.0-only
// Offsets: GICv3 architecture (Linux: include/linux/irqchip/arm-gic-v3.h).
// Region 0: GICD, 1: GICR.
import { expect } from 'chai';
import { GicV3 } from '#hw/intc/gic-v3.js';

const SPI = 182;
const WORD = 4 * (SPI >>> 5);
const BIT = 2 ** (SPI & 31);

function ready(): GicV3 {
	const gic = new GicV3();
	gic.write(0x0000, 4, 0x12, 0);
	gic.write(0x0100 + WORD, 4, BIT, 0);
	gic.write(0x0400 + SPI, 1, 0xa0, 0);
	gic.sysregWrite('ICC_PMR_EL1', 0xf0);
	gic.sysregWrite('ICC_IGRPEN1_EL1', 1);
	return gic;
}

describe('gic_v3', () => {
	it('says that it is a GICv3, in distributor and redistributor', () => {
		const gic = new GicV3();
		expect(gic.read(0xffe8, 4, 0) & 0xf0).to.equal(0x30);
		expect(gic.read(0xffe8, 4, 1) & 0xf0).to.equal(0x30);
		expect(gic.read(0x0008, 4, 1) & 0x10).to.equal(0x10);
	});

	it('has its redistributor asleep at reset, and awake when asked', () => {
		const gic = new GicV3();
		expect(gic.read(0x14, 4, 1)).to.equal(6);
		gic.write(0x14, 4, 0, 1);
		expect(gic.read(0x14, 4, 1)).to.equal(0);
	});

	it('hands a raised level to the CPU through the system registers', () => {
		const gic = ready();
		gic.lines.setLine(SPI, true);
		expect(gic.asserted).to.equal(true);
		expect(gic.sysregRead('ICC_IAR1_EL1')).to.equal(SPI);
		expect(gic.sysregRead('ICC_IAR1_EL1')).to.equal(1023);
		gic.lines.setLine(SPI, false);
		gic.sysregWrite('ICC_EOIR1_EL1', SPI);
		expect(gic.asserted).to.equal(false);
	});

	it('keeps private interrupts in the redistributor and shared ones in the distributor', () => {
		const gic = ready();
		gic.write(0x10100, 4, 0x08000000, 1);
		expect(gic.read(0x10100, 4, 1)).to.equal(0x08000000);
		expect(gic.read(0x0100, 4, 0)).to.equal(0);
		gic.write(0x0100, 4, 0xff, 0);
		expect(gic.lines.enabled[0]).to.equal(0x08000000);
	});

	it('lets nothing through while the group is off', () => {
		const gic = ready();
		gic.sysregWrite('ICC_IGRPEN1_EL1', 0);
		gic.lines.setLine(SPI, true);
		expect(gic.asserted).to.equal(false);
	});

	it('does not know other system registers', () => {
		expect(ready().sysregRead('TTBR0_EL1')).to.equal(undefined);
		expect(ready().sysregWrite('TTBR0_EL1', 0)).to.equal(false);
	});
});
