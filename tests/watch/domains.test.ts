// SPDX-License-Identifier: GPL-2.0-only
// Drivers that do less than they should, one thing each: the finding comes as the operation returns.
import { expect } from 'chai';
import { iommu_get_dma_domain, iommu_map, iommu_unmap } from '#drivers/iommu/iommu.js';
import { free_iova_fast } from '#drivers/iommu/iova.js';
import type { MachineOptions } from '#hw/core/machine.js';
import { dma_map_single, dma_unmap_single } from '#kernel/dma/mapping.js';
import { DMA_TO_DEVICE } from '#linux/dma-direction.js';
import { dma_mapping_error } from '#linux/dma-mapping.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { IOMMU_READ, type iommu_domain, type iommu_domain_ops } from '#linux/iommu.js';
import { SZ_4K, SZ_4M } from '#linux/sizes.js';
import { kfree, kmalloc } from '#linux/slab.js';
import { IommuRig, RW } from '#tests/drivers/iommu/iommu-rig.js';
import { poke, RAM } from '#tests/hw/board.js';
import { edu } from '#tests/hw/edu.js';
import { expectFinding } from '#tests/setup.js';

const IOVA = SZ_4M;
const BUFFER = RAM + 0x800_0000;

class Rig extends IommuRig {
	constructor(options: MachineOptions = {}) {
		super(edu, (stream) => `m${stream}`, options);
	}

	/** What was found, by kind. */
	kinds(): string[] {
		return this.dmasan.reports.map(({ invariant, kind, device }) => `${invariant} ${kind} ${device}`);
	}
}

/** The ops of @domain with some of them as @change has them. */
function change(domain: iommu_domain, change: Partial<iommu_domain_ops>): void {
	domain.ops = { ...domain.ops, ...change };
}

