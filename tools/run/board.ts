// SPDX-License-Identifier: GPL-2.0-only
// One booted board, as the demonstration uses it.

import { FdtError, parseFdt } from '#hw/fdt.js';
import { Machine, MachineError, type MachineOptions } from '#hw/machine.js';
import { start_kernel } from '#init/main.js';
import { kernel_bug } from '#kernel/panic.js';
import { kmsg_dump_get_lines } from '#kernel/printk/printk.js';
import { trace_entries, tracing_reset } from '#kernel/trace/trace.js';
import { trace_set_clr_event } from '#kernel/trace/trace_events.js';
import { slab_live } from '#linux/slab.js';
import { cma_for_each_area, cma_get_size, cma_usage } from '#mm/cma.js';
import { nr_used_pages } from '#mm/page_alloc.js';
import { UserError } from './user-error.js';

const PAGE = 4096;
const LOGLEVEL_INFO = 6;

/** Memory that the IOMMU was told to map, from its trace events. */
export interface Mapped {
	/** Calls of map, each one piece of contiguous memory. */
	readonly pieces: number;
	readonly bytes: number;
}

/** What is allocated: compared before and after a job. */
export interface Allocated {
	readonly pages: number;
	readonly objects: Readonly<Record<string, number>>;
}

export class Board {
	readonly machine: Machine;
	/** Milliseconds that the boot took. */
	readonly bootMs: number;

	constructor(path: string, dtb: Uint8Array, options: MachineOptions) {
		const before = performance.now();
		try {
			this.machine = new Machine(dtb, options);
			start_kernel(this.machine);
		} catch (e) {
			if (e instanceof FdtError || e instanceof MachineError) throw new UserError(`${path}: ${e.message}`);
			if (e instanceof kernel_bug) throw new UserError(`${path}: the kernel stopped: ${e.message}`);
			throw e;
		}
		this.bootMs = performance.now() - before;
		trace_set_clr_event('iommu', null, true);
	}

	/** What the tree calls the board, and whether it puts any device behind an IOMMU. */
	static describe(path: string, dtb: Uint8Array): { model: string; compatible: string; translated: boolean } {
		try {
			const { root } = parseFdt(dtb);
			return {
				model: root.string('model') ?? '(unnamed)',
				compatible: root.strings('compatible').join(', '),
				translated: [...root.walk()].some((node) => node.okay && node.has('iommus')),
			};
		} catch (e) {
			if (e instanceof FdtError) throw new UserError(`${path}: ${e.message}`);
			throw e;
		}
	}

	/** The kernel log from message @from on, in dmesg's form. */
	static log(from = 0, level = LOGLEVEL_INFO): string[] {
		return kmsg_dump_get_lines(level, from);
	}

	/** Run @what; what the IOMMU mapped, and unmapped, meanwhile. */
	static traced<T>(what: () => T): { result: T; mapped: Mapped; unmapped: Mapped } {
		tracing_reset();
		const result = what();
		const sum = (event: string): Mapped => {
			const sizes = trace_entries()
				.filter((e) => e.event === event)
				.map((e) => Number(/ size=(\d+)/.exec(e.text)?.[1] ?? 0));
			return { pieces: sizes.length, bytes: sizes.reduce((a, b) => a + b, 0) };
		};
		return { result, mapped: sum('iommu:map'), unmapped: sum('iommu:unmap') };
	}

	/** Bytes that were set aside for CMA at boot. */
	static cmaReserved(): number {
		let bytes = 0;
		cma_for_each_area((area) => {
			bytes += cma_get_size(area);
			return 0;
		}, null);
		return bytes;
	}

	static cmaBytes(): { now: number; most: number } {
		const { nr_pages, max_pages } = cma_usage();
		return { now: nr_pages * PAGE, most: max_pages * PAGE };
	}

	static allocated(): Allocated {
		return { pages: nr_used_pages(), objects: slab_live() };
	}
}
