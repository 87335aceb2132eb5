// SPDX-License-Identifier: GPL-2.0-only
// The whole machine, built from a flattened device tree.
//
// Not modelled: instructions (the CPU's own work takes no time; an access to a register, and what the kernel
// waits for, does), more than one CPU at a time (scheduling points stand for the others), instruction and outer
// caches, bandwidth and contention on the buses, firmware (the tree and the command line are what it leaves).

import type { machine, machine_vectors, schedule_kind } from '#asm/machine.js';
import type { Habits } from '#hw/iommu/habits.js';
import { type Figure, type Iommu, isIommu } from '#hw/iommu/iommu.js';
import { models } from '#hw/models.js';
import { Bus, Window } from './bus.js';
import { Clock } from './clock.js';
import type { DmaStats, Translator } from './dma-port.js';
import { BURST, DmaPort } from './dma-port.js';
import { type DmaWindow, dmaWindows, isCoherent } from './dma-route.js';
import type { Fdt, FdtNode, PhandleArgs, Region } from './fdt.js';
import { FdtError, parseFdt, withMemory } from './fdt.js';
import type { InterruptController } from './interrupts.js';
import { InterruptLines, LooseWire } from './interrupts.js';
import type {
	ClockProvider,
	DeviceModel,
	IrqLine,
	MachineServices,
	ModelContext,
	ModelFactory,
	Policy,
	PowerDomainProvider,
	ResetProvider,
} from './model.js';
import { PowerEpoch, type PowerInput, PowerSwitch } from './power.js';
import { printable } from './printable.js';
import { Ram } from './ram.js';
import { hashName, randomStream } from './random.js';
import { hex } from './register-file.js';

export interface MachineOptions {
	/** Bytes of RAM: plays the boot loader, which fills the memory node in. */
	readonly memSize?: number;
	readonly commandLine?: string;
	readonly seed?: number;
	readonly policy?: Policy;
	/** What every IOMMU does differently from its policy. */
	readonly habits?: Partial<Habits>;
	/** Models that stand in for those of hw/models.ts, by `compatible`; null: no model, reads as zero. */
	readonly overrides?: Readonly<Record<string, ModelFactory | null>>;
	/** A line of the kernel log. */
	readonly onConsole?: (level: number, line: string) => void;
	/** A remark of the machine's own, at its first time. */
	readonly onNote?: (who: string, text: string) => void;
	readonly nrCpus?: number;
	/** A clock of the computer's, in ns, for benchmarks inside the kernel. */
	readonly stopwatch?: () => number;
	/** Called when the machine stands and nothing has run: who watches it comes in here. */
	readonly onBuilt?: (machine: Machine) => void;
	/** What a load from a device register, and a store to one, costs. */
	readonly mmioReadNs?: number;
	readonly mmioWriteNs?: number;
	/** How often an interrupt handler may be entered at one place before that is for ever. */
	readonly stormLimit?: number;
}

/** A machine that cannot be built from what it was given; the message is for the user. */
export class MachineError extends Error {
	override readonly name = 'MachineError';
	constructor(message: string) {
		super(printable(message));
	}
}

/** The machine can do nothing more, or does the same for ever. */
export class MachineHang extends Error {
	override readonly name = 'MachineHang';
}

export interface Note {
	readonly who: string;
	readonly text: string;
	readonly time: number;
	count: number;
}

export interface MachineSummary {
	readonly timeNs: number;
	readonly mmioReads: number;
	readonly mmioWrites: number;
	readonly interrupts: number;
	readonly timerTicks: number;
	readonly events: number;
	readonly ramBytes: number;
	readonly ramTouchedBytes: number;
	/** By master; @stream is its number at its IOMMU, -1 without one. */
	readonly dma: readonly (DmaStats & { name: string; stream: number; streamName: string })[];
	readonly iommu: readonly { name: string; figures: readonly Figure[] }[];
}

