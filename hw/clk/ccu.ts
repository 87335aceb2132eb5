// SPDX-License-Identifier: GPL-2.0-only
// The clock controllers of H6 and H616: gates and resets at their real places.
//
// A block asks here whether the clocks and resets that the tree gives it are on. Which bit is which is in
// ccu-tables.ts.
//
// Not modelled: rates, dividers and parents (those registers hold what is written), the time a PLL takes to
// lock, protection against stopping a clock that the CPU runs on.

import type { ClockProvider, DeviceModel, ModelFactory, Models, ResetProvider } from '#hw/core/model.js';
import type { RegisterSpec } from '#hw/core/register-file.js';
import { hex, RegisterFile } from '#hw/core/register-file.js';
import {
	type BitPlace,
	CCU_DE3,
	CCU_H6,
	CCU_H6_R,
	CCU_H616,
	CCU_H616_R,
	type CcuTable,
} from './ccu-tables.js';

const PLL_ENABLE = 0x80000000;
const PLL_LOCK = 0x10000000;

const made = new WeakMap<CcuTable, readonly RegisterSpec[]>();

function specsOf(table: CcuTable): readonly RegisterSpec[] {
	const specs = made.get(table) ?? makeSpecs(table);
	made.set(table, specs);
	return specs;
}

/** One register for each offset that the table names, with a field for each of its bits. */
function makeSpecs(table: CcuTable): RegisterSpec[] {
	const byOffset = new Map<number, BitPlace[]>();
	for (const place of [...table.clocks, ...table.resets]) {
		const list = byOffset.get(place[2]);
		if (list === undefined) byOffset.set(place[2], [place]);
		else list.push(place);
	}
	const specs: RegisterSpec[] = [];
	for (const [offset, places] of [...byOffset].sort((a, b) => a[0] - b[0])) {
		let reset = 0;
		for (const [, name, , bit] of places) if (table.bootOn.includes(name)) reset |= 1 << bit;
		specs.push({
			name: `${places[0][1].replace(/^RST_/, '')}_${hex(offset, 3)}`,
			offset,
			access: 'RW',
			reset: reset >>> 0,
			fields: places.map(([, name, , bit]) => ({ name, bits: [bit, bit] })),
			doc: table.plls.includes(offset)
				? 'PLL: 31 enable, 28 locked (read)'
				: 'gates and resets, 1 = on / released',
		});
	}
	return specs;
}

export class Ccu implements DeviceModel, ClockProvider, ResetProvider {
	readonly registers: RegisterFile;
	readonly #clocks = new Map<number, BitPlace>();
	readonly #resets = new Map<number, BitPlace>();
	readonly #nameAt = new Map<number, string>();
	/** Dividers and the like: they hold what is written and do nothing. */
	readonly #held = new Map<number, number>();
	readonly #listeners: { offset: number; bit: number; fn: () => void }[] = [];
	readonly #before = new Map<number, number>();

	constructor(
		readonly name: string,
		table: CcuTable,
		/** Called when a gate or reset bit may have changed. */
		readonly changed: () => void,
	) {
		const specs = specsOf(table);
		this.registers = new RegisterFile(specs);
		for (const spec of specs) {
			this.#nameAt.set(spec.offset, spec.name);
			this.#before.set(spec.offset, spec.reset ?? 0);
		}
		for (const place of table.clocks) this.#clocks.set(place[0], place);
		for (const place of table.resets) this.#resets.set(place[0], place);
		const plls = new Set(table.plls.map((offset) => this.#nameAt.get(offset)));
		this.registers.onRead = (register) => {
			if (!plls.has(register)) return undefined;
			const value = this.registers.get(register) & ~PLL_LOCK;
			return value & PLL_ENABLE ? value | PLL_LOCK : value;
		};
	}

	read(offset: number, width: number): number {
		if (this.registers.has(offset)) return this.registers.read(offset, width);
		return this.#held.get(offset & ~3) ?? 0;
	}

	write(offset: number, width: number, value: number): void {
		if (!this.registers.has(offset)) {
			this.#held.set(offset & ~3, value >>> 0);
			return;
		}
		const word = offset & ~3;
		this.registers.write(offset, value, width);
		const now = this.registers.get(this.#nameAt.get(word)!);
		const before = this.#before.get(word)!;
		this.#before.set(word, now);
		this.changed();
		const fallen = before & ~now;
		if (fallen === 0) return;
		for (const { offset: at, bit, fn } of this.#listeners) if (at === word && fallen & (1 << bit)) fn();
	}

	reset(): void {
		this.registers.reset();
		this.#held.clear();
		for (const [offset, before] of this.#before) {
			const now = this.registers.get(this.#nameAt.get(offset)!);
			this.#before.set(offset, now);
			const fallen = before & ~now;
			for (const { offset: at, bit, fn } of this.#listeners) if (at === offset && fallen & (1 << bit)) fn();
		}
		this.changed();
	}

	/** A clock without a gate in the table runs always. */
	clockState(cells: readonly number[]): { running: boolean; name: string } {
		const place = this.#clocks.get(cells[0]);
		if (place === undefined) return { running: true, name: `clock ${cells[0]}` };
		return { running: this.#bit(place), name: `clock ${place[1]} (${hex(place[2], 3)} bit ${place[3]})` };
	}

	resetState(cells: readonly number[]): { released: boolean; name: string } {
		const place = this.#resets.get(cells[0]);
		if (place === undefined) return { released: true, name: `reset ${cells[0]}` };
		return { released: this.#bit(place), name: `reset ${place[1]} (${hex(place[2], 3)} bit ${place[3]})` };
	}

	onAssert(cells: readonly number[], fn: () => void): void {
		const place = this.#resets.get(cells[0]);
		if (place !== undefined) this.#listeners.push({ offset: place[2], bit: place[3], fn });
	}

	#bit([, , offset, bit]: BitPlace): boolean {
		return ((this.registers.get(this.#nameAt.get(offset)!) >>> bit) & 1) !== 0;
	}
}

export function ccuFactory(table: CcuTable): ModelFactory {
	return (ctx) => new Ccu(ctx.name, table, () => ctx.machine.powerChanged());
}

export const ccuModels: Models = {
	'allwinner,sun50i-h6-ccu': ccuFactory(CCU_H6),
	'allwinner,sun50i-h616-ccu': ccuFactory(CCU_H616),
	'allwinner,sun50i-h6-r-ccu': ccuFactory(CCU_H6_R),
	'allwinner,sun50i-h616-r-ccu': ccuFactory(CCU_H616_R),
	'allwinner,sun50i-h6-de3-clk': ccuFactory(CCU_DE3),
};
