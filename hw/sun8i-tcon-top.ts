// SPDX-License-Identifier: GPL-2.0-only
// Wires mixers to timing controllers, gates the clocks of the TV paths.
//
// Registers: Linux 6.12, drivers/gpu/drm/sun4i/sun8i_tcon_top.h.
//
// Not modelled: what the multiplexers choose (there is one path on this machine).

import type { ClockProvider, DeviceModel, ModelContext } from './model.js';
import { RegisterFile, type RegisterSpec } from './register-file.js';

/** The gate's bit in GATE_SRC, by the clock's number (include/dt-bindings/clock/sun8i-tcon-top.h). */
const GATES = [20, 24, 16];

export const tconTopRegisters: readonly RegisterSpec[] = [
	{ name: 'TV_SETUP', offset: 0x00, access: 'RW', doc: 'Set-up of the TV encoder (TCON_TOP_TCON_TV_SETUP_REG)' },
	{
		name: 'PORT_SEL',
		offset: 0x1c,
		access: 'RW',
		fields: [
			{ name: 'DE1', bits: [5, 4] },
			{ name: 'DE0', bits: [1, 0] },
		],
		doc: 'Which timing controller each mixer feeds (TCON_TOP_PORT_SEL_REG)',
	},
	{
		name: 'GATE_SRC',
		offset: 0x20,
		access: 'RW',
		fields: [
			{ name: 'HDMI_SRC', bits: [29, 28] },
			{ name: 'TV1_GATE', bits: [24, 24] },
			{ name: 'TV0_GATE', bits: [20, 20] },
			{ name: 'DSI_GATE', bits: [16, 16] },
		],
		doc: 'Clock gates, and what HDMI shows (TCON_TOP_GATE_SRC_REG)',
	},
];

export class TconTop implements DeviceModel, ClockProvider {
	readonly registers = new RegisterFile(tconTopRegisters);

	constructor(
		readonly name: string,
		private readonly ctx: Pick<ModelContext, 'machine'>,
	) {}

	read(offset: number, width: number): number {
		return this.registers.read(offset, width);
	}

	write(offset: number, width: number, value: number): void {
		this.registers.write(offset, value, width);
		this.ctx.machine.powerChanged();
	}

	reset(): void {
		this.registers.reset();
		this.ctx.machine.powerChanged();
	}

	clockState(cells: readonly number[]): { running: boolean; name: string } {
		const bit = GATES[cells[0] ?? 0];
		return {
			running: bit !== undefined && (this.registers.get('GATE_SRC') & (1 << bit)) !== 0,
			name: `clock ${cells[0] ?? 0} of ${this.name} (0x20 bit ${bit})`,
		};
	}
}
