// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import { Clock } from '#hw/core/clock.js';
import { DmaPort } from '#hw/core/dma-port.js';
import { LooseWire } from '#hw/core/interrupts.js';
import { Ram } from '#hw/core/ram.js';
import { DmaStub } from '#hw/misc/dma-stub.js';

const BASE = 0x4000_0000;
const [SRC, DST, LEN, START, STATUS] = [0x00, 0x04, 0x08, 0x0c, 0x10];

function setup(powered = true) {
	const ram = new Ram([{ base: BASE, size: 0x10_0000 }]);
	const port = new DmaPort(ram, 'stub', -1, null, false);
	const clock = new Clock();
	const irq = new LooseWire();
	const stub = new DmaStub(
		'stub',
		port,
		irq,
		() => powered,
		(ns, fn) => clock.after(ns, fn),
	);
	const bytes = (addr: number): number[] => {
		const out = new Uint8Array(600);
		port.read(addr, out);
		return [...out];
	};
	const start = (src: number, dst: number): void => {
		stub.write(SRC, 4, src);
		stub.write(DST, 4, dst);
		stub.write(LEN, 4, 600);
		stub.write(START, 4, 1);
	};
	return { stub, port, clock, irq, bytes, start };
}

describe('dma_stub', () => {
	it('copies memory, a byte in a nanosecond, and raises its interrupt until the status is cleared', () => {
		const { stub, port, clock, irq, bytes, start } = setup();
		const data = Uint8Array.from({ length: 600 }, (_, i) => i * 3);
		port.write(BASE, data);
		start(BASE, BASE + 0x1000);
		clock.advance(599);
		expect([stub.read(STATUS, 4), irq.level]).to.deep.equal([0, false]);
		clock.advance(1);
		expect(bytes(BASE + 0x1000)).to.deep.equal([...data]);
		expect([stub.read(STATUS, 4), irq.level]).to.deep.equal([1, true]);
		stub.write(STATUS, 4, 1);
		expect([stub.read(STATUS, 4), irq.level]).to.deep.equal([0, false]);
	});

	it('says when it was refused', () => {
		const { stub, clock, irq, start } = setup();
		start(0x1000, BASE);
		clock.advance(600);
		expect([stub.read(STATUS, 4), irq.level]).to.deep.equal([2, true]);
	});

	it('does nothing without its clocks and power', () => {
		const { stub, port, clock, bytes, start } = setup(false);
		port.write(BASE, new Uint8Array(600).fill(7));
		start(BASE, BASE + 0x1000);
		clock.advance(600);
		expect(stub.read(STATUS, 4)).to.equal(2);
		expect(bytes(BASE + 0x1000)).to.deep.equal(new Array(600).fill(0));
	});

	it('stops when it is reset', () => {
		const { stub, clock, irq, start } = setup();
		start(BASE, BASE + 0x1000);
		stub.reset();
		clock.advance(1000);
		expect([stub.read(STATUS, 4), stub.read(LEN, 4), irq.level]).to.deep.equal([0, 0, false]);
	});
});
