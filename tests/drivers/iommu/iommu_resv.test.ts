// SPDX-License-Identifier: GPL-2.0-only
// Reserved regions: the driver's and the tree's.
// What is mapped one to one, and that the DMA API keeps away from them.

import { expect } from 'chai';
import fc from 'fast-check';
import sinon from 'sinon';
import { pfn_to_page } from '#asm/memory.js';
import { PAGE_SIZE } from '#asm/page-def.js';
import { iommu_dma_get_resv_regions } from '#drivers/iommu/dma-iommu.js';
import {
	generic_single_device_group,
	iommu_alloc_resv_region,
	iommu_fwspec_add_ids,
	iommu_get_dma_domain,
	iommu_get_domain_for_dev,
	iommu_get_group_resv_regions,
	iommu_group_claim_dma_owner,
	iommu_group_release_dma_owner,
	iommu_iova_to_phys,
	iommu_put_resv_regions,
} from '#drivers/iommu/iommu.js';
import { of_find_node_by_path } from '#drivers/of/base.js';
import { start_kernel } from '#init/main.js';
import { dma_unmap_page_attrs } from '#kernel/dma/mapping.js';
import { dev_name, type device } from '#linux/device.js';
import { DMA_TO_DEVICE } from '#linux/dma-direction.js';
import { DMA_MAPPING_ERROR } from '#linux/dma-mapping.js';
import { EBUSY, EINVAL } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import {
	IOMMU_READ,
	IOMMU_RESV_DIRECT,
	IOMMU_RESV_DIRECT_RELAXABLE,
	IOMMU_RESV_MSI,
	IOMMU_RESV_RESERVED,
	IOMMU_RESV_SW_MSI,
	IOMMU_WRITE,
	type iommu_ops,
	type iommu_resv_region,
} from '#linux/iommu.js';
import { list_add_tail, list_for_each_entry, list_head } from '#linux/list.js';
import { of_fwnode_handle } from '#linux/of_node.js';
import { platform_driver, platform_driver_register } from '#linux/platform_device.js';
import { kfree, slab_leaks, slab_live } from '#linux/slab.js';
import { slab_fault } from '#mm/failslab.js';
import { type Node, RAM } from '#tests/hw/board.js';
import { h6 } from '#tests/hw/h6.js';
import { dma_map_page_attrs } from '#tests/kernel/dma/client.js';
import { bootRig, RW, reservedRegions, setType, typeOf } from './rig.js';
import { K4, K64, M2, TestDomain, TestDriver } from './test_driver.js';

type Region = [start: number, length: number, type: number, prot?: number];

/** A driver that knows of reserved regions, by the device's name. */
function regions(by: Record<string, Region[]>, over: Partial<iommu_ops> = {}): Partial<iommu_ops> {
	return {
		get_resv_regions: (dev, list) => {
			for (const [start, length, type, prot = RW] of by[dev_name(dev)] ?? []) {
				const region = iommu_alloc_resv_region(start, length, prot, type, GFP_KERNEL);
				if (region !== null) list_add_tail(region.list, list);
			}
		},
		...over,
	};
}
/** Domains whose addresses are few, so that all can be had. */
function small(start: number, end: number): Partial<iommu_ops> {
	return {
		domain_alloc_paging: () => {
			const domain = new TestDomain();
			Object.assign(domain.geometry, { aperture_start: start, aperture_end: end, force_aperture: true });
			return domain;
		},
	};
}
const single: Partial<iommu_ops> = { device_group: generic_single_device_group };

/** Every address that the DMA API has for single pages of @dev. */
function allAddresses(dev: device): number[] {
	const page = pfn_to_page((RAM + 0x0800_0000) / PAGE_SIZE);
	const out: number[] = [];
	for (;;) {
		const dma = dma_map_page_attrs(dev, page, 0, K4, DMA_TO_DEVICE, 0) as number;
		if (dma === DMA_MAPPING_ERROR) return out.sort((a, b) => a - b);
		out.push(dma);
	}
}
const pages = (start: number, end: number): number[] => {
	const out: number[] = [];
	for (let at = start; at < end; at += K4) out.push(at);
	return out;
};
const line = (start: number, end: number, type: string): string =>
	`0x${start.toString(16).padStart(16, '0')} 0x${end.toString(16).padStart(16, '0')} ${type}\n`;

