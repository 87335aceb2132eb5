// SPDX-License-Identifier: GPL-2.0-only
// The DMA API behind the H6's IOMMU. Exact addresses: golden dma-iommu.json.

import { expect } from 'chai';
import fc from 'fast-check';
import { pfn_to_page, phys_to_virt, virt_to_phys } from '#asm/memory.js';
import { PAGE_SIZE } from '#asm/page-def.js';
import { PAGE_SHARED } from '#asm/pgtable.js';
import { iommu_get_dma_cookie, iommu_put_dma_cookie, iommu_setup_dma_ops } from '#drivers/iommu/dma-iommu.js';
import { iommu_get_domain_for_dev, iommu_iova_to_phys } from '#drivers/iommu/iommu.js';
import { sysfs_write } from '#fs/sysfs/user.js';
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
	dma_map_sg,
	dma_map_sgtable,
	dma_mmap_attrs,
	dma_mmap_noncontiguous,
	dma_need_sync,
	dma_sync_sgtable_for_cpu,
	dma_unmap_page_attrs,
	dma_unmap_resource,
	dma_unmap_sg,
	dma_unmap_sgtable,
	dma_unmap_single,
	dma_vmap_noncontiguous,
	dma_vunmap_noncontiguous,
} from '#kernel/dma/mapping.js';
import { msleep } from '#kernel/time/timer.js';
import { sg_alloc_table, sg_free_table, sg_next } from '#lib/scatterlist.js';
import type { device } from '#linux/device.js';
import { DMA_BIDIRECTIONAL, DMA_FROM_DEVICE, DMA_TO_DEVICE } from '#linux/dma-direction.js';
import {
	DMA_ATTR_ALLOC_SINGLE_PAGES,
	DMA_ATTR_FORCE_CONTIGUOUS,
	DMA_ATTR_SKIP_CPU_SYNC,
	DMA_MAPPING_ERROR,
	dma_set_max_seg_size,
	dma_set_seg_boundary,
} from '#linux/dma-mapping.js';
import { ENOMEM, ENXIO } from '#linux/errno.js';
import { GFP_ATOMIC, GFP_KERNEL } from '#linux/gfp.js';
import { IOMMU_DOMAIN_DMA, iommu_domain } from '#linux/iommu.js';
import { vm_area_struct } from '#linux/mm_types.js';
import { sg_set_page, sg_table } from '#linux/scatterlist.js';
import { ref } from '#linux/types.js';
import { cma_usage } from '#mm/cma.js';
import { slab_fault } from '#mm/failslab.js';
import { vma_user_view, zap_vma } from '#mm/memory.js';
import { is_vmalloc_addr } from '#mm/vmalloc.js';
import { failEach } from '#tests/fail-each.js';
import { Board, BUFS, pattern } from '#tests/kernel/dma/board.js';
import { dma_map_page_attrs, dma_map_resource, dma_map_single } from '#tests/kernel/dma/client.js';
import { expectFinding, expectWarning } from '#tests/setup.js';

const page = (phys: number) => pfn_to_page(Math.floor(phys / PAGE_SIZE));

function table(pieces: [number, number][]): sg_table {
	const t = new sg_table();
	sg_alloc_table(t, pieces.length, GFP_KERNEL);
	let sg = t.sgl;
	for (const [phys, length] of pieces) {
		sg_set_page(sg!, page(phys), length, phys % PAGE_SIZE);
		sg = sg_next(sg!);
	}
	return t;
}

const physOf = (dev: device, iova: number): number =>
	iommu_iova_to_phys(iommu_get_domain_for_dev(dev)!, iova) as number;

