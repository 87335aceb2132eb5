// SPDX-License-Identifier: GPL-2.0-only
// INV-FAULT at the interrupt lines, as a handler returns: it has not cleared what raised its line, has left it to nobody
// although its device asks, or claims what is not its own. At quiet points: a line that nobody will answer.

import type { IrqLine } from '#hw/core/model.js';
import type { FaultRecord, Iommu } from '#hw/iommu/iommu.js';
import { irq_to_desc, NR_IRQS } from '#kernel/irq/irqdesc.js';
import type { irqaction } from '#linux/irqhandler.js';
import { IRQ_NONE, type irqreturn_t } from '#linux/irqreturn.js';
import type { Faults } from './faults.js';
import { attachProbes } from './kernel.js';
import type { Watched, Watcher } from './watcher.js';

/** A line that is up when its handler returns so many times in a row, for the same reason, is a storm. */
const STORM = 64;

/** An output of a block. */
export interface Output {
	readonly name: string;
	readonly line: IrqLine;
}

/** A handler that has been called, as its device was then. */
interface Running {
	readonly outputs: readonly Output[];
	readonly level: boolean[];
	readonly raised: number[];
	/** Its IOMMU has seen a fault since. */
	fresh: boolean;
}

/** `sun50i_iommu_irq()`. */
export function handlerName({ handler, name }: irqaction): string {
	return `${handler?.name || name || 'the handler'}()`;
}

/** The outputs that @action of interrupt @irq is to answer: its device's; all on the line, when it is alone there. */
export function outputsOf(watched: Watched, irq: number, action: irqaction): Output[] {
	const desc = irq_to_desc(irq);
	if (desc === null) return [];
	const onLine = watched.machine.wires.filter(({ line }) => line.intid === desc.irq_data.hwirq);
	const own = onLine.filter(({ name }) => name === action.name);
	if (own.length > 0 || desc.action === null || desc.action.next !== null) return own;
	return onLine;
}

export class Interrupts implements Watcher {
	readonly #running: Running[] = [];
	/** How often each output was still up in a row. */
	readonly #again = new Map<IrqLine, { raised: number; times: number }>();

	constructor(
		readonly watched: Watched,
		readonly faults: Faults,
	) {}

	watchKernel(): () => void {
		this.#running.length = 0;
		return attachProbes({
			irq_handler_entry: (_data: unknown, irq: number, action: irqaction) => this.#enter(irq, action),
			irq_handler_exit: (_data: unknown, _irq: number, action: irqaction, ret: irqreturn_t) =>
				this.#exit(action, ret),
		});
	}

	faulted(iommu: Iommu, _fault: FaultRecord): void {
		for (const running of this.#running)
			if (running.outputs.some(({ name }) => name === iommu.name)) running.fresh = true;
	}

	#enter(irq: number, action: irqaction): void {
		const outputs = outputsOf(this.watched, irq, action);
		this.#running.push({
			outputs,
			level: outputs.map(({ line }) => line.level),
			raised: outputs.map(({ line }) => line.raised),
			fresh: false,
		});
	}

	#exit(action: irqaction, ret: irqreturn_t): void {
		const running = this.#running.pop();
		if (running === undefined || running.outputs.length === 0) return;
		const fn = handlerName(action);
		const { outputs } = running;
		for (const [i, { name, line }] of outputs.entries()) {
			const still = running.level[i] && line.level && line.raised === running.raised[i];
			if (!still) {
				this.#again.delete(line);
				continue;
			}
			const known = this.watched.machine.iommus.find((iommu) => iommu.name === name);
			const again = this.#again.get(line);
			const times = again?.raised === line.raised ? again.times + 1 : 1;
			this.#again.set(line, { raised: line.raised, times });
			const open = known === undefined || running.fresh || (ret !== IRQ_NONE && this.faults.owes(known));
			if (open && times < STORM) continue;
			this.#stillUp(fn, name, line, ret, open ? times : 1);
		}
		const asked = running.level.some((level) => level) || outputs.some(({ line }) => line.level);
		const iommu = this.watched.machine.iommus.find(({ name }) => outputs.some((o) => o.name === name));
		if (asked || running.fresh || iommu === undefined || ret === IRQ_NONE) return;
		this.watched.find({
			invariant: 'INV-FAULT',
			kind: 'interrupt-not-its-own',
			device: iommu.name,
			moment: 'return',
			what: fn,
			place: fn,
			details: [`${fn} has answered IRQ_HANDLED, and ${iommu.name} had not asked for an interrupt`],
			advice: `${fn} has to answer IRQ_NONE when its device's status is 0: on a shared line it hides that nobody has answered the other`,
		});
	}

	#stillUp(fn: string, name: string, line: IrqLine, ret: irqreturn_t, times: number): void {
		const none = ret === IRQ_NONE;
		const often = times > 1 ? `${times} times in a row ` : '';
		this.watched.find({
			invariant: 'INV-FAULT',
			kind: times > 1 ? 'interrupt-storm' : none ? 'interrupt-ignored' : 'interrupt-not-cleared',
			device: name,
			moment: 'return',
			what: fn,
			place: fn,
			details: [
				`${fn} has ${often}returned ${none ? 'IRQ_NONE' : 'IRQ_HANDLED'}, and ${name} keeps interrupt ${line.intid} up for the same reason as before`,
			],
			advice: none
				? `${fn} takes the interrupt for another device's: it looks at the wrong status register or bits, or gives up too early`
				: `${fn} does not clear (all of) the status that raised the line: it writes to the wrong register, the wrong bits, or before the cause is gone; the handler will be entered for ever`,
		});
	}

	quiet(operation: string): void {
		if (!this.watched.running) return;
		for (const { name, line } of this.watched.machine.wires) {
			if (!line.level || line.intid < 0) continue;
			for (let irq = 0; irq < NR_IRQS; irq++) {
				const desc = irq_to_desc(irq);
				if (desc === null || desc.irq_data.hwirq !== line.intid || desc.irq_data.chip === null) continue;
				if (desc.action !== null && desc.depth === 0) continue;
				const why =
					desc.action === null ? 'nobody has requested it' : `it has been disabled ${desc.depth} times`;
				this.watched.find({
					invariant: 'INV-FAULT',
					kind: 'interrupt-lost',
					device: name,
					moment: 'quiet',
					place: `${line.intid}`,
					details: [`After ${operation}: ${name} asks for interrupt ${line.intid}, and ${why}`],
					advice:
						desc.action === null
							? `${name} was let interrupt before request_irq(), or after free_irq(): its interrupts have to be masked in its registers then`
							: `a disable_irq() of interrupt ${line.intid} has no enable_irq()`,
				});
			}
		}
	}
}
