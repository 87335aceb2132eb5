// SPDX-License-Identifier: GPL-2.0-only
// A device's registers, declared once: access, reset values, traces and docs.

/** RO: writes ignored. WO: reads as zero. W1C: writing 1 clears the bit. RW: what its mask lets through. */
export type RegisterAccess = 'RW' | 'RO' | 'WO' | 'W1C';

export interface FieldSpec {
	readonly name: string;
	/** [high, low], as manuals write it. */
	readonly bits: readonly [number, number];
	readonly doc?: string;
	/** Names of values, for traces. */
	readonly values?: Readonly<Record<number, string>>;
}

export interface RegisterSpec {
	readonly name: string;
	/** Byte offset of the (first) register; a multiple of 4. */
	readonly offset: number;
	readonly access: RegisterAccess;
	readonly reset?: number;
	/** Bits that exist: all others read as zero and ignore writes. */
	readonly mask?: number;
	/** Bits that do not, and that drivers may write all the same. */
	readonly tolerates?: number;
	/** May not be written while the block works by it (RegisterFile.live). */
	readonly whileOff?: true;
	/** An array of equal registers: how many, and how many bytes apart (4 by default). */
	readonly count?: number;
	readonly stride?: number;
	readonly fields?: readonly FieldSpec[];
	/** What it is for, and where that is written: a manual section or the driver line that proves it. */
	readonly doc: string;
}

/**
 * What no correct driver does to registers: write to one that cannot be written, or bits that are none; read one that
 * cannot be read; use part of a word; an offset with no register; change what the block works by.
 */
export type Misuse = 'read-only' | 'reserved-bits' | 'write-only' | 'width' | 'hole' | 'live';

/** One register. Declarations differ in what they leave out; these are alike, which makes accesses fast. */
class Slot {
	readonly mask: number;
	readonly reset: number;
	readonly writeOnly: boolean;
	readonly readOnly: boolean;
	readonly clears: boolean;
	readonly label: string;
	/** Bits that nobody writes. */
	readonly reserved: number;
	readonly whileOff: boolean;
	/** What whenWritten() said. */
	effect: ((value: number, written: number) => void) | null = null;
	constructor(
		readonly spec: RegisterSpec,
		readonly index: number,
	) {
		// As a 32-bit integer: a larger number would be a double.
		this.mask = (spec.mask ?? 0xffffffff) | 0;
		this.reset = spec.reset ?? 0;
		this.writeOnly = spec.access === 'WO';
		this.readOnly = spec.access === 'RO';
		this.clears = spec.access === 'W1C';
		this.label = labelOf(spec, index);
		this.reserved = ~this.mask & ~(spec.tolerates ?? 0);
		this.whileOff = spec.whileOff === true;
	}
}

/** `GATE` or `GATE[3]`. */
function labelOf(spec: RegisterSpec, index: number): string {
	return spec.count === undefined ? spec.name : `${spec.name}[${index}]`;
}

/** So many equal reads in a row are told of. */
const POLLED = 8;

export function hex(value: number, digits = 0): string {
	return `0x${value.toString(16).padStart(digits, '0')}`;
}

/** The bits [high, low] of @value. */
export function fieldOf(value: number, bits: readonly [number, number]): number {
	const width = bits[0] - bits[1] + 1;
	return width >= 32 ? value >>> 0 : (value >>> bits[1]) & (2 ** width - 1);
}

/**
 * Storage and rules of one block of 32-bit registers. A model reads and sets its registers by name; the
 * bus reads and writes them by offset, through the access rules, and the hooks tell the model.
 */
export class RegisterFile {
	readonly specs: readonly RegisterSpec[];
	/** Called before each access on the bus, while there is something to be called for. */
	onAccess: (() => void) | null = null;
	/** Called before a bus read: return the value, or undefined for the stored one. Not called for WO. */
	onRead: ((name: string, index: number) => number | undefined) | null = null;
	/** Called after a bus write was applied: @value is what is stored now, @written what was put on the bus. */
	onWrite: ((name: string, index: number, value: number, written: number) => void) | null = null;
	/** A bus access to an offset with no register: reads as zero, ignores writes. */
	onHole: ((offset: number, write: boolean, value: number) => void) | null = null;
	/** Told, before it is done, of what no correct driver does. */
	onMisuse: ((what: Misuse, offset: number, write: boolean, value: number) => void) | null = null;
	/** Told when one register was read @times in a row, nothing else meanwhile, and always had @value. */
	onPoll: ((offset: number, value: number, times: number) => void) | null = null;
	/** Whether the block works by what its registers say. */
	live: () => boolean = () => false;

