// SPDX-License-Identifier: GPL-2.0-only
// What both generations of the interrupt controller share: state per interrupt.

import type { IrqLine } from './model.js';

/** What the machine needs of an interrupt controller, whatever its registers look like. */
export interface InterruptController {
	readonly lines: InterruptLines;
	/** The request to the CPU: some enabled interrupt is pending, and its priority is let through. */
	readonly asserted: boolean;
	/** How many interrupts the CPU has acknowledged: tells a slow handler from one that does nothing. */
	readonly acknowledged: number;
	/** The CPU interface as system registers (GICv3); undefined: not one of its registers. */
	sysregRead?(name: string): number | undefined;
	sysregWrite?(name: string, value: number): boolean;
}

/** Returned by an acknowledge when nothing is pending. */
export const SPURIOUS = 1023;
/** No interrupt is active: any priority gets through. */
const IDLE_PRIORITY = 0x100;

/**
 * Pending, enabled, active, priority and trigger of each interrupt of one CPU's distributor, and the stack of
 * running priorities. Registers are laid over this by the models of GIC-400 and GICv3.
 *
 * A level-triggered interrupt is pending while its line is up; it can be handed out again only after its
 * end (deactivation), so a handler is not entered twice for it.
 */
export class InterruptLines {
	readonly enabled: Uint32Array;
	readonly active: Uint32Array;
	/** Made pending by an edge or by software, until acknowledged. */
	readonly latched: Uint32Array;
	/** Input levels. */
	readonly level: Uint32Array;
	readonly edge: Uint32Array;
	readonly priority: Uint8Array;
	/** How often a wire has gone up. */
	raised = 0;
	/** Priorities of the interrupts that were acknowledged and not yet ended, innermost last. */
	readonly #pulled = new Map<number, number>();
	readonly #running: number[] = [];
	/** Called at each change that may move the request to the CPU. */
	changed: () => void = () => {};

	constructor(
		/** How many interrupt numbers exist; a multiple of 32. */
		readonly count: number,
	) {
		const words = count / 32;
		this.enabled = new Uint32Array(words);
		this.active = new Uint32Array(words);
		this.latched = new Uint32Array(words);
		this.level = new Uint32Array(words);
		this.edge = new Uint32Array(words);
		this.priority = new Uint8Array(count);
	}

	/** An input wire moved. */
	setLine(intid: number, level: boolean): void {
		const word = intid >>> 5;
		const bit = 1 << (intid & 31);
		if (word >= this.level.length) return;
		const was = (this.level[word] & bit) !== 0;
		if (was === level) return;
		if (level) this.level[word] |= bit;
		else this.level[word] &= ~bit;
		if (level && this.edge[word] & bit) this.latched[word] |= bit;
		this.changed();
	}

	pendingWord(word: number): number {
		return ((this.level[word] & ~this.edge[word]) | this.latched[word]) >>> 0;
	}

