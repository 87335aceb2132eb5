// SPDX-License-Identifier: GPL-2.0-only
// A bus master's way to memory: through an IOMMU, or straight.
//
// Not modelled: bandwidth and latency (a model passes its own time), burst alignment, the order of
// posted writes.

import type { Ram } from './ram.js';
import { hex } from './register-file.js';

/** What an access wants, and what a translation allows: these add up. */
export const READ = 1;
export const WRITE = 2;
export const EXECUTE = 4;
export const PRIVILEGED = 8;

/** The access is in the stream's own address space, not in one of its processes'. */
export const NO_PASID = -1;

/** The translating side of an IOMMU. */
export interface Translator {
	/** The masters that are wired to it, where these are numbered from 0. */
	readonly masters?: ArrayLike<unknown>;
	/**
	 * The physical address for @addr, or -1 when the access is refused (the fault is in the IOMMU's registers). The
	 * access has to follow at once: the next register write may end the translation.
	 */
	translate(stream: number, addr: number, access: number, pasid: number): number;
	/** How many bytes (1 or more), from the address on that was asked for last, that answer is good for. */
	reach: number;
}

/** Watches what devices do to memory (the sanitiser). @phys is -1 for a refused access. */
export interface DmaObserver {
	access(port: DmaPort, addr: number, phys: number, size: number, write: boolean): void;
}

export interface DmaStats {
	readBytes: number;
	writeBytes: number;
	reads: number;
	writes: number;
	/** Accesses that were refused or met no memory. */
	refused: number;
}

/** Straight to memory, an access goes in bursts that do not cross this. */
export const BURST = 4096;

/**
 * One master. An access of any length is done translation by translation, as bursts on the bus are; false means that
 * some part was refused or met no RAM. What came before that part is done.
 */
export class DmaPort {
	readonly stats: DmaStats = { readBytes: 0, writeBytes: 0, reads: 0, writes: 0, refused: 0 };
	observer: DmaObserver | null = null;
	/** The IOMMU on the way; null: straight to memory. */
	translator: Translator | null;

	constructor(
		readonly ram: Ram,
		/** Who it belongs to, for reports. */
		readonly name: string,
		/** The master's stream number at its IOMMU; -1 without one. */
		readonly stream: number,
		translator: Translator | null,
		/** Whether the master sees the CPU's caches (`dma-coherent`). */
		readonly snoop: boolean,
	) {
		this.translator = translator;
	}

	/**
	 * Memory to device: fills @out. What could not be read stays as it was in @out. @as: what kind of access it is
	 * besides, of EXECUTE (an instruction is fetched) and PRIVILEGED.
	 */
	read(addr: number, out: Uint8Array, pasid = NO_PASID, as = 0): boolean {
		return this.#run(addr, out, READ | as, pasid);
	}

	/** Device to memory. */
	write(addr: number, src: Uint8Array, pasid = NO_PASID, as = 0): boolean {
		return this.#run(addr, src, WRITE | as, pasid);
	}

	#run(addr: number, data: Uint8Array, access: number, pasid: number): boolean {
		const { stats } = this;
		const write = (access & WRITE) !== 0;
		if (write) stats.writes++;
		else stats.reads++;
		const size = data.length;
		for (let done = 0; done < size; ) {
			const at = addr + done;
			const { translator } = this;
			const phys = translator === null ? at : translator.translate(this.stream, at, access, pasid);
			const chunk = Math.min(size - done, translator === null ? BURST - (at % BURST) : translator.reach);
			if (phys >= 0 && !(chunk > 0))
				throw new Error(
					`${this.name}: the answer for ${hex(at, 8)} is good for ${chunk} bytes; expected translate() to set reach`,
				);
			this.observer?.access(this, at, phys, chunk, write);
			// A view per part is made only when there are several.
			const part = chunk === size ? data : data.subarray(done, done + chunk);
			const ok =
				phys >= 0 &&
				(write ? this.ram.deviceWrite(phys, part, this.snoop) : this.ram.deviceRead(phys, part, this.snoop));
			if (!ok) {
				stats.refused++;
				return false;
			}
			if (write) stats.writeBytes += chunk;
			else stats.readBytes += chunk;
			done += chunk;
		}
		return true;
	}
}
