// SPDX-License-Identifier: GPL-2.0-only
// What the kernel means to have mapped, domain by domain, held against what tables and caches have: the rules that are
// checked as an operation of the IOMMU's driver returns.
//
//   INV-CLEAN      the tables in memory do not say what was just mapped, or still say what was just unmapped
//   INV-PERM       they give more rights, or fewer
//   INV-TLB-UNMAP  after the synchronisation that an unmapping was owed a cache still has it
//   INV-TLB-MAP    after a mapping has returned a cache still denies it
//   INV-PTW        the same for the words on the way
//   INV-PWR        a stream is not in the state that the domain that was attached asks for

import type { DmaPort } from '#hw/core/dma-port.js';
import { hex } from '#hw/core/register-file.js';
import {
	accessText,
	type Contradiction,
	type Iommu,
	type Leaf,
	NO_PASID,
	READ,
	type StreamState,
	WRITE,
} from '#hw/iommu/iommu.js';
import { dev_name, type device } from '#linux/device.js';
import type { iommu_group } from '#linux/iommu.js';
import {
	__IOMMU_DOMAIN_PAGING,
	IOMMU_DOMAIN_BLOCKED,
	IOMMU_DOMAIN_IDENTITY,
	type iommu_domain,
	type iommu_iotlb_gather,
	iommu_iotlb_gather_queued,
} from '#linux/iommu.js';
import { RPM_ACTIVE } from '#linux/pm.js';
import type { IommuCalls, Listener } from './iommu-ops.js';
import type { JournalEvent } from './journal.js';
import { watchDomains } from './kernel.js';
import { Ranges } from './ranges.js';
import type { Watched, Watcher } from './watcher.js';

/** One piece of what a domain maps. */
export interface Mapping {
	/** Where its first address leads, and which that is. */
	readonly iova: number;
	readonly phys: number;
	readonly prot: number;
	readonly made: JournalEvent;
	/** What took it away; null while it is there. */
	ended: JournalEvent | null;
}

/** How many pages of one operation are compared with the tables: from its beginning, and its last. */
const COMPARED = 64;
/** How many mappings are remembered that have ended, by domain. */
const REMEMBERED = 1024;

/** A range whose invalidation is owed. */
interface Owed {
	readonly first: number;
	readonly last: number;
	readonly by: string;
	readonly event: JournalEvent;
}

export class DomainWatch {
	readonly mappings = new Ranges<Mapping>();
	/** The last that ended, oldest first. */
	readonly ended: { readonly first: number; readonly last: number; readonly value: Mapping }[] = [];
	readonly devices = new Set<device>();
	/** Their ports behind its IOMMU; null: to be looked up. */
	ports: readonly DmaPort[] | null = null;
	/** Unmapped, and not yet flushed: until the next iotlb_sync(), or (lazy) until the next flush of all. */
	owed: Owed[] = [];
	lazy: Owed[] = [];
	/** Mapped, and not yet told to the hardware. */
	fresh: Owed[] = [];
	/** What the driver is changing at this moment. */
	changing: { readonly first: number; readonly last: number } | null = null;

	/** It had a life before anybody watched: what is mapped in it is known in part. */
	partial = false;

	constructor(readonly domain: iommu_domain) {}

