// SPDX-License-Identifier: GPL-2.0-only
// A golden board with Rockchip IOMMUs: the model answers, and everything it is asked is written down.
import { bus_find_device_by_name } from '#drivers/base/bus.js';
import { platform_bus_type } from '#drivers/base/platform.js';
import { clk_get } from '#drivers/clk/clk.js';
import { sysfs_write } from '#fs/sysfs/user.js';
import { LooseWire } from '#hw/core/interrupts.js';
import type { Machine } from '#hw/core/machine.js';
import type { IrqLine, ModelContext, ModelFactory } from '#hw/core/model.js';
import {
	RockchipIommu,
	type RockchipParts,
	rockchipModels,
	rockchipParts,
} from '#hw/iommu/rockchip-iommu.js';
import type { RockchipVariant } from '#hw/iommu/rockchip-iommu-format.js';
import { pm_wq } from '#kernel/power/power.js';
import { trace_entries, tracing_reset } from '#kernel/trace/trace.js';
import type { device } from '#linux/device.js';
import { IS_ERR } from '#linux/err.js';
import { pm_runtime_get_sync } from '#linux/pm_runtime.js';
import { flush_workqueue } from '#linux/workqueue.js';

import { rockchipCommands } from './commands/rockchip.js';
import { type Before, type Hardware, type HardwareKind, planOf } from './hardware.js';
import { oracle_devices } from './oracle.js';
import type { Session } from './session.js';
import { SLOT } from './traffic.js';
import type { Case, Json } from './vectors.js';

const PAGE = 4096;
const LETTERS = 'ABCD';
/** Each IOMMU's first master. */
const MASTERS: readonly (readonly [string, number])[] = [
	['A', 0],
	['B', 1],
	['C', 2],
	['D', 6],
];

const pageOf = (addr: number): number => addr - (addr % PAGE);

/** One IOMMU of the board, as the vectors number them. */
interface Unit {
	readonly model: RockchipIommu;
	/** Its interrupts at the controller. */
	readonly intids: readonly number[];
}

/** The model of one IOMMU that has all of it written down; its interrupt wires lead nowhere, as in the capture. */
class Scribe extends RockchipIommu {
	constructor(
		name: string,
		variant: RockchipVariant,
		parts: RockchipParts,
		private readonly letter: string,
		private readonly board: RockchipBoard,
	) {
		super(name, variant, parts);
	}
	override read(offset: number, width: number, region: number): number {
		const value = super.read(offset, width, region);
		this.board.access(`${this.letter}${region}`, 'R', offset, value);
		return value;
	}
	override write(offset: number, width: number, value: number, region: number): void {
		this.board.access(`${this.letter}${region}`, 'W', offset, value);
		super.write(offset, width, value, region);
	}
}

/** What a Rockchip board's session keeps. */
export class RockchipBoard implements Hardware {
	readonly driver = 'rk_iommu';
	readonly labelled = true;
	readonly runtimePm = true;
	readonly commands = rockchipCommands(this);
	readonly units: Unit[] = [];
	/** Labels of the table pages that live. */
	private readonly tables = new Map<number, string>();
	private labels = 0;

	constructor(private readonly log: string[]) {}

	/** For the machine's `overrides`. */
	overrides(): Record<string, ModelFactory> {
		const scribe: ModelFactory = (ctx) => this.unit(ctx);
		return Object.fromEntries(Object.keys(rockchipModels).map((compatible) => [compatible, scribe]));
	}

	private unit(ctx: ModelContext): RockchipIommu {
		const wires: IrqLine[] = ctx.node.interrupts.map((_, i) => ctx.irq(i));
		const [variant, parts] = rockchipParts(ctx);
		const irqs = wires.map(() => new LooseWire());
		const letter = LETTERS[this.units.length]!;
		const model = new Scribe(ctx.name, variant, { ...parts, irqs }, letter, this);
		// The capture's hardware obeyed at once.
		model.habits.lateInvalidation = false;
		this.units.push({ model, intids: wires.map((w) => w.intid) });
		return model;
	}

	/** Hear of clocks, caches and pages. */
	booted(machine: Machine): void {
		this.log.length = 0;
		sysfs_write('/sys/kernel/tracing/events/dma/dma_map_page/enable', '1');
		sysfs_write('/sys/kernel/tracing/events/dma/dma_unmap_page/enable', '1');
		machine.memory.observer = {
			onClean: (phys, size) => this.cache('C', phys, size),
			onInvalidate: (phys, size) => this.cache('I', phys, size),
		};
		this.watchClock();
	}

	/** Hear of the clock that all IOMMUs of the board share; nobody else uses it. */
	private watchClock(): void {
		const osc = clk_get(this.iommuDevice(0), 'aclk');
		if (IS_ERR(osc) || osc.core === null) return;
		const note = (text: string): number => {
			this.drain();
			this.log.push(text);
			return 0;
		};
		osc.core.ops = {
			...osc.core.ops,
			enable: () => note('clk+'),
			disable: () => void note('clk-'),
		};
	}

	iommuDevice(i: number): device {
		return bus_find_device_by_name(platform_bus_type, null, this.units[i]!.model.name)!;
	}

	/** MMU @m, counted through all IOMMUs, and its name. */
	mmu(m: number): { mmu: RockchipIommu['mmus'][number]; name: string } {
		let first = 0;
		for (const [i, { model }] of this.units.entries()) {
			if (m < first + model.mmus.length)
				return { mmu: model.mmus[m - first]!, name: `${LETTERS[i]}${m - first}` };
			first += model.mmus.length;
		}
		throw new RangeError(`MMU ${m}: this board has ${first}`);
	}

