// SPDX-License-Identifier: GPL-2.0-only
// dma-iommu against the limits of devices, buses and domains, and attaches that wait for the first mapping.
// What is expected is what drivers/iommu/dma-iommu.c of Linux 6.12 does.

import { expect } from 'chai';
import { pfn_to_page } from '#asm/memory.js';
import { PAGE_ALIGN } from '#asm/page.js';
import { PAGE_SIZE } from '#asm/page-def.js';
import { iommu_get_dma_domain } from '#drivers/iommu/iommu.js';
import {
	dma_alloc_attrs,
	dma_alloc_coherent,
	dma_alloc_noncontiguous,
	dma_alloc_pages,
	dma_free_attrs,
	dma_free_coherent,
	dma_free_noncontiguous,
	dma_free_pages,
	dma_get_merge_boundary,
	dma_map_sgtable,
	dma_max_mapping_size,
	dma_opt_mapping_size,
	dma_set_mask_and_coherent,
	dma_unmap_page_attrs,
	dma_unmap_resource,
	dma_unmap_sgtable,
} from '#kernel/dma/mapping.js';
import { sg_alloc_table, sg_free_table, sg_next } from '#lib/scatterlist.js';
import { kernel_bug } from '#linux/bug.js';
import type { device } from '#linux/device.js';
import { DMA_BIDIRECTIONAL, DMA_FROM_DEVICE, DMA_TO_DEVICE } from '#linux/dma-direction.js';
import {
	DMA_ATTR_PRIVILEGED,
	DMA_ATTR_SKIP_CPU_SYNC,
	DMA_MAPPING_ERROR,
	dma_set_max_seg_size,
	dma_set_min_align_mask,
	dma_set_seg_boundary,
} from '#linux/dma-mapping.js';
import { EINVAL, ENODEV, ENOMEM } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import {
	IOMMU_CACHE,
	IOMMU_MMIO,
	IOMMU_PRIV,
	IOMMU_READ,
	IOMMU_WRITE,
	type iommu_ops,
} from '#linux/iommu.js';
import { sg_set_page, sg_table } from '#linux/scatterlist.js';
import { ref, ULONG_MAX } from '#linux/types.js';
import { RAM } from '#tests/hw/board.js';
import { dma_map_page_attrs, dma_map_resource } from '#tests/kernel/dma/client.js';
import { expectWarning } from '#tests/setup.js';
import { bootRig, type Rig } from './rig.js';
import { G1, K4, K64, M2, TestDomain } from './test_driver.js';

const K1 = 0x400;
const BUFFER = RAM + 0x0800_0000;
const ERROR = DMA_MAPPING_ERROR as number;

/** Domains of this geometry. */
const space = (start: number, end: number, force: boolean, pgsize_bitmap = K4): Partial<iommu_ops> => ({
	pgsize_bitmap,
	domain_alloc_paging: () => {
		const domain = new TestDomain();
		Object.assign(domain.geometry, { aperture_start: start, aperture_end: end, force_aperture: force });
		return domain;
	},
});

const map = (dev: device, size = K4, at = BUFFER): number =>
	dma_map_page_attrs(
		dev,
		pfn_to_page(Math.floor(at / PAGE_SIZE)),
		at % PAGE_SIZE,
		size,
		DMA_TO_DEVICE,
		0,
	) as number;
const unmap = (dev: device, dma: number, size = K4): void =>
	dma_unmap_page_attrs(dev, dma, size, DMA_TO_DEVICE, 0);
const pagesOf = (dev: device) => (iommu_get_dma_domain(dev) as TestDomain).pages;

function table(...pieces: [number, number][]): sg_table {
	const t = new sg_table();
	sg_alloc_table(t, pieces.length, GFP_KERNEL);
	let sg = t.sgl;
	for (const [phys, length] of pieces) {
		sg_set_page(sg!, pfn_to_page(Math.floor(phys / PAGE_SIZE)), length, phys % PAGE_SIZE);
		sg = sg_next(sg!);
	}
	return t;
}
/** [address, length] of each segment. */
function segments(t: sg_table): [number, number][] {
	const out: [number, number][] = [];
	let sg = t.sgl;
	for (let i = 0; i < t.nents; i++, sg = sg_next(sg!)) out.push([sg!.dma_address as number, sg!.dma_length]);
	return out;
}

