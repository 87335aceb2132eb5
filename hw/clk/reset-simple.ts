// SPDX-License-Identifier: GPL-2.0-only
// A bank of reset lines, one bit each: 1 = released (snps,dw-low-reset).
//
// Linux: drivers/reset/reset-simple.c, reset_simple_active_low.
//
// Not modelled: the status register that some banks have beside the control register.

import type { DeviceModel, ModelContext, Models, ResetProvider } from '#hw/core/model.js';
import { RegisterFile } from '#hw/core/register-file.js';

export class ResetSimple implements DeviceModel, ResetProvider {
	readonly registers: RegisterFile;
	readonly #listeners: { id: number; fn: () => void }[] = [];
	readonly #before: Uint32Array;

	constructor(
		readonly name: string,
		size: number,
		readonly changed: () => void,
	) {
		const count = Math.max(1, Math.min(size >>> 2, 32));
		this.#before = new Uint32Array(count);
		this.registers = new RegisterFile([
			{ name: 'RESET', offset: 0, access: 'RW', count, doc: 'bit n of word w: line 32*w + n is released' },
		]);
		this.registers.onWrite = (_name, index, value) => {
			const fallen = this.#before[index] & ~value;
			this.#before[index] = value;
			this.changed();
			if (fallen === 0) return;
			for (const { id, fn } of this.#listeners) if (id >>> 5 === index && fallen & (1 << (id & 31))) fn();
		};
	}

	read(offset: number, width: number): number {
		return this.registers.read(offset, width);
	}

	write(offset: number, width: number, value: number): void {
		this.registers.write(offset, value, width);
	}

	resetState(cells: readonly number[]): { released: boolean; name: string } {
		const id = cells[0] ?? 0;
		const released = ((this.registers.get('RESET', id >>> 5) >>> (id & 31)) & 1) !== 0;
		return { released, name: `reset ${id} of ${this.name}` };
	}

	onAssert(cells: readonly number[], fn: () => void): void {
		this.#listeners.push({ id: cells[0] ?? 0, fn });
	}
}

export function resetSimple(ctx: ModelContext): ResetSimple {
	return new ResetSimple(ctx.name, ctx.regs[0]?.size ?? 4, () => ctx.machine.powerChanged());
}

export const resetSimpleModels: Models = { 'snps,dw-low-reset': resetSimple };
