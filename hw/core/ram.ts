// SPDX-License-Identifier: GPL-2.0-only
// Sparse RAM behind a write-back data cache, seen by the CPU and by devices.
//
// Every byte exists three times (DESIGN.md, "Memory"): as cacheable loads and stores see it (cpu), as
// devices and non-cacheable mappings see it (mem), and as the cpu view was when the line was last in
// step with memory (synced). A 64-byte line is dirty when cpu and synced differ. The model is
// pessimistic: every line is in the cache, and a stale one stays until someone drops it.
//
// The cpu view comes in blocks of 4 MiB, or in a larger contiguous piece where add_piece() asked for one; the others
// in units of 256 KiB. A buffer is made when it is needed: what no buffer exists for reads as zeroes, and is
// in step. So memory that only devices or non-cacheable mappings touch has no cpu view, and memory
// that no device sees has only that one.
// vmap() moves pages from their own place to one contiguous buffer, vunmap() moves them back.
//
// Not modelled: cache capacity (see setEviction()), stores of a value that is there already (they do not
// make a line dirty; zero() does), instruction fetch, ECC.
import type { machine_memory } from '#asm/machine.js';
import {
	copyBytes,
	copyLongs,
	isZero,
	LINE_LONGS,
	LINE_SIZE,
	nextClean,
	nextDirty,
	sameBytes,
	surelySame,
} from './ram-lines.js';

export { LINE_SIZE } from './ram-lines.js';

/** The smallest page that an arm64 MMU maps: what vmap() moves, whatever the size of the kernel's pages. */
export const GRANULE = 4096;
const GRANULE_SHIFT = 12;
export const BLOCK_SIZE = 4 * 1024 * 1024;

const BLOCK_GRANULES = BLOCK_SIZE / GRANULE;
const UNIT_SIZE = 256 * 1024;
const UNIT_SHIFT = 18;
const BLOCK_UNITS = BLOCK_SIZE / UNIT_SIZE;
/** What zero() leaves in synced. A line is dirty when one word differs, and a line of only this word is not seen in practice. */
const ZEROED = 0x5aa5_c33c;

export interface RamRegion {
	readonly base: number;
	readonly size: number;
}

/** Someone who watches memory (the sanitiser). Each callback is optional and comes before the access has its effect. */
export interface RamObserver {
	onDeviceRead?(phys: number, size: number, snoop: boolean): void;
	onDeviceWrite?(phys: number, size: number, snoop: boolean): void;
	onClean?(phys: number, size: number): void;
	onInvalidate?(phys: number, size: number): void;
	/** A dirty line is about to be dropped by invalidate(): the CPU's stores to it are lost. */
	onDirtyDropped?(phys: number): void;
	/** A page was written through an old linear view while a cached vmap() had moved it. */
	onStaleWrite?(phys: number): void;
	/** vmap() is about to show pages, of GRANULE bytes each. */
	onVmap?(pages: ArrayLike<number>, count: number, cached: boolean): void;
	onUserMap?(
		area: number,
		addr: number,
		phys: number,
		size: number,
		cached: boolean,
		what: string,
		offset: number,
	): void;
	onUserUnmap?(area: number): void;
}

export interface RamStats {
	cleans: number;
	/** Dirty lines that a clean wrote to memory. */
	linesCleaned: number;
	invalidates: number;
	linesInvalidated: number;
	linesEvicted: number;
	deviceReads: number;
	deviceReadBytes: number;
	deviceWrites: number;
	deviceWriteBytes: number;
	/** Words read by page-table walkers. */
	wordReads: number;
	vmaps: number;
	vunmaps: number;
	/** Pages that a vmap() had to move. */
	pagesRehomed: number;
	staleWrites: number;
	/** Bytes of RAM that were touched, so that buffers exist for them. */
	touchedBytes: number;
}

export interface EvictionOptions {
	readonly seed: number;
	/** Lines that the cache replaces at each access from outside (0.1: one in ten accesses). */
	readonly rate: number;
}

