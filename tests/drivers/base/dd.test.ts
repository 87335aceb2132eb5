// SPDX-License-Identifier: GPL-2.0-only
// Orders: Linux 6.12, dd.c: really_probe(), __device_release_driver().
import { expect } from 'chai';
import sinon from 'sinon';
import { bus_register, bus_register_notifier } from '#drivers/base/bus.js';
import { device_link_add, device_unregister } from '#drivers/base/core.js';
import { device_is_bound, driver_deferred_probe_check_state } from '#drivers/base/dd.js';
import { devm_add_action, devm_kzalloc } from '#drivers/base/devres.js';
import { driver_register, driver_unregister } from '#drivers/base/driver.js';
import { sysfs_emit } from '#fs/sysfs/file.js';
import { sysfs_read, sysfs_readdir, sysfs_readlink, sysfs_write } from '#fs/sysfs/user.js';
import { parse_args } from '#kernel/params.js';
import { msleep } from '#linux/delay.js';
import type { bus_type } from '#linux/device/bus.js';
import type { device } from '#linux/device.js';
import {
	BUS_NOTIFY_ADD_DEVICE,
	DEVICE_ATTR_RO,
	DL_FLAG_AUTOREMOVE_CONSUMER,
	dev_set_drvdata,
} from '#linux/device.js';
import { EBUSY, EINVAL, EIO, ENODEV, EPROBE_DEFER, ETIMEDOUT } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp_types.js';
import { notifier_block } from '#linux/notifier.js';
import { addDevice, bootDriverCore, lateInit, makeDriver, nameBus, ok } from '#tests/drivers/base/boot.js';

const notifications = ['ADD', 'DEL', 'REMOVED', 'BIND', 'BOUND', 'UNBIND', 'UNBOUND', 'NOT_BOUND'];

function tracedBus(log: string[]) {
	const bus = nameBus({
		dma_configure: () => {
			log.push('dma_configure');
			return 0;
		},
		dma_cleanup: () => {
			log.push('dma_cleanup');
		},
	});
	bus_register(bus);
	bus_register_notifier(
		bus,
		new notifier_block((_nb, action) => {
			log.push(notifications[action] ?? '?');
			return 0;
		}),
	);
	return bus;
}

/** Driver a of @bus, whose probe waits for ever: what it was told at each try. */
function deferringDriver(bus: bus_type): number[] {
	const states: number[] = [];
	const probe = (dev: device): number => {
		states.push(driver_deferred_probe_check_state(dev));
		return -EPROBE_DEFER;
	};
	driver_register(makeDriver('a', bus, { probe }));
	return states;
}

