// SPDX-License-Identifier: GPL-2.0-only
// What a driver's functions return, and what they do besides.
import { expect } from 'chai';
import { iommu_attach_group, iommu_iova_to_phys, iommu_unmap } from '#drivers/iommu/iommu.js';
import { EINVAL, ENOENT } from '#linux/errno.js';
import type { iommu_domain } from '#linux/iommu.js';
import { BUFFER, type Change, expectAny, IOVA, K4, WrongDriver } from './wrong-driver.js';

type Use = (rig: WrongDriver, domain: iommu_domain) => void;

const map: Use = (rig, domain) => void rig.map(domain, 3);
const mapAndUnmap: Use = (rig, domain) => {
	rig.map(domain, 3);
	iommu_unmap(domain, IOVA, 3 * K4);
};

const CASES: readonly (readonly [what: string, use: Use, change: Change, found: RegExp])[] = [
	[
		'a map that says 0 and has mapped nothing',
		(rig, domain) => expect(() => rig.map(domain)).to.throw('iommu_map() never ends'),
		() => ({ map_pages: () => 0 }),
		/^mapped-nothing, return: map_pages\(\) does not set \*mapped/,
	],
	[
		'a map that counts more than it was asked for',
		map,
		(driver) => ({
			map_pages: (d, iova, pa, size, count, prot, gfp, mapped) => {
				const ret = driver.map_pages(d, iova, pa, size, count, prot, gfp, mapped);
				mapped.value += size;
				return ret;
			},
		}),
		/^mapped-too-much, return: map_pages\(\) must add to \*mapped/,
	],
	[
		'a map that counts pages that it has not mapped',
		map,
		(driver) => ({
			map_pages: (d, iova, pa, size, count, prot, gfp, mapped) => {
				const ret = driver.map_pages(d, iova, pa, size, count - 1, prot, gfp, mapped);
				mapped.value += size;
				return ret;
			},
		}),
		/^not-in-tables, return: .*wrote a wrong word for 0x00402000/,
	],
	[
		'a map that fails with an errno of nobody',
		map,
		() => ({ map_pages: () => -ENOENT }),
		/^odd-errno, return: map_pages\(\) should return -EINVAL or -ERANGE/,
	],
	[
		'a map that returns what is no errno',
		map,
		(driver) => ({
			map_pages: (d, iova, pa, size, count, prot, gfp, mapped) => {
				driver.map_pages(d, iova, pa, size, count, prot, gfp, mapped);
				return mapped.value;
			},
		}),
		/^bad-result, return: map_pages\(\) must return 0 or a negative errno$/,
	],
	[
		'a map that fails and leaves a page',
		map,
		(driver) => ({
			map_pages: (d, iova, pa, size, count, prot, gfp, mapped) => {
				driver.map_pages(d, iova, pa, size, count, prot, gfp, mapped);
				mapped.value = 0;
				return -EINVAL;
			},
		}),
		/^still-in-tables, return: map_pages\(\) wrote a wrong word for 0x00400000/,
	],
	[
		'a map that changes the page behind its range',
		(rig, domain) => {
			rig.map(domain, 1, IOVA + K4);
			rig.map(domain, 1);
		},
		(driver) => ({
			map_pages: (d, iova, pa, size, count, prot, gfp, mapped) => {
				const ret = driver.map_pages(d, iova, pa, size, count, prot, gfp, mapped);
				driver.unmap_pages(d, iova + size, size, 1, { queued: true } as never);
				return ret;
			},
		}),
		/^cleared-another, return: map_pages\(\) clears a word \(the L2 word for 0x00401000\) by which something else is mapped$/,
	],
	[
		'an unmap of nothing that says it was something',
		(_rig, domain) => void iommu_unmap(domain, IOVA, K4),
		() => ({ unmap_pages: (_d, _iova, size) => size }),
		/^unmapped-too-much, return: unmap_pages\(\) must return how many bytes/,
	],
	[
		'an unmap that does nothing and says 0',
		mapAndUnmap,
		() => ({ unmap_pages: () => 0 }),
		/^unmapped-nothing, return: unmap_pages\(\) does not find the word for 0x00400000/,
	],
	[
		'an unmap that says all and leaves the last page',
		mapAndUnmap,
		(driver) => ({
			unmap_pages: (d, iova, size, count, gather) =>
				driver.unmap_pages(d, iova, size, count - 1, gather) + size,
		}),
		/^gather-too-narrow, return: unmap_pages\(\) must call iommu_iotlb_gather_add_page\(\)/,
	],
	[
		'an unmap that gathers one page of several',
		mapAndUnmap,
		(driver) => ({
			unmap_pages: (d, iova, size, count, gather) => {
				const done = driver.unmap_pages(d, iova, size, count, gather);
				gather.end = gather.start + size - 1;
				return done;
			},
		}),
		/^gather-too-narrow, return: /,
	],
	[
		'an unmap that gathers in steps of the range',
		mapAndUnmap,
		(driver) => ({
			unmap_pages: (d, iova, size, count, gather) => {
				const done = driver.unmap_pages(d, iova, size, count, gather);
				gather.pgsize = done;
				return done;
			},
		}),
		/^gather-too-coarse, return: /,
	],
	[
		'an unmap that takes one page more away than it says',
		(rig, domain) => {
			rig.map(domain, 3);
			iommu_unmap(domain, IOVA, K4);
		},
		(driver) => ({
			unmap_pages: (d, iova, size, count, gather) =>
				driver.unmap_pages(d, iova, size, count + 1, gather) - size,
		}),
		/^cleared-another, return: unmap_pages\(\) clears a word \(the L2 word for 0x00401000\)/,
	],
	[
		'an iova_to_phys() without the offset',
		(rig, domain) => {
			rig.map(domain);
			expect(iommu_iova_to_phys(domain, IOVA + 0x123)).to.equal(BUFFER);
		},
		(driver) => ({
			iova_to_phys: (d, iova) => (driver.iova_to_phys(d, iova) as number) & ~0xfff,
		}),
		/^wrong-software-walk, return: iova_to_phys\(\) leaves the offset inside the page out$/,
	],
	[
		'an iova_to_phys() of what is not mapped any more',
		mapAndUnmap,
		() => ({ iova_to_phys: (_d, iova) => BUFFER + (iova as number) - IOVA }),
		/^wrong-software-walk, return: iova_to_phys\(\) reads another word/,
	],
	[
		'an attach that returns what is no errno',
		(rig, domain) => void iommu_attach_group(domain, rig.device(2).iommu_group!),
		() => ({ attach_dev: () => 1 }),
		/^bad-result, return: attach_dev\(\) must return 0 or a negative errno$/,
	],
	[
		'an attach that does nothing and says 0',
		(rig, domain) => void iommu_attach_group(domain, rig.device(2).iommu_group!),
		() => ({ attach_dev: () => 0 }),
		/^(not-attached|wrong-root), return: attach_dev\(\) /,
	],
	[
		'an attach that fails when all is done',
		(rig, domain) => void iommu_attach_group(domain, rig.device(2).iommu_group!),
		(driver) => ({
			attach_dev: (d, dev) => {
				driver.attach_dev(d, dev);
				return -EINVAL;
			},
		}),
		/^failed-attach-moved, return: attach_dev\(\) tells the hardware before all that can fail/,
	],
	[
		'an attach that moves another stream, too',
		(rig, domain) => void iommu_attach_group(domain, rig.device(2).iommu_group!),
		(driver) => ({
			attach_dev: (d, dev) => {
				const ret = driver.attach_dev(d, dev);
				const masters = dev.iommu!.fwspec!;
				const ids = masters.ids;
				masters.ids = [3];
				driver.attach_dev(d, dev);
				masters.ids = ids;
				return ret;
			},
		}),
		/^moved-another, return: attach_dev\(\) changes more than the stream of m2/,
	],
];

