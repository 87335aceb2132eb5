// SPDX-License-Identifier: GPL-2.0-only
// Bits and offsets: drivers/pmdomain/rockchip/pm-domains.c.
import { expect } from 'chai';
import { parseFdt } from '#hw/core/fdt.js';
import { Machine } from '#hw/core/machine.js';
import type { DmaStub } from '#hw/misc/dma-stub.js';
import { PMU_RK3399, PMU_RK3568, RockchipPmu } from '#hw/power/rockchip-pmu.js';
import { boardBlob } from '#tests/boot.js';

const VIO = 15;
const VOPB = 17;
const VCODEC = 31;

function setup(soc: 'rk3399' | 'rk3568' = 'rk3399') {
	const { root } = parseFdt(boardBlob(`${soc}-iommus`));
	const node = [...root.walk()].find((at) => at.isCompatible(`rockchip,${soc}-pmu`))!;
	let changes = 0;
	const pmu = new RockchipPmu('pmu', soc === 'rk3399' ? PMU_RK3399 : PMU_RK3568, node, () => changes++);
	return { pmu, on: (id: number) => pmu.powerState([id]).on, changes: () => changes };
}

describe('rockchip_pmu', () => {
	it('has every domain on at power-on', () => {
		const { pmu, on } = setup();
		for (const [id] of PMU_RK3399.domains) expect(on(id), `domain ${id}`).to.equal(true);
		expect([pmu.read(0x18, 4), pmu.read(0x64, 4), pmu.read(0x68, 4)]).to.deep.equal([0, 0, 0]);
	});

	it('takes power from a domain, says which, and shows it in the status', () => {
		const { pmu, on, changes } = setup();
		pmu.write(0x14, 4, 1 << 16);
		expect(pmu.powerState([VCODEC])).to.deep.equal({ on: false, name: 'power domain vcodec' });
		expect(pmu.read(0x18, 4)).to.equal(1 << 16);
		expect(on(VIO)).to.equal(true);
		pmu.write(0x14, 4, 0);
		expect(on(VCODEC)).to.equal(true);
		expect(changes()).to.equal(2);
	});

	it('answers a request for an idle bus in both registers; blocks behind it do not work', () => {
		const { pmu } = setup();
		pmu.write(0x60, 4, 1 << 7);
		expect([pmu.read(0x64, 4), pmu.read(0x68, 4)]).to.deep.equal([1 << 7, 1 << 7]);
		expect(pmu.powerState([VOPB])).to.deep.equal({ on: false, name: 'bus of power domain vopb' });
	});

	it('has a domain off while one around it is', () => {
		const { pmu, on } = setup();
		pmu.write(0x14, 4, 1 << 14);
		expect([on(VOPB), on(VIO), on(VCODEC)]).to.deep.equal([false, false, true]);
	});

	it('tells blocks that they lost their power, also by a switch further out; an idle bus loses nothing', () => {
		const { pmu } = setup();
		let lost = 0;
		pmu.onPowerLost([VOPB], () => lost++);
		pmu.write(0x60, 4, 1 << 7);
		expect(lost).to.equal(0);
		pmu.write(0x14, 4, 1 << 20);
		expect(lost).to.equal(1);
		pmu.write(0x14, 4, (1 << 20) | (1 << 14));
		expect(lost).to.equal(1);
	});

	it('of an RK3568 changes only the bits that the upper half of a word names', () => {
		const { pmu, on } = setup('rk3568');
		pmu.write(0xa0, 4, 1 << 7);
		expect(on(9)).to.equal(true);
		pmu.write(0xa0, 4, (1 << 23) | (1 << 7));
		pmu.write(0xa0, 4, (1 << 18) | (1 << 2));
		expect([on(9), on(11)]).to.deep.equal([false, false]);
		expect(pmu.read(0x98, 4)).to.equal(0x84);
		pmu.write(0x50, 4, 0x0040_0040);
		expect([pmu.read(0x60, 4), pmu.read(0x68, 4)]).to.deep.equal([0x40, 0x40]);
	});

	it('takes a domain for on that it does not know', () => {
		expect(setup().pmu.powerState([99])).to.deep.equal({ on: true, name: 'power domain 99' });
	});

	it('stops the blocks of a board whose domain is off, and has them lose their registers', () => {
		const machine = new Machine(boardBlob('rk3399-iommus'));
		const vop = machine.model('ff900000.vop') as DmaStub;
		const PWRDN_CON = 0xff31_0014;
		const BUS_IDLE_REQ = 0xff31_0060;
		const SRC = 0xff90_0000;
		machine.mmio_write(SRC, 4, 0x1234);
		machine.mmio_write(BUS_IDLE_REQ, 4, 1 << 7);
		expect([vop.powered(), machine.mmio_read(SRC, 4)]).to.deep.equal([false, 0]);
		machine.mmio_write(BUS_IDLE_REQ, 4, 0);
		expect([vop.powered(), machine.mmio_read(SRC, 4)]).to.deep.equal([true, 0x1234]);
		machine.mmio_write(PWRDN_CON, 4, 1 << 14);
		expect([vop.powered(), machine.mmio_read(SRC, 4)]).to.deep.equal([false, 0]);
		machine.mmio_write(PWRDN_CON, 4, 0);
		expect([vop.powered(), machine.mmio_read(SRC, 4)]).to.deep.equal([true, 0]);
	});

	it('is as at power-on after a reset', () => {
		const { pmu, on } = setup();
		pmu.write(0x14, 4, 0xffff_ffff);
		pmu.write(0x40, 4, 5);
		pmu.reset();
		expect([on(VOPB), pmu.read(0x40, 4)]).to.deep.equal([true, 0]);
	});
});
