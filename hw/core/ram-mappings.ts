// SPDX-License-Identifier: GPL-2.0-only
// Contiguous views of pages that lie anywhere: vmap() moves pages from their own place to one buffer, vunmap() moves them
// back. A mapping of the same pages soon after has the same address, as it mostly has in Linux; until then the dead one
// lives nowhere.
import { copyBytes, sameBytes, surelySame } from './ram-lines.js';
import {
	BLOCK_GRANULES,
	BLOCK_UNITS,
	type Block,
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

/** Buffers of dead mappings that are kept, each of at most so many pages: making one takes longer than filling it. */
const SPARES = 4;
const SPARE_GRANULES = 64;

/** RAM with vmap() and vunmap(). */
export class Mappings extends Places {
	private readonly mappings = new Map<Store, MappingRecord>();
	/** Non-cacheable mappings of pages that stood in a row where they are. */
	private readonly inPlace: RamRegion[] = [];
	/** The newest first. */
	private readonly spares: Store[] = [];

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
			// The remainder of a number this large would be a call.
			if (Math.floor(pages[i] / GRANULE) * GRANULE !== pages[i] || this.locate(pages[i], true) === 0) {
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
			if (isShown(moves) || (!cached && inRegions(this.inPlace, pages[i]))) {
				throw new Error(`vmap: page ${hex(pages[i])} is part of another mapping in another order`);
			}
		}
		return this.rehome(pages, count, cached);
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
		if (record.before !== null) this.tellStale(record, record.before, pages);
		if (!store.isCpu) this.findRoom(record);
		this.copyPages(record, true);
		for (let i = 0; i < pages.length; i++) {
			if (store.isCpu) this.moveCpuBack(pages[i]);
			else this.moveMemBack(pages[i], record.oldStores[i], record.oldOffsets[i]);
		}
		if (pages.length > SPARE_GRANULES) return;
		if (this.spares.length === SPARES) this.spares.pop();
		this.spares.unshift(store);
	}

	/** A buffer for a mapping of @pages: that of the last one of them all in this order, or a new one. */
	private storeFor(pages: ArrayLike<number>, count: number, cached: boolean): Store {
		for (const [index, spare] of this.spares.entries()) {
			if (spare.isCpu !== cached || !samePages(spare.pages as Float64Array, pages, count)) continue;
			this.spares.splice(index, 1);
			this.stores.set(spare.buffer as ArrayBuffer, spare);
			this.lastView = null;
			return spare;
		}
		const own = new Float64Array(count);
		for (let i = 0; i < count; i++) own[i] = pages[i];
		return new Store(cached, 0, count * GRANULE, own);
	}

	/** Whether vmap() shows the page at @phys non-cacheable. */
	isUncached(phys: number): boolean {
		if (this.locate(phys, false) === 0 || !this.atTouched) return false;
		return isShown(this.atMem) || inRegions(this.inPlace, phys);
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
		// Nor is a place where pages stay that have none of their own.
		if (store.pages !== null && !isShown(store)) return null;
		for (let i = 1; i < count; i++) {
			this.locate(pages[i], true);
			const there = cached ? this.atCpu : this.atMem;
			const at = cached ? this.atCpuOffset : this.atMemOffset;
			if (there !== store || at !== offset + i * GRANULE) return null;
		}
		return { store, offset };
	}

	private rehome(pages: ArrayLike<number>, count: number, cached: boolean): Uint8Array {
		const oldStores: Store[] = [];
		const oldOffsets = new Float64Array(count);
		const store = this.storeFor(pages, count, cached);
		const bytes = store.bytes ?? this.make(store);
		for (let i = 0; i < count; i++) {
			this.locate(pages[i], true);
			const old = cached ? this.atCpu : this.atMem;
			const from = cached ? this.atCpuOffset : this.atMemOffset;
			if (old === store) throw new Error(`vmap: page ${hex(pages[i])} is in the mapping twice`);
			if (cached) this.exposePage();
			oldStores.push(old);
			oldOffsets[i] = from;
			const slot = this.slotOf(pages[i]);
			if (cached) {
				slot.cpu = store;
				slot.cpuOffset = i * GRANULE;
			} else {
				slot.mem = store;
				slot.memOffset = i * GRANULE;
			}
		}
		this.stats.pagesRehomed += count;
		store.refs = 1;
		const record = { store, oldStores, oldOffsets, before: null };
		this.copyPages(record, false);
		this.mappings.set(store, cached ? { ...record, before: bytes.slice() } : record);
		return bytes.subarray(0, count * GRANULE);
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

	/** Copy a mapping's bytes from where its pages were, or @back to there; what is in a row at once. */
	private copyPages({ store, oldStores, oldOffsets }: MappingRecord, back: boolean): void {
		const bytes = store.bytes as Uint8Array;
		for (let i = 0, end = 0; i < oldStores.length; i = end) {
			const from = oldOffsets[i];
			do end++;
			while (oldStores[end] === oldStores[i] && oldOffsets[end] === from + (end - i) * GRANULE);
			const n = (end - i) * GRANULE;
			// What a mapping of memory leaves without a buffer has none: it would be for a whole unit.
			const old = oldStores[i].bytes ?? (store.isCpu ? this.make(oldStores[i]) : null);
			if (old === null) bytes.fill(0, i * GRANULE, i * GRANULE + n);
			else if (back) copyBytes(bytes, i * GRANULE, old, from, n);
			else copyBytes(old, from, bytes, i * GRANULE, n);
		}
	}

	/** Tell of the pages that somebody stored to where they were @before a mapping that is about to go. */
	private tellStale({ oldStores, oldOffsets }: MappingRecord, before: Uint8Array, pages: Float64Array): void {
		for (const [i, { bytes }] of oldStores.entries()) {
			const old = bytes as Uint8Array;
			const from = i * GRANULE;
			if (
				surelySame(
					old.subarray(oldOffsets[i], oldOffsets[i] + GRANULE),
					before.subarray(from, from + GRANULE),
				)
			)
				continue;
			if (sameBytes(old, oldOffsets[i], before, from, GRANULE)) continue;
			this.stats.staleWrites++;
			this.observer?.onStaleWrite?.(pages[i]);
		}
	}

	/** Give those pages of a mapping that have no buffer where they were one in common. */
	private findRoom({ store, oldStores, oldOffsets }: MappingRecord): void {
		let room: Store | null = null;
		for (const [i, { bytes }] of oldStores.entries()) {
			if (bytes !== null) continue;
			room ??= new Store(false, 0, store.size, store.pages);
			if (room.bytes === null) this.make(room);
			oldStores[i] = room;
			oldOffsets[i] = i * GRANULE;
		}
	}

	private moveCpuBack(phys: number): void {
		const slot = this.slotOf(phys);
		const block = this.blockOf(phys);
		const own = block.pieceSlots?.[(phys - block.base) / GRANULE] ?? null;
		slot.cpu = own?.cpu ?? null;
		slot.cpuOffset = own?.cpuOffset ?? 0;
		this.dropSlot(block, phys, slot);
	}

	private moveMemBack(phys: number, to: Store, offset: number): void {
		const slot = this.slotOf(phys);
		slot.mem = to.pages === null ? null : to;
		slot.memOffset = offset;
		this.dropSlot(this.blockOf(phys), phys, slot);
	}

	/** A page that is back at its own place in both views needs no slot. */
	private dropSlot(block: Block, phys: number, slot: Slot): void {
		const page = (phys - block.base) / GRANULE;
		const own = block.pieceSlots?.[page] ?? null;
		if (slot.cpu !== (own?.cpu ?? null) || slot.mem !== null || block.slots === null) return;
		block.slots[page] = own;
		if (--block.moved === 0 && block.pieceSlots === null) block.slots = null;
	}
}

function samePages(a: Float64Array, b: ArrayLike<number>, count: number): boolean {
	if (a.length !== count) return false;
	for (let i = 0; i < count; i++) if (a[i] !== b[i]) return false;
	return true;
}

/** Whether @store is the buffer of a mapping that lives. */
function isShown(store: Store): boolean {
	return store.pages !== null && store.refs > 0;
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