	/** The interrupt to be handed out next if priorities below @limit are let through; SPURIOUS when none. */
	highest(limit: number): number {
		let best = SPURIOUS;
		let bestPriority = Math.min(limit, this.#running.at(-1) ?? IDLE_PRIORITY);
		for (let word = 0; word < this.level.length; word++) {
			let bits = this.pendingWord(word) & this.enabled[word] & ~this.active[word];
			while (bits !== 0) {
				const low = 31 - Math.clz32(bits & -bits);
				bits &= bits - 1;
				const intid = word * 32 + low;
				if (this.priority[intid] < bestPriority) {
					best = intid;
					bestPriority = this.priority[intid];
				}
			}
		}
		return best;
	}

	/** The CPU takes @intid: pending becomes active. */
	acknowledge(intid: number): void {
		const bit = 1 << (intid & 31);
		this.latched[intid >>> 5] &= ~bit;
		this.active[intid >>> 5] |= bit;
		this.#running.push(this.priority[intid]);
		this.changed();
	}

	/** End of interrupt: the running priority drops. False when nothing was running. */
	dropPriority(): boolean {
		const was = this.#running.pop();
		this.changed();
		return was !== undefined;
	}

	deactivate(intid: number): void {
		if (intid >= this.count) return;
		this.active[intid >>> 5] &= ~(1 << (intid & 31));
		this.changed();
	}

	/** The running priority, 0xff when idle. */
	get runningPriority(): number {
		return this.#running.at(-1) ?? 0xff;
	}

	reset(): void {
		for (const words of [this.enabled, this.active, this.latched, this.edge]) words.fill(0);
		this.priority.fill(0);
		this.#running.length = 0;
		this.changed();
	}

	/** One of the wires of input @intid was pulled or let go: the input is up while one is. */
	pull(intid: number, level: boolean): void {
		const pulled = (this.#pulled.get(intid) ?? 0) + (level ? 1 : -1);
		this.#pulled.set(intid, pulled);
		if (level) this.raised++;
		this.setLine(intid, pulled > 0);
	}

	/** A wire to input @intid for a model to pull. Several blocks may share an input. */
	wire(intid: number): IrqLine {
		return new Wire(this, intid);
	}
}

class Wire implements IrqLine {
	level = false;
	raised = 0;
	readonly #lines: InterruptLines;
	constructor(
		lines: InterruptLines,
		readonly intid: number,
	) {
		this.#lines = lines;
	}
	raise(): void {
		this.set(true);
	}
	lower(): void {
		this.set(false);
	}
	set(level: boolean): void {
		if (this.level === level) return;
		this.level = level;
		if (level) this.raised++;
		if (this.intid >= 0) this.#lines.pull(this.intid, level);
	}
}

/** A wire that ends nowhere: for a node without that interrupt. */
export class LooseWire implements IrqLine {
	readonly intid = -1;
	readonly raised = 0;
	level = false;
	raise(): void {
		this.level = true;
	}
	lower(): void {
		this.level = false;
	}
	set(level: boolean): void {
		this.level = level;
	}
}

/**
 * The distributor's registers that GIC-400 and GICv3 have at the same offsets (also the GICv3 redistributor's
 * SGI frame, which has the first word of each). Undefined / false: not one of them.
 */
export class DistributorWindow {
	constructor(
		readonly lines: InterruptLines,
		/** Interrupt numbers [first, end) answer through this window; others read as zero. */
		readonly first: number,
		readonly end: number,
	) {}

	read(offset: number, width: number): number | undefined {
		if (offset >= 0x080 && offset < 0x400) {
			const word = (offset & 0x7f) >>> 2;
			if (!this.#hasWord(word)) return 0;
			const value = this.#word(offset & ~0x7f, word);
			return width >= 4 ? value : (value >>> ((offset & 3) * 8)) & (2 ** (width * 8) - 1);
		}
		if (offset >= 0x400 && offset < 0x800) {
			let value = 0;
			for (let i = width - 1; i >= 0; i--) value = value * 256 + this.#priority(offset - 0x400 + i);
			return value;
		}
		if (offset >= 0xc00 && offset < 0xd00) {
			const first = ((offset - 0xc00) >>> 2) * 16;
			let value = 0;
			for (let i = 0; i < 16; i++) if (this.#isEdge(first + i)) value |= 2 << (i * 2);
			return value >>> 0;
		}
		return undefined;
	}

	write(offset: number, width: number, value: number): boolean {
		if (offset >= 0x080 && offset < 0x400) {
			const word = (offset & 0x7f) >>> 2;
			const bits = width >= 4 ? value : value << ((offset & 3) * 8);
			if (this.#hasWord(word)) this.#setWord(offset & ~0x7f, word, bits);
			return true;
		}
		if (offset >= 0x400 && offset < 0x800) {
			for (let i = 0; i < width; i++) {
				const intid = offset - 0x400 + i;
				// Five bits of priority are kept: the lowest three read as zero.
				if (this.#has(intid)) this.lines.priority[intid] = (value >>> (i * 8)) & 0xf8;
			}
			this.lines.changed();
			return true;
		}
		if (offset >= 0xc00 && offset < 0xd00) {
			const first = ((offset - 0xc00) >>> 2) * 16;
			for (let i = 0; i < 16; i++) {
				const intid = first + i;
				if (!this.#has(intid) || intid < 16) continue;
				const bit = 1 << (intid & 31);
				if ((value >>> (i * 2)) & 2) this.lines.edge[intid >>> 5] |= bit;
				else this.lines.edge[intid >>> 5] &= ~bit;
			}
			this.lines.changed();
			return true;
		}
		return false;
	}

	#has(intid: number): boolean {
		return intid >= this.first && intid < this.end;
	}

	#hasWord(word: number): boolean {
		return this.#has(word * 32);
	}

	#priority(intid: number): number {
		return this.#has(intid) ? this.lines.priority[intid] : 0;
	}

	#isEdge(intid: number): boolean {
		return this.#has(intid) && (this.lines.edge[intid >>> 5] & (1 << (intid & 31))) !== 0;
	}

	#word(base: number, word: number): number {
		const { lines } = this;
		switch (base) {
			case 0x080: // IGROUPR: all in group 1 for the one security state there is
				return 0xffffffff;
			case 0x100:
			case 0x180:
				return lines.enabled[word];
			case 0x200:
			case 0x280:
				return lines.pendingWord(word);
			case 0x300:
			case 0x380:
				return lines.active[word];
			default:
				return 0;
		}
	}

	#setWord(base: number, word: number, bits: number): void {
		const { lines } = this;
		switch (base) {
			case 0x100: // ISENABLER
				lines.enabled[word] |= bits;
				break;
			case 0x180: // ICENABLER
				lines.enabled[word] &= ~bits;
				break;
			case 0x200: // ISPENDR
				lines.latched[word] |= bits;
				break;
			case 0x280: // ICPENDR
				lines.latched[word] &= ~bits;
				break;
			case 0x300: // ISACTIVER
				lines.active[word] |= bits;
				break;
			case 0x380: // ICACTIVER
				lines.active[word] &= ~bits;
				break;
			default:
				return;
		}
		lines.changed();
	}
}
