// SPDX-License-Identifier: GPL-2.0-only
// The GICv3: distributor, one redistributor, CPU interface by system registers.
//
// Register offsets: Arm GIC Architecture Specification, GICv3 (Linux: include/linux/irqchip/arm-gic-v3.h).
//
// Not modelled: more than one CPU, security states, message-signalled interrupts (ITS, LPIs), priority
// grouping, software-generated interrupts to other CPUs.

import type { InterruptController } from '#hw/core/interrupts.js';
import { DistributorWindow, InterruptLines, SPURIOUS } from '#hw/core/interrupts.js';
import type { DeviceModel, Models } from '#hw/core/model.js';
import { RegisterFile } from '#hw/core/register-file.js';

const INTERRUPTS = 320;
const SGI_FRAME = 0x10000;
/** Architecture version 3. */
const PIDR2 = 0x3b;
const EOI_MODE = 0x2;

export class GicV3 implements DeviceModel, InterruptController {
	readonly lines = new InterruptLines(INTERRUPTS);
	asserted = false;
	acknowledged = 0;

	readonly distributor = new RegisterFile([
		{
			name: 'GICD_CTLR',
			offset: 0x0000,
			access: 'RW',
			mask: 0x53,
			reset: 0x40,
			doc: 'EnableGrp1 (1), EnableGrp1A (1), ARE, DS; RWP (31) reads as zero: writes are instant',
		},
		{
			name: 'GICD_TYPER',
			offset: 0x0004,
			access: 'RO',
			reset: (9 << 19) | (INTERRUPTS / 32 - 1),
			doc: 'IDbits = 10, ITLinesNumber',
		},
		{ name: 'GICD_IIDR', offset: 0x0008, access: 'RO', reset: 0x043b, doc: 'ARM' },
		{
			name: 'GICD_IROUTER',
			offset: 0x6100,
			access: 'RW',
			count: 2 * (INTERRUPTS - 32),
			doc: 'held: there is one CPU',
		},
		{ name: 'GICD_PIDR2', offset: 0xffe8, access: 'RO', reset: PIDR2, doc: 'architecture version 3' },
	]);
	readonly redistributor = new RegisterFile([
		{ name: 'GICR_CTLR', offset: 0x0000, access: 'RO', doc: 'RWP reads as zero' },
		{ name: 'GICR_IIDR', offset: 0x0004, access: 'RO', reset: 0x043b, doc: 'ARM' },
		{
			name: 'GICR_TYPER',
			offset: 0x0008,
			access: 'RO',
			reset: 0x10,
			doc: 'Last; affinity 0 in the upper word',
		},
		{ name: 'GICR_TYPER_HI', offset: 0x000c, access: 'RO', doc: 'affinity 0.0.0.0' },
		{
			name: 'GICR_WAKER',
			offset: 0x0014,
			access: 'RW',
			mask: 0x2,
			reset: 0x6,
			doc: 'ProcessorSleep; ChildrenAsleep follows it',
		},
		{ name: 'GICR_PIDR2', offset: 0xffe8, access: 'RO', reset: PIDR2, doc: 'architecture version 3' },
	]);
	readonly #shared = new DistributorWindow(this.lines, 32, INTERRUPTS);
	readonly #private = new DistributorWindow(this.lines, 0, 32);

	#priorityMask = 0;
	#groupEnabled = 0;
	#control = 0;
	#binaryPoint = 0;

	constructor(readonly name = 'gic') {
		this.lines.changed = () => this.#update();
		this.distributor.onWrite = () => this.#update();
		this.redistributor.onRead = (register) => {
			if (register !== 'GICR_WAKER') return undefined;
			const sleep = this.redistributor.get('GICR_WAKER') & 2;
			return sleep | (sleep << 1);
		};
	}

	read(offset: number, width: number, region: number): number {
		if (region === 0) return this.#shared.read(offset, width) ?? this.distributor.read(offset, width);
		if (region !== 1 || offset >= 2 * SGI_FRAME) return 0;
		if (offset >= SGI_FRAME) return this.#private.read(offset - SGI_FRAME, width) ?? 0;
		return this.redistributor.read(offset, width);
	}

	write(offset: number, width: number, value: number, region: number): void {
		if (region === 0) {
			if (!this.#shared.write(offset, width, value)) this.distributor.write(offset, value, width);
		} else if (region === 1 && offset >= SGI_FRAME) {
			if (offset < 2 * SGI_FRAME) this.#private.write(offset - SGI_FRAME, width, value);
		} else if (region === 1) this.redistributor.write(offset, value, width);
	}

	describe(offset: number, value: number, region: number): string {
		return (region === 1 ? this.redistributor : this.distributor).describe(offset, value);
	}

	sysregRead(name: string): number | undefined {
		switch (name) {
			case 'ICC_IAR1_EL1':
				return this.#acknowledge();
			case 'ICC_HPPIR1_EL1':
				return this.#highest();
			case 'ICC_RPR_EL1':
				return this.lines.runningPriority;
			case 'ICC_PMR_EL1':
				return this.#priorityMask;
			case 'ICC_IGRPEN1_EL1':
				return this.#groupEnabled;
			case 'ICC_BPR1_EL1':
				return this.#binaryPoint;
			case 'ICC_CTLR_EL1':
				// PRIbits - 1 in 10:8: five bits of priority.
				return this.#control | (4 << 8);
			case 'ICC_SRE_EL1':
				return 0x7;
			default:
				return undefined;
		}
	}

	sysregWrite(name: string, value: number): boolean {
		switch (name) {
			case 'ICC_EOIR1_EL1':
				if ((value & 0xffffff) < SPURIOUS) {
					this.lines.dropPriority();
					if ((this.#control & EOI_MODE) === 0) this.lines.deactivate(value & 0xffffff);
				}
				break;
			case 'ICC_DIR_EL1':
				this.lines.deactivate(value & 0xffffff);
				break;
			case 'ICC_PMR_EL1':
				this.#priorityMask = value & 0xf8;
				break;
			case 'ICC_IGRPEN1_EL1':
				this.#groupEnabled = value & 1;
				break;
			case 'ICC_CTLR_EL1':
				this.#control = value & EOI_MODE;
				break;
			case 'ICC_BPR1_EL1':
				this.#binaryPoint = value & 7;
				break;
			case 'ICC_SGI1R_EL1':
				// INTID in 27:24; there is one CPU, so it is for this one.
				this.lines.latched[0] |= 1 << (Math.floor(value / 0x1000000) & 15);
				break;
			case 'ICC_SRE_EL1':
			case 'ICC_AP0R0_EL1':
			case 'ICC_AP1R0_EL1':
				break;
			default:
				return false;
		}
		this.#update();
		return true;
	}

	reset(): void {
		this.distributor.reset();
		this.redistributor.reset();
		this.#priorityMask = 0;
		this.#groupEnabled = 0;
		this.#control = 0;
		this.lines.reset();
	}

	#highest(): number {
		if ((this.distributor.get('GICD_CTLR') & 3) === 0 || this.#groupEnabled === 0) return SPURIOUS;
		return this.lines.highest(this.#priorityMask);
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

export const gicV3Models: Models = { 'arm,gic-v3': (ctx) => new GicV3(ctx.name) };
