// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import { parseFdt } from '#hw/core/fdt.js';
import type { MachineOptions } from '#hw/core/machine.js';
import { Machine, MachineError, MachineHang } from '#hw/core/machine.js';
import { figure } from '#hw/iommu/iommu.js';
import { loggingHole } from '#hw/misc/logging-hole.js';
import { memoryWindow } from '#hw/misc/memory-window.js';
import type { TestMaster } from '#hw/misc/test-master.js';
import type { Node } from '#tests/hw/board.js';
import { blobOf, GIC, RAM } from '#tests/hw/board.js';
import {
	enableIommu,
	h6,
	h6Tree,
	IOMMU,
	IOMMU_INTID,
	mapPage,
	powerIommu,
	writeIommu,
} from '#tests/hw/h6.js';
import { expectFinding } from '#tests/setup.js';

const GICC = GIC + 0x1000;

/** Interrupt @intid on, at the controller and at the CPU. */
function openInterrupts(machine: Machine, intid = IOMMU_INTID): void {
	machine.mmio_write(GIC, 4, 1);
	machine.mmio_write(GIC + 0x100 + 4 * (intid >>> 5), 4, 2 ** (intid & 31));
	machine.mmio_write(GIC + 0x400 + intid, 1, 0xa0);
	machine.mmio_write(GICC + 4, 4, 0xf0);
	machine.mmio_write(GICC, 4, 1);
}

/** A kernel that acknowledges, runs @handler, and ends the interrupt. */
function kernel(machine: Machine, handler: (intid: number) => void): string[] {
	const log: string[] = [];
	machine.set_vectors({
		irq() {
			const intid = machine.mmio_read(GICC + 0xc, 4);
			log.push(`irq ${intid} ${machine.irqs_enabled}`);
			handler(intid);
			machine.mmio_write(GICC + 0x10, 4, intid);
		},
		timer() {
			log.push(`timer ${machine.now()}`);
		},
	});
	return log;
}

const master = (machine: Machine, name: string): TestMaster => machine.model(name) as TestMaster;

