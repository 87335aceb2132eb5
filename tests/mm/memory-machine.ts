// SPDX-License-Identifier: GPL-2.0-only
// The least machine that memory runs on: RAM, a clock that moves when told.

import { set_machine } from '#arch/arm64/kernel/setup.js';
import type { machine, machine_vectors, schedule_kind } from '#asm/machine.js';
import { Ram, type RamRegion } from '#hw/core/ram.js';
import { load_boot_data } from '#linux/init.js';
import { mm_state } from '#linux/mm.js';
import {
	memblock_add,
	memblock_end_of_DRAM,
	memblock_reserve,
	memblock_start_of_DRAM,
} from '#mm/memblock.js';
import { free_area_init, memblock_free_all } from '#mm/mm_init.js';

const MIB = 0x10_0000;
const GIB = 0x4000_0000;

export class MemoryMachine implements machine {
	readonly memory: Ram;
	readonly fdt: Uint8Array;
	readonly command_line = '';
	readonly nr_cpus = 1;
	irqs_enabled = true;
	readonly log: string[] = [];
	readonly schedulePoints: string[] = [];
	private time = 0;

	constructor(regions: readonly RamRegion[], fdt: Uint8Array = new Uint8Array(0)) {
		this.memory = new Ram(regions);
		this.fdt = fdt;
	}
	mmio_read(): number {
		return 0;
	}
	mmio_write(): void {}
	sysreg_read(): number {
		return 0;
	}
	sysreg_write(): void {}
	set_vectors(_vectors: machine_vectors): void {}
	irq_enable(): void {
		this.irqs_enabled = true;
	}
	irq_disable(): void {
		this.irqs_enabled = false;
	}
	readonly stopwatch = null;

	now(): number {
		return this.time;
	}
	advance(ns: number): void {
		this.time += ns;
	}
	wait_for_interrupt(deadline: number): void {
		this.time = Math.max(this.time, deadline);
	}
	set_timer(): void {}
	readonly hook = (kind: schedule_kind, where: number): void => {
		if (kind === 'alloc' || kind === 'cache') this.schedulePoints.push(`${kind} ${where}`);
	};
	schedule_point(kind: schedule_kind, where: number): void {
		this.hook(kind, where);
	}
	console(_level: number, line: string): void {
		this.log.push(line);
	}
	/** Log lines that contain @text. */
	logged(text: string): string[] {
		return this.log.filter((line) => line.includes(text));
	}
}

export interface MemoryOptions {
	readonly regions?: readonly RamRegion[];
	/** One past the end of ZONE_DMA; default 4 GiB. */
	readonly dmaLimit?: number;
	/** Runs with memblock up and before the page allocator is. */
	readonly early?: () => void;
}

/** A machine with its memory in memblock, and nothing allocated. */
export function bootMemblock(regions: readonly RamRegion[] = [{ base: GIB, size: GIB }]): MemoryMachine {
	const machine = new MemoryMachine(regions);
	load_boot_data();
	set_machine(machine);
	for (const r of regions) memblock_add(r.base, r.size);
	return machine;
}

/** A machine whose page allocator works: 1 GiB at 1 GiB unless told otherwise, the first 2 MiB reserved. */
export function bootMemory(options: MemoryOptions = {}): MemoryMachine {
	const machine = bootMemblock(options.regions);
	const end = memblock_end_of_DRAM();
	memblock_reserve(memblock_start_of_DRAM(), 2 * MIB);
	mm_state.max_pfn = end / 4096;
	const dma = Math.min(options.dmaLimit ?? 4 * GIB, end);
	free_area_init([dma / 4096, Math.min(4 * GIB, end) / 4096, end / 4096]);
	options.early?.();
	memblock_free_all();
	return machine;
}
