// SPDX-License-Identifier: GPL-2.0-only
// What a driver does to registers, as it does it.
//
//   INV-PWR    an access to a block without clock or power, or in reset; a change of what the hardware works by
//   INV-RANGE  a value that does not fit: bits that do not exist, a word cut short; no register is there
//   INV-ERR    a poll that nothing can end; a command before the last one has ended, or that nobody waits for

import type { Window } from '#hw/core/bus.js';
import type { DeviceModel } from '#hw/core/model.js';
import { hex, type Misuse, type RegisterFile } from '#hw/core/register-file.js';
import { type CommandText, type Iommu, isIommu } from '#hw/iommu/iommu.js';
import type { Invariant } from './report.js';
import { isFreePage } from './walks.js';
import type { Watched, Watcher } from './watcher.js';
import { accessorOf, isPolling, whoIsAtWork } from './who.js';

/** A register as a report calls it. */
interface Place {
	readonly device: string;
	/** `TTB (0x050)`. */
	readonly register: string;
	readonly doc: string;
}

/** What is to be done about a block that does not answer, by what it lacks. */
function remedyOf(why: string): string {
	const wanted = [
		...(/clk|clock|gate|bus-|BUS_|\bCLK/i.test(why) ? ['clk_prepare_enable()'] : []),
		...(/reset|rst|RST/.test(why) ? ['reset_control_deassert()'] : []),
		...(/power|domain|\bPD/i.test(why) ? ['pm_runtime_resume_and_get()'] : []),
	];
	const calls = wanted.length === 0 ? ['clk_prepare_enable()', 'reset_control_deassert()'] : wanted;
	return `${calls.join(' and ')} has to come first, or it was undone too early`;
}

export class Registers implements Watcher {
	/** The last command that each block was given, for the advice about who waits in vain. */
	readonly #written = new Map<string, CommandText>();

	constructor(readonly watched: Watched) {
		const { machine } = watched;
		for (const [device, model] of machine.models) {
			const iommu = isIommu(model) ? model : null;
			for (const file of filesOf(model)) {
				file.onMisuse = (what, offset, write, value) =>
					this.#misused(device, file, iommu, what, offset, write, value);
				if (iommu !== null)
					file.onPoll = (offset, value, times) => this.#polled(device, file, iommu, offset, value, times);
			}
		}
		machine.bus.missed = (addr, write) => this.#missed(addr, write);
		machine.bus.cut = (addr, width, value) => this.#cut(addr, width, value);
	}

	detached(): void {
		const { models, bus } = this.watched.machine;
		for (const model of models.values())
			for (const file of filesOf(model)) {
				file.onMisuse = null;
				file.onPoll = null;
			}
		bus.missed = null;
		bus.cut = null;
	}

	lost(window: Window, addr: number, write: boolean, why: string): void {
		const { device, register } = this.#placeOf(window, addr);
		const who = accessorOf(whoIsAtWork());
		this.watched.find({
			invariant: 'INV-PWR',
			kind: 'unpowered-access',
			device,
			moment: 'return',
			...(who === null ? {} : { what: who }),
			place: `${addr} ${write}`,
			details: [`${write ? 'Write to' : 'Read of'} register ${register} at ${hex(addr)} is lost: ${why}`],
			advice: `${who ?? 'the driver'} ${write ? 'writes to' : 'reads'} ${register} while ${why}: ${remedyOf(why)}`,
		});
	}

	/** Translation begins: by then the hardware has to know where to look. */
	enabled(iommu: Iommu): void {
		const who = this.watched.running ? accessorOf(whoIsAtWork()) : null;
		const { machine } = this.watched;
		const port = machine.ports.find((p) => machine.iommuOf(p) === iommu);
		if (who === null || port === undefined) return;
		const [first] = iommu.explain(port.stream, 0).steps;
		if (first === undefined || (machine.memory.is_ram(first.addr, first.bytes) && !isFreePage(first.addr)))
			return;
		this.watched.find({
			invariant: 'INV-PWR',
			kind: 'enabled-without-root',
			device: iommu.name,
			moment: 'return',
			what: who,
			place: who,
			details: [
				`${who} turns translation on, and the first word that a walk would read is at ${hex(first.addr, 8)}, which is nobody's memory`,
			],
			advice: `${who} enables translation before it has written the root (or writes a wrong one): every access until then is walked through whatever is at ${hex(first.addr, 8)}`,
		});
	}

