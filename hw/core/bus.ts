// SPDX-License-Identifier: GPL-2.0-only
// The address map: which block answers an access to a device register.
//
// Not modelled: bus errors (an access to nothing reads as zero and is logged), access widths that a
// block does not support (each block decides), ordering.

import type { DeviceModel } from './model.js';
import type { PowerSwitch } from './power.js';
import type { Ram } from './ram.js';
import { hex } from './register-file.js';

const FRAME_SHIFT = 12;
/** Addresses below this go through the page index. */
const INDEXED = 0x1_0000_0000;
/** Windows larger than this, and those above the index, are searched one by one. */
const LARGE = 0x100_0000;

/** One `reg` entry of one block. */
export class Window {
	reads = 0;
	writes = 0;
	/** Another window has some of the same addresses. */
	shared = false;
	constructor(
		readonly base: number,
		readonly size: number,
		/** Which `reg` entry of the block's node. */
		readonly region: number,
		/** null: a block that nobody modelled; reads as zero. */
		readonly model: DeviceModel | null,
		/** As Linux names the device: `1000000.dma`. */
		readonly name: string,
		/** Whether the block answers (clock on, not in reset); null: always. */
		readonly power: PowerSwitch | null,
	) {}

	/** Whether @addr is in this window. */
	has(addr: number): boolean {
		return addr >= this.base && addr - this.base < this.size;
	}

	/** null when the block answers; else what it lacks. */
	unpowered(): string | null {
		return this.power === null ? null : this.power.why();
	}
}

/** The windows that have a part of one page, in the order they were added. */
class PageEntry {
	constructor(
		readonly window: Window,
		readonly next: PageEntry | null,
	) {}
}

export interface MmioEvent {
	readonly write: boolean;
	readonly addr: number;
	readonly width: number;
	readonly value: number;
	/** The block, null when nothing is there. */
	readonly window: Window | null;
	/** `1000000.dma CTRL (0x050) = 0x1 [ENABLE=0x1]`. */
	text(): string;
}

export class Bus {
	/** Accesses to addresses where no window is. */
	#readsOfNothing = 0;
	#writesOfNothing = 0;
	#trace: ((event: MmioEvent) => void) | null = null;
	/** Sees every access that a block without clock, or in reset, did not get. */
	lost: ((window: Window, addr: number, write: boolean, why: string) => void) | null = null;
	/** Sees every access to an address where nothing is. */
	missed: ((addr: number, write: boolean) => void) | null = null;
	/** Sees every value that has more bits than the access: they are dropped. */
	cut: ((addr: number, width: number, value: number) => void) | null = null;

	readonly windows: Window[] = [];
	readonly #pages: (Array<PageEntry | null> | null)[] = new Array(INDEXED / 0x10_0000).fill(null);
	readonly #searched: Window[] = [];
	readonly #spoken = new Set<string>();
	/**
	 * The block that was accessed last, when it answers, no other window could answer for it, and nobody sees its accesses:
	 * they come in a row.
	 */
	#last: Window | null = null;

	constructor(
		readonly ram: Ram,
		/** Where remarks go: each is made once per block. */
		readonly note: (who: string, text: string) => void,
	) {}

	/** Sees every access with its value, after it was done. */
	get trace(): ((event: MmioEvent) => void) | null {
		return this.#trace;
	}

	set trace(trace: ((event: MmioEvent) => void) | null) {
		this.#trace = trace;
		this.#last = null;
	}

