// SPDX-License-Identifier: GPL-2.0-only
// Sparse RAM behind a write-back data cache, seen by the CPU and by devices.
//
// Every byte exists three times (DESIGN.md, "Memory"): as cacheable loads and stores see it (cpu), as
// devices and non-cacheable mappings see it (mem), and as the cpu view was when the line was last in
// step with memory (synced). A 64-byte line is dirty when cpu and synced differ. The model is
// pessimistic: every line is in the cache, and a stale one stays until someone drops it. Stores to a typed
// array cannot be seen, so what may be dirty must be compared; of pages that nobody has a view of it is known
// (ram-places.ts).
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
	copyLine,
	copyLongs,
	differs,
	isZero,
	LINE_LONGS,
	LINE_SIZE,
	nextClean,
	nextDirty,
	surelySame,
} from './ram-lines.js';
import { Mappings } from './ram-mappings.js';
import {
	BLANK,
	BLOCK_SIZE,
	type Block,
	COMPARE,
	GRANULE,
	GRANULE_SHIFT,
	hex,
	IN_STEP,
	UNIT_SHIFT,
	UNIT_SIZE,
	ZEROED,
	ZEROED_WORD,
} from './ram-places.js';

export { LINE_SIZE } from './ram-lines.js';
export type { RamObserver } from './ram-observer.js';
export { BLOCK_SIZE, GRANULE, type RamRegion, type RamStats } from './ram-places.js';

export interface EvictionOptions {
	readonly seed: number;
	/** Lines that the cache replaces at each access from outside (0.1: one in ten accesses). */
	readonly rate: number;
}

/** RAM as a machine has it: `new Ram([{ base: 0x40000000, size: 0x80000000 }])`. Regions may lie anywhere. */
export class Ram extends Mappings implements machine_memory {
	private evictionRate = 0;
	private evictionState = 1;

	// ---- the kernel's door (arch/arm64/include/asm/machine.ts)

