// SPDX-License-Identifier: GPL-2.0-only
// What CPU and device see of a buffer as a function of the DMA API returns.
//
//   INV-LIVE-MAP  the addresses that a mapping answered lead to the buffer's own pages, or to its copy in a bounce pool
//   INV-PERM      with the rights that the direction asks for
//   INV-RANGE     within the device's mask
//   INV-OWN       who gets the buffer sees what the other has written: no dirty line is left for a device that does not
//                 snoop, no stale one for the CPU
//   INV-BOUNCE    buffer and copy agree

import { PAGE_SIZE } from '#asm/page-def.js';
import type { Ram } from '#hw/core/ram.js';
import { hex } from '#hw/core/register-file.js';
import { READ, WRITE } from '#hw/iommu/iommu.js';
import { for_each_sg, sg_next } from '#lib/scatterlist.js';
import type { device } from '#linux/device.js';
import { dma_to_phys } from '#linux/dma-direct.js';
import { DMA_FROM_DEVICE, DMA_TO_DEVICE } from '#linux/dma-direction.js';
import {
	DMA_ATTR_SKIP_CPU_SYNC,
	DMA_BIT_MASK,
	dma_get_mask,
	dma_get_max_seg_size,
	dma_get_min_align_mask,
	dma_get_seg_boundary,
} from '#linux/dma-mapping.js';
import { IOMMU_CACHE } from '#linux/iommu.js';
import { min_not_zero } from '#linux/minmax.js';
import type { scatterlist } from '#linux/scatterlist.js';
import { swiotlb_find_pool } from '#linux/swiotlb.js';
import type { DomainWatch } from './domain-set.js';
import type { Domains } from './domains.js';
import { type Client, directionText, driverOf, type Mapping, type Part } from './mappings.js';
import { asReturns, type Invariant } from './report.js';
import type { Watched } from './watcher.js';

/** What is compared of a range: all of it up to here, of a longer one this much of both ends. */
const COMPARED = 16384;
/** The same for lines. */
const SEARCHED = 524288;
/** How many pages of a mapping are looked up. */
const PAGES = 64;

const OLD_FOR_CPU = 'the CPU has an old copy of what the device wrote';

/** What was in a bounce slot, and in its buffer. */
export interface Copies {
	readonly part: Part;
	readonly buffer: Uint8Array;
	readonly slot: Uint8Array;
}

/** A range of bytes as both have it. */
interface Bytes {
	readonly part: Part;
	/** From the part's beginning. */
	readonly from: number;
	readonly size: number;
}

export class BufferViews {
	/** The last mask of each device that was looked at. */
	readonly #masks = new WeakMap<device, number>();

	constructor(
		readonly watched: Watched,
		readonly domains: Domains,
	) {}

	/** @mapping was just made: where its addresses lead. */
	mapped(mapping: Mapping): void {
		const watch = this.#domain(mapping.client);
		this.#mask(mapping);
		for (const part of mapping.parts) {
			if (!this.#leads(mapping, part, watch)) return;
			if (!this.#inReach(mapping, part)) return;
		}
		if (watch !== null) this.#rights(mapping, watch);
		// Memory that was allocated for streaming is cleared last: its syncs are the caller's.
		if ((mapping.kind === 'page' || mapping.kind === 'sg') && mapping.routed)
			this.#forDevice(mapping, mapping.made.what);
	}

	/** @bytes are the device's from now on. */
	syncedForDevice(bytes: Bytes, fn: string): void {
		const { part, from, size } = bytes;
		if (part.mapping.dir !== DMA_FROM_DEVICE)
			this.#copies(bytes, fn, 'the copy that the device reads is an old one');
		this.#clean(part, part.actual + from, size, fn);
	}

	/** @bytes are the CPU's from now on. */
	syncedForCpu(bytes: Bytes, fn: string): void {
		const { part, from, size } = bytes;
		const { mapping, actual } = part;
		if (mapping.dir === DMA_TO_DEVICE) return;
		if (part.raced) {
			part.raced = false;
			return;
		}
		if (part.bounced) this.#copies(bytes, fn, OLD_FOR_CPU);
		const { ram } = this.watched.machine;
		if (mapping.client.dev.dma_coherent || !ram.is_ram(actual + from, size)) return;
		const line = firstLine(ram, actual + from, size, true);
		if (line < 0) return;
		this.#find(mapping, 'INV-OWN', 'stale-for-cpu', fn, {
			details: [
				`${fn}() has returned, and the CPU's line at ${hex(line, 8)} does not have what is in memory: it is ${line - actual} bytes from the beginning of the buffer`,
			],
			advice: `${fn}() did not invalidate the CPU's lines of [${hex(actual + from, 8)}, ${hex(actual + from + size, 8)}) (arch_sync_dma_for_cpu(), for every device that is not coherent, of the whole range, when the direction is not DMA_TO_DEVICE)`,
		});
	}

