// SPDX-License-Identifier: GPL-2.0-only
// What a program is shown of the DMA API's buffers.
import { expect } from 'chai';
import { PAGE_SIZE as PAGE } from '#asm/page-def.js';
import { dma_alloc_coherent, dma_mmap_coherent } from '#kernel/dma/mapping.js';
import type { device } from '#linux/device.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import type { vm_area_struct } from '#linux/mm_types.js';
import { type dma_addr_t, ref } from '#linux/types.js';
import { map, openFile } from '#tests/mm/user.js';
import { WatchedBoard } from './buffer-rig.js';

const PAGES = 3;

describe('watch/user-pages', () => {
	let board: WatchedBoard;
	let dev: device;
	let cpu: Uint8Array;
	let addr: number;
	beforeEach(() => {
		board = new WatchedBoard('main');
		dev = board.device('m3');
		const handle = new ref<dma_addr_t>(0);
		cpu = dma_alloc_coherent(dev, PAGES * PAGE, handle, GFP_KERNEL)!;
		addr = handle.value;
	});

	/** What is said as a program maps @pages pages from page @pgoff on, of a driver that shows the buffer from page @from on. */
	function shows(from: number, pages: number, pgoff: number): string[] {
		const size = (PAGES - from) * PAGE;
		const fd = openFile((vma: vm_area_struct) =>
			dma_mmap_coherent(dev, vma, cpu.subarray(from * PAGE), addr + from * PAGE, size),
		);
		return board.kinds(() => map(fd, pages, pgoff));
	}

	it('say nothing of pages that are the ones that were asked for', () => {
		expect(shows(0, PAGES, 0)).to.deep.equal([]);
		expect(shows(0, 1, 2)).to.deep.equal([]);
	});

	it('report the first page that is another than was asked for', () => {
		expect(shows(1, 2, 0)).to.deep.equal(['INV-RANGE shows-wrong-page return']);
	});
});