/** A buffer of one side, cpu or mem, not there until someone needs it: one range of RAM, or one page after the other. */
class Store {
	buffer: ArrayBuffer | null = null;
	bytes: Uint8Array | null = null;
	words: Int32Array | null = null;
	longs: BigInt64Array | null = null;
	/** Mappings of this store; only vmap() counts. */
	refs = 0;
	constructor(
		readonly isCpu: boolean,
		readonly base: number,
		readonly size: number,
		/** The page addresses of a store that vmap() made, else null. */
		readonly pages: Float64Array | null,
	) {}
}

/** A unit's cpu view as it was when in step. */
class Synced {
	readonly buffer = new ArrayBuffer(UNIT_SIZE);
	readonly words = new Int32Array(this.buffer);
	readonly longs = new BigInt64Array(this.buffer);
}

/** Where one page is now; null: at its block's own place. */
interface Slot {
	cpu: Store | null;
	cpuOffset: number;
	mem: Store | null;
	memOffset: number;
}

interface Piece {
	readonly base: number;
	readonly size: number;
	readonly cpu: Store;
}

interface Block {
	readonly base: number;
	/** The stores of pages that have no slot: the block's or a piece's, and each unit's or one for several. */
	readonly cpu: Store;
	readonly mem: Store[];
	/** The cpu view of each unit as it was when in step; null: all zeroes. It never moves. */
	readonly synced: (Synced | null)[];
	slots: (Slot | null)[] | null;
	/** How many pages are away because of a vmap(). */
	moved: number;
	/** Slots that belong to a piece and so stay. */
	readonly pieceSlots: readonly (Slot | null)[] | null;
}

/** What vunmap() puts back: each page's place before the mapping. */
interface MappingRecord {
	readonly store: Store;
	readonly oldStores: Store[];
	readonly oldOffsets: Float64Array;
	/** What a cached mapping began with: nobody should store to the old place while it lives. */
	readonly before: Uint8Array | null;
}

const hex = (n: number): string => `0x${n.toString(16)}`;

/** RAM as a machine has it: `new Ram([{ base: 0x40000000, size: 0x80000000 }])`. Regions may lie anywhere. */
export class Ram implements machine_memory {
	readonly regions: readonly RamRegion[];
	readonly stats: RamStats = {
		cleans: 0,
		linesCleaned: 0,
		invalidates: 0,
		linesInvalidated: 0,
		linesEvicted: 0,
		deviceReads: 0,
		deviceReadBytes: 0,
		deviceWrites: 0,
		deviceWriteBytes: 0,
		wordReads: 0,
		vmaps: 0,
		vunmaps: 0,
		pagesRehomed: 0,
		staleWrites: 0,
		touchedBytes: 0,
	};
	observer: RamObserver | null = null;

	private readonly blocks: (Block | undefined)[] = [];
	private readonly touched: Block[] = [];
	private readonly pieces: Piece[] = [];
	private readonly stores = new WeakMap<ArrayBufferLike, Store>();
	private readonly mappings = new Map<Store, MappingRecord>();
	/** Non-cacheable mappings of pages that stood in a row where they are. */
	private readonly inPlace: RamRegion[] = [];

	private evictionRate = 0;
	private evictionState = 1;

	// The page table, or buffer, that was asked for last: it is mostly asked for again.
	private lastWords: Uint32Array | null = null;
	private lastWordsPhys = 0;
	private lastView: ArrayBufferView | null = null;
	private lastStore: Store | undefined;

	// What locate() found, kept here so that an access allocates nothing; the rest only counts when atTouched.
	private atTouched = false;
	private atBlock!: Block;
	private atUnit = 0;
	private atUnitOffset = 0;
	private atCpu!: Store;
	private atCpuOffset = 0;
	private atMem!: Store;
	private atMemOffset = 0;

	constructor(regions: readonly RamRegion[]) {
		const sorted = regions.filter((r) => r.size > 0).sort((a, b) => a.base - b.base);
		const merged: { base: number; size: number }[] = [];
		for (const { base, size } of sorted) {
			const last = merged.at(-1);
			if (last !== undefined && base <= last.base + last.size) {
				last.size = Math.max(last.size, base + size - last.base);
			} else {
				merged.push({ base, size });
			}
		}
		this.regions = merged;
	}

	/** Bytes of RAM in all regions. */
	get size(): number {
		return this.regions.reduce((sum, r) => sum + r.size, 0);
	}

	// ---- the kernel's door (arch/arm64/include/asm/machine.ts)

