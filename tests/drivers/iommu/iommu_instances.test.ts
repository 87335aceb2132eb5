// SPDX-License-Identifier: GPL-2.0-only
// Several IOMMUs in one machine.
// Two of the H6's, two drivers, a device with two ids, and a device that names two.

import { expect } from 'chai';
import { pfn_to_page } from '#asm/memory.js';
import { PAGE_SIZE } from '#asm/page-def.js';
import { platform_bus_type } from '#drivers/base/platform.js';
import {
	iommu_attach_group,
	iommu_detach_group,
	iommu_device_claim_dma_owner,
	iommu_device_release_dma_owner,
	iommu_domain_alloc,
	iommu_domain_free,
	iommu_fwspec_add_ids,
	iommu_get_dma_domain,
	iommu_get_domain_for_dev,
	iommu_group_for_each_dev,
	iommu_iova_to_phys,
	iommu_map,
	iommu_set_fault_handler,
	iommu_unmap,
} from '#drivers/iommu/iommu.js';
import { to_sun50i_domain } from '#drivers/iommu/sun50i-iommu.js';
import { sysfs_readdir, sysfs_readlink } from '#fs/sysfs/user.js';
import type { DmaPort } from '#hw/core/dma-port.js';
import type { Machine, MachineOptions } from '#hw/core/machine.js';
import type { DeviceModel, ModelContext } from '#hw/core/model.js';
import { TestMaster } from '#hw/misc/test-master.js';
import { dma_unmap_page_attrs } from '#kernel/dma/mapping.js';
import { msleep } from '#kernel/time/timer.js';
import { dev_name, type device } from '#linux/device.js';
import { DMA_TO_DEVICE } from '#linux/dma-direction.js';
import { EINVAL, ENODEV } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { dev_iommu_fwspec_get, IOMMU_FAULT_READ, IOMMU_FAULT_WRITE, type iommu_group } from '#linux/iommu.js';
import { of_fwnode_handle } from '#linux/of_node.js';
import { platform_driver, platform_driver_register } from '#linux/platform_device.js';
import { slab_leaks, slab_live } from '#linux/slab.js';
import { type Node, RAM } from '#tests/hw/board.js';
import { h6 } from '#tests/hw/h6.js';
import { dma_map_page_attrs } from '#tests/kernel/dma/client.js';
import { expectFinding, expectWarning } from '#tests/setup.js';
import { Masters } from './masters.js';
import { domainFor, ok, RW, setType, typeOf } from './rig.js';
import { TestDriver } from './test_driver.js';

const BUF = RAM + 0x0800_0000;
const SECOND = 0x310_0000;

/** A second IOMMU with a clock and a reset of its own, and two masters behind it. */
const second: Node = {
	'clock-second': {
		compatible: 'fixed-clock',
		'#clock-cells': [0],
		'clock-frequency': [24000000],
		phandle: [40],
	},
	'reset-controller@3110000': {
		compatible: 'snps,dw-low-reset',
		reg: [0x311_0000, 0x1000],
		'#reset-cells': [1],
		phandle: [41],
	},
	'iommu@3100000': {
		compatible: 'allwinner,sun50i-h6-iommu',
		reg: [SECOND, 0x10000],
		interrupts: [0, 60, 4],
		clocks: [40],
		resets: [41, 3],
		'#iommu-cells': [1],
		phandle: [42],
	},
	n0: { compatible: 'oracle,master', iommus: [42, 0] },
	n1: { compatible: 'oracle,master', iommus: [42, 3] },
};

function boot(extra: Node = {}, options: MachineOptions = {}) {
	const lines: string[] = [];
	const machine = h6({ onConsole: (_level, line) => lines.push(line), ...options }, { ...second, ...extra });
	return { masters: new Masters(machine), lines, machine };
}

const page = (n: number) => pfn_to_page(BUF / PAGE_SIZE + n);
const map = (dev: device, n: number): number =>
	dma_map_page_attrs(dev, page(n), 0, 4096, DMA_TO_DEVICE, 0) as number;