/** The mapped runs of @dev's default domain. */
function mapped(dev: device): [number, number][] {
	const domain = iommu_get_dma_domain(dev) as TestDomain;
	const out: [number, number][] = [];
	for (const [start, { phys, size }] of [...domain.pages].sort((a, b) => a[0] - b[0])) {
		expect(phys).to.equal(start);
		const last = out.at(-1);
		if (last !== undefined && last[1] === start) last[1] = start + size;
		else out.push([start, start + size]);
	}
	return out;
}

describe('iommu_resv', () => {
	describe('the file "reserved_regions"', () => {
		// iommu_group_resv_type_string[]
		it('has a word for each type', () => {
			const { driver } = bootRig(
				'',
				regions({
					a: [
						[0x5000, 0x1000, IOMMU_RESV_SW_MSI],
						[0x1000, 0x1000, IOMMU_RESV_DIRECT],
						[0x2000, 0x1000, IOMMU_RESV_DIRECT_RELAXABLE],
						[0x3000, 0x1000, IOMMU_RESV_RESERVED],
						[0x4000, 0x1000, IOMMU_RESV_MSI],
					],
				}),
			);
			expect(reservedRegions(driver.device('a'))).to.equal(
				line(0x1000, 0x1fff, 'direct') +
					line(0x2000, 0x2fff, 'direct-relaxable') +
					line(0x3000, 0x3fff, 'reserved') +
					line(0x4000, 0x4fff, 'msi') +
					line(0x5000, 0x5fff, 'msi'),
			);
		});

		it('has the regions of all members, joined where they touch', () => {
			const { driver } = bootRig(
				'',
				regions(
					{
						a: [
							[0x8000, 0x1000, IOMMU_RESV_RESERVED],
							[0x1_0000_0000, 0x1000, IOMMU_RESV_RESERVED],
						],
						b: [
							[0x9000, 0x1000, IOMMU_RESV_RESERVED],
							[0x6000, 0x1800, IOMMU_RESV_RESERVED],
						],
					},
					single,
				),
			);
			const a = driver.device('a');
			expect(reservedRegions(a)).to.equal(
				line(0x8000, 0x8fff, 'reserved') + line(0x1_0000_0000, 0x1_0000_0fff, 'reserved'),
			);
			const b = driver.device('b');
			expect(reservedRegions(a)).to.equal(
				line(0x6000, 0x77ff, 'reserved') +
					line(0x8000, 0x9fff, 'reserved') +
					line(0x1_0000_0000, 0x1_0000_0fff, 'reserved'),
			);
			driver.remove(a);
			expect(reservedRegions(b)).to.equal(
				line(0x6000, 0x77ff, 'reserved') + line(0x9000, 0x9fff, 'reserved'),
			);
		});

		it('is sorted, and holds exactly what the members said (random regions)', () => {
			let list: Region[] = [];
			const { driver } = bootRig('', {
				get_resv_regions: (dev, head) => regions({ [dev_name(dev)]: list }).get_resv_regions!(dev, head),
			});
			const dev = driver.device('a');
			const region = fc.tuple(fc.nat(40), fc.integer({ min: 1, max: 8 }), fc.integer({ min: 2, max: 4 }));
			fc.assert(
				fc.property(fc.array(region, { maxLength: 12 }), (all) => {
					list = all.map(([start, length, type]) => [start * K4, length * K4, type]);
					const head = new list_head<iommu_resv_region>();
					expect(iommu_get_group_resv_regions(dev.iommu_group!, head)).to.equal(0);
					const got = [...list_for_each_entry(head)].map((r) => [r.start / K4, r.length / K4, r.type]);
					iommu_put_resv_regions(dev, head);
					// Page by page for each type; a run of pages is one region.
					const want: number[][] = [];
					for (const type of [2, 3, 4]) {
						const has = new Set<number>();
						for (const [start, length, t] of all)
							if (t === type) for (let i = 0; i < length; i++) has.add(start + i);
						for (let at = 0; at < 50; at++) {
							if (!has.has(at)) continue;
							let n = 1;
							while (has.has(at + n)) n++;
							want.push([at, n, type]);
							at += n;
						}
					}
					want.sort((x, y) => x[0]! - y[0]! || x[2]! - y[2]!);
					expect(got).to.deep.equal(want);
				}),
			);
		});

		it('ends what the driver gave it in the driver’s way, and leaves nothing behind', () => {
			const free = sinon.spy((_dev: device, region: iommu_resv_region) => kfree(region));
			const { driver } = bootRig('', {
				get_resv_regions: (_dev, list) => {
					const region = iommu_alloc_resv_region(0x1000, 0x1000, RW, IOMMU_RESV_RESERVED, GFP_KERNEL);
					if (region === null) return;
					region.free = free;
					list_add_tail(region.list, list);
				},
			});
			const dev = driver.device('a');
			const before = slab_live();
			free.resetHistory();
			expect(reservedRegions(dev)).to.equal(line(0x1000, 0x1fff, 'reserved'));
			expect(free.callCount).to.be.greaterThan(0);
			expect(slab_leaks(before)).to.deep.equal([]);
			for (let nth = 1; nth < 8; nth++) {
				slab_fault.nth = nth;
				reservedRegions(dev);
				slab_fault.nth = 0;
				expect(slab_leaks(before)).to.deep.equal([]);
			}
		});
	});

	describe('a direct region', () => {
		it('is mapped with its rights before the attach, in the biggest pages', () => {
			const { driver } = bootRig(
				'',
				regions({
					a: [
						[M2, M2 + K64, IOMMU_RESV_DIRECT, IOMMU_READ],
						[0x1000, 2 * K4, IOMMU_RESV_DIRECT_RELAXABLE, IOMMU_WRITE],
					],
				}),
			);
			const dev = driver.device('a');
			const { map_pages, attach_dev, flush_iotlb_all } = driver.domainOps;
			expect(map_pages.args.map((x) => [x[1], x[2], x[3], x[4], x[5]])).to.deep.equal([
				[M2, M2, M2, 1, IOMMU_READ],
				[2 * M2, 2 * M2, K64, 1, IOMMU_READ],
				[0x1000, 0x1000, K4, 2, IOMMU_WRITE],
			]);
			sinon.assert.callOrder(map_pages, flush_iotlb_all, attach_dev);
			expect(iommu_get_domain_for_dev(dev)).to.equal(driver.made[0]);
		});

		const shapes: [string, number, number, [number, number][]][] = [
			['whole pages', 0x5000, 0x3000, [[0x5000, 0x8000]]],
			['the end of a page', 0x5000, 0x2001, [[0x5000, 0x8000]]],
			['the start of a page', 0x5800, 0x1800, [[0x5000, 0x7000]]],
			['a part of one page', 0x5400, 0x100, [[0x5000, 0x6000]]],
			['parts of two pages', 0x5ffc, 8, [[0x5000, 0x7000]]],
		];
		for (const [what, start, length, want] of shapes) {
			it(`that covers ${what} has all of its bytes mapped`, () => {
				const { driver } = bootRig('', regions({ a: [[start, length, IOMMU_RESV_DIRECT]] }));
				const dev = driver.device('a');
				expect(mapped(dev)).to.deep.equal(want);
				for (const at of [start, start + length - 1])
					expect(iommu_iova_to_phys(iommu_get_dma_domain(dev), at)).to.equal(at);
			});
		}

		it('is mapped once where those of two devices overlap', () => {
			const { driver } = bootRig(
				'',
				regions(
					{
						a: [
							[0x4000, 0x1000, IOMMU_RESV_DIRECT],
							[0x7000, 0x2000, IOMMU_RESV_DIRECT],
						],
						b: [[0x3000, 0x8000, IOMMU_RESV_DIRECT]],
					},
					single,
				),
			);
			const a = driver.device('a');
			driver.domainOps.map_pages.resetHistory();
			driver.device('b');
			// What is there is left alone.
			expect(driver.domainOps.map_pages.args.map((x) => [x[1], x[4]])).to.deep.equal([
				[0x3000, 1],
				[0x5000, 2],
				[0x9000, 2],
			]);
			expect(mapped(a)).to.deep.equal([[0x3000, 0xb000]]);
		});

		it('is nothing to map for an identity domain, nor are reserved and MSI regions for any', () => {
			const both: Region[] = [
				[0x1000, 0x1000, IOMMU_RESV_DIRECT],
				[0x4000, 0x1000, IOMMU_RESV_RESERVED],
				[0x8000, 0x1000, IOMMU_RESV_MSI],
				[0xa000, 0x1000, IOMMU_RESV_SW_MSI],
			];
			const { driver } = bootRig('iommu.passthrough=1', regions({ a: both }));
			const dev = driver.device('a');
			expect(driver.domainOps.map_pages.called).to.equal(false);
			expect(setType(dev, 'DMA')).to.equal(0);
			expect(mapped(dev)).to.deep.equal([[0x1000, 0x2000]]);
			expect(setType(dev, 'identity')).to.equal(0);
			expect(setType(dev, 'auto')).to.equal(0);
		});

		it('keeps the group from being owned, in a group of several, too', () => {
			const { driver, said } = bootRig('', regions({ b: [[0x1000, 0x1000, IOMMU_RESV_DIRECT]] }, single));
			const a = driver.device('a');
			expect(iommu_group_claim_dma_owner(a.iommu_group!, 'me')).to.equal(0);
			iommu_group_release_dma_owner(a.iommu_group!);
			const b = driver.device('b');
			expect(iommu_group_claim_dma_owner(a.iommu_group!, 'me')).to.equal(-EINVAL);
			expect(said('platform b: Firmware has requested this device have a 1:1 IOMMU mapping')).to.equal(true);
			for (const dev of [a, b]) expect(iommu_get_domain_for_dev(dev)).to.equal(iommu_get_dma_domain(a));
			driver.remove(b);
			expect(iommu_group_claim_dma_owner(a.iommu_group!, 'me')).to.equal(0);
		});

		it('that is relaxable does not', () => {
			const { driver } = bootRig('', regions({ a: [[0x1000, 0x1000, IOMMU_RESV_DIRECT_RELAXABLE]] }));
			const dev = driver.device('a');
			expect(mapped(dev)).to.deep.equal([[0x1000, 0x2000]]);
			expect(iommu_group_claim_dma_owner(dev.iommu_group!, 'me')).to.equal(0);
		});

		it('is tried again after the attach when the driver cannot map before it', () => {
			const { driver, said } = bootRig('', regions({ a: [[0x1000, 0x1000, IOMMU_RESV_DIRECT]] }));
			const dev = driver.plainDevice('a');
			driver.point(dev);
			driver.refuse.set(0x1000, -EBUSY);
			driver.attach = () => {
				driver.refuse.clear();
				return 0;
			};
			expect(driver.probe(dev)).to.equal(0);
			expect(mapped(dev)).to.deep.equal([[0x1000, 0x2000]]);
			expect(said('IOMMU driver was not able to establish FW requested direct mapping.')).to.equal(true);
		});

		it('that cannot be mapped at all keeps the device out', () => {
			const { driver } = bootRig('', regions({ a: [[0x1000, 0x1000, IOMMU_RESV_DIRECT]] }));
			const dev = driver.plainDevice('a');
			driver.point(dev);
			driver.refuse.set(0x1000, -EBUSY);
			expect(driver.probe(dev)).to.equal(-EBUSY);
			expect([dev.iommu, dev.iommu_group]).to.deep.equal([null, null]);
			expect(driver.freed).to.deep.equal(driver.made);
		});

		it('that cannot be mapped in a new default domain keeps the old', () => {
			const { driver } = bootRig(
				'iommu.passthrough=1',
				regions({ a: [[0x1000, 0x1000, IOMMU_RESV_DIRECT]] }),
			);
			const dev = driver.device('a');
			driver.refuse.set(0x1000, -EBUSY);
			expect(setType(dev, 'DMA')).to.equal(-EBUSY);
			expect(typeOf(dev)).to.equal('identity');
			expect(iommu_get_domain_for_dev(dev)).to.equal(driver.identity);
			expect(driver.freed).to.deep.equal(driver.made);
			driver.refuse.clear();
			expect(setType(dev, 'DMA')).to.equal(0);
		});
	});

	describe('the DMA API', () => {
		it('never gives out an address in a region, whatever its type', () => {
			const { driver } = bootRig(
				'',
				regions(
					{
						a: [
							[0x1_2000, 0x1000, IOMMU_RESV_RESERVED],
							[0x1_4000, 0x1000, IOMMU_RESV_DIRECT],
							[0x1_6000, 0x1000, IOMMU_RESV_DIRECT_RELAXABLE],
							[0x1_8000, 0x1000, IOMMU_RESV_MSI],
							[0x1_9800, 0x1000, IOMMU_RESV_RESERVED],
						],
					},
					small(0x1_0000, 0x1_ffff),
				),
			);
			const taken = [0x1_2000, 0x1_4000, 0x1_6000, 0x1_8000, 0x1_9000, 0x1_a000];
			expect(allAddresses(driver.device('a'))).to.deep.equal(
				pages(0x1_0000, 0x2_0000).filter((at) => !taken.includes(at)),
			);
		});

		it('puts its own MSI window where it likes', () => {
			const { driver } = bootRig(
				'',
				regions({ a: [[0x1_2000, 0x2000, IOMMU_RESV_SW_MSI]] }, small(0x1_0000, 0x1_7fff)),
			);
			expect(allAddresses(driver.device('a'))).to.deep.equal(pages(0x1_0000, 0x1_8000));
		});

		// 6.12 forgets all but the first device's (Documentation/deviations.md).
		it('heeds the regions of every member, those that join later included', () => {
			const { driver } = bootRig(
				'',
				regions(
					{
						a: [[0x1_1000, 0x1000, IOMMU_RESV_RESERVED]],
						b: [[0x1_3000, 0x2000, IOMMU_RESV_DIRECT]],
						c: [
							[0x1_6000, 0x1000, IOMMU_RESV_MSI],
							[0x1_1000, 0x1000, IOMMU_RESV_RESERVED],
						],
					},
					{ ...single, ...small(0x1_0000, 0x1_7fff) },
				),
			);
			const devs = ['a', 'b', 'c'].map((name) => driver.device(name));
			expect(allAddresses(devs[0]!)).to.deep.equal([0x1_0000, 0x1_2000, 0x1_5000, 0x1_7000]);
		});

		it('does not give out again what it gave out before the device joined', () => {
			const { driver } = bootRig(
				'',
				regions({ b: [[0x1_2000, 0x2000, IOMMU_RESV_DIRECT]] }, { ...single, ...small(0x1_0000, 0x1_3fff) }),
			);
			const a = driver.device('a');
			for (const dma of allAddresses(a)) dma_unmap_page_attrs(a, dma, K4, DMA_TO_DEVICE, 0);
			driver.device('b');
			expect(allAddresses(a)).to.deep.equal([0x1_0000, 0x1_1000]);
		});

		it('would run into them otherwise: here the second device is silent as it joins', () => {
			let silent = true;
			const by = regions({ b: [[0x1_1000, 0x1000, IOMMU_RESV_DIRECT]] }).get_resv_regions!;
			const { driver } = bootRig('', {
				...single,
				...small(0x1_0000, 0x1_3fff),
				get_resv_regions: (dev, list) => {
					if (!silent) by(dev, list);
				},
			});
			const [a] = ['a', 'b'].map((name) => driver.device(name)) as [device, device];
			silent = false;
			expect(allAddresses(a)).to.include(0x1_1000);
			expect(reservedRegions(a)).to.equal(line(0x1_1000, 0x1_1fff, 'direct'));
		});

		it('reserves them again, and once, for a new domain', () => {
			const { driver } = bootRig(
				'',
				regions(
					{ a: [[0x1_1000, 0x1000, IOMMU_RESV_MSI]], b: [[0x1_1000, 0x1000, IOMMU_RESV_MSI]] },
					{ ...single, ...small(0x1_0000, 0x1_3fff) },
				),
			);
			const [a] = ['a', 'b'].map((name) => driver.device(name)) as [device, device];
			for (const type of ['DMA', 'identity', 'DMA', 'DMA']) expect(setType(a, type)).to.equal(0);
			expect([...list_for_each_entry(iommu_get_dma_domain(a).iova_cookie!.msi_page_list)].length).to.equal(1);
			expect(allAddresses(a)).to.deep.equal([0x1_0000, 0x1_2000, 0x1_3000]);
			driver.remove(driver.devices[1]!.dev);
		});

		it('is not set up for a device whose MSI window finds no memory', () => {
			const { driver, said } = bootRig('', regions({ a: [[0x8000, 0x1000, IOMMU_RESV_MSI]] }));
			const dev = driver.plainDevice('a');
			for (let nth = 1; !said('Failed to set up IOMMU for device a'); nth++) {
				expect(nth).to.be.lessThan(100);
				expect(driver.point(dev)).to.equal(0);
				slab_fault.nth = nth;
				driver.probe(dev);
				slab_fault.nth = 0;
				expect(dev.dma_iommu).to.equal(dev.iommu_group !== null && !said('Failed to set up IOMMU'));
				// Gone with its IOMMU, and back again.
				driver.unregister();
				expect(driver.register()).to.equal(0);
			}
		});
	});

	describe('the tree’s regions (iommu-addresses)', () => {
		const tree: Node = {
			'reserved-memory': {
				'#address-cells': [1],
				'#size-cells': [1],
				ranges: true,
				'fb@48000000': {
					reg: [0x4800_0000, 0x4000],
					'iommu-addresses': [51, 0x4800_0000, 0x4000, 52, 0x7000_0000, 0x4000],
					phandle: [60],
				},
				hole: { 'iommu-addresses': [51, 0x9000_0000, 0x7000_0000, 52, 0, 0x9000_0000], phandle: [61] },
			},
			testmmu: { '#iommu-cells': [1], phandle: [50] },
			display: { compatible: 'test,user', iommus: [50, 1], 'memory-region': [60, 61], phandle: [51] },
			camera: { compatible: 'test,user', iommus: [50, 2], 'memory-region': [60, 61], phandle: [52] },
		};
		function boot(over: Partial<iommu_ops> = {}) {
			const log: string[] = [];
			start_kernel(h6({ onConsole: (_level, text) => log.push(text) }, tree));
			const driver = new TestDriver('treemmu', {
				get_resv_regions: iommu_dma_get_resv_regions,
				of_xlate: (dev, args) => iommu_fwspec_add_ids(dev, args.args, 1),
				...over,
			});
			driver.iommu.fwnode = of_fwnode_handle(of_find_node_by_path('/testmmu')!);
			expect(driver.register()).to.equal(0);
			const devs = new Map<string, device>();
			platform_driver_register(
				new platform_driver({
					probe: (pdev) => devs.set(dev_name(pdev.dev), pdev.dev).size * 0,
					driver: { name: 'users', of_match_table: [{ compatible: 'test,user' }] },
				}),
			);
			const [display, camera] = [devs.get('display')!, devs.get('camera')!];
			return { driver, display, camera, said: (text: string) => log.some((l) => l.includes(text)) };
		}

		it('are shown for each device', () => {
			const { display, camera, said } = boot();
			expect(reservedRegions(display)).to.equal(
				line(0x4800_0000, 0x4800_3fff, 'direct') + line(0x9000_0000, 0xffff_ffff, 'reserved'),
			);
			expect(reservedRegions(camera)).to.equal(line(0, 0x8fff_ffff, 'reserved'));
			expect(
				said(
					'treating non-direct mapping [[mem 0x48000000-0x48003fff flags 0x200]] -> [0x0000000070000000-0x0000000070003fff] as reservation',
				),
			).to.equal(true);
		});

		it('are mapped one to one before the attach, so that a picture stays', () => {
			const { driver, display } = boot();
			expect(mapped(display)).to.deep.equal([[0x4800_0000, 0x4800_4000]]);
			sinon.assert.callOrder(driver.domainOps.map_pages, driver.domainOps.attach_dev);
			expect(iommu_group_claim_dma_owner(display.iommu_group!, 'me')).to.be.lessThan(0);
		});

		it('leave the rest to the DMA API', () => {
			const { display, camera } = boot();
			const page = pfn_to_page((RAM + 0x0800_0000) / PAGE_SIZE);
			const map = (dev: device): number => dma_map_page_attrs(dev, page, 0, K4, DMA_TO_DEVICE, 0) as number;
			expect(map(display)).to.equal(0x8fff_f000);
			expect(map(camera)).to.equal(0xffff_f000);
		});

		it('hold for both in a group of two', () => {
			const { display } = boot(single);
			expect(reservedRegions(display)).to.equal(
				line(0, 0xffff_ffff, 'reserved') + line(0x4800_0000, 0x4800_3fff, 'direct'),
			);
			const page = pfn_to_page((RAM + 0x0800_0000) / PAGE_SIZE);
			expect(dma_map_page_attrs(display, page, 0, K4, DMA_TO_DEVICE, 0)).to.equal(DMA_MAPPING_ERROR);
		});

		it('are not asked for by the H6’s own driver (as 6.12)', () => {
			const machine = h6(
				{},
				{
					'reserved-memory': {
						'#address-cells': [1],
						'#size-cells': [1],
						ranges: true,
						hole: { 'iommu-addresses': [70, 0xf000_0000, 0x1000_0000], phandle: [71] },
					},
					user: { compatible: 'oracle,master', iommus: [3, 2], 'memory-region': [71], phandle: [70] },
				},
			);
			start_kernel(machine);
			let dev: device | null = null;
			platform_driver_register(
				new platform_driver({
					probe: (pdev) => {
						if (dev_name(pdev.dev) === 'user') dev = pdev.dev;
						return 0;
					},
					driver: { name: 'users', of_match_table: [{ compatible: 'oracle,master' }] },
				}),
			);
			expect(reservedRegions(dev!)).to.equal('');
			const page = pfn_to_page((RAM + 0x0800_0000) / PAGE_SIZE);
			expect(dma_map_page_attrs(dev!, page, 0, K4, DMA_TO_DEVICE, 0)).to.equal(0xffff_f000);
		});
	});
});
