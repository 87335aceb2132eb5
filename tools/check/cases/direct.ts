// SPDX-License-Identifier: GPL-2.0-only
// The DMA API without an IOMMU: straight, through windows, by the bounce pool, from reserved memory. On boards of their
// own, whatever driver is looked at: that needs it for its own tables and queues.

import { PAGE_SIZE } from '#asm/page-def.js';
import { of_reserved_mem_device_init } from '#drivers/of/of_reserved_mem.js';
import {
	dma_addressing_limited,
	dma_alloc_attrs,
	dma_alloc_coherent,
	dma_free_attrs,
	dma_free_coherent,
	dma_get_required_mask,
	dma_map_single,
	dma_max_mapping_size,
	dma_need_sync,
	dma_set_mask,
	dma_set_mask_and_coherent,
	dma_sync_single_for_cpu,
	dma_sync_single_for_device,
	dma_unmap_single,
} from '#kernel/dma/mapping.js';
import { DMA_BIDIRECTIONAL, DMA_FROM_DEVICE, DMA_TO_DEVICE } from '#linux/dma-direction.js';
import { DMA_BIT_MASK, dma_mapping_error, dma_set_min_align_mask } from '#linux/dma-mapping.js';
import { EIO } from '#linux/errno.js';
import { GFP_ATOMIC, GFP_KERNEL } from '#linux/gfp.js';
import { virt_to_phys } from '#linux/mm.js';
import { ref } from '#linux/types.js';
import { alloc_pages_exact, free_pages_exact } from '#mm/page_alloc.js';
import type { Masters } from '#tests/drivers/iommu/masters.js';
import { boardTree, reg } from '#tests/kernel/dma/board.js';
import { type BoardWay, WAYS } from '#tests/kernel/dma/world.js';
import { mapSingle, pattern, randomProgram } from '../buffers.js';
import type { Case } from '../case.js';
import { type Rig, shown } from '../rig.js';

const group = 'direct';

/** 4 MiB: what 6.12 takes by itself costs time at each boot. */
const POOL = 'swiotlb=2048';

/** Of the ways that DMA can take, those without an IOMMU. */
const direct = WAYS.filter(({ name }) => !['strict', 'lazy', 'passthrough'].includes(name));

const program = (way: BoardWay): Case => ({
	group,
	says: `any program of mappings keeps both sides’ bytes: ${way.name}`,
	blames: 'core',
	elsewhere: true,
	run(rig) {
		const masters = rig.board(way.board(), `${POOL} page_placement=scattered ${way.commandLine}`);
		randomProgram(rig, way, masters, 90);
	},
});

/** A buffer of @size bytes that the master @name's DMA goes through and back, in each direction, in whole and in parts. */
function roundTrip(rig: Rig, there: Masters, name: string, size: number, offset: number): void {
	const dev = there.device(name);
	const model = there.model(name);
	const all = alloc_pages_exact(offset + size + 64, GFP_KERNEL)!;
	const bytes = all.subarray(offset, offset + size);
	for (const dir of [DMA_TO_DEVICE, DMA_FROM_DEVICE, DMA_BIDIRECTIONAL]) {
		all.fill(0xa5);
		bytes.set(pattern(size, 1));
		const at = mapSingle(rig, dev, bytes, size, dir);
		const what = `a buffer of ${size} bytes at offset ${offset} of ${name}`;
		if (dir !== DMA_FROM_DEVICE)
			rig.equal(
				`what the device reads of ${what}`,
				Buffer.compare(model.fetch(at, size) ?? new Uint8Array(), pattern(size, 1)),
				0,
			);
		let wanted = pattern(size, 1);
		if (dir !== DMA_TO_DEVICE) {
			// A part only: the rest stays.
			const half = Math.ceil(size / 2);
			rig.equal('a write is let through', model.store(at, pattern(half, 2)), true);
			wanted = pattern(size, 1);
			wanted.set(pattern(half, 2));
			dma_sync_single_for_cpu(dev, at, half, dir);
			rig.equal(
				`what the CPU reads of ${what} after the sync`,
				Buffer.compare(bytes.subarray(0, half), wanted.subarray(0, half)),
				0,
			);
			dma_sync_single_for_device(dev, at, half, dir);
		}
		dma_unmap_single(dev, at, size, dir);
		rig.equal(`what the CPU reads of ${what}`, Buffer.compare(bytes, wanted), 0);
		const intact = all.every((b, i) => (i >= offset && i < offset + size) || b === 0xa5);
		rig.holds(`bytes beside ${what} have changed`, intact);
	}
	free_pages_exact(all, all.length);
}

const SHAPES = [
	[1, 0],
	[24, 8],
	[100, 60],
	[PAGE_SIZE, 0],
	[PAGE_SIZE, 100],
	[2 * PAGE_SIZE + 300, 2047],
	[0x8000, 0],
] as const;

