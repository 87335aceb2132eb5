// SPDX-License-Identifier: GPL-2.0-only
// Contiguous views of pages that lie anywhere: vmap() moves pages from their own place to one buffer, vunmap() moves them
// back.
import { copyBytes, sameBytes } from './ram-lines.js';
import {
	BLOCK_GRANULES,
	BLOCK_UNITS,
	GRANULE,
	hex,
	Places,
	type RamRegion,
	type Slot,
	Store,
	UNIT_SIZE,
} from './ram-places.js';

/** What vunmap() puts back: each page's place before the mapping. */
interface MappingRecord {
	readonly store: Store;
	readonly oldStores: Store[];
	readonly oldOffsets: Float64Array;
	/** What a cached mapping began with: nobody should store to the old place while it lives. */
	readonly before: Uint8Array | null;
}

/** RAM with vmap() and vunmap(). */
export class Mappings extends Places {
	private readonly mappings = new Map<Store, MappingRecord>();
	/** Non-cacheable mappings of pages that stood in a row where they are. */
	private readonly inPlace: RamRegion[] = [];

	vmap(pages: ArrayLike<number>, count: number, cached: boolean, pageSize = GRANULE): Uint8Array {
		return pageSize === GRANULE
			? this.show(pages, count, cached)
			: this.show(granulesOf(pages, count, pageSize), (count * pageSize) / GRANULE, cached);
	}

	/** vmap() of granules. */
	private show(pages: ArrayLike<number>, count: number, cached: boolean): Uint8Array {
		this.stats.vmaps++;
		const size = count * GRANULE;
		for (let i = 0; i < count; i++) {
			if (pages[i] % GRANULE !== 0 || this.locate(pages[i], true) === 0) {
				throw new RangeError(`vmap: ${hex(pages[i])} is not a page of RAM`);
			}
		}
		this.observer?.onVmap?.(pages, count, cached);
		if (!cached) this.joinUnits(pages, count);
		const place = this.contiguousPlace(pages, count, cached);
		if (place !== null) {
			place.store.refs++;
			if (place.store.pages === null) this.inPlace.push({ base: pages[0], size });
			const bytes = place.store.bytes ?? this.make(place.store);
			return bytes.subarray(place.offset, place.offset + size);
		}
		for (let i = 0; i < count; i++) {
			this.locate(pages[i], true);
			const moves = cached ? this.atCpu : this.atMem;
			if (moves.pages !== null || (!cached && inRegions(this.inPlace, pages[i]))) {
				throw new Error(`vmap: page ${hex(pages[i])} is part of another mapping in another order`);
			}
		}
		return this.rehome(
			Float64Array.from({ length: count }, (_, i) => pages[i]),
			cached,
		);
	}

	vunmap(view: Uint8Array): void {
		this.stats.vunmaps++;
		const store = this.stores.get(view.buffer);
		if (store === undefined || store.refs === 0) throw new Error('vunmap: not an address that vmap() gave');
		store.refs--;
		if (store.pages === null) {
			const base = store.base + view.byteOffset;
			const index = this.inPlace.findIndex((r) => r.base === base && r.size === view.length);
			if (index >= 0) this.inPlace.splice(index, 1);
		}
		const record = this.mappings.get(store);
		if (record === undefined || store.refs > 0) return;
		this.mappings.delete(store);
		this.stores.delete(view.buffer);
		this.lastView = null;
		const pages = store.pages as Float64Array;
		for (let i = 0; i < pages.length; i++) this.moveBack(record, pages[i], i);
	}

	/** Whether vmap() shows the page at @phys non-cacheable. */
	isUncached(phys: number): boolean {
		if (this.locate(phys, false) === 0 || !this.atTouched) return false;
		return this.atMem.pages !== null || inRegions(this.inPlace, phys);
	}

	/** Give contiguous @pages that lie in several units one memory side, when none of the units has its own yet. */
	private joinUnits(pages: ArrayLike<number>, count: number): void {
		for (let i = 1; i < count; i++) if (pages[i] !== pages[i - 1] + GRANULE) return;
		const first = Math.floor(pages[0] / UNIT_SIZE);
		const last = Math.floor(pages[count - 1] / UNIT_SIZE);
		const fresh = (nr: number): boolean => {
			const { bytes, size } = this.blockOf(nr * UNIT_SIZE).mem[nr % BLOCK_UNITS];
			return bytes === null && size === UNIT_SIZE;
		};
		for (let nr = first; nr <= last; nr++) if (!fresh(nr)) return;
		const mem = new Store(false, first * UNIT_SIZE, (last - first + 1) * UNIT_SIZE, null);
		for (let nr = first; nr <= last; nr++) this.blockOf(nr * UNIT_SIZE).mem[nr % BLOCK_UNITS] = mem;
	}

