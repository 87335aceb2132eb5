// SPDX-License-Identifier: GPL-2.0-only
// The kernel's device tree: nodes, properties, phandles, addresses, devices.
import { expect } from 'chai';
import { bus_find_device_by_name } from '#drivers/base/bus.js';
import { platform_bus_type } from '#drivers/base/platform.js';
import {
	of_address_to_resource,
	of_dma_get_max_cpu_address,
	of_dma_get_range,
	of_dma_is_coherent,
	of_translate_dma_address,
} from '#drivers/of/address.js';
import {
	of_alias_get_id,
	of_count_phandle_with_args,
	of_device_is_available,
	of_device_is_compatible,
	of_find_node_by_path,
	of_find_node_opts_by_path,
	of_get_child_by_name,
	of_machine_is_compatible,
	of_match_node,
	of_parse_phandle,
	of_parse_phandle_with_args,
} from '#drivers/of/base.js';
import { of_node_put } from '#drivers/of/dynamic.js';
import { of_irq_count, of_irq_get, of_irq_parse_one, of_irq_parse_raw } from '#drivers/of/irq.js';
import { of_modalias } from '#drivers/of/module.js';
import {
	of_graph_get_endpoint_by_regs,
	of_graph_get_remote_node,
	of_property_count_strings,
	of_property_match_string,
	of_property_read_string,
	of_property_read_string_index,
	of_property_read_u32,
	of_property_read_u32_array,
	of_property_read_u64,
} from '#drivers/of/property.js';
import { sysfs_read } from '#fs/sysfs/user.js';
import { type FdtSource, fdtSource, parseFdt, withMemory, writeFdt } from '#hw/core/fdt.js';
import { kmsg_dump_get_lines } from '#kernel/printk/printk.js';
import type { bus_dma_region } from '#linux/dma-direct.js';
import { EILSEQ, EINVAL, ENODATA, ENODEV, ENOENT, EOVERFLOW, EPROBE_DEFER } from '#linux/errno.js';
import { resource } from '#linux/ioport.js';
import { kref_read } from '#linux/kref.js';
import {
	type device_node,
	for_each_child_of_node,
	for_each_compatible_node,
	OF_BAD_ADDR,
	of_phandle_args,
} from '#linux/of.js';
import { PHYS_ADDR_MAX, ref } from '#linux/types.js';
import { boardBlob, bootMachine } from '#tests/boot.js';
import { cells, node, text } from '#tests/hw/fdt-source.js';

/** Boot the project's board with @extra below its root. */
function boot(...extra: FdtSource[]): void {
	const root = fdtSource(parseFdt(boardBlob('sun50i-h6-orangepi-3')).root);
	root.children.push(...extra);
	bootMachine(withMemory(writeFdt(root), [{ base: 0x4000_0000, size: 0x1000_0000 }]));
}

function at(path: string): device_node {
	const np = of_find_node_by_path(path);
	if (np === null) throw new Error(`no node ${path}`);
	return np;
}

