// SPDX-License-Identifier: GPL-2.0-only
// Words of tables as a walker comes to see them, and what becomes of the tables' memory.
import { expect } from 'chai';
import { words } from '#asm/memory.js';
import type { edu_iommu_domain } from '#drivers/iommu/edu-iommu.js';
import { iommu_unmap } from '#drivers/iommu/iommu.js';
import { iommu_alloc_page, iommu_free_page } from '#drivers/iommu/iommu-pages.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import type { iommu_domain } from '#linux/iommu.js';
import { virt_to_phys } from '#linux/mm.js';
import { expectWarning } from '#tests/setup.js';
import { BUFFER, expectAny, IOVA, K4, WrongDriver } from './wrong-driver.js';

const FRAME = 4096;
/** The level-1 word for IOVA. */
const L1 = 1;

const rootOf = (domain: iommu_domain): Uint32Array => (domain as edu_iommu_domain).root;
const page = (phys: number): number => ((phys / FRAME) * 16 + 7) >>> 0;
const table = (phys: number): number => ((phys / FRAME) * 16 + 1) >>> 0;

/** Have the walker see the word at @index of @at. */
function clean(rig: WrongDriver, at: Uint32Array, index: number): void {
	rig.machine.memory.clean((virt_to_phys(at) as number) + 4 * index, 4);
}

/** The level-2 table for IOVA, as the CPU sees it. */
function level2(rig: WrongDriver): Uint32Array {
	const { wordAddr } = rig.iommu.leaf(1, -1, IOVA);
	return words(rig.machine.memory.linear(wordAddr - (wordAddr % FRAME), FRAME)!, 1024);
}

describe('tables', () => {
	it('miss a table that memory does not have yet, behind a word that it has', () => {
		expectAny();
		const rig = new WrongDriver();
		const domain = rig.wrong(() => ({
			map_pages: (d, _iova, pa, size, count, _prot, gfp, mapped) => {
				const l2 = words(iommu_alloc_page(gfp)!, 1024);
				l2[0] = page(pa as number);
				rootOf(d)[L1] = table(virt_to_phys(l2) as number);
				clean(rig, rootOf(d), L1);
				clean(rig, l2, 0);
				mapped.value += size * count;
				return 0;
			},
		}));
		rig.map(domain);
		expect(rig.first()).to.match(
			/^directory-before-table, return: map_pages\(\) must clean the new L2 \(all 4096 bytes at 0x\w+\) before/,
		);
	});

	it('see garbage in a new table', () => {
		expectAny();
		const rig = new WrongDriver();
		const domain = rig.attached(1);
		const l2 = words(iommu_alloc_page(GFP_KERNEL)!, 1024);
		l2[9] = page(BUFFER);
		rig.machine.memory.clean(virt_to_phys(l2) as number, FRAME);
		rig.change(domain, () => ({
			map_pages: (d, _iova, pa, size, count, _prot, _gfp, mapped) => {
				l2[0] = page(pa as number);
				clean(rig, l2, 0);
				rootOf(d)[L1] = table(virt_to_phys(l2) as number);
				clean(rig, rootOf(d), L1);
				mapped.value += size * count;
				return 0;
			},
		}));
		rig.map(domain);
		expect(rig.first()).to.match(
			/^garbage-table, return: map_pages\(\) must link a table that is all zeroes/,
		);
	});

	for (const [what, between, found] of [
		[
			'a valid word that is wrong for a while',
			page(0),
			/^wrong-word, return: map_pages\(\) writes a valid word with a wrong address/,
		],
		['a valid word that becomes another', page(BUFFER + K4), /^(wrong-word|live-word-replaced), return: /],
	] as const)
		it(`see ${what}`, () => {
			expectAny();
			const rig = new WrongDriver();
			const domain = rig.attached(1);
			rig.map(domain, 1, IOVA + K4);
			const l2 = words(
				rig.machine.memory.linear(rig.iommu.leaf(1, -1, IOVA + K4).wordAddr - 4, FRAME)!,
				1024,
			);
			rig.change(domain, () => ({
				map_pages: (_d, _iova, pa, size, count, _prot, _gfp, mapped) => {
					for (const word of [between, page(pa as number)]) {
						l2[0] = word;
						clean(rig, l2, 0);
					}
					mapped.value += size * count;
					return 0;
				},
			}));
			rig.map(domain);
			expect(rig.first()).to.match(found);
		});

	it('see a word for what nobody maps, and one that is cleared though nobody unmaps it', () => {
		expectAny();
		const rig = new WrongDriver();
		const domain = rig.attached(1);
		rig.map(domain, 8);
		rig.change(domain, (driver) => ({
			unmap_pages: (d, iova, size, count, gather) => {
				const l2 = level2(rig);
				l2[100] = page(BUFFER);
				clean(rig, l2, 100);
				l2[7] = 0;
				clean(rig, l2, 7);
				return driver.unmap_pages(d, iova, size, count, gather);
			},
		}));
		iommu_unmap(domain, IOVA, K4);
		expect(rig.kinds().slice(0, 2)).to.deep.equal([
			'INV-TABLE-LIVE mapped-another',
			'INV-ERR cleared-another',
		]);
	});

	it('see a table that is freed while the hardware walks it, before it is anybody’s', () => {
		expectAny();
		expectWarning(/memory is freed while it is mapped/);
		const rig = new WrongDriver();
		const domain = rig.attached(1);
		rig.map(domain);
		rig.change(domain, (driver) => ({
			unmap_pages: (d, iova, size, count, gather) => {
				const l2 = level2(rig);
				const ret = driver.unmap_pages(d, iova, size, count, gather);
				iommu_free_page(l2);
				return ret;
			},
		}));
		iommu_unmap(domain, IOVA, K4);
		expect(rig.first()).to.match(
			/^freed-while-reachable, return: unmap_pages\(\) frees the L2 at 0x\w+ too early: first clear \(and clean\) what leads to it/,
		);
		expect(rig.dmasan.text()).to.contain('a walk for m1 at 0x00400000 still comes to it');
		rootOf(domain)[L1] = 0;
	});

	it('are silent about tables that come and go as they should', () => {
		const rig = new WrongDriver();
		const domain = rig.attached(1);
		for (let i = 0; i < 3; i++) {
			rig.map(domain, 3, IOVA + i * 0x400000);
			iommu_unmap(domain, IOVA + i * 0x400000, 3 * K4);
		}
		// A large page takes a table's place.
		rig.map(domain, 1024);
		iommu_unmap(domain, IOVA, 1024 * K4);
		rig.detachAndFree(domain, 1);
		expect(rig.findings()).to.equal('');
	});
});