	is_ram(phys: number, size: number): boolean {
		for (const r of this.regions) {
			if (phys >= r.base && phys + size <= r.base + r.size) return true;
		}
		return false;
	}

	linear(phys: number, size: number): Uint8Array | null {
		const reach = this.locateLinear(phys, size);
		if (reach === 0) return null;
		const bytes = this.atCpu.bytes ?? this.make(this.atCpu);
		return new Uint8Array(bytes.buffer, this.atCpuOffset, size === 0 ? reach : size);
	}

	linear_words(phys: number, count: number): Uint32Array | null {
		const last = this.lastWords;
		if (last !== null && this.lastWordsPhys === phys && last.length === count) return last;
		if (this.locateLinear(phys, count * 4) === 0) return null;
		const bytes = this.atCpu.bytes ?? this.make(this.atCpu);
		this.lastWords = new Uint32Array(bytes.buffer, this.atCpuOffset, count);
		this.lastWordsPhys = phys;
		return this.lastWords;
	}

	add_piece(phys: number, size: number): void {
		if (phys % GRANULE !== 0 || size % GRANULE !== 0 || size === 0 || !this.is_ram(phys, size)) {
			throw new RangeError(`add_piece: ${hex(phys)}+${hex(size)} is not whole pages of RAM`);
		}
		for (const p of this.pieces) {
			if (phys < p.base + p.size && p.base < phys + size) {
				throw new RangeError(`add_piece: ${hex(phys)}+${hex(size)} overlaps the piece at ${hex(p.base)}`);
			}
		}
		for (let b = Math.floor(phys / BLOCK_SIZE); b * BLOCK_SIZE < phys + size; b++) {
			if (this.blocks[b] !== undefined) {
				throw new RangeError(`add_piece: ${hex(phys)}+${hex(size)} was touched before`);
			}
		}
		this.pieces.push({ base: phys, size, cpu: new Store(true, phys, size, null) });
	}

	phys_of(view: ArrayBufferView): number {
		if (view === this.lastWords) return this.lastWordsPhys;
		const store = this.storeOf(view);
		if (store === undefined) return -1;
		const offset = view.byteOffset;
		if (store.pages === null) return store.base + offset;
		// A pointer one past the end of a mapping is no address of RAM.
		const index = Math.floor(offset / GRANULE);
		return index < store.pages.length ? store.pages[index] + (offset % GRANULE) : -1;
	}

	is_vmap(view: ArrayBufferView): boolean {
		const store = this.storeOf(view);
		return store !== undefined && (!store.isCpu || store.pages !== null);
	}

	clean(phys: number, size: number): void {
		this.stats.cleans++;
		this.observer?.onClean?.(phys, size);
		if (this.evictionRate !== 0) this.evictSome();
		this.cleanLines(phys, size);
	}

	invalidate(phys: number, size: number): void {
		if (size <= 0) return;
		this.stats.invalidates++;
		this.observer?.onInvalidate?.(phys, size);
		if (this.evictionRate !== 0) this.evictSome();
		const end = phys + size;
		// A line that the range covers in part holds someone else's bytes too: arm64 writes it back first.
		if (Math.floor(phys / LINE_SIZE) * LINE_SIZE !== phys) this.cleanLines(phys, 1);
		if (Math.floor(end / LINE_SIZE) * LINE_SIZE !== end) this.cleanLines(end, 1);
		if (this.observer?.onDirtyDropped !== undefined) this.reportDirty(phys, size);
		this.stats.linesInvalidated += this.dropLines(phys, size);
	}

	clean_invalidate(phys: number, size: number): void {
		if (size <= 0) return;
		this.stats.cleans++;
		this.stats.invalidates++;
		this.observer?.onClean?.(phys, size);
		this.observer?.onInvalidate?.(phys, size);
		if (this.evictionRate !== 0) this.evictSome();
		this.cleanLines(phys, size);
		this.stats.linesInvalidated += this.dropLines(phys, size);
	}