	/** How many accesses there were. */
	get reads(): number {
		return this.windows.reduce((sum, { reads }) => sum + reads, this.#readsOfNothing);
	}

	get writes(): number {
		return this.windows.reduce((sum, { writes }) => sum + writes, this.#writesOfNothing);
	}

	/** A block may have lost its clock, or come out of reset. */
	powerChanged(): void {
		this.#last = null;
	}

	/** Put a window on the map. Of two that overlap, the one added first answers. */
	add(window: Window): void {
		for (const other of this.windows)
			if (window.base < other.base + other.size && other.base < window.base + window.size) {
				other.shared = true;
				window.shared = true;
			}
		this.#last = null;
		this.windows.push(window);
		if (window.base + window.size > INDEXED || window.size > LARGE) {
			this.#searched.push(window);
			return;
		}
		const last = (window.base + window.size - 1) >>> FRAME_SHIFT;
		for (let page = window.base >>> FRAME_SHIFT; page <= last; page++) {
			this.#pages[page >>> 8] ??= new Array(256).fill(null);
			const row = this.#pages[page >>> 8]!;
			row[page & 255] = append(row[page & 255], window);
		}
	}

	/** The window that answers @addr. */
	find(addr: number): Window | null {
		if (addr < INDEXED) {
			const row = this.#pages[addr >>> 20];
			for (
				let entry = row === null ? null : row[(addr >>> FRAME_SHIFT) & 255];
				entry !== null;
				entry = entry.next
			) {
				const { window } = entry;
				const offset = addr - window.base;
				if (offset >= 0 && offset < window.size) return window;
			}
		}
		for (const window of this.#searched)
			if (addr >= window.base && addr < window.base + window.size) return window;
		return null;
	}

	/** @width is 1, 2, 4 or 8 bytes; 8 is done as two words, the lower one first. */
	read(addr: number, width: number): number {
		const last = this.#last;
		if (last === null || width > 4 || !last.has(addr)) return this.#readAnywhere(addr, width);
		last.reads++;
		return last.model!.read(addr - last.base, width, last.region);
	}

	write(addr: number, width: number, value: number): void {
		const last = this.#last;
		if (last === null || width > 4 || !last.has(addr)) {
			this.#writeAnywhere(addr, width, value);
			return;
		}
		last.writes++;
		last.model!.write(addr - last.base, width, value, last.region);
	}

	/** The window of @addr; it is tried first from now on if that spares the questions that are asked here. */
	#choose(addr: number): Window | null {
		const window = this.find(addr);
		if (window === null || window.model === null || window.shared) return window;
		if (this.#trace === null && window.unpowered() === null) this.#last = window;
		return window;
	}

	#readAnywhere(addr: number, width: number): number {
		if (width === 8) return this.read(addr, 4) + this.read(addr + 4, 4) * 0x1_0000_0000;
		const window = this.#choose(addr);
		let value = 0;
		if (window === null) value = this.#readNothing(addr, width);
		else {
			window.reads++;
			const why = window.unpowered();
			if (window.model === null) this.#once(window.name, `no model of this block: it reads as zero`);
			else if (why !== null) {
				this.#once(window.name, `read of ${hex(addr)} reads as zero: ${why}`);
				this.lost?.(window, addr, false, why);
			} else value = window.model.read(addr - window.base, width, window.region);
		}
		if (this.#trace !== null) this.#trace(new Event(false, addr, width, value, window));
		return value;
	}

	#writeAnywhere(addr: number, width: number, value: number): void {
		if (width === 8) {
			this.write(addr, 4, value % 0x1_0000_0000);
			this.write(addr + 4, 4, Math.floor(value / 0x1_0000_0000));
			return;
		}
		const window = this.#choose(addr);
		if (window === null) this.#writeNothing(addr, width, value);
		else {
			window.writes++;
			const why = window.unpowered();
			if (window.model === null) this.#once(window.name, `no model of this block: writes are ignored`);
			else if (why !== null) {
				this.#once(window.name, `write of ${hex(value)} to ${hex(addr)} is lost: ${why}`);
				this.lost?.(window, addr, true, why);
			} else window.model.write(addr - window.base, width, value, window.region);
		}
		if (this.#trace !== null) this.#trace(new Event(true, addr, width, value, window));
	}

	/** RAM that is used as device memory (ioremap of it): the memory's view. Else nothing answers. */
	#readNothing(addr: number, width: number): number {
		this.#readsOfNothing++;
		const bytes = new Uint8Array(width);
		if (!this.ram.deviceRead(addr, bytes, false)) {
			this.missed?.(addr, false);
			this.#once('bus', `read of ${hex(addr)}: nothing is there`);
			return 0;
		}
		let value = 0;
		for (let i = width - 1; i >= 0; i--) value = value * 256 + bytes[i];
		return value;
	}

	#writeNothing(addr: number, width: number, value: number): void {
		this.#writesOfNothing++;
		const bytes = new Uint8Array(width);
		for (let i = 0, rest = value; i < width; i++, rest = Math.floor(rest / 256)) bytes[i] = rest % 256;
		if (!this.ram.deviceWrite(addr, bytes, false)) {
			this.missed?.(addr, true);
			this.#once('bus', `write to ${hex(addr)}: nothing is there`);
		}
	}

	#once(who: string, text: string): void {
		const key = `${who}:${text}`;
		if (this.#spoken.has(key)) return;
		this.#spoken.add(key);
		this.note(who, text);
	}
}

function append(entry: PageEntry | null, window: Window): PageEntry {
	return entry === null
		? new PageEntry(window, null)
		: new PageEntry(entry.window, append(entry.next, window));
}

class Event implements MmioEvent {
	constructor(
		readonly write: boolean,
		readonly addr: number,
		readonly width: number,
		readonly value: number,
		readonly window: Window | null,
	) {}

	text(): string {
		const arrow = this.write ? 'W' : 'R';
		const { window } = this;
		if (window === null) return `${arrow} ${hex(this.addr)} = ${hex(this.value)} (nothing there)`;
		const offset = this.addr - window.base;
		const model = window.model;
		const what =
			model?.describe?.(offset, this.value, window.region) ??
			model?.registers?.describe(offset, this.value) ??
			`${hex(offset, 3)} = ${hex(this.value)}`;
		return `${arrow} ${window.name} ${what}`;
	}
}