describe('of_base', () => {
	it('finds nodes by path, by alias and with options', () => {
		boot();
		const opts = new ref<string | null>(null);
		expect(of_find_node_opts_by_path('serial0:115200n8', opts)).to.equal(at('/soc/serial@5000000'));
		expect(opts.value).to.equal('115200n8');
		expect(of_find_node_by_path('/soc/none')).to.equal(null);
		expect(of_alias_get_id(at('/soc/serial@5000000'), 'serial')).to.equal(0);
		expect(of_alias_get_id(at('/soc/serial@5000000'), 'mmc')).to.equal(-ENODEV);
	});

	it('keeps children in the order of the blob', () => {
		boot(node('z', {}, node('one'), node('two'), node('three')));
		expect([...for_each_child_of_node(at('/z'))].map((c) => c.full_name)).to.deep.equal([
			'one',
			'two',
			'three',
		]);
	});

	it('balances references in a loop that runs to its end', () => {
		boot(node('z', {}, node('one'), node('two')));
		const one = of_get_child_by_name(at('/z'), 'one')!;
		const before = kref_read(one.kobj.kref);
		for (const child of for_each_child_of_node(at('/z'))) expect(child.parent).to.equal(one.parent);
		expect(kref_read(one.kobj.kref)).to.equal(before);
		of_node_put(one);
		expect(kref_read(one.kobj.kref)).to.equal(before - 1);
	});

	it('matches the most specific compatible string', () => {
		boot();
		const tcon = at('/soc/lcd-controller@6515000');
		const matches = [
			{ compatible: 'allwinner,sun8i-r40-tcon-tv' },
			{ compatible: 'allwinner,sun50i-h6-tcon-tv' },
		];
		expect(of_match_node(matches, tcon)).to.equal(matches[1]);
		expect(of_device_is_compatible(tcon, 'ALLWINNER,sun8i-r40-tcon-tv')).to.be.greaterThan(0);
		expect(of_device_is_compatible(tcon, 'allwinner,sun8i')).to.equal(0);
		expect(of_machine_is_compatible('allwinner,sun50i-h6')).to.equal(true);
		expect([...for_each_compatible_node(null, null, 'mmio-sram')]).to.have.length(2);
	});

	it('takes only okay and ok for available', () => {
		boot(
			node('a', { status: text('ok') }),
			node('b', { status: text('disabled') }),
			node('c', { status: text('fail-sss') }),
			node('d'),
		);
		expect(['/a', '/b', '/c', '/d'].map((p) => of_device_is_available(at(p)))).to.deep.equal([
			true,
			false,
			false,
			true,
		]);
	});

	it('parses phandle lists and says why it cannot', () => {
		boot(
			node('p', { phandle: cells(0x99), '#x-cells': cells(2) }),
			node('q', { phandle: cells(0x98) }),
			node('u', {
				xs: cells(0x99, 1, 2, 0, 0x99, 3, 4),
				bad: cells(0x99, 1),
				none: cells(0x97),
				nocells: cells(0x98),
			}),
		);
		const u = at('/u');
		const args = new of_phandle_args();
		expect(of_count_phandle_with_args(u, 'xs', '#x-cells')).to.equal(3);
		expect(of_parse_phandle_with_args(u, 'xs', '#x-cells', 2, args)).to.equal(0);
		expect([args.np, args.args_count, ...args.args.slice(0, 2)]).to.deep.equal([at('/p'), 2, 3, 4]);
		expect(of_parse_phandle_with_args(u, 'xs', '#x-cells', 1, args)).to.equal(-ENOENT);
		expect(of_parse_phandle_with_args(u, 'xs', '#x-cells', 3, args)).to.equal(-ENOENT);
		expect(of_parse_phandle_with_args(u, 'xs', '#x-cells', -1, args)).to.equal(-EINVAL);
		for (const list of ['bad', 'none', 'nocells'])
			expect(of_parse_phandle_with_args(u, list, '#x-cells', 0, args), list).to.equal(-EINVAL);
		expect(of_parse_phandle(u, 'nocells', 0)).to.equal(at('/q'));
		expect(of_parse_phandle(u, 'absent', 0)).to.equal(null);
	});
});

