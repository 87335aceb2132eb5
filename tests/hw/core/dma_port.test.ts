// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import { DmaPort, EXECUTE, NO_PASID, PRIVILEGED, READ, WRITE } from '#hw/core/dma-port.js';
import { Ram } from '#hw/core/ram.js';
import type { TestMaster } from '#hw/misc/test-master.js';
import type { Node } from '#tests/hw/board.js';
import { EduBench } from '#tests/hw/edu.js';

const RAM = 0x40000000;
const PAGES = RAM + 0x40_0000;

function setup(snoop = false) {
	const ram = new Ram([{ base: RAM, size: 0x1000000 }]);
	return { ram, port: new DmaPort(ram, 'test', -1, null, snoop) };
}

describe('dma_port', () => {
	it('goes straight to memory without an IOMMU', () => {
		const { ram, port } = setup();
		expect(port.write(RAM + 0x100, Uint8Array.of(1, 2, 3, 4))).to.equal(true);
		expect(ram.readWord(RAM + 0x100)).to.equal(0x04030201);
		const out = new Uint8Array(4);
		expect(port.read(RAM + 0x100, out)).to.equal(true);
		expect([...out]).to.deep.equal([1, 2, 3, 4]);
	});

	it('sees what memory has when it does not snoop, what the CPU has when it does', () => {
		for (const snoop of [false, true]) {
			const { ram, port } = setup(snoop);
			ram.linear(RAM, 1)![0] = 0x77;
			const out = new Uint8Array(1);
			port.read(RAM, out);
			expect(out[0]).to.equal(snoop ? 0x77 : 0);
		}
	});

	it('asks the IOMMU once a page, with the rest of the access in it', () => {
		const { ram } = setup();
		const asked: string[] = [];
		const port = new DmaPort(
			ram,
			'test',
			2,
			{
				reach: 0,
				translate(stream, addr, access) {
					asked.push(`${stream} ${addr.toString(16)} ${access}`);
					this.reach = 0x1000 - (addr % 0x1000);
					return RAM + addr;
				},
			},
			false,
		);
		expect(port.write(0x1ff0, new Uint8Array(0x1020).fill(9))).to.equal(true);
		expect(asked).to.deep.equal(['2 1ff0 2', '2 2000 2', '2 3000 2']);
		expect(ram.readWord(RAM + 0x300c)).to.equal(0x09090909);
		expect(ram.readWord(RAM + 0x3010)).to.equal(0);
	});

	it('says what kind of access it is, and of which process', () => {
		const asked: number[][] = [];
		const iommu = {
			reach: 4096,
			translate: (_stream: number, _addr: number, access: number, pasid: number) => {
				asked.push([access, pasid]);
				return RAM;
			},
		};
		const port = new DmaPort(setup().ram, 'test', 0, iommu, false);
		port.read(0, new Uint8Array(4));
		port.read(0, new Uint8Array(4), 7, EXECUTE);
		port.write(0, new Uint8Array(4), NO_PASID, PRIVILEGED);
		expect(asked).to.deep.equal([
			[READ, NO_PASID],
			[READ | EXECUTE, 7],
			[WRITE | PRIVILEGED, NO_PASID],
		]);
		expect([port.stats.reads, port.stats.writes]).to.deep.equal([2, 1]);
	});

	it('does what comes before a refused page, and stops there', () => {
		const { ram } = setup();
		const port = new DmaPort(
			ram,
			'test',
			0,
			{ reach: 4, translate: (_stream, addr) => (addr < 0x2000 ? RAM + addr : -1) },
			false,
		);
		expect(port.write(0x1ffc, new Uint8Array(8).fill(5))).to.equal(false);
		expect(ram.readWord(RAM + 0x1ffc)).to.equal(0x05050505);
		expect(ram.readWord(RAM + 0x2000)).to.equal(0);
		expect(port.stats).to.deep.equal({ readBytes: 0, writeBytes: 4, reads: 0, writes: 1, refused: 1 });
	});

	it('goes no further with an answer that is good for nothing, and says whose', () => {
		const port = new DmaPort(setup().ram, 'test', 0, { reach: 0, translate: () => RAM }, false);
		expect(() => port.read(0x1000, new Uint8Array(4))).to.throw(
			'test: the answer for 0x00001000 is good for 0 bytes; expected translate() to set reach',
		);
	});

	it('fails where no memory is', () => {
		const { port } = setup();
		expect(port.read(0x1000, new Uint8Array(4))).to.equal(false);
		expect(port.stats.refused).to.equal(1);
	});

	it('shows each page to the observer, with its physical address', () => {
		const { port } = setup();
		const seen: string[] = [];
		port.observer = {
			access: (_port, addr, phys, size, write) =>
				seen.push(`${write ? 'W' : 'R'} ${addr.toString(16)} ${phys.toString(16)} ${size}`),
		};
		port.read(RAM + 0xffe, new Uint8Array(4));
		expect(seen).to.deep.equal(['R 40000ffe 40000ffe 2', 'R 40001000 40001000 2']);
	});

	it('goes through the windows of a bus and an IOMMU, byte for byte', () => {
		const bus: Node = {
			compatible: 'simple-bus',
			'#address-cells': [1],
			'#size-cells': [1],
			// Neither begins or ends at a page, and the second leads where the first ends.
			'dma-ranges': [0x1004, 0x80_0ffc, 0x1808, 0x2_0000, 0x80_2804, 0x40_0000],
			m5: { compatible: 'oracle,master', iommus: [3, 5] },
		};
		const b = new EduBench({}, { bus }).enable();
		b.translates(5, 1);
		for (const [n, page] of [0, 7, 3].entries()) b.map(1, 0x80_0000 + n * 0x1000, PAGES + page * 0x1000);
		const through = (addr: number): number => {
			const at = addr < 0x2_0000 ? addr - 0x1004 + 0x80_0ffc : addr - 0x2_0000 + 0x80_2804;
			return PAGES + [0, 7, 3][Math.floor((at - 0x80_0000) / 0x1000)] * 0x1000 + (at % 0x1000);
		};
		const master = b.machine.model('bus:m5') as TestMaster;
		const seen: number[] = [];
		master.port.observer = { access: (_port, _addr, _phys, size) => seen.push(size) };
		for (const [first, size, good] of [
			[0x1004, 0x1808, 0x1808],
			[0x1ffc, 0x900, 0x810],
			[0x2_0000, 0x7fc, 0x7fc],
			[0x2_07f0, 0x10, 0xc],
			[0x1000, 4, 0],
		]) {
			const bytes = Uint8Array.from({ length: size }, (_, n) => (n * 7 + first) & 0xff);
			expect(master.store(first, bytes), `${first}`).to.equal(good === size);
			const one = new Uint8Array(1);
			for (let n = 0; n < good; n++) {
				b.machine.ram.deviceRead(through(first + n), one, false);
				if (one[0] !== bytes[n]) expect.fail(`byte ${n} of ${first}`);
			}
		}
		expect(Math.min(...seen)).to.be.greaterThan(0);
	});
});
