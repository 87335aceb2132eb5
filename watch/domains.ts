// SPDX-License-Identifier: GPL-2.0-only
// What the kernel means to have mapped, domain by domain, and who is attached to which: kept by what the core asks of the
// IOMMU's driver. As each of its functions returns, what came of it is checked: by contract.ts (results), by agreement.ts
// (the hardware). Here:
//
//   INV-LIVE-MAP   a device was let through where nothing is mapped for it
//   INV-PERM       or not with that right
//   INV-IOVA       an address is mapped again before its last mapping was flushed
//   INV-TABLE-LIVE a domain is freed that a stream, or a cache, still has
//   INV-PWR        an attach has moved another stream, or put this one on another domain's tables
//   INV-ERR        an attach that failed has moved a stream

import type { DmaPort } from '#hw/core/dma-port.js';
import { hex } from '#hw/core/register-file.js';
import type { CacheEntry } from '#hw/iommu/cache.js';
import { accessText, type Iommu, NO_PASID, READ, type StreamState, WRITE } from '#hw/iommu/iommu.js';
import { dev_name, type device } from '#linux/device.js';
import { type err_ptr, IS_ERR } from '#linux/err.js';
import {
	__IOMMU_DOMAIN_PAGING,
	IOMMU_DOMAIN_BLOCKED,
	IOMMU_DOMAIN_IDENTITY,
	type iommu_device,
	type iommu_domain,
	type iommu_group,
	type iommu_iotlb_gather,
	iommu_iotlb_gather_queued,
} from '#linux/iommu.js';
import { RPM_ACTIVE } from '#linux/pm.js';
import {
	Agreement,
	type Change,
	isPowered,
	type Mapping,
	type Owed,
	type Span,
	type Stream,
} from './agreement.js';
import { Contract } from './contract.js';
import type { DriverLog } from './driver-log.js';
import {
	driverOf,
	type IommuCalls,
	type Listener,
	listenToDomainOps,
	type MapCall,
	type UnmapCall,
} from './iommu-ops.js';
import type { JournalEvent } from './journal.js';
import { watchDomains } from './kernel.js';
import { Ranges } from './ranges.js';
import type { Tables } from './tables.js';
import type { Watched, Watcher } from './watcher.js';

/** How many mappings are remembered that have ended, by domain. */
const REMEMBERED = 1024;
/** How many pages of an unmapping a walk ahead of it may have met: spread over the range, its ends among them. */
const AHEAD = 8;

/** Mapped, and not yet told to the hardware: what several calls map in one piece. */
interface Fresh extends Owed {
	last: number;
	/** The last piece of it. */
	mapping: Mapping;
}

/** Unmapped in one piece, by several calls. */
interface Unmapped extends Owed {
	last: number;
	/** What tells of its invalidation. */
	readonly gather: iommu_iotlb_gather;
	/** The tables have been looked at. */
	compared: boolean;
}