/** Where DRAM begins on the boards of the project. */
const DRAM_BASE = 0x4000_0000;
/** Where else it begins, on boards with other chips. */
const DRAM_BASES = [DRAM_BASE, 0x8000_0000, 0x1_0000_0000];
const DEFAULT_MEMORY = 0x8000_0000;
const MIN_DEFAULT_MEMORY = 0x800_0000;
/** One past the largest physical address (arm64 with CONFIG_ARM64_PA_BITS_48). */
const PHYS_END = 2 ** 48;
const NEVER = Number.POSITIVE_INFINITY;
/** A line that stays up, and an interrupt handler that is entered this often at one place: it will be entered for ever. */
const STORM = 1_000_000;
/** Lines that go up so often before what they have interrupted goes on: each is dealt with, and it never does. */
const LIVELOCK = 5000;
const DEAF = 16;
/** Sleeping this long without an interrupt, although things happen, is for ever too. */
const DEEP_SLEEP_NS = 3600e9;

/** Memory that is not the CPU's address: a bus with `dma-ranges`. */
class RangeTranslator implements Translator {
	constructor(
		readonly ranges: readonly DmaWindow[],
		readonly next: Translator | null,
	) {}
	reach = 0;
	translate(stream: number, addr: number, access: number, pasid: number): number {
		for (const { bus, cpu, size } of this.ranges)
			if (addr >= bus && addr < bus + size) {
				const at = addr - bus + cpu;
				this.reach = Math.min(bus + size - addr, BURST - (at % BURST));
				if (this.next === null) return at;
				const phys = this.next.translate(stream, at, access, pasid);
				this.reach = Math.min(this.reach, this.next.reach);
				return phys;
			}
		this.reach = BURST - (addr % BURST);
		return -1;
	}
}

const REFUSE: Translator = { translate: () => -1, reach: BURST };

function isTranslator(model: object | undefined): model is Translator {
	return model !== undefined && 'translate' in model;
}

function isClockProvider(model: object | undefined): model is ClockProvider {
	return model !== undefined && 'clockState' in model;
}

function isResetProvider(model: object | undefined): model is ResetProvider {
	return model !== undefined && 'resetState' in model;
}

function isPowerDomainProvider(model: object | undefined): model is PowerDomainProvider {
	return model !== undefined && 'powerState' in model;
}

function isController(model: object | null): model is DeviceModel & InterruptController {
	return model !== null && 'lines' in model && 'asserted' in model;
}

/** No interrupt controller in the tree: wires end nowhere. */
class NoController implements InterruptController {
	readonly lines = new InterruptLines(1024);
	readonly asserted = false;
	readonly acknowledged = 0;
}

/** What Linux calls the device of @node (drivers/of/device.c: of_device_make_bus_id()). */
export function deviceName(node: FdtNode): string {
	let tail = '';
	for (let at: FdtNode | null = node; at?.parent != null; at = at.parent) {
		const reg = at.reg();
		if (reg.length > 0) return `${reg[0].base.toString(16)}.${at.name.split('@')[0]}${tail}`;
		tail = `:${at.name}${tail}`;
	}
	return tail.slice(1);
}

export class Machine implements machine, MachineServices {
	readonly fdt: Uint8Array;
	readonly command_line: string;
	readonly nr_cpus: number;
	readonly memory: Ram;
	readonly tree: FdtNode;
	readonly clock = new Clock();
	readonly bus: Bus;
	readonly policy: Policy;
	readonly seed: number;
	readonly stopwatch: (() => number) | null;
	/** Every model, by the name that Linux gives its device. */
	readonly models = new Map<string, DeviceModel>();
	readonly iommus: Iommu[] = [];
	readonly ports: DmaPort[] = [];
	/** The interrupt outputs of all blocks, and whose they are. */
	readonly wires: { readonly name: string; readonly line: IrqLine }[] = [];
	readonly controller: InterruptController;
	/** The machine's remarks, in order; equal ones are counted. */
	readonly notes: Note[] = [];
	/** How often the kernel's interrupt vector, and its timer vector, was entered. */
	interrupts = 0;
	timerTicks = 0;
	/** Scheduling points: called at each, when set. Not called from within itself. */
	hook: ((kind: schedule_kind, where: number) => void) | null = null;
	/** Sees every line that the kernel's console gets, when set. */
	heard: ((level: number, line: string) => void) | null = null;