describe('drivers_base_dd', () => {
	it('configures DMA, tells of the binding, probes, and tells that it is bound', () => {
		bootDriverCore();
		const log: string[] = [];
		const bus = tracedBus(log);
		const drv = makeDriver('a', bus, {
			probe: () => {
				log.push('probe');
				return 0;
			},
		});
		expect(driver_register(drv)).to.equal(0);
		const dev = addDevice('a0', bus);
		expect(log).to.deep.equal(['ADD', 'dma_configure', 'BIND', 'probe', 'BOUND']);
		expect(device_is_bound(dev)).to.equal(true);
		expect(sysfs_readlink('/sys/bus/test/drivers/a/a0')).to.equal('../../../../devices/a0');
		expect(sysfs_readlink('/sys/devices/a0/driver')).to.equal('../../bus/test/drivers/a');
	});

	it('probes nothing before device_add() has done its part', () => {
		bootDriverCore();
		const log: string[] = [];
		const bus = nameBus();
		bus_register(bus);
		const drv = makeDriver('a', bus, {
			probe: () => {
				log.push('probe');
				return 0;
			},
		});
		bus_register_notifier(
			bus,
			new notifier_block((_nb, action) => {
				if (action === BUS_NOTIFY_ADD_DEVICE) log.push(`registered: ${driver_register(drv)}`);
				return 0;
			}),
		);
		const dev = addDevice('a0', bus);
		expect(log).to.deep.equal(['registered: 0', 'probe']);
		expect(device_is_bound(dev)).to.equal(true);
	});

	it('unbinds in the reverse order: sysfs, notice, remove, DMA, managed resources', () => {
		bootDriverCore();
		const log: string[] = [];
		const bus = tracedBus(log);
		const drv = makeDriver('a', bus, {
			probe: (dev) => {
				devm_add_action(dev, (n) => log.push(`devres ${n}`), 1);
				devm_add_action(dev, (n) => log.push(`devres ${n}`), 2);
				return 0;
			},
			remove: () => {
				log.push('remove');
				return 0;
			},
		});
		driver_register(drv);
		const dev = addDevice('a0', bus);
		log.length = 0;
		expect(sysfs_write('/sys/bus/test/drivers/a/unbind', 'a0\n')).to.equal(3);
		expect(log).to.deep.equal(['UNBIND', 'remove', 'dma_cleanup', 'devres 2', 'devres 1', 'UNBOUND']);
		expect(dev.driver).to.equal(null);
		expect(sysfs_readdir('/sys/devices/a0')).to.deep.equal(['subsystem', 'uevent']);
	});

	it('takes everything back when the probe fails, and says so', () => {
		const machine = bootDriverCore();
		const log: string[] = [];
		const bus = tracedBus(log);
		const drv = makeDriver('a', bus, {
			probe: (dev) => {
				devm_add_action(dev, () => log.push('devres'), null);
				dev_set_drvdata(dev, {});
				return -EIO;
			},
		});
		driver_register(drv);
		const dev = addDevice('a0', bus);
		expect(log).to.deep.equal(['ADD', 'dma_configure', 'BIND', 'NOT_BOUND', 'dma_cleanup', 'devres']);
		expect(dev.driver).to.equal(null);
		expect(dev.driver_data).to.equal(null);
		expect(machine.lines.some((l) => l.endsWith('a a0: probe with driver a failed with error -5'))).to.equal(
			true,
		);
		expect(sysfs_readdir('/sys/devices/a0')).to.not.include('driver');
		expect(sysfs_readdir('/sys/bus/test/drivers/a')).to.not.include('a0');
	});

	it('says nothing when the driver turns the device down with -ENODEV', () => {
		const machine = bootDriverCore();
		const bus = nameBus();
		bus_register(bus);
		driver_register(makeDriver('a', bus, { probe: () => -ENODEV }));
		addDevice('a0', bus);
		expect(machine.lines.filter((l) => l.includes('probe with driver a failed'))).to.deep.equal([]);
	});

	it('undoes nothing but itself when dma_configure fails', () => {
		bootDriverCore();
		const probe = sinon.spy(() => 0);
		const dma_cleanup = sinon.spy();
		const bus = nameBus({ dma_configure: () => -EINVAL, dma_cleanup });
		bus_register(bus);
		driver_register(makeDriver('a', bus, { probe }));
		const dev = addDevice('a0', bus);
		expect(probe.called).to.equal(false);
		expect(dma_cleanup.called).to.equal(false);
		expect(dev.driver).to.equal(null);
	});

	it('removes the device again when the files of dev_groups cannot be made', () => {
		bootDriverCore();
		const remove = sinon.spy(() => 0);
		const bus = nameBus();
		bus_register(bus);
		const attr = DEVICE_ATTR_RO('uevent', (_d, _a, buf) => sysfs_emit(buf, 'x'));
		driver_register(makeDriver('a', bus, { probe: () => 0, remove, dev_groups: [{ attrs: [attr] }] }));
		const dev = addDevice('a0', bus);
		expect(remove.calledOnce).to.equal(true);
		expect(dev.driver).to.equal(null);
	});

	for (const order of [
		['supplier', 'consumer'],
		['consumer', 'supplier'],
	]) {
		it(`binds a consumer that defers, with drivers registered ${order.join(' before ')}`, () => {
			bootDriverCore();
			const bus = nameBus();
			bus_register(bus);
			const bound: string[] = [];
			const drivers = new Map([
				['supplier', makeDriver('supplier', bus, { probe: () => ok(bound.push('supplier')) })],
				[
					'consumer',
					makeDriver('consumer', bus, {
						probe: () => (bound.includes('supplier') ? ok(bound.push('consumer')) : -EPROBE_DEFER),
					}),
				],
			]);
			addDevice('consumer', bus);
			addDevice('supplier', bus);
			for (const name of order) driver_register(drivers.get(name)!);
			lateInit();
			expect(bound).to.deep.equal(['supplier', 'consumer']);
		});
	}

	it('lists what still waits in debugfs, and gives the dependency up after the initcalls', () => {
		bootDriverCore();
		const bus = nameBus();
		bus_register(bus);
		const states = deferringDriver(bus);
		addDevice('a0', bus);
		lateInit();
		expect(states).to.deep.equal([-EPROBE_DEFER, -EPROBE_DEFER, -ENODEV]);
		expect(sysfs_read('/sys/kernel/debug/devices_deferred')).to.match(/^a0\t/);
	});

	it('waits as long as deferred_probe_timeout= says, and then answers -ETIMEDOUT', () => {
		bootDriverCore();
		parse_args('deferred_probe_timeout=2');
		const bus = nameBus();
		bus_register(bus);
		const states = deferringDriver(bus);
		addDevice('a0', bus);
		lateInit();
		msleep(1900);
		expect(states.at(-1)).to.equal(-EPROBE_DEFER);
		msleep(200);
		expect(states.at(-1)).to.equal(-ETIMEDOUT);
	});

	it('refuses a second driver of the same name', () => {
		bootDriverCore();
		const bus = nameBus();
		bus_register(bus);
		expect(driver_register(makeDriver('a', bus))).to.equal(0);
		expect(driver_register(makeDriver('a', bus))).to.equal(-EBUSY);
	});

	it('refuses a driver of a bus that is not there', () => {
		bootDriverCore();
		expect(driver_register(makeDriver('a', nameBus()))).to.equal(-EINVAL);
	});

	it('unbinds the devices of a driver that goes, the last bound first', () => {
		bootDriverCore();
		const bus = nameBus();
		bus_register(bus);
		const removed: string[] = [];
		const drv = makeDriver('a', bus, { probe: () => 0, remove: (d) => removed.push(d.kobj.name ?? '') });
		driver_register(drv);
		addDevice('a0', bus);
		addDevice('a1', bus);
		driver_unregister(drv);
		expect(removed).to.deep.equal(['a1', 'a0']);
		expect(sysfs_readdir('/sys/bus/test/drivers')).to.deep.equal([]);
	});

	it('binds through sysfs, and answers -ENODEV for a stranger', () => {
		bootDriverCore();
		const bus = nameBus();
		bus_register(bus);
		driver_register(makeDriver('a', bus, { probe: () => 0 }));
		addDevice('a0', bus);
		addDevice('b0', bus);
		expect(sysfs_write('/sys/bus/test/drivers/a/unbind', 'a0')).to.equal(2);
		expect(sysfs_write('/sys/bus/test/drivers/a/unbind', 'a0')).to.equal(-ENODEV);
		expect(sysfs_write('/sys/bus/test/drivers/a/bind', 'b0')).to.equal(-ENODEV);
		expect(sysfs_write('/sys/bus/test/drivers/a/bind', 'a0')).to.equal(2);
		expect(sysfs_write('/sys/bus/test/drivers/a/bind', 'a0')).to.equal(-EBUSY);
	});

	it('has no bind and unbind files with suppress_bind_attrs', () => {
		bootDriverCore();
		const bus = nameBus();
		bus_register(bus);
		driver_register(makeDriver('a', bus, { suppress_bind_attrs: true }));
		expect(sysfs_readdir('/sys/bus/test/drivers/a')).to.deep.equal(['uevent']);
	});

	it('frees managed memory when the device goes', () => {
		bootDriverCore();
		const bus = nameBus();
		bus_register(bus);
		class priv {
			x = 7;
		}
		let p: priv | null = null;
		const probe = (d: device): number => {
			p = devm_kzalloc(d, priv, GFP_KERNEL);
			return 0;
		};
		driver_register(makeDriver('a', bus, { probe }));
		const released: string[] = [];
		const dev = addDevice('a0', bus, released);
		expect(p!.x).to.equal(7);
		device_unregister(dev);
		expect(released).to.deep.equal(['a0']);
	});

	it('probes a linked consumer after its supplier, and unbinds it before', () => {
		bootDriverCore();
		lateInit();
		const bus = nameBus();
		bus_register(bus);
		const log: string[] = [];
		const make = (name: string) =>
			makeDriver(name, bus, {
				probe: () => ok(log.push(`probe ${name}`)),
				remove: () => ok(log.push(`remove ${name}`)),
			});
		const sup = addDevice('sup', bus);
		const con = addDevice('con', bus);
		expect(device_link_add(con, sup, 0)).to.not.equal(null);
		expect(device_link_add(sup, con, 0)).to.equal(null);
		driver_register(make('con'));
		expect(log).to.deep.equal([]);
		const sup_drv = make('sup');
		driver_register(sup_drv);
		lateInit();
		expect(log).to.deep.equal(['probe sup', 'probe con']);
		driver_unregister(sup_drv);
		expect(log.slice(2)).to.deep.equal(['remove con', 'remove sup']);
		expect(DL_FLAG_AUTOREMOVE_CONSUMER).to.equal(2);
	});
});
