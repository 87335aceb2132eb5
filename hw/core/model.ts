// SPDX-License-Identifier: GPL-2.0-only
// What a device model is, and what the machine gives it.

import type { Clock } from './clock.js';
import type { DmaPort } from './dma-port.js';
import type { FdtNode } from './fdt.js';
import type { Ram } from './ram.js';
import type { RegisterFile } from './register-file.js';

/** A run of bytes that a block has been told to access. */
export interface DmaTarget {
	readonly port: DmaPort;
	readonly addr: number;
	readonly size: number;
	readonly write: boolean;
	/** Where it was told: `CH1_TOP_LADDR`, `the descriptor at 0x4be00010`. */
	readonly by: string;
}

/** Memory as the block would read it, without an access; null: nobody knows. */
export type Peek = (addr: number, size: number) => Uint8Array | null;

/** One block of the chip. Offsets are bytes from the start of the node's @region-th `reg` entry. */
export interface DeviceModel {
	readonly name: string;
	/** For traces and dumps, when the block has a register table. */
	readonly registers?: RegisterFile;
	/** The same by region, of a block that has several. */
	readonly registerFiles?: readonly RegisterFile[];
	/** The `clock-names` of what the registers need to answer; without it every clock of the node. */
	readonly registerClocks?: readonly string[];
	/** @width is 1, 2 or 4 bytes. */
	read(offset: number, width: number, region: number): number;
	write(offset: number, width: number, value: number, region: number): void;
	/** The block's reset line was asserted, or its power was lost: back to reset values. */
	reset?(): void;
	/**
	 * What it accesses from now on if nobody tells it otherwise: nothing while it stands still. @write: what it writes, or
	 * reads, will do; null: all.
	 */
	targets?(peek: Peek, write: boolean | null): DmaTarget[];
	/** Called when it has been told to begin (to write, to read), or to take its settings over (null). */
	onTold?: ((write: boolean | null) => void) | null;
	/** How many address lines its DMA has; all that anybody wants without it. */
	readonly addressLines?: number;
	/** A trace's text for an access; the register table's by default. */
	describe?(offset: number, value: number, region: number): string;
}

/** A level-triggered interrupt output. */
export interface IrqLine {
	/** The interrupt number at the controller (SPI n is 32 + n); -1 when the node has no such interrupt. */
	readonly intid: number;
	readonly level: boolean;
	/** How often it has gone up. */
	readonly raised: number;
	raise(): void;
	lower(): void;
	set(level: boolean): void;
}

/** A model that other nodes name in `clocks`. */
export interface ClockProvider {
	/** Whether the clock that @cells name runs, and what to call it in a message. */
	clockState(cells: readonly number[]): { running: boolean; name: string };
}

/** A model that other nodes name in `resets`. */
export interface ResetProvider {
	/** Whether the reset line that @cells name is released, and what to call it in a message. */
	resetState(cells: readonly number[]): { released: boolean; name: string };
	/** Call @fn at each time that line is asserted. */
	onAssert(cells: readonly number[], fn: () => void): void;
}

/** A model that other nodes name in `power-domains`, or the node around the one that they name. */
export interface PowerDomainProvider {
	/** Whether blocks in the domain that @cells name can work, and what to call what stops them in a message. */
	powerState(cells: readonly number[]): { on: boolean; name: string };
	/** Call @fn at each time that domain loses power. */
	onPowerLost(cells: readonly number[], fn: () => void): void;
}

export type Policy = 'pessimistic' | 'optimistic';

/** The parts of the machine that a model may use. */
export interface MachineServices {
	readonly ram: Ram;
	readonly clock: Clock;
	readonly policy: Policy;
	/** A stream of random numbers in [0, 1) of its own for @name: seeded, so the same in every run. */
	random(name: string): () => number;
	/** A gate or reset bit may have changed: what blocks answer is looked up anew. */
	powerChanged(): void;
	/** A remark of the machine's (not of the kernel's): goes to the machine's log. Equal ones fold. */
	note(who: string, text: string): void;
}

export interface ModelContext {
	readonly machine: MachineServices;
	readonly node: FdtNode;
	/** As Linux names the device: `1000000.dma`. */
	readonly name: string;
	readonly compatible: string;
	readonly regs: readonly { base: number; size: number }[];
	/** Its own accesses to memory see the CPU's caches (`dma-coherent`). */
	readonly coherent: boolean;
	irq(index?: number): IrqLine;
	/** The devices whose `iommus` names this node, as Linux names them. */
	masters(): string[];
	/** The block's DMA master number @index: through the IOMMU of `iommus`, or straight to memory. */
	dma(index?: number): DmaPort;
	/** Call @fn after @ns of virtual time; the result cancels it. */
	after(ns: number, fn: () => void): () => void;
	/** Every clock on and every reset released, as the tree lists them: the block can work. */
	powered(): boolean;
}

export type ModelFactory = (ctx: ModelContext) => DeviceModel;

/** Models by the `compatible` that they stand for: what a model's file is found by (hw/models.ts). */
export type Models = Readonly<Record<string, ModelFactory>>;