	readonly #options: MachineOptions;
	readonly #readNs: number;
	readonly #writeNs: number;
	readonly #byNode = new Map<FdtNode, DeviceModel>();
	readonly #behind = new Map<DmaPort, Iommu>();
	/** What a block needs to work, and what its registers need. */
	readonly #power = new Map<FdtNode, PowerSwitch>();
	readonly #registerPower = new Map<FdtNode, PowerSwitch>();
	readonly #epoch = new PowerEpoch();
	readonly #folded = new Map<string, Note>();
	#vectors: machine_vectors | null = null;
	#irqsEnabled = false;
	#timerPending = false;
	#cancelTimer: (() => void) | null = null;
	#inHook = false;
	/** How often lines had gone up when the kernel was interrupted; -1: it is not. */
	#raisedBefore = -1;
	/** How many interrupts it had acknowledged then. */
	#acknowledgedBefore = 0;

	constructor(dtb: Uint8Array, options: MachineOptions = {}) {
		this.#options = options;
		this.command_line = options.commandLine ?? '';
		this.nr_cpus = options.nrCpus ?? 1;
		this.policy = options.policy ?? 'pessimistic';
		this.seed = options.seed ?? 1;
		this.stopwatch = options.stopwatch ?? null;
		this.#readNs = options.mmioReadNs ?? 100;
		this.#writeNs = options.mmioWriteNs ?? 20;
		const { regions, fdt, remarks } = boardOf(dtb, options.memSize);
		for (const text of remarks) this.note('machine', text);
		this.fdt = fdt.blob.slice();
		this.tree = fdt.root;
		this.memory = new Ram(regions);
		this.bus = new Bus(this.memory, (who, text) => this.note(who, text));
		this.controller = this.#build();
		this.clock.afterEvent = () => {
			if (this.#irqsEnabled && (this.controller.asserted || this.#timerPending)) this.#deliver();
		};
		options.onBuilt?.(this);
	}

	/** The memory, under the name that models use. */
	get ram(): Ram {
		return this.memory;
	}

	/** The model of the device that Linux calls @name. */
	model(name: string): DeviceModel {
		const model = this.models.get(name);
		if (model === undefined) throw new Error(`no model of a device ${name}`);
		return model;
	}

	/** The clocks, resets and power domains that the device called @name needs, and whether each is on. */
	powerInputs(name: string): { readonly on: boolean; readonly name: string }[] {
		for (const [node, { inputs }] of this.#power)
			if (deviceName(node) === name) return inputs.map((input) => input());
		return [];
	}

	/** How many devices of the tree have the clock that the one called @name has at @index. */
	sharersOfClock(name: string, index: number): number {
		const keyOf = (node: FdtNode, at: number): string => {
			const clock = [...node.phandleEntries('clocks', '#clock-cells')][at] ?? null;
			return clock === null ? '' : `${clock.node.path} ${clock.args.join()}`;
		};
		const nodes = [...this.#byNode.keys()];
		const mine = nodes.find((node) => deviceName(node) === name);
		if (mine === undefined) return 0;
		const key = keyOf(mine, index);
		return nodes.filter((node) =>
			[...node.phandleEntries('clocks', '#clock-cells')].some((_, at) => keyOf(node, at) === key),
		).length;
	}

	/** The first IOMMU; throws when the board has none. */
	get iommu(): Iommu {
		if (this.iommus.length === 0) throw new Error('this board has no IOMMU model');
		return this.iommus[0];
	}

	/** The IOMMU on the way of @port; null: it goes straight to memory, or nowhere. */
	iommuOf(port: DmaPort): Iommu | null {
		return this.#behind.get(port) ?? null;
	}

	// --- the door: registers

	mmio_read(addr: number, width: number): number {
		const value = this.bus.read(addr, width);
		this.#spend(this.#readNs);
		return value;
	}

	mmio_write(addr: number, width: number, value: number): void {
		// The bus has 32 lines for a word.
		if (value > 0xffff_ffff && width <= 4) {
			this.bus.cut?.(addr, width, value);
			value = value % 0x1_0000_0000;
		}
		this.bus.write(addr, width, value);
		this.#spend(this.#writeNs);
	}

	sysreg_read(name: string): number {
		const value = this.controller.sysregRead?.(name);
		if (value !== undefined) return value;
		this.note('cpu', `read of system register ${name}, which is not modelled: zero`);
		return 0;
	}

	sysreg_write(name: string, value: number): void {
		if (this.controller.sysregWrite?.(name, value) === true) {
			if (this.#irqsEnabled && this.controller.asserted) this.#deliver();
			return;
		}
		this.note('cpu', `write to system register ${name}, which is not modelled: ignored`);
	}

	// --- the door: exceptions

	set_vectors(vectors: machine_vectors): void {
		this.#vectors = vectors;
	}

	get irqs_enabled(): boolean {
		return this.#irqsEnabled;
	}

	irq_enable(): void {
		this.#irqsEnabled = true;
		if (this.controller.asserted || this.#timerPending) this.#deliver();
	}

	irq_disable(): void {
		this.#irqsEnabled = false;
	}

	// --- the door: time

	now(): number {
		return this.clock.now;
	}

	advance(ns: number): void {
		this.clock.advance(ns);
		if (this.#irqsEnabled && (this.controller.asserted || this.#timerPending)) this.#deliver();
	}

	wait_for_interrupt(deadline: number): void {
		const before = this.interrupts + this.timerTicks;
		const start = this.clock.now;
		for (;;) {
			// A pending interrupt ends the sleep also while it is masked.
			if (this.controller.asserted || this.#timerPending) {
				if (this.#irqsEnabled) this.#deliver();
				return;
			}
			if (this.interrupts + this.timerTicks !== before) return;
			if (!this.clock.step(deadline)) {
				if (deadline === NEVER)
					throw new MachineHang('the CPU sleeps, and nothing is left that could wake it');
				return;
			}
			if (this.clock.now - start > DEEP_SLEEP_NS)
				throw new MachineHang(`the CPU slept for ${DEEP_SLEEP_NS / 1e9} s without an interrupt`);
		}
	}

	set_timer(deadline: number): void {
		this.#cancelTimer?.();
		this.#cancelTimer = null;
		this.#timerPending = false;
		if (deadline === NEVER) return;
		this.#cancelTimer = this.clock.at(deadline, () => {
			this.#timerPending = true;
		});
	}

	/** The kernel stands at a scheduling point, and something else happens. */
	get injecting(): boolean {
		return this.#inHook;
	}

	schedule_point(kind: schedule_kind, where: number): void {
		if (this.hook === null || this.#inHook) return;
		this.#inHook = true;
		try {
			this.hook(kind, where);
		} finally {
			this.#inHook = false;
		}
	}

	console(level: number, line: string): void {
		this.#options.onConsole?.(level, line);
		this.heard?.(level, line);
	}

	// --- services for models

	random(name: string): () => number {
		return randomStream((this.seed ^ hashName(name)) >>> 0);
	}

	powerChanged(): void {
		this.#epoch.value++;
		this.bus.powerChanged();
	}

	note(from: string, remark: string): void {
		const who = printable(from);
		const text = printable(remark);
		const key = `${who}: ${text}`;
		const old = this.#folded.get(key);
		if (old !== undefined) {
			old.count++;
			return;
		}
		const note: Note = { who, text, time: this.clock.now, count: 1 };
		this.#folded.set(key, note);
		this.notes.push(note);
		this.#options.onNote?.(who, text);
	}

	// --- for tools and tests

	/** Make interrupt @intid pending once, as an edge on its wire would. */
	pulse(intid: number): void {
		const { lines } = this.controller;
		lines.latched[intid >>> 5] |= 1 << (intid & 31);
		lines.changed();
	}

	/** Cut the power of a device: its registers are lost. */
	losePower(name: string): void {
		this.model(name).reset?.();
	}

	stats(): MachineSummary {
		return {
			timeNs: this.clock.now,
			mmioReads: this.bus.reads,
			mmioWrites: this.bus.writes,
			interrupts: this.interrupts,
			timerTicks: this.timerTicks,
			events: this.clock.eventsRun,
			ramBytes: this.memory.size,
			ramTouchedBytes: this.memory.stats.touchedBytes,
			dma: this.ports.map((port) => ({
				...port.stats,
				name: port.name,
				stream: port.stream,
				streamName: this.iommuOf(port)?.streamName(port.stream) ?? '',
			})),
			iommu: this.iommus.map((iommu) => ({ name: iommu.name, figures: iommu.figures() })),
		};
	}

	#spend(ns: number): void {
		this.clock.advance(ns);
		if (this.#raisedBefore >= 0) this.#checkStorm();
		if (this.#irqsEnabled && (this.controller.asserted || this.#timerPending)) this.#deliver();
	}

	#checkStorm(): void {
		if (this.controller.lines.raised - this.#raisedBefore > LIVELOCK)
			throw new MachineHang(
				`an interrupt storm: ${LIVELOCK} interrupts in a row, each raised again after its handler, and what they interrupt never goes on`,
			);
		if (this.controller.acknowledged - this.#acknowledgedBefore > this.#storm)
			throw new MachineHang(
				`an interrupt storm: ${this.#storm} interrupts in a row, whose handler never lowers what raised them`,
			);
	}

	get #storm(): number {
		return this.#options.stormLimit ?? STORM;
	}

	/** Take exceptions until nothing is pending or the kernel masks them. */
	#deliver(): void {
		const vectors = this.#vectors;
		if (vectors === null) {
			this.note('cpu', 'an interrupt is pending and unmasked, but the kernel has set no vectors: it waits');
			return;
		}
		const outermost = this.#raisedBefore < 0;
		if (outermost) {
			this.#raisedBefore = this.controller.lines.raised;
			this.#acknowledgedBefore = this.controller.acknowledged;
		}
		try {
			this.#takeAll(vectors);
		} finally {
			if (outermost) this.#raisedBefore = -1;
		}
	}

	#takeAll(vectors: machine_vectors): void {
		let deaf = 0;
		for (let taken = 0; this.#irqsEnabled; taken++) {
			// Taking an exception masks interrupts, returning from it unmasks them.
			if (this.controller.asserted) {
				const before = this.controller.acknowledged;
				this.#irqsEnabled = false;
				this.interrupts++;
				vectors.irq();
				this.#irqsEnabled = true;
				deaf = this.controller.acknowledged === before ? deaf + 1 : 0;
				if (deaf > DEAF)
					throw new MachineHang('an interrupt is pending, and the kernel never acknowledges it');
			} else if (this.#timerPending) {
				this.#timerPending = false;
				this.#irqsEnabled = false;
				this.timerTicks++;
				vectors.timer();
				this.#irqsEnabled = true;
			} else return;
			if (taken > this.#storm)
				throw new MachineHang('an interrupt storm: the line stays up, and its handler does not clear it');
		}
	}

	// --- building

	#build(): InterruptController {
		const nodes = [...this.tree.walk()].filter((node) => node.parent !== null);
		const chosen = new Map<FdtNode, { factory: ModelFactory; compatible: string }>();
		for (const node of nodes)
			this.#guard(node, () => {
				const found = this.#choose(node.compatible);
				if (found !== null) chosen.set(node, found);
			});

		// 1. The interrupt controller: the others' wires end there. It has no wires of its own.
		let controller: InterruptController | null = null;
		for (const [node, { factory, compatible }] of chosen) {
			if (!node.has('interrupt-controller')) continue;
			const model = this.#make(node, compatible, factory, null);
			if (isController(model)) controller ??= model;
		}
		if (controller === null) {
			this.note('machine', 'the tree has no interrupt controller that is modelled: no interrupt will come');
			controller = new NoController();
		}

		// 2. Everything else, in the tree's order.
		const routes: { port: DmaPort; node: FdtNode; iommu: PhandleArgs | null }[] = [];
		for (const [node, { factory, compatible }] of chosen)
			if (!this.#byNode.has(node)) this.#make(node, compatible, factory, controller, routes);

		// 3. Connections between blocks, now that all stand: IOMMUs, clocks, resets, power domains.
		for (const route of routes) this.#connect(route.port, route.node, route.iommu);
		for (const node of this.#byNode.keys()) this.#guard(node, () => this.#wirePower(node));

		// 4. The address map: models first, then what nobody modelled, small before large.
		const windows: Window[] = [];
		for (const node of nodes)
			this.#guard(node, () => {
				if (!isDevice(node)) return;
				const model = this.#byNode.get(node) ?? null;
				const needs = this.#registerPower.get(node);
				const power = needs === undefined || needs.inputs.length === 0 ? null : needs;
				node.reg().forEach(({ base, size }, region) => {
					if (size === 0) return;
					// Memory that only no-map keeps from the kernel stays memory unless a model claims it.
					if (model === null && this.memory.is_ram(base, size)) return;
					windows.push(new Window(base, size, region, model, deviceName(node), power));
				});
			});
		windows.sort((a, b) => Number(a.model === null) - Number(b.model === null) || a.size - b.size);
		for (const window of windows) this.bus.add(window);
		return controller;
	}

	/** What a wrong property spoils is one device, not the machine. */
	#guard(node: FdtNode, fn: () => void): void {
		try {
			fn();
		} catch (error) {
			if (!(error instanceof FdtError)) throw error;
			this.note('machine', `${node.path} is left out: ${error.message}`);
		}
	}

	#choose(compatible: readonly string[]): { factory: ModelFactory; compatible: string } | null {
		const overrides = this.#options.overrides ?? {};
		for (const name of compatible) {
			const factory = Object.hasOwn(overrides, name)
				? overrides[name]
				: Object.hasOwn(models, name)
					? models[name]
					: undefined;
			if (factory === null) return null;
			if (factory !== undefined) return { factory, compatible: name };
		}
		return null;
	}

	#make(
		node: FdtNode,
		compatible: string,
		factory: ModelFactory,
		controller: InterruptController | null,
		routes?: { port: DmaPort; node: FdtNode; iommu: PhandleArgs | null }[],
	): DeviceModel | null {
		let made: DeviceModel | null = null;
		this.#guard(node, () => {
			const name = deviceName(node);
			const power = new PowerSwitch(this.#epoch);
			this.#power.set(node, power);
			const ctx: ModelContext = {
				machine: this,
				node,
				name,
				compatible,
				regs: node.reg(),
				coherent: isCoherent(node),
				irq: (index = 0) => {
					const line = this.#wire(node, index, controller);
					this.wires.push({ name, line });
					return line;
				},
				dma: (index = 0) => {
					const iommu = this.#iommuOf(node, index);
					// Without cells to name it (`#iommu-cells = <0>`) there is one stream, the first.
					const stream = iommu === null ? -1 : (iommu.args[0] ?? 0);
					const port = new DmaPort(this.memory, name, stream, null, isCoherent(node));
					this.ports.push(port);
					routes?.push({ port, node, iommu });
					return port;
				},
				masters: () => [...this.tree.walk()].filter((from) => this.#namesIommu(from, node)).map(deviceName),
				after: (ns, fn) => this.clock.after(ns, fn),
				powered: () => power.why() === null,
			};
			const model = factory(ctx);
			if (isIommu(model)) {
				Object.assign(model.habits, this.#options.habits);
				this.iommus.push(model);
			}
			this.models.set(name, model);
			this.#byNode.set(node, model);
			made = model;
		});
		return made;
	}

	#wire(node: FdtNode, index: number, controller: InterruptController | null): IrqLine {
		const spec = node.interrupts[index];
		if (spec === undefined || controller === null) return new LooseWire();
		const [type, number] = spec.args;
		// Another controller between (the NMI controller of the R_ domain) is not modelled.
		if (this.#byNode.get(spec.node) !== (controller as unknown) || spec.args.length < 2) {
			this.note(deviceName(node), `interrupt ${index} goes to ${spec.node.path}, which is not modelled`);
			return new LooseWire();
		}
		return controller.lines.wire(number + (type === 0 ? 32 : 16));
	}

