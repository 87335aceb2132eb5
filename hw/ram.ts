// SPDX-License-Identifier: GPL-2.0-only
// Sparse RAM behind a write-back data cache, seen by the CPU and by devices.
//
// Every byte exists three times (DESIGN.md, "Memory"): as cacheable loads and stores see it (cpu), as
// devices and non-cacheable mappings see it (mem), and as the cpu view was when the line was last in
// step with memory (synced). A 64-byte line is dirty when cpu and synced differ. The model is
// pessimistic: every line is in the cache, and a stale one stays until someone drops it.
//
// RAM is made in blocks of 4 MiB at first touch; addPiece() makes a larger contiguous buffer. A page's
// cpu and synced views lie in a CacheStore, its mem view in a MemStore; vmap() moves pages from
// the block's own stores to one contiguous store, and vunmap() moves them back.
//
// Not modelled: cache capacity (see setEviction()), stores of a value that is there already (they do not
// make a line dirty; zero() does), instruction fetch, ECC.
import type { machine_memory } from '#asm/machine.js';

export const LINE_SIZE = 64;
export const PAGE_SIZE = 4096;
export const BLOCK_SIZE = 4 * 1024 * 1024;

const LINE_WORDS = LINE_SIZE / 4;
const BLOCK_PAGES = BLOCK_SIZE / PAGE_SIZE;

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

/** Where a buffer's bytes live: one range, or page by page; and who is using it when it is a mapping. */
abstract class Store {
	/** Mappings of this store; only vmap() counts. */
	refs = 0;
	constructor(
		readonly base: number,
		readonly size: number,
		/** The page addresses of a store that vmap() made, else null. */
		readonly pages: Float64Array | null,
	) {}
}

/** The CPU's side: cpu and synced. */
class CacheStore extends Store {
	readonly cpu: Uint8Array;
	readonly cpu32: Int32Array;
	readonly synced: Uint8Array;
	readonly synced32: Int32Array;
	constructor(base: number, size: number, pages: Float64Array | null) {
		super(base, size, pages);
		this.cpu = new Uint8Array(size);
		this.cpu32 = new Int32Array(this.cpu.buffer);
		this.synced = new Uint8Array(size);
		this.synced32 = new Int32Array(this.synced.buffer);
	}
}

/** The memory's side. */
class MemStore extends Store {
	readonly mem: Uint8Array;
	readonly mem32: Int32Array;
	constructor(base: number, size: number, pages: Float64Array | null) {
		super(base, size, pages);
		this.mem = new Uint8Array(size);
		this.mem32 = new Int32Array(this.mem.buffer);
	}
}

/** Where one page is now, when that is not its block's own place. */
interface Slot {
	cache: CacheStore;
	cacheOffset: number;
	mem: MemStore;
	memOffset: number;
}

interface Piece {
	readonly base: number;
	readonly size: number;
	cache: CacheStore | null;
	mem: MemStore | null;
}

interface Block {
	readonly base: number;
	/** The stores of pages that have no slot, and where in them the block begins. */
	readonly cache: CacheStore;
	readonly cacheOffset: number;
	readonly mem: MemStore;
	readonly memOffset: number;
	slots: (Slot | null)[] | null;
	/** How many pages are away because of a vmap(). */
	moved: number;
	/** Slots that belong to a piece and so stay. */
	readonly pieceSlots: readonly (Slot | null)[] | null;
}

/** What vunmap() puts back: each page's place before the mapping. */
interface MappingRecord {
	readonly store: CacheStore | MemStore;
	readonly oldStores: (CacheStore | MemStore)[];
	readonly oldOffsets: Float64Array;
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
	private readonly stores = new WeakMap<ArrayBufferLike, CacheStore | MemStore>();
	private readonly mappings = new Map<CacheStore | MemStore, MappingRecord>();

	private evictionRate = 0;
	private evictionState = 1;

