// SPDX-License-Identifier: GPL-2.0-only
// Where the bytes of an address are: blocks, pieces, units and their buffers, made when someone needs them; and what is
// known of each page without looking at its bytes.
import type { RamObserver } from './ram-observer.js';

/** The smallest page that an arm64 MMU maps: what vmap() moves, whatever the size of the kernel's pages. */
export const GRANULE = 4096;
export const GRANULE_SHIFT = 12;
export const BLOCK_SIZE = 4 * 1024 * 1024;

export const BLOCK_GRANULES = BLOCK_SIZE / GRANULE;
export const UNIT_SIZE = 256 * 1024;
export const UNIT_SHIFT = 18;
export const BLOCK_UNITS = BLOCK_SIZE / UNIT_SIZE;
/** What synced holds of a zeroed line. A line is dirty when one word differs, and a line of only this word is not seen in practice. */
export const ZEROED_WORD = 0x5aa5_c33c;

// What is known of a page's cpu view. Stores to a typed array cannot be seen, and who was given one may keep it: of a
// page that was ever in a view, comparison alone tells. A view's holder stores inside it, not elsewhere in its buffer.
/** In step, and all zeroes, in synced too: what a page begins as. */
export const BLANK = 0;
export const IN_STEP = 1;
/** Each line is zero and dirty; cpu and synced are zeroes, or not there. */
export const ZEROED = 2;
export const COMPARE = 3;

export interface RamRegion {
	readonly base: number;
	readonly size: number;
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

/** Views of a buffer's pages, for those who want one again and again. */
class PageViews {
	private views: (Uint8Array | null)[] | null = null;

	/** The page that begins @offset bytes into @bytes, which is the same array in each call. */
	at(bytes: Uint8Array, offset: number): Uint8Array {
		this.views ??= new Array<Uint8Array | null>(bytes.length / GRANULE).fill(null);
		const page = offset >>> GRANULE_SHIFT;
		let view = this.views[page];
		if (view === null) {
			view = bytes.subarray(offset, offset + GRANULE);
			this.views[page] = view;
		}
		return view;
	}
}

/** A buffer of one side, cpu or mem, not there until someone needs it: one range of RAM, or one page after the other. */
export class Store {
	buffer: ArrayBuffer | null = null;
	bytes: Uint8Array | null = null;
	words: Int32Array | null = null;
	longs: BigInt64Array | null = null;
	readonly pageViews = new PageViews();
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
	readonly bytes = new Uint8Array(UNIT_SIZE);
	readonly pageViews = new PageViews();
	readonly words = new Int32Array(this.bytes.buffer);
	readonly longs = new BigInt64Array(this.bytes.buffer);
}

/** Where one page is now; null: at its block's own place. */
export interface Slot {
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

export interface Block {
	readonly base: number;
	/** The stores of pages that have no slot: the block's or a piece's, and each unit's or one for several. */
	readonly cpu: Store;
	readonly mem: Store[];
	/** The cpu view of each unit as it was when in step; null: all zeroes. It never moves. */
	readonly synced: (Synced | null)[];
	/** BLANK, IN_STEP, ZEROED or COMPARE, by page. */
	readonly states: Uint8Array;
	slots: (Slot | null)[] | null;
	/** How many pages are away because of a vmap(). */
	moved: number;
	/** Slots that belong to a piece and so stay. */
	readonly pieceSlots: readonly (Slot | null)[] | null;
}

export const hex = (n: number): string => `0x${n.toString(16)}`;

/** The places of RAM; `Ram` puts mappings and a cache on them. */
export class Places {
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

	protected readonly blocks: (Block | undefined)[] = [];
	protected readonly touched: Block[] = [];
	protected readonly stores = new WeakMap<ArrayBufferLike, Store>();
	private readonly pieces: Piece[] = [];

	// The page table, or buffer, that was asked for last: it is mostly asked for again.
	protected lastWords: Uint32Array | null = null;
	private lastWordsPhys = 0;
	protected lastView: ArrayBufferView | null = null;
	private lastStore: Store | undefined;

