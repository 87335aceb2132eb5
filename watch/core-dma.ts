// SPDX-License-Identifier: GPL-2.0-only
// The memory of the DMA API's coherent buffers.
//
//   INV-LIVE-MAP  it is freed while the device still has it mapped
//   INV-RANGE     a program that maps it sees other pages, or more of them
//   INV-ERR       an allocation that failed has kept memory

import { PAGE_SIZE } from '#asm/page-def.js';
import { hex } from '#hw/core/register-file.js';
import { dev_name, type device } from '#linux/device.js';
import { page_to_phys, virt_to_phys } from '#linux/mm.js';
import { page, type vm_area_struct } from '#linux/mm_types.js';
import type { After, RuleSet } from './core-calls.js';
import type { Domains } from './domains.js';
import type { Allocation, Memory } from './memory.js';
import { asReturns } from './report.js';
import type { Watched } from './watcher.js';

/** Who keeps what it allocates in a mapping that fails: an IOMMU's driver has tables, pools and caches grow. */
const KEEPERS =
	/\((?:build\/)?(?:drivers\/iommu\/(?!iommu\.|dma-iommu\.|iova\.)|kernel\/dma\/(?:pool|swiotlb|debug)\.|mm\/slub)/;

export class CoreDma {
	/** What is allocated inside of calls that have not returned. */
	readonly #made: Allocation[][] = [];

	constructor(
		readonly watched: Watched,
		readonly domains: Domains,
		readonly memory: Memory,
	) {
		memory.onAlloc.push((allocation) => this.#made.at(-1)?.push(allocation));
	}

	addTo(set: RuleSet): void {
		set
			.on('__iommu_dma_free', (dev: device, size: number, cpu: Uint8Array): null => {
				for (let at = 0; at < size; at += PAGE_SIZE) {
					const phys = physOf(cpu, at);
					if (phys < 0 || !this.#isUnmapped(dev, phys, '__iommu_dma_free')) break;
				}
				return null;
			})
			.on(
				'dma_mmap_attrs',
				(
					dev: device,
					vma: vm_area_struct,
					cpu: Uint8Array,
					_addr: number,
					size: number,
				): After<number> | null =>
					dev.dma_mem !== null
						? null
						: (ret) => {
								if (ret === 0) this.#shown(dev, vma, cpu, size);
							},
			)
			.on('dma_alloc_attrs', (dev: device, size: number): After<Uint8Array | null> => {
				const made: Allocation[] = [];
				this.#made.push(made);
				return (cpu) => {
					this.#made.splice(this.#made.indexOf(made), 1);
					if (cpu === null) this.#keptNothing(dev, size, made);
				};
			});
	}

	/** The page at @phys, which @fn is about to free, is no longer mapped for @dev. */
	#isUnmapped(dev: device, phys: number, fn: string): boolean {
		const domain = dev.iommu_group?.default_domain ?? null;
		const watch = domain === null ? undefined : this.domains.known(domain);
		const range = watch?.mappings.all().find(({ first, last, value }) => {
			const from = value.phys + (first - value.iova);
			return phys >= from && phys <= from + (last - first);
		});
		if (range === undefined) return true;
		const iova = range.first + (phys - (range.value.phys + (range.first - range.value.iova)));
		this.watched.find({
			invariant: 'INV-LIVE-MAP',
			kind: 'free-while-mapped',
			device: dev_name(dev),
			...asReturns(fn),
			details: [
				`${fn}() is about to free the page at ${hex(phys, 8)}, and the IOMMU still leads ${dev_name(dev)} there at ${hex(iova, 8)}`,
				...range.value.made.lines('Mapped'),
			],
			advice: `whoever calls ${fn}() (iommu_dma_free(), or an error path) has to __iommu_dma_unmap() first: until then the device can write what is another's by now`,
		});
		return false;
	}

	/** @vma shows @cpu's pages from vm_pgoff on, and no others. */
	#shown(
		dev: device,
		{ vm_start, vm_end, vm_pgoff, ptes }: vm_area_struct,
		cpu: Uint8Array,
		size: number,
	): void {
		const pages = Math.ceil(size / PAGE_SIZE);
		const wanted = (vm_end - vm_start) / PAGE_SIZE;
		const range = `${wanted} pages from page ${vm_pgoff} on, of ${pages}`;
		if (vm_pgoff >= pages || wanted > pages - vm_pgoff) {
			this.watched.find({
				invariant: 'INV-RANGE',
				kind: 'mmap-too-long',
				device: dev_name(dev),
				...asReturns('dma_mmap_attrs'),
				details: [
					`dma_mmap_attrs() of ${range}, has returned 0: the program sees what lies behind the buffer`,
				],
				advice:
					'the mmap function (iommu_dma_mmap(), dma_direct_mmap()) has to answer -ENXIO unless vm_pgoff is inside the buffer and vma_pages(vma) <= nr_pages - vm_pgoff',
			});
			return;
		}
		for (let i = 0; i < wanted; i++) {
			const phys = physOf(cpu, (vm_pgoff + i) * PAGE_SIZE);
			const is = (ptes?.[i] ?? -1) * PAGE_SIZE;
			if (phys < 0) return;
			if (is === phys) continue;
			this.watched.find({
				invariant: 'INV-RANGE',
				kind: 'mmap-of-others',
				device: dev_name(dev),
				...asReturns('dma_mmap_attrs'),
				details: [
					`dma_mmap_attrs() of ${range}, has returned 0, and the program's page ${i} is ${is < 0 ? 'none' : hex(is, 8)}; the buffer has ${hex(phys, 8)} there`,
				],
				advice:
					'the mmap function (iommu_dma_mmap(), dma_direct_mmap()) has to map the frames of the buffer from vm_pgoff on: pfn + vm_pgoff, or all pages to vm_map_pages(), which looks at it itself',
			});
			return;
		}
	}

	/** An allocation of @size bytes has failed; what was @made in it is freed. */
	#keptNothing(dev: device, size: number, made: readonly Allocation[]): void {
		const left = made.find(
			(each) => this.#isLeft(each) && !each.made.trace().some((line) => KEEPERS.test(line)),
		);
		if (left === undefined) return;
		this.watched.find({
			invariant: 'INV-LEAK',
			kind: 'error-leaves-memory',
			device: dev_name(dev),
			...asReturns('dma_alloc_attrs'),
			details: [
				`dma_alloc_attrs() of ${size} bytes has failed, and ${left.what} at ${hex(left.phys, 8)} that it had allocated is not freed`,
				...this.memory.lines(left),
			],
			advice: `whoever fails behind that allocation (iommu_dma_alloc(), iommu_dma_alloc_remap(), __iommu_dma_alloc_noncontiguous(), dma_direct_alloc()) has to free it before it returns null: an error path without __iommu_dma_free() or its like`,
		});
	}

	/** Blocks of pages may be freed page by page. */
	#isLeft({ phys, size, freed }: Allocation): boolean {
		if (freed !== null) return false;
		for (let at = 0; at < size; at += PAGE_SIZE) if (this.memory.at(phys + at)?.freed == null) return true;
		return false;
	}
}

/** Where the byte @at of what the CPU has at @cpu lies; -1: a cookie that nothing tells it of. */
function physOf(cpu: unknown, at: number): number {
	// Without a kernel mapping it is the first page.
	if (cpu instanceof page) return page_to_phys(cpu) + at;
	return cpu instanceof Uint8Array ? virt_to_phys(cpu.subarray(at)) : -1;
}
