// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import { iommu_get_domain_for_dev, iommu_map, iommu_unmap } from '#drivers/iommu/iommu.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { IOMMU_READ } from '#linux/iommu.js';
import { Board, BUFS } from '#tests/kernel/dma/board.js';
import { Dmasan } from '#watch/dmasan.js';

const ABOVE = 0x88_0000_0000;
const SIZE = 4096;

function setup() {
	const board = new Board('main');
	const dmasan = new Dmasan(board.masters.machine);
	const domain = iommu_get_domain_for_dev(board.device('m0'))!;
	return { dmasan, domain };
}

describe('iommu-range', () => {
	it('says that iommu_map() above the aperture, which answers 0, has mapped something else', () => {
		const { dmasan, domain } = setup();
		expect(iommu_map(domain, ABOVE, BUFS, SIZE, IOMMU_READ, GFP_KERNEL)).to.equal(0);
		expect(dmasan.reports.map((r) => `${r.invariant} ${r.kind} ${r.device}`)).to.deep.equal([
			'INV-RANGE iommu-overrun ffc80000.iommu',
		]);
		expect(dmasan.text()).to.match(/iommu_map\(0x8800000000, 0x[0-9a-f]{8}, size 0x1000\) was let through/);
		expect(dmasan.text()).to.contain('0x8800000fff is mapped at 0xfff: the last address is 0xffffffff');
	});

	it('says so of a range that begins below and ends above', () => {
		const { dmasan, domain } = setup();
		expect(iommu_map(domain, 0xffff_f000, BUFS, 2 * SIZE, IOMMU_READ, GFP_KERNEL)).to.equal(0);
		expect(dmasan.reports).to.have.length(1);
	});

	it('is silent about all that fits, what was refused, and after it has stopped', () => {
		const { dmasan, domain } = setup();
		expect(iommu_map(domain, 0xffff_f000, BUFS, SIZE, IOMMU_READ, GFP_KERNEL)).to.equal(0);
		expect(iommu_unmap(domain, 0xffff_f000, SIZE)).to.equal(SIZE);
		expect(iommu_unmap(domain, ABOVE, SIZE)).to.equal(0);
		expect(iommu_map(domain, 0x1000, 0x1_0000_0000, SIZE, IOMMU_READ, GFP_KERNEL)).to.be.below(0);
		dmasan.detach();
		iommu_map(domain, ABOVE, BUFS, SIZE, IOMMU_READ, GFP_KERNEL);
		expect(dmasan.text()).to.equal('');
	});
});
