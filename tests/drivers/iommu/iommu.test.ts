// SPDX-License-Identifier: GPL-2.0-only
// The IOMMU core, with a driver made of spies.
// What is expected is what drivers/iommu/iommu.c of Linux 6.12 does.

import { expect } from 'chai';
import sinon from 'sinon';
import { pfn_to_page } from '#asm/memory.js';
import { PAGE_SIZE } from '#asm/page-def.js';
import { platform_bus_type } from '#drivers/base/platform.js';
import {
	device_iommu_capable,
	generic_single_device_group,
	iommu_alloc_resv_region,
	iommu_attach_device,
	iommu_attach_device_pasid,
	iommu_attach_group,
	iommu_attach_handle_get,
	iommu_deferred_attach,
	iommu_detach_device,
	iommu_detach_device_pasid,
	iommu_detach_group,
	iommu_dev_disable_feature,
	iommu_dev_enable_feature,
	iommu_device_claim_dma_owner,
	iommu_device_release_dma_owner,
	iommu_device_unuse_default_domain,
	iommu_device_use_default_domain,
	iommu_domain_alloc,
	iommu_domain_free,
	iommu_enable_nesting,
	iommu_fwspec_add_ids,
	iommu_fwspec_free,
	iommu_get_dma_domain,
	iommu_get_domain_for_dev,
	iommu_get_group_resv_regions,
	type iommu_group,
	iommu_group_add_device,
	iommu_group_alloc,
	iommu_group_claim_dma_owner,
	iommu_group_dma_owner_claimed,
	iommu_group_for_each_dev,
	iommu_group_get,
	iommu_group_get_iommudata,
	iommu_group_id,
	iommu_group_put,
	iommu_group_release_dma_owner,
	iommu_group_remove_device,
	iommu_group_replace_domain,
	iommu_group_set_iommudata,
	iommu_group_set_name,
	iommu_iova_to_phys,
	iommu_map,
	iommu_map_sg,
	iommu_paging_domain_alloc,
	iommu_present,
	iommu_probe_device,
	iommu_put_resv_regions,
	iommu_set_fault_handler,
	iommu_set_pgtable_quirks,
	iommu_unmap,
	iommu_unmap_fast,
	report_iommu_fault,
} from '#drivers/iommu/iommu.js';
import { sysfs_read, sysfs_readlink, sysfs_write } from '#fs/sysfs/user.js';
import { start_kernel } from '#init/main.js';
import { dev_name, type device } from '#linux/device.js';
import { ERR_PTR, IS_ERR, PTR_ERR } from '#linux/err.js';
import {
	EBUSY,
	EINVAL,
	ENODEV,
	ENOENT,
	ENOMEM,
	ENOSYS,
	EOPNOTSUPP,
	EPERM,
	EPROBE_DEFER,
} from '#linux/errno.js';
import { GFP_ATOMIC, GFP_DMA32, GFP_KERNEL } from '#linux/gfp.js';
import {
	dev_iommu_fwspec_get,
	IOMMU_CAP_CACHE_COHERENCY,
	IOMMU_DEV_FEAT_SVA,
	IOMMU_DOMAIN_BLOCKED,
	IOMMU_DOMAIN_DMA,
	IOMMU_DOMAIN_IDENTITY,
	IOMMU_DOMAIN_UNMANAGED,
	IOMMU_READ,
	IOMMU_RESV_DIRECT,
	IOMMU_RESV_MSI,
	IOMMU_RESV_RESERVED,
	IOMMU_WRITE,
	iommu_attach_handle,
	iommu_domain,
	iommu_iotlb_gather,
	iommu_iotlb_gather_add_page,
	iommu_iotlb_gather_add_range,
	iommu_iotlb_gather_init,
	iommu_iotlb_gather_is_disjoint,
	type iommu_ops,
	type iommu_resv_region,
} from '#linux/iommu.js';
import { list_add_tail, list_for_each_entry, list_head } from '#linux/list.js';
import { sg_array, sg_mark_end, sg_set_page } from '#linux/scatterlist.js';
import { slab_leaks, slab_live } from '#linux/slab.js';
import { slab_fault } from '#mm/failslab.js';
import { h6 } from '#tests/hw/h6.js';
import { expectWarning } from '#tests/setup.js';
import { G1, K4, K64, M2, type TestDomain, TestDriver } from './test_driver.js';

const RW = IOMMU_READ | IOMMU_WRITE;

/** A booted H6 whose log is kept, and a test driver registered on it. */
function boot(commandLine = '', over: ConstructorParameters<typeof TestDriver>[1] = {}) {
	const log: string[] = [];
	start_kernel(h6({ commandLine, onConsole: (_level, line) => log.push(line) }));
	const driver = new TestDriver('testmmu', over);
	expect(driver.register()).to.equal(0);
	return { driver, log, said: (text: string) => log.some((l) => l.includes(text)) };
}

function ok<T>(x: T): Exclude<NonNullable<T>, { errno: number }> {
	if (x === null || x === undefined || IS_ERR(x)) throw new Error(`an error pointer: ${PTR_ERR(x)}`);
	return x as Exclude<NonNullable<T>, { errno: number }>;
}

/** An unmanaged domain of a driver whose pages are 4 KiB, 64 KiB, 2 MiB and 1 GiB. */
function domainOf(driver: TestDriver, dev: device): TestDomain {
	return ok(iommu_paging_domain_alloc(dev)) as TestDomain;
}

/** Each map_pages() call as [page size, count]. */
function mapCalls(driver: TestDriver): number[][] {
	return driver.domainOps.map_pages.getCalls().map((c) => [c.args[3], c.args[4]]);
}