describe('contract', () => {
	for (const [what, use, change, found] of CASES)
		it(`sees ${what}`, () => {
			expectAny();
			const rig = new WrongDriver();
			use(rig, rig.wrong(change));
			expect(rig.first()).to.match(found);
		});

	it('sees a live mapping that is written over', () => {
		expectAny();
		const rig = new WrongDriver();
		const domain = rig.wrong((driver) => ({
			map_pages: (d, iova, pa, size, count, prot, gfp, mapped) => {
				driver.unmap_pages(d, iova, size, count, { queued: true } as never);
				return driver.map_pages(d, iova, pa, size, count, prot, gfp, mapped);
			},
		}));
		rig.map(domain, 1);
		rig.map(domain, 1, IOVA, BUFFER + K4);
		expect(rig.first()).to.match(/^mapping-overwritten, return: .*return -EEXIST or -EBUSY/);
	});

	it('sees a geometry that is more than the hardware has', () => {
		expectAny();
		const rig = new WrongDriver();
		const domain = rig.domain(1);
		domain.geometry.aperture_end = 2 ** 40 - 1;
		iommu_attach_group(domain, rig.device(1).iommu_group!);
		expect(rig.first()).to.match(/^wrong-aperture, return: .*aperture_end to 0xffffffff/);
	});
});
