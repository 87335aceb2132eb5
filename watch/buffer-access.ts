// SPDX-License-Identifier: GPL-2.0-only
// INV-LIVE-MAP of the DMA API: every access of a device that uses it falls, byte by byte, inside a live mapping that was
// made for that device, in its direction.
//
// Not judged: a device that has never mapped anything; one in a domain that is somebody's own; memory that was reserved
// before the kernel ran; what others have mapped into the domain (iommu_map(), doorbells).

import { pfn_to_page } from '#asm/memory.js';
import { PAGE_SIZE } from '#asm/page-def.js';
import { type DmaPort, NO_PASID } from '#hw/core/dma-port.js';
import { hex } from '#hw/core/register-file.js';
import { TestMaster } from '#hw/misc/test-master.js';
import { pfn_valid } from '#linux/mm.js';
import { PageReserved } from '#linux/page-flags.js';
import type { DomainWatch } from './domain-set.js';
import type { Domains } from './domains.js';
import { type Client, directionText, type Mapping, type Part } from './mappings.js';
import type { Memory } from './memory.js';
import type { Watched } from './watcher.js';

/** An access that is being judged. */
interface Try {
	readonly port: DmaPort;
	readonly addr: number;
	readonly phys: number;
	readonly size: number;
	readonly write: boolean;
}

export class BufferAccess {
	/** The part that was accessed last, and by whom: the next access mostly goes there, too. */
	#last: Part | null = null;
	#lastPort: DmaPort | null = null;

	constructor(
		readonly watched: Watched,
		readonly memory: Memory,
		readonly domains: Domains,
	) {}

	/** @port's access, judged by what @clients, whose port it is, have mapped. */
	judge(access: Try, clients: readonly Client[]): void {
		const { port, addr, size, write, phys } = access;
		const end = addr + size;
		for (let at = addr; at < end; ) {
			const last = this.#last;
			const part =
				last !== null && this.#lastPort === port && covers(last, at) && last.mapping.allows(write)
					? last
					: this.#find(clients, at, write);
			if (part === null) {
				this.#outside(access, at, clients);
				return;
			}
			this.#last = part;
			this.#lastPort = port;
			if (!part.mapping.allows(write)) {
				if (this.#meant(access) && this.judged(access, clients)) this.#wrongDirection(access, part);
				return;
			}
			if (phys >= 0) this.#done(access, part, at, Math.min(end, part.last + 1) - at);
			at = part.last + 1;
		}
	}

	/** The live part at @at, one that allows @write if there is one. */
	#find(clients: readonly Client[], at: number, write: boolean): Part | null {
		let other: Part | null = null;
		for (const { live } of clients) {
			const part = live.find(at, at, ({ mapping }) => mapping.allows(write));
			if (part !== null) return part;
			other ??= live.find(at, at);
		}
		return other;
	}

