// SPDX-License-Identifier: GPL-2.0-only
// The clock and reset units of RK3399 and RK356x: gates and resets at their real places.
//
// A block asks here whether the clocks and resets that the tree gives it are on. Which bit is which is in
// rockchip-cru-tables.ts. After a reset every clock runs and every reset is released: a set bit is what stops.
// The upper half of a word says which bits of the lower one a write means.
//
// Not modelled: rates, dividers, multiplexers, PLLs and their locks (those registers hold what is written),
// protection against stopping a clock that the CPU runs on.

import { hiwordMerge } from '#hw/core/hiword.js';
import type { ClockProvider, DeviceModel, ModelFactory, Models, ResetProvider } from '#hw/core/model.js';
import { hex, RegisterFile } from '#hw/core/register-file.js';
import {
	CRU_RK3399,
	CRU_RK3568,
	type CruGate,
	type CruTable,
	PMUCRU_RK3399,
	PMUCRU_RK3568,
} from './rockchip-cru-tables.js';

export class RockchipCru implements DeviceModel, ClockProvider, ResetProvider {
	readonly registers: RegisterFile;
	readonly #byNumber = new Map<number, CruGate>();
	readonly #byName = new Map<string, CruGate>();
	/** Dividers and the like: they hold what is written and do nothing. */
	readonly #held = new Map<number, number>();
	readonly #listeners: { id: number; fn: () => void }[] = [];

	constructor(
		readonly name: string,
		readonly table: CruTable,
		/** Called when a gate or reset bit may have changed. */
		readonly changed: () => void,
	) {
		this.registers = new RegisterFile([
			{
				name: 'CLKGATE_CON',
				offset: table.gateOffset,
				count: table.gateCount,
				access: 'RW',
				doc: 'a set bit stops a clock',
			},
			{
				name: 'SOFTRST_CON',
				offset: table.resetOffset,
				count: table.resetCount,
				access: 'RW',
				doc: 'a set bit holds a reset',
			},
		]);
		for (const gate of table.gates) {
			if (gate[0] !== 0) this.#byNumber.set(gate[0], gate);
			this.#byName.set(gate[1], gate);
		}
	}

	read(offset: number, width: number): number {
		if (this.registers.has(offset)) return this.registers.read(offset, width);
		return this.#held.get(offset & ~3) ?? 0;
	}

	write(offset: number, _width: number, value: number): void {
		const word = offset & ~3;
		if (!this.registers.has(word)) {
			this.#held.set(word, value >>> 0);
			return;
		}
		const before = this.registers.read(word, 4);
		const now = hiwordMerge(before, value);
		this.registers.write(word, now, 4);
		this.changed();
		const first = ((word - this.table.resetOffset) / 4) * 16;
		for (const { id, fn } of this.#listeners)
			if (id >= first && id < first + 16 && ((now & ~before) >>> (id - first)) & 1) fn();
	}

	reset(): void {
		this.registers.reset();
		this.#held.clear();
		this.changed();
	}

	/** A clock runs when no gate on the way to it is closed; one that is not in the table runs always. */
	clockState(cells: readonly number[]): { running: boolean; name: string } {
		const own = this.#byNumber.get(cells[0]);
		for (let gate = own; gate !== undefined; gate = this.#byName.get(gate[4])) {
			const [, name, con, bit] = gate;
			if (con >= 0 && (this.registers.get('CLKGATE_CON', con) >>> bit) & 1)
				return { running: false, name: `clock ${name} (CLKGATE_CON${con} bit ${bit})` };
		}
		return { running: true, name: `clock ${own?.[1] ?? cells[0]}` };
	}

	resetState(cells: readonly number[]): { released: boolean; name: string } {
		const [con, bit] = [cells[0] >>> 4, cells[0] & 15];
		const name = `reset ${cells[0]} (${hex(this.table.resetOffset + 4 * con, 3)} bit ${bit})`;
		if (con >= this.table.resetCount) return { released: true, name };
		return { released: ((this.registers.get('SOFTRST_CON', con) >>> bit) & 1) === 0, name };
	}

	onAssert(cells: readonly number[], fn: () => void): void {
		this.#listeners.push({ id: cells[0], fn });
	}
}

function cruFactory(table: CruTable): ModelFactory {
	return (ctx) => new RockchipCru(ctx.name, table, () => ctx.machine.powerChanged());
}

export const rockchipCruModels: Models = {
	'rockchip,rk3399-cru': cruFactory(CRU_RK3399),
	'rockchip,rk3399-pmucru': cruFactory(PMUCRU_RK3399),
	'rockchip,rk3568-cru': cruFactory(CRU_RK3568),
	'rockchip,rk3568-pmucru': cruFactory(PMUCRU_RK3568),
};
