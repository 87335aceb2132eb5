// SPDX-License-Identifier: GPL-2.0-only
// Registers, commands and caches of the Rockchip IOMMU's model.
// Reset values and answers: what an unmodified kernel met (tests/golden, rockchip-*.json, "how").
import { expect } from 'chai';
import { LooseWire } from '#hw/core/interrupts.js';
import { RockchipIommu } from '#hw/iommu/rockchip-iommu.js';
import { COMMAND, FORMAT_1, FORMAT_2, STATUS, type TableFormat } from '#hw/iommu/rockchip-iommu-regs.js';
import type { Policy } from '#hw/core/model.js';
import { Ram } from '#hw/core/ram.js';

const BASE = 0x1000_0000;
const DIRECTORY = BASE;
const TABLE = BASE + 0x1000;
const PAGE = BASE + 0x2000;
const IOVA = 0x40_0000;

const R = {
	dte: 0x00,
	status: 0x04,
	command: 0x08,
	faultAddr: 0x0c,
	zap: 0x10,
	raw: 0x14,
	clear: 0x18,
	mask: 0x1c,
	intStatus: 0x20,
	gating: 0x24,
};

interface Bench {
	readonly unit: RockchipIommu;
	readonly ram: Ram;
	readonly clock: { now: number };
	readonly irqs: LooseWire[];
	read(offset: number, region?: number): number;
	write(offset: number, value: number, region?: number): void;
	/** A word of memory, past the caches. */
	poke(addr: number, word: number): void;
}

function bench(windows = 1, policy: Policy = 'pessimistic', format: TableFormat = FORMAT_1, irqs = 1): Bench {
	const ram = new Ram([{ base: BASE, size: 0x10_0000 }]);
	const clock = { now: 0 };
	const wires = Array.from({ length: irqs }, () => new LooseWire());
	const unit = new RockchipIommu('rk', format, policy, windows, ram, clock, wires, () => 0.9);
	return {
		unit,
		ram,
		clock,
		irqs: wires,
		read: (offset, region = 0) => unit.read(offset, 4, region),
		write: (offset, value, region = 0) => unit.write(offset, 4, value, region),
		poke: (addr, word) => {
			ram.deviceWrite(addr, new Uint8Array(Uint32Array.of(word).buffer), false);
		},
	};
}

/** Tables for one page, and paging on. */
function enabled(b: Bench, word = PAGE | 7): void {
	b.poke(DIRECTORY + 4, TABLE | 1);
	b.poke(TABLE, word);
	for (const region of b.unit.mmus.keys()) {
		b.write(R.dte, DIRECTORY | 1, region);
		b.write(R.mask, 3, region);
		b.write(R.command, COMMAND.enablePaging, region);
	}
	b.clock.now += 1e6;
}

