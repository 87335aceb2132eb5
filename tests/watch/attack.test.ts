// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import { RAM } from '#tests/hw/board.js';
import { h6, IOMMU, IOMMU_INTID, powerIommu } from '#tests/hw/h6.js';
import { attackAll, attacked } from '#tools/check/attack.js';
import { description as edu } from '#tools/check/drivers/edu-iommu.js';
import { description as rockchip } from '#tools/check/drivers/rockchip-iommu.js';
import { description as sun50i } from '#tools/check/drivers/sun50i-iommu.js';
import { attack, type Move } from '#watch/attack.js';

function board(...moves: Move[]) {
	const machine = h6();
	powerIommu(machine);
	machine.mmio_write(IOMMU + 0x30, 4, 0x2a);
	const end = attack(machine, machine.iommu, moves);
	return { machine, end, read: () => machine.mmio_read(IOMMU + 0x30, 4) };
}

describe('attack', () => {
	it('answers one read of a register with something else', () => {
		const { read } = board({ kind: 'register', nth: 1, and: 0xf, xor: 0x100 });
		expect([read(), read(), read()]).to.deep.equal([0x2a, 0x10a, 0x2a]);
	});

	it('or several, until it is ended', () => {
		const { read, end } = board({ kind: 'stuck', nth: 1, count: 2, and: 0, xor: 0xffff_ffff });
		expect([read(), read(), read(), read()]).to.deep.equal([0x2a, 0xffff_ffff, 0xffff_ffff, 0x2a]);
		end();
		expect(read()).to.equal(0x2a);
	});

	it('interrupts without a reason', () => {
		const { machine, read } = board({ kind: 'interrupt', nth: 1 });
		const pending = (): number =>
			(machine.controller.lines.latched[IOMMU_INTID >>> 5] >>> (IOMMU_INTID & 31)) & 1;
		read();
		expect(pending()).to.equal(0);
		read();
		expect(pending()).to.equal(1);
	});

	it('changes a word of a record on its way to memory', () => {
		const { machine } = board({ kind: 'record', nth: 1, word: 2, value: 7 });
		for (const at of [RAM, RAM + 16]) machine.ram.deviceWrite(at, new Uint8Array(16).fill(1), false);
		expect([...machine.ram.peekMemory(RAM, 32)]).to.deep.equal([
			...Array(24).fill(1),
			7,
			0,
			0,
			0,
			1,
			1,
			1,
			1,
		]);
	});

	it('says where a driver goes round and round', () => {
		const stuck = { ...edu, board: (o: Parameters<typeof edu.board>[0]) => edu.board(o) };
		const forEver: Move = { kind: 'stuck', nth: 0, count: 1e9, and: 0, xor: 0 };
		expect(attacked(stuck, [forEver])).to.match(
			/Endless: .* accesses to registers of 3100000\.iommu[\s\S]*edu_cmdq/,
		);
	});

	for (const description of [sun50i, rockchip, edu])
		it(`is survived by ${description.name}`, () => attackAll(description, 1, 3));
});
