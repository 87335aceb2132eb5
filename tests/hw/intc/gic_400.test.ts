// SPDX-License-Identifier: GPL-2.0-only
// Offsets: GIC architecture 2.0 (Linux: include/linux/irqchip/arm-gic.h).
// Region 0: distributor, 1: CPU interface.
import { expect } from 'chai';
import { Gic400 } from '#hw/intc/gic-400.js';

const SPI = 89;
const WORD = 4 * (SPI >>> 5);
const BIT = 2 ** (SPI & 31);

function setup() {
	const gic = new Gic400();
	/** Read the register, or write it when there is a value. */
	const access =
		(region: number) =>
		(offset: number, value?: number): number => {
			if (value === undefined) return gic.read(offset, 4, region);
			gic.write(offset, 4, value, region);
			return 0;
		};
	const gicd = access(0);
	const gicc = access(1);
	return { gic, gicd, gicc };
}

/** As a driver leaves it: all on, priority 0xa0, mask 0xf0. */
function ready() {
	const all = setup();
	all.gicd(0x000, 1);
	all.gicd(0x100 + WORD, BIT);
	all.gic.write(0x400 + SPI, 1, 0xa0, 0);
	all.gicc(0x004, 0xf0);
	all.gicc(0x000, 1);
	return all;
}

describe('gic_400', () => {
	it('is off at reset, lets nothing through, and says how many interrupts it has', () => {
		const { gic, gicd, gicc } = setup();
		expect(gicd(0x000)).to.equal(0);
		expect(gicd(0x004) & 0x1f).to.equal(7);
		expect(gicc(0x004)).to.equal(0);
		expect(gicc(0x00c)).to.equal(1023);
		gic.lines.setLine(SPI, true);
		expect(gic.asserted).to.equal(false);
	});

	it('enables by ones in ISENABLER and disables by ones in ICENABLER', () => {
		const { gicd } = setup();
		gicd(0x100 + WORD, BIT + 1);
		expect(gicd(0x100 + WORD)).to.equal(BIT + 1);
		gicd(0x180 + WORD, 1);
		expect(gicd(0x180 + WORD)).to.equal(BIT);
	});

	it('keeps the upper five bits of a priority, byte by byte', () => {
		const { gic, gicd } = setup();
		gicd(0x400 + 88, 0xa7_97_87_ff);
		expect(gic.read(0x400 + 88, 4, 0)).to.equal(0xa0_90_80_f8);
		expect(gic.read(0x400 + 89, 1, 0)).to.equal(0x80);
	});

	it('hands a raised level to the CPU, once, until its end', () => {
		const { gic, gicd, gicc } = ready();
		gic.lines.setLine(SPI, true);
		expect(gic.asserted).to.equal(true);
		expect(gicd(0x200 + WORD)).to.equal(BIT);
		expect(gicc(0x00c)).to.equal(SPI);
		expect(gicd(0x300 + WORD)).to.equal(BIT);
		expect(gic.asserted).to.equal(false);
		expect(gicc(0x00c)).to.equal(1023);
		gicc(0x010, SPI);
		expect(gic.asserted).to.equal(true);
		gic.lines.setLine(SPI, false);
		expect(gic.asserted).to.equal(false);
	});

	it('remembers an edge after the wire has fallen', () => {
		const { gic, gicd, gicc } = ready();
		gicd(0xc00 + 4 * (SPI >>> 4), 2 << (2 * (SPI & 15)));
		gic.lines.setLine(SPI, true);
		gic.lines.setLine(SPI, false);
		expect(gicc(0x00c)).to.equal(SPI);
		gicc(0x010, SPI);
		expect(gic.asserted).to.equal(false);
	});

	it('lets only priorities below the mask through', () => {
		const { gic, gicc } = ready();
		gicc(0x004, 0xa0);
		gic.lines.setLine(SPI, true);
		expect(gic.asserted).to.equal(false);
		gicc(0x004, 0xa8);
		expect(gic.asserted).to.equal(true);
	});

	it('hands out the lowest priority value first, then the lowest number, and preempts only for less', () => {
		const { gic, gicd, gicc } = ready();
		gicd(0x100 + WORD, 0xffffffff);
		for (const [n, priority] of [
			[70, 0xa0],
			[71, 0xa0],
			[72, 0x80],
		]) {
			gic.write(0x400 + n, 1, priority, 0);
			gic.lines.setLine(n, true);
		}
		expect(gicc(0x00c)).to.equal(72);
		expect(gic.asserted).to.equal(false);
		gicc(0x010, 72);
		gic.lines.setLine(72, false);
		expect(gicc(0x00c)).to.equal(70);
		gic.lines.setLine(72, true);
		expect(gicc(0x00c)).to.equal(72);
	});

	it('drops the priority at EOIR and deactivates at DIR when CTLR asks for it', () => {
		const { gic, gicd, gicc } = ready();
		gicc(0x000, 0x201);
		gic.lines.setLine(SPI, true);
		gicc(0x00c);
		gicc(0x010, SPI);
		expect(gicd(0x300 + WORD)).to.equal(BIT);
		expect(gic.asserted).to.equal(false);
		gicc(0x1000, SPI);
		expect(gicd(0x300 + WORD)).to.equal(0);
		expect(gic.asserted).to.equal(true);
	});

	it('makes an interrupt pending by ISPENDR, and no more by ICPENDR', () => {
		const { gic, gicd } = ready();
		gicd(0x200 + WORD, BIT);
		expect(gic.asserted).to.equal(true);
		gicd(0x280 + WORD, BIT);
		expect(gic.asserted).to.equal(false);
	});
});
