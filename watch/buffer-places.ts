// SPDX-License-Identifier: GPL-2.0-only
// What lies where: buffers beside each other in memory, and in the space of device addresses.
//
//   INV-OWN       a mapping shares cache lines with another, or with another allocation, while a device that does not
//                 snoop writes there; the CPU's stores to a device's buffer are dropped; a buffer goes back to the device
//                 and nobody has looked at what it wrote
//   INV-LIVE-MAP  memory is freed while a device has it mapped
//   INV-IOVA      a mapping gets addresses that another one has
//   INV-LEAK      a driver that goes leaves mappings behind

import { LINE_SIZE } from '#hw/core/ram.js';
import { hex } from '#hw/core/register-file.js';
import { DMA_TO_DEVICE } from '#linux/dma-direction.js';
import { DMA_ATTR_SKIP_CPU_SYNC } from '#linux/dma-mapping.js';
import { Intervals } from './intervals.js';
import { type Client, driverOf, type Mapping, type Part, Place } from './mappings.js';
import type { Allocation, Memory } from './memory.js';
import { asReturns, type Invariant } from './report.js';
import type { Watched } from './watcher.js';

export class BufferPlaces {
	readonly #places = new Intervals<Place>();
	/** What is being unmapped, and was told of before. */
	#leaving: Mapping | null = null;

	constructor(
		readonly watched: Watched,
		readonly memory: Memory,
	) {}

	clear(): void {
		this.#places.clear();
		this.#leaving = null;
	}

	/** @mapping is new, and not yet among those of its client. */
	mapped(mapping: Mapping, clients: readonly Client[]): void {
		if (mapping.client.domain !== null) this.#iova(mapping, clients);
		for (const part of mapping.parts) {
			if (mapping.kind === 'coherent') this.#aliases(part);
			else if (mapping.streaming) this.#lines(part);
		}
		for (const part of mapping.parts) {
			part.place = new Place(part);
			this.#places.add(part.place);
		}
	}

	/** @mapping is about to be ended, or was. */
	ended(mapping: Mapping): void {
		for (const part of mapping.parts) {
			if (part.place !== null) this.#places.delete(part.place);
			part.place = null;
		}
		this.#leaving = mapping;
	}

	/** Whether a live part has a byte of [@first, @last]. */
	has(first: number, last: number): boolean {
		return this.#places.find(first, last) !== null;
	}

	/** The live part that @wanted takes and that has a byte of [@first, @last]; null: none. */
	at(first: number, last: number, wanted?: (part: Part) => boolean): Part | null {
		const place = this.#places.find(first, last);
		if (place === null || wanted === undefined || wanted(place.part)) return place?.part ?? null;
		return this.#places.find(first, last, ({ part }) => wanted(part))?.part ?? null;
	}

