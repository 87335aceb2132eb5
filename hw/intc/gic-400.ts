// SPDX-License-Identifier: GPL-2.0-only
// The GIC-400 interrupt controller: distributor, memory-mapped CPU interface.
//
// Register offsets: ARM Generic Interrupt Controller Architecture Specification 2.0, tables 4-1 and 4-2
// (Linux: include/linux/irqchip/arm-gic.h).
//
// Not modelled: more than one CPU, security groups, the virtual CPU interface (regions 2 and 3 read as
// zero), software-generated interrupts to other CPUs, binary point (no group priority split).

import type { InterruptController } from '#hw/core/interrupts.js';
import { DistributorWindow, InterruptLines, SPURIOUS } from '#hw/core/interrupts.js';
import type { DeviceModel, Models } from '#hw/core/model.js';
import { RegisterFile } from '#hw/core/register-file.js';

/** 256 numbers cover every board with this controller that we boot. */
const INTERRUPTS = 256;

const EOI_MODE_NS = 0x200;

export class Gic400 implements DeviceModel, InterruptController {
	readonly lines = new InterruptLines(INTERRUPTS);
	asserted = false;
	acknowledged = 0;

	readonly distributor = new RegisterFile([
		{ name: 'GICD_CTLR', offset: 0x000, access: 'RW', mask: 0x3, doc: 'bit 0: forward interrupts' },
		{
			name: 'GICD_TYPER',
			offset: 0x004,
			access: 'RO',
			reset: INTERRUPTS / 32 - 1,
			doc: 'ITLinesNumber, one CPU',
		},
		{ name: 'GICD_IIDR', offset: 0x008, access: 'RO', reset: 0x0200143b, doc: 'GIC-400, ARM' },
		{
			name: 'GICD_ITARGETSR',
			offset: 0x800,
			access: 'RO',
			count: INTERRUPTS / 4,
			reset: 0x01010101,
			doc: 'all to CPU 0',
		},
		{ name: 'GICD_SGIR', offset: 0xf00, access: 'WO', doc: 'software-generated interrupt to this CPU' },
		{ name: 'GICD_PIDR2', offset: 0xfe8, access: 'RO', reset: 0x2b, doc: 'architecture version 2' },
	]);
	readonly cpuInterface = new RegisterFile([
		{
			name: 'GICC_CTLR',
			offset: 0x0000,
			access: 'RW',
			mask: 0x3ff,
			doc: 'bit 0: enable; bit 9: EOI only drops the priority',
		},
		{
			name: 'GICC_PMR',
			offset: 0x0004,
			access: 'RW',
			mask: 0xf8,
			doc: 'priorities below this get through; 0 at reset',
		},
		{ name: 'GICC_BPR', offset: 0x0008, access: 'RW', mask: 0x7, doc: 'binary point: held, not used' },
		{
			name: 'GICC_IAR',
			offset: 0x000c,
			access: 'RO',
			doc: 'reading acknowledges: the number, 1023 when none',
		},
		{ name: 'GICC_EOIR', offset: 0x0010, access: 'WO', doc: 'end of interrupt' },
		{ name: 'GICC_RPR', offset: 0x0014, access: 'RO', doc: 'running priority' },
		{ name: 'GICC_HPPIR', offset: 0x0018, access: 'RO', doc: 'highest pending' },
		{ name: 'GICC_APR', offset: 0x00d0, access: 'RW', count: 4, doc: 'active priorities: held, not used' },
		{ name: 'GICC_IIDR', offset: 0x00fc, access: 'RO', reset: 0x0202143b, doc: 'GIC-400, ARM' },
		{ name: 'GICC_DIR', offset: 0x1000, access: 'WO', doc: 'deactivate, when CTLR bit 9 is set' },
	]);
	readonly #shared = new DistributorWindow(this.lines, 0, INTERRUPTS);

	constructor(readonly name = 'gic') {
		this.lines.changed = () => this.#update();
		this.distributor.onWrite = (register, _index, _value, written) => {
			if (register === 'GICD_SGIR') this.lines.latched[0] |= 1 << (written & 15);
			this.#update();
		};
		this.cpuInterface.onRead = (register) => {
			if (register === 'GICC_IAR') return this.#acknowledge();
			if (register === 'GICC_RPR') return this.lines.runningPriority;
			if (register === 'GICC_HPPIR') return this.#highest();
			return undefined;
		};
		this.cpuInterface.onWrite = (register, _index, _value, written) => {
			const intid = written & 0x3ff;
			if (register === 'GICC_EOIR' && intid < SPURIOUS) {
				this.lines.dropPriority();
				if ((this.cpuInterface.get('GICC_CTLR') & EOI_MODE_NS) === 0) this.lines.deactivate(intid);
			} else if (register === 'GICC_DIR') this.lines.deactivate(intid);
			this.#update();
		};
		// One CPU: its banked target registers (numbers below 32) and all others name CPU 0, whatever is written.
	}

	read(offset: number, width: number, region: number): number {
		if (region === 0) return this.#shared.read(offset, width) ?? this.distributor.read(offset, width);
		return region === 1 ? this.cpuInterface.read(offset, width) : 0;
	}

	write(offset: number, width: number, value: number, region: number): void {
		if (region === 0) {
			if (!this.#shared.write(offset, width, value)) this.distributor.write(offset, value, width);
		} else if (region === 1) this.cpuInterface.write(offset, value, width);
	}

	describe(offset: number, value: number, region: number): string {
		return (region === 1 ? this.cpuInterface : this.distributor).describe(offset, value);
	}

	reset(): void {
		this.distributor.reset();
		this.cpuInterface.reset();
		this.lines.reset();
	}

	#highest(): number {
		if ((this.distributor.get('GICD_CTLR') & 3) === 0 || (this.cpuInterface.get('GICC_CTLR') & 3) === 0)
			return SPURIOUS;
		return this.lines.highest(this.cpuInterface.get('GICC_PMR'));
	}

	#acknowledge(): number {
		const intid = this.#highest();
		if (intid === SPURIOUS) return SPURIOUS;
		this.acknowledged++;
		this.lines.acknowledge(intid);
		return intid;
	}

	#update(): void {
		this.asserted = this.#highest() !== SPURIOUS;
	}
}

export const gic400Models: Models = { 'arm,gic-400': (ctx) => new Gic400(ctx.name) };
