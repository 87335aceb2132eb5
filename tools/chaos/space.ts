// SPDX-License-Identifier: GPL-2.0-only
// A client of the IOMMU API that does everything right: an address space of its own, attached or not.

import { arch_sync_dma_for_device } from '#arch/arm64/mm/dma-mapping.js';
import { page_to_phys, phys_to_page } from '#asm/memory.js';
import { iommu_domain_free, iommu_iova_to_phys, iommu_map, iommu_unmap } from '#drivers/iommu/iommu.js';
import { hex } from '#hw/core/register-file.js';
import type { TestMaster } from '#hw/misc/test-master.js';
import { DMA_TO_DEVICE } from '#linux/dma-direction.js';
import { __GFP_ZERO, GFP_DMA32, GFP_KERNEL } from '#linux/gfp.js';
import { IOMMU_READ, IOMMU_WRITE, type iommu_domain } from '#linux/iommu.js';
import { __free_pages, alloc_pages } from '#mm/page_alloc.js';
import type { Draw } from '#watch/chaos.js';
import { below, oneOf, type Shared } from './transfer.js';

const RIGHTS = [IOMMU_READ, IOMMU_READ | IOMMU_WRITE, IOMMU_READ | IOMMU_WRITE, IOMMU_WRITE];
/** Addresses are taken near so many borders between tables, so that they meet. */
const BORDERS = 2;
const MAX_ORDER = 3;

/** What a space has to know of its IOMMU. */
export interface Layout {
	readonly pageSizes: readonly number[];
	readonly tableCovers: number;
}

/** A range that is mapped. */
export interface Region extends Shared {
	readonly iova: number;
	readonly size: number;
	readonly phys: number;
	readonly prot: number;
}

/** Pages that regions show. */
interface Block {
	readonly phys: number;
	readonly order: number;
	regions: number;
}

export class Space {
	readonly regions: Region[] = [];
	readonly #blocks: Block[] = [];
	/** Ranges that a call is at work on: another CPU leaves them alone. */
	readonly #busy: { readonly iova: number; readonly size: number }[] = [];

	constructor(
		readonly domain: iommu_domain,
		readonly layout: Layout,
		readonly masters: readonly TestMaster[],
	) {}

	/** Map something new: what was mapped; null: there was no place. */
	map(draw: Draw): string | null {
		const { pageSizes, tableCovers } = this.layout;
		const page = pageSizes[0];
		const order = below(draw, MAX_ORDER + 1);
		const size = page * 2 ** order;
		const border = tableCovers * (1 + below(draw, BORDERS));
		const iova = border + page * (below(draw, 24) - 12);
		const taken = [...this.regions, ...this.#busy];
		if (taken.some((r) => r.iova < iova + size && iova < r.iova + r.size)) return null;
		const busy = { iova, size };
		this.#busy.push(busy);
		const block = alloc_pages(GFP_KERNEL | GFP_DMA32 | __GFP_ZERO, order);
		if (block === null) throw new Error('no memory');
		const phys = page_to_phys(block) as number;
		arch_sync_dma_for_device(phys, size, DMA_TO_DEVICE);
		const prot = oneOf(draw, RIGHTS);
		const ret = iommu_map(this.domain, iova, phys, size, prot, GFP_KERNEL);
		if (ret !== 0) throw new Error(`iommu_map(${hex(iova, 8)}+${hex(size)}) answers ${ret}`);
		const owner: Block = { phys, order, regions: 0 };
		this.#blocks.push(owner);
		this.#busy.splice(this.#busy.indexOf(busy), 1);
		this.#add(iova, size, phys, prot, new Uint8Array(size), owner);
		return `${hex(iova, 8)}+${hex(size)} to ${hex(phys, 8)}, prot ${prot}`;
	}

	/** Unmap a region, or an end of it: which; null: there is none. @before: the masters have to be done with it. */
	unmap(draw: Draw, before: (region: Region) => void): string | null {
		if (this.regions.length === 0) return null;
		const page = this.layout.pageSizes[0];
		const [region] = this.regions.splice(below(draw, this.regions.length), 1);
		before(region);
		const pages = region.size / page;
		const part = pages > 1 && draw() < 0.4 ? page * (1 + below(draw, pages - 1)) : region.size;
		const last = draw() < 0.5;
		const iova = last ? region.iova + region.size - part : region.iova;
		const block = this.#blockOf(region.phys);
		const busy = { iova, size: part };
		this.#busy.push(busy);
		if (part < region.size) {
			const rest = region.size - part;
			const at = last ? 0 : part;
			const data = region.data.slice(at, at + rest);
			this.#add(region.iova + at, rest, region.phys + at, region.prot, data, block);
		}
		const done = iommu_unmap(this.domain, iova, part) as number;
		if (done !== part) throw new Error(`iommu_unmap(${hex(iova, 8)}+${hex(part)}) answers ${hex(done)}`);
		for (const at of [iova, iova + part - 1]) {
			const to = iommu_iova_to_phys(this.domain, at) as number;
			if (to !== 0) throw new Error(`${hex(at, 8)} is unmapped, and leads to ${hex(to, 8)}`);
		}
		this.#busy.splice(this.#busy.indexOf(busy), 1);
		if (part === region.size && --block.regions === 0) this.#free(block);
		return `${hex(iova, 8)}+${hex(part)}`;
	}

	/** Unmap all, and free the domain, which is attached nowhere. */
	end(draw: Draw, before: (region: Region) => void): void {
		while (this.regions.length > 0) this.unmap(draw, before);
		iommu_domain_free(this.domain);
	}

	#add(iova: number, size: number, phys: number, prot: number, data: Uint8Array, block: Block): void {
		block.regions++;
		this.regions.push({
			iova,
			size,
			phys,
			prot,
			data,
			masters: this.masters,
			segments: [{ addr: iova, size }],
			reads: (prot & IOMMU_READ) !== 0,
			writes: (prot & IOMMU_WRITE) !== 0,
		});
	}

	#blockOf(phys: number): Block {
		const size = (order: number): number => this.layout.pageSizes[0] * 2 ** order;
		return this.#blocks.find((b) => phys >= b.phys && phys < b.phys + size(b.order))!;
	}

	#free(block: Block): void {
		this.#blocks.splice(this.#blocks.indexOf(block), 1);
		__free_pages(phys_to_page(block.phys), block.order);
	}
}
