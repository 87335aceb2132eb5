// SPDX-License-Identifier: GPL-2.0-only
// A plain bus master for tests: it reads and writes where it is told.
//
// Not modelled: anything but the accesses; it has no registers and raises no interrupt.

import { type DmaPort, NO_PASID } from '#hw/core/dma-port.js';
import type { DeviceModel, ModelContext, Models } from '#hw/core/model.js';

export interface StreamOptions {
	readonly addr: number;
	readonly size: number;
	readonly write: boolean;
	/** Time from one access to the next. */
	readonly periodNs: number;
	/** Bytes per access; the master goes round in [addr, addr + size). */
	readonly burst?: number;
}

export class TestMaster implements DeviceModel {
	/** A master that goes on after stop(), as broken or badly reset ones do. */
	ignoreStop = false;
	/** Accesses of the stream that were done, and that were refused. */
	streamed = 0;
	streamRefused = 0;

	#cancel: (() => void) | null = null;
	#fill = 0;

	constructor(
		readonly name: string,
		readonly port: DmaPort,
		readonly after: (ns: number, fn: () => void) => () => void,
	) {}

	read(): number {
		return 0;
	}

	write(): void {}

	/** @size bytes from DMA address @addr, of @pasid, as an access of kind @as; null when a part was refused. */
	fetch(addr: number, size: number, as = 0, pasid = NO_PASID): Uint8Array | null {
		const out = new Uint8Array(size);
		return this.port.read(addr, out, pasid, as) ? out : null;
	}

	/** Bytes to DMA address @addr; false when a part was refused. */
	store(addr: number, bytes: Uint8Array, as = 0, pasid = NO_PASID): boolean {
		return this.port.write(addr, bytes, pasid, as);
	}

	get streaming(): boolean {
		return this.#cancel !== null;
	}

	/** Access memory again and again, as time passes, until stop(). */
	stream(options: StreamOptions): void {
		this.halt();
		const burst = Math.min(options.burst ?? 64, options.size);
		const data = new Uint8Array(burst);
		let offset = 0;
		const next = (): void => {
			if (options.write) data.fill(++this.#fill & 0xff);
			const at = options.addr + offset;
			const ok = options.write ? this.port.write(at, data) : this.port.read(at, data);
			if (ok) this.streamed++;
			else this.streamRefused++;
			offset = offset + 2 * burst > options.size ? 0 : offset + burst;
			this.#cancel = this.after(options.periodNs, next);
		};
		this.#cancel = this.after(options.periodNs, next);
	}

	/** Ask it to stop streaming. */
	stop(): void {
		if (!this.ignoreStop) this.halt();
	}

	/** Stop it, whatever it wants (pull the plug). */
	halt(): void {
		this.#cancel?.();
		this.#cancel = null;
	}
}

export function testMaster(ctx: ModelContext): TestMaster {
	return new TestMaster(ctx.name, ctx.dma(), (ns, fn) => ctx.after(ns, fn));
}

export const testMasterModels: Models = { 'oracle,master': testMaster };
