// SPDX-License-Identifier: GPL-2.0-only
// The H6's Ethernet controller: what it does to memory is real, its wire is a loop or a second port.
//
// Registers: Linux 6.12, drivers/net/ethernet/stmicro/stmmac/dwmac-sun8i.c, names and offsets. Descriptors (four
// words: status, control and size, buffer, next): the normal descriptors of drivers/net/ethernet/stmicro/stmmac/descs.h.
//
// Not modelled: PHY and MDIO, link speed and duplex (a frame takes 8 ns a byte), flow control, address filters (every
// frame is received), checksum offload, thresholds and bursts, early interrupts, time stamps, timeouts, the second buffer.

import type { DmaPort } from '#hw/core/dma-port.js';
import type { DeviceModel, DmaTarget, IrqLine, ModelContext, Models, Peek } from '#hw/core/model.js';
import { hex, RegisterFile, type RegisterSpec } from '#hw/core/register-file.js';

const LOOPBACK = 1 << 1;
const SOFT_RESET = 1;
const ENABLE = 0x8000_0000;
const DMA_START = 0x8000_0000;
const DMA_EN = 0x4000_0000;

const TX_INT = 1 << 0;
const TX_DMA_STOP_INT = 1 << 1;
const TX_BUF_UA_INT = 1 << 2;
const RX_INT = 1 << 8;
const RX_BUF_UA_INT = 1 << 9;
const RX_DMA_STOP_INT = 1 << 10;

const OWN = 0x8000_0000;
const SIZE = 0x7ff;
const TX_FIRST = 1 << 29;
const TX_LAST = 1 << 30;
const TX_INTERRUPT = 0x8000_0000;
const TX_NO_CRC = 1 << 26;
const TX_NO_PADDING = 1 << 23;
const RX_LAST = 1 << 8;
const RX_FIRST = 1 << 9;
const RX_NO_INTERRUPT = 0x8000_0000;

/** What fits a frame's length field; no buffer chain is longer. */
const FRAME_MAX = 0x3fff;
const FRAME_MIN = 60;
const CRC_BYTES = 4;
/** Bytes of a descriptor. */
const DESC_BYTES = 16;
/** No ring has more. */
const RING_MAX = 4096;
const NS_PER_BYTE = 8;
const RESET_NS = 1000;
/** The time from a start to the first descriptor's fetch. */
const FETCH_NS = 200;

/** Values of the two DMA status registers: the states that differ to a driver. */
const STOPPED = 0;
const RUNNING = 1;
const SUSPENDED = 6;

const dmaStates = { [STOPPED]: 'stopped', [RUNNING]: 'running', [SUSPENDED]: 'suspended' };