	/** Whether the hardware may still let through what the kernel is about to take away, or to give. */
	isOwed(addr: number): boolean {
		const covers = ({ first, last }: { first: number; last: number }): boolean =>
			first <= addr && addr <= last;
		return (
			this.owed.some(covers) || this.lazy.some(covers) || (this.changing !== null && covers(this.changing))
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

export class Domains implements IommuCalls, Watcher {
	readonly #watches = new Map<iommu_domain, DomainWatch>();
	readonly #of = new Map<device, DomainWatch>();
	/** Groups whose devices are on their way from one domain to another. */
	readonly #switching = new Set<iommu_group>();
	/** Invalidations that each IOMMU has carried out since its tables last changed. */
	readonly #commands = new Map<Iommu, string[]>();

	/** @listener: who of all that watch hears of what the kernel that runs does now. */
	constructor(
		readonly watched: Watched,
		readonly listener: Listener,
	) {}

	watchKernel(): () => void {
		return watchDomains(this, this.listener);
	}

	/** The domain that @port's stream is in, as far as the kernel knows; null: not watched. */
	ofPort(port: DmaPort): DomainWatch | null {
		for (const watch of this.#watches.values())
			if (watch.devices.size !== 0 && this.#ports(watch).includes(port)) return watch;
		return null;
	}

	/** Whether something was unmapped there, in any domain, that is yet to be flushed. */
	isOwed(addr: number): boolean {
		for (const watch of this.#watches.values()) if (watch.isOwed(addr)) return true;
		return false;
	}

	/** An invalidation took effect. */
	commanded(iommu: Iommu, text: string): void {
		const list = this.#commands.get(iommu);
		if (list === undefined) this.#commands.set(iommu, [text]);
		else if (list.length < 16) list.push(text);
	}

	/** @dev was there before anybody watched. */
	adopt(dev: device): void {
		const domain = dev.iommu_group?.domain ?? null;
		if (domain === null) return;
		const watch = this.#watch(domain);
		watch.partial = true;
		watch.devices.add(dev);
		watch.ports = null;
		this.#of.set(dev, watch);
	}

	/** @dev is no longer behind an IOMMU. */
	left(dev: device): void {
		this.#leave(dev);
		this.#of.delete(dev);
	}

	// --- as a device accesses memory

	/** @port got through to @phys at @addr. */
	access(port: DmaPort, addr: number, phys: number, size: number, write: boolean): void {
		if (phys < 0) return;
		const watch = this.ofPort(port);
		if (watch === null || watch.partial || stateOf(watch.domain) !== 'translate') return;
		for (const dev of watch.devices)
			if (dev_name(dev) === port.name && dev.iommu_group !== null && this.#switching.has(dev.iommu_group))
				return;
		const range = watch.mappings.find(addr);
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
		if ((range.value.prot & (write ? WRITE : READ)) !== 0) return;
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

	changing(domain: iommu_domain, iova: number, size: number): void {
		this.#watch(domain).changing = { first: iova, last: iova + size - 1 };
	}

	changed(domain: iommu_domain): void {
		this.#watch(domain).changing = null;
	}

	mapped(domain: iommu_domain, iova: number, paddr: number, size: number, prot: number, fn: string): void {
		const watch = this.#watch(domain);
		const made = this.watched.journal.record(fn, this.#name(watch));
		const last = iova + size - 1;
		watch.mappings.set(iova, last, { iova, phys: paddr, prot, made, ended: null });
		watch.fresh.push({ first: iova, last, by: fn, event: made });
		this.#commands.clear();
	}

	unmapped(domain: iommu_domain, iova: number, size: number, gather: iommu_iotlb_gather, fn: string): void {
		const watch = this.#watch(domain);
		const event = this.watched.journal.record(fn, this.#name(watch));
		const last = iova + size - 1;
		for (const range of watch.mappings.remove(iova, last)) {
			range.value.ended = event;
			watch.ended.push(range);
		}
		watch.ended.splice(0, Math.max(0, watch.ended.length - REMEMBERED));
		const owed = { first: iova, last, by: fn, event };
		(iommu_iotlb_gather_queued(gather) ? watch.lazy : watch.owed).push(owed);
		// A mapping that failed half-way is undone.
		watch.fresh = watch.fresh.filter((fresh) => fresh.last < iova || fresh.first > last);
		this.#commands.clear();
	}

	syncedMap(domain: iommu_domain, iova: number, size: number, fn: string): void {
		const watch = this.#watch(domain);
		for (const fresh of watch.fresh.splice(0)) this.#compare(watch, fresh.first, fresh.last, fresh.by);
		if (size > 0) this.#caches(watch, iova, iova + size - 1, fn, null);
	}

	synced(domain: iommu_domain, gather: iommu_iotlb_gather, fn: string): void {
		const watch = this.#watch(domain);
		if (iommu_iotlb_gather_queued(gather)) return;
		for (const owed of watch.owed.splice(0)) this.#settle(watch, owed, fn);
	}

	flushedAll(domain: iommu_domain, fn: string): void {
		const watch = this.#watch(domain);
		for (const owed of watch.lazy.splice(0)) this.#settle(watch, owed, fn);
	}

	attaching(dev: device): void {
		if (dev.iommu_group !== null) this.#switching.add(dev.iommu_group);
	}

	attached(domain: iommu_domain, dev: device, ret: number, fn: string): void {
		const group = dev.iommu_group;
		if (ret !== 0) {
			// Nothing follows: who was moved before it is attached once more, and told of, to go back.
			if (group !== null) this.#switching.delete(group);
			return;
		}
		const watch = this.#watch(domain);
		this.#leave(dev);
		this.#of.set(dev, watch);
		watch.devices.add(dev);
		watch.ports = null;
		// The others of its group follow; until then the hardware may have them here or there.
		if (group !== null && [...this.#of].every(([d, w]) => d.iommu_group !== group || w === watch))
			this.#switching.delete(group);
		const wanted = stateOf(domain);
		for (const port of this.#portsOf(dev)) {
			const iommu = this.watched.machine.iommuOf(port)!;
			if (!this.#hasPower(iommu) || isSuspended(dev)) continue;
			const state = iommu.state(port.stream, NO_PASID);
			const same = state === wanted || (wanted === 'bypass' && state === 'off');
			if (!same) {
				this.watched.find({
					invariant: 'INV-PWR',
					kind: 'not-attached',
					device: port.name,
					moment: 'return',
					what: `${fn}()`,
					place: fn,
					details: [
						`${fn}() has returned 0 for a domain that asks for "${wanted}", and the hardware has stream ${port.stream} at "${state}"`,
					],
					advice: `${fn}() does not set up what makes the hardware "${wanted}" stream ${port.stream}, or an order between its registers is wrong`,
				});
				continue;
			}
			if (wanted !== 'translate') continue;
			for (const { first, last } of watch.mappings.all()) this.#compare(watch, first, last, fn);
			for (const wrong of iommu.contradictions()) {
				// What waits for the flush queue may be there still.
				if (watch.isOwed(wrong.entry.iova)) continue;
				this.watched.find({
					invariant: wrong.invariant,
					kind: 'stale-after-attach',
					device: iommu.name,
					moment: 'return',
					what: `${fn}()`,
					place: fn,
					details: [
						`${fn}() has returned, and ${wrong.text}`,
						iommu.explain(wrong.entry.stream, placeOf(wrong)).text,
					],
					advice: `${fn}() gave the hardware other tables and did not invalidate what the ${wrong.cache.name} had of the old ones`,
				});
			}
		}
	}

	freed(domain: iommu_domain): void {
		const watch = this.#watches.get(domain);
		if (watch === undefined) return;
		this.#watches.delete(domain);
		for (const dev of watch.devices) this.#of.delete(dev);
	}

	// --- as the core's functions return (its tracepoints)

	/** iommu_map() is about to return: who has no iotlb_sync_map() has done all that it does. */
	mapReturns(): void {
		for (const watch of this.#watches.values()) {
			if (watch.fresh.length === 0) continue;
			if (watch.domain.ops?.iotlb_sync_map !== undefined) continue;
			for (const { first, last, by } of watch.fresh.splice(0)) {
				this.#compare(watch, first, last, by);
				this.#caches(watch, first, last, by, null);
			}
		}
	}

	/** iommu_unmap() is: the same for iotlb_sync(). */
	unmapReturns(): void {
		for (const watch of this.#watches.values()) {
			if (watch.owed.length === 0 || watch.domain.ops?.iotlb_sync !== undefined) continue;
			for (const owed of watch.owed.splice(0)) this.#settle(watch, owed, owed.by);
		}
	}

	/** Whether the block answers: what has no power is set up when it gets it. */
	#hasPower(iommu: Iommu): boolean {
		return this.watched.machine.bus.windows.every(
			({ model, unpowered }) => model !== iommu || unpowered?.() == null,
		);
	}

	/** What was unmapped is to be gone from tables and caches. */
	#settle(watch: DomainWatch, owed: Owed, fn: string): void {
		this.#compare(watch, owed.first, owed.last, owed.by);
		this.#caches(watch, owed.first, owed.last, fn, owed);
	}

	#leave(dev: device): void {
		const watch = this.#of.get(dev);
		if (watch === undefined) return;
		watch.devices.delete(dev);
		watch.ports = null;
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

	/** The ports whose streams are in @watch's domain. */
	#ports(watch: DomainWatch): readonly DmaPort[] {
		watch.ports ??= [...watch.devices].flatMap((dev) => this.#portsOf(dev));
		return watch.ports;
	}

	/** The ports of @dev behind the IOMMU that the kernel has it behind: a tree may name several. */
	#portsOf(dev: device): DmaPort[] {
		const iommu = dev.iommu?.iommu_dev?.dev?.parent ?? null;
		return this.watched.machine.ports.filter(
			(port) =>
				port.name === dev_name(dev) &&
				iommu !== null &&
				this.watched.machine.iommuOf(port)?.name === dev_name(iommu),
		);
	}

	/** The tables in memory against what is meant, for pages of [@first, @last]. */
	#compare(watch: DomainWatch, first: number, last: number, fn: string): void {
		const ports = this.#ports(watch);
		for (const port of ports) {
			const iommu = this.watched.machine.iommuOf(port)!;
			if (iommu.state(port.stream, NO_PASID) !== 'translate') continue;
			// What is above the IOMMU's addresses is another rule's (iommu-range.ts).
			const end = Math.min(last, 2 ** iommu.inputBits - 1);
			let compared = 0;
			for (let at = first; at <= end; ) {
				const leaf = iommu.leaf(port.stream, NO_PASID, at);
				const good = this.#agrees(watch, port, iommu, at, leaf, fn);
				if (!good) return;
				// The rest of a long range is as good as its end.
				const next = leaf.iova + leaf.size;
				at = ++compared === COMPARED && next <= end ? Math.max(next, end) : next;
			}
			// Rights may differ by stream; where nothing is mapped they do not.
			if (watch.mappings.find(first) === null) return;
		}
	}

	#agrees(watch: DomainWatch, port: DmaPort, iommu: Iommu, at: number, leaf: Leaf, fn: string): boolean {
		const meant = watch.mappings.find(at);
		const phys = meant === null ? -1 : meant.value.phys + (at - meant.value.iova);
		const rights = meant === null ? 0 : meant.value.prot & (READ | WRITE);
		if (leaf.phys !== phys && !(phys >= 0 && rights === 0 && leaf.phys < 0)) {
			const walk = iommu.explain(port.stream, at);
			const dirty = walk.steps.find((step) => step.dirty && step.memory !== step.cpu);
			const how =
				dirty !== undefined
					? `the word at ${hex(dirty.addr, 8)} is stored in the CPU's cache and has not been cleaned`
					: 'the word in memory is another one';
			const said = leaf.phys < 0 ? 'map nothing there' : `lead to ${hex(leaf.phys, 8)}`;
			const want = phys < 0 ? 'not mapped any more' : `mapped to ${hex(phys, 8)}`;
			this.watched.find({
				invariant: 'INV-CLEAN',
				kind: phys < 0 ? 'still-in-tables' : 'not-in-tables',
				device: iommu.name,
				moment: 'return',
				what: `${fn}()`,
				place: fn,
				details: [
					`${fn}() has returned, ${hex(at, 8)} is ${want}, and the tables in memory ${said}: ${how}`,
					walk.text,
				],
				advice:
					dirty !== undefined
						? `${fn}() stored the ${dirty.table} word at ${hex(dirty.addr, 8)} and did not clean its line (dma_sync_single_for_device(), of all words that it wrote)`
						: `${fn}() wrote a wrong word for ${hex(at, 8)}, wrote it at the wrong index, or wrote none`,
			});
			return false;
		}
		if (phys >= 0 && leaf.phys >= 0 && leaf.rights !== rights) {
			this.watched.find({
				invariant: 'INV-PERM',
				kind: 'wrong-rights',
				device: port.name,
				moment: 'return',
				what: `${fn}()`,
				place: fn,
				details: [
					`${fn}() has returned, ${hex(at, 8)} was mapped for ${accessText(rights)}, and the hardware lets ${port.name} ${accessText(leaf.rights)}`,
					iommu.explain(port.stream, at).text,
				],
				advice: `${fn}() turns the prot argument into the wrong bits of the word at ${hex(leaf.wordAddr, 8)}, or the registers that give these bits their meaning for ${port.name} are set up wrong`,
			});
			return false;
		}
		return true;
	}

	/** What the caches hold for [@first, @last], after what was to make them forget. */
	#caches(watch: DomainWatch, first: number, last: number, fn: string, owed: Owed | null): void {
		const seen = new Set<Iommu>();
		for (const port of this.#ports(watch)) {
			const iommu = this.watched.machine.iommuOf(port)!;
			if (seen.has(iommu)) continue;
			seen.add(iommu);
			const [wrong] = iommu.contradictions(first, last);
			if (wrong === undefined) continue;
			const did = this.#commands.get(iommu) ?? [];
			const commands = did.length === 0 ? 'no invalidation has taken effect' : `there was ${did.join(', ')}`;
			const what =
				owed === null
					? `${fn}() has returned after a mapping of ${hex(first, 8)}..${hex(last, 8)}`
					: `${owed.by}() has unmapped ${hex(owed.first, 8)}..${hex(owed.last, 8)}, ${fn}() has returned`;
			this.watched.find({
				invariant: wrong.invariant,
				kind: owed === null ? 'stale-after-map' : 'stale-after-unmap',
				device: iommu.name,
				moment: 'return',
				what: `${fn}()`,
				place: fn,
				details: [
					`${what}, and ${wrong.text}`,
					`Between the change of the tables and now ${commands}`,
					...(owed === null ? [] : owed.event.lines('Unmapped')),
					iommu.explain(Math.max(0, wrong.entry.stream), Math.max(first, placeOf(wrong))).text,
				],
				advice:
					did.length === 0
						? `${fn}() does not invalidate at all: the ${wrong.cache.name} still has ${hex(wrong.entry.iova, 8)}`
						: `what ${fn}() invalidates (${did.join(', ')}) does not cover ${hex(wrong.entry.iova, 8)} in the ${wrong.cache.name}, came before the word was clean, or was not waited for`,
			});
		}
	}
}

/** The address to explain @wrong at: a stream's record has none but that of the access that brought it in. */
function placeOf({ cache, entry }: Contradiction): number {
	return cache.kind === 'streams' ? entry.at : entry.iova;
}

/** Whether the IOMMU of @dev is switched off by runtime PM: its driver sets it up when it is on again. */
function isSuspended(dev: device): boolean {
	const power = dev.iommu?.iommu_dev?.dev?.parent?.power;
	return power !== undefined && power.disable_depth === 0 && power.runtime_status !== RPM_ACTIVE;
}

function stateOf(domain: iommu_domain): StreamState {
	if (domain.type === IOMMU_DOMAIN_BLOCKED) return 'block';
	if (domain.type === IOMMU_DOMAIN_IDENTITY) return 'bypass';
	return domain.type & __IOMMU_DOMAIN_PAGING ? 'translate' : 'block';
}
