// SPDX-License-Identifier: GPL-2.0-only
// The domains that the kernel has, each with what it means to have mapped, and who is attached to which.

import type { DmaPort } from '#hw/core/dma-port.js';
import { type Iommu, NO_PASID, type StreamState } from '#hw/iommu/iommu.js';
import { dev_name, type device } from '#linux/device.js';
import {
	__IOMMU_DOMAIN_PAGING,
	IOMMU_DOMAIN_BLOCKED,
	IOMMU_DOMAIN_IDENTITY,
	type iommu_domain,
	type iommu_group,
	type iommu_iotlb_gather,
} from '#linux/iommu.js';
import type { Change, Mapping, Owed, Span, Stream } from './agreement.js';
import { takeAt } from './lists.js';
import { Ranges } from './ranges.js';
import type { Watched } from './watcher.js';

/** Mapped, and not yet told to the hardware: what several calls map in one piece. */
export interface Fresh extends Owed {
	last: number;
	/** The last piece of it. */
	mapping: Mapping;
}

/** Unmapped in one piece, by several calls. */
export interface Unmapped extends Owed {
	last: number;
	/** What tells of its invalidation. */
	readonly gather: iommu_iotlb_gather;
	/** The tables have been looked at. */
	compared: boolean;
	/** Its addresses were taken of dma-iommu's space as it was unmapped. */
	readonly taken: boolean;
}

/** Streams behind one IOMMU. */
interface Masters {
	readonly iommu: Iommu;
	readonly streams: readonly number[];
}

/** One domain. */
export class DomainWatch {
	readonly mappings = new Ranges<Mapping>();
	/** The last that ended, oldest first. */
	readonly ended: { readonly first: number; readonly last: number; readonly value: Mapping }[] = [];
	readonly devices: device[] = [];
	/** Their streams behind its IOMMU; null: to be looked up. */
	streams: readonly Stream[] | null = null;
	/** The same, by IOMMU. */
	masters: readonly Masters[] | null = null;
	/** Unmapped, and not yet flushed: until the next iotlb_sync(), or (lazy) until the next flush of all. */
	readonly owed: Unmapped[] = [];
	readonly lazy: Unmapped[] = [];
	readonly fresh: Fresh[] = [];
	/** What the driver is changing at this moment; the last began last: on another CPU, in the middle of the others. */
	readonly changing: Change[] = [];
	/** A mapping has failed, and is yet to be undone: what of it, and of others in progress, is there. */
	undoing: readonly Span[] | null = null;
	/** It is just being freed. */
	freeing = false;
	/** Its root table, as the hardware had it when it was attached; -1: it never was. */
	root = -1;
	/** Who has, or has had, its tables. */
	readonly iommus = new Set<Iommu>();
	/** It had a life before anybody watched: what is mapped in it is known in part. */
	partial = false;

	constructor(readonly domain: iommu_domain) {}

	/** Whether the hardware may still let through what the kernel is about to take away, or to give. */
	isOwed(addr: number): boolean {
		return within(this.owed, addr) || within(this.lazy, addr) || within(this.changing, addr);
	}

	/** Whether an operation on a part of [@first, @last] is under way, or waits to be made known to the hardware. */
	isChanging(first: number, last: number): boolean {
		return (
			touches(this.owed, first, last) ||
			touches(this.lazy, first, last) ||
			touches(this.changing, first, last) ||
			touches(this.fresh, first, last)
		);
	}

	/** The last mapping that ended there. */
	lastEnded(addr: number): Mapping | null {
		for (let i = this.ended.length - 1; i >= 0; i--) {
			const { first, last, value } = this.ended[i];
			if (first <= addr && addr <= last) return value;
		}
		return null;
	}
}

/** All of them. */
export class DomainSet {
	readonly #watches = new Map<iommu_domain, DomainWatch>();
	readonly #of = new Map<device, DomainWatch>();
	/** The domains of streams, once somebody has asked. */
	readonly #byPort = new Map<DmaPort, DomainWatch | null>();

	constructor(readonly watched: Watched) {}

	get size(): number {
		return this.#watches.size;
	}

	all(): Iterable<DomainWatch> {
		return this.#watches.values();
	}

	/** What is known of @domain; undefined: nothing. */
	known(domain: iommu_domain): DomainWatch | undefined {
		return this.#watches.get(domain);
	}

	/** What is known of @domain, from now on if it is new. */
	watch(domain: iommu_domain): DomainWatch {
		let watch = this.#watches.get(domain);
		if (watch === undefined) {
			watch = new DomainWatch(domain);
			this.#watches.set(domain, watch);
		}
		return watch;
	}

	/** @domain is another one than what was at its place before. */
	renew(domain: iommu_domain): void {
		this.#watches.delete(domain);
	}

	/** @domain is none any more. */
	delete(domain: iommu_domain): void {
		const watch = this.#watches.get(domain);
		if (watch === undefined) return;
		this.#watches.delete(domain);
		for (const dev of watch.devices) this.#of.delete(dev);
		this.#byPort.clear();
	}