export const emacRegisters: readonly RegisterSpec[] = [
	{
		name: 'EMAC_BASIC_CTL0',
		offset: 0x00,
		access: 'RW',
		mask: 0xf,
		fields: [
			{ name: 'SPEED', bits: [3, 2] },
			{ name: 'LOOPBACK', bits: [1, 1] },
			{ name: 'DUPLEX_FULL', bits: [0, 0] },
		],
		doc: 'Speed, duplex and the loop from transmitter to receiver',
	},
	{
		name: 'EMAC_BASIC_CTL1',
		offset: 0x04,
		access: 'RW',
		mask: 0x3f00_0003,
		fields: [
			{ name: 'BURST_LEN', bits: [29, 24] },
			{ name: 'SOFT_RST', bits: [0, 0] },
		],
		doc: 'Burst length; bit 0 resets the block and clears itself (sun8i_dwmac_reset())',
	},
	{
		name: 'EMAC_INT_STA',
		offset: 0x08,
		access: 'W1C',
		mask: 0x1_3f3f,
		fields: [
			{ name: 'RX_DMA_STOP', bits: [10, 10] },
			{ name: 'RX_BUF_UA', bits: [9, 9] },
			{ name: 'RX', bits: [8, 8] },
			{ name: 'TX_BUF_UA', bits: [2, 2] },
			{ name: 'TX_DMA_STOP', bits: [1, 1] },
			{ name: 'TX', bits: [0, 0] },
		],
		doc: 'What happened (sun8i_dwmac_dma_interrupt())',
	},
	{
		name: 'EMAC_INT_EN',
		offset: 0x0c,
		access: 'RW',
		mask: 0x3f3f,
		doc: 'What interrupts; bits as EMAC_INT_STA',
	},
	{
		name: 'EMAC_TX_CTL0',
		offset: 0x10,
		access: 'RW',
		mask: 0xc000_0000,
		fields: [{ name: 'TRANSMITTER_EN', bits: [31, 31] }],
		doc: 'Transmitter',
	},
	{
		name: 'EMAC_TX_CTL1',
		offset: 0x14,
		access: 'RW',
		mask: 0xc000_0707,
		fields: [
			{ name: 'DMA_START', bits: [31, 31] },
			{ name: 'DMA_EN', bits: [30, 30] },
		],
		doc: 'Transmit DMA; DMA_START has it look at its descriptor again and reads as zero',
	},
	{ name: 'EMAC_TX_FLOW_CTL', offset: 0x1c, access: 'RW', doc: 'Pause frames (kept, without effect)' },
	{
		name: 'EMAC_TX_DESC_LIST',
		offset: 0x20,
		access: 'RW',
		mask: 0xffff_fffc,
		doc: 'The first transmit descriptor',
	},
	{
		name: 'EMAC_RX_CTL0',
		offset: 0x24,
		access: 'RW',
		fields: [
			{ name: 'RECEIVER_EN', bits: [31, 31] },
			{ name: 'DO_CRC', bits: [27, 27] },
		],
		doc: 'Receiver',
	},
	{
		name: 'EMAC_RX_CTL1',
		offset: 0x28,
		access: 'RW',
		mask: 0xc000_0037,
		fields: [
			{ name: 'DMA_START', bits: [31, 31] },
			{ name: 'DMA_EN', bits: [30, 30] },
		],
		doc: 'Receive DMA; DMA_START reads as zero',
	},
	{
		name: 'EMAC_RX_DESC_LIST',
		offset: 0x34,
		access: 'RW',
		mask: 0xffff_fffc,
		doc: 'The first receive descriptor',
	},
	{ name: 'EMAC_RX_FRM_FLT', offset: 0x38, access: 'RW', doc: 'Address filter (kept, without effect)' },
	{
		name: 'EMAC_MDIO_CMD',
		offset: 0x48,
		access: 'RW',
		mask: 0x71_f1f3,
		doc: 'Management bus: nobody answers',
	},
	{ name: 'EMAC_MDIO_DATA', offset: 0x4c, access: 'RW', mask: 0xffff, doc: 'Management bus: data' },
	{
		name: 'EMAC_MACADDR_HI',
		offset: 0x50,
		access: 'RW',
		count: 8,
		stride: 8,
		doc: 'Station address, bytes 4 and 5',
	},
	{
		name: 'EMAC_MACADDR_LO',
		offset: 0x54,
		access: 'RW',
		count: 8,
		stride: 8,
		doc: 'Station address, bytes 0 to 3',
	},
	{
		name: 'EMAC_TX_DMA_STA',
		offset: 0xb0,
		access: 'RO',
		fields: [{ name: 'STATE', bits: [2, 0], values: dmaStates }],
		doc: 'State of the transmit DMA',
	},
	{ name: 'EMAC_TX_CUR_DESC', offset: 0xb4, access: 'RO', doc: 'The descriptor that is next or in work' },
	{ name: 'EMAC_TX_CUR_BUF', offset: 0xb8, access: 'RO', doc: 'The buffer that was read last' },
	{
		name: 'EMAC_RX_DMA_STA',
		offset: 0xc0,
		access: 'RO',
		fields: [{ name: 'STATE', bits: [2, 0], values: dmaStates }],
		doc: 'State of the receive DMA',
	},
	{ name: 'EMAC_RX_CUR_DESC', offset: 0xc4, access: 'RO', doc: 'The descriptor that is next or in work' },
	{ name: 'EMAC_RX_CUR_BUF', offset: 0xc8, access: 'RO', doc: 'The buffer that was written last' },
];