	/** What bounce slots and buffers of @mapping hold before it is unmapped; null: nothing bounces. */
	beforeUnmap(mapping: Mapping): Copies[] | null {
		if (mapping.dir === DMA_TO_DEVICE) return null;
		const { ram } = this.watched.machine;
		const bounced = mapping.parts.filter((part) => part.bounced && ram.is_ram(part.phys, part.size));
		if (bounced.length === 0) return null;
		return bounced
			.filter(({ raced }) => !raced)
			.map((part) => {
				const size = Math.min(part.size, COMPARED);
				// The CPU's lines of the slot are dropped only now.
				const slot = mapping.client.dev.dma_coherent
					? ram.peekCpu(part.actual, size)
					: ram.peekMemory(part.actual, size);
				return { part, buffer: ram.peekCpu(part.phys, size), slot };
			});
	}

	/** @mapping was unmapped by @fn some time ago: the CPU may have stored to it since. */
	afterUnmap(mapping: Mapping, copies: Copies[] | null, fn: string): void {
		for (const part of mapping.parts)
			if (!part.bounced) this.syncedForCpu({ part, from: 0, size: part.size }, fn);
		for (const { part, buffer, slot } of copies ?? []) {
			const now = this.watched.machine.ram.peekCpu(part.phys, buffer.length);
			// What has its old value was not copied.
			const wrong = slot.findIndex((byte, i) => byte !== buffer[i] && now[i] === buffer[i]);
			if (wrong >= 0) this.#differs({ part, from: 0, size: part.size }, wrong, fn, OLD_FOR_CPU);
		}
	}