	/** The domain that @port's stream is in, as far as the kernel knows; null: not watched. */
	ofPort(port: DmaPort): DomainWatch | null {
		let watch = this.#byPort.get(port);
		if (watch === undefined) {
			watch = null;
			for (const each of this.#watches.values())
				if (each.devices.length !== 0 && this.streams(each).some((stream) => stream.port === port))
					watch = each;
			this.#byPort.set(port, watch);
		}
		return watch;
	}

	/** The domain that @dev is attached to, as far as the kernel has told. */
	ofDevice(dev: device): DomainWatch | null {
		return this.#of.get(dev) ?? null;
	}

	/** Whether something was unmapped there, in any domain, that is yet to be flushed. */
	isOwed(addr: number): boolean {
		for (const watch of this.#watches.values()) if (watch.isOwed(addr)) return true;
		return false;
	}

	/** Whether all that are attached of @group are attached to @watch. */
	isWhole(group: iommu_group, watch: DomainWatch): boolean {
		return [...this.#of].every(([dev, other]) => dev.iommu_group !== group || other === watch);
	}

	join(watch: DomainWatch, dev: device): void {
		this.#of.set(dev, watch);
		if (!watch.devices.includes(dev)) watch.devices.push(dev);
		watch.streams = null;
		watch.masters = null;
		this.#byPort.clear();
	}

	leave(dev: device): void {
		const watch = this.#of.get(dev);
		if (watch === undefined) return;
		if (watch.devices.includes(dev)) takeAt(watch.devices, watch.devices.indexOf(dev));
		watch.streams = null;
		watch.masters = null;
		this.#byPort.clear();
	}

	/** @dev is no longer behind an IOMMU. */
	remove(dev: device): void {
		this.leave(dev);
		this.#of.delete(dev);
	}

	/** Whose it is, in a report. */
	name(watch: DomainWatch): string {
		return watch.devices.length === 0 ? 'a domain that is attached nowhere' : dev_name(watch.devices[0]);
	}

	/** The streams that are in @watch's domain. */
	streams(watch: DomainWatch): readonly Stream[] {
		watch.streams ??= watch.devices.flatMap((dev) => this.streamsOf(dev));
		return watch.streams;
	}

	/** Those of them that translate. */
	translating(watch: DomainWatch): readonly Stream[] {
		const streams = this.streams(watch);
		for (const { iommu, port } of streams)
			if (iommu.state(port.stream, NO_PASID) !== 'translate')
				return streams.filter((s) => s.iommu.state(s.port.stream, NO_PASID) === 'translate');
		return streams;
	}

	/** The streams of @dev behind the IOMMU that the kernel has it behind: a tree may name several. */
	streamsOf(dev: device): Stream[] {
		const parent = dev.iommu?.iommu_dev?.dev?.parent ?? null;
		if (parent === null) return [];
		const { machine } = this.watched;
		const streams: Stream[] = [];
		for (const port of machine.ports) {
			if (port.name !== dev_name(dev)) continue;
			const iommu = machine.iommuOf(port);
			if (iommu !== null && iommu.name === dev_name(parent)) streams.push({ port, iommu });
		}
		return streams;
	}

	/** Whether the tables in memory have @iova for @watch's streams. */
	isMapped(watch: DomainWatch, iova: number): boolean {
		return this.translating(watch).some(
			({ iommu, port }) => iommu.leaf(port.stream, NO_PASID, iova).phys >= 0,
		);
	}

	/** Somebody who is at work may have @iova walked for now. */
	speculate(watch: DomainWatch, iova: number): void {
		const { devices } = watch;
		for (let i = 0; i < devices.length; i++) if (isIdle(devices[i])) return;
		watch.masters ??= mastersOf(this.streams(watch));
		for (let i = 0; i < watch.masters.length; i++) {
			const { iommu, streams } = watch.masters[i];
			iommu.speculate?.(streams, NO_PASID, iova);
		}
	}
}

/** @streams by their IOMMUs. */
function mastersOf(streams: readonly Stream[]): Masters[] {
	return [...new Set(streams.map(({ iommu }) => iommu))].map((iommu) => ({
		iommu,
		streams: streams.filter((stream) => stream.iommu === iommu).map(({ port }) => port.stream),
	}));
}

/** Whether one of @spans has a part of [@first, @last]. */
function touches(spans: readonly Span[], first: number, last: number): boolean {
	for (let i = 0; i < spans.length; i++) if (spans[i].first <= last && spans[i].last >= first) return true;
	return false;
}

/** Whether @addr is in one of @spans. */
export function within(spans: readonly Span[], addr: number): boolean {
	return touches(spans, addr, addr);
}

/** Whether nobody uses the IOMMU of @dev, by runtime PM: no master is at work that it could walk for. */
export function isIdle(dev: device): boolean {
	const power = dev.iommu?.iommu_dev?.dev?.parent?.power;
	return power !== undefined && power.disable_depth === 0 && power.usage_count.counter === 0;
}

/** What @domain asks the hardware for. */
export function stateOf(domain: iommu_domain): StreamState {
	if (domain.type === IOMMU_DOMAIN_BLOCKED) return 'block';
	if (domain.type === IOMMU_DOMAIN_IDENTITY) return 'bypass';
	return domain.type & __IOMMU_DOMAIN_PAGING ? 'translate' : 'block';
}