describe('iommu', () => {
	describe('page sizes', () => {
		// By hand: take the biggest page that both addresses are aligned to and that fits; stop at the boundary from
		// which a bigger one can be used.
		const cases: [string, number, number, number, number[][]][] = [
			['one small page', 0x1000, 0x5000, K4, [[K4, 1]]],
			['a run of small pages', 0x1000, 0x5000, 5 * K4, [[K4, 5]]],
			['one medium page', K64, 0x50000, K64, [[K64, 1]]],
			[
				'small, medium, small',
				K64 - K4,
				K64 - K4,
				K64 + 2 * K4,
				[
					[K4, 1],
					[K64, 1],
					[K4, 1],
				],
			],
			['no medium page when the offsets differ', K64, K64 + K4, 3 * K64, [[K4, 48]]],
			['no medium page when the range ends before one is full', K64 - K4, K64 - K4, K64, [[K4, 16]]],
			[
				'up to the big page and down again',
				M2 - K64 - K4,
				M2 - K64 - K4,
				K4 + K64 + M2 + K64 + K4,
				[
					[K4, 1],
					[K64, 1],
					[M2, 1],
					[K64, 1],
					[K4, 1],
				],
			],
			['several big pages in one call', M2, 3 * M2, 5 * M2, [[M2, 5]]],
			[
				'the biggest page',
				G1,
				2 * G1,
				G1 + M2,
				[
					[G1, 1],
					[M2, 1],
				],
			],
			[
				'big pages up to the biggest',
				G1 - 2 * M2,
				3 * G1 - 2 * M2,
				2 * M2 + G1,
				[
					[M2, 2],
					[G1, 1],
				],
			],
			['address 0', 0, 0, M2, [[M2, 1]]],
			['addresses beyond 4 GiB', 5 * G1, 7 * G1, G1, [[G1, 1]]],
		];
		for (const [what, iova, phys, size, calls] of cases) {
			it(`maps ${what}`, () => {
				const { driver } = boot();
				const domain = domainOf(driver, driver.device('a'));

				expect(iommu_map(domain, iova, phys, size, RW, GFP_KERNEL)).to.equal(0);
				expect(mapCalls(driver)).to.deep.equal(calls);
				expect(iommu_iova_to_phys(domain, iova + size - 1)).to.equal(phys + size - 1);
				expect(iommu_unmap(domain, iova, size)).to.equal(size);
				expect(domain.pages.size).to.equal(0);
			});
		}

		it('covers random ranges exactly, with aligned pages only', () => {
			const { driver } = boot();
			const domain = domainOf(driver, driver.device('a'));
			let seed = 1234;
			const random = (n: number) => {
				seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
				return (seed >>> 8) % n;
			};
			for (let round = 0; round < 60; round++) {
				const iova = random(0x400) * K4 * (random(2) ? 1 : 16);
				const phys = random(2) ? iova + random(4) * M2 : random(0x10000) * K4;
				const size = (1 + random(0x300)) * K4;
				domain.pages.clear();
				expect(iommu_map(domain, iova, phys, size, RW, GFP_KERNEL), `seed 1234, round ${round}`).to.equal(0);
				let next = iova;
				for (const [start, page] of [...domain.pages].sort((a, b) => a[0] - b[0])) {
					expect(start).to.equal(next);
					expect(page.phys - phys).to.equal(start - iova);
					expect(start % page.size).to.equal(0);
					expect(page.phys % page.size).to.equal(0);
					next += page.size;
				}
				expect(next).to.equal(iova + size);
			}
		});
	});

	describe('iommu_map', () => {
		it('refuses what is not aligned to the smallest page, with a message', () => {
			const { driver, said } = boot();
			const domain = domainOf(driver, driver.device('a'));

			expect(iommu_map(domain, 0x10800, 0x1000, K4, RW, GFP_KERNEL)).to.equal(-EINVAL);
			expect(
				said('iommu: unaligned: iova 0x10800 pa 0x0000000000001000 size 0x1000 min_pagesz 0x1000'),
			).to.equal(true);
			expect(iommu_map(domain, 0x10000, 0x1004, K4, RW, GFP_KERNEL)).to.equal(-EINVAL);
			expect(iommu_map(domain, 0x10000, 0x1000, K4 + 1, RW, GFP_KERNEL)).to.equal(-EINVAL);
			expect(driver.domainOps.map_pages.called).to.equal(false);
		});

		it('refuses a domain that takes no mappings', () => {
			const { driver } = boot();
			expect(iommu_map(driver.identity, 0, 0, K4, RW, GFP_KERNEL)).to.equal(-EINVAL);
			expect(iommu_unmap(driver.identity, 0, K4)).to.equal(0);
		});

		it('refuses to be told which memory to take tables from', () => {
			const { driver } = boot();
			const domain = domainOf(driver, driver.device('a'));
			expectWarning(/./);
			expect(iommu_map(domain, 0, 0, K4, RW, GFP_KERNEL | GFP_DMA32)).to.equal(-EINVAL);
		});

		it('warns when the driver cannot map', () => {
			const { driver } = boot();
			const domain = domainOf(driver, driver.device('a'));
			domain.pgsize_bitmap = 0;
			expectWarning(/./);
			expect(iommu_map(domain, 0, 0, K4, RW, GFP_KERNEL)).to.equal(-ENODEV);
		});

		it('syncs once for the whole range, and not for a call that failed', () => {
			const { driver } = boot();
			const domain = domainOf(driver, driver.device('a'));
			driver.refuse.set(0x50000, -ENOMEM);

			iommu_map(domain, K64 - K4, K64 - K4, 2 * K64, RW, GFP_KERNEL);
			expect(driver.domainOps.iotlb_sync_map.args).to.deep.equal([[domain, K64 - K4, 2 * K64]]);
			expect(iommu_map(domain, 0x50000, 0, K4, RW, GFP_KERNEL)).to.equal(-ENOMEM);
			expect(driver.domainOps.iotlb_sync_map.callCount).to.equal(1);
		});

		it('undoes what it did when a page in the middle fails', () => {
			const { driver } = boot();
			const domain = domainOf(driver, driver.device('a'));
			driver.refuse.set(0x3000, -EBUSY);

			expect(iommu_map(domain, 0x1000, 0x1000, 5 * K4, RW, GFP_KERNEL)).to.equal(-EBUSY);
			expect(domain.pages.size).to.equal(0);
			expect(driver.domainOps.iotlb_sync.callCount).to.equal(1);
		});

		it('undoes everything when the sync fails', () => {
			const { driver } = boot();
			const domain = domainOf(driver, driver.device('a'));
			domain.ops = { ...driver.domainOps, iotlb_sync_map: () => -ENODEV };

			expect(iommu_map(domain, 0x1000, 0x1000, K4, RW, GFP_KERNEL)).to.equal(-ENODEV);
			expect(domain.pages.size).to.equal(0);
		});

		it('succeeds for size 0, and syncs', () => {
			const { driver } = boot();
			const domain = domainOf(driver, driver.device('a'));
			expect(iommu_map(domain, 0x1000, 0x1000, 0, RW, GFP_ATOMIC)).to.equal(0);
			expect(driver.domainOps.map_pages.called).to.equal(false);
			expect(driver.domainOps.iotlb_sync_map.callCount).to.equal(1);
		});
	});

	describe('iommu_unmap', () => {
		it('stops at the first hole', () => {
			const { driver } = boot();
			const domain = domainOf(driver, driver.device('a'));
			iommu_map(domain, 0x1000, 0x1000, 2 * K4, RW, GFP_KERNEL);
			iommu_map(domain, 0x4000, 0x1000, K4, RW, GFP_KERNEL);

			expect(iommu_unmap(domain, 0x1000, 4 * K4)).to.equal(2 * K4);
			expect([...domain.pages.keys()]).to.deep.equal([0x4000]);
			expect(driver.domainOps.iotlb_sync.callCount).to.equal(1);
		});

		it('refuses what is not aligned, with a message, and flushes nevertheless', () => {
			const { driver, said } = boot();
			const domain = domainOf(driver, driver.device('a'));
			expect(iommu_unmap(domain, 0x10800, K4)).to.equal(0);
			expect(said('iommu: unaligned: iova 0x10800 size 0x1000 min_pagesz 0x1000')).to.equal(true);
			expect(driver.domainOps.iotlb_sync.callCount).to.equal(1);
		});

		it('leaves the flush to the caller when asked to be fast', () => {
			const { driver } = boot();
			const domain = domainOf(driver, driver.device('a'));
			const gather = new iommu_iotlb_gather();
			iommu_iotlb_gather_init(gather);
			iommu_map(domain, 0x1000, 0x1000, K4, RW, GFP_KERNEL);

			expect(iommu_unmap_fast(domain, 0x1000, K4, gather)).to.equal(K4);
			expect(driver.domainOps.iotlb_sync.called).to.equal(false);
			expect(driver.domainOps.unmap_pages.lastCall.args).to.include(gather);
		});
	});

	describe('iommu_map_sg', () => {
		function list(...pieces: [number, number][]) {
			const sg = sg_array(pieces.length);
			pieces.forEach(([phys, length], i) => {
				sg_set_page(sg.vec![i]!, pfn_to_page(phys / PAGE_SIZE), length, 0);
			});
			sg_mark_end(sg.vec![pieces.length - 1]!);
			return sg;
		}
		const RAM = 0x4000_0000;

		it('maps pieces one behind the other, and merges neighbours', () => {
			const { driver } = boot();
			const domain = domainOf(driver, driver.device('a'));
			const sg = list([RAM + 0x1000, K4], [RAM + 0x2000, 2 * K4], [RAM + 0x9000, K4]);

			expect(iommu_map_sg(domain, 0x100000, sg, 3, RW, GFP_KERNEL)).to.equal(4 * K4);
			expect(mapCalls(driver)).to.deep.equal([
				[K4, 3],
				[K4, 1],
			]);
			expect(iommu_iova_to_phys(domain, 0x103010)).to.equal(RAM + 0x9010);
			expect(driver.domainOps.iotlb_sync_map.args).to.deep.equal([[domain, 0x100000, 4 * K4]]);
		});

		it('undoes everything when a piece fails', () => {
			const { driver } = boot();
			const domain = domainOf(driver, driver.device('a'));
			driver.refuse.set(0x101000, -EBUSY);

			const sg = list([RAM + 0x1000, K4], [RAM + 0x9000, K4]);
			expect(iommu_map_sg(domain, 0x100000, sg, 2, RW, GFP_KERNEL)).to.equal(-EBUSY);
			expect(domain.pages.size).to.equal(0);
			// One flush by the piece, one by the list: iommu-core.json, "mapsg" with -EBUSY.
			expect(driver.domainOps.iotlb_sync.callCount).to.equal(2);
		});
	});

	describe('iommu_iova_to_phys', () => {
		it('answers the address itself for identity, and nothing for a blocked domain', () => {
			const { driver } = boot();
			expect(iommu_iova_to_phys(driver.identity, 0x1234)).to.equal(0x1234);
			expect(iommu_iova_to_phys(new iommu_domain({ type: IOMMU_DOMAIN_BLOCKED, ops: {} }), 0x1234)).to.equal(
				0,
			);
		});
	});

	describe('gathers', () => {
		it('grow to hold ranges, and know which are apart', () => {
			const g = new iommu_iotlb_gather();
			iommu_iotlb_gather_init(g);
			expect(iommu_iotlb_gather_is_disjoint(g, 0x5000, K4)).to.equal(false);
			iommu_iotlb_gather_add_range(g, 0x5000, K4);
			expect([g.start, g.end]).to.deep.equal([0x5000, 0x5fff]);
			expect(iommu_iotlb_gather_is_disjoint(g, 0x6000, K4)).to.equal(false);
			expect(iommu_iotlb_gather_is_disjoint(g, 0x7000, K4)).to.equal(true);
			expect(iommu_iotlb_gather_is_disjoint(g, 0x4000, K4)).to.equal(false);
			expect(iommu_iotlb_gather_is_disjoint(g, 0x3000, K4)).to.equal(true);
			iommu_iotlb_gather_add_range(g, 0x1000, K4);
			expect([g.start, g.end]).to.deep.equal([0x1000, 0x5fff]);
		});

		it('are flushed before a page that lies apart, or is of another size, is added', () => {
			const { driver } = boot();
			const domain = domainOf(driver, driver.device('a'));
			const g = new iommu_iotlb_gather();
			iommu_iotlb_gather_init(g);
			iommu_iotlb_gather_add_page(domain, g, 0x5000, K4);
			iommu_iotlb_gather_add_page(domain, g, 0x6000, K4);
			expect(driver.domainOps.iotlb_sync.callCount).to.equal(0);
			iommu_iotlb_gather_add_page(domain, g, 0x8000, K4);
			expect(driver.domainOps.iotlb_sync.callCount).to.equal(1);
			expect([g.start, g.end, g.pgsize]).to.deep.equal([0x8000, 0x8fff, K4]);
			iommu_iotlb_gather_add_page(domain, g, 0x9000, K64);
			expect(driver.domainOps.iotlb_sync.callCount).to.equal(2);
		});
	});

	describe('probing', () => {
		it('puts each device in a group, attaches a default domain, and finishes with probe_finalize', () => {
			const { driver, said } = boot();
			const dev = driver.device('a', 7);

			expect(iommu_get_domain_for_dev(dev)).to.equal(driver.made[0]);
			expect(driver.made[0]!.type).to.equal(IOMMU_DOMAIN_DMA);
			expect(driver.domainOps.attach_dev.args).to.deep.equal([[driver.made[0], dev]]);
			expect((driver.ops.probe_finalize as sinon.SinonSpy).args).to.deep.equal([[dev]]);
			expect(said(`platform a: Adding to iommu group ${iommu_group_id(dev.iommu_group!)}`)).to.equal(true);
			expect(dev_iommu_fwspec_get(dev)!.ids).to.deep.equal([7]);
		});

		it('is done once', () => {
			const { driver } = boot();
			const dev = driver.device('a');
			expect(iommu_probe_device(dev)).to.equal(0);
			expect((driver.ops.probe_device as sinon.SinonSpy).callCount).to.equal(1);
		});

		it('answers -ENODEV for a device that names no IOMMU', () => {
			const { driver } = boot();
			const dev = driver.plainDevice('a');
			expect(iommu_probe_device(dev)).to.equal(-ENODEV);
			expect(iommu_paging_domain_alloc(dev)).to.equal(ERR_PTR(-ENODEV));
			expect(iommu_get_domain_for_dev(dev)).to.equal(null);
			expect(iommu_group_get(dev)).to.equal(null);
		});

		it('defers while the named IOMMU has no driver, and refuses a second driver for one device', () => {
			const { driver } = boot();
			const later = new TestDriver('later');
			const dev = driver.plainDevice('a');
			expect(later.point(dev)).to.equal(-EPROBE_DEFER);
			expect(later.register()).to.equal(0);
			expect(later.point(dev)).to.equal(0);
			expect(driver.point(dev)).to.equal(-EINVAL);
			expect(later.point(dev, 1)).to.equal(0);
			expect(later.point(dev, 2, 3)).to.equal(0);
			expect(dev_iommu_fwspec_get(dev)!.ids).to.deep.equal([1, 2, 3]);
			iommu_fwspec_free(dev);
			expect(dev_iommu_fwspec_get(dev)).to.equal(null);
		});

		it('finds the devices that wait when hardware registers, and makes default domains when all members are known', () => {
			const { driver } = boot('', { device_group: generic_single_device_group });
			const a = driver.plainDevice('a');
			const b = driver.plainDevice('b');
			driver.point(a);
			driver.point(b);
			const second = new TestDriver('second');
			expect(second.register()).to.equal(0);

			expect(a.iommu_group).to.not.equal(null);
			expect(b.iommu_group).to.equal(a.iommu_group);
			expect(driver.made.length).to.equal(1);
			expect(driver.domainOps.attach_dev.args.map((x) => x[1])).to.deep.equal([a, b]);
			expect((driver.ops.probe_finalize as sinon.SinonSpy).callCount).to.equal(2);
		});

		it('undoes everything when the driver refuses the device', () => {
			const { driver } = boot('', { probe_device: () => ERR_PTR(-ENODEV) });
			const dev = driver.plainDevice('a');
			driver.point(dev);
			expect(iommu_probe_device(dev)).to.equal(-ENODEV);
			expect(dev.iommu).to.equal(null);
			expect(dev.iommu_group).to.equal(null);
		});

		it('undoes everything when there is no group', () => {
			const { driver } = boot('', { device_group: () => ERR_PTR(-ENOMEM) });
			const dev = driver.plainDevice('a');
			driver.point(dev);
			expect(iommu_probe_device(dev)).to.equal(-ENOMEM);
			expect(dev.iommu).to.equal(null);
			expect((driver.ops.release_device as sinon.SinonSpy).callCount).to.equal(1);
			expect(IS_ERR(sysfs_readlink('/sys/devices/platform/a/iommu'))).to.equal(true);
		});

		it('undoes everything when the first attach fails', () => {
			const { driver } = boot();
			const dev = driver.plainDevice('a');
			driver.point(dev);
			driver.attachResult.set(dev, -EINVAL);
			expectWarning(/./);
			expect(iommu_probe_device(dev)).to.equal(-EINVAL);
			expect(dev.iommu_group).to.equal(null);
			expect(driver.freed).to.deep.equal(driver.made);
		});

		it('releases a device that goes away, and frees the domains with the last of the group', () => {
			const { driver } = boot('', { device_group: generic_single_device_group });
			const a = driver.device('a');
			const b = driver.device('b');
			driver.remove(a);
			expect(driver.freed).to.deep.equal([]);
			driver.remove(b);
			expect(driver.freed).to.deep.equal(driver.made);
			expect((driver.ops.release_device as sinon.SinonSpy).callCount).to.equal(2);
			expect(b.iommu_group).to.equal(null);
		});

		it('attaches release_domain before the device is released', () => {
			const parked = new iommu_domain({
				type: IOMMU_DOMAIN_BLOCKED,
				ops: { attach_dev: sinon.spy(() => 0) },
			});
			const { driver } = boot('', { release_domain: parked });
			const dev = driver.device('a');
			driver.remove(dev);
			const attach = parked.ops!.attach_dev as sinon.SinonSpy;
			expect(attach.calledBefore(driver.ops.release_device as sinon.SinonSpy)).to.equal(true);
		});

		it('releases every device when the hardware is unregistered', () => {
			const { driver } = boot();
			const dev = driver.device('a');
			driver.unregister();
			expect(dev.iommu).to.equal(null);
			expect(dev.iommu_group).to.equal(null);
			expect(driver.freed.length).to.equal(1);
			expect(driver.point(dev)).to.equal(-EPROBE_DEFER);
		});
	});

	describe('default domains', () => {
		it('translate, strictly, and say so', () => {
			const { said } = boot();
			expect(said('iommu: Default domain type: Translated')).to.equal(true);
			expect(said('iommu: DMA domain TLB invalidation policy: strict mode')).to.equal(true);
		});

		it('are the identity domain with iommu.passthrough=1', () => {
			const { driver, said } = boot('iommu.passthrough=1');
			const dev = driver.device('a');
			expect(said('iommu: Default domain type: Passthrough (set via kernel command line)')).to.equal(true);
			expect(said('TLB invalidation policy')).to.equal(false);
			expect(iommu_get_domain_for_dev(dev)).to.equal(driver.identity);
			expect(dev.dma_iommu).to.equal(false);
		});

		it('are lazy with iommu.strict=0', () => {
			const { said } = boot('iommu.strict=0');
			expect(
				said('iommu: DMA domain TLB invalidation policy: lazy mode (set via kernel command line)'),
			).to.equal(true);
		});

		it('are what the driver insists on', () => {
			const { driver } = boot('', { def_domain_type: () => IOMMU_DOMAIN_IDENTITY });
			const dev = driver.device('a');
			expect(iommu_get_dma_domain(dev)).to.equal(driver.identity);
			expect(sysfs_read(`/sys/kernel/iommu_groups/${dev.iommu_group!.id}/type`)).to.equal('identity\n');
			expect(sysfs_write(`/sys/kernel/iommu_groups/${dev.iommu_group!.id}/type`, 'DMA')).to.equal(-EINVAL);
		});

		it('fall back to DMA when the driver cannot do the default', () => {
			const { driver, said } = boot('iommu.passthrough=1', {
				identity_domain: undefined,
				domain_alloc: undefined,
			});
			delete driver.ops.identity_domain;
			const dev = driver.device('a');
			expect(iommu_get_dma_domain(dev).type).to.equal(IOMMU_DOMAIN_DMA);
			expect(said('Falling back to IOMMU_DOMAIN_DMA')).to.equal(true);
		});

		it('complain about contradicting wishes in a group, and let identity win', () => {
			let wish = IOMMU_DOMAIN_DMA;
			const { driver, said } = boot('', {
				device_group: generic_single_device_group,
				def_domain_type: () =>
					wish++ && (wish === IOMMU_DOMAIN_DMA + 1 ? IOMMU_DOMAIN_DMA : IOMMU_DOMAIN_IDENTITY),
			});
			const a = driver.plainDevice('a');
			const b = driver.plainDevice('b');
			driver.point(a);
			driver.point(b);
			new TestDriver('second').register();
			expect(
				said('IOMMU driver error, requesting conflicting def_domain_type, Translated and Passthrough'),
			).to.equal(true);
			expect(iommu_get_domain_for_dev(a)).to.equal(driver.identity);
		});

		it('are attached later when the driver asks for that', () => {
			const { driver } = boot('', { is_attach_deferred: () => true });
			const dev = driver.device('a');
			const domain = iommu_get_dma_domain(dev);
			expect(driver.domainOps.attach_dev.called).to.equal(false);
			expect(iommu_deferred_attach(dev, domain)).to.equal(0);
			expect(driver.domainOps.attach_dev.args).to.deep.equal([[domain, dev]]);
			expect(iommu_deferred_attach(dev, domain)).to.equal(0);
			expect(driver.domainOps.attach_dev.callCount).to.equal(1);
		});
	});

	describe('the file "type" of a group', () => {
		const type = (dev: device) => `/sys/kernel/iommu_groups/${dev.iommu_group!.id}/type`;

		it('switches between DMA and identity, and frees the domain that was', () => {
			const { driver } = boot();
			const dev = driver.device('a');
			const first = driver.made[0]!;
			expect(sysfs_read(type(dev))).to.equal('DMA\n');
			expect(sysfs_write(type(dev), 'identity\n')).to.equal(9);
			expect(sysfs_read(type(dev))).to.equal('identity\n');
			expect(iommu_get_domain_for_dev(dev)).to.equal(driver.identity);
			expect(driver.freed).to.deep.equal([first]);
			expect(sysfs_write(type(dev), 'auto')).to.equal(4);
			expect(iommu_get_domain_for_dev(dev)).to.equal(driver.made[1]);
		});

		it('refuses while a driver is bound, and what it does not know', () => {
			const { driver } = boot();
			const dev = driver.device('a');
			expect(iommu_device_use_default_domain(dev)).to.equal(0);
			// sysfs.json, case "type-writes"
			for (const text of ['DMA\n', 'identity\n', 'auto\n'])
				expect(sysfs_write(type(dev), text)).to.equal(-EPERM);
			for (const text of ['garbage\n', 'dma\n', ' DMA\n', 'DMA \n', 'blocked\n'])
				expect(sysfs_write(type(dev), text)).to.equal(-EINVAL);
			iommu_device_unuse_default_domain(dev);
			expect(sysfs_write(type(dev), 'DMA\n')).to.equal(4);
		});

		it('goes back to the old domain when the new one cannot be attached', () => {
			const { driver } = boot('', { device_group: generic_single_device_group });
			const a = driver.device('a');
			const b = driver.device('b');
			const first = driver.made[0]!;
			driver.attachResult.set(b, -EINVAL);
			driver.domainOps.attach_dev.resetHistory();
			expectWarning(/./);
			expect(sysfs_write(type(a), 'identity')).to.equal(-EINVAL);
			expect(iommu_get_dma_domain(a)).to.equal(first);
			expect(driver.domainOps.attach_dev.args[0]).to.deep.equal([first, a]);
			expect(driver.freed).to.deep.equal([]);
		});
	});

	describe('groups', () => {
		it('have an id, a directory, and links to and from their devices', () => {
			const { driver } = boot();
			const dev = driver.device('a');
			const dir = `/sys/kernel/iommu_groups/${iommu_group_id(dev.iommu_group!)}`;
			expect(sysfs_readlink(`${dir}/devices/a`)).to.equal('../../../../devices/platform/a');
			expect(sysfs_readlink('/sys/devices/platform/a/iommu_group')).to.equal(
				`../../../kernel/iommu_groups/${dev.iommu_group!.id}`,
			);
			expect(sysfs_readlink('/sys/class/iommu/testmmu/devices/a')).to.be.a('string');
			expect(sysfs_read(`${dir}/reserved_regions`)).to.equal('');
		});

		it('can be given a name, and lose it', () => {
			const { driver } = boot();
			const group = driver.device('a').iommu_group!;
			const file = `/sys/kernel/iommu_groups/${group.id}/name`;
			expect(iommu_group_set_name(group, 'one')).to.equal(0);
			expect(sysfs_read(file)).to.equal('one\n');
			expect(iommu_group_set_name(group, 'other')).to.equal(0);
			expect(sysfs_read(file)).to.equal('other\n');
			expect(iommu_group_set_name(group, null)).to.equal(0);
			expect(IS_ERR(sysfs_read(file))).to.equal(true);
		});

		it('end with the last reference, and release the driver data', () => {
			boot();
			const release = sinon.spy();
			const group = ok(iommu_group_alloc()) as iommu_group;
			const { id } = group;
			iommu_group_set_iommudata(group, 'mine', release);
			expect(iommu_group_get_iommudata(group)).to.equal('mine');
			iommu_group_put(group);
			expect(release.args).to.deep.equal([['mine']]);
			expect(IS_ERR(sysfs_read(`/sys/kernel/iommu_groups/${id}/type`))).to.equal(true);
			const again = ok(iommu_group_alloc()) as iommu_group;
			expect(again.id).to.equal(id);
			iommu_group_put(again);
		});

		it('take devices without an IOMMU, too', () => {
			const { driver, said } = boot();
			const dev = driver.plainDevice('a');
			const group = ok(iommu_group_alloc()) as iommu_group;
			expect(iommu_group_add_device(group, dev)).to.equal(0);
			iommu_group_put(group);
			const seen: string[] = [];
			expect(iommu_group_for_each_dev(group, seen, (d, names) => names.push(dev_name(d)) - 1)).to.equal(0);
			expect(seen).to.deep.equal(['a']);
			expect(sysfs_read(`/sys/kernel/iommu_groups/${group.id}/type`)).to.equal('unknown\n');
			iommu_group_remove_device(dev);
			expect(said('platform a: Removing from iommu group')).to.equal(true);
			expect(dev.iommu_group).to.equal(null);
		});

		it('stop an iteration at the first result that is not 0', () => {
			const { driver } = boot('', { device_group: generic_single_device_group });
			const a = driver.device('a');
			driver.device('b');
			const fn = sinon.spy(() => -EBUSY);
			expect(iommu_group_for_each_dev(a.iommu_group!, null, fn)).to.equal(-EBUSY);
			expect(fn.callCount).to.equal(1);
		});
	});

	describe('attaching', () => {
		it('by device needs a group of one', () => {
			const { driver } = boot('', { device_group: generic_single_device_group });
			const a = driver.device('a');
			const domain = domainOf(driver, a);
			expect(iommu_attach_device(domain, a)).to.equal(0);
			expect(iommu_get_domain_for_dev(a)).to.equal(domain);
			expect(iommu_attach_device(domain, a)).to.equal(-EBUSY);
			iommu_detach_device(domain, a);
			expect(iommu_get_domain_for_dev(a)).to.equal(iommu_get_dma_domain(a));
			driver.device('b');
			expect(iommu_attach_device(domain, a)).to.equal(-EINVAL);
			expect(iommu_attach_device(domain, driver.plainDevice('c'))).to.equal(-ENODEV);
		});

		it('by group reaches every member, and detaching goes back', () => {
			const { driver } = boot('', { device_group: generic_single_device_group });
			const a = driver.device('a');
			const b = driver.device('b');
			const group = a.iommu_group!;
			const domain = domainOf(driver, a);
			driver.domainOps.attach_dev.resetHistory();
			expect(iommu_attach_group(domain, group)).to.equal(0);
			expect(driver.domainOps.attach_dev.args).to.deep.equal([
				[domain, a],
				[domain, b],
			]);
			expect(iommu_attach_group(domainOf(driver, a), group)).to.equal(-EBUSY);
			iommu_detach_group(domain, group);
			expect(iommu_get_domain_for_dev(b)).to.equal(iommu_get_dma_domain(b));
		});

		it('refuses the domain of another driver', () => {
			const { driver } = boot();
			const other = new TestDriver('other');
			other.register();
			const domain = domainOf(other, other.device('b'));
			expect(iommu_attach_group(domain, driver.device('a').iommu_group!)).to.equal(-EINVAL);
		});

		it('gives the members that were attached the old domain back when one refuses', () => {
			const { driver } = boot('', { device_group: generic_single_device_group });
			const a = driver.device('a');
			const b = driver.device('b');
			const old = iommu_get_dma_domain(a);
			const domain = domainOf(driver, a);
			driver.domainOps.attach_dev.resetHistory();
			const ops = {
				...driver.domainOps,
				attach_dev: sinon.spy((_d: iommu_domain, dev: device) => (dev === b ? -ENOMEM : 0)),
			};
			domain.ops = ops;
			expect(iommu_attach_group(domain, a.iommu_group!)).to.equal(-ENOMEM);
			expect(iommu_get_domain_for_dev(a)).to.equal(old);
			expect(driver.domainOps.attach_dev.args).to.deep.equal([
				[old, a],
				[old, b],
			]);
		});

		it('can replace whatever is attached', () => {
			const { driver } = boot();
			const dev = driver.device('a');
			const one = domainOf(driver, dev);
			const two = domainOf(driver, dev);
			expect(iommu_group_replace_domain(dev.iommu_group!, one)).to.equal(0);
			expect(iommu_group_replace_domain(dev.iommu_group!, two)).to.equal(0);
			expect(iommu_get_domain_for_dev(dev)).to.equal(two);
			expect(iommu_group_replace_domain(dev.iommu_group!, null)).to.equal(-EINVAL);
		});

		it('answers -EOPNOTSUPP for a PASID when the driver knows none', () => {
			const { driver } = boot();
			const dev = driver.device('a');
			expect(iommu_attach_device_pasid(domainOf(driver, dev), dev, 1, null)).to.equal(-EOPNOTSUPP);
		});
	});

	describe('ownership', () => {
		it('is refused while a driver uses the DMA API, and refuses drivers once it is had', () => {
			const { driver } = boot();
			const dev = driver.device('a');
			const group = dev.iommu_group!;
			expect(iommu_device_use_default_domain(dev)).to.equal(0);
			expect(iommu_group_dma_owner_claimed(group)).to.equal(true);
			expect(iommu_group_claim_dma_owner(group, driver)).to.equal(-EPERM);
			iommu_device_unuse_default_domain(dev);
			expect(iommu_group_claim_dma_owner(group, driver)).to.equal(0);
			expect(iommu_device_use_default_domain(dev)).to.equal(-EBUSY);
			iommu_group_release_dma_owner(group);
			expect(iommu_device_use_default_domain(dev)).to.equal(0);
			iommu_device_unuse_default_domain(dev);
		});

		it('blocks DMA with an empty domain when the driver has no blocking one', () => {
			const { driver } = boot();
			const dev = driver.device('a');
			const group = dev.iommu_group!;
			expect(iommu_group_claim_dma_owner(group, 'me')).to.equal(0);
			const blocking = iommu_get_domain_for_dev(dev)!;
			expect(blocking.type).to.equal(IOMMU_DOMAIN_UNMANAGED);
			expect(blocking).to.not.equal(iommu_get_dma_domain(dev));

			const mine = domainOf(driver, dev);
			expect(iommu_attach_group(mine, group)).to.equal(0);
			iommu_detach_group(mine, group);
			expect(iommu_get_domain_for_dev(dev)).to.equal(blocking);
			iommu_group_release_dma_owner(group);
			expect(iommu_get_domain_for_dev(dev)).to.equal(iommu_get_dma_domain(dev));
		});

		it('of a device is shared by claims of the same owner only', () => {
			const { driver } = boot('', { device_group: generic_single_device_group });
			const a = driver.device('a');
			const b = driver.device('b');
			expect(iommu_device_claim_dma_owner(a, 'me')).to.equal(0);
			expect(iommu_device_claim_dma_owner(b, 'me')).to.equal(0);
			expect(iommu_device_claim_dma_owner(b, 'you')).to.equal(-EPERM);
			iommu_device_release_dma_owner(a);
			expect(iommu_group_dma_owner_claimed(a.iommu_group!)).to.equal(true);
			iommu_device_release_dma_owner(b);
			expect(iommu_group_dma_owner_claimed(a.iommu_group!)).to.equal(false);
			expect(iommu_device_claim_dma_owner(driver.plainDevice('c'), 'me')).to.equal(-ENODEV);
		});
	});

	describe('reserved regions', () => {
		function region(start: number, length: number, type: number): iommu_resv_region {
			return iommu_alloc_resv_region(start, length, RW, type, GFP_KERNEL)!;
		}

		it('of a group are sorted, and those of one type that touch are merged', () => {
			const { driver } = boot('', {
				get_resv_regions: (_dev, list) => {
					for (const [start, length, type] of [
						[0x9000, 0x1000, IOMMU_RESV_RESERVED],
						[0x1000, 0x2000, IOMMU_RESV_RESERVED],
						[0x2000, 0x1000, IOMMU_RESV_MSI],
						[0x3000, 0x1000, IOMMU_RESV_RESERVED],
					])
						list_add_tail(region(start!, length!, type!).list, list);
				},
			});
			const dev = driver.device('a');
			expect(sysfs_read(`/sys/kernel/iommu_groups/${dev.iommu_group!.id}/reserved_regions`)).to.equal(
				'0x0000000000001000 0x0000000000003fff reserved\n' +
					'0x0000000000002000 0x0000000000002fff msi\n' +
					'0x0000000000009000 0x0000000000009fff reserved\n',
			);
			const head = new list_head<iommu_resv_region>();
			expect(iommu_get_group_resv_regions(dev.iommu_group!, head)).to.equal(0);
			expect([...list_for_each_entry(head)].map((r) => r.start)).to.deep.equal([0x1000, 0x2000, 0x9000]);
			iommu_put_resv_regions(dev, head);
		});

		it('that are direct are mapped one to one before the attach, and forbid a blocking domain', () => {
			const { driver, said } = boot('', {
				get_resv_regions: (_dev, list) =>
					list_add_tail(region(0x4008_0000, 0x4000, IOMMU_RESV_DIRECT).list, list),
			});
			const dev = driver.device('a');
			const domain = driver.made[0]!;
			expect(driver.domainOps.map_pages.calledBefore(driver.domainOps.attach_dev)).to.equal(true);
			expect(iommu_iova_to_phys(domain, 0x4008_3ff0)).to.equal(0x4008_3ff0);
			expect(driver.domainOps.flush_iotlb_all.callCount).to.be.greaterThan(0);
			expect(iommu_group_claim_dma_owner(dev.iommu_group!, 'me')).to.equal(-EINVAL);
			expect(said('Firmware has requested this device have a 1:1 IOMMU mapping')).to.equal(true);
			expect(iommu_get_domain_for_dev(dev)).to.equal(domain);
		});
	});

	describe('faults', () => {
		it('go to the handler of the domain, or are nobody else’s business', () => {
			const { driver } = boot();
			const dev = driver.device('a');
			const domain = domainOf(driver, dev);
			expect(report_iommu_fault(domain, dev, 0x1000, 0)).to.equal(-ENOSYS);
			const handler = sinon.spy(() => -EINVAL);
			iommu_set_fault_handler(domain, handler, 'token');
			expect(report_iommu_fault(domain, dev, 0x2000, 1)).to.equal(-EINVAL);
			expect(handler.args).to.deep.equal([[domain, dev, 0x2000, 1, 'token']]);
		});
	});

	describe('questions', () => {
		it('are answered as a driver without the feature answers them', () => {
			const { driver } = boot();
			const dev = driver.device('a');
			const domain = domainOf(driver, dev);
			expect(device_iommu_capable(dev, IOMMU_CAP_CACHE_COHERENCY)).to.equal(false);
			expect(device_iommu_capable(driver.plainDevice('b'), IOMMU_CAP_CACHE_COHERENCY)).to.equal(false);
			expect(iommu_dev_enable_feature(dev, IOMMU_DEV_FEAT_SVA)).to.equal(-ENODEV);
			expect(iommu_dev_disable_feature(dev, IOMMU_DEV_FEAT_SVA)).to.equal(-EBUSY);
			expect(iommu_set_pgtable_quirks(domain, 1)).to.equal(-EINVAL);
			expect(iommu_enable_nesting(domain)).to.equal(-EINVAL);
			expect(iommu_present(platform_bus_type)).to.equal(true);
		});

		it('about two drivers on one bus give no domain for the bus', () => {
			const { driver } = boot();
			const other = new TestDriver('other');
			other.register();
			driver.device('a');
			const domain = iommu_domain_alloc(platform_bus_type);
			expect(domain).to.equal(driver.made[1]);
			other.device('b');
			expectWarning(/Multiple IOMMU drivers present for bus platform/);
			expect(iommu_domain_alloc(platform_bus_type)).to.equal(null);
		});
	});

	// errors.json of the interface facts lists who fails how.
	describe('failures', () => {
		/** Run @attempt with the first, second, ... allocation failing, until it succeeds; at which it did. */
		function failEachAllocation(attempt: () => number, errors = [-ENOMEM]): number {
			for (let nth = 1; ; nth++) {
				slab_fault.nth = nth;
				const ret = attempt();
				slab_fault.nth = 0;
				if (ret === 0) return nth;
				expect(errors, `allocation ${nth}`).to.include(ret);
			}
		}

		it('of any allocation while a device is probed leave nothing behind', () => {
			const { driver } = boot();
			const dev = driver.plainDevice('a');
			const before = slab_live();
			// -EINVAL: iommu_group_alloc_default_domain() does not say why there is no DMA domain.
			const nth = failEachAllocation(() => {
				const fault = slab_fault.nth;
				slab_fault.nth = 0;
				expect(slab_leaks(before)).to.deep.equal([]);
				expect(driver.point(dev, 1)).to.equal(0);
				slab_fault.nth = fault;
				const err = iommu_probe_device(dev);
				if (err !== 0) {
					expect(dev.iommu).to.equal(null);
					expect(dev.iommu_group).to.equal(null);
					expect(IS_ERR(sysfs_readlink('/sys/devices/platform/a/iommu_group'))).to.equal(true);
				}
				return err;
			}, [-ENOMEM, -EINVAL]);
			expect(nth).to.be.greaterThan(10);
			expect(iommu_get_domain_for_dev(dev)).to.equal(driver.made.at(-1));
		});

		it('of any allocation of a group, or of a member, leave nothing behind', () => {
			const { driver } = boot();
			const dev = driver.plainDevice('a');
			const before = slab_live();
			let group: iommu_group | null = null;
			const attempt = () => {
				expect(slab_leaks(before)).to.deep.equal([]);
				const made = iommu_group_alloc();
				if (IS_ERR(made)) return PTR_ERR(made);
				const ret = iommu_group_add_device(made, dev);
				if (ret !== 0) iommu_group_put(made);
				else group = made;
				return ret;
			};
			expect(failEachAllocation(attempt)).to.be.greaterThan(5);
			iommu_group_remove_device(dev);
			iommu_group_put(group);
			expect(slab_leaks(before)).to.deep.equal([]);
		});

		it('of an allocation leave a fwspec as it was', () => {
			const { driver } = boot();
			const dev = driver.plainDevice('a');
			expect(iommu_fwspec_add_ids(dev, [1], 1)).to.equal(-EINVAL);
			expect(driver.point(dev, 1)).to.equal(0);
			slab_fault.nth = 1;
			expect(iommu_fwspec_add_ids(dev, [2, 3], 2)).to.equal(-ENOMEM);
			expect(dev_iommu_fwspec_get(dev)!.ids).to.deep.equal([1]);
			expect(iommu_fwspec_add_ids(dev, [2, 3], 2)).to.equal(0);
			expect(dev_iommu_fwspec_get(dev)!.ids).to.deep.equal([1, 2, 3]);
		});

		const domains: [string, number, Partial<iommu_ops>][] = [
			['-EOPNOTSUPP when the driver allocates none', -EOPNOTSUPP, { domain_alloc_paging: undefined }],
			['-ENOMEM when it answers null', -ENOMEM, { domain_alloc_paging: () => null }],
			['its own error', -EBUSY, { domain_alloc_paging: () => ERR_PTR(-EBUSY) }],
		];
		for (const [what, error, ops] of domains) {
			it(`to allocate a domain are ${what}`, () => {
				const { driver } = boot('iommu.passthrough=1', ops);
				const dev = driver.device('a');
				expect(PTR_ERR(iommu_paging_domain_alloc(dev))).to.equal(error);
			});
		}

		it('are -ENODEV for a device without IOMMU or group', () => {
			const { driver } = boot();
			const plain = driver.plainDevice('b');
			const domain = domainOf(driver, driver.device('a'));
			expect(PTR_ERR(iommu_paging_domain_alloc(plain))).to.equal(-ENODEV);
			expect(iommu_attach_device(domain, plain)).to.equal(-ENODEV);
			expect(iommu_device_use_default_domain(plain)).to.equal(0);
			expect(iommu_group_get(plain)).to.equal(null);
		});

		it('are -EPROBE_DEFER for a driver that comes before the default domain', () => {
			const { driver } = boot();
			const dev = driver.plainDevice('a');
			const group = ok(iommu_group_alloc());
			expect(iommu_group_add_device(group, dev)).to.equal(0);
			expect(iommu_device_use_default_domain(dev)).to.equal(-EPROBE_DEFER);
			expect(iommu_group_dma_owner_claimed(group)).to.equal(false);
			iommu_group_remove_device(dev);
			iommu_group_put(group);
		});

		it('to claim a group are -EINVAL for nobody, and -EBUSY while a domain is attached', () => {
			const { driver } = boot();
			const dev = driver.device('a');
			const group = dev.iommu_group!;
			expectWarning(/./);
			expect(iommu_group_claim_dma_owner(group, null)).to.equal(-EINVAL);
			const domain = domainOf(driver, dev);
			expect(iommu_attach_group(domain, group)).to.equal(0);
			expect(iommu_attach_group(domainOf(driver, dev), group)).to.equal(-EBUSY);
			expect(iommu_group_claim_dma_owner(group, 'me')).to.equal(-EBUSY);
			expect(iommu_group_dma_owner_claimed(group)).to.equal(false);
		});

		it('to attach the blocking domain leave the owner without the group', () => {
			const { driver } = boot();
			const dev = driver.device('a');
			driver.attachResult.set(dev, -EINVAL);
			expectWarning(/./);
			expect(iommu_group_claim_dma_owner(dev.iommu_group!, 'me')).to.equal(-EINVAL);
			expect(iommu_group_dma_owner_claimed(dev.iommu_group!)).to.equal(false);
			expect(iommu_get_domain_for_dev(dev)).to.equal(iommu_get_dma_domain(dev));
		});
	});

	describe('PASIDs', () => {
		/** Two devices in one group that send 16 PASIDs each, and a domain whose driver knows them. */
		function pasids() {
			const remove_dev_pasid = sinon.spy();
			const { driver } = boot('', { device_group: generic_single_device_group, remove_dev_pasid });
			const a = driver.device('a');
			const b = driver.device('b');
			const domain = domainOf(driver, a);
			const set = sinon.stub().returns(0);
			domain.ops = { ...driver.domainOps, set_dev_pasid: set };
			for (const dev of [a, b]) dev.iommu!.max_pasids = 16;
			return { a, b, domain, set, remove_dev_pasid };
		}

		it('are attached to every member, keep the group from others, and are found by handle', () => {
			const { a, b, domain, set, remove_dev_pasid } = pasids();
			const handle = new iommu_attach_handle();
			const group = a.iommu_group!;
			expect(iommu_attach_device_pasid(domain, a, 3, handle)).to.equal(0);
			expect(set.args.map((x) => [x[1], x[2]])).to.deep.equal([
				[a, 3],
				[b, 3],
			]);
			expect(iommu_attach_handle_get(group, 3, 0)).to.equal(handle);
			expect(PTR_ERR(iommu_attach_handle_get(group, 3, IOMMU_DOMAIN_DMA))).to.equal(-EBUSY);
			expect(PTR_ERR(iommu_attach_handle_get(group, 4, 0))).to.equal(-ENOENT);
			expect(iommu_attach_device_pasid(domain, a, 3, handle)).to.equal(-EBUSY);
			expect(iommu_group_claim_dma_owner(group, 'me')).to.equal(-EBUSY);
			iommu_detach_device_pasid(domain, a, 3);
			expect(remove_dev_pasid.args.map((x) => [x[0], x[1]])).to.deep.equal([
				[a, 3],
				[b, 3],
			]);
			expect(PTR_ERR(iommu_attach_handle_get(group, 3, 0))).to.equal(-ENOENT);
		});

		it('are refused when a member cannot send them, and PASID 0 always', () => {
			const { a, b, domain, set } = pasids();
			b.iommu!.max_pasids = 2;
			expect(iommu_attach_device_pasid(domain, a, 3, null)).to.equal(-EINVAL);
			expect(iommu_attach_device_pasid(domain, a, 0, null)).to.equal(-EINVAL);
			expect(set.callCount).to.equal(0);
		});

		it('are taken from the members that had them when one refuses', () => {
			const { a, b, domain, set, remove_dev_pasid } = pasids();
			set.onSecondCall().returns(-EINVAL);
			expect(iommu_attach_device_pasid(domain, a, 3, new iommu_attach_handle())).to.equal(-EINVAL);
			expect(remove_dev_pasid.args.map((x) => x[0])).to.deep.equal([a]);
			expect(PTR_ERR(iommu_attach_handle_get(b.iommu_group!, 3, 0))).to.equal(-ENOENT);
		});
	});

	it('frees a domain through its driver', () => {
		const { driver } = boot();
		const domain = domainOf(driver, driver.device('a'));
		iommu_domain_free(domain);
		expect(driver.freed).to.deep.equal([domain]);
	});
});
