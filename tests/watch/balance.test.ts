// SPDX-License-Identifier: GPL-2.0-only
// What a driver's function leaves behind, found as it returns: the driver's own is replaced by one that goes wrong.

import { expect } from 'chai';
import { clk_disable, clk_enable, clk_prepare_enable } from '#drivers/clk/clk.js';
import { iommu_group_replace_domain, iommu_map, iommu_unmap } from '#drivers/iommu/iommu.js';
import type { sun50i_iommu } from '#drivers/iommu/sun50i-iommu.js';
import { ENOMEM } from '#linux/errno.js';
import { GFP_ATOMIC, GFP_KERNEL } from '#linux/gfp.js';
import { writel } from '#linux/io.js';
import { dev_iommu_priv_get, type iommu_domain_ops } from '#linux/iommu.js';
import { local_irq_disable, local_irq_enable } from '#linux/irqflags.js';
import { pm_runtime_get_noresume, pm_runtime_put_noidle } from '#linux/pm_runtime.js';
import { kfree, kmalloc } from '#linux/slab.js';
import { spin_lock, spin_unlock, spinlock_t } from '#linux/spinlock.js';
import { BUFFER, H6, RW } from '#tests/drivers/iommu/h6.js';
import { IOMMU } from '#tests/hw/h6.js';
import { expectFinding, expectWarning } from '#tests/setup.js';
import { guardOps, type OpGuard } from '#watch/iommu-ops.js';

const K4 = 0x1000;

type Key = keyof iommu_domain_ops;

class Bench {
	readonly h6 = new H6();
	readonly domain = this.h6.attached();
	/** Who is to see the calls after the test. */
	restore: (() => OpGuard | null) | null = null;

	get driver(): sun50i_iommu {
		return dev_iommu_priv_get(this.h6.device(0)) as sun50i_iommu;
	}

	/** As if the driver's function @op had done @more before it returned; @ret is what it returns then. */
	after(op: Key, more: () => void, ret?: number): void {
		const { balance } = this.h6.dmasan;
		let at = '';
		const guard: OpGuard = {
			entering: (fn, name, first, gfp) => {
				at = name;
				balance.entering(fn, name, first, gfp);
			},
			leaving: (was) => {
				if (at === op) more();
				balance.leaving(ret ?? was);
			},
			abandon: () => balance.abandon(),
		};
		this.restore = guardOps(() => guard);
	}
}

describe('balance', () => {
	let bench: Bench;
	let clean: () => void = () => {};

	beforeEach(() => {
		bench = new Bench();
		clean = () => {};
	});
	afterEach(() => {
		if (bench.restore !== null) guardOps(bench.restore);
		clean();
	});

	const map = (gfp = GFP_KERNEL): number => iommu_map(bench.domain, K4, BUFFER, K4, RW, gfp);

	it('is silent about a driver that gives everything back', () => {
		expect(map()).to.equal(0);
		expect(iommu_unmap(bench.domain, K4, K4)).to.equal(K4);
		bench.h6.detachAndFree(bench.domain);
		bench.h6.detachAndFree(bench.h6.attached());
		expect(bench.h6.findings()).to.equal('');
	});

	it('reports a lock that is still held', () => {
		const lock = new spinlock_t('a lock');
		expectFinding(
			/lock-leak in sun50i_iommu_map\(\)\nINV-RACE, found as the operation returns[\s\S]*it holds 1 lock\(s\)/,
		);
		bench.after('map_pages', () => spin_lock(lock));
		clean = () => spin_unlock(lock);
		map();
		spin_unlock(lock);
		clean = () => {};
	});

	it('reports interrupts that stay off', () => {
		expectFinding(/lock-leak in sun50i_iommu_unmap\(\)[\s\S]*interrupts are off, and were on/);
		map();
		bench.after('unmap_pages', local_irq_disable);
		clean = local_irq_enable;
		iommu_unmap(bench.domain, K4, K4);
	});

	it('reports a reference of runtime PM that an error keeps', () => {
		const { dev } = bench.driver;
		expectFinding(
			/error-leaves-changes in sun50i_iommu_map\(\)\nINV-ERR[\s\S]*runtime-PM usage count is 1; it should be 0/,
		);
		bench.after('map_pages', () => pm_runtime_get_noresume(dev), -ENOMEM);
		map();
		pm_runtime_put_noidle(dev);
	});

	it('reports a clock that a flush has enabled once more', () => {
		const { clk } = bench.driver;
		expectFinding(
			/unbalanced in sun50i_iommu_iotlb_sync\(\)[\s\S]*the enable count of its clocks is 2; it should be 1/,
		);
		map();
		bench.after('iotlb_sync', () => clk_enable(clk));
		iommu_unmap(bench.domain, K4, K4);
		clk_disable(clk);
	});

	it('reports a clock that is taken again with each attach', () => {
		const { clk } = bench.driver;
		const other = bench.h6.domain();
		expectFinding(
			/unbalanced in sun50i_iommu_attach_device\(\)[\s\S]*enable count of clock [\w-]+ is 2; it should be 1, while its hardware is "on/,
		);
		bench.after('attach_dev', () => clk_prepare_enable(clk));
		expect(iommu_group_replace_domain(bench.h6.group, other)).to.equal(0);
	});

	it('reports memory of a domain that its free() leaves', () => {
		let left: Uint8Array | null = null;
		expectFinding(
			/domain-leak in sun50i_iommu_domain_free\(\)\nINV-LEAK[\s\S]*1 pieces of memory, 100 bytes/,
		);
		bench.after('map_pages', () => {
			left = kmalloc(100, GFP_KERNEL);
		});
		map();
		bench.h6.detachAndFree(bench.domain);
		kfree(left);
	});

	it('reports what the hardware is still doing', () => {
		expectFinding(
			/not-waited-for in sun50i_iommu_iotlb_sync\(\)[\s\S]*TLB_FLUSH has been commanded and not been done/,
		);
		map();
		bench.after('iotlb_sync', () => writel(1, IOMMU + 0x080));
		iommu_unmap(bench.domain, K4, K4);
	});

	it('reports translation whose faults nobody will hear of', () => {
		const other = bench.h6.domain();
		expectFinding(
			/faults-not-enabled in sun50i_iommu_attach_device\(\)[\s\S]*will not tell of level-2 faults/,
		);
		bench.after('attach_dev', () => writel(0x1003f, IOMMU + 0x100));
		expect(iommu_group_replace_domain(bench.h6.group, other)).to.equal(0);
	});

	it('has a kernel that is asked not to sleep say who does', () => {
		expectWarning(/sleeping function called from invalid context/);
		const { balance } = bench.h6.dmasan;
		balance.entering('a_map', 'map_pages', bench.domain, GFP_ATOMIC);
		kfree(kmalloc(8, GFP_KERNEL));
		balance.abandon();
		balance.entering('a_map', 'map_pages', bench.domain, GFP_KERNEL);
		kfree(kmalloc(8, GFP_KERNEL));
		balance.abandon();
	});
});
