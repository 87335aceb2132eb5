// SPDX-License-Identifier: GPL-2.0-only
// The way of a device's DMA to memory, as the tree has it and as Linux reads it.
// Not modelled: `dma-ranges` of PCI buses.

import { FdtError, type FdtNode } from './fdt.js';

/** Memory at @cpu, which devices of a bus see at @bus. */
export interface DmaWindow {
	readonly bus: number;
	readonly cpu: number;
	readonly size: number;
}

/** The interconnect "dma-mem" of @node; null: it names none, or is wrong about it. */
function dmaInterconnect(node: FdtNode): FdtNode | null {
	try {
		const index = node.strings('interconnect-names').indexOf('dma-mem');
		let at = 0;
		for (const entry of index < 0 ? [] : node.phandleEntries('interconnects', '#interconnect-cells'))
			if (at++ === index) return entry?.node ?? null;
	} catch (error) {
		if (!(error instanceof FdtError)) throw error;
	}
	return null;
}

/** Where the DMA of @node goes first (drivers/of/address.c: __of_get_dma_parent()). */
const dmaParent = (node: FdtNode): FdtNode | null => dmaInterconnect(node) ?? node.parent;

/** What the DMA of @node passes, the nearest first. A wrong tree can lead round in circles: no way is longer than the tree. */
function* dmaParents(node: FdtNode): Iterable<FdtNode> {
	let at = dmaParent(node);
	for (let hops = 0; at !== null && hops < node.fdt.nodeCount; hops++, at = dmaParent(at)) yield at;
}

/** Whether the node's DMA snoops: `dma-coherent`, there or on the way (drivers/of/address.c: of_dma_is_coherent()). */
export function isCoherent(node: FdtNode): boolean {
	for (const at of [node, ...dmaParents(node)]) {
		if (at.has('dma-coherent')) return true;
		if (at.has('dma-noncoherent')) return false;
	}
	return false;
}

/** The windows of one bus, in the addresses of the next; a bus that says nothing has none. */
function windowsOf(bus: FdtNode): DmaWindow[] {
	const { childAddressCells: na, childSizeCells: ns } = bus;
	const { childAddressCells: np } = bus.parent ?? bus;
	return bus
		.entries('dma-ranges', [na, np, ns])
		.map(([first, cpu, size]) => ({ bus: first!, cpu: cpu!, size: size! }));
}

/** @address of a bus, as memory has it behind all of @above; null where one of them has no window for it. */
function throughAll(address: number, above: readonly FdtNode[]): number | null {
	let at = address;
	for (const bus of above) {
		// Where addresses or sizes have no cells, Linux finds no way on.
		if (bus.childAddressCells === 0 || bus.childSizeCells === 0) return null;
		if (bus.parent === null) break;
		if (!bus.props.get('dma-ranges')?.length) continue;
		const window = windowsOf(bus).find((w) => at >= w.bus && at - w.bus < w.size);
		if (window === undefined) return null;
		at = window.cpu + (at - window.bus);
	}
	return at;
}

/**
 * How the DMA of @node sees memory; null: as it is. The nearest bus with something in its `dma-ranges` says so, and the
 * buses above translate where its windows begin; the search ends where Linux's does (drivers/of/address.c:
 * of_dma_get_range()).
 */
export function dmaWindows(node: FdtNode): DmaWindow[] | null {
	const way = [...dmaParents(node)];
	for (const [hop, bus] of way.entries()) {
		const value = bus.props.get('dma-ranges');
		if (value === undefined && hop > 0) return null;
		if (value === undefined || value.length === 0) continue;
		const windows = windowsOf(bus).flatMap(({ bus: first, cpu, size }) => {
			const memory = throughAll(cpu, way.slice(hop + 1));
			return memory === null ? [] : [{ bus: first, cpu: memory, size }];
		});
		return windows.length === 0 ? null : windows;
	}
	return null;
}
