// SPDX-License-Identifier: GPL-2.0-only
// The DMA API behind the IOMMU: what one side stores before the hand-over is what the other sees after it, at any offset,
// size and direction, however it was mapped or allocated.

import { page_to_phys, phys_to_virt } from '#asm/memory.js';
import { PAGE_SIZE } from '#asm/page-def.js';
import {
	dma_alloc_attrs,
	dma_alloc_coherent,
	dma_alloc_noncontiguous,
	dma_alloc_pages,
	dma_free_attrs,
	dma_free_coherent,
	dma_free_noncontiguous,
	dma_free_pages,
	dma_get_sgtable,
	dma_map_page_attrs,
	dma_map_resource,
	dma_map_sg,
	dma_map_sgtable,
	dma_map_single,
	dma_max_mapping_size,
	dma_mmap_attrs,
	dma_mmap_noncontiguous,
	dma_mmap_pages,
	dma_opt_mapping_size,
	dma_set_coherent_mask,
	dma_set_mask,
	dma_sync_sg_for_cpu,
	dma_sync_sg_for_device,
	dma_sync_sgtable_for_cpu,
	dma_sync_sgtable_for_device,
	dma_sync_single_for_cpu,
	dma_sync_single_for_device,
	dma_sync_single_range_for_cpu,
	dma_sync_single_range_for_device,
	dma_unmap_page,
	dma_unmap_page_attrs,
	dma_unmap_resource,
	dma_unmap_sg,
	dma_unmap_sgtable,
	dma_unmap_single,
	dma_vmap_noncontiguous,
	dma_vunmap_noncontiguous,
} from '#kernel/dma/mapping.js';
import { sg_free_table, sg_next } from '#lib/scatterlist.js';
import { DMA_BIDIRECTIONAL, DMA_FROM_DEVICE, DMA_TO_DEVICE } from '#linux/dma-direction.js';
import {
	DMA_ATTR_ALLOC_SINGLE_PAGES,
	DMA_ATTR_FORCE_CONTIGUOUS,
	DMA_ATTR_NO_KERNEL_MAPPING,
	DMA_ATTR_SKIP_CPU_SYNC,
	DMA_ATTR_WRITE_COMBINE,
	DMA_BIT_MASK,
	DMA_MAPPING_ERROR,
	dma_mapping_error,
	dma_set_max_seg_size,
	dma_set_seg_boundary,
} from '#linux/dma-mapping.js';
import { ENXIO } from '#linux/errno.js';
import { GFP_ATOMIC, GFP_KERNEL } from '#linux/gfp.js';
import { virt_to_page, virt_to_phys } from '#linux/mm.js';
import { vm_area_struct } from '#linux/mm_types.js';
import { sg_table } from '#linux/scatterlist.js';
import { kfree, kmalloc } from '#linux/slab.js';
import { run_on_cpu } from '#linux/smp.js';
import { ref } from '#linux/types.js';
import { vma_user_view, zap_vma } from '#mm/memory.js';
import { alloc_pages_exact, free_pages_exact } from '#mm/page_alloc.js';
import { setType } from '#tests/drivers/iommu/rig.js';
import { mapPage, mapSingle, pattern, randomProgram, sgTable } from '../buffers.js';
import { type Case, DEFERRED_FLUSH, PASSTHROUGH } from '../case.js';
import { type Rig, shown } from '../rig.js';
import { leavesNothing } from './life.js';

const group = 'dma';

const DIRECTIONS = [DMA_TO_DEVICE, DMA_FROM_DEVICE, DMA_BIDIRECTIONAL];
const SIZES = [1, 3, 64, 100, PAGE_SIZE - 1, PAGE_SIZE, PAGE_SIZE + 1, 3 * PAGE_SIZE, 5 * PAGE_SIZE + 17];
const OFFSETS = [0, 1, 64, 100, PAGE_SIZE - 1];

/** The bytes at @dma as master @n reads them; it has to be let through. */
function fetched(rig: Rig, n: number, dma: number, size: number): Uint8Array {
	const got = rig.masters.model(rig.master(n)).fetch(dma, size);
	rig.holds(`a read of ${size} bytes at ${shown(dma)}, which are mapped, is refused`, got !== null);
	return got!;
}

function stored(rig: Rig, n: number, dma: number, bytes: Uint8Array): void {
	const ok = rig.masters.model(rig.master(n)).store(dma, bytes);
	rig.holds(`a write of ${bytes.length} bytes at ${shown(dma)}, which are mapped, is refused`, ok);
}

