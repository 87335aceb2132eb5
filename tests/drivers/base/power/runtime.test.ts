// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import { bus_register } from '#drivers/base/bus.js';
import { device_link_add, device_link_del } from '#drivers/base/core.js';
import { driver_register } from '#drivers/base/driver.js';
import { msleep } from '#linux/delay.js';
import type { device } from '#linux/device.js';
import { DL_FLAG_PM_RUNTIME, DL_FLAG_STATELESS } from '#linux/device.js';
import { EACCES, EBUSY, EINVAL, EIO } from '#linux/errno.js';
import { irqs_disabled } from '#linux/irqflags.js';
import type { dev_pm_ops } from '#linux/pm.js';
import {
	pm_runtime_disable,
	pm_runtime_enable,
	pm_runtime_force_resume,
	pm_runtime_force_suspend,
	pm_runtime_get,
	pm_runtime_get_if_active,
	pm_runtime_get_if_in_use,
	pm_runtime_get_sync,
	pm_runtime_mark_last_busy,
	pm_runtime_put,
	pm_runtime_put_autosuspend,
	pm_runtime_put_noidle,
	pm_runtime_put_sync,
	pm_runtime_resume_and_get,
	pm_runtime_set_active,
	pm_runtime_set_autosuspend_delay,
	pm_runtime_suspend,
	pm_runtime_suspended,
	pm_runtime_use_autosuspend,
} from '#linux/pm_runtime.js';
import { in_atomic } from '#linux/preempt.js';
import { flush_work } from '#linux/workqueue.js';
import { addDevice, bootDriverCore, makeDriver, nameBus, ok } from '#tests/drivers/base/boot.js';

function powered(log: string[], over: dev_pm_ops = {}): device {
	bootDriverCore();
	const bus = nameBus();
	bus_register(bus);
	const pm = {
		runtime_suspend: () => ok(log.push('suspend')),
		runtime_resume: () => ok(log.push('resume')),
		...over,
	};
	driver_register(makeDriver('a', bus, { probe: () => 0, pm }));
	return addDevice('a0', bus);
}

