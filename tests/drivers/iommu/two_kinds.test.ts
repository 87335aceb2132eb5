// SPDX-License-Identifier: GPL-2.0-only
// Several IOMMUs of two kinds, each with its driver, at work at once on one board.
import { expect } from 'chai';
import {
	iommu_attach_group,
	iommu_get_domain_for_dev,
	iommu_map,
	iommu_set_fault_handler,
	iommu_unmap,
} from '#drivers/iommu/iommu.js';
import { sysfs_read } from '#fs/sysfs/user.js';
import type { MachineOptions } from '#hw/core/machine.js';
import { figure } from '#hw/iommu/iommu.js';
import { dma_map_single, dma_unmap_single } from '#kernel/dma/mapping.js';
import { pm_wq } from '#kernel/power/power.js';
import { dev_name } from '#linux/device.js';
import { DMA_FROM_DEVICE } from '#linux/dma-direction.js';
import { dma_mapping_error } from '#linux/dma-mapping.js';
import { EINVAL } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import type { iommu_domain } from '#linux/iommu.js';
import { pm_runtime_enable, pm_runtime_get_sync, pm_runtime_put_sync } from '#linux/pm_runtime.js';
import { SZ_4K } from '#linux/sizes.js';
import { kfree, kmalloc } from '#linux/slab.js';
import { flush_workqueue } from '#linux/workqueue.js';
import { boardBlob } from '#tests/boot.js';
import { testMachine } from '#tests/machine.js';
import { expectFinding } from '#tests/setup.js';
import { IommuRig, RW } from './iommu-rig.js';

/** Two behind the H6's IOMMU, three behind one Rockchip IOMMU each; `vdec` behind two MMUs. */
const NAMES = ['de', 've', 'vop', 'vdec', 'rga'] as const;
const [DE, VE, VOP, VDEC, RGA] = [0, 1, 2, 3, 4] as const;
const ALL = [DE, VE, VOP, VDEC, RGA];
/** One of each group. */
const GROUPS = [DE, VOP, VDEC, RGA];
const BUFFER = 0x4800_0000;
const IOVA = 0x0010_0000;

class TwoKinds extends IommuRig {
	constructor(options: MachineOptions = {}) {
		super(
			(o) => testMachine(boardBlob('two-kinds'), o),
			(n) => NAMES[n]!,
			options,
		);
		for (const n of ALL) {
			pm_runtime_enable(this.device(n));
			pm_runtime_get_sync(this.device(n));
		}
		this.log.length = 0;
	}

	defaultDomain(n: number): iommu_domain {
		return iommu_get_domain_for_dev(this.device(n))!;
	}
	/** A page of each group at IOVA, each elsewhere in memory. */
	mapEach(): void {
		for (const n of GROUPS)
			expect(iommu_map(this.defaultDomain(n), IOVA, BUFFER + n * SZ_4K, SZ_4K, RW, GFP_KERNEL)).to.equal(0);
	}

	unmapEach(): void {
		for (const n of GROUPS) expect(iommu_unmap(this.defaultDomain(n), IOVA, SZ_4K)).to.equal(SZ_4K);
	}

	word(n: number): number {
		return this.machine.ram.readWord(BUFFER + n * SZ_4K);
	}

	quiet(): void {
		expect(this.findings()).to.equal('');
	}
}

