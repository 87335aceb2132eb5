// SPDX-License-Identifier: GPL-2.0-only
// What drivers do by the DMA API, and what devices and the CPU do to the memory.

import { phys_to_virt } from '#asm/memory.js';
import { hex } from '#hw/core/register-file.js';
import {
	dma_alloc_coherent,
	dma_free_coherent,
	dma_map_single,
	dma_sync_single_for_cpu,
	dma_sync_single_for_device,
	dma_unmap_single,
} from '#kernel/dma/mapping.js';
import type { device } from '#linux/device.js';
import { DMA_BIDIRECTIONAL, DMA_FROM_DEVICE, DMA_TO_DEVICE } from '#linux/dma-direction.js';
import { dma_mapping_error } from '#linux/dma-mapping.js';
import { errname } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import {
	pm_runtime_enabled,
	pm_runtime_put_noidle,
	pm_runtime_put_sync,
	pm_runtime_resume_and_get,
} from '#linux/pm_runtime.js';
import { KMALLOC_MAX_SIZE, kfree, kzalloc } from '#linux/slab.js';
import { type dma_addr_t, ref } from '#linux/types.js';
import { directionText } from '#watch/mappings.js';
import type { Command } from '../command.js';
import { type Buffer, type Session, sizeOf } from '../session.js';
import { CommandError, expected, type Word } from '../words.js';

const DIRECTIONS: Readonly<Record<string, number>> = {
	to: DMA_TO_DEVICE,
	from: DMA_FROM_DEVICE,
	both: DMA_BIDIRECTIONAL,
};
/** Time for an access's interrupt, and all that its handler does. */
const HANDLING_NS = 100_000;
/** The most that one access is of. */
const MOST = 1024 ** 2;
/** Bytes in a line of a dump, and the most of them that are shown. */
const ROW = 16;
const SHOWN = 256;

const of = (args: readonly Word[], at: number): string | undefined => args[at]?.word;

/** @bytes from @addr on, as `hexdump -C` shows them. */
export function dump(addr: number, bytes: Uint8Array): string[] {
	const lines: string[] = [];
	for (let at = 0; at < Math.min(bytes.length, SHOWN); at += ROW) {
		const row = [...bytes.subarray(at, at + ROW)];
		const digits = row.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
		const text = row.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');
		lines.push(`  ${hex(addr + at, 8)}  ${digits.padEnd(3 * ROW - 1)}  |${text}|`);
	}
	if (bytes.length > SHOWN) lines.push(`  … ${bytes.length - SHOWN} more bytes`);
	return lines;
}

/** Bytes to be written: a text in quotes, or a number of them, which count up. */
function dataOf(word: Word | undefined): Uint8Array {
	if (word?.text) return new TextEncoder().encode(word.word);
	const size = sizeOf(word?.word, MOST);
	return Uint8Array.from({ length: size }, (_, i) => i);
}

/** `read` or `write`. */
function isWrite(word: string | undefined): boolean {
	if (word !== 'read' && word !== 'write') return expected('read or write', word);
	return word === 'write';
}

function said({ name, addr, size, dir, coherent }: Buffer): string {
	const how = coherent ? 'coherent' : directionText(dir);
	return `${name} = ${hex(addr, 8)}, ${size} bytes, ${how}`;
}

const completeDevice: Command['complete'] = (session, at) => (at === 0 ? session.clients : []);
const completeBuffer: Command['complete'] = (session, at) =>
	at === 0 ? session.buffers.map(({ name }) => name) : [];

const map: Command = {
	name: 'map',
	args: 'DEVICE SIZE [to|from|both]',
	does: 'dma_map_single() of a fresh buffer, which gets a name',
	effect: 'change',
	run(session, args) {
		const dev = session.clientOf(of(args, 0));
		const size = sizeOf(of(args, 1), KMALLOC_MAX_SIZE);
		const dir = DIRECTIONS[of(args, 2) ?? 'both'] ?? expected('to, from or both', of(args, 2));
		const bytes = kzalloc(size, GFP_KERNEL);
		if (bytes === null) throw new CommandError(`expected ${size} bytes of memory, got none from kzalloc()`);
		const addr = dma_map_single(dev, bytes, size, dir);
		const err = dma_mapping_error(dev, addr);
		if (err !== 0) {
			kfree(bytes);
			throw new CommandError(`expected an address from dma_map_single(), got ${errname(err)}`);
		}
		return [said(session.name({ dev, addr, size, dir, bytes, coherent: false }))];
	},
	complete: (session, at) => (at === 0 ? session.clients : at === 2 ? Object.keys(DIRECTIONS) : []),
};

const unmap: Command = {
	name: 'unmap',
	args: '$N',
	does: 'dma_unmap_single(); the memory is there until free',
	effect: 'change',
	run(session, args) {
		const buffer = session.bufferOf(of(args, 0));
		if (buffer.coherent) return expected('a buffer that map has made (free ends this one)', buffer.name);
		dma_unmap_single(buffer.dev, buffer.addr, buffer.size, buffer.dir);
		buffer.mapped = false;
		return [];
	},
	complete: completeBuffer,
};

const alloc: Command = {
	name: 'alloc',
	args: 'DEVICE SIZE',
	does: 'dma_alloc_coherent(), which gets a name',
	effect: 'change',
	run(session, args) {
		const dev = session.clientOf(of(args, 0));
		const size = sizeOf(of(args, 1), KMALLOC_MAX_SIZE);
		const handle = new ref<dma_addr_t>(0);
		const bytes = dma_alloc_coherent(dev, size, handle, GFP_KERNEL);
		if (bytes === null) throw new CommandError(`expected ${size} bytes from dma_alloc_coherent(), got none`);
		return [
			said(
				session.name({
					dev,
					addr: handle.value,
					size,
					dir: DMA_BIDIRECTIONAL,
					bytes: bytes as Uint8Array,
					coherent: true,
				}),
			),
		];
	},
	complete: completeDevice,
};

