// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import type { Machine, MachineOptions } from '#hw/core/machine.js';
import type { TestMaster } from '#hw/misc/test-master.js';
import { RAM } from '#tests/hw/board.js';
import { EduBench } from '#tests/hw/edu.js';
import { enableIommu, flushAll, h6, mapPage, readIommu, unmapPage, writeIommu } from '#tests/hw/h6.js';
import { Dmasan } from '#watch/dmasan.js';

const IOVA = 0x12345000;
const PAGE = RAM + 0x400000;
const PLAIN: MachineOptions = { habits: { neighbours: 1, prefetch: false } };

const master = (machine: Machine, m: number): TestMaster => machine.model(`m${m}`) as TestMaster;

function setup() {
	const machine = h6(PLAIN);
	enableIommu(machine);
	return { machine, san: new Dmasan(machine) };
}

const kinds = (san: Dmasan): string[] => san.reports.map((r) => `${r.invariant} ${r.kind} ${r.device}`);

describe('dmasan', () => {
	it('says nothing about correct work', () => {
		const { machine, san } = setup();
		mapPage(machine, IOVA, PAGE);
		machine.memory.linear(PAGE, 64)!.fill(7);
		machine.memory.clean(PAGE, 64);
		master(machine, 3).fetch(IOVA, 64);
		master(machine, 3).store(IOVA + 64, new Uint8Array(64));
		machine.memory.invalidate(PAGE + 64, 64);
		unmapPage(machine, IOVA);
		flushAll(machine);
		master(machine, 3).fetch(IOVA, 4);
		expect(san.check('the unmap')).to.equal(0);
		expect(san.text()).to.equal('');
	});

	it('reports an access that a stale entry let through, with the whole walk', () => {
		const { machine, san } = setup();
		mapPage(machine, IOVA, PAGE);
		master(machine, 3).fetch(IOVA, 4);
		unmapPage(machine, IOVA);
		master(machine, 3).store(IOVA, Uint8Array.of(1));
		master(machine, 3).store(IOVA, Uint8Array.of(1));
		expect(kinds(san)).to.deep.equal(['INV-TLB-UNMAP stale-tlb 30f0000.iommu']);
		expect(san.reports[0].count).to.equal(2);
		expect(san.text()).to.match(
			/^=+\nBUG: DMASAN: stale-tlb in write by VE at 0x12345000\nINV-TLB-UNMAP, found at the access, in 30f0000\.iommu at 0\.\d{6}\nWrite of size 1 at address 0x12345000 \(physical 0x40400000\)\n/,
		);
		expect(san.text()).to.contain(
			'VE was answered from a cached entry 0x40400042; the tables in memory say that nothing is mapped there',
		);
		expect(san.text()).to.contain('micro TLB of VE: 0x40400042');
	});

	it('reports a fault that only a cached invalid entry made', () => {
		const { machine, san } = setup();
		mapPage(machine, IOVA, PAGE);
		master(machine, 3).fetch(IOVA + 0x1000, 4);
		writeIommu(machine, 0x104, readIommu(machine, 0x108));
		writeIommu(machine, 0x010, 0xffffffc0);
		writeIommu(machine, 0x010, 0xffffffff);
		mapPage(machine, IOVA + 0x1000, PAGE);
		expect(kinds(san)).to.deep.equal([]);
		master(machine, 3).fetch(IOVA + 0x1000, 4);
		expect(kinds(san)).to.deep.equal(['INV-TLB-MAP stale-negative 30f0000.iommu']);
	});

	it('reports an access that passes, or is refused, by what is cached of its stream', () => {
		const bypass = 1 | (1 << 1);
		const b = new EduBench().enable();
		const san = new Dmasan(b.machine);
		b.stream(1, bypass);
		b.master(1).fetch(PAGE, 4);
		expect(san.text()).to.equal('');
		b.translates(1, 5);
		b.master(1).fetch(PAGE, 4);
		b.translates(2, 6);
		b.master(2).fetch(PAGE, 4);
		b.stream(2, bypass);
		b.master(2).fetch(PAGE, 4);
		expect(kinds(san)).to.deep.equal(Array(2).fill('INV-PTW stale-stream 3100000.iommu'));
		expect(san.reports[0].text).to.contain(
			'stream 1 was passed untranslated by what is cached of the stream; what is set up for it is: translate',
		);
		expect(san.reports[1].text).to.contain(
			'stream 2 was refused by what is cached of the stream; what is set up for it is: bypass',
		);
	});

	it('shows the walk of the access that brought a stale record of a stream in', () => {
		const b = new EduBench().enable();
		const san = new Dmasan(b.machine);
		b.translates(2, 6);
		b.map(6, IOVA, PAGE);
		b.master(2).fetch(IOVA, 4);
		b.translates(2, 7);
		expect(san.check('the test')).to.equal(1);
		expect(san.text()).to.contain('stream cache has 0x0004011600000605, since');
		expect(san.text()).to.contain('iova 0x12345000, stream 2');
	});

	it('finds stale entries before anybody uses them, when it is asked after an operation', () => {
		const { machine, san } = setup();
		mapPage(machine, IOVA, PAGE);
		master(machine, 3).fetch(IOVA, 4);
		unmapPage(machine, IOVA);
		expect(san.check('iommu_unmap', 0, 0xfff)).to.equal(0);
		expect(san.check('iommu_unmap', IOVA, IOVA + 0xfff)).to.equal(1);
		expect(san.text()).to.contain('After iommu_unmap: micro TLB of VE has 0x40400042');
	});

	it('reports a table word that the CPU has changed and not cleaned', () => {
		const { machine, san } = setup();
		mapPage(machine, IOVA, PAGE);
		const { addr } = machine.iommu.explain(3, IOVA).steps[1];
		machine.memory.linear(addr, 4)!.fill(0);
		master(machine, 3).fetch(IOVA, 4);
		expect(kinds(san)).to.deep.equal(['INV-CLEAN dirty-table 30f0000.iommu']);
		expect(san.text()).to.contain('the CPU stored 0x00000000 there and has not cleaned the line');
	});

	it('reports a device that reads bytes which the CPU has not cleaned, and only those bytes', () => {
		const { machine, san } = setup();
		const direct = machine.model('direct') as TestMaster;
		machine.memory.linear(PAGE, 64)![6] = 9;
		direct.fetch(PAGE, 6);
		expect(kinds(san)).to.deep.equal([]);
		direct.fetch(PAGE, 7);
		expect(kinds(san)).to.deep.equal(['INV-OWN stale-read direct']);
	});

	it('reports a device that writes under a dirty line', () => {
		const { machine, san } = setup();
		machine.memory.linear(PAGE, 64)![6] = 9;
		(machine.model('direct') as TestMaster).store(PAGE + 32, Uint8Array.of(1));
		expect(kinds(san)).to.deep.equal(['INV-OWN write-under-dirty-line direct']);
	});

	it('reports what a program is shown through the cache and the kernel past it, in either order', () => {
		const { machine, san } = setup();
		const { memory } = machine;
		const view = memory.vmap([PAGE, PAGE + 0x2000], 2, false);
		memory.user_map(0x7000_0000, 0x7000_1000, PAGE + 0x2000, 0x1000, true, 'a file', 0);
		memory.user_map(0x7000_0000, 0x7000_2000, PAGE + 0x3000, 0x1000, true, 'a file', 0);
		expect(kinds(san)).to.deep.equal(['INV-OWN mismatched-alias a file']);
		expect(san.reports[0].count).to.equal(1);
		expect(san.text()).to.contain(
			'mapping at 0x70001000 of the page at 0x40402000 is cached; the kernel has it mapped non-cacheable\n',
		);
		memory.vunmap(view);
		memory.user_map(0x7100_0000, 0x7100_0000, PAGE, 0x1000, true, '', 0);
		memory.vunmap(memory.vmap([PAGE], 1, false));
		expect(kinds(san).slice(1)).to.deep.equal(['INV-OWN mismatched-alias a user program']);
		memory.user_unmap(0x7000_0000);
		memory.user_unmap(0x7100_0000);
		memory.vunmap(memory.vmap([PAGE, PAGE + 0x3000], 2, false));
		expect(san.reports.map((r) => r.count)).to.deep.equal([1, 1]);
	});

	it('does not mind registers that a program is shown', () => {
		const { machine, san } = setup();
		machine.memory.user_map(0x7000_0000, 0x7000_0000, 0x0300_0000, 0x1000, true, 'registers', 0);
		machine.memory.user_map(0x7100_0000, 0x7100_0000, 0x0300_0000, 0x1000, true, 'registers', 0);
		expect(san.reports).to.deep.equal([]);
	});

	it('minds a dirty word that was read ahead when it is used, and not before', () => {
		for (const cleaned of [true, false, 'and its neighbour is not']) {
			const machine = h6({ habits: { neighbours: 1, prefetch: true } });
			enableIommu(machine);
			writeIommu(machine, 0x070, 0x3f);
			const san = new Dmasan(machine);
			for (const iova of [IOVA, IOVA + 0x1000]) mapPage(machine, iova, PAGE);
			const word = machine.iommu.explain(3, IOVA + 0x1000).steps[1].addr;
			machine.memory.linear_words(word, 1)![0] = PAGE + 0x1042;
			master(machine, 3).fetch(IOVA, 4);
			expect(san.text()).to.equal('');
			if (cleaned !== false) {
				machine.memory.clean(word, 4);
				flushAll(machine);
			}
			if (typeof cleaned === 'string') machine.memory.linear_words(word - 4, 1)![0] = 0;
			master(machine, 3).fetch(IOVA + 0x1000, 4);
			expect(kinds(san)).to.deep.equal(cleaned !== false ? [] : ['INV-CLEAN dirty-table 30f0000.iommu']);
			expect(san.text()).to.not.contain('of size');
		}
	});

	it('reports a register access without clock', () => {
		const machine = h6(PLAIN);
		const san = new Dmasan(machine);
		readIommu(machine, 0x108);
		expect(kinds(san)).to.deep.equal(['INV-PWR unpowered-access 30f0000.iommu']);
	});

	it('does not watch an IOMMU that is silent about what it lets through', () => {
		const { machine } = setup();
		mapPage(machine, IOVA, PAGE);
		machine.iommu.translate = function (_stream, addr) {
			this.reach = 4096;
			return addr - IOVA + PAGE;
		};
		expect(() => master(machine, 3).fetch(IOVA, 4)).to.throw(
			'30f0000.iommu let m3 through in silence; expected a call of tellAnswered()',
		);
	});

	it('is silent after detach', () => {
		const { machine, san } = setup();
		san.detach();
		machine.memory.linear(PAGE, 64)![6] = 9;
		(machine.model('direct') as TestMaster).store(PAGE, Uint8Array.of(1));
		expect(san.reports).to.deep.equal([]);
	});
});
