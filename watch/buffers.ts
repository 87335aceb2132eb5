// SPDX-License-Identifier: GPL-2.0-only
// The DMA API's buffers: who has what mapped, from its tracepoints (buffer-calls.ts). The rules are in buffer-access.ts
// (what devices access), buffer-targets.ts (what they have been told to access), buffer-views.ts (what CPU and device see as its functions return), buffer-pairs.ts (what fits
// what) and buffer-places.ts (what lies where).

import { PAGE_SIZE } from '#asm/page-def.js';
import { bus_for_each_dev, bus_register_notifier, bus_unregister_notifier } from '#drivers/base/bus.js';
import { platform_bus_type } from '#drivers/base/platform.js';
import { type DmaPort, NO_PASID } from '#hw/core/dma-port.js';
import type { CacheEntry } from '#hw/iommu/cache.js';
import type { FaultRecord, Iommu } from '#hw/iommu/iommu.js';
import { sg_next } from '#lib/scatterlist.js';
import { BUS_NOTIFY_UNBOUND_DRIVER, dev_name, type device } from '#linux/device.js';
import { dma_to_phys } from '#linux/dma-direct.js';
import { DMA_TO_DEVICE } from '#linux/dma-direction.js';
import { DMA_ATTR_SKIP_CPU_SYNC, DMA_MAPPING_ERROR } from '#linux/dma-mapping.js';
import { virt_to_phys } from '#linux/mm.js';
import { notifier_block } from '#linux/notifier.js';
import { type scatterlist, sg_phys, type sg_table } from '#linux/scatterlist.js';
import { BufferAccess } from './buffer-access.js';
import { type BufferCalls, bufferProbes, sgBytes } from './buffer-calls.js';
import { BufferPairs, type Ending, type Sync } from './buffer-pairs.js';
import { BufferPlaces } from './buffer-places.js';
import { BufferTargets } from './buffer-targets.js';
import { BufferViews } from './buffer-views.js';
import type { Domains } from './domains.js';
import { Exposures } from './exposure.js';
import { Iovas } from './iovas.js';
import { attachProbes } from './kernel.js';
import { Client, type Kind, Mapping, Part } from './mappings.js';
import type { Allocation, Memory } from './memory.js';
import { Slots } from './slots.js';
import { UserPages } from './user-pages.js';
import { VideoBuffers } from './video-buffers.js';
import type { Watched, Watcher } from './watcher.js';

export class Buffers implements Watcher, BufferCalls {
	readonly #clients = new Map<device, Client>();
	/** The same, as a list. */
	readonly #all: Client[] = [];
	readonly #byPort = new Map<DmaPort, Client[]>();
	readonly #access: BufferAccess;
	readonly #views: BufferViews;
	readonly #pairs: BufferPairs;
	/** A mapping is being made, and one that has ended waits until it is there. */
	#making = false;
	#left: Mapping | null = null;
	/** The IOMMUs' own devices, which map tables in the midst of what others do. */
	readonly #walkers = new Set<string>();
	readonly #places: BufferPlaces;
	readonly #targets: BufferTargets;
	readonly #videos: VideoBuffers;
	readonly #shown: UserPages;
	readonly #iovas: Iovas;
	readonly #slots: Slots;
	readonly #exposures: Exposures;
	/** Somebody has watched since the boot: every mapping is known. */
	#complete = false;
	/** The process that the access is of which is being done. */
	#pasid = NO_PASID;
	/**
	 * What is to be looked at when a function has returned whose tracepoint comes before its work: at whatever the kernel
	 * or a device does next.
	 */
	#pending: (() => void) | null = null;
	/** Which mapping that is about. */
	#leaving: Mapping | null = null;
	#notifier: notifier_block | null = null;