	// What locate() found, kept here so that an access allocates nothing; the rest only counts when atTouched.
	protected atTouched = false;
	protected atBlock!: Block;
	/** The page's index in the block's states and slots. */
	protected atPage = 0;
	protected atUnit = 0;
	protected atUnitOffset = 0;
	protected atCpu!: Store;
	protected atCpuOffset = 0;
	protected atMem!: Store;
	protected atMemOffset = 0;

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
		const offset = this.atCpuOffset;
		const length = size === 0 ? reach : size;
		this.expose(phys, length);
		return new Uint8Array(bytes.buffer, offset, length);
	}

	linear_words(phys: number, count: number): Uint32Array | null {
		const last = this.lastWords;
		if (last !== null && this.lastWordsPhys === phys && last.length === count) return last;
		if (this.locateLinear(phys, count * 4) === 0) return null;
		const bytes = this.atCpu.bytes ?? this.make(this.atCpu);
		const words = new Uint32Array(bytes.buffer, this.atCpuOffset, count);
		this.expose(phys, count * 4);
		this.lastWords = words;
		this.lastWordsPhys = phys;
		return words;
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

	// ---- inside

	private storeOf(view: ArrayBufferView): Store | undefined {
		if (view !== this.lastView) {
			this.lastView = view;
			this.lastStore = this.stores.get(view.buffer);
		}
		return this.lastStore;
	}

	protected regionAt(phys: number): RamRegion | null {
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

	/** A view of [@phys, @phys + @size), where locate() just was, is about to be given out. */
	private expose(phys: number, size: number): void {
		this.exposePage();
		const end = phys + size;
		for (let at = phys + GRANULE - (this.atUnitOffset & (GRANULE - 1)); at < end; at += GRANULE) {
			const { base, states } = this.atBlock;
			if (at - base < BLOCK_SIZE && states[(at - base) >>> GRANULE_SHIFT] === COMPARE) continue;
			this.locate(at, true);
			this.exposePage();
		}
	}

	/** Of the page that locate() found the buffers alone are to tell. */
	protected exposePage(): void {
		const { states } = this.atBlock;
		if (states[this.atPage] === ZEROED) {
			if (this.atCpu.bytes === null) this.make(this.atCpu);
			const from = (this.atUnitOffset & -GRANULE) >>> 2;
			this.synced().words.fill(ZEROED_WORD, from, from + GRANULE / 4);
		}
		states[this.atPage] = COMPARE;
	}

	/** How many of @left bytes lie in the page that locate() found; of untouched RAM, in the @run that it told. */
	protected inPage(run: number, left: number): number {
		return Math.min(left, this.atTouched ? GRANULE - (this.atUnitOffset & (GRANULE - 1)) : run);
	}

	/**
	 * Find the place of @phys. The result is how many bytes from there on lie in that same place (at least to the
	 * page's end), 0 when it is not RAM. Untouched RAM is made when @touch, else atTouched is false.
	 */
	protected locate(phys: number, touch: boolean): number {
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
		this.atPage = offset >>> GRANULE_SHIFT;
		this.atUnit = offset >>> UNIT_SHIFT;
		this.atUnitOffset = offset & (UNIT_SIZE - 1);
		this.atCpu = block.cpu;
		this.atCpuOffset = (phys - block.cpu.base) | 0;
		this.atMem = block.mem[this.atUnit];
		this.atMemOffset = (phys - this.atMem.base) | 0;
		if (block.slots === null) return UNIT_SIZE - this.atUnitOffset;
		const inPage = offset & (GRANULE - 1);
		const slot = block.slots[this.atPage];
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
	protected make(store: Store): Uint8Array {
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
	protected synced(): Synced {
		let synced = this.atBlock.synced[this.atUnit];
		if (synced === null) {
			synced = new Synced();
			this.atBlock.synced[this.atUnit] = synced;
		}
		return synced;
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
			states: new Uint8Array(BLOCK_GRANULES),
			slots: pieceSlots === null ? null : [...pieceSlots],
			moved: 0,
			pieceSlots,
		};
		this.stats.touchedBytes += BLOCK_SIZE;
		this.blocks[nr] = block;
		this.touched.push(block);
		return block;
	}

	/** The block of a page that was touched. */
	protected blockOf(phys: number): Block {
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
}