describe('dma_iommu', () => {
	let board: Board;
	let dev: device;
	beforeEach(() => {
		board = new Board('main');
		dev = board.device('m0');
	});

	it('maps a buffer high in the space, with its offset in the page', () => {
		const dma = dma_map_page_attrs(dev, page(BUFS), 0x123, 5000, DMA_TO_DEVICE, 0);
		expect(dma).to.equal(0xffffe123);
		expect(physOf(dev, dma)).to.equal(BUFS + 0x123);
		dma_unmap_page_attrs(dev, dma, 5000, DMA_TO_DEVICE, 0);
		expect(physOf(dev, dma)).to.equal(0);
	});

	it('shows the device what the CPU wrote before, and the CPU what the device wrote after the unmap', () => {
		const buf = phys_to_virt(BUFS, 4096);
		buf.set(pattern(4096, 1));
		const model = board.masters.model('m0');
		let dma = dma_map_single(dev, buf, 4096, DMA_TO_DEVICE);
		expect(model.fetch(dma, 4096)).to.deep.equal(pattern(4096, 1));
		expect(model.store(dma, new Uint8Array(4))).to.equal(false);
		dma_unmap_single(dev, dma, 4096, DMA_TO_DEVICE);

		dma = dma_map_single(dev, buf, 4096, DMA_FROM_DEVICE);
		expect(model.store(dma, pattern(4096, 2))).to.equal(true);
		dma_unmap_single(dev, dma, 4096, DMA_FROM_DEVICE);
		expect(buf.slice()).to.deep.equal(pattern(4096, 2));
		expect(model.fetch(dma, 4)).to.equal(null);
	});

	it('gives the address back when the mapping fails', () => {
		const first = dma_map_page_attrs(dev, page(BUFS), 0, 4096, DMA_TO_DEVICE, 0);
		dma_unmap_page_attrs(dev, first, 4096, DMA_TO_DEVICE, 0);
		// Above 4 GiB the hardware has no words for it.
		expect(dma_map_resource(dev, 0x2_0000_0000, 4096, DMA_TO_DEVICE, 0)).to.equal(DMA_MAPPING_ERROR);
		expect(dma_map_page_attrs(dev, page(BUFS), 0, 4096, DMA_TO_DEVICE, 0)).to.equal(first);
	});

	it('maps and unmaps a resource', () => {
		const dma = dma_map_resource(dev, 0xf100_0010, 32, DMA_BIDIRECTIONAL, 0);
		expect(physOf(dev, dma)).to.equal(0xf100_0010);
		dma_unmap_resource(dev, dma, 32, DMA_BIDIRECTIONAL, 0);
	});

	it('warns about the unmap of what is not mapped', () => {
		expectWarning(/./);
		expectFinding(/never-mapped in dma_unmap_page/);
		dma_unmap_page_attrs(dev, 0x1000, 4096, DMA_TO_DEVICE, 0);
	});

	it('joins entries that meet on page boundaries in one segment', () => {
		const t = table([
			[BUFS, 4096],
			[BUFS + 0x10000, 8192],
			[BUFS + 0x20100, 100],
		]);
		expect(dma_map_sgtable(dev, t, DMA_TO_DEVICE, 0)).to.equal(0);
		expect(t.nents).to.equal(2);
		expect(t.sgl!.dma_length).to.equal(12288);
		const second = sg_next(t.sgl!)!;
		expect(physOf(dev, second.dma_address)).to.equal(BUFS + 0x20100);
		dma_sync_sgtable_for_cpu(dev, t, DMA_TO_DEVICE);
		dma_unmap_sgtable(dev, t, DMA_TO_DEVICE, 0);
		sg_free_table(t);
	});

	it('keeps segments to the device limits, and pads before a boundary', () => {
		dma_set_max_seg_size(dev, 0x3000);
		dma_set_seg_boundary(dev, 0x3fff);
		const t = table([
			[BUFS, 0x3000],
			[BUFS + 0x10000, 0x3000],
			[BUFS + 0x20000, 0x1000],
		]);
		const nents = dma_map_sg(dev, t.sgl!, 3, DMA_TO_DEVICE);
		let sg = t.sgl;
		for (let i = 0; i < nents; i++, sg = sg_next(sg!)) {
			const last = sg!.dma_address + sg!.dma_length - 1;
			expect(Math.floor(sg!.dma_address / 0x4000)).to.equal(Math.floor(last / 0x4000));
		}
		dma_unmap_sg(dev, t.sgl!, 3, DMA_TO_DEVICE);
		sg_free_table(t);
	});

	it('restores a list whose mapping failed', () => {
		const t = table([
			[BUFS + 0x100, 5000],
			[BUFS + 0x10200, 700],
		]);
		// The allocation is tried once more after the caches are emptied.
		slab_fault.nth = 1;
		slab_fault.times = 2;
		expect(dma_map_sgtable(dev, t, DMA_TO_DEVICE, 0)).to.equal(-ENOMEM);
		const second = sg_next(t.sgl!)!;
		expect([t.sgl!.offset, t.sgl!.length, second.offset, second.length]).to.deep.equal([
			0x100, 5000, 0x200, 700,
		]);
		expect(t.sgl!.dma_address).to.equal(DMA_MAPPING_ERROR);
		sg_free_table(t);
	});

	it('bounces a small buffer that may share a cache line, unless the device only reads it', () => {
		const buf = phys_to_virt(BUFS + 0x10, 24);
		buf.set(pattern(24, 7));
		const neighbour = phys_to_virt(BUFS + 0x28, 8);
		const dma = dma_map_single(dev, buf, 24, DMA_FROM_DEVICE);
		expect(physOf(dev, dma)).to.not.equal(BUFS + 0x10);
		neighbour.fill(0x55);
		expect(board.masters.model('m0').store(dma, pattern(24, 8))).to.equal(true);
		dma_unmap_single(dev, dma, 24, DMA_FROM_DEVICE);
		expect(buf.slice()).to.deep.equal(pattern(24, 8));
		expect(neighbour.slice()).to.deep.equal(new Uint8Array(8).fill(0x55));

		const direct = dma_map_single(dev, buf, 24, DMA_TO_DEVICE);
		expect(physOf(dev, direct)).to.equal(BUFS + 0x10);
		dma_unmap_single(dev, direct, 24, DMA_TO_DEVICE);
	});

	it('maps a list with one such entry entry by entry', () => {
		const t = table([
			[BUFS, 4096],
			[BUFS + 0x1010, 24],
		]);
		expect(dma_map_sgtable(dev, t, DMA_FROM_DEVICE, 0)).to.equal(0);
		expect(t.nents).to.equal(2);
		dma_unmap_sgtable(dev, t, DMA_FROM_DEVICE, 0);
		sg_free_table(t);
	});

	for (const [what, attrs, gfp] of [
		['of scattered pages', 0, GFP_KERNEL],
		['of one block', DMA_ATTR_FORCE_CONTIGUOUS, GFP_KERNEL],
		['from the atomic pool', 0, GFP_ATOMIC],
	] as const) {
		it(`allocates coherent memory ${what} that needs no syncs`, () => {
			const dma = new ref(0);
			// The address stays cached, and so does the table.
			const warm = dma_alloc_attrs(dev, 20000, dma, gfp, attrs)!;
			dma_free_attrs(dev, 20000, warm, dma.value, attrs);
			const check = board.leakCheck();
			const cpu = dma_alloc_attrs(dev, 20000, dma, gfp, attrs)!;
			expect(is_vmalloc_addr(cpu)).to.equal(true);
			expect(cpu.subarray(0, 20000).every((b) => b === 0)).to.equal(true);
			cpu.set(pattern(20000, 3));
			expect(board.masters.model('m0').fetch(dma.value, 20000)).to.deep.equal(pattern(20000, 3));
			expect(board.masters.model('m0').store(dma.value + 8000, pattern(100, 9))).to.equal(true);
			expect(cpu.slice(8000, 8100)).to.deep.equal(pattern(100, 9));
			dma_free_attrs(dev, 20000, cpu, dma.value, attrs);
			expect(check()).to.deep.equal([]);
		});
	}

	for (const [what, attrs, gfp] of [
		['of scattered pages', 0, GFP_KERNEL],
		['of single pages', DMA_ATTR_ALLOC_SINGLE_PAGES, GFP_KERNEL],
		['of one block', DMA_ATTR_FORCE_CONTIGUOUS, GFP_KERNEL],
		['from the atomic pool', 0, GFP_ATOMIC],
	] as const) {
		it(`leaves nothing behind when a coherent allocation ${what} fails, wherever it fails`, () => {
			// More than the address caches take, so that the range's record is allocated too.
			const size = 40 * 4096;
			const dma = new ref(0);
			dma_free_attrs(dev, size, dma_alloc_attrs(dev, size, dma, gfp, attrs), dma.value, attrs);
			const first = dma.value;
			const check = board.leakCheck();
			const failures = failEach((where) => {
				const cpu = dma_alloc_attrs(dev, size, dma, gfp, attrs);
				if (cpu !== null) dma_free_attrs(dev, size, cpu, dma.value, attrs);
				expect(check(), where).to.deep.equal([]);
				expect(physOf(dev, first), where).to.equal(0);
			});
			expect(failures).to.be.above(0);
		});
	}

	it('leaves nothing behind when a non-contiguous allocation fails, wherever it fails', () => {
		const size = 40 * 4096;
		dma_set_max_seg_size(dev, size);
		const warm = dma_alloc_noncontiguous(dev, size, DMA_TO_DEVICE, GFP_KERNEL, 0)!;
		dma_free_noncontiguous(dev, size, warm, DMA_TO_DEVICE);
		const check = board.leakCheck();
		const failures = failEach((where) => {
			const sgt = dma_alloc_noncontiguous(dev, size, DMA_TO_DEVICE, GFP_KERNEL, 0);
			if (sgt !== null) dma_free_noncontiguous(dev, size, sgt, DMA_TO_DEVICE);
			expect(check(), where).to.deep.equal([]);
		});
		expect(failures).to.be.above(3);
	});

	it('leaves nothing behind when pages for streaming fail, wherever that fails', () => {
		const size = 40 * 4096;
		const dma = new ref(0);
		dma_free_pages(
			dev,
			size,
			dma_alloc_pages(dev, size, dma, DMA_TO_DEVICE, GFP_KERNEL)!,
			dma.value,
			DMA_TO_DEVICE,
		);
		const check = board.leakCheck();
		let refused = 0;
		failEach((where) => {
			const first = dma_alloc_pages(dev, size, dma, DMA_TO_DEVICE, GFP_KERNEL);
			if (first !== null) dma_free_pages(dev, size, first, dma.value, DMA_TO_DEVICE);
			else refused++;
			expect(check(), where).to.deep.equal([]);
			expect(physOf(dev, dma.value === DMA_MAPPING_ERROR ? 0 : dma.value), where).to.equal(0);
		}, 2);
		expect(refused).to.be.above(0);
	});

	it('leaves non-contiguous memory as it was when it cannot be shown as one range', () => {
		const sgt = dma_alloc_noncontiguous(dev, 5 * 4096, DMA_TO_DEVICE, GFP_KERNEL, 0)!;
		dma_vunmap_noncontiguous(dev, dma_vmap_noncontiguous(dev, 5 * 4096, sgt)!);
		const check = board.leakCheck();
		let refused = 0;
		failEach((where) => {
			const vaddr = dma_vmap_noncontiguous(dev, 5 * 4096, sgt);
			if (vaddr !== null) dma_vunmap_noncontiguous(dev, vaddr);
			else refused++;
			expect(check(), where).to.deep.equal([]);
		});
		expect(refused).to.be.above(0);
		dma_free_noncontiguous(dev, 5 * 4096, sgt, DMA_TO_DEVICE);
	});

	for (const [what, pieces] of [
		[
			'a list',
			[
				[BUFS + 0x100, 0x2_8000],
				[BUFS + 0x10_0000, 700],
			],
		],
		[
			'a list that bounces',
			[
				[BUFS, 0x2_8000],
				[BUFS + 0x10_0010, 24],
			],
		],
	] as const) {
		it(`leaves nothing behind when mapping ${what} fails, wherever it fails`, () => {
			dma_set_max_seg_size(dev, 0x2_8000);
			const t = table(pieces.map(([phys, length]) => [phys, length]));
			const entries = (): number[][] => {
				const out = [];
				for (let sg = t.sgl; sg !== null; sg = sg_next(sg)) out.push([sg.offset, sg.length]);
				return out;
			};
			const before = entries();
			const used = () => dev.dma_io_tlb_mem!.total_used.counter;
			expect(dma_map_sgtable(dev, t, DMA_FROM_DEVICE, 0)).to.equal(0);
			const first = t.sgl!.dma_address;
			dma_unmap_sgtable(dev, t, DMA_FROM_DEVICE, 0);
			const check = board.leakCheck();
			let refused = 0;
			failEach((where) => {
				const ret = dma_map_sgtable(dev, t, DMA_FROM_DEVICE, 0);
				if (ret === 0) dma_unmap_sgtable(dev, t, DMA_FROM_DEVICE, 0);
				else refused++;
				expect(check(), where).to.deep.equal([]);
				expect(entries(), where).to.deep.equal(before);
				expect(used(), where).to.equal(0);
				expect(physOf(dev, first), where).to.equal(0);
				// A range is asked for twice before the call gives up.
			}, 2);
			expect(refused).to.be.above(0);
			sg_free_table(t);
		});
	}

	it('gives the address back when there is no memory for a table', () => {
		const map = () => dma_map_page_attrs(dev, page(BUFS), 0, 4096, DMA_TO_DEVICE, 0);
		// The first table has 1 KiB; nothing else is as large.
		slab_fault.min_size = 1024;
		slab_fault.nth = 1;
		expect(map()).to.equal(DMA_MAPPING_ERROR);
		expect(slab_fault.failed).to.equal(1);
		// The highest address of all: nothing is taken.
		expect(map()).to.equal(0xffff_f000);
	});

	it('sets a domain up as a whole or not at all', () => {
		const domain = new iommu_domain();
		domain.type = IOMMU_DOMAIN_DMA;
		domain.ops = iommu_get_domain_for_dev(dev)!.ops;
		domain.pgsize_bitmap = 4096;
		domain.geometry.aperture_end = 0xffff_ffff;
		const none = board.leakCheck();
		expect(iommu_get_dma_cookie(domain)).to.equal(0);
		const check = board.leakCheck();
		const { iommu_group } = dev;
		const { default_domain: own } = iommu_group!;
		iommu_group!.default_domain = domain;
		let failures = 0;
		for (let nth = 1; ; nth++) {
			slab_fault.nth = nth;
			iommu_setup_dma_ops(dev);
			const failed = slab_fault.nth === 0;
			slab_fault.nth = 0;
			expect(dev.dma_iommu, `allocation ${nth}`).to.equal(!failed);
			if (!failed) break;
			failures++;
			expect(check(), `allocation ${nth}`).to.deep.equal([]);
		}
		expect(failures).to.be.above(5);
		iommu_group!.default_domain = own;
		iommu_put_dma_cookie(domain);
		expect(none()).to.deep.equal([]);
	});

	it('describes a coherent buffer as the pages that it is made of', () => {
		const dma = new ref(0);
		const cpu = dma_alloc_coherent(dev, 3 * PAGE_SIZE, dma, GFP_KERNEL)!;
		const t = new sg_table();
		expect(dma_get_sgtable(dev, t, cpu, dma.value, 3 * PAGE_SIZE)).to.equal(0);
		expect(physOf(dev, dma.value)).to.equal(virt_to_phys(cpu));
		sg_free_table(t);
		dma_free_coherent(dev, 3 * PAGE_SIZE, cpu, dma.value);
	});

	it('allocates non-contiguous memory, and shows it to the CPU as one range', () => {
		dma_set_max_seg_size(dev, 5 * PAGE_SIZE);
		const warm = dma_alloc_noncontiguous(dev, 5 * PAGE_SIZE, DMA_TO_DEVICE, GFP_KERNEL, 0)!;
		dma_free_noncontiguous(dev, 5 * PAGE_SIZE, warm, DMA_TO_DEVICE);
		const check = board.leakCheck();
		const sgt = dma_alloc_noncontiguous(dev, 5 * PAGE_SIZE, DMA_TO_DEVICE, GFP_KERNEL, 0)!;
		expect(sgt.nents).to.equal(1);
		const vaddr = dma_vmap_noncontiguous(dev, 5 * PAGE_SIZE, sgt)!;
		expect(vaddr.length).to.equal(5 * PAGE_SIZE);
		dma_vunmap_noncontiguous(dev, vaddr);
		dma_free_noncontiguous(dev, 5 * PAGE_SIZE, sgt, DMA_TO_DEVICE);
		expect(check()).to.deep.equal([]);
	});

	describe('shown to a user', () => {
		/** A user's range of @pages, from page @pgoff of a buffer on. */
		function range(pages: number, pgoff = 0): vm_area_struct {
			const vma = new vm_area_struct();
			vma.vm_start = 0x7000_0000;
			vma.vm_end = vma.vm_start + pages * PAGE_SIZE;
			vma.vm_pgoff = pgoff;
			vma.vm_page_prot = PAGE_SHARED;
			return vma;
		}

		for (const [what, attrs] of [
			['scattered pages', 0],
			['one block', DMA_ATTR_FORCE_CONTIGUOUS],
		] as const) {
			for (const name of ['m0', 'm1']) {
				it(`coherent memory of ${what} is what ${name} writes`, () => {
					const owner = board.device(name);
					const dma = new ref(0);
					const cpu = dma_alloc_attrs(owner, 4 * PAGE_SIZE, dma, GFP_KERNEL, attrs)!;
					const vma = range(2, 1);
					expect(dma_mmap_attrs(owner, vma, cpu, dma.value, 4 * PAGE_SIZE, attrs)).to.equal(0);
					expect(board.masters.model(name).store(dma.value + PAGE_SIZE, pattern(2 * PAGE_SIZE, 4))).to.equal(
						true,
					);
					expect(vma_user_view(vma)!.slice()).to.deep.equal(pattern(2 * PAGE_SIZE, 4));
					zap_vma(vma);
					for (const bad of [range(5), range(4, 1), range(1, 4)])
						expect(dma_mmap_attrs(owner, bad, cpu, dma.value, 4 * PAGE_SIZE, attrs)).to.equal(-ENXIO);
					dma_free_attrs(owner, 4 * PAGE_SIZE, cpu, dma.value, attrs);
				});
			}
		}

		it('non-contiguous memory is one range, or a part of it', () => {
			const sgt = dma_alloc_noncontiguous(dev, 4 * PAGE_SIZE, DMA_FROM_DEVICE, GFP_KERNEL, 0)!;
			const vma = range(2, 2);
			expect(dma_mmap_noncontiguous(dev, vma, 4 * PAGE_SIZE, sgt)).to.equal(0);
			expect(
				board.masters.model('m0').store(sgt.sgl!.dma_address + 2 * PAGE_SIZE, pattern(2 * PAGE_SIZE, 5)),
			).to.equal(true);
			dma_sync_sgtable_for_cpu(dev, sgt, DMA_FROM_DEVICE);
			expect(vma_user_view(vma)!.slice()).to.deep.equal(pattern(2 * PAGE_SIZE, 5));
			zap_vma(vma);
			for (const bad of [range(5), range(4, 1), range(1, 4)])
				expect(dma_mmap_noncontiguous(dev, bad, 4 * PAGE_SIZE, sgt)).to.equal(-ENXIO);
			dma_free_noncontiguous(dev, 4 * PAGE_SIZE, sgt, DMA_FROM_DEVICE);
		});
	});

	it('takes a block from CMA, when there is one', () => {
		const dma = new ref(0);
		const before = cma_usage().nr_pages;
		const cpu = dma_alloc_attrs(dev, 8 * PAGE_SIZE, dma, GFP_KERNEL, DMA_ATTR_FORCE_CONTIGUOUS)!;
		expect(cma_usage().nr_pages).to.equal(before + 8);
		const first = physOf(dev, dma.value);
		for (let i = 0; i < 8; i++)
			expect(physOf(dev, dma.value + i * PAGE_SIZE)).to.equal(first + i * PAGE_SIZE);
		dma_free_attrs(dev, 8 * PAGE_SIZE, cpu, dma.value, DMA_ATTR_FORCE_CONTIGUOUS);
		expect(cma_usage().nr_pages).to.equal(before);
	});

	it('needs no syncs for a coherent device until something bounces', () => {
		// dma-debug wants to see every sync.
		board = new Board('main', 'dma_debug=off');
		expect(dma_need_sync(board.device('m1'), 0x1000)).to.equal(false);
		expect(dma_need_sync(board.device('m0'), 0x1000)).to.equal(true);
	});

	it('queues unmaps once the group is switched to DMA-FQ, and frees addresses after the flush', () => {
		expect(sysfs_write('/sys/kernel/iommu_groups/0/type', 'DMA-FQ')).to.be.at.least(0);
		const first = dma_map_page_attrs(dev, page(BUFS), 0, 4096, DMA_TO_DEVICE, 0);
		dma_unmap_page_attrs(dev, first, 4096, DMA_TO_DEVICE, 0);
		const second = dma_map_page_attrs(dev, page(BUFS), 0, 4096, DMA_TO_DEVICE, 0);
		expect(second).to.not.equal(first);
		msleep(20);
		const third = dma_map_page_attrs(dev, page(BUFS), 0, 4096, DMA_TO_DEVICE, 0);
		expect(third).to.equal(first);
		dma_unmap_page_attrs(dev, second, 4096, DMA_TO_DEVICE, 0);
		dma_unmap_page_attrs(dev, third, 4096, DMA_TO_DEVICE, 0);
	});

	it('flushes a queue that is full', () => {
		sysfs_write('/sys/kernel/iommu_groups/0/type', 'DMA-FQ');
		const seen = new Set<number>();
		let again = false;
		for (let i = 0; i < 300; i++) {
			const dma = dma_map_page_attrs(dev, page(BUFS), 0, 4096, DMA_TO_DEVICE, DMA_ATTR_SKIP_CPU_SYNC);
			again ||= seen.has(dma);
			seen.add(dma);
			dma_unmap_page_attrs(dev, dma, 4096, DMA_TO_DEVICE, DMA_ATTR_SKIP_CPU_SYNC);
		}
		expect(again).to.equal(true);
	});

	it('keeps live mappings apart, and each on its own memory (random sequences)', () => {
		const step = fc.record({
			map: fc.boolean(),
			at: fc.nat(0xffff),
			size: fc.integer({ min: 1, max: 30000 }),
			pick: fc.nat(),
		});
		fc.assert(
			fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
				const live: { dma: number; phys: number; size: number }[] = [];
				for (const s of steps) {
					if (!s.map && live.length > 0) {
						const [m] = live.splice(s.pick % live.length, 1);
						dma_unmap_page_attrs(dev, m.dma, m.size, DMA_TO_DEVICE, 0);
						expect(physOf(dev, m.dma)).to.equal(0);
						continue;
					}
					const phys = BUFS + s.at * 16;
					const dma = dma_map_page_attrs(
						dev,
						page(phys),
						phys % PAGE_SIZE,
						s.size,
						DMA_TO_DEVICE,
						0,
					) as number;
					for (const m of live) expect(dma + s.size <= m.dma || m.dma + m.size <= dma).to.equal(true);
					live.push({ dma, phys, size: s.size });
				}
				for (const m of live) {
					expect(physOf(dev, m.dma)).to.equal(m.phys);
					expect(physOf(dev, m.dma + m.size - 1)).to.equal(m.phys + m.size - 1);
					dma_unmap_page_attrs(dev, m.dma, m.size, DMA_TO_DEVICE, 0);
				}
			}),
			{ numRuns: 20 },
		);
	});
});