	constructor(
		readonly watched: Watched,
		memory: Memory,
		domains: Domains,
	) {
		this.#access = new BufferAccess(watched, memory, domains);
		this.#views = new BufferViews(watched, domains);
		this.#targets = new BufferTargets(watched, this.#access, (port) => this.#clientsOf(port));
		this.#videos = new VideoBuffers(watched, this.#targets, (dev) => this.#clients.get(dev) ?? null);
		this.#pairs = new BufferPairs(watched);
		this.#places = new BufferPlaces(watched, memory);
		this.#shown = new UserPages(watched, (first, last, wanted) => this.#places.at(first, last, wanted));
		this.#iovas = new Iovas(watched);
		this.#slots = new Slots(watched, memory);
		this.#exposures = new Exposures(watched, memory, this.#places);
		for (const { name } of watched.machine.iommus) this.#walkers.add(name);
		memory.onFree.push((allocation) => {
			if (this.#leaving !== null && this.#leaving.kind === 'sg' && hasMemory(this.#leaving, allocation))
				this.#settle();
			this.#places.freed(allocation);
		});
	}

	watchKernel(): () => void {
		this.#clients.clear();
		this.#all.length = 0;
		this.#byPort.clear();
		this.#places.clear();
		this.#exposures.clear();
		this.#slots.clear();
		this.#pending = null;
		this.#left = null;
		this.#notifier = null;
		this.#complete = true;
		bus_for_each_dev(platform_bus_type, null, null, () => {
			this.#complete = false;
			return 1;
		});
		const ends = [attachProbes(bufferProbes(this)), this.#videos.watchKernel()];
		return () => {
			for (const end of ends) end();
			if (this.#notifier !== null) bus_unregister_notifier(platform_bus_type, this.#notifier);
		};
	}

	/** The devices that use the DMA API. */
	get clients(): readonly Client[] {
		return this.#all;
	}

	/** What the driver of the device called @name lets it see, as lines for a person. */
	exposureReport(name: string): string[] {
		const client = this.#all.find((c) => c.name === name);
		return client === undefined ? [`${name} has mapped nothing`] : this.#exposures.report(client);
	}

	// --- the machine tells

	answered(
		_iommu: Iommu,
		_stream: number,
		pasid: number,
		_iova: number,
		_access: number,
		_phys: number,
		_entry: CacheEntry | null,
	): void {
		this.#pasid = pasid;
	}

	faulted(_iommu: Iommu, { pasid }: FaultRecord): void {
		this.#pasid = pasid;
	}

	access(port: DmaPort, addr: number, phys: number, size: number, write: boolean): void {
		const pasid = this.#pasid;
		this.#pasid = NO_PASID;
		if (this.#clients.size === 0 || pasid !== NO_PASID) return;
		const clients = this.#clientsOf(port);
		if (clients.length !== 0) this.#access.judge({ port, addr, phys, size, write }, clients);
	}

	onUserMap(
		_area: number,
		_addr: number,
		phys: number,
		size: number,
		_cached: boolean,
		_what: string,
		offset: number,
	): void {
		if (this.#complete && this.#all.length !== 0) this.#shown.shown(phys, size, offset);
	}

	/** The CPU's stores to the line at @phys are about to be lost. */
	onDirtyDropped(phys: number): void {
		this.#places.dropped(phys);
	}

	detached(): void {
		this.#targets.detached();
	}

	quiet(operation: string): void {
		this.#settle();
		if (!this.#complete) return;
		this.#iovas.quiet(operation, this.#all);
		this.#slots.quiet(operation, this.#all);
	}

	// --- the DMA API tells

	bounced(dev: device, addr: number): void {
		this.#slots.bounced(dev.dma_iommu ? addr : (dma_to_phys(dev, addr) as number));
	}

	mapped(
		kind: Kind,
		fn: string,
		dev: device,
		addr: number,
		size: number,
		dir: number,
		attrs: number,
		phys: number,
	): void {
		const client = this.#client(dev, true);
		if (client === null) return;
		if (addr === DMA_MAPPING_ERROR) {
			this.#failed(client, fn);
			return;
		}
		const mapping = this.#mapping(client, kind, fn, addr, size, dir, attrs, null, 0);
		this.#part(mapping, addr, size, phys);
		this.#made(mapping);
	}

	mappedSg(dev: device, sgl: scatterlist, nents: number, ents: number, dir: number, attrs: number): void {
		const client = this.#client(dev, true);
		if (client === null) return;
		const bytes = sgBytes(sgl, nents);
		const mapping = this.#mapping(
			client,
			'sg',
			'dma_map_sg',
			sgl.dma_address,
			bytes,
			dir,
			attrs,
			null,
			nents,
		);
		let segment: scatterlist | null = sgl;
		let used = 0;
		let segments = 0;
		let sg: scatterlist | null = sgl;
		for (let i = 0; i < nents && sg !== null; i++, sg = sg_next(sg)) {
			if (segment !== null && used >= segment.dma_length && used !== 0) {
				segment = ++segments < ents ? sg_next(segment) : null;
				used = 0;
			}
			if (segment === null || used + sg.length > segment.dma_length) {
				this.#views.segments(mapping, i, segment?.dma_length ?? 0, used + sg.length);
				break;
			}
			this.#part(mapping, segment.dma_address + used, sg.length, sg_phys(sg) as number);
			used += sg.length;
		}
		this.#views.limits(mapping, sgl, nents, ents);
		this.#made(mapping);
	}

	allocated(
		kind: Kind,
		fn: string,
		dev: device,
		cpu: Uint8Array | null,
		addr: number,
		size: number,
		dir: number,
		attrs: number,
	): void {
		const client = this.#client(dev, true);
		if (client === null || addr === DMA_MAPPING_ERROR) return;
		if (cpu === null) {
			this.#failed(client, fn);
			return;
		}
		const mapping = this.#mapping(
			client,
			kind,
			fn,
			addr,
			size,
			dir,
			attrs,
			kind === 'coherent' ? cpu : null,
			0,
		);
		// Without a view of the CPU's the answer is a cookie.
		if (!ArrayBuffer.isView(cpu)) this.#part(mapping, addr, size, dma_to_phys(dev, addr) as number);
		else if (kind === 'pages') this.#part(mapping, addr, size, physOf(cpu, 0));
		else
			for (let done = 0; done < size; ) {
				const phys = physOf(cpu, done);
				let n = Math.min(size - done, PAGE_SIZE);
				while (done + n < size && physOf(cpu, done + n) === phys + n)
					n = Math.min(size - done, n + PAGE_SIZE);
				this.#part(mapping, addr + done, n, phys);
				done += n;
			}
		this.#made(mapping);
		this.#views.allocated(mapping, ArrayBuffer.isView(cpu) ? cpu : null);
	}

	allocatedSgt(dev: device, sgt: sg_table, size: number, dir: number, attrs: number): void {
		const client = this.#client(dev, true);
		if (client === null) return;
		const sgl = sgt.sgl as scatterlist;
		const addr = sgl.dma_address;
		const mapping = this.#mapping(
			client,
			'noncontiguous',
			'dma_alloc_noncontiguous',
			addr,
			size,
			dir,
			attrs,
			null,
			0,
		);
		let done = 0;
		for (let sg: scatterlist | null = sgl; sg !== null && done < size; sg = sg_next(sg)) {
			const n = Math.min(sg.length, size - done);
			this.#part(mapping, addr + done, n, sg_phys(sg) as number);
			done += n;
		}
		this.#made(mapping);
	}

	/** @fn of @client has failed: it has no effect. */
	#failed(client: Client, fn: string): void {
		if (this.#complete) this.#iovas.failed(client, this.#all, fn);
		if (this.#left !== null) this.#givenBack(this.#left);
		this.#left = null;
	}

	#mapping(
		client: Client,
		kind: Kind,
		fn: string,
		addr: number,
		size: number,
		dir: number,
		attrs: number,
		handle: object | null,
		nents: number,
	): Mapping {
		const made = this.watched.journal.sample(fn, client.name);
		return new Mapping(client, kind, addr, size, dir, attrs, made, handle, nents);
	}

	#part(mapping: Mapping, addr: number, size: number, phys: number): void {
		if (size > 0) mapping.parts.push(new Part(mapping, addr, addr + size - 1, phys));
	}

	#made(mapping: Mapping): void {
		this.#views.mapped(mapping);
		this.#places.mapped(mapping, this.#all);
		for (const part of mapping.parts) mapping.client.live.add(part);
		this.#exposures.mapped(mapping);
		if (this.#left === null) return;
		this.#givenBack(this.#left);
		this.#left = null;
	}

	ends(dev: device, ending: Ending, attrs: number, after: boolean): void {
		const client = this.#client(dev);
		if (client === null) return;
		const mapping = client.at(ending.addr, ending.kind, ending.size, ending.dir);
		if (mapping === null) {
			if (this.#complete && ending.size !== 0) this.#pairs.unknown(client, ending);
			return;
		}
		const event = this.watched.journal.sample(ending.fn, client.name);
		mapping.ended = event;
		this.#pairs.ends(mapping, ending);
		this.#targets.ends(mapping, ending.fn);
		this.#places.ended(mapping);
		if ((attrs & DMA_ATTR_SKIP_CPU_SYNC) !== 0) this.#places.skipped(mapping, ending.fn);
		client.end(mapping, event);
		const synced =
			(mapping.kind === 'page' || mapping.kind === 'sg') &&
			mapping.routed &&
			(attrs & DMA_ATTR_SKIP_CPU_SYNC) === 0;
		if (after) {
			if (synced)
				for (const part of mapping.parts)
					this.#views.syncedForCpu({ part, from: 0, size: part.size }, ending.fn);
			this.#gone(mapping);
			return;
		}
		const copies = synced ? this.#views.beforeUnmap(mapping) : null;
		this.#leaving = mapping;
		this.#pending = () => {
			if (synced) this.#views.afterUnmap(mapping, copies, ending.fn);
			this.#gone(mapping);
		};
	}

	/** The function that ended @mapping has returned. */
	#gone(mapping: Mapping): void {
		this.#views.unmapped(mapping);
		this.#exposures.ended(mapping);
		// A mapping that is being made may have its addresses and slots by now: it is looked at behind that.
		if (this.#making) this.#left = mapping;
		else this.#givenBack(mapping);
	}

	/** What @mapping had taken is free, or another's. */
	#givenBack(mapping: Mapping): void {
		this.#iovas.freed(mapping, ({ first, last }) =>
			this.#all.some((client) => client.domain === mapping.domain && client.live.find(first, last) !== null),
		);
		this.#slots.freed(mapping, this.#all);
	}

