// SPDX-License-Identifier: GPL-2.0-only
// DMASAN: reports what devices, IOMMU and caches do in no correct program, and who made them.
//
// The rules, by the names of Documentation/INVARIANTS.md, stand in its parts:
//
//   walks.ts        what an IOMMU answers, against the tables in memory
//   domains.ts      what the kernel means to have mapped, against tables, caches, streams and accesses
//   tables.ts       each word of the tables as it becomes visible, and the tables' memory
//   iommu-range.ts  addresses that an IOMMU has no lines for
//   buffers.ts      the DMA API's mappings: what devices access, what the CPU sees, what fits what, what is left
//   lines.ts        the CPU's cache against what devices read and write
//   registers.ts    what drivers do to registers
//   balance.ts      what a driver's function leaves changed when it returns
//   identity.ts     who a device is to its IOMMU, and whether that stands in between
//   masks.ts        what drivers promise of their devices' addresses
//   resources.ts    what is left of a driver when it has gone
//   faults.ts       what becomes of faults, up to report_iommu_fault()
//   interrupts.ts   what handlers do with their lines
//   core-calls.ts   what the core's functions leave behind as they return, where their code is probed
//
// What several of them ask: memory.ts (who allocated what), devices.ts (devices by name), driver-log.ts (what a driver
// has done). Here: who tells the parts what, and what becomes of what they find.

import { machine } from '#arch/arm64/kernel/setup.js';
import type { DmaObserver, DmaPort } from '#hw/core/dma-port.js';
import type { Machine } from '#hw/core/machine.js';
import type { RamObserver } from '#hw/core/ram.js';
import type { Iommu, IommuObserver } from '#hw/iommu/iommu.js';
import { core_initcall, early_initcall } from '#linux/init.js';
import { Balance } from './balance.js';
import { Buffers } from './buffers.js';
import { Channels, type Trouble } from './channels.js';
import { CoreCalls } from './core-calls.js';
import { Devices } from './devices.js';
import { Domains } from './domains.js';
import { DriverLog } from './driver-log.js';
import { fanOut, IOMMU_CALLS, listen, RAM_CALLS } from './fan-out.js';
import { Faults } from './faults.js';
import { Identity } from './identity.js';
import { Interrupts } from './interrupts.js';
import { guardOps } from './iommu-ops.js';
import { IommuRange } from './iommu-range.js';
import { Journal, kernelTrace } from './journal.js';
import { Lines } from './lines.js';
import { Masks } from './masks.js';
import { Memory } from './memory.js';
import { Registers } from './registers.js';
import { type Exposure, type Finding, findingText } from './report.js';
import { Resources } from './resources.js';
import { Tables } from './tables.js';
import { Walks } from './walks.js';
import type { Watched, Watcher } from './watcher.js';

export interface DmasanReport extends Finding {
	readonly time: number;
	/** How often the same was seen. */
	count: number;
	readonly text: string;
}

/** Who is at work in the kernel as something is found: so many functions. */
const DEPTH = 24;

/** Who watches which machine. */
const watchers = new WeakMap<object, Dmasan>();
/** Who watches the one that was asked for last: drivers' ops ask at each call. */
let lastAsked: { readonly machine: object; readonly watcher: Dmasan | null } | null = null;

function watcherOfBoot(): Dmasan | null {
	if (lastAsked === null || lastAsked.machine !== machine)
		lastAsked = { machine, watcher: watchers.get(machine) ?? null };
	return lastAsked.watcher;
}

// A kernel that boots has no probes yet.
early_initcall(() => {
	watchers.get(machine)?.watchKernel();
	return 0;
});

core_initcall(() => {
	watchers.get(machine)?.busesStand();
	return 0;
});

/** Whoever watches the kernel that runs now: drivers' ops, which tell, outlive a boot. */
function domainsOfBoot(): Domains | null {
	return watcherOfBoot()?.domains ?? null;
}

guardOps(() => watcherOfBoot()?.balance ?? null);

export class Dmasan implements Watched {
	readonly reports: DmasanReport[] = [];
	/** Called at the first of each. */
	onReport: ((report: DmasanReport) => void) | null = null;
	/** What Linux allows is a finding, too. */
	exposing = false;
	/** How often each of that was seen. */
	readonly exposures = new Map<Exposure, number>();

	readonly journal: Journal;
	/** What the kernel means to have mapped. */
	readonly domains: Domains;
	/** Who allocated, and who freed, the kernel's memory. */
	readonly memory: Memory;
	/** What the DMA API has given to which device. */
	readonly buffers: Buffers;

	/** What others have seen, too. */
	readonly channels = new Channels(this);
	/** What drivers' functions leave changed. */
	readonly balance: Balance;

	readonly #walks: Walks;
	readonly #parts: readonly Watcher[];
	readonly #iommu: IommuObserver;
	readonly #seen = new Map<string, DmasanReport>();
	/** Who let an access through that has not been done yet. */
	#told: Iommu | null = null;
	#unwatchKernel: (() => void) | null = null;
	/** What ends listening to memory and its masters. */
	readonly #unlisten: (() => void)[] = [];