	/** The place where the pages already stand one after the other; null when they do not, or not where a vmap() may show them. */
	private contiguousPlace(
		pages: ArrayLike<number>,
		count: number,
		cached: boolean,
	): { store: Store; offset: number } | null {
		this.locate(pages[0], true);
		const store = cached ? this.atCpu : this.atMem;
		const offset = cached ? this.atCpuOffset : this.atMemOffset;
		// The linear map's own buffer is no vmap() address: a cached mapping of it must be told from the linear one.
		if (cached && store.pages === null) return null;
		for (let i = 1; i < count; i++) {
			this.locate(pages[i], true);
			const there = cached ? this.atCpu : this.atMem;
			const at = cached ? this.atCpuOffset : this.atMemOffset;
			if (there !== store || at !== offset + i * GRANULE) return null;
		}
		return { store, offset };
	}

	private rehome(pages: Float64Array, cached: boolean): Uint8Array {
		const size = pages.length * GRANULE;
		const oldStores: Store[] = [];
		const oldOffsets = new Float64Array(pages.length);
		const store = new Store(cached, 0, size, pages);
		const bytes = this.make(store);
		for (let i = 0; i < pages.length; i++) {
			this.locate(pages[i], true);
			const old = cached ? this.atCpu : this.atMem;
			const from = cached ? this.atCpuOffset : this.atMemOffset;
			if (old === store) throw new Error(`vmap: page ${hex(pages[i])} is in the mapping twice`);
			if (cached) this.exposePage();
			oldStores.push(old);
			oldOffsets[i] = from;
			copyBytes(old.bytes ?? this.make(old), from, bytes, i * GRANULE, GRANULE);
			const slot = this.slotOf(pages[i]);
			if (cached) {
				slot.cpu = store;
				slot.cpuOffset = i * GRANULE;
			} else {
				slot.mem = store;
				slot.memOffset = i * GRANULE;
			}
		}
		this.stats.pagesRehomed += pages.length;
		store.refs = 1;
		this.mappings.set(store, { store, oldStores, oldOffsets, before: cached ? bytes.slice() : null });
		return bytes.subarray(0, size);
	}

	/** The slot of a page, its own to change. */
	private slotOf(phys: number): Slot {
		// The page is about to be somewhere else.
		this.lastWords = null;
		const block = this.blockOf(phys);
		block.slots ??= new Array<Slot | null>(BLOCK_GRANULES).fill(null);
		const index = (phys - block.base) / GRANULE;
		let slot = block.slots[index];
		if (slot === null) {
			slot = { cpu: null, cpuOffset: 0, mem: null, memOffset: 0 };
		} else if (slot === block.pieceSlots?.[index]) {
			slot = { ...slot };
		} else {
			return slot;
		}
		block.slots[index] = slot;
		block.moved++;
		return slot;
	}

	private moveBack(record: MappingRecord, phys: number, index: number): void {
		const slot = this.slotOf(phys);
		const block = this.blockOf(phys);
		const page = (phys - block.base) / GRANULE;
		const own = block.pieceSlots?.[page] ?? null;
		const from = index * GRANULE;
		const to = record.oldOffsets[index];
		const bytes = record.store.bytes as Uint8Array;
		const old = record.oldStores[index].bytes as Uint8Array;
		if (record.before !== null) {
			if (!sameBytes(old, to, record.before, from, GRANULE)) {
				this.stats.staleWrites++;
				this.observer?.onStaleWrite?.(phys);
			}
			slot.cpu = own?.cpu ?? null;
			slot.cpuOffset = own?.cpuOffset ?? 0;
		} else {
			slot.mem = null;
		}
		copyBytes(bytes, from, old, to, GRANULE);
		// A page that is back at its own place in both views needs no slot.
		if (slot.cpu !== (own?.cpu ?? null) || slot.mem !== null || block.slots === null) return;
		block.slots[page] = own;
		if (--block.moved === 0 && block.pieceSlots === null) block.slots = null;
	}
}

/** The granules of @count pages of @pageSize bytes. */
function granulesOf(pages: ArrayLike<number>, count: number, pageSize: number): Float64Array {
	const each = pageSize / GRANULE;
	return Float64Array.from(
		{ length: count * each },
		(_, i) => pages[Math.floor(i / each)] + (i % each) * GRANULE,
	);
}

function inRegions(regions: readonly RamRegion[], phys: number): boolean {
	return regions.some((r) => phys >= r.base && phys < r.base + r.size);
}
