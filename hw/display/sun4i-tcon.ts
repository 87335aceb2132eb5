// SPDX-License-Identifier: GPL-2.0-only
// The TV path's timing controller: when a frame is due; vertical blanking.
//
// Registers: Linux 6.12, drivers/gpu/drm/sun4i/sun4i_tcon.h.
//
// Not modelled: channel 0 (panels), the pixel clock (a frame takes 1/60 s whatever the totals are), interlace,
// gamma, the fill generators.

import type { DeviceModel, IrqLine, ModelContext, Models } from '#hw/core/model.js';
import { RegisterFile, type RegisterSpec } from '#hw/core/register-file.js';
import { monitorOf } from './monitor.js';

const FRAME_NS = Math.round(1e9 / 60);
const ENABLE = 0x8000_0000;
const VBLANK_ENABLE = 1 << 30;
const VBLANK_INT = 1 << 14;
/** The interrupt flags of GINT0: cleared by writing 0, kept by writing 1. */
const FLAGS = 0xcc00;

export const tconRegisters: readonly RegisterSpec[] = [
	{
		name: 'GCTL',
		offset: 0x00,
		access: 'RW',
		mask: 0xc000_0001,
		fields: [
			{ name: 'TCON_ENABLE', bits: [31, 31] },
			{ name: 'IOMAP', bits: [0, 0], values: { 0: 'TCON0', 1: 'TCON1' } },
		],
		doc: 'Global control (SUN4I_TCON_GCTL_REG)',
	},
	{
		name: 'GINT0',
		offset: 0x04,
		access: 'RW',
		mask: 0xcc00_cc00,
		fields: [
			{ name: 'VBLANK_ENABLE1', bits: [30, 30] },
			{ name: 'VBLANK_INT1', bits: [14, 14] },
		],
		doc: 'Interrupt enables above, flags below; a flag is cleared by writing 0 (SUN4I_TCON_GINT0_REG)',
	},
	{
		name: 'GINT1',
		offset: 0x08,
		access: 'RW',
		doc: 'Line numbers of the line interrupts (SUN4I_TCON_GINT1_REG)',
	},
	{
		name: 'TCON1_CTL',
		offset: 0x90,
		access: 'RW',
		fields: [{ name: 'TCON_ENABLE', bits: [31, 31] }],
		doc: 'Channel 1 control (SUN4I_TCON1_CTL_REG)',
	},
	{
		name: 'TCON1_BASIC',
		offset: 0x94,
		access: 'RW',
		count: 6,
		doc: 'Active size, scaler sizes, totals, sync widths of channel 1 (SUN4I_TCON1_BASIC0_REG to BASIC5)',
	},
	{
		name: 'TCON0_IO_POL',
		offset: 0x88,
		access: 'RW',
		doc: 'Polarities, on chips that have them with channel 0 (SUN4I_TCON0_IO_POL_REG)',
	},
	{ name: 'TCON1_IO_POL', offset: 0xf0, access: 'RW', doc: 'Polarities (SUN4I_TCON1_IO_POL_REG)' },
	{ name: 'TCON1_IO_TRI', offset: 0xf4, access: 'RW', doc: 'Tri-state (SUN4I_TCON1_IO_TRI_REG)' },
];

export class Tcon implements DeviceModel {
	readonly registers = new RegisterFile(tconRegisters);
	readonly #irq: IrqLine;
	#cancel: (() => void) | null = null;

	constructor(
		readonly name: string,
		private readonly ctx: ModelContext,
	) {
		this.#irq = ctx.irq(0);
	}

	read(offset: number, width: number): number {
		return this.registers.read(offset, width);
	}

	write(offset: number, width: number, value: number): void {
		if (offset === 0x04) {
			const flags = this.registers.get('GINT0') & value & FLAGS;
			this.registers.write(offset, ((value & ~FLAGS) | flags) >>> 0, width);
		} else this.registers.write(offset, value, width);
		this.#update();
	}

	reset(): void {
		this.registers.reset();
		this.#update();
	}

	#running(): boolean {
		return (this.registers.get('GCTL') & this.registers.get('TCON1_CTL') & ENABLE) !== 0;
	}

	#update(): void {
		if (this.#running() && this.#cancel === null)
			this.#cancel = this.ctx.after(FRAME_NS, () => this.#frame());
		else if (!this.#running() && this.#cancel !== null) {
			this.#cancel();
			this.#cancel = null;
		}
		monitorOf(this.ctx.machine).running = this.#running();
		const gint = this.registers.get('GINT0');
		this.#irq.set((gint & VBLANK_INT) !== 0 && (gint & VBLANK_ENABLE) !== 0);
	}

	#frame(): void {
		this.#cancel = null;
		if (!this.ctx.powered()) return;
		monitorOf(this.ctx.machine).refresh();
		this.registers.set('GINT0', (this.registers.get('GINT0') | VBLANK_INT) >>> 0);
		this.#update();
	}
}

export const tconModels: Models = {
	'allwinner,sun50i-h6-tcon-tv': (ctx) => new Tcon(ctx.name, ctx),
	'allwinner,sun8i-r40-tcon-tv': (ctx) => new Tcon(ctx.name, ctx),
};