	/** A function that was traced before it did its work has returned; @making: a new mapping has been made since. */
	#settle(making = false): void {
		const look = this.#pending;
		if (look === null) return;
		this.#pending = null;
		this.#leaving = null;
		this.#making = making;
		look();
		this.#making = false;
	}

	syncs(dev: device, sync: Sync): void {
		const client = this.#client(dev);
		if (client === null) return;
		const part = client.live.find(sync.addr, sync.addr);
		if (!this.#complete && part === null) return;
		if (!this.#pairs.syncs(client, part, sync) || part === null) return;
		this.#synced(part, sync.addr - part.first, Math.min(sync.size, part.last + 1 - sync.addr), sync);
	}

	syncsSg(dev: device, sgl: scatterlist, nents: number, sync: Sync): void {
		const client = this.#client(dev);
		if (client === null) return;
		const mapping = client.at(sync.addr, 'sg', sgBytes(sgl, nents), sync.dir);
		if (mapping === null) {
			if (this.#complete) this.#pairs.syncs(client, null, sync);
			return;
		}
		if (!this.#pairs.syncs(client, mapping.parts[0], sync)) return;
		this.#pairs.syncsSg(mapping, nents, sync.fn);
		let sg: scatterlist | null = sgl;
		for (let i = 0; i < nents && i < mapping.parts.length && sg !== null; i++, sg = sg_next(sg))
			this.#synced(mapping.parts[i], 0, mapping.parts[i].size, sync);
	}

	#synced(part: Part, from: number, size: number, { fn, forCpu }: Sync): void {
		const { mapping } = part;
		if (!mapping.streaming || !mapping.routed) return;
		if (forCpu) {
			this.#views.syncedForCpu({ part, from, size }, fn);
			mapping.syncedForCpu = this.watched.journal.sample(fn, mapping.client.name);
			part.wrote = false;
			part.seen(from, size);
			return;
		}
		this.#places.givenBack(part, from, size, fn);
		if (mapping.dir !== DMA_TO_DEVICE || part.bounced || !mapping.client.dev.dma_coherent)
			this.#views.syncedForDevice({ part, from, size }, fn);
	}

	/** Who maps; null: its back end is no affair of the DMA API's. What was told of before has returned by now. */
	#client(dev: device, making = false): Client | null {
		if (dev.dma_ops !== null) return null;
		if (this.#pending !== null && !this.watched.machine.injecting && !this.#walkers.has(dev_name(dev)))
			this.#settle(making);
		let client = this.#clients.get(dev);
		if (client !== undefined) return client;
		client = new Client(dev, this.watched.machine);
		this.#clients.set(dev, client);
		this.#all.push(client);
		this.#byPort.clear();
		this.#listen();
		return client;
	}

	#clientsOf(port: DmaPort): Client[] {
		let clients = this.#byPort.get(port);
		if (clients === undefined) {
			clients = this.#all.filter(({ ports }) => ports.includes(port));
			this.#byPort.set(port, clients);
		}
		return clients;
	}

	/** Hear of drivers that go. */
	#listen(): void {
		if (this.#notifier !== null) return;
		const nb = new notifier_block();
		nb.notifier_call = (_nb, action, data) => {
			const client = action === BUS_NOTIFY_UNBOUND_DRIVER ? this.#clients.get(data as device) : undefined;
			if (client !== undefined) {
				this.#settle();
				this.#places.unbound(client);
			}
			return 0;
		};
		if (bus_register_notifier(platform_bus_type, nb) === 0) this.#notifier = nb;
	}
}

/** Where the byte @at of @view is. */
function physOf(view: Uint8Array, at: number): number {
	return virt_to_phys(view.subarray(at)) as number;
}

/** Whether @mapping has a byte of @allocation. */
function hasMemory({ parts }: Mapping, { phys, size }: Allocation): boolean {
	return parts.some((part) => part.phys < phys + size && part.phys + part.size > phys);
}
