// SPDX-License-Identifier: GPL-2.0-only
// Doorbells of message-signalled interrupts in the address spaces of devices.
// What is expected is what drivers/iommu/dma-iommu.c of Linux 6.12 does.

import { expect } from 'chai';
import { PAGE_SIZE } from '#asm/page-def.js';
import {
	iommu_dma_compose_msi_msg,
	iommu_dma_prepare_msi,
	iommu_get_msi_cookie,
} from '#drivers/iommu/dma-iommu.js';
import {
	iommu_alloc_resv_region,
	iommu_attach_group,
	iommu_detach_group,
	iommu_domain_free,
	iommu_get_dma_domain,
} from '#drivers/iommu/iommu.js';
import type { device } from '#linux/device.js';
import { ENOMEM } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { IOMMU_MMIO, IOMMU_NOEXEC, IOMMU_RESV_MSI, IOMMU_WRITE } from '#linux/iommu.js';
import { list_add_tail } from '#linux/list.js';
import { msi_desc, msi_msg } from '#linux/msi.js';
import { slab_fault } from '#mm/failslab.js';
import { leakCheck } from '#tests/leaks.js';
import { bootRig, domainFor, ok } from './rig.js';
import { K4, type TestDomain } from './test_driver.js';

const DOORBELL = 0x1_2345_6040;
const PROT = IOMMU_WRITE | IOMMU_NOEXEC | IOMMU_MMIO;

/** The interrupt of @dev, and what preparing it for the doorbell @at answered. */
function prepare(dev: device, at = DOORBELL): [msi_desc, number] {
	const desc = new msi_desc();
	desc.dev = dev;
	return [desc, iommu_dma_prepare_msi(desc, at)];
}
/** What the device writes to for the doorbell at @at. */
function target(desc: msi_desc, at = DOORBELL): number {
	const msg = new msi_msg();
	msg.address_hi = Math.floor(at / 2 ** 32);
	msg.address_lo = at % 2 ** 32;
	iommu_dma_compose_msi_msg(desc, msg);
	return msg.address_hi * 2 ** 32 + msg.address_lo;
}

describe('dma_iommu_msi', () => {
	it('maps a doorbell once for all interrupts of a domain', () => {
		const { driver } = bootRig();
		const dev = driver.device('a');
		const { pages } = iommu_get_dma_domain(dev) as TestDomain;
		const [first, ret] = prepare(dev);
		expect(ret).to.equal(0);
		expect([...pages]).to.deep.equal([[0xffff_f000, { phys: 0x1_2345_6000, size: K4, prot: PROT }]]);
		expect(target(first)).to.equal(0xffff_f040);

		// The same page, then another one.
		const [second] = prepare(dev, DOORBELL + 0x100);
		expect(target(second, DOORBELL + 0x100)).to.equal(0xffff_f140);
		expect(pages.size).to.equal(1);
		const [third] = prepare(dev, DOORBELL + K4);
		expect(target(third, DOORBELL + K4)).to.equal(0xffff_e040);
		expect(pages.size).to.equal(2);
	});

	it('puts them one after the other where the owner of an unmanaged domain said', () => {
		const { driver } = bootRig();
		const dev = driver.device('a');
		const own = domainFor(dev);
		expect(iommu_get_msi_cookie(own, 0x800_0000)).to.equal(0);
		expect(iommu_attach_group(own, dev.iommu_group!)).to.equal(0);
		// Each takes a page of the CPU.
		const at = (n: number): number => 0x800_0000 + n * PAGE_SIZE;
		const inPage = DOORBELL % PAGE_SIZE;
		expect(target(prepare(dev)[0])).to.equal(at(0) + inPage);
		expect(target(prepare(dev, DOORBELL + PAGE_SIZE)[0], DOORBELL + PAGE_SIZE)).to.equal(at(1) + inPage);
		expect([...own.pages.keys()].filter((iova) => iova % PAGE_SIZE === 0)).to.deep.equal([at(0), at(1)]);

		// What cannot be mapped takes no place.
		driver.refuse.set(at(2), -ENOMEM);
		expect(prepare(dev, DOORBELL + 2 * PAGE_SIZE)[1]).to.equal(-ENOMEM);
		driver.refuse.clear();
		expect(target(prepare(dev, DOORBELL + 3 * PAGE_SIZE)[0])).to.equal(at(2) + inPage);
		iommu_detach_group(own, dev.iommu_group!);
		iommu_domain_free(own);
	});

	it('translates nothing without an IOMMU, or in a domain that has no cookie', () => {
		const { driver } = bootRig();
		const dev = driver.device('a');
		const own = domainFor(dev);
		expect(iommu_attach_group(own, dev.iommu_group!)).to.equal(0);
		for (const d of [dev, driver.plainDevice('b')]) {
			const [desc, ret] = prepare(d);
			expect(ret).to.equal(0);
			expect(target(desc)).to.equal(DOORBELL);
		}
		expect(own.pages.size).to.equal(0);
	});

	it('maps nothing for a doorbell that the IOMMU lets through', () => {
		const { driver } = bootRig('', {
			get_resv_regions: (_dev, list) => {
				const region = ok(iommu_alloc_resv_region(0x800_0000, 2 * K4, 0, IOMMU_RESV_MSI, GFP_KERNEL));
				list_add_tail(region.list, list);
			},
		});
		const dev = driver.device('a');
		const [desc] = prepare(dev, 0x800_1040);
		expect(target(desc, 0x800_1040)).to.equal(0x800_1040);
		expect((iommu_get_dma_domain(dev) as TestDomain).pages.size).to.equal(0);
	});

	it('leaves nothing behind when it fails, wherever it fails', () => {
		const { driver } = bootRig();
		const dev = driver.device('a');
		const { pages } = iommu_get_dma_domain(dev) as TestDomain;
		let refused = 0;
		let reached = true;
		for (let nth = 1; reached; nth++) {
			const check = leakCheck();
			const mapped = pages.size;
			const { failed } = slab_fault;
			slab_fault.nth = nth;
			// A range is asked for twice before the call gives up.
			slab_fault.times = 2;
			// Each time another doorbell, as one that is mapped stays.
			const [, ret] = prepare(dev, DOORBELL + nth * K4);
			reached = slab_fault.failed > failed;
			slab_fault.nth = 0;
			slab_fault.times = 1;
			if (ret === 0) continue;
			refused++;
			expect(ret, `allocation ${nth}`).to.equal(-ENOMEM);
			expect(check(), `allocation ${nth}`).to.deep.equal([]);
			expect(pages.size, `allocation ${nth}`).to.equal(mapped);
		}
		expect(refused).to.be.above(1);
	});
});
