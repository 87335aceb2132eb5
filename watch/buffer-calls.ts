// SPDX-License-Identifier: GPL-2.0-only
// The calls of the DMA API that its tracepoints tell of, of each family as one.

import { sg_next } from '#lib/scatterlist.js';
import type { device } from '#linux/device.js';
import { DMA_BIDIRECTIONAL } from '#linux/dma-direction.js';
import type { scatterlist, sg_table } from '#linux/scatterlist.js';
import type { Ending, Sync } from './buffer-pairs.js';
import type { Probes } from './kernel.js';
import type { Kind } from './mappings.js';

/** Who hears of them. */
export interface BufferCalls {
	/** @addr: what was answered, DMA_MAPPING_ERROR too. */
	mapped(
		kind: Kind,
		fn: string,
		dev: device,
		addr: number,
		size: number,
		dir: number,
		attrs: number,
		phys: number,
	): void;
	mappedSg(dev: device, sgl: scatterlist, nents: number, ents: number, dir: number, attrs: number): void;
	/** @cpu: the CPU's view, or a cookie; null: it has failed. */
	allocated(
		kind: Kind,
		fn: string,
		dev: device,
		cpu: Uint8Array | null,
		addr: number,
		size: number,
		dir: number,
		attrs: number,
	): void;
	allocatedSgt(dev: device, sgt: sg_table, size: number, dir: number, attrs: number): void;
	/** @after: the tracepoint came after the deed. */
	ends(dev: device, ending: Ending, attrs: number, after: boolean): void;
	syncs(dev: device, sync: Sync): void;
	syncsSg(dev: device, sgl: scatterlist, nents: number, sync: Sync): void;
	/** What is mapped at @addr has its copy in a bounce pool. */
	bounced(dev: device, addr: number): void;
}

type SyncSg = [dev: device, sgl: scatterlist, nents: number, dir: number];

/** Have the tracepoints of the DMA API tell @calls. */
export function bufferProbes(calls: BufferCalls): Probes {
	const syncSg = (fn: string, forCpu: boolean, ...[dev, sgl, nents, dir]: SyncSg): void =>
		calls.syncsSg(dev, sgl, nents, { fn, addr: sgl.dma_address, size: sgl.length, dir, forCpu });
	return {
		swiotlb_bounced: (_data: unknown, dev: device, addr: number) => calls.bounced(dev, addr),
		dma_map_page: (
			_data: unknown,
			dev: device,
			phys: number,
			addr: number,
			size: number,
			dir: number,
			attrs: number,
		) => calls.mapped('page', 'dma_map_page', dev, addr, size, dir, attrs, phys),
		dma_map_resource: (
			_data: unknown,
			dev: device,
			phys: number,
			addr: number,
			size: number,
			dir: number,
			attrs: number,
		) => calls.mapped('resource', 'dma_map_resource', dev, addr, size, dir, attrs, phys),
		dma_unmap_page: (_data: unknown, dev: device, addr: number, size: number, dir: number, attrs: number) =>
			calls.ends(dev, ending('dma_unmap_page', 'page', addr, size, dir), attrs, true),
		dma_unmap_resource: (
			_data: unknown,
			dev: device,
			addr: number,
			size: number,
			dir: number,
			attrs: number,
		) => calls.ends(dev, ending('dma_unmap_resource', 'resource', addr, size, dir), attrs, true),
		dma_map_sg: (
			_data: unknown,
			dev: device,
			sgl: scatterlist,
			nents: number,
			ents: number,
			dir: number,
			attrs: number,
		) => calls.mappedSg(dev, sgl, nents, ents, dir, attrs),
		dma_unmap_sg: (
			_data: unknown,
			dev: device,
			sgl: scatterlist,
			nents: number,
			dir: number,
			attrs: number,
		) =>
			calls.ends(
				dev,
				{ ...ending('dma_unmap_sg', 'sg', sgl.dma_address, sgBytes(sgl, nents), dir), nents },
				attrs,
				false,
			),
		dma_alloc: (
			_data: unknown,
			dev: device,
			cpu: Uint8Array | null,
			addr: number,
			size: number,
			_dir: number,
			_gfp: number,
			attrs: number,
		) => calls.allocated('coherent', 'dma_alloc_attrs', dev, cpu, addr, size, DMA_BIDIRECTIONAL, attrs),
		dma_alloc_pages: (
			_data: unknown,
			dev: device,
			cpu: Uint8Array | null,
			addr: number,
			size: number,
			dir: number,
			_gfp: number,
			attrs: number,
		) => calls.allocated('pages', 'dma_alloc_pages', dev, cpu, addr, size, dir, attrs),
		dma_alloc_sgt: (
			_data: unknown,
			dev: device,
			sgt: sg_table,
			size: number,
			dir: number,
			_gfp: number,
			attrs: number,
		) => calls.allocatedSgt(dev, sgt, size, dir, attrs),
		dma_free: (
			_data: unknown,
			dev: device,
			cpu: Uint8Array | null,
			addr: number,
			size: number,
			_dir: number,
			attrs: number,
		) => {
			if (cpu !== null)
				calls.ends(
					dev,
					{ ...ending('dma_free_attrs', 'coherent', addr, size, DMA_BIDIRECTIONAL), handle: cpu },
					attrs,
					false,
				);
		},
		dma_free_pages: (
			_data: unknown,
			dev: device,
			_cpu: Uint8Array | null,
			addr: number,
			size: number,
			dir: number,
			attrs: number,
		) => calls.ends(dev, ending('dma_free_pages', 'pages', addr, size, dir), attrs, false),
		dma_free_sgt: (_data: unknown, dev: device, sgt: sg_table, size: number, dir: number) =>
			calls.ends(
				dev,
				ending('dma_free_noncontiguous', 'noncontiguous', sgt.sgl?.dma_address ?? 0, size, dir),
				0,
				false,
			),
		dma_sync_single_for_cpu: (_data: unknown, dev: device, addr: number, size: number, dir: number) =>
			calls.syncs(dev, { fn: 'dma_sync_single_for_cpu', addr, size, dir, forCpu: true }),
		dma_sync_single_for_device: (_data: unknown, dev: device, addr: number, size: number, dir: number) =>
			calls.syncs(dev, { fn: 'dma_sync_single_for_device', addr, size, dir, forCpu: false }),
		dma_sync_sg_for_cpu: (_data: unknown, ...args: SyncSg) => syncSg('dma_sync_sg_for_cpu', true, ...args),
		dma_sync_sg_for_device: (_data: unknown, ...args: SyncSg) =>
			syncSg('dma_sync_sg_for_device', false, ...args),
	};
}

function ending(fn: string, kind: Kind, addr: number, size: number, dir: number): Ending {
	return { fn, kind, addr, size, dir, handle: null, nents: 0 };
}

/** The bytes of the first @nents entries. */
export function sgBytes(sgl: scatterlist, nents: number): number {
	let bytes = 0;
	let sg: scatterlist | null = sgl;
	for (let i = 0; i < nents && sg !== null; i++, sg = sg_next(sg)) bytes += sg.length;
	return bytes;
}
