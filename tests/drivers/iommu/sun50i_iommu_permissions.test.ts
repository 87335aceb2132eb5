// SPDX-License-Identifier: GPL-2.0-only
// Documentation/deviations.md, "shared-permission-word": who may read and write what.

import { expect } from 'chai';
import { dcache_clean_inval_poc } from '#arch/arm64/mm/cache.js';
import { virt_to_phys } from '#asm/memory.js';
import { iommu_get_domain_for_dev, iommu_map } from '#drivers/iommu/iommu.js';
import type { Machine } from '#hw/core/machine.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { IOMMU_READ, IOMMU_WRITE } from '#linux/iommu.js';
import { get_zeroed_page } from '#mm/page_alloc.js';
import { boardBlob } from '#tests/boot.js';
import { Masters } from '#tests/drivers/iommu/masters.js';
import { testMachine } from '#tests/machine.js';
import { expectFinding } from '#tests/setup.js';

/** DM_AUT_CTRL of domains 2 and 3 on board main, and what 6.12 leaves there. */
const DM_AUT_CTRL_1 = 0xffc8_00b4;
const LINUX_LEAVES = 0x0555_0000;

const IOVA = 0x1000_0000;

/** A page mapped for m0 with @prot; whether m0 may read and write it. */
function rights(
	prot: number,
	before: (machine: Machine) => void = () => {},
): { read: boolean; write: boolean } {
	const masters = new Masters(testMachine(boardBlob('main'), {}));
	const page = get_zeroed_page(GFP_KERNEL)!;
	const domain = iommu_get_domain_for_dev(masters.device('m0'))!;
	// What lies in the cache would be lost, or overwrite what the device stores.
	dcache_clean_inval_poc(virt_to_phys(page), 4096);
	expect(iommu_map(domain, IOVA, virt_to_phys(page), 4096, prot, GFP_KERNEL)).to.equal(0);
	before(masters.machine);
	const m0 = masters.model('m0');
	// The refused access last: after it the master waits for the driver.
	const read = m0.fetch(IOVA, 4) !== null;
	masters.machine.advance(1_000_000);
	return { read, write: m0.store(IOVA, Uint8Array.of(1)) };
}

describe('sun50i_iommu_permissions', () => {
	it('lets a device do to a page what it is mapped for, and no more', () => {
		expect(rights(IOMMU_READ)).to.deep.equal({ read: true, write: false });
		expect(rights(IOMMU_WRITE)).to.deep.equal({ read: false, write: true });
		expect(rights(IOMMU_READ | IOMMU_WRITE)).to.deep.equal({ read: true, write: true });
		expect(rights(0)).to.deep.equal({ read: false, write: false });
	});

	it('would let a device write a read-only page with the word that Linux leaves', () => {
		expectFinding(/forbidden-access in write by m\d+ .*\nINV-PERM/);
		const flaw = (machine: Machine): void => machine.mmio_write(DM_AUT_CTRL_1, 4, LINUX_LEAVES);
		expect(rights(IOMMU_READ, flaw)).to.deep.equal({ read: true, write: true });
	});
});
