// SPDX-License-Identifier: GPL-2.0-only
// A booted golden board whose sanitiser a test looks at; dma-debug, which warns of much of the same, is off.

import type { Machine } from '#hw/core/machine.js';
import type { TestMaster } from '#hw/misc/test-master.js';
import { dma_map_single, dma_set_mask_and_coherent } from '#kernel/dma/mapping.js';
import type { device } from '#linux/device.js';
import { GFP_KERNEL } from '#linux/gfp_types.js';
import { kmalloc } from '#linux/slab.js';
import { Board } from '#tests/kernel/dma/board.js';
import { sanitiserOf } from '#tests/sanitiser.js';
import { expectFinding } from '#tests/setup.js';
import type { Dmasan, DmasanReport } from '#watch/dmasan.js';

export class WatchedBoard extends Board {
	readonly san: Dmasan = sanitiserOf(this.masters.machine);

	constructor(name: string | Uint8Array, commandLine = '', prepare?: (machine: Machine) => void) {
		super(name, `dma_debug=off ${commandLine}`, undefined, prepare);
	}

	get memory() {
		return this.masters.machine.memory;
	}

	model(name: string): TestMaster {
		return this.masters.model(name);
	}

	/** @size bytes of kmalloc()'s, mapped for @dev. */
	mapped(dev: device, size: number, dir: number): { buf: Uint8Array; addr: number } {
		const buf = kmalloc(size, GFP_KERNEL)!;
		return { buf, addr: dma_map_single(dev, buf, size, dir) as number };
	}

	/** What @fn makes the sanitiser say, each with its first line's kind, and the whole. */
	said(fn: () => void): DmasanReport[] {
		const before = this.san.reports.length;
		fn();
		const reports = this.san.reports.slice(before);
		for (const { kind } of reports) expectFinding(new RegExp(`^=+\nBUG: DMASAN: ${kind} `));
		return reports;
	}

	/** The invariant, the kind and the moment of each. */
	kinds(fn: () => void): string[] {
		return this.said(fn).map(({ invariant, kind, moment }) => `${invariant} ${kind} ${moment}`);
	}
}

/** A device with all of 32 bits. */
export function master(board: Board, name: string): device {
	const dev = board.masters.device(name);
	dma_set_mask_and_coherent(dev, 0xffff_ffff);
	return dev;
}
