// SPDX-License-Identifier: GPL-2.0-only
// A run as numbered steps: what CPU, masters and IOMMUs do, in the order it happens.
//
// A run is determined by board, command line, seed and commands, so step k is the same in each replay of it. Nothing that
// is recorded changes the run: no time passes, no register is accessed, no line moves. What the tracepoints print comes
// from the kernel's own trace, whose events are switched on for it.
//
// What comes in thousands is folded: adjacent bursts of one master and one direction, with nothing between them, are one
// step, which grows until the next one happens.

import { machine as bootMachine } from '#arch/arm64/kernel/setup.js';
import { PAGE_SIZE } from '#asm/page-def.js';
import type { MmioEvent } from '#hw/core/bus.js';
import type { DmaObserver, DmaPort } from '#hw/core/dma-port.js';
import type { Machine } from '#hw/core/machine.js';
import type { RamObserver } from '#hw/core/ram.js';
import { hex } from '#hw/core/register-file.js';
import type { CacheEntry, TranslationCache } from '#hw/iommu/cache.js';
import { hexWord } from '#hw/iommu/format.js';
import { accessText, type Iommu, type IommuObserver } from '#hw/iommu/iommu.js';
import { register_ftrace_export, unregister_ftrace_export } from '#kernel/trace/trace.js';
import { trace_set_clr_event } from '#kernel/trace/trace_events.js';
import { early_initcall } from '#linux/init.js';
import { kasan, type kasan_checker } from '#linux/kasan.js';
import { virt_to_phys } from '#linux/mm.js';
import type { page } from '#linux/mm_types.js';
import type { trace_export } from '#linux/trace.js';
import type { trace_entry } from '#linux/trace_events.js';
import { IOMMU_CALLS, KASAN_CALLS, listen, RAM_CALLS } from './fan-out.js';
import { TableWords } from './recorder-tables.js';

/**
 * `alloc`, `free`: the kernel's allocators give memory, and take it back; `mmio`: a register is read or written; `clean`, `invalidate`: the kernel does that to lines of the CPU's cache; `table`: a
 * table word becomes visible to the walker thereby; `walk`: the walker reads one; `fill`, `drop`: an IOMMU's caches;
 * `command`: an IOMMU's register or queue takes effect; `fault`: it refuses; `dma`: a master's bursts; `irq`, `trace`: the
 * kernel's tracepoints; `log`: a line on its console.
 */
export const STEP_KINDS = [
	'alloc',
	'clean',
	'command',
	'dma',
	'drop',
	'fault',
	'fill',
	'free',
	'invalidate',
	'irq',
	'log',
	'mmio',
	'table',
	'trace',
	'walk',
] as const;

export type StepKind = (typeof STEP_KINDS)[number];

export interface Step {
	/** From 1 on, in the order things happen. */
	readonly number: number;
	/** Virtual ns. */
	readonly time: number;
	/** When the last of what is folded into it happened; its time where nothing is. */
	readonly end: number;
	readonly kind: StepKind;
	/** Device, CPU or IOMMU: `1c0e000.video-codec`, `cpu0`. */
	readonly who: string;
	/** One line, by register and field name; of a tracepoint what the kernel prints: `map: IOMMU: iova=…`. */
	readonly text: string;
	/** What it is about: a register, an IOVA, or (of cache lines and table words) a physical address; -1: none. */
	readonly addr: number;
	/** Bytes; -1: none. */
	readonly size: number;
	/** How many interrupt handlers have not returned. */
	readonly depth: number;
}

export interface RecorderOptions {
	/** What is recorded, and numbered; all without it. */
	readonly kinds?: ReadonlySet<StepKind>;
	/** Called as each step happens; who wants to stop there throws. A step of bursts has only its first then. */
	readonly onStep?: (step: Step) => void;
}

type Growing = { -readonly [K in keyof Step]: Step[K] };

/** Bursts that are folded. */
interface Run {
	readonly step: Growing;
	readonly port: DmaPort;
	readonly write: boolean;
	readonly phys: number;
	bursts: number;
}

/** Who records which machine. */
const recorders = new WeakMap<object, Recorder>();

// A kernel that boots has no exports yet.
early_initcall(() => {
	recorders.get(bootMachine)?.hearKernel();
	return 0;
});

const IOVA = /\b(?:iova|dma_addr|dev_addr)=(?:0x)?([0-9a-f]+)/;
const SIZE = /\bsize=(\d+)/;
/** What record_line() puts before the text. */
const LOG_TIME = /^\[[ \d.]+\] /;

export class Recorder {
	/** All so far. */
	readonly steps: Step[] = [];
	#depth = 0;
	#run: Run | null = null;
	readonly #kinds: ReadonlySet<StepKind>;
	readonly #onStep: ((step: Step) => void) | null;
	readonly #ends: (() => void)[] = [];

