// SPDX-License-Identifier: GPL-2.0-only
// Groups: who is in one, who owns it, and all members on one domain.
// What is expected, also when something fails, is what drivers/iommu/iommu.c of Linux 6.12 does.
import { expect } from 'chai';
import fc from 'fast-check';
import sinon from 'sinon';
import { platform_driver_unregister } from '#drivers/base/platform.js';
import {
	generic_device_group,
	generic_single_device_group,
	iommu_attach_device,
	iommu_attach_group,
	iommu_deferred_attach,
	iommu_detach_device,
	iommu_detach_group,
	iommu_device_claim_dma_owner,
	iommu_device_release_dma_owner,
	iommu_device_unuse_default_domain,
	iommu_device_use_default_domain,
	iommu_domain_free,
	iommu_get_dma_domain,
	iommu_get_domain_for_dev,
	type iommu_group,
	iommu_group_add_device,
	iommu_group_alloc,
	iommu_group_claim_dma_owner,
	iommu_group_dma_owner_claimed,
	iommu_group_for_each_dev,
	iommu_group_get,
	iommu_group_get_iommudata,
	iommu_group_id,
	iommu_group_put,
	iommu_group_ref_get,
	iommu_group_release_dma_owner,
	iommu_group_remove_device,
	iommu_group_replace_domain,
	iommu_group_set_iommudata,
	iommu_group_set_name,
} from '#drivers/iommu/iommu.js';
import { iommu_device_sysfs_remove } from '#drivers/iommu/iommu-sysfs.js';
import { sysfs_read, sysfs_readdir, sysfs_readlink } from '#fs/sysfs/user.js';
import { start_kernel } from '#init/main.js';
import { dev_name, type device } from '#linux/device.js';
import { ERR_PTR, IS_ERR } from '#linux/err.js';
import { EBUSY, EINVAL, ENODEV, ENOMEM, EPERM } from '#linux/errno.js';
import { IOMMU_DOMAIN_BLOCKED, IOMMU_DOMAIN_DMA, iommu_domain, type iommu_ops } from '#linux/iommu.js';
import { platform_driver, platform_driver_register } from '#linux/platform_device.js';
import { slab_leaks, slab_live } from '#linux/slab.js';
import { h6 } from '#tests/hw/h6.js';
import { expectWarning } from '#tests/setup.js';
import { bootRig, domainFor, ok, setType, typeOf } from './rig.js';
import { SimBus } from './sim_bus.js';
import { TestDriver } from './test_driver.js';

const single: Partial<iommu_ops> = { device_group: generic_single_device_group };

/** The names of @group's members, in the order in which they came. */
function members(group: iommu_group): string[] {
	const names: string[] = [];
	iommu_group_for_each_dev(group, names, (dev, list) => list.push(dev_name(dev)) * 0);
	return names;
}

/** What the hardware would use for each of @devs: the domain of the last attach that went well. */
function attached(driver: TestDriver, devs: device[], ...more: iommu_domain[]): (iommu_domain | null)[] {
	const spies = [driver.domainOps, driver.identity.ops!, ...more.map((d) => d.ops!)].map(
		(ops) => ops.attach_dev as sinon.SinonSpy,
	);
	const calls = [...new Set(spies)]
		.flatMap((spy) => spy.getCalls())
		.filter((call) => call.returnValue === 0)
		.sort((a, b) => (a.calledBefore(b) ? -1 : 1));
	return devs.map((dev) => calls.findLast((call) => call.args[1] === dev)?.args[0] ?? null);
}

/** A domain that blocks, and whose attach is seen. */
function blockedDomain(): iommu_domain {
	return new iommu_domain({ type: IOMMU_DOMAIN_BLOCKED, ops: { attach_dev: sinon.spy(() => 0) } });
}

