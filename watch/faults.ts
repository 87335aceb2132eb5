// SPDX-License-Identifier: GPL-2.0-only
// INV-FAULT between hardware and report_iommu_fault(), as the interrupt handler returns: each fault that the registers
// tell of is reported once, with its address, its direction where they tell it, and its device; the stream that faulted
// goes on; nobody else is held up.
//
// What chips lose (one address for the faults of several masters, a full queue) is no fault of a driver: the models say
// so (IommuObserver.forgotten).

import { hex } from '#hw/core/register-file.js';
import { accessText, type FaultRecord, type Iommu, NO_PASID, WRITE } from '#hw/iommu/iommu.js';
import { dev_name, type device } from '#linux/device.js';
import { __IOMMU_DOMAIN_PAGING, IOMMU_FAULT_WRITE } from '#linux/iommu.js';
import type { irqaction } from '#linux/irqhandler.js';
import { IRQ_NONE, type irqreturn_t } from '#linux/irqreturn.js';
import type { Devices } from './devices.js';
import { handlerName, outputsOf } from './interrupts.js';
import { attachProbes } from './kernel.js';
import type { Watched, Watcher } from './watcher.js';

/** Faults that are remembered of one IOMMU while nobody reports them. */
const KEPT = 1024;

/** A handler of an IOMMU's interrupt at work. */
interface Running {
	readonly iommu: Iommu;
	readonly fn: string;
	/** What is to be reported when it returns. */
	readonly before: readonly FaultRecord[];
	readonly reported: FaultRecord[];
	/** Streams that have faulted since. */
	readonly fresh: Set<number>;
}

export class Faults implements Watcher {
	/** Not reported yet. */
	readonly #pending = new Map<Iommu, FaultRecord[]>();
	/** Those of them that the registers have lost: who was quick enough may report them. */
	readonly #lost = new WeakSet<FaultRecord>();
	readonly #running: Running[] = [];

	constructor(
		readonly watched: Watched,
		readonly devices: Devices,
	) {}

	watchKernel(): () => void {
		this.#running.length = 0;
		this.#pending.clear();
		return attachProbes({
			irq_handler_entry: (_data: unknown, irq: number, action: irqaction) => this.#enter(irq, action),
			irq_handler_exit: (_data: unknown, irq: number, action: irqaction, ret: irqreturn_t) =>
				this.#exit(irq, action, ret),
			io_page_fault: (_data: unknown, dev: device, iova: number, flags: number) =>
				this.#reported(dev, iova, flags),
		});
	}

	faulted(iommu: Iommu, fault: FaultRecord): void {
		if (!this.watched.running) return;
		const pending = this.#pendingOf(iommu);
		pending.push(fault);
		if (pending.length > KEPT) pending.shift();
		for (const running of this.#running) if (running.iommu === iommu) running.fresh.add(fault.stream);
	}

	forgotten(_iommu: Iommu, fault: FaultRecord, cleared: boolean): void {
		// What was there when the handler began it can report before it clears it.
		if (!cleared || !this.#running.some(({ before }) => before.includes(fault))) this.#lost.add(fault);
	}

	held(iommu: Iommu, stream: number): void {
		const running = this.#running.at(-1);
		if (running === undefined || running.iommu !== iommu || running.fresh.has(stream)) return;
		const mine = (fault: FaultRecord): boolean => fault.stream === stream;
		if (running.before.some(mine) || running.reported.some(mine) || iommu.stopped?.(stream)) return;
		const who = iommu.streamName(stream);
		this.watched.find({
			invariant: 'INV-FAULT',
			kind: 'disturbs-others',
			device: iommu.name,
			moment: 'return',
			what: running.fn,
			place: `${running.fn} ${stream}`,
			details: [`${running.fn} holds ${who} (stream ${stream}) up or resets it, and ${who} has not faulted`],
			advice: `${running.fn} takes the wrong mask: only the masters to blame (${running.before.map((f) => iommu.streamName(f.stream)).join(', ') || 'none'}) have to be reset`,
		});
	}

	#enter(irq: number, action: irqaction): void {
		const outputs = outputsOf(this.watched, irq, action);
		const iommu = this.watched.machine.iommus.find(({ name }) => outputs.some((o) => o.name === name));
		if (iommu === undefined) return;
		this.#running.push({
			iommu,
			fn: handlerName(action),
			before: [...this.#pendingOf(iommu)],
			reported: [],
			fresh: new Set(),
		});
	}

