// SPDX-License-Identifier: GPL-2.0-only
// Registers, commands and caches of the Rockchip IOMMU's model.
// Reset values and answers: what an unmodified kernel met (tests/golden, rockchip-*.json, "how").
import { expect } from 'chai';
import { LooseWire } from '#hw/core/interrupts.js';
import type { Policy } from '#hw/core/model.js';
import { Ram } from '#hw/core/ram.js';
import { figure, NO_PASID, READ, WRITE } from '#hw/iommu/iommu.js';
import { RockchipIommu } from '#hw/iommu/rockchip-iommu.js';
import { type RockchipVariant, VERSION_1, VERSION_2 } from '#hw/iommu/rockchip-iommu-format.js';
import { COMMAND, STATUS } from '#hw/iommu/rockchip-iommu-regs.js';

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
	/** Where an access of the master leads. */
	reads(addr: number): number;
	writes(addr: number): number;
	/** A word of memory, past the caches. */
	poke(addr: number, word: number): void;
}

function bench(
	windows = 1,
	policy: Policy = 'pessimistic',
	variant: RockchipVariant = VERSION_1,
	irqs = 1,
): Bench {
	const ram = new Ram([{ base: BASE, size: 0x10_0000 }]);
	const clock = { now: 0 };
	const wires = Array.from({ length: irqs }, () => new LooseWire());
	const unit = new RockchipIommu('rk', variant, {
		policy,
		windows,
		ram,
		snoop: false,
		clock,
		irqs: wires,
		random: () => 0.9,
		powered: () => true,
		note: () => {},
		master: 'm0',
	});
	return {
		unit,
		ram,
		clock,
		irqs: wires,
		read: (offset, region = 0) => unit.read(offset, 4, region),
		write: (offset, value, region = 0) => unit.write(offset, 4, value, region),
		reads: (addr) => unit.translate(0, addr, READ, NO_PASID),
		writes: (addr) => unit.translate(0, addr, WRITE, NO_PASID),
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
		expect(b.reads(0x1234)).to.equal(0x1234);
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
			expect(b.reads(IOVA)).to.equal(-1);
			b.write(R.command, COMMAND.disableStall);
			b.clock.now += 1e6;
			expect(b.read(R.status)).to.equal(0x8000_0019);
			expect(b.reads(IOVA)).to.equal(PAGE);
		});

		it('do not stall one in a fault', () => {
			const b = bench();
			enabled(b);
			b.reads(0);
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
			b.reads(IOVA);
			b.writes(0);
			b.write(R.gating, 0x8000_0001);
			b.write(R.command, COMMAND.forceReset);
			b.clock.now += 1e6;
			expect([R.dte, R.status, R.faultAddr, R.raw, R.mask, R.gating].map((r) => b.read(r))).to.deep.equal([
				0, 0x8000_0018, 0, 0, 0, 1,
			]);
			expect(b.unit.caches().map((cache) => cache.size)).to.deep.equal([0, 0]);
		});
	});

	describe('translation', () => {
		it('leads through both levels', () => {
			const b = bench();
			enabled(b);
			expect(b.writes(IOVA + 0x123)).to.equal(PAGE + 0x123);
		});

		it('knows 40 bits in the second format', () => {
			const b = bench(1, 'pessimistic', VERSION_2);
			enabled(b, (0x2345_6000 | 0xa00 | 0xb0 | 3) >>> 0);
			expect(b.reads(IOVA)).to.equal(0xba_2345_6000);
			expect(b.unit.leaf(0, NO_PASID, IOVA).phys).to.equal(0xba_2345_6000);
			expect([VERSION_1, VERSION_2].map((v) => bench(1, 'pessimistic', v).unit.outputBits)).to.deep.equal([
				32, 40,
			]);
		});

		for (const [what, word, write] of [
			['an invalid page word', 0, false],
			['a page that may not be read', PAGE | 5, false],
			['a page that may not be written', PAGE | 3, true],
		] as const)
			it(`stops at ${what}, says where and how, and goes on when told`, () => {
				const b = bench();
				enabled(b, word);
				expect(write ? b.writes(IOVA + 4) : b.reads(IOVA + 4)).to.equal(-1);
				expect(b.read(R.status) & 0x22).to.equal(write ? 0x22 : 0x02);
				expect([b.read(R.faultAddr), b.read(R.raw), b.read(R.intStatus)]).to.deep.equal([IOVA + 4, 1, 1]);
				expect(b.irqs[0].level).to.equal(true);
				b.poke(TABLE, PAGE | 7);
				b.write(R.zap, IOVA);
				expect(write ? b.writes(IOVA) : b.reads(IOVA)).to.equal(-1);
				b.write(R.clear, 1);
				b.write(R.command, COMMAND.faultDone);
				expect(b.irqs[0].level).to.equal(false);
				expect(write ? b.writes(IOVA) : b.reads(IOVA)).to.equal(PAGE);
			});

		it('meets a bus error where no memory is', () => {
			const b = bench();
			enabled(b);
			b.write(R.dte, 0xf000_0001);
			expect(b.reads(0x123_4000)).to.equal(-1);
			expect([b.read(R.raw), b.read(R.faultAddr)]).to.deep.equal([2, 0x123_4000]);
			expect(b.unit.faults.map((f) => [f.kind, f.what, f.iova])).to.deep.equal([
				['external', 'bus', 0x123_4000],
			]);
			// Nothing was read that a cache could keep.
			b.write(R.clear, 2);
			expect(b.reads(0x123_4000)).to.equal(-1);
			expect(b.read(R.raw)).to.equal(2);
		});

		it('takes turns between the windows', () => {
			const b = bench(2);
			enabled(b);
			for (let i = 0; i < 4; i++) b.reads(IOVA);
			expect(b.unit.mmus.map((mmu) => mmu.translation.figures[0].accesses)).to.deep.equal([2, 2]);
			expect(figure(b.unit, 'accesses')).to.equal(4);
		});
	});

	describe('caches', () => {
		it('go on with a word that memory has no more, and say so, until it is zapped', () => {
			const b = bench();
			enabled(b);
			b.reads(IOVA);
			b.poke(TABLE, 0);
			expect(b.reads(IOVA)).to.equal(PAGE);
			expect(
				b.unit.contradictions().map((c) => [c.invariant, c.cache.name, c.entry.iova, c.memory]),
			).to.deep.equal([['INV-TLB-UNMAP', 'page cache', IOVA, 0n]]);
			b.write(R.zap, IOVA);
			expect(b.unit.contradictions()).to.deep.equal([]);
			expect(b.reads(IOVA)).to.equal(-1);
		});

		it('drop with one zap the line that came with the word, valid or not, and its directory word', () => {
			const b = bench();
			enabled(b);
			b.reads(IOVA);
			b.poke(TABLE + 4, (PAGE + 0x1000) | 7);
			expect(b.reads(IOVA + 0x1000)).to.equal(-1);
			b.write(R.clear, 1);
			b.write(R.command, COMMAND.faultDone);
			b.write(R.zap, IOVA + 0x2000);
			expect(b.reads(IOVA + 0x1000)).to.equal(PAGE + 0x1000);
		});

		it("are each window's own", () => {
			const b = bench(2);
			enabled(b);
			b.reads(IOVA);
			b.reads(IOVA);
			b.poke(TABLE, 0);
			b.write(R.zap, IOVA, 0);
			expect(b.unit.contradictions().map((c) => c.cache.name)).to.deep.equal(['page cache of MMU 1']);
		});

		it('of an optimist hold valid words only, one at a time', () => {
			const b = bench(1, 'optimistic');
			enabled(b);
			b.reads(IOVA);
			expect([...b.unit.caches()[0].entries()].map((e) => e.iova)).to.deep.equal([IOVA]);
		});
	});

	it('has an interrupt for each window where the tree gives it two', () => {
		const b = bench(2, 'pessimistic', VERSION_1, 2);
		enabled(b);
		b.unit.mmus[1].translate(0, READ);
		expect(b.irqs.map((irq) => irq.level)).to.deep.equal([false, true]);
	});

	it('shows the words of a walk as memory, CPU and cache have them, and changes nothing', () => {
		const b = bench();
		enabled(b);
		b.reads(IOVA);
		b.poke(TABLE, 0);
		const { steps, leaf, text } = b.unit.explain(0, IOVA);
		expect(steps.map((w) => [w.table, w.index, w.memory, w.cached[0]?.entry.word])).to.deep.equal([
			['DT', 1, BigInt(TABLE | 1), TABLE | 1],
			['PT', 0, 0n, PAGE | 7],
		]);
		expect(leaf.phys).to.equal(-1);
		expect(text.split('\n')).to.include.members([
			'iova 0x00400000, m0: translate',
			'  PT[0x000] at 0x10001000: 0x00000000, not valid',
			'  -> not mapped',
		]);
	});

	it('explains what each window has, by name', () => {
		const b = bench(2);
		enabled(b);
		b.reads(IOVA);
		b.write(R.command, COMMAND.disablePaging, 1);
		b.clock.now += 1e6;
		const { text } = b.unit.explain(0, IOVA);
		expect(text).to.match(/directory of MMU 0 at 0x10000000$/m);
		expect(text).to.match(/directory of MMU 1 at 0x10000000, paging is off$/m);
		expect(text.match(/^ {4}page cache of MMU 0: 0x10002007/gm)).to.have.length(1);
	});

	it('tells off, translating, and stopped by a stall or a fault apart', () => {
		const b = bench();
		expect(b.unit.state()).to.equal('off');
		enabled(b);
		expect(b.unit.state()).to.equal('translate');
		b.write(R.command, COMMAND.enableStall);
		b.clock.now += 1e6;
		expect(b.unit.state()).to.equal('block');
		b.write(R.command, COMMAND.disableStall);
		b.clock.now += 1e6;
		b.reads(0);
		expect(b.unit.state()).to.equal('block');
		expect(b.unit.faults.map((f) => [f.kind, f.what, f.cached])).to.deep.equal([
			['translation', 'directory', false],
		]);
	});

	it('never ends a command that is stuck, and loses it with the next one', () => {
		const b = bench(2);
		b.unit.stuck.add('enable of MMU 1');
		enabled(b);
		expect(b.unit.mmus.map((mmu) => mmu.paging)).to.deep.equal([true, false]);
		b.write(R.command, COMMAND.disableStall, 1);
		b.unit.stuck.clear();
		b.clock.now += 1e6;
		expect(b.read(R.status, 1) & STATUS.paging).to.equal(0);
	});

	it('does commands in the order in which they came, however late one looks', () => {
		const b = bench();
		b.write(R.command, COMMAND.enablePaging);
		b.write(R.command, COMMAND.disablePaging);
		b.write(R.command, COMMAND.enablePaging);
		b.clock.now += 1e6;
		expect(b.read(R.status) & STATUS.paging).to.equal(1);
	});
});
