// SPDX-License-Identifier: GPL-2.0-only
// The H6's IOMMU driver: its register accesses in order, and what they do.
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { platform_bus_type } from '#drivers/base/platform.js';
import {
	iommu_attach_group,
	iommu_detach_group,
	iommu_domain_alloc,
	iommu_domain_free,
	iommu_get_dma_domain,
	iommu_get_domain_for_dev,
	iommu_group_claim_dma_owner,
	iommu_group_release_dma_owner,
	iommu_iova_to_phys,
	iommu_map,
	iommu_paging_domain_alloc,
	iommu_set_fault_handler,
	iommu_unmap,
} from '#drivers/iommu/iommu.js';
import { iommu_pages_stat } from '#drivers/iommu/iommu-pages.js';
import { to_sun50i_domain } from '#drivers/iommu/sun50i-iommu.js';
import { sysfs_write } from '#fs/sysfs/user.js';
import { READ, WRITE } from '#hw/iommu/iommu.js';
import type { Sun50iH6Iommu } from '#hw/iommu/sun50i-h6-iommu.js';
import { loggingHole } from '#hw/misc/logging-hole.js';
import { dev_name } from '#linux/device.js';
import { DMA_MAPPING_ERROR } from '#linux/dma-mapping.js';
import { IS_ERR } from '#linux/err.js';
import { EBUSY, EINVAL, ENODEV } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { IOMMU_READ, IOMMU_WRITE, type iommu_domain } from '#linux/iommu.js';
import { slab_leaks, slab_live } from '#linux/slab.js';
import { RAM } from '#tests/hw/board.js';
import { h6 } from '#tests/hw/h6.js';
import { testMachine } from '#tests/machine.js';
import { Masters } from './masters.js';

const RW = IOMMU_READ | IOMMU_WRITE;
const BUFFER = RAM + 0x0800_0000;

/** A golden board with a hole that reads zero in place of the IOMMU. */
function hole(): { masters: Masters; log: string[]; take: () => string } {
	const log: string[] = [];
	const board = readFileSync('tests/golden/vectors/boards/main.dtb');
	const machine = testMachine(board, {
		overrides: {
			'allwinner,sun50i-h6-iommu': loggingHole(log),
			'snps,dw-low-reset': loggingHole(log, 'rst:'),
		},
	});
	return { masters: new Masters(machine), log, take: () => log.splice(0).join(' ') };
}

/** A board with the model. */
function model(extra = {}): { masters: Masters; lines: string[]; said: (text: string) => boolean } {
	const lines: string[] = [];
	const machine = h6({ onConsole: (_level, line) => lines.push(line) }, extra);
	return { masters: new Masters(machine), lines, said: (text) => lines.some((l) => l.includes(text)) };
}

function unmanaged(masters: Masters, name = 'm0'): iommu_domain {
	const domain = iommu_paging_domain_alloc(masters.device(name));
	if (IS_ERR(domain)) throw new Error(`no domain: ${domain.errno}`);
	return domain;
}

/** W050=<directory> is the kernel's page allocator's choice. */
const anyDirectory = (text: string) => text.replace(/W050=[0-9a-f]+/g, 'W050=DT');

// sun50i-mmio.json, case "first-boot-ops", 'before'; but for the third authority write, which carries both words
// (Documentation/deviations.md).
const ENABLE =
	'rst:R000 rst:W000=80 W050=DT W070=3f W030=0 W100=3003f W0b0=fff0000 W0b4=aaa W0b4=5550aaa W080=3003f R080 W040=1 W020=1';
const DISABLE = 'W020=0 W050=0 rst:R000 rst:W000=0';
const FLUSH = 'W080=3003f R080';