	clean(phys: number, size: number): void {
		if (size <= 0) return;
		this.stats.cleans++;
		this.observer?.onClean?.(phys, size);
		if (this.evictionRate !== 0) this.evictSome();
		const nr = Math.floor(phys / BLOCK_SIZE);
		const offset = (phys - nr * BLOCK_SIZE) | 0;
		if (!this.cleanInPage(this.blocks[nr], offset, size)) this.cleanLines(phys, size);
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
			if (run === 0) throw new RangeError(`zero: ${hex(phys + done)} is not RAM`);
			const n = this.inPage(run, size - done);
			if (this.atTouched && (this.atCpu.bytes !== null || this.atMem.bytes !== null)) this.zeroPart(n);
			done += n;
		}
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
			const run = this.locate(phys + done, true);
			const n = snoop ? this.inPage(run, size - done) : Math.min(run, size - done);
			copyBytes(src, done, this.atMem.bytes ?? this.make(this.atMem), this.atMemOffset, n);
			if (snoop) this.setInStep(src, done, n);
			done += n;
		}
		return true;
	}

	/** One aligned 32-bit word as a page-table walker reads it from memory; -1 when it is not RAM. */
	readWord(phys: number): number {
		this.stats.wordReads++;
		const nr = Math.floor(phys / BLOCK_SIZE);
		const offset = (phys - nr * BLOCK_SIZE) | 0;
		if (offset % 4 !== 0 || !this.is_ram(phys, 4)) return -1;
		const block = this.blocks[nr];
		if (block === undefined) return 0;
		// What locate() does, for memory alone: walks are most of what reads words.
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

	/** The address of the first dirty line of the range, -1 without one. */
	firstDirty(phys: number, size: number): number {
		const end = Math.ceil((phys + size) / LINE_SIZE) * LINE_SIZE;
		for (let at = Math.floor(phys / LINE_SIZE) * LINE_SIZE; at < end; ) {
			const run = this.locate(at, false);
			if (run === 0) break;
			const n = this.inPage(run, end - at);
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
			const n = this.inPage(run, end - at);
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
			const n = this.inPage(run, bytes.length - done);
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

	/** zero() of @n bytes of the page that locate() found. */
	private zeroPart(n: number): void {
		if (n < GRANULE) this.exposePage();
		const { states } = this.atBlock;
		const state = states[this.atPage];
		if (state !== COMPARE) states[this.atPage] = ZEROED;
		if (state === BLANK || state === ZEROED) return;
		const bytes = this.atCpu.bytes ?? this.make(this.atCpu);
		const word = state === COMPARE ? ZEROED_WORD : 0;
		bytes.fill(0, this.atCpuOffset, this.atCpuOffset + n);
		this.synced().words.fill(word, this.atUnitOffset >>> 2, (this.atUnitOffset + n) >>> 2);
	}

	/** Have the CPU see @n bytes of @src from @from on, in step with memory, in the page that locate() found. */
	private setInStep(src: Uint8Array, from: number, n: number): void {
		const { states } = this.atBlock;
		if (states[this.atPage] === ZEROED) this.exposePage();
		else if (states[this.atPage] === BLANK) states[this.atPage] = IN_STEP;
		copyBytes(src, from, this.atCpu.bytes ?? this.make(this.atCpu), this.atCpuOffset, n);
		copyBytes(src, from, this.synced().bytes, this.atUnitOffset, n);
	}

	/** Write the dirty lines that [phys, phys + size) touches to memory. */
	private cleanLines(phys: number, size: number): void {
		const start = Math.floor(phys / LINE_SIZE) * LINE_SIZE;
		const end = Math.ceil((phys + size) / LINE_SIZE) * LINE_SIZE;
		for (let at = start; at < end; ) {
			const run = this.locate(at, false);
			if (run === 0) break;
			const n = this.inPage(run, end - at);
			if (this.atTouched) this.stats.linesCleaned += this.cleanPart(n);
			at += n;
		}
	}

	/**
	 * cleanLines() for what is asked most: a page that nobody can have stored to, and a word, as drivers clean each entry of
	 * a page table that they write, of a page that is where it was. False, and nothing done: it is something else.
	 */
	private cleanInPage(block: Block | undefined, offset: number, size: number): boolean {
		if (block === undefined || (offset % GRANULE) + size > GRANULE) return false;
		const page = offset >>> GRANULE_SHIFT;
		const state = block.states[page];
		if (state < ZEROED) return true;
		if (state === ZEROED || (offset % LINE_SIZE) + size > LINE_SIZE) return false;
		if (block.slots !== null && block.slots[page] !== null) return false;
		const unit = offset >>> UNIT_SHIFT;
		const synced = block.synced[unit];
		const cpu = block.cpu.longs;
		const mem = block.mem[unit].longs;
		if (synced === null || cpu === null || mem === null) return false;
		const word = (offset >>> 3) % LINE_LONGS;
		const line = offset & -LINE_SIZE;
		const c = (block.base - block.cpu.base + line) >>> 3;
		const m = (block.base - block.mem[unit].base + line) >>> 3;
		const s = (line % UNIT_SIZE) >>> 3;
		// The word that was asked for has mostly changed.
		if (cpu[c + word] === synced.longs[s + word] && !differs(cpu, c, synced.longs, s)) return true;
		copyLine(cpu, c, mem, m, synced.longs, s);
		this.stats.linesCleaned++;
		return true;
	}

	/** cleanLines() for @n bytes of the page that locate() found; how many lines were dirty. */
	private cleanPart(n: number): number {
		const { states } = this.atBlock;
		const state = states[this.atPage];
		if (state < ZEROED) return 0;
		if (state === ZEROED) {
			if (n === GRANULE) {
				states[this.atPage] = BLANK;
				this.atMem.bytes?.fill(0, this.atMemOffset, this.atMemOffset + n);
				return GRANULE / LINE_SIZE;
			}
			this.exposePage();
		}
		const cpu = this.atCpu.longs;
		// Nobody stored where there is no buffer.
		if (cpu === null) return 0;
		const synced = this.synced().longs;
		const c = this.atCpuOffset >>> 3;
		const s = this.atUnitOffset >>> 3;
		// A buffer that was filled has a dirty line in front.
		if (!differs(cpu, c, synced, s) && this.surelyInStep(n)) return 0;
		const lines = n / LINE_SIZE;
		let written = 0;
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
		return written;
	}

	/** Whether none of @n bytes of the page that locate() found is dirty; false also when it is not worth asking so. */
	private surelyInStep(n: number): boolean {
		if (n !== GRANULE) return false;
		const cpu = this.atCpu.bytes as Uint8Array;
		const synced = this.synced();
		return surelySame(
			this.atCpu.pageViews.at(cpu, this.atCpuOffset),
			synced.pageViews.at(synced.bytes, this.atUnitOffset),
		);
	}

	/** Refill the lines that [phys, phys + size) touches from memory; the number of lines. */
	private dropLines(phys: number, size: number): number {
		const start = Math.floor(phys / LINE_SIZE) * LINE_SIZE;
		const end = Math.ceil((phys + size) / LINE_SIZE) * LINE_SIZE;
		for (let at = start; at < end; ) {
			const run = this.locate(at, false);
			if (run === 0) break;
			const n = this.inPage(run, end - at);
			if (this.atTouched) this.refill(n);
			at += n;
		}
		return (end - start) / LINE_SIZE;
	}

	/** Have the CPU see what memory holds, @n bytes of the page that locate() found. */
	private refill(n: number): void {
		const { states } = this.atBlock;
		if (states[this.atPage] === ZEROED) {
			if (n === GRANULE) states[this.atPage] = BLANK;
			else this.exposePage();
		}
		const blank = states[this.atPage] === BLANK;
		const mem = this.atMem.words;
		const m = this.atMemOffset >>> 2;
		if (mem === null && blank) return;
		if (this.atCpu.words === null) {
			// What has no buffer reads as zeroes; memory that was allocated anew mostly holds nothing else.
			if (mem === null || isZero(mem, m, n >>> 2)) return;
			this.make(this.atCpu);
		}
		if (blank) states[this.atPage] = IN_STEP;
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
		if (this.atTouched && this.atBlock.states[this.atPage] !== COMPARE)
			return this.atBlock.states[this.atPage] === ZEROED ? from : -1;
		const cpu = this.atTouched ? this.atCpu.longs : null;
		if (cpu === null || (from === 0 && this.surelyInStep(lines * LINE_SIZE))) return -1;
		const synced = this.synced().longs;
		const line = nextDirty(cpu, this.atCpuOffset >>> 3, synced, this.atUnitOffset >>> 3, from, lines);
		return line < lines ? line : -1;
	}

	/** The first of @lines lines at the place that locate() found that is stale; -1 without one. */
	private staleLine(lines: number): number {
		if (this.atBlock.states[this.atPage] === ZEROED) return -1;
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
			const n = this.inPage(run, end - at);
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
