// SPDX-License-Identifier: GPL-2.0-only
// The system's way to sleep and back, as far as devices go.
// Orders: Linux 6.12, kernel/power/suspend.c, drivers/base/power/main.c.
import { expect } from 'chai';
import { bus_register } from '#drivers/base/bus.js';
import { device_link_add } from '#drivers/base/core.js';
import { driver_register } from '#drivers/base/driver.js';
import { sysfs_read, sysfs_write } from '#fs/sysfs/user.js';
import { DL_FLAG_STATELESS, dev_name, type device } from '#linux/device.js';
import { EAGAIN, EBUSY, EINVAL } from '#linux/errno.js';
import type { dev_pm_ops } from '#linux/pm.js';
import { pm_runtime_enable } from '#linux/pm_runtime.js';
import { addDevice, bootDriverCore, makeDriver, nameBus, ok, runInitcall } from '#tests/drivers/base/boot.js';

const STATE = '/sys/power/state';
const TEST = '/sys/power/pm_test';

const PHASES = [
	'prepare',
	'suspend',
	'suspend_late',
	'suspend_noirq',
	'resume_noirq',
	'resume_early',
	'resume',
] as const;

/** Devices of @names, made in this order, whose callbacks go to @log; @over replaces those of the one called "odd". */
function boot(log: string[], names: string[], over: dev_pm_ops = {}): device[] {
	bootDriverCore();
	runInitcall('pm_init');
	const bus = nameBus();
	bus_register(bus);
	const pm: dev_pm_ops = Object.fromEntries(
		PHASES.map((phase) => [phase, (dev: device) => ok(log.push(`${phase} ${dev_name(dev)}`))]),
	);
	for (const name of names)
		driver_register(makeDriver(name, bus, { probe: () => 0, pm: name === 'odd' ? { ...pm, ...over } : pm }));
	return names.map((name) => addDevice(name, bus));
}

describe('kernel_power_suspend', () => {
	it('goes down backwards in phases, and up again forwards', () => {
		const log: string[] = [];
		boot(log, ['a', 'b']);
		expect(sysfs_write(STATE, 'freeze\n')).to.be.greaterThan(0);
		expect(log).to.deep.equal([
			...['prepare a', 'prepare b', 'suspend b', 'suspend a', 'suspend_late b', 'suspend_late a'],
			...['suspend_noirq b', 'suspend_noirq a', 'resume_noirq a', 'resume_noirq b'],
			...['resume_early a', 'resume_early b', 'resume a', 'resume b'],
		]);
	});

	it('puts a consumer to sleep before its supplier, whichever came first', () => {
		const log: string[] = [];
		const [a, b] = boot(log, ['a', 'b']) as [device, device];
		device_link_add(a, b, DL_FLAG_STATELESS);
		sysfs_write(STATE, 'mem');
		expect(log.filter((l) => /^(suspend|resume) /.test(l))).to.deep.equal([
			'suspend a',
			'suspend b',
			'resume b',
			'resume a',
		]);
	});

	it('turns round at a device that refuses, and resumes those that were suspended', () => {
		const log: string[] = [];
		boot(log, ['a', 'odd', 'b'], { suspend: () => -EBUSY });
		expect(sysfs_write(STATE, 'freeze')).to.equal(-EBUSY);
		expect(log.filter((l) => /^(suspend|resume) /.test(l))).to.deep.equal(['suspend b', 'resume b']);
		log.length = 0;
		expect(sysfs_write(STATE, 'freeze')).to.equal(-EBUSY);
		expect(log.filter((l) => /^prepare/.test(l))).to.deep.equal(['prepare a', 'prepare odd', 'prepare b']);
	});

	it('turns round where the test says', () => {
		const log: string[] = [];
		boot(log, ['a']);
		expect(sysfs_read(TEST)).to.equal('[none] core processors platform devices freezer\n');
		sysfs_write(TEST, 'devices\n');
		sysfs_write(STATE, 'freeze\n');
		expect(log).to.deep.equal(['prepare a', 'suspend a', 'resume a']);
		log.length = 0;
		sysfs_write(TEST, 'freezer');
		sysfs_write(STATE, 'freeze');
		expect(log).to.deep.equal([]);
		sysfs_write(TEST, 'core');
		expect(sysfs_write(STATE, 'freeze')).to.equal(-EAGAIN);
		expect([sysfs_write(TEST, 'all'), sysfs_write(STATE, 'disk')]).to.deep.equal([-EINVAL, -EINVAL]);
	});

	it('keeps devices from runtime suspend meanwhile, and lets them go after it', () => {
		const counts: number[] = [];
		const [a] = boot([], ['odd'], {
			suspend: (dev) => ok(counts.push(dev.power.usage_count.counter)),
		}) as [device];
		pm_runtime_enable(a);
		sysfs_write(STATE, 'freeze');
		expect([...counts, a.power.usage_count.counter, a.power.disable_depth]).to.deep.equal([1, 0, 0]);
	});
});
