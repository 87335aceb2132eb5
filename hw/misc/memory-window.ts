// SPDX-License-Identifier: GPL-2.0-only
// Stands where a block would: its registers are plain memory, zero at first.
//
// Status registers can then be preset, and what a driver wrote can be looked at.

import type { DeviceModel, ModelContext } from '#hw/core/model.js';

export class MemoryWindow implements DeviceModel {
	readonly #bytes: DataView;

	constructor(
		readonly name: string,
		readonly size: number,
	) {
		this.#bytes = new DataView(new ArrayBuffer(size));
	}

	read(offset: number, width: number): number {
		if (offset + width > this.size) return 0;
		if (width === 1) return this.#bytes.getUint8(offset);
		return width === 2 ? this.#bytes.getUint16(offset, true) : this.#bytes.getUint32(offset, true);
	}

	write(offset: number, width: number, value: number): void {
		if (offset + width > this.size) return;
		if (width === 1) this.#bytes.setUint8(offset, value);
		else if (width === 2) this.#bytes.setUint16(offset, value, true);
		else this.#bytes.setUint32(offset, value, true);
	}
}

/** For `overrides`: plain memory in place of a block. */
export function memoryWindow(ctx: ModelContext): MemoryWindow {
	return new MemoryWindow(ctx.name, ctx.regs[0]?.size ?? 0x1000);
}