const unmap = (dev: device, dma: number): void => dma_unmap_page_attrs(dev, dma, 4096, DMA_TO_DEVICE, 0);
const fill = (machine: Machine, n: number, value: number): void =>
	machine.memory.load(BUF + n * PAGE_SIZE, new Uint8Array(4096).fill(value));

function members(group: iommu_group): string[] {
	const names: string[] = [];
	iommu_group_for_each_dev(group, names, (dev, list) => list.push(dev_name(dev)) * 0);
	return names;
}

/** A master with two ways to memory, for the first two entries of its `iommus`. */
class TwoPorts implements DeviceModel {
	readonly name: string;
	readonly ports: readonly DmaPort[];
	constructor(ctx: ModelContext) {
		this.name = ctx.name;
		this.ports = ctx.node.iommus.length > 1 ? [ctx.dma(0), ctx.dma(1)] : [ctx.dma(0)];
	}
	read(): number {
		return 0;
	}
	write(): void {}
	/** A byte at @addr as port @port reads it; null: refused. */
	fetch(port: number, addr: number): number | null {
		const out = new Uint8Array(1);
		return this.ports[port]!.read(addr, out) ? out[0]! : null;
	}
}
const twoPorts: MachineOptions = {
	overrides: {
		'oracle,master': (ctx) =>
			ctx.node.iommus.length > 1
				? new TwoPorts(ctx)
				: new TestMaster(ctx.name, ctx.dma(), (ns, fn) => ctx.after(ns, fn)),
	},
};

