// SPDX-License-Identifier: GPL-2.0-only
// From `iommus` in the device tree to a device behind its IOMMU.
import { expect } from 'chai';
import { of_iommu_configure, of_iommu_get_resv_regions } from '#drivers/iommu/of_iommu.js';
import { of_map_id } from '#drivers/of/base.js';
import { EFAULT, EINVAL, ENODEV } from '#linux/errno.js';
import {
	dev_iommu_fwspec_get,
	IOMMU_CACHE,
	IOMMU_READ,
	IOMMU_RESV_DIRECT,
	IOMMU_RESV_RESERVED,
	IOMMU_WRITE,
	type iommu_resv_region,
} from '#linux/iommu.js';
import { list_for_each_entry, list_head } from '#linux/list.js';
import type { device_node } from '#linux/of_node.js';
import { ref } from '#linux/types.js';
import { h6 } from '#tests/hw/h6.js';
import { Masters } from './masters.js';

/** A board with more nodes, booted; phandle 3 is the IOMMU. */
function boot(extra: Parameters<typeof h6>[1] = {}, lines: string[] = []): Masters {
	return new Masters(h6({ onConsole: (_level, line) => lines.push(line) }, extra));
}

describe('of_iommu', () => {
	it('gives a device the ids of all its entries', () => {
		const masters = boot({ both: { compatible: 'oracle,master', iommus: [3, 1, 3, 2] } });
		expect(dev_iommu_fwspec_get(masters.device('m4'))!.ids).to.deep.equal([4]);
		expect(dev_iommu_fwspec_get(masters.device('both'))!.ids).to.deep.equal([1, 2]);
	});

	it('leaves a device without `iommus` alone', () => {
		const masters = boot();
		const dev = masters.device('direct');
		expect(dev.iommu).to.equal(null);
		expect(of_iommu_configure(dev, dev.of_node, null)).to.equal(-ENODEV);
		expect(of_iommu_configure(dev, null, null)).to.equal(-ENODEV);
	});

	it('is done once', () => {
		const masters = boot();
		const dev = masters.device('m0');
		expect(of_iommu_configure(dev, dev.of_node, null)).to.equal(0);
		expect(dev_iommu_fwspec_get(dev)!.num_ids).to.equal(1);
	});

	it('has a device do without an IOMMU that is disabled', () => {
		const masters = boot({
			'iommu@30e0000': {
				compatible: 'allwinner,sun50i-h6-iommu',
				reg: [0x30e0000, 0x1000],
				status: 'disabled',
				'#iommu-cells': [1],
				phandle: [9],
			},
			lonely: { compatible: 'oracle,master', iommus: [9, 0] },
		});
		expect(masters.device('lonely').iommu).to.equal(null);
	});

	it('has a device do without an IOMMU that no driver will ever come for', () => {
		const lines: string[] = [];
		const masters = boot(
			{
				'iommu@30e0000': {
					compatible: 'acme,iommu',
					reg: [0x30e0000, 0x1000],
					'#iommu-cells': [1],
					phandle: [9],
				},
				lonely: { compatible: 'oracle,master', iommus: [9, 0] },
			},
			lines,
		);
		expect(masters.device('lonely').iommu).to.equal(null);
	});

	describe('an iommu-map', () => {
		/** Requesters 0x100 to 0x103 are masters 1 to 4; 0x200 leads to a node that is not there. */
		function bridge(map: number[], lines: string[] = []) {
			const masters = boot({ bridge: { compatible: 'oracle,master', 'iommu-map': map } }, lines);
			return { masters, np: masters.device('bridge').of_node!, lines };
		}
		const map = [0x100, 3, 1, 4, 0x200, 0x77, 0, 1];

		it('translates the id of a requester, and passes on what it does not name', () => {
			const { np, lines } = bridge(map);
			const target = new ref<device_node | null>(null);
			const out = new ref(0);
			expect(of_map_id(np, 0x102, 'iommu-map', 'iommu-map-mask', target, out)).to.equal(0);
			expect([target.value!.phandle, out.value]).to.deep.equal([3, 3]);
			expect(of_map_id(np, 0x104, 'iommu-map', null, null, out)).to.equal(0);
			expect(out.value).to.equal(0x104);
			expect(lines.some((l) => l.includes('no iommu-map translation for id 0x104 on'))).to.equal(true);
			expect(of_map_id(np, 7, 'msi-map', null, null, out)).to.equal(0);
			expect(out.value).to.equal(7);
		});

		it('that is missing or wrong is an error', () => {
			const { np } = bridge(map);
			const target = new ref<device_node | null>(null);
			expect(of_map_id(np, 1, 'msi-map', null, target, null)).to.equal(-ENODEV);
			expect(of_map_id(np, 0x200, 'iommu-map', null, target, null)).to.equal(-ENODEV);
			expect(of_map_id(np, 1, 'iommu-map', null, null, null)).to.equal(-EINVAL);
			expect(of_map_id(null, 1, 'iommu-map', null, target, null)).to.equal(-EINVAL);
			const odd = bridge([0x100, 3, 1]);
			expect(of_map_id(odd.np, 0x100, 'iommu-map', null, target, null)).to.equal(-EINVAL);
			expect(odd.lines.some((l) => l.includes('Error: Bad iommu-map length: 12'))).to.equal(true);
		});

		it('outside its mask is -EFAULT', () => {
			const masters = boot({
				bridge: { compatible: 'oracle,master', 'iommu-map': map, 'iommu-map-mask': [0xff] },
			});
			const np = masters.device('bridge').of_node;
			const target = new ref<device_node | null>(null);
			expect(of_map_id(np, 0x100, 'iommu-map', 'iommu-map-mask', target, null)).to.equal(-EFAULT);
		});

		it('puts a device with a requester id behind the IOMMU', () => {
			const { masters, np } = bridge(map);
			const dev = masters.device('bridge');
			expect(of_iommu_configure(dev, np, 0x103)).to.equal(0);
			expect(dev_iommu_fwspec_get(dev)!.ids).to.deep.equal([4]);
		});
	});

	describe('reserved regions', () => {
		const reserved = {
			'reserved-memory': {
				'#address-cells': [1],
				'#size-cells': [1],
				ranges: true as const,
				'direct@48000000': {
					reg: [0x4800_0000, 0x10000],
					phandle: [20],
					'iommu-addresses': [30, 0x4800_0000, 0x10000],
				},
				'moved@48100000': {
					reg: [0x4810_0000, 0x10000],
					phandle: [21],
					'iommu-addresses': [30, 0x1000_0000, 0x10000],
				},
				hole: { phandle: [22], 'iommu-addresses': [30, 0xf000_0000, 0x1000_0000] },
				other: { phandle: [23], 'iommu-addresses': [31, 0x1000, 0x1000] },
			},
		};

		function regions(node: Parameters<typeof h6>[1], lines: string[] = []): iommu_resv_region[] {
			const masters = boot({ ...reserved, ...node }, lines);
			const head = new list_head<iommu_resv_region>();
			of_iommu_get_resv_regions(masters.device('user'), head);
			return [...list_for_each_entry(head)];
		}

		it('are direct when memory and address are the same, and reserved without memory', () => {
			const found = regions({
				user: { compatible: 'oracle,master', phandle: [30], 'memory-region': [20, 22, 23] },
			});
			expect(found.map((r) => [r.start, r.length, r.type, r.prot])).to.deep.equal([
				[0x4800_0000, 0x10000, IOMMU_RESV_DIRECT, IOMMU_READ | IOMMU_WRITE],
				[0xf000_0000, 0x1000_0000, IOMMU_RESV_RESERVED, IOMMU_READ | IOMMU_WRITE],
			]);
		});

		it('are only kept free when they lie elsewhere, with a warning', () => {
			const lines: string[] = [];
			const found = regions(
				{ user: { compatible: 'oracle,master', phandle: [30], 'memory-region': [21] } },
				lines,
			);
			expect(found.map((r) => r.type)).to.deep.equal([IOMMU_RESV_RESERVED]);
			expect(lines.some((l) => l.includes('treating non-direct mapping'))).to.equal(true);
		});

		it('of a coherent device are mapped so', () => {
			const found = regions({
				user: { compatible: 'oracle,master', phandle: [30], 'memory-region': [20], 'dma-coherent': true },
			});
			expect(found[0]!.prot).to.equal(IOMMU_READ | IOMMU_WRITE | IOMMU_CACHE);
		});
	});
});
