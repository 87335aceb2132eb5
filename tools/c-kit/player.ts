// SPDX-License-Identifier: GPL-2.0-only
// The registers of an IOMMU as exerciser/player.c plays them, for the kernel in TypeScript.
import type { DeviceModel, ModelContext } from '#hw/core/model.js';

/** What a kind of hardware answers, and where its tables are: the same words as in player.c. */
interface Kind {
	/** Registers that hold a table's address. */
	readonly tableRegisters: readonly number[];
	reset(w: Window): void;
	read(w: Window, offset: number): number;
	write(w: Window, offset: number, value: number): void;
	/** Of the tables for @stream; 0: none. */
	root(w: Window, stream: number): number;
	readonly l1Shift: number;
	readonly l2Bits: number;
	readonly l2Valid: number;
	/** The table that a word of the first level names; 0: none. */
	table(word: number): number;
	/** What such a word has that maps a page itself; 0: none does. */
	readonly l1Page: number;
}

const RAM_END = 0x8000_0000;

/** One reg entry of the node: registers, and what is told of them. */
export class Window {
	readonly regs = new Map<number, number>();
	readonly written = new Map<number, number>();
	quirks = 0;

	constructor(
		readonly name: string,
		readonly kind: Kind,
		readonly player: Player,
	) {
		kind.reset(this);
	}

	get(offset: number): number {
		return this.regs.get(offset) ?? 0;
	}
	set(offset: number, value: number): void {
		this.regs.set(offset, value >>> 0);
	}

	/** @count words at @phys, as hardware reads them; null where no RAM is. */
	words(phys: number, count: number): Uint32Array | null {
		if (phys <= 0 || phys >= RAM_END) return null;
		const words = new Uint32Array(count);
		this.player.memory?.deviceRead(phys, new Uint8Array(words.buffer), false);
		return words;
	}

	/** One of them; 0 where no RAM is. */
	word(phys: number): number {
		return phys > 0 && phys < RAM_END ? Math.max(this.player.memory?.readWord(phys) ?? 0, 0) : 0;
	}
}

const deaf: Kind = {
	tableRegisters: [0x50],
	reset: (w) => w.regs.clear(),
	read: (w, offset) => w.get(offset),
	write(w, offset, value) {
		if (w.player.ram) w.set(offset, value);
	},
	root: (w) => w.written.get(0x50) ?? 0,
	l1Shift: 20,
	l2Bits: 8,
	l2Valid: 2,
	table: (word) => ((word & 3) === 1 ? (word & ~0x3ff) >>> 0 : 0),
	l1Page: 0,
};

const RK = {
	dteAddr: 0x00,
	status: 0x04,
	command: 0x08,
	faultAddr: 0x0c,
	rawstat: 0x14,
	clear: 0x18,
	mask: 0x1c,
	intstat: 0x20,
	gating: 0x24,
} as const;
/** A script's bits for what never happens. */
const RK_NO = { reset: 1, directory: 2, stall: 4, unstall: 8, enable: 16, disable: 32 } as const;

function rkClear(w: Window): void {
	for (const offset of [RK.dteAddr, RK.faultAddr, RK.rawstat, RK.mask]) w.set(offset, 0);
	w.set(RK.gating, 1);
}

function rkCommand(w: Window, command: number): void {
	const status = w.get(RK.status);
	const may = (what: keyof typeof RK_NO): boolean => (w.quirks & RK_NO[what]) === 0;
	if (command === 0 && may('enable')) w.set(RK.status, status | 1);
	if (command === 1 && may('disable')) w.set(RK.status, status & ~1);
	if (command === 2 && (status & 3) === 1 && may('stall')) w.set(RK.status, (status | 4) & 0x7fff_ffff);
	if (command === 3 && may('unstall')) w.set(RK.status, (status & ~4) | 0x8000_0000);
	if (command === 5) w.set(RK.status, status & ~2);
	if (command === 6 && may('reset')) rkClear(w);
}

const rockchip: Kind = {
	tableRegisters: [RK.dteAddr],
	reset(w) {
		rkClear(w);
		w.set(RK.status, 0x8000_0018);
	},
	read: (w, offset) => (offset === RK.intstat ? w.get(RK.rawstat) & w.get(RK.mask) : w.get(offset)),
	write(w, offset, value) {
		if (offset === RK.command) rkCommand(w, value);
		else if (offset === RK.clear) w.set(RK.rawstat, w.get(RK.rawstat) & ~value);
		else if (offset === RK.mask || offset === RK.gating) w.set(offset, value);
		else if (offset === RK.dteAddr && (w.quirks & RK_NO.directory) === 0) w.set(offset, value);
	},
	root: (w) => (w.get(RK.status) & 1 ? (w.get(RK.dteAddr) & 0xffff_f000) >>> 0 : 0),
	l1Shift: 22,
	l2Bits: 10,
	l2Valid: 1,
	table: (word) => (word & 1 ? (word & 0xffff_f000) >>> 0 : 0),
	l1Page: 0,
};

