// SPDX-License-Identifier: GPL-2.0-only
// What a device has been told to access, by its registers and by the descriptors that these lead to, as it is told: before
// the first access.
//
//   INV-LIVE-MAP  all of it lies in one live mapping, of the right direction; nothing of that is unmapped before the
//                 device was stopped
//   INV-OWN       it is the device's: the CPU has given it back, and no line of it is dirty
//
// Not judged: what buffer-access.ts does not judge, and a model that does not say (DeviceModel.targets()).

import type { stack_frame } from '#arch/arm64/kernel/stacktrace.js';
import type { DmaPort } from '#hw/core/dma-port.js';
import type { DeviceModel, DmaTarget } from '#hw/core/model.js';
import { hex } from '#hw/core/register-file.js';
import { DMA_FROM_DEVICE, DMA_TO_DEVICE } from '#linux/dma-direction.js';
import { DMA_ATTR_SKIP_CPU_SYNC } from '#linux/dma-mapping.js';
import type { BufferAccess } from './buffer-access.js';
import { type Client, directionText, driverOf, type Mapping, type Part } from './mappings.js';
import type { Invariant } from './report.js';
import type { Watched } from './watcher.js';
import { accessorOf, whoIsAtWork } from './who.js';

/** A model that says. */
type Teller = DeviceModel & Required<Pick<DeviceModel, 'targets'>>;

export class BufferTargets {
	readonly #tellers: Teller[] = [];
	/** Those that were told, last, by nobody of the kernel's: what they access they are judged by. */
	readonly #rogues = new Set<Teller>();

	constructor(
		readonly watched: Watched,
		readonly access: BufferAccess,
		readonly clientsOf: (port: DmaPort) => readonly Client[],
	) {
		for (const model of watched.machine.models.values()) {
			if (!tells(model)) continue;
			this.#tellers.push(model);
			model.onTold = (write) => this.#told(model, write);
		}
	}

