// SPDX-License-Identifier: GPL-2.0-only
// Documentation/edu-iommu.md, sentence by sentence, through the registers.
import { expect } from 'chai';
import type { MachineOptions } from '#hw/core/machine.js';
import { figure, READ } from '#hw/iommu/iommu.js';
import { RAM } from '#tests/hw/board.js';
import { EduBench, REG } from '#tests/hw/edu.js';
import { expectFinding } from '#tests/setup.js';

const IOVA = 0x1234_5000;
const PAGE_A = RAM + 0x40_0000;
const PAGE_B = RAM + 0x40_1000;
const LARGE = RAM + 0x80_0000;
const PLAIN: MachineOptions = { habits: { neighbours: 1 } };

const INV_STREAM = 1;
const INV_DOMAIN = 2;
const INV_RANGE = 3;
const TABLES = 0x100;
const SYNC = [4];

/** A block that is on, with stream 1 and 2 in domain 5, stream 3 in domain 6. */
function enabled(options: MachineOptions = PLAIN): EduBench {
	const b = new EduBench(options).enable();
	b.translates(1, 5);
	b.translates(2, 5);
	b.translates(3, 6);
	return b;
}

const reads = (b: EduBench, stream: number, iova: number): boolean =>
	b.master(stream).fetch(iova, 4) !== null;
const writes = (b: EduBench, stream: number, iova: number): boolean =>
	b.master(stream).store(iova, Uint8Array.of(1, 2, 3, 4));