	/**
	 * Entry @index of `iommus`, which stands between @node and memory; what is wrong with those behind it spoils nothing
	 * here. An IOMMU that a wrong entry names lets it pass: nobody sets it up.
	 */
	#iommuOf(node: FdtNode, index: number): PhandleArgs | null {
		let at = 0;
		try {
			for (const entry of node.phandleEntries('iommus', '#iommu-cells')) {
				// As Linux, which reads no further.
				if (entry === null) break;
				if (at++ === index) return entry;
			}
		} catch (error) {
			if (!(error instanceof FdtError)) throw error;
			this.note('machine', `${error.message}: its DMA is not translated`);
		}
		return null;
	}

	#namesIommu(node: FdtNode, iommu: FdtNode): boolean {
		try {
			return node.iommus.some((named) => named.node === iommu);
		} catch (error) {
			if (!(error instanceof FdtError)) throw error;
			return false;
		}
	}

	#connect(port: DmaPort, node: FdtNode, iommu: PhandleArgs | null): void {
		if (iommu !== null) {
			const model = this.#byNode.get(iommu.node);
			if (!isTranslator(model)) {
				// As on the chips that are known, it lets through what nobody has set it up for.
				this.note(port.name, `its IOMMU ${iommu.node.path} is not modelled: its DMA is not translated`);
			} else if (isIommu(model) && !(port.stream >= 0 && port.stream < model.streamCount)) {
				this.note(
					port.name,
					`iommus names stream ${port.stream} of ${iommu.node.path}: this IOMMU has 0 to ${model.streamCount - 1}; DMA is refused`,
				);
				port.translator = REFUSE;
			} else {
				port.translator = model;
				if (isIommu(model)) this.#behind.set(port, model);
			}
		}
		try {
			const windows = dmaWindows(node);
			if (windows !== null) port.translator = new RangeTranslator(windows, port.translator);
		} catch (error) {
			if (!(error instanceof FdtError)) throw error;
			this.note(port.name, `${error.message}: it sees memory as it is`);
		}
	}

	#wirePower(node: FdtNode): void {
		const power = this.#power.get(node)!;
		const model = this.#byNode.get(node)!;
		const { registerClocks } = model;
		const registers = registerClocks === undefined ? power : new PowerSwitch(this.#epoch);
		this.#registerPower.set(node, registers);
		const feed = (input: PowerInput, both: boolean): void => {
			power.inputs.push(input);
			if (both && registers !== power) registers.inputs.push(input);
		};
		const names = node.strings('clock-names');
		for (const [i, clock] of [...node.phandleEntries('clocks', '#clock-cells')].entries()) {
			// A place that is left empty has a name all the same.
			if (clock === null) continue;
			const { node: from, args } = clock;
			const provider = this.#byNode.get(from);
			if (!isClockProvider(provider)) continue;
			const upstream = this.#power.get(from)!;
			feed(
				() => {
					const { running, name } = provider.clockState(args);
					const why = upstream.why();
					return { on: running && why === null, name: why === null ? name : `${name} (${why})` };
				},
				registerClocks?.includes(names[i] ?? '') ?? true,
			);
		}
		for (const { node: from, args } of node.resets) {
			const provider = this.#byNode.get(from);
			if (!isResetProvider(provider)) continue;
			feed(() => {
				const { released, name } = provider.resetState(args);
				return { on: released, name };
			}, true);
			provider.onAssert(args, () => model.reset?.());
		}
		for (const { node: from, args } of node.has('power-domains') ? node.powerDomains : []) {
			const provider = this.#byNode.get(from) ?? this.#byNode.get(from.parent ?? from);
			if (!isPowerDomainProvider(provider)) continue;
			feed(() => provider.powerState(args), true);
			provider.onPowerLost(args, () => model.reset?.());
		}
	}
}

