// SPDX-License-Identifier: GPL-2.0-only
// Invalidations that are missing, or too narrow: found as the operation returns although no device ever accessed a page.
import { expect } from 'chai';
import {
	iommu_attach_group,
	iommu_detach_group,
	iommu_domain_free,
	iommu_unmap,
} from '#drivers/iommu/iommu.js';
import { figure } from '#hw/iommu/iommu.js';
import type { iommu_domain_ops } from '#linux/iommu.js';
import { type Change, expectAny, IOVA, K4, WrongDriver } from './wrong-driver.js';

describe('agreement', () => {
	for (const [what, board, change, found] of [
		[
			'an iotlb_sync() that does nothing',
			'edu',
			() => ({ iotlb_sync: () => {} }),
			/^stale-after-unmap, return: iotlb_sync\(\) does not invalidate at all what the TLB has of 0x00400000$/,
		],
		[
			'an iotlb_sync() that leaves the last page out',
			'edu',
			(driver) => ({
				iotlb_sync: (d, gather) => {
					gather.end = gather.start;
					driver.iotlb_sync(d, gather);
				},
			}),
			/^stale-after-unmap, return: what iotlb_sync\(\) invalidates \(edu_cmdq_wait\(\) in edu_cmdq_issue\(\): INV_RANGE \d+ 0x00400000\.\.0x00400000\) does not cover 0x0040\d000 in the TLB/,
		],
		[
			'no iotlb_sync() at all',
			'edu',
			() => ({ iotlb_sync: undefined }),
			/^stale-after-unmap, return: edu_iommu_unmap_pages\(\) does not invalidate at all/,
		],
		[
			'an iotlb_sync() of another unit that does nothing',
			'h6',
			() => ({ iotlb_sync: () => {} }),
			/^stale-after-unmap, return: iotlb_sync\(\) does not invalidate at all what the micro TLB of DE has of 0x00400000$/,
		],
	] as readonly (readonly [string, 'edu' | 'h6', Change, RegExp])[])
		it(`sees ${what}, as iommu_unmap() returns`, () => {
			expectAny();
			const rig = new WrongDriver(board);
			const domain = rig.wrong(change);
			rig.map(domain, 3);
			iommu_unmap(domain, IOVA, 3 * K4);
			expect(rig.first(), rig.first()).to.match(found);
		});

	for (const board of ['edu', 'h6'] as const)
		it(`sees a mapping after which what was not there may still be cached (${board})`, () => {
			expectAny();
			const rig = new WrongDriver(board);
			const domain = rig.wrong(() => ({ iotlb_sync_map: () => 0 }));
			rig.map(domain, 3);
			expect(rig.first()).to.match(
				/^stale-after-map, return: iotlb_sync_map\(\) does not invalidate at all what the .* has of 0x00400000$/,
			);
		});

	it('sees tables that are freed while a cache may still have them', () => {
		expectAny();
		const rig = new WrongDriver();
		const domain = rig.attached(1);
		const group = rig.device(1).iommu_group!;
		rig.map(domain);
		rig.change(domain, (driver) => ({
			// The hardware is told nothing while the tables are freed.
			free: (d) => {
				rig.iommu.stuck.add('commands');
				driver.free(d);
			},
		}));
		iommu_detach_group(domain, group);
		iommu_domain_free(domain);
		expect(rig.first()).to.match(
			/^freed-while-reachable, return: free\(\) frees the L2 at 0x\w+ too early: first clear/,
		);
		expect(rig.kinds()).to.include('INV-TLB-UNMAP stale-after-free');
	});

	it('sees a stream whose record was changed and not invalidated', () => {
		expectAny();
		const rig = new WrongDriver();
		const domain = rig.domain(1);
		const group = rig.device(1).iommu_group!;
		// Late: by the next command.
		rig.change(
			domain,
			(driver): Partial<iommu_domain_ops> => ({
				attach_dev: (d, dev) => {
					const drop = rig.iommu.caches()[0].dropRange;
					rig.iommu.caches()[0].dropRange = () => {};
					const ret = driver.attach_dev(d, dev);
					rig.iommu.caches()[0].dropRange = drop;
					return ret;
				},
			}),
		);
		expect(iommu_attach_group(domain, group)).to.equal(0);
		expect(rig.first()).to.match(/^stale-after-attach, return: .*the record of stream 1/);
	});

	it('is silent about drivers that do all they should, and changes no figure and no cache', () => {
		for (const board of ['edu', 'h6'] as const) {
			const rig = new WrongDriver(board);
			const domain = rig.attached(1);
			for (let i = 0; i < 3; i++) {
				rig.map(domain, 5);
				iommu_unmap(domain, IOVA, 5 * K4);
			}
			for (const cache of rig.iommu.caches()) expect([...cache.entries()], cache.name).to.deep.equal([]);
			expect(figure(rig.iommu, 'table walks')).to.equal(0);
			rig.detachAndFree(domain, 1);
			expect(rig.findings()).to.equal('');
		}
	});

	it('guesses nothing where hardware does not', () => {
		const rig = new WrongDriver('edu', { policy: 'optimistic' });
		const domain = rig.wrong(() => ({ iotlb_sync: () => {} }));
		rig.map(domain);
		iommu_unmap(domain, IOVA, K4);
		expect(rig.kinds()).to.deep.equal([]);
	});
});