	/** One records a machine at a time: the one that was made last. To be made before start_kernel(), with or without DMASAN. */
	constructor(
		readonly machine: Machine,
		options: RecorderOptions = {},
	) {
		this.#kinds = options.kinds ?? new Set(STEP_KINDS);
		this.#onStep = options.onStep ?? null;
		recorders.get(machine)?.stop();
		recorders.set(machine, this);
		this.#hearBus();
		this.#hearConsole();
		this.#ends.push(listen<'observer', RamObserver>(machine.ram, 'observer', RAM_CALLS, this.#ramObserver()));
		if (this.#has('dma')) {
			const access: DmaObserver['access'] = (port, addr, phys, size, write) =>
				this.#burst(port, addr, phys, size, write);
			for (const port of machine.ports)
				this.#ends.push(listen<'observer', DmaObserver>(port, 'observer', ['access'], { access }));
		}
		for (const iommu of machine.iommus) this.#hearIommu(iommu);
		if (bootMachine === (machine as unknown)) this.hearKernel();
	}

	/** Record no more. What the kernel's trace has on stays on. */
	stop(): void {
		if (recorders.get(this.machine) !== this) return;
		recorders.delete(this.machine);
		for (const end of this.#ends) end();
	}

	/** The kernel has just begun to boot on the machine, or runs already: have its tracepoints and allocators tell. */
	hearKernel(): void {
		if (this.#has('alloc') || this.#has('free'))
			this.#ends.push(listen<'checker', kasan_checker>(kasan, 'checker', KASAN_CALLS, this.#allocations()));
		if (!this.#has('trace') && !this.#has('irq')) return;
		const hears: trace_export = { write: (entry) => this.#traced(entry) };
		register_ftrace_export(hears);
		this.#ends.push(() => unregister_ftrace_export(hears));
		if (this.#has('trace')) trace_set_clr_event(null, null, true);
		else trace_set_clr_event('irq', null, true);
	}

	#has(kind: StepKind): boolean {
		return this.#kinds.has(kind);
	}

	#add(kind: StepKind, who: string, text: string, addr = -1, size = -1): Growing | null {
		if (!this.#kinds.has(kind)) return null;
		this.#run = null;
		const time = this.machine.now();
		const number = this.steps.length + 1;
		const step: Growing = { number, time, end: time, kind, who, text, addr, size, depth: this.#depth };
		this.steps.push(step);
		this.#onStep?.(step);
		return step;
	}

	#allocations(): kasan_checker {
		const told = (kind: StepKind, what: string, phys: number, size: number): void => {
			this.#add(kind, 'cpu0', `${what} at ${hex(phys, 8)}, ${size} bytes`, phys, size);
		};
		const pages = (kind: StepKind, { pfn }: page, order: number): void =>
			told(kind, order === 0 ? 'a page' : `${2 ** order} pages`, pfn * PAGE_SIZE, PAGE_SIZE * 2 ** order);
		return {
			kmalloc: (s, object, size) => told('alloc', s.name, virt_to_phys(object) as number, size),
			slab_free: (s, object) => told('free', s.name, virt_to_phys(object) as number, object.byteLength),
			// As pages they have been told of, and will be.
			kmalloc_large: () => {},
			kfree_large: () => {},
			unpoison_pages: (page, order) => pages('alloc', page, order),
			poison_pages: (page, order) => pages('free', page, order),
		};
	}

	#hearBus(): void {
		if (!this.#has('mmio')) return;
		const { bus } = this.machine;
		const before = bus.trace;
		const trace = (event: MmioEvent): void => {
			before?.(event);
			const who = event.window?.name ?? 'bus';
			this.#add('mmio', who, event.text().replace(` ${who} `, ' '), event.addr, event.width);
		};
		bus.trace = trace;
		this.#ends.push(() => {
			if (bus.trace === trace) bus.trace = before;
		});
	}

	#hearConsole(): void {
		if (!this.#has('log')) return;
		const { machine } = this;
		const before = machine.heard;
		const heard = (level: number, line: string): void => {
			before?.(level, line);
			this.#add('log', 'kernel', line.replace(LOG_TIME, ''));
		};
		machine.heard = heard;
		this.#ends.push(() => {
			if (machine.heard === heard) machine.heard = before;
		});
	}