const free: Command = {
	name: 'free',
	args: '$N',
	does: 'kfree() of what map has made, dma_free_coherent() of what alloc has',
	effect: 'change',
	run(session, args) {
		const buffer = session.bufferOf(of(args, 0));
		if (buffer.freed) throw new CommandError(`expected memory, got ${buffer.name}, which is freed`);
		if (buffer.coherent) dma_free_coherent(buffer.dev, buffer.size, buffer.bytes, buffer.addr);
		else kfree(buffer.bytes);
		buffer.freed = true;
		if (buffer.coherent) buffer.mapped = false;
		return [];
	},
	complete: completeBuffer,
};

/** Do @access with @dev at work, as its driver would have it: with what its IOMMU needs to be on. */
function atWork<T>(dev: device | null, access: () => T): T {
	if (dev === null || !pm_runtime_enabled(dev)) return access();
	if (pm_runtime_resume_and_get(dev) < 0) {
		pm_runtime_put_noidle(dev);
		throw new CommandError(`expected a device that can be switched on, got one that cannot`);
	}
	try {
		return access();
	} finally {
		pm_runtime_put_sync(dev);
	}
}

/** The last word of the IOMMU on @session's way for an access that was refused. */
function whyRefused(session: Session, word: string | undefined): string {
	const [{ port }] = session.mastersOf(word);
	const fault = session.machine.iommuOf(port)?.faults.at(-1);
	if (fault === undefined) return 'refused: no memory is there';
	return `refused: ${fault.kind} fault at ${hex(fault.iova, 8)} (${fault.what})`;
}

const dma: Command = {
	name: 'dma',
	args: 'DEVICE|STREAM read|write ADDRESS "text"|LENGTH',
	does: 'an access of the device: what its port gets from the IOMMU',
	effect: 'change',
	run(session, args) {
		const [{ port, dev }] = session.mastersOf(of(args, 0));
		const write = isWrite(of(args, 1));
		const addr = session.addressOf(of(args, 2));
		const data = write ? dataOf(args[3]) : new Uint8Array(sizeOf(of(args, 3), MOST));
		const done = atWork(dev, () => {
			const through = write ? port.write(addr, data) : port.read(addr, data);
			session.machine.advance(HANDLING_NS);
			return through;
		});
		if (!done) return [whyRefused(session, of(args, 0))];
		return write ? [`${data.length} bytes written`] : dump(addr, data);
	},
	complete: (session, at) =>
		at === 0 ? streams(session) : at === 1 ? ['read', 'write'] : at === 2 ? names(session) : [],
};

function names(session: Session): string[] {
	return session.buffers.map(({ name }) => name);
}

/** All that mastersOf() knows. */
export function streams({ machine }: Session): string[] {
	return machine.ports.flatMap((port) => {
		const iommu = machine.iommuOf(port);
		return iommu === null ? [port.name] : [port.name, `${iommu.name}:${port.stream}`];
	});
}

/** The CPU's view of @size bytes at @word: a buffer's own, or physical memory's. */
function viewOf(session: Session, word: string | undefined, size: number): Uint8Array {
	const found = /^(\$\d+)(?:\+.+)?$/.exec(word ?? '');
	if (found !== null) {
		const { bytes, addr } = session.bufferOf(found[1]);
		const at = session.addressOf(word) - addr;
		if (at + size > bytes.length)
			return expected(`a range of the ${bytes.length} bytes of ${found[1]}`, `${at} to ${at + size}`);
		return bytes.subarray(at, at + size);
	}
	const phys = session.addressOf(word);
	if (!session.machine.ram.is_ram(phys, size)) return expected('memory', hex(phys, 8));
	return phys_to_virt(phys, size).subarray(0, size);
}

const cpu: Command = {
	name: 'cpu',
	args: 'read|write $N|PHYSICAL "text"|LENGTH',
	does: 'an access of the CPU, through its cache',
	effect: 'change',
	run(session, args) {
		const write = isWrite(of(args, 0));
		if (write) {
			const data = dataOf(args[2]);
			viewOf(session, of(args, 1), data.length).set(data);
			return [`${data.length} bytes written`];
		}
		const size = sizeOf(of(args, 2), MOST);
		return dump(session.addressOf(of(args, 1)), viewOf(session, of(args, 1), size).slice());
	},
	complete: (session, at) => (at === 0 ? ['read', 'write'] : at === 1 ? names(session) : []),
};

const sync: Command = {
	name: 'sync',
	args: '$N cpu|device',
	does: 'dma_sync_single_for_cpu(), or _for_device()',
	effect: 'change',
	run(session, args) {
		const { dev, addr, size, dir } = session.bufferOf(of(args, 0));
		const whom = of(args, 1);
		if (whom === 'cpu') dma_sync_single_for_cpu(dev, addr, size, dir);
		else if (whom === 'device') dma_sync_single_for_device(dev, addr, size, dir);
		else return expected('cpu or device', whom);
		return [];
	},
	complete: (session, at) => (at === 0 ? names(session) : at === 1 ? ['cpu', 'device'] : []),
};

export const DMA: readonly Command[] = [map, unmap, alloc, free, dma, cpu, sync];