describe('domains', () => {
	it('are silent about a driver that does all it should', () => {
		const rig = new Rig();
		const domain = rig.attached(1);
		iommu_map(domain, IOVA, BUFFER, 3 * SZ_4K, RW, GFP_KERNEL);
		for (const at of [0, SZ_4K, 2 * SZ_4K]) rig.tries(1, IOVA + at, true);
		iommu_unmap(domain, IOVA, 3 * SZ_4K);
		rig.tries(1, IOVA);
		rig.detachAndFree(domain, 1);
		expect(rig.kinds()).to.deep.equal([]);
	});

	it('miss the invalidation that an unmapping was owed, as iommu_unmap() returns', () => {
		expectFinding(/stale-after-unmap/);
		const rig = new Rig();
		const domain = rig.attached(1);
		change(domain, { iotlb_sync: undefined });
		iommu_map(domain, IOVA, BUFFER, SZ_4K, RW, GFP_KERNEL);
		rig.tries(1, IOVA);
		iommu_unmap(domain, IOVA, SZ_4K);
		expect(rig.kinds()).to.deep.equal(['INV-TLB-UNMAP stale-after-unmap 3100000.iommu']);
		expect(rig.dmasan.text()).to.match(/edu_iommu_unmap_pages\(\) has unmapped 0x00400000\.\.0x00400fff/);
		expect(rig.dmasan.text()).to.contain('no invalidation has taken effect');
		expect(rig.dmasan.text()).to.match(/Unmapped by edu_iommu_unmap_pages at .*\n __iommu_unmap /);
	});

	it('say which invalidation there was, when it was of another range', () => {
		expectFinding(/stale-after-unmap/);
		const rig = new Rig();
		const domain = rig.attached(1);
		const { iotlb_sync } = domain.ops!;
		change(domain, {
			iotlb_sync: (d, gather) => {
				gather.end = gather.start;
				iotlb_sync!(d, gather);
			},
		});
		iommu_map(domain, IOVA, BUFFER, 2 * SZ_4K, RW, GFP_KERNEL);
		rig.tries(1, IOVA + SZ_4K);
		iommu_unmap(domain, IOVA, 2 * SZ_4K);
		expect(rig.dmasan.text()).to.match(
			/there was edu_cmdq_wait\(\) in edu_cmdq_issue\(\): INV_RANGE \d+ 0x00400000\.\.0x00400000/,
		);
	});

	it('miss the invalidation that a mapping needs where nothing was', () => {
		expectFinding(/stale-after-map/);
		const rig = new Rig();
		const domain = rig.attached(1);
		change(domain, { iotlb_sync_map: undefined });
		rig.tries(1, IOVA);
		iommu_map(domain, IOVA, BUFFER, SZ_4K, RW, GFP_KERNEL);
		expect(rig.kinds()[0]).to.match(/^INV-(PTW|TLB-MAP) stale-after-map 3100000\.iommu$/);
	});

	for (const [what, word, finding] of [
		['rights that nobody asked for', (w: number) => w | 4, 'INV-PERM wrong-rights m1'],
		['a word that is not there', () => 0, 'INV-CLEAN not-in-tables 3100000.iommu'],
		['another page', (w: number) => w + 0x10, 'INV-CLEAN not-in-tables 3100000.iommu'],
	] as const)
		it(`see ${what} in the tables, as iommu_map() returns`, () => {
			expectFinding(/wrong-rights|not-in-tables/);
			const rig = new Rig();
			const domain = rig.attached(1);
			const { iotlb_sync_map } = domain.ops!;
			change(domain, {
				iotlb_sync_map: (d, iova, size) => {
					const { wordAddr, word: good } = rig.iommu.leaf(1, -1, iova);
					poke(rig.machine, wordAddr, word(Number(good)));
					return iotlb_sync_map!(d, iova, size);
				},
			});
			expect(iommu_map(domain, IOVA, BUFFER, SZ_4K, IOMMU_READ, GFP_KERNEL)).to.equal(0);
			expect(rig.kinds()).to.deep.equal([finding]);
			expect(rig.dmasan.text()).to.contain('edu_iommu_map_pages() has returned, 0x00400000');
		});

	it('see a page that is still in the tables after its unmapping', () => {
		expectFinding(/still-in-tables/);
		const rig = new Rig();
		const domain = rig.attached(1);
		iommu_map(domain, IOVA, BUFFER, SZ_4K, RW, GFP_KERNEL);
		const { wordAddr, word } = rig.iommu.leaf(1, -1, IOVA);
		const { iotlb_sync } = domain.ops!;
		change(domain, {
			iotlb_sync: (d, gather) => {
				poke(rig.machine, wordAddr, Number(word));
				iotlb_sync!(d, gather);
			},
		});
		iommu_unmap(domain, IOVA, SZ_4K);
		expect(rig.kinds()).to.deep.equal(['INV-CLEAN still-in-tables 3100000.iommu']);
	});

	it('see that addresses are given back before what was mapped there is flushed', () => {
		expectFinding(/iova-freed-early/);
		const rig = new Rig();
		const dev = rig.device(1);
		const dma = dma_map_single(dev, kmalloc(SZ_4K, GFP_KERNEL)!, SZ_4K, DMA_TO_DEVICE) as number;
		expect(dma_mapping_error(dev, dma)).to.equal(0);
		const domain = iommu_get_dma_domain(dev);
		const { ops, iova_cookie } = domain;
		change(domain, {
			iotlb_sync: (d, gather) => {
				free_iova_fast(iova_cookie!.iovad, dma / SZ_4K, 1);
				ops!.iotlb_sync!(d, gather);
			},
		});
		dma_unmap_single(dev, dma, SZ_4K, DMA_TO_DEVICE);
		domain.ops = ops;
		expect(rig.kinds()).to.deep.equal(['INV-IOVA iova-freed-early m1']);
		const range = `[0x${dma.toString(16).padStart(8, '0')}, `;
		expect(rig.dmasan.text()).to.contain(
			`Probably: __iommu_dma_unmap() called iommu_dma_free_iova() for ${range}`,
		);
	});

	for (const [what, before] of [
		['half-way', IOVA - SZ_4K],
		['at once', IOVA],
	] as const)
		it(`see a mapping that fails ${what} take away another's as it is undone`, () => {
			expectFinding(/undo-too-wide/);
			const rig = new Rig();
			const domain = rig.attached(1);
			iommu_map(domain, IOVA, BUFFER, SZ_4K, RW, GFP_KERNEL);
			const size = IOVA + SZ_4K - before;
			expect(iommu_map(domain, before, BUFFER + SZ_4K, size, RW, GFP_KERNEL)).to.be.lessThan(0);
			expect(rig.kinds()).to.deep.equal([]);
			expect(rig.reads(1, IOVA)).to.equal(true);
			// As if done were the whole size.
			const { map_pages } = domain.ops!;
			change(domain, {
				map_pages: (d, iova, paddr, pgsize, pgcount, prot, gfp, mapped) => {
					const ret = map_pages!(d, iova, paddr, pgsize, pgcount, prot, gfp, mapped);
					if (ret !== 0) mapped.value = pgsize * pgcount;
					return ret;
				},
			});
			iommu_map(domain, before, BUFFER + SZ_4K, size, RW, GFP_KERNEL);
			expect(rig.kinds()).to.deep.equal(['INV-ERR undo-too-wide m1']);
			expect(rig.dmasan.text()).to.contain('leave the live mapping of [0x00400000, 0x00401000) alone');
		});

	it('say nothing of who fails to map, and then unmaps what is there', () => {
		const rig = new Rig();
		const domain = rig.attached(1);
		iommu_map(domain, IOVA, BUFFER, SZ_4K, RW, GFP_KERNEL);
		expect(iommu_map(domain, IOVA, BUFFER + SZ_4K, SZ_4K, RW, GFP_KERNEL)).to.be.lessThan(0);
		iommu_unmap(domain, IOVA, SZ_4K);
		expect(rig.kinds()).to.deep.equal([]);
	});

	it('see an access where nothing was ever mapped, also after an unmapping that found nothing there', () => {
		expectFinding(/never-mapped/);
		const rig = new Rig();
		const domain = rig.attached(1);
		iommu_map(domain, IOVA, BUFFER, SZ_4K, RW, GFP_KERNEL);
		expect(iommu_unmap(domain, IOVA + SZ_4K, SZ_4K)).to.equal(0);
		poke(rig.machine, rig.iommu.leaf(1, -1, IOVA + SZ_4K).wordAddr, Number(rig.iommu.leaf(1, -1, IOVA).word));
		rig.tries(1, IOVA + SZ_4K);
		expect(rig.kinds()).to.include('INV-LIVE-MAP never-mapped m1');
	});

	it('see an access where nothing is mapped any more, with who mapped and who unmapped', () => {
		expectFinding(/stale-|use-after-unmap/);
		const rig = new Rig();
		const buffer = kmalloc(SZ_4K, GFP_KERNEL)!;
		const dev = rig.device(1);
		const dma = dma_map_single(dev, buffer, SZ_4K, DMA_TO_DEVICE) as number;
		expect(dma_mapping_error(dev, dma)).to.equal(0);
		rig.tries(1, dma);
		// The hardware executes no command from here on.
		rig.iommu.stuck.add('commands');
		dma_unmap_single(dev, dma, SZ_4K, DMA_TO_DEVICE);
		rig.iommu.stuck.delete('commands');
		kfree(buffer);
		expect(rig.kinds()).to.include('INV-TLB-UNMAP stale-after-unmap 3100000.iommu');
	});
});