describe('edu_iommu (model)', () => {
	describe('registers', () => {
		it('come up as the page says', () => {
			const b = new EduBench();
			expect(b.r(REG.ID)).to.equal(0x040601);
			for (const reg of Object.values(REG)) if (reg !== REG.ID) expect(b.r(reg), `0x${reg}`).to.equal(0);
		});

		it('ignore writes where they are read-only', () => {
			const b = new EduBench();
			for (const reg of [REG.ID, REG.STATUS, REG.CMDQ_CONS, REG.EVTQ_PROD]) b.w(reg, 0xffffffff);
			expect([b.r(REG.ID), b.r(REG.STATUS), b.r(REG.CMDQ_CONS), b.r(REG.EVTQ_PROD)]).to.deep.equal([
				0x040601, 0, 0, 0,
			]);
		});

		it('follow ENABLE with ENABLED, some time later', () => {
			const b = new EduBench({ mmioReadNs: 0, mmioWriteNs: 0 });
			b.w(REG.CTRL, 1);
			expect(b.r(REG.STATUS)).to.equal(0);
			b.machine.advance(1000);
			expect(b.r(REG.STATUS)).to.equal(1);
		});

		it('never follow it when that is made to be stuck', () => {
			const b = new EduBench();
			b.machine.iommu.stuck.add('status');
			b.w(REG.CTRL, 1);
			b.machine.advance(1e9);
			expect(b.r(REG.STATUS)).to.equal(0);
		});

		it('empty a queue whose size is written', () => {
			const b = enabled();
			b.command(SYNC);
			expect(b.r(REG.CMDQ_CONS)).to.equal(1);
			b.w(REG.CMDQ_SIZE, 4);
			expect([b.r(REG.CMDQ_PROD), b.r(REG.CMDQ_CONS)]).to.deep.equal([0, 0]);
		});
	});

	describe('streams', () => {
		it('pass while ENABLE is 0', () => {
			const b = new EduBench();
			expect(writes(b, 1, PAGE_A)).to.equal(true);
			expect(b.machine.ram.readWord(PAGE_A)).to.equal(0x04030201);
			expect(b.machine.iommu.state(1, -1)).to.equal('off');
		});

		it('are refused and reported without a valid entry', () => {
			const b = enabled();
			expect(writes(b, 63, IOVA + 4)).to.equal(false);
			expect(b.event(0)).to.deep.equal([1 | 0x100, 63, IOVA + 4, 0]);
			expect(b.r(REG.INT_STATUS)).to.equal(1);
		});

		it('pass in mode bypass, and are refused in silence in mode 0', () => {
			const b = enabled();
			b.stream(63, 1 | (1 << 1));
			expect(reads(b, 63, PAGE_A)).to.equal(true);
			b.stream(63, 1);
			b.command([INV_STREAM, 63], SYNC);
			expect(reads(b, 63, PAGE_A)).to.equal(false);
			expect(b.r(REG.EVTQ_PROD)).to.equal(0);
		});

		it('see their own domain and no other', () => {
			const b = enabled();
			b.map(5, IOVA, PAGE_A);
			expect([reads(b, 1, IOVA), reads(b, 2, IOVA), reads(b, 3, IOVA)]).to.deep.equal([true, true, false]);
		});
	});

	describe('tables', () => {
		it('map 4 KiB, byte-exact', () => {
			const b = enabled();
			b.map(5, IOVA, PAGE_A);
			expect(writes(b, 1, IOVA + 0xffc)).to.equal(true);
			expect(b.machine.ram.readWord(PAGE_A + 0xffc)).to.equal(0x04030201);
			expect(reads(b, 1, IOVA + 0x1000)).to.equal(false);
			expect(b.event(0)).to.deep.equal([2, 1, IOVA + 0x1000, 5]);
		});

		it('map 4 MiB by one word, with one walk', () => {
			const b = enabled();
			b.mapLarge(5, 0x40_0000, LARGE);
			expect(b.master(1).store(0x40_0000, new Uint8Array(0x40_0000).fill(9))).to.equal(true);
			expect(b.machine.ram.readWord(LARGE + 0x3f_fffc)).to.equal(0x09090909);
			expect(figure(b.machine.iommu, 'table walks', 1)).to.equal(1);
			expect(reads(b, 1, 0x80_0000)).to.equal(false);
		});

		for (const [rights, read, write] of [
			[0, false, false],
			[1, true, false],
			[2, false, true],
			[3, true, true],
		] as const)
			it(`give the rights R=${rights & 1} W=${rights >> 1}`, () => {
				const b = enabled();
				b.map(5, IOVA, PAGE_A, rights);
				expect(reads(b, 1, IOVA)).to.equal(read);
				expect(writes(b, 1, IOVA)).to.equal(write);
				if (!write) expect(b.event(read ? 0 : 1)).to.deep.equal([3 | 0x100, 1, IOVA, 5]);
			});

		it('refuse addresses beyond 32 bits', () => {
			const b = enabled();
			b.map(5, 0, PAGE_A);
			expect(reads(b, 1, 0x1_0000_0000)).to.equal(false);
			expect(b.event(0)[0]).to.equal(2);
		});
	});

	describe('caches', () => {
		it('serve what was there until a SYNC has passed', () => {
			expectFinding(/stale-tlb/);
			const b = enabled();
			b.map(5, IOVA, PAGE_A);
			reads(b, 1, IOVA);
			b.unmap(5, IOVA);
			expect(reads(b, 1, IOVA)).to.equal(true);
			b.command([INV_RANGE, 5, IOVA, IOVA + 0xfff]);
			expect(reads(b, 1, IOVA), 'executed, not in effect').to.equal(true);
			b.command(SYNC);
			expect(reads(b, 1, IOVA)).to.equal(false);
		});

		it('drop exactly the range of the domain', () => {
			expectFinding(/stale-tlb/);
			const b = enabled();
			for (const [domain, iova] of [
				[5, IOVA],
				[5, IOVA + 0x1000],
				[5, IOVA + 0x2000],
				[6, IOVA + 0x1000],
			] as const) {
				b.map(domain, iova, PAGE_A);
				reads(b, domain === 5 ? 1 : 3, iova);
				b.unmap(domain, iova);
			}
			b.command([INV_RANGE, 5, IOVA + 0x1000, IOVA + 0x1fff], SYNC);
			expect([0, 0x1000, 0x2000].map((at) => reads(b, 1, IOVA + at))).to.deep.equal([true, false, true]);
			expect(reads(b, 3, IOVA + 0x1000)).to.equal(true);
		});

		it('drop a 4 MiB page that answers for any address of the range', () => {
			const b = enabled();
			b.mapLarge(5, 0x40_0000, LARGE);
			reads(b, 1, 0x7f_f000);
			b.command([INV_RANGE, 5, 0x5f_f000, 0x5f_ffff], SYNC);
			expect(b.machine.iommu.caches().map((cache) => cache.size)).to.deep.equal([1, 0, 0]);
		});

		it('keep a level-1 word that the command does not name', () => {
			expectFinding(/stale-negative/);
			const b = enabled();
			expect(reads(b, 1, IOVA)).to.equal(false);
			b.map(5, IOVA, PAGE_A);
			b.command([INV_RANGE, 5, IOVA, IOVA + 0xfff], SYNC);
			expect(reads(b, 1, IOVA), 'the invalid level-1 word').to.equal(false);
			b.command([INV_RANGE | TABLES, 5, IOVA, IOVA + 0xfff], SYNC);
			expect(reads(b, 1, IOVA)).to.equal(true);
		});

		it('keep an invalid word until it is invalidated', () => {
			expectFinding(/stale-negative/);
			const b = enabled();
			b.map(5, IOVA, PAGE_A);
			expect(reads(b, 1, IOVA + 0x1000)).to.equal(false);
			b.map(5, IOVA + 0x1000, PAGE_B);
			expect(reads(b, 1, IOVA + 0x1000)).to.equal(false);
			expect(b.machine.iommu.contradictions().map((c) => c.invariant)).to.deep.equal(['INV-TLB-MAP']);
			b.command([INV_DOMAIN, 5], SYNC);
			expect(reads(b, 1, IOVA + 0x1000)).to.equal(true);
		});

		it('keep a stream-table entry until INV_STREAM', () => {
			expectFinding(/stale-tlb/);
			const b = enabled();
			b.map(5, IOVA, PAGE_A);
			b.map(6, IOVA, PAGE_B);
			writes(b, 1, IOVA);
			b.translates(1, 6);
			writes(b, 1, IOVA + 4);
			expect(b.machine.ram.readWord(PAGE_B + 4)).to.equal(0);
			expect(b.machine.iommu.contradictions().map((c) => c.cache.name)).to.deep.equal(['stream cache']);
			b.command([INV_STREAM, 1], SYNC);
			writes(b, 1, IOVA + 8);
			expect(b.machine.ram.readWord(PAGE_B + 8)).to.equal(0x04030201);
		});

		it('are empty after ENABLE went through 0', () => {
			const b = enabled();
			b.map(5, IOVA, PAGE_A);
			reads(b, 1, IOVA);
			b.w(REG.CTRL, 0);
			b.machine.advance(1000);
			expect(b.r(REG.STATUS)).to.equal(0);
			expect(b.machine.iommu.caches().map((cache) => cache.size)).to.deep.equal([0, 0, 0]);
		});
	});

	describe('commands', () => {
		it('go round the ring, many times', () => {
			const b = enabled();
			for (let i = 0; i < 40; i++) b.command([INV_DOMAIN, 5], SYNC);
			expect(b.r(REG.CMDQ_CONS)).to.equal(80 % 16);
		});

		it('stop at one that there is not, which is skipped when COMMAND is cleared', () => {
			const b = enabled();
			b.command([9], SYNC);
			expect([b.r(REG.INT_STATUS), b.r(REG.CMDQ_CONS)]).to.deep.equal([4, 0]);
			b.w(REG.INT_STATUS, 4);
			b.machine.advance(10_000);
			expect([b.r(REG.INT_STATUS), b.r(REG.CMDQ_CONS)]).to.deep.equal([0, 2]);
		});

		it('are not skipped when COMMAND is cleared and none was refused, or that one is gone', () => {
			const b = enabled();
			b.machine.iommu.stuck.add('commands');
			b.command(SYNC);
			b.w(REG.INT_STATUS, 7);
			expect(b.r(REG.CMDQ_CONS)).to.equal(0);
			b.machine.iommu.stuck.clear();
			b.command([9]);
			expect([b.r(REG.INT_STATUS), b.r(REG.CMDQ_CONS)]).to.deep.equal([4, 1]);
			b.w(REG.CMDQ_SIZE, 3);
			b.w(REG.CMDQ_PROD, 1);
			b.w(REG.INT_STATUS, 4);
			expect(b.r(REG.CMDQ_CONS)).to.equal(0);
			b.machine.advance(10_000);
			expect(b.r(REG.CMDQ_CONS)).to.equal(1);
		});

		for (const word of [0, 5, 0x101, 0x102, 0x104, 0x203, 0x8000_0003])
			it(`have nothing else in word 0: 0x${word.toString(16)} is refused`, () => {
				const b = enabled();
				b.command([word]);
				expect([b.r(REG.INT_STATUS), b.r(REG.CMDQ_CONS)]).to.deep.equal([4, 0]);
			});

		it('are not executed while they are made to be stuck', () => {
			const b = enabled();
			b.machine.iommu.stuck.add('commands');
			b.command(SYNC);
			expect(b.r(REG.CMDQ_CONS)).to.equal(0);
		});
	});

	describe('events', () => {
		it('are lost when the queue is full, and that is said', () => {
			const b = enabled();
			for (let i = 0; i < 9; i++) reads(b, 1, IOVA);
			expect([b.r(REG.EVTQ_PROD), b.r(REG.INT_STATUS)]).to.deep.equal([8, 3]);
			b.w(REG.EVTQ_CONS, 8);
			b.w(REG.INT_STATUS, 3);
			reads(b, 1, IOVA);
			expect([b.r(REG.EVTQ_PROD), b.r(REG.INT_STATUS)]).to.deep.equal([9, 1]);
		});
	});

	describe('inspection', () => {
		it('explains stream table, tables, and what the caches hold', () => {
			const b = enabled();
			b.map(5, IOVA, PAGE_A, 1);
			reads(b, 1, IOVA);
			const { steps, leaf, state, text } = b.machine.iommu.explain(1, IOVA + 4);
			expect(state).to.equal('translate');
			expect(steps.map(({ table, index, kind }) => [table, index, kind])).to.deep.equal([
				['STREAM', 1, 'table'],
				['L1', 0x48, 'table'],
				['L2', 0x345, 'page'],
			]);
			expect([leaf.phys, leaf.rights, leaf.size]).to.deep.equal([PAGE_A + 4, READ, 0x1000]);
			expect(text.replace(/since \d+\.\d{6}/g, 'since T')).to.equal(
				[
					'iova 0x12345004, stream 1: translate',
					'  STREAM[0x01] at 0x40100008: 0x0004011500000505, valid, domain 5, root 0x40115000',
					'    stream cache: 0x0004011500000505, since T (walk, stream 1 at 0x12345000)',
					'  L1[0x048] at 0x40115120: 0x00416481, valid',
					'    level-1 cache: 0x00416481, since T (walk, stream 1 at 0x12345000)',
					'  L2[0x345] at 0x41648d14: 0x00404003, valid',
					'    TLB: 0x00404003, since T (walk, stream 1 at 0x12345000)',
					'  -> 0x40400004: may read',
				].join('\n'),
			);
		});

		it('says what a page and a table no longer agree in', () => {
			const b = enabled();
			b.map(5, IOVA, PAGE_A);
			reads(b, 1, IOVA);
			b.unmap(5, IOVA);
			expect(b.machine.iommu.contradictions()[0].text).to.match(
				/^TLB has 0x00404007, since 0\.\d{6} \(walk, stream 1 at 0x12345000\) for 0x12345000\+0x1000, the tables in memory say 0x00000000$/,
			);
			expect(b.machine.iommu.contradictions(0, IOVA - 1)).to.deep.equal([]);
		});
	});

	it('hides a forgotten command under the optimistic policy, some of the time, the same each run', () => {
		expectFinding(/stale-tlb/);
		const run = (seed: number): string => {
			const b = enabled({ policy: 'optimistic', seed });
			b.map(5, IOVA, PAGE_A);
			reads(b, 1, IOVA);
			b.unmap(5, IOVA);
			return Array.from({ length: 8 }, () => reads(b, 1, IOVA)).join(' ');
		};
		expect(run(3)).to.contain('false');
		expect(run(3)).to.equal(run(3));
	});
});
