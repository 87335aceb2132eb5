// SPDX-License-Identifier: GPL-2.0-only
// Device links: what makes one, what it holds, in which order devices go down.
// Linux 6.12: drivers/base/core.c, device_link_add(), device_shutdown().
import { expect } from 'chai';
import { bus_register } from '#drivers/base/bus.js';
import {
	device_link_add,
	device_link_del,
	device_link_remove,
	device_link_wait_removal,
	device_shutdown,
	device_unregister,
} from '#drivers/base/core.js';
import { driver_register, driver_unregister } from '#drivers/base/driver.js';
import { dpm_state } from '#drivers/base/power/main.js';
import { sysfs_read, sysfs_readdir } from '#fs/sysfs/user.js';
import type { bus_type } from '#linux/device/bus.js';
import {
	DL_FLAG_AUTOREMOVE_CONSUMER,
	DL_FLAG_PM_RUNTIME,
	DL_FLAG_RPM_ACTIVE,
	DL_FLAG_STATELESS,
	DL_STATE_ACTIVE,
	DL_STATE_AVAILABLE,
	DL_STATE_DORMANT,
	DL_STATE_NONE,
	dev_name,
	type device,
} from '#linux/device.js';
import { list_for_each_entry } from '#linux/list.js';
import { pm_runtime_enable } from '#linux/pm_runtime.js';
import { addDevice, bootDriverCore, lateInit, makeDriver, nameBus, ok } from '#tests/drivers/base/boot.js';
import { failEach } from '#tests/fail-each.js';
import { leakCheck } from '#tests/leaks.js';

function boot(extra: Partial<bus_type> = {}): bus_type {
	bootDriverCore();
	const bus = nameBus(extra);
	bus_register(bus);
	return bus;
}

/** Those of @devices in the order in which they would be resumed. */
function order(devices: readonly device[]): string[] {
	const out: string[] = [];
	for (const power of list_for_each_entry(dpm_state.dpm_list))
		if (devices.includes(power.container)) out.push(dev_name(power.container));
	return out;
}

describe('drivers_base_core', () => {
	describe('a device link', () => {
		for (const [what, flags] of [
			['a stateless one that removes itself', DL_FLAG_STATELESS | DL_FLAG_AUTOREMOVE_CONSUMER],
			['flags that do not exist', 1 << 20],
		] as const)
			it(`is refused: ${what}`, () => {
				const bus = boot();
				expect(device_link_add(addDevice('a', bus), addDevice('b', bus), flags)).to.equal(null);
			});

		it('is refused where it would close a circle, and from a device to itself', () => {
			const bus = boot();
			const [a, b] = [addDevice('a', bus), addDevice('b', bus)];
			expect(device_link_add(a, a, DL_FLAG_STATELESS)).to.equal(null);
			expect(device_link_add(a, b, DL_FLAG_STATELESS)).to.not.equal(null);
			expect(device_link_add(b, a, DL_FLAG_STATELESS)).to.equal(null);
		});

		it('is made once: the second add is a reference, and the link goes with the last', () => {
			const bus = boot();
			const [a, b] = [addDevice('a', bus), addDevice('b', bus)];
			const link = device_link_add(a, b, DL_FLAG_STATELESS)!;
			expect(device_link_add(a, b, DL_FLAG_STATELESS)).to.equal(link);
			device_link_del(link);
			expect(sysfs_readdir('/sys/class/devlink')).to.deep.equal(['test:b--test:a']);
			device_link_remove(a, b);
			expect(sysfs_readdir('/sys/class/devlink')).to.deep.equal([]);
		});

		it('holds, or is refused, without memory, and gives all back', () => {
			const bus = boot();
			const [a, b] = [addDevice('a', bus), addDevice('b', bus)];
			const once = (): boolean => {
				const link = device_link_add(a, b, DL_FLAG_STATELESS);
				if (link !== null) device_link_del(link);
				device_link_wait_removal();
				return link !== null;
			};
			once();
			const leaks = leakCheck();
			const held: boolean[] = [];
			failEach(() => held.push(once()));
			expect(new Set(held)).to.deep.equal(new Set([true, false]));
			expect(leaks()).to.deep.equal([]);
		});

		it('goes with its consumer, and lets both ends go later', () => {
			const bus = boot();
			const released: string[] = [];
			const [a, b] = [addDevice('a', bus, released), addDevice('b', bus, released)];
			device_link_add(a, b, DL_FLAG_STATELESS);
			device_unregister(a);
			expect(sysfs_readdir('/sys/class/devlink')).to.deep.equal([]);
			expect(released).to.deep.equal([]);
			device_link_wait_removal();
			expect(released).to.deep.equal(['a']);
			expect(b.links.consumers.next).to.equal(b.links.consumers);
		});

		it('without a state is not followed; with one it follows the drivers of both', () => {
			const bus = boot();
			lateInit();
			const [a, b, c] = [addDevice('a', bus), addDevice('b', bus), addDevice('c', bus)];
			const plain = device_link_add(c, b, DL_FLAG_STATELESS)!;
			const link = device_link_add(a, b, 0)!;
			const seen = [link.status];
			const supplier = makeDriver('b', bus, { probe: () => 0 });
			driver_register(supplier);
			seen.push(link.status);
			const consumer = makeDriver('a', bus, { probe: () => 0 });
			driver_register(consumer);
			seen.push(link.status);
			expect(seen).to.deep.equal([DL_STATE_DORMANT, DL_STATE_AVAILABLE, DL_STATE_ACTIVE]);
			driver_unregister(supplier);
			expect(a.driver).to.equal(null);
			expect(link.status).to.equal(DL_STATE_DORMANT);
			expect(plain.status).to.equal(DL_STATE_NONE);
			expect(sysfs_read('/sys/class/devlink/test:b--test:c/status')).to.equal('not tracked\n');
		});

		it('has its supplier up from the start when asked', () => {
			const bus = boot();
			const log: string[] = [];
			const pm = { runtime_resume: () => ok(log.push('resume')) };
			driver_register(makeDriver('b', bus, { probe: () => 0, pm }));
			const [a, b] = [addDevice('a', bus), addDevice('b', bus)];
			pm_runtime_enable(b);
			device_link_add(a, b, DL_FLAG_STATELESS | DL_FLAG_PM_RUNTIME | DL_FLAG_RPM_ACTIVE);
			expect(log).to.deep.equal(['resume']);
			expect(b.power.usage_count.counter).to.equal(1);
		});
	});

	describe('the order of devices', () => {
		it('is that of their coming', () => {
			const bus = boot();
			const devices = ['a', 'b', 'c'].map((name) => addDevice(name, bus));
			expect(order(devices)).to.deep.equal(['a', 'b', 'c']);
		});

		it('has a consumer, and what needs that, behind its supplier', () => {
			const bus = boot();
			const devices = ['a', 'b', 'c', 'd'].map((name) => addDevice(name, bus));
			const [a, b, c] = devices as [device, device, device, device];
			device_link_add(b, a, DL_FLAG_STATELESS);
			device_link_add(a, c, DL_FLAG_STATELESS);
			expect(order(devices)).to.deep.equal(['c', 'd', 'a', 'b']);
		});

		it('is gone backwards at shutdown, each with its driver', () => {
			const log: string[] = [];
			const bus = boot({ shutdown: (dev) => void log.push(dev_name(dev)) });
			const devices = ['a', 'b', 'c'].map((name) => addDevice(name, bus));
			device_link_add(devices[0]!, devices[2]!, DL_FLAG_STATELESS);
			device_shutdown();
			expect(log).to.deep.equal(['a', 'c', 'b']);
		});
	});
});
