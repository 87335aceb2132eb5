// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import {
	iommu_attach_group,
	iommu_domain_free,
	iommu_group_claim_dma_owner,
	iommu_group_release_dma_owner,
	iommu_iova_to_phys,
	iommu_map,
	iommu_paging_domain_alloc,
	iommu_set_fault_handler,
	iommu_unmap,
} from '#drivers/iommu/iommu.js';
import { sysfs_read } from '#fs/sysfs/user.js';
import type { MachineOptions } from '#hw/core/machine.js';
import type { ModelContext } from '#hw/core/model.js';
import { type EduIommu, eduIommu } from '#hw/iommu/edu-iommu.js';
import { dma_map_single, dma_unmap_single } from '#kernel/dma/mapping.js';
import { BUG } from '#linux/bug.js';
import { DMA_BIDIRECTIONAL, DMA_TO_DEVICE } from '#linux/dma-direction.js';
import { dma_mapping_error } from '#linux/dma-mapping.js';
import { IS_ERR } from '#linux/err.js';
import { EEXIST, EINVAL, ENOMEM, ERANGE } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { IOMMU_FAULT_READ, IOMMU_FAULT_WRITE, IOMMU_READ, IOMMU_WRITE } from '#linux/iommu.js';
import { kfree, kmalloc } from '#linux/slab.js';
import { failEach } from '#tests/fail-each.js';
import { type Node, RAM } from '#tests/hw/board.js';
import { EDU_NAME, edu } from '#tests/hw/edu.js';
import { leakCheck } from '#tests/leaks.js';
import { expectFinding, expectWarning } from '#tests/setup.js';
import { IommuRig, RW } from './iommu-rig.js';

const K4 = 0x1000;
const M4 = 0x40_0000;
const BUFFER = RAM + 0x800_0000;

class Rig extends IommuRig {
	constructor(options: MachineOptions = {}, extra: Node = {}) {
		super(
			(o) => edu(o, extra),
			(stream) => `m${stream}`,
			options,
		);
	}
}

