// SPDX-License-Identifier: GPL-2.0-only
// Registers by name.

import type { Window } from '#hw/core/bus.js';
import type { RegisterFile } from '#hw/core/register-file.js';
import type { Command } from '../command.js';
import type { Session } from '../session.js';
import { CommandError, expected, numberOf } from '../words.js';

/** The registers of one `reg` entry of a device. */
interface Bank {
	readonly window: Window;
	readonly file: RegisterFile;
}

/** The devices that have registers by name. */
export function devicesOf({ machine }: Session): string[] {
	const named = [...machine.models.values()].filter(
		({ registers, registerFiles }) => registers !== undefined || registerFiles !== undefined,
	);
	return named.map(({ name }) => name).sort();
}

function banksOf(session: Session, name: string | undefined): Bank[] {
	const model = name === undefined ? undefined : session.machine.models.get(name);
	const files = model?.registerFiles ?? (model?.registers === undefined ? [] : [model.registers]);
	const windows = session.machine.bus.windows.filter((window) => window.model === model);
	const banks = windows.flatMap((window) => {
		const file = files[window.region];
		return file === undefined ? [] : [{ window, file }];
	});
	if (model === undefined || banks.length === 0)
		return expected(`a device with registers, ${devicesOf(session).join(' or ')}`, name);
	return banks;
}

export function registersOf(session: Session, device: string): string[] {
	return devicesOf(session).includes(device)
		? banksOf(session, device).flatMap(({ file }) => file.dump().map(({ name }) => name))
		: [];
}

const reg: Command = {
	name: 'reg',
	args: 'DEVICE [REGISTER [= VALUE]]',
	does: 'registers as they are stored, without a read on the bus; = stores as the CPU does',
	effect: (args) => (args.length > 2 ? 'change' : 'look'),
	run(session, args) {
		const device = args[0]?.word;
		const banks = banksOf(session, device);
		const dark = banks[0].window.unpowered();
		const note = dark === null ? [] : [`(${device} does not answer: ${dark})`];
		if (args.length === 1)
			return [...note, ...banks.flatMap(({ file }) => file.dump().map(({ text }) => `  ${text}`))];
		const name = args[1].word;
		for (const { window, file } of banks) {
			const found = file.dump().find((register) => register.name === name);
			if (found === undefined) continue;
			if (args.length === 2) return [...note, found.text];
			const value = args[2].word === '=' ? numberOf(args[3]?.word ?? '') : null;
			if (value === null || value > 0xffff_ffff)
				return expected(
					'= and a value of 32 bits',
					args
						.slice(2)
						.map(({ word }) => word)
						.join(' '),
				);
			if (dark !== null) throw new CommandError(`expected a device that answers, got ${device}: ${dark}`);
			session.machine.mmio_write(window.base + found.offset, 4, value);
			return [file.describe(found.offset, file.dump().find((register) => register.name === name)!.value)];
		}
		return expected(
			`a register of ${device}, as ${registersOf(session, device!).slice(0, 4).join(', ')}`,
			name,
		);
	},
	complete: (session, at, _begun, args) =>
		at === 0 ? devicesOf(session) : at === 1 ? registersOf(session, args[0]) : [],
};

export const REGISTERS: readonly Command[] = [reg];
