// SPDX-License-Identifier: GPL-2.0-only
// One booted board, as the demonstration uses it.

import { close_fd } from '#fs/file.js';
import { do_sys_open } from '#fs/open.js';
import { sysfs_read } from '#fs/sysfs/user.js';
import { FdtError, type FdtNode, parseFdt } from '#hw/core/fdt.js';
import { Machine, MachineError, MachineHang, type MachineOptions } from '#hw/core/machine.js';
import { start_kernel } from '#init/main.js';
import { kernel_bug } from '#kernel/panic.js';
import { kmsg_dump_get_lines } from '#kernel/printk/printk.js';
import { trace_entries, tracing_reset } from '#kernel/trace/trace.js';
import { trace_set_clr_event } from '#kernel/trace/trace_events.js';
import { IS_ERR } from '#linux/err.js';
import { O_RDWR } from '#linux/fs.js';
import { PAGE_SIZE } from '#linux/mm.js';
import { slab_live } from '#linux/slab.js';
import { cma_for_each_area, cma_get_size, cma_usage } from '#mm/cma.js';
import { nr_used_pages } from '#mm/page_alloc.js';
import { DRIVERS, devicesOf } from '#tools/clients.js';
import { CARD0 } from './display.js';
import { UserError } from './user-error.js';

const LOGLEVEL_INFO = 6;

/** How the DMA of a device goes, as the kernel has decided; null: the board has no such device. */
export type Way = 'translated' | 'direct' | null;

export interface Ways {
	readonly engine: Way;
	readonly display: Way;
}

/** What the kernel says of a device's DMA, in clauses; null without a device of that driver. */
function decision(driver: string): { name: string; clauses: readonly string[] } | null {
	const bound = devicesOf(driver);
	const text = sysfs_read('/sys/kernel/debug/dma/decision');
	if (IS_ERR(text)) return null;
	for (const line of text.split('\n')) {
		const name = bound.find((device) => line.startsWith(`${device}: `));
		if (name !== undefined) return { name, clauses: line.slice(name.length + 2).split('; ') };
	}
	return null;
}

function way(driver: string): Way {
	const said = decision(driver);
	if (said === null) return null;
	return said.clauses[0].startsWith('translated') ? 'translated' : 'direct';
}

/** The display's driver may be bound, and wait for its components for ever. */
function hasCard(): boolean {
	const fd = do_sys_open(CARD0, O_RDWR);
	if (fd < 0) return false;
	close_fd(fd);
	return true;
}

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

/** A board that does not come up. */
export class BootError extends UserError {
	/** What the kernel had to say until then. */
	readonly log: readonly string[] = Board.log();
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
			if (e instanceof kernel_bug) throw new BootError(`${path}: the kernel stopped: ${e.message}`);
			if (e instanceof MachineHang) throw new BootError(`${path}: the machine stopped: ${e.message}`);
			throw e;
		}
		this.bootMs = performance.now() - before;
		trace_set_clr_event('iommu', null, true);
	}

	/** What @read finds in a tree; a wrong one is the user's. */
	static inTree<T>(path: string, dtb: Uint8Array, read: (root: FdtNode) => T): T {
		try {
			return read(parseFdt(dtb).root);
		} catch (e) {
			if (e instanceof FdtError) throw new UserError(`${path}: ${e.message}`);
			throw e;
		}
	}

	/** What the tree calls the board. */
	static describe(path: string, dtb: Uint8Array): { model: string; compatible: string } {
		return Board.inTree(path, dtb, (root) => ({
			model: root.string('model') ?? '(unnamed)',
			compatible: root.strings('compatible').join(', '),
		}));
	}

	/** Which way the DMA of the job's devices goes: the kernel knows, not the tree. */
	static ways(): Ways {
		return { engine: way(DRIVERS.engine), display: hasCard() ? way(DRIVERS.display) : null };
	}

	/** Why a device of the job is behind no IOMMU, or what its `iommus` has wrong; nothing where all is well. */
	static exceptions(): string[] {
		return Object.values(DRIVERS).flatMap((driver) => {
			const said = decision(driver);
			if (said === null) return [];
			const [first, ...others] = said.clauses;
			const odd = others.filter((clause) => /iommus|is left out/.test(clause));
			if (first.startsWith('translated') && odd.length === 0) return [];
			return [`${said.name}: ${[first, ...odd].join('; ')}`];
		});
	}

	/** What the kernel said of a device of the job from the moment that its driver was tried; nothing without either. */
	static saidOf(role: keyof typeof DRIVERS): string[] {
		return Board.log().filter((line) => line.includes(`] ${DRIVERS[role]} `));
	}

	/** The kernel log from message @from on, in dmesg's form. */
	static log(from = 0, level = LOGLEVEL_INFO): string[] {
		return kmsg_dump_get_lines(level, from);
	}

	/** The machine's remarks from note @from on. */
	remarks(from = 0): string[] {
		return this.machine.notes.slice(from).map(({ who, text }) => `${who}: ${text}`);
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
		return { now: nr_pages * PAGE_SIZE, most: max_pages * PAGE_SIZE };
	}

	static allocated(): Allocated {
		return { pages: nr_used_pages(), objects: slab_live() };
	}
}