/** The frame check sequence of IEEE 802.3, clause 3.2.9. */
export function frameCheck(bytes: Uint8Array): number {
	let crc = 0xffff_ffff;
	for (const byte of bytes) {
		crc ^= byte;
		for (let bit = 0; bit < 8; bit++) crc = (crc & 1) !== 0 ? (crc >>> 1) ^ 0xedb8_8320 : crc >>> 1;
	}
	return ~crc >>> 0;
}

export class Emac implements DeviceModel {
	readonly registers = new RegisterFile(emacRegisters);
	readonly addressLines = 32;
	onTold: ((write: boolean | null) => void) | null = null;
	/** The port at the other end of the cable; null: nothing is plugged in. */
	peer: Emac | null = null;
	/** Frames that left, that were stored, and that found no descriptor or no receiver. */
	readonly counters = { sent: 0, received: 0, missed: 0 };

	readonly #irq: IrqLine;
	readonly #port: DmaPort;
	readonly #desc = new Uint8Array(DESC_BYTES);
	readonly #words = new DataView(this.#desc.buffer);
	readonly #status = new Uint8Array(4);
	#gathered: Uint8Array[] = [];
	#cancelTx: (() => void) | null = null;
	#cancelReset: (() => void) | null = null;

	constructor(
		readonly name: string,
		private readonly ctx: ModelContext,
	) {
		this.#irq = ctx.irq(0);
		this.#port = ctx.dma();
		this.registers.onWrite = (register, _index, value) => this.#written(register, value);
	}

	/** The block's way to memory, for its statistics. */
	get port(): DmaPort {
		return this.#port;
	}

	/** The level of the interrupt output. */
	get interrupting(): boolean {
		return this.#irq.level;
	}

	read(offset: number, width: number): number {
		return this.registers.read(offset, width);
	}

	write(offset: number, width: number, value: number): void {
		this.registers.write(offset, value, width);
	}

	reset(): void {
		this.#cancelTx?.();
		this.#cancelTx = null;
		this.#cancelReset?.();
		this.#cancelReset = null;
		this.#gathered = [];
		this.registers.reset();
		this.#interrupt(0);
	}