	/** Entry @entry of a list's @mapping does not fit the segment that it is to be in. */
	segments(mapping: Mapping, entry: number, length: number, bytes: number): void {
		this.#find(mapping, 'INV-RANGE', 'wrong-segments', mapping.made.what, {
			details: [
				`Entry ${entry} ends ${bytes} bytes behind the beginning of a segment of ${length}: the segments of the list do not have the bytes of its entries`,
			],
			advice: `the segments' dma_address and dma_length, or the lengths of the entries, are wrong: __finalise_sg() (or dma_direct_map_sg()) has to give each entry's bytes to one segment, and to leave length and offset as the caller had them`,
		});
	}

	/** The @ents segments of @sgl, which @nents entries came out as, against the device's limits. */
	limits(mapping: Mapping, sgl: scatterlist, nents: number, ents: number): void {
		const { dev, domain } = mapping.client;
		if (domain === null || ents === nents) return;
		// Behind an entry that is too long by itself Linux joins what comes.
		for (const { length } of for_each_sg(sgl, nents)) if (length > dma_get_max_seg_size(dev)) return;
		const [longest, boundary] = [dma_get_max_seg_size(dev), dma_get_seg_boundary(dev)];
		const span = boundary + 1;
		let sg: scatterlist | null = sgl;
		for (let i = 0; i < ents && sg !== null; i++, sg = sg_next(sg)) {
			const { dma_address: addr, dma_length: length } = sg;
			const crosses = Math.floor(addr / span) !== Math.floor((addr + length - 1) / span);
			if (length <= Math.max(longest, sg.length) && !(crosses && length <= span)) continue;
			this.#find(mapping, 'INV-RANGE', 'wrong-segments', mapping.made.what, {
				details: [
					`Segment ${i} is [${hex(addr, 8)}, ${hex(addr + length, 8)}): the device takes ${longest} bytes in one, and none across a multiple of ${hex(span)}`,
				],
				advice: `__finalise_sg() joined entries into a segment that is too long (dma_get_max_seg_size()) or crosses a boundary (dma_get_seg_boundary())`,
			});
			return;
		}
	}

	/** @mapping is new coherent or non-coherent memory, the CPU's at @cpu (null: not shown). */
	allocated(mapping: Mapping, cpu: Uint8Array | null): void {
		const { client, kind, size, made } = mapping;
		const fn = made.what;
		if (cpu === null) return;
		const { ram } = this.watched.machine;
		const n = Math.min(size, COMPARED);
		const dirtyByte = cpu.subarray(0, n).findIndex((byte) => byte !== 0);
		const tail =
			size > n ? cpu.subarray(size - Math.min(size - n, PAGE_SIZE)).findIndex((byte) => byte !== 0) : -1;
		if (dirtyByte >= 0 || tail >= 0) {
			this.#find(mapping, 'INV-BOUNCE', 'not-zeroed', fn, {
				details: [
					`${fn}() has returned memory whose byte ${dirtyByte >= 0 ? dirtyByte : `${tail} of the last page`} is not 0`,
				],
				advice: `${fn}() has to clear all of the memory: the device, and user space, would see what was there before`,
			});
			return;
		}
		if (kind !== 'coherent' || client.dev.dma_coherent) return;
		for (const part of mapping.parts) {
			if (!ram.is_ram(part.phys, part.size)) continue;
			const line = firstLine(ram, part.phys, part.size, false);
			const cached = !ram.isUncached(part.phys) && client.dev.dma_mem === null;
			if (line < 0 && !cached) continue;
			this.#find(mapping, 'INV-OWN', cached ? 'cached-coherent' : 'dirty-coherent', fn, {
				details: [
					cached
						? `${fn}() has returned a cached mapping of the page at ${hex(part.phys, 8)} for a device that does not snoop`
						: `${fn}() has returned, and the line at ${hex(line, 8)} is still dirty in the cache: it will be written over what the CPU stores past the cache`,
				],
				advice: cached
					? `${fn}() needs a mapping with dma_pgprot() (non-cacheable) for a device that is not coherent`
					: `arch_dma_prep_coherent() has to clean all pages of the memory before they are mapped non-cacheable`,
			});
			return;
		}
	}

	/** @mapping has ended: nothing leads there any more. */
	unmapped(mapping: Mapping): void {
		const watch = this.#domain(mapping.client);
		if (watch === null) return;
		for (const { first, last } of mapping.parts) {
			const still = watch.mappings.first(first, last);
			// Another mapping may have its addresses by now.
			if (still === null || still.value.made.number > (mapping.ended?.number ?? 0)) continue;
			const fn = mapping.ended?.what ?? 'the unmapping';
			this.#find(mapping, 'INV-LEAK', 'still-mapped', fn, {
				details: [
					`${fn}() has returned, and ${hex(Math.max(still.first, first), 8)} is still mapped in the domain`,
				],
				advice: `${fn}() unmapped less than was mapped: [${hex(first, 8)}, ${hex(last + 1, 8)}) in whole IOMMU pages, the offset in the first page included`,
			});
			return;
		}
	}

	/** The domain that @client's mappings are in, when all of it is known. */
	#domain(client: Client): DomainWatch | null {
		const { domain } = client;
		const watch = domain === null ? null : this.domains.ofDevice(client.dev);
		return watch !== null && watch.domain === domain && !watch.partial ? watch : null;
	}

	/** Where the device's @addr was meant to lead; -1: nowhere. */
	#route(client: Client, watch: DomainWatch | null, addr: number): number {
		if (watch === null)
			return client.domain === null ? (dma_to_phys(client.dev, addr) as number) : Number.NaN;
		const range = watch.mappings.find(addr);
		return range === null ? -1 : range.value.phys + (addr - range.value.iova);
	}

	/** Whether @part leads to its buffer; where it leads to a copy, that is noted. */
	#leads(mapping: Mapping, part: Part, watch: DomainWatch | null): boolean {
		const { client } = mapping;
		const begin = this.#route(client, watch, part.first);
		if (Number.isNaN(begin)) {
			mapping.routed = false;
			return true;
		}
		if (begin !== part.phys && begin >= 0 && mapping.streaming && this.#inPool(client, begin, part.size)) {
			part.actual = begin;
			this.#aligned(mapping, part);
		}
		const step = Math.max(PAGE_SIZE, Math.floor(part.size / PAGES / PAGE_SIZE) * PAGE_SIZE);
		for (let at = part.first, i = 0; ; i++) {
			const phys = this.#route(client, watch, at);
			const meant = part.actual + (at - part.first);
			if (phys !== meant) {
				const fn = mapping.made.what;
				this.#find(mapping, 'INV-LIVE-MAP', 'wrong-translation', fn, {
					details: [
						`${fn}() has returned ${hex(mapping.addr, 8)}, byte ${at - mapping.addr} of the buffer is at ${hex(meant, 8)}, and the device comes to ${phys < 0 ? 'nothing' : hex(phys, 8)} at ${hex(at, 8)}`,
					],
					advice: `${fn}() mapped other pages than the buffer's, too few of them, or lost the buffer's offset in its first page: what it handed to iommu_map() does not cover [${hex(part.phys, 8)}, ${hex(part.phys + part.size, 8)}) from ${hex(part.first, 8)} on`,
				});
				return false;
			}
			if (at === part.last) return true;
			const next = i === 0 ? part.first - (part.first % PAGE_SIZE) + step : at + step;
			at = Math.min(next, part.last);
		}
	}

	/** A copy keeps the bits of the buffer's address that the device goes by, and begins a page when it fills one. */
	#aligned(mapping: Mapping, { phys, actual, size }: Part): void {
		const { dev, domain } = mapping.client;
		const mask = dma_get_min_align_mask(dev);
		const kept = phys % (mask + 1) === actual % (mask + 1);
		const paged = domain !== null || mask !== 0 || size < PAGE_SIZE || actual % PAGE_SIZE === 0;
		if (kept && paged) return;
		this.#find(mapping, 'INV-BOUNCE', 'misaligned-slot', mapping.made.what, {
			details: [
				`The buffer at ${hex(phys, 8)} has its copy at ${hex(actual, 8)}: ${kept ? 'a copy of a page or more begins at a page' : `the device goes by the address bits ${hex(mask)} (min_align_mask)`}`,
			],
			advice: `swiotlb_search_pool_area() has to take slots whose address ${kept ? 'is a multiple of PAGE_SIZE (align_mask) when alloc_size is a page or more' : "agrees with orig_addr in the bits of the device's min_align_mask"}`,
		});
	}

	/** The driver has not promised more lines, or bits, than there are, nor fewer than direct mappings take. */
	#mask(mapping: Mapping): void {
		const { dev, name, ports } = mapping.client;
		const coherent = isCoherent(mapping);
		const mask = coherent ? dev.coherent_dma_mask : dma_get_mask(dev);
		if (this.#masks.get(dev) === mask) return;
		// It maps by the mask that it is told, for a device that it does not know.
		if (dev.driver?.name === 'dma_map_benchmark') return;
		this.#masks.set(dev, mask);
		const lines = ports.map((port) => this.watched.machine.models.get(port.name)?.addressLines ?? 64);
		const most = DMA_BIT_MASK(Math.min(64, ...lines));
		if (min_not_zero(mask, dev.bus_dma_limit) <= most) return;
		const set = coherent ? 'dma_set_coherent_mask()' : 'dma_set_mask()';
		this.#find(mapping, 'INV-RANGE', 'mask-too-wide', mapping.made.what, {
			details: [
				`The ${coherent ? 'coherent ' : ''}DMA mask of ${name} is ${hex(mask)}, and the device has ${Math.min(...lines)} address lines`,
			],
			advice: `the driver${driverOf(mapping.made)} calls ${set} (or dma_set_mask_and_coherent()) with more bits than the device has, or dma_set_mask() keeps another mask than it was given: DMA_BIT_MASK(${Math.min(...lines)}); addresses above would be cut`,
		});
	}

	#inPool({ dev }: Client, phys: number, size: number): boolean {
		const pool = swiotlb_find_pool(dev, phys);
		return pool !== null && phys + size <= pool.end;
	}

	#inReach(mapping: Mapping, { last }: Part): boolean {
		const { dev } = mapping.client;
		const mask = isCoherent(mapping) ? dev.coherent_dma_mask : dma_get_mask(dev);
		// An IOMMU's space is cut into whole pages, that of the limit included.
		const granule = mapping.client.domain?.iova_cookie?.iovad.granule ?? 1;
		const most = min_not_zero(mask, dev.bus_dma_limit);
		const limit = most - (most % granule) + granule - 1;
		if (last <= limit || dev.dma_mem !== null) return true;
		const fn = mapping.made.what;
		this.#find(mapping, 'INV-RANGE', 'beyond-mask', fn, {
			details: [
				`${fn}() has returned, and ${hex(last)} is above ${hex(limit)}, the last address that the device can put on its bus`,
			],
			advice: `${fn}() gave an address without regard to the device's DMA mask or its bus_dma_limit (min_not_zero() of both is the limit, for the last byte)`,
		});
		return false;
	}

	#rights(mapping: Mapping, watch: DomainWatch): void {
		const range = watch.mappings.find(mapping.addr);
		if (range === null) return;
		const { prot } = range.value;
		const { dir, made, client } = mapping;
		const wanted = (dir === DMA_FROM_DEVICE ? 0 : READ) | (dir === DMA_TO_DEVICE ? 0 : WRITE);
		const snoops = client.dev.dma_coherent && mapping.kind !== 'resource';
		const [asked, meant] = [prot & (READ | WRITE | IOMMU_CACHE), wanted | (snoops ? IOMMU_CACHE : 0)];
		// Non-contiguous memory is mapped both ways, whatever its syncs will be.
		if (
			asked === meant ||
			mapping.kind === 'noncontiguous' ||
			mapping.kind === 'coherent' ||
			mapping.kind === 'pages'
		)
			return;
		this.#find(mapping, 'INV-PERM', 'wrong-prot', made.what, {
			details: [
				`${made.what}() has returned for ${directionText(dir)}, and iommu_map() was asked for prot 0x${prot.toString(16)}, where IOMMU_READ is 1, IOMMU_WRITE 2 and IOMMU_CACHE 4; expected 0x${meant.toString(16)} of these`,
			],
			advice: `dma_info_to_prot() turns the direction into the wrong rights, or its caller hands it another direction or coherency`,
		});
	}

	/** Nothing of @mapping is left for the CPU alone: lines, or a copy that was not filled. */
	#forDevice(mapping: Mapping, fn: string): void {
		const skipped = (mapping.attrs & DMA_ATTR_SKIP_CPU_SYNC) !== 0;
		for (const part of mapping.parts) {
			// The copy is filled whatever the direction: what the device does not write comes back as it was.
			if (
				part.bounced &&
				!this.#copies(
					{ part, from: 0, size: part.size },
					fn,
					'the device would read, or hand back, what was in the slot before',
				)
			)
				return;
			if (!skipped && !this.#clean(part, part.actual, part.size, fn)) return;
		}
	}

	/** No line of [@phys, @phys + @size) is dirty when the device does not snoop. */
	#clean({ mapping }: Part, phys: number, size: number, fn: string): boolean {
		const { ram } = this.watched.machine;
		if (mapping.client.dev.dma_coherent || size === 0 || !ram.is_ram(phys, size)) return true;
		const line = firstLine(ram, phys, size, false);
		if (line < 0) return true;
		this.#find(mapping, 'INV-OWN', 'dirty-for-device', fn, {
			details: [
				`${fn}() has returned, and the CPU's line at ${hex(line, 8)} is dirty: memory, which the device accesses, does not have it`,
			],
			advice: `${fn}() did not clean the CPU's lines of [${hex(phys, 8)}, ${hex(phys + size, 8)}) (arch_sync_dma_for_device(), for every device that is not coherent, of the whole range, whatever the direction)`,
		});
		return false;
	}

	/** Whether buffer and copy agree. */
	#copies({ part, from, size }: Bytes, fn: string, what: string): boolean {
		if (!part.bounced) return true;
		const { ram } = this.watched.machine;
		const [buffer, slot] = [part.phys + from, part.actual + from];
		if (!ram.is_ram(buffer, size) || !ram.is_ram(slot, size)) return true;
		const wrong = firstDifference(ram, buffer, slot, size);
		if (wrong >= 0) this.#differs({ part, from, size }, wrong, fn, what);
		return wrong < 0;
	}

	#differs({ part, from, size }: Bytes, wrong: number, fn: string, what: string): void {
		const [buffer, slot] = [part.phys + from, part.actual + from];
		this.#find(part.mapping, 'INV-BOUNCE', 'copy-differs', fn, {
			details: [
				`${fn}() has returned for [${hex(buffer, 8)}, ${hex(buffer + size, 8)}), whose copy is in the bounce slot at ${hex(slot, 8)}, and byte ${wrong} differs: ${what}`,
			],
			advice: `${fn}() did not copy between buffer and bounce slot, copied too little, at the wrong offset or in the wrong direction (swiotlb_bounce())`,
		});
	}

	#find(
		mapping: Mapping,
		invariant: Invariant,
		kind: string,
		fn: string,
		{ details, advice }: { details: readonly string[]; advice: string },
	): void {
		this.watched.find({
			invariant,
			kind,
			device: mapping.client.name,
			...asReturns(fn, `${fn} ${mapping.kind}`),
			details: [...details, ...mapping.lines()],
			advice,
		});
	}
}