	/** @allocation is about to be nobody's. */
	freed(allocation: Allocation): void {
		const { phys, size, what } = allocation;
		const part = this.at(phys, phys + size - 1);
		if (part === null) return;
		const { mapping } = part;
		this.#find(mapping, 'INV-LIVE-MAP', 'free-while-mapped', 'kfree', mapping.addr, {
			details: [
				`What is freed is mapped for ${mapping.client.name}: it may go on to access it`,
				...this.memory.lines(allocation),
			],
			advice: `the driver frees ${what} at ${hex(phys, 8)} before dma_unmap_*() of ${hex(mapping.addr, 8)}: first stop the device, then unmap, then free`,
		});
	}

	/** The CPU's stores to the line at @phys are lost. */
	dropped(phys: number): void {
		const last = phys + LINE_SIZE - 1;
		const leaving =
			this.#leaving?.parts.find((part) => part.phys <= last && part.phys + part.size > phys) ?? null;
		const part = this.at(phys, last, ({ mapping }) => mapping.streaming) ?? leaving;
		if (part === null || part.bounced) return;
		const { mapping } = part;
		this.#find(mapping, 'INV-OWN', 'lost-stores', 'dma_sync_for_cpu', mapping.addr, {
			details: [
				`The CPU has stored to the line at ${hex(phys, 8)}, byte ${Math.max(0, phys - part.phys)} of the buffer, while the device owned it; these stores are dropped now`,
			],
			advice: `the driver stores to the buffer between its mapping (or dma_sync_*_for_device()) and dma_sync_*_for_cpu() (or the unmap): store to it only while the CPU owns it`,
		});
	}

	/** @size bytes of @part from @from on go back to the device. */
	givenBack(part: Part, from: number, size: number, fn: string): void {
		const { mapping } = part;
		const looked = from >= part.lookedFrom && from + size <= part.lookedTo;
		const [low, high] = [Math.max(part.unseenFrom, from), Math.min(part.unseenTo, from + size)];
		// A check sequence behind a frame is nobody's wish.
		if (
			mapping.syncedForCpu !== null &&
			mapping.kind === 'page' &&
			!part.raced &&
			!looked &&
			high - low >= LINE_SIZE
		)
			this.#find(mapping, 'INV-OWN', 'missing-sync', fn, mapping.addr, {
				details: [
					`The device has written [${hex(part.first + part.unseenFrom, 8)}, ${hex(part.first + part.unseenTo, 8)}) beside what ${mapping.syncedForCpu.what}()${driverOf(mapping.syncedForCpu)} was called for, and it goes back without a look at it`,
				],
				advice: `${mapping.syncedForCpu.what}()${driverOf(mapping.syncedForCpu)} was called for too few bytes, or the wrong ones: the CPU may have old lines of ${high - low} bytes from ${hex(part.first + low, 8)} on, which the device wrote`,
			});
		part.seen(0, part.size);
		if (part.wrote && mapping.syncedForCpu === null && mapping.kind === 'page')
			this.#find(mapping, 'INV-OWN', 'missing-sync', fn, mapping.addr, {
				details: [`The device has written the buffer, and it goes back without a look at it`],
				advice: `dma_sync_*_for_cpu() of ${hex(mapping.addr, 8)} is missing before the CPU reads what the device wrote, and ${fn}()`,
			});
		mapping.syncedForCpu = null;
		part.wrote = false;
	}

	/** @mapping ends with @fn, which is not to synchronise: the CPU has got by now what the device wrote. */
	skipped(mapping: Mapping, fn: string): void {
		// Pages that a driver keeps mapped may hold what nobody wants.
		if (mapping.kind !== 'sg' || !mapping.routed || mapping.dir === DMA_TO_DEVICE) return;
		const { ram } = this.watched.machine;
		const { dma_coherent } = mapping.client.dev;
		for (const part of mapping.parts) {
			const { first, last, phys, size } = part;
			if (!part.wrote || part.raced || (dma_coherent && !part.bounced)) continue;
			// Nor is it the affair of who has got another's memory: who owns it synchronises, or sees past the caches.
			if (!ram.is_ram(phys, size) || ram.isUncached(phys) || this.has(phys, phys + size - 1)) continue;
			const range = `[${hex(first, 8)}, ${hex(last + 1, 8)})`;
			this.#find(mapping, 'INV-OWN', 'missing-sync', fn, mapping.addr, {
				details: [`The device has written ${range}, and it is unmapped without a look at it`],
				advice: `dma_sync_sgtable_for_cpu() of ${range} is missing before ${fn}(), which is told to synchronise nothing (DMA_ATTR_SKIP_CPU_SYNC): the CPU may have old lines of what the device wrote; a driver of a queue has it where a buffer is finished (vb2_dc_finish())`,
			});
			return;
		}
	}

	/** @client's driver has gone. */
	unbound(client: Client): void {
		if (client.dev.dma_mem !== null) return;
		for (const mapping of client.mappings())
			this.watched.find({
				invariant: 'INV-LEAK',
				kind: 'leaked-mapping',
				device: client.name,
				moment: 'return',
				what: 'remove()',
				place: `${mapping.made.what} ${mapping.made.trace()[1] ?? ''}`,
				details: [`remove() has returned, and the mapping is still there`, ...mapping.lines()],
				advice: `the driver's remove() (or the error path of its probe()) does not undo ${mapping.text}`,
			});
	}

	#iova(mapping: Mapping, clients: readonly Client[]): void {
		const { client } = mapping;
		const { domain } = client;
		const granule = domain?.iova_cookie?.iovad.granule ?? 0;
		const fn = mapping.made.what;
		if (granule === 0) return;
		for (const { first, last } of mapping.parts) {
			const [low, high] = [first - (first % granule), last - (last % granule) + granule - 1];
			for (const other of clients) {
				if (other.domain !== domain) continue;
				const part = other.live.find(low, high);
				if (part === null) continue;
				this.#find(mapping, 'INV-IOVA', 'overlapping-iova', fn, 0, {
					details: [
						`${fn}() has returned ${hex(mapping.addr, 8)}, and ${other.name} has ${part.mapping.text} there`,
						...part.mapping.lines(),
					],
					advice: `the allocator gave addresses away that are in use: alloc_iova() and free_iova() have to be called with the same size, in whole granules, and a range is freed once, after its unmap`,
				});
				return;
			}
		}
	}

	/** New coherent memory is nobody's. */
	#aliases(part: Part): void {
		const other = this.at(part.phys, part.phys + part.size - 1);
		const { mapping } = part;
		if (other === null || mapping.client.dev.dma_mem !== null) return;
		this.#find(mapping, 'INV-OWN', 'aliased-memory', mapping.made.what, mapping.addr, {
			details: [
				`${mapping.made.what}() has returned memory at ${hex(part.phys, 8)} that is in use: ${other.mapping.text} of ${other.mapping.client.name}`,
				...other.mapping.lines(),
			],
			advice: `the pages behind ${hex(mapping.addr, 8)} were given away twice, or freed while they were mapped`,
		});
	}

	/** The lines of @part are its own, when the CPU is going to drop some of them. */
	#lines(part: Part): void {
		const { mapping } = part;
		const { client, dir } = mapping;
		if (client.dev.dma_coherent || part.bounced || (mapping.attrs & DMA_ATTR_SKIP_CPU_SYNC) !== 0) return;
		const end = part.phys + part.size;
		const first = part.phys - (part.phys % LINE_SIZE);
		const last = Math.ceil(end / LINE_SIZE) * LINE_SIZE - 1;
		const other = this.has(first, last) ? this.#sharer(dir, first, last) : null;
		const fn = mapping.made.what;
		if (other !== null) {
			const shares = other.phys < end && other.phys + other.size > part.phys;
			this.#find(mapping, 'INV-OWN', shares ? 'overlapping-mappings' : 'shared-line', fn, 0, {
				details: [
					`${fn}() has mapped [${hex(part.phys, 8)}, ${hex(end, 8)}), and ${other.mapping.client.name} has ${shares ? 'bytes of it' : 'a cache line of it'} mapped, too`,
					...other.mapping.lines(),
				],
				advice: `a sync or unmap of one of the two drops what the CPU, or the device, has written for the other: map a buffer once, and give each its own lines (ARCH_DMA_MINALIGN)`,
			});
			return;
		}
		if (dir === DMA_TO_DEVICE || (mapping.kind !== 'page' && mapping.kind !== 'sg')) return;
		const own = this.memory.at(part.phys);
		for (const at of [part.phys - 1, end]) {
			if (own === null || at < first || at > last || (at >= own.phys && at < own.phys + own.size)) continue;
			const neighbour = this.memory.at(at);
			// What lies behind an object's bytes up to the next one is nobody's.
			if (neighbour === null || neighbour === own || neighbour.freed !== null) continue;
			const [low, high] = [neighbour.phys, neighbour.phys + neighbour.size];
			if (low > last || high <= first) continue;
			this.#find(mapping, 'INV-OWN', 'shared-line', fn, 0, {
				details: [
					`${fn}() has mapped [${hex(part.phys, 8)}, ${hex(end, 8)}) for a device that does not snoop, and the cache line at ${hex(at - (at % LINE_SIZE), 8)} holds bytes of another allocation`,
					...this.memory.lines(neighbour),
				],
				advice: `such a buffer has to be bounced (dma_kmalloc_needs_bounce()), or allocated in whole lines (ARCH_DMA_MINALIGN, dma_get_cache_alignment())`,
			});
			return;
		}
	}

	/** A part that has a byte of these lines, and whose syncs, or those of one of @dir, drop what the other has of them. */
	#sharer(dir: number, first: number, last: number): Part | null {
		return this.at(
			first,
			last,
			(o) =>
				o.mapping.streaming &&
				!o.bounced &&
				(dir !== DMA_TO_DEVICE || o.mapping.dir !== DMA_TO_DEVICE) &&
				(o.mapping.attrs & DMA_ATTR_SKIP_CPU_SYNC) === 0,
		);
	}

	#find(
		mapping: Mapping,
		invariant: Invariant,
		kind: string,
		fn: string,
		where: number,
		{ details, advice }: { details: readonly string[]; advice: string },
	): void {
		this.watched.find({
			invariant,
			kind,
			device: mapping.client.name,
			...asReturns(fn, `${fn} ${where}`),
			details: [...details, ...mapping.lines()],
			advice,
		});
	}
}
