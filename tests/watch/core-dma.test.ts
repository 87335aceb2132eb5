// SPDX-License-Identifier: GPL-2.0-only
// What the DMA API's coherent memory would be reported for.
import { expect } from 'chai';
import { PAGE_SIZE as PAGE } from '#asm/page-def.js';
import { dma_alloc_attrs, dma_alloc_coherent } from '#kernel/dma/mapping.js';
import type { device } from '#linux/device.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { virt_to_phys } from '#linux/mm.js';
import { vm_area_struct } from '#linux/mm_types.js';
import { ref } from '#linux/types.js';
import { alloc_pages, get_zeroed_page } from '#mm/page_alloc.js';
import { WatchedBoard } from './buffer-rig.js';
import { core } from './core.js';

describe('watch/core-dma', () => {
	let board: WatchedBoard;
	let dev: device;
	let cpu: Uint8Array;
	let addr: number;
	beforeEach(() => {
		board = new WatchedBoard('main');
		dev = board.device('m0');
		const handle = new ref<number>(0);
		cpu = dma_alloc_coherent(dev, 2 * PAGE, handle, GFP_KERNEL)!;
		addr = handle.value;
	});

	it('report pages that are freed while the IOMMU leads there', () => {
		const frees = (view: Uint8Array): string[] =>
			board.kinds(() => core('__iommu_dma_free', () => {}, dev, PAGE, view));
		expect(frees(get_zeroed_page(GFP_KERNEL)!)).to.deep.equal([]);
		expect(frees(cpu)).to.deep.equal(['INV-LIVE-MAP free-while-mapped return']);
	});

	/** What is said of a dma_mmap_attrs() of @pages from @pgoff on, that shows @frame for the buffer's page. */
	function shows(pages: number, pgoff: number, frame: (page: number) => number): string[] {
		const vma = new vm_area_struct();
		vma.vm_end = pages * PAGE;
		vma.vm_pgoff = pgoff;
		const body = (_dev: device, area: vm_area_struct): number => {
			area.ptes = Float64Array.from({ length: pages }, (_, i) => frame(pgoff + i));
			return 0;
		};
		return board.kinds(() => core('dma_mmap_attrs', body, dev, vma, cpu, addr, 2 * PAGE));
	}
	const right = (page: number): number => virt_to_phys(cpu.subarray(page * PAGE)) / PAGE;

	it("say nothing of a program that is shown the buffer's pages, or the last of them", () => {
		expect(shows(2, 0, right)).to.deep.equal([]);
		expect(shows(1, 1, right)).to.deep.equal([]);
	});

	for (const [pages, pgoff] of [
		[3, 0],
		[1, 2],
		[2, 1],
	])
		it(`report a program that is shown ${pages} pages from page ${pgoff} on, where there are two`, () => {
			expect(shows(pages, pgoff, () => 0)).to.deep.equal(['INV-RANGE mmap-too-long return']);
		});

	it('report a program that is shown another page', () => {
		expect(shows(1, 1, () => right(0))).to.deep.equal(['INV-RANGE mmap-of-others return']);
	});

	it('report a program that is shown a part only', () => {
		const half = shows(2, 0, (page) => (page === 0 ? right(0) : -1));
		expect(half).to.deep.equal(['INV-RANGE mmap-of-others return']);
	});

	it('report an allocation that fails and keeps memory', () => {
		const allocs = (body: typeof dma_alloc_attrs): string[] =>
			board.kinds(() => core('dma_alloc_attrs', body, dev, PAGE, new ref(0), GFP_KERNEL, 0));
		expect(allocs(dma_alloc_attrs)).to.deep.equal([]);
		expect(allocs(() => null)).to.deep.equal([]);
		const kept = allocs(() => {
			alloc_pages(GFP_KERNEL, 0);
			return null;
		});
		expect(kept).to.deep.equal(['INV-LEAK error-leaves-memory return']);
	});
});