const EDU = {
	id: 0x00,
	ctrl: 0x04,
	status: 0x08,
	streams: 0x10,
	commands: 0x20,
	events: 0x30,
	intStatus: 0x40,
	intEnable: 0x44,
} as const;
/** From a queue's base on. */
const QUEUE = { size: 4, prod: 8, cons: 12 } as const;
const INT = { event: 1, overflow: 2, command: 4 } as const;
const EDU_STREAMS = 64;
const EDU_NO = { command: 1, status: 2 } as const;
const FRAME = 4096;

function eduStream(w: Window, stream: number): Uint32Array | null {
	return stream < EDU_STREAMS ? w.words(w.get(EDU.streams) * FRAME + 8 * stream, 2) : null;
}

/** Where the record of @queue at the position in register @at is. */
function eduRecord(w: Window, queue: number, at: number): number {
	return w.get(queue) * FRAME + 16 * (w.get(at) & (2 ** w.get(queue + QUEUE.size) - 1));
}

function eduAdvance(w: Window, queue: number, at: number): void {
	w.set(at, (w.get(at) + 1) & (2 * 2 ** w.get(queue + QUEUE.size) - 1));
}

function eduCommands(w: Window): void {
	const queue = EDU.commands;
	const hex = (words: Uint32Array): string => [...words].map((word) => word.toString(16)).join(',');
	while (
		w.get(queue + QUEUE.cons) !== w.get(queue + QUEUE.prod) &&
		(w.get(EDU.intStatus) & INT.command) === 0 &&
		(w.quirks & EDU_NO.command) === 0
	) {
		const command = w.words(eduRecord(w, queue, queue + QUEUE.cons), 4);
		if (command === null) return;
		w.player.note(`cmd:${hex(command)}`);
		const stream = command[0] === 1 ? eduStream(w, command[1]!) : null;
		if (stream !== null) w.player.note(`stream:${hex(stream)}`);
		const code = command[0]! & 0xff;
		if (code < 1 || code > 4) {
			w.set(EDU.intStatus, w.get(EDU.intStatus) | INT.command);
			return;
		}
		eduAdvance(w, queue, queue + QUEUE.cons);
	}
}

const edu: Kind = {
	tableRegisters: [EDU.streams, EDU.commands, EDU.events],
	reset(w) {
		w.regs.clear();
		w.set(EDU.id, 1 | (6 << 8) | (4 << 16));
	},
	read: (w, offset) => w.get(offset),
	write(w, offset, value) {
		switch (offset) {
			case EDU.ctrl:
				w.set(offset, value & 1);
				if ((w.quirks & EDU_NO.status) === 0) w.set(EDU.status, value & 1);
				break;
			case EDU.commands + QUEUE.size:
			case EDU.events + QUEUE.size:
				w.set(offset, value & 0xf);
				w.set(offset - QUEUE.size + QUEUE.prod, 0);
				w.set(offset - QUEUE.size + QUEUE.cons, 0);
				break;
			case EDU.commands + QUEUE.prod:
				w.set(offset, value & 0x1ff);
				eduCommands(w);
				break;
			case EDU.events + QUEUE.cons:
				w.set(offset, value & 0x1ff);
				break;
			case EDU.intStatus: {
				const refused = (w.get(offset) & value & INT.command) !== 0;
				w.set(offset, w.get(offset) & ~value);
				if (refused) {
					eduAdvance(w, EDU.commands, EDU.commands + QUEUE.cons);
					eduCommands(w);
				}
				break;
			}
			case EDU.intEnable:
				w.set(offset, value & 7);
				break;
			case EDU.streams:
			case EDU.commands:
			case EDU.events:
				w.set(offset, value & 0xfff_ffff);
				break;
		}
	},
	root(w, stream) {
		const words = eduStream(w, stream);
		return words !== null && (words[0]! & 7) === 5 ? words[1]! * FRAME : 0;
	},
	l1Shift: 22,
	l2Bits: 10,
	l2Valid: 1,
	table: (word) => ((word & 9) === 1 ? (word >>> 4) * FRAME : 0),
	l1Page: 9,
};

const KINDS: Readonly<Record<string, Kind>> = { deaf, rockchip, edu };

type Registers = { [offset: string]: string };

/** All windows of a board, and what is noted of them. */
export class Player {
	readonly windows: Window[] = [];
	/** A deaf window keeps what is written. */
	ram = false;

	/** The machine's. */
	memory: ModelContext['machine']['ram'] | null = null;

	constructor(readonly note: (text: string) => void) {}