describe('two kinds of IOMMU', () => {
	it('stand side by side, each with its streams by name', () => {
		const rig = new TwoKinds();
		expect(
			rig.machine.iommus.map((iommu) => [iommu.name, iommu.streamCount, iommu.outputBits]),
		).to.deep.equal([
			['30f0000.iommu', 6, 32],
			['ff8f3f00.iommu', 1, 32],
			['ff660480.iommu', 1, 32],
			['ff670f00.iommu', 1, 32],
		]);
		const streams = rig.machine.stats().dma.map(({ name, stream, streamName }) => [name, stream, streamName]);
		expect(streams).to.deep.equal([
			['de', 0, 'DE'],
			['ve', 3, 'VE'],
			['vop', 0, 'vop'],
			['vdec', 0, 'vdec'],
			['rga', 0, 'rga'],
		]);
	});

	it('have sentences about who decides that are true of each', () => {
		new TwoKinds();
		const lines = String(sysfs_read('/sys/kernel/debug/dma/decision')).split('\n');
		const said = (name: string) => lines.find((line) => line.startsWith(`${name}: `));
		expect(said('ve')).to.match(/^ve: translated: behind IOMMU 30f0000\.iommu, group 0 \(2 devices\)/);
		expect(said('vdec')).to.match(/^vdec: translated: behind IOMMU ff660480\.iommu, group 2 \(1 device\)/);
		// An IOMMU of one master asks for no number.
		expect(said('vdec')).to.not.contain('iommus');
	});

	it('make one group of all masters, or one of each, as their drivers do', () => {
		const rig = new TwoKinds();
		const groups = ALL.map((n) => rig.device(n).iommu_group!.id);
		expect(groups[DE]).to.equal(groups[VE]);
		expect(new Set(groups).size).to.equal(4);
		expect(new Set(GROUPS.map((n) => rig.defaultDomain(n))).size).to.equal(4);
	});

	for (const policy of ['pessimistic', 'optimistic'] as const)
		it(`lead one address to each group's own memory, all at once (${policy})`, () => {
			const rig = new TwoKinds({ policy });
			rig.mapEach();
			for (const n of ALL)
				rig.masters.model(NAMES[n]!).stream({ addr: IOVA, size: 64, write: true, periodNs: 700 });
			rig.machine.advance(100_000);
			for (const n of ALL) {
				const master = rig.masters.model(NAMES[n]!);
				master.stop();
				expect([master.streamed > 100, master.streamRefused], NAMES[n]).to.deep.equal([true, 0]);
			}
			for (const n of GROUPS) expect(rig.word(n), NAMES[n]).to.not.equal(0);
			expect(rig.word(VE)).to.equal(0);
			for (const iommu of rig.machine.iommus) expect(figure(iommu, 'accesses')).to.be.greaterThan(100);
			rig.unmapEach();
			for (const n of ALL) expect(rig.tries(n, IOVA), NAMES[n]).to.equal(false);
			rig.quiet();
		});

	it('report a fault by the IOMMU that has it, to the domain of its group, and stop nobody else', () => {
		const rig = new TwoKinds();
		rig.mapEach();
		const told: string[] = [];
		for (const n of GROUPS)
			iommu_set_fault_handler(
				rig.defaultDomain(n),
				(_domain, dev, iova) => {
					told.push(`${NAMES[n]}: ${dev_name(dev)} 0x${iova.toString(16)}`);
					return 0;
				},
				null,
			);
		for (const n of GROUPS) {
			told.length = 0;
			const before = rig.machine.iommus.map((iommu) => iommu.faults.length);
			expect(rig.tries(n, 0x0500_0000)).to.equal(false);
			const mine = rig.iommuOf(n);
			expect(told).to.deep.equal([`${NAMES[n]}: ${mine.name} 0x5000000`]);
			expect(rig.machine.iommus.map((iommu, i) => iommu.faults.length - before[i]!)).to.deep.equal(
				rig.machine.iommus.map((iommu) => (iommu === mine ? 1 : 0)),
			);
			for (const other of ALL) expect(rig.tries(other, IOVA), NAMES[other]).to.equal(true);
		}
		rig.unmapEach();
		rig.quiet();
	});

	it('answer both when two faults share a moment, on two lines or on one', () => {
		const rig = new TwoKinds();
		for (const n of [DE, VDEC, RGA]) rig.reads(n, 0x0600_0000 + n * SZ_4K);
		rig.machine.advance(10_000);
		const fault = (line: string): boolean => /Page fault (for|at) 0x000000000600/.test(line);
		expect(rig.log.filter(fault).map((line) => /([0-9a-f]+\.iommu)/.exec(line)![1])).to.have.members([
			'30f0000.iommu',
			'ff660480.iommu',
			'ff670f00.iommu',
		]);
		rig.mapEach();
		for (const n of ALL) expect(rig.tries(n, IOVA), NAMES[n]).to.equal(true);
		rig.unmapEach();
		rig.quiet();
	});

	it("refuse the domain of the other kind's driver, and share one among their own", () => {
		const rig = new TwoKinds();
		const domain = rig.domain(VOP);
		expect(iommu_attach_group(domain, rig.device(DE).iommu_group!)).to.equal(-EINVAL);
		for (const n of [VOP, RGA]) expect(iommu_attach_group(domain, rig.device(n).iommu_group!)).to.equal(0);
		iommu_map(domain, IOVA, BUFFER, SZ_4K, RW, GFP_KERNEL);
		expect([DE, VOP, VDEC, RGA].map((n) => rig.tries(n, IOVA))).to.deep.equal([false, true, false, true]);
		iommu_unmap(domain, IOVA, SZ_4K);
		expect([VOP, RGA].map((n) => rig.tries(n, IOVA))).to.deep.equal([false, false]);
		rig.detachAndFree(domain, VOP);
		rig.quiet();
	});

	it('serve the DMA API: a buffer that one maps is out of the others’ reach', () => {
		const rig = new TwoKinds();
		for (const n of GROUPS) {
			const buffer = kmalloc(SZ_4K, GFP_KERNEL)!;
			const dma = dma_map_single(rig.device(n), buffer, SZ_4K, DMA_FROM_DEVICE);
			expect(dma_mapping_error(rig.device(n), dma)).to.equal(0);
			expect(rig.tries(n, dma as number, true), NAMES[n]).to.equal(true);
			for (const other of GROUPS)
				if (other !== n) expect(rig.tries(other, dma as number, true), NAMES[other]).to.equal(false);
			dma_unmap_single(rig.device(n), dma, SZ_4K, DMA_FROM_DEVICE);
			expect([...buffer.subarray(0, 4)]).to.deep.equal([1, 2, 3, 4]);
			kfree(buffer);
		}
		rig.quiet();
	});

	// The registers that flush and invalidate.
	for (const [n, zaps] of [
		[DE, [0x080, 0x098]],
		[VOP, [0x10]],
		[VDEC, [0x10]],
	] as const)
		it(`show the sanitiser a zap that was lost, and whose (${NAMES[n]})`, () => {
			const rig = new TwoKinds();
			const iommu = rig.iommuOf(n);
			expectFinding(
				new RegExp(
					`stale-(tlb|after-unmap) in [^]*, in ${iommu.name} at|use-after-unmap in read by ${NAMES[n]}`,
				),
			);
			rig.mapEach();
			for (const m of ALL) {
				rig.reads(m, IOVA);
				rig.reads(m, IOVA);
			}
			const { write } = iommu;
			iommu.write = (offset, width, value, region) => {
				if (!zaps.some((zap) => zap === offset)) write.call(iommu, offset, width, value, region);
			};
			rig.unmapEach();
			iommu.write = write;
			for (const m of GROUPS) expect(rig.reads(m, IOVA), NAMES[m]).to.equal(m === n);
			expect(rig.dmasan.reports.map((r) => [r.kind, r.device])).to.deep.equal([
				['stale-after-unmap', iommu.name],
				['stale-tlb', iommu.name],
				['use-after-unmap', NAMES[n]],
			]);
			for (const { text } of rig.dmasan.reports) expect(text).to.match(/^ {2}-> not mapped$/m);
		});

	it('let a master that is off and on again translate as before, and its neighbours go on meanwhile', () => {
		const rig = new TwoKinds();
		rig.mapEach();
		pm_runtime_put_sync(rig.device(VDEC));
		flush_workqueue(pm_wq);
		expect(rig.iommuOf(VDEC).state(0, -1)).to.equal('off');
		for (const n of [DE, VE, VOP, RGA]) expect(rig.tries(n, IOVA), NAMES[n]).to.equal(true);
		pm_runtime_get_sync(rig.device(VDEC));
		expect(rig.tries(VDEC, IOVA, true)).to.equal(true);
		expect(rig.word(VDEC)).to.equal(0x04030201);
		rig.unmapEach();
		rig.quiet();
	});
});
