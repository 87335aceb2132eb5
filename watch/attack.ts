// SPDX-License-Identifier: GPL-2.0-only
// A device that attacks: what the driver reads of its registers, what it writes to memory, and when it interrupts is not
// what the model says, but what somebody has thought up. The driver has to survive it.

import { deviceName, type Machine } from '#hw/core/machine.js';
import type { DeviceModel } from '#hw/core/model.js';
import { hex } from '#hw/core/register-file.js';

/** One lie. */
export type Move =
	/** The @nth read of a register answers (what it is & @and) ^ @xor. */
	| { readonly kind: 'register'; readonly nth: number; readonly and: number; readonly xor: number }
	/** So do @count reads from the @nth on. Not for ever: who holds its interrupt line up for ever stops any kernel. */
	| {
			readonly kind: 'stuck';
			readonly nth: number;
			readonly count: number;
			readonly and: number;
			readonly xor: number;
	  }
	/** Before the @nth access to a register comes an interrupt that nothing is the reason of. */
	| { readonly kind: 'interrupt'; readonly nth: number }
	/** The first word of the @nth record that it writes to memory is another one. */
	| { readonly kind: 'record'; readonly nth: number; readonly word: number; readonly value: number };

/** A driver that goes round and round: so many accesses of its device's registers are no program. */
const ENDLESS = 50_000;

/** What is not longer is a record: an event, a descriptor. */
const RECORD = 64;

/** The driver does not come back: the place is in the stack. */
export class Endless extends Error {
	override readonly name = 'Endless';
}

/** @move for a person. */
export function moveText(move: Move): string {
	switch (move.kind) {
		case 'register':
			return `register read ${move.nth} answers (what it is & ${hex(move.and)}) ^ ${hex(move.xor)}`;
		case 'stuck':
			return `${move.count} register reads from ${move.nth} on answer (what it is & ${hex(move.and)}) ^ ${hex(move.xor)}`;
		case 'interrupt':
			return `an interrupt without a reason before register access ${move.nth}`;
		case 'record':
			return `word ${move.word} of record ${move.nth} in memory is ${hex(move.value)}`;
	}
}

/** The numbers of @name's interrupts at the controller. */
function interruptsOf(machine: Machine, name: string): number[] {
	for (const node of machine.tree.walk())
		if (node.parent !== null && deviceName(node) === name)
			return node.interrupts.map(({ args: [type, number] }) => number + (type === 0 ? 32 : 16));
	return [];
}

/** Have @model make @moves from now on; the result ends that. What it read and wrote is counted from here. */
export function attack(machine: Machine, model: DeviceModel, moves: readonly Move[]): () => void {
	const intids = interruptsOf(machine, model.name);
	const { ram } = machine;
	let reads = 0;
	let accesses = 0;
	let records = 0;
	const before = (): void => {
		const nth = accesses++;
		if (nth > ENDLESS) throw new Endless(`${ENDLESS} accesses to registers of ${model.name}, and no end`);
		for (const move of moves)
			if (move.kind === 'interrupt' && move.nth === nth) for (const intid of intids) machine.pulse(intid);
	};
	const { read, write } = model;
	const { deviceWrite } = ram;
	model.read = (offset, width, region) => {
		before();
		const nth = reads++;
		let value = read.call(model, offset, width, region);
		for (const move of moves)
			if (
				(move.kind === 'register' && move.nth === nth) ||
				(move.kind === 'stuck' && move.nth <= nth && nth < move.nth + move.count)
			)
				value = ((value & move.and) ^ move.xor) >>> 0;
		return width >= 4 ? value : value & (2 ** (8 * width) - 1);
	};
	model.write = (offset, width, value, region) => {
		before();
		write.call(model, offset, width, value, region);
	};
	ram.deviceWrite = (phys, src, snoop) => {
		if (src.length > RECORD) return deviceWrite.call(ram, phys, src, snoop);
		const nth = records++;
		const bytes = src.slice();
		for (const move of moves)
			if (move.kind === 'record' && move.nth === nth && 4 * move.word + 4 <= bytes.length)
				new DataView(bytes.buffer).setUint32(4 * move.word, move.value, true);
		return deviceWrite.call(ram, phys, bytes, snoop);
	};
	return () => {
		Object.assign(model, { read, write });
		ram.deviceWrite = deviceWrite;
	};
}