/** Whether @mapping was allocated, with the mask for that. */
function isCoherent({ kind }: Mapping): boolean {
	return kind === 'coherent' || kind === 'pages' || kind === 'noncontiguous';
}

/** The first byte that the CPU sees differently at @a and at @b; -1: none of those that are compared. */
function firstDifference(
	ram: { peekCpu(phys: number, size: number): Uint8Array },
	a: number,
	b: number,
	size: number,
): number {
	const ends =
		size <= 2 * COMPARED
			? [[0, size]]
			: [
					[0, COMPARED],
					[size - COMPARED, COMPARED],
				];
	for (const [from, n] of ends) {
		const [x, y] = [ram.peekCpu(a + from, n), ram.peekCpu(b + from, n)];
		for (let i = 0; i < n; i++) if (x[i] !== y[i]) return from + i;
	}
	return -1;
}

/** The first line of [@phys, @phys + @size), of a longer range at its two ends, that is dirty, or is @stale; -1: none. */
function firstLine(ram: Ram, phys: number, size: number, stale: boolean): number {
	if (size > 2 * SEARCHED) {
		const line = firstLine(ram, phys, SEARCHED, stale);
		return line >= 0 ? line : firstLine(ram, phys + size - SEARCHED, SEARCHED, stale);
	}
	return stale ? ram.firstStale(phys, size) : ram.firstDirty(phys, size);
}
