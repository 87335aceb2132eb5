// SPDX-License-Identifier: GPL-2.0-only
// The Ethernet model through its registers and memory. Bits: dwmac-sun8i.c (registers), descs.h (descriptors).
import { expect } from 'chai';
import type { Machine } from '#hw/core/machine.js';
import { type Emac, frameCheck } from '#hw/net/sun8i-emac.js';
import { RAM } from '#tests/hw/board.js';
import { CCU, h6 } from '#tests/hw/h6.js';
import { expectFinding } from '#tests/setup.js';

const A = 0x0502_0000;
const B = 0x0503_0000;
const OWN = 0x8000_0000;
const CHAIN = 1 << 24;
const FIRST = 1 << 29;
const LAST = 1 << 30;
const IOC = 0x8000_0000;
const TX = RAM + 0x10_0000;
const RX = RAM + 0x20_0000;
const TXBUF = RAM + 0x30_0000;
const RXBUF = RAM + 0x40_0000;

const node = (base: number, spi: number) => ({
	compatible: 'allwinner,sun50i-h6-emac',
	reg: [base, 0x10000],
	interrupts: [0, spi, 4],
});

describe('sun8i_emac', () => {
	let machine: Machine;
	beforeEach(() => {
		machine = h6({}, { 'ethernet@5020000': node(A, 12), 'ethernet@5030000': node(B, 13) });
	});

	const read = (offset: number, base = A): number => machine.mmio_read(base + offset, 4);
	const write = (offset: number, value: number, base = A): void =>
		machine.mmio_write(base + offset, 4, value);
	const model = (name: string): Emac => machine.model(name) as Emac;

	/** A descriptor in memory, as a driver with coherent memory would write it. */
	function descriptor(at: number, status: number, control: number, buffer: number, next: number): void {
		const bytes = new Uint8Array(16);
		const view = new DataView(bytes.buffer);
		[status, control, buffer, next].forEach((word, i) => {
			view.setUint32(4 * i, word >>> 0, true);
		});
		machine.memory.load(at, bytes);
	}
	const word = (at: number): number => machine.memory.readWord(at);
	function memory(at: number, size: number): Uint8Array {
		const out = new Uint8Array(size);
		expect(machine.memory.deviceRead(at, out, false)).to.equal(true);
		return out;
	}

	/** Receive descriptors for @count buffers of @size bytes, and the receiver of @base on. */
	function listen(count = 2, size = 1536, base = A): void {
		for (let i = 0; i < count; i++)
			descriptor(RX + 16 * i, OWN, CHAIN | size, RXBUF + 0x1000 * i, RX + 16 * ((i + 1) % count));
		write(0x34, RX, base);
		write(0x24, 0x8000_0000, base);
		write(0x28, 0xc000_0000, base);
	}

	/** One frame of @parts for the transmitter of A, which is switched on. */
	function transmit(parts: readonly Uint8Array[]): void {
		parts.forEach((part, i) => {
			machine.memory.load(TXBUF + 0x1000 * i, part);
			const ends = (i === 0 ? FIRST : 0) | (i === parts.length - 1 ? LAST | IOC : 0);
			descriptor(TX + 16 * i, OWN, CHAIN | ends | part.length, TXBUF + 0x1000 * i, TX + 16 * (i + 1));
		});
		descriptor(TX + 16 * parts.length, 0, CHAIN, 0, TX);
		write(0x20, TX);
		write(0x10, 0x8000_0000);
		write(0x14, 0xc000_0000);
	}

	const bytes = (length: number, seed: number): Uint8Array =>
		Uint8Array.from({ length }, (_, i) => (seed + 3 * i) & 0xff);
	const join = (...parts: Uint8Array[]): Uint8Array => Uint8Array.from(parts.flatMap((p) => [...p]));

	it('has all registers zero after reset', () => {
		for (let offset = 0; offset < 0xcc; offset += 4)
			expect(read(offset), `0x${offset.toString(16)}`).to.equal(0);
	});

	it('resets itself by bit 0 of EMAC_BASIC_CTL1, which takes time', () => {
		write(0x0c, 0x101);
		write(0x04, 1);
		expect(read(0x04) & 1).to.equal(1);
		machine.advance(2000);
		expect(read(0x04) & 1).to.equal(0);
		expect(read(0x0c)).to.equal(0);
	});

	it('clears a status bit by writing 1, keeps the others, and has the DMA start bits read as zero', () => {
		write(0x00, 2);
		listen();
		transmit([bytes(100, 1)]);
		machine.advance(10_000);
		expect(read(0x08)).to.equal(0x105);
		write(0x08, 0x001);
		expect(read(0x08)).to.equal(0x104);
		expect(read(0x14)).to.equal(0x4000_0000);
		expect(read(0x28)).to.equal(0x4000_0000);
	});

	it('answers nothing while its clock is off', () => {
		expectFinding(/unpowered-access/);
		const gated = h6({}, { 'ethernet@5020000': { ...node(A, 12), clocks: [2, 84], resets: [2, 33] } });
		gated.mmio_write(A + 0x0c, 4, 0x101);
		expect(gated.mmio_read(A + 0x0c, 4)).to.equal(0);
		// EMAC_BGR of the H6: bit 0 the gate, bit 16 the reset (ccu-sun50i-h6.c).
		gated.mmio_write(CCU + 0x97c, 4, 0x1_0001);
		gated.mmio_write(A + 0x0c, 4, 0x101);
		expect(gated.mmio_read(A + 0x0c, 4)).to.equal(0x101);
	});

	it('knows the check sequence of IEEE 802.3', () => {
		// The check value of CRC-32/ISO-HDLC.
		expect(frameCheck(new TextEncoder().encode('123456789'))).to.equal(0xcbf4_3926);
	});

	it('gathers the parts of a frame, and stores it with its check sequence in the receive buffer', () => {
		write(0x00, 2);
		listen();
		const parts = [bytes(14, 1), bytes(700, 9), bytes(33, 5)];
		transmit(parts);
		machine.advance(20_000);
		const frame = join(...parts);
		expect(memory(RXBUF, 747)).to.deep.equal(frame);
		expect(word(RXBUF + 747 + 1) >>> 0).to.not.equal(0);
		expect(new DataView(memory(RXBUF + 747, 4).buffer).getUint32(0, true)).to.equal(frameCheck(frame));
		// Length with the check sequence, first and last descriptor, no owner bit.
		expect(word(RX)).to.equal((751 << 16) | 0x300);
		for (let i = 0; i < 3; i++) expect(word(TX + 16 * i)).to.equal(0);
		expect(read(0xb4)).to.equal(TX + 48);
		expect(read(0xc4)).to.equal(RX + 16);
	});

	it('spreads a frame over as many buffers as it takes', () => {
		write(0x00, 2);
		listen(4, 100);
		const frame = bytes(230, 7);
		transmit([frame]);
		machine.advance(20_000);
		expect(join(memory(RXBUF, 100), memory(RXBUF + 0x1000, 100), memory(RXBUF + 0x2000, 30))).to.deep.equal(
			frame,
		);
		expect([0, 1, 2, 3].map((i) => word(RX + 16 * i))).to.deep.equal([
			(234 << 16) | 0x200,
			234 << 16,
			(234 << 16) | 0x100,
			OWN,
		]);
	});

	it('interrupts for what EMAC_INT_EN names, until it is cleared', () => {
		const level: boolean[] = [];
		write(0x00, 2);
		listen();
		transmit([bytes(60, 1)]);
		machine.advance(10_000);
		const line = () => level.push(model('5020000.ethernet').interrupting);
		line();
		write(0x0c, 0x100);
		line();
		write(0x08, 0x001);
		line();
		write(0x08, 0x100);
		line();
		expect(level).to.deep.equal([false, true, true, false]);
	});

	it('says when it finds no descriptor, and loses the frame that needed one', () => {
		write(0x00, 2);
		listen(1);
		transmit([bytes(60, 1)]);
		machine.advance(10_000);
		expect(read(0x08)).to.equal(0x105);
		transmit([bytes(60, 2)]);
		machine.advance(10_000);
		// RX_BUF_UA.
		expect(read(0x08) & 0x200).to.equal(0x200);
		expect(model('5020000.ethernet').counters).to.deep.equal({ sent: 2, received: 1, missed: 1 });
	});

	it('stops when memory does not answer', () => {
		write(0x00, 2);
		listen();
		descriptor(TX, OWN, CHAIN | FIRST | LAST | 100, 0x1000, TX);
		write(0x20, TX);
		write(0x10, 0x8000_0000);
		write(0x14, 0xc000_0000);
		machine.advance(10_000);
		// TX_DMA_STOP; the state is "stopped", nothing was sent.
		expect(read(0x08)).to.equal(0x002);
		expect(read(0xb0)).to.equal(0);
		expect(model('5020000.ethernet').counters.sent).to.equal(0);
	});

	it('does no DMA once it is told to stop', () => {
		write(0x00, 2);
		listen();
		transmit([bytes(60, 1)]);
		write(0x14, 0);
		machine.advance(10_000);
		expect(word(TX)).to.equal(OWN);
		expect(model('5020000.ethernet').port.stats.reads).to.equal(0);
	});

	it('sends to the port at the other end of its cable when the loop is open', () => {
		model('5020000.ethernet').peer = model('5030000.ethernet');
		listen(2, 1536, B);
		const frame = bytes(400, 3);
		transmit([frame]);
		machine.advance(10_000);
		expect(memory(RXBUF, 400)).to.deep.equal(frame);
		expect(read(0x08, B)).to.equal(0x100);
		expect(read(0x08)).to.equal(0x005);
	});
});