	detached(): void {
		for (const teller of this.#tellers) teller.onTold = null;
	}

	/** @mapping is about to end, by @fn: nobody may be on the way there. */
	ends(mapping: Mapping, fn: string): void {
		const { client, parts, dir } = mapping;
		const way = dir === DMA_TO_DEVICE ? false : dir === DMA_FROM_DEVICE ? true : null;
		for (const teller of this.#tellers) {
			if (this.#rogues.has(teller) || !client.ports.some(({ name }) => name === teller.name)) continue;
			for (const target of teller.targets((addr, size) => this.#peek(client.ports[0], addr, size), way)) {
				const { addr, size, write } = target;
				if (!parts.some((part) => part.first < addr + size && part.last >= addr)) continue;
				const stays = client.live.find(addr, addr, (o) => o.mapping !== mapping && o.mapping.allows(write));
				if (stays !== null || !this.access.judged(target, [client])) continue;
				this.#inUse(mapping, fn, teller, target);
				return;
			}
		}
	}

	/** What a device of @client's has still to access of [@first, @last]; null: nothing. */
	inUse(client: Client, first: number, last: number): DmaTarget | null {
		for (const teller of this.#tellers) {
			if (this.#rogues.has(teller) || !client.ports.some(({ name }) => name === teller.name)) continue;
			for (const target of teller.targets((addr, size) => this.#peek(client.ports[0], addr, size), null))
				if (target.addr <= last && target.addr + target.size > first && this.access.judged(target, [client]))
					return target;
		}
		return null;
	}

	#told(teller: Teller, write: boolean | null): void {
		this.#rogues.delete(teller);
		const port = this.watched.machine.ports.find(({ name }) => name === teller.name);
		if (port === undefined || this.clientsOf(port).length === 0) return;
		for (const target of teller.targets((addr, size) => this.#peek(port, addr, size), write))
			if (!this.#judge(teller, target)) return;
	}

	/** Whether @target is in order. */
	#judge(teller: Teller, target: DmaTarget): boolean {
		const { port, addr, size, write } = target;
		const clients = this.clientsOf(port);
		if (clients.length === 0 || size <= 0 || !this.access.judged(target, clients)) return true;
		let other: Part | null = null;
		for (const { live } of clients) {
			const part =
				live.find(addr, addr, ({ mapping }) => mapping.allows(write) && holds(mapping, addr, size)) ??
				live.find(addr, addr, ({ mapping }) => mapping.allows(write));
			if (part !== null && holds(part.mapping, addr, size)) return this.#owned(teller, target, part);
			other ??= part ?? live.find(addr, addr);
		}
		this.#outside(teller, target, clients, other);
		return false;
	}

	/** The device may have what lies in @part's mapping. */
	#owned(teller: Teller, target: DmaTarget, part: Part): boolean {
		const { mapping } = part;
		const { port, addr, size, write } = target;
		if (!mapping.streaming || !mapping.routed) return true;
		const asked = (mapping.attrs & DMA_ATTR_SKIP_CPU_SYNC) === 0;
		const sees = mapping.client.dev.dma_coherent && !part.bounced;
		if (
			mapping.kind === 'page' &&
			mapping.syncedForCpu !== null &&
			mapping.dir !== DMA_TO_DEVICE &&
			asked &&
			!sees
		) {
			this.#find(teller, target, mapping, 'INV-OWN', 'missing-sync', {
				details: [
					'The CPU has had it since, and has not given it back:',
					...mapping.syncedForCpu.lines('Synced'),
				],
				advice: (fn) =>
					`dma_sync_*_for_device() of ${hex(addr, 8)} is missing between ${mapping.syncedForCpu?.what}()${driverOf(mapping.syncedForCpu)} and the moment when the device gets the buffer back, at the latest in ${fn}`,
			});
			return false;
		}
		const { ram } = this.watched.machine;
		if (port.snoop || write) return true;
		for (const { first, last, actual } of mapping.parts) {
			const [low, high] = [Math.max(first, addr), Math.min(last, addr + size - 1)];
			if (low > high || !ram.is_ram(actual + (low - first), high - low + 1)) continue;
			const line = ram.firstDirty(actual + (low - first), high - low + 1);
			if (line < 0) continue;
			this.#find(teller, target, mapping, 'INV-OWN', 'missing-sync', {
				details: [
					`The CPU's line at ${hex(line, 8)} is dirty: memory, which the device is going to read, does not have it`,
				],
				advice: (fn) =>
					`dma_sync_*_for_device() of ${hex(low, 8)} is missing after the CPU's last store and before ${fn} starts the device`,
			});
			return false;
		}
		return true;
	}

	#outside(teller: Teller, target: DmaTarget, clients: readonly Client[], part: Part | null): void {
		const { addr, size, write } = target;
		const range = `[${hex(addr, 8)}, ${hex(addr + size, 8)})`;
		if (part === null) {
			if (clients[0].domain === null && this.access.reserved(addr)) return;
			const ended =
				clients.map((client) => client.lastEnded(addr)).find((mapping) => mapping !== null) ?? null;
			const near = clients.map(({ live }) => live.before(addr)).find((p) => p !== null) ?? null;
			this.#find(
				teller,
				target,
				ended,
				'INV-LIVE-MAP',
				ended === null ? 'told-never-mapped' : 'told-unmapped',
				{
					details: [
						ended === null
							? `No mapping of ${clients[0].name} has ${hex(addr, 8)}${near === null ? '' : `; ${near.mapping.text} ends ${addr - near.last - 1} bytes before`}`
							: `${ended.ended?.what ?? 'The unmapping'}() has ended what was there`,
					],
					advice: (fn) =>
						ended === null
							? `${fn} gives the device ${hex(addr, 8)}: no dma_map_*() or dma_alloc_*() has answered that address for it (an offset too much, a physical address, a cut or stale one)`
							: `${fn} gives the device an address whose mapping has ended: map the buffer anew, or unmap it when the device has done with it`,
				},
			);
			return;
		}
		const { mapping } = part;
		if (!mapping.allows(write)) {
			this.#find(teller, target, mapping, 'INV-LIVE-MAP', 'told-direction', {
				details: [`The device is to ${write ? 'write' : 'read'} there`],
				advice: () =>
					`map it ${write ? 'DMA_FROM_DEVICE' : 'DMA_TO_DEVICE'}, or DMA_BIDIRECTIONAL: ${mapping.made.what}()${driverOf(mapping.made)} was called with ${directionText(mapping.dir)}`,
			});
			return;
		}
		this.#find(teller, target, mapping, 'INV-LIVE-MAP', 'told-out-of-bounds', {
			details: [`${range} does not lie in that mapping`],
			advice: (fn) =>
				`${fn} tells the device an address, size or pitch with which it goes ${beyond(mapping, addr, size)} bytes beyond ${mapping.text}: take them from the mapping, and refuse a buffer that is too small (a list's segments follow each other only when their dma_addresses do)`,
		});
	}

	#inUse(mapping: Mapping, fn: string, teller: Teller, { addr, size, write, by }: DmaTarget): void {
		this.watched.find({
			invariant: 'INV-LIVE-MAP',
			kind: 'unmapped-in-use',
			device: mapping.client.name,
			moment: 'return',
			what: `${fn}()`,
			place: `${fn} ${mapping.made.what} ${write}`,
			details: [
				`${teller.name} runs, and ${by} has it ${write ? 'write' : 'read'} [${hex(addr, 8)}, ${hex(addr + size, 8)})`,
				...mapping.lines(),
			],
			advice: `${fn}()${driverOf(mapping.ended)} ends ${mapping.text}, and the device has not done with it: stop the device (or wait until it gives the buffer back) first, then unmap, then free`,
		});
	}

	/** What the device would read at @addr. */
	#peek(port: DmaPort, addr: number, size: number): Uint8Array | null {
		const { ram } = this.watched.machine;
		for (const { live } of this.clientsOf(port)) {
			const part = live.find(addr, addr);
			if (part === null || addr + size - 1 > part.last) continue;
			const phys = part.actual + (addr - part.first);
			if (!ram.is_ram(phys, size)) continue;
			return port.snoop ? ram.peekCpu(phys, size) : ram.peekMemory(phys, size);
		}
		return null;
	}

	#find(
		teller: Teller,
		{ addr, size, write, by }: DmaTarget,
		mapping: Mapping | null,
		invariant: Invariant,
		kind: string,
		{ details, advice }: { details: readonly string[]; advice: (fn: string) => string },
	): void {
		const frames = whoIsAtWork();
		const fn = accessorOf(frames);
		if (fn === null) {
			this.#rogues.add(teller);
			return;
		}
		this.watched.find({
			invariant,
			kind,
			device: teller.name,
			moment: 'return',
			what: fn,
			place: `${fn} ${mapping?.made.what ?? ''} ${write}`,
			details: [
				`${fn}${callersOf(fn, frames)} has ${teller.name} ${write ? 'write' : 'read'} [${hex(addr, 8)}, ${hex(addr + size, 8)}), by ${by}`,
				...details,
				...(mapping?.lines() ?? []),
			],
			advice: advice(`${fn}${callersOf(fn, frames)}`),
		});
	}
}

function tells(model: DeviceModel): model is Teller {
	return model.targets !== undefined;
}

/** `, called by stmmac_xmit()`: who called @fn, out of the same driver. */
function callersOf(fn: string, frames: readonly stack_frame[]): string {
	const at = frames.findIndex(({ func }) => `${func}()` === fn);
	const caller = frames[at + 1];
	return caller?.func == null || caller.file !== frames[at].file ? '' : `, called by ${caller.func}(),`;
}

/** Whether the device comes to @size bytes from @addr on through @mapping, without a gap. */
function holds(mapping: Mapping, addr: number, size: number): boolean {
	return beyond(mapping, addr, size) === 0;
}

/** How many of @size bytes from @addr on @mapping does not have. */
export function beyond({ parts }: Mapping, addr: number, size: number): number {
	let at = addr;
	for (const { first, last } of parts) if (first <= at && at <= last) at = last + 1;
	return Math.max(0, addr + size - at);
}