	#ramObserver(): RamObserver {
		const tables = this.machine.iommus.map((iommu) => new TableWords(this.machine.ram, iommu));
		return {
			onClean: (phys, size) => {
				this.#add('clean', 'cpu0', `${hex(phys, 8)}+${hex(size)}`, phys, size);
				if (!this.#has('table')) return;
				for (const words of tables)
					words.cleaned(phys, size, (addr, text) =>
						this.#add('table', words.iommu.name, text, addr, words.bytes),
					);
			},
			onInvalidate: (phys, size) => {
				this.#add('invalidate', 'cpu0', `${hex(phys, 8)}+${hex(size)}`, phys, size);
			},
		};
	}

	#hearIommu(iommu: Iommu): void {
		const { name } = iommu;
		const text = (cache: TranslationCache, entry: CacheEntry, why: string): string => {
			const { stream, iova, size, bits, valid, phys } = entry;
			const to = valid ? hex(phys, 8) : 'nothing';
			return `${cache.name}: ${hex(iova, 8)}+${hex(size)} ${hexWord(bits, 4)} -> ${to} (${why}, ${iommu.streamName(stream)})`;
		};
		const observer: IommuObserver = {
			walked: (_iommu, { stream, iova, table, addr, bytes, word, reason }) => {
				const what = `${table} at ${hex(addr, 8)} is ${hexWord(word, bytes)}, for ${hex(iova, 8)}`;
				this.#add('walk', name, `${what} (${reason}, ${iommu.streamName(stream)})`, addr, bytes);
			},
			filled: (_iommu, cache, entry) => {
				this.#add('fill', name, text(cache, entry, entry.reason), entry.iova, entry.size);
			},
			dropped: (_iommu, cache, entry, why) => {
				this.#add('drop', name, text(cache, entry, why), entry.iova, entry.size);
			},
			faulted: (_iommu, { stream, iova, access, kind, what }) => {
				const wanted = `${accessText(access)} at ${hex(iova, 8)}`;
				this.#add('fault', name, `${kind} (${what}): ${wanted} (${iommu.streamName(stream)})`, iova);
			},
			commanded: (_iommu, command) => {
				this.#add('command', name, command());
			},
			enabled: () => {
				this.#add('command', name, 'translation begins');
			},
			held: (_iommu, stream) => {
				this.#add('command', name, `${iommu.streamName(stream)} is held up, or reset`);
			},
			overrun: (_iommu, what) => {
				this.#add('command', name, `${what} is begun before it has ended`);
			},
		};
		const wanted: Partial<Record<keyof IommuObserver, StepKind>> = {
			walked: 'walk',
			filled: 'fill',
			dropped: 'drop',
		};
		for (const call of IOMMU_CALLS) {
			const kind = wanted[call];
			if (kind !== undefined && !this.#has(kind)) delete observer[call];
		}
		iommu.observers.push(observer);
		this.#ends.push(() => iommu.observers.splice(iommu.observers.indexOf(observer), 1));
	}

	/** @port is about to access @phys at @addr; -1: it was refused. */
	#burst(port: DmaPort, addr: number, phys: number, size: number, write: boolean): void {
		let run = this.#run;
		const follows =
			run !== null &&
			run.port === port &&
			run.write === write &&
			addr === run.step.addr + run.step.size &&
			phys >= 0 &&
			phys === run.phys + run.step.size;
		if (!follows) {
			const step = this.#add('dma', port.name, burstText(write, addr, phys, size, 1), addr, size);
			if (step !== null && phys >= 0) this.#run = { step, port, write, phys, bursts: 1 };
			return;
		}
		run = run as Run;
		run.bursts++;
		run.step.size += size;
		run.step.end = this.machine.now();
		run.step.text = burstText(write, run.step.addr, run.phys, run.step.size, run.bursts);
	}

	#traced(entry: trace_entry): void {
		const colon = entry.event.indexOf(':');
		const name = entry.event.slice(colon + 1);
		const text = colon < 0 ? entry.text : `${name}: ${entry.text}`;
		const irq = colon === 3 && entry.event.startsWith('irq');
		if (irq && name === 'irq_handler_exit') this.#depth--;
		const addr = Number.parseInt(IOVA.exec(entry.text)?.[1] ?? '', 16);
		const size = SIZE.exec(entry.text)?.[1];
		this.#add(
			irq ? 'irq' : 'trace',
			`cpu${entry.cpu}`,
			text,
			// DMA_MAPPING_ERROR is none.
			Number.isSafeInteger(addr) ? addr : -1,
			size === undefined ? -1 : Number(size),
		);
		if (irq && name === 'irq_handler_entry') this.#depth++;
	}
}

function burstText(write: boolean, addr: number, phys: number, size: number, bursts: number): string {
	const where = phys < 0 ? 'refused' : `at ${hex(phys, 8)}`;
	return `${write ? 'write' : 'read'} ${hex(addr, 8)}+${hex(size)} ${where}${bursts === 1 ? '' : `, ${bursts} bursts`}`;
}