	/** A command was given while the last one was still being carried out. */
	overrun(iommu: Iommu, name: string): void {
		const who = this.watched.running ? accessorOf(whoIsAtWork()) : null;
		if (who === null || iommu.stuck.size !== 0) return;
		this.watched.find({
			invariant: 'INV-ERR',
			kind: 'command-overrun',
			device: iommu.name,
			moment: 'return',
			what: who,
			place: `${name} ${who}`,
			details: [`${who} starts the operation "${name}" while the one before it is still going on`],
			advice: `${who} has to wait until the hardware has ended the last operation (readl_poll_timeout_atomic() of its busy bit) before it starts the next one`,
		});
	}

	#misused(
		device: string,
		file: RegisterFile,
		iommu: Iommu | null,
		what: Misuse,
		offset: number,
		write: boolean,
		value: number,
	): void {
		// Some drivers clear whole blocks, and only an IOMMU's table is known to be complete.
		if (iommu === null && !(what === 'read-only' && value !== 0)) return;
		// A test, or a debugger, may touch what it likes.
		const who = this.watched.running ? accessorOf(whoIsAtWork()) : null;
		if (who === null) return;
		const { register, doc } = placeIn(device, file, offset);
		const spec = file.specAt(offset);
		const did = write ? `writes ${hex(value >>> 0, 8)} to ${register}` : `reads ${register}`;
		const lost = spec === null ? 0 : (value & ~(spec.mask ?? 0xffffffff)) >>> 0;
		const [invariant, detail, advice] = JUDGEMENTS[what]({ did, register, doc, lost, value: value >>> 0 });
		this.watched.find({
			invariant,
			kind: KINDS[what],
			device,
			moment: 'return',
			what: who,
			place: `${what} ${offset} ${who}`,
			details: [`${who} ${did}: ${detail}`, ...(doc === '' ? [] : [`${register}: ${doc}`])],
			advice: `${who} ${did}, ${advice}`,
		});
	}

	#polled(
		device: string,
		file: RegisterFile,
		iommu: Iommu,
		offset: number,
		value: number,
		times: number,
	): void {
		if (!this.watched.running || iommu.stuck.size !== 0 || iommu.underWay?.()?.ends === true) return;
		const frames = whoIsAtWork();
		if (!isPolling(frames)) return;
		const who = accessorOf(frames) ?? 'the driver';
		const { register } = placeIn(device, file, offset);
		this.watched.find({
			invariant: 'INV-ERR',
			kind: 'poll-without-end',
			device,
			moment: 'return',
			what: who,
			place: `${offset} ${who}`,
			details: [
				`${who} has read ${file.describe(offset, value)} ${times} times, and nothing that the hardware is doing can change it`,
				`The last command that took effect: ${this.#written.get(device)?.() ?? 'none'}`,
			],
			advice: `${who} waits for a value of ${register} that will not come: the wrong register, bit or value is polled, or the command that it waits for was never given (or was refused)`,
		});
	}

	commanded(iommu: Iommu, text: CommandText): void {
		this.#written.set(iommu.name, text);
	}

	#missed(addr: number, write: boolean): void {
		const who = this.watched.running ? accessorOf(whoIsAtWork()) : null;
		if (who === null) return;
		this.watched.find({
			invariant: 'INV-RANGE',
			kind: 'no-device',
			device: 'bus',
			moment: 'return',
			what: who,
			place: `${addr} ${who}`,
			details: [`${write ? 'Write to' : 'Read of'} ${hex(addr, 8)}: no block and no memory is there`],
			advice: `${who} uses a wrong base address, or an offset beyond its registers: ${hex(addr, 8)} belongs to nothing in the tree`,
		});
	}

	#cut(addr: number, width: number, value: number): void {
		const window = this.watched.machine.bus.find(addr);
		// Of a block without a table nobody knows.
		if (window === null || wraps(window, addr)) return;
		const { device, register } = this.#placeOf(window, addr);
		const who = this.watched.running ? accessorOf(whoIsAtWork()) : null;
		if (who === null) return;
		this.watched.find({
			invariant: 'INV-RANGE',
			kind: 'cut-value',
			device,
			moment: 'return',
			what: who,
			place: `${addr} ${who}`,
			details: [
				`${who} writes ${hex(value)} to ${register}, which has ${8 * width} bits: it becomes ${hex(value % 2 ** (8 * width), 8)}`,
			],
			advice: `${who} hands ${register} an address beyond 4 GiB: the memory has to be allocated with GFP_DMA32 (or the DMA mask set before), or both halves have to be written`,
		});
	}

	#placeOf(window: Window, addr: number): Place {
		const { name, base } = window;
		const file = fileOf(window);
		return file === undefined
			? { device: name, register: hex(addr - base, 3), doc: '' }
			: placeIn(name, file, addr - base);
	}
}

