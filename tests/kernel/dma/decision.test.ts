// SPDX-License-Identifier: GPL-2.0-only
// /sys/kernel/debug/dma/decision against what the devices really do.

import { expect } from 'chai';
import { pfn_to_page } from '#asm/memory.js';
import { PAGE_SIZE } from '#asm/page-def.js';
import { bus_find_device_by_name } from '#drivers/base/bus.js';
import { platform_bus_type } from '#drivers/base/platform.js';
import { iommu_attach_group, iommu_detach_group, iommu_group_claim_dma_owner } from '#drivers/iommu/iommu.js';
import { of_reserved_mem_device_init_by_idx } from '#drivers/of/of_reserved_mem.js';
import { sysfs_read } from '#fs/sysfs/user.js';
import type { MachineOptions } from '#hw/core/machine.js';
import { start_kernel } from '#init/main.js';
import { dma_dummy_ops } from '#kernel/dma/dummy.js';
import { dma_alloc_coherent, dma_set_mask } from '#kernel/dma/mapping.js';
import { printk_state } from '#kernel/printk/printk.js';
import type { device } from '#linux/device.js';
import { DMA_TO_DEVICE } from '#linux/dma-direction.js';
import { set_dma_ops } from '#linux/dma-map-ops.js';
import { DMA_BIT_MASK, DMA_MAPPING_ERROR } from '#linux/dma-mapping.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { IOMMU_CAP_DEFERRED_FLUSH, IOMMU_DOMAIN_IDENTITY, type iommu_ops } from '#linux/iommu.js';
import { pci_bus_type } from '#linux/pci.js';
import { platform_driver, platform_driver_register } from '#linux/platform_device.js';
import { ref } from '#linux/types.js';
import { boardBlob } from '#tests/boot.js';
import { Masters } from '#tests/drivers/iommu/masters.js';
import { bootRig, domainFor, ok, setType } from '#tests/drivers/iommu/rig.js';
import { SimBus } from '#tests/drivers/iommu/sim_bus.js';
import { blobOf, type Node, RAM } from '#tests/hw/board.js';
import { h6, h6Tree } from '#tests/hw/h6.js';
import { dma_map_page_attrs } from '#tests/kernel/dma/client.js';
import { testMachine } from '#tests/machine.js';
import { expectWarning } from '#tests/setup.js';

/** What the file says of @name, in clauses. */
function said(name: string): string[] {
	const lines = String(sysfs_read('/sys/kernel/debug/dma/decision')).split('\n');
	const found = lines.filter((l) => l.startsWith(`${name}: `));
	expect(found, name).to.have.length(1);
	return found[0].slice(name.length + 2).split('; ');
}

/** Boot a golden board whose masters are bound. */
const board = (name: string, commandLine = ''): Masters =>
	new Masters(testMachine(boardBlob(name), { commandLine }));
/** Boot the small H6 with more in its tree. */
const small = (extra: Node, options: MachineOptions = {}): Masters =>
	new Masters(testMachine(blobOf(h6Tree(extra)), options));

/** Where the first page of memory appears to @dev. */
const mapped = (dev: device, phys: number): number =>
	dma_map_page_attrs(dev, pfn_to_page(phys / PAGE_SIZE), 0, 4096, DMA_TO_DEVICE, 0) as number;

const NOTHING_BOUNCES = 'nothing bounces but small kmalloc() buffers';
const NO_IOMMUS = 'direct: its node has no iommus';
const PLAIN = 'not coherent, as nothing says dma-coherent';
const SINGLE = 'a single page comes from the page allocator';
const ATOMIC = 'who cannot sleep gets it from an atomic pool';
const BOUNCE = 'a bounce takes at most 262144 bytes';