	/** One watches a machine at a time: the one that was made last. */
	constructor(readonly machine: Machine) {
		watchers.get(machine)?.detach();
		watchers.set(machine, this);
		lastAsked = null;
		this.journal = new Journal(machine.clock);
		this.memory = new Memory(this);
		const log = new DriverLog();
		const tables = new Tables(this, this.memory, log);
		this.domains = new Domains(this, tables, log, domainsOfBoot);
		this.buffers = new Buffers(this, this.memory, this.domains);
		this.#walks = new Walks(this, (iova) => this.domains.isOwed(iova));
		this.balance = new Balance(this, this.memory);
		const devices = new Devices();
		const faults = new Faults(this, devices);
		this.#parts = [
			this.memory,
			log,
			tables,
			this.#walks,
			this.domains,
			this.buffers,
			new Lines(this),
			new IommuRange(this),
			new Registers(this),
			devices,
			this.balance,
			new Identity(this, devices, this.balance),
			new Masks(this),
			new Resources(this, devices),
			new Interrupts(this, faults),
			faults,
			new CoreCalls(this, this.domains, this.memory),
		];
		this.#iommu = fanOut<IommuObserver>(IOMMU_CALLS, this.#parts);
		const { answered } = this.#iommu;
		this.#iommu.answered = (iommu, ...rest) => {
			this.#told = iommu;
			answered?.(iommu, ...rest);
		};
		if (this.running) this.watchKernel();
		const listeners = this.#parts.filter((part) => part.access !== undefined);
		for (const port of machine.ports) {
			const iommu = machine.iommuOf(port);
			const access: DmaObserver['access'] = (_port, addr, phys, size, write) => {
				if (iommu !== null && phys >= 0) this.#wasTold(iommu, port);
				for (const part of listeners) part.access!(port, addr, phys, size, write);
			};
			this.#unlisten.push(listen<'observer', DmaObserver>(port, 'observer', ['access'], { access }));
		}
		for (const iommu of machine.iommus) iommu.observers.push(this.#iommu);
		this.#unlisten.push(
			listen<'observer', RamObserver>(
				machine.ram,
				'observer',
				RAM_CALLS,
				fanOut<RamObserver>(RAM_CALLS, this.#parts),
			),
		);
		const { lost } = fanOut<{ lost?: Watcher['lost'] }>(['lost'], this.#parts);
		machine.bus.lost = lost ?? null;
	}

	/** Whether the kernel runs on this machine. */
	get running(): boolean {
		return machine === (this.machine as unknown);
	}

	/** Look at the kernel, too, which has just booted or runs. */
	watchKernel(): void {
		const ends = this.#parts.map((part) => part.watchKernel?.());
		this.#unwatchKernel = () => {
			for (const end of ends) end?.();
		};
	}

	busesStand(): void {
		for (const part of this.#parts) part.busesStand?.();
	}

	/** Stop watching. */
	detach(): void {
		if (watchers.get(this.machine) !== this) return;
		watchers.delete(this.machine);
		lastAsked = null;
		this.#unwatchKernel?.();
		for (const end of this.#unlisten) end();
		for (const iommu of this.machine.iommus) iommu.observers.splice(iommu.observers.indexOf(this.#iommu), 1);
		this.machine.bus.lost = null;
		for (const part of this.#parts) part.detached?.();
	}

	/**
	 * To be called when an operation on [@first, @last] has returned: what the caches hold for that range has to agree
	 * with the tables. @operation is for the report. The number of new findings.
	 */
	check(operation: string, first = 0, last = Number.MAX_SAFE_INTEGER): number {
		const before = this.reports.length;
		this.#walks.check(operation, first, last, () => false);
		return this.reports.length - before;
	}

	/** Nothing goes on, @operation has just ended: all that must hold then. The number of new findings. */
	quiet(operation: string): number {
		const before = this.reports.length;
		for (const part of this.#parts) part.quiet?.(operation);
		return this.reports.length - before;
	}

	/** All that is wrong, whoever has seen it. */
	all(): Trouble[] {
		return this.channels.all();
	}

	/** All reports as the kernel log would show them. */
	text(): string {
		return this.reports.map((report) => report.text).join('\n');
	}

	/** Take a finding of one of the parts: once for each of its places. */
	find(finding: Finding): void {
		const { invariant, kind, device, place } = finding;
		if (isExposure(invariant)) {
			this.exposures.set(invariant, (this.exposures.get(invariant) ?? 0) + 1);
			if (!this.exposing) return;
		}
		const key = `${invariant} ${kind} ${device} ${place}`;
		const old = this.#seen.get(key);
		if (old !== undefined) {
			old.count++;
			return;
		}
		const time = this.machine.now();
		const trace = this.running ? kernelTrace(DEPTH) : [];
		const report: DmasanReport = { ...finding, time, count: 1, text: findingText(finding, time, trace) };
		this.#seen.set(key, report);
		this.reports.push(report);
		this.onReport?.(report);
	}

	/** A model that is silent about what it lets through cannot be watched. */
	#wasTold(iommu: Iommu, port: DmaPort): void {
		if (this.#told !== iommu)
			throw new Error(`${iommu.name} let ${port.name} through in silence; expected a call of tellAnswered()`);
		this.#told = null;
	}
}

function isExposure(id: Finding['invariant']): id is Exposure {
	return id.startsWith('EXP-');
}
