// SPDX-License-Identifier: GPL-2.0-only
// What dma-iommu does for PCI devices only, on a simulated bus.
// What is expected is what drivers/iommu/dma-iommu.c and iommu.c of Linux 6.12 do.

import { expect } from 'chai';
import { arch_sync_dma_for_device } from '#arch/arm64/mm/dma-mapping.js';
import { pfn_to_page, phys_to_virt } from '#asm/memory.js';
import { PAGE_SIZE } from '#asm/page-def.js';
import { iommu_get_dma_domain } from '#drivers/iommu/iommu.js';
import type { Machine } from '#hw/core/machine.js';
import { start_kernel } from '#init/main.js';
import {
	dma_map_sgtable,
	dma_max_mapping_size,
	dma_set_mask_and_coherent,
	dma_unmap_page_attrs,
	dma_unmap_resource,
	dma_unmap_sgtable,
} from '#kernel/dma/mapping.js';
import { swiotlb_max_mapping_size } from '#kernel/dma/swiotlb.js';
import { sg_alloc_table, sg_free_table, sg_next } from '#lib/scatterlist.js';
import { type device, device_dma_parameters } from '#linux/device.js';
import { DMA_BIDIRECTIONAL, DMA_FROM_DEVICE, DMA_TO_DEVICE } from '#linux/dma-direction.js';
import { DMA_MAPPING_ERROR, dma_set_min_align_mask } from '#linux/dma-mapping.js';
import { EINVAL, EREMOTEIO } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { IOMMU_DOMAIN_IDENTITY, type iommu_ops } from '#linux/iommu.js';
import { IORESOURCE_IO, IORESOURCE_MEM } from '#linux/ioport.js';
import { list_add_tail, type list_head } from '#linux/list.js';
import { dev_pagemap, MEMORY_DEVICE_GENERIC, MEMORY_DEVICE_PCI_P2PDMA } from '#linux/memremap.js';
import type { page } from '#linux/mm_types.js';
import { pci_bus, pci_bus_type, pci_host_bridge } from '#linux/pci.js';
import { resource_entry } from '#linux/resource_ext.js';
import { sg_set_page, sg_table } from '#linux/scatterlist.js';
import { failEach } from '#tests/fail-each.js';
import { RAM } from '#tests/hw/board.js';
import { h6 } from '#tests/hw/h6.js';
import { dma_map_page_attrs, dma_map_resource } from '#tests/kernel/dma/client.js';
import { leakCheck } from '#tests/leaks.js';
import { setType, typeOf } from './rig.js';
import { SimBus } from './sim_bus.js';
import { G1, K4, TestDomain } from './test_driver.js';

const GIB4 = 0x1_0000_0000;
const MASK40 = 2 ** 40 - 1;
const BUFFER = RAM + 0x0800_0000;

/** Domains that reach as far as a mask of 40 bits. */
const wide: Partial<iommu_ops> = {
	domain_alloc_paging: () => {
		const domain = new TestDomain();
		domain.geometry.aperture_end = MASK40;
		domain.geometry.force_aperture = true;
		return domain;
	},
};

