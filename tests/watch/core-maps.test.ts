// SPDX-License-Identifier: GPL-2.0-only
// What iommu_map() and iommu_unmap() would be reported for.
import { expect } from 'chai';
import { pfn_to_page } from '#asm/memory.js';
import { PAGE_SIZE as PAGE } from '#asm/page-def.js';
import {
	iommu_attach_group,
	iommu_map,
	iommu_map_sg,
	iommu_paging_domain_alloc,
	iommu_unmap,
} from '#drivers/iommu/iommu.js';
import { sg_alloc_table } from '#lib/scatterlist.js';
import { EEXIST, ENOMEM } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { IOMMU_READ, type iommu_domain, iommu_iotlb_gather, iommu_iotlb_gather_init } from '#linux/iommu.js';
import { sg_set_page, sg_table } from '#linux/scatterlist.js';
import { ref } from '#linux/types.js';
import { RW } from '#tests/drivers/iommu/iommu-rig.js';
import { ok } from '#tests/drivers/iommu/rig.js';
import { BUFS } from '#tests/kernel/dma/board.js';
import { WatchedBoard } from './buffer-rig.js';
import { core } from './core.js';

const IOVA = 0x40_0000;

describe('watch/core-maps', () => {
	let board: WatchedBoard;
	let domain: iommu_domain;
	beforeEach(() => {
		board = new WatchedBoard('main');
		const dev = board.device('m0');
		domain = ok(iommu_paging_domain_alloc(dev));
		expect(iommu_attach_group(domain, dev.iommu_group!)).to.equal(0);
	});

	const map = (pages = 1): number => iommu_map(domain, IOVA, BUFS, pages * PAGE, RW, GFP_KERNEL);
	/** What is said of an iommu_map() of two pages that is @body. */
	const maps = (body: typeof iommu_map): string[] =>
		board.kinds(() => core('iommu_map', body, domain, IOVA, BUFS, 2 * PAGE, RW, GFP_KERNEL));
	/** And of an iommu_unmap() of one. */
	const unmaps = (body: typeof iommu_unmap): string[] =>
		board.kinds(() => core('iommu_unmap', body, domain, IOVA, PAGE));

	it('say nothing of functions that are right, and of those that fail and leave nothing', () => {
		expect(maps(iommu_map)).to.deep.equal([]);
		expect(unmaps(iommu_unmap)).to.deep.equal([]);
		expect(maps(() => -ENOMEM)).to.deep.equal([]);
		expect(unmaps(() => 0)).to.deep.equal([]);
		const table = new sg_table();
		expect(sg_alloc_table(table, 1, GFP_KERNEL)).to.equal(0);
		sg_set_page(table.sgl!, pfn_to_page(BUFS / PAGE), PAGE, 0);
		const mapsSg = (body: typeof iommu_map_sg): string[] =>
			board.kinds(() => core('iommu_map_sg', body, domain, IOVA, table.sgl, 1, RW, GFP_KERNEL));
		expect(mapsSg(iommu_map_sg)).to.deep.equal([]);
		iommu_unmap(domain, IOVA, PAGE);
		expect(mapsSg(() => PAGE)).to.deep.equal(['INV-ERR success-without-effect return']);
	});

	it('report an error that leaves a part mapped', () => {
		const left = maps((...args) => {
			map();
			return args[3] > PAGE ? -ENOMEM : 0;
		});
		expect(left).to.deep.equal(['INV-ERR error-leaves-mapping return']);
	});

	it('report an error that takes away what somebody else had mapped', () => {
		map();
		const taken = maps((of) => {
			iommu_unmap(of, IOVA, PAGE);
			return -EEXIST;
		});
		expect(taken).to.deep.equal(['INV-ERR error-takes-mapping return']);
	});

	const wrong = {
		'a part only': () => map(),
		'somewhere else': () => iommu_map(domain, IOVA, BUFS + PAGE, 2 * PAGE, RW, GFP_KERNEL),
		'with less than was asked for': () => iommu_map(domain, IOVA, BUFS, 2 * PAGE, IOMMU_READ, GFP_KERNEL),
	};
	for (const [what, body] of Object.entries(wrong))
		it(`report a success that has mapped ${what}`, () => {
			expect(maps(body)).to.deep.equal(['INV-ERR success-without-effect return']);
		});

	it('report a map that nobody tells the hardware of', () => {
		const unsynced = maps((of, iova, phys, size, prot, gfp) => {
			for (let at = 0; at < size; at += PAGE)
				of.ops!.map_pages!(of, iova + at, phys + at, PAGE, 1, prot, gfp, new ref(0));
			return 0;
		});
		expect(unsynced).to.deep.equal(['INV-TLB-MAP map-not-synced return']);
	});

	it('report an unmap that returns what it has not done, and one that keeps to itself what it has', () => {
		map();
		expect(unmaps(() => PAGE)).to.deep.equal(['INV-ERR success-without-effect return']);
		const silent = unmaps((...args) => {
			iommu_unmap(...args);
			return 0;
		});
		expect(silent).to.deep.equal(['INV-ERR effect-without-success return']);
	});

	it('report an unmap that nobody tells the hardware of', () => {
		map();
		const gather = new iommu_iotlb_gather();
		iommu_iotlb_gather_init(gather);
		const unsynced = unmaps((of, iova) => of.ops!.unmap_pages!(of, iova, PAGE, 1, gather));
		expect(unsynced).to.deep.equal(['INV-TLB-UNMAP never-synced return']);
	});

	for (const [what, iova, phys, size] of [
		['an address', IOVA + 512, BUFS, PAGE],
		['memory', IOVA, BUFS + 512, PAGE],
		['a size', IOVA, BUFS, PAGE + 512],
	] as const)
		it(`report ${what} that is no multiple of a page and goes through`, () => {
			const goesThrough = (at: number, to: number, n: number): string[] =>
				board.kinds(() => core('iommu_pgsize', () => PAGE, domain, at, to, n));
			expect(goesThrough(IOVA, BUFS, PAGE)).to.deep.equal([]);
			expect(goesThrough(iova, phys, size)).to.deep.equal(['INV-RANGE unaligned-let-through return']);
		});
});