/** @got has to be @wanted, byte for byte. */
function same(rig: Rig, what: string, got: Uint8Array, wanted: Uint8Array): void {
	const at = wanted.findIndex((b, i) => got[i] !== b);
	if (at >= 0 || got.length !== wanted.length)
		rig.equal(
			`${what}, from byte ${at} of ${wanted.length} on`,
			[...got.slice(at, at + 8)],
			[...wanted.slice(at, at + 8)],
		);
}

/** Both ways through @dma, where @bytes are mapped in direction @dir: the device first reads, then writes. */
function through(rig: Rig, n: number, dma: number, bytes: Uint8Array, dir: number, seed: number): Uint8Array {
	const size = bytes.length;
	if (dir !== DMA_FROM_DEVICE)
		same(rig, 'what the device reads', fetched(rig, n, dma, size), pattern(size, seed));
	if (dir === DMA_TO_DEVICE) return pattern(size, seed);
	stored(rig, n, dma, pattern(size, seed + 1));
	return pattern(size, seed + 1);
}

/** Memory of @size bytes at @offset of its page, with somebody else's bytes on both sides. */
function withBuffer(rig: Rig, size: number, offset: number, use: (bytes: Uint8Array) => void): void {
	const all = alloc_pages_exact(offset + size + 64, GFP_KERNEL)!;
	all.fill(0xa5);
	use(all.subarray(offset, offset + size));
	const intact = all.every((b, i) => (i >= offset && i < offset + size) || b === 0xa5);
	rig.holds(`bytes beside a buffer of ${size} bytes at offset ${offset} have changed`, intact);
	free_pages_exact(all, all.length);
}

function vma(pages: number, pgoff = 0): vm_area_struct {
	const area = new vm_area_struct();
	area.vm_start = 0x7000_0000;
	area.vm_end = area.vm_start + pages * PAGE_SIZE;
	area.vm_pgoff = pgoff;
	return area;
}

/** Masters of @rig, as a way that DMA takes. */
const way = (rig: Rig, strict: boolean) => ({
	name: 'check',
	masters: rig.description.masters.slice(0, strict ? 3 : 1),
	strict,
});

const program = (
	says: string,
	commandLine: string,
	strict: boolean,
	steps: number,
	needs: Case['needs'] = [],
): Case => ({
	group,
	says,
	blames: 'core',
	needs,
	machine: { commandLine: `page_placement=scattered ${commandLine}`.trim() },
	run: (rig) => randomProgram(rig, way(rig, strict), rig.masters, steps),
});

