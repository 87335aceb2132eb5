// SPDX-License-Identifier: GPL-2.0-only
// With which kernel parameters a board is booted, so that the job can run on it.

import { type FdtNode, type FdtSource, fdtSource, parseFdt, writeFdt } from '#hw/core/fdt.js';
import type { Machine } from '#hw/core/machine.js';
import { Board } from './board.js';

/** Pages come from all over the memory, as after months of uptime. */
const FRAGMENTED = 'page_placement=scattered,1';
const MOST_CMA_MIB = 64;
const MIB = 1024 ** 2;

/** One board, and what the user adds to its set-up. */
export interface Setup {
	/** For messages. */
	readonly path: string;
	readonly dtb: Uint8Array;
	/** Bytes of RAM; null for what the tree says, or the default. */
	readonly mem: number | null;
	/** The user's part of the kernel's command line. */
	readonly append: string;
	/** What the hardware's choices follow from; 1 without it. */
	readonly seed?: number;
	/** Who watches the machine; null: nobody. */
	readonly watch: ((machine: Machine) => void) | null;
}

/** Whether the tree declares an area that all devices take contiguous memory from (dma_contiguous_reserve()). */
function hasDefaultCma(root: FdtNode): boolean {
	const reserved = root.child('reserved-memory');
	return (reserved?.children ?? []).some(
		(node) =>
			node.okay &&
			node.has('linux,cma-default') &&
			node.has('reusable') &&
			!node.has('no-map') &&
			node.isCompatible('shared-dma-pool'),
	);
}

/** A size for cma= that leaves the kernel enough of @ram bytes. */
function cmaFor(ram: number): string {
	const quarter = 2 ** Math.floor(Math.log2(ram / MIB / 4));
	return `cma=${Math.min(MOST_CMA_MIB, quarter)}M`;
}

/**
 * Boot. What an IOMMU makes needless, the others cannot do without: memory is set aside for CMA when the kernel
 * turns out to have put a device of the job behind no IOMMU, unless the user or the tree says how much.
 */
export function bootFor({ path, dtb, mem, append, seed = 1, watch }: Setup): Board {
	const boot = (cma: string): Board =>
		new Board(path, dtb, {
			commandLine: [cma, FRAGMENTED, append].filter((part) => part !== '').join(' '),
			seed,
			...(mem === null ? {} : { memSize: mem }),
			...(watch === null ? {} : { onBuilt: watch }),
		});
	if (/(^|\s)cma=/.test(append) || Board.inTree(path, dtb, hasDefaultCma)) return boot('');
	const board = boot('cma=0');
	const { engine, display } = Board.ways();
	if (engine !== 'direct' && display !== 'direct') return board;
	return boot(cmaFor(board.machine.memory.size));
}

/** The tree of @dtb with every device in front of its IOMMU. */
export function withoutIommus(dtb: Uint8Array): Uint8Array {
	const fdt = parseFdt(dtb);
	const root = fdtSource(fdt.root);
	const strip = (node: FdtSource): void => {
		node.props.delete('iommus');
		node.props.delete('iommu-map');
		node.children.forEach(strip);
	};
	strip(root);
	return writeFdt(root, fdt.reserved, fdt.bootCpu);
}
