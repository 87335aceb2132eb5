// SPDX-License-Identifier: GPL-2.0-only
// Buffers of the DMA API as a driver allocates them and shows them to a program.
import { PAGE_SIZE as PAGE } from '#asm/page-def.js';
import {
	dma_alloc_attrs,
	dma_alloc_noncontiguous,
	dma_alloc_pages,
	dma_free_attrs,
	dma_free_noncontiguous,
	dma_free_pages,
	dma_mmap_attrs,
	dma_mmap_coherent,
	dma_mmap_noncontiguous,
	dma_mmap_pages,
	dma_mmap_wc,
	dma_sync_sgtable_for_cpu,
	dma_sync_sgtable_for_device,
	dma_sync_single_for_cpu,
	dma_sync_single_for_device,
} from '#kernel/dma/mapping.js';
import type { device } from '#linux/device.js';
import { DMA_BIDIRECTIONAL } from '#linux/dma-direction.js';
import { DMA_ATTR_WRITE_COMBINE } from '#linux/dma-mapping.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import type { vm_area_struct } from '#linux/mm_types.js';
import { sg_dma_address, type sg_table } from '#linux/scatterlist.js';
import { type dma_addr_t, ref } from '#linux/types.js';

/** Pages of each buffer, and bytes, which are no whole pages. */
export const COUNT = 3;
export const SIZE = COUNT * PAGE - 100;

/** A buffer, and how a driver shows it. */
export interface Shown {
	readonly dma: number;
	mmap(vma: vm_area_struct): number;
	free(): void;
	/** Of streaming memory. */
	readonly sgt?: sg_table;
}

/** Streaming memory @shown of @dev: what the program stored is for the device from here on. */
export function syncForDevice(dev: device, shown: Shown): void {
	if (shown.sgt !== undefined) dma_sync_sgtable_for_device(dev, shown.sgt, DMA_BIDIRECTIONAL);
	else dma_sync_single_for_device(dev, shown.dma, SIZE, DMA_BIDIRECTIONAL);
}

/** The other way round. */
export function syncForCpu(dev: device, shown: Shown): void {
	if (shown.sgt !== undefined) dma_sync_sgtable_for_cpu(dev, shown.sgt, DMA_BIDIRECTIONAL);
	else dma_sync_single_for_cpu(dev, shown.dma, SIZE, DMA_BIDIRECTIONAL);
}

/** dma_alloc_attrs(), shown by the function that fits @attrs. */
export function alloc(attrs = 0, gfp = GFP_KERNEL): (dev: device) => Shown {
	return (dev) => {
		const dma = new ref<dma_addr_t>(0);
		const cpu = dma_alloc_attrs(dev, SIZE, dma, gfp, attrs)!;
		return {
			dma: dma.value as number,
			mmap: (vma) => {
				if (attrs === 0) return dma_mmap_coherent(dev, vma, cpu, dma.value, SIZE);
				if (attrs === DMA_ATTR_WRITE_COMBINE) return dma_mmap_wc(dev, vma, cpu, dma.value, SIZE);
				return dma_mmap_attrs(dev, vma, cpu, dma.value, SIZE, attrs);
			},
			free: () => dma_free_attrs(dev, SIZE, cpu, dma.value, attrs),
		};
	};
}

/** dma_alloc_noncontiguous() */
export function pieces(dev: device): Shown {
	const sgt = dma_alloc_noncontiguous(dev, SIZE, DMA_BIDIRECTIONAL, GFP_KERNEL, 0)!;
	return {
		dma: sg_dma_address(sgt.sgl!) as number,
		sgt,
		mmap: (vma) => dma_mmap_noncontiguous(dev, vma, SIZE, sgt),
		free: () => dma_free_noncontiguous(dev, SIZE, sgt, DMA_BIDIRECTIONAL),
	};
}

/** dma_alloc_pages() */
export function pages(dev: device): Shown {
	const dma = new ref<dma_addr_t>(0);
	const page = dma_alloc_pages(dev, SIZE, dma, DMA_BIDIRECTIONAL, GFP_KERNEL)!;
	return {
		dma: dma.value as number,
		mmap: (vma) => dma_mmap_pages(dev, vma, SIZE, page),
		free: () => dma_free_pages(dev, SIZE, page, dma.value, DMA_BIDIRECTIONAL),
	};
}