	/** A case that goes on from others, which may be kept apart: what those left in registers that no reset cleared. */
	private catchUp(traffic: string): void {
		for (const [i, { model }] of this.units.entries())
			for (const mmu of model.mmus) {
				const name = `${LETTERS[i]}${mmu.index}`;
				const first = new RegExp(`${name}:(?:W08=6|R24=([0-9a-f]+))`).exec(traffic);
				if (first?.[1] !== undefined) mmu.registers.set('AUTO_GATING', Number.parseInt(first[1], 16));
			}
	}

	get format(): string {
		return this.units[0]!.model.variant.compatible;
	}

	entry(text: string): string {
		return text;
	}

	/** Let put-off suspends come. */
	settle(): void {
		flush_workqueue(pm_wq);
		this.drain();
	}

	/** The trace so far goes into the log: tables that were mapped (their clean stands last) or unmapped. */
	drain(): void {
		const entries = trace_entries();
		if (entries.length === 0) return;
		tracing_reset();
		for (const { event, text } of entries) {
			const m = /^(\S+) .*?dma_addr=(?:0x)?([0-9a-f]+) size=(\d+)/.exec(text);
			if (m === null || !m[1]!.endsWith('.iommu') || m[3] !== `${PAGE}`) continue;
			const page = Number.parseInt(m[2]!, 16);
			if (event === 'dma:dma_unmap_page') {
				this.log.push(`free(${this.where(page).split('+')[0]})`);
				this.tables.delete(page);
				continue;
			}
			const label = `T${++this.labels}`;
			this.tables.set(page, label);
			if (this.log.at(-1) === `C:${page.toString(16)}:${PAGE.toString(16)}`)
				this.log[this.log.length - 1] = `new(${label})`;
		}
	}

	access(name: string, kind: 'R' | 'W', offset: number, value: number): void {
		this.drain();
		const text = offset === 0 ? this.word(value, value.toString(16)) : value.toString(16);
		this.log.push(`${name}:${kind}${offset.toString(16).padStart(2, '0')}=${text}`);
	}

	private cache(kind: 'C' | 'I', phys: number, size: number): void {
		this.drain();
		this.log.push(`${kind}:${this.where(phys)}:${size.toString(16)}`);
	}

	/** A physical address: in a table by its label. */
	private where(phys: number): string {
		const label = this.tables.get(pageOf(phys));
		const pool = oracle_devices()[0]?.dma_io_tlb_mem?.defpool;
		if (label === undefined && pool !== undefined && phys >= pool.start && phys < pool.end)
			return `bounce+${((phys - pool.start) % SLOT).toString(16)}`;
		return label === undefined
			? phys.toString(16)
			: `${label}+${(phys % PAGE).toString(16).padStart(3, '0')}`;
	}

	/** A directory word: of a table by its label; else @plain. */
	word(word: number, plain: string): string {
		const label = this.tables.get(this.units[0]!.model.variant.addressOf(word));
		return label !== undefined && (word & 0xf) === 1 ? `dte(${label})` : plain;
	}

	/** A message with the tables' addresses by label. */
	message(text: string): string {
		return text
			.replace(/\d+\.\d+ seconds/, '... seconds')
			.replace(/(@| )0x([0-9a-f]{16})\b/g, (all, before: string, hex: string) =>
				this.tables.has(pageOf(Number.parseInt(hex, 16)))
					? `${before}${this.where(Number.parseInt(hex, 16))}`
					: all,
			)
			.replace(
				/(dte@\S+: )(0x[0-9a-f]+)/,
				(_, before: string, word: string) => `${before}${this.word(Number(word), word)}`,
			);
	}

	refresh(session: Session): void {
		const masters = oracle_devices().flatMap((d, n) => (d?.iommu_group != null ? [n] : []));
		const groups = new Set(masters.map((n) => session.device(n).iommu_group!.id));
		const bind = (file: string): void => {
			for (const n of masters) {
				sysfs_write(`/sys/bus/platform/drivers/oracle/${file}`, `m${n}`);
				this.settle();
			}
		};
		bind('unbind');
		for (const id of groups)
			for (const type of ['identity', 'DMA']) sysfs_write(`/sys/kernel/iommu_groups/${id}/type`, type);
		bind('bind');
	}

	/** All from the masters' driver on, or the end of the change to fresh domains. */
	prepare(session: Session, c: Case): Before | null {
		if (c.fresh) this.refresh(session);
		else this.catchUp((c.steps ?? []).map((step) => step[3]?.mmio ?? '').join(' '));
		if (c.before === undefined) return null;
		// Other cases before this one leave their marks: in the registers until all were reset, and page tables.
		const first = c.before.startsWith('new(T1) bind(0)');
		const since = (log: string): string =>
			first ? log : log.slice(log.lastIndexOf('unbind(')).replace(/free\(T\d+\) /g, '');
		return { theirs: since(c.before), ours: since(session.takeLog()) };
	}

	use(session: Session, traffic: string): void {
		for (const [letter, master] of MASTERS)
			if (traffic.includes(`${letter}0:`)) pm_runtime_get_sync(session.device(master));
	}

	describe(): Record<string, Json> {
		return {};
	}

	references(): number {
		return -1;
	}
}

export const rockchip: HardwareKind = {
	plan: (_boot, facts) => (facts.board?.startsWith('rk-') ? planOf(facts) : undefined),
	make: (_boot, log) => new RockchipBoard(log),
};