/** Another device, whose entries in @log have its name; its resume answers @resume. */
function named(name: string, log: string[], resume = 0): device {
	const dev = addDevice(name, null);
	dev.pm_domain = {
		ops: {
			runtime_suspend: () => ok(log.push(`${name} suspend`)),
			runtime_resume: () => ok(log.push(`${name} resume`)) + resume,
		},
	};
	return dev;
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

	it('counts for whoever wants it only if it is up and in use', () => {
		const dev = powered([]);
		expect(pm_runtime_get_if_in_use(dev)).to.equal(-EINVAL);
		pm_runtime_enable(dev);
		expect(pm_runtime_get_if_in_use(dev)).to.equal(0);
		pm_runtime_get_sync(dev);
		expect(pm_runtime_get_if_in_use(dev)).to.equal(1);
		pm_runtime_put_sync(dev);
		pm_runtime_put_noidle(dev);
		expect([pm_runtime_get_if_in_use(dev), pm_runtime_get_if_active(dev)]).to.deep.equal([0, 1]);
	});

	it('suspends by itself when its delay has passed since it was last busy', () => {
		const log: string[] = [];
		const dev = powered(log);
		pm_runtime_enable(dev);
		pm_runtime_set_autosuspend_delay(dev, 50);
		pm_runtime_use_autosuspend(dev);
		pm_runtime_get_sync(dev);
		pm_runtime_mark_last_busy(dev);
		expect(pm_runtime_put_autosuspend(dev)).to.equal(0);
		msleep(30);
		pm_runtime_mark_last_busy(dev);
		msleep(30);
		expect(log).to.deep.equal(['resume']);
		msleep(40);
		expect(log).to.deep.equal(['resume', 'suspend']);
	});

	it('asks the idle callback first, and stays up when that says no', () => {
		const log: string[] = [];
		const dev = powered(log, { runtime_idle: () => -EBUSY });
		pm_runtime_enable(dev);
		pm_runtime_get_sync(dev);
		expect(pm_runtime_put_sync(dev)).to.equal(-EBUSY);
		expect(log).to.deep.equal(['resume']);
	});

	it('says no for ever once a callback has failed, until the status is set', () => {
		const log: string[] = [];
		const dev = powered(log, { runtime_suspend: () => -EIO });
		pm_runtime_enable(dev);
		pm_runtime_get_sync(dev);
		expect(pm_runtime_put_sync(dev)).to.equal(-EIO);
		expect([pm_runtime_get_sync(dev), pm_runtime_put_sync(dev)]).to.deep.equal([-EINVAL, -EINVAL]);
		expect(pm_runtime_set_active(dev)).to.equal(0);
		expect(pm_runtime_get_sync(dev)).to.equal(1);
	});

	it('tries again after a callback that was only busy', () => {
		const log: string[] = [];
		let busy = true;
		const dev = powered(log, { runtime_suspend: () => (busy ? -EBUSY : ok(log.push('suspend'))) });
		pm_runtime_enable(dev);
		pm_runtime_get_sync(dev);
		expect(pm_runtime_put_sync(dev)).to.equal(-EBUSY);
		busy = false;
		expect(pm_runtime_suspend(dev)).to.equal(0);
		expect(log).to.deep.equal(['resume', 'suspend']);
	});

	it('says so when it is put more often than it was got', () => {
		const dev = powered([]);
		pm_runtime_enable(dev);
		expect(pm_runtime_put_sync(dev)).to.equal(-EINVAL);
		expect(dev.power.usage_count.counter).to.equal(0);
	});

	it('has its callbacks called with interrupts on and no lock held', () => {
		const seen: boolean[] = [];
		const look = (): number => ok(seen.push(irqs_disabled(), in_atomic()));
		const dev = powered([], { runtime_resume: look, runtime_suspend: look });
		pm_runtime_enable(dev);
		pm_runtime_get_sync(dev);
		pm_runtime_put_sync(dev);
		expect(seen).to.deep.equal([false, false, false, false]);
	});

	it('is forced down whoever uses it, and comes back if somebody does', () => {
		const log: string[] = [];
		const dev = powered(log);
		pm_runtime_enable(dev);
		pm_runtime_get_sync(dev);
		pm_runtime_get_sync(dev);
		expect(pm_runtime_force_suspend(dev)).to.equal(0);
		expect(pm_runtime_get_if_in_use(dev)).to.equal(-EINVAL);
		expect(pm_runtime_force_resume(dev)).to.equal(0);
		expect(log).to.deep.equal(['resume', 'suspend', 'resume']);
		// With one user only it waits to be asked.
		pm_runtime_put_sync(dev);
		pm_runtime_force_suspend(dev);
		pm_runtime_force_resume(dev);
		expect(log).to.deep.equal(['resume', 'suspend', 'resume', 'suspend']);
		expect(pm_runtime_suspended(dev)).to.equal(true);
	});

	it('is what a resume that waits behind a suspend brings', () => {
		const log: string[] = [];
		const dev = powered(log);
		pm_runtime_enable(dev);
		pm_runtime_get_sync(dev);
		pm_runtime_put(dev);
		pm_runtime_get(dev);
		flush_work(dev.power.work);
		expect(log).to.deep.equal(['resume']);
	});

	describe('of a parent', () => {
		it('lasts as long as that of a child', () => {
			const log: string[] = [];
			const dev = powered(log);
			const parent = named('p', log);
			dev.parent = parent;
			pm_runtime_enable(parent);
			pm_runtime_enable(dev);
			pm_runtime_get_sync(dev);
			pm_runtime_put_sync(dev);
			flush_work(parent.power.work);
			expect(log).to.deep.equal(['p resume', 'resume', 'suspend', 'p suspend']);
		});
	});

	describe('of a supplier', () => {
		const STATELESS = DL_FLAG_STATELESS | DL_FLAG_PM_RUNTIME;

		it('comes before the consumer, and goes after it', () => {
			const log: string[] = [];
			const dev = powered(log);
			const supplier = named('s', log);
			device_link_add(dev, supplier, STATELESS);
			for (const d of [dev, supplier]) pm_runtime_enable(d);
			pm_runtime_get_sync(dev);
			pm_runtime_put_sync(dev);
			flush_work(supplier.power.work);
			expect(log).to.deep.equal(['s resume', 'resume', 'suspend', 's suspend']);
		});

		it('that fails keeps the consumer down, and its own error', () => {
			const log: string[] = [];
			const dev = powered(log);
			const supplier = named('s', log, -EIO);
			device_link_add(dev, supplier, STATELESS);
			for (const d of [dev, supplier]) pm_runtime_enable(d);
			expect(pm_runtime_get_sync(dev)).to.equal(-EIO);
			expect(log).to.deep.equal(['s resume']);
			expect([supplier.power.usage_count.counter, supplier.power.runtime_error]).to.deep.equal([0, -EIO]);
			expect(dev.power.runtime_error).to.equal(-EIO);
		});

		it('without runtime PM is taken to be up', () => {
			const log: string[] = [];
			const dev = powered(log);
			device_link_add(dev, named('s', log), STATELESS);
			pm_runtime_enable(dev);
			expect(pm_runtime_get_sync(dev)).to.equal(0);
			expect(log).to.deep.equal(['resume']);
		});

		it('is let go when the link goes', () => {
			const log: string[] = [];
			const dev = powered(log);
			const supplier = named('s', log);
			const link = device_link_add(dev, supplier, STATELESS);
			for (const d of [dev, supplier]) pm_runtime_enable(d);
			pm_runtime_get_sync(dev);
			expect(supplier.power.usage_count.counter).to.equal(1);
			device_link_del(link!);
			flush_work(supplier.power.work);
			expect(log).to.deep.equal(['s resume', 'resume', 's suspend']);
		});
	});

	it('gives the error of a resume back, and stays suspended', () => {
		const log: string[] = [];
		const dev = powered(log, { runtime_resume: () => ok(log.push('resume')) - EIO });
		pm_runtime_enable(dev);
		expect(pm_runtime_resume_and_get(dev)).to.equal(-EIO);
		expect(dev.power.usage_count.counter).to.equal(0);
		expect(pm_runtime_suspended(dev)).to.equal(true);
		pm_runtime_disable(dev);
	});
});