	zero(phys: number, size: number): void {
		for (let done = 0; done < size; ) {
			const run = this.locate(phys + done, false);
			const n = Math.min(run, size - done);
			if (run === 0) throw new RangeError(`zero: ${hex(phys + done)} is not RAM`);
			if (this.atTouched && (this.atCpu.bytes !== null || this.atMem.bytes !== null)) {
				const bytes = this.atCpu.bytes ?? this.make(this.atCpu);
				bytes.fill(0, this.atCpuOffset, this.atCpuOffset + n);
				this.synced().words.fill(ZEROED, this.atUnitOffset >>> 2, (this.atUnitOffset + n) >>> 2);
			}
			done += n;
		}
	}

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

	user_map(
		area: number,
		addr: number,
		phys: number,
		size: number,
		cached: boolean,
		what: string,
		offset: number,
	): void {
		this.observer?.onUserMap?.(area, addr, phys, size, cached, what, offset);
	}

	user_unmap(area: number): void {
		this.observer?.onUserUnmap?.(area);
	}

	// ---- the devices' side

	/** A device reads @out.length bytes; false, and nothing read, when that is not all RAM. */
	deviceRead(phys: number, out: Uint8Array, snoop: boolean): boolean {
		const size = out.length;
		if (!this.is_ram(phys, size)) return false;
		this.stats.deviceReads++;
		this.stats.deviceReadBytes += size;
		this.observer?.onDeviceRead?.(phys, size, snoop);
		if (this.evictionRate !== 0) this.evictSome();
		for (let done = 0; done < size; ) {
			const run = this.locate(phys + done, false);
			const n = Math.min(run, size - done);
			const bytes = !this.atTouched ? null : snoop ? this.atCpu.bytes : this.atMem.bytes;
			if (bytes === null) out.fill(0, done, done + n);
			else copyBytes(bytes, snoop ? this.atCpuOffset : this.atMemOffset, out, done, n);
			done += n;
		}
		return true;
	}

	/** A device writes @src; a snooping one also updates the CPU's lines. False: not RAM, nothing written. */
	deviceWrite(phys: number, src: Uint8Array, snoop: boolean): boolean {
		const size = src.length;
		if (!this.is_ram(phys, size)) return false;
		this.stats.deviceWrites++;
		this.stats.deviceWriteBytes += size;
		this.observer?.onDeviceWrite?.(phys, size, snoop);
		if (this.evictionRate !== 0) this.evictSome();
		for (let done = 0; done < size; ) {
			const n = Math.min(this.locate(phys + done, true), size - done);
			copyBytes(src, done, this.atMem.bytes ?? this.make(this.atMem), this.atMemOffset, n);
			if (snoop) this.setInStep(src, done, n);
			done += n;
		}
		return true;
	}

	/** One aligned 32-bit word as a page-table walker reads it from memory; -1 when it is not RAM. */
	readWord(phys: number): number {
		this.stats.wordReads++;
		if (phys % 4 !== 0 || !this.is_ram(phys, 4)) return -1;
		const nr = Math.floor(phys / BLOCK_SIZE);
		const block = this.blocks[nr];
		if (block === undefined) return 0;
		// What locate() does, for memory alone: walks are most of what reads words.
		const offset = (phys - nr * BLOCK_SIZE) | 0;
		const slot = block.slots === null ? null : block.slots[offset >>> GRANULE_SHIFT];
		const moved = slot === null ? null : slot.mem;
		const { words, base } = moved ?? block.mem[offset >>> UNIT_SHIFT];
		const at =
			slot === null || moved === null ? (phys - base) | 0 : slot.memOffset + (offset & (GRANULE - 1));
		return words === null ? 0 : words[at >>> 2] >>> 0;
	}

	/** The same word as the CPU sees it; -1 when it is not RAM. */
	readCpuWord(phys: number): number {
		if (phys % 4 !== 0 || !this.is_ram(phys, 4)) return -1;
		this.locate(phys, false);
		if (!this.atTouched || this.atCpu.words === null) return 0;
		return this.atCpu.words[this.atCpuOffset >>> 2] >>> 0;
	}

	/** Whether any line of the range holds stores that memory has not seen. */
	isDirty(phys: number, size: number): boolean {
		return this.firstDirty(phys, size) >= 0;
	}

	/** Whether vmap() shows the page at @phys non-cacheable. */
	isUncached(phys: number): boolean {
		if (this.locate(phys, false) === 0 || !this.atTouched) return false;
		return this.atMem.pages !== null || inRegions(this.inPlace, phys);
	}

