// SPDX-License-Identifier: GPL-2.0-only
// A booted board that somebody looks at: machine, kernel and sanitiser, and the names that were given on it.
// First, so that initcalls run in link order whatever else is imported.
import '#init/vmlinux.js';

import { bus_find_device_by_name, bus_for_each_dev } from '#drivers/base/bus.js';
import { platform_bus_type } from '#drivers/base/platform.js';
import type { DmaPort } from '#hw/core/dma-port.js';
import { FdtError } from '#hw/core/fdt.js';
import { deviceName, Machine, MachineError, MachineHang } from '#hw/core/machine.js';
import { start_kernel } from '#init/main.js';
import { kernel_bug } from '#kernel/panic.js';
import { kmsg_dump_get_lines, printk_state } from '#kernel/printk/printk.js';
import { dev_name, type device } from '#linux/device.js';
import { platform_driver, platform_driver_register } from '#linux/platform_device.js';
import { pm_runtime_enable } from '#linux/pm_runtime.js';
import { Dmasan } from '#watch/dmasan.js';
import { CommandError, expected, numberOf } from './words.js';

/** What a run is determined by, but for its commands. */
export interface Scenario {
	/** The board's name, for messages. */
	readonly board: string;
	readonly dtb: Uint8Array;
	/** The kernel's command line. */
	readonly append: string;
	readonly seed: number;
	/** The picture of the main job. */
	readonly picture: Picture;
}

export interface Picture {
	/** For messages. */
	readonly file: string;
	/** A JPEG file's bytes, read when somebody wants them. */
	readonly bytes: () => Uint8Array;
}

/** Memory that a command has mapped or allocated for a device. */
export interface Buffer {
	/** `$1`. */
	readonly name: string;
	readonly dev: device;
	readonly addr: number;
	readonly size: number;
	readonly dir: number;
	readonly bytes: Uint8Array;
	readonly coherent: boolean;
	mapped: boolean;
	freed: boolean;
}

/** A stream: who accesses memory, and the device that the kernel knows it by. */
export interface Master {
	readonly port: DmaPort;
	readonly dev: device | null;
}

const LOGLEVEL_INFO = 6;

/** The driver of what has none: so that the kernel puts it behind its IOMMU. */
const OWN_DRIVER = 'linux-iommu-prompt';

export class Session {
	readonly machine: Machine;
	readonly dmasan: Dmasan;
	readonly buffers: Buffer[] = [];
	/** The devices that have no driver but the prompt's own. */
	readonly adopted: string[] = [];

	/** The machine of @scenario, as it stands before its kernel is started. @watch: who else watches it. */
	constructor(
		readonly scenario: Scenario,
		watch: (machine: Machine) => void = () => {},
	) {
		const { dtb, append, seed } = scenario;
		let dmasan: Dmasan | null = null;
		this.machine = booting(
			scenario,
			() =>
				new Machine(dtb, {
					commandLine: append,
					seed,
					onBuilt: (machine) => {
						dmasan = new Dmasan(machine);
						watch(machine);
					},
				}),
		);
		this.dmasan = dmasan!;
	}

	/** Boot the kernel. */
	boot(): void {
		booting(
			this.scenario,
			() => {
				start_kernel(this.machine);
				this.#adopt();
			},
			() => this.log(),
		);
	}

