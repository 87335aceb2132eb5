// SPDX-License-Identifier: GPL-2.0-only
// The DMA API's own part: back ends, checks before them, managed variants.

import { expect } from 'chai';
import sinon from 'sinon';
import { pfn_to_page } from '#asm/memory.js';
import { PAGE_SIZE } from '#asm/page-def.js';
import { device_release_driver } from '#drivers/base/dd.js';
import { dma_dummy_ops } from '#kernel/dma/dummy.js';
import {
	dma_alloc_attrs,
	dma_alloc_coherent,
	dma_alloc_noncontiguous,
	dma_alloc_pages,
	dma_can_mmap,
	dma_coerce_mask_and_coherent,
	dma_free_attrs,
	dma_free_pages,
	dma_get_merge_boundary,
	dma_get_required_mask,
	dma_get_sgtable,
	dma_map_sgtable,
	dma_max_mapping_size,
	dma_mmap_attrs,
	dma_mmap_pages,
	dma_opt_mapping_size,
	dma_set_coherent_mask,
	dma_set_mask,
	dma_sync_single_for_cpu,
	dma_unmap_page,
	dma_unmap_resource,
	dmam_alloc_coherent,
	dmam_free_coherent,
} from '#kernel/dma/mapping.js';
import { kernel_bug } from '#kernel/panic.js';
import { sg_alloc_table, sg_free_table } from '#lib/scatterlist.js';
import type { device } from '#linux/device.js';
import { DMA_NONE, DMA_TO_DEVICE, valid_dma_direction } from '#linux/dma-direction.js';
import { set_dma_ops } from '#linux/dma-map-ops.js';
import {
	DMA_BIT_MASK,
	DMA_MAPPING_ERROR,
	dma_get_mask,
	dma_get_max_seg_size,
	dma_get_seg_boundary,
	dma_get_seg_boundary_nr_pages,
	dma_mapping_error,
	dma_set_max_seg_size,
} from '#linux/dma-mapping.js';
import { EINVAL, EIO, ENOMEM, ENXIO } from '#linux/errno.js';
import { __GFP_COMP, __GFP_DMA, GFP_KERNEL } from '#linux/gfp.js';
import { vm_area_struct } from '#linux/mm_types.js';
import { sg_set_page, sg_table } from '#linux/scatterlist.js';
import { ref, SIZE_MAX, U64_MAX } from '#linux/types.js';
import { slab_fault } from '#mm/failslab.js';
import { zap_vma } from '#mm/memory.js';
import { Board, BUFS } from '#tests/kernel/dma/board.js';
import { dma_map_page, dma_map_resource, dma_map_single } from '#tests/kernel/dma/client.js';
import { expectWarning } from '#tests/setup.js';

const page = pfn_to_page;