	#reported(dev: device, iova: number, flags: number): void {
		const running = this.#running.at(-1);
		// A test, or a driver with a thread of its own.
		if (running === undefined) return;
		const { iommu, fn } = running;
		const pending = this.#pendingOf(iommu);
		const write = (flags & IOMMU_FAULT_WRITE) !== 0;
		// What the registers have lost it may have read before.
		const all = pending.filter((fault) => fault.iova === iova);
		const here = [...all.filter((fault) => !this.#lost.has(fault)), ...all];
		const fault =
			here.find((f) => this.#isDevice(iommu, f, dev) && !this.#otherWay(f, write)) ??
			here.find((f) => !this.#otherWay(f, write)) ??
			here[0];
		if (fault === undefined) {
			this.#noSuchFault(running, dev, iova, pending);
			return;
		}
		this.#settled(iommu, fault);
		running.reported.push(fault);
		const said = `${fn} has reported ${this.#text(iommu, fault)}`;
		if (this.#otherWay(fault, write))
			this.watched.find({
				invariant: 'INV-FAULT',
				kind: 'fault-wrong-direction',
				device: iommu.name,
				moment: 'return',
				what: fn,
				place: fn,
				details: [`${said} as a ${write ? 'write' : 'read'}`],
				advice: `${fn} takes the direction from the wrong bit, or exchanges IOMMU_FAULT_READ and IOMMU_FAULT_WRITE`,
			});
		if (!this.#isDevice(iommu, fault, dev))
			this.watched.find({
				invariant: 'INV-FAULT',
				kind: 'fault-wrong-device',
				device: iommu.name,
				moment: 'return',
				what: fn,
				place: fn,
				details: [`${said} as one of ${dev_name(dev)}`],
				advice: `${fn} finds the wrong device for stream ${fault.stream}: it takes the number from the wrong register or field, or its table of streams has another device there`,
			});
	}

	#noSuchFault(running: Running, dev: device, iova: number, pending: readonly FaultRecord[]): void {
		const { iommu, fn, reported } = running;
		const twice = reported.find((fault) => fault.iova === iova);
		const meant = pending.find((fault) => !this.#lost.has(fault));
		const [kind, detail, advice] =
			twice !== undefined
				? [
						'fault-reported-twice',
						`it had reported ${this.#text(iommu, twice)} before`,
						`${fn} reports the same fault for two reasons (two status bits, two levels, a loop that comes by twice): each is one report`,
					]
				: meant !== undefined
					? [
							'fault-wrong-address',
							`what the hardware has latched is ${this.#text(iommu, meant)}`,
							`${fn} reads the address from the wrong register (that of another level or master), or cuts or shifts it`,
						]
					: [
							'fault-never-was',
							'the hardware has latched no fault',
							`${fn} reports without looking at the status, or reports what it had cleared before`,
						];
		if (twice === undefined && meant !== undefined) this.#settled(iommu, meant);
		this.watched.find({
			invariant: 'INV-FAULT',
			kind,
			device: iommu.name,
			moment: 'return',
			what: fn,
			place: fn,
			details: [`${fn} has reported a fault of ${dev_name(dev)} at ${hex(iova, 8)}, and ${detail}`],
			advice,
		});
	}

	#exit(irq: number, action: irqaction, ret: irqreturn_t): void {
		const running = this.#running.at(-1);
		if (running === undefined || running.fn !== handlerName(action)) return;
		const outputs = outputsOf(this.watched, irq, action);
		if (!outputs.some(({ name }) => name === running.iommu.name)) return;
		this.#running.pop();
		// That is the line's affair (interrupts.ts).
		if (ret === IRQ_NONE) return;
		const { iommu, fn, before, fresh } = running;
		// While a line is up, another one of its own or this, a handler will be called again.
		const up = this.watched.machine.wires.some(({ name, line }) => name === iommu.name && line.level);
		for (const fault of up ? [] : before) {
			if (!this.#isOwed(iommu, fault)) continue;
			this.#settled(iommu, fault);
			this.watched.find({
				invariant: 'INV-FAULT',
				kind: 'fault-not-reported',
				device: iommu.name,
				moment: 'return',
				what: fn,
				place: fn,
				details: [
					`${fn} has returned, and nobody was told of ${this.#text(iommu, fault)}`,
					...(running.reported.length === 0
						? []
						: [`It did report ${running.reported.map((f) => this.#text(iommu, f)).join('; ')}`]),
				],
				advice: `${fn} has to report every fault that the status shows (each bit, each master) with report_iommu_fault() before it clears them`,
			});
		}
		// What came between its last look and the clearing is gone.
		if (!up) this.#pendingOf(iommu).length = 0;
		for (const stream of new Set([...before, ...running.reported].map((fault) => fault.stream))) {
			if (fresh.has(stream) || !iommu.stopped?.(stream)) continue;
			const who = iommu.streamName(stream);
			this.watched.find({
				invariant: 'INV-FAULT',
				kind: 'stream-not-released',
				device: iommu.name,
				moment: 'return',
				what: fn,
				place: `${fn} ${stream}`,
				details: [
					`${fn} has returned, and ${who} (stream ${stream}) still waits where its fault has stopped it`,
				],
				advice: `${fn} clears the fault and does not let ${who} go on: what ends the stall (a pulse on its reset, or a command) is missing, or has the wrong bits`,
			});
		}
	}

	/** Whether a handler of @iommu that is called once more has something to report. */
	owes(iommu: Iommu): boolean {
		return this.#pendingOf(iommu).some((fault) => this.#isOwed(iommu, fault));
	}

	#isOwed(iommu: Iommu, fault: FaultRecord): boolean {
		return (
			this.#pendingOf(iommu).includes(fault) &&
			fault.kind !== 'external' &&
			!this.#lost.has(fault) &&
			this.#translates(iommu, fault)
		);
	}

	/** Whether the kernel has given the fault's stream tables: else there is nobody to report to. */
	#translates(iommu: Iommu, { stream }: FaultRecord): boolean {
		const { machine } = this.watched;
		return machine.ports.some((port) => {
			if (port.stream !== stream || machine.iommuOf(port) !== iommu) return false;
			const domain = this.devices.domainOf(port.name);
			return domain !== null && (domain.type & __IOMMU_DOMAIN_PAGING) !== 0;
		});
	}

	/** A driver reports the IOMMU's own device, or the client's. */
	#isDevice(iommu: Iommu, { stream }: FaultRecord, dev: device): boolean {
		const { machine } = this.watched;
		const name = dev_name(dev);
		if (name === iommu.name) return true;
		// Of two devices with one stream the hardware knows no difference.
		return machine.ports.some(
			(port) => port.name === name && port.stream === stream && machine.iommuOf(port) === iommu,
		);
	}

	#otherWay({ access, directionLost }: FaultRecord, write: boolean): boolean {
		return directionLost !== true && ((access & WRITE) !== 0) !== write;
	}

	#text(iommu: Iommu, { stream, pasid, iova, access, what }: FaultRecord): string {
		const space = pasid === NO_PASID ? '' : `, PASID ${pasid}`;
		return `the ${accessText(access)} of ${hex(iova, 8)} by ${iommu.streamName(stream)} (stream ${stream}${space}, ${what})`;
	}

	#pendingOf(iommu: Iommu): FaultRecord[] {
		let pending = this.#pending.get(iommu);
		if (pending === undefined) {
			pending = [];
			this.#pending.set(iommu, pending);
		}
		return pending;
	}

	#settled(iommu: Iommu, fault: FaultRecord): void {
		const pending = this.#pendingOf(iommu);
		const at = pending.indexOf(fault);
		if (at >= 0) pending.splice(at, 1);
	}
}