	/** The address of the first dirty line of the range, -1 without one. */
	firstDirty(phys: number, size: number): number {
		const end = Math.ceil((phys + size) / LINE_SIZE) * LINE_SIZE;
		for (let at = Math.floor(phys / LINE_SIZE) * LINE_SIZE; at < end; ) {
			const run = this.locate(at, false);
			if (run === 0) break;
			const n = Math.min(run, end - at);
			const line = this.dirtyLine(0, n / LINE_SIZE);
			if (line >= 0) return at + line * LINE_SIZE;
			at += n;
		}
		return -1;
	}

	/** The address of the first line of the range that is not dirty, and of which memory has other bytes; -1 without one. */
	firstStale(phys: number, size: number): number {
		const end = Math.ceil((phys + size) / LINE_SIZE) * LINE_SIZE;
		for (let at = Math.floor(phys / LINE_SIZE) * LINE_SIZE; at < end; ) {
			const run = this.locate(at, false);
			if (run === 0) break;
			const n = Math.min(run, end - at);
			const line = this.atTouched ? this.staleLine(n / LINE_SIZE) : -1;
			if (line >= 0) return at + line * LINE_SIZE;
			at += n;
		}
		return -1;
	}

	/** Let the cache replace the lines of the range: dirty ones are written back, then all are dropped. */
	evict(phys: number, size: number): void {
		if (size <= 0) return;
		const before = this.stats.linesCleaned;
		this.cleanLines(phys, size);
		this.stats.linesCleaned = before;
		this.stats.linesEvicted += this.dropLines(phys, size);
	}

	/** Replace random lines at random moments from now on; rate 0 stops it. */
	setEviction({ seed, rate }: EvictionOptions): void {
		this.evictionRate = rate;
		this.evictionState = seed >>> 0 || 1;
	}

	/** Put @bytes at @phys in all views, as a boot loader leaves them. */
	load(phys: number, bytes: Uint8Array): void {
		for (let done = 0; done < bytes.length; ) {
			const run = this.locate(phys + done, true);
			if (run === 0) throw new RangeError(`load: ${hex(phys + done)} is not RAM`);
			const n = Math.min(run, bytes.length - done);
			copyBytes(bytes, done, this.atMem.bytes ?? this.make(this.atMem), this.atMemOffset, n);
			this.setInStep(bytes, done, n);
			done += n;
		}
	}

	/** A copy of what memory holds, for tests and tools: no counters, no eviction. */
	peekMemory(phys: number, size: number): Uint8Array {
		return this.peek(phys, size, false);
	}

	/** A copy of what the CPU sees. */
	peekCpu(phys: number, size: number): Uint8Array {
		return this.peek(phys, size, true);
	}

	// ---- inside

	private storeOf(view: ArrayBufferView): Store | undefined {
		if (view !== this.lastView) {
			this.lastView = view;
			this.lastStore = this.stores.get(view.buffer);
		}
		return this.lastStore;
	}

	private peek(phys: number, size: number, cpu: boolean): Uint8Array {
		const out = new Uint8Array(size);
		for (let done = 0; done < size; ) {
			const run = this.locate(phys + done, false);
			if (run === 0) throw new RangeError(`${hex(phys + done)} is not RAM`);
			const n = Math.min(run, size - done);
			const bytes = !this.atTouched ? null : cpu ? this.atCpu.bytes : this.atMem.bytes;
			if (bytes !== null) copyBytes(bytes, cpu ? this.atCpuOffset : this.atMemOffset, out, done, n);
			done += n;
		}
		return out;
	}

	private regionAt(phys: number): RamRegion | null {
		for (const r of this.regions) {
			if (phys >= r.base && phys < r.base + r.size) return r;
		}
		return null;
	}

	/** locate() for a linear view: how far one reaches from @phys, at least @size bytes; 0 when there is none. */
	private locateLinear(phys: number, size: number): number {
		const region = this.regionAt(phys);
		if (region === null || phys + size > region.base + region.size) return 0;
		const run = this.locate(phys, true);
		if (run === 0 || (size !== 0 && size <= run)) return run;
		const reach = this.contiguousFrom(phys, this.atCpu, this.atCpuOffset, size, region.base + region.size);
		return reach < size ? 0 : reach;
	}