export class DomainWatch {
	readonly mappings = new Ranges<Mapping>();
	/** The last that ended, oldest first. */
	readonly ended: { readonly first: number; readonly last: number; readonly value: Mapping }[] = [];
	readonly devices = new Set<device>();
	/** Their streams behind its IOMMU; null: to be looked up. */
	streams: readonly Stream[] | null = null;
	/** Unmapped, and not yet flushed: until the next iotlb_sync(), or (lazy) until the next flush of all. */
	readonly owed: Unmapped[] = [];
	readonly lazy: Unmapped[] = [];
	readonly fresh: Fresh[] = [];
	/** What the driver is changing at this moment; the last began last: on another CPU, in the middle of the others. */
	readonly changing: Change[] = [];
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
		return [this.owed, this.lazy, this.changing, this.fresh].some((list) =>
			list.some((span) => span.first <= last && span.last >= first),
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

/** An attach that has begun. */
interface Attach {
	readonly before: readonly Was[];
	/** What a walk ahead of the switch may have met. */
	readonly walked: readonly number[];
}

/** Where a stream was before an attach. */
interface Was {
	readonly stream: Stream;
	readonly state: StreamState;
	readonly root: number;
}

export class Domains implements IommuCalls, Watcher {
	readonly #watches = new Map<iommu_domain, DomainWatch>();
	readonly #of = new Map<device, DomainWatch>();
	/** The domains of streams, once somebody has asked. */
	readonly #byPort = new Map<DmaPort, DomainWatch | null>();
	/** Groups whose devices are on their way from one domain to another. */
	readonly #switching = new Set<iommu_group>();
	/** What attaches under way would move. */
	readonly #attaching: Attach[] = [];
	/** Whose tables are just being changed; the last began last. */
	readonly #changing: DomainWatch[] = [];
	readonly #contract: Contract;
	readonly #agreement: Agreement;
	/** How many words the tables had seen change when the last operation was looked at. */
	#seen = 0;
	/** The driver's own iova_to_phys() is asked; not by the kernel. */
	#asking = false;

	/** @listener: who of all that watch hears of what the kernel that runs does now. */
	constructor(
		readonly watched: Watched,
		readonly tables: Tables,
		readonly log: DriverLog,
		readonly listener: Listener,
	) {
		this.#contract = new Contract(watched);
		this.#agreement = new Agreement(watched, log);
	}

	watchKernel(): () => void {
		return watchDomains(this, this.listener);
	}

	/** Have @domain, whose ops are no table of the driver's, tell. */
	listenTo(domain: iommu_domain): void {
		if (domain.ops !== null) listenToDomainOps(domain.ops, this.listener);
	}

	/** The domain that @port's stream is in, as far as the kernel knows; null: not watched. */
	ofPort(port: DmaPort): DomainWatch | null {
		let watch = this.#byPort.get(port);
		if (watch === undefined) {
			watch = null;
			for (const each of this.#watches.values())
				if (each.devices.size !== 0 && this.#streams(each).some((stream) => stream.port === port))
					watch = each;
			this.#byPort.set(port, watch);
		}
		return watch;
	}

	/** Whether something was unmapped there, in any domain, that is yet to be flushed. */
	isOwed(addr: number): boolean {
		for (const watch of this.#watches.values()) if (watch.isOwed(addr)) return true;
		return false;
	}

	/** The domain that @dev is attached to, as far as the kernel has told. */
	ofDevice(dev: device): DomainWatch | null {
		return this.#of.get(dev) ?? null;
	}

	/** An invalidation took effect. What is not changed yet may be cached again at once. */
	commanded(iommu: Iommu): void {
		for (const watch of this.#changing) {
			const span = watch.changing.at(-1);
			if (span === undefined || !this.#streams(watch).some((stream) => stream.iommu === iommu)) continue;
			for (const iova of [span.first, span.last - (span.last % 4096)])
				if (span.phys < 0 && this.#isMapped(watch, iova)) this.#speculate(watch, iova);
			if (span.phys >= 0 && span.walked && !this.#isMapped(watch, span.first))
				this.#speculate(watch, span.first);
		}
		for (const { before, walked } of this.#attaching)
			for (const was of before) {
				const { port, iommu: its } = was.stream;
				if (its !== iommu || was.root < 0 || wasOf(was.stream).root !== was.root) continue;
				for (const iova of walked) its.speculate?.(port.stream, NO_PASID, iova);
			}
	}

	/** Whether the tables in memory have @iova for @watch's streams. */
	#isMapped(watch: DomainWatch, iova: number): boolean {
		return this.#translating(watch).some(
			({ iommu, port }) => iommu.leaf(port.stream, NO_PASID, iova).phys >= 0,
		);
	}

	/** Whether @dev is behind an IOMMU that the machine has a model of. */
	drives(dev: device): boolean {
		const parent = dev.iommu?.iommu_dev?.dev?.parent ?? null;
		return parent !== null && this.watched.machine.iommus.some(({ name }) => name === dev_name(parent));
	}

	/** @dev was there before anybody watched. */
	adopt(dev: device): void {
		const domain = dev.iommu_group?.domain ?? null;
		if (domain === null) return;
		const watch = this.#watch(domain);
		watch.partial = true;
		this.#join(watch, dev);
		for (const { iommu, port } of this.#streams(watch)) {
			watch.iommus.add(iommu);
			watch.root = iommu.rootOf?.(port.stream, NO_PASID) ?? -1;
			if (watch.root >= 0) this.tables.root(watch, iommu, watch.root);
		}
	}

	/** @dev is no longer behind an IOMMU. */
	left(dev: device): void {
		this.#leave(dev);
		this.#of.delete(dev);
	}

	/** Nothing goes on: nothing may be owed. */
	quiet(): void {
		for (const watch of this.#watches.values())
			for (const owed of watch.owed) this.#unsynced(watch, owed, 'quiet');
	}

	// --- as a device accesses memory

	/** @port got through to @phys at @addr. */
	access(port: DmaPort, addr: number, phys: number, size: number, write: boolean): void {
		if (phys < 0) return;
		const watch = this.ofPort(port);
		if (watch === null || watch.partial || stateOf(watch.domain) !== 'translate') return;
		const range = watch.mappings.find(addr);
		if (range !== null && (range.value.prot & (write ? WRITE : READ)) !== 0) return;
		for (const dev of watch.devices)
			if (dev_name(dev) === port.name && dev.iommu_group !== null && this.#switching.has(dev.iommu_group))
				return;
		const access = { addr, phys, size, write };
		const place = `${Math.floor(addr / 4096)}`;
		if (range === null) {
			if (watch.isOwed(addr)) return;
			const ended = watch.lastEnded(addr);
			const kind = ended === null ? 'never-mapped' : 'use-after-unmap';
			this.watched.find({
				invariant: 'INV-LIVE-MAP',
				kind,
				device: port.name,
				moment: 'access',
				place,
				access,
				details: [
					...(ended === null ? this.#neighbours(watch, addr) : []),
					...(ended === null ? [] : ended.made.lines('Mapped')),
					...(ended?.ended == null ? [] : ended.ended.lines('Unmapped')),
					this.watched.machine.iommuOf(port)?.explain(port.stream, addr).text ?? '',
				],
				advice:
					ended === null
						? `nobody has mapped ${hex(addr, 8)} in the domain of ${port.name}: the tables, or a cache, have a word for it that no call of map_pages() asked for`
						: `${port.name} goes on after ${ended.ended?.what ?? 'the unmapping'}(): it was not stopped, or the invalidation of ${hex(addr, 8)} is missing`,
			});
			return;
		}
		const asked = accessText(range.value.prot & (READ | WRITE));
		this.watched.find({
			invariant: 'INV-PERM',
			kind: 'forbidden-access',
			device: port.name,
			moment: 'access',
			place,
			access,
			details: [
				`It is mapped for ${asked}`,
				...range.value.made.lines('Mapped'),
				this.watched.machine.iommuOf(port)?.explain(port.stream, addr).text ?? '',
			],
			advice: `${range.value.made.what}() was asked for ${asked} at ${hex(range.first, 8)}, and what it wrote lets ${port.name} do more`,
		});
	}

	#neighbours(watch: DomainWatch, addr: number): string[] {
		return watch.mappings
			.nearest(addr)
			.map(({ first, last }) =>
				first > addr
					? `${first - addr} bytes before what is mapped at ${hex(first, 8)}`
					: `${addr - last} bytes behind what is mapped up to ${hex(last, 8)}`,
			);
	}

	// --- as the driver's functions return

	entering(fn: string): void {
		this.log.enter(fn);
	}

	mapping(domain: iommu_domain, iova: number, paddr: number, size: number): void {
		const watch = this.#watch(domain);
		const last = iova + size - 1;
		if (watch.fresh.length === 0) this.log.begin();
		// Behind what the same mapping has just made nobody walks yet.
		const walked = watch.fresh.every((fresh) => fresh.last + 1 !== iova);
		watch.changing.push({ first: iova, last, phys: paddr, walked });
		this.#changing.push(watch);
		if (!walked) return;
		this.#speculate(watch, iova);
		for (const { iommu } of this.#streams(watch))
			if (iommu.habits.negativeNeighbours) {
				// A walk for what is behind the range brings the words before it.
				this.#speculate(watch, last - (last % 4096));
				break;
			}
	}

	/** Nothing more of what [@first, @last] had: a map that fails invalidates nothing. */
	#unguess(watch: DomainWatch, first: number, last: number): void {
		for (const { iommu } of this.#streams(watch))
			for (const cache of iommu.caches())
				cache.unguess(({ valid, iova, size }) => !valid && iova <= last && iova + size > first);
	}

	mapped(call: MapCall): void {
		const { domain, iova, pgsize, pgcount, ret, done, fn } = call;
		const watch = this.#watch(domain);
		this.#returned(watch);
		const device = this.#name(watch);
		const end = iova + pgsize * pgcount - 1;
		const { mappings } = watch;
		const taken = mappings.size === 0 ? undefined : mappings.overlapping(iova, end)[0];
		this.#contract.mapped(call, taken === undefined ? -1 : Math.max(iova, taken.first), device);
		this.log.changed();
		if (done > 0) {
			const last = iova + done - 1;
			this.#reused(watch, iova, last, fn);
			this.#add(watch, last, call);
		}
		if (ret >= 0) return;
		this.#unguess(watch, iova, end);
		if (done <= end - iova) this.#undone(watch, iova + done, end, fn);
	}

	#returned(watch: DomainWatch): void {
		this.log.leave();
		watch.changing.pop();
		this.#changing.pop();
	}

	/** [@iova, @last] is mapped, alone or behind what the call before has mapped. */
	#add(watch: DomainWatch, last: number, { iova, paddr: phys, prot, pgsize, fn }: MapCall): void {
		const tail = watch.fresh.find((fresh) => fresh.last + 1 === iova && fresh.by === fn);
		const old = tail?.mapping;
		if (tail !== undefined && old !== undefined) {
			tail.last = last;
			const goesOn = old.phys + (iova - old.iova) === phys && old.prot === prot && old.pgsize === pgsize;
			if (goesOn && watch.mappings.grow(iova, last, old)) return;
			tail.mapping = { iova, phys, prot, pgsize, made: tail.event, ended: null };
			watch.mappings.set(iova, last, tail.mapping);
			return;
		}
		const event = this.watched.journal.sample(fn, this.#name(watch));
		const mapping = { iova, phys, prot, pgsize, made: event, ended: null };
		watch.mappings.set(iova, last, mapping);
		watch.fresh.push({ first: iova, last, by: fn, event, mapping });
	}

	/** A mapping that failed has left [@first, @last] as it was. */
	#undone(watch: DomainWatch, first: number, last: number, fn: string): void {
		if (watch.partial || within(watch.changing, first)) return;
		const streams = this.#translating(watch);
		if (this.#agreement.compare(streams, watch.mappings, first, first, fn) && last - first >= 4096)
			this.#agreement.compare(streams, watch.mappings, last, last, fn);
		this.#ask(watch, first, `${fn}() has failed, and `);
	}

	unmapping(domain: iommu_domain, iova: number, size: number): void {
		const watch = this.#watch(domain);
		if (watch.owed.length === 0) this.log.begin();
		watch.changing.push({ first: iova, last: iova + size - 1, phys: -1, walked: true });
		this.#changing.push(watch);
		const step = Math.max(4096, Math.ceil(size / AHEAD / 4096) * 4096);
		const { mappings } = watch;
		for (let at = iova; at < iova + size; at += step)
			if (mappings.find(at) !== null) this.#speculate(watch, at);
		if (size > step && mappings.find(iova + size - 1) !== null) this.#speculate(watch, iova + size - 4096);
	}

	unmapped(call: UnmapCall): void {
		const { domain, iova, size, gather, fn } = call;
		const watch = this.#watch(domain);
		this.#returned(watch);
		const last = iova + size - 1;
		if (!watch.partial) {
			const mapped = inOnePiece(watch.mappings, iova);
			const whole = watch.mappings.find(iova)?.value.pgsize ?? 0;
			this.#contract.unmapped(call, mapped, whole, this.#name(watch));
		}
		this.log.changed();
		if (!(size > 0)) return;
		const list = iommu_iotlb_gather_queued(gather) ? watch.lazy : watch.owed;
		const tail = list.at(-1);
		let event: JournalEvent;
		if (tail !== undefined && tail.gather === gather && tail.last + 1 === iova && !tail.compared) {
			tail.last = last;
			event = tail.event;
		} else {
			event = this.watched.journal.sample(fn, this.#name(watch));
			list.push({ first: iova, last, by: fn, event, gather, compared: false });
		}
		for (const range of watch.mappings.remove(iova, last)) {
			range.value.ended = event;
			watch.ended.push(range);
		}
		if (watch.ended.length > 2 * REMEMBERED) watch.ended.splice(0, REMEMBERED);
		// A mapping that failed half-way is undone.
		for (let i = watch.fresh.length - 1; i >= 0; i--)
			if (watch.fresh[i].last >= iova && watch.fresh[i].first <= last) watch.fresh.splice(i, 1);
	}

	translated(domain: iommu_domain, iova: number, phys: number, fn: string): void {
		const watch = this.#watches.get(domain);
		if (watch === undefined || watch.partial || this.#asking || watch.isOwed(iova)) return;
		this.#contract.translated(iova, phys, meantAt(watch, iova), this.#name(watch), fn, '');
	}

	syncedMap(domain: iommu_domain, iova: number, size: number, ret: number, fn: string): void {
		const watch = this.#watch(domain);
		this.log.leave();
		this.#contract.returned(ret, this.#name(watch), fn);
		const last = iova + size - 1;
		this.#finish(watch, (fresh) => fresh.first <= last && fresh.last >= iova, fn);
		if (size > 0 && ret === 0) this.#caches(watch, iova, last, fn, null);
	}

	/** The caches agree with the tables of @watch. On another CPU another domain's may just be changing. */
	#caches(watch: DomainWatch, first: number, last: number, fn: string, owed: Owed | null): void {
		const excused = ({ stream, iova, size }: CacheEntry): boolean => {
			for (const other of this.#watches.values()) {
				if (other === watch || !other.isChanging(iova, iova + size - 1)) continue;
				if (this.#streams(other).some(({ port }) => port.stream === stream)) return true;
			}
			return false;
		};
		this.#agreement.caches(this.#streams(watch), first, last, fn, owed, excused);
	}

	/** What was mapped is in the tables, and nothing beside it has changed. */
	#finish(watch: DomainWatch, which: (fresh: Fresh) => boolean, sync: string | null): void {
		for (let i = 0; i < watch.fresh.length; i++) {
			const fresh = watch.fresh[i];
			if (!which(fresh)) continue;
			watch.fresh.splice(i--, 1);
			this.#inTables(watch, fresh);
			if (sync === null) this.#caches(watch, fresh.first, fresh.last, fresh.by, null);
		}
	}

	/** The tables say what @span's operation was to make them say, and of its neighbours what they said before. */
	#inTables(watch: DomainWatch, { first, last, by }: Owed): void {
		const streams = this.#translating(watch);
		const { mappings } = watch;
		if (!this.#agreement.compare(streams, mappings, first, last, by)) return;
		if (!this.#ask(watch, last, `${by}() has returned, and `)) return;
		if (last - first >= 4096 && !this.#ask(watch, first, `${by}() has returned, and `)) return;
		if (watch.partial) return;
		// Where each word was seen as it changed, none beside the range was among them.
		const seen = this.tables.seen !== this.#seen;
		this.#seen = this.tables.seen;
		for (const beside of seen ? [] : [first - 1, last + 1])
			if (beside >= 0 && !watch.isOwed(beside))
				this.#agreement.compare(streams, mappings, beside, beside, by);
		this.#othersAt(watch, first, by);
	}

	/** What the other domains have at @at is as it was. */
	#othersAt(watch: DomainWatch, at: number, fn: string): void {
		if (this.#watches.size === 1) return;
		for (const other of this.#watches.values()) {
			if (other === watch || other.partial || other.devices.size === 0 || other.root < 0) continue;
			if (stateOf(other.domain) !== 'translate' || other.isOwed(at)) continue;
			this.#agreement.compare(this.#translating(other), other.mappings, at, at, fn);
		}
	}

	synced(domain: iommu_domain, gather: iommu_iotlb_gather, fn: string): void {
		const watch = this.#watch(domain);
		this.log.leave();
		if (iommu_iotlb_gather_queued(gather)) return;
		this.#settleAll(watch, watch.owed, (owed) => owed.gather === gather, fn);
	}

	flushedAll(domain: iommu_domain, fn: string): void {
		const watch = this.#watch(domain);
		this.log.leave();
		this.#settleAll(watch, watch.lazy, () => true, fn);
	}

	/** Those of @list are flushed. */
	#settleAll(watch: DomainWatch, list: Unmapped[], which: (owed: Unmapped) => boolean, fn: string): void {
		for (let i = 0; i < list.length; i++) {
			const owed = list[i];
			if (!which(owed)) continue;
			list.splice(i--, 1);
			if (!owed.compared) this.#inTables(watch, owed);
			this.#caches(watch, owed.first, owed.last, fn, owed);
		}
	}

	attaching(domain: iommu_domain, dev: device): void {
		if (dev.iommu_group !== null) this.#switching.add(dev.iommu_group);
		const streams = this.#streamsOf(dev).filter(({ iommu }) => isPowered(this.watched, iommu));
		// What is walked before the switch: what the old tables have, and what the new ones will.
		const walked: number[] = [0];
		for (const watch of [this.#of.get(dev), this.#watches.get(domain)]) {
			const ranges = watch?.mappings.all() ?? [];
			if (ranges.length !== 0) walked.push(ranges[0].first, ranges[ranges.length - 1].first);
		}
		if (!isIdle(dev))
			for (const { iommu, port } of streams)
				for (const iova of walked) iommu.speculate?.(port.stream, NO_PASID, iova);
		this.#attaching.push({ before: streams.map(wasOf), walked });
		this.log.begin();
	}

	attached(domain: iommu_domain, dev: device, ret: number, fn: string): void {
		const group = dev.iommu_group;
		const before = this.#attaching.pop()?.before ?? [];
		this.log.leave();
		const streams = this.#streamsOf(dev);
		this.#contract.attached(domain, ret, streams[0]?.iommu ?? null, dev_name(dev), fn);
		if (ret !== 0) {
			// Nothing follows: who was moved before it is attached once more, and told of, to go back.
			if (group !== null) this.#switching.delete(group);
			for (const was of before) this.#unmoved(was, ret, fn);
			return;
		}
		const watch = this.#watch(domain);
		this.#leave(dev);
		this.#join(watch, dev);
		// The others of its group follow; until then the hardware may have them here or there.
		if (group !== null && [...this.#of].every(([d, w]) => d.iommu_group !== group || w === watch))
			this.#switching.delete(group);
		const wanted = stateOf(domain);
		for (const stream of streams) {
			const { iommu, port } = stream;
			if (!isPowered(this.watched, iommu) || isSuspended(dev)) continue;
			if (!this.#agreement.inState(stream, wanted, fn)) continue;
			if (wanted === 'translate') {
				watch.iommus.add(iommu);
				if (!this.#takeRoot(watch, stream, fn)) continue;
				for (const { first, last } of watch.mappings.all())
					this.#agreement.compare([stream], watch.mappings, first, last, fn);
			}
			this.#agreement.switched(iommu, fn, (iova) => watch.isOwed(iova));
			this.#unmovedOthers(watch, iommu, port, fn);
		}
	}

	/** The table that @stream is on is @watch's, as its others have it, and no other domain's. */
	#takeRoot(watch: DomainWatch, { iommu, port }: Stream, fn: string): boolean {
		const root = iommu.rootOf?.(port.stream, NO_PASID) ?? -1;
		if (root < 0) return true;
		let wrong: string | null = null;
		for (const other of this.#watches.values())
			if (other !== watch && other.root === root && other.iommus.has(iommu))
				wrong = `those of the domain of ${this.#name(other)}`;
		for (const other of this.#translating(watch))
			if (other.iommu === iommu && iommu.rootOf!(other.port.stream, NO_PASID) !== root)
				wrong = `not those of ${other.port.name}, which is attached to the same domain`;
		if (wrong === null) {
			watch.root = root;
			this.tables.root(watch, iommu, root);
			return true;
		}
		this.watched.find({
			invariant: 'INV-PWR',
			kind: 'wrong-root',
			device: port.name,
			moment: 'return',
			what: `${fn}()`,
			place: fn,
			details: [
				`${fn}() has returned 0, and the tables that ${port.name} is on, with their root at ${hex(root, 8)}, are ${wrong}`,
				iommu.explain(port.stream, 0).text,
			],
			advice: `${fn}() gives the hardware the root of another domain for stream ${port.stream}, or leaves the old one there: it must write the address of this domain's root table`,
		});
		return false;
	}

	/** Whoever is behind @iommu in another domain is where it was. */
	#unmovedOthers(watch: DomainWatch, iommu: Iommu, moved: DmaPort, fn: string): void {
		for (const other of this.#watches.values()) {
			if (other === watch || other.devices.size === 0) continue;
			const wanted = stateOf(other.domain);
			for (const dev of other.devices) {
				if (isSuspended(dev) || (dev.iommu_group !== null && this.#switching.has(dev.iommu_group))) continue;
				for (const { port, iommu: its } of this.#streamsOf(dev)) {
					if (its !== iommu || port === moved) continue;
					const { state, root } = wasOf({ port, iommu });
					const same = state === wanted || (wanted === 'bypass' && state === 'off');
					if (same && (wanted !== 'translate' || other.root < 0 || root === other.root)) continue;
					const where = state === 'translate' ? `translated by the tables at ${hex(root, 8)}` : `"${state}"`;
					this.watched.find({
						invariant: 'INV-PWR',
						kind: 'moved-another',
						device: port.name,
						moment: 'return',
						what: `${fn}()`,
						place: fn,
						details: [
							`${fn}() has attached ${moved.name}, and ${port.name}, whose domain asks for "${wanted}"${wanted === 'translate' ? ` by the tables at ${hex(other.root, 8)}` : ''}, is ${where} now`,
						],
						advice: `${fn}() changes more than the stream of ${moved.name}: the two are in different groups, and must keep what each has`,
					});
				}
			}
		}
	}

	/** An attach that failed has left a stream where it @was. */
	#unmoved(was: Was, ret: number, fn: string): void {
		const { stream } = was;
		if (!isPowered(this.watched, stream.iommu)) return;
		const { state, root } = wasOf(stream);
		// Off, or refused: that may be what the failure was about.
		const moved = state === 'translate' ? root !== was.root : state === 'bypass' && was.state !== 'bypass';
		if (!moved) return;
		const { port, iommu } = stream;
		this.watched.find({
			invariant: 'INV-ERR',
			kind: 'failed-attach-moved',
			device: port.name,
			moment: 'return',
			what: `${fn}()`,
			place: fn,
			details: [
				`${fn}() has returned ${ret}; ${port.name} was at "${was.state}", and is at "${state}"${root < 0 ? '' : ` by the tables at ${hex(root, 8)}`}`,
				iommu.explain(port.stream, 0).text,
			],
			advice: `${fn}() tells the hardware before all that can fail has been done, or does not go back when it fails`,
		});
	}

	freeing(domain: iommu_domain): void {
		const watch = this.#watches.get(domain);
		this.log.begin();
		if (watch === undefined) return;
		watch.freeing = true;
		for (const owed of watch.owed) this.#unsynced(watch, owed, 'return');
	}

	freed(domain: iommu_domain, fn: string): void {
		const watch = this.#watches.get(domain);
		this.log.leave();
		if (watch === undefined) return;
		this.#watches.delete(domain);
		this.tables.ended(watch);
		for (const dev of watch.devices) this.#of.delete(dev);
		this.#byPort.clear();
		if (watch.root >= 0) this.#inUse(watch.root, watch.iommus, fn);
	}

	/** No stream is on the tables whose root was at @root, and no cache has a word of them. */
	#inUse(root: number, iommus: ReadonlySet<Iommu>, fn: string): void {
		const { machine } = this.watched;
		for (const port of machine.ports) {
			const iommu = machine.iommuOf(port);
			if (iommu === null || !iommus.has(iommu) || !isPowered(this.watched, iommu)) continue;
			const { name } = iommu;
			if (iommu.rootOf?.(port.stream, NO_PASID) === root) {
				this.watched.find({
					invariant: 'INV-TABLE-LIVE',
					kind: 'freed-in-use',
					device: port.name,
					moment: 'return',
					what: `${fn}()`,
					place: fn,
					details: [
						`${fn}() has returned, and ${port.name} is still translated by the tables at ${hex(root, 8)}`,
						iommu.explain(port.stream, 0).text,
					],
					advice: `${fn}() frees tables that ${name} walks: it (or the attach of another domain before it) must take them from the hardware first`,
				});
				return;
			}
			if (iommu.state(port.stream, NO_PASID) === 'off') continue;
			for (const cache of iommu.caches())
				for (const entry of [...cache.entries(), ...cache.guesses]) {
					if (entry.root !== root || cache.kind === 'streams') continue;
					for (const each of iommu.caches()) each.unguess((guess) => guess.root === root);
					const guessed = entry.reason === 'guess' ? 'may still have' : 'still has';
					this.watched.find({
						invariant: 'INV-TLB-UNMAP',
						kind: 'stale-after-free',
						device: name,
						moment: 'return',
						what: `${fn}()`,
						place: fn,
						details: [
							`${fn}() has returned, and the ${cache.name} ${guessed} ${hex(entry.iova, 8)}+${hex(entry.size)} of its tables, tagged ${entry.tag}`,
						],
						advice: `${fn}() must invalidate all that is cached of the domain before its tables are freed and its number is given to another`,
					});
					return;
				}
		}
	}

	allocated(domain: iommu_domain | err_ptr | null, dev: device | null, fn: string): void {
		this.#contract.gave(domain, true, dev === null ? 'the IOMMU' : dev_name(dev), fn);
		// A driver may have had one at this place before.
		if (domain !== null && !IS_ERR(domain)) this.#watches.delete(domain);
	}

	probed(dev: device, iommu: iommu_device | err_ptr, fn: string): void {
		this.#contract.gave(iommu, false, dev_name(dev), fn);
	}

	released(_dev: device, _fn: string): void {}

	grouped(dev: device, group: iommu_group | err_ptr | null, fn: string): void {
		this.#contract.gave(group, false, dev_name(dev), fn);
	}

	xlated(dev: device, ret: number, fn: string): void {
		this.#contract.returned(ret, dev_name(dev), fn);
	}

	// --- as the core's functions return (its tracepoints)

	/** iommu_map() is about to return: who has no iotlb_sync_map() has done all that it does. */
	mapReturns(): void {
		for (const watch of this.#watches.values())
			if (watch.fresh.length !== 0 && watch.domain.ops?.iotlb_sync_map === undefined)
				this.#finish(watch, () => true, null);
	}

	/** iommu_unmap() is: the same for iotlb_sync(). What waits for the flush queue is gone from the tables at least. */
	unmapReturns(): void {
		for (const watch of this.#watches.values()) {
			if (watch.owed.length !== 0 && watch.domain.ops?.iotlb_sync === undefined)
				for (const owed of watch.owed.splice(0)) {
					this.#inTables(watch, owed);
					this.#caches(watch, owed.first, owed.last, owed.by, owed);
				}
			// Who cannot be told to flush has done it.
			if (watch.lazy.length !== 0 && watch.domain.ops?.flush_iotlb_all === undefined)
				this.#settleAll(watch, watch.lazy, () => true, watch.lazy[0].by);
			for (let i = watch.lazy.length - 1; i >= 0 && !watch.lazy[i].compared; i--) {
				watch.lazy[i].compared = true;
				this.#inTables(watch, watch.lazy[i]);
			}
		}
	}

	/** [@first, @last] has been mapped: what was there before has been flushed. */
	#reused(watch: DomainWatch, first: number, last: number, fn: string): void {
		for (const list of [watch.lazy, watch.owed])
			for (const owed of list) {
				if (owed.last < first || owed.first > last) continue;
				const at = Math.max(first, owed.first);
				this.watched.find({
					invariant: 'INV-IOVA',
					kind: 'reused-before-flush',
					device: this.#name(watch),
					moment: 'return',
					what: `${fn}()`,
					place: fn,
					details: [
						`${fn}() has mapped ${hex(first, 8)}..${hex(last, 8)}; ${owed.by}() has unmapped ${hex(at, 8)} before, and ${list === watch.lazy ? 'flush_iotlb_all()' : 'iotlb_sync()'} has not been called since`,
						...owed.event.lines('Unmapped'),
					],
					advice:
						list === watch.lazy
							? `the range at ${hex(owed.first, 8)} was given back (free_iova_fast()) before the flush queue has flushed: it belongs into the queue (queue_iova()) until then`
							: `who unmapped ${hex(owed.first, 8)} with iommu_unmap_fast() has not called iommu_iotlb_sync() before the range was used again`,
				});
				return;
			}
	}

	#unsynced(watch: DomainWatch, owed: Unmapped, moment: 'return' | 'quiet'): void {
		this.watched.find({
			invariant: 'INV-TLB-UNMAP',
			kind: 'never-synced',
			device: this.#name(watch),
			moment,
			place: owed.by,
			details: [
				`${owed.by}() has unmapped ${hex(owed.first, 8)}..${hex(owed.last, 8)}, and iotlb_sync() was never called`,
				...owed.event.lines('Unmapped'),
			],
			advice: `who called iommu_unmap_fast() for ${hex(owed.first, 8)}..${hex(owed.last, 8)} must call iommu_iotlb_sync() with the same gather structure before anything else becomes of the range`,
		});
	}

	/** Ask the driver where @iova leads; false: it is wrong. */
	#ask(watch: DomainWatch, iova: number, after: string): boolean {
		const ops = watch.domain.ops;
		const asked = ops?.iova_to_phys;
		if (asked === undefined || watch.partial) return true;
		const { machine } = this.watched;
		// Nobody comes in between: it is not the kernel that asks.
		const { hook } = machine;
		machine.hook = null;
		this.#asking = true;
		const phys = driverOf(asked)(watch.domain, iova) as number;
		this.#asking = false;
		machine.hook = hook;
		return this.#contract.translated(iova, phys, meantAt(watch, iova), this.#name(watch), asked.name, after);
	}

	#speculate(watch: DomainWatch, iova: number): void {
		for (const dev of watch.devices) if (isIdle(dev)) return;
		const streams = this.#streams(watch);
		for (let i = 0; i < streams.length; i++) {
			const { iommu, port } = streams[i];
			iommu.speculate?.(port.stream, NO_PASID, iova);
		}
	}

	#join(watch: DomainWatch, dev: device): void {
		this.#of.set(dev, watch);
		watch.devices.add(dev);
		watch.streams = null;
		this.#byPort.clear();
	}

	#leave(dev: device): void {
		const watch = this.#of.get(dev);
		if (watch === undefined) return;
		watch.devices.delete(dev);
		watch.streams = null;
		this.#byPort.clear();
	}

	#watch(domain: iommu_domain): DomainWatch {
		let watch = this.#watches.get(domain);
		if (watch === undefined) {
			watch = new DomainWatch(domain);
			this.#watches.set(domain, watch);
		}
		return watch;
	}

	#name(watch: DomainWatch): string {
		for (const dev of watch.devices) return dev_name(dev);
		return 'a domain that is attached nowhere';
	}

	/** The streams that are in @watch's domain. */
	#streams(watch: DomainWatch): readonly Stream[] {
		watch.streams ??= [...watch.devices].flatMap((dev) => this.#streamsOf(dev));
		return watch.streams;
	}

	/** Those of them that translate. */
	#translating(watch: DomainWatch): readonly Stream[] {
		const streams = this.#streams(watch);
		for (const { iommu, port } of streams)
			if (iommu.state(port.stream, NO_PASID) !== 'translate')
				return streams.filter((s) => s.iommu.state(s.port.stream, NO_PASID) === 'translate');
		return streams;
	}

	/** The streams of @dev behind the IOMMU that the kernel has it behind: a tree may name several. */
	#streamsOf(dev: device): Stream[] {
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
}

function within(spans: readonly Span[], addr: number): boolean {
	for (const { first, last } of spans) if (first <= addr && addr <= last) return true;
	return false;
}

/** How many bytes from @iova on are mapped without a hole. */
function inOnePiece(mappings: Ranges<Mapping>, iova: number): number {
	let end = iova;
	for (let range = mappings.find(end); range !== null; range = mappings.find(end)) end = range.last + 1;
	return end - iova;
}

/** Where @iova is to lead; -1: nowhere. */
function meantAt({ mappings }: DomainWatch, iova: number): number {
	const range = mappings.find(iova);
	return range === null ? -1 : range.value.phys + (iova - range.value.iova);
}

function wasOf(stream: Stream): Was {
	const { iommu, port } = stream;
	return {
		stream,
		state: iommu.state(port.stream, NO_PASID),
		root: iommu.rootOf?.(port.stream, NO_PASID) ?? -1,
	};
}

/** Whether the IOMMU of @dev is switched off by runtime PM: its driver sets it up when it is on again. */
function isSuspended(dev: device): boolean {
	const power = dev.iommu?.iommu_dev?.dev?.parent?.power;
	return power !== undefined && power.disable_depth === 0 && power.runtime_status !== RPM_ACTIVE;
}

/** Whether nobody uses the IOMMU of @dev, by runtime PM: no master is at work that it could walk for. */
function isIdle(dev: device): boolean {
	const power = dev.iommu?.iommu_dev?.dev?.parent?.power;
	return power !== undefined && power.disable_depth === 0 && power.usage_count.counter === 0;
}

function stateOf(domain: iommu_domain): StreamState {
	if (domain.type === IOMMU_DOMAIN_BLOCKED) return 'block';
	if (domain.type === IOMMU_DOMAIN_IDENTITY) return 'bypass';
	return domain.type & __IOMMU_DOMAIN_PAGING ? 'translate' : 'block';
}