const trips = (
	says: string,
	board: string | (() => Uint8Array),
	commandLine: string,
	names: readonly string[],
): Case => ({
	group,
	says,
	blames: 'core',
	elsewhere: true,
	run(rig) {
		const there = rig.board(typeof board === 'string' ? board : board(), commandLine);
		for (const name of names) for (const [size, offset] of SHAPES) roundTrip(rig, there, name, size, offset);
	},
});

const restricted = (): Uint8Array =>
	boardTree(
		{
			'restricted@50000000': {
				compatible: 'restricted-dma-pool',
				reg: reg(0x5000_0000, 4 << 20),
				phandle: [7],
			},
		},
		{ 'memory-region': [7] },
	);

const reserved = (): Uint8Array =>
	boardTree(
		{
			'pool@50000000': {
				compatible: 'shared-dma-pool',
				'no-map': true,
				reg: reg(0x5000_0000, 4 << 20),
				phandle: [7],
			},
		},
		{ 'memory-region': [7] },
	);

/** Coherent memory of all sizes on @there, shared without syncs. */
function coherent(rig: Rig, there: Masters, name: string, gfp = GFP_KERNEL): void {
	const dev = there.device(name);
	const model = there.model(name);
	for (const size of [64, PAGE_SIZE, 3 * PAGE_SIZE]) {
		const handle = new ref(0);
		const cpu = dma_alloc_attrs(dev, size, handle, gfp, 0);
		rig.holds(`dma_alloc_attrs() of ${size} bytes for ${name} failed`, cpu !== null);
		const bytes = cpu!.subarray(0, size);
		rig.holds(
			'coherent memory is not zero',
			bytes.every((b) => b === 0),
		);
		bytes.set(pattern(size, 3));
		rig.equal(
			'what the device reads',
			Buffer.compare(model.fetch(handle.value as number, size) ?? new Uint8Array(), pattern(size, 3)),
			0,
		);
		rig.equal('a write is let through', model.store(handle.value as number, pattern(size, 4)), true);
		rig.equal('what the CPU reads', Buffer.compare(bytes, pattern(size, 4)), 0);
		dma_free_attrs(dev, size, cpu!, handle.value, 0);
	}
}

