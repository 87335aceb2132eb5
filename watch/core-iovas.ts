// SPDX-License-Identifier: GPL-2.0-only
// Device addresses as they are given out and come back, range by range, in frames of the space's granule.
//
//   INV-RANGE  a range begins too low, ends too high, has another size, or is not aligned to it
//   INV-IOVA   it overlaps another, has a part that is reserved, waits to be flushed, or is free at the same time
//   INV-ERR    there is room, and the answer is that there is none
//   INV-LEAK   what a space has is not freed with it
//   INV-RACE   the tree of ranges changes, and its lock is not held
//   INV-REFS   a timer outlives what it is for

import type { iommu_dma_cookie } from '#drivers/iommu/dma-iommu.js';
import { iommu_get_resv_regions, iommu_put_resv_regions } from '#drivers/iommu/iommu.js';
import { hex } from '#hw/core/register-file.js';
import { timer_pending } from '#kernel/time/timer.js';
import { rb_first, rb_next, rb_prev } from '#lib/rbtree.js';
import { dev_name, type device } from '#linux/device.js';
import {
	IOMMU_CAP_DEFERRED_FLUSH,
	IOMMU_DOMAIN_DMA_FQ,
	IOMMU_RESV_SW_MSI,
	type iommu_domain,
	type iommu_resv_region,
} from '#linux/iommu.js';
import type { iova, iova_domain } from '#linux/iova.js';
import { list_for_each_entry, list_head } from '#linux/list.js';
import { rb_find } from '#linux/rbtree.js';
import { slab_fault } from '#mm/failslab.js';
import { slab_state } from '#mm/slub.js';
import type { After, RuleSet } from './core-calls.js';
import { isCachedFree, magazinesOf } from './iovas.js';
import { asReturns, type Invariant } from './report.js';
import type { Watched } from './watcher.js';

/** Ranges of fewer frames are rounded up to a power of two, as they are kept for reuse. */
const ROUNDED_BELOW = 32;

export class CoreIovas {
	constructor(readonly watched: Watched) {}

	addTo(set: RuleSet): void {
		const locked =
			(fn: string) =>
			(iovad: iova_domain): null =>
				this.#locked(fn, iovad);
		set
			.on(
				'alloc_iova',
				(iovad: iova_domain, size: number, limit: number, aligned: boolean): After<iova | null> => {
					// A size that has failed below 4 GiB is not looked for there, until something is freed.
					const known = limit < iovad.dma_32bit_pfn && size >= iovad.max32_alloc_size;
					return (entry) => {
						if (entry !== null) {
							if (this.#inTree('alloc_iova', iovad, entry, size))
								this.#fits('alloc_iova', iovad, entry.pfn_lo, size, limit, aligned ? roundup(size) : 1);
						} else if (!known) this.#hasNoRoom('alloc_iova', iovad, size, limit, aligned);
					};
				},
			)
			.on(
				'alloc_iova_fast',
				(iovad: iova_domain, size: number, limit: number): After<number> =>
					(pfn) => {
						if (pfn === 0) return;
						const frames = size < ROUNDED_BELOW ? roundup(size) : size;
						this.#fits('alloc_iova_fast', iovad, pfn, frames, limit, 1);
						this.#isTaken(iovad, pfn, frames);
					},
			)
			.on(
				'reserve_iova',
				(iovad: iova_domain, lo: number, hi: number): After<iova | null> =>
					(entry) => {
						if (entry !== null) this.#isReserved('reserve_iova', iovad, lo, hi, 'it');
					},
			)
			.on('put_iova_domain', (iovad: iova_domain) => this.#puts('put_iova_domain', iovad))
			.on('iommu_put_dma_cookie', ({ iova_cookie }: iommu_domain): After<void> | null => {
				if (iova_cookie === null) return null;
				const { iovad, fq_domain, fq_timer } = iova_cookie;
				const puts = iovad.granule === 0 ? null : this.#puts('iommu_put_dma_cookie', iovad);
				return () => {
					puts?.();
					if (fq_domain !== null && timer_pending(fq_timer) !== 0)
						this.#find('INV-REFS', 'timer-left', 'iommu_put_dma_cookie', {
							details: ['iommu_put_dma_cookie() has returned, and the timer of the flush queue still runs'],
							advice:
								'iommu_dma_free_fq() has to del_timer_sync() the timer of the queue before the domain goes: it would flush what is freed',
						});
				};
			})
			.on('remove_iova', locked('remove_iova'))
			.on('iova_insert_between', locked('iova_insert_between'))
			.on('iova_insert_rbtree', locked('iova_insert_rbtree'))
			.on(
				'iommu_dma_alloc_iova',
				(domain: iommu_domain, size: number, limit: number, dev: device): After<number> | null =>
					this.#inReach(domain, size, limit, dev),
			)
			.on(
				'__iommu_dma_init_domain',
				(domain: iommu_domain, dev: device): After<number> =>
					(ret) => {
						if (ret === 0) this.#initialised(domain, dev);
					},
			);
	}