describe('dma_iommu_pci', () => {
	let machine: Machine;
	let log: string[];
	let sim: SimBus;

	function boot(commandLine = '', over: Partial<iommu_ops> = wide, bus = pci_bus_type): void {
		log = [];
		machine = h6({ commandLine, onConsole: (_level, line) => log.push(line) });
		start_kernel(machine);
		sim = new SimBus(over, bus);
		expect(sim.register()).to.equal(0);
	}
	const said = (text: string): boolean => log.some((l) => l.includes(text));
	/** One GiB of addresses; three of them fill what lies below 4 GiB. */
	const map1G = (dev: device): number => dma_map_resource(dev, G1, G1, DMA_TO_DEVICE, 0) as number;
	const pagesOf = (dev: device) => (iommu_get_dma_domain(dev) as TestDomain).pages;

	describe('addresses below 4 GiB', () => {
		function add(mask = MASK40): device {
			const dev = sim.add(8);
			expect(dma_set_mask_and_coherent(dev, mask)).to.equal(0);
			return dev;
		}

		it('come first, and the first above them is announced, once', () => {
			boot();
			const dev = add();
			const low = [map1G(dev), map1G(dev), map1G(dev)];
			for (const dma of low) expect(dma).to.be.below(GIB4);
			expect(said('DMA addresses')).to.equal(false);
			expect(map1G(dev)).to.be.at.least(GIB4);
			expect(log.at(-1)).to.match(/0:1\.0: Using 40-bit DMA addresses/);

			// From now on the device gets the highest there are, whatever becomes free below.
			for (const dma of low) dma_unmap_resource(dev, dma, G1, DMA_TO_DEVICE, 0);
			expect(map1G(dev)).to.be.at.least(GIB4);
			expect(log.filter((l) => l.includes('DMA addresses'))).to.have.length(1);
		});

		it('are preferred for each device by itself', () => {
			boot();
			const dev = add();
			for (let i = 0; i < 4; i++) map1G(dev);
			const other = sim.add(16);
			dma_set_mask_and_coherent(other, MASK40);
			expect(map1G(other)).to.be.below(GIB4);
		});

		it('are not preferred with iommu.forcedac, nor on another bus', () => {
			boot('iommu.forcedac=1');
			expect(said('Forcing DAC for PCI devices')).to.equal(true);
			expect(map1G(add())).to.be.at.least(GIB4);
			boot('iommu.forcedac=0');
			expect(said('Forcing DAC')).to.equal(false);
			expect(map1G(add())).to.be.below(GIB4);
			boot('', wide, { name: 'simpci' });
			expect(map1G(add())).to.be.at.least(GIB4);
		});

		it('are all that there is for a 32-bit device', () => {
			boot();
			const dev = add(0xffff_ffff);
			for (let i = 0; i < 3; i++) expect(map1G(dev)).to.be.below(GIB4);
			expect(map1G(dev)).to.equal(DMA_MAPPING_ERROR);
			expect(said('DMA addresses')).to.equal(false);
		});

		it('are all that there is behind a 32-bit bus', () => {
			boot();
			const dev = add();
			dev.bus_dma_limit = 0xffff_ffff;
			for (let i = 0; i < 3; i++) map1G(dev);
			expect(map1G(dev)).to.equal(DMA_MAPPING_ERROR);
			expect(said('DMA addresses')).to.equal(false);
		});
	});

	describe('an untrusted device', () => {
		const add = (id = 8): device =>
			sim.addPci(id, (pdev) => {
				pdev.untrusted = 1;
			});
		const map = (dev: device, at: number, size: number, dir = DMA_BIDIRECTIONAL): number =>
			dma_map_page_attrs(
				dev,
				pfn_to_page(Math.floor(at / PAGE_SIZE)),
				at % PAGE_SIZE,
				size,
				dir,
				0,
			) as number;
		const unmap = (dev: device, dma: number, size: number, dir = DMA_BIDIRECTIONAL): void =>
			dma_unmap_page_attrs(dev, dma, size, dir, 0);

		it('is translated, whatever the command line says, and stays so', () => {
			boot('iommu.passthrough=1');
			expect(typeOf(sim.add(8))).to.equal('identity');
			const dev = add(16);
			expect(typeOf(dev)).to.equal('DMA');
			expect(setType(dev, 'identity')).to.equal(-EINVAL);
			expect(typeOf(dev)).to.equal('DMA');
		});

		it('is not probed when its driver insists on identity', () => {
			boot('', { ...wide, def_domain_type: () => IOMMU_DOMAIN_IDENTITY });
			expect(typeOf(sim.add(8))).to.equal('identity');
			const dev = add(16);
			expect(dev.iommu_group).to.equal(null);
			expect(
				said('Device is not trusted, but driver is overriding group 1 to Passthrough, refusing to probe.'),
			).to.equal(true);
		});

		for (const [coherent, align_mask] of [
			[true, 0],
			[false, 0],
			[true, K4 - 1],
			[false, K4 - 1],
		] as const) {
			const what = `${coherent ? 'snooping' : 'in memory'}, ${align_mask === 0 ? 'behind' : 'around'} its bytes`;
			it(`sees zeros, ${what}`, () => {
				boot();
				const dev = add();
				dev.dma_coherent = coherent;
				dev.dma_parms = new device_dma_parameters();
				dma_set_min_align_mask(dev, align_mask);
				// Only such a device gets the offset in the page that its buffer has.
				const offset = align_mask & 0x100;
				const used = () => dev.dma_io_tlb_mem!.total_used.counter;
				phys_to_virt(BUFFER, K4).fill(0x5a);
				// The pool's slots as somebody has left them.
				const { start, end } = dev.dma_io_tlb_mem!.defpool;
				phys_to_virt(start, (end - start) as number).fill(0xee);
				arch_sync_dma_for_device(start, (end - start) as number, DMA_TO_DEVICE);

				const dma = map(dev, BUFFER + 0x100, 200);
				expect(dma % K4).to.equal(offset);
				expect(used()).to.be.above(0);
				const { phys } = pagesOf(dev).get(dma - offset)!;
				expect(phys).to.be.within(start as number, end as number);
				const seen = new Uint8Array(K4);
				const words = new Uint32Array(seen.buffer);
				for (let i = 0; i < words.length; i++)
					words[i] = coherent ? machine.ram.readCpuWord(phys + 4 * i) : machine.ram.readWord(phys + 4 * i);
				const expected = new Uint8Array(K4);
				expected.fill(0x5a, offset, offset + 200);
				expect(seen).to.deep.equal(expected);
				unmap(dev, dma, 200);
				expect(used()).to.equal(0);
			});
		}

		it('gets whole pages as they are', () => {
			boot();
			const dev = add();
			const dma = map(dev, BUFFER, 2 * K4);
			expect(pagesOf(dev).get(dma)!.phys).to.equal(BUFFER);
			expect(dev.dma_io_tlb_mem!.total_used.counter).to.equal(0);
			unmap(dev, dma, 2 * K4);
		});

		it('cannot map more at once than fits the bounce pool', () => {
			boot();
			expect(dma_max_mapping_size(add())).to.equal(swiotlb_max_mapping_size(add(16)));
			expect(dma_max_mapping_size(sim.add(24))).to.be.above(2 ** 53);
		});

		it('maps nothing that must bounce without a pool, and says so once', () => {
			boot('swiotlb=noforce');
			const dev = add();
			expect(map(dev, BUFFER + 0x100, 200)).to.equal(DMA_MAPPING_ERROR);
			expect(map(dev, BUFFER + 0x100, 200)).to.equal(DMA_MAPPING_ERROR);
			expect(
				log.filter((l) =>
					l.includes('DMA bounce buffers are inactive, unable to map unaligned transaction.'),
				),
			).to.have.length(1);
			unmap(dev, map(dev, BUFFER, K4), K4);
		});

		it('has its lists mapped entry by entry', () => {
			boot();
			const dev = add();
			const t = new sg_table();
			sg_alloc_table(t, 2, GFP_KERNEL);
			sg_set_page(t.sgl!, pfn_to_page(BUFFER / PAGE_SIZE), K4, 0);
			sg_set_page(sg_next(t.sgl!)!, pfn_to_page(BUFFER / PAGE_SIZE + 1), K4, 0);
			expect(dma_map_sgtable(dev, t, DMA_TO_DEVICE, 0)).to.equal(0);
			expect(t.nents).to.equal(2);
			dma_unmap_sgtable(dev, t, DMA_TO_DEVICE, 0);
			sg_free_table(t);
		});

		it('leaves no slot taken when its mapping fails, wherever it fails', () => {
			boot();
			const dev = add();
			unmap(dev, map(dev, BUFFER + 0x100, 40 * K4), 40 * K4);
			const check = leakCheck();
			let refused = 0;
			failEach((where) => {
				const dma = map(dev, BUFFER + 0x100, 40 * K4);
				if (dma === (DMA_MAPPING_ERROR as number)) refused++;
				else unmap(dev, dma, 40 * K4);
				expect(dev.dma_io_tlb_mem!.total_used.counter, where).to.equal(0);
				expect(check(), where).to.deep.equal([]);
			}, 2);
			expect(refused).to.be.above(0);
		});
	});

	describe('the windows of the host bridge', () => {
		function window(
			list: list_head<resource_entry>,
			start: number,
			end: number,
			flags = IORESOURCE_MEM,
			offset = 0,
		): void {
			const entry = new resource_entry();
			Object.assign(entry.res, { start, end, flags });
			entry.offset = offset;
			list_add_tail(entry.node, list);
		}
		/** A device two buses below a bridge, which @fill gives its windows. */
		function add(id: number, fill: (bridge: pci_host_bridge) => void): device {
			const bridge = new pci_host_bridge();
			fill(bridge);
			const root = new pci_bus();
			root.bridge = bridge.dev;
			const bus = new pci_bus();
			bus.parent = root;
			return sim.addPci(id, (pdev) => {
				pdev.bus = bus;
			});
		}
		const map = (dev: device, size = K4): number =>
			dma_map_resource(dev, RAM, size, DMA_TO_DEVICE, 0) as number;

		it('are no addresses for DMA, but those for ports are', () => {
			boot();
			const dev = add(8, (bridge) => {
				// What the CPU sees at 64 GiB is at 2 GiB on the bus.
				window(bridge.windows, 0x10_8000_0000, 0x10_ffff_ffff, IORESOURCE_MEM, 0x10_0000_0000);
				window(bridge.windows, 0x7fff_0000, 0x7fff_ffff, IORESOURCE_IO);
			});
			expect(map(dev)).to.equal(0x7fff_f000);
		});

		it('on memory are all that is addresses for DMA, in whatever order they come', () => {
			boot();
			const dev = add(8, (bridge) => {
				window(bridge.dma_ranges, 0x6000_0000, 0x6000_ffff);
				window(bridge.dma_ranges, 0x4000_0000, 0x4000_ffff);
			});
			// The page at which a window begins goes with the gap before it.
			const got = new Set<number>();
			for (let i = 0; i < 30; i++) got.add(map(dev));
			const expected = new Set<number>();
			for (const base of [0x4000_0000, 0x6000_0000]) for (let i = 1; i < 16; i++) expected.add(base + i * K4);
			expect([...got].sort()).to.deep.equal([...expected].sort());
			expect(map(dev)).to.equal(DMA_MAPPING_ERROR);
		});

		it('may reach to the end of the space', () => {
			boot();
			const dev = add(8, (bridge) => window(bridge.dma_ranges, 0, 2 ** 64));
			expect(dev.dma_iommu).to.equal(true);
			expect(map(dev)).to.equal(0xffff_f000);
		});

		it('that overlap keep the device from the DMA API’s addresses', () => {
			boot();
			const dev = add(8, (bridge) => {
				window(bridge.dma_ranges, 0x4000_0000, 0x4fff_ffff);
				window(bridge.dma_ranges, 0x4800_0000, 0x5fff_ffff);
			});
			expect(dev.dma_iommu).to.equal(false);
			expect(said('0:1.0: Failed to reserve IOVA [0x0000000050000000-0x0000000048000000]')).to.equal(true);
			expect(said('Failed to set up IOMMU for device 0:1.0; retaining platform DMA ops')).to.equal(true);
		});
	});

	describe('memory of another device', () => {
		function devicePage(type: number): page {
			const map = new dev_pagemap();
			map.type = type;
			const p = pfn_to_page(0x2000_0000 / PAGE_SIZE);
			p.owner = map;
			return p;
		}
		function list(second: page): sg_table {
			const t = new sg_table();
			sg_alloc_table(t, 3, GFP_KERNEL);
			sg_set_page(t.sgl!, pfn_to_page(BUFFER / PAGE_SIZE), 100, 0x10);
			sg_set_page(sg_next(t.sgl!)!, second, K4, 0);
			sg_set_page(sg_next(sg_next(t.sgl!)!)!, pfn_to_page(BUFFER / PAGE_SIZE), 300, 0x800);
			return t;
		}

		it('is refused, and the list left as it was', () => {
			boot();
			const dev = sim.add(8);
			const t = list(devicePage(MEMORY_DEVICE_PCI_P2PDMA));
			// As a mapping before has left them.
			for (let sg = t.sgl; sg !== null; sg = sg_next(sg)) {
				sg.dma_address = 0x1234;
				sg.dma_length = 77;
			}
			expect(dma_map_sgtable(dev, t, DMA_TO_DEVICE, 0)).to.equal(-EREMOTEIO);
			const left = [];
			for (let sg = t.sgl; sg !== null; sg = sg_next(sg))
				left.push([sg.offset, sg.length, sg.dma_address, sg.dma_length]);
			expect(left).to.deep.equal([
				[0x10, 100, DMA_MAPPING_ERROR, 0],
				[0, K4, DMA_MAPPING_ERROR, 0],
				[0x800, 300, DMA_MAPPING_ERROR, 0],
			]);
			sg_free_table(t);
		});

		it('of another kind is mapped', () => {
			boot();
			const dev = sim.add(8);
			const t = list(devicePage(MEMORY_DEVICE_GENERIC));
			expect(dma_map_sgtable(dev, t, DMA_TO_DEVICE, 0)).to.equal(0);
			dma_unmap_sgtable(dev, t, DMA_TO_DEVICE, 0);
			sg_free_table(t);
		});
	});

	it('does not take a list that bounced once for one that always does', () => {
		boot();
		const dev = sim.add(8);
		dev.dma_coherent = false;
		const t = new sg_table();
		sg_alloc_table(t, 3, GFP_KERNEL);
		let sg = t.sgl;
		for (let i = 0; i < 3; i++, sg = sg_next(sg!))
			sg_set_page(sg!, pfn_to_page(BUFFER / PAGE_SIZE + i), i === 2 ? 24 : K4, 0);
		expect(dma_map_sgtable(dev, t, DMA_FROM_DEVICE, 0)).to.equal(0);
		expect(t.nents).to.equal(3);
		dma_unmap_sgtable(dev, t, DMA_FROM_DEVICE, 0);
		expect(dma_map_sgtable(dev, t, DMA_TO_DEVICE, 0)).to.equal(0);
		expect(t.nents).to.equal(1);
		dma_unmap_sgtable(dev, t, DMA_TO_DEVICE, 0);
		expect([...pagesOf(dev)]).to.deep.equal([]);
		sg_free_table(t);
	});
});