describe('decision', () => {
	describe('behind the IOMMU', () => {
		it('names the IOMMU, the group and its domain', () => {
			const m = board('main');
			expect(said('m0')).to.deep.equal([
				'translated: behind IOMMU ffc80000.iommu, group 0 (3 devices) has a strict DMA domain, the default',
				'its addresses go up to 0xffffffff',
				'small kmalloc() buffers bounce',
				PLAIN,
				'coherent memory, up to 0xffffffff, comes from pages anywhere',
				ATOMIC,
			]);
			expect(mapped(m.device('m0'), 0x1000_0000)).to.equal(0xffff_f000);
			dma_set_mask(m.device('m0'), 0xff_ffff);
			expect(said('m0')).to.include('its addresses go up to 0xffffff');
		});

		for (const [commandLine, expected] of [
			['iommu.passthrough=0', 'has a strict DMA domain, by iommu.passthrough=0'],
			['iommu.strict=1', 'has a strict DMA domain, by iommu.strict=1'],
			['iommu.strict=0', 'has a strict DMA domain, as the IOMMU has no use for a lazy one'],
			['iommu.passthrough=1', 'has an identity domain, by iommu.passthrough=1'],
		]) {
			it(`gives the reason for the domain: ${commandLine}`, () => {
				board('main', commandLine);
				expect(said('m0')[0]).to.match(new RegExp(`^\\w+: .* ${expected}$`));
			});
		}

		it('says that an identity domain is as good as none', () => {
			const m = board('main', 'iommu.passthrough=1');
			expect(said('m1')).to.deep.equal([
				'direct: behind IOMMU ffc80000.iommu, group 0 (3 devices) has an identity domain, by iommu.passthrough=1',
				'its mask 0xffffffff reaches all memory, up to 0x7fffffff: nothing bounces',
				'coherent, as /m1 says dma-coherent',
				'coherent memory, up to 0xffffffff, comes from CMA area reserved, 65536 KiB at 0x7c000000',
				SINGLE,
			]);
			expect(mapped(m.device('m1'), 0x1000_0000)).to.equal(0x1000_0000);
		});

		it('tells a lazy domain, a driver’s wish and the type file from the default', () => {
			const lazy: Partial<iommu_ops> = { capable: (_dev, cap) => cap === IOMMU_CAP_DEFERRED_FLUSH };
			let { driver } = bootRig('iommu.strict=0', lazy);
			driver.device('a');
			expect(said('a')[0]).to.equal(
				'translated: behind IOMMU testmmu, group 0 (1 device) has a lazy DMA domain, by iommu.strict=0',
			);
			({ driver } = bootRig('', { def_domain_type: () => IOMMU_DOMAIN_IDENTITY }));
			driver.device('a');
			expect(said('a')[0]).to.match(/ has an identity domain, as the IOMMU driver wants it$/);
			({ driver } = bootRig());
			expect(setType(driver.device('a'), 'identity')).to.equal(0);
			expect(said('a')[0]).to.match(
				/^direct: .* has an identity domain, by the group's type file, or for another device of the group$/,
			);
		});

		it('says when the first mapping is to attach', () => {
			const { driver } = bootRig('', { is_attach_deferred: () => true });
			driver.device('a');
			expect(said('a')[0]).to.match(/, the default, which is attached at the first mapping$/);
		});

		it('says when the address space could not be set up', () => {
			const { driver } = bootRig();
			const dev = driver.device('a');
			dev.dma_iommu = false;
			expect(said('a')[0]).to.match(
				/^direct, for its address space could not be set up: behind IOMMU testmmu,/,
			);
		});

		it('says who is attached instead', () => {
			const { driver } = bootRig();
			const dev = driver.device('a');
			const own = domainFor(dev);
			expect(iommu_attach_group(own, dev.iommu_group!)).to.equal(0);
			expect(said('a')[1]).to.equal(
				'attached now is an unmanaged domain: what the DMA API maps does not reach it',
			);
			iommu_detach_group(own, dev.iommu_group!);
			expect(said('a')[1]).to.match(/^its addresses/);
			expect(iommu_group_claim_dma_owner(dev.iommu_group!, {})).to.equal(0);
			expect(said('a')[1]).to.match(/^attached now is an unmanaged domain that lets nothing through: /);
		});

		it('knows a driver that manages DMA itself', () => {
			start_kernel(h6());
			let dev: device | null = null;
			platform_driver_register(
				new platform_driver({
					probe: (pdev) => {
						dev ??= pdev.dev;
						return 0;
					},
					driver: { name: 'own-dma', of_match_table: [{ compatible: 'oracle,master' }] },
					driver_managed_dma: true,
				}),
			);
			const group = ok(dev as device | null).iommu_group!;
			const own = domainFor(ok(dev as device | null));
			expect(iommu_attach_group(own, group)).to.equal(0);
			expect(said('m0')[1]).to.equal(
				'attached now is an unmanaged domain, as its driver manages DMA itself: what the DMA API maps does not reach it',
			);
		});

		it('knows a device that is not trusted', () => {
			start_kernel(h6({ commandLine: 'iommu.passthrough=1' }));
			const sim = new SimBus({}, pci_bus_type);
			expect(sim.register()).to.equal(0);
			sim.addPci(8, (pdev) => {
				pdev.untrusted = 1;
			});
			expect(said('0:1.0')[0]).to.match(/ has a strict DMA domain, as the device is not trusted$/);
			expect(said('0:1.0')).to.include('all but whole pages bounces');
		});
	});

	describe('without an IOMMU', () => {
		it('says that the tree names none', () => {
			const m = board('main');
			expect(said('m3')).to.deep.equal([
				NO_IOMMUS,
				`its mask 0xffffffff reaches all memory, up to 0x7fffffff: ${NOTHING_BOUNCES}`,
				PLAIN,
				'coherent memory, up to 0xffffffff, comes from CMA area reserved, 65536 KiB at 0x7c000000',
				SINGLE,
				ATOMIC,
			]);
			expect(mapped(m.device('m3'), 0x1000_0000)).to.equal(0x1000_0000);
		});

		it('says that the IOMMU is disabled, or has no driver', () => {
			const other: Node = { compatible: 'nobody,iommu', '#iommu-cells': [1], phandle: [9] };
			small({
				m0: { compatible: 'oracle,master', iommus: [9, 0] },
				m1: { compatible: 'oracle,master', iommus: [8, 0] },
				'iommu@9': other,
				'iommu@8': { ...other, phandle: [8], status: 'disabled' },
			});
			expect(said('m0')[0]).to.equal('direct: /iommu@9, which its iommus names, has no driver');
			expect(said('m1')[0]).to.equal('direct: /iommu@8, which its iommus names, is disabled');
			expect(said('m2')[0]).to.match(/^translated: behind IOMMU 30f0000\.iommu, /);
		});

		for (const [what, iommus, expected] of [
			['nothing', true, 'its iommus is empty'],
			['a phandle that nobody has', [0x77, 0], 'its iommus names phandle 0x77, which no node has'],
			['phandle 0', [0, 0], 'its iommus has an empty entry'],
			['a clock', [2, 0], '/clock@3001000, which its iommus names, is no IOMMU: it has no #iommu-cells'],
			[
				'too few cells',
				[3],
				'its iommus gives /iommu@30f0000 0 of the 1 cells that its #iommu-cells asks for',
			],
		] as const)
			it(`says what is wrong with iommus that names ${what}, and logs no more for it`, () => {
				small({ bad: { compatible: 'oracle,master', iommus: iommus === true ? true : [...iommus] } });
				const logged = printk_state.next_seq;
				expect(said('bad')[0]).to.equal(`direct: ${expected}`);
				expect(printk_state.next_seq).to.equal(logged);
			});

		it('says what of iommus is left out', () => {
			small({
				more: { compatible: 'oracle,master', iommus: [3, 1, 0x77, 2] },
			});
			expect(said('more')[1]).to.equal(
				'the rest is left out: its iommus names phandle 0x77, which no node has',
			);
			expect(said('m5').join('; ')).to.not.contain('iommus');
		});

		it('says that an IOMMU without cells names no master', () => {
			const { 'iommu@30f0000': iommu, ...tree } = h6Tree();
			const none = { ...(iommu as Node), '#iommu-cells': [0] };
			const alone = { compatible: 'oracle,master', iommus: [3] };
			new Masters(testMachine(blobOf({ ...tree, 'iommu@30f0000': none, alone })));
			expect(said('alone')[1]).to.equal('its iommus names no master: #iommu-cells of /iommu@30f0000 is 0');
		});

		it('says what becomes of the tables of the IOMMU when everything must bounce', () => {
			new Masters(testMachine(blobOf(h6Tree()), { commandLine: 'swiotlb=force' }));
			expect(said('m0').join('; ')).to.contain('; every table of 30f0000.iommu bounces (swiotlb=force)');
		});

		it('says that there is no node', () => {
			const { driver } = bootRig();
			driver.plainDevice('b');
			expect(said('b')[0]).to.equal('direct: it has no node in the tree, and so no iommus');
		});

		it('says whether memory out of reach bounces', () => {
			const m = board('direct');
			expect(said('m3')[1]).to.equal(
				'its mask 0xffffffff does not reach all memory, up to 0x87fffffff: the rest bounces',
			);
			dma_set_mask(m.device('m3'), DMA_BIT_MASK(40));
			expect(said('m3')[1]).to.equal(
				`its mask 0xffffffffff reaches all memory, up to 0x87fffffff: ${NOTHING_BOUNCES}`,
			);
			board('direct', 'swiotlb=noforce');
			expect(said('m3')[1]).to.match(/: the rest cannot be mapped, as there is no pool to bounce through$/);
		});

		it('says that all bounces by swiotlb=force', () => {
			board('main', 'swiotlb=force');
			expect(said('m4')[1]).to.equal(
				'its mask 0xffffffff reaches all memory, up to 0x7fffffff, and all the same everything bounces (swiotlb=force)',
			);
			board('direct', 'swiotlb=force');
			expect(said('m3')[1]).to.match(/does not reach all memory, .*: everything bounces \(swiotlb=force\)$/);
		});

		it('shows the windows of dma-ranges, and what they leave out', () => {
			const m = board('ranges');
			expect(said('bus6:m6').slice(0, 4)).to.deep.equal([
				NO_IOMMUS,
				'dma-ranges shows it memory at 0x0+0x20000000 as 0x80000000',
				'dma-ranges shows it memory at 0x40000000+0x20000000 as 0x100000000',
				'its windows, up to its mask 0xffffffff, do not show all memory, up to 0x87fffffff: the rest cannot be mapped, as the pool to bounce through, 65536 KiB at 0x38000000, is out of its reach',
			]);
			expect(mapped(m.device('bus6:m6'), 0x1000_0000)).to.equal(0x9000_0000);
		});

		it('knows the limit of a bus', () => {
			const m = small({
				bus: {
					compatible: 'simple-bus',
					'#address-cells': [1],
					'#size-cells': [1],
					ranges: true,
					'dma-ranges': [0, 0, 0x5000_0000],
					n0: { compatible: 'oracle,master' },
				},
			});
			expect(said('bus:n0')).to.include(
				`its bus limit 0x4fffffff reaches all memory, up to 0x4fffffff: ${NOTHING_BOUNCES}`,
			);
			m.device('bus:n0').dma_mask!.value = 0x47ff_ffff;
			expect(said('bus:n0').join('; ')).to.match(
				/; its mask 0x47ffffff does not reach all memory, up to 0x4fffffff: the rest cannot be mapped, as the pool to bounce through, 256 KiB at 0x\w+, is out of its reach; /,
			);
			expectWarning(/swiotlb addr 0x000000004bfc0000\+4096 overflow/);
			expect(mapped(m.device('bus:n0'), 0x4000_0000 + 0x0a00_0000)).to.equal(DMA_MAPPING_ERROR);
		});
	});

	describe('memory of its own', () => {
		const GIB1 = 0x4000_0000;
		const region = (node: Node): Node => ({
			'reserved-memory': {
				'#address-cells': [1],
				'#size-cells': [1],
				ranges: true,
				'pool@48000000': { reg: [RAM + 0x0800_0000, 0x40_0000], phandle: [9], ...node },
			},
			direct: { compatible: 'oracle,master', 'memory-region': [9] },
			m0: { compatible: 'oracle,master', iommus: [3, 0], 'memory-region': [9] },
		});

		it('is a restricted pool, for all that it does, but not behind an IOMMU', () => {
			const m = small(region({ compatible: 'restricted-dma-pool' }));
			expect(said('direct').slice(1)).to.deep.equal([
				'everything bounces through its restricted pool, 4096 KiB at 0x48000000 (memory-region)',
				BOUNCE,
				PLAIN,
				'coherent memory, up to 0xffffffff, comes from its restricted pool',
			]);
			expect(mapped(m.device('direct'), GIB1 + 0x0400_0000)).to.be.within(0x4800_0000, 0x483f_ffff);
			expect(said('m0').at(-1)).to.equal('its memory-region is not in use for DMA');
		});

		it('is a pool of coherent memory, once the driver has asked for it', () => {
			const m = small(region({ compatible: 'shared-dma-pool', 'no-map': true }));
			const dev = m.device('direct');
			expect(said('direct').at(-1)).to.equal('its memory-region is not in use for DMA');
			expect(of_reserved_mem_device_init_by_idx(dev, dev.of_node, 0)).to.equal(0);
			expect(said('direct').at(-1)).to.equal(
				'coherent memory, up to 0xffffffff, comes from its own pool, 4096 KiB at 0x48000000 (memory-region)',
			);
			const dma = new ref(0);
			dma_alloc_coherent(dev, 4096, dma, GFP_KERNEL);
			expect(dma.value).to.equal(0x4800_0000);
		});

		it('is a CMA area', () => {
			const m = small(region({ compatible: 'shared-dma-pool', reusable: true }));
			const dev = m.device('direct');
			expect(of_reserved_mem_device_init_by_idx(dev, dev.of_node, 0)).to.equal(0);
			expect(said('direct').at(-2)).to.equal(
				'coherent memory, up to 0xffffffff, comes from its CMA area pool@48000000, 4096 KiB at 0x48000000 (memory-region)',
			);
		});

		it('is neither, without CMA', () => {
			small({}, { commandLine: 'cma=0' });
			expect(said('direct').at(-2)).to.equal(
				'coherent memory, up to 0xffffffff, comes from the page allocator',
			);
		});
	});

	describe('coherency', () => {
		it('is found in a bus above, and ends at the nearest node that speaks', () => {
			const m = small({
				bus: {
					compatible: 'simple-bus',
					'#address-cells': [1],
					'#size-cells': [1],
					ranges: true,
					'dma-coherent': true,
					n0: { compatible: 'oracle,master' },
					n1: { compatible: 'oracle,master', 'dma-noncoherent': true },
				},
			});
			expect(said('bus:n0')).to.include('coherent, as /bus says dma-coherent');
			expect(said('bus:n1')).to.include('not coherent, as /bus/n1 says dma-noncoherent');
			m.device('bus:n1').dma_coherent = true;
			expect(said('bus:n1')).to.include('coherent, whatever the tree says');
		});
	});

	it('says nothing of devices that cannot do DMA, and of the others whether it is decided', () => {
		start_kernel(h6());
		expect(said('m0')).to.deep.equal(['undecided: no driver is bound']);
		expect(said('direct')).to.deep.equal(['undecided: no driver is bound']);
		const dev = bus_find_device_by_name(platform_bus_type, null, 'direct')!;
		dev.dma_mask = null;
		expect(String(sysfs_read('/sys/kernel/debug/dma/decision'))).to.not.contain('direct: undecided');
	});

	it('knows devices that map in their own way, or not at all', () => {
		const m = small({});
		set_dma_ops(m.device('direct'), dma_dummy_ops);
		expect(said('direct')).to.deep.equal(['none: every mapping fails (dummy ops)']);
		set_dma_ops(m.device('direct'), {});
		expect(said('direct')).to.deep.equal(['the dma_map_ops of its own bus']);
	});
});
