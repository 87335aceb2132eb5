// SPDX-License-Identifier: GPL-2.0-only
// Who is attached to which domain: what an attach has done, to whom, and what is left when a domain is freed.
//
//   INV-PWR        an attach has moved another stream, or put this one on another domain's tables
//   INV-ERR        an attach that failed has moved a stream
//   INV-TABLE-LIVE a domain is freed that a stream still has
//   INV-TLB-UNMAP  or a cache

import type { DmaPort } from '#hw/core/dma-port.js';
import { hex } from '#hw/core/register-file.js';
import { type Iommu, NO_PASID, type StreamState } from '#hw/iommu/iommu.js';
import { dev_name, type device } from '#linux/device.js';
import type { iommu_domain, iommu_group } from '#linux/iommu.js';
import { RPM_ACTIVE } from '#linux/pm.js';
import { type Agreement, isPowered, type Stream } from './agreement.js';
import type { Contract } from './contract.js';
import { type DomainSet, type DomainWatch, isIdle, stateOf } from './domain-set.js';
import { asReturns } from './report.js';
import type { Tables } from './tables.js';
import type { Watched } from './watcher.js';

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

export class DomainAttach {
	/** Groups whose devices are on their way from one domain to another. */
	readonly #switching = new Set<iommu_group>();
	/** What attaches under way would move. */
	readonly #attaching: Attach[] = [];

	constructor(
		readonly watched: Watched,
		readonly set: DomainSet,
		readonly tables: Tables,
		readonly contract: Contract,
		readonly agreement: Agreement,
	) {}

	attaching(domain: iommu_domain, dev: device): void {
		if (dev.iommu_group !== null) this.#switching.add(dev.iommu_group);
		const streams = this.set.streamsOf(dev).filter(({ iommu }) => isPowered(this.watched, iommu));
		// What is walked before the switch: what the old tables have, and what the new ones will.
		const walked: number[] = [0];
		for (const watch of [this.set.ofDevice(dev), this.set.known(domain)]) {
			const ranges = watch?.mappings.all() ?? [];
			if (ranges.length !== 0) walked.push(ranges[0].first, ranges[ranges.length - 1].first);
		}
		if (!isIdle(dev))
			for (const { iommu, port } of streams)
				for (const iova of walked) iommu.speculate?.([port.stream], NO_PASID, iova);
		this.#attaching.push({ before: streams.map(wasOf), walked });
	}

	attached(domain: iommu_domain, dev: device, ret: number, fn: string): void {
		const group = dev.iommu_group;
		const before = this.#attaching.pop()?.before ?? [];
		const streams = this.set.streamsOf(dev);
		this.contract.attached(domain, ret, streams[0]?.iommu ?? null, dev_name(dev), fn);
		if (ret !== 0) {
			// Nothing follows: who was moved before it is attached once more, and told of, to go back.
			if (group !== null) this.#switching.delete(group);
			for (const was of before) this.#unmoved(was, ret, fn);
			return;
		}
		const watch = this.set.watch(domain);
		this.set.leave(dev);
		this.set.join(watch, dev);
		// The others of its group follow; until then the hardware may have them here or there.
		if (group !== null && this.set.isWhole(group, watch)) this.#switching.delete(group);
		const wanted = stateOf(domain);
		for (const stream of streams) {
			const { iommu, port } = stream;
			if (!isPowered(this.watched, iommu) || isSuspended(dev)) continue;
			if (!this.agreement.inState(stream, wanted, fn)) continue;
			if (wanted === 'translate') {
				watch.iommus.add(iommu);
				if (!this.#takeRoot(watch, stream, fn)) continue;
				for (const { first, last } of watch.mappings.all())
					this.agreement.compare([stream], watch.mappings, first, last, fn);
			}
			this.agreement.switched(iommu, fn, (iova) => watch.isOwed(iova));
			this.#unmovedOthers(watch, iommu, port, fn);
		}
	}

	/** An invalidation took effect: what the streams of an attach are not taken off yet may be cached again at once. */
	commanded(iommu: Iommu): void {
		for (const { before, walked } of this.#attaching)
			for (const was of before) {
				const { port, iommu: its } = was.stream;
				if (its !== iommu || was.root < 0 || wasOf(was.stream).root !== was.root) continue;
				for (const iova of walked) its.speculate?.([port.stream], NO_PASID, iova);
			}
	}

	/** Whether @dev is on its way. */
	isSwitching({ iommu_group: group }: device): boolean {
		return group !== null && this.#switching.has(group);
	}

	/** @dev was there before anybody watched. */
	adopt(dev: device): void {
		const domain = dev.iommu_group?.domain ?? null;
		if (domain === null) return;
		const watch = this.set.watch(domain);
		watch.partial = true;
		this.set.join(watch, dev);
		for (const { iommu, port } of this.set.streams(watch)) {
			watch.iommus.add(iommu);
			watch.root = iommu.rootOf?.(port.stream, NO_PASID) ?? -1;
			if (watch.root >= 0) this.tables.root(watch, iommu, watch.root);
		}
	}

	/** The table that @stream is on is @watch's, as its others have it, and no other domain's. */
	#takeRoot(watch: DomainWatch, { iommu, port }: Stream, fn: string): boolean {
		const root = iommu.rootOf?.(port.stream, NO_PASID) ?? -1;
		if (root < 0) return true;
		let wrong: string | null = null;
		for (const other of this.set.all())
			if (other !== watch && other.root === root && other.iommus.has(iommu))
				wrong = `those of the domain of ${this.set.name(other)}`;
		for (const other of this.set.translating(watch))
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
			...asReturns(fn),
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
		for (const other of this.set.all()) {
			if (other === watch || other.devices.length === 0) continue;
			const wanted = stateOf(other.domain);
			for (const dev of other.devices) {
				if (isSuspended(dev) || this.isSwitching(dev)) continue;
				for (const { port, iommu: its } of this.set.streamsOf(dev)) {
					if (its !== iommu || port === moved) continue;
					const { state, root } = wasOf({ port, iommu });
					const same = state === wanted || (wanted === 'bypass' && state === 'off');
					if (same && (wanted !== 'translate' || other.root < 0 || root === other.root)) continue;
					const where = state === 'translate' ? `translated by the tables at ${hex(root, 8)}` : `"${state}"`;
					this.watched.find({
						invariant: 'INV-PWR',
						kind: 'moved-another',
						device: port.name,
						...asReturns(fn),
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
			...asReturns(fn),
			details: [
				`${fn}() has returned ${ret}; ${port.name} was at "${was.state}", and is at "${state}"${root < 0 ? '' : ` by the tables at ${hex(root, 8)}`}`,
				iommu.explain(port.stream, 0).text,
			],
			advice: `${fn}() tells the hardware before all that can fail has been done, or does not go back when it fails`,
		});
	}

	/** No stream is on the tables whose root was at @root, and no cache has a word of them. */
	notInUse(root: number, iommus: ReadonlySet<Iommu>, fn: string): void {
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
					...asReturns(fn),
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
						...asReturns(fn),
						details: [
							`${fn}() has returned, and the ${cache.name} ${guessed} ${hex(entry.iova, 8)}+${hex(entry.size)} of its tables, tagged ${entry.tag}`,
						],
						advice: `${fn}() must invalidate all that is cached of the domain before its tables are freed and its number is given to another`,
					});
					return;
				}
		}
	}
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