/** What sun50i-mmio.json shows for a mapping at @iova: invalidations in order, 32 bits wide. */
function zap(iova: number, size: number): string {
	const hex = (n: number) => (n >>> 0).toString(16);
	const pages = [iova, iova + 0x1000, ...(size > 0x1000 ? [iova + size, iova + size + 0x1000] : [])];
	const tables = [iova, iova + 0x100000, ...(size > 0x100000 ? [iova + size, iova + size + 0x100000] : [])];
	return [
		'W040=0',
		...pages.map((p) => `W090=${hex(p)} W094=fffff000 W098=1 R098`),
		...tables.map((t) => `W0a0=${hex(t)} W0a8=1 R0a8`),
		'W040=1',
	].join(' ');
}

describe('sun50i_iommu', () => {
	describe('register accesses', () => {
		it('enable translation once for all masters, when the first is probed', () => {
			const { take } = hole();
			expect(anyDirectory(take())).to.equal(ENABLE);
		});

		it('invalidate around each mapping, and flush everything on each unmapping', () => {
			const { masters, take } = hole();
			const domain = unmanaged(masters);
			const group = masters.device('m0').iommu_group!;
			iommu_attach_group(domain, group);
			take();

			for (const [iova, size] of [
				[0xffff_f000, 0x1000],
				[0x3000, 0x3000],
				[0xffe0_0000, 0x100000],
				[0xffc0_0000, 0x101000],
			] as [number, number][]) {
				expect(iommu_map(domain, iova, 0x1000_0000, size, RW, GFP_KERNEL)).to.equal(0);
				expect(take()).to.equal(zap(iova, size));
				expect(iommu_unmap(domain, iova, size)).to.equal(size);
				expect(take()).to.equal(FLUSH);
			}
			iommu_detach_group(domain, group);
			iommu_domain_free(domain);
		});

		it('flush when nothing was mapped, and when a mapping fails', () => {
			const { masters, take } = hole();
			const domain = unmanaged(masters);
			iommu_attach_group(domain, masters.device('m0').iommu_group!);
			take();
			expect(iommu_unmap(domain, 0x1000, 0x1000)).to.equal(0);
			expect(take()).to.equal(FLUSH);
			iommu_map(domain, 0x1000, 0x1000_0000, 0x1000, RW, GFP_KERNEL);
			take();
			expect(iommu_map(domain, 0x1000, 0x1000_1000, 0x1000, RW, GFP_KERNEL)).to.equal(-EBUSY);
			expect(take()).to.equal(FLUSH);
		});

		it('repeat the enable sequence with each other domain, and touch nothing for the same', () => {
			const { masters, take } = hole();
			const group = masters.device('m0').iommu_group!;
			const domain = unmanaged(masters);
			take();
			expect(iommu_attach_group(domain, group)).to.equal(0);
			expect(anyDirectory(take())).to.equal(ENABLE);
			iommu_detach_group(domain, group);
			expect(anyDirectory(take())).to.equal(ENABLE);
		});

		it('are none for a domain that was never attached', () => {
			const { masters, take } = hole();
			const domain = unmanaged(masters);
			take();
			expect(iommu_map(domain, 0x1000, 0x1000_0000, 0x2000, RW, GFP_KERNEL)).to.equal(0);
			expect(iommu_iova_to_phys(domain, 0x2123)).to.equal(0x1000_1123);
			expect(iommu_unmap(domain, 0x1000, 0x2000)).to.equal(0x2000);
			iommu_domain_free(domain);
			expect(take()).to.equal('');
		});

		it('turn translation off when the group becomes identity, and on again after it', () => {
			const { masters, take } = hole();
			const names = [...masters.devices.keys()];
			for (const name of names) sysfs_write('/sys/bus/platform/drivers/test-masters/unbind', name);
			take();
			expect(sysfs_write('/sys/kernel/iommu_groups/0/type', 'identity')).to.equal(8);
			expect(take()).to.equal(DISABLE);
			expect(sysfs_write('/sys/kernel/iommu_groups/0/type', 'DMA')).to.equal(3);
			expect(anyDirectory(take())).to.equal(ENABLE);
		});
	});

	describe('tables', () => {
		// sun50i-h6-iommu.json, "prot_to_aci"; iommu-core.json, case "unmanaged".
		for (const [prot, what, read, write] of [
			[RW, 'everything', true, true],
			[IOMMU_READ, 'reading', true, false],
			[IOMMU_WRITE, 'writing', false, true],
			[0, 'nothing', false, false],
		] as [number, string, boolean, boolean][]) {
			it(`allow ${what}, and the model agrees`, () => {
				const { masters } = model();
				const domain = unmanaged(masters);
				iommu_attach_group(domain, masters.device('m0').iommu_group!);
				iommu_map(domain, 0x1000, BUFFER, 0x1000, prot, GFP_KERNEL);
				for (let m = 0; m < 6; m++) {
					const { phys, rights } = masters.machine.iommu.explain(m, 0x1000).leaf;
					expect([phys, rights]).to.deep.equal([BUFFER, (read ? READ : 0) | (write ? WRITE : 0)]);
				}
			});
		}

		it('are clean in the cache before anybody walks them', () => {
			const { masters } = model();
			const domain = unmanaged(masters);
			iommu_attach_group(domain, masters.device('m0').iommu_group!);
			iommu_map(domain, 0x40_0000, BUFFER, 0x3000, RW, GFP_KERNEL);
			for (const iova of [0x40_0000, 0x40_2000]) {
				const { leaf, steps } = masters.machine.iommu.explain(0, iova);
				expect(steps.map(({ dirty }) => dirty)).to.deep.equal([false, false]);
				expect(leaf.phys).to.equal(iommu_iova_to_phys(domain, iova));
			}
		});

		it('let a master reach exactly what is mapped', () => {
			const { masters } = model();
			const domain = unmanaged(masters);
			iommu_attach_group(domain, masters.device('m0').iommu_group!);
			iommu_map(domain, 0x1000, BUFFER, 0x2000, RW, GFP_KERNEL);
			const bytes = Uint8Array.from({ length: 64 }, (_x, i) => i);
			expect(masters.model('m3').store(0x1fe0, bytes)).to.equal(true);
			expect([...masters.machine.memory.peekMemory(BUFFER + 0xfe0, 64)]).to.deep.equal([...bytes]);
			iommu_unmap(domain, 0x1000, 0x2000);
			expect(masters.model('m3').fetch(0x1fe0, 64)).to.equal(null);
		});

		it('refuse memory beyond 4 GiB, and a page that is mapped already', () => {
			const { masters, said } = model();
			const domain = unmanaged(masters);
			expect(iommu_map(domain, 0, 0x1_0000_0000, 0x1000, RW, GFP_KERNEL)).to.equal(-EINVAL);
			expect(said('attempt to map address beyond 4GB')).to.equal(true);
			iommu_map(domain, 0, BUFFER, 0x1000, RW, GFP_KERNEL);
			expect(iommu_map(domain, 0, BUFFER + 0x1000, 0x1000, IOMMU_READ, GFP_KERNEL)).to.equal(-EBUSY);
			expect(
				said(
					'iova 0x0000000000000000 already mapped to 0x0000000048000000 cannot remap to 0x0000000048001000 prot: 0x1',
				),
			).to.equal(true);
		});

		it('made before the first attach are in force after it', () => {
			const { masters } = model();
			const domain = unmanaged(masters);
			iommu_map(domain, 0x1000, BUFFER, 0x1000, RW, GFP_KERNEL);
			iommu_attach_group(domain, masters.device('m0').iommu_group!);
			expect(masters.model('m0').store(0x1000, Uint8Array.of(1, 2, 3, 4))).to.equal(true);
			expect([...masters.machine.memory.peekMemory(BUFFER, 4)]).to.deep.equal([1, 2, 3, 4]);
		});

		it('made between two attaches are in force after the second; the directory is synced only while it is mapped', () => {
			const { masters } = model();
			const group = masters.device('m0').iommu_group!;
			const domain = unmanaged(masters);
			iommu_attach_group(domain, group);
			iommu_detach_group(domain, group);
			expect(to_sun50i_domain(domain).dt_dma).to.equal(DMA_MAPPING_ERROR);
			// A directory word that the walker has not seen yet; dma-debug watches.
			iommu_map(domain, 0x50_1000, BUFFER, 0x1000, RW, GFP_KERNEL);
			iommu_attach_group(domain, group);
			expect(masters.model('m0').store(0x50_1000, Uint8Array.of(1, 2, 3, 4))).to.equal(true);
			expect([...masters.machine.memory.peekMemory(BUFFER, 4)]).to.deep.equal([1, 2, 3, 4]);
			iommu_map(domain, 0x60_1000, BUFFER, 0x1000, RW, GFP_KERNEL);
			expect(masters.model('m0').fetch(0x60_1000, 4)).to.deep.equal(Uint8Array.of(1, 2, 3, 4));
			iommu_detach_group(domain, group);
			iommu_domain_free(domain);
		});

		it('cannot be made before the first attach when the domain was allocated for a bus', () => {
			const { masters } = model();
			masters.device('m0');
			const domain = iommu_domain_alloc(platform_bus_type)!;
			expect(iommu_map(domain, 0x1000, BUFFER, 0x1000, RW, GFP_KERNEL)).to.equal(-ENODEV);
			iommu_domain_free(domain);
		});

		it('are all freed with their domain', () => {
			const { masters } = model();
			const before = slab_live();
			const pages = iommu_pages_stat.nr_iommu_pages;
			const domain = unmanaged(masters);
			for (let i = 0; i < 8; i++) iommu_map(domain, i * 0x100000, BUFFER, 0x1000, RW, GFP_KERNEL);
			expect(slab_leaks(before)).to.include('30f0000.iommu: 8 objects more than before');
			iommu_domain_free(domain);
			expect(slab_leaks(before)).to.deep.equal([]);
			expect(iommu_pages_stat.nr_iommu_pages).to.equal(pages);
		});
	});

	describe('faults', () => {
		it('of an address that nobody mapped are reported, cleared, and let the master go on', () => {
			const { masters, said } = model();
			const domain = unmanaged(masters);
			const seen: unknown[][] = [];
			iommu_attach_group(domain, masters.device('m0').iommu_group!);
			iommu_map(domain, 0x1000, BUFFER, 0x1000, RW, GFP_KERNEL);
			iommu_set_fault_handler(
				domain,
				(_d, dev, iova, flags, token) => seen.push([dev_name(dev), iova, flags, token]) - 1,
				7,
			);

			expect(masters.model('m3').fetch(0x70_0000, 16)).to.equal(null);
			masters.machine.advance(1000);
			expect(said('30f0000.iommu: Page fault for 0x0000000000700000 (master 3, dir rd)')).to.equal(true);
			expect(seen).to.deep.equal([['30f0000.iommu', 0x70_0000, 0, 7]]);
			expect((masters.machine.iommu as Sun50iH6Iommu).irqLevel).to.equal(false);
			expect(masters.model('m3').fetch(0x1000, 16)).to.not.equal(null);
		});

		it('of a page without a word, in a table that is there, are reported too', () => {
			const { masters, said } = model();
			const domain = unmanaged(masters);
			iommu_attach_group(domain, masters.device('m0').iommu_group!);
			iommu_map(domain, 0x1000, BUFFER, 0x1000, RW, GFP_KERNEL);
			expect(masters.model('m1').store(0x8000, Uint8Array.of(1))).to.equal(false);
			masters.machine.advance(1000);
			expect(said('Page fault for 0x0000000000008000 (master 1, dir rd)')).to.equal(true);
		});

		it('of a write to what is mapped to be read say so, and change no byte', () => {
			const { masters, said } = model();
			const domain = unmanaged(masters);
			iommu_attach_group(domain, masters.device('m0').iommu_group!);
			iommu_map(domain, 0x1000, BUFFER, 0x1000, IOMMU_READ, GFP_KERNEL);
			const before = masters.machine.memory.peekMemory(BUFFER, 64);
			expect(masters.model('m3').store(0x1000, new Uint8Array(64).fill(0xee))).to.equal(false);
			masters.machine.advance(1000);
			expect(said('Page fault for 0x0000000000001000 (master 3, dir wr)')).to.equal(true);
			expect(masters.machine.memory.peekMemory(BUFFER, 64)).to.deep.equal(before);
			expect(masters.model('m3').fetch(0x1000, 64)).to.not.equal(null);
		});

		it('before a mapping is made do not outlive it in a cache', () => {
			const { masters } = model();
			const domain = unmanaged(masters);
			iommu_attach_group(domain, masters.device('m0').iommu_group!);
			expect(masters.model('m0').fetch(0x5000, 16)).to.equal(null);
			masters.machine.advance(1000);
			iommu_map(domain, 0x5000, BUFFER, 0x1000, RW, GFP_KERNEL);
			expect(masters.model('m0').fetch(0x5000, 16)).to.not.equal(null);
			expect(masters.machine.iommu.contradictions()).to.deep.equal([]);
		});
	});

	describe('domains', () => {
		it('are one for all masters, which are one group', () => {
			const { masters } = model();
			const group = masters.device('m0').iommu_group;
			for (let m = 1; m < 6; m++) expect(masters.device(`m${m}`).iommu_group).to.equal(group);
			expect(masters.device('direct').iommu_group).to.equal(null);
			expect(iommu_get_domain_for_dev(masters.device('m5'))).to.equal(
				iommu_get_dma_domain(masters.device('m0')),
			);
		});

		it('keep what is mapped in them while they are not attached', () => {
			const { masters } = model();
			const group = masters.device('m0').iommu_group!;
			const domain = unmanaged(masters);
			iommu_attach_group(domain, group);
			iommu_map(domain, 0x1000, BUFFER, 0x1000, RW, GFP_KERNEL);
			iommu_detach_group(domain, group);
			expect(masters.model('m0').fetch(0x1000, 16)).to.equal(null);
			masters.machine.advance(1000);
			iommu_attach_group(domain, group);
			expect(masters.model('m0').fetch(0x1000, 16)).to.not.equal(null);
			iommu_detach_group(domain, group);
			iommu_domain_free(domain);
		});

		it('that are empty block everything while somebody owns the group', () => {
			const { masters } = model();
			for (const name of [...masters.devices.keys()])
				sysfs_write('/sys/bus/platform/drivers/test-masters/unbind', name);
			const group = iommuGroupOf(masters);
			expect(iommu_group_claim_dma_owner(group, 'test')).to.equal(0);
			expect(masters.model('m2').fetch(BUFFER, 16)).to.equal(null);
			iommu_group_release_dma_owner(group);
		});

		it('that are gone leave the hardware off, not walking freed memory', () => {
			const { masters } = model();
			for (const name of [...masters.devices.keys()])
				sysfs_write('/sys/bus/platform/drivers/test-masters/unbind', name);
			expect(sysfs_write('/sys/kernel/iommu_groups/0/type', 'identity')).to.equal(8);
			masters.machine.memory.load(BUFFER, Uint8Array.of(9, 8, 7, 6));
			expect([...masters.model('m0').fetch(BUFFER, 4)!]).to.deep.equal([9, 8, 7, 6]);
		});
	});
});

/** The group that the masters are in although no driver is bound to them. */
function iommuGroupOf(masters: Masters) {
	sysfs_write('/sys/bus/platform/drivers/test-masters/bind', 'm0');
	const group = masters.device('m0').iommu_group!;
	sysfs_write('/sys/bus/platform/drivers/test-masters/unbind', 'm0');
	return group;
}