	/** Bind masters that no driver is for: without one the kernel sets nothing up for a device. */
	#adopt(): void {
		const masters = new Set(this.machine.ports.map(({ name }) => name));
		const compatibles = [...this.machine.tree.walk()].flatMap((node) => {
			if (node.parent === null || !masters.has(deviceName(node))) return [];
			const dev = this.device(deviceName(node));
			return dev === null || dev.driver !== null ? [] : node.compatible.slice(0, 1);
		});
		if (compatibles.length === 0) return;
		platform_driver_register(
			new platform_driver({
				probe: ({ dev }) => {
					pm_runtime_enable(dev);
					this.adopted.push(dev_name(dev));
					return 0;
				},
				driver: {
					name: OWN_DRIVER,
					of_match_table: [...new Set(compatibles)].map((compatible) => ({ compatible })),
				},
			}),
		);
	}

	/** The kernel's log from message @from on, as dmesg has it. */
	log(from = 0): string[] {
		return kmsg_dump_get_lines(LOGLEVEL_INFO, from);
	}

	/** The number of the next message. */
	get logEnd(): number {
		return printk_state.next_seq;
	}

	/** The kernel's device of that name; null: there is none. */
	device(name: string): device | null {
		return bus_find_device_by_name(platform_bus_type, null, name);
	}

	/** The names of all devices that can have DMA. */
	get clients(): string[] {
		const names = new Set(this.machine.ports.map(({ name }) => name));
		bus_for_each_dev(platform_bus_type, null, null, (dev) => {
			if (dev.iommu_group !== null) names.add(dev_name(dev));
			return 0;
		});
		return [...names].sort();
	}

	/** The device that @word names, for the DMA API. */
	clientOf(word: string | undefined): device {
		const dev = word === undefined || !this.clients.includes(word) ? null : this.device(word);
		if (dev === null) return expected(`a device, ${this.clients.join(' or ')}`, word);
		if (dev.driver === null)
			throw new CommandError(`expected a device with a driver, got ${dev_name(dev)}, which has none`);
		return dev;
	}

	/** The masters that @word names: a device, the name of a stream, or `IOMMU:NUMBER`. At least one. */
	mastersOf(word: string | undefined): [Master, ...Master[]] {
		const { machine } = this;
		const of = (port: DmaPort): Master => ({ port, dev: this.device(port.name) });
		const [first, ...rest] = machine.ports.filter((port) => this.#names(port, word));
		if (first !== undefined) return [of(first), ...rest.map(of)];
		// A device whose DMA others do: the display's is its mixers'.
		const dev = word === undefined ? null : this.device(word);
		const [client, ...others] = machine.ports.filter(
			(port) =>
				dev !== null &&
				machine.iommuOf(port)?.name === nameOfIommu(dev) &&
				(dev.iommu?.fwspec?.ids.includes(port.stream) ?? false),
		);
		if (client !== undefined) return [of(client), ...others.map(of)];
		const names = new Set(machine.ports.map(({ name }) => name));
		return expected(`a device or a stream, ${[...names].join(' or ')}`, word);
	}

	#names(port: DmaPort, word: string | undefined): boolean {
		const iommu = this.machine.iommuOf(port);
		return (
			port.name === word ||
			(iommu !== null && (`${iommu.name}:${port.stream}` === word || iommu.streamName(port.stream) === word))
		);
	}

	/** The address that @word says: a number, `$1` or `$1+0x10`. */
	addressOf(word: string | undefined): number {
		const found = /^(\$\d+)(?:\+(.+))?$/.exec(word ?? '');
		if (found !== null) {
			const offset = found[2] === undefined ? 0 : numberOf(found[2]);
			const buffer = this.buffers.find(({ name }) => name === found[1]);
			if (buffer !== undefined && offset !== null) return buffer.addr + offset;
		}
		const value = word === undefined ? null : numberOf(word);
		return value ?? expected(`an address (0x…${this.#orBuffers})`, word);
	}

	/** The buffer that @word names. */
	bufferOf(word: string | undefined): Buffer {
		const found = this.buffers.find(({ name }) => name === word);
		return (
			found ??
			expected(`a buffer (${this.buffers.map(({ name }) => name).join(', ') || 'map makes one'})`, word)
		);
	}

	get #orBuffers(): string {
		return this.buffers.map(({ name }) => `, ${name}`).join('');
	}

	/** Give what was mapped or allocated a name. */
	name(buffer: Omit<Buffer, 'name' | 'mapped' | 'freed'>): Buffer {
		const named = { ...buffer, name: `$${this.buffers.length + 1}`, mapped: true, freed: false };
		this.buffers.push(named);
		return named;
	}
}

/** Do @what; when the kernel or the machine stops at it, or the board is none, that is a CommandError. */
export function stopping<T>(what: () => T, said: () => string[] = () => []): T {
	try {
		return what();
	} catch (e) {
		if (e instanceof CommandError) throw new CommandError(e.message, said());
		if (e instanceof kernel_bug) throw new CommandError(`the kernel stopped: ${e.message}`, said());
		if (e instanceof MachineHang) throw new CommandError(`the machine stopped: ${e.message}`, said());
		if (e instanceof FdtError || e instanceof MachineError) throw new CommandError(e.message, said());
		throw e;
	}
}

/** The same for a boot of @scenario, which the message names. */
function booting<T>({ board }: Scenario, what: () => T, said?: () => string[]): T {
	try {
		return stopping(what, said);
	} catch (e) {
		if (e instanceof CommandError) throw new CommandError(`${board}: ${e.message}`, e.said);
		throw e;
	}
}

/** The IOMMU that the kernel has @dev behind; null: none. */
function nameOfIommu(dev: device): string | null {
	const parent = dev.iommu?.iommu_dev?.dev?.parent ?? null;
	return parent === null ? null : dev_name(parent);
}

/** The bytes that @word is a number of. */
export function sizeOf(word: string | undefined, most: number): number {
	const value = word === undefined ? null : numberOf(word);
	if (value === null || value === 0 || value > most)
		return expected(`a number of bytes, 1 to ${most} (as 4096, 0x1000 or 4K)`, word);
	return value;
}