export const dma: readonly Case[] = [
	{
		group,
		says: 'dma_map_single() of any size, offset and direction hands the bytes over, and no others',
		blames: 'core',
		run(rig) {
			let seed = 0;
			for (const [i, size] of SIZES.entries())
				for (const [j, offset] of OFFSETS.entries())
					withBuffer(rig, size, offset, (bytes) => {
						// Each size and each offset meets every direction.
						const dir = DIRECTIONS[(i + j) % DIRECTIONS.length];
						const n = seed++ % rig.count;
						const dev = rig.device(n);
						bytes.set(pattern(size, seed));
						const at = mapSingle(rig, dev, bytes, size, dir);
						const wanted = through(rig, n, at, bytes, dir, seed);
						dma_unmap_single(dev, at, size, dir);
						same(rig, 'what the CPU reads', bytes, wanted);
					});
		},
	},
	{
		group,
		says: 'dma_map_page() keeps the offset in the page, and what is unmapped is out of reach',
		blames: 'core',
		run(rig) {
			const dev = rig.device(0);
			for (const size of [PAGE_SIZE / 2, PAGE_SIZE, 3 * PAGE_SIZE])
				for (const offset of [0, 128, PAGE_SIZE - 64])
					withBuffer(rig, size, offset, (bytes) => {
						const at = mapPage(rig, dev, bytes, size, DMA_BIDIRECTIONAL);
						rig.equal('the offset in the page', at % PAGE_SIZE, offset);
						rig.access(0, at, true, true);
						rig.access(0, at + size - 4, true, true);
						dma_unmap_page(dev, at, size, DMA_BIDIRECTIONAL);
						rig.clean('dma_unmap_page()');
						rig.access(0, at, true, false);
						rig.access(0, at + size - 4, false, false);
					});
		},
	},
	{
		group,
		says: 'syncs hand a buffer over and back again, whole and in parts, in every direction',
		blames: 'core',
		run(rig) {
			const dev = rig.device(0);
			for (const size of [48, PAGE_SIZE, 2 * PAGE_SIZE + 256])
				for (const dir of DIRECTIONS)
					withBuffer(rig, size, 0, (bytes) => {
						bytes.set(pattern(size, 1));
						const at = mapSingle(rig, dev, bytes, size, dir);
						for (let round = 1; round < 4; round++) {
							const wanted = through(rig, 0, at, bytes, dir, round);
							dma_sync_single_for_cpu(dev, at, size, dir);
							same(rig, 'what the CPU reads after the sync', bytes, wanted);
							if (dir !== DMA_FROM_DEVICE) bytes.set(pattern(size, round + 1));
							dma_sync_single_for_device(dev, at, size, dir);
						}
						// A part in the middle, in whole lines.
						if (size > PAGE_SIZE && dir !== DMA_TO_DEVICE) {
							stored(rig, 0, at + 256, pattern(512, 9));
							dma_sync_single_range_for_cpu(dev, at, 256, 512, dir);
							same(rig, 'a part that the device wrote', bytes.subarray(256, 768), pattern(512, 9));
							dma_sync_single_range_for_device(dev, at, 256, 512, dir);
						}
						dma_unmap_single(dev, at, size, dir);
					});
		},
	},
	{
		group,
		says: 'a mapping without a sync is handed over by the syncs that follow',
		blames: 'core',
		run(rig) {
			const dev = rig.device(0);
			withBuffer(rig, PAGE_SIZE, 0, (bytes) => {
				const attrs = DMA_ATTR_SKIP_CPU_SYNC;
				bytes.set(pattern(PAGE_SIZE, 1));
				const at = dma_map_page_attrs(dev, virt_to_page(bytes), 0, PAGE_SIZE, DMA_BIDIRECTIONAL, attrs);
				rig.equal('dma_mapping_error()', dma_mapping_error(dev, at), 0);
				dma_sync_single_for_device(dev, at, PAGE_SIZE, DMA_BIDIRECTIONAL);
				const wanted = through(rig, 0, at as number, bytes, DMA_BIDIRECTIONAL, 1);
				dma_sync_single_for_cpu(dev, at, PAGE_SIZE, DMA_BIDIRECTIONAL);
				same(rig, 'what the CPU reads', bytes, wanted);
				dma_unmap_page_attrs(dev, at, PAGE_SIZE, DMA_BIDIRECTIONAL, attrs);
			});
		},
	},
	{
		group,
		says: 'a list is mapped, synced and unmapped entry by entry, each with all its bytes',
		blames: 'core',
		run(rig) {
			const dev = rig.device(0);
			dma_set_max_seg_size(dev, 3 * PAGE_SIZE);
			const shapes: readonly (readonly [size: number, offset: number])[][] = [
				[[PAGE_SIZE, 0]],
				[
					[PAGE_SIZE, 0],
					[2 * PAGE_SIZE, 0],
					[PAGE_SIZE, 0],
				],
				[
					[100, 60],
					[PAGE_SIZE - 60, 60],
					[PAGE_SIZE, 0],
					[50, 0],
				],
				[
					[PAGE_SIZE / 2, PAGE_SIZE / 2],
					[PAGE_SIZE, 0],
					[PAGE_SIZE / 2, 0],
				],
				[
					[24, 16],
					[PAGE_SIZE, 0],
				],
			];
			for (const shape of shapes)
				for (const dir of DIRECTIONS) {
					const alls = shape.map(([size, offset]) => alloc_pages_exact(size + offset, GFP_KERNEL)!);
					const pieces = alls.map((all, i) => all.subarray(shape[i][1], shape[i][1] + shape[i][0]));
					for (const [i, piece] of pieces.entries()) piece.set(pattern(piece.length, i));
					const table = sgTable(pieces);
					const mapped = dma_map_sg(dev, table.sgl!, pieces.length, dir);
					rig.holds('dma_map_sg() failed', mapped > 0);
					const all = Buffer.concat(pieces.map((piece, i) => pattern(piece.length, i)));
					const ranges: [number, number][] = [];
					let sg = table.sgl;
					for (let i = 0; i < mapped; i++, sg = sg_next(sg!))
						ranges.push([sg!.dma_address as number, sg!.dma_length]);
					rig.equal(
						'bytes in the segments',
						ranges.reduce((sum, [, length]) => sum + length, 0),
						all.length,
					);
					for (const [, length] of ranges)
						rig.holds('a segment is longer than the device takes', length <= 3 * PAGE_SIZE);
					if (dir !== DMA_FROM_DEVICE)
						same(
							rig,
							'what the device reads',
							Buffer.concat(ranges.map(([at, length]) => fetched(rig, 0, at, length))),
							all,
						);
					const written = pattern(all.length, 77);
					if (dir !== DMA_TO_DEVICE) {
						let at = 0;
						for (const [dma, length] of ranges) {
							stored(rig, 0, dma, written.subarray(at, at + length));
							at += length;
						}
						dma_sync_sg_for_cpu(dev, table.sgl!, pieces.length, dir);
						same(rig, 'what the CPU reads after the sync', Buffer.concat(pieces), written);
						dma_sync_sg_for_device(dev, table.sgl!, pieces.length, dir);
					}
					dma_unmap_sg(dev, table.sgl!, pieces.length, dir);
					if (dir !== DMA_TO_DEVICE) same(rig, 'what the CPU reads', Buffer.concat(pieces), written);
					for (const [dma] of ranges) rig.access(0, dma, false, false);
					sg_free_table(table);
					for (const a of alls) free_pages_exact(a, a.length);
				}
		},
	},
	{
		group,
		says: 'segments keep to the boundary and the length that the device has',
		blames: 'core',
		run(rig) {
			const dev = rig.device(0);
			for (const [most, boundary] of [
				[2 * PAGE_SIZE, 0xffff_ffff],
				[0x1_0000, 4 * PAGE_SIZE - 1],
				[3 * PAGE_SIZE, 4 * PAGE_SIZE - 1],
			]) {
				dma_set_max_seg_size(dev, most);
				dma_set_seg_boundary(dev, boundary);
				const pieces = [3, 2, 1, 3, 1].map(
					(pages) => alloc_pages_exact(Math.min(pages * PAGE_SIZE, most), GFP_KERNEL)!,
				);
				const table = sgTable(pieces);
				rig.equal('dma_map_sgtable()', dma_map_sgtable(dev, table, DMA_BIDIRECTIONAL, 0), 0);
				let sg = table.sgl;
				for (let i = 0; i < table.nents; i++, sg = sg_next(sg!)) {
					const [first, length] = [sg!.dma_address as number, sg!.dma_length];
					rig.holds(`a segment of ${length} bytes, the device takes ${most}`, length <= most);
					const unit = boundary + 1;
					rig.equal(
						`the segment ${shown(first)}+${shown(length)} ends where it begins, in units of ${shown(unit)}`,
						Math.floor((first + length - 1) / unit),
						Math.floor(first / unit),
					);
					rig.access(0, first + length - 4, true, true);
				}
				dma_sync_sgtable_for_cpu(dev, table, DMA_BIDIRECTIONAL);
				dma_sync_sgtable_for_device(dev, table, DMA_BIDIRECTIONAL);
				dma_unmap_sgtable(dev, table, DMA_BIDIRECTIONAL, 0);
				sg_free_table(table);
				for (const piece of pieces) free_pages_exact(piece, piece.length);
			}
		},
	},
	{
		group,
		says: 'a buffer that may share a cache line is bounced, and what is beside it stays',
		blames: 'core',
		run(rig) {
			const dev = rig.device(0);
			for (const size of [1, 8, 16, 24, 40, 96])
				for (const dir of DIRECTIONS) {
					// Objects that stand side by side.
					const objects = Array.from({ length: 5 }, () => kmalloc(size, GFP_KERNEL)!);
					for (const object of objects) object.fill(0x5a);
					const bytes = objects[2].subarray(0, size);
					bytes.set(pattern(size, size));
					const at = mapSingle(rig, dev, bytes, size, dir);
					// The CPU owns the others all the while.
					for (const object of objects) if (object !== objects[2]) object.fill(0x66);
					const wanted = through(rig, 0, at, bytes, dir, size);
					dma_unmap_single(dev, at, size, dir);
					same(rig, 'what the CPU reads', bytes, wanted);
					for (const object of objects) {
						if (object !== objects[2])
							rig.holds(
								'an object beside it has changed',
								object.every((x) => x === 0x66),
							);
						kfree(object);
					}
				}
		},
	},
	{
		group,
		says: 'a device that writes a part of a bounced buffer leaves the rest as it was',
		blames: 'core',
		run(rig) {
			const dev = rig.device(0);
			const bytes = kmalloc(40, GFP_KERNEL)!.subarray(0, 40);
			bytes.set(pattern(40, 3));
			const at = mapSingle(rig, dev, bytes, 40, DMA_FROM_DEVICE);
			stored(rig, 0, at + 8, pattern(8, 9));
			dma_unmap_single(dev, at, 40, DMA_FROM_DEVICE);
			const wanted = pattern(40, 3);
			wanted.set(pattern(8, 9), 8);
			same(rig, 'what the CPU reads', bytes, wanted);
			kfree(bytes);
		},
	},
	...[
		['in scattered pages', 0, GFP_KERNEL],
		['in single pages', DMA_ATTR_ALLOC_SINGLE_PAGES, GFP_KERNEL],
		['in one block', DMA_ATTR_FORCE_CONTIGUOUS, GFP_KERNEL],
		['for write combining', DMA_ATTR_WRITE_COMBINE, GFP_KERNEL],
		['for those who may not sleep', 0, GFP_ATOMIC],
	].map(
		([what, attrs, gfp]): Case => ({
			group,
			says: `coherent memory ${what} is zero, shared without syncs, and gone when it is freed`,
			blames: 'core',
			run(rig) {
				const dev = rig.device(0);
				for (const size of [16, PAGE_SIZE, 3 * PAGE_SIZE, 9 * PAGE_SIZE + 5]) {
					const handle = new ref(0);
					const cpu = dma_alloc_attrs(dev, size, handle, gfp as number, attrs as number);
					rig.holds(`dma_alloc_attrs() of ${size} bytes failed`, cpu !== null);
					const bytes = cpu!.subarray(0, size);
					rig.holds(
						'coherent memory is not zero',
						bytes.every((b) => b === 0),
					);
					const at = handle.value as number;
					bytes.set(pattern(size, 5));
					same(rig, 'what the device reads', fetched(rig, 0, at, size), pattern(size, 5));
					stored(rig, 0, at, pattern(size, 6));
					same(rig, 'what the CPU reads', bytes, pattern(size, 6));
					rig.access(0, at - PAGE_SIZE, false, false);
					dma_free_attrs(dev, size, cpu!, at, attrs as number);
					rig.clean('dma_free_attrs()');
					rig.access(0, at, true, false);
				}
			},
		}),
	),
	{
		group,
		says: 'coherent memory that the CPU does not map is the device’s alone',
		blames: 'core',
		run(rig) {
			const dev = rig.device(0);
			const attrs = DMA_ATTR_NO_KERNEL_MAPPING;
			const handle = new ref(0);
			const cpu = dma_alloc_attrs(dev, 3 * PAGE_SIZE, handle, GFP_KERNEL, attrs);
			rig.holds('dma_alloc_attrs() failed', cpu !== null);
			rig.access(0, handle.value as number, true, true);
			dma_free_attrs(dev, 3 * PAGE_SIZE, cpu!, handle.value, attrs);
			rig.access(0, handle.value as number, false, false);
		},
	},
	{
		group,
		says: 'memory of several pieces is one range for the device, for the CPU and for a program',
		blames: 'core',
		run(rig) {
			const dev = rig.device(0);
			const size = 6 * PAGE_SIZE;
			dma_set_max_seg_size(dev, size);
			const sgt = dma_alloc_noncontiguous(dev, size, DMA_BIDIRECTIONAL, GFP_KERNEL, 0);
			rig.holds('dma_alloc_noncontiguous() failed', sgt !== null);
			const at = sgt!.sgl!.dma_address as number;
			const cpu = dma_vmap_noncontiguous(dev, size, sgt!)!;
			cpu.set(pattern(size, 1));
			dma_sync_sgtable_for_device(dev, sgt!, DMA_BIDIRECTIONAL);
			same(rig, 'what the device reads', fetched(rig, 0, at, size), pattern(size, 1));
			stored(rig, 0, at, pattern(size, 2));
			dma_sync_sgtable_for_cpu(dev, sgt!, DMA_BIDIRECTIONAL);
			same(rig, 'what the CPU reads', cpu, pattern(size, 2));
			dma_vunmap_noncontiguous(dev, cpu);
			const area = vma(2, 3);
			rig.equal('dma_mmap_noncontiguous()', dma_mmap_noncontiguous(dev, area, size, sgt!), 0);
			zap_vma(area);
			rig.equal(
				'dma_mmap_noncontiguous() beyond the end',
				dma_mmap_noncontiguous(dev, vma(4, 3), size, sgt!),
				-ENXIO,
			);
			dma_free_noncontiguous(dev, size, sgt!, DMA_BIDIRECTIONAL);
			rig.access(0, at, false, false);
		},
	},
	{
		group,
		says: 'a program that maps coherent memory sees what the device sees, and no page beyond the buffer',
		blames: 'core',
		run(rig) {
			const dev = rig.device(0);
			for (const attrs of [0, DMA_ATTR_FORCE_CONTIGUOUS]) {
				const size = 5 * PAGE_SIZE;
				const handle = new ref(0);
				const cpu = dma_alloc_attrs(dev, size, handle, GFP_KERNEL, attrs)!;
				const at = handle.value as number;
				const area = vma(3, 1);
				rig.equal('dma_mmap_attrs()', dma_mmap_attrs(dev, area, cpu, at, size, attrs), 0);
				const user = vma_user_view(area);
				if (user !== null) {
					stored(rig, 0, at + PAGE_SIZE, pattern(64, 4));
					same(rig, 'what the program reads', user.subarray(0, 64), pattern(64, 4));
					user.set(pattern(64, 8), PAGE_SIZE);
					same(rig, 'what the device reads', fetched(rig, 0, at + 2 * PAGE_SIZE, 64), pattern(64, 8));
				}
				zap_vma(area);
				for (const [pages, pgoff] of [
					[6, 0],
					[1, 5],
					[2, 4],
				])
					rig.equal(
						`dma_mmap_attrs() of ${pages} pages from page ${pgoff} on, of 5`,
						dma_mmap_attrs(dev, vma(pages, pgoff), cpu, at, size, attrs),
						-ENXIO,
					);
				dma_free_attrs(dev, size, cpu, at, attrs);
			}
		},
	},
	{
		group,
		says: 'the pages of a coherent buffer can be shared, as a list, with another device',
		blames: 'core',
		run(rig) {
			const dev = rig.device(0);
			for (const attrs of [0, DMA_ATTR_FORCE_CONTIGUOUS]) {
				const size = 4 * PAGE_SIZE;
				const handle = new ref(0);
				const cpu = dma_alloc_attrs(dev, size, handle, GFP_KERNEL, attrs)!;
				const table = new sg_table();
				rig.equal('dma_get_sgtable()', dma_get_sgtable(dev, table, cpu, handle.value, size), 0);
				const other = rig.device(1);
				cpu.subarray(0, size).set(pattern(size, 2));
				rig.equal(
					'dma_map_sgtable()',
					dma_map_sgtable(other, table, DMA_BIDIRECTIONAL, DMA_ATTR_SKIP_CPU_SYNC),
					0,
				);
				const got: Uint8Array[] = [];
				let sg = table.sgl;
				for (let i = 0; i < table.nents; i++, sg = sg_next(sg!))
					got.push(fetched(rig, 1, sg!.dma_address as number, sg!.dma_length));
				same(rig, 'what the other device reads', Buffer.concat(got), pattern(size, 2));
				dma_unmap_sgtable(other, table, DMA_BIDIRECTIONAL, DMA_ATTR_SKIP_CPU_SYNC);
				sg_free_table(table);
				dma_free_attrs(dev, size, cpu, handle.value, attrs);
			}
		},
	},
	{
		group,
		says: 'pages for streaming are mapped when they come, and a program may see them',
		blames: 'core',
		run(rig) {
			const dev = rig.device(0);
			const size = 4 * PAGE_SIZE;
			const handle = new ref(0);
			const first = dma_alloc_pages(dev, size, handle, DMA_BIDIRECTIONAL, GFP_KERNEL);
			rig.holds('dma_alloc_pages() failed', first !== null);
			const at = handle.value as number;
			const cpu = phys_to_virt(page_to_phys(first!), size);
			rig.holds(
				'the pages are not zero',
				cpu.every((b) => b === 0),
			);
			cpu.set(pattern(size, 3));
			dma_sync_single_for_device(dev, at, size, DMA_BIDIRECTIONAL);
			const wanted = through(rig, 0, at, cpu, DMA_BIDIRECTIONAL, 3);
			dma_sync_single_for_cpu(dev, at, size, DMA_BIDIRECTIONAL);
			same(rig, 'what the CPU reads', cpu, wanted);
			const area = vma(2, 2);
			rig.equal('dma_mmap_pages()', dma_mmap_pages(dev, area, size, first!), 0);
			zap_vma(area);
			rig.equal('dma_mmap_pages() beyond the end', dma_mmap_pages(dev, vma(2, 3), size, first!), -ENXIO);
			dma_free_pages(dev, size, first!, at, DMA_BIDIRECTIONAL);
			rig.access(0, at, false, false);
		},
	},
	{
		group,
		says: 'a resource, which is no memory, is mapped to where it is, and unmapped',
		blames: 'core',
		run(rig) {
			const dev = rig.device(0);
			const domain = rig.current()!;
			for (const [phys, size] of [
				[0x300_1000, 16],
				[0x300_1ff8, 64],
			]) {
				const at = dma_map_resource(dev, phys, size, DMA_BIDIRECTIONAL, 0);
				rig.equal('dma_mapping_error()', dma_mapping_error(dev, at), 0);
				rig.leads(domain, at as number, phys);
				rig.leads(domain, (at as number) + size - 1, phys + size - 1);
				dma_unmap_resource(dev, at, size, DMA_BIDIRECTIONAL, 0);
				rig.leads(domain, at as number, -1);
			}
			const beyond = dma_map_resource(dev, 2 ** rig.description.outputBits, PAGE_SIZE, DMA_BIDIRECTIONAL, 0);
			rig.equal(
				'dma_map_resource() beyond what a word can hold',
				beyond as number,
				DMA_MAPPING_ERROR as number,
			);
			dma_mapping_error(dev, beyond);
		},
	},
	{
		group,
		says: 'addresses keep to the masks of the device',
		blames: 'core',
		run(rig) {
			const dev = rig.device(0);
			for (const bits of [32, 30, 26]) {
				rig.equal('dma_set_mask()', dma_set_mask(dev, DMA_BIT_MASK(bits)), 0);
				rig.equal('dma_set_coherent_mask()', dma_set_coherent_mask(dev, DMA_BIT_MASK(bits)), 0);
				const handle = new ref(0);
				const cpu = dma_alloc_coherent(dev, PAGE_SIZE, handle, GFP_KERNEL)!;
				rig.holds(
					`a coherent address ${shown(handle.value)} above ${bits} bits`,
					(handle.value as number) < 2 ** bits,
				);
				withBuffer(rig, 2 * PAGE_SIZE, 0, (bytes) => {
					const at = mapSingle(rig, dev, bytes, bytes.length, DMA_TO_DEVICE);
					rig.holds(`an address ${shown(at)} above ${bits} bits`, at + bytes.length <= 2 ** bits);
					fetched(rig, 0, at, bytes.length);
					dma_unmap_single(dev, at, bytes.length, DMA_TO_DEVICE);
				});
				dma_free_coherent(dev, PAGE_SIZE, cpu, handle.value);
			}
		},
	},
	{
		group,
		says: 'a space that is full fails the next mapping, and serves again when something is unmapped',
		blames: 'core',
		run(rig) {
			const dev = rig.device(0);
			// 512 KiB of addresses, without the first page.
			rig.equal('dma_set_mask()', dma_set_mask(dev, DMA_BIT_MASK(19)), 0);
			withBuffer(rig, PAGE_SIZE, 0, (bytes) => {
				const live: number[] = [];
				const map = (): number => {
					const at = dma_map_single(dev, bytes, PAGE_SIZE, DMA_TO_DEVICE);
					return dma_mapping_error(dev, at) === 0 ? (at as number) : -1;
				};
				for (let at = map(); at !== -1; at = map()) live.push(at);
				rig.equal('different addresses', new Set(live).size, live.length);
				rig.equal('how many pages fit', live.length, 2 ** 19 / PAGE_SIZE - 1);
				for (const at of live.slice(0, 3)) fetched(rig, 0, at, PAGE_SIZE);
				for (const at of live.splice(10, 20)) dma_unmap_single(dev, at, PAGE_SIZE, DMA_TO_DEVICE);
				for (let i = 0; i < 20; i++) {
					const at = map();
					rig.holds('a mapping fails although addresses were given back', at !== -1);
					fetched(rig, 0, at, PAGE_SIZE);
					live.push(at);
				}
				for (const at of live) dma_unmap_single(dev, at, PAGE_SIZE, DMA_TO_DEVICE);
			});
			dma_set_mask(dev, DMA_BIT_MASK(32));
		},
	},
	{
		group,
		says: 'many live mappings, of two CPUs, never overlap, and each leads to its own memory',
		blames: 'core',
		machine: { nrCpus: 2 },
		run(rig) {
			const dev = rig.device(0);
			const domain = rig.current()!;
			const live: { at: number; bytes: Uint8Array }[] = [];
			for (let step = 0; step < 140; step++) {
				const work = (): void => {
					if (live.length > 0 && rig.random() < 0.45) {
						const [{ at, bytes }] = live.splice(rig.pick(live.length), 1);
						dma_unmap_single(dev, at, bytes.length, DMA_TO_DEVICE);
						rig.leads(domain, at, -1);
						free_pages_exact(bytes, bytes.length);
						return;
					}
					const size = PAGE_SIZE * (rig.random() < 0.1 ? 33 + rig.pick(30) : 1 + rig.pick(9));
					const bytes = alloc_pages_exact(size, GFP_KERNEL)!;
					const at = mapSingle(rig, dev, bytes, size, DMA_TO_DEVICE);
					for (const other of live)
						rig.holds(
							`${shown(at)}+${shown(size)} overlaps ${shown(other.at)}+${shown(other.bytes.length)}, which is mapped`,
							at + size <= other.at || other.at + other.bytes.length <= at,
						);
					live.push({ at, bytes });
				};
				run_on_cpu(step % 2, work);
				const one = live[rig.pick(live.length)];
				if (one !== undefined) {
					rig.leads(domain, one.at, virt_to_phys(one.bytes) as number);
					rig.leads(
						domain,
						one.at + one.bytes.length - 1,
						(virt_to_phys(one.bytes) as number) + one.bytes.length - 1,
					);
				}
			}
			for (const { at, bytes } of live) {
				dma_unmap_single(dev, at, bytes.length, DMA_TO_DEVICE);
				free_pages_exact(bytes, bytes.length);
			}
		},
	},
	{
		group,
		says: 'mapping and unmapping, again and again, leaves nothing behind',
		blames: 'core',
		run(rig) {
			const dev = rig.device(0);
			leavesNothing(rig, 'mapping and unmapping', () => {
				for (const size of [24, PAGE_SIZE, 9 * PAGE_SIZE])
					withBuffer(rig, size, 0, (bytes) => {
						const at = mapSingle(rig, dev, bytes, size, DMA_FROM_DEVICE);
						dma_unmap_single(dev, at, size, DMA_FROM_DEVICE);
					});
				const handle = new ref(0);
				for (const attrs of [0, DMA_ATTR_FORCE_CONTIGUOUS]) {
					const cpu = dma_alloc_attrs(dev, 5 * PAGE_SIZE, handle, GFP_KERNEL, attrs)!;
					dma_free_attrs(dev, 5 * PAGE_SIZE, cpu, handle.value, attrs);
				}
				const cpu = dma_alloc_attrs(dev, 100, handle, GFP_ATOMIC, 0)!;
				dma_free_attrs(dev, 100, cpu, handle.value, 0);
			});
		},
	},
	{
		group,
		says: 'limits of one mapping are told',
		blames: 'core',
		run(rig) {
			rig.equal('dma_opt_mapping_size()', dma_opt_mapping_size(rig.device(0)), 32 * PAGE_SIZE);
			rig.holds('dma_max_mapping_size() is no size', dma_max_mapping_size(rig.device(0)) >= 32 * PAGE_SIZE);
		},
	},
	program('any program of mappings keeps both sides’ bytes', '', true, 45),
	program(
		'any program of mappings keeps both sides’ bytes, with deferred flushes',
		'iommu.strict=0',
		false,
		40,
		[DEFERRED_FLUSH],
	),
	program(
		'any program of mappings keeps both sides’ bytes, passed through',
		'iommu.passthrough=1',
		false,
		30,
		[PASSTHROUGH],
	),
	program(
		'any program of mappings keeps both sides’ bytes, with iommu.forcedac=1',
		'iommu.forcedac=1',
		true,
		20,
	),
	{
		group,
		says: 'a queue of deferred flushes that is switched on hands no address out before it is flushed',
		blames: 'core',
		machine: { nrCpus: 2 },
		run(rig) {
			const dev = rig.device(0);
			// A driver that has no such op invalidates at once: nothing is deferred.
			if (rig.current()!.ops!.flush_iotlb_all === undefined) return;
			rig.equal('writing "DMA-FQ" to the type', setType(dev, 'DMA-FQ'), 0);
			withBuffer(rig, PAGE_SIZE, 0, (bytes) => {
				for (let round = 0; round < 2; round++) {
					const used = new Set<number>();
					// Fewer than the queues of two CPUs hold, and more than that of one.
					const [most, cpus] = round === 0 ? [60, 2] : [270, 1];
					for (let i = 0; i < most; i++)
						run_on_cpu(i % cpus, () => {
							const at = mapSingle(rig, dev, bytes, PAGE_SIZE, DMA_BIDIRECTIONAL);
							if (round === 0)
								rig.holds(`the address ${shown(at)} is handed out again before the flush`, !used.has(at));
							used.add(at);
							if (i % 16 === 0) rig.access(0, at, true, true);
							dma_unmap_single(dev, at, PAGE_SIZE, DMA_BIDIRECTIONAL);
						});
					rig.machine.advance(30_000_000);
					rig.clean('the flush queue');
					for (const at of [...used].slice(0, 8)) rig.access(0, at, false, false);
				}
			});
		},
	},
];
