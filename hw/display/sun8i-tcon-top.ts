// SPDX-License-Identifier: GPL-2.0-only
// Wires mixers to timing controllers, gates the clocks of the TV paths.
//
// Registers: Linux 6.12, drivers/gpu/drm/sun4i/sun8i_tcon_top.h.
//
// Not modelled: what the multiplexers choose (there is one path on this machine); that a gated pixel clock stops the
// timing controller (its registers answer without that clock, so it is no ClockProvider of theirs).

import type { DeviceModel, Models } from '#hw/core/model.js';
import { RegisterFile, type RegisterSpec } from '#hw/core/register-file.js';

export const tconTopRegisters: readonly RegisterSpec[] = [
	{
		name: 'TV_SETUP',
		offset: 0x00,
		access: 'RW',
		doc: 'Set-up of the TV encoder (TCON_TOP_TCON_TV_SETUP_REG)',
	},
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

export class TconTop implements DeviceModel {
	readonly registers = new RegisterFile(tconTopRegisters);
	/** The channel's clock only runs through a gate here. */
	readonly registerClocks = ['bus'];

	constructor(readonly name: string) {}

	read(offset: number, width: number): number {
		return this.registers.read(offset, width);
	}

	write(offset: number, width: number, value: number): void {
		this.registers.write(offset, value, width);
	}

	reset(): void {
		this.registers.reset();
	}
}

export const tconTopModels: Models = { 'allwinner,sun50i-h6-tcon-top': (ctx) => new TconTop(ctx.name) };