describe('of_property', () => {
	it('reads numbers with the errors of Linux', () => {
		boot(node('n', { two: cells(1, 2), empty: new Uint8Array(0), short: new Uint8Array([1, 2]) }));
		const n = at('/n');
		const v = new ref<number>(77);
		expect([of_property_read_u32(n, 'two', v), v.value]).to.deep.equal([0, 1]);
		expect([of_property_read_u64(n, 'two', v), v.value]).to.deep.equal([0, 0x1_0000_0002]);
		v.value = 77;
		expect(of_property_read_u32(n, 'absent', v)).to.equal(-EINVAL);
		expect(of_property_read_u32(n, 'empty', v)).to.equal(-ENODATA);
		expect(of_property_read_u32(n, 'short', v)).to.equal(-EOVERFLOW);
		expect(of_property_read_u32_array(n, 'two', [], 3)).to.equal(-EOVERFLOW);
		expect(v.value).to.equal(77);
	});

	it('reads strings with the errors of Linux', () => {
		boot(node('n', { s: text('one\0two'), raw: new Uint8Array([65, 66]) }));
		const n = at('/n');
		const s = new ref<string | null>(null);
		expect([of_property_read_string(n, 's', s), s.value]).to.deep.equal([0, 'one']);
		expect([of_property_read_string_index(n, 's', 1, s), s.value]).to.deep.equal([0, 'two']);
		expect(of_property_read_string_index(n, 's', 2, s)).to.equal(-ENODATA);
		expect(of_property_count_strings(n, 's')).to.equal(2);
		expect(of_property_match_string(n, 's', 'two')).to.equal(1);
		expect(of_property_match_string(n, 's', 'three')).to.equal(-ENODATA);
		expect(of_property_match_string(n, 'raw', 'AB')).to.equal(-EILSEQ);
		expect(of_property_read_string(n, 'raw', s)).to.equal(-EILSEQ);
	});

	it('walks the graph from the mixer to the connector', () => {
		boot();
		const mixer = at('/soc/bus@1000000/mixer@100000');
		expect(of_graph_get_remote_node(mixer, 1, -1 >>> 0)).to.equal(null);
		expect(of_graph_get_endpoint_by_regs(mixer, 1, -1)!.full_name).to.equal('endpoint');
		expect(of_graph_get_remote_node(mixer, 1, 0)).to.equal(at('/soc/tcon-top@6510000'));
		expect(of_graph_get_remote_node(at('/soc/hdmi@6000000'), 1, 0)).to.equal(at('/connector'));
	});
});

describe('of_address', () => {
	it('translates reg to CPU addresses, and refuses what the CPU does not reach', () => {
		boot(
			node(
				'bus',
				{ '#address-cells': cells(1), '#size-cells': cells(1) },
				node('dev@10', { reg: cells(16, 4) }),
			),
		);
		const res = new resource();
		expect(of_address_to_resource(at('/soc/bus@1000000/mixer@100000'), 0, res)).to.equal(0);
		expect([res.start, res.end, res.name]).to.deep.equal([0x1100000, 0x11fffff, 'mixer@100000']);
		expect(of_address_to_resource(at('/soc/iommu@30f0000'), 1, res)).to.equal(-EINVAL);
		expect(of_address_to_resource(at('/bus/dev@10'), 0, res)).to.equal(-EINVAL);
		expect(of_address_to_resource(at('/cpus/cpu@0'), 0, res)).to.equal(-EINVAL);
	});

	it('reads dma-ranges of the nearest bus, joins neighbours, and finds the highest address', () => {
		boot(
			node(
				'bus',
				{
					'#address-cells': cells(1),
					'#size-cells': cells(1),
					ranges: new Uint8Array(0),
					'dma-ranges': cells(0, 0x4000_0000, 0x1000_0000, 0x1000_0000, 0x5000_0000, 0x1000_0000),
				},
				node('dev', { 'dma-coherent': new Uint8Array(0) }),
			),
		);
		const map = new ref<bus_dma_region[] | null>(null);
		expect(of_dma_get_range(at('/bus'), map)).to.equal(0);
		expect(map.value!.map((r) => [r.dma_start, r.cpu_start, r.size])).to.deep.equal([
			[0, 0x4000_0000, 0x2000_0000],
			[0, 0, 0],
		]);
		expect(of_dma_get_range(at('/soc'), map)).to.equal(-ENODEV);
		expect(of_dma_get_max_cpu_address(at('/bus'))).to.equal(0x5fff_ffff);
		expect(of_dma_get_max_cpu_address(at('/soc'))).to.equal(PHYS_ADDR_MAX);
		expect(of_dma_is_coherent(at('/bus/dev'))).to.equal(true);
		expect(of_dma_is_coherent(at('/bus'))).to.equal(false);
	});
});