	/** It is in order: what follows for the part. */
	#done({ port, phys, addr, write }: Try, part: Part, at: number, size: number): void {
		if (write) {
			part.wrote = true;
			part.written(at - part.first, size);
			if (this.watched.machine.injecting) part.raced = true;
			return;
		}
		if (!part.bounced || part.wrote || !part.mapping.streaming || part.mapping.syncedForCpu === null) return;
		// The CPU has had it: what it stored since has to be in the copy.
		const { ram } = this.watched.machine;
		const from = part.phys + (at - part.first);
		if (!ram.is_ram(from, size) || !ram.is_ram(part.actual, part.size)) return;
		const buffer = ram.peekCpu(from, size);
		const slot = ram.peekCpu(part.actual + (at - part.first), size);
		const wrong = buffer.findIndex((byte, i) => byte !== slot[i]);
		if (wrong < 0) return;
		this.watched.find({
			invariant: 'INV-OWN',
			kind: 'missing-sync',
			device: port.name,
			moment: 'access',
			place: `${part.mapping.made.what} ${part.first}`,
			access: { addr, phys, size, write },
			details: [
				`The device reads 0x${slot[wrong].toString(16)} from the bounce slot at ${hex(part.actual, 8)}; the CPU has 0x${buffer[wrong].toString(16)} in the buffer at ${hex(from + wrong, 8)}`,
				...part.mapping.lines(),
			],
			advice: `dma_sync_*_for_device() of ${hex(at + wrong, 8)} is missing after the CPU's store: the device has a copy of the buffer`,
		});
	}

	/** A test's master goes where it is told: who was refused there was to be. */
	#meant({ port, phys }: Try): boolean {
		return phys >= 0 || !this.#isMaster(port);
	}

	#isMaster(port: DmaPort): boolean {
		return this.watched.machine.models.get(port.name) instanceof TestMaster;
	}

	/** Whether the DMA API is what @access goes by. */
	judged({ port }: Pick<Try, 'port'>, clients: readonly Client[]): boolean {
		const group = clients[0].dev.iommu_group;
		if (group !== null && group.domain !== group.default_domain) return false;
		const iommu = this.watched.machine.iommuOf(port);
		return iommu === null || clients[0].domain === null || iommu.state(port.stream, NO_PASID) === 'translate';
	}

	#wrongDirection(access: Try, part: Part): void {
		const { mapping } = part;
		const { port, addr, write } = access;
		const doing = write ? 'writes' : 'reads';
		this.watched.find({
			invariant: 'INV-LIVE-MAP',
			kind: 'wrong-direction',
			device: port.name,
			moment: 'access',
			place: `${mapping.made.what} ${mapping.addr}`,
			access,
			details: mapping.lines(),
			advice: `${port.name} ${doing} ${hex(addr, 8)}, which ${mapping.made.what}() mapped ${directionText(mapping.dir)}: the driver should map it ${write ? 'DMA_FROM_DEVICE' : 'DMA_TO_DEVICE'}, or DMA_BIDIRECTIONAL`,
		});
	}

	/** No live mapping has @at. */
	#outside(access: Try, at: number, clients: readonly Client[]): void {
		if (!this.#meant(access) || !this.judged(access, clients)) return;
		const { port, phys } = access;
		const near = nearest(clients, at);
		const ended = lastEnded(clients, at);
		const domain = clients[0].domain === null ? null : this.domains.ofPort(port);
		if (domain !== null && phys >= 0 && this.#othersAffair(access, domain, at, near, ended)) return;
		if (near === null && ended === null && (this.#isMaster(port) || this.reserved(phys))) return;
		if (near !== null && ended === null) this.#outOfBounds(access, at, near);
		else if (ended !== null) this.#afterUnmap(access, at, ended);
		else this.#neverMapped(access, at, clients);
	}

	/** Whether another rule tells of it, or it is no wish of the DMA API's. */
	#othersAffair(
		access: Try,
		domain: DomainWatch,
		at: number,
		near: Part | null,
		ended: Mapping | null,
	): boolean {
		if (domain.mappings.find(at) !== null) return near === null && ended === null;
		if (domain.isOwed(at) && ended !== null) this.#window(access, at, ended);
		return true;
	}

	/** Whether nobody can have allocated what is at @phys. */
	reserved(phys: number): boolean {
		if (phys < 0) return false;
		const pfn = Math.floor(phys / PAGE_SIZE);
		return !pfn_valid(pfn) || PageReserved(pfn_to_page(pfn));
	}

	#outOfBounds(access: Try, at: number, { mapping, first, last, phys: begin }: Part): void {
		const { port, write } = access;
		const behind = at > last;
		const bytes = behind ? at - last : first - at;
		const phys = behind ? begin + (at - first) : begin - bytes;
		const hit = this.memory.at(phys);
		this.watched.find({
			invariant: 'INV-LIVE-MAP',
			kind: 'out-of-bounds',
			device: port.name,
			moment: 'access',
			place: `${mapping.made.what} ${mapping.addr}`,
			access,
			details: [
				`${hex(at, 8)} is ${bytes} byte${bytes === 1 ? '' : 's'} ${behind ? 'behind the last' : 'before the first'} of [${hex(first, 8)}, ${hex(last, 8)}]`,
				...mapping.lines(),
				...(hit === null ? [] : ['What is there:', ...this.memory.lines(hit)]),
			],
			advice: `the driver told ${port.name} ${behind ? 'a larger size' : 'another address'} than it mapped: ${mapping.text}, and the device ${write ? 'writes' : 'reads'} ${hex(at, 8)}`,
		});
	}

	#afterUnmap(access: Try, at: number, ended: Mapping): void {
		const { port, write } = access;
		const part = ended.parts.find(({ first, last }) => first <= at && at <= last) as Part;
		const owner = this.memory.at(part.phys + (at - part.first));
		const freed = owner !== null && (owner.freed !== null || owner.made.number > (ended.ended?.number ?? 0));
		const by = ended.ended?.what ?? 'the unmapping';
		this.watched.find({
			invariant: 'INV-LIVE-MAP',
			kind: freed ? 'use-after-free' : 'use-after-unmap',
			device: port.name,
			moment: 'access',
			place: `${ended.made.what} ${ended.addr}`,
			access,
			details: [...ended.lines(), ...(owner === null ? [] : this.memory.lines(owner))],
			advice: `${port.name} still ${write ? 'writes' : 'reads'} ${hex(at, 8)} after ${by}(): the driver has to stop the device, and wait until it has, before it unmaps the buffer`,
		});
	}

	#neverMapped(access: Try, at: number, clients: readonly Client[]): void {
		const { port } = access;
		const around = clients.flatMap(({ live }) => [live.before(at), live.behind(at)]);
		// A constant offset, or lost upper bits, show when the buffer's other addresses are looked at.
		const cut = clients
			.flatMap(({ live }) => [...live.all()])
			.find(
				({ first, last, phys, size }) =>
					(at >= first % 2 ** 32 && at <= last % 2 ** 32) || (at >= phys && at < phys + size),
			);
		const hint =
			cut === undefined
				? 'the driver programmed an address that dma_map_*() or dma_alloc_*() did not give it'
				: at >= cut.phys && at < cut.phys + cut.size
					? `the driver programmed the buffer's physical address: ${cut.mapping.made.what}() answered ${hex(cut.mapping.addr, 8)}`
					: `the driver cut ${hex(cut.mapping.addr)}, which ${cut.mapping.made.what}() answered, down to 32 bits`;
		this.watched.find({
			invariant: 'INV-LIVE-MAP',
			kind: 'never-mapped',
			device: port.name,
			moment: 'access',
			place: `${Math.floor(at / PAGE_SIZE)}`,
			access,
			details: around.flatMap((part) =>
				part === null
					? []
					: [
							`${Math.abs(at - (at < part.first ? part.first : part.last))} bytes ${at < part.first ? 'before' : 'behind'} ${part.mapping.text}`,
						],
			),
			advice: `${hint}: ${port.name} has no mapping at ${hex(at, 8)}`,
		});
	}

	/** Between an unmap and the flush that it is owed: Linux allows that in lazy mode. */
	#window(access: Try, at: number, ended: Mapping): void {
		const since = ended.ended === null ? 0 : this.watched.machine.now() - ended.ended.time;
		this.watched.find({
			invariant: 'EXP-WINDOW',
			kind: 'lazy-window',
			device: access.port.name,
			moment: 'access',
			place: `${ended.made.what} ${ended.addr}`,
			access,
			get details() {
				return [`Unmapped ${since} ns before, and not yet flushed`, ...ended.lines()];
			},
			advice: `${access.port.name} goes on at ${hex(at, 8)} after ${ended.ended?.what ?? 'the unmapping'}(), and the flush queue has not been flushed: iommu.strict=1 would have refused it`,
		});
	}
}

function covers({ mapping, first, last }: Part, at: number): boolean {
	return mapping.ended === null && first <= at && at <= last;
}

/** The live part that shares a page with @at, or ends right before it or begins right behind. */
function nearest(clients: readonly Client[], at: number): Part | null {
	const page = at - (at % PAGE_SIZE);
	for (const { live } of clients) {
		const part = live.find(page - 1, page + PAGE_SIZE);
		if (part !== null) return part;
	}
	return null;
}

function lastEnded(clients: readonly Client[], at: number): Mapping | null {
	for (const client of clients) {
		const ended = client.lastEnded(at);
		if (ended !== null) return ended;
	}
	return null;
}