describe('iommu_groups', () => {
	describe('a generic group', () => {
		it('is one for each device', () => {
			const { driver } = bootRig('', { device_group: generic_device_group });
			const groups = ['a', 'b', 'c'].map((name) => driver.device(name).iommu_group!);
			expect(new Set(groups).size).to.equal(3);
			expect(groups.map(members)).to.deep.equal([['a'], ['b'], ['c']]);
			expect(new Set(groups.map(iommu_group_id)).size).to.equal(3);
		});

		it('gives its number back to the next', () => {
			const { driver } = bootRig();
			const a = driver.device('a');
			const b = driver.device('b');
			const id = iommu_group_id(a.iommu_group!);
			driver.remove(a);
			expect(iommu_group_id(driver.device('c').iommu_group!)).to.equal(id);
			expect(iommu_group_id(b.iommu_group!)).to.not.equal(id);
		});
	});

	describe('a single-device group', () => {
		it('is one for an instance, and outlives its members', () => {
			const { driver } = bootRig('', single);
			const a = driver.device('a');
			const b = driver.device('b');
			const group = a.iommu_group!;
			expect(b.iommu_group).to.equal(group);
			expect(members(group)).to.deep.equal(['a', 'b']);
			driver.remove(a);
			driver.remove(b);
			expect(driver.freed).to.deep.equal(driver.made);
			expect(sysfs_read(`/sys/kernel/iommu_groups/${group.id}/type`)).to.equal('unknown\n');
			// The next member starts with a default domain of its own.
			const c = driver.device('c');
			expect(c.iommu_group).to.equal(group);
			expect(iommu_get_domain_for_dev(c)).to.equal(driver.made[1]);
		});

		it('ends when the instance is unregistered, and with it what the driver kept there', () => {
			const { driver } = bootRig('', single);
			const release = sinon.spy();
			const { id } = driver.device('a').iommu_group!;
			iommu_group_set_iommudata(driver.iommu.singleton_group!, 'mine', release);
			driver.unregister();
			expect(release.args).to.deep.equal([['mine']]);
			expect(IS_ERR(sysfs_read(`/sys/kernel/iommu_groups/${id}/type`))).to.equal(true);
			expect(driver.iommu.singleton_group).to.equal(null);
		});
	});

	describe('groups of a bus with aliases', () => {
		function sim(over: Partial<iommu_ops> = {}): SimBus {
			start_kernel(h6());
			return new SimBus(over);
		}

		it('hold the devices that the IOMMU sees under one id, or that reach each other', () => {
			const bus = sim();
			bus.alias.set(0x18, 0x10);
			bus.alias.set(0x19, 0x10);
			bus.leaky.add(5);
			expect(bus.register()).to.equal(0);
			const bridge = bus.add(0x10);
			const behind = bus.add(0x18);
			const other = bus.add(0x19);
			const leaky = [0x28, 0x2a].map((id) => bus.add(id));
			const alone = [0x30, 0x31].map((id) => bus.add(id));
			expect(members(bridge.iommu_group!)).to.deep.equal(['0:2.0', '0:3.0', '0:3.1']);
			expect(members(leaky[0]!.iommu_group!)).to.deep.equal(['0:5.0', '0:5.2']);
			expect(alone[0]!.iommu_group).to.not.equal(alone[1]!.iommu_group);
			expect(new Set([bridge, behind, other].map(iommu_get_domain_for_dev)).size).to.equal(1);

			// No member can be attached alone; a lone function can.
			const domain = domainFor(behind);
			expect(iommu_attach_device(domain, behind)).to.equal(-EINVAL);
			expect(iommu_attach_group(domain, behind.iommu_group!)).to.equal(0);
			expect(attached(bus.driver, [bridge, behind, other])).to.deep.equal([domain, domain, domain]);
			iommu_detach_group(domain, behind.iommu_group!);
			expect(iommu_attach_device(domain, alone[0]!)).to.equal(0);
			iommu_detach_device(domain, alone[0]!);
			iommu_domain_free(domain);
		});

		it('are found for devices that came before the IOMMU, in one walk', () => {
			const bus = sim();
			bus.leaky.add(1);
			const devs = [0x8, 0x9, 0x10].map((id) => bus.add(id));
			expect(devs.map((d) => d.iommu_group)).to.deep.equal([null, null, null]);
			expect(bus.register()).to.equal(0);
			expect(members(devs[0]!.iommu_group!)).to.deep.equal(['0:1.0', '0:1.1']);
			expect(members(devs[2]!.iommu_group!)).to.deep.equal(['0:2.0']);
			// One default domain a group, attached when all members were known.
			expect(bus.driver.made.length).to.equal(2);
			const probes = bus.driver.ops.probe_device as sinon.SinonSpy;
			const attach = bus.driver.domainOps.attach_dev;
			const ours = probes.getCalls().filter((c) => c.args[0].bus === bus.bus);
			expect(ours.length).to.equal(3);
			expect(ours.at(-1)!.calledBefore(attach.firstCall)).to.equal(true);
			expect((bus.driver.ops.probe_finalize as sinon.SinonSpy).args.flat()).to.deep.equal(devs);
			expect(devs.every((d) => d.dma_iommu)).to.equal(true);
		});

		it('lose members and get them back', () => {
			const bus = sim();
			bus.leaky.add(1);
			expect(bus.register()).to.equal(0);
			const a = bus.add(0x8);
			const b = bus.add(0x9);
			const group = b.iommu_group!;
			const domain = iommu_get_domain_for_dev(b);
			bus.remove(a);
			expect(members(group)).to.deep.equal(['0:1.1']);
			expect(bus.driver.freed).to.deep.equal([]);
			const again = bus.add(0x8);
			expect(again.iommu_group).to.equal(group);
			expect(members(group)).to.deep.equal(['0:1.1', '0:1.0']);
			expect(iommu_get_domain_for_dev(again)).to.equal(domain);
			expect(attached(bus.driver, [again])).to.deep.equal([domain]);
			bus.remove(b);
			bus.remove(again);
			expect(bus.driver.freed).to.deep.equal(bus.driver.made);
			bus.unregister();
			expect(bus.add(0x8).iommu_group).to.equal(null);
		});

		it('number the link of a second device of the same name', () => {
			const bus = sim();
			expect(bus.register()).to.equal(0);
			const dev = bus.add(0x8, 'twin');
			const group = dev.iommu_group!;
			const twins = ['second', 'third'].map((slot) => bus.driver.plainDevice(slot));
			// Names are one bus's: two more by hand, from the platform bus.
			for (const twin of twins) twin.kobj.name = 'twin';
			for (const twin of twins) expect(iommu_group_add_device(group, twin)).to.equal(0);
			expect(sysfs_readdir(`/sys/kernel/iommu_groups/${group.id}/devices`)).to.have.members([
				'twin',
				'twin.0',
				'twin.1',
			]);
			iommu_group_remove_device(twins[0]!);
			expect(sysfs_readdir(`/sys/kernel/iommu_groups/${group.id}/devices`)).to.have.members([
				'twin',
				'twin.1',
			]);
			iommu_group_remove_device(twins[1]!);
			twins[0]!.kobj.name = 'second';
			twins[1]!.kobj.name = 'third';
		});
	});

	describe('devices that came before their IOMMU', () => {
		/** Platform devices, and an IOMMU to come that is asked about every device. */
		function late(names: string[], over: Partial<iommu_ops> = {}) {
			start_kernel(h6());
			const driver = new TestDriver('latemmu', over);
			driver.iommu.fwnode = null;
			const devs = names.map((name) => driver.plainDevice(name));
			/** What probe_device() answers for one of @devs. */
			const answer = new Map<device, number>();
			driver.ops.probe_device = (dev) => {
				const error = devs.includes(dev) ? (answer.get(dev) ?? 0) : -ENODEV;
				return error !== 0 ? ERR_PTR(error) : driver.iommu;
			};
			const register = (): number => {
				const ret = driver.register();
				if (ret !== 0) iommu_device_sysfs_remove(driver.iommu);
				return ret;
			};
			return { driver, devs, answer, register };
		}
		const nowhere = (devs: device[]): void => {
			for (const dev of devs) expect([dev.iommu, dev.iommu_group]).to.deep.equal([null, null]);
		};

		it('are probed in their order, and attached when all are known', () => {
			const { driver, devs, register } = late(['a', 'b', 'c'], single);
			nowhere(devs);
			expect(register()).to.equal(0);
			expect(members(devs[0]!.iommu_group!)).to.deep.equal(['a', 'b', 'c']);
			expect(driver.domainOps.attach_dev.args).to.deep.equal(devs.map((dev) => [driver.made[0], dev]));
			expect((driver.ops.probe_finalize as sinon.SinonSpy).args.flat()).to.deep.equal(devs);
			expect(devs.every((dev) => dev.dma_iommu)).to.equal(true);
		});

		it('are all released when one fails, and the IOMMU is not registered', () => {
			const { driver, devs, answer, register } = late(['a', 'b', 'c']);
			answer.set(devs[1]!, -ENOMEM);
			expect(register()).to.equal(-ENOMEM);
			nowhere(devs);
			// Directories of the class stay after the first time.
			const before = slab_live();
			expect(register()).to.equal(-ENOMEM);
			expect(slab_leaks(before)).to.deep.equal([]);
			expect(driver.made).to.deep.equal([]);
		});

		it('may be none of the driver’s: -ENODEV is no failure', () => {
			const { devs, answer, register } = late(['a', 'b', 'c']);
			answer.set(devs[1]!, -ENODEV);
			expect(register()).to.equal(0);
			expect(devs.map((dev) => dev.iommu_group !== null)).to.deep.equal([true, false, true]);
			nowhere([devs[1]!]);
		});

		it('are all released when a default domain cannot be attached', () => {
			const { driver, devs, register } = late(['a', 'b', 'c']);
			driver.attachResult.set(devs[1]!, -EBUSY);
			expectWarning(/./);
			expect(register()).to.equal(-EBUSY);
			nowhere(devs);
			// The third group never got as far as a domain.
			expect(driver.made.length).to.equal(2);
			expect(driver.freed).to.have.members(driver.made);
			driver.attachResult.clear();
			expect(register()).to.equal(0);
			expect(devs.every((dev) => dev.iommu_group !== null)).to.equal(true);
		});

		it('and those that come later share what there is', () => {
			const { driver, devs, register } = late(['a', 'b'], single);
			expect(register()).to.equal(0);
			driver.ops.probe_device = () => driver.iommu;
			const c = driver.plainDevice('c');
			expect(c.iommu_group).to.equal(devs[0]!.iommu_group);
			expect(iommu_get_domain_for_dev(c)).to.equal(driver.made[0]);
		});
	});

	describe('references', () => {
		it('keep a group without members, whoever took them', () => {
			const { driver } = bootRig();
			const dev = driver.device('a');
			const release = sinon.spy();
			const group = ok(iommu_group_get(dev));
			expect(iommu_group_ref_get(group)).to.equal(group);
			iommu_group_set_iommudata(group, { n: 1 }, release);
			expect(iommu_group_get_iommudata(group)).to.deep.equal({ n: 1 });
			driver.remove(dev);
			expect(members(group)).to.deep.equal([]);
			expect(release.called).to.equal(false);
			iommu_group_put(group);
			expect(release.called).to.equal(false);
			iommu_group_put(group);
			expect(release.args).to.deep.equal([[{ n: 1 }]]);
		});

		it('to nothing may be put', () => {
			bootRig();
			iommu_group_put(null);
		});

		it('leave nothing behind: a group with name, data and members comes and goes', () => {
			const { driver } = bootRig();
			const dev = driver.plainDevice('a');
			const before = slab_live();
			const group = ok(iommu_group_alloc()) as iommu_group;
			expect(iommu_group_set_name(group, 'a name')).to.equal(0);
			iommu_group_set_iommudata(group, 'data', null);
			expect(iommu_group_add_device(group, dev)).to.equal(0);
			iommu_group_put(group);
			expect(sysfs_read(`/sys/kernel/iommu_groups/${group.id}/name`)).to.equal('a name\n');
			expect(sysfs_readlink('/sys/devices/platform/a/iommu_group')).to.be.a('string');
			iommu_group_remove_device(dev);
			iommu_group_remove_device(dev);
			expect(slab_leaks(before)).to.deep.equal([]);
			expect(IS_ERR(sysfs_readlink('/sys/devices/platform/a/iommu_group'))).to.equal(true);
		});

		it('of a name: none can be taken away from a group without one', () => {
			bootRig();
			const group = ok(iommu_group_alloc()) as iommu_group;
			// kstrdup(NULL); errors.json, iommu_group_set_name().
			expect(iommu_group_set_name(group, null)).to.equal(-ENOMEM);
			iommu_group_put(group);
		});
	});

	describe('an attach that fails half way', () => {
		const names = ['a', 'b', 'c', 'd'];
		/** Four devices in one group; @refuse says which device refuses which domain. */
		function four(over: Partial<iommu_ops> = {}) {
			const rig = bootRig('', { ...single, ...over });
			const devs = names.map((name) => rig.driver.device(name));
			const group = devs[0]!.iommu_group!;
			return { ...rig, devs, group, old: iommu_get_dma_domain(devs[0]!) };
		}

		names.forEach((name, k) => {
			it(`at ${name} leaves all devices on the old domain`, () => {
				const { driver, devs, group, old } = four();
				const next = domainFor(devs[0]!);
				driver.attach = (domain, dev) => (domain === next && dev === devs[k] ? -EBUSY : 0);
				driver.domainOps.attach_dev.resetHistory();
				expect(iommu_attach_group(next, group)).to.equal(-EBUSY);
				expect(driver.domainOps.attach_dev.args).to.deep.equal([
					...devs.slice(0, k + 1).map((d) => [next, d]),
					...devs.slice(0, k + 1).map((d) => [old, d]),
				]);
				expect(iommu_get_domain_for_dev(devs[3]!)).to.equal(old);
				driver.attach = null;
				expect(iommu_attach_group(next, group)).to.equal(0);
				iommu_detach_group(next, group);
				expect(attached(driver, devs)).to.deep.equal([old, old, old, old]);
			});
		});

		it('leaves all on the domain that was to be replaced', () => {
			const { driver, devs, group } = four();
			const one = domainFor(devs[0]!);
			const two = domainFor(devs[0]!);
			expect(iommu_attach_group(one, group)).to.equal(0);
			driver.attach = (domain, dev) => (domain === two && dev === devs[2] ? -ENOMEM : 0);
			expect(iommu_group_replace_domain(group, two)).to.equal(-ENOMEM);
			expect(attached(driver, devs)).to.deep.equal([one, one, one, one]);
			expect(iommu_get_domain_for_dev(devs[0]!)).to.equal(one);
			driver.attach = null;
			iommu_detach_group(one, group);
		});

		it('leaves the group without owner when it was the blocking domain', () => {
			const { driver, devs, group, old } = four();
			driver.attach = (domain, dev) => (domain !== old && dev === devs[3] ? -ENOMEM : 0);
			expect(iommu_group_claim_dma_owner(group, 'me')).to.equal(-ENOMEM);
			expect(iommu_group_dma_owner_claimed(group)).to.equal(false);
			expect(attached(driver, devs)).to.deep.equal([old, old, old, old]);
			expect(iommu_device_use_default_domain(devs[0]!)).to.equal(0);
			iommu_device_unuse_default_domain(devs[0]!);
		});

		it('leaves the default domain and its type when the file "type" asked for it', () => {
			const { driver, devs, old } = four();
			driver.attach = (domain, dev) => (domain === driver.identity && dev === devs[1] ? -EINVAL : 0);
			expect(setType(devs[0]!, 'identity')).to.equal(-EINVAL);
			expect(typeOf(devs[0]!)).to.equal('DMA');
			expect(attached(driver, devs)).to.deep.equal([old, old, old, old]);
			expect(driver.freed).to.deep.equal([]);
		});

		it('is told as the error of the first that fails, and the others are not tried', () => {
			const { driver, devs, group, old } = four();
			const next = domainFor(devs[0]!);
			const errors = [0, -EBUSY, -ENOMEM, -EINVAL];
			driver.attach = (domain, dev) => (domain === old ? 0 : errors[devs.indexOf(dev)]!);
			driver.domainOps.attach_dev.resetHistory();
			expect(iommu_attach_group(next, group)).to.equal(-EBUSY);
			expect(driver.domainOps.attach_dev.args.map((x) => x[1])).to.deep.equal([
				devs[0],
				devs[1],
				devs[0],
				devs[1],
			]);
		});

		it('and a way back that fails too, are the driver’s fault: the blocking domain is the last resort', () => {
			const blocked = blockedDomain();
			const { driver, devs, group, old } = four({ blocked_domain: blocked });
			// The group has a blocking domain from an earlier claim.
			expect(iommu_group_claim_dma_owner(group, 'me')).to.equal(0);
			iommu_group_release_dma_owner(group);
			const next = domainFor(devs[0]!);
			driver.attach = (_domain, dev) => (dev === devs[1] ? -EINVAL : 0);
			expectWarning(/./);
			expect(iommu_attach_group(next, group)).to.equal(-EINVAL);
			expect(attached(driver, devs, blocked)).to.deep.equal([old, blocked, old, old]);
			expect(iommu_get_domain_for_dev(devs[1]!)).to.equal(old);
		});

		it('does not keep the others where they must not stay: a detach goes on', () => {
			const blocked = blockedDomain();
			const { driver, devs, group, old } = four({ blocked_domain: blocked });
			expect(iommu_group_claim_dma_owner(group, 'me')).to.equal(0);
			iommu_group_release_dma_owner(group);
			const mine = domainFor(devs[0]!);
			expect(iommu_attach_group(mine, group)).to.equal(0);
			driver.attach = (_domain, dev) => (dev === devs[2] ? -EINVAL : 0);
			expectWarning(/./);
			iommu_detach_group(mine, group);
			expect(attached(driver, devs, blocked)).to.deep.equal([old, old, blocked, old]);
			expect(iommu_get_domain_for_dev(devs[2]!)).to.equal(old);
			iommu_domain_free(mine);
		});

		it('of a device that joins leaves the group as it was', () => {
			const { driver, devs, group, old } = four();
			const late = driver.plainDevice('e');
			driver.point(late);
			driver.attachResult.set(late, -EBUSY);
			driver.domainOps.attach_dev.resetHistory();
			expect(driver.probe(late)).to.equal(-EBUSY);
			expect(driver.domainOps.attach_dev.args).to.deep.equal([[old, late]]);
			expect(members(group)).to.deep.equal(names);
			expect(late.iommu_group).to.equal(null);
			expect(late.iommu).to.equal(null);
			expect(iommu_get_domain_for_dev(devs[0]!)).to.equal(old);
		});

		it('never leaves a member elsewhere (random refusals)', () => {
			const { driver, devs, group, old } = four();
			const domains = [domainFor(devs[0]!), domainFor(devs[0]!), old];
			const hardware = new Map(devs.map((dev) => [dev, old as iommu_domain]));
			const step = fc.record({ dev: fc.nat(3), to: fc.nat(2), refuse: fc.boolean() });
			fc.assert(
				fc.property(fc.array(step, { maxLength: 12, size: 'max' }), (steps) => {
					for (const { dev, to, refuse } of steps) {
						const now = iommu_get_domain_for_dev(devs[0]!)!;
						const next = domains[to]!;
						driver.attach = (domain, who) => {
							if (refuse && domain === next && who === devs[dev]) return -EINVAL;
							hardware.set(who, domain);
							return 0;
						};
						const ret = iommu_group_replace_domain(group, next);
						expect(ret).to.equal(refuse && next !== now ? -EINVAL : 0);
						const stands = ret === 0 ? next : now;
						expect(iommu_get_domain_for_dev(devs[0]!)).to.equal(stands);
						for (const d of devs) expect(hardware.get(d)).to.equal(stands);
					}
				}),
			);
		});
	});

	describe('a deferred attach', () => {
		const deferred: Partial<iommu_ops> = { is_attach_deferred: () => true };

		it('is made good once, or tried again when it failed', () => {
			const { driver } = bootRig('', deferred);
			const dev = driver.device('a');
			const domain = iommu_get_dma_domain(dev);
			expect(iommu_get_domain_for_dev(dev)).to.equal(domain);
			expect(attached(driver, [dev])).to.deep.equal([null]);
			driver.attachResult.set(dev, -ENOMEM);
			expect(iommu_deferred_attach(dev, domain)).to.equal(-ENOMEM);
			driver.attachResult.clear();
			expect(iommu_deferred_attach(dev, domain)).to.equal(0);
			expect(iommu_deferred_attach(dev, domain)).to.equal(0);
			expect(driver.domainOps.attach_dev.callCount).to.equal(2);
		});

		it('is nobody’s business once another domain was attached', () => {
			const { driver } = bootRig('', deferred);
			const dev = driver.device('a');
			const mine = domainFor(dev);
			expect(iommu_attach_device(mine, dev)).to.equal(0);
			expect(iommu_deferred_attach(dev, iommu_get_dma_domain(dev))).to.equal(0);
			expect(attached(driver, [dev])).to.deep.equal([mine]);
			iommu_detach_device(mine, dev);
			expect(attached(driver, [dev])).to.deep.equal([iommu_get_dma_domain(dev)]);
		});

		it('is each member’s own', () => {
			const { driver } = bootRig('', {
				...single,
				is_attach_deferred: (dev) => dev.kobj.name === 'b',
			});
			const a = driver.device('a');
			const b = driver.device('b');
			const domain = iommu_get_dma_domain(a);
			expect(attached(driver, [a, b])).to.deep.equal([domain, null]);
			expect(iommu_deferred_attach(b, domain)).to.equal(0);
			expect(attached(driver, [a, b])).to.deep.equal([domain, domain]);
		});

		it('is nothing to a device without an IOMMU', () => {
			const { driver } = bootRig();
			const domain = domainFor(driver.device('a'));
			expect(iommu_deferred_attach(driver.plainDevice('b'), domain)).to.equal(0);
		});
	});

	describe('a device that is released', () => {
		const parked = (): iommu_domain => blockedDomain();

		it('is parked, given back to the driver, and then its domain is freed', () => {
			const release_domain = parked();
			const { driver } = bootRig('', { release_domain });
			const dev = driver.device('a');
			driver.remove(dev);
			const order = [
				release_domain.ops!.attach_dev as sinon.SinonSpy,
				driver.ops.release_device as sinon.SinonSpy,
				driver.domainOps.free,
			];
			sinon.assert.callOrder(...order);
			expect([dev.iommu, dev.iommu_group, dev.dma_iommu]).to.deep.equal([null, null, false]);
		});

		it('is not touched when its attach was still deferred', () => {
			const release_domain = parked();
			const { driver } = bootRig('', { release_domain, is_attach_deferred: () => true });
			const dev = driver.device('a');
			driver.remove(dev);
			expect((release_domain.ops!.attach_dev as sinon.SinonSpy).called).to.equal(false);
			expect(driver.domainOps.attach_dev.called).to.equal(false);
			expect((driver.ops.release_device as sinon.SinonSpy).callCount).to.equal(1);
			expect(driver.freed).to.deep.equal(driver.made);
		});

		it('with a driver bound first loses the driver, and with it the hold on the group', () => {
			const { driver } = bootRig();
			const dev = driver.device('a');
			const group = ok(iommu_group_get(dev));
			const remove = sinon.spy(() => expect(iommu_group_dma_owner_claimed(group)).to.equal(true));
			platform_driver_register(new platform_driver({ probe: () => 0, remove, driver: { name: 'a' } }));
			expect(iommu_group_dma_owner_claimed(group)).to.equal(true);
			driver.remove(dev);
			expect(remove.callCount).to.equal(1);
			expect(iommu_group_dma_owner_claimed(group)).to.equal(false);
			iommu_group_put(group);
		});

		it('leaves an owner that other members still have', () => {
			const { driver } = bootRig('', single);
			const a = driver.device('a');
			const b = driver.device('b');
			expect(iommu_group_claim_dma_owner(b.iommu_group!, 'me')).to.equal(0);
			const blocking = iommu_get_domain_for_dev(b);
			driver.remove(a);
			expect(iommu_get_domain_for_dev(b)).to.equal(blocking);
			expect(driver.freed).to.deep.equal([]);
			iommu_group_release_dma_owner(b.iommu_group!);
			expect(attached(driver, [b])).to.deep.equal([iommu_get_dma_domain(b)]);
			driver.remove(b);
			expect(driver.freed).to.have.members(driver.made);
		});

		it('as the last of a group that somebody owns is a mistake of the owner', () => {
			const { driver } = bootRig();
			const dev = driver.device('a');
			expect(iommu_group_claim_dma_owner(dev.iommu_group!, 'me')).to.equal(0);
			expectWarning(/./);
			driver.remove(dev);
			// Both the default and the blocking domain are gone.
			expect(driver.freed).to.have.members(driver.made);
		});

		it('as the last on a domain of somebody’s is a mistake, and that domain is not freed', () => {
			const { driver } = bootRig();
			const dev = driver.device('a');
			const mine = domainFor(dev);
			expect(iommu_attach_device(mine, dev)).to.equal(0);
			expectWarning(/./);
			driver.remove(dev);
			expect(driver.freed).to.deep.equal([driver.made[0]]);
			iommu_domain_free(mine);
		});

		it('can come back, to a new group and a new domain', () => {
			const { driver } = bootRig();
			const before = slab_live();
			for (let round = 0; round < 3; round++) {
				const dev = driver.device('a', round);
				expect(iommu_get_domain_for_dev(dev)).to.equal(driver.made[round]);
				driver.remove(dev);
				expect(driver.freed.length).to.equal(round + 1);
			}
			expect(slab_leaks(before)).to.deep.equal([]);
		});

		it('with its IOMMU comes back with that, when it is pointed there again', () => {
			const { driver } = bootRig('', single);
			const devs = ['a', 'b'].map((name) => driver.device(name));
			for (let round = 0; round < 2; round++) {
				driver.unregister();
				for (const dev of devs) expect([dev.iommu, dev.iommu_group]).to.deep.equal([null, null]);
				expect(driver.register()).to.equal(0);
				for (const dev of devs) expect(driver.point(dev) || driver.probe(dev)).to.equal(0);
				expect(members(devs[0]!.iommu_group!)).to.deep.equal(['a', 'b']);
				expect(typeOf(devs[1]!)).to.equal('DMA');
			}
		});
	});

	describe('claims', () => {
		it('of bound drivers count, unless the driver manages DMA itself', () => {
			const { driver } = bootRig('', single);
			const devs = ['a', 'b', 'c'].map((name) => driver.device(name));
			const group = devs[0]!.iommu_group!;
			const drv = (name: string, driver_managed_dma = false) =>
				new platform_driver({ probe: () => 0, driver_managed_dma, driver: { name } });
			const vfio = drv('c', true);
			platform_driver_register(vfio);
			expect(devs[2]!.driver).to.not.equal(null);
			expect(iommu_group_dma_owner_claimed(group)).to.equal(false);
			const [one, two] = [drv('a'), drv('b')];
			platform_driver_register(one);
			platform_driver_register(two);
			expect(iommu_device_claim_dma_owner(devs[2]!, 'me')).to.equal(-EPERM);
			platform_driver_unregister(one);
			expect(iommu_group_dma_owner_claimed(group)).to.equal(true);
			platform_driver_unregister(two);
			expect(iommu_device_claim_dma_owner(devs[2]!, 'me')).to.equal(0);
			// No driver can be bound to the other members meanwhile.
			platform_driver_register(one);
			expect(devs[0]!.driver).to.equal(null);
			iommu_device_release_dma_owner(devs[2]!);
			platform_driver_unregister(one);
			platform_driver_register(one);
			expect(devs[0]!.driver).to.not.equal(null);
		});

		it('of a driver whose probe fails are given back', () => {
			const { driver } = bootRig();
			const dev = driver.device('a');
			const probe = sinon.spy(() => {
				expect(iommu_group_dma_owner_claimed(dev.iommu_group!)).to.equal(true);
				return -EINVAL;
			});
			platform_driver_register(new platform_driver({ probe, driver: { name: 'a' } }));
			expect(probe.callCount).to.equal(1);
			expect(iommu_group_dma_owner_claimed(dev.iommu_group!)).to.equal(false);
		});

		it('too few, or given back too often, are a mistake', () => {
			const { driver } = bootRig();
			const dev = driver.device('a');
			expectWarning(/./);
			iommu_device_unuse_default_domain(dev);
			expect(iommu_group_dma_owner_claimed(dev.iommu_group!)).to.equal(false);
			iommu_group_release_dma_owner(dev.iommu_group!);
			expect(iommu_get_domain_for_dev(dev)).to.equal(iommu_get_dma_domain(dev));
		});

		it('keep the blocking domain from one owner to the next', () => {
			const { driver } = bootRig();
			const dev = driver.device('a');
			const group = dev.iommu_group!;
			expect(iommu_group_claim_dma_owner(group, 'me')).to.equal(0);
			const blocking = iommu_get_domain_for_dev(dev);
			iommu_group_release_dma_owner(group);
			expect(iommu_group_claim_dma_owner(group, 'you')).to.equal(0);
			expect(iommu_get_domain_for_dev(dev)).to.equal(blocking);
			expect(driver.made.length).to.equal(2);
			iommu_group_release_dma_owner(group);
			driver.remove(dev);
			expect(driver.freed).to.have.members(driver.made);
		});

		it('of several devices by one owner end with the last, and a detach before that blocks', () => {
			const { driver } = bootRig('', single);
			const devs = ['a', 'b'].map((name) => driver.device(name));
			for (const dev of devs) expect(iommu_device_claim_dma_owner(dev, 'me')).to.equal(0);
			const blocking = iommu_get_domain_for_dev(devs[0]!)!;
			const mine = domainFor(devs[0]!);
			expect(iommu_attach_group(mine, devs[0]!.iommu_group!)).to.equal(0);
			iommu_detach_group(mine, devs[0]!.iommu_group!);
			expect(attached(driver, devs)).to.deep.equal([blocking, blocking]);
			iommu_device_release_dma_owner(devs[0]!);
			expect(attached(driver, devs)).to.deep.equal([blocking, blocking]);
			iommu_device_release_dma_owner(devs[1]!);
			expect(iommu_get_domain_for_dev(devs[0]!)).to.equal(iommu_get_dma_domain(devs[0]!));
		});

		it('end with all of a device’s owners when the group is released', () => {
			const { driver } = bootRig();
			const dev = driver.device('a');
			for (let i = 0; i < 3; i++) expect(iommu_device_claim_dma_owner(dev, 'me')).to.equal(0);
			iommu_group_release_dma_owner(dev.iommu_group!);
			expect(iommu_group_dma_owner_claimed(dev.iommu_group!)).to.equal(false);
		});

		it('follow the rules of 6.12 in random order', () => {
			const { driver } = bootRig('', single);
			const hardware = new Map<device, iommu_domain>();
			driver.attach = (domain, dev) => {
				hardware.set(dev, domain);
				return 0;
			};
			const devs = ['a', 'b'].map((name) => driver.device(name));
			const group = devs[0]!.iommu_group!;
			const own = [domainFor(devs[0]!), domainFor(devs[0]!)];
			// Which of @own is attached; else the group's default, or the one that blocks.
			const model = { count: 0, owner: null as string | null, at: null as number | null };
			const take = (owner: string): number => {
				if (model.at !== null) return -EBUSY;
				model.count = 1;
				model.owner = owner;
				return 0;
			};
			const drop = (): void => {
				model.count = 0;
				model.owner = null;
				model.at = null;
			};
			/** Do step @op for device @who: the results as they should be, and as they are. */
			const run = (op: string, who: number): [number, number] => {
				const dev = devs[who]!;
				const owner = `owner ${who}`;
				const owned = model.owner !== null;
				let want = 0;
				switch (op) {
					case 'use':
						if (model.count > 0 && (owned || model.at !== null)) want = -EBUSY;
						else model.count++;
						return [want, iommu_device_use_default_domain(dev)];
					case 'unuse':
						if (model.count === 0 || owned) break;
						model.count--;
						iommu_device_unuse_default_domain(dev);
						break;
					case 'claim group':
						want = model.count > 0 ? -EPERM : take(owner);
						return [want, iommu_group_claim_dma_owner(group, owner)];
					case 'release group':
						if (!owned) break;
						drop();
						iommu_group_release_dma_owner(group);
						break;
					case 'claim device':
						if (model.count === 0) want = take(owner);
						else if (model.owner !== owner) want = -EPERM;
						else model.count++;
						return [want, iommu_device_claim_dma_owner(dev, owner)];
					case 'release device':
						if (!owned) break;
						if (model.count > 1) model.count--;
						else drop();
						iommu_device_release_dma_owner(dev);
						break;
					case 'attach':
						if (model.at !== null) want = -EBUSY;
						else model.at = who;
						return [want, iommu_attach_group(own[who]!, group)];
					case 'detach':
						if (model.at === null) break;
						iommu_detach_group(own[model.at]!, group);
						model.at = null;
						break;
				}
				return [0, 0];
			};
			const ops = ['use', 'unuse', 'claim group', 'release group', 'claim device', 'release device'];
			const step = fc.record({ op: fc.constantFrom(...ops, 'attach', 'detach'), who: fc.nat(1) });
			fc.assert(
				fc.property(fc.array(step, { maxLength: 40, size: 'max' }), (steps) => {
					for (const { op, who } of steps) {
						const [want, got] = run(op, who);
						expect(got, op).to.equal(want);
						expect(iommu_group_dma_owner_claimed(group)).to.equal(model.count > 0);
						const now = iommu_get_domain_for_dev(devs[0]!)!;
						if (model.at !== null) expect(now).to.equal(own[model.at]);
						else if (model.owner === null) expect(now).to.equal(iommu_get_dma_domain(devs[0]!));
						else expect([now.type, now === own[0] || now === own[1]]).to.deep.equal([1, false]);
						for (const dev of devs) expect(hardware.get(dev)).to.equal(now);
					}
					run('detach', 0);
					run('release group', 0);
					while (model.count > 0) run('unuse', 0);
				}),
			);
		});

		it('are refused for a group that is not there', () => {
			const { driver } = bootRig();
			const dev = driver.plainDevice('a');
			expect(iommu_device_claim_dma_owner(dev, 'me')).to.equal(-ENODEV);
			expect(iommu_device_use_default_domain(dev)).to.equal(0);
			iommu_device_unuse_default_domain(dev);
		});

		it('take the domain of the group’s type back when they end', () => {
			const { driver } = bootRig('iommu.passthrough=1');
			const dev = driver.device('a');
			expect(iommu_group_claim_dma_owner(dev.iommu_group!, 'me')).to.equal(0);
			iommu_group_release_dma_owner(dev.iommu_group!);
			expect(attached(driver, [dev])).to.deep.equal([driver.identity]);
			expect(setType(dev, 'DMA')).to.equal(0);
			expect(iommu_get_dma_domain(dev).type).to.equal(IOMMU_DOMAIN_DMA);
		});
	});
});