	/**
	 * Find the place of @phys. The result is how many bytes from there on lie in that same place (at least to the
	 * page's end), 0 when it is not RAM. Untouched RAM is made when @touch, else atTouched is false.
	 */
	private locate(phys: number, touch: boolean): number {
		const nr = Math.floor(phys / BLOCK_SIZE);
		let block = this.blocks[nr];
		const offset = (phys - nr * BLOCK_SIZE) | 0;
		if (block === undefined) {
			const region = this.regionAt(phys);
			if (region === null) return 0;
			if (!touch) {
				this.atTouched = false;
				return Math.min(BLOCK_SIZE - offset, region.base + region.size - phys);
			}
			block = this.makeBlock(nr);
		}
		this.atTouched = true;
		this.atBlock = block;
		this.atUnit = offset >>> UNIT_SHIFT;
		this.atUnitOffset = offset & (UNIT_SIZE - 1);
		this.atCpu = block.cpu;
		this.atCpuOffset = (phys - block.cpu.base) | 0;
		this.atMem = block.mem[this.atUnit];
		this.atMemOffset = (phys - this.atMem.base) | 0;
		if (block.slots === null) return UNIT_SIZE - this.atUnitOffset;
		const inPage = offset & (GRANULE - 1);
		const slot = block.slots[offset >>> GRANULE_SHIFT];
		if (slot !== null) {
			if (slot.cpu !== null) {
				this.atCpu = slot.cpu;
				this.atCpuOffset = slot.cpuOffset + inPage;
			}
			if (slot.mem !== null) {
				this.atMem = slot.mem;
				this.atMemOffset = slot.memOffset + inPage;
			}
		}
		return GRANULE - inPage;
	}

	/** Make the buffer of @store. */
	private make(store: Store): Uint8Array {
		const buffer = new ArrayBuffer(store.size);
		const bytes = new Uint8Array(buffer);
		store.buffer = buffer;
		store.bytes = bytes;
		store.words = new Int32Array(buffer);
		store.longs = new BigInt64Array(buffer);
		this.stores.set(buffer, store);
		// A view of a store reaches all of it, so all its blocks must be there.
		if (store.pages === null) {
			for (let nr = Math.floor(store.base / BLOCK_SIZE); nr * BLOCK_SIZE < store.base + store.size; nr++) {
				if (this.blocks[nr] === undefined) this.makeBlock(nr);
			}
		}
		return bytes;
	}

	/** synced of the unit that locate() found. */
	private synced(): Synced {
		let synced = this.atBlock.synced[this.atUnit];
		if (synced === null) {
			synced = new Synced();
			this.atBlock.synced[this.atUnit] = synced;
		}
		return synced;
	}

	/** Have the CPU see @n bytes of @src from @from on, in step with memory, at the place that locate() found. */
	private setInStep(src: Uint8Array, from: number, n: number): void {
		copyBytes(src, from, this.atCpu.bytes ?? this.make(this.atCpu), this.atCpuOffset, n);
		copyBytes(src, from, new Uint8Array(this.synced().buffer), this.atUnitOffset, n);
	}

