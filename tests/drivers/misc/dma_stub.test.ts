// SPDX-License-Identifier: GPL-2.0-only
// The IOMMUs of an RK3399 and of an RK3568 before the blocks that they stand before: probe, groups, power, DMA.
import { expect } from 'chai';
import { bus_find_device_by_name } from '#drivers/base/bus.js';
import { platform_bus_type } from '#drivers/base/platform.js';
import { iommu_get_domain_for_dev } from '#drivers/iommu/iommu.js';
import { dma_stub_copy, dma_stub_transfer } from '#drivers/misc/dma-stub.js';
import type { Machine } from '#hw/core/machine.js';
import { figure } from '#hw/iommu/iommu.js';
import type { RockchipIommu } from '#hw/iommu/rockchip-iommu.js';
import type { DmaStub } from '#hw/misc/dma-stub.js';
import { pm_wq } from '#kernel/power/power.js';
import type { device } from '#linux/device.js';
import { EFAULT } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { IOMMU_DOMAIN_DMA } from '#linux/iommu.js';
import { pm_runtime_put_sync, pm_runtime_resume_and_get, pm_runtime_suspended } from '#linux/pm_runtime.js';
import { kfree, kmalloc } from '#linux/slab.js';
import { flush_workqueue } from '#linux/workqueue.js';
import { bootMachine } from '#tests/boot.js';

/** Each master, and the IOMMU before it. */
const MASTERS: readonly (readonly [board: string, master: string, iommu: string])[] = [
	['rk3399-iommus', 'ff650000.video-codec', 'ff650800.iommu'],
	['rk3399-iommus', 'ff660000.video-codec', 'ff660480.iommu'],
	['rk3399-iommus', 'ff8f0000.vop', 'ff8f3f00.iommu'],
	['rk3399-iommus', 'ff900000.vop', 'ff903f00.iommu'],
	['rk3399-iommus', 'ff910000.isp0', 'ff914000.iommu'],
	['rk3568-iommus', 'fdea0000.video-codec', 'fdea0800.iommu'],
	['rk3568-iommus', 'fdee0000.video-codec', 'fdee0800.iommu'],
	['rk3568-iommus', 'fe040000.vop', 'fe043e00.iommu'],
];
const SIZE = 5000;

class Rig {
	readonly machine: Machine;
	readonly log: string[];

	constructor(board: string) {
		({ machine: this.machine, log: this.log } = bootMachine(board));
		flush_workqueue(pm_wq);
	}

	device(name: string): device {
		return bus_find_device_by_name(platform_bus_type, null, name)!;
	}

	unit(name: string): RockchipIommu {
		return this.machine.model(name) as RockchipIommu;
	}

	/** Whether clocks, resets and power domain of @name let it work. */
	works(name: string): boolean {
		return (this.machine.model(name) as DmaStub).powered();
	}

	/** Copy by @name's DMA; whether every byte arrived. */
	copies(name: string, fill: number): boolean {
		const src = kmalloc(SIZE, GFP_KERNEL)!;
		const dst = kmalloc(SIZE, GFP_KERNEL)!;
		for (let i = 0; i < SIZE; i++) src[i] = fill + 7 * i;
		dst.fill(0);
		const ret = dma_stub_copy(this.device(name), dst, src);
		const same = ret === 0 && dst.every((byte, i) => byte === src[i]);
		kfree(src);
		kfree(dst);
		flush_workqueue(pm_wq);
		return same;
	}
}

describe('dma_stub', () => {
	for (const board of new Set(MASTERS.map(([name]) => name)))
		it(`${board}: every IOMMU probes, every master has a group and a DMA domain of its own, and all sleep`, () => {
			const rig = new Rig(board);
			const here = MASTERS.filter(([name]) => name === board);
			const domains = new Set();
			for (const [, master, iommu] of here) {
				expect(rig.device(iommu).driver?.name).to.equal('rk_iommu');
				expect(pm_runtime_suspended(rig.device(iommu)), iommu).to.equal(true);
				const domain = iommu_get_domain_for_dev(rig.device(master));
				expect(domain?.type, master).to.equal(IOMMU_DOMAIN_DMA);
				domains.add(domain);
				expect(rig.works(master), master).to.equal(false);
			}
			expect(domains.size).to.equal(here.length);
			expect(rig.log.filter((line) => /WARN|fail|error/i.test(line))).to.deep.equal([]);
			expect(rig.machine.notes).to.deep.equal([]);
		});

	for (const [board, master, iommu] of MASTERS)
		it(`${master} of ${board}: its bytes go through ${iommu}, which wakes and sleeps with it, time after time`, () => {
			const rig = new Rig(board);
			const unit = rig.unit(iommu);
			for (const fill of [1, 2]) {
				const before = figure(unit, 'table walks');
				expect(rig.copies(master, fill)).to.equal(true);
				// Whatever it knew went with its power.
				expect(figure(unit, 'table walks')).to.be.greaterThan(before);
				expect(figure(unit, 'bypassed')).to.equal(0);
				expect([rig.works(master), pm_runtime_suspended(rig.device(iommu))]).to.deep.equal([false, true]);
			}
		});

	it('up, its device link keeps its IOMMU up; down, the domain around both is off', () => {
		const rig = new Rig('rk3399-iommus');
		const vop = rig.device('ff900000.vop');
		expect(pm_runtime_resume_and_get(vop)).to.equal(0);
		expect(pm_runtime_suspended(rig.device('ff903f00.iommu'))).to.equal(false);
		expect(rig.works('ff900000.vop')).to.equal(true);
		// VO, around VOPB and VOPL, and VIO, around that, have power; VCODEC has none.
		const { registers } = rig.machine.model('ff310000.power-management');
		const off = (bit: number): number => (registers!.get('PWRDN_CON') >>> bit) & 1;
		expect([off(20), off(14), off(16)]).to.deep.equal([0, 0, 1]);
		expect(rig.works('ff8f0000.vop')).to.equal(false);
		pm_runtime_put_sync(vop);
		flush_workqueue(pm_wq);
		expect(pm_runtime_suspended(rig.device('ff903f00.iommu'))).to.equal(true);
		expect([off(20), off(14)]).to.deep.equal([1, 1]);
	});

	it('is refused where nobody mapped; the IOMMU, on the same interrupt, reports it, and both go on', () => {
		const rig = new Rig('rk3399-iommus');
		const vop = rig.device('ff900000.vop');
		pm_runtime_resume_and_get(vop);
		rig.log.length = 0;
		expect(dma_stub_transfer(vop, 0x2000, 0x1000, 4)).to.equal(-EFAULT);
		expect(rig.log.join('\n')).to.match(
			/rk_iommu ff903f00\.iommu: Page fault at 0x0000000000001000 of type read/,
		);
		pm_runtime_put_sync(vop);
		flush_workqueue(pm_wq);
		expect(rig.copies('ff900000.vop', 3)).to.equal(true);
	});
});