describe('edu_iommu', () => {
	it('gives each stream its own group and its own domain', () => {
		const rig = new Rig();
		expect([1, 2, 3, 63].map((stream) => rig.device(stream).iommu_group!.id)).to.deep.equal([0, 1, 2, 3]);
		const buffer = kmalloc(K4, GFP_KERNEL)!;
		const dma = dma_map_single(rig.device(1), buffer, K4, DMA_TO_DEVICE);
		expect(dma_mapping_error(rig.device(1), dma)).to.equal(0);
		expect([rig.tries(1, dma as number), rig.tries(2, dma as number)]).to.deep.equal([true, false]);
		dma_unmap_single(rig.device(1), dma, K4, DMA_TO_DEVICE);
		expect(rig.tries(1, dma as number)).to.equal(false);
		kfree(buffer);
		expect(rig.findings()).to.equal('');
	});

	it('maps each size that the core chooses, and undoes it', () => {
		const rig = new Rig();
		const domain = rig.attached(1);
		expect(iommu_map(domain, 2 * M4 - K4, BUFFER + M4 - K4, M4 + 2 * K4, RW, GFP_KERNEL)).to.equal(0);
		const large = rig.machine.iommu.leaf(1, -1, 2 * M4 + 5);
		expect([large.phys, large.size]).to.deep.equal([BUFFER + M4 + 5, M4]);
		for (const iova of [2 * M4 - K4, 2 * M4, 3 * M4 - 4, 3 * M4]) {
			expect(iommu_iova_to_phys(domain, iova)).to.equal(BUFFER + iova - M4);
			expect(rig.tries(1, iova, true)).to.equal(true);
		}
		expect(iommu_unmap(domain, 2 * M4 - K4, M4 + 2 * K4)).to.equal(M4 + 2 * K4);
		for (const iova of [2 * M4 - K4, 2 * M4, 3 * M4 - 4, 3 * M4]) {
			expect(iommu_iova_to_phys(domain, iova)).to.equal(0);
			expect(rig.tries(1, iova)).to.equal(false);
		}
		rig.detachAndFree(domain, 1);
		expect(rig.findings()).to.equal('');
	});

	it('puts a large page where an empty table was, and not where a page is', () => {
		const rig = new Rig();
		const domain = rig.attached(1);
		iommu_map(domain, M4, BUFFER, K4, RW, GFP_KERNEL);
		rig.tries(1, M4);
		expect(iommu_map(domain, M4, BUFFER, M4, RW, GFP_KERNEL)).to.equal(-EEXIST);
		iommu_unmap(domain, M4, K4);
		expect(iommu_map(domain, M4, BUFFER, M4, RW, GFP_KERNEL)).to.equal(0);
		expect(iommu_map(domain, M4 + K4, BUFFER, K4, RW, GFP_KERNEL)).to.equal(-EEXIST);
		expect(rig.tries(1, M4 + K4, true)).to.equal(true);
		iommu_unmap(domain, M4, M4);
		rig.detachAndFree(domain, 1);
		expect(rig.findings()).to.equal('');
	});

	it('unmaps no part of a large page', () => {
		const rig = new Rig();
		const domain = rig.attached(1);
		iommu_map(domain, M4, BUFFER, M4, RW, GFP_KERNEL);
		expect(iommu_unmap(domain, M4 + K4, K4)).to.equal(0);
		expect(rig.tries(1, M4 + K4)).to.equal(true);
		iommu_unmap(domain, M4, M4);
		rig.detachAndFree(domain, 1);
	});

	for (const [what, iova, phys] of [
		['an address', 0xffff_f000, BUFFER],
		['memory', M4, 2 ** 40 - K4],
	] as const)
		it(`refuses ${what} beyond what a word can hold`, () => {
			const rig = new Rig();
			const domain = rig.attached(1);
			expect(iommu_map(domain, iova, phys, 2 * K4, RW, GFP_KERNEL)).to.equal(-ERANGE);
			expect(iommu_iova_to_phys(domain, iova)).to.equal(0);
			rig.detachAndFree(domain, 1);
		});

	for (const prot of [0, IOMMU_READ, IOMMU_WRITE, RW])
		it(`gives the rights ${prot}, and no other`, () => {
			const rig = new Rig();
			const domain = rig.attached(1);
			iommu_map(domain, M4, BUFFER, K4, prot, GFP_KERNEL);
			expect(rig.tries(1, M4)).to.equal((prot & IOMMU_READ) !== 0);
			expect(rig.tries(1, M4, true)).to.equal((prot & IOMMU_WRITE) !== 0);
			iommu_unmap(domain, M4, K4);
			rig.detachAndFree(domain, 1);
			expect(rig.findings()).to.equal('');
		});

	it('reports each refused access once, to the domain of the device that made it', () => {
		const rig = new Rig();
		const [one, two] = [rig.attached(1), rig.attached(2)];
		const seen: unknown[] = [];
		for (const domain of [one, two])
			iommu_set_fault_handler(
				domain,
				(d, dev, iova, flags) => {
					seen.push([d === two, dev === rig.device(2), iova, flags]);
					return 0;
				},
				null,
			);
		iommu_map(two, M4, BUFFER, K4, IOMMU_READ, GFP_KERNEL);
		rig.tries(2, M4 + 8, true);
		rig.tries(2, M4 + K4);
		expect(seen).to.deep.equal([
			[true, true, M4 + 8, IOMMU_FAULT_WRITE],
			[true, true, M4 + K4, IOMMU_FAULT_READ],
		]);
		expect(
			rig.log.filter((line) => line.includes(EDU_NAME)).map((line) => line.replace(/^\S+ +\S+ /, '')),
		).to.include(`edu-iommu ${EDU_NAME}: stream 2: no right: write to 0x00400008`);
		iommu_unmap(two, M4, K4);
		rig.detachAndFree(one, 1);
		rig.detachAndFree(two, 2);
	});

	it('says that events were lost', () => {
		const rig = new Rig();
		const domain = rig.attached(1);
		for (let i = 0; i < 300; i++) rig.masters.model('m1').fetch(M4, 4);
		rig.machine.advance(1000);
		expect(rig.log.some((line) => line.endsWith('events were lost'))).to.equal(true);
		iommu_map(domain, M4, BUFFER, K4, RW, GFP_KERNEL);
		expect(rig.tries(1, M4)).to.equal(true);
		iommu_unmap(domain, M4, K4);
		rig.detachAndFree(domain, 1);
	});

	it('leaves nothing of one domain to the next with its number', () => {
		const rig = new Rig();
		const first = rig.attached(1);
		iommu_map(first, M4, BUFFER, K4, RW, GFP_KERNEL);
		rig.tries(1, M4);
		rig.detachAndFree(first, 1);
		const second = rig.attached(1);
		expect(rig.tries(1, M4)).to.equal(false);
		iommu_map(second, M4, BUFFER + K4, K4, RW, GFP_KERNEL);
		rig.tries(1, M4, true);
		expect(rig.machine.ram.readWord(BUFFER)).to.equal(0);
		iommu_unmap(second, M4, K4);
		rig.detachAndFree(second, 1);
		expect(rig.findings()).to.equal('');
	});

	it('has sixteen domains, and answers -EINVAL to a domain of another block', () => {
		const rig = new Rig(
			{},
			{
				'iommu@3200000': {
					compatible: 'linux-iommu-ts,edu-iommu',
					reg: [0x320_0000, 0x1000],
					interrupts: [0, 61, 4],
					'#iommu-cells': [1],
					phandle: [4],
				},
				other: { compatible: 'oracle,master', iommus: [4, 1] },
			},
		);
		const domains = Array.from({ length: 12 }, () => rig.domain(1));
		expect(IS_ERR(iommu_paging_domain_alloc(rig.device(1)))).to.equal(true);
		const other = rig.masters.device('other');
		expect(iommu_attach_group(domains[0], other.iommu_group!)).to.equal(-EINVAL);
		for (const domain of domains) iommu_domain_free(domain);
	});

	it('refuses a stream that is not there or is taken, and says why', () => {
		const rig = new Rig({}, { far: { compatible: 'oracle,master', iommus: [3, 64] } });
		expect(rig.log.some((line) => line.endsWith('far: stream 64: this IOMMU has 0 to 63'))).to.equal(true);
		const twice = new Rig({}, { twin: { compatible: 'oracle,master', iommus: [3, 1] } });
		expect(twice.log.some((line) => line.endsWith("twin: stream 1 is m1's"))).to.equal(true);
	});

	it('blocks in silence what is claimed, and translates again when it is released', () => {
		const rig = new Rig();
		const group = rig.device(1).iommu_group!;
		rig.masters.unbind();
		const owner = {};
		expect(iommu_group_claim_dma_owner(group, owner)).to.equal(0);
		expect(rig.machine.iommu.state(1, -1)).to.equal('block');
		const lines = rig.log.length;
		expect(rig.tries(1, M4)).to.equal(false);
		expect(rig.log.length).to.equal(lines);
		iommu_group_release_dma_owner(group);
		expect(rig.machine.iommu.state(1, -1)).to.equal('translate');
		expect(rig.findings()).to.equal('');
	});

	it('passes untranslated with iommu.passthrough=1', () => {
		const rig = new Rig({ commandLine: 'iommu.passthrough=1' });
		expect(rig.machine.iommu.state(1, -1)).to.equal('bypass');
		expect(rig.tries(1, BUFFER, true)).to.equal(true);
	});

	it('defers flushes with iommu.strict=0: the window is open until the queue is flushed', () => {
		const rig = new Rig({ commandLine: 'iommu.strict=0' });
		const dev = rig.device(1);
		expect(String(sysfs_read('/sys/kernel/iommu_groups/0/type')).trim()).to.equal('DMA-FQ');
		const buffer = kmalloc(K4, GFP_KERNEL)!;
		const dma = dma_map_single(dev, buffer, K4, DMA_BIDIRECTIONAL);
		expect(dma_mapping_error(dev, dma)).to.equal(0);
		rig.tries(1, dma as number);
		dma_unmap_single(dev, dma, K4, DMA_BIDIRECTIONAL);
		expect(rig.machine.iommu.contradictions().length).to.be.greaterThan(0);
		rig.machine.advance(20_000_000);
		expect(rig.machine.iommu.contradictions()).to.deep.equal([]);
		kfree(buffer);
	});

	it('says that a command timed out, and goes on', () => {
		const rig = new Rig();
		const domain = rig.attached(1);
		rig.machine.iommu.stuck.add('commands');
		iommu_map(domain, M4, BUFFER, K4, RW, GFP_KERNEL);
		expect(rig.log.some((line) => line.endsWith('command 0x103 timed out'))).to.equal(true);
		rig.machine.iommu.stuck.clear();
		iommu_unmap(domain, M4, K4);
		rig.detachAndFree(domain, 1);
	});

	it('maps the whole range or nothing when memory runs out, and loses none', () => {
		const rig = new Rig();
		const leaks = leakCheck();
		const failures = failEach((what) => {
			const domain = iommu_paging_domain_alloc(rig.device(1));
			if (IS_ERR(domain)) return;
			const ret = iommu_map(domain, M4 - K4, BUFFER, 2 * K4, RW, GFP_KERNEL);
			expect(iommu_iova_to_phys(domain, M4 - K4), what).to.equal(ret === 0 ? BUFFER : 0);
			if (ret === 0) iommu_unmap(domain, M4 - K4, 2 * K4);
			else expect(ret, what).to.equal(-ENOMEM);
			iommu_domain_free(domain);
		});
		expect(failures).to.be.greaterThan(3);
		expect(leaks()).to.deep.equal([]);
	});

	it('is right on a lucky board, too', () => {
		const rig = new Rig({ policy: 'optimistic' });
		const domain = rig.attached(1);
		for (let round = 0; round < 8; round++) {
			expect(rig.tries(1, M4)).to.equal(false);
			iommu_map(domain, M4, BUFFER, K4, RW, GFP_KERNEL);
			expect(rig.tries(1, M4)).to.equal(true);
			iommu_unmap(domain, M4, K4);
		}
		rig.detachAndFree(domain, 1);
		expect(rig.findings()).to.equal('');
	});

	it('is caught when an invalidation is lost: as the unmapping returns, as a device uses what is gone, and at the end', () => {
		expectFinding(/stale-(tlb|entry|after-unmap)|use-after-unmap/);
		const rig = new Rig({ habits: { neighbours: 1 } });
		const domain = rig.attached(1);
		domain.ops = { ...domain.ops, iotlb_sync: undefined };
		iommu_map(domain, M4, BUFFER, 2 * K4, RW, GFP_KERNEL);
		rig.tries(1, M4);
		rig.tries(1, M4 + K4);
		iommu_unmap(domain, M4, 2 * K4);
		expect(rig.tries(1, M4)).to.equal(true);
		expect(rig.findings()).to.contain('stream 1 was answered from a cached entry');
		expect(rig.dmasan.reports.map(({ kind, access }) => [kind, access?.addr ?? -1])).to.deep.equal([
			['stale-after-unmap', -1],
			['stale-tlb', M4],
			['use-after-unmap', M4],
			['stale-entry', -1],
			['stale-entry', -1],
		]);
		rig.detachAndFree(domain, 1);
	});

	for (const late of [true, false])
		it(`is caught when tables are freed that are cached${late ? ', and dropped later' : ''}`, () => {
			expectFinding(/freed-table|freed-while-reachable|not-waited-for|stale-(entry|after-attach|after-free)/);
			const rig = new Rig({ habits: { neighbours: 1 } });
			const domain = rig.attached(1);
			iommu_map(domain, M4, BUFFER, K4, RW, GFP_KERNEL);
			rig.tries(1, M4);
			iommu_unmap(domain, M4, K4);
			rig.iommu.stuck.add('commands');
			rig.detachAndFree(domain, 1);
			if (late) rig.iommu.stuck.clear();
			rig.machine.advance(10_000);
			expect(rig.findings()).to.match(
				late
					? /freed-table .*\nINV-TABLE-LIVE.*\nDropped too late \(INV_DOMAIN\): level-1 cache had/
					: /freed-table .*\nINV-TABLE-LIVE.*\nAfter the test: level-1 cache has/,
			);
		});

	it('is caught when a large page takes the place of a table that the walk cache leads to', () => {
		expectFinding(/freed-(table|while-reachable)|stale-after-map/);
		const rig = new Rig();
		const domain = rig.attached(1);
		iommu_map(domain, M4, BUFFER, K4, RW, GFP_KERNEL);
		rig.tries(1, M4);
		iommu_unmap(domain, M4, K4);
		rig.iommu.stuck.add('commands');
		iommu_map(domain, M4, BUFFER, M4, RW, GFP_KERNEL);
		rig.iommu.stuck.clear();
		rig.machine.advance(10_000);
		expect(rig.findings()).to.match(
			/level-1 cache had 0x\w+ for 0x00400000\+0x400000 .*\nIt leads to a table at/,
		);
		iommu_unmap(domain, M4, M4);
		rig.detachAndFree(domain, 1);
	});

	it('is missed by name when it has no model, or took no master', () => {
		expect(() => new Rig({ overrides: { 'linux-iommu-ts,edu-iommu': null } })).to.throw(
			'no IOMMU has a model: they said',
		);
		const rig = new Rig({}, { m1: { compatible: 'oracle,master', iommus: [3, 64] } });
		expect(() => rig.device(1)).to.throw(
			/^m1 is behind no IOMMU that has a driver: they said[\s\S]*m1: stream 64: this IOMMU has 0 to 63/,
		);
	});

	it('shows of a kernel that dies at boot how that began', () => {
		expectWarning(/kernel BUG/);
		const dying = (ctx: ModelContext): EduIommu => {
			const model = eduIommu(ctx);
			model.read = () => BUG();
			return model;
		};
		expect(() => new Rig({ overrides: { 'linux-iommu-ts,edu-iommu': dying } })).to.throw(
			/they said\n.*\n.*\[ cut here \].*\n.*kernel BUG at/,
		);
	});

	it('gives all memory back', () => {
		const rig = new Rig();
		const leaks = leakCheck();
		for (let round = 0; round < 3; round++) {
			const domain = rig.attached(1);
			iommu_map(domain, M4 - K4, BUFFER, 3 * M4, RW, GFP_KERNEL);
			iommu_unmap(domain, M4 - K4, 3 * M4);
			rig.detachAndFree(domain, 1);
		}
		expect(leaks()).to.deep.equal([]);
	});
});