/** What of @region a processor can address; @say: where to tell that it is not all. */
function addressable(region: Region, path: string, say: (text: string) => void): Region {
	if (region.base + region.size <= PHYS_END) return region;
	say(
		`${path}: memory at ${hex(region.base)} of ${hex(region.size)} bytes ends above the 48 bits of an address: cut`,
	);
	return { base: region.base, size: Math.max(0, PHYS_END - region.base) };
}

/** `reg` of a node; of one that is wrong nothing, and what is wrong is said where the node is used. */
function regOrNone(node: FdtNode): Region[] {
	try {
		return node.reg();
	} catch (error) {
		if (!(error instanceof FdtError)) throw error;
		return [];
	}
}

/** The memory of the tree or of @memSize, and the tree that says so; @say: where to tell what is wrong with it. */
function memoryOf(
	dtb: Uint8Array,
	memSize: number | undefined,
	say: (text: string) => void,
): { regions: readonly Region[]; fdt: Fdt } {
	const fdt = parseFdt(dtb);
	const { root } = fdt;
	const told = root.children
		.filter((node) => node.okay && node.deviceType === 'memory')
		.flatMap((node) => node.memoryRegions().map((region) => addressable(region, node.path, say)));
	const regions = told.filter(({ size }) => size > 0);
	if (memSize === undefined && regions.length > 0) return { regions, fdt };
	const size = memSize ?? DEFAULT_MEMORY;
	if (!(size >= 0x100_0000 && size <= PHYS_END && size % 0x1000 === 0))
		throw new MachineError(
			`${size} bytes of memory: expected a multiple of 4 KiB, 16 MiB or more, and no more than 48 bits can address`,
		);
	const devices = [...root.walk()].filter(isDevice).map((node) => ({ node, reg: regOrNone(node) }));
	const inTheWay = (base: number, end: number): FdtNode | undefined =>
		devices.find(({ reg }) => reg.some((r) => r.base >= base && r.base < end && !inRegions(regions, r.base)))
			?.node;
	// Only a board's boot loader knows where its DRAM begins; a size that the user names is taken at its word.
	const bases = told.length > 0 ? [told[0].base] : memSize === undefined ? DRAM_BASES : [DRAM_BASE];
	for (const base of bases)
		for (let fit = size; fit >= (memSize ?? MIN_DEFAULT_MEMORY); fit /= 2)
			if (base + fit <= PHYS_END && inTheWay(base, base + fit) === undefined) {
				const chosen = [{ base, size: fit }];
				return { regions: chosen, fdt: parseFdt(withMemory(fdt, chosen)) };
			}
	const { path } = inTheWay(bases[0], bases[0] + size) ?? {};
	throw new MachineError(
		`${hex(size)} bytes of memory from ${hex(bases[0])} would ${path === undefined ? 'end above the 48 bits of an address' : `cover ${path}`}`,
	);
}

