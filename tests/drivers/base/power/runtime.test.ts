// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import { bus_register } from '#drivers/base/bus.js';
import { driver_register } from '#drivers/base/driver.js';
import type { device } from '#linux/device.js';
import { EACCES, EIO } from '#linux/errno.js';
import {
	pm_runtime_disable,
	pm_runtime_enable,
	pm_runtime_get_sync,
	pm_runtime_put,
	pm_runtime_put_sync,
	pm_runtime_resume_and_get,
	pm_runtime_suspended,
} from '#linux/pm_runtime.js';
import { flush_work } from '#linux/workqueue.js';
import { addDevice, bootDriverCore, makeDriver, nameBus, ok } from '#tests/drivers/base/boot.js';

function powered(log: string[], resume = 0): device {
	bootDriverCore();
	const bus = nameBus();
	bus_register(bus);
	const pm = {
		runtime_suspend: () => ok(log.push('suspend')),
		runtime_resume: () => ok(log.push('resume')) + resume,
	};
	driver_register(makeDriver('a', bus, { probe: () => 0, pm }));
	return addDevice('a0', bus);
}

describe('drivers_base_power_runtime', () => {
	it('resumes for the first user and suspends after the last', () => {
		const log: string[] = [];
		const dev = powered(log);
		pm_runtime_enable(dev);
		expect(pm_runtime_get_sync(dev)).to.equal(0);
		expect(pm_runtime_get_sync(dev)).to.equal(1);
		pm_runtime_put_sync(dev);
		expect(log).to.deep.equal(['resume']);
		pm_runtime_put_sync(dev);
		expect(log).to.deep.equal(['resume', 'suspend']);
		expect(pm_runtime_suspended(dev)).to.equal(true);
	});

	it('suspends later when the last put is asynchronous', () => {
		const log: string[] = [];
		const dev = powered(log);
		pm_runtime_enable(dev);
		pm_runtime_resume_and_get(dev);
		pm_runtime_put(dev);
		expect(log).to.deep.equal(['resume']);
		flush_work(dev.power.work);
		expect(log).to.deep.equal(['resume', 'suspend']);
	});

	it('returns -EACCES while disabled, and counts all the same', () => {
		const log: string[] = [];
		const dev = powered(log);
		expect(pm_runtime_get_sync(dev)).to.equal(-EACCES);
		expect(dev.power.usage_count.counter).to.equal(1);
		expect(pm_runtime_resume_and_get(dev)).to.equal(-EACCES);
		expect(dev.power.usage_count.counter).to.equal(1);
	});

	it('gives the error of a resume back, and stays suspended', () => {
		const log: string[] = [];
		const dev = powered(log, -EIO);
		pm_runtime_enable(dev);
		expect(pm_runtime_resume_and_get(dev)).to.equal(-EIO);
		expect(dev.power.usage_count.counter).to.equal(0);
		expect(pm_runtime_suspended(dev)).to.equal(true);
		pm_runtime_disable(dev);
	});
});
