// SPDX-License-Identifier: GPL-2.0-only
// What Linux does not survive ends with its report, and not with an error of the language that this is written in.
import { expect } from 'chai';
import { page_to_phys, pfn_to_page, phys_to_virt, virt_to_page } from '#asm/memory.js';
import {
	dev_iommu_free,
	iommu_alloc_global_pasid,
	iommu_attach_device_pasid,
	iommu_attach_group,
	iommu_attach_handle_get,
	iommu_detach_device,
	iommu_detach_device_pasid,
	iommu_detach_group,
	iommu_device_claim_dma_owner,
	iommu_device_release_dma_owner,
	iommu_domain_free,
	iommu_enable_nesting,
	iommu_fwspec_add_ids,
	iommu_get_dma_domain,
	iommu_group_add_device,
	iommu_group_claim_dma_owner,
	iommu_group_dma_owner_claimed,
	iommu_group_for_each_dev,
	iommu_group_get,
	iommu_group_has_isolated_msi,
	iommu_group_id,
	iommu_group_ref_get,
	iommu_group_release_dma_owner,
	iommu_group_remove_device,
	iommu_group_set_name,
	iommu_iova_to_phys,
	iommu_map,
	iommu_map_sgtable,
	iommu_unmap,
	report_iommu_fault,
} from '#drivers/iommu/iommu.js';
import { of_reserved_mem_device_init } from '#drivers/of/of_reserved_mem.js';
import {
	dma_alloc_coherent,
	dma_free_noncontiguous,
	dma_free_pages,
	dma_get_sgtable,
	dma_map_page,
	dma_map_sg,
	dma_map_sgtable,
	dma_map_single,
	dma_mmap_coherent,
	dma_set_mask_and_coherent,
	dma_sync_sg_for_device,
	dma_sync_single_for_cpu,
	dma_sync_single_for_device,
	dma_unmap_page,
	dma_unmap_sg,
	dma_vmap_noncontiguous,
} from '#kernel/dma/mapping.js';
import { kernel_bug, panic_state } from '#kernel/panic.js';
import {
	sg_alloc_table,
	sg_alloc_table_from_pages,
	sg_copy_to_buffer,
	sg_free_append_table,
	sg_init_one,
	sg_last,
	sg_page_iter_dma_address,
	sg_page_iter_page,
	sgl_alloc,
} from '#lib/scatterlist.js';
import type { device } from '#linux/device.js';
import { DMA_BIDIRECTIONAL, DMA_FROM_DEVICE, DMA_TO_DEVICE } from '#linux/dma-direction.js';
import { DMA_MAPPING_ERROR } from '#linux/dma-mapping.js';
import { ENOMEM } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import type { iommu_domain } from '#linux/iommu.js';
import {
	type scatterlist,
	sg_dma_page_iter,
	sg_page_iter,
	sg_set_page,
	sg_table,
	sg_virt,
} from '#linux/scatterlist.js';
import { kmalloc, kmalloc_array } from '#linux/slab.js';
import { ref } from '#linux/types.js';
import { __free_pages, alloc_page } from '#mm/page_alloc.js';
import { Board, BUFS, boardTree, reg } from '#tests/kernel/dma/board.js';
import { sanitiserOf } from '#tests/sanitiser.js';
import { expectWarning } from '#tests/setup.js';

const POOL = 0x7bc0_0000;
const NULL_POINTER = 'Unable to handle kernel NULL pointer dereference at virtual address 0000000000000000';
const noMap = (): Uint8Array =>
	boardTree(
		{
			'pool@7bc00000': {
				compatible: 'shared-dma-pool',
				phandle: [9],
				reg: reg(POOL, 0x40_0000),
				'no-map': true,
			},
		},
		{ 'memory-region': [9] },
	);
/** C's NULL where the type has none. */
const nothing = <T>(): T => null as T;
const list = (pages: number): sg_table => {
	const table = new sg_table();
	sg_alloc_table(table, 2, GFP_KERNEL);
	const vec = table.sgl!.vec!;
	for (let i = 0; i < pages; i++) sg_set_page(vec[i], alloc_page(GFP_KERNEL), 4096, 0);
	return table;
};