	readonly #slots: Slot[] = [];
	readonly #first = new Map<string, number>();
	/** Slot number by word offset, -1 for a hole. */
	readonly #byWord: Int16Array;
	/** What is stored, by slotOf(): for a model's hot paths, which need no rules. */
	readonly values: Uint32Array;
	/** The register that was read last, its value then, and how often in a row. */
	#polled = -1;
	#pollValue = 0;
	#polls = 0;

	constructor(specs: readonly RegisterSpec[]) {
		this.specs = specs;
		let words = 0;
		for (const spec of specs) {
			const count = spec.count ?? 1;
			const stride = spec.stride ?? 4;
			if (spec.offset % 4 !== 0 || stride % 4 !== 0) throw new Error(`register ${spec.name} is not aligned`);
			words = Math.max(words, (spec.offset + (count - 1) * stride) / 4 + 1);
		}
		this.#byWord = new Int16Array(words).fill(-1);
		for (const spec of specs) {
			if (this.#first.has(spec.name)) throw new Error(`register ${spec.name} is declared twice`);
			this.#first.set(spec.name, this.#slots.length);
			for (let index = 0; index < (spec.count ?? 1); index++) {
				const word = (spec.offset + index * (spec.stride ?? 4)) / 4;
				if (this.#byWord[word] !== -1)
					throw new Error(`registers ${spec.name} and ${this.#slots[this.#byWord[word]].label} overlap`);
				this.#byWord[word] = this.#slots.length;
				this.#slots.push(new Slot(spec, index));
			}
		}
		this.values = new Uint32Array(this.#slots.length);
		this.reset();
	}

	/** Have @effect called after each bus write to register @name: cheaper than a hook that looks at every write. */
	whenWritten(name: string, effect: (value: number, written: number) => void): void {
		const { spec } = this.#slots[this.slotOf(name)];
		for (const slot of this.#slots) if (slot.spec === spec) slot.effect = effect;
	}

	/** Everything back to its reset value; no hook is called. */
	reset(): void {
		for (let i = 0; i < this.#slots.length; i++) this.values[i] = this.#slots[i].reset;
	}

	/** The stored value, as the hardware behind the register sees it (also of a WO register). */
	get(name: string, index = 0): number {
		return this.values[this.slotOf(name, index)];
	}

	/** Set by the hardware behind the register: access and mask do not apply. */
	set(name: string, value: number, index = 0): void {
		this.values[this.slotOf(name, index)] = value;
	}

	/** A read on the bus. @width 1 or 2 picks the bytes out of the word. */
	read(offset: number, width = 4): number {
		if (this.onAccess !== null) this.onAccess();
		const at = this.#byWord[offset >>> 2] ?? -1;
		if (at < 0) {
			this.onMisuse?.('hole', offset, false, 0);
			this.onHole?.(offset, false, 0);
			return 0;
		}
		const slot = this.#slots[at];
		if (width !== 4 || (offset & 3) !== 0) this.onMisuse?.('width', offset, false, width);
		let value = 0;
		if (!slot.writeOnly) {
			const computed = this.onRead === null ? undefined : this.onRead(slot.spec.name, slot.index);
			value = computed === undefined ? this.values[at] : computed >>> 0;
		} else this.onMisuse?.('write-only', offset, false, 0);
		if (this.onPoll !== null) this.#countPolls(at, offset, value);
		if (width >= 4) return value;
		return fieldOf(value >>> ((offset & 3) * 8), [width * 8 - 1, 0]);
	}

	/** A write on the bus. @width 1 or 2 writes those bytes of the word and keeps the others (W1C: as zero). */
	write(offset: number, value: number, width = 4): void {
		if (this.onAccess !== null) this.onAccess();
		const at = this.#byWord[offset >>> 2] ?? -1;
		this.#polled = -1;
		if (at < 0) {
			this.onMisuse?.('hole', offset, true, value);
			this.onHole?.(offset, true, value);
			return;
		}
		const slot = this.#slots[at];
		if (this.onMisuse !== null) this.#judge(slot, offset, value, width);
		const old = this.values[at];
		let written = value | 0;
		if (width < 4) {
			const shift = (offset & 3) * 8;
			const lanes = (width === 2 ? 0xffff : 0xff) << shift;
			written = (slot.clears ? 0 : old & ~lanes) | ((value << shift) & lanes);
		}
		if (slot.clears) this.values[at] = old & ~(written & slot.mask);
		else if (!slot.readOnly) this.values[at] = (old & ~slot.mask) | (written & slot.mask);
		if (slot.effect !== null) slot.effect(this.values[at], written >>> 0);
		if (this.onWrite !== null) this.onWrite(slot.spec.name, slot.index, this.values[at], written >>> 0);
	}

	/** One more read of the register at @offset, which stands @at. */
	#countPolls(at: number, offset: number, value: number): void {
		if (at === this.#polled && value === this.#pollValue) {
			if (++this.#polls % POLLED === 0) this.onPoll?.(offset, value, this.#polls);
		} else {
			this.#polled = at;
			this.#pollValue = value;
			this.#polls = 1;
		}
	}

	/** Whether a write is one that no correct driver does. */
	#judge(slot: Slot, offset: number, value: number, width: number): void {
		if (width !== 4 || (offset & 3) !== 0) this.onMisuse?.('width', offset, true, value);
		else if (slot.readOnly) this.onMisuse?.('read-only', offset, true, value);
		else if ((value & slot.reserved) !== 0) this.onMisuse?.('reserved-bits', offset, true, value);
		else if (slot.whileOff && this.live()) this.onMisuse?.('live', offset, true, value);
	}

	/** The declaration of the register at @offset; null: there is none. */
	specAt(offset: number): RegisterSpec | null {
		const slot = this.#byWord[offset >>> 2] ?? -1;
		return slot < 0 ? null : this.#slots[slot].spec;
	}

	/** Whether there is a register at @offset. */
	has(offset: number): boolean {
		return (this.#byWord[offset >>> 2] ?? -1) >= 0;
	}

	/** The register's name at @offset, `name[i]` for an array, null for a hole. */
	nameAt(offset: number): string | null {
		const slot = this.#byWord[offset >>> 2] ?? -1;
		return slot < 0 ? null : this.#slots[slot].label;
	}

	/** One line for a trace: `ENABLE (0x020) = 0x1 [ENABLE=1]`. */
	describe(offset: number, value: number): string {
		const slot = this.#byWord[offset >>> 2] ?? -1;
		if (slot < 0) return `${hex(offset, 3)} = ${hex(value)}`;
		const { spec, label } = this.#slots[slot];
		const fields = (spec.fields ?? []).map((field) => {
			const bits = fieldOf(value, field.bits);
			return `${field.name}=${field.values?.[bits] ?? hex(bits)}`;
		});
		const tail = fields.length === 0 ? '' : ` [${fields.join(' ')}]`;
		return `${label} (${hex(offset, 3)}) = ${hex(value)}${tail}`;
	}

	/** Every register with its value, in order of offset. */
	dump(): { offset: number; name: string; value: number; text: string }[] {
		const out = [];
		for (let word = 0; word < this.#byWord.length; word++) {
			const slot = this.#byWord[word];
			if (slot < 0) continue;
			const value = this.values[slot];
			const text = this.describe(word * 4, value);
			out.push({ offset: word * 4, name: this.#slots[slot].label, value, text });
		}
		return out;
	}

	/** The documentation, as a Markdown table. */
	docs(): string {
		const rows = [...this.specs]
			.sort((a, b) => a.offset - b.offset)
			.map((spec) => {
				const array = spec.count === undefined ? '' : `[${spec.count}]`;
				const fields = (spec.fields ?? []).map((f) => `${f.bits[0]}:${f.bits[1]} ${f.name}`).join(', ');
				return `| ${hex(spec.offset, 3)} | ${spec.name}${array} | ${spec.access} | ${hex(spec.reset ?? 0)} | ${fields} | ${spec.doc} |`;
			});
		return ['| offset | name | access | reset | fields | |', '|---|---|---|---|---|---|', ...rows].join('\n');
	}

	/** Where the value of a register stands in @values. */
	slotOf(name: string, index = 0): number {
		const first = this.#first.get(name);
		if (first === undefined || index < 0 || index >= (this.#slots[first].spec.count ?? 1))
			throw new Error(`no register ${name}[${index}]`);
		return first + index;
	}
}
