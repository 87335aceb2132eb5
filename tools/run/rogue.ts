// SPDX-License-Identifier: GPL-2.0-only
// A device that reads and writes what it was not given, and what came of it.
import { dma_map_single, dma_unmap_single } from '#kernel/dma/mapping.js';
import { printk_state } from '#kernel/printk/printk.js';
import { dev_name } from '#linux/device.js';
import { DMA_TO_DEVICE } from '#linux/dma-direction.js';
import { dma_mapping_error } from '#linux/dma-mapping.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { kfree, kmalloc } from '#linux/slab.js';
import { rogueRead, rogueWrite } from '#tools/cedrus-rogue.js';
import { videoEngine } from '#tools/clients.js';
import { Board } from './board.js';

/** Far from all that the allocator hands out, which goes from the top down. */
const NOWHERE = 0x1234_5000;
const PAGE = 4096;

/** Whether anything is in the way of the engine's accesses: it may have no IOMMU, or the command line bypasses it. */
export function engineIsTranslated(): boolean {
	return videoEngine()?.dma_iommu === true;
}

export interface RogueFacts {
	readonly what: string;
	/** The engine got no answer and hangs. */
	readonly stopped: boolean;
	/** Bytes that the engine wrote to memory meanwhile. */
	readonly written: number;
	/** Bytes of the attacked buffer that differ afterwards. */
	readonly changed: number;
	/** What the driver said. */
	readonly log: readonly string[];
}

/** The engine, among the DMA masters and in the address map. */
function engineName(): string {
	const engine = videoEngine();
	if (engine === null) throw new Error('this board has no video engine');
	return dev_name(engine);
}

function engineBase(board: Board): number {
	const name = engineName();
	return board.machine.bus.windows.find((window) => window.name === name)!.base;
}

function writtenBytes(board: Board): number {
	const name = engineName();
	return board.machine.ports.filter((p) => p.name === name).reduce((sum, p) => sum + p.stats.writeBytes, 0);
}

function watched(
	board: Board,
	what: string,
	access: () => { stopped: boolean; changed: number },
): RogueFacts {
	const from = printk_state.next_seq;
	const before = writtenBytes(board);
	const { stopped, changed } = access();
	return { what, stopped, changed, written: writtenBytes(board) - before, log: Board.log(from) };
}

/** The engine reads where nothing is mapped. */
export function readNowhere(board: Board): RogueFacts {
	return watched(board, `read of 0x${NOWHERE.toString(16)}, which nobody mapped`, () => ({
		stopped: rogueRead(board.machine, engineBase(board), NOWHERE),
		changed: 0,
	}));
}

/** The engine writes a buffer that is mapped for reading only. */
export function writeReadOnly(board: Board): RogueFacts {
	const dev = videoEngine();
	const secret = kmalloc(PAGE, GFP_KERNEL);
	if (dev === null || secret === null) throw new Error('no engine, or no memory, for the rogue write');
	for (let i = 0; i < PAGE; i++) secret[i] = i & 0xff;
	const dma = dma_map_single(dev, secret, PAGE, DMA_TO_DEVICE);
	if (dma_mapping_error(dev, dma) !== 0) throw new Error('no mapping for the rogue write');
	const facts = watched(board, `write to 0x${dma.toString(16)}, which is mapped for reading only`, () => {
		const stopped = rogueWrite(board.machine, engineBase(board), dma);
		dma_unmap_single(dev, dma, PAGE, DMA_TO_DEVICE);
		let changed = 0;
		for (let i = 0; i < PAGE; i++) if (secret[i] !== (i & 0xff)) changed++;
		return { stopped, changed };
	});
	kfree(secret);
	return facts;
}