	/** [@pfn, @pfn + @size) lies where it may. */
	#fits(fn: string, iovad: iova_domain, pfn: number, size: number, limit: number, align: number): void {
		const range = span(pfn, pfn + size - 1);
		if (pfn + size - 1 > limit)
			this.#find('INV-RANGE', 'iova-above-limit', fn, {
				details: [`${fn}() was asked for ${size} frames up to ${hex(limit)}, and has given ${range}`],
				advice: `${fn}() must give a range whose last frame is not above limit_pfn: compared with the limit is its first frame only, or another limit${fn === 'alloc_iova_fast' ? ' (iova_rcache_get() and iova_magazine_pop() look at limit_pfn - size for what is cached)' : ''}`,
			});
		if (pfn < iovad.start_pfn)
			this.#find('INV-RANGE', 'iova-below-start', fn, {
				details: [`${fn}() has given ${range}, and the space begins at ${hex(iovad.start_pfn)}`],
				advice: `__alloc_and_insert_iova_range() must not go below iovad->start_pfn`,
			});
		if (pfn % align !== 0)
			this.#find('INV-RANGE', 'iova-not-aligned', fn, {
				details: [`${fn}() was asked for ${size} frames, aligned to their size, and has given ${range}`],
				advice: `__alloc_and_insert_iova_range() has to align the first frame to size rounded up to a power of two (align_mask) when size_aligned is set: a device, or what is cached for reuse, counts on it`,
			});
	}

	/** @entry is in the tree as it is, and overlaps no neighbour; false: not. */
	#inTree(fn: string, iovad: iova_domain, entry: iova, size: number): boolean {
		const { pfn_lo, pfn_hi } = entry;
		const range = span(pfn_lo, pfn_hi);
		if (pfn_hi - pfn_lo + 1 !== size) {
			this.#find('INV-IOVA', 'iova-wrong-size', fn, {
				details: [`${fn}() was asked for ${size} frames, and ${range} is taken: ${pfn_hi - pfn_lo + 1}`],
				advice: `__alloc_and_insert_iova_range() has to take size frames (pfn_hi = new_pfn + size - 1): the next range may get what is missing`,
			});
			return false;
		}
		const [before, after] = [rb_prev(entry) as iova | null, rb_next(entry) as iova | null];
		const other = before !== null && before.pfn_hi >= pfn_lo ? before : after;
		if (other === null || (other !== before && other.pfn_lo > pfn_hi)) return true;
		this.#find('INV-IOVA', 'iova-overlap', fn, {
			details: [`${fn}() has given ${range}, and ${span(other.pfn_lo, other.pfn_hi)} is taken`],
			advice: `__alloc_and_insert_iova_range() gives a range that overlaps its neighbour: it has to fit between the end of the one before (pfn_hi) and the begin of the one behind`,
		});
		return false;
	}

	/** [@pfn, @pfn + @size), which was given out, is taken as one range of the tree, and cached nowhere. */
	#isTaken(iovad: iova_domain, pfn: number, size: number): void {
		const entry = rb_find(pfn, iovad.rbroot, (key, at) => key - (at as iova).pfn_lo) as iova | null;
		if (entry === null || entry.pfn_hi < pfn + size - 1)
			this.#find('INV-IOVA', 'iova-not-taken', 'alloc_iova_fast', {
				details: [
					`alloc_iova_fast() has given ${span(pfn, pfn + size - 1)}, and ${entry === null ? 'that is not in the tree' : `only ${span(pfn, entry.pfn_hi)} is in the tree`}: another may get it, too`,
				],
				advice: `what was cached for ${size} frames is not such a range: free_iova_fast() was called with another size than alloc_iova_fast(), __alloc_and_insert_iova_range() took too few frames, or a magazine has a frame that was given back to the tree`,
			});
		else if (isCachedFree(iovad, pfn, size))
			this.#find('INV-IOVA', 'iova-given-twice', 'alloc_iova_fast', {
				details: [`alloc_iova_fast() has given ${span(pfn, pfn + size - 1)}, and it is still cached as free`],
				advice: `iova_magazine_pop() has to take what it gives out of the magazine; or the range was freed twice`,
			});
	}

	/** No: a look at all that is taken says the same. */
	#hasNoRoom(fn: string, iovad: iova_domain, size: number, limit: number, aligned: boolean): void {
		// There may have been no memory for it, either.
		const cache = [...list_for_each_entry(slab_state.slab_caches)].find(({ name }) => name === 'iova');
		if (cache === undefined || this.watched.machine.hook !== null || this.#failing()) return;
		const align = aligned ? roundup(size) : 1;
		let low = iovad.start_pfn;
		const gap = (end: number): number => {
			const first = Math.floor((Math.min(end, limit + 1) - size) / align) * align;
			return first >= low ? first : -1;
		};
		for (let node = rb_first(iovad.rbroot); node !== null; node = rb_next(node)) {
			const { pfn_lo, pfn_hi } = node as iova;
			const first = gap(pfn_lo);
			if (first >= 0) {
				this.#find('INV-ERR', 'iova-room-not-found', fn, {
					details: [
						`${fn}() has found no room for ${size} frames up to ${hex(limit)}, and ${span(first, first + size - 1)} is free`,
					],
					advice: `__alloc_and_insert_iova_range() has to search once more, from the limit down to where it began (retry_pfn), before it gives up; or max32_alloc_size or a cached node was not reset when a range was freed (__cached_rbnode_delete_update())`,
				});
				return;
			}
			low = Math.max(low, pfn_hi + 1);
			if (low > limit) return;
		}
	}

	/** Somebody has allocations fail. */
	#failing(): boolean {
		return slab_fault.nth !== 0 || slab_fault.failed !== 0;
	}

	#isReserved(fn: string, iovad: iova_domain, lo: number, hi: number, what: string): boolean {
		let at = lo;
		for (let node = rb_first(iovad.rbroot); node !== null && at <= hi; node = rb_next(node)) {
			const { pfn_lo, pfn_hi } = node as iova;
			if (pfn_lo <= at && pfn_hi >= at) at = pfn_hi + 1;
		}
		if (at > hi) return true;
		this.#find('INV-IOVA', 'iova-not-reserved', fn, {
			details: [`${fn}() was to keep ${span(lo, hi)} free, and ${hex(at)} of ${what} may still be given out`],
			advice: `${fn}() must put all of ${span(lo, hi)} into the tree (reserve_iova()), also where parts of it are there: what is left above the last of them is a range of its own`,
		});
		return false;
	}

	/** What @iovad has goes with it. */
	#puts(fn: string, iovad: iova_domain): After<void> {
		const magazines = iovad.rcaches === null ? 0 : magazinesOf(iovad);
		let ranges = 0;
		for (let node = rb_first(iovad.rbroot); node !== null; node = rb_next(node))
			if (node !== iovad.anchor) ranges++;
		const before = { iova: liveOf('iova'), iova_magazine: liveOf('iova_magazine') };
		return () => {
			for (const [name, had, advice] of [
				['iova', ranges, 'put_iova_domain() has to free every range of the tree'],
				[
					'iova_magazine',
					magazines,
					'free_iova_rcaches() has to free the magazines of all CPUs, loaded and prev, and those of the depot',
				],
			] as const) {
				const left = had - (before[name] - liveOf(name));
				if (left <= 0) continue;
				this.#find('INV-LEAK', 'iova-space-leak', fn, {
					details: [
						`${fn}() has returned, and ${left} of ${had} objects of type ${name} of the space are not freed`,
					],
					advice: `${fn === 'put_iova_domain' ? '' : 'iommu_put_dma_cookie() has to put_iova_domain(); '}${advice}`,
				});
			}
		};
	}

	#locked(fn: string, iovad: iova_domain): null {
		if (!iovad.iova_rbtree_lock.locked)
			this.#find('INV-RACE', 'lock-not-held', fn, {
				details: [`${fn}() changes the tree of ranges, and iova_rbtree_lock is not held`],
				advice: `the caller of ${fn}() (see the trace) has to hold iovad->iova_rbtree_lock, with interrupts off (spin_lock_irqsave()): interrupts map and unmap, too`,
			});
		return null;
	}

	/** What dma-iommu gives a device is in the domain's aperture and the device's reach. */
	#inReach(domain: iommu_domain, size: number, limit: number, dev: device): After<number> | null {
		const { granule } = domain.iova_cookie?.iovad ?? { granule: 0 };
		if (granule === 0) return null;
		const { aperture_start, aperture_end, force_aperture } = domain.geometry;
		return (addr) => {
			if (addr === 0) return;
			const last = addr + size - 1;
			const range = `[${hex(addr, 8)}, ${hex(last + 1, 8)})`;
			for (const [name, most] of [
				['the mask that it was given', limit],
				['bus_dma_limit', dev.bus_dma_limit as number],
				['geometry.aperture_end', force_aperture ? (aperture_end as number) : 0],
			] as const) {
				if (most === 0 || last <= most - (most % granule) + granule - 1) continue;
				this.#find('INV-RANGE', 'iova-out-of-reach', 'iommu_dma_alloc_iova', {
					details: [
						`iommu_dma_alloc_iova() has given ${dev_name(dev)} ${range}, and ${name} is ${hex(most)}`,
					],
					advice: `iommu_dma_alloc_iova() has to ask alloc_iova_fast() for an address up to the least of dma_limit, dev->bus_dma_limit (0: none) and, with force_aperture, domain->geometry.aperture_end: ${name} is left out`,
				});
			}
			if (force_aperture && addr < aperture_start)
				this.#find('INV-RANGE', 'iova-out-of-reach', 'iommu_dma_alloc_iova', {
					details: [
						`iommu_dma_alloc_iova() has given ${dev_name(dev)} ${range}, and geometry.aperture_start is ${hex(aperture_start as number)}`,
					],
					advice:
						'__iommu_dma_init_domain() has to begin the space (base_pfn) at geometry.aperture_start, or page 1',
				});
		};
	}

	/** @domain's space is ready for @dev. */
	#initialised(domain: iommu_domain, dev: device): void {
		const cookie: iommu_dma_cookie | null = domain.iova_cookie;
		if (cookie === null || cookie.iovad.granule === 0) return;
		const fn = '__iommu_dma_init_domain';
		const queues = domain.type === IOMMU_DOMAIN_DMA_FQ || cookie.fq_domain !== null;
		const { ops } = dev.iommu?.iommu_dev ?? { ops: null };
		if (queues && ops?.capable?.(dev, IOMMU_CAP_DEFERRED_FLUSH) !== true)
			this.#find('INV-TLB-UNMAP', 'queue-without-capability', fn, {
				details: [
					`${fn}() has returned, unmaps of ${dev_name(dev)}'s domain wait in a flush queue, and its IOMMU's driver has not IOMMU_CAP_DEFERRED_FLUSH`,
				],
				advice: `${fn}() has to fall back to IOMMU_DOMAIN_DMA when device_iommu_capable(dev, IOMMU_CAP_DEFERRED_FLUSH) says no: that driver counts on iotlb_sync() after each unmap`,
			});
		// To ask takes memory, and who counts allocations shall not count that.
		if (slab_fault.nth !== 0) return;
		const regions = new list_head<iommu_resv_region>();
		iommu_get_resv_regions(dev, regions);
		const { granule } = cookie.iovad;
		for (const { type, start, length } of list_for_each_entry(regions)) {
			const last = (start as number) + length - 1;
			if (type === IOMMU_RESV_SW_MSI) continue;
			const what = `the region [${hex(start as number, 8)}, ${hex(last + 1, 8)}) that ${dev_name(dev)} reserves`;
			const [lo, hi] = [Math.floor((start as number) / granule), Math.floor(last / granule)];
			if (!this.#isReserved(fn, cookie.iovad, lo, hi, what)) break;
		}
		iommu_put_resv_regions(dev, regions);
	}

	#find(
		invariant: Invariant,
		kind: string,
		fn: string,
		said: { readonly details: readonly string[]; readonly advice: string },
	): void {
		this.watched.find({ invariant, kind, device: 'iova', ...asReturns(fn), ...said });
	}
}

function roundup(size: number): number {
	let power = 1;
	while (power < size) power *= 2;
	return power;
}

function span(lo: number, hi: number): string {
	return `frames [${hex(lo)}, ${hex(hi)}]`;
}

/** How many objects there are of the cache @name. */
function liveOf(name: string): number {
	let live = 0;
	for (const cache of list_for_each_entry(slab_state.slab_caches))
		if (cache.name === name) live += cache.live;
	return live;
}
