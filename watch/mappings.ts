// SPDX-License-Identifier: GPL-2.0-only
// What the DMA API has given to each device: the mappings that live, and the last that ended.

import type { DmaPort } from '#hw/core/dma-port.js';
import type { Machine } from '#hw/core/machine.js';
import { hex } from '#hw/core/register-file.js';
import type { Iommu } from '#hw/iommu/iommu.js';
import { dev_name, type device } from '#linux/device.js';
import { DMA_FROM_DEVICE, DMA_TO_DEVICE } from '#linux/dma-direction.js';
import type { iommu_domain } from '#linux/iommu.js';
import { Intervals } from './intervals.js';
import type { JournalEvent } from './journal.js';

const DIRECTIONS = ['DMA_BIDIRECTIONAL', 'DMA_TO_DEVICE', 'DMA_FROM_DEVICE', 'DMA_NONE'];

export function directionText(dir: number): string {
	return DIRECTIONS[dir] ?? `direction ${dir}`;
}

/** What is no driver's own: the DMA API and what it stands on. */
const COMMON = /\((kernel|include|mm|lib|arch|watch|drivers\/iommu)\//;

/** ` in stmmac_map_skb()`: the driver's function that was at work at @event; nothing when none is known. */
export function driverOf(event: JournalEvent | null): string {
	// Of what comes often not each has a stack of its own.
	if (event === null || event.stack.number !== event.number) return '';
	const frame = event.trace().find((line) => !COMMON.test(line));
	return frame === undefined ? '' : ` in ${frame.split(' ')[0]}()`;
}

/** Which functions make, and end, a mapping. */
export type Kind = 'page' | 'sg' | 'resource' | 'coherent' | 'pages' | 'noncontiguous';

/** How many mappings of a device are remembered that have ended. */
const REMEMBERED = 512;

/** A run of bytes of a mapping: [first, last] as the device calls them, and where the kernel has them. */
export class Part {
	/** Where the device's bytes are: the buffer itself, or its copy in a bounce pool. */
	actual: number;
	/** Among all that is mapped, by where it is; null: it is not. */
	place: Place | null = null;
	/** The device has written there since the CPU's side was last brought up to date. */
	wrote = false;
	/** The bytes, from its beginning, that the device has written, and no dma_sync_*_for_cpu() has been called for: none when it ends before it begins. */
	unseenFrom = Number.POSITIVE_INFINITY;
	unseenTo = 0;
	/** What the CPU was given last: [from, to). */
	lookedFrom = 0;
	lookedTo = 0;
	/** It has written there in the midst of what the kernel did: what the CPU got of that is nobody's promise. */
	raced = false;

	constructor(
		readonly mapping: Mapping,
		readonly first: number,
		readonly last: number,
		readonly phys: number,
	) {
		this.actual = phys;
	}

	/** The device has written @size bytes from @from on. */
	written(from: number, size: number): void {
		this.unseenFrom = Math.min(this.unseenFrom, from);
		this.unseenTo = Math.max(this.unseenTo, from + size);
	}

	/** The CPU has @size bytes from @from on. */
	seen(from: number, size: number): void {
		this.lookedFrom = from;
		this.lookedTo = from + size;
		if (from <= this.unseenFrom) this.unseenFrom = Math.max(this.unseenFrom, from + size);
		else if (from + size >= this.unseenTo) this.unseenTo = Math.min(this.unseenTo, from);
		if (this.unseenFrom < this.unseenTo) return;
		this.unseenFrom = Number.POSITIVE_INFINITY;
		this.unseenTo = 0;
	}

	get size(): number {
		return this.last - this.first + 1;
	}

	get bounced(): boolean {
		return this.actual !== this.phys;
	}
}

/** A part by its physical addresses. */
export class Place {
	readonly first: number;
	readonly last: number;

	constructor(readonly part: Part) {
		this.first = part.phys;
		this.last = part.phys + part.size - 1;
	}
}

export class Mapping {
	readonly parts: Part[] = [];
	/** What ended it; null while it lives. */
	ended: JournalEvent | null = null;
	/** The space that its addresses are of; null: the bus's own. */
	readonly domain: iommu_domain | null;
	/** Where its addresses lead is known. */
	routed = true;
	/** The dma_sync_*_for_cpu() that was called since the device has it; null: none. */
	syncedForCpu: JournalEvent | null = null;

	constructor(
		readonly client: Client,
		readonly kind: Kind,
		readonly addr: number,
		readonly size: number,
		readonly dir: number,
		readonly attrs: number,
		readonly made: JournalEvent,
		/** What the caller knows it by: the list, the CPU's address. */
		readonly handle: object | null,
		readonly nents: number,
	) {
		this.domain = client.domain;
	}

	/** Its bytes belong to one side at a time. */
	get streaming(): boolean {
		return (
			this.kind === 'page' || this.kind === 'sg' || this.kind === 'pages' || this.kind === 'noncontiguous'
		);
	}

	get text(): string {
		return `${this.made.what}()${driverOf(this.made)} of ${this.size} bytes at ${hex(this.addr, 8)}, ${directionText(this.dir)}`;
	}

	/** Memory that was allocated for streaming is mapped both ways: its direction is that of its syncs. */
	allows(write: boolean): boolean {
		if (this.kind === 'pages' || this.kind === 'noncontiguous') return true;
		return this.dir !== (write ? DMA_TO_DEVICE : DMA_FROM_DEVICE);
	}

	/** The lines of a report about it. */
	lines(): string[] {
		return [
			`The mapping: ${this.text}`,
			...this.made.lines('Mapped'),
			...(this.ended === null ? [] : this.ended.lines('Unmapped')),
		];
	}
}

/** A device that uses the DMA API. */
export class Client {
	readonly name: string;
	readonly live = new Intervals<Part>();
	/** The last that ended, oldest first. */
	readonly ended: Mapping[] = [];
	readonly #ports: readonly DmaPort[];

	constructor(
		readonly dev: device,
		machine: Machine,
	) {
		this.name = dev_name(dev);
		this.#ports = machine.ports.filter((port) => this.#owns(port, machine.iommuOf(port)));
	}

	get ports(): readonly DmaPort[] {
		return this.#ports;
	}

	/** The domain of its mappings; null: they are direct. */
	get domain(): iommu_domain | null {
		return this.dev.dma_iommu ? (this.dev.iommu_group?.default_domain ?? null) : null;
	}

	/** By its name, or by the stream that the kernel has it behind: a display device maps for its layers' masters. */
	#owns(port: DmaPort, iommu: Iommu | null): boolean {
		if (port.name === this.name) return true;
		const at = this.dev.iommu?.iommu_dev?.dev?.parent ?? null;
		if (iommu === null || at === null || dev_name(at) !== iommu.name) return false;
		return this.dev.iommu?.fwspec?.ids.includes(port.stream) ?? false;
	}

	/** The live mapping that begins at @addr: the one that @kind, @size and @dir fit best; null: none. */
	at(addr: number, kind: Kind, size: number, dir: number): Mapping | null {
		let best: Mapping | null = null;
		let bestFit = -1;
		this.live.find(addr, addr, ({ mapping }) => {
			if (mapping.addr !== addr) return false;
			const fit =
				(mapping.kind === kind ? 4 : 0) + (mapping.size === size ? 2 : 0) + (mapping.dir === dir ? 1 : 0);
			if (fit > bestFit) [best, bestFit] = [mapping, fit];
			return fit === 7;
		});
		return best;
	}

	/** The last mapping that ended and had @addr. */
	lastEnded(addr: number): Mapping | null {
		for (let i = this.ended.length - 1; i >= 0; i--)
			if (
				this.ended[i].domain === this.domain &&
				this.ended[i].parts.some(({ first, last }) => first <= addr && addr <= last)
			)
				return this.ended[i];
		return null;
	}

	end(mapping: Mapping, event: JournalEvent): void {
		mapping.ended = event;
		for (const part of mapping.parts) this.live.delete(part);
		this.ended.push(mapping);
		if (this.ended.length > 2 * REMEMBERED) this.ended.splice(0, REMEMBERED);
	}

	/** What of it lives, each once. */
	mappings(): Set<Mapping> {
		return new Set([...this.live.all()].map(({ mapping }) => mapping));
	}
}