describe('die_kernel_fault', () => {
	let board: Board;
	const boot = (tree: string | Uint8Array = 'direct'): Board => {
		board = new Board(tree, 'dma_debug=off');
		// DMASAN would say, too, what is wrong with the callers here.
		sanitiserOf(board.masters.machine).detach();
		return board;
	};

	/** Have @call die of @line. */
	function dies(call: () => unknown, line: string): void {
		panic_state.warnings.length = 0;
		expect(call).to.throw(kernel_bug, line);
		expect(panic_state.warnings[0]).to.equal(line);
		expect(board.log.join('\n')).to.match(
			/Internal error: Oops: 00000000960000[04]6|Internal error: Oops: 0000000096000146/,
		);
		panic_state.warnings.length = 0;
	}

	describe('of streaming DMA without a linear map', () => {
		let dev: device;
		beforeEach(() => {
			boot(noMap());
			dev = board.device('m3');
			expect(of_reserved_mem_device_init(dev)).to.equal(0);
		});

		it('names call, device and address, when coherent memory of a no-map pool is synced', () => {
			const dma = new ref(0);
			dma_alloc_coherent(dev, 65536, dma, GFP_KERNEL)!.fill(7);
			expect(dma.value).to.equal(POOL);
			for (const [sync, name] of [
				[dma_sync_single_for_device, 'dma_sync_single_for_device'],
				[dma_sync_single_for_cpu, 'dma_sync_single_for_cpu'],
			] as const) {
				board.log.length = 0;
				const line = 'Unable to handle kernel paging request at virtual address ffff00003bc00000';
				dies(() => sync(dev, dma.value, 65536, DMA_BIDIRECTIONAL), line);
				expect(board.log[0]).to.match(
					new RegExp(
						`m3: ${name}\\(0x000000007bc00000, 65536\\): the kernel has no mapping of memory at 0x000*7bc00000$`,
					),
				);
				expect(board.log[1]).to.match(new RegExp(`${line}$`));
			}
			// Nothing is touched for this direction, nor on behalf of a device that snoops.
			dma_sync_single_for_cpu(dev, dma.value, 65536, DMA_TO_DEVICE);
			dma_sync_single_for_device(board.device('m4'), dma.value, 65536, DMA_BIDIRECTIONAL);
		});

		it('comes with the first byte, when a range runs into the pool', () => {
			dies(
				() => dma_sync_single_for_device(dev, POOL - 4096, 8192, DMA_TO_DEVICE),
				'Unable to handle kernel paging request at virtual address ffff00003bc00000',
			);
		});

		it('comes with mapping the pool’s pages, and with using their linear address', () => {
			const line = 'Unable to handle kernel paging request at virtual address ffff00003bc00000';
			dies(() => dma_map_page(dev, pfn_to_page(POOL / 4096), 0, 4096, DMA_TO_DEVICE), line);
			dies(() => phys_to_virt(POOL), line);
			dies(() => phys_to_virt(POOL, 64), line);
		});
	});

	it('comes with a sync or an unmap of an address that leads to no memory', () => {
		const dev = boot().device('m3');
		const line = 'Unable to handle kernel paging request at virtual address ffff0000dead0000';
		dies(() => dma_sync_single_for_device(dev, 0xdead_0000, 64, DMA_TO_DEVICE), line);
		dies(() => dma_unmap_page(dev, 0xdead_0000, 64, DMA_FROM_DEVICE), line);
		dies(
			() => dma_unmap_page(dev, DMA_MAPPING_ERROR, 64, DMA_FROM_DEVICE),
			'Unable to handle kernel paging request at virtual address ffff000000000000',
		);
		dma_unmap_page(dev, 0xdead_0000, 64, DMA_TO_DEVICE);
	});

	for (const name of ['m0', 'm1', 'm3'])
		it(`comes with null pointers, and with lists that end early: ${name}`, () => {
			const dev = boot('main').device(name);
			dies(() => dma_map_sgtable(dev, list(0), DMA_TO_DEVICE, 0), NULL_POINTER);
			dies(() => dma_map_sgtable(dev, new sg_table(), DMA_TO_DEVICE, 0), NULL_POINTER);
			dies(() => dma_map_sg(dev, list(2).sgl!, 3, DMA_TO_DEVICE), NULL_POINTER);
			dies(() => dma_free_noncontiguous(dev, 4096, new sg_table(), DMA_TO_DEVICE), NULL_POINTER);
			dies(
				() => dma_map_single(nothing<device>(), kmalloc(64, GFP_KERNEL)!, 64, DMA_TO_DEVICE),
				NULL_POINTER,
			);
			dies(() => dma_alloc_coherent(nothing<device>(), 4096, new ref(0), GFP_KERNEL), NULL_POINTER);
			dies(() => dma_set_mask_and_coherent(nothing<device>(), 0xffff_ffff), NULL_POINTER);
			dies(
				() => dma_free_pages(dev, 4096, nothing(), 0, DMA_TO_DEVICE),
				'Unable to handle kernel paging request at virtual address ffff801000000000',
			);
		});

	it('comes with a list that was never mapped, where the device does not snoop and its addresses lead nowhere', () => {
		const dev = boot(noMap()).device('m3');
		const line = 'Unable to handle kernel paging request at virtual address ffffffffc0000000';
		dies(
			() =>
				dma_unmap_sg(dev, Object.assign(list(1).sgl as scatterlist, { dma_length: 64 }), 1, DMA_FROM_DEVICE),
			line,
		);
		dies(() => dma_sync_sg_for_device(dev, list(1).sgl!, 1, DMA_TO_DEVICE), line);
		dies(
			() => sg_virt(list(0).sgl!),
			'Unable to handle kernel paging request at virtual address ffff801000000000',
		);
	});

	it('comes with domains that are not there', () => {
		const dev = boot('main').device('m0');
		const none = nothing<iommu_domain>();
		dies(() => iommu_map(none, 0, BUFS, 4096, 1, GFP_KERNEL), NULL_POINTER);
		dies(() => iommu_unmap(none, 0, 4096), NULL_POINTER);
		dies(() => iommu_iova_to_phys(none, 0), NULL_POINTER);
		dies(() => iommu_domain_free(none), NULL_POINTER);
		dies(() => iommu_attach_group(none, nothing()), NULL_POINTER);
		dies(() => dma_alloc_coherent(dev, 0, new ref(0), GFP_KERNEL), NULL_POINTER);
	});

	it('comes with each function of the IOMMU core that is given nothing', () => {
		boot('main');
		const no = nothing<never>();
		for (const call of [
			() => iommu_group_get(no),
			() => iommu_group_ref_get(no),
			() => iommu_group_id(no),
			() => iommu_group_set_name(no, 'x'),
			() => iommu_group_for_each_dev(no, 0, () => 0),
			() => iommu_group_add_device(no, no),
			() => iommu_group_remove_device(no),
			() => iommu_group_has_isolated_msi(no),
			() => iommu_group_claim_dma_owner(no, board),
			() => iommu_group_release_dma_owner(no),
			() => iommu_group_dma_owner_claimed(no),
			() => iommu_device_claim_dma_owner(no, board),
			() => iommu_device_release_dma_owner(board.device('m3')),
			() => iommu_detach_device(no, no),
			() => iommu_detach_group(no, no),
			() => iommu_attach_device_pasid(no, board.device('m0'), 1, null),
			() => iommu_detach_device_pasid(no, board.device('m3'), 1),
			() => iommu_attach_handle_get(no, 0, 0),
			() => iommu_get_dma_domain(board.device('m3')),
			() => iommu_alloc_global_pasid(board.device('m3')),
			() => iommu_enable_nesting(no),
			() => iommu_map_sgtable(no, 0, no, 0),
			() => iommu_fwspec_add_ids(no, [], 0),
			() => report_iommu_fault(no, no, 0, 0),
			() => dev_iommu_free(board.device('m3')),
		])
			dies(call, NULL_POINTER);
	});

	it('comes with lists, tables and areas that are not there', () => {
		const dev = boot('main').device('m0');
		const no = nothing<never>();
		for (const call of [
			() => sg_init_one(no, kmalloc(64, GFP_KERNEL)!, 64),
			() => sgl_alloc(0, GFP_KERNEL, null),
			() => sg_page_iter_page(new sg_page_iter()),
			() => sg_page_iter_dma_address(new sg_dma_page_iter()),
			() => sg_alloc_table(no, 1, GFP_KERNEL),
			() => sg_free_append_table(no),
			() => sg_last(list(2).sgl!, 4),
			() => sg_alloc_table_from_pages(new sg_table(), no, 1, 0, 4096, GFP_KERNEL),
			() => sg_alloc_table_from_pages(new sg_table(), [alloc_page(GFP_KERNEL)!], 2, 0, 8192, GFP_KERNEL),
			() => dma_mmap_coherent(dev, no, kmalloc(64, GFP_KERNEL)!, 0, 4096),
			() => dma_map_sgtable(dev, no, DMA_TO_DEVICE, 0),
			() => dma_map_single(no, new Uint8Array(64), 64, DMA_TO_DEVICE),
			() => dma_alloc_coherent(dev, 4096, no, GFP_KERNEL),
			() => dma_alloc_coherent(board.device('m3'), 4096, no, GFP_KERNEL),
			() => dma_vmap_noncontiguous(dev, 4096, list(1)),
			() => dma_vmap_noncontiguous(dev, 4096, no),
		])
			dies(call, NULL_POINTER);
	});

	it('does not come with sizes that nothing has: those warn, and end', () => {
		const dev = boot('main').device('m0');
		expectWarning(/WARNING: at |WARN/);
		expect(iommu_fwspec_add_ids(dev, [], 0x7fff_ffff)).to.equal(-ENOMEM);
		expect(dma_alloc_coherent(dev, 2 ** 39, new ref(0), GFP_KERNEL)).to.equal(null);
		expect(sg_copy_to_buffer(list(2).sgl!, 2, new Uint8Array(64), 8192)).to.equal(64);
		__free_pages(alloc_page(GFP_KERNEL)!, 20);
	});

	it('does not come with what is arithmetic in C', () => {
		const dev = boot().device('m3');
		expect(page_to_phys(nothing())).to.equal(0x8010_0000_0000);
		expect(dma_get_sgtable(dev, new sg_table(), new Uint8Array(4096), DMA_MAPPING_ERROR, 4096)).to.equal(0);
		expect(page_to_phys(virt_to_page(nothing()))).to.equal(2 ** 48);
		dma_unmap_sg(dev, list(0).sgl!, 1, DMA_TO_DEVICE);
	});

	it('does not come with more pointers than memory could hold: that warns, and fails', () => {
		const dev = boot('main').device('m0');
		expectWarning(/WARNING: at /);
		expect(kmalloc_array(2 ** 33, null, GFP_KERNEL)).to.equal(null);
		expect(dma_alloc_coherent(dev, 2 ** 45, new ref(0), GFP_KERNEL)).to.equal(null);
	});
});
