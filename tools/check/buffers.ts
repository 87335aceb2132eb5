// SPDX-License-Identifier: GPL-2.0-only
// Buffers for cases of the DMA API: bytes that tell where they belong, lists of pieces, random programs.

import { PAGE_SIZE } from '#asm/page-def.js';
import { dma_map_page, dma_map_single } from '#kernel/dma/mapping.js';
import { sg_alloc_table, sg_next } from '#lib/scatterlist.js';
import type { device } from '#linux/device.js';
import { DMA_ATTR_FORCE_CONTIGUOUS, DMA_ATTR_WRITE_COMBINE, dma_mapping_error } from '#linux/dma-mapping.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { virt_to_page, virt_to_phys } from '#linux/mm.js';
import { sg_set_page, sg_table } from '#linux/scatterlist.js';
import type { Masters } from '#tests/drivers/iommu/masters.js';
import { type Step, type Way, World } from '#tests/kernel/dma/world.js';
import { CheckFailure, type Rig } from './rig.js';

/** @length bytes that differ from place to place and from @seed to @seed. */
export function pattern(length: number, seed: number): Uint8Array {
	const bytes = new Uint8Array(length);
	for (let i = 0; i < length; i++) bytes[i] = seed * 31 + 3 * i + 5 * (i >> 8) + 1;
	return bytes;
}

/** The address of @bytes for @dev; it has to be mapped. */
export function mapSingle(rig: Rig, dev: device, bytes: Uint8Array, size: number, dir: number): number {
	const dma = dma_map_single(dev, bytes, size, dir);
	rig.equal('dma_mapping_error()', dma_mapping_error(dev, dma), 0);
	return dma as number;
}

/** The same by its page. */
export function mapPage(rig: Rig, dev: device, bytes: Uint8Array, size: number, dir: number): number {
	const dma = dma_map_page(dev, virt_to_page(bytes), virt_to_phys(bytes) % PAGE_SIZE, size, dir);
	rig.equal('dma_mapping_error()', dma_mapping_error(dev, dma), 0);
	return dma as number;
}

/** A table of @pieces, one entry each. */
export function sgTable(pieces: readonly Uint8Array[]): sg_table {
	const table = new sg_table();
	if (sg_alloc_table(table, pieces.length, GFP_KERNEL) !== 0) throw new CheckFailure('no memory for a list');
	let sg = table.sgl;
	for (const piece of pieces) {
		sg_set_page(sg!, virt_to_page(piece), piece.length, virt_to_phys(piece) % PAGE_SIZE);
		sg = sg_next(sg!);
	}
	return table;
}

/** A random step of a driver's life with the DMA API. */
function step(rig: Rig, fails: boolean): Step {
	const size = (): number =>
		rig.random() < 0.4
			? 1 + rig.pick(200)
			: rig.random() < 0.2
				? PAGE_SIZE * (1 + rig.pick(2))
				: 1 + rig.pick(9000);
	const offset = (): number => (rig.random() < 0.5 ? 0 : rig.pick(PAGE_SIZE));
	const who = rig.pick(64);
	const dir = rig.pick(3);
	const failAt = fails && rig.random() < 0.15 ? 1 + rig.pick(6) : 0;
	switch (rig.pick(9)) {
		case 0:
		case 1:
			return { op: 'single', who, size: size(), offset: offset(), dir, slab: rig.random() < 0.5, failAt };
		case 2:
		case 3: {
			const entries = Array.from({ length: 1 + rig.pick(6) }, () => [size(), offset()] as const);
			return { op: 'list', who, entries, dir, failAt };
		}
		case 4: {
			const attrs = rig.oneOf([0, DMA_ATTR_WRITE_COMBINE, DMA_ATTR_FORCE_CONTIGUOUS]);
			return { op: 'coherent', who, size: size(), attrs, atomic: rig.random() < 0.5, failAt };
		}
		case 5:
			return { op: 'device', pick: who, at: rig.pick(9000), size: size() };
		case 6:
		case 7:
			return { op: 'cpu', pick: who, at: rig.pick(9000), size: size(), stores: rig.random() < 0.5 };
		default:
			return { op: 'end', pick: who };
	}
}

/** A random program of @steps steps by @masters, of whom those of @way take part; some allocations fail if it @fails. */
export function randomProgram(rig: Rig, way: Way, masters: Masters, steps: number, fails = true): void {
	const world = new World(way, masters);
	for (let i = 0; i < steps; i++) {
		world.play(step(rig, fails));
		if (i % 4 === 0) world.check();
	}
	world.finish();
}