	/** The model for a node with "test,windows". */
	model(ctx: ModelContext): DeviceModel {
		this.memory = ctx.machine.ram;
		const kind = KINDS[ctx.node.strings('test,kind')[0] ?? '']!;
		const own = ctx.node.strings('test,windows').map((name) => new Window(name, kind, this));
		this.windows.push(...own);
		const place = (offset: number): string => offset.toString(16).padStart(2, '0');
		return {
			name: ctx.name,
			read: (offset, _width, region) => {
				const w = own[region]!;
				const value = kind.read(w, offset) >>> 0;
				this.note(`${w.name}R${place(offset)}=${value.toString(16)}`);
				return value;
			},
			write: (offset, _width, value, region) => {
				const w = own[region]!;
				this.note(`${w.name}W${place(offset)}=${value.toString(16)}`);
				w.written.set(offset, value);
				kind.write(w, offset, value);
			},
		};
	}

	reset(window: number): void {
		const w = this.windows[window]!;
		w.quirks = 0;
		w.kind.reset(w);
	}

	/** Enter an event of the teaching IOMMU; false: the queue is full. */
	event(stream: number, addr: number, write: number, reason: number): boolean {
		const w = this.windows[0]!;
		const queue = EDU.events;
		const record = eduRecord(w, queue, queue + QUEUE.prod);
		const full = (w.get(queue + QUEUE.prod) ^ w.get(queue + QUEUE.cons)) === 2 ** w.get(queue + QUEUE.size);
		if (w.get(queue) === 0 || full) {
			w.set(EDU.intStatus, w.get(EDU.intStatus) | INT.overflow);
			return false;
		}
		const domain = ((eduStream(w, stream)?.[0] ?? 0) >>> 8) & 0xf;
		const words = Uint32Array.of(reason | (write ? 0x100 : 0), stream, addr, domain);
		this.memory?.deviceWrite(record, new Uint8Array(words.buffer), false);
		eduAdvance(w, queue, queue + QUEUE.prod);
		w.set(EDU.intStatus, w.get(EDU.intStatus) | INT.event);
		return true;
	}

	/** A window's registers that are not 0; of a table's address that it is one. */
	show(window: number): Registers {
		const w = this.windows[window]!;
		const shown: Registers = {};
		for (let offset = 0; offset < 0x48; offset += 4) {
			const value = w.kind.read(w, offset) >>> 0;
			if (value === 0) continue;
			const table = w.kind.tableRegisters.includes(offset) && value !== 0xcafe_b000;
			shown[offset.toString(16).padStart(2, '0')] = table ? 'T' : value.toString(16);
		}
		return shown;
	}

	/** Whose tables are meant by @i: a window's, or a stream's of the teaching IOMMU. */
	#tablesOf(i: number): Window {
		return this.windows[0]!.kind === edu ? this.windows[0]! : this.windows[i]!;
	}

	#walk(w: Window, root: number, iova: number): { l1: number; l2: number; page: boolean } {
		const { kind } = w;
		const l1 = w.word(root + 4 * (iova >>> kind.l1Shift));
		const table = kind.table(l1);
		if (table === 0) return { l1, l2: 0, page: kind.l1Page !== 0 && (l1 & kind.l1Page) === kind.l1Page };
		const l2 = w.word(table + 4 * ((iova >>> 12) & (2 ** kind.l2Bits - 1)));
		return { l1, l2, page: (l2 & kind.l2Valid) !== 0 };
	}

	/** The two words for @iova, the first without the address in it. */
	walk(i: number, iova: number): { l1: string; l2: string } | 'off' {
		const w = this.#tablesOf(i);
		const root = w.kind.root(w, i);
		if (root === 0) return 'off';
		const { l1, l2 } = this.#walk(w, root, iova);
		return { l1: (w.kind.table(l1) !== 0 ? l1 & 0xf : l1).toString(16), l2: l2.toString(16) };
	}

	/** Every page that the hardware would find. */
	*pages(i: number): Generator<{ iova: number; word: number; table: boolean }> {
		const w = this.#tablesOf(i);
		const root = w.kind.root(w, i);
		const size = 2 ** w.kind.l1Shift;
		for (let iova = 0; iova < 2 ** 32; ) {
			const { l1, l2, page } = this.#walk(w, root, iova);
			const table = w.kind.table(l1) !== 0;
			if (page) yield { iova, word: table ? l2 : l1, table };
			iova += table ? FRAME : size;
		}
	}

	/** How many tables of the second level there are; -1: translation is off. */
	tables(i: number): number {
		const w = this.#tablesOf(i);
		const root = w.kind.root(w, i);
		if (root === 0) return -1;
		return [...w.words(root, 2 ** (32 - w.kind.l1Shift))!].filter((word) => w.kind.table(word) !== 0).length;
	}
}