describe('dma_iommu_limits', () => {
	it('dies of pages that are larger than the CPU’s, and says so before', () => {
		expectWarning(/kernel BUG at drivers\/iommu\/iova/);
		const rig = bootRig('', { pgsize_bitmap: K64 });
		expect(() => rig.driver.device('a')).to.throw(kernel_bug);
		expect(
			rig.said(`the smallest page of its IOMMU is 0x10000 bytes, the CPU's 0x${PAGE_SIZE.toString(16)}`),
		).to.equal(true);
	});

	describe('the highest address', () => {
		const cases: [string, Partial<iommu_ops>, number, number, number][] = [
			['the mask', space(0, 2 ** 48 - 1, true), 0x0fff_ffff, 0, 0x0fff_f000],
			['a mask of 40 bits', space(0, 2 ** 48 - 1, true), 2 ** 40 - 1, 0, 2 ** 40 - K4],
			['the bus', space(0, 2 ** 48 - 1, true), 0xffff_ffff, 0x7fff_ffff, 0x7fff_f000],
			['the mask below the bus', space(0, 2 ** 48 - 1, true), 0xff_ffff, 0x7fff_ffff, 0xff_f000],
			['the aperture', space(0, 0x3fff_ffff, true), 0xffff_ffff, 0, 0x3fff_f000],
			['no aperture that is not enforced', space(0, 0x3fff_ffff, false), 0xffff_ffff, 0, 0xffff_f000],
			['whole pages of a limit', space(0, 2 ** 48 - 1, true), 0xffff_ffff, 0x2800, 0x2000],
			['the granule', space(0, 2 ** 48 - 1, true, K1), 0xffff_ffff, 0, 0xffff_f000],
			['half a page, of small granules', space(0, 2 ** 48 - 1, true, K1), 0xffff_f7ff, 0, 0xffff_e000],
		];
		for (const [what, ops, mask, bus, expected] of cases) {
			it(`comes from ${what}`, () => {
				const { driver } = bootRig('', ops);
				const dev = driver.device('a');
				dma_set_mask_and_coherent(dev, mask);
				dev.bus_dma_limit = bus;
				expect(map(dev)).to.equal(expected);
			});
		}

		it('is the coherent mask’s for coherent memory', () => {
			const { driver } = bootRig('', space(0, 2 ** 48 - 1, true));
			const dev = driver.device('a');
			dma_set_mask_and_coherent(dev, 0xffff_ffff);
			dev.coherent_dma_mask = 0xf_ffff;
			const dma = new ref(0);
			const cpu = dma_alloc_coherent(dev, 3 * K4, dma, GFP_KERNEL);
			// Three pages take four.
			expect(dma.value).to.equal(0xf_c000);
			dma_free_coherent(dev, 3 * K4, cpu, dma.value);
		});
	});

	it('never gives out the first page, nor what lies before the aperture', () => {
		for (const [start, first] of [
			[0, K4],
			[0x2000, 0x2000],
		] as const) {
			const { driver } = bootRig('', space(start, 0x3fff, true));
			const dev = driver.device('a');
			const got: number[] = [];
			for (let dma = map(dev); dma !== ERROR; dma = map(dev)) got.push(dma);
			expect(Math.min(...got)).to.equal(first);
			expect(got).to.have.length((0x4000 - first) / K4);
		}
	});

	it('keeps no more of a buffer’s place than its offset in the granule', () => {
		const { driver } = bootRig();
		const dev = driver.device('a');
		dma_set_min_align_mask(dev, K4 - 1);
		expect(map(dev, 100, BUFFER + 0x123) % K4).to.equal(0x123);
		dma_set_min_align_mask(dev, K64 - 1);
		expectWarning(/Unsupported alignment constraint/);
		expect(map(dev)).to.equal(ERROR);
		expect(map(dev)).to.equal(ERROR);
	});

	it('knows how far entries join, and how much fits at once', () => {
		const { driver } = bootRig('', space(0, 0xffff_ffff, true, K64 | K1));
		const dev = driver.device('a');
		expect(dma_get_merge_boundary(dev)).to.equal(K1 - 1);
		expect(dma_max_mapping_size(dev)).to.be.above(2 ** 53);
		// What the address caches keep: 32 pages.
		expect(dma_opt_mapping_size(dev)).to.equal(32 * PAGE_SIZE);
		const plain = driver.plainDevice('b');
		expect(dma_get_merge_boundary(plain)).to.equal(0);
	});

	describe('a list', () => {
		let dev: device;
		beforeEach(() => {
			dev = bootRig().driver.device('a');
		});

		it('of whole pages is one segment, wherever they lie', () => {
			const t = table([BUFFER, K4], [BUFFER + 0x10_0000, 2 * K4], [BUFFER + 0x20_0000, K4]);
			expect(dma_map_sgtable(dev, t, DMA_TO_DEVICE, 0)).to.equal(0);
			expect(segments(t)).to.deep.equal([[0xffff_c000, 4 * K4]]);
			dma_unmap_sgtable(dev, t, DMA_TO_DEVICE, 0);
			expect(pagesOf(dev).size).to.equal(0);
			sg_free_table(t);
		});

		it('begins a segment where one is as long as the device takes', () => {
			dma_set_max_seg_size(dev, 2 * K4);
			const t = table([BUFFER, K4], [BUFFER + 0x10_0000, K4], [BUFFER + 0x20_0000, K4]);
			expect(dma_map_sgtable(dev, t, DMA_TO_DEVICE, 0)).to.equal(0);
			expect(segments(t).map(([, length]) => length)).to.deep.equal([2 * K4, K4]);
			dma_unmap_sgtable(dev, t, DMA_TO_DEVICE, 0);
			sg_free_table(t);
		});

		it('begins a segment at a boundary, and leaves a hole before what would cross it', () => {
			dma_set_seg_boundary(dev, 4 * K4 - 1);
			const t = table([BUFFER, 3 * K4], [BUFFER + 0x10_0000, 2 * K4], [BUFFER + 0x20_0000, 2 * K4]);
			expect(dma_map_sgtable(dev, t, DMA_TO_DEVICE, 0)).to.equal(0);
			const [[first]] = segments(t);
			expect(segments(t)).to.deep.equal([
				[first, 3 * K4],
				[first + 4 * K4, 4 * K4],
			]);
			expect(first % (4 * K4)).to.equal(0);
			dma_unmap_sgtable(dev, t, DMA_TO_DEVICE, 0);
			expect(pagesOf(dev).size).to.equal(0);
			sg_free_table(t);
		});

		it('begins a segment at a boundary that an entry ends at', () => {
			dma_set_seg_boundary(dev, 4 * K4 - 1);
			const t = table([BUFFER, 2 * K4], [BUFFER + 0x10_0000, 2 * K4], [BUFFER + 0x20_0000, 2 * K4]);
			expect(dma_map_sgtable(dev, t, DMA_TO_DEVICE, 0)).to.equal(0);
			const [[first]] = segments(t);
			expect(segments(t)).to.deep.equal([
				[first, 4 * K4],
				[first + 4 * K4, 2 * K4],
			]);
			dma_unmap_sgtable(dev, t, DMA_TO_DEVICE, 0);
			sg_free_table(t);
		});

		it('begins a segment after an entry that ends inside a page', () => {
			const t = table([BUFFER, 0x1100], [BUFFER + 0x10_0000, K4], [BUFFER + 0x20_0000, 0x80]);
			expect(dma_map_sgtable(dev, t, DMA_TO_DEVICE, 0)).to.equal(0);
			const [[first]] = segments(t);
			expect(segments(t)).to.deep.equal([
				[first, 0x1100],
				[first + 0x2000, 0x1080],
			]);
			dma_unmap_sgtable(dev, t, DMA_TO_DEVICE, 0);
			sg_free_table(t);
		});

		it('of nothing is mapped to nothing', () => {
			const t = table([BUFFER, 0]);
			expect(dma_map_sgtable(dev, t, DMA_TO_DEVICE, 0)).to.equal(0);
			expect(segments(t)).to.deep.equal([[0, 0]]);
			dma_unmap_sgtable(dev, t, DMA_TO_DEVICE, 0);
			sg_free_table(t);
		});

		it('whose padding is too long for an entry is refused, and what follows stays as it was', () => {
			dma_set_seg_boundary(dev, 2 ** 32 - 1);
			const t = table([BUFFER, 0x1000], [BUFFER + 0x100, 0xffff_ff00], [BUFFER + 0x200, 0x100]);
			const last = sg_next(sg_next(t.sgl!)!)!;
			last.dma_address = 0x5000;
			// There is no memory of that length to be cleaned.
			expect(dma_map_sgtable(dev, t, DMA_TO_DEVICE, DMA_ATTR_SKIP_CPU_SYNC)).to.equal(-EINVAL);
			expect([last.offset, last.length, last.dma_address]).to.deep.equal([0x200, 0x100, DMA_MAPPING_ERROR]);
			const second = sg_next(t.sgl!)!;
			expect([second.offset, second.length]).to.deep.equal([0x100, 0xffff_ff00]);
			sg_free_table(t);
		});
	});

	it('refuses an empty entry behind others where segments have no boundary, however small the granule', () => {
		const { driver } = bootRig('', space(0, 0xffff_ffff, true, K1));
		const dev = driver.device('a');
		dma_set_seg_boundary(dev, ULONG_MAX);
		for (const length of [K1, K4]) {
			const t = table([BUFFER, length], [BUFFER + 0x10_0000, 0], [BUFFER + 0x20_0000, length]);
			expect(dma_map_sgtable(dev, t, DMA_TO_DEVICE, 0)).to.equal(-EINVAL);
			sg_free_table(t);
		}
	});

	it('keeps the length of a segment within 32 bits, even behind an entry that is too long for the device', () => {
		const { driver } = bootRig('', space(0, 2 ** 48 - 1, true, K4 + M2 + G1));
		const dev = driver.device('a');
		dma_set_mask_and_coherent(dev, 2 ** 40 - 1);
		dma_set_seg_boundary(dev, ULONG_MAX);
		expectWarning(/longer than device claims to support/);
		const t = table([BUFFER, 0xffe0_0000], [BUFFER, M2], [BUFFER, K4]);
		expect(dma_map_sgtable(dev, t, DMA_TO_DEVICE, DMA_ATTR_SKIP_CPU_SYNC)).to.equal(0);
		const [[first]] = segments(t);
		expect(segments(t)).to.deep.equal([
			[first, 0xffe0_0000],
			[first + 0xffe0_0000, M2 + K4],
		]);
		dma_unmap_sgtable(dev, t, DMA_TO_DEVICE, DMA_ATTR_SKIP_CPU_SYNC);
		expect(pagesOf(dev).size).to.equal(0);
		sg_free_table(t);
	});

	describe('rights', () => {
		const cases: [string, (dev: device) => number, number][] = [
			['a buffer to read', (dev) => map(dev), IOMMU_READ],
			[
				'a buffer to write',
				(dev) =>
					dma_map_page_attrs(dev, pfn_to_page(BUFFER / PAGE_SIZE), 0, K4, DMA_FROM_DEVICE, 0) as number,
				IOMMU_WRITE,
			],
			[
				'privileged accesses',
				(dev) =>
					dma_map_page_attrs(
						dev,
						pfn_to_page(BUFFER / PAGE_SIZE),
						0,
						K4,
						DMA_BIDIRECTIONAL,
						DMA_ATTR_PRIVILEGED,
					) as number,
				IOMMU_READ | IOMMU_WRITE | IOMMU_PRIV,
			],
		];
		for (const coherent of [false, true]) {
			const cache = coherent ? IOMMU_CACHE : 0;
			for (const [what, mapIt, prot] of cases) {
				it(`are those for ${what}, ${coherent ? 'snooping' : 'not snooping'}`, () => {
					const dev = bootRig().driver.device('a');
					dev.dma_coherent = coherent;
					expect(pagesOf(dev).get(mapIt(dev))!.prot).to.equal(prot | cache);
				});
			}

			it(`to registers never snoop, ${coherent ? 'whoever asks' : 'of course'}`, () => {
				const dev = bootRig().driver.device('a');
				dev.dma_coherent = coherent;
				const dma = dma_map_resource(dev, 0x0300_0010, 8, DMA_TO_DEVICE, 0) as number;
				expect(dma % K4).to.equal(0x10);
				expect(pagesOf(dev).get(dma - 0x10)).to.deep.equal({
					phys: 0x0300_0000,
					size: K4,
					prot: IOMMU_READ | IOMMU_MMIO,
				});
				dma_unmap_resource(dev, dma, 8, DMA_TO_DEVICE, 0);
				expect(pagesOf(dev).size).to.equal(0);
			});
		}
	});

	it('maps no more of a page than was asked for, where the IOMMU has smaller ones', () => {
		const { driver } = bootRig('', space(0, 0xffff_ffff, true, K1));
		const dev = driver.device('a');
		dma_set_mask_and_coherent(dev, 0xffff_ffff);
		const dma = map(dev, 100, BUFFER + 0x880);
		expect(dma % K1).to.equal(0x80);
		expect([...pagesOf(dev)]).to.deep.equal([
			[dma - 0x80, { phys: BUFFER + 0x800, size: K1, prot: IOMMU_READ }],
		]);
		unmap(dev, dma, 100);

		const sgt = dma_alloc_noncontiguous(dev, 1500, DMA_TO_DEVICE, GFP_KERNEL, 0)!;
		expect(sgt.sgl!.dma_length).to.equal(2 * K1);
		expect(pagesOf(dev).size).to.equal(2);
		dma_free_noncontiguous(dev, 1500, sgt, DMA_TO_DEVICE);
		expect(pagesOf(dev).size).to.equal(0);
	});

	describe('an attach that the driver puts off', () => {
		const kdump = 'elfcorehdr=64K@0x48000000';
		let rig: Rig;
		let dev: device;
		function boot(commandLine: string): void {
			rig = bootRig(commandLine, { is_attach_deferred: () => true });
			dev = rig.driver.device('a');
			dma_set_mask_and_coherent(dev, 0xffff_ffff);
			rig.driver.domainOps.attach_dev.resetHistory();
		}
		const attaches = (): number => rig.driver.domainOps.attach_dev.callCount;
		/** Each way to the first mapping: whether it was made, and what it says when it was not. */
		const ways: [string, (dev: device) => unknown, unknown, unknown][] = [
			['a page', (d) => map(d), ERROR, ERROR],
			['a resource', (d) => dma_map_resource(d, 0x0300_0000, K4, DMA_TO_DEVICE, 0), ERROR, ERROR],
			[
				'a list',
				(d) => {
					const t = table([BUFFER, 100]);
					const ret = dma_map_sgtable(d, t, DMA_TO_DEVICE, 0);
					sg_free_table(t);
					return ret;
				},
				-EINVAL,
				-ENOMEM,
			],
			['coherent memory', (d) => dma_alloc_coherent(d, K4, new ref(0), GFP_KERNEL), null, null],
			['pages', (d) => dma_alloc_pages(d, K4, new ref(0), DMA_TO_DEVICE, GFP_KERNEL), null, null],
			[
				'non-contiguous memory',
				(d) => dma_alloc_noncontiguous(d, K4, DMA_TO_DEVICE, GFP_KERNEL, 0),
				null,
				null,
			],
		];
		for (const [what, mapIt, refused, nomem] of ways) {
			it(`is made by the first mapping of ${what}, and fails it when it fails`, () => {
				boot(kdump);
				rig.driver.attachResult.set(dev, -ENODEV);
				expect(mapIt(dev)).to.equal(refused);
				rig.driver.attachResult.set(dev, -ENOMEM);
				expect(mapIt(dev)).to.equal(nomem);
				expect([attaches(), pagesOf(dev).size]).to.deep.equal([2, 0]);
				rig.driver.attachResult.clear();
				expect(mapIt(dev)).to.not.equal(refused);
				mapIt(dev);
				expect(attaches()).to.equal(3);
			});
		}

		it('is not the DMA API’s business unless a kernel crashed before', () => {
			boot('');
			expect(map(dev)).to.not.equal(ERROR);
			expect(attaches()).to.equal(0);
			boot('elfcorehdr=nonsense');
			unmap(dev, map(dev));
			expect(attaches()).to.equal(1);
		});
	});

	it('frees what it allocated', () => {
		const { driver } = bootRig();
		const dev = driver.device('a');
		dma_set_mask_and_coherent(dev, 0xffff_ffff);
		const dma = new ref(0);
		const page = dma_alloc_pages(dev, 5 * K4, dma, DMA_BIDIRECTIONAL, GFP_KERNEL)!;
		// Whole pages of the CPU, in what the IOMMU has.
		expect(pagesOf(dev).size).to.equal(PAGE_ALIGN(5 * K4) / K4);
		dma_free_pages(dev, 5 * K4, page, dma.value, DMA_BIDIRECTIONAL);
		const cpu = dma_alloc_attrs(dev, K4, dma, GFP_KERNEL, DMA_ATTR_PRIVILEGED)!;
		expect(pagesOf(dev).get(dma.value)!.prot).to.equal(IOMMU_READ | IOMMU_WRITE | IOMMU_PRIV);
		dma_free_attrs(dev, K4, cpu, dma.value, DMA_ATTR_PRIVILEGED);
		expect(pagesOf(dev).size).to.equal(0);
	});
});