/** What a machine is built from. The tree is only read, so machines share it. */
interface Board {
	readonly regions: readonly Region[];
	readonly fdt: Fdt;
	/** What is wrong with the memory of the tree. */
	readonly remarks: readonly string[];
}

/** The board of the last machine: mostly the next is the same. */
let last: { readonly dtb: Uint8Array; readonly memSize: number | undefined; readonly board: Board } | null =
	null;

function boardOf(dtb: Uint8Array, memSize: number | undefined): Board {
	if (last !== null && last.memSize === memSize && sameBytes(last.dtb, dtb)) return last.board;
	const own = dtb.slice();
	const remarks: string[] = [];
	const board = { ...memoryOf(own, memSize, (text) => remarks.push(text)), remarks };
	last = { dtb: own, memSize, board };
	return board;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
	if (a.length !== b.length) return false;
	for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
	return true;
}

function inRegions(regions: readonly Region[], addr: number): boolean {
	return regions.some(({ base, size }) => addr >= base && addr < base + size);
}

/** Nodes of the root that describe no devices. */
const NO_DEVICES = ['reserved-memory', 'cpus', 'chosen'];

/** Whether a node's `reg` is device registers (and not memory, or a processor's number). */
function isDevice(node: FdtNode): boolean {
	if (node.deviceType === 'memory' || node.deviceType === 'cpu') return false;
	for (let at: FdtNode | null = node; at !== null; at = at.parent)
		if (at.parent?.parent === null && NO_DEVICES.includes(at.name)) return false;
	return true;
}