describe('mapping', () => {
	let board: Board;
	let dev: device;
	beforeEach(() => {
		board = new Board('main');
		dev = board.device('m3');
	});

	it('makes masks of 1 to 64 bits', () => {
		expect(DMA_BIT_MASK(24)).to.equal(0xff_ffff);
		expect(DMA_BIT_MASK(32)).to.equal(0xffff_ffff);
		expect(DMA_BIT_MASK(64)).to.equal(U64_MAX);
	});

	it('knows a failed mapping', () => {
		expect(dma_mapping_error(dev, DMA_MAPPING_ERROR)).to.equal(-ENOMEM);
		expect(dma_mapping_error(dev, 0)).to.equal(0);
	});

	it('answers defaults for a device that set no limits', () => {
		expect(dma_get_max_seg_size(dev)).to.equal(0x10000);
		expect(dma_get_seg_boundary(dev)).to.equal(U64_MAX);
		expect(dma_get_seg_boundary_nr_pages(null, 12)).to.equal(0x100000);
		dma_set_max_seg_size(dev, PAGE_SIZE);
		expect(dma_get_max_seg_size(dev)).to.equal(PAGE_SIZE);
	});

	it('stops the machine at a direction that is none', () => {
		expect(valid_dma_direction(DMA_NONE)).to.equal(false);
		expectWarning(/./);
		expect(() => dma_map_page(dev, page(BUFS / PAGE_SIZE), 0, 64, DMA_NONE)).to.throw(kernel_bug);
	});

	it('refuses to map for a device without a mask, and to set one', () => {
		expectWarning(/./);
		dev.dma_mask = null;
		expect(dma_map_page(dev, page(BUFS / PAGE_SIZE), 0, 64, DMA_TO_DEVICE)).to.equal(DMA_MAPPING_ERROR);
		expect(dma_set_mask(dev, DMA_BIT_MASK(32))).to.equal(-EIO);
		expect(dma_get_mask(dev)).to.equal(0xffff_ffff);
	});

	it('refuses to map vmalloc memory', () => {
		expectWarning(/rejecting DMA map of vmalloc memory/);
		const dma = new ref(0);
		const cpu = dma_alloc_coherent(dev, PAGE_SIZE, dma, GFP_KERNEL)!;
		expect(dma_map_single(dev, cpu, 64, DMA_TO_DEVICE)).to.equal(DMA_MAPPING_ERROR);
	});

	it("asks the device's own ops first", () => {
		const map_page = sinon.fake.returns(0x1234);
		const unmap_page = sinon.fake();
		const sync_single_for_cpu = sinon.fake();
		set_dma_ops(dev, { map_page, unmap_page, sync_single_for_cpu, get_merge_boundary: () => 0xfff });
		dma_set_mask(dev, DMA_BIT_MASK(32));
		expect(dma_map_page(dev, page(BUFS / PAGE_SIZE), 4, 64, DMA_TO_DEVICE)).to.equal(0x1234);
		dma_sync_single_for_cpu(dev, 0x1234, 64, DMA_TO_DEVICE);
		dma_unmap_page(dev, 0x1234, 64, DMA_TO_DEVICE);
		expect(map_page.firstCall.args.slice(2, 5)).to.deep.equal([4, 64, DMA_TO_DEVICE]);
		expect(sync_single_for_cpu.callCount).to.equal(1);
		expect(unmap_page.callCount).to.equal(1);
		expect(dma_get_merge_boundary(dev)).to.equal(0xfff);
		expect(dma_max_mapping_size(dev)).to.equal(SIZE_MAX);
		expect(dma_get_required_mask(dev)).to.equal(DMA_BIT_MASK(32));
		expect(dma_can_mmap(dev)).to.equal(false);
	});

	it('leaves to such ops whatever they can do, and answers for them where they cannot', () => {
		const dma = new ref(0);
		const cpu = new Uint8Array(PAGE_SIZE);
		const vma = new vm_area_struct();
		const sgt = new sg_table();
		const ops = {
			alloc: sinon.fake.returns(cpu),
			free: sinon.fake(),
			mmap: sinon.fake.returns(-77),
			get_sgtable: sinon.fake.returns(-78),
			alloc_pages_op: sinon.fake.returns(page(BUFS / PAGE_SIZE)),
			free_pages: sinon.fake(),
			map_resource: sinon.fake.returns(0x77),
			unmap_resource: sinon.fake(),
			max_mapping_size: sinon.fake.returns(0x10000),
			opt_mapping_size: sinon.fake.returns(0x8000),
			get_required_mask: sinon.fake.returns(0xff_ffff),
		};
		const answers = (): unknown[] => [
			dma_alloc_attrs(dev, PAGE_SIZE, dma, GFP_KERNEL, 0),
			dma_mmap_attrs(dev, vma, cpu, 0, PAGE_SIZE, 0),
			dma_get_sgtable(dev, sgt, cpu, 0, PAGE_SIZE),
			dma_alloc_pages(dev, 100, dma, DMA_TO_DEVICE, GFP_KERNEL),
			dma_map_resource(dev, BUFS, 64, DMA_TO_DEVICE, 0),
			dma_max_mapping_size(dev),
			dma_opt_mapping_size(dev),
			dma_get_required_mask(dev),
		];
		set_dma_ops(dev, ops);
		expect(answers()).to.deep.equal([
			cpu,
			-77,
			-78,
			page(BUFS / PAGE_SIZE),
			0x77,
			0x10000,
			0x8000,
			0xff_ffff,
		]);
		// Sizes reach them in whole pages.
		expect(ops.alloc_pages_op.firstCall.args[1]).to.equal(PAGE_SIZE);
		dma_free_attrs(dev, PAGE_SIZE, cpu, 0, 0);
		dma_free_pages(dev, 100, page(BUFS / PAGE_SIZE), 0, DMA_TO_DEVICE);
		dma_unmap_resource(dev, 0x77, 64, DMA_TO_DEVICE, 0);
		expect([ops.free, ops.free_pages, ops.unmap_resource].map((f) => f.callCount)).to.deep.equal([1, 1, 1]);

		set_dma_ops(dev, {});
		const none = [null, -ENXIO, -ENXIO, null, DMA_MAPPING_ERROR, SIZE_MAX, SIZE_MAX, DMA_BIT_MASK(32)];
		expect(answers()).to.deep.equal(none);
		// Nothing was allocated, and dma-debug says so.
		expectWarning(/^DMA-API: .* tries to free DMA memory it has not allocated .* \[size=(100|64) bytes\]$/);
		dma_free_attrs(dev, PAGE_SIZE, cpu, 0, 0);
		dma_free_pages(dev, 100, page(BUFS / PAGE_SIZE), 0, DMA_TO_DEVICE);
		dma_unmap_resource(dev, 0x77, 64, DMA_TO_DEVICE, 0);
	});

	it('lets a coerced mask be one with the coherent one', () => {
		dev.coherent_dma_mask = DMA_BIT_MASK(32);
		expect(dma_coerce_mask_and_coherent(dev, DMA_BIT_MASK(36))).to.equal(0);
		expect([dma_get_mask(dev), dev.coherent_dma_mask]).to.deep.equal([DMA_BIT_MASK(36), DMA_BIT_MASK(36)]);
		expect(dma_set_mask(dev, DMA_BIT_MASK(40))).to.equal(0);
		expect(dev.coherent_dma_mask).to.equal(DMA_BIT_MASK(40));
		expect(dma_set_coherent_mask(dev, DMA_BIT_MASK(34))).to.equal(0);
		expect(dma_get_mask(dev)).to.equal(DMA_BIT_MASK(34));
		// As a rule they are two.
		const other = board.device('m4');
		expect(dma_set_mask(other, DMA_BIT_MASK(40))).to.equal(0);
		expect(other.coherent_dma_mask).to.equal(DMA_BIT_MASK(32));
	});

	it('shows pages to a user, from one of them on', () => {
		const dma = new ref(0);
		for (const name of ['m0', 'm3']) {
			const owner = board.device(name);
			const first = dma_alloc_pages(owner, 4 * PAGE_SIZE, dma, DMA_TO_DEVICE, GFP_KERNEL)!;
			const vma = new vm_area_struct();
			vma.vm_start = 0x7000_0000;
			vma.vm_end = 0x7000_0000 + 2 * PAGE_SIZE;
			vma.vm_pgoff = 2;
			expect(dma_mmap_pages(owner, vma, 4 * PAGE_SIZE, first)).to.equal(0);
			expect([...vma.ptes!]).to.deep.equal([first.pfn + 2, first.pfn + 3]);
			zap_vma(vma);
			vma.vm_pgoff = 3;
			expect(dma_mmap_pages(owner, vma, 4 * PAGE_SIZE, first)).to.equal(-ENXIO);
			dma_free_pages(owner, 4 * PAGE_SIZE, first, dma.value, DMA_TO_DEVICE);
		}
	});

	it('fails everything through the dummy ops', () => {
		set_dma_ops(dev, dma_dummy_ops);
		expect(dma_map_page(dev, page(BUFS / PAGE_SIZE), 0, 64, DMA_TO_DEVICE)).to.equal(DMA_MAPPING_ERROR);
		expect(dma_set_mask(dev, DMA_BIT_MASK(32))).to.equal(-EIO);
		expect(dma_set_coherent_mask(dev, DMA_BIT_MASK(32))).to.equal(-EIO);
		expect(dma_alloc_attrs(dev, PAGE_SIZE, new ref(0), GFP_KERNEL, 0)).to.equal(null);
		const t = new sg_table();
		sg_alloc_table(t, 1, GFP_KERNEL);
		sg_set_page(t.sgl!, page(BUFS / PAGE_SIZE), 64, 0);
		expect(dma_map_sgtable(dev, t, DMA_TO_DEVICE, 0)).to.equal(-EINVAL);
		sg_free_table(t);
	});

	it('turns an errno that nobody may return into -EIO, with a warning', () => {
		expectWarning(/./);
		set_dma_ops(dev, { map_sg: () => -99 });
		const t = new sg_table();
		sg_alloc_table(t, 1, GFP_KERNEL);
		expect(dma_map_sgtable(dev, t, DMA_TO_DEVICE, 0)).to.equal(-EIO);
		sg_free_table(t);
	});

	it('refuses compound pages, and zones where the device decides', () => {
		expectWarning(/./);
		const dma = new ref(0);
		expect(dma_alloc_attrs(dev, PAGE_SIZE, dma, GFP_KERNEL | __GFP_COMP, 0)).to.equal(null);
		expect(dma_alloc_pages(dev, PAGE_SIZE, dma, DMA_TO_DEVICE, GFP_KERNEL | __GFP_DMA)).to.equal(null);
		expect(dma_alloc_noncontiguous(dev, PAGE_SIZE, DMA_TO_DEVICE, GFP_KERNEL, 1 << 6)).to.equal(null);
	});

	it('prefers mappings that the address caches hold, behind the IOMMU', () => {
		expect(dma_opt_mapping_size(board.device('m0'))).to.equal(32 * PAGE_SIZE);
		expect(dma_get_merge_boundary(board.device('m0'))).to.equal(0xfff);
		expect(dma_get_merge_boundary(dev)).to.equal(0);
	});

	it('frees managed memory with the binding, or on request', () => {
		const dma = new ref(0);
		const first = dmam_alloc_coherent(dev, PAGE_SIZE, dma, GFP_KERNEL)!;
		dmam_free_coherent(dev, PAGE_SIZE, first, dma.value);
		const check = board.leakCheck();
		expect(dmam_alloc_coherent(dev, 2 * PAGE_SIZE, dma, GFP_KERNEL)).to.not.equal(null);
		expect(dmam_alloc_coherent(dev, PAGE_SIZE, dma, GFP_KERNEL)).to.not.equal(null);
		expect(check()).to.not.deep.equal([]);
		device_release_driver(dev);
		expect(check()).to.deep.equal([]);
	});

	it('leaves nothing behind when a managed allocation fails', () => {
		const dma = new ref(0);
		dmam_free_coherent(dev, PAGE_SIZE, dmam_alloc_coherent(dev, PAGE_SIZE, dma, GFP_KERNEL), dma.value);
		const check = board.leakCheck();
		slab_fault.nth = 1;
		expect(dmam_alloc_coherent(dev, PAGE_SIZE, dma, GFP_KERNEL)).to.equal(null);
		expect(check()).to.deep.equal([]);
	});
});
