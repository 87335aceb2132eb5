// SPDX-License-Identifier: GPL-2.0-only
// Registers and faults of the H6's IOMMU model.
// Offsets and bits: sun50i-h6-iommu.json (Linux 6.12, drivers/iommu/sun50i-iommu.c). Reset values: INVARIANTS.md,
// "Hardware facts", for six masters.
import { expect } from 'chai';
import type { Machine, MachineOptions } from '#hw/core/machine.js';
import { Machine as MachineClass } from '#hw/core/machine.js';
import { figure, type Iommu, READ } from '#hw/iommu/iommu.js';
import type { TestMaster } from '#hw/misc/test-master.js';
import { blobOf, poke, RAM } from '#tests/hw/board.js';
import {
	DIRECTORY,
	enableIommu,
	flushAll,
	h6,
	h6Tree,
	IOMMU,
	IOMMU_INTID,
	mapPage,
	powerIommu,
	readIommu,
	unmapPage,
	waitClear,
	writeIommu,
	zapDirectory,
	zapPage,
} from '#tests/hw/h6.js';
import { expectFinding } from '#tests/setup.js';

const RESET = 0x010;
const ENABLE = 0x020;
const BYPASS = 0x030;
const AUTO_GATING = 0x040;
const TTB = 0x050;
const TLB_ENABLE = 0x060;
const TLB_PREFETCH = 0x070;
const TLB_FLUSH = 0x080;
const TLB_IVLD_ENABLE = 0x098;
const DM_AUT_CTRL = 0x0b0;
const DM_AUT_OVWT = 0x0d0;
const INT_ENABLE = 0x100;
const INT_CLR = 0x104;
const INT_STA = 0x108;
const INT_ERR_ADDR = 0x110;
const INT_ERR_ADDR_L1 = 0x130;
const INT_ERR_ADDR_L2 = 0x134;
const INT_ERR_DATA = 0x150;
const L1PG_INT = 0x180;
const L2PG_INT = 0x184;

const IOVA = 0x12345000;
const PAGE_A = RAM + 0x400000;
const PAGE_B = RAM + 0x500000;
/** Caches only what was asked for, and keeps it. */
const PLAIN = { neighbours: 1, prefetch: false };

const master = (machine: Machine, m: number): TestMaster => machine.model(`m${m}`) as TestMaster;

/** What became of an access by master @m: the fault registers tell. */
function access(machine: Machine, m: number, addr: number, write = false): string {
	const test = master(machine, m);
	const ok = write ? test.store(addr, Uint8Array.of(1, 2, 3, 4)) : test.fetch(addr, 4) !== null;
	if (ok) return 'done';
	const status = readIommu(machine, INT_STA);
	if (status & 0x10000) return 'L1';
	if (status & 0x20000) return 'L2';
	return status & (1 << m) ? 'permission' : 'no answer';
}

/** As the driver's interrupt handler ends: status cleared, blamed masters reset. */
function recover(machine: Machine): void {
	writeIommu(machine, INT_CLR, readIommu(machine, INT_STA));
	writeIommu(machine, RESET, 0xffffffc0);
	writeIommu(machine, RESET, 0xffffffff);
}

function enabled(options: MachineOptions = {}): Machine {
	const machine = h6(options);
	enableIommu(machine);
	return machine;
}

function word(machine: Machine, phys: number): number {
	return machine.memory.readWord(phys);
}

/** How much each cache holds: six micro TLBs, macro TLB, walk cache. */
const sizes = (iommu: Iommu): number[] => iommu.caches().map((cache) => cache.size);
const macro = (iommu: Iommu) => [
	...iommu
		.caches()
		.find(({ name }) => name === 'macro TLB')!
		.entries(),
];