	// What locate() found, kept here so that an access allocates nothing; the rest only counts when atTouched.
	private atTouched = false;
	private atCache!: CacheStore;
	private atCacheOffset = 0;
	private atMem!: MemStore;
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
		const region = this.regionAt(phys);
		if (region === null || phys + size > region.base + region.size) return null;
		if (this.locate(phys, true) === 0) return null;
		const store = this.atCache;
		const offset = this.atCacheOffset;
		const reach = this.contiguousFrom(phys, store, offset, size, region.base + region.size);
		if (size === 0) return store.cpu.subarray(offset, offset + reach);
		return reach >= size ? store.cpu.subarray(offset, offset + size) : null;
	}

	add_piece(phys: number, size: number): void {
		if (phys % PAGE_SIZE !== 0 || size % PAGE_SIZE !== 0 || size === 0 || !this.is_ram(phys, size)) {
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
		this.pieces.push({ base: phys, size, cache: null, mem: null });
	}

	phys_of(view: ArrayBufferView): number {
		const store = this.stores.get(view.buffer);
		if (store === undefined) return -1;
		const offset = view.byteOffset;
		if (store.pages === null) return store.base + offset;
		// A pointer one past the end of a mapping is no address of RAM.
		const index = Math.floor(offset / PAGE_SIZE);
		return index < store.pages.length ? store.pages[index] + (offset % PAGE_SIZE) : -1;
	}

	is_vmap(view: ArrayBufferView): boolean {
		const store = this.stores.get(view.buffer);
		return store !== undefined && (store instanceof MemStore || store.pages !== null);
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
			if (this.atTouched) {
				const { cpu, synced32 } = this.atCache;
				const from = this.atCacheOffset;
				cpu.fill(0, from, from + n);
				// A word of synced that differs is what makes a line dirty.
				for (let w = from >>> 2; w < (from + n) >>> 2; w += LINE_WORDS) synced32[w] = -1;
			}
			done += n;
		}
	}

	vmap(pages: ArrayLike<number>, count: number, cached: boolean): Uint8Array {
		this.stats.vmaps++;
		const size = count * PAGE_SIZE;
		for (let i = 0; i < count; i++) {
			if (pages[i] % PAGE_SIZE !== 0 || this.locate(pages[i], true) === 0) {
				throw new RangeError(`vmap: ${hex(pages[i])} is not a page of RAM`);
			}
		}
		const place = this.contiguousPlace(pages, count, cached);
		if (place !== null) {
			place.store.refs++;
			const bytes = place.store instanceof CacheStore ? place.store.cpu : place.store.mem;
			return bytes.subarray(place.offset, place.offset + size);
		}
		for (let i = 0; i < count; i++) {
			this.locate(pages[i], true);
			if ((cached ? this.atCache : this.atMem).pages !== null) {
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
		const record = this.mappings.get(store);
		if (record === undefined || store.refs > 0) return;
		this.mappings.delete(store);
		this.stores.delete(view.buffer);
		const pages = store.pages as Float64Array;
		for (let i = 0; i < pages.length; i++) this.moveBack(record, pages[i], i);
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
			if (!this.atTouched) {
				out.fill(0, done, done + n);
			} else if (snoop) {
				copyBytes(this.atCache.cpu, this.atCacheOffset, out, done, n);
			} else {
				copyBytes(this.atMem.mem, this.atMemOffset, out, done, n);
			}
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
			copyBytes(src, done, this.atMem.mem, this.atMemOffset, n);
			if (snoop) {
				copyBytes(src, done, this.atCache.cpu, this.atCacheOffset, n);
				copyBytes(src, done, this.atCache.synced, this.atCacheOffset, n);
			}
			done += n;
		}
		return true;
	}

	/** One aligned 32-bit word as a page-table walker reads it from memory; -1 when it is not RAM. */
	readWord(phys: number): number {
		this.stats.wordReads++;
		if (phys % 4 !== 0 || !this.is_ram(phys, 4)) return -1;
		this.locate(phys, false);
		return !this.atTouched ? 0 : this.atMem.mem32[this.atMemOffset >>> 2] >>> 0;
	}

	/** The same word as the CPU sees it; -1 when it is not RAM. */
	readCpuWord(phys: number): number {
		if (phys % 4 !== 0 || !this.is_ram(phys, 4)) return -1;
		this.locate(phys, false);
		return !this.atTouched ? 0 : this.atCache.cpu32[this.atCacheOffset >>> 2] >>> 0;
	}

	/** Whether any line of the range holds stores that memory has not seen. */
	isDirty(phys: number, size: number): boolean {
		return this.firstDirty(phys, size) >= 0;
	}

	/** The address of the first dirty line of the range, -1 without one. */
	firstDirty(phys: number, size: number): number {
		let found = -1;
		this.eachDirty(phys, size, (line) => {
			found = line;
			return false;
		});
		return found;
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
			copyBytes(bytes, done, this.atMem.mem, this.atMemOffset, n);
			copyBytes(bytes, done, this.atCache.cpu, this.atCacheOffset, n);
			copyBytes(bytes, done, this.atCache.synced, this.atCacheOffset, n);
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

	private peek(phys: number, size: number, cpu: boolean): Uint8Array {
		const out = new Uint8Array(size);
		for (let done = 0; done < size; ) {
			const run = this.locate(phys + done, false);
			if (run === 0) throw new RangeError(`${hex(phys + done)} is not RAM`);
			const n = Math.min(run, size - done);
			if (this.atTouched) {
				if (cpu) copyBytes(this.atCache.cpu, this.atCacheOffset, out, done, n);
				else copyBytes(this.atMem.mem, this.atMemOffset, out, done, n);
			}
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
		if (block.slots !== null) {
			const slot = block.slots[offset >>> 12];
			const inPage = offset & (PAGE_SIZE - 1);
			if (slot !== null) {
				this.atCache = slot.cache;
				this.atCacheOffset = slot.cacheOffset + inPage;
				this.atMem = slot.mem;
				this.atMemOffset = slot.memOffset + inPage;
			} else {
				this.atCache = block.cache;
				this.atCacheOffset = block.cacheOffset + offset;
				this.atMem = block.mem;
				this.atMemOffset = block.memOffset + offset;
			}
			return PAGE_SIZE - inPage;
		}
		this.atCache = block.cache;
		this.atCacheOffset = block.cacheOffset + offset;
		this.atMem = block.mem;
		this.atMemOffset = block.memOffset + offset;
		return BLOCK_SIZE - offset;
	}

	private newCacheStore(base: number, size: number, pages: Float64Array | null): CacheStore {
		const store = new CacheStore(base, size, pages);
		this.stores.set(store.cpu.buffer, store);
		return store;
	}

	private newMemStore(base: number, size: number, pages: Float64Array | null): MemStore {
		const store = new MemStore(base, size, pages);
		this.stores.set(store.mem.buffer, store);
		return store;
	}

	private makeBlock(nr: number): Block {
		const base = nr * BLOCK_SIZE;
		const end = base + BLOCK_SIZE;
		const inside = this.pieces.filter((p) => p.base < end && p.base + p.size > base);
		const fresh = inside.filter((p) => p.cache === null);
		for (const p of fresh) {
			p.cache = this.newCacheStore(p.base, p.size, null);
			p.mem = this.newMemStore(p.base, p.size, null);
		}
		const whole = inside.find((p) => p.base <= base && p.base + p.size >= end);
		let block: Block;
		if (whole !== undefined) {
			const offset = base - whole.base;
			block = {
				base,
				cache: whole.cache as CacheStore,
				cacheOffset: offset,
				mem: whole.mem as MemStore,
				memOffset: offset,
				slots: null,
				moved: 0,
				pieceSlots: null,
			};
		} else {
			let pieceSlots: (Slot | null)[] | null = null;
			for (const p of inside) {
				pieceSlots ??= new Array<Slot | null>(BLOCK_PAGES).fill(null);
				const from = Math.max(p.base, base);
				const to = Math.min(p.base + p.size, end);
				for (let phys = from; phys < to; phys += PAGE_SIZE) {
					const offset = phys - p.base;
					pieceSlots[(phys - base) / PAGE_SIZE] = {
						cache: p.cache as CacheStore,
						cacheOffset: offset,
						mem: p.mem as MemStore,
						memOffset: offset,
					};
				}
			}
			block = {
				base,
				cache: this.newCacheStore(base, BLOCK_SIZE, null),
				cacheOffset: 0,
				mem: this.newMemStore(base, BLOCK_SIZE, null),
				memOffset: 0,
				slots: pieceSlots === null ? null : [...pieceSlots],
				moved: 0,
				pieceSlots,
			};
		}
		this.stats.touchedBytes += BLOCK_SIZE;
		this.blocks[nr] = block;
		this.touched.push(block);
		// A view of a piece reaches all of it, so all its blocks must be there.
		for (const p of fresh) {
			for (let b = Math.floor(p.base / BLOCK_SIZE); b * BLOCK_SIZE < p.base + p.size; b++) {
				if (this.blocks[b] === undefined) this.makeBlock(b);
			}
		}
		return block;
	}

	/** How far the CPU's view goes on in @store from @phys (at @offset); stops at @want, or at @limit when that is 0. */
	private contiguousFrom(
		phys: number,
		store: CacheStore,
		offset: number,
		want: number,
		limit: number,
	): number {
		if (store.pages !== null) {
			let reach = PAGE_SIZE - (offset % PAGE_SIZE);
			let index = Math.floor(offset / PAGE_SIZE);
			while (index + 1 < store.pages.length && store.pages[index + 1] === store.pages[index] + PAGE_SIZE) {
				reach += PAGE_SIZE;
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
				for (let p = at; p < blockEnd; p += PAGE_SIZE - (p % PAGE_SIZE)) {
					const slot = slots[(p - block.base) >>> 12];
					if ((slot === null ? block.cache : slot.cache) !== store) return p - phys;
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
	): { store: CacheStore | MemStore; offset: number } | null {
		this.locate(pages[0], true);
		const store: CacheStore | MemStore = cached ? this.atCache : this.atMem;
		const offset = cached ? this.atCacheOffset : this.atMemOffset;
		// The linear map's own buffer is no vmap() address: a cached mapping of it must be told from the linear one.
		if (cached && store.pages === null) return null;
		for (let i = 1; i < count; i++) {
			this.locate(pages[i], true);
			if (cached) {
				if (this.atCache !== store || this.atCacheOffset !== offset + i * PAGE_SIZE) return null;
			} else if (this.atMem !== store || this.atMemOffset !== offset + i * PAGE_SIZE) {
				return null;
			}
		}
		return { store, offset };
	}

	private rehome(pages: Float64Array, cached: boolean): Uint8Array {
		const size = pages.length * PAGE_SIZE;
		const oldStores: (CacheStore | MemStore)[] = [];
		const oldOffsets = new Float64Array(pages.length);
		const store = cached ? this.newCacheStore(0, size, pages) : this.newMemStore(0, size, pages);
		for (let i = 0; i < pages.length; i++) {
			this.locate(pages[i], true);
			if (store instanceof CacheStore) {
				const old = this.atCache;
				const from = this.atCacheOffset;
				if (old === store) throw new Error(`vmap: page ${hex(pages[i])} is in the mapping twice`);
				oldStores.push(old);
				oldOffsets[i] = from;
				copyBytes(old.cpu, from, store.cpu, i * PAGE_SIZE, PAGE_SIZE);
				copyBytes(old.synced, from, store.synced, i * PAGE_SIZE, PAGE_SIZE);
				// Nobody should store to the old place now; moveBack() looks whether someone did.
				copyBytes(old.cpu, from, old.synced, from, PAGE_SIZE);
				const slot = this.slotOf(pages[i]);
				slot.cache = store;
				slot.cacheOffset = i * PAGE_SIZE;
			} else {
				const old = this.atMem;
				if (old === store) throw new Error(`vmap: page ${hex(pages[i])} is in the mapping twice`);
				oldStores.push(old);
				oldOffsets[i] = this.atMemOffset;
				copyBytes(old.mem, this.atMemOffset, store.mem, i * PAGE_SIZE, PAGE_SIZE);
				const slot = this.slotOf(pages[i]);
				slot.mem = store;
				slot.memOffset = i * PAGE_SIZE;
			}
		}
		this.stats.pagesRehomed += pages.length;
		store.refs = 1;
		this.mappings.set(store, { store, oldStores, oldOffsets });
		return store instanceof CacheStore ? store.cpu.subarray(0, size) : store.mem.subarray(0, size);
	}

	/** The slot of a page, its own to change. */
	private slotOf(phys: number): Slot {
		const block = this.blocks[Math.floor(phys / BLOCK_SIZE)] as Block;
		block.slots ??= new Array<Slot | null>(BLOCK_PAGES).fill(null);
		const index = (phys - block.base) / PAGE_SIZE;
		let slot = block.slots[index];
		if (slot === null) {
			const offset = phys - block.base;
			slot = {
				cache: block.cache,
				cacheOffset: block.cacheOffset + offset,
				mem: block.mem,
				memOffset: block.memOffset + offset,
			};
			block.slots[index] = slot;
			block.moved++;
		} else if (slot === block.pieceSlots?.[index]) {
			slot = { ...slot };
			block.slots[index] = slot;
			block.moved++;
		}
		return slot;
	}

	private moveBack(record: MappingRecord, phys: number, index: number): void {
		const slot = this.slotOf(phys);
		const from = index * PAGE_SIZE;
		const to = record.oldOffsets[index];
		const old = record.oldStores[index];
		if (record.store instanceof CacheStore && old instanceof CacheStore) {
			if (!sameWords(old.cpu32, old.synced32, to >>> 2, PAGE_SIZE >>> 2)) {
				this.stats.staleWrites++;
				this.observer?.onStaleWrite?.(phys);
			}
			copyBytes(record.store.cpu, from, old.cpu, to, PAGE_SIZE);
			copyBytes(record.store.synced, from, old.synced, to, PAGE_SIZE);
			slot.cache = old;
			slot.cacheOffset = to;
		} else if (record.store instanceof MemStore && old instanceof MemStore) {
			copyBytes(record.store.mem, from, old.mem, to, PAGE_SIZE);
			slot.mem = old;
			slot.memOffset = to;
		}
		// A page that is back at its own place in both views needs no slot.
		const block = this.blocks[Math.floor(phys / BLOCK_SIZE)] as Block;
		const page = (phys - block.base) / PAGE_SIZE;
		const own = block.pieceSlots?.[page] ?? null;
		const home = own ?? block;
		if (slot.cache !== home.cache || slot.mem !== home.mem || block.slots === null) return;
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
			const n = Math.min(run, end - at);
			if (this.atTouched) {
				written += cleanWords(
					this.atCache.cpu32,
					this.atCache.synced32,
					this.atCacheOffset >>> 2,
					this.atMem.mem32,
					this.atMemOffset >>> 2,
					n >>> 6,
				);
			}
			at += n;
		}
		this.stats.linesCleaned += written;
	}

	/** Refill the lines that [phys, phys + size) touches from memory; the number of lines. */
	private dropLines(phys: number, size: number): number {
		const start = Math.floor(phys / LINE_SIZE) * LINE_SIZE;
		const end = Math.ceil((phys + size) / LINE_SIZE) * LINE_SIZE;
		for (let at = start; at < end; ) {
			const run = this.locate(at, false);
			if (run === 0) break;
			const n = Math.min(run, end - at);
			if (this.atTouched) {
				const { mem, mem32 } = this.atMem;
				const { cpu, cpu32, synced, synced32 } = this.atCache;
				if (n <= 256) {
					const c = this.atCacheOffset >>> 2;
					const m = this.atMemOffset >>> 2;
					for (let w = 0; w < n >>> 2; w++) {
						const v = mem32[m + w];
						cpu32[c + w] = v;
						synced32[c + w] = v;
					}
				} else {
					const src = mem.subarray(this.atMemOffset, this.atMemOffset + n);
					cpu.set(src, this.atCacheOffset);
					synced.set(src, this.atCacheOffset);
				}
			}
			at += n;
		}
		return (end - start) / LINE_SIZE;
	}

	/** Call @visit with the address of each dirty line that the range touches, until it answers false. */
	private eachDirty(phys: number, size: number, visit: (line: number) => boolean): void {
		const start = Math.floor(phys / LINE_SIZE) * LINE_SIZE;
		const end = Math.ceil((phys + size) / LINE_SIZE) * LINE_SIZE;
		for (let at = start; at < end; ) {
			const run = this.locate(at, false);
			if (run === 0) break;
			const n = Math.min(run, end - at);
			if (this.atTouched) {
				const store = this.atCache;
				const offset = this.atCacheOffset;
				for (let line = 0; line < n; line += LINE_SIZE) {
					const w = (offset + line) >>> 2;
					if (!sameWords(store.cpu32, store.synced32, w, LINE_WORDS) && !visit(at + line)) return;
				}
			}
			at += n;
		}
	}

	private reportDirty(phys: number, size: number): void {
		this.eachDirty(phys, size, (line) => {
			this.observer?.onDirtyDropped?.(line);
			return true;
		});
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

function copyBytes(src: Uint8Array, from: number, dst: Uint8Array, to: number, n: number): void {
	if (n <= 32) {
		for (let i = 0; i < n; i++) dst[to + i] = src[from + i];
	} else if (n === src.length && from === 0) {
		dst.set(src, to);
	} else {
		dst.set(src.subarray(from, from + n), to);
	}
}

function sameWords(a: Int32Array, b: Int32Array, at: number, n: number): boolean {
	for (let i = at; i < at + n; i++) if (a[i] !== b[i]) return false;
	return true;
}

/** Copy each line whose words differ in @cpu and @synced to @mem; the number of lines copied. */
function cleanWords(
	cpu: Int32Array,
	synced: Int32Array,
	cacheAt: number,
	mem: Int32Array,
	memAt: number,
	lines: number,
): number {
	let written = 0;
	for (let line = 0; line < lines; line++, cacheAt += LINE_WORDS, memAt += LINE_WORDS) {
		// Sixteen words in two expressions: three times as fast as a loop with an exit.
		const c = cacheAt;
		if (
			((cpu[c] ^ synced[c]) |
				(cpu[c + 1] ^ synced[c + 1]) |
				(cpu[c + 2] ^ synced[c + 2]) |
				(cpu[c + 3] ^ synced[c + 3]) |
				(cpu[c + 4] ^ synced[c + 4]) |
				(cpu[c + 5] ^ synced[c + 5]) |
				(cpu[c + 6] ^ synced[c + 6]) |
				(cpu[c + 7] ^ synced[c + 7])) ===
				0 &&
			((cpu[c + 8] ^ synced[c + 8]) |
				(cpu[c + 9] ^ synced[c + 9]) |
				(cpu[c + 10] ^ synced[c + 10]) |
				(cpu[c + 11] ^ synced[c + 11]) |
				(cpu[c + 12] ^ synced[c + 12]) |
				(cpu[c + 13] ^ synced[c + 13]) |
				(cpu[c + 14] ^ synced[c + 14]) |
				(cpu[c + 15] ^ synced[c + 15])) ===
				0
		) {
			continue;
		}
		for (let i = 0; i < LINE_WORDS; i++) {
			const v = cpu[cacheAt + i];
			mem[memAt + i] = v;
			synced[cacheAt + i] = v;
		}
		written++;
	}
	return written;
}