describe('hw_rockchip_iommu', () => {
	it('comes up idle, with nothing stalled and nothing translated', () => {
		const b = bench();
		expect(
			[R.dte, R.status, R.command, R.faultAddr, R.raw, R.mask, R.intStatus, R.gating].map((r) => b.read(r)),
		).to.deep.equal([0, 0x8000_0018, 0, 0, 0, 0, 0, 1]);
		expect(b.unit.translate(0, 0x1234, false)).to.equal(0x1234);
	});

	it('has registers of its own for each window', () => {
		const b = bench(2);
		b.write(R.dte, 0x1000_0001, 1);
		expect([b.read(R.dte, 0), b.read(R.dte, 1)]).to.deep.equal([0, 0x1000_0001]);
	});

	describe('commands', () => {
		it('stall only an MMU that translates, and undo it', () => {
			const b = bench();
			b.write(R.command, COMMAND.enableStall);
			b.clock.now += 1e6;
			expect(b.read(R.status)).to.equal(0x8000_0018);
			enabled(b);
			b.write(R.command, COMMAND.enableStall);
			b.clock.now += 1e6;
			expect(b.read(R.status)).to.equal(0x1d);
			expect(b.unit.translate(0, IOVA, false)).to.equal(-1);
			b.write(R.command, COMMAND.disableStall);
			b.clock.now += 1e6;
			expect(b.read(R.status)).to.equal(0x8000_0019);
			expect(b.unit.translate(0, IOVA, false)).to.equal(PAGE);
		});

		it('do not stall one in a fault', () => {
			const b = bench();
			enabled(b);
			b.unit.translate(0, 0, false);
			b.write(R.command, COMMAND.enableStall);
			b.clock.now += 1e6;
			expect(b.read(R.status) & STATUS.stalled).to.equal(0);
		});

		it('take their time with a pessimist, and none with an optimist', () => {
			const slow = bench();
			slow.write(R.command, COMMAND.enablePaging);
			expect(slow.read(R.status) & STATUS.paging).to.equal(0);
			slow.clock.now += 1e6;
			expect(slow.read(R.status) & STATUS.paging).to.equal(1);
			const quick = bench(1, 'optimistic');
			quick.write(R.command, COMMAND.enablePaging);
			expect(quick.read(R.status) & STATUS.paging).to.equal(1);
		});

		it('reset registers and caches', () => {
			const b = bench();
			enabled(b);
			b.unit.translate(0, IOVA, false);
			b.unit.translate(0, 0, true);
			b.write(R.gating, 0x8000_0001);
			b.write(R.command, COMMAND.forceReset);
			b.clock.now += 1e6;
			expect([R.dte, R.status, R.faultAddr, R.raw, R.mask, R.gating].map((r) => b.read(r))).to.deep.equal([
				0, 0x8000_0018, 0, 0, 0, 1,
			]);
			expect(b.unit.mmus[0].cached()).to.deep.equal({ pages: [], directory: [] });
		});
	});

	describe('translation', () => {
		it('leads through both levels', () => {
			const b = bench();
			enabled(b);
			expect(b.unit.translate(0, IOVA + 0x123, true)).to.equal(PAGE + 0x123);
		});

		it('knows 40 bits in the second format', () => {
			const b = bench(1, 'pessimistic', FORMAT_2);
			enabled(b, (0x2345_6000 | 0xa00 | 0xb0 | 3) >>> 0);
			expect(b.unit.mmus[0].walk(IOVA).phys).to.equal(0xba_2345_6000);
		});

		for (const [what, word, write] of [
			['an invalid page word', 0, false],
			['a page that may not be read', PAGE | 5, false],
			['a page that may not be written', PAGE | 3, true],
		] as const)
			it(`stops at ${what}, says where and how, and goes on when told`, () => {
				const b = bench();
				enabled(b, word);
				expect(b.unit.translate(0, IOVA + 4, write)).to.equal(-1);
				expect(b.read(R.status) & 0x22).to.equal(write ? 0x22 : 0x02);
				expect([b.read(R.faultAddr), b.read(R.raw), b.read(R.intStatus)]).to.deep.equal([IOVA + 4, 1, 1]);
				expect(b.irqs[0].level).to.equal(true);
				b.poke(TABLE, PAGE | 7);
				b.write(R.zap, IOVA);
				expect(b.unit.translate(0, IOVA, write)).to.equal(-1);
				b.write(R.clear, 1);
				b.write(R.command, COMMAND.faultDone);
				expect(b.irqs[0].level).to.equal(false);
				expect(b.unit.translate(0, IOVA, write)).to.equal(PAGE);
			});

		it('meets a bus error where no memory is', () => {
			const b = bench();
			enabled(b);
			b.write(R.dte, 0xf000_0001);
			expect(b.unit.translate(0, 0x123_4000, false)).to.equal(-1);
			expect([b.read(R.raw), b.read(R.faultAddr)]).to.deep.equal([2, 0x123_4000]);
		});

		it('takes turns between the windows', () => {
			const b = bench(2);
			enabled(b);
			for (let i = 0; i < 4; i++) b.unit.translate(0, IOVA, false);
			expect(b.unit.mmus.map((mmu) => mmu.stats.accesses)).to.deep.equal([2, 2]);
		});
	});

	describe('caches', () => {
		it('go on with a word that memory has no more, and say so, until it is zapped', () => {
			const b = bench();
			enabled(b);
			b.unit.translate(0, IOVA, false);
			b.poke(TABLE, 0);
			expect(b.unit.translate(0, IOVA, false)).to.equal(PAGE);
			expect(b.unit.contradictions().map((c) => [c.where, c.iova, c.memory])).to.deep.equal([
				['page', IOVA, 0],
			]);
			b.write(R.zap, IOVA);
			expect(b.unit.contradictions()).to.deep.equal([]);
			expect(b.unit.translate(0, IOVA, false)).to.equal(-1);
		});

		it('drop with one zap the line that came with the word, valid or not, and its directory word', () => {
			const b = bench();
			enabled(b);
			b.unit.translate(0, IOVA, false);
			b.poke(TABLE + 4, (PAGE + 0x1000) | 7);
			expect(b.unit.translate(0, IOVA + 0x1000, false)).to.equal(-1);
			b.write(R.clear, 1);
			b.write(R.command, COMMAND.faultDone);
			b.write(R.zap, IOVA + 0x2000);
			expect(b.unit.translate(0, IOVA + 0x1000, false)).to.equal(PAGE + 0x1000);
		});

		it("are each window's own", () => {
			const b = bench(2);
			enabled(b);
			b.unit.translate(0, IOVA, false);
			b.unit.translate(0, IOVA, false);
			b.poke(TABLE, 0);
			b.write(R.zap, IOVA, 0);
			expect(b.unit.contradictions().map((c) => c.mmu)).to.deep.equal([1]);
		});

		it('of an optimist hold valid words only, one at a time', () => {
			const b = bench(1, 'optimistic');
			enabled(b);
			b.unit.translate(0, IOVA, false);
			expect(b.unit.mmus[0].cached().pages.map((e) => e.tag)).to.deep.equal([IOVA / 0x1000]);
		});
	});

	it('has an interrupt for each window where the tree gives it two', () => {
		const b = bench(2, 'pessimistic', FORMAT_1, 2);
		enabled(b);
		b.unit.mmus[1].translate(0, false);
		expect(b.irqs.map((irq) => irq.level)).to.deep.equal([false, true]);
	});

	it('shows the words of a walk as memory, CPU and cache have them, and changes nothing', () => {
		const b = bench();
		enabled(b);
		b.unit.translate(0, IOVA, false);
		b.poke(TABLE, 0);
		const { words, phys } = b.unit.mmus[0].walk(IOVA);
		expect(words.map((w) => [w.level, w.index, w.memory, w.cached?.word])).to.deep.equal([
			['directory', 1, TABLE | 1, TABLE | 1],
			['page', 0, 0, PAGE | 7],
		]);
		expect(phys).to.equal(-1);
	});
});