describe('machine', () => {
	describe('built from a tree', () => {
		it('has a model for each node that is modelled, by the name that Linux gives the device', () => {
			expect([...h6().models.keys()].slice(0, 4)).to.deep.equal([
				'3021000.interrupt-controller',
				'3001000.clock',
				'30f0000.iommu',
				'm0',
			]);
		});

		it('models disabled nodes too', () => {
			const machine = h6({}, { off: { compatible: 'oracle,master', status: 'disabled' } });
			expect(machine.models.has('off')).to.equal(true);
		});

		it('takes its memory from the tree', () => {
			const machine = h6();
			expect(machine.memory.size).to.equal(0x10000000);
			expect(machine.memory.is_ram(RAM, 0x10000000)).to.equal(true);
		});

		it('plays the boot loader for a size that was given: the kernel finds it in its tree', () => {
			const machine = h6({ memSize: 0x20000000 });
			expect(machine.memory.size).to.equal(0x20000000);
			const node = parseFdt(machine.fdt).root.child('memory')!;
			expect(node.reg()).to.deep.equal([{ base: RAM, size: 0x20000000 }]);
		});

		it('puts the memory of a tree without any at the base of DRAM', () => {
			const { 'memory@40000000': _, ...tree } = h6Tree();
			const machine = new Machine(blobOf(tree as Node), { memSize: 0x8000000 });
			expect(machine.memory.regions).to.deep.equal([{ base: RAM, size: 0x8000000 }]);
			expect(parseFdt(machine.fdt).root.child('memory')!.reg()[0].size).to.equal(0x8000000);
		});

		it('refuses a size that is too small, or that covers a device', () => {
			expect(() => h6({ memSize: 1000 })).to.throw(
				MachineError,
				'1000 bytes of memory: expected a multiple of 4 KiB, 16 MiB or more',
			);
			const high: Node = { 'serial@60000000': { compatible: 'x', reg: [0x60000000, 0x1000] } };
			expect(() => h6({ memSize: 0x40000000 }, high)).to.throw(MachineError, 'would cover /serial@60000000');
		});

		it('leaves a device with a wrong property out, and says so', () => {
			const machine = h6({}, { 'bad@1000': { compatible: 'oracle,master', reg: [0x1000], iommus: [99, 0] } });
			expect(machine.notes[0].text).to.match(/^\/bad@1000 is left out: /);
		});

		it('looks for room for memory where one node has a wrong reg', () => {
			const { 'memory@40000000': _, ...tree } = h6Tree({ 'extra@1': { reg: [1, 2, 3] } });
			const machine = new Machine(blobOf(tree));
			expect(machine.memory.regions).to.deep.equal([{ base: RAM, size: 0x80000000 }]);
			expect(machine.notes.map((n) => n.text)).to.deep.equal([
				'/extra@1 is left out: /extra@1: property reg has 3 cells, not a multiple of 1 + 1',
			]);
		});

		it('cuts memory that 48 bits do not reach, and refuses to go without', () => {
			const wide = (base: number[], size: number[]): Uint8Array =>
				blobOf({
					'#address-cells': [2],
					'#size-cells': [2],
					'memory@0': { device_type: 'memory', reg: [...base, ...size] },
				});
			const machine = new Machine(wide([0, RAM], [0x10000000, 0]));
			expect(machine.memory.regions).to.deep.equal([{ base: RAM, size: 2 ** 48 - RAM }]);
			expect(machine.notes[0].text).to.equal(
				'/memory@0: memory at 0x40000000 of 0x1000000000000000 bytes ends above the 48 bits of an address: cut',
			);
			expect(() => new Machine(wide([0x10000, 0], [0, 0x80000000]))).to.throw(
				MachineError,
				'would end above the 48 bits of an address',
			);
		});

		it('knows no byte that another machine, or the owner of its tree, has changed', () => {
			const blob = blobOf(h6Tree());
			const built = (): Machine => new Machine(blob, { memSize: 0x20000000 });
			const first = built();
			const asMade = first.fdt.slice();
			first.fdt.fill(0);
			expect(built().fdt).to.deep.equal(asMade);
			expect(built().models.has('30f0000.iommu')).to.equal(true);
			blob[Buffer.from(blob).indexOf('iommu@30f0000')] = 'x'.charCodeAt(0);
			expect(built().models.has('30f0000.xommu')).to.equal(true);
		});

		it('says of each machine what is wrong with the memory of their tree', () => {
			const blob = blobOf({
				'#address-cells': [2],
				'#size-cells': [2],
				'memory@0': { device_type: 'memory', reg: [0, RAM, 0x1_0000, 0] },
			});
			const notes = [0, 1].map(() => new Machine(blob).notes.map(({ text }) => text));
			expect(notes[0][0]).to.match(/ends above the 48 bits of an address: cut$/);
			expect(notes[1]).to.deep.equal(notes[0]);
		});

		it('never puts control characters into a remark', () => {
			const machine = h6({}, { 'x\u001b[2J@1': { compatible: 'oracle,master', reg: [1] } });
			expect(machine.notes[0].text).to.match(/^\/x\\x1b\[2J@1 is left out: /);
		});

		it('gives a master of an IOMMU without cells its first stream, and one without IOMMU none', () => {
			const iommu: Node = { compatible: 'linux-iommu-ts,edu-iommu', reg: [0x1000, 0x1000] };
			const machine = h6(
				{},
				{
					'iommu@1000': { ...iommu, '#iommu-cells': [0], phandle: [77] },
					behind: { compatible: 'oracle,master', iommus: [77] },
					direct: { compatible: 'oracle,master' },
				},
			);
			const streams = machine.stats().dma.map(({ name, stream, streamName }) => [name, stream, streamName]);
			expect(streams).to.deep.include.members([
				['behind', 0, 'stream 0'],
				['direct', -1, ''],
			]);
		});

		it('reads blocks without a model as zero', () => {
			const machine = h6(
				{},
				{ 'serial@5000000': { compatible: 'snps,dw-apb-uart', reg: [0x5000000, 0x400] } },
			);
			expect(machine.mmio_read(0x5000014, 4)).to.equal(0);
			expect(machine.notes[0].who).to.equal('5000000.serial');
		});

		it('lets options replace a model: a hole that logs, or plain memory', () => {
			const log: string[] = [];
			const overrides = {
				'allwinner,sun50i-h6-iommu': loggingHole(log),
				'allwinner,sun50i-h6-ccu': loggingHole(log, 'ccu:'),
			};
			const hole = h6({ overrides });
			hole.mmio_write(IOMMU + 0x50, 4, 0x4e000000);
			hole.mmio_read(0x3001000, 4);
			expect(hole.mmio_read(IOMMU + 0x80, 4)).to.equal(0);
			expect(log).to.deep.equal(['W050=4e000000', 'ccu:R000', 'R080']);

			const plain = h6({
				overrides: { 'allwinner,sun50i-h6-iommu': memoryWindow, 'allwinner,sun50i-h6-ccu': null },
			});
			plain.mmio_write(IOMMU + 0x108, 4, 0x20000);
			expect(plain.mmio_read(IOMMU + 0x108, 4)).to.equal(0x20000);
		});

		it('lets a model answer inside RAM (reserved, no-map)', () => {
			const { 'iommu@30f0000': iommu, ...tree } = h6Tree();
			const moved = { ...tree, 'iommu@4f000000': { ...(iommu as Node), reg: [0x4f000000, 0x10000] } };
			const machine = new Machine(blobOf(moved), {
				overrides: { 'allwinner,sun50i-h6-iommu': memoryWindow },
			});
			powerIommu(machine);
			machine.mmio_write(0x4f000000, 4, 5);
			expect(machine.mmio_read(0x4f000000, 4)).to.equal(5);
			expect(machine.memory.readWord(0x4f000000)).to.equal(0);
		});
	});

	describe('DMA', () => {
		it('goes through the IOMMU of the node, as its master, and straight for others', () => {
			const machine = h6();
			enableIommu(machine);
			mapPage(machine, 0x1000, RAM + 0x500000);
			expect(master(machine, 'm3').store(0x1000, Uint8Array.of(9))).to.equal(true);
			expect(machine.memory.readWord(RAM + 0x500000)).to.equal(9);
			expect(figure(machine.iommu, 'accesses', 3)).to.equal(1);
			expect(master(machine, 'direct').store(RAM + 0x600000, Uint8Array.of(8))).to.equal(true);
			expect(machine.memory.readWord(RAM + 0x600000)).to.equal(8);
		});

		it('goes past an IOMMU that has no model, which nobody can set up', () => {
			const machine = h6({ overrides: { 'allwinner,sun50i-h6-iommu': null } });
			expect(master(machine, 'm0').fetch(RAM, 4)).to.deep.equal(Uint8Array.of(0, 0, 0, 0));
			expect(machine.notes[0].text).to.equal(
				'its IOMMU /iommu@30f0000 is not modelled: its DMA is not translated',
			);
		});

		it('is refused to a master that the IOMMU does not have', () => {
			for (const [number, named] of [
				[[9], 'stream 9'],
				[[0xffffffff], 'stream 4294967295'],
			] as const) {
				const machine = h6({}, { m9: { compatible: 'oracle,master', iommus: [3, ...number] } });
				expect(master(machine, 'm9').fetch(RAM, 4)).to.equal(null);
				expect(machine.notes[0]).to.include({
					who: 'm9',
					text: `iommus names ${named} of /iommu@30f0000: this IOMMU has 0 to 5; DMA is refused`,
				});
			}
		});

		it('is not translated when iommus is wrong: nobody sets the IOMMU up for it', () => {
			for (const [iommus, why] of [
				[[99, 0], 'names phandle 0x63, which no node has'],
				[[3], 'ends inside the 1 arguments for /iommu@30f0000'],
			] as const) {
				const machine = h6({}, { m: { compatible: 'oracle,master', iommus: [...iommus] } });
				expect(master(machine, 'm').store(RAM, Uint8Array.of(9))).to.equal(true);
				expect(machine.notes[0].text).to.equal(`/m: property iommus ${why}: its DMA is not translated`);
			}
		});

		it('goes by the first entry of iommus, whatever is wrong with a later one', () => {
			const machine = h6({}, { m: { compatible: 'oracle,master', iommus: [3, 1, 0x77, 2] } });
			expect(machine.iommuOf(machine.ports.find((p) => p.name === 'm')!)).to.equal(machine.iommu);
			expect(machine.notes).to.deep.equal([]);
		});

		it('is not translated behind an empty entry of iommus, where Linux reads no further', () => {
			const machine = h6({}, { m: { compatible: 'oracle,master', iommus: [0, 3, 1] } });
			expect(machine.iommuOf(machine.ports.find((p) => p.name === 'm')!)).to.equal(null);
		});

		it('snoops when the node, or a bus above it, is dma-coherent', () => {
			expectFinding(/stale-read in read by direct/);
			const machine = h6(
				{},
				{
					a: { compatible: 'oracle,master', 'dma-coherent': true },
					bus: { 'dma-coherent': true, b: { compatible: 'oracle,master' } },
				},
			);
			machine.memory.linear(RAM, 1)![0] = 7;
			const seen = ['direct', 'a', 'bus:b'].map((name) => master(machine, name).fetch(RAM, 1)![0]);
			expect(seen).to.deep.equal([0, 7, 7]);
		});

		it('translates bus addresses by dma-ranges', () => {
			const bus = {
				'#address-cells': [1],
				'#size-cells': [1],
				'dma-ranges': [0xc0000000, RAM, 0x1000000],
				m: { compatible: 'oracle,master' },
			};
			const machine = h6({}, { bus });
			expect(master(machine, 'bus:m').store(0xc0000010, Uint8Array.of(3))).to.equal(true);
			expect(machine.memory.readWord(RAM + 0x10)).to.equal(3);
			expect(master(machine, 'bus:m').store(RAM, Uint8Array.of(3))).to.equal(false);
		});

		it('streams as time passes, until it is stopped, and on when the master ignores that', () => {
			const machine = h6();
			const test = master(machine, 'direct');
			test.stream({ addr: RAM, size: 128, write: true, periodNs: 1000 });
			machine.advance(3500);
			expect(test.streamed).to.equal(3);
			expect(machine.memory.readWord(RAM + 64)).to.equal(0x02020202);
			expect(machine.memory.readWord(RAM)).to.equal(0x03030303);
			test.ignoreStop = true;
			test.stop();
			machine.advance(1000);
			expect(test.streamed).to.equal(4);
			test.ignoreStop = false;
			test.stop();
			machine.advance(10000);
			expect(test.streamed).to.equal(4);
		});
	});

	describe('interrupts and time', () => {
		const faulting = (): Machine => {
			const machine = h6();
			enableIommu(machine);
			openInterrupts(machine);
			return machine;
		};

		it('keeps an interrupt pending while it is masked, and delivers it when unmasked, masked in the handler', () => {
			const machine = faulting();
			const log = kernel(machine, () => writeIommu(machine, 0x104, 0x3003f));
			master(machine, 'm0').fetch(0x1000, 4);
			machine.advance(1000);
			expect(log).to.deep.equal([]);
			machine.irq_enable();
			expect(log).to.deep.equal(['irq 89 false']);
			expect(machine.irqs_enabled).to.equal(true);
			expect(machine.interrupts).to.equal(1);
		});

		it('does not enter the handler again before the end of the interrupt, and does as long as the level is up', () => {
			const machine = faulting();
			let left = 3;
			let depth = 0;
			const log = kernel(machine, () => {
				expect(++depth).to.equal(1);
				machine.irq_enable();
				machine.advance(100);
				machine.irq_disable();
				depth--;
				if (--left === 0) writeIommu(machine, 0x104, 0x3003f);
			});
			master(machine, 'm0').fetch(0x1000, 4);
			machine.irq_enable();
			expect(log).to.have.length(3);
		});

		it('delivers while the machine runs: at an event, and after a register access', () => {
			const machine = faulting();
			const log = kernel(machine, () => writeIommu(machine, 0x104, 0x3003f));
			machine.irq_enable();
			machine.clock.after(500, () => master(machine, 'm0').fetch(0x1000, 4));
			machine.advance(1000);
			expect(log).to.have.length(1);
			writeIommu(machine, 0x100, 0);
			writeIommu(machine, 0x010, 0xffffffc0);
			writeIommu(machine, 0x010, 0xffffffff);
			master(machine, 'm0').fetch(0x1000, 4);
			writeIommu(machine, 0x100, 0x3003f);
			expect(log).to.have.length(2);
		});

		it('makes a pulsed interrupt pending once', () => {
			const machine = faulting();
			const log = kernel(machine, () => {});
			machine.irq_enable();
			machine.pulse(IOMMU_INTID);
			machine.advance(1000);
			expect(log).to.deep.equal(['irq 89 false']);
		});

		it('calls the timer vector at the deadline, once, when interrupts are on', () => {
			const machine = h6();
			const log = kernel(machine, () => {});
			machine.irq_enable();
			machine.set_timer(5000);
			machine.advance(4999);
			expect(log).to.deep.equal([]);
			machine.advance(10000);
			expect(log).to.deep.equal(['timer 5000']);
			machine.set_timer(20000);
			machine.set_timer(Number.POSITIVE_INFINITY);
			machine.advance(10000);
			expect(log).to.have.length(1);
		});

		it('sleeps to the interrupt or to the deadline, whichever is first', () => {
			const machine = h6();
			kernel(machine, () => {});
			machine.irq_enable();
			machine.wait_for_interrupt(700);
			expect(machine.now()).to.equal(700);
			machine.set_timer(900);
			machine.wait_for_interrupt(5000);
			expect(machine.now()).to.equal(900);
		});

		it('wakes for a masked interrupt without delivering it', () => {
			const machine = h6();
			const log = kernel(machine, () => {});
			machine.set_timer(900);
			machine.wait_for_interrupt(5000);
			expect(machine.now()).to.equal(900);
			expect(log).to.deep.equal([]);
		});

		it('lets an interrupt wait for a kernel that has set no vectors yet', () => {
			const machine = faulting();
			machine.pulse(IOMMU_INTID);
			machine.irq_enable();
			const log = kernel(machine, () => {});
			machine.advance(1);
			expect(log).to.deep.equal(['irq 89 false']);
		});

		it('reports a sleep that nothing can end, and a handler that never acknowledges', () => {
			const machine = faulting();
			machine.set_vectors({ irq() {}, timer() {} });
			expect(() => machine.wait_for_interrupt(Number.POSITIVE_INFINITY)).to.throw(
				MachineHang,
				'nothing is left',
			);
			machine.pulse(IOMMU_INTID);
			expect(() => machine.irq_enable()).to.throw(MachineHang, 'never acknowledges');
		});

		it('reports interrupts that are dealt with, and raised again before what they interrupt goes on', () => {
			const machine = faulting();
			const wires = [IOMMU_INTID, IOMMU_INTID].map((intid) => machine.controller.lines.wire(intid));
			let taken = 0;
			const irq = (): void => {
				// As Linux, until nothing is pending.
				for (let intid = 0; intid !== 1023; taken++) {
					intid = machine.mmio_read(GIC + 0x1000 + 0xc, 4);
					for (const wire of wires) wire.lower();
					for (const wire of wires) wire.raise();
					machine.mmio_write(GIC + 0x1000 + 0x10, 4, intid);
				}
			};
			machine.set_vectors({ irq, timer() {} });
			machine.irq_enable();
			expect(() => wires[0].raise() ?? machine.advance(1)).to.throw(MachineHang, 'an interrupt storm');
			expect(taken).to.be.within(1000, 10_000);
		});

		it('lets time pass at each register access', () => {
			const machine = h6({ mmioReadNs: 100, mmioWriteNs: 20 });
			machine.mmio_read(GIC, 4);
			machine.mmio_write(GIC, 4, 0);
			expect(machine.now()).to.equal(120);
		});
	});

	describe('scheduling points', () => {
		it('does nothing without a hook, and calls it with what and where', () => {
			const machine = h6();
			machine.schedule_point('lock', 1);
			const seen: string[] = [];
			machine.hook = (kind, where) => {
				seen.push(`${kind} ${where}`);
				machine.schedule_point('cache', 2);
			};
			machine.schedule_point('alloc', 7);
			expect(seen).to.deep.equal(['alloc 7']);
		});
	});

	describe('figures', () => {
		it('sums up what happened', () => {
			const options: MachineOptions = { mmioReadNs: 0, mmioWriteNs: 0 };
			const machine = h6(options);
			master(machine, 'm3').store(RAM, new Uint8Array(100));
			machine.mmio_read(GIC, 4);
			const stats = machine.stats();
			expect([stats.mmioReads, stats.mmioWrites, stats.timeNs, stats.ramBytes]).to.deep.equal([
				1, 0, 0, 0x10000000,
			]);
			const port = stats.dma.find((d) => d.name === 'm3')!;
			expect([port.writeBytes, port.stream, port.streamName]).to.deep.equal([100, 3, 'VE']);
			expect(figure(machine.iommu, 'bypassed')).to.equal(1);
		});

		it('gives each user of chance its own stream, the same for the same seed', () => {
			const [a, b, c] = [h6({ seed: 5 }), h6({ seed: 5 }), h6({ seed: 6 })];
			const first = a.random('x')();
			expect(b.random('x')()).to.equal(first);
			expect(b.random('y')()).not.to.equal(first);
			expect(c.random('x')()).not.to.equal(first);
		});

		it('folds equal remarks', () => {
			expectFinding(/unpowered-access/);
			const machine = h6();
			machine.mmio_read(IOMMU, 4);
			machine.note('x', 'y');
			machine.note('x', 'y');
			expect(machine.notes.at(-1)).to.deep.include({ who: 'x', text: 'y', count: 2 });
		});
	});
});