function filesOf({ registerFiles, registers }: DeviceModel): readonly RegisterFile[] {
	return registerFiles ?? (registers === undefined ? [] : [registers]);
}

function fileOf({ model, region }: Window): RegisterFile | undefined {
	return model?.registerFiles?.[region] ?? model?.registers;
}

/** Whether the register at @addr may be given more than it takes. */
function wraps(window: Window, addr: number): boolean {
	const file = fileOf(window);
	return file === undefined || file.specAt(addr - window.base)?.tolerates !== undefined;
}

const KINDS: Readonly<Record<Misuse, string>> = {
	'read-only': 'read-only-write',
	'write-only': 'write-only-read',
	'reserved-bits': 'reserved-bits',
	width: 'wrong-width',
	hole: 'no-register',
	live: 'change-while-live',
};

interface Case {
	readonly did: string;
	readonly register: string;
	readonly doc: string;
	/** Bits that are dropped. */
	readonly lost: number;
	readonly value: number;
}

type Judgement = (c: Case) => [invariant: Invariant, detail: string, advice: string];

const JUDGEMENTS: Readonly<Record<Misuse, Judgement>> = {
	'read-only': ({ register }) => [
		'INV-RANGE',
		'nothing happens, it can only be read',
		`which cannot be written: probably another register was meant (to clear or to enable what ${register} shows)`,
	],
	'write-only': () => [
		'INV-RANGE',
		'it reads as zero whatever was written',
		'which can only be written: keep what was written in the driver, or read the register that shows it',
	],
	'reserved-bits': ({ lost, value }) => [
		'INV-RANGE',
		`bits ${hex(lost, 8)} do not exist and are dropped: the hardware has ${hex((value & ~lost) >>> 0, 8)}`,
		`of which it drops ${hex(lost, 8)}: an address that is not aligned as the hardware wants it, a wrong shift, or a bit of another register`,
	],
	width: () => [
		'INV-RANGE',
		'these registers take whole, aligned words',
		'not as one aligned word: use readl() and writel() at a multiple of 4',
	],
	hole: ({ register }) => [
		'INV-RANGE',
		'no register is there',
		`where the block has none: ${register} is a wrong offset, or an index beyond the last`,
	],
	live: ({ register }) => [
		'INV-PWR',
		'the hardware works by it at this moment',
		`while the hardware translates by it: stop or stall it first, change ${register}, then let it go on`,
	],
};

function placeIn(device: string, file: RegisterFile, offset: number): Place {
	const name = file.nameAt(offset);
	return {
		device,
		register: name === null ? `offset ${hex(offset, 3)}` : `${name} (${hex(offset, 3)})`,
		doc: file.specAt(offset)?.doc ?? '',
	};
}
