// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import { pfn_to_page } from '#asm/memory.js';
import { PAGE_SIZE } from '#asm/page-def.js';
import { dma_map_page, dma_map_single, dma_unmap_page, dma_unmap_single } from '#kernel/dma/mapping.js';
import { DMA_TO_DEVICE } from '#linux/dma-direction.js';
import { GFP_KERNEL } from '#linux/gfp_types.js';
import { kmalloc } from '#linux/slab.js';
import { BUFS } from '#tests/kernel/dma/board.js';
import { WatchedBoard } from './buffer-rig.js';

describe('watch/exposure', () => {
	it('counts allocations beside a buffer, and names them when it is asked for', () => {
		const board = new WatchedBoard('main');
		const dev = board.device('m0');
		kmalloc(500, GFP_KERNEL);
		const { addr } = board.mapped(dev, 512, DMA_TO_DEVICE);
		expect(board.san.text()).to.equal('');
		expect(board.san.exposures.get('EXP-NEIGHBOUR')).to.equal(1);
		dma_unmap_single(dev, addr, 512, DMA_TO_DEVICE);
		board.san.exposing = true;
		const [report] = board.said(() => board.mapped(dev, 512, DMA_TO_DEVICE));
		expect(report).to.include({ invariant: 'EXP-NEIGHBOUR', kind: 'exposes-neighbour', moment: 'return' });
		expect(report.text).to.match(/The memory is kmalloc-512 at 0x[0-9a-f]+, 50?[01]?[02] bytes/);
	});

	it('counts objects of which the buffer is a part', () => {
		const board = new WatchedBoard('main');
		const dev = board.device('m0');
		board.mapped(dev, 4096, DMA_TO_DEVICE);
		expect([...board.san.exposures]).to.deep.equal([]);
		const whole = kmalloc(256, GFP_KERNEL)!;
		dma_map_single(dev, whole.subarray(64, 128), 64, DMA_TO_DEVICE);
		expect(board.san.exposures.get('EXP-OWN')).to.equal(1);
		board.san.exposing = true;
		const [report] = board.said(() => dma_map_single(dev, whole.subarray(192), 64, DMA_TO_DEVICE));
		expect(report).to.include({ invariant: 'EXP-OWN', kind: 'exposes-own-struct' });
	});

	it('counts what stays mapped elsewhere after an unmap', () => {
		const board = new WatchedBoard('main');
		const dev = board.device('m0');
		const page = pfn_to_page(BUFS / PAGE_SIZE);
		const first = dma_map_page(dev, page, 0, PAGE_SIZE, DMA_TO_DEVICE);
		dma_map_page(dev, page, 0, PAGE_SIZE, DMA_TO_DEVICE);
		dma_unmap_page(dev, first, PAGE_SIZE, DMA_TO_DEVICE);
		expect(board.san.exposures.get('EXP-ELSEWHERE')).to.equal(1);
		expect(board.san.text()).to.equal('');
	});

	it('tells a person what a driver lets its device see', () => {
		const board = new WatchedBoard('main');
		const dev = board.device('m0');
		expect(board.san.buffers.exposureReport('m0')).to.deep.equal(['m0 has mapped nothing']);
		kmalloc(500, GFP_KERNEL);
		board.mapped(dev, 512, DMA_TO_DEVICE);
		const lines = board.san.buffers.exposureReport('m0');
		expect(lines[0]).to.equal('What the driver of m0 lets the device see:');
		expect(lines[1]).to.equal('  512 bytes of live mappings, on 1 pages: 3584 bytes more than it needs');
		expect(lines[2]).to.match(
			/^ {2}EXP-NEIGHBOUR, 1 time: kmalloc-512, allocated in .*; dma_map_page\(\) of 512 bytes/,
		);
	});
});