export const directCases: readonly Case[] = [
	trips('memory in reach is used where it is', 'direct', POOL, ['m3', 'm4']),
	trips('with swiotlb=force every buffer goes through the pool and back', 'direct', `${POOL},force`, [
		'm3',
		'm4',
	]),
	trips('addresses go through the windows of the bus', 'ranges', POOL, ['m3']),
	trips('a device with a pool of its own has nothing else', restricted, POOL, ['m3', 'm4']),
	{
		group,
		says: 'memory out of reach of the device’s mask is bounced',
		blames: 'core',
		elsewhere: true,
		run(rig) {
			const there = rig.board('direct', POOL);
			const dev = there.device('m3');
			rig.equal('dma_set_mask_and_coherent()', dma_set_mask_and_coherent(dev, DMA_BIT_MASK(32)), 0);
			rig.equal('a mask below all memory is refused', dma_set_mask(dev, DMA_BIT_MASK(24)), -EIO);
			rig.holds('dma_get_required_mask() is below 4 GiB', (dma_get_required_mask(dev) as number) > 2 ** 32);
			rig.equal('dma_addressing_limited()', dma_addressing_limited(dev), true);
			const high: Uint8Array[] = [];
			for (let i = 0; i < 8; i++) high.push(alloc_pages_exact(2 * PAGE_SIZE, GFP_KERNEL)!);
			const far = high.filter((bytes) => (virt_to_phys(bytes) as number) >= 2 ** 32);
			rig.holds('no page above 4 GiB was allocated', far.length > 0);
			for (const bytes of far) {
				bytes.set(pattern(bytes.length, 1));
				const at = mapSingle(rig, dev, bytes, bytes.length, DMA_BIDIRECTIONAL);
				rig.holds(`the address ${shown(at)} is out of reach`, at + bytes.length <= 2 ** 32);
				rig.equal('dma_need_sync()', dma_need_sync(dev, at), true);
				const model = there.model('m3');
				rig.equal(
					'what the device reads',
					Buffer.compare(model.fetch(at, bytes.length)!, pattern(bytes.length, 1)),
					0,
				);
				rig.equal('a write is let through', model.store(at + 100, pattern(500, 7)), true);
				dma_unmap_single(dev, at, bytes.length, DMA_BIDIRECTIONAL);
				const wanted = pattern(bytes.length, 1);
				wanted.set(pattern(500, 7), 100);
				rig.equal('what the CPU reads', Buffer.compare(bytes, wanted), 0);
			}
			for (const bytes of high) free_pages_exact(bytes, bytes.length);
			coherent(rig, there, 'm3');
			coherent(rig, there, 'm3', GFP_ATOMIC);
		},
	},
	{
		group,
		says: 'a bounced buffer keeps the address bits that the device goes by, and the pool serves again when it was full',
		blames: 'core',
		elsewhere: true,
		run(rig) {
			const there = rig.board('direct', 'swiotlb=256,force');
			const dev = there.device('m4');
			dma_set_min_align_mask(dev, PAGE_SIZE - 1);
			rig.holds(
				'dma_max_mapping_size() takes no account of the alignment',
				(dma_max_mapping_size(dev) as number) <= 0x4_0000 - PAGE_SIZE,
			);
			const all = alloc_pages_exact(3 * PAGE_SIZE, GFP_KERNEL)!;
			for (const offset of [0, 1, 100, 2048, 4095]) {
				const bytes = all.subarray(offset, offset + 5000);
				bytes.set(pattern(5000, offset));
				const at = mapSingle(rig, dev, bytes, 5000, DMA_BIDIRECTIONAL);
				rig.equal('the bits of min_align_mask', at % PAGE_SIZE, offset);
				rig.equal(
					'what the device reads',
					Buffer.compare(there.model('m4').fetch(at, 5000)!, pattern(5000, offset)),
					0,
				);
				dma_unmap_single(dev, at, 5000, DMA_BIDIRECTIONAL);
			}
			dma_set_min_align_mask(dev, 0);
			for (let round = 0; round < 2; round++) {
				const live: number[] = [];
				for (;;) {
					const at = dma_map_single(dev, all, 3 * PAGE_SIZE, DMA_TO_DEVICE);
					if (dma_mapping_error(dev, at) !== 0) break;
					for (const other of live)
						rig.holds(
							`two bounce buffers at ${shown(at)}`,
							at + 3 * PAGE_SIZE <= other || other + 3 * PAGE_SIZE <= at,
						);
					live.push(at as number);
				}
				rig.holds(
					`the pool of 512 KiB took ${live.length} buffers of 12 KiB`,
					live.length >= 36 && live.length <= 43,
				);
				for (const at of live) dma_unmap_single(dev, at, 3 * PAGE_SIZE, DMA_TO_DEVICE);
			}
			free_pages_exact(all, all.length);
		},
	},
	{
		group,
		says: 'coherent memory comes from where the device reaches, without syncs, also for those who may not sleep',
		blames: 'core',
		elsewhere: true,
		run(rig) {
			for (const [board, names] of [
				['direct', ['m3', 'm4']],
				['ranges', ['m3']],
			] as const) {
				const there = rig.board(board, POOL);
				for (const name of names) {
					coherent(rig, there, name);
					coherent(rig, there, name, GFP_ATOMIC);
				}
			}
		},
	},
	{
		group,
		says: 'coherent memory that is reserved for a device is where its allocations come from, until it is full',
		blames: 'core',
		elsewhere: true,
		run(rig) {
			const there = rig.board(reserved(), POOL);
			const dev = there.device('m3');
			rig.equal('of_reserved_mem_device_init()', of_reserved_mem_device_init(dev), 0);
			coherent(rig, there, 'm3');
			const live: [Uint8Array, number][] = [];
			for (;;) {
				const handle = new ref(0);
				const cpu = dma_alloc_coherent(dev, 0x8_0000, handle, GFP_KERNEL);
				if (cpu === null) break;
				const at = handle.value as number;
				rig.holds(
					`${shown(at)} is not in the reserved memory`,
					at >= 0x5000_0000 && at + 0x8_0000 <= 0x5040_0000,
				);
				live.push([cpu, at]);
			}
			rig.equal('how many blocks of 512 KiB fit in 4 MiB', live.length, 8);
			for (const [cpu, at] of live) dma_free_coherent(dev, 0x8_0000, cpu, at);
			coherent(rig, there, 'm3');
		},
	},
	{
		group,
		says: 'coherent memory that a device with a pool of its own gets is in that pool',
		blames: 'core',
		elsewhere: true,
		run(rig) {
			const there = rig.board(restricted(), POOL);
			for (const name of ['m3', 'm4'])
				for (const gfp of [GFP_KERNEL, GFP_ATOMIC]) coherent(rig, there, name, gfp);
		},
	},
	{
		group,
		says: 'coherent memory comes from CMA where there is some, and goes back',
		blames: 'core',
		elsewhere: true,
		run(rig) {
			const there = rig.board('direct', `${POOL} cma=16M`);
			for (let round = 0; round < 2; round++) for (const name of ['m3', 'm4']) coherent(rig, there, name);
		},
	},
	...direct.map(program),
];
