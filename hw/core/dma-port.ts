// SPDX-License-Identifier: GPL-2.0-only
// A bus master's way to memory: through an IOMMU, or straight.
//
// Not modelled: bandwidth and latency (a model passes its own time), burst alignment, the order of
// posted writes.

import type { Ram } from './ram.js';

/** The translating side of an IOMMU. */
export interface Translator {
	/** The masters that are wired to it, where these are numbered from 0. */
	readonly masters?: ArrayLike<unknown>;
	/**
	 * The physical address for @addr, or -1 when the access is refused (the fault is in the IOMMU's
	 * registers). One call is good for the rest of the 4 KiB page.
	 */
	translate(master: number, addr: number, write: boolean): number;
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

const PAGE = 4096;

/**
 * One master. An access of any length is done page by page, as bursts on the bus are; false means that
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
		/** The master's number at its IOMMU; -1 without one. */
		readonly master: number,
		translator: Translator | null,
		/** Whether the master sees the CPU's caches (`dma-coherent`). */
		readonly snoop: boolean,
	) {
		this.translator = translator;
	}

	/** Memory to device: fills @out. What could not be read stays as it was in @out. */
	read(addr: number, out: Uint8Array): boolean {
		return this.#run(addr, out, false);
	}

	/** Device to memory. */
	write(addr: number, src: Uint8Array): boolean {
		return this.#run(addr, src, true);
	}

	#run(addr: number, data: Uint8Array, write: boolean): boolean {
		const { stats } = this;
		if (write) stats.writes++;
		else stats.reads++;
		const size = data.length;
		for (let done = 0; done < size; ) {
			const at = addr + done;
			const chunk = Math.min(size - done, PAGE - (at % PAGE));
			const phys = this.translator === null ? at : this.translator.translate(this.master, at, write);
			this.observer?.access(this, at, phys, chunk, write);
			// A view per page is made only when the access is longer than the page.
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