describe('sun50i_h6_iommu', () => {
	describe('registers', () => {
		const resets: [string, number, number][] = [
			['RESET', RESET, 0x8003003f],
			['ENABLE', ENABLE, 0],
			['BYPASS', BYPASS, 0],
			['AUTO_GATING', AUTO_GATING, 1],
			['TTB', TTB, 0],
			['TLB_ENABLE', TLB_ENABLE, 0x3003f],
			['TLB_PREFETCH', TLB_PREFETCH, 0],
			['TLB_FLUSH', TLB_FLUSH, 0],
			['DM_AUT_CTRL[0]', DM_AUT_CTRL, 0],
			['INT_ENABLE', INT_ENABLE, 0],
			['INT_STA', INT_STA, 0],
		];
		for (const [name, offset, value] of resets)
			it(`has 0x${value.toString(16)} in ${name} at reset`, () => {
				const machine = h6();
				powerIommu(machine);
				expect(readIommu(machine, offset)).to.equal(value);
			});

		it('drops bits 13:0 of the root', () => {
			const machine = h6();
			powerIommu(machine);
			// Written and read back on a sister chip (INVARIANTS.md).
			writeIommu(machine, TTB, 0xdeadb000);
			expect(readIommu(machine, TTB)).to.equal(0xdead8000);
		});

		it('ignores writes to status, address, data and blame registers', () => {
			const machine = h6();
			powerIommu(machine);
			for (const offset of [
				INT_STA,
				INT_ERR_ADDR,
				INT_ERR_ADDR_L1,
				INT_ERR_ADDR_L2,
				INT_ERR_DATA,
				L1PG_INT,
				L2PG_INT,
			]) {
				writeIommu(machine, offset, 0xffffffff);
				expect(readIommu(machine, offset), `0x${offset.toString(16)}`).to.equal(0);
			}
		});

		it('reads zero and loses writes without its clock', () => {
			expectFinding(/unpowered-access/);
			const machine = h6();
			writeIommu(machine, TTB, DIRECTORY);
			expect(readIommu(machine, TLB_ENABLE)).to.equal(0);
			powerIommu(machine);
			expect(readIommu(machine, TTB)).to.equal(0);
			expect(machine.notes.map((n) => n.text).join()).to.contain('clock BUS_IOMMU (0x7bc bit 0) is off');
		});

		it('loses everything when its reset is asserted', () => {
			const machine = enabled();
			machine.mmio_write(0x30017bc, 4, 1);
			powerIommu(machine);
			expect(readIommu(machine, ENABLE)).to.equal(0);
			expect(readIommu(machine, TTB)).to.equal(0);
		});
	});

	describe('translation', () => {
		it('passes addresses through while it is off', () => {
			const machine = h6();
			expect(master(machine, 0).store(PAGE_A, Uint8Array.of(0xaa))).to.equal(true);
			expect(word(machine, PAGE_A)).to.equal(0xaa);
		});

		it('leads to the page that the tables name, for reads and writes', () => {
			const machine = enabled();
			mapPage(machine, IOVA, PAGE_A);
			expect(access(machine, 3, IOVA + 0x10, true)).to.equal('done');
			expect(word(machine, PAGE_A + 0x10)).to.equal(0x04030201);
			expect([...master(machine, 3).fetch(IOVA + 0x10, 4)!]).to.deep.equal([1, 2, 3, 4]);
		});

		it('crosses pages that are not next to each other', () => {
			const machine = enabled();
			mapPage(machine, IOVA, PAGE_B);
			mapPage(machine, IOVA + 0x1000, PAGE_A);
			expect(access(machine, 3, IOVA + 0xffe, true)).to.equal('done');
			expect(word(machine, PAGE_B + 0xffc)).to.equal(0x02010000);
			expect(word(machine, PAGE_A)).to.equal(0x0403);
		});

		it('walks the last page of the address space', () => {
			const machine = enabled();
			mapPage(machine, 0xfffff000, PAGE_A);
			expect(access(machine, 0, 0xfffffffc, true)).to.equal('done');
			expect(word(machine, PAGE_A + 0xffc)).to.equal(0x04030201);
		});

		it('lets a master that bypasses through, and only that', () => {
			const machine = enabled();
			writeIommu(machine, BYPASS, 1 << 3);
			expect(access(machine, 3, PAGE_A, true)).to.equal('done');
			expect(word(machine, PAGE_A)).to.equal(0x04030201);
			expect(access(machine, 0, PAGE_A)).to.equal('L1');
		});

		it('reads tables from memory, not from the CPU cache', () => {
			expectFinding(/dirty-table/);
			const machine = enabled();
			mapPage(machine, IOVA, PAGE_A);
			const entry = machine.iommu.explain(0, IOVA).steps[1].addr;
			machine.memory.linear(entry, 4)!.fill(0);
			expect(access(machine, 0, IOVA)).to.equal('done');
			machine.memory.clean(entry, 4);
			flushAll(machine);
			expect(access(machine, 0, IOVA)).to.equal('L2');
		});

		it('refuses a master that is held in reset', () => {
			const machine = enabled();
			mapPage(machine, IOVA, PAGE_A);
			writeIommu(machine, RESET, 0x8003003f & ~(1 << 2));
			expect(access(machine, 2, IOVA)).to.equal('no answer');
			writeIommu(machine, RESET, 0xffffffff);
			expect(access(machine, 2, IOVA)).to.equal('done');
		});

		it('refuses everybody when its clock stops while translation is on', () => {
			const machine = enabled();
			mapPage(machine, IOVA, PAGE_A);
			machine.mmio_write(0x30017bc, 4, 0x10000);
			expect(master(machine, 0).fetch(IOVA, 4)).to.equal(null);
			expect(machine.notes.at(-1)!.text).to.equal(
				'an access by DE hangs: translation is on, but the block has no clock',
			);
		});
	});

	describe('permissions', () => {
		// ACI of a page, and what masters may do: permissions.prot_to_aci, with both domains of 0xb4 kept.
		const cases: [string, number, string, string][] = [
			['nothing', 1, 'permission', 'permission'],
			['reading', 2, 'done', 'permission'],
			['writing', 3, 'permission', 'done'],
			['both', 4, 'done', 'done'],
		];
		for (const [what, aci, reads, writes] of cases)
			it(`allows ${what} in domain ${aci}`, () => {
				for (const [write, result] of [
					[false, reads],
					[true, writes],
				] as const) {
					const machine = enabled();
					mapPage(machine, IOVA, PAGE_A, aci);
					expect(access(machine, 5, IOVA, write)).to.equal(result);
				}
			});

		it('leaves a read-only page writable when the second write to 0xb4 wipes the first', () => {
			const machine = enabled();
			writeIommu(machine, DM_AUT_CTRL + 4, 0x05550000);
			mapPage(machine, IOVA, PAGE_A, 2);
			expect(access(machine, 0, IOVA, true)).to.equal('done');
		});

		it('tells masters and directions apart', () => {
			const machine = enabled();
			// Domain 4 is the lower half of word 2: master 1 may not write.
			writeIommu(machine, DM_AUT_CTRL + 8, 1 << 3);
			mapPage(machine, IOVA, PAGE_A, 4);
			expect(access(machine, 1, IOVA)).to.equal('done');
			expect(access(machine, 0, IOVA, true)).to.equal('done');
			expect(access(machine, 1, IOVA, true)).to.equal('permission');
		});

		it('has the override rule over all domains', () => {
			const machine = enabled();
			mapPage(machine, IOVA, PAGE_A, 1);
			writeIommu(machine, DM_AUT_OVWT, 0x80000000);
			expect(access(machine, 0, IOVA, true)).to.equal('done');
			writeIommu(machine, DM_AUT_OVWT, 0x80000002);
			expect(access(machine, 0, IOVA, true)).to.equal('permission');
		});
	});

	describe('faults', () => {
		it('reports a level-1 fault: address, blame, and nothing per master', () => {
			const machine = enabled();
			expect(access(machine, 3, 0x70001234)).to.equal('L1');
			expect(readIommu(machine, INT_STA)).to.equal(0x10000);
			expect(readIommu(machine, INT_ERR_ADDR_L1)).to.equal(0x70001234);
			expect(readIommu(machine, L1PG_INT)).to.equal(1 << 3);
			expect(readIommu(machine, INT_ERR_ADDR + 12)).to.equal(0);
			expect(readIommu(machine, L2PG_INT)).to.equal(0);
		});

		it('reports a level-2 fault: address and blame', () => {
			const machine = enabled();
			mapPage(machine, IOVA, PAGE_A);
			expect(access(machine, 1, IOVA + 0x3004)).to.equal('L2');
			expect(readIommu(machine, INT_STA)).to.equal(0x20000);
			expect(readIommu(machine, INT_ERR_ADDR_L2)).to.equal(IOVA + 0x3004);
			expect(readIommu(machine, L2PG_INT)).to.equal(1 << 1);
		});

		it('reports a permission fault by master, with the page entry', () => {
			const machine = enabled();
			mapPage(machine, IOVA, PAGE_A, 2);
			access(machine, 5, IOVA + 8, true);
			expect(readIommu(machine, INT_STA)).to.equal(1 << 5);
			expect(readIommu(machine, INT_ERR_ADDR + 20)).to.equal(IOVA + 8);
			expect(readIommu(machine, INT_ERR_DATA + 20)).to.equal((PAGE_A | 0x22) >>> 0);
		});

		it('changes no memory when it refuses a write', () => {
			const machine = enabled();
			mapPage(machine, IOVA, PAGE_A, 2);
			poke(machine, PAGE_A, 0x55555555);
			access(machine, 5, IOVA, true);
			expect(word(machine, PAGE_A)).to.equal(0x55555555);
		});

		it('latches several before the handler runs', () => {
			const machine = enabled();
			mapPage(machine, IOVA, PAGE_A, 1);
			access(machine, 0, IOVA);
			access(machine, 2, IOVA, true);
			access(machine, 4, IOVA + 0x5000);
			access(machine, 5, 0x90000000);
			expect(readIommu(machine, INT_STA)).to.equal(0x30005);
			expect(machine.iommu.faults.map((f) => `${f.what}:${f.stream}`)).to.deep.equal([
				'permission:0',
				'permission:2',
				'L2:4',
				'L1:5',
			]);
		});

		it('clears by ones in INT_CLR: status, and the blame that belongs to it', () => {
			const machine = enabled();
			access(machine, 0, 0x90000000);
			mapPage(machine, IOVA, PAGE_A);
			access(machine, 1, IOVA + 0x1000);
			writeIommu(machine, INT_CLR, 0x10000);
			expect(readIommu(machine, INT_STA)).to.equal(0x20000);
			expect(readIommu(machine, L1PG_INT)).to.equal(0);
			expect(readIommu(machine, L2PG_INT)).to.equal(2);
			expect(readIommu(machine, INT_CLR)).to.equal(0);
			writeIommu(machine, INT_CLR, 0x20000);
			expect(readIommu(machine, INT_STA)).to.equal(0);
			expect(readIommu(machine, L2PG_INT)).to.equal(0);
		});

		it('gives a master that faulted no answer until its reset, and others are not disturbed', () => {
			const machine = enabled();
			mapPage(machine, IOVA, PAGE_A);
			access(machine, 3, 0x90000000);
			writeIommu(machine, INT_CLR, 0x3003f);
			expect(access(machine, 3, IOVA)).to.equal('no answer');
			expect(access(machine, 0, IOVA)).to.equal('done');
			writeIommu(machine, RESET, 0xfffffff7);
			writeIommu(machine, RESET, 0xffffffff);
			expect(access(machine, 3, IOVA)).to.equal('done');
		});

		it('pulls its interrupt line while an enabled status bit is set', () => {
			const machine = enabled();
			const pending = () =>
				(machine.controller.lines.pendingWord(IOMMU_INTID >>> 5) >>> (IOMMU_INTID & 31)) & 1;
			writeIommu(machine, INT_ENABLE, 0x2003f);
			access(machine, 3, 0x90000000);
			expect(pending()).to.equal(0);
			writeIommu(machine, INT_ENABLE, 0x3003f);
			expect(pending()).to.equal(1);
			writeIommu(machine, INT_CLR, 0x3003f);
			expect(pending()).to.equal(0);
		});
	});

	describe('caches', () => {
		it('serves a stale page until a flush has ended', () => {
			expectFinding(/stale-tlb/);
			const machine = enabled({ habits: PLAIN });
			mapPage(machine, IOVA, PAGE_A);
			expect(access(machine, 0, IOVA)).to.equal('done');
			unmapPage(machine, IOVA);
			expect(access(machine, 0, IOVA, true)).to.equal('done');
			expect(word(machine, PAGE_A)).to.equal(0x04030201);
			writeIommu(machine, TLB_FLUSH, 0x3003f);
			expect(access(machine, 0, IOVA)).to.equal('done');
			expect(waitClear(machine, TLB_FLUSH)).to.equal(1);
			expect(access(machine, 0, IOVA)).to.equal('L2');
		});

		it('flushes exactly the caches whose bits are written', () => {
			const machine = enabled({ habits: PLAIN });
			mapPage(machine, IOVA, PAGE_A);
			access(machine, 0, IOVA);
			access(machine, 1, IOVA);
			writeIommu(machine, TLB_FLUSH, 0x1);
			waitClear(machine, TLB_FLUSH);
			let cached = sizes(machine.iommu);
			expect([cached[0], cached[1], cached[6], cached[7]]).to.deep.equal([0, 1, 1, 1]);
			writeIommu(machine, TLB_FLUSH, 0x20002);
			waitClear(machine, TLB_FLUSH);
			cached = sizes(machine.iommu);
			expect([cached[1], cached[6], cached[7]]).to.deep.equal([0, 1, 0]);
		});

		it('invalidates one page in all TLBs, and not its neighbour', () => {
			expectFinding(/stale-tlb/);
			const machine = enabled({ habits: PLAIN });
			for (const at of [IOVA, IOVA + 0x1000]) {
				mapPage(machine, at, PAGE_A);
				access(machine, 0, at);
				access(machine, 5, at);
				unmapPage(machine, at);
			}
			zapPage(machine, IOVA);
			expect(access(machine, 5, IOVA + 0x1000)).to.equal('done');
			expect(access(machine, 0, IOVA)).to.equal('L2');
		});

		it('invalidates all pages that agree in the bits of the mask', () => {
			const machine = enabled({ habits: PLAIN });
			for (const at of [IOVA, IOVA + 0x1000, IOVA + 0x20000]) {
				mapPage(machine, at, PAGE_A);
				access(machine, 0, at);
			}
			zapPage(machine, IOVA, 0xffff0000);
			expect(macro(machine.iommu).map((e) => e.iova)).to.deep.equal([IOVA + 0x20000]);
		});

		it('loses an invalidation while automatic gating is on (pessimistic)', () => {
			const machine = enabled({ habits: PLAIN });
			mapPage(machine, IOVA, PAGE_A);
			access(machine, 0, IOVA);
			writeIommu(machine, 0x090, IOVA);
			writeIommu(machine, 0x094, 0xfffff000);
			writeIommu(machine, TLB_IVLD_ENABLE, 1);
			waitClear(machine, TLB_IVLD_ENABLE);
			expect(macro(machine.iommu)).to.have.length(1);
		});

		it('keeps an invalid page entry until it is invalidated', () => {
			expectFinding(/stale-negative/);
			const machine = enabled({ habits: PLAIN });
			mapPage(machine, IOVA, PAGE_A);
			expect(access(machine, 0, IOVA + 0x1000)).to.equal('L2');
			recover(machine);
			mapPage(machine, IOVA + 0x1000, PAGE_B);
			expect(access(machine, 0, IOVA + 0x1000)).to.equal('L2');
			recover(machine);
			zapPage(machine, IOVA + 0x1000);
			expect(access(machine, 0, IOVA + 0x1000)).to.equal('done');
		});

		it('keeps a directory word in the walk cache until that is invalidated', () => {
			expectFinding(/stale-negative/);
			const machine = enabled({ habits: PLAIN });
			expect(access(machine, 0, IOVA)).to.equal('L1');
			recover(machine);
			mapPage(machine, IOVA, PAGE_A);
			zapPage(machine, IOVA);
			expect(access(machine, 0, IOVA)).to.equal('L1');
			recover(machine);
			zapDirectory(machine, IOVA);
			expect(access(machine, 0, IOVA)).to.equal('done');
		});

		it('looks one page ahead for masters with prefetch on, also when that page is invalid', () => {
			expectFinding(/stale-negative/);
			const machine = enabled({ habits: { neighbours: 1 } });
			mapPage(machine, IOVA, PAGE_A);
			access(machine, 0, IOVA);
			expect(figure(machine.iommu, 'prefetches', 0)).to.equal(1);
			mapPage(machine, IOVA + 0x1000, PAGE_B);
			expect(access(machine, 0, IOVA + 0x1000)).to.equal('L2');
			expect(readIommu(machine, INT_STA)).to.equal(0x20000);
		});

		it('does not look ahead for a master with prefetch off', () => {
			const machine = enabled({ habits: { neighbours: 1 } });
			writeIommu(machine, TLB_PREFETCH, 0x3e);
			mapPage(machine, IOVA, PAGE_A);
			access(machine, 0, IOVA);
			expect(macro(machine.iommu)).to.have.length(1);
		});

		it('brings in the valid neighbours of a page with one walk', () => {
			const machine = enabled({ habits: { prefetch: false } });
			for (const at of [IOVA - 0x1000, IOVA, IOVA + 0x1000]) mapPage(machine, at, PAGE_A);
			access(machine, 0, IOVA);
			expect(
				macro(machine.iommu)
					.map((e) => `${(e.iova % 0x100000).toString(16)} ${e.reason}`)
					.sort(),
			).to.deep.equal(['44000 neighbour', '45000 walk', '46000 neighbour']);
		});

		it('walks each time when its caches are off', () => {
			const machine = enabled({ habits: PLAIN });
			writeIommu(machine, TLB_ENABLE, 0);
			mapPage(machine, IOVA, PAGE_A);
			access(machine, 0, IOVA);
			unmapPage(machine, IOVA);
			expect(access(machine, 0, IOVA)).to.equal('L2');
			expect(figure(machine.iommu, 'table walks', 0)).to.equal(2);
		});

		it('counts hits and walks by master', () => {
			const machine = enabled({ habits: PLAIN });
			mapPage(machine, IOVA, PAGE_A);
			for (const m of [0, 0, 0, 4]) access(machine, m, IOVA);
			const names = ['accesses', 'micro TLB hits', 'macro TLB hits', 'table walks'];
			expect(names.map((name) => figure(machine.iommu, name, 0))).to.deep.equal([3, 2, 0, 1]);
			expect(figure(machine.iommu, 'macro TLB hits', 4)).to.equal(1);
			expect(figure(machine.iommu, 'accesses')).to.equal(4);
		});

		it('never ends a flush that is made to be stuck', () => {
			const machine = enabled();
			machine.iommu.stuck.add('flush');
			writeIommu(machine, TLB_FLUSH, 0x3003f);
			machine.advance(1e9);
			expect(readIommu(machine, TLB_FLUSH)).to.equal(0x3003f);
		});

		it('hides a missing invalidation under the optimistic policy, some of the time, the same each run', () => {
			expectFinding(/stale-tlb/);
			const run = (policy: 'optimistic' | 'pessimistic', seed: number): string => {
				const machine = enabled({ policy, seed });
				mapPage(machine, IOVA, PAGE_A);
				access(machine, 0, IOVA);
				unmapPage(machine, IOVA);
				const results: string[] = [];
				for (let i = 0; i < 8; i++) {
					results.push(access(machine, 0, IOVA));
					recover(machine);
				}
				return results.join(' ');
			};
			expect(run('pessimistic', 3)).to.equal('done done done done done done done done');
			expect(run('optimistic', 3)).to.contain('L2');
			expect(run('optimistic', 3)).to.equal(run('optimistic', 3));
		});
	});

	describe('H616 variant', () => {
		function h616(): Machine {
			const tree = h6Tree();
			const iommu = { ...(tree['iommu@30f0000'] as object), compatible: 'allwinner,sun50i-h616-iommu' };
			return new MachineClass(blobOf({ ...tree, 'iommu@30f0000': iommu } as never), { habits: PLAIN });
		}

		it('has seven masters, all of them bypassing at reset', () => {
			const machine = h616();
			powerIommu(machine);
			expect(readIommu(machine, BYPASS)).to.equal(0x7f);
			expect(readIommu(machine, TLB_ENABLE)).to.equal(0x3007f);
			expect(readIommu(machine, 0x000)).to.equal(0x12);
		});

		it('invalidates from start to end when that mode is selected', () => {
			const machine = h616();
			enableIommu(machine);
			for (let page = 0; page < 4; page++) {
				mapPage(machine, IOVA + 0x1000 * page, PAGE_A);
				access(machine, 0, IOVA + 0x1000 * page);
			}
			writeIommu(machine, AUTO_GATING, 0);
			writeIommu(machine, 0x084, 1);
			writeIommu(machine, 0x088, IOVA + 0x1000);
			writeIommu(machine, 0x08c, IOVA + 0x2000);
			writeIommu(machine, TLB_IVLD_ENABLE, 1);
			waitClear(machine, TLB_IVLD_ENABLE);
			expect(macro(machine.iommu).map((e) => e.iova - IOVA)).to.deep.equal([0, 0x3000]);
		});
	});

	describe('inspection', () => {
		it('finds no contradiction after correct operation', () => {
			const machine = enabled();
			mapPage(machine, IOVA, PAGE_A);
			access(machine, 0, IOVA);
			expect(machine.iommu.contradictions()).to.deep.equal([]);
		});

		it('names a stale entry in each cache that has it, with who brought it', () => {
			const machine = enabled({ habits: PLAIN });
			mapPage(machine, IOVA, PAGE_A);
			access(machine, 3, IOVA + 4);
			unmapPage(machine, IOVA);
			const found = machine.iommu.contradictions();
			expect(found.map((c) => c.cache.name)).to.deep.equal(['micro TLB of VE', 'macro TLB']);
			expect(found[1].entry.stream).to.equal(3);
			expect(found[1].entry.at).to.equal(IOVA + 4);
			expect(found[1].text).to.match(
				/^macro TLB has 0x40400042, since 0\.\d{6} \(walk, VE at 0x12345004\) for 0x12345000\+0x1000, the tables in memory say 0x00000000$/,
			);
			expect(machine.iommu.contradictions(0, IOVA - 1)).to.deep.equal([]);
		});

		it('names a directory word in the walk cache that has changed', () => {
			const machine = enabled({ habits: PLAIN });
			mapPage(machine, IOVA, PAGE_A);
			access(machine, 3, IOVA);
			poke(machine, DIRECTORY + 4 * 0x123, 0);
			expect(machine.iommu.contradictions().map((c) => c.cache.name)).to.include('walk cache');
		});

		it('names a cached negative entry for a page that is mapped now', () => {
			const machine = enabled({ habits: PLAIN });
			mapPage(machine, IOVA, PAGE_A);
			access(machine, 3, IOVA + 0x1000);
			mapPage(machine, IOVA + 0x1000, PAGE_B);
			expect(machine.iommu.contradictions().map((c) => c.invariant)).to.deep.equal([
				'INV-TLB-MAP',
				'INV-TLB-MAP',
			]);
		});

		it('explains a walk: indices, entries, both views, caches', () => {
			const machine = enabled({ habits: PLAIN });
			mapPage(machine, IOVA, PAGE_A, 2);
			access(machine, 3, IOVA);
			const entry = RAM + 0x200000 + 0x400 * 0x123 + 4 * 0x45;
			machine.memory.linear(entry, 4)!.fill(0);
			const { text, leaf, steps } = machine.iommu.explain(3, IOVA + 4);
			expect(leaf.phys).to.equal(PAGE_A + 4);
			expect(leaf.rights).to.equal(READ);
			expect(steps[1].fields.find(({ name }) => name === 'ACI')!.value).to.equal(2n);
			expect(steps[1].dirty).to.equal(true);
			expect(text.replace(/since \d+\.\d{6}/g, 'since T')).to.equal(
				[
					'iova 0x12345004, master 3 (VE), directory at 0x40100000',
					'  DT[0x123] at 0x4010048c: 0x40248c01, valid',
					'    walk cache: 0x40248c01, since T (walk, VE at 0x12345000)',
					"  PT[0x45] at 0x40248d14: 0x40400022 in memory, 0x00000000 in the CPU's cache (dirty, not written back), valid",
					'    micro TLB of VE: 0x40400022, since T (shared, VE at 0x12345000)',
					'    macro TLB: 0x40400022, since T (walk, VE at 0x12345000)',
					'  -> 0x40400004, domain 2: may read, may not write',
				].join('\n'),
			);
		});

		it('names its registers and masters in the bus trace', () => {
			const machine = h6();
			powerIommu(machine);
			const lines: string[] = [];
			machine.bus.trace = (event) => lines.push(event.text());
			machine.mmio_write(IOMMU + 0x108 - 8, 4, 0x10001);
			expect(lines).to.deep.equal([
				'W 30f0000.iommu INT_ENABLE (0x100) = 0x10001 [DE=0x1 VE_R=0x0 DI=0x0 VE=0x0 CSI=0x0 VP9=0x0 L1=0x1 L2=0x0]',
			]);
		});
	});
});
