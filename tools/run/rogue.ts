// SPDX-License-Identifier: GPL-2.0-only
// A device that reads and writes what it was not given, and what came of it.
import { dcache_clean_inval_poc, dcache_inval_poc } from '#arch/arm64/mm/cache.js';
import { virt_to_phys } from '#asm/memory.js';
import type { DmaPort } from '#hw/core/dma-port.js';
import { dma_map_single, dma_unmap_single } from '#kernel/dma/mapping.js';
import { printk_state } from '#kernel/printk/printk.js';
import { dev_name, type device } from '#linux/device.js';
import { phys_to_dma } from '#linux/dma-direct.js';
import { DMA_TO_DEVICE } from '#linux/dma-direction.js';
import { dma_mapping_error } from '#linux/dma-mapping.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { kfree, kzalloc } from '#linux/slab.js';
import { rogueRead, rogueWrite } from '#tools/cedrus-rogue.js';
import { videoEngine } from '#tools/clients.js';
import { Board } from './board.js';

const PAGE = 4096;
/** What the kernel keeps to itself, for the demonstration. */
export const SECRET = 'DEMONSTRATION ONLY: the kernel keeps this to itself. key=1c0e000';
/** So much of it is shown. */
const SHOWN = SECRET.length;

/** Whether anything is in the way of the engine's accesses: it may have no IOMMU, or the command line bypasses it. */
export function engineIsTranslated(): boolean {
	return videoEngine()?.dma_iommu === true;
}

export interface RogueFacts {
	readonly what: string;
	/** The engine got no answer and hangs. */
	readonly stopped: boolean;
	/** What the engine read of the attacked buffer meanwhile. */
	readonly stolen: Uint8Array;
	/** Bytes that the engine wrote to memory meanwhile. */
	readonly written: number;
	/** Bytes of the attacked buffer that differ afterwards. */
	readonly changed: number;
	/** The first of them, as they were and as they are. */
	readonly overwritten: { readonly before: Uint8Array; readonly after: Uint8Array } | null;
	/** What the driver said. */
	readonly log: readonly string[];
}

/** The engine, which must be there. */
function theEngine(): device {
	const engine = videoEngine();
	if (engine === null) throw new Error('this board has no video engine');
	return engine;
}

/** The engine among the DMA masters, and in the address map. */
function wires(board: Board): { ports: readonly DmaPort[]; base: number } {
	const name = dev_name(theEngine());
	const { bus, ports } = board.machine;
	return {
		ports: ports.filter((port) => port.name === name),
		base: bus.windows.find((window) => window.name === name)!.base,
	};
}

/** Call @access; what reads of @ports bring meanwhile from @page. */
function listening(
	ports: readonly DmaPort[],
	page: number,
	access: () => boolean,
): { stopped: boolean; read: number[] } {
	const bytes: number[] = [];
	const ends = ports.map((port) => {
		const { read } = port;
		port.read = (addr, out, ...rest) => {
			const from = port.stats.readBytes;
			const ok = read.call(port, addr, out, ...rest);
			// What was refused is no part of the answer.
			if (addr >= page && addr < page + PAGE) bytes.push(...out.subarray(0, port.stats.readBytes - from));
			return ok;
		};
		return () => {
			port.read = read;
		};
	});
	const stopped = access();
	for (const end of ends) end();
	return { stopped, read: bytes };
}

/** Let @access go at @buffer, a page that has @addr on the bus, and see what came of it. */
function watched(
	board: Board,
	what: string,
	{ addr, buffer }: { addr: number; buffer: Uint8Array },
	access: (base: number) => boolean,
): RogueFacts {
	const { ports, base } = wires(board);
	const written = (): number => ports.reduce((sum, { stats }) => sum + stats.writeBytes, 0);
	const from = printk_state.next_seq;
	const [old, writtenBefore] = [buffer.slice(), written()];
	const { stopped, read } = listening(ports, addr, () => access(base));
	// The CPU's cache, which nobody told, still has what was there.
	dcache_inval_poc(virt_to_phys(buffer), PAGE);
	const changed = old.reduce((sum, byte, i) => sum + Number(byte !== buffer[i]), 0);
	const [before, after] = [old, buffer].map((bytes) => bytes.slice(0, SHOWN));
	return {
		what,
		stopped,
		stolen: Uint8Array.from(read),
		written: written() - writtenBefore,
		changed,
		overwritten: changed === 0 ? null : { before: before!, after: after! },
		log: Board.log(from),
	};
}

/** Give @attempt a page with the secret in it, as it is when it was written long ago: in memory, not only in a cache. */
function withSecret(attempt: (dev: device, buffer: Uint8Array) => RogueFacts): RogueFacts {
	const dev = theEngine();
	const buffer = kzalloc(PAGE, GFP_KERNEL);
	if (buffer === null) throw new Error('no memory for the secret');
	buffer.set(new TextEncoder().encode(SECRET));
	dcache_clean_inval_poc(virt_to_phys(buffer), PAGE);
	const facts = attempt(dev, buffer);
	kfree(buffer);
	return facts;
}

const hex = (addr: number): string => `0x${addr.toString(16)}`;

/** The engine reads memory of the kernel's that it was never given, where that is on the bus. */
export function readSecret(board: Board): RogueFacts {
	return withSecret((dev, buffer) => {
		const addr = phys_to_dma(dev, virt_to_phys(buffer));
		const what = `read of ${hex(addr)}, where the kernel keeps a secret`;
		return watched(board, what, { addr, buffer }, (base) =>
			rogueRead(board.machine, base, addr, SECRET.length),
		);
	});
}

/** The engine writes there. */
export function writeSecret(board: Board): RogueFacts {
	return withSecret((dev, buffer) => {
		const addr = phys_to_dma(dev, virt_to_phys(buffer));
		const what = `write to ${hex(addr)}, where the kernel keeps a secret`;
		return watched(board, what, { addr, buffer }, (base) => rogueWrite(board.machine, base, addr));
	});
}

/** The engine writes a buffer that is mapped for reading only. */
export function writeReadOnly(board: Board): RogueFacts {
	return withSecret((dev, buffer) => {
		const addr = dma_map_single(dev, buffer, PAGE, DMA_TO_DEVICE);
		if (dma_mapping_error(dev, addr) !== 0) throw new Error('no mapping for the rogue write');
		const what = `write to ${hex(addr)}, which is mapped for reading only`;
		return watched(board, what, { addr, buffer }, (base) => {
			const stopped = rogueWrite(board.machine, base, addr);
			dma_unmap_single(dev, addr, PAGE, DMA_TO_DEVICE);
			return stopped;
		});
	});
}