	#written(register: string, value: number): void {
		const regs = this.registers;
		switch (register) {
			case 'EMAC_BASIC_CTL1':
				if ((value & SOFT_RESET) !== 0) {
					this.reset();
					regs.set('EMAC_BASIC_CTL1', value);
					this.#cancelReset = this.ctx.after(RESET_NS, () => {
						this.#cancelReset = null;
						regs.set('EMAC_BASIC_CTL1', 0);
					});
				}
				break;
			case 'EMAC_INT_STA':
			case 'EMAC_INT_EN':
				this.#interrupt(0);
				break;
			case 'EMAC_TX_DESC_LIST':
				regs.set('EMAC_TX_CUR_DESC', value);
				break;
			case 'EMAC_RX_DESC_LIST':
				regs.set('EMAC_RX_CUR_DESC', value);
				break;
			case 'EMAC_TX_CTL0':
				this.#kickTx();
				break;
			case 'EMAC_TX_CTL1':
				regs.set('EMAC_TX_CTL1', (value & ~DMA_START) >>> 0);
				if ((value & DMA_EN) === 0) this.#stopTx();
				else if ((value & DMA_START) !== 0) {
					regs.set('EMAC_TX_DMA_STA', RUNNING);
					this.onTold?.(false);
					this.#kickTx();
				}
				break;
			case 'EMAC_RX_CTL1':
				regs.set('EMAC_RX_CTL1', (value & ~DMA_START) >>> 0);
				if ((value & DMA_EN) === 0) regs.set('EMAC_RX_DMA_STA', STOPPED);
				else if ((value & DMA_START) !== 0) {
					regs.set('EMAC_RX_DMA_STA', RUNNING);
					this.onTold?.(true);
				}
				break;
		}
	}

	/** Of both directions: the next descriptor, and the buffers of those that are the device's. */
	targets(peek: Peek, write: boolean | null): DmaTarget[] {
		if (!this.ctx.powered()) return [];
		const sent = write === true ? [] : this.#ring('TX', false, peek);
		return write === false ? sent : [...sent, ...this.#ring('RX', true, peek)];
	}

	#ring(way: 'TX' | 'RX', write: boolean, peek: Peek): DmaTarget[] {
		const targets: DmaTarget[] = [];
		if (this.registers.get(`EMAC_${way}_DMA_STA`) === STOPPED) return targets;
		const first = this.registers.get(`EMAC_${way}_CUR_DESC`);
		for (let at = first, i = 0; i < RING_MAX; i++) {
			const by = i === 0 ? `EMAC_${way}_CUR_DESC` : 'the descriptor before';
			targets.push({ port: this.#port, addr: at, size: DESC_BYTES, write: true, by });
			const bytes = peek(at, DESC_BYTES);
			if (bytes === null) return targets;
			const words = new DataView(bytes.buffer, bytes.byteOffset, DESC_BYTES);
			if ((words.getUint32(0, true) & OWN) === 0) return targets;
			targets.push({
				port: this.#port,
				addr: words.getUint32(8, true),
				size: words.getUint32(4, true) & SIZE,
				write,
				by: `the descriptor at ${hex(at, 8)}`,
			});
			at = words.getUint32(12, true);
			if (at === first) return targets;
		}
		return targets;
	}

	#interrupt(bits: number): void {
		const status = (this.registers.get('EMAC_INT_STA') | bits) >>> 0;
		this.registers.set('EMAC_INT_STA', status);
		this.#irq.set((status & this.registers.get('EMAC_INT_EN')) !== 0);
	}

	#stopTx(): void {
		this.#cancelTx?.();
		this.#cancelTx = null;
		this.#gathered = [];
		this.registers.set('EMAC_TX_DMA_STA', STOPPED);
	}

	#kickTx(delay = FETCH_NS): void {
		const regs = this.registers;
		if (this.#cancelTx !== null || regs.get('EMAC_TX_DMA_STA') !== RUNNING) return;
		if ((regs.get('EMAC_TX_CTL0') & ENABLE) === 0) return;
		this.#cancelTx = this.ctx.after(delay, () => {
			this.#cancelTx = null;
			if (this.ctx.powered() && !this.#transmit()) this.#fault('EMAC_TX_DMA_STA', TX_DMA_STOP_INT);
		});
	}

	/** A DMA access failed: that direction stops until the driver sets it up again. */
	#fault(state: string, bits: number): void {
		this.#gathered = [];
		this.registers.set(state, STOPPED);
		this.#interrupt(bits);
	}

	/** Put @word into the status of the descriptor at @at: the descriptor is the CPU's again. */
	#close(at: number, word: number): boolean {
		new DataView(this.#status.buffer).setUint32(0, word, true);
		return this.#port.write(at, this.#status);
	}

	/**
	 * One frame: gather the buffers of its descriptors, give the descriptors back, put it on the wire. False: memory
	 * refused an access.
	 */
	#transmit(): boolean {
		const regs = this.registers;
		for (;;) {
			// 1. The descriptor; one that is not the device's ends the run until the next start.
			const at = regs.get('EMAC_TX_CUR_DESC');
			if (!this.#port.read(at, this.#desc)) return false;
			const status = this.#words.getUint32(0, true);
			if ((status & OWN) === 0) {
				regs.set('EMAC_TX_DMA_STA', SUSPENDED);
				this.#interrupt(TX_BUF_UA_INT);
				return true;
			}
			const control = this.#words.getUint32(4, true);
			const buffer = this.#words.getUint32(8, true);
			const next = this.#words.getUint32(12, true);
			// 2. Its part of the frame.
			const part = new Uint8Array(control & SIZE);
			regs.set('EMAC_TX_CUR_BUF', buffer);
			if (!this.#port.read(buffer, part)) return false;
			if ((control & TX_FIRST) !== 0) this.#gathered = [];
			this.#gathered.push(part);
			// 3. Give it back, go on.
			if (!this.#close(at, (status & ~OWN) >>> 0)) return false;
			regs.set('EMAC_TX_CUR_DESC', next);
			if ((control & TX_LAST) === 0) continue;
			// 4. The last part: the frame goes out. The next one is fetched when it has gone.
			const frame = this.#assemble(control);
			this.#send(frame);
			if ((control & TX_INTERRUPT) !== 0) this.#interrupt(TX_INT);
			this.#kickTx(frame.length * NS_PER_BYTE);
			return true;
		}
	}

	#assemble(control: number): Uint8Array {
		const parts = this.#gathered;
		this.#gathered = [];
		let length = parts.reduce((sum, part) => sum + part.length, 0);
		if ((control & TX_NO_PADDING) === 0) length = Math.max(length, FRAME_MIN);
		const crc = (control & TX_NO_CRC) === 0;
		const frame = new Uint8Array(length + (crc ? CRC_BYTES : 0));
		let at = 0;
		for (const part of parts) {
			frame.set(part, at);
			at += part.length;
		}
		if (crc) new DataView(frame.buffer).setUint32(length, frameCheck(frame.subarray(0, length)), true);
		return frame;
	}

	#send(frame: Uint8Array): void {
		this.counters.sent++;
		const to = (this.registers.get('EMAC_BASIC_CTL0') & LOOPBACK) !== 0 ? this : this.peer;
		to?.receive(frame);
	}

	/** A frame from the wire, with its check sequence: into the next descriptors' buffers, as many as it takes. */
	receive(frame: Uint8Array): void {
		const regs = this.registers;
		const on = this.ctx.powered() && (regs.get('EMAC_RX_CTL0') & ENABLE) !== 0;
		if (!on || regs.get('EMAC_RX_DMA_STA') === STOPPED || frame.length > FRAME_MAX) {
			this.counters.missed++;
			return;
		}
		if (!this.#store(frame)) this.#fault('EMAC_RX_DMA_STA', RX_DMA_STOP_INT);
	}

	#store(frame: Uint8Array): boolean {
		const regs = this.registers;
		let quiet = false;
		for (let done = 0; done < frame.length; ) {
			const at = regs.get('EMAC_RX_CUR_DESC');
			if (!this.#port.read(at, this.#desc)) return false;
			if ((this.#words.getUint32(0, true) & OWN) === 0) {
				this.counters.missed++;
				regs.set('EMAC_RX_DMA_STA', SUSPENDED);
				this.#interrupt(RX_BUF_UA_INT);
				return true;
			}
			const control = this.#words.getUint32(4, true);
			const buffer = this.#words.getUint32(8, true);
			const next = this.#words.getUint32(12, true);
			const part = frame.subarray(done, done + (control & SIZE));
			regs.set('EMAC_RX_CUR_BUF', buffer);
			// A buffer of no size would never take the frame.
			if (part.length === 0 || !this.#port.write(buffer, part)) return false;
			let status = frame.length << 16;
			if (done === 0) status |= RX_FIRST;
			done += part.length;
			if (done === frame.length) status |= RX_LAST;
			if (!this.#close(at, status)) return false;
			regs.set('EMAC_RX_CUR_DESC', next);
			quiet = (control & RX_NO_INTERRUPT) !== 0;
		}
		regs.set('EMAC_RX_DMA_STA', RUNNING);
		this.counters.received++;
		if (!quiet) this.#interrupt(RX_INT);
		return true;
	}
}

export const emacModels: Models = { 'allwinner,sun50i-h6-emac': (ctx) => new Emac(ctx.name, ctx) };