describe('of_irq', () => {
	it('finds controller and specifier, own or inherited', () => {
		boot();
		const irq = new of_phandle_args();
		expect(of_irq_parse_one(at('/soc/iommu@30f0000'), 0, irq)).to.equal(0);
		expect([irq.np, ...irq.args.slice(0, 3)]).to.deep.equal([
			at('/soc/interrupt-controller@3021000'),
			0,
			57,
			4,
		]);
		expect(of_irq_parse_one(at('/soc/iommu@30f0000'), 1, irq)).to.equal(-EOVERFLOW);
		expect(of_irq_get(at('/soc/iommu@30f0000'), 0)).to.be.greaterThan(0);
	});

	it('asks to come again for a controller without a driver', () => {
		boot();
		expect(of_irq_get(at('/soc/rtc@7000000'), 0)).to.equal(-EPROBE_DEFER);
	});

	it('follows interrupts-extended and an interrupt-map', () => {
		const gic = parseFdt(boardBlob('sun50i-h6-orangepi-3')).node('/soc/interrupt-controller')!.phandle;
		boot(
			node('ext', { 'interrupts-extended': cells(gic, 0, 70, 4) }),
			node(
				'nexus',
				{
					'#interrupt-cells': cells(1),
					'#address-cells': cells(0),
					'interrupt-map': cells(1, gic, 0, 71, 4, 2, gic, 0, 72, 4),
					'interrupt-map-mask': cells(7),
				},
				node('dev', { interrupts: cells(2) }),
				node('lost', { interrupts: cells(3) }),
			),
		);
		const irq = new of_phandle_args();
		expect([of_irq_parse_one(at('/ext'), 0, irq), irq.args[1]]).to.deep.equal([0, 70]);
		expect([of_irq_parse_one(at('/nexus/dev'), 0, irq), irq.args[1]]).to.deep.equal([0, 72]);
		expect(of_irq_parse_one(at('/nexus/lost'), 0, irq)).to.equal(-EINVAL);
	});
});

describe('of_platform', () => {
	it('names devices as Linux does', () => {
		boot(node('pmu', { compatible: text('arm,cortex-a53-pmu') }));
		// Names from dmesg and /sys/bus/platform/devices of a board that runs Linux.
		for (const name of [
			'30f0000.iommu',
			'1c0e000.video-codec',
			'3001000.clock',
			'display-engine',
			'soc',
			'pmu',
		])
			expect(bus_find_device_by_name(platform_bus_type, null, name), name).to.not.equal(null);
	});

	it('makes no device for a disabled node, and none without compatible', () => {
		boot(node('off', { compatible: text('a,b'), status: text('disabled') }), node('plain'));
		expect(bus_find_device_by_name(platform_bus_type, null, 'off')).to.equal(null);
		expect(bus_find_device_by_name(platform_bus_type, null, 'plain')).to.equal(null);
	});

	it('makes no device for an interrupt controller that of_irq_init() set up', () => {
		boot();
		const name = '3021000.interrupt-controller';
		expect(bus_find_device_by_name(platform_bus_type, null, name)).to.equal(null);
	});
});

