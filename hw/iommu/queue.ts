// SPDX-License-Identifier: GPL-2.0-only
// Rings of records in memory, between a driver and an IOMMU: commands one way, events the other.
//
// A position counts modulo twice the size: its low bits are the index, the bit above them says how often the ring was
// gone round. Equal positions: empty. Equal indices, other bit: full.

import type { Ram } from '#hw/core/ram.js';

export interface RingRegisters {
	/** Physical address of the ring. */
	readonly base: number;
	/** log2 of the number of records. */
	readonly sizeLg2: number;
	readonly prod: number;
	readonly cons: number;
}

export class Ring {
	readonly #bytes: Uint8Array;
	readonly #words: Uint32Array;

	constructor(
		readonly ram: Ram,
		/** Bytes of a record, a multiple of 4. */
		readonly recordBytes: number,
		/** Whether the device sees the CPU's caches. */
		readonly snoop: boolean,
		readonly registers: RingRegisters,
	) {
		this.#words = new Uint32Array(recordBytes / 4);
		this.#bytes = new Uint8Array(this.#words.buffer);
	}

	get empty(): boolean {
		return this.#count === 0;
	}

	get full(): boolean {
		return this.#count >= 2 ** this.registers.sizeLg2;
	}

	/** The position behind @position. */
	next(position: number): number {
		return (position + 1) % 2 ** (this.registers.sizeLg2 + 1);
	}

	/** The record at CONS, good until the next call; null where no memory is. */
	take(): Uint32Array | null {
		const { registers, ram } = this;
		return ram.deviceRead(this.#address(registers.cons), this.#bytes, this.snoop) ? this.#words : null;
	}

	/** Put @words at PROD; false where no memory is. Whether there is room is the caller's to ask. */
	put(words: ArrayLike<number>): boolean {
		this.#words.set(words);
		return this.ram.deviceWrite(this.#address(this.registers.prod), this.#bytes, this.snoop);
	}

	get #count(): number {
		const { prod, cons, sizeLg2 } = this.registers;
		const round = 2 ** (sizeLg2 + 1);
		return (((prod - cons) % round) + round) % round;
	}

	#address(position: number): number {
		const { base, sizeLg2 } = this.registers;
		return base + (position % 2 ** sizeLg2) * this.recordBytes;
	}
}