describe('iommu_instances', () => {
	describe('two IOMMUs of one kind', () => {
		it('have a group, a domain, and a place in sysfs each', () => {
			const { masters } = boot();
			const [m0, m5, n0, n1] = ['m0', 'm5', 'n0', 'n1'].map((name) => masters.device(name)) as [
				device,
				device,
				device,
				device,
			];
			expect(m0.iommu_group).to.equal(m5.iommu_group);
			expect(n0.iommu_group).to.equal(n1.iommu_group);
			expect(members(m0.iommu_group!)).to.deep.equal(['m0', 'm1', 'm2', 'm3', 'm4', 'm5']);
			expect(members(n0.iommu_group!)).to.deep.equal(['n0', 'n1']);
			expect(iommu_get_domain_for_dev(m0)).to.not.equal(iommu_get_domain_for_dev(n0));
			expect(sysfs_readdir('/sys/class/iommu')).to.have.members(['30f0000.iommu', '3100000.iommu']);
			expect(sysfs_readdir('/sys/class/iommu/3100000.iommu/devices')).to.have.members(['n0', 'n1']);
			expect(String(sysfs_readlink('/sys/devices/platform/n0/iommu'))).to.match(/3100000\.iommu$/);
		});

		it('give out the same addresses, and lead to different memory', () => {
			const { masters, machine } = boot();
			fill(machine, 0, 0x11);
			fill(machine, 1, 0x22);
			const a = map(masters.device('m0'), 0);
			const b = map(masters.device('n0'), 1);
			expect(a).to.equal(b);
			expect(masters.model('m0').fetch(a, 1)).to.deep.equal(Uint8Array.of(0x11));
			expect(masters.model('n0').fetch(b, 1)).to.deep.equal(Uint8Array.of(0x22));
			unmap(masters.device('m0'), a);
			expect(masters.model('m0').fetch(a, 1)).to.equal(null);
			expect(masters.model('n0').fetch(b, 1)).to.deep.equal(Uint8Array.of(0x22));
			unmap(masters.device('n0'), b);
			expect(masters.model('n0').fetch(b, 1)).to.equal(null);
		});

		it('report their faults under their own names, to the handlers of their own domains', () => {
			const { masters, lines, machine } = boot();
			const faults: [string, string, number, number][] = [];
			for (const name of ['m0', 'n1']) {
				iommu_set_fault_handler(
					iommu_get_dma_domain(masters.device(name)),
					(_domain, dev, iova, flags) => faults.push([name, dev_name(dev), iova, flags]) * 0,
					null,
				);
			}
			expect(masters.model('n1').fetch(0x1234_5000, 4)).to.equal(null);
			machine.advance(1000);
			const rw = map(masters.device('m0'), 0);
			expect(masters.model('m0').store(rw, new Uint8Array(4))).to.equal(false);
			machine.advance(1000);
			expect(faults).to.deep.equal([
				['n1', '3100000.iommu', 0x1234_5000, IOMMU_FAULT_READ],
				['m0', '30f0000.iommu', rw, IOMMU_FAULT_WRITE],
			]);
			const said = lines
				.filter((l) => l.includes('Page fault'))
				.map((l) => l.replace(/^.*sun50i-iommu /, ''));
			expect(said.map((l) => l.trimEnd())).to.deep.equal([
				'3100000.iommu: Page fault for 0x0000000012345000 (master 3, dir rd)',
				`30f0000.iommu: Page fault for 0x${rw.toString(16).padStart(16, '0')} (master 0, dir wr)`,
			]);
			unmap(masters.device('m0'), rw);
		});

		it('are switched each for themselves by the file "type"', () => {
			const { masters } = boot();
			const m0 = masters.device('m0');
			const n0 = masters.device('n0');
			masters.unbind();
			expect(setType(n0, 'identity')).to.equal(0);
			expect([typeOf(m0), typeOf(n0)]).to.deep.equal(['DMA', 'identity']);
			expect(masters.model('n0').fetch(BUF, 1)).to.not.equal(null);
			expect(masters.model('m0').fetch(BUF, 1)).to.equal(null);
			expect(setType(m0, 'identity')).to.equal(0);
			// The driver has one identity domain for all of its instances.
			expect(iommu_get_domain_for_dev(m0)).to.equal(iommu_get_domain_for_dev(n0));
			expect(setType(n0, 'DMA')).to.equal(0);
			expect(masters.model('m0').fetch(BUF, 1)).to.not.equal(null);
			expect(masters.model('n0').fetch(BUF, 1)).to.equal(null);
		});

		it('are owned each for themselves', () => {
			const { masters } = boot();
			masters.unbind();
			const m0 = masters.device('m0');
			expect(iommu_device_claim_dma_owner(m0, 'me')).to.equal(0);
			const n0 = masters.device('n0');
			const dma = map(n0, 0);
			expect(masters.model('n0').fetch(dma, 1)).to.not.equal(null);
			unmap(n0, dma);
			iommu_device_release_dma_owner(m0);
		});

		it('take a domain that was used at the other, once it was left there', () => {
			const { masters, machine } = boot();
			masters.unbind();
			const before = slab_live();
			const [m, n] = ['m0', 'n0'].map((name) => masters.device(name).iommu_group!) as [
				iommu_group,
				iommu_group,
			];
			const domain = domainFor(masters.device('m0'));
			fill(machine, 2, 0x33);
			expect(iommu_map(domain, 0x10_0000, BUF + 2 * PAGE_SIZE, 4096, RW, GFP_KERNEL)).to.equal(0);
			expect(iommu_attach_group(domain, m)).to.equal(0);
			expect(masters.model('m0').fetch(0x10_0000, 1)).to.deep.equal(Uint8Array.of(0x33));
			iommu_detach_group(domain, m);
			expect(masters.model('m0').fetch(0x10_0000, 1)).to.equal(null);
			expect(iommu_attach_group(domain, n)).to.equal(0);
			expect(masters.model('n0').fetch(0x10_0000, 1)).to.deep.equal(Uint8Array.of(0x33));
			// A new word in the directory, which is mapped for the second IOMMU; the tables stay the first one's.
			expect(iommu_map(domain, 0x90_0000, BUF + 2 * PAGE_SIZE, 4096, RW, GFP_KERNEL)).to.equal(0);
			expect(masters.model('n0').fetch(0x90_0000, 1)).to.deep.equal(Uint8Array.of(0x33));
			expect(iommu_unmap(domain, 0x10_0000, 4096)).to.equal(4096);
			expect(masters.model('n0').fetch(0x10_0000, 1)).to.equal(null);
			iommu_detach_group(domain, n);
			iommu_domain_free(domain);
			expect(slab_leaks(before)).to.deep.equal([]);
		});

		it('do not share a domain: invalidations would reach one of them only', () => {
			const { masters } = boot();
			masters.unbind();
			const [m, n] = ['m0', 'n0'].map((name) => masters.device(name).iommu_group!) as [
				iommu_group,
				iommu_group,
			];
			const domain = domainFor(masters.device('m0'));
			expect(iommu_attach_group(domain, m)).to.equal(0);
			expect(iommu_attach_group(domain, n)).to.equal(-EINVAL);
			expect(iommu_get_domain_for_dev(masters.device('n1'))).to.equal(
				iommu_get_dma_domain(masters.device('n1')),
			);
			expect(iommu_map(domain, 0x10_0000, BUF, 4096, RW, GFP_KERNEL)).to.equal(0);
			expect(masters.model('m0').fetch(0x10_0000, 1)).to.not.equal(null);
			expect(masters.model('n0').fetch(0x10_0000, 1)).to.equal(null);
			expect(iommu_unmap(domain, 0x10_0000, 4096)).to.equal(4096);
			expect(masters.model('m0').fetch(0x10_0000, 1)).to.equal(null);
			iommu_detach_group(domain, m);
			expect(iommu_attach_group(domain, n)).to.equal(0);
			iommu_detach_group(domain, n);
			iommu_domain_free(domain);
		});

		it('would see each other’s leftovers if they did: here the domain has forgotten the first one', () => {
			expectFinding(/stale-(tlb|after-unmap)|use-after-unmap/);
			const { masters } = boot();
			masters.unbind();
			const { iommu_group } = masters.device('m0');
			const domain = domainFor(masters.device('m0'));
			expect(iommu_attach_group(domain, iommu_group!)).to.equal(0);
			expect(iommu_map(domain, 0x10_0000, BUF, 4096, RW, GFP_KERNEL)).to.equal(0);
			expect(masters.model('m0').fetch(0x10_0000, 1)).to.not.equal(null);
			// As sun50i_iommu_attach_domain() of 6.12 leaves it after an attach at the other instance.
			const priv = to_sun50i_domain(domain);
			const first = priv.iommu;
			priv.iommu = to_sun50i_domain(iommu_get_dma_domain(masters.device('n0'))).iommu;
			expect(priv.iommu).to.not.equal(first);
			expect(iommu_unmap(domain, 0x10_0000, 4096)).to.equal(4096);
			expect(masters.model('m0').fetch(0x10_0000, 1)).to.not.equal(null);
			priv.iommu = first;
			expect(iommu_unmap(domain, 0x10_0000, 4096)).to.equal(0);
			expect(masters.model('m0').fetch(0x10_0000, 1)).to.equal(null);
			iommu_detach_group(domain, iommu_group!);
			iommu_domain_free(domain);
		});
	});

	describe('two drivers', () => {
		it('keep their devices, domains and mappings apart', () => {
			const { masters } = boot();
			const other = new TestDriver('othermmu');
			expect(other.register()).to.equal(0);
			const dev = other.device('a', 1);
			const m0 = masters.device('m0');
			const own = map(m0, 0);
			const theirs = map(dev, 1);
			expect(own).to.equal(theirs);
			expect(iommu_iova_to_phys(iommu_get_dma_domain(m0), own)).to.equal(BUF);
			expect(iommu_iova_to_phys(iommu_get_dma_domain(dev), theirs)).to.equal(BUF + PAGE_SIZE);
			unmap(m0, own);
			expect(iommu_iova_to_phys(iommu_get_dma_domain(dev), theirs)).to.equal(BUF + PAGE_SIZE);
			unmap(dev, theirs);
		});

		it('refuse each other’s domains and devices', () => {
			const { masters } = boot();
			masters.unbind();
			const other = new TestDriver('othermmu');
			expect(other.register()).to.equal(0);
			const dev = other.device('a', 1);
			const m0 = masters.device('m0');
			const [one, two] = [domainFor(m0), domainFor(dev)];
			expect(iommu_attach_group(one, dev.iommu_group!)).to.equal(-EINVAL);
			expect(iommu_attach_group(two, m0.iommu_group!)).to.equal(-EINVAL);
			expect(other.point(m0)).to.equal(-EINVAL);
			expect(other.domainOps.attach_dev.calledWith(two, m0)).to.equal(false);
			iommu_domain_free(one);
			iommu_domain_free(two);
		});

		it('leave no answer to who makes a domain for their bus', () => {
			const { masters } = boot();
			const one = ok(iommu_domain_alloc(platform_bus_type));
			expect(one.owner).to.equal(masters.device('m0').iommu!.iommu_dev!.ops);
			iommu_domain_free(one);
			const other = new TestDriver('othermmu');
			expect(other.register()).to.equal(0);
			other.device('a', 1);
			expectWarning(/Multiple IOMMU drivers present for bus platform/);
			expect(iommu_domain_alloc(platform_bus_type)).to.equal(null);
		});

		it('come and go without the other’s notice', () => {
			const { masters } = boot();
			const other = new TestDriver('othermmu');
			const m0 = masters.device('m0');
			const domain = iommu_get_domain_for_dev(m0);
			expect(other.register()).to.equal(0);
			const dev = other.device('a', 1);
			other.unregister();
			expect(dev.iommu_group).to.equal(null);
			expect(iommu_get_domain_for_dev(m0)).to.equal(domain);
			const dma = map(m0, 0);
			expect(masters.model('m0').fetch(dma, 1)).to.not.equal(null);
			unmap(m0, dma);
		});
	});

	describe('devices whose IOMMU comes late', () => {
		it('wait for it, one instance after the other', () => {
			const mmu = (phandle: number): Node => ({
				compatible: 'test,mmu',
				'#iommu-cells': [1],
				phandle: [phandle],
			});
			const tree: Node = {
				'mmu-a': mmu(80),
				'mmu-b': mmu(81),
				ua: { compatible: 'test,user', iommus: [80, 1] },
				ub: { compatible: 'test,user', iommus: [81, 1] },
			};
			// An image without modules waits for nothing once it is up, unless it is told to.
			const { machine } = boot(tree, { commandLine: 'deferred_probe_timeout=10' });
			const bound: string[] = [];
			platform_driver_register(
				new platform_driver({
					probe: (pdev) => bound.push(dev_name(pdev.dev)) * 0,
					driver: { name: 'users', of_match_table: [{ compatible: 'test,user' }] },
				}),
			);
			expect(bound).to.deep.equal([]);
			const drivers: TestDriver[] = [];
			const bind = (name: string): void => {
				platform_driver_register(
					new platform_driver({
						probe: (pdev) => {
							if (dev_name(pdev.dev) !== name) return -ENODEV;
							const driver = new TestDriver(name, {
								of_xlate: (dev, args) => iommu_fwspec_add_ids(dev, args.args, 1),
							});
							driver.iommu.fwnode = of_fwnode_handle(pdev.dev.of_node!);
							drivers.push(driver);
							return driver.register();
						},
						driver: { name: `driver-of-${name}`, of_match_table: [{ compatible: 'test,mmu' }] },
					}),
				);
				machine.advance(1_000_000);
				msleep(10);
			};
			bind('mmu-b');
			expect(bound).to.deep.equal(['ub']);
			bind('mmu-a');
			expect(bound).to.deep.equal(['ub', 'ua']);
			expect(drivers.map((d) => d.made.length)).to.deep.equal([1, 1]);
		});
	});

	describe('a device with two ids on one IOMMU', () => {
		const extra: Node = { twice: { compatible: 'oracle,master', iommus: [42, 1, 42, 2] } };

		it('is one member of the group, with both ids', () => {
			const { masters } = boot(extra, twoPorts);
			const dev = masters.device('twice');
			const fwspec = dev_iommu_fwspec_get(dev)!;
			expect([fwspec.num_ids, fwspec.ids]).to.deep.equal([2, [1, 2]]);
			expect(members(dev.iommu_group!)).to.deep.equal(['n0', 'n1', 'twice']);
			expect(String(sysfs_readlink('/sys/devices/platform/twice/iommu'))).to.match(/3100000\.iommu$/);
		});

		it('reaches its buffers under either', () => {
			const { masters, machine } = boot(extra, twoPorts);
			const dev = masters.device('twice');
			const model = machine.model('twice') as unknown as TwoPorts;
			fill(machine, 4, 0x44);
			const dma = map(dev, 4);
			expect([model.fetch(0, dma), model.fetch(1, dma)]).to.deep.equal([0x44, 0x44]);
			unmap(dev, dma);
			expectFinding(/use-after-unmap in read by twice/);
			expect([model.fetch(0, dma), model.fetch(1, dma)]).to.deep.equal([null, null]);
		});
	});

	describe('a device that names two IOMMUs', () => {
		const extra: Node = { both: { compatible: 'oracle,master', iommus: [3, 1, 42, 2] } };

		// of_iommu_configure_dev(): each entry goes to of_xlate(); iommu_fwspec_init() accepts a second instance of the
		// same driver; sun50i_iommu_of_xlate() keeps the last one.
		it('is behind the last one, under the ids of both and the node of the first', () => {
			const { masters } = boot(extra, twoPorts);
			const dev = masters.device('both');
			const fwspec = dev_iommu_fwspec_get(dev)!;
			expect(fwspec.ids).to.deep.equal([1, 2]);
			expect(fwspec.iommu_fwnode).to.equal(of_fwnode_handle(masters.iommuNode('30f0000.iommu')));
			expect(members(dev.iommu_group!)).to.deep.equal(['n0', 'n1', 'both']);
			expect(String(sysfs_readlink('/sys/devices/platform/both/iommu'))).to.match(/3100000\.iommu$/);
		});

		it('reaches its buffers through that one only', () => {
			const { masters, machine } = boot(extra, twoPorts);
			const dev = masters.device('both');
			const model = machine.model('both') as unknown as TwoPorts;
			fill(machine, 5, 0x55);
			const dma = map(dev, 5);
			expect([model.fetch(0, dma), model.fetch(1, dma)]).to.deep.equal([null, 0x55]);
			unmap(dev, dma);
		});

		it('is behind none when one of them is disabled', () => {
			const off: Node = {
				'iommu@3200000': {
					compatible: 'allwinner,sun50i-h6-iommu',
					reg: [0x320_0000, 0x10000],
					'#iommu-cells': [1],
					status: 'disabled',
					phandle: [43],
				},
				half: { compatible: 'oracle,master', iommus: [42, 1, 43, 2] },
			};
			const { masters } = boot(off);
			const dev = masters.device('half');
			expect([dev.iommu, dev.iommu_group]).to.deep.equal([null, null]);
			// Without an IOMMU in the kernel's eyes the DMA API is direct.
			expect(map(dev, 0)).to.equal(BUF);
		});

		it('of two drivers is behind none: the second is refused', () => {
			const { masters } = boot();
			const other = new TestDriver('othermmu');
			expect(other.register()).to.equal(0);
			const dev = other.plainDevice('a');
			expect(other.point(dev, 7)).to.equal(0);
			const foreign = new TestDriver('third');
			expect(foreign.register()).to.equal(0);
			expect(foreign.point(dev, 8)).to.equal(-EINVAL);
			expect(dev_iommu_fwspec_get(dev)!.ids).to.deep.equal([7]);
			expect(masters.device('m0').iommu_group).to.not.equal(null);
		});
	});
});
