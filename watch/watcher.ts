// SPDX-License-Identifier: GPL-2.0-only
// A part of the sanitiser: rules about one thing, and what it hears of kernel and machine.

import type { Window } from '#hw/core/bus.js';
import type { DmaPort } from '#hw/core/dma-port.js';
import type { Machine } from '#hw/core/machine.js';
import type { RamObserver } from '#hw/core/ram.js';
import type { IommuObserver } from '#hw/iommu/iommu.js';
import type { Journal } from './journal.js';
import type { Report } from './report.js';

/** What a part looks at and speaks through. */
export interface Watched extends Report {
	readonly machine: Machine;
	/** What happened, with who was at work in the kernel. */
	readonly journal: Journal;
	/** Whether the kernel that runs now runs on that machine. */
	readonly running: boolean;
}

export interface Watcher extends RamObserver, IommuObserver {
	/** The kernel has just begun to boot, or runs already: have it tell. The result ends that, and so does the next boot. */
	watchKernel?(): () => void;
	/** @port was let through to @phys at @addr, and is about to do it; -1: it was refused, or met nothing. */
	access?(port: DmaPort, addr: number, phys: number, size: number, write: boolean): void;
	/** An access to a register met a block without clock, power, or in reset. */
	lost?(window: Window, addr: number, write: boolean, why: string): void;
	/** The kernel that boots has its buses now, and no device yet. */
	busesStand?(): void;
	/** Nobody watches any more. */
	detached?(): void;
	/** Nothing goes on: what must hold then. @operation: what has just ended. */
	quiet?(operation: string): void;
}
