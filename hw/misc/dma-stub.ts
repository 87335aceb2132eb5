// SPDX-License-Identifier: GPL-2.0-only
// A stub in the place of a block that is not modelled: it copies memory, and that is all.
//
// It stands on the block's node, behind its IOMMU, with its clocks, resets, power domain and interrupt, so that all
// these can be tried without the block. The registers are the stub's own, not those of the block.
//
// Not modelled: the block.

import type { DmaPort } from '#hw/core/dma-port.js';
import type { DeviceModel, IrqLine, ModelContext, Models } from '#hw/core/model.js';
import { RegisterFile, type RegisterSpec } from '#hw/core/register-file.js';

/** Nanoseconds that it takes for each byte, and how much it takes at once. */
const NS_PER_BYTE = 1;
const BURST = 256;

const DONE = 1;
const REFUSED = 2;

const REGISTERS: readonly RegisterSpec[] = [
	{ name: 'SRC', offset: 0x00, access: 'RW', doc: 'DMA address to read from' },
	{ name: 'DST', offset: 0x04, access: 'RW', doc: 'DMA address to write to' },
	{ name: 'LEN', offset: 0x08, access: 'RW', doc: 'bytes' },
	{ name: 'START', offset: 0x0c, access: 'WO', doc: 'any write: copy' },
	{
		name: 'STATUS',
		offset: 0x10,
		access: 'W1C',
		fields: [
			{ name: 'DONE', bits: [0, 0] },
			{ name: 'REFUSED', bits: [1, 1] },
		],
		doc: 'how it ended; the interrupt is up while any bit is set',
	},
];

export class DmaStub implements DeviceModel {
	readonly registers = new RegisterFile(REGISTERS);
	#cancel: (() => void) | null = null;

	constructor(
		readonly name: string,
		readonly port: DmaPort,
		readonly irq: IrqLine,
		readonly powered: () => boolean,
		readonly after: (ns: number, fn: () => void) => () => void,
	) {
		this.registers.whenWritten('START', () => {
			this.#cancel?.();
			this.#cancel = this.after(NS_PER_BYTE * this.registers.get('LEN'), () => this.#copy());
		});
		this.registers.whenWritten('STATUS', () => this.#update());
	}

	read(offset: number, width: number): number {
		return this.registers.read(offset, width);
	}

	write(offset: number, width: number, value: number): void {
		this.registers.write(offset, value, width);
	}

	reset(): void {
		this.#cancel?.();
		this.#cancel = null;
		this.registers.reset();
		this.#update();
	}

	#copy(): void {
		this.#cancel = null;
		const length = this.registers.get('LEN');
		const [from, to] = [this.registers.get('SRC'), this.registers.get('DST')];
		let ok = this.powered();
		for (let at = 0; ok && at < length; at += BURST) {
			const bytes = new Uint8Array(Math.min(BURST, length - at));
			ok = this.port.read(from + at, bytes) && this.port.write(to + at, bytes);
		}
		this.registers.set('STATUS', ok ? DONE : REFUSED);
		this.#update();
	}

	#update(): void {
		this.irq.set(this.registers.get('STATUS') !== 0);
	}
}

function dmaStub(ctx: ModelContext): DmaStub {
	return new DmaStub(
		ctx.name,
		ctx.dma(),
		ctx.irq(),
		() => ctx.powered(),
		(ns, fn) => ctx.after(ns, fn),
	);
}

/** Display controllers, video codecs, camera units of RK3399 and RK356x. */
export const dmaStubModels: Models = {
	'rockchip,rk3399-vop-big': dmaStub,
	'rockchip,rk3399-vop-lit': dmaStub,
	'rockchip,rk3566-vop': dmaStub,
	'rockchip,rk3568-vop': dmaStub,
	'rockchip,rk3399-vpu': dmaStub,
	'rockchip,rk3568-vpu': dmaStub,
	'rockchip,rk3568-vepu': dmaStub,
	'rockchip,rk3399-vdec': dmaStub,
	'rockchip,rk3399-cif-isp': dmaStub,
};
