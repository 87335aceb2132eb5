// SPDX-License-Identifier: GPL-2.0-only
// A driver, a model and a board, from the first access to the sanitiser's last word.
// First, so that initcalls run in link order; then the driver, which registers with them.
import '#init/vmlinux.js';
import '#drivers/iommu/edu-iommu.js';

import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { iommu_iova_to_phys, iommu_map, iommu_unmap } from '#drivers/iommu/iommu.js';
import type { MachineOptions } from '#hw/core/machine.js';
import { eduIommu } from '#hw/iommu/edu-iommu.js';
import { dma_map_single, dma_unmap_single } from '#kernel/dma/mapping.js';
import { DMA_FROM_DEVICE } from '#linux/dma-direction.js';
import { dma_mapping_error } from '#linux/dma-mapping.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { IOMMU_READ } from '#linux/iommu.js';
import { SZ_4K } from '#linux/sizes.js';
import { kfree, kmalloc } from '#linux/slab.js';
import { IommuRig, RW } from '#tests/drivers/iommu/iommu-rig.js';
import { testMachine } from '#tests/machine.js';

const BOARD = new URL('../../../../arch/arm64/boot/dts/edu/edu-board.dtb', import.meta.url);
/** Memory that nobody else uses here. */
const BUFFER = 0x4800_0000;

// SKELETON: what else your machine needs: memSize, commandLine, policy: 'optimistic', a seed.
function boot(options: MachineOptions = {}): IommuRig {
	const machine = (o: MachineOptions) =>
		testMachine(new Uint8Array(readFileSync(BOARD)), {
			overrides: { 'linux-iommu-ts,edu-iommu': eduIommu },
			...o,
		});
	return new IommuRig(machine, (n) => `m${n}`, options);
}

describe('edu_board', () => {
	let rig: IommuRig;
	beforeEach(() => {
		rig = boot();
	});
	// Why a device got through, or did not: the sanitiser mostly knows.
	afterEach(function () {
		if (this.currentTest?.state === 'failed') console.error(rig.findings());
	});

	it('lets a device write a buffer through the DMA API, and only while it is mapped', () => {
		const buffer = kmalloc(SZ_4K, GFP_KERNEL)!;
		const dma = dma_map_single(rig.device(0), buffer, SZ_4K, DMA_FROM_DEVICE);
		expect(dma_mapping_error(rig.device(0), dma)).to.equal(0);
		expect(rig.tries(0, dma as number, true)).to.equal(true);
		expect(rig.tries(1, dma as number)).to.equal(false);
		dma_unmap_single(rig.device(0), dma, SZ_4K, DMA_FROM_DEVICE);
		expect([...buffer.subarray(0, 4)]).to.deep.equal([1, 2, 3, 4]);
		expect(rig.tries(0, dma as number)).to.equal(false);
		kfree(buffer);
		expect(rig.findings()).to.equal('');
	});

	// SKELETON: the sizes of your pages, and some that take several.
	for (const size of [SZ_4K, 3 * SZ_4K, 0x40_0000, 0x40_0000 + SZ_4K])
		it(`maps and unmaps ${size} bytes, to the last byte`, () => {
			const domain = rig.attached(0);
			const iova = 0x80_0000;
			// What is not there may be cached, too.
			expect(rig.tries(0, iova)).to.equal(false);
			expect(iommu_map(domain, iova, BUFFER, size, RW, GFP_KERNEL)).to.equal(0);
			expect(iommu_iova_to_phys(domain, iova + size - 1)).to.equal(BUFFER + size - 1);
			expect(rig.tries(0, iova + size - 4, true)).to.equal(true);
			expect(rig.machine.ram.readWord(BUFFER + size - 4)).to.equal(0x04030201);
			expect(rig.tries(0, iova + size)).to.equal(false);
			expect(iommu_unmap(domain, iova, size)).to.equal(size);
			expect(rig.tries(0, iova)).to.equal(false);
			rig.detachAndFree(domain, 0);
			expect(rig.findings()).to.equal('');
		});

	it('refuses what it was not asked to allow, and reports that once', () => {
		const domain = rig.attached(0);
		iommu_map(domain, SZ_4K, BUFFER, SZ_4K, IOMMU_READ, GFP_KERNEL);
		expect([rig.tries(0, SZ_4K), rig.tries(0, SZ_4K, true)]).to.deep.equal([true, false]);
		// SKELETON: how your driver reports a fault.
		expect(rig.log.filter((line) => line.endsWith('no right: write to 0x00001000'))).to.have.length(1);
		iommu_unmap(domain, SZ_4K, SZ_4K);
		rig.detachAndFree(domain, 0);
		expect(rig.findings()).to.equal('');
	});

	it('gives all memory back', () => {
		const leaks = rig.leakCheck();
		const domain = rig.attached(0);
		iommu_map(domain, SZ_4K, BUFFER, 0x80_0000, RW, GFP_KERNEL);
		iommu_unmap(domain, SZ_4K, 0x80_0000);
		rig.detachAndFree(domain, 0);
		expect(leaks()).to.deep.equal([]);
	});
});