	private makeBlock(nr: number): Block {
		const base = nr * BLOCK_SIZE;
		const end = base + BLOCK_SIZE;
		const inside = this.pieces.filter((p) => p.base < end && p.base + p.size > base);
		const whole = inside.find((p) => p.base <= base && p.base + p.size >= end);
		let pieceSlots: (Slot | null)[] | null = null;
		if (whole === undefined) {
			for (const p of inside) {
				pieceSlots ??= new Array<Slot | null>(BLOCK_GRANULES).fill(null);
				const to = Math.min(p.base + p.size, end);
				for (let phys = Math.max(p.base, base); phys < to; phys += GRANULE) {
					pieceSlots[(phys - base) / GRANULE] = {
						cpu: p.cpu,
						cpuOffset: phys - p.base,
						mem: null,
						memOffset: 0,
					};
				}
			}
		}
		const block: Block = {
			base,
			cpu: whole?.cpu ?? new Store(true, base, BLOCK_SIZE, null),
			mem: Array.from(
				{ length: BLOCK_UNITS },
				(_, i) => new Store(false, base + i * UNIT_SIZE, UNIT_SIZE, null),
			),
			synced: new Array<Synced | null>(BLOCK_UNITS).fill(null),
			slots: pieceSlots === null ? null : [...pieceSlots],
			moved: 0,
			pieceSlots,
		};
		this.stats.touchedBytes += BLOCK_SIZE;
		this.blocks[nr] = block;
		this.touched.push(block);
		return block;
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

	/** The block of a page that was touched. */
	private blockOf(phys: number): Block {
		return this.blocks[Math.floor(phys / BLOCK_SIZE)] as Block;
	}

	/** How far the CPU's view goes on in @store from @phys (at @offset); stops at @want, or at @limit when that is 0. */
	private contiguousFrom(phys: number, store: Store, offset: number, want: number, limit: number): number {
		if (store.pages !== null) {
			let reach = GRANULE - (offset % GRANULE);
			let index = Math.floor(offset / GRANULE);
			while (index + 1 < store.pages.length && store.pages[index + 1] === store.pages[index] + GRANULE) {
				reach += GRANULE;
				index++;
			}
			return reach;
		}
		const end = Math.min(store.base + store.size, limit, want === 0 ? Infinity : phys + want);
		for (let at = phys; at < end; ) {
			const nr = Math.floor(at / BLOCK_SIZE);
			const blockEnd = Math.min((nr + 1) * BLOCK_SIZE, end);
			const slots = this.blocks[nr]?.slots ?? null;
			const block = this.blocks[nr];
			if (slots !== null && block !== undefined) {
				for (let p = at; p < blockEnd; p += GRANULE - (p % GRANULE)) {
					const slot = slots[(p - block.base) >>> GRANULE_SHIFT];
					if ((slot?.cpu ?? block.cpu) !== store) return p - phys;
				}
			}
			at = blockEnd;
		}
		return end - phys;
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

	/** Write the dirty lines that [phys, phys + size) touches to memory. */
	private cleanLines(phys: number, size: number): void {
		const start = Math.floor(phys / LINE_SIZE) * LINE_SIZE;
		const end = Math.ceil((phys + size) / LINE_SIZE) * LINE_SIZE;
		let written = 0;
		for (let at = start; at < end; ) {
			const run = this.locate(at, false);
			if (run === 0) break;
			const n = Math.min(run, end - at, GRANULE);
			if (this.atTouched && this.atCpu.longs !== null && !this.surelyInStep(n)) {
				const cpu = this.atCpu.longs;
				const synced = this.synced().longs;
				const c = this.atCpuOffset >>> 3;
				const s = this.atUnitOffset >>> 3;
				const lines = n / LINE_SIZE;
				for (let line = nextDirty(cpu, c, synced, s, 0, lines); line < lines; ) {
					const end = nextClean(cpu, c, synced, s, line + 1, lines);
					if (this.atMem.longs === null) this.make(this.atMem);
					const mem = this.atMem.longs as unknown as BigInt64Array;
					const from = line * LINE_LONGS;
					const count = (end - line) * LINE_LONGS;
					copyLongs(cpu, c + from, mem, (this.atMemOffset >>> 3) + from, count);
					copyLongs(cpu, c + from, synced, s + from, count);
					written += end - line;
					line = nextDirty(cpu, c, synced, s, end, lines);
				}
			}
			at += n;
		}
		this.stats.linesCleaned += written;
	}

	/** Whether none of @n bytes at the place that locate() found is dirty; false also when it is not worth asking so. */
	private surelyInStep(n: number): boolean {
		const cpu = this.atCpu.buffer as ArrayBuffer;
		return surelySame(cpu, this.atCpuOffset, this.synced().buffer, this.atUnitOffset, n);
	}

	/** Refill the lines that [phys, phys + size) touches from memory; the number of lines. */
	private dropLines(phys: number, size: number): number {
		const start = Math.floor(phys / LINE_SIZE) * LINE_SIZE;
		const end = Math.ceil((phys + size) / LINE_SIZE) * LINE_SIZE;
		for (let at = start; at < end; ) {
			const run = this.locate(at, false);
			if (run === 0) break;
			const n = Math.min(run, end - at);
			if (this.atTouched) this.refill(n);
			at += n;
		}
		return (end - start) / LINE_SIZE;
	}

	/** Have the CPU see what memory holds, @n bytes at the place that locate() found. */
	private refill(n: number): void {
		const mem = this.atMem.words;
		const m = this.atMemOffset >>> 2;
		if (this.atCpu.words === null) {
			// What has no buffer reads as zeroes; memory that was allocated anew mostly holds nothing else.
			if (mem === null || isZero(mem, m, n >>> 2)) return;
			this.make(this.atCpu);
		}
		const cpu = this.atCpu.words as Int32Array;
		const synced = this.synced().words;
		const c = this.atCpuOffset >>> 2;
		const s = this.atUnitOffset >>> 2;
		if (mem === null) {
			cpu.fill(0, c, c + (n >>> 2));
			synced.fill(0, s, s + (n >>> 2));
		} else if (n <= 256) {
			for (let w = 0; w < n >>> 2; w++) {
				const v = mem[m + w];
				cpu[c + w] = v;
				synced[s + w] = v;
			}
		} else {
			const src = mem.subarray(m, m + (n >>> 2));
			cpu.set(src, c);
			synced.set(src, s);
		}
	}

	/** Of @lines lines at the place that locate() found, the first from the @from-th on that is dirty; -1 without one. */
	private dirtyLine(from: number, lines: number): number {
		const cpu = this.atTouched ? this.atCpu.longs : null;
		if (cpu === null || (from === 0 && this.surelyInStep(lines * LINE_SIZE))) return -1;
		const synced = this.synced().longs;
		const line = nextDirty(cpu, this.atCpuOffset >>> 3, synced, this.atUnitOffset >>> 3, from, lines);
		return line < lines ? line : -1;
	}

	/** The first of @lines lines at the place that locate() found that is stale; -1 without one. */
	private staleLine(lines: number): number {
		const mem = this.atMem.longs;
		const cpu = this.atCpu.longs;
		if (mem === null) return -1;
		const [m, c, s] = [this.atMemOffset >>> 3, this.atCpuOffset >>> 3, this.atUnitOffset >>> 3];
		if (cpu === null) {
			const words = this.atMem.words as Int32Array;
			for (let line = 0; line < lines; line++)
				if (!isZero(words, 2 * (m + line * LINE_LONGS), 2 * LINE_LONGS)) return line;
			return -1;
		}
		const synced = this.synced().longs;
		for (let line = nextDirty(cpu, c, mem, m, 0, lines); line < lines; ) {
			if (nextDirty(cpu, c, synced, s, line, line + 1) > line) return line;
			line = nextDirty(cpu, c, mem, m, line + 1, lines);
		}
		return -1;
	}

	private reportDirty(phys: number, size: number): void {
		const end = Math.ceil((phys + size) / LINE_SIZE) * LINE_SIZE;
		for (let at = Math.floor(phys / LINE_SIZE) * LINE_SIZE; at < end; ) {
			const run = this.locate(at, false);
			if (run === 0) break;
			const n = Math.min(run, end - at);
			for (let from = 0; from < n / LINE_SIZE; ) {
				const line = this.dirtyLine(from, n / LINE_SIZE);
				if (line < 0) break;
				this.observer?.onDirtyDropped?.(at + line * LINE_SIZE);
				from = line + 1;
				// Who hears of it may have looked elsewhere.
				this.locate(at, false);
			}
			at += n;
		}
	}

	/** xorshift32: a number in 0..2^32-1. */
	private nextRandom(): number {
		let x = this.evictionState;
		x ^= x << 13;
		x ^= x >>> 17;
		x ^= x << 5;
		this.evictionState = x >>> 0;
		return this.evictionState;
	}

	private evictSome(): void {
		let count = Math.floor(this.evictionRate);
		if (this.nextRandom() / 2 ** 32 < this.evictionRate - count) count++;
		if (this.touched.length === 0) return;
		for (; count > 0; count--) {
			const block = this.touched[this.nextRandom() % this.touched.length];
			const line = block.base + (this.nextRandom() % (BLOCK_SIZE / LINE_SIZE)) * LINE_SIZE;
			if (this.is_ram(line, LINE_SIZE)) this.evict(line, LINE_SIZE);
		}
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