describe('of, where a tree leads in a circle', () => {
	/** Boot with @change made to the board's tree: what the log says of circles. */
	function circles(change: (root: FdtSource) => void): string[] {
		const root = fdtSource(parseFdt(boardBlob('sun50i-h6-orangepi-3')).root);
		change(root);
		const { log } = bootMachine(writeFdt(root));
		return log.filter((line) => line.includes('circle')).map((line) => line.replace(/^\[.*?\] /, ''));
	}
	const child = (root: FdtSource, name: string): FdtSource => root.children.find((n) => n.name === name)!;

	it('finds nothing behind an alias of itself, and says so', () => {
		const said = circles((root) => {
			child(root, 'aliases').props = new Map([
				['a', text('b/x')],
				['b', text('a')],
			]);
		});
		expect(said).to.include('OF: alias a leads in a circle');
		expect(of_find_node_by_path('b')).to.equal(null);
	});

	it('follows an alias of an alias', () => {
		circles((root) => {
			child(root, 'aliases').props = new Map([
				['a', text('b/iommu@30f0000')],
				['b', text('/soc:x')],
			]);
		});
		expect(of_find_node_by_path('a')?.full_name).to.equal('iommu@30f0000');
	});

	it('finds no interrupt of a node that is its own interrupt-parent', () => {
		const loop = node('loop', {
			'interrupt-parent': cells(99),
			phandle: cells(99),
			interrupts: cells(0, 1, 4),
		});
		circles((root) => root.children.push(loop));
		expect(of_irq_parse_one(at('/loop'), 0, new of_phandle_args())).to.equal(-EINVAL);
		expect(kmsg_dump_get_lines().join()).to.include('OF: /loop: interrupt-parent leads in a circle');
	});

	it('finds none behind a controller whose #interrupt-cells is no cell, either', () => {
		const loop = node('loop', {
			'interrupt-parent': cells(99),
			phandle: cells(99),
			'#interrupt-cells': new Uint8Array(2),
			'interrupts-extended': cells(99),
		});
		circles((root) => root.children.push(loop));
		const args = new of_phandle_args();
		args.np = at('/loop');
		expect(of_irq_parse_raw(null, args)).to.equal(-EINVAL);
	});

	it('finds none behind two nexus nodes that map to each other', () => {
		const nexus = (own: number, other: number): FdtSource =>
			node(`nexus${own}`, {
				phandle: cells(own),
				'#interrupt-cells': cells(1),
				'#address-cells': cells(0),
				'interrupt-map': cells(0, other, 0),
			});
		circles((root) => {
			root.children.push(nexus(98, 99), nexus(99, 98), node('user', { 'interrupts-extended': cells(98, 0) }));
		});
		expect(of_irq_parse_one(at('/user'), 0, new of_phandle_args())).to.equal(-ENOENT);
		expect(kmsg_dump_get_lines().join()).to.match(/OF: \/nexus9[89]: interrupt-map leads in a circle/);
	});

	it('counts one interrupt of those that take no cells', () => {
		const none = node('none', {
			phandle: cells(99),
			'interrupt-controller': new Uint8Array(0),
			'#interrupt-cells': cells(0),
		});
		circles((root) => root.children.push(none, node('user', { 'interrupt-parent': cells(99) })));
		expect(of_irq_count(at('/user'))).to.equal(0);
	});

	it('sees no memory behind a DMA parent that leads back', () => {
		const said = circles((root) => {
			root.children.push(
				node('loop', {
					compatible: text('a,b'),
					phandle: cells(99),
					'#interconnect-cells': cells(0),
					interconnects: cells(99),
					'interconnect-names': text('dma-mem'),
				}),
			);
		});
		expect(of_dma_get_range(at('/loop'), new ref<bus_dma_region[] | null>(null))).to.equal(-ENODEV);
		expect(of_dma_is_coherent(at('/loop'))).to.equal(false);
		expect(of_translate_dma_address(at('/loop'), cells(0))).to.equal(OF_BAD_ADDR);
		expect(said.concat(kmsg_dump_get_lines()).join()).to.include('the DMA parents of /loop lead in a circle');
	});
});

describe('of_modalias', () => {
	it('is name, type and everything that the node is compatible with', () => {
		boot(
			node('x', { compatible: text('a,b\0c d'), device_type: text('pci') }),
			node('y', { compatible: text('e') }),
		);
		const str = new ref('');
		expect(of_modalias(at('/x'), str, 64)).to.equal(17);
		expect(str.value).to.equal('of:NxTpciCa,bCc_d');
		expect(sysfs_read('/sys/devices/platform/y/modalias')).to.equal('of:NyT(null)Ce\n');
	});

	it('leaves out what does not fit, and says how much it would need', () => {
		boot(node('x', { compatible: text('a,b\0c') }));
		const str = new ref('');
		expect(of_modalias(at('/x'), str, 17)).to.equal(18);
		expect(str.value).to.equal('of:NxT(null)Ca,b');
		expect(of_modalias(at('/x'), str, 0)).to.equal(18);
		expect(str.value).to.equal('');
		expect(of_modalias(at('/x'), str, -1)).to.equal(-EINVAL);
	});
});
